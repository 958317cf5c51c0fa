"""`stagegate validate`: the declarations alone."""

from pathlib import Path

from infra.spec import DeclarationError, load
from stagegate.errors import UserError


def validate(stacks: Path, paths: list[Path]) -> None:
    """Raises DeclarationError with all problems, or those in `paths` (files or folders)."""
    missing = [str(path) for path in (stacks, *paths) if not path.exists()]
    if missing:
        raise UserError(f"there is no {', '.join(missing)}; expected declarations, such as stacks/organization.yaml")
    try:
        load(stacks)
    except DeclarationError as error:
        wanted = [path.resolve() for path in paths]
        problems = [
            problem
            for problem in error.problems
            if not wanted or any(problem.file.resolve().is_relative_to(path) for path in wanted)
        ]
        if problems:
            raise DeclarationError(problems) from None

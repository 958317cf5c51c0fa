"""`stagegate access`: the matrix of who may do what, from the same grants that the program renders."""

import json
import sys
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.access import PRINCIPALS, Access
from infra.spec import load
from stagegate.errors import UserError
from stagegate.graph import capture


def of_stack(stacks: Path, name: str) -> Access:
    """Raises DeclarationError, UnknownStack, and UserError for a platform's stack."""
    access = capture(load(stacks).stack(name)).access
    if access is None:
        raise UserError(f"{name} is the platform's stack; roles belong to departments, such as risk-dev")
    return access


def matrix(access: Access) -> dict[str, dict[str, list[str]]]:
    """For each target the principals and their verbs."""
    rows: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for grant in access.grants:
        verbs = rows[grant.target][str(grant.principal)]
        if grant.verb not in verbs:
            verbs.append(grant.verb)
    return {target: dict(row) for target, row in rows.items()}


def show(stacks: Path, name: str, *, as_json: bool) -> None:
    access = of_stack(stacks, name)
    if as_json:
        grants = [
            {
                "principal": str(grant.principal),
                "role": access.names.role_arn(grant.principal),
                "verb": grant.verb,
                "target": grant.target,
                "actions": grant.actions,
                "resources": sorted({resource for allow in grant.allows for resource in allow.resources}),
            }
            for grant in access.grants
        ]
        json.dump({"stack": name, "grants": grants}, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    Console().print(table(access, name))


def table(access: Access, name: str) -> Table:
    """One row for each target, one column for each principal; an empty cell is a refusal."""
    shown = Table(title=f"Who may do what in {name}; an empty cell is refused", header_style="bold")
    shown.add_column("target", no_wrap=True)
    for principal in PRINCIPALS:
        shown.add_column(str(principal).replace("-", "-\n"))
    for target, row in matrix(access).items():
        shown.add_row(target, *("\n".join(row.get(str(principal), [])) for principal in PRINCIPALS))
    return shown

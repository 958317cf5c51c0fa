"""JSON Schemas of the declarations: `python -m infra.spec.schema [DIR]` writes them, editors and the tests read them."""

import json
import sys
from pathlib import Path

from infra.spec.base import Declared
from infra.spec.department import Department
from infra.spec.model import Model
from infra.spec.organization import Organization

KINDS: dict[str, type[Declared]] = {"organization": Organization, "department": Department, "model": Model}


def schemas() -> dict[str, str]:
    """Each kind of file with its schema as text."""
    return {
        kind: json.dumps(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **declared.model_json_schema()},
            indent=2,
            ensure_ascii=False,
        )
        + "\n"
        for kind, declared in KINDS.items()
    }


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for kind, text in schemas().items():
        (folder / f"{kind}.json").write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "stacks/schema"))

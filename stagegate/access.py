"""`stagegate access`: the matrix of who may do what, from the same grants that the program renders."""

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.access import PRINCIPALS, Access, Principal
from infra.spec import load
from stagegate.errors import UserError
from stagegate.graph import capture


def of_stack(stacks: Path, name: str) -> Access:
    """Raises DeclarationError, UnknownStack, and UserError for a platform's stack."""
    access = capture(load(stacks).stack(name)).access
    if access is None:
        raise UserError(f"{name} is the platform's stack; roles belong to departments, such as risk-dev")
    return access


def matrix(access: Access) -> dict[Principal, dict[str, list[str]]]:
    """For each principal the targets of each verb."""
    rows: dict[Principal, dict[str, list[str]]] = {principal: {} for principal in PRINCIPALS}
    for grant in access.grants:
        targets = rows[grant.principal].setdefault(grant.verb, [])
        if grant.target not in targets:
            targets.append(grant.target)
    return rows


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
    """One row for each principal and verb."""
    shown = Table(title=f"Who may do what in {name}; all else is refused", header_style="bold")
    for heading in ("principal", "may", "on"):
        shown.add_column(heading, no_wrap=heading != "on")
    for principal, verbs in matrix(access).items():
        for position, (verb, targets) in enumerate(verbs.items(), 1):
            shown.add_row(
                str(principal) if position == 1 else "",
                verb,
                ", ".join(targets),
                end_section=position == len(verbs),
            )
    return shown

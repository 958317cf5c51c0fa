"""`stagegate access`: the matrix as a table and as JSON, and one clear message for a mistake."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from stagegate import access

STACKS = Path(__file__).parent / "stacks"


def run(*arguments: str, columns: int = 100) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(Path(sys.executable).with_name("stagegate")), "access", *arguments, "--stacks", str(STACKS)],
        capture_output=True,
        text=True,
        env={"COLUMNS": str(columns), "LANG": "C.UTF-8", "PATH": ""},
        check=False,
    )


def test_the_table_fits_a_hundred_columns_and_breaks_no_word() -> None:
    shown = run("claims-dev")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert "Who may do what in claims-dev; all else is refused" in lines[0]
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert ["operator", "subscribe", "topic on-call, topic lead"] in rows
    assert ["auditor", "list", "zone raw, zone curated, zone features, zone models"] in rows
    assert ["", "put", "zone logs"] in rows


def test_json_has_every_grant_with_actions_and_resources() -> None:
    shown = run("claims-prod", "--json")
    found: dict[str, Any] = json.loads(shown.stdout)
    assert found["stack"] == "claims-prod"
    grants = {(grant["principal"], grant["verb"], grant["target"]): grant for grant in found["grants"]}
    assert len(grants) == len(found["grants"])
    assert grants["serving", "put", "zone logs"] == {
        "principal": "serving",
        "role": "arn:aws:iam::333333333333:role/claims-prod-serving",
        "verb": "put",
        "target": "zone logs",
        "actions": ["s3:PutObject"],
        "resources": ["arn:aws:s3:::acme-claims-prod-logs/*"],
    }
    assert ("data-scientist", "read", "zone curated") not in grants


def test_the_command_and_the_policies_say_the_same(dev: Any) -> None:
    granted: dict[str, set[str]] = {}
    for grant in access.of_stack(STACKS, "claims-dev").grants:
        granted.setdefault(str(grant.principal), set()).update(grant.actions)
    for who, actions in granted.items():
        document = json.loads(dev.one("iam/rolePolicy:RolePolicy", f"claims-dev-{who}").inputs["policy"])
        rendered = [statement["Action"] for statement in document["Statement"]]
        assert {a for some in rendered for a in ([some] if isinstance(some, str) else some)} == actions


def test_a_mistake_is_one_message_and_exit_code_two() -> None:
    for stack, says in (
        ("nowhere-dev", "no stack nowhere-dev is declared; there are platform-dev, claims-dev, platform-prod, claims-prod\n"),
        ("platform-dev", "platform-dev is the platform's stack; roles belong to departments, such as risk-dev\n"),
    ):  # fmt: skip
        shown = run(stack)
        assert (shown.returncode, shown.stdout, shown.stderr) == (2, "", says)

"""IAM action names stand in one file, and what is allowed has no wildcard."""

import ast
import re
from pathlib import Path

from infra import actions

ROOT = Path(actions.__file__).parents[1]
ONLY_DENIED = {"ANY_S3", "ANYTHING", "ESCAPE"}
SERVICES = {action.split(":")[0] for value in vars(actions).values() if isinstance(value, tuple) for action in value}
ACTION = re.compile(rf"({'|'.join(sorted(map(re.escape, SERVICES - {'*'})))}):([A-Z][A-Za-z]+\*?|\*)")


def literals(source: str) -> list[str]:
    """Action names among the strings of a program, but for docstrings and for condition keys, which look the same."""
    tree = ast.parse(source)
    others = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    others |= {id(key) for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in others
        and ACTION.fullmatch(node.value)
    ]


def test_the_guard_sees_an_action() -> None:
    program = '"""s3:GetObject"""\nx = ["s3:GetObject", "kms:*", "s3:prefix", "aws:kms", {"kms:ViaService": "s3"}]'
    assert literals(program) == ["s3:GetObject", "kms:*"]


def test_no_action_is_named_anywhere_else() -> None:
    files = [path for room in ("infra", "policies") for path in (ROOT / room).rglob("*.py")]
    assert len(files) > 30
    found = {str(path.relative_to(ROOT)): literals(path.read_text()) for path in files if path.name != "actions.py"}
    assert {path: names for path, names in found.items() if names} == {}


def test_wildcards_are_only_denied() -> None:
    wild = {
        name
        for name, value in vars(actions).items()
        if isinstance(value, tuple) and any("*" in action or "?" in action for action in value)
    }
    assert wild == ONLY_DENIED


def test_every_action_reads_as_one() -> None:
    for name, value in vars(actions).items():
        if name.isupper():
            assert isinstance(value, tuple | frozenset)
            assert all(re.fullmatch(r"\*|[a-z0-9-]+:(\*|[A-Z][A-Za-z]+)", action) for action in value), name
            assert len(set(value)) == len(value), name

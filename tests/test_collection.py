"""Every file that holds tests is collected: a test that never runs proves nothing."""

import ast
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent


def holds_tests(path: Path) -> bool:
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        for node in ast.walk(ast.parse(path.read_text()))
    )


def test_every_file_with_tests_is_collected() -> None:
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", str(TESTS)],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    files = {line.split("::")[0] for line in collected.splitlines() if "::" in line}
    written = {str(path.relative_to(TESTS.parent)) for path in TESTS.rglob("*.py") if holds_tests(path)}
    assert written - files == set()
    assert "tests/test_collection.py" in files

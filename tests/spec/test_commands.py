"""`stagegate validate` and `stagegate new department`, as a person types them."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from conftest import problems

STAGEGATE = str(Path(sys.executable).with_name("stagegate"))
OPTIONS = [
    "--owner", "a.b@northwind.example", "--owner-name", 'Ann "B" \\ Ü', "--cost-centre", "CC-1",
    "--objective", "Settle: 100 % {fast}",
]  # fmt: skip


def stagegate(*arguments: str, stdin: int = subprocess.DEVNULL) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([STAGEGATE, *arguments], capture_output=True, text=True, stdin=stdin, timeout=60, check=False)


def everything(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_validate_is_silent_when_all_is_well(stacks: Path) -> None:
    result = stagegate("validate", "--stacks", str(stacks))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_validate_reports_with_place_and_exit_code_2(stacks: Path) -> None:
    file = stacks / "risk" / "models" / "card-fraud.yaml"
    file.write_text(file.read_text().replace("latency_p99_ms: 60", "latency_p99_ms: quick"))
    result = stagegate("validate", "--stacks", str(stacks))
    assert result.returncode == 2
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "quick" in text)
    assert result.stderr.startswith(f"{file}:{line}:3: slos.latency_p99_ms: ")
    assert "Traceback" not in result.stderr
    elsewhere = stagegate("validate", str(stacks / "marketing"), "--stacks", str(stacks))
    assert (elsewhere.returncode, elsewhere.stderr) == (0, "")
    there = stagegate("validate", str(stacks / "risk"), "--stacks", str(stacks))
    assert there.returncode == 2


def test_validate_of_what_is_not_there(tmp_path: Path) -> None:
    result = stagegate("validate", "--stacks", str(tmp_path / "none"))
    assert result.returncode == 2
    assert "there is no" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_new_department_is_valid(stacks: Path) -> None:
    result = stagegate("new", "department", "claims", "--stacks", str(stacks), *OPTIONS)
    assert result.returncode == 0, result.stderr
    assert problems(stacks) == []
    assert (stacks / "Pulumi.claims-prod.yaml").exists()


def test_a_department_that_exists_stays_as_it_is(stacks: Path) -> None:
    before = everything(stacks)
    result = stagegate("new", "department", "risk", "--stacks", str(stacks), *OPTIONS)
    assert result.returncode == 2
    assert "exists already" in result.stderr
    assert everything(stacks) == before


def test_bad_answers_leave_nothing_behind(stacks: Path) -> None:
    before = everything(stacks)
    for name, more, says in (
        ("Claims", [], "for example claims"),
        ("../claims", [], "for example claims"),
        ("platform", [], "can't be a department"),
        ("claims-dev", [], "can't be a department"),
        ("c" * 21, [], "at most 20 characters"),
        ("claims", ["--owner", "nobody"], "--owner"),
        ("claims", ["--classification", "hot"], "--classification"),
        ("claims", ["--monthly-eur", "-1"], "greater than 0"),
        ("claims", ["--cost-centre", "?"], "cost_centre"),
    ):
        result = stagegate("new", "department", name, "--stacks", str(stacks), *OPTIONS, *more)
        assert (result.returncode, everything(stacks)) == (2, before), result.stderr
        assert says in result.stderr
        assert "Traceback" not in result.stderr
    missing = stagegate("new", "department", "claims", "--stacks", str(stacks))
    assert missing.returncode == 2
    assert "--owner is missing" in missing.stderr


def test_a_terminal_is_asked(stacks: Path) -> None:
    """Questions are asked for what wasn't given; Return takes what is offered."""
    ours, theirs = pty.openpty()
    os.write(ours, b"Claims and Repairs\n\n\n\n")
    arguments = ["new", "department", "claims", "--stacks", str(stacks), *OPTIONS]
    result = stagegate(*arguments, stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert result.returncode == 0, result.stderr
    assert 'title: "Claims and Repairs"' in (stacks / "claims" / "department.yaml").read_text()


def test_help_is_quick_and_names_every_command() -> None:
    result = stagegate("--help")
    assert result.returncode == 0
    assert all(command in result.stdout for command in ("validate", "access", "up", "new", "sandbox"))
    probe = "import sys; import stagegate.cli; print('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout == "False\n"

"""Processes of a sandbox start once, survive nothing they shouldn't, and leave nothing behind."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox import engine, lifecycle
from sandbox.home import Home, SandboxError

STAND_IN = Path(__file__).with_name("stand_in.py")


@dataclass(frozen=True)
class StandIn(lifecycle.Service):
    behavior: str = "serves"

    def command(self, home: Home) -> list[str]:
        return [sys.executable, str(STAND_IN), str(home.path), self.behavior]


def port(home: Home) -> int | None:
    file = home.path / "stand-in.port"
    if not file.exists():
        return None
    pid, number = map(int, file.read_text().split())
    return number if pid == SERVES.pid(home) else None


SERVES = StandIn("one", "", port)
FAILS = StandIn("two", "", lambda home: None, "fails")


@pytest.fixture(autouse=True)
def found_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "ensure", lambda progress, not_in: tmp_path / "pulumi")


@pytest.fixture
def home(tmp_path: Path):
    home = Home(tmp_path / "home with 'quotes'")
    yield home
    lifecycle.down(home, (SERVES,))


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def up(home: Home, *services: lifecycle.Service) -> list[str]:
    return lifecycle.up(home, lambda message: None, services or (SERVES,))


def test_up_starts_once_and_down_stops(home: Home) -> None:
    assert up(home) == ["one"]
    pid = SERVES.pid(home)
    assert pid
    assert up(home) == []
    assert SERVES.pid(home) == pid
    assert SERVES.answers(home)
    assert lifecycle.down(home, (SERVES,)) == ["one"]
    assert not alive(pid)
    assert SERVES.pid(home) is None
    assert lifecycle.down(home, (SERVES,)) == []


def test_up_after_kill_starts_again(home: Home) -> None:
    up(home)
    first = SERVES.pid(home)
    assert first
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    assert SERVES.pid(home) is None
    assert up(home) == ["one"]
    assert SERVES.pid(home) not in (None, first)


def test_an_id_that_was_used_again_is_not_taken_for_the_process(home: Home) -> None:
    home.prepare()
    SERVES.lock(home).write_text(str(os.getpid()))  # as after a reboot: the id lives, but is another's
    assert SERVES.pid(home) is None
    assert lifecycle.down(home, (SERVES,)) == []
    assert up(home) == ["one"]


def test_two_side_by_side(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    up(home)
    up(other)
    try:
        assert SERVES.pid(home) != SERVES.pid(other)
        assert port(home) != port(other)
        lifecycle.down(home, (SERVES,))
        assert SERVES.answers(other)
    finally:
        lifecycle.down(other, (SERVES,))


def test_a_failed_start_says_why_and_leaves_what_ran_before(home: Home) -> None:
    up(home)
    pid = SERVES.pid(home)
    with pytest.raises(
        SandboxError, match=r"two stopped while starting[\s\S]*two\.log:\ncannot start: the disk is on fire"
    ):
        up(home, SERVES, FAILS)
    assert SERVES.pid(home) == pid


def test_a_failed_start_stops_what_it_started(home: Home) -> None:
    with pytest.raises(SandboxError):
        up(home, SERVES, FAILS)
    assert SERVES.pid(home) is None


def test_a_process_that_does_not_answer_in_time_is_stopped(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "READY_WITHIN", 0.5)
    silent = StandIn("one", "", port, "silent")
    with pytest.raises(SandboxError, match="does not answer"):
        up(home, silent)
    assert silent.pid(home) is None


def test_a_process_that_does_not_want_to_stop_is_killed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "STOPPED_WITHIN", 0.3)
    stubborn = StandIn("one", "", port, "stubborn")
    up(home, stubborn)
    pid = stubborn.pid(home)
    assert pid
    assert lifecycle.down(home, (stubborn,)) == ["one"]
    assert not alive(pid)


def test_status(home: Home) -> None:
    (before,) = lifecycle.status(home, (SERVES,))
    assert (before.pid, before.answers) == (None, False)
    up(home)
    (now,) = lifecycle.status(home, (SERVES,))
    assert (now.pid, now.answers) == (SERVES.pid(home), True)

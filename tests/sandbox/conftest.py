"""A sandbox for each test process, in a home of its own, started when a test first asks for it and always stopped."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import engine, lifecycle
from sandbox.environment import environment
from sandbox.home import REPOSITORY, Home

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def engine_path() -> Path:
    """The engine, made first if this machine has none."""
    return engine.ensure(print)


@pytest.fixture(scope="session")
def sandbox_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A running sandbox. Tests that share what they create in it say so by the same `xdist_group`."""
    home = Home(tmp_path_factory.mktemp("sandbox"))
    try:
        lifecycle.up(home, print)
        yield home
    finally:
        lifecycle.down(home)


@pytest.fixture(scope="session")
def sandbox_env(sandbox_home: Home) -> dict[str, str]:
    """The environment of programs in the sandbox; the operator of the dev account acts."""
    return environment(sandbox_home, REPOSITORY / "stacks")


@pytest.fixture(scope="session")
def pulumi(sandbox_home: Home, sandbox_env: dict[str, str]) -> Run:
    """Plain `pulumi` as in the shell of the sandbox: `pulumi("up", "--yes", "--stack", "risk-dev")`; raises if it fails."""

    def run(
        *arguments: str, check: bool = True, cwd: Path = REPOSITORY, **more: str
    ) -> "subprocess.CompletedProcess[str]":
        result = subprocess.run(
            ["pulumi", *arguments],
            cwd=cwd,
            env={**sandbox_env, **more},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert not check or result.returncode == 0, result.stdout + result.stderr
        return result

    return run


@pytest.fixture(scope="session")
def departments(sandbox_home: Home, pulumi: Run) -> Home:
    """A sandbox with risk-dev and marketing-dev up."""
    for stack in ("platform-dev", "risk-dev", "marketing-dev"):
        pulumi("up", "--yes", "--skip-preview", "--stack", stack)
    return sandbox_home


@pytest.fixture
def idle_home(tmp_path: Path, engine_path: Path) -> Home:
    """A sandbox whose files are there, but no process of which runs."""
    home = Home(tmp_path / "idle")
    home.prepare()
    home.remember(engine=str(engine_path))
    return home


@pytest.fixture
def project(tmp_path: Path, idle_home: Home) -> "Project":
    """A Pulumi project of its own that uses the sandbox's language host, and no cloud."""
    return Project(tmp_path / "project", idle_home)


class Project:
    def __init__(self, folder: Path, home: Home) -> None:
        self.folder = folder
        (folder / "program").mkdir(parents=True)
        self.variables = environment(home)
        self.write(
            "Pulumi.yaml",
            f"name: trial\nruntime: python\nmain: program\nplugins:\n  languages:\n    - {{name: python, path: '{home.bin}'}}\n",
        )

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env={**self.variables, "PULUMI_STACK": "trial"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, output)


def processes(text: str) -> list[int]:
    """Processes whose command line or environment has a text: those of one test, by its own directory."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


@pytest.fixture
def processes_with() -> Callable[[str], list[int]]:
    return processes

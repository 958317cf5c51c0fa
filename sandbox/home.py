"""Where one sandbox lives: a directory that holds all of its state, so that several can run side by side."""

import json
import os
import secrets
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]


class SandboxError(Exception):
    """Something that the sandbox can't do; the message is for the person who asked for it."""


@dataclass(frozen=True)
class Home:
    """The layout of a sandbox's directory. Nothing here starts or asks anything."""

    path: Path

    @classmethod
    def of(cls, chosen: Path | None = None) -> "Home":
        """The directory chosen, else STAGEGATE_SANDBOX, else `.sandbox` in the repository."""
        path = chosen or os.environ.get("STAGEGATE_SANDBOX") or REPOSITORY / ".sandbox"
        return cls(Path(path).expanduser().absolute())

    @property
    def bin(self) -> Path:
        return self.path / "bin"

    @property
    def project(self) -> Path:
        """The sandbox's own copies of the project and stack files."""
        return self.path / "project"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Locks of the processes that run."""
        return self.path / "run"

    @property
    def state(self) -> Path:
        """Pulumi's state: a file backend."""
        return self.path / "state"

    @property
    def aws(self) -> Path:
        return self.path / "aws"

    @property
    def passphrase(self) -> Path:
        return self.path / "passphrase"

    def settings(self) -> dict[str, Any]:
        """What the sandbox remembers: {} before its first start."""
        try:
            return dict(json.loads((self.path / "sandbox.json").read_text()))
        except FileNotFoundError:
            return {}

    def remember(self, **settings: Any) -> None:
        write(self.path / "sandbox.json", json.dumps(self.settings() | settings, indent=1) + "\n")

    def engine(self) -> Path | None:
        """The engine that the sandbox was last started with, if it is still there."""
        engine = self.settings().get("engine")
        return Path(engine) if engine and Path(engine).is_file() else None

    def prepare(self) -> None:
        """Make the directories, the launchers that engine and shell find on PATH, and the passphrase. Idempotent."""
        for directory in (self.bin, self.project, self.logs, self.run, self.state, self.aws):
            directory.mkdir(parents=True, exist_ok=True)
        write(self.path / ".gitignore", "*\n")
        if not self.passphrase.exists():
            write(self.passphrase, secrets.token_urlsafe(32), mode=0o600)
        # Python answers an interrupt with a traceback until it is told otherwise: none gets through before.
        # -P: the engine starts plugins in the program's directory, whose modules must not hide the standard library's.
        python = f"exec {shlex.quote(sys.executable)} -P -m"
        for name, module in {
            "pulumi": f"sandbox.project {shlex.quote(str(self.path))}",
            "pulumi-language-python": "sandbox.language",
            "pulumi-resource-aws": "sandbox.provider",
        }.items():
            write(self.bin / name, f'#!/bin/sh\ntrap "" INT\n{python} {module} "$@"\n', mode=0o755)


def write(path: Path, content: str, mode: int = 0o644) -> None:
    """Write a file in one step, and only if that changes it: others may be reading it, and may watch its time."""
    if path.exists() and path.read_text() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.touch(mode=mode)
    unfinished.chmod(mode)
    unfinished.write_text(content)
    unfinished.replace(path)

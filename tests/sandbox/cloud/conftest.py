"""The embedded AWS alone, without engine and provider."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox import actors
from sandbox.actors import Actor
from sandbox.home import Home

REGION = "eu-central-1"


@dataclass
class Server:
    """One process of `sandbox.cloud`; `kill` is as rude as it gets."""

    home: Home
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        ports = self.home.aws / "ports.json"
        before = ports.stat().st_mtime_ns if ports.exists() else 0
        self.process = subprocess.Popen([sys.executable, "-m", "sandbox.cloud", "--home", str(self.home.path)])
        for _ in range(300):
            if ports.exists() and ports.stat().st_mtime_ns != before:
                return
            assert self.process.poll() is None, "the server ended"
            time.sleep(0.1)
        raise AssertionError("the server doesn't answer")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=20)

    def root(self, account: str = "111111111111") -> Actor:
        return actors.operator(self.home, account, REGION)

    @property
    def ports(self) -> dict[str, int]:
        return dict(json.loads((self.home.aws / "ports.json").read_text()))


def started(folder: Path) -> Iterator[Server]:
    server = Server(Home(folder))
    try:
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from started(tmp_path_factory.mktemp("cloud"))


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    yield from started(tmp_path / "cloud")

"""Start and stop the processes of a sandbox.

A process holds a lock on `HOME/run/<name>` for as long as it lives, with its id as the file's content. The operating
system lets go of the lock however the process ends, so an id that was used again is never taken for it.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox import engine
from sandbox.environment import endpoint
from sandbox.home import Home, SandboxError

READY_WITHIN = 90.0
STOPPED_WITHIN = 20.0

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Service:
    """One process of a sandbox: how it is started, and where it answers once it is ready."""

    name: str
    module: str
    port: Callable[[Home], int | None]

    def command(self, home: Home) -> list[str]:
        return [sys.executable, "-P", "-m", self.module, "--home", str(home.path)]

    def lock(self, home: Home) -> Path:
        return home.run / self.name

    def log(self, home: Home) -> Path:
        return home.logs / f"{self.name}.log"

    def pid(self, home: Home) -> int | None:
        """The process's id, None if it doesn't run."""
        while True:
            try:
                with self.lock(home).open() as file:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except FileNotFoundError:
                return None
            except BlockingIOError:
                if written := self.lock(home).read_text().strip():
                    return int(written)
                time.sleep(0.01)  # it has the lock and is about to write its id
            else:
                return None

    def answers(self, home: Home) -> bool:
        port = self.port(home)
        if port is None:
            return False
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True


def _cloud_port(home: Home) -> int | None:
    """The HTTPS port, once the process that runs now has written it: the file outlives the process."""
    try:
        ports = json.loads((home.aws / "ports.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return int(ports["https"]) if ports["pid"] == CLOUD.pid(home) else None


CLOUD = Service("cloud", "sandbox.cloud", _cloud_port)
SERVICES: tuple[Service, ...] = (CLOUD,)


@dataclass(frozen=True)
class Status:
    name: str
    pid: int | None
    answers: bool
    endpoint: str | None
    log: Path


def up(home: Home, progress: Progress, services: tuple[Service, ...] = SERVICES) -> list[str]:
    """Start what doesn't run yet, and wait until all answer; the names of what was started.

    Raises SandboxError, and then leaves running only what ran before.
    """
    home.prepare()
    with _alone(home):
        try:
            found = engine.ensure(progress, not_in=home.bin)
        except engine.EngineError as problem:
            raise SandboxError(str(problem)) from None
        home.remember(engine=str(found))
        started: list[Service] = []
        try:
            for service in services:
                if service.pid(home) is None:
                    progress(f"starting {service.name}")
                    started.append(service)
                    _start(service, home)
                _await(service, home)
        except BaseException:
            for service in started:
                _stop(service, home)
            raise
        return [service.name for service in started]


def down(home: Home, services: tuple[Service, ...] = SERVICES) -> list[str]:
    """Stop all processes; the names of those that ran. What they keep stays."""
    if not home.path.exists():
        return []
    home.run.mkdir(exist_ok=True)
    with _alone(home):
        running = [service for service in reversed(services) if service.pid(home) is not None]
        for service in running:
            _stop(service, home)
        return [service.name for service in running]


def status(home: Home, services: tuple[Service, ...] = SERVICES) -> list[Status]:
    return [
        Status(service.name, service.pid(home), service.answers(home), endpoint(home), service.log(home))
        for service in services
    ]


def _start(service: Service, home: Home) -> None:
    # The shell takes the lock over from this process, writes its id and becomes the service: no moment in between in
    # which a process runs that the file doesn't name.
    becoming = ["/bin/sh", "-c", 'echo $$ >"$0"; exec "$@"', str(service.lock(home)), *service.command(home)]
    log = service.log(home)
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    with service.lock(home).open("a") as lock, log.open("w") as output:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        subprocess.Popen(
            becoming,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lock.fileno()],
            start_new_session=True,
            cwd=home.path,
            env={name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))}
            | {"PYTHONUNBUFFERED": "1"},
        )


def _await(service: Service, home: Home) -> None:
    patience = time.monotonic() + READY_WITHIN
    while not service.answers(home):
        if service.pid(home) is None:
            raise SandboxError(f"{service.name} stopped while starting\n{_last_words(service, home)}")
        if time.monotonic() > patience:
            raise SandboxError(
                f"{service.name} does not answer after {READY_WITHIN:.0f} s\n{_last_words(service, home)}"
            )
        time.sleep(0.05)


def _stop(service: Service, home: Home) -> None:
    for number, patience in ((signal.SIGTERM, STOPPED_WITHIN), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience
        pid = service.pid(home)
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(pid, number)
        while service.pid(home) is not None and time.monotonic() < deadline:
            time.sleep(0.02)
    if service.pid(home) is not None:
        raise SandboxError(f"{service.name} (process {service.pid(home)}) can't be stopped")


def _last_words(service: Service, home: Home) -> str:
    log = service.log(home)
    lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
    return "\n".join(["the end of " + str(log) + ":", *lines])


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """One start or stop at a time."""
    with (home.run / "lifecycle.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

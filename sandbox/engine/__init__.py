"""The Pulumi engine: found on PATH, else installed by the official installer, else built from its published Go modules.

Whatever is installed or built lands in the user's cache, once, and serves every sandbox.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from semver import VersionInfo

from sandbox.engine import build

# The version that the sandbox is tested with: the least that is taken from PATH, and the one that is installed or built.
VERSION = VersionInfo.parse("3.258.0")
INSTALLER = "https://get.pulumi.com/install.sh"
INSTALLER_ANSWERS_WITHIN = 5.0
INSTALLER_ENDS_WITHIN = 600.0

Progress = Callable[[str], None]


class EngineError(Exception):
    """The engine can neither be found nor made; the message says what was tried."""


def cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Where installed and built things are kept: STAGEGATE_CACHE, else ~/.cache/stagegate (XDG_CACHE_HOME is honored)."""
    if own := environ.get("STAGEGATE_CACHE"):
        return Path(own).expanduser().resolve()
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stagegate"


def ensure(progress: Progress, cache: Path | None = None, not_in: Path | None = None) -> Path:
    """The engine's executable, installed or built first if need be.

    Processes that ask at the same time wait for the one that works. `not_in` is a directory of PATH to pass over: the
    sandbox's own launchers are there. Raises EngineError.
    """
    cache = cache or cache_dir()
    if found := on_path(not_in) or in_cache(cache):
        return found
    with _lock(cache / "engine" / "lock", progress):
        return in_cache(cache) or _install(cache, progress) or _build(cache, progress)


def on_path(not_in: Path | None = None) -> Path | None:
    """The first `pulumi` on PATH, if it is new enough."""
    directories = [d for d in os.get_exec_path() if not_in is None or Path(d).resolve() != not_in.resolve()]
    found = shutil.which("pulumi", path=os.pathsep.join(directories))
    return Path(found) if found and is_new_enough(Path(found)) else None


def in_cache(cache: Path) -> Path | None:
    """The engine that was installed or built earlier."""
    executable = _home(cache) / "bin" / "pulumi"
    return executable if executable.is_file() else None


def is_new_enough(executable: Path) -> bool:
    """Whether this program says that it is the tested version or a later one of the same major version."""
    try:
        answer = subprocess.run(
            [executable, "version"],
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = re.search(r"(\d+\.\d+\.\d+)", answer)
    if not found:
        return False
    version = VersionInfo.parse(found[1])
    return bool(version.major == VERSION.major and version >= VERSION)


def _home(cache: Path) -> Path:
    return cache / "engine" / str(VERSION)


def _install(cache: Path, progress: Progress) -> Path | None:
    """By the official installer; None where it can't be reached or doesn't end well."""
    if not _answers(INSTALLER):
        return None
    progress(f"installing Pulumi {VERSION}")
    with _becoming(_home(cache)) as unfinished:
        # A process of its own: the SDK's installer has no time limit.
        code = "import sys; from pulumi.automation import *; from semver import VersionInfo; "
        code += "PulumiCommand.install(sys.argv[1], VersionInfo.parse(sys.argv[2]))"
        try:
            subprocess.run(
                [sys.executable, "-c", code, unfinished, str(VERSION)],
                check=True,
                capture_output=True,
                timeout=INSTALLER_ENDS_WITHIN,
            )
        except subprocess.SubprocessError:
            return None
    return in_cache(cache)


def _answers(url: str) -> bool:
    """Whether the host can be reached, known within seconds even where packets and name look-ups vanish."""
    answered = threading.Event()

    def ask() -> None:
        try:
            with urllib.request.urlopen(url, timeout=INSTALLER_ANSWERS_WITHIN):  # noqa: S310 (https, a constant)
                answered.set()
        except (OSError, ValueError):
            pass
        finally:
            asked.set()

    asked = threading.Event()
    threading.Thread(target=ask, daemon=True).start()
    asked.wait(INSTALLER_ANSWERS_WITHIN)
    return answered.is_set()


def _build(cache: Path, progress: Progress) -> Path:
    try:
        go = build.toolchain(cache, progress)
        with _becoming(_home(cache)) as unfinished:
            build.build(go, unfinished / "bin" / "pulumi", str(VERSION), progress)
        if (built := in_cache(cache)) is None:
            raise build.BuildError(f"what was built does not say that it is {VERSION}")
        return built
    except (OSError, build.BuildError) as problem:
        raise EngineError(
            f"no Pulumi engine: `pulumi` {VERSION} or later is not on PATH, the official installer could not be used, "
            f"and building it failed: {problem}"
        ) from problem


@contextmanager
def _becoming(final: Path) -> Iterator[Path]:
    """A directory to fill that becomes `final` in one step if an executable engine came to be in it, else goes away."""
    for left in final.parent.glob(".unfinished-*"):
        shutil.rmtree(left, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=final.parent))
    unfinished.chmod(0o755)
    (unfinished / "bin").mkdir()
    try:
        yield unfinished
        if is_new_enough(unfinished / "bin" / "pulumi"):
            unfinished.rename(final)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def _lock(path: Path, progress: Progress) -> Iterator[None]:
    """Held by one process at a time, and let go by the operating system however that process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another process that is making the engine")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield

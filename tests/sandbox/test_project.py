"""Plain `pulumi` works on the sandbox's own copies: the repository is only read."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from sandbox import project as own
from sandbox import recovery
from sandbox.environment import environment
from sandbox.home import REPOSITORY, Home, SandboxError
from sandbox.project import Command

pytestmark = pytest.mark.xdist_group("engine")

ACCOUNT = "environments:\n  dev: {account: '111111111111', region: eu-central-1}\n"


@pytest.fixture(autouse=True)
def repository_is_only_read() -> Iterator[None]:
    def files() -> dict[Path, int]:
        found = [REPOSITORY / "Pulumi.yaml", *(REPOSITORY / "stacks").rglob("*"), *REPOSITORY.glob("Pulumi.*.yaml")]
        return {path: path.stat().st_mtime_ns for path in found}

    before = files()
    yield
    assert files() == before


@pytest.fixture
def plain(idle_home: Home) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Plain `pulumi` in the repository, on a sandbox whose cloud does not run."""
    variables = environment(idle_home)

    def run(*arguments: str, cwd: Path = REPOSITORY, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["pulumi", *arguments], cwd=cwd, env=variables | more, capture_output=True, text=True, check=False
        )

    return run


@pytest.mark.parametrize(
    ("line", "stack"),
    [
        ("up --stack risk-dev", "risk-dev"),
        ("up -s risk-dev --yes", "risk-dev"),
        ("up -srisk-dev", "risk-dev"),
        ("--stack=risk-dev preview", "risk-dev"),
        ("up --stack organization/stagegate/risk-dev", "risk-dev"),
        ("stack select risk-dev", "risk-dev"),
        ("stack output", None),
        ("import --generate-code=false type name id", None),
        ("config set key -- -s", None),
    ],
)
def test_the_stack_of_a_command(line: str, stack: str | None) -> None:
    assert Command(tuple(line.split())).stack == stack


def test_relative_paths_are_those_of_the_person() -> None:
    line = "preview --policy-pack policies --policy-pack=../pack --save-plan plan.json -s dev --config a=b"
    assert Command(tuple(line.split())).with_absolute_paths(Path("/here")) == (
        "preview",
        "--policy-pack",
        "/here/policies",
        "--policy-pack=/here/../pack",
        "--save-plan",
        "/here/plan.json",
        "-s",
        "dev",
        "--config",
        "a=b",
    )


def test_only_commands_about_this_repository_are_led_to_the_copies(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    assert own.concerns_repository(Command(("up",)), REPOSITORY)
    assert own.concerns_repository(Command(("up",)), REPOSITORY / "infra")
    assert not own.concerns_repository(Command(("up",)), tmp_path)
    assert not own.concerns_repository(Command(("-C", str(tmp_path), "up")), REPOSITORY)


def test_copies_follow_the_repository_and_keep_what_is_theirs(idle_home: Home, tmp_path: Path) -> None:
    stacks = tmp_path / "stacks"
    stacks.mkdir()

    def declare(**settings: object) -> None:
        (stacks / "Pulumi.risk-dev.yaml").write_text(yaml.safe_dump(settings))
        own.copy_files(idle_home, stacks)

    def copy() -> dict[str, object]:
        return dict(yaml.safe_load(copied.read_text()))

    copied = idle_home.project / "Pulumi.risk-dev.yaml"
    declare(
        secretsprovider="awskms://alias/x",
        encryptedkey="abc",
        config={"stagegate:a": "1", "stagegate:b": "1", "stagegate:secret": {"secure": "v1:x"}},
    )
    everywhere = {"stagegate:stacks": str(stacks)}
    assert copy() == {"config": {"stagegate:a": "1", "stagegate:b": "1"} | everywhere}
    copied.write_text(
        yaml.safe_dump(
            {"encryptionsalt": "v1:y", "config": {"stagegate:a": "mine", "stagegate:b": "1", "stagegate:c": "2"}}
        )
    )
    declare(config={"stagegate:a": "1", "stagegate:b": "1"})
    assert copy() == {
        "encryptionsalt": "v1:y",
        "config": {"stagegate:a": "mine", "stagegate:b": "1", "stagegate:c": "2"},
    }
    declare(config={"stagegate:a": "3"})
    assert copy() == {"encryptionsalt": "v1:y", "config": {"stagegate:a": "3", "stagegate:c": "2"}}


def test_declared_stacks_are_there_when_they_are_named(plain) -> None:
    assert "risk-dev" not in plain("stack", "ls").stdout
    assert plain("stack", "output", "--stack", "risk-dev").returncode == 0
    assert plain("stack", "select", "platform-dev").returncode == 0
    assert {row["name"] for row in json.loads(plain("stack", "ls", "--json").stdout)} == {"risk-dev", "platform-dev"}
    assert plain("stack", "--show-name").stdout.strip() == "platform-dev"
    assert plain("stack", "output", cwd=REPOSITORY / "infra").returncode == 0


def test_a_stack_that_is_not_declared_is_refused_by_name(plain) -> None:
    refused = plain("preview", "--stack", "rsik-dev")
    assert refused.returncode == 2
    assert "'rsik-dev'" in refused.stderr
    assert "risk-dev" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_configuration_and_secrets_stay_in_the_sandbox(plain, idle_home: Home) -> None:
    assert plain("config", "set", "--secret", "token", "hush", "--stack", "risk-dev").returncode == 0
    assert plain("config", "get", "token", "--stack", "risk-dev").stdout.strip() == "hush"
    assert "hush" not in (idle_home.project / "Pulumi.risk-dev.yaml").read_text()


def test_exports_land_where_the_person_is(plain, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").unlink(missing_ok=True)
    assert plain("stack", "export", "--stack", "risk-dev", "--file", "state.json", cwd=tmp_path).returncode == 0
    assert (tmp_path / "state.json").is_file()


def test_a_sandbox_that_was_never_started_says_what_to_do(tmp_path: Path) -> None:
    home = Home(tmp_path / "new")
    home.prepare()
    result = subprocess.run([home.bin / "pulumi", "stack", "ls"], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (2, "error: the sandbox has no engine: run `stagegate sandbox up`\n")


def test_locks_of_the_dead_are_released_and_those_of_the_living_stay(tmp_path: Path) -> None:
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "stagegate" / "risk-dev"
    folder.mkdir(parents=True)
    pulumi = tmp_path / "pulumi"
    pulumi.write_bytes(Path("/bin/sleep").read_bytes())
    pulumi.chmod(0o755)
    living = subprocess.Popen([pulumi, "60"])
    try:
        for _ in range(100):
            if recovery.is_pulumi(living.pid):
                break
            time.sleep(0.05)
        for name, pid, host in (
            ("dead", 2**22 + 1, socket.gethostname()),
            ("used-again", os.getpid(), socket.gethostname()),
            ("living", living.pid, socket.gethostname()),
            ("elsewhere", 2**22 + 1, "another.example"),
        ):
            (folder / f"{name}.json").write_text(json.dumps({"pid": pid, "hostname": host}))
        recovery.release_lock(tmp_path, "risk-dev")
        assert {file.stem for file in folder.iterdir()} == {"living", "elsewhere"}
    finally:
        living.kill()
        living.wait()


def test_an_update_that_was_killed_does_not_stand_in_the_way(
    plain, idle_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock and a pending creation, as `kill -9` leaves them."""
    assert plain("stack", "output", "--stack", "risk-dev").returncode == 0
    exported = json.loads(plain("stack", "export", "--stack", "risk-dev").stdout)
    urn = "urn:pulumi:risk-dev::stagegate::aws:s3/bucket:Bucket::raw"
    pending = {"type": "creating", "resource": {"urn": urn, "type": "aws:s3/bucket:Bucket", "custom": True}}
    state = idle_home.path / "export.json"
    state.write_text(json.dumps(exported))
    assert plain("stack", "import", "--stack", "risk-dev", "--file", str(state)).returncode == 0
    # An import drops what is pending, so it goes into the state itself; its description is cut off, too.
    checkpoint = own.checkpoint(idle_home, "risk-dev")
    content = json.loads(checkpoint.read_text())
    content["checkpoint"]["latest"]["pending_operations"] = [pending]
    checkpoint.write_text(json.dumps(content))
    checkpoint.with_name(f"{checkpoint.name}.attrs").write_text("")
    locks = idle_home.state / ".pulumi" / "locks" / "organization" / "stagegate" / "risk-dev"
    locks.mkdir(parents=True, exist_ok=True)
    lock = {"pid": 2**22 + 1, "hostname": socket.gethostname(), "username": "x", "timestamp": "2026-01-01T00:00:00Z"}
    (locks / "dead.json").write_text(json.dumps(lock))
    refused = plain("destroy", "--stack", "risk-dev", "--yes")
    assert refused.returncode == 2
    assert urn in refused.stderr
    refreshed = plain("refresh", "--stack", "risk-dev", "--yes", "--non-interactive")
    assert refreshed.returncode == 0, refreshed.stdout + refreshed.stderr
    assert "pending" not in refreshed.stdout
    assert recovery.pending_creations(own.checkpoint(idle_home, "risk-dev")) == []
    assert plain("destroy", "--stack", "risk-dev", "--yes").returncode == 0


def test_the_environment_leads_nowhere_else(idle_home: Home) -> None:
    base = {
        "PATH": "/usr/bin",
        "HOME": "/home/someone",
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "x",
        "AWS_ENDPOINT_URL_S3": "https://elsewhere.example",
        "PULUMI_ACCESS_TOKEN": "x",
        "PULUMI_STACK": "other",
        "NO_PROXY": "intranet.example",
    }
    variables = environment(idle_home, base=base)
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "PULUMI_ACCESS_TOKEN", "PULUMI_STACK"} & set(
        variables
    )
    assert variables["PATH"].split(":") == [str(idle_home.bin), str(Path(sys.executable).parent), "/usr/bin"]
    assert variables["AWS_ACCESS_KEY_ID"] == "AKIASGOP111111111111"
    assert variables["AWS_REGION"] == "eu-central-1"
    assert variables["NO_PROXY"] == "intranet.example,127.0.0.1,localhost"
    assert variables["HOME"] == "/home/someone"


def test_declarations_without_an_account_are_refused(idle_home: Home, tmp_path: Path) -> None:
    (tmp_path / "organization.yaml").write_text("environments: {}\n")
    with pytest.raises(SandboxError, match=r"organization\.yaml can't be used"):
        environment(idle_home, tmp_path)


def test_an_interrupt_while_preparing_is_quiet(idle_home: Home) -> None:
    process = subprocess.Popen(
        [idle_home.bin / "pulumi", "stack", "ls"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert "Traceback" not in process.communicate()[1]

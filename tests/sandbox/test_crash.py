"""An update that is killed, and run again, ends where an undisturbed one would: nothing lost, nothing twice, nothing left over."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import actors, lifecycle
from sandbox.environment import environment
from sandbox.home import REPOSITORY, Home

ACCOUNT, REGION = "111111111111", "eu-central-1"
# Seconds after which the whole process group is killed, one after the other; the last runs to its end.
KILLS = (2.0, 3.0, 4.0, 5.0, 6.5, 8.0)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    place = Home(tmp_path / "sandbox")
    try:
        lifecycle.up(place, print)
        yield place
    finally:
        lifecycle.down(place)


def start(home: Home, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["pulumi", *arguments],
        cwd=REPOSITORY,
        env=environment(home, REPOSITORY / "stacks"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def run(home: Home, *arguments: str) -> str:
    process = start(home, *arguments)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


def census(home: Home) -> dict[str, int]:
    """How much there is in the cloud of what has no name of its own, and could so be there twice."""
    root = actors.operator(home, ACCOUNT, REGION)
    ec2, kms = root.client("ec2"), root.client("kms")
    keys = [key["KeyId"] for page in kms.get_paginator("list_keys").paginate() for key in page["Keys"]]
    states = [kms.describe_key(KeyId=key)["KeyMetadata"] for key in keys]
    return {
        "vpcs": len(ec2.describe_vpcs()["Vpcs"]),
        "subnets": len(ec2.describe_subnets()["Subnets"]),
        "route tables": len(ec2.describe_route_tables()["RouteTables"]),
        "endpoints": len(ec2.describe_vpc_endpoints()["VpcEndpoints"]),
        "groups": len(ec2.describe_security_groups()["SecurityGroups"]),
        "rules": len(ec2.describe_security_group_rules()["SecurityGroupRules"]),
        "flow logs": len(ec2.describe_flow_logs()["FlowLogs"]),
        "templates": len(ec2.describe_launch_templates()["LaunchTemplates"]),
        "keys": len([key for key in states if key["KeyState"] == "Enabled" and key.get("KeyManager") != "AWS"]),
        "buckets": len(root.client("s3").list_buckets()["Buckets"]),
        "roles": len(root.client("iam").list_roles()["Roles"]),
        "subscriptions": len(root.client("sns").list_subscriptions()["Subscriptions"]),
        "alarms": len(root.client("cloudwatch").describe_alarms()["MetricAlarms"]),
    }


def described(home: Home, stack: str) -> set[tuple[str, str]]:
    """Type and name of everything in the state."""
    deployment = json.loads(run(home, "stack", "export", "--stack", stack))["deployment"]
    assert not deployment.get("pending_operations")
    return {(r["type"], r["urn"].rsplit("::", 1)[1]) for r in deployment["resources"]}


@pytest.mark.timeout(1500)
def test_killed_updates_end_like_undisturbed_ones(home: Home, tmp_path: Path) -> None:
    killed = 0
    for stack in ("platform-dev", "risk-dev"):
        for seconds in KILLS:
            process = start(home, "up", "--yes", "--skip-preview", "--stack", stack)
            time.sleep(seconds)
            if process.poll() is None:
                killed += 1
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)
        run(home, "up", "--yes", "--skip-preview", "--stack", stack)
    assert killed >= len(KILLS), "the kills have to hit updates that run"

    undisturbed = Home(tmp_path / "undisturbed")
    try:
        lifecycle.up(undisturbed, print)
        for stack in ("platform-dev", "risk-dev"):
            run(undisturbed, "up", "--yes", "--skip-preview", "--stack", stack)
        assert census(home) == census(undisturbed)
        for stack in ("platform-dev", "risk-dev"):
            assert described(home, stack) == described(undisturbed, stack)
    finally:
        lifecycle.down(undisturbed)

    for stack in ("platform-dev", "risk-dev"):
        shown = json.loads(run(home, "preview", "--json", "--refresh", "--stack", stack))
        assert set(shown["changeSummary"]) == {"same"}


@pytest.mark.timeout(600)
def test_a_cloud_that_is_killed_comes_back_as_it_was(home: Home, killed: Callable[[Home], None]) -> None:
    """What was up is up again after kill -9 of the embedded AWS, objects and sessions included."""
    run(home, "up", "--yes", "--skip-preview", "--stack", "platform-dev")
    s3 = actors.operator(home, ACCOUNT, REGION).client("s3")
    s3.create_bucket(Bucket="anybodys", CreateBucketConfiguration={"LocationConstraint": REGION})
    first = s3.put_object(Bucket="anybodys", Key="ä b/c", Body=b"kept")
    before = census(home)
    killed(home)
    lifecycle.up(home, print)
    assert census(home) == before
    s3 = actors.operator(home, ACCOUNT, REGION).client("s3")
    again = s3.get_object(Bucket="anybodys", Key="ä b/c")
    assert (again["Body"].read(), again["ETag"]) == (b"kept", first["ETag"])
    assert "unchanged" in run(home, "up", "--yes", "--skip-preview", "--refresh", "--stack", "platform-dev")


@pytest.fixture
def killed() -> Callable[[Home], None]:
    def kill(home: Home) -> None:
        pid: Any = json.loads((home.aws / "ports.json").read_text())["pid"]
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)

    return kill

"""A change of the declarations changes what it says and nothing else; dev can be destroyed whole, prod can't."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import actors, lifecycle
from sandbox.environment import environment
from sandbox.home import REPOSITORY, Home

REGION = "eu-central-1"


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("declared") / "stacks"
    shutil.copytree(REPOSITORY / "stacks", folder)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, stacks: Path) -> Iterator[Home]:
    place = Home(tmp_path_factory.mktemp("sandbox"))
    try:
        lifecycle.up(place, print)
        yield place
    finally:
        lifecycle.down(place)


def pulumi(home: Home, stacks: Path, *arguments: str, ok: bool = True) -> str:
    result = subprocess.run(
        ["pulumi", *arguments],
        cwd=REPOSITORY,
        env=environment(home, stacks, os.environ),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    output = result.stdout + result.stderr
    assert (result.returncode == 0) == ok, output
    return result.stdout if ok else output


def up(home: Home, stacks: Path, stack: str) -> None:
    pulumi(home, stacks, "up", "--yes", "--skip-preview", "--stack", stack)


@pytest.mark.xdist_group("change")
@pytest.mark.timeout(900)
def test_a_changed_retention_changes_one_lifecycle_and_dev_is_destroyed_whole(home: Home, stacks: Path) -> None:
    up(home, stacks, "platform-dev")
    up(home, stacks, "supply-chain-dev")
    declaration = stacks / "supply-chain" / "department.yaml"
    declaration.write_text(declaration.read_text().replace("retention_days: 1825", "retention_days: 900", 1))
    shown = json.loads(pulumi(home, stacks, "preview", "--json", "--stack", "supply-chain-dev"))
    changed = {
        step["urn"].rsplit("::", 1)[1]: step["op"] for step in shown["steps"] if step["op"] not in ("same", "read")
    }
    # The features are kept as long as the data that they are computed from.
    assert changed == {"supply-chain-dev-raw": "update", "supply-chain-dev-features": "update"}
    up(home, stacks, "supply-chain-dev")
    root = actors.operator(home, "111111111111", REGION)
    rules = root.client("s3").get_bucket_lifecycle_configuration(Bucket="northwind-supply-chain-dev-raw")["Rules"]
    assert {rule["ID"]: rule.get("Expiration", {}).get("Days") for rule in rules}["repair_orders"] == 900

    pulumi(home, stacks, "destroy", "--yes", "--skip-preview", "--stack", "supply-chain-dev")
    assert [
        bucket["Name"] for bucket in root.client("s3").list_buckets()["Buckets"] if "supply" in bucket["Name"]
    ] == []
    assert [role for role in root.client("iam").list_roles()["Roles"] if "supply" in role["RoleName"]] == []
    pulumi(home, stacks, "destroy", "--yes", "--skip-preview", "--stack", "platform-dev")
    assert root.client("s3").list_buckets()["Buckets"] == []
    assert root.client("eks").list_clusters()["clusters"] == []


@pytest.mark.xdist_group("change")
@pytest.mark.timeout(900)
def test_production_keeps_its_data(home: Home, stacks: Path) -> None:
    """Destroying is refused by protection; even unprotected, the online table refuses and a bucket with data stays."""
    up(home, stacks, "platform-prod")
    up(home, stacks, "supply-chain-prod")
    output = pulumi(home, stacks, "destroy", "--yes", "--skip-preview", "--stack", "supply-chain-prod", ok=False)
    assert "protect" in output
    root = actors.operator(home, "333333333333", REGION)
    assert len([b for b in root.client("s3").list_buckets()["Buckets"] if "supply" in b["Name"]]) == 5
    table = root.client("dynamodb").describe_table(TableName="supply-chain-prod-part_demand")["Table"]
    assert table["DeletionProtectionEnabled"] is True
    lock = root.client("s3").get_object_lock_configuration(Bucket="northwind-platform-prod-audit")
    assert lock["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Mode"] == "COMPLIANCE"


@pytest.mark.xdist_group("change")
def test_a_department_without_its_platform_says_so(home: Home, stacks: Path) -> None:
    output = pulumi(home, stacks, "up", "--yes", "--skip-preview", "--stack", "risk-staging", ok=False)
    assert "platform-staging" in output
    assert "Traceback" not in output

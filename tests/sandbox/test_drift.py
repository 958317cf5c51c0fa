"""What somebody changes behind Pulumi's back is shown by refresh and repaired by the next up."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.naming import Names
from infra.spec import load
from infra.spec.types import Workload, Zone
from sandbox import actors
from sandbox.actors import Actor
from sandbox.home import REPOSITORY, Home

pytestmark = pytest.mark.xdist_group("departments")

NAMES = Names.of(load(REPOSITORY / "stacks").stack("risk-dev"))
RAW = NAMES.bucket(Zone.RAW)
ROLE = NAMES.role(Workload.TRAINING)
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def bucket_policy(root: Actor) -> str:
    try:
        return str(root.client("s3").get_bucket_policy(Bucket=RAW)["Policy"])
    except ClientError:
        return ""


def bucket_encryption(root: Actor) -> str:
    rule = root.client("s3").get_bucket_encryption(Bucket=RAW)["ServerSideEncryptionConfiguration"]["Rules"][0]
    return str(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])


def granted(root: Actor) -> Any:
    return root.client("iam").get_role_policy(RoleName=ROLE, PolicyName="granted")["PolicyDocument"]


def inline(root: Actor) -> Any:
    return root.client("iam").list_role_policies(RoleName=ROLE)["PolicyNames"]


def attached(root: Actor) -> Any:
    return root.client("iam").list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]


def trust(root: Actor) -> Any:
    return root.client("iam").get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]


def bucket_tags(root: Actor) -> dict[str, str]:
    tags = root.client("s3").get_bucket_tagging(Bucket=RAW)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in tags}


def strip_tag(root: Actor) -> None:
    left = [{"Key": key, "Value": value} for key, value in bucket_tags(root).items() if key != "classification"]
    root.client("s3").put_bucket_tagging(Bucket=RAW, Tagging={"TagSet": left})


def weaken_encryption(root: Actor) -> None:
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    root.client("s3").put_bucket_encryption(Bucket=RAW, ServerSideEncryptionConfiguration={"Rules": rules})


def put_role_policy(name: str) -> Callable[[Actor], None]:
    def change(root: Actor) -> None:
        iam = root.client("iam")
        iam.put_role_policy(RoleName=ROLE, PolicyName=name, PolicyDocument=json.dumps(EVERYTHING))

    return change


def attach(root: Actor) -> None:
    root.client("iam").attach_role_policy(RoleName=ROLE, PolicyArn=ADMINISTRATOR)


def open_trust(root: Actor) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    root.client("iam").update_assume_role_policy(RoleName=ROLE, PolicyDocument=document)


def remove_policy(root: Actor) -> None:
    root.client("s3").delete_bucket_policy(Bucket=RAW)


CHANGES: dict[str, tuple[Callable[[Actor], None], Callable[[Actor], Any], str]] = {
    "a bucket policy removed": (remove_policy, bucket_policy, "BucketPolicy"),
    "encryption changed": (weaken_encryption, bucket_encryption, "BucketServerSideEncryptionConfiguration"),
    "a role's policy widened": (put_role_policy("granted"), granted, "RolePolicy"),
    "a role given another policy": (put_role_policy("more"), inline, "RolePoliciesExclusive"),
    "a role made administrator": (attach, attached, "RolePolicyAttachmentsExclusive"),
    "a role's trust opened": (open_trust, trust, "Role"),
    "a tag stripped": (strip_tag, bucket_tags, "Bucket"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_behind_the_back_is_shown_and_repaired(
    departments: Home, pulumi: Callable[..., Any], what: str
) -> None:
    change, look, kind = CHANGES[what]
    root = actors.operator(departments, NAMES.account, NAMES.region)
    before = look(root)
    change(root)
    assert look(root) != before
    shown = json.loads(pulumi("refresh", "--preview-only", "--json", "--stack", "risk-dev").stdout)
    drifted = [
        step["urn"].split("::")[2].rsplit(":", 1)[1] for step in shown["steps"] if step["op"] in ("update", "delete")
    ]
    assert drifted == [kind]
    pulumi("up", "--refresh", "--yes", "--skip-preview", "--stack", "risk-dev")
    assert look(root) == before


def test_nothing_drifts_by_itself(departments: Home, pulumi: Callable[..., Any]) -> None:
    """After an update, the cloud has what the state says, of both the platform and a department."""
    for stack in ("platform-dev", "risk-dev"):
        shown = json.loads(pulumi("refresh", "--preview-only", "--json", "--stack", stack).stdout)
        assert [step for step in shown["steps"] if step["op"] not in ("same", "refresh", "read")] == []

"""What is really there once a department is up: seen from the machine with testinfra, and from the cloud with boto3."""

import json

import pytest
import testinfra

from infra.naming import Names
from infra.spec import load
from infra.spec.types import Persona, Workload, Zone
from sandbox import actors
from sandbox.home import REPOSITORY, Home

pytestmark = pytest.mark.xdist_group("departments")

STACK = load(REPOSITORY / "stacks").stack("risk-dev")
NAMES = Names.of(STACK)
machine = testinfra.get_host("local://")


@pytest.fixture(scope="module")
def root(departments: Home) -> actors.Actor:
    return actors.operator(departments, NAMES.account, NAMES.region)


def test_the_sandbox_listens_on_loopback_alone(departments: Home) -> None:
    ports = json.loads((departments.aws / "ports.json").read_text())
    for port in (ports["https"], ports["http"]):
        assert machine.socket(f"tcp://127.0.0.1:{port}").is_listening
        assert not machine.socket(f"tcp://0.0.0.0:{port}").is_listening


def test_secrets_of_the_sandbox_are_its_owners_alone(departments: Home) -> None:
    for secret in (departments.aws / "operator-secret", departments.aws / "server.key", departments.passphrase):
        assert machine.file(str(secret)).mode == 0o600, secret


def test_no_secret_stands_in_state_or_logs(departments: Home) -> None:
    secret = (departments.aws / "operator-secret").read_text()
    for folder in (departments.state, departments.logs, departments.aws):
        found = machine.run("grep -rlF -- %s %s", secret, str(folder)).stdout.split()
        assert [path for path in found if not path.endswith("operator-secret")] == []


def test_every_zone_is_closed_encrypted_versioned_logged_and_emptied(root: actors.Actor) -> None:
    s3 = root.client("s3")
    key = root.client("kms").describe_key(KeyId=NAMES.key_alias)["KeyMetadata"]["Arn"]
    for zone in Zone:
        bucket = NAMES.bucket(zone)
        assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
        rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
        assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        assert rule["BucketKeyEnabled"] is True
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        target = s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetBucket"]
        assert target == "northwind-platform-dev-access-logs"
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert "housekeeping" in {rule["ID"] for rule in rules}
    raw = s3.get_bucket_lifecycle_configuration(Bucket=NAMES.bucket(Zone.RAW))["Rules"]
    assert {rule["ID"]: rule.get("Expiration", {}).get("Days") for rule in raw}["card_transactions"] == 400


def test_every_role_has_the_boundary_and_one_policy(root: actors.Actor) -> None:
    iam = root.client("iam")
    for who in (*Persona, *Workload):
        role = iam.get_role(RoleName=NAMES.role(who))["Role"]
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == NAMES.boundary_arn
        assert iam.list_role_policies(RoleName=NAMES.role(who))["PolicyNames"] == ["granted"]
        assert iam.list_attached_role_policies(RoleName=NAMES.role(who))["AttachedPolicies"] == []


def test_the_key_turns_and_nobody_uses_it_but_through_a_service(root: actors.Actor) -> None:
    kms = root.client("kms")
    key = kms.describe_key(KeyId=NAMES.key_alias)["KeyMetadata"]["KeyId"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    uses = [statement for statement in policy["Statement"] if "kms:Decrypt" in statement["Action"]]
    assert uses
    assert all("Condition" in statement for statement in uses)


def test_models_have_registries_and_features_have_tables(root: actors.Actor) -> None:
    for model in STACK.models.values():
        found = root.client("ecr").describe_repositories(repositoryNames=[NAMES.repository(model)])["repositories"][0]
        assert found["imageTagMutability"] == "IMMUTABLE"
        assert found["imageScanningConfiguration"]["scanOnPush"] is True
        assert found["encryptionConfiguration"]["encryptionType"] == "KMS"
        root.client("sagemaker").describe_model_package_group(ModelPackageGroupName=NAMES.package_group(model))
    assert STACK.department is not None
    for features in STACK.department.features.values():
        table = root.client("dynamodb").describe_table(TableName=NAMES.online_table(features.name))["Table"]
        assert table["SSEDescription"]["Status"] == "ENABLED"
        offline = root.client("glue").get_table(DatabaseName=NAMES.catalog_database, Name=features.name)["Table"]
        assert [column["Name"] for column in offline["StorageDescriptor"]["Columns"]] == list(features.columns)


def test_the_trail_sees_every_departments_objects(root: actors.Actor) -> None:
    trail = root.client("cloudtrail")
    found = trail.get_trail(Name="platform-dev")["Trail"]
    assert found["IsMultiRegionTrail"] is True
    assert trail.get_trail_status(Name="platform-dev")["IsLogging"] is True
    selectors = trail.get_event_selectors(TrailName="platform-dev")["AdvancedEventSelectors"]
    watched = [f.get("StartsWith") for s in selectors for f in s["FieldSelectors"] if f["Field"] == "resources.ARN"]
    assert set(watched[0]) == {f"arn:aws:s3:::northwind-{d}-dev-" for d in ("marketing", "risk", "supply-chain")}
    lock = root.client("s3").get_object_lock_configuration(Bucket="northwind-platform-dev-audit")
    retention = lock["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert (retention["Mode"], retention["Days"]) == ("GOVERNANCE", 90)

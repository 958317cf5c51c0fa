"""The five zones: exact inputs, and what differs between an environment that may go and one that may not."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

ZONES = ("raw", "curated", "features", "models", "logs")
PARTS = (
    "bucket:Bucket",
    "bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "bucketLogging:BucketLogging",
    "bucketOwnershipControls:BucketOwnershipControls",
    "bucketPolicy:BucketPolicy",
    "bucketPublicAccessBlock:BucketPublicAccessBlock",
    "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "bucketVersioning:BucketVersioning",
)
HOUSEKEEPING = {
    "id": "housekeeping",
    "status": "Enabled",
    "filter": {"prefix": ""},
    "noncurrentVersionExpiration": {"noncurrentDays": 30},
    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
}


def rule(name: str, prefix: str, days: int) -> dict[str, Any]:
    return {"id": name, "status": "Enabled", "filter": {"prefix": prefix}, "expiration": {"days": days}}


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_there_are_five_buckets_each_with_all_of_its_parts(stack: Callable[[str], Any], environment: str) -> None:
    built = stack(f"claims-{environment}")
    expected = {f"claims-{environment}-{zone}" for zone in ZONES}
    assert {part: set(built.all(f"s3/{part}")) for part in PARTS} == dict.fromkeys(PARTS, expected)
    kinds = Counter(resource.type for resource in built.graph.resources.values() if resource.type.startswith("aws:s3/"))
    assert kinds == dict.fromkeys((f"aws:s3/{part}" for part in PARTS), 5)


@pytest.mark.parametrize("zone", ZONES)
def test_a_zone_is_private_encrypted_versioned_and_logged(dev: Any, zone: str) -> None:
    name, bucket = f"claims-dev-{zone}", f"claims-dev-{zone}-id"

    def part(kind: str) -> dict[str, Any]:
        inputs = dev.inputs(f"s3/{kind}:{kind[0].upper()}{kind[1:]}", name)
        assert inputs.pop("bucket") == bucket
        return inputs

    assert part("bucketPublicAccessBlock") == {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert part("bucketServerSideEncryptionConfiguration") == {
        "rules": [
            {
                "applyServerSideEncryptionByDefault": {
                    "sseAlgorithm": "aws:kms",
                    "kmsMasterKeyId": "aws:kms/key:Key::claims-dev::arn",
                },
                "bucketKeyEnabled": True,
            }
        ]
    }
    assert part("bucketOwnershipControls") == {"rule": {"objectOwnership": "BucketOwnerEnforced"}}
    assert part("bucketVersioning") == {"versioningConfiguration": {"status": "Enabled"}}
    assert part("bucketLogging") == {
        "targetBucket": "acme-platform-dev-access-logs",
        "targetPrefix": f"acme-claims-dev-{zone}/",
    }


@pytest.mark.parametrize(
    ("zone", "rules"),
    [
        ("raw", [rule("payments", "payments/", 400)]),
        ("curated", [rule("garages", "garages/", 1000)]),
        ("features", [rule("features-claim_history", "claim_history/", 400)]),
        ("models", []),
        ("logs", [rule("logs", "", 30)]),
    ],
)
def test_what_lies_in_a_zone_goes_when_its_declaration_says(dev: Any, zone: str, rules: list[dict[str, Any]]) -> None:
    inputs = dev.inputs("s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", f"claims-dev-{zone}")
    assert inputs["rules"] == [HOUSEKEEPING, *rules]


def test_logs_are_kept_as_long_as_the_environment_says(prod: Any) -> None:
    inputs = prod.inputs("s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "claims-prod-logs")
    assert inputs["rules"] == [HOUSEKEEPING, rule("logs", "", 365)]


def test_development_can_be_destroyed_whole_and_production_cannot(dev: Any, prod: Any) -> None:
    for zone in ZONES:
        assert dev.inputs("s3/bucket:Bucket", f"claims-dev-{zone}") == {
            "bucket": f"acme-claims-dev-{zone}",
            "forceDestroy": True,
            "objectLockEnabled": False,
        }
        assert prod.inputs("s3/bucket:Bucket", f"claims-prod-{zone}")["forceDestroy"] is False
    assert not [resource.urn for resource in dev.graph.resources.values() if resource.protect]
    assert {resource.type.split("/")[0] for resource in prod.graph.resources.values() if resource.protect} == {
        "aws:dynamodb", "aws:ecr", "aws:glue", "aws:kms", "aws:s3", "aws:sagemaker",
    }  # fmt: skip


def test_a_policy_waits_for_the_roles_that_it_names(dev: Any) -> None:
    roles = {role.urn for role in dev.all("iam/role:Role").values()}
    assert len(roles) == 9
    for kind in ("s3/bucketPolicy:BucketPolicy", "kms/keyPolicy:KeyPolicy"):
        for policy in dev.all(kind).values():
            assert roles <= policy.dependencies


def test_a_bucket_policy_only_denies(dev: Any) -> None:
    for zone in ZONES:
        statements = dev.policy("s3/bucketPolicy:BucketPolicy", f"claims-dev-{zone}")
        assert set(statements) == {
            "TlsOnly", "OwnAccountOnly", "GrantedReadersOnly", "GrantedWritersOnly",
            "DepartmentKeyOnly", "NoOtherKey", "NoCustomerProvidedKey",
        }  # fmt: skip
        assert {statement["Effect"] for statement in statements.values()} == {"Deny"}
        arn = f"arn:aws:s3:::acme-claims-dev-{zone}"
        assert statements["TlsOnly"] == {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }

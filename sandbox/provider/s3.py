"""Buckets and what is set on them."""

from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.clients import Aws
from sandbox.provider.kinds import Gone, Kind, Properties, camel, changed, given, gone_on, mapping, pairs, pascal

NO_BUCKET = ("NoSuchBucket", "404")


def _create_bucket(aws: Aws, p: Properties) -> str:
    s3 = aws.client("s3")
    arguments: dict[str, Any] = {"Bucket": p["bucket"], **given(p, ObjectLockEnabledForBucket="objectLockEnabled")}
    if aws.region != "us-east-1":
        arguments["CreateBucketConfiguration"] = {"LocationConstraint": aws.region}
    s3.create_bucket(**arguments)
    if p.get("tagsAll"):
        s3.put_bucket_tagging(Bucket=p["bucket"], Tagging={"TagSet": pairs(p["tagsAll"])})
    return str(p["bucket"])


def _read_bucket(aws: Aws, id: str, p: Properties) -> Properties:
    s3 = aws.client("s3")
    with gone_on(*NO_BUCKET):
        s3.head_bucket(Bucket=id)
    try:
        tags = mapping(s3.get_bucket_tagging(Bucket=id)["TagSet"])
    except ClientError:
        tags = {}
    return {
        "bucket": id,
        "tagsAll": tags,
        "arn": f"arn:aws:s3:::{id}",
        "bucketDomainName": f"{id}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{id}.s3.{aws.region}.amazonaws.com",
    }


def _update_bucket(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    if changed(old, new, "tagsAll"):
        aws.client("s3").put_bucket_tagging(Bucket=id, Tagging={"TagSet": pairs(new.get("tagsAll"))})


def _delete_bucket(aws: Aws, id: str, p: Properties) -> None:
    s3 = aws.client("s3")
    with gone_on(*NO_BUCKET):
        if p.get("forceDestroy"):
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=id):
                for item in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    bypass = {"BypassGovernanceRetention": True} if p.get("objectLockEnabled") else {}
                    s3.delete_object(Bucket=id, Key=item["Key"], VersionId=item["VersionId"], **bypass)
        s3.delete_bucket(Bucket=id)


def _setting(token: str, put: str, get: str, delete: str, missing: str, there: Any, back: Any) -> Kind:
    """A setting of a bucket: one call to put it, one to get it, one to take it off."""

    def write(aws: Aws, p: Properties) -> str:
        getattr(aws.client("s3"), put)(Bucket=p["bucket"], **there(p))
        return str(p["bucket"])

    def read(aws: Aws, id: str, p: Properties) -> Properties:
        with gone_on(missing, *NO_BUCKET):
            found = back(getattr(aws.client("s3"), get)(Bucket=id))
        if not found:
            raise Gone
        return {"bucket": id, **found}

    def remove(aws: Aws, id: str, p: Properties) -> None:
        with gone_on(missing, *NO_BUCKET):
            getattr(aws.client("s3"), delete)(Bucket=id)

    return Kind(
        token,
        write,
        read,
        remove,
        update=lambda aws, id, old, new: write(aws, new),
        replaces=("bucket",),
        find=_bucket_id,
    )


def _bucket_id(aws: Aws, p: Properties) -> str:
    """Putting a setting again is the same as putting it once."""
    return str(p["bucket"])


def _rules_there(p: Properties) -> Properties:
    rules = []
    for rule in p["rules"]:
        rule = dict(rule)
        default = rule.pop("applyServerSideEncryptionByDefault", None)
        written = {"BucketKeyEnabled": rule["bucketKeyEnabled"]} if "bucketKeyEnabled" in rule else {}
        if default:
            written["ApplyServerSideEncryptionByDefault"] = {
                "SSEAlgorithm": default["sseAlgorithm"],
                **given(default, KMSMasterKeyID="kmsMasterKeyId"),
            }
        rules.append(written)
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _rules_back(found: Properties) -> Properties:
    rules = []
    for rule in found["ServerSideEncryptionConfiguration"]["Rules"]:
        default = rule["ApplyServerSideEncryptionByDefault"]
        read = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": default["SSEAlgorithm"]}}
        if default.get("KMSMasterKeyID"):
            read["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"] = default["KMSMasterKeyID"]
        rules.append({**read, "bucketKeyEnabled": rule.get("BucketKeyEnabled", False)})
    return {"rules": rules}


LIFECYCLE = {"id": "ID"}


def _lifecycle_there(p: Properties) -> Properties:
    rules = []
    for rule in p["rules"]:
        written = {LIFECYCLE.get(key, key[0].upper() + key[1:]): pascal(value) for key, value in rule.items()}
        rules.append(written)
    return {"LifecycleConfiguration": {"Rules": rules}}


def _lifecycle_back(found: Properties) -> Properties:
    rules = []
    for rule in found["Rules"]:
        read = {("id" if key == "ID" else key[0].lower() + key[1:]): camel(value) for key, value in rule.items()}
        read.setdefault("filter", {"prefix": read.pop("prefix", "")})
        rules.append(read)
    return {"rules": rules}


def _versioning_off(aws: Aws, id: str, p: Properties) -> None:
    """A bucket under object lock stays versioned."""
    s3 = aws.client("s3")
    with gone_on(*NO_BUCKET):
        try:
            s3.get_object_lock_configuration(Bucket=id)
        except ClientError as error:
            if error.response["Error"]["Code"] in NO_BUCKET:
                raise
            s3.put_bucket_versioning(Bucket=id, VersioningConfiguration={"Status": "Suspended"})


def _put_versioning(aws: Aws, p: Properties) -> str:
    status = p["versioningConfiguration"]["status"]
    aws.client("s3").put_bucket_versioning(Bucket=p["bucket"], VersioningConfiguration={"Status": status})
    return str(p["bucket"])


def _read_versioning(aws: Aws, id: str, p: Properties) -> Properties:
    with gone_on(*NO_BUCKET):
        status = aws.client("s3").get_bucket_versioning(Bucket=id).get("Status")
    if not status:
        raise Gone
    return {"bucket": id, "versioningConfiguration": {"status": status}}


def _put_logging(aws: Aws, p: Properties) -> str:
    target = {"TargetBucket": p["targetBucket"], "TargetPrefix": p["targetPrefix"]}
    aws.client("s3").put_bucket_logging(Bucket=p["bucket"], BucketLoggingStatus={"LoggingEnabled": target})
    return str(p["bucket"])


def _read_logging(aws: Aws, id: str, p: Properties) -> Properties:
    with gone_on(*NO_BUCKET):
        found = aws.client("s3").get_bucket_logging(Bucket=id).get("LoggingEnabled")
    if not found:
        raise Gone
    return {"bucket": id, "targetBucket": found["TargetBucket"], "targetPrefix": found["TargetPrefix"]}


def _logging_off(aws: Aws, id: str, p: Properties) -> None:
    with gone_on(*NO_BUCKET):
        aws.client("s3").put_bucket_logging(Bucket=id, BucketLoggingStatus={})


BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _lock_there(p: Properties) -> Properties:
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": pascal(p["rule"])}}


def _lock_back(found: Properties) -> Properties:
    rule = found["ObjectLockConfiguration"].get("Rule")
    return {"rule": camel(rule)} if rule else {}


def _lock_off(aws: Aws, id: str, p: Properties) -> None:
    with gone_on(*NO_BUCKET):
        aws.client("s3").put_object_lock_configuration(
            Bucket=id, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
        )


_lock = _setting(
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "put_object_lock_configuration",
    "get_object_lock_configuration",
    "",
    "ObjectLockConfigurationNotFoundError",
    _lock_there,
    _lock_back,
)

KINDS = [
    Kind(
        "aws:s3/bucket:Bucket",
        _create_bucket,
        _read_bucket,
        _delete_bucket,
        update=_update_bucket,
        replaces=("bucket", "objectLockEnabled"),
        name="bucket",
        outputs=("arn", "bucketDomainName", "bucketRegionalDomainName"),
    ),
    Kind(
        "aws:s3/bucketVersioning:BucketVersioning",
        _put_versioning,
        _read_versioning,
        _versioning_off,
        update=lambda aws, id, old, new: _put_versioning(aws, new),
        replaces=("bucket",),
        find=_bucket_id,
    ),
    Kind(
        "aws:s3/bucketLogging:BucketLogging",
        _put_logging,
        _read_logging,
        _logging_off,
        update=lambda aws, id, old, new: _put_logging(aws, new),
        replaces=("bucket",),
        find=_bucket_id,
    ),
    Kind(_lock.token, _lock.create, _lock.read, _lock_off, _lock.update, ("bucket",), find=_bucket_id),
    _setting(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "put_bucket_encryption",
        "get_bucket_encryption",
        "delete_bucket_encryption",
        "ServerSideEncryptionConfigurationNotFoundError",
        _rules_there,
        _rules_back,
    ),
    _setting(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "put_public_access_block",
        "get_public_access_block",
        "delete_public_access_block",
        "NoSuchPublicAccessBlockConfiguration",
        lambda p: {"PublicAccessBlockConfiguration": pascal({name: bool(p.get(name)) for name in BLOCKS})},
        lambda found: camel(found["PublicAccessBlockConfiguration"]),
    ),
    _setting(
        "aws:s3/bucketPolicy:BucketPolicy",
        "put_bucket_policy",
        "get_bucket_policy",
        "delete_bucket_policy",
        "NoSuchBucketPolicy",
        lambda p: {"Policy": p["policy"]},
        lambda found: {"policy": found["Policy"]},
    ),
    _setting(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "put_bucket_lifecycle_configuration",
        "get_bucket_lifecycle_configuration",
        "delete_bucket_lifecycle",
        "NoSuchLifecycleConfiguration",
        _lifecycle_there,
        _lifecycle_back,
    ),
    _setting(
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "put_bucket_ownership_controls",
        "get_bucket_ownership_controls",
        "delete_bucket_ownership_controls",
        "OwnershipControlsNotFoundError",
        lambda p: {"OwnershipControls": {"Rules": [{"ObjectOwnership": p["rule"]["objectOwnership"]}]}},
        lambda found: {"rule": {"objectOwnership": found["OwnershipControls"]["Rules"][0]["ObjectOwnership"]}},
    ),
]

"""Which IAM action an operation is, and on which resources, after the Service Authorization Reference.

An operation whose resource isn't known here is judged on `*`, so that only a policy with `*` can allow it.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import xmltodict
from moto.backends import get_backend

from sandbox.cloud.requests import Call

S3_ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectAttributes": "GetObject",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
VERSIONED = {"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion"}


@dataclass(frozen=True)
class Target:
    """One action on one resource, both of which have to be allowed."""

    action: str
    resource: str


def targets(call: Call, account: str) -> list[Target]:
    """All that has to be allowed for a call made in an account."""
    if call.service == "s3":
        return list(_s3(call))
    find = RESOURCES.get(call.service)
    resources = list(find(call, account)) if find else []
    return [Target(f"{call.service}:{call.operation}", resource) for resource in resources or ["*"]]


def _s3(call: Call) -> Iterator[Target]:
    bucket, key = call.parameters.get("Bucket"), call.parameters.get("Key")
    action = S3_ACTIONS.get(call.operation, call.operation)
    if "versionId" in call.http.arguments:
        action = VERSIONED.get(action, action)
    if bucket is None:
        yield Target(f"s3:{action}", "*")
        return
    arn = f"arn:aws:s3:::{bucket}"
    if call.operation == "DeleteObjects":
        for item in _deleted(call.http.body):
            versioned = VERSIONED["DeleteObject"] if item.get("VersionId") else "DeleteObject"
            yield Target(f"s3:{versioned}", f"{arn}/{item['Key']}")
        return
    if source := call.http.headers.get("x-amz-copy-source"):
        path, _, version = source.lstrip("/").partition("?versionId=")
        yield Target("s3:GetObjectVersion" if version else "s3:GetObject", f"arn:aws:s3:::{path}")
    yield Target(f"s3:{action}", f"{arn}/{key}" if key is not None else arn)


def _deleted(body: bytes) -> list[dict[str, str]]:
    items: Any = xmltodict.parse(body, force_list=("Object",))["Delete"]["Object"]
    return list(items)


def _arn(call: Call, account: str, resource: str, *, region: str | None = None) -> str:
    return f"arn:aws:{call.service}:{call.region if region is None else region}:{account}:{resource}"


def _named(call: Call, account: str, value: str, prefix: str) -> str:
    return value if value.startswith("arn:") else _arn(call, account, f"{prefix}{value}")


def _dynamodb(call: Call, account: str) -> Iterator[str]:
    names: set[str] = set(call.parameters.get("RequestItems", {}))
    for item in call.parameters.get("TransactItems", []):
        names |= {operation["TableName"] for operation in item.values()}
    names |= {call.parameters[key] for key in ("TableName", "ResourceArn", "TableArn") if key in call.parameters}
    for name in sorted(names):
        table = _named(call, account, name, "table/")
        index = call.parameters.get("IndexName")
        yield f"{table}/index/{index}" if index else table


def _glue(call: Call, account: str) -> Iterator[str]:
    """Glue asks for the catalogue, the database and the table alike."""
    given = call.parameters
    about_database = call.operation.endswith(("Database", "Databases"))
    database = given.get("DatabaseName") or (given.get("Name") if about_database else None)
    database = database or (given.get("DatabaseInput") or {}).get("Name")
    table = given.get("TableName") or (given.get("TableInput") or {}).get("Name")
    if not about_database and call.operation in ("GetTable", "DeleteTable"):
        table = table or given.get("Name")
    if "ResourceArn" in given:
        yield given["ResourceArn"]
    elif database or about_database:
        yield _arn(call, account, "catalog")
        yield _arn(call, account, f"database/{database or '*'}")
        if not about_database:
            yield _arn(call, account, f"table/{database}/{table or '*'}")


def _ecr(call: Call, account: str) -> Iterator[str]:
    given = call.parameters
    names = [given["repositoryName"]] if "repositoryName" in given else given.get("repositoryNames", [])
    if "resourceArn" in given:
        yield given["resourceArn"]
    for name in names:
        yield _arn(call, account, f"repository/{name}")
    if call.operation == "DescribeRepositories" and not names:
        yield _arn(call, account, "repository/*")


def _sagemaker(call: Call, account: str) -> Iterator[str]:
    given = call.parameters
    group = str(given.get("ModelPackageGroupName", "")).rsplit("/", 1)[-1]
    if "ResourceArn" in given:
        yield given["ResourceArn"]
    elif call.operation in ("CreateModelPackage", "ListModelPackages") and group:
        yield _arn(call, account, f"model-package/{group}/*")
    elif group:
        yield _arn(call, account, f"model-package-group/{group}")
    elif package := given.get("ModelPackageName") or given.get("ModelPackageArn"):
        yield _named(call, account, package, "model-package/")


def _logs(call: Call, account: str) -> Iterator[str]:
    """A group's ARN in a policy ends in `:*` for all but tagging (CloudWatch Logs user guide, "Resources and operations")."""
    given = call.parameters
    groups = [given["logGroupName"]] if "logGroupName" in given else given.get("logGroupNames", [])
    groups = groups or [arn.split(":log-group:")[1].removesuffix(":*") for arn in _log_group_arns(given)]
    stream = given.get("logStreamName")
    if "resourceArn" in given:
        yield given["resourceArn"]
    for group in groups:
        yield _arn(call, account, f"log-group:{group}:" + (f"log-stream:{stream}" if stream else "*"))
    if call.operation == "DescribeLogGroups":
        yield _arn(call, account, "log-group:*")


def _log_group_arns(given: dict[str, Any]) -> list[str]:
    found = given.get("logGroupIdentifiers") or [given.get("logGroupIdentifier")]
    return [arn for arn in found if arn and ":log-group:" in arn]


def _sns(call: Call, account: str) -> Iterator[str]:
    given = call.parameters
    if "Name" in given:
        yield _arn(call, account, given["Name"])
    for key in ("TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn"):
        if key in given:
            yield ":".join(given[key].split(":")[:6])
            return


def _cloudwatch(call: Call, account: str) -> Iterator[str]:
    given = call.parameters
    dashboards = [given["DashboardName"]] if "DashboardName" in given else given.get("DashboardNames", [])
    alarms = [given["AlarmName"]] if "AlarmName" in given else given.get("AlarmNames", [])
    if "ResourceARN" in given:
        yield given["ResourceARN"]
    for dashboard in dashboards:
        yield _arn(call, account, f"dashboard/{dashboard}", region="")
    for alarm in alarms:
        yield _arn(call, account, f"alarm:{alarm}")
    if call.operation == "DescribeAlarms" and not alarms:
        yield _arn(call, account, "alarm:*")


def key_arn(identifier: str, account: str, region: str) -> str:
    """The ARN of a KMS key that is named by id, ARN or alias; as named if there is none."""
    parts = identifier.split(":")
    if len(parts) == 6:
        region, account, identifier = parts[3], parts[4], parts[5]
    kms = get_backend("kms")[account][region]
    identifier = identifier.removeprefix("key/")
    if identifier.startswith("alias/"):
        identifier = kms.get_key_id_from_alias(identifier) or identifier
    return f"arn:aws:kms:{region}:{account}:key/{identifier}"


def _kms(call: Call, account: str) -> Iterator[str]:
    given = call.parameters
    if alias := given.get("AliasName"):
        yield _arn(call, account, alias)
    if identifier := given.get("KeyId") or given.get("TargetKeyId"):
        yield key_arn(identifier, account, call.region)
    elif call.operation == "Decrypt":
        yield from _keys_of_ciphertext(given, account, call.region)


def _keys_of_ciphertext(given: dict[str, Any], account: str, region: str) -> Iterator[str]:
    """moto's ciphertext begins with the id of its key."""
    blob = base64.b64decode(given.get("CiphertextBlob", ""))
    yield key_arn(blob[:36].decode("ascii", "replace"), account, region)


def _iam(call: Call, account: str) -> Iterator[str]:
    given = call.parameters
    iam = get_backend("iam")[account]["aws"]
    if "RoleName" in given:
        role = next((role for role in iam.get_roles() if role.name == given["RoleName"]), None)
        path = role.path if role else given.get("Path", "/")
        yield f"arn:aws:iam::{account}:role{path}{given['RoleName']}"
    elif "UserName" in given:
        yield f"arn:aws:iam::{account}:user/{given['UserName']}"
    elif "GroupName" in given:
        yield f"arn:aws:iam::{account}:group/{given['GroupName']}"
    elif "PolicyArn" in given or "PolicyName" in given:
        yield given.get("PolicyArn") or f"arn:aws:iam::{account}:policy/{given['PolicyName']}"
    elif "OpenIDConnectProviderArn" in given:
        yield given["OpenIDConnectProviderArn"]


def _sts(call: Call, account: str) -> Iterator[str]:
    if "RoleArn" in call.parameters:
        yield call.parameters["RoleArn"]


def _budgets(call: Call, account: str) -> Iterator[str]:
    name = call.parameters.get("BudgetName") or (call.parameters.get("Budget") or {}).get("BudgetName")
    yield _arn(call, account, f"budget/{name or '*'}", region="")


def _eks(call: Call, account: str) -> Iterator[str]:
    name = call.parameters.get("clusterName") or call.parameters.get("name")
    if name:
        yield _arn(call, account, f"cluster/{name}")


def _secretsmanager(call: Call, account: str) -> Iterator[str]:
    if identifier := call.parameters.get("SecretId"):
        yield _named(call, account, identifier, "secret:")


RESOURCES: dict[str, Callable[[Call, str], Iterator[str]]] = {
    "budgets": _budgets,
    "cloudwatch": _cloudwatch,
    "dynamodb": _dynamodb,
    "ecr": _ecr,
    "eks": _eks,
    "glue": _glue,
    "iam": _iam,
    "kms": _kms,
    "logs": _logs,
    "sagemaker": _sagemaker,
    "secretsmanager": _secretsmanager,
    "sns": _sns,
    "sts": _sts,
}

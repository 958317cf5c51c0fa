"""From a request to the actions and resources that have to be allowed."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.cloud.requests import HttpRequest, parse
from sandbox.cloud.resources import targets

ACCOUNT = "111111111111"


def call(service: str, method: str, target: str, headers: dict[str, str], body: bytes) -> list[tuple[str, str]]:
    path, _, query = target.partition("?")
    scope = f"AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    http = HttpRequest(method, path, query, {"authorization": scope, **headers}, body, True)
    return [(target.action, target.resource) for target in targets(parse(http), ACCOUNT)]


S3: dict[str, tuple[str, str, dict[str, str], list[tuple[str, str]]]] = {
    "list": ("GET", "/b?list-type=2&prefix=a", {}, [("s3:ListBucket", "b")]),
    "list, old": ("GET", "/b", {}, [("s3:ListBucket", "b")]),
    "list versions": ("GET", "/b?versions", {}, [("s3:ListBucketVersions", "b")]),
    "head bucket": ("HEAD", "/b", {}, [("s3:ListBucket", "b")]),
    "get": ("GET", "/b/a/c%20d", {}, [("s3:GetObject", "b/a/c d")]),
    "head": ("HEAD", "/b/a", {}, [("s3:GetObject", "b/a")]),
    "get version": ("GET", "/b/a?versionId=1", {}, [("s3:GetObjectVersion", "b/a")]),
    "put": ("PUT", "/b/a", {}, [("s3:PutObject", "b/a")]),
    "copy": ("PUT", "/b/a", {"x-amz-copy-source": "/c/d"}, [("s3:GetObject", "c/d"), ("s3:PutObject", "b/a")]),
    "start parts": ("POST", "/b/a?uploads", {}, [("s3:PutObject", "b/a")]),
    "part": ("PUT", "/b/a?partNumber=1&uploadId=x", {}, [("s3:PutObject", "b/a")]),
    "end parts": ("POST", "/b/a?uploadId=x", {}, [("s3:PutObject", "b/a")]),
    "abort parts": ("DELETE", "/b/a?uploadId=x", {}, [("s3:AbortMultipartUpload", "b/a")]),
    "list parts": ("GET", "/b/a?uploadId=x", {}, [("s3:ListMultipartUploadParts", "b/a")]),
    "delete": ("DELETE", "/b/a", {}, [("s3:DeleteObject", "b/a")]),
    "delete version": ("DELETE", "/b/a?versionId=1", {}, [("s3:DeleteObjectVersion", "b/a")]),
    "policy": ("PUT", "/b?policy", {}, [("s3:PutBucketPolicy", "b")]),
    "encryption": ("DELETE", "/b?encryption", {}, [("s3:PutEncryptionConfiguration", "b")]),
    "block": ("PUT", "/b?publicAccessBlock", {}, [("s3:PutBucketPublicAccessBlock", "b")]),
    "lifecycle": ("GET", "/b?lifecycle", {}, [("s3:GetLifecycleConfiguration", "b")]),
    "delete bucket": ("DELETE", "/b", {}, [("s3:DeleteBucket", "b")]),
}


@pytest.mark.parametrize("what", S3)
def test_s3(what: str) -> None:
    method, target, headers, expected = S3[what]
    found = call("s3", method, target, headers, b"")
    assert found == [(action, f"arn:aws:s3:::{resource}") for action, resource in expected]


def test_s3_deletes_many_one_by_one() -> None:
    body = b"<Delete><Object><Key>a</Key></Object><Object><Key>b</Key><VersionId>1</VersionId></Object></Delete>"
    assert call("s3", "POST", "/x?delete", {}, body) == [
        ("s3:DeleteObject", "arn:aws:s3:::x/a"),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::x/b"),
    ]


JSON: dict[str, tuple[str, str, dict[str, Any], list[str]]] = {
    "row": ("dynamodb", "DynamoDB_20120810.GetItem", {"TableName": "t"}, ["dynamodb:eu-central-1:{}:table/t"]),
    "index": (
        "dynamodb",
        "DynamoDB_20120810.Query",
        {"TableName": "t", "IndexName": "i"},
        ["dynamodb:eu-central-1:{}:table/t/index/i"],
    ),
    "rows of two tables": (
        "dynamodb",
        "DynamoDB_20120810.BatchGetItem",
        {"RequestItems": {"a": {}, "b": {}}},
        ["dynamodb:eu-central-1:{}:table/a", "dynamodb:eu-central-1:{}:table/b"],
    ),
    "transaction": (
        "dynamodb",
        "DynamoDB_20120810.TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "a"}}, {"Delete": {"TableName": "b"}}]},
        ["dynamodb:eu-central-1:{}:table/a", "dynamodb:eu-central-1:{}:table/b"],
    ),
    "catalogue": (
        "glue",
        "AWSGlue.GetTable",
        {"DatabaseName": "d", "Name": "t"},
        ["glue:eu-central-1:{}:catalog", "glue:eu-central-1:{}:database/d", "glue:eu-central-1:{}:table/d/t"],
    ),
    "image": (
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921.PutImage",
        {"repositoryName": "r/m"},
        ["ecr:eu-central-1:{}:repository/r/m"],
    ),
    "log stream": (
        "logs",
        "Logs_20140328.PutLogEvents",
        {"logGroupName": "/g", "logStreamName": "s"},
        ["logs:eu-central-1:{}:log-group:/g:log-stream:s"],
    ),
    "log group": (
        "logs",
        "Logs_20140328.FilterLogEvents",
        {"logGroupName": "/g"},
        ["logs:eu-central-1:{}:log-group:/g:*"],
    ),
    "package": (
        "sagemaker",
        "SageMaker.CreateModelPackage",
        {"ModelPackageGroupName": "g"},
        ["sagemaker:eu-central-1:{}:model-package/g/*"],
    ),
}


@pytest.mark.parametrize("what", JSON)
def test_json(what: str) -> None:
    service, target, parameters, resources = JSON[what]
    found = call(service, "POST", "/", {"x-amz-target": target}, json.dumps(parameters).encode())
    action = f"{service}:{target.rsplit('.', 1)[1]}"
    assert found == [(action, f"arn:aws:{resource.format(ACCOUNT)}") for resource in resources]


QUERY: dict[str, tuple[str, dict[str, str], tuple[str, str]]] = {
    "publish": (
        "sns",
        {"Action": "Publish", "TopicArn": "arn:aws:sns:eu-central-1:1:t"},
        ("sns:Publish", "arn:aws:sns:eu-central-1:1:t"),
    ),
    "role": ("iam", {"Action": "GetRole", "RoleName": "r"}, ("iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/r")),
    "assume": (
        "sts",
        {"Action": "AssumeRole", "RoleArn": "arn:aws:iam::2:role/r"},
        ("sts:AssumeRole", "arn:aws:iam::2:role/r"),
    ),
    "unknown resource": ("ec2", {"Action": "DeleteVpc", "VpcId": "vpc-1"}, ("ec2:DeleteVpc", "*")),
}


@pytest.mark.parametrize("what", QUERY)
def test_query(what: str) -> None:
    service, parameters, expected = QUERY[what]
    assert call(service, "POST", "/", {}, urlencode(parameters).encode()) == [expected]

"""The condition keys of a request."""

import re
from typing import Any

from moto.backends import get_backend

from sandbox.cloud.principals import Caller
from sandbox.cloud.requests import Call

Context = dict[str, str | tuple[str, ...]]
S3_HEADERS = (
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-storage-class",
)
S3_ARGUMENTS = ("delimiter", "max-keys", "prefix", "versionId")


def of_call(call: Call, caller: Caller) -> Context:
    context: Context = {
        "aws:SecureTransport": str(call.http.secure).lower(),
        "aws:RequestedRegion": call.region,
        "aws:SourceIp": "127.0.0.1",
        "aws:ViaAWSService": "false",
        **{f"aws:PrincipalTag/{key}": value for key, value in caller.tags.items()},
    }
    tags = request_tags(call.parameters)
    if tags:
        context |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        context["aws:TagKeys"] = tuple(tags)
    if call.service == "s3":
        headers, arguments = call.http.headers, call.http.arguments
        context |= {f"s3:{name}": headers[name] for name in S3_HEADERS if name in headers}
        context |= {f"s3:{name}": arguments[name] for name in S3_ARGUMENTS if name in arguments}
    if call.service == "sns" and call.operation == "Subscribe":
        context |= {f"sns:{key}": call.parameters[key] for key in ("Protocol", "Endpoint") if key in call.parameters}
    if boundary := call.parameters.get("PermissionsBoundary"):
        context["iam:PermissionsBoundary"] = boundary
    return context


def request_tags(parameters: dict[str, Any]) -> dict[str, str]:
    """Tags of a request, whichever way the service writes them."""
    given = parameters.get("Tags", parameters.get("tags"))
    if isinstance(given, dict):
        return {str(key): str(value) for key, value in given.items()}
    if isinstance(given, list):
        pairs = ({key.lower().removeprefix("tag"): value for key, value in tag.items()} for tag in given)
        return {pair["key"]: pair["value"] for pair in pairs if "key" in pair and "value" in pair}
    numbered: dict[str, dict[str, str]] = {}
    for name, value in parameters.items():
        if match := re.fullmatch(r"Tags\.(?:member|entry)\.(\d+)\.(Key|Value)", name):
            numbered.setdefault(match[1], {})[match[2]] = str(value)
    return {pair["Key"]: pair["Value"] for pair in numbered.values() if len(pair) == 2}


def key_tags(arn: str) -> Context:
    """`aws:ResourceTag/…` of a KMS key."""
    _, _, _, region, account, resource = arn.split(":", 5)
    key = get_backend("kms")[account][region].keys.get(resource.removeprefix("key/"))
    if key is None:
        return {}
    tags = get_backend("kms")[account][region].tagger.get_tag_dict_for_resource(key.id)
    return {f"aws:ResourceTag/{name}": value for name, value in tags.items()}

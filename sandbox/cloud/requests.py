"""What a request asks for: service, operation and parameters, read with botocore's own models of AWS."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import botocore.session
import cbor2
from botocore.model import OperationModel, ServiceModel

from sandbox.cloud.faults import Fault

# Signing name to botocore's service name, where they differ.
SERVICES = {"monitoring": "cloudwatch"}
STS_UNSIGNED = ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
READS = re.compile(
    r"^(Get|List|Describe|Head|Lookup|BatchGet|BatchCheck|BatchDescribe|Query$|Scan$|Filter|Select|Search|Simulate|Test)"
)


@dataclass(frozen=True)
class HttpRequest:
    """Headers by lower-case name; `secure` tells whether it came over TLS."""

    method: str
    raw_path: str
    query: str
    headers: dict[str, str]
    body: bytes
    secure: bool

    @property
    def path(self) -> str:
        return unquote(self.raw_path)

    @property
    def arguments(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True)
class Call:
    """One operation of one service. `parameters` are as the client named them; for S3, headers and path parts too."""

    service: str
    operation: str
    protocol: str
    region: str
    http: HttpRequest
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def reads(self) -> bool:
        """Whether it leaves the cloud as it is."""
        return bool(READS.match(self.operation)) or self.operation == "GetCallerIdentity"


@cache
def model(service: str) -> ServiceModel:
    return _session().get_service_model(service)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


def scope(http: HttpRequest) -> tuple[str, str]:
    """Signing service and region of a request; an unsigned one is S3's, or a token exchange with STS."""
    credential = http.arguments.get("X-Amz-Credential", "")
    if match := re.search(r"Credential=([^,\s]+)", http.headers.get("authorization", "")):
        credential = match[1]
    parts = credential.split("/")
    if len(parts) == 5:
        return parts[3], parts[2]
    if dict(parse_qsl(http.body.decode("latin-1"))).get("Action") in STS_UNSIGNED:
        return "sts", "us-east-1"
    return "s3", "us-east-1"


def parse(http: HttpRequest) -> Call:
    """Raises Fault for an operation that no model knows."""
    signing, region = scope(http)
    service = SERVICES.get(signing, signing)
    try:
        service_model = model(service)
    except botocore.exceptions.UnknownServiceError:
        raise Fault("UnknownOperationException", f"the sandbox knows no service {service}", 400) from None
    target = http.headers.get("x-amz-target", "")
    if http.headers.get("smithy-protocol") == "rpc-v2-cbor":
        operation = http.path.rsplit("/", 1)[-1]
        parameters = cbor2.loads(http.body) if http.body else {}
        return Call(service, operation, "smithy-rpc-v2-cbor", region, http, parameters)
    if target:
        parameters = json.loads(http.body or b"{}")
        return Call(service, target.rsplit(".", 1)[-1], "json", region, http, parameters)
    protocol = str(service_model.metadata["protocol"])
    if protocol in ("query", "ec2"):
        form = dict(parse_qsl(http.body.decode(), keep_blank_values=True)) or http.arguments
        return Call(service, form.get("Action", ""), protocol, region, http, form)
    operation_model, parts = _rest_operation(service, http)
    if service == "s3":
        parameters = {**http.arguments, **parts}
        return Call("s3", operation_model.name, "s3", region, http, parameters)
    body = json.loads(http.body) if http.body[:1] == b"{" else {}
    return Call(service, operation_model.name, protocol, region, http, {**http.arguments, **body, **parts})


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], dict[str, str], OperationModel]]:
    """Method, path, fixed query arguments and operation, the most particular first."""
    routes = []
    service_model = model(service)
    for name in service_model.operation_names:
        operation = service_model.operation_model(name)
        uri = operation.http.get("requestUri", "/")
        path, _, query = uri.partition("?")
        fixed = dict(parse_qsl(query, keep_blank_values=True))
        pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", _group, re.escape(path))
        routes.append((operation.http.get("method", "POST"), re.compile(f"^{pattern}/?$", re.DOTALL), fixed, operation))
    return sorted(routes, key=lambda route: (-len(route[2]), route[1].pattern.count("(?P<"), -len(route[1].pattern)))


def _group(match: re.Match[str]) -> str:
    return f"(?P<{match[1]}>.+)" if match[2] else f"(?P<{match[1]}>[^/]+)"


# Operations that share method and path with a plainer one, told apart by a header or argument that they need.
S3_MARKS = {
    "CopyObject": ("x-amz-copy-source", "header"),
    "UploadPartCopy": ("x-amz-copy-source", "header"),
    "UploadPart": ("partNumber", "argument"),
    "CompleteMultipartUpload": ("uploadId", "argument"),
    "AbortMultipartUpload": ("uploadId", "argument"),
    "ListParts": ("uploadId", "argument"),
}


def _rest_operation(service: str, http: HttpRequest) -> tuple[OperationModel, dict[str, str]]:
    arguments = http.arguments
    found = []
    for method, pattern, fixed, operation in _routes(service):
        if method != http.method or not (match := pattern.match(http.path)):
            continue
        if any(key not in arguments or (value and arguments[key] != value) for key, value in fixed.items()):
            continue
        if service == "s3" and operation.name in S3_MARKS:
            mark, where = S3_MARKS[operation.name]
            if mark not in (http.headers if where == "header" else arguments):
                continue
            return operation, match.groupdict()
        found.append((operation, match.groupdict()))
    if not found:
        raise Fault("UnknownOperationException", f"{service} has no {http.method} {http.path}", 400)
    return found[0]

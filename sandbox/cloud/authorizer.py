"""May the caller do it? Every call is judged by the evaluator over the policies that are in force, before moto sees it."""

import json
import time
from pathlib import Path
from typing import Any

from moto.backends import get_backend

from sandbox.cloud import context as conditions
from sandbox.cloud import policies
from sandbox.cloud.faults import Fault, denied_code
from sandbox.cloud.principals import Caller
from sandbox.cloud.requests import Call
from sandbox.cloud.resources import Target, key_arn, targets
from sandbox.cloud.sessions import assuming
from stagegate.evaluator import Decision, PrincipalKind, Reason, Request, evaluate

LOG_LIMIT = 50_000_000
KMS_OPERATIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "s3": {
        "GetObject": ("kms:Decrypt",),
        "PutObject": ("kms:GenerateDataKey",),
        "CreateMultipartUpload": ("kms:GenerateDataKey",),
        "UploadPart": ("kms:Decrypt", "kms:GenerateDataKey"),
        "CopyObject": ("kms:GenerateDataKey",),
    },
    "dynamodb": dict.fromkeys(("BatchGetItem", "GetItem", "Query", "Scan"), ("kms:Decrypt",))
    | dict.fromkeys(("BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"), ("kms:Decrypt", "kms:GenerateDataKey")),
    "sns": {"Publish": ("kms:Decrypt", "kms:GenerateDataKey")},
}
ALWAYS = "sts:GetCallerIdentity"


class Authorizer:
    """Decisions go to a file, one JSON object a line; past its limit it starts anew."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.stream = log.open("a", buffering=1)

    def check(self, call: Call, caller: Caller) -> str:
        """Raises Fault where something is not allowed; returns the account in which moto carries the call out."""
        caller, account, extra = assuming(call, caller)
        context = {**conditions.of_call(call, caller), **extra}
        for target in self._targets(call, account, context):
            self._decide(call, caller, account, target, context)
        for target, service in _keys(call, account):
            self._decide(call, caller, account, target, {**context, **_via(target, service)})
        return account

    def _targets(self, call: Call, account: str, context: conditions.Context) -> list[Target]:
        wanted = targets(call, account)
        if call.service == "sts" and call.operation.startswith("AssumeRole") and "aws:TagKeys" in context:
            wanted.append(Target("sts:TagSession", wanted[0].resource))
        return wanted

    def _decide(self, call: Call, caller: Caller, account: str, target: Target, context: conditions.Context) -> None:
        if target.action == ALWAYS:
            return
        if target.resource.startswith("arn:aws:kms:") and ":key/" in target.resource:
            context = {**context, **conditions.key_tags(target.resource)}
        request = Request(
            caller.principal, target.action, target.resource, policies.owner(target.resource, account), context
        )
        decision = evaluate(request, policies.in_force(caller, target.resource, target.action))
        self._write(caller, target, decision)
        if not decision.allowed:
            raise Fault(denied_code(call.protocol), _message(caller, target, decision))

    def _write(self, caller: Caller, target: Target, decision: Decision) -> None:
        if self.stream.tell() > LOG_LIMIT:
            self.stream.truncate(0)
        record = {
            "time": round(time.time(), 3),
            "principal": caller.principal.arn or "anonymous",
            "action": target.action,
            "resource": target.resource,
            "allowed": decision.allowed,
            "because": str(decision),
        }
        self.stream.write(json.dumps(record, separators=(",", ":")) + "\n")

    def close(self) -> None:
        self.stream.close()


def _message(caller: Caller, target: Target, decision: Decision) -> str:
    """As AWS words it (IAM user guide, "Troubleshoot access denied error messages")."""
    if caller.principal.kind is PrincipalKind.ANONYMOUS:
        return f"User: anonymous is not authorized to perform: {target.action} on resource: {target.resource}"
    who = f"User: {caller.principal.arn} is not authorized to perform: {target.action} on resource: {target.resource}"
    if decision.reason is Reason.EXPLICIT_DENY:
        return f"{who} with an explicit deny in a {decision.layer}: {decision.statement}"
    return f"{who} because no {decision.layer} allows the {target.action} action"


def _via(target: Target, service: str) -> conditions.Context:
    region = target.resource.split(":")[3]
    return {"kms:ViaService": f"{service}.{region}.amazonaws.com", "aws:ViaAWSService": "true"}


def _keys(call: Call, account: str) -> list[tuple[Target, str]]:
    """The uses of a key that a service makes in the caller's name."""
    wanted = KMS_OPERATIONS.get(call.service, {}).get(call.operation)
    key = wanted and {"s3": _bucket_key, "dynamodb": _table_key, "sns": _topic_key}[call.service](call, account)
    return [(Target(action, key), call.service) for action in wanted] if wanted and key else []


def _bucket_key(call: Call, account: str) -> str | None:
    """The key of the object that is read, or under which one is written: as asked for, else the bucket's default."""
    bucket = policies.bucket(f"arn:aws:s3:::{call.parameters['Bucket']}")
    if bucket is None:
        return None
    if call.operation == "GetObject":
        version = call.http.arguments.get("versionId")
        stored: Any = get_backend("s3")[bucket.account_id]["aws"].get_object(
            bucket.name, call.parameters["Key"], version_id=version
        )
        if stored is None or stored.encryption != "aws:kms":
            return None
        identifier = stored.kms_key_id
    else:
        asked = call.http.headers.get("x-amz-server-side-encryption")
        if asked not in (None, "aws:kms"):
            return None
        identifier = call.http.headers.get("x-amz-server-side-encryption-aws-kms-key-id") or _default_key(bucket)
    return key_arn(identifier, bucket.account_id, call.region) if identifier else None


def _default_key(bucket: Any) -> str | None:
    rule: Any = (bucket.encryption or {}).get("Rule") or {}
    rule = rule[0] if isinstance(rule, list) else rule
    default = rule.get("ApplyServerSideEncryptionByDefault") or {}
    return default.get("KMSMasterKeyID") if default.get("SSEAlgorithm") == "aws:kms" else None


def _table_key(call: Call, account: str) -> str | None:
    names = list(call.parameters.get("RequestItems", {})) or [call.parameters.get("TableName", "")]
    table = get_backend("dynamodb")[account][call.region].tables.get(names[0].rsplit("/", 1)[-1])
    identifier = (table.sse_specification or {}).get("KMSMasterKeyId") if table is not None else None
    return key_arn(identifier, account, call.region) if identifier else None


def _topic_key(call: Call, account: str) -> str | None:
    topic = get_backend("sns")[account][call.region].topics.get(call.parameters.get("TopicArn"))
    identifier = topic.kms_master_key_id if topic is not None else None
    return key_arn(identifier, account, call.region) if identifier else None

"""Taking on a role: what a token or a service says about whoever asks, and sessions for trying things out.

The sandbox checks what a SAML assertion or a web identity token says, not who signed it: no identity provider is here
to sign. Pods have no agent here either, so the operator may ask in the name of a service.
"""

import base64
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl
from xml.parsers.expat import ExpatError

import xmltodict
from moto.backends import get_backend

from sandbox.cloud import context as conditions
from sandbox.cloud import policies
from sandbox.cloud.faults import Fault
from sandbox.cloud.moto_app import Reply
from sandbox.cloud.principals import ANONYMOUS, Caller
from sandbox.cloud.requests import Call
from stagegate.evaluator import Principal, PrincipalKind

ATTRIBUTE = "https://aws.amazon.com/SAML/Attributes/"
NAMESPACES = {
    "urn:oasis:names:tc:SAML:2.0:protocol": "samlp",
    "urn:oasis:names:tc:SAML:2.0:assertion": "saml",
}
AS_SERVICE = "x-stagegate-service"
SOURCE_ARN = "x-stagegate-source-arn"


def assuming(call: Call, caller: Caller) -> tuple[Caller, str, conditions.Context]:
    """Who asks, in which account, and what more is known, for calls that take on a role; others as they are."""
    if call.service == "sts" and call.operation.startswith("AssumeRole"):
        account = call.parameters.get("RoleArn", ":::::").split(":")[4]
        if call.operation == "AssumeRoleWithSAML":
            return _saml(call, account)
        if call.operation == "AssumeRoleWithWebIdentity":
            return _web_identity(call, account)
        if service := call.http.headers.get(AS_SERVICE):
            if caller.principal.kind is not PrincipalKind.ROOT:
                raise Fault("AccessDenied", "only the operator of the sandbox asks in the name of a service")
            source = call.http.headers.get(SOURCE_ARN, "")
            return (
                replace(caller, principal=Principal.service(service)),
                account,
                {"aws:SourceArn": source, "aws:SourceAccount": caller.account},
            )
        if caller.principal.kind is PrincipalKind.ROOT:
            raise Fault("AccessDenied", "Roles may not be assumed by root accounts.")
        return caller, account, {}
    account = caller.account or _anonymous_account(call)
    return caller, account, {}


def _anonymous_account(call: Call) -> str:
    found = policies.bucket(f"arn:aws:s3:::{call.parameters.get('Bucket', '')}")
    if found is None:
        raise Fault("AccessDenied", "Access Denied")
    return str(found.account_id)


def _saml(call: Call, account: str) -> tuple[Caller, str, conditions.Context]:
    provider = call.parameters.get("PrincipalArn", "")
    iam = get_backend("iam")[account]["aws"]
    if not any(known.arn == provider for known in iam.saml_providers.values()):
        raise Fault("InvalidIdentityToken", f"no SAML provider {provider}", 400)
    attributes = saml_attributes(call.parameters.get("SAMLAssertion", ""))
    pair = f"{call.parameters['RoleArn']},{provider}"
    if pair not in attributes.get(f"{ATTRIBUTE}Role", []):
        raise Fault("AccessDenied", "the assertion offers another role")
    tags = _saml_tags(attributes)
    context: conditions.Context = {"SAML:aud": attributes.get("audience", [""])[0]}
    return _federated(provider, context, tags, account)


def _federated(
    provider: str, context: conditions.Context, tags: dict[str, str], account: str
) -> tuple[Caller, str, conditions.Context]:
    context |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags:
        context["aws:TagKeys"] = tuple(tags)
    return replace(ANONYMOUS, principal=Principal.federated(provider), account=account), account, context


def saml_attributes(assertion: str) -> dict[str, list[str]]:
    """Attributes of an assertion by name, and its `audience`."""
    try:
        text = base64.b64decode(assertion, validate=True)
        found: Any = xmltodict.parse(
            text,
            process_namespaces=True,
            namespaces=NAMESPACES,
            force_list=("saml:Attribute", "saml:AttributeValue"),
        )["samlp:Response"]
        found = found["saml:Assertion"]
        attributes = {
            attribute["@Name"]: [
                value["#text"] if isinstance(value, dict) else value for value in attribute["saml:AttributeValue"]
            ]
            for attribute in found["saml:AttributeStatement"]["saml:Attribute"]
        }
        audience = found["saml:Conditions"]["saml:AudienceRestriction"]["saml:Audience"]
    except (ValueError, LookupError, TypeError, ExpatError) as error:
        raise Fault("InvalidIdentityToken", f"the assertion can't be read: {error}", 400) from None
    return {**attributes, "audience": [audience]}


def _saml_tags(attributes: dict[str, list[str]]) -> dict[str, str]:
    prefix = f"{ATTRIBUTE}PrincipalTag:"
    return {name.removeprefix(prefix): values[0] for name, values in attributes.items() if name.startswith(prefix)}


def _web_identity(call: Call, account: str) -> tuple[Caller, str, conditions.Context]:
    claims = _claims(call.parameters.get("WebIdentityToken", ""))
    issuer = str(claims.get("iss", "")).removeprefix("https://")
    arn = f"arn:aws:iam::{account}:oidc-provider/{issuer}"
    iam = get_backend("iam")[account]["aws"]
    provider = next((known for known in iam.open_id_providers.values() if known.arn == arn), None)
    if provider is None:
        raise Fault("InvalidIdentityToken", f"no OpenID Connect provider for {issuer}", 400)
    if claims.get("aud") not in provider.client_id_list:
        raise Fault("InvalidIdentityToken", "Incorrect token audience", 400)
    context: conditions.Context = {
        f"{issuer}:aud": str(claims.get("aud", "")),
        f"{issuer}:sub": str(claims.get("sub", "")),
    }
    return _federated(arn, context, {}, account)


def _claims(token: str) -> dict[str, Any]:
    try:
        body = token.split(".")[1]
        return dict(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))
    except (IndexError, ValueError):
        raise Fault("InvalidIdentityToken", "the token can't be read", 400) from None


class SessionTags:
    """Keeps the tags that a session was made with, by its access key."""

    def __init__(self, kept: dict[str, dict[str, str]]) -> None:
        self.kept = kept

    def remember(self, body: bytes, reply: Reply) -> None:
        """Look at a request that succeeded, now or in a replay."""
        if not body.startswith(b"Action=AssumeRole") and b"&Action=AssumeRole" not in body:
            return
        parameters = dict(parse_qsl(body.decode()))
        if "SAMLAssertion" in parameters:
            tags = _saml_tags(saml_attributes(parameters["SAMLAssertion"]))
        else:
            tags = conditions.request_tags(parameters)
        if tags:
            key = reply[2].split(b"<AccessKeyId>")[1].split(b"</AccessKeyId>")[0]
            self.kept[key.decode()] = tags

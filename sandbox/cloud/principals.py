"""Who signed a request: the signature is checked, and the key that made it belongs to somebody."""

import datetime
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.backends import get_backend

from sandbox.cloud.faults import Fault
from sandbox.cloud.requests import HttpRequest
from stagegate.evaluator import Principal

OPERATOR = "AKIASGOP"
SKEW = datetime.timedelta(minutes=15)
STAMP = "%Y%m%dT%H%M%SZ"
AUTHORIZATION = re.compile(
    r"^AWS4-HMAC-SHA256 Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>\w+)$"
)


@dataclass(frozen=True)
class Caller:
    """A principal with what its key carries: session policy, session tags, and moto's user or role behind it."""

    principal: Principal
    account: str
    identity: Any = None
    session_policy: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


ANONYMOUS = Caller(Principal.anonymous(), "")


@dataclass(frozen=True)
class _Claim:
    """What a request says about its signature."""

    key: str
    date: str
    region: str
    service: str
    signed: tuple[str, ...]
    signature: str
    stamp: str
    token: str | None
    expires: int | None = None


class Principals:
    """Looks keys up in moto's state. `session_tags` are kept here by access key: moto drops them."""

    def __init__(self, operator_secret: str) -> None:
        self.operator_secret = operator_secret
        self.session_tags: dict[str, dict[str, str]] = {}

    def caller(self, http: HttpRequest) -> Caller:
        """Raises Fault for a signature that doesn't hold; an unsigned request is anonymous."""
        claim = _claim(http)
        if claim is None:
            return ANONYMOUS
        caller, secret, token = self._holder(claim.key)
        if token is not None and not hmac.compare_digest(token, claim.token or ""):
            raise Fault("InvalidClientTokenId", "The security token included in the request is invalid.")
        self._check_time(claim)
        if not hmac.compare_digest(_signature(http, claim, secret), claim.signature):
            raise Fault(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method.",
            )
        _check_body(http)
        return caller

    def _holder(self, key: str) -> tuple[Caller, str, str | None]:
        """Caller, secret and session token of an access key."""
        if key.startswith(OPERATOR) and len(key) == 20:
            account = key.removeprefix(OPERATOR)
            return Caller(Principal.root(account), account), self.operator_secret, None
        for account, iam in _accounts("iam"):
            for user in list(iam.users.values()):
                for access_key in user.access_keys:
                    if access_key.access_key_id == key and access_key.status == "Active":
                        caller = Caller(Principal.iam_user(user.arn), account, user, tags=_tags(user.tags))
                        return caller, access_key.secret_access_key, None
        for account, sts in _accounts("sts"):
            session = sts.get_assumed_role_from_access_key(key)
            if session is None:
                continue
            if session.expiration.replace(tzinfo=datetime.UTC) < datetime.datetime.now(datetime.UTC):
                raise Fault("ExpiredToken", "The security token included in the request is expired", 400)
            role = _role(account, session.role_arn)
            tags = {**_tags(role.tags if role else []), **self.session_tags.get(key, {})}
            principal = Principal.session(session.role_arn, session.session_name)
            caller = Caller(principal, account, role, session.policy, tags)
            return caller, session.secret_access_key, session.session_token
        raise Fault("InvalidClientTokenId", "The security token included in the request is invalid.")

    def _check_time(self, claim: _Claim) -> None:
        now = datetime.datetime.now(datetime.UTC)
        try:
            signed = datetime.datetime.strptime(claim.stamp, STAMP).replace(tzinfo=datetime.UTC)
        except ValueError:
            raise Fault(
                "IncompleteSignature", f"Date must be in ISO-8601 'basic format'. Got '{claim.stamp}'.", 400
            ) from None
        if claim.expires is not None:
            if now > signed + datetime.timedelta(seconds=claim.expires):
                raise Fault("AccessDenied", "Request has expired")
        elif abs(now - signed) > SKEW:
            raise Fault(
                "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."
            )


def _accounts(service: str) -> Iterator[tuple[str, Any]]:
    for account, regions in list(get_backend(service).items()):
        yield account, regions["aws"]


def _role(account: str, arn: str) -> Any:
    iam = get_backend("iam")[account]["aws"]
    return next((role for role in iam.get_roles() if role.arn == arn), None)


def _tags(tags: Any) -> dict[str, str]:
    """moto keeps tags as a list of pairs, or by key."""
    if isinstance(tags, dict):
        return {key: tag["Value"] if isinstance(tag, dict) else str(tag) for key, tag in tags.items()}
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def _claim(http: HttpRequest) -> _Claim | None:
    arguments = http.arguments
    if "X-Amz-Signature" in arguments:
        key, date, region, service, _ = _scope(arguments.get("X-Amz-Credential", ""))
        return _Claim(
            key,
            date,
            region,
            service,
            tuple(arguments.get("X-Amz-SignedHeaders", "host").split(";")),
            arguments["X-Amz-Signature"],
            arguments.get("X-Amz-Date", ""),
            arguments.get("X-Amz-Security-Token"),
            int(arguments.get("X-Amz-Expires", "0")),
        )
    authorization = http.headers.get("authorization")
    if authorization is None:
        return None
    match = AUTHORIZATION.match(authorization)
    if match is None:
        raise Fault("IncompleteSignature", "Authorization header requires a version 4 signature.", 400)
    key, date, region, service, _ = _scope(match["credential"])
    return _Claim(
        key,
        date,
        region,
        service,
        tuple(match["headers"].split(";")),
        match["signature"],
        http.headers.get("x-amz-date", ""),
        http.headers.get("x-amz-security-token"),
    )


def _scope(credential: str) -> list[str]:
    parts = credential.split("/")
    if len(parts) != 5:
        raise Fault("IncompleteSignature", f"Credential must have five parts. Got '{credential}'.", 400)
    return parts


def _signature(http: HttpRequest, claim: _Claim, secret: str) -> str:
    """The signature that the holder of the secret would have made, computed by botocore itself."""
    credentials = Credentials(claim.key, secret, claim.token)
    kind = SigV4Auth
    query = http.query
    if claim.service == "s3":
        kind = S3SigV4Auth if claim.expires is None else S3SigV4QueryAuth
    if claim.expires is not None:
        query = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))
    signer = kind(credentials, claim.service, claim.region)
    request = AWSRequest(
        method=http.method,
        url=f"https://{http.headers.get('host', '')}{http.raw_path}" + (f"?{query}" if query else ""),
        data=http.body,
        headers={name: http.headers[name] for name in claim.signed if name in http.headers},
    )
    if "x-amz-content-sha256" in http.headers and "x-amz-content-sha256" not in claim.signed:
        request.headers["X-Amz-Content-SHA256"] = http.headers["x-amz-content-sha256"]
    request.context["timestamp"] = claim.stamp
    canonical = signer.canonical_request(request)
    return str(signer.signature(signer.string_to_sign(request, canonical), request))


def _check_body(http: HttpRequest) -> None:
    claimed = http.headers.get("x-amz-content-sha256", "")
    if re.fullmatch(r"[0-9a-f]{64}", claimed) and claimed != hashlib.sha256(http.body).hexdigest():
        raise Fault(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
            400,
        )

"""What is asked, under which policies, and what was decided."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

ContextValue = str | tuple[str, ...]


class PrincipalKind(StrEnum):
    ROOT = "root"
    USER = "user"
    SESSION = "assumed-role session"
    FEDERATED_USER = "federated user session"
    SERVICE = "service"
    FEDERATED = "federated identity"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. Use the constructors: they fill the fields that belong together.

    `arn` is the identity of the request: the ARN of a user, of a role session (`arn:aws:sts::…:assumed-role/…`), of an account's root or of
    a federated user; the service principal of a service; the provider (SAML or OIDC provider's ARN, or the provider's host) of an identity
    that assumes a role with a token. `role` is the ARN of the role behind a session, `user` that of the user behind a federated user,
    `canonical_user` the account's canonical user ID, by which S3 can name an account.
    """

    kind: PrincipalKind
    arn: str
    account: str = ""
    role: str = ""
    user: str = ""
    canonical_user: str = ""

    @classmethod
    def root(cls, account: str, partition: str = "aws") -> Self:
        return cls(PrincipalKind.ROOT, f"arn:{partition}:iam::{account}:root", account)

    @classmethod
    def iam_user(cls, arn: str) -> Self:
        return cls(PrincipalKind.USER, arn, _account(arn))

    @classmethod
    def session(cls, role_arn: str, session_name: str) -> Self:
        """A session of a role. The role's ARN has the path, the session's has not."""
        partition, account = role_arn.split(":")[1], _account(role_arn)
        name = role_arn.rpartition("/")[2]
        arn = f"arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}"
        return cls(PrincipalKind.SESSION, arn, account, role=role_arn)

    @classmethod
    def federated_user(cls, user_arn: str, session_name: str) -> Self:
        """What `sts:GetFederationToken`, called by `user_arn`, returns credentials of."""
        partition, account = user_arn.split(":")[1], _account(user_arn)
        arn = f"arn:{partition}:sts::{account}:federated-user/{session_name}"
        return cls(PrincipalKind.FEDERATED_USER, arn, account, user=user_arn)

    @classmethod
    def service(cls, name: str) -> Self:
        """An AWS service that acts for itself, such as `pods.eks.amazonaws.com`."""
        return cls(PrincipalKind.SERVICE, name)

    @classmethod
    def federated(cls, provider: str) -> Self:
        """Someone whom an identity provider vouches for, before a role is assumed."""
        return cls(PrincipalKind.FEDERATED, provider)

    @classmethod
    def anonymous(cls) -> Self:
        return cls(PrincipalKind.ANONYMOUS, "")


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one resource.

    `resource` is an ARN, or `*` for actions that have no resource. `resource_account` owns the resource (or is addressed, if there is none).
    Keys of `context` are condition keys such as `aws:SecureTransport`, in any case; a value is a string, or a tuple for a multivalued key
    (an empty tuple means that the key is there without values). What follows from the principal (`aws:PrincipalArn`,
    `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:PrincipalIsAWSService`, `aws:username` of a user) and `aws:ResourceAccount`
    are filled in where the context doesn't say otherwise.
    """

    principal: Principal
    action: str
    resource: str
    resource_account: str
    context: Mapping[str, ContextValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """A named policy document in JSON. Parsing is cached by the text: keep the text, don't render it for each request."""

    name: str
    document: str

    @classmethod
    def of(cls, name: str, document: Mapping[str, Any]) -> Self:
        return cls(name, json.dumps(document, separators=(",", ":")))


@dataclass(frozen=True, slots=True)
class Policies:
    """Every policy that has a say in a request. What isn't given, isn't in force.

    - `identity`: policies of the role or user (and of its groups)
    - `boundary`: its permissions boundary
    - `session`: session policies passed when the session was made; together they are its limit
    - `scps`: service control policies of the principal's account, one tuple for each level from the root to the account; every level has to allow
    - `rcps`: resource control policies of the resource's account, by level too; they can only deny
    - `resource`: the policy on the resource itself: bucket, topic, repository, key policy, or a role's trust policy
    - `resource_must_allow`: no access without the resource's own policy, even within the account: KMS keys and the trust policies of roles.
      Without it, a resource policy is one of two ways to be allowed within the account.
    """

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] = ()
    scps: tuple[tuple[Policy, ...], ...] = ()
    rcps: tuple[tuple[Policy, ...], ...] = ()
    resource: Policy | None = None
    resource_must_allow: bool = False


class Reason(StrEnum):
    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


class Layer(StrEnum):
    IDENTITY = "identity policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SCP = "service control policy"
    RCP = "resource control policy"
    RESOURCE = "resource policy"
    ROOT = "account root"


@dataclass(frozen=True, slots=True)
class Decision:
    """`layer` made the decision: it granted, denied, or lacks the permission that it would have to give.

    `statement` names the statement: policy name and Sid (`risk-dev-training#ReadFeatures`) or, without Sid, position from 0
    (`risk-dev-training[2]`); `a#x and b#y` where both sides had to allow (across accounts, or by a key's delegation to its account).
    It is None when no statement speaks: an implicit deny, or the root of the account that owns the resource.
    """

    allowed: bool
    reason: Reason
    layer: Layer
    statement: str | None = None

    def __str__(self) -> str:
        return f"{self.reason} by {self.layer}" + (f" {self.statement}" if self.statement else "")


def _account(arn: str) -> str:
    return arn.split(":")[4]


class PolicyError(ValueError):
    """A policy document that AWS would refuse; the message says which policy, where, and what was expected."""

"""The interplay of policies, rule by rule: who may allow, who limits, who is named."""

from typing import Any

import pytest

from stagegate.evaluator import Decision, Layer, Policies, Policy, Principal, Reason, Request, evaluate

HOME, ABROAD = "111111111111", "222222222222"
ROLE_ARN = f"arn:aws:iam::{HOME}:role/risk/training"
USER_ARN = f"arn:aws:iam::{HOME}:user/ana"
ROLE = Principal.session(ROLE_ARN, "job-1")
USER = Principal.iam_user(USER_ARN)
FOREIGNER = Principal.session(f"arn:aws:iam::{ABROAD}:role/partner", "job-1")
FEDERATED_USER = Principal.federated_user(USER_ARN, "ana")
ROOT = Principal.root(HOME)
SERVICE = Principal.service("pods.eks.amazonaws.com")
SAML = Principal.federated(f"arn:aws:iam::{HOME}:saml-provider/northwind-sso")
ANYONE = Principal.anonymous()

OBJECT = "arn:aws:s3:::risk-dev-raw/a.csv"


def policy(name: str, *statements: dict[str, Any]) -> Policy:
    return Policy.of(name, {"Version": "2012-10-17", "Statement": list(statements)})


def says(effect: str, action: str = "s3:GetObject", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def by(name: str, effect: str, principal: Any, **more: Any) -> Policy:
    """A resource's policy."""
    return policy(name, says(effect, Principal=principal, Sid="It", **more))


YES, NO, OTHER = policy("yes", says("Allow")), policy("no", says("Deny")), policy("other", says("Allow", "sqs:*"))


def ask(principal: Principal, policies: Policies, action: str = "s3:GetObject", account: str = HOME) -> Decision:
    return evaluate(Request(principal, action, OBJECT, account), policies)


def allowed(layer: Layer, statement: str | None) -> Decision:
    return Decision(True, Reason.ALLOWED, layer, statement)


def denied(layer: Layer, statement: str) -> Decision:
    return Decision(False, Reason.EXPLICIT_DENY, layer, statement)


def missing(layer: Layer) -> Decision:
    return Decision(False, Reason.IMPLICIT_DENY, layer)


SESSION_ARN, ACCOUNT = ROLE.arn, f"arn:aws:iam::{HOME}:root"
GRANT_ROLE, GRANT_SESSION = by("bucket", "Allow", {"AWS": ROLE_ARN}), by("bucket", "Allow", {"AWS": SESSION_ARN})
GRANT_ACCOUNT, GRANT_ALL = by("bucket", "Allow", {"AWS": ACCOUNT}), by("bucket", "Allow", "*")
GRANT_USER = by("bucket", "Allow", {"AWS": USER_ARN})
GRANT_FOREIGNER, GRANT_ABROAD = by("bucket", "Allow", {"AWS": FOREIGNER.role}), by("bucket", "Allow", {"AWS": ABROAD})
BY_BUCKET = allowed(Layer.RESOURCE, "bucket#It")
BY_IDENTITY = allowed(Layer.IDENTITY, "yes[0]")
BY_BOTH = allowed(Layer.IDENTITY, "yes[0] and bucket#It")

CASES: dict[str, tuple[Principal, Policies, Decision]] = {
    # Within the account: identity or resource.
    "nothing allows": (ROLE, Policies(), missing(Layer.IDENTITY)),
    "identity allows": (ROLE, Policies((YES,)), BY_IDENTITY),
    "the second policy allows": (ROLE, Policies((OTHER, YES)), BY_IDENTITY),
    "identity denies": (ROLE, Policies((YES, NO)), denied(Layer.IDENTITY, "no[0]")),
    "resource allows the role": (ROLE, Policies(resource=GRANT_ROLE), BY_BUCKET),
    "resource allows the session": (ROLE, Policies(resource=GRANT_SESSION), BY_BUCKET),
    "resource allows the user": (USER, Policies(resource=GRANT_USER), BY_BUCKET),
    "resource allows everyone": (ROLE, Policies(resource=GRANT_ALL), BY_BUCKET),
    "resource delegates to the account": (ROLE, Policies(resource=GRANT_ACCOUNT), missing(Layer.IDENTITY)),
    "resource delegates and identity allows": (ROLE, Policies((YES,), resource=GRANT_ACCOUNT), BY_IDENTITY),
    "resource allows another session": (
        ROLE,
        Policies(resource=by("bucket", "Allow", {"AWS": SESSION_ARN + "0"})),
        missing(Layer.IDENTITY),
    ),
    "resource denies the account": (
        ROLE,
        Policies((YES,), resource=by("bucket", "Deny", {"AWS": HOME})),
        denied(Layer.RESOURCE, "bucket#It"),
    ),
    "resource denies the role": (
        ROLE,
        Policies((YES,), resource=by("bucket", "Deny", {"AWS": ROLE_ARN})),
        denied(Layer.RESOURCE, "bucket#It"),
    ),
    "resource denies somebody else": (
        ROLE,
        Policies((YES,), resource=by("bucket", "Deny", {"AWS": USER_ARN})),
        BY_IDENTITY,
    ),
    # The boundary limits identity policies and grants to the role, not those to users and sessions.
    "boundary allows": (ROLE, Policies((YES,), boundary=YES), BY_IDENTITY),
    "boundary alone gives nothing": (ROLE, Policies(boundary=YES), missing(Layer.IDENTITY)),
    "boundary doesn't allow": (ROLE, Policies((YES,), boundary=OTHER), missing(Layer.BOUNDARY)),
    "boundary denies": (ROLE, Policies((YES,), boundary=NO), denied(Layer.BOUNDARY, "no[0]")),
    "boundary limits a grant to the role": (
        ROLE,
        Policies(boundary=OTHER, resource=GRANT_ROLE),
        missing(Layer.BOUNDARY),
    ),
    "boundary doesn't limit a grant to the session": (
        ROLE,
        Policies(boundary=OTHER, resource=GRANT_SESSION),
        BY_BUCKET,
    ),
    "boundary doesn't limit a grant to the user": (USER, Policies(boundary=OTHER, resource=GRANT_USER), BY_BUCKET),
    "boundary doesn't limit a grant to everyone": (ROLE, Policies(boundary=OTHER, resource=GRANT_ALL), BY_BUCKET),
    "boundary's deny limits a grant to the session": (
        ROLE,
        Policies(boundary=NO, resource=GRANT_SESSION),
        denied(Layer.BOUNDARY, "no[0]"),
    ),
    # Session policies likewise.
    "session policy allows": (ROLE, Policies((YES,), session=(YES,)), BY_IDENTITY),
    "one session policy allows": (ROLE, Policies((YES,), session=(OTHER, YES)), BY_IDENTITY),
    "session policy doesn't allow": (ROLE, Policies((YES,), session=(OTHER,)), missing(Layer.SESSION)),
    "session policy alone gives nothing": (ROLE, Policies(session=(YES,)), missing(Layer.IDENTITY)),
    "session policy denies": (ROLE, Policies((YES,), session=(YES, NO)), denied(Layer.SESSION, "no[0]")),
    "session policy limits a grant to the role": (
        ROLE,
        Policies(session=(OTHER,), resource=GRANT_ROLE),
        missing(Layer.SESSION),
    ),
    "session policy doesn't limit a grant to the session": (
        ROLE,
        Policies(session=(OTHER,), resource=GRANT_SESSION),
        BY_BUCKET,
    ),
    "a user has no session policy": (USER, Policies((YES,), session=(OTHER,)), BY_IDENTITY),
    # Federated users have what their session policy and their user's policies both allow.
    "federated user without session policy": (FEDERATED_USER, Policies((YES,)), missing(Layer.SESSION)),
    "federated user with session policy": (FEDERATED_USER, Policies((YES,), session=(YES,)), BY_IDENTITY),
    "grant to the federated user": (
        FEDERATED_USER,
        Policies(session=(OTHER,), resource=by("bucket", "Allow", {"AWS": FEDERATED_USER.arn})),
        BY_BUCKET,
    ),
    "grant to the user behind": (
        FEDERATED_USER,
        Policies(session=(OTHER,), resource=GRANT_USER),
        missing(Layer.SESSION),
    ),
    "grant to the user behind, session policy allows": (
        FEDERATED_USER,
        Policies(session=(YES,), resource=GRANT_USER),
        BY_BUCKET,
    ),
    # Organization policies.
    "every SCP level allows": (ROLE, Policies((YES,), scps=((YES,), (OTHER, YES))), BY_IDENTITY),
    "one SCP level doesn't allow": (ROLE, Policies((YES,), scps=((YES,), (OTHER,))), missing(Layer.SCP)),
    "an SCP denies": (ROLE, Policies((YES,), scps=((YES, NO), (YES,))), denied(Layer.SCP, "no[0]")),
    "SCPs don't grant": (ROLE, Policies(scps=((YES,),)), missing(Layer.IDENTITY)),
    "SCPs limit grants of resources": (ROLE, Policies(scps=((OTHER,),), resource=GRANT_SESSION), missing(Layer.SCP)),
    "SCPs limit root": (ROOT, Policies(scps=((OTHER,),)), missing(Layer.SCP)),
    "SCPs don't reach services": (SERVICE, Policies(scps=((NO,),), resource=GRANT_ALL), BY_BUCKET),
    "SCPs don't reach service-linked roles": (
        Principal.session(f"arn:aws:iam::{HOME}:role/aws-service-role/x.amazonaws.com/X", "x"),
        Policies((YES,), scps=((NO,),)),
        BY_IDENTITY,
    ),
    "an RCP denies": (ROLE, Policies((YES,), rcps=((by("rcp", "Deny", "*"),),)), denied(Layer.RCP, "rcp#It")),
    "an RCP that doesn't deny": (
        ROLE,
        Policies((YES,), rcps=((by("rcp", "Deny", "*", action="sqs:*"),),)),
        BY_IDENTITY,
    ),
    "an RCP reaches strangers": (
        ANYONE,
        Policies(rcps=((by("rcp", "Deny", "*"),),), resource=GRANT_ALL),
        denied(Layer.RCP, "rcp#It"),
    ),
    # Across accounts: both sides.
    "abroad: identity alone": (FOREIGNER, Policies((YES,)), missing(Layer.RESOURCE)),
    "abroad: resource alone": (FOREIGNER, Policies(resource=GRANT_FOREIGNER), missing(Layer.IDENTITY)),
    "abroad: both": (FOREIGNER, Policies((YES,), resource=GRANT_FOREIGNER), BY_BOTH),
    "abroad: identity and the account": (FOREIGNER, Policies((YES,), resource=GRANT_ABROAD), BY_BOTH),
    "abroad: everyone is allowed but identity isn't": (
        FOREIGNER,
        Policies(resource=GRANT_ALL),
        missing(Layer.IDENTITY),
    ),
    "abroad: boundary limits": (
        FOREIGNER,
        Policies((YES,), boundary=OTHER, resource=GRANT_FOREIGNER),
        missing(Layer.BOUNDARY),
    ),
    "abroad: session policy limits": (
        FOREIGNER,
        Policies((YES,), session=(OTHER,), resource=by("bucket", "Allow", {"AWS": FOREIGNER.arn})),
        missing(Layer.SESSION),
    ),
    # Root, services, strangers.
    "root": (ROOT, Policies(), allowed(Layer.ROOT, None)),
    "root, denied by the bucket": (
        ROOT,
        Policies(resource=by("bucket", "Deny", "*")),
        denied(Layer.RESOURCE, "bucket#It"),
    ),
    "root of another account": (Principal.root(ABROAD), Policies(), missing(Layer.RESOURCE)),
    "root of another account, allowed": (
        Principal.root(ABROAD),
        Policies(resource=GRANT_ABROAD),
        allowed(Layer.ROOT, "bucket#It"),
    ),
    "service without a policy": (SERVICE, Policies((YES,)), missing(Layer.RESOURCE)),
    "service that is named": (SERVICE, Policies(resource=by("bucket", "Allow", {"Service": [SERVICE.arn]})), BY_BUCKET),
    "another service is named": (
        SERVICE,
        Policies(resource=by("bucket", "Allow", {"Service": "lambda.amazonaws.com"})),
        missing(Layer.RESOURCE),
    ),
    "a stranger": (ANYONE, Policies(resource=GRANT_ACCOUNT), missing(Layer.RESOURCE)),
    "a stranger, everyone is allowed": (ANYONE, Policies(resource=by("bucket", "Allow", {"AWS": "*"})), BY_BUCKET),
    "a canonical user": (
        Principal(FOREIGNER.kind, FOREIGNER.arn, ABROAD, FOREIGNER.role, canonical_user="c0ffee"),
        Policies((YES,), resource=by("bucket", "Allow", {"CanonicalUser": "c0ffee"})),
        BY_BOTH,
    ),
    # Keys and trust policies: the resource has to allow.
    "key without a policy": (ROLE, Policies((YES,), resource_must_allow=True), missing(Layer.RESOURCE)),
    "key that names nobody": (
        ROLE,
        Policies((YES,), resource=by("bucket", "Allow", {"AWS": USER_ARN}), resource_must_allow=True),
        missing(Layer.RESOURCE),
    ),
    "key that names the role": (ROLE, Policies(resource=GRANT_ROLE, resource_must_allow=True), BY_BUCKET),
    "key that delegates": (ROLE, Policies(resource=GRANT_ACCOUNT, resource_must_allow=True), missing(Layer.IDENTITY)),
    "key that delegates and identity": (
        ROLE,
        Policies((YES,), resource=GRANT_ACCOUNT, resource_must_allow=True),
        BY_BOTH,
    ),
    "root on a key that names others": (
        ROOT,
        Policies(resource=GRANT_ROLE, resource_must_allow=True),
        missing(Layer.RESOURCE),
    ),
    "root on a key that names the account": (
        ROOT,
        Policies(resource=GRANT_ACCOUNT, resource_must_allow=True),
        BY_BUCKET,
    ),
    "provider that a role trusts": (
        SAML,
        Policies(resource=by("bucket", "Allow", {"Federated": SAML.arn}), resource_must_allow=True),
        BY_BUCKET,
    ),
    "provider that a role doesn't trust": (
        SAML,
        Policies(resource=by("bucket", "Allow", {"Federated": SAML.arn + "2"}), resource_must_allow=True),
        missing(Layer.RESOURCE),
    ),
    # NotPrincipal spares whoever is listed with all that stands behind.
    "spared: user and account": (
        USER,
        Policies((YES,), resource=policy("bucket", says("Deny", NotPrincipal={"AWS": [USER_ARN, ACCOUNT]}))),
        BY_IDENTITY,
    ),
    "not spared: user alone": (
        USER,
        Policies((YES,), resource=policy("bucket", says("Deny", NotPrincipal={"AWS": USER_ARN}))),
        denied(Layer.RESOURCE, "bucket[0]"),
    ),
    "not spared: account alone": (
        USER,
        Policies((YES,), resource=policy("bucket", says("Deny", NotPrincipal={"AWS": ACCOUNT}))),
        denied(Layer.RESOURCE, "bucket[0]"),
    ),
    "spared: session, role and account": (
        ROLE,
        Policies((YES,), resource=policy("bucket", says("Deny", NotPrincipal={"AWS": [SESSION_ARN, ROLE_ARN, HOME]}))),
        BY_IDENTITY,
    ),
    "not spared: role and account": (
        ROLE,
        Policies((YES,), resource=policy("bucket", says("Deny", NotPrincipal={"AWS": [ROLE_ARN, HOME]}))),
        denied(Layer.RESOURCE, "bucket[0]"),
    ),
    "not spared: whoever has a boundary": (
        USER,
        Policies((YES,), YES, resource=policy("bucket", says("Deny", NotPrincipal={"AWS": [USER_ARN, ACCOUNT]}))),
        denied(Layer.RESOURCE, "bucket[0]"),
    ),
    "spared: the service": (
        SERVICE,
        Policies(
            resource=policy(
                "bucket",
                says("Deny", NotPrincipal={"Service": SERVICE.arn}),
                says("Allow", Principal={"Service": SERVICE.arn}),
            )
        ),
        allowed(Layer.RESOURCE, "bucket[1]"),
    ),
}


@pytest.mark.parametrize(("principal", "policies", "expected"), CASES.values(), ids=CASES.keys())
def test_decision(principal: Principal, policies: Policies, expected: Decision) -> None:
    assert ask(principal, policies) == expected


def test_decision_reads_as_a_sentence() -> None:
    assert (
        str(denied(Layer.RESOURCE, "risk-dev-raw#TlsOnly")) == "explicit deny by resource policy risk-dev-raw#TlsOnly"
    )
    assert str(missing(Layer.BOUNDARY)) == "implicit deny by permissions boundary"


def test_session_leaves_out_the_path_of_its_role() -> None:
    assert ROLE.arn == f"arn:aws:sts::{HOME}:assumed-role/training/job-1"
    assert ROLE.role == ROLE_ARN


@pytest.mark.parametrize(
    ("principal", "facts"),
    [
        (ROLE, {"aws:PrincipalArn": ROLE_ARN, "aws:PrincipalAccount": HOME, "aws:PrincipalType": "AssumedRole"}),
        (USER, {"aws:PrincipalArn": USER_ARN, "aws:username": "ana", "aws:PrincipalType": "User"}),
        (ROOT, {"aws:PrincipalArn": ACCOUNT, "aws:PrincipalType": "Account", "aws:PrincipalIsAWSService": "false"}),
        (SERVICE, {"aws:PrincipalIsAWSService": "true", "aws:ResourceAccount": HOME}),
        (ANYONE, {"aws:PrincipalType": "Anonymous", "aws:PrincipalAccount": "anonymous"}),
    ],
    ids=["session", "user", "root", "service", "anonymous"],
)
def test_facts_about_the_principal_are_known(principal: Principal, facts: dict[str, str]) -> None:
    denies = by("bucket", "Deny", "*", Condition={"StringEquals": facts})
    assert ask(principal, Policies(resource=denies)) == denied(Layer.RESOURCE, "bucket#It")


def test_stated_facts_go_before_derived_ones() -> None:
    request = Request(USER, "s3:GetObject", OBJECT, HOME, {"AWS:UserName": "bo"})
    only_bo = policy("yes", says("Allow", Condition={"StringEquals": {"aws:username": "bo"}}))
    assert evaluate(request, Policies((only_bo,))).allowed

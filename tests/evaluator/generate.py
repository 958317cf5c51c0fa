"""Cases for the oracle: seeded, and shaped so that every layer both allows and denies often.

In each case one layer is in focus: its policies are varied, those of the other layers mostly let the request through. Facts are strict:
only actions, resources and condition keys that exist in AWS's Service Authorization Reference.
"""

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from stagegate.evaluator import Policies, Policy, Principal, PrincipalKind, Request
from stagegate.evaluator.model import ContextValue

HOME, ABROAD, ELSEWHERE = "111111111111", "222222222222", "999999999999"
KINDS = ("string", "number", "date", "bool", "ip", "arn", "binary")


@dataclass(frozen=True)
class Target:
    actions: tuple[str, ...]
    arns: tuple[str, ...]
    near: tuple[str, ...]
    """Patterns that match some of the ARNs, and some that match none."""
    keys: tuple[str, ...] = ()
    resource_policy: bool = True
    must_allow: bool = False
    resource_element: bool = True


TARGETS = {
    "object": Target(
        ("s3:GetObject", "s3:PutObject"),
        (
            "arn:aws:s3:::risk-dev-raw/2024/a.csv",
            "arn:aws:s3:::risk-dev-raw/home/ana/x",
            "arn:aws:s3:::risk-dev-models/a+b(1).bin",
        ),
        (
            "arn:aws:s3:::risk-dev-raw/*",
            "arn:aws:s3:::risk-dev-*",
            "arn:aws:s3:::risk-dev-???/*/?.csv",
            "arn:aws:s3:::*",
            "arn:*:s3:::risk-dev-models/*",
            "arn:aws:s3:::risk-dev-raw/home/${aws:username}/*",
            "arn:aws:s3:::risk-dev-raw/home/${aws:PrincipalTag/owner, 'ana'}/*",
            "arn:aws:s3:::risk-dev-raw/${aws:PrincipalTag/team}/*",
            "arn:aws:s3:::risk-dev-raw/${*}/*",
            "arn:aws:s3:::marketing-dev-raw/*",
            "arn:aws:s3:::risk-dev-raw",
            "arn:aws:s3:::RISK-dev-raw/*",
        ),
    ),
    "bucket": Target(
        ("s3:ListBucket",),
        ("arn:aws:s3:::risk-dev-raw", "arn:aws:s3:::risk-dev-models"),
        ("arn:aws:s3:::risk-dev-raw", "arn:aws:s3:::risk-*", "arn:aws:s3:::*", "arn:aws:s3:::risk-dev-raw/*"),
        ("s3:prefix", "s3:max-keys"),
    ),
    "topic": Target(
        ("sns:Publish",),
        (f"arn:aws:sns:eu-central-1:{HOME}:risk-dev-page", f"arn:aws:sns:eu-west-1:{HOME}:risk-dev-page"),
        (
            f"arn:aws:sns:eu-central-1:{HOME}:risk-*",
            f"arn:aws:sns:*:{HOME}:*",
            "arn:aws:sns:eu-*:*:risk-dev-page",
            "arn:aws:sns:*",
            "arn:aws:sns:*:risk-dev-page",
            f"arn:aws:sns:eu-central-?:{HOME}:*",
            f"arn:aws:sns:us-*:{HOME}:*",
            f"arn:aws:sqs:*:{HOME}:*",
        ),
    ),
    "key": Target(
        ("kms:Decrypt", "kms:GenerateDataKey"),
        (f"arn:aws:kms:eu-central-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab",),
        (f"arn:aws:kms:*:{HOME}:key/*", "arn:aws:kms:*:*:key/1234*", f"arn:aws:kms:eu-west-1:{HOME}:key/*"),
        ("kms:ViaService", "kms:CallerAccount", "kms:EncryptionContextKeys", "aws:ResourceTag/department"),
        must_allow=True,
    ),
    "table": Target(
        ("dynamodb:GetItem", "dynamodb:PutItem"),
        (f"arn:aws:dynamodb:eu-central-1:{HOME}:table/risk-dev-card_activity",),
        (
            f"arn:aws:dynamodb:eu-central-1:{HOME}:table/risk-dev-*",
            f"arn:aws:dynamodb:*:{HOME}:table/*",
            f"arn:aws:dynamodb:*:{HOME}:table/risk-dev-card_activit?",
            f"arn:aws:dynamodb:*:{HOME}:table/${{aws:PrincipalTag/team}}-dev-*",
            f"arn:aws:dynamodb:*:{ABROAD}:table/*",
        ),
        ("dynamodb:Attributes", "dynamodb:LeadingKeys", "aws:ResourceTag/department"),
    ),
    "group": Target(
        ("logs:GetLogEvents", "logs:PutLogEvents"),
        (f"arn:aws:logs:eu-central-1:{HOME}:log-group:/stagegate/risk-dev/training:log-stream:a",),
        (
            f"arn:aws:logs:*:{HOME}:log-group:/stagegate/risk-dev/*",
            f"arn:aws:logs:*:{HOME}:log-group:/stagegate/*:log-stream:*",
            f"arn:aws:logs:*:{HOME}:log-group:/stagegate/risk-dev/*:log-stream:b*",
            f"arn:aws:logs:*:{HOME}:log-group:/other/*",
        ),
        resource_policy=False,
    ),
    "repository": Target(
        ("ecr:BatchGetImage", "ecr:PutImage"),
        (f"arn:aws:ecr:eu-central-1:{HOME}:repository/risk-dev/card-fraud",),
        (
            f"arn:aws:ecr:*:{HOME}:repository/risk-dev/*",
            f"arn:aws:ecr:*:{HOME}:repository/*",
            f"arn:aws:ecr:*:{HOME}:repository/marketing-dev/*",
        ),
        ("ecr:ResourceTag/department", "aws:ResourceTag/department"),
        resource_element=False,
    ),
    "trust": Target(
        ("sts:AssumeRole", "sts:TagSession"),
        (f"arn:aws:iam::{HOME}:role/risk-dev-training", f"arn:aws:iam::{HOME}:role/team/risk-dev-serving"),
        (f"arn:aws:iam::{HOME}:role/risk-dev-*", f"arn:aws:iam::{HOME}:role/*", "arn:aws:iam::*:role/team/*"),
        ("aws:RequestTag/group", "aws:TagKeys"),
        must_allow=True,
        resource_element=False,
    ),
    "passed role": Target(
        ("iam:PassRole",),
        (f"arn:aws:iam::{HOME}:role/risk-dev-training",),
        (f"arn:aws:iam::{HOME}:role/risk-dev-*", f"arn:aws:iam::{HOME}:role/*-serving"),
        ("iam:PassedToService", "iam:AssociatedResourceArn"),
        resource_policy=False,
    ),
    "nothing": Target(
        ("ecr:GetAuthorizationToken", "s3:ListAllMyBuckets"), ("*",), ("arn:aws:s3:::*",), resource_policy=False
    ),
}

KEYS: dict[str, tuple[str, tuple[str, ...]]] = {
    "aws:SourceIp": ("ip", ("10.16.3.4", "203.0.113.9", "2001:db8::17")),
    "aws:CurrentTime": ("date", ("2024-05-01T12:00:00Z", "2024-05-02T00:00:00Z", "2023-12-31T23:59:59Z")),
    "aws:EpochTime": ("date", ("1714564800", "1714608000")),
    "aws:TokenIssueTime": ("date", ("2024-05-01T11:00:00Z",)),
    "aws:MultiFactorAuthAge": ("number", ("0", "300", "3600", "12.5")),
    "aws:MultiFactorAuthPresent": ("bool", ("true", "false")),
    "aws:SecureTransport": ("bool", ("true", "false")),
    "aws:PrincipalTag/team": ("string", ("risk", "marketing", "2024")),
    "aws:PrincipalTag/department": ("string", ("risk", "Risk", "marketing")),
    "aws:PrincipalTag/owner": ("string", ("ana", "bo*", "a?a")),
    "aws:PrincipalTag/seal": ("binary", ("c2VjcmV0", "b3RoZXI=")),
    "aws:ResourceTag/department": ("string", ("risk", "marketing")),
    "aws:PrincipalOrgID": ("string", ("o-northwind01", "o-other00001")),
    "aws:PrincipalOrgPaths": (
        "strings",
        ("o-northwind01/r-ab12/ou-1/", "o-northwind01/r-ab12/ou-2/", "o-other00001/r-x/"),
    ),
    "aws:RequestTag/department": ("string", ("risk", "marketing")),
    "aws:TagKeys": ("strings", ("department", "owner", "group")),
    "aws:SourceArn": (
        "arn",
        (f"arn:aws:sns:eu-central-1:{HOME}:risk-dev-page", f"arn:aws:eks:eu-west-1:{ABROAD}:cluster/dev"),
    ),
    "aws:SourceAccount": ("string", (HOME, ABROAD)),
    "aws:SourceVpce": ("string", ("vpce-0a", "vpce-0b")),
    "aws:RequestedRegion": ("string", ("eu-central-1", "us-east-1")),
    "aws:UserAgent": ("string", ("aws-cli/2.1", "Boto3/1.4")),
    "s3:prefix": ("string", ("", "home/ana/", "2024/")),
    "s3:max-keys": ("number", ("10", "1000")),
    "kms:ViaService": ("string", ("s3.eu-central-1.amazonaws.com", "dynamodb.eu-central-1.amazonaws.com")),
    "kms:CallerAccount": ("string", (HOME, ABROAD)),
    "kms:EncryptionContextKeys": ("strings", ("aws:s3:arn", "tenant")),
    "dynamodb:Attributes": ("strings", ("id", "amount", "name")),
    "dynamodb:LeadingKeys": ("strings", ("risk", "marketing")),
    "ecr:ResourceTag/department": ("string", ("risk", "marketing")),
    "aws:RequestTag/group": ("string", ("risk-scientists", "marketing-scientists")),
    "iam:PassedToService": ("string", ("eks.amazonaws.com", "sagemaker.amazonaws.com")),
    "iam:AssociatedResourceArn": ("arn", (f"arn:aws:eks:eu-central-1:{HOME}:cluster/platform-dev",)),
}
GLOBAL = tuple(
    key for key in KEYS if key.startswith("aws:") and key not in {"aws:RequestTag/group", "aws:ResourceTag/department"}
)
FILLED_IN = {
    "aws:PrincipalArn": ("arn", (f"arn:aws:iam::{HOME}:role/analyst", f"arn:aws:iam::{HOME}:user/ana")),
    "aws:PrincipalAccount": ("string", (HOME, ABROAD)),
    "aws:PrincipalType": ("string", ("AssumedRole", "User")),
    "aws:PrincipalIsAWSService": ("bool", ("true", "false")),
    "aws:username": ("string", ("ana", "bo")),
    "aws:ResourceAccount": ("string", (HOME, ABROAD)),
}
ORDERS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS = {
    "string": ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"),
    "number": tuple(f"Numeric{order}" for order in ORDERS),
    "date": tuple(f"Date{order}" for order in ORDERS),
    "bool": ("Bool",),
    "binary": ("BinaryEquals",),
    "ip": ("IpAddress", "NotIpAddress"),
    "arn": ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike"),
}  # fmt: skip
OPERATORS["strings"] = OPERATORS["string"]

Case = tuple[Request, Policies]
Document = dict[str, Any]


class Generator:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def cases(self, count: int) -> list[Case]:
        return [self.case() for _ in range(count)]

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def case(self) -> Case:
        random = self.random
        name = random.choice(list(TARGETS))
        target = TARGETS[name]
        focus = random.choice(("identity", "boundary", "session", "scp", "rcp", "resource", "resource", "condition"))
        if not target.resource_policy and focus in {"resource", "rcp"}:
            focus = "identity"
        principal = self.principal(focus, target)
        request = self.request(principal, target)
        return request, self.policies(request, target, focus)

    def principal(self, focus: str, target: Target) -> Principal:
        account = ABROAD if target.resource_policy and self.chance(0.25) else HOME
        role = Principal.session(f"arn:aws:iam::{account}:role/{self.random.choice(('', 'team/'))}analyst", "ana")
        user = Principal.iam_user(f"arn:aws:iam::{account}:user/ana")
        if focus == "session":
            return role if self.chance(0.8) else Principal.federated_user(user.arn, "ana")
        choices = [role, role, role, user, user]
        if target.resource_policy and focus in {"resource", "rcp", "condition"}:
            choices += [Principal.service("pods.eks.amazonaws.com"), Principal.root(account), Principal.anonymous()]
            choices += [Principal.federated_user(user.arn, "ana")]
            if target is TARGETS["trust"]:
                choices += [Principal.federated(f"arn:aws:iam::{HOME}:saml-provider/northwind-sso")] * 3
        return self.random.choice(choices)

    def request(self, principal: Principal, target: Target) -> Request:
        context: dict[str, ContextValue] = {}
        for key in (*GLOBAL, *target.keys):
            if self.chance(0.6):
                kind, values = KEYS[key]
                picked = self.random.sample(values, self.random.randint(1, len(values)))
                context[key] = tuple(picked if self.chance(0.9) else []) if kind == "strings" else picked[0]
        action = self.random.choice(target.actions)
        if self.chance(0.1):
            action = action.swapcase()
        return Request(principal, action, self.random.choice(target.arns), HOME, context)

    def policies(self, request: Request, target: Target, focus: str) -> Policies:
        kind = request.principal.kind
        person = kind in {PrincipalKind.USER, PrincipalKind.SESSION, PrincipalKind.FEDERATED_USER}
        identity: tuple[Policy, ...] = ()
        if person and not (focus == "resource" and self.chance(0.5)):
            varied = focus in {"identity", "condition"}
            identity = tuple(
                self.policy(f"identity-{index}", request, target, varied=varied, conditions=focus == "condition")
                for index in range(self.random.choice((1, 1, 2)))
            )
        boundary = None
        if person and (focus == "boundary" or self.chance(0.2)):
            boundary = self.policy("boundary", request, target, varied=focus == "boundary")
        session: tuple[Policy, ...] = ()
        if kind in {PrincipalKind.SESSION, PrincipalKind.FEDERATED_USER} and (focus == "session" or self.chance(0.2)):
            session = (self.policy("session", request, target, varied=focus == "session"),)
        resource = None
        if target.resource_policy and (target.must_allow or focus in {"resource", "condition"} or self.chance(0.4)):
            resource = self.policy("resource", request, target, varied=focus == "resource", on_resource=True)
        scps: tuple[tuple[Policy, ...], ...] = ()
        if (person or kind is PrincipalKind.ROOT) and (focus == "scp" or self.chance(0.2)):
            depth = self.random.randint(1, 3)
            chosen = self.random.randrange(depth)
            scps = tuple(
                (self.policy(f"scp-{level}", request, target, varied=focus == "scp" and level == chosen),)
                for level in range(depth)
            )
        rcps: tuple[tuple[Policy, ...], ...] = ()
        if target.resource_policy and (focus == "rcp" or self.chance(0.1)):
            rcps = tuple((self.rcp(f"rcp-{level}", request, target, focus == "rcp"),) for level in range(2))
        return Policies(identity, boundary, session, scps, rcps, resource, target.must_allow)

    def policy(
        self,
        name: str,
        request: Request,
        target: Target,
        *,
        varied: bool,
        on_resource: bool = False,
        conditions: bool = False,
    ) -> Policy:
        listed = []
        for index in range(self.random.choice((1, 1, 2, 3)) if varied else 1):
            statement: Document = {"Effect": "Deny" if varied and self.chance(0.25) else "Allow"}
            if self.chance(0.5):
                statement["Sid"] = f"S{index}"
            if on_resource:
                self.add_principal(statement, request, varied)
            self.add_action(statement, request, varied)
            if not on_resource or target.resource_element:
                self.add_resource(statement, request, target, varied, on_resource)
            amount = self.random.choice((1, 1, 2) if conditions else (0, 1, 2)) if varied else self.chance(0.1)
            self.add_conditions(statement, request, target, int(amount))
            listed.append(statement)
        version = "2008-10-17" if self.chance(0.03) else "2012-10-17"
        document = {"Version": version, "Statement": listed[0] if len(listed) == 1 and self.chance(0.5) else listed}
        return Policy(name, json.dumps(document))

    def rcp(self, name: str, request: Request, target: Target, varied: bool) -> Policy:
        statement: Document = {"Effect": "Deny", "Principal": "*"}
        service = request.action.partition(":")[0].lower()
        statement["Action"] = self.random.choice((f"{service}:*", "sqs:*", request.action)) if varied else "sqs:*"
        self.add_resource(statement, request, target, varied, on_resource=True)
        self.add_conditions(statement, request, target, self.random.choice((1, 1, 2)))
        return Policy.of(name, {"Version": "2012-10-17", "Statement": [statement]})

    def add_principal(self, statement: Document, request: Request, varied: bool) -> None:
        principal = request.principal
        deny = statement["Effect"] == "Deny"
        mine = [name for name in (principal.arn, principal.role, principal.user, principal.account) if name]
        others = [f"arn:aws:iam::{HOME}:user/bo", f"arn:aws:iam::{HOME}:role/other", ELSEWHERE]
        others.append(f"arn:aws:sts::{HOME}:assumed-role/analyst/somebody-else")
        if principal.kind is PrincipalKind.SERVICE:
            named: Any = {"Service": [principal.arn] if self.chance(0.7) else "lambda.amazonaws.com"}
        elif principal.kind is PrincipalKind.FEDERATED:
            named = {"Federated": principal.arn if self.chance(0.7) else f"arn:aws:iam::{HOME}:saml-provider/other"}
        elif deny and self.chance(0.3) and principal.kind is not PrincipalKind.ANONYMOUS:
            complete = [f"arn:aws:iam::{principal.account}:root", *mine[:-1]] if self.chance(0.6) else mine[:1]
            statement["NotPrincipal"] = {"AWS": complete}
            return
        else:
            account = (f"arn:aws:iam::{principal.account}:root",) if principal.account else ()
            pool = [*mine, *mine, *account] if self.chance(0.75) or not varied else others
            picked = [self.random.choice(pool)] if pool else []
            if self.chance(0.2):
                picked.append(self.random.choice(others))
            named = {"AWS": picked} if picked else {"AWS": "*"}
            if len(picked) == 1 and self.chance(0.5):
                named = {"AWS": picked[0]}
        if self.chance(0.15):
            named = self.random.choice(("*", {"AWS": "*"}))
        elif self.chance(0.1) and "Service" not in named:
            named["Service"] = "lambda.amazonaws.com"
        statement["Principal"] = named

    def add_action(self, statement: Document, request: Request, varied: bool) -> None:
        service, _, verb = request.action.partition(":")
        fitting = [request.action, f"{service}:*", f"{service}:{verb[:3]}*", f"{service.upper()}:?{verb[1:]}", "*"]
        other = [f"{service}:Describe*", "ec2:RunInstances", f"{service}:{verb}s"]
        chosen = [self.random.choice(fitting if not varied or self.chance(0.8) else other)]
        if self.chance(0.4):
            chosen.append(self.random.choice(other))
        element = "Action"
        if varied and self.chance(0.15):
            element, chosen = "NotAction", [self.random.choice(other if self.chance(0.8) else fitting[:-1])]
        statement[element] = chosen[0] if len(chosen) == 1 and self.chance(0.5) else chosen

    def add_resource(
        self, statement: Document, request: Request, target: Target, varied: bool, on_resource: bool
    ) -> None:
        if not varied:
            statement["Resource"] = "*"
            return
        chosen = [self.random.choice(target.near) if self.chance(0.6) else request.resource]
        if self.chance(0.3):
            chosen.append(self.random.choice(target.near))
        if self.chance(0.1) and not on_resource:
            chosen = ["*"]
        element = "NotResource" if self.chance(0.12) else "Resource"
        statement[element] = chosen[0] if len(chosen) == 1 and self.chance(0.5) else chosen

    def add_conditions(self, statement: Document, request: Request, target: Target, amount: int) -> None:
        block: dict[str, dict[str, Any]] = {}
        for _ in range(amount):
            key = self.random.choice((*GLOBAL, *target.keys, *target.keys, *FILLED_IN))
            kind, pool = KEYS.get(key) or FILLED_IN[key]
            if self.chance(0.08):
                block.setdefault("Null", {})[key] = self.random.choice(("true", "false", ["true", "false"]))
                continue
            operator = self.random.choice(OPERATORS[kind])
            if self.chance(0.2):
                operator += "IfExists"
            if (kind == "strings" and self.chance(0.95)) or self.chance(0.03):
                operator = f"{self.random.choice(('ForAllValues', 'ForAnyValue'))}:{operator}"
            values = [self.value(key, kind, operator, pool, request) for _ in range(self.random.choice((1, 1, 2, 3)))]
            written = key.upper() if self.chance(0.05) and "/" not in key else key
            block.setdefault(operator, {})[written] = values[0] if len(values) == 1 and self.chance(0.6) else values
        if block:
            statement["Condition"] = block

    def value(self, key: str, kind: str, operator: str, pool: tuple[str, ...], request: Request) -> Any:
        random = self.random
        actual = request.context.get(key)
        if isinstance(actual, str) and self.chance(0.4):
            pool = (actual,)
        value = random.choice(pool)
        if kind in {"string", "strings"}:
            if "Like" in operator and self.chance(0.6):
                return random.choice(
                    (f"{value[:2]}*", f"*{value[-2:]}", f"?{value[1:]}", "*", f"{value}?", "${*}", f"[{value}]")
                )
            if self.chance(0.12):
                return random.choice(
                    (
                        "${aws:PrincipalTag/team}",
                        "${aws:PrincipalTag/department, 'risk'}",
                        "${aws:username}",
                        "${aws:ResourceTag/department}",
                        "${?}",
                        "${$}x",
                    )
                )
            return value.upper() if self.chance(0.1) else value
        if kind == "number":
            return random.choice(("0", "10", "100", "300", "299.5", "12.5", 300, "-1"))
        if kind == "date":
            if key == "aws:EpochTime":
                return random.choice(("1714564800", "1714564801", "1714608000", "1700000000"))
            return random.choice(
                (
                    value,
                    "2024-05-01",
                    "2024-05-01T12:00Z",
                    "2024-05-01T14:00:00+02:00",
                    "2024-06",
                    "2023-12-31T23:59:59.000Z",
                )
            )
        if kind == "bool":
            return random.choice(("true", "false", "True", True, False))
        if kind == "ip":
            return random.choice(
                (
                    "10.0.0.0/8",
                    "10.16.3.4",
                    "203.0.113.0/24",
                    "2001:db8::/32",
                    "2001:db8::17",
                    "0.0.0.0/0",
                    "::/0",
                    "10.16.3.5/32",
                )
            )
        if kind == "arn":
            parts = value.split(":")
            return random.choice(
                (
                    value,
                    ":".join([*parts[:5], "*"]),
                    ":".join([*parts[:3], "*", "*", *parts[5:]]),
                    f"{value[:-2]}??",
                    "arn:aws:iam::*:*",
                )
            )
        return value

"""A policy that AWS would refuse is refused by name, place and expectation."""

import json
from typing import Any

import pytest

from stagegate.evaluator import Policies, Policy, PolicyError, Principal, Request, evaluate

HOME = "111111111111"
GOOD: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
ASKED = Request(Principal.iam_user(f"arn:aws:iam::{HOME}:user/ana"), "s3:GetObject", "arn:aws:s3:::b/k", HOME)


def document(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


def when(operator: str, values: Any) -> str:
    return document({**GOOD, "Condition": {operator: {"aws:Key": values}}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON: Expecting property name"),
        ("[]", "expected a JSON object"),
        ('{"Version": "2012-10-17"}', "Statement is missing or empty"),
        (document(), "Statement is missing or empty"),
        (json.dumps({"Version": "2021", "Statement": [GOOD]}), "Version is '2021', expected 2012-10-17 or 2008-10-17"),
        (json.dumps({"Statements": [GOOD]}), "unknown element Statements"),
        ('{"Statement": [], "Statement": []}', "element Statement is given twice"),
        (document("x"), "statement 0: expected a JSON object"),
        (document({**GOOD, "effect": "Deny"}), "statement 0: unknown element effect"),
        (document({**GOOD, "Effect": "allow"}), "statement 0: Effect is 'allow', expected Allow or Deny"),
        (document(GOOD, without("Effect")), "statement 1: Effect is None, expected Allow or Deny"),
        (document({**without("Action"), "Sid": "Read"}), "statement Read: has neither Action nor NotAction"),
        (document({**GOOD, "NotAction": "s3:*"}), "statement 0: has both Action and NotAction"),
        (document({**GOOD, "Action": []}), "statement 0: Action: expected a string or a list of strings"),
        (document({**GOOD, "Action": "GetObject"}), "Action: 'GetObject' is not an action such as s3:GetObject"),
        (document({**GOOD, "Action": "s*:GetObject"}), "Action: 's*:GetObject' is not an action such as s3:GetObject"),
        (document(without("Resource")), "has neither Resource nor NotResource"),
        (document({**GOOD, "Resource": "bucket"}), "Resource: 'bucket' is neither an ARN nor \"*\""),
        (document({**GOOD, "Principal": "*"}), "Principal belongs to policies of resources"),
        (document({**GOOD, "Sid": "A"}, {**GOOD, "Sid": "A"}), "statement A: Sid is not unique"),
        (document({**GOOD, "Condition": []}), "Condition: expected an object of operators"),
        (document({**GOOD, "Condition": {"Bool": "true"}}), "Condition.Bool: expected an object of condition keys"),
        (when("StringEquals", []), "Condition.StringEquals.aws:Key: expected a string or a list of strings"),
        (when("StringEqual", "x"), "Condition.StringEqual.aws:Key: unknown condition operator StringEqual"),
        (when("ForSomeValues:StringEquals", "x"), "unknown set operator ForSomeValues in ForSomeValues:StringEquals"),
        (when("NullIfExists", "true"), "Null takes neither IfExists nor a set operator: NullIfExists"),
        (when("Null", "maybe"), "Null takes true or false, not 'maybe'"),
        (when("Bool", "yes"), "Bool takes true or false, not 'yes'"),
        (when("NumericEquals", "ten"), "expected a number, not 'ten'"),
        (when("DateEquals", "tomorrow"), "expected a date in ISO 8601 or epoch seconds, not 'tomorrow'"),
        (when("IpAddress", "10.0.0.0/33"), "expected an IP address or a range in CIDR notation, not '10.0.0.0/33'"),
        (when("BinaryEquals", "?"), "expected base64, not '?'"),
    ],
)
def test_refused_on_an_identity(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        evaluate(ASKED, Policies((Policy("training", text),)))
    assert str(caught.value).startswith("policy training: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (GOOD, "has neither Principal nor NotPrincipal"),
        ({**GOOD, "Principal": "arn:aws:iam::111111111111:root"}, 'Principal: expected "*" or an object'),
        ({**GOOD, "Principal": {}}, 'Principal: expected "*" or an object'),
        ({**GOOD, "Principal": {"Aws": "*"}}, "Principal: unknown type Aws"),
        ({**GOOD, "Principal": {"AWS": []}}, "Principal.AWS: expected a string or a list of strings"),
        (
            {**GOOD, "Principal": {"AWS": "arn:aws:iam::111111111111:role/*"}},
            "is not an account, user, role or session",
        ),
        ({**GOOD, "Principal": {"AWS": "1234"}}, "Principal.AWS: '1234' is not an account, user, role or session"),
        ({**GOOD, "NotPrincipal": {"AWS": HOME}}, "NotPrincipal works only with Deny"),
        ({**GOOD, "Principal": "*", "NotPrincipal": "*"}, "has both Principal and NotPrincipal"),
    ],
)
def test_refused_on_a_resource(statement: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        evaluate(ASKED, Policies(resource=Policy("bucket", document(statement))))
    assert message in str(caught.value)


def test_policies_on_resources_may_leave_the_resource_out() -> None:
    trust = Policy("trust", document({"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "sts:AssumeRole"}))
    evaluate(ASKED, Policies(resource=trust))


def test_deleted_principals_are_nobody() -> None:
    text = document({**GOOD, "Principal": {"AWS": "AROAEXAMPLEEXAMPLEEX"}})
    assert not evaluate(ASKED, Policies(resource=Policy("bucket", text))).allowed

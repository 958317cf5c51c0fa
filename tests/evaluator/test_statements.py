"""What a single statement applies to: actions, resources, variables, conditions."""

from typing import Any

import pytest

from stagegate.evaluator import Policies, Policy, Principal, Request, evaluate

HOME = "111111111111"
USER = Principal.iam_user(f"arn:aws:iam::{HOME}:user/ana")
TABLE = f"arn:aws:dynamodb:eu-central-1:{HOME}:table/risk-dev-card_activity"


def applies(
    statement: dict[str, Any],
    action: str = "s3:GetObject",
    resource: str = "arn:aws:s3:::b/k",
    context: dict[str, str | tuple[str, ...]] | None = None,
    version: str = "2012-10-17",
) -> bool:
    """Whether the statement allows, and so whether it applies."""
    complete = {"Effect": "Allow", **statement}
    if "NotAction" not in complete:
        complete.setdefault("Action", "*")
    if "NotResource" not in complete:
        complete.setdefault("Resource", "*")
    policy = Policy.of("p", {"Version": version, "Statement": complete})
    return evaluate(Request(USER, action, resource, HOME, context or {}), Policies((policy,))).allowed


@pytest.mark.parametrize(
    ("element", "value", "action", "expected"),
    [
        ("Action", "s3:GetObject", "s3:GetObject", True),
        ("Action", "S3:getobject", "s3:GetObject", True),
        ("Action", "s3:GetObject", "S3:GETOBJECT", True),
        ("Action", "s3:GetObjec", "s3:GetObject", False),
        ("Action", "s3:Get*", "s3:GetObject", True),
        ("Action", "s3:*Object", "s3:GetObject", True),
        ("Action", "s3:*Object", "s3:GetObjectVersion", False),
        ("Action", "s3:?etObject", "s3:GetObject", True),
        ("Action", "s3:?GetObject", "s3:GetObject", False),
        ("Action", "*", "s3:GetObject", True),
        ("Action", ["sqs:*", "s3:G*t*"], "s3:GetObject", True),
        ("Action", "s3-object-lambda:*", "s3:GetObject", False),
        ("NotAction", "s3:GetObject", "s3:GetObject", False),
        ("NotAction", "s3:Get*", "s3:PutObject", True),
        ("NotAction", ["s3:Get*", "s3:Put*"], "s3:PutObject", False),
    ],
)
def test_actions(element: str, value: Any, action: str, expected: bool) -> None:
    assert applies({element: value}, action) is expected


@pytest.mark.parametrize(
    ("element", "value", "resource", "expected"),
    [
        ("Resource", "arn:aws:s3:::b/k", "arn:aws:s3:::b/k", True),
        ("Resource", "arn:aws:s3:::b/K", "arn:aws:s3:::b/k", False),
        ("Resource", "arn:aws:s3:::b", "arn:aws:s3:::b/k", False),
        ("Resource", "arn:aws:s3:::b/*", "arn:aws:s3:::b/1///test///object.jpg", True),
        ("Resource", "arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b//test/object.jpg", True),
        ("Resource", "arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/test/", True),
        ("Resource", "arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1-test/object.jpg", False),
        ("Resource", "arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/test/object.jpg", False),
        ("Resource", "arn:aws:s3:::b/?.csv", "arn:aws:s3:::b/a.csv", True),
        ("Resource", "arn:aws:s3:::b/?.csv", "arn:aws:s3:::b/ab.csv", False),
        ("Resource", "arn:aws:s3:::b/a+(1).csv", "arn:aws:s3:::b/a+(1).csv", True),
        ("Resource", "arn:aws:s3:::b/a.csv", "arn:aws:s3:::b/aXcsv", False),
        ("Resource", "arn:aws:s3:::b/*", "arn:aws:s3:::b/two\nlines:and a colon", True),
        ("Resource", "arn:aws:dynamodb:*:*:table/risk-*", TABLE, True),
        ("Resource", "arn:aws:dynamodb:eu-*-1:*:table/*", TABLE, True),
        ("Resource", "arn:aws:dynamodb:eu*x:*:table/*", TABLE, False),
        ("Resource", "arn:aws:dynamodb:eu-central-?:*:table/*", TABLE, True),
        ("Resource", f"arn:aws:dynamodb:eu-central?{HOME}:table/*", TABLE, False),
        # A star inside a segment stays there; one that ends a segment may go on.
        ("Resource", "arn:aws:dynamodb:eu*1111:table/*", TABLE, False),
        ("Resource", "arn:aws:dynamodb:*:table/risk-dev-*", TABLE, True),
        ("Resource", "arn:aws:dynamodb:*", TABLE, True),
        ("Resource", "arn:aws:dynamodb:*:table/marketing-*", TABLE, False),
        ("Resource", "*", "*", True),
        ("Resource", "arn:aws:s3:::*", "*", False),
        ("Resource", ["arn:aws:s3:::other", TABLE], TABLE, True),
        ("NotResource", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k", False),
        ("NotResource", "arn:aws:s3:::b/*", "arn:aws:s3:::c/k", True),
        ("NotResource", ["arn:aws:s3:::b/*", "arn:aws:s3:::c/*"], "arn:aws:s3:::c/k", False),
    ],
)
def test_resources(element: str, value: Any, resource: str, expected: bool) -> None:
    assert applies({element: value}, resource=resource) is expected


def test_many_stars_take_no_time() -> None:
    pattern, name = "arn:aws:s3:::" + "a*" * 60 + "b", "arn:aws:s3:::" + "a" * 2000
    assert not applies({"Resource": pattern}, resource=name)
    assert not applies(
        {"Condition": {"StringLike": {"aws:Referer": "*a" * 60 + "b"}}}, context={"aws:Referer": "a" * 2000}
    )


TAGGED: dict[str, str | tuple[str, ...]] = {
    "aws:PrincipalTag/team": "risk",
    "aws:TagKeys": ("a",),
    "aws:PrincipalTag/odd": "r*",
}


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/ana/x", True),
        ("arn:aws:s3:::home/${AWS:UserName}/*", "arn:aws:s3:::home/ana/x", True),
        ("arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/bo/x", False),
        ("arn:aws:s3:::${aws:PrincipalTag/team}-raw/*", "arn:aws:s3:::risk-raw/x", True),
        ("arn:aws:s3:::${aws:principaltag/TEAM}-raw/*", "arn:aws:s3:::risk-raw/x", True),
        ("arn:aws:s3:::${aws:PrincipalTag/none}-raw/*", "arn:aws:s3:::-raw/x", False),
        ("arn:aws:s3:::${aws:PrincipalTag/none, 'company'}-raw/*", "arn:aws:s3:::company-raw/x", True),
        ("arn:aws:s3:::${aws:PrincipalTag/team, 'company'}-raw/*", "arn:aws:s3:::risk-raw/x", True),
        ("arn:aws:s3:::${aws:PrincipalTag/none, ''}raw/*", "arn:aws:s3:::raw/x", True),
        # Multivalued keys are no variables; wildcards in values are plain characters.
        ("arn:aws:s3:::${aws:TagKeys}/*", "arn:aws:s3:::a/x", False),
        ("arn:aws:s3:::${aws:TagKeys, 'b'}/*", "arn:aws:s3:::b/x", True),
        ("arn:aws:s3:::${aws:PrincipalTag/odd}/x", "arn:aws:s3:::r*/x", True),
        ("arn:aws:s3:::${aws:PrincipalTag/odd}/x", "arn:aws:s3:::risk/x", False),
        ("arn:aws:s3:::b/${*}${?}${$}", "arn:aws:s3:::b/*?$", True),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/anything", False),
        ("arn:aws:s3:::b/$x{y}", "arn:aws:s3:::b/$x{y}", True),
    ],
)
def test_variables_in_resources(pattern: str, resource: str, expected: bool) -> None:
    assert applies({"Resource": pattern}, resource=resource, context=TAGGED) is expected


def test_old_policies_have_no_variables() -> None:
    statement = {"Resource": "arn:aws:s3:::${aws:username}/*"}
    assert applies(statement, resource="arn:aws:s3:::ana/x")
    assert not applies(statement, resource="arn:aws:s3:::ana/x", version="2008-10-17")
    assert applies(statement, resource="arn:aws:s3:::${aws:username}/x", version="2008-10-17")


def test_a_variable_without_value_excepts_nothing() -> None:
    assert applies({"NotResource": "arn:aws:s3:::${aws:PrincipalTag/none}/*"}, resource="arn:aws:s3:::x/y")


ARN = f"arn:aws:sns:eu-central-1:{HOME}:risk:dev"


@pytest.mark.parametrize(
    ("operator", "policy", "actual", "expected"),
    [
        ("StringEquals", "risk", "risk", True),
        ("StringEquals", "risk", "Risk", False),
        ("StringEquals", "r*", "risk", False),
        ("StringEquals", ["a", "risk"], "risk", True),
        ("StringEquals", "${aws:username}", "ana", True),
        ("StringEquals", "${aws:PrincipalTag/none}", "", False),
        ("StringEquals", "${*}", "*", True),
        ("StringEquals", 7, "7", True),
        ("StringNotEquals", "risk", "Risk", True),
        ("StringNotEquals", ["a", "risk"], "risk", False),
        ("StringNotEquals", ["a", "b"], "risk", True),
        ("StringNotEquals", "${aws:PrincipalTag/none}", "risk", True),
        ("StringEqualsIgnoreCase", "RISK", "risk", True),
        ("StringEqualsIgnoreCase", "${aws:username}", "ANA", True),
        ("StringNotEqualsIgnoreCase", "RISK", "risk", False),
        ("StringLike", "r?s*", "risky", True),
        ("StringLike", "R*", "risk", False),
        ("StringLike", "${aws:username}*", "analyst", True),
        ("StringLike", "[r]*", "risk", False),
        ("StringNotLike", "r*", "risk", False),
        ("StringNotLike", ["a*", "b*"], "risk", True),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", ["1", "2"], "2", False),
        ("NumericLessThan", 10, "9.5", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "-1", "0", True),
        ("NumericGreaterThanEquals", "10", "9", False),
        ("NumericEquals", "10", "ten", False),
        ("NumericNotEquals", "10", "ten", True),
        ("DateEquals", "2024-05-01T12:00:00Z", "2024-05-01T14:00:00+02:00", True),
        ("DateEquals", "1714564800", "2024-05-01T12:00:00Z", True),
        ("DateNotEquals", "2024-05-01", "2024-05-01T00:00:00Z", False),
        ("DateLessThan", "2024-06", "2024-05-31T23:59:59Z", True),
        ("DateLessThanEquals", "2024-05-01T12:00Z", "2024-05-01T12:00:00Z", True),
        ("DateGreaterThan", "2024-05-01T12:00:00.5Z", "2024-05-01T12:00:00Z", False),
        ("DateGreaterThanEquals", "2024-05-01", "tomorrow", False),
        ("Bool", "true", "True", True),
        ("Bool", False, "false", True),
        ("Bool", "true", "false", False),
        ("BinaryEquals", "c2VjcmV0", "c2VjcmV0", True),
        ("BinaryEquals", "c2VjcmV0", "b3RoZXI=", False),
        ("IpAddress", "10.0.0.0/8", "10.16.3.4", True),
        ("IpAddress", "10.16.3.4", "10.16.3.4", True),
        ("IpAddress", "0.0.0.0/0", "203.0.113.9", True),
        ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
        ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::9", True),
        ("IpAddress", "2001:db8::17", "2001:0db8:0:0:0:0:0:17", True),
        ("NotIpAddress", ["10.0.0.0/8", "203.0.113.0/24"], "203.0.113.9", False),
        ("NotIpAddress", "10.16.3.4", "2001:db8::1", True),
        ("NotIpAddress", "10.0.0.0/8", "nowhere", True),
        ("ArnEquals", ARN, ARN, True),
        ("ArnEquals", f"arn:aws:sns:*:{HOME}:risk*", ARN, True),
        ("ArnLike", "arn:aws:sns:*:*:r?sk:*", ARN, True),
        # Component by component: the star doesn't reach over a colon, except in the last.
        ("ArnLike", "arn:aws:sns:*:risk:dev", ARN, False),
        ("ArnLike", "arn:aws:sns:*", ARN, False),
        ("ArnLike", "*", ARN, False),
        ("StringLike", "arn:aws:sns:*:risk:dev", ARN, True),
        ("ArnLike", "arn:aws:sns:*:*:*", "no ARN", False),
        ("ArnEquals", f"arn:aws:sns:*:{HOME}:${{aws:PrincipalTag/none}}", ARN, False),
        ("ArnNotEquals", ["arn:aws:sns:*:*:risk*", "arn:aws:sqs:*:*:*"], ARN, False),
        ("ArnNotLike", "arn:aws:sns:*:*:marketing*", ARN, True),
        ("Null", "false", "", True),
        ("Null", "true", "x", False),
        ("Null", ["true", "false"], "x", True),
    ],
)
def test_operators(operator: str, policy: Any, actual: str, expected: bool) -> None:
    assert applies({"Condition": {operator: {"aws:Key": policy}}}, context={"AWS:KEY": actual}) is expected


@pytest.mark.parametrize(
    ("operator", "policy", "expected"),
    [
        ("StringEquals", "x", False),
        ("StringNotEquals", "x", True),
        ("ArnNotLike", "x", True),
        ("NotIpAddress", "10.0.0.0/8", True),
        ("NumericLessThan", "1", False),
        ("DateNotEquals", "2024-05-01", True),
        ("Bool", "false", False),
        ("StringEqualsIfExists", "x", True),
        ("StringNotEqualsIfExists", "x", True),
        ("BoolIfExists", "true", True),
        ("Null", "true", True),
        ("Null", "false", False),
        ("ForAllValues:StringEquals", "x", True),
        ("ForAllValues:StringNotEquals", "x", True),
        ("ForAnyValue:StringEquals", "x", False),
        ("ForAnyValue:StringNotEquals", "x", False),
        ("ForAnyValue:StringEqualsIfExists", "x", True),
        ("ForAllValues:StringEqualsIfExists", "x", True),
    ],
)
def test_missing_keys(operator: str, policy: Any, expected: bool) -> None:
    assert applies({"Condition": {operator: {"aws:Key": policy}}}) is expected


@pytest.mark.parametrize(
    ("operator", "policy", "actual", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b", "c"], ("a", "b"), True),
        ("ForAllValues:StringEquals", ["a"], ("a", "b"), False),
        ("ForAllValues:StringNotEquals", ["a"], ("b", "c"), True),
        ("ForAllValues:StringNotEquals", ["a"], ("a", "c"), False),
        ("ForAllValues:StringLike", ["a*"], ("a1", "a2"), True),
        ("ForAllValues:StringEquals", ["a"], (), True),
        ("ForAnyValue:StringEquals", ["b", "c"], ("a", "b"), True),
        ("ForAnyValue:StringEquals", ["c"], ("a", "b"), False),
        ("ForAnyValue:StringNotEquals", ["a"], ("a", "b"), True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "b"), False),
        ("ForAnyValue:StringEquals", ["a"], (), False),
        ("ForAnyValue:ArnLike", "arn:aws:sns:*:*:*", (ARN, "x"), True),
        ("ForAnyValue:StringEquals", ["a"], "a", True),
        # Without a set operator, a multivalued key never matches.
        ("StringEquals", ["a"], ("a",), False),
        ("StringNotEquals", ["b"], ("a",), False),
        ("Null", "true", (), True),
        ("Null", "false", ("a",), True),
    ],
)
def test_sets(operator: str, policy: Any, actual: str | tuple[str, ...], expected: bool) -> None:
    assert applies({"Condition": {operator: {"aws:TagKeys": policy}}}, context={"aws:TagKeys": actual}) is expected


def test_operators_and_keys_are_joined_by_and() -> None:
    condition = {"StringEquals": {"aws:A": "1", "aws:B": "2"}, "Bool": {"aws:C": "true"}}
    facts: dict[str, str | tuple[str, ...]] = {"aws:A": "1", "aws:B": "2", "aws:C": "true"}
    assert applies({"Condition": condition}, context=facts)
    for key in facts:
        assert not applies({"Condition": condition}, context={**facts, key: "3"})

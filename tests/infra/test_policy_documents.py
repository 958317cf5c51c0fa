"""Statements that merge, refuse wildcards and render in one order; documents that know their quota."""

import json

import pytest

from infra.policy import PolicyTooLong, Statement, document, merge

READ, WRITE = ("s3:GetObject",), ("s3:PutObject",)


def test_a_document_is_compact_sorted_and_free_of_repetition() -> None:
    text = document([Statement(("b:B", "a:A", "b:B"), ("r2", "r1"))], name="x")
    assert (
        text
        == '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["a:A","b:B"],"Resource":["r1","r2"]}]}'
    )


def test_a_single_value_is_no_list() -> None:
    statement = Statement(
        READ, ("r",), "Deny", "Sid", {"AWS": ["p"]}, {"StringEquals": {"k": ["v"]}, "Bool": {"b": "true"}}
    )
    assert statement.render() == {
        "Sid": "Sid",
        "Effect": "Deny",
        "Principal": {"AWS": "p"},
        "Action": "s3:GetObject",
        "Resource": "r",
        "Condition": {"Bool": {"b": "true"}, "StringEquals": {"k": "v"}},
    }


def test_statements_merge_by_actions_then_by_resources() -> None:
    merged = merge(
        [Statement(READ, ("r1",)), Statement(WRITE, ("r1",)), Statement(READ, ("r2",)), Statement(READ, ("r1",))]
    )
    assert [(set(s.actions), set(s.resources)) for s in merged] == [({*READ}, {"r1", "r2"}), ({*WRITE}, {"r1"})]
    assert len(merge([Statement(READ, ("r",)), Statement(WRITE, ("r",))])) == 1


@pytest.mark.parametrize(
    "other",
    [
        Statement(READ, ("r2",), "Deny"),
        Statement(READ, ("r2",), conditions={"Bool": {"aws:SecureTransport": "true"}}),
        Statement(READ, ("r2",), principals={"AWS": ["p"]}),
    ],
)
def test_what_means_something_else_is_not_merged(other: Statement) -> None:
    assert len(merge([Statement(READ, ("r1",)), other])) == 2


@pytest.mark.parametrize("action", ["*", "s3:*", "s3:Get*", "s3:Get?bject"])
def test_an_allowed_wildcard_action_is_refused(action: str) -> None:
    with pytest.raises(ValueError, match="wildcard action"):
        Statement((action,), ("r",))
    assert Statement((action,), ("r",), "Deny").render()["Action"] == action


def test_a_document_over_its_quota_is_refused_by_name() -> None:
    statement = Statement(READ, ("r" * 100,))
    size = len(document([statement], name="claims-dev-ci"))
    assert json.loads(document([statement], name="claims-dev-ci", limit=size))
    with pytest.raises(PolicyTooLong, match=f"policy claims-dev-ci takes {size} characters; AWS allows {size - 1}"):
        document([statement], name="claims-dev-ci", limit=size - 1)

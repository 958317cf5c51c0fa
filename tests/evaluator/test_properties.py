"""What holds for all policies, and how fast."""

import json
import time
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from stagegate.evaluator import Policies, Policy, PrincipalKind, Reason, Request, evaluate
from stagegate.evaluator.patterns import Pattern, tokens

from .generate import Case, Generator

cases = st.integers(0, 2**32).map(lambda seed: Generator(seed).case())


def with_statements(policy: Policy, extra: list[dict[str, object]], *, backwards: bool = False) -> Policy:
    document = json.loads(policy.document)
    listed = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    # Labels count from the front: give them names before the order changes.
    named = [{**statement, "Sid": f"N{index}"} for index, statement in enumerate([*listed, *extra])]
    return Policy.of(policy.name, {**document, "Statement": named[::-1] if backwards else named})


@given(cases, cases)
def test_a_deny_never_allows(case: Case, other: Case) -> None:
    """Whatever is denied stays denied when any policy's statements are added as denies."""
    request, policies = case
    denies = [
        {**statement, "Effect": "Deny"}
        for policy in other[1].identity
        for statement in json.loads(with_statements(policy, []).document)["Statement"]
    ]
    before = evaluate(request, policies)
    after = evaluate(request, replace(policies, identity=(*policies.identity, *deny_policy(denies))))
    assert before.allowed or not after.allowed
    assert before.reason is not Reason.EXPLICIT_DENY or after.reason is Reason.EXPLICIT_DENY


def deny_policy(denies: list[dict[str, object]]) -> tuple[Policy, ...]:
    named = [{**statement, "Sid": f"D{index}"} for index, statement in enumerate(denies)]
    return (Policy.of("denies", {"Version": "2012-10-17", "Statement": named}),) if named else ()


@given(cases, cases)
def test_limits_never_add(case: Case, other: Case) -> None:
    """A boundary, an SCP level or a session policy may take away, never give."""
    request, policies = case
    bare = replace(policies, boundary=None, scps=())
    for limited in (
        replace(bare, boundary=policies.boundary or other[1].boundary),
        replace(bare, scps=policies.scps or other[1].scps),
    ):
        assert evaluate(request, bare).allowed or not evaluate(request, limited).allowed
    if request.principal.kind is PrincipalKind.SESSION:
        unlimited = evaluate(request, replace(policies, session=()))
        assert unlimited.allowed or not evaluate(request, policies).allowed


@given(cases)
def test_order_of_statements_and_policies_is_irrelevant(case: Case) -> None:
    request, policies = case

    def ordered(backwards: bool) -> Policies:
        def turn(policy: Policy) -> Policy:
            return with_statements(policy, [], backwards=backwards)

        step = -1 if backwards else 1
        return Policies(
            tuple(map(turn, policies.identity))[::step],
            policies.boundary and turn(policies.boundary),
            tuple(map(turn, policies.session))[::step],
            tuple(tuple(map(turn, level)) for level in policies.scps)[::step],
            tuple(tuple(map(turn, level)) for level in policies.rcps)[::step],
            policies.resource and turn(policies.resource),
            policies.resource_must_allow,
        )

    forwards, backwards = evaluate(request, ordered(False)), evaluate(request, ordered(True))
    assert (forwards.allowed, forwards.reason, forwards.layer) == (backwards.allowed, backwards.reason, backwards.layer)


@given(cases)
def test_case_of_actions_and_keys_is_irrelevant(case: Case) -> None:
    request, policies = case
    shouted = replace(
        request,
        action=request.action.upper(),
        context={key.upper(): value for key, value in request.context.items()},
    )
    assert evaluate(shouted, policies) == evaluate(request, policies)


@given(cases)
def test_explicit_denies_and_allows_name_their_statement(case: Case) -> None:
    decision = evaluate(*case)
    assert decision.allowed is (decision.reason is Reason.ALLOWED)
    if decision.reason is Reason.IMPLICIT_DENY:
        assert decision.statement is None
    elif case[0].principal.kind is not PrincipalKind.ROOT:
        assert decision.statement


@given(cases)
def test_nothing_is_allowed_without_policies(case: Case) -> None:
    request: Request = case[0]
    if request.principal.kind is not PrincipalKind.ROOT:
        assert evaluate(request, Policies()).reason is Reason.IMPLICIT_DENY


def naive(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(naive(pattern[1:], text[index:]) for index in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and naive(pattern[1:], text[1:])


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_wildcards_mean_what_a_naive_matcher_says(pattern: str, text: str) -> None:
    assert Pattern(tokens(pattern, variables=False, wildcards=True)).matches(text, {}) is naive(pattern, text)


def test_a_warm_decision_takes_a_fraction_of_a_millisecond() -> None:
    """The goal is 0.2 ms; the ceiling leaves room for a busy machine. The best of five rounds counts."""
    asked = Generator(1).cases(500)
    for case in asked:
        evaluate(*case)

    def once() -> float:
        start = time.perf_counter()
        for case in asked:
            evaluate(*case)
        return (time.perf_counter() - start) / len(asked)

    best = min(once() for _ in range(5))
    print(f"\n{best * 1e6:.0f} µs for a decision")
    assert best < 0.001

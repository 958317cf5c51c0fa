"""A second opinion: iam-simulate on generated cases. Every disagreement is decided by a document of AWS's (explained.yaml)."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from stagegate.evaluator import Decision, Layer, Reason, evaluate

from .explained import REWRITINGS, rewritings
from .generate import Case, Generator
from .oracle_program import Oracle, installed

CASES = 12_000
IN_ITS_WORDS = {
    Reason.ALLOWED: "Allowed",
    Reason.EXPLICIT_DENY: "ExplicitlyDenied",
    Reason.IMPLICIT_DENY: "ImplicitlyDenied",
}
# The fewest cases that each outcome has to have: below it, agreement would say little about that layer.
FEWEST: dict[tuple[Reason, Layer], int] = {
    (Reason.ALLOWED, Layer.IDENTITY): 1000,
    (Reason.ALLOWED, Layer.RESOURCE): 1000,
    (Reason.ALLOWED, Layer.ROOT): 50,
    **{(Reason.EXPLICIT_DENY, layer): 150 for layer in Layer if layer is not Layer.ROOT},
    **{(Reason.IMPLICIT_DENY, layer): 300 for layer in Layer if layer not in {Layer.ROOT, Layer.RCP}},
}


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return installed()


def explain(
    oracle: Oracle, disputed: Sequence[tuple[Case, Decision]]
) -> tuple[Counter[str], list[tuple[Case, Decision]]]:
    """Counts disagreements by what explains them, and returns those that nothing does."""
    options = [
        (number, name, rewritten)
        for number, (case, decision) in enumerate(disputed)
        for name, rewritten in rewritings(case).items()
        if evaluate(*rewritten).reason is decision.reason
    ]
    answers = oracle.ask([rewritten for _, _, rewritten in options])
    by_case: dict[int, str] = {}
    for (number, name, _), answer in zip(options, answers, strict=True):
        if answer == IN_ITS_WORDS[disputed[number][1].reason]:
            by_case.setdefault(number, name)
    return Counter(by_case.values()), [each for number, each in enumerate(disputed) if number not in by_case]


def compare(oracle: Oracle, cases: Sequence[Case], what: str) -> tuple[Counter[tuple[Reason, Layer]], Counter[str]]:
    """Asserts agreement, but for what is explained; returns what was decided where, and how often which explanation was needed."""
    decisions = [evaluate(*case) for case in cases]
    answers = oracle.ask(cases)
    disputed = [
        (case, decision)
        for case, decision, answer in zip(cases, decisions, answers, strict=True)
        if IN_ITS_WORDS[decision.reason] != answer
    ]
    explanations, unexplained = explain(oracle, disputed)
    print(f"\n{what}: {len(cases)} cases, {len(disputed)} disagreements, {len(unexplained)} of them unexplained")
    for name, count in explanations.most_common():
        print(f"  {count:5} {name}")
    assert not unexplained, "\n".join(
        f"we say: {decision}\n{request}\n{json.dumps(str(policies))}"
        for (request, policies), decision in unexplained[:5]
    )
    return Counter((decision.reason, decision.layer) for decision in decisions), explanations


def test_agrees_on_generated_cases(oracle: Oracle, record_property: Callable[[str, object], None]) -> None:
    decided, explanations = compare(oracle, Generator(seed=20240501).cases(CASES), "generated")
    explained = sum(explanations.values())
    record_property("second opinion on generated cases", f"{CASES} cases, {explained} explained by AWS's documents")
    assert {outcome: decided[outcome] for outcome, fewest in FEWEST.items() if decided[outcome] < fewest} == {}
    allowed = sum(count for (reason, _), count in decided.items() if reason is Reason.ALLOWED)
    assert 0.3 < allowed / CASES < 0.6
    assert sum(explanations.values()) < 0.05 * CASES
    needed = {name for names in explanations for name in names.split(" + ")}
    assert needed == set(REWRITINGS), "an explanation that nothing needs is out of date"


def test_every_explanation_cites_a_document() -> None:
    explained = yaml.safe_load((Path(__file__).parent / "explained.yaml").read_text())
    assert explained.keys() == REWRITINGS.keys()
    assert all(entry.keys() == {"document", "decides", "oracle"} for entry in explained.values())

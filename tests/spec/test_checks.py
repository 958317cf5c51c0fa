"""Every check of the declarations refuses an example of what it is for, and points at it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Edit, problems

ORGANIZATION, DEPARTMENT, MODEL = "organization.yaml", "risk/department.yaml", "risk/models/card-fraud.yaml"
PROTOTYPE, PILOT = "marketing/models/next-best-offer.yaml", "risk/models/claims-triage.yaml"


def put(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for part in path[:-1]:
            data = data[part]
        data[path[-1]] = value

    return change


def drop(*path: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for part in path[:-1]:
            data = data[part]
        del data[path[-1]]

    return change


CASES: dict[str, tuple[str, Callable[[Any], None], str, str]] = {
    "unknown key": (MODEL, put("colour", value="red"), "colour", "unknown field; expected one of"),
    "unknown nested key": (
        MODEL,
        put("slos", "uptime", value=1),
        "slos.uptime",
        "unknown field; expected one of availability_percent",
    ),
    "missing key": (
        DEPARTMENT,
        drop("cost_centre"),
        "cost_centre",
        'is missing: Cost centre that is charged (for example "CC-4100")',
    ),
    "wrong type": (
        MODEL,
        put("slos", "latency_p99_ms", value="fast"),
        "slos.latency_p99_ms",
        'found "fast" (for example 60)',
    ),
    "unknown stage": (MODEL, put("stage", value="live"), "stage", "'prototype', 'pilot', 'production' or 'sunset'"),
    "availability of 100": (
        MODEL,
        put("slos", "availability_percent", value=100),
        "slos.availability_percent",
        "less than 100",
    ),
    "not a number": (MODEL, put("drift", "psi_alarm", value=float("nan")), "drift.psi_alarm", "finite"),
    "target no better than baseline": (
        MODEL,
        put("objective", "target", value=0.5),
        "objective",
        "is no increase of baseline",
    ),
    "warning above alarm": (MODEL, put("drift", "psi_warning", value=0.5), "drift", "has to be below psi_alarm"),
    "falling steps": (MODEL, put("release", "steps_percent", value=[50, 5]), "release", "has to rise"),
    "canary without steps": (MODEL, drop("release", "steps_percent"), "release", "needs steps_percent"),
    "more replicas at least than at most": (
        MODEL,
        put("capacity", "min_replicas", value=30),
        "capacity",
        "exceeds max_replicas",
    ),
    "personal model without purpose": (MODEL, drop("privacy", "purpose"), "privacy", "purpose is required"),
    "personal data without basis": (
        DEPARTMENT,
        drop("data_sets", "claims", "consent_basis"),
        "data_sets.claims",
        "consent_basis required",
    ),
    "data set in the logs zone": (
        DEPARTMENT,
        put("data_sets", "claims", "zone", value="logs"),
        "data_sets.claims",
        "holds no data sets",
    ),
    "entity that is no column": (
        DEPARTMENT,
        put("features", "claim_history", "entity", value="nobody"),
        "features.claim_history",
        "is none of the columns",
    ),
    "event time that is no time": (
        DEPARTMENT,
        put("features", "claim_history", "event_time", value="claims_12m"),
        "features.claim_history",
        "timestamp or a date",
    ),
    "persona without groups": (DEPARTMENT, drop("people", "auditor"), "<root>", "people lacks auditor"),
    "region out of bounds": (
        DEPARTMENT,
        put("residency", 0, value="us-east-1"),
        "residency.0",
        "is none of the allowed_regions",
    ),
    "environment outside residency": (
        DEPARTMENT,
        put("residency", value=["eu-west-1"]),
        "residency",
        "environment dev is in eu-central-1",
    ),
    "unknown owner": (DEPARTMENT, put("owner", value="x@northwind.example"), "owner", "is none of the contacts"),
    "unknown owner of a risk": (
        DEPARTMENT,
        put("risks", 1, "owner", value="x@northwind.example"),
        "risks.1.owner",
        "is none of the contacts",
    ),
    "unknown owner of a model": (
        MODEL,
        put("owner", value="x@northwind.example"),
        "owner",
        "none of the department's contacts",
    ),
    "approver who is the owner": (
        MODEL,
        put("approver", value="jonas.weber@northwind.example"),
        "approver",
        "another person than the owner",
    ),
    "undeclared data set": (
        MODEL,
        put("data_sets", 0, value="secrets"),
        "data_sets.0",
        "is not declared by the department",
    ),
    "undeclared feature set": (
        MODEL,
        put("features", 0, value="secrets"),
        "features.0",
        "is not declared by the department",
    ),
    "undeclared source of features": (
        DEPARTMENT,
        put("features", "claim_history", "source", value="secrets"),
        "features.claim_history.source",
        "is not declared",
    ),
    "undeclared metric": (
        MODEL,
        put("objective", "business_metric", value="fame"),
        "objective.business_metric",
        "none of the department's success_metrics",
    ),
    "personal data in an impersonal model": (
        MODEL,
        put("privacy", value={"personal": False}),
        "privacy.personal",
        "has to be true",
    ),
    "pilot without objectives": (PILOT, drop("slos"), "slos", "is missing: required in stage pilot"),
    "pilot without contract": (PILOT, drop("contract"), "contract", "is missing: required in stage pilot"),
    "pilot without approver": (PILOT, drop("approver"), "approver", "is missing: required in stage pilot"),
    "pilot without rollback criteria": (
        PILOT,
        drop("release", "rollback"),
        "release.rollback",
        "is missing: required in stage pilot",
    ),
    "prototype promoted with nothing": (
        PROTOTYPE,
        put("stage", value="production"),
        "slos",
        "is missing: required in stage production",
    ),
    "production that stops to release": (
        MODEL,
        put("release", "strategy", value="recreate"),
        "release.strategy",
        "not allowed in production",
    ),
    "two models with one image": (
        PILOT,
        put("image_repository", value="card-fraud"),
        "image_repository",
        "already belongs to card-fraud",
    ),
    "a repository of two departments": (
        MODEL,
        put("source", "repository", value="northwind/churn"),
        "source.repository",
        "already builds for department marketing",
    ),
    "a file of another name": (
        MODEL,
        put("model", value="fraud"),
        "model",
        "expected card-fraud, the name of its file",
    ),
    "a folder of another name": (
        DEPARTMENT,
        put("department", value="danger"),
        "department",
        "expected risk, the name of its folder",
    ),
    "a name with an environment in it": (
        DEPARTMENT,
        put("department", value="risk-dev"),
        "department",
        "has the name of an environment in it",
    ),
    "a name too long for a bucket": (
        DEPARTMENT,
        put("department", value="a" * 21),
        "department",
        "at most 20 characters",
    ),
    "level twice": (DEPARTMENT, put("escalation", 1, "level", value="on-call"), "escalation.1.level", "is there twice"),
    "later level with less time": (
        DEPARTMENT,
        put("escalation", 2, "respond_minutes", value=5),
        "escalation.2.respond_minutes",
        "less time than the one before",
    ),
    "environment without budget": (
        DEPARTMENT,
        drop("budget", "monthly_eur", "prod"),
        "budget.monthly_eur",
        "prod is missing",
    ),
    "account of two environments": (
        ORGANIZATION,
        put("environments", "prod", "account", value="111111111111"),
        "environments.prod.account",
        "already the account of dev",
    ),
    "account of eleven digits": (
        ORGANIZATION,
        put("environments", "prod", "account", value="11111111111"),
        "environments.prod.account",
        "match pattern",
    ),
    "networks that overlap": (
        ORGANIZATION,
        put("environments", "prod", "cidr", value="10.16.0.0/17"),
        "environments.prod.cidr",
        "overlaps 10.16.0.0/16 of dev",
    ),
    "public network": (
        ORGANIZATION,
        put("environments", "prod", "cidr", value="8.8.0.0/16"),
        "environments.prod.cidr",
        "is not a private network",
    ),
    "retention that logs don't know": (
        ORGANIZATION,
        put("environments", "prod", "log_retention_days", value=100),
        "environments.prod.log_retention_days",
        "is none of 1, 3, 5",
    ),
    "chair who is no member": (
        ORGANIZATION,
        put("committee", "chair", value="x@northwind.example"),
        "committee.chair",
        "is none of the members",
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_a_mistake_is_refused_where_it_is(what: str, broken: Edit) -> None:
    file, change, field, says = CASES[what]
    found = broken(file, change)
    assert found, "nothing was wrong"
    matching = [problem for problem in found if problem.field == field.replace("<root>", "") and says in str(problem)]
    assert matching, "\n".join(map(str, found))
    problem = matching[0]
    written = problem.file.read_text().splitlines()
    assert str(problem.file).endswith(file)
    key = field.split(".")[-1]
    if key.isidentifier() and not says.startswith(("is missing", "prod is missing")):
        assert key in written[problem.line - 1], f"line {problem.line} is {written[problem.line - 1]!r}"


def test_the_example_is_right(stacks: Path) -> None:
    assert problems(stacks) == []


def test_everything_wrong_is_said_at_once(stacks: Path) -> None:
    """Three mistakes in two files, one of which isn't even YAML, come in one error with their places."""
    department = stacks / "risk" / "department.yaml"
    text = department.read_text()
    department.write_text(text.replace("cost_centre: CC-4100", "cost_center: CC-4100"))
    (stacks / "marketing" / "models" / "churn.yaml").write_text("model: [")
    found = problems(stacks)
    line = text[: text.index("cost_centre")].count("\n") + 1
    assert {(p.field, p.line) for p in found if p.file.name == "department.yaml"} == {
        ("cost_centre", 2),
        ("cost_center", line),
    }
    assert any(p.file.name == "churn.yaml" and "is not YAML" in p.expected for p in found)


def test_a_folder_without_department_is_refused(stacks: Path) -> None:
    (stacks / "lost").mkdir()
    assert [str(p.file.name) for p in problems(stacks)] == ["department.yaml"]

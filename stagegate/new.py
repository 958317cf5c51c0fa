"""`stagegate new department`: a department that is valid from its first minute."""

import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from pydantic import TypeAdapter, ValidationError

from infra.spec import PLATFORM, DeclarationError, Organization, load
from infra.spec.types import Classification, Email, EnvironmentName, Persona, Slug
from stagegate.errors import UserError

STACK_FILE = """# Real accounts keep this stack's secrets under a key of their own; the sandbox uses copies of these files.
secretsprovider: awskms://alias/stagegate-state-{environment}?region={region}
"""


@dataclass(frozen=True)
class Answers:
    """What has to be known of a new department; what is None is asked for on a terminal."""

    title: str | None = None
    owner: str | None = None
    owner_name: str | None = None
    cost_centre: str | None = None
    classification: str | None = None
    objective: str | None = None
    monthly_eur: float | None = None


def department(stacks: Path, name: str, answers: Answers) -> list[Path]:
    """Write a new department and its stack files; return what was written.

    Raises UserError for a bad name or answer and for a department that exists, and DeclarationError where the
    declarations don't hold; then nothing is left behind.
    """
    organization = load(stacks).organization
    _check(Slug, name, "department name", "claims")
    if name == PLATFORM or name == "schema" or set(name.split("-")) & set(EnvironmentName):
        raise UserError(f"{name} can't be a department: platform, schema and names of environments are taken")
    if (stacks / name).exists():
        raise UserError(f"{stacks / name} exists already; nothing was changed")
    text = _text(name, _complete(name, answers), organization)
    with tempfile.TemporaryDirectory(prefix="stagegate-new-") as scratch:
        trial = Path(scratch) / "stacks"
        shutil.copytree(stacks, trial)
        (trial / name / "models").mkdir(parents=True)
        (trial / name / "department.yaml").write_text(text, encoding="utf-8")
        try:
            load(trial)
        except DeclarationError as error:
            raise UserError(str(error).replace(str(trial), str(stacks)) + "\nnothing was written") from None
    return _write(stacks, name, text, organization)


def _write(stacks: Path, name: str, text: str, organization: Organization) -> list[Path]:
    written: list[Path] = []
    staged = stacks / f".{name}.new"
    try:
        (staged / "models").mkdir(parents=True)
        (staged / "models" / ".gitkeep").touch()
        (staged / "department.yaml").write_text(text, encoding="utf-8")
        for environment, declared in organization.environments.items():
            file = stacks / f"Pulumi.{name}-{environment}.yaml"
            written.append(file)
            file.write_text(STACK_FILE.format(environment=environment, region=declared.region), encoding="utf-8")
        staged.rename(stacks / name)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        for file in written:
            file.unlink(missing_ok=True)
        raise
    return [stacks / name / "department.yaml", *written]


def _complete(name: str, given: Answers) -> Answers:
    """Ask for what wasn't given, and check every answer."""
    title = name.replace("-", " ").title()
    answers = Answers(
        title=_answer(given.title, "--title", "What people call it", title),
        owner=_answer(given.owner, "--owner", "Owner's e-mail address", None),
        owner_name=_answer(given.owner_name, "--owner-name", "Owner's name", None),
        cost_centre=_answer(given.cost_centre, "--cost-centre", "Cost centre", None),
        classification=_answer(given.classification, "--classification", "Classification of its data", "internal"),
        objective=_answer(given.objective, "--objective", "What it wants to reach", None),
        monthly_eur=float(
            _answer(
                None if given.monthly_eur is None else str(given.monthly_eur),
                "--monthly-eur",
                "Budget of a month in each environment, in euro",
                "1000",
            )
        ),
    )
    _check(Email, answers.owner, "--owner", "amara.diallo@northwind.example")
    _check(Classification, answers.classification, "--classification", ", ".join(Classification))
    return answers


def _answer(given: str | None, option: str, question: str, default: str | None) -> str:
    if given is not None:
        return given
    if sys.stdin.isatty():
        return str(typer.prompt(question, default=default))
    if default is None:
        raise UserError(f"{option} is missing ({question}); nothing was written")
    return default


def _check(kind: Any, value: object, what: str, example: str) -> None:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        message = error.errors()[0]["msg"]
        raise UserError(f"{what} {value!r}: {message[0].lower()}{message[1:]} (for example {example})") from None


def _quoted(text: str | None) -> str:
    """A YAML scalar that holds any text."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text or "") + '"'


def _text(name: str, answers: Answers, organization: Organization) -> str:
    regions = sorted({environment.region for environment in organization.environments.values()})
    groups = "\n".join(f"  {persona}: [{name}-{persona}s]" for persona in Persona)
    budgets = ", ".join(f"{environment}: {answers.monthly_eur:g}" for environment in organization.environments)
    return f"""# yaml-language-server: $schema=../schema/department.json
department: {name}
title: {_quoted(answers.title)}
owner: {answers.owner}
cost_centre: {_quoted(answers.cost_centre)}
classification: {answers.classification}
residency: [{", ".join(regions)}]
people:                                 # groups of the identity provider
{groups}
contacts:
  - {{email: {answers.owner}, name: {_quoted(answers.owner_name)}, role: Owner}}
objective: {_quoted(answers.objective)}
success_metrics:                        # replace by what the department is measured by
  - {{name: cases_handled, unit: cases a month, baseline: 0, target: 1, direction: increase, value_per_point_eur: 0}}
data_sets: {{}}
features: {{}}
escalation:
  - {{level: on-call, contact: {answers.owner}, respond_minutes: 60}}
budget:
  monthly_eur: {{{budgets}}}
  safe_to_fail_percent: 10
risks: []
roadmap: []
"""

"""What no single field can say: names that have to exist elsewhere, and what a stage asks of a model."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from pathlib import Path

from infra.spec.department import Department
from infra.spec.document import Document
from infra.spec.model import Model
from infra.spec.organization import Organization
from infra.spec.problems import Problem
from infra.spec.types import EnvironmentName, ReleaseStrategy, Stage

Documents = Mapping[Path, Document]
RESERVED = ("platform", "schema")
NEEDED_FROM_PILOT = ("approver", "objective", "contract", "slos", "release", "drift", "capacity")


def layout(folder: Path) -> Iterator[Problem]:
    """Folders and files that look like declarations but would never be read."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if not path.is_dir() or path.name in ("schema", "__pycache__") or path.name.startswith("."):
            continue
        if path.name in RESERVED:
            yield Problem(path, 1, 1, "", f"{path.name} is reserved; name the department otherwise")
        elif not (path / "department.yaml").exists():
            yield Problem(path / "department.yaml", 1, 1, "", "is missing: every folder here is a department")


def cross_file(
    organization: Organization | None, departments: Mapping[str, Department], documents: Documents
) -> Iterator[Problem]:
    if organization:
        yield from _organization(organization, documents)
    for folder, department in departments.items():
        yield from _department(folder, department, organization, documents)
        for model in department.models.values():
            yield from _model(model, department, documents)
    yield from _sources(departments, documents)


def _document(declared: Organization | Department | Model, documents: Documents) -> Document:
    assert declared.file is not None
    return documents[declared.file]


def _organization(organization: Organization, documents: Documents) -> Iterator[Problem]:
    document = _document(organization, documents)
    regions = ", ".join(organization.allowed_regions)
    accounts: dict[str, str] = {}
    networks: dict[str, IPv4Network] = {}
    for name, environment in organization.environments.items():
        path = ("environments", str(name))
        if environment.region not in organization.allowed_regions:
            yield document.problem((*path, "region"), f"{environment.region} is none of allowed_regions {regions}")
        if other := accounts.get(environment.account):
            yield document.problem((*path, "account"), f"{environment.account} is already the account of {other}")
        accounts[environment.account] = name
        network = IPv4Network(environment.cidr)
        for other, taken in networks.items():
            if network.overlaps(taken):
                yield document.problem((*path, "cidr"), f"{network} overlaps {taken} of {other}")
        networks[name] = network
    if organization.committee.chair not in organization.committee.members:
        yield document.problem(("committee", "chair"), f"{organization.committee.chair} is none of the members")


def _department(
    folder: str, department: Department, organization: Organization | None, documents: Documents
) -> Iterator[Problem]:
    document = _document(department, documents)
    # `risk-dev-…` has to be of `risk` in `dev` alone: resource patterns end in a star.
    if set(department.department.split("-")) & set(EnvironmentName):
        yield document.problem(("department",), f"{department.department} has the name of an environment in it")
    if department.department != folder:
        yield document.problem(("department",), f"expected {folder}, the name of its folder")
    people = [contact.email for contact in department.contacts]
    named = ", ".join(people)
    yield from _unique(document, ("contacts",), "email", people)
    yield from _unique(document, ("escalation",), "level", [level.level for level in department.escalation])
    yield from _unique(document, ("risks",), "id", [risk.id for risk in department.risks])
    yield from _unique(document, ("success_metrics",), "name", [metric.name for metric in department.success_metrics])
    for index, escalation in enumerate(department.escalation[1:], 1):
        if escalation.respond_minutes < department.escalation[index - 1].respond_minutes:
            yield document.problem(
                ("escalation", index, "respond_minutes"), "a later level can't have less time than the one before"
            )
    owners = [
        (("owner",), department.owner),
        *((("data_sets", name, "owner"), data_set.owner) for name, data_set in department.data_sets.items()),
        *((("features", name, "owner"), features.owner) for name, features in department.features.items()),
        *((("risks", index, "owner"), risk.owner) for index, risk in enumerate(department.risks)),
        *((("roadmap", index, "owner"), item.owner) for index, item in enumerate(department.roadmap)),
    ]
    for path, owner in owners:
        if owner not in people:
            yield document.problem(path, f"{owner} is none of the contacts {named}")
    for name, features in department.features.items():
        if features.source not in department.data_sets:
            yield document.problem(("features", name, "source"), f"data set {features.source} is not declared")
    if organization:
        yield from _fits_organization(department, organization, document)


def _fits_organization(department: Department, organization: Organization, document: Document) -> Iterator[Problem]:
    allowed = ", ".join(organization.allowed_regions)
    for index, region in enumerate(department.residency):
        if region not in organization.allowed_regions:
            yield document.problem(("residency", index), f"{region} is none of the allowed_regions {allowed}")
    for name, environment in organization.environments.items():
        if environment.region not in department.residency:
            yield document.problem(
                ("residency",), f"environment {name} is in {environment.region}, which is not listed"
            )
        if name not in department.budget.monthly_eur:
            yield document.problem(("budget", "monthly_eur"), f"{name} is missing: every environment has a budget")
    for name in department.budget.monthly_eur:
        if name not in organization.environments:
            yield document.problem(
                ("budget", "monthly_eur", str(name)), f"{name} is no environment of the organisation"
            )


def _model(model: Model, department: Department, documents: Documents) -> Iterator[Problem]:
    document = _document(model, documents)
    if model.model != document.file.stem:
        yield document.problem(("model",), f"expected {document.file.stem}, the name of its file")
    people = [contact.email for contact in department.contacts]
    for field in ("owner", "approver"):
        if (person := getattr(model, field)) is not None and person not in people:
            yield document.problem((field,), f"{person} is none of the department's contacts {', '.join(people)}")
    if model.approver == model.owner:
        yield document.problem(("approver",), "has to be another person than the owner")
    for field, declared in (("data_sets", department.data_sets), ("features", department.features)):
        for index, name in enumerate(getattr(model, field)):
            if name not in declared:
                known = ", ".join(declared) or "none"
                yield document.problem((field, index), f"{name} is not declared by the department; there are {known}")
    metrics = [metric.name for metric in department.success_metrics]
    if model.objective and model.objective.business_metric not in metrics:
        yield document.problem(
            ("objective", "business_metric"),
            f"{model.objective.business_metric} is none of the department's success_metrics {', '.join(metrics)}",
        )
    personal = [
        name for name in model.data_sets if name in department.data_sets and department.data_sets[name].personal
    ]
    if personal and not model.privacy.personal:
        yield document.problem(("privacy", "personal"), f"has to be true: {', '.join(personal)} is personal data")
    yield from _stage(model, document)


def _stage(model: Model, document: Document) -> Iterator[Problem]:
    if model.stage is Stage.PROTOTYPE:
        return
    for field in NEEDED_FROM_PILOT:
        if getattr(model, field) is None:
            info = Model.model_fields[field]
            example = str(info.examples[0]) if info.examples else ""
            yield document.problem((field,), f"is missing: required in stage {model.stage}", example)
    if model.release and model.release.rollback is None:
        yield document.problem(
            ("release", "rollback"),
            f"is missing: required in stage {model.stage}",
            "{error_rate_percent: 1.0, latency_p99_ms: 90, drift_score: 0.3}",
        )
    if model.stage is Stage.PRODUCTION and model.release and model.release.strategy is ReleaseStrategy.RECREATE:
        yield document.problem(
            ("release", "strategy"), "recreate serves nobody during a release; not allowed in production", "canary"
        )


def _sources(departments: Mapping[str, Department], documents: Documents) -> Iterator[Problem]:
    """An image repository belongs to one model; a source branch pushes for one department."""
    source_owner: dict[tuple[str, str], str] = {}
    for department in departments.values():
        images: dict[str, str] = {}
        for model in department.models.values():
            document = _document(model, documents)
            if other := images.get(model.image_repository):
                yield document.problem(("image_repository",), f"{model.image_repository} already belongs to {other}")
            images[model.image_repository] = model.model
            source = (model.source.repository, model.source.branch)
            if (owner := source_owner.setdefault(source, department.department)) != department.department:
                yield document.problem(
                    ("source", "repository"), f"{source[0]} at {source[1]} already builds for department {owner}"
                )


def _unique(document: Document, path: tuple[str], field: str, values: list[str]) -> Iterator[Problem]:
    for index, value in enumerate(values):
        if value in values[:index]:
            yield document.problem((*path, index, field), f"{value} is there twice")

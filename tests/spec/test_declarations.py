"""What the declarations say once they are parsed, and the schemas that editors use."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from conftest import STACKS
from pydantic import ValidationError

from infra.spec import UnknownStack, load
from infra.spec.schema import KINDS, schemas

DECLARED = load(STACKS)
FILES = {
    "organization": [STACKS / "organization.yaml"],
    "department": sorted(STACKS.glob("*/department.yaml")),
    "model": sorted(STACKS.glob("*/models/*.yaml")),
}


def test_three_departments_have_six_models_in_all_four_stages() -> None:
    models = [model for department in DECLARED.departments.values() for model in department.models.values()]
    assert set(DECLARED.departments) == {"risk", "marketing", "supply-chain"}
    assert len(models) == 6
    assert {str(model.stage) for model in models} == {"prototype", "pilot", "production", "sunset"}


def test_a_stage_decides_where_a_model_exists() -> None:
    assert set(DECLARED.stack("marketing-dev").models) == {"churn", "next-best-offer"}
    assert set(DECLARED.stack("marketing-prod").models) == {"churn"}
    assert set(DECLARED.stack("risk-staging").models) == {"card-fraud", "claims-triage"}
    assert set(DECLARED.stack("supply-chain-prod").models) == {"lead-time"}


def test_each_department_and_the_platform_has_a_stack_in_each_environment() -> None:
    assert len(DECLARED.stacks) == 12
    stack = DECLARED.stack("supply-chain-staging")
    assert stack.department is DECLARED.departments["supply-chain"]
    assert stack.environment.account == "222222222222"
    assert DECLARED.stack("platform-dev").department is None
    for name in ("risk", "risk-test", "nobody-dev", "", "-"):
        with pytest.raises(UnknownStack, match="there are platform-dev, "):
            DECLARED.stack(name)


def test_what_is_parsed_can_not_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        DECLARED.organization.description = "another"  # type: ignore[misc]


def test_the_schemas_are_the_ones_that_the_models_give() -> None:
    for kind, text in schemas().items():
        assert (STACKS / "schema" / f"{kind}.json").read_text() == text, "run python -m infra.spec.schema"


@pytest.mark.parametrize("kind", KINDS)
def test_files_name_and_fit_their_schema(kind: str) -> None:
    schema = json.loads((STACKS / "schema" / f"{kind}.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    for file in FILES[kind]:
        named = file.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        assert (file.parent / named).resolve() == STACKS / "schema" / f"{kind}.json"
        data = json.loads(json.dumps(yaml.safe_load(file.read_text()), default=str))
        assert list(validator.iter_errors(data)) == []
        assert list(validator.iter_errors({**data, "colour": "red"})) != []


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_described_with_an_example(kind: str) -> None:
    schema = json.loads((STACKS / "schema" / f"{kind}.json").read_text())
    groups = [schema, *(group for group in schema.get("$defs", {}).values() if "properties" in group)]
    for group in groups:
        for name, field in group["properties"].items():
            assert field.get("description"), f"{group['title']}.{name}"
            assert field.get("examples"), f"{group['title']}.{name}"


def test_every_declared_stack_has_its_settings() -> None:
    written = {path.name for path in STACKS.glob("Pulumi.*.yaml")}
    assert written == {f"Pulumi.{stack}.yaml" for stack in DECLARED.stacks}
    for path in STACKS.glob("Pulumi.*.yaml"):
        assert set(yaml.safe_load(Path(path).read_text())) <= {"secretsprovider", "config"}

"""Read a folder of declarations, all of it or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.spec import checks
from infra.spec.department import Department
from infra.spec.document import Document, read
from infra.spec.model import Model
from infra.spec.organization import Environment, Organization
from infra.spec.parse import D, parse
from infra.spec.problems import DeclarationError, Problem
from infra.spec.types import EnvironmentName

PLATFORM = "platform"


class UnknownStack(Exception):
    """A stack that the declarations don't have; its text names those that they have."""


@dataclass(frozen=True)
class StackDeclaration:
    """What one Pulumi stack is built from: an environment, and a department unless it is the platform's."""

    name: str
    declarations: "Declarations"
    environment_name: EnvironmentName
    department: Department | None

    @property
    def organization(self) -> Organization:
        return self.declarations.organization

    @property
    def environment(self) -> Environment:
        return self.organization.environments[self.environment_name]

    @property
    def departments(self) -> Mapping[str, Department]:
        return self.declarations.departments

    @property
    def models(self) -> Mapping[str, Model]:
        """The department's models that exist in this environment."""
        models = self.department.models if self.department else {}
        return {name: model for name, model in models.items() if self.environment_name in model.environments}


@dataclass(frozen=True)
class Declarations:
    organization: Organization
    departments: Mapping[str, Department]

    @property
    def stacks(self) -> tuple[str, ...]:
        """Names of all stacks, each environment's platform before its departments."""
        return tuple(
            f"{part}-{environment}"
            for environment in self.organization.environments
            for part in (PLATFORM, *self.departments)
        )

    def stack(self, name: str) -> StackDeclaration:
        """Raises UnknownStack."""
        if name not in self.stacks:
            raise UnknownStack(f"no stack {name} is declared; there are {', '.join(self.stacks)}")
        part, environment = name.rsplit("-", 1)
        return StackDeclaration(name, self, EnvironmentName(environment), self.departments.get(part))


def load(folder: Path) -> Declarations:
    """Read `organization.yaml` and every `<department>/department.yaml` with its `models/*.yaml` below `folder`.

    Raises DeclarationError with all problems of all files; nothing is returned in part.
    """
    problems: list[Problem] = []
    documents: dict[Path, Document] = {}

    def one(kind: type[D], file: Path) -> D | None:
        try:
            documents[file] = read(file)
            return parse(kind, documents[file])
        except DeclarationError as error:
            problems.extend(error.problems)
            return None

    organization = one(Organization, folder / "organization.yaml")
    departments: dict[str, Department] = {}
    for file in sorted(folder.glob("*/department.yaml")):
        models = {path: one(Model, path) for path in sorted((file.parent / "models").glob("*.y*ml"))}
        department = one(Department, file)
        if department is not None:
            department._models.update({model.model: model for model in models.values() if model})
            departments[file.parent.name] = department
    problems += checks.layout(folder)
    problems += checks.cross_file(organization, departments, documents)
    if problems or organization is None:
        raise DeclarationError(problems)
    return Declarations(organization, departments)

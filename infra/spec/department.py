"""A department as it declares itself: `stacks/<department>/department.yaml`."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Self

from pydantic import Field, PrivateAttr, model_validator

from infra.spec.base import Declared, Fields
from infra.spec.model import Model
from infra.spec.types import (
    Classification,
    ColumnType,
    ConsentBasis,
    Direction,
    Email,
    EnvironmentName,
    Identifier,
    MilestoneStatus,
    Percent,
    Persona,
    Region,
    RiskKind,
    RiskStatus,
    Severity,
    Slug,
    Text,
    Zone,
)


class Contact(Fields):
    email: Email = Field(
        description="Address by which files name the person.", examples=["amara.diallo@northwind.example"]
    )
    name: Text = Field(description="Name of the person.", examples=["Amara Diallo"])
    role: Text = Field(description="What the person does.", examples=["Head of Risk Analytics"])


class SuccessMetric(Fields):
    name: Identifier = Field(description="Name that models refer to.", examples=["fraud_loss_ratio"])
    unit: Text = Field(description="Unit of baseline and target.", examples=["percent of premium"])
    baseline: float = Field(description="Value before.", examples=[1.9])
    target: float = Field(description="Value to reach.", examples=[1.4])
    direction: Direction = Field(description="Whether more or less is better.", examples=["decrease"])
    value_per_point_eur: float = Field(
        ge=0, description="What one unit of improvement is worth in a year, in euro.", examples=[850000]
    )

    @model_validator(mode="after")
    def _target_improves(self) -> Self:
        if (self.target > self.baseline) != (self.direction is Direction.INCREASE) or self.target == self.baseline:
            raise ValueError(f"target {self.target} is no {self.direction} of baseline {self.baseline}")
        return self


class DataSet(Fields):
    description: Text = Field(description="What the data is.", examples=["Card payments as they were authorised."])
    zone: Zone = Field(description="Zone in which it lies: raw, curated or features.", examples=["raw"])
    owner: Email = Field(description="Who answers for it.", examples=["jonas.weber@northwind.example"])
    personal: bool = Field(description="Whether it holds personal data.", examples=[True])
    retention_days: int = Field(ge=1, le=36500, description="Days after which it is deleted.", examples=[400])
    consent_basis: ConsentBasis | None = Field(
        None,
        description="Lawful basis, GDPR article 6(1); required where personal is true.",
        examples=["legitimate-interests"],
    )
    purpose: Text | None = Field(
        None, description="Purpose of use; required where personal is true.", examples=["fraud prevention"]
    )
    minimised_to: tuple[Identifier, ...] = Field(
        (), description="The only columns that may enter; required where personal is true.", examples=[["card_key"]]
    )
    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        return self._name

    @model_validator(mode="after")
    def _personal_data_is_accounted_for(self) -> Self:
        missing = [field for field in ("consent_basis", "purpose", "minimised_to") if not getattr(self, field)]
        if self.personal and missing:
            raise ValueError(f"{', '.join(missing)} required where personal is true")
        if self.zone in (Zone.MODELS, Zone.LOGS):
            raise ValueError(f"zone {self.zone} holds no data sets; expected raw, curated or features")
        return self


class FeatureSet(Fields):
    description: Text = Field(description="What the features say.", examples=["Spending behaviour of a card."])
    owner: Email = Field(description="Who answers for them.", examples=["jonas.weber@northwind.example"])
    entity: Identifier = Field(description="Column that identifies what a row is about.", examples=["card_key"])
    event_time: Identifier = Field(description="Timestamp column for point-in-time correct joins.", examples=["as_of"])
    ttl_days: int = Field(ge=1, le=3650, description="Days after which an online row expires.", examples=[30])
    source: Identifier = Field(description="Data set that they are computed from.", examples=["card_transactions"])
    columns: dict[Identifier, ColumnType] = Field(
        min_length=3,
        description="All columns with their types, entity and event time among them.",
        examples=[{"card_key": "string", "as_of": "timestamp", "amount_sum_1d": "double"}],
    )
    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        return self._name

    @model_validator(mode="after")
    def _keys_are_columns(self) -> Self:
        for field in ("entity", "event_time"):
            if getattr(self, field) not in self.columns:
                raise ValueError(f"{field} {getattr(self, field)} is none of the columns {', '.join(self.columns)}")
        if self.columns[self.event_time] not in (ColumnType.TIMESTAMP, ColumnType.DATE):
            raise ValueError(f"event_time {self.event_time} has to be a timestamp or a date")
        return self


class EscalationLevel(Fields):
    level: Slug = Field(description="Name of the level; it has a topic of that name.", examples=["on-call"])
    contact: Email = Field(description="Who is told.", examples=["risk-oncall@northwind.example"])
    respond_minutes: int = Field(
        ge=1, description="Time to respond before the next level is told, in minutes.", examples=[15]
    )


class DepartmentBudget(Fields):
    monthly_eur: dict[EnvironmentName, Annotated[float, Field(gt=0)]] = Field(
        min_length=1, description="Budget of a month for each environment, in euro.", examples=[{"dev": 2000}]
    )
    safe_to_fail_percent: Percent = Field(description="Share for experiments that may fail, in percent.", examples=[10])


class Risk(Fields):
    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")] = Field(
        description="Id in the risk register.", examples=["risk-001"]
    )
    title: Text = Field(description="What may happen.", examples=["Proxy discrimination by country"])
    kind: RiskKind = Field(description="Kind of risk.", examples=["ethical"])
    severity: Severity = Field(description="How bad it would be.", examples=["high"])
    owner: Email = Field(description="Who answers for it.", examples=["amara.diallo@northwind.example"])
    mitigation: Text = Field(description="What is done about it.", examples=["Parity is a release criterion."])
    review_by: date = Field(description="Day by which it is looked at again.", examples=["2027-03-31"])
    status: RiskStatus = Field(description="Where it stands.", examples=["open"])


class Milestone(Fields):
    milestone: Text = Field(description="What will be so.", examples=["card-fraud serves every authorisation"])
    owner: Email = Field(description="Who answers for it.", examples=["jonas.weber@northwind.example"])
    due: date = Field(description="Day by which it is so.", examples=["2027-01-31"])
    status: MilestoneStatus = Field(description="Where it stands.", examples=["planned"])


class Department(Declared):
    department: Slug = Field(description="Name of the department; the directory has the same.", examples=["risk"])
    title: Text = Field(description="What people call it.", examples=["Risk and Fraud"])
    owner: Email = Field(description="The person accountable.", examples=["amara.diallo@northwind.example"])
    cost_centre: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{2,32}$")] = Field(
        description="Cost centre that is charged.", examples=["CC-4100"]
    )
    classification: Classification = Field(description="Highest classification of its data.", examples=["confidential"])
    residency: tuple[Region, ...] = Field(
        min_length=1, description="Regions in which its data may lie.", examples=[["eu-central-1"]]
    )
    people: dict[Persona, Annotated[tuple[Text, ...], Field(min_length=1)]] = Field(
        description="Groups of the identity provider for each of the five personas.",
        examples=[{"data-scientist": ["risk-data-scientists"]}],
    )
    contacts: tuple[Contact, ...] = Field(
        min_length=1,
        description="People whom files may name as owners.",
        examples=[[{"email": "amara.diallo@northwind.example", "name": "Amara Diallo", "role": "Head"}]],
    )
    objective: Text = Field(description="What the department wants to reach.", examples=["Cut fraud losses."])
    success_metrics: tuple[SuccessMetric, ...] = Field(
        min_length=1,
        description="How success is measured.",
        examples=[[{"name": "fraud_loss_ratio", "unit": "percent of premium", "baseline": 1.9, "target": 1.4}]],
    )
    data_sets: dict[Identifier, DataSet] = Field(
        {}, description="Data sets by name.", examples=[{"card_transactions": {"zone": "raw"}}]
    )
    features: dict[Identifier, FeatureSet] = Field(
        {}, description="Feature sets by name.", examples=[{"card_activity": {"entity": "card_key"}}]
    )
    escalation: tuple[EscalationLevel, ...] = Field(
        min_length=1,
        description="Levels in the order in which they are told.",
        examples=[[{"level": "on-call", "contact": "risk-oncall@northwind.example", "respond_minutes": 15}]],
    )
    budget: DepartmentBudget = Field(
        description="Budget.", examples=[{"monthly_eur": {"dev": 2000}, "safe_to_fail_percent": 10}]
    )
    risks: tuple[Risk, ...] = Field((), description="Risk register.", examples=[[{"id": "risk-001"}]])
    roadmap: tuple[Milestone, ...] = Field((), description="Milestones.", examples=[[{"milestone": "card-fraud live"}]])
    _models: dict[str, Model] = PrivateAttr(default_factory=dict)

    @property
    def name(self) -> str:
        return self.department

    @property
    def models(self) -> Mapping[str, Model]:
        """Models by name, in the order of their names."""
        return self._models

    @model_validator(mode="after")
    def _name_the_named(self) -> Self:
        for name, data_set in self.data_sets.items():
            data_set._name = name
        for name, features in self.features.items():
            features._name = name
        return self

    @model_validator(mode="after")
    def _every_persona_has_groups(self) -> Self:
        missing = [persona for persona in Persona if persona not in self.people]
        if missing:
            raise ValueError(f"people lacks {', '.join(missing)}")
        return self

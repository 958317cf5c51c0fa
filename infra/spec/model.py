"""One model as its department declares it: `stacks/<department>/models/<model>.yaml`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from infra.spec.base import Declared, Fields
from infra.spec.types import (
    Direction,
    Email,
    EnvironmentName,
    Identifier,
    ModelKind,
    ModelName,
    Percent,
    ReleaseStrategy,
    Retrain,
    Stage,
    Text,
)

# The environments in which a model of a stage exists. A model in sunset keeps its resources until its declaration goes.
ENVIRONMENTS_OF_STAGE: dict[Stage, tuple[EnvironmentName, ...]] = {
    Stage.PROTOTYPE: (EnvironmentName.DEV,),
    Stage.PILOT: (EnvironmentName.DEV, EnvironmentName.STAGING),
    Stage.PRODUCTION: (EnvironmentName.DEV, EnvironmentName.STAGING, EnvironmentName.PROD),
    Stage.SUNSET: (EnvironmentName.DEV, EnvironmentName.STAGING, EnvironmentName.PROD),
}


class ModelObjective(Fields):
    statement: Text = Field(
        description="What the model is for, in one sentence.",
        examples=["Stop fraudulent payments before they settle."],
    )
    metric: Identifier = Field(
        description="The metric that decides whether the model is good enough.", examples=["recall_at_1_percent_fpr"]
    )
    direction: Direction = Field(description="Whether more or less of the metric is better.", examples=["increase"])
    baseline: float = Field(description="The metric without the model, in the metric's unit.", examples=[0.61])
    target: float = Field(description="The metric that the model has to reach, in the metric's unit.", examples=[0.74])
    business_metric: Identifier = Field(
        description="The success metric of the department that the model moves.", examples=["fraud_loss_ratio"]
    )

    @model_validator(mode="after")
    def _target_improves(self) -> Self:
        if (self.target > self.baseline) != (self.direction is Direction.INCREASE) or self.target == self.baseline:
            raise ValueError(f"target {self.target} is no {self.direction} of baseline {self.baseline}")
        return self


class Privacy(Fields):
    personal: bool = Field(description="Whether the model sees personal data.", examples=[True])
    purpose: Text | None = Field(
        None, description="The purpose for which personal data is used.", examples=["fraud prevention"]
    )
    explanation_required: bool = Field(
        False, description="Whether every prediction has to be explainable to the person concerned.", examples=[True]
    )

    @model_validator(mode="after")
    def _purpose_of_personal_data(self) -> Self:
        if self.personal and not self.purpose:
            raise ValueError("purpose is required where personal is true")
        return self


class Slos(Fields):
    availability_percent: float = Field(
        gt=0, lt=100, description="Share of requests answered without error over 30 days, in percent.", examples=[99.9]
    )
    latency_p99_ms: float = Field(gt=0, description="99th percentile of latency, in milliseconds.", examples=[60])
    freshness_minutes: int = Field(
        gt=0, description="Oldest age that online features may have, in minutes.", examples=[30]
    )


class Rollback(Fields):
    error_rate_percent: Percent = Field(
        description="Share of failed requests of the new version above which it is rolled back, in percent.",
        examples=[1.0],
    )
    latency_p99_ms: float = Field(
        gt=0, description="99th percentile above which it is rolled back, in milliseconds.", examples=[90]
    )
    drift_score: float = Field(
        gt=0, description="Population stability index of predictions above which it is rolled back.", examples=[0.3]
    )


class Release(Fields):
    strategy: ReleaseStrategy = Field(description="How a new version takes over traffic.", examples=["canary"])
    steps_percent: tuple[Annotated[int, Field(gt=0, lt=100)], ...] = Field(
        (), description="Shares of traffic before the whole, rising, in percent.", examples=[[5, 25, 50]]
    )
    step_minutes: int | None = Field(
        None, gt=0, description="How long each share is observed, in minutes.", examples=[30]
    )
    rollback: Rollback | None = Field(
        None,
        description="The criteria on which a release is rolled back; required from pilot on.",
        examples=[{"error_rate_percent": 1.0, "latency_p99_ms": 90, "drift_score": 0.3}],
    )

    @model_validator(mode="after")
    def _steps_fit_strategy(self) -> Self:
        if list(self.steps_percent) != sorted(set(self.steps_percent)):
            raise ValueError("steps_percent has to rise, such as [5, 25, 50]")
        if self.strategy in (ReleaseStrategy.CANARY, ReleaseStrategy.AB) and not (
            self.steps_percent and self.step_minutes
        ):
            raise ValueError(f"strategy {self.strategy} needs steps_percent and step_minutes")
        return self


class Drift(Fields):
    psi_warning: float = Field(gt=0, description="Population stability index that warns.", examples=[0.1])
    psi_alarm: float = Field(gt=0, description="Population stability index that alarms.", examples=[0.2])
    check_every_minutes: int = Field(
        ge=5, le=1440, description="Time between two measurements, in minutes.", examples=[60]
    )
    retrain: Retrain = Field(description="Whether an alarm starts retraining by itself.", examples=["automatic"])

    @model_validator(mode="after")
    def _warning_comes_first(self) -> Self:
        if self.psi_warning >= self.psi_alarm:
            raise ValueError(f"psi_warning {self.psi_warning} has to be below psi_alarm {self.psi_alarm}")
        return self


class Capacity(Fields):
    requests_per_second: float = Field(gt=0, description="Peak load, in requests per second.", examples=[400])
    min_replicas: int = Field(ge=1, description="Replicas that always run.", examples=[3])
    max_replicas: int = Field(ge=1, le=200, description="Replicas at the peak.", examples=[20])
    cpu: str = Field(
        pattern=r"^\d+(\.\d+)?m?$", description="Processor of one replica, as Kubernetes writes it.", examples=["1"]
    )
    memory: str = Field(
        pattern=r"^\d+(Mi|Gi)$", description="Memory of one replica, as Kubernetes writes it.", examples=["1Gi"]
    )

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"min_replicas {self.min_replicas} exceeds max_replicas {self.max_replicas}")
        return self


class Source(Fields):
    repository: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$",
        description="Source repository, as owner/name.",
        examples=["northwind/card-fraud"],
    )
    branch: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$",
        description="The only branch whose builds may push images.",
        examples=["main"],
    )


class Model(Declared):
    model: ModelName = Field(description="Name of the model; the file has the same.", examples=["card-fraud"])
    title: Text = Field(description="What people call it.", examples=["Card fraud score at authorisation"])
    owner: Email = Field(
        description="The person accountable, one of the department's contacts.",
        examples=["jonas.weber@northwind.example"],
    )
    approver: Email | None = Field(
        None,
        description="Who approves a release; another contact than the owner. Required from pilot on.",
        examples=["amara.diallo@northwind.example"],
    )
    stage: Stage = Field(description="Stage of the model's life.", examples=["pilot"])
    kind: ModelKind = Field(description="Kind of learning problem.", examples=["tabular-classification"])
    objective: ModelObjective | None = Field(
        None,
        description="Objective and success metric; required from pilot on.",
        examples=[
            {"statement": "Stop fraud.", "metric": "recall", "direction": "increase", "baseline": 0.6, "target": 0.7}
        ],
    )
    privacy: Privacy = Field(description="Privacy requirements.", examples=[{"personal": False}])
    data_sets: tuple[Identifier, ...] = Field(
        min_length=1, description="Data sets of the department that the model uses.", examples=[["card_transactions"]]
    )
    features: tuple[Identifier, ...] = Field(
        (), description="Feature sets of the department that the model uses.", examples=[["card_activity"]]
    )
    contract: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_./-]*\.ya?ml$",
        description="Data contract (ODCS) in the source repository; required from pilot on.",
        examples=["contracts/card-fraud.yaml"],
    )
    slos: Slos | None = Field(
        None,
        description="Service level objectives; required from pilot on.",
        examples=[{"availability_percent": 99.9, "latency_p99_ms": 60, "freshness_minutes": 30}],
    )
    release: Release | None = Field(
        None, description="How versions are released; required from pilot on.", examples=[{"strategy": "recreate"}]
    )
    drift: Drift | None = Field(
        None,
        description="Drift thresholds; required from pilot on.",
        examples=[{"psi_warning": 0.1, "psi_alarm": 0.2, "check_every_minutes": 60, "retrain": "manual"}],
    )
    toggles: dict[Identifier, bool] = Field(
        {}, description="Feature toggles with their defaults.", examples=[{"explanations": True}]
    )
    capacity: Capacity | None = Field(
        None,
        description="Capacity plan; required from pilot on.",
        examples=[{"requests_per_second": 400, "min_replicas": 3, "max_replicas": 20, "cpu": "1", "memory": "1Gi"}],
    )
    image_repository: ModelName = Field(
        description="Name of the image repository in the department's registry.", examples=["card-fraud"]
    )
    source: Source = Field(
        description="Where the model's code lives.", examples=[{"repository": "northwind/card-fraud", "branch": "main"}]
    )

    @property
    def name(self) -> str:
        return self.model

    @property
    def environments(self) -> tuple[EnvironmentName, ...]:
        """The environments in which the model's stage lets it exist."""
        return ENVIRONMENTS_OF_STAGE[self.stage]

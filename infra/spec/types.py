"""The words that declarations use: enumerations and constrained strings, each with the pattern that its cloud names need."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field


class Persona(StrEnum):
    DATA_SCIENTIST = "data-scientist"
    ML_ENGINEER = "ml-engineer"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    OPERATOR = "operator"


class Workload(StrEnum):
    TRAINING = "training"
    SERVING = "serving"
    PIPELINE = "pipeline"
    CI = "ci"


class Zone(StrEnum):
    RAW = "raw"
    CURATED = "curated"
    FEATURES = "features"
    MODELS = "models"
    LOGS = "logs"


class Stage(StrEnum):
    PROTOTYPE = "prototype"
    PILOT = "pilot"
    PRODUCTION = "production"
    SUNSET = "sunset"


class EnvironmentName(StrEnum):
    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


class Classification(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class ConsentBasis(StrEnum):
    """The six lawful bases of the GDPR, article 6(1)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal-obligation"
    VITAL_INTERESTS = "vital-interests"
    PUBLIC_TASK = "public-task"
    LEGITIMATE_INTERESTS = "legitimate-interests"


class RiskKind(StrEnum):
    REGULATORY = "regulatory"
    ETHICAL = "ethical"
    SECURITY = "security"


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class RiskStatus(StrEnum):
    OPEN = "open"
    MITIGATED = "mitigated"
    ACCEPTED = "accepted"
    CLOSED = "closed"


class MilestoneStatus(StrEnum):
    PLANNED = "planned"
    STARTED = "started"
    DONE = "done"
    DROPPED = "dropped"


class Direction(StrEnum):
    INCREASE = "increase"
    DECREASE = "decrease"


class ModelKind(StrEnum):
    TABULAR_CLASSIFICATION = "tabular-classification"
    TABULAR_REGRESSION = "tabular-regression"
    TIME_SERIES_FORECAST = "time-series-forecast"


class ReleaseStrategy(StrEnum):
    RECREATE = "recreate"
    CANARY = "canary"
    BLUE_GREEN = "blue-green"
    SHADOW = "shadow"
    AB = "ab"


class Retrain(StrEnum):
    MANUAL = "manual"
    AUTOMATIC = "automatic"


class ColumnType(StrEnum):
    """Column types that Hive tables (Glue) and online rows (DynamoDB) share."""

    STRING = "string"
    BOOLEAN = "boolean"
    INT = "int"
    BIGINT = "bigint"
    FLOAT = "float"
    DOUBLE = "double"
    DATE = "date"
    TIMESTAMP = "timestamp"


# Bucket names hold 63 characters: organization + department + environment + zone have to fit.
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=2, max_length=20)]
# A model's name is part of alarms, dashboards and Kubernetes labels (63 characters).
ModelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=2, max_length=40)]
# Glue tables allow neither hyphens nor capitals.
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", min_length=2, max_length=60)]
Email = Annotated[str, Field(pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$")]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
Account = Annotated[str, Field(pattern=r"^\d{12}$")]
Percent = Annotated[float, Field(gt=0, le=100)]
Text = Annotated[str, Field(min_length=3, max_length=500, pattern=r"\S")]

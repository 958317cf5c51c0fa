"""The metrics that model servers and pipelines report to CloudWatch, named once for alarms and dashboards."""

from dataclasses import dataclass

from infra.naming import Names
from infra.spec import Model


@dataclass(frozen=True)
class Metric:
    name: str
    statistic: str
    title: str


REQUESTS = Metric("Requests", "Sum", "Requests")
ERRORS = Metric("Errors", "Sum", "Failed requests")
LATENCY = Metric("LatencyMilliseconds", "p99", "Latency, 99th percentile, ms")
FRESHNESS = Metric("FeatureAgeMinutes", "Maximum", "Oldest online feature, minutes")
DRIFT = Metric("PopulationStabilityIndex", "Maximum", "Drift, population stability index")
VALUE = Metric("BusinessValueEur", "Sum", "Realised value, EUR")
ALL = (REQUESTS, ERRORS, LATENCY, FRESHNESS, DRIFT, VALUE)


def namespace(names: Names) -> str:
    return f"Stagegate/{names.part}"


def dimensions(names: Names, model: Model) -> dict[str, str]:
    return {"Environment": names.environment, "Model": model.name}

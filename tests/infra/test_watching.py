"""Topics, alarms, dashboards and budgets: what tells people that something is wrong, and whom."""

import json
from typing import Any

import pytest

from infra.components.alarms import error_ratio_threshold

ON_CALL, LEAD = (f"arn:aws:sns:eu-west-1:111111111111:claims-dev-{level}" for level in ("on-call", "lead"))
RUNBOOKS = "https://runbooks.acme.example/claims/triage"
METRIC, COMPOSITE = "cloudwatch/metricAlarm:MetricAlarm", "cloudwatch/compositeAlarm:CompositeAlarm"


def test_each_level_of_escalation_has_its_encrypted_topic_and_contact(dev: Any) -> None:
    for level, contact in (("on-call", "oncall@acme.example"), ("lead", "lead@acme.example")):
        topic = dev.inputs("sns/topic:Topic", f"claims-dev-{level}")
        assert (topic["name"], topic["kmsMasterKeyId"]) == (f"claims-dev-{level}", "aws:kms/key:Key::claims-dev::arn")
        subscription = dev.inputs("sns/topicSubscription:TopicSubscription", f"claims-dev-{level}")
        assert (subscription["protocol"], subscription["endpoint"]) == ("email", contact)
        policy = dev.policy("sns/topicPolicy:TopicPolicy", f"claims-dev-{level}")
        assert policy["AlarmsAndBudgets"]["Condition"] == {"StringEquals": {"aws:SourceAccount": "111111111111"}}
        assert policy["TlsOnly"]["Effect"] == "Deny"
    assert len(dev.all("sns/topic:Topic")) == 2


@pytest.mark.parametrize(
    ("availability", "rate", "threshold"), [(99.9, 14.4, 0.0144), (99.9, 6, 0.006), (99.0, 3, 0.03)]
)
def test_a_burn_rate_is_a_share_of_failed_requests(availability: float, rate: float, threshold: float) -> None:
    assert error_ratio_threshold(availability, rate) == threshold


@pytest.mark.parametrize(
    ("burn", "threshold", "long", "short", "told"),
    [
        ("fast-burn", 0.0144, 60, 5, ON_CALL),
        ("medium-burn", 0.006, 360, 30, ON_CALL),
        ("slow-burn", 0.003, 1440, 120, LEAD),
    ],
)
def test_availability_burns_over_two_windows_at_once(
    dev: Any, burn: str, threshold: float, long: int, short: int, told: str
) -> None:
    both = [f"claims-dev-triage-availability-{burn}-{minutes}m" for minutes in (long, short)]
    composite = dev.inputs(COMPOSITE, f"claims-dev-triage-{burn}")
    assert composite["alarmRule"] == f'ALARM("{both[0]}") AND ALARM("{both[1]}")'
    assert composite["alarmActions"] == composite["okActions"] == [told]
    assert composite["alarmDescription"].endswith(f"Owner: lead@acme.example. Runbook: {RUNBOOKS}/availability")
    for name, minutes in zip(both, (long, short), strict=True):
        window = dev.inputs(METRIC, name)
        assert window["name"] == name
        assert window["threshold"] == threshold
        assert {q["metric"]["period"] for q in window["metricQueries"] if "metric" in q} == {minutes * 60}
        # A window alone tells nobody.
        assert "alarmActions" not in window


@pytest.mark.parametrize(
    ("what", "metric", "threshold", "period", "told"),
    [
        ("latency", "LatencyMilliseconds", 60, 300, ON_CALL),
        ("freshness", "FeatureAgeMinutes", 30, 300, ON_CALL),
        ("drift-warning", "PopulationStabilityIndex", 0.1, 3600, LEAD),
        ("drift", "PopulationStabilityIndex", 0.2, 3600, ON_CALL),
    ],
)
def test_thresholds_are_the_declared_ones(
    dev: Any, what: str, metric: str, threshold: float, period: int, told: str
) -> None:
    alarm = dev.inputs(METRIC, f"claims-dev-triage-{what}")
    assert (alarm["metricName"], alarm["threshold"], alarm["period"]) == (metric, threshold, period)
    assert alarm["dimensions"] == {"Environment": "dev", "Model": "triage"}
    assert alarm["alarmActions"] == [told]
    assert alarm["alarmDescription"].endswith(f"Runbook: {RUNBOOKS}/{what}")
    assert alarm["comparisonOperator"] == "GreaterThanThreshold"


def test_a_model_without_objectives_has_no_alarm(dev: Any) -> None:
    assert len(dev.all(METRIC)) == 10
    assert len(dev.all(COMPOSITE)) == 3
    assert not [name for name in (*dev.all(METRIC), *dev.all(COMPOSITE)) if "sketch" in name]


def test_the_department_and_each_model_have_a_dashboard(dev: Any) -> None:
    dashboards = dev.all("cloudwatch/dashboard:Dashboard")
    assert set(dashboards) == {"claims-dev", "claims-dev-triage", "claims-dev-sketch"}
    body = json.loads(dashboards["claims-dev-triage"].inputs["dashboardBody"])
    titles = {widget["properties"]["title"]: widget for widget in body["widgets"] if widget["type"] == "metric"}
    assert len(titles) == 6
    limit = titles["Latency, 99th percentile, ms"]["properties"]["annotations"]["horizontal"]
    assert limit == [{"label": "limit", "value": 60}]
    places = [(widget["x"], widget["y"]) for widget in body["widgets"]]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("name", "usd", "tag"),
    [
        ("claims-dev", "1100.00", "user:department$claims"),
        ("claims-dev-safe-to-fail", "110.00", "user:safe-to-fail$claims"),
    ],
)
def test_budgets_warn_at_the_declared_shares(dev: Any, name: str, usd: str, tag: str) -> None:
    budget = dev.inputs("budgets/budget:Budget", name)
    assert (budget["limitAmount"], budget["limitUnit"], budget["timeUnit"]) == (usd, "USD", "MONTHLY")
    assert budget["costFilters"] == [{"name": "TagKeyValue", "values": [tag]}]
    assert [(n["threshold"], n["subscriberSnsTopicArns"]) for n in budget["notifications"]] == [
        (50, [LEAD]),
        (80, [LEAD]),
        (100, [LEAD]),
    ]
    assert len(dev.all("budgets/budget:Budget")) == 2

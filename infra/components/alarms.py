"""Alarms from a model's service level objectives and drift thresholds, each with its runbook.

Availability is judged by burn rates over two windows at once, as the Site Reliability Workbook has it (chapter 5,
"Alerting on SLOs", table 5-8), for an objective over 30 days: a rate of 14.4 for an hour spends 2 % of the error
budget, 6 for six hours 5 %, 3 for a day 10 %. The short window, a twelfth of the long one, ends the alarm soon after
the burning ends. The workbook's fourth pair needs three days in one datapoint; a CloudWatch period ends at one.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra import actions, metrics
from infra.access import Grant, Principal
from infra.components.base import Component
from infra.components.observability import Topics
from infra.metrics import Metric
from infra.policy import Statement
from infra.spec import Model, StackDeclaration
from infra.spec.model import Drift, Slos
from infra.spec.types import Stage

MINUTE, HOUR = 60, 3600


@dataclass(frozen=True)
class Burn:
    """Windows in seconds. `urgent` goes to the first level of escalation, the rest to the second."""

    name: str
    rate: float
    long: int
    short: int
    urgent: bool


BURNS = (
    Burn("fast-burn", 14.4, HOUR, 5 * MINUTE, urgent=True),
    Burn("medium-burn", 6, 6 * HOUR, 30 * MINUTE, urgent=True),
    Burn("slow-burn", 3, 24 * HOUR, 2 * HOUR, urgent=False),
)


def error_ratio_threshold(availability_percent: float, rate: float) -> float:
    """The share of failed requests at which the error budget is spent `rate` times as fast as it lasts.

    Rounded to six digits, so that a threshold reads as written and doesn't move with the platform's floats.
    """
    return round(rate * (1 - availability_percent / 100), 6)


class Alarms(Component):
    """Alarms of all models that have objectives; a model in sunset keeps them until its declaration goes."""

    def __init__(
        self, name: str, stack: StackDeclaration, topics: Topics, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, stack, opts)
        self.topics = topics
        self.alarm_names: list[str] = []
        for model in self.models.values():
            if model.slos is not None:
                self._availability(model, model.slos)
                self._latency_and_freshness(model, model.slos)
            if model.drift is not None and model.stage is not Stage.SUNSET:
                self._drift(model, model.drift)
        self.register_outputs({"alarms": self.alarm_names})

    def _availability(self, model: Model, slos: Slos) -> None:
        for burn in BURNS:
            windows: dict[str, pulumi.Resource] = {}
            for seconds in (burn.long, burn.short):
                what = f"availability-{burn.name}-{seconds // MINUTE}m"
                windows[self.names.alarm(model, what)] = self._error_ratio(
                    model, what, seconds, error_ratio_threshold(slos.availability_percent, burn.rate)
                )
            name = self.names.alarm(model, f"availability-{burn.name}")
            self.alarm_names.append(name)
            aws.cloudwatch.CompositeAlarm(
                f"{self.name}-{model.name}-{burn.name}",
                alarm_name=name,
                alarm_description=self._description(
                    model,
                    "availability",
                    f"Error budget of {slos.availability_percent} % burns {burn.rate} times too fast",
                ),
                alarm_rule=" AND ".join(f'ALARM("{window}")' for window in windows),
                alarm_actions=[self.topics.first if burn.urgent else self.topics.second],
                ok_actions=[self.topics.first if burn.urgent else self.topics.second],
                tags=self.names.tags(name, model),
                opts=self.child(depends_on=list(windows.values())),
            )

    def _error_ratio(self, model: Model, what: str, seconds: int, threshold: float) -> aws.cloudwatch.MetricAlarm:
        """No requests are no errors; whether there should have been requests is for the serving cluster to say."""
        name = self.names.alarm(model, what)
        self.alarm_names.append(name)

        def query(identifier: str, metric: Metric) -> aws.cloudwatch.MetricAlarmMetricQueryArgsDict:
            return {
                "id": identifier,
                "metric": {
                    "namespace": metrics.namespace(self.names),
                    "metric_name": metric.name,
                    "dimensions": metrics.dimensions(self.names, model),
                    "period": seconds,
                    "stat": metric.statistic,
                },
            }

        return aws.cloudwatch.MetricAlarm(
            f"{self.name}-{model.name}-{what}",
            name=name,
            alarm_description=self._description(model, "availability", f"Share of failed requests over {seconds} s"),
            comparison_operator="GreaterThanThreshold",
            evaluation_periods=1,
            threshold=threshold,
            treat_missing_data="notBreaching",
            metric_queries=[
                query("errors", metrics.ERRORS),
                query("requests", metrics.REQUESTS),
                {
                    "id": "ratio",
                    "expression": "IF(requests > 0, errors / requests, 0)",
                    "label": "Share of failed requests",
                    "return_data": True,
                },
            ],
            tags=self.names.tags(name, model),
            opts=self.child(),
        )

    def _latency_and_freshness(self, model: Model, slos: Slos) -> None:
        self._threshold(
            model,
            "latency",
            metrics.LATENCY,
            slos.latency_p99_ms,
            f"99th percentile of latency over {slos.latency_p99_ms} ms",
            missing="notBreaching",
            action=self.topics.first,
        )
        self._threshold(
            model,
            "freshness",
            metrics.FRESHNESS,
            slos.freshness_minutes,
            f"Online features older than {slos.freshness_minutes} minutes",
            missing="missing",
            action=self.topics.first,
        )

    def _drift(self, model: Model, drift: Drift) -> None:
        period = max(drift.check_every_minutes, 5) * MINUTE
        for what, threshold, action in (
            ("drift-warning", drift.psi_warning, self.topics.second),
            ("drift", drift.psi_alarm, self.topics.first),
        ):
            self._threshold(
                model,
                what,
                metrics.DRIFT,
                threshold,
                f"Population stability index over {threshold}",
                missing="missing",
                action=action,
                period=period,
                periods=1,
            )

    def _threshold(
        self,
        model: Model,
        what: str,
        metric: Metric,
        threshold: float,
        says: str,
        *,
        missing: str,
        action: str,
        period: int = 5 * MINUTE,
        periods: int = 3,
    ) -> None:
        name = self.names.alarm(model, what)
        self.alarm_names.append(name)
        percentile = metric.statistic.startswith("p")
        aws.cloudwatch.MetricAlarm(
            f"{self.name}-{model.name}-{what}",
            name=name,
            alarm_description=self._description(model, what, says),
            namespace=metrics.namespace(self.names),
            metric_name=metric.name,
            dimensions=metrics.dimensions(self.names, model),
            statistic=None if percentile else metric.statistic,
            extended_statistic=metric.statistic if percentile else None,
            period=period,
            evaluation_periods=periods,
            comparison_operator="GreaterThanThreshold",
            threshold=threshold,
            treat_missing_data=missing,
            alarm_actions=[action],
            ok_actions=[action],
            tags=self.names.tags(name, model),
            opts=self.child(),
        )

    def _description(self, model: Model, runbook: str, says: str) -> str:
        return f"{says}. Owner: {model.owner}. Runbook: {self.organization.runbooks}/{self.names.part}/{model.name}/{runbook}"

    def grant_silence(self, to: Principal) -> Grant:
        """Switch the actions of alarms off and on again."""
        return Grant(to, "silence", "alarms", (Statement(actions.ALARM_SILENCE, (self.names.alarm_arns,)),))

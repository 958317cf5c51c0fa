"""CloudWatch dashboards: one of the department, one of each model, over the metrics that the alarms use."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from infra import actions, metrics
from infra.access import Grant, Principal
from infra.components.base import Component
from infra.metrics import Metric
from infra.policy import Statement
from infra.spec import Model, StackDeclaration

WIDTH, HEIGHT, COLUMNS = 12, 6, 24


class Dashboards(Component):
    def __init__(self, name: str, stack: StackDeclaration, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, stack, opts)
        self._dashboard(name, self.names.dashboard(), self._department())
        for model in self.models.values():
            self._dashboard(f"{name}-{model.name}", self.names.dashboard(model), self._model(model))
        self.register_outputs({"dashboard": self.names.dashboard()})

    def _dashboard(self, name: str, physical: str, widgets: list[dict[str, Any]]) -> None:
        aws.cloudwatch.Dashboard(
            name,
            dashboard_name=physical,
            dashboard_body=json.dumps({"widgets": _placed(widgets)}, separators=(",", ":")),
            opts=self.child(),
        )

    def _department(self) -> list[dict[str, Any]]:
        text = f"# {self.department.title}\n{self.department.objective}\n\nOwner: {self.names.owner}"
        models = list(self.models.values())
        shown = [self._widget(metric, models) for metric in metrics.ALL] if models else []
        return [_text(text), *shown]

    def _model(self, model: Model) -> list[dict[str, Any]]:
        objective = model.objective.statement if model.objective else "No objective declared yet."
        limits: dict[Metric, float] = {}
        if model.slos:
            limits |= {metrics.LATENCY: model.slos.latency_p99_ms, metrics.FRESHNESS: model.slos.freshness_minutes}
        if model.drift:
            limits[metrics.DRIFT] = model.drift.psi_alarm
        return [
            _text(f"# {model.title}\n{objective}\n\nStage: {model.stage}. Owner: {model.owner}"),
            *(self._widget(metric, [model], limits.get(metric)) for metric in metrics.ALL),
        ]

    def _widget(self, metric: Metric, models: list[Model], limit: float | None = None) -> dict[str, Any]:
        properties: dict[str, Any] = {
            "title": metric.title,
            "region": self.names.region,
            "view": "timeSeries",
            "period": 300,
            "stat": metric.statistic,
            "metrics": [
                [
                    metrics.namespace(self.names),
                    metric.name,
                    *(part for pair in metrics.dimensions(self.names, model).items() for part in pair),
                    {"label": model.name},
                ]
                for model in models
            ],
        }
        if limit is not None:
            properties["annotations"] = {"horizontal": [{"label": "limit", "value": limit}]}
        return {"type": "metric", "properties": properties}

    def grant_view(self, to: Principal) -> Grant:
        return Grant(
            to,
            "view",
            "dashboards",
            (
                Statement(actions.DASHBOARD_VIEW, self.names.dashboard_arns),
                Statement(actions.METRIC_READ, ("*",)),
            ),
        )


def _text(markdown: str) -> dict[str, Any]:
    return {"type": "text", "properties": {"markdown": markdown}}


def _placed(widgets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The text across the top, the rest in two columns."""
    head, *rest = widgets
    placed = [{**head, "x": 0, "y": 0, "width": COLUMNS, "height": 3}]
    for index, widget in enumerate(rest):
        placed.append(
            {**widget, "x": index % 2 * WIDTH, "y": 3 + index // 2 * HEIGHT, "width": WIDTH, "height": HEIGHT}
        )
    return placed

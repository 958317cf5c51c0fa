"""What a department may spend in a month, and the share of it that experiments may lose."""

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.observability import Topics
from infra.spec import StackDeclaration


class Budget(Component):
    """Costs are told apart by tags, which have to be activated as cost allocation tags in the billing account."""

    def __init__(
        self, name: str, stack: StackDeclaration, topics: Topics, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, stack, opts)
        declared = self.department.budget
        monthly = declared.monthly_eur[self.stack.environment_name]
        self._budget(name, self.names.prefix, monthly, f"user:department${self.names.part}", topics)
        self._budget(
            f"{name}-safe-to-fail",
            f"{self.names.prefix}-safe-to-fail",
            monthly * declared.safe_to_fail_percent / 100,
            f"user:safe-to-fail${self.names.part}",
            topics,
        )
        self.register_outputs({"monthlyEur": monthly})

    def _budget(self, name: str, physical: str, eur: float, tag: str, topics: Topics) -> None:
        defaults = self.organization.defaults
        aws.budgets.Budget(
            name,
            name=physical,
            account_id=self.names.account,
            budget_type="COST",
            time_unit="MONTHLY",
            limit_unit="USD",
            limit_amount=f"{eur * defaults.usd_per_eur:.2f}",
            cost_filters=[{"name": "TagKeyValue", "values": [tag]}],
            notifications=[
                {
                    "comparison_operator": "GREATER_THAN",
                    "notification_type": "ACTUAL",
                    "threshold": percent,
                    "threshold_type": "PERCENTAGE",
                    "subscriber_sns_topic_arns": [topics.second],
                }
                for percent in defaults.budget_alerts_percent
            ],
            tags=self.names.tags(physical),
            opts=self.child(depends_on=[topics]),
        )

"""Log groups of workloads and models, and a topic for each level of escalation."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra import actions
from infra.access import Grant, KeyUse, Principal
from infra.components.base import Component
from infra.components.identity import POD_WORKLOADS
from infra.components.keys import Keys
from infra.naming import Names
from infra.policy import Statement, document
from infra.spec import Model, StackDeclaration
from infra.spec.types import Workload


class LogGroups(Component):
    """Built after the key's policy: CloudWatch Logs takes a key only if the key's policy lets it."""

    def __init__(
        self,
        name: str,
        stack: StackDeclaration,
        keys: Keys,
        key_policy: pulumi.Resource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, stack, opts)
        groups: dict[str, Model | None] = {self.names.workload_log_group(workload): None for workload in POD_WORKLOADS}
        groups |= {self.names.model_log_group(model): model for model in self.models.values()}
        for group, model in groups.items():
            aws.cloudwatch.LogGroup(
                group.removeprefix("/stagegate/").replace("/", "-"),
                name=group,
                retention_in_days=self.environment.log_retention_days,
                kms_key_id=keys.arn,
                tags=self.names.tags(group, model),
                opts=self.child(depends_on=[key_policy]),
            )
        self.register_outputs({"groups": list(groups)})


class Logs:
    """Who may read and write the log groups; the Access block needs it before the groups exist."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def grant_read_models(self, to: Principal) -> Grant:
        return self._grant(to, "read", "logs of models", self.names.model_log_groups, actions.LOG_READ)

    def grant_read_all(self, to: Principal) -> Grant:
        return self._grant(to, "read", "all logs", self.names.log_groups, actions.LOG_READ)

    def grant_write_own(self, to: Workload) -> Grant:
        return self._grant(to, "write", f"logs of {to}", self.names.workload_log_group(to), actions.LOG_WRITE)

    def grant_write_models(self, to: Workload) -> Grant:
        return self._grant(to, "write", "logs of models", self.names.model_log_groups, actions.LOG_WRITE)

    def _grant(self, to: Principal, verb: str, target: str, groups: str, allowed: tuple[str, ...]) -> Grant:
        return Grant(to, verb, target, (Statement(allowed, (self.names.log_streams_arn(groups),)),))


class Topics(Component):
    """One topic for each level of escalation, in the declared order; alarms and budgets publish to them."""

    def __init__(
        self, name: str, stack: StackDeclaration, keys: Keys, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, stack, opts)
        for level in self.department.escalation:
            topic = aws.sns.Topic(
                f"{name}-{level.level}",
                name=self.names.topic(level.level),
                display_name=f"{self.department.title}: {level.level}"[:100],
                kms_master_key_id=keys.arn,
                tags=self.names.tags(self.names.topic(level.level)),
                opts=self.child(),
            )
            aws.sns.TopicPolicy(
                f"{name}-{level.level}", arn=topic.arn, policy=self._policy(level.level), opts=self.child()
            )
            aws.sns.TopicSubscription(
                f"{name}-{level.level}",
                topic=topic.arn,
                protocol="email",
                endpoint=level.contact,
                opts=self.child(),
            )
        self.arns: Sequence[str] = [self.names.topic_arn(level.level) for level in self.department.escalation]
        self.register_outputs({"topics": self.arns})

    @property
    def first(self) -> str:
        return self.arns[0]

    @property
    def second(self) -> str:
        """The second level, or the only one."""
        return self.arns[min(1, len(self.arns) - 1)]

    def _policy(self, level: str) -> str:
        arn = self.names.topic_arn(level)
        statements = [
            Statement(
                actions.TOPIC_PUBLISH,
                (arn,),
                sid="AlarmsAndBudgets",
                principals={"Service": ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]},
                conditions={"StringEquals": {"aws:SourceAccount": self.names.account}},
            ),
            Statement(
                actions.TOPIC_PUBLISH,
                (arn,),
                "Deny",
                "TlsOnly",
                "*",
                {"Bool": {"aws:SecureTransport": "false"}},
            ),
        ]
        return document(statements, name=self.names.topic(level))

    def grant_publish(self, to: Principal) -> list[Grant]:
        return [self._grant(to, "publish", level.level, actions.TOPIC_PUBLISH) for level in self.department.escalation]

    def grant_subscribe(self, to: Principal) -> list[Grant]:
        return [
            self._grant(to, "subscribe", level.level, actions.TOPIC_SUBSCRIBE) for level in self.department.escalation
        ]

    def _grant(self, to: Principal, verb: str, level: str, allowed: tuple[str, ...]) -> Grant:
        key = KeyUse(actions.KEY_ENCRYPT, "sns") if allowed == actions.TOPIC_PUBLISH else None
        return Grant(to, verb, f"topic {level}", (Statement(allowed, (self.names.topic_arn(level),)),), key)

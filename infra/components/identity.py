"""A department's roles, all under one permissions boundary. They start with nothing."""

import pulumi
import pulumi_aws as aws

from infra import actions, trust
from infra.access import Principal
from infra.components.base import Component
from infra.naming import Names
from infra.policy import MANAGED_LIMIT, Statement, document
from infra.spec import StackDeclaration
from infra.spec.types import Persona, Workload, Zone

SESSION_SECONDS = 3600
POD_WORKLOADS = (Workload.TRAINING, Workload.SERVING, Workload.PIPELINE)


def boundary(stack: StackDeclaration, names: Names) -> str:
    """The most that any role of the department can ever do, whatever is attached to it."""
    assert stack.department is not None
    buckets = [names.bucket_arn(zone) for zone in Zone]
    return document(
        [
            Statement(actions.ALL_ZONE, tuple(buckets)),
            Statement(actions.ALL_OBJECT, tuple(f"{bucket}/*" for bucket in buckets)),
            Statement(actions.ALL_FEATURES, names.catalog_arns("*")),
            Statement(actions.ALL_ONLINE, (names.online_table_arn("*"),)),
            Statement(actions.ALL_IMAGES, (names.repository_arns,)),
            Statement(actions.ALL_PACKAGES, (names.package_group_arns, names.package_arns)),
            Statement(actions.ALL_LOGS, (names.log_streams_arn(names.log_groups),)),
            Statement(actions.ALL_TOPICS, (names.topic_arn("*"),)),
            Statement(actions.ALARM_SILENCE, (names.alarm_arns,)),
            Statement(actions.DASHBOARD_VIEW, names.dashboard_arns),
            Statement(
                actions.KEY_ENCRYPT,
                (names.arn("kms", "key/*"),),
                conditions={
                    "StringEquals": {
                        "aws:ResourceTag/department": names.part,
                        "aws:ResourceTag/environment": names.environment,
                    }
                },
            ),
            Statement(actions.ALL_ANYWHERE, ("*",)),
            # No global service is excepted: none is allowed above.
            Statement(
                actions.ANYTHING,
                ("*",),
                "Deny",
                "OwnRegionsOnly",
                conditions={"StringNotEquals": {"aws:RequestedRegion": stack.department.residency}},
            ),
            # Names keep departments apart, but a resource's own policy could name a role: its tag decides then.
            Statement(
                actions.ANYTHING,
                ("*",),
                "Deny",
                "OwnDepartmentOnly",
                conditions={
                    "StringNotEquals": {"aws:ResourceTag/department": names.part},
                    "Null": {"aws:ResourceTag/department": "false"},
                },
            ),
            Statement(actions.ESCAPE, ("*",), "Deny", "NoEscape"),
        ],
        name=names.boundary,
        limit=MANAGED_LIMIT,
    )


class Identity(Component):
    """Roles by persona and workload. `ci` exists once a model does: without one no repository is trusted."""

    def __init__(
        self,
        name: str,
        stack: StackDeclaration,
        cluster_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, stack, opts)
        self.boundary = aws.iam.Policy(
            name,
            name=self.names.boundary,
            description=f"The most that roles of {self.names.prefix} can do",
            policy=boundary(stack, self.names),
            tags=self.names.tags(self.names.boundary),
            opts=self.child(),
        )
        self.roles: dict[Principal, aws.iam.Role] = {
            persona: self._role(persona, trust.persona(stack, self.names, persona)) for persona in Persona
        }
        for workload in POD_WORKLOADS:
            self.roles[workload] = self._role(workload, trust.pods(self.names, workload))
            aws.eks.PodIdentityAssociation(
                f"{name}-{workload}",
                cluster_name=cluster_name,
                namespace=self.names.namespace,
                service_account=str(workload),
                role_arn=self.roles[workload].arn,
                tags=self.names.tags(self.names.role(workload)),
                opts=self.child(),
            )
        builds = trust.builds(stack, self.names)
        if builds:
            self.roles[Workload.CI] = self._role(Workload.CI, builds)
        self.register_outputs({"roles": {str(who): self.names.role_arn(who) for who in self.roles}})

    def _role(self, who: Principal, trusted: str) -> aws.iam.Role:
        role = self.names.role(who)
        return aws.iam.Role(
            f"{self.name}-{who}",
            name=role,
            description=f"{who} of {self.names.prefix}",
            assume_role_policy=trusted,
            max_session_duration=SESSION_SECONDS,
            permissions_boundary=self.boundary.arn,
            tags=self.names.tags(role),
            opts=self.child(),
        )

"""What all departments of an environment share: network, cluster, audit trail, and the provider of build identities."""

import pulumi
import pulumi_aws as aws

from infra.components.audit import Audit
from infra.components.base import Component
from infra.components.cluster import Cluster
from infra.components.encryption import PlatformKey, records_policy
from infra.components.network import Network
from infra.naming import ACCESS_LOGS, AUDIT
from infra.spec import StackDeclaration


class Platform(Component):
    def __init__(self, name: str, stack: StackDeclaration, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, stack, opts)
        child = self.child()
        self.records = PlatformKey(f"{name}-records", stack, "records", records_policy(self.names), opts=child)
        self.audit = Audit(name, stack, self.records, child)
        self.network = Network(name, stack, self.records, child)
        self.cluster = Cluster(name, stack, self.network, self.records, child)
        control = self.organization.source_control
        self.builds = aws.iam.OpenIdConnectProvider(
            name,
            url=f"https://{control.oidc_issuer}",
            client_id_lists=[control.audience],
            tags=self.names.tags(f"{self.names.prefix}-builds"),
            opts=self.child(),
        )
        self.outputs: dict[str, pulumi.Input[object]] = {
            "clusterName": self.cluster.cluster.name,
            "clusterArn": self.cluster.cluster.arn,
            "vpcId": self.network.vpc.id,
            "privateSubnetIds": [subnet.id for subnet in self.network.subnets],
            "auditBucket": self.names.bucket(AUDIT),
            "accessLogBucket": self.names.bucket(ACCESS_LOGS),
            "buildProviderArn": self.builds.arn,
        }
        self.register_outputs(self.outputs)

"""The EKS cluster that all departments of an environment share."""

import pulumi
import pulumi_aws as aws

from infra import actions
from infra.components.base import Component
from infra.components.encryption import PlatformKey, secrets_policy
from infra.components.network import Network
from infra.policy import Statement, document
from infra.spec import StackDeclaration

VERSION = "1.35"
LOG_TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
ADDONS = ("coredns", "eks-pod-identity-agent", "kube-proxy", "vpc-cni")
# AWS's own policies for what EKS itself does; their content is AWS's to keep.
CLUSTER_POLICY = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
NODE_POLICIES = (
    "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
    "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
)
VOLUME_GIB = 100


class Cluster(Component):
    """Reached from within the VPC alone; access is by access entries, and whoever creates it gets none."""

    def __init__(
        self,
        name: str,
        stack: StackDeclaration,
        network: Network,
        records: PlatformKey,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, stack, opts)
        self.network = network
        cluster_role, cluster_policies = self._role("cluster", "eks.amazonaws.com", (CLUSTER_POLICY,))
        secrets = PlatformKey(
            f"{name}-secrets", stack, "secrets", secrets_policy(self.names), after=[cluster_role], opts=self.child()
        )
        log_group = f"/aws/eks/{self.names.cluster}/cluster"
        logs = aws.cloudwatch.LogGroup(
            f"{name}-cluster",
            name=log_group,
            retention_in_days=self.environment.log_retention_days,
            kms_key_id=records.arn,
            tags=self.names.tags(log_group),
            opts=self.child(),
        )
        self.cluster = aws.eks.Cluster(
            name,
            name=self.names.cluster,
            version=VERSION,
            role_arn=cluster_role.arn,
            vpc_config={
                "subnet_ids": [subnet.id for subnet in network.subnets],
                "endpoint_private_access": True,
                "endpoint_public_access": False,
            },
            access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": False},
            encryption_config={"provider": {"key_arn": secrets.arn}, "resources": ["secrets"]},
            enabled_cluster_log_types=LOG_TYPES,
            tags=self.names.tags(self.names.cluster),
            opts=self.child(depends_on=[logs, *cluster_policies], **self.kept),
        )
        self._nodes()
        for addon in ADDONS:
            aws.eks.Addon(
                f"{name}-{addon}",
                cluster_name=self.cluster.name,
                addon_name=addon,
                tags=self.names.tags(f"{self.names.cluster}-{addon}"),
                opts=self.child(),
            )
        self.register_outputs({"name": self.cluster.name})

    def _role(
        self, purpose: str, service: str, policies: tuple[str, ...]
    ) -> tuple[aws.iam.Role, list[aws.iam.RolePolicyAttachment]]:
        trust = Statement(actions.ASSUME, sid="Service", principals={"Service": [service]})
        role = aws.iam.Role(
            f"{self.name}-{purpose}",
            name=self.names.role(purpose),
            assume_role_policy=document([trust], name=self.names.role(purpose)),
            tags=self.names.tags(self.names.role(purpose)),
            opts=self.child(),
        )
        return role, [
            aws.iam.RolePolicyAttachment(
                f"{self.name}-{purpose}-{arn.rsplit('/', 1)[1]}", role=role.name, policy_arn=arn, opts=self.child()
            )
            for arn in policies
        ]

    def _nodes(self) -> None:
        role, policies = self._role("nodes", "ec2.amazonaws.com", NODE_POLICIES)
        template = aws.ec2.LaunchTemplate(
            f"{self.name}-nodes",
            name=f"{self.names.cluster}-nodes",
            # Tokens required and one hop: pods can't take the node's credentials.
            metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
            block_device_mappings=[
                {
                    "device_name": "/dev/xvda",
                    "ebs": {"encrypted": "true", "volume_size": VOLUME_GIB, "volume_type": "gp3"},
                }
            ],
            tags=self.names.tags(f"{self.names.cluster}-nodes"),
            opts=self.child(),
        )
        groups = {"general": ("AL2023_x86_64_STANDARD", "m7i.xlarge", 2)}
        if self.environment.accelerated_nodes:
            groups["accelerated"] = ("AL2023_x86_64_NVIDIA", "g6.xlarge", 0)
        for group, (ami, instance, smallest) in groups.items():
            aws.eks.NodeGroup(
                f"{self.name}-{group}",
                cluster_name=self.cluster.name,
                node_group_name=f"{self.names.cluster}-{group}",
                node_role_arn=role.arn,
                subnet_ids=[subnet.id for subnet in self.network.subnets],
                ami_type=ami,
                instance_types=[instance],
                scaling_config={"desired_size": smallest, "min_size": smallest, "max_size": 10},
                launch_template={"id": template.id, "version": template.latest_version.apply(str)},
                labels={"stagegate.dev/nodes": group},
                taints=[{"key": "stagegate.dev/accelerated", "effect": "NO_SCHEDULE"}]
                if group == "accelerated"
                else [],
                tags=self.names.tags(f"{self.names.cluster}-{group}"),
                opts=self.child(depends_on=policies),
            )

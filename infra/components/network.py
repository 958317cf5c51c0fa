"""The network of an environment: private subnets over three zones, with AWS reached through endpoints alone."""

from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from infra import actions
from infra.components.base import Component
from infra.components.encryption import PlatformKey
from infra.naming import Names
from infra.policy import Statement, document
from infra.spec import StackDeclaration

ZONES = ("a", "b", "c")
# What a private cluster and the workloads on it call (EKS user guide, "Deploy private clusters with limited internet access").
INTERFACE_ENDPOINTS = (
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "kms",
    "logs",
    "monitoring",
    "sagemaker.api",
    "sagemaker.runtime",
    "secretsmanager",
    "sns",
    "sts",
)


class Network(Component):
    """No internet gateway, no NAT, no public route."""

    def __init__(
        self, name: str, stack: StackDeclaration, key: PlatformKey, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, stack, opts)
        cidr = self.environment.cidr
        self.vpc = aws.ec2.Vpc(
            name,
            cidr_block=cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self.names.tags(self.names.prefix),
            opts=self.child(),
        )
        # Adopted to take every rule from it: nothing can use it by accident.
        aws.ec2.DefaultSecurityGroup(
            name,
            vpc_id=self.vpc.id,
            ingress=[],
            egress=[],
            tags=self.names.tags(f"{self.names.prefix}-default-unused"),
            opts=self.child(),
        )
        self.routes = aws.ec2.RouteTable(
            name, vpc_id=self.vpc.id, tags=self.names.tags(f"{self.names.prefix}-private"), opts=self.child()
        )
        self.subnets = [
            self._subnet(zone, str(block))
            for zone, block in zip(ZONES, IPv4Network(cidr).subnets(prefixlen_diff=3), strict=False)
        ]
        self._gateway("s3", _s3_endpoint_policy(self.names))
        self._gateway("dynamodb", _dynamodb_endpoint_policy(self.names))
        self._interfaces()
        self._flow_logs(key)
        self.register_outputs({"vpcId": self.vpc.id})

    def _subnet(self, zone: str, block: str) -> aws.ec2.Subnet:
        subnet = aws.ec2.Subnet(
            f"{self.name}-{zone}",
            vpc_id=self.vpc.id,
            availability_zone=f"{self.names.region}{zone}",
            cidr_block=block,
            map_public_ip_on_launch=False,
            tags={
                **self.names.tags(f"{self.names.prefix}-private-{zone}"),
                "kubernetes.io/role/internal-elb": "1",
            },
            opts=self.child(),
        )
        aws.ec2.RouteTableAssociation(
            f"{self.name}-{zone}", subnet_id=subnet.id, route_table_id=self.routes.id, opts=self.child()
        )
        return subnet

    def _gateway(self, service: str, policy: str) -> None:
        aws.ec2.VpcEndpoint(
            f"{self.name}-{service}",
            vpc_id=self.vpc.id,
            service_name=f"com.amazonaws.{self.names.region}.{service}",
            vpc_endpoint_type="Gateway",
            route_table_ids=[self.routes.id],
            policy=policy,
            tags=self.names.tags(f"{self.names.prefix}-{service}"),
            opts=self.child(),
        )

    def _interfaces(self) -> None:
        group = aws.ec2.SecurityGroup(
            f"{self.name}-endpoints",
            name=f"{self.names.prefix}-endpoints",
            description="AWS endpoints, reached from the VPC over TLS",
            vpc_id=self.vpc.id,
            tags=self.names.tags(f"{self.names.prefix}-endpoints"),
            opts=self.child(),
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self.name}-endpoints",
            security_group_id=group.id,
            description="TLS from the VPC",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=self.environment.cidr,
            tags=self.names.tags(f"{self.names.prefix}-endpoints-tls"),
            opts=self.child(),
        )
        for service in INTERFACE_ENDPOINTS:
            aws.ec2.VpcEndpoint(
                f"{self.name}-{service}",
                vpc_id=self.vpc.id,
                service_name=f"com.amazonaws.{self.names.region}.{service}",
                vpc_endpoint_type="Interface",
                subnet_ids=[subnet.id for subnet in self.subnets],
                security_group_ids=[group.id],
                private_dns_enabled=True,
                tags=self.names.tags(f"{self.names.prefix}-{service}"),
                opts=self.child(),
            )

    def _flow_logs(self, key: PlatformKey) -> None:
        group_name = f"/stagegate/{self.names.prefix}/flow"
        group = aws.cloudwatch.LogGroup(
            f"{self.name}-flow",
            name=group_name,
            retention_in_days=self.environment.log_retention_days,
            kms_key_id=key.arn,
            tags=self.names.tags(group_name),
            opts=self.child(),
        )
        trust = Statement(
            actions.ASSUME,
            sid="FlowLogs",
            principals={"Service": ["vpc-flow-logs.amazonaws.com"]},
            conditions={"StringEquals": {"aws:SourceAccount": self.names.account}},
        )
        role = aws.iam.Role(
            f"{self.name}-flow",
            name=self.names.role("flow-logs"),
            assume_role_policy=document([trust], name=self.names.role("flow-logs")),
            tags=self.names.tags(self.names.role("flow-logs")),
            opts=self.child(),
        )
        streams = Statement(actions.LOG_WRITE, (self.names.log_streams_arn(group_name),), sid="Write")
        policy = aws.iam.RolePolicy(
            f"{self.name}-flow",
            name="granted",
            role=role.name,
            policy=document([streams], name=self.names.role("flow-logs")),
            opts=self.child(),
        )
        aws.ec2.FlowLog(
            name := f"{self.name}-flow",
            vpc_id=self.vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=60,
            tags=self.names.tags(name),
            opts=self.child(depends_on=[policy]),
        )


def _s3_endpoint_policy(names: Names) -> str:
    """The organisation's own buckets for the account's own principals, and the layers of images that ECR keeps."""
    own = f"arn:aws:s3:::{names.organization}-*"
    return document(
        [
            Statement(
                (*actions.ALL_ZONE, *actions.ALL_OBJECT),
                (own, f"{own}/*"),
                sid="OwnBuckets",
                principals="*",
                conditions={"StringEquals": {"aws:PrincipalAccount": names.account}},
            ),
            Statement(
                (actions.OBJECT_READ[0],),
                (f"arn:aws:s3:::prod-{names.region}-starport-layer-bucket/*",),
                sid="ImageLayers",
                principals="*",
            ),
        ],
        name="s3 endpoint",
    )


def _dynamodb_endpoint_policy(names: Names) -> str:
    return document(
        [
            Statement(
                actions.ALL_ONLINE,
                (names.arn("dynamodb", "table/*"),),
                sid="OwnTables",
                principals="*",
                conditions={"StringEquals": {"aws:PrincipalAccount": names.account}},
            )
        ],
        name="dynamodb endpoint",
    )

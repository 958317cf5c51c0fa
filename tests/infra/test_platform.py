"""Network, cluster, audit trail and keys that the departments of an environment share."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(scope="module")
def dev_platform(stack: Callable[[str], Any]) -> Any:
    return stack("platform-dev")


@pytest.fixture(scope="module")
def prod_platform(stack: Callable[[str], Any]) -> Any:
    return stack("platform-prod")


def test_three_private_subnets_in_three_zones(dev_platform: Any) -> None:
    subnets = {name: dev_platform.inputs("ec2/subnet:Subnet", name) for name in dev_platform.all("ec2/subnet:Subnet")}
    assert subnets == {
        f"platform-dev-{zone}": {
            "vpcId": "platform-dev-id",
            "availabilityZone": f"eu-west-1{zone}",
            "cidrBlock": block,
            "mapPublicIpOnLaunch": False,
        }
        for zone, block in (("a", "10.0.0.0/19"), ("b", "10.0.32.0/19"), ("c", "10.0.64.0/19"))
    }


def test_nothing_leads_to_the_internet(dev_platform: Any) -> None:
    kinds = {resource.type for resource in dev_platform.graph.resources.values()}
    assert not [kind for kind in kinds if "Gateway" in kind or kind.endswith((":Route", ":Eip"))]
    assert dev_platform.inputs("ec2/routeTable:RouteTable", "platform-dev") == {"vpcId": "platform-dev-id"}
    assert set(dev_platform.all("ec2/routeTableAssociation:RouteTableAssociation")) == {
        f"platform-dev-{zone}" for zone in "abc"
    }
    unused = dev_platform.inputs("ec2/defaultSecurityGroup:DefaultSecurityGroup", "platform-dev")
    assert (unused["ingress"], unused["egress"]) == ([], [])


def test_aws_is_reached_through_endpoints(dev_platform: Any) -> None:
    kinds = {
        endpoint.inputs["serviceName"].removeprefix("com.amazonaws.eu-west-1."): endpoint.inputs["vpcEndpointType"]
        for endpoint in dev_platform.all("ec2/vpcEndpoint:VpcEndpoint").values()
    }
    assert {service for service, kind in kinds.items() if kind == "Gateway"} == {"s3", "dynamodb"}
    needed = {"ecr.api", "ecr.dkr", "sts", "kms", "logs", "secretsmanager", "sagemaker.api", "eks-auth"}
    assert {service for service, kind in kinds.items() if kind == "Interface"} >= needed
    (rule,) = dev_platform.all("vpc/securityGroupIngressRule:SecurityGroupIngressRule").values()
    assert {key: rule.inputs[key] for key in ("ipProtocol", "fromPort", "toPort", "cidrIpv4")} == {
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "cidrIpv4": "10.0.0.0/16",
    }


def test_all_traffic_is_logged(dev_platform: Any) -> None:
    flow = dev_platform.inputs("ec2/flowLog:FlowLog", "platform-dev-flow")
    assert (flow["vpcId"], flow["trafficType"]) == ("platform-dev-id", "ALL")
    assert dev_platform.inputs("cloudwatch/logGroup:LogGroup", "platform-dev-flow") == {
        "name": "/stagegate/platform-dev/flow",
        "retentionInDays": 30,
        "kmsKeyId": "aws:kms/key:Key::platform-dev-records::arn",
    }


def test_the_cluster_is_private_encrypted_and_logs_everything(dev_platform: Any) -> None:
    assert dev_platform.inputs("eks/cluster:Cluster", "platform-dev") == {
        "name": "platform-dev",
        "version": "1.35",
        "roleArn": "aws:iam/role:Role::platform-dev-cluster::arn",
        "vpcConfig": {
            "subnetIds": [f"platform-dev-{zone}-id" for zone in "abc"],
            "endpointPrivateAccess": True,
            "endpointPublicAccess": False,
        },
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        "encryptionConfig": {
            "provider": {"keyArn": "aws:kms/key:Key::platform-dev-secrets::arn"},
            "resources": ["secrets"],
        },
        "enabledClusterLogTypes": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
    }
    addons = {addon.inputs["addonName"] for addon in dev_platform.all("eks/addon:Addon").values()}
    assert addons == {"coredns", "eks-pod-identity-agent", "kube-proxy", "vpc-cni"}


def test_accelerated_nodes_are_where_they_are_declared(dev_platform: Any, prod_platform: Any) -> None:
    assert set(dev_platform.all("eks/nodeGroup:NodeGroup")) == {"platform-dev-general"}
    assert set(prod_platform.all("eks/nodeGroup:NodeGroup")) == {"platform-prod-general", "platform-prod-accelerated"}
    accelerated = prod_platform.inputs("eks/nodeGroup:NodeGroup", "platform-prod-accelerated")
    assert accelerated["taints"] == [{"key": "stagegate.dev/accelerated", "effect": "NO_SCHEDULE"}]
    assert accelerated["scalingConfig"]["minSize"] == 0


def test_pods_cannot_take_the_nodes_credentials(dev_platform: Any) -> None:
    template = dev_platform.inputs("ec2/launchTemplate:LaunchTemplate", "platform-dev-nodes")
    assert template["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    assert template["blockDeviceMappings"][0]["ebs"]["encrypted"] == "true"


def test_the_trail_records_management_and_every_department_bucket(dev_platform: Any) -> None:
    trail = dev_platform.inputs("cloudtrail/trail:Trail", "platform-dev")
    selectors = trail.pop("advancedEventSelectors")
    assert trail == {
        "name": "platform-dev",
        "s3BucketName": "platform-dev-audit-id",
        "kmsKeyId": "aws:kms/key:Key::platform-dev-records::arn",
        "isMultiRegionTrail": True,
        "includeGlobalServiceEvents": True,
        "enableLogFileValidation": True,
        "enableLogging": True,
    }
    assert [{key: value for key, value in s.items() if key != "name"} for s in selectors] == [
        {"fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]}]},
        {
            "fieldSelectors": [
                {"field": "eventCategory", "equals": ["Data"]},
                {"field": "resources.type", "equals": ["AWS::S3::Object"]},
                {"field": "resources.ARN", "startsWiths": ["arn:aws:s3:::acme-claims-dev-"]},
            ]
        },
    ]


def test_records_are_locked_for_as_long_as_declared(dev_platform: Any, prod_platform: Any) -> None:
    for platform, name, days in ((dev_platform, "platform-dev", 90), (prod_platform, "platform-prod", 2557)):
        (lock,) = platform.all("s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration").values()
        assert lock.inputs["rule"]["defaultRetention"]["days"] == days
        assert platform.inputs("s3/bucket:Bucket", f"{name}-audit")["objectLockEnabled"] is True
    (lock,) = prod_platform.all("s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration").values()
    assert lock.inputs["rule"]["defaultRetention"]["mode"] == "COMPLIANCE"


def test_only_the_services_write_to_the_platforms_buckets(dev_platform: Any) -> None:
    audit = dev_platform.policy("s3/bucketPolicy:BucketPolicy", "platform-dev-audit")
    assert {sid: statement["Effect"] for sid, statement in audit.items()} == {
        "TrailSeesOwner": "Allow",
        "TrailWrites": "Allow",
        "TlsOnly": "Deny",
    }
    trail = "arn:aws:cloudtrail:eu-west-1:111111111111:trail/platform-dev"
    for sid in ("TrailSeesOwner", "TrailWrites"):
        assert audit[sid]["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        assert audit[sid]["Condition"]["StringEquals"]["aws:SourceArn"] == trail
    logs = dev_platform.policy("s3/bucketPolicy:BucketPolicy", "platform-dev-access-logs")["AccessLogs"]
    assert logs["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert logs["Condition"]["StringEquals"] == {"aws:SourceAccount": "111111111111"}


def test_build_jobs_are_vouched_for_by_the_declared_issuer(dev_platform: Any) -> None:
    assert dev_platform.inputs("iam/openIdConnectProvider:OpenIdConnectProvider", "platform-dev") == {
        "url": "https://token.actions.githubusercontent.com",
        "clientIdLists": ["sts.amazonaws.com"],
    }


def test_nobody_may_use_the_platforms_keys_but_its_services(dev_platform: Any) -> None:
    for purpose, users in (("records", {"EncryptLogs", "EncryptTrail"}), ("secrets", {"EncryptSecrets"})):
        statements = dev_platform.policy("kms/key:Key", f"platform-dev-{purpose}")
        using = {
            sid
            for sid, statement in statements.items()
            if {"kms:Decrypt", "kms:GenerateDataKey"} & set(statement["Action"])
        }
        assert using == users
        assert dev_platform.inputs("kms/key:Key", f"platform-dev-{purpose}")["enableKeyRotation"] is True

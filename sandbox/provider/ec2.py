"""Networks."""

from collections.abc import Callable
from typing import Any

from sandbox.provider.clients import Aws
from sandbox.provider.kinds import (
    Gone,
    Kind,
    Properties,
    Refused,
    camel,
    changed,
    given,
    gone_on,
    mapping,
    pairs,
    pascal,
    retag,
)


def _specification(kind: str, p: Properties) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": pairs(p.get("tagsAll"))}] if p.get("tagsAll") else []


def _retag(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    ec2 = aws.client("ec2")
    retag(
        lambda tags: ec2.create_tags(Resources=[id], Tags=pairs(tags)),
        lambda names: ec2.delete_tags(Resources=[id], Tags=[{"Key": name} for name in names]),
        old,
        new,
    )


def _one(aws: Aws, call: str, argument: str, result: str, id: str, *missing: str) -> dict[str, Any]:
    with gone_on(*missing):
        found = getattr(aws.client("ec2"), call)(**{argument: [id]})[result]
    if not found:
        raise Gone
    return dict(found[0])


def _by_tags(call: str, result: str, key: str) -> Callable[[Aws, Properties], str | None]:
    """Look for a resource by all of its tags, which name it uniquely in this program."""

    def find(aws: Aws, p: Properties) -> str | None:
        if not p.get("tagsAll"):
            return None
        filters = [{"Name": f"tag:{name}", "Values": [value]} for name, value in p["tagsAll"].items()]
        for page in aws.client("ec2").get_paginator(call).paginate(Filters=filters):
            for item in page[result]:
                if mapping(item.get("Tags")) == p["tagsAll"] and item.get("State") not in ("deleted", "deleting"):
                    return str(item[key])
        return None

    return find


def _create_vpc(aws: Aws, p: Properties) -> str:
    created = aws.client("ec2").create_vpc(CidrBlock=p["cidrBlock"], TagSpecifications=_specification("vpc", p))
    id = str(created["Vpc"]["VpcId"])
    _vpc_attributes(aws, id, p)
    return id


def _vpc_attributes(aws: Aws, id: str, p: Properties) -> None:
    ec2 = aws.client("ec2")
    ec2.modify_vpc_attribute(VpcId=id, EnableDnsSupport={"Value": bool(p.get("enableDnsSupport", True))})
    ec2.modify_vpc_attribute(VpcId=id, EnableDnsHostnames={"Value": bool(p.get("enableDnsHostnames", False))})


def _read_vpc(aws: Aws, id: str, p: Properties) -> Properties:
    ec2 = aws.client("ec2")
    vpc = _one(aws, "describe_vpcs", "VpcIds", "Vpcs", id, "InvalidVpcID.NotFound")

    def attribute(name: str) -> bool:
        found = ec2.describe_vpc_attribute(VpcId=id, Attribute=name)
        return bool(found[name[0].upper() + name[1:]]["Value"])

    return {
        "arn": aws.arn("ec2", f"vpc/{id}"),
        "cidrBlock": vpc["CidrBlock"],
        "enableDnsSupport": attribute("enableDnsSupport"),
        "enableDnsHostnames": attribute("enableDnsHostnames"),
        "ownerId": aws.account,
        "tagsAll": mapping(vpc.get("Tags")),
    }


def _update_vpc(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    if changed(old, new, "enableDnsSupport", "enableDnsHostnames"):
        _vpc_attributes(aws, id, new)
    _retag(aws, id, old, new)


def _delete(call: str, argument: str, *missing: str) -> Callable[[Aws, str, Properties], None]:
    def delete(aws: Aws, id: str, p: Properties) -> None:
        with gone_on(*missing):
            getattr(aws.client("ec2"), call)(**{argument: id})

    return delete


def _create_subnet(aws: Aws, p: Properties) -> str:
    arguments = given(p, VpcId="vpcId", CidrBlock="cidrBlock", AvailabilityZone="availabilityZone")
    created = aws.client("ec2").create_subnet(TagSpecifications=_specification("subnet", p), **arguments)
    return str(created["Subnet"]["SubnetId"])


def _public_addresses(aws: Aws, id: str, p: Properties) -> None:
    value = {"Value": bool(p.get("mapPublicIpOnLaunch", False))}
    aws.client("ec2").modify_subnet_attribute(SubnetId=id, MapPublicIpOnLaunch=value)


def _new_subnet(aws: Aws, p: Properties) -> str:
    id = _create_subnet(aws, p)
    _public_addresses(aws, id, p)
    return id


def _read_subnet(aws: Aws, id: str, p: Properties) -> Properties:
    subnet = _one(aws, "describe_subnets", "SubnetIds", "Subnets", id, "InvalidSubnetID.NotFound")
    return {
        "arn": aws.arn("ec2", f"subnet/{id}"),
        "vpcId": subnet["VpcId"],
        "cidrBlock": subnet["CidrBlock"],
        "availabilityZone": subnet["AvailabilityZone"],
        "availabilityZoneId": subnet.get("AvailabilityZoneId"),
        "mapPublicIpOnLaunch": subnet["MapPublicIpOnLaunch"],
        "tagsAll": mapping(subnet.get("Tags")),
    }


def _update_subnet(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    if changed(old, new, "mapPublicIpOnLaunch"):
        _public_addresses(aws, id, new)
    _retag(aws, id, old, new)


def _create_routes(aws: Aws, p: Properties) -> str:
    created = aws.client("ec2").create_route_table(VpcId=p["vpcId"], TagSpecifications=_specification("route-table", p))
    return str(created["RouteTable"]["RouteTableId"])


def _read_routes(aws: Aws, id: str, p: Properties) -> Properties:
    found = _one(aws, "describe_route_tables", "RouteTableIds", "RouteTables", id, "InvalidRouteTableID.NotFound")
    return {
        "arn": aws.arn("ec2", f"route-table/{id}"),
        "vpcId": found["VpcId"],
        "tagsAll": mapping(found.get("Tags")),
    }


def _associations(aws: Aws, *filters: tuple[str, str]) -> list[dict[str, Any]]:
    found = aws.client("ec2").describe_route_tables(
        Filters=[{"Name": name, "Values": [value]} for name, value in filters]
    )
    return [association for table in found["RouteTables"] for association in table["Associations"]]


def _associate(aws: Aws, p: Properties) -> str:
    created = aws.client("ec2").associate_route_table(SubnetId=p["subnetId"], RouteTableId=p["routeTableId"])
    return str(created["AssociationId"])


def _read_association(aws: Aws, id: str, p: Properties) -> Properties:
    for association in _associations(aws, ("association.route-table-association-id", id)):
        if association["RouteTableAssociationId"] == id:
            return {"subnetId": association["SubnetId"], "routeTableId": association["RouteTableId"]}
    raise Gone


def _find_association(aws: Aws, p: Properties) -> str | None:
    for association in _associations(aws, ("association.subnet-id", p["subnetId"])):
        if association.get("SubnetId") == p["subnetId"] and association["RouteTableId"] == p["routeTableId"]:
            return str(association["RouteTableAssociationId"])
    return None


def _create_endpoint(aws: Aws, p: Properties) -> str:
    arguments = given(
        p,
        VpcId="vpcId",
        ServiceName="serviceName",
        VpcEndpointType="vpcEndpointType",
        PolicyDocument="policy",
        RouteTableIds="routeTableIds",
        SubnetIds="subnetIds",
        SecurityGroupIds="securityGroupIds",
        PrivateDnsEnabled="privateDnsEnabled",
    )
    created = aws.client("ec2").create_vpc_endpoint(TagSpecifications=_specification("vpc-endpoint", p), **arguments)
    return str(created["VpcEndpoint"]["VpcEndpointId"])


def _read_endpoint(aws: Aws, id: str, p: Properties) -> Properties:
    missing = ("InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound")
    found = _one(aws, "describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints", id, *missing)
    if found.get("State") in ("deleted", "deleting"):
        raise Gone
    read: Properties = {
        "arn": aws.arn("ec2", f"vpc-endpoint/{id}"),
        "vpcId": found["VpcId"],
        "serviceName": found["ServiceName"],
        "vpcEndpointType": found["VpcEndpointType"],
        "tagsAll": mapping(found.get("Tags")),
    }
    if "policy" in p:
        read["policy"] = found.get("PolicyDocument", "")
    if found["VpcEndpointType"] == "Gateway":
        read["routeTableIds"] = found.get("RouteTableIds", [])
    else:
        read["subnetIds"] = found.get("SubnetIds", [])
        read["privateDnsEnabled"] = found.get("PrivateDnsEnabled", False)
        # moto keeps the groups only as they were given at first.
        read["securityGroupIds"] = [group["GroupId"] for group in found.get("Groups", [])] or p.get("securityGroupIds")
    return read


def _update_endpoint(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    arguments: dict[str, Any] = {}
    for name, argument in (
        ("routeTableIds", "RouteTableIds"),
        ("subnetIds", "SubnetIds"),
        ("securityGroupIds", "SecurityGroupIds"),
    ):
        before, after = set(old.get(name) or ()), set(new.get(name) or ())
        if after - before:
            arguments[f"Add{argument}"] = sorted(after - before)
        if before - after:
            arguments[f"Remove{argument}"] = sorted(before - after)
    if changed(old, new, "policy"):
        arguments |= {"PolicyDocument": new["policy"]} if new.get("policy") else {"ResetPolicy": True}
    if changed(old, new, "privateDnsEnabled"):
        arguments["PrivateDnsEnabled"] = bool(new.get("privateDnsEnabled"))
    if arguments:
        aws.client("ec2").modify_vpc_endpoint(VpcEndpointId=id, **arguments)
    _retag(aws, id, old, new)


def _delete_endpoint(aws: Aws, id: str, p: Properties) -> None:
    _read_endpoint(aws, id, p)
    aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[id])


def _create_group(aws: Aws, p: Properties) -> str:
    ec2 = aws.client("ec2")
    created = ec2.create_security_group(
        GroupName=p["name"],
        Description=p.get("description") or "Managed by Pulumi",
        TagSpecifications=_specification("security-group", p),
        **given(p, VpcId="vpcId"),
    )
    id = str(created["GroupId"])
    # As the official plugin does: the rule that lets everything out goes.
    group = ec2.describe_security_groups(GroupIds=[id])["SecurityGroups"][0]
    if group["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=id, IpPermissions=group["IpPermissionsEgress"])
    return id


def _read_group(aws: Aws, id: str, p: Properties) -> Properties:
    missing = ("InvalidGroup.NotFound", "InvalidGroupId.NotFound")
    found = _one(aws, "describe_security_groups", "GroupIds", "SecurityGroups", id, *missing)
    return {
        "arn": aws.arn("ec2", f"security-group/{id}"),
        "name": found["GroupName"],
        "description": found["Description"],
        "vpcId": found.get("VpcId"),
        "tagsAll": mapping(found.get("Tags")),
    }


def _adopt_default_group(aws: Aws, p: Properties) -> str:
    ec2 = aws.client("ec2")
    filters = [{"Name": "vpc-id", "Values": [p["vpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    id = str(ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])
    _empty_group(aws, id)
    _retag(aws, id, {}, p)
    return id


def _empty_group(aws: Aws, id: str) -> None:
    ec2 = aws.client("ec2")
    group = ec2.describe_security_groups(GroupIds=[id])["SecurityGroups"][0]
    if group["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=id, IpPermissions=group["IpPermissions"])
    if group["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=id, IpPermissions=group["IpPermissionsEgress"])


def _read_default_group(aws: Aws, id: str, p: Properties) -> Properties:
    read = _read_group(aws, id, p)
    group = aws.client("ec2").describe_security_groups(GroupIds=[id])["SecurityGroups"][0]
    return {
        "arn": read["arn"],
        "vpcId": read["vpcId"],
        "tagsAll": read["tagsAll"],
        "ingress": camel(group["IpPermissions"]),
        "egress": camel(group["IpPermissionsEgress"]),
    }


def _update_default_group(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    if new.get("ingress") or new.get("egress"):
        raise Refused("the sandbox only empties a default security group; give rules to a group of your own")
    _empty_group(aws, id)
    _retag(aws, id, old, new)


def _create_rule(direction: str) -> Callable[[Aws, Properties], str]:
    def create(aws: Aws, p: Properties) -> str:
        permission: dict[str, Any] = {"IpProtocol": p["ipProtocol"], **given(p, FromPort="fromPort", ToPort="toPort")}
        description = given(p, Description="description")
        if p.get("cidrIpv4"):
            permission["IpRanges"] = [{"CidrIp": p["cidrIpv4"], **description}]
        if p.get("referencedSecurityGroupId"):
            permission["UserIdGroupPairs"] = [{"GroupId": p["referencedSecurityGroupId"], **description}]
        call = getattr(aws.client("ec2"), f"authorize_security_group_{direction}")
        created = call(
            GroupId=p["securityGroupId"],
            IpPermissions=[permission],
            TagSpecifications=_specification("security-group-rule", p),
        )
        return str(created["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    return create


def _rules(aws: Aws, group: str) -> list[dict[str, Any]]:
    filters = [{"Name": "group-id", "Values": [group]}]
    return list(aws.client("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"])


def _read_rule(aws: Aws, id: str, p: Properties) -> Properties:
    with gone_on("InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound"):
        found = aws.client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[id])["SecurityGroupRules"]
    rule = next((rule for rule in found if rule["SecurityGroupRuleId"] == id), None)
    if rule is None:
        raise Gone
    return {
        "arn": aws.arn("ec2", f"security-group-rule/{id}"),
        "securityGroupRuleId": id,
        "securityGroupId": rule["GroupId"],
        "ipProtocol": rule["IpProtocol"],
        "fromPort": rule.get("FromPort"),
        "toPort": rule.get("ToPort"),
        "cidrIpv4": rule.get("CidrIpv4"),
        "tagsAll": mapping(rule["Tags"]) if rule.get("Tags") else p.get("tagsAll"),
    }


def _delete_rule(direction: str) -> Callable[[Aws, str, Properties], None]:
    def delete(aws: Aws, id: str, p: Properties) -> None:
        read = _read_rule(aws, id, p)
        call = getattr(aws.client("ec2"), f"revoke_security_group_{direction}")
        call(GroupId=read["securityGroupId"], SecurityGroupRuleIds=[id])

    return delete


def _find_rule(egress: bool) -> Callable[[Aws, Properties], str | None]:
    def find(aws: Aws, p: Properties) -> str | None:
        for rule in _rules(aws, p["securityGroupId"]):
            same_ports = (rule.get("FromPort"), rule.get("ToPort")) == (p.get("fromPort"), p.get("toPort"))
            if rule["IsEgress"] == egress and same_ports and rule.get("CidrIpv4") == p.get("cidrIpv4"):
                return str(rule["SecurityGroupRuleId"])
        return None

    return find


def _rule(token: str, direction: str) -> Kind:
    return Kind(
        token,
        _create_rule(direction),
        _read_rule,
        _delete_rule(direction),
        update=lambda aws, id, old, new: _retag(aws, id, old, new),
        replaces=(
            "securityGroupId",
            "ipProtocol",
            "fromPort",
            "toPort",
            "cidrIpv4",
            "referencedSecurityGroupId",
            "description",
        ),
        find=_find_rule(direction == "egress"),
        outputs=("arn", "securityGroupRuleId"),
    )


def _create_flow_log(aws: Aws, p: Properties) -> str:
    arguments = given(
        p,
        TrafficType="trafficType",
        LogDestinationType="logDestinationType",
        LogDestination="logDestination",
        DeliverLogsPermissionArn="iamRoleArn",
        MaxAggregationInterval="maxAggregationInterval",
    )
    created = aws.client("ec2").create_flow_logs(
        ResourceIds=[p["vpcId"]], ResourceType="VPC", TagSpecifications=_specification("vpc-flow-log", p), **arguments
    )
    return str(created["FlowLogIds"][0])


def _read_flow_log(aws: Aws, id: str, p: Properties) -> Properties:
    found = _one(aws, "describe_flow_logs", "FlowLogIds", "FlowLogs", id, "InvalidFlowLogId.NotFound")
    return {
        "arn": aws.arn("ec2", f"vpc-flow-log/{id}"),
        "vpcId": found["ResourceId"],
        "trafficType": found["TrafficType"],
        "logDestinationType": found["LogDestinationType"],
        "logDestination": found.get("LogDestination") or p.get("logDestination"),
        "iamRoleArn": found.get("DeliverLogsPermissionArn"),
        "maxAggregationInterval": int(found.get("MaxAggregationInterval", 600)),
        "tagsAll": mapping(found.get("Tags")),
    }


def _delete_flow_log(aws: Aws, id: str, p: Properties) -> None:
    _read_flow_log(aws, id, p)
    aws.client("ec2").delete_flow_logs(FlowLogIds=[id])


def _template_data(p: Properties) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if options := p.get("metadataOptions"):
        data["MetadataOptions"] = pascal(options)
    if mappings := p.get("blockDeviceMappings"):
        data["BlockDeviceMappings"] = [_block_device(item) for item in mappings]
    return {**data, **given(p, ImageId="imageId", InstanceType="instanceType", UserData="userData")}


def _block_device(item: Properties) -> dict[str, Any]:
    written = pascal(item)
    if "Ebs" in written and isinstance(written["Ebs"].get("Encrypted"), str):
        written["Ebs"]["Encrypted"] = written["Ebs"]["Encrypted"] == "true"
    return dict(written)


def _create_template(aws: Aws, p: Properties) -> str:
    created = aws.client("ec2").create_launch_template(
        LaunchTemplateName=p["name"],
        LaunchTemplateData=_template_data(p),
        TagSpecifications=_specification("launch-template", p),
    )
    return str(created["LaunchTemplate"]["LaunchTemplateId"])


def _read_template(aws: Aws, id: str, p: Properties) -> Properties:
    missing = ("InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.NotFoundException")
    found = _one(aws, "describe_launch_templates", "LaunchTemplateIds", "LaunchTemplates", id, *missing)
    version = aws.client("ec2").describe_launch_template_versions(LaunchTemplateId=id, Versions=["$Latest"])
    data = version["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    return {
        "arn": aws.arn("ec2", f"launch-template/{id}"),
        "name": found["LaunchTemplateName"],
        "latestVersion": found["LatestVersionNumber"],
        "defaultVersion": found["DefaultVersionNumber"],
        "metadataOptions": camel(data.get("MetadataOptions")) or p.get("metadataOptions"),
        "blockDeviceMappings": camel(data.get("BlockDeviceMappings")) or p.get("blockDeviceMappings"),
        "tagsAll": mapping(found.get("Tags")),
    }


def _update_template(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    if changed(old, new, "metadataOptions", "blockDeviceMappings", "imageId", "instanceType", "userData"):
        aws.client("ec2").create_launch_template_version(LaunchTemplateId=id, LaunchTemplateData=_template_data(new))
    _retag(aws, id, old, new)


KINDS = [
    Kind(
        "aws:ec2/vpc:Vpc",
        _create_vpc,
        _read_vpc,
        _delete("delete_vpc", "VpcId", "InvalidVpcID.NotFound"),
        update=_update_vpc,
        replaces=("cidrBlock",),
        find=_by_tags("describe_vpcs", "Vpcs", "VpcId"),
        outputs=("arn", "ownerId"),
    ),
    Kind(
        "aws:ec2/subnet:Subnet",
        _new_subnet,
        _read_subnet,
        _delete("delete_subnet", "SubnetId", "InvalidSubnetID.NotFound"),
        update=_update_subnet,
        replaces=("vpcId", "cidrBlock", "availabilityZone"),
        find=_by_tags("describe_subnets", "Subnets", "SubnetId"),
        outputs=("arn", "availabilityZoneId"),
    ),
    Kind(
        "aws:ec2/routeTable:RouteTable",
        _create_routes,
        _read_routes,
        _delete("delete_route_table", "RouteTableId", "InvalidRouteTableID.NotFound"),
        update=_retag,
        replaces=("vpcId",),
        find=_by_tags("describe_route_tables", "RouteTables", "RouteTableId"),
        outputs=("arn",),
    ),
    Kind(
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        _associate,
        _read_association,
        _delete("disassociate_route_table", "AssociationId", "InvalidAssociationID.NotFound"),
        find=_find_association,
    ),
    Kind(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        _create_endpoint,
        _read_endpoint,
        _delete_endpoint,
        update=_update_endpoint,
        replaces=("vpcId", "serviceName", "vpcEndpointType"),
        find=_by_tags("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
        outputs=("arn",),
    ),
    Kind(
        "aws:ec2/securityGroup:SecurityGroup",
        _create_group,
        _read_group,
        _delete("delete_security_group", "GroupId", "InvalidGroup.NotFound"),
        update=_retag,
        replaces=("name", "description", "vpcId"),
        name="name",
        find=_by_tags("describe_security_groups", "SecurityGroups", "GroupId"),
        outputs=("arn",),
    ),
    Kind(
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        _adopt_default_group,
        _read_default_group,
        lambda aws, id, p: None,
        update=_update_default_group,
        replaces=("vpcId",),
        find=lambda aws, p: None,
        outputs=("arn",),
    ),
    _rule("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "ingress"),
    _rule("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "egress"),
    Kind(
        "aws:ec2/flowLog:FlowLog",
        _create_flow_log,
        _read_flow_log,
        _delete_flow_log,
        update=_retag,
        replaces=(
            "vpcId",
            "trafficType",
            "logDestinationType",
            "logDestination",
            "iamRoleArn",
            "maxAggregationInterval",
        ),
        find=_by_tags("describe_flow_logs", "FlowLogs", "FlowLogId"),
        outputs=("arn",),
    ),
    Kind(
        "aws:ec2/launchTemplate:LaunchTemplate",
        _create_template,
        _read_template,
        _delete("delete_launch_template", "LaunchTemplateId", "InvalidLaunchTemplateId.NotFound"),
        update=_update_template,
        replaces=("name",),
        name="name",
        find=_by_tags("describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
        outputs=("arn", "latestVersion", "defaultVersion"),
    ),
]

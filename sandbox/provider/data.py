"""Registries, feature tables and clusters."""

from typing import Any

from sandbox.provider.clients import Aws
from sandbox.provider.kinds import Kind, Properties, camel, changed, given, gone_on, mapping, pairs, pascal, retag

NOT_FOUND = "ResourceNotFoundException"


def _create_repository(aws: Aws, p: Properties) -> str:
    arguments = given(
        p, imageTagMutability="imageTagMutability", imageScanningConfiguration="imageScanningConfiguration"
    )
    if encryption := p.get("encryptionConfigurations"):
        arguments["encryptionConfiguration"] = encryption[0]
    aws.client("ecr").create_repository(repositoryName=p["name"], tags=pairs(p.get("tagsAll")), **arguments)
    return str(p["name"])


def _read_repository(aws: Aws, id: str, p: Properties) -> Properties:
    ecr = aws.client("ecr")
    with gone_on("RepositoryNotFoundException"):
        found = ecr.describe_repositories(repositoryNames=[id])["repositories"][0]
    return {
        "name": id,
        "arn": found["repositoryArn"],
        "registryId": found["registryId"],
        "repositoryUrl": found["repositoryUri"],
        "imageTagMutability": found["imageTagMutability"],
        "imageScanningConfiguration": found["imageScanningConfiguration"],
        "encryptionConfigurations": [found["encryptionConfiguration"]],
        "tagsAll": mapping(ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]),
    }


def _update_repository(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    ecr = aws.client("ecr")
    if changed(old, new, "imageTagMutability"):
        ecr.put_image_tag_mutability(repositoryName=id, imageTagMutability=new["imageTagMutability"])
    if changed(old, new, "imageScanningConfiguration"):
        ecr.put_image_scanning_configuration(
            repositoryName=id, imageScanningConfiguration=new["imageScanningConfiguration"]
        )
    arn = aws.arn("ecr", f"repository/{id}")
    retag(
        lambda tags: ecr.tag_resource(resourceArn=arn, tags=pairs(tags)),
        lambda names: ecr.untag_resource(resourceArn=arn, tagKeys=names),
        old,
        new,
    )


def _delete_repository(aws: Aws, id: str, p: Properties) -> None:
    with gone_on("RepositoryNotFoundException"):
        aws.client("ecr").delete_repository(repositoryName=id, force=bool(p.get("forceDelete")))


def _put_images_lifecycle(aws: Aws, p: Properties) -> str:
    aws.client("ecr").put_lifecycle_policy(repositoryName=p["repository"], lifecyclePolicyText=p["policy"])
    return str(p["repository"])


def _read_images_lifecycle(aws: Aws, id: str, p: Properties) -> Properties:
    with gone_on("LifecyclePolicyNotFoundException", "RepositoryNotFoundException"):
        found = aws.client("ecr").get_lifecycle_policy(repositoryName=id)
    return {"repository": id, "policy": found["lifecyclePolicyText"], "registryId": found["registryId"]}


def _delete_images_lifecycle(aws: Aws, id: str, p: Properties) -> None:
    with gone_on("LifecyclePolicyNotFoundException", "RepositoryNotFoundException"):
        aws.client("ecr").delete_lifecycle_policy(repositoryName=id)


def _put_repository_policy(aws: Aws, p: Properties) -> str:
    aws.client("ecr").set_repository_policy(repositoryName=p["repository"], policyText=p["policy"])
    return str(p["repository"])


def _read_repository_policy(aws: Aws, id: str, p: Properties) -> Properties:
    with gone_on("RepositoryPolicyNotFoundException", "RepositoryNotFoundException"):
        found = aws.client("ecr").get_repository_policy(repositoryName=id)
    return {"repository": id, "policy": found["policyText"], "registryId": found["registryId"]}


def _delete_repository_policy(aws: Aws, id: str, p: Properties) -> None:
    with gone_on("RepositoryPolicyNotFoundException", "RepositoryNotFoundException"):
        aws.client("ecr").delete_repository_policy(repositoryName=id)


def _create_packages(aws: Aws, p: Properties) -> str:
    aws.client("sagemaker").create_model_package_group(
        ModelPackageGroupName=p["modelPackageGroupName"],
        Tags=pairs(p.get("tagsAll")),
        **given(p, ModelPackageGroupDescription="modelPackageGroupDescription"),
    )
    return str(p["modelPackageGroupName"])


def _read_packages(aws: Aws, id: str, p: Properties) -> Properties:
    sagemaker = aws.client("sagemaker")
    with gone_on("ValidationException", "ResourceNotFound"):
        found = sagemaker.describe_model_package_group(ModelPackageGroupName=id)
    arn = found["ModelPackageGroupArn"]
    return {
        "modelPackageGroupName": id,
        "arn": arn,
        "modelPackageGroupDescription": found.get("ModelPackageGroupDescription", ""),
        "tagsAll": mapping(sagemaker.list_tags(ResourceArn=arn)["Tags"]),
    }


def _update_packages(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    sagemaker = aws.client("sagemaker")
    arn = aws.arn("sagemaker", f"model-package-group/{id}")
    retag(
        lambda tags: sagemaker.add_tags(ResourceArn=arn, Tags=pairs(tags)),
        lambda names: sagemaker.delete_tags(ResourceArn=arn, TagKeys=names),
        old,
        new,
    )


def _delete_packages(aws: Aws, id: str, p: Properties) -> None:
    _read_packages(aws, id, p)
    aws.client("sagemaker").delete_model_package_group(ModelPackageGroupName=id)


def _create_database(aws: Aws, p: Properties) -> str:
    definition = {"Name": p["name"], **given(p, Description="description", LocationUri="locationUri")}
    aws.client("glue").create_database(DatabaseInput=definition, Tags=p.get("tagsAll") or {})
    return f"{aws.account}:{p['name']}"


def _read_database(aws: Aws, id: str, p: Properties) -> Properties:
    catalog, name = id.split(":", 1)
    glue = aws.client("glue")
    with gone_on("EntityNotFoundException"):
        found = glue.get_database(Name=name)["Database"]
    arn = aws.arn("glue", f"database/{name}")
    return {
        "name": name,
        "catalogId": catalog,
        "arn": arn,
        "description": found.get("Description", ""),
        "tagsAll": glue.get_tags(ResourceArn=arn)["Tags"] or p.get("tagsAll"),
    }


def _update_database(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    glue = aws.client("glue")
    name = id.split(":", 1)[1]
    if changed(old, new, "description", "locationUri"):
        definition = {"Name": name, **given(new, Description="description", LocationUri="locationUri")}
        glue.update_database(Name=name, DatabaseInput=definition)
    arn = aws.arn("glue", f"database/{name}")
    retag(
        lambda tags: glue.tag_resource(ResourceArn=arn, TagsToAdd=tags),
        lambda names: glue.untag_resource(ResourceArn=arn, TagsToRemove=names),
        old,
        new,
    )


def _delete_database(aws: Aws, id: str, p: Properties) -> None:
    with gone_on("EntityNotFoundException"):
        aws.client("glue").delete_database(Name=id.split(":", 1)[1])


def _table_input(p: Properties) -> dict[str, Any]:
    definition = {"Name": p["name"], **given(p, Description="description", Owner="owner", TableType="tableType")}
    definition |= given(p, Parameters="parameters")
    if keys := p.get("partitionKeys"):
        definition["PartitionKeys"] = pascal(keys)
    if storage := p.get("storageDescriptor"):
        written = {key[0].upper() + key[1:]: pascal(value) for key, value in storage.items() if key != "serDeInfo"}
        if serde := storage.get("serDeInfo"):
            written["SerdeInfo"] = pascal(serde)
        definition["StorageDescriptor"] = written
    return definition


def _create_table(aws: Aws, p: Properties) -> str:
    aws.client("glue").create_table(DatabaseName=p["databaseName"], TableInput=_table_input(p))
    return f"{aws.account}:{p['databaseName']}:{p['name']}"


def _read_table(aws: Aws, id: str, p: Properties) -> Properties:
    catalog, database, name = id.split(":", 2)
    with gone_on("EntityNotFoundException"):
        found = aws.client("glue").get_table(DatabaseName=database, Name=name)["Table"]
    storage = camel(found.get("StorageDescriptor", {}))
    if "serdeInfo" in storage:
        storage["serDeInfo"] = storage.pop("serdeInfo")
    return {
        "name": name,
        "databaseName": database,
        "catalogId": catalog,
        "arn": aws.arn("glue", f"table/{database}/{name}"),
        "description": found.get("Description", ""),
        "owner": found.get("Owner", ""),
        "tableType": found.get("TableType", ""),
        "parameters": found.get("Parameters", {}),
        "partitionKeys": camel(found.get("PartitionKeys", [])),
        "storageDescriptor": storage,
    }


def _delete_table(aws: Aws, id: str, p: Properties) -> None:
    _, database, name = id.split(":", 2)
    with gone_on("EntityNotFoundException"):
        aws.client("glue").delete_table(DatabaseName=database, Name=name)


def _create_online(aws: Aws, p: Properties) -> str:
    dynamodb = aws.client("dynamodb")
    schema = [{"AttributeName": p["hashKey"], "KeyType": "HASH"}]
    if p.get("rangeKey"):
        schema.append({"AttributeName": p["rangeKey"], "KeyType": "RANGE"})
    arguments: dict[str, Any] = given(
        p, BillingMode="billingMode", DeletionProtectionEnabled="deletionProtectionEnabled"
    )
    if encryption := p.get("serverSideEncryption"):
        arguments["SSESpecification"] = {
            "Enabled": encryption["enabled"],
            "SSEType": "KMS",
            **given(encryption, KMSMasterKeyId="kmsKeyArn"),
        }
    dynamodb.create_table(
        TableName=p["name"],
        KeySchema=schema,
        AttributeDefinitions=[{"AttributeName": a["name"], "AttributeType": a["type"]} for a in p["attributes"]],
        Tags=pairs(p.get("tagsAll")),
        **arguments,
    )
    _online_settings(aws, p["name"], {}, p)
    return str(p["name"])


def _online_settings(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    dynamodb = aws.client("dynamodb")
    if changed(old, new, "ttl") and (ttl := new.get("ttl") or old.get("ttl")):
        enabled = bool((new.get("ttl") or {}).get("enabled"))
        specification = {"AttributeName": ttl["attributeName"], "Enabled": enabled}
        dynamodb.update_time_to_live(TableName=id, TimeToLiveSpecification=specification)
    if changed(old, new, "pointInTimeRecovery"):
        enabled = bool((new.get("pointInTimeRecovery") or {}).get("enabled"))
        specification = {"PointInTimeRecoveryEnabled": enabled}
        dynamodb.update_continuous_backups(TableName=id, PointInTimeRecoverySpecification=specification)


def _read_online(aws: Aws, id: str, p: Properties) -> Properties:
    dynamodb = aws.client("dynamodb")
    with gone_on(NOT_FOUND):
        found = dynamodb.describe_table(TableName=id)["Table"]
    ttl = dynamodb.describe_time_to_live(TableName=id)["TimeToLiveDescription"]
    backups = dynamodb.describe_continuous_backups(TableName=id)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    encryption = found.get("SSEDescription") or {}
    keys = {key["KeyType"]: key["AttributeName"] for key in found["KeySchema"]}
    read: Properties = {
        "name": id,
        "arn": found["TableArn"],
        "hashKey": keys["HASH"],
        "billingMode": found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "attributes": [{"name": a["AttributeName"], "type": a["AttributeType"]} for a in found["AttributeDefinitions"]],
        "deletionProtectionEnabled": found.get("DeletionProtectionEnabled", False),
        "pointInTimeRecovery": {"enabled": recovery == "ENABLED"},
        "ttl": {"attributeName": ttl.get("AttributeName", ""), "enabled": ttl["TimeToLiveStatus"] == "ENABLED"},
        "tagsAll": mapping(dynamodb.list_tags_of_resource(ResourceArn=found["TableArn"])["Tags"]),
    }
    if encryption.get("Status") == "ENABLED":
        read["serverSideEncryption"] = {"enabled": True, "kmsKeyArn": encryption.get("KMSMasterKeyArn")}
    elif p.get("serverSideEncryption"):
        read["serverSideEncryption"] = {"enabled": False}
    if "RANGE" in keys:
        read["rangeKey"] = keys["RANGE"]
    return read


def _update_online(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    dynamodb = aws.client("dynamodb")
    if changed(old, new, "deletionProtectionEnabled", "billingMode", "serverSideEncryption"):
        arguments = given(new, BillingMode="billingMode", DeletionProtectionEnabled="deletionProtectionEnabled")
        if encryption := new.get("serverSideEncryption"):
            arguments["SSESpecification"] = {
                "Enabled": encryption["enabled"],
                "SSEType": "KMS",
                **given(encryption, KMSMasterKeyId="kmsKeyArn"),
            }
        dynamodb.update_table(TableName=id, **arguments)
    _online_settings(aws, id, old, new)
    arn = aws.arn("dynamodb", f"table/{id}")
    retag(
        lambda tags: dynamodb.tag_resource(ResourceArn=arn, Tags=pairs(tags)),
        lambda names: dynamodb.untag_resource(ResourceArn=arn, TagKeys=names),
        old,
        new,
    )


def _delete_online(aws: Aws, id: str, p: Properties) -> None:
    with gone_on(NOT_FOUND):
        aws.client("dynamodb").delete_table(TableName=id)


def _create_cluster(aws: Aws, p: Properties) -> str:
    vpc = p["vpcConfig"]
    arguments: dict[str, Any] = given(p, version="version")
    if encryption := p.get("encryptionConfig"):
        arguments["encryptionConfig"] = [
            {"resources": encryption["resources"], "provider": {"keyArn": encryption["provider"]["keyArn"]}}
        ]
    if types := p.get("enabledClusterLogTypes"):
        arguments["logging"] = {"clusterLogging": [{"types": types, "enabled": True}]}
    aws.client("eks").create_cluster(
        name=p["name"],
        roleArn=p["roleArn"],
        resourcesVpcConfig={key: value for key, value in vpc.items() if value is not None},
        tags=p.get("tagsAll") or {},
        **arguments,
    )
    return str(p["name"])


def _read_cluster(aws: Aws, id: str, p: Properties) -> Properties:
    """moto keeps no access configuration: it is taken as declared."""
    with gone_on(NOT_FOUND):
        found = aws.client("eks").describe_cluster(name=id)["cluster"]
    vpc = found["resourcesVpcConfig"]
    read: Properties = {
        "name": id,
        "arn": found["arn"],
        "version": found["version"],
        "roleArn": found["roleArn"],
        "endpoint": found.get("endpoint"),
        "status": found["status"],
        "vpcConfig": {
            "subnetIds": vpc["subnetIds"],
            "endpointPrivateAccess": vpc["endpointPrivateAccess"],
            "endpointPublicAccess": vpc["endpointPublicAccess"],
        },
        "tagsAll": found.get("tags", {}),
    }
    if encryption := found.get("encryptionConfig"):
        read["encryptionConfig"] = encryption[0]
    logging = found.get("logging", {}).get("clusterLogging", [])
    read["enabledClusterLogTypes"] = [kind for item in logging if item.get("enabled") for kind in item.get("types", [])]
    return read


def _update_cluster(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    eks = aws.client("eks")
    if changed(old, new, "vpcConfig"):
        wanted = {
            key: new["vpcConfig"][key]
            for key in ("endpointPrivateAccess", "endpointPublicAccess")
            if key in new["vpcConfig"]
        }
        eks.update_cluster_config(name=id, resourcesVpcConfig=wanted)
    if changed(old, new, "enabledClusterLogTypes"):
        types = new.get("enabledClusterLogTypes") or []
        eks.update_cluster_config(name=id, logging={"clusterLogging": [{"types": types, "enabled": True}]})
    _retag_eks(aws, aws.arn("eks", f"cluster/{id}"), old, new)


def _retag_eks(aws: Aws, arn: str, old: Properties, new: Properties) -> None:
    eks = aws.client("eks")
    retag(
        lambda tags: eks.tag_resource(resourceArn=arn, tags=tags),
        lambda names: eks.untag_resource(resourceArn=arn, tagKeys=names),
        old,
        new,
    )


def _delete_cluster(aws: Aws, id: str, p: Properties) -> None:
    with gone_on(NOT_FOUND):
        aws.client("eks").delete_cluster(name=id)


def _create_nodes(aws: Aws, p: Properties) -> str:
    arguments = given(
        p,
        amiType="amiType",
        instanceTypes="instanceTypes",
        labels="labels",
        launchTemplate="launchTemplate",
        scalingConfig="scalingConfig",
        diskSize="diskSize",
    )
    if p.get("taints"):
        arguments["taints"] = p["taints"]
    aws.client("eks").create_nodegroup(
        clusterName=p["clusterName"],
        nodegroupName=p["nodeGroupName"],
        nodeRole=p["nodeRoleArn"],
        subnets=p["subnetIds"],
        tags=p.get("tagsAll") or {},
        **arguments,
    )
    return f"{p['clusterName']}:{p['nodeGroupName']}"


def _read_nodes(aws: Aws, id: str, p: Properties) -> Properties:
    cluster, group = id.split(":", 1)
    with gone_on(NOT_FOUND):
        found = aws.client("eks").describe_nodegroup(clusterName=cluster, nodegroupName=group)["nodegroup"]
    read: Properties = {
        "clusterName": cluster,
        "nodeGroupName": group,
        "arn": found["nodegroupArn"],
        "nodeRoleArn": found["nodeRole"],
        "subnetIds": found["subnets"],
        "scalingConfig": found["scalingConfig"],
        "status": found["status"],
        "tagsAll": found.get("tags", {}),
    }
    for name in ("amiType", "instanceTypes", "labels", "taints"):
        if found.get(name):
            read[name] = found[name]
    return read


def _update_nodes(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    cluster, group = id.split(":", 1)
    if changed(old, new, "scalingConfig"):
        aws.client("eks").update_nodegroup_config(
            clusterName=cluster, nodegroupName=group, scalingConfig=new["scalingConfig"]
        )
    arn = _read_nodes(aws, id, new)["arn"]
    _retag_eks(aws, arn, old, new)


def _delete_nodes(aws: Aws, id: str, p: Properties) -> None:
    cluster, group = id.split(":", 1)
    with gone_on(NOT_FOUND):
        aws.client("eks").delete_nodegroup(clusterName=cluster, nodegroupName=group)


KINDS = [
    Kind(
        "aws:ecr/repository:Repository",
        _create_repository,
        _read_repository,
        _delete_repository,
        update=_update_repository,
        replaces=("name", "encryptionConfigurations"),
        name="name",
        outputs=("arn", "registryId", "repositoryUrl"),
    ),
    Kind(
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        _put_images_lifecycle,
        _read_images_lifecycle,
        _delete_images_lifecycle,
        update=lambda aws, id, old, new: _put_images_lifecycle(aws, new),
        replaces=("repository",),
        find=lambda aws, p: str(p["repository"]),
        outputs=("registryId",),
    ),
    Kind(
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        _put_repository_policy,
        _read_repository_policy,
        _delete_repository_policy,
        update=lambda aws, id, old, new: _put_repository_policy(aws, new),
        replaces=("repository",),
        find=lambda aws, p: str(p["repository"]),
        outputs=("registryId",),
    ),
    Kind(
        "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
        _create_packages,
        _read_packages,
        _delete_packages,
        update=_update_packages,
        replaces=("modelPackageGroupName", "modelPackageGroupDescription"),
        name="modelPackageGroupName",
        outputs=("arn",),
    ),
    Kind(
        "aws:glue/catalogDatabase:CatalogDatabase",
        _create_database,
        _read_database,
        _delete_database,
        update=_update_database,
        replaces=("name", "catalogId"),
        name="name",
        find=lambda aws, p: f"{aws.account}:{p['name']}",
        outputs=("arn",),
    ),
    Kind(
        "aws:glue/catalogTable:CatalogTable",
        _create_table,
        _read_table,
        _delete_table,
        update=lambda aws, id, old, new: aws.client("glue").update_table(
            DatabaseName=new["databaseName"], TableInput=_table_input(new)
        ),
        replaces=("name", "databaseName", "catalogId"),
        name="name",
        find=lambda aws, p: f"{aws.account}:{p['databaseName']}:{p['name']}",
        outputs=("arn",),
    ),
    Kind(
        "aws:dynamodb/table:Table",
        _create_online,
        _read_online,
        _delete_online,
        update=_update_online,
        replaces=("name", "hashKey", "rangeKey"),
        name="name",
        outputs=("arn",),
    ),
    Kind(
        "aws:eks/cluster:Cluster",
        _create_cluster,
        _read_cluster,
        _delete_cluster,
        update=_update_cluster,
        replaces=("name", "roleArn", "encryptionConfig"),
        name="name",
        outputs=("arn", "endpoint", "status"),
    ),
    Kind(
        "aws:eks/nodeGroup:NodeGroup",
        _create_nodes,
        _read_nodes,
        _delete_nodes,
        update=_update_nodes,
        replaces=("clusterName", "nodeGroupName", "nodeRoleArn", "subnetIds", "amiType", "instanceTypes"),
        name="nodeGroupName",
        find=lambda aws, p: f"{p['clusterName']}:{p['nodeGroupName']}",
        outputs=("arn", "status"),
    ),
]

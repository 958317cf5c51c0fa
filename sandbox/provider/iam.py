"""Keys, roles and policies."""

import json

from sandbox.provider.clients import Aws
from sandbox.provider.kinds import Gone, Kind, Properties, changed, given, gone_on, mapping, pairs, retag

NO_ENTITY = "NoSuchEntity"


def _create_key(aws: Aws, p: Properties) -> str:
    kms = aws.client("kms")
    arguments = given(
        p, Description="description", Policy="policy", KeyUsage="keyUsage", KeySpec="customerMasterKeySpec"
    )
    key = kms.create_key(Tags=pairs(p.get("tagsAll"), "TagKey", "TagValue"), **arguments)["KeyMetadata"]["KeyId"]
    _rotation(aws, key, p)
    return str(key)


def _rotation(aws: Aws, id: str, p: Properties) -> None:
    kms = aws.client("kms")
    if p.get("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=id, **given(p, RotationPeriodInDays="rotationPeriodInDays"))
    else:
        kms.disable_key_rotation(KeyId=id)


def _read_key(aws: Aws, id: str, p: Properties) -> Properties:
    kms = aws.client("kms")
    with gone_on("NotFoundException"):
        found = kms.describe_key(KeyId=id)["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        raise Gone
    rotation = kms.get_key_rotation_status(KeyId=id)
    read = {
        "arn": found["Arn"],
        "keyId": id,
        "description": found.get("Description", ""),
        "enableKeyRotation": rotation["KeyRotationEnabled"],
        "tagsAll": mapping(kms.list_resource_tags(KeyId=id)["Tags"], "TagKey", "TagValue"),
    }
    if "RotationPeriodInDays" in rotation:
        read["rotationPeriodInDays"] = rotation["RotationPeriodInDays"]
    if "policy" in p:
        read["policy"] = kms.get_key_policy(KeyId=id, PolicyName="default")["Policy"]
    return read


def _update_key(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    kms = aws.client("kms")
    if changed(old, new, "description"):
        kms.update_key_description(KeyId=id, Description=new.get("description") or "")
    if changed(old, new, "policy") and new.get("policy"):
        kms.put_key_policy(KeyId=id, PolicyName="default", Policy=new["policy"])
    if changed(old, new, "enableKeyRotation", "rotationPeriodInDays"):
        _rotation(aws, id, new)
    retag(
        lambda tags: kms.tag_resource(KeyId=id, Tags=pairs(tags, "TagKey", "TagValue")),
        lambda names: kms.untag_resource(KeyId=id, TagKeys=names),
        old,
        new,
    )


def _delete_key(aws: Aws, id: str, p: Properties) -> None:
    with gone_on("NotFoundException"):
        _read_key(aws, id, {})
        aws.client("kms").schedule_key_deletion(KeyId=id, **given(p, PendingWindowInDays="deletionWindowInDays"))


def _find_key(aws: Aws, p: Properties) -> str | None:
    kms = aws.client("kms")
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            found = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            if found["KeyState"] == "PendingDeletion" or found.get("KeyManager") == "AWS":
                continue
            tags = mapping(kms.list_resource_tags(KeyId=key["KeyId"])["Tags"], "TagKey", "TagValue")
            if p.get("tagsAll") and tags == p["tagsAll"]:
                return str(key["KeyId"])
    return None


def _read_alias(aws: Aws, id: str, p: Properties) -> Properties:
    for page in aws.client("kms").get_paginator("list_aliases").paginate():
        for alias in page["Aliases"]:
            if alias["AliasName"] == id:
                target = alias["TargetKeyId"]
                key = aws.arn("kms", f"key/{target}")
                return {"name": id, "targetKeyId": target, "arn": alias["AliasArn"], "targetKeyArn": key}
    raise Gone


def _create_alias(aws: Aws, p: Properties) -> str:
    aws.client("kms").create_alias(AliasName=p["name"], TargetKeyId=p["targetKeyId"])
    return str(p["name"])


def _delete_alias(aws: Aws, id: str, p: Properties) -> None:
    with gone_on("NotFoundException"):
        aws.client("kms").delete_alias(AliasName=id)


def _put_key_policy(aws: Aws, p: Properties) -> str:
    aws.client("kms").put_key_policy(KeyId=p["keyId"], PolicyName="default", Policy=p["policy"])
    return str(p["keyId"])


def _read_key_policy(aws: Aws, id: str, p: Properties) -> Properties:
    _read_key(aws, id, {})
    return {"keyId": id, "policy": aws.client("kms").get_key_policy(KeyId=id, PolicyName="default")["Policy"]}


def _default_key_policy(aws: Aws, id: str, p: Properties) -> None:
    """A key always has a policy: the one that AWS gives a new key comes back."""
    root = {"AWS": f"arn:aws:iam::{aws.account}:root"}
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": root,
        "Action": "kms:*",
        "Resource": "*",
    }
    _read_key(aws, id, {})
    policy = json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]})
    aws.client("kms").put_key_policy(KeyId=id, PolicyName="default", Policy=policy)


def _create_role(aws: Aws, p: Properties) -> str:
    arguments = given(
        p,
        Path="path",
        Description="description",
        MaxSessionDuration="maxSessionDuration",
        PermissionsBoundary="permissionsBoundary",
    )
    aws.client("iam").create_role(
        RoleName=p["name"],
        AssumeRolePolicyDocument=p["assumeRolePolicy"],
        Tags=pairs(p.get("tagsAll")),
        **arguments,
    )
    return str(p["name"])


def _read_role(aws: Aws, id: str, p: Properties) -> Properties:
    with gone_on(NO_ENTITY):
        role = aws.client("iam").get_role(RoleName=id)["Role"]
    return {
        "name": id,
        "arn": role["Arn"],
        "uniqueId": role["RoleId"],
        "path": role["Path"],
        "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
        "description": role.get("Description", ""),
        "maxSessionDuration": role.get("MaxSessionDuration", 3600),
        "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        "tagsAll": mapping(role.get("Tags")),
    }


def _update_role(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    iam = aws.client("iam")
    if changed(old, new, "assumeRolePolicy"):
        iam.update_assume_role_policy(RoleName=id, PolicyDocument=new["assumeRolePolicy"])
    if changed(old, new, "description", "maxSessionDuration"):
        iam.update_role(RoleName=id, **given(new, Description="description", MaxSessionDuration="maxSessionDuration"))
    if changed(old, new, "permissionsBoundary"):
        if boundary := new.get("permissionsBoundary"):
            iam.put_role_permissions_boundary(RoleName=id, PermissionsBoundary=boundary)
        else:
            iam.delete_role_permissions_boundary(RoleName=id)
    retag(
        lambda tags: iam.tag_role(RoleName=id, Tags=pairs(tags)),
        lambda names: iam.untag_role(RoleName=id, TagKeys=names),
        old,
        new,
    )


def _delete_role(aws: Aws, id: str, p: Properties) -> None:
    with gone_on(NO_ENTITY):
        aws.client("iam").delete_role(RoleName=id)


def _put_role_policy(aws: Aws, p: Properties) -> str:
    aws.client("iam").put_role_policy(RoleName=p["role"], PolicyName=p["name"], PolicyDocument=p["policy"])
    return f"{p['role']}:{p['name']}"


def _read_role_policy(aws: Aws, id: str, p: Properties) -> Properties:
    role, name = id.split(":", 1)
    with gone_on(NO_ENTITY):
        found = aws.client("iam").get_role_policy(RoleName=role, PolicyName=name)
    return {"role": role, "name": name, "policy": json.dumps(found["PolicyDocument"])}


def _delete_role_policy(aws: Aws, id: str, p: Properties) -> None:
    role, name = id.split(":", 1)
    with gone_on(NO_ENTITY):
        aws.client("iam").delete_role_policy(RoleName=role, PolicyName=name)


def _create_policy(aws: Aws, p: Properties) -> str:
    arguments = given(p, Path="path", Description="description")
    created = aws.client("iam").create_policy(
        PolicyName=p["name"], PolicyDocument=p["policy"], Tags=pairs(p.get("tagsAll")), **arguments
    )
    return str(created["Policy"]["Arn"])


def _read_policy(aws: Aws, id: str, p: Properties) -> Properties:
    iam = aws.client("iam")
    with gone_on(NO_ENTITY):
        found = iam.get_policy(PolicyArn=id)["Policy"]
    version = iam.get_policy_version(PolicyArn=id, VersionId=found["DefaultVersionId"])["PolicyVersion"]
    return {
        "name": found["PolicyName"],
        "arn": id,
        "path": found["Path"],
        "policyId": found["PolicyId"],
        "description": found.get("Description", ""),
        "policy": json.dumps(version["Document"]),
        "tagsAll": mapping(iam.list_policy_tags(PolicyArn=id)["Tags"]),
    }


def _update_policy(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    iam = aws.client("iam")
    if changed(old, new, "policy"):
        versions = iam.list_policy_versions(PolicyArn=id)["Versions"]
        spare = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
        if len(versions) >= 5:
            iam.delete_policy_version(PolicyArn=id, VersionId=min(spare, key=lambda version: int(version[1:])))
        iam.create_policy_version(PolicyArn=id, PolicyDocument=new["policy"], SetAsDefault=True)
    retag(
        lambda tags: iam.tag_policy(PolicyArn=id, Tags=pairs(tags)),
        lambda names: iam.untag_policy(PolicyArn=id, TagKeys=names),
        old,
        new,
    )


def _delete_policy(aws: Aws, id: str, p: Properties) -> None:
    iam = aws.client("iam")
    with gone_on(NO_ENTITY):
        for version in iam.list_policy_versions(PolicyArn=id)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=id, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=id)


def _attach(aws: Aws, p: Properties) -> str:
    aws.client("iam").attach_role_policy(RoleName=p["role"], PolicyArn=p["policyArn"])
    return f"{p['role']}/{p['policyArn']}"


def _read_attachment(aws: Aws, id: str, p: Properties) -> Properties:
    role, arn = id.split("/", 1)
    with gone_on(NO_ENTITY):
        attached = aws.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    if arn not in {policy["PolicyArn"] for policy in attached}:
        raise Gone
    return {"role": role, "policyArn": arn}


def _detach(aws: Aws, id: str, p: Properties) -> None:
    role, arn = id.split("/", 1)
    with gone_on(NO_ENTITY):
        aws.client("iam").detach_role_policy(RoleName=role, PolicyArn=arn)


def _inline_names(aws: Aws, role: str) -> list[str]:
    with gone_on(NO_ENTITY):
        return sorted(aws.client("iam").list_role_policies(RoleName=role)["PolicyNames"])


def _only_inline(aws: Aws, p: Properties) -> str:
    for name in set(_inline_names(aws, p["roleName"])) - set(p["policyNames"]):
        aws.client("iam").delete_role_policy(RoleName=p["roleName"], PolicyName=name)
    return str(p["roleName"])


def _attached_arns(aws: Aws, role: str) -> list[str]:
    with gone_on(NO_ENTITY):
        found = aws.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return sorted(policy["PolicyArn"] for policy in found)


def _only_attached(aws: Aws, p: Properties) -> str:
    attached, wanted = set(_attached_arns(aws, p["roleName"])), set(p["policyArns"])
    for arn in attached - wanted:
        aws.client("iam").detach_role_policy(RoleName=p["roleName"], PolicyArn=arn)
    for arn in wanted - attached:
        aws.client("iam").attach_role_policy(RoleName=p["roleName"], PolicyArn=arn)
    return str(p["roleName"])


def _create_oidc(aws: Aws, p: Properties) -> str:
    created = aws.client("iam").create_open_id_connect_provider(
        Url=p["url"],
        ClientIDList=p["clientIdLists"],
        ThumbprintList=p.get("thumbprintLists") or [],
        Tags=pairs(p.get("tagsAll")),
    )
    return str(created["OpenIDConnectProviderArn"])


def _read_oidc(aws: Aws, id: str, p: Properties) -> Properties:
    with gone_on(NO_ENTITY):
        found = aws.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=id)
    return {
        "arn": id,
        # AWS gives the address back without its scheme.
        "url": f"https://{found['Url'].removeprefix('https://')}",
        "clientIdLists": found["ClientIDList"],
        "thumbprintLists": found.get("ThumbprintList", []),
        "tagsAll": mapping(found.get("Tags")),
    }


def _update_oidc(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    iam = aws.client("iam")
    before, after = set(old.get("clientIdLists") or ()), set(new["clientIdLists"])
    for client in after - before:
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=id, ClientID=client)
    for client in before - after:
        iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=id, ClientID=client)
    retag(
        lambda tags: iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=id, Tags=pairs(tags)),
        lambda names: iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=id, TagKeys=names),
        old,
        new,
    )


def _delete_oidc(aws: Aws, id: str, p: Properties) -> None:
    with gone_on(NO_ENTITY):
        aws.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=id)


KINDS = [
    Kind(
        "aws:kms/key:Key",
        _create_key,
        _read_key,
        _delete_key,
        update=_update_key,
        replaces=("keyUsage", "customerMasterKeySpec", "multiRegion"),
        find=_find_key,
        outputs=("arn", "keyId"),
    ),
    Kind(
        "aws:kms/alias:Alias",
        _create_alias,
        _read_alias,
        _delete_alias,
        update=lambda aws, id, old, new: aws.client("kms").update_alias(AliasName=id, TargetKeyId=new["targetKeyId"]),
        replaces=("name",),
        name="name",
        outputs=("arn", "targetKeyArn"),
    ),
    Kind(
        "aws:kms/keyPolicy:KeyPolicy",
        _put_key_policy,
        _read_key_policy,
        _default_key_policy,
        update=lambda aws, id, old, new: _put_key_policy(aws, new),
        replaces=("keyId",),
        find=lambda aws, p: str(p["keyId"]),
    ),
    Kind(
        "aws:iam/role:Role",
        _create_role,
        _read_role,
        _delete_role,
        update=_update_role,
        replaces=("name", "path"),
        name="name",
        outputs=("arn", "uniqueId"),
    ),
    Kind(
        "aws:iam/rolePolicy:RolePolicy",
        _put_role_policy,
        _read_role_policy,
        _delete_role_policy,
        update=lambda aws, id, old, new: _put_role_policy(aws, new),
        replaces=("role", "name"),
        name="name",
        find=lambda aws, p: f"{p['role']}:{p['name']}",
    ),
    Kind(
        "aws:iam/policy:Policy",
        _create_policy,
        _read_policy,
        _delete_policy,
        update=_update_policy,
        replaces=("name", "path", "description"),
        name="name",
        outputs=("arn", "policyId"),
    ),
    Kind(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        _attach,
        _read_attachment,
        _detach,
        find=lambda aws, p: f"{p['role']}/{p['policyArn']}",
    ),
    Kind(
        "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive",
        _only_inline,
        lambda aws, id, p: {"roleName": id, "policyNames": _inline_names(aws, id)},
        lambda aws, id, p: None,
        update=lambda aws, id, old, new: _only_inline(aws, new),
        replaces=("roleName",),
        find=lambda aws, p: str(p["roleName"]),
    ),
    Kind(
        "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
        _only_attached,
        lambda aws, id, p: {"roleName": id, "policyArns": _attached_arns(aws, id)},
        lambda aws, id, p: None,
        update=lambda aws, id, old, new: _only_attached(aws, new),
        replaces=("roleName",),
        find=lambda aws, p: str(p["roleName"]),
    ),
    Kind(
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        _create_oidc,
        _read_oidc,
        _delete_oidc,
        update=_update_oidc,
        replaces=("url",),
        outputs=("arn", "thumbprintLists"),
    ),
]

"""The policies that have a say, read from moto's state."""

import json
from typing import Any

from moto.backends import get_backend

from sandbox.cloud.principals import Caller
from stagegate.evaluator import Policies, Policy


def of_caller(caller: Caller) -> tuple[tuple[Policy, ...], Policy | None, tuple[Policy, ...]]:
    """Identity policies, boundary and session policies."""
    session = (Policy("session", caller.session_policy),) if caller.session_policy else ()
    if caller.identity is None:
        return (), None, session
    iam = get_backend("iam")[caller.account]["aws"]
    identities = [caller.identity]
    if hasattr(caller.identity, "access_keys"):
        identities += iam.get_groups_for_user(caller.identity.name)
    documents = [
        Policy(f"{identity.name}/{name}", _text(document))
        for identity in identities
        for name, document in _inline(identity)
    ]
    documents += [_managed(managed) for identity in identities for managed in identity.managed_policies.values()]
    arn = getattr(caller.identity, "permissions_boundary_arn", None)
    boundary = iam.managed_policies.get(arn) if arn else None
    if arn and boundary is None:
        # A boundary that is gone allows nothing.
        return tuple(documents), Policy(arn, '{"Version":"2012-10-17","Statement":[]}'), session
    return tuple(documents), _managed(boundary) if boundary else None, session


def _managed(policy: Any) -> Policy:
    current = next(version for version in policy.versions if version.is_default)
    return Policy(policy.name, _text(current.document))


def _inline(identity: Any) -> list[tuple[str, Any]]:
    return list(identity.policies.items())


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def owner(resource: str, caller_account: str) -> str:
    """The account that a resource belongs to; a bucket's ARN doesn't say."""
    if resource.startswith("arn:aws:s3:::"):
        found = bucket(resource)
        return str(found.account_id) if found else caller_account
    parts = resource.split(":")
    return parts[4] if len(parts) > 5 and parts[4] else caller_account


def bucket(arn: str) -> Any:
    name = arn.removeprefix("arn:aws:s3:::").split("/")[0]
    for _, regions in list(get_backend("s3").items()):
        if name in regions["aws"].buckets:
            return regions["aws"].buckets[name]
    return None


def of_resource(resource: str) -> Policy | None:
    """The policy on a resource itself: bucket, key, topic or repository."""
    if resource.startswith("arn:aws:s3:::"):
        found = bucket(resource)
        return Policy(found.name, found.policy.decode()) if found is not None and found.policy else None
    _, _, service, region, account, name = (resource.split(":", 5) + [""] * 6)[:6]
    if service == "kms" and name.startswith("key/"):
        key = get_backend("kms")[account][region].keys.get(name.removeprefix("key/"))
        return Policy(name, key.policy) if key is not None else None
    if service == "sns":
        topic = get_backend("sns")[account][region].topics.get(resource)
        return Policy(name, topic.policy) if topic is not None else None
    if service == "ecr":
        repository = get_backend("ecr")[account][region].repositories.get(name.removeprefix("repository/"))
        return Policy(name, repository.policy) if repository is not None and repository.policy else None
    if service == "iam" and name.startswith("role/"):
        iam = get_backend("iam")[account]["aws"]
        role = next((role for role in iam.get_roles() if role.arn == resource), None)
        return Policy(f"{role.name} trust", role.assume_role_policy_document) if role is not None else None
    return None


def in_force(caller: Caller, resource: str, action: str) -> Policies:
    identity, boundary, session = of_caller(caller)
    service = action.split(":")[0]
    trust = service == "sts"
    return Policies(
        identity=identity,
        boundary=boundary,
        session=session,
        resource=of_resource(resource) if service != "iam" else None,
        resource_must_allow=trust or (service == "kms" and ":key/" in resource),
    )

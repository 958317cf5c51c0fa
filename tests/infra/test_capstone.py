"""Every stack that ships is built, and what has to hold everywhere is looked for everywhere."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pulumi_aws as aws
import pytest

from infra.policy import BUCKET_LIMIT, INLINE_LIMIT, KEY_LIMIT, MANAGED_LIMIT, TRUST_LIMIT
from infra.spec import PLATFORM, Declarations, load
from stagegate.graph import COMPUTED, PROVIDER, Graph, Resource, capture

ROOT = Path(__file__).parents[2]
DECLARATIONS: Declarations = load(ROOT / "stacks")
REQUIRED_TAGS = {
    "Name", "organization", "department", "environment", "owner", "cost-centre", "classification", "managed-by",
}  # fmt: skip
MODEL_TYPES = {
    "aws:ecr/repository:Repository",
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm",
}
LIMITS = {
    ("aws:iam/policy:Policy", "policy"): MANAGED_LIMIT,
    ("aws:iam/role:Role", "assumeRolePolicy"): TRUST_LIMIT,
    ("aws:iam/rolePolicy:RolePolicy", "policy"): INLINE_LIMIT,
    ("aws:kms/key:Key", "policy"): KEY_LIMIT,
    ("aws:kms/keyPolicy:KeyPolicy", "policy"): KEY_LIMIT,
    ("aws:s3/bucketPolicy:BucketPolicy", "policy"): BUCKET_LIMIT,
}
ARN = re.compile(r"arn:aws:([a-z0-9-]+):([a-z0-9-]*):(\d*|aws):")
# AWS's own, and its bucket from which nodes take the layers of images.
FOREIGN = re.compile(r"arn:aws:iam::aws:policy/|arn:aws:s3:::prod-[a-z0-9-]+-starport-layer-bucket/")


@cache
def built(name: str) -> Graph:
    return capture(DECLARATIONS.stack(name))


@pytest.fixture(params=DECLARATIONS.stacks)
def graph(request: pytest.FixtureRequest) -> Graph:
    return built(request.param)


def of(graph: Graph, *types: str) -> list[Resource]:
    return [resource for kind in types for resource in graph.of_type(kind)]


@cache
def takes_tags(type_token: str) -> bool:
    """Whether pulumi-aws has tags for a type: from its own classes, not from a list of ours."""
    module, name = type_token.removeprefix("aws:").split("/")[0], type_token.rsplit(":", 1)[1]
    return hasattr(getattr(getattr(aws, module), name), "tags")


def documents(graph: Graph) -> Iterator[tuple[Resource, str, dict[str, Any]]]:
    for resource in graph.resources.values():
        for field in ("policy", "assumeRolePolicy"):
            text = resource.inputs.get(field)
            if isinstance(text, str) and '"Version"' in text:
                yield resource, field, json.loads(text)


def statements(graph: Graph) -> Iterator[tuple[Resource, dict[str, Any]]]:
    for resource, _, document in documents(graph):
        for statement in document["Statement"]:
            yield resource, statement


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_all_that_is_declared_is_built() -> None:
    departments = set(DECLARATIONS.departments)
    assert departments >= {"risk", "marketing", "supply-chain"}
    assert {stack.rsplit("-", 1)[0] for stack in DECLARATIONS.stacks} == {PLATFORM, *departments}
    assert len(DECLARATIONS.stacks) == 3 * (1 + len(departments))
    assert {model.stage for d in DECLARATIONS.departments.values() for model in d.models.values()} == {
        "prototype", "pilot", "production", "sunset",
    }  # fmt: skip


def test_every_type_that_the_recorder_knows_is_used() -> None:
    used = {resource.type for name in DECLARATIONS.stacks for resource in built(name).resources.values()}
    assert used == set(COMPUTED) - {PROVIDER}


def test_everything_that_takes_tags_has_them_all(graph: Graph) -> None:
    names = graph.stack.name.rsplit("-", 1)
    tagged = [resource for resource in graph.resources.values() if takes_tags(resource.type)]
    assert len(tagged) > 20
    for resource in tagged:
        assert set(resource.tags) >= REQUIRED_TAGS, resource.urn
        assert [resource.tags["department"], resource.tags["environment"]] == names, resource.urn
        assert all(resource.tags.values()), resource.urn


def test_what_belongs_to_a_model_names_it(graph: Graph) -> None:
    for resource in of(graph, *MODEL_TYPES):
        model = resource.tags["model"]
        assert resource.name.startswith(f"{graph.stack.name}-{model}"), resource.urn
        assert resource.tags["owner"] == graph.stack.models[model].owner


def test_names_are_physical_and_unique(graph: Graph) -> None:
    named = [
        (resource.type, name)
        for resource in graph.resources.values()
        for key, name in resource.inputs.items()
        if key in ("name", "bucket", "alarmName", "dashboardName", "modelPackageGroupName")
        and resource.type not in {"aws:iam/rolePolicy:RolePolicy", "aws:glue/catalogTable:CatalogTable"}
        and not str(name).endswith("-id")
    ]
    assert len(set(named)) == len(named)


def test_everything_goes_through_the_stacks_own_provider(graph: Graph) -> None:
    (provider,) = {resource.provider for resource in graph.resources.values()}
    assert provider.endswith(f"$pulumi:providers:aws::{graph.stack.name}::{graph.stack.name}-id")


def test_every_resource_has_a_component_above_it(graph: Graph) -> None:
    for resource in graph.resources.values():
        assert graph.components[resource.parent].type.startswith("stagegate:index:"), resource.urn


def test_no_allowed_action_is_a_wildcard(graph: Graph) -> None:
    found = [
        (resource.urn, action)
        for resource, statement in statements(graph)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
        if "*" in action or "?" in action
    ]
    assert found == []
    assert not any({"NotAction", "NotResource", "NotPrincipal"} & set(statement) for _, statement in statements(graph))


def test_nobody_is_allowed_by_everybody(graph: Graph) -> None:
    """`*` as principal only denies; gateway endpoints allow it, bound to the account or to AWS's own bucket."""
    for resource, statement in statements(graph):
        if statement["Effect"] == "Allow" and statement.get("Principal") == "*":
            assert resource.type == "aws:ec2/vpcEndpoint:VpcEndpoint", resource.urn
            bound = "aws:PrincipalAccount" in json.dumps(statement.get("Condition", {}))
            assert bound or all(FOREIGN.match(one) for one in listed(statement["Resource"])), resource.urn


def test_every_policy_fits_its_quota(graph: Graph) -> None:
    for resource, field, document in documents(graph):
        text = resource.inputs[field]
        assert text == json.dumps(document, separators=(",", ":")), f"{resource.urn} isn't compact"
        limit = LIMITS.get((resource.type, field))
        assert limit is None or len(text) <= limit, resource.urn


def test_arns_are_of_this_account_and_region(graph: Graph) -> None:
    environment = graph.stack.environment
    seen = 0
    for resource in graph.resources.values():
        text = json.dumps(resource.inputs)
        for match in ARN.finditer(text):
            seen += 1
            _, region, account = match.groups()
            if not FOREIGN.match(text[match.start() :]):
                assert account in {"", environment.account}, resource.urn
                assert region in {"", environment.region}, resource.urn
        others = {other.account for other in graph.stack.organization.environments.values()} - {environment.account}
        assert not any(account in text for account in others), resource.urn
    assert seen > 20


def test_no_department_is_named_in_anothers_stack(graph: Graph) -> None:
    if graph.stack.department is None:
        return
    for other in set(graph.stack.departments) - {graph.stack.department.name}:
        prefix = f"{other}-{graph.stack.environment_name}"
        assert not [urn for urn, resource in graph.resources.items() if prefix in json.dumps(resource.inputs)]


def test_a_departments_roles_are_all_under_its_boundary(graph: Graph) -> None:
    roles = graph.of_type("aws:iam/role:Role")
    if graph.stack.department is None:
        # The platform's roles are AWS's services; they are trusted by service principals alone.
        for role in roles:
            (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
            assert set(trust["Principal"]) == {"Service"}
        return
    (boundary,) = graph.of_type("aws:iam/policy:Policy")
    assert len(roles) == 9
    for role in roles:
        assert role.property_dependencies["permissionsBoundary"] == {boundary.urn}, role.urn
    assert not graph.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")


def test_every_trust_is_conditional(graph: Graph) -> None:
    """But for the cluster's and the nodes' roles, which EKS and EC2 take on without saying for what."""
    for role in graph.of_type("aws:iam/role:Role"):
        for statement in json.loads(role.inputs["assumeRolePolicy"])["Statement"]:
            service = statement["Principal"].get("Service")
            assert service in {"eks.amazonaws.com", "ec2.amazonaws.com"} or statement["Condition"], role.urn


def test_every_bucket_is_whole(graph: Graph) -> None:
    buckets = {resource.urn for resource in graph.of_type("aws:s3/bucket:Bucket")}
    parts = (
        "bucketPublicAccessBlock:BucketPublicAccessBlock",
        "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "bucketVersioning:BucketVersioning",
        "bucketOwnershipControls:BucketOwnershipControls",
        "bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "bucketPolicy:BucketPolicy",
    )
    for part in parts:
        covered = [next(iter(r.property_dependencies["bucket"])) for r in graph.of_type(f"aws:s3/{part}")]
        assert sorted(covered) == sorted(buckets), part


def test_the_departments_key_encrypts_what_a_department_keeps(graph: Graph) -> None:
    if graph.stack.department is None:
        return
    (key,) = graph.of_type("aws:kms/key:Key")
    encrypted: dict[str, Callable[[Resource], Any]] = {
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": lambda r: r.inputs[
            "rules"
        ][0]["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"],
        "aws:dynamodb/table:Table": lambda r: r.inputs["serverSideEncryption"]["kmsKeyArn"],
        "aws:ecr/repository:Repository": lambda r: r.inputs["encryptionConfigurations"][0]["kmsKey"],
        "aws:cloudwatch/logGroup:LogGroup": lambda r: r.inputs["kmsKeyId"],
        "aws:sns/topic:Topic": lambda r: r.inputs["kmsMasterKeyId"],
    }
    for kind, key_of in encrypted.items():
        resources = graph.of_type(kind)
        assert resources, kind
        for resource in resources:
            assert key_of(resource) == f"aws:kms/key:Key::{key.name}::arn", resource.urn
            assert key.urn in resource.dependencies, resource.urn


def test_only_production_protects(graph: Graph) -> None:
    kinds = {resource.type for resource in graph.resources.values() if resource.protect}
    if graph.stack.environment_name != "prod":
        assert kinds == set()
        assert all(bucket.inputs["forceDestroy"] for bucket in graph.of_type("aws:s3/bucket:Bucket"))
    else:
        assert {"aws:s3/bucket:Bucket", "aws:kms/key:Key"} <= kinds
        assert not any(bucket.inputs["forceDestroy"] for bucket in graph.of_type("aws:s3/bucket:Bucket"))

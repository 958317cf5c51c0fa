"""The second opinion on what is really rendered: every role of two departments, on everything that any grant of both names."""

from collections.abc import Callable, Iterator

import pytest

from infra import actions
from infra.access import PRINCIPALS
from infra.naming import Names
from infra.spec import StackDeclaration, load
from infra.spec.types import Zone
from sandbox.home import REPOSITORY
from stagegate.evaluator import Policies, Policy, Principal, Request
from stagegate.graph import Graph, capture

from .generate import Case
from .oracle_program import Oracle, installed
from .test_oracle import compare

DEPARTMENTS = ("risk", "marketing")
ROLE_POLICY, BOUNDARY = "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"
BUCKET_POLICY, KEY_POLICY = "aws:s3/bucketPolicy:BucketPolicy", "aws:kms/keyPolicy:KeyPolicy"
# Of one statement's actions and resources not every pair exists: these go with the other resource (Service Authorization Reference).
OF_GROUPS = set(actions.PACKAGE_GROUP_VIEW)
OF_PACKAGES = {*actions.PACKAGE_VIEW, *actions.PACKAGE_REGISTER, *actions.PACKAGE_APPROVE}
OF_STREAMS = {*actions.LOG_WRITE, "logs:GetLogEvents"}


def one(graph: Graph, kind: str, name: str) -> Policy:
    (found,) = (resource for resource in graph.of_type(kind) if resource.name == name)
    return Policy(f"{kind.rsplit(':', 1)[1]} {name}", found.inputs["policy"])


def asked(stack: StackDeclaration, graph: Graph) -> Iterator[tuple[str, str]]:
    """Every action with every resource that a grant of the department names for it, stars filled in."""
    assert graph.access is not None
    pairs = {
        (action, resource)
        for grant in graph.access.grants
        for allow in grant.allows
        for action in allow.actions
        for resource in allow.resources
    }
    for action, pattern in sorted(pairs):
        # The second opinion asks for a dataset, which metrics without one aren't in.
        if action in actions.METRIC_READ:
            continue
        if action in OF_GROUPS and ":model-package/" in pattern:
            continue
        if action in OF_PACKAGES and ":model-package-group/" in pattern:
            continue
        resource = pattern if pattern == "*" else pattern.replace("*", "some")
        if ":log-group:" in pattern:
            group = pattern.removesuffix(":*").replace("*", "some")
            resource = f"{group}:log-stream:s" if action in OF_STREAMS else group
        if action.startswith("glue:"):
            database, table = ":database/" in resource, ":table/" in resource
            if (database and action != "glue:GetDatabase") or (
                not database and not table and action != "glue:GetDatabase"
            ):
                continue
            if table and action == "glue:GetDatabase":
                continue
        yield action, resource


def cases() -> list[Case]:
    declarations = load(REPOSITORY / "stacks")
    stacks = {department: declarations.stack(f"{department}-dev") for department in DEPARTMENTS}
    graphs = {department: capture(stack) for department, stack in stacks.items()}
    buckets = {
        Names.of(stack).bucket_arn(zone): one(graphs[department], BUCKET_POLICY, f"{stack.name}-{zone}")
        for department, stack in stacks.items()
        for zone in Zone
    }
    found: list[Case] = []
    for department, stack in stacks.items():
        names, graph = Names.of(stack), graphs[department]
        for who in PRINCIPALS:
            principal = Principal.session(names.role_arn(who), "somebody")
            identity = (one(graph, ROLE_POLICY, f"{stack.name}-{who}"),)
            boundary = one(graph, BOUNDARY, stack.name)
            for other, target in stacks.items():
                for action, resource in asked(target, graphs[other]):
                    for secure in ("true", "false"):
                        context = {"aws:SecureTransport": secure, "aws:RequestedRegion": names.region}
                        request = Request(principal, action, resource, names.account, context)
                        bucket = buckets.get(resource.split("/")[0]) if action.startswith("s3:") else None
                        found.append((request, Policies(identity, boundary, resource=bucket)))
                key = one(graphs[other], KEY_POLICY, target.name)
                for action in ("kms:Decrypt", "kms:GenerateDataKey", "kms:PutKeyPolicy"):
                    for service in ("s3", "dynamodb", "sns"):
                        context = {
                            "aws:RequestedRegion": names.region,
                            "aws:ResourceTag/department": other,
                            "aws:ResourceTag/environment": "dev",
                            "kms:ViaService": f"{service}.{names.region}.amazonaws.com",
                        }
                        arn = names.arn("kms", "key/00000000-0000-0000-0000-000000000000")
                        request = Request(principal, action, arn, names.account, context)
                        found.append((request, Policies(identity, boundary, resource=key, resource_must_allow=True)))
    return found


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return installed()


def test_agrees_on_every_real_policy(oracle: Oracle, record_property: Callable[[str, object], None]) -> None:
    asked_about = cases()
    decided, _ = compare(oracle, asked_about, "real policies")
    allowed = sum(count for (reason, _), count in decided.items() if reason == "allowed")
    record_property("second opinion on real policies", f"{len(asked_about)} cases, {allowed} allowed, none disputed")
    assert len(asked_about) > 3000
    assert allowed > 200

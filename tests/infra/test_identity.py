"""Roles, who may take them on, and the boundary that all are under."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.components.identity import boundary
from infra.naming import Names
from infra.policy import PolicyTooLong
from infra.spec import Declarations
from stagegate.evaluator import Policies, Policy, Principal, Request, evaluate
from stagegate.graph import capture

ROLES = {
    f"claims-dev-{who}"
    for who in (
        "data-scientist", "ml-engineer", "reviewer", "auditor", "operator", "training", "serving", "pipeline", "ci",
    )
}  # fmt: skip
SAML = {"Federated": "arn:aws:iam::111111111111:saml-provider/acme-sso"}
OIDC = {"Federated": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"}


def test_there_is_a_role_for_each_persona_and_workload_under_the_boundary(dev: Any) -> None:
    assert set(dev.all("iam/role:Role")) == ROLES
    for name in ROLES:
        inputs = dev.inputs("iam/role:Role", name)
        assert (inputs["name"], inputs["maxSessionDuration"]) == (name, 3600)
        assert inputs["permissionsBoundary"] == "aws:iam/policy:Policy::claims-dev::arn"
    assert set(dev.all("iam/policy:Policy")) == {"claims-dev"}
    assert dev.one("iam/policy:Policy", "claims-dev").inputs["name"] == "claims-dev-boundary"


def test_people_come_through_the_identity_provider_with_one_of_their_groups(dev: Any) -> None:
    groups = {"aws:RequestTag/group": ["claims-ds", "claims-ds-guests"]}
    assert dev.policy("iam/role:Role", "claims-dev-data-scientist", "assumeRolePolicy") == {
        "SignIn": {
            "Effect": "Allow",
            "Principal": SAML,
            "Action": "sts:AssumeRoleWithSAML",
            "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml", **groups}},
        },
        "PassGroup": {
            "Effect": "Allow",
            "Principal": SAML,
            "Action": "sts:TagSession",
            "Condition": {"StringEquals": groups, "ForAllValues:StringEquals": {"aws:TagKeys": "group"}},
        },
    }


@pytest.mark.parametrize("workload", ["training", "serving", "pipeline"])
def test_pods_come_from_their_namespace_and_service_account_on_this_cluster(dev: Any, workload: str) -> None:
    assert dev.policy("iam/role:Role", f"claims-dev-{workload}", "assumeRolePolicy") == {
        "PodIdentity": {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {
                    "aws:SourceAccount": "111111111111",
                    "aws:RequestTag/kubernetes-namespace": "claims",
                    "aws:RequestTag/kubernetes-service-account": workload,
                },
                "ArnEquals": {"aws:SourceArn": "arn:aws:eks:eu-west-1:111111111111:cluster/platform-dev"},
            },
        }
    }
    assert dev.inputs("eks/podIdentityAssociation:PodIdentityAssociation", f"claims-dev-{workload}") == {
        "clusterName": "platform-dev",
        "namespace": "claims",
        "serviceAccount": workload,
        "roleArn": f"aws:iam/role:Role::claims-dev-{workload}::arn",
    }


def test_only_pods_have_pod_identities(dev: Any) -> None:
    assert len(dev.all("eks/podIdentityAssociation:PodIdentityAssociation")) == 3


def test_build_jobs_come_from_the_branches_of_models_that_exist_here(dev: Any, prod: Any) -> None:
    def subjects(stack: Any, role: str) -> Any:
        (statement,) = stack.policy("iam/role:Role", role, "assumeRolePolicy").values()
        return statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]

    assert dev.policy("iam/role:Role", "claims-dev-ci", "assumeRolePolicy") == {
        "Builds": {
            "Effect": "Allow",
            "Principal": OIDC,
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                    "token.actions.githubusercontent.com:sub": [
                        "repo:acme/sketch:ref:refs/heads/trunk",
                        "repo:acme/triage:ref:refs/heads/main",
                    ],
                }
            },
        }
    }
    assert subjects(prod, "claims-prod-ci") == "repo:acme/triage:ref:refs/heads/main"


def test_without_a_model_no_build_job_is_trusted(edited: Callable[..., Declarations]) -> None:
    declarations = edited("claims/models/triage.yaml")
    models = dict(declarations.departments["claims"].models)
    declarations.departments["claims"]._models.clear()
    graph = capture(declarations.stack("claims-prod"))
    assert models
    assert {role.name for role in graph.of_type("aws:iam/role:Role")} == {
        role.replace("dev", "prod") for role in ROLES - {"claims-dev-ci"}
    }
    assert not graph.of_type("aws:ecr/repository:Repository")
    assert graph.access is not None
    assert not [grant for grant in graph.access.grants if grant.principal == "ci"]


def test_a_trust_policy_over_its_quota_is_refused_by_name(edited: Callable[..., Declarations]) -> None:
    declarations = edited("claims/models/triage.yaml")
    models = declarations.departments["claims"]._models
    for number in range(60):
        source = models["triage"].source.model_copy(update={"repository": f"acme/model-{number}"})
        models[f"m-{number}"] = models["triage"].model_copy(
            update={"model": f"m-{number}", "image_repository": f"m-{number}", "source": source}
        )
    with pytest.raises(PolicyTooLong, match=r"claims-prod-ci takes \d+ characters; AWS allows 2048"):
        capture(declarations.stack("claims-prod"))


class TestBoundary:
    """Everything is allowed by the role's own policy here: what is refused, the boundary refuses."""

    @pytest.fixture
    def allowed(self, declarations: Declarations) -> Callable[..., bool]:
        stack = declarations.stack("claims-dev")
        limit = Policy("boundary", boundary(stack, Names.of(stack)))
        everything = Policy.of("all", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})  # fmt: skip
        principal = Principal.session("arn:aws:iam::111111111111:role/claims-dev-training", "s")

        def ask(action: str, resource: str, **context: str) -> bool:
            keys = {"aws:RequestedRegion": "eu-west-1"} | {
                key.replace("__", "/").replace("_", ":", 1): value for key, value in context.items()
            }
            request = Request(principal, action, resource, "111111111111", keys)
            return evaluate(request, Policies(identity=(everything,), boundary=limit)).allowed

        return ask

    @pytest.mark.parametrize(
        ("action", "resource"),
        [
            ("s3:GetObject", "arn:aws:s3:::acme-claims-dev-raw/payments/1"),
            ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111111111111:table/claims-dev-claim_history"),
            ("ecr:PutImage", "arn:aws:ecr:eu-west-1:111111111111:repository/claims-dev/triage-server"),
            ("logs:PutLogEvents", "arn:aws:logs:eu-west-1:111111111111:log-group:/stagegate/claims-dev/training:log-stream:x"),
            ("sns:Publish", "arn:aws:sns:eu-west-1:111111111111:claims-dev-on-call"),
            ("ecr:GetAuthorizationToken", "*"),
        ],
    )  # fmt: skip
    def test_allows_what_the_department_has(self, allowed: Callable[..., bool], action: str, resource: str) -> None:
        assert allowed(action, resource)
        assert not allowed(action, resource, aws_RequestedRegion="eu-central-1")
        assert not allowed(action, resource, aws_ResourceTag__department="risk")
        assert allowed(action, resource, aws_ResourceTag__department="claims")

    @pytest.mark.parametrize(
        ("action", "resource"),
        [
            ("s3:GetObject", "arn:aws:s3:::acme-risk-dev-raw/payments/1"),
            ("s3:GetObject", "arn:aws:s3:::acme-claims-dev-rawer/payments/1"),
            ("s3:DeleteObject", "arn:aws:s3:::acme-claims-dev-raw/payments/1"),
            ("s3:PutBucketPolicy", "arn:aws:s3:::acme-claims-dev-raw"),
            ("dynamodb:DeleteTable", "arn:aws:dynamodb:eu-west-1:111111111111:table/claims-dev-claim_history"),
            ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111111111111:table/risk-dev-card_activity"),
            ("iam:PutRolePolicy", "arn:aws:iam::111111111111:role/claims-dev-training"),
            ("iam:DeleteRolePermissionsBoundary", "arn:aws:iam::111111111111:role/claims-dev-training"),
            ("iam:CreatePolicyVersion", "arn:aws:iam::111111111111:policy/claims-dev-boundary"),
            ("iam:PassRole", "arn:aws:iam::111111111111:role/claims-dev-pipeline"),
            ("sts:AssumeRole", "arn:aws:iam::111111111111:role/claims-dev-pipeline"),
            ("organizations:LeaveOrganization", "*"),
            ("account:CloseAccount", "*"),
            ("ec2:RunInstances", "*"),
        ],
    )
    def test_denies_all_else(self, allowed: Callable[..., bool], action: str, resource: str) -> None:
        assert not allowed(action, resource)

    def test_opens_no_key_but_the_departments(self, allowed: Callable[..., bool]) -> None:
        key = "arn:aws:kms:eu-west-1:111111111111:key/1"
        own = {"aws_ResourceTag__department": "claims", "aws_ResourceTag__environment": "dev"}
        assert allowed("kms:Decrypt", key, **own)
        assert not allowed("kms:Decrypt", key)
        assert not allowed("kms:Decrypt", key, **{**own, "aws_ResourceTag__environment": "prod"})
        assert not allowed("kms:PutKeyPolicy", key, **own)
        assert not allowed("kms:CreateGrant", key, **own)

    def test_allows_only_what_some_role_is_granted(self, dev: Any, declarations: Declarations) -> None:
        stack = declarations.stack("claims-dev")
        statements = json.loads(boundary(stack, Names.of(stack)))["Statement"]
        allowed = [s["Action"] for s in statements if s["Effect"] == "Allow"]
        most = {action for some in allowed for action in ([some] if isinstance(some, str) else some)}
        granted = {action for grant in dev.graph.access.grants for action in grant.actions}
        granted |= {action for grant in dev.graph.access.grants if grant.key for action in grant.key.actions}
        assert most == granted

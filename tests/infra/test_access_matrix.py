"""Who may do what, decided by all the policies of a department together. The matrix is written by hand."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra import actions
from infra.access import Grant
from infra.policy import Statement
from infra.spec.types import Persona, Workload
from stagegate.evaluator import Decision, Policies, Policy, Principal, Request, evaluate

PRINCIPALS = (*Persona, *Workload)
READ_OBJECT, LIST, PUT_OBJECT = "s3:GetObject", "s3:ListBucket", "s3:PutObject"
ROW, OFFLINE = "dynamodb:GetItem", "glue:GetPartitions"

ZONES = ("raw", "curated", "features", "models", "logs")
ONE_OF_EACH = {
    **{f"read {zone}": (READ_OBJECT, f"s3:::acme-claims-ENV-{zone}/x") for zone in ZONES},
    **{f"list {zone}": (LIST, f"s3:::acme-claims-ENV-{zone}") for zone in ZONES},
    **{f"put {zone}": (PUT_OBJECT, f"s3:::acme-claims-ENV-{zone}/x") for zone in ZONES},
    **{f"delete {zone}": ("s3:DeleteObject", f"s3:::acme-claims-ENV-{zone}/x") for zone in ZONES},
    "abort upload to models": ("s3:AbortMultipartUpload", "s3:::acme-claims-ENV-models/x"),
    "abort upload to logs": ("s3:AbortMultipartUpload", "s3:::acme-claims-ENV-logs/x"),
    "read offline": (OFFLINE, "glue:AT:table/claims_ENV/claim_history"),
    "write offline": ("glue:CreatePartition", "glue:AT:table/claims_ENV/claim_history"),
    "delete offline": ("glue:DeleteTable", "glue:AT:table/claims_ENV/claim_history"),
    "read online": (ROW, "dynamodb:AT:table/claims-ENV-claim_history"),
    "write online": ("dynamodb:PutItem", "dynamodb:AT:table/claims-ENV-claim_history"),
    "delete online": ("dynamodb:DeleteItem", "dynamodb:AT:table/claims-ENV-claim_history"),
    "sign in to registry": ("ecr:GetAuthorizationToken", "*"),
    "pull": ("ecr:BatchGetImage", "ecr:AT:repository/claims-ENV/triage-server"),
    "push": ("ecr:PutImage", "ecr:AT:repository/claims-ENV/triage-server"),
    "delete image": ("ecr:BatchDeleteImage", "ecr:AT:repository/claims-ENV/triage-server"),
    "view packages": ("sagemaker:DescribeModelPackage", "sagemaker:AT:model-package/claims-ENV-triage/1"),
    "register": ("sagemaker:CreateModelPackage", "sagemaker:AT:model-package/claims-ENV-triage/1"),
    "approve": ("sagemaker:UpdateModelPackage", "sagemaker:AT:model-package/claims-ENV-triage/1"),
    "read logs of a model": ("logs:FilterLogEvents", "logs:AT:log-group:/stagegate/claims-ENV/models/triage:log-stream:"),
    "read logs of training": ("logs:GetLogEvents", "logs:AT:log-group:/stagegate/claims-ENV/training:log-stream:s"),
    "write logs of a model": ("logs:PutLogEvents", "logs:AT:log-group:/stagegate/claims-ENV/models/triage:log-stream:s"),
    "write logs of training": ("logs:PutLogEvents", "logs:AT:log-group:/stagegate/claims-ENV/training:log-stream:s"),
    "write logs of serving": ("logs:PutLogEvents", "logs:AT:log-group:/stagegate/claims-ENV/serving:log-stream:s"),
    "write logs of pipeline": ("logs:PutLogEvents", "logs:AT:log-group:/stagegate/claims-ENV/pipeline:log-stream:s"),
    "publish": ("sns:Publish", "sns:AT:claims-ENV-on-call"),
    "subscribe": ("sns:Subscribe", "sns:AT:claims-ENV-lead"),
    "view dashboard": ("cloudwatch:GetDashboard", "cloudwatch::ACCOUNT:dashboard/claims-ENV-triage"),
    "view metrics": ("cloudwatch:GetMetricData", "*"),
    "silence": ("cloudwatch:DisableAlarmActions", "cloudwatch:AT:alarm:claims-ENV-triage-latency"),
}  # fmt: skip

PULL = {"sign in to registry", "pull"}
VIEW = {"view dashboard", "view metrics"}
ALL_LOGS = {"read logs of a model", "read logs of training"}
EVERYWHERE: dict[str, set[str]] = {
    "data-scientist": {*PULL, "view packages", "read logs of a model", *VIEW},
    "ml-engineer": {
        "read features", "list features", "read models", "list models", *PULL, "view packages", *ALL_LOGS, *VIEW,
    },
    "reviewer": {
        "read models", "list models", *PULL, "view packages", "approve", "read logs of a model", *VIEW,
    },
    "auditor": {
        "list raw", "list curated", "list features", "list models", "list logs", "read logs",
        *ALL_LOGS, "view packages", *VIEW,
    },
    "operator": {*ALL_LOGS, *VIEW, "silence", "subscribe"},
    "training": {
        "read curated", "list curated", "read features", "list features", "read offline",
        "put models", "abort upload to models", "write logs of training",
    },
    "serving": {
        "read models", "list models", "read online", *PULL, "put logs", "write logs of serving", "write logs of a model",
    },
    "pipeline": {
        "read raw", "list raw", "put raw", "read curated", "list curated", "put curated",
        "read features", "list features", "put features", "read offline", "write offline", "write online",
        "view packages", "register", "publish", "write logs of pipeline",
    },
    "ci": {*PULL, "push", "view packages", "register", "read models", "list models"},
}  # fmt: skip
OUTSIDE_PRODUCTION: dict[str, set[str]] = {
    "data-scientist": {
        "read curated", "list curated", "read features", "list features", "read models", "list models",
        "read offline", "read online",
    },
    "ml-engineer": {"read curated", "list curated", "put models", "abort upload to models"},
}  # fmt: skip
# Use of the department's key, by the service that it goes through.
DECRYPT_S3 = {
    "dev": {"data-scientist", "ml-engineer", "reviewer", "auditor", "training", "serving", "pipeline", "ci"},
    "prod": {"ml-engineer", "reviewer", "auditor", "training", "serving", "pipeline", "ci"},
}
ENCRYPT_S3 = {"dev": {"ml-engineer", "training", "serving", "pipeline"}, "prod": {"training", "serving", "pipeline"}}
DECRYPT_ROWS = {"dev": {"data-scientist", "serving", "pipeline"}, "prod": {"serving", "pipeline"}}
ACCOUNTS = {"dev": "111111111111", "prod": "333333333333"}


class Judge:
    """Asks the evaluator under a captured stack's policies."""

    def __init__(self, stack: Any, environment: str) -> None:
        self.stack, self.environment, self.account = stack, environment, ACCOUNTS[environment]
        self.prefix = f"claims-{environment}"
        self.boundary = Policy("boundary", stack.one("iam/policy:Policy", self.prefix).inputs["policy"])
        self.key_policy = Policy("key", stack.one("kms/keyPolicy:KeyPolicy", self.prefix).inputs["policy"])

    def session(self, who: str) -> Principal:
        return Principal.session(f"arn:aws:iam::{self.account}:role/{self.prefix}-{who}", "somebody")

    def identity(self, who: str) -> tuple[Policy, ...]:
        granted = self.stack.all("iam/rolePolicy:RolePolicy").get(f"{self.prefix}-{who}")
        return (Policy("granted", granted.inputs["policy"]),) if granted else ()

    def bucket_policy(self, resource: str) -> Policy | None:
        zone = resource.removeprefix(f"arn:aws:s3:::acme-{self.prefix}-").split("/")[0]
        if not resource.startswith("arn:aws:s3:"):
            return None
        return Policy(
            "bucket", self.stack.one("s3/bucketPolicy:BucketPolicy", f"{self.prefix}-{zone}").inputs["policy"]
        )

    def decide(self, who: str, action: str, resource: str, **context: str) -> Decision:
        where = f"eu-west-1:{self.account}"
        if resource != "*":
            resource = f"arn:aws:{resource}".replace("ENV", self.environment).replace("AT:", f"{where}:")
            resource = resource.replace("ACCOUNT", self.account)
        keys = {"aws:SecureTransport": "true", "aws:RequestedRegion": "eu-west-1", **context}
        request = Request(self.session(who), action, resource, self.account, keys)
        limits = Policies(self.identity(who), self.boundary, resource=self.bucket_policy(resource))
        return evaluate(request, limits)

    def key(self, principal: Principal, action: str, via: str | None, identity: tuple[Policy, ...] = ()) -> bool:
        keys = {
            "aws:RequestedRegion": "eu-west-1",
            "aws:ResourceTag/department": "claims",
            "aws:ResourceTag/environment": self.environment,
        }
        if via:
            keys["kms:ViaService"] = f"{via}.eu-west-1.amazonaws.com"
        request = Request(principal, action, f"arn:aws:kms:eu-west-1:{self.account}:key/1", self.account, keys)
        return evaluate(
            request,
            Policies(identity, None if identity else self.boundary, resource=self.key_policy, resource_must_allow=True),
        ).allowed


@pytest.fixture(params=["dev", "prod"])
def judge(request: pytest.FixtureRequest, stack: Callable[[str], Any]) -> Judge:
    return Judge(stack(f"claims-{request.param}"), request.param)


def expected(who: str, environment: str) -> set[str]:
    return EVERYWHERE[who] | (OUTSIDE_PRODUCTION.get(who, set()) if environment != "prod" else set())


def test_everybody_may_do_exactly_what_the_matrix_says(judge: Judge) -> None:
    may = {
        str(who): {name for name, asked in ONE_OF_EACH.items() if judge.decide(who, *asked).allowed}
        for who in PRINCIPALS
    }
    assert may == {who: expected(who, judge.environment) for who in EVERYWHERE}
    assert len(EVERYWHERE) * len(ONE_OF_EACH) > 400


def test_the_key_opens_for_those_who_may_read_or_write_what_it_encrypts(judge: Judge) -> None:
    def who_may(action: str, via: str | None) -> set[str]:
        return {str(who) for who in PRINCIPALS if judge.key(judge.session(who), action, via)}

    environment = judge.environment
    assert who_may("kms:Decrypt", "s3") == DECRYPT_S3[environment]
    assert who_may("kms:GenerateDataKey", "s3") == ENCRYPT_S3[environment]
    assert who_may("kms:Decrypt", "dynamodb") == DECRYPT_ROWS[environment]
    assert who_may("kms:GenerateDataKey", "sns") == {"pipeline"}
    assert who_may("kms:Decrypt", None) == set()
    assert who_may("kms:Decrypt", "secretsmanager") == set()
    assert who_may("kms:PutKeyPolicy", None) == set()


def test_administrators_manage_the_key_and_cannot_use_it(judge: Judge) -> None:
    everything = Policy.of("admin", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})  # fmt: skip
    admin = Principal.session(f"arn:aws:iam::{judge.account}:role/admin", "somebody")
    root = Principal.root(judge.account)
    for principal, identity in ((admin, (everything,)), (root, ())):
        assert judge.key(principal, "kms:PutKeyPolicy", None, identity)
        assert judge.key(principal, "kms:ScheduleKeyDeletion", None, identity)
        for via in (None, "s3", "dynamodb"):
            assert not judge.key(principal, "kms:Decrypt", via, identity)
            assert not judge.key(principal, "kms:GenerateDataKey", via, identity)
            assert not judge.key(principal, "kms:CreateGrant", via, identity)


def test_nobody_else_reads_or_writes_whatever_his_own_policy_says(judge: Judge) -> None:
    everything = Policy.of("admin", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})  # fmt: skip
    for zone in ZONES:
        thing = f"arn:aws:s3:::acme-{judge.prefix}-{zone}/x"
        policies = Policies((everything,), resource=judge.bucket_policy(thing))
        for action in (READ_OBJECT, "s3:GetObjectVersion", PUT_OBJECT):
            admin = Principal.session(f"arn:aws:iam::{judge.account}:role/admin", "somebody")
            assert not evaluate(Request(admin, action, thing, judge.account), policies).allowed
        stranger = Principal.session("arn:aws:iam::999999999999:role/claims-dev-serving", "somebody")
        assert not evaluate(Request(stranger, LIST, thing.removesuffix("/x"), judge.account), policies).allowed
        assert not evaluate(Request(Principal.anonymous(), READ_OBJECT, thing, judge.account), policies).allowed


@pytest.mark.parametrize(
    ("refused", "context"),
    [
        (True, {"aws:SecureTransport": "false"}),
        (True, {"aws:RequestedRegion": "us-east-1"}),
        (True, {"s3:x-amz-server-side-encryption": "AES256"}),
        # Without a key this means AWS's own.
        (True, {"s3:x-amz-server-side-encryption": "aws:kms"}),
        (True, {"s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:eu-west-1:111111111111:key/other"}),
        (True, {"s3:x-amz-server-side-encryption-customer-algorithm": "AES256"}),
        (False, {}),
    ],
)
def test_uploads_are_made_over_tls_here_and_under_the_departments_key(
    judge: Judge, refused: bool, context: dict[str, str]
) -> None:
    assert judge.decide("training", PUT_OBJECT, "s3:::acme-claims-ENV-models/x", **context).allowed is not refused


def test_who_registers_a_version_cannot_approve_it_on_the_way_in(judge: Judge) -> None:
    package = "sagemaker:AT:model-package/claims-ENV-triage/1"
    for who in ("ci", "pipeline"):
        for status, allowed in (("PendingManualApproval", True), ("Approved", False), ("Rejected", False)):
            context = {"sagemaker:ModelApprovalStatus": status}
            assert judge.decide(who, "sagemaker:CreateModelPackage", package, **context).allowed is allowed


def test_services_use_the_key_for_this_account_alone(judge: Judge) -> None:
    def may(service: str, **context: str) -> bool:
        request = Request(
            Principal.service(service),
            "kms:GenerateDataKey",
            f"arn:aws:kms:eu-west-1:{judge.account}:key/1",
            judge.account,
            context,
        )
        return evaluate(request, Policies(resource=judge.key_policy, resource_must_allow=True)).allowed

    for service in ("cloudwatch.amazonaws.com", "budgets.amazonaws.com"):
        assert may(service, **{"aws:SourceAccount": judge.account})
        assert not may(service, **{"aws:SourceAccount": "999999999999"})
    group = f"arn:aws:logs:eu-west-1:{judge.account}:log-group:/stagegate"
    logs = "kms:EncryptionContext:aws:logs:arn"
    assert may("logs.eu-west-1.amazonaws.com", **{logs: f"{group}/{judge.prefix}/training"})
    assert not may("logs.eu-west-1.amazonaws.com", **{logs: f"{group}/risk-{judge.environment}/training"})
    assert not may("s3.amazonaws.com", **{"aws:SourceAccount": judge.account})


def test_storage_services_may_be_handed_the_key_by_administrators(judge: Judge) -> None:
    statement = judge.stack.policy("kms/keyPolicy:KeyPolicy", judge.prefix)["DelegateToStorageServices"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{judge.account}:root"},
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {
            "Bool": {"kms:GrantIsForAWSResource": "true"},
            "StringEquals": {"kms:ViaService": ["dynamodb.eu-west-1.amazonaws.com", "ecr.eu-west-1.amazonaws.com"]},
        },
    }


def statements(stack: Any) -> Iterator[dict[str, Any]]:
    for policy in stack.all("iam/rolePolicy:RolePolicy").values():
        yield from json.loads(policy.inputs["policy"])["Statement"]


def test_a_star_stands_only_where_aws_has_no_other_form(judge: Judge) -> None:
    starred = [statement for statement in statements(judge.stack) if statement["Resource"] == "*"]
    named = {action for s in starred for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}
    assert named == {"cloudwatch:GetMetricData", "ecr:GetAuthorizationToken"}
    assert all(statement["Effect"] == "Allow" for statement in statements(judge.stack))


def test_a_grant_on_every_resource_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ci read everything: .* on every resource"):
        Grant(Workload.CI, "read", "everything", (Statement(actions.OBJECT_READ, ("*",)),))


def test_a_role_has_its_granted_policy_and_nothing_else(judge: Judge) -> None:
    for who in PRINCIPALS:
        name = f"{judge.prefix}-{who}"
        assert judge.stack.inputs("iam/rolePolicy:RolePolicy", name)["name"] == "granted"
        exclusive = judge.stack.inputs("iam/rolePoliciesExclusive:RolePoliciesExclusive", name)
        assert exclusive == {"roleName": name, "policyNames": ["granted"]}
        attached = judge.stack.inputs("iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive", name)
        assert attached == {"roleName": name, "policyArns": []}
    assert not judge.stack.all("iam/rolePolicyAttachment:RolePolicyAttachment")


def test_grants_that_come_twice_are_rendered_once(judge: Judge) -> None:
    access = judge.stack.graph.access
    before = access.role_policy(Workload.CI)
    grants = list(access.grants)
    access.add([grant for grant in grants if grant.principal is Workload.CI])
    try:
        assert access.role_policy(Workload.CI) == before
        assert access.bucket_policy(grants[0].zone or "models")
    finally:
        access.grants[:] = grants

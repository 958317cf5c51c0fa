"""Names, ARNs and tags of one value object."""

import re

import pytest

from infra.naming import Names, department_names
from infra.spec import Declarations
from infra.spec.types import Persona, Workload, Zone


@pytest.fixture
def names(declarations: Declarations) -> Names:
    return Names.of(declarations.stack("claims-dev"))


def test_names_are_as_documented(names: Names, declarations: Declarations) -> None:
    model = declarations.departments["claims"].models["triage"]
    assert {
        "bucket": names.bucket(Zone.RAW),
        "audit bucket": names.platform.bucket("audit"),
        "key": names.key_alias,
        "role": names.role(Persona.DATA_SCIENTIST),
        "boundary": names.boundary,
        "repository": names.repository(model),
        "packages": names.package_group(model),
        "database": names.catalog_database,
        "online table": names.online_table("claim_history"),
        "log group of a workload": names.workload_log_group(Workload.TRAINING),
        "log group of a model": names.model_log_group(model),
        "topic": names.topic("on-call"),
        "alarm": names.alarm(model, "latency"),
        "dashboard": names.dashboard(),
        "dashboard of a model": names.dashboard(model),
        "cluster": names.cluster,
        "namespace": names.namespace,
    } == {
        "bucket": "acme-claims-dev-raw",
        "audit bucket": "acme-platform-dev-audit",
        "key": "alias/claims-dev",
        "role": "claims-dev-data-scientist",
        "boundary": "claims-dev-boundary",
        "repository": "claims-dev/triage-server",
        "packages": "claims-dev-triage",
        "database": "claims_dev",
        "online table": "claims-dev-claim_history",
        "log group of a workload": "/stagegate/claims-dev/training",
        "log group of a model": "/stagegate/claims-dev/models/triage",
        "topic": "claims-dev-on-call",
        "alarm": "claims-dev-triage-latency",
        "dashboard": "claims-dev",
        "dashboard of a model": "claims-dev-triage",
        "cluster": "platform-dev",
        "namespace": "claims",
    }


def test_arns_carry_region_and_account_where_the_service_has_them(names: Names) -> None:
    assert [
        names.bucket_arn(Zone.RAW),
        names.role_arn(Workload.CI),
        names.boundary_arn,
        names.online_table_arn("claim_history"),
        names.topic_arn("lead"),
        names.cluster_arn,
        names.log_streams_arn("/stagegate/claims-dev/ci"),
        *names.catalog_arns("claim_history"),
        *names.dashboard_arns,
    ] == [
        "arn:aws:s3:::acme-claims-dev-raw",
        "arn:aws:iam::111111111111:role/claims-dev-ci",
        "arn:aws:iam::111111111111:policy/claims-dev-boundary",
        "arn:aws:dynamodb:eu-west-1:111111111111:table/claims-dev-claim_history",
        "arn:aws:sns:eu-west-1:111111111111:claims-dev-lead",
        "arn:aws:eks:eu-west-1:111111111111:cluster/platform-dev",
        "arn:aws:logs:eu-west-1:111111111111:log-group:/stagegate/claims-dev/ci:*",
        "arn:aws:glue:eu-west-1:111111111111:catalog",
        "arn:aws:glue:eu-west-1:111111111111:database/claims_dev",
        "arn:aws:glue:eu-west-1:111111111111:table/claims_dev/claim_history",
        "arn:aws:cloudwatch::111111111111:dashboard/claims-dev",
        "arn:aws:cloudwatch::111111111111:dashboard/claims-dev-*",
    ]


def test_tags_of_a_department_and_of_a_model(names: Names, declarations: Declarations) -> None:
    models = declarations.departments["claims"].models
    common = {
        "organization": "acme",
        "department": "claims",
        "environment": "dev",
        "cost-centre": "CC-7",
        "classification": "restricted",
        "managed-by": "stagegate",
    }
    assert names.tags("x") == {"Name": "x", "owner": "head@acme.example", **common}
    assert names.tags("x", models["triage"]) == {
        "Name": "x",
        "owner": "lead@acme.example",
        "model": "triage",
        **common,
    }
    assert names.tags("x", models["sketch"])["safe-to-fail"] == "claims"


def test_the_platform_has_an_owner_of_its_own(declarations: Declarations) -> None:
    tags = Names.of(declarations.stack("platform-prod")).tags("x")
    assert (tags["department"], tags["owner"], tags["environment"]) == ("platform", "chair@acme.example", "prod")


def test_the_platform_names_a_department_as_it_names_itself(declarations: Declarations) -> None:
    platform = Names.of(declarations.stack("platform-dev"))
    assert department_names(platform, declarations.departments["claims"]) == Names.of(declarations.stack("claims-dev"))


def test_the_longest_declarable_names_fit_what_aws_allows() -> None:
    longest = Names("o" * 20, "d" * 20, "staging", "1" * 12, "eu-central-1", "", "", "")
    assert all(re.fullmatch(r"[a-z0-9-]{3,63}", longest.bucket(zone)) for zone in Zone)
    assert all(len(longest.role(who)) <= 64 for who in (*Persona, *Workload))

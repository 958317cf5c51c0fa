"""Capturing a stack: everything that is registered is kept, what isn't known is refused, and nothing is left behind."""

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from infra import program
from infra.department import Department
from infra.spec import Declarations
from stagegate import graph
from stagegate.graph import UnmockedError, capture


def test_a_capture_is_the_same_every_time(declarations: Declarations) -> None:
    first, second = (capture(declarations.stack("claims-dev")) for _ in range(2))
    assert first.resources == second.resources
    assert first.components == second.components
    assert first.outputs == second.outputs
    assert first.access is not None
    assert second.access is not None
    assert first.access.grants == second.access.grants


def test_one_stack_leaves_nothing_in_the_next(declarations: Declarations) -> None:
    capture(declarations.stack("claims-dev"))
    platform = capture(declarations.stack("platform-prod"))
    assert platform.access is None
    assert all("platform-prod" in urn for urn in platform.resources)


def test_resources_know_parent_provider_and_what_they_depend_on(dev: Any) -> None:
    versioning = dev.one("s3/bucketVersioning:BucketVersioning", "claims-dev-raw")
    bucket = dev.one("s3/bucket:Bucket", "claims-dev-raw")
    assert versioning.property_dependencies["bucket"] == {bucket.urn}
    assert bucket.urn in versioning.dependencies
    assert dev.graph.components[versioning.parent].type == "stagegate:index:Bucket"
    assert "pulumi:providers:aws::claims-dev" in versioning.provider
    assert bucket.tags["department"] == "claims"


def test_outputs_are_there_and_plain(dev: Any, stack: Callable[[str], Any]) -> None:
    assert dev.graph.outputs == {
        "department": "claims",
        "environment": "dev",
        "keyAlias": "alias/claims-dev",
        "catalogDatabase": "claims_dev",
        "dashboard": "claims-dev",
        "namespace": "claims",
    }
    outputs = stack("platform-dev").graph.outputs
    assert outputs["clusterName"] == "platform-dev"
    assert len(outputs["privateSubnetIds"]) == 3


def adding(monkeypatch: pytest.MonkeyPatch, more: Callable[[], object]) -> None:
    def compose(stack: Any) -> Any:
        built = program.compose(stack)
        more()
        return built

    monkeypatch.setattr(graph, "compose", compose)


def test_an_unknown_type_is_refused_by_name(declarations: Declarations, monkeypatch: pytest.MonkeyPatch) -> None:
    adding(monkeypatch, lambda: aws.sqs.Queue("surprise"))
    with pytest.raises(UnmockedError, match="aws:sqs/queue:Queue surprise"):
        capture(declarations.stack("claims-dev"))


def test_a_call_is_refused_by_name(declarations: Declarations, monkeypatch: pytest.MonkeyPatch) -> None:
    adding(monkeypatch, lambda: aws.get_caller_identity())
    with pytest.raises(Exception, match="getCallerIdentity"):
        capture(declarations.stack("claims-dev"))


def test_a_resource_that_comes_twice_is_refused(declarations: Declarations, monkeypatch: pytest.MonkeyPatch) -> None:
    adding(monkeypatch, lambda: [aws.sns.Topic("twice", name=name) for name in "ab"])
    with pytest.raises(Exception, match="twice"):
        capture(declarations.stack("claims-dev"))


def test_what_the_program_raises_comes_out_and_the_next_capture_works(
    declarations: Declarations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Department) -> None:
        raise LookupError("no access today")

    with monkeypatch.context() as patched:
        patched.setattr(Department, "_access", fail)
        with pytest.raises(LookupError, match="no access today"):
            capture(declarations.stack("claims-dev"))
    assert capture(declarations.stack("claims-dev")).resources


def test_the_program_says_what_is_wrong_in_one_message(
    edited: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited("claims/department.yaml")
    file = tmp_path / "claims" / "department.yaml"
    file.write_text(file.read_text().replace("title: Claims\n", "titel: Claims\n"))
    monkeypatch.setattr(pulumi.Config, "get", lambda self, key: str(tmp_path))
    monkeypatch.setattr(pulumi, "get_stack", lambda: "claims-dev")
    with pytest.raises(pulumi.RunError, match="titel") as raised:
        program.build()
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    file.write_text(file.read_text().replace("titel", "title"))
    monkeypatch.setattr(pulumi, "get_stack", lambda: "elsewhere-dev")
    with pytest.raises(pulumi.RunError, match="no stack elsewhere-dev is declared; there are platform-dev, claims-dev"):
        program.build()

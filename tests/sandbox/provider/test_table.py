"""The table of resource types keeps to pulumi_aws, and reads back what it wrote."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox.home import Home
from sandbox.provider import recorded_types, values
from sandbox.provider.intents import Intents
from sandbox.provider.kinds import reconcile, same
from sandbox.provider.schema import UnknownType, convert, schema
from sandbox.provider.server import PROVIDER_ONLY, Provider
from sandbox.provider.table import KINDS
from stagegate.graph import COMPUTED

# moto keeps no subscribers of a budget's notifications.
NOT_GIVEN_BACK = {("aws:budgets/budget:Budget", "notifications")}
BUCKET = "aws:s3/bucket:Bucket"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"


def test_every_type_of_the_program_is_in_the_table() -> None:
    assert {token for token in COMPUTED if token.startswith("aws:")} <= set(KINDS)


@pytest.mark.parametrize("token", KINDS)
def test_every_property_is_one_of_pulumi_aws(token: str) -> None:
    kind, known = KINDS[token], schema(token)
    assert set(kind.replaces) <= set(known.inputs)
    assert set(kind.outputs) <= known.outputs
    assert not kind.name or kind.name in known.inputs


def test_what_is_only_recorded_is_listed() -> None:
    assert recorded_types() == sorted(token for token, kind in KINDS.items() if kind.recorded)
    assert "aws:eks/podIdentityAssociation:PodIdentityAssociation" in recorded_types()


@pytest.mark.parametrize(
    ("token", "inputs", "path", "says"),
    [
        (BUCKET, {"buckett": "a"}, "buckett", "has no property buckett; it has accelerationStatus"),
        (BUCKET, {"forceDestroy": "maybe"}, "forceDestroy", "expected true or false, found 'maybe'"),
        (BUCKET, {"tags": ["a"]}, "tags", "expected a map, found ['a']"),
        (BUCKET, {"tags": {"a": {"b": 1}}}, "tags.a", "expected a string"),
        (LIFECYCLE, {"bucket": "b", "rules": "all"}, "rules", "expected a list"),
        (LIFECYCLE, {"bucket": "b", "rules": [{"id": "a"}]}, "rules[0].status", "needs the property status"),
        (LIFECYCLE, {"bucket": "b", "rules": [{"id": "a", "status": "Enabled", "colour": 1}]}, "rules[0].colour", "has no property"),
        (LIFECYCLE, {"bucket": "b", "rules": [{"id": "a", "status": "Enabled", "expiration": {"days": 1.5}}]}, "rules[0].expiration.days", "expected a whole number"),
        (LIFECYCLE, {"rules": []}, "bucket", "needs the property bucket"),
    ],
)  # fmt: skip
def test_a_wrong_property_is_named(token: str, inputs: dict[str, Any], path: str, says: str) -> None:
    _, failures = convert(token, inputs)
    assert any(found == path and says in message for found, message in failures), failures


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(UnknownType, match="aws:s3/bucket:Pail"):
        schema("aws:s3/bucket:Pail")


def test_all_mistakes_come_at_once() -> None:
    _, failures = convert(LIFECYCLE, {"rules": [{"id": 1, "colour": 1}], "x": 1})
    assert {path for path, _ in failures} >= {"x", "bucket", "rules[0].colour", "rules[0].status"}


def test_sameness_looks_through_writing() -> None:
    assert same('{"a": [1, 2]}', '{"a":[2,1]}')
    assert same({"a": "true"}, {"a": "true"})
    assert same(None, {})
    assert same([{"b": 1}, {"a": 2.0}], [{"a": 2}, {"b": 1}])
    assert not same('{"a": [1, 2]}', '{"a":[1,3]}')
    assert not same({"a": 1}, {"a": 1, "b": 2})


def test_reconciling_keeps_the_writing_and_shows_the_difference() -> None:
    declared = {"rules": [{"id": "a", "days": 30}]}
    assert reconcile(declared, {"rules": [{"id": "a", "days": 30, "default": True}]}) == declared
    assert reconcile(declared, {"rules": [{"id": "a", "days": 7}]}) == {"rules": [{"id": "a", "days": 7}]}
    assert reconcile(declared, {"rules": []}) == {"rules": []}


class Aborted(Exception):
    pass


class Context:
    def abort(self, code: object, message: str) -> None:
        raise Aborted(message)


def resources(pulumi: Callable[..., Any], stack: str) -> list[dict[str, Any]]:
    deployment = json.loads(pulumi("stack", "export", "--stack", stack).stdout)["deployment"]
    return [r for r in deployment["resources"] if r["type"] in KINDS]


@pytest.fixture
def provider(
    departments: Home, sandbox_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Provider:
    for name, value in sandbox_env.items():
        if name.startswith(("AWS_", "STAGEGATE_")):
            monkeypatch.setenv(name, value)
    served = Provider(Intents(tmp_path / "creating"))
    arguments = values.dump({"region": "eu-central-1", "allowedAccountIds": json.dumps(["111111111111"])})
    served.Configure(provider_pb2.ConfigureRequest(args=arguments), Context())
    return served


@pytest.mark.xdist_group("departments")
@pytest.mark.parametrize("stack", ["platform-dev", "risk-dev"])
def test_what_is_imported_by_id_is_what_was_declared(
    provider: Provider, pulumi: Callable[..., Any], stack: str
) -> None:
    """Read with nothing but the id gives inputs that differ in nothing from the program's."""
    compared = 0
    for resource in resources(pulumi, stack):
        request = provider_pb2.ReadRequest(id=resource["id"], urn=resource["urn"])
        read = values.load(provider.Read(request, Context()).inputs)
        declared = {name: value for name, value in resource["inputs"].items() if not name.startswith("__")}
        for name, value in declared.items():
            if name in read and name not in PROVIDER_ONLY and (resource["type"], name) not in NOT_GIVEN_BACK:
                assert same(reconcile(value, read[name]), value), (resource["urn"], name, value, read[name])
                compared += 1
    assert compared > 200


@pytest.mark.xdist_group("departments")
def test_a_resource_that_is_gone_reads_as_gone(provider: Provider, pulumi: Callable[..., Any]) -> None:
    for resource in resources(pulumi, "risk-dev"):
        kind = KINDS[resource["type"]]
        if kind.name and not kind.recorded and resource["type"] != "aws:iam/rolePolicy:RolePolicy":
            nobody = resource["id"][:-4] + "zzzz"
            found = provider.Read(provider_pb2.ReadRequest(id=nobody, urn=resource["urn"]), Context())
            assert found.id == "", resource["type"]


@pytest.mark.xdist_group("departments")
def test_what_somebody_else_made_is_not_taken_over(provider: Provider) -> None:
    """A name that is taken is an error that names type and resource, not an adoption."""
    urn = "urn:pulumi:risk-dev::stagegate::aws:s3/bucket:Bucket::another"
    request = provider_pb2.CreateRequest(urn=urn, properties=values.dump({"bucket": "northwind-risk-dev-raw"}))
    with pytest.raises(Aborted, match=r"aws:s3/bucket:Bucket urn:pulumi:.*Bucket"):
        provider.Create(request, Context())


@pytest.mark.xdist_group("departments")
def test_a_lost_creation_is_adopted_and_a_known_one_is_not(provider: Provider, tmp_path: Path) -> None:
    """The engine lost the answer: the same key comes back. It has the key: another is made, as for a replacement."""
    urn = "urn:pulumi:risk-dev::stagegate::aws:kms/key:Key::lost"
    properties = values.dump({"description": "lost", "tagsAll": {"Name": "lost", "case": tmp_path.name}})
    create = provider_pb2.CreateRequest(urn=urn, properties=properties)
    first = provider.Create(create, Context()).id
    # A provider that starts after a crash: the intent is there, the engine has never asked about the key.
    provider.intents = Intents(provider.intents.folder)
    assert provider.Create(create, Context()).id == first
    provider.intents = Intents(provider.intents.folder)
    provider.intents._write(provider.intents._file(urn), {"urn": urn})
    assert provider.Create(create, Context()).id == first
    second = provider.Create(create, Context()).id
    assert second != first
    for id in (first, second):
        provider.Delete(provider_pb2.DeleteRequest(urn=urn, id=id, properties=properties), Context())
        provider.Delete(provider_pb2.DeleteRequest(urn=urn, id=id, properties=properties), Context())

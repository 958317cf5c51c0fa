"""The server as a client sees it: who is let in, how refusals read, and what survives."""

import json
import re
import ssl
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import REGION, Server

TRUSTS_NOBODY = '{"Version":"2012-10-17","Statement":[]}'
READS: dict[str, Callable[[Any], object]] = {
    "s3": lambda c: c.list_buckets(),
    "sts": lambda c: c.get_caller_identity(),
    "iam": lambda c: c.list_roles(),
    "ec2": lambda c: c.describe_vpcs(),
    "dynamodb": lambda c: c.list_tables(),
    "cloudwatch": lambda c: c.list_metrics(),
    "eks": lambda c: c.list_clusters(),
    "sns": lambda c: c.list_topics(),
}


def client(server: Server, service: str, key: str, secret: str) -> Any:
    return boto3.Session(key, secret, region_name=REGION).client(
        service,
        endpoint_url=f"https://127.0.0.1:{server.ports['https']}",
        verify=str(server.home.aws / "ca.pem"),
        config=Config(retries={"total_max_attempts": 1}),
    )


def code(run: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        run()
    return str(caught.value.response["Error"]["Code"])


def with_user(server: Server) -> tuple[str, str]:
    """A user who may do nothing."""
    iam = server.root().client("iam")
    name = f"nobody-{len(iam.list_users()['Users'])}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


@pytest.mark.parametrize("service", READS)
def test_a_wrong_secret_or_key_is_refused_in_every_protocol(server: Server, service: str) -> None:
    root = server.root()
    READS[service](root.client(service))
    assert code(lambda: READS[service](client(server, service, root.key, "wrong"))) == "SignatureDoesNotMatch"
    assert (
        code(lambda: READS[service](client(server, service, "AKIA" + "X" * 16, root.secret))) == "InvalidClientTokenId"
    )


@pytest.mark.parametrize("service", sorted(READS.keys() - {"sts"}))
def test_who_may_do_nothing_is_told_so_in_every_protocol(server: Server, service: str) -> None:
    key, secret = with_user(server)
    with pytest.raises(ClientError) as caught:
        READS[service](client(server, service, key, secret))
    error = caught.value.response["Error"]
    assert error["Code"] in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
    assert re.search(r"arn:aws:iam::111111111111:user/nobody-\d+ is not authorized to perform", error["Message"])


def test_decisions_are_written_down_without_secrets(server: Server) -> None:
    key, secret = with_user(server)
    with pytest.raises(ClientError):
        client(server, "dynamodb", key, secret).list_tables()
    last = json.loads((server.home.aws / "decisions.jsonl").read_text().splitlines()[-1])
    assert last["principal"].startswith("arn:aws:iam::111111111111:user/nobody-")
    assert (last["action"], last["allowed"]) == ("dynamodb:ListTables", False)
    assert last["because"].startswith("implicit deny")
    assert secret not in (server.home.aws / "decisions.jsonl").read_text()


def test_the_root_of_an_account_takes_on_no_role(server: Server) -> None:
    iam = server.root().client("iam")
    iam.create_role(RoleName="trusting", AssumeRolePolicyDocument=TRUSTS_NOBODY)
    sts = server.root().client("sts")
    arn = "arn:aws:iam::111111111111:role/trusting"
    with pytest.raises(ClientError, match="Roles may not be assumed by root accounts"):
        sts.assume_role(RoleArn=arn, RoleSessionName="root")


def test_a_presigned_address_works_until_it_is_changed(server: Server) -> None:
    s3 = server.root().client("s3")
    s3.create_bucket(Bucket="presigned", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="presigned", Key="a", Body=b"1")
    s3.put_object(Bucket="presigned", Key="b", Body=b"2")
    trusted = ssl.create_default_context(cafile=str(server.home.aws / "ca.pem"))
    address = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "a"})
    assert urlopen(address, context=trusted).read() == b"1"
    with pytest.raises(HTTPError, match="403"):
        urlopen(address.replace("presigned/a", "presigned/b"), context=trusted)


def test_accounts_see_nothing_of_each_other(server: Server) -> None:
    server.root().client("dynamodb").create_table(
        TableName="ours",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert server.root("222222222222").client("dynamodb").list_tables()["TableNames"] == []


def test_a_body_that_was_changed_on_the_way_is_refused(server: Server) -> None:
    s3 = server.root().client("s3", secure=False)

    def change(request: Any, **_: Any) -> None:
        request.body = b"2"

    s3.meta.events.register("before-send.s3.PutObject", change)
    with pytest.raises(ClientError):
        s3.put_object(Bucket="presigned", Key="c", Body=b"1")


def seen(server: Server) -> dict[str, Any]:
    """Ids, secrets and contents that would differ if anything were made anew."""
    root = server.root()
    s3, iam, ec2, kms = (root.client(service) for service in ("s3", "iam", "ec2", "kms"))
    key = kms.list_keys()["Keys"][0]["KeyId"]
    return {
        "object": s3.get_object(Bucket="kept-bucket", Key="ü/1")["Body"].read(),
        "version": s3.list_object_versions(Bucket="kept-bucket")["Versions"][0]["VersionId"],
        "role": iam.get_role(RoleName="kept")["Role"]["RoleId"],
        "vpcs": sorted(vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]),
        "key": key,
        "arn": kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"],
    }


def test_everything_is_there_again_after_a_kill(own_server: Server) -> None:
    """Ids, objects, keys and what they encrypted, and users' keys; a last line that was cut off is forgotten."""
    root = own_server.root()
    s3, kms = root.client("s3"), root.client("kms")
    s3.create_bucket(Bucket="kept-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="kept-bucket", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="kept-bucket", Key="ü/1", Body=b"kept")
    root.client("iam").create_role(RoleName="kept", AssumeRolePolicyDocument=TRUSTS_NOBODY)
    root.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"sealed")["CiphertextBlob"]
    user = with_user(own_server)
    before = seen(own_server)
    ports = own_server.ports
    own_server.kill()
    with (own_server.home.aws / "journal.jsonl").open("a") as journal:
        journal.write('{"n": 99, "t": 1')
    own_server.start()
    assert seen(own_server) == before
    assert (own_server.ports["https"], own_server.ports["http"]) == (ports["https"], ports["http"])
    assert own_server.root().client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"sealed"
    assert client(own_server, "sts", *user).get_caller_identity()["Arn"].endswith("user/nobody-0")
    assert own_server.stop() == 0
    own_server.start()
    assert seen(own_server) == before


def test_a_sandbox_shares_no_keys_with_another(own_server: Server, server: Server) -> None:
    ids = {own.root().client("kms").create_key()["KeyMetadata"]["KeyId"] for own in (own_server, server)}
    assert len(ids) == 2
    assert own_server.root().secret != server.root().secret

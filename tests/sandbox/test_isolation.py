"""Least privilege, shown by attempts: every role tries every action on everything of two departments.

What may succeed is written here by hand, from the organisation's rules, not computed from the program.
"""

import base64
import json
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from infra.naming import Names
from infra.spec import StackDeclaration, load
from infra.spec.types import Persona, Workload, Zone
from sandbox import actors
from sandbox.actors import Actor
from sandbox.home import REPOSITORY, Home

pytestmark = pytest.mark.xdist_group("departments")

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationErrorException"}
DEPARTMENTS = ("risk", "marketing")
OBJECT = "card/part-0.parquet"
STREAM = "first"

LIST = {"list"}
READ = {"list", "get"}
PUT = {"put"}
ROW_READ = {"get item", "batch get", "query", "describe table"}
ROW_WRITE = {"put item", "update item", "describe table"}
TABLE_READ = {"get table", "get partitions"}
TABLE_WRITE = TABLE_READ | {"create partition"}
PULL = {"get image", "describe images"}
PUSH = PULL | {"put image", "start upload"}
VIEW = {"describe group", "list packages"}
REGISTER = VIEW | {"register"}
APPROVE = VIEW | {"approve"}
LOG_READ = {"get events", "filter events", "list streams"}
LOG_WRITE = {"put events"}

# Who may do what in their own department, in dev. All else, and everything in the other department, is refused.
ALLOWED: dict[str, dict[str, set[str]]] = {
    "data-scientist": {
        "zone curated": READ,
        "zone features": READ,
        "zone models": READ,
        "online": ROW_READ,
        "offline": TABLE_READ,
        "images": PULL,
        "packages": VIEW,
        "log models": LOG_READ,
        "dashboard": {"get dashboard"},
    },
    "ml-engineer": {
        "zone curated": READ,
        "zone features": READ,
        "zone models": READ | PUT,
        "images": PULL,
        "packages": VIEW,
        "log models": LOG_READ,
        "log training": LOG_READ,
        "log serving": LOG_READ,
        "log pipeline": LOG_READ,
        "dashboard": {"get dashboard"},
    },
    "reviewer": {
        "zone models": READ,
        "images": PULL,
        "packages": APPROVE,
        "log models": LOG_READ,
        "dashboard": {"get dashboard"},
    },
    "auditor": {
        "zone raw": LIST,
        "zone curated": LIST,
        "zone features": LIST,
        "zone models": LIST,
        "zone logs": READ,
        "packages": VIEW,
        "log models": LOG_READ,
        "log training": LOG_READ,
        "log serving": LOG_READ,
        "log pipeline": LOG_READ,
        "dashboard": {"get dashboard"},
    },
    "operator": {
        "topic": {"subscribe"},
        "alarm": {"describe alarm", "disable alarm", "enable alarm"},
        "log models": LOG_READ,
        "log training": LOG_READ,
        "log serving": LOG_READ,
        "log pipeline": LOG_READ,
        "dashboard": {"get dashboard"},
    },
    "training": {
        "zone curated": READ,
        "zone features": READ,
        "zone models": PUT,
        "offline": TABLE_READ,
        "log training": LOG_WRITE,
    },
    "pipeline": {
        "zone raw": READ | PUT,
        "zone curated": READ | PUT,
        "zone features": READ | PUT,
        "offline": TABLE_WRITE,
        "online": ROW_WRITE,
        "packages": REGISTER,
        "topic": {"publish"},
        "log pipeline": LOG_WRITE,
    },
    "serving": {
        "zone models": READ,
        "zone logs": PUT,
        "online": ROW_READ,
        "images": PULL,
        "log serving": LOG_WRITE,
        "log models": LOG_WRITE,
    },
    "ci": {
        "zone models": READ,
        "images": PUSH,
        "packages": REGISTER,
    },
}


@dataclass(frozen=True)
class Attempt:
    """One action on one resource; `target` is its row in `ALLOWED`."""

    department: str
    target: str
    resource: str
    action: str
    run: Callable[[Callable[[str], Any]], object]


def account_policy(resource: str) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def zone_attempts(names: Names) -> Iterator[tuple[str, str, str, Callable[..., object]]]:
    for zone in Zone:
        bucket = names.bucket(zone)
        target = f"zone {zone}"
        actions: dict[str, Callable[..., object]] = {
            "list": lambda c, b=bucket: c("s3").list_objects_v2(Bucket=b),
            "get": lambda c, b=bucket: c("s3").get_object(Bucket=b, Key=OBJECT)["Body"].read(),
            "put": lambda c, b=bucket: c("s3").put_object(Bucket=b, Key=OBJECT, Body=b"1"),
            "delete": lambda c, b=bucket: c("s3").delete_object(Bucket=b, Key=OBJECT),
            "delete many": lambda c, b=bucket: c("s3").delete_objects(Bucket=b, Delete={"Objects": [{"Key": OBJECT}]}),
            "list versions": lambda c, b=bucket: c("s3").list_object_versions(Bucket=b),
            "tag": lambda c, b=bucket: c("s3").put_object_tagging(Bucket=b, Key=OBJECT, Tagging={"TagSet": []}),
            "get policy": lambda c, b=bucket: c("s3").get_bucket_policy(Bucket=b),
            "put policy": lambda c, b=bucket: c("s3").put_bucket_policy(Bucket=b, Policy=account_policy(b)),
            "delete policy": lambda c, b=bucket: c("s3").delete_bucket_policy(Bucket=b),
            "unencrypt": lambda c, b=bucket: c("s3").delete_bucket_encryption(Bucket=b),
            "unblock": lambda c, b=bucket: c("s3").delete_public_access_block(Bucket=b),
            "stop logging": lambda c, b=bucket: c("s3").put_bucket_logging(Bucket=b, BucketLoggingStatus={}),
            "stop versions": lambda c, b=bucket: c("s3").put_bucket_versioning(
                Bucket=b, VersioningConfiguration={"Status": "Suspended"}
            ),
            "delete bucket": lambda c, b=bucket: c("s3").delete_bucket(Bucket=b),
        }
        for action, run in actions.items():
            yield target, bucket, action, run


def feature_attempts(names: Names, stack: StackDeclaration) -> Iterator[tuple[str, str, str, Callable[..., object]]]:
    assert stack.department is not None
    for features in stack.department.features.values():
        table, database, key = names.online_table(features.name), names.catalog_database, features.entity
        row = {key: {"S": "1"}}
        online: dict[str, Callable[..., object]] = {
            "get item": lambda c, t=table, r=row: c("dynamodb").get_item(TableName=t, Key=r),
            "batch get": lambda c, t=table, r=row: c("dynamodb").batch_get_item(RequestItems={t: {"Keys": [r]}}),
            "query": lambda c, t=table, k=key: c("dynamodb").query(
                TableName=t, KeyConditionExpression=f"{k} = :k", ExpressionAttributeValues={":k": {"S": "1"}}
            ),
            "scan": lambda c, t=table: c("dynamodb").scan(TableName=t),
            "describe table": lambda c, t=table: c("dynamodb").describe_table(TableName=t),
            "put item": lambda c, t=table, r=row: c("dynamodb").put_item(TableName=t, Item=r),
            "update item": lambda c, t=table, r=row: c("dynamodb").update_item(
                TableName=t, Key=r, UpdateExpression="SET a = :a", ExpressionAttributeValues={":a": {"N": "1"}}
            ),
            "batch write": lambda c, t=table, r=row: c("dynamodb").batch_write_item(
                RequestItems={t: [{"PutRequest": {"Item": r}}]}
            ),
            "delete item": lambda c, t=table, r=row: c("dynamodb").delete_item(TableName=t, Key=r),
            "stop backups": lambda c, t=table: c("dynamodb").update_continuous_backups(
                TableName=t, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
            ),
            "delete table": lambda c, t=table: c("dynamodb").delete_table(TableName=t),
        }
        for action, run in online.items():
            yield "online", table, action, run
        where = {"DatabaseName": database, "TableName": features.name}
        partition = {"Values": ["2026-01-01"], "StorageDescriptor": {"Location": "s3://nowhere/"}}
        offline: dict[str, Callable[..., object]] = {
            "get table": lambda c, d=database, n=features.name: c("glue").get_table(DatabaseName=d, Name=n),
            "get partitions": lambda c, w=where: c("glue").get_partitions(**w),
            "create partition": lambda c, w=where, p=partition: c("glue").batch_create_partition(
                **w, PartitionInputList=[p]
            ),
            "delete partition": lambda c, w=where: c("glue").delete_partition(**w, PartitionValues=["2026-01-01"]),
            "update table": lambda c, d=database, n=features.name: c("glue").update_table(
                DatabaseName=d, TableInput={"Name": n}
            ),
            "drop table": lambda c, d=database, n=features.name: c("glue").delete_table(DatabaseName=d, Name=n),
        }
        for action, run in offline.items():
            yield "offline", f"{database}.{features.name}", action, run


def model_attempts(names: Names, stack: StackDeclaration) -> Iterator[tuple[str, str, str, Callable[..., object]]]:
    for model in stack.models.values():
        repository, group = names.repository(model), names.package_group(model)
        package = names.arn("sagemaker", f"model-package/{group}/1")
        images: dict[str, Callable[..., object]] = {
            "get image": lambda c, r=repository: c("ecr").batch_get_image(
                repositoryName=r, imageIds=[{"imageTag": "v1"}]
            ),
            "describe images": lambda c, r=repository: c("ecr").describe_images(repositoryName=r),
            "put image": lambda c, r=repository: put_image(c("ecr"), r),
            "start upload": lambda c, r=repository: start_upload(c("ecr"), r),
            "delete image": lambda c, r=repository: c("ecr").batch_delete_image(
                repositoryName=r, imageIds=[{"imageTag": "v1"}]
            ),
            "make mutable": lambda c, r=repository: c("ecr").put_image_tag_mutability(
                repositoryName=r, imageTagMutability="MUTABLE"
            ),
            "open": lambda c, r=repository: c("ecr").set_repository_policy(
                repositoryName=r, policyText=account_policy("*")
            ),
            "delete repository": lambda c, r=repository: c("ecr").delete_repository(repositoryName=r, force=True),
        }
        for action, run in images.items():
            yield "images", repository, action, run
        packages: dict[str, Callable[..., object]] = {
            "describe group": lambda c, g=group: c("sagemaker").describe_model_package_group(ModelPackageGroupName=g),
            "list packages": lambda c, g=group: c("sagemaker").list_model_packages(ModelPackageGroupName=g),
            "register": lambda c, g=group: c("sagemaker").create_model_package(ModelPackageGroupName=g),
            "approve": lambda c, p=package: c("sagemaker").update_model_package(
                ModelPackageArn=p, ModelApprovalStatus="Approved"
            ),
            "delete group": lambda c, g=group: c("sagemaker").delete_model_package_group(ModelPackageGroupName=g),
        }
        for action, run in packages.items():
            yield "packages", group, action, run
        dashboard = names.dashboard(model)
        yield (
            "dashboard",
            dashboard,
            "get dashboard",
            lambda c, d=dashboard: c("cloudwatch").get_dashboard(DashboardName=d),
        )
        yield (
            "dashboard",
            dashboard,
            "put dashboard",
            lambda c, d=dashboard: c("cloudwatch").put_dashboard(DashboardName=d, DashboardBody="{}"),
        )
        yield (
            "dashboard",
            dashboard,
            "delete dashboard",
            lambda c, d=dashboard: c("cloudwatch").delete_dashboards(DashboardNames=[d]),
        )
        if model.slos:
            alarm = names.alarm(model, "latency")
            alarms: dict[str, Callable[..., object]] = {
                "describe alarm": lambda c, a=alarm: c("cloudwatch").describe_alarms(AlarmNames=[a]),
                "disable alarm": lambda c, a=alarm: c("cloudwatch").disable_alarm_actions(AlarmNames=[a]),
                "enable alarm": lambda c, a=alarm: c("cloudwatch").enable_alarm_actions(AlarmNames=[a]),
                "force alarm": lambda c, a=alarm: c("cloudwatch").set_alarm_state(
                    AlarmName=a, StateValue="OK", StateReason="-"
                ),
                "delete alarm": lambda c, a=alarm: c("cloudwatch").delete_alarms(AlarmNames=[a]),
            }
            for action, run in alarms.items():
                yield "alarm", alarm, action, run


def watching_attempts(names: Names, stack: StackDeclaration) -> Iterator[tuple[str, str, str, Callable[..., object]]]:
    groups = {
        f"log {w}": [names.workload_log_group(w)] for w in (Workload.TRAINING, Workload.SERVING, Workload.PIPELINE)
    }
    groups["log models"] = [names.model_log_group(model) for model in stack.models.values()]
    for target, members in groups.items():
        for group in members:
            where = {"logGroupName": group, "logStreamName": STREAM}
            logs: dict[str, Callable[..., object]] = {
                "get events": lambda c, w=where: c("logs").get_log_events(**w),
                "filter events": lambda c, g=group: c("logs").filter_log_events(logGroupName=g),
                "list streams": lambda c, g=group: c("logs").describe_log_streams(logGroupName=g),
                "put events": lambda c, w=where: c("logs").put_log_events(
                    **w, logEvents=[{"timestamp": 1_790_000_000_000, "message": "-"}]
                ),
                "delete stream": lambda c, w=where: c("logs").delete_log_stream(**w),
                "shorten": lambda c, g=group: c("logs").put_retention_policy(logGroupName=g, retentionInDays=1),
                "delete group": lambda c, g=group: c("logs").delete_log_group(logGroupName=g),
            }
            for action, run in logs.items():
                yield target, group, action, run
    assert stack.department is not None
    for level in stack.department.escalation:
        topic = names.topic_arn(level.level)
        topics: dict[str, Callable[..., object]] = {
            "publish": lambda c, t=topic: c("sns").publish(TopicArn=t, Message="-"),
            "subscribe": lambda c, t=topic: c("sns").subscribe(
                TopicArn=t, Protocol="email", Endpoint="somebody@northwind.example"
            ),
            "open": lambda c, t=topic: c("sns").set_topic_attributes(
                TopicArn=t, AttributeName="Policy", AttributeValue=account_policy(t)
            ),
            "delete topic": lambda c, t=topic: c("sns").delete_topic(TopicArn=t),
        }
        for action, run in topics.items():
            yield "topic", topic, action, run
    key = names.key_alias
    keys: dict[str, Callable[..., object]] = {
        "encrypt": lambda c: c("kms").encrypt(KeyId=key, Plaintext=b"1"),
        "data key": lambda c: c("kms").generate_data_key(KeyId=key, KeySpec="AES_256"),
        "describe key": lambda c: c("kms").describe_key(KeyId=key),
        "stop rotation": lambda c: c("kms").disable_key_rotation(KeyId=key),
        "open": lambda c: c("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=account_policy("*")),
        "delete key": lambda c: c("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7),
    }
    for action, run in keys.items():
        yield "key", key, action, run


def put_image(ecr: Any, repository: str) -> None:
    try:
        ecr.put_image(repositoryName=repository, imageManifest=MANIFEST, imageTag="v1")
    except ClientError as error:
        # The tag is taken and can't be moved: the push itself was allowed.
        if error.response["Error"]["Code"] not in ("ImageAlreadyExistsException", "ImageTagAlreadyExistsException"):
            raise


def start_upload(ecr: Any, repository: str) -> None:
    try:
        ecr.initiate_layer_upload(repositoryName=repository)
    except ClientError as error:
        # moto has no layer uploads: to get as far as that is to be allowed.
        if error.response["Error"]["Code"] in DENIED:
            raise


MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 1,
            "digest": "sha256:" + "0" * 64,
        },
        "layers": [],
    }
)


@dataclass(frozen=True)
class Stage:
    """The departments with everybody's sessions."""

    home: Home
    stacks: dict[str, StackDeclaration]
    people: dict[tuple[str, str], Actor]

    def names(self, department: str) -> Names:
        return Names.of(self.stacks[department])


@pytest.fixture(scope="module")
def stage(departments: Home) -> Stage:
    declarations = load(REPOSITORY / "stacks")
    stacks = {department: declarations.stack(f"{department}-dev") for department in DEPARTMENTS}
    people: dict[tuple[str, str], Actor] = {}
    for department, stack in stacks.items():
        people |= {(department, str(who)): actors.persona(departments, stack, who) for who in Persona}
        people |= {(department, str(who)): actors.workload(departments, stack, who) for who in Workload}
    built = Stage(departments, stacks, people)
    for department in DEPARTMENTS:
        furnish(built, department)
    return built


def furnish(stage: Stage, department: str) -> None:
    """What reading needs to find, put there by the roles that may."""
    names, stack = stage.names(department), stage.stacks[department]
    writers = {
        Zone.RAW: "pipeline",
        Zone.CURATED: "pipeline",
        Zone.FEATURES: "pipeline",
        Zone.MODELS: "training",
        Zone.LOGS: "serving",
    }
    for zone, writer in writers.items():
        s3 = stage.people[department, writer].client("s3")
        s3.put_object(Bucket=names.bucket(zone), Key=OBJECT, Body=b"1")
    pipeline, ci = stage.people[department, "pipeline"], stage.people[department, "ci"]
    for model in stack.models.values():
        pipeline.client("sagemaker").create_model_package(ModelPackageGroupName=names.package_group(model))
        put_image(ci.client("ecr"), names.repository(model))
        logs = stage.people[department, "serving"].client("logs")
        logs.create_log_stream(logGroupName=names.model_log_group(model), logStreamName=STREAM)
    for workload in (Workload.TRAINING, Workload.SERVING, Workload.PIPELINE):
        logs = stage.people[department, str(workload)].client("logs")
        logs.create_log_stream(logGroupName=names.workload_log_group(workload), logStreamName=STREAM)


def attempts(stage: Stage) -> list[Attempt]:
    found = []
    for department in DEPARTMENTS:
        names, stack = stage.names(department), stage.stacks[department]
        for source in (
            zone_attempts(names),
            feature_attempts(names, stack),
            model_attempts(names, stack),
            watching_attempts(names, stack),
        ):
            found += [Attempt(department, target, resource, action, run) for target, resource, action, run in source]
    return found


def outcome(attempt: Attempt, client: Callable[[str], Any]) -> str:
    try:
        attempt.run(client)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return "denied" if code in DENIED else f"failed with {error}"
    return "allowed"


def clients(actor: Actor) -> Callable[[str], Any]:
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = actor.client(service)
        return made[service]

    return client


def test_everybody_tries_everything(stage: Stage, record_property: Callable[[str, object], None]) -> None:
    """What the matrix allows succeeds, all else is refused, in one's own department and in the other."""
    everything = attempts(stage)
    wrong: list[str] = []
    counted = {"allowed": 0, "denied": 0}

    def try_all(person: tuple[str, str]) -> None:
        department, role = person
        client = clients(stage.people[person])
        for attempt in everything:
            allowed = attempt.department == department and attempt.action in ALLOWED[role].get(attempt.target, set())
            expected, found = "allowed" if allowed else "denied", outcome(attempt, client)
            if found == expected:
                counted[found] += 1
            else:
                wrong.append(f"{department}-{role}: {attempt.action} on {attempt.resource}: {found}, not {expected}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(try_all, stage.people))
    tried = sum(counted.values()) + len(wrong)
    said = f"{tried} attempts by {len(stage.people)} roles, {counted['allowed']} allowed, {counted['denied']} denied"
    record_property("isolation", said)
    assert wrong == []
    assert tried >= 5000
    # Every verb of the matrix was exercised, and most of the world is closed.
    assert counted["allowed"] >= 200
    assert counted["denied"] > 10 * counted["allowed"]


def refused(run: Callable[[], object]) -> None:
    with pytest.raises(ClientError) as caught:
        run()
    assert caught.value.response["Error"]["Code"] in DENIED, caught.value


def test_nobody_widens_or_leaves_their_role(stage: Stage) -> None:
    """Policies, trust, boundary, other roles, keys for users, the organisation: none can be touched by any role."""
    for (department, role), actor in stage.people.items():
        for attempt in escapes(actor, stage.names(department), role):
            refused(attempt)


def escapes(actor: Actor, names: Names, role: str) -> list[Callable[[], object]]:
    iam, sts, own = actor.client("iam"), actor.client("sts"), names.role(role)
    everything = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    )
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    return [
        lambda: iam.put_role_policy(RoleName=own, PolicyName="more", PolicyDocument=everything),
        lambda: iam.attach_role_policy(RoleName=own, PolicyArn=administrator),
        lambda: iam.update_assume_role_policy(RoleName=own, PolicyDocument=everything),
        lambda: iam.delete_role_permissions_boundary(RoleName=own),
        lambda: iam.put_role_permissions_boundary(RoleName=own, PermissionsBoundary=names.boundary_arn),
        lambda: iam.create_policy_version(PolicyArn=names.boundary_arn, PolicyDocument=everything),
        lambda: iam.create_user(UserName="more"),
        lambda: iam.create_access_key(UserName="more"),
        lambda: iam.create_role(RoleName="more", AssumeRolePolicyDocument=everything),
        lambda: actor.client("organizations").leave_organization(),
        # Passing a role: to have another role's rights used in one's own name.
        lambda: actor.client("sagemaker").create_model(
            ModelName="more", ExecutionRoleArn=names.role_arn("pipeline"), PrimaryContainer={"Image": "x"}
        ),
        *(
            lambda other=other: sts.assume_role(RoleArn=names.role_arn(other), RoleSessionName="hop")
            for other in (*Persona, *Workload)
        ),
    ]


def test_the_boundary_holds_whatever_is_attached(stage: Stage) -> None:
    """Even an administrator's policy on a role reaches neither the other department nor IAM nor another region."""
    names, other = stage.names("risk"), stage.names("marketing")
    root = actors.operator(stage.home, names.account, names.region).client("iam")
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    root.attach_role_policy(RoleName=names.role("training"), PolicyArn=administrator)
    try:
        training = stage.people["risk", "training"]
        refused(lambda: training.client("s3").list_objects_v2(Bucket=other.bucket(Zone.CURATED)))
        refused(lambda: training.client("dynamodb").scan(TableName=other.online_table("policy_activity")))
        refused(lambda: training.client("iam").create_user(UserName="more"))
        refused(lambda: training.client("s3").delete_bucket_policy(Bucket=names.bucket(Zone.RAW)))
        refused(lambda: training.client("logs", region="us-east-1").describe_log_groups())
        # What nobody granted the role on its own department stays behind the bucket's and the key's own policies.
        refused(lambda: training.client("s3").get_object(Bucket=names.bucket(Zone.RAW), Key=OBJECT))
        refused(lambda: training.client("kms").encrypt(KeyId=names.key_alias, Plaintext=b"1"))
    finally:
        root.detach_role_policy(RoleName=names.role("training"), PolicyArn=administrator)


def test_no_other_region(stage: Stage) -> None:
    """A permission ends at the regions of the department's residency."""
    names = stage.names("risk")
    training = stage.people["risk", "training"]
    where = {"logGroupName": names.workload_log_group(Workload.TRAINING), "logStreamName": STREAM}
    events = [{"timestamp": 1_790_000_000_000, "message": "-"}]
    training.client("logs").put_log_events(**where, logEvents=events)
    refused(lambda: training.client("logs", region="us-east-1").put_log_events(**where, logEvents=events))
    refused(lambda: training.client("logs", region="eu-west-1").put_log_events(**where, logEvents=events))


def test_no_plain_http(stage: Stage) -> None:
    """The same read that succeeds over TLS is refused without it."""
    bucket = stage.names("risk").bucket(Zone.CURATED)
    training = stage.people["risk", "training"]
    assert training.client("s3").get_object(Bucket=bucket, Key=OBJECT)["Body"].read() == b"1"
    refused(lambda: training.client("s3", secure=False).get_object(Bucket=bucket, Key=OBJECT))
    refused(lambda: training.client("s3", secure=False).list_objects_v2(Bucket=bucket))


def test_no_foreign_account_and_nobody_unnamed(stage: Stage) -> None:
    """Root of another account, the account's own root, and an unsigned request read nothing."""
    names = stage.names("risk")
    bucket = names.bucket(Zone.CURATED)
    for account in ("222222222222", "333333333333", names.account):
        root = actors.operator(stage.home, account, names.region)
        refused(lambda root=root: root.client("s3").get_object(Bucket=bucket, Key=OBJECT))
    foreign = actors.operator(stage.home, "222222222222", names.region)
    refused(lambda: foreign.client("s3").list_objects_v2(Bucket=bucket))
    refused(lambda: foreign.client("sns").publish(TopicArn=names.topic_arn("on-call"), Message="-"))
    ports = json.loads((stage.home.aws / "ports.json").read_text())
    trusted = ssl.create_default_context(cafile=str(stage.home.aws / "ca.pem"))
    with pytest.raises(HTTPError, match="403"):
        urlopen(f"https://127.0.0.1:{ports['https']}/{bucket}/{OBJECT}", context=trusted)


def test_uploads_are_encrypted_under_the_departments_key_alone(stage: Stage) -> None:
    """Another department's key, S3's own key, a key of the caller's own: all refused. The default is the department's."""
    names = stage.names("risk")
    bucket = names.bucket(Zone.CURATED)
    s3 = stage.people["risk", "pipeline"].client("s3")
    root = actors.operator(stage.home, names.account, names.region).client("kms")
    own, foreign = (
        root.describe_key(KeyId=stage.names(department).key_alias)["KeyMetadata"]["Arn"] for department in DEPARTMENTS
    )
    put = {"Bucket": bucket, "Key": "mine", "Body": b"1"}
    stored = s3.put_object(**put)
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", own)
    refused(lambda: s3.put_object(**put, ServerSideEncryption="aws:kms", SSEKMSKeyId=foreign))
    refused(lambda: s3.put_object(**put, ServerSideEncryption="AES256"))
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": base64.b64encode(b"0" * 32).decode()}
    refused(lambda: stage.people["risk", "pipeline"].client("s3").put_object(**put, **key))


def test_roles_are_taken_on_only_as_declared(stage: Stage) -> None:
    """Another group, namespace, repository, branch or event doesn't get in."""
    home, stack = stage.home, stage.stacks["risk"]
    for who in Persona:
        refused(lambda who=who: actors.persona(home, stack, who, group="marketing-analytics"))
    for pod in (Workload.TRAINING, Workload.SERVING, Workload.PIPELINE):
        refused(lambda pod=pod: actors.workload(home, stack, pod, namespace="marketing"))
    for subject in (
        "repo:northwind/churn:ref:refs/heads/main",
        "repo:northwind/card-fraud:ref:refs/heads/feature",
        "repo:northwind/card-fraud:pull_request",
        "repo:northwind/card-fraud-copy:ref:refs/heads/main",
    ):
        refused(lambda subject=subject: actors.build(home, stack, subject))

"""Build a stack in this process, without engine or cloud, and keep all that it registers.

The monitor records and refuses: a resource type that isn't in `COMPUTED`, and any invoke, raises.
"""

import asyncio
import contextvars
import gc
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc, set_all_config
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func

from infra.access import Access
from infra.department import Department
from infra.naming import Names
from infra.platform import Platform
from infra.program import compose
from infra.spec import StackDeclaration

PROJECT = "stagegate"
STACK_REFERENCE = "pulumi:pulumi:StackReference"
PROVIDER = "pulumi:providers:aws"
SETTLE_SECONDS = 5
# The types that the program uses, each with the outputs only the cloud knows that other resources read.
COMPUTED: dict[str, tuple[str, ...]] = {
    PROVIDER: (),
    "aws:budgets/budget:Budget": (),
    "aws:cloudtrail/trail:Trail": ("arn",),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": (),
    "aws:cloudwatch/dashboard:Dashboard": (),
    "aws:cloudwatch/logGroup:LogGroup": ("arn",),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (),
    "aws:dynamodb/table:Table": (),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": (),
    "aws:ec2/flowLog:FlowLog": (),
    "aws:ec2/launchTemplate:LaunchTemplate": ("latestVersion",),
    "aws:ec2/routeTable:RouteTable": (),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": (),
    "aws:ec2/securityGroup:SecurityGroup": (),
    "aws:ec2/subnet:Subnet": (),
    "aws:ec2/vpc:Vpc": (),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": (),
    "aws:ecr/repository:Repository": (),
    "aws:eks/addon:Addon": (),
    "aws:eks/cluster:Cluster": ("arn",),
    "aws:eks/nodeGroup:NodeGroup": (),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (),
    "aws:glue/catalogDatabase:CatalogDatabase": (),
    "aws:glue/catalogTable:CatalogTable": (),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": ("arn",),
    "aws:iam/policy:Policy": ("arn",),
    "aws:iam/role:Role": ("arn",),
    "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive": (),
    "aws:iam/rolePolicy:RolePolicy": (),
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": (),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (),
    "aws:kms/alias:Alias": (),
    "aws:kms/key:Key": ("arn", "keyId"),
    "aws:kms/keyPolicy:KeyPolicy": (),
    "aws:s3/bucket:Bucket": (),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (),
    "aws:s3/bucketLogging:BucketLogging": (),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": (),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (),
    "aws:s3/bucketPolicy:BucketPolicy": (),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (),
    "aws:s3/bucketVersioning:BucketVersioning": (),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": (),
    "aws:sns/topic:Topic": ("arn",),
    "aws:sns/topicPolicy:TopicPolicy": (),
    "aws:sns/topicSubscription:TopicSubscription": (),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (),
}


@dataclass(frozen=True)
class Resource:
    """One registered resource; `inputs` are named as Pulumi names them (camelCase)."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    parent: str
    provider: str
    protect: bool
    dependencies: frozenset[str]
    property_dependencies: Mapping[str, frozenset[str]]

    @property
    def tags(self) -> Mapping[str, str]:
        return self.inputs.get("tags") or {}


@dataclass(frozen=True)
class Graph:
    """All resources of a stack that a provider manages, by URN; `access` is None for a platform."""

    stack: StackDeclaration
    resources: Mapping[str, Resource]
    components: Mapping[str, Resource]
    outputs: Mapping[str, Any]
    access: Access | None

    def of_type(self, type_token: str) -> list[Resource]:
        return [resource for resource in self.resources.values() if resource.type == type_token]


class UnmockedError(Exception):
    """The program registered a type or called a function that the recorder doesn't know."""


class _Recorder(mocks.Mocks):
    def __init__(self, names: Names) -> None:
        self.names = names

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ == STACK_REFERENCE:
            return args.name, {**args.inputs, "outputs": {"clusterName": self.names.cluster}}
        if args.custom and args.typ not in COMPUTED:
            raise UnmockedError(f"{args.typ} {args.name} is not among the types that the program may use")
        identity = f"{args.name}-id"
        outputs = {output: f"{args.typ}::{args.name}::{output}" for output in COMPUTED.get(args.typ, ())}
        return identity, {**args.inputs, **outputs}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise UnmockedError(f"{args.token} is called; the program has to do without the cloud's answers")


@dataclass
class _Monitor(mocks.MockMonitor):
    recorder: _Recorder
    resources: dict[str, Any] = field(default_factory=dict)
    registered: dict[str, Resource] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        super().__init__(self.recorder)

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:
        response: resource_pb2.RegisterResourceResponse = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        resource = Resource(
            urn=response.urn,
            type=request.type,
            name=request.name,
            inputs=rpc.deserialize_properties(request.object),
            parent=request.parent,
            provider=request.provider,
            protect=request.protect,
            dependencies=frozenset(request.dependencies),
            property_dependencies={
                name: frozenset(found.urns) for name, found in request.propertyDependencies.items() if found.urns
            },
        )
        with self.lock:
            if resource.urn in self.registered:
                raise ValueError(f"{resource.urn} is registered twice")
            self.registered[resource.urn] = resource
        return response


def capture(stack: StackDeclaration) -> Graph:
    """Build one stack. Raises UnmockedError, and whatever the program raises.

    Captures follow one another in a process as often as you like; two at a time need two processes.
    """
    with _without_collection():
        return contextvars.copy_context().run(_capture, stack)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Nearly all that is allocated lives until the stack is built: looking for garbage meanwhile doubles the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """One loop for all captures: pulumi_aws keeps a future of its first loop for the life of the process."""
    loop = asyncio.new_event_loop()
    # The first failure of a build is raised; the handler would be told of what fails in its wake.
    loop.set_exception_handler(lambda loop, context: None)
    return loop


def _capture(stack: StackDeclaration) -> Graph:
    recorder = _Recorder(Names.of(stack))
    monitor = _Monitor(recorder)
    loop = _loop()
    asyncio.set_event_loop(loop)
    try:
        mocks.set_mocks(recorder, project=PROJECT, stack=stack.name, preview=False, monitor=monitor)
        set_all_config({})
        built, outputs = loop.run_until_complete(_build(stack))
    finally:
        loop.run_until_complete(_settle())
        asyncio.set_event_loop(None)
    registered = dict(sorted(monitor.registered.items()))
    custom = {urn: r for urn, r in registered.items() if r.type.startswith("aws:")}
    components = {urn: r for urn, r in registered.items() if r.type.startswith("stagegate:")}
    return Graph(stack, custom, components, outputs, built.access if isinstance(built, Department) else None)


async def _settle() -> None:
    """Let what a failed build has begun come to its end, seen by nobody: the next one would be told of it."""
    begun = asyncio.all_tasks() - {asyncio.current_task()}
    if begun:
        await asyncio.wait(begun, timeout=SETTLE_SECONDS)
    SETTINGS.outputs.clear()


async def _build(stack: StackDeclaration) -> tuple[Platform | Department, Mapping[str, Any]]:
    composed: list[Platform | Department] = []
    await run_pulumi_func(lambda: composed.append(compose(stack)))
    (built,) = composed
    return built, await pulumi.Output.all(**built.outputs).future() or {}

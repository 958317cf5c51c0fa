"""The engine's side: checks, differences, previews and the four operations, the same for every row of the table."""

import json
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.provider import values
from sandbox.provider.clients import Aws
from sandbox.provider.intents import Intents
from sandbox.provider.kinds import Gone, Kind, Properties, Refused, reconcile, same
from sandbox.provider.schema import Failure, UnknownType, convert, schema
from sandbox.provider.table import KINDS
from sandbox.provider.values import UNKNOWN

VERSION = "7.51.1"
PROVIDER_ONLY = frozenset(
    {"forceDestroy", "forceDelete", "deletionWindowInDays", "skipDestroy", "bypassPolicyLockoutSafetyCheck"}
)


def _kind(urn: str) -> Kind:
    token = urn.split("::")[2].rsplit("$", 1)[-1]
    if token not in KINDS:
        schema(token)
        raise Refused(f"the sandbox can't provision {token}; it knows {', '.join(sorted(KINDS))}")
    return KINDS[token]


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self, intents: Intents) -> None:
        self.intents = intents
        self.aws: Aws | None = None

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=False, accept_resources=False, accept_outputs=False
        )

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:
        """Enough for the engine to know the package; types are checked against pulumi_aws itself."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "aws", "version": VERSION}))

    def CheckConfig(self, request: Any, context: Any) -> Any:
        known = schema_of_provider()
        failures = [
            provider_pb2.CheckFailure(property=name, reason=f"the AWS provider has no property {name}")
            for name in values.load(request.news)
            if name not in known
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        old, new = values.load(request.olds), values.load(request.news)
        replaces = [
            name for name in ("region", "allowedAccountIds") if name in old and not same(old.get(name), new.get(name))
        ]
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if replaces else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=replaces,
        )

    def Configure(self, request: Any, context: Any) -> Any:
        given = {name: _parsed(value) for name, value in values.load(request.args).items()}
        if values.unknown(given.get("region")) or values.unknown(given.get("allowedAccountIds")):
            raise_(context, "region and allowedAccountIds have to be known in a preview")
        accounts = given.get("allowedAccountIds") or [""]
        if len(accounts) != 1:
            raise_(context, f"the sandbox acts in one account; allowedAccountIds has {', '.join(accounts)}")
        tags = (given.get("defaultTags") or {}).get("tags") or {}
        region = given.get("region") or os.environ.get("AWS_REGION") or ""
        if not region:
            raise_(context, "region is missing: set aws:region, for example eu-central-1")
        self.aws = Aws(str(region), str(accounts[0]), dict(tags))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def Invoke(self, request: Any, context: Any) -> Any:
        aws = self._aws(context)
        if request.tok == "aws:index/getCallerIdentity:getCallerIdentity":
            found = aws.client("sts").get_caller_identity()
            result = {
                "accountId": found["Account"],
                "arn": found["Arn"],
                "userId": found["UserId"],
                "id": found["Account"],
            }
        elif request.tok == "aws:index/getRegion:getRegion":
            result = {"name": aws.region, "region": aws.region, "id": aws.region}
        elif request.tok == "aws:index/getPartition:getPartition":
            result = {
                "partition": "aws",
                "dnsSuffix": "amazonaws.com",
                "reverseDnsPrefix": "com.amazonaws",
                "id": "aws",
            }
        else:
            raise_(context, f"the sandbox has no function {request.tok}")
        return provider_pb2.InvokeResponse(**{"return": values.dump(result)})  # type: ignore[arg-type]

    def Check(self, request: Any, context: Any) -> Any:
        try:
            kind = _kind(request.urn)
            inputs, failures = convert(kind.token, values.load(request.news))
        except (UnknownType, Refused) as error:
            return provider_pb2.CheckResponse(
                inputs=request.news, failures=[provider_pb2.CheckFailure(property="", reason=str(error))]
            )
        if kind.name and inputs.get(kind.name) is None:
            inputs[kind.name] = _made_up(request, kind.name)
        aws = self._aws(context)
        if "tagsAll" in schema(kind.token).outputs:
            tags = inputs.get("tags") or {}
            inputs["tagsAll"] = {**aws.default_tags, **tags} if tags is not UNKNOWN else UNKNOWN
        failures += _semantic(inputs)
        return provider_pb2.CheckResponse(
            inputs=values.dump(inputs), failures=[_failure(f, request.urn) for f in failures]
        )

    def Diff(self, request: Any, context: Any) -> Any:
        self.intents.knows(request.urn, request.id)
        kind = _kind(request.urn)
        state, declared = values.load(request.olds), values.load(request.old_inputs)
        news = values.load(request.news)
        old = {**declared, **{name: state[name] for name in state if name in declared or name in news}}
        diffs = [
            name
            for name in sorted({*declared, *news})
            if not name.startswith("__") and name != "tags" and not _unchanged(old.get(name), news.get(name))
        ]
        replaces = [name for name in diffs if name in kind.replaces or (kind.update is None and name != "tagsAll")]
        detailed = {}
        for name in diffs:
            operation = "ADD" if name not in old else "DELETE" if name not in news else "UPDATE"
            suffix = "_REPLACE" if name in replaces else ""
            shown = "tags" if name == "tagsAll" else name
            detailed[shown] = provider_pb2.PropertyDiff(
                kind=getattr(provider_pb2.PropertyDiff, operation + suffix), inputDiff=True
            )
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if diffs else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted(detailed),
            replaces=replaces,
            detailedDiff=detailed,
            hasDetailedDiff=True,
            # A natural name can't be taken twice; what has none may overlap.
            deleteBeforeReplace=bool(replaces) and not (kind.name and kind.name in replaces),
        )

    def Create(self, request: Any, context: Any) -> Any:
        kind, inputs = _kind(request.urn), values.load(request.properties)
        if request.preview:
            outputs = {**dict.fromkeys(kind.outputs, UNKNOWN), **inputs}
            return provider_pb2.CreateResponse(id="", properties=values.dump(outputs))
        aws = self._aws(context)
        lost, id = self.intents.begin(request.urn)
        try:
            adopted = self._lost(kind, aws, id, inputs) if lost else None
            if adopted and kind.update:
                kind.update(aws, adopted, self._state(kind, aws, adopted, inputs), inputs)
            found = adopted or kind.create(aws, inputs)
            state = self._state(kind, aws, found, inputs)
        except (ClientError, BotoCoreError, Gone, Refused) as error:
            if isinstance(error, ParamValidationError) or _client_fault(error):
                self.intents.failed(request.urn)
            raise_(context, f"{kind.token} {request.urn}: {_say(error)}")
        self.intents.done(request.urn, found)
        return provider_pb2.CreateResponse(id=found, properties=values.dump(state))

    def _lost(self, kind: Kind, aws: Aws, id: str | None, inputs: Properties) -> str | None:
        """The resource of an interrupted creation, if it came into being."""
        candidate = id or (kind.find(aws, inputs) if kind.find else _natural(kind, inputs))
        if candidate is None:
            return None
        try:
            kind.read(aws, candidate, inputs)
        except Gone:
            return None
        return candidate

    def _state(self, kind: Kind, aws: Aws, id: str, known: Properties) -> Properties:
        """What is there, written as declared where it is the same; raises Gone."""
        actual = kind.read(aws, id, known)
        state = dict(known)
        for name, value in actual.items():
            state[name] = (
                value
                if name in ("tags", "tagsAll") and not same(known.get(name), value)
                else (reconcile(known[name], value) if known.get(name) is not None else value)
            )
        if "tagsAll" in state:
            state["tags"] = {
                k: v
                for k, v in state["tagsAll"].items()
                if aws.default_tags.get(k) != v or k in (known.get("tags") or {})
            }
        return {name: value for name, value in state.items() if value is not None and name in _names(kind)}

    def Read(self, request: Any, context: Any) -> Any:
        self.intents.knows(request.urn, request.id)
        kind, aws = _kind(request.urn), self._aws(context)
        known, inputs = values.load(request.properties), values.load(request.inputs)
        try:
            state = self._state(kind, aws, request.id, known)
        except Gone:
            return provider_pb2.ReadResponse()
        except (ClientError, BotoCoreError) as error:
            raise_(context, f"{kind.token} {request.urn}: {_say(error)}")
        wanted = schema(kind.token).inputs
        declared = inputs or {name: value for name, value in state.items() if name in wanted}
        read = {name: state[name] for name in declared if name in state}
        kept = {name: value for name, value in declared.items() if name in PROVIDER_ONLY or name.startswith("__")}
        return provider_pb2.ReadResponse(
            id=request.id, properties=values.dump(state), inputs=values.dump({**read, **kept})
        )

    def Update(self, request: Any, context: Any) -> Any:
        kind = _kind(request.urn)
        old, new = values.load(request.olds), values.load(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=values.dump({**old, **new}))
        aws = self._aws(context)
        try:
            if kind.update:
                kind.update(aws, request.id, old, new)
            state = self._state(kind, aws, request.id, new)
        except (ClientError, BotoCoreError, Gone, Refused) as error:
            raise_(context, f"{kind.token} {request.urn}: {_say(error)}")
        return provider_pb2.UpdateResponse(properties=values.dump(state))

    def Delete(self, request: Any, context: Any) -> Any:
        kind, aws = _kind(request.urn), self._aws(context)
        try:
            kind.delete(aws, request.id, values.load(request.properties))
        except Gone:
            pass
        except (ClientError, BotoCoreError, Refused) as error:
            raise_(context, f"{kind.token} {request.urn}: {_say(error)}")
        self.intents.gone(request.urn, request.id)
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def _aws(self, context: Any) -> Aws:
        if self.aws is None:
            raise_(context, "the provider isn't configured")
        return self.aws


def raise_(context: Any, message: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError("abort doesn't return")


def _names(kind: Kind) -> frozenset[str]:
    known = schema(kind.token)
    return known.outputs | frozenset(known.inputs)


def _parsed(value: Any) -> Any:
    """Provider configuration comes with nested values as JSON text."""
    if isinstance(value, str) and value[:1] in "[{":
        return json.loads(value)
    return value


def schema_of_provider() -> set[str]:
    import pulumi_aws
    from pulumi import _types

    return {*_types.input_type_types(pulumi_aws.ProviderArgs), "version", "__internal"}


def _made_up(request: Any, name: str) -> str:
    """The name that the resource has, else its logical one and seven random hex digits."""
    old = values.load(request.olds).get(name)
    if old:
        return str(old)
    suffix = request.randomSeed.hex()[:7] if request.randomSeed else secrets.token_hex(4)[:7]
    return f"{request.urn.rsplit('::', 1)[1]}-{suffix}"


def _semantic(inputs: Properties) -> list[Failure]:
    """Policy documents have to be JSON objects, whatever takes them."""
    failures = []
    for name in ("policy", "assumeRolePolicy", "dashboardBody"):
        text = inputs.get(name)
        if isinstance(text, str):
            try:
                document = json.loads(text)
            except ValueError as error:
                failures.append((name, f"is not JSON: {error}"))
                continue
            if not isinstance(document, dict):
                failures.append((name, "expected a JSON object"))
    return failures


def _failure(failure: Failure, urn: str) -> Any:
    return provider_pb2.CheckFailure(
        property=failure[0].split("[")[0].split(".")[0], reason=f"{failure[0]}: {failure[1]}"
    )


def _unchanged(old: Any, new: Any) -> bool:
    if values.unknown(new):
        return False
    return same(old, new) or same(reconcile(new, old), new)


def _natural(kind: Kind, inputs: Properties) -> str | None:
    return str(inputs[kind.name]) if kind.name and inputs.get(kind.name) else None


def _client_fault(error: Exception) -> bool:
    """The cloud answered and refused, so nothing came into being."""
    return isinstance(error, ClientError) and int(error.response["ResponseMetadata"]["HTTPStatusCode"]) < 500


def _say(error: Exception) -> str:
    return "it is gone" if isinstance(error, Gone) else str(error)


def serve(intents: Intents) -> tuple[grpc.Server, int]:
    """Start answering on a port of loopback."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=64), options=[("grpc.max_receive_message_length", 400 * 1024 * 1024)]
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(intents), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port

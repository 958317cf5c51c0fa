"""Write a bare Pulumi program that registers the resources of a deployed stack again: same types, same inputs, no components.

A value that came from another resource (an id or an ARN that only the cloud knew) becomes a reference to that resource,
so that the bare program can be brought up from nothing too.
"""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi_aws
from pulumi import _types

PROGRAM = '''"""Registers what `resources.json` beside it lists."""
import importlib
import json
from pathlib import Path

import pulumi
import pulumi_aws

built = {}


def resolve(value):
    if isinstance(value, dict):
        if "$parts" in value:
            return pulumi.Output.concat(
                *(part if isinstance(part, str) else getattr(built[part["urn"]], part["output"]) for part in value["$parts"])
            )
        return {key: resolve(item) for key, item in value.items()}
    return [resolve(item) for item in value] if isinstance(value, list) else value


for entry in json.loads((Path(__file__).parent / "resources.json").read_text()):
    resource_class = getattr(importlib.import_module(entry["module"]), entry["class"])
    options = pulumi.ResourceOptions(
        provider=built.get(entry["provider"]),
        depends_on=[built[urn] for urn in entry["dependencies"]],
        protect=False,
    )
    built[entry["urn"]] = resource_class(entry["name"], opts=options, **resolve(entry["inputs"]))
'''


def write(deployment: dict[str, Any], folder: Path) -> int:
    """Write program and project for an exported deployment into `folder`; return the number of resources registered."""
    resources = [
        r
        for r in deployment["deployment"]["resources"]
        if r.get("custom") and not r["type"].startswith("pulumi:pulumi:")
    ]
    names = _unique_names(resources)
    entries = [_entry(resource, names[resource["urn"]], resources) for resource in resources]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "resources.json").write_text(json.dumps(entries))
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "Pulumi.yaml").write_text("name: bare\nruntime: python\n")
    return len(entries)


def _unique_names(resources: list[dict[str, Any]]) -> dict[str, str]:
    """Without component parents two resources of a type may share a name: number the later ones."""
    seen: dict[tuple[str, str], int] = {}
    names = {}
    for resource in resources:
        name = resource["urn"].rsplit("::", 1)[1]
        count = seen[resource["type"], name] = seen.get((resource["type"], name), 0) + 1
        names[resource["urn"]] = name if count == 1 else f"{name}-{count}"
    return names


def _entry(resource: dict[str, Any], name: str, resources: list[dict[str, Any]]) -> dict[str, Any]:
    module, class_name = _class_of(resource["type"])
    package = importlib.import_module(module)
    args = getattr(package, f"{class_name}InitArgs", None) or getattr(package, f"{class_name}Args", None)
    provider = resource["type"].startswith("pulumi:providers:")
    if args is None and provider:
        args = pulumi_aws.ProviderArgs
    python_names = {camel: snake for snake, camel in _types.input_type_py_to_pulumi_names(args).items()}
    by_urn = {r["urn"]: r for r in resources}
    inputs = {}
    for key, value in resource.get("inputs", {}).items():
        # `tagsAll` is made of `tags` by the provider.
        if key.startswith("__") or key == "tagsAll" or (provider and key == "version"):
            continue
        if provider and isinstance(value, str) and value[:1] in "[{":
            value = json.loads(value)
        sources = [by_urn[urn] for urn in resource.get("propertyDependencies", {}).get(key) or () if urn in by_urn]
        inputs[python_names[key]] = _referenced(value, sources)
    return {
        "urn": resource["urn"],
        "name": name,
        "module": module,
        "class": class_name,
        "provider": resource.get("provider", "").rsplit("::", 1)[0],
        "dependencies": [urn for urn in resource.get("dependencies") or () if urn in by_urn],
        "inputs": inputs,
    }


def _class_of(type_token: str) -> tuple[str, str]:
    """`aws:s3/bucket:Bucket` is `pulumi_aws.s3.Bucket`, `pulumi:providers:aws` is `pulumi_aws.Provider`."""
    if type_token == "pulumi:providers:aws":
        return "pulumi_aws", "Provider"
    _, path, class_name = type_token.split(":")
    return f"pulumi_aws.{path.split('/')[0]}", class_name


def _referenced(value: Any, sources: list[dict[str, Any]]) -> Any:
    if isinstance(value, dict):
        return {key: _referenced(item, sources) for key, item in value.items()}
    if isinstance(value, list):
        return [_referenced(item, sources) for item in value]
    if isinstance(value, str):
        for output, text, urn in _outputs(sources):
            if text in value:
                before, after = value.split(text, 1)
                return {"$parts": [part for part in (before, {"urn": urn, "output": output}, after) if part]}
    return value


def _outputs(sources: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Outputs that only the cloud could know: not inputs, and long enough not to occur by chance."""
    for source in sources:
        known = {value for value in source.get("inputs", {}).values() if isinstance(value, str)}
        for output in ("arn", "id", "keyId"):
            text = source["id"] if output == "id" else source.get("outputs", {}).get(output)
            if isinstance(text, str) and len(text) >= 8 and text not in known:
                yield ("key_id" if output == "keyId" else output), text, source["urn"]

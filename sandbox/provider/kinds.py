"""The form of a row in the table of resource types, and what rows share."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.clients import Aws

Properties = dict[str, Any]


class Gone(Exception):
    """The resource isn't there (any more)."""


class Refused(Exception):
    """A request that the provider can't carry out; the message is for the person at the engine."""


@dataclass(frozen=True)
class Kind:
    """How one resource type is carried out. Property names are Pulumi's (camelCase).

    `create` returns the id. `read` takes the id and the last known properties and returns what the cloud has of them,
    with the outputs that only the cloud knows; a property that it leaves out is taken as declared. It raises Gone.
    `update` takes id, old and new properties; a type without one is replaced on any change. `replaces` are the
    properties whose change replaces the resource. `name` is the property that is made up where it isn't given.
    `find` looks for a resource whose creation was interrupted, by what is unique to it; without one the type has
    a natural name and creating it twice is an error that says so. `outputs` are unknown before creation.
    """

    token: str
    create: Callable[[Aws, Properties], str]
    read: Callable[[Aws, str, Properties], Properties]
    delete: Callable[[Aws, str, Properties], object]
    update: Callable[[Aws, str, Properties, Properties], object] | None = None
    replaces: tuple[str, ...] = ()
    name: str = ""
    find: Callable[[Aws, Properties], str | None] | None = None
    outputs: tuple[str, ...] = ()
    unordered: tuple[str, ...] = ()
    recorded: bool = False


@contextmanager
def gone_on(*codes: str) -> Iterator[None]:
    """Take these error codes for the resource being gone."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in codes:
            raise Gone from None
        raise


def pairs(tags: Mapping[str, str] | None, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{key: name, value: text} for name, text in sorted((tags or {}).items())]


def mapping(tags: Any, key: str = "Key", value: str = "Value") -> dict[str, str]:
    return {tag[key]: tag[value] for tag in tags or []}


def tag_changes(old: Properties, new: Properties) -> tuple[dict[str, str], list[str]]:
    """Tags to set and names of tags to take off."""
    before, after = old.get("tagsAll") or {}, new.get("tagsAll") or {}
    return {k: v for k, v in after.items() if before.get(k) != v}, sorted(before.keys() - after.keys())


def retag(
    tag: Callable[[dict[str, str]], object], untag: Callable[[list[str]], object], old: Properties, new: Properties
) -> None:
    changed, removed = tag_changes(old, new)
    if changed:
        tag(changed)
    if removed:
        untag(removed)


def changed(old: Properties, new: Properties, *names: str) -> bool:
    return any(not same(old.get(name), new.get(name)) for name in names)


def given(properties: Properties, **arguments: str) -> dict[str, Any]:
    """Arguments of a call from the properties that are set: `Argument="property"`."""
    return {argument: properties[name] for argument, name in arguments.items() if properties.get(name) is not None}


def pascal(value: Any) -> Any:
    """Nested camelCase keys in AWS's PascalCase."""
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: pascal(item) for key, item in value.items() if item is not None}
    return [pascal(item) for item in value] if isinstance(value, list) else value


def camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: camel(item) for key, item in value.items()}
    return [camel(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """JSON documents as data, numbers as numbers: what may be written in more than one way, in one."""
    if isinstance(value, str):
        text = value.strip()
        if text[:1] in "{[":
            try:
                return _plain(json.loads(text))
            except ValueError:
                return value
        return value
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _canonical(value: Any) -> str:
    """Order of lists doesn't count: most of AWS's are sets, and the few that aren't come back as they were given."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_canonical(item)}" for key, item in sorted(value.items())) + "}"
    if isinstance(value, list):
        items = sorted(_canonical(item) for item in value)
        return items[0] if len(items) == 1 else "[" + ",".join(items) + "]"
    return json.dumps(value)


def same(one: Any, other: Any) -> bool:
    if _empty(one) and _empty(other):
        return True
    if isinstance(one, str) != isinstance(other, str):
        one, other = str(one).lower(), str(other).lower()
    return _canonical(_plain(one)) == _canonical(_plain(other))


def _empty(value: Any) -> bool:
    return value is None or value == {} or value == [] or value == ""


def reconcile(declared: Any, actual: Any) -> Any:
    """What is really there, written as it was declared where it means the same.

    Fields of nested blocks that weren't declared are AWS's defaults and don't count; tags and other maps of free
    names do, which is why `tags` are compared whole.
    """
    if same(declared, actual):
        return declared
    if isinstance(declared, dict) and isinstance(actual, dict):
        merged = {key: reconcile(item, actual.get(key)) for key, item in declared.items()}
        return {key: item for key, item in merged.items() if item is not None}
    if isinstance(declared, list) and isinstance(actual, list) and len(declared) == len(actual):
        matched = [reconcile(one, other) for one, other in zip(_sorted(declared), _sorted(actual), strict=True)]
        return declared if same(matched, declared) else matched
    return actual


def _sorted(items: list[Any]) -> list[Any]:
    """By a field that identifies the items where they have one, else by their text."""

    def key(item: Any) -> str:
        if isinstance(item, dict):
            return next(
                (str(item[name]) for name in ("id", "name", "deviceName", "field") if name in item), _canonical(item)
            )
        return _canonical(item)

    return sorted(items, key=key)

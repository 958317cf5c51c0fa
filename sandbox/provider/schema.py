"""Names and types of properties, taken from the installed pulumi_aws package itself."""

import collections.abc
import inspect
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Any, Union, get_args, get_origin

from pulumi import _types

from sandbox.provider.values import UNKNOWN

Failure = tuple[str, str]


class UnknownType(Exception):
    """A token that pulumi_aws doesn't have."""


@dataclass(frozen=True)
class Schema:
    """Inputs and outputs of one resource type, by Pulumi's names."""

    inputs: dict[str, Any]
    required: frozenset[str]
    outputs: frozenset[str]


# Requests come in many threads, and a module that one of them is importing lacks its names for the others.
_importing = threading.Lock()


def schema(token: str) -> Schema:
    """Raises UnknownType."""
    with _importing:
        return _schema(token)


@cache
def _schema(token: str) -> Schema:
    try:
        package, path, name = token.split(":")
        module = import_module(f"pulumi_aws.{path.split('/')[0]}") if package == "aws" else None
        resource = getattr(module, name)
        # Where a nested block has taken the plain name, the resource's arguments are called otherwise.
        arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    except (ValueError, ImportError, AttributeError):
        raise UnknownType(f"pulumi_aws has no resource type {token}") from None
    return Schema(_types.input_type_types(arguments), _required(arguments), frozenset(_types.resource_types(resource)))


def _required(arguments: type) -> frozenset[str]:
    names = _types.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments).parameters
    return frozenset(
        names[name]
        for name, parameter in parameters.items()
        if name in names and parameter.default is inspect.Parameter.empty
    )


def convert(token: str, inputs: dict[str, Any]) -> tuple[dict[str, Any], list[Failure]]:
    """Inputs with numbers in the type that is wanted, and everything that is wrong with them."""
    known = schema(token)
    failures = [
        (name, f"{token} has no property {name}; it has {', '.join(sorted(known.inputs))}")
        for name in inputs
        if name not in known.inputs and not name.startswith("__")
    ]
    failures += [
        (name, f"{token} needs the property {name}") for name in sorted(known.required) if inputs.get(name) is None
    ]
    converted = {}
    for name, value in inputs.items():
        if name in known.inputs:
            problems: list[Failure] = []
            converted[name] = _value(value, known.inputs[name], name, problems)
            failures += problems
    return converted, failures


def _value(value: Any, wanted: Any, path: str, problems: list[Failure]) -> Any:
    if value is None or value is UNKNOWN:
        return value
    kinds = list(_unwrapped(wanted))
    tried: list[Failure] = []
    for kind in kinds:
        attempt: list[Failure] = []
        converted = _as(value, kind, path, attempt)
        if not attempt:
            return converted
        tried = tried or attempt
    problems += tried
    return value


def _unwrapped(wanted: Any) -> Iterator[Any]:
    """The plain types within unions of inputs."""
    origin = get_origin(wanted)
    if origin is Union or str(origin) == "<class 'types.UnionType'>":
        for part in get_args(wanted):
            yield from _unwrapped(part)
    elif origin is collections.abc.Awaitable or getattr(wanted, "__name__", "") in ("Output", "NoneType"):
        return
    else:
        yield wanted


def _as(value: Any, kind: Any, path: str, problems: list[Failure]) -> Any:
    origin = get_origin(kind)
    if kind is Any or str(kind).startswith("pulumi.output.Output"):
        return value
    if origin in (collections.abc.Sequence, list):
        if not isinstance(value, list):
            return _wrong(value, "a list", path, problems)
        return [_value(item, get_args(kind)[0], f"{path}[{index}]", problems) for index, item in enumerate(value)]
    if origin in (collections.abc.Mapping, dict):
        if not isinstance(value, dict):
            return _wrong(value, "a map", path, problems)
        return {name: _value(item, get_args(kind)[1], f"{path}.{name}", problems) for name, item in value.items()}
    if isinstance(kind, type):
        if _types.is_input_type(kind):
            return _block(value, kind, path, problems)
        if issubclass(kind, Enum):
            return value
        return _scalar(value, kind, path, problems)
    return value


def _block(value: Any, kind: type, path: str, problems: list[Failure]) -> Any:
    if not isinstance(value, dict):
        return _wrong(value, f"a block {kind.__name__}", path, problems)
    fields = _types.input_type_types(kind)
    problems += [
        (f"{path}.{name}", f"{kind.__name__} has no property {name}; it has {', '.join(sorted(fields))}")
        for name in value
        if name not in fields
    ]
    problems += [
        (f"{path}.{name}", f"{kind.__name__} needs the property {name}")
        for name in sorted(_required(kind))
        if value.get(name) is None
    ]
    return {
        name: _value(item, fields[name], f"{path}.{name}", problems) for name, item in value.items() if name in fields
    }


def _scalar(value: Any, kind: type, path: str, problems: list[Failure]) -> Any:
    if kind is str and isinstance(value, str):
        return value
    if kind is bool and isinstance(value, bool):
        return value
    if kind is bool and value in ("true", "false"):
        return value == "true"
    if kind in (int, float) and isinstance(value, int | float) and not isinstance(value, bool):
        if kind is int and value != int(value):
            return _wrong(value, "a whole number", path, problems)
        return kind(value)
    if kind is str and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else f"{value:g}"
    return _wrong(
        value,
        {str: "a string", bool: "true or false", int: "a whole number", float: "a number"}.get(kind, str(kind)),
        path,
        problems,
    )


def _wrong(value: Any, expected: str, path: str, problems: list[Failure]) -> Any:
    problems.append((path, f"expected {expected}, found {value!r}"))
    return value

"""Property values between the engine's protobuf structs and plain Python."""

from typing import Any

from google.protobuf import struct_pb2

UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE = "4dabf18193072939515e22adb298388d"
IS_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 – the engine's mark of a secret, not one
IS_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


class Unknown:
    """A value that only an update will know."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()


def load(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Secrets come as their values: the engine marks the outputs of the same name as secret again."""
    return {name: _load(value) for name, value in struct.fields.items()}


def _load(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        signature = fields[SIGNATURE].string_value if SIGNATURE in fields else ""
        if signature in (IS_SECRET, IS_OUTPUT):
            return _load(fields["value"]) if "value" in fields else UNKNOWN
        return load(value.struct_value)
    if kind == "list_value":
        return [_load(item) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number == int(number) else number
    return value.bool_value if kind == "bool_value" else None


def dump(properties: dict[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update({name: _dump(value) for name, value in properties.items()})
    return struct


def _dump(value: Any) -> Any:
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if isinstance(value, dict):
        return {name: _dump(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_dump(item) for item in value]
    return value


def unknown(value: Any) -> bool:
    """Whether any part of a value is unknown."""
    if isinstance(value, dict):
        return any(unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(unknown(item) for item in value)
    return value is UNKNOWN

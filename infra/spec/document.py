"""YAML files with the place of every field, so that an error can point at it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infra.spec.problems import DeclarationError, Problem

FieldPath = tuple[str | int, ...]
Place = tuple[int, int]
PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")}


@dataclass(frozen=True)
class Document:
    """A parsed file: plain data, and line and column (from 1) of each field by its path."""

    file: Path
    data: dict[str, Any]
    places: dict[FieldPath, Place] = field(repr=False)

    def place(self, path: FieldPath) -> Place:
        """The place of a field, or of the nearest field around it that is written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))

    def problem(self, path: FieldPath, expected: str, example: str = "") -> Problem:
        line, column = self.place(path)
        return Problem(self.file, line, column, ".".join(map(str, path)), expected, example)


def read(file: Path) -> Document:
    """Parse one file.

    Raises DeclarationError if it can't be read, isn't UTF-8, isn't YAML, holds a key twice, an alias or a tag of its
    own, or isn't a mapping.
    """
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise _refused(file, f"can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _refused(file, f"is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise DeclarationError([Problem(file, line, column, "", f"is not YAML: {error.problem}")]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise _refused(file, f"is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(node, yaml.MappingNode):
        raise _refused(file, "expected a mapping of fields, such as `department: risk`")
    places: dict[FieldPath, Place] = {}
    problems = list(_walk(file, node, (), places, set()))
    if problems:
        raise DeclarationError(problems)
    try:
        data = yaml.SafeLoader("").construct_document(node)
    except (yaml.MarkedYAMLError, ValueError) as error:
        raise _refused(file, f"is not YAML: {getattr(error, 'problem', None) or error}") from None
    return Document(file, data, places)


def _refused(file: Path, expected: str) -> DeclarationError:
    return DeclarationError([Problem(file, 1, 1, "", expected)])


def _walk(
    file: Path, node: yaml.Node, path: FieldPath, places: dict[FieldPath, Place], seen: set[int]
) -> Iterator[Problem]:
    place = (node.start_mark.line + 1, node.start_mark.column + 1)
    places.setdefault(path, place)
    name = ".".join(map(str, path))
    if not isinstance(node, yaml.ScalarNode) and id(node) in seen:
        yield Problem(file, *place, name, "expected the value itself, not an alias")
        return
    seen.add(id(node))
    if node.tag not in PLAIN:
        yield Problem(file, *place, name, f"expected a plain value, not one with the tag {node.tag}")
        return
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(file, item, (*path, index), places, seen)
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            key_place = (key.start_mark.line + 1, key.start_mark.column + 1)
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                yield Problem(file, *key_place, name, "expected a name as key; put it into quotes")
                continue
            if key.value in keys:
                yield Problem(file, *key_place, ".".join((*map(str, path), key.value)), "is there twice")
            keys.add(key.value)
            places[*path, key.value] = key_place
            yield from _walk(file, value, (*path, key.value), places, seen)

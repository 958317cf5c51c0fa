"""Stacks built in process, each once for a test process. The recorder keeps what is registered and refuses what it doesn't know."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.spec import Declarations, load
from stagegate.graph import Graph, Resource, capture

HERE = Path(__file__).parent


@cache
def declared(folder: Path) -> Declarations:
    return load(folder)


class Stack:
    """A captured stack, asked by short type (`s3/bucket:Bucket`) and logical name."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def all(self, kind: str) -> dict[str, Resource]:
        return {resource.name: resource for resource in self.graph.of_type(f"aws:{kind}")}

    def one(self, kind: str, name: str) -> Resource:
        found = self.all(kind)
        assert name in found, f"no {kind} {name}; there are {sorted(found)}"
        return found[name]

    def inputs(self, kind: str, name: str) -> dict[str, Any]:
        """All inputs but the tags, which the capstone looks at everywhere."""
        return {key: value for key, value in self.one(kind, name).inputs.items() if key != "tags"}

    def policy(self, kind: str, name: str, field: str = "policy") -> dict[str, dict[str, Any]]:
        """Statements by Sid, or by position where they have none."""
        document = json.loads(self.one(kind, name).inputs[field])
        assert document["Version"] == "2012-10-17"
        statements = document["Statement"]
        found = {statement.pop("Sid", str(index)): statement for index, statement in enumerate(statements)}
        assert len(found) == len(statements)
        return found


@cache
def _stack(name: str) -> Stack:
    return Stack(capture(declared(HERE / "stacks").stack(name)))


@pytest.fixture(scope="session")
def declarations() -> Declarations:
    """The declarations of these tests: one department, `claims`, small enough for exact expectations."""
    return declared(HERE / "stacks")


@pytest.fixture(scope="session")
def stack() -> Callable[[str], Stack]:
    """`stack("claims-dev")`"""
    return _stack


@pytest.fixture(scope="session")
def dev() -> Stack:
    return _stack("claims-dev")


@pytest.fixture(scope="session")
def prod() -> Stack:
    return _stack("claims-prod")


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Declarations]:
    """The declarations with texts replaced in one file: `edited("claims/department.yaml", ("old", "new"))`."""

    def edit(file: str, *replacements: tuple[str, str]) -> Declarations:
        for path in (HERE / "stacks").rglob("*.yaml"):
            copy = tmp_path / path.relative_to(HERE / "stacks")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(path.read_text())
        text = (tmp_path / file).read_text()
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / file).write_text(text)
        return load(tmp_path)

    return edit

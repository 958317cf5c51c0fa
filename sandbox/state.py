"""What Pulumi's state in a sandbox says is there, read without the engine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.home import Home
from sandbox.project import checkpoints


@dataclass(frozen=True)
class Stack:
    name: str
    types: tuple[str, ...]  # of each resource in the cloud: no components, no providers
    outputs: Mapping[str, Any]


def stacks(home: Home) -> dict[str, Stack]:
    """All stacks of a sandbox, by name."""
    return {
        file.stem: _stack(file.stem, json.loads(file.read_text())) for file in sorted(checkpoints(home).glob("*.json"))
    }


def _stack(name: str, content: dict[str, Any]) -> Stack:
    resources = (content["checkpoint"].get("latest") or {}).get("resources") or ()
    outputs: dict[str, Any] = {}
    types = []
    for resource in resources:
        if resource["type"] == "pulumi:pulumi:Stack":
            outputs = resource.get("outputs") or {}
        if resource.get("custom") and not resource["type"].startswith("pulumi:"):
            types.append(resource["type"])
    return Stack(name, tuple(types), outputs)

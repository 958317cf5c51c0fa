"""IAM policy documents: statements that merge, refuse wildcards, and render compactly in one order."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]
# Default quotas, in characters without white space (IAM: all inline policies of a role, one managed policy, one trust
# policy) and in bytes (KMS and S3: one resource policy).
INLINE_LIMIT = 10_240
MANAGED_LIMIT = 6_144
TRUST_LIMIT = 2_048
KEY_LIMIT = 32_768
BUCKET_LIMIT = 20_480


class PolicyTooLong(Exception):
    """A document over AWS's quota; its text names the document and both sizes."""


@dataclass(frozen=True)
class Statement:
    """One statement. `principals` maps a kind (`AWS`, `Service`, `Federated`) to names; empty for a role's own policy."""

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()
    effect: str = "Allow"
    sid: str = ""
    principals: Mapping[str, Sequence[str]] | str = field(default_factory=dict)
    conditions: Conditions = field(default_factory=dict)
    not_actions: bool = False

    def __post_init__(self) -> None:
        if self.effect == "Allow" and any("*" in action or "?" in action for action in self.actions):
            raise ValueError(f"wildcard action in {self.actions}")

    def render(self) -> dict[str, Any]:
        rendered: dict[str, Any] = {"Sid": self.sid} if self.sid else {}
        rendered["Effect"] = self.effect
        if self.principals:
            rendered["Principal"] = (
                self.principals
                if isinstance(self.principals, str)
                else {kind: _one_or_more(names) for kind, names in self.principals.items()}
            )
        rendered["NotAction" if self.not_actions else "Action"] = _one_or_more(self.actions)
        if self.resources:
            rendered["Resource"] = _one_or_more(self.resources)
        if self.conditions:
            rendered["Condition"] = {
                operator: {
                    key: _one_or_more([value] if isinstance(value, str) else value) for key, value in keys.items()
                }
                for operator, keys in sorted(self.conditions.items())
            }
        return rendered


def _one_or_more(values: Iterable[str]) -> str | list[str]:
    ordered = sorted(set(values))
    return ordered[0] if len(ordered) == 1 else ordered


def merge(statements: Iterable[Statement]) -> list[Statement]:
    """Join statements that differ only in resources, then those that differ only in actions."""
    by_actions: dict[str, Statement] = {}
    for statement in statements:
        key = _key(statement, actions=statement.actions)
        seen = by_actions.get(key)
        by_actions[key] = replace(seen, resources=(*seen.resources, *statement.resources)) if seen else statement
    by_resources: dict[str, Statement] = {}
    for statement in by_actions.values():
        key = _key(statement, resources=statement.resources)
        seen = by_resources.get(key)
        by_resources[key] = replace(seen, actions=(*seen.actions, *statement.actions)) if seen else statement
    return list(by_resources.values())


def _key(statement: Statement, **parts: tuple[str, ...]) -> str:
    fixed = [statement.effect, statement.principals, statement.conditions, statement.not_actions]
    return json.dumps([fixed, {name: sorted(set(part)) for name, part in parts.items()}], sort_keys=True, default=list)


def document(statements: Iterable[Statement], *, name: str, limit: int | None = None) -> str:
    """Render a policy without white space. Raises PolicyTooLong where it exceeds `limit` characters."""
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": [statement.render() for statement in statements]}, separators=(",", ":")
    )
    if limit is not None and len(text) > limit:
        raise PolicyTooLong(f"policy {name} takes {len(text)} characters; AWS allows {limit}")
    return text

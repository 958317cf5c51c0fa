"""From the JSON of a policy to statements that can be asked.

Sources, AWS IAM User Guide: "Grammar of the IAM JSON policy language", "AWS JSON policy elements: Principal" and "NotPrincipal",
"IAM JSON policy elements: Action", "NotAction", "Resource", "NotResource", "Version".
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

from stagegate.evaluator.conditions import Condition, compile_condition
from stagegate.evaluator.model import Policy, PolicyError, Principal, PrincipalKind
from stagegate.evaluator.patterns import Context, Pattern, tokens

_VERSIONS = {"2012-10-17", "2008-10-17"}
_ELEMENTS = {
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
}  # fmt: skip
_PRINCIPAL_TYPES = {"AWS", "Service", "Federated", "CanonicalUser"}
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_ACCOUNT = re.compile(r"\d{12}|arn:[a-z-]+:iam::(\d{12}):root")
_IDENTITY = re.compile(
    r"arn:[a-z-]+:(iam::\d{12}:(user|role)|sts::\d{12}:(assumed-role|federated-user))/[\w+=,.@/-]+"
    # What is left in a policy after its user or role was deleted: a unique identifier, which nobody has any more.
    r"|A[A-Z0-9]{15,}"
)


class Match(IntEnum):
    """How closely a Principal element names the one who asks."""

    NONE = 0
    ACCOUNT = 1
    """The account is named: it may delegate, by its identity policies."""
    BEHIND_SESSION = 2
    """The role of the session, or the user behind a federated user: limited by the boundary and session policies."""
    DIRECT = 3
    """The user, the very session, the service, or everyone."""


@dataclass(frozen=True, slots=True)
class Principals:
    everyone: bool
    accounts: frozenset[str]
    identities: frozenset[str]
    services: frozenset[str]
    federated: frozenset[str]
    canonical_users: frozenset[str]

    def match(self, principal: Principal) -> Match:
        if self.everyone:
            return Match.DIRECT
        kind = principal.kind
        if kind is PrincipalKind.SERVICE:
            return Match.DIRECT if principal.arn in self.services else Match.NONE
        if kind is PrincipalKind.FEDERATED:
            return Match.DIRECT if principal.arn in self.federated else Match.NONE
        if principal.arn in self.identities:
            return Match.DIRECT
        if principal.role in self.identities or principal.user in self.identities:
            return Match.BEHIND_SESSION
        if principal.account in self.accounts or principal.canonical_user in self.canonical_users:
            return Match.DIRECT if kind is PrincipalKind.ROOT else Match.ACCOUNT
        return Match.NONE

    def spares(self, principal: Principal) -> bool:
        """Whether a NotPrincipal exempts someone from a Deny: every identity that AWS may check, one after the other, has to be listed.

        "AWS might validate the account first, then the role, and then the assumed-role user"; "you must also specify the account".
        """
        if principal.kind in {PrincipalKind.SERVICE, PrincipalKind.FEDERATED, PrincipalKind.ANONYMOUS}:
            return self.match(principal) is Match.DIRECT
        account = principal.account in self.accounts or principal.canonical_user in self.canonical_users
        named = {principal.arn, principal.role, principal.user} - {""}
        return self.everyone or (account and (principal.kind is PrincipalKind.ROOT or named <= self.identities))


@dataclass(frozen=True, slots=True)
class Statement:
    label: str
    allow: bool
    principals: Principals | None
    not_principals: Principals | None
    action: Callable[[str], bool]
    resource: Callable[[str, Context], bool]
    conditions: tuple[Condition, ...]

    def applies(self, action: str, resource: str, context: Context) -> bool:
        """Whether action (in lower case), resource and conditions fit; the principal is matched apart."""
        return (
            self.action(action)
            and self.resource(resource, context)
            and all(condition(context) for condition in self.conditions)
        )

    def match(self, principal: Principal, has_boundary: bool) -> Match:
        """NotPrincipal with Deny "will always deny any IAM principal that has a permissions boundary policy attached"."""
        if self.not_principals is not None:
            return Match.NONE if not has_boundary and self.not_principals.spares(principal) else Match.DIRECT
        return Match.DIRECT if self.principals is None else self.principals.match(principal)


@lru_cache(maxsize=8192)
def statements(policy: Policy, on_resource: bool) -> tuple[Statement, ...]:
    """The statements of a policy on a resource, or of one on an identity, account or session. Raises PolicyError."""
    try:
        return tuple(_document(policy.document, on_resource))
    except PolicyError as error:
        raise PolicyError(f"policy {policy.name}: {error}") from None


def _document(text: str, on_resource: bool) -> Iterator[Statement]:
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:
        raise PolicyError(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise PolicyError("expected a JSON object")
    if unknown := document.keys() - {"Version", "Id", "Statement"}:
        raise PolicyError(f"unknown element {min(unknown)}")
    version = document.get("Version", "2008-10-17")
    if version not in _VERSIONS:
        raise PolicyError(f"Version is {version!r}, expected 2012-10-17 or 2008-10-17")
    listed = document.get("Statement")
    listed = [listed] if isinstance(listed, dict) else listed
    if not isinstance(listed, list) or not listed:
        raise PolicyError("Statement is missing or empty")
    seen: set[str] = set()
    for index, statement in enumerate(listed):
        sid = statement.get("Sid") if isinstance(statement, dict) else None
        label = f"#{sid}" if sid else f"[{index}]"
        try:
            if sid in seen:
                raise PolicyError("Sid is not unique")
            seen |= {sid} if sid else set()
            yield _statement(statement, label, on_resource, variables=version == "2012-10-17")
        except PolicyError as error:
            raise PolicyError(f"statement {sid or index}: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if repeated := {key for key in keys if keys.count(key) > 1}:
        raise PolicyError(f"element {min(repeated)} is given twice")
    return dict(pairs)


def _statement(statement: Any, label: str, on_resource: bool, variables: bool) -> Statement:
    if not isinstance(statement, dict):
        raise PolicyError("expected a JSON object")
    if unknown := statement.keys() - _ELEMENTS:
        raise PolicyError(f"unknown element {min(unknown)}")
    effect = statement.get("Effect")
    if effect not in {"Allow", "Deny"}:
        raise PolicyError(f"Effect is {effect!r}, expected Allow or Deny")
    principals, not_principals = _principal_elements(statement, on_resource)
    if not_principals and effect == "Allow":
        raise PolicyError("NotPrincipal works only with Deny")
    return Statement(
        label,
        effect == "Allow",
        principals,
        not_principals,
        _action_element(statement),
        _resource_element(statement, on_resource, variables),
        tuple(_conditions(statement.get("Condition", {}), variables)),
    )


def _one_of(statement: Mapping[str, Any], name: str, required: bool) -> str | None:
    present = [element for element in (name, f"Not{name}") if element in statement]
    if len(present) == 2:
        raise PolicyError(f"has both {name} and Not{name}")
    if required and not present:
        raise PolicyError(f"has neither {name} nor Not{name}")
    return present[0] if present else None


def _strings(value: Any, element: str) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(isinstance(each, str) for each in listed):
        raise PolicyError(f"{element}: expected a string or a list of strings")
    return listed


def _principal_elements(statement: Mapping[str, Any], on_resource: bool) -> tuple[Principals | None, Principals | None]:
    element = _one_of(statement, "Principal", required=on_resource)
    if element is None:
        return None, None
    if not on_resource:
        raise PolicyError(f"{element} belongs to policies of resources")
    principals = _principals(statement[element], element)
    return (principals, None) if element == "Principal" else (None, principals)


def _principals(value: Any, element: str) -> Principals:
    if value == "*":
        return Principals(True, *[frozenset()] * 5)
    if not isinstance(value, dict) or not value:
        raise PolicyError(f'{element}: expected "*" or an object such as {{"AWS": …}}')
    if unknown := value.keys() - _PRINCIPAL_TYPES:
        raise PolicyError(f"{element}: unknown type {min(unknown)}")
    named = {kind: _strings(names, f"{element}.{kind}") for kind, names in value.items()}
    accounts, identities = set(), set()
    for name in named.get("AWS", []):
        if account := _ACCOUNT.fullmatch(name):
            accounts.add(account[1] or name)
        elif _IDENTITY.fullmatch(name):
            identities.add(name)
        elif name != "*":
            raise PolicyError(f"{element}.AWS: {name!r} is not an account, user, role or session")
    return Principals(
        "*" in named.get("AWS", []),
        frozenset(accounts),
        frozenset(identities),
        frozenset(named.get("Service", [])),
        frozenset(named.get("Federated", [])),
        frozenset(named.get("CanonicalUser", [])),
    )


def _action_element(statement: Mapping[str, Any]) -> Callable[[str], bool]:
    element = _one_of(statement, "Action", required=True)
    assert element
    exact, patterns = set(), []
    for name in _strings(statement[element], element):
        if not _ACTION.fullmatch(name):
            raise PolicyError(f"{element}: {name!r} is not an action such as s3:GetObject")
        if "*" in name or "?" in name:
            patterns.append(Pattern(tokens(name.lower(), variables=False, wildcards=True)))
        else:
            exact.add(name.lower())

    def listed(action: str) -> bool:
        return action in exact or any(pattern.matches(action, {}) for pattern in patterns)

    return listed if element == "Action" else lambda action: not listed(action)


def _resource_element(
    statement: Mapping[str, Any], on_resource: bool, variables: bool
) -> Callable[[str, Context], bool]:
    """Policies on a resource may leave the element out (trust and repository policies have none): they mean the resource itself."""
    element = _one_of(statement, "Resource", required=not on_resource)
    if element is None:
        return lambda _resource, _context: True
    patterns = []
    for name in _strings(statement[element], element):
        if name != "*" and not name.startswith(("arn:", "${")):
            raise PolicyError(f'{element}: {name!r} is neither an ARN nor "*"')
        parts = tokens(name, variables=variables, wildcards=True)
        patterns.append(Pattern(parts, "text" if name == "*" else "resource"))

    def listed(resource: str, context: Context) -> bool:
        return any(pattern.matches(resource, context) for pattern in patterns)

    return listed if element == "Resource" else lambda resource, context: not listed(resource, context)


def _conditions(block: Any, variables: bool) -> Iterator[Condition]:
    if not isinstance(block, dict):
        raise PolicyError("Condition: expected an object of operators")
    for operator, keys in block.items():
        if not isinstance(keys, dict) or not keys:
            raise PolicyError(f"Condition.{operator}: expected an object of condition keys")
        for key, values in keys.items():
            where = f"Condition.{operator}.{key}"
            listed = values if isinstance(values, list) else [values]
            if not listed or not all(isinstance(value, str | bool | int | float) for value in listed):
                raise PolicyError(f"{where}: expected a string or a list of strings")
            texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in listed]
            try:
                yield compile_condition(operator, key, texts, variables)
            except PolicyError as error:
                raise PolicyError(f"{where}: {error}") from None

"""Rewritings for explained.yaml: each puts the disputed part of a case into words that both sides read alike."""

import json
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from stagegate.evaluator import Policies, Policy, PrincipalKind, Request
from stagegate.evaluator.document import statements
from stagegate.evaluator.engine import context_of
from stagegate.evaluator.patterns import Context, Variable, tokens

from .generate import Case

Statement = dict[str, Any]
Changed = list[Any] | tuple[str, list[Any]] | None
SESSIONS = {PrincipalKind.SESSION, PrincipalKind.FEDERATED_USER}
ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def direct_grant_to_session(request: Request, policies: Policies) -> Policies:
    """The session policy only denies: what it doesn't allow is of no account."""
    if request.principal.kind not in SESSIONS:
        return policies

    def open_up(policy: Policy) -> Policy:
        document = _document(policy)
        denies = [statement for statement in document["Statement"] if statement["Effect"] == "Deny"]
        return Policy.of(policy.name, {**document, "Statement": [*denies, ALLOW_ALL]})

    return replace(policies, session=tuple(open_up(policy) for policy in policies.session))


def federated_user_without_session_policy(request: Request, policies: Policies) -> Policies:
    if request.principal.kind is not PrincipalKind.FEDERATED_USER or policies.session:
        return policies
    nothing = {"Version": "2012-10-17", "Statement": [{**ALLOW_ALL, "Action": "aws-marketplace:Subscribe"}]}
    return replace(policies, session=(Policy.of("nothing", nothing),))


def not_principal_lists_only_part(request: Request, policies: Policies) -> Policies:
    """It spares nobody."""
    if policies.resource is None:
        return policies
    parsed = iter(statements(policies.resource, on_resource=True))

    def widen(statement: Statement, _variables: bool) -> Statement:
        listed = next(parsed).not_principals
        if listed is None or listed.spares(request.principal):
            return statement
        return {**{key: value for key, value in statement.items() if key != "NotPrincipal"}, "Principal": "*"}

    return replace(policies, resource=_rewritten(policies.resource, widen))


def if_exists_with_for_any_value(request: Request, policies: Policies) -> Policies:
    context = context_of(request)

    def drop(operator: str, key: str, values: list[Any], _variables: bool) -> list[Any] | None:
        missing = key.lower() not in context
        return None if operator.startswith("ForAnyValue") and operator.endswith("IfExists") and missing else values

    return _conditions(policies, drop)


def null_variable_in_negated_operator(request: Request, policies: Policies) -> Policies:
    context = context_of(request)

    def drop(operator: str, key: str, values: list[Any], variables: bool) -> list[Any] | None:
        if "Not" not in operator or operator == "Null":
            return values
        left = [value for value in values if not isinstance(value, str) or _has_value(value, variables, context)]
        if left or operator.startswith("ForAnyValue"):
            # Any of the request's values differs from a null value, but there has to be one: it is compared with what nobody has.
            return left or ["nobody-has-this"]
        return None

    return _conditions(policies, drop)


def address_without_prefix(_request: Request, policies: Policies) -> Policies:
    def add(operator: str, _key: str, values: list[Any], _variables: bool) -> list[Any]:
        if "IpAddress" not in operator:
            return values
        return [value if "/" in value else f"{value}/{ip_address(value).max_prefixlen}" for value in values]

    return _conditions(policies, add)


def all_addresses(_request: Request, policies: Policies) -> Policies:
    def halve(operator: str, _key: str, values: list[Any], _variables: bool) -> list[Any]:
        if "IpAddress" not in operator:
            return values
        return [
            half for value in values for half in (("0.0.0.0/1", "128.0.0.0/1") if value == "0.0.0.0/0" else (value,))
        ]

    return _conditions(policies, halve)


def null_variable_in_not_resource(request: Request, policies: Policies) -> Policies:
    context = context_of(request)

    def replace_it(statement: Statement, variables: bool) -> Statement:
        if "NotResource" not in statement:
            return statement
        names = statement["NotResource"] if isinstance(statement["NotResource"], list) else [statement["NotResource"]]
        return {
            **statement,
            "NotResource": [
                name if _has_value(name, variables, context) else "arn:aws:s3:::nobody-has-this" for name in names
            ],
        }

    return _everywhere(policies, replace_it)


def null_of_empty_set(request: Request, policies: Policies) -> Policies:
    """Asked of a key that isn't there."""
    context = context_of(request)

    def ask_other(operator: str, key: str, values: list[Any], _variables: bool) -> Changed:
        return ("aws:userid", values) if operator == "Null" and context.get(key.lower()) == () else values

    return _conditions(policies, ask_other)


def no_variables_in_2008(_request: Request, policies: Policies) -> Policies:
    """In the language of 2012, with its word for a dollar."""

    def modernize(policy: Policy) -> Policy:
        document = json.loads(policy.document)
        if document["Version"] != "2008-10-17" or "${" not in policy.document:
            return policy
        text = json.dumps({**document, "Version": "2012-10-17"})
        return Policy(policy.name, text.replace("${", "${$}{"))

    return _each(policies, modernize)


def star_beyond_colons(_request: Request, policies: Policies) -> Policies:
    def spell_out(name: str) -> list[str]:
        """With the segments that the star may stand for."""
        missing = 5 - name.count(":")
        if name == "*" or missing <= 0:
            return [name]
        head, star, tail = name.partition("*:")
        return [head + "*:" * (missing + 1) + tail] if star else [name + ":*" * missing]

    def widen(statement: Statement, _variables: bool) -> Statement:
        for element in statement.keys() & {"Resource", "NotResource"}:
            names = statement[element] if isinstance(statement[element], list) else [statement[element]]
            statement = {**statement, element: [long for name in names for long in spell_out(name)]}
        return statement

    return _everywhere(policies, widen)


REWRITINGS: dict[str, Callable[[Request, Policies], Policies]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        no_variables_in_2008,
        direct_grant_to_session,
        federated_user_without_session_policy,
        not_principal_lists_only_part,
        if_exists_with_for_any_value,
        null_variable_in_negated_operator,
        address_without_prefix,
        all_addresses,
        null_variable_in_not_resource,
        null_of_empty_set,
        star_beyond_colons,
    )
}


def rewritings(case: Case) -> dict[str, Case]:
    """Those that change the case, each by itself; and all of them together, for a case with several disputed parts."""
    request, policies = case
    changed = {}
    together = policies
    for name, rewrite in REWRITINGS.items():
        rewritten = rewrite(request, policies)
        if rewritten != policies:
            changed[name] = (request, rewritten)
        together = rewrite(request, together)
    if len(changed) > 1:
        changed[" + ".join(changed)] = (request, together)
    return changed


def _has_value(text: str, variables: bool, context: Context) -> bool:
    parts = tokens(text, variables=variables, wildcards=True)
    wanted = (part for part in parts if isinstance(part, Variable))
    return all(part.default is not None or isinstance(context.get(part.key), str) for part in wanted)


def _document(policy: Policy) -> dict[str, Any]:
    document = json.loads(policy.document)
    listed = document["Statement"]
    return {**document, "Statement": listed if isinstance(listed, list) else [listed]}


def _rewritten(policy: Policy, change: Callable[[Statement, bool], Statement]) -> Policy:
    document = _document(policy)
    variables = document["Version"] == "2012-10-17"
    changed = [change(statement, variables) for statement in document["Statement"]]
    return policy if changed == document["Statement"] else Policy.of(policy.name, {**document, "Statement": changed})


def _everywhere(policies: Policies, change: Callable[[Statement, bool], Statement]) -> Policies:
    return _each(policies, lambda policy: _rewritten(policy, change))


def _each(policies: Policies, each: Callable[[Policy], Policy]) -> Policies:
    return Policies(
        tuple(map(each, policies.identity)),
        policies.boundary and each(policies.boundary),
        tuple(map(each, policies.session)),
        tuple(tuple(map(each, level)) for level in policies.scps),
        tuple(tuple(map(each, level)) for level in policies.rcps),
        policies.resource and each(policies.resource),
        policies.resource_must_allow,
    )


def _conditions(policies: Policies, change: Callable[[str, str, list[Any], bool], Changed]) -> Policies:
    """`change` gets operator, key and values, and returns what to put there: other values, key and values, or None for no condition."""

    def each(statement: Statement, variables: bool) -> Statement:
        block: dict[str, dict[str, Any]] = {}
        for operator, keys in statement.get("Condition", {}).items():
            for key, values in keys.items():
                before = values if isinstance(values, list) else [values]
                after = change(operator, key, before, variables)
                new_key, after = after if isinstance(after, tuple) else (key, after)
                if after is not None:
                    block.setdefault(operator, {})[new_key] = values if after == before else after
        if block == statement.get("Condition", {}):
            return statement
        rest = {key: value for key, value in statement.items() if key != "Condition"}
        return {**rest, "Condition": block} if block else rest

    return _everywhere(policies, each)

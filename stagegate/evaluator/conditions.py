"""Condition operators.

Sources, AWS IAM User Guide: "IAM JSON policy elements: Condition operators", "Set operators for multivalued context keys",
"Conditions with multiple context keys or values". Operators and keys are joined by AND, the values of a key by OR; a negated operator
is true when its positive form is false, so its values are joined by NOR.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from operator import eq, ge, gt, le, lt
from typing import Any

from stagegate.evaluator.model import PolicyError
from stagegate.evaluator.patterns import Context, Pattern, resolve, tokens

Test = Callable[[str, Context], bool]
"""Does this value of the request match the one value in the policy?"""
Condition = Callable[[Context], bool]


def compile_condition(operator: str, key: str, values: Sequence[str], variables: bool) -> Condition:
    """One operator with one key. Raises PolicyError for an unknown operator or a value that the operator can't read."""
    name, if_exists, quantifier = _split(operator)
    key = key.lower()
    if name == "Null":
        if if_exists or quantifier:
            raise PolicyError(f"Null takes neither IfExists nor a set operator: {operator}")
        return _null(key, values)
    positive, negated = _NEGATED.get(name, name), name in _NEGATED
    make = _TESTS.get(positive)
    if make is None:
        raise PolicyError(f"unknown condition operator {operator}")
    tests = [make(value, variables) for value in values]

    def holds(value: str, context: Context) -> bool:
        return any(test(value, context) for test in tests) is not negated

    if quantifier:
        return partial(_set, key, quantifier, if_exists, holds)
    return partial(_single, key, if_exists or negated, holds)


def _split(operator: str) -> tuple[str, bool, str]:
    quantifier, colon, name = operator.rpartition(":")
    if colon and quantifier not in {"ForAllValues", "ForAnyValue"}:
        raise PolicyError(f"unknown set operator {quantifier} in {operator}")
    return name.removesuffix("IfExists"), name.endswith("IfExists"), quantifier


def _single(key: str, if_missing: bool, holds: Test, context: Context) -> bool:
    """Without a set operator. A multivalued key never matches: it "requires a condition set operator"."""
    value = context.get(key)
    if value is None:
        return if_missing
    return isinstance(value, str) and holds(value, context)


def _set(key: str, quantifier: str, if_exists: bool, holds: Test, context: Context) -> bool:
    """For a missing key, or one without values, ForAllValues is true and ForAnyValue false."""
    value = context.get(key)
    if value is None and if_exists:
        return True
    values = () if value is None else (value,) if isinstance(value, str) else value
    if quantifier == "ForAllValues":
        return all(holds(each, context) for each in values)
    return any(holds(each, context) for each in values)


def _null(key: str, values: Sequence[str]) -> Condition:
    wanted = set()
    for value in values:
        if value.lower() not in {"true", "false"}:
            raise PolicyError(f"Null takes true or false, not {value!r}")
        wanted.add(value.lower() == "true")
    return lambda context: (context.get(key, ()) == ()) in wanted


def _string_equals(value: str, variables: bool) -> Test:
    parts = tokens(value, variables=variables, wildcards=False)

    def test(actual: str, context: Context) -> bool:
        expected = resolve(parts, context)
        return expected is not None and "".join(map(str, expected)) == actual

    return test


def _string_equals_ignore_case(value: str, variables: bool) -> Test:
    parts = tokens(value, variables=variables, wildcards=False)

    def test(actual: str, context: Context) -> bool:
        expected = resolve(parts, context)
        return expected is not None and "".join(map(str, expected)).lower() == actual.lower()

    return test


def _string_like(value: str, variables: bool) -> Test:
    return Pattern(tokens(value, variables=variables, wildcards=True)).matches


def _arn(value: str, variables: bool) -> Test:
    return Pattern(tokens(value, variables=variables, wildcards=True), "arn").matches


def _bool(value: str, variables: bool) -> Test:
    parts = tokens(value, variables=variables, wildcards=False)
    if all(isinstance(part, str) for part in parts) and value.lower() not in {"true", "false"}:
        raise PolicyError(f"Bool takes true or false, not {value!r}")
    return _string_equals_ignore_case(value, variables)


def _compare(parse: Callable[[str], Any], expectation: str, compare: Callable[[Any, Any], bool]) -> Callable[..., Test]:
    def make(value: str, _variables: bool) -> Test:
        expected = parse(value)
        if expected is None:
            raise PolicyError(f"expected {expectation}, not {value!r}")

        def test(actual: str, _context: Context) -> bool:
            parsed = parse(actual)
            return parsed is not None and compare(parsed, expected)

        return test

    return make


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[+-]?\d+(\.\d+)?", text) else None


@lru_cache(maxsize=1024)
def _date(text: str) -> float | None:
    """Seconds since 1970 of a W3C date ("YYYY-MM", "YYYY-MM-DD", "YYYY-MM-DDThh:mm:ss.sTZD", …; UTC if it has no zone) or of epoch time."""
    if re.fullmatch(r"\d+", text):
        return float(text)
    try:
        date = datetime.fromisoformat(f"{text}-01" if re.fullmatch(r"\d{4}-\d{2}", text) else text)
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _binary(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


@lru_cache(maxsize=4096)
def _address(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _within(
    actual: ipaddress.IPv4Network | ipaddress.IPv6Network, expected: ipaddress.IPv4Network | ipaddress.IPv6Network
) -> bool:
    return actual.version == expected.version and actual.subnet_of(expected)  # type: ignore[arg-type]  # same version


_ORDERS = {"Equals": eq, "LessThan": lt, "LessThanEquals": le, "GreaterThan": gt, "GreaterThanEquals": ge}
_TESTS: dict[str, Callable[[str, bool], Test]] = {
    "StringEquals": _string_equals,
    "StringEqualsIgnoreCase": _string_equals_ignore_case,
    "StringLike": _string_like,
    "Bool": _bool,
    "BinaryEquals": _compare(_binary, "base64", eq),
    "IpAddress": _compare(_address, "an IP address or a range in CIDR notation", _within),
    "ArnEquals": _arn,
    "ArnLike": _arn,
    **{f"Numeric{order}": _compare(_number, "a number", compare) for order, compare in _ORDERS.items()},
    **{
        f"Date{order}": _compare(_date, "a date in ISO 8601 or epoch seconds", compare)
        for order, compare in _ORDERS.items()
    },
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}

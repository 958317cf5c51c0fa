"""Patterns of policies: wildcards, policy variables, ARNs.

Sources, AWS IAM User Guide: "IAM JSON policy elements: Resource", "IAM policy elements: Variables and tags",
"IAM JSON policy elements: Condition operators" (ARN operators).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

Context = Mapping[str, str | tuple[str, ...]]

_VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}")
_SPECIAL = {"*", "?", "$"}
_COLONS_BEFORE_RESOURCE = 5


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key, 'default'}`; the key in lower case, because names of condition keys are not case-sensitive."""

    key: str
    default: str | None


class Wildcard:
    """A `*` or `?` with its meaning, as opposed to the same character out of a variable."""

    __slots__ = ("symbol",)

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol


STAR, QUESTION = Wildcard("*"), Wildcard("?")
Token = str | Variable | Wildcard


def tokens(text: str, *, variables: bool, wildcards: bool) -> list[Token]:
    """Splits a policy string. Policy variables exist only in policies of version 2012-10-17; elsewhere they are plain text."""
    parts: list[Token] = []
    position = 0
    for match in _VARIABLE.finditer(text) if variables else ():
        _plain(text[position : match.start()], wildcards, parts)
        key, default = match[1], match[2]
        parts.append(key if key in _SPECIAL and default is None else Variable(key.lower(), default))
        position = match.end()
    _plain(text[position:], wildcards, parts)
    return parts


def _plain(text: str, wildcards: bool, parts: list[Token]) -> None:
    for piece in re.split(r"([*?])", text) if wildcards else [text]:
        if piece == "*" and wildcards:
            if not parts or parts[-1] is not STAR:
                parts.append(STAR)
        elif piece == "?" and wildcards:
            parts.append(QUESTION)
        elif piece:
            parts.append(piece)


def resolve(parts: Sequence[Token], context: Context) -> list[str | Wildcard] | None:
    """Puts the request's values in. None if a variable has no value ("effectively null: there is no equal or like value").

    Multivalued keys can't be variables. Wildcards inside a value are plain characters.
    """
    resolved: list[str | Wildcard] = []
    for part in parts:
        if isinstance(part, Variable):
            value = context.get(part.key)
            if not isinstance(value, str) or not value:
                value = part.default
            if value is None:
                return None
            resolved.append(value)
        else:
            resolved.append(part)
    return resolved


class Pattern:
    """A string to match against, with wildcards and variables. Compiled once if it has no variables, else once for each set of values."""

    __slots__ = ("_fixed", "_kind", "_parts")

    def __init__(self, parts: Sequence[Token], kind: str = "text") -> None:
        self._parts = parts
        self._kind = kind
        self._fixed: re.Pattern[str] | None = None
        if not any(isinstance(part, Variable) for part in parts):
            self._fixed = _compiled(_regex(parts, kind))  # type: ignore[arg-type]  # no variables are left

    def matches(self, value: str, context: Context) -> bool:
        if self._fixed is not None:
            return self._fixed.fullmatch(value) is not None
        parts = resolve(self._parts, context)
        return parts is not None and _compiled(_regex(parts, self._kind)).fullmatch(value) is not None


@lru_cache(maxsize=16_384)
def _compiled(regex: str) -> re.Pattern[str]:
    return re.compile(regex, re.DOTALL)


def _regex(parts: Sequence[str | Wildcard], kind: str) -> str:
    """`text`: `*` is anything. `resource` and `arn`: in the five segments before the resource, wildcards stay within their segment.

    In a `Resource`, a `*` that ends a segment "can expand to match beyond the colon boundaries"; ARN operators check "each of the six
    colon-delimited components separately", so there it can't.
    """
    if kind == "text":
        return _tail(parts)
    head: list[str] = []
    colons = 0
    for index, part in enumerate(parts):
        if isinstance(part, Wildcard):
            following = parts[index + 1] if index + 1 < len(parts) else ":"
            ends_segment = isinstance(following, str) and following.startswith(":")
            if part is QUESTION:
                head.append("[^:]")
            elif kind == "resource" and ends_segment:
                head.append(".*")
            else:
                head.append("[^:]*")
            continue
        before = _COLONS_BEFORE_RESOURCE - colons
        colons += part.count(":")
        if colons >= _COLONS_BEFORE_RESOURCE:
            *segments, rest = part.split(":", before)
            head.append("".join(re.escape(segment) + ":" for segment in segments))
            return "".join(head) + _tail([rest, *parts[index + 1 :]])
        head.append(re.escape(part))
    return "".join(head)


def _tail(parts: Sequence[str | Wildcard]) -> str:
    """Atomic groups take the first match of each piece between two stars: linear, whatever the policy says."""
    pieces = [""]
    for part in parts:
        if part is STAR:
            pieces.append("")
        else:
            pieces[-1] += "." if part is QUESTION else re.escape(str(part))
    if len(pieces) == 1:
        return pieces[0]
    first, *middle, last = pieces
    return first + "".join(f"(?>.*?{piece})" for piece in middle) + ".*" + last

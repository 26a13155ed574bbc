"""Strict checks of request bodies: a small notation for shapes and the functions that apply it.

A shape is a line of ``member:type`` words. ``*`` after the member name: required. Types: ``text`` (not
blank), ``str``, ``uuid``, ``bool``, ``int``, ``num``, ``iso`` (date-time, becomes epoch ms), ``ms`` (epoch
ms), ``day``, ``url``, ``any``, ``extra``, ``limit``, ``=A|B`` (one of), ``[]T`` (list), ``[+]T`` (list that
is not empty), ``[1]T`` (one, or such a list), ``@name`` (nested shape), ``str/@name`` (either), ``T?`` (null allowed).
``^a,b`` says: exactly one of these members; ``~a,b``: at least one. ``!`` closes the shape for good.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[Any, str, "Ignored"], Any]

Ignored = list[str] | None
"""Where names of unknown members go that are dropped; None: they are refused."""

MAX_PAGE = 100
"""Largest page (vendor contract)."""

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)\Z")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")


class RefusedError(Exception):
    """A failure envelope in the making: its code, and a message that names members, never contents."""

    def __init__(self, code: str, message: str = "", *, status: int = 200) -> None:
        """Keep the code, the message and the HTTP status (200 for nearly all business failures)."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message or code
        self.status = status


def invalid(message: str) -> RefusedError:
    """Return the refusal for a wrong type, a missing or a contradictory member (vendor: ``invalid_input``)."""
    return RefusedError("invalid_input", message)


@dataclass
class Shape:
    """One object shape: members with their checks, and the rules between members."""

    members: dict[str, Check] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    exactly_one: list[list[str]] = field(default_factory=list)
    at_least_one: list[list[str]] = field(default_factory=list)
    closed: bool = False


def check_object(shape: Shape, value: Any, where: str, *, ignored: Ignored) -> dict[str, Any]:
    """Return ``value`` with coerced members, or raise ``invalid_input``.

    Unknown members are refused, or dropped and told in ``ignored`` (except in shapes closed by the vendor).
    """
    if not isinstance(value, dict):
        raise invalid(f"{where or 'body'}: must be an object")
    prefix = f"{where}." if where else ""
    result: dict[str, Any] = {}
    for name, item in value.items():
        check = shape.members.get(name)
        if check is not None:
            result[name] = check(item, prefix + name, ignored)
        elif ignored is None or shape.closed:
            raise invalid(f"{prefix}{name}: unknown member")
        else:
            ignored.append(prefix + name)
    for name in shape.required:
        if name not in result:
            raise invalid(f"{prefix}{name}: required")
    for group in shape.exactly_one:
        if sum(name in result for name in group) != 1:
            raise invalid(f"{where or 'body'}: exactly one of {', '.join(group)}")
    for group in shape.at_least_one:
        if not any(name in result for name in group):
            raise invalid(f"{where or 'body'}: at least one of {', '.join(group)}")
    return result


def parse_iso(value: str) -> int:
    """Return epoch milliseconds of an ISO date-time with a zone; ValueError when it is none."""
    if not DATE_TIME.match(value):
        raise ValueError("not a date-time")
    moment = datetime.fromisoformat(value.upper())
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return delta.days * 86_400_000 + delta.seconds * 1000 + delta.microseconds // 1000


def is_url(value: str) -> bool:
    """Say whether a string is an absolute http(s) URL with a host and without blanks."""
    if re.search(r"[\s<>\"]", value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "." in (parts.hostname or "")
    except ValueError:
        return False


def is_text(value: str) -> bool:
    """Say whether a string can be stored: no NUL, no lone surrogate (guess: what PostgreSQL takes)."""
    return _UNSTORABLE.search(value) is None


def _str(value: Any, where: str, ignored: Ignored) -> str:
    if not isinstance(value, str):
        raise invalid(f"{where}: must be a string")
    if not is_text(value):
        raise invalid(f"{where}: must not contain NUL or half of a surrogate pair")
    return value


def _text(value: Any, where: str, ignored: Ignored) -> str:
    if not _str(value, where, ignored).strip():
        raise invalid(f"{where}: must not be blank")
    return value


def _uuid(value: Any, where: str, ignored: Ignored) -> str:
    if not isinstance(value, str) or not UUID.match(value):
        raise invalid(f"{where}: must be a UUID")
    return value.lower()


def _bool(value: Any, where: str, ignored: Ignored) -> bool:
    """Booleans, and the strings "true" and "false" (vendor changelog, April 2026)."""
    if value in ("true", "false") and isinstance(value, str):
        return value == "true"
    if not isinstance(value, bool):
        raise invalid(f"{where}: must be a boolean")
    return value


def _int(value: Any, where: str, ignored: Ignored) -> int:
    """Integers, and strings of digits (vendor changelog, April 2026)."""
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(f"{where}: must be an integer")
    return value


def _num(value: Any, where: str, ignored: Ignored) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise invalid(f"{where}: must be a number")
    return value


def _iso(value: Any, where: str, ignored: Ignored) -> int:
    try:
        return parse_iso(value)
    except (ValueError, TypeError, OverflowError):
        raise invalid(f"{where}: must be an ISO 8601 date-time with a zone") from None


def _ms(value: Any, where: str, ignored: Ignored) -> int:
    number = _int(value, where, ignored)
    if number < 0:
        raise invalid(f"{where}: must be epoch milliseconds")
    return number


def _day(value: Any, where: str, ignored: Ignored) -> str:
    if not isinstance(value, str) or not DAY.match(value):
        raise invalid(f"{where}: must be YYYY-MM-DD")
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise invalid(f"{where}: no such day") from None
    return value


def _url(value: Any, where: str, ignored: Ignored) -> str:
    if not is_url(_str(value, where, ignored)):
        raise invalid(f"{where}: must be a valid Url")
    return value


def _any(value: Any, where: str, ignored: Ignored) -> Any:
    return value


def _limit(value: Any, where: str, ignored: Ignored) -> int:
    number = _int(value, where, ignored)
    if not 1 <= number <= MAX_PAGE:
        raise invalid(f"{where}: must be from 1 to {MAX_PAGE}")
    return number


def _extra(value: Any, where: str, ignored: Ignored) -> dict[str, str]:
    """Own data of an integration: strings, keys to 100, values to 512 characters, below 1 kB in all."""
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise invalid(f"{where}: must be an object of strings")
    if any(len(key) > 100 or len(item) > 512 for key, item in value.items()):
        raise invalid(f"{where}: key or value too long")
    if sum(len(key) + len(item) for key, item in value.items()) >= 1024:
        raise invalid(f"{where}: must stay below 1 kB")
    return value


_SCALARS: dict[str, Check] = {
    "str": _str,
    "text": _text,
    "uuid": _uuid,
    "bool": _bool,
    "int": _int,
    "num": _num,
    "iso": _iso,
    "ms": _ms,
    "day": _day,
    "url": _url,
    "any": _any,
    "limit": _limit,
    "extra": _extra,
}


def _one_of(options: list[str]) -> Check:
    allowed = frozenset(options)

    def check(value: Any, where: str, ignored: Ignored) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise invalid(f"{where}: must be one of {', '.join(options)}")
        return value

    return check


def _list_of(inner: Check, *, least: int, alone: bool) -> Check:
    def check(value: Any, where: str, ignored: Ignored) -> list[Any]:
        if alone and not isinstance(value, list):
            return [inner(value, where, ignored)]
        if not isinstance(value, list):
            raise invalid(f"{where}: must be a list")
        if len(value) < least:
            raise invalid(f"{where}: must have at least {least} item")
        return [inner(item, f"{where}[{index}]", ignored) for index, item in enumerate(value)]

    return check


def _nullable(inner: Check) -> Check:
    return lambda value, where, ignored: None if value is None else inner(value, where, ignored)


def _nested(shape: Shape) -> Check:
    return lambda value, where, ignored: check_object(shape, value, where, ignored=ignored)


def _either(scalar: Check, nested: Check) -> Check:
    return lambda value, where, ignored: (nested if isinstance(value, dict) else scalar)(value, where, ignored)


def _type(word: str, nested: Mapping[str, Shape]) -> Check:
    """Return the check for one type word of the notation."""
    if word.startswith(("[]", "[+]", "[1]")):
        mark, _, inner = word.partition("]")
        return _list_of(_type(inner, nested), least=len(mark) - 1, alone=mark == "[1")
    if word.startswith("="):
        return _one_of(word[1:].split("|"))
    if word.endswith("?"):
        return _nullable(_type(word[:-1], nested))
    if word.startswith("@"):
        return _nested(nested[word[1:]])
    if "/" in word:
        scalar, shape = word.split("/")
        return _either(_type(scalar, nested), _type(shape, nested))
    return _SCALARS[word]


def compile_shape(line: str, nested: Mapping[str, Shape]) -> Shape:
    """Read one line of the notation; KeyError for an unknown type or nested shape."""
    shape = Shape()
    for word in line.split():
        if word == "!":
            shape.closed = True
        elif word[0] == "^":
            shape.exactly_one.append(word[1:].split(","))
        elif word[0] == "~":
            shape.at_least_one.append(word[1:].split(","))
        else:
            name, _, kind = word.partition(":")
            if name.endswith("*"):
                name = name[:-1]
                shape.required.append(name)
            shape.members[name] = _type(kind, nested)
    return shape

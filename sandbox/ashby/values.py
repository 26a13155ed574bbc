"""Values of custom fields and of feedback answers: what each field type takes (vendor contract and guides)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.ashby.checks import DAY, UUID, invalid, is_text, is_url, parse_iso

INTERVALS = frozenset(
    ("NONE", "1 TIME", "1 HOUR", "1 DAY", "1 WEEK", "2 WEEK", "1 MONTH", "2 MONTH", "3 MONTH", "6 MONTH", "0.5 MONTH")
) | {"1 YEAR"}
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_date(value: Any) -> bool:
    """Say whether a value is an ISO date or date-time."""
    if not isinstance(value, str):
        return False
    try:
        parse_iso(f"{value}T00:00:00Z" if DAY.match(value) else value)
    except (ValueError, OverflowError):
        return False
    return True


def _members(value: Any, names: set[str]) -> bool:
    return isinstance(value, dict) and set(value) == names


def _is_currency(value: Any) -> bool:
    return (
        _members(value, {"value", "currencyCode"})
        and _number(value["value"])
        and isinstance(value["currencyCode"], str)
        and bool(_CURRENCY.match(value["currencyCode"]))
    )


def _is_range(value: Any) -> bool:
    return (
        _members(value, {"type", "minValue", "maxValue"})
        and value["type"] == "number-range"
        and _number(value["minValue"])
        and _number(value["maxValue"])
    )


def _is_compensation(value: Any) -> bool:
    return (
        _members(value, {"type", "minValue", "maxValue", "currencyCode", "interval"})
        and value["type"] == "compensation-range"
        and _number(value["minValue"])
        and _number(value["maxValue"])
        and isinstance(value["currencyCode"], str)
        and bool(_CURRENCY.match(value["currencyCode"]))
        and value["interval"] in INTERVALS
    )


def _is_uuid(value: Any) -> bool:
    return isinstance(value, str) and bool(UUID.match(value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and is_text(value)


SHAPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "Boolean": (lambda value: isinstance(value, bool), "a boolean"),
    "String": (_is_text, "a string"),
    "LongText": (_is_text, "a string"),
    "Email": (lambda value: isinstance(value, str) and bool(_ADDRESS.match(value)), "an e-mail address"),
    "Phone": (_is_text, "a string"),
    "Url": (lambda value: isinstance(value, str) and is_url(value), "an http(s) URL"),
    "UUID": (_is_uuid, "a UUID"),
    "Date": (_is_date, "an ISO 8601 date"),
    "Number": (_number, "a number"),
    "Currency": (_is_currency, '{"value": number, "currencyCode": "USD"}'),
    "NumberRange": (_is_range, "a number-range"),
    "CompensationRange": (_is_compensation, "a compensation-range"),
}

_PLACE = {"city", "region", "country"}

_FEEDBACK_SHAPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "Url": (lambda value: value == "" or (isinstance(value, str) and is_url(value)), "a URL or an empty string"),
    "Date": (lambda value: isinstance(value, str) and bool(DAY.match(value)) and _is_date(value), "YYYY-MM-DD"),
    "Number": (lambda value: isinstance(value, int) and not isinstance(value, bool), "an integer"),
    "Score": (
        lambda value: _members(value, {"score"}) and type(value["score"]) is int and 1 <= value["score"] <= 4,
        '{"score": 1..4}',
    ),
    "RichText": (
        lambda value: _members(value, {"type", "value"}) and value["type"] == "PlainText" and _is_text(value["value"]),
        '{"type": "PlainText", "value": "…"}',
    ),
    "File": (_is_text, "a file handle"),
    "Job": (lambda value: _members(value, {"title", "value"}) and _is_uuid(value["value"]), '{"title", "value": id}'),
    "Location": (
        lambda value: isinstance(value, dict) and bool(value) and set(value) <= _PLACE,
        '{"city", "region", "country"}',
    ),
    "UUID": (lambda value: _is_uuid(value) or (_members(value, {"value"}) and _is_uuid(value["value"])), "a UUID"),
}


def _check_options(kind: str, value: Any, options: list[str], where: str) -> None:
    """Refuse an option that does not exist, or is archived."""
    chosen = value if kind == "MultiValueSelect" else [value]
    if not isinstance(chosen, list) or not all(isinstance(item, str) for item in chosen):
        raise invalid(f"{where}: must be a list of option values")
    if any(item not in options for item in chosen):
        raise invalid(f"{where}: not a value of an option in use")
    if len(set(chosen)) != len(chosen):
        raise invalid(f"{where}: an option twice")


def check_field_value(kind: str, value: Any, options: list[str], *, where: str) -> None:
    """Refuse a value that a custom field of this type does not take; ``options`` are the unarchived values."""
    if kind in ("ValueSelect", "MultiValueSelect"):
        _check_options(kind, value, options, where)
        return
    test, wanted = SHAPES[kind]
    if not test(value):
        raise invalid(f"{where}: must be {wanted}")


def check_answer(kind: str, value: Any, options: list[str], *, where: str) -> None:
    """Refuse a value that a feedback field of this type does not take."""
    if kind in ("ValueSelect", "MultiValueSelect"):
        _check_options(kind, value, options, where)
        return
    test, wanted = _FEEDBACK_SHAPES.get(kind) or SHAPES[kind]
    if not test(value):
        raise invalid(f"{where}: must be {wanted}")

"""Custom fields: which Ashby type fits a Lever field, and how a Lever answer looks as a value of that type.

Value formats: Ashby's reference, "customField.setValue"; Lever's field types: its reference, "Form fields".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from lib.mapping.render import field_value
from lib.mapping.source import Item, clean
from lib.normalize import ms_to_iso

ASHBY_TYPE = {
    "text": "String",
    "university": "String",
    "textarea": "LongText",
    "code": "LongText",
    "note": "LongText",
    "scorecard": "LongText",
    "yes-no": "Boolean",
    "dropdown": "ValueSelect",
    "multiple-choice": "ValueSelect",
    "score-system": "ValueSelect",
    "multiple-select": "MultiValueSelect",
    "date": "Date",
    "currency": "Currency",
    "score": "Number",
    "file-upload": "String",
}
SETTABLE = (
    "Boolean", "Currency", "Date", "LongText", "MultiValueSelect", "Number", "String", "Url", "ValueSelect",
)  # fmt: skip


class MismatchError(ValueError):
    """An answer does not fit the type of the field; it goes to a note instead."""


def option_value(label: str) -> str:
    """The stable identity of an option that the workbook creates."""
    return "lever:" + hashlib.sha256(label.encode("utf-8")).hexdigest()[:16]


def web_url(text: str) -> str:
    """The text when it is an http(s) address with a host, else ""."""
    parts = urlsplit(text) if text and not re.search(r"\s", text) else urlsplit("")
    return text if parts.scheme in ("http", "https") and "." in (parts.hostname or "") else ""


def convert(item: Item, ashby_type: str, *, options: Mapping[str, str]) -> Any:
    """The answer of a form field as `fieldValue` of an Ashby type; MismatchError when it does not fit.

    `options` is {label, case-folded: option value} of a select field.
    """
    value = item.get("value")
    if ashby_type in ("ValueSelect", "MultiValueSelect"):
        found = [_option(one, options) for one in chosen(item, options)]
        if ashby_type == "ValueSelect" and len(found) != 1:
            raise MismatchError(ashby_type)
        return found if ashby_type == "MultiValueSelect" else found[0]
    if ashby_type == "Number" and item.get("type") in ("currency", "date"):
        raise MismatchError(ashby_type)  # an amount without its currency, a moment in milliseconds
    plain = {"Boolean": _boolean, "Number": _number}.get(ashby_type)
    return plain(value) if plain else _special(item, ashby_type)


def chosen(item: Item, options: Collection[str]) -> list[Any]:
    """The values of an answer; a multiple-select may come as one text with commas (an example of Lever's reference).

    `options` are case-folded: what is an option as it stands is not taken apart.
    """
    value = item.get("value")
    if isinstance(value, list):
        return value
    if item.get("type") == "multiple-select" and isinstance(value, str) and clean(value).casefold() not in options:
        parts = [part.strip() for part in value.split(",")]
        if all(part.casefold() in options for part in parts):
            return parts
    return [value]


def _special(item: Item, ashby_type: str) -> Any:
    value, text = item.get("value"), field_value(item)
    if ashby_type in ("String", "LongText") or (ashby_type == "Url" and web_url(text)):
        return text
    if ashby_type == "Date" and item.get("type") == "date" and isinstance(value, int):
        return ms_to_iso(value)
    if ashby_type == "Currency" and item.get("currency"):
        return {"value": _number(value), "currencyCode": clean(item["currency"])}
    raise MismatchError(ashby_type)


def _boolean(value: Any) -> bool:
    known = {"yes": True, "no": False, "true": True, "false": False}
    text = clean(value).casefold()
    if text not in known:
        raise MismatchError("Boolean")
    return known[text]


def _number(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value.strip()):
        return float(value) if "." in value else int(value)
    raise MismatchError("Number")


def _option(value: Any, options: Mapping[str, str]) -> str:
    found = options.get(clean(value).casefold())
    if found is None:
        raise MismatchError("option")
    return found

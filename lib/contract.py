"""Our own small contract of the endpoints we use: what a body may hold, what a write means, what an answer must have.

`contracts/ashby.json` holds one JSON Schema per Ashby request body (source: the vendor's reference pages,
developers.ashbyhq.com/reference, read in 2026) and three facts per endpoint: the permission it needs, whether it
reads or writes, and how it may be repeated. `contracts/lever.json` names the attributes that Lever's answers have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, Literal
from urllib.parse import urlsplit

import fastjsonschema

from lib.errors import ContractError

Effect = Literal["read", "append", "set", "get_or_create"]
NIL_UUID = "00000000-0000-4000-8000-000000000000"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _is_uuid(text: str) -> bool:
    return bool(_UUID.fullmatch(text))


def _is_date_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and "." in (parts.hostname or "") and not re.search(r"\s", text)
    except ValueError:
        return False


FORMATS = {"uuid": _is_uuid, "date-time": _is_date_time, "http-url": _is_http_url}


@cache
def ashby_endpoints() -> dict[str, dict[str, Any]]:
    """{endpoint: {permission, effect, request}} of every Ashby endpoint the client may call."""
    return json.loads(resources.files("lib").joinpath("contracts/ashby.json").read_text("utf-8"))


@cache
def lever_objects() -> dict[str, dict[str, Any]]:
    """{stream: {path, required, attributes: {name: type}}} of every Lever list the client reads."""
    return json.loads(resources.files("lib").joinpath("contracts/lever.json").read_text("utf-8"))


@cache
def lever_types() -> dict[str, str]:
    """{name: type} of what several lists hold inside their objects: applications, contacts, forms and their fields."""
    return json.loads(resources.files("lib").joinpath("contracts/lever_types.json").read_text("utf-8"))


def _entry(endpoint: str) -> dict[str, Any]:
    entry = ashby_endpoints().get(endpoint)
    if entry is None:
        raise ContractError(f"{endpoint} is not an endpoint this workbook may call.", hint="See docs/limits.md.")
    return entry


@cache
def _validator(endpoint: str) -> Callable[[Any], Any]:
    """The schema as compiled code: each body is checked twice, when it is planned and when it is sent."""
    return fastjsonschema.compile(_entry(endpoint)["request"], formats=FORMATS, use_default=False)


def effect(endpoint: str) -> Effect:
    """How a repeat of the call behaves: read, append (doubles!), set (harmless), get_or_create (harmless)."""
    return _entry(endpoint)["effect"]


def check_body(endpoint: str, body: dict[str, Any]) -> None:
    """Raise ContractError when `body` is not a legal request of `endpoint`; values are never quoted in the message."""
    try:
        _validator(endpoint)(_filled(body))
    except fastjsonschema.JsonSchemaValueException as error:
        where = "/".join(error.path[1:]) or "the body"
        what = error.rule if error.rule != "additionalProperties" else "unknown member"
        raise ContractError(f"A body for {endpoint} breaks the contract at {where} ({what}).") from None


def _filled(value: Any) -> Any:
    """The body with every reference ($link, $file) replaced by a value of the right shape."""
    if isinstance(value, dict):
        if "$link" in value:
            return NIL_UUID
        if "$file" in value:
            return "handle"
        return {key: _filled(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_filled(child) for child in value]
    return value


def missing_attributes(stream: str, item: object) -> list[str]:
    """Attributes without which a Lever object of `stream` cannot be used; empty when all is well."""
    if not isinstance(item, dict):
        return ["(an object)"]
    return [name for name in lever_objects()[stream]["required"] if item.get(name) is None]


def unknown_attributes(stream: str, item: dict[str, Any]) -> list[str]:
    """Attributes that Lever sent and the contract does not know: kept raw, counted, reported as drift."""
    known = lever_objects()[stream]["attributes"]
    return [name for name in item if name not in known]

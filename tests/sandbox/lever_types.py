"""Reads the type notation of the Lever contract: `uuid|null`, `array<object{id:uuid,name:string?}>`, `enum(a,b)`."""

from __future__ import annotations

import re
from typing import Any

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FORM_FIELD = {
    "id", "type", "text", "description", "required", "value", "prompt", "options", "scores", "currency", "language",
    "isSummary", "summaryText", "overall",
}  # fmt: skip
FORM = {
    "id", "type", "text", "description", "instructions", "user", "fields", "baseTemplateId", "stage", "createdAt",
    "completedAt", "deletedAt",
}  # fmt: skip


def split(text: str, separator: str) -> list[str]:
    """Cut at a separator that stands outside all brackets."""
    parts, depth, part = [], 0, ""
    for letter in text:
        depth += (letter in "<{(") - (letter in ">})")
        if letter == separator and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += letter
    return [*parts, part]


def members(text: str) -> dict[str, str]:
    """`{"name": type}` of the inside of an `object{...}`."""
    return dict(part.split(":", 1) for part in split(text, ","))


def problems(value: Any, kind: str, at: str) -> list[str]:
    """What is wrong with a value; nothing when one of the alternatives of its type fits."""
    found = [_problems(value, one, at) for one in split(kind.removesuffix("?"), "|")]
    return min(found, key=len)


def item_problems(item: Any, attributes: dict[str, str], at: str) -> list[str]:
    """Missing, unknown and wrongly typed attributes of an object."""
    if not isinstance(item, dict):
        return [f"{at} is no object"]
    found = [f"{at}.{name} is not in the contract" for name in item if name not in attributes]
    for name, kind in attributes.items():
        if name in item:
            found += problems(item[name], kind, f"{at}.{name}")
        elif not kind.endswith("?"):
            found.append(f"{at}.{name} is missing")
    return found


def _problems(value: Any, kind: str, at: str) -> list[str]:
    if kind.startswith("array"):
        if not isinstance(value, list):
            return [f"{at} is no array"]
        inner = kind[6:].rpartition(">")[0]
        found = [text for one in value for text in (problems(one, inner, f"{at}[]") if inner else [])]
        return [*found, f"{at} has {len(value)} items"] if kind.endswith("(0..1)") and len(value) > 1 else found
    if kind.startswith("object{"):
        return item_problems(value, members(kind[7:-1]), at)
    if kind.startswith("object<"):
        inner = split(kind[7:-1], ",")[1]
        rows = value.items() if isinstance(value, dict) else [("", None)]
        return [text for name, one in rows for text in problems(one, inner, f"{at}.{name}")]
    if kind in ("form_field", "form"):
        known = FORM_FIELD if kind == "form_field" else FORM
        return [] if isinstance(value, dict) and {"type", "text"} <= set(value) <= known else [f"{at} is no {kind}"]
    return [] if _is(value, kind) else [f"{at} is {value!r}, not {kind}"]


def _is(value: Any, kind: str) -> bool:
    """Whether a plain value is of a plain type."""
    name, _, inner = kind.partition("(")
    if name == "enum":
        return value in inner.removesuffix(")").split(",")
    if name in ("integer", "epoch_ms"):
        good = isinstance(value, int) and not isinstance(value, bool)
        return good and not (name == "epoch_ms" and not 10**12 < value < 10**13)
    if name == "string":
        return isinstance(value, str) and (not inner.startswith("'") or value == inner.strip("')"))
    return {
        "uuid": isinstance(value, str) and bool(UUID.fullmatch(value)),
        "stage_id": isinstance(value, str) and value != "",
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "object": isinstance(value, dict),
        "null": value is None,
    }[name]

"""Where Lever's answers differ from what its reference and recorded answers show: counted, named, never changed.

A shape is told as the contract writes it: `uuid|null`, `enum(active,inactive)`, `array<…>`, `object{name:type,…}`; a
`?` behind a type means that the attribute may be absent. What an answer may lack is not drift: only what it holds is
compared, because a reference that forgets an attribute says little and a value of another kind says much.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lib import contract
from lib.errors import ContractError

MOST_EXAMPLES = 3
PLAIN = re.compile(r"[A-Za-z0-9_-]{1,40}")  # what may be shown of a value: a word that no person wrote
TEXTS = ("string", "uuid", "stage_id")
Found = tuple[str, str]  # (attribute, what is odd about it)


@dataclass(frozen=True)
class Shape:
    """One alternative of a type: its kind, the values of an enum, what an array or an object holds."""

    kind: str
    values: tuple[str, ...] = ()
    inner: tuple[Shape, ...] = ()
    members: dict[str, tuple[Shape, ...]] = field(default_factory=dict)


@dataclass
class Drift:
    """What is odd in the objects of one stream, so far."""

    stream: str
    counts: Counter[Found] = field(default_factory=Counter)
    examples: dict[Found, list[str]] = field(default_factory=dict)

    def look(self, item: dict[str, Any]) -> None:
        """Compare one object; what is odd in it several times counts once."""
        for found in set(_object(item, shapes_of(self.stream), "")):
            self.counts[found] += 1
            ids = self.examples.setdefault(found, [])
            if len(ids) < MOST_EXAMPLES:
                ids.append(plain_id(item))

    def rows(self) -> list[dict[str, Any]]:
        """{stream, attribute, what, n_records, ids}, in a fixed order."""
        return [
            {"stream": self.stream, "attribute": name, "what": what, "n_records": n}
            | {"ids": " ".join(self.examples[name, what])}
            for (name, what), n in sorted(self.counts.items())
        ]


def _object(item: dict[str, Any], members: dict[str, tuple[Shape, ...]], path: str) -> Iterator[Found]:
    for name, value in item.items():
        where = f"{path}{name if PLAIN.fullmatch(name) else '(odd name)'}"
        if name not in members:
            yield where, "unknown attribute"
        else:
            yield from _value(value, members[name], where)


def _value(value: Any, shapes: tuple[Shape, ...], where: str) -> Iterator[Found]:
    if value is None:  # what may be null is told too seldom to go by it
        return
    fitting = [shape for shape in shapes if _fits(value, shape.kind)]
    if not fitting:
        yield where, f"{_kind(value)} instead of {' or '.join(dict.fromkeys(_word(one.kind) for one in shapes))}"
        return
    enums = [shape for shape in fitting if shape.kind == "enum"]
    if enums and len(enums) == len(fitting) and not any(value in shape.values for shape in enums):
        yield where, f"unknown value {value if PLAIN.fullmatch(value) else '(not a plain word)'}"
    for shape in fitting[:1]:
        if isinstance(value, list) and shape.inner:
            for one in value:
                yield from _value(one, shape.inner, f"{where}[]")
        elif isinstance(value, dict) and shape.members:
            yield from _object(value, shape.members, f"{where}.")


def _fits(value: Any, kind: str) -> bool:
    if kind == "any":
        return True
    if kind in ("epoch_ms", "integer"):
        return isinstance(value, int) and not isinstance(value, bool)
    return _kind(value) == _word(kind)


def _word(kind: str) -> str:
    """The kind of a JSON value that a type stands for."""
    if kind in (*TEXTS, "enum"):
        return "text"
    words = {"epoch_ms": "whole number", "integer": "whole number", "array": "list", "boolean": "yes or no"}
    return words.get(kind, kind)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "yes or no"
    return {str: "text", int: "number", float: "number", list: "list", dict: "object"}.get(type(value), "null")


def plain_id(item: object) -> str:
    """The id of an object, where it has one that may be shown."""
    lever_id = item.get("id") if isinstance(item, dict) else None
    return lever_id if isinstance(lever_id, str) and PLAIN.fullmatch(lever_id) else "?"


def broken(stream: str, item: object) -> list[str]:
    """What an object lacks, or holds as another kind of value, of the attributes that we cannot do without."""
    missing = contract.missing_attributes(stream, item)
    if missing or not isinstance(item, dict):
        return missing
    shapes = {name: shapes_of(stream)[name] for name in contract.lever_objects()[stream]["required"]}
    flat = {name: tuple(Shape(one.kind) for one in shape) for name, shape in shapes.items()}
    wrong = [f"{name} ({what})" for key in flat for name, what in _value(item[key], flat[key], key)]
    contact = item.get("contact") if "contact" in shapes else None
    nameless = isinstance(contact, dict) and not isinstance(contact.get("id"), str)
    return wrong + ["contact.id"] * nameless


def check_shape(stream: str, items: list[dict[str, Any]]) -> None:
    """Raise ContractError that names the attribute when an object lacks what we cannot do without, or has it odd."""
    for item in items:
        wrong = broken(stream, item)
        if wrong:
            raise ContractError(
                f"Lever: an object of {stream} (id {plain_id(item)}) has no usable {', '.join(wrong)}.",
                hint="Lever's answers have changed; nothing was guessed. Compare lib/contracts/lever.json.",
            )


def check_expanded(items: list[dict[str, Any]]) -> None:
    """An `expand` that Lever ignored would lose postings and answers without a word: stop instead."""
    for item in items:
        plain = [one for one in item.get("applications") or [] if not isinstance(one, dict)]
        if plain or not isinstance(item["contact"], dict):
            raise ContractError(f"Lever did not expand applications and contact of opportunity {item['id']}.")


@cache
def shapes_of(stream: str) -> dict[str, tuple[Shape, ...]]:
    """{attribute: its type, as alternatives} of the objects of a stream."""
    told = contract.lever_objects()[stream]["attributes"]
    return {name: _alternatives(text) for name, text in told.items()}


@cache
def _alternatives(text: str) -> tuple[Shape, ...]:
    return tuple(_shape(one) for one in _split(text.removesuffix("?"), "|"))


def _shape(text: str) -> Shape:
    if text.startswith("enum("):
        return Shape("enum", values=tuple(text[5:-1].split(",")))
    plain = re.sub(r"\([^()]*\)$", "", text)  # a remark: integer(minutes)
    if plain.startswith("array<"):
        return Shape("array", inner=_alternatives(plain[6:-1]))
    if plain.startswith("object{"):
        pairs = (one.partition(":") for one in _split(plain[7:-1], ","))
        return Shape("object", members={name: _alternatives(kind) for name, _, kind in pairs})
    name = plain.partition("<")[0]  # object<string,…> is a map under names of the customer's own
    return _shape(contract.lever_types()[name]) if name in contract.lever_types() else Shape(name)


def _split(text: str, mark: str) -> list[str]:
    """`text` cut at each `mark` that stands in no bracket."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "<{(") - (letter in ">})")
        if letter == mark and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]

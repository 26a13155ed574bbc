"""Rows of the plan: one per intended Ashby call, checked against the contract when it is made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lib.contract import check_body
from lib.errors import ContractError

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One intended call. `kind` is an Ashby endpoint, or "link" (no call: an existing object is adopted).

    `needs` are row ids that must be done before; `link` is the key under which the resulting Ashby id is known.
    """

    row_id: str
    kind: str
    lever_type: str
    lever_id: str
    person: str
    seq: int
    needs: tuple[str, ...]
    body: Body
    link: str

    @property
    def body_hash(self) -> str:
        """SHA-256 of the canonical JSON of the body."""
        return digest(canonical(self.body))


def canonical(value: Any) -> bytes:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def digest(text: bytes) -> str:
    """SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text).hexdigest()


class Hash:
    """SHA-256 over (row_id, body_hash, needs, person, seq) of the rows of a plan, in order, as they come."""

    def __init__(self) -> None:
        self._total = hashlib.sha256()

    def add(self, row: PlanRow, body_hash: str) -> None:
        """The next row; `body_hash` is that of its body."""
        self._total.update(canonical([row.row_id, body_hash, list(row.needs), row.person, row.seq]) + b"\n")

    def hexdigest(self) -> str:
        """The hash of what was added so far."""
        return self._total.hexdigest()


def plan_hash(rows: Iterable[PlanRow]) -> str:
    """SHA-256 over (row_id, body_hash, needs, person, seq) of all rows, in order."""
    total = Hash()
    for row in rows:
        total.add(row, row.body_hash)
    return total.hexdigest()


def link(key: str) -> dict[str, str]:
    """The place in a body where the Ashby id known as `key` will stand."""
    return {"$link": key}


def links_in(value: Any) -> Iterator[str]:
    """All keys of references that a body holds."""
    if isinstance(value, dict):
        if isinstance(value.get("$link"), str):
            yield value["$link"]
        for child in value.values():
            yield from links_in(child)
    elif isinstance(value, list):
        for child in value:
            yield from links_in(child)


class Carried(Protocol):
    """What earlier loads have carried out."""

    def of(self, person: str) -> Mapping[str, Body]:
        """{row id: body} of a person's rows of the plan in force that were carried out as they stand there."""

    def stands(self, row_id: str) -> bool:
        """Whether a row was carried out, for whomever."""


class Nothing:
    """Nothing was loaded yet."""

    def of(self, person: str) -> Mapping[str, Body]:
        """No rows."""
        return {}

    def stands(self, row_id: str) -> bool:
        """No."""
        return False


@dataclass
class Chain:
    """Makes the rows of one person (or of the set-up, person ""), in order.

    `known` says which rows must be done before a reference can be filled: {link key: row ids}; `earlier` are the bodies
    of the rows of this person that were carried out, as the plan in force holds them: {row id: body}; `stands` tells
    of any row whether it was carried out, for whomever.
    """

    person: str
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    earlier: Mapping[str, Body] = field(default_factory=dict)
    stands: Callable[[str], bool] = lambda row_id: False
    rows: list[PlanRow] = field(default_factory=list)

    def add(
        self,
        kind: str,
        lever_type: str,
        lever_id: str,
        *,
        body: Body,
        part: str = "",
        gives: str = "",
        after: tuple[str, ...] = (),
    ) -> PlanRow:
        """Append one row; ContractError when its body is not legal or names something nobody makes."""
        row_id = "/".join(text for text in (kind, lever_type, lever_id, part) if text)
        if kind != "link":
            check_body(kind, body)
        row = PlanRow(
            row_id,
            kind,
            lever_type,
            lever_id,
            self.person,
            len(self.rows),
            self._needs(row_id, body, after),
            body,
            gives,
        )
        self.rows.append(row)
        if gives:
            self.known[gives] = (row_id,)
        return row

    def _needs(self, row_id: str, body: Body, after: tuple[str, ...]) -> tuple[str, ...]:
        needs = set(after)
        for key in links_in(body):
            if key not in self.known:
                raise ContractError(f"Plan row {row_id} refers to {key.split(':')[0]}, which no row makes.")
            needs.update(self.known[key])
        return tuple(sorted(needs))

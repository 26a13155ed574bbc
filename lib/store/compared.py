"""Two plans beside each other: which rows are new, which are gone, and in which members of their bodies others differ.

The older plan is read from its store, the newer one comes row by row; of four million rows some 32 MB are in memory.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from sqlalchemy import func, select

from lib.store import BATCH, Store
from lib.store import tables as t

Row = Mapping[str, Any]
EXAMPLES = 3
COLUMNS = ("change", "kind", "members", "n_rows", "examples")
WHY = ("where", "what", "n", "examples")
ABOUT = ("row_id", "kind", "lever_type", "lever_id", "person")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One row that does not stand in both plans as it is; `members` are those in which its two bodies differ."""

    what: Literal["new", "changed", "gone"]
    row_id: str
    kind: str
    lever_type: str
    lever_id: str
    person: str
    members: tuple[str, ...] = ()


def rows_of(store: Store) -> Iterator[Row]:
    """The plan in force as its table holds it, in order, in batches."""
    query, after = select(t.plan).order_by(t.plan.c.position).limit(BATCH), -1
    while page := store._rows(query.where(t.plan.c.position > after)):
        yield from (row._mapping for row in page)
        after = page[-1].position


def changes(old: Store, rows: Iterable[Row]) -> Iterator[Change]:
    """What makes `rows` of the plan in force in `old`: new and changed rows as they come, then those that are gone.

    `rows` are as the plan's table holds them: text for the body, and its hash.
    """
    seen, n_both, source = array("Q"), 0, iter(rows)
    while some := list(islice(source, BATCH)):
        seen.extend(_short(row["row_id"]) for row in some)
        hashes = _column(old, "body_hash", [row["row_id"] for row in some])
        n_both += len(hashes)
        differing = [row["row_id"] for row in some if hashes.get(row["row_id"]) not in (None, row["body_hash"])]
        bodies = _column(old, "body", differing)
        for row in some:
            about = [row[name] for name in ABOUT]
            if row["row_id"] not in hashes:
                yield Change("new", *about)
            elif row["row_id"] in bodies:
                yield Change("changed", *about, _differing(bodies[row["row_id"]], row["body"]))
    if n_both < old._rows(select(func.count()).select_from(t.plan))[0][0]:
        yield from _gone(old, seen)


def newer_than(store: Store, raw_id: int) -> dict[str, int]:
    """{stream of Lever: how many records came or changed after raw answer `raw_id`}."""
    query = select(t.heads.c.stream, func.count()).where(t.heads.c.raw_id > raw_id).group_by(t.heads.c.stream)
    return dict(sorted(map(tuple, store._rows(query))))


def summed(found: Iterable[Change]) -> list[dict[str, Any]]:
    """Changes counted by what they are, by endpoint and by the members that differ, the most frequent first."""
    counts: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], list[str]] = {}
    for one in found:
        key = (one.what, one.kind, ", ".join(one.members))
        counts[key] += 1
        if counts[key] <= EXAMPLES:
            examples.setdefault(key, []).append(one.lever_id)
    order = sorted(counts, key=lambda key: (-counts[key], key))
    return [
        {"change": key[0], "kind": key[1], "members": key[2], "n_rows": counts[key], "examples": examples[key]}
        for key in order
    ]


def told(store: Store) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    """(hash of the plan before, what distinguishes the one in force from it, why); nothing while there was none."""
    compared, plan = store.meta("map.compared") or {}, store.meta("plan") or {}
    if not compared or compared["now"] != plan.get("hash"):
        return "", [], []
    return compared["before"], store.results("map", "plan_changes"), store.results("map", "plan_causes")


def _column(store: Store, name: str, ids: list[str]) -> dict[str, str]:
    """{row id: value} of those of these rows that the plan in force holds."""
    query = select(t.plan.c.row_id, t.plan.c[name]).where(t.plan.c.row_id.in_(ids))
    return dict(map(tuple, store._rows(query))) if ids else {}


def _differing(one: str, other: str) -> tuple[str, ...]:
    before, now = json.loads(one), json.loads(other)
    names = sorted(before.keys() | now.keys())
    return tuple(name for name in names if before.get(name, _ABSENT) != now.get(name, _ABSENT))


def _short(row_id: str) -> int:
    """64 bits of a row's id; among four million rows two share them in one of two million plans."""
    return int.from_bytes(hashlib.blake2b(row_id.encode(), digest_size=8).digest(), "big")


def _gone(old: Store, seen: array[int]) -> Iterator[Change]:
    """Rows of the plan in force that were not `seen`."""
    import numpy as np  # noqa: PLC0415 - the command line looks at stores without it

    known = np.sort(np.frombuffer(seen, np.uint64)) if seen else np.zeros(1, np.uint64)
    columns = [t.plan.c.position, *(t.plan.c[name] for name in ABOUT)]
    query, after = select(*columns).order_by(t.plan.c.position).limit(BATCH), -1
    while page := old._rows(query.where(t.plan.c.position > after)):
        short = np.fromiter((_short(row.row_id) for row in page), np.uint64, len(page))
        place = np.minimum(np.searchsorted(known, short), len(known) - 1)
        lacking = known[place] != short
        yield from (Change("gone", *row[1:]) for row, is_gone in zip(page, lacking, strict=True) if is_gone)
        after = page[-1].position

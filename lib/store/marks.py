"""What stands in Ashby by its marks, in a store that was lost: provisional links, and outcomes that were found there.

A provisional link (`marked candidate:<contact>` …) says that an object is ours before there is a plan; without it, what
we wrote would be taken for somebody else's. It gives way to the real link of the row that made the object.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from lib.store import BATCH, Store, dumps, now_ms, unfinished
from lib.store import tables as t
from lib.store.ledger import Planned

PREFIX = "marked "
WINDOW = "recover"
SET_UP = ("custom_field", "tag")
FOUND = "found by "


@dataclass(frozen=True, slots=True)
class Mark:
    """An object in Ashby that is ours: `link` as a plan row would know it; `snapshot`: as it was before us."""

    link: str
    ashby_id: str
    origin: str  # created | existing
    snapshot: Any = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found out about one row: done, again (to be compared and set), parked, or absent (no outcome).

    `how` says by what: marker, fingerprint, records, state, link. `as_made`: the plan is to hold the row as it is here.
    """

    row: Planned
    state: str
    how: str = ""
    ashby_id: str | None = None
    code: str = ""
    note: str = ""
    origin: str = "created"
    snapshot: Any = None
    touched: tuple[str, Any] | None = None
    request: Any = None
    as_made: bool = False


def put_marks(store: Store, marks: Iterable[Mark]) -> None:
    """Replace all provisional links; a second object under the same link is kept under a numbered one."""
    rows: dict[str, dict[str, Any]] = {}
    for mark in marks:
        kind, key, number = mark.link.partition(":")[0], f"{PREFIX}{mark.link}", 2
        while key in rows:
            key, number = f"{PREFIX}{mark.link} ({number})", number + 1
        rows[key] = {
            "link": key, "ashby_type": kind, "ashby_id": mark.ashby_id, "origin": mark.origin, "row_id": "recover",
            "snapshot": None if mark.snapshot is None else dumps(mark.snapshot),
        }  # fmt: skip
    with store.begin() as tx:
        tx.execute(delete(t.links).where(t.links.c.link.startswith(PREFIX, autoescape=True)))
        known = set(tx.execute(select(t.links.c.ashby_id)).scalars())
        store._many(tx, t.links, [row for row in rows.values() if row["ashby_id"] not in known])


def drop_marks(store: Store, *, kinds: Collection[str] = (), ids: Collection[str] = ()) -> None:
    """Forget provisional links: those of some kinds, those of some objects, and those that have become real."""
    with store.begin() as tx:
        marked = t.links.c.link.startswith(PREFIX, autoescape=True)
        rows = tx.execute(select(t.links.c.link, t.links.c.ashby_type, t.links.c.ashby_id).where(marked)).all()
        real = set(tx.execute(select(t.links.c.ashby_id).where(~marked)).scalars())
        for row in rows:
            if row.ashby_type in kinds or row.ashby_id in ids or row.ashby_id in real:
                tx.execute(delete(t.links).where(t.links.c.link == row.link))


def marks(store: Store) -> dict[str, Mark]:
    """The provisional links, by Ashby id."""
    columns = (t.links.c.link, t.links.c.ashby_id, t.links.c.origin, t.links.c.snapshot)
    rows = store._rows(select(*columns).where(t.links.c.link.startswith(PREFIX, autoescape=True)))
    return {
        row.ashby_id: Mark(
            row.link.removeprefix(PREFIX), row.ashby_id, row.origin, json.loads(row.snapshot) if row.snapshot else None
        )
        for row in rows
    }


def record(store: Store, outcomes: Iterable[Outcome], *, chain: str, basis: str, notes: dict[str, Any]) -> None:
    """Commit what was found out about one chain, that it was looked at, and marked notes that are no row of it.

    `notes` is {key: {"marker", "candidate", "note"}}. Nothing of it is half-recorded.
    """
    outcomes = list(outcomes)
    with store.begin() as tx:
        unfinished.forget(tx)
        for one in outcomes:
            if one.state != "absent" or _has_entry(tx, one.row):
                _settle(tx, store, one)
        store.put_ashby(tx, "marked_notes", notes.items(), whole=False)
        store.put_window(tx, WINDOW, chain, n_rows=len(outcomes), basis=basis)


def begin_again(store: Store) -> None:
    """Look at every chain again; what is done stays done."""
    with store.begin() as tx:
        tx.execute(delete(t.windows).where(t.windows.c.stream == WINDOW))
        tx.execute(delete(t.ashby).where(t.ashby.c.kind == "marked_notes"))


def is_untouched(store: Store) -> bool:
    """True when nothing of Ashby is known as ours: no link and no outcome."""
    return not store._rows(select(t.ledger.c.row_id).limit(1)) and not store._rows(select(t.links.c.link).limit(1))


def _has_entry(tx: Connection, row: Planned) -> bool:
    return tx.execute(select(t.ledger.c.row_id).where(t.ledger.c.row_id == row.row_id)).first() is not None


def _settle(tx: Connection, store: Store, one: Outcome) -> None:
    row, state = one.row, "again" if one.state == "absent" else one.state
    if one.as_made:
        _plan_as_made(tx, row)
    note = f"{FOUND}{one.how}{'; ' if one.note else ''}{one.note}" if state == "done" and not one.code else one.note
    values = {
        "state": state, "body_hash": row.body_hash, "ashby_id": one.ashby_id, "code": one.code, "note": note,
        "request_id": "", "at_ms": now_ms(),
    }  # fmt: skip
    if not tx.execute(update(t.ledger).where(t.ledger.c.row_id == row.row_id), values).rowcount:
        tx.execute(insert(t.ledger), values | {"row_id": row.row_id, "attempts": 0, "first_ms": now_ms()})
    if one.request is not None:  # so that a later change is told from somebody else's edit
        call = {"row_id": row.row_id, "endpoint": row.kind, "outcome": state, "request_id": "", "at_ms": now_ms()}
        tx.execute(insert(t.calls), call | {"request": dumps(one.request), "answer": dumps({"found": one.how})})
    if state == "done" and row.link and one.ashby_id:
        _link(tx, store, row, row.link, Mark(row.link, one.ashby_id, one.origin, one.snapshot))
    if one.touched is not None:
        _link(tx, store, row, f"touched:{one.touched[0]}", Mark("", one.touched[0], "existing", one.touched[1]))


def _plan_as_made(tx: Connection, row: Planned) -> None:
    """The row in the plan as it was carried out; a row that the plan does not hold comes at its end."""
    values = {"body": dumps(row.body), "body_hash": row.body_hash}
    if tx.execute(update(t.plan).where(t.plan.c.row_id == row.row_id), values).rowcount:
        return
    position = (tx.execute(select(func.max(t.plan.c.position))).scalar() or 0) + 1
    about = {name: getattr(row, name) for name in ("row_id", "kind", "lever_type", "lever_id", "person", "seq", "link")}
    tx.execute(insert(t.plan), values | about | {"position": position, "needs": dumps(list(row.needs))})


def is_extended(store: Store) -> bool:
    """True when the plan holds rows that a recovery has added."""
    n_rows = store._rows(select(func.count()).select_from(t.plan))[0][0]
    return int(n_rows) != (store.meta("plan") or {}).get("n_rows", n_rows)


def _link(tx: Connection, store: Store, row: Planned, link: str, mark: Mark) -> None:
    values = {
        "ashby_type": link.partition(":")[0], "ashby_id": mark.ashby_id, "origin": mark.origin, "row_id": row.row_id,
        "snapshot": None if mark.snapshot is None else dumps(mark.snapshot),
    }  # fmt: skip
    marked = and_(t.links.c.ashby_id == mark.ashby_id, t.links.c.link.startswith(PREFIX, autoescape=True))
    tx.execute(delete(t.links).where(marked))
    store._upsert(tx, t.links, {"link": link}, values)


def found(store: Store) -> list[tuple[str, str, int]]:
    """(kind, how it was found, how many rows of the plan) of everything that a recovery has found."""
    query = select(t.plan.c.kind, t.ledger.c.note, func.count()).select_from(_of_plan())
    query = query.where(t.ledger.c.state == "done", t.ledger.c.note.startswith(FOUND)).group_by(
        t.plan.c.kind, t.ledger.c.note
    )
    counts: Counter[tuple[str, str]] = Counter()
    for kind, note, n_rows in store._rows(query):
        counts[kind, note.removeprefix(FOUND).partition(";")[0]] += n_rows
    return [(kind, how, n_rows) for (kind, how), n_rows in sorted(counts.items())]


def merged(store: Store) -> list[tuple[str, str]]:
    """(row id, what was said of it) of rows that were found with something to say."""
    query = select(t.plan.c.row_id, t.ledger.c.note).select_from(_of_plan()).order_by(t.plan.c.position)
    query = query.where(t.ledger.c.state == "done", t.ledger.c.note.like(f"{FOUND}%; %"))
    return [(row.row_id, row.note.partition("; ")[2]) for row in store._rows(query)]


def known_ids(store: Store, ids: Iterable[str]) -> set[str]:
    """Those of the Ashby ids that a row of the ledger holds."""
    wanted, known = list(ids), set()
    for start in range(0, len(wanted), BATCH):
        part = t.ledger.c.ashby_id.in_(wanted[start : start + BATCH])
        known |= {row.ashby_id for row in store._rows(select(t.ledger.c.ashby_id).where(part))}
    return known


def _of_plan() -> Any:
    return t.plan.join(t.ledger, t.ledger.c.row_id == t.plan.c.row_id)

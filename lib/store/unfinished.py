"""People whose rows are not all done: what a load still has to look at, so that going on begins at once.

The table names everybody who has an open row, and perhaps somebody who has none. It is filled together with the plan.
A row that is opened puts its person back in the same transaction, and a person leaves only by a statement that looks
once more whether a row is open. A store that was made before the table was is looked through once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, case, delete, exists, func, insert, or_, select

from lib.store import BATCH, Store, often
from lib.store import tables as t

CLOSED = ("done", "refused")
STAMP = "unfinished"


class Frontier(NamedTuple):
    """People whose rows are partly done, the last ones first; and the first one of whom nothing is begun."""

    half_done: list[str]
    untouched: list[str]


class OpenKind(NamedTuple):
    """So many open rows of one kind: those of people, or the set-up rows."""

    kind: str
    of_people: bool
    n_rows: int


class OpenRow(NamedTuple):
    """As much of an open row as tells what it asks before it sets something."""

    kind: str
    body: dict[str, Any]


def is_open(*, refused: bool = False) -> Any:
    """The condition for a row of the plan, joined with its entry, that has no outcome (`refused`: or was refused)."""
    return or_(
        t.ledger.c.state.is_(None),
        t.ledger.c.state.notin_(("done",) if refused else CLOSED),
        t.ledger.c.body_hash != t.plan.c.body_hash,
    )


def joined() -> Any:
    """The plan with what the ledger knows of each row."""
    return t.plan.outerjoin(t.ledger, t.ledger.c.row_id == t.plan.c.row_id)


_OPEN = exists().select_from(joined()).where(t.plan.c.person == t.unfinished.c.person, is_open())
_CLOSE = delete(t.unfinished).where(t.unfinished.c.person.in_(bindparam("people", expanding=True)), ~_OPEN)


def refill(store: Store, tx: Connection, stamp: Any) -> None:
    """Look through the whole plan; `stamp` is the plan that the table is of."""
    tx.execute(delete(t.unfinished))
    begun = case((func.count(t.ledger.c.row_id) > 0, 1), else_=0)
    n_open = func.count().filter(is_open())
    found = select(t.plan.c.person, func.count(), begun).select_from(joined())
    found = found.group_by(t.plan.c.person).having(n_open > 0)
    tx.execute(insert(t.unfinished).from_select(["person", "n_rows", "begun"], found))
    store.put_meta(STAMP, stamp, connection=tx)


def ensure(store: Store) -> None:
    """Fill the table unless it is of the plan in force."""
    stamp = stamp_of(store.meta("plan"))
    if store.meta(STAMP) != stamp:
        with store.begin() as tx:
            refill(store, tx, stamp)


def stamp_of(plan: Any) -> list[Any]:
    """What tells one plan from another, also when both are equal."""
    return [(plan or {}).get(name) for name in ("hash", "made_ms", "n_rows")]


def forget(tx: Connection) -> None:
    """The plan or the ledger was changed by hand (a recovery): look through it before it is used again."""
    tx.execute(delete(t.meta).where(t.meta.c.key == STAMP))


def begin(tx: Connection, person: str) -> None:
    """A row of this person has, or is about to have, an entry and may be open."""
    often.execute(tx, often.begun, {"person": person})


def close(store: Store, people: Collection[str]) -> None:
    """Those of these people leave who have no open row."""
    if people:
        with store.begin() as tx:
            tx.execute(_CLOSE, {"people": list(people)})


def people(store: Store, *, refused: bool = False) -> Iterator[str]:
    """Everybody with an open row, by person ("" for the set-up rows), a page at a time; each once.

    A refusal counts as an outcome, unless `refused` asks for those too: then the whole plan is looked through.
    """
    if not refused:
        ensure(store)
    home = t.plan if refused else t.unfinished
    query = select(home.c.person).distinct().order_by(home.c.person).limit(BATCH)
    page = [row.person for row in store._rows(query)]
    while page:
        wanted = select(t.plan.c.person).distinct().select_from(joined())
        wanted = wanted.where(t.plan.c.person.in_(page), is_open(refused=refused)).order_by(t.plan.c.person)
        yield from [row.person for row in store._rows(wanted)]
        page = [row.person for row in store._rows(query.where(home.c.person > page[-1]))]


def n_rows(store: Store) -> int:
    """How many rows of the plan belong to people who are not finished."""
    return int(store._rows(select(func.coalesce(func.sum(t.unfinished.c.n_rows), 0)))[0][0])


def kinds(store: Store, *, refused: bool = False) -> list[OpenKind]:
    """The open rows of the plan, counted where they are kept: a large plan has millions."""
    of_people = (t.plan.c.person != "").label("of_people")
    query = select(t.plan.c.kind, of_people, func.count().label("n_rows")).select_from(joined())
    query = query.where(is_open(refused=refused)).group_by(t.plan.c.kind, of_people)
    return [OpenKind(row.kind, bool(row.of_people), row.n_rows) for row in store._rows(query)]


def of_linked(store: Store, of_kinds: Collection[str], *, refused: bool = False) -> Iterator[OpenRow]:
    """The open rows of some kinds whose person, or whose object, another row of the plan only links; in order."""
    whose = case((t.plan.c.person != "", t.plan.c.person), else_=t.plan.c.lever_id)
    linked = select(whose).where(t.plan.c.kind == "link").scalar_subquery()
    query = select(t.plan.c.position, t.plan.c.kind, t.plan.c.body).select_from(joined())
    query = query.where(t.plan.c.kind.in_(of_kinds), is_open(refused=refused))
    query = query.where(or_(t.plan.c.person.in_(linked), t.plan.c.lever_id.in_(linked)))
    query = query.order_by(t.plan.c.position).limit(BATCH)
    page = store._rows(query)
    while page:
        yield from (OpenRow(row.kind, json.loads(row.body)) for row in page)
        page = store._rows(query.where(t.plan.c.position > page[-1].position))


def frontier(store: Store, most: int) -> Frontier:
    """The last `most` people whose rows are partly done and partly not begun, the first of whom nothing is begun.

    The second is somebody whom the plan creates: of people who are only linked, no call tells.
    """
    ensure(store)
    done = func.count().filter(t.ledger.c.state == "done", t.plan.c.kind != "link")
    new = func.count().filter(t.ledger.c.row_id.is_(None), t.plan.c.kind != "link")
    created = func.count().filter(t.plan.c.kind == "candidate.create") > 0
    untouched = and_(func.count(t.ledger.c.row_id) == 0, created)
    return Frontier(
        _having(store, begun=1, last=True, condition=and_(done > 0, new > 0), most=most),
        _having(store, begun=0, last=False, condition=untouched, most=1),
    )


def _having(store: Store, *, begun: int, last: bool, condition: Any, most: int) -> list[str]:
    """The first (or last) people for whose rows a condition holds."""
    home, found = t.unfinished.c, list[str]()
    order = home.person.desc() if last else home.person
    query = select(home.person).where(home.begun == begun, home.person != "").order_by(order).limit(BATCH)
    page = [row.person for row in store._rows(query)]
    while page and len(found) < most:
        rows = select(t.plan.c.person).select_from(joined()).where(t.plan.c.person.in_(page))
        rows = rows.group_by(t.plan.c.person).having(condition)
        found += sorted((row.person for row in store._rows(rows)), reverse=last)
        beyond = home.person < page[-1] if last else home.person > page[-1]
        page = [row.person for row in store._rows(query.where(beyond))]
    return found[:most]

"""The plan and the ledger: which Ashby calls are to be made, and what became of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from lib.errors import GateError
from lib.store import Store, dumps, now_ms, often, unfinished
from lib.store import tables as t
from lib.store.unfinished import joined as _joined

BATCH = 500
AMBIGUOUS = "ambiguous"  # code of a row that is parked since a store was recovered: only `recover` looks at it again
CHANGED = "changed"  # code of a row that is parked because its body changed after it was done
PUBLIC = "public"  # code of a private note that is parked because Ashby made it public: no look-up makes it done
HELD = (AMBIGUOUS, CHANGED)  # neither is looked up or sent by a load
CONFLICT = "conflict"  # code of a row that is done but for what somebody else had set; the note names the members
SET_UP = ("jobs", "custom_fields", "tags")  # kinds whose objects are recognised by their title alone
COLUMNS = ("row_id", "kind", "lever_type", "lever_id", "person", "seq", "needs", "body", "body_hash", "link")


@dataclass(frozen=True, slots=True)
class Planned:
    """One intended Ashby call, as the plan holds it; `body` may hold references ($link, $file)."""

    row_id: str
    kind: str
    lever_type: str
    lever_id: str
    person: str
    seq: int
    needs: tuple[str, ...]
    body: dict[str, Any]
    body_hash: str
    link: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger knows of one row: state is intended, done, refused, unknown, parked or again."""

    row_id: str
    state: str
    body_hash: str
    attempts: int
    ashby_id: str | None
    code: str
    note: str
    request_id: str
    first_ms: int


class Ledger:
    """Reads the plan, records outcomes. Every method that takes a connection belongs into the caller's transaction."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._begun: set[str] = set()  # people who stand among the unfinished as begun: not to be said row by row

    # ---- plan --------------------------------------------------------------------------------------------------
    def put_plan(self, rows: Iterable[Any], *, plan_hash: str) -> int:
        """Replace the plan by `rows`; returns how many there are.

        A row is any object with the members of Planned, or what `columns_of` makes of one.
        """
        before = {kind: sorted(self.strangers(kind)) for kind in SET_UP}
        with self.store.begin() as tx:
            tx.execute(delete(t.plan))
            n_rows, source = 0, iter(rows)
            while batch := [_numbered(row, n_rows + place) for place, row in enumerate(islice(source, BATCH))]:
                tx.execute(insert(t.plan), batch)
                n_rows += len(batch)
            self._check_open_rows(tx)
            about = {"hash": plan_hash, "n_rows": n_rows, "made_ms": now_ms(), "before": before}
            self.store.put_meta("plan", about, connection=tx)
            unfinished.refill(self.store, tx, unfinished.stamp_of(about))
        self._begun.clear()
        return n_rows

    def _check_open_rows(self, tx: Connection) -> None:
        """A write that may have happened must stay in the plan, as it was sent, until its outcome is known."""
        gone = or_(t.plan.c.row_id.is_(None), t.plan.c.body_hash != t.ledger.c.body_hash)
        unsure = and_(t.ledger.c.state.in_(("intended", "unknown", "parked")), t.ledger.c.code.notin_(HELD))
        joined = t.ledger.outerjoin(t.plan, t.plan.c.row_id == t.ledger.c.row_id)
        ids = tx.execute(select(t.ledger.c.row_id).select_from(joined).where(unsure, gone).limit(5)).scalars().all()
        if ids:
            raise GateError(
                f"Writes without a certain outcome would drop out of the plan: {', '.join(ids)}.",
                hint="Run 05_load for the plan as it is: it looks them up first. Rows that are parked need a person.",
            )

    def n_rows(self) -> int:
        """How many rows the plan had when it was made."""
        return int((self.store.meta("plan") or {}).get("n_rows", 0))

    def people(self) -> Iterator[str]:
        """Everybody of the plan once, by person; "" for the set-up rows."""
        query = select(t.plan.c.person).distinct().order_by(t.plan.c.person).limit(BATCH)
        page = self.store._rows(query)
        while page:
            yield from (row.person for row in page)
            page = self.store._rows(query.where(t.plan.c.person > page[-1].person))

    def fullest(self) -> list[str]:
        """The person with the most rows in the plan; nobody when it has none of people."""
        query = select(t.plan.c.person).where(t.plan.c.person != "").group_by(t.plan.c.person)
        return [row.person for row in self.store._rows(query.order_by(func.count().desc(), t.plan.c.person).limit(1))]

    def plan_hash(self) -> str:
        """The hash of the plan in force, or an empty text."""
        return (self.store.meta("plan") or {}).get("hash", "")

    def strangers(self, kind: str) -> set[str]:
        """Ids of the objects in Ashby, as last read, that this workbook did not create."""
        made = select(t.links.c.ashby_id).where(t.links.c.origin == "created")
        query = select(t.ashby.c.ashby_id).where(t.ashby.c.kind == kind, t.ashby.c.ashby_id.notin_(made))
        return {row.ashby_id for row in self.store._rows(query)}

    def before_us(self) -> set[str]:
        """Ids of the fields, tags and jobs that were in Ashby when the plan was made.

        What an audit reads later may be our own, made by a run that did not live to record it.
        """
        before = (self.store.meta("plan") or {}).get("before", {})
        return {one for kind in SET_UP for one in before.get(kind, ())}

    def rows(self, person: str | None = None) -> Iterator[Planned]:
        """Rows of the plan in order: all, or those of one person ("" for the set-up rows)."""
        if person is not None:
            yield from map(_planned, self.store._rows(_OF_PERSON, {"person": person}))
            return
        query = select(t.plan.c.position, *(t.plan.c[name] for name in COLUMNS)).order_by(t.plan.c.position)
        for page in self._pages(query, t.plan.c.position):
            yield from (_planned(row[1:]) for row in page)

    def rows_of_kind(self, kind: str) -> Iterator[Planned]:
        """Rows of the plan of one kind, in order."""
        query = select(t.plan.c.position, *(t.plan.c[name] for name in COLUMNS)).order_by(t.plan.c.position)
        for page in self._pages(query.where(t.plan.c.kind == kind), t.plan.c.position):
            yield from (_planned(row[1:]) for row in page)

    def row(self, row_id: str) -> Planned | None:
        """One row of the plan."""
        found = self.store._rows(select(*(t.plan.c[name] for name in COLUMNS)).where(t.plan.c.row_id == row_id))
        return _planned(found[0]) if found else None

    def pending_people(self, *, refused: bool = False) -> list[str]:
        """People with at least one row that is not done, or done with another body, in plan order.

        A refusal counts as an outcome, unless `refused` asks for those too.
        """
        query = select(t.plan.c.person, func.min(t.plan.c.position).label("first")).select_from(_joined())
        query = query.where(unfinished.is_open(refused=refused)).group_by(t.plan.c.person).order_by("first")
        return [row.person for row in self.store._rows(query)]

    def holds(self, ashby_id: str) -> bool:
        """True when some row, of this plan or an earlier one, has made or found this object."""
        return bool(self.store._rows(select(t.ledger.c.row_id).where(t.ledger.c.ashby_id == ashby_id).limit(1)))

    def counts(self) -> list[tuple[str, str, int]]:
        """(kind, state, how many rows); rows without an outcome are `planned`, done ones with a new body `changed`."""
        query = select(t.plan.c.kind, t.ledger.c.state, t.ledger.c.body_hash == t.plan.c.body_hash, func.count())
        query = query.select_from(_joined()).group_by(
            t.plan.c.kind, t.ledger.c.state, t.ledger.c.body_hash == t.plan.c.body_hash
        )
        found: dict[tuple[str, str], int] = {}
        for kind, state, same, n in self.store._rows(query):
            name = "planned" if state in (None, "again") else ("changed" if state == "done" and not same else state)
            found[kind, name] = found.get((kind, name), 0) + n
        return sorted((kind, state, n) for (kind, state), n in found.items())

    def entries(self, *states: str) -> Iterator[tuple[Planned, Entry]]:
        """Rows of the plan whose outcome is one of `states`, with their entry."""
        columns = [t.plan.c[name] for name in COLUMNS] + [t.ledger.c[name] for name in Entry.__slots__]
        columns = [t.plan.c.position, *columns]
        query = select(*columns).select_from(_joined()).where(t.ledger.c.state.in_(states)).order_by(t.plan.c.position)
        # what is done may be the whole plan, which is read in pages; of all else there is little, and it is found first
        pages = self._pages(query, t.plan.c.position) if "done" in states else [self.store._rows(query)]
        for row in (row for page in pages for row in page):
            yield _planned(row[1 : len(COLUMNS) + 1]), Entry(*row[len(COLUMNS) + 1 :])

    def _pages(self, query: Any, position: Any) -> Iterator[list[Any]]:
        """The rows of a query whose first column is their position, in batches."""
        after = -1
        while page := self.store._rows(query.where(position > after).limit(BATCH)):
            yield page
            after = page[-1][0]

    def off_plan(self, *states: str) -> list[tuple[str, str, str]]:
        """(row id, state, Ashby id or "") of the ledger's rows in one of `states` that the plan does not hold."""
        joined = t.ledger.outerjoin(t.plan, t.plan.c.row_id == t.ledger.c.row_id)
        query = select(t.ledger.c.row_id, t.ledger.c.state, t.ledger.c.ashby_id).select_from(joined)
        query = query.where(t.plan.c.row_id.is_(None), t.ledger.c.state.in_(states)).order_by(t.ledger.c.row_id)
        return [(row.row_id, row.state, row.ashby_id or "") for row in self.store._rows(query)]

    def conflicts(self) -> list[dict[str, Any]]:
        """{row_id, kind, lever_id, members} of rows that left somebody's own value in Ashby as it was."""
        columns = (t.plan.c.row_id, t.plan.c.kind, t.plan.c.lever_id, t.ledger.c.note)
        query = select(*columns).select_from(_joined()).where(t.ledger.c.code == CONFLICT, t.ledger.c.state == "done")
        return [
            {"row_id": row.row_id, "kind": row.kind, "lever_id": row.lever_id, "members": row.note.split(", ")}
            for row in self.store._rows(query.order_by(t.plan.c.position))
        ]

    def last_ms(self) -> int:
        """When the ledger was last written to (epoch milliseconds, our clock); 0 when it never was."""
        return self.store._rows(select(func.max(t.ledger.c.at_ms).label("last")))[0].last or 0

    def entry(self, row_id: str) -> Entry | None:
        """What is known of one row, whether or not the plan in force holds it."""
        columns = (t.ledger.c[name] for name in Entry.__slots__)
        found = self.store._rows(select(*columns).where(t.ledger.c.row_id == row_id))
        return Entry(*found[0]) if found else None

    def of(self, rows: list[Planned]) -> dict[str, Entry]:
        """{row_id: entry} of those rows that have one."""
        found: dict[str, Entry] = {}
        ids = [row.row_id for row in rows]
        for start in range(0, len(ids), BATCH):
            rows = self.store._rows(_ENTRIES, {"ids": ids[start : start + BATCH]})
            found |= {row.row_id: Entry(*row) for row in rows}
        return found

    # ---- outcomes ----------------------------------------------------------------------------------------------
    def intend(self, row: Planned, *, touched: tuple[str, Any] | None = None) -> None:
        """Commit that `row` is about to be sent. Nothing leaves before this has returned.

        `touched` is (id, body) of an object that was in Ashby before us and that the row changes: how it was is kept
        before it is changed, so that a plan made after a death stays the same.
        """

        def write(tx: Connection) -> None:
            values = {"row_id": row.row_id, "body_hash": row.body_hash, "at_ms": now_ms()}
            often.execute(tx, often.intention, values)
            if touched is not None and not self._has_link(tx, f"touched:{touched[0]}"):
                self._link(tx, f"touched:{touched[0]}", row, touched[0], "existing", touched[1])

        self._write(row, write)

    def settle(
        self,
        row: Planned,
        state: str,
        *,
        ashby_id: str | None = None,
        code: str = "",
        note: str = "",
        request_id: str = "",
        call: dict[str, Any] | None = None,
        origin: str = "created",
        snapshot: Any = None,
    ) -> None:
        """Commit the outcome of `row`: its state, the call, and the link that it yields when it is done."""
        texts = None if call is None else {name: dumps(call.get(name)) for name in ("request", "answer")}

        def write(tx: Connection) -> None:
            values = {
                "row_id": row.row_id, "state": state, "body_hash": row.body_hash, "ashby_id": ashby_id, "code": code,
                "note": note, "request_id": request_id, "at_ms": now_ms(),
            }  # fmt: skip
            often.execute(tx, often.outcome, values)
            if texts is not None:
                entry = {"row_id": row.row_id, "endpoint": row.kind, "outcome": state, "request_id": request_id}
                often.execute(tx, often.call, entry | texts | {"at_ms": now_ms()})
            if state == "done" and row.link and ashby_id:
                self._link(tx, row.link, row, ashby_id, origin, snapshot)

        self._write(row, write)

    def _has_link(self, tx: Connection, link: str) -> bool:
        return tx.execute(select(t.links.c.link).where(t.links.c.link == link)).first() is not None

    def _write(self, row: Planned, write: Callable[[Connection], None]) -> None:
        """Commit a row's entry, with those of other threads; its person stays unfinished until all rows are done."""

        def whole(tx: Connection) -> None:
            if row.person not in self._begun:
                unfinished.begin(tx, row.person)
            write(tx)

        self.store.write(whole)
        self._begun.add(row.person)

    def finish(self, people: Collection[str]) -> None:
        """Those of these people whose rows all have an outcome need not be looked at again. No chain of theirs runs."""
        self._begun.difference_update(people)
        unfinished.close(self.store, people)

    def _link(self, tx: Connection, link: str, row: Planned, ashby_id: str, origin: str, snapshot: Any) -> None:
        values = {
            "ashby_type": link.partition(":")[0], "ashby_id": ashby_id, "origin": origin,
            "row_id": row.row_id, "snapshot": None if snapshot is None else dumps(snapshot),
        }  # fmt: skip
        often.execute(tx, often.linking, values | {"link": link})

    def last_request(self, row_id: str) -> Any:
        """The body of the last call of a row that was done, with all references filled in; None when there is none."""
        found = self.requests(row_id)
        return found[-1] if found else None

    def requests(self, row_id: str, *, refused: bool = False) -> list[Any]:
        """The bodies of all calls of a row that were done, oldest first: a later one may set less than the first.

        With `refused` those of calls that were refused, too: they may have been carried out in part.
        """
        outcomes = ["done", "refused"] if refused else ["done"]
        where = and_(t.calls.c.row_id == row_id, t.calls.c.outcome.in_(outcomes))
        query = select(t.calls.c.request).where(where).order_by(t.calls.c.call_id)
        return [json.loads(row.request) for row in self.store._rows(query)]

    def changed_ms(self, row_id: str) -> int:
        """When the ledger last recorded something of a row; 0 when it never has."""
        rows = self.store._rows(select(t.ledger.c.at_ms).where(t.ledger.c.row_id == row_id))
        return int(rows[0].at_ms) if rows else 0

    def newest(self, kind: str, n_rows: int) -> list[tuple[Planned, Entry]]:
        """The rows of one kind that were done last, newest first."""
        columns = [t.plan.c[name] for name in COLUMNS] + [t.ledger.c[name] for name in Entry.__slots__]
        done = and_(t.plan.c.kind == kind, t.ledger.c.state == "done", t.ledger.c.ashby_id.is_not(None))
        query = select(*columns).select_from(_joined()).where(done)
        query = query.order_by(t.ledger.c.at_ms.desc(), t.ledger.c.row_id).limit(n_rows)
        return [(_planned(row[: len(COLUMNS)]), Entry(*row[len(COLUMNS) :])) for row in self.store._rows(query)]

    def target(self, kind: str, ashby_id: str) -> Any:
        """One object of Ashby as it was last read, or None."""
        query = select(t.ashby.c.body).where(t.ashby.c.kind == kind, t.ashby.c.ashby_id == ashby_id)
        found = self.store._rows(query)
        return json.loads(found[0].body) if found else None

    # ---- links -------------------------------------------------------------------------------------------------
    def links(self, *, but: Collection[str] = ()) -> dict[str, str]:
        """{link: Ashby id} of everything that is done, but for objects of the types `but`."""
        query = select(t.links.c.link, t.links.c.ashby_id).where(t.links.c.ashby_type.notin_(but))
        return dict(map(tuple, self.store._rows(query)))

    def link(self, link: str) -> str | None:
        """The Ashby id of one link, or None."""
        found = self.store._rows(_LINK, {"link": link})
        return found[0].ashby_id if found else None

    def link_rows(self) -> Iterator[dict[str, Any]]:
        """{link, ashby_type, ashby_id, origin, row_id} of everything that is done, by link; read in batches."""
        columns = (t.links.c.link, t.links.c.ashby_type, t.links.c.ashby_id, t.links.c.origin, t.links.c.row_id)
        query, after = select(*columns).order_by(t.links.c.link).limit(BATCH), ""
        while page := self.store._rows(query.where(t.links.c.link > after)):
            yield from (dict(row._mapping) for row in page)
            after = page[-1].link

    def move_link(self, link: str, ashby_id: str) -> None:
        """What `link` stands for has another id in Ashby now (its candidate was merged into another one)."""
        with self.store.begin() as tx:
            made = tx.execute(select(t.links.c.row_id).where(t.links.c.link == link)).scalar()
            tx.execute(update(t.links).where(t.links.c.link == link), {"ashby_id": ashby_id})
            tx.execute(update(t.ledger).where(t.ledger.c.row_id == made), {"ashby_id": ashby_id})

    def is_linked(self, ashby_id: str) -> str | None:
        """The link that already holds this Ashby id, or None."""
        found = self.store._rows(select(t.links.c.link).where(t.links.c.ashby_id == ashby_id).limit(1))
        return found[0].link if found else None


def _planned(row: Any) -> Planned:
    values = list(row)
    values[6], values[7] = tuple(json.loads(values[6])), json.loads(values[7])
    return Planned(*values)


def columns_of(row: Any) -> dict[str, Any]:
    """What the plan's table holds of a row, but for its position."""
    values = {name: getattr(row, name) for name in COLUMNS}
    return values | {"needs": dumps(list(row.needs)), "body": dumps(row.body)}


def _numbered(row: Any, position: int) -> dict[str, Any]:
    return (row if isinstance(row, dict) else columns_of(row)) | {"position": position}


_LINK = select(t.links.c.ashby_id).where(t.links.c.link == bindparam("link"))
_PLANNED = select(*(t.plan.c[name] for name in COLUMNS)).order_by(t.plan.c.position)
_OF_PERSON = _PLANNED.where(t.plan.c.person == bindparam("person"))
_ENTRIES = select(*(t.ledger.c[name] for name in Entry.__slots__)).where(
    t.ledger.c.row_id.in_(bindparam("ids", expanding=True))
)

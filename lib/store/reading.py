"""What the plan is made of, read person by person: of a large company only what is in hand is in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, exists, select

from lib.store import BATCH, Store, standing
from lib.store import tables as t

Item = dict[str, Any]
_CHILDREN = (
    select(t.heads.c.stream, t.raw.c.body)
    .join(t.raw, t.raw.c.raw_id == t.heads.c.raw_id)
    .where(t.heads.c.stream.in_(bindparam("streams", expanding=True)), t.heads.c.parent_id == bindparam("parent"))
    .where(t.heads.c.gone == 0)
    .order_by(t.heads.c.stream, t.heads.c.lever_id)
)
_LINK = select(t.links.c.link).where(t.links.c.link == bindparam("link"))


class Written(NamedTuple):
    """One row of the plan that is done: which Lever object it tells of, and its id in Ashby."""

    lever_type: str
    lever_id: str
    kind: str
    link: str | None
    ashby_id: str


class Reading:
    """A store as the mapping reads it; safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.all, self.of, self.get, self.file, self.ashby = store.all, store.of, store.get, store.file, store.ashby

    def every(self, parent_id: str, streams: Sequence[str]) -> dict[str, list[Item]]:
        """{stream: newest bodies of the children of one parent, by lever_id}."""
        found: dict[str, list[Item]] = {name: [] for name in streams}
        for row in self._store._rows(_CHILDREN, {"streams": list(streams), "parent": parent_id}):
            found[row.stream].append(json.loads(row.body))
        return found

    def standing(self, kind: str) -> Iterator[Item]:
        """Objects of the target that this workbook did not make, by id."""
        return standing.bodies(self._store._rows, kind)

    def stood(self, kind: str, ashby_id: str) -> Item | None:
        """One of them."""
        return standing.body(self._store._rows, kind, ashby_id)

    def is_made(self, kind: str, lever_id: str) -> bool:
        """True when this Lever id has an object of this kind (e.g. "application") in Ashby, made or adopted by us."""
        return bool(self._store._rows(_LINK, {"link": f"{kind}:{lever_id}"}))

    def ashby_id(self, kind: str, lever_id: str) -> str:
        """The id in Ashby of the object of this kind that we made or adopted for a Lever id; "" when there is none."""
        query = select(t.links.c.ashby_id).where(t.links.c.link == f"{kind}:{lever_id}")
        return next((str(row.ashby_id) for row in self._store._rows(query)), "")

    def standing_too(self, kind: str) -> list[Item]:
        """Objects of the target, those that this workbook made as well, as they were last read."""
        return self._store.ashby(kind, own=True)

    def people(self) -> Iterator[tuple[Item, list[str]]]:
        """(person as dedupe left it, its contacts) of everybody, by person id."""
        query = select(t.people.c.person, t.people.c.body).order_by(t.people.c.person).limit(BATCH)
        page = self._store._rows(query)
        while page:
            contacts = self.contacts([row.person for row in page])
            yield from ((json.loads(row.body), contacts.get(row.person, [])) for row in page)
            page = self._store._rows(query.where(t.people.c.person > page[-1].person))

    def persons(self, ids: Sequence[str]) -> dict[str, Item]:
        """{person: as dedupe left it} of these people, as many as one statement may name."""
        query = select(t.people.c.person, t.people.c.body).where(t.people.c.person.in_(ids))
        return {row.person: json.loads(row.body) for row in self._store._rows(query)}

    def contacts(self, people: Sequence[str]) -> dict[str, list[str]]:
        """{person: contacts by id} of these people, as many as one statement may name."""
        query = select(t.members.c.person, t.members.c.contact).where(t.members.c.person.in_(people))
        found: dict[str, list[str]] = {}
        for row in self._store._rows(query.order_by(t.members.c.contact)):
            found.setdefault(row.person, []).append(row.contact)
        return found

    def written(self) -> Iterator[Written]:
        """Everything of the plan that is done and has an id in Ashby, in plan order."""
        columns = (t.plan.c.lever_type, t.plan.c.lever_id, t.plan.c.kind, t.plan.c.link, t.ledger.c.ashby_id)
        query = select(t.plan.c.position, *columns).join(t.ledger, t.ledger.c.row_id == t.plan.c.row_id)
        query = query.where(t.ledger.c.state == "done", t.ledger.c.ashby_id != "").order_by(t.plan.c.position)
        after = -1
        while page := self._store._rows(query.where(t.plan.c.position > after).limit(BATCH)):
            yield from (Written(*row[1:]) for row in page)
            after = page[-1].position

    def strays(self) -> list[str]:
        """Contacts of Lever that belong to nobody, by id: the people are older than what was read."""
        heads, own = t.heads.c, t.members.c
        known = exists().where(own.contact == heads.parent_id, own.person == t.people.c.person)
        alone = exists().where(own.person == heads.parent_id)
        self_known = exists().where(t.people.c.person == heads.parent_id) & ~alone
        query = select(heads.parent_id).distinct().where(heads.stream == "opportunities", heads.gone == 0)
        rows = self._store._rows(query.where(~known, ~self_known).order_by(heads.parent_id))
        return [row.parent_id for row in rows]

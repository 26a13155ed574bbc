"""Questions to the store that only one reader asks: whose something is, what a plan knew, when lists were read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select

from lib.store import BATCH, Store, dumps
from lib.store import tables as t

MANY = 20 * BATCH  # ids in one statement that walks through a whole table


def people_of(store: Store, opportunities: Iterable[str], *, since: int = 0) -> dict[str, set[str]]:
    """{opportunity: people of the last dedupe on whom it hangs}, also of opportunities that are gone by now.

    Those that came or changed after raw answer `since` count for every contact that they ever hung on: when contacts
    were merged in Lever, the dedupe knows the one that was lost. The raw answers have no index for that: these few are
    looked for in one walk through all.
    """
    found: dict[str, set[str]] = {}
    ids, moved = sorted(set(opportunities)), []
    heads = select(t.heads.c.lever_id, t.heads.c.raw_id, t.members.c.person)
    heads = heads.outerjoin_from(t.heads, t.members, t.members.c.contact == t.heads.c.parent_id)
    heads = heads.where(t.heads.c.stream == "opportunities")
    for start in range(0, len(ids), BATCH):
        for row in store._rows(heads.where(t.heads.c.lever_id.in_(ids[start : start + BATCH]))):
            moved += [row.lever_id] if row.raw_id > since else []
            if row.person is not None:
                found.setdefault(row.lever_id, set()).add(row.person)
    ever = select(t.raw.c.lever_id, t.members.c.person).distinct()
    ever = ever.join(t.members, t.members.c.contact == t.raw.c.parent_id).where(t.raw.c.stream == "opportunities")
    for start in range(0, len(moved), MANY):
        for row in store._rows(ever.where(t.raw.c.lever_id.in_(moved[start : start + MANY]))):
            found.setdefault(row.lever_id, set()).add(row.person)
    return found


def newest_raw(store: Store) -> int:
    """The number of the newest raw answer; 0 while there is none."""
    return int(store._rows(select(func.max(t.raw.c.raw_id)))[0][0] or 0)


def known_by(store: Store, opportunities: Iterable[str], raw_id: int) -> dict[str, str]:
    """{opportunity: hash of its newest body, empty when gone} of those that have not changed since answer `raw_id`."""
    found: dict[str, str] = {}
    ids = sorted(set(opportunities))
    query = select(t.heads.c.lever_id, t.heads.c.sha256).where(
        t.heads.c.stream == "opportunities", t.heads.c.raw_id <= raw_id
    )
    for start in range(0, len(ids), BATCH):
        found |= dict(map(tuple, store._rows(query.where(t.heads.c.lever_id.in_(ids[start : start + BATCH])))))
    return found


def bodies_by(store: Store, opportunities: Iterable[str], raw_id: int) -> dict[str, Any]:
    """{opportunity: its newest body among the raw answers up to `raw_id`} of those that had one and were not gone.

    For few: the raw answers have no index for it.
    """
    found: dict[str, Any] = {}
    ids = sorted(set(opportunities))
    query = select(t.raw.c.lever_id, t.raw.c.body).order_by(t.raw.c.raw_id)
    query = query.where(t.raw.c.stream == "opportunities", t.raw.c.raw_id <= raw_id)
    for start in range(0, len(ids), MANY):
        found |= dict(map(tuple, store._rows(query.where(t.raw.c.lever_id.in_(ids[start : start + MANY])))))
    return {lever_id: json.loads(body) for lever_id, body in found.items() if body is not None}


def hash_of(body: Any) -> str:
    """The hash under which the store keeps a body."""
    return hashlib.sha256(dumps(body).encode()).hexdigest()


def read_last(store: Store, stream: str) -> int:
    """When a window of `stream` was read last, in epoch milliseconds of this machine; 0 when none was."""
    return int(store._rows(select(func.max(t.windows.c.at_ms)).where(t.windows.c.stream == stream))[0][0] or 0)


def unknown_to_us(store: Store, carried: Mapping[str, Iterable[str]]) -> set[str]:
    """Those of {candidate in Ashby: contacts of Lever whose ids it carries} that hang on a contact and on no link."""
    contacts = {contact for mine in carried.values() for contact in mine}
    linked = among(store, t.links.c.ashby_id, carried)
    made = among(store, t.links.c.link, {f"candidate:{contact}" for contact in contacts})
    is_opportunity = (t.heads.c.stream == "opportunities", t.heads.c.gone == 0)
    here = among(store, t.heads.c.parent_id, contacts, *is_opportunity)
    return {
        ashby_id
        for ashby_id, mine in carried.items()
        if ashby_id not in linked and here & set(mine) and not made & {f"candidate:{contact}" for contact in mine}
    }


def among(store: Store, column: Any, values: Iterable[str], *where: Any) -> set[str]:
    """Those of the values that a column holds."""
    found: set[str] = set()
    wanted = sorted(set(values))
    for start in range(0, len(wanted), BATCH):
        query = select(column).where(column.in_(wanted[start : start + BATCH]), *where)
        found |= {row[0] for row in store._rows(query)}
    return found

"""Ids of a stream, one after the other: any number of them, and never all of them at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, and_, select

from lib.store import Store, now_ms
from lib.store import tables as t
from lib.store.engine import insert_for
from lib.store.looks import among

PAGE = 2_000
Tag = TypeVar("Tag")


def heads_of(store: Store, stream: str) -> Iterator[tuple[str, str]]:
    """(lever_id, parent id) of all objects of `stream` that are not gone, by id; StoreError when it cannot be read."""
    heads, after = t.heads, ""
    query = select(heads.c.lever_id, heads.c.parent_id).where(heads.c.stream == stream, heads.c.gone == 0)
    query = query.order_by(heads.c.lever_id).limit(PAGE)
    while page := store._rows(query.where(heads.c.lever_id > after)):
        yield from ((row.lever_id, row.parent_id) for row in page)
        after = page[-1].lever_id


def known(store: Store, stream: str, ids: Sequence[str]) -> set[str]:
    """Those of the ids that are objects of `stream` and not gone."""
    return among(store, t.heads.c.lever_id, ids, t.heads.c.stream == stream, t.heads.c.gone == 0)


def bodies(store: Store, stream: str, wanted: Iterable[tuple[str, Tag]]) -> Iterator[tuple[dict[str, Any], Tag]]:
    """(newest body, tag) of the wanted (lever_id, tag); those that are gone or were never seen are left out."""
    heads, source = t.heads.c, iter(wanted)
    query = select(heads.lever_id, t.raw.c.body).select_from(t.heads).join(t.raw, t.raw.c.raw_id == heads.raw_id)
    query = query.where(heads.stream == stream, heads.gone == 0)
    while tags := dict(islice(source, PAGE)):
        for row in store._rows(query.where(heads.lever_id.in_(tags)).order_by(heads.lever_id)):
            yield json.loads(row.body), tags[row.lever_id]


def with_ages(store: Store, stream: str, windows: str) -> Iterator[tuple[dict[str, Any], int]]:
    """(newest body, when its window of `windows` was read last, in epoch milliseconds; 0: never) of all, by id."""
    heads, own = t.heads.c, t.windows.c
    read = and_(own.stream == windows, own.key == heads.lever_id)
    query = select(heads.lever_id, t.raw.c.body, own.at_ms).select_from(t.heads)
    query = query.join(t.raw, t.raw.c.raw_id == heads.raw_id).outerjoin(t.windows, read)
    rows = store._paged(query.where(heads.stream == stream, heads.gone == 0), heads.lever_id)
    return ((json.loads(row.body), row.at_ms or 0) for row in rows)


def states(
    store: Store, stream: str, windows: str, only: Sequence[str] | None = None
) -> Iterator[tuple[str, str, str | None]]:
    """(lever_id, hash of the newest body, hash of the body that its window was read for) by id; of `only` these ids.

    None where the window was never read.
    """
    heads, own = t.heads.c, t.windows.c
    read = and_(own.stream == windows, own.key == heads.lever_id)
    query = select(heads.lever_id, heads.sha256, own.basis).select_from(t.heads).outerjoin(t.windows, read)
    query = query.where(heads.stream == stream, heads.gone == 0)
    ids = None if only is None else sorted(set(only))
    for start in range(0, 1 if ids is None else len(ids), PAGE):
        some = query if ids is None else query.where(heads.lever_id.in_(ids[start : start + PAGE]))
        yield from (tuple(row) for row in store._paged(some, heads.lever_id))


def read_now(connection: Connection, stream: str, windows: Mapping[str, str]) -> None:
    """Record that many windows {key: basis} of a stream were read now, with one statement."""
    if not windows:
        return
    statement = insert_for(connection)(t.windows)
    names = ("state", "n_rows", "basis", "at_ms")
    changes = {name: statement.excluded[name] for name in names}
    about = {"stream": stream, "state": "done", "n_rows": 0, "at_ms": now_ms()}
    rows = [about | {"key": key, "basis": basis} for key, basis in windows.items()]
    connection.execute(statement.on_conflict_do_update(index_elements=["stream", "key"], set_=changes), rows)

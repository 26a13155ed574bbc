"""Ids of a stream, one after the other: any number of them, and never all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, select

from lib.store import Store, now_ms
from lib.store import tables as t
from lib.store.engine import insert_for

PAGE = 2_000


def heads_of(store: Store, stream: str) -> Iterator[tuple[str, str]]:
    """(lever_id, parent id) of all objects of `stream` that are not gone, by id; StoreError when it cannot be read."""
    heads, after = t.heads, ""
    query = select(heads.c.lever_id, heads.c.parent_id).where(heads.c.stream == stream, heads.c.gone == 0)
    query = query.order_by(heads.c.lever_id).limit(PAGE)
    while page := store._rows(query.where(heads.c.lever_id > after)):
        yield from ((row.lever_id, row.parent_id) for row in page)
        after = page[-1].lever_id


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

"""Objects of Ashby as they were before us: one by one or in pages, without all links in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import bindparam, select

from lib.store import tables as t

PAGE = 500
Rows = Callable[[Any, Mapping[str, Any] | None], list[Any]]
Item = dict[str, Any]
_BODIES = select(t.ashby.c.ashby_id, t.ashby.c.body).where(t.ashby.c.kind == bindparam("kind"))
_PAGES = _BODIES.order_by(t.ashby.c.ashby_id).limit(PAGE)
_LINKS = select(t.links.c.ashby_id, t.links.c.origin, t.links.c.snapshot).where(
    t.links.c.ashby_id.in_(bindparam("ids", expanding=True))
)


def bodies(rows: Rows, kind: str, *, own: bool = False) -> Iterator[Item]:
    """Objects of one kind by their id, without those that this workbook made; adopted ones as they were then.

    `rows` answers a query. With `own`, everything as it was last read.
    """
    page = rows(_PAGES, {"kind": kind})
    while page:
        yield from ((json.loads(row.body) for row in page) if own else _before_us(rows, page))
        page = rows(_PAGES.where(t.ashby.c.ashby_id > bindparam("after")), {"kind": kind, "after": page[-1].ashby_id})


def body(rows: Rows, kind: str, ashby_id: str) -> Item | None:
    """One such object; None when there is none, or when we made it."""
    found = rows(_BODIES.where(t.ashby.c.ashby_id == bindparam("ashby_id")), {"kind": kind, "ashby_id": ashby_id})
    return next(_before_us(rows, found), None)


def _before_us(rows: Rows, page: Iterable[Any]) -> Iterator[Item]:
    page = list(page)
    made, adopted = set(), {}
    for link in rows(_LINKS, {"ids": [row.ashby_id for row in page]}):
        if link.origin == "created":
            made.add(link.ashby_id)
        elif link.snapshot:
            adopted[link.ashby_id] = link.snapshot
    yield from (json.loads(adopted.get(row.ashby_id, row.body)) for row in page if row.ashby_id not in made)

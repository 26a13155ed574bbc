"""Child lists that are read again though their opportunity has not changed; a reread that was cut off goes on.

The mark in the store says when it began, and is at least as late as the newest reading there was then: no clock, which
may be set back or be that of another machine, makes an earlier reading count as one of this reread.
"""

from __future__ import annotations

from collections.abc import Iterator

from lib.extract import aside
from lib.extract.files import without_bytes
from lib.extract.reports import LISTS_404, lively
from lib.extract.walk import Extract
from lib.extract.windows import DAY
from lib.store import Connection, Store, now_ms
from lib.store.heads import with_ages
from lib.store.looks import read_last

RECENT = 90 * DAY  # what was archived so lately is read again together with what is active: offers get signed later
MARK = "extract.reread"


def begin(walk: Extract) -> None:
    """Mark where this reread begins, unless one of the same kind was cut off and is not too old: that one goes on."""
    if not walk.reread or _goes_on(walk):
        return
    newest = read_last(walk.store, "children")
    with walk.store.begin() as tx:
        mark = {"kind": walk.reread, "began_ms": max(now_ms(), newest)}
        walk.store.put_meta(MARK, mark, connection=tx)
        if walk.reread == "all":
            walk.store.put_meta(LISTS_404, None, connection=tx)


def _goes_on(walk: Extract) -> bool:
    mark = walk.store.meta(MARK) or {}
    too_old = walk.reread_ms and mark and now_ms() - mark["began_ms"] > walk.reread_ms
    return mark.get("kind") == walk.reread and not too_old


def end(store: Store, tx: Connection) -> None:
    """Forget the mark, in the transaction that ends the extraction: the next reread begins anew."""
    store.put_meta(MARK, None, connection=tx)


def again(walk: Extract) -> Iterator[str]:
    """Opportunities whose child lists are read again although they themselves have not changed; some more than once.

    `reread`: those that are active, or were archived or changed in the last 90 days; "all": every one. Those that were
    read since the reread began are not read once more.
    """
    yield from without_bytes(walk.store, walk.file_ms)
    yield from aside.known(walk.store)
    if walk.reread:
        since, began_ms = int(walk.store.meta("extract.since") or 0) - RECENT, walk.store.meta(MARK)["began_ms"]
        for item, at_ms in with_ages(walk.store, "opportunities", "children"):
            if at_ms <= began_ms and (walk.reread == "all" or lively(item, since)):
                yield item["id"]

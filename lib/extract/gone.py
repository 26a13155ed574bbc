"""What Lever does not have any more: its lists of deleted ones, and what is gone without a word.

Few may be gone without being named as deleted, and they are told; far too many stop the run before anything is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from functools import partial
from typing import Any

from lib.extract import unlisted
from lib.extract.lists import confidential_too, deleted_since, keep
from lib.extract.reports import report_gone
from lib.extract.walk import CHILDREN, Extract
from lib.extract.windows import OVERLAP, whole
from lib.store import Connection, now_ms
from lib.store.heads import known


def deleted(walk: Extract) -> None:
    """Read the deleted lists; mark the opportunities and postings that we hold as gone.

    Of applications and postings, what was deleted since the first reading began: earlier ones were never listed.
    """
    now = deleted_opportunities(walk)
    for stream in ("applications", "postings"):
        began = int(walk.store.meta("extract.began")) - OVERLAP
        ask = partial(deleted_since, walk.lever, f"/{stream}/deleted", began, (now or now_ms()) + OVERLAP)
        rows = confidential_too(ask, walk.confidentiality)
        keep(walk, f"{stream}_deleted", rows)
        with walk.store.begin() as tx:
            for item in rows if stream == "postings" else []:
                walk.store.put_gone(tx, stream, item["id"])


def deleted_opportunities(walk: Extract) -> int:
    """Mark what we hold of the deleted opportunities as gone; returns the server's clock."""
    items, now = _deleted_ones(walk)
    held = known(walk.store, "opportunities", [item["id"] for item in items])
    with walk.store.begin() as tx:
        for item in items:
            if item["id"] in held:
                _gone(walk, tx, item["id"])
    return now


def _deleted_ones(walk: Extract) -> tuple[list[dict[str, Any]], int]:
    """Read and keep the list of deleted opportunities; its items, and the server's clock."""
    items, now = confidential_too(partial(whole, walk.lever, "/opportunities/deleted"), walk.confidentiality)
    keep(walk, "opportunities_deleted", items)
    return items, now


def few_enough(walk: Extract, n_all: int) -> Callable[[str], None]:
    """To be told each that is gone: GateError, before all others are asked for, once far too many are not deleted."""
    deleted_ids, unnamed = set[str](), set[str]()

    def check(lever_id: str) -> None:
        if lever_id not in deleted_ids:
            unnamed.add(lever_id)
        if not walk.may_shrink and unlisted.is_shrunk(len(unnamed), n_all):
            deleted_ids.update(item["id"] for item in _deleted_ones(walk)[0])
            unnamed.difference_update(deleted_ids)
            unlisted.check_not_shrunk(len(unnamed), n_all)

    return check


def vanished(walk: Extract, ids: list[str]) -> None:
    """Mark opportunities as gone that are not there any more: far too many that nobody has deleted stop the run."""
    if ids:
        named = {item["id"] for item in _deleted_ones(walk)[0]}
        _mark_gone(walk, sorted(ids), unnamed=set(ids) - named)


def _mark_gone(walk: Extract, ids: list[str], *, unnamed: Set[str]) -> None:
    """Mark opportunities as gone; those that Lever does not name as deleted are told, and few enough, or GateError."""
    if not walk.may_shrink:
        unlisted.check_not_shrunk(len(unnamed), walk.store.count("opportunities"))
    with walk.store.begin() as tx:
        for lever_id in ids:
            _gone(walk, tx, lever_id)
            if lever_id in unnamed:
                walk.store.put_window(tx, "gone", lever_id, n_rows=1)
    report_gone(walk.store)  # at once: a run that is cut off now must not hide them


def _gone(walk: Extract, tx: Connection, lever_id: str) -> None:
    """Mark an opportunity and all that hangs on it as gone; its lists are read anew should it come back."""
    walk.store.put_gone(tx, "opportunities", lever_id)
    walk.store.put_children(tx, lever_id, {stream: [] for stream in CHILDREN})
    walk.store.put_window(tx, "children", lever_id, n_rows=0)
    walk.store.put_window(tx, "unlisted", lever_id, n_rows=0)

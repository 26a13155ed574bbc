"""Is the store older than what stands in Ashby? A backup that was put back, or a copy another machine went on with.

Its ledger would send again what it does not remember. An intention is on disk before anything leaves, so a row that the
ledger has never begun cannot be in Ashby: one that is there anyway was written by a later ledger than this one. People
who carry their Lever id in Ashby are told by that (lib/steps/lost); here it is asked for those who do not carry it yet,
and for what hangs on people whom both ledgers know.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lib.errors import GateError, RejectedError
from lib.load.lookup import Seeker
from lib.store import now_ms, unfinished
from lib.store.ledger import Planned

if TYPE_CHECKING:
    from lib.load import Load

TELLING = ("candidate.create", "application.create", "candidate.createNote", "applicationFeedback.submit")
"""Kinds that are recognised by what only we write: exact times, marks. A file's name may be somebody else's, too."""
MOST = 64  # people: more than ever were under way at once


def check_not_older(load: Load, *, customer: str) -> None:
    """GateError when a row that was never begun is in Ashby.

    Asked for are the next row of everybody whose chain is half done, and the first person who is to be made and of whom
    nothing is begun: one call each, about as many as there were workers.
    """
    for row in _next_rows(load):
        try:
            found = Seeker(load.ashby, load.ledger, first_ms=now_ms()).find(row, load.filled(row.body))
        except (RejectedError, KeyError):  # the load itself will tell; or it hangs on what is not there
            continue
        if any(not load.ledger.holds(one) for one in found):
            raise GateError(
                f"{row.row_id} was never begun by the ledger of {customer} and is in Ashby: the store is older than "
                "what stands there.",
                hint=f"Run: workbook recover {customer} --anew. If another machine goes on with this move, leave it "
                "to that one.",
            )


def _next_rows(load: Load) -> Iterator[Planned]:
    half_done, first = unfinished.frontier(load.store, MOST)
    for person in [*half_done, *first]:
        entries = load.ledger.of(rows := list(load.ledger.rows(person)))
        kinds = TELLING if person in half_done else TELLING[:1]
        row = next((row for row in rows if row.row_id not in entries and row.kind in kinds), None)
        if row is not None:
            yield row

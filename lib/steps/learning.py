"""What the refusals of earlier loads teach, kept with the customer: the next plan does without what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from lib.mapping import Lessons, Outcome, learn
from lib.store.ledger import Ledger
from lib.workbook import Workbook

BATCH = 500


def lessons(book: Workbook, ledger: Ledger) -> Lessons:
    """What is known by now; must be asked before the plan in force, and with it the refused bodies, is replaced."""
    known = Lessons.stored(book.store.meta("lessons"))
    if not any(state == "refused" for _, state, _ in ledger.counts()):
        return known
    standing = [
        str(address.get("value") or "")
        for candidate in book.store.ashby("candidates")
        for address in candidate.get("emailAddresses") or []
    ]
    found = learn(known, _outcomes(ledger), standing=standing)
    if found.open_jobs and not known.open_jobs:
        _try_again(ledger)
    if found != known:
        book.store.put_meta("lessons", found.as_stored())
    return found


def _try_again(ledger: Ledger) -> None:
    """Applications that were refused because of their job, not for what they say: the same body may be taken now."""
    for row, _ in list(ledger.entries("refused")):
        if row.kind == "application.create":
            ledger.settle(row, "again", note="refused while its job was closed, which the plan opens again")


def _outcomes(ledger: Ledger) -> Iterator[Outcome]:
    """Every row of the plan in force, with what became of it as it stands there."""
    rows = ledger.rows()
    while batch := list(islice(rows, BATCH)):
        entries = ledger.of(batch)
        for row in batch:
            entry = entries.get(row.row_id)
            known = entry is not None and entry.body_hash == row.body_hash
            state, code = (entry.state, entry.code) if entry is not None and known else ("", "")
            yield Outcome(row.kind, row.person, row.body, state, code)

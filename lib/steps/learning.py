"""What the refusals of a load speak for: rows of refusals.csv, made before the plan in force is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from lib.decisions import DecisionTable
from lib.mapping import Lessons, Outcome, refusals
from lib.mapping.lessons import NOT_ABOUT_VALUES, contradicted
from lib.mapping.suggest import Rows
from lib.store.ledger import Ledger
from lib.store.reading import Reading
from lib.workbook import Workbook

BATCH = 500


def refused(book: Workbook, ledger: Ledger) -> Rows:
    """Proposals from what became of the plan in force; none while nothing was refused."""
    if not any(state == "refused" for _, state, _ in ledger.counts()):
        return []
    strangers = ledger.strangers("candidates")
    standing = [
        str(address.get("value") or "")
        for candidate in Reading(book.store).standing("candidates")
        if candidate["id"] in strangers
        for address in candidate.get("emailAddresses") or []
    ]
    return refusals(_outcomes(ledger), standing=standing)


def reopen(table: DecisionTable, proposals: Rows) -> None:
    """Take back verdicts that the refusals of the plan in force speak against: somebody has to decide anew."""
    by_id = {str(one["id"]): one for one in proposals}
    rows = [
        row | {"verdict": ""} if row["id"] in by_id and contradicted(by_id[row["id"]], row["verdict"]) else row
        for row in table.rows
    ]
    if rows != table.rows:
        DecisionTable(table.name, table.path, rows, table.columns).write()


def try_again(lessons: Lessons, ledger: Ledger) -> None:
    """Applications that were refused because their job was closed: the same body may be taken once it is open."""
    if not lessons.open_jobs:
        return
    closed = {
        row.body["jobId"]["$link"] for row in ledger.rows_of_kind("job.setStatus") if row.body["status"] == "Closed"
    }
    for row, entry in list(ledger.entries("refused")):
        is_about_job = row.kind == "application.create" and not entry.code.endswith(NOT_ABOUT_VALUES)
        if is_about_job and row.body["jobId"]["$link"] in closed:
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

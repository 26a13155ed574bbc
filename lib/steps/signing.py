"""The loss list as a decision table: what does not arrive as it was is said field by field, and somebody signs it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from lib import decisions
from lib.decisions import DecisionTable
from lib.errors import GateError
from lib.mapping.account import TECHNICAL
from lib.store import Store
from lib.store.ledger import Ledger
from lib.workbook import Workbook, home

Row = dict[str, Any]
ANY = "any"
OF = "map.losses_of"  # the plan whose loss list is kept
SHOWN = 20  # lines that an error names
_ELSEWHERE = ("moved changed", "note")  # treatments after which it stands in Ashby, in another place


def proposals(losses: Iterable[Row]) -> list[Row]:
    """Rows of losses.csv for the loss list of a plan, those that somebody may miss first.

    `confidence` is how sure it is that nobody will: whole records that stay behind 0.50, a single attribute that is
    only archived 0.90, what stands elsewhere in Ashby 0.95, a technical attribute that is only archived 0.97, what has
    no place to go and no use 1.00. The proposed verdict is the count of today.
    """
    rows = [
        {
            "id": f"{loss['lever_type']}.{loss['field']}/{loss['treatment']}/{_short(loss)}",
            "label": f"{loss['lever_type']}: {loss['field']}",
            "treatment": loss["treatment"],
            "where": loss["where"],
            "proposal": str(loss["n_records"]),
            "reason": loss["reason"],
            "confidence": f"{_unmissed(loss):.2f}",
            "n_records": loss["n_records"],
        }
        for loss in losses
    ]
    return sorted(rows, key=lambda row: (row["confidence"], -row["n_records"], row["id"]))


def _short(loss: Row) -> str:
    """Tells apart losses of one field that differ in where it goes, or why."""
    return hashlib.sha256(f"{loss['where']}|{loss['reason']}".encode()).hexdigest()[:8]


def _unmissed(loss: Row) -> float:
    if loss["treatment"] in _ELSEWHERE:
        return 0.95
    if str(loss["field"]).startswith("("):
        return 0.5
    if (loss["lever_type"], loss["field"]) in TECHNICAL:
        return 0.97
    return 0.9 if loss["where"] else 1.0


def table_of(customer: str, store: Store) -> DecisionTable:
    """losses.csv as it has to be for the plan in force: the file's verdicts, the loss list's rows."""
    table = decisions.read(home() / "params" / customer / "losses.csv")
    return table.merge(proposals(store.results("map", "losses")))


def keep(store: Store, rows: list[dict[str, Any]], *, plan_hash: str) -> None:
    """Keep the loss list of a plan, before the plan comes into force: none is loaded by another one's list."""
    store.put_results("map", "losses", rows)
    store.put_meta(OF, plan_hash)


def is_signed(book: Workbook) -> bool:
    """Whether the params file wants the loss list signed at all (policy.losses)."""
    return book.params.policy.losses == "signed"


def unsigned(table: DecisionTable) -> Iterator[tuple[int, decisions.Row]]:
    """(line, row) of each loss that nobody has accepted, or fewer of it than there are now."""
    for line, row in table.numbered():
        n_records = int(row["n_records"]) if _is_number(row["n_records"]) else 1
        if n_records and not _accepts(row["verdict"], n_records):
            yield line, row


def _accepts(verdict: str, n_records: int) -> bool:
    return verdict.casefold() == ANY or (_is_number(verdict) and int(verdict) >= n_records)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def gate(book: Workbook) -> None:
    """GateError with file and line of each loss that is not signed, and of each verdict that is none."""
    if not is_signed(book):
        return
    if book.store.meta(OF) != Ledger(book.store).plan_hash():
        raise GateError("The loss list is not that of the plan in force.", hint="Run 04_map again.")
    table = table_of(book.customer, book.store)
    found = [f"{table.where(line)}: {_told(row)}" for line, row in unsigned(table)]
    if found:
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise GateError(
            f"{len(found)} kinds of loss wait for a signature: {'; '.join(found[:SHOWN])}{more}.",
            hint=f"Read params/{book.customer}/losses.csv and write into the column verdict how many records may go "
            f"this way ('=' for as many as now, or 'any'), or sign all that is listed: workbook sign {book.customer}",
        )


def _told(row: decisions.Row) -> str:
    what = f"{row['label']} ({row['treatment']}, {row['reason']}): {row['n_records']}"
    if not row["verdict"]:
        return f"{what} records"
    if _is_number(row["verdict"]):
        return f"{what} records now, signed for {row['verdict']}"
    return f"{what} records; the verdict {row['verdict']!r} is neither a number nor '{ANY}'"


def sign(
    customer: str, store: Store, *, above: float = 0.0, any_number: bool = False
) -> tuple[list[decisions.Row], int]:
    """Accept the losses of at least the confidence `above`; (the rows that were signed, how many are left unsigned)."""
    table = table_of(customer, store)
    left = [row for _, row in unsigned(table)]
    due = [row["id"] for row in left if float(row["confidence"] or 0) >= above]
    rows = [
        row | {"verdict": ANY if any_number else row["n_records"]} if row["id"] in set(due) else row
        for row in table.rows
    ]
    replace(table, rows=rows).write()
    return [row for row in rows if row["id"] in set(due)], len(left) - len(due)

"""`workbook plan show` and `workbook plan diff`: looking at plans, without a key, a network or a writer's lease."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from rich.console import Console
from rich.table import Table

from lib import params, workbook
from lib.errors import GateError
from lib.store import Store
from lib.store.compared import COLUMNS, WHY, Change, changes, rows_of, summed, told
from lib.store.ledger import Ledger, Planned

out = Console(highlight=False)


@contextlib.contextmanager
def stored(customer: str) -> Iterator[Store]:
    """The store of a customer, for looking only; GateError when there is none."""
    settings, folder = params.load(customer), workbook.folder_of(customer)
    if not settings.store_url and not (folder / "store.db").is_file():
        raise _no_plan(customer)
    store = workbook.store_of(customer, settings)
    try:
        yield store
    finally:
        store.close()


@contextlib.contextmanager
def planned(customer: str) -> Iterator[Ledger]:
    """The plan of a customer; GateError when there is none yet."""
    with stored(customer) as store:
        ledger = Ledger(store)
        if not ledger.plan_hash():
            raise _no_plan(customer)
        yield ledger


def _no_plan(customer: str) -> GateError:
    return GateError(f"{customer} has no plan yet.", hint=f"Run: workbook run {customer} --to map")


# ---- one plan --------------------------------------------------------------------------------------------------------
def show(customer: str, *, person: str | None, kind: str, bodies: bool, limit: int) -> None:
    """Print the plan: counts by kind and state, or the rows of one person ("" for the set-up rows) or of one kind."""
    with planned(customer) as ledger:
        out.print(f"plan {ledger.plan_hash()}")
        if person is None and not kind:
            _counts(ledger)
            return
        rows = list(islice(_chosen(ledger, person, kind), limit + 1))
        entries = ledger.of(rows[:limit])
        for row in rows[:limit]:
            entry = entries.get(row.row_id)
            out.print(f"{row.row_id}  {entry.state if entry else 'planned'}", soft_wrap=True, markup=False)
            if bodies:
                out.print(json.dumps(row.body, ensure_ascii=False, indent=2), soft_wrap=True, markup=False)
        more = " (there are more: --limit)" if len(rows) > limit else ""
        out.print(f"{min(limit, len(rows)):,} rows{more}")


def _counts(ledger: Ledger) -> None:
    table = Table("endpoint or link", "state", "rows", box=None)
    for name, state, n_rows in ledger.counts():
        table.add_row(name, state, f"{n_rows:,}")
    out.print(table)


def _chosen(ledger: Ledger, person: str | None, kind: str) -> Iterable[Planned]:
    if person is None:
        return ledger.rows_of_kind(kind)
    return (row for row in ledger.rows(person) if kind in ("", row.kind))


# ---- two plans -------------------------------------------------------------------------------------------------------
def diff(customer: str, other: str, *, limit: int) -> None:
    """Print what distinguishes two plans.

    Without `other`, what the last `04_map` that changed the plan has changed, and why. With it, what makes the plan in
    force of `customer` into that of `other`: two rehearsals of one company, of which the second has other decisions.
    """
    if other:
        _beside(customer, other, limit)
        return
    with planned(customer) as ledger:
        before, found, why = told(ledger.store)
        if not before:
            out.print(f"plan {ledger.plan_hash()}\nNothing to compare: there was no other plan before this one.")
            return
        _heads(before, ledger.plan_hash())
        _table(why, WHY, title="Why")
        _table(found, COLUMNS, title="What")
        out.print(f"Every row: runs/{customer}/reports/plan-changes.csv", soft_wrap=True)


def _beside(customer: str, other: str, limit: int) -> None:
    with planned(customer) as old, planned(other) as new:
        _heads(old.plan_hash(), new.plan_hash())
        shown: list[Change] = []
        found = summed(_kept(changes(old.store, rows_of(new.store)), shown, limit))
        _table(found, COLUMNS, title=f"{customer} -> {other}")
        for one in shown:
            members = f"  ({', '.join(one.members)})" if one.members else ""
            out.print(f"{one.what}  {one.row_id}{members}", soft_wrap=True, markup=False)
        n_rows = sum(row["n_rows"] for row in found)
        alike = "The plans are alike."
        if old.plan_hash() != new.plan_hash():
            alike = "The same rows with the same bodies; their order, or what they wait for, differs."
        out.print(alike if not n_rows else f"{len(shown):,} of {n_rows:,} rows shown (--limit)")


def _kept(found: Iterable[Change], shown: list[Change], limit: int) -> Iterator[Change]:
    for one in found:
        if len(shown) < limit:
            shown.append(one)
        yield one


def _heads(before: str, now: str) -> None:
    out.print(f"plan before {before}\nplan now    {now}")


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...], *, title: str) -> None:
    if not rows:
        return
    table = Table(*columns, box=None, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns))
    out.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)

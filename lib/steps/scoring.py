"""Was the forecast honest? What a step really asked and how long it took, beside what was foreseen for just that.

A run is scored against what was left when it began, so one that was interrupted and goes on is not held against the
whole. The audit's forecast of the load is for a first, whole one: it is scored once all runs since the beginning are
known from end to end, and else it is said why not.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import Any

from lib.audit.estimate import Guess
from lib.audit.forecast import Cost, Row, endpoint_rows, measures, scored, step_row
from lib.errors import StoreError
from lib.load.cost import before_the_first, left
from lib.steps import forecasting
from lib.store.ledger import Ledger
from lib.store.size import database_bytes, file_bytes
from lib.validate.cost import Sketch, list_calls, pages, sample_calls, sketch
from lib.workbook import Workbook

AUDIT, PLAN = "01_audit", "04_map"
COLUMNS = ["measure", "forecast", "low", "high", "actual", "off_percent", "inside", "forecast_by", "scored"]
Foreseen = tuple[Row, list[Row]]


@dataclass
class Run:
    """One run of a step on its way: what was asked before it, when it began, how much room the store took."""

    client: Any  # the one of Lever or Ashby, whose requests count
    asked: Counter[str] = field(init=False)
    began: float = field(init=False)

    def __post_init__(self) -> None:
        """It begins now."""
        self.asked, self.began = self.client.tally.total(), time.monotonic()

    def calls(self) -> Counter[str]:
        """{endpoint: requests} since it began."""
        return self.client.tally.total() - self.asked

    def actual(self, **more: float) -> dict[str, float]:
        """All measures by name: requests, minutes, and each endpoint."""
        return actual_of(self.calls(), time.monotonic() - self.began) | more


def actual_of(calls: Counter[str], seconds: float) -> dict[str, float]:
    """What was measured, by the names that `measures` uses."""
    return {"requests": float(calls.total()), "minutes": seconds / 60} | {name: float(n) for name, n in calls.items()}


# ---- extract ---------------------------------------------------------------------------------------------------
def extract_begins(book: Workbook) -> Foreseen:
    """What is left to extract, by the same estimate as the audit's, from what is here now."""
    rows, endpoints = forecasting.extract_left(book, forecasting.probed(book))
    return rows[0], endpoints


def extract_ended(book: Workbook, run: Run, foreseen: Foreseen, *, before: int, reread: bool) -> None:
    """Keep the score of an extraction; `before` is the room that database and files took when it began."""
    row, endpoints = foreseen
    size = (database_bytes(book.store) + file_bytes(book.store) - before) / 1e6
    what = "nothing: lists were read again, which is not forecast" if reread else row["basis"]
    if not reread and not book.store.results("audit", "probe"):
        what = "nothing: the audit has not probed any child list"
    rows = [] if what.startswith("nothing") else measures(row, endpoints)
    actual = run.actual(megabytes=size)
    book.store.put_results("extract", "score", scored(rows, actual, by=AUDIT, what=what) if rows else [])
    book.store.put_meta("extract.scored", what)


def room(book: Workbook) -> int:
    """Bytes of the database and of all files."""
    return database_bytes(book.store) + file_bytes(book.store)


# ---- load ------------------------------------------------------------------------------------------------------
def plan_forecast(book: Workbook) -> tuple[list[Row], list[Row]]:
    """What the plan in force asks of Ashby, load and validate: exact where nothing goes wrong; kept as results."""
    load = load_begins(book, people=None, retry_refused=False)
    check = validate_begins(book)
    steps, endpoints = [load[0], check[0]], load[1] + check[1]
    book.store.put_results("map", "forecast", steps)
    book.store.put_results("map", "endpoints", endpoints)
    return steps, endpoints


def load_begins(book: Workbook, *, people: Set[str] | None, retry_refused: bool) -> Foreseen:
    """What a load that begins now sends: its rows, and the questions before the first of them."""
    rest = left(Ledger(book.store), people=people, retry_refused=retry_refused)
    n_rows = rest.of_people + rest.of_nobody
    users = pages(len(book.store.ashby("users", own=True)))
    exact = rest.calls + (before_the_first(user_pages=users) if rest.of_people else Counter({"user.list": users}))
    cost = Cost(exact, {})
    basis = f"the plan's rows that are not in Ashby: {n_rows:,}"
    seconds = forecasting.ashby_pace(book, own_s=forecasting.own_seconds(book)).seconds(cost.paced)
    size = forecasting.load_bytes(cost) if n_rows else None
    return step_row("load", cost, seconds=seconds, size=size, basis=basis), endpoint_rows("load", cost)


@contextlib.contextmanager
def load_scored(book: Workbook, run: Run, *, people: Set[str] | None, retry_refused: bool) -> Iterator[None]:
    """Keep what the run of the block asked, however it ends; score it when it comes to its end."""
    before = {"n_before": _rows_done(book)[0], "bytes_before": database_bytes(book.store)}
    foreseen = load_begins(book, people=people, retry_refused=retry_refused)
    try:
        yield
    except BaseException:
        with contextlib.suppress(StoreError):  # the first error counts
            _keep_run(book, run, **before)
            book.store.put_results("load", "score", [])
        raise
    runs = _keep_run(book, run, **before)
    actual = run.actual(megabytes=runs[-1]["bytes"] / 1e6)
    rows = scored(measures(*foreseen), actual, by=PLAN, what=f"this run: {foreseen[0]['basis']}")
    whole, why = _whole(runs, Ledger(book.store).plan_hash(), n_open=_rows_done(book)[1])
    audit = _kept(book, "load")
    if audit is not None and not why:
        calls = sum((Counter(one["calls"]) for one in whole), Counter())
        actual = actual_of(calls, sum(one["seconds"] for one in whole))
        actual["megabytes"] = sum(one.get("bytes", 0) for one in whole) / 1e6
        what = f"the whole load, in {len(whole)} run{'s' if len(whole) > 1 else ''}"
        rows += scored(measures(*audit), actual, by=AUDIT, what=what)
    book.store.put_results("load", "score", rows)
    book.store.put_meta("load.scored", why)


def _rows_done(book: Workbook) -> tuple[int, int]:
    """(rows of the plan that are done, rows still to be sent); what was refused is neither."""
    counts = Ledger(book.store).counts()
    n_done = sum(n for _, state, n in counts if state == "done")
    return n_done, sum(n for _, state, n in counts if state not in ("done", "refused"))


def _keep_run(book: Workbook, run: Run, *, n_before: int, bytes_before: int) -> list[Row]:
    """Add this run to those of the plan in force; all of them."""
    plan = Ledger(book.store).plan_hash()
    runs = [one for one in book.store.results("load", "runs") if one["plan"] == plan]
    seconds, n_after = time.monotonic() - run.began, _rows_done(book)[0]
    runs.append({"plan": plan, "calls": run.calls(), "seconds": seconds, "n_before": n_before, "n_after": n_after})
    runs[-1]["bytes"] = database_bytes(book.store) - bytes_before
    book.store.put_results("load", "runs", runs)
    return runs


def _whole(runs: list[Row], plan: str | None, *, n_open: int) -> tuple[list[Row], str]:
    """(the runs of the first load from nothing to all, why they cannot be told)."""
    if n_open:
        return [], f"{n_open:,} rows are still to be sent"
    chain: list[Row] = []
    for one in runs:
        if one["plan"] != plan or (chain and one["n_before"] == one["n_after"]):
            continue
        if one["n_before"] != (chain[-1]["n_after"] if chain else 0):
            return [], "a run was cut off before it could tell what it had asked"
        chain.append(one)
    return chain, "" if chain else "this plan was not loaded from its beginning"


# ---- validate --------------------------------------------------------------------------------------------------
def validate_begins(book: Workbook) -> Foreseen:
    """What a validation of the plan in force asks: with its hash as seed, exactly the sample that it will draw."""
    ledger = Ledger(book.store)
    links = {row.link: str(row.body["ashbyId"]) for row in ledger.rows_of_kind("link") if row.link}
    items = book.store.all("opportunities")
    confidential = {one["id"] for one in items if one.get("confidentiality") == "confidential"}
    people: dict[str, Sketch] = {}
    kinds: Counter[str] = Counter()
    for name, rows in forecasting.chains(ledger):
        kinds.update(row.kind for row in rows)
        found = sketch(name, rows, confidential=confidential, links=links) if name else None
        if found is not None:
            people[name] = found
    calls = sample_calls(people, seed=str(ledger.plan_hash()))
    calls += list_calls(forecasting.n_objects(book, kinds))
    cost = Cost(calls, {})
    seconds = forecasting.ashby_pace(book).seconds(cost.paced) + Guess(forecasting.settling(book, ledger))
    basis = f"all of Ashby, and the sample of {len(people):,} people"
    return step_row("validate", cost, seconds=seconds, size=None, basis=basis), endpoint_rows("validate", cost)


def validate_ended(book: Workbook, run: Run, foreseen: Foreseen) -> None:
    """Keep the score of a validation: each is whole."""
    rows = scored(measures(*foreseen), run.actual(), by=PLAN, what=foreseen[0]["basis"])
    audit = _kept(book, "validate")
    if audit is not None:
        rows += scored(measures(*audit), run.actual(), by=AUDIT, what="a validation of the whole")
    book.store.put_results("validate", "score", rows)


def _kept(book: Workbook, step: str) -> Foreseen | None:
    """The audit's forecast of a step; None when it has made none."""
    rows = [row for row in book.store.results("audit", "forecast") if row["step"] == step and "low" in row]
    endpoints = [row for row in book.store.results("audit", "endpoints") if row["step"] == step]
    return (rows[0], endpoints) if rows else None

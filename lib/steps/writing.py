"""Steps 5 and 6: the plan to Ashby through the ledger, and the proof that it arrived."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pandas as pd

from lib import load as loading
from lib.errors import GateError
from lib.mapping.settings import settings
from lib.normalize import csv_safe
from lib.steps import fresh, reassigning, scoring, signing
from lib.steps.lost import check_in_time, check_recovered
from lib.steps.reading import accepted
from lib.steps.target import version_gate
from lib.store.ledger import Ledger
from lib.store.reading import Reading
from lib.workbook import Workbook

Frame = pd.DataFrame
PAGE = 500  # rows of the crosswalk that are in memory


@dataclass(frozen=True)
class LoadResult:
    """What became of the plan; without `executed`, what would be sent.

    `n_calls` are all requests of the run, those to Ashby's file storage and those before the first row, too.
    `held` are opportunities that Lever has erased or deleted since the plan was made: their people were held back.
    `score` is what the last run asked beside what was foreseen for it.
    """

    executed: bool
    counts: Frame
    n_writes: int
    n_calls: int
    refused: Frame
    parked: Frame
    conflicts: Frame
    held: Frame
    score: Frame


def load(
    book: Workbook, *, execute: bool = False, sample: int = 0, retry_refused: bool = False, **seams: Any
) -> LoadResult:
    """Carry out the plan; without `execute`, only say what would be sent.

    `sample` limits it to so many people; `retry_refused` sends again what Ashby has refused, and counts refusals anew.
    """
    check_recovered(book)
    ledger = Ledger(book.store)
    if not ledger.plan_hash():
        raise GateError("There is no plan yet.", hint="Run 04_map first.")
    if not execute:
        people = loading.sample(book.store, sample) if sample else None
        foreseen, _ = scoring.load_begins(book, people=people, retry_refused=retry_refused)
        planned = {"counts": ledger.counts(), "n_writes": 0, "n_calls": foreseen["n_requests"]}
        return _load_result(book, planned, False)
    signing.gate(book)
    with book.writing("load"):
        run = scoring.Run(book.ashby)
        book.pin("Ashby", [one["id"] for one in book.ashby.items("user.list", {"includeDeactivated": True})])
        version_gate(book, accepted=accepted(book))
        people = loading.sample(book.store, sample) if sample else None
        if not sample:
            fresh.check_lists(book, plan_hash=ledger.plan_hash())
        if held := fresh.held_back(book, refused=retry_refused):
            people = (people or set(ledger.pending_people(refused=retry_refused))) - held
        job = load_of(book, people=people, retry_refused=retry_refused, **seams)
        with scoring.load_scored(book, run, people=people, retry_refused=retry_refused):
            check_in_time(book, job)
            outcome = loading.run(job) | {"n_calls": run.calls().total()}
        book.store.put_meta("load.plan_hash", ledger.plan_hash())
        export_crosswalk(book)
        reassigning.write(book)
    return _load_result(book, outcome, True)


def load_of(book: Workbook, **more: Any) -> loading.Load:
    """The load of this customer, as its params say."""
    settings = book.params.ashby
    return loading.Load(
        book.store,
        book.ashby,
        workers=settings.workers,
        settle_s=settings.settle_s,
        refusal_budget=settings.refusal_budget,
        first_wait=settings.retry.first_s,
        verdicts=_verdicts(book),
        progress=book.progress("load"),
        **more,
    )


def _verdicts(book: Workbook) -> dict[str, str]:
    """{row id: verdict} of overrides.csv: what somebody has found out about a write that could not be told in Ashby."""
    rows = [row for row in book.table("overrides").rows if row["id"].startswith("row:") and row.get("verdict")]
    return {row["id"].removeprefix("row:"): row["verdict"].strip() for row in rows if row.get("who") and row.get("why")}


def settle_open(book: Workbook) -> None:
    """Find out what became of writes that an earlier run did not live to record; GateError when a person must."""
    parked = loading.settle_open(load_of(book))
    if parked:
        ids = ", ".join(row.row_id for row in parked[:5])
        raise GateError(
            f"Of {len(parked)} writes it cannot be told whether, or where, they stand in Ashby: {ids}.",
            hint="05_load says what was found. Remove what is too much in Ashby and run it again, or say in "
            "overrides.csv which one it is (id row:<id>, verdict: the Ashby id, or again; who, when, why).",
        )


def _load_result(book: Workbook, outcome: dict[str, Any], executed: bool) -> LoadResult:
    ledger = Ledger(book.store)
    columns = ["row_id", "kind", "lever_type", "lever_id", "code", "note", "request_id"]
    return LoadResult(
        executed=executed,
        counts=pd.DataFrame(outcome["counts"], columns=["kind", "state", "n_rows"]),
        n_writes=outcome["n_writes"],
        n_calls=outcome["n_calls"],
        refused=pd.DataFrame(_set_aside(ledger, "refused"), columns=columns),
        parked=pd.DataFrame(_set_aside(ledger, "parked", "unknown", "intended"), columns=columns),
        conflicts=pd.DataFrame(
            book.store.results("load", "conflicts"), columns=["row_id", "kind", "lever_id", "members"]
        ),
        held=pd.DataFrame(book.store.results("load", "held_back"), columns=["lever_id", "why", "person"]),
        score=pd.DataFrame(book.store.results("load", "score"), columns=scoring.COLUMNS),
    )


def _set_aside(ledger: Ledger, *states: str) -> list[tuple[Any, ...]]:
    return [
        (row.row_id, row.kind, row.lever_type, row.lever_id, entry.code, entry.note, entry.request_id)
        for row, entry in ledger.entries(*states)
    ]


def export_crosswalk(book: Workbook) -> None:
    """Lever id to Ashby id of everything that was written, as CSV: the customer's own lasting record."""
    with book.private_file("crosswalk.csv") as out:
        csv.writer(out, lineterminator="\n").writerows(tuple(map(csv_safe, row)) for row in _crosswalk(book))


def _crosswalk(book: Workbook) -> Iterator[tuple[str, ...]]:
    """The head, then (lever type, Lever id, endpoint, Ashby id) of each object; a person has a row per contact."""
    reading = Reading(book.store)
    yield ("lever_type", "lever_id", "endpoint", "ashby_id")
    written = reading.written()
    while page := list(islice(written, PAGE)):
        contacts = reading.contacts([row.lever_id for row in page if row.lever_type == "person" and row.link])
        for row in page:
            is_person = row.lever_type == "person"
            ids = contacts.get(row.lever_id, [row.lever_id]) if is_person and row.link else [row.lever_id]
            yield from (("contact" if is_person else row.lever_type, one, row.kind, row.ashby_id) for one in ids)


def validate(book: Workbook) -> Any:
    """Compare plan, source and target in both directions; writes the certificate."""
    from lib import validate as validation  # noqa: PLC0415 - Great Expectations takes seconds to import

    ledger = Ledger(book.store)
    if not ledger.plan_hash():
        raise GateError("There is no plan yet.", hint="Run 04_map first.")
    with book.writing("validate"):
        run, foreseen = scoring.Run(book.ashby), scoring.validate_begins(book)
        result = validation.run(
            book.store,
            book.ashby,
            seed=ledger.plan_hash(),
            workers=book.params.ashby.workers,
            progress=book.progress("validate"),
            run_tag=book.params.policy.run_tag,
            by_posting=settings(book.params.policy).by_posting,
            customer=book.customer,
            settle_s=book.params.ashby.settle_s,
        )
        scoring.validate_ended(book, run, foreseen)
        for name in ("counts", "differences", "fidelity"):
            rows = json.loads(getattr(result, name).to_json(orient="records"))
            book.store.put_results("validate", name, rows)
        with book.private_file("reports/certificate.json") as out:
            json.dump(result.certificate, out, indent=2, sort_keys=True)
    return result

"""Places that once gathered something of every record: how much memory they take for each further one.

Each is measured twice, for some pages of records and for twice as many, after it was done once: what is read or
compiled once is not counted. Memory that SQLite takes for itself has a limit of its own and is not seen here.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import new_store
from sqlalchemy import select
from test_growth import mapped, peak

from lib import dedupe, steps, validate
from lib import extract as extraction
from lib.ashby import Answer, Ashby, CursorExpiredError
from lib.errors import RejectedError, UnavailableError
from lib.extract import reports, reread
from lib.extract.files import without_bytes
from lib.extract.walk import Extract
from lib.lever import Page
from lib.params import Policy
from lib.steps import rehearsing_people
from lib.steps.lost import check_known
from lib.store import FileRow, Store
from lib.store import tables as t
from lib.store.heads import read_now
from lib.store.reading import Reading

FEW, MANY = 1050, 2100  # more than two pages of 500, which are in memory while one gives way, and twice as many
FIELDS = [{"id": f"f-{number}", "title": "A field with a long name", "value": "word " * 20} for number in range(10)]
Item = dict[str, Any]


def per_record(tmp_path: Path, work: Callable[[Store, int], Callable[[], object]], *, times: int = 1) -> float:
    """Bytes for each further record; `work` fills a store with so many and gives what is to be measured."""
    found = []
    for n_records in (20, times * FEW, times * MANY):
        store = new_store(tmp_path / f"{len(found)}" / "acme")
        found.append(peak(work(store, n_records)))
        store.close()
    return told((found[2] - found[1]) / (MANY - FEW) / times)


def told(figure: float) -> float:
    print(f"{figure:,.0f} bytes per record")
    return figure


# ---- people in Ashby -------------------------------------------------------------------------------------------------
def candidate(number: int) -> Item:
    """Somebody in Ashby, of a few kilobytes."""
    return {"id": f"{number:08}", "name": f"Møra {number}", "createdAt": "2026-01-01T00:00:00.000Z",
            "primaryEmailAddress": {"value": f"m{number}@example.org"}, "customFields": [dict(one) for one in FIELDS],
            "applicationIds": [f"a-{number:08}"]}  # fmt: skip


class Told:
    """An Ashby that tells so many candidates, page by page; of its cursors, the first few are refused."""

    def __init__(self, n_candidates: int, *, refused: int = 0, code: str = "") -> None:
        self.n_candidates, self.refused, self.code, self.asked = n_candidates, refused, code, list[Any]()

    def pages(self, endpoint: str, body: Item | None = None) -> Iterator[Answer]:
        """A hundred at a time."""
        self.asked.append(body)
        assert endpoint == "candidate.list"
        if body and self.code:
            raise RejectedError("refused", code=self.code)
        for start in range(0, self.n_candidates, 100):
            if start and self.refused:
                self.refused -= 1
                raise CursorExpiredError("refused")
            yield Answer([candidate(start + n) for n in range(min(100, self.n_candidates - start))], sync_token="new")

    walked = Ashby.walked


def book_of(store: Store, ashby: Any = None) -> Any:
    """As much of a workbook as reading candidates takes."""
    table = SimpleNamespace(rows=[])
    return SimpleNamespace(store=store, ashby=ashby, customer="acme", table=lambda name: table)


def test_candidates_are_read_in_memory_that_does_not_grow_with_them(tmp_path: Path) -> None:
    """Gathered, each is several kilobytes."""

    def work(store: Store, n_records: int) -> Callable[[], object]:
        return lambda: steps.read_candidates(book_of(store, Told(n_records)))

    assert per_record(tmp_path, work) < 100


def test_the_table_of_existing_people_is_made_from_one_after_the_other(tmp_path: Path) -> None:
    """The table itself is what dedupe may hold; the bodies are not."""

    def work(store: Store, n_records: int) -> Callable[[], object]:
        steps.read_candidates(book_of(store, Told(n_records)))
        return lambda: dedupe.existing_table(Reading(store).standing("candidates"))

    assert per_record(tmp_path, work) < 2_000


def test_who_is_known_is_asked_without_gathering_anybody(tmp_path: Path) -> None:
    """All of them carry ids of Lever."""

    def work(store: Store, n_records: int) -> Callable[[], object]:
        marked = ((f"{n:08}", candidate(n) | {"customFields": [mark(n)]}) for n in range(n_records))
        with store.begin() as tx:
            store.put_ashby(tx, "candidates", marked, whole=True)
        return lambda: check_known(book_of(store))

    assert per_record(tmp_path, work) < 100


def mark(number: int) -> Item:
    return {"id": "f-0", "title": "Lever contact ID", "value": f"c-{number:08}" + " " * 2_000}


def test_a_cursor_that_is_refused_leaves_nothing_of_the_pass_before_and_nothing_half(tmp_path: Path) -> None:
    """Twice it begins anew; the third time it ends, with what was known before."""
    store = new_store(tmp_path / "acme")
    book = book_of(store, Told(250, refused=2))
    steps.read_candidates(book)
    assert [candidate(n) for n in range(100)] == store.ashby("candidates")[:100]
    assert (250, "new") == (len(store.ashby("candidates")), store.meta("ashby.candidates"))
    book.ashby = Told(300, refused=3)
    with pytest.raises(UnavailableError, match="three times"):
        steps.read_candidates(book)
    assert 250 == len(store.ashby("candidates"))
    store.close()


def test_what_has_changed_is_added_and_a_whole_walk_replaces(tmp_path: Path) -> None:
    """A token that is not taken any more costs a whole walk, which forgets whom it does not show."""
    store = new_store(tmp_path / "acme")
    book = book_of(store, Told(250))
    steps.read_candidates(book)
    book.ashby = Told(110)
    steps.read_candidates(book)
    assert 250 == len(store.ashby("candidates"))
    book.ashby = Told(110, code="sync_token_expired")
    steps.read_candidates(book)
    assert [{"syncToken": "new"}, None] == book.ashby.asked
    assert 110 == len(store.ashby("candidates"))
    book.ashby = Told(110, code="something_else")
    with pytest.raises(RejectedError):
        steps.read_candidates(book)
    store.close()


# ---- Lever ----------------------------------------------------------------------------------------------------------
QUARTER, NOW = 900_000, 1_700_000_000_000


def opportunity(number: int) -> Item:
    """Somebody in Lever; one is created each quarter of an hour."""
    return {"id": f"o-{number:08}", "createdAt": NOW - number * QUARTER, "updatedAt": NOW - number * QUARTER,
            "archived": None, "applications": [], "contact": {"id": f"c-{number:08}", "name": "Møra", "emails": []},
            "confidentiality": "non-confidential"}  # fmt: skip


class Listed:
    """A Lever that lists so many opportunities by `created_at`, and nothing else."""

    def __init__(self, n_opportunities: int) -> None:
        self.n_opportunities = n_opportunities
        self.transport = SimpleNamespace(pacer=SimpleNamespace(waiting_for=""), n_calls=0)

    def pages(self, path: str, query: list[tuple[str, str]]) -> Iterator[Page]:
        """A hundred at a time."""
        ends = dict(query)
        newest = max(0, -(-(NOW - int(ends.get("created_at_end", NOW))) // QUARTER))
        oldest = min(self.n_opportunities - 1, (NOW - int(ends.get("created_at_start", 0))) // QUARTER)
        found = range(newest, oldest + 1)
        for start in range(0, len(found), 100):
            yield Page([opportunity(number) for number in found[start : start + 100]], NOW)


def walk_of(store: Store, n_records: int, **how: Any) -> Extract:
    """A walk over so many opportunities that are here; it has no child lists to read."""
    rows = ((one["id"], one["contact"]["id"], one) for one in map(opportunity, range(n_records)))
    with store.begin() as tx:
        store.put_raw(tx, "opportunities", rows)
        store.put_meta("extract.since", NOW, connection=tx)
        read_now(tx, "children", {one[0]: one[1] for one in states_of(store, tx)})
    return Extract(store, Listed(n_records), child_lists=(), workers=1, **how)  # type: ignore[arg-type]


def states_of(store: Store, tx: Any) -> Any:
    return tx.execute(select(t.heads.c.lever_id, t.heads.c.sha256)).all()


def test_a_reread_of_all_gathers_no_ids(tmp_path: Path) -> None:
    """Neither when it begins nor while it is under way."""

    def work(store: Store, n_records: int) -> Callable[[], object]:
        walk = walk_of(store, n_records, reread="all")

        def run() -> None:
            reread.begin(walk)
            extraction.children(walk, again=reread.again(walk))

        return run

    # What transactions under way leave to the collector grows up to some 3,000 records, and then no more.
    assert per_record(tmp_path, work, times=3) < 50


def test_all_opportunities_are_listed_once_more_without_gathering_ids(tmp_path: Path) -> None:
    """More than two portions of a thousand."""

    def work(store: Store, n_records: int) -> Callable[[], object]:
        walk = walk_of(store, n_records)
        return lambda: extraction.listed_again(walk)

    assert per_record(tmp_path, work, times=2) < 100


@pytest.mark.parametrize("here", [True, False])
def test_files_without_bytes_are_found_without_gathering_names(tmp_path: Path, here: bool) -> None:
    """All of them are here, or none is."""

    def work(store: Store, n_records: int) -> Callable[[], object]:
        file_rows(store, n_records, here=here)
        return lambda: deque(without_bytes(store, 0), maxlen=0)

    assert per_record(tmp_path, work) < 100


def file_rows(store: Store, n_records: int, *, here: bool) -> None:
    about = ("a.pdf", "application/pdf", 1)
    with store.begin() as tx:
        store.put_raw(tx, "files", ((f"f-{n:08}", f"o-{n:08}", {"id": f"f-{n:08}"}) for n in range(n_records)))
        for number in range(n_records):
            row = (f"f-{number:08}", "files", f"o-{number:08}", *about, f"{number:064}", "stored", "", 1)
            store.put_file(tx, FileRow(*row))
            if here:
                store.file_path(f"{number:064}").touch()


@pytest.mark.parametrize("report", ["ages", "absent", "gone"])
def test_what_an_extraction_says_in_the_end_is_counted_and_not_gathered(tmp_path: Path, report: str) -> None:
    def work(store: Store, n_records: int) -> Callable[[], object]:
        walk_of(store, n_records)
        file_rows(store, n_records, here=False)
        tell = {"ages": lambda: reports.report_ages(store, NOW), "absent": lambda: reports.report_absent(store)}
        return tell.get(report, lambda: reports.report_gone(store))

    assert per_record(tmp_path, work) < 100


# ---- the forecast of the audit ---------------------------------------------------------------------------------------
def test_of_the_whole_account_a_forecast_keeps_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dedupe may hold its tables while it works; afterwards nothing is left of each person beyond the frame."""
    monkeypatch.setattr(rehearsing_people, "FRAME", 100)
    left = []
    for n_records in (20, FEW, MANY):
        store = new_store(tmp_path / f"{len(left)}" / "acme")
        walk_of(store, n_records)
        book = book_of(store)
        book.params = SimpleNamespace(policy=Policy())
        gc.collect()
        tracemalloc.start()
        known = rehearsing_people.account(book, now_ms=NOW)
        gc.collect()
        left.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert known.who.doubt == 0
        store.close()
    assert told((left[2] - left[1]) / (MANY - FEW)) < 100


def test_of_a_large_account_dedupe_sees_some_people_and_the_rest_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At no moment is anything in memory of those who have nothing to do with the people drawn by chance.

    Each has an address, and a telephone number with one other.
    """
    for name, value in (("LARGE", 0), ("DRAWN", 100), ("FRAME", 50)):
        monkeypatch.setattr(rehearsing_people, name, value)

    def work(store: Store, n_records: int) -> Callable[[], object]:
        walk_of(store, n_records)
        more = [
            {"emails": [f"m{n}@example.org"], "phones": [{"value": f"+1 415 {n // 2:07}"}]} for n in range(n_records)
        ]
        with store.begin() as tx:
            rows = (
                (one["id"], one["contact"]["id"], one | more[n])
                for n, one in enumerate(map(opportunity, range(n_records)))
            )
            store.put_raw(tx, "opportunities", rows)
        steps.read_candidates(book_of(store, Told(n_records)))
        book = book_of(store)
        book.params = SimpleNamespace(policy=Policy())
        return lambda: rehearsing_people.account(book, now_ms=NOW)

    assert per_record(tmp_path, work) < 100


# ---- a validation ----------------------------------------------------------------------------------------------------
def test_a_validation_of_what_was_not_loaded_gathers_none_of_its_rows(tmp_path: Path) -> None:
    """Nothing of the plan is done: each person's rows are named up to a limit, and counted."""
    nobody = SimpleNamespace(pages=lambda endpoint, body=None: iter([Answer([])]))
    found = []
    for n_people in (5, 220, 440):  # of each kind of row more than are named
        store = new_store(tmp_path / f"{len(found)}" / "acme")
        mapped(store, n_people)
        found.append(peak(lambda store=store: validate.run(store, nobody, seed="s", workers=1)))  # type: ignore[arg-type]
        store.close()
    assert told((found[2] - found[1]) / 220) < 1_000

"""What a large company costs: memory that does not grow with it, and a number of statements that is known per row.

No test here looks at a clock; `python -m bench.growth` and `python -m bench.load` measure time.
"""

from __future__ import annotations

import functools
import gc
import os
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mapping_world as world
import pytest
from conftest import new_store
from sqlalchemy import delete, event, insert, select, update

from bench.contacts import Company
from lib.dedupe import contacts_table, dedupe
from lib.load import Load
from lib.load.links import KEPT, Links
from lib.mapping import Draft, Losses, compile_plan, decide, plan_hash
from lib.store import Store, unfinished
from lib.store import tables as t
from lib.store.ledger import COLUMNS, Ledger, Planned, columns_of
from lib.store.reading import Reading

FEW, MANY = 100, 1000
KB = 1024
ALONE = "WORKBOOK_TEST_ALONE"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    one = new_store(tmp_path / "runs" / "acme")
    yield one
    one.close()


def company(store: Store, n_people: int) -> Any:
    """So many people with a candidacy and two notes each, decided as proposed; the decisions."""
    small = world.World()
    with store.begin() as tx:
        for stream, items in small.lever.items():
            store.put_raw(tx, stream, ((str(one.get("id") or number), "", one) for number, one in enumerate(items)))
        for kind, items in small.target.items():
            store.put_ashby(tx, kind, ((one["id"], one) for one in items), whole=True)
    lives = [_life(number) for number in range(n_people)]
    with store.begin() as tx:
        store.put_raw(tx, "opportunities", ((one["id"], one["contact"]["id"], one) for one, _ in lives))
        store.put_raw(tx, "notes", ((note["id"], one["id"], note) for one, notes in lives for note in notes))
    small.opportunities = {one["id"]: one for one, _ in lives}
    people, members = small.people()
    store.put_people(people.to_dict("records"), members.to_dict("records"), [])
    return decide(small.tables(), Reading(store), policy=small.policy, now_ms=world.NOW)


def _life(number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    key = f"{number:05d}"
    contact = {"id": f"c-{key}", "name": f"Møra {key}", "isAnonymized": False}
    one = world.opportunity(f"o-{key}", contact=f"c-{key}")
    one |= {"name": f"Møra {key}", "contact": contact, "emails": [f"m{key}@example.org"]}
    notes = [
        {"id": f"n-{key}-{which}", "user": "u-ines", "createdAt": world.T0 + which, "secret": False, "deletedAt": None,
         "fields": [{"type": "note", "text": "Note", "value": "A long word about somebody. " * 30, "score": None}]}
        for which in (1, 2)
    ]  # fmt: skip
    return one, notes


def rows_of(store: Store, decisions: Any) -> Iterator[Any]:
    """The plan, read person by person."""
    return compile_plan(
        Reading(store), decisions=decisions, policy=world.Policy(), losses=Losses(), now_ms=world.NOW
    )  # fmt: skip


def mapped(store: Store, n_people: int) -> int:
    """The whole way of a plan into the store, as the step goes it; how many rows there are."""
    decisions = company(store, n_people)
    with Draft(store.folder) as draft:
        draft.take(rows_of(store, decisions))
        return Ledger(store).put_plan(draft.rows(), plan_hash=draft.plan_hash)


def peak(work: Callable[[], object]) -> int:
    """Bytes that `work` had in use at most, besides what was there before it.

    A full collection waits until a quarter of all older objects has come anew, so in a process of many modules cycles
    (of each transaction of SQLAlchemy) would lie about for long and be counted. What is older is frozen meanwhile.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.unfreeze()


def resident(what: str) -> int:
    """VmRSS (memory of this process now) or VmHWM (its peak), in MB."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(what))) // KB


def alone(test: Callable[[Path], None]) -> Callable[[Path], None]:
    """Measure memory in a process of its own: what earlier tests have imported and left behind changes the figures."""

    @functools.wraps(test)
    def outer(tmp_path: Path) -> None:
        if os.environ.get(ALONE):
            test(tmp_path)
            return
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
        run = subprocess.run(
            [*words, f"{Path(__file__)}::{test.__name__}"], cwd=Path(__file__).parents[1],
            env=os.environ | {ALONE: "1"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stdout[-2000:]

    return outer


def statements(store: Store, work: Callable[[], object]) -> tuple[int, int]:
    """(statements, commits) that `work` costs."""
    seen: list[str] = []
    told, ended = (lambda *about: seen.append(about[2])), (lambda _connection: seen.append("(commit)"))
    event.listen(store.engine, "before_cursor_execute", told)
    event.listen(store.engine, "commit", ended)
    work()
    event.remove(store.engine, "before_cursor_execute", told)
    event.remove(store.engine, "commit", ended)
    n_commits = seen.count("(commit)")
    return len([text for text in seen if not text.startswith(("BEGIN", "(commit)"))]), n_commits


def finish(store: Store, people: list[str]) -> None:
    """All rows of these people are done, and their chains have ended."""
    ledger = Ledger(store)
    for person in people:
        for row in ledger.rows(person):
            ledger.intend(row)
            ledger.settle(row, "done", ashby_id=f"a-{row.row_id}")
    ledger.finish(people)


def load_of(store: Store) -> Load:
    """A load that sends nothing."""
    return Load(store, SimpleNamespace(transport=SimpleNamespace(n_calls=0)))  # type: ignore[arg-type]


# ---- memory ----------------------------------------------------------------------------------------------------------
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak of a process anew")
@alone
def test_the_comparison_of_people_takes_little_of_the_memory_that_01_audit_has(tmp_path: Path) -> None:
    """01_audit makes it, too, and has 512 MB with all it imports; what DuckDB holds is none of Python's."""
    contacts = contacts_table(iter(Company(1_000, 7)), now_ms=world.NOW)
    dedupe(contacts.head(100), learns=True)  # imports Splink
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak begins anew
    dedupe(contacts, learns=True)
    assert resident("VmHWM") - before < 160  # MB; 63 measured, and 503 with all random pairs at once


@alone
def test_a_plan_is_made_in_memory_that_hardly_grows_with_the_company(tmp_path: Path) -> None:
    """Ten times the people: less than half a kilobyte for each further one, of whom the plan holds several."""
    found = {}
    for n_people in (FEW, MANY):
        store = new_store(tmp_path / f"of-{n_people}" / "acme")
        decisions = company(store, n_people)

        def work(store: Store = store, decisions: Any = decisions) -> None:
            with Draft(store.folder) as draft:
                draft.take(rows_of(store, decisions))
                Ledger(store).put_plan(draft.rows(), plan_hash=draft.plan_hash)

        found[n_people] = peak(work)
        size = sum(len(row.body) for row in store._rows(select(t.plan.c.body)))
        store.close()
    assert size > 3 * KB * MANY / 2  # a plan that was gathered would not stay below what follows
    assert found[MANY] - found[FEW] < KB / 2 * (MANY - FEW)


@alone
def test_a_load_that_goes_on_begins_in_memory_that_does_not_grow_with_what_is_done(tmp_path: Path) -> None:
    """Neither links nor rows nor people are gathered before the first send: more people than a page, and twice as many.

    What is gathered of each of them would be a link of a candidate and one of an application, more than 300 bytes.
    """
    found = {}
    for n_people in (12 * FEW, 24 * FEW):
        store = new_store(tmp_path / f"of-{n_people}" / "acme")
        mapped(store, n_people)
        call_done(store, last=f"c-{n_people // 2 - 1:05d}")
        first = {}

        def begin(store: Store = store, first: dict[str, Any] = first) -> None:
            job = load_of(store)
            first["person"] = next(unfinished.people(job.store))
            unfinished.frontier(job.store, 64)

        begin()  # what is compiled once
        found[n_people] = peak(begin)
        assert first["person"] == f"c-{n_people // 2:05d}"
        store.close()
    assert found[24 * FEW] - found[12 * FEW] < 100 * 6 * FEW


def call_done(store: Store, *, last: str) -> None:
    """All rows of everybody up to `last` are done, in one transaction, with their links."""
    done = list(takewhile(lambda row: row.person <= last, Ledger(store).rows()))
    about = {"state": "done", "attempts": 1, "code": "", "note": "", "request_id": "", "first_ms": 1, "at_ms": 1}
    entries = [{"row_id": row.row_id, "body_hash": row.body_hash, "ashby_id": row.row_id, **about} for row in done]
    links = [
        {"link": row.link, "ashby_type": row.link.partition(":")[0], "ashby_id": row.row_id, "origin": "created",
         "row_id": row.row_id}
        for row in done if row.link
    ]  # fmt: skip
    with store.begin() as tx:
        tx.execute(insert(t.ledger), entries)
        tx.execute(insert(t.links), links)
        unfinished.refill(store, tx, unfinished.stamp_of(store.meta("plan")))


def test_links_of_people_are_forgotten_and_found_again(store: Store) -> None:
    """However many there are, only those in use are kept, and each is found."""
    ledger = Ledger(store)
    row = Planned("r", "candidate.create", "person", "p", "p", 0, (), {}, "0" * 64, "candidate:p")
    ledger.settle(row, "done", ashby_id="ashby-p")
    links = Links(ledger)
    for number in range(KEPT + 10):
        links[f"application:{number}"] = str(number)
    assert links["candidate:p"] == "ashby-p"
    assert len(links._recent) <= KEPT
    assert "candidate:nobody" not in links
    with pytest.raises(KeyError, match="candidate:nobody"):
        links["candidate:nobody"]


# ---- statements ------------------------------------------------------------------------------------------------------
def test_each_row_of_a_plan_costs_two_commits_and_a_known_number_of_statements(store: Store) -> None:
    """Intention and outcome, each in a transaction of its own; with the lease each looks first who writes."""
    mapped(store, 3)
    ledger = Ledger(store)
    rows = [row for row in ledger.rows() if row.person]

    def protocol() -> None:
        for row in rows:
            ledger.intend(row)
            store.check_lease()
            ledger.settle(row, "done", ashby_id=row.row_id, call={"request": row.body, "answer": {}})

    with store.lease("load"):
        found = statements(store, protocol)
    n_links, n_people = sum(bool(row.link) for row in rows), len({row.person for row in rows})
    # intention: fence, row; outcome: fence, row, call, link; the first row of each person: that it is begun
    assert found == (5 * len(rows) + n_links + n_people, 2 * len(rows))


def test_what_a_load_asks_before_its_first_send_does_not_depend_on_the_plan(tmp_path: Path) -> None:
    """The same number of statements for three people and for thirty."""
    found = []
    for n_people in (4, 40):
        store = new_store(tmp_path / f"of-{n_people}" / "acme")
        mapped(store, n_people)
        finish(store, ["", *list(Ledger(store).people())[1 : n_people // 2]])

        def begin(store: Store = store) -> None:
            next(unfinished.people(load_of(store).store))
            unfinished.frontier(store, 64)
            unfinished.n_rows(store)

        found.append(statements(store, begin))
        store.close()
    assert found[0] == found[1]
    assert found[0][1] == 0  # nothing was written


def test_the_children_of_a_candidacy_are_read_with_two_questions(store: Store) -> None:
    """However many lists Lever has; and the scan needs one of them."""
    company(store, 1)
    reading = Reading(store)
    source = world_source(reading)
    opportunity = next(reading.all("opportunities"))
    names = ("feedback", "forms", "referrals", "notes", "files", "resumes", "offers", "interviews", "panels")
    found = statements(store, lambda: [source.children(name, opportunity) for name in (*names, *names)])
    assert found[0] == 2
    assert [note["id"] for note in source.children("notes", opportunity)] == ["n-00000-1", "n-00000-2"]


def world_source(reading: Reading) -> Any:
    """The account as the mapping knows it."""
    from lib.mapping.settings import settings  # noqa: PLC0415
    from lib.mapping.source import Source  # noqa: PLC0415

    return Source(reading, settings(world.Policy()), world.NOW)


# ---- the same plan ---------------------------------------------------------------------------------------------------
def test_a_plan_that_is_read_person_by_person_is_the_same_plan(store: Store) -> None:
    """From the store's pages and from whole tables: equal rows, equal losses, one hash."""
    import pandas as pd  # noqa: PLC0415

    decisions = company(store, 12)
    with store.begin() as tx:  # two contacts are one person
        tx.execute(update(t.members).where(t.members.c.contact == "c-00003").values(person="c-00007"))
        tx.execute(delete(t.people).where(t.people.c.person == "c-00003"))
    losses, more = Losses(), Losses()
    given = {"decisions": decisions, "policy": world.Policy(), "now_ms": world.NOW}
    people, members = pd.DataFrame(list(store.people())), pd.DataFrame(list(store.members()))
    whole = list(compile_plan(store, people=people, members=members, losses=losses, **given))  # type: ignore[arg-type]
    paged = list(compile_plan(Reading(store), losses=more, **given))
    assert (paged, more.rows()) == (whole, losses.rows())
    with Draft(store.folder) as draft:
        draft.take(paged)
        kept = list(draft.rows())
    assert draft.plan_hash == plan_hash(whole)
    assert kept == [columns_of(row) for row in whole]
    assert {name for row in kept for name in row} == set(COLUMNS)
    assert any("\\u00f8" in row["body"] for row in kept)


def test_contacts_without_a_person_are_named(store: Store) -> None:
    """A contact that is in no person, and one whose person is gone."""
    company(store, 4)
    assert Reading(store).strays() == []
    with store.begin() as tx:
        tx.execute(delete(t.members).where(t.members.c.contact == "c-00001"))  # stands for itself all the same
        tx.execute(delete(t.members).where(t.members.c.contact == "c-00002"))
        tx.execute(delete(t.people).where(t.people.c.person.in_(["c-00002", "c-00003"])))
    assert Reading(store).strays() == ["c-00002", "c-00003"]


# ---- who is unfinished -----------------------------------------------------------------------------------------------
def test_nobody_with_an_open_row_is_ever_left_out(store: Store) -> None:
    """Whatever is recorded in whatever order, who is looked at is who has an open row; with and without refusals."""
    n_rows = mapped(store, 6)
    chance = random.Random(26)
    ledger = Ledger(store)
    rows = list(ledger.rows())
    assert len(rows) == n_rows
    for number in range(300):
        row = chance.choice(rows)
        if chance.random() < 0.5:
            ledger.intend(row)
        ledger.settle(row, chance.choice(["done"] * 12 + ["refused", "refused", "again", "unknown", "parked"]))
        if number % 7 == 0:
            ledger.finish(sorted({one.person for one in rows}))
        for refused in (False, True):
            found = list(unfinished.people(store, refused=refused))
            assert found == sorted(ledger.pending_people(refused=refused))
    for row in rows:
        ledger.settle(row, "done")
    ledger.finish(sorted({row.person for row in rows}))
    assert store._rows(select(t.unfinished)) == []


def test_a_plan_that_changes_opens_what_was_done(store: Store) -> None:
    """A row that is done with another body is open again, and only its person is looked at."""
    mapped(store, 3)
    people = list(Ledger(store).people())
    finish(store, people)
    assert list(unfinished.people(store)) == []
    rows = [columns_of(row) for row in Ledger(store).rows()]
    changed = next(row for row in rows if row["person"] == people[2])
    changed["body_hash"] = "f" * 64
    Ledger(store).put_plan(rows, plan_hash="changed")
    assert list(unfinished.people(store)) == [people[2]]


def test_a_store_of_an_earlier_version_is_looked_through_once(store: Store) -> None:
    """Without the stamp of this plan the table counts for nothing."""
    mapped(store, 3)
    people = list(Ledger(store).people())
    finish(store, people[:2])
    with store.begin() as tx:
        tx.execute(delete(t.unfinished))
        tx.execute(delete(t.meta).where(t.meta.c.key == unfinished.STAMP))
    assert list(unfinished.people(store)) == people[2:]
    assert statements(store, lambda: unfinished.ensure(store))[1] == 0


def test_the_frontier_is_who_is_half_done_and_the_first_who_is_not_begun(store: Store) -> None:
    """The last ones first, whoever is finished or only linked aside."""
    mapped(store, 6)
    ledger = Ledger(store)
    people = [one for one in ledger.people() if one]
    finish(store, people[:1])
    for person in (people[1], people[3]):
        ledger.settle(next(iter(ledger.rows(person))), "done", ashby_id=person)
    assert unfinished.frontier(store, 64) == ([people[3], people[1]], [people[2]])
    assert unfinished.frontier(store, 1) == ([people[3]], [people[2]])

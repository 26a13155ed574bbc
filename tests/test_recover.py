"""A store that is lost comes back from the marks in Ashby, and a load after that makes nothing twice."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import proofs
import pytest
import reconcile
from conftest import (
    CUSTOMER,
    ON_POSTGRES,
    ROOT,
    Sandbox,
    copied_home,
    decide,
    environment,
    killed,
    point,
    prepare,
    running_sandbox,
    store_url,
    store_url_of,
    write_customer,
)
from picture import picture

from lib import decisions, steps, workbook
from lib import load as loading
from lib import recover as recovery
from lib.ashby import Answer, Ashby
from lib.errors import ConfigError, GateError, StoreError
from lib.store import damage
from lib.store.ledger import Ledger, Planned
from lib.workbook import Workbook

FIELDS = {
    "question:Languages": "Application:Languages",  # a field that the plan makes, with options
    "question:Notice period": "Application:Visa status",  # one that Ashby has, and that gets further options
    "form:Preferred name": "Candidate:Preferred pronouns",  # one that Ashby has
}
Json = dict[str, Any]


class DiedError(Exception):
    """The end of the process, as the seam plays it."""


@pytest.fixture(scope="module")
def small_process() -> Iterator[Sandbox]:
    """A small company with every kind of record."""
    with running_sandbox(people=8, seed=1) as one:
        yield one


@pytest.fixture(scope="module")
def small_home(tmp_path_factory: pytest.TempPathFactory, small_process: Sandbox) -> Path:
    """A home whose customer has a plan and has loaded nothing: to be copied."""
    folder = tmp_path_factory.mktemp("small") / "home"
    write_customer(folder, small_process)
    with environment(folder, small_process):
        book = workbook.open_customer(CUSTOMER)
        prepare(book, small_process)
        _put_answers_into_fields(book)
        steps.map(book)
        book.close()
    return folder


def _put_answers_into_fields(book: Workbook) -> None:
    table = book.table("custom_fields")
    rows = []
    for row in table.rows:
        kind, _, rest = row["id"].partition(":")
        rows.append(row | {"verdict": FIELDS.get(f"{kind}:{rest.partition(':')[2]}", row["verdict"])})
    decisions.DecisionTable("custom_fields", table.path, rows, table.columns).write()


@pytest.fixture(scope="module")
def loaded_process() -> Iterator[Sandbox]:
    """The same company, loaded once: for tests that do not change Ashby."""
    with running_sandbox(people=8, seed=1) as one:
        yield one


@pytest.fixture(scope="module")
def loaded_home(small_home: Path, loaded_process: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the customer who is loaded: to be copied."""
    folder = copied_home(small_home, tmp_path_factory.mktemp("loaded") / "home")
    write_customer(folder, loaded_process)
    with environment(folder, loaded_process):
        book = workbook.open_customer(CUSTOMER)
        steps.load(book, execute=True)
        book.close()
    return folder


@pytest.fixture(scope="module")
def quiet(loaded_home: Path, loaded_process: Sandbox) -> list[str]:
    """What a quiet load leaves in Ashby."""
    return picture(loaded_process.state)


class World:
    """One customer in a sandbox of its own, whose store can be lost."""

    def __init__(self, home: Path, sandbox: Sandbox, opened: Callable[[], Workbook]) -> None:
        self.home, self.sandbox, self._opened = home, sandbox, opened
        self.before, self.database = home / "before", ""
        self.book = opened()
        self.backup()

    @property
    def folder(self) -> Path:
        return self.home / "runs" / CUSTOMER

    def reopen(self) -> Workbook:
        self.book.close()
        self.book = self._opened()
        return self.book

    def backup(self) -> Workbook:
        """Keep the store as it stands: this is what `put_back` puts back."""
        self.book.close()
        shutil.rmtree(self.before, ignore_errors=True)
        shutil.copytree(self.folder, self.before)
        there = store_url_of(self.home)
        self.database = there and store_url(like=there)
        return self.reopen()

    def lose(self, *, everything: bool = True) -> Workbook:
        """The store is gone; with `everything`, the whole folder with its log, files and crosswalk."""
        self.book.close()
        if self.database:
            point(self.home, store_url())
        for name in damage.PARTS:
            (self.folder / name).unlink(missing_ok=True)
        if everything:
            shutil.rmtree(self.folder)
        return self.reopen()

    def put_back(self) -> Workbook:
        """The store is lost, and an old one from before the load is put in its place; the log survives."""
        self.book.close()
        log = (self.folder / "log.jsonl").read_bytes()
        shutil.rmtree(self.folder)
        shutil.copytree(self.before, self.folder)
        if self.database:
            point(self.home, store_url(like=self.database))
        (self.folder / "log.jsonl").write_bytes(log)
        return self.reopen()

    def load(self) -> steps.LoadResult:
        return steps.load(self.book, execute=True)

    def load_until(self, n_effects: int) -> None:
        """A load that dies at one of its effects."""
        left = [n_effects]

        def seam(moment: str, row: Planned) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise DiedError(f"{moment} {row.row_id}")

        with pytest.raises(DiedError):
            steps.load(self.book, execute=True, fail_at=seam)

    def load_until_nth(self, kind: str, nth: int) -> None:
        """A load that dies when so many rows of a kind are settled."""
        left = [nth]

        def seam(moment: str, row: Planned) -> None:
            left[0] -= moment == "settled" and row.kind == kind
            if left[0] <= 0:
                raise DiedError(f"{moment} {row.row_id}")

        with pytest.raises(DiedError):
            steps.load(self.book, execute=True, fail_at=seam)

    def recover(self, **more: Any) -> steps.RecoverResult:
        """A recovery, which must not write anything."""
        self.sandbox.ask("DELETE", "/calls")
        found = steps.recover(self.book, **more)
        assert self.sandbox.ask("GET", "/calls")["writes"] == 0
        return found

    def finished(self, quiet: list[str]) -> Counter[str]:
        """All rows are done, and Ashby stands as after a quiet load; how much is lost or doubled."""
        assert {state for _, state, _ in Ledger(self.book.store).counts()} == {"done"}
        state = self.sandbox.state
        found = reconcile.problems(self.sandbox.truth, state)
        assert {name: texts for name, texts in found.items() if texts} == {}
        assert picture(state) == quiet
        return reconcile.tally(found)

    def made(self, kind: str) -> list[Json]:
        """Objects of a kind that were not in Ashby before the move."""
        before = set(self.sandbox.state["preexisting"].get(kind, []))
        return [one for one in self.sandbox.state[kind] if one["id"] not in before]

    def mark(self, kind: str, ashby_id: str, title: str, value: str) -> None:
        """Somebody in Ashby writes into a marker field."""
        field = next(one["id"] for one in self.sandbox.state["custom_fields"] if one["title"] == title)
        body = {"objectId": ashby_id, "objectType": kind, "fieldId": field, "fieldValue": value}
        self.sandbox.ashby("customField.setValue", body)


@pytest.fixture
def loaded(
    loaded_home: Path, loaded_process: Sandbox, tmp_path: Path, opened: Callable[[], Workbook]
) -> Iterator[World]:
    """The small customer, loaded. Ashby is shared with other tests: nothing may change it."""
    copied_home(loaded_home, tmp_path / "home")
    with environment(tmp_path / "home", loaded_process):
        yield World(tmp_path / "home", loaded_process, opened)


@pytest.fixture
def world(small_home: Path, small_process: Sandbox, tmp_path: Path, opened: Callable[[], Workbook]) -> Iterator[World]:
    """The small customer, mapped and not loaded."""
    small_process.reset()
    copied_home(small_home, tmp_path / "home")
    with environment(tmp_path / "home", small_process):
        yield World(tmp_path / "home", small_process, opened)


def counts(found: steps.RecoverResult) -> Counter[str]:
    total: Counter[str] = Counter()
    for row in found.report.counts:
        total.update({name: n for name, n in row.items() if name != "kind"})
    return +total


# ---- nothing was missing --------------------------------------------------------------------------------------------
@pytest.mark.proof
def test_a_lost_store_comes_back_and_the_next_load_sends_nothing(
    mapped: Workbook, sandbox: Sandbox, opened: Callable[[], Workbook], tmp_path: Path
) -> None:
    """Store, files, log and crosswalk are gone; people adopted in Ashby are told from those that the load made."""
    mapped.close()
    world = World(tmp_path / "home", sandbox, opened)
    before = Ledger(world.book.store).plan_hash()
    world.load()
    links = {(row["link"], row["ashby_id"], row["origin"]) for row in Ledger(world.book.store).link_rows()}
    crosswalk = (world.folder / "crosswalk.csv").read_text()
    end = picture(sandbox.state)
    world.lose()
    found = world.recover()
    assert found.plan_hash == before
    assert found.calls == {}
    assert {(row["link"], row["ashby_id"], row["origin"]) for row in Ledger(world.book.store).link_rows()} == links
    assert (world.folder / "crosswalk.csv").read_text() == crosswalk
    rest = (found.report.ambiguous, found.report.surplus, found.report.changed, found.report.merged)
    assert rest == ([], [], [], [])
    assert set(counts(found)) == {"by mark", "as it stands", "before us"}
    assert world.load().n_writes == 0
    world.finished(end)
    if proofs.PROVE:  # the import of Great Expectations alone takes seconds
        assert steps.validate(world.book).ok
    calls = sandbox.ask("GET", "/calls")
    proofs.tell(
        "P38", "a whole store was lost after the load, and recovered",
        rows=sum(counts(found).values()), writes_after=calls["writes"], same_plan=True,
    )  # fmt: skip


def test_with_the_crosswalk_the_plan_is_the_same_also_where_fields_were_there_before(
    loaded: World, quiet: list[str]
) -> None:
    """What was found counts as written by us, so that later changes are told from other people's edits."""
    before = Ledger(loaded.book.store).plan_hash()
    loaded.lose(everything=False)
    found = loaded.recover()
    assert (found.plan_hash, found.calls) == (before, {})
    assert loaded.load().n_writes == 0
    loaded.finished(quiet)
    ledger = Ledger(loaded.book.store)
    for row in ledger.rows_of_kind("customField.setValues"):
        request = ledger.last_request(row.row_id)
        assert [one["fieldValue"] for one in request["values"]] == [one["fieldValue"] for one in row.body["values"]]
    steps.dedupe(loaded.book)
    assert steps.map(loaded.book).plan_hash == before


def test_without_the_crosswalk_fields_that_were_there_make_no_difference_in_ashby(
    loaded: World, quiet: list[str]
) -> None:
    loaded.lose()
    assert loaded.recover().calls == {}
    assert loaded.load().n_writes == 0
    loaded.finished(quiet)


def test_a_store_that_is_lost_after_a_later_reading_comes_back_too(world: World) -> None:
    """Somebody has moved on in Lever after the load: the note that was renewed is known with both its versions."""
    world.load()
    rows = [row for row in Ledger(world.book.store).rows_of_kind("candidate.createNote") if row.body.get("createdAt")]
    histories = {row.lever_id for row in rows if row.row_id.endswith("/history")}
    active = [
        one for one in world.book.store.all("opportunities") if not one.get("archived") and one["id"] in histories
    ]
    edits = [{"kind": "stage", "opportunity": one["id"]} for one in active[:4]]
    world.sandbox.ask("POST", "/edits", {"edits": edits, "seed": 3})
    steps.extract(world.book)
    decide(world.book, world.sandbox)
    later = steps.map(world.book).plan_hash
    assert any("/v2" in row.row_id for row in Ledger(world.book.store).rows())
    world.load()
    world.lose()
    found = world.recover()
    assert (found.calls, found.report.surplus, found.report.ambiguous) == ({}, [], [])
    assert any("/v2" in row.row_id for row in Ledger(world.book.store).rows())
    assert found.plan_hash != later  # an application counts as made with its history of today
    assert world.load().n_writes == 0


# ---- half of it is there ---------------------------------------------------------------------------------------------
@pytest.mark.proof
@pytest.mark.parametrize("seed", range(proofs.amount(4, 60)))
def test_a_load_that_died_and_lost_its_store_ends_as_a_quiet_one(world: World, quiet: list[str], seed: int) -> None:
    """Killed at a random effect; then the store is gone, or an old one from before the load is put back."""
    chance = random.Random(f"lost {seed}")
    n_rows = sum(1 for row in Ledger(world.book.store).rows() if row.kind != "link")
    at = chance.randrange(4 * n_rows)
    world.load_until(at)
    if seed % 2:
        world.put_back()
    else:
        world.lose(everything=False)
    n_there = sum(len(world.made(kind)) for kind in ("candidates", "applications", "jobs", "custom_fields"))
    found = world.recover(accept_empty=not world.made("custom_fields"))
    assert found.report.ambiguous == []
    sent = world.load().n_writes
    assert sent <= n_rows
    harm = world.finished(quiet)
    proofs.tell(
        "P38", "a load died, lost its store, was recovered and loaded to the end",
        seed=seed, died_at_effect=at, objects_there=n_there,
        found=counts(found).total() - counts(found)["not there"],
        writes_after=sent, **harm,
    )  # fmt: skip


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(proofs.amount(1, 10)))
def test_a_recovery_may_be_killed_and_goes_on(loaded: World, quiet: list[str], seed: int) -> None:
    world = loaded
    world.lose()
    world.book.close()
    chance = random.Random(f"killed {seed}")
    n_kills = 0
    for _ in range(4):
        n_kills += killed(_recover_all, seconds=chance.uniform(0.3, 2.0))
        book = world.reopen()
        if (book.store.meta("recover") or {}).get("state") == "begun":
            with pytest.raises(GateError, match="workbook recover acme"):
                steps.load(book, execute=True)
        book.close()
    world.reopen()
    if not steps.is_intact(world.book):
        world.recover()
    assert n_kills >= 1
    sent = world.load().n_writes
    assert sent == 0
    harm = world.finished(quiet)
    proofs.tell("P38", "a recovery was killed again and again", seed=seed, kills=n_kills, writes_after=sent, **harm)


def _recover_all() -> None:
    steps.recover(workbook.open_customer(CUSTOMER))


# ---- nobody loads without it -----------------------------------------------------------------------------------------
def test_a_load_without_the_lost_ledger_is_refused(loaded: World) -> None:
    """Who simply begins anew would take the own candidates for strangers: the run stops and names the remedy."""
    loaded.lose()
    steps.audit(loaded.book)
    steps.extract(loaded.book)
    with pytest.raises(GateError, match=r"8 candidates in Ashby carry ids.*workbook recover acme"):
        steps.dedupe(loaded.book)


def test_an_old_store_that_was_put_back_is_noticed(world: World) -> None:
    """A backup from the middle of the load knows some people, and not the others."""
    world.load_until_nth("candidate.create", 2)
    links = Ledger(world.book.store).links()
    assert 2 <= sum(link.startswith("candidate:") for link in links) < 8
    world.backup()
    world.load()
    world.put_back()
    with pytest.raises(GateError, match=r"is older than what stands there.*workbook recover acme --anew"):
        steps.dedupe(world.book)


@pytest.mark.parametrize("share", [0, 0.3, 0.6, 0.9])
def test_a_load_with_an_old_store_sends_nothing(world: World, share: float) -> None:
    """Whoever loads at once, without the steps before it: what the ledger never began is in Ashby, so it is old."""
    n_rows = sum(1 for row in Ledger(world.book.store).rows() if row.kind != "link")
    if share:
        world.load_until(int(4 * n_rows * share))
    world.backup()
    world.load()
    world.put_back()
    n_writes = world.sandbox.state["writes"]
    with pytest.raises(GateError, match=r"is older than what stands there.*workbook recover acme --anew"):
        steps.load(world.book, execute=True)
    assert world.sandbox.state["writes"] == n_writes


def test_an_old_store_is_noticed_in_small_pages_and_when_a_cursor_is_refused(world: World) -> None:
    """The pages are looked at one by one, and begin again: each candidate counts once."""
    world.backup()
    world.load()
    world.put_back()
    pages = {"api": "ashby", "endpoint": "candidate.list"}
    refused = pages | {"having": "cursor", "effect": "refuse_token", "code": "next_cursor_expired", "nth": 4}
    world.sandbox.faults(pages | {"effect": "short_page", "limit": 2}, refused)
    n_marked = sum("Lever contact ID" in one["customFields"] for one in world.sandbox.state["candidates"])
    n_writes = world.sandbox.state["writes"]
    with pytest.raises(GateError, match=f"^{n_marked} candidates in Ashby carry ids"):
        steps.load(world.book, execute=True)
    struck = {row["effect"]: row["struck"] for row in world.sandbox.ask("GET", "/faults")}
    assert (struck["refuse_token"], struck["short_page"] > 6) == (1, True)
    assert world.sandbox.state["writes"] == n_writes


class Many:
    """An Ashby in which very many candidates have changed: an earlier run of this load has made them."""

    N_PAGES, TOKEN = 300, "the last page's"
    walked = Ashby.walked

    def __init__(self, contacts: list[str], ids: list[str]) -> None:
        self.contacts, self.ids = contacts, ids

    def pages(self, endpoint: str, body: Json | None = None) -> Iterator[Answer]:
        """Pages of our own candidates, of other accounts' and of people whom nobody has moved."""
        for number in range(self.N_PAGES):
            marks = [*self.contacts, *(f"of another account {number} {n}" for n in range(10))]
            own = [self.one(f"{number}-{n}", [mark]) for n, mark in enumerate(marks)]
            others = [self.one(ashby_id, []) for ashby_id in self.ids] + [
                self.one(f"{number}+{n}", []) for n in range(60)
            ]
            last = number == self.N_PAGES - 1
            yield Answer(own + others, more=not last, sync_token=self.TOKEN if last else "")

    def one(self, ashby_id: str, marks: list[str]) -> Json:
        """A candidate with about as much in it as there is in a real one."""
        fields = [{"id": "f", "title": "Lever contact ID", "value": ", ".join(marks)}] if marks else []
        return {"id": ashby_id, "customFields": fields, "fileHandles": [{"name": f"{ashby_id} {n}"} for n in range(20)]}


def test_after_a_load_that_was_killed_late_its_candidates_are_not_gathered_in_memory(world: World) -> None:
    world.load_until_nth("candidate.create", 4)
    links = Ledger(world.book.store).links()
    contacts = [link.partition(":")[2] for link in links if link.startswith("candidate:")]
    many = replace(world.book, ashby=Many(contacts, sorted(links.values())))  # type: ignore[arg-type]
    tracemalloc.start()
    steps.lost.check_in_time(many, steps.writing.load_of(world.book))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert world.book.store.meta("load.candidates")["token"] == Many.TOKEN
    assert peak < 8_000_000


def _put_back_and_load(world: World) -> None:
    """The store from before, in the place of the one that has loaded: nothing is sent."""
    world.put_back()
    n_writes, n_people = world.sandbox.state["writes"], len(world.sandbox.state["candidates"])
    with pytest.raises(GateError, match=r"is older than what stands there.*workbook recover acme --anew"):
        steps.load(world.book, execute=True)
    assert world.sandbox.state["writes"] == n_writes
    assert len(world.sandbox.state["candidates"]) == n_people


def test_an_old_store_is_noticed_where_the_first_person_was_in_ashby_before(world: World) -> None:
    """No call made that person, so the others must tell."""
    first = next(row for row in Ledger(world.book.store).rows() if row.kind == "candidate.create")
    members = ("name", "email", "createdAt")
    world.sandbox.ashby("candidate.create", {name: first.body[name] for name in members if name in first.body})
    decide(world.book, world.sandbox)
    table = world.book.table("people")
    for row in table.rows:
        row["verdict"] = "same" if "ashby" in row["id"] or first.person in row["id"] else row["verdict"]
    table.write()
    steps.dedupe(world.book)
    _put_answers_into_fields(world.book)
    steps.map(world.book)
    rows = [row for row in Ledger(world.book.store).rows() if row.person]
    assert (rows[0].kind, rows[0].person) == ("link", first.person)
    world.backup()
    world.load()
    _put_back_and_load(world)


def test_an_old_store_is_noticed_where_the_later_one_loaded_a_sample(world: World) -> None:
    people = list(dict.fromkeys(row.person for row in Ledger(world.book.store).rows() if row.person))
    some = next(n for n in range(1, 8) if people[0] not in loading.sample(world.book.store, n))
    steps.load(world.book, execute=True, sample=some)
    assert f"candidate:{people[0]}" not in Ledger(world.book.store).links()
    _put_back_and_load(world)


def test_an_old_store_is_noticed_where_the_first_person_was_refused(world: World) -> None:
    refuse = {"api": "ashby", "endpoint": "candidate.create", "effect": "refuse", "code": "invalid_input"}
    write_customer(world.home, world.sandbox, ashby={"workers": 1})
    world.reopen()
    world.sandbox.faults(refuse | {"nth": 1})
    assert len(world.load().refused) == 1
    world.sandbox.faults()
    _put_back_and_load(world)


@pytest.mark.parametrize("stamped", [False, True])
def test_an_old_store_is_noticed_where_an_answer_of_its_own_was_lost(world: World, stamped: bool) -> None:
    """A person of whom it is not known whether he was made: looked up first, then what hangs on him is asked for."""
    write_customer(world.home, world.sandbox, ashby={"workers": 1})
    world.reopen()
    person = _person_of_plan(world, "application.create")
    with pytest.raises(DiedError):
        steps.load(world.book, execute=True, fail_at=_dies(f"candidate.create/person/{person}"))
    assert [row.person for row, _ in Ledger(world.book.store).entries("intended")] == [person]
    if stamped:
        world.backup()
        world.load()
        _put_back_and_load(world)
    else:
        world.load()
        assert {state for _, state, _ in Ledger(world.book.store).counts()} == {"done"}


def _person_of_plan(world: World, kind: str) -> str:
    """The last person of the plan who has rows of a kind: all others come before."""
    return [row.person for row in Ledger(world.book.store).rows() if row.kind == kind and row.person][-1]


def _dies(row_id: str) -> Callable[[str, Planned], None]:
    def seam(moment: str, row: Planned) -> None:
        if moment == "answered" and row.row_id == row_id:
            raise DiedError(moment)

    return seam


def test_asking_whether_the_store_is_old_costs_next_to_nothing(world: World) -> None:
    """A second load makes no call for it, and one that has something to send a few."""
    world.load()
    world.sandbox.ask("DELETE", "/calls")
    assert world.load().n_calls == 1
    asked = world.sandbox.ask("GET", "/calls")
    assert (asked["writes"], asked["total"]) == (0, 1)  # the users, by which the organization is known
    row = next(row for row in Ledger(world.book.store).rows() if row.kind == "candidate.addTag")
    with world.book.writing("load"):
        Ledger(world.book.store).settle(row, "again")
    world.load()
    world.sandbox.ask("DELETE", "/calls")
    with world.book.writing("load"):
        Ledger(world.book.store).settle(row, "again")
    world.load()
    assert world.sandbox.ask("GET", "/calls")["total"] <= 5


def test_nobody_is_recovered_from_an_ashby_that_knows_nobody(world: World, loaded_home: Path) -> None:
    """A key of another organization: no object there carries an id of this Lever account."""
    shutil.copy(loaded_home / "runs" / CUSTOMER / "crosswalk.csv", world.folder)
    world.lose(everything=False)
    with pytest.raises(GateError, match=r"None of the 8 candidates of runs/acme/crosswalk\.csv is in this Ashby"):
        world.recover()
    world.lose()
    with pytest.raises(GateError, match=r"Nothing in this Ashby carries a Lever id.*--accept-empty"):
        world.recover()
    with pytest.raises(GateError, match="is being recovered"):
        steps.load(world.book, execute=True)
    found = world.recover(accept_empty=True)
    assert set(counts(found)) <= {"not there", "as it stands", "before us"}


def test_marks_of_another_account_are_not_ours(world: World) -> None:
    made = world.sandbox.ashby("candidate.create", {"name": "Somebody Else"})
    field = {"objectType": "Candidate", "fieldType": "String", "title": "Lever contact ID"}
    world.sandbox.ashby("customField.create", field)
    world.mark("Candidate", made["id"], "Lever contact ID", "an-id-of-another-account")
    world.lose()
    with pytest.raises(GateError, match="1 objects in this Ashby carry Lever ids, and none of them"):
        world.recover()


# ---- what people did in Ashby ----------------------------------------------------------------------------------------
def _person(world: World, *kinds: str) -> tuple[str, str]:
    """(person, Ashby id) of somebody who has rows of all these kinds."""
    ledger = Ledger(world.book.store)
    found: dict[str, set[str]] = {}
    for row in ledger.rows():
        found.setdefault(row.person, set()).add(row.kind)
    person = next(one for one in sorted(found) if one and {"candidate.create", *kinds} <= found[one])
    return person, ledger.links()[f"candidate:{person}"]


def test_two_candidates_with_one_mark_are_for_a_person(world: World, quiet: list[str]) -> None:
    """Nothing is sent for somebody who may stand there twice; once Ashby is cleared up, a second look finds them."""
    world.load()
    person, ashby_id = _person(world, "application.create")
    twin = world.sandbox.ashby("candidate.create", {"name": "A Copy"})["id"]
    world.mark("Candidate", twin, "Lever contact ID", person)
    world.put_back()
    found = world.recover()
    assert [row["row_id"] for row in found.report.ambiguous] == [f"candidate.create/person/{person}"]
    assert ashby_id in found.report.ambiguous[0]["note"]
    assert twin in found.report.ambiguous[0]["note"]
    assert world.load().n_writes == 0
    steps.dedupe(world.book)  # neither is taken for a stranger, and nothing is looked up or sent
    assert steps.map(world.book).plan_hash == found.plan_hash
    assert world.load().n_writes == 0
    assert not steps.is_intact(world.book)
    world.mark("Candidate", twin, "Lever contact ID", "-")
    assert world.recover().report.ambiguous == []
    assert Ledger(world.book.store).links()[f"candidate:{person}"] == ashby_id
    assert steps.is_intact(world.book)
    assert world.load().n_writes == 0


def test_a_mark_that_somebody_has_changed_is_noticed(world: World) -> None:
    """The candidate is found by its looks, its application by its records; the wrong marks are named, and stay."""
    world.load()
    person, ashby_id = _person(world, "application.create")
    world.mark("Candidate", ashby_id, "Lever contact ID", "see old system")
    job = next(one for one in world.made("jobs") if one["customFields"].get("Lever posting ID"))
    posting = job["customFields"]["Lever posting ID"]
    world.mark("Job", job["id"], "Lever posting ID", "moved")
    world.put_back()
    found = world.recover()
    assert found.report.ambiguous == []
    links = Ledger(world.book.store).links()
    assert (links[f"candidate:{person}"], links[f"job:{posting}"]) == (ashby_id, job["id"])
    assert {(row["object"], row["ashby_id"]) for row in found.report.changed} == {
        ("candidate", ashby_id), ("job", job["id"]),
    }  # fmt: skip
    result = world.load()
    assert result.n_writes == 0
    assert sorted(result.conflicts["kind"]) == ["customField.setValues", "customField.setValues"]


def test_people_whom_somebody_has_merged_are_not_made_again(world: World) -> None:
    """The mark of one of them is gone; the applications, notes and files of both stand at the other's candidate."""
    world.load()
    person, gone = _person(world, "application.create")
    keep = next(one["id"] for one in world.made("candidates") if one["id"] != gone)
    world.sandbox.ask("POST", "/ashby/merge", {"keep": keep, "gone": gone})
    before = world.sandbox.state
    world.put_back()
    found = world.recover()
    assert [row["row_id"] for row in found.report.merged] == [f"candidate.create/person/{person}"]
    assert found.report.ambiguous == []
    assert Ledger(world.book.store).links()[f"candidate:{person}"] == keep
    world.load()
    after = world.sandbox.state
    assert [one["id"] for one in after["candidates"]] == [one["id"] for one in before["candidates"]]
    assert len(after["applications"]) == len(before["applications"])
    for old, new in zip(before["candidates"], after["candidates"], strict=True):
        assert (old["notes"], old["files"]) == (new["notes"], new["files"])
        assert old["customFields"].items() <= new["customFields"].items()


def test_whom_somebody_has_deleted_comes_back_only_when_told(world: World) -> None:
    """The crosswalk says that they were loaded; a line in overrides.csv says that they are to be written again."""
    world.load()
    crosswalk = (world.folder / "crosswalk.csv").read_bytes()
    person, gone = _person(world, "application.create")
    world.sandbox.ask("POST", "/ashby/delete", {"candidate": gone})
    world.put_back()
    (world.folder / "crosswalk.csv").write_bytes(crosswalk)
    row_id = f"candidate.create/person/{person}"
    for _ in range(2):  # a second look, with a crosswalk that was written anew, knows it still
        found = world.recover()
        assert [row["row_id"] for row in found.report.ambiguous] == [row_id]
        assert gone in found.report.ambiguous[0]["note"]
        assert world.load().n_writes == 0
    (world.home / "params" / CUSTOMER / "overrides.csv").write_text(
        f"id,who,when,why\nrecover:{row_id},kim,2026-11-24,by mistake\n"
    )
    assert world.recover().calls["candidate.create"] == 1
    assert world.load().n_writes > 0
    assert len(world.made("candidates")) == 8


def test_what_is_in_ashby_and_in_no_plan_is_named(loaded: World) -> None:
    """Lever does not have the person any more: the candidate is told as surplus, and touched by nobody."""
    world = loaded
    person, ashby_id = _person(world, "application.create")
    world.lose()
    steps.audit(world.book)
    steps.extract(world.book)
    contacts = next(one for one in world.made("candidates") if one["id"] == ashby_id)["customFields"]
    gone = contacts["Lever contact ID"].split(",")
    with world.book.writing("test"), world.book.store.begin() as tx:
        for one in list(world.book.store.all("opportunities")):
            if one["contact"]["id"] in gone:
                world.book.store.put_gone(tx, "opportunities", one["id"])
    found = world.recover()
    assert ("candidate", person, ashby_id) in {tuple(row.values()) for row in found.report.surplus}
    assert "candidate.create" in {row["kind"] for row in found.report.counts}


def test_a_note_whose_mark_is_gone_is_not_written_again(loaded: World) -> None:
    """Somebody has cut its last line off: it is left to a person, unless the crosswalk still knows it."""
    note = next(
        row for row in Ledger(loaded.book.store).rows_of_kind("candidate.createNote") if row.lever_type == "note"
    )
    for everything in (True, False):
        loaded.lose(everything=everything)
        real = loaded.book.ashby.items

        def without_mark(endpoint: str, body: Any = None, real: Any = real) -> list[Json]:
            found = real(endpoint, body)
            for one in found if endpoint == "candidate.listNotes" else []:
                one["content"] = one["content"].replace(f"[Lever note {note.lever_id}]", "")
            return found

        loaded.book.ashby.items = without_mark  # type: ignore[method-assign]
        found = loaded.recover()
        assert [row["row_id"] for row in found.report.ambiguous] == ([note.row_id] if everything else [])
        assert loaded.load().n_writes == 0
        if everything:
            break


# ---- damaged files ---------------------------------------------------------------------------------------------------
OF_A_FILE = pytest.mark.skipif(ON_POSTGRES, reason="about the file of SQLite; PostgreSQL looks after its own files")


@OF_A_FILE
@pytest.mark.parametrize("harm", ["cut off", "holes"])
def test_a_damaged_store_is_told_from_a_whole_one(loaded: World, harm: str) -> None:
    path, data = loaded.folder / "store.db", _bytes_of(loaded)
    assert damage.condition(loaded.folder) == ""
    if harm == "cut off":
        data = data[: len(data) // 3]
    else:
        for start in range(4096, len(data), 16384):
            data[start : start + 2048] = bytes(2048)
    path.write_bytes(data)
    assert damage.condition(loaded.folder) != ""
    with pytest.raises(StoreError, match="workbook recover acme"):
        list(Ledger(loaded.reopen().store).rows())


def _bytes_of(world: World) -> bytearray:
    """The whole store as one file, closed."""
    with world.book.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    world.book.close()
    return bytearray((world.folder / "store.db").read_bytes())


@OF_A_FILE
def test_a_damaged_store_is_named_set_aside_and_recovered(loaded: World, quiet: list[str]) -> None:
    harm = random.Random(1).randbytes(len(_bytes_of(loaded)))
    (loaded.folder / "store.db").write_bytes(harm)
    with pytest.raises(StoreError, match=r"damaged.*workbook recover acme"):
        loaded.reopen()
    done = _workbook(loaded, "recover", "acme")
    assert done.returncode == 0, done.stderr
    assert "runs/acme/set-aside-1" in done.stdout
    assert "A load would send: nothing" in done.stdout
    assert (loaded.folder / "set-aside-1" / "store.db").read_bytes() == harm
    assert (loaded.folder / "set-aside-1").stat().st_mode & 0o777 == 0o700
    loaded.reopen()
    assert loaded.load().n_writes == 0
    loaded.finished(quiet)


@OF_A_FILE
def test_a_whole_store_is_left_alone_unless_asked(loaded: World) -> None:
    done = _workbook(loaded, "recover", "acme")
    assert (done.returncode, "is whole: there is nothing to recover" in done.stdout) == (0, True)
    with loaded.book.writing("load"):
        assert _refused_in_another_process(loaded.folder)
    assert not (loaded.folder / "set-aside-1").exists()
    loaded.book.close()
    told = recovery.make_room(loaded.folder, "", anew=True)
    assert told == "The store was whole; it is now in runs/acme/set-aside-1."
    assert loaded.reopen().store.count("opportunities") == 0
    with pytest.raises(ConfigError, match="not set aside by us"):
        recovery.make_room(loaded.folder, "postgresql://x@/y", anew=True)


def _refused_in_another_process(folder: Path) -> bool:
    pid = os.fork()
    if pid == 0:
        code = 0
        try:
            recovery.make_room(folder, "", anew=True)
        except StoreError as error:
            code = 7 if "Somebody is working on acme" in str(error) else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def _workbook(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"WORKBOOK_HOME": str(world.home), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "lib.cli", *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip

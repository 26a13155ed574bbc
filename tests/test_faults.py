"""Every scenario of the sandbox against the whole move: what can end well ends as in calm, the rest stops as promised.

Afterwards, with the fault gone, the next run ends in the state of the calm one. P3 mixes all faults by seeds; P4 loses
the answer of every endpoint that writes; the last part counts calls (P7).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import reconcile
from conftest import (
    CUSTOMER,
    Sandbox,
    copied_home,
    decide,
    environment,
    oauth_customer,
    prepare,
    running_sandbox,
    write_customer,
)
from picture import picture
from proofs import amount, seeds, tell

from lib import contract, steps, workbook
from lib.errors import (
    ContractError,
    FatalError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
    WorkbookError,
)
from lib.load.guard import AMENDMENTS
from lib.load.moved import GONE
from lib.store.ledger import Ledger, Planned
from lib.transport import Limits, headers, pacer
from lib.workbook import Workbook
from sandbox.scenarios import Scenario, mix, scenarios

Ending = str | type[WorkbookError]
STREAMS = sorted(contract.lever_objects())
SHORT = Limits(connect=1.0, read=0.8, total=1.2)
MEMORY = Path("/dev/shm")
TOLD_APART = ("note", "tag")  # of these a candidate has several


@dataclass(frozen=True)
class Ends:
    """How each half of the move ends: "calm", an error, or "" where no row concerns it.

    "aside": records are set aside, and arrive once the fault is gone; "raw": other raw answers that mean the same;
    "edited": other people have changed something, which must be there as they left it; "gone": they have merged and
    deleted candidates.
    """

    reading: Ending = ""
    loading: Ending = ""
    limits: Limits | None = None
    first_s: float = 0.02
    longest_wait: float | None = None  # the cap of what a server may ask for, else the product's own two minutes


BOTH = Ends("calm", "calm")
EXPECTED = {
    "calm": BOTH,
    "lost-answers": Ends(loading="calm"),
    "flaky": BOTH,
    "odd-envelopes": BOTH,
    "slow": BOTH,
    "mixed": BOTH,
    "cut-connections": BOTH,
    "broken-bodies": BOTH,
    "dripping": Ends("calm", "calm", limits=SHORT),
    "odd-success": Ends(loading="calm"),
    "odd-headers": BOTH,
    "half-dead-servers": BOTH,
    "throttled": BOTH,
    "throttled-for-days": Ends("calm", "calm", longest_wait=0.2),
    "storm": BOTH,
    "maintenance": BOTH,
    "throttled-for-ever": Ends(RateLimitedError, UnavailableError),
    "down": Ends(UnavailableError, UnavailableError),
    "lever-key-revoked": Ends(UnauthorizedError),
    "lever-key-narrowed": Ends(UnauthorizedError),
    "one-key-narrowed": Ends(UnauthorizedError),
    "ashby-key-revoked": Ends(loading=UnauthorizedError),
    "ashby-key-missing": Ends(loading=UnauthorizedError),
    "ashby-key-narrowed": Ends(loading=UnauthorizedError),
    "tokens-end": Ends("calm"),
    "refresh-lost": Ends("calm"),
    "refresh-refused-for-now": Ends("calm"),
    "consent-withdrawn": Ends(UnauthorizedError),
    "short-pages": BOTH,
    "odd-pages": BOTH,
    "expired-tokens": BOTH,
    "moved-paths": Ends("calm"),
    "token-without-end": Ends(ContractError),
    "tokens-never-valid": Ends(UnavailableError),
    "unknown-members": Ends("raw", "calm"),
    "same-id-twice": Ends("raw"),
    "odd-known-values": Ends("raw"),
    "odd-needed-values": Ends(ContractError),
    "account-that-shrinks": Ends("raw"),
    "lists-that-are-not-there": Ends(ContractError),
    "sync-tokens-expire": Ends(loading="calm"),
    "storage-hiccups": BOTH,
    "handles-expire": Ends(loading="calm"),
    "attachments-lost": Ends(loading="calm"),
    "storage-closed": Ends(loading=FatalError),
    "files-refused": Ends("aside"),
    "refusals": Ends(loading="aside"),
    "unknown-codes": Ends(loading="aside"),
    "not-found-for-ours": Ends(loading="aside"),
    "refused-by-status": Ends(loading="aside"),
    "lists-that-shrink": Ends("raw"),
    "conflicts": Ends(loading="calm"),
    "everything-refused": Ends(loading=FatalError),
    "visible-late": Ends(loading="calm"),
    "readers-at-work": Ends("edited"),
    "applicants-at-work": Ends("edited"),
    "writers-at-work": Ends(loading="edited"),
    "mergers-at-work": Ends(loading="gone"),
}


TRIES, WORKERS = 12, 6  # of these customers, on either side
LISTS = sum("{opportunity}" in about["path"] for about in contract.lever_objects().values())
STOPPED_BY = {
    "lever-key-revoked": (401, WORKERS),
    "lever-key-narrowed": (403, WORKERS * LISTS),
    "consent-withdrawn": (401, 2 * WORKERS),
    "ashby-key-revoked": (403, WORKERS),
    "ashby-key-missing": (401, WORKERS),
    "ashby-key-narrowed": (403, 3 * WORKERS),
    "throttled-for-ever": (429, TRIES * WORKERS),
    "down": (503, TRIES * WORKERS),
}
"""The status that ends a run, and how many calls are answered after the first such answer at most: what each worker
has under way; the other lists of its candidacy, which the key may still read; once more with a renewed token; the three
calls of an upload that has begun; all tries where patience ends."""


# ---- one small company, and what calm leaves -----------------------------------------------------------------------
@dataclass(frozen=True)
class Calm:
    """What an undisturbed move holds and leaves."""

    home: Path
    heads: dict[str, dict[str, str]]
    files: dict[str, tuple[str, str | None]]
    n_read: int
    plan: str
    truth: dict[str, Any]
    picture: list[str]
    made: dict[str, list[str]]


def heads(book: Workbook) -> dict[str, dict[str, str]]:
    return {stream: book.store.head_shas(stream) for stream in STREAMS}


def files(book: Workbook) -> dict[str, tuple[str, str | None]]:
    return {row.lever_id: (row.state, row.sha256) for row in book.store.files()}


@pytest.fixture(scope="module")
def small() -> Iterator[Sandbox]:
    with running_sandbox(people=6, seed=3) as one:
        yield one


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Fast and private: in memory where there is such a place."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None) as name:
        yield Path(name)


@contextlib.contextmanager
def customer(home: Path, sandbox: Sandbox, ends: Ends | None = None, *, oauth: bool = False) -> Iterator[Workbook]:
    """An open customer in `home`, with patience for a storm but none for a dripping answer."""
    with environment(home, sandbox), pytest.MonkeyPatch.context() as patch:
        if ends:
            settings(home, sandbox, first_s=ends.first_s, oauth=oauth)
        if ends and ends.longest_wait:
            patch.setattr(headers, "LONGEST_WAIT", ends.longest_wait)
            patch.setattr(pacer, "LONGEST_WAIT", ends.longest_wait)
        book = workbook.open_customer(CUSTOMER)
        if ends and ends.limits:
            book.lever.transport.limits = book.ashby.transport.limits = ends.limits
        try:
            yield book
        finally:
            book.close()


def settings(
    home: Path, sandbox: Sandbox, *, first_s: float = 0.02, settle_s: float = 0.15, oauth: bool = False
) -> None:
    retry = {"attempts": TRIES, "first_s": first_s, "longest_s": 0.1}
    lever = {"retry": retry, "file_hours": 0}  # each run is another occasion to ask for a file that Lever refused
    write = oauth_customer if oauth else write_customer
    write(home, sandbox, lever=lever, ashby={"retry": retry, "settle_s": settle_s})


@pytest.fixture(scope="module")
def calm(folder: Path, small: Sandbox) -> Calm:
    return undisturbed(folder / "calm", small)


@pytest.fixture(scope="module")
def longer(folder: Path, small: Sandbox, calm: Calm) -> Iterator[tuple[Sandbox, Calm]]:
    """A company whose plan is so long that about as many calls are struck as are to be."""
    if amount(0, 1):
        with running_sandbox(people=40, seed=3) as one:
            yield one, undisturbed(folder / "longer", one)
    else:
        yield small, calm


def undisturbed(home: Path, sandbox: Sandbox) -> Calm:
    """A move without any fault; what is planned stays in `home`, what is loaded beside it."""
    settings(home, sandbox)
    with customer(home, sandbox) as book:
        prepare(book, sandbox)
        steps.map(book)
        found = (heads(book), files(book), book.lever.transport.n_calls, Ledger(book.store).plan_hash())
    loaded = copied_home(home, home.with_name(f"{home.name}-loaded"))
    with customer(loaded, sandbox) as book:
        steps.load(book, execute=True)
    state, truth = sandbox.state, sandbox.truth
    assert not any(reconcile.problems(truth, state).values())
    return Calm(home, *found, truth, picture(state), made(state))


@pytest.fixture
def fresh(folder: Path, small: Sandbox, calm: Calm) -> Iterator[Callable[[str], Path]]:
    """Makes homes: "begin" has read nothing, "mapped" has loaded nothing; the sandbox is as at its boot."""
    made: list[Path] = []

    def make(kind: str) -> Path:
        home = folder / f"home-{len(made)}"
        if kind == "mapped":
            copied_home(calm.home, home)
        else:
            settings(home, small)
        made.append(home)
        return home

    small.reset()
    yield make
    for one in made:
        shutil.rmtree(one)


def states(book: Workbook) -> set[str]:
    return {state for _, state, _ in Ledger(book.store).counts()}


def loaded_as_in_calm(book: Workbook, sandbox: Sandbox, calm: Calm) -> Counter[str]:
    """All is done and stands as in calm; returns how much is lost, doubled and parked."""
    left = [(row.kind, one.state, one.code, one.note) for row, one in Ledger(book.store).entries("parked", "refused")]
    assert states(book) == {"done"}, left
    state = sandbox.state
    found = reconcile.problems(calm.truth, state)
    assert {kind: texts for kind, texts in found.items() if texts} == {}
    assert picture(state) == calm.picture
    return Counter({**reconcile.tally(found), "parked": len(left)})


def read_as_in_calm(book: Workbook, calm: Calm) -> None:
    assert heads(book) == calm.heads
    assert files(book) == calm.files


def read(book: Workbook) -> None:
    steps.audit(book)
    steps.extract(book)


# ---- every scenario --------------------------------------------------------------------------------------------------
def test_every_scenario_has_an_expectation_and_a_promise() -> None:
    assert set(scenarios()) == set(EXPECTED)
    for name, one in scenarios().items():
        assert one.promise.endswith("."), name
        ends = EXPECTED[name]
        assert ends.reading or ends.loading, name
        if name != "calm":
            apis = {row.get("api") for row in one.rows}
            assert bool(ends.reading) >= bool(apis & {"lever", "oauth"}), name
            assert bool(ends.loading) >= ("ashby" in apis), name


READING = sorted(name for name, ends in EXPECTED.items() if ends.reading)
LOADING = sorted(name for name, ends in EXPECTED.items() if ends.loading)


@pytest.mark.parametrize("name", READING)
def test_reading_ends_as_the_scenario_promises(name: str, small: Sandbox, calm: Calm, fresh: Callable) -> None:
    scenario, ends = scenarios()[name], EXPECTED[name]
    begin(small, scenario)
    with customer(fresh("begin"), small, ends, oauth=scenario.oauth) as book:
        with stopping(ends.reading):
            read(book)
        assert name == "calm" or small.struck(), "no fault has struck"
        stops_soon(name, "lever", small)
        if name == "dripping":  # whoever waited for a trickle to its end would have no reason to ask again
            assert book.lever.transport.n_calls >= calm.n_read + small.struck()
        if name == "consent-withdrawn":
            records = small.ask("GET", "/calls?full=1")["records"]
            assert (
                sum(one["endpoint"] in ("/token", "/oauth/token") for one in records) == 2
            )  # the first, and a refresh
        small.faults()
        if ends.reading != "calm":
            assert book.store.holder() == ""
            steps.audit(book)
            steps.extract(book, reread="all" if ends.reading == "raw" else False)
        if ends.reading == "edited":
            with customer(fresh("begin"), small) as other:
                read(other)
                assert heads(book) == heads(other)
                assert heads(book) != calm.heads
        elif ends.reading == "raw":
            steps.map(decided(book, small))
            assert Ledger(book.store).plan_hash() == calm.plan
        else:
            read_as_in_calm(book, calm)


def answered(sandbox: Sandbox, api: str) -> list[dict[str, Any]]:
    """All answers of an API so far, in their order."""
    return [one for one in sandbox.ask("GET", "/calls?full=1")["records"] if one["api"] == api]


def stops_soon(name: str, api: str, sandbox: Sandbox) -> None:
    """After the first answer that ends a run no more calls are answered than those that had to be."""
    if name in STOPPED_BY:
        status, most = STOPPED_BY[name]
        told = [one["status"] for one in answered(sandbox, api)]
        assert status in told
        assert len(told) - 1 - told.index(status) <= most, (name, api)


@pytest.mark.parametrize("api", ["lever", "ashby"])
def test_a_429_holds_all_workers_back(api: str, small: Sandbox, fresh: Callable) -> None:
    """By the sandbox's journal: while one worker waits as told, no other one asks, but for what was under way."""
    small.faults({"api": api, "nth": 60, "effect": "throttle", "retry_after": "1.5"})
    with customer(fresh("begin" if api == "lever" else "mapped"), small) as book:
        if api == "lever":
            read(book)
        else:
            steps.load(book, execute=True)
    told = next(one["at"] for one in answered(small, api) if one["status"] == 429)
    meanwhile = [one for one in answered(small, api) if told < one["at"] < told + 1.2]
    assert len(meanwhile) <= WORKERS, meanwhile


def decided(book: Workbook, sandbox: Sandbox) -> Workbook:
    decide(book, sandbox)
    return book


@contextlib.contextmanager
def stopping(ending: Ending) -> Iterator[None]:
    """The block ends in the error that is promised, or well."""
    if isinstance(ending, str):
        yield
    else:
        with pytest.raises(ending):
            yield


@pytest.mark.parametrize("name", LOADING)
def test_loading_ends_as_the_scenario_promises(name: str, small: Sandbox, calm: Calm, fresh: Callable) -> None:
    scenario, ends = scenarios()[name], EXPECTED[name]
    begin(small, scenario)
    with customer(fresh("mapped"), small, ends) as book:
        if name == "sync-tokens-expire":  # what has changed in Ashby since is asked for by these two steps
            steps.dedupe(book)
            steps.map(book)
        with stopping(ends.loading):
            steps.load(book, execute=True)
        assert name == "calm" or small.struck(), "no fault has struck"
        stops_soon(name, "ashby", small)
        if ends.loading == "edited":
            assert states(book) == {"done"}
            assert made(small.state) == calm.made
            edits_stand(small.state)
            return
        if ends.loading == "gone":
            small.faults()
            whoever_is_left(book, small, calm)
            return
        if ends.loading != "calm":
            left_open = states(book) - {"done", "planned", "again"}
            assert left_open <= ({"refused"} if ends.loading in ("aside", FatalError) else set())
            small.faults()
            steps.load(book, execute=True, retry_refused=True)
        loaded_as_in_calm(book, small, calm)


@pytest.mark.parametrize(
    ("switch", "value"),
    [
        ("merge_custom_fields", "keep"),
        ("merge_custom_fields", "replace"),
        ("merge_moves", "contact"),
        ("merge_moves", "notes,files,tags"),
    ],
)
def test_whatever_a_merge_takes_over_nobody_is_lost_or_doubled(
    switch: str, value: str, small: Sandbox, calm: Calm, fresh: Callable
) -> None:
    """Marks, notes and files of whoever was merged may be gone: what follows still finds the candidate kept."""
    begin(small, scenarios()["mergers-at-work"])
    small.switch(**{switch: value})
    with customer(fresh("mapped"), small, BOTH) as book:
        steps.load(book, execute=True)
        small.faults()
        assert small.state["merged"]
        whoever_is_left(book, small, calm)


def test_an_upload_whose_answer_was_lost_and_whose_address_is_used_up_is_made_anew(
    small: Sandbox, calm: Calm, fresh: Callable
) -> None:
    """A second try at the same address is refused, although the first one went well."""
    begin(small, scenarios()["attachments-lost"])
    small.switch(upload_again="refuse")
    with customer(fresh("mapped"), small, BOTH) as book:
        steps.load(book, execute=True)
        assert "upload_again" in small.ask("GET", "/switches?decided=1")
        loaded_as_in_calm(book, small, calm)


def edits_stand(state: dict[str, Any]) -> None:
    """What recruiters have changed in Ashby meanwhile stands there as they left it."""
    people = {one["id"]: one for one in state["candidates"]}
    assert state["others"]
    last = {(one["candidate"], one["kind"]): one["after"] for one in state["others"] if one["kind"] not in TOLD_APART}
    for (candidate, kind), value in last.items():
        now = people[candidate]
        shown = {"name": now["name"]}
        for name, member in (("phone", "primaryPhoneNumber"), ("email", "primaryEmailAddress")):
            shown[name] = (now.get(member) or {}).get("value")
        assert shown[kind] == value, (candidate, kind)
    for one in state["others"]:
        now = people[one["candidate"]]
        if one["kind"] == "note":
            assert {note["id"]: note["content"] for note in now["notes"]}[one["note"]] == one["after"]
    tags = {
        (one["candidate"], one["before"] or one["after"]): one["after"]
        for one in state["others"]
        if one["kind"] == "tag"
    }
    for (candidate, title), stands in tags.items():
        assert (title in {tag["title"] for tag in people[candidate]["tags"]}) == bool(stands), (candidate, title)


def whoever_is_left(book: Workbook, sandbox: Sandbox, calm: Calm) -> None:
    """Of whoever is gone one row tells and the rest waits; all others arrive; nothing is there twice."""
    rows = list(Ledger(book.store).rows())
    entries, links, state = Ledger(book.store).of(rows), Ledger(book.store).links(), sandbox.state
    done = [row for row in rows if row.row_id in entries and entries[row.row_id].state == "done"]
    refused = [row for row in rows if row.row_id in entries and entries[row.row_id].state == "refused"]
    assert {entries[row.row_id].code for row in refused} <= {GONE}
    told = Counter(row.person for row in refused)
    assert set(told.values()) <= {1}
    assert len(told) <= len(state["others"])
    assert {row.person for row in rows if row not in done} == set(told)
    for kind, marks in made(state).items():
        assert not Counter(marks) - Counter(calm.made[kind]), kind
    people = {one["id"]: one for one in state["candidates"]}
    gone = {one["candidate"] for one in state["others"] if one["kind"] == "delete"}
    left = {one for entry in state["others"] for one in entry.get("left", ())}
    for row in done:
        home = links.get(f"candidate:{row.person}", "")
        home = state["merged"].get(home, home)
        assert (home in people) != (home in gone) or not row.person, row.row_id
        if home in people and row.kind in ("application.create", "candidate.createNote", "candidate.uploadFile"):
            parts = {"application.create": "applications", "candidate.createNote": "notes"}.get(row.kind, "files")
            there = [one if isinstance(one, str) else one["id"] for one in people[home][parts]]
            ashby_id = entries[row.row_id].ashby_id
            assert there.count(ashby_id) == (ashby_id not in left), row.row_id
    assert steps.load(book, execute=True).n_writes == 0


def made(state: dict[str, Any]) -> dict[str, list[str]]:
    """What carries a Lever id in Ashby, as often as it is there."""
    marks = {"candidates": "Lever contact ID", "applications": "Lever opportunity ID", "jobs": "Lever posting ID"}
    found = {
        kind: sorted(str(one["customFields"][title]) for one in state[kind] if one["customFields"].get(title))
        for kind, title in marks.items()
    }
    text = json.dumps([[one["notes"], one["files"]] for one in state["candidates"]])
    return found | {"markers": sorted(re.findall(r"\[Lever [a-z]+ [^\]]+\]", text))}


def test_a_sync_token_that_has_expired_costs_a_whole_walk_and_nothing_else(small: Sandbox, fresh: Callable) -> None:
    for code in ("sync_token_expired", "sync_token_invalid", "incremental_sync_too_large"):
        with customer(fresh("mapped"), small) as book:
            known = {one["id"] for one in book.store.ashby("candidates")}
            small.faults({"api": "ashby", "having": "syncToken", "effect": "refuse_token", "code": code})
            with book.writing("dedupe"):
                steps.read_candidates(book)
                assert small.struck() == 1
                assert {one["id"] for one in book.store.ashby("candidates")} == known
                steps.read_candidates(book)  # the whole walk has brought a new token, which is asked with again
            assert small.struck() == 2


def test_the_page_on_faults_names_tests_and_scenarios_that_exist() -> None:
    tests = Path(__file__).parent
    text = "".join(path.read_text("utf-8") for path in tests.rglob("test_*.py"))
    rows = re.findall(r"^\| (\d+) \|(.*)$", (tests.parent / "docs" / "faults.md").read_text("utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 41))
    for number, row in rows:
        shown = row.rpartition("|")[0].rpartition("|")[2]
        names = re.findall(r"`([^`]+)`", shown)
        assert names or "not built" in row, number
        for name in names:
            assert f"def {name}(" in text or name in EXPECTED, (number, name)


# ---- P3: mixes of all faults -----------------------------------------------------------------------------------------
SHORT_LISTS = [
    {"api": "ashby", "endpoint": name, "effect": "short_page", "limit": 4}
    for name in ("candidate.list", "job.list", "candidate.listNotes")
]
SEEDS = amount(range(12), seeds(os.environ.get("WORKBOOK_SEEDS") or "500"))  # prove.py asks for 500 after 500


def until_done(work: Callable[[], object], *, runs: int = 60) -> int:
    """Run again after every stop that promises that nothing is lost; how many runs it took."""
    for number in range(1, runs + 1):
        try:
            work()
        except (UnavailableError, RateLimitedError):
            continue
        return number
    raise AssertionError(f"not done after {runs} runs")


@pytest.mark.proof
@pytest.mark.parametrize("seed", SEEDS)
def test_a_mix_of_all_faults_loses_and_doubles_nothing(seed: int, small: Sandbox, calm: Calm, fresh: Callable) -> None:
    """1 to 30 % of all requests go wrong, in every way that can end well; whatever stops is simply run again.

    Lists come in short pages, and by every other seed Ashby shows late what it took.
    """
    chance = random.Random(f"seed {seed}")
    share = chance.choice((0.01, 0.02, 0.05, 0.1, 0.2, 0.3))
    rows = [*SHORT_LISTS, *mix(seed, share)]
    small.faults(*rows)
    runs = 0
    if seed % amount(6, 2) == 0:
        with customer(fresh("begin"), small, BOTH) as book:
            runs += until_done(lambda: read(book))
            small.faults()
            steps.extract(book)  # files that were given up are fetched
            read_as_in_calm(book, calm)
        small.faults(*rows)
    with customer(fresh("mapped"), small, BOTH) as book:
        if seed % 2:
            small.switch(search_delay_ms="80", visible_after_ms="40", visible_spread_ms="40", stale_after_ms="60")
        runs += until_done(lambda: steps.load(book, execute=True))
        n_struck = sum(row["struck"] for row in small.ask("GET", "/faults") if row["effect"] != "short_page")
        small.faults()
        if "parked" in states(book):  # a busy machine shows later than the settling delay: the next run can tell
            steps.load(book, execute=True)
            runs += 1
        harm = loaded_as_in_calm(book, small, calm)
    assert n_struck
    tell("P3", "a seeded mix of all faults", seed=seed, share=share, struck=n_struck, runs=runs, **harm)


# ---- P4: the answer of every write lost ------------------------------------------------------------------------------
WRITES = {name: about["effect"] for name, about in contract.ashby_endpoints().items() if about["effect"] != "read"}
PARTS = amount(1, 4)  # so that several processes can share the work
N_DROPS = amount(2, 100) // PARTS


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_a_lost_answer_never_makes_a_second_object(small: Sandbox, calm: Calm, fresh: Callable, part: int) -> None:
    """Applied, then cut: so many drops of every endpoint that writes; nothing is there twice, nothing stays open."""
    used = Counter(row.kind for row in calm_rows(calm, small))
    used["file.createFileUploadHandle"] = 1
    assert set(WRITES) - set(used) == {*AMENDMENTS, "customField.updateSelectableValues"}  # in test_life, test_load
    dropped, harm = Counter[str](), Counter[str]()
    while any(dropped[name] < N_DROPS for name in used if name in WRITES):
        small.reset()
        wanted = [name for name in used if name in WRITES and dropped[name] < N_DROPS]
        rows = [{"api": "ashby", "endpoint": name, "effect": "reset_after", "times": N_DROPS - dropped[name],
                 "every": 2 + part if WRITES[name] == "append" else 1} for name in wanted]  # fmt: skip
        small.faults(*rows)
        with customer(fresh("mapped"), small) as book:
            until_done(lambda book=book: steps.load(book, execute=True))
            struck = {row["endpoint"]: row["struck"] for row in small.ask("GET", "/faults")}
            small.faults()
            harm.update(loaded_as_in_calm(book, small, calm))
        assert any(struck.values())
        dropped.update(struck)
    tell("P4", "answers lost after the write was applied", drops=dict(dropped), **harm)


@pytest.mark.proof
def test_bytes_whose_arrival_was_not_confirmed_are_one_file(small: Sandbox, calm: Calm, fresh: Callable) -> None:
    """The storage has taken a file and its answer is lost: once or three times in a row, which ends an address."""
    wanted, dropped, harm = amount(2, 100), 0, Counter[str]()
    for number in range(wanted):
        if dropped >= wanted:
            break
        small.reset()
        often = {"every": 2} if number % 2 else {"every": 1, "times": 7}
        small.faults({"api": "storage", "endpoint": "/ashby/upload", "effect": "reset_after", **often})
        with customer(fresh("mapped"), small) as book:
            until_done(lambda book=book: steps.load(book, execute=True))
            dropped += small.struck()
            small.faults()
            harm.update(loaded_as_in_calm(book, small, calm))
    assert dropped >= wanted
    tell("P4", "answers lost of the storage that took the bytes of a file", drops=dropped, **harm)


def calm_rows(calm: Calm, sandbox: Sandbox) -> list[Planned]:
    with customer(calm.home, sandbox) as book:
        return [row for row in Ledger(book.store).rows() if row.kind != "link"]


@pytest.mark.proof
@pytest.mark.parametrize("with_email", [True, False], ids=["with e-mail", "without"])
def test_people_whose_creation_was_not_confirmed_are_made_once(
    with_email: bool, small: Sandbox, calm: Calm, fresh: Callable
) -> None:
    """The answer of every creation is lost, load after load; without addresses names and times must do."""
    wanted, dropped, harm = amount(1, 100), 0, Counter[str]()
    while dropped < wanted:
        small.reset()
        with customer(fresh("mapped"), small) as book:
            if not with_email:
                without_addresses(book)
            people = [row for row in Ledger(book.store).rows() if row.kind == "candidate.create"]
            small.faults({"api": "ashby", "endpoint": "candidate.create", "effect": "reset_after"})
            steps.load(book, execute=True)
            assert small.struck() == sum(with_email or "email" not in row.body for row in people) == len(people)
            dropped += len(people)
            assert states(book) == {"done"}
            harm.update(unlike(made(small.state), calm.made), parked=len(list(Ledger(book.store).entries("parked"))))
            assert not +harm, harm
    what = f"answers lost of the creation of people {'with' if with_email else 'without'} e-mail addresses"
    tell("P4", what, drops=dropped, **harm)


def unlike(here: dict[str, list[str]], calm: dict[str, list[str]]) -> Counter[str]:
    """How many Lever ids are missing or there once too often in what carries them, against a calm load."""
    found: Counter[str] = Counter(lost=0, doubled=0)
    for kind, ids in here.items():
        found["lost"] += (Counter(calm[kind]) - Counter(ids)).total()
        found["doubled"] += (Counter(ids) - Counter(calm[kind])).total()
    return found


def without_addresses(book: Workbook) -> None:
    """The same plan for people of whom no address is known: they are recognised by name and creation time."""
    rows = []
    for row in Ledger(book.store).rows():
        body = {name: value for name, value in row.body.items() if name not in ("email", "alternateEmailAddresses")}
        is_person = row.kind == "candidate.create"
        rows.append(replace(row, body=body, body_hash=f"{len(rows):064x}") if is_person else row)
    with book.writing("map"):
        Ledger(book.store).put_plan(rows, plan_hash="without addresses")


# ---- P7: how many calls ----------------------------------------------------------------------------------------------
@pytest.mark.proof
def test_a_quiet_load_makes_the_calls_of_its_plan(small: Sandbox, fresh: Callable) -> None:
    with customer(fresh("mapped"), small) as book:
        plan = steps.load(book).n_calls  # what the dry run announces
        done = steps.load(book, execute=True)
        assert done.n_calls <= 1.02 * plan
    tell("P7", "calls of a quiet load", plan=plan, calls=done.n_calls, ratio=round(done.n_calls / plan, 3))


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(amount(1, 20)))
def test_five_percent_of_faults_cost_no_more_than_ten_percent_of_calls(
    seed: int, longer: tuple[Sandbox, Calm], folder: Path
) -> None:
    (sandbox, calm), home = longer, folder / f"struck-{seed}"
    sandbox.reset()
    copied_home(calm.home, home)
    settings(home, sandbox, settle_s=1.0)  # about as many calls go by meanwhile as in a paced load
    sandbox.faults(*mix(seed, 0.05))
    with customer(home, sandbox) as book:
        plan = steps.load(book).n_calls  # what the dry run announces
        before = book.ashby.transport.n_calls
        until_done(lambda: steps.load(book, execute=True))
        n_calls, n_struck = book.ashby.transport.n_calls - before, sandbox.struck()
        assert n_struck
        loaded_as_in_calm(book, sandbox, calm)
    shutil.rmtree(home)
    ratio = round(n_calls / plan, 3)
    tell("P7", "calls of a load under 5 % of faults", seed=seed, plan=plan, calls=n_calls, ratio=ratio, struck=n_struck)
    assert n_calls <= 1.10 * plan


def begin(sandbox: Sandbox, scenario: Scenario) -> None:
    sandbox.faults(*scenario.rows)
    if scenario.switches:
        sandbox.switch(**scenario.switches)

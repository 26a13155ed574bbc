"""The whole life of a move, in any order: read, edit in Lever and in Ashby, plan, load, lose, die, resume, validate."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CUSTOMER, Sandbox, copied_home, environment, prepare, running_sandbox, write_customer
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from life_world import LOST, RARER, Life, contacts_of
from proofs import amount, tell
from reconcile import problems, tally

from lib import contract, steps, workbook
from lib.errors import UnauthorizedError, UnavailableError
from lib.load.guard import AMENDMENTS
from lib.store.ledger import Ledger

SEEDS = st.integers(min_value=0, max_value=10**9)
PARTS = amount(1, 4)  # so that several processes can share the work
WEIGHTS = {"edits_in_lever": 4, "edit_in_ashby": 2, "read": 1, "plan": 3, "load": 4, "look": 1}


@pytest.fixture(scope="module")
def company() -> Iterator[Sandbox]:
    """A sandbox with a small company, for this module alone."""
    with running_sandbox(people=10, seed=3) as one:
        yield one


@pytest.fixture(scope="module")
def begun(company: Sandbox) -> Iterator[Path]:
    """A home whose customer has audited and read Lever once: to be copied. In memory where there is such a place."""
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        home = Path(folder) / "home"
        company.reset()
        write_customer(home, company)
        with environment(home, company):
            book = workbook.open_customer(CUSTOMER)
            prepare(book, company)
            book.close()
        yield home


def machine(company: Sandbox, begun: Path, counts: dict[str, int]) -> Any:
    """The state machine over one sandbox; `counts` tells afterwards how often each event came.

    One rule that draws the event, instead of a rule for each: Hypothesis leaves some rules out of each life, and a life
    without loads, or without edits, proves little.
    """

    class Machine(RuleBasedStateMachine):
        @initialize(start=st.sampled_from(["loaded", "planned", "loaded", "read"]))
        def begin(self, start: str) -> None:
            company.reset()
            self.folder = Path(tempfile.mkdtemp(dir=begun.parent))
            copied_home(begun, self.folder / "home")
            self.surroundings = environment(self.folder / "home", company)
            self.surroundings.__enter__()
            self.life = Life(company)
            self.had: set[str] = set()
            self.life.read(False)
            if start != "read":
                self.life.plan()
            if start == "loaded":
                assert self.life.load()
            self.life.judge(wrote=start == "loaded")

        @rule(seed=SEEDS)
        def something_happens(self, seed: int) -> None:
            """Two of the events, by weight; the number of the step keeps equal seeds from being equal events."""
            for _ in range(2):
                self.steps = getattr(self, "steps", 0) + 1
                self._event(random.Random(f"{seed} {self.steps}"))

        def _event(self, chance: random.Random) -> None:
            possible = [name for name in WEIGHTS if self.life.planned or name not in ("load", "look")]
            fresh = [name for name in possible if name not in self.had]  # half of the draws: what this life had not
            possible = fresh if fresh and chance.random() < 0.5 else possible
            name = chance.choices(possible, [WEIGHTS[one] for one in possible])[0]
            self.had.add(name)
            for one in (name, *getattr(self, name)(chance)):
                counts[one] = counts.get(one, 0) + 1
            self.life.judge(wrote=name == "load")

        def edits_in_lever(self, chance: random.Random) -> list[str]:
            seed, n, kinds = chance.randrange(10**6), chance.randint(1, 5), chance.choice([None, None, RARER])
            return [f"edit {one['kind']}" for one in self.life.edit_lever(seed, n, kinds)]

        def edit_in_ashby(self, chance: random.Random) -> list[str]:
            self.life.edit_ashby(chance.randrange(10**6))
            return []

        def read(self, chance: random.Random) -> list[str]:
            every = chance.choice([0, 7, 13])
            company.faults(*[{"api": "lever", "every": every, "effect": "status", "status": 503}] * bool(every))
            how = chance.choice([False, True, "all"])
            try:
                self.life.read(how)
            except UnavailableError:  # five 503 in a row for one of many workers: it says to run the step again
                company.faults()
                self.life.read(how)
            company.faults()
            return []

        def plan(self, chance: random.Random) -> list[str]:
            if chance.random() < 0.7:
                self.life.read(chance.choice([False, True]))
            self.life.plan()
            return []

        def load(self, chance: random.Random) -> list[str]:
            """Whole or a sample, with or without lost answers, to its end or until death."""
            effect, dies = (
                chance.choice([None, *LOST]),
                chance.choice([0, chance.randint(1, 40), chance.randint(1, 700)]),
            )
            lost = {"api": "ashby", "writes": True, "every": chance.randint(2, 9), "effect": effect}
            lost |= {"apply": True} if effect == "html" else {}
            sample = chance.choice([0, 0, 2])
            try:
                ended = self.life.load(faults=[lost] if effect else [], dies=dies, sample=sample)
            except UnavailableError:  # twelve lost answers in a row for one row: it says to run the step again
                ended = self.life.load(sample=sample)
            assert ended or dies
            return ["loads that ended" if ended else "deaths", *(["loads with lost answers"] if effect else [])]

        def look(self, chance: random.Random) -> list[str]:
            """A dry run and a validation change nothing."""
            assert not steps.load(self.life.book).executed
            steps.validate(self.life.book)
            return []

        def teardown(self) -> None:
            if not hasattr(self, "life"):
                return
            try:
                self.life.finish()
            finally:
                self.life.close()
                self.surroundings.__exit__(None, None, None)
                shutil.rmtree(self.folder)

    return Machine


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_in_whatever_order_nothing_is_lost_doubled_or_overwritten(
    company: Sandbox, begun: Path, part: int
) -> None:
    counts: dict[str, int] = {}
    lives = int(os.environ.get("WORKBOOK_LIVES") or amount(4, 150)) // PARTS
    given = settings(
        max_examples=lives, stateful_step_count=5, deadline=None, derandomize=lives <= 4, print_blob=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None,
    )  # fmt: skip
    run_state_machine_as_test(machine(company, begun, counts), settings=given)
    assert set(WEIGHTS) <= set(counts), counts
    tell("P1", "random lives: read, edit in Lever and in Ashby, plan, load, lose answers, die, resume, validate",
         lives=lives, **dict(sorted(counts.items())))  # fmt: skip


# ---- single stories ----------------------------------------------------------------------------------------------
@pytest.fixture
def loaded(company: Sandbox, begun: Path, tmp_path: Path) -> Iterator[Life]:
    """A customer who has loaded everything."""
    company.reset()
    folder = Path(tempfile.mkdtemp(dir=begun.parent))
    copied_home(begun, folder / "home")
    with environment(folder / "home", company):
        life = Life(company)
        life.read(False)
        life.plan()
        assert life.load()
        life.judge(wrote=True)
        yield life
        life.close()
    shutil.rmtree(folder)


def parked(life: Life) -> set[str]:
    """Row ids of what was set aside because it has changed in Lever."""
    return {row.row_id for row, entry in Ledger(life.book.store).entries("parked") if entry.code == "changed"}


def wrong(life: Life) -> dict[str, list[str]]:
    """What is wrong in Ashby, whether or not somebody tells."""
    truth = life.sandbox.truth | {"edited_since": True}
    return {kind: found for kind, found in problems(truth, life.sandbox.state).items() if found}


FOLLOWED = [
    "stage", "archive", "hire", "reopen", "owner", "source", "interview_new", "offer_new", "note_new", "feedback_new",
    "form_new", "file_new", "resume_new", "posting_new", "user_new", "opportunity_new", "person_new", "note_new",
    "interview_edit", "offer_status", "posting_close", "user_deactivate", "user_reactivate",
]  # fmt: skip


def test_what_a_call_can_follow_arrives_also_after_the_load(loaded: Life) -> None:
    """Moves, ends, owners, corrected contacts, new records: afterwards everything stands as if loaded now."""
    for seed in (1, 2):
        for kind in FOLLOWED:
            loaded.edit_lever(seed, 1, [kind])
    for attribute in ("name", "phone", "email", "location", "headline", "link"):
        loaded.edit_lever_so({"kind": "contact_edit", "attribute": attribute})
    asked = next(one for one in loaded.sandbox.truth["questions"] if one["form"] == "About your work")
    for attribute in ("company", "comments", "name", "email", "phone", "link", "manager", "owner", "answer"):
        edit = {"kind": "application_edit", "attribute": attribute}
        loaded.edit_lever_so(edit | ({"opportunity": asked["opportunity"]} if attribute == "answer" else {}))
    proof = loaded.finish()
    assert proof.ok, proof.differences.to_string()
    assert parked(loaded) == set()
    assert wrong(loaded) == {}


def test_a_user_who_is_called_otherwise_after_the_load_changes_nothing_that_stands(loaded: Life) -> None:
    """Another surname or address: notes, comments and accounts of ours stay as they are, and nobody is asked."""
    n_notes = sum(len(one["notes"]) for one in loaded.state["candidates"])
    for number, name in enumerate(loaded.sandbox.truth["user_addresses"]):
        user = next(one for one in loaded.book.store.all("users") if one["name"] == name)
        loaded.edit_lever_so({"kind": "user_edit", "user": user["id"], "attribute": "name"})
        if number % 3 == 0:
            loaded.edit_lever_so({"kind": "user_edit", "user": user["id"], "attribute": "email"})
    proof = loaded.finish()
    assert proof.ok, proof.differences.to_string()
    assert parked(loaded) == set()
    assert wrong(loaded) == {}
    assert sum(len(one["notes"]) for one in loaded.sandbox.state["candidates"]) == n_notes


def test_what_turns_confidential_after_the_load_is_named_note_by_note(loaded: Life) -> None:
    """No call hides a note that stands: each that stands open is told, and none is written a second time."""
    rows = [one for one in loaded.sandbox.truth["opportunities"] if one["expected"] == "application"]
    stands = sorted({one["posting"] for one in rows if not one["confidential"]})[:3]
    edit = loaded.edit_lever_so(*({"kind": "confidentiality", "posting": one} for one in stands))
    secret = {one for row in edit for one in row["opportunities"]}
    n_notes = sum(len(one["notes"]) for one in loaded.state["candidates"])
    proof = loaded.finish()
    assert not proof.ok
    told = {row.split("/")[2] for row in parked(loaded)}
    open_ones = [one for one in loaded.sandbox.truth["notes"] if one["expected"] == "load" and not one["secret"]]
    assert {one["id"] for one in open_ones if one["opportunity"] in secret} <= told
    assert wrong(loaded)["confidential"] != []
    assert sum(len(one["notes"]) for one in loaded.sandbox.state["candidates"]) == n_notes


def test_an_application_that_moves_to_another_posting_after_the_load_is_set_aside(loaded: Life) -> None:
    """No call but one that starts activities moves it: it is parked by name, and stays where it was loaded."""
    edit = loaded.edit_lever(1, 1, ["repost"])[0]
    proof = loaded.finish()
    assert not proof.ok
    assert f"application.create/opportunity/{edit['opportunity']}" in parked(loaded)
    assert edit["opportunity"] in set(proof.differences[proof.differences.severity == "critical"].lever_id)


def test_what_no_call_can_follow_is_set_aside_row_by_row(loaded: Life) -> None:
    """Notes and feedback that were edited in Lever: parked, named, and neither written twice nor forgotten."""
    edited = [loaded.edit_lever(seed, 1, [kind])[0] for kind in ("note_edit", "note_comment") for seed in (1, 2)]
    edited += loaded.edit_lever(1, 2, ["feedback_edit"])
    proof = loaded.finish()
    assert {row.split("/")[2] for row in parked(loaded)} == {one["id"] for one in edited}
    assert not proof.ok
    critical = proof.differences[proof.differences.severity == "critical"]
    assert set(critical.lever_id) == {one["id"] for one in edited}


def test_what_is_gone_in_lever_after_the_load_is_named_and_stays(loaded: Life) -> None:
    """No call takes anything away, so a person must: each record by its id."""
    gone = [loaded.edit_lever(1, 1, [kind])[0] for kind in ("opportunity_delete", "note_delete", "form_delete")]
    erased = loaded.edit_lever(2, 1, ["anonymise"])[0]
    before = loaded.sandbox.state["candidates"]
    proof = loaded.finish()
    named = set(proof.differences[proof.differences.severity == "critical"].lever_id)
    assert {gone[0]["opportunity"], gone[1]["id"], erased["contact"]} <= named
    assert gone[2]["id"] in named
    assert [one["id"] for one in loaded.sandbox.state["candidates"]] == [one["id"] for one in before]


def test_the_tags_of_a_candidacy_that_is_gone_are_told_beside_what_else_is_told_of_the_candidate(loaded: Life) -> None:
    """One of several candidacies is deleted: `finish` finds that somebody tells of each thing that it leaves behind."""
    candidacies = loaded.sandbox.truth["opportunities"]
    for person in loaded.sandbox.truth["people"]:
        own = [one for one in candidacies if one["contact"] in person["contacts"]]
        for one in own:
            if set(one["tags"]) - {tag for other in own if other is not one for tag in other["tags"]}:
                loaded.edit_lever_so({"kind": "opportunity_delete", "opportunity": one["id"]})
                break
    told = loaded.finish().differences
    told = told[(told.kind == "surplus") & (told.severity == "warning")]
    tagged = set(told[told.field == "tags"].ashby_id)
    assert tagged & set(told[told.field == "customFields"].ashby_id), "nothing else is told of anybody with such a tag"


def test_a_person_keeps_the_candidate_when_the_oldest_contact_is_merged_away(loaded: Life) -> None:
    """A person is named after the oldest contact: under another name the candidate would be made a second time."""
    twin = next(one for one in loaded.sandbox.truth["people"] if len(one["contacts"]) > 1)
    oldest = next(row["person"] for row in loaded.book.store.members() if row["contact"] in twin["contacts"])
    kept = next(one for one in twin["contacts"] if one != oldest)
    loaded.edit_lever_so({"kind": "merge", "keep": kept, "gone": oldest})
    before = len(loaded.sandbox.state["candidates"])
    loaded.finish()
    assert len(loaded.sandbox.state["candidates"]) == before
    assert wrong(loaded) == {}


def test_a_namesake_whom_somebody_adds_in_ashby_does_not_take_over_a_loaded_person(loaded: Life) -> None:
    """The same name and address once more in Ashby: ours stays ours, and what comes later goes to ours."""
    ours = next(one for one in loaded.state["candidates"] if contacts_of(one) and one["emailAddresses"])
    made = loaded.sandbox.ashby("candidate.create", {"name": ours["name"], "email": ours["emailAddresses"][0]["value"]})
    loaded.strangers.add(made["id"])
    opportunity = next(one for one in loaded.sandbox.truth["opportunities"] if one["contact"] in contacts_of(ours))
    loaded.edit_lever_so({"kind": "note_new", "opportunity": opportunity["id"]})
    proof = loaded.finish()
    now = {one["id"]: one for one in loaded.sandbox.state["candidates"]}
    assert now[made["id"]]["notes"] == []
    assert len(now[ours["id"]]["notes"]) == len(ours["notes"]) + 1
    assert made["id"] in set(proof.differences.ashby_id)


def test_a_candidate_moved_on_in_both_systems_stays_where_ashby_has_put_them(loaded: Life) -> None:
    """Theirs wins, and the candidacy stands on the list of conflicts."""
    edit = loaded.edit_lever(1, 1, ["stage"])[0]
    application = next(
        one for one in loaded.state["applications"]
        if one["customFields"].get("Lever opportunity ID") == edit["opportunity"]
    )  # fmt: skip
    candidate = next(one for one in loaded.state["candidates"] if one["id"] == application["candidateId"])
    loaded.state["applications"] = [application]
    loaded._ashby_stage(random.Random(1), candidate, 1)
    proof = loaded.finish()
    conflicts = loaded.book.store.results("load", "conflicts")
    assert [(row["lever_id"], row["members"]) for row in conflicts] == [(edit["opportunity"], ["applicationHistory"])]
    assert proof.ok
    assert edit["opportunity"] in set(proof.differences.lever_id)


def test_two_addresses_that_take_turns_as_the_first_one_both_stay(loaded: Life) -> None:
    """Of somebody with two contacts the first address is that of the newer one; each change of it is lost once."""
    first = {one["id"]: one["emails"][:1] for one in loaded.sandbox.truth["contacts"]}
    people = [
        one
        for one in loaded.sandbox.truth["people"]
        if one["expected"] == "load" and len({tuple(first[contact]) for contact in one["contacts"]}) > 1
    ]
    turns, n_turned = [], 0
    for person in people:
        own = [one for one in loaded.sandbox.truth["opportunities"] if one["contact"] in person["contacts"]]
        turns += [(person["key"], one["contact"], one["id"]) for one in own]
    for _, _, opportunity in [*turns, *turns[::-1], *turns]:
        before = loaded.sandbox.state["candidates"]
        loaded.edit_lever_so(
            {"kind": "note_new", "opportunity": opportunity}, {"kind": "stage", "opportunity": opportunity}
        )
        loaded.read(False)
        loaded.plan()
        assert loaded.load(
            faults=[{"api": "ashby", "endpoint": "candidate.update", "effect": "reset_after", "every": 2}]
        )
        mails = {one["id"]: one["emailAddresses"] for one in before}
        n_turned += sum(mails.get(one["id"]) != one["emailAddresses"] for one in loaded.sandbox.state["candidates"])
    proof = loaded.finish()
    assert n_turned, "nobody's first address has changed"
    assert proof.ok, proof.differences.to_string()
    assert wrong(loaded) == {}


# ---- P4: calls that change what was loaded --------------------------------------------------------------------------
CAUSES = ["stage", "archive", "reopen", "hire", "owner", "source", "opportunity_new"]


@pytest.mark.proof
@pytest.mark.parametrize("effect", ["reset_after", "empty"])
def test_a_lost_answer_to_a_call_that_changes_does_no_harm(loaded: Life, effect: str) -> None:
    """Applied, then cut, each of them several times, round after round; afterwards all stands as if loaded now."""
    wanted, dropped, n_parked = amount(2, 50), Counter(dict.fromkeys(AMENDMENTS, 0)), 0
    for number in range(100):
        if min(dropped.values()) >= wanted:
            break
        for kind in CAUSES:
            loaded.edit_lever(number, 2, [kind])
        for attribute in ("name", "phone", "email", "location", "link"):
            loaded.edit_lever_so({"kind": "contact_edit", "attribute": attribute})
        loaded.read(False)
        loaded.plan()
        rows = [{"api": "ashby", "endpoint": name, "effect": effect, "every": 1, "times": 5} for name in AMENDMENTS]
        loaded.sandbox.faults(*(row | ({"apply": True} if effect == "empty" else {}) for row in rows))
        steps.load(loaded.book, execute=True)
        dropped.update({row["endpoint"]: row["struck"] for row in loaded.sandbox.ask("GET", "/faults")})
        loaded.sandbox.faults()
        loaded.judge(wrote=True)
        assert states_of(loaded) <= {"done"}, dropped
        n_parked += len(parked(loaded))
    assert min(dropped.values()) >= wanted, dropped
    proof = loaded.finish()
    assert proof.ok, proof.differences.to_string()
    found = wrong(loaded)
    assert (parked(loaded), found) == (set(), {})
    what = "answers lost of calls that change what stands there"
    tell("P4", what, drops=dict(dropped), parked=n_parked, **tally(found))


def states_of(life: Life) -> set[str]:
    return {state for _, state, _ in Ledger(life.book.store).counts()}


# ---- P11: reading what has changed is reading all ------------------------------------------------------------------
MOVING = [
    "stage", "archive", "reopen", "hire", "note_new", "note_comment", "note_edit", "feedback_new", "tag", "source",
    "owner", "contact_edit", "person_new", "opportunity_new", "opportunity_delete", "application_delete", "merge",
    "anonymise", "consent", "posting_edit", "posting_close", "user_deactivate", "application_edit", "repost",
    "confidentiality", "posting_new", "user_new", "user_edit", "user_reactivate", "snooze", "follow", "sourced_by",
]  # fmt: skip
"""Edits that Lever shows on the candidacy itself, or in a list that every reading reads whole."""


def held(home: Path, company: Sandbox, *readings: Callable[[workbook.Workbook], object]) -> dict[str, Any]:
    """What the store of a home holds after these readings: hashes of all objects by stream, and its files."""
    with environment(home, company):
        book = workbook.open_customer(CUSTOMER)
        for reading in readings:
            reading(book)
        found: dict[str, Any] = {name: book.store.head_shas(name) for name in contract.lever_objects()}
        parents = {name: book.store.parents(name) for name in found}
        here = {*found["files"], *found["resumes"], *found["offers"]}
        files = {
            row.lever_id: (row.state, row.sha256, row.opportunity_id)
            for row in book.store.files() if row.lever_id.partition(":")[0] in here
        }  # fmt: skip
        book.close()
    return found | {"parents": parents, "bytes": files}


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_reading_what_has_changed_is_reading_all(company: Sandbox, begun: Path, part: int) -> None:
    """After each random script of edits the store equals one that read Lever from scratch.

    Half of the scripts make edits of every kind, those by name in turn with the usual ones, and read all child lists
    again; the other half only edits that a plain reading must see.
    """
    scripts = range(amount(4, 200))[part::PARTS]
    n_edits = n_differing = 0
    for seed in scripts:
        company.reset()
        folder = Path(tempfile.mkdtemp(dir=begun.parent))
        kinds = {0: {"kinds": MOVING}, 2: {"kinds": MOVING}, 1: {}, 3: {"kinds": RARER}}[seed % 4]
        life = {"n": 3 + seed % 10} | kinds
        deltas: list[Callable[[workbook.Workbook], object]] = []
        for half in (0, 1):

            def delta(book: workbook.Workbook, half: int = half, seed: int = seed, life: dict[str, Any] = life) -> None:
                company.ask("POST", "/edits", life | {"seed": 2 * seed + half})
                steps.extract(book, reread="all" if seed % 2 else False)

            deltas.append(delta)
        kept = held(copied_home(begun, folder / "kept"), company, *deltas)
        write_customer(folder / "fresh", company)
        fresh = held(folder / "fresh", company, steps.audit, steps.extract)
        differing = {name for name in fresh if kept[name] != fresh[name]}
        assert differing == set(), (seed, {name: odd(kept[name], fresh[name]) for name in differing})
        n_edits, n_differing = n_edits + 2 * life["n"], n_differing + len(differing)
        shutil.rmtree(folder)
    tell("P11", "random edits in Lever, read as changes, against a reading from scratch", scripts=len(scripts),
         edits=n_edits, differences=n_differing)  # fmt: skip


def odd(kept: dict[str, Any], fresh: dict[str, Any]) -> list[str]:
    """Keys under which two tables differ."""
    return sorted(str(key) for key in {*kept, *fresh} if kept.get(key) != fresh.get(key))[:5]


def test_what_lever_no_longer_has_and_ashby_keeps_is_told(loaded: Life) -> None:
    """A tag and a headline that were taken away in Lever: no call of ours takes them away, so a person is told."""
    tag = "Boomerang"
    opportunities = loaded.sandbox.truth["opportunities"]
    someone = next(one["person"] for one in opportunities if tag in one["tags"])
    for one in opportunities:
        if one["person"] == someone and tag in one["tags"]:
            loaded.edit_lever_so({"kind": "tag", "opportunity": one["id"], "text": tag})
    edit = loaded.edit_lever_so({"kind": "contact_edit", "attribute": "headline"})[0]
    loaded.edit_lever_so({"kind": "contact_edit", "attribute": "headline", "contact": edit["contact"], "value": " "})
    proof = loaded.finish()
    assert proof.ok
    told = proof.differences[proof.differences.kind == "surplus"]
    assert set(told.object) == {"tag on a candidate", "candidate"}
    assert set(told[told.object == "candidate"].lever_id) == {edit["contact"]}


def test_a_key_without_the_right_to_change_histories_stops_the_load_and_loses_nothing(loaded: Life) -> None:
    """The toggle lacks: the load says which call is forbidden; once the key has it, the history is set."""
    loaded.edit_lever(1, 1, ["stage"])
    loaded.sandbox.switch(key_toggles="confidential,private,behalf")
    loaded.read(True)
    loaded.plan()
    with pytest.raises(UnauthorizedError, match="may not call application"):
        loaded.load()
    loaded.sandbox.switch(key_toggles="confidential,private,history,behalf")
    proof = loaded.finish()
    assert proof.ok
    assert wrong(loaded) == {}

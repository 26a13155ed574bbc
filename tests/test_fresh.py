"""Between the plan and the load: whoever is erased in Lever meanwhile is not written, and old readings stop a load."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Json, Sandbox, write_customer
from reconcile import problems
from sqlalchemy import func, select, update

from lib import steps
from lib.errors import GateError
from lib.store import now_ms
from lib.store import tables as t
from lib.store.ledger import Ledger
from lib.workbook import Workbook

HOUR = 3_600_000


def loaded_contacts(sandbox: Sandbox) -> set[str]:
    """The Lever contacts of all candidates that stand in Ashby."""
    marks = [one["customFields"].get("Lever contact ID") or "" for one in sandbox.state["candidates"]]
    return {contact for mark in marks for contact in mark.split(",") if contact}


def one_who_loads(sandbox: Sandbox) -> Json:
    """Somebody with one contact and one candidacy who is to be loaded."""
    truth = sandbox.truth
    single = {one["key"]: one for one in truth["people"] if one["expected"] == "load" and len(one["contacts"]) == 1}
    own = [one for one in truth["opportunities"] if one["person"] in single]
    return next(one for one in own if sum(other["person"] == one["person"] for other in own) == 1)


def edits(kind: str, one: Json) -> Json:
    """One edit of this kind that concerns the candidacy `one`."""
    return {"kind": kind} | (
        {"opportunity": one["id"]} if kind == "opportunity_delete" else {"contact": one["contact"]}
    )


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("anonymise", "anonymised in Lever"),
        ("consent", "consent denied"),
        ("opportunity_delete", "deleted in Lever"),
    ],
)
def test_whoever_is_erased_between_the_plan_and_the_load_is_held_back(
    mapped: Workbook, sandbox: Sandbox, kind: str, why: str
) -> None:
    """All others are loaded; after another reading and another plan nothing is held back any more."""
    one = one_who_loads(sandbox)
    sandbox.ask("POST", "/edits", {"edits": [edits(kind, one)]})
    result = steps.load(mapped, execute=True)
    assert [(one["id"], why)] == list(result.held[["lever_id", "why"]].itertuples(index=False, name=None))
    there = loaded_contacts(sandbox)
    assert one["contact"] not in there
    assert len(there) > 20
    assert Ledger(mapped.store).pending_people() == list(result.held["person"])
    steps.extract(mapped)
    steps.dedupe(mapped)
    steps.map(mapped)
    again = steps.load(mapped, execute=True)
    assert [] == list(again.held["lever_id"])
    assert [] == Ledger(mapped.store).pending_people()
    assert one["contact"] not in loaded_contacts(sandbox)


@pytest.mark.parametrize("kind", ["anonymise", "opportunity_delete"])
def test_a_reading_after_the_plan_does_not_hide_who_was_erased(mapped: Workbook, sandbox: Sandbox, kind: str) -> None:
    """The plan is older than the store: what counts is what the plan knew."""
    one = one_who_loads(sandbox)
    sandbox.ask("POST", "/edits", {"edits": [edits(kind, one)]})
    steps.extract(mapped)
    assert [one["id"]] == list(steps.load(mapped, execute=True).held["lever_id"])
    assert one["contact"] not in loaded_contacts(sandbox)


def test_a_contact_that_was_merged_away_does_not_hide_who_was_erased(mapped: Workbook, sandbox: Sandbox) -> None:
    """The plan knows the person by a contact which an extraction after the plan does not see any more."""
    one = one_who_loads(sandbox)
    other = next(row["contact"] for row in sandbox.truth["opportunities"] if row["contact"] != one["contact"])
    body = mapped.store.get("opportunities", one["id"])
    assert body
    with mapped.store.begin() as tx:
        moved = (one["id"], other, body | {"contact": body["contact"] | {"id": other}})
        mapped.store.put_raw(tx, "opportunities", [moved])
    sandbox.ask("POST", "/edits", {"edits": [edits("anonymise", one)]})
    held = steps.load(mapped, execute=True).held
    own = {row["person"] for row in mapped.store.members() if row["contact"] == one["contact"]}
    assert own <= set(held["person"])
    there = loaded_contacts(sandbox)
    assert one["contact"] not in there
    assert len(there) > 20


def test_a_sample_holds_back_as_well(mapped: Workbook, sandbox: Sandbox) -> None:
    """Nobody who was erased is among the first."""
    erased = {one["contact"] for one in sandbox.ask("POST", "/edits", {"n": 12, "seed": 1, "kinds": ["anonymise"]})}
    assert len(erased) == 12
    before = loaded_contacts(sandbox)
    steps.load(mapped, execute=True, sample=15)
    there = loaded_contacts(sandbox)
    assert there > before
    assert there & erased == set()


def test_whoever_turns_confidential_between_the_plan_and_the_load_is_held_back(
    mapped: Workbook, sandbox: Sandbox
) -> None:
    """Their notes would stand open; after another reading and another plan they are private, and nobody waits."""
    one = one_who_loads(sandbox)
    edit = {"kind": "confidentiality", "posting": one["posting"]}
    (done,) = sandbox.ask("POST", "/edits", {"edits": [edit]})
    result = steps.load(mapped, execute=True)
    assert one["id"] in set(result.held["lever_id"]) <= set(done["opportunities"])
    assert set(result.held["why"]) == {"confidential in Lever by now"}
    assert one["contact"] not in loaded_contacts(sandbox)
    steps.extract(mapped)
    assert one["id"] in set(steps.load(mapped, execute=True).held["lever_id"]), "the plan is as old as it was"
    steps.map(mapped)
    again = steps.load(mapped, execute=True)
    assert [] == list(again.held["lever_id"])
    assert one["contact"] in loaded_contacts(sandbox)
    assert problems(sandbox.truth, sandbox.state)["confidential"] == []


def test_whoever_was_deleted_before_an_audit_that_was_made_again_is_held_back(
    mapped: Workbook, sandbox: Sandbox
) -> None:
    """That audit reads what has changed, and marks nobody as gone: a plan made of it does not know."""
    one = one_who_loads(sandbox)
    sandbox.ask("POST", "/edits", {"edits": [edits("opportunity_delete", one)]})
    sandbox.ask("POST", "/edits", {"wait_ms": HOUR, "edits": [{"kind": "user_deactivate"}]})
    steps.audit(mapped)
    steps.map(mapped)
    held = steps.load(mapped, execute=True).held
    assert [one["id"]] == list(held["lever_id"])
    assert one["contact"] not in loaded_contacts(sandbox)


def test_nobody_is_held_back_while_nothing_happens(mapped: Workbook, sandbox: Sandbox) -> None:
    """Two listings, and nothing at all when there is nothing to send."""
    sandbox.ask("DELETE", "/calls")
    assert [] == list(steps.load(mapped, execute=True).held["lever_id"])
    assert {"lever./opportunities": 1, "lever./opportunities/deleted": 1} == lever_calls(sandbox)
    sandbox.ask("DELETE", "/calls")
    steps.load(mapped, execute=True)
    assert {} == lever_calls(sandbox)


def lever_calls(sandbox: Sandbox) -> dict[str, int]:
    """{endpoint: calls} of the Lever side."""
    made = sandbox.ask("GET", "/calls")["by_endpoint"]
    return {name: n for name, n in made.items() if name.startswith("lever.") and n}


def test_a_lever_that_is_closed_stops_the_load_until_somebody_says_so(
    mapped: Workbook, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    """Nothing is sent to Ashby while it is not known who was erased."""
    sandbox.faults({"api": "lever", "effect": "refuse", "status": 401, "code": "Unauthorized", "message": "no"})
    before = sandbox.state["writes"]
    with pytest.raises(GateError, match="whether somebody was erased") as caught:
        steps.load(mapped, execute=True)
    assert "lever.closed: true" in str(caught.value)
    assert before == sandbox.state["writes"]
    home = mapped.params_folder.parents[1]
    mapped.close()
    write_customer(home, sandbox, lever={"closed": True})
    result = steps.load(opened(), execute=True)
    assert result.n_writes > 100
    assert result.held.empty


# ---- how old the readings are ----------------------------------------------------------------------------------------
def age(book: Workbook, hours: float) -> None:
    """As if the newest of all that was read had been read so many hours ago, however long it is since then."""
    with book.store.begin() as tx:
        passed = now_ms() - tx.execute(select(func.max(t.windows.c.at_ms))).scalar_one()
        tx.execute(update(t.windows).values(at_ms=t.windows.c.at_ms + passed - int(hours * HOUR)))


def test_child_lists_that_were_read_long_ago_stop_a_load_until_they_are_read_again(
    mapped: Workbook, sandbox: Sandbox
) -> None:
    """An ordinary reading does not see edited feedback; one with `reread` does."""
    age(mapped, 30)
    steps.extract(mapped)
    with pytest.raises(GateError, match="read up to 30 hours ago") as caught:
        steps.load(mapped, execute=True)
    assert "reread = True" in str(caught.value)
    assert sandbox.ask("GET", "/calls")["by_endpoint"].get("ashby.candidate.create", 0) == 0
    ages = steps.extract(mapped, reread=True).ages
    assert ages["oldest"][0] > ages["oldest"][1]
    steps.dedupe(mapped)
    steps.map(mapped)
    assert steps.load(mapped, execute=True).n_writes > 100


def test_old_readings_may_be_accepted_and_a_load_that_has_begun_may_be_resumed(
    mapped: Workbook, sandbox: Sandbox
) -> None:
    """A sample and the rest of a long load are not asked again; somebody's word counts."""
    steps.load(mapped, execute=True, sample=2)
    age(mapped, 30)
    steps.extract(mapped)
    steps.load(mapped, execute=True, sample=2)
    mapped.params_folder.mkdir(exist_ok=True)
    path = mapped.params_folder / "overrides.csv"
    path.write_text("id,who,when,why\nstale:lists,kim,today,nobody works in Lever any more\n", "utf-8")
    assert steps.load(mapped, execute=True).n_writes > 100


def test_a_load_that_has_begun_in_time_is_never_too_late(mapped: Workbook, sandbox: Sandbox) -> None:
    """A load of days is resumed with the plan it began with."""
    sandbox.faults({"api": "ashby", "endpoint": "candidate.create", "effect": "status", "status": 401})
    with pytest.raises(Exception, match="401"):
        steps.load(mapped, execute=True)
    sandbox.faults()
    age(mapped, 200)
    steps.extract(mapped)
    assert steps.load(mapped, execute=True).n_writes > 100

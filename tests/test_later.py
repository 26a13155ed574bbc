"""What the plan says of records that were loaded before and have changed since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
import reconcile
from mapping_world import DAY, NOW, ONSITE, PLAN, REASON, SCREEN, T0, World, opportunity
from reconcile_text import squash

from lib.dedupe import Standing, dedupe
from lib.mapping import Lessons, Losses, compile_plan, decide
from lib.params import Policy
from lib.recover.renewed import as_carried_out
from lib.store.ledger import Planned

Body = dict[str, Any]


class Carried:
    """An earlier load that carried out all rows of a plan."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def of(self, person: str) -> dict[str, Body]:
        """The rows of one person."""
        return {row.row_id: row.body for row in self.rows if row.person == person}

    def stands(self, row_id: str) -> bool:
        """Whether the load had this row."""
        return any(row.row_id == row_id for row in self.rows)


def replanned(world: World, loaded: list[Any], *, note_chars: int = 0, carried: Any = Carried) -> list[Any]:
    """The plan of a world after an earlier plan was carried out; `note_chars` is what is known of this Ashby."""
    world.loaded = set(world.opportunities)
    people, members = world.people()
    decisions = decide(world.tables(), world, policy=world.policy, now_ms=NOW)
    decisions = replace(decisions, lessons=Lessons(note_chars=note_chars))
    return list(
        compile_plan(
            world, people=people, members=members, decisions=decisions, policy=world.policy, losses=Losses(),
            now_ms=NOW, carried=carried(loaded),
        )
    )  # fmt: skip


def new(rows: list[Any], loaded: list[Any]) -> dict[str, Body]:
    """{row id: body} of what a plan wants beyond what was carried out; a row with another body counts."""
    before = {row.row_id: row.body for row in loaded}
    return {row.row_id: row.body for row in rows if before.get(row.row_id) != row.body}


def note(lever_id: str, text: str) -> Body:
    field = {"type": "note", "value": text, "createdAt": T0, "user": "u-ines", "score": None, "stage": None}
    return {"id": lever_id, "fields": [field], "user": "u-ines", "secret": False, "createdAt": T0, "deletedAt": None}


def resume(lever_id: str, at: int) -> Body:
    return {"id": lever_id, "createdAt": at, "file": {"name": "cv.pdf", "ext": "pdf"}}


def test_an_unchanged_record_gives_the_same_plan() -> None:
    world = World(opportunity("o-1")).give("notes", "o-1", note("n-1", "Fine."))
    loaded = world.plan()
    assert [(row.row_id, row.body) for row in replanned(world, loaded)] == [(row.row_id, row.body) for row in loaded]


def test_a_candidacy_that_moved_on_gets_its_whole_history_anew() -> None:
    """The row that made it stays as it was; the account of the path is written once more."""
    item = opportunity("o-1")
    item["stageChanges"][0]["userId"] = "u-ines"
    world = World(item)
    loaded = world.plan()
    for number, stage in enumerate(("s-phone", "s-onsite"), 1):
        item["stageChanges"].append({"toStageId": stage, "toStageIndex": number, "updatedAt": T0 + number * DAY})
    item["stage"] = "s-onsite"
    item["archived"] = {"reason": "r-filled", "archivedAt": T0 + 3 * DAY}
    rows = new(replanned(world, loaded), loaded)
    assert set(rows) == {
        "application.updateHistory/opportunity/o-1", "candidate.createNote/opportunity/o-1/history/v2",
    }  # fmt: skip
    events = rows["application.updateHistory/opportunity/o-1"]["applicationHistory"]
    assert [event["stageId"] for event in events][1:3] == [SCREEN, ONSITE]
    assert events[-1]["archiveReasonId"] == REASON
    text = rows["candidate.createNote/opportunity/o-1/history/v2"]["note"]["value"]
    assert "(renewed; replaces the earlier one)" in text.splitlines()[0]
    assert text.endswith("[Lever history o-1 v2]")


def test_what_was_set_after_the_load_can_be_set_back() -> None:
    """Re-opened, and closed again: the history row stays in the plan, because Ashby holds what it set."""
    item = opportunity("o-1", archived={"reason": "r-filled", "archivedAt": T0 + DAY})
    world = World(item)
    first = world.plan()
    item["archived"] = None
    second = replanned(world, first)
    assert "application.updateHistory/opportunity/o-1" in new(second, first)
    item["archived"] = {"reason": "r-filled", "archivedAt": T0 + DAY}
    third = new(replanned(world, second), second)
    made = next(row.body for row in first if row.kind == "application.create")
    assert third["application.updateHistory/opportunity/o-1"]["applicationHistory"] == made["applicationHistory"]
    assert {row.row_id for row in replanned(world, second)} >= {row.row_id for row in second}


def test_another_name_address_and_source_are_set_on_what_was_made() -> None:
    item = opportunity("o-1")
    world = World(item)
    loaded = world.plan()
    world.people_cells["c-1"] = {
        "name": "Mara Berg", "email": "berg@example.org", "alternate_emails": ["mara@example.org"], "phone": "123",
    }  # fmt: skip
    item["sources"], item["owner"] = ["Agency"], None
    rows = new(replanned(world, loaded), loaded)
    candidate = {"candidateId": {"$link": "candidate:c-1"}, "sendNotifications": False}
    told = {"name": "Mara Berg", "email": "berg@example.org", "phoneNumber": "123"}
    assert rows["candidate.update/person/c-1/changed"] == candidate | told | {"alternateEmail": "mara@example.org"}
    assert not any(row_id.startswith(("candidate.create/", "candidate.update/person/c-1/address")) for row_id in rows)


def test_addresses_that_change_places_again_and_again_all_stay() -> None:
    """The first one is set in the place of another, which the same call adds again: wherever the load dies."""
    world = World(opportunity("o-1"))
    cells = {"name": "Mara Berg", "phone": None}
    first, second, third = "mara@example.org", "berg@example.org", "m@example.org"
    told: dict[str, Any] = {}

    def plan_with(mail: str, *others: str) -> list[Any]:
        world.people_cells["c-1"] = cells | {"email": mail, "alternate_emails": list(others)}
        rows = replanned(world, loaded) if loaded else world.plan()
        told.update({row.row_id.rpartition("/")[2]: row.body for row in rows if row.kind == "candidate.update"})
        return rows

    loaded: list[Any] = []
    loaded = plan_with(first, second)
    for mail, other in ((second, first), (first, second), (second, first)):
        loaded = plan_with(mail, other)
        assert (told["changed"]["email"], told["changed"]["alternateEmail"]) == (mail, other)
        assert new(plan_with(mail, other), loaded) == {}
    loaded = plan_with(third, second, first)
    assert (told["changed"]["email"], told["changed"]["alternateEmail"]) == (third, second)
    assert told["address 1"]["alternateEmail"] == first


def test_an_edited_note_keeps_its_row_so_that_the_load_can_name_it() -> None:
    world = World(opportunity("o-1")).give("notes", "o-1", note("n-1", "Fine."))
    loaded = world.plan()
    world.lists["notes", "o-1"] = [note("n-1", "Not so fine.")]
    assert set(new(replanned(world, loaded), loaded)) == {"candidate.createNote/note/n-1"}


def thread(lever_id: str, *texts: str) -> Body:
    """A note by one user with comments of another."""
    made = note(lever_id, texts[0])
    made["fields"] += [
        made["fields"][0] | {"value": text, "user": "u-old", "createdAt": T0 + DAY} for text in texts[1:]
    ]
    return made


def renamed(world: World, number: int, **now: str) -> None:
    """A user who is called otherwise from now on; the extraction keeps how they were called."""
    user = world.lever["users"][number]
    world.lever["users_former"].append({name: user[name] for name in ("id", "name", "email")})
    user.update(now)


def test_users_who_are_called_otherwise_by_now_change_no_note() -> None:
    """Comments, and our own account of a candidacy, name people as they were called when they were loaded."""
    item = opportunity("o-1")
    item["stageChanges"][0]["userId"] = "u-ines"
    world = World(item).give("notes", "o-1", thread("n-1", "Fine.", "Old Colleague says yes."))
    loaded = world.plan()
    renamed(world, 0, name="Ines Novak")
    renamed(world, 1, name="New Colleague", email="new@example.com")
    assert new(replanned(world, loaded), loaded) == {}
    renamed(world, 1, name="Newest Colleague")
    assert new(replanned(world, loaded), loaded) == {}
    world.lists["notes", "o-1"] = [thread("n-1", "Fine.", "Old Colleague says no.")]
    assert set(new(replanned(world, loaded), loaded)) == {"candidate.createNote/note/n-1"}
    world.lists["notes", "o-1"] = [thread("n-1", "Fine.", "Old Colleague says yes.")]
    world.lever["users_former"].clear()
    assert set(new(replanned(world, loaded), loaded)) == {
        "candidate.createNote/note/n-1", "candidate.createNote/opportunity/o-1/history/v2",
    }  # fmt: skip


def test_a_note_of_ours_that_stands_open_and_is_to_be_private_is_set_aside() -> None:
    """No call hides what stands: the load names it under its own row, and no second note tells the same."""
    item = opportunity("o-1")
    item["stageChanges"][0]["userId"] = "u-ines"
    world = World(item, policy=Policy(confidential_as_new=True)).give("notes", "o-1", note("n-1", "Fine."))
    loaded = world.plan()
    item["confidentiality"] = "confidential"
    rows = new(replanned(world, loaded), loaded)
    history = "candidate.createNote/opportunity/o-1/history"
    assert {history, "candidate.createNote/note/n-1"} <= set(rows)
    assert [row_id for row_id in rows if "/v2" in row_id] == []
    assert rows[history]["isPrivate"] is True
    item["confidentiality"] = "non-confidential"
    assert new(replanned(world, loaded), loaded) == {}


def test_a_renamed_posting_changes_no_note() -> None:
    """The first line of a note names the posting as it was called when it was written."""
    world = World(opportunity("o-1")).give("notes", "o-1", note("n-1", "Fine."))
    loaded = world.plan()
    world.lever["postings"][0]["text"] = "Engineer II"
    assert {row_id.partition("/")[0] for row_id in new(replanned(world, loaded), loaded)} == {"job.create"}


def test_a_newer_resume_does_not_make_the_older_one_a_second_file() -> None:
    world = World(opportunity("o-1")).give("resumes", "o-1", resume("r-1", T0))
    world.store("r-1")
    loaded = world.plan()
    world.give("resumes", "o-1", resume("r-2", T0 + DAY)).store("r-2")
    rows = replanned(world, loaded)
    assert set(new(rows, loaded)) == {"candidate.uploadResume/resume/r-2"}
    assert [row.row_id for row in rows if row.lever_type == "resume"][-1] == "candidate.uploadResume/resume/r-2"


def test_an_application_of_another_plan_is_not_the_one_that_was_made() -> None:
    """Its row keeps the new body: the load sets it aside, and nothing is changed under a wrong plan."""
    item = opportunity("o-1")
    world = World(item)
    loaded = world.plan()
    for row in loaded:
        if row.kind == "application.create":
            row.body["interviewPlanId"] = PLAN[:-1] + "0"
    item["stageChanges"].append({"toStageId": "s-phone", "toStageIndex": 1, "updatedAt": T0 + DAY})
    item["stage"] = "s-phone"
    rows = new(replanned(world, loaded), loaded)
    assert "application.create/opportunity/o-1" in rows
    assert "application.updateHistory/opportunity/o-1" not in rows


# ---- a note in parts, of which some stand --------------------------------------------------------------------------
TEXT = " ".join(f"word{number}" for number in range(800))
KINDS = {"history": "candidate.createNote/opportunity/o-1/history", "note": "candidate.createNote/note/n-1"}


def long_world() -> World:
    """A history and a note that take several parts of 2,000 characters each."""
    item = opportunity("o-1")
    item["stageChanges"][0]["userId"] = "u-ines"
    for number in range(1, 150):
        stage = ("s-phone", "s-onsite")[number % 2]
        item["stageChanges"].append({"toStageId": stage, "toStageIndex": number, "updatedAt": T0 + number * DAY})
    item["stage"] = "s-onsite"
    return World(item, policy=Policy(note_limit=2000)).give("notes", "o-1", note("n-1", TEXT))


def only(rows: Iterable[Any], kind: str) -> list[Any]:
    """The rows of the history or of the note."""
    return [row for row in rows if row.row_id.startswith(KINDS[kind])]


def ends(rows: Iterable[Any], kind: str) -> list[str]:
    return [row.row_id.removeprefix(KINDS[kind]).lstrip("/") for row in only(rows, kind)]


def without(rows: list[Any], kind: str, *which: str) -> list[Any]:
    """An earlier load that has not carried out these parts."""
    gone = {f"{KINDS[kind]}/{end}" for end in which}
    assert gone <= {row.row_id for row in rows}
    return [row for row in rows if row.row_id not in gone]


def first_lines(rows: Iterable[Any]) -> list[str]:
    return [row.body["note"]["value"].partition("\n")[0] for row in rows]


def as_read(rows: Iterable[Any], kind: str) -> str:
    """The whole text as the sandbox's truth finds it again: it knows neither `lib` nor the plan."""
    notes = [{"content": row.body["note"]["value"]} for row in rows if row.kind == "candidate.createNote"]
    candidate = {"id": "k", "customFields": {"Lever contact ID": "c-1"}, "notes": notes}
    truth: Body = {"people": [], "contacts": [], "opportunities": []}
    state: Body = {"preexisting": {}, "candidates": [candidate], "applications": [], "custom_fields": []}
    return reconcile.World(truth, state).text(kind, {"history": "o-1", "note": "n-1"}[kind], "c-1")


def text_of(rows: Iterable[Any], kind: str) -> str:
    """What the parts say, in the order of the plan."""
    values = [row.body["note"]["value"] for row in only(rows, kind)]
    return "".join(value.partition("\n")[2].rpartition("\n")[0] for value in values)


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("stands", [1, 2, 3])
def test_a_load_that_died_between_the_parts_of_a_note_goes_on_with_the_next(kind: str, stands: int) -> None:
    world = long_world()
    planned = world.plan()
    parts = ends(planned, kind)
    assert len(parts) > 3
    loaded = without(planned, kind, *parts[stands:])
    again = replanned(world, loaded)
    assert [(row.row_id, row.body) for row in again] == [(row.row_id, row.body) for row in planned]
    known = replanned(world, loaded, note_chars=1990)  # of which no part is longer
    assert [(row.row_id, row.body) for row in known] == [(row.row_id, row.body) for row in planned]


@pytest.mark.parametrize("kind", list(KINDS))
def test_parts_that_are_too_long_for_ashby_are_cut_again_beside_the_one_that_was_taken(kind: str) -> None:
    """Nothing is said twice, nothing stays away, and a further round plans nothing more."""
    world = long_world()
    planned = world.plan()
    *refused, tail = ends(planned, kind)
    loaded = without(planned, kind, *refused)
    second = replanned(world, loaded, note_chars=1500)
    rows = [row for row in second if row.row_id in new(second, loaded)]
    n = len(rows)
    assert ends(second, kind) == [tail, *(f"v2/{number}-{n}" for number in range(1, n + 1))]
    assert max(len(row.body["note"]["value"]) for row in rows) <= 1500
    total, first, last = len(refused) + 1, refused[0].replace("-", "/"), refused[-1].replace("-", "/")
    assert {line.partition(" (")[2] for line in first_lines(rows)} == {
        f"in place of parts {first} to {last}) (part {number}/{n})" for number in range(1, n + 1)
    }
    assert last == f"{total - 1}/{total}"
    assert squash(text_of(planned, kind)) in as_read(second, kind)
    assert new(replanned(world, second, note_chars=1500), second) == {}
    died = without(second, kind, f"v2/2-{n}", f"v2/{n}-{n}")
    again = replanned(world, died, note_chars=1500)
    assert [(row.row_id, row.body) for row in again] == [(row.row_id, row.body) for row in second]


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_gap_between_parts_that_stand_is_filled_by_itself(kind: str) -> None:
    world = long_world()
    planned = world.plan()
    parts = ends(planned, kind)
    total = len(parts)
    loaded = without(planned, kind, parts[0], parts[2])
    second = replanned(world, loaded, note_chars=1500)
    told = {line.partition(" (")[2].partition(")")[0] for line in first_lines(only(second, kind))}
    assert {f"in place of part 1/{total}", f"in place of part 3/{total}"} <= told
    found = {end: text_of([row], kind) for end, row in zip(ends(second, kind), only(second, kind), strict=True)}
    filled = ["".join(found[end] for end in found if end.startswith(version)) for version in ("v2", "v3")]
    whole = [filled[0], found[parts[1]], filled[1], *(found[end] for end in parts[3:])]
    assert "".join(whole) == text_of(planned, kind)
    assert new(replanned(world, second, note_chars=1500), second) == {}
    died = without(second, kind, *(end for end in found if end.startswith("v2")))
    assert new(replanned(world, died, note_chars=1500), second) == {}


def test_what_fills_a_gap_may_be_too_long_itself() -> None:
    world = long_world()
    planned = world.plan()
    loaded = without(planned, "note", *ends(planned, "note")[:-1])
    second = replanned(world, loaded, note_chars=1500)
    long = [end for end in ends(second, "note") if end.startswith("v2")]
    third = replanned(world, without(second, "note", *long[:-1]), note_chars=1000)
    rows = only(third, "note")
    assert {end.partition("/")[0] for end in ends(third, "note")[2:]} == {"v3"}
    assert all(f" (in place of parts 1/{len(long)} to " in line for line in first_lines(rows[2:]))
    assert all(" of v2) (part " in line for line in first_lines(rows[2:]))
    assert text_of(rows[2:], "note") + text_of(rows[1:2], "note") + text_of(rows[:1], "note") == text_of(
        planned, "note"
    )
    assert new(replanned(world, third, note_chars=1000), third) == {}


def test_a_renewed_note_keeps_to_the_length_that_ashby_takes() -> None:
    world = long_world()
    loaded = world.plan()
    changes = world.opportunities["o-1"]["stageChanges"]
    changes.append({"toStageId": "s-phone", "toStageIndex": 200, "updatedAt": T0 + 200 * DAY})
    second = replanned(world, loaded, note_chars=1500)
    rows = [row for row in only(second, "history") if "/v2/" in row.row_id]
    assert {row.row_id for row in rows} == {one for one in new(second, loaded) if one.startswith(KINDS["history"])}
    assert max(len(row.body["note"]["value"]) for row in rows) <= 1500
    assert all("(renewed; replaces the earlier one)" in line for line in first_lines(rows))
    died = without(second, "history", *ends(rows, "history")[1:])
    assert new(replanned(world, died, note_chars=1500), second) == {}


def test_a_note_that_changes_after_its_gap_was_filled_is_renewed_as_a_whole() -> None:
    """What stands of the older ones stays in the plan, and the newest is one text again."""
    world = long_world()
    planned = world.plan()
    loaded = without(planned, "history", *ends(planned, "history")[:-1])
    second = replanned(world, loaded, note_chars=1500)
    changes = world.opportunities["o-1"]["stageChanges"]
    changes.append({"toStageId": "s-phone", "toStageIndex": 200, "updatedAt": T0 + 200 * DAY})
    third = replanned(world, second, note_chars=1500)
    added = [end for end in ends(third, "history") if end not in ends(second, "history")]
    assert added == [f"v3/{number}-{len(added)}" for number in range(1, len(added) + 1)]
    assert {row.row_id for row in second} <= {row.row_id for row in third}
    assert new(replanned(world, third, note_chars=1500), third) == {}


@pytest.mark.parametrize("n_words", [10, 800, 2000])
@pytest.mark.parametrize("filled", [True, False])
def test_a_note_in_parts_that_was_edited_is_set_aside_and_not_written_again(n_words: int, filled: bool) -> None:
    world = long_world()
    loaded = world.plan()
    if filled:
        loaded = without(loaded, "note", *ends(loaded, "note")[:-1])
        loaded = replanned(world, loaded, note_chars=1500)
    world.lists["notes", "o-1"] = [note("n-1", " ".join(f"other{number}" for number in range(n_words)))]
    rows = replanned(world, loaded, note_chars=1500)
    changed = new(rows, loaded)
    assert changed
    assert set(changed) <= {row.row_id for row in only(loaded, "note")}
    aside = [row for row in loaded if row.row_id not in changed]

    class Aside(Carried):
        """The load has set those aside as changed: they stand, and not as the plan says."""

        def stands(self, row_id: str) -> bool:
            return row_id in changed or super().stands(row_id)

    for before, after in pairwise([rows, *(replanned(world, aside, note_chars=1500, carried=Aside) for _ in "12")]):
        assert new(after, before) == {}


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_lost_store_knows_the_parts_that_filled_a_gap_by_their_marks(kind: str) -> None:
    world = long_world()
    planned = world.plan()
    loaded = without(planned, kind, *ends(planned, kind)[:-1])
    second = replanned(world, loaded, note_chars=1500)
    rows = [
        Planned(*(getattr(row, name) for name in Planned.__slots__[:8]), row.body_hash, row.link) for row in planned
    ]
    notes = [
        {"id": row.row_id, "content": row.body["note"]["value"]} | {"createdAt": row.body["createdAt"]}
        for row in only(second, kind)
    ]
    found = [one.row for one in as_carried_out(rows, notes)]
    assert {row.row_id: row.body for row in found} == {row.row_id: row.body for row in only(second, kind)}
    carried = [row for row in second if row not in only(second, kind)] + found
    assert new(replanned(world, carried, note_chars=1500), second) == {}


# ---- people keep their ids -----------------------------------------------------------------------------------------
def people(rows: list[Body], standing: Standing, **more: Any) -> dict[str, tuple[str, str | None, str]]:
    """{contact: (person, match, candidate)}."""
    found = dedupe(pd.DataFrame(rows), standing=standing, **more)
    of = {row["person"]: (row["match"], row["ashby_id"]) for row in found.people.to_dict("records")}
    return {row["contact"]: (row["person"], *of[row["person"]]) for row in found.members.to_dict("records")}


def contact(key: str, name: str, mail: str, at: int) -> Body:
    return {"id": key, "name": name, "emails": [mail], "created_ms": at, "n_opportunities": 1}


def test_a_loaded_person_keeps_the_id_when_the_oldest_contact_goes() -> None:
    standing = Standing(person_of={"a": "a", "b": "a"}, candidate_of={"a": ""})
    assert people([contact("b", "Mara", "m@x.org", 2)], standing) == {"b": ("a", "new", None)}


def test_a_loaded_person_keeps_the_id_when_an_older_contact_appears() -> None:
    standing = Standing(person_of={"b": "b"}, candidate_of={"b": ""})
    rows = [contact("a", "Mara", "m@x.org", 1), contact("b", "Mara", "m@x.org", 2)]
    assert {one[0] for one in people(rows, standing).values()} == {"b"}


def test_a_person_who_was_split_keeps_one_id_and_gets_one() -> None:
    standing = Standing(person_of={"a": "a", "b": "a"}, candidate_of={"a": ""})
    rows = [contact("a", "Mara", "m@x.org", 1), contact("b", "Olaf", "o@x.org", 2)]
    assert {key: one[0] for key, one in people(rows, standing).items()} == {"a": "a", "b": "b"}


def test_a_loaded_person_is_not_compared_with_ashby_again() -> None:
    """Somebody adds the same address there: what was loaded stays whose it was, and an adopted candidate adopted."""
    rows = [contact("a", "Mara", "m@x.org", 1), contact("b", "Olaf", "o@x.org", 2), contact("c", "Ines", "i@x.org", 3)]
    there = [
        contact("x1", "Mara", "m@x.org", 9),
        contact("x2", "Olaf", "o@x.org", 9),
        contact("x3", "Olaf", "o@x.org", 9),
    ]
    standing = Standing(person_of={"a": "a", "b": "b"}, candidate_of={"a": "", "b": "x2"})
    found = people(rows, standing, existing=pd.DataFrame(there))
    assert found == {"a": ("a", "new", None), "b": ("b", "exists", "x2"), "c": ("c", "new", None)}


def test_a_verdict_may_undo_an_adoption() -> None:
    there = pd.DataFrame([contact("x", "Mara", "m@x.org", 9)])
    standing = Standing(person_of={"a": "a"}, candidate_of={"a": "x"})
    found = people([contact("a", "Mara", "m@x.org", 1)], standing, existing=there, verdicts={("a", "x"): "different"})
    assert found == {"a": ("a", "new", None)}

"""What the plan says of records that were loaded before and have changed since."""

from __future__ import annotations

from typing import Any

import pandas as pd
from mapping_world import DAY, NOW, ONSITE, PLAN, REASON, SCREEN, T0, World, opportunity

from lib.dedupe import Standing, dedupe
from lib.mapping import Losses, compile_plan, decide

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


def replanned(world: World, loaded: list[Any]) -> list[Any]:
    """The plan of a world after an earlier plan was carried out."""
    world.loaded = set(world.opportunities)
    people, members = world.people()
    decisions = decide(world.tables(), world, policy=world.policy, now_ms=NOW)
    return list(
        compile_plan(
            world, people=people, members=members, decisions=decisions, policy=world.policy, losses=Losses(),
            now_ms=NOW, carried=Carried(loaded),
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
    assert rows["candidate.update/person/c-1/changed"] == candidate | told
    assert rows["candidate.update/person/c-1/address 1"] == candidate | {"alternateEmail": "mara@example.org"}
    assert not any(row_id.startswith("candidate.create/") for row_id in rows)


def test_an_edited_note_keeps_its_row_so_that_the_load_can_name_it() -> None:
    world = World(opportunity("o-1")).give("notes", "o-1", note("n-1", "Fine."))
    loaded = world.plan()
    world.lists["notes", "o-1"] = [note("n-1", "Not so fine.")]
    assert set(new(replanned(world, loaded), loaded)) == {"candidate.createNote/note/n-1"}


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

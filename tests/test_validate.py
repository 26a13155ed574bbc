"""The validation is green on a faultless load, understands Ashby's habits, and names every planted fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from validate_world import MS, RUN_TAG, World, build, connect, iso, sandbox

from lib import checks
from lib.errors import GateError
from lib.mapping import Losses
from lib.store import FileRow
from lib.validate import ValidateResult, run, values
from lib.validate.closely import Features, People, choose, features
from lib.validate.edits import Edits
from lib.validate.expected import Person, Piece, Thing, chains, person_of
from lib.validate.findings import Findings
from lib.validate.people import compare_candidate
from lib.validate.shelf import Scratch
from lib.validate.target import Target


@pytest.fixture(scope="module")
def facts() -> Iterator[dict[str, Any]]:
    """One sandbox for this file."""
    with sandbox() as found:
        yield found


@pytest.fixture
def world(facts: dict[str, Any], tmp_path: Path) -> Iterator[World]:
    """A migration that was loaded without a fault."""
    made = build(facts, tmp_path)
    yield made
    made.store.close()


def reds(result: ValidateResult) -> set[tuple[str, str, str, str]]:
    """(object, Lever id, field, kind) of every critical difference."""
    rows = result.differences.to_dict("records")
    return {
        (row["object"], row["lever_id"], row["field"], row["kind"]) for row in rows if row["severity"] == "critical"
    }


def warnings(result: ValidateResult) -> set[tuple[str, str, str, str]]:
    """The same of every difference that does not forbid green."""
    rows = result.differences.to_dict("records")
    return {(row["object"], row["lever_id"], row["field"], row["kind"]) for row in rows if row["severity"] == "warning"}


def test_a_faultless_load_is_green_and_every_object_is_accounted_for(world: World) -> None:
    """Counts agree from Lever to Ashby, nothing differs, everything was really compared."""
    result = run(world.store, world.ashby, losses=[])
    assert [] == result.differences.to_dict("records")
    assert result.ok
    counts = {row["object"]: row for row in result.counts.to_dict("records")}
    picked = ("n_lever", "n_left_out", "n_unexplained", "n_moves", "n_planned", "n_done", "n_found")
    expected = {
        "candidate": (4, 1, 0, 3, 3, 3, 3),
        "application": (6, 2, 0, 4, 4, 4, 4),
        "note": (4, 2, 0, 2, 2, 2, 2),
        "feedback": (1, 0, 0, 1, 1, 1, 1),
        "file": (3, 1, 0, 2, 2, 2, 2),
        "job": (1, 0, 0, 1, 1, 1, 1),
    }
    assert expected == {name: tuple(int(counts[name][column]) for column in picked) for name in expected}
    assert set(result.fidelity["share"]) == {1.0}
    compared = {f"{row['object']}.{row['field']}" for row in result.fidelity.to_dict("records")}
    wanted = {
        "candidate.name", "candidate.email", "candidate.alternates", "candidate.phoneNumber", "candidate.links",
        "candidate.location", "candidate.createdAt", "candidate.customFields", "candidate.tags", "application.job",
        "application.stage", "application.status", "application.source", "application.creditedToUser",
        "application.archiveReason", "application.archivedAt", "application.createdAt", "application.customFields",
        "application.history: stages", "application.history: times", "note.text", "note.createdAt", "note.isPrivate",
        "feedback.values", "feedback.author", "feedback.form", "file.bytes", "file.résumé", "job.status", "job.title",
    }  # fmt: skip
    assert set() == wanted - compared


def test_the_certificate_speaks_for_the_result(world: World) -> None:
    """It names plan, sample and counts, and its hash changes with the differences."""
    first = run(world.store, world.ashby, losses=[])
    assert first.certificate["ok"] is True
    assert first.certificate["plan_hash"] == world.ledger.plan_hash()
    assert first.certificate["sample"] == {"n_people": 3, "n_in_scope": 3, "seed": world.ledger.plan_hash()}
    again = run(world.store, world.ashby, losses=[])
    assert again.certificate["differences_sha256"] == first.certificate["differences_sha256"]
    world.rpc("candidate.update", {"candidateId": world.id_of("candidate:c2"), "name": "Bo Mueller"})
    changed = run(world.store, world.ashby, losses=[])
    assert changed.certificate["differences_sha256"] != first.certificate["differences_sha256"]
    json.dumps(changed.certificate)


def test_what_ashby_does_to_values_is_understood() -> None:
    """Known changes on the way are no differences; real ones are."""
    assert values.same_moment("2024-01-31T10:20:30.123Z", "2024-01-31T11:20:30.123+01:00")
    assert not values.same_moment("2024-01-31T10:20:30.123Z", "2024-01-31T10:20:30.124Z")
    assert values.url_key("https://X.example/a/") == values.url_key("https://x.example/a")
    assert values.url_key("https://x.example/a") != values.url_key("https://x.example/b")
    assert values.same_phone("+47 91 23 45 67", "+4791234567")
    assert not values.same_phone("+4791234567", "+4791234568")
    assert values.same_text("a < b\r\nnext  ", "a &lt; b\nnext")
    assert not values.same_text("a", "a b")
    assert values.same_value({"type": "PlainText", "value": "x"}, "x")
    assert values.same_value({"score": 3}, 3)
    assert values.same_value("2024-01-31T00:00:00.000Z", "2024-01-31")
    assert values.same_value(["a", "b"], ["b", "a"])
    assert not values.same_value(True, 1)
    assert not values.same_value(2, None)


def _update(world: World, person: str, **members: Any) -> None:
    body = {"candidateId": world.id_of(f"candidate:{person}"), "sendNotifications": False, **members}
    world.rpc("candidate.update", body)


def _set(world: World, kind: str, target: str, field: str, value: str) -> None:
    one = {"fieldId": world.id_of(f"custom_field:{field}"), "fieldValue": value}
    body = {"objectId": world.id_of(target), "objectType": kind, "values": [one]}
    world.rpc("customField.setValues", body)


def _body(world: World, row_id: str) -> dict[str, Any]:
    found = world.ledger.last_request(row_id)
    assert isinstance(found, dict)
    return found


def _rewritten(world: World) -> dict[str, Any]:
    """The same stages, the last one a second later and with another reason."""
    history = [dict(one) for one in _body(world, "application.create/opportunity/o1")["applicationHistory"]]
    history[-1] |= {"enteredStageAt": iso(MS + 60_000), "archiveReasonId": world.meta["other_reason"]}
    return {"applicationId": world.id_of("application:o1"), "applicationHistory": history}


def _say(world: World, text: str) -> None:
    world.rpc("candidate.createNote", {"candidateId": world.id_of("candidate:c1"), "note": text})


def _stranger(world: World) -> None:
    made = world.rpc("candidate.create", {"name": "Eve Stranger"})["id"]
    field = world.id_of("custom_field:Candidate:Lever contact ID")
    values = [{"fieldId": field, "fieldValue": "c666"}]
    world.rpc("customField.setValues", {"objectId": made, "objectType": "Candidate", "values": values})


def _tagged(world: World) -> None:
    made = world.rpc("candidate.create", {"name": "Eve Stranger"})["id"]
    world.rpc("candidate.addTag", {"candidateId": made, "tagId": world.id_of(f"tag:{RUN_TAG}")})


def _forget(world: World, row_id: str, link: str) -> None:
    """The ledger holds an id that Ashby does not know, as after a deletion in Ashby."""
    lost = "00000000-0000-4000-8000-00000000dead"
    own = world.id_of(link)
    world.lose(row_id, lost)
    _remove_mark(world, own)


def _remove_mark(world: World, ashby_id: str) -> None:
    """What is left of a merged candidate carries nothing of ours."""
    field = world.id_of("custom_field:Candidate:Lever contact ID")
    values = [{"fieldId": field, "fieldValue": ""}]
    world.rpc("customField.setValues", {"objectId": ashby_id, "objectType": "Candidate", "values": values})


FAULTS: dict[str, tuple[Callable[[World], Any], set[tuple[str, str, str, str]]]] = {
    "a name is another one": (
        lambda w: _update(w, "c1", name="Ada Beker"),
        {("candidate", "c1", "name", "different")},
    ),
    "the first address is another one": (
        lambda w: _update(w, "c1", email="somebody@else.example"),
        {("candidate", "c1", "email", "different")},
    ),
    "the links were replaced": (
        lambda w: _update(w, "c1", socialLinks=[{"type": "LinkedIn", "url": "https://www.linkedin.com/in/eve"}]),
        {("candidate", "c1", "links", "different"), ("candidate", "c1", "links", "missing")},
    ),
    "the moment of creation is another one": (
        lambda w: _update(w, "c2", createdAt=iso(MS + 4)),
        {("candidate", "c2", "createdAt", "different")},
    ),
    "a custom field was changed": (
        lambda w: _set(w, "Candidate", "candidate:c1", "Candidate:Shift", "d"),
        {("candidate", "c1", "customFields", "different")},
    ),
    "the marker of an application stands on another one": (
        lambda w: _set(w, "Application", "application:o2", "Application:Lever opportunity ID", "o1"),
        {("application", "o2", "customFields", "different"), ("application", "o1", "(exists)", "doubled")},
    ),
    "source and moment of an application are others": (
        lambda w: w.rpc(
            "application.update",
            {"applicationId": w.id_of("application:o2"), "sourceId": w.meta["other_source"], "createdAt": iso(MS + 1)},
        ),
        {("application", "o2", "createdAt", "different"), ("application", "o2", "source", "different")},
    ),
    "a history was rewritten": (
        lambda w: w.rpc("application.updateHistory", _rewritten(w)),
        {
            ("application", "o1", "history: times", "different"),
            ("application", "o1", "archivedAt", "different"),
            ("application", "o1", "archiveReason", "different"),
        },
    ),
    "a candidate was made twice": (
        lambda w: w.rpc("candidate.create", {"name": "Bo Miller", "createdAt": iso(MS + 3)}),
        {("candidate", "c2", "(exists)", "doubled")},
    ),
    "an application was made twice": (
        lambda w: w.rpc("application.create", _body(w, "application.create/opportunity/o4")),
        {("application", "c2", "(exists)", "doubled")},
    ),
    "a note was made twice": (
        lambda w: w.rpc("candidate.createNote", _body(w, "candidate.createNote/note/n1")),
        {("note", "n1", "(exists)", "doubled")},
    ),
    "a feedback was made twice": (
        lambda w: w.rpc("applicationFeedback.submit", _body(w, "applicationFeedback.submit/feedback/f1")),
        {("feedback", "f1", "(exists)", "doubled")},
    ),
    "a note carries a mark that nobody planned": (
        lambda w: _say(w, "[Lever note n666]"),
        {("note", "n666", "(exists)", "surplus")},
    ),
    "a marked candidate is in no ledger": (_stranger, {("candidate", "c666", "(exists)", "surplus")}),
    "a tag of the run is on a stranger": (_tagged, {("candidate", "", "tags", "surplus")}),
    "a custom field was made twice": (
        lambda w: w.rpc(
            "customField.create", {"fieldType": "String", "objectType": "Job", "title": "Lever posting ID"}
        ),
        {("custom field", "", "title", "doubled")},
    ),
    "the job was closed": (
        lambda w: w.rpc("job.setStatus", {"jobId": w.id_of("job:p1"), "status": "Closed"}),
        {("job", "p1", "status", "different")},
    ),
    "a candidate is not there": (
        lambda w: _forget(w, "candidate.create/person/c2", "candidate:c2"),
        {("candidate", "c2", "(exists)", "missing"), ("application", "o4", "candidate", "different")},
    ),
    "an option was archived": (
        lambda w: w.rpc(
            "customField.updateSelectableValues",
            {
                "customFieldId": w.id_of("custom_field:Candidate:Shift"),
                "selectableValues": [{"label": "Night", "value": "n", "isArchived": False}],
            },
        ),
        {("custom field", "Candidate:Shift", "selectableValues", "missing")},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(world: World, name: str) -> None:
    """Each fault gives exactly the critical differences that name it, and the result is red."""
    plant, expected = FAULTS[name]
    plant(world)
    result = run(world.store, world.ashby, losses=[])
    assert expected == reds(result)
    assert not result.ok


@pytest.mark.parametrize(
    ("row_id", "expected"),
    [
        ("candidate.createNote/note/n1", ("note", "n1", "(exists)", "missing")),
        ("applicationFeedback.submit/feedback/f1", ("feedback", "f1", "(exists)", "missing")),
        ("candidate.uploadFile/file/x1", ("file", "x1", "(exists)", "missing")),
        ("customField.setValues/person/c2", ("candidate", "c2", "customFields", "missing")),
        ("candidate.addTag/person/c1/Migrated from Lever", ("candidate", "c1", "tags", "missing")),
    ],
)
def test_what_the_ledger_only_believes_is_missing(
    facts: dict[str, Any], tmp_path: Path, row_id: str, expected: tuple[str, str, str, str]
) -> None:
    """A row that says done and left nothing in Ashby is a critical difference."""
    world = build(facts, tmp_path, run=False)
    world.lose(row_id)
    world.load()
    result = run(world.store, world.ashby, losses=[])
    assert expected in reds(result)
    world.store.close()


def test_damaged_bytes_are_seen(facts: dict[str, Any], tmp_path: Path) -> None:
    """A file whose bytes changed on the way is red, though its name and size are right."""
    world = build(facts, tmp_path, damaged=True)
    assert {("file", "x1", "bytes", "different")} == reds(run(world.store, world.ashby, losses=[]))
    world.store.close()


def test_rows_without_an_outcome_forbid_green(facts: dict[str, Any], tmp_path: Path) -> None:
    """Planned, refused and parked rows are each named, and none is certified; nothing about them is guessed."""
    world = build(facts, tmp_path, run=False)
    world.ledger.settle(world.row("candidate.createNote/note/n1"), "refused", code="invalid_input")
    world.ledger.settle(world.row("candidate.createNote/note/n2"), "parked")
    world.load()
    result = run(world.store, world.ashby, losses=[])
    found = {row["lever_id"]: row["detail"] for row in result.differences.to_dict("records")}
    assert found["n1"] == "row candidate.createNote/note/n1 is refused (invalid_input): not loaded"
    assert {row["severity"] for row in result.differences.to_dict("records") if row["lever_id"] == "n1"} == {"refused"}
    assert result.n_refused == 1
    assert not result.ok
    world.store.close()


def test_what_was_refused_is_named_and_never_certified(facts: dict[str, Any], tmp_path: Path) -> None:
    """A refusal and what waits for it close no gate, but neither sentence nor certificate says that all arrived."""
    world = build(facts, tmp_path, run=False)
    world.ledger.settle(world.row("application.create/opportunity/o4"), "refused", code="invalid_input")
    world.load()
    result = run(world.store, world.ashby, losses=[])
    assert (result.ok, result.n_refused, result.n_waiting) == (False, 1, 1)
    aside = {(row["lever_id"], row["detail"]) for row in result.differences.to_dict("records")}
    assert aside == {
        ("o4", "row application.create/opportunity/o4 is refused (invalid_input): not loaded"),
        ("o4", "row customField.setValues/opportunity/o4 waits for a row that was refused: not loaded"),
    }
    assert set(result.differences["severity"]) == {"refused"}
    checks.gate([result.differences])
    assert result.sentence.startswith("1 record was refused by Ashby and set aside; 1 more waits for them.")
    told = {name: result.certificate[name] for name in ("ok", "n_refused", "n_waiting", "rows_without_outcome")}
    assert told == {"ok": False, "n_refused": 1, "n_waiting": 1, "rows_without_outcome": {}}
    world.store.close()


def test_a_row_that_waits_for_nothing_refused_is_critical(facts: dict[str, Any], tmp_path: Path) -> None:
    """A planned row beside a refused one is not excused by it."""
    world = build(facts, tmp_path, run=False)
    world.load()
    world.ledger.settle(world.row("candidate.createNote/note/n1"), "refused", code="invalid_input")
    world.ledger.settle(world.row("candidate.createNote/note/n2"), "again")
    result = run(world.store, world.ashby, losses=[])
    assert {("note", "n2", "(row)", "missing")} == reds(result)
    assert "1 critical differences. 1 record was refused" in result.sentence
    with pytest.raises(GateError):
        checks.gate([result.differences])
    world.store.close()


@pytest.mark.parametrize("state", ["intended", "unknown", "again", "parked"])
def test_an_open_row_that_left_the_plan_is_critical(world: World, state: str) -> None:
    """A write that nobody followed up is named, though no row of the plan asks for it."""
    row = world.row("candidate.createNote/note/n1")
    world.ledger.settle(replace(row, row_id="candidate.createNote/note/n66/1-2", lever_id="n66"), state)
    result = run(world.store, world.ashby, losses=[])
    assert {("note", "n66", "(row)", "surplus")} == reds(result)
    assert not result.ok
    with pytest.raises(GateError, match="n66"):
        checks.gate([result.differences])


def test_texts_and_files_of_an_earlier_plan_are_surplus(world: World) -> None:
    """A note is named even where nobody of the sample has it; a file that changed its kind is no surplus."""
    gone = ("candidate.createNote/note/n1", "applicationFeedback.submit/feedback/f1", "candidate.uploadFile/file/x1")
    rows = [row for row in world.ledger.rows() if row.row_id not in gone]
    world.ledger.put_plan(rows, plan_hash="1" * 64)
    found = reds(run(world.store, world.ashby, losses=[], sample_share=0.0, sample_min=0))
    expected = {
        (name, key, "(exists)", "surplus") for name, key in (("note", "n1"), ("feedback", "f1"), ("file", "x1"))
    }
    assert expected <= found
    resume = world.row("candidate.uploadResume/resume/r1")
    stands = world.ledger.of([resume])[resume.row_id].ashby_id
    world.ledger.settle(replace(resume, row_id="candidate.uploadFile/resume/r1"), "done", ashby_id=stands)
    assert ("file", "r1", "(exists)", "surplus") not in reds(run(world.store, world.ashby, losses=[]))


def test_what_an_earlier_plan_made_is_surplus(world: World) -> None:
    """A candidate who is no longer in the plan still stands in Ashby: that is said, by name."""
    rows = [row for row in world.ledger.rows() if row.person != "c2"]
    world.ledger.put_plan(rows, plan_hash="1" * 64)
    found = reds(run(world.store, world.ashby, losses=[]))
    assert {("candidate", "c2", "(exists)", "surplus"), ("application", "o4", "(exists)", "surplus")} <= found


def test_a_changed_row_is_not_taken_for_done(world: World) -> None:
    """A plan made anew asks for another text: what stands there is the old one."""
    rows = list(world.ledger.rows())
    rows = [replace(row, body_hash="f" * 64) if row.row_id == "candidate.createNote/note/n1" else row for row in rows]
    world.ledger.put_plan(rows, plan_hash="1" * 64)
    assert {("note", "n1", "(row)", "missing")} == reds(run(world.store, world.ashby, losses=[]))


def test_an_empty_plan_is_not_green(facts: dict[str, Any], tmp_path: Path) -> None:
    """No row at all proves nothing."""
    world = build(facts, tmp_path, run=False)
    world.ledger.put_plan([], plan_hash="0" * 64)
    assert not run(world.store, world.ashby, losses=[]).ok
    world.store.close()


def test_what_people_did_in_ashby_since_is_a_warning(world: World) -> None:
    """A candidacy that went on, a new application, a new file: told, and no fault of the migration."""
    created = {
        "candidateId": world.id_of("candidate:c1"), "jobId": world.id_of("job:p1"), "createdAt": iso(MS + 999_999),
    }  # fmt: skip
    world.rpc("application.create", created)
    _move_on(world, "o3", "Phone Interview")
    result = run(world.store, world.ashby, losses=[])
    assert set() == reds(result)
    assert {
        ("application", "c1", "(exists)", "surplus"),
        ("application", "o3", "stage", "different"),
        ("application", "o3", "status", "different"),
        ("application", "o3", "history: events", "different"),
    } >= warnings(result)
    assert ("application", "o3", "stage", "different") in warnings(result)
    assert result.ok


def _move_on(world: World, opportunity: str, stage: str) -> None:
    """What a recruiter does; the client of the workbook has no such call."""
    body = {
        "applicationId": world.id_of(f"application:{opportunity}"), "interviewStageId": world.meta["stages"][stage],
    }  # fmt: skip
    world.rpc("application.changeStage", body)


def test_a_value_that_was_there_before_us_is_a_warning(facts: dict[str, Any], tmp_path: Path) -> None:
    """The load leaves somebody's own value alone; the validation says so and stays green."""
    world = build(facts, tmp_path, run=False)
    made = world.rpc(
        "customField.create", {"fieldType": "String", "objectType": "Candidate", "title": "Lever contact ID"}
    )["id"]
    row = world.row("customField.create/custom_field/Candidate:Lever contact ID")
    world.ledger.settle(row, "done", ashby_id=made)
    values = [{"fieldId": made, "fieldValue": "by hand"}]
    body = {"objectId": world.meta["existing"], "objectType": "Candidate", "values": values}
    world.rpc("customField.setValues", body)
    world.load()
    result = run(world.store, world.ashby, losses=[])
    assert ("candidate", "c3", "customFields", "different") in warnings(result)
    assert set() == reds(result)
    world.store.close()


def test_a_lever_object_that_nobody_accounts_for_is_red(world: World) -> None:
    """What is neither planned nor left out by a rule is named; what the loss list names is not."""
    extra = {"id": "o8", "contact": {"id": "c1"}, "createdAt": MS}
    with world.store.begin() as tx:
        world.store.put_raw(tx, "opportunities", [("o8", "c1", extra)])
        world.store.put_raw(tx, "notes", [("n7", "o1", {"id": "n7", "createdAt": MS})])
        world.store.put_raw(tx, "notes", [("n6", "o8", {"id": "n6", "createdAt": MS})])
    expected = {("opportunity", "o8", "(plan)", "missing"), ("note", "n7", "(plan)", "missing")}
    assert expected == reds(run(world.store, world.ashby, losses=[]))
    losses = Losses()
    losses.add("opportunity", "(opportunity)", lever_id="o8", treatment="never", reason="out of scope")
    losses.add("note", "(note)", lever_id="n7", treatment="never", reason="secret; withheld")
    assert run(world.store, world.ashby, losses=losses.rows()).ok


def test_a_number_in_the_loss_list_accounts_for_no_id(world: World) -> None:
    """Each id is looked up in the list: neither a count nor the id of another record stands for it."""
    with world.store.begin() as tx:
        for key in ("n6", "n7"):
            world.store.put_raw(tx, "notes", [(key, "o1", {"id": key, "createdAt": MS})])
    counted = [
        {"lever_type": "note", "field": "(note)", "treatment": "never", "reason": "secret", "n_records": 2},
    ]
    both = {("note", "n6", "(plan)", "missing"), ("note", "n7", "(plan)", "missing")}
    assert both == reds(run(world.store, world.ashby, losses=counted))
    one = [counted[0] | {"ids": ["n6", "n-of-long-ago"]}]
    assert {("note", "n7", "(plan)", "missing")} == reds(run(world.store, world.ashby, losses=one))


def test_what_moves_of_a_withheld_candidacy_is_still_counted(world: World) -> None:
    """Its notes stay behind by name; a file of it that fell out of the plan, or a signed offer, is named."""
    with world.store.begin() as tx:
        world.store.put_raw(tx, "opportunities", [("o8", "c1", {"id": "o8", "contact": {"id": "c1"}, "createdAt": MS})])
        world.store.put_raw(tx, "notes", [("n6", "o8", {"id": "n6", "createdAt": MS})])
        world.store.put_raw(tx, "files", [("x8", "o8", {"id": "x8"})])
        signed = {"id": "f8", "signedDocument": {"fileName": "offer.pdf"}}
        world.store.put_raw(tx, "offers", [("f8", "o8", signed), ("f9", "o1", signed | {"id": "f9"})])
        gone = FileRow("f9:signed", "offers", "o1", "", "", None, None, "unavailable", "422", 3)
        world.store.put_file(tx, gone)
    losses = Losses()
    losses.add("opportunity", "(no job)", lever_id="o8", treatment="never", reason="without posting")
    losses.add("note", "(note)", lever_id="n6", treatment="never", reason="of a confidential candidacy")
    losses.add("offer", "(offer)", lever_id="f8", treatment="never", reason="withheld by policy")
    found = reds(run(world.store, world.ashby, losses=losses.rows()))
    assert {("file", "x8", "(plan)", "missing"), ("offer", "f8", "(plan)", "missing")} == found


def test_the_loss_list_keeps_every_id_of_whole_records() -> None:
    """Of fields it keeps a few examples; of records that stay behind, all."""
    losses = Losses()
    for number in range(5):
        for name in ("(note)", "user"):
            losses.add("note", name, lever_id=f"n{number}", treatment="never", reason="withheld")
    whole, field = losses.rows()
    assert whole["ids"] == ["n0", "n1", "n2", "n3", "n4"]
    assert "ids" not in field


def test_a_posting_that_nobody_accounts_for_is_red(world: World) -> None:
    """A posting that fell out of the plan is named; a verdict, or a scope of postings, accounts for it."""
    with world.store.begin() as tx:
        world.store.put_raw(tx, "postings", [("p2", "", {"id": "p2", "text": "Miller", "state": "draft"})])
    result = run(world.store, world.ashby, losses=[])
    assert {("posting", "p2", "(plan)", "missing")} == reds(result)
    assert 1 == int(result.counts.set_index("object").loc["job", "n_unexplained"])
    skipped = Losses()
    skipped.add("posting", "(posting)", lever_id="p2", treatment="never", reason="verdict skip")
    assert run(world.store, world.ashby, losses=skipped.rows()).ok
    assert run(world.store, world.ashby, losses=[], by_posting=True).ok
    with world.store.begin() as tx:
        applied = {"id": "o1", "contact": {"id": "c1"}, "createdAt": MS, "applications": [{"id": "a", "posting": "p2"}]}
        world.store.put_raw(tx, "opportunities", [("o1", "c1", applied)])
    assert not run(world.store, world.ashby, losses=[], by_posting=True).ok


def test_a_history_note_does_not_stand_for_its_application(world: World) -> None:
    """An application that fell out of the plan is named, though its note is planned."""
    of_it = ("application.create/opportunity/o1", "customField.setValues/opportunity/o1")
    rows = [row for row in world.ledger.rows() if row.row_id not in (*of_it, "applicationFeedback.submit/feedback/f1")]
    row = world.row("candidate.createNote/history/o1")
    rows = [replace(row, lever_type="opportunity") if one.row_id == row.row_id else one for one in rows]
    world.ledger.put_plan(rows, plan_hash="1" * 64)
    assert ("opportunity", "o1", "(plan)", "missing") in reds(run(world.store, world.ashby, losses=[]))


def test_a_resume_does_not_excuse_a_strangers_values(world: World) -> None:
    """Ashby fills only what is empty from a résumé: more addresses and links than were sent are told."""
    _update(world, "c1", alternateEmail="eve@stranger.example", phoneNumber="+4790000000")
    links = [
        {"type": "LinkedIn", "url": "https://www.linkedin.com/in/ada"}, {"type": "Twitter", "url": "https://x.example/a"},
        {"type": "LinkedIn", "url": "https://www.linkedin.com/in/eve"},
    ]  # fmt: skip
    _update(world, "c1", socialLinks=links)
    found = warnings(run(world.store, world.ashby, losses=[]))
    assert {("candidate", "c1", name, "surplus") for name in ("emailAddresses", "phoneNumbers", "socialLinks")} <= found


@pytest.mark.parametrize("resume", [True, False])
def test_a_resume_fills_what_was_empty(world: World, resume: bool) -> None:
    """Where nothing of the kind was sent, a résumé explains a value; without a résumé nothing does."""
    thing = Thing("c7", "a7", sent={"name": "Cy"})
    file = {"resumeHandle": {"$file": {"filename": "cv.pdf"}}}
    pieces = [Piece("r", "candidate.uploadResume", "resume", "r7", "h7", file)] if resume else []
    there = {
        "id": "a7", "name": "Cy", "emailAddresses": [{"value": "cy@x.example"}], "location": {"locationSummary": "Ås"},
        "phoneNumbers": [{"value": "+4790000000"}], "socialLinks": [{"type": "Website", "url": "https://cy.example"}],
        "fileHandles": [], "resumeFileHandle": {"id": "h7", "name": "cv.pdf"} if resume else None,
    }  # fmt: skip
    findings = Findings()
    person = Person("c7", candidate=thing, pieces=pieces)
    target = Target(Scratch())
    target.candidates.put([("a7", there)])
    compare_candidate(person, target, findings=findings, edits=Edits(world.store))
    told = {one["field"] for one in findings.differences}
    assert told == (set() if resume else {"emailAddresses", "phoneNumbers", "socialLinks", "location"})


def test_a_confidential_candidacy_told_in_a_note_is_read_closely(world: World) -> None:
    """It is an edge case as an application would be."""
    rows = next(rows for name, rows in chains(world.ledger) if name == "c3")
    person = person_of("c3", rows, world.ledger.links())
    assert person.applications == {}
    assert "confidential" in features(person, rows, {"o5"}).edges
    assert "confidential" not in features(person, rows, {"o4"}).edges


def test_what_the_key_may_not_see_is_not_taken_for_equal(world: World) -> None:
    """A key without access to private notes finds one note less, and says so."""
    blind = connect(world.facts, "ashby_key_limited")
    assert {("note", "n2", "(exists)", "missing")} == reds(run(world.store, blind, losses=[]))


def test_no_personal_data_is_in_the_result(world: World) -> None:
    """Neither names nor addresses nor texts, whatever differs."""
    _update(world, "c1", name="Zora Canary", email="zora@canary.example", phoneNumber="+4700000000")
    _update(world, "c1", location={"city": "Canaryville"})
    result = run(world.store, world.ashby, losses=[])
    assert len(result.differences) >= 3
    told = "".join(frame.to_json() for frame in (result.counts, result.differences, result.fidelity, result.sample))
    told += json.dumps(result.certificate)
    for canary in ("Zora", "canary", "Canary", "Ada", "bread", "oven", "4791234567", "Bergen", "calm hand", "crust"):
        assert canary not in told


def test_the_sample_is_seeded_and_holds_every_edge() -> None:
    """The same seed chooses the same people; edge cases and the first and last are always in."""
    found = [
        Features(f"p{number:03}", f"{number + 1000}-01-01", frozenset({"private note"} if number == 500 else ()))
        for number in range(1000)
    ]
    chosen = choose(found, seed="a", share=0.05, least=50)
    people = People(Scratch())
    for one in reversed(found):
        people.add(one)
    assert chosen == choose(people, seed="a", share=0.05, least=50)
    assert set(chosen) != set(choose(found, seed="b", share=0.05, least=50))
    assert sum(why == "random" for why in chosen.values()) == 50
    assert "p500" in chosen
    assert "p000" in chosen
    assert "p999" in chosen

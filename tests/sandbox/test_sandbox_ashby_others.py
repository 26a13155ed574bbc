"""Other people at work in Ashby: merges, deletions and edits while somebody moves data in."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from ashby_kit import Desk

from sandbox.ashby import others

JAN, FEB = "2021-01-04T09:00:00.123Z", "2021-02-01T10:30:00.456Z"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def full(desk: Desk, name: str, email: str) -> dict[str, Any]:
    """A candidate with everything that a merge has to move."""
    made = desk.candidate(name=name, email=email, linkedInUrl=f"https://linkedin.com/in/{email[0]}", createdAt=JAN)
    body = {"candidateId": made["id"]}
    desk.ok("application.create", **body, jobId=desk.job()["id"], createdAt=JAN)
    desk.ok("candidate.createNote", **body, note=f"note of {name}")
    desk.ok("candidate.uploadFile", **body, fileHandle=desk.upload("CandidateFiles", f"{name}.pdf", b"abc"))
    desk.ok("candidate.addTag", **body, tagId=desk.ok("candidateTag.create", title=f"tag of {name}")["id"])
    return desk.ok("candidate.info", id=made["id"])


def test_a_merge_moves_everything_and_one_id_is_gone(desk: Desk) -> None:
    """Applications keep their ids, which makes them the steadier key."""
    keep, gone = full(desk, "Keep", "k@x.example"), full(desk, "Gone", "g@x.example")
    field = next(one for one in desk.ok("customField.list") if one["title"] == "Preferred pronouns")["id"]
    desk.ok("customField.setValue", objectId=gone["id"], objectType="Candidate", fieldId=field, fieldValue="they")
    assert {"kind": "merge", "keep": keep["id"], "gone": gone["id"]} == desk.control(
        "merge", {"keep": keep["id"], "gone": gone["id"]}
    )
    read = desk.ok("candidate.info", id=keep["id"])
    assert keep["applicationIds"] + gone["applicationIds"] == read["applicationIds"]
    assert ["k@x.example", "g@x.example"] == [one["value"] for one in read["emailAddresses"]]
    assert {"Keep.pdf", "Gone.pdf"} == {one["name"] for one in read["fileHandles"]}
    assert {"tag of Keep", "tag of Gone"} == {one["title"] for one in read["tags"]}
    assert (["they"], 2) == ([one["value"] for one in read["customFields"]], len(read["socialLinks"]))
    notes = desk.ok("candidate.listNotes", candidateId=keep["id"])
    assert ["note of Keep", "note of Gone"] == [one["content"] for one in notes]
    moved = desk.ok("application.info", applicationId=gone["applicationIds"][0])
    assert (keep["id"], "Keep") == (moved["candidate"]["id"], moved["candidate"]["name"])
    assert "candidate_not_found" == desk.refused("candidate.info", id=gone["id"])
    assert "candidate_not_found" == desk.refused("candidate.createNote", candidateId=gone["id"], note="x")
    assert [keep["id"]] == [one["id"] for one in desk.ok("candidate.search", email="g@x.example")]


def test_the_id_of_a_merged_candidate_may_lead_to_the_kept_one(desk: Desk) -> None:
    """What the vendor answers is not documented."""
    ids = [desk.candidate(name=name)["id"] for name in ("A", "B", "C")]
    desk.control("merge", {"keep": ids[1], "gone": ids[0]})
    desk.control("merge", {"keep": ids[2], "gone": ids[1]})
    assert "candidate_not_found" == desk.refused("candidate.info", id=ids[0])
    desk.settings.switches["merged_ids"] = "forward"
    assert ids[2] == desk.ok("candidate.info", id=ids[0])["id"]


def test_a_merge_is_told_to_webhooks_with_a_signature(desk: Desk) -> None:
    """HMAC-SHA256 over the raw body; nothing is sent anywhere."""
    desk.ok("webhook.create", webhookType="candidateMerge", requestUrl="https://h.example/x", secretToken="s3")
    keep, gone = desk.candidate()["id"], desk.candidate()["id"]
    desk.control("merge", {"keep": keep, "gone": gone})
    message = desk.control("outbox", method="GET")[-1]
    signature = hmac.digest(b"s3", message["body"].encode(), hashlib.sha256).hex()
    told = json.loads(message["body"])
    assert f"sha256={signature}" == message["headers"]["Ashby-Signature"]
    assert ("candidateMerge", {"deletedCandidate": {"id": gone}, "mergedCandidate": {"id": keep}}) == (
        told["action"], told["data"],
    )  # fmt: skip
    assert [] == desk.control("outbox", method="DELETE")


def test_what_is_deleted_is_gone_everywhere(desk: Desk) -> None:
    """A note; an application with its feedback; a candidate with everything."""
    made = full(desk, "Gone", "g@x.example")
    (note,) = desk.ok("candidate.listNotes", candidateId=made["id"])
    desk.control("delete", {"note": note["id"]})
    assert [] == desk.ok("candidate.listNotes", candidateId=made["id"])
    (item,) = made["applicationIds"]
    desk.control("delete", {"application": item})
    assert "application_not_found" == desk.refused("application.info", applicationId=item)
    assert [] == desk.ok("candidate.info", id=made["id"])["applicationIds"]
    handle = made["fileHandles"][0]["handle"]
    desk.control("delete", {"candidate": made["id"]})
    assert "candidate_not_found" == desk.refused("candidate.info", id=made["id"])
    assert "file_not_found" == desk.refused("file.info", fileHandle=handle)
    assert [] == desk.ok("candidate.search", email="g@x.example")
    ids = {one["candidate"]["id"] for one in desk.pages("application.list")[0]}
    assert made["id"] not in ids | {one["id"] for one in desk.pages("candidate.list")[0]}


def test_planted_interviews_and_offers_go_with_their_application(desk: Desk) -> None:
    """Lists go on working afterwards."""
    item = desk.ok("offer.list")[0]["applicationId"]
    schedule = desk.ok("interviewSchedule.list", applicationId=item)[0]["id"]
    desk.control("delete", {"application": item})
    assert ([], []) == (desk.ok("offer.list"), desk.ok("interviewSchedule.list"))
    assert "interview_schedule_not_found" == desk.refused("interviewEvent.list", interviewScheduleId=schedule)


@pytest.mark.parametrize("number", range(6))
def test_a_deletion_between_pages_hides_nobody(desk: Desk, number: int) -> None:
    """Whoever stays is seen exactly once, wherever in the list somebody went."""
    made = [desk.candidate(name=f"P {index}")["id"] for index in range(6)]
    before = [one["id"] for one in desk.pages("candidate.list")[0]]
    first = desk.ask("candidate.list", {"limit": len(before) - 3}).json
    desk.control("delete", {"candidate": made[number]})
    desk.control("delete", {"candidate": before[0]})
    rest = desk.ask("candidate.list", {"limit": 100, "cursor": first["nextCursor"]}).json
    seen = [one["id"] for one in first["results"] + rest["results"]]
    stay = [key for key in before if key not in (made[number], before[0])]
    assert stay == [key for key in seen if key in stay]


def test_an_incremental_pass_tells_of_what_a_merge_changed(desk: Desk) -> None:
    """The kept candidate and the moved application; of the gone one it says nothing."""
    keep, gone = desk.candidate()["id"], desk.candidate()["id"]
    item = desk.ok("application.create", candidateId=gone, jobId=desk.job()["id"])["id"]
    _, people = desk.pages("candidate.list")
    _, items = desk.pages("application.list")
    desk.control("merge", {"keep": keep, "gone": gone})
    assert [keep] == [one["id"] for one in desk.pages("candidate.list", syncToken=people)[0]]
    assert [item] == [one["id"] for one in desk.pages("application.list", syncToken=items)[0]]


def test_edits_touch_only_what_was_moved_and_say_what_they_did(desk: Desk) -> None:
    """Before and after; the state shows both the edit and its log; no call is counted."""
    planted = {one["id"] for one in desk.ok("candidate.list")}
    made = [full(desk, f"P{number}", f"p{number}@x.example")["id"] for number in range(3)]
    counted = desk.side.state.writes
    done = desk.control("edit", {"n": 40, "seed": 3})
    assert 40 == len(done)
    assert {one["candidate"] for one in done} <= set(made)
    assert {"field", "tag", "stage", "note", "name", "phone", "email"} == {one["kind"] for one in done}
    state = desk.side.dump()
    people = {one["id"]: one for one in state["candidates"]}
    latest = {(one["candidate"], one["kind"]): one for one in done}
    for (person, kind), one in latest.items():
        if kind in ("name", "phone", "email"):
            shown = people[person]
            values = {"name": shown["name"]} | {
                "phone": shown.get("primaryPhoneNumber", {}).get("value"),
                "email": shown["primaryEmailAddress"]["value"],
            }
            assert one["after"] == values[kind]
        if kind == "note":
            assert one["after"] in [note["content"] for note in people[person]["notes"]]
    assert (done, counted) == (
        [{k: v for k, v in one.items() if k != "there"} for one in state["others"]],
        state["writes"],
    )
    assert planted == set(people) - set(made)


def test_candidates_are_merged_and_deleted_only_when_that_is_named(desk: Desk) -> None:
    """Each into another one that was there before; what was moved is at the one that was kept, the deleted is gone."""
    planted = [one["id"] for one in desk.ok("candidate.list")]
    people = [full(desk, f"P{number}", f"p{number}@x.example") for number in range(6)]
    assert set(others.KINDS) - {"merge", "delete"} == {one["kind"] for one in desk.control("edit", {"n": 60})}
    merged = desk.control("edit", {"n": 3, "kinds": ["merge"]})
    assert (["merge"] * 3, 3) == ([one["kind"] for one in merged], len({one["keep"] for one in merged}))
    assert {one["keep"] for one in merged} <= set(planted)
    gone = {one["gone"]: one["keep"] for one in merged}
    for person in people:
        (item,) = person["applicationIds"]
        home = gone.get(person["id"], person["id"])
        assert home == desk.ok("application.info", applicationId=item)["candidate"]["id"]
        contents = [one["content"] for one in desk.ok("candidate.listNotes", candidateId=home)]
        assert f"note of {person['name']}" in contents
    deleted = desk.control("edit", {"n": 9, "kinds": ["delete"]})
    assert ({"delete"}, 3) == ({one["kind"] for one in deleted}, len(deleted))
    assert {one["candidate"] for one in deleted} == {one["id"] for one in people} - set(gone)
    assert planted == [one["id"] for one in desk.pages("candidate.list")[0]]
    assert [] == desk.control("edit", {"n": 1, "kinds": ["merge", "delete"]})
    told = {one["kind"] for one in desk.side.dump()["others"]}
    assert set(others.KINDS) == told


def test_the_same_seed_makes_the_same_edits(desk: Desk) -> None:
    """On the same state, as told by what was edited, not by ids."""
    told = []
    for _ in range(2):
        desk.side.reset()
        for number in range(3):
            full(desk, f"P{number}", f"p{number}@x.example")
        done = desk.control("edit", {"n": 30, "seed": 8, "kinds": ["name", "phone", "email", "tag"]})
        told.append([(one["kind"], one["before"], one["after"]) for one in done])
    assert told[0] == told[1]
    assert {"name", "phone", "email", "tag"} == {kind for kind, _, _ in told[0]}


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("merge", {"keep": NOBODY}),
        ("merge", {"keep": NOBODY, "gone": NOBODY}),
        ("delete", {}),
        ("delete", {"job": NOBODY}),
        ("delete", {"candidate": NOBODY}),
        ("delete", {"note": NOBODY}),
        ("delete", {"candidate": NOBODY, "note": NOBODY}),
        ("edit", {"n": "many"}),
        ("edit", {"n": 1, "kinds": ["hire"]}),
        ("edit", {"n": -1}),
    ],
)
def test_a_control_call_that_makes_no_sense_is_refused(desk: Desk, action: str, body: dict[str, Any]) -> None:
    """And nothing happens."""
    before = json.dumps(desk.side.dump())
    assert False is desk.control(action, body)["ok"]
    assert before == json.dumps(desk.side.dump())


def test_nobody_to_edit_is_no_error(desk: Desk) -> None:
    """Before anything was moved."""
    assert [] == desk.control("edit", {"n": 3})


def test_a_webhook_lives_and_dies(desk: Desk) -> None:
    """Created enabled after its ping, shown without its secret, changed, deleted."""
    body = {"webhookType": "applicationSubmit", "requestUrl": "https://h.example/x", "secretToken": "t"}
    made = desk.ok("webhook.create", **body)
    assert (True, "t") == (made["enabled"], made["secretToken"])
    assert "secretToken" not in desk.ok("webhook.info", webhookId=made["id"])
    desk.application()
    desk.ok("webhook.update", webhookId=made["id"], enabled=False)
    desk.application()
    told = [json.loads(one["body"])["action"] for one in desk.control("outbox", method="GET")]
    assert ["ping", "applicationSubmit"] == told
    desk.ok("webhook.delete", webhookId=made["id"])
    assert "webhook_not_found" == desk.refused("webhook.info", webhookId=made["id"])
    assert "invalid_input" == desk.refused("webhook.create", **{**body, "webhookType": "jobCreate"})
    assert "invalid_input" == desk.refused("webhook.create", **{**body, "requestUrl": "nowhere"})


def test_a_ping_may_fail_and_a_submission_be_silent() -> None:
    """Two switches: the webhook is disabled at once; application.create tells nobody."""
    body = {"webhookType": "applicationSubmit", "requestUrl": "https://h.example/x", "secretToken": "t"}
    desk = Desk(webhook_ping="failed")
    assert False is desk.ok("webhook.create", **body)["enabled"]
    desk = Desk(webhook_submit="silent")
    desk.ok("webhook.create", **body)
    desk.application()
    assert 1 == len(desk.side.state.outbox)

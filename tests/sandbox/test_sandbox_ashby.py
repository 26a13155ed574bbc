"""The Ashby side of the sandbox behaves as the facts say, and says what it guesses by switches."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ashby_kit import Desk

from sandbox import ashby
from sandbox.ashby.notehtml import strip_tags

JAN = "2021-01-04T09:00:00.123Z"
FEB = "2021-02-01T10:30:00.000Z"
MAR = "2021-03-01T00:00:00.007Z"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- the border -----------------------------------------------------------------------------------------------


def test_every_answer_carries_a_request_id_and_the_version(desk: Desk) -> None:
    """Success and failure alike; in failures the id is also in the body."""
    good, bad = desk.ask("apiKey.info"), desk.ask("candidate.info", {"id": NOBODY})
    assert 26 == len(good.headers["x-ashby-request-id"])
    assert "2026-01-01" == good.headers["ashby-version"]
    assert bad.headers["x-ashby-request-id"] == bad.json["errorInfo"]["requestId"]
    assert (200, False, ["candidate_not_found"]) == (bad.status, bad.json["success"], bad.json["errors"])


def test_no_key_is_401_a_wrong_key_403_and_a_missing_permission_403(desk: Desk) -> None:
    """These three are the only business answers besides 429 that are not HTTP 200."""
    bare = desk.send("POST", "/ashby/apiKey.info", b"{}", content_type="application/json")
    wrong = desk.ask("apiKey.info", key="nonsense")
    poor = desk.ask("candidate.create", {"name": "A"}, key=desk.settings.ashby_key_limited)
    assert (401, 403, 403) == (bare.status, wrong.status, poor.status)
    assert "missing_endpoint_permission" == poor.json["errorInfo"]["code"]
    assert "candidates:write" in desk.ok("apiKey.info")["scopes"]


def test_an_unknown_endpoint_is_404_and_logged(desk: Desk) -> None:
    """A client that calls what does not exist must be seen."""
    assert 404 == desk.ask("candidate.delete", {"id": NOBODY}).status
    assert 403 == desk.send("GET", "/ashby/candidate.list", authorization="Basic eDo=").status
    assert [{"api": "ashby", "path": "POST /candidate.delete"}] == desk.journal.unknown_paths[:1]


def test_the_minute_has_a_thousand_requests_and_then_429() -> None:
    """With the scale at 0.01 that is ten; the envelope and the counters say so."""
    desk = Desk(limits="x0.01")
    answers = [desk.ask("apiKey.info") for _ in range(11)]
    assert ["10", "9"] == [answers[0].headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining")]
    assert [200] * 10 + [429] == [answer.status for answer in answers]
    assert "rate_limit_exceeded" == answers[-1].json["errorInfo"]["code"]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert 0 <= int(answers[-1].headers["x-ratelimit-reset"]) - time.time() <= 61
    assert 200 == desk.ask("apiKey.info", key=desk.settings.ashby_key_limited).status


UPLOAD = {"fileUploadContext": "CandidateFiles", "filename": "a", "contentType": "b", "contentLength": 1}

BAD_BODIES: list[tuple[str, dict[str, Any]]] = [
    ("candidate.create", {}),
    ("candidate.create", {"name": " "}),
    ("candidate.create", {"name": None}),
    ("candidate.create", {"name": "A", "emailAddresses": ["a@b.c"]}),
    ("candidate.create", {"name": "A", "email": None}),
    ("candidate.create", {"name": "A", "alternateEmailAddresses": "a@b.c"}),
    ("candidate.create", {"name": "A", "website": "example.com"}),
    ("candidate.create", {"name": "A", "linkedInUrl": "javascript:alert(1)"}),
    ("candidate.create", {"name": "A", "createdAt": 1609751400000}),
    ("candidate.create", {"name": "A", "createdAt": "2021-01-04"}),
    ("candidate.create", {"name": "A", "createdAt": "2021-13-04T00:00:00Z"}),
    ("candidate.create", {"name": "A", "createdAt": "2999-01-01T00:00:00.000Z"}),
    ("candidate.create", {"name": "A\x00"}),
    ("candidate.create", {"name": "A", "location": "Oslo"}),
    ("candidate.create", {"name": "A", "location": {"town": "Oslo"}}),
    ("candidate.create", {"name": "A", "sourceId": "LinkedIn"}),
    ("candidate.update", {"candidateId": NOBODY, "website": "https://a.example"}),
    ("candidate.list", {"limit": 101}),
    ("candidate.list", {"limit": 0}),
    ("candidate.list", {"createdAfter": JAN}),
    ("candidate.search", {}),
    ("candidate.info", {"id": NOBODY, "externalMappingId": "x"}),
    ("candidate.createNote", {"candidateId": NOBODY, "note": {"type": "text/markdown", "value": "x"}}),
    ("candidate.addTag", {"candidateId": NOBODY, "tag": "x"}),
    ("file.createFileUploadHandle", {"fileUploadContext": "CV", "filename": "a", "contentType": "b"}),
    ("file.createFileUploadHandle", {**UPLOAD, "fileUploadContext": "CV"}),
    ("file.createFileUploadHandle", {**UPLOAD, "contentLength": "many"}),
    ("application.create", {"candidateId": NOBODY}),
    ("application.create", {"candidateId": NOBODY, "jobId": NOBODY, "applicationHistory": [{"stageId": NOBODY}]}),
    ("application.changeStage", {"applicationId": NOBODY, "interviewStageId": "FirstPreInterviewScreen"}),
    ("job.list", {"status": "Open"}),
    ("job.info", {"jobId": NOBODY}),
    ("customField.setValues", {"objectId": NOBODY, "objectType": "Candidate", "values": []}),
    ("customField.create", {"fieldType": "Phone", "objectType": "Candidate", "title": "x"}),
    ("department.create", {"name": "x", "extraData": {"k": 1}}),
]  # fmt: skip


@pytest.mark.parametrize(("endpoint", "body"), BAD_BODIES)
def test_a_body_that_does_not_fit_is_refused_and_logged(desk: Desk, endpoint: str, body: dict[str, Any]) -> None:
    """HTTP 200, success false, invalid_input, and a line in the journal."""
    before = len(desk.side.state.candidates)
    assert "invalid_input" == desk.refused(endpoint, **body)
    assert [endpoint] == [row["endpoint"] for row in desk.journal.rejected]
    assert before == len(desk.side.state.candidates)


def test_unknown_members_can_be_ignored_by_a_switch() -> None:
    """The vendor documents neither; closed bodies refuse them all the same."""
    desk = Desk(unknown_members="ignore")
    made = desk.ok("candidate.create", name="A", emailAddresses=["a@b.c"])
    assert [] == made["emailAddresses"]
    assert [{"api": "ashby", "endpoint": "candidate.create", "name": "emailAddresses"}] == desk.journal.unknown_params
    assert "invalid_input" == desk.refused("candidateTag.archive", tagId=NOBODY, why="x")


def test_strings_are_taken_for_booleans_and_integers(desk: Desk) -> None:
    """Schema-aware coercion of the vendor since April 2026."""
    assert 3 == len(desk.ok("candidateTag.list", includeArchived="true", limit="25"))


def test_what_is_not_json_is_refused(desk: Desk) -> None:
    """Neither a list, nor text, nor a form."""
    key = "Basic " + "c2FuZGJveA=="
    assert "invalid_input" == desk.ask("candidate.search", [1]).json["errorInfo"]["code"]
    assert "invalid_input" == desk.ask("candidate.search", {}, **{"content-type": "text/plain"}).json["errors"][0]
    assert 403 == desk.send("POST", "/ashby/apiKey.info", b"{", authorization=key).status


# --- candidates -----------------------------------------------------------------------------------------------


def test_a_candidate_comes_back_as_it_was_sent(desk: Desk) -> None:
    """All writable members, with the back-dated time to the millisecond."""
    source = desk.ok("source.list")[0]
    user = desk.ok("user.list")[0]
    made = desk.candidate(
        name="Mara Lindqvist",
        email="Mara@Example.org",
        alternateEmailAddresses=["m@x.example", "n@x.example"],
        phoneNumber="+47 555",
        linkedInUrl="https://linkedin.com/in/mara",
        website="https://mara.example/",
        sourceId=source["id"],
        creditedToUserId=user["id"],
        location={"city": "Oslo", "country": "Norway"},
        createdAt=JAN,
    )
    read = desk.ok("candidate.info", id=made["id"])
    assert made == read
    assert JAN == read["createdAt"]
    assert [("Mara@Example.org", True), ("m@x.example", False), ("n@x.example", False)] == [
        (item["value"], item["isPrimary"]) for item in read["emailAddresses"]
    ]
    assert ["LinkedIn", "Website"] == [link["type"] for link in read["socialLinks"]]
    assert "Oslo, Norway" == read["location"]["locationSummary"]
    assert ["Country", "City"] == [part["type"] for part in read["location"]["locationComponents"]]
    assert (source["id"], user["id"]) == (read["source"]["id"], read["creditedToUser"]["id"])


def test_a_name_alone_makes_a_candidate_with_the_recorded_members(desk: Desk) -> None:
    """What is unset is null or absent exactly as in the recorded answer."""
    assert [
        "id", "createdAt", "updatedAt", "name", "emailAddresses", "phoneNumbers", "socialLinks", "tags",
        "applicationIds", "fileHandles", "customFields", "profileUrl", "source", "creditedToUser", "timezone",
        "fraudStatus",
    ] == list(desk.candidate())  # fmt: skip


def test_the_same_address_twice_makes_two_people_and_search_finds_both(desk: Desk) -> None:
    """No deduplication; search is exact but for case and sees alternate addresses."""
    one = desk.candidate(name="Ada A", email="ada@x.example")
    two = desk.candidate(name="Ada B", email="other@x.example", alternateEmailAddresses=["ADA@x.example"])
    hits = desk.ok("candidate.search", email="Ada@X.example")
    assert {one["id"], two["id"]} == {hit["id"] for hit in hits}
    assert [two["id"]] == [hit["id"] for hit in desk.ok("candidate.search", email="ada@x.example", name="ada b")]
    assert [] == desk.ok("candidate.search", name="Ada")


def test_search_returns_at_most_a_hundred(desk: Desk) -> None:
    """And has no cursor."""
    for _ in range(101):
        desk.candidate(name="Same Name")
    answer = desk.ask("candidate.search", {"name": "same name"}).json
    assert (100, {"success", "results"}) == (len(answer["results"]), set(answer))


def test_search_may_lag_behind_and_match_by_words() -> None:
    """Two switches for what is not documented."""
    desk = Desk(search_delay_ms="60000", search_name="words")
    made = desk.candidate(name="Nova Maria Example")
    assert [] == desk.ok("candidate.search", name="nova example")
    desk.settings.switches["search_delay_ms"] = "0"
    assert [made["id"]] == [hit["id"] for hit in desk.ok("candidate.search", name="nova example")]


def test_an_update_notifies_unless_told_not_to(desk: Desk) -> None:
    """The default of candidate.update and application.update is true."""
    made = desk.application()
    desk.ok("candidate.update", candidateId=made["candidate"]["id"], name="New", sendNotifications=False)
    desk.ok("application.update", applicationId=made["id"], sendNotifications=False)
    assert 0 == desk.journal.notified
    desk.ok("candidate.update", candidateId=made["candidate"]["id"], alternateEmail="z@x.example")
    desk.ok("application.update", applicationId=made["id"], createdAt=JAN)
    assert 2 == desk.journal.notified
    read = desk.ok("candidate.info", id=made["candidate"]["id"])
    assert ("New", ["z@x.example"]) == (read["name"], [item["value"] for item in read["emailAddresses"]])


def test_social_links_replace_all_and_beat_the_single_ones(desk: Desk) -> None:
    """With socialLinks the three URL members are ignored."""
    made = desk.candidate(githubUrl="https://github.com/x")
    links = [{"type": "Twitter", "url": "https://x.example/a"}]
    updated = desk.ok(
        "candidate.update",
        candidateId=made["id"],
        socialLinks=links,
        websiteUrl="https://w.example",
        sendNotifications=False,
    )
    assert links == updated["socialLinks"]


def test_tags_are_made_once_by_title_and_a_repeat_is_harmless(desk: Desk) -> None:
    """candidateTag.create is get-or-create; removing an absent tag is fine."""
    tag, again = desk.ok("candidateTag.create", title="New tag"), desk.ok("candidateTag.create", title="New tag")
    assert tag == again
    made = desk.candidate()
    for _ in range(2):
        shown = desk.ok("candidate.addTag", candidateId=made["id"], tagId=tag["id"])
    assert [tag] == shown["tags"]
    for _ in range(2):
        shown = desk.ok("candidate.removeTag", candidateId=made["id"], tagId=tag["id"])
    assert [] == shown["tags"]
    assert "tag_not_found" == desk.refused("candidate.addTag", candidateId=made["id"], tagId=NOBODY)


def test_notes_keep_text_and_time_and_lose_html_beyond_nine_tags(desk: Desk) -> None:
    """Plain text stays as it is; the author is the key's user unless the header names another."""
    made = desk.candidate()["id"]
    plain = desk.ok("candidate.createNote", candidateId=made, note="<b>as</b>\n it is", createdAt=JAN)
    rich = desk.ok(
        "candidate.createNote",
        candidateId=made,
        note={"type": "text/html", "value": "<p>a <b onclick='x'>b</b></p><script>x</script><img src=x>"},
    )
    assert ("<b>as</b>\n it is", JAN, False) == (plain["content"], plain["createdAt"], plain["isPrivate"])
    assert "a <b>b</b>" == rich["content"]
    user = desk.ok("user.list")[0]
    other = desk.ask("candidate.createNote", {"candidateId": made, "note": "x"}, x_on_behalf_of=user["id"]).json
    assert ("Integration", user["id"]) == (plain["author"]["firstName"], other["results"]["author"]["id"])
    assert ["<b>as</b>\n it is", "a <b>b</b>", "x"] == [
        note["content"] for note in desk.ok("candidate.listNotes", candidateId=made)
    ]
    assert 0 == desk.journal.notified


def test_private_notes_are_seen_by_keys_with_the_toggle_only(desk: Desk) -> None:
    """The limited key has no toggles."""
    made = desk.candidate()["id"]
    desk.ok("candidate.createNote", candidateId=made, note="secret", isPrivate=True)
    poor = desk.ask("candidate.listNotes", {"candidateId": made}, key=desk.settings.ashby_key_limited)
    assert (1, 0) == (len(desk.ok("candidate.listNotes", candidateId=made)), len(poor.json["results"]))


def test_the_full_key_can_be_narrowed_by_switches(desk: Desk) -> None:
    """An admin edits a key at any time: toggles and permissions."""
    made = desk.candidate()["id"]
    desk.settings.switches.update({"key_toggles": "history", "key_without": "jobsWrite,offersRead"})
    assert "missing_endpoint_permission" == desk.refused(
        "candidate.createNote", candidateId=made, note="s", isPrivate=True
    )
    assert {403} == {desk.ask(name).status for name in ("job.create", "offer.list")}
    assert "jobs:write" not in desk.ok("apiKey.info")["scopes"]
    user = desk.ok("user.list")[0]["id"]
    assert 403 == desk.ask("candidate.createNote", {"candidateId": made, "note": "x"}, x_on_behalf_of=user).status


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a &lt;b&gt; &amp; c", "a &lt;b&gt; &amp; c"),
        ('<a href="https://x.example" title="t">x</a>', '<a href="https://x.example">x</a>'),
        ("<ul><li>1</li></ul><h1>T</h1><br/>", "<ul><li>1</li></ul>T"),
        ("<style>p{}</style><pre>x</pre>", "<pre>x</pre>"),
    ],
)
def test_note_html_is_stripped_to_the_kept_tags(given: str, kept: str) -> None:
    """b, i, u, a, ul, ol, li, code and pre survive, with href as the only attribute."""
    assert kept == strip_tags(given)


# --- lists, cursors, tokens -----------------------------------------------------------------------------------


def test_a_full_pass_gives_each_object_once_and_a_token_at_the_end(desk: Desk) -> None:
    """No totals anywhere; objects added meanwhile appear at the end."""
    made = [desk.candidate(name=f"P {number}")["id"] for number in range(7)]
    first = desk.ask("candidate.list", {"limit": 5}).json
    assert {"success", "results", "moreDataAvailable", "nextCursor"} == set(first)
    late = desk.candidate(name="late")["id"]
    results, token = desk.pages("candidate.list", limit=5)
    ids = [item["id"] for item in results]
    assert (len(ids), [*made, late]) == (len(set(ids)), ids[-8:])
    assert token


def test_an_incremental_pass_gives_only_what_changed(desk: Desk) -> None:
    """And its own last page gives the next token; a change during the pass comes again."""
    ids = [desk.candidate(name=f"P {number}")["id"] for number in range(4)]
    _, token = desk.pages("candidate.list")
    assert [] == desk.pages("candidate.list", syncToken=token)[0]
    for key in (ids[2], ids[0], ids[3]):
        desk.ok("candidate.update", candidateId=key, name="changed", sendNotifications=False)
    first = desk.ask("candidate.list", {"syncToken": token, "limit": 2}).json
    desk.ok("candidate.update", candidateId=ids[2], name="again", sendNotifications=False)
    rest = desk.ask("candidate.list", {"syncToken": token, "limit": 2, "cursor": first["nextCursor"]}).json
    assert [ids[2], ids[0], ids[3], ids[2]] == [item["id"] for item in first["results"] + rest["results"]]
    newer, _ = desk.pages("candidate.list", syncToken=rest["syncToken"])
    assert [ids[2]] == [item["id"] for item in newer]


def test_a_cursor_is_bound_to_its_endpoint_and_arguments(desk: Desk) -> None:
    """Forged, foreign and expired ones have codes of their own."""
    cursor = desk.ask("candidate.list", {"limit": 1}).json["nextCursor"]
    assert "invalid_next_cursor" == desk.refused("candidate.list", cursor="Ya6")
    assert "invalid_next_cursor" == desk.refused("candidate.list", cursor=cursor, createdAfter=1)
    assert "invalid_next_cursor" == desk.refused("application.list", cursor=cursor)
    desk.settings.switches["cursor_seconds"] = "-1"
    assert "next_cursor_expired" == desk.refused("candidate.list", cursor=cursor)


def test_a_token_is_bound_to_its_endpoint_and_expires(desk: Desk) -> None:
    """The three codes of incremental passes."""
    _, token = desk.pages("candidate.list")
    assert "sync_token_invalid" == desk.refused("candidate.list", syncToken="qQW6pmNv7")
    assert "sync_token_invalid" == desk.refused("application.list", syncToken=token)
    for number in range(3):
        desk.candidate(name=f"P {number}")
    desk.settings.switches["incremental_max_pages"] = "1"
    cursor = desk.ask("candidate.list", {"syncToken": token, "limit": 2}).json["nextCursor"]
    assert "incremental_sync_too_large" == desk.refused("candidate.list", syncToken=token, limit=2, cursor=cursor)
    desk.settings.switches["sync_token_seconds"] = "-1"
    assert "sync_token_expired" == desk.refused("candidate.list", syncToken=token)


def test_created_after_sees_when_a_candidate_was_added(desk: Desk) -> None:
    """Not the back-dated createdAt."""
    now = int(time.time() * 1000)
    made = desk.candidate(createdAt=JAN)
    assert [made["id"]] == [item["id"] for item in desk.ok("candidate.list", createdAfter=now - 1000)]
    assert "invalid_input" == desk.refused("candidate.list", createdAfter=now, createdBefore=now - 5)
    assert "invalid_input" == desk.refused("candidate.list", createdBefore=now + 3_600_000)


# --- applications ---------------------------------------------------------------------------------------------


def test_an_application_starts_as_a_lead_with_the_recorded_thin_answer(desk: Desk) -> None:
    """The answer of application.create shows less than application.info, as recorded."""
    made = desk.application(createdAt=JAN)
    assert ("Lead", {"id"}, {"id", "title"}, {"id", "name"}) == (
        made["status"], set(made["currentInterviewStage"]), set(made["job"]), set(made["candidate"]),
    )  # fmt: skip
    assert [("New Lead", 0, JAN)] == [
        (e["title"], e["stageNumber"], e["enteredStageAt"]) for e in made["applicationHistory"]
    ]
    read = desk.ok("application.info", applicationId=made["id"])
    assert ("Lead", "Standard hiring") == (
        read["currentInterviewStage"]["type"],
        next(
            p["title"]
            for p in desk.ok("interviewPlan.list")
            if p["id"] == read["currentInterviewStage"]["interviewPlanId"]
        ),
    )
    assert [made["id"]] == desk.ok("candidate.info", id=made["candidate"]["id"])["applicationIds"]


def _event(desk: Desk, kind: str, number: int, at: str, **more: str) -> dict[str, Any]:
    return {"stageId": desk.stage(kind)["id"], "stageNumber": number, "enteredStageAt": at, **more}


def test_a_whole_history_lands_an_archived_application_at_its_true_dates(desk: Desk) -> None:
    """One call; the array may come in any order; archivedAt is the time of the last event."""
    history = [
        _event(desk, "Archived", 2, MAR, archiveReasonId=desk.reason()),
        _event(desk, "PreInterviewScreen", 0, JAN),
        _event(desk, "Active", 1, FEB),
    ]
    made = desk.application(createdAt=JAN, applicationHistory=history)
    read = desk.ok("application.info", applicationId=made["id"])
    assert ("Archived", MAR, JAN, desk.reason()) == (
        read["status"], read["archivedAt"], read["createdAt"], read["archiveReason"]["id"],
    )  # fmt: skip
    assert [(0, JAN, FEB), (1, FEB, MAR), (2, MAR, None)] == [
        (e["stageNumber"], e["enteredStageAt"], e.get("leftStageAt")) for e in read["applicationHistory"]
    ]
    assert read["applicationHistory"] == desk.pages("application.listHistory", applicationId=made["id"], limit=1)[0]


def test_a_history_that_cannot_be_is_refused(desk: Desk) -> None:
    """Order, gaps, reasons, foreign stages, both ways of naming a stage."""
    candidate, job = desk.candidate()["id"], desk.job()["id"]

    def code(*events: dict[str, Any], **more: Any) -> str:
        return desk.refused(
            "application.create",
            candidateId=candidate,
            jobId=job,
            applicationHistory=list(events),
            **{"createdAt": JAN, **more},
        )

    lead, active = _event(desk, "Lead", 0, JAN), _event(desk, "Active", 1, FEB)
    foreign = {**lead, "stageId": desk.stage("Lead", plan="Leadership")["id"]}
    assert "invalid_input" == code(_event(desk, "Lead", 0, FEB), _event(desk, "Active", 1, JAN))
    assert "invalid_input" == code(lead, _event(desk, "Active", 2, FEB))
    assert "invalid_input" == code(lead, {**active, "stageNumber": 0})
    assert "invalid_input" == code(lead, _event(desk, "Archived", 1, FEB))
    assert "invalid_input" == code(lead, {**active, "archiveReasonId": desk.reason()})
    assert "archive_reason_not_found" == code(_event(desk, "Archived", 0, FEB, archiveReasonId=NOBODY))
    assert "interview_stage_not_found" == code(foreign)
    assert "invalid_input" == code(lead, interviewStageId=lead["stageId"])
    assert "invalid_input" == code(lead, createdAt=FEB)
    assert [] == desk.ok("candidate.info", id=candidate)["applicationIds"]


def test_equal_times_in_a_history_are_taken(desk: Desk) -> None:
    """A guess, stated in the facts as unknown."""
    made = desk.application(
        createdAt=JAN, applicationHistory=[_event(desk, "Lead", 0, JAN), _event(desk, "Hired", 1, JAN)]
    )
    assert "Hired" == made["status"]


def test_stage_changes_demand_a_reason_for_archived_stages_only(desk: Desk) -> None:
    """changeStage stamps now; an archive mail counts as a notification."""
    made = desk.application()["id"]
    archived, active = desk.stage("Archived")["id"], desk.stage("Active")["id"]
    assert "invalid_input" == desk.refused("application.changeStage", applicationId=made, interviewStageId=archived)
    assert "invalid_input" == desk.refused(
        "application.changeStage", applicationId=made, interviewStageId=active, archiveReasonId=desk.reason()
    )
    shown = desk.ok("application.changeStage", applicationId=made, interviewStageId=active)
    assert ("Active", "Active") == (shown["status"], shown["currentInterviewStage"]["type"])
    template = desk.ok("communicationTemplate.list")[0]["id"]
    desk.ok(
        "application.changeStage", applicationId=made, interviewStageId=archived, archiveReasonId=desk.reason(),
        archiveEmail={"communicationTemplateId": template},
    )  # fmt: skip
    assert 1 == desk.journal.notified


def test_update_history_needs_the_toggle_and_deletes_what_is_left_out(desk: Desk) -> None:
    """Existing events keep their ids."""
    made = desk.application(
        createdAt=JAN, applicationHistory=[_event(desk, "Lead", 0, JAN), _event(desk, "Active", 1, FEB)]
    )
    first = made["applicationHistory"][0]
    new = [{**_event(desk, "Lead", 0, JAN), "applicationHistoryId": first["id"]}, _event(desk, "Hired", 1, MAR)]
    desk.ok("application.updateHistory", applicationId=made["id"], applicationHistory=new)
    events = desk.ok("application.listHistory", applicationId=made["id"])
    assert [(first["id"], "New Lead"), (events[1]["id"], "Hired")] == [(e["id"], e["title"]) for e in events]
    assert "application_history_not_found" == desk.refused(
        "application.updateHistory",
        applicationId=made["id"],
        applicationHistory=[{**new[0], "applicationHistoryId": NOBODY}],
    )
    poor = desk.ask(
        "application.updateHistory", {"applicationId": made["id"], "applicationHistory": new},
        key=desk.settings.ashby_key_limited,
    )  # fmt: skip
    assert 403 == poor.status


def test_repeat_candidacy_and_draft_jobs_follow_their_switches() -> None:
    """Both are undocumented."""
    desk = Desk()
    candidate, job = desk.candidate()["id"], desk.job()
    for _ in range(2):
        desk.ok("application.create", candidateId=candidate, jobId=job["id"])
    desk.settings.switches["duplicate_applications"] = "refused"
    assert "application_already_exists" == desk.refused("application.create", candidateId=candidate, jobId=job["id"])
    draft = desk.ok(
        "job.create", title="D", teamId=job["departmentId"], locationId=job["locationId"],
        defaultInterviewPlanId=job["defaultInterviewPlanId"],
    )  # fmt: skip
    assert "invalid_input" == desk.refused("application.create", candidateId=candidate, jobId=draft["id"])
    desk.settings.switches["application_job_states"] = "Draft,Open"
    desk.ok("application.create", candidateId=candidate, jobId=draft["id"])


def test_source_credit_transfer_and_team_are_set(desk: Desk) -> None:
    """A transfer starts automatic activities unless told not to."""
    made = desk.application()["id"]
    source, user = desk.ok("source.list")[2], desk.ok("user.list")[1]
    shown = desk.ok("application.changeSource", applicationId=made, sourceId=source["id"])
    assert {"id": source["id"], "title": source["title"]} == shown["source"]
    desk.ok("application.update", applicationId=made, creditedToUserId=user["id"], sendNotifications=False)
    role = desk.ok("hiringTeamRole.list", namesOnly=False)[0]
    member = desk.ok("application.addHiringTeamMember", applicationId=made, teamMemberId=user["id"], roleId=role["id"])
    read = desk.ok("application.info", applicationId=made)
    assert (source, user["id"], [member]) == (read["source"], read["creditedToUser"]["id"], read["hiringTeam"])
    assert None is desk.ok("application.changeSource", applicationId=made, sourceId=None)["source"]
    assert "Recruiter" == desk.ok("hiringTeamRole.list")[0]
    other = desk.ok("job.list", status=["Closed"])[0]
    stage = desk.stage("Active", plan="Leadership")
    desk.ok(
        "application.transfer", applicationId=made, jobId=other["id"], interviewPlanId=stage["interviewPlanId"],
        interviewStageId=stage["id"], startAutomaticActivities=False,
    )  # fmt: skip
    assert (other["id"], 0) == (desk.ok("application.info", applicationId=made)["job"]["id"], desk.journal.notified)


def test_confidential_jobs_are_hidden_from_keys_without_the_toggle(desk: Desk) -> None:
    """With them their applications, in lists, by id and on the candidate."""
    poor = desk.settings.ashby_key_limited
    secret = next(job for job in desk.ok("job.list") if job["confidential"])
    made = desk.ok("application.create", candidateId=desk.candidate()["id"], jobId=secret["id"])
    assert secret["id"] not in [job["id"] for job in desk.ask("job.list", key=poor).json["results"]]
    assert ["job_not_found"] == desk.ask("job.info", {"id": secret["id"]}, key=poor).json["errors"]
    assert ["application_not_found"] == desk.ask("application.info", {"applicationId": made["id"]}, key=poor).json[
        "errors"
    ]
    assert [] == desk.ask("candidate.info", {"id": made["candidate"]["id"]}, key=poor).json["results"]["applicationIds"]


# --- jobs, places ---------------------------------------------------------------------------------------------


def test_a_job_is_born_as_a_draft_and_moves_along_the_allowed_transitions(desk: Desk) -> None:
    """job.list shows drafts only when they are named; opening needs a plan."""
    model = desk.job()
    made = desk.ok("job.create", title="New job", teamId=model["departmentId"], locationId=model["locationId"])["id"]
    assert "invalid_input" == desk.refused("job.setStatus", jobId=made, status="Open")
    desk.ok("job.update", jobId=made, defaultInterviewPlanId=model["defaultInterviewPlanId"])
    assert made not in [job["id"] for job in desk.ok("job.list")]
    assert made in [job["id"] for job in desk.ok("job.list", status=["Draft"])]
    assert "invalid_input" == desk.refused("job.setStatus", jobId=made, status="Closed")
    assert "Open" == desk.ok("job.setStatus", jobId=made, status="Open")["status"]
    assert "invalid_input" == desk.refused("job.setStatus", jobId=made, status="Archived")
    closed = desk.ok("job.setStatus", jobId=made, status="Closed")
    assert closed["openedAt"] <= closed["closedAt"]
    assert [made] == [job["id"] for job in desk.ok("job.search", title="new job")]


def test_places_and_openings_are_made(desk: Desk) -> None:
    """Departments, locations (isRemote must agree with workplaceType) and openings found by their identifier."""
    desk.ok("department.create", name="R", extraData={"lever": "x"})
    assert "invalid_input" == desk.refused(
        "location.create", name="L", type="Location", isRemote=True, workplaceType="OnSite"
    )
    place = desk.ok("location.create", name="L", type="Location", workplaceType="Remote")
    assert place["isRemote"]
    assert "LocationHierarchy" not in [item["type"] for item in desk.ok("location.list")]
    made = desk.ok("opening.create", identifier="REQ-9", jobIds=[desk.job()["id"]], openingState="Open")
    assert [made] == desk.ok("opening.search", identifier="REQ-9")


def test_users_are_found_and_deactivated_ones_only_on_demand(desk: Desk) -> None:
    """Most Lever users exist by the same address."""
    enabled, everyone = desk.ok("user.list"), desk.ok("user.list", includeDeactivated=True)
    assert 1 == len(everyone) - len(enabled)
    ines = desk.company.users[0]
    assert ["Okafor"] == [user["lastName"] for user in desk.ok("user.search", email=ines["email"].upper())]


# --- custom fields --------------------------------------------------------------------------------------------

RANGE = {"type": "number-range", "minValue": 1, "maxValue": 10}
PAY = {"type": "compensation-range", "minValue": 1, "maxValue": 2, "currencyCode": "USD", "interval": "1 YEAR"}

FIELD_VALUES: list[tuple[str, list[Any], list[Any]]] = [
    ("Boolean", [True], ["true", 1, None]),
    ("String", ["x", ""], [1, ["x"], None]),
    ("LongText", ["x" * 30_000], [{}]),
    ("Url", ["https://a.example/x?y=1"], ["a.example", "ftp://a.example"]),
    ("UUID", [NOBODY], ["x", ""]),
    ("Date", ["2024-02-29", "2024-02-29T10:00:00.000Z"], ["2023-02-29", 1709164800000, "29.2.2024"]),
    ("Number", [1, 2.5], ["1", True]),
    ("Currency", [{"value": 1.5, "currencyCode": "EUR"}], [5, {"value": "5", "currencyCode": "EUR"}, {"value": 5}]),
    ("NumberRange", [RANGE], [{**RANGE, "type": "x"}, {"minValue": 1, "maxValue": 2}]),
    ("CompensationRange", [PAY], [{**PAY, "interval": "per year"}, RANGE]),
    ("ValueSelect", ["a"], ["A label", "old", ["a"], ""]),
    ("MultiValueSelect", [["a", "b"], []], ["a", ["a", "a"], ["zz"]]),
]


@pytest.mark.parametrize(("kind", "good", "bad"), FIELD_VALUES)
def test_each_field_type_takes_its_own_values_only(desk: Desk, kind: str, good: list[Any], bad: list[Any]) -> None:
    """Values come back as set; selects must name an option in use by its value."""
    extra: dict[str, Any] = {}
    if kind.endswith("Select"):
        extra["selectableValues"] = [{"label": f"{v} label".capitalize(), "value": v} for v in ("a", "b", "old")]
    made = desk.ok("customField.create", fieldType=kind, objectType="Candidate", title=f"F {kind}", **extra)
    if extra:
        kept = [option for option in extra["selectableValues"] if option["value"] != "old"]
        desk.ok("customField.updateSelectableValues", customFieldId=made["id"], selectableValues=kept)
    target = {"objectId": desk.candidate()["id"], "objectType": "Candidate"}
    for value in good:
        shown = desk.ok("customField.setValues", **target, values=[{"fieldId": made["id"], "fieldValue": value}])
        assert [value] == [item["value"] for item in shown]
        assert shown == desk.ok("candidate.info", id=target["objectId"])["customFields"]
    for value in bad:
        assert "invalid_input" == desk.refused("customField.setValue", **target, fieldId=made["id"], fieldValue=value)
    assert value not in [item["value"] for item in desk.ok("candidate.info", id=target["objectId"])["customFields"]]


def test_options_left_out_are_archived_and_labels_are_shown(desk: Desk) -> None:
    """Merge by value; valueLabel only for selects."""
    options = [{"label": "One", "value": "1"}, {"label": "Two", "value": "2"}]
    made = desk.ok(
        "customField.create", fieldType="ValueSelect", objectType="Application", title="S", selectableValues=options
    )
    item = desk.application()["id"]
    set_ = desk.ok("customField.setValue", objectId=item, objectType="Application", fieldId=made["id"], fieldValue="2")
    assert "Two" == set_["valueLabel"]
    updated = desk.ok(
        "customField.updateSelectableValues", customFieldId=made["id"],
        selectableValues=[{"label": "One!", "value": "1"}, {"label": "Three", "value": "3"}],
    )  # fmt: skip
    assert [("One!", "1", False), ("Two", "2", True), ("Three", "3", False)] == [
        (o["label"], o["value"], o["isArchived"]) for o in updated["selectableValues"]
    ]


def test_nothing_is_written_when_one_of_several_values_is_wrong(desk: Desk) -> None:
    """A guess; fields of other objects and archived fields are refused as well."""
    target = {"objectId": desk.candidate()["id"], "objectType": "Candidate"}
    fields = {field["title"]: field["id"] for field in desk.ok("customField.list", includeArchived=True)}
    good = {"fieldId": fields["Preferred pronouns"], "fieldValue": "they"}
    for title in ("Visa status", "Old ATS ID"):
        values = [good, {"fieldId": fields[title], "fieldValue": "eu"}]
        assert "invalid_input" == desk.refused("customField.setValues", **target, values=values)
    assert "custom_field_not_found" == desk.refused("customField.setValue", **target, fieldId=NOBODY, fieldValue="x")
    assert [] == desk.ok("candidate.info", id=target["objectId"])["customFields"]


# --- feedback -------------------------------------------------------------------------------------------------


def _form(desk: Desk, title: str) -> tuple[str, dict[str, dict[str, Any]]]:
    form = next(form for form in desk.ok("feedbackFormDefinition.list") if form["title"] == title)
    fields = [entry["field"] for section in form["formDefinition"]["sections"] for entry in section["fields"]]
    return form["id"], {field["title"]: field for field in fields}


def _submit(desk: Desk, application: str, title: str, answers: dict[str, Any], **more: str) -> dict[str, Any]:
    form_id, fields = _form(desk, title)
    submissions = [{"path": fields[name]["path"], "value": value} for name, value in answers.items()]
    body = {
        "applicationId": application,
        "formDefinitionId": form_id,
        "feedbackForm": {"fieldSubmissions": submissions},
        **more,
    }
    return desk.ask("applicationFeedback.submit", body).json


def test_feedback_is_credited_and_listed_with_stored_values(desk: Desk) -> None:
    """submittedAt is now, whatever the original date was."""
    item, author = desk.application()["id"], desk.ok("user.list")[2]
    answer = _submit(
        desk,
        item,
        "Migrated feedback",
        {"Lever feedback ID": "x-1", "Feedback": "Good.", "Overall rating": {"score": 3}},
        userId=author["id"],
    )
    assert answer["success"] is True
    (listed,) = desk.ok("applicationFeedback.list", applicationId=item)
    assert (author["id"], item) == (listed["submittedByUser"]["id"], listed["applicationId"])
    assert answer["results"]["submittedFormInstance"]["submittedValues"] == listed["submittedValues"]
    structured = {"Overall rating": {"score": 4}, "Notes": "n", "Seniority": "mid", "Would work with again": True}
    assert _submit(desk, item, "Structured interview", structured)["success"] is True
    assert "Integration" == desk.ok("applicationFeedback.list", applicationId=item)[1]["submittedByUser"]["firstName"]


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"Notes": "n"}, "invalid_input"),
        ({"Overall rating": {"score": 5}, "Notes": "n"}, "invalid_input"),
        ({"Overall rating": 3, "Notes": "n"}, "invalid_input"),
        ({"Overall rating": {"score": 3}, "Notes": ""}, "invalid_input"),
        ({"Overall rating": {"score": 3}, "Notes": "n", "Seniority": "Mid"}, "invalid_input"),
        ({"Overall rating": {"score": 3}, "Notes": "n", "Would work with again": "yes"}, "invalid_input"),
    ],
)
def test_answers_that_do_not_fit_the_form_are_refused(desk: Desk, answers: dict[str, Any], code: str) -> None:
    """Missing required fields, wrong types, labels instead of values."""
    assert code == _submit(desk, desk.application()["id"], "Structured interview", answers)["errorInfo"]["code"]
    assert [] == desk.ok("applicationFeedback.list")


def test_feedback_by_deactivated_users_is_refused_by_default(desk: Desk) -> None:
    """Whether the vendor takes it is unknown."""
    gone = next(user for user in desk.ok("user.list", includeDeactivated=True) if not user["isEnabled"])
    item = desk.application()["id"]
    assert _submit(desk, item, "Migrated feedback", {"Feedback": "x"}, userId=gone["id"])["success"] is False
    desk.settings.switches["feedback_author"] = "any"
    assert _submit(desk, item, "Migrated feedback", {"Feedback": "x"}, userId=gone["id"])["success"] is True


# --- files ----------------------------------------------------------------------------------------------------


def test_a_file_goes_up_and_comes_down_byte_for_byte(desk: Desk) -> None:
    """Reserve, POST to storage, attach, ask for a download address, download."""
    data = bytes(range(256)) * 7 + b"\r\n--edge-not\r\n"
    made = desk.candidate()["id"]
    desk.ok("candidate.uploadFile", candidateId=made, fileHandle=desk.upload("CandidateFiles", "../π.pdf", data))
    (handle,) = desk.ok("candidate.info", id=made)["fileHandles"]
    assert "../π.pdf" == handle["name"]
    url = desk.ok("file.info", fileHandle=handle["handle"])["url"]
    assert data == desk.send("GET", urlsplit(url).path).body
    assert "file_not_found" == desk.refused("file.info", fileHandle=handle["id"])
    desk.settings.switches["download_seconds"] = "-1"
    url = desk.ok("file.info", fileHandle=handle["handle"])["url"]
    assert 403 == desk.send("GET", urlsplit(url).path).status


def test_a_resume_fills_only_what_is_empty_and_the_newest_is_the_resume(desk: Desk) -> None:
    """Earlier ones stay among the files."""
    made = desk.candidate()["id"]
    for text in (b"Company: Fjordworks\nPosition: Engineer\n", b"Company: Other\nSchool: NTNU\n"):
        handle = desk.upload("CandidateResume", "cv.pdf", text)
        read = desk.ok("candidate.uploadResume", candidateId=made, resumeHandle=handle)
    assert ("Fjordworks", "Engineer", "NTNU") == (read["company"], read["position"], read["school"])
    assert [read["fileHandles"][1]] == [read["resumeFileHandle"]]
    assert "invalid_input" == desk.refused("candidate.uploadFile", candidateId=made, fileHandle=handle)


def _slot(desk: Desk, length: int) -> dict[str, Any]:
    return desk.ok(
        "file.createFileUploadHandle", fileUploadContext="CandidateFiles", filename="a", contentType="application/pdf",
        contentLength=length,
    )  # fmt: skip


def test_storage_refuses_what_s3_would(desk: Desk) -> None:
    """Authorization header, wrong length, file not last, tampered or missing fields, too late."""
    slot = _slot(desk, 3)
    fields = slot["fields"]
    assert 400 == desk.post_form(fields, b"abc", authorization="Basic eDo=").status
    assert 400 == desk.post_form(fields, b"abcd").status
    assert 400 == desk.post_form(fields, b"ab").status
    assert 400 == desk.post_form(fields, b"abc", file_first=True).status
    assert 403 == desk.post_form({**fields, "x-amz-signature": "0"}, b"abc").status
    assert 403 == desk.post_form({k: v for k, v in fields.items() if k != "policy"}, b"abc").status
    made = desk.candidate()["id"]
    assert "file_not_found" == desk.refused("candidate.uploadFile", candidateId=made, fileHandle=slot["handle"])
    assert 204 == desk.post_form(fields, b"abc").status
    assert 204 == desk.post_form(_slot(desk, 0)["fields"], b"").status
    desk.settings.switches["upload_seconds"] = "-1"
    assert 403 == desk.post_form(_slot(desk, 3)["fields"], b"abc").status


# --- the whole ------------------------------------------------------------------------------------------------


def test_the_same_company_gives_the_same_organization() -> None:
    """Byte for byte, on any run; a reset goes back to it."""
    one, two = Desk(), Desk()
    before = json.dumps(one.side.dump())
    assert before == json.dumps(two.side.dump())
    one.candidate()
    one.side.reset()
    assert before == json.dumps(one.side.dump())


def test_the_state_tells_what_was_there_and_what_came(desk: Desk) -> None:
    """The dump by titles, with hashes of files, notes, history and feedback."""
    made = desk.application(createdAt=JAN)
    person = made["candidate"]["id"]
    desk.ok("candidate.uploadFile", candidateId=person, fileHandle=desk.upload("CandidateFiles", "a.pdf", b"abc"))
    desk.ok("candidate.createNote", candidateId=person, note="n", isPrivate=True)
    _submit(desk, made["id"], "Migrated feedback", {"Feedback": "x"})
    state = desk.side.dump()
    (candidate,) = [c for c in state["candidates"] if c["id"] not in state["preexisting"]["candidates"]]
    (application,) = [a for a in state["applications"] if a["id"] not in state["preexisting"]["applications"]]
    assert [("a.pdf", hashlib.sha256(b"abc").hexdigest(), 3, False)] == [
        (f["name"], f["sha256"], f["size"], f["resume"]) for f in candidate["files"]
    ]
    assert [("n", True)] == [(n["content"], n["isPrivate"]) for n in candidate["notes"]]
    assert ([{"Feedback": "x"}], ["New Lead"]) == (
        [f["answers"] for f in application["feedback"]],
        [e["title"] for e in application["history"]],
    )
    assert (6, 0) == (state["writes"], state["notified"])


def test_people_who_exist_in_both_systems_are_planted(desk: Desk) -> None:
    """Three by the same address, one under another name, one namesake; twelve candidates in all."""
    assert 12 == len(desk.ok("candidate.list"))
    for person in (person for person in desk.company.people if person.ashby):
        by_mail = desk.ok("candidate.search", email=person.emails[0])
        by_name = desk.ok("candidate.search", name=person.name)
        expected = {"email": (1, 1), "email-other-name": (1, 0), "namesake": (0, 1)}[person.ashby]
        assert expected == (len(by_mail), len(by_name)), person


def test_jobs_that_look_like_postings_are_planted(desk: Desk) -> None:
    """One by title, team and location; one by title in another team; one confidential."""
    postings = {posting["text"]: posting["categories"] for posting in reversed(desk.company.postings)}
    names = {item["id"]: item["name"] for item in desk.ok("department.list")}
    teams = [
        (names[job["departmentId"]] == postings.get(job["title"], {}).get("team"), job["confidential"])
        for job in desk.ok("job.list")
    ]
    assert [(True, False), (False, False), (False, True)] == teams


def test_each_switch_has_a_default_and_is_described() -> None:
    """Switches are only those in the table; the table names no other."""
    files = [path for path in Path(ashby.__file__).parent.glob("*.py") if path.name != "switches.py"]
    texts = "\n".join(path.read_text() for path in files)
    unused = [name for name in ashby.SWITCHES if f'"{name}"' not in texts]
    readme = (Path(ashby.__file__).parent / "README.md").read_text()
    untold = [name for name, default in ashby.SWITCHES.items() if f"| `{name}` | `{default}` |" not in readme]
    assert ([], []) == (unused, untold)

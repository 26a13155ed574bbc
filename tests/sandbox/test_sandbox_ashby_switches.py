"""Every question the vendor leaves open has a switch, and both of its answers are really given."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from ashby_kit import Desk
from conftest import Sandbox

from sandbox import ashby
from sandbox.scenarios import scenarios

JAN, FEB, MAR = "2021-01-04T09:00:00.123Z", "2021-02-01T10:30:00.456Z", "2021-03-01T00:00:00.007Z"
LATER = "2999-01-01T00:00:00.000Z"
NOBODY = "00000000-0000-4000-8000-000000000000"


def event(desk: Desk, kind: str, number: int, at: str, **more: str) -> dict[str, Any]:
    """One event of a history."""
    return {"stageId": desk.stage(kind)["id"], "stageNumber": number, "enteredStageAt": at, **more}


def code(desk: Desk, endpoint: str, **body: Any) -> str:
    """The code of a refused call, or `taken`."""
    answer = desk.ask(endpoint, body).json
    return "taken" if answer.get("success", True) else answer["errorInfo"]["code"]


# --- the border -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "members", "errors"),
    [
        ("both", {"success", "errors", "errorInfo"}, ["invalid_input"]),
        ("info", {"success", "errorInfo"}, None),
        ("errors", {"success", "errors"}, ["invalid_input"]),
        ("objects", {"success", "errors"}, [{"code": "invalid_input", "message": "name: required"}]),
    ],
)
def test_failures_come_in_four_forms(form: str, members: set[str], errors: Any) -> None:
    """As the contract, the guide and two kinds of client tell them."""
    answer = Desk(failure_form=form).ask("candidate.create", {}).json
    assert (members, errors, False) == (set(answer), answer.get("errors"), answer["success"])


def test_a_refused_body_may_come_with_400() -> None:
    """Only for invalid_input; what is absent stays a 200."""
    desk = Desk(invalid_status="400")
    assert (400, 200) == (desk.ask("candidate.create", {}).status, desk.ask("candidate.info", {"id": NOBODY}).status)
    assert 200 == Desk().ask("candidate.create", {}).status


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [("telling", "candidate_not_found"), ("one", "not_found"), ("invalid_input", "invalid_input")],
)
def test_codes_of_absence_that_are_guesses_can_be_others(wanted: str, spoken: str) -> None:
    """The documented ones never change."""
    desk = Desk(not_found_codes=wanted)
    assert spoken == code(desk, "candidate.info", id=NOBODY)
    assert "application_not_found" == code(desk, "application.info", applicationId=NOBODY)


def test_warnings_can_stand_on_a_success() -> None:
    """The call is applied all the same; a star means every endpoint."""
    desk = Desk(warnings="candidate.create:some_part_failed,*:be_careful")
    made = desk.ask("candidate.create", {"name": "A"}).json
    assert (True, ["some_part_failed", "be_careful"]) == (made["success"], made["warnings"])
    assert ["be_careful"] == desk.ask("candidate.info", {"id": made["results"]["id"]}).json["warnings"]
    assert "warnings" not in Desk().ask("candidate.create", {"name": "A"}).json


@pytest.mark.parametrize(("unit", "scale"), [("s", 1), ("ms", 1000)])
def test_the_reset_header_may_be_in_seconds_or_milliseconds(unit: str, scale: int) -> None:
    """Masked in the recordings: ten digits or more."""
    reset = int(Desk(reset_unit=unit, limits="x0.01").ask("apiKey.info").headers["x-ratelimit-reset"])
    assert 0 <= reset / scale - time.time() <= 61


@pytest.mark.parametrize(("header", "there"), [("present", True), ("absent", False)])
def test_a_429_may_lack_retry_after(header: str, there: bool) -> None:
    """Third parties report it; no official page does."""
    desk = Desk(limits="x0.001", retry_after=header)
    answers = [desk.ask("apiKey.info") for _ in range(2)]
    assert ([200, 429], there) == ([answer.status for answer in answers], "retry-after" in answers[1].headers)


@pytest.mark.parametrize(("scope", "status"), [("key", 200), ("organization", 429)])
def test_the_window_may_belong_to_a_key_or_to_all(scope: str, status: int) -> None:
    """The second key asks after the first one's window is used up."""
    desk = Desk(limits="x0.001", limit_scope=scope)
    assert 200 == desk.ask("apiKey.info").status
    assert status == desk.ask("apiKey.info", key=desk.settings.ashby_key_limited).status


def test_too_many_requests_at_once_can_be_refused() -> None:
    """With a lag they overlap."""
    desk = Desk(concurrent_limit="2")
    desk.settings.lag_ms = 20
    answers = asyncio.run(desk.at_once("apiKey.info", 4))
    assert [200, 200, 429, 429] == sorted(answer.status for answer in answers)
    assert "concurrent_limit_exceeded" == next(a for a in answers if a.status == 429).json["errorInfo"]["code"]
    desk.settings.switches["concurrent_limit"] = "0"
    assert {200} == {answer.status for answer in asyncio.run(desk.at_once("apiKey.info", 4))}


def test_calls_of_several_threads_meet_at_a_real_server(sandbox: Sandbox) -> None:
    """Without any lag: a call that is answered at once would never be under way together with another one."""
    sandbox.switch(concurrent_limit="2")
    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(lambda _: status(sandbox), range(40)))
    assert {200, 429} == set(statuses)
    assert 200 == status(sandbox)
    sandbox.switch(concurrent_limit="0")
    with ThreadPoolExecutor(8) as pool:
        assert {200} == set(pool.map(lambda _: status(sandbox), range(40)))


def status(sandbox: Sandbox) -> int:
    """The HTTP status of one call on its own connection, in one packet: nothing of it has to be awaited."""
    url = urlsplit(sandbox.about["ashby_url"])
    key = base64.b64encode(f"{sandbox.about['ashby_key']}:".encode()).decode()
    heads = (f"POST {url.path}/apiKey.info HTTP/1.1", f"Host: {url.netloc}", f"Authorization: Basic {key}",
             "Content-Type: application/json", "Content-Length: 2", "Connection: close")  # fmt: skip
    with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
        connection.sendall("\r\n".join((*heads, "", "{}")).encode())
        return int(connection.recv(65536).split()[1])


@pytest.mark.parametrize(("form", "scope"), [("colon", "candidates:read"), ("permission", "candidatesRead")])
def test_scopes_may_be_written_in_two_ways(form: str, scope: str) -> None:
    """The contract's example has a colon."""
    assert scope in Desk(scope_format=form).ok("apiKey.info")["scopes"]


@pytest.mark.parametrize(("author", "first"), [("user", False), ("key", True)])
def test_a_note_on_behalf_of_somebody_is_theirs_or_the_keys(author: str, first: bool) -> None:
    """Undocumented; and the header may not work at all."""
    desk = Desk(behalf_author=author)
    made, user = desk.candidate()["id"], desk.ok("user.list")[0]["id"]
    note = desk.ask("candidate.createNote", {"candidateId": made, "note": "x"}, x_on_behalf_of=user).json["results"]
    assert first is (note["author"]["firstName"] == "Integration")
    desk.settings.switches["on_behalf_of"] = "off"
    assert 403 == desk.ask("candidate.createNote", {"candidateId": made, "note": "x"}, x_on_behalf_of=user).status


def test_a_body_may_be_too_large() -> None:
    """No limit is documented."""
    desk = Desk(body_max_bytes="100")
    assert 413 == desk.ask("candidate.create", {"name": "A" * 100}).status
    assert 200 == desk.ask("candidate.create", {"name": "A" * 10}).status


# --- lists and searches ---------------------------------------------------------------------------------------


def test_each_object_has_a_wait_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the longest wait later some of many are seen, and not the first ones; in the end all are."""
    desk = Desk(visible_spread_ms="120000")
    made = [desk.candidate(name=f"Nova {number}")["id"] for number in range(60)]

    def seen(seconds: float) -> list[str]:
        later = SimpleNamespace(time=lambda: time.time() + seconds)
        monkeypatch.setattr("sandbox.ashby.state.time", later)
        there = {one["id"] for one in desk.pages("candidate.list")[0]}
        return [one for one in made if one in there]

    half = seen(60)
    assert 0 < len(half) < len(made)
    assert half != made[: len(half)]
    assert seen(121) == made


def test_new_objects_can_stay_unseen_for_a_while() -> None:
    """Lists, infos, searches and the ids on other objects; writes see them, and they were applied."""
    desk = Desk()
    _, token = desk.pages("candidate.list")
    desk.settings.switches["visible_after_ms"] = "60000"
    made = desk.candidate(name="Nova Late", email="late@x.example")
    item = desk.ok("application.create", candidateId=made["id"], jobId=desk.job()["id"])
    note = desk.ok("candidate.createNote", candidateId=made["id"], note="n")
    handle = desk.upload("CandidateFiles", "a.pdf", b"abc")
    written = desk.ok("candidate.uploadFile", candidateId=made["id"], fileHandle=handle)
    assert ([item["id"]], 1) == (written["applicationIds"], len(written["fileHandles"]))
    assert "candidate_not_found" == desk.refused("candidate.info", id=made["id"])
    assert "application_not_found" == desk.refused("application.info", applicationId=item["id"])
    assert made["id"] not in [one["id"] for one in desk.pages("candidate.list")[0]]
    assert [] == desk.ok("candidate.search", email="late@x.example")
    during, token = desk.pages("candidate.list", syncToken=token)
    assert [] == during
    desk.settings.switches["visible_after_ms"] = "0"
    shown = desk.ok("candidate.info", id=made["id"])
    assert ([item["id"]], 1) == (shown["applicationIds"], len(shown["fileHandles"]))
    assert [note["id"]] == [one["id"] for one in desk.ok("candidate.listNotes", candidateId=made["id"])]
    assert [made["id"]] == [one["id"] for one in desk.pages("candidate.list", syncToken=token)[0]]


def test_a_new_application_of_an_old_candidate_is_unseen_too() -> None:
    """On the candidate, in its notes and in lists without paging."""
    desk = Desk()
    made = desk.candidate()["id"]
    desk.settings.switches["visible_after_ms"] = "60000"
    desk.ok("application.create", candidateId=made, jobId=desk.job()["id"])
    desk.ok("candidate.createNote", candidateId=made, note="n")
    desk.ok("opening.create", identifier="REQ-1")
    desk.ok("department.create", name="Later")
    assert ([], []) == (
        desk.ok("candidate.info", id=made)["applicationIds"], desk.ok("candidate.listNotes", candidateId=made),
    )  # fmt: skip
    assert [] == desk.ok("opening.search", identifier="REQ-1")
    assert "Later" not in [one["name"] for one in desk.ok("department.list")]


def test_a_young_object_is_seen_once_its_time_has_come() -> None:
    """With a wait of 30 milliseconds."""
    desk = Desk(visible_after_ms="30")
    made = desk.candidate(name="Nova Soon")["id"]
    time.sleep(0.04)
    assert made == desk.ok("candidate.info", id=made)["id"]


@pytest.mark.parametrize(
    ("how", "hits"), [("any", [1, 1, 1]), ("primary", [1, 1, 0]), ("exact", [1, 0, 1])]
)  # fmt: skip
def test_an_address_is_searched_in_three_ways(how: str, hits: list[int]) -> None:
    """As written, in other case, and an alternate one."""
    desk = Desk(search_email=how)
    desk.candidate(email="Nova@x.example", alternateEmailAddresses=["nova@y.example"])
    asked = ["Nova@x.example", "nova@X.example", "nova@y.example"]
    assert hits == [len(desk.ok("candidate.search", email=address)) for address in asked]


@pytest.mark.parametrize(("which", "found"), [("now", True), ("created", False)])
def test_a_back_dated_candidate_may_count_as_added_long_ago(which: str, found: bool) -> None:
    """Whether `createdAt` moves the added-at that `createdAfter` compares is not documented."""
    desk = Desk(candidate_added_at=which)
    begun = desk.side.state.now() - 60_000
    old, new = desk.candidate(createdAt=JAN)["id"], desk.candidate()["id"]
    listed = [one["id"] for one in desk.pages("candidate.list", createdAfter=begun)[0]]
    assert [old, new][not found :] == listed
    early = [one["id"] for one in desk.pages("candidate.list", createdBefore=1_612_000_000_000)[0]]
    assert (old in early) is not found


def test_the_scenario_of_late_sights_holds_back_searches_and_lists() -> None:
    """A list that is current would find at once what the search does not show yet."""
    desk = Desk(**scenarios()["visible-late"].switches)
    made = desk.candidate(email="late@x.example")["id"]
    assert made not in [one["id"] for one in desk.ok("candidate.list")]
    time.sleep(0.16)
    assert made in [one["id"] for one in desk.ok("candidate.list")]
    assert [] == desk.ok("candidate.search", email="late@x.example")


@pytest.mark.parametrize(("which", "found"), [("created", False), ("added", True)])
def test_created_after_of_applications_compares_one_of_two_times(which: str, found: bool) -> None:
    """The back-dated one, or when it was added."""
    desk = Desk(application_created_after=which)
    made = desk.application(createdAt=JAN)["id"]
    after = int(time.time() * 1000) - 60_000
    assert found is (made in [one["id"] for one in desk.ok("application.list", createdAfter=after)])


@pytest.mark.parametrize(
    ("order", "contents"),
    [("added", ["mar", "jan", "feb"]), ("created", ["jan", "feb", "mar"]), ("newest", ["mar", "feb", "jan"])],
)
def test_notes_come_in_three_orders(order: str, contents: list[str]) -> None:
    """As written, by time, or the newest first; across pages."""
    desk = Desk(note_order=order)
    made = desk.candidate()["id"]
    for text, at in (("mar", MAR), ("jan", JAN), ("feb", FEB)):
        desk.ok("candidate.createNote", candidateId=made, note=text, createdAt=at)
    notes, _ = desk.pages("candidate.listNotes", candidateId=made, limit=2)
    assert contents == [note["content"] for note in notes]


# --- candidates -----------------------------------------------------------------------------------------------


def test_a_second_person_with_an_address_may_be_refused() -> None:
    """On creation and on update; one's own address is no other's."""
    desk = Desk(duplicate_email="refuse")
    one = desk.candidate(email="a@x.example")["id"]
    two = desk.candidate(email="b@x.example")["id"]
    assert "candidate_already_exists" == code(desk, "candidate.create", name="C", email="A@x.example")
    again = {"candidateId": two, "sendNotifications": False}
    assert "candidate_already_exists" == code(desk, "candidate.update", **again, alternateEmail="a@x.example")
    assert "taken" == code(desk, "candidate.update", candidateId=one, email="a@x.example", sendNotifications=False)
    desk.settings.switches["duplicate_email"] = "accept"
    assert "taken" == code(desk, "candidate.create", name="C", email="A@x.example")


def test_addresses_and_numbers_may_be_checked() -> None:
    """By default anything goes."""
    for switch, member, wrong, right in (
        ("email_format", "email", "no address", "a@x.example"),
        ("phone_format", "phoneNumber", "call me", "+47 55 12 34 56"),
    ):
        desk = Desk()
        assert "taken" == code(desk, "candidate.create", name="A", **{member: wrong})
        desk.settings.switches[switch] = "checked"
        assert "invalid_input" == code(desk, "candidate.create", name="A", **{member: wrong})
        assert "taken" == code(desk, "candidate.create", name="A", **{member: right})


def test_times_may_lose_their_milliseconds_and_lie_in_the_future() -> None:
    """Recorded answers echo milliseconds; the range is not documented."""
    desk = Desk(time_precision="s", future_times="accept")
    assert "2021-01-04T09:00:00.000Z" == desk.candidate(createdAt=JAN)["createdAt"]
    assert LATER == desk.candidate(createdAt=LATER)["createdAt"]
    made = desk.application(createdAt=JAN, applicationHistory=[event(desk, "Lead", 0, FEB)])
    assert "2021-02-01T10:30:00.000Z" == made["applicationHistory"][0]["enteredStageAt"]
    assert "invalid_input" == code(Desk(), "candidate.create", name="A", createdAt=LATER)


def test_the_text_of_a_note_may_be_tidied() -> None:
    """Blanks at line ends, blank lines around, line ends of other systems."""
    text = "\n one  \r\n two \n\n"
    for how, kept in (("kept", text), ("tidied", "one\n two")):
        desk = Desk(note_text=how)
        assert kept == desk.ok("candidate.createNote", candidateId=desk.candidate()["id"], note=text)["content"]


@pytest.mark.parametrize(("how", "answer"), [("refuse", (200, False)), ("403", (403, False)), ("public", (200, True))])
def test_a_private_note_by_a_key_without_the_toggle(how: str, answer: tuple[int, bool]) -> None:
    """Refused in one of two ways, or made public; a note that is not private is taken in any case."""
    desk = Desk(key_toggles="confidential", private_without_toggle=how)
    body = {"candidateId": desk.candidate()["id"], "note": "n"}
    got = desk.ask("candidate.createNote", {**body, "isPrivate": True})
    assert answer == (got.status, got.json["success"])
    if how == "public":
        assert got.json["results"]["isPrivate"] is False
    else:
        assert "missing_endpoint_permission" == got.json["errorInfo"]["code"]
    assert (how == "public") == len(desk.ok("candidate.listNotes", candidateId=body["candidateId"]))
    assert desk.ok("candidate.createNote", **body)["isPrivate"] is False
    desk.settings.switches["key_toggles"] = "private"
    assert desk.ok("candidate.createNote", **body, isPrivate=True)["isPrivate"] is True


def test_archived_tags_are_returned_or_made_anew() -> None:
    """What get-or-create does with an archived title is not documented."""
    for how, same in (("return", True), ("new", False)):
        desk = Desk(archived_tag=how)
        old = next(tag for tag in desk.ok("candidateTag.list", includeArchived=True) if tag["isArchived"])
        assert same is (old["id"] == desk.ok("candidateTag.create", title=old["title"])["id"])


def test_archived_tags_sources_and_reasons_may_be_refused() -> None:
    """By default they are taken."""
    for how, answer in (("accept", "taken"), ("refuse", "invalid_input")):
        desk = Desk(archived_references=how)
        tag = next(one for one in desk.ok("candidateTag.list", includeArchived=True) if one["isArchived"])
        source = next(one for one in desk.ok("source.list", includeArchived=True) if one["isArchived"])
        reason = next(one for one in desk.ok("archiveReason.list", includeArchived=True) if one["isArchived"])
        made, item = desk.candidate()["id"], desk.application()["id"]
        assert answer == code(desk, "candidate.addTag", candidateId=made, tagId=tag["id"])
        assert answer == code(desk, "candidate.create", name="A", sourceId=source["id"])
        stage = {"interviewStageId": desk.stage("Archived")["id"], "archiveReasonId": reason["id"]}
        assert answer == code(desk, "application.changeStage", applicationId=item, **stage)


def test_a_tag_may_sit_twice_on_a_candidate() -> None:
    """Repeat behaviour is not stated."""
    for how, count in (("ignore", 1), ("double", 2)):
        desk = Desk(repeat_tag=how)
        made, tag = desk.candidate()["id"], desk.ok("candidateTag.list")[0]["id"]
        shown = [desk.ok("candidate.addTag", candidateId=made, tagId=tag) for _ in range(2)]
        assert count == len(shown[-1]["tags"])


@pytest.mark.parametrize(("how", "count"), [("again", 2), ("ignore", 1), ("refuse", 1)])
def test_a_handle_used_twice(how: str, count: int) -> None:
    """Attached again, taken without effect, or refused."""
    desk = Desk(handle_reuse=how)
    body = {"candidateId": desk.candidate()["id"], "fileHandle": desk.upload("CandidateFiles", "a.pdf", b"abc")}
    answers = [code(desk, "candidate.uploadFile", **body) for _ in range(2)]
    assert ["taken", "file_not_found" if how == "refuse" else "taken"] == answers
    assert count == len(desk.ok("candidate.info", id=body["candidateId"])["fileHandles"])


@pytest.mark.parametrize(("how", "status"), [("accept", 204), ("refuse", 403)])
def test_an_upload_address_may_be_good_once(how: str, status: int) -> None:
    """The first upload stands either way."""
    desk = Desk(upload_again=how)
    ask = {"fileUploadContext": "CandidateFiles", "filename": "a.pdf", "contentType": "application/pdf"}
    slot = desk.ok("file.createFileUploadHandle", **ask, contentLength=3)
    assert [204, status] == [desk.post_form(slot["fields"], b"abc").status for _ in range(2)]
    desk.ok("candidate.uploadFile", candidateId=desk.candidate()["id"], fileHandle=slot["handle"])


def test_a_handle_may_expire_before_it_is_attached() -> None:
    """Counted from its reservation; by default it lives as long as its bytes."""
    for seconds, answer in (("0", "taken"), ("60", "file_not_found")):
        desk = Desk(handle_seconds=seconds)
        body = {"candidateId": desk.candidate()["id"], "fileHandle": desk.upload("CandidateFiles", "a.pdf", b"abc")}
        for upload in desk.side.state.uploads.values():
            upload.reserved -= 61
        assert answer == code(desk, "candidate.uploadFile", **body)


@pytest.mark.parametrize(("how", "others"), [("dropped", []), ("alternate", ["a@x.example"])])
def test_the_former_first_address_goes_or_becomes_another_one(how: str, others: list[str]) -> None:
    """And the same address again changes nothing."""
    desk = Desk(replaced_email=how)
    made = desk.candidate(email="a@x.example")["id"]
    for address in ("b@x.example", "b@x.example"):
        desk.ok("candidate.update", candidateId=made, email=address, sendNotifications=False)
    shown = desk.ok("candidate.info", id=made)["emailAddresses"]
    assert ["b@x.example", *others] == [one["value"] for one in shown]
    assert [made] * len(others) == [one["id"] for one in desk.ok("candidate.search", email="a@x.example")]


@pytest.mark.parametrize(("how", "answer"), [("refuse", "invalid_input"), ("history", "taken")])
def test_a_stage_beside_a_history_is_refused_or_goes_under(how: str, answer: str) -> None:
    """What it says then is what the history ends with."""
    desk = Desk(stage_and_history=how)
    body = {"candidateId": desk.candidate()["id"], "jobId": desk.job()["id"], "createdAt": JAN}
    body |= {"applicationHistory": [event(desk, "Lead", 0, FEB)], "interviewStageId": desk.stage("Active")["id"]}
    assert answer == code(desk, "application.create", **body)
    made = desk.ok("candidate.info", id=body["candidateId"])["applicationIds"]
    assert ["Lead"] * len(made) == [desk.ok("application.info", applicationId=key)["status"] for key in made]


def test_the_number_of_tags_and_of_options_and_the_length_of_a_file_name_may_end() -> None:
    """What stands already may be asked for again."""
    desk = Desk()
    n_tags = len(desk.side.state.tags)
    desk.settings.switches.update({"tags_max": str(n_tags + 1), "options_max": "2", "file_name_max_chars": "8"})
    titles = ("Fjord", "Fjord", "Tundra")
    assert ["taken", "taken", "invalid_input"] == [code(desk, "candidateTag.create", title=one) for one in titles]
    options = [{"label": name, "value": name} for name in "abc"]
    field = {"fieldType": "ValueSelect", "objectType": "Candidate", "title": "Choice"}
    for n_options, answer in ((2, "taken"), (3, "invalid_input")):
        body = {**field, "selectableValues": options[:n_options]}
        assert answer == code(desk, "customField.create", **body)
    about = {"fileUploadContext": "CandidateFiles", "contentType": "text/plain", "contentLength": 1}
    for name, answer in (("abcd.txt", "taken"), ("abcde.txt", "invalid_input")):
        assert answer == code(desk, "file.createFileUploadHandle", filename=name, **about)
    assert {"tags_max", "options_max", "file_name_max_chars"} == desk.settings.switches.decided


def test_an_address_may_be_found_loosely() -> None:
    """Whoever searches gets people who are somebody else."""
    desk = Desk(search_email="fuzzy")
    alike = ("nova@x.example", "super.nova@x.example", "nova+jobs@y.example", "n.o.v.a@z.example")
    for address in (*alike, "ada@x.example"):
        desk.candidate(email=address)
    found = [one["primaryEmailAddress"]["value"] for one in desk.ok("candidate.search", email="Nova@x.example")]
    assert set(alike) == set(found)
    assert "search_email" in desk.settings.switches.decided


@pytest.mark.parametrize(("how", "text"), [("kept", "one\ntwo"), ("blank", "one two")])
def test_line_breaks_in_html_stay_or_become_blanks(how: str, text: str) -> None:
    """Those of plain text always stay."""
    desk = Desk(html_newlines=how)
    made = desk.candidate()["id"]
    for kind, shown in (("text/html", text), ("text/plain", "one\ntwo")):
        note = desk.ok("candidate.createNote", candidateId=made, note={"type": kind, "value": "one\ntwo"})
        assert shown == note["content"]


@pytest.mark.parametrize(("how", "answer"), [("enabled", "user_not_found"), ("any", "taken")])
def test_a_deactivated_user_may_be_acted_for(how: str, answer: str) -> None:
    """Or not: the beta's guide does not say."""
    desk = Desk(behalf_users=how)
    gone = next(user["id"] for user in desk.side.state.users.values() if not user["isEnabled"])
    body = {"candidateId": desk.candidate()["id"], "note": "x"}
    told = desk.ask("candidate.createNote", body, **{"X-On-Behalf-Of": gone}).json
    assert answer == ("taken" if told["success"] else told["errorInfo"]["code"])


def test_a_tag_is_found_by_its_very_title_or_capitals_aside() -> None:
    """Where both spellings stand each finds its own."""
    desk = Desk()
    one, two = (desk.ok("candidateTag.create", title=title)["id"] for title in ("Full-time", "Full-Time"))
    assert one != two
    desk.settings.switches["tag_titles"] = "folded"
    found = [desk.ok("candidateTag.create", title=title)["id"] for title in ("Full-time", "Full-Time", "FULL-TIME")]
    assert [one, two] == found[:2]
    assert found[2] in (one, two)


@pytest.mark.parametrize(
    ("fields", "moves", "value", "counts"),
    [
        ("fill", "notes,files,tags,contact", "kept", (1, 1, 1, 2)),
        ("keep", "tags", "kept", (0, 0, 1, 1)),
        ("replace", "notes,contact", "lost", (1, 0, 0, 2)),
    ],
)
def test_a_merge_moves_what_the_switches_say(
    fields: str, moves: str, value: str, counts: tuple[int, int, int, int]
) -> None:
    """Applications always; of what does not move the log tells notes and files."""
    desk = Desk(merge_custom_fields=fields, merge_moves=moves)
    keep, gone = (desk.candidate(email=f"{name}@x.example")["id"] for name in ("keep", "gone"))
    both, single = (desk.ok("customField.create", fieldType="String", objectType="Candidate", title=title)["id"]
                    for title in ("Both", "Single"))  # fmt: skip
    for candidate, text in ((keep, "kept"), (gone, "lost")):
        desk.ok("customField.setValue", objectId=candidate, objectType="Candidate", fieldId=both, fieldValue=text)
    desk.ok("customField.setValue", objectId=gone, objectType="Candidate", fieldId=single, fieldValue="only")
    desk.ok("candidate.createNote", candidateId=gone, note="a note")
    desk.ok("candidate.uploadFile", candidateId=gone, fileHandle=desk.upload("CandidateFiles", "a.pdf", b"abc"))
    desk.ok("candidate.addTag", candidateId=gone, tagId=desk.ok("candidateTag.create", title="Fjord")["id"])
    made = desk.ok("application.create", candidateId=gone, jobId=desk.job()["id"])["id"]
    told = desk.control("merge", {"keep": keep, "gone": gone})
    shown = desk.ok("candidate.info", id=keep)
    assert [made] == shown["applicationIds"]
    assert {"Both": value} | ({} if fields == "keep" else {"Single": "only"}) == {
        one["title"]: one["value"] for one in shown["customFields"]
    }
    n_notes = len(desk.ok("candidate.listNotes", candidateId=keep))
    assert counts == (n_notes, len(shown["fileHandles"]), len(shown["tags"]), len(shown["emailAddresses"]))
    assert 2 - n_notes - len(shown["fileHandles"]) == len(told.get("left", []))


# --- applications and jobs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switch", "strict", "loose", "times"),
    [
        ("history_before_creation", "refuse", "accept", (FEB, JAN, MAR)),
        ("history_order", "refuse", "accept", (JAN, MAR, FEB)),
        ("equal_history_times", "refuse", "accept", (JAN, FEB, FEB)),
    ],
)
def test_what_a_history_must_look_like(switch: str, strict: str, loose: str, times: tuple[str, str, str]) -> None:
    """Events before the application, backwards, at one moment: each refused or taken."""
    for how, answer in ((strict, "invalid_input"), (loose, "taken")):
        desk = Desk(**{switch: how})
        events = [event(desk, "Lead", 0, times[1]), event(desk, "Active", 1, times[2])]
        body = {"candidateId": desk.candidate()["id"], "jobId": desk.job()["id"], "applicationHistory": events}
        assert answer == code(desk, "application.create", **body, createdAt=times[0])


def test_left_stage_at_may_be_absent_and_archived_at_be_now() -> None:
    """What follows from a submitted history is stated nowhere."""
    desk = Desk()
    events = [event(desk, "Lead", 0, JAN), event(desk, "Archived", 1, FEB, archiveReasonId=desk.reason())]
    made = desk.application(createdAt=JAN, applicationHistory=events)["id"]
    read = desk.ok("application.info", applicationId=made)
    assert (FEB, FEB) == (read["archivedAt"], read["applicationHistory"][0]["leftStageAt"])
    desk.settings.switches.update({"left_stage_at": "absent", "archived_at": "now"})
    read = desk.ok("application.info", applicationId=made)
    assert "leftStageAt" not in read["applicationHistory"][0]
    assert read["archivedAt"] > "2026"


@pytest.mark.parametrize(("how", "count"), [("event", 3), ("ignore", 2)])
def test_a_stage_entered_twice(how: str, count: int) -> None:
    """Another event, or nothing."""
    desk = Desk(repeat_stage=how)
    made, active = desk.application()["id"], desk.stage("Active")["id"]
    for _ in range(2):
        desk.ok("application.changeStage", applicationId=made, interviewStageId=active)
    assert count == len(desk.ok("application.listHistory", applicationId=made))


@pytest.mark.parametrize(("how", "answer"), [("refuse", "invalid_input"), ("accept", "taken")])
def test_a_status_set_twice(how: str, answer: str) -> None:
    """An open job is opened again."""
    desk = Desk(repeat_status=how)
    assert answer == code(desk, "job.setStatus", jobId=desk.job()["id"], status="Open")


@pytest.mark.parametrize(("how", "notified"), [("off", 0), ("on", 3)])
def test_automations_may_tell_somebody(how: str, notified: int) -> None:
    """Of a new application, a change of stage and an opened job."""
    desk = Desk(automations=how)
    model = desk.job()
    item = desk.application()["id"]
    desk.ok("application.changeStage", applicationId=item, interviewStageId=desk.stage("Active")["id"])
    job = desk.ok(
        "job.create", title="New", teamId=model["departmentId"], locationId=model["locationId"],
        defaultInterviewPlanId=model["defaultInterviewPlanId"],
    )["id"]  # fmt: skip
    desk.ok("job.setStatus", jobId=job, status="Open")
    assert notified == desk.journal.notified


# --- custom fields --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "kept"), [("nothing", []), ("before", ["they"])])
def test_a_wrong_value_among_several_undoes_all_or_stops_there(how: str, kept: list[str]) -> None:
    """Partial failure is not stated."""
    desk = Desk(partial_values=how)
    target = {"objectId": desk.candidate()["id"], "objectType": "Candidate"}
    field = next(one for one in desk.ok("customField.list") if one["title"] == "Preferred pronouns")["id"]
    values = [{"fieldId": field, "fieldValue": "they"}, {"fieldId": NOBODY, "fieldValue": "x"}]
    assert "custom_field_not_found" == code(desk, "customField.setValues", **target, values=values)
    assert kept == [one["value"] for one in desk.ok("candidate.info", id=target["objectId"])["customFields"]]


def test_null_may_clear_a_value() -> None:
    """Clearing is not stated."""
    desk = Desk()
    target = {"objectId": desk.candidate()["id"], "objectType": "Candidate"}
    field = next(one for one in desk.ok("customField.list") if one["title"] == "Preferred pronouns")["id"]
    desk.ok("customField.setValue", **target, fieldId=field, fieldValue="they")
    assert "invalid_input" == code(desk, "customField.setValue", **target, fieldId=field, fieldValue=None)
    desk.settings.switches["null_field_values"] = "clear"
    assert "taken" == code(desk, "customField.setValue", **target, fieldId=field, fieldValue=None)
    assert [] == desk.ok("candidate.info", id=target["objectId"])["customFields"]


def test_titles_numbers_and_lengths_may_be_limited() -> None:
    """None of these limits has a documented figure."""
    desk = Desk()
    field = {"fieldType": "String", "objectType": "Candidate", "title": "Twice"}
    made = desk.ok("customField.create", **field)["id"]
    assert "taken" == code(desk, "customField.create", **field)
    desk.settings.switches["field_titles"] = "unique"
    assert "invalid_input" == code(desk, "customField.create", **field)
    desk.settings.switches["fields_max"] = "3"
    assert "invalid_input" == code(desk, "customField.create", **{**field, "title": "Other"})
    desk.settings.switches.update({"text_max_chars": "5", "note_max_chars": "5", "file_max_bytes": "5"})
    person = desk.candidate()["id"]
    value = {"objectId": person, "objectType": "Candidate", "fieldId": made, "fieldValue": "123456"}
    assert "invalid_input" == code(desk, "customField.setValue", **value)
    assert "invalid_input" == code(desk, "candidate.createNote", candidateId=person, note="123456")
    slot = {"fileUploadContext": "CandidateFiles", "filename": "a", "contentType": "b", "contentLength": 6}
    assert "invalid_input" == code(desk, "file.createFileUploadHandle", **slot)
    desk.settings.switches.clear()
    assert "taken" == code(desk, "customField.setValue", **value)


@pytest.mark.parametrize(("which", "said"), [("any", "taken"), ("allowed", "invalid_input")])
def test_the_last_event_of_a_history_may_have_to_stay(which: str, said: str) -> None:
    """Its allowed actions lack deletion; with its id it may get another time, and others may go."""
    desk = Desk(history_deletes=which)
    made = desk.application(
        createdAt=JAN, applicationHistory=[event(desk, "Lead", 0, JAN), event(desk, "Hired", 1, FEB)]
    )
    last = made["applicationHistory"][1]
    assert ["set_entered_at"] == last["allowedActions"]
    kept = [event(desk, "Hired", 0, MAR, applicationHistoryId=last["id"])]
    desk.ok("application.updateHistory", applicationId=made["id"], applicationHistory=kept)
    new = [event(desk, "Lead", 0, JAN)]
    assert said == code(desk, "application.updateHistory", applicationId=made["id"], applicationHistory=new)


# --- versions, résumés, reports -------------------------------------------------------------------------------


def test_the_version_there_is_can_be_another_one() -> None:
    """Each answer tells it; who names the old one is refused, as a removed version is."""
    desk = Desk()
    old = desk.ask("apiKey.info", ashby_version="2026-01-01")
    assert (True, "2026-01-01", "active") == (
        old.json["success"], old.headers["ashby-version"], old.headers["ashby-version-status"]
    )  # fmt: skip
    desk.settings.switches.update({"api_version": "2027-03-01", "api_version_status": "deprecated"})
    answer = desk.ask("apiKey.info")
    assert ("2027-03-01", "deprecated") == (
        answer.headers["ashby-version"], answer.headers["ashby-version-status"]
    )  # fmt: skip
    assert [{"version": "2027-03-01", "status": "deprecated"}] == desk.ok("version.list")
    assert "invalid_input" == desk.ask("apiKey.info", ashby_version="2026-01-01").json["errorInfo"]["code"]


@pytest.mark.parametrize(
    ("how", "company", "address", "place"),
    [
        ("work", "Fjordworks", None, None),
        ("everything", "Fjordworks", "nova@x.example", "Oslo"),
        ("off", None, None, None),
    ],
)
def test_a_resume_fills_what_is_empty_in_three_ways(
    how: str, company: str | None, address: str | None, place: str | None
) -> None:
    """What is there stays, whatever the résumé says; an address that was filled in is found."""
    desk = Desk(resume_parsing=how)
    made = desk.candidate(phoneNumber="+47 1")["id"]
    text = b"Company: Fjordworks\nEmail: nova@x.example\nPhone: +47 2\nCity: Oslo\n"
    handle = desk.upload("CandidateResume", "cv.pdf", text)
    read = desk.ok("candidate.uploadResume", candidateId=made, resumeHandle=handle)
    assert (company, address, place, "+47 1") == (
        read.get("company"),
        read.get("primaryEmailAddress", {}).get("value"),
        read.get("location", {}).get("locationSummary"),
        read["primaryPhoneNumber"]["value"],
    )
    assert [made] * (address is not None) == [
        one["id"] for one in desk.ok("candidate.search", email="nova@x.example")
    ]  # fmt: skip


def test_a_change_may_be_seen_late_and_is_not_lost() -> None:
    """Infos, lists, searches and an incremental pass show the version before; writes and what they answer do not."""
    desk = Desk()
    known = desk.ok("candidate.list")[0]
    desk.settings.switches["stale_after_ms"] = "60000"
    made, job = desk.candidate(email="nova@x.example"), desk.job()["id"]
    field = desk.ok("customField.create", fieldType="String", objectType="Candidate", title="Mark")["id"]
    _, token = desk.pages("candidate.list")
    mark = {"objectType": "Candidate", "fieldId": field, "fieldValue": "x"}
    for one in (made["id"], known["id"]):
        assert "x" == desk.ok("customField.setValue", objectId=one, **mark)["value"]
    named = desk.ok("candidate.update", candidateId=made["id"], name="Nova Later", sendNotifications=False)
    assert ("Nova Later", 1) == (named["name"], len(named["customFields"]))
    application = desk.ok("application.create", candidateId=made["id"], jobId=job)["id"]
    desk.ok("application.changeStage", applicationId=application, interviewStageId=desk.stage("Active")["id"])

    def shown() -> list[Any]:
        listed = {one["id"]: one for one in desk.pages("candidate.list")[0]}
        again, after = desk.pages("candidate.list", syncToken=token)
        infos = [desk.ok("candidate.info", id=one["id"]) for one in (made, known)]
        found = desk.ok("candidate.search", email="nova@x.example")
        marks = [[it["value"] for it in one["customFields"] if it["id"] == field] for one in (*infos, *listed.values())]
        told = desk.ok("application.info", applicationId=application)
        later = {one["id"] for one in desk.pages("candidate.list", syncToken=after)[0]}
        return [
            {one["name"] for one in (infos[0], *found, listed[made["id"]])}, infos[0]["applicationIds"],
            sum(map(len, marks)), told["status"], len(told["applicationHistory"]),
            {one["id"] for one in again} >= {made["id"], known["id"]}, later >= {made["id"], known["id"]},
        ]  # fmt: skip

    assert [{"Nova Example"}, [], 0, "Lead", 1, True, True] == shown()
    assert "stale_after_ms" in desk.settings.switches.decided
    assert "Nova Later" in {one["name"] for one in desk.side.dump()["candidates"]}
    desk.settings.switches["stale_after_ms"] = "0"
    assert [{"Nova Later"}, [application], 4, "Active", 2, True, False] == shown()


def test_a_switch_counts_only_where_it_made_another_answer() -> None:
    """To be read is not enough: the default would have said the same."""
    desk = Desk(repeat_tag="double", search_email="exact", resume_parsing="off", note_text="tidied", text_max_chars="9")
    decided = desk.settings.switches.decided
    made, tag = desk.candidate(email="nova@x.example")["id"], desk.ok("candidateTag.create", title="Fjord")["id"]
    for _ in range(2):
        assert decided == set()
        desk.ok("candidate.addTag", candidateId=made, tagId=tag)
    assert decided == {"repeat_tag"}
    desk.ok("candidate.search", email="nova@x.example")
    desk.ok("candidate.createNote", candidateId=made, note="as it is")
    silent, speaking = (desk.upload("CandidateResume", "cv.pdf", text) for text in (b"nothing", b"Company: Tidemark\n"))
    desk.ok("candidate.uploadResume", candidateId=made, resumeHandle=silent)
    assert decided == {"repeat_tag"}
    desk.ok("candidate.uploadResume", candidateId=made, resumeHandle=speaking)
    desk.ok("candidate.search", email="Nova@x.example")
    desk.ok("candidate.createNote", candidateId=made, note="as it is ")
    assert decided == {"repeat_tag", "resume_parsing", "search_email", "note_text"}
    desk.settings.switches.clear()
    assert decided == set()


def test_a_report_can_take_its_time_and_nobody_has_to_fetch_it() -> None:
    """While it is made it is in progress; one that nobody looks at does not count for ever."""
    desk = Desk(report_seconds="600")
    report = next(iter(desk.side.state.reports))
    runs = [desk.ok("report.generate", reportId=report)["requestId"] for _ in range(3)]
    assert "in_progress" == desk.ok("report.generate", reportId=report, requestId=runs[0])["status"]
    assert 429 == desk.ask("report.generate", {"reportId": report}).status
    begun = desk.side.state.report_runs
    begun[runs[1]] = (report, time.monotonic() - 31)
    assert 200 == desk.ask("report.generate", {"reportId": report}).status
    desk.settings.switches["report_seconds"] = "0"
    assert "complete" == desk.ok("report.generate", reportId=report, requestId=runs[0])["status"]


def test_ignored_members_are_ignored_wherever_they_stand() -> None:
    """In a slot of a schedule and in a form as in any body; each is told."""
    desk = Desk(unknown_members="ignore")
    interviewer = next(user for user in desk.ok("user.list") if user.get("email"))["email"]
    slot = {"startTime": JAN, "endTime": FEB, "interviewers": [{"email": interviewer}]}
    schedule = desk.ok("interviewSchedule.create", applicationId=desk.application()["id"], interviewEvents=[slot])
    changed = {**slot, "interviewEventId": schedule["interviewEvents"][0]["id"], "endTime": MAR, "room": "Fjord"}
    for given in (changed, [changed]):
        read = desk.ok("interviewSchedule.update", interviewScheduleId=schedule["id"], interviewEvent=given)
        assert [MAR] == [one["endTime"] for one in read["interviewEvents"]]
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="candidateId"\r\n\r\n' + desk.candidate()["id"].encode()
        + b'\r\n--edge\r\nContent-Disposition: form-data; name="colour"\r\n\r\nred'
        + b'\r\n--edge\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc\r\n--edge--\r\n'
    )  # fmt: skip
    kind = "multipart/form-data; boundary=edge"
    assert desk.ask_raw("candidate.uploadFile", body, kind).json["success"] is True
    assert ["interviewEvent.room", "interviewEvent[0].room", "colour"] == [
        row["name"] for row in desk.journal.unknown_params
    ]  # fmt: skip
    desk.settings.switches.clear()
    assert "invalid_input" == desk.ask_raw("candidate.uploadFile", body, kind).json["errorInfo"]["code"]
    assert "invalid_input" == desk.refused(
        "interviewSchedule.update", interviewScheduleId=schedule["id"], interviewEvent=changed
    )  # fmt: skip


# --- all of them ----------------------------------------------------------------------------------------------


def test_every_switch_is_turned_somewhere_in_the_tests() -> None:
    """By its name, in the tests of the Ashby side."""
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("*ashby*.py"))
    assert [] == [name for name in ashby.SWITCHES if not re.search(rf'\b{name}(=|"\])|"{name}"', texts)]

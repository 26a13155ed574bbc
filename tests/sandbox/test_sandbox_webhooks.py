"""Webhooks of Lever in the sandbox: who registers them, what is told and how, and that nothing else changes."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from itertools import pairwise
from typing import Any

import pytest
import requests
from lever_kit import Server, one_server

from sandbox.company import build, edits
from sandbox.lever.happenings import EVENTS, FILTERED, happened, seen
from sandbox.lever.switches import SWITCHES
from sandbox.lever.webhooks import DELAYS_MS

Json = dict[str, Any]
ALL = [("confidentiality", "all")]
ORIGINS = ["applied", "sourced", "referred", "university", "internal", "agency"]
URL = "https://hooks.example/lever"
SILENT = (
    "note_new", "note_comment", "note_edit", "note_delete", "feedback_new", "feedback_submit", "feedback_edit",
    "feedback_delete", "form_new", "form_delete", "file_new", "file_replace", "file_delete", "resume_new", "offer_new",
    "tag", "source", "owner", "snooze", "follow", "sourced_by", "posting_edit", "posting_close", "user_deactivate",
    "application_delete",
)  # fmt: skip
"""Edits of which no webhook tells: of the reference's events none fits."""
DATA = {
    "applicationCreated": {"applicationId", "opportunityId", "contactId"},
    "candidateHired": {"opportunityId", "contactId"},
    "candidateStageChange": {"opportunityId", "contactId", "fromStageId", "toStageId"},
    "candidateArchiveChange": {"opportunityId", "contactId", "fromArchived", "toArchived"},
    "candidateDeleted": {"opportunityId", "contactId", "deletedBy"},
    "interviewCreated": {"interviewId", "panelId", "opportunityId", "createdAt"},
    "interviewUpdated": {"interviewId", "panelId", "opportunityId", "updatedAt"},
    "interviewDeleted": {"interviewId", "panelId", "opportunityId", "deletedAt"},
    "contactCreated": {"contactId", "accountId", "createdAt"},
    "contactUpdated": {"contactId", "accountId", "updatedAt"},
}
"""The keys of each event's data, as the fact sheet names them (§7)."""


running, server = one_server("--limits", "off", people=40)


def writer(server: Server) -> dict[str, str]:
    return server.bearer("webhooks:*")


def post(server: Server, headers: dict[str, str], **body: Any) -> requests.Response:
    url = f"{server.facts['lever_url']}/webhooks"
    return server.session.post(url, json=body, headers=headers, timeout=10)


def delete(server: Server, headers: dict[str, str], hook_id: str) -> requests.Response:
    return server.session.delete(f"{server.facts['lever_url']}/webhooks/{hook_id}", headers=headers, timeout=10)


def register(server: Server, *events: str, origins: list[str] | None = None) -> dict[str, Json]:
    """{event: webhook} of webhooks that were just made."""
    more = {"configuration": {"conditions": {"origins": origins}}} if origins else {}
    headers = writer(server)
    return {event: post(server, headers, event=event, url=URL, **more).json()["data"] for event in events}


def edit(server: Server, kind: str, **more: Any) -> Json:
    (done,) = server.control("edits", "POST", {"edits": [{"kind": kind, **more}]})
    return done


def told(server: Server) -> list[Json]:
    """The messages in the outbox."""
    return [json.loads(one["body"]) for one in server.control("lever/outbox")]


# ---- who may register ------------------------------------------------------------------------------------------------
def test_a_webhook_is_registered_listed_and_deleted(server: Server) -> None:
    """201 with a token to sign with and all origins, as recorded; the list shows no token; 204, then 404."""
    headers = writer(server)
    before = server.told("/webhooks", headers).json()["data"]
    answer = post(server, headers, event="candidateHired", url=URL)
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert (made["event"], made["url"], made["createdAt"]) == ("candidateHired", URL, made["updatedAt"])
    assert made["configuration"]["conditions"] == {"origins": ORIGINS}
    assert len(made["configuration"]["signatureToken"]) == 48
    listed = made | {"configuration": {"conditions": {"origins": ORIGINS}}}
    answer = server.told("/webhooks", headers).json()
    assert (answer["data"], set(answer)) == ([before[0], listed, before[1]], {"data"})
    statuses = [delete(server, headers, hook_id).status_code for hook_id in (made["id"], made["id"], before[0]["id"])]
    assert statuses == [204, 404, 204]
    assert server.told("/webhooks", headers).json()["data"] == [before[1]]
    server.control("reset", "POST")
    assert server.told("/webhooks", writer(server)).json()["data"] == before


def test_only_a_token_with_the_right_may_write(server: Server) -> None:
    """Keys may not, nor who may only read; to write is not to read; nothing else can be written, nor be changed."""
    url, about = f"{server.facts['lever_url']}/webhooks", {"event": "contactCreated", "url": URL}
    for key in ("lever_key", "lever_key_plain"):
        assert requests.post(url, json=about, auth=(server.facts[key], ""), timeout=10).status_code == 403
    reader, author = server.bearer("webhooks:read:admin"), server.bearer("webhooks:write:admin")
    assert (post(server, reader, **about).status_code, server.told("/webhooks", reader).status_code) == (403, 200)
    made = post(server, author, **about)
    assert (made.status_code, server.told("/webhooks", author).status_code) == (201, 403)
    hook = made.json()["data"]["id"]
    assert delete(server, reader, hook).status_code == 403
    assert requests.put(f"{url}/{hook}", json=about, headers=writer(server), timeout=10).status_code == 405
    assert delete(server, author, hook).status_code == 204
    calls = server.control("calls")
    assert (calls["unknown_paths"], calls["unknown_params"]) == ([], [])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "noteCreated", "url": URL},
        {"event": "candidateHired"},
        {"event": "candidateHired", "url": "http://hooks.example/"},
        {"event": "candidateHired", "url": URL, "configuration": {"conditions": {"origins": ["moon"]}}},
        {"event": "contactCreated", "url": URL, "configuration": {"conditions": {"origins": ["applied"]}}},
    ],
)
def test_a_webhook_that_makes_no_sense_is_refused(server: Server, body: Json) -> None:
    """400, and none is made."""
    headers = writer(server)
    assert post(server, headers, **body).status_code == 400
    assert len(server.told("/webhooks", headers).json()["data"]) == 2


# ---- what is told ----------------------------------------------------------------------------------------------------
def test_every_event_is_told_with_the_documented_data(server: Server) -> None:
    """One edit or two for each; ids only, of the objects that were edited, at the time of the edit."""
    register(server, *EVENTS)
    done = {kind: edit(server, kind) for kind in ("person_new", "hire", "stage", "interview_new", "contact_edit")}
    canceled = edit(server, "interview_cancel", opportunity=done["interview_new"]["opportunity"])
    gone = edit(server, "opportunity_delete", opportunity=canceled["opportunity"])
    found = told(server)
    assert {one["event"]: set(one["data"]) for one in found} == DATA
    at = {one["event"]: one["triggeredAt"] for one in found}
    new, deleted = done["person_new"], server.walk("/opportunities/deleted")[-1]
    first = {one["event"]: one["data"] for one in reversed(found)}
    assert first["applicationCreated"]["opportunityId"] == new["opportunity"]
    assert first["contactCreated"]["contactId"] == first["applicationCreated"]["contactId"] == new["contact"]
    assert first["contactCreated"]["createdAt"] == at["contactCreated"] == new["at"]
    assert first["candidateHired"]["opportunityId"] == done["hire"]["opportunity"]
    assert first["candidateStageChange"]["toStageId"] == done["stage"]["stage"]
    assert first["interviewCreated"]["panelId"] == done["interview_new"]["panel"]
    assert canceled["id"] in [one["data"].get("interviewId") for one in found if one["event"] == "interviewUpdated"]
    assert first["interviewDeleted"]["deletedAt"] == at["candidateDeleted"] == gone["at"]
    assert first["candidateDeleted"] == {
        "opportunityId": gone["opportunity"], "contactId": gone["contact"], "deletedBy": deleted["deletedBy"],
    }  # fmt: skip
    assert first["contactUpdated"]["contactId"] == done["contact_edit"]["contact"]


def test_how_a_candidacy_was_closed_is_told_before_and_after(server: Server) -> None:
    """Closed, closed anew, opened: null where it is open; a hire is told twice."""
    register(server, "candidateArchiveChange", "candidateHired")
    first = edit(server, "archive")
    key = first["opportunity"]
    second, third = edit(server, "archive", opportunity=key), edit(server, "reopen", opportunity=key)
    closed = [{"reason": one["reason"], "archivedAt": one["at"]} for one in (first, second)]
    found = [(one["data"]["fromArchived"], one["data"]["toArchived"], one["triggeredAt"]) for one in told(server)]
    assert found == [
        (None, closed[0], first["at"]), (closed[0], closed[1], second["at"]), (closed[1], None, third["at"]),
    ]  # fmt: skip
    edit(server, "hire")
    assert sorted(one["event"] for one in told(server)[3:]) == ["candidateArchiveChange", "candidateHired"]


def test_nobody_is_told_of_anything_else(server: Server) -> None:
    """Notes, feedback, files, forms, offers, tags, users: for none of them is there an event."""
    register(server, *EVENTS)
    for kind in SILENT:
        edit(server, kind)
    assert told(server) == []


def test_a_merge_has_no_event_of_its_own(server: Server) -> None:
    """At most the contact that was kept is told to have changed."""
    register(server, *EVENTS)
    done = edit(server, "merge")
    assert [(one["event"], one["data"]["contactId"]) for one in told(server)] in (
        [], [("contactUpdated", done["contact"])],
    )  # fmt: skip


def test_a_webhook_may_be_limited_to_origins(server: Server) -> None:
    """Candidacies of other origins are not told of."""
    register(server, "candidateStageChange", origins=["sourced", "agency"])
    done = server.control("edits", "POST", {"n": 25, "seed": 4, "kinds": ["stage"]})
    origin = {row["id"]: row["origin"] for row in server.walk("/opportunities", ALL)}
    wanted = [one["opportunity"] for one in done if origin[one["opportunity"]] in ("sourced", "agency")]
    assert 0 < len(wanted) < len(done)
    assert [one["data"]["opportunityId"] for one in told(server)] == wanted


def test_a_stream_of_edits_and_other_people_are_told_of_as_well(server: Server) -> None:
    """Whoever edits: by hand, in the background, or as a planted fault."""
    register(server, "candidateStageChange")
    server.control("live", "POST", {"per_second": 500, "kinds": ["stage"], "most": 3})
    for _ in range(200):
        if not (status := server.control("live"))["running"]:
            break
    assert (status["n"], len(told(server))) == (3, 3)
    row = {"api": "lever", "nth": 1, "effect": "others", "side": "lever", "n": 2, "kinds": ["stage"]}
    server.control("faults", "PUT", [row])
    server.get("/stages")
    assert len(told(server)) == 5


# ---- how it is told --------------------------------------------------------------------------------------------------
def test_the_signature_covers_token_and_time_and_not_the_data(server: Server) -> None:
    """As documented: another time does not fit, another body would; every token is another one."""
    hook = register(server, "candidateStageChange")["candidateStageChange"]
    key = hook["configuration"]["signatureToken"].encode()
    server.control("edits", "POST", {"n": 4, "kinds": ["stage"]})
    found = told(server)
    assert len({one["token"] for one in found}) == 4
    for one in found:
        assert set(one) == {"event", "triggeredAt", "token", "signature", "data"}
        assert len(one["token"]) == 48
        message = f"{one['token']}{one['triggeredAt']}".encode()
        assert one["signature"] == hmac.new(key, message, hashlib.sha256).hexdigest()
        assert one["signature"] != hmac.new(key, message + b"0", hashlib.sha256).hexdigest()
    sent = server.control("lever/outbox")[0]
    assert (sent["webhookId"], sent["requestUrl"]) == (hook["id"], URL)
    assert sent["headers"] == {"Content-Type": "application/json", "User-Agent": "Lever-Webhooks"}


@pytest.mark.parametrize(("answers", "status", "n"), [("2xx", 200, 1), ("3xx", 302, 6), ("never", None, 6)])
def test_all_but_2xx_is_tried_five_times_more_and_ever_later(
    server: Server, answers: str, status: int | None, n: int
) -> None:
    """A redirect is a failure, too; the first try is at the time of the edit."""
    server.control("switches", "POST", {"lever_hook_answers": answers})
    register(server, "candidateStageChange")
    done = edit(server, "stage")
    (sent,) = server.control("lever/outbox")
    assert [one["status"] for one in sent["tries"]] == [status] * n
    times = [one["at"] for one in sent["tries"]]
    assert times[0] == done["at"]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps == list(DELAYS_MS)[: n - 1] == sorted(set(gaps))
    assert server.control("switches?decided=1") == ([] if answers == "2xx" else ["lever_hook_answers"])


# ---- nothing else changes --------------------------------------------------------------------------------------------
def test_nothing_is_kept_before_a_webhook_is_registered_nor_after_it_is_deleted(server: Server) -> None:
    """The two of the account are rows only; the outbox is emptied by DELETE and by a reset."""
    edit(server, "stage")
    assert told(server) == []
    hook = register(server, "candidateStageChange")["candidateStageChange"]
    edit(server, "stage")
    assert len(told(server)) == 1
    assert delete(server, writer(server), hook["id"]).status_code == 204
    edit(server, "stage")
    assert len(told(server)) == 1
    assert server.control("lever/outbox", "DELETE") == []
    register(server, "candidateStageChange")
    edit(server, "stage")
    server.control("reset", "POST")
    edit(server, "stage")
    assert told(server) == []


def test_a_webhook_changes_no_edit(server: Server) -> None:
    """The same seed makes the same edits, ids and times, whether anybody is told of them or not."""
    logs = []
    for events in ((), EVENTS):
        server.control("reset", "POST")
        register(server, *events)
        logs.append(server.control("edits", "POST", {"n": 60, "seed": 9}))
    assert logs[0] == logs[1]
    assert {one["event"] for one in told(server)} <= set(EVENTS)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_told_is_what_differs(seed: int) -> None:
    """Every kind of edit, one after the other: each message names an object that is there or was, and fits its kind."""
    switches = SWITCHES
    editor = edits.editor(build(seed=seed, people=30), switch=lambda name: switches[name])
    rng, kinds = random.Random(seed), edits.weights(list(edits.WEIGHTS))
    for _ in range(150):
        before = seen(editor.company)
        done = editor.one(rng, kinds)
        found = list(happened(editor.company, before, done["at"]))
        assert {one.event: set(one.data) for one in found}.items() <= DATA.items()
        assert [one for one in found if one.event in FILTERED and one.origin not in ORIGINS] == []
        assert done["kind"] not in SILENT or found == []
        now = seen(editor.company)
        for one in found:
            places = {"opportunityId": "candidacies", "contactId": "contacts", "interviewId": "interviews"}
            for name, place in places.items():
                known = getattr(before, place) | getattr(now, place)
                assert one.data.get(name) is None or one.data[name] in known

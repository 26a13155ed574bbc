"""The Lever side behaves as the facts say; the control URLs and faults do what they promise."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from lever_kit import Server, one_server

import sandbox
from sandbox.ashby import SWITCHES as ASHBY_SWITCHES
from sandbox.company.edits import WEIGHTS
from sandbox.faults import EFFECTS, matches
from sandbox.lever.switches import SWITCHES as LEVER_SWITCHES
from sandbox.limits import FixedWindow, TokenBucket
from sandbox.scenarios import scenarios

running, server = one_server("--limits", "off")


ALL = [("confidentiality", "all")]


def test_lists_walk_in_pipeline_order_and_lose_nothing(server: Server):
    """Rank ascending, last advanced descending, id ascending; small pages give the same as large ones."""
    rank = {stage["id"]: stage["rank"] for stage in server.get("/disposition_stages").json()["data"]["stages"]}
    rows = server.walk("/opportunities", [*ALL, ("limit", "7")])
    truth = server.control("truth")
    assert sorted(row["id"] for row in rows) == sorted(row["id"] for row in truth["opportunities"])
    keys = [(rank[row["stage"]], -row["lastAdvancedAt"], row["id"]) for row in rows]
    assert keys == sorted(keys)
    assert rows == server.walk("/opportunities", ALL)


def test_offset_tokens_look_encoded_and_are_refused_when_foreign_or_old(server: Server):
    """A token works as a value of its own list; anything else is 400 with "Invalid offset token"."""
    token = server.get("/opportunities", {"limit": 5}).json()["next"]
    assert token.startswith("%5B")
    assert server.get("/opportunities", {"limit": 5, "offset": token}).status_code == 200
    for bad in ("nonsense", token[:-4], token.replace("%5B", "%5b")):
        answer = server.get("/opportunities", {"offset": bad})
        assert answer.status_code == 400
        assert "Invalid offset token" in answer.json()["message"]
    assert server.get("/users", {"offset": token}).status_code == 400
    server.control("switches", "POST", {"offset_seconds": "0"})
    assert server.get("/opportunities", {"limit": 5, "offset": token}).status_code == 400


def test_default_lists_hide_what_lever_hides(server: Server):
    """Confidential records and deactivated users appear only when asked for."""
    everyone, active = server.walk("/users", [("includeDeactivated", "true")]), server.walk("/users")
    assert (len(everyone), len(active)) == (12, 9)
    for path in ("/postings", "/opportunities", "/requisitions"):
        default, complete = server.walk(path), server.walk(path, ALL)
        only = server.walk(path, [("confidentiality", "confidential")])
        assert len(complete) == len(default) + len(only)
        assert len(only) > 0
        assert {row["confidentiality"] for row in default} == {"non-confidential"}


def test_a_key_without_access_is_refused_confidential_data(server: Server):
    """Default lists are silently shorter, an explicit request is an error, so are single confidential records."""
    secret = server.walk("/opportunities", [("confidentiality", "confidential")])[0]["id"]
    plain = {"key": "lever_key_plain"}
    assert server.get("/opportunities", **plain).status_code == 200
    for wanted in ("all", "confidential"):
        assert server.get("/opportunities", {"confidentiality": wanted}, **plain).status_code == 403
    assert server.get(f"/opportunities/{secret}", **plain).status_code == 403
    assert server.get(f"/opportunities/{secret}/notes", **plain).status_code == 403


def test_expand_is_repeated_and_a_comma_form_is_not_understood(server: Server):
    """Each expanded name becomes the whole object in the same key; the comma form leaves ids and is logged."""
    names = ("applications", "stage", "owner", "followers", "sourcedBy", "contact")
    rows = server.get("/opportunities", [("expand", name) for name in names]).json()["data"]
    for row in rows:
        assert set(row["stage"]) == {"id", "text"}
        assert row["contact"]["name"] == row["name"]
        assert isinstance(row["contact"]["location"], dict)
        assert all(item["opportunityId"] == row["id"] for item in row["applications"])
        assert all("email" in user for user in row["followers"])
        assert row["owner"] is None or "email" in row["owner"]
    row = server.get("/opportunities", {"expand": "applications,stage"}).json()["data"][0]
    assert isinstance(row["stage"], str)
    assert {"api": "lever", "endpoint": "/opportunities", "name": "expand=applications,stage"} in (
        server.control("calls")["unknown_params"]
    )


def test_include_is_a_whitelist(server: Server):
    """With include every attribute not named is gone; expand still works beside it."""
    row = server.get("/opportunities", [("include", "id"), ("include", "name"), ("expand", "stage")]).json()["data"][0]
    assert set(row) == {"id", "name", "stage"}


def test_windows_are_inclusive_and_skip_null_dates(server: Server):
    """Both ends belong to the window; records with null updatedAt never match; a non-number is 400."""
    rows = server.walk("/opportunities", ALL)
    at = sorted(row["createdAt"] for row in rows)[10]
    window = [*ALL, ("created_at_start", str(at)), ("created_at_end", str(at))]
    assert {row["createdAt"] for row in server.walk("/opportunities", window)} == {at}
    dated = server.walk("/opportunities", [*ALL, ("updated_at_start", "0")])
    assert len(dated) == sum(row["updatedAt"] is not None for row in rows)
    answer = server.get("/opportunities", {"created_at_start": "yesterday"})
    assert (answer.status_code, set(answer.json())) == (400, {"code", "message"})


def test_filters_unite_within_and_intersect_between(server: Server):
    """A repeated filter is OR, different filters are AND."""
    rows = server.walk("/opportunities", ALL)
    archived = server.walk("/opportunities", [*ALL, ("archived", "true")])
    assert archived == [row for row in rows if row["archived"]]
    both = [*ALL, ("origin", "agency"), ("origin", "sourced"), ("archived", "false")]
    wanted = [row for row in rows if row["origin"] in ("agency", "sourced") and not row["archived"]]
    assert server.walk("/opportunities", both) == wanted
    one = rows[0]["contact"]
    assert server.walk("/opportunities", [*ALL, ("contact_id", one)]) == [row for row in rows if row["contact"] == one]


@pytest.mark.parametrize("value", ["0", "101", "many"])
def test_limit_must_be_between_1_and_100(server: Server, value: str):
    """Anything else is refused."""
    assert server.get("/opportunities", {"limit": value}).status_code == 400


def test_every_child_list_and_single_child_answers(server: Server):
    """All lists below an opportunity answer; each listed child answers by its id."""
    kinds = ("notes", "feedback", "forms", "interviews", "panels", "referrals", "resumes", "files", "applications")
    seen = dict.fromkeys(kinds, 0)
    for row in server.walk("/opportunities", ALL)[::-2][:60]:
        for kind in kinds:
            listed = server.get(f"/opportunities/{row['id']}/{kind}").json()
            assert listed["hasNext"] is False
            for child in listed["data"][: 1 - min(seen[kind], 1)]:
                seen[kind] += 1
                assert server.get(f"/opportunities/{row['id']}/{kind}/{child['id']}").json()["data"] == child
        for kind in ("offers", "file_actions"):
            assert server.get(f"/opportunities/{row['id']}/{kind}").status_code == 200
    assert all(seen.values())


def test_short_lists_and_deprecated_names_answer(server: Server):
    """Metadata lists have their recorded shapes; /candidates is the old name of /opportunities."""
    stages = server.get("/stages").json()["data"]
    assert [stage["id"] for stage in stages if len(stage["id"]) < 36] == [
        "lead-new", "lead-reached-out", "lead-responded", "applicant-new", "offer",
    ]  # fmt: skip
    assert stages.index({"id": "offer", "text": "Offer"}) < len(stages) - 1
    assert set(server.get("/requisition_fields").json()) == {"data"}
    hired = server.get("/archive_reasons", {"type": "hired"}).json()["data"]
    assert [reason["text"] for reason in hired] == ["Hired", "Hired elsewhere in the group"]
    assert "inactive" in {reason["status"] for reason in server.get("/archive_reasons").json()["data"]}
    disposition = server.get("/disposition_stages").json()["data"]
    assert {reason["type"] for reason in disposition["archiveReasons"]} == {"hired", None}
    for path in ("/sources", "/tags"):
        assert set(server.get(path).json()["data"][0]) == {"text", "count"}
    posting = server.get("/postings").json()["data"][0]["id"]
    assert server.get(f"/postings/{posting}/apply").json()["data"]["id"] == posting
    assert server.get("/candidates", ALL).json() == server.get("/opportunities", ALL).json()
    assert {row["id"] for row in server.get("/feedback_templates").json()["data"]} & {None} == set()


def test_deleted_lists_have_their_bounds(server: Server):
    """Deleted opportunities need no bounds; deleted applications need both, at most 30 days apart."""
    assert len(server.walk("/opportunities/deleted")) == 4
    assert server.get("/applications/deleted").status_code == 400
    end = 1_774_958_400_000
    month = {"deleted_at_start": end - 30 * 86_400_000, "deleted_at_end": end}
    assert len(server.get("/applications/deleted", month).json()["data"]) == 4
    wide = month | {"deleted_at_start": end - 31 * 86_400_000}
    assert server.get("/applications/deleted", wide).status_code == 400
    assert len(server.get("/postings/deleted", month).json()["data"]) == 1


def test_postings_refuse_a_window_with_other_filters(server: Server):
    """updated_at_* goes with confidentiality only."""
    assert server.get("/postings", {"updated_at_start": 0, "state": "closed"}).status_code == 400
    assert len(server.get("/postings", [*ALL, ("updated_at_start", "0")]).json()["data"]) == 25


def test_downloads_come_directly_or_through_storage_and_match_their_hash(server: Server):
    """Half redirect to the storage host, which refuses our key; hashes agree; lost files are 422."""
    kinds = {"resume": "resumes", "file": "files", "offer": "offers"}
    statuses: set[int] = set()
    for row in server.control("truth")["files"]:
        path = f"/opportunities/{row['opportunity']}/{kinds[row['kind']]}/{row['id']}/download"
        if row["expected"] != "load":
            wanted = {"no file": 404, "unavailable": 422}.get(row["expected"])
            assert wanted is None or server.get(path).status_code == wanted
            continue
        answer = server.get(path, allow_redirects=False)
        statuses.add(answer.status_code)
        if answer.status_code == 302:
            place = answer.headers["location"]
            assert requests.get(place, auth=("a", "b"), timeout=10).status_code == 400
            answer = requests.get(place, timeout=10)
        assert hashlib.sha256(answer.content).hexdigest() == row["sha256"]
    assert statuses == {200, 302}


def test_wrong_keys_paths_and_methods_get_the_error_envelope(server: Server):
    """401, 404 and 405 carry code and message; unknown paths and parameters are logged."""
    url = f"{server.facts['lever_url']}/users"
    assert requests.get(url, timeout=10).status_code == 401
    assert requests.get(url, auth=("wrong", ""), timeout=10).status_code == 401
    assert requests.get(url, headers={"Authorization": "Basic %%%"}, timeout=10).status_code == 401
    answer = server.get("/nothing/here")
    assert (answer.status_code, answer.json()["code"]) == (404, "ResourceNotFound")
    assert server.get("/opportunities/not-an-id").json()["code"] == "ResourceNotFound"
    auth = (server.facts["lever_key"], "")
    assert requests.post(url, auth=auth, json={}, timeout=10).status_code == 405
    server.get("/users", {"colour": "red"})
    calls = server.control("calls")
    assert calls["unknown_paths"] == [{"api": "lever", "path": "/nothing/here"}]
    assert calls["unknown_params"] == [{"api": "lever", "endpoint": "/users", "name": "colour"}]
    assert server.get("/users").headers["x-lever-region"] == "global"


def test_oauth_rotates_the_refresh_token(server: Server):
    """A bearer token works until it ends; the old refresh token is refused after use."""
    oauth = server.facts["lever_oauth"]
    form = {name: oauth[name] for name in ("client_id", "client_secret", "refresh_token")}
    form["grant_type"] = "refresh_token"
    first = requests.post(oauth["token_url"], data=form, timeout=10).json()
    headers = {"Authorization": f"Bearer {first['access_token']}"}
    url = f"{server.facts['lever_url']}/users"
    assert requests.get(url, headers=headers, timeout=10).status_code == 200
    assert requests.post(oauth["token_url"], data=form, timeout=10).json()["error"] == "invalid_grant"
    server.control("switches", "POST", {"oauth_seconds": "0"})
    second = requests.post(oauth["token_url"], data=form | {"refresh_token": first["refresh_token"]}, timeout=10).json()
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    assert requests.get(url, headers=headers, timeout=10).status_code == 401


def test_an_admin_sends_the_app_back_with_a_code_that_works_once(server: Server):
    """The authorization step: code, tokens, and rights bounded by the scopes that were asked for."""
    oauth = server.facts["lever_oauth"]
    back = "https://app.example/back?x=1"
    query = {"client_id": oauth["client_id"], "redirect_uri": back, "response_type": "code", "state": "s t",
             "scope": "offline_access notes:read:admin opportunities:read:admin"}  # fmt: skip
    url = oauth["authorize_url"]
    answer = requests.get(url, params=query, timeout=10, allow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"{back}&code=")
    assert answer.headers["location"].endswith("&state=s+t")
    code = answer.headers["location"].split("code=")[1].partition("&")[0]
    form = {name: oauth[name] for name in ("client_id", "client_secret")}
    form |= {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
    assert _token(oauth, form | {"redirect_uri": "https://elsewhere.example"}).status_code == 403
    code = requests.get(url, params=query, timeout=10, allow_redirects=False).headers["location"]
    form["code"] = code.split("code=")[1].partition("&")[0]
    tokens = _token(oauth, form).json()
    assert set(tokens) == {"access_token", "refresh_token", "scope", "expires_in", "token_type"}
    assert _token(oauth, form).json()["error"] == "invalid_grant"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    asked = {path: _bearer(server, path, headers) for path in ("/opportunities", "/users", "/postings/x/users")}
    assert asked == {"/opportunities": 200, "/users": 403, "/postings/x/users": 403}
    assert _bearer(server, "/opportunities?confidentiality=all", headers) == 403
    opportunity = server.walk("/opportunities")[0]["id"]
    children = {name: _bearer(server, f"/candidates/{opportunity}/{name}", headers) for name in ("notes", "feedback")}
    assert children == {"notes": 200, "feedback": 403}


def _token(oauth: dict, form: dict) -> requests.Response:
    return requests.post(oauth["token_url"], data=form, timeout=10)


def _bearer(server: Server, path: str, headers: dict) -> int:
    return requests.get(f"{server.facts['lever_url']}{path}", headers=headers, timeout=10).status_code


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_id": "who"}, 403, "access_denied"),
        ({"redirect_uri": ""}, 403, "access_denied"),
        ({"response_type": "token"}, 400, "unsupported_response_type"),
        ({"scope": "eeo_responses:read:admin colours:read:admin"}, 400, "invalid_scope"),
    ],
)
def test_an_authorization_that_makes_no_sense_is_refused(server: Server, changed: dict, status: int, error: str):
    """Nobody is sent anywhere."""
    oauth = server.facts["lever_oauth"]
    query = {"client_id": oauth["client_id"], "redirect_uri": "https://a.example", "response_type": "code"}
    url = oauth["authorize_url"]
    answer = requests.get(url, params=query | changed, timeout=10, allow_redirects=False)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_without_offline_access_there_is_no_refresh_token(server: Server):
    """And the JSON form of the token request works as well."""
    oauth = server.facts["lever_oauth"]
    query = {"client_id": oauth["client_id"], "redirect_uri": "https://a.example", "response_type": "code"}
    url = oauth["authorize_url"]
    place = requests.get(url, params=query, timeout=10, allow_redirects=False).headers["location"]
    form = {name: oauth[name] for name in ("client_id", "client_secret")}
    form |= {
        "grant_type": "authorization_code",
        "code": place.partition("code=")[2],
        "redirect_uri": query["redirect_uri"],
    }
    tokens = requests.post(oauth["token_url"], json=form, timeout=10).json()
    assert set(tokens) == {"access_token", "scope", "expires_in", "token_type"}


def test_a_used_refresh_token_may_still_work(server: Server):
    """Whether it does is a switch."""
    oauth = server.facts["lever_oauth"]
    form = {name: oauth[name] for name in ("client_id", "client_secret", "refresh_token")}
    form["grant_type"] = "refresh_token"
    assert [_token(oauth, form).status_code for _ in range(2)] == [200, 403]
    server.control("switches", "POST", {"oauth_old_refresh": "accept"})
    assert _token(oauth, form).status_code == 200


def test_keys_may_lack_endpoints(server: Server):
    """Boxes are ticked one by one: a list, its single objects and each child list are boxes of their own."""
    wanted = "/requisitions, /users/*, /opportunities/*/notes,/contacts/*"
    server.control("switches", "POST", {"lever_key_without": wanted})
    row = server.walk("/opportunities")[0]
    user = server.walk("/users")[0]["id"]
    asked = ["/requisitions", f"/users/{user}", f"/opportunities/{row['id']}/notes", f"/candidates/{row['id']}/notes",
             f"/contacts/{row['contact']}", "/users", f"/opportunities/{row['id']}/feedback"]  # fmt: skip
    assert [server.get(path).status_code for path in asked] == [403] * 5 + [200] * 2
    assert set(server.get("/requisitions").json()) == {"code", "message"}
    assert server.get("/requisitions", key="lever_key_plain").status_code == 403


@pytest.mark.parametrize("refusal", ["403", "401", "400"])
def test_the_access_error_may_have_another_status(server: Server, refusal: str):
    """For lists and for single records; the body is an error envelope."""
    server.control("switches", "POST", {"confidential_refusal": refusal})
    secret = server.walk("/opportunities", [("confidentiality", "confidential")])[0]["id"]
    for path in ("/opportunities?confidentiality=all", f"/opportunities/{secret}", f"/opportunities/{secret}/files"):
        answer = server.get(path, key="lever_key_plain")
        assert (answer.status_code, set(answer.json())) == (int(refusal), {"code", "message"})


def test_confidential_data_may_be_trimmed_instead_of_refused(server: Server):
    """Then a key without access sees fewer rows and no error at all."""
    server.control("switches", "POST", {"confidential_refusal": "trimmed"})
    secret = server.walk("/opportunities", [("confidentiality", "confidential")])[0]["id"]
    plain = {"key": "lever_key_plain"}
    for path in ("/opportunities", "/postings", "/requisitions"):
        default = server.get(path, {"limit": 100}, **plain).json()
        assert server.get(path, {"confidentiality": "all", "limit": 100}, **plain).json()["data"] == default["data"]
        assert server.get(path, {"confidentiality": "confidential"}, **plain).json()["data"] == []
    assert server.get(f"/opportunities/{secret}", **plain).status_code == 404
    assert server.get(f"/opportunities/{secret}/notes", **plain).status_code == 404


def test_archived_snoozed_and_unattached_candidacies_are_not_hidden(server: Server):
    """A plain list holds them all; each flag cuts them apart; without a posting `location` is unspecified."""
    rows = server.walk("/opportunities", ALL)
    for flag, name in (("archived", "archived"), ("snoozed", "snoozedUntil")):
        parts = [server.walk("/opportunities", [*ALL, (flag, value)]) for value in ("true", "false")]
        assert [len(part) for part in parts] == [sum(row[name] is not None for row in rows), len(rows) - len(parts[0])]
        assert parts[0]
    loose = [row for row in rows if not row["applications"]]
    assert loose
    assert not [row for row in loose if "opportunityLocation" in row]
    found = server.walk("/opportunities", [*ALL, ("location", "unspecified")])
    assert {row["id"] for row in loose} <= {row["id"] for row in found}


def test_each_filter_of_candidacies_selects_what_it_says(server: Server):
    """Posting, archived posting, stage, reason, tag, source, address: against a filter of our own."""
    rows = server.walk("/opportunities", [*ALL, ("expand", "applications")])
    closed = next(row for row in rows if row["archived"] and row["applications"] and row["applications"][0]["archived"])
    posting = closed["applications"][0]["posting"]
    mailed = next(row for row in rows if row["emails"] and row["emails"][0].islower())

    def postings(row: dict, *, archived: bool) -> list[str]:
        return [one["posting"] for one in row["applications"] if one["archived"] or not archived]

    checks = {
        ("posting_id", posting): lambda row: posting in postings(row, archived=False),
        ("archived_posting_id", posting): lambda row: posting in postings(row, archived=True),
        ("stage_id", closed["stage"]): lambda row: row["stage"] == closed["stage"],
        ("archive_reason_id", closed["archived"]["reason"]): lambda row: (
            row["archived"] and row["archived"]["reason"] == closed["archived"]["reason"]
        ),
        ("tag", closed["tags"][-1]): lambda row: closed["tags"][-1] in row["tags"],
        ("source", closed["sources"][0]): lambda row: closed["sources"][0] in row["sources"],
        ("email", mailed["emails"][0]): lambda row: (
            mailed["emails"][0] in [mail.strip().lower() for mail in row["emails"]]
        ),
        ("advanced_at_start", str(closed["lastAdvancedAt"])): lambda row: (
            row["lastAdvancedAt"] >= closed["lastAdvancedAt"]
        ),
        ("archived_at_end", str(closed["archived"]["archivedAt"])): lambda row: (
            row["archived"] and row["archived"]["archivedAt"] <= closed["archived"]["archivedAt"]
        ),
    }  # fmt: skip
    for query, holds in checks.items():
        found = server.walk("/opportunities", [*ALL, query])
        assert [row["id"] for row in found] == [row["id"] for row in rows if holds(row)], query
        assert closed["id"] in {row["id"] for row in found} or query[0] == "email"


def test_short_lists_have_their_filters(server: Server):
    """Users by role and address, postings by state, team and tag, requisitions by status, code and date."""
    roles = [("accessRole[]", "admin"), ("accessRole[]", "super admin")]
    assert {row["accessRole"] for row in server.walk("/users", roles)} == {"admin", "super admin"}
    user = server.walk("/users")[2]
    assert server.walk("/users", [("email", user["email"])]) == [user]
    assert server.walk("/users", [("external_directory_id", "none")]) == []
    postings = server.walk("/postings", ALL)
    for name, value in (("state", "closed"), ("team", "Platform"), ("tag", "evergreen"), ("location", "Oslo")):
        got = server.walk("/postings", [*ALL, (name, value)])
        assert got == [row for row in postings if value in (row["state"], row["categories"].get(name), *row["tags"])]
        assert got
    requisitions = server.walk("/requisitions", ALL)
    wanted = requisitions[0]
    for name, value in (("status", wanted["status"]), ("requisition_code", wanted["requisitionCode"])):
        assert wanted in server.walk("/requisitions", [*ALL, (name, value)])
    late = [*ALL, ("created_at_start", str(wanted["createdAt"] + 1))]
    assert wanted not in server.walk("/requisitions", late)
    assert [row["id"] for row in server.get("/requisition_fields", {"isRequired": "true"}).json()["data"]] == [
        "cost_centre"
    ]


def test_short_lists_have_their_order_and_page_through(server: Server):
    """Users and postings newest first, tags and sources alphabetical; small pages give the same as large ones."""
    for path in ("/users", "/postings"):
        rows = server.walk(path, [("limit", "4")])
        assert rows == server.walk(path) == sorted(rows, key=lambda row: (-row["createdAt"], row["id"]))
    for path in ("/tags", "/sources"):
        rows = server.walk(path, [("limit", "4")])
        assert rows == server.walk(path) == sorted(rows, key=lambda row: (row["text"].lower(), row["text"]))
    assert {"Silver Medalist", "silver medalist"} <= {row["text"] for row in server.walk("/tags")}


def test_postings_can_be_grouped_and_tell_their_users(server: Server):
    """Both change the shape of the answer; an unknown group is 400."""
    groups = server.get("/postings", {"group": "team"}).json()["data"]
    assert [set(group) for group in groups] == [{"title", "postings"}] * len(groups)
    assert sorted(row["id"] for group in groups for row in group["postings"]) == sorted(
        row["id"] for row in server.walk("/postings")
    )
    assert server.get("/postings", {"group": "colour"}).status_code == 400
    assert server.get("/postings", {"group": "team", "updated_at_start": "0"}).status_code == 400
    told = server.get(f"/postings/{groups[0]['postings'][0]['id']}/users").json()
    assert set(told) == {"posting", "users", "roles"}
    assert server.get("/postings/nobody/users").status_code == 404


def test_retired_templates_are_neither_listed_nor_there_by_id(server: Server):
    """Forms that were filled in with them carry their own fields."""
    used = set()
    for row in server.walk("/opportunities", ALL):
        for form in server.get(f"/opportunities/{row['id']}/feedback").json()["data"]:
            used.add((form["baseTemplateId"], form["text"]))
    listed = {row["id"] for row in server.walk("/feedback_templates")}
    retired = {key for key, text in used if text == "Legacy phone screen"}
    assert len(retired) == 1
    assert not retired & listed
    assert server.get(f"/feedback_templates/{retired.pop()}").status_code == 404
    assert used
    assert server.get(f"/feedback_templates/{listed.pop()}").status_code == 200


def test_the_deprecated_name_has_children_and_downloads_as_well(server: Server):
    """`/candidates/...` is `/opportunities/...`, ids and all."""
    row = next(one for one in server.control("truth")["files"] if one["kind"] == "resume" and one["expected"] == "load")
    below = f"{row['opportunity']}/resumes"
    assert (
        server.get(f"/candidates/{row['opportunity']}").json()
        == server.get(f"/opportunities/{row['opportunity']}").json()
    )
    assert server.get(f"/candidates/{below}").json() == server.get(f"/opportunities/{below}").json()
    body = server.get(f"/candidates/{below}/{row['id']}/download").content
    assert hashlib.sha256(body).hexdigest() == row["sha256"]
    assert server.walk("/candidates/deleted") == server.walk("/opportunities/deleted")


def test_the_address_in_a_file_works_with_the_key(server: Server):
    """It points to what stands for Lever's own site, and stays on this machine unless a switch names the real one."""
    row = next(one for one in server.control("truth")["files"] if one["kind"] == "file" and one["expected"] == "load")
    path = f"/opportunities/{row['opportunity']}/files/{row['id']}"
    url = server.get(path).json()["data"]["downloadUrl"]
    assert url.startswith("http://127.0.0.1:")
    body = requests.get(url, auth=(server.facts["lever_key"], ""), timeout=10).content
    assert hashlib.sha256(body).hexdigest() == row["sha256"]
    assert requests.get(url, timeout=10).status_code == 401
    server.control("switches", "POST", {"files_envelope": "bare"})
    assert url in {one["downloadUrl"] for one in server.get(path.rpartition("/")[0]).json()}
    server.control("switches", "POST", {"download_urls": "lever"})
    assert server.get(path).json()["data"]["downloadUrl"].startswith("https://hire.lever.co/candidates/")


def test_children_can_be_cut_by_upload_date_and_offers_by_state(server: Server):
    """Windows on resumes, files and actions; a sent and a signed document, signed unless asked for."""
    files = [row for row in server.control("truth")["files"] if row["kind"] in ("resume", "file")]
    for row in files[:6]:
        path = f"/opportunities/{row['opportunity']}/{row['kind']}s"
        item = next(one for one in server.get(path).json()["data"] if one["id"] == row["id"])
        at = int((item.get("file") or item).get("uploadedAt") or 0)
        if at:
            inside = server.get(path, {"uploaded_at_start": at, "uploaded_at_end": at}).json()["data"]
            after = server.get(path, {"uploaded_at_start": at + 1}).json()["data"]
            assert (item in inside, item in after) == (True, False)
    offer = next(row for row in server.control("truth")["files"] if row["kind"] == "offer")
    path = f"/opportunities/{offer['opportunity']}/offers/{offer['id']}/download"
    bodies = {status: server.get(path, status and {"status": status}).content for status in ("", "sent", "signed")}
    assert bodies[""] == bodies["signed"] != bodies["sent"]
    assert server.get(path, {"status": "lost"}).status_code == 400


def test_include_works_on_every_object(server: Server):
    """On postings and children too; `expand` wins over it."""
    assert set(server.get("/postings", {"include": "text"}).json()["data"][0]) == {"text"}
    notes = (server.get(f"/opportunities/{row['id']}/notes", [("include", "id"), ("expand", "user")]).json()["data"]
             for row in server.walk("/opportunities"))  # fmt: skip
    assert set(next(row for rows in notes for row in rows)) == {"id", "user"}


def test_expansions_are_read_as_the_switches_say(server: Server):
    """Comma form, unknown names, applications without their questions: each with both answers."""
    both = {"expand": "applications,stage"}
    assert isinstance(server.get("/opportunities", both).json()["data"][0]["stage"], str)
    server.control("switches", "POST", {"expand_comma": "split"})
    assert isinstance(server.get("/opportunities", both).json()["data"][0]["stage"], dict)
    assert server.get("/opportunities", {"expand": "posting"}).status_code == 200
    server.control("switches", "POST", {"expand_unknown": "400"})
    assert server.get("/opportunities", {"expand": "posting"}).status_code == 400
    assert server.get("/opportunities", both).status_code == 200
    server.control("switches", "POST", {"expanded_applications": "without_questions"})
    row = next(
        row for row in server.get("/opportunities", {"expand": "applications"}).json()["data"] if row["applications"]
    )
    assert "customQuestions" not in row["applications"][0]
    single = server.get(f"/opportunities/{row['id']}/applications/{row['applications'][0]['id']}").json()["data"]
    assert set(single) - set(row["applications"][0]) == {"customQuestions"}


def test_filtered_lists_may_have_another_order_and_null_dates_may_match(server: Server):
    """Newest first under any filter, with tokens that work; a null `updatedAt` as the beginning of time."""
    rows = server.walk("/opportunities", ALL)
    window = [*ALL, ("updated_at_start", "0"), ("limit", "9")]
    dated = server.walk("/opportunities", window)
    assert dated == [row for row in rows if row["updatedAt"] is not None]
    server.control("switches", "POST", {"filtered_order": "created", "null_dates": "match"})
    newest = server.walk("/opportunities", window)
    assert newest == sorted(rows, key=lambda row: (-row["createdAt"], row["id"]))
    assert server.walk("/opportunities", [*ALL, ("limit", "9")]) == rows


def test_the_odd_envelopes_of_the_reference_can_be_had(server: Server):
    """A template without `data`, one form bare, one reason as an object, short lists without `hasNext`."""
    template = server.walk("/feedback_templates")[0]
    form = next(one for one in server.control("truth")["forms"] if one["expected"] == "load")
    server.control("switches", "POST", {"envelopes": "documented"})
    assert server.get(f"/feedback_templates/{template['id']}").json() == template
    forms = server.get(f"/opportunities/{form['opportunity']}/forms").json()
    assert forms["id"] == form["id"]
    assert server.get("/archive_reasons", {"type": "hired"}).json()["data"][0]["type"] == "hired"
    assert set(server.get("/users").json()) == set(server.get("/stages").json()) == {"data"}
    assert set(server.get("/users", {"limit": 2}).json()) == {"data", "next", "hasNext"}
    assert set(server.get("/postings").json()) == {"data", "hasNext"}


def test_odd_values_of_the_reference_can_be_had(server: Server):
    """No questions as null, a template without group, stage and date, files without a size, options as one text."""
    rows = server.walk("/opportunities", [*ALL, ("expand", "applications")])
    templates = server.walk("/feedback_templates")
    below = [(row["id"], kind) for row in rows for kind in ("feedback", "forms", "files", "resumes", "referrals")]
    before = {place: server.get("/opportunities/{}/{}".format(*place)).json()["data"] for place in below}
    server.control("switches", "POST", {"odd_values": "on"})
    after = {place: server.get("/opportunities/{}/{}".format(*place)).json()["data"] for place in below}
    told = {template["id"]: template for template in server.walk("/feedback_templates")}
    for template in templates:
        assert told[template["id"]] == template | {"createdAt": None} | {
            name: "" for name in ("group", "stage") if template[name] is None
        }  # fmt: skip
        assert server.get(f"/feedback_templates/{template['id']}").json()["data"] == told[template["id"]]
    odd_rows = server.walk("/opportunities", [*ALL, ("expand", "applications")])
    pairs = [(one, two) for was, now in zip(rows, odd_rows, strict=True)
             for one, two in zip(was["applications"], now["applications"], strict=True)]  # fmt: skip
    assert {repr(two["customQuestions"]) for one, two in pairs if one["customQuestions"] == []} == {"[]", "None"}
    for one, two in pairs:
        by_id = server.get(f"/opportunities/{one['opportunityId']}/applications/{one['id']}").json()["data"]
        assert by_id == two
        assert (two["customQuestions"] or []) == [] or _as_lists(two["customQuestions"]) == one["customQuestions"]
    sizes = {kind: set() for kind in ("files", "resumes")}
    for (where, kind), items in after.items():
        for was, now in zip(before[where, kind], items, strict=True):
            if kind in sizes:
                file = now.get("file", now) or {}
                sizes[kind].add(file.get("size") is None)
                assert server.get(f"/opportunities/{where}/{kind}/{now['id']}").json()["data"] == now
            else:
                assert _as_lists(now) == was
    assert sizes == {"files": {True, False}, "resumes": {True, False}}
    texts = [field["value"] for item in [*after.values(), [row["applications"] for row in odd_rows]]
             for field in _fields(item) if field["type"] == "multiple-select"]  # fmt: skip
    assert {type(value) for value in texts if value} == {str, list}
    assert any(", " in value for value in texts if isinstance(value, str))
    assert set(server.control("switches?decided=1")) == {"odd_values"}


def _fields(value: object) -> Iterator[dict]:
    """All answered form fields in a value."""
    if isinstance(value, dict) and {"type", "text", "value"} <= value.keys():
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _fields(child)


def _as_lists(value: object) -> object:
    """The same value with the options of every multiple-select as a list."""
    if isinstance(value, list):
        return [_as_lists(one) for one in value]
    if isinstance(value, dict):
        made = {name: _as_lists(one) for name, one in value.items()}
        if made.get("type") == "multiple-select" and isinstance(made.get("value"), str):
            made["value"] = made["value"].split(", ")
        return made
    return value


@pytest.mark.parametrize(("wanted", "seen"), [("open", True), ("confidential", False)])
def test_a_requisition_may_be_linked_to_postings_of_both_kinds(server: Server, wanted: str, seen: bool):
    """A key without access sees it or not (a switch); one with access always does, and by its id the same."""
    kinds = {row["id"]: row["confidentiality"] for row in server.walk("/postings", ALL)}
    before = server.walk("/requisitions", ALL)
    server.control("switches", "POST", {"shared_requisition": wanted})
    after = server.walk("/requisitions", ALL)
    assert [row["id"] for row in after] == [row["id"] for row in before]
    assert after[1:] == before[1:]
    assert {kinds[one] for one in after[0]["postings"]} == {"confidential", "non-confidential"}
    assert (after[0]["id"] in {row["id"] for row in server.walk("/requisitions")}) is seen
    path = f"/requisitions/{after[0]['id']}"
    assert server.get(path).json()["data"] == after[0]
    answer = server.get(path, key="lever_key_plain")
    assert answer.status_code == (200 if seen else 403)
    listed = server.get("/requisitions", key="lever_key_plain").json()["data"]
    assert (after[0] in listed) is seen


def test_secret_notes_and_forms_may_be_hidden(server: Server):
    """Whether every key sees them is not known."""
    note = next(one for one in server.control("truth")["notes"] if one["secret"] and one["expected"] == "load")
    path = f"/opportunities/{note['opportunity']}/notes"
    assert note["id"] in {row["id"] for row in server.get(path).json()["data"]}
    server.control("switches", "POST", {"secret_children": "hidden"})
    assert note["id"] not in {row["id"] for row in server.get(path).json()["data"]}


def test_deleted_lists_may_be_lenient_and_their_pages_shorter(server: Server):
    """Windows of any width or none; 50 rows where no limit is sent."""
    for _ in range(2):
        server.control("edits", "POST", {"kinds": ["application_delete"], "n": 30})
    server.control("switches", "POST", {"deleted_windows": "free"})
    assert len(server.get("/applications/deleted").json()["data"]) == 64
    server.control("switches", "POST", {"deleted_page": "50"})
    answer = server.get("/applications/deleted").json()
    assert (len(answer["data"]), answer["hasNext"]) == (50, True)
    assert len(server.walk("/applications/deleted", [("limit", "7")])) == 64


def test_downloads_may_name_their_type(server: Server):
    """By default they do not say what they are."""
    server.control("switches", "POST", {"download_redirects": "none"})
    row = next(one for one in server.control("truth")["files"] if one["kind"] == "resume" and one["expected"] == "load")
    path = f"/opportunities/{row['opportunity']}/resumes/{row['id']}/download"
    assert server.get(path).headers["content-type"] == "application/octet-stream"
    server.control("switches", "POST", {"download_types": "named"})
    assert server.get(path).headers["content-type"] == "application/pdf"


def test_downloads_may_be_free_of_the_limit():
    """Whether they count is not known."""
    server = Server("--limits", "real", people=8)
    row = next(one for one in server.control("truth")["files"] if one["kind"] == "resume" and one["expected"] == "load")
    path = f"/opportunities/{row['opportunity']}/resumes/{row['id']}/download"
    while server.get("/stages").status_code == 200:
        pass
    assert server.get(path).status_code == 429
    server.control("switches", "POST", {"downloads_limited": "no"})
    assert server.get(path).status_code == 200
    assert server.end() == 0


def test_answers_tell_their_region(server: Server):
    """EU accounts live in a deployment of their own."""
    assert server.get("/stages").headers["x-lever-region"] == "global"
    server.control("switches", "POST", {"lever_region": "eu"})
    assert server.get("/stages").headers["x-lever-region"] == "eu"


@pytest.mark.parametrize(("buckets", "left"), [("key", True), ("account", False)])
def test_keys_may_share_a_bucket(buckets: str, left: bool):
    """Each key has its own, or the account has one."""
    server = Server("--limits", "real", people=8)
    server.control("switches", "POST", {"lever_buckets": buckets, "lever_retry_after": "3"})
    while (answer := server.get("/stages")).status_code == 200:
        pass
    assert answer.headers["retry-after"] == "3"
    assert (server.get("/stages", key="lever_key_plain").status_code == 200) is left
    server.end()


def test_the_limit_is_a_bucket_of_ten_a_second_with_a_burst_of_twenty():
    """With real limits a request after the 20th at once is 429, without Retry-After, and is counted."""
    server = Server()
    statuses = [server.get("/stages").status_code for _ in range(20)]
    assert statuses == [200] * 20
    while 429 not in statuses and len(statuses) < 400:  # a busy machine sends them not quite at once
        statuses.append(server.get("/stages").status_code)
    assert 429 in statuses
    answer = server.get("/stages")
    while answer.status_code == 200:
        answer = server.get("/stages")
    assert (answer.status_code, set(answer.json())) == (429, {"code", "message"})
    assert "retry-after" not in answer.headers
    assert server.control("calls")["throttled"] >= 2
    assert server.control("stop", "POST") == {"ok": True}
    assert server.process.wait(10) == 0
    server.end()


def test_buckets_and_windows_refill_with_their_clock():
    """Both counters on a clock of our own."""
    now = [0.0]
    bucket = TokenBucket(10, 20, clock=lambda: now[0])
    assert [bucket.take() for _ in range(21)] == [True] * 20 + [False]
    now[0] = 0.5
    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]
    window = FixedWindow(2, 60, clock=lambda: now[0])
    assert [window.take() for _ in range(3)] == [True, True, False]
    assert (window.remaining, window.reset_in) == (0, 60)
    now[0] = 61
    assert window.take()


@pytest.mark.parametrize(("effect", "applied"), [("reset_before", 0), ("reset_after", 1), ("truncate", 1)])
def test_a_lost_answer_leaves_the_state_the_fault_says(server: Server, effect: str, applied: int):
    """Cut before: nothing was done. Cut after or in the middle: it was done, and nobody was told."""
    before = len(server.control("state")["tags"])
    server.control("faults", "POST", {"api": "ashby", "endpoint": "candidateTag.create", "nth": 1, "effect": effect})
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        server.ashby("candidateTag.create", {"title": f"fault {effect}"})
    assert len(server.control("state")["tags"]) == before + applied
    assert server.control("calls")["faults"] == {effect: 1}
    assert server.control("faults")[0]["struck"] == 1


def test_answers_can_be_spoiled_in_other_ways(server: Server):
    """Status, throttling with and without Retry-After, HTML, a missing success member, a delay."""

    def once(**row: object) -> None:
        server.control("faults", "PUT", [{"nth": 1, **row}])

    once(api="lever", endpoint="/opportunities/*/notes", effect="status", status=503, headers={"Retry-After": "7"})
    some = server.get("/opportunities", {"limit": 1}).json()["data"][0]["id"]
    answer = server.get(f"/opportunities/{some}/notes")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    once(api="lever", effect="throttle", retry_after=3)
    assert server.get("/stages").headers["retry-after"] == "3"
    once(api="lever", effect="html")
    assert server.get("/stages").text.startswith("<html>")
    once(api="ashby", endpoint="candidateTag.*", effect="no_success")
    answer = server.ashby("candidateTag.create", {"title": "odd"}).json()
    assert "success" not in answer
    assert answer["results"]["title"] == "odd"
    once(api="lever", effect="delay", ms=60)
    assert server.get("/stages").elapsed.total_seconds() >= 0.06
    assert server.get("/stages").status_code == 200


@pytest.mark.parametrize(
    "row", [{"effect": "explode"}, {"effect": "status", "colour": 1}, {"effect": "delay", "nth": 0}]
)
def test_a_fault_row_that_makes_no_sense_is_refused(server: Server, row: dict):
    """A typo must not silently mean "no fault"."""
    assert server.control("faults", "POST", row)["ok"] is False
    assert server.control("faults") == []


def test_fault_patterns_fit_one_segment_each():
    """``*`` stands for one id in a Lever path and for the rest of an Ashby name; writes are told by their verb."""
    assert matches("/opportunities/*/notes", "/opportunities/abc/notes")
    assert not matches("/opportunities/*", "/opportunities/abc/notes")
    assert matches("candidate.*", "candidate.create")
    assert matches(None, "candidate.create", writes=True)
    assert not matches(None, "candidate.list", writes=True)


def test_reset_gives_back_the_state_of_the_boot(server: Server):
    """After a reset the Ashby state, the switches, the faults and the counters are as at the start."""
    pristine = server.control("state")
    server.ashby("candidateTag.create", {"title": "soon gone"})
    server.control("switches", "POST", {"files_envelope": "bare"})
    server.control("faults", "POST", {"api": "lever", "effect": "html"})
    assert server.control("reset", "POST")["ok"] is True
    assert server.control("state") == pristine
    assert (server.control("switches")["files_envelope"], server.control("faults")) == ("data", [])
    assert server.control("calls")["total"] == 0


def test_switches_change_what_the_vendor_leaves_open(server: Server):
    """Bare file lists, 404 for no resume, hidden internal postings."""
    rows = server.walk("/opportunities", ALL)
    empty = next(row["id"] for row in rows if not server.get(f"/opportunities/{row['id']}/resumes").json()["data"])
    shown = len(server.walk("/postings"))
    switches = {"files_envelope": "bare", "empty_resumes": "404", "internal_postings": "hidden"}
    assert switches.items() <= server.control("switches", "POST", switches).items()
    assert server.control("switches", "POST", {"colour": "red"})["ok"] is False
    assert isinstance(server.get(f"/opportunities/{empty}/files").json(), list)
    assert server.get(f"/opportunities/{empty}/resumes").status_code == 404
    assert len(server.walk("/postings")) == shown - 1
    both = [("distributionChannel", "public"), ("distributionChannel", "internal")]
    assert "Team Lead, Platform" in {row["text"] for row in server.walk("/postings", both)}


def test_another_company_can_be_served_under_the_same_keys():
    """Seed and size change, keys stay; the journal keeps full records."""
    server = Server("--limits", "x50", "--scenario", "flaky", "--lag", "1")
    assert len(server.control("faults")) == 8
    server.control("faults", "DELETE")
    first = server.get("/opportunities").json()["data"][0]["id"]
    assert server.control("seed", "POST", {"seed": 99, "people": 20}) == {"ok": True, "seed": 99, "people": 20}
    server.control("faults", "DELETE")
    assert server.get("/opportunities").json()["data"][0]["id"] != first
    assert server.control("health")["people"] == 20
    assert server.control("truth")["counts"]["people"] == 20
    record = server.control("calls?full=1")["records"][0]
    assert (record["api"], record["endpoint"], record["status"]) == ("lever", "/opportunities", 200)
    assert server.end() == 0


def test_a_taken_port_and_a_bad_limit_are_said_plainly(server: Server):
    """Exit code 2 and one message, no traceback."""
    port = server.facts["lever_url"].split(":")[2].split("/")[0]
    for options in (["--port", port], ["--limits", "sometimes"]):
        done = subprocess.run([sys.executable, "-m", "sandbox", *options], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_the_readme_names_every_switch_fault_scenario_and_url():
    """What can be set or asked is documented."""
    folder = Path(sandbox.__file__).parent
    text = (folder / "README.md").read_text() + (folder / "ashby" / "README.md").read_text()
    names = [*LEVER_SWITCHES, *ASHBY_SWITCHES, *EFFECTS, *scenarios()]
    names += ["/health", "/reset", "/seed", "/faults", "/switches", "/calls", "/truth", "/state", "/stop"]
    names += ["/edits", "/live", *WEIGHTS]
    assert [name for name in names if f"`{name}`" not in text and f"{name}`" not in text] == []

"""The rarer corners of the Lever side: deleted lists, addresses outside of the API, rights of their own."""

from __future__ import annotations

import hashlib

import pytest
import requests
from lever_kit import Server, one_server

from sandbox.company import build
from sandbox.company.filebytes import make
from sandbox.company.templates import UPLOAD_BYTES

ALL = [("confidentiality", "all")]
MONTH = [("deleted_at_start", str(1_774_958_400_000)), ("deleted_at_end", str(1_774_958_400_000 + 86_400_000))]
DATE = "Tue, 31 Mar 2026 12:00:00 GMT"
"""The account's clock before any edit."""
DELETED = ("/opportunities/deleted", "/applications/deleted", "/candidates/deleted")
EXTRA = ("eeo_responses:read:admin", "eeo_responses_pii:read:admin", "diversity_surveys:read:admin",
         "audit_events:read:admin", "webhooks:read:admin", "webhooks:write:admin", "webhooks:*")  # fmt: skip
"""Scopes that the reference names beyond those of a full read."""


running, server = one_server("--limits", "off", people=40)


# ---- deleted lists ---------------------------------------------------------------------------------------------------
def delete(server: Server) -> dict[str, tuple[str, str]]:
    """{which: (opportunity, application)} of a confidential and of an ordinary candidacy that are deleted now."""
    gone = {}
    for which in ("confidential", "non-confidential"):
        rows = server.walk("/opportunities", [("confidentiality", which)])
        row = next(row for row in rows if row["applications"] and not row["isAnonymized"])
        gone[which] = row["id"], row["applications"][0]
        server.control("edits", "POST", {"edits": [{"kind": "opportunity_delete", "opportunity": row["id"]}]})
    return gone


def shown(server: Server, path: str, wanted: str, key: str) -> list[str] | int:
    """Which of the two are in a deleted list, or the status of a refusal."""
    answer = server.get(path, [*MONTH, *[("confidentiality", wanted)] * bool(wanted)], key=key)
    if answer.status_code != 200:
        return answer.status_code
    return [row["id"] for row in answer.json()["data"]]


@pytest.mark.parametrize(
    ("switch", "wanted", "full", "plain"),
    [
        ("listed", "", "both", "open"),
        ("listed", "all", "both", 403),
        ("listed", "confidential", "secret", 403),
        ("listed", "non-confidential", "open", "open"),
        ("hidden", "", "open", "open"),
        ("hidden", "all", "open", 403),
        ("hidden", "confidential", "none", 403),
        ("asked", "", "open", "open"),
        ("asked", "all", "both", 403),
        ("asked", "confidential", "secret", 403),
        ("asked", "non-confidential", "open", "open"),
    ],
)
def test_confidential_deleted_objects_are_shown_as_the_switch_says(
    server: Server, switch: str, wanted: str, full: str | int, plain: str | int
) -> None:
    """Never to a key without access; `confidentiality` is a known parameter of these lists."""
    gone = delete(server)
    server.control("switches", "POST", {"deleted_confidential": switch})
    for path in DELETED:
        place = int(path.startswith("/applications"))
        secret, ordinary = (gone[which][place] for which in ("confidential", "non-confidential"))
        found = {"both": [secret, ordinary], "open": [ordinary], "secret": [secret], "none": []}
        assert shown(server, path, wanted, "lever_key") == found.get(full, full)
        assert shown(server, path, wanted, "lever_key_plain") == found.get(plain, plain)
    assert server.control("calls")["unknown_params"] == []


def test_a_refusal_may_be_trimmed_in_deleted_lists_as_well(server: Server) -> None:
    """Then a key without access gets what is not confidential, and no error; an unknown word is 400."""
    gone = delete(server)
    server.control("switches", "POST", {"confidential_refusal": "trimmed"})
    told = {wanted: shown(server, DELETED[0], wanted, "lever_key_plain") for wanted in ("all", "confidential", "some")}
    assert told == {"all": [gone["non-confidential"][0]], "confidential": [], "some": 400}


def test_deleted_items_may_be_bare(server: Server) -> None:
    """Only what the lists were said to hold for sure; paging goes on; a posting stays what its reference shows."""
    delete(server)
    whole = server.walk("/opportunities/deleted")
    assert {"name", "stage", "deletedBy"} <= set(whole[0])
    posting = server.walk("/postings/deleted")
    server.control("switches", "POST", {"deleted_items": "bare"})
    bare = [{name: row[name] for name in ("id", "deletedAt", "deletedBy")} for row in whole]
    assert server.walk("/opportunities/deleted", [("limit", "4")]) == bare
    assert set(server.walk("/applications/deleted", MONTH)[0]) == {"id", "deletedAt"}
    assert server.walk("/postings/deleted") == posting
    assert "deletedAt" not in posting[0]


def test_what_was_deleted_with_its_application_can_be_expanded(server: Server) -> None:
    """An application that is gone stays an id, whether expanded ones are whole or not."""
    gone = delete(server)
    for whole in ("full", "without_questions"):
        server.control("switches", "POST", {"expanded_applications": whole})
        rows = server.walk("/opportunities/deleted", [*MONTH, ("expand", "applications")])
        assert [row["applications"] for row in rows] == [[application] for _, application in gone.values()]


# ---- addresses outside of the API ------------------------------------------------------------------------------------
def address(server: Server) -> str:
    """A `downloadUrl`."""
    row = next(one for one in server.control("truth")["files"] if one["kind"] == "file" and one["expected"] == "load")
    return server.get(f"/opportunities/{row['opportunity']}/files/{row['id']}").json()["data"]["downloadUrl"]


def test_faults_strike_the_address_in_a_file(server: Server) -> None:
    """As calls of Lever, under the name the address has."""
    url, auth = address(server), (server.facts["lever_key"], "")
    row = {"api": "lever", "endpoint": "/candidates/*/files/*/download", "nth": 1, "effect": "status", "status": 503}
    assert isinstance(server.control("faults", "PUT", [row]), list)
    assert [requests.get(url, auth=auth, timeout=10).status_code for _ in range(2)] == [503, 200]
    server.control("faults", "PUT", [{"api": "lever", "effect": "html"}])
    assert requests.get(url, auth=auth, timeout=10).text.startswith("<html>")


def test_all_of_lever_shows_the_date_of_the_account(server: Server) -> None:
    """The API, its OAuth server, and the address in a file."""
    oauth = server.facts["lever_oauth"]
    server.control("switches", "POST", {"download_redirects": "none"})
    answers = [
        server.get("/stages"),
        requests.get(address(server), auth=(server.facts["lever_key"], ""), timeout=10),
        requests.post(oauth["token_url"], data={}, timeout=10),
        requests.get(oauth["authorize_url"], timeout=10),
    ]
    assert [(answer.status_code, answer.headers["date"]) for answer in answers] == [
        (200, DATE), (200, DATE), (401, DATE), (403, DATE),
    ]  # fmt: skip


def test_the_address_in_a_file_may_refuse_the_key(server: Server) -> None:
    """The API's own download goes on working."""
    url, auth = address(server), (server.facts["lever_key"], "")
    server.control("switches", "POST", {"download_url_key": "refused", "download_redirects": "none"})
    assert requests.get(url, auth=auth, timeout=10).status_code == 401
    assert server.get(url.partition("/lever/hire")[2]).status_code == 200


# ---- rights of their own ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("scope", EXTRA)
def test_every_scope_of_the_reference_is_given(server: Server, scope: str) -> None:
    """Nothing but what the scope names can be read with it."""
    headers = server.bearer(scope)
    assert server.told("/users", headers).status_code == 403
    asked = {"webhooks": "/webhooks", "eeo_responses": "/eeo/responses", "eeo_responses_pii": "/eeo/responses/pii"}
    told = {name: server.told(path, headers).status_code for name, path in asked.items()}
    assert told == {name: 200 if scope.startswith(f"{name}:") and "write" not in scope else 403 for name in asked}


def test_keys_hold_no_right_of_its_own(server: Server) -> None:
    """And paid add-ons nobody has; a posting's surveys are none."""
    posting = server.walk("/postings")[0]["id"]
    paths = ["/eeo/responses", "/eeo/responses/pii", "/webhooks", "/audit_events", f"/surveys/diversity/{posting}"]
    assert [server.get(path).status_code for path in paths] == [403] * 5
    headers = server.bearer(*EXTRA)
    assert [server.told(path, headers).status_code for path in paths] == [200, 200, 200, 403, 200]
    assert server.told(paths[-1], headers).json() == {"data": []}
    assert server.told("/surveys/diversity/nobody", headers).status_code == 404


def test_eeo_answers_are_those_of_the_last_week_unless_asked(server: Server) -> None:
    """Newest first, page by page, nobody's whom the token may not see; the reference has another envelope."""
    headers = server.bearer(*EXTRA, "confidential:access:admin")
    rows = server.told("/eeo/responses/pii", headers, {"created_at_start": "0"}).json()["data"]
    assert [row["appliedAt"] for row in rows] == sorted((row["appliedAt"] for row in rows), reverse=True)
    assert len(rows) > 20
    week = server.told("/eeo/responses/pii", headers).json()["data"]
    assert week == [row for row in rows if row["appliedAt"] >= rows[0]["appliedAt"] - 8 * 86_400_000][: len(week)]
    assert len(week) < len(rows)
    end = {"created_at_start": "0", "created_at_end": str(rows[5]["appliedAt"])}
    assert server.told("/eeo/responses/pii", headers, end).json()["data"] == rows[5:]
    page = server.told("/eeo/responses", headers, {"fromDate": "0", "limit": "9"}).json()
    assert page["data"] == [{name: row[name] for name in page["data"][0]} for row in rows[:9]]
    following = server.told("/eeo/responses", headers, {"fromDate": "0", "limit": "9", "offset": page["next"]}).json()
    assert [row["appliedAt"] for row in following["data"]] == [row["appliedAt"] for row in rows[9:18]]
    open_rows = {row["id"] for row in server.walk("/opportunities")}
    fewer = server.told("/eeo/responses/pii", server.bearer(*EXTRA), {"created_at_start": "0"}).json()["data"]
    assert fewer == [row for row in rows if row["opportunityId"] in open_rows]
    names = [("expand", name) for name in ("contact", "hiringManager", "posting")]
    whole = server.told("/eeo/responses/pii", headers, [("created_at_start", "0"), *names]).json()["data"][0]
    assert (whole["contact"]["id"], whole["posting"]["id"]) == (rows[0]["contact"], rows[0]["posting"])
    server.control("switches", "POST", {"envelopes": "documented"})
    told = server.told("/eeo/responses/pii", headers, {"created_at_start": "0"}).json()
    assert told == {"data": {"eeoResponses": rows}}


def test_where_a_posting_is_distributed_may_be_asked(server: Server) -> None:
    """On the posting and on its form (documented); another word is 400."""
    posting = server.walk("/postings")[0]["id"]
    for path in (f"/postings/{posting}", f"/postings/{posting}/apply"):
        for value, status in (("internal", 200), ("external", 200), ("both", 400)):
            assert server.get(path, {"distribution": value}).status_code == status
    assert server.get(f"/postings/{posting}/apply", {"location": "Oslo"}).status_code == 200
    assert server.control("calls")["unknown_params"] == []


@pytest.mark.parametrize("key", ["lever_key", "lever_key_plain"])
def test_audit_events_are_for_accounts_and_tokens_that_have_them(server: Server, key: str) -> None:
    """A dozen, newest first, page by page; never for a key, nor for a token without the scope."""
    server.control("switches", "POST", {"audit_addon": "on"})
    assert server.get("/audit_events", key=key).status_code == 403
    assert server.told("/audit_events", server.bearer("users:read:admin")).status_code == 403
    headers = server.bearer("audit_events:read:admin")
    rows = server.told("/audit_events", headers).json()["data"]
    assert (len(rows), rows) == (12, sorted(rows, key=lambda row: -row["createdAt"]))
    page = server.told("/audit_events", headers, {"limit": "7"}).json()
    rest = server.told("/audit_events", headers, {"limit": "7", "offset": page["next"]}).json()
    assert page["data"] + rest["data"] == rows


def test_audit_events_can_be_filtered(server: Server) -> None:
    """By every documented parameter; `null` is nobody; a target's id needs its type."""
    server.control("switches", "POST", {"audit_addon": "on"})
    headers = server.bearer("audit_events:read:admin")

    def found(**params: object) -> list[dict]:
        return server.told("/audit_events", headers, params).json()["data"]

    rows = found()
    someone = next(row for row in rows if row["user"])
    target = next(row["target"] for row in rows if row["target"]["type"] == "user")
    wanted = {
        "type": ({"type": "user:login"}, lambda row: row["type"] == "user:login"),
        "user": ({"user_id": someone["user"]["id"]}, lambda row: row["user"] == someone["user"]),
        "nobody": ({"user_id": "null"}, lambda row: row["user"] is None),
        "kind": ({"target_type": "report"}, lambda row: row["target"]["type"] == "report"),
        "target": ({"target_type": "user", "target_id": target["id"]}, lambda row: row["target"] == target),
        "since": ({"created_at_start": rows[4]["createdAt"]}, lambda row: row["createdAt"] >= rows[4]["createdAt"]),
        "until": ({"created_at_end": rows[4]["createdAt"]}, lambda row: row["createdAt"] <= rows[4]["createdAt"]),
    }
    for name, (params, fits) in wanted.items():
        assert found(**params) == [row for row in rows if fits(row)] != [], name
    assert server.told("/audit_events", headers, {"target_id": target["id"]}).status_code == 400
    assert server.control("calls")["unknown_params"] == []


# ---- answers that are files ------------------------------------------------------------------------------------------
def uploads(server: Server) -> dict[str, list[str]]:
    """{opportunity: ids of files that were uploaded as answers of its forms and its application}."""
    found: dict[str, list[str]] = {}
    for item in server.walk("/opportunities", [*ALL, ("expand", "applications")]):
        forms = [form for one in item["applications"] for form in one["customQuestions"]]
        filled = server.get(f"/opportunities/{item['id']}/forms").json()["data"]
        forms += [form for form in filled if not form["deletedAt"]]
        values = [one.get("value") for form in forms for one in form["fields"] if one["type"] == "file-upload"]
        if ids := [one["id"] for one in values if one]:
            found[item["id"]] = ids
    return found


def test_files_that_are_answers_are_nowhere_unless_a_switch_lists_them(server: Server) -> None:
    """Not in the list, not by id, no bytes; then all three, in the shape of a file, and in the truth."""
    before = {row["id"]: row for row in server.control("truth")["files"]}
    wanted = uploads(server)
    assert len(wanted) > 2
    for value, status in (("absent", 404), ("listed", 200)):
        server.control("switches", "POST", {"uploaded_answers": value})
        truth = {row["id"]: row for row in server.control("truth")["files"]}
        new = {one for ids in wanted.values() for one in ids}
        assert truth.keys() - before.keys() == (new if status == 200 else set())
        for opportunity, ids in wanted.items():
            path = f"/opportunities/{opportunity}/files"
            listed = {row["id"]: row for row in server.get(path).json()["data"]}
            assert (set(ids) <= set(listed)) is (status == 200)
            for one in ids:
                answers = [server.get(f"{path}/{one}"), server.get(f"{path}/{one}/download")]
                assert [answer.status_code for answer in answers] == [status, status]
                if status == 200:
                    body = answers[1].content
                    assert answers[0].json()["data"] == listed[one]
                    assert len(body) == listed[one]["size"] == truth[one]["size"] == UPLOAD_BYTES
                    assert hashlib.sha256(body).hexdigest() == truth[one]["sha256"]
                    assert listed[one]["downloadUrl"].endswith(f"/files/{one}/download")


def test_bytes_of_answers_are_as_many_as_the_answer_says() -> None:
    """And differ from file to file; the companies themselves are what they were."""
    company = build(seed=5, people=80)
    bodies = [make(spec) for spec in company.uploads.values()]
    assert len(set(bodies)) == len(bodies) > 10
    assert {len(body) for body in bodies} == {UPLOAD_BYTES}


# ---- consents that end, addresses that move --------------------------------------------------------------------------
DAY_MS = 86_400_000


def refreshed(server: Server, token: str) -> requests.Response:
    """The answer to a refresh."""
    oauth = server.facts["lever_oauth"]
    form = {name: oauth[name] for name in ("client_id", "client_secret")}
    form |= {"grant_type": "refresh_token", "refresh_token": token}
    return requests.post(oauth["token_url"], data=form, timeout=10)


def waited(server: Server, days: float) -> None:
    assert server.control("edits", "POST", {"wait_ms": int(days * DAY_MS)}) == []


def test_a_refresh_token_ends_when_nobody_uses_it(server: Server) -> None:
    """After 90 days 403 `invalid_grant`, as for one that was used; a switch says otherwise; a reset makes it good."""
    first = server.facts["lever_oauth"]["refresh_token"]
    waited(server, 90)
    second = refreshed(server, first)
    assert second.status_code == 200
    waited(server, 90.001)
    ended = refreshed(server, second.json()["refresh_token"])
    assert (ended.status_code, ended.json()["error"]) == (403, "invalid_grant")
    server.control("reset", "POST")
    server.control("switches", "POST", {"refresh_unused_days": "120"})
    waited(server, 100)
    assert refreshed(server, first).status_code == 200
    assert server.control("switches?decided=1") == ["refresh_unused_days"]


def test_a_consent_ends_after_a_year_however_often_it_is_used(server: Server) -> None:
    """A new consent begins another year."""
    token = server.facts["lever_oauth"]["refresh_token"]
    for _ in range(5):
        waited(server, 73)
        token = refreshed(server, token).json()["refresh_token"]
    waited(server, 0.001)
    assert refreshed(server, token).json()["error"] == "invalid_grant"
    assert server.told("/users", server.bearer("users:read:admin", "offline_access")).status_code == 200


def test_an_access_token_ends_with_the_time_that_is_let_pass(server: Server) -> None:
    """After its hour 401."""
    headers = server.bearer("users:read:admin")
    waited(server, 0.03)
    assert server.told("/users", headers).status_code == 200
    waited(server, 0.03)
    assert server.told("/users", headers).status_code == 401


@pytest.mark.parametrize(
    ("how", "there"), [("path", "127.0.0.1:{}/lever/oauth/eu"), ("host", "localhost:{}/lever/oauth")]
)
def test_oauth_may_be_redirected_to_another_data_centre(server: Server, how: str, there: str) -> None:
    """Once, with all that was asked, and nothing is looked at before; there the same codes and tokens are good."""
    server.control("switches", "POST", {"oauth_redirects": how})
    oauth = server.facts["lever_oauth"]
    there = "http://" + there.format(oauth["token_url"].split(":")[2].partition("/")[0])
    sent = requests.post(oauth["token_url"], data={}, timeout=10, allow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (307, f"{there}/token")
    asked = requests.get(oauth["authorize_url"], params={"a": "b c"}, timeout=10, allow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (307, f"{there}/authorize?a=b+c")
    answer = refreshed(server, oauth["refresh_token"])
    assert ([one.status_code for one in answer.history], answer.status_code) == ([307], 200)
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert server.told("/users", headers).status_code == 200
    assert server.control("switches?decided=1") == ["oauth_redirects"]


def test_a_fault_of_the_token_address_strikes_wherever_it_is(server: Server) -> None:
    """Rows name it as if nothing were redirected."""
    server.control("switches", "POST", {"oauth_redirects": "path"})
    row = {"api": "oauth", "endpoint": "/token", "nth": 2, "effect": "status", "status": 503}
    server.control("faults", "PUT", [row])
    token = server.facts["lever_oauth"]["refresh_token"]
    assert [refreshed(server, token).status_code for _ in range(2)] == [503, 200]

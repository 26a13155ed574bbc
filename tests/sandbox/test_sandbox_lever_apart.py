"""The rarer corners of the Lever side: deleted lists, addresses outside of the API, rights of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from lever_kit import Server

ALL = [("confidentiality", "all")]
MONTH = [("deleted_at_start", str(1_774_958_400_000)), ("deleted_at_end", str(1_774_958_400_000 + 86_400_000))]
DATE = "Tue, 31 Mar 2026 12:00:00 GMT"
"""The account's clock before any edit."""
DELETED = ("/opportunities/deleted", "/applications/deleted", "/candidates/deleted")
EXTRA = ("eeo_responses:read:admin", "eeo_responses_pii:read:admin", "diversity_surveys:read:admin",
         "audit_events:read:admin", "webhooks:read:admin", "webhooks:write:admin", "webhooks:*")  # fmt: skip
"""Scopes that the reference names beyond those of a full read."""


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server("--limits", "off", people=40)
    yield server
    assert server.end() == 0


@pytest.fixture
def server(running: Server) -> Server:
    running.control("reset", "POST")
    return running


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

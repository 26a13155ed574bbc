"""Faults are rows of data: each effect does what its name says, each `when` strikes when it says, typos are refused."""

import gzip
import json
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import faults_known
from sandbox.faults import Faults, matches
from sandbox.faults_rows import EFFECTS, ODD, PAGING, WHEN, check
from sandbox.faults_wire import Asked
from sandbox.scenarios import mix, scenarios

BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)
TAG = "candidateTag.create"


class Server:
    """A sandbox in a process of its own; every call opens a connection, so that no cut spoils the next one."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--json", "--people", "20", "--limits", "off"]
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.facts = json.loads(self.process.stdout.readline())

    def get(self, path: str, params: Any = None, **options: Any) -> requests.Response:
        auth = (self.facts["lever_key"], "")
        return requests.get(f"{self.facts['lever_url']}{path}", params=params, auth=auth, timeout=10, **options)

    def ashby(self, endpoint: str, body: dict[str, Any], **options: Any) -> requests.Response:
        auth = (self.facts["ashby_key"], "")
        return requests.post(f"{self.facts['ashby_url']}/{endpoint}", json=body, auth=auth, timeout=10, **options)

    def control(self, path: str, method: str = "GET", body: Any = None) -> Any:
        return requests.request(method, f"{self.facts['control_url']}/{path}", json=body, timeout=10).json()

    def faults(self, *rows: dict[str, Any]) -> None:
        assert isinstance(self.control("faults", "PUT", list(rows)), list)

    def tags(self) -> set[str]:
        return {tag["title"] for tag in self.control("state")["tags"]}

    def pages(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All pages of a Lever list, as answered, until its end or the tenth."""
        found: list[dict[str, Any]] = []
        while len(found) < 10:
            found.append(self.get(path, {**params, **({"offset": found[-1]["next"]} if found else {})}).json())
            if not found[-1]["hasNext"]:
                break
        return found

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server()
    yield server
    assert server.end() == 0


@pytest.fixture
def server(running: Server) -> Server:
    running.control("reset", "POST")
    return running


# ---- what ------------------------------------------------------------------------------------------------------------
APPLIED = [
    ("reset_after", {}), ("reset_in_answer", {}), ("truncate", {}), ("wrong_length", {}), ("bad_gzip", {}),
    ("silence", {"ms": 20, "apply": True}), ("endless", {"ms": 5, "for_ms": 40}),
]  # fmt: skip
NOT_APPLIED = [("reset_before", {}), ("reset_in_request", {}), ("silence", {"ms": 20})]


@pytest.mark.parametrize(("effect", "more"), APPLIED)
def test_an_answer_that_is_lost_or_broken_belongs_to_a_call_that_was_applied(
    server: Server, effect: str, more: dict[str, Any]
) -> None:
    server.faults({"api": "ashby", "endpoint": TAG, "nth": 1, "effect": effect, **more})
    with pytest.raises(BROKEN):
        server.ashby(TAG, {"title": "lost"})
    assert "lost" in server.tags()
    assert server.control("calls")["faults"] == {effect: 1}


@pytest.mark.parametrize(("effect", "more"), NOT_APPLIED)
def test_a_request_that_is_cut_before_was_not_applied(server: Server, effect: str, more: dict[str, Any]) -> None:
    server.faults({"api": "ashby", "endpoint": TAG, "nth": 1, "effect": effect, **more})
    with pytest.raises(BROKEN):
        server.ashby(TAG, {"title": "cut"})
    assert "cut" not in server.tags()


def test_a_cut_in_the_middle_of_a_large_body_leaves_nothing(server: Server) -> None:
    server.faults({"api": "ashby", "endpoint": TAG, "nth": 1, "effect": "reset_in_request"})
    with pytest.raises(BROKEN):
        server.ashby(TAG, {"title": "x" * 3_000_000})
    assert max(map(len, server.tags())) < 1000


@pytest.mark.parametrize(
    ("effect", "status", "kind", "text"),
    [("html", 200, "text/html", "<html>"), ("empty", 200, "application/json", ""), ("not_json", 200, "text", "reset")],
)
@pytest.mark.parametrize("apply", [False, True])
def test_words_that_are_no_answer_come_with_or_without_the_call(
    server: Server, effect: str, status: int, kind: str, text: str, apply: bool
) -> None:
    server.faults({"api": "ashby", "endpoint": TAG, "nth": 1, "effect": effect, "apply": apply})
    answer = server.ashby(TAG, {"title": "words"})
    assert (answer.status_code, answer.headers["content-type"].startswith(kind)) == (status, True)
    assert text in answer.text
    assert bool(answer.text) == bool(text)
    assert ("words" in server.tags()) is apply


@pytest.mark.parametrize("apply", [False, True])
def test_any_status_comes_with_headers_and_body_of_choice(server: Server, apply: bool) -> None:
    row = {"effect": "status", "status": 409, "headers": {"X-Odd": "1"}, "body": "taken", "apply": apply}
    server.faults({"api": "ashby", "endpoint": TAG, "nth": 1, **row})
    answer = server.ashby(TAG, {"title": "taken"})
    assert (answer.status_code, answer.headers["x-odd"], answer.text) == (409, "1", "taken")
    assert ("taken" in server.tags()) is apply


def test_a_refusal_speaks_the_language_of_each_api(server: Server) -> None:
    row = {"effect": "refuse", "code": "odd_code", "message": "words"}
    server.faults(*({"api": api, **row} for api in ("ashby", "lever", "storage", "oauth")))
    ashby = server.ashby("candidate.list", {})
    assert ashby.status_code == 200
    assert (ashby.json()["success"], ashby.json()["errors"]) == (False, ["odd_code"])
    assert ashby.json()["errorInfo"]["code"] == "odd_code"
    lever = server.get("/stages")
    assert (lever.status_code, lever.json()) == (400, {"code": "odd_code", "message": "words"})
    storage = requests.get(f"{server.facts['storage_url']}/ashby/file/x", timeout=10)
    assert (storage.status_code, "<Code>odd_code</Code>" in storage.text) == (403, True)
    oauth = requests.post(server.facts["lever_oauth"]["token_url"], data={}, timeout=10)
    assert (oauth.status_code, oauth.json()["error"]) == (403, "odd_code")


@pytest.mark.parametrize(
    ("told", "sent"), [(3, "3"), ("soon", "soon"), ("-5", "-5"), ("", ""), (1e9, "1000000000.0"), (None, None)]
)
def test_a_429_names_its_wait_in_every_form(server: Server, told: Any, sent: str | None) -> None:
    row = {"effect": "throttle"} | ({} if told is None else {"retry_after": told})
    server.faults({"api": "ashby", **row}, {"api": "lever", **row, "headers": {"X-Odd": "1"}})
    for answer in (server.ashby("candidate.list", {}), server.get("/stages")):
        assert answer.status_code == 429
        assert answer.headers.get("retry-after") == sent
    assert answer.headers["x-odd"] == "1"
    assert server.ashby("candidate.list", {}).json()["errorInfo"]["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize("seconds", [30, -3600])
def test_a_429_may_name_a_date_ahead_or_past(server: Server, seconds: int) -> None:
    server.faults({"api": "lever", "effect": "throttle", "retry_after": {"date_in": seconds}})
    told = parsedate_to_datetime(server.get("/stages").headers["retry-after"]).timestamp() - time.time()
    assert seconds - 3 < told <= seconds


def until_broken(answer: requests.Response) -> bytes:
    """What arrives of a body before the connection breaks, which it must."""
    received = b""
    try:
        for chunk in answer.iter_content(16):
            received += chunk
    except BROKEN:
        return received
    raise AssertionError("the answer came whole")


def test_a_shorter_told_length_hides_the_end_of_the_body(server: Server) -> None:
    whole = server.get("/stages").content
    server.faults({"api": "lever", "effect": "wrong_length", "by": -3})
    assert server.get("/stages").content == whole[:-3]


def test_how_much_of_a_cut_answer_arrives_can_be_told(server: Server) -> None:
    whole = server.get("/users").content
    for effect in ("truncate", "reset_in_answer"):
        server.faults({"api": "lever", "effect": effect, "keep": 0.25})
        with server.get("/users", stream=True) as answer:
            received = until_broken(answer)
        assert len(received) <= len(whole) // 4
        assert whole.startswith(received)


def test_what_is_said_to_be_packed_is_not(server: Server) -> None:
    server.faults({"api": "lever", "effect": "bad_gzip"})
    with server.get("/stages", stream=True, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        raw = answer.raw.read(decode_content=False)
    assert json.loads(raw)["data"]
    with pytest.raises((OSError, zlib.error)):
        gzip.decompress(raw)


def test_a_delay_comes_before_the_call_and_lateness_after_it(server: Server) -> None:
    for effect, there in (("delay", False), ("late", True)):
        server.faults({"api": "ashby", "endpoint": TAG, "effect": effect, "ms": 1500})
        with pytest.raises(requests.ReadTimeout):
            requests.post(
                f"{server.facts['ashby_url']}/{TAG}",
                json={"title": effect},
                auth=(server.facts["ashby_key"], ""),
                timeout=(5, 0.3),
            )
        assert (effect in server.tags()) is there


def test_a_trickle_brings_the_whole_body_byte_by_byte(server: Server) -> None:
    whole = server.get("/stages").content
    server.faults({"api": "lever", "effect": "trickle", "ms": 1, "for_ms": 100})
    answer = server.get("/stages")
    assert answer.content == whole
    assert answer.elapsed.total_seconds() < 5


def test_a_trickle_of_a_redirect_ends_late(server: Server) -> None:
    """It has no body that could come byte by byte, and would else strike nothing."""
    kinds = {"resume": "resumes", "file": "files", "offer": "offers"}
    files = [one for one in server.control("truth")["files"] if one["expected"] == "load"]
    paths = [f"/opportunities/{one['opportunity']}/{kinds[one['kind']]}/{one['id']}/download" for one in files]
    path = next(one for one in paths if server.get(one, allow_redirects=False).status_code == 302)
    server.faults({"api": "lever", "effect": "trickle", "ms": 1, "for_ms": 1500})
    with pytest.raises(requests.ConnectionError, match="timed out"):
        requests.get(
            f"{server.facts['lever_url']}{path}",
            auth=(server.facts["lever_key"], ""),
            allow_redirects=False,
            timeout=(5, 0.3),
        )
    answer = server.get(path, allow_redirects=False)
    assert (answer.status_code, answer.content) == (302, b"")


def test_an_endless_body_ends_in_a_cut(server: Server) -> None:
    server.faults({"api": "lever", "effect": "endless", "ms": 1, "for_ms": 100})
    with server.get("/stages", stream=True) as answer:
        assert json.loads(until_broken(answer))["data"]


def test_a_good_answer_can_come_under_other_headers(server: Server) -> None:
    """Set, dropped, and a date that is wrong; the body is what it was, and the call was applied."""
    plain = server.get("/stages")
    server.faults(
        {
            "api": "lever",
            "effect": "headers",
            "set": {"Date": {"date_in": -3600}, "X-New": "1"},
            "drop": ["x-lever-region"],
        },
        {"api": "ashby", "effect": "headers", "drop": ["Date"], "set": {"x-ratelimit-remaining": "soon"}},
    )
    odd = server.get("/stages")
    assert (odd.status_code, odd.json(), odd.headers["x-new"]) == (200, plain.json(), "1")
    assert "x-lever-region" in plain.headers
    assert "x-lever-region" not in odd.headers
    assert abs(parsedate_to_datetime(odd.headers["date"]).timestamp() + 3600 - time.time()) < 30
    made = server.ashby(TAG, {"title": "under other headers"})
    assert (made.json()["success"], made.headers["x-ratelimit-remaining"]) == (True, "soon")
    assert "under other headers" in server.tags()


def test_a_row_can_be_about_one_key(server: Server) -> None:
    """The others notice nothing, and nobody is taken for somebody else."""
    server.faults(
        {"api": "lever", "key": "plain", "effect": "refuse", "code": "Unauthorized", "status": 401},
        {"key": "limited", "endpoint": "apiKey.info", "effect": "refuse", "code": "forbidden", "status": 403},
    )
    facts = server.facts
    for name, status in (("lever_key", 200), ("lever_key_plain", 401)):
        assert status == requests.get(f"{facts['lever_url']}/stages", auth=(facts[name], ""), timeout=10).status_code
    for name, status in (("ashby_key", 200), ("ashby_key_limited", 403)):
        url, auth = f"{facts['ashby_url']}/apiKey.info", (facts[name], "")
        assert status == requests.post(url, json={}, auth=auth, timeout=10).status_code
    assert [1, 1] == [row["struck"] for row in server.control("faults")]
    server.faults({"key": "full", "effect": "refuse", "code": "no", "status": 418})
    for header in ("Bearer nobody", "Basic !", "Basic bm9ib2R5Og==", ""):
        answer = requests.get(f"{facts['lever_url']}/stages", headers={"Authorization": header}, timeout=10)
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"effect": "no_success"}, ...),
        ({"effect": "envelope", "drop": ["success"]}, ...),
        ({"effect": "envelope", "set": {"success": None}}, None),
        ({"effect": "envelope", "set": {"success": "true"}}, "true"),
        ({"effect": "envelope", "set": {"success": 1}}, 1),
    ],
)
def test_success_can_be_missing_or_something_else(server: Server, row: dict[str, Any], found: Any) -> None:
    server.faults({"api": "ashby", "endpoint": TAG, "nth": 1, **row})
    answer = server.ashby(TAG, {"title": "odd"}).json()
    assert answer.get("success", ...) == found
    assert answer["results"]["title"] == "odd"
    assert "odd" in server.tags()


@pytest.mark.parametrize("value", ODD)
def test_odd_values_stand_in_the_answer_as_raw_bytes(server: Server, value: str) -> None:
    server.faults({"api": "lever", "effect": "odd_value", "member": "oddMember", "value": value})
    text = server.get("/stages").content
    assert b'"oddMember": ' + ODD[value] in text
    assert "oddMember" in json.loads(text)["data"][0]


def test_one_id_can_come_with_two_bodies(server: Server) -> None:
    server.faults({"api": "lever", "endpoint": "/opportunities", "effect": "twins"})
    rows = server.get("/opportunities", {"updated_at_start": 1}).json()["data"]
    first, last = rows[0], rows[-1]
    assert (first["id"], first["updatedAt"] > last["updatedAt"]) == (last["id"], True)
    assert first["headline"] != last["headline"]


def test_a_list_can_shrink(server: Server) -> None:
    n_users = len(server.get("/users").json()["data"])
    server.faults({"api": "lever", "effect": "shrink", "keep": 0.5}, {"api": "ashby", "effect": "shrink", "keep": 0})
    assert len(server.get("/users").json()["data"]) == n_users // 2
    assert server.ashby("user.list", {}).json()["results"] == []


# ---- paging ----------------------------------------------------------------------------------------------------------
def ids(pages: list[dict[str, Any]]) -> list[list[str]]:
    return [[one["id"] for one in page["data"]] for page in pages]


def test_short_pages_make_small_lists_page(server: Server) -> None:
    server.faults(
        {"api": "lever", "effect": "short_page", "limit": 4}, {"api": "ashby", "effect": "short_page", "limit": 3}
    )
    assert [4, 4, 1] == [len(page) for page in ids(server.pages("/users", limit=100))]
    answer = server.ashby("user.list", {"limit": 100}).json()
    assert (len(answer["results"]), answer["moreDataAvailable"]) == (3, True)


def test_a_page_can_come_twice_and_nothing_is_lost(server: Server) -> None:
    calm = ids(server.pages("/users", limit=4))
    server.faults({"api": "lever", "effect": "repeat_page", "nth": 2})
    assert ids(server.pages("/users", limit=4)) == [calm[0], calm[1], calm[1], calm[2]]
    server.faults({"api": "lever", "effect": "repeat_page", "nth": 1})
    assert ids(server.pages("/users", limit=4)) == [calm[0], calm[0], calm[1], calm[2]]


def test_an_empty_page_can_say_that_there_is_more(server: Server) -> None:
    calm = ids(server.pages("/users", limit=4))
    server.faults({"api": "lever", "effect": "empty_page", "nth": 3})
    assert ids(server.pages("/users", limit=4)) == [calm[0], calm[1], [], calm[2]]


def test_a_token_can_lead_back_to_where_it_came_from(server: Server) -> None:
    server.faults({"api": "lever", "effect": "same_token", "times": 2})
    first = server.get("/users", {"limit": 4}).json()
    for _ in range(2):
        page = server.get("/users", {"limit": 4, "offset": first["next"]}).json()
        assert (page["hasNext"], page["next"]) == (True, first["next"])
    assert server.get("/users", {"limit": 4, "offset": first["next"]}).json()["next"] != first["next"]


def test_a_list_can_say_more_without_saying_where(server: Server) -> None:
    server.faults({"api": "lever", "effect": "no_token"}, {"api": "ashby", "effect": "no_token"})
    page = server.get("/users").json()
    assert (page["hasNext"], "next" in page) == (True, False)
    answer = server.ashby("user.list", {}).json()
    assert (answer["moreDataAvailable"], "nextCursor" in answer) == (True, False)


def test_cursors_of_ashby_go_wrong_in_the_same_ways(server: Server) -> None:
    def walk() -> list[list[str]]:
        found, cursor = [], {}
        for _ in range(9):
            answer = server.ashby("user.list", {"limit": 4, **cursor}).json()
            found.append([one["id"] for one in answer["results"]])
            if not answer["moreDataAvailable"]:
                break
            cursor = {"cursor": answer["nextCursor"]}
        return found

    calm = walk()
    assert len(calm) > 1
    server.faults({"api": "ashby", "effect": "repeat_page", "nth": 1})
    assert walk() == [calm[0], *calm]
    server.faults({"api": "ashby", "effect": "empty_page", "nth": 1})
    assert walk() == [[], *calm]


def test_a_token_is_refused_only_where_there_is_one(server: Server) -> None:
    server.faults({"api": "lever", "effect": "refuse_token"}, {"api": "ashby", "effect": "refuse_token"})
    first = server.get("/users", {"limit": 4})
    assert first.status_code == 200
    answer = server.get("/users", {"limit": 4, "offset": first.json()["next"]})
    assert (answer.status_code, answer.json()["message"]) == (400, "Invalid offset token")
    cursor = server.ashby("user.list", {"limit": 4}).json()["nextCursor"]
    assert (
        server.ashby("user.list", {"limit": 4, "cursor": cursor}).json()["errorInfo"]["code"] == "next_cursor_expired"
    )
    server.faults({"api": "ashby", "effect": "refuse_token", "code": "sync_token_expired"})
    token = server.ashby("candidate.list", {}).json()["syncToken"]
    answer = server.ashby("candidate.list", {"syncToken": token}).json()
    assert (answer["success"], answer["errorInfo"]["code"]) == (False, "sync_token_expired")


# ---- keys, other people ----------------------------------------------------------------------------------------------
def grant(server: Server, refresh: str) -> requests.Response:
    oauth = server.facts["lever_oauth"]
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    form |= {name: oauth[name] for name in ("client_id", "client_secret")}
    return requests.post(oauth["token_url"], data=form, timeout=10)


def test_an_access_token_can_end_at_any_request(server: Server) -> None:
    token = grant(server, server.facts["lever_oauth"]["refresh_token"]).json()["access_token"]

    def asked() -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{server.facts['lever_url']}/stages", headers=headers, timeout=10).status_code

    server.faults({"api": "lever", "nth": 3, "effect": "expire_access"})
    assert [200, 200, 401, 401] == [asked() for _ in range(4)]


def test_a_refresh_can_rotate_the_token_and_lose_the_answer(server: Server) -> None:
    first = server.facts["lever_oauth"]["refresh_token"]
    server.faults({"api": "oauth", "endpoint": "/token", "nth": 1, "effect": "reset_after"})
    with pytest.raises(BROKEN):
        grant(server, first)
    assert (grant(server, first).status_code, grant(server, first).json()["error"]) == (403, "invalid_grant")


def test_a_key_can_be_revoked_after_so_many_calls(server: Server) -> None:
    server.faults({"api": "lever", "after": 2, "effect": "refuse", "status": 401, "code": "Unauthorized"})
    assert [200, 200, 401, 401] == [server.get("/stages").status_code for _ in range(4)]


def test_other_people_change_lever_while_it_is_read(server: Server) -> None:
    def seen() -> str:
        return json.dumps(server.pages("/opportunities", confidentiality="all"), sort_keys=True)

    before = seen()
    server.faults({"api": "lever", "nth": 1, "effect": "others", "side": "lever", "n": 5, "kinds": ["tag", "note_new"]})
    assert server.get("/stages").status_code == 200
    assert seen() != before


def test_other_people_with_nothing_left_to_do_spoil_no_answer(server: Server) -> None:
    """More users leave than there are: the calls are served all the same."""
    server.faults({"api": "lever", "effect": "others", "side": "lever", "n": 5, "kinds": ["user_deactivate"]})
    assert [server.get("/stages").status_code for _ in range(4)] == [200] * 4


def test_other_people_change_ashby_while_it_is_written(server: Server) -> None:
    made = server.ashby("candidate.create", {"name": "Nova Example"}).json()["results"]["id"]
    row = {"effect": "others", "side": "ashby", "n": 2, "kinds": ["name", "note"]}
    server.faults({"api": "ashby", "nth": 1, **row})
    assert server.ashby("user.list", {}).json()["success"] is True
    edited = next(one for one in server.control("state")["candidates"] if one["id"] == made)
    assert edited["name"] != "Nova Example" or edited["notes"]


# ---- when ------------------------------------------------------------------------------------------------------------
def struck(row: dict[str, Any], n_calls: int = 12, *, path: str = "/stages", api: str = "lever") -> list[int]:
    """The numbers of the calls at which a row strikes."""
    faults = Faults(7)
    faults.replace([{"effect": "html", **row}])
    scope = {"method": "GET", "query_string": b"limit=5", "headers": []}
    return [n for n in range(1, n_calls + 1) if faults.find(Asked(api, path, scope=scope, receive=None))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"nth": 3}, [3]),
        ({"every": 5}, [5, 10]),
        ({"every": 5, "times": 1}, [5]),
        ({"after": 9}, [10, 11, 12]),
        ({"after": 4, "nth": 2}, [6]),
        ({"after": 4, "every": 3}, [7, 10]),
        ({"times": 2}, [1, 2]),
        ({"method": "GET", "nth": 1}, [1]),
        ({"method": "POST"}, []),
        ({"api": "ashby"}, []),
        ({"endpoint": "/users"}, []),
        ({"endpoint": "/stages", "nth": 2}, [2]),
        ({"having": "limit", "nth": 1}, [1]),
        ({"having": "offset"}, []),
        ({"share": 0}, []),
        ({"share": 1, "times": 1}, [1]),
    ],
)
def test_a_row_strikes_when_it_says(row: dict[str, Any], found: list[int]) -> None:
    assert struck(row) == found


def test_a_share_follows_its_seed() -> None:
    """The same seed strikes at the same calls, wherever the row stands; another seed at others."""
    one = struck({"share": 0.3, "seed": 5}, 400)
    assert one == struck({"share": 0.3, "seed": 5}, 400)
    assert one != struck({"share": 0.3, "seed": 6}, 400)
    assert 80 < len(one) < 160


def test_members_of_a_body_can_be_asked_for(server: Server) -> None:
    server.faults({"api": "ashby", "having": "cursor", "effect": "html"})
    answer = server.ashby("user.list", {"limit": 4})
    assert answer.headers["content-type"].startswith("application/json")
    assert server.ashby("user.list", {"limit": 4, "cursor": "x"}).text.startswith("<html>")


def test_two_faults_at_once_are_one_before_and_one_after(server: Server) -> None:
    server.faults(
        {"api": "lever", "effect": "short_page", "limit": 4},
        {"api": "lever", "effect": "no_token"},
        {"api": "lever", "effect": "html"},
    )
    page = server.get("/users", {"limit": 100}).json()
    assert (len(page["data"]), "next" in page) == (4, False)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("text", "an object"),
        ({}, "effect must be"),
        ({"effect": "explode"}, "effect must be"),
        ({"effect": ["html"]}, "effect must be"),
        ({"effect": "html", "colour": 1}, "unknown member .* colour"),
        ({"effect": "html", "ms": 5}, "unknown member .* ms"),
        ({"effect": "html", "nth": 0}, "nth must be"),
        ({"effect": "html", "nth": True}, "nth must be"),
        ({"effect": "html", "nth": "1"}, "nth must be"),
        ({"effect": "html", "every": 1.5}, "every must be"),
        ({"effect": "html", "share": 1.5}, "share must be"),
        ({"effect": "html", "share": "0.5"}, "share must be"),
        ({"effect": "html", "after": -1}, "after must be"),
        ({"effect": "html", "nth": 1, "every": 2}, "exclude each other"),
        ({"effect": "html", "nth": 1, "seed": 2}, "seed goes with share"),
        ({"effect": "html", "api": "Lever"}, "api must be"),
        ({"effect": "html", "method": "get"}, "method must be"),
        ({"effect": "html", "api": "lever", "writes": True}, "writes goes with"),
        ({"effect": "html", "apply": 1}, "apply must be"),
        ({"effect": "status", "status": 42}, "status must be"),
        ({"effect": "status", "headers": {"X": 1}}, "headers must be"),
        ({"effect": "status", "body": {"a": 1}}, "body must be"),
        ({"effect": "refuse"}, "needs code"),
        ({"effect": "throttle", "retry_after": {"in": 5}}, "retry_after must be"),
        ({"effect": "odd_value", "member": "x"}, "needs value"),
        ({"effect": "odd_value", "member": "x", "value": "odd"}, "value must be"),
        ({"effect": "envelope"}, "needs set or drop"),
        ({"effect": "headers"}, "needs set or drop"),
        ({"effect": "headers", "set": {"Date": {"in": 5}}}, "set must be names and values in words, or a date as"),
        ({"effect": "html", "key": "mine"}, "key must be one of full, plain, limited, oauth"),
        ({"effect": "html", "api": "ashby", "key": "plain"}, "the key plain goes with the api lever"),
        ({"effect": "html", "api": "storage", "key": "full"}, "the key full goes with the api lever or ashby"),
        ({"effect": "short_page", "api": "lever"}, "needs limit"),
        ({"effect": "repeat_page"}, "needs an api with pages"),
        ({"effect": "others"}, "needs side"),
        ({"effect": "moved"}, "moved needs the api lever, and an endpoint that begins with /opportunities"),
        ({"effect": "moved", "api": "lever", "endpoint": "/users"}, "moved needs the api lever"),
        ({"effect": "moved", "api": "lever", "endpoint": "/opportunities", "query": "no"}, "query must be"),
        ({"effect": "delay", "ms": -1}, "ms must be"),
        ({"effect": "truncate", "keep": 2}, "keep must be"),
        ({"effect": "others", "side": "lever", "kinds": ["nonsense"]}, "kinds of lever: there is no nonsense, only"),
        ({"effect": "others", "side": "ashby", "kinds": ["tag", "hire"]}, "kinds of ashby: there is no hire, only"),
        ({"effect": "others", "side": "lever", "kinds": ["name"]}, "kinds of lever: there is no name"),
        ({"effect": "html", "endpoint": "candidate.creat"}, "candidate.creat is no endpoint of any api"),
        ({"effect": "html", "api": "lever", "endpoint": "candidate.create"}, "is no endpoint of lever"),
        ({"effect": "html", "api": "ashby", "endpoint": "/opportunities"}, "is no endpoint of ashby"),
        ({"effect": "html", "endpoint": "candidates.*"}, "is no endpoint of any api"),
        ({"effect": "html", "endpoint": "candidate.list", "writes": True}, "is no endpoint of any api that writes"),
        ({"effect": "html", "endpoint": "/opportunity/*"}, "is no endpoint of any api"),
        ({"effect": "html", "endpoint": "/opportunities/note"}, "is no endpoint of any api"),
        ({"effect": "html", "endpoint": "/opportunities/*/notes/*/download"}, "is no endpoint of any api"),
        ({"effect": "html", "api": "storage", "endpoint": "/upload"}, "is no endpoint of storage"),
        ({"effect": "html", "api": "oauth", "endpoint": "/tokens"}, "is no endpoint of oauth"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_with_the_reason(row: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(row)


@pytest.mark.parametrize(
    "when",
    [
        {"endpoint": "candidate.*"},
        {"endpoint": "*"},
        {"api": "ashby", "endpoint": "candidate.create", "writes": True},
        {"api": "lever", "endpoint": "/opportunities/*/notes"},
        {"api": "lever", "endpoint": "/opportunities/5b0d3c2e-8a41-4f0e-9b77-1c2f0a6d9e11/notes"},
        {"api": "lever", "endpoint": "/candidates/*/files/*/download"},
        {"api": "lever", "endpoint": "/*/deleted"},
        {"api": "lever", "endpoint": "/stages/offer"},
        {"api": "storage", "endpoint": "/ashby/upload"},
        {"api": "storage", "endpoint": "/lever/*"},
        {"api": "oauth", "endpoint": "/token"},
    ],
)
def test_an_endpoint_that_some_call_can_have_is_taken(when: dict[str, Any]) -> None:
    check({"effect": "html", **when})


def test_every_kind_of_edit_and_every_endpoint_can_be_asked_for() -> None:
    """Of both sides; nothing is listed twice by hand."""
    for side in ("lever", "ashby"):
        for kind in faults_known.kinds(side):
            check({"effect": "others", "side": side, "kinds": [kind]})
    for api, names in faults_known.endpoints().items():
        assert [name for name in names if not matches(name, name)] == []
        for name in names:
            check({"effect": "html", "api": api, "endpoint": name})
    with pytest.raises(ValueError, match="a large company cannot be edited"):
        Faults(7, editable=False).extend([{"effect": "others", "side": "lever"}])


def test_a_refused_row_changes_nothing(server: Server) -> None:
    server.faults({"api": "lever", "effect": "html"})
    for method in ("POST", "PUT"):
        answer = server.control("faults", method, [{"effect": "empty"}, {"effect": "explode"}])
        assert answer["ok"] is False
    assert [row["effect"] for row in server.control("faults")] == ["html"]


def test_a_path_that_has_moved_stands_below_its_second_name(server: Server) -> None:
    """The very same list, page by page; the row says with which status, on which host, and whether the query stays."""
    path, query = "/opportunities", {"confidentiality": "all", "limit": 7}
    pages = server.pages(path, **query)
    row = {"api": "lever", "endpoint": path, "effect": "moved"}
    server.faults(row)
    answer = server.get(path, query, allow_redirects=False)
    assert (answer.status_code, answer.content) == (301, b"")
    assert answer.headers["location"] == "/lever/v1/candidates?confidentiality=all&limit=7"
    assert server.pages(path, **query) == pages
    server.faults({**row, "status": 308, "to": "https://api.example", "query": False})
    answer = server.get(path, query, allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "https://api.example/lever/v1/candidates")
    server.faults({**row, "endpoint": "/opportunities/*/notes", "every": 2})
    one = f"/opportunities/{pages[0]['data'][0]['id']}/notes"
    assert server.get(one).json() == server.get(one).json()
    assert server.control("calls")["faults"]["moved"] > 3


# ---- scenarios -------------------------------------------------------------------------------------------------------
def test_every_scenario_is_made_of_legal_rows_and_can_be_chosen() -> None:
    names = scenarios()
    for one in names.values():
        for row in one.rows:
            check(row)
    server = Server("--scenario", "visible-late")
    assert len(server.control("faults")) == len(names["visible-late"].rows)
    assert names["visible-late"].switches.items() <= server.control("switches").items()
    server.control("reset", "POST")
    assert names["visible-late"].switches.items() <= server.control("switches").items()
    assert server.end() == 0


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_a_mix_spoils_the_share_it_was_given(share: float) -> None:
    rows = mix(3, share)
    assert rows == mix(3, share)
    assert rows != mix(4, share)
    paging = {id(row) for row in rows if row["api"] == "ashby" and row["effect"] in PAGING}
    for api in ("lever", "ashby", "storage"):
        spoilt = sum(row["share"] for row in rows if row["api"] == api and id(row) not in paging)
        assert spoilt == pytest.approx(share, rel=0.01)
    assert sum(row["share"] for row in rows if id(row) in paging) == pytest.approx(share / 4, rel=0.01)


def test_every_effect_is_used_here_and_told_of_in_the_readme() -> None:
    text = Path(__file__).read_text()
    readme = (Path(__file__).parents[2] / "sandbox" / "README.md").read_text()
    assert [name for name in EFFECTS if f'"{name}"' not in text] == []
    assert [name for name in (*EFFECTS, *WHEN, *scenarios()) if f"`{name}`" not in readme] == []
    assert [name for name, one in scenarios().items() if f"| {one.promise} |" not in readme] == []

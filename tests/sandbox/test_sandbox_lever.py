"""The Lever side behaves as the facts say; the control URLs and faults do what they promise."""

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import sandbox
from sandbox.ashby import SWITCHES as ASHBY_SWITCHES
from sandbox.faults import EFFECTS, matches
from sandbox.lever.switches import SWITCHES as LEVER_SWITCHES
from sandbox.limits import FixedWindow, TokenBucket
from sandbox.scenarios import scenarios

PEOPLE = 60


class Server:
    """A sandbox in a process of its own, with short ways to ask it."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--json", "--people", str(PEOPLE), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.facts = json.loads(self.process.stdout.readline())
        self.session = requests.Session()

    def get(self, path: str, params: object = None, *, key: str = "lever_key", **options: object) -> requests.Response:
        auth = (self.facts[key], "")
        return self.session.get(f"{self.facts['lever_url']}{path}", params=params, auth=auth, timeout=10, **options)

    def ashby(self, endpoint: str, body: dict) -> requests.Response:
        auth = (self.facts["ashby_key"], "")
        return self.session.post(f"{self.facts['ashby_url']}/{endpoint}", json=body, auth=auth, timeout=10)

    def control(self, path: str, method: str = "GET", body: object = None) -> object:
        answer = self.session.request(method, f"{self.facts['control_url']}/{path}", json=body, timeout=10)
        return answer.json()

    def walk(self, path: str, params: list[tuple[str, str]] | None = None) -> list[dict]:
        rows: list[dict] = []
        offset: list[tuple[str, str]] = []
        while True:
            answer = self.get(path, [*(params or []), *offset]).json()
            rows += answer["data"]
            if not answer["hasNext"]:
                assert "next" not in answer
                return rows
            offset = [("offset", answer["next"])]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        self.session.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server("--limits", "off")
    yield server
    assert server.end() == 0


@pytest.fixture
def server(running: Server) -> Server:
    running.control("reset", "POST")
    return running


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


def test_the_limit_is_a_bucket_of_ten_a_second_with_a_burst_of_twenty():
    """With real limits the 21st request at once is 429, without Retry-After, and is counted."""
    server = Server()
    statuses = [server.get("/stages").status_code for _ in range(26)]
    assert statuses[:20] == [200] * 20
    assert 429 in statuses[20:]
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
    assert [name for name in names if f"`{name}`" not in text and f"{name}`" not in text] == []

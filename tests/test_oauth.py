"""OAuth customers: the chain of refresh tokens is never lost by us, whatever fails, and no token is ever shown."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import CUSTOMER, Sandbox, environment, killed, oauth_customer
from disk_world import Disk, disk  # noqa: F401 - a fixture
from odd_server import http, serving
from test_extract import mapped_heads, read, same  # noqa: F401 - a fixture

from lib import steps, workbook
from lib.errors import ConfigError, ContractError, FatalError, StoreError, UnauthorizedError, WorkbookError
from lib.lever import Lever
from lib.oauth import OAuth, OAuthClient, TokenFile, Tokens
from lib.transport import Limits, Masker, Pacer, Patience, Transport

ATTEMPTS = 3
SECRETS = (b"sandbox-access-", b"sandbox-refresh-", b"sandbox-secret-")
ENDS = {"api": "lever", "endpoint": "/users", "nth": 1, "effect": "expire_access"}
TOKEN = {"api": "oauth", "endpoint": "/token"}


def consent(
    sandbox: Sandbox, folder: Path, *, first: str | None = None, secret: str = "", register: Any = lambda text: None
) -> OAuth:
    """The consent of the sandbox's app, with the patience of a test; `first` is the sandbox's first refresh token."""
    told = sandbox.about["lever_oauth"]
    return OAuth(
        OAuthClient(told["client_id"], secret or told["client_secret"], told["token_url"]),
        folder,
        customer=CUSTOMER,
        transport=Transport("Lever", pacer=Pacer(1000), limits=Limits(connect=5, read=20, total=20), workers=1),
        patience=Patience(attempts=ATTEMPTS, first=0.001, longest=0.002),
        first=told["refresh_token"] if first is None else first,
        register=register,
    )


def lever_with(sandbox: Sandbox, auth: OAuth, *, per_second: float = 10_000) -> Lever:
    """A Lever client of the sandbox that is let in by this consent."""
    transport = Transport("Lever", pacer=Pacer(per_second, burst=5), limits=Limits(connect=1, read=5, total=10))
    hosts = [sandbox.about["storage_url"].split("/")[2]]
    patience = Patience(attempts=ATTEMPTS, first=0.001, longest=0.002)
    return Lever(sandbox.about["lever_url"], auth, transport=transport, patience=patience, hosts=hosts)


@pytest.fixture
def opener(sandbox: Sandbox, tmp_path: Path) -> Iterator[Callable[..., tuple[Lever, OAuth]]]:
    """Opens (client, consent) on one folder, and closes them when the test ends."""
    opened: list[Lever] = []

    def one(folder: Path | None = None, **how: Any) -> tuple[Lever, OAuth]:
        auth = consent(sandbox, folder or tmp_path / "runs", **how)
        opened.append(lever_with(sandbox, auth))
        return opened[-1], auth

    yield one
    for each in opened:
        each.close()


def refreshes(sandbox: Sandbox) -> list[int]:
    """The statuses of all requests to the token address, in order; 0 for one that was cut."""
    records = sandbox.ask("GET", "/calls?full=1")["records"]
    return [one["status"] for one in records if one["endpoint"] in ("/token", "/oauth/token")]


def kept(auth: OAuth) -> Tokens:
    found = auth.file.read()
    assert found is not None
    return found


def needs_consent(error: UnauthorizedError) -> None:
    """The clear error: what happened, that nothing is lost, and what to do; no token in it."""
    assert "`workbook connect acme`" in str(error)
    assert "Nothing that was read is lost" in str(error)
    assert not any(one.decode() in f"{error} {error!r} {vars(error)}" for one in SECRETS)


def until(what: Callable[[], bool]) -> None:
    """Wait for another process, at most ten seconds."""
    end = time.monotonic() + 10
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


# ---- expiry ----------------------------------------------------------------------------------------------------------
def test_a_token_that_ends_in_the_middle_of_a_list_is_renewed_and_the_page_asked_for_again(opener, sandbox) -> None:
    """Every opportunity once, with one refresh more than the first."""
    client, _ = opener()
    sandbox.faults({"api": "lever", "endpoint": "/opportunities", "nth": 3, "effect": "expire_access"})
    found = client.items("/opportunities", [("confidentiality", "all")], limit=10)
    assert Counter(one["id"] for one in sandbox.truth["opportunities"]) == Counter(one["id"] for one in found)
    assert [200, 200] == refreshes(sandbox)


def test_a_download_whose_token_has_ended_is_asked_for_again(opener, sandbox, tmp_path) -> None:
    """A file comes whole, and the storage host never sees a token (the sandbox's refuses it)."""
    client, _ = opener()
    sandbox.switch(download_redirects="all")
    file = next(one for one in sandbox.truth["files"] if one["kind"] == "resume" and one["expected"] == "load")
    client.get("/stages")
    path = f"/opportunities/{file['opportunity']}/resumes/{file['id']}/download"
    sandbox.faults(ENDS | {"endpoint": "/opportunities/*/resumes/*/download"})
    assert file["sha256"] == client.download(path, tmp_path).sha256
    assert [200, 200] == refreshes(sandbox)


def test_a_token_is_renewed_before_it_ends(opener, sandbox) -> None:
    """Told to live for a second, it is not used so long: Lever never has to say 401."""
    sandbox.faults(TOKEN | {"effect": "envelope", "set": {"expires_in": 1}})
    client, _ = opener()
    client.get("/stages")
    until(lambda: client.get("/stages") is not None and len(refreshes(sandbox)) == 3)
    assert {"lever.200"} == set(sandbox.ask("GET", "/calls")["by_status"])


@pytest.mark.parametrize("told", [-1, 0, None, "soon", True, 1e300, []])
def test_an_odd_life_is_not_believed(opener, sandbox, told) -> None:
    """The token is used until Lever says 401."""
    sandbox.faults(TOKEN | {"effect": "envelope", "set": {"expires_in": told}})
    client, _ = opener()
    for _ in range(3):
        client.get("/stages")
    assert [200] == refreshes(sandbox)


def test_many_threads_at_a_token_that_has_ended_make_one_refresh(opener, sandbox) -> None:
    """Whoever waited takes what the first one got."""
    client, _ = opener()
    client.get("/stages")
    sandbox.faults(ENDS)
    start = threading.Barrier(16)

    def ask(_: int) -> int:
        start.wait()
        return len(client.items("/users"))

    with ThreadPoolExecutor(16) as pool:
        assert 1 == len(set(pool.map(ask, range(16))))
    assert [200, 200] == refreshes(sandbox)


@pytest.mark.parametrize(("by", "n_refreshes"), [(-10_000_000, 3), (10_000_000, 2)])
def test_a_clock_that_was_set_wrong_when_tokens_were_kept_does_no_harm(opener, sandbox, by, n_refreshes) -> None:
    """A token that seems over is renewed; one that seems to last for months is not believed beyond its life."""
    client, auth = opener()
    client.get("/stages")
    one = kept(auth)
    auth.file.write(Tokens(one.client, one.refresh, "", one.access, one.life, one.expires_at + by))
    other, again = opener()
    other.get("/stages")
    assert again._held.until - time.monotonic() <= one.life
    sandbox.faults(ENDS)
    assert other.items("/users")
    assert [200] * n_refreshes == refreshes(sandbox)


# ---- processes -------------------------------------------------------------------------------------------------------
def work(sandbox: Sandbox, folder: Path, *, n_requests: int, threads: int = 2) -> Callable[[], None]:
    """What one process does: so many requests, about forty a second."""

    def run() -> None:
        client = lever_with(sandbox, consent(sandbox, folder), per_second=40)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda _: client.get("/stages"), range(n_requests)))

    return run


def in_processes(works: list[Callable[[], None]]) -> list[int]:
    """The exit codes of processes that run at once."""
    pids = []
    for one in works:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                one()
                code = 0
            finally:
                os._exit(code)
        pids.append(pid)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def test_processes_of_one_customer_share_one_chain(sandbox, opener, tmp_path) -> None:
    """Tokens of a second, 400 requests of four processes: none is refused a refresh token, none asks without need."""
    sandbox.switch(oauth_seconds="1")
    assert [0] * 4 == in_processes([work(sandbox, tmp_path / "runs", n_requests=100) for _ in range(4)])
    assert {200} == set(refreshes(sandbox))
    assert 2 <= len(refreshes(sandbox)) < 40
    client, _ = opener(first="")
    client.get("/stages")


def test_an_instance_uses_what_another_one_got(opener, sandbox) -> None:
    """Two open customers of one folder: a refresh by one is none of the other's business."""
    (one, _), (other, _) = opener(), opener()
    for client in (one, other, one):
        client.get("/stages")
    assert [200] == refreshes(sandbox)
    sandbox.faults(ENDS)
    for client in (one, other):
        assert client.items("/users")
    assert [200, 200] == refreshes(sandbox)


# ---- the file --------------------------------------------------------------------------------------------------------
def test_the_new_token_is_on_disk_before_it_is_used_and_the_old_one_until_it_has_worked(opener, sandbox) -> None:
    """Mode 0600 in a folder of mode 0700, and nothing else is left there."""
    client, auth = opener()
    first = sandbox.about["lever_oauth"]["refresh_token"]
    auth.token()
    assert (f"{first}-1", first) == (kept(auth).refresh, kept(auth).previous)
    client.get("/stages")
    assert (f"{first}-1", "") == (kept(auth).refresh, kept(auth).previous)
    folder = auth.file.path.parent
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert {".lever-oauth.lock", "lever-oauth.json"} == {path.name for path in folder.iterdir()}
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_the_first_token_is_not_used_any_more_once_there_is_a_file(opener, sandbox) -> None:
    """A used-up token in .env.CUSTOMER harms nobody."""
    client, _ = opener()
    client.get("/stages")
    other, auth = opener(first="long-used-up")
    other.get("/stages")
    sandbox.faults(ENDS)
    other.get("/users")
    assert [200, 200] == refreshes(sandbox)
    assert f"{sandbox.about['lever_oauth']['refresh_token']}-2" == kept(auth).refresh


def test_without_any_token_a_consent_is_asked_for(opener, sandbox) -> None:
    """Before anything is asked of Lever."""
    client, _ = opener(first="")
    with pytest.raises(UnauthorizedError, match="no consent") as caught:
        client.get("/stages")
    needs_consent(caught.value)
    assert 0 == sandbox.ask("GET", "/calls")["total"]


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"client": "c"}', '{"client": "c", "refresh": 5}', "\xff"])
def test_a_damaged_file_is_said_and_left(opener, sandbox, tmp_path, text) -> None:
    """What it held is not guessed, and nothing is asked with the token of the beginning."""
    client, auth = opener()
    auth.file.path.parent.mkdir()
    auth.file.path.write_bytes(text.encode("latin-1"))
    auth.file.path.chmod(0o600)
    with pytest.raises(StoreError, match=r"damaged.*workbook connect"):
        client.get("/stages")
    assert (text, []) == (auth.file.path.read_text("latin-1"), refreshes(sandbox))


def test_a_file_that_others_may_read_is_refused(opener, sandbox) -> None:
    """As with .env.CUSTOMER; the cure is named."""
    client, auth = opener()
    client.get("/stages")
    auth.file.path.chmod(0o640)
    other, _ = opener()
    with pytest.raises(ConfigError, match="chmod 600"):
        other.get("/stages")


# ---- lost answers ----------------------------------------------------------------------------------------------------
NOT_APPLIED = {
    "cut before": {"effect": "reset_before"},
    "cut in the request": {"effect": "reset_in_request"},
    "503": {"effect": "status", "status": 503},
    "500 with a body": {"effect": "status", "status": 500, "body": '{"error": "server_error"}'},
    "403 of a firewall": {"effect": "html", "status": 403},
    "429": {"effect": "throttle", "retry_after": "0.01"},
    "silence": {"effect": "silence", "ms": 1500},
    "html": {"effect": "html"},
    "empty": {"effect": "empty"},
    "words": {"effect": "not_json"},
    "redirected to nowhere": {"effect": "status", "status": 307},
}
APPLIED = {
    "cut after": {"effect": "reset_after"},
    "cut in the answer": {"effect": "reset_in_answer"},
    "cut short": {"effect": "truncate"},
    "wrong length": {"effect": "wrong_length"},
    "bad gzip": {"effect": "bad_gzip"},
    "late": {"effect": "late", "ms": 1500},
    "endless": {"effect": "endless", "ms": 20, "for_ms": 2500},
    "503 after": {"effect": "status", "status": 503, "apply": True},
    "html after": {"effect": "html", "apply": True},
    "empty after": {"effect": "empty", "apply": True},
    "words after": {"effect": "not_json", "apply": True},
    "silence after": {"effect": "silence", "ms": 1500, "apply": True},
    "no token in it": {"effect": "envelope", "drop": ["access_token", "refresh_token"]},
    "tokens of odd types": {"effect": "envelope", "set": {"access_token": 5, "refresh_token": None}},
}
HALF = {
    "no access token": {"effect": "envelope", "drop": ["access_token"]},
    "an access token that is none": {"effect": "envelope", "set": {"access_token": "a\nb"}},
}


def lose(sandbox: Sandbox, client: Lever, fault: dict[str, Any]) -> None:
    """A first token works, then ends; the refresh that follows meets `fault`."""
    client.get("/stages")
    if fault["effect"] in ("silence", "late", "endless"):
        client._auth.address.transport.limits = Limits(connect=1, read=1, total=1.5)
    sandbox.faults(ENDS, TOKEN | {"nth": 1} | fault)


@pytest.mark.parametrize("name", NOT_APPLIED)
def test_a_refresh_that_did_not_happen_is_asked_for_again(opener, sandbox, name) -> None:
    """The same token, and nobody notices; also where used tokens are refused."""
    client, _ = opener()
    lose(sandbox, client, NOT_APPLIED[name])
    assert client.items("/users")
    assert 2 == sandbox.struck()


@pytest.mark.parametrize("name", APPLIED)
def test_a_refresh_whose_answer_was_lost_goes_on_where_a_used_token_works_once_more(opener, sandbox, name) -> None:
    """Lever's identity service may allow it for a while (a switch of the sandbox)."""
    client, auth = opener()
    sandbox.switch(oauth_old_refresh="accept")
    lose(sandbox, client, APPLIED[name])
    assert client.items("/users")
    assert 2 == sandbox.struck()
    assert "" == kept(auth).previous


@pytest.mark.parametrize("name", APPLIED)
def test_a_refresh_whose_answer_was_lost_ends_in_a_clear_word_where_it_does_not(opener, sandbox, name) -> None:
    """The file stays as it was; the next try asks nothing in vain; a new consent goes on with the same objects."""
    client, auth = opener()
    lose(sandbox, client, APPLIED[name])
    before = kept(auth)
    for n_asked in (3, 3):
        with pytest.raises(UnauthorizedError) as caught:
            client.items("/users")
        needs_consent(caught.value)
        assert n_asked == len(refreshes(sandbox))
    assert before == kept(auth)
    sandbox.switch(oauth_old_refresh="accept")
    other, _ = opener(first=f"{sandbox.about['lever_oauth']['refresh_token']}-2", folder=auth.file.path.parent / "new")
    other.get("/stages")
    auth.file.write(kept(other._auth))
    assert client.items("/users")


@pytest.mark.parametrize("name", HALF)
def test_a_new_refresh_token_is_kept_whatever_lacks_beside_it(opener, sandbox, name) -> None:
    """Used tokens are refused here: had it been thrown away, the chain would have ended."""
    client, _ = opener()
    lose(sandbox, client, HALF[name])
    assert client.items("/users")
    assert [200, 200, 200] == refreshes(sandbox)


def test_an_answer_without_a_refresh_token_leaves_the_one_there_is(opener, sandbox) -> None:
    """A server need not give a new one (RFC 6749, 6)."""
    client, auth = opener()
    sandbox.switch(oauth_old_refresh="accept")
    sandbox.faults(TOKEN | {"effect": "envelope", "drop": ["refresh_token"]}, ENDS)
    client.get("/stages")
    assert client.items("/users")
    assert sandbox.about["lever_oauth"]["refresh_token"] == kept(auth).refresh


def test_a_refused_token_gives_way_to_the_one_before_it(opener, sandbox) -> None:
    """The old one is kept until the new one has worked, and is good for something."""
    client, auth = opener(first="")
    good = sandbox.about["lever_oauth"]
    auth.file.path.parent.mkdir()
    auth.file.write(Tokens(good["client_id"], "never-heard-of", previous=good["refresh_token"]))
    client.get("/stages")
    assert [403, 200] == refreshes(sandbox)
    assert (f"{good['refresh_token']}-1", "") == (kept(auth).refresh, kept(auth).previous)


def test_a_token_address_that_is_down_is_given_up_once_for_all_threads(opener, sandbox) -> None:
    """As many tries as reads have, together; the refresh token stays, and the next run goes on with it."""
    client, _ = opener()
    client.get("/stages")
    sandbox.faults(ENDS, TOKEN | {"effect": "delay", "ms": 400}, TOKEN | {"effect": "status", "status": 503})
    start, told = threading.Barrier(8), []

    def ask(_: int) -> None:
        start.wait()
        with pytest.raises(FatalError) as caught:
            client.items("/users")
        told.append(caught.value)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert [200] + [503] * ATTEMPTS == refreshes(sandbox)
    assert {"Lever gives no new access token. Lever: the token address answered 503."} == {one.message for one in told}
    assert {4} == {one.exit_code for one in told}
    sandbox.faults()
    assert client.items("/users")


# ---- refusals --------------------------------------------------------------------------------------------------------
def test_a_consent_that_is_withdrawn_costs_one_refresh_and_stops_all(opener, sandbox) -> None:
    """401 for every token from now on: eight threads, one refresh, the clear error in each."""
    client, _ = opener()
    client.get("/stages")
    sandbox.faults({"api": "lever", "effect": "status", "status": 401})
    start = threading.Barrier(8)

    def ask(_: int) -> None:
        start.wait()
        with pytest.raises(UnauthorizedError) as caught:
            client.items("/users")
        assert 401 == caught.value.status
        needs_consent(caught.value)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert [200, 200] == refreshes(sandbox)
    sandbox.faults()
    assert client.items("/users")


def test_after_the_end_of_all_a_new_consent_is_found_by_whoever_is_still_open(opener, sandbox) -> None:
    """A notebook that stopped goes on in the same kernel: the tokens on disk are looked at before giving up again."""
    (client, _), (other, _) = opener(), opener()
    client.get("/stages")
    sandbox.faults({"api": "lever", "effect": "status", "status": 401})
    for _ in range(2):
        with pytest.raises(UnauthorizedError):
            client.items("/users")
    assert [200, 200] == refreshes(sandbox)
    sandbox.faults({"api": "lever", "endpoint": "/stages", "nth": 1, "effect": "expire_access"})
    other.get("/stages")
    assert client.items("/users")
    assert [200] * 3 == refreshes(sandbox)


def test_a_wrong_client_secret_is_said_at_once_and_not_shown(opener, sandbox) -> None:
    """One request; the refresh token is not used up by it."""
    client, auth = opener(secret="wr0ng-s3cret")
    with pytest.raises(UnauthorizedError, match=r"does not accept the OAuth client \(401 access_denied\)") as caught:
        client.get("/stages")
    assert "wr0ng" not in f"{caught.value} {vars(caught.value)}"
    assert ([401], None) == (refreshes(sandbox), auth.file.read())
    right, _ = opener()
    right.get("/stages")


def test_a_refusal_that_nobody_knows_stops_with_its_code(opener, sandbox) -> None:
    """Not tried again, and no word of its text."""
    sandbox.faults(TOKEN | {"effect": "refuse", "code": "invalid_scope", "message": "sandbox-refresh-x", "status": 400})
    client, _ = opener()
    with pytest.raises(ContractError, match=r"400 invalid_scope") as caught:
        client.get("/stages")
    assert "sandbox-refresh" not in str(caught.value)
    assert [400] == refreshes(sandbox)


def test_a_scope_that_lacks_is_named_with_its_cure(opener, sandbox) -> None:
    """A 403 renews nothing."""
    sandbox.switch(lever_key_without="/users")
    client, _ = opener()
    with pytest.raises(UnauthorizedError, match=r"OAuth consent may not read /users \(403\).*lever\.oauth\.scopes"):
        client.items("/users")
    assert [200] == refreshes(sandbox)


def test_a_consent_that_nobody_used_for_months_is_asked_for_anew(opener, sandbox) -> None:
    """Lever ends it after 90 days; one that is used in time goes on, until a year is over."""
    client, _ = opener()
    client.get("/stages")
    for days, n_refreshes in ((89, 2), (89, 3), (91, 4)):
        sandbox.ask("POST", "/edits", {"wait_ms": days * 86_400_000})
        if days < 90:
            assert client.items("/users")
        else:
            with pytest.raises(UnauthorizedError) as caught:
                client.items("/users")
            needs_consent(caught.value)
        assert n_refreshes == len(refreshes(sandbox))
    assert 403 == refreshes(sandbox)[-1]


# ---- redirects of the token address (accounts in the EU) -------------------------------------------------------------
def redirected(front: Any, hosts: list[str], tmp_path: Path) -> OAuth:
    client = OAuthClient("id-1", "s3cret-1", f"{front.url}/oauth/token", hosts)
    transport = Transport("Lever", pacer=Pacer(1000), limits=Limits(connect=1, read=1, total=2))
    patience = Patience(attempts=2, first=0.001, longest=0.002)
    return OAuth(client, tmp_path / "runs", customer="acme", transport=transport, patience=patience, first="r-0")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_token_address_may_redirect_to_a_host_that_is_allowed(tmp_path, status) -> None:
    """The same form goes there, whole."""
    with serving() as front, serving() as europe:
        front.says(http(status, location=f"{europe.url}/oauth/token"))
        europe.says(http(body={"access_token": "a-1", "refresh_token": "r-1", "expires_in": 3600}))
        auth = redirected(front, [europe.host], tmp_path)
        assert "a-1" == auth.token()
        assert ["POST"] == [one.method for one in europe.asked]
        assert front.asked[0].body == europe.asked[0].body
        assert b"refresh_token=r-0" in europe.asked[0].body
        auth.close()


@pytest.mark.parametrize("told", ["{other}/oauth/token", "//evil.example/t", "http://evil.example/", "https://[bad"])
def test_the_secret_never_goes_to_a_host_that_is_not_allowed(tmp_path, told) -> None:
    """Another port is another host, too; the remedy is named."""
    with serving() as front, serving() as other:
        front.says(http(307, location=told.replace("{other}", other.url)))
        auth = redirected(front, ["*.lever.co"], tmp_path)
        with pytest.raises(FatalError, match=r"not allowed.*lever\.oauth\.hosts"):
            auth.token()
        assert (1, 0) == (len(front.asked), len(other.asked))
        auth.close()


def test_a_circle_of_redirects_ends(tmp_path) -> None:
    """Three steps in each of two tries, and then the clear error."""
    with serving() as front:
        front.says(http(307, location="/oauth/token"))
        auth = redirected(front, [], tmp_path)
        with pytest.raises(FatalError, match="in a circle"):
            auth.token()
        assert 6 == len(front.asked)
        auth.close()


# ---- death -----------------------------------------------------------------------------------------------------------
def fork(run: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            run()
        finally:
            os._exit(1)
    return pid


@pytest.mark.parametrize("old", ["accept", "refuse"])
def test_killed_between_the_answer_and_the_disk(sandbox, opener, tmp_path, old) -> None:
    """Lever has rotated, we never heard of it: the next run goes on, or ends in the clear error with nothing lost."""
    client, auth = opener()
    client.get("/stages")
    before = kept(auth)
    sandbox.switch(oauth_old_refresh=old)
    sandbox.faults(ENDS, TOKEN | {"nth": 1, "effect": "late", "ms": 5000})
    pid = fork(lambda: lever_with(sandbox, consent(sandbox, tmp_path / "runs")).items("/users"))
    until(lambda: len(refreshes(sandbox)) == 2)
    os.kill(pid, signal.SIGKILL)
    assert signal.SIGKILL == os.waitpid(pid, 0)[1]
    assert before == kept(auth)
    other, _ = opener()
    if old == "accept":
        assert other.items("/users")
    else:
        with pytest.raises(UnauthorizedError) as caught:
            other.items("/users")
        needs_consent(caught.value)


def test_killed_after_the_disk_and_before_the_first_use(sandbox, opener, tmp_path) -> None:
    """The next run begins with the new tokens and asks for nothing."""

    def refresh_and_die() -> None:
        consent(sandbox, tmp_path / "runs").token()
        os.kill(os.getpid(), signal.SIGKILL)

    assert signal.SIGKILL == os.waitpid(fork(refresh_and_die), 0)[1]
    client, auth = opener(first="")
    assert sandbox.about["lever_oauth"]["refresh_token"] == kept(auth).previous
    assert client.items("/users")
    assert ([200], "") == (refreshes(sandbox), kept(auth).previous)


def test_killed_after_the_disk_and_found_ended_it_is_renewed_once(sandbox, opener, tmp_path) -> None:
    """A token that another process kept and nobody has tried is not given up for one 401."""
    opener()[1].token()
    sandbox.faults(ENDS)
    client, _ = opener(first="")
    assert client.items("/users")
    assert [200, 200] == refreshes(sandbox)


@pytest.mark.parametrize("old", ["accept", "refuse"])
def test_killed_at_random_moments(sandbox, opener, tmp_path, old) -> None:
    """Every second request ends all tokens; after a kill the file is whole, and the chain goes on or says why not."""
    chance = random.Random(f"oauth {old}")
    n_kills, n_ended, folder = 0, 0, tmp_path / "runs-0"
    for _ in range(12):
        if not folder.exists():  # a new consent
            sandbox.reset()
            sandbox.switch(oauth_old_refresh=old)
            opener(folder)[0].get("/stages")
        sandbox.faults({"api": "lever", "every": 2, "effect": "expire_access"}, TOKEN | {"effect": "late", "ms": 20})
        run = work(sandbox, folder, n_requests=1000, threads=1)
        n_kills += killed(run, seconds=chance.uniform(0.02, 0.25))
        sandbox.faults()  # a request of the dead may still be on its way
        client, auth = opener(folder, first="")
        try:
            client.get("/stages")
        except UnauthorizedError as error:
            needs_consent(error)
            assert "refuse" == old
            n_ended += 1
            folder = tmp_path / f"runs-{n_ended}"
        assert kept(auth).access
    assert 12 == n_kills


# ---- the disk --------------------------------------------------------------------------------------------------------
def test_on_a_full_disk_nothing_is_asked(sandbox, opener, disk: Disk) -> None:  # noqa: F811
    """What could not be kept would be lost; with some room the same token goes on. Used tokens are refused here."""
    client, _ = opener(disk.folder)
    client.get("/stages")
    disk.leave(8192)
    sandbox.faults(ENDS)
    with pytest.raises(StoreError, match="No space left"):
        client.items("/users")
    assert [200] == refreshes(sandbox)
    disk.empty()
    assert client.items("/users")
    assert [200, 200] == refreshes(sandbox)


def under_way(client: Lever, sandbox: Sandbox, meanwhile: Callable[[], None]) -> None:
    """A refresh during which something happens, between the request and its answer."""
    client.get("/stages")
    sandbox.faults(ENDS, TOKEN | {"nth": 1, "effect": "late", "ms": 700})
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.items, "/users")
        until(lambda: len(refreshes(sandbox)) == 2)
        meanwhile()
        assert asked.result()


def test_a_disk_that_fills_up_while_the_answer_is_on_its_way_has_room_for_it(sandbox, opener, disk: Disk) -> None:  # noqa: F811
    """The room was made before the question."""
    client, _ = opener(disk.folder)
    under_way(client, sandbox, lambda: disk.leave(0))
    assert [200, 200] == refreshes(sandbox)


def test_what_the_disk_did_not_take_is_kept_and_goes_there_first(sandbox, opener, disk: Disk) -> None:  # noqa: F811
    """Read-only meanwhile: a clear error, and nothing is used; writable again: it goes on with the new token."""
    client, auth = opener(disk.folder)
    with pytest.raises(StoreError, match="Read-only"):
        under_way(client, sandbox, lambda: disk.remount("ro"))
    with pytest.raises(StoreError):
        client.items("/users")
    before = kept(auth)
    disk.remount("rw")
    assert client.items("/users")
    assert [200, 200] == refreshes(sandbox)
    assert before.refresh != kept(auth).refresh


# ---- a whole customer ------------------------------------------------------------------------------------------------
@pytest.fixture
def oauth_home(tmp_path: Path, sandbox: Sandbox) -> Iterator[Path]:
    folder = tmp_path / "home"
    oauth_customer(folder, sandbox)
    with environment(folder, sandbox):
        yield folder


def shown(folder: Path) -> list[str]:
    """Files of a customer that hold a token or the client's secret, besides the file that is for them."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "lever-oauth.json"]
    return [path.name for path in files if any(word in path.read_bytes() for word in SECRETS)]


def test_a_whole_extraction_with_tokens_of_two_seconds(oauth_home, sandbox, opened, mapped_heads) -> None:  # noqa: F811
    """The same raw tables and files as with a key, and no token in anything that is kept."""
    sandbox.switch(oauth_seconds="2")
    book = opened()
    read(book)
    same(book, mapped_heads)
    assert {200} == set(refreshes(sandbox))
    assert len(refreshes(sandbox)) >= 2
    assert [] == shown(oauth_home / "runs")
    one = TokenFile(book.folder).read()
    book.log("odd", text=f"{one.access} {one.refresh} {sandbox.about['lever_oauth']['client_secret']}")
    assert [] == shown(oauth_home / "runs")


def test_a_consent_that_ends_in_the_middle_stops_the_step_and_the_next_run_goes_on(
    oauth_home,
    sandbox,
    opened,
    mapped_heads,  # noqa: F811
) -> None:
    """Exit code 4 with the clear error; what was read stays; no token in log, store or error."""
    book = opened()
    steps.audit(book)
    sandbox.faults({"api": "lever", "effect": "status", "status": 401, "after": 60})
    with pytest.raises(UnauthorizedError) as caught:
        steps.extract(book)
    needs_consent(caught.value)
    assert 4 == caught.value.exit_code
    assert "UnauthorizedError" in (book.folder / "log.jsonl").read_text("utf-8")
    assert [] == shown(oauth_home / "runs")
    sandbox.faults()
    again = opened()
    read(again)
    same(again, mapped_heads)


def test_a_customer_of_a_local_service_takes_tokens_from_it(tmp_path, monkeypatch, opened) -> None:
    """Started anew, the service has forgotten them, and so have we."""
    command = ["{python}", "-m", "sandbox", "--port", "0", "--people", "4", "--seed", "5", "--limits", "off", "--json"]
    path = tmp_path / "params" / f"{CUSTOMER}.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump({"customer": CUSTOMER, "service": {"command": command}, "lever": {"auth": "oauth"}}))
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path))
    folder = workbook.folder_of(CUSTOMER)
    seen = set()
    try:
        for _ in range(2):
            book = opened()
            assert book.lever.items("/stages")
            seen.add(TokenFile(folder).read().client)
            book.close()
            assert workbook.service.stop(folder)
    finally:
        workbook.service.stop(folder)
    assert 2 == len(seen)


def test_every_secret_is_masked_as_soon_as_it_is_known(sandbox, opener) -> None:
    """In all forms in which a log could show it."""
    masker = Masker()
    client, auth = opener(register=masker.register)
    told = sandbox.about["lever_oauth"]
    for _ in range(2):
        sandbox.faults(ENDS)
        client.items("/users")
        one = kept(auth)
        for secret in (one.access, one.refresh, told["refresh_token"], told["client_secret"]):
            assert "*** ***" == masker.mask(f"{secret} {json.dumps(secret)[1:-1]}")


def test_nothing_shows_its_secrets_when_it_is_printed(opener) -> None:
    """A notebook prints whatever stands in the last line of a cell."""
    client, auth = opener()
    client.get("/stages")
    for one in (client, auth, auth._held, kept(auth), auth.address, auth.address.client, auth.file):
        assert not any(word.decode() in f"{one} {one!r}" for word in SECRETS)


@pytest.mark.parametrize("fault", [{"effect": "html"}, {"effect": "reset_after"}, {"effect": "status", "status": 400}])
def test_no_error_holds_a_secret(opener, sandbox, fault) -> None:
    """Whatever the token address says, even our own words."""
    told = sandbox.about["lever_oauth"]
    body = json.dumps({"error": told["refresh_token"], "error_description": told["client_secret"]})
    sandbox.faults(TOKEN | fault | ({"body": body} if "status" in fault else {}))
    client, _ = opener()
    with pytest.raises(WorkbookError) as caught:
        client.get("/stages")
    shown_words = f"{caught.value} {caught.value!r} {vars(caught.value)} {caught.value.__cause__!r}"
    assert not any(word.decode() in shown_words for word in SECRETS)

"""`workbook connect`: an admin of Lever consents, and the customer is let in from then on."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import CUSTOMER, ROOT, Sandbox, environment, write_customer

from lib.cli import main
from lib.errors import ConfigError, UnauthorizedError
from lib.oauth import authorize_url, code_in
from lib.params import SCOPES

Connect = Callable[[Callable[[str], str]], subprocess.CompletedProcess[str]]
BACK = "https://app.example/after?from=lever"


@pytest.fixture
def home(tmp_path: Path, sandbox: Sandbox) -> Iterator[Path]:
    """A customer with OAuth who has no token yet."""
    folder, told = tmp_path / "home", sandbox.about["lever_oauth"]
    urls = {name: told[name] for name in ("token_url", "authorize_url")}
    write_customer(folder, sandbox, lever={"auth": "oauth", "oauth": urls})
    env = folder / f".env.{CUSTOMER}"
    env.write_text(
        f"LEVER_CLIENT_ID={told['client_id']}\nLEVER_CLIENT_SECRET={told['client_secret']}\nLEVER_REDIRECT_URI={BACK}\n"
    )
    env.chmod(0o600)
    with environment(folder, sandbox):
        yield folder


def admin_says_yes(address: str) -> str:
    """The address to which the sandbox sends the browser of an admin who consents."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *about: object) -> None:
            return None

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(Stay).open(address, timeout=10)
    assert 302 == caught.value.code
    return caught.value.headers["Location"]


ADDRESS = re.compile(r"^https?://\S+$", re.MULTILINE)


def in_a_process(answer: Callable[[str], str]) -> subprocess.CompletedProcess[str]:
    """`workbook connect acme` as a user runs it; `answer` makes of the address that is printed what is pasted."""
    words = [sys.executable, "-m", "lib.cli", "connect", CUSTOMER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, cwd=ROOT, env=os.environ | {"COLUMNS": "200"}, **pipes) as process:
        told = ""
        while "pasted here:" not in told and (line := process.stdout.readline()):
            told += line
        found = ADDRESS.search(told)
        more, errors = process.communicate(answer(found.group() if found else "") + "\n", timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, told + more, errors)


class Typist:
    """Reads the screen, and types what `answer` makes of the address that stands there."""

    def __init__(self, answer: Callable[[str], str], screen: pytest.CaptureFixture[str]) -> None:
        self._answer, self._screen = answer, screen
        self.told = ""

    def readline(self) -> str:
        self.told += self._screen.readouterr().out
        return self._answer(ADDRESS.search(self.told).group()) + "\n"


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Connect:
    """The same within this process, which is faster."""

    def run(answer: Callable[[str], str]) -> subprocess.CompletedProcess[str]:
        typist = Typist(answer, capsys)
        monkeypatch.setattr(sys, "stdin", typist)
        monkeypatch.setattr(sys, "argv", ["workbook", "connect", CUSTOMER])
        with pytest.raises(SystemExit) as ended:
            main()
        more = capsys.readouterr()
        return subprocess.CompletedProcess(sys.argv, ended.value.code, typist.told + more.out, more.err)

    return run


def failed(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert [word for word in words if word not in done.stderr] == []


def test_an_admin_consents_and_the_customer_is_let_in(home, sandbox, opened) -> None:
    """Once, by hand; every later run renews what came of it. No token and no code is printed or kept elsewhere."""
    pasted: list[str] = []
    done = in_a_process(lambda address: pasted.append(admin_says_yes(address)) or pasted[0])
    assert (0, "") == (done.returncode, done.stderr)
    assert f"workbook run {CUSTOMER} --to audit" in done.stdout
    assert "not given" not in done.stdout
    folder = home / "runs" / CUSTOMER
    kept = folder / "lever-oauth.json"
    assert 0o600 == stat.S_IMODE(kept.stat().st_mode)
    assert "" == json.loads(kept.read_text())["previous"]
    assert not (folder / "lever-consent.json").exists()
    code = parse_qs(urlsplit(pasted[0]).query)["code"][0]
    assert not [
        word for word in (code, "sandbox-access-", "sandbox-refresh-", "sandbox-secret-") if word in done.stdout
    ]
    assert code.encode() not in kept.read_bytes()
    book = opened()
    sandbox.faults({"api": "lever", "endpoint": "/users", "nth": 1, "effect": "expire_access"})
    assert book.lever.items("/users")


def test_what_is_asked_for_is_what_lever_documents(home, sandbox, connect) -> None:
    """Client, redirect, audience with its slash, every scope of a full read, and a state that nobody can guess."""
    asked: list[str] = []
    connect(lambda address: asked.append(address) or "")
    query = parse_qs(urlsplit(asked[0]).query)
    assert {"client_id", "redirect_uri", "response_type", "state", "audience", "scope"} == set(query)
    assert [f"{sandbox.about['lever_url']}/"] == query["audience"]
    assert ([BACK], ["code"]) == (query["redirect_uri"], query["response_type"])
    assert sorted(SCOPES) == sorted(query["scope"][0].split())
    assert len(query["state"][0]) >= 43


def test_a_question_outlives_the_process_and_is_answered_once(home, connect) -> None:
    """Whoever consents may send the address tomorrow; used, it is worth nothing."""
    asked: list[str] = []
    failed(connect(lambda address: asked.append(address) or ""), 2, "No address was given")
    answer = admin_says_yes(asked[0])
    assert 0 == connect(lambda address: answer).returncode
    failed(connect(lambda address: answer), 2, "its state differs")


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        (lambda good: good.replace("state=", "state=x"), 2, "state differs"),
        (lambda good: re.sub("&state=[^&]*", "", good), 2, "state differs"),
        (lambda good: good.replace("app.example", "evil.example"), 2, "not the address"),
        (lambda good: good.replace("https:", "http:"), 2, "not the address"),
        (lambda good: good.replace("/after", "/other"), 2, "not the address"),
        (lambda good: "https://[bad", 2, "not the address"),
        (lambda good: re.sub("code=[^&]*", "code=", good), 2, "no code"),
        (lambda good: re.sub("code=[^&]*", "code=made-up", good), 4, "does not accept this code"),
        (lambda good: re.sub("code=[^&]*", "error=access_denied", good), 4, "was not given (access_denied)"),
    ],
)
def test_a_wrong_answer_changes_nothing(home, connect, change, code, word) -> None:
    """A consent there is stays as it is; the error names neither code nor address."""
    assert 0 == connect(admin_says_yes).returncode
    kept = (home / "runs" / CUSTOMER / "lever-oauth.json").read_bytes()
    done = connect(lambda address: change(admin_says_yes(address)))
    failed(done, code, word)
    assert "sandbox-code" not in done.stdout + done.stderr
    assert kept == (home / "runs" / CUSTOMER / "lever-oauth.json").read_bytes()


def test_a_new_consent_takes_the_place_of_one_that_has_ended(home, sandbox, connect, opened) -> None:
    """Lever has forgotten every token; nothing else of the customer changes."""
    assert 0 == connect(admin_says_yes).returncode
    sandbox.reset()
    book = opened()
    with pytest.raises(UnauthorizedError, match="workbook connect acme"):
        book.lever.items("/users")
    assert 0 == connect(admin_says_yes).returncode
    assert book.lever.items("/users")


def test_a_damaged_token_file_is_mended_by_a_new_consent(home, connect, opened) -> None:
    """As the error says."""
    assert 0 == connect(admin_says_yes).returncode
    (home / "runs" / CUSTOMER / "lever-oauth.json").write_text("{")
    assert 0 == connect(admin_says_yes).returncode
    assert opened().lever.items("/users")


def test_scopes_that_were_not_given_are_named(home, sandbox, connect) -> None:
    """The audit would find the gaps later; the person who consented is here now."""
    scope = " ".join(one for one in SCOPES if not one.startswith("notes:"))
    sandbox.faults({"api": "oauth", "endpoint": "/token", "effect": "envelope", "set": {"scope": scope}})
    done = connect(admin_says_yes)
    assert 0 == done.returncode
    assert "not given: notes:read:admin." in done.stdout


def test_a_consent_without_a_refresh_token_is_none(home, sandbox, connect) -> None:
    """It would end within the hour."""
    sandbox.faults({"api": "oauth", "endpoint": "/token", "effect": "envelope", "drop": ["refresh_token"]})
    failed(connect(admin_says_yes), 4, "no refresh token", "offline_access")
    assert not (home / "runs" / CUSTOMER / "lever-oauth.json").exists()


def test_what_lacks_is_named_before_anything_is_asked(home, sandbox, connect) -> None:
    """A customer with a key needs no consent; without an id, a secret or an address there is nothing to ask with."""
    env = home / f".env.{CUSTOMER}"
    env.write_text("")
    failed(connect(lambda address: ""), 2, "LEVER_CLIENT_ID, LEVER_CLIENT_SECRET", ".env.acme")
    env.write_text("LEVER_CLIENT_ID=a\nLEVER_CLIENT_SECRET=b\n")
    failed(connect(lambda address: ""), 2, "LEVER_REDIRECT_URI")
    env.write_text("LEVER_CLIENT_ID=a\nLEVER_CLIENT_SECRET=b\nLEVER_REDIRECT_URI=http://app.example/\n")
    failed(connect(lambda address: ""), 2, "https")
    write_customer(home, sandbox)
    failed(connect(lambda address: ""), 2, "by a key", "auth: oauth")


def test_an_address_is_read_as_people_paste_it() -> None:
    """With blanks, quotes or angle brackets around it."""
    for text in (" {} \n", "<{}>", '"{}"'):
        good = "https://app.example/cb?code=c-1&state=s-1"
        assert "c-1" == code_in(text.format(good), redirect_uri="https://app.example/cb", state="s-1")
    with pytest.raises(ConfigError):
        code_in("https://app.example/cb?code=c-1&state=", redirect_uri="https://app.example/cb", state="s-1")


def test_an_authorize_address_may_have_a_query_of_its_own() -> None:
    """What is asked is appended to it."""
    about = {"client_id": "i", "redirect_uri": "https://a.example", "state": "s", "audience": "u", "scopes": ["a", "b"]}
    found = authorize_url("https://auth.example/authorize?org=5", **about)
    assert found.startswith("https://auth.example/authorize?org=5&client_id=i&")
    assert "scope=a+b" in found

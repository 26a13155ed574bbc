"""Redirects of Lever: a path that has moved is followed on Lever's own host, and no key goes anywhere else.

Redirects of downloads stand in `test_lever`, those of a made-up token address in `test_oauth`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CUSTOMER, Sandbox, environment, oauth_customer
from odd_server import OddServer, http, serving
from test_extract import mapped_heads, read, same  # noqa: F401 - a fixture
from test_oauth import TOKEN, refreshes, shown

from lib import workbook
from lib.errors import FatalError, UnavailableError
from lib.lever import Key, Lever
from lib.transport import Limits, Pacer, Patience, Transport
from lib.transport.moves import asked_there
from lib.workbook import Workbook

KEY = "lever-key-of-nobody"
FILE = "/opportunities/o1/files/f1/download"
LIST = {"data": [{"id": "a"}], "hasNext": False}


@pytest.fixture
def server() -> Iterator[OddServer]:
    with serving() as one:
        yield one


@pytest.fixture
def other() -> Iterator[OddServer]:
    with serving() as one:
        yield one


@pytest.fixture
def lever(server: OddServer, other: OddServer) -> Iterator[Lever]:
    transport = Transport("Lever", pacer=Pacer(10_000, burst=100), limits=Limits(connect=1, read=1, max_bytes=10_000))
    patience = Patience(attempts=3, first=0.001, longest=0.002)
    yield Lever(f"{server.url}/v1", Key(KEY), transport=transport, patience=patience, hosts=[other.host])
    transport.close()


# ---- a path that has moved -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [301, 308])
@pytest.mark.parametrize("told", ["/v1/candidates?limit=100&x=1", "{own}/v1/candidates?limit=100&x=1"])
def test_a_list_that_has_moved_is_asked_for_at_its_new_place(server, lever, status, told) -> None:
    """With the key, and with what the new address adds."""
    server.says(http(status, b"<html>", location=told.replace("{own}", server.url)), http(body=LIST))
    assert [{"id": "a"}] == lever.items("/opportunities")
    assert ["/v1/opportunities?limit=100", "/v1/candidates?limit=100&x=1"] == [one.target for one in server.asked]
    assert all(one.headers["authorization"].startswith("Basic ") for one in server.asked)


def test_what_was_asked_is_asked_at_the_new_place_too(server, lever) -> None:
    """A redirect that loses a filter or a page token would lose records unseen."""
    first = http(body={"data": [{"id": "a"}], "hasNext": True, "next": "%5B1%5D"})
    moved = http(301, location="/v1/candidates")
    server.says(moved, first, moved, http(body=LIST))
    lever.items("/opportunities", [("confidentiality", "all"), ("expand", "stage"), ("expand", "owner")])
    asked = "confidentiality=all&expand=stage&expand=owner&limit=100"
    there = [one.target for one in server.asked if "candidates" in one.target]
    assert [f"/v1/candidates?{asked}", f"/v1/candidates?{asked}&offset=%255B1%255D"] == there


@pytest.mark.parametrize(
    ("place", "url", "query", "wanted"),
    [
        ("https://a/new", "https://a/old", [("b", "1"), ("b", "2")], [("b", "1"), ("b", "2")]),
        ("https://a/new?b=1&c=3", "https://a/old", [("b", "1"), ("b", "2")], [("b", "1"), ("c", "3"), ("b", "2")]),
        ("https://a/new", "https://a/old?status=signed", [], [("status", "signed")]),
        ("https://a/new?b=%255B#part", "https://a/old", [("b", "%5B")], [("b", "%5B")]),
        ("https://a/new?b=", "https://a/old", [("b", "")], [("b", "")]),
    ],
)
def test_nothing_is_asked_twice_and_nothing_lost(place, url, query, wanted) -> None:
    """The parameters of both addresses, each once; no fragment."""
    assert ("https://a/new", wanted) == asked_there(place, url, query)


def test_a_download_that_has_moved_is_signed_and_one_at_the_storage_is_not(server, other, lever, tmp_path) -> None:
    """A path of the API's own stays the API's; the storage behind it sees no key. What is asked for is kept."""
    server.says(http(301, location="/v1/elsewhere"), http(302, b"<html>", location=f"{other.url}/bytes"))
    other.says(http(body=b"bytes"))
    assert b"bytes" == lever.download(f"{FILE}?status=signed", tmp_path).path.read_bytes()
    assert [f"/v1{FILE}?status=signed", "/v1/elsewhere?status=signed"] == [one.target for one in server.asked]
    assert ["authorization" in one.headers for one in (*server.asked, *other.asked)] == [True, True, False]


PLACES = (
    "{other}/v1/users",
    "//{other_host}/v1/users",
    "https://evil.example/v1/users",
    "https://{own_host}/v1/users",
    "http://127.0.0.1:1/v1/users",
    "http://localhost:{port}/v1/users",
    "http://key@{own_host}/v1/users",
    "http://{own_host}@evil.example/v1/users",
    "http://{own_host}.evil.example/v1/users",
    "http://169.254.169.254/latest/meta-data",
    "http://[::1]/v1/users",
    "https://evil.example\\@{own_host}/v1/users",
    "ftp://{own_host}/v1/users",
    "file:///etc/passwd",
    "javascript:alert(1)",
)


@pytest.mark.parametrize("place", PLACES)
def test_a_list_that_has_moved_to_another_host_stops_with_the_remedy(server, other, lever, place) -> None:
    """Another port, another scheme, another spelling: nothing is sent there, and nothing is asked again."""
    names = {"other": other.url, "other_host": other.host, "own_host": server.host, "port": str(server.port)}
    told = place
    for name, value in names.items():
        told = told.replace(f"{{{name}}}", value)
    server.says(http(301, location=told))
    with pytest.raises(FatalError, match=r"/users has moved to another host.*lever\.base_url") as caught:
        lever.items("/users")
    assert (301, [1, 0]) == (caught.value.status, [len(server.asked), len(other.asked)])


@pytest.mark.parametrize("told", ["", " ", "https://[bad"])
def test_a_list_that_has_moved_to_nowhere_is_a_broken_answer(server, lever, told) -> None:
    """Asked for again while that may help."""
    server.says(http(301, location=told), http(body=LIST))
    assert [{"id": "a"}] == lever.items("/users")


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_list_that_is_elsewhere_for_now_is_a_broken_answer(server, other, lever, status) -> None:
    """A login page, a gateway: not followed on any host, and no reason to stop while patience lasts."""
    server.says(http(status, location="/v1/login"), http(status, location=f"{other.url}/login"), http(body=LIST))
    assert [{"id": "a"}] == lever.items("/users")
    assert (["/v1/users?limit=100"] * 3, 0) == ([one.target for one in server.asked], len(other.asked))


def test_a_circle_of_moves_ends(server, lever) -> None:
    """Three steps in each of three tries."""
    server.says(http(301, location="/v1/users"))
    with pytest.raises(UnavailableError, match="answered 301"):
        lever.items("/users")
    assert 12 == len(server.asked)


MOVED: list[dict[str, Any]] = [
    {"api": "lever", "endpoint": "/opportunities", "every": 2, "effect": "moved"},
    {"api": "lever", "endpoint": "/opportunities/*/notes", "every": 2, "effect": "moved"},
    {"api": "lever", "endpoint": "/opportunities/*/feedback", "every": 3, "effect": "moved", "query": False},
    {"api": "lever", "endpoint": "/opportunities/*/offers/*/download", "effect": "moved", "query": False},
    {"api": "lever", "endpoint": "/opportunities/*/resumes/*/download", "every": 2, "effect": "moved", "status": 308},
]


def test_a_whole_extraction_follows_what_has_moved(book: Workbook, sandbox: Sandbox, mapped_heads) -> None:  # noqa: F811
    """The same raw tables and files as where nothing has, short pages included."""
    short = {"api": "lever", "endpoint": "/opportunities", "effect": "short_page", "limit": 20}
    sandbox.faults(short, *MOVED)
    read(book)
    same(book, mapped_heads)
    assert all(row["struck"] for row in sandbox.ask("GET", "/faults"))


# ---- the token address -----------------------------------------------------------------------------------------------
@pytest.fixture
def connected(tmp_path: Path, sandbox: Sandbox) -> Iterator[Callable[..., Workbook]]:
    """Opens a customer that comes with OAuth, with hosts to which the token address may redirect."""
    opened: list[Workbook] = []
    with environment(tmp_path / "home", sandbox):

        def one(*hosts: str) -> Workbook:
            told = sandbox.about["lever_oauth"]
            about: dict[str, Any] = {name: told[name] for name in ("token_url", "authorize_url")}
            about |= {"hosts": list(hosts)} if hosts else {}
            oauth_customer(tmp_path / "home", sandbox, lever={"oauth": about})
            opened.append(workbook.open_customer(CUSTOMER))
            return opened[-1]

        yield one
        for book in opened:
            book.close()
    sandbox.reset()


@pytest.mark.parametrize(("how", "hosts"), [("no", ()), ("path", ()), ("host", ("localhost",))])
def test_a_customer_of_another_data_centre_is_let_in(connected, sandbox: Sandbox, how, hosts) -> None:
    """Nothing is redirected; another path is told; another host is told that the params file allows."""
    sandbox.switch(oauth_redirects=how)
    book = connected(*hosts)
    assert book.lever.items("/stages")
    assert ([200] if how == "no" else [307, 200]) == refreshes(sandbox)
    sandbox.faults({"api": "lever", "endpoint": "/users", "nth": 1, "effect": "expire_access"})
    assert book.lever.items("/users")
    assert ([] if how == "no" else ["oauth_redirects"]) == sandbox.ask("GET", "/switches?decided=1")
    assert [] == shown(book.folder)


def test_no_secret_goes_to_a_data_centre_that_is_not_allowed(connected, sandbox: Sandbox) -> None:
    """By default only hosts of Lever's are: one question, sent to the address of the params file, and no other."""
    sandbox.switch(oauth_redirects="host")
    book = connected()
    with pytest.raises(FatalError, match=r"redirects to a host that is not allowed: localhost.*lever\.oauth\.hosts"):
        book.lever.items("/stages")
    assert ([307], {"lever.307"}) == (refreshes(sandbox), set(sandbox.ask("GET", "/calls")["by_status"]))
    sandbox.switch(oauth_redirects="no")
    assert book.lever.items("/stages")  # the refresh token was not used up


def test_an_answer_that_is_lost_in_another_data_centre_is_asked_for_again(connected, sandbox: Sandbox) -> None:
    """From the first address on."""
    sandbox.switch(oauth_redirects="path", oauth_old_refresh="accept")
    sandbox.faults(TOKEN | {"nth": 2, "effect": "reset_after"})
    assert connected().lever.items("/stages")
    assert [307, 200, 307, 200] == refreshes(sandbox)

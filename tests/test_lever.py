"""Lever: what an answer means, lists to their end, downloads that arrive whole or not at all."""

import hashlib
import json
import time

import pytest
from odd_server import http, reset, serving
from requests.structures import CaseInsensitiveDict

from lib.errors import (
    ContractError,
    FatalError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    StoreError,
    UnauthorizedError,
    UnavailableError,
    WorkbookError,
)
from lib.lever import Key, Lever, OffsetExpiredError, meaning, unwrap
from lib.transport import Limits, Pacer, Patience, Reply, Transport, server_time

KEY = "lever-key-of-nobody"
PERSON = "Jane Roe jane@roe.example"
FILE = "/opportunities/o1/files/f1/download"
ODD_STATUSES = (201, 302, 400, 401, 403, 404, 409, 422, 500, 503)
HTML = b"<!doctype html><title>Lever is down</title>"


@pytest.fixture
def server():
    with serving() as one:
        yield one


@pytest.fixture
def storage():
    with serving() as one:
        yield one


@pytest.fixture
def lever(server, storage):
    transport = Transport("Lever", pacer=Pacer(10_000, burst=100), limits=Limits(connect=1, read=1, max_bytes=10_000))
    patience = Patience(attempts=3, first=0.001, longest=0.002)
    yield Lever(f"{server.url}/v1", Key(KEY), transport=transport, patience=patience, hosts=[storage.host])
    transport.close()


def page(*ids, more=False, token=None):
    return http(body={"data": [{"id": one} for one in ids], "hasNext": more} | ({"next": token} if token else {}))


def answer(status, body=b"", **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, CaseInsensitiveDict(named), content)


# ---- statuses ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(400, {"code": "BadRequestError", "message": PERSON}), RejectedError),
        (answer(400, {"code": "BadRequestError", "message": "Invalid offset token"}), OffsetExpiredError),
        (answer(400, HTML), RejectedError),
        (answer(400, [1]), RejectedError),
        (answer(400, {"code": None, "message": None}), RejectedError),
        (answer(401), UnauthorizedError),
        (answer(403, {"code": "Forbidden"}), UnauthorizedError),
        (answer(404, {"code": "ResourceNotFound"}), NotFoundError),
        (answer(404, HTML), NotFoundError),
        (answer(413), RejectedError),
        (answer(415), RejectedError),
        (answer(422, {"code": "UnprocessableEntity"}), RejectedError),
        (answer(429), RateLimitedError),
        (answer(429, retry_after="3"), RateLimitedError),
        (answer(409), UnavailableError),
        (answer(201, {"data": []}), UnavailableError),
        (answer(204), UnavailableError),
        (answer(206, {"data": []}), UnavailableError),
        (answer(302, location="/elsewhere"), UnavailableError),
        (answer(500, {"code": "InternalServerError", "message": PERSON}), UnavailableError),
        (answer(502, HTML), UnavailableError),
        (answer(503, retry_after="3"), UnavailableError),
        (answer(504), UnavailableError),
        (answer(520, HTML), UnavailableError),
    ],
)
def test_every_status_has_one_meaning(lever, reply, kind):
    """Set aside, try again, or stop: the exact class, and nothing of the body in its words."""
    with pytest.raises(WorkbookError) as caught:
        meaning(reply, "/opportunities", lever.transport)
    assert kind is type(caught.value)
    assert "Jane" not in f"{caught.value} {vars(caught.value)}"


def test_a_code_that_is_a_sentence_is_not_kept(lever):
    """Only what looks like a code of the vendor's is repeated."""
    for code in (PERSON, ["x"], {"a": PERSON}, "x" * 500, 7):
        with pytest.raises(RejectedError) as caught:
            meaning(answer(422, {"code": code}), "/x", lever.transport)
        assert "" == caught.value.code


@pytest.mark.parametrize(("headers", "least", "most"), [({"retry_after": "30"}, 29, 30), ({}, 0.5, 1)])
def test_a_429_holds_everybody(lever, headers, least, most):
    """For as long as it says, else a second; and at half the pace from then on."""
    with pytest.raises(RateLimitedError) as caught:
        meaning(answer(429, **headers), "/x", lever.transport)
    assert least < lever.transport.pacer._held_until - time.monotonic() <= most
    assert 5000 == lever.transport.pacer.rate
    assert (30.0 if headers else None) == caught.value.wait


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Sat, 31 Jan 2026 12:00:30 GMT", 1769860830000),
        ("Sat, 31 Jan 2026 12:00:30", 1769860830000),
        ("", 0),
        ("yesterday", 0),
        ("Sat, 31 Jan 99999999999999999999 12:00:30 GMT", 0),
    ],
)
def test_the_servers_clock_is_read_in_utc(date, moment):
    """Windows begin at the server's time, never at ours; no date is 0."""
    assert moment == server_time(answer(200, date=date).headers)


# ---- calls ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("bad", [reset, http(500), http(503), http(body=HTML), http(body=b""), http(body=b'{"data"')])
def test_a_read_is_tried_again_while_that_may_help(server, lever, bad):
    """Two bad answers and a good one make a good one; three bad ones make an error."""
    server.says(bad, bad, page("a"))
    assert [{"id": "a"}] == lever.items("/users")
    server.says(bad)
    with pytest.raises(UnavailableError):
        lever.items("/users")
    assert 3 == len(server.asked)


@pytest.mark.parametrize("body", [b"5", b'"text"', b"null", b"true"])
def test_json_that_is_neither_object_nor_list_is_not_an_answer(server, lever, body):
    """A cache or proxy spoke, not Lever."""
    server.says(http(body=body))
    with pytest.raises(UnavailableError):
        lever.items("/users")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refused_read_is_not_tried_again(server, lever, status):
    """Asking again would only be the same refusal."""
    server.says(http(status))
    with pytest.raises(WorkbookError):
        lever.items("/users")
    assert 1 == len(server.asked)


def test_a_403_is_not_an_empty_list(server, lever):
    """A missing permission stops the run: nothing is taken as "there is none"."""
    server.says(http(403, {"code": "Forbidden", "message": PERSON}))
    with pytest.raises(UnauthorizedError, match="/requisitions"):
        lever.items("/requisitions")


# ---- lists ---------------------------------------------------------------------------------------------------------
def test_a_list_is_read_to_its_end_with_the_token_it_gave(server, lever):
    """The token goes back unchanged, filters stay, an empty page in the middle is not the end."""
    odd = "%5B1519758000000%2C%22a b%22%5D+/=&x"
    server.says(page("a", more=True, token=odd), page(more=True, token="2"), page("b"))
    assert [{"id": "a"}, {"id": "b"}] == lever.items("/users", [("expand", "x"), ("expand", "y")])
    assert "/v1/users?expand=x&expand=y&limit=100" == server.asked[0].target
    assert server.asked[1].target.startswith("/v1/users?expand=x&expand=y&limit=100&offset=%255B1519758000000%252C")
    assert "offset=2" in server.asked[2].target


def test_a_limit_can_be_left_out(server, lever):
    """Some lists of Lever know no limit."""
    server.says(page("a"))
    lever.items("/opportunities/o1/resumes", limit=None)
    assert "/v1/opportunities/o1/resumes" == server.asked[0].target


@pytest.mark.parametrize(
    "body",
    [
        {"data": [], "hasNext": True},
        {"data": [], "hasNext": True, "next": ""},
        {"data": [], "hasNext": True, "next": None},
        {"data": [], "hasNext": "true", "next": "1"},
        {"data": [], "hasNext": 1, "next": "1"},
        {"data": [], "hasNext": None, "next": "1"},
        {"data": None, "hasNext": False},
        {"data": "text"},
        {"data": 5},
        {"data": ["a"]},
        {"data": [{"id": "a"}, None]},
        {"data": [[{"id": "a"}]]},
        ["a"],
        {},
    ],
)
def test_an_envelope_that_hides_an_end_or_a_list_is_an_error(server, lever, body):
    """More without a token, half-said ends, and what is no list: never a short list."""
    server.says(http(body=body))
    with pytest.raises(ContractError):
        lever.items("/users")


def test_a_page_that_names_the_next_one_is_not_the_last(server, lever):
    """Though it says nothing of `hasNext`: short lists leave that out (recorded)."""
    server.says(http(body={"data": [{"id": "a"}], "next": "t"}), http(body={"data": [{"id": "b"}]}))
    assert [{"id": "a"}, {"id": "b"}] == lever.items("/users")


def test_all_of_levers_envelopes_are_unwrapped():
    """A list in `data`, an object in `data`, a bare list, a bare object; an empty list is a list."""
    one = {"id": "a"}
    for body in ({"data": [one], "hasNext": False}, {"data": one}, [one], one):
        assert [one] == unwrap(body, "/x")
    for body in ({"data": []}, {"data": {}}, []):
        assert [] == unwrap(body, "/x")


def test_one_object_is_found_in_either_envelope(server, lever):
    """Wrapped or bare; a list is not an object, and neither is nothing."""
    server.says(http(body={"data": {"id": "a"}}), http(body={"id": "a"}))
    assert {"id": "a"} == lever.one("/users/a")
    assert {"id": "a"} == lever.one("/users/a")
    for body in ({"data": []}, {"data": None}, [{"id": "a"}]):
        server.says(http(body=body))
        with pytest.raises(ContractError):
            lever.one("/users/a")


def test_a_refused_token_starts_the_list_again(server, lever):
    """What was read is dropped, so nothing is there twice."""
    lost = http(400, {"code": "BadRequestError", "message": "Invalid offset token"})
    server.says(page("a", more=True, token="1"), lost, page("a", more=True, token="1"), page("b"))
    assert [{"id": "a"}, {"id": "b"}] == lever.items("/users")


@pytest.mark.parametrize("tokens", [("1", "1"), ("1", "2", "1")])
def test_a_token_that_comes_back_is_not_another_lap(server, lever, tokens):
    """Its page is asked for twice more, the list begun three times, then given up; it never ends short."""
    pages = [page("a", more=True, token=token) for token in (*tokens, tokens[-1], tokens[-1])]
    server.says(*(pages * 4))
    with pytest.raises(UnavailableError, match="three times"):
        lever.items("/users")
    assert 3 * len(pages) == len(server.asked)


@pytest.mark.parametrize("wrong", [page("a", more=True, token="1"), page(more=True), page(more=True, token="")])
def test_one_answer_that_leads_back_or_nowhere_costs_one_request(server, lever, wrong):
    """The page is asked for again; nothing of the wrong answer counts, and the list is not begun anew."""
    server.says(page("a", more=True, token="1"), wrong, page("b", more=True, token="2"), page("c"))
    assert [{"id": "a"}, {"id": "b"}, {"id": "c"}] == lever.items("/users")
    assert [False, True, True, True] == ["offset" in one.target for one in server.asked]


def test_each_page_tells_the_servers_time(server, lever):
    """The Date header of the page, in milliseconds."""
    server.says(http(body={"data": []}, date="Sat, 31 Jan 2026 12:00:30 GMT"))
    assert [1769860830000] == [one.server_ms for one in lever.pages("/users")]


# ---- downloads -----------------------------------------------------------------------------------------------------
def left_over(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_download_arrives_whole_and_private(server, lever, tmp_path):
    """Bytes, hash, size and type; readable by the owner only; the type without its parameters."""
    data = bytes(range(256)) * 20
    server.says(http(body=data, content_type="Application/PDF; charset=binary"))
    got = lever.download(FILE, tmp_path)
    assert (data, hashlib.sha256(data).hexdigest(), 5120, "application/pdf") == (
        got.path.read_bytes(), got.sha256, got.size, got.media_type,
    )  # fmt: skip
    assert 0o600 == got.path.stat().st_mode & 0o777
    assert server.asked[0].headers["authorization"].startswith("Basic ")


def test_an_empty_file_is_a_file(server, lever, tmp_path):
    """No bytes are zero bytes."""
    server.says(http(body=b""))
    assert 0 == lever.download(FILE, tmp_path).size


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_download_never_carries_our_key(server, storage, lever, tmp_path, status):
    """The storage sees neither key nor cookie, and what stood in the redirect is not in the file."""
    server.says(http(status, b"<html>moved</html>", location=f"{storage.url}/bytes?sig=1", set_cookie="id=1"))
    storage.says(http(302, b"<html>again</html>", location="/real"), http(body=b"bytes"))
    assert b"bytes" == lever.download(FILE, tmp_path).path.read_bytes()
    assert ["/bytes?sig=1", "/real"] == [one.target for one in storage.asked]
    assert not [one for one in storage.asked if {"authorization", "cookie"} & set(one.headers)]


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/cv.pdf",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/",
        "http://[::1]/",
        "http://10.0.0.8/",
        "file:///etc/passwd",
        "ftp://files.example/",
        "//evil.example/x",
        "https://{storage}@evil.example/",
        "https://evil.example\\@{storage}/",
        "https://evil.example/{storage}",
        "http://{storage}.evil.example/",
        "https://[bad",
        "javascript:alert(1)",
        "data:text/plain,x",
    ],
)
def test_a_redirect_to_a_forbidden_host_is_never_followed(server, storage, lever, tmp_path, location):
    """Off the list is off the list, however it is written; nothing stays on disk. Here Lever itself is not on it."""
    server.says(http(302, b"", location=location.replace("{storage}", storage.host)))
    with pytest.raises(FatalError, match="not allowed"):
        lever.download(FILE, tmp_path)
    assert [1, 0] == [len(server.asked), len(storage.asked)]
    assert [] == left_over(tmp_path)


def test_a_redirect_to_nowhere_is_a_broken_answer(server, storage, lever, tmp_path):
    """A redirect that lost its address is asked for again, and stops nothing."""
    server.says(http(302), http(302, location=" "), http(302, location=f"{storage.url}/a"))
    storage.says(http(body=b"bytes"))
    assert b"bytes" == lever.download(FILE, tmp_path).path.read_bytes()


def test_a_redirect_loop_ends(server, storage, lever, tmp_path):
    """Four steps and no more, three tries and no more."""
    server.says(http(302, location=f"{storage.url}/a"))
    storage.says(http(302, location="/a"))
    with pytest.raises(UnavailableError):
        lever.download(FILE, tmp_path)
    assert [3, 12] == [len(server.asked), len(storage.asked)]
    assert not [one for one in storage.asked if "authorization" in one.headers]


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_a_refusal_of_the_storage_says_nothing_about_our_key(server, storage, lever, tmp_path, status):
    """An expired address is asked for anew; the run does not stop and Lever's pace is not slowed."""
    server.says(http(302, location=f"{storage.url}/a"))
    storage.says(http(status, b"<Error>Expired</Error>", retry_after="0"), http(body=b"bytes"))
    assert b"bytes" == lever.download(FILE, tmp_path).path.read_bytes()
    assert 2 == len(server.asked)
    storage.says(http(status, b"", retry_after="0"))
    with pytest.raises(UnavailableError):
        lever.download(FILE, tmp_path)
    assert 10_000 == lever.transport.pacer.rate
    assert 1 == len(left_over(tmp_path))


@pytest.mark.parametrize(("status", "kind"), [(404, NotFoundError), (422, RejectedError), (403, UnauthorizedError)])
def test_a_file_that_lever_cannot_deliver_is_told_apart(server, lever, tmp_path, status, kind):
    """Not there, not processed, not allowed: once each, and nothing on disk."""
    server.says(http(status, HTML))
    with pytest.raises(kind):
        lever.download(FILE, tmp_path)
    assert 1 == len(server.asked)
    assert [] == left_over(tmp_path)


def test_bytes_that_the_storage_has_lost_are_not_asked_for_again(server, storage, lever, tmp_path):
    """404 of the storage is final."""
    server.says(http(302, location=f"{storage.url}/a"))
    storage.says(http(404, b"<Error/>"))
    with pytest.raises(NotFoundError):
        lever.download(FILE, tmp_path)


def test_half_a_file_is_no_file(server, lever, tmp_path):
    """Cut, too short, too large: tried again, then an error; a later whole one is whole."""
    for bad in (reset, http(body=b"x" * 100, content_length="500", close=True), http(body=b"x" * 20_000)):
        server.says(bad, bad, http(body=b"whole"))
        got = lever.download(FILE, tmp_path)
        assert b"whole" == got.path.read_bytes()
        got.path.unlink()
        server.says(bad)
        with pytest.raises(UnavailableError):
            lever.download(FILE, tmp_path)
        assert [] == left_over(tmp_path)


def test_a_folder_that_cannot_be_written_is_not_levers_fault(server, lever, tmp_path):
    """Our own disk: no retry, and not a word about the network."""
    with pytest.raises(StoreError, match="No such file"):
        lever.download(FILE, tmp_path / "not there")
    assert [] == server.asked


def test_errors_carry_neither_body_nor_names_nor_keys(server, lever, tmp_path):
    """What is raised speaks of paths, codes and statuses."""
    reads = [lambda: lever.items("/users"), lambda: lever.download(FILE, tmp_path)]
    cases = [(reads[0], 200), *((read, status) for status in ODD_STATUSES for read in reads)]
    for read, status in cases:
        server.says(http(status, {"code": f"{PERSON} {KEY}", "message": f"{PERSON} {KEY}", "data": [PERSON]}))
        with pytest.raises(WorkbookError) as caught:
            read()
        text = f"{caught.value} {caught.value!r} {vars(caught.value)}"
        assert not [word for word in ("Jane", "roe.example", KEY) if word in text]

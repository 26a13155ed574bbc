"""Bytes of files: whole, from allowed places only, and what cannot be had is asked for on different occasions."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import new_store
from odd_server import OddServer, http, reset, serving
from sqlalchemy import update

from lib.errors import FatalError, UnavailableError
from lib.extract.files import fetch, keep_file, without_bytes
from lib.lever import Key, Lever
from lib.store import FileRow, Store
from lib.store import tables as t
from lib.transport import Limits, Pacer, Patience, Transport

KEY = "lever-key-of-nobody"
MB = 1_000_000
DAY = 86_400_000
AGAIN = 20 * 3_600_000
PATH = "/opportunities/o1/files/f1/download"


@pytest.fixture
def server() -> Iterator[OddServer]:
    """Of the file it gives what it is told to; that Lever as a whole answers is seen from its stages."""
    with serving() as one:
        one.always["/v1/stages"] = http(200, {"data": [], "hasNext": False})
        yield one


@pytest.fixture
def storage() -> Iterator[OddServer]:
    with serving() as one:
        yield one


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = new_store(tmp_path / "acme")
    yield one
    one.close()


@pytest.fixture
def lever(server: OddServer, storage: OddServer) -> Iterator[Lever]:
    """A client with the product's own limits on size, and the patience of a test."""
    transport = Transport("Lever", pacer=Pacer(10_000, burst=100), limits=Limits(connect=1, read=5))
    patience = Patience(attempts=2, first=0.001, longest=0.002)
    yield Lever(f"{server.url}/v1", Key(KEY), transport=transport, patience=patience, hosts=[storage.host])
    transport.close()


def lacking(store: Store) -> set[str]:
    """Opportunities whose files are to be asked for now."""
    return set(without_bytes(store, AGAIN))


def read(store: Store, lever: Lever, **meta: Any) -> FileRow | None:
    """One reading of the opportunity's list of files, as the extraction makes it: fetch, then commit."""
    item = {"id": "f1", "name": "cv.pdf", "size": None, "uploadedAt": 1, "status": "processed"} | meta
    row = fetch(store, lever, "f1", "files", "o1", PATH, item, "cv.pdf", again_ms=AGAIN)
    with store.begin() as tx:
        store.put_raw(tx, "files", [("f1", "o1", item)])
        if row is not None:
            keep_file(store, tx, row)
    return store.file("f1")


def later(store: Store, ms: int) -> None:
    """As if so much time had passed since everything was asked for."""
    with store.begin() as tx:
        tx.execute(update(t.files).values(at_ms=t.files.c.at_ms - ms))


def stored_bytes(store: Store) -> bytes:
    row = store.file("f1")
    assert row is not None
    assert row.sha256 is not None
    return store.file_path(row.sha256).read_bytes()


# ---- whole ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 3 * MB, 30 * MB])
@pytest.mark.parametrize("redirected", [False, True])
def test_files_of_any_size_that_lever_takes_arrive_whole(
    store: Store, lever: Lever, server: OddServer, storage: OddServer, size: int, redirected: bool
) -> None:
    """Bytes and hash, straight from Lever and from its storage; what is in them is not looked at."""
    data = (b"%PDF-1.7 \0PK\3\4<script>" * (size // 20 + 1))[:size]
    (storage if redirected else server).says(http(body=data, content_type="application/octet-stream"))
    if redirected:
        server.says(http(302, location=f"{storage.url}/f1"))
    row = read(store, lever, size=size or None)
    assert row is not None
    assert ("stored", size, hashlib.sha256(data).hexdigest()) == (row.state, row.size, row.sha256)
    assert data == stored_bytes(store)


def test_a_hundred_megabytes_are_refused_before_they_are_here(store: Store, lever: Lever, server: OddServer) -> None:
    """Lever takes 30 MB at most: what does not end is cut off, and nothing of it stays on disk."""
    sent = [0]

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n")
        while sent[0] < 200 * MB:
            connection.sendall(b"x" * 65_536)
            sent[0] += 65_536

    server.says(endless)
    row = read(store, lever)
    assert row is not None
    assert ("failed", None) == (row.state, row.sha256)
    assert sent[0] < 2 * 80 * MB
    assert [] == list((store.folder / "files").iterdir())


@pytest.mark.parametrize("told", [9, 11, "11", 100])
def test_a_size_that_lever_tells_otherwise_is_asked_for_until_it_is_sure(
    store: Store, lever: Lever, server: OddServer, told: Any
) -> None:
    """Three times alike: Lever's number is wrong, and the report says so."""
    server.says(http(body=b"0123456789", content_type="application/pdf"))
    row = read(store, lever, size=told)
    assert row is not None
    assert ("stored", 10, f"Lever told of {told} bytes", 3) == (row.state, row.size, row.reason, len(server.asked))


def test_a_cut_that_heals_is_no_file(store: Store, lever: Lever, server: OddServer) -> None:
    """Too short once, whole the next time: the whole one stays."""
    server.says(http(body=b"01234", content_type="x/y"), http(body=b"0123456789", content_type="x/y"))
    row = read(store, lever, size=10)
    assert row is not None
    assert ("stored", 10, "") == (row.state, row.size, row.reason)


def each_time(*bodies: bytes, content_type: str = "application/pdf") -> list[bytes]:
    """Answers that differ from one download to the next, and then go on for ever alike."""
    return [http(body=body, content_type=content_type) for body in (*bodies, *[b"more %d" % n for n in range(10)])]


@pytest.mark.parametrize("told", [None, 9])
def test_a_document_that_is_stamped_anew_for_each_download_is_kept_and_said(
    store: Store, lever: Lever, server: OddServer, told: int | None
) -> None:
    """Six times, and none of them alike: the last one counts, and the reason says so; the next run leaves it alone."""
    server.says(*each_time(*[b"%%PDF stamp %d" % number for number in range(6)]))
    row = read(store, lever, size=told)
    assert row is not None
    said = "it differs from download to download (6 tries)"
    reason = f"Lever told of 9 bytes; {said}" if told else said
    assert ("stored", 12, reason, 6) == (row.state, row.size, row.reason, len(server.asked))
    assert b"%PDF stamp 5" == stored_bytes(store)
    assert [row.sha256] == [path.name for path in (store.folder / "files").iterdir()]
    assert (row, 6) == (read(store, lever, size=told), len(server.asked))


def test_of_downloads_that_differ_the_longest_counts(store: Store, lever: Lever, server: OddServer) -> None:
    """A cut is shorter than the whole, wherever it came."""
    server.says(*each_time(b"12", b"1234", b"123", b"1", b"12", b"1"))
    row = read(store, lever)
    assert row is not None
    assert ("stored", 4, b"1234") == (row.state, row.size, stored_bytes(store))


def test_pages_that_differ_each_time_are_no_file(store: Store, lever: Lever, server: OddServer) -> None:
    """A login page with a number of its own in each answer."""
    server.says(*each_time(*[b"<p>Log in, %d" % number for number in range(6)], content_type="text/html"))
    row = read(store, lever)
    assert row is not None
    assert ("failed", "text/html came instead of the file", 6) == (row.state, row.reason, len(server.asked))
    assert [] == list((store.folder / "files").iterdir())


@pytest.mark.parametrize("told", [0, "0"])
def test_a_size_of_nothing_is_a_size(store: Store, lever: Lever, server: OddServer, told: Any) -> None:
    """An empty file of which Lever says that it is empty is whole at once; anything else is odd."""
    server.says(http(body=b"", content_type="x/y"))
    row = read(store, lever, size=told)
    assert row is not None
    assert ("stored", 0, "", 1) == (row.state, row.size, row.reason, len(server.asked))
    server.says(http(body=b"0123", content_type="x/y"))
    row = read(store, lever, size=told, uploadedAt=2)
    assert row is not None
    assert ("stored", 4, "Lever told of 0 bytes", 3) == (row.state, row.size, row.reason, len(server.asked))


# ---- from allowed places only --------------------------------------------------------------------------------------
ASTRAY = [
    *[f"{scheme}://evil.example/x" for scheme in ("https", "http", "ftp", "gopher", "file", "ws", "HTTPS", "dict")],
    *[f"http://{host}/x" for host in ("127.0.0.1:1", "localhost:1", "[::1]:1", "0.0.0.0:1", "127.1:1", "2130706433:1")],
    *[f"http://{host}/x" for host in ("10.0.0.8", "192.168.0.1", "172.16.0.1", "169.254.169.254", "[fd00:ec2::254]")],
    *[f"https://{host}/x" for host in ("metadata.google.internal", "169.254.169.254", "10.0.0.8", "[::ffff:7f00:1]")],
    *[f"{lead}evil.example/x" for lead in ("//", "///", "\\\\", "https:", "https:/", "/\\")],
    "https://{storage}@evil.example/", "https://evil.example#@{storage}/", "https://evil.example?@{storage}/",
    "https://evil.example\\@{storage}/", "http://{storage}.evil.example/", "https://evil.example/{storage}",
    "http://user:pw@{storage}/", "https://{storage}%2eevil.example/", "https://evil.example%00{storage}/",
    "http://{storage} .evil.example/", "https://[bad", "https://", "javascript:alert(1)", "data:text/plain,x",
    "https://xn--evil-.example/", "https://evil.example:99999/", "http://evil.example\t/", "about:blank",
]  # fmt: skip


def test_there_are_enough_ways_astray() -> None:
    """Forty at least, all of them different."""
    assert len(set(ASTRAY)) >= 40


@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize("location", ASTRAY)
def test_a_download_that_is_sent_astray_is_not_followed(
    store: Store, lever: Lever, server: OddServer, storage: OddServer, location: str, hops: int
) -> None:
    """By Lever itself, or by its storage: nobody but the two is asked, and only Lever sees the key."""
    place = location.replace("{storage}", storage.host)
    server.says(http(302, location=place if hops == 1 else f"{storage.url}/next"))
    storage.says(http(302, location=place))
    with pytest.raises((FatalError, UnavailableError)):
        lever.download(PATH, store.folder / "files")
    n_hops = len(storage.asked)
    relative = location.startswith(("/\\", "https:/", "https:evil", "///"))  # no host in it: read as a path by some
    assert n_hops == 0 or hops == 2 or relative
    assert [one for one in storage.asked if {"authorization", "cookie"} & set(one.headers)] == []
    assert all(one.target == f"/v1{PATH}" for one in server.asked)
    assert [] == list((store.folder / "files").iterdir())


# ---- what cannot be had --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [404, 410, 413, 415, 422])
def test_what_lever_cannot_deliver_is_asked_for_on_three_occasions(
    store: Store, lever: Lever, server: OddServer, status: int
) -> None:
    """Not twice in one day; after the third time it is final; each time says how often it was tried."""
    server.says(http(status, {"code": "x"}))
    seen = []
    for _ in range(5):
        row = read(store, lever)
        assert row is not None
        asked = len(server.asked)
        assert read(store, lever) == row
        assert (asked, set()) == (len(server.asked), lacking(store))
        seen.append((row.state, row.attempts))
        later(store, DAY)
    assert [("unavailable", 1), ("unavailable", 2), *[("unavailable", 3)] * 3] == seen


def test_an_occasion_that_is_due_brings_the_file_when_lever_has_it_again(
    store: Store, lever: Lever, server: OddServer
) -> None:
    """A file that was being processed on the first day."""
    server.says(http(422, {"code": "x"}))
    read(store, lever, size=5)
    assert set() == lacking(store)
    later(store, DAY)
    assert {"o1"} == lacking(store)
    server.says(http(body=b"bytes", content_type="x/y"))
    row = read(store, lever, size=5)
    assert row is not None
    assert ("stored", 2) == (row.state, row.attempts)


def test_a_status_that_changes_is_an_occasion_by_itself(store: Store, lever: Lever, server: OddServer) -> None:
    """From `processing` to `processed`: there is no need to wait."""
    server.says(http(422, {"code": "x"}))
    read(store, lever, status="processing")
    server.says(http(body=b"bytes", content_type="x/y"))
    row = read(store, lever, status="processed", size=5)
    assert row is not None
    assert ("stored", 1) == (row.state, row.attempts)


def test_no_answer_is_not_no_file(store: Store, lever: Lever, server: OddServer) -> None:
    """Storage that is down says nothing about the file: the next run asks again, however often."""
    server.says(http(503))
    for attempts in (1, 2, 3, 4, 5):
        row = read(store, lever)
        assert row is not None
        assert ("failed", attempts) == (row.state, row.attempts)
        assert {"o1"} == lacking(store)


@pytest.mark.parametrize("answer", [http(503), reset], ids=["503", "cut"])
def test_a_lever_that_answers_nothing_at_all_ends_the_run_and_is_no_failure_of_the_file(
    store: Store, lever: Lever, server: OddServer, answer: Any
) -> None:
    """Else each file of an opportunity would be waited for, one after the other, before the run says it is over."""
    server.always.clear()
    server.says(answer)
    with pytest.raises(UnavailableError, match="/download"):
        read(store, lever)
    assert [f"/v1{PATH}"] * 2 + ["/v1/stages?limit=1"] == [one.target for one in server.asked]
    assert store.file("f1") is None


def test_what_lever_has_answered_before_it_went_away_does_not_tell_that_it_is_there(
    store: Store, lever: Lever, server: OddServer
) -> None:
    """Somebody else was answered while the file was first asked for; nobody in the later half of its wait."""

    def answers_somebody_else(connection: socket.socket) -> None:
        lever._answered_at = time.monotonic()
        reset(connection)

    def answers_late(connection: socket.socket) -> None:
        time.sleep(1.0)  # the first half of the wait is over long before, on a busy machine, too
        connection.sendall(http(503))

    server.always.clear()
    server.says(answers_somebody_else, answers_late, http(503))
    with pytest.raises(UnavailableError, match=r"Lever does not answer\. .*/download.* Run 02_extract again"):
        read(store, lever)
    assert "/v1/stages?limit=1" == server.asked[-1].target


def test_workers_whose_files_were_in_vain_ask_once_whether_lever_answers(lever: Lever, server: OddServer) -> None:
    """Only for what they have waited for before it was known; later it is asked anew, and a 429 is an answer."""
    server.always.clear()
    server.says(http(503))
    began = time.monotonic()
    assert lever.is_away(since=began)
    assert lever.is_away(since=began)
    assert 1 == len(server.asked)
    assert lever.is_away(since=time.monotonic())
    assert 2 == len(server.asked)
    server.says(http(429, retry_after="0"))
    assert not lever.is_away(since=time.monotonic())


def test_an_answer_to_anybody_tells_that_lever_is_there(lever: Lever, server: OddServer) -> None:
    """Then one wrong answer to the quick try does not end the run: it is not even made."""
    server.always.clear()
    began = time.monotonic()
    server.says(http(body=b'{"data": []}'))
    lever.get("/users")
    server.says(http(503))
    assert not lever.is_away(since=began)
    assert [] == server.asked
    assert lever.is_away(since=time.monotonic())


@pytest.mark.parametrize("script", [http(503), http(body=b"bytes", content_type="x/y")], ids=["failed", "stored"])
def test_a_file_that_lever_has_deleted_costs_no_reading_of_lists(
    store: Store, lever: Lever, server: OddServer, script: bytes
) -> None:
    """Its bytes did not come, or somebody has removed them: it is asked for as long as Lever has it."""
    server.says(script)
    row = read(store, lever, size=5)
    assert row is not None
    if row.sha256:
        store.file_path(row.sha256).unlink()
    assert {"o1"} == lacking(store)
    with store.begin() as tx:
        store.put_children(tx, "o1", {"files": []})
    assert set() == lacking(store)


# ---- replaced under its id -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("told", [{"size": 6}, {"uploadedAt": 2}, {"size": "6", "uploadedAt": "2"}])
def test_a_file_that_was_replaced_under_its_id_is_fetched_again(
    store: Store, lever: Lever, server: OddServer, told: dict[str, Any]
) -> None:
    """Another size or another date: the new bytes count, and of the old ones hash and bytes stay."""
    server.says(http(body=b"older", content_type="x/y"))
    older = read(store, lever, size=5)
    server.says(http(body=b"newer!", content_type="x/y"))
    newer = read(store, lever, **({"size": 6} | told))
    assert older is not None
    assert newer is not None
    assert (hashlib.sha256(b"newer!").hexdigest(), b"newer!") == (newer.sha256, stored_bytes(store))
    version = {"id": "f1", "sha256": older.sha256, "size": 5, "stream": "files"}
    assert [version] == store.of("file_versions", "o1")
    assert b"older" == store.file_path(older.sha256 or "").read_bytes()


def test_what_is_told_alike_is_not_fetched_again(store: Store, lever: Lever, server: OddServer) -> None:
    """A number as a number, and as text (the reference shows both)."""
    server.says(http(body=b"bytes", content_type="x/y"))
    first = read(store, lever, size=5, uploadedAt=1)
    assert first is not None
    assert replace(first) == read(store, lever, size="5", uploadedAt="1")
    assert 1 == len(server.asked)
    assert [] == store.of("file_versions", "o1")


def test_a_replaced_file_that_cannot_be_had_is_said_and_the_old_hash_stays(
    store: Store, lever: Lever, server: OddServer
) -> None:
    """The old bytes are not passed off as the new ones."""
    server.says(http(body=b"older", content_type="x/y"))
    older = read(store, lever, size=5)
    server.says(http(503))
    row = read(store, lever, size=6)
    assert older is not None
    assert row is not None
    assert ("failed", None, 1) == (row.state, row.sha256, row.attempts)
    assert [older.sha256] == [one["sha256"] for one in store.of("file_versions", "o1")]

"""Storage that is down ends the run soon and loses nothing; files that never come hold up nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Json, Sandbox, write_customer
from odd_server import OddServer, http
from test_extract import mapped_heads, same
from test_files import AGAIN, KEY, lever, server, storage, store

from lib import steps
from lib.errors import UnavailableError
from lib.extract.files import fetch, keep_file
from lib.extract.outage import MOST, Storage
from lib.lever import Key, Lever
from lib.store import FileRow, Store
from lib.transport import Pacer, Patience, Transport
from lib.workbook import Workbook

__all__ = ["lever", "mapped_heads", "server", "storage", "store"]  # fixtures


def asked_for(store: Store, lever: Lever, how: Storage, number: int, *, kept: bool = True) -> FileRow | None:
    """One file of a candidacy of its own, kept as the extraction keeps it; not `kept`: the run ends before that."""
    lever_id, opportunity = f"f{number}", f"o{number}"
    item = {"id": lever_id, "name": "cv.pdf", "size": 5, "uploadedAt": 1, "status": "processed"}
    path = f"/opportunities/{opportunity}/files/{lever_id}/download"
    row = fetch(store, lever, lever_id, "files", opportunity, path, item, "cv.pdf", again_ms=AGAIN, storage=how)
    if kept:
        with store.begin() as tx:
            store.put_raw(tx, "files", [(lever_id, opportunity, item)])
            if row is not None:
                keep_file(store, tx, row)
    return row


@pytest.fixture
def down(server: OddServer, storage: OddServer) -> OddServer:
    """Lever sends everybody to its storage, and that answers 503 until it says otherwise."""
    server.says(http(302, location=f"{storage.url}/bytes"))
    return storage.says(http(503))


def test_so_many_downloads_in_a_row_that_do_not_come_end_the_run(store: Store, lever: Lever, down: OddServer) -> None:
    """The message names host, kind of failure and what to do; no worker asks for one more file."""
    how = Storage()
    for number in range(MOST - 1):
        row = asked_for(store, lever, how, number)
        assert row is not None
        assert "failed" == row.state
    told = rf"{MOST} in a row.*storage 127\.0\.0\.1 answered 503.*Nothing is lost.*again later"
    with pytest.raises(UnavailableError, match=told) as caught:
        asked_for(store, lever, how, MOST)
    assert 503 == caught.value.status
    n_asked = len(down.asked)
    with pytest.raises(UnavailableError, match=f"{MOST} in a row"):
        asked_for(store, lever, how, MOST + 1)
    assert n_asked == len(down.asked)


def test_the_next_run_brings_what_the_storage_has_again(store: Store, lever: Lever, down: OddServer) -> None:
    """Nothing of the run that was ended stands in its way."""
    how = Storage()
    for number in range(MOST - 1):
        asked_for(store, lever, how, number)
    with pytest.raises(UnavailableError, match="in a row"):
        asked_for(store, lever, how, MOST - 1)
    down.says(http(body=b"bytes", content_type="application/pdf"))
    rows = [asked_for(store, lever, Storage(), number) for number in range(MOST + 5)]
    assert {"stored"} == {row.state for row in rows if row is not None}
    assert MOST + 5 == len(rows)


def test_a_file_that_comes_in_between_tells_that_the_storage_is_there(
    store: Store, lever: Lever, down: OddServer
) -> None:
    """Then it was about those files, however many they are."""
    how = Storage()
    for number in range(3 * MOST):
        down.says(http(body=b"bytes", content_type="application/pdf") if number % MOST == 0 else http(503))
        row = asked_for(store, lever, how, number)
        assert row is not None
        assert ("stored" if number % MOST == 0 else "failed") == row.state


def test_files_that_never_come_end_one_run_at_most(store: Store, lever: Lever, down: OddServer) -> None:
    """Though they are all of one candidacy, which is not read when the run ends: the next one asks, and goes on."""
    ended = 0
    for _ in range(3):
        how = Storage()
        try:
            for number in range(MOST):
                asked_for(store, lever, how, number, kept=False)
        except UnavailableError:
            ended += 1
    assert 1 == ended
    assert MOST == sum(row.state == "failed" for row in store.files())


def test_what_lever_says_of_a_file_is_no_outage(store: Store, lever: Lever, down: OddServer) -> None:
    """404 from the storage is an answer: another gate tells of very many of them."""
    down.says(http(404))
    how = Storage()
    rows = [asked_for(store, lever, how, number) for number in range(MOST + 5)]
    assert {"unavailable"} == {row.state for row in rows if row is not None}


def test_where_nobody_waits_nothing_has_to_be_cut_short(store: Store, down: OddServer, server: OddServer) -> None:
    """One try per file, by the params file: the run goes through, and each file is told as failed."""
    transport = Transport("Lever", pacer=Pacer(10_000, burst=100))
    patience = Patience(attempts=1)
    hasty = Lever(f"{server.url}/v1", Key(KEY), transport=transport, patience=patience, hosts=[down.host])
    how = Storage()
    rows = [asked_for(store, hasty, how, number) for number in range(MOST + 5)]
    transport.close()
    assert {"failed"} == {row.state for row in rows if row is not None}


def test_an_extraction_whose_storage_is_down_stops_and_the_next_one_ends_right(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook], mapped_heads: tuple[Any, Any]
) -> None:
    """All workers stop soon: each has at most one file more under way."""
    n_workers = 4
    retry: Json = {"attempts": 2, "first_s": 0.02, "longest_s": 0.05}
    write_customer(home, sandbox, lever={"retry": retry, "workers": n_workers})
    sandbox.switch(download_redirects="all")
    book = opened()
    steps.audit(book)
    sandbox.faults({"api": "storage", "effect": "status", "status": 503})
    with pytest.raises(UnavailableError, match=r"in a row were asked for in vain.* answered 503"):
        steps.extract(book)
    assert MOST <= sum(row.state == "failed" for row in book.store.files()) < MOST + n_workers
    assert book.store.meta("extract.finished_ms") is None
    sandbox.faults()
    steps.extract(book)
    same(book, mapped_heads)

"""The store: private, append-only, whole, and written by one at a time."""

from __future__ import annotations

import dataclasses
import os
import re
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import postgres as servers
import pytest
from conftest import ON_POSTGRES, killed, killed_once_begun, new_store
from proofs import amount
from sqlalchemy import event, func, select, text, update
from sqlalchemy.schema import DropTable

from lib.errors import StoreError
from lib.extract.files import _name
from lib.store import FileRow, Lease, Pace, Store, now_ms, open_store
from lib.store import lease as leases
from lib.store import tables as t
from lib.store.engine import _use_log
from lib.store.lease import Writer
from lib.store.ledger import Ledger, Planned

ODD = ["\ud83d", "a\0b", "\u2028", "ÆØÅ \U0001f600", 2**63 + 1, -(2**70), 0.1, {"": [None, True, "\ud800"]}, ""]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    one = new_store(tmp_path / "runs" / "acme")
    yield one
    one.close()


def another(store: Store) -> Store:
    """The same store, opened by another process."""
    url = "" if store.engine.dialect.name == "sqlite" else store.engine.url.set(password=None)
    return open_store(store.folder, url=str(url), password=servers.PASSWORD)


only_sqlite = pytest.mark.skipif(ON_POSTGRES, reason="about SQLite's file")


def put(store: Store, stream: str, *items: tuple[str, str, Any], parent: str | None = None) -> int:
    with store.begin() as tx:
        return store.put_raw(tx, stream, items, whole_parent=parent)


def n_raw(store: Store) -> int:
    return int(store._rows(select(func.count()).select_from(t.raw))[0][0])


@only_sqlite
def test_everything_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(tmp_path / "runs" / "acme")
        put(store, "notes", ("n", "o", {}))
        files = [tmp_path / "runs", *(tmp_path / "runs").rglob("*")]
        modes = {str(path.relative_to(tmp_path)): stat.S_IMODE(path.stat().st_mode) for path in files}
        store.close()
    finally:
        os.umask(before)
    assert {name for name, mode in modes.items() if mode & 0o077} == set()
    assert "runs/acme/store.db-wal" in modes


def test_raw_only_grows_and_heads_follow(store: Store) -> None:
    assert put(store, "users", ("u", "", {"id": "u", "name": "a"})) == 1
    assert put(store, "users", ("u", "", {"name": "a", "id": "u"})) == 0
    assert put(store, "users", ("u", "", {"id": "u", "name": "b"})) == 1
    assert (n_raw(store), store.count("users"), store.get("users", "u")) == (2, 1, {"id": "u", "name": "b"})


def test_a_whole_child_list_marks_what_is_gone(store: Store) -> None:
    put(store, "notes", ("a", "o", 1), ("b", "o", 2), parent="o")
    put(store, "notes", ("c", "p", 3), parent="p")
    assert put(store, "notes", ("b", "o", 2), parent="o") == 1
    assert (store.of("notes", "o"), store.get("notes", "a"), store.count("notes")) == ([2], None, 2)
    assert put(store, "notes", ("b", "o", 2), parent="o") == 0
    put(store, "notes", ("a", "o", 1), ("b", "o", 2), parent="o")
    assert store.of("notes", "o") == [1, 2]
    assert n_raw(store) == 5


@pytest.mark.parametrize("old_first", [True, False])
def test_a_child_that_moves_to_another_parent_is_not_lost(store: Store, old_first: bool) -> None:
    put(store, "notes", ("a", "old", {"same": "body"}), parent="old")
    reads = [((), "old"), ((("a", "new", {"same": "body"}),), "new")]
    for items, parent in reads if old_first else reads[::-1]:
        put(store, "notes", *items, parent=parent)
    assert (store.of("notes", "old"), store.of("notes", "new")) == ([], [{"same": "body"}])


def test_an_object_that_is_gone_stays_in_raw(store: Store) -> None:
    put(store, "opportunities", ("o", "c", {"id": "o"}))
    with store.begin() as tx:
        store.put_gone(tx, "opportunities", "o")
        store.put_gone(tx, "opportunities", "never seen")
    assert (store.get("opportunities", "o"), store.head_shas("opportunities"), n_raw(store)) == (None, {}, 2)


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_odd_values_come_back_as_they_were(store: Store, value: Any) -> None:
    put(store, "notes", ("n", "o", {"value": value}))
    store.put_meta("odd", value)
    store.put_results("audit", "odd", [{"value": value}])
    assert store.get("notes", "n") == {"value": value}
    assert store.meta("odd") == value
    assert store.results("audit", "odd") == [{"value": value}]


def test_all_reads_any_number_in_order(store: Store) -> None:
    put(store, "tags", *((f"{n:05}", "", n) for n in reversed(range(1234))))
    assert list(store.all("tags")) == list(range(1234))


# ---- one writer --------------------------------------------------------------------------------------------------
ME = Writer("kim", "here", "this machine", 4711, "100")
SOON = Pace(beat=0.02, dead_after=60.0)


def held(store: Store, **values: Any) -> None:
    """The lease as another process of this machine holds it: process 1, which runs."""
    now = now_ms()
    one = Writer.here("kim")
    known = {name: getattr(one, name) for name in Writer.__slots__} | {"pid": 1, "born": leases._born(1)}
    with store.engine.begin() as tx:
        tx.execute(
            update(t.lease).values(known | {"fence": 7, "step": "load", "since_ms": now, "beat_ms": now} | values)
        )


def test_a_second_writer_is_told_who_writes_since_when_and_what_to_do(store: Store) -> None:
    held(store)
    with pytest.raises(StoreError) as told:
        Lease.take(store.engine, step="extract", patience=0)
    words = r"kim on .* \(process 1\) is running load on this customer since 2.* UTC\. Wait for it, or end process 1;"
    assert re.match(words, str(told.value))
    assert store.holder().startswith("kim on")


def test_a_writer_of_another_machine_is_named_with_the_way_to_take_over(store: Store) -> None:
    held(store, machine="elsewhere", host="pluto")
    with pytest.raises(StoreError, match=r"on pluto .* 5 minutes after its last sign of life .*--take-over"):
        Lease.take(store.engine, step="extract", patience=0)


def test_a_dead_writer_is_taken_over(store: Store) -> None:
    """A real process holds the lease and is killed."""
    store.close()

    def hold(begin: Callable[[], object]) -> None:
        with another(store).lease("load", owner="kim"):
            begin()
            time.sleep(30)

    assert killed_once_begun(hold, seconds=0.1)
    assert another(store).holder() == ""  # the dead are not at work
    with store.lease("load") as lease:
        assert "kim" in lease.took_over
        assert lease.fence == 2
    assert store.holder() == ""


@pytest.mark.parametrize(
    ("values", "alive"),
    [
        ({}, True),
        ({"beat_ms": 0}, True),  # frozen or busy, yet it runs: only a person may end it
        ({"since_ms": 2**42, "beat_ms": 2**42}, True),  # the clock was put back since
        ({"since_ms": 0}, True),  # the clock was put forward since
        ({"born": "5"}, False),  # process 1 began at another moment: a reused number
        ({"pid": os.getpid(), "born": leases._born(os.getpid())}, False),  # this very process: its own earlier lease
        ({"pid": os.getpid(), "born": "5"}, False),
        ({"pid": 2**22 + 5}, False),
        ({"machine": "elsewhere"}, True),
        ({"machine": "elsewhere", "pid": 2**22 + 5}, True),  # another machine of the same name has other numbers
        ({"machine": "elsewhere", "beat_ms": 0}, False),
        ({"machine": "elsewhere", "beat_ms": 2**42}, False),  # the clock was put back since: silence counts
        ({"owner": ""}, False),
    ],
)
def test_whose_lease_counts(store: Store, values: dict[str, Any], alive: bool) -> None:
    held(store, **values)
    if alive:
        with pytest.raises(StoreError, match="is running load"):
            Lease.take(store.engine, step="map", patience=0, pace=SOON)
        assert store.holder()
    else:
        assert Lease.take(store.engine, step="map", patience=0, pace=SOON).fence == 8


def test_a_writer_of_another_machine_that_still_beats_is_alive_whatever_the_clock_says(store: Store) -> None:
    """Its signs of life look an hour old, because this clock was put forward; but they come."""
    held(store, machine="elsewhere", beat_ms=0)
    stop = threading.Event()

    def beat() -> None:
        n = 0
        while not stop.wait(0.05):
            n += 1
            with store.engine.connect().execution_options(writes=True) as connection, connection.begin():
                connection.execute(update(t.lease).values(beat_ms=n))

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        with pytest.raises(StoreError, match="is running load"):
            Lease.take(store.engine, step="map", patience=0, pace=Pace(beat=0.5, dead_after=60.0))
        with pytest.raises(StoreError, match="is alive"):
            Lease.depose(store.engine, pace=Pace(beat=0.5))
    finally:
        stop.set()
        thread.join()


def test_a_person_may_take_the_lease_from_a_silent_writer(store: Store) -> None:
    with store.lease("load", patience=0, me=ME):
        assert re.match(r"kim on here \(process 4711\), load since 2", Lease.depose(store.engine, pace=SOON))
        with pytest.raises(StoreError, match="taken over"):
            put(store, "notes", ("a", "o", 1))
        with pytest.raises(StoreError, match="taken over"):
            store.check_lease()
    assert Lease.depose(store.engine, pace=SOON) == ""
    assert Lease.take(store.engine, step="map", patience=0).took_over == ""


def test_a_zombie_is_dead(store: Store) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    held(store, pid=pid)
    assert Lease.take(store.engine, step="map", patience=0).fence == 8
    os.waitpid(pid, 0)


def test_an_overtaken_writer_writes_nothing_more(store: Store) -> None:
    with store.lease("load"):
        put(store, "notes", ("a", "o", 1))
        with store.engine.begin() as tx:
            tx.execute(update(t.lease).values(fence=99, owner="kim"))
        with pytest.raises(StoreError, match="taken over"):
            put(store, "notes", ("b", "o", 2))
        with pytest.raises(StoreError, match="taken over"):
            Ledger(store).intend(Planned("r", "candidate.create", "person", "p", "p", 0, (), {}, "0" * 64, None))
    assert store.count("notes") == 1
    assert store._rows(select(t.lease.c.owner))[0].owner == "kim"  # the new holder keeps the lease


def test_of_many_who_want_to_write_one_does(store: Store) -> None:
    got: list[int] = []

    def want(number: int) -> None:
        try:  # threads play other machines
            me = dataclasses.replace(ME, machine=f"machine {number}")
            got.append(Lease.take(store.engine, step="load", patience=0, me=me).fence)
        except StoreError:
            got.append(0)

    threads = [threading.Thread(target=want, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [0] * 7 + [1]


class Refusing:
    """A connection that refuses one statement after another with these codes, and then takes them."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)

    def execute(self, _statement: str) -> None:
        if self.codes:
            error = sqlite3.OperationalError("refused")
            error.sqlite_errorcode = self.codes.pop(0)
            raise error


def test_only_a_busy_file_is_waited_for() -> None:
    busy = Refusing(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY, sqlite3.SQLITE_BUSY)
    _use_log(busy)
    assert busy.codes == []
    with pytest.raises(sqlite3.OperationalError):
        _use_log(Refusing(sqlite3.SQLITE_FULL))


@pytest.mark.proof
@only_sqlite
def test_many_processes_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    """SQLite refuses the change to its write-ahead log at once while another process makes it: we wait for it."""
    for number in range(amount(6, 100)):
        folder, (gate, opener), pids = tmp_path / f"{number}" / "acme", os.pipe(), []
        for _ in range(8):
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    os.close(opener)
                    os.read(gate, 1)  # until the parent closes its end
                    open_store(folder).put_meta("key", 1)
                    code = 0
                finally:
                    os._exit(code)
            pids.append(pid)
        os.close(gate)
        os.close(opener)
        assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * 8


# ---- what is committed is on disk ---------------------------------------------------------------------------------
def test_every_connection_waits_until_what_it_commits_is_on_disk(store: Store) -> None:
    if ON_POSTGRES:
        assert [tuple(row) for row in store._rows(text("SHOW synchronous_commit"))] == [("on",)]
        return
    wanted = {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30_000}  # 2 is FULL
    connections = [store.engine.connect() for _ in range(3)]
    for one in connections:
        assert {name: one.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted} == wanted
        one.close()


# ---- disk errors -------------------------------------------------------------------------------------------------
def _two_notes_and_a_window(store: Store) -> None:
    with store.begin() as tx:
        store.put_raw(tx, "notes", [("a", "o", 9), ("b", "o", 2)], whole_parent="o")
        store.put_window(tx, "children", "o", n_rows=2, basis="sha")


@only_sqlite
def test_a_full_disk_leaves_nothing_half_recorded(store: Store) -> None:
    """The disk fills up at each write of a transaction in turn."""
    put(store, "notes", ("a", "o", 1), parent="o")
    before = n_raw(store)
    for full_at in range(1, 5):
        seen = [0]

        def fill_up(_c: Any, _cursor: Any, text: str, *_more: Any, _seen: list[int] = seen, _at: int = full_at) -> None:
            if text.startswith(("INSERT", "UPDATE")):
                _seen[0] += 1
                if _seen[0] == _at:
                    raise sqlite3.OperationalError("database or disk is full")

        event.listen(store.engine, "before_cursor_execute", fill_up)
        with pytest.raises((StoreError, sqlite3.OperationalError)):
            _two_notes_and_a_window(store)
        event.remove(store.engine, "before_cursor_execute", fill_up)
        assert (n_raw(store), store.of("notes", "o"), store.windows("children")) == (before, [1], {})


@only_sqlite
def test_a_really_full_disk_is_a_store_error(store: Store) -> None:
    with store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    @event.listens_for(store.engine, "begin")
    def _little_room(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")

    with pytest.raises(StoreError, match="could not be written"), store.begin() as tx:
        store.put_raw(tx, "notes", [(f"n{n}", "o", "x" * 5000) for n in range(20)])
    assert (n_raw(store), store.count("notes")) == (0, 0)


@only_sqlite
def test_a_store_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "store.db").write_bytes(b"this is no database, but long enough to be read as one" * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(folder)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(tmp_path / "file")


def test_a_store_that_cannot_be_read_says_so(store: Store) -> None:
    with store.engine.begin() as tx:
        tx.execute(DropTable(t.heads))
    with pytest.raises(StoreError, match="could not be read"):
        store.count("notes")


def test_killed_while_writing_leaves_whole_transactions(store: Store) -> None:
    store.close()

    def write() -> None:
        mine = another(store)
        for n in range(100_000):
            with mine.begin() as tx:
                mine.put_raw(tx, "notes", [(f"{n}-{part}", f"{n}", n) for part in range(5)], whole_parent=f"{n}")
                mine.put_window(tx, "children", f"{n}", n_rows=5)

    for number in range(3):
        assert killed(write, seconds=0.25 + number)
        windows = store.windows("children")
        assert store.count("notes") == 5 * len(windows)
    assert windows


def test_files_with_odd_names_are_recorded(store: Store) -> None:

    name = _name({"name": "r\ud83dsum\0é.pdf", "ext": "pdf"})
    with store.begin() as tx:
        store.put_file(tx, FileRow("f", "files", "o", name, "", 1, "0" * 64, "stored", "", 1))
    assert [row.name for row in store.files()] == ["r\\ud83dsum\\x00é.pdf"]


def ten_at_once(work: Callable[[int], object]) -> list[BaseException | None]:
    """What becomes of `work(0)` to `work(9)`, each in a thread of its own."""
    ends: list[BaseException | None] = [None] * 10

    def one(number: int) -> None:
        try:
            work(number)
        except StoreError as error:
            ends[number] = error

    threads = [threading.Thread(target=one, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return ends


def test_writes_that_come_during_a_commit_share_the_next_one_and_each_returns_when_it_is_on_disk(store: Store) -> None:
    other = another(store)
    commits, begun, held = [], threading.Event(), threading.Event()
    event.listen(store.engine, "commit", commits.append)

    def work(number: int) -> None:
        def write(tx: Any) -> None:
            store.put_meta(f"key {number}", number, connection=tx)
            if number == 10:
                begun.set()
                held.wait(60)

        store.write(write)
        assert other.meta(f"key {number}") == number

    first = threading.Thread(target=work, args=(10,))
    first.start()
    begun.wait(60)
    threading.Timer(0.5, held.set).start()
    assert ten_at_once(work) == [None] * 10
    first.join(60)
    other.close()
    assert 2 <= len(commits) <= 6  # two, where all ten were there before the first one had ended
    assert [store.meta(f"key {number}") for number in range(11)] == list(range(11))


def test_what_the_database_refuses_takes_no_other_write_with_it(store: Store) -> None:
    def work(number: int) -> None:
        def write(tx: Any) -> None:
            store.put_meta(f"key {number}", number, connection=tx)
            time.sleep(0.02)
            if number % 3 == 0:
                tx.execute(text("INSERT INTO no_such_table VALUES (1)"))

        store.write(write)

    ends = ten_at_once(work)
    assert [number for number, end in enumerate(ends) if end is not None] == [0, 3, 6, 9]
    assert [store.meta(f"key {number}") for number in range(10)] == [None, 1, 2, None, 4, 5, None, 7, 8, None]

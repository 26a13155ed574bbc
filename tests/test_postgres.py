"""PostgreSQL as the store: the same plan, the same end, nothing lost when the server goes away, no password shown."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import postgres as servers
import pytest
import reconcile
import yaml
from conftest import (
    CUSTOMER,
    ROOT,
    Sandbox,
    at_the_first,
    copied_home,
    environment,
    killed_once_begun,
    new_store,
    prepare,
    write_customer,
)
from postgres import PASSWORD, Server
from proofs import PROVE, amount, tell
from sqlalchemy import text

from lib import params, steps, workbook
from lib.errors import ConfigError, StoreError
from lib.store import FileRow, Lease, Pace, Store, open_store
from lib.store.engine import schema_of
from lib.store.lease import Writer
from lib.store.ledger import Ledger
from lib.workbook import Workbook

OPEN = Callable[..., Workbook]
ELSEWHERE = Writer("kim", "pluto", "another machine", 4711, "100")


@pytest.fixture
def store(postgres: Server, tmp_path: Path) -> Iterator[Store]:
    one = new_store(tmp_path / "runs" / CUSTOMER, url=postgres.fresh())
    yield one
    one.close()


@pytest.fixture(scope="module")
def mapped_there(postgres: Server, sandbox_process: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose customer is mapped, with its store in PostgreSQL: to be copied."""
    folder = tmp_path_factory.mktemp("there") / "home"
    sandbox_process.reset()
    write_customer(folder, sandbox_process, store_url=postgres.fresh())
    with environment(folder, sandbox_process):
        one = workbook.open_customer(CUSTOMER)
        prepare(one, sandbox_process)
        steps.map(one)
        one.close()
    return folder


@pytest.fixture
def there(mapped_there: Path, postgres: Server, tmp_path: Path, sandbox: Sandbox) -> Iterator[Path]:
    """A copy of it, in use."""
    url = postgres.fresh(template=_url(mapped_there))
    folder = copied_home(mapped_there, tmp_path / "home", url=url)
    with environment(folder, sandbox):
        yield folder


def _url(home: Path) -> str:
    return yaml.safe_load((home / "params" / f"{CUSTOMER}.yaml").read_text())["store_url"]


def _plan(home: Path, sandbox: Sandbox) -> tuple[str, list[str]]:
    with environment(home, sandbox):
        book = workbook.open_customer(CUSTOMER)
        try:
            return Ledger(book.store).plan_hash(), [row.row_id for row in Ledger(book.store).rows()]
        finally:
            book.close()


def _finished(sandbox: Sandbox, book: Workbook) -> Counter[str]:
    """All is done and stands; how much of it is lost or doubled."""
    found = reconcile.problems(sandbox.truth, sandbox.state)
    assert {kind: texts for kind, texts in found.items() if texts} == {}
    assert {state for _, state, _ in Ledger(book.store).counts()} == {"done"}
    return reconcile.tally(found)


def _load_for_ever(book: Workbook) -> None:
    while True:
        steps.load(book, execute=True)


# ---- the whole move ----------------------------------------------------------------------------------------------
def test_the_plan_is_the_same_as_on_sqlite(mapped_there: Path, mapped_home: Path, sandbox: Sandbox) -> None:
    """The server sorts text by a language's rules, and SQLite by bytes: the plan must not show which."""
    assert _plan(mapped_there, sandbox) == _plan(mapped_home, sandbox)


def test_the_whole_move_validates(there: Path, sandbox: Sandbox, opened: OPEN) -> None:
    book = opened()
    result = steps.load(book, execute=True)
    assert (len(result.refused), len(result.parked)) == (0, 0)
    _finished(sandbox, book)
    assert steps.validate(book).ok
    assert steps.load(book, execute=True).n_writes == 0
    assert not (there / "runs" / CUSTOMER / "store.db").exists()


@pytest.mark.proof
def test_killed_again_and_again_and_resumed(there: Path, sandbox: Sandbox, opened: OPEN) -> None:
    def load_all(begin: Callable[[], object]) -> None:
        steps.load(opened(), execute=True, fail_at=at_the_first(begin))

    chance = random.Random(23)
    kills, writes = 0, {sandbox.state["writes"]}
    for _ in range(amount(4, 20)):
        kills += killed_once_begun(load_all, seconds=chance.uniform(0.0, 0.5))
        writes.add(sandbox.state["writes"])
    assert kills >= 2
    assert len(writes) > 2, "the process died again and again before it wrote anything"
    book = opened()
    steps.load(book, execute=True)
    harm = _finished(sandbox, book)
    what = "kill -9 of a forked process that calls steps.load, its store in PostgreSQL"
    tell("P2", what, kills=kills, after_which_there_was_more=len(writes) - 1, **harm)


@pytest.mark.proof
def test_a_server_that_dies_in_the_middle_stops_the_run_and_the_next_one_ends_right(
    mapped_there: Path, postgres: Server, tmp_path: Path, sandbox: Sandbox, opened: OPEN
) -> None:
    """The database's processes are gone at once, as when its machine lost power; then it is back."""
    rounds, harm = amount(1, 15), Counter[str]()
    for number in range(rounds):
        sandbox.reset()
        url = postgres.fresh(template=_url(mapped_there))
        with environment(copied_home(mapped_there, tmp_path / f"home{number}", url=url), sandbox):
            book, chance = opened(), random.Random(number)
            stopper = threading.Timer(chance.uniform(0.3, 1.5), postgres.stop, (signal.SIGQUIT,))
            stopper.start()
            with pytest.raises(StoreError) as told:
                _load_for_ever(book)
            stopper.join()
            assert told.value.exit_code == 4
            assert "server" in str(told.value)
            postgres.start()
            steps.load(book, execute=True)  # the same process goes on: its dead connections are no error
            harm.update(_finished(sandbox, book))
            book.close()
    tell("P25", "the PostgreSQL server dies in the middle of a load and comes back", rounds=rounds, **harm)


def test_a_connection_that_is_cut_half_way_is_a_store_error_and_nothing_is_half_recorded(
    store: Store, postgres: Server
) -> None:
    def cut_off() -> None:
        with store.begin() as tx:
            store.put_raw(tx, "notes", [("a", "o", 1)])
            pid = tx.execute(text("SELECT pg_backend_pid()")).scalar()
            postgres.tell(f"SELECT pg_terminate_backend({pid})")
            store.put_raw(tx, "notes", [("b", "o", 1)])

    with pytest.raises(StoreError, match=r"connection to the server was lost|shutting down"):
        cut_off()
    assert store.count("notes") == 0


def test_a_full_disk_of_the_server_is_named(store: Store) -> None:
    """The server says 53100 (disk_full); here a trigger says it, as its own files would."""
    with store.engine.begin() as tx:
        tx.execute(text(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$"
        ))  # fmt: skip
        tx.execute(text("CREATE TRIGGER full_disk BEFORE INSERT ON heads EXECUTE FUNCTION full_disk()"))
    with pytest.raises(StoreError, match="could not be written: the server's disk is full"), store.begin() as tx:
        store.put_raw(tx, "notes", [("a", "o", 1)])
    assert store._rows(text("SELECT count(*) FROM raw"))[0][0] == 0


SELECTION = (
    "tests/test_store.py",
    "tests/test_load.py::test_every_answer_lost_makes_no_double",
    "tests/test_crashes.py::test_one_load_may_die_at_every_effect_it_has",
)
FILES = {
    "store": 40, "load": 56, "extract": 31, "steps": 16, "crashes": 8, "recover": 29, "refused": 15, "moved": 5,
    "fresh": 12, "doubt": 7, "life": 13, "later": 35, "audit": 22, "dedupe": 43, "validate": 54, "confidential": 20,
    "workbook": 7, "reread": 7, "plans": 12, "files": 18, "planning": 3, "signing": 11, "live": 6, "export_files": 40,
    "faults": 90, "a selection": 40,
}  # fmt: skip
"""Files whose tests open stores, and how many of them pass at least; `make prove` runs all their ordinary portions."""


@pytest.mark.proof
@pytest.mark.parametrize("file", [name for name in FILES if (name == "a selection") != PROVE])
def test_the_tests_of_the_store_pass_on_postgresql_too(postgres: Server, file: str) -> None:
    """Once more in a process of its own, in which every home has a database instead of a file."""
    chosen = [f"tests/test_{file}.py"] if PROVE else list(SELECTION)
    hidden = ("WORKBOOK_PROVE", "WORKBOOK_PROOF", "PYTEST_XDIST_WORKER")  # their ordinary portions
    known = {name: value for name, value in os.environ.items() if name not in hidden}
    known |= {"WORKBOOK_TEST_STORE": "postgresql", "WORKBOOK_REQUIRE_POSTGRES": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *chosen]
    done = subprocess.run(command, cwd=ROOT, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
    ends = "".join(line.split()[0] for line in done.stdout.splitlines() if line.endswith("%]"))
    n_passed = ends.count(".")
    assert n_passed >= FILES[file]
    tell("P1", "ordinary portions of the tests of files that open stores, with PostgreSQL as the store",
         files=file, tests=n_passed, failed=ends.count("F") + ends.count("E"))  # fmt: skip


# ---- what a database does of its own ------------------------------------------------------------------------------
def test_ids_are_sorted_by_bytes_whatever_the_servers_language(store: Store) -> None:
    ids = ["b", "B", "a", "A", "ä", "Z", "é", "_", "-1", "10", "9", "ß", "z", "\U0001f600", "￼"]
    with store.begin() as tx:
        store.put_raw(tx, "tags", [(one, "", one) for one in ids])
        for one in ids:
            store.put_file(tx, FileRow(one, "files", "o", one, "", 3 * 2**31, None, "failed", "", 1))
    assert list(store.all("tags")) == sorted(ids)
    assert list(store.head_shas("tags")) == sorted(ids)
    assert [row.lever_id for row in store.files()] == sorted(ids)
    assert store.file("ß") == FileRow("ß", "files", "o", "ß", "", 3 * 2**31, None, "failed", "", 1)
    by_language = store._rows(text('SELECT lever_id FROM heads ORDER BY lever_id COLLATE "default"'))
    assert [row.lever_id for row in by_language] != sorted(ids)  # else this server would prove nothing


def test_customers_of_one_database_never_mix(postgres: Server, tmp_path: Path) -> None:
    url = postgres.fresh()
    stores = {name: new_store(tmp_path / name, url=url) for name in ("acme", "beta", "be-ta")}
    for name, one in stores.items():
        one.put_meta("who", name)
    assert {name: one.meta("who") for name, one in stores.items()} == {name: name for name in stores}
    assert schema_of(tmp_path / "be-ta") == "workbook_be-ta"
    for one in stores.values():
        one.close()


def test_many_threads_read_and_write_without_standing_in_each_others_way(store: Store) -> None:
    def work(number: int) -> int:
        with store.begin() as tx:
            store.put_raw(tx, "notes", [(f"{n}", "o", number) for n in range(5)])
            assert store.meta("nothing") is None  # a second connection, while the first one writes
            store.put_meta("turn", number, connection=tx)
        return len(store.of("notes", "o"))

    with ThreadPoolExecutor(50) as pool:  # more than the store has connections
        assert set(pool.map(work, range(100))) == {5}


def test_two_processes_that_remember_the_same_thing_at_once_both_succeed(store: Store) -> None:
    others = [new_store(store.folder, url=str(store.engine.url.set(password=None))) for _ in range(4)]

    def remember(number: int) -> None:
        for turn in range(40):
            others[number].put_meta(f"key {turn}", number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(remember, range(4)))
    for one in others:
        one.close()
    assert all(store.meta(f"key {turn}") in range(4) for turn in range(40))


def test_a_frozen_writers_transaction_is_ended_by_the_server(postgres: Server, tmp_path: Path) -> None:
    """A writer that stops in the middle of a transaction holds the lease's row: the server lets go of it in time."""
    url = postgres.fresh()
    store, other = new_store(tmp_path / "acme", url=url), new_store(tmp_path / "acme", url=url)
    told = store._rows(text("SHOW idle_in_transaction_session_timeout"))
    assert [tuple(row) for row in told] == [("1min",)]

    def freeze() -> None:
        with store.lease("load"), store.begin() as tx:
            tx.execute(text("SET LOCAL idle_in_transaction_session_timeout TO 200"))
            store.put_raw(tx, "notes", [("a", "o", 1)])
            end, busy = time.monotonic() + 10, "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"
            while time.monotonic() < end and postgres.tell(busy):  # what a frozen process does: nothing
                time.sleep(0.05)
            store.put_raw(tx, "notes", [("b", "o", 1)])

    with pytest.raises(StoreError, match=r"lost|silent"):
        freeze()
    assert other.count("notes") == 0
    store.close()
    other.close()


def test_nobody_takes_over_in_the_middle_of_a_write_and_signs_of_life_do_not_wait_for_it(
    postgres: Server, tmp_path: Path
) -> None:
    url = postgres.fresh()
    store, other = new_store(tmp_path / "acme", url=url), new_store(tmp_path / "acme", url=url)
    held = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with store.lease("load", me=ELSEWHERE, patience=0) as lease, ThreadPoolExecutor(1) as pool:
        with store.begin() as tx:
            store.put_raw(tx, "notes", [("a", "o", 1)])
            taking = pool.submit(Lease.depose, other.engine, pace=Pace(beat=0.02))
            end = time.monotonic() + 20
            while time.monotonic() < end and postgres.tell(held) != [(1,)] and not taking.done():
                time.sleep(0.02)
            assert not taking.done()  # it waits for this transaction
            lease._set(lambda connection: {"step": "load, still"})  # what a sign of life does
        with contextlib.suppress(StoreError):  # it was seen to be alive: not deposed at all
            assert taking.result(20)
    assert other.count("notes") == 1
    store.close()
    other.close()


# ---- how it is reached -------------------------------------------------------------------------------------------
def test_a_password_in_the_settings_is_refused_and_not_repeated(home: Path, sandbox: Sandbox) -> None:
    for url in (
        "postgresql://kim:Hunter22@db.example/lever", "postgresql://kim@db.example/lever?password=Hunter22",
        "host=db.example password=Hunter22", "postgresql://kim:Hunter22@db:port/x", "mysql://kim:Hunter22@db/x",
        "postgresql://kim:Hunt/er22@db.example/lever",
    ):  # fmt: skip
        write_customer(home, sandbox, store_url=url)
        with pytest.raises(ConfigError) as told:
            params.load(CUSTOMER)
        assert "store_url" in str(told.value)
        assert "Hunt" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("postgresql://kim@db.example/lever", True),
        ("postgresql+psycopg://kim@db.example:5433/lever?sslmode=verify-full&sslrootcert=/etc/ca.pem", True),
        ("postgresql:///lever?host=/run/postgresql", True),
        ("postgresql://kim@localhost/lever?sslmode=disable", True),
        ("postgresql://kim@db.example/lever?sslmode=disable", False),
        ("postgresql://kim@localhost/lever?host=db.example&sslmode=prefer", False),
        ("postgresql://kim@db.example", False),
        ("sqlite:////tmp/x.db", False),
    ],
)
def test_which_addresses_are_taken(home: Path, sandbox: Sandbox, url: str, fine: bool) -> None:
    write_customer(home, sandbox, store_url=url)
    if fine:
        assert params.load(CUSTOMER).store_url == url
    else:
        with pytest.raises(ConfigError, match="store_url"):
            params.load(CUSTOMER)


def test_the_password_comes_from_the_env_file_or_the_environment_and_is_masked(
    home: Path, sandbox: Sandbox, postgres: Server, opened: OPEN, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_customer(home, sandbox, store_url=postgres.fresh(), store_password_env="DB_PASSWORD")
    monkeypatch.delenv("STORE_PASSWORD")
    with pytest.raises(StoreError, match=r"PostgreSQL database 't\w+' on 127\.0\.0\.1"):
        opened()
    monkeypatch.setenv("DB_PASSWORD", "wrong")
    with pytest.raises(StoreError, match="refuses the user or the password"):
        opened()
    env = home / f".env.{CUSTOMER}"
    env.write_text(f"DB_PASSWORD={PASSWORD}\n")
    env.chmod(0o600)
    book = opened()
    book.log("odd", told=f"a line with {PASSWORD} in it")
    written = (book.folder / "log.jsonl").read_text()
    assert "odd" in written
    assert PASSWORD not in written
    assert PASSWORD not in repr(book)


def test_a_database_that_cannot_be_used_is_named_and_never_with_the_password(postgres: Server, tmp_path: Path) -> None:
    cases = {
        f"{postgres.url}/absent": "no such database",
        postgres.fresh(encoding="LATIN1"): "not in UTF-8",
        f"postgresql://{servers.USER}@127.0.0.1:1/lever": "does not answer",
        "postgresql://kim@nowhere.invalid/lever": "does not answer",
    }
    for url, words in cases.items():
        with pytest.raises(StoreError) as told:
            open_store(tmp_path / "acme", url=url, password=PASSWORD)
        assert words in str(told.value), url
        assert PASSWORD not in str(told.value)
        assert told.value.__cause__ is None
        assert told.value.exit_code == 4


def test_a_user_without_the_right_to_make_a_schema_can_use_one_that_is_there(postgres: Server, tmp_path: Path) -> None:
    url = postgres.fresh()
    role = url.rpartition("/")[2].replace("t", "r", 1)
    postgres.tell(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    mine = url.replace(f"//{servers.USER}@", f"//{role}@")
    with pytest.raises(StoreError, match="may not do this"):
        open_store(tmp_path / "acme", url=mine, password=PASSWORD)
    postgres.tell(f"CREATE SCHEMA workbook_acme AUTHORIZATION {role}", database=url)
    store = open_store(tmp_path / "acme", url=mine, password=PASSWORD)
    store.put_meta("a", 1)
    assert store.meta("a") == 1
    store.close()


def test_errors_of_the_database_never_carry_what_was_written(store: Store) -> None:
    with pytest.raises(StoreError) as told, store.begin() as tx:
        tx.execute(text("INSERT INTO meta VALUES ('Ada Lovelace', '1'), ('Ada Lovelace', '2')"))
    assert "Ada" not in str(told.value)
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_the_documents_and_the_example_tell_of_it() -> None:
    assert "STORE_PASSWORD" in (ROOT / "params" / "example.yaml").read_text("utf-8")
    assert "store_url" in (ROOT / "docs" / "postgresql.md").read_text("utf-8")

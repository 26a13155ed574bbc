"""P25: a full or read-only disk stops the run with one clear message; nothing half recorded, nothing sent unrecorded.

The disk is a small tmpfs of the test's own (needs root), on which a ballast file leaves just so much room. Without
root the kernel's limit on the size of a file (RLIMIT_FSIZE) plays the full disk.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import reconcile
from conftest import CUSTOMER, ROOT, Sandbox, copied_home, environment, store_at
from picture import picture
from proofs import amount, tell
from sqlalchemy import select

from lib import decisions, steps, workbook
from lib.disk import append, replaced
from lib.errors import StoreError
from lib.report.export import export
from lib.store import Store
from lib.store import tables as t
from lib.workbook import ProgressLine, Workbook

PARTS = amount(1, 4)  # so that several processes can share the work
PAGE = 4096
OPEN = Callable[..., Workbook]


class Disk:
    """A small file system of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def free(self) -> int:
        """Bytes that still fit."""
        about = os.statvfs(self.folder)
        return about.f_bavail * about.f_frsize

    def leave(self, n_bytes: int) -> None:
        """Fill it until only so many bytes fit."""
        self.empty()
        with self._ballast.open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, max(self.free() - n_bytes, 1))

    def empty(self) -> None:
        """Take the ballast away."""
        self._ballast.unlink(missing_ok=True)

    def remount(self, how: str) -> None:
        """`ro` or `rw`."""
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A tmpfs of 64 MB; without it (not root, or not allowed) the test skips, or fails where it may not."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        reason = "a small file system cannot be mounted here (needs root)"
        pytest.fail(reason) if os.environ.get("WORKBOOK_REQUIRE_TMPFS") else pytest.skip(reason)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


@contextlib.contextmanager
def at_home(home: Path, sandbox: Sandbox) -> Iterator[OPEN]:
    """Opens the customer who lives in `home`; closes it in the end."""
    books: list[Workbook] = []

    def open_one() -> Workbook:
        books.append(workbook.open_customer(CUSTOMER))
        return books[-1]

    with environment(home, sandbox):
        try:
            yield open_one
        finally:
            for one in books:
                one.close()


def stopped(work: Callable[[], object]) -> bool:
    """True when the disk stopped it, cleanly: a StoreError with exit code 4 that says what happened and what to do."""
    try:
        work()
    except StoreError as error:
        told = error
    else:
        return False
    assert told.exit_code == 4
    assert "No space left" in told.message or "disk" in told.message, told.message
    assert told.hint
    return True


def sent_without_intention(store: Store, sandbox: Sandbox) -> dict[str, int]:
    """Calls that arrived more often than the ledger has intentions, by endpoint."""
    records = sandbox.ask("GET", "/calls?full=1")["records"]
    arrived = Counter(record["endpoint"] for record in records if record.get("write") and record["api"] == "ashby")
    assert arrived or not store._rows(select(t.ledger.c.row_id).where(t.ledger.c.state == "done"))
    rows = store._rows(
        select(t.plan.c.kind, t.ledger.c.attempts).join_from(t.ledger, t.plan, t.ledger.c.row_id == t.plan.c.row_id)
    )
    intended: Counter[str] = Counter()
    for kind, attempts in rows:
        intended[kind] += attempts
    intended["file.createFileUploadHandle"] = intended["candidate.uploadFile"] + intended["candidate.uploadResume"]
    return dict(arrived - intended)


# ---- every write point --------------------------------------------------------------------------------------------
@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_a_load_on_a_disk_that_fills_up_at_any_moment_ends_right(
    mapped_home: Path, sandbox: Sandbox, disk: Disk, part: int
) -> None:
    quiet, need = _quiet_load(mapped_home, sandbox, disk)
    rounds, struck = amount(5, 150), 0
    numbers = range(rounds)[part::PARTS]
    for number in numbers:
        sandbox.reset()
        home = copied_home(mapped_home, disk.folder / "home")
        with at_home(home, sandbox) as open_one:
            book = open_one()
            disk.leave((need * number // rounds) // PAGE * PAGE)
            struck += stopped(lambda book=book: steps.load(book, execute=True))
            disk.empty()
            assert sent_without_intention(book.store, sandbox) == {}
            if number % 2:
                book.close()
                book = open_one()
            steps.load(book, execute=True)
            state = sandbox.state
            assert not any(reconcile.problems(sandbox.truth, state).values())
            assert picture(state) == quiet
            assert all(json.loads(line) for line in (book.folder / "log.jsonl").read_text().splitlines())
        shutil.rmtree(home)
    assert struck >= len(numbers) * 0.6
    tell("P25", "a load on a disk that is full after k pages", points=len(numbers), stopped=struck, lost=0, doubled=0)


def _quiet_load(mapped_home: Path, sandbox: Sandbox, disk: Disk) -> tuple[list[str], int]:
    """(the undisturbed end state, how much of the disk a load takes)."""
    home = copied_home(mapped_home, disk.folder / "home")
    before = disk.free()
    with at_home(home, sandbox) as open_one:
        book = open_one()
        steps.load(book, execute=True)
        need = before - disk.free()
    shutil.rmtree(home)
    return picture(sandbox.state), need


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_an_extract_on_a_disk_that_fills_up_at_any_moment_ends_right(
    mapped_home: Path, sandbox: Sandbox, disk: Disk, part: int
) -> None:
    whole = _everything(store_at(mapped_home))
    need = sum(path.stat().st_size for path in (mapped_home / "runs").rglob("*") if path.is_file())
    rounds, struck = amount(4, 100), 0
    numbers = range(rounds)[part::PARTS]
    for number in numbers:
        home = disk.folder / "home"
        shutil.copytree(mapped_home / "params", home / "params")
        with at_home(home, sandbox) as open_one:
            disk.leave((need * number // rounds) // PAGE * PAGE)
            struck += stopped(lambda open_one=open_one: _read_all(open_one()))
            disk.empty()
            book = open_one()
            _read_all(book)
            assert _everything(book.store) == whole
            assert {path.name for path in (book.folder / "files").iterdir()} == _hashes(book.store)
        shutil.rmtree(home)
    assert struck >= len(numbers) * 0.6
    tell("P25", "audit and extract on a disk that is full after k pages", points=len(numbers), stopped=struck, lost=0)


def _read_all(book: Workbook) -> None:
    steps.audit(book)
    steps.extract(book)


def _everything(store: Store) -> list[tuple[object, ...]]:
    """What was extracted: every object by its hash, every file by its state."""
    heads = select(t.heads.c.stream, t.heads.c.lever_id, t.heads.c.parent_id, t.heads.c.sha256, t.heads.c.gone)
    found = [tuple(row) for row in store._rows(heads)]
    found += [(row.stream, row.lever_id, row.opportunity_id, row.sha256, row.state) for row in store.files()]
    return sorted(found, key=repr)


def _hashes(store: Store) -> set[str | None]:
    return {row.sha256 for row in store.files() if row.state == "stored"}


def test_a_disk_that_is_read_only_says_so_and_loses_nothing(mapped_home: Path, sandbox: Sandbox, disk: Disk) -> None:
    home = copied_home(mapped_home, disk.folder / "home")
    disk.remount("ro")
    with at_home(home, sandbox) as open_one:
        with pytest.raises(StoreError) as told:
            open_one()
        assert told.value.exit_code == 4
        assert "read-only" in str(told.value)
        disk.remount("rw")
        book = open_one()
        steps.load(book, execute=True)
        assert not any(reconcile.problems(sandbox.truth, sandbox.state).values())


def test_without_root_a_file_that_may_not_grow_stops_the_load_cleanly(
    mapped: Workbook, sandbox: Sandbox, opened: OPEN
) -> None:
    """The kernel refuses to let any file grow beyond a size: the load stops at another place each time."""
    folder = mapped.folder
    mapped.close()
    size = (folder / "store.db").stat().st_size
    codes = []
    for room in (0, 40, 160):

        def load_all(room: int = room) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + room * PAGE, resource.RLIM_INFINITY))
            steps.load(opened(), execute=True)

        codes.append(_in_a_child(load_all))
        book = opened()
        assert sent_without_intention(book.store, sandbox) == {}
        book.close()
    assert codes[0] == 4
    assert set(codes) <= {0, 4}
    book = opened()
    steps.load(book, execute=True)
    assert not any(reconcile.problems(sandbox.truth, sandbox.state).values())


def _in_a_child(work: Callable[[], object]) -> int:
    """0, or 4 for a StoreError that names the disk, or 1."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 4 if stopped(work) else 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


# ---- the files beside the store ------------------------------------------------------------------------------------
def test_what_is_written_beside_the_store_is_whole_or_as_it_was(
    mapped_home: Path, sandbox: Sandbox, disk: Disk
) -> None:
    """Progress, crosswalk, losses, decision tables, report: the old file stays, no half one, no rest."""
    home = copied_home(mapped_home, disk.folder / "home")
    with at_home(home, sandbox) as open_one:
        book = open_one()
        table = decisions.read(book.params_folder / "people.csv")
        reports = book.folder / "reports"
        writers: dict[Path, Callable[[], object]] = {
            book.folder / "progress.json": lambda: ProgressLine(book.folder / "progress.json", "load")(1, 1),
            book.folder / "crosswalk.csv": lambda: _rows(book, "crosswalk.csv"),
            reports / "losses.csv": lambda: _rows(book, "reports/losses.csv"),
            table.path: decisions.DecisionTable(table.name, table.path, table.rows * 200, table.columns).write,
            reports / "index.html": lambda: export(book.folder / "notebooks", reports, customer=CUSTOMER),
        }
        for path in writers:
            path.parent.mkdir(exist_ok=True)
            if not path.exists():
                path.write_text("as it was")
        before = {path: path.read_bytes() for path in writers}
        disk.leave(0)
        assert {path.name: stopped(work) for path, work in writers.items()} == {path.name: True for path in writers}
        assert {path: path.read_bytes() for path in writers} == before
        assert list(home.rglob("*.part")) == []
        disk.empty()
        for path, work in writers.items():
            assert not stopped(work)
            assert path.read_bytes() != before[path]


def _rows(book: Workbook, name: str) -> None:
    with book.private_file(name) as out:
        csv.writer(out).writerows([["a", "b"]] * 5000)


def test_the_log_holds_whole_lines_only(disk: Disk) -> None:
    log = disk.folder / "log.jsonl"
    append(log, json.dumps({"event": "a"}))
    disk.leave(0)
    long = json.dumps({"event": "b" * 3 * PAGE})
    assert stopped(lambda: append(log, long))
    assert log.read_text() == '{"event": "a"}\n'
    disk.leave(2 * PAGE)
    assert stopped(lambda: append(log, long))
    assert log.read_text() == '{"event": "a"}\n'
    disk.empty()
    append(log, long)
    assert [json.loads(line)["event"][0] for line in log.read_text().splitlines()] == ["a", "b"]


def test_many_threads_may_replace_one_file(tmp_path: Path) -> None:
    """The workers of a load all tell their progress: the file is always one of theirs, whole."""
    path, wanted = tmp_path / "progress.json", {str(number) * 50_000 for number in range(8)}

    def tell_all(number: int) -> None:
        for _ in range(20):
            with replaced(path, durable=False) as file:
                file.write(str(number) * 50_000)
            assert path.read_text() in wanted

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell_all, range(8)))
    assert os.listdir(tmp_path) == ["progress.json"]


def test_an_error_of_ours_while_a_file_is_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("as it was")
    with pytest.raises(ZeroDivisionError), replaced(path) as file:
        file.write(str(1 / 0))
    with pytest.raises(FileNotFoundError), replaced(path):
        raise FileNotFoundError(errno.ENOENT, "another one")
    assert (path.read_text(), os.listdir(tmp_path)) == ("as it was", ["a.csv"])


@pytest.mark.demo
def test_a_notebook_that_cannot_be_saved_is_one_message_and_the_one_before_stays(
    mapped_home: Path, sandbox: Sandbox, disk: Disk, tmp_path: Path
) -> None:
    """papermill saves after each cell; here there is room for nothing."""
    home = copied_home(mapped_home, tmp_path / "home")
    executed = disk.folder / "05_load.ipynb"
    executed.write_text(was := json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    (home / "runs" / CUSTOMER / "notebooks").symlink_to(disk.folder)  # the store has all the room it wants
    with environment(home, sandbox):
        program = [sys.executable, "-m", "lib.cli"]
        command = [*program, "run", CUSTOMER, "--from", "load", "--to", "load"]
        disk.leave(0)
        full = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (full.returncode, executed.read_text()) == (4, was), full.stderr
        assert "Traceback" not in full.stderr
        assert full.stderr.startswith("StoreError: ")
        disk.empty()
        executed.write_text("half a note")
        damaged = subprocess.run([*program, "report", CUSTOMER], cwd=ROOT, capture_output=True, text=True, check=False)
        assert damaged.stderr == "ConfigError: 05_load.ipynb is not a notebook. Run that step again.\n"
        again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert again.returncode == 0, again.stderr
    assert "cells" in json.loads(executed.read_text())
    assert os.listdir(disk.folder) == ["05_load.ipynb"]

"""P25: a full or read-only disk stops the run with one clear message; nothing half recorded, nothing sent unrecorded.

The disk is a small tmpfs of the test's own (needs root), on which a ballast file leaves just so much room. Without
root the kernel's limit on the size of a file (RLIMIT_FSIZE) plays the full disk.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import random
import resource
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import reconcile
from conftest import (
    CUSTOMER,
    ROOT,
    Sandbox,
    copied_home,
    decide,
    environment,
    prepare,
    running_sandbox,
    store_at,
    write_customer,
)
from crash_world import back
from disk_world import (
    OPEN,
    PAGE,
    READ_ONLY,
    Disk,
    at_home,
    run_out_of_room,
    sent_without_intention,
    stopped,
    undisturbed,
)
from picture import picture
from proofs import amount, tell
from sqlalchemy import select

from lib import decisions, steps
from lib.disk import append, replaced
from lib.errors import StoreError
from lib.report.export import export
from lib.store import Store, damage
from lib.store import tables as t
from lib.store.ledger import Ledger
from lib.workbook import ProgressLine, Workbook

PARTS = amount(1, 4)  # so that several processes can share the work


# ---- every write point --------------------------------------------------------------------------------------------
@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_a_load_on_a_disk_that_fills_up_at_any_moment_ends_right(
    mapped_home: Path, sandbox: Sandbox, disk: Disk, part: int
) -> None:
    quiet, need = _quiet_load(mapped_home, sandbox, disk)
    rounds, struck, harm = amount(5, 150), 0, Counter[str]()
    numbers = range(rounds)[part::PARTS]
    for number in numbers:
        sandbox.reset()
        home = copied_home(mapped_home, disk.folder / "home")
        with at_home(home, sandbox) as open_one:
            book = open_one()
            disk.leave((need * number // rounds) // PAGE * PAGE)
            struck += stopped(lambda book=book: steps.load(book, execute=True))
            disk.empty()
            book, ended = _goes_on(book, open_one, quiet, sandbox, anew=number % 2 == 1)
            harm.update(ended)
            assert all(json.loads(line) for line in (book.folder / "log.jsonl").read_text().splitlines())
        shutil.rmtree(home)
    assert struck == len(numbers)
    tell("P25", "a load on a disk that is full after k pages", points=len(numbers), stopped=struck, **harm)


def _goes_on(
    book: Workbook, open_one: Callable[[], Workbook], quiet: list[str], sandbox: Sandbox, *, anew: bool
) -> tuple[Workbook, Counter[str]]:
    """There is room again: the load goes on, also in a process that begins `anew`; its customer, and what is wrong."""
    assert sent_without_intention(book.store, sandbox) == {}
    if anew:
        book.close()
        book = open_one()
    steps.load(book, execute=True)
    return book, _ended_as(quiet, sandbox)


def _ended_as(quiet: list[str], sandbox: Sandbox) -> Counter[str]:
    """All stands as after a quiet load; how much is lost or doubled."""
    state = sandbox.state
    found = reconcile.problems(sandbox.truth, state)
    assert not any(found.values())
    assert picture(state) == quiet
    return reconcile.tally(found)


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
    rounds, struck, differing = amount(4, 100), 0, 0
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
            found = _everything(book.store)
            assert found == whole
            differing += len(set(found) ^ set(whole))
            assert {path.name for path in (book.folder / "files").iterdir()} == _hashes(book.store)
        shutil.rmtree(home)
    assert struck == len(numbers)
    what = "audit and extract on a disk that is full after k pages"
    tell("P25", what, points=len(numbers), stopped=struck, read_otherwise=differing)


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


# ---- the other steps ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Moved:
    """A small company on its way: the homes of its customer at three moments, and an Ashby that can go back to each."""

    sandbox: Sandbox
    extracted: Path
    loaded: Path
    lost: Path


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """Ashby is kept as "begun" and "loaded"."""
    folder = tmp_path_factory.mktemp("moved")
    with running_sandbox(people=4, seed=5) as sandbox:
        found = Moved(sandbox, folder / "extracted", folder / "loaded", folder / "lost")
        write_customer(found.extracted, sandbox)
        sandbox.ask("POST", "/keep", {"name": "begun"})
        with at_home(found.extracted, sandbox) as open_one:
            prepare(open_one(), sandbox)
        with at_home(copied_home(found.extracted, found.loaded), sandbox) as open_one:
            book = open_one()
            steps.map(book)
            steps.load(book, execute=True)
        sandbox.ask("POST", "/keep", {"name": "loaded"})
        copied_home(found.loaded, found.lost)
        for name in damage.PARTS:
            (found.lost / "runs" / CUSTOMER / name).unlink(missing_ok=True)
        yield found


def _plan(book: Workbook) -> Any:
    rows = [(row.row_id, row.body_hash) for row in Ledger(book.store).rows()]
    return Ledger(book.store).plan_hash(), rows, sorted(str(dict(row)) for row in book.store.members())


def _result(book: Workbook) -> Any:
    return [book.store.results("validate", name) for name in ("counts", "differences", "fidelity")]


def _known(book: Workbook) -> Any:
    """What a recovery has found; a load after it writes nothing."""
    n_writes = steps.load(book, execute=True).n_writes
    assert n_writes == 0
    return Ledger(book.store).plan_hash(), sorted(Ledger(book.store).counts())


OTHERS = {
    "dedupe and map": ("extracted", "begun", lambda book, sandbox: (decide(book, sandbox), steps.map(book)), _plan),
    "validate": ("loaded", "loaded", lambda book, sandbox: steps.validate(book), _result),
    "recover": ("lost", "loaded", lambda book, sandbox: steps.recover(book), _known),
}


@pytest.mark.proof
@pytest.mark.parametrize("step", list(OTHERS)[: amount(2, 3)])
def test_every_other_step_on_a_disk_that_fills_up_at_any_moment_ends_right(moved: Moved, disk: Disk, step: str) -> None:
    """Room for some of the pages that an undisturbed run takes: it stops, and goes on where there is room again."""
    home, stands, work, shown = OTHERS[step]
    case = (getattr(moved, home), moved.sandbox, disk, lambda book: work(book, moved.sandbox), shown)
    back(moved.sandbox, stands)
    wanted, need = undisturbed(*case)
    rounds, figures = amount(1, 50), Counter[str]()
    for number in range(rounds):
        room = need * (2 * number + 1) // (2 * rounds)
        figures.update(run_out_of_room(*case, wanted=wanted, room=room, close=number % 2 == 1))
    assert figures["stopped"] == figures["points"] == rounds
    tell("P25", f"{step} on a disk that is full after k pages", **figures)


# ---- a disk that cannot be written --------------------------------------------------------------------------------
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


@pytest.mark.proof
def test_a_disk_that_becomes_read_only_in_the_middle_of_a_load_stops_it_and_the_next_one_ends_right(
    mapped_home: Path, sandbox: Sandbox, disk: Disk
) -> None:
    """Remounted between two effects; then it can be written again, and the same process goes on, or another one."""
    quiet, _ = _quiet_load(mapped_home, sandbox, disk)
    rounds, chance, harm = amount(1, 20), random.Random("read-only"), Counter[str]()
    for number in range(rounds):
        sandbox.reset()
        home = copied_home(mapped_home, disk.folder / "home")
        write_customer(home, sandbox, ashby={"workers": 1})
        with at_home(home, sandbox) as open_one:
            book = open_one()
            seam = _freezing(book, disk, after=chance.randrange(20, 1000))
            assert stopped(lambda book=book, seam=seam: steps.load(book, execute=True, fail_at=seam), says=READ_ONLY)
            disk.remount("rw")
            book, ended = _goes_on(book, open_one, quiet, sandbox, anew=number % 2 == 1)
            harm.update(ended)
        shutil.rmtree(home)
    tell("P25", "a disk that becomes read-only in the middle of a load", rounds=rounds, **harm)


def _freezing(book: Workbook, disk: Disk, *, after: int) -> Callable[[str, object], None]:
    """A seam of a load: after so many effects the disk is read-only.

    The kernel refuses that while a file is open for writing, so the connections that wait for work are closed.
    """
    left, done = [after], []

    def seam(_moment: str, _row: object) -> None:
        left[0] -= 1
        if left[0] < 0 and not done:
            book.store.engine.dispose()
            done.extend([True] * disk.frozen())

    return seam


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

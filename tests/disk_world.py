"""A small file system of a test's own, which is filled up or made read-only while the workbook works on it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CUSTOMER, Sandbox, copied_home, environment
from sqlalchemy import select

from lib import workbook
from lib.errors import StoreError
from lib.store import Store
from lib.store import tables as t
from lib.workbook import Workbook

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

    def frozen(self) -> bool:
        """Make it read-only, unless somebody has a file open for writing: then the kernel refuses, and it is False."""
        words = ["mount", "-o", "remount,ro", str(self.folder)]
        return subprocess.run(words, check=False, capture_output=True).returncode == 0


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


FULL, READ_ONLY = ("No space left", "disk"), ("read-only", "Read-only")


def stopped(work: Callable[[], object], *, says: tuple[str, ...] = FULL) -> bool:
    """True when the disk stopped it, cleanly: a StoreError with exit code 4 that says what happened and what to do."""
    try:
        work()
    except StoreError as error:
        told = error
    else:
        return False
    assert told.exit_code == 4
    assert any(word in told.message for word in says), told.message
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


# ---- any work, with room for some of the pages that it takes ---------------------------------------------------------
def undisturbed(
    source: Path, sandbox: Sandbox, disk: Disk, work: Callable[[Workbook], object], shown: Callable[[Workbook], Any]
) -> tuple[Any, int]:
    """(what `shown` says after an undisturbed run of `work` on a copy of `source`, how much of the disk it takes)."""
    home = copied_home(source, disk.folder / "home")
    with at_home(home, sandbox) as open_one:
        book, before = open_one(), disk.free()
        work(book)
        need, found = before - disk.free(), shown(book)
    shutil.rmtree(home)
    return found, need


def run_out_of_room(
    source: Path, sandbox: Sandbox, disk: Disk, work: Callable[[Workbook], object], shown: Callable[[Workbook], Any],
    *, wanted: Any, room: int, close: bool,
) -> Counter[str]:  # fmt: skip
    """The same with so much room: it must stop; then there is room again, and it ends as undisturbed.

    `close`: another process goes on. Counts what stopped, and what is otherwise in the end.
    """
    home = copied_home(source, disk.folder / "home")
    with at_home(home, sandbox) as open_one:
        book = open_one()
        disk.leave(room // PAGE * PAGE)
        n_stopped = stopped(lambda: work(book))
        disk.empty()
        if close:
            book.close()
            book = open_one()
        work(book)
        found = shown(book)
    assert (room, found) == (room, wanted)
    shutil.rmtree(home)
    return Counter(points=1, stopped=n_stopped, otherwise=int(found != wanted))

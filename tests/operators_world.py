"""Operators as processes of their own, and what they do as it is witnessed from outside the store."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import re
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from conftest import CUSTOMER

from lib import steps, workbook
from lib.errors import StoreError
from lib.store import Pace
from lib.store.lease import HeldError, Writer
from lib.workbook import Workbook

QUICK = Pace(beat=0.05, dead_after=0.4)
APART = Pace(beat=0.05, dead_after=0.8)  # on two machines: a living one that gets no turn for so long is overtaken
TOLD = re.compile(
    r"told \S+ on \S+ \(process \d+\) is running load on this customer since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\. "
    r"Wait for it(, or end process \d+; a dead one is taken over at once|\. If that machine is dead: .*`--take-over`)\."
)
MACHINES = ("mars", "venus")
LONG_S = 600.0  # of processes that write nothing for so long none is waited for


class Witness:
    """A folder outside the store: a lock that one process at a time can hold, and a journal of lines."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._lock, self._journal = folder / "lock", folder / "journal"
        self._lock.touch()
        self._journal.touch()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Note "two writers" when another process is in here; a process that is killed leaves by that."""
        with self._lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.note("two writers")
            yield

    def note(self, line: str) -> None:
        """One line, whole, in the order in which things happen."""
        with self._journal.open("ab", buffering=0) as journal:
            journal.write(line.encode() + b"\n")

    def lines(self, start: str = "") -> list[str]:
        """What was noted, in order."""
        return [line for line in self._journal.read_text().splitlines() if line.startswith(start)]


def forked(work: Callable[[], None]) -> int:
    """`work` in a process of its own: exit code 0, 4 for a StoreError, 1 for anything else; returns its number."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except StoreError as error:
        code = error.exit_code
    except BaseException:  # noqa: BLE001 - the test's own process must end here whatever happens
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """How a child ended: its exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def on(host: str, owner: str = "second") -> Writer:
    """This process, on another machine."""
    return replace(Writer.here(owner), host=host, machine=f"the machine called {host}")


def disorder(witness: Witness) -> int:
    """How often an effect of an earlier lease came after one of a later lease."""
    fences = [int(line.split()[1]) for line in witness.lines() if line.split()[0] in ("committed", "sent")]
    return sum(one > other for one, other in pairwise(fences))


def opened_at_once(works: list[Callable[[], None]]) -> list[int]:
    """Processes for these works that all begin at one moment; their numbers."""
    gate, opener = os.pipe()
    pids = []
    for work in works:

        def begin(work: Callable[[], None] = work) -> None:
            os.close(opener)
            os.read(gate, 1)  # all of them wake up when the parent closes its end
            work()

        pids.append(forked(begin))
    os.close(gate)
    os.close(opener)
    return pids


# ---- the real load -------------------------------------------------------------------------------------------------
def watch(book: Workbook, witness: Witness) -> None:
    """Note each send to Ashby and each commit of the store, with the number of the lease it is made under."""

    def noted(word: str, real: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
        def wrapped(*given: Any, **more: Any) -> Any:
            fence = book.store._fence
            if fence and before:
                witness.note(f"{word} {fence} {os.getpid()}")
            result = real(*given, **more)
            if fence and not before:
                witness.note(f"{word} {fence} {os.getpid()}")
            return result

        return wrapped

    transport, dialect = book.ashby.transport, book.store.engine.dialect
    transport.send = noted("sent", transport.send, before=True)  # type: ignore[method-assign]
    dialect.do_commit = noted("committed", dialect.do_commit, before=False)  # type: ignore[method-assign]


def load_until_done(witness: Witness) -> None:
    """An operator who runs the load, and again whenever it is told that somebody else does."""
    book = workbook.open_customer(CUSTOMER)
    watch(book, witness)
    while True:
        try:
            steps.load(book, execute=True)
        except HeldError as error:
            witness.note(f"told {error}")
            continue
        witness.note(f"done {os.getpid()}")
        return


def killed_at_random(pids: list[int], witness: Witness, chance: random.Random) -> None:
    """All but one of the processes may die by SIGKILL, at random moments; mostly the one that writes."""
    living, end = list(pids), time.monotonic() + LONG_S
    for _ in range(chance.randint(1, len(pids) - 1)):
        began = len(witness.lines("sent"))
        wanted = began + chance.choice((1, 5, 40, 200))
        while len(sent := witness.lines("sent")) < wanted:
            if witness.lines("done") or time.monotonic() > end:
                return
            time.sleep(0.01)
        writer = int(sent[-1].split()[2])
        victim = writer if writer in living and chance.random() < 0.8 else chance.choice(living)
        os.kill(victim, signal.SIGKILL)
        living.remove(victim)

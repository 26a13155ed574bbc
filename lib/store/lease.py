"""One writer per customer: a lease with owner, machine, heartbeat and a fencing number that only grows.

Whether a writer of this machine is dead is asked of the machine: its process runs or not. A writer of another machine
is dead when its last sign of life is old by the database's clock *and* none comes while we watch by our own; so no
clock that jumps makes two writers. Every write and every send compares the fencing number.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from lib.errors import StoreError
from lib.store import tables as t
from lib.store.engine import FAILURES, reason

Clock = Callable[[], int]
_FENCE = select(t.lease.c.fence).with_for_update(read=True, key_share=True)
HINT = "Is the disk or the database up? `workbook status` names who writes; a process that hangs must be ended."


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two signs of life, and how old the last one is before another machine may take over.

    A request to Ashby may be in flight for 180 s (transport.Limits.total): after 300 s none of the old writer is.
    """

    beat: float = 5.0
    dead_after: float = 300.0

    @property
    def watch(self) -> float:
        """How long a writer is watched before its silence counts."""
        return 2.2 * self.beat


@dataclass(frozen=True, slots=True)
class Writer:
    """One process that wants to write; `machine` and `born` tell other machines and reused numbers apart."""

    owner: str
    host: str
    machine: str
    pid: int
    born: str

    @classmethod
    def here(cls, owner: str = "") -> Writer:
        """This process."""
        pid = os.getpid()
        return cls(owner or _user(), socket.gethostname(), _machine(), pid, _born(pid) or "")

    def runs(self) -> bool:
        """True when the process still runs; only to be asked on its own machine."""
        born = _born(self.pid)
        return born is not None and (not born or not self.born or born == self.born)

    def __str__(self) -> str:
        return f"{self.owner} on {self.host} (process {self.pid})"


class HeldError(StoreError):
    """Somebody else writes."""


class Lease:
    """The right to write, until `release`; a later lease has a higher `fence`."""

    def __init__(self, engine: Engine, fence: int, *, took_over: str, pace: Pace, clock: Clock) -> None:
        self.engine = engine
        self.fence = fence
        self.took_over = took_over
        self._pace = pace
        self._clock = clock

    @classmethod
    def take(
        cls,
        engine: Engine,
        *,
        step: str,
        owner: str = "",
        patience: float = 4.0,
        pace: Pace | None = None,
        me: Writer | None = None,
        clock: Clock | None = None,
    ) -> Lease:
        """Take the lease, or raise StoreError that names who holds it, since when, and how to take over.

        Waits `patience` seconds first: the kernel of a killed run notices within two seconds that it is alone.
        `clock` tells epoch milliseconds where the database has no clock of its own (SQLite).
        """
        pace, me, clock = pace or Pace(), me or Writer.here(owner), clock or _wall_ms
        end, watch = time.monotonic() + patience, _Watch()
        while True:
            try:
                fence, before = _taken(engine, step=step, me=me, pace=pace, clock=clock, watch=watch)
                return cls(engine, fence, took_over=before, pace=pace, clock=clock)
            except HeldError:
                if time.monotonic() > end and not watch.goes_on:
                    raise
                time.sleep(min(0.2, pace.beat / 5))

    @classmethod
    def holder(cls, engine: Engine, *, pace: Pace | None = None) -> str:
        """Who holds the lease and is not known to be dead, in words; empty when nobody does."""
        pace = pace or Pace()
        with _reading(engine) as connection:
            held, now = _current(connection, lock=False), _now(connection, _wall_ms)
        if not held.owner or _dead_here(held, Writer.here()):
            return ""
        if held.machine != _machine() and _age(held, now) > pace.dead_after:
            return ""
        return _told(held)

    @classmethod
    def depose(cls, engine: Engine, *, pace: Pace | None = None) -> str:
        """Take the lease away from a writer that gives no sign of life; returns who it was, "" when nobody was.

        For a person who knows that the other one is dead; StoreError when it turns out to be alive.
        """
        pace, watch = pace or Pace(), _Watch()
        while True:
            with _locked(engine) as (connection, held):
                if not held.owner:
                    return ""
                watch.see(held)
                if _dead_here(held, Writer.here()) or watch.seconds > pace.watch:
                    connection.execute(update(t.lease).values(owner="", fence=held.fence + 1))
                    return _told(held)
            if watch.stirred:
                raise StoreError(
                    f"{_writer(held)} is alive: it gave a sign of life just now, and runs {held.step}.",
                    hint="Wait for it, or end that process.",
                )
            time.sleep(pace.beat / 5)

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        """Give a sign of life every few seconds while the block runs."""
        stop = threading.Event()
        thread = threading.Thread(target=self._beat, args=(stop,), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _beat(self, stop: threading.Event) -> None:
        while not stop.wait(self._pace.beat):
            with contextlib.suppress(*FAILURES):  # a missed beat is made up by the next; writes check the fence
                self._set(lambda connection: {"beat_ms": _now(connection, self._clock)})

    def release(self) -> None:
        """Give the lease back; a lease that was taken over stays with its new holder."""
        with contextlib.suppress(*FAILURES):  # it then runs out by itself
            self._set(lambda connection: {"owner": ""})

    def _set(self, values: Callable[[Connection], dict[str, Any]]) -> None:
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            connection.execute(update(t.lease).where(t.lease.c.fence == self.fence), values(connection))


def check_fence(connection: Connection, fence: int, customer: str) -> None:
    """StoreError when the lease with this number is not the newest any more.

    On PostgreSQL the row stays locked until the transaction ends: nobody takes over in the middle of a write. A sign of
    life does not wait for that lock, a take-over does.
    """
    _compare(connection.execute(_FENCE).scalar(), fence, customer)


def ask_fence(engine: Engine, fence: int, customer: str) -> None:
    """The same before a send, outside of any transaction: as bare as it can be, because it is asked for each row."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(_asked(engine.dialect.name))
        found = cursor.fetchone()
    finally:
        connection.close()
    _compare(found[0] if found else None, fence, customer)


@cache
def _asked(dialect: str) -> str:
    return str(_FENCE.compile(dialect=postgresql.dialect() if dialect == "postgresql" else sqlite.dialect()))


def _compare(newest: int | None, fence: int, customer: str) -> None:
    if newest != fence:
        raise StoreError(
            f"Another run has taken over {customer}; this one stops before it writes anything more.",
            hint="See `workbook status`.",
        )


class _Watch:
    """How long, by our own steady clock, a holder has given no sign of life."""

    def __init__(self) -> None:
        self._seen: tuple[int, int] | None = None
        self._since = 0.0
        self.stirred = False  # it did give one
        self.goes_on = False  # its last one is old, so we watch on

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._since if self._seen else 0.0

    def see(self, held: Row) -> None:
        if self._seen != (held.fence, held.beat_ms):
            self.stirred = self._seen is not None
            self._seen, self._since = (held.fence, held.beat_ms), time.monotonic()


def _taken(engine: Engine, *, step: str, me: Writer, pace: Pace, clock: Clock, watch: _Watch) -> tuple[int, str]:
    """(fence, the dead writer it was taken from or ""); HeldError when somebody else holds the lease."""
    with _reading(engine) as connection:  # first without a lock: a writer at work must not be kept waiting
        _check_free(_current(connection, lock=False), _now(connection, clock), me, pace, watch)
    with _locked(engine) as (connection, held):
        now = _now(connection, clock)
        _check_free(held, now, me, pace, watch)
        values = {name: getattr(me, name) for name in Writer.__slots__}
        values |= {"fence": held.fence + 1, "step": step, "since_ms": now, "beat_ms": now}
        connection.execute(update(t.lease), values)
    return held.fence + 1, _told(held) if held.owner else ""


def _check_free(held: Row, now: int, me: Writer, pace: Pace, watch: _Watch) -> None:
    """HeldError unless the lease may be taken by `me`."""
    if not held.owner or _dead_here(held, me):
        return
    old = held.machine != me.machine and not 0 <= _age(held, now) <= pace.dead_after
    watch.see(held)
    watch.goes_on = old and not watch.stirred
    if not old or watch.seconds <= pace.watch:
        raise _held(held, me, pace)


@contextlib.contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.connect() as connection:
            yield connection
    except FAILURES as error:
        raise StoreError(f"The writer's lease could not be read: {reason(error)}.", hint=HINT) from None


@contextlib.contextmanager
def _locked(engine: Engine) -> Iterator[tuple[Connection, Row]]:
    """The lease, locked until the block ends; StoreError in words when the database does not let us."""
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection, _current(connection, lock=True)
    except FAILURES as error:
        raise StoreError(f"The writer's lease could not be taken: {reason(error)}.", hint=HINT) from None


def _held(held: Row, me: Writer, pace: Pace) -> HeldError:
    if held.machine == me.machine:
        hint = f"Wait for it, or end process {held.pid}; a dead one is taken over at once."
    else:
        hint = (
            f"Wait for it. If that machine is dead: it is taken over {_minutes(pace.dead_after)} after its last sign "
            f"of life ({_said(held.beat_ms)}), or at once with `--take-over`."
        )
    told = f"{_writer(held)} is running {held.step} on this customer since {_said(held.since_ms)}."
    return HeldError(told, hint=hint)


def _current(connection: Connection, *, lock: bool) -> Row:
    query = select(t.lease).where(t.lease.c.lease == 1)
    return connection.execute(query.with_for_update() if lock else query).one()


def _now(connection: Connection, clock: Clock) -> int:
    """Epoch milliseconds by a clock that all writers share: the server's, or that of the one machine."""
    if connection.dialect.name == "sqlite":
        return clock()
    return int(connection.execute(text("SELECT extract(epoch FROM clock_timestamp()) * 1000")).scalar_one())


def _age(held: Row, now: int) -> float:
    """Seconds since the last sign of life; negative when the clock was put back since."""
    return (now - held.beat_ms) / 1000


def _told(held: Row) -> str:
    return f"{_writer(held)}, {held.step} since {_said(held.since_ms)}"


def _writer(held: Row) -> Writer:
    return Writer(*(getattr(held, name) for name in Writer.__slots__))


def _dead_here(held: Row, me: Writer) -> bool:
    """True when the holder was a process of this machine and does not run any more, or is this very process."""
    same_process = (held.pid, held.born) == (me.pid, me.born)
    return held.machine == me.machine and (same_process or not _writer(held).runs())


def _machine() -> str:
    """This boot of this machine and its set of process numbers; two that are equal share their processes."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{uuid.getnode():012x}"


def _born(pid: int) -> str | None:
    """When process `pid` began, in ticks since the boot; "" where that cannot be told; None when it does not run."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # it runs, for another user
    process = Path(f"/proc/{pid}")
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        n_threads = len(list((process / "task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return "" if not Path("/proc/self/stat").is_file() else None
    # A killed process whose first thread is gone is not dead yet: another thread may be at the end of a write.
    return None if fields[0] == "Z" and n_threads < 2 else fields[19]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _said(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 60 else f"{seconds:g} seconds"

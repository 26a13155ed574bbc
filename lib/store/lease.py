"""One writer per customer: a lease with owner, host, heartbeat and a fencing number that only grows."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from lib.errors import StoreError
from lib.store import tables as t

BEAT = 5.0  # seconds between two signs of life
DEAD_AFTER = 60.0  # seconds without one after which another host may take over


@dataclass(frozen=True)
class Lease:
    """The right to write, until `release`; a later lease has a higher `fence`."""

    engine: Engine
    fence: int
    took_over: str = ""

    @classmethod
    def take(cls, engine: Engine, *, step: str, owner: str = "", patience: float = 4.0) -> Lease:
        """Take the lease, or raise StoreError that names who holds it and since when.

        Waits `patience` seconds first: the kernel of a killed run notices within two seconds that it is alone.
        """
        end = time.monotonic() + patience
        while True:
            try:
                return cls._take(engine, step=step, owner=owner)
            except StoreError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    @classmethod
    def _take(cls, engine: Engine, *, step: str, owner: str) -> Lease:
        now = time.time_ns() // 1_000_000
        me = {"owner": owner or _user(), "host": socket.gethostname(), "pid": os.getpid(), "step": step}
        try:
            with engine.connect().execution_options(writes=True) as connection, connection.begin():
                held = _current(connection)
                if held is not None and held.owner and _is_alive(held, now):
                    raise StoreError(
                        f"{held.owner} on {held.host} (process {held.pid}) is running {held.step} on this customer "
                        f"since {_clock(held.since_ms)}.",
                        hint="Wait for it, or end that process; a dead one is taken over after a minute.",
                    )
                fence = (held.fence if held is not None else 0) + 1
                values = me | {"fence": fence, "since_ms": now, "beat_ms": now}
                if held is None:
                    connection.execute(insert(t.lease), values | {"lease": 1})
                else:
                    connection.execute(update(t.lease).where(t.lease.c.lease == 1), values)
        except SQLAlchemyError as error:
            raise StoreError(f"The writer's lease could not be taken ({type(error).__name__}).") from None
        dead = f"{held.owner} on {held.host} (process {held.pid}, {held.step})" if held and held.owner else ""
        return cls(engine, fence, dead)

    @classmethod
    def holder(cls, engine: Engine) -> str:
        """Who holds the lease and is alive, in words; empty when nobody is."""
        with engine.connect() as connection:
            held = connection.execute(select(t.lease).where(t.lease.c.lease == 1)).one_or_none()
        if held is None or not held.owner or not _is_alive(held, time.time_ns() // 1_000_000):
            return ""
        return f"{held.owner} on {held.host} (process {held.pid}), {held.step} since {_clock(held.since_ms)}"

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
        while not stop.wait(BEAT):
            with contextlib.suppress(SQLAlchemyError):  # a missed beat is made up by the next; writes check the fence
                self._set({"beat_ms": time.time_ns() // 1_000_000})

    def release(self) -> None:
        """Give the lease back; a lease that was taken over stays with its new holder."""
        with contextlib.suppress(SQLAlchemyError):  # it then runs out by itself
            self._set({"owner": ""})

    def _set(self, values: dict[str, object]) -> None:
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            connection.execute(update(t.lease).where(t.lease.c.fence == self.fence), values)


def _current(connection: Connection):  # noqa: ANN202 - a row of the lease table, or None
    query = select(t.lease).where(t.lease.c.lease == 1)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update()
    return connection.execute(query).one_or_none()


def _is_alive(held, now: int) -> bool:  # noqa: ANN001
    beats = now - held.beat_ms < DEAD_AFTER * 1000
    if held.host != socket.gethostname():
        return beats
    started = None if held.pid == os.getpid() else _started(held.pid)
    # A process that began after the lease has a reused number, unless the clock was put forward: then it still beats.
    return started is not None and (beats or started <= held.since_ms + 2000)


def _started(pid: int) -> float | None:
    """When process `pid` began (epoch milliseconds; 0 when that cannot be told); None when it does not run."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # it runs, for another user
    if not Path("/proc/uptime").is_file():
        return 0.0
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    began = time.time() - uptime + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return None if fields[0] == "Z" else began * 1000


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


def _clock(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

"""One customer's store: a SQL database that keeps raw answers, progress, people, plan, ledger and links.

SQLite in the customer's folder by default (write-ahead log, every commit on disk before it counts), PostgreSQL when
`store_url` says so. SQLAlchemy Core, no ORM. Reading is free; writing goes through `begin()`, one at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, bindparam, delete, func, insert, select

from lib.errors import StoreError
from lib.store import often, raw, standing
from lib.store import tables as t
from lib.store.damage import hint_of
from lib.store.engine import FAILURES, connect, insert_for, reason, where
from lib.store.lease import Lease, Pace, ask_fence, check_fence
from lib.store.together import Together, Work

BATCH = 500
OCCASIONS = 3  # times that a file is asked for which Lever cannot deliver, before that is final
NO_BYTES = "not among the files of the export"  # why a file has none, where Lever comes as files
DATABASE_HINT = "Is the database up, is store_url right, is STORE_PASSWORD needed? See docs/postgresql.md."
DISK_HINT = "Is the disk full or read-only, does the folder belong to somebody else?"
__all__ = ["NO_BYTES", "OCCASIONS", "FileRow", "Lease", "Pace", "Store", "dumps", "now_ms", "open_store"]


def now_ms() -> int:
    """The wall clock in epoch milliseconds (only ever shown or stored, never compared with a vendor's clock)."""
    return time.time_ns() // 1_000_000


def dumps(value: Any) -> str:
    """JSON text in ASCII with sorted keys: equal values give equal bytes, odd characters survive."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True, slots=True)
class FileRow:
    """One binary file of Lever: `state` is stored, unavailable (Lever has no bytes to give) or failed (no answer)."""

    lever_id: str
    stream: str
    opportunity_id: str
    name: str
    media_type: str
    size: int | None
    sha256: str | None
    state: str
    reason: str
    attempts: int
    at_ms: int = field(default=0, compare=False)  # when it was asked for last; set by the store

    @property
    def is_final(self) -> bool:
        """Whether Lever is not asked for it any more: it had none on three occasions, or its export has none."""
        return self.state == "unavailable" and (self.attempts >= OCCASIONS or self.reason == NO_BYTES)


def open_store(folder: Path, *, url: str = "", password: str = "") -> Store:
    """The store of the customer whose folder this is; made when absent. StoreError when it cannot be used.

    `url` names a PostgreSQL database, without the password; empty for SQLite in `folder`.
    """
    try:
        _private_folders(folder)
        engine = connect(folder, url=url, password=password)
    except (*FAILURES, OSError) as error:
        told = f"The store of {folder.name} ({where(url)}) cannot be opened: {reason(error)}."
        raise StoreError(told, hint=hint_of(error, folder, DATABASE_HINT if url else DISK_HINT)) from None
    return Store(engine, folder)


def _private_folders(folder: Path) -> None:
    """The customer's folder, the one above it, and the one for files: for the owner only, whatever the umask."""
    if not folder.parent.is_dir():
        folder.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    for one in (folder, folder / "files"):
        one.mkdir(exist_ok=True, mode=0o700)
        one.chmod(0o700)


class Store:
    """Reads and writes of one customer's store; safe to share between threads."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self._writing = threading.RLock()
        self._together = Together(self.begin)
        self._fence: int | None = None

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def begin(self) -> Iterator[Connection]:
        """One write transaction: everything in it is on disk when the block ends, or nothing of it is."""
        with self._writing:
            try:
                with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
                    if self._fence is not None:
                        check_fence(connection, self._fence, self.folder.name)
                    yield connection
            except FAILURES as error:
                hint = "Nothing was half-recorded. Is the disk full or read-only, is the database down? Then run again."
                raise StoreError(
                    f"The store of {self.folder.name} could not be written: {reason(error)}.",
                    hint=hint_of(error, self.folder, hint),
                ) from None

    def write(self, work: Work) -> None:
        """Have `work(connection)` write in a transaction that other threads share; see `Together.write`."""
        self._together.write(work)

    @contextlib.contextmanager
    def lease(self, step: str, **how: Any) -> Iterator[Lease]:
        """Be the one writer of this customer for the length of the block; StoreError names the other one.

        `how` goes to `Lease.take`.
        """
        lease = Lease.take(self.engine, step=step, **how)
        self._fence = lease.fence
        try:
            with lease.beating():
                yield lease
        finally:
            self._fence = None
            lease.release()

    def check_lease(self) -> None:
        """StoreError when another run has taken over. Asked right before each send: see docs/what-if.md."""
        fence = self._fence
        if fence is None:
            return
        try:
            ask_fence(self.engine, fence, self.folder.name)
        except FAILURES as error:
            raise self._unread(error) from None

    def holder(self) -> str:
        """Who is writing now: owner, host, process, step, since when; empty when nobody alive is."""
        return Lease.holder(self.engine)

    def depose(self) -> str:
        """Take the lease from a writer that a person knows to be dead; returns who it was. See `Lease.depose`."""
        return Lease.depose(self.engine)

    # ---- raw answers -------------------------------------------------------------------------------------------
    def put_raw(
        self,
        connection: Connection,
        stream: str,
        items: Iterable[tuple[str, str, Any]],
        *,
        whole_parent: str | None = None,
    ) -> int:
        """Store (lever_id, parent_id, body) where the body is new or changed; returns how many were.

        With `whole_parent`, the items are the complete child list of that parent: those that lack now are marked gone.
        """
        rows = {(stream, lever_id): _version(parent, body) for lever_id, parent, body in items}
        whole = None if whole_parent is None else (whole_parent, [stream])
        return raw.write(connection, rows, at_ms=now_ms(), whole=whole)

    def put_children(
        self, connection: Connection, parent_id: str, found: Mapping[str, Iterable[tuple[str, Any]]]
    ) -> int:
        """Store {stream: (lever_id, body)}, all that hangs on one parent: what lacks now is marked gone."""
        rows = {(name, key): _version(parent_id, body) for name, items in found.items() for key, body in items}
        return raw.write(connection, rows, at_ms=now_ms(), whole=(parent_id, list(found)))

    def put_gone(self, connection: Connection, stream: str, lever_id: str) -> None:
        """Mark one object as no longer there; what was received stays in `raw`."""
        head = and_(t.heads.c.stream == stream, t.heads.c.lever_id == lever_id)
        parent = connection.execute(select(t.heads.c.parent_id).where(head)).scalar()
        if parent is not None:
            raw.write(connection, {(stream, lever_id): raw.Version(parent, None, "")}, at_ms=now_ms())

    def all(self, stream: str) -> Iterator[dict[str, Any]]:
        """The newest body of each object of `stream`, by lever_id; read in batches, so that it may be any number."""
        return (body for _, body in self.placed(stream))

    def placed(self, stream: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The same, with the id of the parent before each body."""
        heads = t.heads
        query = select(heads.c.lever_id, heads.c.parent_id, t.raw.c.body)
        query = query.join(t.raw, t.raw.c.raw_id == heads.c.raw_id).where(heads.c.stream == stream, heads.c.gone == 0)
        for row in self._paged(query, heads.c.lever_id):
            yield row.parent_id, json.loads(row.body)

    def of(self, stream: str, parent_id: str) -> list[dict[str, Any]]:
        """The newest bodies of the children of one parent, by lever_id."""
        heads = t.heads
        query = (
            select(t.raw.c.body)
            .join(heads, t.raw.c.raw_id == heads.c.raw_id)
            .where(heads.c.stream == stream, heads.c.parent_id == parent_id, heads.c.gone == 0)
            .order_by(heads.c.lever_id)
        )
        return [json.loads(row.body) for row in self._rows(query)]

    def children(self, parent_id: str, streams: Sequence[str]) -> dict[str, list[str]]:
        """{stream: ids of its objects that hang on one parent}, of those streams that have any."""
        heads = t.heads
        found: dict[str, list[str]] = {}
        query = select(heads.c.stream, heads.c.lever_id).where(heads.c.parent_id == parent_id, heads.c.gone == 0)
        for row in self._rows(query.where(heads.c.stream.in_(streams)).order_by(heads.c.stream, heads.c.lever_id)):
            found.setdefault(row.stream, []).append(row.lever_id)
        return found

    def get(self, stream: str, lever_id: str) -> dict[str, Any] | None:
        """The newest body of one object, or None when it was never seen or is gone."""
        heads = t.heads
        query = (
            select(t.raw.c.body)
            .join(heads, t.raw.c.raw_id == heads.c.raw_id)
            .where(heads.c.stream == stream, heads.c.lever_id == lever_id, heads.c.gone == 0)
        )
        rows = self._rows(query)
        return json.loads(rows[0].body) if rows else None

    def head_shas(self, stream: str) -> dict[str, str]:
        """{lever_id: sha256 of the newest body} of all objects of `stream` that are not gone."""
        heads = t.heads
        query = select(heads.c.lever_id, heads.c.sha256).where(heads.c.stream == stream, heads.c.gone == 0)
        return dict(map(tuple, self._rows(query.order_by(heads.c.lever_id))))

    def parents(self, stream: str) -> dict[str, str]:
        """{lever_id: parent id} of all objects of `stream` that are not gone."""
        heads = t.heads
        query = select(heads.c.lever_id, heads.c.parent_id).where(heads.c.stream == stream, heads.c.gone == 0)
        return dict(map(tuple, self._rows(query.order_by(heads.c.lever_id))))

    def count(self, stream: str) -> int:
        """How many objects of `stream` there are now."""
        query = select(func.count()).select_from(t.heads).where(t.heads.c.stream == stream, t.heads.c.gone == 0)
        return int(self._rows(query)[0][0])

    def count_parents(self, stream: str) -> int:
        """How many distinct parents the objects of `stream` have now."""
        query = select(func.count(t.heads.c.parent_id.distinct()))
        return int(self._rows(query.where(t.heads.c.stream == stream, t.heads.c.gone == 0))[0][0])

    # ---- progress and files ------------------------------------------------------------------------------------
    def put_window(self, connection: Connection, stream: str, key: str, *, n_rows: int, basis: str = "") -> None:
        """Record that a window (or one opportunity's child lists) is done, in the transaction of its rows."""
        values = {"stream": stream, "key": key, "n_rows": n_rows, "basis": basis, "at_ms": now_ms()}
        often.execute(connection, often.window, values)

    def windows(self, stream: str) -> dict[str, str]:
        """{key: basis} of all windows of `stream` that are done."""
        query = select(t.windows.c.key, t.windows.c.basis).where(t.windows.c.stream == stream)
        return dict(map(tuple, self._rows(query)))

    def put_file(self, connection: Connection, row: FileRow) -> None:
        """Record the state of one binary file."""
        values = {name: getattr(row, name) for name in FileRow.__slots__}
        often.execute(connection, often.file, values | {"at_ms": now_ms()})

    def file(self, lever_id: str) -> FileRow | None:
        """The state of one binary file, or None when it was never seen."""
        rows = self._rows(_FILE, {"lever_id": lever_id})
        return FileRow(*rows[0]) if rows else None

    def files(self) -> Iterator[FileRow]:
        """All binary files, by lever_id."""
        return (FileRow(*row) for row in self._paged(_FILES, t.files.c.lever_id))

    def file_path(self, sha256: str) -> Path:
        """Where the bytes with this hash are kept: never under a name that a candidate chose."""
        return self.folder / "files" / sha256

    # ---- target ------------------------------------------------------------------------------------------------
    def put_ashby(self, connection: Connection, kind: str, items: Iterable[tuple[str, Any]], *, whole: bool) -> None:
        """Store target objects as answered; with `whole`, they replace all of their kind."""
        if whole:
            connection.execute(delete(t.ashby).where(t.ashby.c.kind == kind))
        for ashby_id, body in items:
            values = {"body": dumps(body), "at_ms": now_ms()}
            self._upsert(connection, t.ashby, {"kind": kind, "ashby_id": ashby_id}, values)

    def ashby(self, kind: str, *, own: bool = False) -> list[dict[str, Any]]:
        """Target objects of one kind, without those that this workbook created (so that a plan stays the same).

        An object that was adopted is given as it was then. With `own`, everything as it was last read.
        """
        return list(standing.bodies(self._rows, kind, own=own))

    def made(self, kind: str) -> set[str]:
        """Lever ids that have an object of this kind (e.g. "application") in Ashby, made or adopted by us."""
        rows = self._rows(select(t.links.c.link).where(t.links.c.ashby_type == kind))
        return {row.link.partition(":")[2] for row in rows}

    # ---- results, meta -----------------------------------------------------------------------------------------
    def put_results(self, step: str, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """Replace one result table of a step (findings, losses, differences …)."""
        with self.begin() as connection:
            where = and_(t.results.c.step == step, t.results.c.name == name)
            connection.execute(delete(t.results).where(where))
            entries = ({"step": step, "name": name, "position": n, "body": dumps(row)} for n, row in enumerate(rows))
            self._many(connection, t.results, entries)

    def results(self, step: str, name: str) -> list[dict[str, Any]]:
        """One result table of a step, in the order it was written."""
        where = and_(t.results.c.step == step, t.results.c.name == name)
        query = select(t.results.c.body).where(where).order_by(t.results.c.position)
        return [json.loads(row.body) for row in self._rows(query)]

    def meta(self, key: str, default: Any = None) -> Any:
        """One remembered value."""
        rows = self._rows(select(t.meta.c.value).where(t.meta.c.key == key))
        return json.loads(rows[0].value) if rows else default

    def put_meta(self, key: str, value: Any, *, connection: Connection | None = None) -> None:
        """Remember one value, in the given transaction or in its own."""
        with contextlib.nullcontext(connection) if connection is not None else self.begin() as tx:
            self._upsert(tx, t.meta, {"key": key}, {"value": dumps(value)})

    # ---- people ------------------------------------------------------------------------------------------------
    def put_people(self, people: Iterable[dict], members: Iterable[dict], pairs: Iterable[dict]) -> None:
        """Replace the result of dedupe: one dict per person, per (contact, person, why), per doubtful pair."""
        with self.begin() as connection:
            for table in (t.people, t.members, t.pairs):
                connection.execute(delete(table))
            self._many(connection, t.people, ({"person": row["person"], "body": dumps(row)} for row in people))
            self._many(connection, t.members, members)
            rows = ({"pair": f"{row['a']}|{row['b']}", "body": dumps(row)} for row in pairs)
            self._many(connection, t.pairs, rows)

    def people(self) -> Iterator[dict]:
        """The people of the last dedupe, by person id."""
        rows = self._paged(select(t.people), t.people.c.person)
        return (json.loads(row.body) for row in rows)

    def n_people(self) -> int:
        """How many people the last dedupe has found."""
        return int(self._rows(select(func.count()).select_from(t.people))[0][0])

    def members(self) -> Iterator[dict]:
        """{contact, person, why} of the last dedupe, by contact id."""
        return (dict(row._mapping) for row in self._paged(select(t.members), t.members.c.contact))

    # ---- helpers -----------------------------------------------------------------------------------------------
    def _rows(self, query: Any, values: Mapping[str, Any] | None = None) -> list[Row]:
        try:
            with self.engine.connect() as connection:
                return list(connection.execute(query, values).all())
        except FAILURES as error:
            raise self._unread(error) from None

    def _paged(self, query: Any, key: Any) -> Iterator[Row]:
        """All rows in the order of a unique column, a batch at a time, so that they may be any number."""
        query = query.order_by(key).limit(BATCH)
        page = self._rows(query)
        while page:
            yield from page
            page = self._rows(query.where(key > getattr(page[-1], key.name))) if len(page) == BATCH else []

    def _unread(self, error: Any) -> StoreError:
        hint = hint_of(error, self.folder, "Is the disk there, is the database up? Then run again.")
        return StoreError(f"The store of {self.folder.name} could not be read: {reason(error)}.", hint=hint)

    def _many(self, connection: Connection, table: Any, rows: Iterable[dict]) -> None:
        rest = iter(rows)
        while batch := list(itertools.islice(rest, BATCH)):
            connection.execute(insert(table), batch)

    def _upsert(self, connection: Connection, table: Any, key: dict[str, Any], values: dict[str, Any]) -> None:
        """Insert or set in one statement: two processes that open the store at once both succeed."""
        statement = insert_for(connection)(table).values(**key, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


_FILES = select(*(t.files.c[name] for name in FileRow.__slots__))
_FILE = _FILES.where(t.files.c.lever_id == bindparam("lever_id"))


def _version(parent: str, body: Any) -> raw.Version:
    text = dumps(body)
    return raw.Version(parent, text, hashlib.sha256(text.encode()).hexdigest())

"""How the database is reached: SQLite in the customer's folder, or PostgreSQL where `store_url` says.

Both keep what is committed (write-ahead log and full sync; `synchronous_commit`), let one write at a time, and compare
text byte by byte. On PostgreSQL each customer has a schema of its own, `workbook_<customer>`, so that one database may
serve many and never mixes two.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from lib.errors import StoreError
from lib.store import tables as t

LOCAL = ("", "localhost", "127.0.0.1", "::1")  # anywhere else the connection is encrypted, or there is none
LOCK_MS = 30_000  # how long to wait for somebody else's lock
IDLE_MS = 60_000  # the server ends a transaction whose owner is silent for so long (frozen, or its network gone)
FAILURES = (SQLAlchemyError, sqlite3.Error, psycopg.Error)  # the second and third: while a connection is being made
REASONS = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "the file is read-only",
    "SQLITE_CANTOPEN": "the file cannot be opened: is the disk read-only, or the folder gone",
    "SQLITE_BUSY": "another process is in the middle of a write",
    "SQLITE_IOERR": "the disk does not take it",
    "SQLITE_CORRUPT": "the file is not a database, or damaged",
    "SQLITE_NOTADB": "the file is not a database, or damaged",
    "53100": "the server's disk is full",
    "53300": "the server has no connection left",
    "57P": "the server is shutting down or starting",
    "08": "the connection to the server was lost",
    "25006": "the server is read-only",
    "25P03": "the server ended a transaction that was silent for too long",
    "28": "the server refuses the user or the password",
    "3D000": "the server has no such database",
    "42501": "the user may not do this in the database",
    "42P01": "a table is missing",
    "55P03": "another process is in the middle of a write",
}
REFUSALS = {  # what libpq and the server say in English; in another language it is only "does not answer"
    "password": "the server refuses the user or the password",
    "authentication failed": "the server refuses the user or the password",
    "does not exist": "the server has no such database or user",
    "certificate": "the server's certificate is not trusted",
    "SSL": "the server does not offer an encrypted connection",
}
Failure = SQLAlchemyError | sqlite3.Error | psycopg.Error | OSError


def connect(folder: Path, *, url: str = "", password: str = "") -> Engine:
    """The engine of one customer's database, with its tables made."""
    if not url:
        path = folder / "store.db"
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        engine = create_engine(f"sqlite:///{path}", pool_size=20, max_overflow=20, hide_parameters=True)
        _prepare_sqlite(engine)
    else:
        engine = _postgres(make_url(url), password, schema=schema_of(folder))
    with engine.connect() as connection:
        made = set(inspect(connection).get_table_names())
    if not {table.name for table in t.metadata.sorted_tables} <= made:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            _make_tables(connection, schema_of(folder))
    return engine


def schema_of(folder: Path) -> str:
    """The PostgreSQL schema of the customer whose folder this is."""
    return f"workbook_{folder.name}"


def where(url: str) -> str:
    """Which database, for a message: without user and password."""
    if not url:
        return "store.db"
    try:
        parts = make_url(url)
    except SQLAlchemyError:
        return "store_url is not an address"
    return f"PostgreSQL database {parts.database!r} on {_host(parts) or 'this machine'}"


def reason(error: Failure) -> str:
    """Why the database or the disk refused, in words: the error's own message may hold what was to be written."""
    inner = getattr(error, "orig", None) or error
    if isinstance(inner, OSError):
        return inner.strerror or type(inner).__name__
    code = getattr(inner, "sqlite_errorname", None) or getattr(inner, "sqlstate", None) or ""
    found = [words for start, words in REASONS.items() if code.startswith(start)]
    if not found and isinstance(inner, psycopg.OperationalError):  # refused while connecting: there is no code
        found = [words for part, words in REFUSALS.items() if part in str(inner)] or ["the server does not answer"]
    return found[0] if found else type(error).__name__


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute(f"PRAGMA busy_timeout={LOCK_MS}")
        _use_log(connection)
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _use_log(connection: sqlite3.Connection) -> None:
    """Write-ahead logging. While others open the same new file, SQLite refuses the change at once, without waiting."""
    end = time.monotonic() + LOCK_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _postgres(url: URL, password: str, *, schema: str) -> Engine:
    given = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
    given |= {"tcp_user_timeout": IDLE_MS, "application_name": "lever-ashby-workbook", "client_encoding": "utf8"}
    if _host(url) not in LOCAL and not _host(url).startswith("/"):
        given["sslmode"] = url.query.get("sslmode", "require")
    if password:
        url = url.set(password=password)
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args=given,
        isolation_level="READ COMMITTED",
        pool_size=20,
        max_overflow=20,
        pool_pre_ping=True,  # a server that was started anew is no error where nothing was in flight
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_encoding")
            if cursor.fetchone() != ("UTF8",):
                raise StoreError("The database of the store is not in UTF-8.", hint="Make one with ENCODING 'UTF8'.")
            cursor.execute(f'SET search_path TO "{schema}"')
            cursor.execute("SET synchronous_commit TO on")
            cursor.execute(f"SET lock_timeout TO {LOCK_MS}")
            cursor.execute(f"SET idle_in_transaction_session_timeout TO {IDLE_MS}")
        connection.autocommit = False

    return engine


def _host(url: URL) -> str:
    host = url.host or url.query.get("host", "")
    return host if isinstance(host, str) else host[0]


def _make_tables(connection: Connection, schema: str) -> None:
    """Tables and the one row of the lease; of several processes that begin at once, one makes them."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": schema})
        if connection.execute(text("SELECT to_regnamespace(:name)"), {"name": f'"{schema}"'}).scalar() is None:
            connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
    t.metadata.create_all(connection)
    for index in (one for table in t.metadata.sorted_tables for one in table.indexes):
        index.create(connection, checkfirst=True)  # of a table that an earlier version has made without it
    connection.execute(insert_for(connection)(t.lease).values(lease=1, fence=0).on_conflict_do_nothing())


def insert_for(connection: Connection) -> Any:
    """The INSERT of this database that knows ON CONFLICT."""
    return insert_of(connection.dialect.name)


def insert_of(dialect: str) -> Any:
    """The INSERT of a database by its name, that knows ON CONFLICT."""
    return (sqlite if dialect == "sqlite" else postgresql).insert

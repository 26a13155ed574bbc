"""Statements made for each row of a plan or opportunity, compiled once: building them costs more than the database.

Each is a function from the name of the database ("sqlite" or "postgresql") to a statement of SQLAlchemy whose values
are named parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert
from sqlalchemy.dialects import postgresql, sqlite

from lib.store import tables as t
from lib.store.engine import insert_of

Statement = Callable[[str], Any]


class _Compiled(NamedTuple):
    sql: str
    names: tuple[str, ...] | None  # the order of the values, where they have no names
    given: Mapping[str, Any]  # values that the statement brings


def execute(tx: Connection, statement: Statement, values: Mapping[str, Any]) -> None:
    """Carry out one of the statements below."""
    sql, names, given = _compiled(statement, tx.dialect.name)
    whole = {**given, **values}
    tx.exec_driver_sql(sql, whole if names is None else tuple(whole[name] for name in names))


@cache
def _compiled(statement: Statement, dialect: str) -> _Compiled:
    like = sqlite.dialect(paramstyle="qmark") if dialect == "sqlite" else postgresql.psycopg.dialect()
    made = statement(dialect).compile(dialect=like)
    names = tuple(made.positiontup) if made.positiontup is not None else None
    return _Compiled(str(made), names, {name: value for name, value in made.params.items() if value is not None})


def _upserted(
    table: Any, dialect: str, *, key: tuple[str, ...], names: tuple[str, ...], first: Mapping[str, Any]
) -> Any:
    given = {name: bindparam(name) for name in (*key, *names)}
    statement = insert_of(dialect)(table).values(**given, **first)
    new = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=list(key), set_=new)


def begun(dialect: str) -> Any:
    """A person has a row that the ledger knows. Value: person."""
    statement = insert_of(dialect)(t.unfinished).values(person=bindparam("person"), n_rows=0, begun=1)
    return statement.on_conflict_do_update(index_elements=["person"], set_={"begun": 1})


def intention(dialect: str) -> Any:
    """One more attempt at a row. Values: row_id, body_hash, at_ms."""
    given = {name: bindparam(name) for name in ("row_id", "body_hash", "at_ms")}
    first = {"state": "intended", "attempts": 1, "code": "", "note": "", "request_id": ""}
    statement = insert_of(dialect)(t.ledger).values(**first, **given, first_ms=bindparam("at_ms"))
    new = {name: statement.excluded[name] for name in ("state", "body_hash", "code", "note", "at_ms")}
    new["attempts"] = t.ledger.c.attempts + 1
    return statement.on_conflict_do_update(index_elements=["row_id"], set_=new)


def outcome(dialect: str) -> Any:
    """What became of a row. Values: row_id, state, body_hash, ashby_id, code, note, request_id, at_ms."""
    names = ("state", "body_hash", "ashby_id", "code", "note", "request_id", "at_ms")
    first = {"attempts": 0, "first_ms": bindparam("at_ms")}
    return _upserted(t.ledger, dialect, key=("row_id",), names=names, first=first)


def linking(dialect: str) -> Any:
    """What a link leads to. Values: link, ashby_type, ashby_id, origin, row_id, snapshot."""
    names = ("ashby_type", "ashby_id", "origin", "row_id", "snapshot")
    return _upserted(t.links, dialect, key=("link",), names=names, first={})


def call(dialect: str) -> Any:
    """One call. Values: row_id, endpoint, outcome, request, answer, request_id, at_ms."""
    names = ("row_id", "endpoint", "outcome", "request", "answer", "request_id", "at_ms")
    return insert(t.calls).inline().values({name: bindparam(name) for name in names})


def window(dialect: str) -> Any:
    """A window that is done. Values: stream, key, n_rows, basis, at_ms."""
    names = ("n_rows", "basis", "at_ms")
    return _upserted(t.windows, dialect, key=("stream", "key"), names=names, first={"state": "done"})


def file(dialect: str) -> Any:
    """The state of a binary file. Values: all columns of the table."""
    names = tuple(one.name for one in t.files.columns if one.name != "lever_id")
    return _upserted(t.files, dialect, key=("lever_id",), names=names, first={})

"""A store of SQLite that is damaged: how that is told from a full disk, and how it is set aside."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from lib.store import tables as t

CORRUPT = (11, 26)  # SQLITE_CORRUPT, SQLITE_NOTADB (sqlite.org/rescode.html)
PARTS = ("store.db", "store.db-wal", "store.db-shm", "store.db-journal")


def is_damage(error: BaseException) -> bool:
    """True when an error says that the file is not, or not wholly, a database."""
    cause = getattr(error, "orig", None) or error
    return isinstance(cause, sqlite3.DatabaseError) and getattr(cause, "sqlite_errorcode", 0) & 0xFF in CORRUPT


def hint_of(error: BaseException, folder: Path, otherwise: str) -> str:
    """What to do about an error of the store: recover it when it is damaged, else what the caller says."""
    if not is_damage(error):
        return otherwise
    return f"The file is damaged. Run: workbook recover {folder.name} (it sets the file aside, and deletes nothing)."


def condition(folder: Path) -> str:
    """What is wrong with the store's file, in a few words; "" when it is whole, "absent" when there is none."""
    path = folder / "store.db"
    if not path.is_file():
        return "absent"
    engine = create_engine(f"sqlite:///{path}")
    try:
        with contextlib.closing(engine.raw_connection()) as connection:
            told = connection.execute("PRAGMA quick_check(1)").fetchone()  # type: ignore[attr-defined]
        lacking = set(t.metadata.tables) - set(inspect(engine).get_table_names())
    except (SQLAlchemyError, sqlite3.DatabaseError) as error:
        if not is_damage(error):
            raise
        return "not a database, or damaged"
    finally:
        engine.dispose()
    if told[0] != "ok":
        return "damaged inside"
    return "empty" if lacking == set(t.metadata.tables) else ""


def set_aside(folder: Path) -> Path:
    """Move the store's files into a folder of their own beside it; returns that folder. Nothing is deleted."""
    number = 1
    while (folder / f"set-aside-{number}").exists():
        number += 1
    place = folder / f"set-aside-{number}"
    place.mkdir(mode=0o700)
    for name in PARTS:
        if (folder / name).exists():
            (folder / name).rename(place / name)
    return place

"""Ids beside the store for the length of a block: any number of them, of which none is in memory."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from lib.store.nameless import nameless

AT_ONCE = 500


class Ids:
    """A set of texts on disk; one thread at a time may use it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, ids: Iterable[str]) -> int:
        """Keep ids; how many of them were new."""
        source, before = iter(ids), self._connection.total_changes
        while batch := [(one,) for one in itertools.islice(source, AT_ONCE)]:
            self._connection.executemany("INSERT OR IGNORE INTO ids VALUES (?)", batch)
        return self._connection.total_changes - before

    def __contains__(self, one: object) -> bool:
        return self._connection.execute("SELECT 1 FROM ids WHERE id = ?", (one,)).fetchone() is not None


@contextlib.contextmanager
def ids_on_disk(folder: Path, ids: Iterable[str] = ()) -> Iterator[Ids]:
    """A set of ids in the customer's folder, of which nothing is left afterwards. StoreError when the disk is full."""
    with nameless(folder, "CREATE TABLE ids (id TEXT PRIMARY KEY) WITHOUT ROWID;") as connection:
        found = Ids(connection)
        found.add(ids)
        yield found

"""What a validation has to remember of two systems, on disk: it may be larger than memory.

One database without a name in the customer's folder, so that nothing of it is left when the process dies. It holds
`Shelf`s (an object by its id) and `Pairs` (what belongs to what); several threads may read and write them.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lib.store.nameless import nameless

AT_ONCE = 500  # rows that are written, or read, with one statement
TABLES = """
CREATE TABLE items (shelf INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL);
CREATE UNIQUE INDEX items_by_key ON items (shelf, key);
CREATE INDEX items_by_place ON items (shelf);
CREATE TABLE pairs (
    kind INTEGER NOT NULL, one TEXT NOT NULL, another TEXT NOT NULL, PRIMARY KEY (kind, one, another)
) WITHOUT ROWID;
"""


class Scratch:
    """The database of one validation; in memory when no other one is given."""

    def __init__(self, connection: sqlite3.Connection | None = None) -> None:
        if connection is None:
            connection = sqlite3.connect(":memory:", check_same_thread=False)
            connection.executescript(TABLES)
        self._connection = connection
        self._lock = threading.Lock()
        self.numbers = itertools.count()  # of shelves and pairs

    def run(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of one statement."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def put(self, query: str, rows: list[tuple[Any, ...]]) -> None:
        """One statement for each of many rows."""
        with self._lock:
            self._connection.executemany(query, rows)


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Scratch]:
    """An empty scratch in the customer's folder. StoreError when the disk is full."""
    with nameless(folder, TABLES) as connection:
        yield Scratch(connection)


def _plain(text: object) -> str:
    """A text that any database takes: somebody's text may hold half a character."""
    return str(text).encode("utf-8", "backslashreplace").decode()


class Shelf(Mapping[str, Any]):
    """{key: what can be written as JSON}, in the order in which it was put there."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch, self._number = scratch, next(scratch.numbers)

    def put(self, items: Iterable[tuple[str, Any]]) -> int:
        """Keep items; a later one of the same key takes the place of an earlier one. Returns how many were given."""
        source, n_items = iter(items), 0
        while batch := [
            (self._number, key, json.dumps(item, separators=(",", ":")))
            for key, item in itertools.islice(source, AT_ONCE)
        ]:
            self._scratch.put("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", batch)
            n_items += len(batch)
        return n_items

    def __getitem__(self, key: str) -> Any:
        found = self._scratch.run("SELECT body FROM items WHERE shelf = ? AND key = ?", self._number, _plain(key))
        if not found:
            raise KeyError(key)
        return json.loads(found[0][0])

    def __contains__(self, key: object) -> bool:
        return bool(self._scratch.run("SELECT 1 FROM items WHERE shelf = ? AND key = ?", self._number, _plain(key)))

    def __len__(self) -> int:
        return int(self._scratch.run("SELECT count(*) FROM items WHERE shelf = ?", self._number)[0][0])

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self._rows())

    def pairs(self) -> Iterator[tuple[str, Any]]:
        """(key, item), in order."""
        return ((key, json.loads(body)) for key, body in self._rows())

    def all(self) -> Iterator[Any]:
        """Every item, in order."""
        return (item for _, item in self.pairs())

    def by_key(self, starting: str = "") -> Iterator[tuple[str, Any]]:
        """(key, item) of the keys that begin so, in order of the keys."""
        query = "SELECT key, body FROM items WHERE shelf = ? AND key > ? ORDER BY key LIMIT ?"
        last = starting
        if starting in self:
            yield starting, self[starting]
        while page := self._scratch.run(query, self._number, last, AT_ONCE):
            last = page[-1][0]
            for key, body in page:
                if not key.startswith(starting):
                    return
                yield key, json.loads(body)

    def _rows(self) -> Iterator[tuple[str, str]]:
        query = "SELECT rowid, key, body FROM items WHERE shelf = ? AND rowid > ? ORDER BY rowid LIMIT ?"
        last = 0
        while page := self._scratch.run(query, self._number, last, AT_ONCE):
            last = page[-1][0]
            yield from ((key, body) for _, key, body in page)


class Pairs:
    """What belongs to what, each pair once; a set of ones where nothing else is given."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch, self._number = scratch, next(scratch.numbers)
        self._waiting: list[tuple[Any, ...]] = []
        self._lock = threading.Lock()

    def add(self, one: str, another: str = "") -> None:
        """Keep one pair."""
        with self._lock:
            self._waiting.append((self._number, _plain(one), another))
            if len(self._waiting) >= AT_ONCE:
                self._write()

    def _write(self) -> None:
        if self._waiting:
            self._scratch.put("INSERT OR IGNORE INTO pairs VALUES (?, ?, ?)", self._waiting)
            self._waiting = []

    def _asked(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            self._write()
        return self._scratch.run(query, self._number, *values)

    def __contains__(self, one: object) -> bool:
        return bool(self._asked("SELECT 1 FROM pairs WHERE kind = ? AND one = ? LIMIT 1", _plain(one)))

    def __len__(self) -> int:
        """How many different ones there are."""
        return int(self._asked("SELECT count(DISTINCT one) FROM pairs WHERE kind = ?")[0][0])

    def __bool__(self) -> bool:
        return bool(self._asked("SELECT 1 FROM pairs WHERE kind = ? LIMIT 1"))

    def __iter__(self) -> Iterator[str]:
        """The different ones, in order."""
        query = "SELECT DISTINCT one FROM pairs WHERE kind = ? AND one > ? ORDER BY one LIMIT ?"
        last = ""
        if "" in self:
            yield ""
        while page := self._asked(query, last, AT_ONCE):
            last = page[-1][0]
            yield from (one for (one,) in page)

    def of(self, one: str) -> list[str]:
        """The others of one, in order."""
        query = "SELECT another FROM pairs WHERE kind = ? AND one = ? ORDER BY another"
        return [another for (another,) in self._asked(query, _plain(one))]

    def shared(self) -> Iterator[tuple[str, list[str]]]:
        """(one, others) of each that has more than one other."""
        query = "SELECT one FROM pairs WHERE kind = ? GROUP BY one HAVING count(*) > 1 ORDER BY one"
        return ((one, self.of(one)) for (one,) in self._asked(query))

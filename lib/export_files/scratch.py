"""A private place to sort an export in: it may be larger than memory, and its files come in any order.

A SQLite file beside the store that has no name there, so that nothing of it is left when the process dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lib.extract.files import storable
from lib.store import dumps
from lib.store.nameless import nameless

Item = dict[str, Any]
API, TABLE = 1, 0
"""Ranks: an object of a dump of the API knows more than a row of a table, and stands before it."""
SCHEMA = """
CREATE TABLE items (stream TEXT, key TEXT, parent TEXT, rank INTEGER, moment INTEGER, body TEXT,
    PRIMARY KEY (stream, key)) WITHOUT ROWID;
CREATE INDEX by_parent ON items (stream, parent, key);
CREATE TABLE rows (kind TEXT, grouped TEXT, file TEXT, line INTEGER, body TEXT,
    PRIMARY KEY (kind, grouped, file, line)) WITHOUT ROWID;
CREATE TABLE names (kind TEXT, name TEXT, id TEXT, PRIMARY KEY (kind, name, id)) WITHOUT ROWID;
CREATE TABLE papers (name BLOB, relative BLOB, size INTEGER, ids TEXT, PRIMARY KEY (relative)) WITHOUT ROWID;
CREATE INDEX by_name ON papers (name);
CREATE TABLE pages (stream TEXT, place TEXT, parent TEXT, more INTEGER, ended INTEGER, mixed INTEGER, relative BLOB,
    PRIMARY KEY (stream, place, parent)) WITHOUT ROWID;
"""


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Scratch]:
    """An empty scratch in the customer's folder; what an older version of this has left there is thrown away."""
    for old in folder.glob(".export-*.db*"):
        old.unlink(missing_ok=True)
    with nameless(folder, SCHEMA) as connection:
        yield Scratch(connection)


class Scratch:
    """What was read so far: objects by stream and id, rows of tables by what they belong to, names, papers, pages."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    # ---- objects -------------------------------------------------------------------------------------------------
    def put(self, stream: str, key: str, parent: str, body: Item, *, rank: int = API) -> str:
        """Keep an object; says what became of it.

        new; same; lower (one of a higher rank stands); other (a second body, and the newer one stands); even (a second
        body or parent, and nothing says which is newer: this one stands).
        """
        text, moment, key, parent = dumps(body), _moment(body), storable(key), storable(parent)
        found = self._db.execute("SELECT parent, rank, moment, body FROM items WHERE stream=? AND key=?", (stream, key))
        known = found.fetchone()
        if known is None:
            self._db.execute("INSERT INTO items VALUES (?,?,?,?,?,?)", (stream, key, parent, rank, moment, text))
            return "new"
        if rank < known[1]:
            return "lower"
        if text == known[3]:
            if parent and parent != known[0]:
                self._db.execute("UPDATE items SET parent=? WHERE stream=? AND key=?", (parent, stream, key))
            return "even" if parent and known[0] and parent != known[0] else "same"
        if rank > known[1] or moment >= known[2]:
            self._db.execute(
                "UPDATE items SET parent=?, rank=?, moment=?, body=? WHERE stream=? AND key=?",
                (parent or known[0], rank, moment, text, stream, key),
            )
        return "even" if (rank, moment) == (known[1], known[2]) else "other"

    def get(self, stream: str, key: str) -> Item | None:
        """One object."""
        row = self._db.execute("SELECT body FROM items WHERE stream=? AND key=?", (stream, storable(key))).fetchone()
        return json.loads(row[0]) if row else None

    def parent(self, stream: str, key: str) -> str | None:
        """On what one object hangs; None when there is no such object."""
        row = self._db.execute("SELECT parent FROM items WHERE stream=? AND key=?", (stream, storable(key))).fetchone()
        return row[0] if row else None

    def has(self, stream: str, key: str) -> bool:
        """Whether there is such an object."""
        found = self._db.execute("SELECT 1 FROM items WHERE stream=? AND key=?", (stream, storable(key)))
        return found.fetchone() is not None

    def drop(self, stream: str, key: str) -> None:
        """Forget one object."""
        self._db.execute("DELETE FROM items WHERE stream=? AND key=?", (stream, storable(key)))

    def items(self, stream: str) -> Iterator[tuple[str, str, Item]]:
        """(id, parent, object) of a whole stream, by id; read in pages, so that it may be changed meanwhile."""
        after = ""
        query = "SELECT key, parent, body FROM items WHERE stream=? AND key>? ORDER BY key LIMIT 500"
        while page := self._db.execute(query, (stream, after)).fetchall():
            for key, parent, body in page:
                yield key, parent, json.loads(body)
            after = page[-1][0]

    def children(self, stream: str, parent: str) -> list[str]:
        """Ids of what hangs on one parent."""
        found = self._db.execute("SELECT key FROM items WHERE stream=? AND parent=? ORDER BY key", (stream, parent))
        return [row[0] for row in found]

    def children_of(self, stream: str, parents: Sequence[str]) -> list[tuple[str, str, Item]]:
        """(id, parent, object) of all that hangs on some parents, by parent and id."""
        query = (
            "SELECT key, parent, body FROM items "
            "WHERE stream=? AND parent IN (SELECT value FROM json_each(?)) ORDER BY parent, key"
        )
        found = self._db.execute(query, (stream, json.dumps(list(parents))))
        return [(key, parent, json.loads(body)) for key, parent, body in found]

    def count(self, stream: str) -> int:
        """How many objects of a stream there are."""
        return int(self._db.execute("SELECT count(*) FROM items WHERE stream=?", (stream,)).fetchone()[0])

    # ---- rows of tables ------------------------------------------------------------------------------------------
    def put_row(self, kind: str, grouped: str, where: tuple[str, int], body: Item) -> None:
        """Keep one row of a table until all lists are known; `grouped`: what the rows of one thing have in common."""
        self._db.execute(
            "INSERT OR REPLACE INTO rows VALUES (?,?,?,?,?)", (kind, storable(grouped), *where, dumps(body))
        )

    def groups(self, kind: str) -> Iterator[list[tuple[str, int, Item]]]:
        """The rows of each thing together, as (file, line, row)."""
        held: list[tuple[str, int, Item]] = []
        last: str | None = None
        for grouped, file, line, body in self._pages(kind):
            if grouped != last and held:
                yield held
                held = []
            last = grouped
            held.append((file, line, json.loads(body)))
        if held:
            yield held

    def _pages(self, kind: str) -> Iterator[tuple[str, str, int, str]]:
        after: tuple[str, str, int] = ("", "", -1)
        query = (
            "SELECT grouped, file, line, body FROM rows WHERE kind=? AND (grouped, file, line) > (?,?,?) "
            "ORDER BY grouped, file, line LIMIT 500"
        )
        while page := self._db.execute(query, (kind, *after)).fetchall():
            yield from page
            after = page[-1][:3]

    # ---- names and papers ----------------------------------------------------------------------------------------
    def name(self, kind: str, name: str, lever_id: str) -> None:
        """Remember that something is called so."""
        if name.strip():
            self._db.execute("INSERT OR IGNORE INTO names VALUES (?,?,?)", (kind, fold(name), lever_id))

    def named(self, kind: str, name: str) -> list[str]:
        """Ids of all that are called so."""
        found = self._db.execute("SELECT id FROM names WHERE kind=? AND name=? ORDER BY id", (kind, fold(name)))
        return [row[0] for row in found]

    def put_paper(self, name: str, relative: str, size: int, ids: str) -> None:
        """Remember a file that is no table and no JSON: its name, its place, its size, the ids in its place."""
        row = (os.fsencode(name), os.fsencode(relative), size, ids)
        self._db.execute("INSERT OR REPLACE INTO papers VALUES (?,?,?,?)", row)

    def papers(self) -> Iterator[tuple[str, str, int, str]]:
        """(name, place, size, ids) of each, by place."""
        after = b""
        query = "SELECT name, relative, size, ids FROM papers WHERE relative>? ORDER BY relative LIMIT 500"
        while page := self._db.execute(query, (after,)).fetchall():
            for name, relative, size, ids in page:
                yield os.fsdecode(name), os.fsdecode(relative), size, ids
            after = page[-1][1]

    def papers_named(self, name: str) -> list[str]:
        """Places of the files with this very name."""
        found = self._db.execute("SELECT relative FROM papers WHERE name=? LIMIT 2", (name.encode(errors="replace"),))
        return [os.fsdecode(row[0]) for row in found]

    # ---- pages of lists ------------------------------------------------------------------------------------------
    def put_page(self, about: tuple[str, str, str], relative: str, *, more: bool, mixed: bool) -> None:
        """Remember one page of a list (stream, place, opportunity); `mixed`: it is of several opportunities."""
        self._db.execute(
            "INSERT INTO pages VALUES (?,?,?,?,?,?,?) ON CONFLICT (stream, place, parent) DO UPDATE SET "
            "more = max(more, excluded.more), ended = max(ended, excluded.ended), mixed = max(mixed, excluded.mixed), "
            "relative = CASE WHEN excluded.more THEN excluded.relative ELSE relative END",
            (*map(storable, about), more, not more, mixed, os.fsencode(relative)),
        )

    def cut_lists(self) -> Iterator[tuple[str, str, str, str]]:
        """(stream, place, opportunity, place of a page) of each list that goes on and does not end.

        Where a page of a place is of several opportunities, all pages there are one list.
        """
        query = (
            "SELECT stream, place, parent, relative FROM pages AS one WHERE more AND NOT ended AND NOT ("
            "EXISTS (SELECT 1 FROM pages WHERE stream = one.stream AND place = one.place AND mixed) AND "
            "EXISTS (SELECT 1 FROM pages WHERE stream = one.stream AND place = one.place AND ended)) "
            "ORDER BY stream, place, parent"
        )
        for stream, place, parent, relative in self._db.execute(query):
            yield stream, place, parent, os.fsdecode(relative)


def fold(name: str) -> str:
    """A name as it is compared: case and spaces do not count."""
    return storable(" ".join(name.split()).casefold())


def _moment(body: Item) -> int:
    moment = body.get("updatedAt")
    return moment if isinstance(moment, int) and abs(moment) < 2**62 else 0

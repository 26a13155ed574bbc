"""From the scratch into the store: the same raw tables as a reading of the API leaves, in a few transactions.

What the store has and the export lacks is never taken away by itself: it is named, and marked as gone once somebody
has accepted that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from lib.errors import GateError
from lib.export_files.objects import CHILDREN, LISTS
from lib.export_files.papers import file_rows
from lib.export_files.rows import EXTRA
from lib.export_files.scratch import TABLE, Scratch
from lib.export_files.told import Told
from lib.extract.files import keep_file
from lib.extract.unlisted import FEW, MOST_GONE
from lib.store import Store
from lib.store.heads import heads_of, read_now
from lib.store.looks import hash_of

Item = dict[str, Any]
BATCH = 500
WORDS = ("sources", "tags")


@dataclass
class Settle:
    """One settling: the scratch, the store, where the files lie, what somebody has accepted."""

    scratch: Scratch
    store: Store
    folder: Path
    told: Told
    accepted: set[str]
    progress: Callable[[int, int | None, str], None]
    said: Counter[str] = field(default_factory=Counter)

    def lacking(self) -> list[str]:
        """Opportunities that the store has and the export neither has nor calls deleted. GateError: far too many."""
        known = ((key, self.scratch.has("opportunities", key)) for key, _ in heads_of(self.store, "opportunities"))
        gone, n_known = [], 0
        for key, here in known:
            n_known += 1
            if not here and not self.scratch.has("opportunities_deleted", key):
                gone.append(key)
        if len(gone) > max(FEW, MOST_GONE * n_known) and "shrunk:opportunities" not in self.accepted:
            raise GateError(
                f"{len(gone):,} of {n_known:,} opportunities that were here before are not in this export.",
                hint="Is it a whole export, and of the same account? Nothing was stored, nothing marked as gone. If "
                "they were really deleted, accept it in overrides.csv (id shrunk:opportunities, who, when, why).",
            )
        return gone

    def lists(self) -> None:
        """The short lists, and what the opportunities say of sources and tags where no list of them is there."""
        lacking = [stream for stream in WORDS if not self.scratch.count(stream)]
        if lacking:
            self._words(lacking)
        for stream in (*LISTS, "panels", EXTRA):
            self._put(stream)
        for stream in (*WORDS, EXTRA):
            self._forget(stream)

    def _words(self, streams: list[str]) -> None:
        counts: Counter[tuple[str, str]] = Counter()
        for _, _, body in self.scratch.items("opportunities"):
            for stream in streams:
                counts.update((stream, one) for one in body.get(stream) or [] if isinstance(one, str) and one)
        for (stream, text), n in counts.items():
            self.scratch.put(stream, text, "", {"text": text, "count": n}, rank=TABLE)

    def _put(self, stream: str) -> None:
        for batch in _batches((key, parent, body) for key, parent, body in self.scratch.items(stream)):
            with self.store.begin() as tx:
                self.store.put_raw(tx, stream, batch)

    def _forget(self, stream: str) -> None:
        """Of words in use, and of unread columns, the export at hand is the whole truth."""
        for batch in _batches(key for key, _ in heads_of(self.store, stream) if not self.scratch.has(stream, key)):
            with self.store.begin() as tx:
                for key in batch:
                    self.store.put_gone(tx, stream, key)

    def opportunities(self, *, bytes_too: bool) -> None:
        """All opportunities with what hangs on them; with `bytes_too`, their files."""
        total, done = self.scratch.count("opportunities"), 0
        for batch in _batches(self.scratch.items("opportunities")):
            ids = [key for key, _, _ in batch]
            children = {name: self.scratch.children_of(name, ids) for name in CHILDREN}
            files = list(self._files(children)) if bytes_too else []
            with self.store.begin() as tx:
                rows = ((key, parent, body) for key, parent, body in batch)
                self.store.put_raw(tx, "opportunities", rows)
                for name, found in children.items():
                    self.store.put_raw(tx, name, found)
                for row in files:
                    keep_file(self.store, tx, row)
                read_now(tx, "children", {key: hash_of(body) for key, _, body in batch})
            done += len(batch)
            self.progress(done, total, "storing opportunities")

    def _files(self, children: dict[str, list[tuple[str, str, Item]]]) -> Iterator[Any]:
        found: dict[str, dict[str, list[Item]]] = {}
        for stream in ("resumes", "files", "offers"):
            for _, parent, body in children[stream]:
                found.setdefault(parent, {}).setdefault(stream, []).append(body)
        for opportunity, lists in found.items():
            for row in file_rows(self.scratch, self.store, self.folder, (opportunity, lists)):
                self.said[row.state] += 1
                yield row

    def gone(self, lacking: list[str]) -> list[str]:
        """Mark as gone what is deleted or accepted as such; returns opportunities that wait for somebody's word."""
        dead = [
            key for key, _ in heads_of(self.store, "opportunities") if self.scratch.has("opportunities_deleted", key)
        ]
        whole = "shrunk:opportunities" in self.accepted
        dead += [key for key in lacking if whole or f"gone:{key}" in self.accepted]
        for key in dead:
            with self.store.begin() as tx:
                self.store.put_gone(tx, "opportunities", key)
                self.store.put_children(tx, key, {stream: [] for stream in CHILDREN})
                self.store.put_window(tx, "gone", key, n_rows=1)
        self._children_gone()
        return lacking

    def _children_gone(self) -> None:
        for stream in CHILDREN:
            known = heads_of(self.store, stream)
            lost = [
                key
                for key, parent in known
                if self.scratch.has("opportunities", parent) and not self.scratch.has(stream, key)
            ]
            if lost and f"shrunk:{stream}" in self.accepted:
                with self.store.begin() as tx:
                    for key in lost:
                        self.store.put_gone(tx, stream, key)
            elif lost:
                text = f"{len(lost):,} {stream} that were here before are not in this export"
                self.told.need(f"shrunk:{stream}", f"{text}; accepted, they are marked as gone by the next run")


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    source = iter(items)
    while batch := list(islice(source, BATCH)):
        yield batch

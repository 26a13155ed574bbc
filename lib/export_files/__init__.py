"""Lever's export files as a second way in: the same raw tables as the API gives, for accounts without a key.

A folder is walked, each file is taken for what it can be shown to be, read once and sorted in a scratch; then the
objects are put together and stored. Everything that was not recognised, not read, or refused is told, with its line
and the reason, and waits for somebody's word (`needs`). What is guessed, and from which source, stands in
docs/export-files.md.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.export_files import csv_read, eeo, json_read, objects
from lib.export_files.apart import read_api_table
from lib.export_files.build import Build
from lib.export_files.keep import keep
from lib.export_files.pages import Page, Pages, tell_cut
from lib.export_files.papers import Papers
from lib.export_files.rows import EXTRA, read_table
from lib.export_files.scratch import Scratch, scratch
from lib.export_files.settle import Settle
from lib.export_files.told import FileTold, Told, open_needs
from lib.export_files.tree import Entry, walk
from lib.export_files.values import Moments, uuids
from lib.store import NO_BYTES, Store

__all__ = ["Export", "Found", "Moments", "open_needs", "read"]
TABLES = (".csv", ".tsv", ".tab")
JSONS = (".json", ".jsonl", ".ndjson")
OWN = ("files", "resumes", "attachments", "cvs")
NOISE = (".ds_store", "thumbs.db", "desktop.ini")
Progress = Callable[[int, int | None, str], None]


@dataclass(frozen=True)
class Export:
    """What a reading needs: the store, the folder, how dates and encodings are read, what somebody has accepted.

    `check_account` gets the ids of the users and raises when they are another account's, before anything is stored.
    """

    store: Store
    folder: Path
    moments: Moments = field(default_factory=Moments)
    encoding: str = ""
    accepted: frozenset[str] = frozenset()
    check_account: Callable[[list[str]], None] = lambda ids: None
    progress: Progress = lambda done, total, note: None


@dataclass
class Found:
    """What a reading has found: per pattern of files, refused rows, what waits for a word, what has to be said.

    `places` is private: (file id, place, what it is taken for). `unread` counts cells of columns that nobody reads.
    """

    told: Told
    gone: list[str] = field(default_factory=list)
    confidentiality: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)


def read(export: Export, *, bytes_too: bool) -> Found:
    """Read the whole export into the store; without `bytes_too`, no file is copied. May be run again at any time."""
    with scratch(export.store.folder) as work:
        found = Found(Told())
        files = _read_all(export, work, found)
        tell_cut(work, found.told)
        Build(work, found.told, files).run()
        papers = Papers(work, found.told)
        papers.match_all()
        for one in files.values():
            found.told.add(one)
        found.told.close()
        export.check_account([key for key, _, _ in work.items("users")])
        settle = Settle(work, export.store, export.folder, found.told, set(export.accepted), export.progress)
        lacking = settle.lacking()
        _count(work, found)
        settle.lists()
        settle.opportunities(bytes_too=bytes_too)
        found.gone = settle.gone(lacking)
        found.files = settle.said
        _tell_papers(papers, found, settle, bytes_too=bytes_too)
    return found


def _read_all(export: Export, work: Scratch, found: Found) -> dict[str, FileTold]:
    files: dict[str, FileTold] = {}
    for number, entry in enumerate(walk(export.folder)):
        export.progress(number, None, "reading the export")
        told = FileTold(entry)
        try:
            _read_one(export, entry, told, work)
        except UnicodeError:
            told.accept = "no text in a known encoding"
        except OSError as error:
            told.accept = f"cannot be read ({error.strerror or 'no plain file'})"
        if told.taken_as == "a paper":
            continue
        if told.taken_as.startswith("table"):
            files[entry.file_id] = told
        else:
            found.told.add(told)
    return files


def _read_one(export: Export, entry: Entry, told: FileTold, work: Scratch) -> None:
    if entry.why:
        told.taken_as, told.accept = "not read", entry.why
    elif entry.path.name.lower() in NOISE or entry.path.name.startswith("._"):
        told.taken_as = "left behind by an operating system"
    elif entry.suffix in TABLES and not _is_paper(entry):
        table = read_table(entry, told, work, moments=export.moments, encoding=export.encoding)
        if table and table.header.api:
            read_api_table(table, work)
    elif entry.suffix in JSONS and not _is_paper(entry):
        _read_json(entry, told, work)
    else:
        told.taken_as = "a paper"
        ids = " ".join(uuids(entry.relative))
        work.put_paper(entry.path.name, entry.relative, entry.size, ids)


def _is_paper(entry: Entry) -> bool:
    """Whether a table or a JSON file lies among somebody's own files: it is theirs then, and not read."""
    *folders, name = entry.relative.lower().split("/")
    if not any(part in OWN for part in folders) or not uuids("/".join(folders)):
        return False
    stem = name.rpartition(".")[0]
    return stem not in (*OWN, "index", "list", "meta", "metadata") and uuids(stem) != [stem]


def _read_json(entry: Entry, told: FileTold, work: Scratch) -> None:
    named = objects.stream_of(entry.relative)
    if named == "never" or (not named and eeo.named(entry.relative)):
        told.taken_as, told.closed = eeo.NEVER, True
        return
    told.how = "JSON"
    streams: Counter[str] = Counter()
    pages = Pages(work, entry.relative, hanging=objects.HANGING)
    for line, member, value in json_read.values(entry.path, whole=named == "disposition_stages"):
        if isinstance(value, csv_read.Broken):
            told.n_rows += 1
            told.refuse(line, value.reason)
            continue
        stream = objects.stream_named(member) or named
        for stream_told, item in objects.unwrapped(value, stream):
            if isinstance(item, Page):
                pages.end(stream_told, item)
                continue
            told.n_rows += 1
            kept = _keep(told, work, (stream_told, item, line))
            streams[kept] += 1
            if kept:
                pages.saw(kept, objects.parent_told(item))
    known = sorted(filter(None, streams))
    if known:
        told.taken_as = f"{', '.join(known)} of the API"
    elif told.n_rows == 0:
        told.taken_as = "empty"
    elif not streams:
        told.accept = "no JSON that can be read"


def _keep(told: FileTold, work: Scratch, one: tuple[str, Any, int]) -> str:
    """Keep one object with all that is folded into it; returns its stream, empty when it is none."""
    stream, item, line = one
    if not isinstance(item, dict):
        told.refuse(line, "no object")
        return ""
    stream = stream or objects.stream_by_shape(item)
    if not stream or stream == "never":
        told.refuse(line, "an object of a kind that is not known" if not stream else "EEO: never read")
        return ""
    keep(told, work, stream, item, line)
    return stream


def _count(work: Scratch, found: Found) -> None:
    """Count what the export says of confidentiality, and what of its tables nobody reads."""
    for _, _, body in work.items("opportunities"):
        found.confidentiality[str(body.get("confidentiality") or "not told")] += 1
    for _, _, body in work.items(EXTRA):
        found.unread.update(list(body.get("cells") or {}))


def _tell_papers(papers: Papers, found: Found, settle: Settle, *, bytes_too: bool) -> None:
    told = found.told
    for name, n in sorted(papers.nobody.items()):
        row = _paper_row(name, "a file of nobody", n)
        told.groups[name, "a file of nobody"] = row
        told.need(
            f"file-in:nobody-{_digest(name)}-{n}",
            f"{n:,} files belong to nobody of this export and are left out",
            files=name,
        )
    for why, n in sorted(papers.matched.items()):
        told.groups[why, "a file of a candidacy"] = _paper_row("(files)", "a file of a candidacy", n) | {"remarks": why}
    if papers.twice:
        told.need(f"file-in:twice-{papers.twice}", f"{papers.twice:,} files stand for a record that has a file already")
    absent = (
        [row for row in settle.store.files() if row.state == "unavailable" and row.reason == NO_BYTES]
        if bytes_too
        else []
    )
    if absent:
        told.need(
            f"file-in:no-bytes-{len(absent)}",
            f"the bytes of {len(absent):,} files are not in this export: their records move without them",
        )


def _paper_row(name: str, taken_as: str, n: int) -> dict[str, object]:
    return {
        "files": name, "taken_as": taken_as, "n_files": n, "file": "", "bytes": 0, "read_as": "", "n_rows": 0,
        "n_used": n, "n_refused": 0, "columns_used": "", "columns_not_used": "", "remarks": "",
    }  # fmt: skip


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]

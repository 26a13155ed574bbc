"""What a reading says of an export: per file what it is taken for, what was used, what was not, and what is refused.

Nothing here holds anything of a person: places are shown by `tree.label`, rows by their line and a reason in our words.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lib.export_files.tree import Entry, label

Row = dict[str, object]
SHOWN = re.compile(r"[0-9A-Za-z ()_:/.,#'?&-]{1,80}")
MOST_LINES = 200  # refused rows of one file that are named one by one; all are counted


@dataclass
class FileTold:
    """What was made of one file."""

    entry: Entry
    taken_as: str = "not recognised"
    how: str = ""
    n_rows: int = 0
    n_used: int = 0
    used: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    n_refused: int = 0
    questions: Counter[tuple[str, str]] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    accept: str = ""
    more: dict[str, str] = field(default_factory=dict)
    closed: bool = False
    """Whether the whole file is never read, because it holds answers on equal opportunity."""
    never: Counter[str] = field(default_factory=Counter)
    """Columns and attributes of such answers, which are left out."""
    second: Counter[str] = field(default_factory=Counter)
    """Columns of which a cell says otherwise than another column of the same meaning, which is the one that is read."""
    merged: list[int] = field(default_factory=list)
    """Lines that are joined to another one of the same candidacy, and differ from it."""
    differing: dict[str, list[str]] = field(default_factory=dict)
    """{stream: ids} of what came before with another body, where nothing says which is newer."""
    _digest: str = ""

    def refuse(self, line: int, reason: str) -> None:
        """A row, or a rest, that cannot be used."""
        self.n_refused += 1
        self._digest = hashlib.sha256(f"{self._digest}{line}{reason}".encode()).hexdigest()
        if len(self.refused) < MOST_LINES:
            self.refused.append((line, reason))

    def ask(self, setting: str, column: str) -> None:
        """A value that can be read in two ways until somebody says which."""
        self.questions[setting, column] += 1

    def differ(self, stream: str, key: str, *, stands: str = "the last") -> None:
        """An object that came before with another body, or on another owner, and neither is newer."""
        self.remarks[f"{stream} that came before otherwise, and neither is newer: {stands} stands"] += 1
        self.differing.setdefault(stream, []).append(key)

    def needs(self) -> Iterator[tuple[str, str]]:
        """(id for overrides.csv, what somebody has to accept) of all that would be left out."""
        base = f"file-in:{self.entry.file_id}"
        if self.accept:
            yield base, self.accept
        if self.unused:
            text = f"{len(self.unused)} columns are not read: {', '.join(self.unused[:12])}"
            yield f"{base}:columns-{_short(sorted(self.unused))}", text
        if self.second:
            text = f"{len(self.second)} columns say otherwise than another one of the same meaning, which is read"
            yield f"{base}:second-{_short(sorted(self.second))}", f"{text}: {', '.join(sorted(self.second)[:12])}"
        if self.merged:
            lines = sorted(self.merged)
            text = f"{len(lines):,} rows are joined to another of the same candidacy though they differ from it: line "
            yield f"{base}:merged-{_short(lines)}", text + ", ".join(map(str, lines[:12]))
        if self.n_refused:
            first = "; ".join(f"line {line}: {reason}" for line, reason in self.refused[:3])
            yield f"{base}:rows-{self._digest[:8]}", f"{self.n_refused:,} rows are refused: {first}"
        for suffix, text in self.more.items():
            yield f"{base}:{suffix}", text
        if "guessed" in self.how:
            yield f"{base}:encoding", "not UTF-8, and read as cp1252: say lever.export_encoding, or accept the guess"


def _short(values: Iterable[object]) -> str:
    """Eight hex digits of the hash of some values."""
    return hashlib.sha256("\n".join(map(str, values)).encode(errors="replace")).hexdigest()[:8]


@dataclass
class LeftOut:
    """Answers on equal opportunity in the files of one pattern: how many files, whole ones among them, which titles."""

    n_files: int = 0
    n_whole: int = 0
    titles: set[str] = field(default_factory=set)
    digest: str = ""

    def add(self, one: FileTold) -> None:
        """Count one file."""
        self.n_files += 1
        self.n_whole += one.closed
        self.titles |= set(one.never)
        self.digest = _short([self.digest, one.entry.file_id, *sorted(one.never)])

    def finding(self) -> str:
        """What somebody has to accept."""
        shown = [title if SHOWN.fullmatch(title) else "(odd name)" for title in sorted(self.titles)[:12]]
        whole = [f"{self.n_whole:,} whole"] if self.n_whole else []
        text = f"answers on equal opportunity, diversity or surveys (EEO) in {self.n_files:,} files are never read"
        return f"{text}: {', '.join([*whole, *shown])}"


@dataclass
class Told:
    """What is told of a whole export: files of one pattern are told together."""

    groups: dict[tuple[str, str], Row] = field(default_factory=dict)
    refused: list[Row] = field(default_factory=list)
    needs: list[Row] = field(default_factory=list)
    questions: dict[tuple[str, str], Row] = field(default_factory=dict)
    unused: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    """How many objects have an id that we made, by stream; and other counts of what was concluded."""
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    """What has, or is, answers on equal opportunity, by the pattern of its place."""
    differing: dict[str, list[str]] = field(default_factory=dict)
    places: list[tuple[str, str, str]] = field(default_factory=list)
    """(file id, place, taken as) of what somebody has to look at: for a private list, never for a report."""

    def add(self, one: FileTold) -> None:
        """Count one file to those of its pattern."""
        name = label(one.entry.relative)
        row = self.groups.setdefault((name, one.taken_as), _empty(name, one.taken_as))
        row["n_files"] += 1  # type: ignore[operator]
        row["bytes"] += one.entry.size  # type: ignore[operator]
        for key, number in (("n_rows", one.n_rows), ("n_used", one.n_used), ("n_refused", one.n_refused)):
            row[key] += number  # type: ignore[operator]
        row["file"] = one.entry.file_id if row["n_files"] == 1 else ""
        row["read_as"] = one.how if row["n_files"] == 1 or row["read_as"] == one.how else "several ways"
        row["columns_used"] = ", ".join(one.used)
        row["columns_not_used"] = ", ".join(one.unused)
        remarks = "; ".join(f"{n:,} {word}" for word, n in sorted(one.remarks.items()))
        row["remarks"] = "; ".join(filter(None, [str(row["remarks"]), remarks]))[:400]
        self._more(one, name)

    def _more(self, one: FileTold, name: str) -> None:
        needs = list(one.needs())
        for key, text in needs:
            self.needs.append({"id": key, "files": name, "finding": text})
        for line, reason in one.refused:
            self.refused.append({"file": one.entry.file_id, "files": name, "line": line, "reason": reason})
        for (setting, column), n in one.questions.items():
            row = self.questions.setdefault((setting, column), {"setting": setting, "column": column, "n_values": 0})
            row["n_values"] += n  # type: ignore[operator]
        if one.closed or one.never:
            self.left_out.setdefault(name, LeftOut()).add(one)
        for stream, keys in one.differing.items():
            self.differing.setdefault(stream, []).extend(keys)
        odd = one.closed or one.never or one.differing
        if needs or odd or one.questions or one.taken_as in ("not recognised", "a file of nobody"):
            self.places.append((one.entry.file_id, one.entry.relative, one.taken_as))

    def close(self) -> None:
        """What waits for a word of all files together: there may be a file per opportunity."""
        for name, left in self.left_out.items():
            self.need(f"file-in:eeo-{left.digest}", left.finding(), files=name)
        for stream, keys in sorted(self.differing.items()):
            stands = "the last by place stands" + ("; of tables the fullest" if stream == "feedback" else "")
            text = f"{len(keys):,} {stream} came twice, and otherwise, and neither is newer: {stands}"
            self.need(f"file-in:differs-{stream}-{_short(sorted(keys))}", text)

    def need(self, key: str, text: str, *, files: str = "") -> None:
        """Something of the whole export that somebody has to accept."""
        self.needs.append({"id": key, "files": files, "finding": text})

    def rows(self) -> list[Row]:
        """One row per pattern of files, those that need a word first."""
        return sorted(self.groups.values(), key=lambda row: (row["taken_as"] != "not recognised", str(row["files"])))


def _empty(name: str, taken_as: str) -> Row:
    return {
        "files": name, "taken_as": taken_as, "n_files": 0, "file": "", "bytes": 0, "read_as": "", "n_rows": 0,
        "n_used": 0, "n_refused": 0, "columns_used": "", "columns_not_used": "", "remarks": "",
    }  # fmt: skip


def open_needs(needs: Iterable[Row], accepted: set[str]) -> list[Row]:
    """Those that nobody has accepted yet."""
    return [row for row in needs if row["id"] not in accepted]

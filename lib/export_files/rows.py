"""Rows of a table as plain values by field name, kept until all lists are known; refused ones are named."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from lib.export_files import columns, csv_read, eeo, objects
from lib.export_files.columns import Header
from lib.export_files.scratch import Scratch
from lib.export_files.told import FileTold
from lib.export_files.tree import Entry
from lib.export_files.values import Moments, UntoldError, made_id, uuids

Item = dict[str, Any]
MOMENTS = frozenset({
    "created", "applied", "interacted", "advanced", "updated", "snoozed", "archived", "hired", "deactivated",
    "completed", "date", "canceled",
})  # fmt: skip
SUBMITTED = ("author_email", "author_name", "completed")
SEVERAL = frozenset({"emails", "phones", "links", "tags", "sources", "resume", "files", "status"})
EXTRA = "export_rows"
"""The stream that keeps what a table holds and nobody reads: by file and line."""


@dataclass
class Table:
    """One table while it is read."""

    entry: Entry
    header: Header
    titles: list[str]
    moments: Moments
    told: FileTold
    scratch: Scratch
    dialect: csv_read.Dialect


def read_table(entry: Entry, told: FileTold, scratch: Scratch, *, moments: Moments, encoding: str) -> Table | None:
    """Read a CSV file into the scratch; None when it is not recognised, or not to be read at all."""
    dialect = csv_read.dialect_of(entry.path, encoding)
    shown = {",": "comma", ";": "semicolon", "\t": "tab"}.get(dialect.delimiter, "bar")
    told.how = f"{dialect.encoding}{' (guessed)' if dialect.guessed else ''}, {shown}"
    rows = csv_read.records(entry.path, dialect)
    first = next(rows, None)
    if first is None:
        told.taken_as = "empty"
        return None
    _, titles = first
    if isinstance(titles, csv_read.Broken):
        told.accept = f"its first line is {titles.reason}"
        return None
    header = columns.recognise(titles, entry.relative)
    if _is_closed(header, titles, entry.relative):
        told.taken_as, told.how, told.closed = eeo.NEVER, "", True
        return None
    if header is None:
        told.accept = f"a table of {len(titles)} columns that is none of the known ones"
        return None
    table = Table(entry, header, titles, moments, told, scratch, dialect)
    told.taken_as = f"table of {header.kind.replace('_', ' ')}" + (" (API objects)" if header.api else "")
    if header.api:
        return table
    told.used, told.unused = header.used(titles), list(header.unused.values())
    told.never.update(header.never.values())
    for line, cells in rows:
        told.n_rows += 1
        if isinstance(cells, csv_read.Broken):
            told.refuse(line, cells.reason)
        else:
            _take(table, line, cells)
    return table


def _is_closed(header: Header | None, titles: list[str], relative: str) -> bool:
    """Whether a table is never read: one on equal opportunity that is of no kind, or whose answers cannot be told."""
    named = eeo.named(relative)
    if header is None:
        return named or sum(map(eeo.speaks, titles)) >= 2
    if header.api:
        return named and header.api == "json" and objects.stream_of(relative) in ("", "never")
    return named and header.kind == "feedback"


def _take(table: Table, line: int, cells: list[str]) -> None:
    """Take one record: into the rows of its kind, or refuse it."""
    titles, told, kind = table.titles, table.told, table.header.kind
    if len(cells) > len(titles) and any(cells[len(titles) :]):
        told.refuse(line, f"{len(cells)} cells where the header names {len(titles)}")
        return
    if len(cells) < len(titles):  # Excel leaves out empty cells at the end of a line
        told.remarks["short rows, taken as empty at their end"] += 1
        cells = cells + [""] * (len(titles) - len(cells))
    try:
        row = _row(table, cells)
    except UntoldError:
        return
    except ValueError as error:
        told.refuse(line, str(error))
        return
    if kind == "feedback" and eeo.bare(row.get("question", "")):
        told.never[row["question"]] += 1
        return
    if kind == "candidates" and not lever_id(row) and not row.get("emails"):
        row["cells"] = hashlib.sha256(json.dumps(cells).encode()).hexdigest()
    where = (table.entry.file_id, line)
    table.scratch.put_row(kind, _group(kind, row, where), where, row)
    extra = _extra(table, cells)
    if extra:
        body = {"file": where[0], "line": line, "kind": kind, "cells": extra}
        table.scratch.put(EXTRA, f"{where[0]}:{line}", "", body)


def _extra(table: Table, cells: list[str]) -> dict[str, str]:
    """The cells that nobody reads: of columns that are not known, and of a second one of the same meaning."""
    header, found = table.header, {place: cells[place] for place in table.header.unused if cells[place]}
    for name, places in header.fields.items():
        told = [place for place in places if cells[place].strip(" \0\t")]
        if name in SEVERAL or len(told) < 2:
            continue
        for place in told[1:]:
            if cells[place].strip(" \0\t") != cells[told[0]].strip(" \0\t"):
                found[place] = cells[place]
                table.told.second[table.titles[place]] += 1
    return _by_title(found, table.titles)


def _by_title(cells: dict[int, str], titles: list[str]) -> dict[str, str]:
    """Cells by their titles; a title that several bear has its place behind it."""
    made: dict[str, str] = {}
    for place, cell in sorted(cells.items()):
        title = titles[place] or f"column {place + 1}"
        made[f"{title} (column {place + 1})" if title in made else title] = cell
    return made


def _row(table: Table, cells: list[str]) -> Item:
    """The cells by field; moments as epoch milliseconds. ValueError names the column that cannot be read."""
    header, row = table.header, {}
    for name, places in header.fields.items():
        found = [(place, cells[place].strip(" \0\t")) for place in places if cells[place].strip(" \0\t")]
        if not found:
            continue
        place, text = found[0]
        texts = [text for _, text in found] if name in SEVERAL else [text]
        row[name] = _at(table, place, text) if name in MOMENTS else "\n".join(texts)
    stages = {}
    for place, stage in header.stages.items():
        if cells[place].strip():
            stages[stage] = _at(table, place, cells[place].strip(" \0\t"))
    answers = _by_title({place: cells[place] for place in header.answers if cells[place].strip()}, table.titles)
    pairs = {"stages": list(stages.items()), "answers": list(answers.items())}  # in the order of the columns
    return row | {name: found for name, found in pairs.items() if found}


def _at(table: Table, place: int, text: str) -> Any:
    """A moment; a word where a column such as "Hired" or "Deactivated" says yes or no instead."""
    title = table.titles[place]
    try:
        return table.moments.ms(text, utc=place in table.header.utc)
    except UntoldError as error:
        table.told.ask(error.question, title)
        raise
    except (ValueError, OverflowError):
        if text.casefold() in ("true", "false", "yes", "no"):
            return text
        raise ValueError(f"{title}: no date that can be read") from None


def _group(kind: str, row: Item, where: tuple[str, int]) -> str:
    """What the rows of one thing have in common: an id, else what tells it from others.

    Groups of one id, or of one person, follow each other, for only then can it be seen that several share it.
    """
    own = lever_id(row)
    if kind == "candidates":
        return f"id {own}" if own else "key " + json.dumps([*person_key(row), row.get("cells", "")])
    if kind == "feedback":
        if row.get("id"):  # it may be the id of a form that many have filled in
            by = [row.get(name, "") for name in ("candidate", "candidate_email", *SUBMITTED)]
            return "id " + json.dumps([row["id"], own, *by])
        named = ("candidate", "candidate_email", "title", *SUBMITTED, "created", "form")
        return "key " + json.dumps([own, *(row.get(name, "") for name in named)])
    return f"{where[0]}:{where[1]:012}"


def person_key(row: Item) -> list[Any]:
    """What tells the candidacies of a table without ids from each other, as far as it never changes."""
    return [row.get(name, "") for name in ("name", "first", "last", "emails", "created", "applied")]


def lever_id(row: Item) -> str:
    """The id of the opportunity that a row names, in its own column or in an address; empty for none."""
    for name in ("opportunity", "url"):
        found = uuids(str(row.get(name, "")))
        if len(set(found)) == 1:
            return found[0]
    text = str(row.get("opportunity", "")).strip()
    return made_id("opportunity", text) if text else ""

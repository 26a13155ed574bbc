"""Tables whose columns are attributes of the API, as loading tools write them: each row is an object again."""

from __future__ import annotations

import json
import re
from typing import Any

from lib.export_files import csv_read, objects
from lib.export_files.keep import keep
from lib.export_files.rows import Table
from lib.export_files.scratch import Scratch
from lib.extract.drift import shapes_of

Item = dict[str, Any]
EXPANDED = ("contact", "stage", "owner")
"""Attributes that hold an id, or the object itself."""


def read_api_table(table: Table, work: Scratch) -> None:
    """Read a table of API objects into the scratch; what cannot be used is refused with its line."""
    told, entry = table.told, table.entry
    named = objects.stream_of(entry.relative)
    stream = named if table.header.api == "json" else table.header.api
    rows = csv_read.records(entry.path, table.dialect)
    next(rows, None)
    for line, cells in rows:
        told.n_rows += 1
        if isinstance(cells, csv_read.Broken):
            told.refuse(line, cells.reason)
            continue
        if len(cells) != len(table.titles):
            told.refuse(line, f"{len(cells)} cells where the header names {len(table.titles)}")
            continue
        item = _item(stream, dict(zip((title.strip() for title in table.titles), cells, strict=True)))
        if item is None:
            told.refuse(line, "a cell that holds no JSON")
            continue
        if stream:
            keep(told, work, stream, item, line)
        else:
            told.refuse(line, "an object of a kind that is not known")


def _item(stream: str, cells: dict[str, str]) -> Item | None:
    """The object of a row; empty cells are attributes that are absent."""
    if "_airbyte_data" in cells:
        try:
            found = json.loads(cells["_airbyte_data"])
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None
    return {name: _value(stream, name, text) for name, text in cells.items() if text != ""}


def _value(stream: str, name: str, text: str) -> Any:
    """A cell as the kind of value that the contract has under this name."""
    kinds = {shape.kind for shape in shapes_of(stream).get(name, ())}
    if kinds & {"epoch_ms", "integer", "number"} and re.fullmatch(r"-?\d{1,18}(\.0+)?", text):
        return int(text.partition(".")[0])
    if "boolean" in kinds and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kinds & {"array", "object"} or ((not kinds or name in EXPANDED) and text.startswith(("{", "["))):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text

"""Notes of ours that were written anew after a change in Lever: `[Lever history <id> v2]` stands beside the first.

The plan keeps what was carried out and adds what is newer (`lib/mapping/later.py`). After a loss, what was carried out
is read from the notes themselves.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from lib.load.lookup import marker_of
from lib.mapping.later import RENEWED
from lib.mapping.plan import canonical
from lib.normalize import iso_to_ms, ms_to_iso
from lib.store.ledger import Planned
from lib.store.marks import Outcome

MARK = re.compile(r"\[(?P<base>Lever .+?)(?: v(?P<version>\d+))?(?: (?P<part>\d+/\d+))?\]")
END = re.compile(r"(?:/v\d+)?(?:/\d+-\d+)?$")  # what a row id ends with that is one version, and one part of it
Item = dict[str, Any]


def as_carried_out(rows: Iterable[Planned], notes: Iterable[Item]) -> list[Outcome]:
    """Rows of all versions of those notes that have more than one, with the texts that stand in Ashby."""
    planned: dict[str, Planned] = {}
    for row in rows:
        if row.kind == "candidate.createNote" and row.lever_type in RENEWED:
            planned.setdefault(_base(marker_of(row.body)), row)
    standing: dict[str, list[Item]] = defaultdict(list)
    for note in notes:
        standing[_base(marker_of(note.get("content")))].append(note)
    found = []
    for base, row in planned.items():
        ids = [_row_id(row, note) for note in standing[base]]
        if len(set(ids)) == len(ids) and any(END.sub("", one) + "/v" in one for one in ids):
            found += [_outcome(row, row_id, note) for row_id, note in zip(ids, standing[base], strict=True)]
    return found


def _base(mark: str) -> str:
    found = MARK.fullmatch(mark)
    return found["base"] if found else ""


def _row_id(row: Planned, note: Item) -> str:
    found = MARK.fullmatch(marker_of(note.get("content")))
    assert found is not None
    version = f"/v{found['version']}" if found["version"] else ""
    part = f"/{found['part'].replace('/', '-')}" if found["part"] else ""
    return END.sub("", row.row_id) + version + part


def _outcome(row: Planned, row_id: str, note: Item) -> Outcome:
    body = {name: value for name, value in row.body.items() if name != "isPrivate"}
    body |= {"note": {"type": "text/plain", "value": note["content"]}, "createdAt": _moment(note["createdAt"])}
    body |= {"isPrivate": True} if note.get("isPrivate") else {}
    made = replace(row, row_id=row_id, body=body, body_hash=hashlib.sha256(canonical(body)).hexdigest())
    return Outcome(made, "done", "marker", str(note["id"]), as_made=True)


def _moment(text: str) -> str:
    return ms_to_iso(iso_to_ms(text))

"""Objects of the API into the scratch, from JSON and from tables of objects alike: what became of each is told."""

from __future__ import annotations

from typing import Any

from lib.export_files import eeo, objects
from lib.export_files.scratch import Scratch
from lib.export_files.told import FileTold
from lib.extract.files import storable

Item = dict[str, Any]
OF_PEOPLE = frozenset({"opportunities", "users", "panels", *objects.CHILDREN, *objects.ELSEWHERE})
"""Streams whose objects tell of a person: there, answers on equal opportunity may stand in any attribute."""


def keep(told: FileTold, work: Scratch, stream: str, item: Item, line: int) -> None:
    """Keep one object with all that is folded into it; what cannot be used is refused with its line."""
    if stream in OF_PEOPLE:
        told.never.update(eeo.take_out(item))
    for piece in objects.pieces(stream, item, told.entry.relative):
        if isinstance(piece, str):
            told.refuse(line, piece)
            continue
        became = work.put(piece.stream, storable(piece.key), storable(piece.parent), piece.body)
        told.n_used += piece.stream == stream
        if piece.stream.startswith("seen:"):
            continue
        if became == "other":
            told.remarks[f"{piece.stream} that came before with another body: the newest stands"] += 1
        elif became == "even":
            told.differ(piece.stream, piece.key)

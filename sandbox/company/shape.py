"""How a company differs from the ordinary one: factors on how much of each kind there is; 1 changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Shape:
    """Factors: notes and files per candidacy, feedback per interview, candidacies per contact, the share that is
    archived, the share without a posting, and people who are in Ashby already.
    """

    notes: float = 1.0
    files: float = 1.0
    feedback: float = 1.0
    candidacies: float = 1.0
    archived: float = 1.0
    leads: float = 1.0
    existing: float = 1.0


def read(words: Iterable[str]) -> Shape:
    """The shape of a command line, each word ``name=number``; ValueError names what is unknown or no number."""
    known = {one.name for one in fields(Shape)}
    shape = Shape()
    for word in words:
        name, _, text = word.partition("=")
        if name not in known or not text.replace(".", "", 1).isdecimal():
            raise ValueError(f"a shape is name=number from 0, not {word!r}; there are {', '.join(sorted(known))}")
        shape = replace(shape, **{name: float(text)})
    return shape


def times(number: int, factor: float, *, least: int = 0) -> int:
    """So many times a number, rounded; at 1 the number itself."""
    return max(least, round(number * factor))

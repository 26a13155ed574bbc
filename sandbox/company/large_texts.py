"""Rewriting the texts of the template into those of a block: ids, times, and who a person is.

A text (the JSON of an answer, a query) is compiled once into pieces and places to fill; filling is a join.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.company.large_people import MARK, number

ID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = rb"(?<![0-9A-Za-z.])1[2-9][0-9]{11}(?![0-9A-Za-z])"
"""Epoch milliseconds of the years 2008 to 2033."""

HEAD = 5
"""Hex digits at the start of an id that tell the blocks apart."""

PLAIN, OWN_ID, MOMENT, WHO = range(4)
"""Kinds of parts: as it stands, the head of an id, a time, a mark of a person."""

_FORMS = {OWN_ID: b"%05x", MOMENT: b"%d", WHO: b"%b"}

Part = tuple[int, Any]


class Text:
    """A compiled text: a format, and what stands in its gaps by number of the gap.

    Lists of a hundred rows are made of these, so filling is kept to one format operation.
    """

    __slots__ = ("_blank", "_form", "_heads", "_marks", "_times")

    def __init__(self, parts: Sequence[Part]) -> None:
        """Make the format of parts in order."""
        gaps = [part for part in parts if part[0] != PLAIN]
        self._form = b"".join(value.replace(b"%", b"%%") if kind == PLAIN else _FORMS[kind] for kind, value in parts)
        self._blank: list[Any] = [None] * len(gaps)
        self._heads, self._times, self._marks = (
            [(place, value) for place, (kind, value) in enumerate(gaps) if kind == wanted]
            for wanted in (OWN_ID, MOMENT, WHO)
        )

    def fill(self, code: int, shift: int, table: Sequence[bytes]) -> bytes:
        """The text of a block: ``code`` turns ids, ``shift`` is taken off times, ``table`` has the texts of marks."""
        values = self._blank.copy()
        for place, head in self._heads:
            values[place] = head ^ code
        for place, at in self._times:
            values[place] = at - shift
        for place, mark in self._marks:
            values[place] = table[mark]
        return self._form % tuple(values)


class Compiler:
    """Compiles texts about one person of the template."""

    def __init__(self, own: Callable[[bytes], bool], fixed: frozenset[int], strings: Mapping[str, str]) -> None:
        """``own`` says whether an id without its head belongs to a block; ``fixed`` times belong to the account.

        ``strings`` are those that tell who the person is, with their marks.
        """
        self._own = own
        self._fixed = fixed
        self._strings = {escaped(text): _cut(marked) for text, marked in strings.items()}
        longest = sorted(self._strings, key=len, reverse=True)
        self._pattern = re.compile(b"|".join([b"(%s)" % ID, b"(%s)" % TIME, *map(re.escape, longest)]))

    def __call__(self, text: bytes) -> Text:
        """Cut a text into pieces and gaps."""
        parts: list[Part] = []
        start = 0
        for match in self._pattern.finditer(text):
            found = match.group()
            if (match[1] and not self._own(found[HEAD:])) or (match[2] and int(found) in self._fixed):
                continue
            parts.append((PLAIN, text[start : match.start()]))
            start = match.start() + HEAD if match[1] else match.end()
            if match[1]:
                parts.append((OWN_ID, int(found[:HEAD], 16)))
            elif match[2]:
                parts.append((MOMENT, int(found)))
            else:
                parts += self._strings[found]
        return Text([*parts, (PLAIN, text[start:])])


def _cut(marked: str) -> list[Part]:
    """A marked string as parts."""
    pieces, marks = MARK.split(marked), MARK.findall(marked)
    parts: list[Part] = [(PLAIN, escaped(pieces[0]))]
    for mark, piece in zip(marks, pieces[1:], strict=True):
        parts += [(WHO, number(mark)), (PLAIN, escaped(piece))]
    return parts


def escaped(text: str) -> bytes:
    """A string as it stands inside JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")

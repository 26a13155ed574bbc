"""Reads multipart forms by hand: uploads to storage, and the deprecated uploads of the API itself.

No library is needed for the little that is asked: parts in order, each with a name, maybe a file name, and bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

_NAME = re.compile(rb'[ ;]name="([^"]*)"')
_FILE = re.compile(rb'[ ;]filename="([^"]*)"')
_TYPE = re.compile(rb"^content-type:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)


class FormError(ValueError):
    """A body that is no multipart form."""


@dataclass(frozen=True)
class Part:
    """One part of a form; ``filename`` is None for a plain field."""

    name: str
    filename: str | None
    content_type: str
    data: bytes


def parse_form(content_type: str, body: bytes) -> list[Part]:
    """Return the parts of a multipart form in order; FormError when it is broken."""
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if not found:
        raise FormError("the form has no boundary")
    delimiter = re.compile(rb"\r\n--" + re.escape(found[1].encode("latin-1")) + rb"(--)?[ \t]*(?=\r\n|\Z)")
    body = b"\r\n" + body
    marks = list(delimiter.finditer(body))
    ends = [number for number, mark in enumerate(marks) if mark[1]]
    if not ends:
        raise FormError("the form does not end")
    used = marks[: ends[0] + 1]
    return [_part(body[mark.end() : following.start()]) for mark, following in pairwise(used)]


def _part(piece: bytes) -> Part:
    head, separator, data = piece.partition(b"\r\n\r\n")
    name = _NAME.search(head)
    if not separator or name is None:
        raise FormError("a part has no name")
    file, kind = _FILE.search(head), _TYPE.search(head)
    return Part(
        _text(name[1]),
        None if file is None else _text(file[1]),
        "application/octet-stream" if kind is None else _text(kind[1]).strip(),
        data,
    )


def _text(raw: bytes) -> str:
    """Return a name as browsers write it: UTF-8, quotes and line ends percent-encoded."""
    text = raw.decode("utf-8", "replace")
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")

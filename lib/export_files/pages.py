"""Pages of lists, as a dump keeps them: a page that says that more follow is half a list until its last page is here.

A page is `{"data": [...], "next": "<token>", "hasNext": true}`; the last one says `hasNext: false`, or nothing, and has
no `next` (Lever's reference). Pages of one list lie in one folder, and are of one opportunity where they hang on one.
That one in the middle is missing cannot be seen: a page does not say which one it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.export_files.scratch import Scratch
from lib.export_files.told import Told
from lib.export_files.tree import label, place_id
from lib.export_files.values import uuids

CUT = "a page after which more follow"


@dataclass(frozen=True, slots=True)
class Page:
    """The end of a page, behind its objects: whether it says that more follow."""

    more: bool


def page_of(members: Mapping[str, Any]) -> Page:
    """What the members of a page say, as values or as they are spelled. Without `hasNext`, a `next` is enough."""
    has_next, token = (str(members.get(name)).lower() for name in ("hasNext", "next"))
    return Page(has_next in ("true", "1") or (has_next in ("none", "null") and token not in ("none", "null", "")))


class Pages:
    """The pages of one file, into the scratch. `hanging` are the streams whose lists hang on an opportunity."""

    def __init__(self, scratch: Scratch, relative: str, *, hanging: frozenset[str]) -> None:
        self._scratch, self._relative, self._hanging = scratch, relative, hanging
        self._seen: dict[str, set[str]] = {}

    def saw(self, stream: str, parent: str) -> None:
        """An object of the page at hand, and the opportunity that it names itself; empty for none."""
        parents = self._seen.setdefault(stream, set())
        if parent and len(parents) < 2:
            parents.add(parent)

    def end(self, stream: str, page: Page) -> None:
        """The page ends; `stream` is the one of a page without objects."""
        folder, _, name = self._relative.rpartition("/")
        for one, parents in (self._seen or {stream: set[str]()}).items():
            ids = uuids(self._relative)[:1] if one in self._hanging else uuids(name)
            parent = next(iter(parents)) if len(parents) == 1 and one in self._hanging else ""
            place = "\n".join([folder, *ids])
            self._scratch.put_page((one, place, parent), self._relative, more=page.more, mixed=len(parents) > 1)
        self._seen.clear()


def tell_cut(scratch: Scratch, told: Told) -> None:
    """What waits for a word: lists of which no page is the last, told together by their stream."""
    cut: dict[str, list[tuple[str, str]]] = {}
    for stream, place, parent, relative in scratch.cut_lists():
        cut.setdefault(stream, []).append((f"{place}\n{parent}", relative))
        told.places.append((place_id(relative), relative, CUT))
    for stream, lists in cut.items():
        digest = hashlib.sha256("\n\n".join(key for key, _ in lists).encode(errors="replace")).hexdigest()[:8]
        told.need(
            f"file-in:cut-{stream or 'objects'}-{digest}",
            f"{len(lists):,} lists of {stream or 'objects'} say that more follow (hasNext), and their last page is not "
            "here: what follows is left out; ask whoever made the export for all pages",
            files=label(lists[0][1]),
        )

"""A small company told again and again, until it is as large as wanted: one block after another.

In each block the same lives have other ids, names, addresses, telephone numbers, links and dates: the first block is
the company itself, later ones lie further back in time. What belongs to the account (users, stages, postings) is told
once. A life is kept as text, of which only the pieces that change are made anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib.store import FileRow, Store, open_store

CHILDREN = ("notes", "feedback", "forms", "resumes", "files", "offers", "interviews", "panels", "referrals")
SHARED = (
    "users", "stages", "disposition_stages", "archive_reasons", "sources", "tags", "postings", "postings_deleted",
    "requisitions", "requisition_fields", "feedback_templates", "form_templates",
)  # fmt: skip
TARGET = ("users", "archive_reasons", "sources", "departments", "locations", "jobs", "interview_plans",
          "feedback_forms", "custom_fields", "tags", "candidates")  # fmt: skip
META = ("extract.finished_ms", "extract.since", "identity.Ashby", "identity.Lever", "ashby.candidates")
STRANGER = {"ashby_id": None, "match": "new"}  # who stands in Ashby already is somebody of the first block
STEP_MS = 6 * 3_600_000  # how much earlier a block is than the one before it
NAMED = "\ue000"  # stands behind a name while a life is looked through
PIECES = re.compile(
    r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|(?P<mail>(?<=[\w.+-])@(?=\w))"
    r"|(?P<name>\\ue000)"
    r'|(?P<phone>(?:(?<="value": ")|(?<="phone": "))[+(]?\d[\d ().-]{7,}(?="))'
    r"|(?P<slug>(?<=linkedin\.com/in/)[\w-]+|\b[a-z]+-[a-z]+-[0-9a-f]{4}\b)"
    r'|(?P<time>(?<![\w".-])1\d{12}(?!\w))'
)
Json = dict[str, Any]


def moved_id(lever_id: str, block: int) -> str:
    """An id of the template as it is in a block; and back again, for the same block."""
    return f"{int(lever_id[:8], 16) ^ block:08x}{lever_id[8:]}"


def block_of(lever_id: str, template_id: str) -> int:
    """The block of an id whose life has `template_id` in the template."""
    return int(lever_id[:8], 16) ^ int(template_id[:8], 16)


def _letters(_mark: str, block: int) -> str:
    """What a surname ends in: another one for each block, so that nobody has a namesake in another block."""
    found = ""
    while block:
        block, rest = divmod(block, 26)
        found += chr(97 + rest)
    return found


def _phone(text: str, block: int) -> str:
    """Another number, written in the same way: the last seven digits are other ones."""
    digits = re.sub(r"\D", "", text)[-7:]
    new = iter(f"{(int(digits) + 100 * block) % 10**7:07d}"[-len(digits) :])
    first = len(re.sub(r"\D", "", text)) - len(digits)
    place = iter(range(len(text)))
    return re.sub(r"\d", lambda found: found[0] if next(place) < first else next(new), text)


WAYS: dict[str, Callable[[str, int], str]] = {
    "id": moved_id,
    "mail": lambda _at, block: f".{block}@",
    "name": _letters,
    "phone": _phone,
    "slug": lambda text, block: f"{text}-{block}",
    "time": lambda text, block: str(int(text) - block * STEP_MS),
}


class Text:
    """A JSON value as text, in any block."""

    def __init__(self, value: Any, own: set[str]) -> None:
        """`own` are the ids that differ from block to block."""
        self._parts: list[str | tuple[Callable[[str, int], str], str]] = []
        text, at = json.dumps(value), 0
        for found in PIECES.finditer(text):
            if found.lastgroup == "id" and found[0] not in own:
                continue
            self._parts += [text[at : found.start()], (WAYS[str(found.lastgroup)], found[0])]
            at = found.end()
        self._parts.append(text[at:])
        self._first = text.replace(r"\ue000", "")

    def told(self, block: int) -> str:
        """The text in a block."""
        if not block:
            return self._first
        return "".join(one if isinstance(one, str) else one[0](one[1], block) for one in self._parts)

    def value(self, block: int) -> Any:
        """The value in a block."""
        return json.loads(self.told(block))


@dataclass(frozen=True)
class Life:
    """One opportunity with its child lists, and what is asked for of it in the template."""

    lever_id: str
    item: Text
    children: dict[str, Text]
    created_ms: int
    updated_ms: int | None
    confidential: bool


class Template:
    """The small company."""

    def __init__(self, store: Store) -> None:
        """Read everything."""
        self.shared = {stream: list(store.all(stream)) for stream in SHARED}
        whole = [(item, {name: store.of(name, item["id"]) for name in CHILDREN}) for item in store.all("opportunities")]
        own = {str(one["id"]) for item, found in whole for one in _records(item, found)}
        self.lives = [_life(item, children, own) for item, children in whole]
        self.files = {row.lever_id: row for row in store.files()}
        self.people = [Text(_marked(one), own) for one in store.people()]
        self.members = [Text(one, own) for one in store.members()]
        self.now_ms = int(store.meta("extract.since"))
        self.folder = store.folder / "files"

    def blocks(self, n_opportunities: int) -> int:
        """How many whole blocks come nearest to so many opportunities."""
        return max(1, round(n_opportunities / len(self.lives)))

    def file(self, row: FileRow, block: int) -> FileRow:
        """The state of a file in a block."""
        about = {name: moved_id(getattr(row, name), block) for name in ("lever_id", "opportunity_id")}
        return replace(row, **about)


def _records(item: Json, children: dict[str, list[Json]]) -> Iterator[Json]:
    """Everything with an id that belongs to one opportunity."""
    yield item
    yield item["contact"]
    yield from item.get("applications") or []
    for found in children.values():
        yield from found


def _marked(item: Json) -> Json:
    return item | {"name": item["name"] + NAMED} if item.get("name") else item


def _life(item: Json, children: dict[str, list[Json]], own: set[str]) -> Life:
    applications = [_marked(one) for one in item.get("applications") or []]
    marked = _marked(item) | {"contact": _marked(item["contact"]), "applications": applications}
    texts = {name: Text(found, own) for name, found in children.items()}
    confidential = item.get("confidentiality") == "confidential"
    return Life(item["id"], Text(marked, own), texts, item["createdAt"], item.get("updatedAt"), confidential)


# ---- a store ---------------------------------------------------------------------------------------------------------
def fill(folder: Path, template_folder: Path, n_blocks: int) -> None:
    """The store of a customer, as it is after the extraction, with so many blocks."""
    old = open_store(template_folder)
    template, new = Template(old), open_store(folder)
    for path in template.folder.iterdir():
        (folder / "files" / path.name).exists() or os.link(path, folder / "files" / path.name)
    with new.begin() as tx:
        for stream, items in template.shared.items():
            keyed = ((str(one.get("id") or one.get("text") or n), "", one) for n, one in enumerate(items))
            new.put_raw(tx, stream, keyed)
        for kind in TARGET:
            new.put_ashby(tx, kind, ((one["id"], one) for one in old.ashby(kind)), whole=True)
        for key in META:
            new.put_meta(key, old.meta(key), connection=tx)
    for block in range(n_blocks):
        _fill_block(new, template, block)
    old.close()
    new.close()


def _fill_block(store: Store, template: Template, block: int) -> None:
    """One block in one transaction."""
    streams: dict[str, list[tuple[str, str, Any]]] = {}
    for life in template.lives:
        item = life.item.value(block)
        streams.setdefault("opportunities", []).append((item["id"], item["contact"]["id"], item))
        for name, found in life.children.items():
            streams.setdefault(name, []).extend((one["id"], item["id"], one) for one in found.value(block))
    with store.begin() as tx:
        for name, rows in streams.items():
            store.put_raw(tx, name, rows)
        for row in template.files.values():
            store.put_file(tx, template.file(row, block))


def decide(home: Path, template_home: Path, customer: str, n_blocks: int) -> None:
    """Put the template's verdicts in place, and its people, told again: what was decided there is decided here."""
    shutil.copytree(template_home / "params" / customer, home / "params" / customer, dirs_exist_ok=True)
    old, new = (open_store(one / "runs" / customer) for one in (template_home, home))
    template = Template(old)
    people = (one.value(block) | (STRANGER if block else {}) for block in range(n_blocks) for one in template.people)
    members = (one.value(block) for block in range(n_blocks) for one in template.members)
    new.put_people(people, members, [])
    new.put_meta("dedupe.verdicts", old.meta("dedupe.verdicts"))
    old.close()
    new.close()

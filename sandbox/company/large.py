"""A company of a million opportunities: one ordinary company, the template, told again in many blocks.

Block 0 is the template. Every other block holds the same lives at other times, under other ids, of other people with
other addresses; stages, users, postings and reasons are shared by all. A record is a function of (seed, block, place
in the block) and is made when somebody asks for it; what is kept per record is its place in the order of the list.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sandbox.company import large_people
from sandbox.company.build import build
from sandbox.company.large_texts import HEAD, ID, TIME, Compiler, Text
from sandbox.company.model import Company, Person

PEOPLE = 1200
"""Human beings in one block: three sets of traps."""

SPAN_MS = 9 * 86_400_000
"""Blocks are up to so much older than the template, each by a time of its own."""

_STEP_MS = 123_456_791
_ODD = 0x9E375
_CODES = 1 << (4 * HEAD)
_OWN = ("opportunities", "applications", "contacts", "notes", "feedback", "forms", "resumes", "files", "file_actions",
        "offers", "interviews", "panels", "referrals", "deleted_opportunities", "deleted_applications")  # fmt: skip
_ACCOUNT = ("users", "postings", "posting_apply", "stages", "disposition", "archive_reasons", "requisitions",
            "requisition_fields", "feedback_templates", "form_templates", "deleted_postings")  # fmt: skip
_SHARED_MEMBERS = re.compile(rb'"(?:toStageId|stage|baseTemplateId)":"(' + ID + rb')"')


class LargeCompany:
    """Many blocks over one template; ``account`` is what all of them share, in the shape of an ordinary company."""

    def __init__(self, *, seed: int, opportunities: int) -> None:
        """Make at least so many opportunities: the number is rounded up to whole blocks."""
        if opportunities < 1:
            raise ValueError("opportunities must be from 1")
        self.template = build(seed=seed, people=PEOPLE)
        self.n_template = len(self.template.opportunities)
        self.blocks = -(-opportunities // self.n_template)
        if self.blocks >= large_people.MOST_BLOCKS:
            raise ValueError(f"opportunities must be at most {(large_people.MOST_BLOCKS - 1) * self.n_template}")
        self._know_ids()
        self._know_people()
        self.account = self.template
        self._share()

    def __len__(self) -> int:
        """How many opportunities there are."""
        return self.blocks * self.n_template

    def code(self, block: int) -> int:
        """What turns the head of a template's id into that of a block, and back."""
        return block * _ODD % _CODES

    def shift(self, block: int) -> int:
        """By how many milliseconds a block is older than the template."""
        return block * _STEP_MS % SPAN_MS

    def block_of(self, record_id: str) -> int | None:
        """The block an id belongs to; None when no block has it."""
        head = self._heads.get(record_id[HEAD:].encode("utf-8", "replace"))
        if head is None or not re.fullmatch(f"[0-9a-f]{{{HEAD}}}", record_id[:HEAD]):
            return None
        block = (int(record_id[:HEAD], 16) ^ head) * pow(_ODD, -1, _CODES) % _CODES
        return block if block < self.blocks else None

    def turned(self, record_id: str, block: int) -> str:
        """The id in a block of a record of the template, or the other way round."""
        return f"{int(record_id[:HEAD], 16) ^ self.code(block):05x}{record_id[HEAD:]}"

    def is_own(self, tail: bytes) -> bool:
        """Whether an id without its head belongs to blocks and not to the account."""
        return tail in self._heads

    def compiler(self, contact: str | None) -> Compiler:
        """The compiler for texts about a contact of the template; None for texts about nobody."""
        return self._compiler(None if contact is None else self._person_of[contact].key)

    def fill(self, text: Text, block: int) -> bytes:
        """A compiled text as it stands in a block."""
        return text.fill(*self.voice(block))

    def rewritten(self, row: Any, contact: str | None, block: int) -> Any:
        """Any JSON value about a contact of the template, as it stands in a block."""
        raw = json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return json.loads(self.fill(self.compiler(contact)(raw), block).decode("utf-8", "surrogatepass"))

    def times(self, name: str) -> NDArray[np.int64]:
        """A date of each opportunity of the template, -1 where it has none."""
        read = {"archivedAt": lambda item: (item["archived"] or {}).get("archivedAt")}.get(
            name, lambda item: item[name]
        )
        return np.array([-1 if (at := read(item)) is None else at for item in self.template.opportunities], np.int64)

    def moved_times(self, name: str) -> NDArray[np.int64]:
        """By how much a date changes per block's shift: 0 or 1 for each opportunity of the template."""
        times = self.times(name)
        return np.array([at >= 0 and int(at) not in self.fixed for at in times], np.int64)

    def _know_ids(self) -> None:
        """Tell the ids of records from those of the account, and the account's own times."""
        own, account = (_dumped(self.template, names) for names in (_OWN, _ACCOUNT))
        shared = set(re.findall(ID, account)) | set(_SHARED_MEMBERS.findall(own))
        shared -= {record_id.encode() for record_id in (*self.template.contacts, *self.template.applications)}
        self._heads = {found[HEAD:]: int(found[:HEAD], 16) for found in set(re.findall(ID, own)) - shared}
        self.fixed = frozenset(int(found) for found in re.findall(TIME, account))

    def _know_people(self) -> None:
        """Who stands behind each contact, and which strings tell it."""
        company = self.template
        self._person_of = {contact: person for person in company.people for contact in person.contacts}
        gone = Person(key="gone", name="", emails=[])
        for item in company.deleted_opportunities:
            self._person_of.setdefault(item["contact"], gone)
        links: defaultdict[str, list[str]] = defaultdict(list)
        for item in company.opportunities:
            links[self._person_of[item["contact"]].key] += item["links"]
        self._found = {
            person.key: large_people.strings(
                [person.name, *(company.contacts[contact]["name"] for contact in person.contacts)],
                [email for contact in person.contacts for email in company.contacts[contact]["emails"]],
                [phone["value"] for contact in person.contacts for phone in company.contacts[contact]["phones"]],
                links[person.key],
            )
            for person in company.people
        } | {gone.key: {}}
        self._compiler = lru_cache(maxsize=None)(
            lambda key: Compiler(self.is_own, self.fixed, self._found[key] if key else {})
        )
        self._texts = lru_cache(maxsize=64)(large_people.table)
        self._said: dict[str, bytes] = {}
        self.voice = lru_cache(maxsize=None)(self._voice)

    def _voice(self, block: int) -> tuple[int, int, list[bytes]]:
        """What fills the texts of a block: its code, its shift, and the texts of its marks."""
        table = [self._said.setdefault(text, text.encode()) for text in large_people.table(block)]
        return self.code(block), self.shift(block), table

    def email(self, text: str, block: int) -> str:
        """An address of the template as it is in a block."""
        return large_people.told(large_people.email(text), self._texts(block))

    def _share(self) -> None:
        """Deleted lists of all blocks, tags and sources counted over all of them; no user is linked to a block."""
        for user in self.account.users:
            user["linkedContactIds"] = None
        for name in ("deleted_opportunities", "deleted_applications"):
            rows = list(getattr(self.template, name))
            getattr(self.account, name)[:] = [
                self.rewritten(row, None, block) for block in range(self.blocks) for row in rows
            ]
        for row in (*self.account.tags, *self.account.sources):
            row["count"] *= self.blocks

    def pipeline_order(self) -> NDArray[np.int32]:
        """All opportunities by rank of the stage, last advanced descending, id: block * n_template + place in it."""
        rank = {stage["id"]: stage["rank"] for stage in self.template.disposition["stages"]}
        ranks = np.array([rank.get(item["stage"], 999) for item in self.template.opportunities])
        return self._ordered("lastAdvancedAt", np.tile(ranks, self.blocks))

    def newest_order(self) -> NDArray[np.int32]:
        """All opportunities by creation descending, id."""
        return self._ordered("createdAt", np.zeros(len(self)))

    def _ordered(self, date: str, first: NDArray[Any]) -> NDArray[np.int32]:
        """All opportunities by a number, a date descending, and the first half of their ids."""
        blocks = range(self.blocks)
        heads = [int(item["id"].replace("-", "")[:16], 16) for item in self.template.opportunities]
        codes = np.array([self.code(block) for block in blocks], np.uint64) << np.uint64(64 - 4 * HEAD)
        ids = np.array(heads, np.uint64) ^ codes[:, None]
        shifts = np.array([self.shift(block) for block in blocks])
        dates = self.times(date) - shifts[:, None] * self.moved_times(date)
        return np.lexsort((ids.ravel(), -dates.ravel(), first)).astype(np.int32)


def _dumped(company: Company, names: tuple[str, ...]) -> bytes:
    """Members of a company as one JSON text."""
    return json.dumps([getattr(company, name) for name in names], separators=(",", ":")).encode()


def stamped(body: bytes, block: int) -> bytes:
    """The bytes of a file in a block: as long as the template's, other than those of any other block.

    The number goes into the filler of a PDF and over the end of a text; pictures are the same in every block.
    """
    mark = b"%016x" % block
    if block == 0 or len(body) < 2 * len(mark) or body.startswith(b"\x89PNG"):
        return body
    end = body.rfind(b"\nendstream") if body.startswith(b"%PDF") else len(body)
    return body[: end - len(mark)] + mark + body[end:]

"""The Lever side of a large company: every question about a block is asked of the template, its answer rewritten."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from sandbox.clock import Clock
from sandbox.company.large import LargeCompany, stamped
from sandbox.company.large_texts import HEAD, ID, TIME, Text
from sandbox.journal import Journal
from sandbox.lever.answers import Answer
from sandbox.lever.app import OPPORTUNITY_PATHS, LeverApp
from sandbox.lever.large_lists import LargeLists
from sandbox.settings import Settings

COMPILED_ANSWERS = 10_000
_ASKED = re.compile(b"(%s)|%s" % (ID, TIME))
_FIRST_ID = re.compile(ID.decode())
_JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class About:
    """Whom a request is about: a block, and the contact of the template behind the path."""

    block: int
    contact: str | None


class LargeLever(LeverApp):
    """Serves ``/lever/v1`` of a large company; the account itself and all rules are those of an ordinary one."""

    def __init__(self, large: LargeCompany, *, settings: Settings, journal: Journal, clock: Clock) -> None:
        """Serve a large company."""
        super().__init__(large.account, settings=settings, journal=journal, clock=clock)
        self.large = large
        self._contacts = {item["id"]: item["contact"] for item in large.template.opportunities}
        self._compiled = lru_cache(maxsize=COMPILED_ANSWERS)(self._compile)
        rows = LargeLists(large)
        for root in OPPORTUNITY_PATHS:
            self._handlers[f"/{root}"] = lambda ctx, parts: rows.answer(ctx)

    def _answer(
        self, method: str, path: str, query: bytes, authorization: str | None, body: bytes = b""
    ) -> tuple[str, Answer]:
        """Ask the template, with the ids and times of the block turned into its own, and turn the answer back."""
        about = self._about(path)
        if about is None or about.block == 0:
            return super()._answer(method, path, query, authorization, body)
        asked = self._asked(path.encode("utf-8", "surrogatepass"), about.block).decode("utf-8", "surrogatepass")
        endpoint, answer = super()._answer(method, asked, self._asked(query, about.block), authorization)
        return endpoint, self._told(answer, about)

    def stored(self, key: str) -> bytes | None:
        """The bytes behind the name of a file on the storage host; None when there are none."""
        record_id, colon, which = key.partition(":")
        block = self.large.block_of(record_id)
        if block is None:
            return None
        body = super().stored(self.large.turned(record_id, block) + colon + which)
        return None if body is None else stamped(body, block)

    def _about(self, path: str) -> About | None:
        """Whom a path is about: the first id in it; None for the account's own objects and for ids nobody has."""
        found = _FIRST_ID.search(path)
        block = self.large.block_of(found.group()) if found else None
        if found is None or block is None:
            return None
        own = self.large.turned(found.group(), block)
        return About(block, own if own in self.large.template.contacts else self._contacts.get(own))

    def _asked(self, text: bytes, block: int) -> bytes:
        """A path or a query as the template would be asked."""
        code, shift = self.large.code(block), self.large.shift(block)

        def turn(match: re.Match[bytes]) -> bytes:
            found = match.group()
            if match[1]:
                own = self.large.is_own(found[HEAD:])
                return b"%05x" % (int(found[:HEAD], 16) ^ code) + found[HEAD:] if own else found
            return b"%d" % (int(found) + shift)

        return _ASKED.sub(turn, text)

    def _told(self, answer: Answer, about: About) -> Answer:
        """An answer of the template as the block gives it: JSON, a redirect, or the bytes of a file."""
        headers = [(name, self._told_text(value, about)) for name, value in answer.headers]
        if answer.content_type.startswith(_JSON):
            return replace(answer, body=self._told_text(answer.body, about), headers=headers)
        return replace(answer, body=stamped(answer.body, about.block), headers=headers)

    def _told_text(self, text: bytes, about: About) -> bytes:
        return self.large.fill(self._compiled(about.contact, text), about.block)

    def _compile(self, contact: str | None, text: bytes) -> Text:
        return self.large.compiler(contact)(text)

"""Planted faults: rows of data that say when an answer goes wrong, and how.

The middleware stands in front of both APIs and the storage host. It can lose an answer after the call was
applied, which is what a migration has to survive. What a row may say stands in ``faults_rows``.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from sandbox import faults_answers as answers
from sandbox import faults_wire as wire
from sandbox.faults_known import is_write, matches
from sandbox.faults_pages import Pages
from sandbox.faults_rows import BEFORE, EFFECTS, PAGING, check
from sandbox.faults_wire import App, Asked, Kept, Receive, Send, cut
from sandbox.journal import Journal
from sandbox.lever.auth import at_home
from sandbox.settings import Settings

__all__ = ["EFFECTS", "FaultMiddleware", "Faults", "Row", "check", "cut", "is_write", "matches", "where"]

Hook = Callable[[dict[str, Any]], Awaitable[None]]
SILENCE_MS = 5000


@dataclass
class Row:
    """One fault: when it strikes, what it does, how often it did."""

    spec: dict[str, Any]
    rng: random.Random
    seen: int = 0
    struck: int = 0

    def strikes(self, asked: Asked) -> bool:
        """Count a matching request and say whether the fault strikes this time."""
        spec = self.spec
        if not self._fits(asked):
            return False
        self.seen += 1
        turn = self.seen - spec.get("after", 0)
        if turn < 1 or (spec.get("times") is not None and self.struck >= spec["times"]):
            return False
        if "nth" in spec:
            hit = turn == spec["nth"]
        elif "every" in spec:
            hit = turn % spec["every"] == 0
        else:
            hit = self.rng.random() < spec.get("share", 1.0)
        self.struck += hit
        return hit

    def _fits(self, asked: Asked) -> bool:
        spec = self.spec
        return (
            spec.get("api") in (None, asked.api)
            and spec.get("method") in (None, asked.method)
            and spec.get("key") in (None, asked.key)
            and matches(spec.get("endpoint"), asked.endpoint, writes=bool(spec.get("writes")))
            and (spec.get("having") is None or asked.member(spec["having"]) is not None)
            and (spec["effect"] != "same_token" or asked.token is not None)
            and (spec["effect"] != "refuse_token" or _carries_token(asked))
        )


def _carries_token(asked: Asked) -> bool:
    return asked.token is not None or asked.member("syncToken") is not None


@dataclass
class Faults:
    """The rows in force; ``editable`` says whether other people can make edits in this Lever account."""

    seed: int
    rows: list[Row] = field(default_factory=list)
    editable: bool = True

    def replace(self, specs: list[dict[str, Any]]) -> None:
        """Put new rows in place of all; ValueError when one makes no sense, and then nothing has changed."""
        self._check(specs)
        self.rows = []
        self.extend(specs)

    def extend(self, specs: list[dict[str, Any]]) -> None:
        """Add rows; ValueError when one makes no sense, and then none is added."""
        self._check(specs)
        for spec in specs:
            seed = f"{spec['seed']}:fault" if "seed" in spec else f"{self.seed}:fault:{len(self.rows)}"
            self.rows.append(Row(dict(spec), random.Random(seed)))

    def _check(self, specs: list[dict[str, Any]]) -> None:
        for spec in specs:
            check(spec)
            if spec["effect"] == "others" and spec["side"] == "lever" and not self.editable:
                raise ValueError("others: a large company cannot be edited")

    def find(self, asked: Asked) -> list[dict[str, Any]]:
        """The faults that strike this request: those that come before it, then at most one that spoils its answer."""
        struck = [row for row in self.rows if row.strikes(asked)]
        early = [row.spec for row in struck if row.spec["effect"] in BEFORE]
        return early + [row.spec for row in struck if row.spec["effect"] not in BEFORE][:1]

    def dump(self) -> list[dict[str, Any]]:
        """The rows with their counters."""
        return [row.spec | {"seen": row.seen, "struck": row.struck} for row in self.rows]

    @property
    def read_bodies(self) -> bool:
        """Whether a row looks into the body of a request before it is served."""
        return any(row.spec["effect"] in (*PAGING, "short_page", "refuse_token") or row.spec.get("having")
                   for row in self.rows)  # fmt: skip


def where(path: str) -> tuple[str, str] | None:
    """Which API and endpoint a path belongs to; None for the control URLs and everything else.

    A ``downloadUrl`` of Lever is a call of ``/candidates/...``, whichever host it stands for.
    """
    for start in ("/lever/v1", "/lever/hire"):
        if path.startswith(start):
            return "lever", path.removeprefix(start) or "/"
    if path.startswith("/ashby/"):
        return "ashby", path.removeprefix("/ashby/")
    if path.startswith("/storage/"):
        return "storage", path.removeprefix("/storage")
    if path.startswith("/lever/oauth/"):
        return "oauth", at_home(path).removeprefix("/lever/oauth")
    return None


class FaultMiddleware:
    """The outermost layer: lets faults loose, otherwise passes everything on."""

    def __init__(
        self, app: App, *, faults: Faults, journal: Journal, settings: Settings, hooks: dict[str, Hook] | None = None
    ) -> None:
        """Stand in front of ``app``; ``hooks`` carry out ``expire_access`` and ``others``, which the sides know."""
        self.app = app
        self.faults = faults
        self.journal = journal
        self.settings = settings
        self.hooks = hooks or {}
        self.pages = Pages()
        self._names = {
            settings.lever_key: "full", settings.lever_key_plain: "plain",
            settings.ashby_key: "full", settings.ashby_key_limited: "limited",
        }  # fmt: skip

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request, with its faults if any strike."""
        found = where(scope["path"]) if scope["type"] == "http" and self.faults.rows else None
        if found is None:
            await self.app(scope, receive, send)
            return
        asked = Asked(*found, scope=scope, receive=receive, names=self._names)
        if found[0] == "ashby" and self.faults.read_bodies:
            await asked.read()
        self.pages.undo(asked)
        for fault in self.faults.find(asked):
            self.journal.fault(fault["effect"])
            if fault["effect"] not in BEFORE:
                await self._spoiled(fault, asked, send)
                return
            await self._early(fault, asked)
        await self.app(asked.scope, asked.receive, send)

    async def _early(self, fault: dict[str, Any], asked: Asked) -> None:
        """What happens before the call is served."""
        effect = fault["effect"]
        if effect == "delay":
            await asyncio.sleep(fault.get("ms", 1000) / 1000)
        elif effect == "short_page":
            asked.put("limit", fault["limit"])
        else:
            await self.hooks[effect](fault)

    async def _spoiled(self, fault: dict[str, Any], asked: Asked, send: Send) -> None:
        """One answer gone wrong."""
        effect = fault["effect"]
        if effect in answers.INSTEAD and not fault.get("apply", False):
            if effect != "reset_in_request":
                await asked.drain()
            else:
                await asked.receive()
            self.journal.add(asked.api, asked.endpoint, answers.status_of(fault, asked.api), note=f"fault:{effect}")
            await self._instead(fault, asked, send)
            return
        kept = Kept()
        await self.app(asked.scope, asked.receive, kept)
        if effect in answers.INSTEAD:
            await self._instead(fault, asked, send)
        elif effect in wire.SPOILERS:
            await wire.SPOILERS[effect](fault, kept, send)
        elif effect in PAGING:
            await wire.plain(send, kept.status, self.pages.spoil(effect, asked, kept.body), headers=kept.others)
        else:
            await wire.plain(send, kept.status, answers.altered(fault, asked.api, kept.body), headers=kept.others)

    async def _instead(self, fault: dict[str, Any], asked: Asked, send: Send) -> None:
        """Answer (or cut) without a word of what the call did."""
        effect = fault["effect"]
        if effect == "silence":
            await asyncio.sleep(fault.get("ms", SILENCE_MS) / 1000)
        if effect in ("silence", "reset_before", "reset_in_request"):
            await cut(send)
            return
        kind, body = answers.body_of(fault, asked.api)
        headers = answers.headers_of(fault, asked)
        await wire.plain(send, answers.status_of(fault, asked.api), body, kind=kind, headers=headers)

"""Planted faults: rows of data that say when an answer goes wrong, and how.

The middleware stands in front of both APIs and the storage host. It can lose an answer after the call was
applied, which is what a migration has to survive.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.journal import Journal
from sandbox.settings import Settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

EFFECTS = ("status", "delay", "reset_before", "reset_after", "truncate", "html", "no_success", "throttle")
MEMBERS = (
    "api",
    "endpoint",
    "nth",
    "every",
    "share",
    "times",
    "effect",
    "status",
    "headers",
    "body",
    "ms",
    "apply",
    "retry_after",
    "writes",
)
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Something went wrong</h1></body></html>"


@dataclass
class Row:
    """One fault: when it strikes, what it does, how often it did."""

    spec: dict[str, Any]
    rng: random.Random
    seen: int = 0
    struck: int = 0

    def strikes(self, api: str, endpoint: str) -> bool:
        """Count a matching request and say whether the fault strikes this time."""
        spec = self.spec
        if spec.get("api") not in (None, api) or not matches(
            spec.get("endpoint"), endpoint, writes=bool(spec.get("writes"))
        ):
            return False
        self.seen += 1
        if spec.get("times") is not None and self.struck >= spec["times"]:
            return False
        if "nth" in spec:
            hit = self.seen == spec["nth"]
        elif "every" in spec:
            hit = self.seen % spec["every"] == 0
        else:
            hit = self.rng.random() < spec.get("share", 1.0)
        self.struck += hit
        return hit


@dataclass
class Faults:
    """The rows in force."""

    seed: int
    rows: list[Row] = field(default_factory=list)

    def replace(self, specs: list[dict[str, Any]]) -> None:
        """Put new rows in place of all; ValueError when one makes no sense."""
        self.rows = []
        self.extend(specs)

    def extend(self, specs: list[dict[str, Any]]) -> None:
        """Add rows; ValueError when one makes no sense."""
        for spec in specs:
            check(spec)
        for spec in specs:
            self.rows.append(Row(dict(spec), random.Random(f"{self.seed}:fault:{len(self.rows)}")))

    def find(self, api: str, endpoint: str) -> dict[str, Any] | None:
        """The first fault that strikes this request (every matching row counts it)."""
        struck = [row for row in self.rows if row.strikes(api, endpoint)]
        return struck[0].spec if struck else None

    def dump(self) -> list[dict[str, Any]]:
        """The rows with their counters."""
        return [row.spec | {"seen": row.seen, "struck": row.struck} for row in self.rows]


def check(spec: dict[str, Any]) -> None:
    """Refuse a fault row with an unknown member or effect."""
    unknown = sorted(set(spec) - set(MEMBERS))
    if unknown:
        raise ValueError(f"unknown member of a fault row: {', '.join(unknown)}")
    if spec.get("effect") not in EFFECTS:
        raise ValueError(f"effect must be one of {', '.join(EFFECTS)}")
    if spec.get("api") not in (None, "lever", "ashby", "storage"):
        raise ValueError("api must be lever, ashby or storage")
    for name in ("nth", "every", "times"):
        if name in spec and (not isinstance(spec[name], int) or spec[name] < 1):
            raise ValueError(f"{name} must be a whole number from 1")


def matches(pattern: str | None, endpoint: str, *, writes: bool = False) -> bool:
    """Whether an endpoint fits: ``candidate.create``, ``candidate.*``, or a Lever path with ``*`` for one segment."""
    if writes and not is_write(endpoint):
        return False
    if pattern is None or pattern == endpoint:
        return True
    if endpoint.startswith("/"):
        wanted, given = pattern.strip("/").split("/"), endpoint.strip("/").split("/")
        return len(wanted) == len(given) and all(a in ("*", b) for a, b in zip(wanted, given, strict=True))
    return pattern.endswith("*") and endpoint.startswith(pattern[:-1])


def is_write(endpoint: str) -> bool:
    """Whether an Ashby endpoint writes, by its verb."""
    verb = endpoint.rpartition(".")[2]
    return "." in endpoint and not verb.startswith(("list", "info", "search"))


class FaultMiddleware:
    """The outermost layer: lets faults loose, otherwise passes everything on."""

    def __init__(self, app: App, *, faults: Faults, journal: Journal, settings: Settings) -> None:
        """Stand in front of ``app``."""
        self.app = app
        self.faults = faults
        self.journal = journal
        self.settings = settings

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request, with its fault if one strikes."""
        found = where(scope["path"]) if scope["type"] == "http" and self.faults.rows else None
        fault = self.faults.find(*found) if found else None
        if found is None or fault is None:
            await self.app(scope, receive, send)
            return
        effect = fault["effect"]
        self.journal.fault(effect)
        if effect == "delay":
            await asyncio.sleep(fault.get("ms", 1000) / 1000)
            await self.app(scope, receive, send)
        elif effect in ("status", "throttle", "reset_before") or (effect == "html" and not fault.get("apply", False)):
            await _drain(receive)
            self.journal.add(found[0], found[1], _status(fault), note=f"fault:{effect}")
            await _instead(fault, found[0], scope, send)
        else:
            await self._after(fault, scope, receive, send)

    async def _after(
        self, fault: dict[str, Any], scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        """Let the call be applied, then spoil its answer."""
        kept = _Kept()
        await self.app(scope, receive, kept)
        effect = fault["effect"]
        if effect == "reset_after":
            await cut(send)
        elif effect == "truncate":
            await kept.start(send)
            await send({"type": "http.response.body", "body": kept.body[: len(kept.body) // 2], "more_body": True})
            await cut(send, politely=True)
        elif effect == "no_success":
            await _plain(
                send, 200, kept.body.replace(b'"success": true', b'"ok": true').replace(b'"success":true', b'"ok":true')
            )
        else:
            await _plain(send, fault.get("status", 200), HTML, kind=b"text/html")


@dataclass
class _Kept:
    """An answer that was caught on its way out."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def __call__(self, message: Message) -> None:
        """Catch a message."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def start(self, send: Send) -> None:
        """Send the head as it was."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})


def where(path: str) -> tuple[str, str] | None:
    """Which API and endpoint a path belongs to; None for the control URLs and everything else."""
    if path.startswith("/lever/v1"):
        return "lever", path.removeprefix("/lever/v1") or "/"
    if path.startswith("/ashby/"):
        return "ashby", path.removeprefix("/ashby/")
    if path.startswith("/storage/"):
        return "storage", path.removeprefix("/storage")
    return None


async def cut(send: Send, *, politely: bool = False) -> None:
    """Cut the connection: at once (reset), or after what was written has left."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("connection cut by a planted fault")
    if politely:
        transport.close()
    else:
        transport.abort()
    await asyncio.sleep(0.01)


def _status(fault: dict[str, Any]) -> int:
    """The status a fault answers with (0 = none at all)."""
    default = {"throttle": 429, "reset_before": 0, "html": 200}.get(fault["effect"], 500)
    return int(fault.get("status", default))


async def _instead(fault: dict[str, Any], api: str, scope: MutableMapping[str, Any], send: Send) -> None:
    """Answer without applying anything."""
    effect = fault["effect"]
    if effect == "reset_before":
        await cut(send)
        return
    if effect == "html":
        await _plain(send, _status(fault), HTML, kind=b"text/html")
        return
    headers = [(str(name).lower().encode(), str(value).encode()) for name, value in fault.get("headers", {}).items()]
    if effect == "throttle" and fault.get("retry_after") is not None:
        headers.append((b"retry-after", str(fault["retry_after"]).encode()))
    body = fault.get("body")
    if body is None:
        body = _throttle_body(api) if effect == "throttle" else ""
    await _plain(send, _status(fault), str(body).encode(), headers=headers)


def _throttle_body(api: str) -> str:
    """The envelope of a 429 of each API."""
    if api == "ashby":
        info = {"code": "rate_limit_exceeded", "message": "Rate limit exceeded"}
        return json.dumps({"success": False, "errors": ["Rate limit exceeded"], "errorInfo": info})
    return json.dumps({"code": "TooManyRequests", "message": "Rate limit exceeded"})


async def _plain(
    send: Send,
    status: int,
    body: bytes,
    *,
    kind: bytes = b"application/json",
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    """Send a small answer."""
    head = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def _drain(receive: Receive) -> None:
    """Read the request body, so that the connection stays usable."""
    more = True
    while more:
        message = await receive()
        more = message.get("more_body", False)

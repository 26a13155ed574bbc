"""Requests and answers as bytes on a wire: read, kept, cut, garbled, or dripped."""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sandbox.faults_rows import TOKENS

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]


@dataclass
class Asked:
    """One request on its way in; ``read`` looks into its body and hands it on as it was."""

    api: str
    endpoint: str
    scope: MutableMapping[str, Any]
    receive: Receive
    body: bytes | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """What each key is called in a fault row."""

    @property
    def key(self) -> str | None:
        """The name of the key that the request carries; None for one that nobody has, and for none."""
        given = dict(self.scope["headers"]).get(b"authorization", b"").decode("latin-1")
        kind, _, value = given.partition(" ")
        if kind.lower() == "bearer":
            return "oauth"
        try:
            secret = base64.b64decode(value).decode().partition(":")[0]
        except ValueError:
            return None
        return self.names.get(secret)

    @property
    def method(self) -> str:
        """The HTTP method."""
        return str(self.scope["method"])

    @property
    def query(self) -> list[tuple[str, str]]:
        """The parameters in their order."""
        return parse_qsl(self.scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)

    @property
    def token(self) -> str | None:
        """The page token that the request carries; None when it asks for a first page."""
        found = self.member(TOKENS[self.api]) if self.api in TOKENS else None
        return None if found is None else str(found)

    def member(self, name: str) -> Any:
        """A parameter of a GET, a member of a JSON body; None when it is not there."""
        if self.method == "GET":
            return dict(self.query).get(name)
        return self._given().get(name)

    def put(self, name: str, value: Any) -> None:
        """Set (or with None remove) a parameter or a member, before the call is served."""
        if self.method == "GET":
            rest = [pair for pair in self.query if pair[0] != name]
            pairs = rest if value is None else [*rest, (name, str(value))]
            self.scope = {**self.scope, "query_string": urlencode(pairs).encode()}
        elif self.body is not None:
            given = {key: one for key, one in self._given().items() if key != name}
            self._replace(json.dumps(given if value is None else given | {name: value}).encode())

    async def read(self) -> bytes:
        """The whole body; whoever serves the request gets it again."""
        if self.body is None:
            parts, more = [], True
            while more:
                message = await self.receive()
                parts.append(message.get("body", b""))
                more = message.get("more_body", False)
            self._replace(b"".join(parts), same=True)
        return self.body or b""

    async def drain(self) -> None:
        """Read the request to its end, so that the connection stays usable."""
        await self.read()

    def _given(self) -> dict[str, Any]:
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _replace(self, body: bytes, *, same: bool = False) -> None:
        self.body = body
        given, later = [body], self.receive

        async def again() -> Message:
            if given:
                return {"type": "http.request", "body": given.pop(), "more_body": False}
            return await later()

        self.receive = again
        if not same:
            headers = [pair for pair in self.scope["headers"] if pair[0] != b"content-length"]
            self.scope = {**self.scope, "headers": [*headers, (b"content-length", str(len(body)).encode())]}


@dataclass
class Kept:
    """An answer that was caught on its way out."""

    status: int = 200
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""

    async def __call__(self, message: Message) -> None:
        """Catch a message."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    @property
    def others(self) -> list[Header]:
        """The headers without those that speak of the body."""
        return [pair for pair in self.headers if pair[0].lower() not in (b"content-length", b"content-type")]

    @property
    def kind(self) -> bytes:
        """The content type as it was."""
        return dict(self.headers).get(b"content-type", b"application/json")

    async def start(self, send: Send) -> None:
        """Send the head as it was."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})


def _transport(send: Send) -> asyncio.Transport:
    """The connection behind an answer; where there is none (a call in process) the call itself breaks off."""
    transport = getattr(getattr(inspect.unwrap(send), "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("connection cut by a planted fault")
    return transport  # type: ignore[no-any-return]


async def cut(send: Send, *, politely: bool = False) -> None:
    """Cut the connection: at once (reset), or after what was written has left."""
    transport = _transport(send)
    if politely:
        transport.close()
    else:
        transport.abort()
    await asyncio.sleep(0.01)


async def plain(
    send: Send, status: int, body: bytes, *, kind: bytes = b"application/json", headers: list[Header] | None = None
) -> None:
    """Send a small answer."""
    head = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def _late(fault: dict[str, Any], kept: Kept, send: Send) -> None:
    """Applied, and told later."""
    await asyncio.sleep(fault.get("ms", 1000) / 1000)
    await kept.start(send)
    await send({"type": "http.response.body", "body": kept.body})


async def _headers(fault: dict[str, Any], kept: Kept, send: Send) -> None:
    """The answer as it was under other headers; a date is so many seconds from the machine's now."""
    given = {name.lower(): value for name, value in fault.get("set", {}).items()}
    gone = {*given, *(name.lower() for name in fault.get("drop", ()))}
    head = [pair for pair in kept.headers if pair[0].decode("latin-1").lower() not in gone]
    for name, value in given.items():
        told = formatdate(time.time() + value["date_in"], usegmt=True) if isinstance(value, dict) else value
        head.append((name.encode(), told.encode()))
    await send({"type": "http.response.start", "status": kept.status, "headers": head})
    await send({"type": "http.response.body", "body": kept.body})


async def _reset_after(fault: dict[str, Any], kept: Kept, send: Send) -> None:
    await cut(send)


async def _part(fault: dict[str, Any], kept: Kept, send: Send, *, politely: bool) -> None:
    """The head, a part of the body, and then nothing more."""
    await kept.start(send)
    part = kept.body[: int(len(kept.body) * fault.get("keep", 0.5))]
    await send({"type": "http.response.body", "body": part, "more_body": True})
    if not politely:
        await asyncio.sleep(0.01)  # let the bytes leave before the reset throws away what has not
    await cut(send, politely=politely)


async def _truncate(fault: dict[str, Any], kept: Kept, send: Send) -> None:
    await _part(fault, kept, send, politely=True)


async def _reset_in_answer(fault: dict[str, Any], kept: Kept, send: Send) -> None:
    await _part(fault, kept, send, politely=False)


async def _wrong_length(fault: dict[str, Any], kept: Kept, send: Send) -> None:
    """A whole body under a Content-Length that is not its own; the server would refuse to send it, so by hand."""
    told = max(0, len(kept.body) + fault.get("by", 64))
    lines = [b"HTTP/1.1 %d Odd" % kept.status, b"content-length: %d" % told, b"content-type: " + kept.kind]
    lines += [name + b": " + value for name, value in kept.others]
    await raw(send, b"\r\n".join([*lines, b"connection: close"]) + b"\r\n\r\n" + kept.body)


async def raw(send: Send, data: bytes) -> None:
    """Write bytes past the server and end the connection."""
    _transport(send).write(data)
    await cut(send, politely=True)


async def _bad_gzip(fault: dict[str, Any], kept: Kept, send: Send) -> None:
    """The body as it was, said to be packed."""
    await plain(send, kept.status, kept.body, kind=kept.kind, headers=[*kept.others, (b"content-encoding", b"gzip")])


async def _trickle(fault: dict[str, Any], kept: Kept, send: Send) -> None:
    """The right body, one byte at a time, for so long; then the rest at once. Of an empty one the end is late."""
    end, sent = time.monotonic() + fault.get("for_ms", 3000) / 1000, 0
    if not kept.body:
        await _start_open(kept, send)
        await asyncio.sleep(end - time.monotonic())
    else:
        await kept.start(send)
    while sent < len(kept.body) and time.monotonic() < end:
        await send({"type": "http.response.body", "body": kept.body[sent : sent + 1], "more_body": True})
        sent += 1
        await asyncio.sleep(fault.get("ms", 20) / 1000)
    await send({"type": "http.response.body", "body": kept.body[sent:]})


async def _start_open(kept: Kept, send: Send) -> None:
    """The head of an answer that does not tell its length."""
    head = [pair for pair in kept.headers if pair[0].lower() != b"content-length"]
    await send({"type": "http.response.start", "status": kept.status, "headers": head})


async def _endless(fault: dict[str, Any], kept: Kept, send: Send) -> None:
    """The right body in chunks, and spaces behind it that do not end; after so long the connection is cut."""
    await _start_open(kept, send)
    await send({"type": "http.response.body", "body": kept.body, "more_body": True})
    end = time.monotonic() + fault.get("for_ms", 3000) / 1000
    while time.monotonic() < end:
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
        await asyncio.sleep(fault.get("ms", 20) / 1000)
    await cut(send)


Spoiler = Callable[[dict[str, Any], Kept, Send], Awaitable[None]]
SPOILERS: dict[str, Spoiler] = {
    "late": _late,
    "headers": _headers,
    "reset_after": _reset_after,
    "reset_in_answer": _reset_in_answer,
    "truncate": _truncate,
    "wrong_length": _wrong_length,
    "bad_gzip": _bad_gzip,
    "trickle": _trickle,
    "endless": _endless,
}

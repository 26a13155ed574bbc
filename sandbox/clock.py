"""The ``Date`` header: Lever's says what the Lever account's clock says, every other one what the machine's does.

A vendor's header and the dates of its records come from one clock; a client may take its windows from either.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Protocol

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@lru_cache(maxsize=64)
def http_date(second: int) -> bytes:
    """A second of the epoch as the value of a ``Date`` header."""
    return formatdate(second, usegmt=True).encode()


def dated(send: Send, now_ms: int | None) -> Send:
    """Give each answer the date of ``now_ms``, or of the machine; one that has a date keeps it."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not any(name == b"date" for name, _ in headers):
                second = int(time.time()) if now_ms is None else now_ms // 1000
                headers.append((b"date", http_date(second)))
            message = {**message, "headers": headers}
        await send(message)

    sending.__wrapped__ = send  # type: ignore[attr-defined]  # planted faults cut the connection behind it
    return sending


class Clock(Protocol):
    """What the Lever side asks of the account's clock; ``sandbox.live`` keeps it."""

    @property
    def now_ms(self) -> int | None:
        """The time of the account; None for a company that cannot be edited."""

    @property
    def waited_ms(self) -> int:
        """How much time was let pass, apart from what edits took."""

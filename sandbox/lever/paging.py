"""Offset tokens: they look like Lever's seek keys, are opaque, and stop working after a while."""

from __future__ import annotations

import bisect
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from sandbox.lever.answers import bad_request

Record = dict[str, Any]
Key = tuple[Any, ...]


class Tokens:
    """The tokens handed out; any other token, and any that is too old, is refused."""

    def __init__(self, lifetime: Callable[[], float], expired: Callable[[], None] = lambda: None) -> None:
        """``lifetime`` says how many seconds a token lives (vendor's value unknown), ``expired`` is told of an end."""
        self._lifetime, self._expired = lifetime, expired
        self._given: dict[tuple[str, str], tuple[float, Key]] = {}

    def give(self, where: str, key: Key, shown: list[Any]) -> str:
        """Make the token of the first row of the next page; it looks percent-encoded (observed)."""
        token = quote(json.dumps(shown, separators=(",", ":")), safe="")
        self._given[where, token] = (time.monotonic(), key)
        return token

    def find(self, where: str, token: str) -> Key:
        """The seek key of a token; 400 with ``Invalid offset token`` when unknown or too old (third-party report)."""
        given = self._given.get((where, token))
        is_old = given is not None and time.monotonic() - given[0] > self._lifetime()
        if is_old:
            self._expired()
        if given is None or is_old:
            raise bad_request(f"Invalid offset token: {token[:60]}")
        return given[1]

    def clear(self) -> None:
        """Forget every token, as a restart would."""
        self._given.clear()


def page(
    tokens: Tokens,
    where: str,
    rows: list[Record],
    key: Callable[[Record], Key],
    *,
    limit: int,
    offset: str | None,
    show: Callable[[Record], list[Any]],
) -> tuple[list[Record], str | None]:
    """Cut one page out of rows sorted by ``key``.

    The token is the key of the next row, so rows that come, go or move between two pages do not shift the page.
    """
    start = 0 if offset is None else bisect.bisect_left(rows, tokens.find(where, offset), key=key)
    end = start + limit
    if end >= len(rows):
        return rows[start:], None
    return rows[start:end], tokens.give(where, key(rows[end]), show(rows[end]))

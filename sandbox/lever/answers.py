"""What the Lever side sends back: JSON envelopes, errors, downloads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"server", b"lever-data-api"),
    (b"x-stream-path", b"dapi"),
)
"""Headers of recorded answers (2026); ``date`` is added by the server, ``x-lever-region`` is a switch."""


@dataclass
class Answer:
    """A finished answer."""

    status: int
    body: bytes = b""
    content_type: bytes = b"application/json; charset=utf-8"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class LeverError(Exception):
    """Ends a request with Lever's error envelope ``{"code", "message"}`` (documented)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Carry the HTTP status, Lever's code and a message."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def answer(self) -> Answer:
        """The error as an answer."""
        return dumped({"code": self.code, "message": self.message}, status=self.status)


def bad_request(message: str) -> LeverError:
    """400: a malformed parameter."""
    return LeverError(400, "BadRequestError", message)


def not_found(what: str) -> LeverError:
    """404: an unknown object or path (``ResourceNotFound``, documented)."""
    return LeverError(404, "ResourceNotFound", f"{what} was not found")


def forbidden(message: str) -> LeverError:
    """403: the key may not do this (status documented, code and wording are guesses)."""
    return LeverError(403, "ForbiddenError", message)


def dumped(payload: Any, *, status: int = 200) -> Answer:
    """Any JSON value as an answer."""
    return Answer(
        status, json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    )


def listed(rows: Iterable[bytes], *, token: str | None, has_next: bool | None) -> Answer:
    """Objects that are JSON texts already, in the envelope of a list; without ``hasNext`` where it is None."""
    body = b'{"data":[' + b",".join(rows) + b"]"
    if token is not None:
        body += b',"next":' + dumped(token).body
    if has_next is not None:
        body += b',"hasNext":' + (b"true" if has_next else b"false")
    return Answer(200, body + b"}")


def one(item: Any) -> Answer:
    """A single object under ``data``."""
    return dumped({"data": item})

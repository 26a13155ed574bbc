"""Lever's Data API v1, read only: what an answer means, lists to their end, downloads.

Facts used here (hire.lever.co/developer/documentation unless "observed"): pages of at most 100; an opaque `next` token
that must be sent back unchanged; 404 for an unknown object; 422 for a file that Lever could not process; 429 without
a documented Retry-After; 301 with the new address for what has moved; lists that hide confidential and deactivated
objects unless asked.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urljoin

from lib.errors import (
    ApiError,
    ContractError,
    FatalError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    StoreError,
    UnauthorizedError,
    UnavailableError,
)
from lib.transport import Patience, Reply, Transport, host_allowed, host_of, plain_code, retry_after, server_time
from lib.transport.moves import MOST, asked_there, is_at_home, place_of
from lib.transport.tally import Tally

PAGE = 100
MAX_PAGES = 100_000  # a bound, so that no listing can go on for ever
ASKED_AGAIN = 2  # times for a page whose token leads nowhere, or back
Query = list[tuple[str, str]]


class OffsetExpiredError(ApiError):
    """Lever does not accept the page token any more: the listing starts again from its first page."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its items and the server's time in epoch milliseconds (0 when it was not told)."""

    items: list[dict[str, Any]]
    server_ms: int


@dataclass(frozen=True, slots=True)
class Download:
    """A file that arrived whole: its bytes at `path` (a private temporary file of the caller)."""

    path: Path
    sha256: str
    size: int
    media_type: str


class Auth(Protocol):
    """How requests to Lever are signed: by a `Key`, or by `lib.oauth`. `who` may do things; `lacking` mends a 403."""

    @property
    def who(self) -> str: ...
    @property
    def lacking(self) -> str: ...
    def asking(self, ask: Callable[[Any], Reply]) -> Reply:
        """The answer to `ask(signature)`, asked once more with another signature where a 401 makes that useful."""

    def close(self) -> None:
        """Give back what was opened."""


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """An API key: HTTP Basic with the key as user name and no password (Lever's reference)."""

    value: str
    who: str = "key"
    lacking: str = "Tick this endpoint (and confidential access, which needs a new key) in Lever's settings."

    def asking(self, ask: Callable[[Any], Reply]) -> Reply:
        """There is no other signature to try: a 401 is an answer like any other."""
        return ask((self.value, ""))

    def close(self) -> None:
        """Nothing was opened."""


class Lever:
    """One Lever account, through one key or one consent."""

    def __init__(
        self, base_url: str, auth: Auth, *, transport: Transport, patience: Patience, hosts: list[str] | None = None
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._auth = auth
        self.transport = transport
        self.tally = Tally()
        self._patience = patience
        self._hosts = hosts or []
        self._looking, self._away_at, self._answered_at = threading.Lock(), float("-inf"), float("-inf")

    def close(self) -> None:
        """Give back connections."""
        self.transport.close()
        self._auth.close()

    @property
    def asks_again(self) -> bool:
        """Whether what does not come is asked for more than once, with waits in between."""
        return self._patience.attempts > 1

    def hello(self) -> None:
        """One quick try: raises when the host cannot be reached, or the key is not accepted at all."""
        try:
            self._once("/stages", [("limit", "1")])
        except UnauthorizedError as error:
            if error.status != 403:  # this list may be closed to the key; the audit says which are
                raise

    def is_away(self, *, since: float) -> bool:
        """Whether Lever as a whole gives nothing: one quick try, unless another thread has met with one or the other.

        For what was asked for in vain with all patience: is it to blame alone? What others have seen counts `since`
        then (as time.monotonic), and a good answer to anybody goes before the wrong one to a try.
        """
        with self._looking:
            if self._answered_at >= since:
                return False
            if self._away_at < since:
                try:
                    self.hello()
                except UnavailableError:
                    self._away_at = time.monotonic()
                except ApiError:
                    return False  # that is an answer, and whoever asks next meets it
            return self._away_at >= since

    def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON answer to one GET, retried while that may help."""
        return self._reply(path, query or [])[0]

    def one(self, path: str, query: Query | None = None) -> dict[str, Any]:
        """A single object, whatever its envelope."""
        answer = self.get(path, query)
        item = answer.get("data", answer) if isinstance(answer, dict) else answer
        if not isinstance(item, dict):
            raise ContractError(f"Lever: {path} did not answer with an object.")
        return item

    def pages(self, path: str, query: Query | None = None, *, limit: int | None = PAGE) -> Iterator[Page]:
        """All pages of a list. OffsetExpiredError when a token is refused half way, or comes twice: begin again."""
        token, seen = "", set()
        fixed = list(query or []) + ([("limit", str(limit))] if limit else [])
        for _ in range(MAX_PAGES):
            asked = [*fixed, ("offset", token)] if token else fixed
            answer, server_ms = self._leading_on(path, asked, seen)
            yield Page(unwrap(answer, path), server_ms)
            if not _more(answer, path):
                return
            token = answer.get("next") or ""
            if not token:
                raise ContractError(f"Lever: {path} says that there is more, and does not say where.")
            if token in seen:
                raise OffsetExpiredError(f"Lever: {path} gave a page token twice.", hint="The listing starts again.")
            seen.add(token)
        raise ContractError(f"Lever: {path} does not end.")

    def _leading_on(self, path: str, query: Query, seen: set[str]) -> tuple[Any, int]:
        """One page, asked for again when it leads nowhere or back: one wrong answer is no reason to read all again."""
        found = self._reply(path, query)
        for _ in range(ASKED_AGAIN):
            if not _more(found[0], path) or (found[0].get("next") and found[0]["next"] not in seen):
                break
            found = self._reply(path, query)
        return found

    def items(self, path: str, query: Query | None = None, *, limit: int | None = PAGE) -> list[dict[str, Any]]:
        """A whole list, restarted when a page token is refused half way."""
        for _ in range(3):
            try:
                return [item for page in self.pages(path, query, limit=limit) for item in page.items]
            except OffsetExpiredError:
                continue
        raise UnavailableError(f"Lever: {path} refused its own page tokens three times.")

    def download(self, path: str, folder: Path) -> Download:
        """Fetch a file into a private temporary file in `folder`; RejectedError when Lever cannot deliver it."""
        for attempt in self._patience.tries():
            with attempt:
                try:
                    return self._download(path, folder)
                except OSError as error:
                    reason = f"The download {path} cannot be written ({error.strerror})."
                    raise StoreError(reason, hint="Is the disk full?") from None
        raise AssertionError("a retry loop ends by itself")

    def _download(self, path: str, folder: Path) -> Download:
        handle, name = tempfile.mkstemp(dir=folder, prefix=".part-")
        target = Path(name)
        try:
            with os.fdopen(handle, "w+b") as sink:
                url = self.base_url + path
                reply = self._signed(path, sink=sink)
                for _ in range(4):
                    if reply.status not in (301, 302, 303, 307, 308):
                        break
                    url = self._next_address(path, url, reply)
                    sink.seek(0)
                    sink.truncate()
                    self.tally.count("(storage) download", of=owner_of(path))
                    reply = self.transport.send("GET", url, paced=False, sink=sink)  # never signed
                if url == self.base_url + path:
                    meaning(reply, path, self.transport, auth=self._auth)
                else:
                    _storage_meaning(reply, path, host_of(url))
                sink.flush()
                os.fsync(sink.fileno())
                sink.seek(0)
                sha = hashlib.file_digest(sink, "sha256").hexdigest()
            size = target.stat().st_size
            return Download(target, sha, size, reply.headers.get("Content-Type", "").partition(";")[0].strip().lower())
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def _next_address(self, path: str, url: str, reply: Reply) -> str:
        """Where a redirect of `url` leads: only to an allowed host. One that leads nowhere is a broken answer."""
        told = reply.headers.get("Location", "").strip()
        if not told:
            raise UnavailableError(f"Lever: the download {path} was redirected to nowhere.", status=reply.status)
        try:
            url = urljoin(url, told)
        except ValueError:
            url = ""
        if not host_allowed(url, self._hosts):
            raise FatalError(
                f"Lever: the download {path} points to a host that is not allowed: {host_of(url)}.",
                hint="If it is Lever's storage, add the host to lever.download_hosts in the params file.",
            )
        return url

    def _reply(self, path: str, query: Query) -> tuple[Any, int]:
        for attempt in self._patience.tries():
            with attempt:
                return self._once(path, query)
        raise AssertionError("a retry loop ends by itself")

    def _once(self, path: str, query: Query) -> tuple[Any, int]:
        headers = {"Accept": "application/json"}
        reply = self._signed(path, query, headers=headers)
        self._refuse_other_host(path, reply)
        meaning(reply, path, self.transport, auth=self._auth)
        answer = _json(reply, path)
        self._answered_at = time.monotonic()
        return answer, server_time(reply.headers)

    def _signed(self, path: str, query: Query | None = None, **more: Any) -> Reply:
        """The answer to a signed GET; what has moved for good is followed on Lever's own host, and nowhere else."""
        url, asked = self.base_url + path, query or []
        reply = self._sent(path, url, asked, **more)
        for _ in range(MOST):
            there = place_of(url, reply)
            if not is_at_home(there, self.base_url):
                break
            url, asked = asked_there(there, url, asked)
            reply = self._sent(path, url, asked, **more)
        return reply

    def _sent(self, path: str, url: str, query: Query, **more: Any) -> Reply:
        def ask(signature: Any) -> Reply:
            self.tally.count(endpoint_of(path), of=owner_of(path))
            return self.transport.send("GET", url, auth=signature, params=query, **more)

        return self._auth.asking(ask)

    def _refuse_other_host(self, path: str, reply: Reply) -> None:
        """Stop when a list has moved for good to a host that is not the one of the settings."""
        there = place_of(self.base_url + path, reply)
        if there and not is_at_home(there, self.base_url):
            raise FatalError(
                f"Lever: {path} has moved to another host: {host_of(there)} ({reply.status}).",
                hint="Nothing was sent there. If it is Lever's, write it as lever.base_url into the params file.",
                status=reply.status,
            )


def endpoint_of(path: str) -> str:
    """The endpoint of a path, ids as `:id`: `opportunities/:id/notes`, `opportunities/:id/files/:id/download`."""
    words = path.partition("?")[0].strip("/").split("/")
    return "/".join(":id" if place % 2 and word != "deleted" else word for place, word in enumerate(words))


def owner_of(path: str) -> str:
    """The id of the object that a path is about, or that what it asks for hangs on; "" for a list of its own."""
    words = path.strip("/").split("/")
    return words[1] if len(words) > 1 else ""


def meaning(reply: Reply, path: str, transport: Transport, *, auth: Auth | None = None) -> None:
    """Return when the answer is a good one, else raise what it means. The only place that reads Lever's statuses."""
    if reply.status == 429:
        wait = retry_after(reply.headers)
        transport.pacer.hold(wait, why="Lever asked for a slower pace (429)")
        raise RateLimitedError(f"Lever: {path} answered 429.", wait=wait, status=429)
    transport.pacer.calm()
    if reply.status == 200:
        return
    code, message = _error(reply)
    about, auth = {"status": reply.status, "code": code}, auth or Key("")
    if reply.status == 401:
        raise UnauthorizedError("Lever does not accept the key (401).", hint="Check LEVER_API_KEY.", **about)
    if reply.status == 403:
        raise UnauthorizedError(
            f"Lever: the {auth.who} may not read {path} (403).",
            hint=auth.lacking,
            **about,
        )
    if reply.status == 404:
        raise NotFoundError(f"Lever: {path} is not there (404).", **about)
    if reply.status == 400 and "offset" in message.lower():
        raise OffsetExpiredError(f"Lever: {path} refused a page token (400).", **about)
    if reply.status in (400, 413, 415, 422):
        raise RejectedError(f"Lever: {path} was refused ({reply.status} {code}).", **about)
    raise UnavailableError(f"Lever: {path} answered {reply.status}.", wait=retry_after(reply.headers), **about)


def _storage_meaning(reply: Reply, path: str, host: str) -> None:
    """The same for the host that Lever sent us to: its refusals say nothing about our key, and its pace is its own."""
    if reply.status == 200:
        return
    if reply.status in (404, 410):
        raise NotFoundError(f"Lever: the storage {host} has no bytes for {path} ({reply.status}).", status=reply.status)
    reason = f"Lever: the storage {host} answered {reply.status} for {path}."
    raise UnavailableError(reason, wait=retry_after(reply.headers), status=reply.status)


def _error(reply: Reply) -> tuple[str, str]:
    try:
        body = reply.json()
    except ValueError:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    return plain_code(body.get("code")), str(body.get("message", ""))


def _json(reply: Reply, path: str) -> Any:
    try:
        body = reply.json()
    except ValueError:
        raise UnavailableError(f"Lever: {path} answered 200 with something that is not JSON.") from None
    if not isinstance(body, dict | list):
        raise UnavailableError(f"Lever: {path} answered 200 with neither an object nor a list.")
    if isinstance(body, dict) and "data" not in body and {"code", "message"} <= body.keys():
        raise UnavailableError(f"Lever: {path} answered 200 with an error.", code=plain_code(body["code"]))
    return body


def _more(answer: Any, path: str) -> bool:
    """Whether a page says that there is another one; short lists say nothing of it (recorded), unless they name it."""
    more = answer.get("hasNext", bool(answer.get("next"))) if isinstance(answer, dict) else False
    if not isinstance(more, bool):
        raise ContractError(f"Lever: {path} does not say plainly whether there is more.")
    return more


def unwrap(answer: Any, path: str) -> list[dict[str, Any]]:
    """The items of a list answer, in any of the envelopes that Lever uses (`data` list, `data` object, bare)."""
    items = answer.get("data", answer or None) if isinstance(answer, dict) else answer
    if isinstance(items, dict):
        items = [items] if items else []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ContractError(f"Lever: {path} did not answer with a list of objects.")
    return items

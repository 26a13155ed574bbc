"""Ashby's RPC API: one `call`, and the one place where its `success` is tested.

Facts used here (developers.ashbyhq.com unless "observed"): every operation is a POST with a JSON body; business
failures come as HTTP 200 with `success:false` and `errorInfo`; there is no idempotency key; lists page by cursor and
may end with a sync token; `x-ratelimit-*` and `x-ashby-request-id` headers (observed).
Endpoints are called by the vendor's own name, `ashby.call("candidate.create", body)`; which ones exist, what a body
may hold and how a repeat behaves is data, in `contracts/ashby.json`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib import contract
from lib.errors import (
    ApiError,
    ContractError,
    FatalError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    UnauthorizedError,
    UnavailableError,
    UnknownOutcomeError,
)
from lib.transport import (
    Patience,
    Reply,
    Transport,
    host_allowed,
    host_of,
    plain_code,
    plain_word,
    retry_after,
    server_time,
    whole_number,
)
from lib.transport.tally import Tally

PAGE = 100
MAX_PAGES = 200_000
SPARE = 2  # calls of this minute's allowance that are left alone, beyond those under way that may not be counted yet
ASKED_AGAIN = 2  # times for a page whose cursor leads nowhere, or back, and for a list without pages that has more
KNOWN_VERSION = "2026-01-01"  # the one active API version (its guide on versioning, 2026): what all here is written for
RESTART_CODES = ("next_cursor_expired", "invalid_next_cursor", "cursor_invalid")
Body = Mapping[str, Any] | None
SYNC_CODES = ("sync_token_expired", "sync_token_invalid", "incremental_sync_too_large")


class CursorExpiredError(ApiError):
    """Ashby does not accept the cursor any more, or leads in a circle: the listing starts again from its first page."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: `results` as sent, paging members, warnings, and the request id for Ashby's support."""

    results: Any
    request_id: str = ""
    more: bool = False
    cursor: str = ""
    sync_token: str = ""
    warnings: list[str] = field(default_factory=list)


class Ashby:
    """One Ashby organization, through one key."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        transport: Transport,
        patience: Patience,
        hosts: list[str] | None = None,
        api_version: str = "",
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._auth = (key, "")
        self.transport = transport
        self.tally = Tally()
        self._patience = patience
        self._hosts = hosts or []
        self.skew_ms = 0  # Ashby's clock minus ours, as its last answer told
        self.tells_allowance = False  # whether an answer has said how many calls are left
        self.version = self.version_status = ""  # of the API, as its last answer told; "" when it tells none
        self._headers = {"Content-Type": "application/json", "Accept": "application/json; version=1"}
        if api_version:
            self._headers["Ashby-Version"] = api_version

    def hello(self) -> None:
        """One quick try: raises when the host cannot be reached, or the key is not accepted at all."""
        try:
            self._once("apiKey.info", {}, writes=False)
        except UnauthorizedError as error:
            if error.code != "missing_endpoint_permission":  # the audit says which permissions lack
                raise

    def call(self, endpoint: str, body: Body = None) -> Answer:
        """Make one call. Reads are retried while that may help; a write is sent exactly once.

        Raises RejectedError (refused, nothing done), RetryableError (surely nothing done), UnauthorizedError, or, for a
        write, UnknownOutcomeError: it may have been done.
        """
        body = dict(body or {})
        contract.check_body(endpoint, body)
        if contract.effect(endpoint) != "read":
            return self._once(endpoint, body, writes=True)
        return self.ask(endpoint, body)

    def ask(self, endpoint: str, body: Mapping[str, Any]) -> Answer:
        """A reading call whose body is not held against our contract: how Ashby takes what its reference leaves open.

        Raises what `call` raises; ContractError for a call that would write.
        """
        if contract.effect(endpoint) != "read":
            raise ContractError(f"{endpoint} writes: it is never called with a body that is not checked.")
        for attempt in self._patience.tries():
            with attempt:
                return self._once(endpoint, dict(body), writes=False)
        raise AssertionError("a retry loop ends by itself")

    def pages(self, endpoint: str, body: Body = None) -> Iterator[Answer]:
        """All pages of a list; the last answer carries the sync token where the endpoint has one.

        CursorExpiredError when a cursor is refused half way, or comes twice however often its page is asked for: begin
        again.
        """
        cursor, seen = "", set()
        for _ in range(MAX_PAGES):
            asked = {**(body or {}), "limit": PAGE} | ({"cursor": cursor} if cursor else {})
            answer = self._leading_on(endpoint, asked, seen)
            yield answer
            if not answer.more:
                return
            if not (cursor := answer.cursor):
                raise ContractError(f"Ashby: {endpoint} says that there is more, and does not say where.")
            if cursor in seen:
                raise CursorExpiredError(f"Ashby: {endpoint} gave a cursor twice.", hint="The listing starts again.")
            seen.add(cursor)
        raise ContractError(f"Ashby: {endpoint} does not end.")

    def _leading_on(self, endpoint: str, body: dict[str, Any], seen: set[str]) -> Answer:
        """One page, asked for again when it leads nowhere or back: one wrong answer is no reason to read all again."""
        answer = self._page(endpoint, body)
        for _ in range(ASKED_AGAIN):
            if not answer.more or (answer.cursor and answer.cursor not in seen):
                break
            answer = self._page(endpoint, body)
        return answer

    def _page(self, endpoint: str, body: dict[str, Any]) -> Answer:
        try:
            return self._listed(endpoint, body)
        except RejectedError as error:
            if error.code not in RESTART_CODES:
                raise
            about = {"status": error.status, "code": error.code, "request_id": error.request_id}
            raise CursorExpiredError(f"Ashby: {endpoint} refused a cursor ({error.code}).", **about) from None

    def items(self, endpoint: str, body: Body = None) -> list[dict[str, Any]]:
        """A whole list; a full pass is started again when its cursor is refused half way."""
        found = list[dict[str, Any]]()
        self.walked(endpoint, body, keep=found.extend, anew=found.clear)
        return found

    def walked(self, endpoint: str, body: Body, *, keep: Callable[..., object], anew: Callable[[], object]) -> str:
        """Give each page of a list to `keep`; its sync token. A refused cursor begins `anew`, at most three times."""
        for _ in range(3):
            anew()
            token = ""
            try:
                for answer in self.pages(endpoint, body):
                    keep(answer.results)
                    token = answer.sync_token
            except CursorExpiredError:
                continue
            return token
        raise UnavailableError(f"Ashby: {endpoint} refused its own cursors three times.")

    def all_of(self, endpoint: str, body: Body = None) -> list[dict[str, Any]]:
        """The results of a list that has no pages; ContractError when it keeps saying that there are more."""
        for _ in range(1 + ASKED_AGAIN):
            answer = self._listed(endpoint, body)
            if not answer.more:
                return answer.results
        raise ContractError(
            f"Ashby: {endpoint} says that there is more, and is known to have no pages.",
            hint="Nothing is taken for the whole list; look for a newer workbook.",
            request_id=answer.request_id,
        )

    def search(self, endpoint: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What a search has found: at most a hundred (Ashby's reference, "candidate.search"), and maybe not all."""
        return self._listed(endpoint, body).results

    def _listed(self, endpoint: str, body: Body) -> Answer:
        answer = self.call(endpoint, body)
        if not isinstance(answer.results, list):
            raise ContractError(f"Ashby: {endpoint} did not answer with a list.", request_id=answer.request_id)
        return answer

    def upload(self, handle: Mapping[str, Any], path: Path, *, name: str, media_type: str) -> None:
        """Put a file's bytes at a presigned address (fields first, file last, no key of ours); repeatable.

        RejectedError when the storage refuses it (a file that is too large, but also an address that has expired: it is
        asked for anew), UnavailableError when it may take the same bytes later.
        """
        url = str(handle.get("url", ""))
        if not host_allowed(url, self._hosts):
            raise FatalError(
                f"Ashby: an upload address points to a host that is not allowed: {host_of(url)}.",
                hint="If it is Ashby's storage, add the host to ashby.upload_hosts in the params file.",
            )
        fields = {str(key): str(value) for key, value in (handle.get("fields") or {}).items()}
        with path.open("rb") as source:
            files = {"file": (name, source, media_type)}
            self.tally.count("(storage) upload")
            reply = self.transport.send("POST", url, paced=False, files=files, fields=fields)
        if 400 <= reply.status < 500 and reply.status not in (408, 429):
            raise RejectedError(
                f"Ashby: the file storage refused a file (HTTP {reply.status}).",
                status=reply.status,
                code="storage_too_large" if _says_too_large(reply) else f"storage_{reply.status}",
            )
        if reply.status >= 300:
            raise UnavailableError(f"Ashby: the file storage answered {reply.status}.", status=reply.status)

    def file_sha256(self, handle: str) -> str:
        """The SHA-256 of a stored file, by its handle."""
        reply = self._stored(handle)
        if reply.status != 200:
            raise UnavailableError(f"Ashby: the file storage answered {reply.status}.", status=reply.status)
        return hashlib.sha256(reply.content).hexdigest()

    def _stored(self, handle: str) -> Reply:
        """What the storage answers for a file; an address that has expired (403) is asked for anew."""
        for attempt in self._patience.tries():
            with attempt:
                reply = self._stored_once(handle)
                if reply.status in (403, 408, 429) or reply.status >= 500:
                    raise UnavailableError(f"Ashby: the file storage answered {reply.status}.", status=reply.status)
                return reply
        raise AssertionError("a retry loop ends by itself")

    def _stored_once(self, handle: str) -> Reply:
        told = self.call("file.info", {"fileHandle": handle}).results
        url = str(told.get("url", "")) if isinstance(told, dict) else ""
        if not host_allowed(url, self._hosts):
            raise FatalError(f"Ashby: a download address points to a host that is not allowed: {host_of(url)}.")
        self.tally.count("(storage) download")
        return self.transport.send("GET", url, paced=False)

    def _once(self, endpoint: str, body: dict[str, Any], *, writes: bool) -> Answer:
        try:
            data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8")
        except ValueError:
            raise ContractError(f"A body for {endpoint} holds what JSON cannot say.") from None
        self.tally.count(endpoint)
        reply = self.transport.send(
            "POST",
            f"{self.base_url}/{endpoint}",
            writes=writes,
            auth=self._auth,
            headers=self._headers,
            data=data,
        )
        try:
            return meaning(endpoint, reply, writes=writes)
        except RateLimitedError as error:
            wait = error.wait if error.wait is not None else _until_allowed(error.code, reply.headers)
            if _too_many_at_once(error.code, reply.headers):
                self.transport.flights.crowded(calm_s=self._patience.first)
            self.transport.pacer.hold(wait, why="Ashby asked for a slower pace (429)")
            raise
        finally:
            self._observe(reply)

    def _observe(self, reply: Reply) -> None:
        """Keep to the allowance that the answer tells of, and note Ashby's clock and version."""
        pacer = self.transport.pacer
        told = server_time(reply.headers)
        self.skew_ms = told - time.time_ns() // 1_000_000 if told else self.skew_ms
        self.version = plain_word(reply.headers.get("Ashby-Version")) or self.version
        self.version_status = plain_word(reply.headers.get("Ashby-Version-Status")) or self.version_status
        if reply.status == 429:
            return
        pacer.calm()
        remaining = whole_number(reply.headers.get("x-ratelimit-remaining", ""))
        self.tells_allowance |= remaining is not None
        if remaining is not None and remaining <= self.transport.flights.under_way + SPARE:
            wait = _until_reset(reply.headers)
            if wait is not None:
                pacer.pause(wait, why="this minute's allowance at Ashby is used up")


def meaning(endpoint: str, reply: Reply, *, writes: bool) -> Answer:
    """What an answer of Ashby means: an Answer, or the error that says what to do. `success` is tested only here."""
    body = _envelope(reply)
    request_id = str(reply.headers.get("x-ashby-request-id") or "")
    if reply.status == 200 and body is not None and _succeeded(endpoint, body):
        warnings = body.get("warnings") or []
        warnings = warnings if isinstance(warnings, list) else [warnings]
        return Answer(
            body["results"],
            request_id=request_id,
            more=body.get("moreDataAvailable") is True,
            cursor=str(body.get("nextCursor") or ""),
            sync_token=str(body.get("syncToken") or ""),
            warnings=[plain_code(one) or "unlisted" for one in warnings],
        )
    code, told = _failure(body)
    about: dict[str, Any] = {"status": reply.status, "code": code, "request_id": told or request_id}
    refused = body is not None and body.get("success") is False
    slower = refused and reply.status < 500 and code in ("rate_limit_exceeded", "concurrent_limit_exceeded")
    if reply.status == 429 or slower:
        raise RateLimitedError(f"Ashby: {endpoint} answered 429.", wait=retry_after(reply.headers), **about)
    if reply.status == 401:
        raise UnauthorizedError("Ashby got no key (401).", hint="Check ASHBY_API_KEY.", **about)
    if reply.status == 403 or (refused and reply.status < 500 and code == "missing_endpoint_permission"):
        hint = "Check ASHBY_API_KEY, and the key's permissions in Ashby's admin pages."
        raise UnauthorizedError(f"Ashby: the key may not call {endpoint} ({reply.status} {code}).", hint=hint, **about)
    if refused and reply.status in (200, 400, 404, 413, 415, 422):
        kind = NotFoundError if code.endswith("not_found") else RejectedError
        raise kind(f"Ashby: {endpoint} was refused ({code or 'no code'}).", **about)
    if reply.status in (400, 404, 405, 413, 415, 422):
        raise RejectedError(f"Ashby: {endpoint} was refused (HTTP {reply.status}).", **about)
    wait = retry_after(reply.headers)
    if not writes or (reply.status == 503 and wait is not None):
        raise UnavailableError(f"Ashby: {endpoint} gave no usable answer (HTTP {reply.status}).", wait=wait, **about)
    raise UnknownOutcomeError(
        f"Ashby: {endpoint} gave no usable answer (HTTP {reply.status}); it may have been done.",
        request_id=about["request_id"],
    )


def _succeeded(endpoint: str, body: dict[str, Any]) -> bool:
    """`success` is true and says nothing else besides; what makes an object also tells which one."""
    if body.get("success") is not True or "results" not in body or body.get("errorInfo") or body.get("errors"):
        return False
    if not isinstance(body.get("moreDataAvailable"), bool | None):
        return False
    made = contract.ashby_endpoints().get(endpoint, {}).get("effect") in ("append", "get_or_create")
    return not made or (isinstance(body["results"], dict) and bool(body["results"]))


def _envelope(reply: Reply) -> dict[str, Any] | None:
    try:
        body = reply.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _failure(body: dict[str, Any] | None) -> tuple[str, str]:
    """(code, request id) of a failure envelope, in any of its known shapes."""
    if body is None:
        return "", ""
    info = body.get("errorInfo")
    info = info if isinstance(info, dict) else {}
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else ""
    if isinstance(first, dict):
        first = first.get("code")
    request_id = str(info.get("requestId") or "")
    return plain_code(info.get("code")) or plain_code(first), request_id if request_id.isalnum() else ""


def _says_too_large(reply: Reply) -> bool:
    """The words of S3's error EntityTooLarge, which comes with 400; or the status that HTTP has for it."""
    return reply.status == 413 or b"<Code>EntityTooLarge</Code>" in reply.content


def _until_allowed(code: str, headers: Mapping[str, str]) -> float | None:
    """Seconds to wait after a 429 that names none; None when it is not this minute's allowance that is used up."""
    return None if _too_many_at_once(code, headers) else _until_reset(headers)


def _too_many_at_once(code: str, headers: Mapping[str, str]) -> bool:
    """Whether a 429 speaks of calls at the same time: it says so, or this minute's allowance is not used up."""
    remaining = whole_number(headers.get("x-ratelimit-remaining", ""))
    return code == "concurrent_limit_exceeded" or (remaining is not None and remaining > 2)


def _until_reset(headers: Mapping[str, str]) -> float | None:
    """Seconds until the allowance is full again; the header holds seconds to go, epoch seconds or milliseconds."""
    number = whole_number(headers.get("x-ratelimit-reset", ""))
    if number is None:
        return None
    if number > 10**11:
        number //= 1000
    seconds = number - time.time() if number > 10**6 else float(number)
    return min(max(seconds, 0.0), 60.0)

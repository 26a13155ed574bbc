"""The RPC border: keys, permissions, limits, envelopes, headers. Handlers below know nothing of HTTP."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.ashby import applications, candidates, customfields, feedback, files, jobs, metadata
from sandbox.ashby.bodies import Endpoint, endpoints
from sandbox.ashby.checks import RefusedError, check_object, invalid
from sandbox.ashby.paging import Page
from sandbox.ashby.records import Call, Json, Key
from sandbox.ashby.state import COMPANY_NOW_MS, State
from sandbox.journal import Journal
from sandbox.limits import FixedWindow
from sandbox.settings import Settings

REQUESTS_PER_MINUTE = 1000
"""Per key and fixed window of 60 s (observed in recorded headers)."""

NO_LIMIT = 1_000_000
"""Shown as the limit when limits are off."""

TOGGLES = frozenset(("confidential", "private", "history", "behalf"))
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def request_id() -> str:
    """Return a ULID: 26 characters, time first (recorded form)."""
    number = (int(time.time() * 1000) << 80) | (uuid.uuid4().int & ((1 << 80) - 1))
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def make_keys(settings: Settings) -> dict[str, Key]:
    """Return the full key and the limited one (reads only, no toggles)."""
    table = endpoints()
    everything = frozenset(endpoint.permission for endpoint in table.values()) | {
        "offersWrite",
        "interviewsWrite",
        "apiKeysWrite",
    }
    reads = frozenset(name for name in everything if name.endswith("Read"))
    return {
        settings.ashby_key: Key("Migration", everything, TOGGLES, COMPANY_NOW_MS),
        settings.ashby_key_limited: Key("Reporting", reads, frozenset(), COMPANY_NOW_MS),
    }


class HttpError(Exception):
    """An answer that is not 200: status, code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep what the answer says."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message


class Rpc:
    """Answers one POST after the other over the current state."""

    def __init__(self, current: Callable[[], State], settings: Settings, journal: Journal) -> None:
        """Compile the table of endpoints, and give each key its window."""
        self._current = current
        self._settings = settings
        self._journal = journal
        self._endpoints = endpoints()
        self._handlers: dict[str, Callable[[State, Json, Call], Any]] = {}
        for module in (applications, candidates, customfields, feedback, files, jobs, metadata):
            self._handlers.update(module.HANDLERS)
        self._keys = make_keys(settings)
        self._windows = self._make_windows()

    def _make_windows(self) -> dict[str, FixedWindow]:
        scale = self._settings.limit_scale
        if scale is None:
            return {}
        limit = max(1, round(REQUESTS_PER_MINUTE * scale))
        return {key: FixedWindow(limit, 60) for key in self._keys}

    def reset(self) -> None:
        """Begin new windows and read the keys again."""
        self._keys = make_keys(self._settings)
        self._windows = self._make_windows()

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        name = request.path_params["endpoint"]
        rid = request_id()
        headers = {"x-ashby-request-id": rid, "Ashby-Version": metadata.API_VERSION, "Ashby-Version-Status": "active"}
        call: Call | None = None
        status, note = 200, None
        if self._settings.lag_ms:
            await asyncio.sleep(self._settings.lag_ms / 1000)
        try:
            secret, key = self._authenticate(request)
            self._count(secret, headers)
            endpoint = self._endpoint(request, name, key)
            call = self._call(request, endpoint, key)
            answer = self._answer(endpoint, call, await request.body(), request.headers.get("content-type", ""))
        except HttpError as failure:
            status, note = failure.status, failure.code
            answer = _failure(failure.code, failure.message, rid, sentence=status == 429)
        except RefusedError as refusal:
            note = refusal.code
            if refusal.code == "invalid_input":
                self._journal.reject("ashby", name, refusal.message)
            answer = _failure(refusal.code, refusal.message, rid)
            call = None
        self._record(name, status, call, note=note, rid=rid)
        return Response(answer, status, headers, media_type="application/json; charset=utf-8")

    def _record(self, name: str, status: int, call: Call | None, *, note: str | None, rid: str) -> None:
        done = call is not None and status == 200
        wrote = done and self._endpoints[name].permission.endswith("Write")
        notified = done and call is not None and call.notified
        state = self._current()
        state.writes += wrote
        state.notified += notified
        self._journal.add("ashby", name, status, write=wrote, notified=notified, note=note, request_id=rid)

    def _authenticate(self, request: Request) -> tuple[str, Key]:
        """Return the key of a Basic header: 401 without any, 403 for a wrong one (vendor guide)."""
        header = request.headers.get("authorization", "")
        if not header.lower().startswith("basic "):
            raise HttpError(401, "unauthorized", "no API key was sent")
        try:
            secret = base64.b64decode(header[6:], validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            raise HttpError(401, "unauthorized", "the Authorization header cannot be read") from None
        if not secret:
            raise HttpError(401, "unauthorized", "no API key was sent")
        key = self._keys.get(secret)
        if key is None:
            raise HttpError(403, "forbidden", "the API key is wrong or deactivated")
        return secret, self._narrowed(key) if secret == self._settings.ashby_key else key

    def _narrowed(self, key: Key) -> Key:
        """Return the full key with what an admin took away from it (switches ``key_toggles``, ``key_without``)."""
        state = self._current()
        toggles = frozenset(state.switch("key_toggles").split(","))
        without = frozenset(state.switch("key_without").split(","))
        if toggles == key.toggles and not without & key.permissions:
            return key
        return replace(key, toggles=toggles, permissions=key.permissions - without)

    def _count(self, secret: str, headers: dict[str, str]) -> None:
        """Count a request in its key's window and tell the counters in the headers."""
        window = self._windows.get(secret)
        if window is None:
            taken, limit, remaining, reset_in = True, NO_LIMIT, NO_LIMIT, 60
        else:
            taken = window.take()
            limit, remaining, reset_in = window.limit, window.remaining, window.reset_in
        headers["x-ratelimit-limit"] = str(limit)
        headers["x-ratelimit-remaining"] = str(remaining)
        headers["x-ratelimit-reset"] = str(int(time.time()) + reset_in)
        if not taken:
            if self._current().switch("retry_after") == "present":
                headers["Retry-After"] = str(max(1, reset_in))
            raise HttpError(429, "rate_limit_exceeded", "Rate limit exceeded. Please try again later.")

    def _endpoint(self, request: Request, name: str, key: Key) -> Endpoint:
        """Return the endpoint, if it exists, is POSTed to, and the key has its permission."""
        endpoint = self._endpoints.get(name)
        if endpoint is None or request.method != "POST":
            self._journal.unknown_path("ashby", f"{request.method} /{name}")
            raise HttpError(404, "not_found", "there is no such endpoint")
        if endpoint.permission not in key.permissions:
            raise HttpError(403, "missing_endpoint_permission", f"the key lacks {endpoint.permission}")
        return endpoint

    def _call(self, request: Request, endpoint: Endpoint, key: Key) -> Call:
        """Return the call with its acting user: the key's, or the one of ``X-On-Behalf-Of`` (beta)."""
        version = request.headers.get("ashby-version")
        if version is not None and version != metadata.API_VERSION:
            raise RefusedError("invalid_input", "Ashby-Version: no such version")
        state = self._current()
        actor = request.headers.get("x-on-behalf-of")
        if actor is None:
            return Call(endpoint.name, key, state.key_user)
        if "behalf" not in key.toggles or state.switch("on_behalf_of") != "on":
            raise HttpError(403, "missing_endpoint_permission", "the key may not act on behalf of a user")
        user = state.users.get(actor)
        if user is None or not user["isEnabled"]:
            raise RefusedError("user_not_found", "X-On-Behalf-Of: no enabled user")
        return Call(endpoint.name, key, actor)

    def _answer(self, endpoint: Endpoint, call: Call, raw: bytes, content_type: str) -> bytes:
        """Check the body, run the handler, wrap its results."""
        state = self._current()
        if not content_type.lower().startswith("application/json"):
            raise invalid("Content-Type: must be application/json")
        try:
            given = json.loads(raw) if raw else {}
        except ValueError:
            raise invalid("body: not JSON") from None
        strict = state.switch("unknown_members") == "refuse"
        body = check_object(endpoint.shape, given, "", strict=strict)
        results = self._handlers[endpoint.name](state, body, call)
        envelope: Json = {"success": True}
        envelope.update(results.envelope() if isinstance(results, Page) else {"results": results})
        if endpoint.name == "applicationHiringTeamRole.list":
            del envelope["success"]
        if call.warnings:
            envelope["warnings"] = call.warnings
        return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _failure(code: str, message: str, rid: str, *, sentence: bool = False) -> bytes:
    """Return the failure envelope; after a 429 ``errors`` holds a sentence instead of the code (vendor contract)."""
    errors = [message if sentence else code]
    info = {"code": code, "message": message, "requestId": rid}
    return json.dumps({"success": False, "errors": errors, "errorInfo": info}).encode()


def routes(rpc: Rpc) -> list[Route]:
    """Return the one route that takes every endpoint."""
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    return [Route("/{endpoint:path}", rpc.handle, methods=methods)]

"""The RPC border: keys, permissions, limits, envelopes, headers. Handlers below know nothing of HTTP."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.ashby import (
    applications,
    candidates,
    candidates_more,
    customfields,
    feedback,
    files,
    hiring,
    jobs,
    metadata,
    offers,
    openings,
    places,
    postings,
    projects,
    reports,
    schedules,
    surveys,
    users,
    webhooks,
)
from sandbox.ashby.bodies import Endpoint, endpoints
from sandbox.ashby.bodies_more import NOT_IMITATED
from sandbox.ashby.checks import Ignored, RefusedError, check_object, invalid
from sandbox.ashby.failures import failure, spoken_code
from sandbox.ashby.forms import FormError, parse_form
from sandbox.ashby.keys import Keys
from sandbox.ashby.paging import Page, dumped
from sandbox.ashby.records import Call, Json, Key
from sandbox.ashby.state import State
from sandbox.journal import Journal
from sandbox.settings import Settings

HANDLER_MODULES = (
    applications, candidates, candidates_more, customfields, feedback, files, hiring, jobs, metadata, offers,
    openings, places, postings, projects, reports, schedules, surveys, users, webhooks,
)  # fmt: skip

FORMS: dict[str, Callable[..., Json]] = {
    "candidate.uploadResume": files.read_form,
    "candidate.uploadFile": files.read_form,
    "applicationForm.submit": postings.read_form,
}
"""Endpoints that take multipart bodies as well, the first two deprecated (vendor contract)."""

IN_FLIGHT_MS = 5
"""So long a call is under way at least when calls at the same time are counted (switch ``concurrent_limit``)."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def request_id() -> str:
    """Return a ULID: 26 characters, time first (recorded form)."""
    number = (int(time.time() * 1000) << 80) | (uuid.uuid4().int & ((1 << 80) - 1))
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


class Rpc:
    """Answers one POST after the other over the current state."""

    def __init__(self, current: Callable[[], State], settings: Settings, journal: Journal) -> None:
        """Compile the table of endpoints."""
        self._current = current
        self._settings = settings
        self._journal = journal
        self._endpoints = endpoints()
        self._handlers: dict[str, Callable[[State, Json, Call], Any]] = {}
        for module in HANDLER_MODULES:
            self._handlers.update(module.HANDLERS)
        self._keys = Keys(current, settings)
        self._running = 0

    def reset(self) -> None:
        """Begin new windows and read the keys again."""
        self._keys.reset()

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        self._running += 1
        try:
            if wait_ms := self._settings.lag_ms or self._held_ms():
                await asyncio.sleep(wait_ms / 1000)
            return self._respond(request, await request.body())
        finally:
            self._running -= 1

    def _held_ms(self) -> int:
        """How long a call stays under way besides its lag: without any, no two would ever be served at once."""
        return IN_FLIGHT_MS if self._current().number("concurrent_limit") else 0

    def _respond(self, request: Request, raw: bytes) -> Response:
        name = request.path_params["endpoint"]
        rid = request_id()
        headers = {"x-ashby-request-id": rid, **metadata.version_headers(self._current())}
        status, note = 200, None
        call: Call | None = None
        try:
            secret, key = self._keys.authenticate(request.headers.get("authorization", ""))
            self._keys.count(secret, headers)
            self._check_size(raw)
            endpoint = self._endpoint(request, name, key)
            call = self._call(request, endpoint, key)
            answer = self._answer(endpoint, call, raw, request.headers.get("content-type", ""))
        except RefusedError as refusal:
            state, call = self._current(), None
            note, status = spoken_code(state, refusal.code), refusal.status
            if refusal.code == "invalid_input":
                self._journal.reject("ashby", name, refusal.message)
                status = int(state.decides("invalid_status"))
            answer = failure(state, note, refusal.message, rid=rid, sentence=status == 429)
        self._record(name, status, call, note=note, rid=rid)
        return Response(answer, status, headers, media_type="application/json; charset=utf-8")

    def _record(self, name: str, status: int, call: Call | None, *, note: str | None, rid: str) -> None:
        wrote = call is not None and self._endpoints[name].permission.endswith("Write")
        notified = call is not None and call.notified
        state = self._current()
        state.writes += wrote
        state.notified += notified
        self._journal.add("ashby", name, status, write=wrote, notified=notified, note=note, request_id=rid)

    def _check_size(self, raw: bytes) -> None:
        """Refuse what is too much at once or too large; neither limit has a documented figure (switches)."""
        state = self._current()
        running, size = state.number("concurrent_limit"), state.number("body_max_bytes")
        if running and self._running > running:
            state.decides("concurrent_limit")
            raise RefusedError("concurrent_limit_exceeded", "Too many requests at the same time.", status=429)
        if size and len(raw) > size:
            state.decides("body_max_bytes")
            raise RefusedError("payload_too_large", "the body is too large", status=413)

    def _endpoint(self, request: Request, name: str, key: Key) -> Endpoint:
        """Return the endpoint, if it exists, is POSTed to, and the key has its permission."""
        endpoint = self._endpoints.get(name)
        if endpoint is None or request.method != "POST":
            self._journal.unknown_path("ashby", f"{request.method} /{name}")
            if name in NOT_IMITATED:
                raise RefusedError("not_imitated", f"not in the sandbox: {NOT_IMITATED[name]}", status=501)
            raise RefusedError("not_found", "there is no such endpoint", status=404)
        if endpoint.permission not in key.permissions:
            raise RefusedError("missing_endpoint_permission", f"the key lacks {endpoint.permission}", status=403)
        return endpoint

    def _call(self, request: Request, endpoint: Endpoint, key: Key) -> Call:
        """Return the call with its acting user: the key's, or the one of ``X-On-Behalf-Of`` (beta)."""
        version = request.headers.get("ashby-version")
        state = self._current()
        if version is not None and version != state.switch("api_version"):
            raise invalid("Ashby-Version: no such version")
        actor = request.headers.get("x-on-behalf-of")
        if actor is None:
            return Call(endpoint.name, key, state.key_user)
        if "behalf" not in key.toggles or state.decides("on_behalf_of") != "on":
            raise RefusedError("missing_endpoint_permission", "the key may not act on behalf of a user", status=403)
        user = state.users.get(actor)
        if user is None or (not user["isEnabled"] and state.decides("behalf_users") == "enabled"):
            raise RefusedError("user_not_found", "X-On-Behalf-Of: no enabled user")
        return Call(endpoint.name, key, actor)

    def _answer(self, endpoint: Endpoint, call: Call, raw: bytes, content_type: str) -> bytes:
        """Check the body, run the handler, wrap its results."""
        state = self._current()
        given = _read(state, endpoint.name, raw, content_type)
        ignored: Ignored = None if state.switch("unknown_members") == "refuse" else []
        body = check_object(endpoint.shape, given, "", ignored=ignored)
        if ignored:
            state.decides("unknown_members")
        for name in ignored or ():
            self._journal.unknown_param("ashby", endpoint.name, name)
        state.look(reads=endpoint.permission.endswith("Read"))
        results = self._handlers[endpoint.name](state, body, call)
        if state.horizon and isinstance(results, list):
            results = [item for item in results if not (isinstance(item, dict) and state.hides(item.get("id", "")))]
        envelope: Json = {"success": True}
        envelope.update(results.envelope() if isinstance(results, Page) else {"results": results})
        if endpoint.name == "applicationHiringTeamRole.list":
            del envelope["success"]
        warnings = call.warnings + _planted_warnings(state, endpoint.name)
        if warnings:
            envelope["warnings"] = warnings
        text = dumped(envelope)
        return (results.filled(text) if isinstance(results, Page) else text).encode("utf-8", "replace")


def _read(state: State, name: str, raw: bytes, content_type: str) -> Any:
    """Return the body as data: JSON, or a form where the endpoint takes one."""
    kind = content_type.lower()
    if kind.startswith("multipart/form-data") and name in FORMS:
        try:
            return FORMS[name](state, name, parse_form(content_type, raw))
        except FormError as error:
            raise invalid(f"body: {error}") from None
    if not kind.startswith("application/json"):
        raise invalid("Content-Type: must be application/json")
    try:
        return json.loads(raw) if raw else {}
    except ValueError:
        raise invalid("body: not JSON") from None


def _planted_warnings(state: State, name: str) -> list[str]:
    """Return the warnings that switch ``warnings`` plants on a success: ``candidate.create:some_code,…``."""
    planted = state.switch("warnings")
    if not planted:
        return []
    rows = (row.partition(":") for row in planted.split(","))
    codes = [code for endpoint, _, code in rows if endpoint in ("*", name)]
    if codes:
        state.decides("warnings")
    return codes


def routes(rpc: Rpc) -> list[Route]:
    """Return the one route that takes every endpoint."""
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    return [Route("/{endpoint:path}", rpc.handle, methods=methods)]

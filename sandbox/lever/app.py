"""The Lever side as an ASGI application: paths, keys, limits, journal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from sandbox.clock import Clock
from sandbox.company import Company
from sandbox.journal import Journal
from sandbox.lever import apart, children, lists
from sandbox.lever.answers import HEADERS, Answer, LeverError, forbidden, not_found, one
from sandbox.lever.auth import Access, Gate
from sandbox.lever.context import Context
from sandbox.lever.deleted import deleted
from sandbox.lever.paging import Tokens
from sandbox.lever.params import Params
from sandbox.lever.rights import allowed
from sandbox.lever.state import CHILDREN, State
from sandbox.lever.switches import decides, switch
from sandbox.lever.webhooks import Webhooks
from sandbox.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[[Context, list[str]], Answer]

OPPORTUNITY_PATHS = ("opportunities", "candidates")
"""``/candidates`` is the deprecated name of the same objects (documented)."""

WRITERS: dict[tuple[str, str], Handler] = {
    ("POST", "/webhooks"): lambda ctx, parts: ctx.webhooks.create(ctx),
    ("DELETE", "/webhooks/*"): lambda ctx, parts: ctx.webhooks.delete(parts[1]),
}
"""All that can be written: a migration only reads Lever, and may want to be told of changes meanwhile."""

API = "/lever/v1"
SITE = "/lever/hire"
"""Stands for ``hire.lever.co``, the host of the user interface: a ``downloadUrl`` points there (documented)."""


class LeverApp:
    """Serves ``/lever/v1``; see README for what is imitated and what is a guess."""

    def __init__(self, company: Company, *, settings: Settings, journal: Journal, clock: Clock) -> None:
        """Serve one company."""
        self.settings = settings
        self.journal = journal
        self.state = State(company)
        self.gate = Gate(settings, clock)
        self.webhooks = Webhooks(self.state, settings=settings, clock=clock)
        self.tokens = Tokens(lambda: float(switch(settings.switches, "offset_seconds")), self._expired)
        self._handlers = _handlers()

    def _expired(self) -> None:
        decides(self.settings.switches, "offset_seconds")

    def changed(self) -> None:
        """The account was edited: read it again."""
        self.state.refresh()

    def reset(self) -> None:
        """Forget tokens, access tokens, webhooks and counters, and read the account again."""
        self.changed()
        self.gate.reset()
        self.webhooks.reset()
        self.tokens.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request below ``/lever/v1``, or the download of a ``downloadUrl``."""
        path = scope["path"].removeprefix(API).removeprefix(SITE)
        headers = dict(scope["headers"])
        if self.settings.lag_ms:
            await asyncio.sleep(self.settings.lag_ms / 1000)
        authorization = headers.get(b"authorization")
        query = scope.get("query_string", b"")
        body = b"" if scope["method"] == "GET" else await _body(receive)
        if scope["path"].startswith(SITE) and decides(self.settings.switches, "download_url_key") == "refused":
            endpoint, answer = _endpoint(_parts(path)), _signed_out()
        else:
            given = authorization and authorization.decode("latin-1")
            endpoint, answer = self._answer(scope["method"], path, query, given, body)
        self.journal.add("lever", endpoint, answer.status)
        await reply(send, answer, region=decides(self.settings.switches, "lever_region").encode())

    def _answer(
        self, method: str, path: str, query: bytes, authorization: str | None, body: bytes = b""
    ) -> tuple[str, Answer]:
        """Work out the answer; the endpoint is the path with ids replaced by ``*``."""
        parts = _parts(path)
        endpoint = _endpoint(parts)
        try:
            access = self.gate.check(authorization)
            is_file = endpoint.endswith("/download")
            free = is_file and self.gate.limited and decides(self.settings.switches, "downloads_limited") == "no"
            if not free and self.gate.throttled(access):
                return endpoint, self._throttled()
            writer = WRITERS.get((method, endpoint))
            without = switch(self.settings.switches, "lever_key_without")
            if not allowed(endpoint, scopes=access.scopes, without=without, writes=writer is not None):
                raise forbidden("This API key is not permitted to use this endpoint")
            if writer is None and method != "GET":
                raise LeverError(405, "MethodNotAllowed", "Of the sandbox's Lever only webhooks can be written")
            handler = writer or self._handlers.get(endpoint)
            if handler is None:
                self.journal.unknown_path("lever", path)
                raise not_found(f"path {path}")
            params = Params(query)
            ctx = self._context(access, params, endpoint, parts)
            ctx.body = body
            answer = handler(ctx, parts)
            for name in ("perform_as", "limit", "offset", "expand", "include"):
                params.all(name)
            for name in params.unused():
                self.journal.unknown_param("lever", endpoint, name)
            return endpoint, answer
        except LeverError as error:
            return endpoint, error.answer()

    def _context(self, access: Access, params: Params, endpoint: str, parts: list[str]) -> Context:
        """What the handler of a request needs to know."""
        kind = parts[2] if len(parts) > 2 and parts[0] in OPPORTUNITY_PATHS else parts[0]
        kind = "opportunities" if kind == "candidates" else kind
        opportunity = parts[1] if parts[0] in OPPORTUNITY_PATHS and len(parts) > 1 else ""
        known = (self.state, self.settings, self.journal, self.tokens, self.webhooks)
        return Context(*known, access, params, endpoint, kind, opportunity)

    def _throttled(self) -> Answer:
        """429; no Retry-After is documented, a switch adds one."""
        answer = LeverError(429, "TooManyRequests", "Rate limit exceeded").answer()
        seconds = decides(self.settings.switches, "lever_retry_after")
        if seconds:
            answer.headers.append((b"retry-after", seconds.encode()))
        return answer

    def stored(self, key: str) -> bytes | None:
        """The bytes behind the name of a file on the storage host; None when there are none."""
        company = self.state.company
        return company.file_bytes(key) if company.file_spec(key) else None

    async def authorize(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``GET /lever/oauth/authorize``."""
        answer = self.gate.moved(scope) or self.gate.authorize(scope.get("query_string", b""))
        self.journal.add("lever", "/oauth/authorize", answer.status)
        await reply(send, answer)

    async def token(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``POST /lever/oauth/token``."""
        body = await _body(receive)
        answer = self.gate.moved(scope) or self.gate.token(body)
        self.journal.add("lever", "/oauth/token", answer.status)
        await reply(send, answer)


async def _body(receive: Receive) -> bytes:
    """The whole body of a request."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def reply(send: Send, answer: Answer, *, region: bytes = b"global") -> None:
    """Send an answer."""
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", str(len(answer.body)).encode()),
        (b"x-lever-region", region),
        *HEADERS,
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def paths() -> tuple[str, ...]:
    """Every path the Lever side knows, with ``*`` for ids."""
    return (*_handlers(), *(path for _, path in WRITERS if "*" in path))


def _signed_out() -> Answer:
    """The user interface takes no API key: which status it has then is a guess."""
    return LeverError(401, "Unauthorized", "Sign in to Lever to see this page").answer()


def _parts(path: str) -> list[str]:
    """The segments of a path."""
    return [unquote(part) for part in path.split("/") if part]


def _endpoint(parts: list[str]) -> str:
    """A path with its ids replaced: ``/opportunities/*/notes/*``."""
    if parts[:1] == ["surveys"]:
        return "/".join(["", *parts[:2], *["*"] * len(parts[2:])])
    shown = list(parts)
    for place in (1, 3):
        if len(shown) > place and shown[place] not in ("deleted", "responses"):
            shown[place] = "*"
    return "/" + "/".join(shown)


def _handlers() -> dict[str, Handler]:
    """Every path the Lever side knows."""
    made: dict[str, Handler] = {
        "/users": lambda ctx, parts: lists.users(ctx),
        "/users/*": lambda ctx, parts: lists.single(ctx, ctx.state.users, parts[1], what="users"),
        "/postings": lambda ctx, parts: lists.postings(ctx),
        "/postings/deleted": lambda ctx, parts: deleted(
            ctx, ctx.company.deleted_postings, bounds_needed=False, month=True
        ),
        "/postings/*": lambda ctx, parts: lists.posting(ctx, parts[1]),
        "/postings/*/apply": lambda ctx, parts: lists.application_form(ctx, parts[1]),
        "/postings/*/users": lambda ctx, parts: lists.posting_users(ctx, parts[1]),
        "/stages": lambda ctx, parts: lists.paged(ctx, ctx.company.stages),
        "/stages/*": lambda ctx, parts: lists.single(ctx, ctx.state.stages, parts[1], what="stages"),
        "/disposition_stages": lambda ctx, parts: one(ctx.company.disposition),
        "/archive_reasons": lambda ctx, parts: lists.archive_reasons(ctx),
        "/sources": lambda ctx, parts: lists.paged(ctx, ctx.company.sources, lists.by_text),
        "/tags": lambda ctx, parts: lists.paged(ctx, ctx.company.tags, lists.by_text),
        "/contacts/*": lambda ctx, parts: lists.contact(ctx, parts[1]),
        "/applications/deleted": lambda ctx, parts: deleted(
            ctx, ctx.company.deleted_applications, bounds_needed=True, month=True
        ),
        "/requisitions": lambda ctx, parts: lists.requisitions(ctx),
        "/requisition_fields": lambda ctx, parts: lists.requisition_fields(ctx),
    }
    made["/requisitions/*"] = lambda ctx, parts: lists.requisition(ctx, parts[1])
    for name in ("archive_reasons", "requisition_fields"):
        made[f"/{name}/*"] = _single_of(name)
    for name in ("feedback_templates", "form_templates"):
        made[f"/{name}"] = lambda ctx, parts: lists.paged(ctx, getattr(ctx.company, parts[0]))
        made[f"/{name}/*"] = lambda ctx, parts: lists.template(ctx, parts[1])
    made |= {
        "/eeo/responses": lambda ctx, parts: apart.eeo_responses(ctx),
        "/eeo/responses/pii": lambda ctx, parts: apart.eeo_responses_pii(ctx),
        "/webhooks": lambda ctx, parts: ctx.webhooks.listed(),
        "/surveys/diversity/*": lambda ctx, parts: apart.surveys(ctx, parts[2]),
        "/audit_events": lambda ctx, parts: apart.audit_events(ctx),
    }
    for root in OPPORTUNITY_PATHS:
        _add_opportunity_paths(made, root)
    return made


def _add_opportunity_paths(made: dict[str, Handler], root: str) -> None:
    """The list, the single opportunity, its children and their downloads."""
    made[f"/{root}"] = lambda ctx, parts: lists.opportunities(ctx)
    made[f"/{root}/deleted"] = lambda ctx, parts: deleted(
        ctx, ctx.company.deleted_opportunities, bounds_needed=False, month=False
    )
    made[f"/{root}/*"] = lambda ctx, parts: one(ctx.shaper()(children.opportunity(ctx)))
    for name in (*CHILDREN, "applications"):
        made[f"/{root}/*/{name}"] = lambda ctx, parts: children.child_list(ctx)
        if name not in ("offers", "file_actions"):
            made[f"/{root}/*/{name}/*"] = lambda ctx, parts: children.child(ctx, parts[3])
    for name in ("resumes", "files", "offers"):
        made[f"/{root}/*/{name}/*/download"] = lambda ctx, parts: children.download(ctx, parts[3])


def _single_of(name: str) -> Handler:
    """A handler for one object of a short list."""

    def handler(ctx: Context, parts: list[str]) -> Answer:
        rows = {row["id"]: row for row in getattr(ctx.company, name)}
        return lists.single(ctx, rows, parts[1], what=name)

    return handler

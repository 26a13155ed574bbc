"""Puts the Lever side, the Ashby side, the storage host and the control URLs into one application."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, Router

import sandbox.ashby
import sandbox.lever
from sandbox import control
from sandbox.ashby import others as colleagues
from sandbox.clock import dated
from sandbox.company import Company, build
from sandbox.company.editing import EditError
from sandbox.faults import FaultMiddleware, Faults
from sandbox.journal import Journal
from sandbox.lever.auth import at_home
from sandbox.live import Live
from sandbox.scenarios import scenarios
from sandbox.settings import Settings

if TYPE_CHECKING:
    from sandbox.company.large import LargeCompany

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Sandbox:
    """One running sandbox: an ASGI application with its company, journal and faults."""

    def __init__(self, settings: Settings, *, on_stop: Callable[[], None] | None = None) -> None:
        """Build the company of the settings and both sides; KeyError for an unknown scenario."""
        self.settings = settings
        self.journal = Journal()
        self.last_request = time.monotonic()
        self._on_stop = on_stop
        self._scenario = scenarios()[settings.scenario]
        settings.switches.update(self._scenario.switches | settings.switches)
        self._switches = dict(settings.switches)
        self.faults = Faults(settings.seed, editable=not settings.opportunities)
        self.faults.replace(self._scenario.rows)
        self.live = Live(self)
        self._control = Mount("/_sandbox", routes=control.routes(self))
        self._assemble()

    def _assemble(self) -> None:
        """Make company, Lever side and Ashby side, and the routes over them."""
        self.company = _company(self.settings)
        settings, journal = self.settings, self.journal
        self.lever = sandbox.lever.create(self.company, settings=settings, journal=journal, clock=self.live)
        account = self.company if isinstance(self.company, Company) else self.company.account
        self.ashby = sandbox.ashby.create(account, settings=settings, journal=journal)
        self._router = Router(
            routes=[
                Mount("/ashby", routes=self.ashby.routes),
                Route("/storage/lever/{key:path}", self._stored, methods=["GET"]),
                Mount("/storage", routes=self.ashby.storage_routes),
                self._control,
            ]
        )
        hooks = {"expire_access": self._expire_access, "others": self._others}
        self._app = FaultMiddleware(
            self._serve, faults=self.faults, journal=self.journal, settings=self.settings, hooks=hooks
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        self.last_request = time.monotonic()
        now_ms = self.live.now_ms if scope["path"].startswith("/lever/") else None
        await self._app(scope, receive, dated(send, now_ms))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Behind the faults: the Lever side straight away, everything else through the router."""
        path = scope["path"]
        oauth = at_home(path)
        if oauth == "/lever/oauth/token" and scope["method"] == "POST":
            await self.lever.token(scope, receive, send)
        elif oauth == "/lever/oauth/authorize" and scope["method"] == "GET":
            await self.lever.authorize(scope, receive, send)
        elif path.startswith(("/lever/v1", "/lever/hire/")):
            await self.lever(scope, receive, send)
        else:
            await self._router(scope, receive, send)

    async def _stored(self, request: Request) -> Response:
        """A Lever file behind a redirect; like a storage host it refuses foreign authorization (guess)."""
        if "authorization" in request.headers:
            self.journal.add("storage", "lever", 400)
            return PlainTextResponse("Only one auth mechanism allowed", status_code=400)
        key = request.path_params["key"]
        body = self.lever.stored(key)
        if body is None:
            self.journal.add("storage", "lever", 404)
            return PlainTextResponse("NoSuchKey", status_code=404)
        self.journal.add("storage", "lever", 200)
        return Response(body, media_type="application/octet-stream")

    async def _expire_access(self, fault: dict[str, Any]) -> None:
        """A planted fault: all access tokens of Lever end now."""
        self.lever.gate.end_access()

    async def _others(self, fault: dict[str, Any]) -> None:
        """A planted fault: other people change something, in Lever or in Ashby; less when nothing is left to change."""
        if fault["side"] == "lever":
            with contextlib.suppress(EditError):
                self.live.others(fault.get("n", 1), fault.get("kinds"))
            return
        state = self.ashby.state
        kinds = fault.get("kinds") or list(colleagues.EDITS)
        state.others += colleagues.edit(state, fault.get("n", 1), len(state.others), kinds)

    def reset(self) -> None:
        """Back to the moment of the boot: same company, nothing written, nothing counted."""
        self.settings.switches.clear()
        self.settings.switches.update(self._switches)
        self.journal.clear()
        self.live.reset()
        self.faults.replace(self._scenario.rows)
        self.lever.reset()
        self.ashby.reset()

    def reseed(self, seed: int, people: int) -> None:
        """Serve another company under the same keys."""
        self.settings.seed, self.settings.people = seed, people
        self.faults.seed = seed
        self._assemble()
        self.reset()

    def stop(self) -> None:
        """Ask the server to end."""
        if self._on_stop is not None:
            self._on_stop()


def _company(settings: Settings) -> Company | LargeCompany:
    """The company of the settings."""
    if not settings.opportunities:
        return build(seed=settings.seed, people=settings.people, shape=settings.shape)
    from sandbox.company.large import LargeCompany  # noqa: PLC0415 - numpy is loaded for large companies only

    return LargeCompany(seed=settings.seed, opportunities=settings.opportunities)


def create_app(settings: Settings, *, on_stop: Callable[[], None] | None = None) -> Sandbox:
    """Return the application of the settings; addresses must have been filled in (``settings.bind``)."""
    return Sandbox(settings, on_stop=on_stop)

"""Puts the Lever side, the Ashby side, the storage host and the control URLs into one application."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, Router

import sandbox.ashby
import sandbox.lever
from sandbox import control
from sandbox.company import build
from sandbox.faults import FaultMiddleware, Faults
from sandbox.journal import Journal
from sandbox.scenarios import scenarios
from sandbox.settings import Settings

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
        self._switches = dict(settings.switches)
        self._scenario = scenarios()[settings.scenario]
        self.faults = Faults(settings.seed)
        self.faults.replace(self._scenario.rows)
        self._control = Mount("/_sandbox", routes=control.routes(self))
        self._assemble()

    def _assemble(self) -> None:
        """Make company, Lever side and Ashby side, and the routes over them."""
        self.company = build(seed=self.settings.seed, people=self.settings.people)
        self.lever = sandbox.lever.create(self.company, settings=self.settings, journal=self.journal)
        self.ashby = sandbox.ashby.create(self.company, settings=self.settings, journal=self.journal)
        self._router = Router(
            routes=[
                Mount("/ashby", routes=self.ashby.routes),
                Route("/storage/lever/{key:path}", self._stored, methods=["GET"]),
                Mount("/storage", routes=self.ashby.storage_routes),
                self._control,
            ]
        )
        self._app = FaultMiddleware(self._serve, faults=self.faults, journal=self.journal, settings=self.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        self.last_request = time.monotonic()
        await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Behind the faults: the Lever side straight away, everything else through the router."""
        path = scope["path"]
        if path == "/lever/oauth/token" and scope["method"] == "POST":
            await self.lever.token(scope, receive, send)
        elif path.startswith("/lever/v1"):
            await self.lever(scope, receive, send)
        else:
            await self._router(scope, receive, send)

    async def _stored(self, request: Request) -> Response:
        """A Lever file behind a redirect; like a storage host it refuses foreign authorization (guess)."""
        if "authorization" in request.headers:
            self.journal.add("storage", "lever", 400)
            return PlainTextResponse("Only one auth mechanism allowed", status_code=400)
        key = request.path_params["key"]
        if key not in self.company.file_kinds:
            self.journal.add("storage", "lever", 404)
            return PlainTextResponse("NoSuchKey", status_code=404)
        self.journal.add("storage", "lever", 200)
        return Response(self.company.file_bytes(key), media_type="application/octet-stream")

    def reset(self) -> None:
        """Back to the moment of the boot: same company, nothing written, nothing counted."""
        self.settings.switches.clear()
        self.settings.switches.update(self._switches)
        self.journal.clear()
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


def create_app(settings: Settings, *, on_stop: Callable[[], None] | None = None) -> Sandbox:
    """Return the application of the settings; addresses must have been filled in (``settings.bind``)."""
    return Sandbox(settings, on_stop=on_stop)

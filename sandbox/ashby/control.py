"""Control addresses of the Ashby side, below ``/_sandbox/ashby``: what other people do there, and the outbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.ashby import others
from sandbox.ashby.checks import RefusedError
from sandbox.ashby.records import Json
from sandbox.ashby.state import State


async def _body(request: Request) -> Json:
    """Return the JSON object that was sent, an empty one for anything else."""
    raw = await request.body()
    body = await request.json() if raw.strip() else {}
    return body if isinstance(body, dict) else {}


def _refused(message: str) -> JSONResponse:
    return JSONResponse({"ok": False, "message": message}, status_code=400)


def _applied(state: State, act: Callable[[], Json | list[Json]]) -> JSONResponse:
    """Do something as other people, log it, and answer with it."""
    state.look(reads=False)
    try:
        done = act()
    except RefusedError as refusal:
        return _refused(refusal.message)
    state.others.extend(done if isinstance(done, list) else [done])
    return JSONResponse(done)


def routes(current: Callable[[], State]) -> list[Route]:
    """Return the control routes over the current state."""

    async def merge(request: Request) -> JSONResponse:
        """Merge two candidates: ``{"keep": id, "gone": id}``."""
        body = await _body(request)
        if not {"keep", "gone"} <= set(body):
            return _refused("keep and gone are needed")
        return _applied(current(), lambda: others.merge(current(), str(body["keep"]), str(body["gone"])))

    async def delete(request: Request) -> JSONResponse:
        """Delete one thing: ``{"candidate": id}``, ``{"application": id}`` or ``{"note": id}``."""
        body = await _body(request)
        kind = next(iter(body), "")
        if len(body) != 1 or kind not in others.DELETIONS:
            return _refused(f"one of {', '.join(others.DELETIONS)} is needed")
        return _applied(current(), lambda: others.DELETIONS[kind](current(), str(body[kind])))

    async def edit(request: Request) -> JSONResponse:
        """Edit candidates that were moved: ``{"n": 5, "seed": 1, "kinds": ["tag", …]}``."""
        body = await _body(request)
        count, seed, kinds = body.get("n", 1), body.get("seed", 0), body.get("kinds") or list(others.EDITS)
        if not _sensible(count, seed, kinds):
            return _refused(f"n and seed must be whole numbers, kinds of {', '.join(others.KINDS)}")
        return _applied(current(), lambda: others.edit(current(), count, seed, kinds))

    async def outbox(request: Request) -> JSONResponse:
        """Show what webhooks would have been sent; DELETE forgets it."""
        if request.method == "DELETE":
            current().outbox.clear()
        return JSONResponse(current().outbox)

    return [
        Route("/merge", merge, methods=["POST"]),
        Route("/delete", delete, methods=["POST"]),
        Route("/edit", edit, methods=["POST"]),
        Route("/outbox", outbox, methods=["GET", "DELETE"]),
    ]


def _sensible(count: Any, seed: Any, kinds: Any) -> bool:
    numbers = all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in (count, seed))
    return numbers and isinstance(kinds, list) and set(map(str, kinds)) <= set(others.KINDS)

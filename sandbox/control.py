"""The control URLs under ``/_sandbox``: reset, seed, faults, calls, truth, state, switches, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from sandbox import ashby, choices, live
from sandbox.company import Company
from sandbox.company.truth import truth
from sandbox.lever.switches import switch

if TYPE_CHECKING:
    from sandbox.app import Sandbox


def routes(sandbox: Sandbox) -> list[Route]:
    """The control URLs of one running sandbox."""
    control = Control(sandbox)
    return [
        Route("/health", control.health),
        Route("/reset", control.reset, methods=["POST"]),
        Route("/seed", control.seed, methods=["POST"]),
        Route("/keep", control.keep, methods=["POST"]),
        Route("/back", control.back, methods=["POST"]),
        Route("/faults", control.faults, methods=["GET", "POST", "PUT", "DELETE"]),
        Route("/switches", control.switches, methods=["GET", "POST", "DELETE"]),
        Route("/calls", control.calls, methods=["GET", "DELETE"]),
        Route("/truth", control.truth),
        Route("/state", control.state),
        *live.routes(sandbox.live),
        Mount("/ashby", routes=ashby.control_routes(lambda: sandbox.ashby.state)),
        Route("/lever/outbox", control.lever_outbox, methods=["GET", "DELETE"]),
        Route("/stop", control.stop, methods=["POST"]),
    ]


class Control:
    """Answers the control URLs."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Control one sandbox."""
        self.sandbox = sandbox

    async def health(self, request: Request) -> JSONResponse:
        """Alive, and which boot this is."""
        settings = self.sandbox.settings
        return JSONResponse(
            {"ok": True, "instance": settings.instance, "seed": settings.seed, "people": settings.people}
        )

    async def reset(self, request: Request) -> JSONResponse:
        """Everything as at boot: state of both sides, journal, faults, switches."""
        self.sandbox.reset()
        return JSONResponse({"ok": True, "instance": self.sandbox.settings.instance})

    async def seed(self, request: Request) -> JSONResponse:
        """Another company: ``{"seed": 7, "people": 320}``; the keys stay the same."""
        body = await _body(request)
        seed, people = body.get("seed", self.sandbox.settings.seed), body.get("people", self.sandbox.settings.people)
        if not isinstance(seed, int) or not isinstance(people, int) or people < 1:
            return _refused("seed and people must be whole numbers, people from 1")
        self.sandbox.reseed(seed, people)
        return JSONResponse({"ok": True, "seed": seed, "people": people})

    async def keep(self, request: Request) -> JSONResponse:
        """Remember how Ashby stands: ``{"name": "loaded"}``; forgotten by the next reset."""
        self.sandbox.ashby.keep(str((await _body(request)).get("name", "")))
        return JSONResponse({"ok": True})

    async def back(self, request: Request) -> JSONResponse:
        """Ashby stands as it was kept under a ``name``, and no call was made; Lever stays as it is."""
        try:
            self.sandbox.ashby.back(str((await _body(request)).get("name", "")))
        except KeyError:
            return _refused("nothing was kept under that name")
        self.sandbox.faults.replace([])
        self.sandbox.journal.clear()
        return JSONResponse({"ok": True})

    async def faults(self, request: Request) -> JSONResponse:
        """Show, add (POST), replace (PUT) or remove (DELETE) fault rows: one row or a list of rows."""
        faults = self.sandbox.faults
        if request.method == "DELETE":
            faults.replace([])
        elif request.method in ("POST", "PUT"):
            body = await _body(request)
            rows = body if isinstance(body, list) else [body]
            try:
                (faults.replace if request.method == "PUT" else faults.extend)(rows)
            except ValueError as error:
                return _refused(str(error))
        return JSONResponse(faults.dump())

    async def switches(self, request: Request) -> JSONResponse:
        """Show all that are in force, set some (POST ``{"name": "value"}``) or go back to the defaults (DELETE).

        ``?decided=1`` names those that made an answer another one than the default makes, since the last reset.
        """
        switches = self.sandbox.settings.switches
        if request.query_params.get("decided") == "1":
            return JSONResponse(sorted(switches.decided))
        if request.method == "DELETE":
            switches.clear()
        elif request.method == "POST":
            wanted = {str(name): str(value) for name, value in (await _body(request)).items()}
            try:
                switches.update(choices.checked(wanted))
            except ValueError as error:
                return _refused(str(error))
        return JSONResponse(choices.defaults() | switches)

    async def calls(self, request: Request) -> JSONResponse:
        """Counters of all calls so far; ``?full=1`` adds the records; DELETE forgets them."""
        if request.method == "DELETE":
            self.sandbox.journal.clear()
        return JSONResponse(self.sandbox.journal.summary(full=request.query_params.get("full") == "1"))

    async def truth(self, request: Request) -> JSONResponse:
        """Who is who and what must arrive; of a large company ``?block=K`` or ``?counts=1``, never the whole."""
        company, query = self.sandbox.company, request.query_params
        counts = query.get("counts") == "1"
        uploads = switch(self.sandbox.settings.switches, "uploaded_answers") == "listed"
        if isinstance(company, Company):
            whole = truth(company, uploads=uploads)
            return JSONResponse({"counts": whole["counts"]} if counts else whole)
        from sandbox.company import large_truth  # noqa: PLC0415 - numpy is loaded for large companies only

        try:
            return JSONResponse(large_truth.asked(company, block=query.get("block"), counts=counts, uploads=uploads))
        except ValueError as error:
            return _refused(str(error))

    async def state(self, request: Request) -> JSONResponse:
        """The whole state of the Ashby side."""
        return JSONResponse(self.sandbox.ashby.dump())

    async def lever_outbox(self, request: Request) -> JSONResponse:
        """What the webhooks of Lever would have been sent; DELETE forgets it."""
        outbox = self.sandbox.lever.webhooks.outbox
        if request.method == "DELETE":
            outbox.clear()
        return JSONResponse(list(outbox))

    async def stop(self, request: Request) -> JSONResponse:
        """End the process after this answer."""
        self.sandbox.stop()
        return JSONResponse({"ok": True})


async def _body(request: Request) -> Any:
    """The JSON body, or an empty object."""
    raw = await request.body()
    return await request.json() if raw.strip() else {}


def _refused(message: str) -> JSONResponse:
    return JSONResponse({"ok": False, "message": message}, status_code=400)

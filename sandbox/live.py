"""Recruiters at work in Lever: single edits on demand, and a stream of them while somebody reads."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.company import edits
from sandbox.company.editing import EditError, Editor
from sandbox.company.model import Company, Record
from sandbox.lever.switches import decides

if TYPE_CHECKING:
    from sandbox.app import Sandbox

MOST = 10_000
"""One call makes at most so many edits, and an unattended stream ends after so many."""

KNOWN = {"n", "seed", "kinds", "edits", "wait_ms"}
KNOWN_LIVE = {"per_second", "seed", "kinds", "most"}


class Live:
    """The edits of one running sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Nothing happens until it is asked for."""
        self._sandbox = sandbox
        self._task: asyncio.Task[None] | None = None
        self._applied: list[Record] = []
        self._stopped_by = ""
        self._editor: Editor | None = None

    @property
    def editor(self) -> Editor:
        """The editor of the company that is served; EditError for a company that cannot be edited."""
        company = self._sandbox.company
        if not isinstance(company, Company):
            raise EditError("a large company cannot be edited")
        if self._editor is None or self._editor.company is not company:
            settings = self._sandbox.settings
            self._editor = edits.editor(company, switch=lambda name: decides(settings.switches, name))
            self._editor.around = self._sandbox.lever.webhooks.around
        return self._editor

    @property
    def now_ms(self) -> int | None:
        """The clock of the Lever account; None for a company that cannot be edited."""
        return self.editor.now_ms if isinstance(self._sandbox.company, Company) else None

    @property
    def waited_ms(self) -> int:
        """How much time was let pass, apart from what edits took."""
        return self.editor.waited_ms if isinstance(self._sandbox.company, Company) else 0

    def reset(self) -> None:
        """Stop, and undo every edit."""
        self.stop()
        self._applied, self._stopped_by = [], ""
        if isinstance(self._sandbox.company, Company):
            self.editor.rebuild()

    # ---- single edits ----------------------------------------------------------------------------------------------
    def edit(self, wanted: Record) -> list[Record]:
        """Make edits now: ``{"edits": [...]}`` as they stand, then ``n`` seeded ones of ``kinds``."""
        unknown = sorted(set(wanted) - KNOWN)
        if unknown:
            raise EditError(f"unknown: {', '.join(unknown)}")
        explicit, n = wanted.get("edits", []), wanted.get("n", 0 if "edits" in wanted or "wait_ms" in wanted else 1)
        wait_ms = int(wanted.get("wait_ms", 0))
        if wait_ms < 0 or not 0 <= int(n) <= MOST:
            raise EditError(f"wait_ms must not be negative, n from 0 to {MOST}")
        weights = edits.weights(wanted.get("kinds"))
        self.editor.wait(wait_ms)
        before = len(self.editor.log)
        try:
            for one in explicit:
                self.editor.apply(one)
            rng = random.Random(f"edits:{wanted.get('seed', 0)}")
            self.editor.seeded(int(n), rng, weights)
        finally:
            self._sandbox.lever.changed()
        return self.editor.log[before:]

    def others(self, n: int, kinds: list[str] | None) -> None:
        """Somebody edits something in this very moment; which seed follows from the edits made so far."""
        self.edit({"n": n, "kinds": kinds, "seed": f"others:{len(self.editor.log)}"})

    # ---- a stream of edits -----------------------------------------------------------------------------------------
    def start(self, wanted: Record) -> None:
        """Begin a stream; the same seed on the same company makes the same edits in the same order."""
        unknown = sorted(set(wanted) - KNOWN_LIVE)
        if unknown:
            raise EditError(f"unknown: {', '.join(unknown)}")
        per_second, most = float(wanted.get("per_second", 5)), int(wanted.get("most", MOST))
        if not 0 < per_second <= 1_000 or most < 1:
            raise EditError("per_second must be above 0 and at most 1000, most at least 1")
        weights = edits.weights(wanted.get("kinds"))
        rng = random.Random(f"live:{wanted.get('seed', 0)}")
        editor = self.editor
        self.stop()
        self._applied, self._stopped_by = [], ""
        self._task = asyncio.get_running_loop().create_task(self._work(editor, rng, weights, per_second, most))

    async def _work(
        self, editor: Editor, rng: random.Random, weights: dict[str, float], per_second: float, most: int
    ) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(most):
            await asyncio.sleep(max(0.0, begun + number / per_second - loop.time()))
            try:
                self._applied.append(editor.one(rng, weights))
            except EditError as error:
                self._stopped_by = str(error)
                return
            finally:
                self._sandbox.lever.changed()
        self._stopped_by = "most"

    def stop(self) -> None:
        """End the stream."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            self._stopped_by = "asked"
        self._task = None

    def status(self) -> Record:
        """Whether edits are being made, how many of each kind were, and each of them; raises what broke the stream."""
        running = self._task is not None and not self._task.done()
        if self._task is not None and not running:
            self._task.result()
        applied = dict(sorted(Counter(one["kind"] for one in self._applied).items()))
        return {
            "running": running,
            "stopped_by": None if running else self._stopped_by,
            "n": len(self._applied),
            "applied": applied,
            "log": self._applied,
        }


def routes(live: Live) -> list[Route]:
    """``/edits`` and ``/live``."""

    async def edit(request: Request) -> JSONResponse:
        """POST makes edits and answers them; GET shows all that were made, and the account's clock."""
        if request.method == "GET":
            editor = live.editor
            return JSONResponse({"now_ms": editor.now_ms, "kinds": sorted(edits.WEIGHTS), "log": editor.log})
        return JSONResponse(live.edit(await _body(request)))

    async def stream(request: Request) -> JSONResponse:
        """POST begins a stream of edits, GET shows it, DELETE ends it."""
        if request.method == "POST":
            live.start(await _body(request))
        elif request.method == "DELETE":
            live.stop()
        return JSONResponse(live.status())

    return [
        Route("/edits", _told(edit), methods=["GET", "POST"]),
        Route("/live", _told(stream), methods=["GET", "POST", "DELETE"]),
    ]


def _told(handler: Any) -> Any:
    """Answer 400 with the reason when an edit is refused or its words make no sense."""

    async def endpoint(request: Request) -> JSONResponse:
        try:
            answer: JSONResponse = await handler(request)
        except (ValueError, TypeError) as error:
            return JSONResponse({"ok": False, "message": str(error)}, status_code=400)
        return answer

    return endpoint


async def _body(request: Request) -> Record:
    """The JSON body, or an empty object."""
    raw = await request.body()
    body = await request.json() if raw.strip() else {}
    if not isinstance(body, dict):
        raise EditError("the body must be an object")
    return body

"""The Ashby side of the sandbox: an RPC API and the object storage behind its files."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from starlette.routing import Route

from sandbox.ashby.control import routes as control_routes
from sandbox.ashby.dump import dump
from sandbox.ashby.organization import build_state
from sandbox.ashby.records import Json
from sandbox.ashby.routes import Rpc, routes
from sandbox.ashby.state import State
from sandbox.ashby.storage import routes as storage_routes
from sandbox.ashby.switches import SWITCHES
from sandbox.journal import Journal
from sandbox.settings import Settings

if TYPE_CHECKING:
    from sandbox.company import Company

__all__ = ["SWITCHES", "Ashby", "create"]


class Ashby:
    """One imitated Ashby: ``routes`` belong below /ashby, ``storage_routes`` below /storage.

    ``control_routes`` (what other people do there) belong below /_sandbox/ashby.
    """

    def __init__(self, company: Company, *, settings: Settings, journal: Journal) -> None:
        """Build the organization that belongs to the company."""
        self._settings = settings
        self._rpc = Rpc(self._current, settings, journal)
        self.routes: list[Route] = routes(self._rpc)
        self.storage_routes: list[Route] = storage_routes(self._current, journal)
        self.control_routes: list[Route] = control_routes(self._current)
        self.reset(company)

    def _current(self) -> State:
        return self.state

    def reset(self, company: Company | None = None) -> None:
        """Go back to the beginning, of another company when one is given."""
        self._company = company or self._company
        self.state = build_state(
            self._company, switches=self._settings.switches, storage_url=lambda: self._settings.storage_url
        )
        self._kept: dict[str, State] = {}
        self._rpc.reset()

    def keep(self, name: str) -> None:
        """Remember under a name how everything stands, until the next reset."""
        self._kept[name] = self._copied(self.state)

    def back(self, name: str) -> None:
        """Everything stands as it was kept, as often as wanted; KeyError for an unknown name."""
        self.state = self._copied(self._kept[name])
        self._rpc.reset()

    @staticmethod
    def _copied(state: State) -> State:
        return copy.deepcopy(state, {id(state.switches): state.switches})  # switches are not what stands there

    def dump(self) -> Json:
        """Return the whole state as plain data."""
        return dump(self.state)


def create(company: Company, *, settings: Settings, journal: Journal) -> Ashby:
    """Return the Ashby side for a company; ``settings.storage_url`` may be filled in later."""
    return Ashby(company, settings=settings, journal=journal)

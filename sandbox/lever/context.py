"""What a handler of the Lever side needs to know about one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.company import Company
from sandbox.journal import Journal
from sandbox.lever.auth import Access
from sandbox.lever.paging import Tokens
from sandbox.lever.params import Params
from sandbox.lever.shape import Shaper
from sandbox.lever.state import State
from sandbox.lever.switches import decides, switch
from sandbox.lever.webhooks import Webhooks
from sandbox.settings import Settings


@dataclass
class Context:
    """One request: who asks, for what, and the state to answer from."""

    state: State
    settings: Settings
    journal: Journal
    tokens: Tokens
    webhooks: Webhooks
    access: Access
    params: Params
    endpoint: str
    kind: str
    opportunity_id: str = ""
    body: bytes = b""

    @property
    def company(self) -> Company:
        """The invented company."""
        return self.state.company

    def says(self, name: str) -> str:
        """The value of a switch."""
        return switch(self.settings.switches, name)

    def decides(self, name: str) -> str:
        """The value of a switch where its values part."""
        return decides(self.settings.switches, name)

    @property
    def place(self) -> str:
        """The list that is asked for, under whichever name: a page token is good on that one only."""
        return self.endpoint.replace("/candidates", "/opportunities", 1) + self.opportunity_id

    @property
    def site(self) -> str:
        """What stands for the host of Lever's user interface, where ``downloadUrl`` points."""
        return self.settings.lever_url.replace("/lever/v1", "/lever/hire")

    @property
    def shape(self) -> tuple[Any, ...]:
        """Everything that decides how an object of this answer looks."""
        params, switches = self.params, self.settings.switches
        return (*params.all("expand"), None, *params.all("include"), None, *sorted(switches.items()))

    def shaper(self) -> Shaper:
        """The shaper for the objects of this answer."""
        return Shaper(self.state, self.journal, self.endpoint, self.kind, self.params, self.decides)

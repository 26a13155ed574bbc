"""Webhooks of the Lever side, and the messages that registered ones would be sent.

Nothing leaves the sandbox: messages are kept, signed, in the outbox (``GET /_sandbox/lever/outbox``), where a test
reads them. Only webhooks that were made by ``POST`` are told of anything; the two that the account has are rows.
"""

from __future__ import annotations

import hmac
import json
import re
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.clock import Clock
from sandbox.company.model import NOW_MS, Record
from sandbox.lever.answers import Answer, bad_request, dumped, not_found
from sandbox.lever.happenings import EVENTS, FILTERED, Happening, happened, seen
from sandbox.lever.state import State
from sandbox.lever.switches import decides
from sandbox.settings import Settings

if TYPE_CHECKING:
    from sandbox.lever.context import Context

ORIGINS = ("applied", "sourced", "referred", "university", "internal", "agency")
KEPT = 1_000
"""Deliveries that are remembered (documented)."""
DELAYS_MS = (60_000, 300_000, 900_000, 3_600_000, 14_400_000)
"""After a failure five further tries with growing delay (documented; how long each is: a guess)."""
ANSWERS = {"2xx": 200, "3xx": 302, "never": None}
"""What the imagined receiver answers, by the value of the switch; all but 2xx is a failure (documented)."""
HEADERS = {"Content-Type": "application/json", "User-Agent": "Lever-Webhooks"}
OWNED = ("candidateHired", "candidateStageChange")
AGE_MS = 400 * 86_400_000


class Webhooks:
    """The webhooks of one account, and the outbox."""

    def __init__(self, state: State, *, settings: Settings, clock: Clock) -> None:
        """Begin with the two webhooks that the account has."""
        self._state, self._settings, self._clock = state, settings, clock
        self.reset()

    def reset(self) -> None:
        """As at the boot: what was registered is forgotten, and all that was told."""
        made = (self._hook(f"webhook:{event}", event, _url(event), at=NOW_MS - AGE_MS) for event in OWNED)
        self._hooks: dict[str, Record] = {hook["id"]: hook for hook in made}
        self._tokens: dict[str, str] = {}
        self.outbox: deque[Record] = deque(maxlen=KEPT)
        self._n_made = self._n_told = 0

    def _hook(self, topic: str, event: str, url: str, *, at: int, origins: Any = ORIGINS) -> Record:
        configuration = {"conditions": {"origins": list(origins)}} if event in FILTERED else {}
        about = {"id": self._state.company.uuid(topic), "event": event, "url": url, "configuration": configuration}
        return about | {"createdAt": at, "updatedAt": at}

    # ---- requests --------------------------------------------------------------------------------------------------
    def listed(self) -> Answer:
        """All webhooks by event and age, without their tokens; the list has no ``hasNext`` (recorded)."""
        return dumped({"data": sorted(self._hooks.values(), key=lambda hook: (hook["event"], hook["createdAt"]))})

    def create(self, ctx: Context) -> Answer:
        """Register a webhook: 201, all origins where none are named, and a token to sign with (recorded)."""
        event, url, origins = _wanted(ctx.body)
        self._n_made += 1
        hook = self._hook(f"webhook:made:{self._n_made}", event, url, at=self._clock.now_ms or NOW_MS, origins=origins)
        token = _hex(self._state, f"webhook-token:{self._n_made}")
        self._hooks[hook["id"]], self._tokens[hook["id"]] = hook, token
        configuration = hook["configuration"] | {"signatureToken": token}
        return dumped({"data": hook | {"configuration": configuration}}, status=201)

    def delete(self, hook_id: str) -> Answer:
        """Forget a webhook: 204 without a body (recorded)."""
        if self._hooks.pop(hook_id, None) is None:
            raise not_found(f"webhooks {hook_id}")
        self._tokens.pop(hook_id, None)
        return Answer(204)

    # ---- messages --------------------------------------------------------------------------------------------------
    def around(self) -> Callable[[int], None]:
        """Look at the account before an edit; what is returned fills the outbox once the edit is made."""
        if not self._tokens:
            return lambda at: None
        company = self._state.company
        before = seen(company)

        def tell(at: int) -> None:
            for one in happened(company, before, at):
                self._tell(one, at)

        return tell

    def _tell(self, one: Happening, at: int) -> None:
        """Put a message for each webhook of this event into the outbox."""
        for hook_id, token in self._tokens.items():
            hook = self._hooks[hook_id]
            wanted = hook["configuration"].get("conditions", {}).get("origins", [one.origin])
            if hook["event"] == one.event and one.origin in wanted:
                self._n_told += 1
                body = signed(one, at, _hex(self._state, f"webhook-message:{self._n_told}"), key=token)
                told = {"webhookId": hook_id, "requestUrl": hook["url"], "headers": dict(HEADERS)}
                self.outbox.append(told | {"body": json.dumps(body), "tries": self._tries(at)})

    def _tries(self, at: int) -> list[Record]:
        """When the message is sent, and what is answered each time; null is no answer at all."""
        status, times = ANSWERS[decides(self._settings.switches, "lever_hook_answers")], [at]
        if status != 200:
            times += [at + sum(DELAYS_MS[: n + 1]) for n in range(len(DELAYS_MS))]
        return [{"at": time, "status": status} for time in times]


def signed(one: Happening, at: int, token: str, *, key: str) -> Record:
    """A message: HMAC-SHA256 over its token and time, and not over its data (documented), in hex."""
    signature = hmac.digest(key.encode(), f"{token}{at}".encode(), "sha256").hex()
    return {"event": one.event, "triggeredAt": at, "token": token, "signature": signature, "data": one.data}


def _hex(state: State, topic: str) -> str:
    """48 characters, the same for the same company (recorded: so long is a token to sign with)."""
    return f"{state.company.rng(topic).getrandbits(192):048x}"


def _url(event: str) -> str:
    return f"https://hooks.fernhill.example/{event}"


def _wanted(body: bytes) -> tuple[str, str, list[str]]:
    """Event, address and origins of a webhook that is to be made; 400 for what makes no sense (guess)."""
    try:
        wanted = json.loads(body)
    except ValueError as error:
        raise bad_request("The body is not JSON") from error
    if not isinstance(wanted, dict) or wanted.get("event") not in EVENTS:
        raise bad_request(f"event must be one of {', '.join(EVENTS)}")
    url = wanted.get("url")
    if not isinstance(url, str) or not re.fullmatch(r"https://[^/\s]+(/\S*)?", url):
        raise bad_request("url must be an https address")
    origins = _member(_member(wanted, "configuration"), "conditions").get("origins")
    if origins is None:
        return wanted["event"], url, list(ORIGINS)
    if wanted["event"] not in FILTERED or not isinstance(origins, list) or not set(map(str, origins)) <= set(ORIGINS):
        raise bad_request(f"origins are some of {', '.join(ORIGINS)}, for {', '.join(FILTERED)}")
    return wanted["event"], url, origins


def _member(body: Record, name: str) -> Record:
    """An object in an object; an empty one where there is none."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}

"""Access to Lever through OAuth: one chain of refresh tokens per customer, which is never lost by us.

Each refresh gives a new refresh token and may end the old one (Lever's reference), so:
- one thread of one process asks at a time; whoever waited uses what the other one got;
- there is room on the disk before anything is asked, and the new token is on the disk before it is used;
- the old one stays beside it until the new access token has worked;
- an answer that was lost is asked for again with the same token; if that is refused, a person must consent anew.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib.errors import FatalError, StoreError, UnauthorizedError, WorkbookError
from lib.oauth.consent import answered, authorize_url, code_in, kept_state
from lib.oauth.endpoint import Answer, GrantRefusedError, OAuthClient, TokenAddress
from lib.oauth.kept import TokenFile, Tokens
from lib.transport import Patience, Reply, Transport

__all__ = [
    "GrantRefusedError", "OAuth", "OAuthClient", "TokenAddress", "TokenFile", "Tokens", "answered", "authorize_url",
    "code_in", "kept_state",
]  # fmt: skip
EARLY = 60.0  # seconds before its end a token is renewed, or a tenth of its life
TRIES = 5  # of one request whose token has ended on its way; a token that should be good is refused only once
Ask = Callable[[Any], Reply]


@dataclass(frozen=True, slots=True, repr=False)
class _Held:
    """The access token in use. `after_401`: it was asked for because of one. `worked`: Lever has accepted it."""

    tokens: Tokens
    until: float  # by the monotonic clock, seconds
    after_401: bool
    worked: bool

    def fresh(self) -> bool:
        """Not near its end by either clock: one stands still while the machine sleeps, the other may be set."""
        early = min(EARLY, self.tokens.life / 10)
        return time.monotonic() < self.until - early and time.time() < self.tokens.expires_at - early


class OAuth:
    """Signs requests to Lever with an access token, and renews it. One object for all threads of a process."""

    who = "OAuth consent"
    lacking = "Add its scope to lever.oauth.scopes, and have an admin of Lever consent anew (`workbook connect`)."

    def __init__(
        self,
        client: OAuthClient,
        folder: Path,
        *,
        customer: str,
        transport: Transport,
        patience: Patience,
        first: str = "",
        instance: str = "",
        register: Callable[[str], object] = lambda secret: None,
    ) -> None:
        """`first` is a refresh token to begin with where `folder` holds none; `instance` tells throw-away Levers apart.

        `register` is told every secret as soon as it is known, so that it can be masked.
        """
        self.customer = customer
        self.address = TokenAddress(client, customer=customer, transport=transport, patience=patience)
        self.file = TokenFile(folder)
        self._client = f"{client.client_id} {instance}".strip()
        self._first = first
        self._register = register
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._unsaved: tuple[Tokens, Tokens | None] | None = None  # what came and is not on disk; what is there
        self._refused: dict[str, UnauthorizedError] = {}
        self._stops: list[WorkbookError] = []
        for secret in (client.client_secret, first):
            register(secret)

    def close(self) -> None:
        """Give back connections."""
        self.address.transport.close()

    # ---- signing -----------------------------------------------------------------------------------------------------
    def asking(self, ask: Ask) -> Reply:
        """The answer to `ask(signature)`; a 401 renews the token and asks once more, a second one stops all."""
        for _ in range(TRIES):
            self.token()  # a refresh takes time, and here no place among the requests under way
            signature = _Bearer(self.token)
            reply = ask(signature)
            if reply.status != 401:
                if reply.status < 400:
                    self._has_worked(signature.used)
                return reply
            self._other_than(signature.used)
        raise self._not_accepted()

    def token(self) -> str:
        """An access token that is not near its end, renewed where needed."""
        held = self._held
        return held.tokens.access if held is not None and held.fresh() else self._other_than("")

    def _not_accepted(self) -> UnauthorizedError:
        return UnauthorizedError(
            "Lever does not accept an access token that it has just given (401).", hint=self._consent_hint(), status=401
        )

    def _has_worked(self, used: str) -> None:
        """From now on the refresh token before this one is of no use."""
        held = self._held
        if held is None or held.worked or held.tokens.access != used:
            return
        with self._lock:
            if self._held is not held:
                return
            self._held = replace(held, worked=True)
            with contextlib.suppress(StoreError), self.file.alone():  # the old one stays a little longer: no harm
                kept = self.file.read()
                if kept is not None and kept.previous and kept.refresh == held.tokens.refresh:
                    self.file.write(replace(kept, previous=""))

    # ---- renewing ----------------------------------------------------------------------------------------------------
    def _other_than(self, refused: str) -> str:
        """An access token that is fresh and not `refused`: another thread's, another process's, or a new one.

        A refused one that was itself made after a refusal, and has never worked, is the end of all.
        """
        n_stops = len(self._stops)
        with self._lock:
            if len(self._stops) > n_stops:  # while we waited somebody has tried in vain, as often as one may
                raise self._stops[-1]
            if (found := _usable(self._held, refused)) is not None:
                return found
            with self.file.alone():
                self._save_what_is_unsaved()
                tokens = self._kept()
                if (found := _usable(there := _read(tokens), refused)) is not None:
                    self._held = there
                    return found
                if _is_hopeless(self._held, refused):
                    raise self._not_accepted()
                try:
                    return self._refreshed(tokens, after_401=bool(refused))
                except FatalError as error:
                    self._stops.append(error)
                    raise

    def _kept(self) -> Tokens:
        """The tokens on disk; where there are none of this client, the refresh token to begin with."""
        tokens = self.file.read()
        if tokens is None or tokens.client != self._client:
            if not self._first:
                raise self._consent_needed("There is no consent of Lever for this OAuth client yet.")
            tokens = Tokens(self._client, self._first)
        for secret in (tokens.refresh, tokens.previous, tokens.access):
            self._register(secret)
        return tokens

    def _refreshed(self, tokens: Tokens, *, after_401: bool) -> str:
        """A new access token, by the refresh token in force, or else by the one before it."""
        for _ in range(TRIES):
            tokens = self._next(tokens, after_401=after_401)
            if tokens.access:
                return tokens.access
        raise FatalError("Lever gives refresh tokens, and no access token.", hint="Run the same command again later.")

    def _next(self, tokens: Tokens, *, after_401: bool) -> Tokens:
        for refresh in dict.fromkeys((tokens.refresh, tokens.previous)):
            if not refresh or refresh in self._refused:
                continue
            with self.file.room():
                began = time.monotonic()
                try:
                    answer = self.address.ask({"grant_type": "refresh_token", "refresh_token": refresh})
                except GrantRefusedError as error:
                    self._refused[refresh] = error
                    continue
                return self._keep(answer, refresh, began=began, after_401=after_401)
        refusal = self._refused[tokens.refresh]
        raise self._consent_needed(
            "Lever does not accept the refresh token any more: the consent was withdrawn or has expired, or an answer "
            "that held the next token was lost.",
            status=refusal.status,
            code=refusal.code,
        )

    def _keep(self, answer: Answer, used: str, *, began: float, after_401: bool = False) -> Tokens:
        """The answer as tokens, on disk before anybody can use them."""
        for secret in (answer.access, answer.refresh):
            self._register(secret)
        refresh = answer.refresh or used
        previous = used if refresh != used else ""
        ends = time.time() - (time.monotonic() - began) + answer.life
        tokens = Tokens(self._client, refresh, previous, answer.access, answer.life, ends)
        self._unsaved = tokens, self._on_disk()
        self.file.write(tokens)
        self._unsaved = None
        self._held = _Held(tokens, began + answer.life, after_401=after_401, worked=False)
        return tokens

    def _save_what_is_unsaved(self) -> None:
        """What came when the disk was full is still here: it goes to the disk first, unless somebody consented anew."""
        if self._unsaved is not None:
            tokens, before = self._unsaved
            if self._on_disk() == before:
                self.file.write(tokens)
            self._unsaved = None

    def _on_disk(self) -> Tokens | None:
        """What is kept, of whichever client; None for nothing, or for a damaged file."""
        try:
            return self.file.read()
        except WorkbookError:
            return None

    # ---- consent -----------------------------------------------------------------------------------------------------
    def begin(self, code: str, redirect_uri: str) -> frozenset[str]:
        """Exchange the code of a new consent and keep its tokens; the scopes that were given.

        Whatever fails, the consent that is kept stays as it is.
        """
        self._register(code)
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        with self._lock, self.file.alone(), self.file.room():
            began, old = time.monotonic(), self._on_disk()
            try:
                answer = self.address.ask(grant)
            except GrantRefusedError as error:
                told = "Lever does not accept this code: it is good once, and for a few minutes."
                raise self._consent_needed(told, status=error.status, code=error.code) from None
            if not answer.refresh:
                raise UnauthorizedError("Lever gave no refresh token.", hint="Does the client have offline_access?")
            ours = old is not None and old.client == self._client
            self._keep(answer, old.refresh if ours else "", began=began)  # the old one: until the new one has worked
            return answer.scopes

    def _consent_needed(self, told: str, **about: Any) -> UnauthorizedError:
        return UnauthorizedError(told, hint=self._consent_hint(), **about)

    def _consent_hint(self) -> str:
        return (
            f"Nothing that was read is lost. An admin of Lever must consent again: `workbook connect {self.customer}`; "
            "then run the same command again."
        )


def _usable(held: _Held | None, refused: str) -> str | None:
    """The access token, when it is fresh and not the one that was refused."""
    if held is None or held.tokens.access == refused or not held.fresh():
        return None
    return held.tokens.access


def _is_hopeless(held: _Held | None, refused: str) -> bool:
    """Whether a refresh has been tried for this very refusal."""
    return held is not None and held.tokens.access == refused and held.after_401 and not held.worked and held.fresh()


def _read(tokens: Tokens) -> _Held:
    """Tokens from the disk: their life is counted by the wall clock, and is never longer than it was told."""
    left = min(max(tokens.expires_at - time.time(), 0.0), tokens.life)
    return _Held(tokens, time.monotonic() + left, after_401=False, worked=not tokens.previous)


class _Bearer:
    """The signature of one request, made when it leaves, after all waiting; remembers which token it used."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token
        self.used = ""

    def __call__(self, request: Any) -> Any:
        """Sign a prepared request: requests calls this right before it is sent."""
        self.used = self._token()
        request.headers["Authorization"] = f"Bearer {self.used}"
        return request

"""The token address: what is asked of it, and what its answers mean.

Facts (hire.sandbox.lever.co/developer/oauth unless "guess"): form-encoded `grant_type`, `client_id`, `client_secret`
and `refresh_token`, or `code` and `redirect_uri`; access tokens live 3600 seconds; each refresh gives a new refresh
token; requests of EU customers are redirected to their data centre. Refusals are `{"error": ...}` (RFC 6749, 5.2; the
status differs between servers). Whether a refresh token works once more when its answer was lost is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from lib.errors import (
    ContractError,
    FatalError,
    RateLimitedError,
    RetryableError,
    UnauthorizedError,
    UnavailableError,
    UnknownOutcomeError,
)
from lib.transport import Patience, Reply, Transport, host_allowed, host_of, plain_code, retry_after

LIFE = 3600.0  # seconds, where the answer does not say
MOST_HOPS = 3
WRONG_CLIENT = ("access_denied", "invalid_client", "unauthorized_client")


class GrantRefusedError(UnauthorizedError):
    """The refresh token or the code is not accepted (any more): `invalid_grant`."""


@dataclass(frozen=True, slots=True, repr=False)
class OAuthClient:
    """The registered application; `hosts` may be redirected to besides the one of `token_url`."""

    client_id: str
    client_secret: str
    token_url: str
    hosts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """A good answer; what it did not hold is empty. `life` is in seconds."""

    access: str
    refresh: str
    life: float
    scopes: frozenset[str]


class TokenAddress:
    """Asks the token address; every answer that was lost, late or odd is asked for again, within bounds."""

    def __init__(self, client: OAuthClient, *, customer: str, transport: Transport, patience: Patience) -> None:
        self.client = client
        self.customer = customer
        self.transport = transport
        self._patience = patience

    def ask(self, grant: dict[str, str]) -> Answer:
        """Tokens for a grant. GrantRefusedError, UnauthorizedError (wrong client), or FatalError when nothing came."""
        try:
            for attempt in self._patience.tries():
                with attempt:
                    return self._once(grant)
        except RetryableError as error:
            raise FatalError(
                f"Lever gives no new access token. {error.message}",
                hint="The refresh token is kept and nothing that was read is lost: run the same command again later.",
                status=error.status,
            ) from None
        raise AssertionError("a retry loop ends by itself")

    def _once(self, grant: dict[str, str]) -> Answer:
        about = {"client_id": self.client.client_id, "client_secret": self.client.client_secret} | grant
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        url = self.client.token_url
        for _ in range(MOST_HOPS):
            try:
                reply = self.transport.send(
                    "POST", url, writes=True, paced=False, headers=headers, data=urlencode(about).encode()
                )
            except UnknownOutcomeError as error:  # it may have ended the token; asking once more is all there is
                raise UnavailableError(error.message) from None
            if reply.status not in (301, 302, 307, 308):
                return _meaning(reply, self.customer)
            url = self._next_address(url, reply)
        raise UnavailableError("Lever: the token address redirects in a circle.")

    def _next_address(self, url: str, reply: Reply) -> str:
        """Where a redirect leads; the secret goes to the host of the settings, or to one that they allow."""
        told = reply.headers.get("Location", "").strip()
        try:
            there = urljoin(url, told)
        except ValueError:
            there = ""
        if not told:
            raise UnavailableError("Lever: the token address was redirected to nowhere.", status=reply.status)
        if not host_allowed(there, [*self.client.hosts, urlsplit(self.client.token_url).netloc]):
            raise FatalError(
                f"Lever: the token address redirects to a host that is not allowed: {host_of(there)}.",
                hint="If it is Lever's, add it to lever.oauth.hosts in the params file. Nothing was sent there.",
            )
        return there


def _meaning(reply: Reply, customer: str) -> Answer:
    """The tokens of a good answer, else raise what it means."""
    body = _body(reply)
    if reply.status == 200:
        return _answer(body)
    code = plain_code(body.get("error"))
    about: dict[str, Any] = {"status": reply.status, "code": code}
    if reply.status == 429:
        raise RateLimitedError("Lever: the token address answered 429.", wait=retry_after(reply.headers), **about)
    if reply.status >= 500 or not code:
        wait = retry_after(reply.headers)
        raise UnavailableError(f"Lever: the token address answered {reply.status}.", wait=wait, **about)
    if code == "invalid_grant":
        raise GrantRefusedError(f"Lever does not accept the token that was sent ({reply.status} {code}).", **about)
    if code in WRONG_CLIENT:
        raise UnauthorizedError(
            f"Lever does not accept the OAuth client ({reply.status} {code}).",
            hint=f"Check its id and secret in .env.{customer}. The refresh token is kept and nothing is lost.",
            **about,
        )
    raise ContractError(f"Lever: the token address refuses what was asked ({reply.status} {code}).", **about)


def _body(reply: Reply) -> dict[str, Any]:
    try:
        body = reply.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _answer(body: dict[str, Any]) -> Answer:
    """Whatever of the tokens is there: a new refresh token is never thrown away because of what lacks beside it."""
    access, refresh = _text(body.get("access_token")), _text(body.get("refresh_token"))
    if not access and not refresh:
        raise UnavailableError("Lever: the token address answered 200 without tokens.", status=200)
    return Answer(access, refresh, _life(body.get("expires_in")), frozenset(_text(body.get("scope")).split()))


def _text(value: Any) -> str:
    """A token as it can stand in a header; else empty."""
    return value if isinstance(value, str) and value.isascii() and value.isprintable() else ""


def _life(told: Any) -> float:
    """`expires_in` as seconds; an odd one counts as not told."""
    try:
        seconds = float(told) if not isinstance(told, bool) else 0.0
    except (TypeError, ValueError, OverflowError):
        return LIFE
    return seconds if 0 < seconds < 10 * 365 * 86400 else LIFE

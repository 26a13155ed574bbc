"""Keys and OAuth tokens of the Lever side."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from sandbox.clock import Clock
from sandbox.lever import rights
from sandbox.lever.answers import Answer, LeverError, dumped
from sandbox.lever.switches import SWITCHES, decides, switch
from sandbox.limits import TokenBucket
from sandbox.settings import Settings

RATE_PER_SECOND = 10.0
BURST = 20.0
"""Token bucket per API key: 10 a second, bursts to 20 (documented)."""

DAY_MS = 86_400_000
ELSEWHERE = {"path": ("/lever/oauth/", "/lever/oauth/eu/"), "host": ("//127.0.0.1", "//localhost")}
"""What of an address of OAuth is replaced, and by what, where the switch ``oauth_redirects`` sends requests on."""


@dataclass
class Access:
    """Who is asking; ``scopes`` is None for a key, whose boxes are a switch."""

    name: str
    confidential: bool
    scopes: frozenset[str] | None = None


@dataclass(frozen=True)
class Grant:
    """What a refresh token is good for; when the consent and the token itself were given, in waited milliseconds."""

    scopes: frozenset[str]
    consented: int = 0
    given: int = 0


class Gate:
    """Checks keys, counts requests per key, and plays the OAuth server with rotating refresh tokens."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Start with the two keys of the settings and one refresh token; its days are those of ``clock``."""
        self._settings = settings
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Back to the keys and the refresh token of the boot; all access tokens end."""
        self._buckets: dict[str, TokenBucket] = {}
        self._asking: set[str] = set()
        self._bearer: dict[str, float] = {}
        self._scopes: dict[str, frozenset[str]] = {}
        self._refresh = {self._settings.lever_oauth["refresh_token"]: Grant(rights.EVERYTHING)}
        self._old_refresh: dict[str, Grant] = {}
        self._codes: dict[str, tuple[str, frozenset[str]]] = {}
        self._n_rotations = 0
        self._n_codes = 0

    def end_access(self) -> None:
        """End all access tokens, as if their hour were over; refresh tokens stay."""
        self._bearer.clear()

    def check(self, authorization: str | None) -> Access:
        """Return who is asking, or raise 401."""
        kind, _, value = (authorization or "").partition(" ")
        if kind.lower() == "basic":
            return self._basic(value)
        if kind.lower() == "bearer" and self._bearer.get(value, 0.0) > self._now():
            scopes = self._scopes[value]
            return Access("oauth", confidential=rights.CONFIDENTIAL in scopes, scopes=scopes)
        raise LeverError(401, "Unauthorized", "A valid API key or access token is needed")

    def _basic(self, value: str) -> Access:
        """The key is the user name, the password is empty (documented)."""
        try:
            key = base64.b64decode(value, validate=True).decode("utf-8").partition(":")[0]
        except (binascii.Error, UnicodeDecodeError) as error:
            raise LeverError(401, "Unauthorized", "The authorization header could not be read") from error
        if hmac.compare_digest(key.encode(), self._settings.lever_key.encode()):
            return Access("full", confidential=True)
        if hmac.compare_digest(key.encode(), self._settings.lever_key_plain.encode()):
            return Access("plain", confidential=False)
        raise LeverError(401, "Unauthorized", "The API key is not valid")

    @property
    def limited(self) -> bool:
        """Whether requests are counted at all."""
        return self._settings.limit_scale is not None

    def throttled(self, access: Access) -> bool:
        """Whether this request is over the limit of its key."""
        scale = self._settings.limit_scale
        if scale is None:
            return False
        self._asking.add(access.name)
        if len(self._asking) > 1:
            decides(self._settings.switches, "lever_buckets")
        name = access.name if switch(self._settings.switches, "lever_buckets") == "key" else "account"
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(RATE_PER_SECOND * scale, BURST * scale)
        return not bucket.take()

    def moved(self, scope: MutableMapping[str, Any]) -> Answer | None:
        """A redirect of OAuth to the account's data centre; None where it is, or where nothing is redirected.

        That requests of EU customers are redirected is documented; status and place are guesses (a switch).
        """
        how = self._says("oauth_redirects")
        url = f"http://{dict(scope['headers']).get(b'host', b'').decode('latin-1')}{scope['path']}"
        here, there = ELSEWHERE.get(how, ("", ""))
        if how == "no" or there in url or here not in url:
            return None
        decides(self._settings.switches, "oauth_redirects")
        query = scope.get("query_string", b"").decode("latin-1")
        place = f"{url.replace(here, there, 1)}{'?' * bool(query)}{query}"
        return Answer(307, headers=[(b"location", place.encode("latin-1"))])

    def authorize(self, query: bytes) -> Answer:
        """``GET /authorize``: the account's admin says yes at once, and is sent back with a code (documented flow)."""
        form = _form(query)
        back = form.get("redirect_uri", "")
        if form.get("client_id") != self._settings.lever_oauth["client_id"] or not back:
            return _oauth_error(403, "access_denied", "Unknown client or no redirect_uri")
        if form.get("response_type") != "code":
            return _oauth_error(400, "unsupported_response_type", "response_type must be code")
        wanted = frozenset(form.get("scope", "").split())
        unknown = wanted - rights.EVERYTHING - rights.APART
        if unknown:
            return _oauth_error(400, "invalid_scope", f"unknown: {' '.join(sorted(unknown))}")
        self._n_codes += 1
        code = f"sandbox-code-{self._settings.instance}-{self._n_codes}"
        self._codes[code] = (back, wanted)
        answer = {"code": code} | ({"state": form["state"]} if "state" in form else {})
        place = f"{back}{'&' if '?' in back else '?'}{urlencode(answer)}"
        return Answer(302, headers=[(b"location", place.encode())])

    def token(self, body: bytes) -> Answer:
        """``POST /oauth/token``: each refresh gives a new refresh token and ends the old one (documented)."""
        form = _form(body)
        client = self._settings.lever_oauth
        if form.get("client_id") != client["client_id"] or form.get("client_secret") != client["client_secret"]:
            return _oauth_error(401, "access_denied", "Unauthorized")
        if form.get("grant_type") == "authorization_code":
            back, scopes = self._codes.pop(form.get("code", ""), ("", frozenset()))
            if not back or form.get("redirect_uri") != back:
                return _oauth_error(403, "invalid_grant", "Invalid authorization code")
            return self._issue(scopes, self._clock.waited_ms)
        if form.get("grant_type") != "refresh_token":
            return _oauth_error(400, "unsupported_grant_type", "Only authorization_code and refresh_token here")
        return self._refreshed(form.get("refresh_token", ""))

    def _refreshed(self, refresh: str) -> Answer:
        """The next pair of tokens for a refresh token, which ends with this."""
        grant = self._refresh.pop(refresh, None)
        old = self._old_refresh.get(refresh) if grant is None else None
        if old is not None and decides(self._settings.switches, "oauth_old_refresh") == "accept":
            grant = old
        if grant is None or self._is_over(grant):
            return _oauth_error(403, "invalid_grant", "Unknown or invalid refresh token.")
        self._old_refresh[refresh] = grant
        return self._issue(grant.scopes, grant.consented)

    def _is_over(self, grant: Grant) -> bool:
        """Whether a refresh token has ended: unused for 90 days, or a year after the consent (documented)."""
        now, over = self._clock.waited_ms, False
        for name, since in (("refresh_unused_days", grant.given), ("refresh_days", grant.consented)):
            told, usual = (now - since > float(days) * DAY_MS for days in (self._says(name), SWITCHES[name]))
            if told != usual:
                decides(self._settings.switches, name)
            over = over or told
        return over

    def _says(self, name: str) -> str:
        return switch(self._settings.switches, name)

    def _now(self) -> float:
        """Seconds, those that were let pass in the account among them."""
        return time.monotonic() + self._clock.waited_ms / 1000

    def _issue(self, scopes: frozenset[str], consented: int) -> Answer:
        """A fresh access token, and with ``offline_access`` the next refresh token of a consent."""
        self._n_rotations += 1
        lifetime = float(decides(self._settings.switches, "oauth_seconds"))
        access = f"sandbox-access-{self._settings.instance}-{self._n_rotations}"
        self._bearer[access] = self._now() + lifetime
        self._scopes[access] = scopes
        answer = {"access_token": access, "scope": " ".join(sorted(scopes)), "expires_in": int(lifetime)}
        if rights.OFFLINE in scopes:
            refresh = f"{self._settings.lever_oauth['refresh_token']}-{self._n_rotations}"
            self._refresh[refresh] = Grant(scopes, consented, self._clock.waited_ms)
            answer["refresh_token"] = refresh
        return dumped(answer | {"token_type": "Bearer"})


def at_home(path: str) -> str:
    """A path of OAuth as it is where nothing was redirected."""
    here, there = ELSEWHERE["path"]
    return path.replace(there, here, 1)


def _form(raw: bytes) -> dict[str, str]:
    """Form-encoded values (documented); JSON is read too, as the identity service behind it does (guess)."""
    if raw.lstrip().startswith(b"{"):
        try:
            return {str(name): str(value) for name, value in json.loads(raw).items()}
        except ValueError:
            return {}
    return {name: values[-1] for name, values in parse_qs(raw.decode("latin-1")).items()}


def _oauth_error(status: int, error: str, description: str) -> Answer:
    return dumped({"error": error, "error_description": description}, status=status)

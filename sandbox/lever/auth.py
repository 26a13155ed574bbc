"""Keys and OAuth tokens of the Lever side."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from dataclasses import dataclass
from urllib.parse import parse_qs

from sandbox.lever.answers import Answer, LeverError, dumped
from sandbox.lever.switches import switch
from sandbox.limits import TokenBucket
from sandbox.settings import Settings

RATE_PER_SECOND = 10.0
BURST = 20.0
"""Token bucket per API key: 10 a second, bursts to 20 (documented)."""


@dataclass
class Access:
    """Who is asking."""

    name: str
    confidential: bool


class Gate:
    """Checks keys, counts requests per key, and plays the OAuth server with rotating refresh tokens."""

    def __init__(self, settings: Settings) -> None:
        """Start with the two keys of the settings and one refresh token."""
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Back to the keys and the refresh token of the boot; all access tokens end."""
        self._buckets: dict[str, TokenBucket] = {}
        self._bearer: dict[str, float] = {}
        self._refresh = self._settings.lever_oauth["refresh_token"]
        self._old_refresh: set[str] = set()
        self._n_rotations = 0

    def check(self, authorization: str | None) -> Access:
        """Return who is asking, or raise 401."""
        kind, _, value = (authorization or "").partition(" ")
        if kind.lower() == "basic":
            return self._basic(value)
        if kind.lower() == "bearer" and self._bearer.get(value, 0.0) > time.monotonic():
            return Access("oauth", confidential=True)
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

    def throttled(self, access: Access) -> bool:
        """Whether this request is over the limit of its key."""
        scale = self._settings.limit_scale
        if scale is None:
            return False
        bucket = self._buckets.get(access.name)
        if bucket is None:
            bucket = self._buckets[access.name] = TokenBucket(RATE_PER_SECOND * scale, BURST * scale)
        return not bucket.take()

    def token(self, body: bytes) -> Answer:
        """``POST /oauth/token``: each refresh gives a new refresh token and ends the old one (documented)."""
        form = {name: values[-1] for name, values in parse_qs(body.decode("latin-1")).items()}
        client = self._settings.lever_oauth
        if form.get("client_id") != client["client_id"] or form.get("client_secret") != client["client_secret"]:
            return dumped({"error": "access_denied", "error_description": "Unauthorized"}, status=401)
        if form.get("grant_type") != "refresh_token":
            return dumped(
                {"error": "unsupported_grant_type", "error_description": "Only refresh_token here"}, status=400
            )
        refresh = form.get("refresh_token", "")
        old_is_fine = switch(self._settings.switches, "oauth_old_refresh") == "accept" and refresh in self._old_refresh
        if refresh != self._refresh and not old_is_fine:
            return dumped(
                {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."}, status=403
            )
        return self._issue()

    def _issue(self) -> Answer:
        """A fresh access token and the next refresh token."""
        self._n_rotations += 1
        self._old_refresh.add(self._refresh)
        self._refresh = f"{self._settings.lever_oauth['refresh_token']}-{self._n_rotations}"
        lifetime = float(switch(self._settings.switches, "oauth_seconds"))
        access = f"sandbox-access-{self._settings.instance}-{self._n_rotations}"
        self._bearer[access] = time.monotonic() + lifetime
        return dumped(
            {
                "access_token": access,
                "refresh_token": self._refresh,
                "scope": "offline_access opportunities:read:admin confidential:access:admin",
                "expires_in": int(lifetime),
                "token_type": "Bearer",
            }
        )

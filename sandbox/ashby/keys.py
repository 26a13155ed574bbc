"""API keys: what they may do, how often they may ask, and who they act for."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable
from dataclasses import replace

from sandbox.ashby.bodies import endpoints
from sandbox.ashby.checks import RefusedError
from sandbox.ashby.records import Key
from sandbox.ashby.state import COMPANY_NOW_MS, State
from sandbox.limits import FixedWindow
from sandbox.settings import Settings

REQUESTS_PER_MINUTE = 1000
"""Per key and fixed window of 60 s (observed in recorded headers; the figure is in no official page)."""

NO_LIMIT = 1_000_000
"""Shown as the limit when limits are off."""

TOGGLES = frozenset(("confidential", "private", "history", "behalf"))


def make_keys(settings: Settings) -> dict[str, Key]:
    """Return the full key and the limited one (reads only, no toggles)."""
    everything = frozenset(endpoint.permission for endpoint in endpoints().values()) | {"offersWrite", "approvalsWrite"}
    reads = frozenset(name for name in everything if name.endswith("Read"))
    return {
        settings.ashby_key: Key("Migration", everything, TOGGLES, COMPANY_NOW_MS),
        settings.ashby_key_limited: Key("Reporting", reads, frozenset(), COMPANY_NOW_MS),
    }


class Keys:
    """The keys of one organization with their windows of the rate limit."""

    def __init__(self, current: Callable[[], State], settings: Settings) -> None:
        """Make the keys of the settings."""
        self._current = current
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Begin new windows and read the keys again."""
        self._keys = make_keys(self._settings)
        self._windows: dict[str, FixedWindow] = {}
        self._counted: set[str] = set()
        self._heads: dict[str, str] = {}

    def authenticate(self, header: str) -> tuple[str, Key]:
        """Return the key of a Basic header: 401 without any, 403 for a wrong one (vendor guide)."""
        secret = self._heads.get(header)
        if secret is None:
            secret = _secret(header)
            if secret not in self._keys:
                raise RefusedError("forbidden", "the API key is wrong or deactivated", status=403)
            self._heads[header] = secret
        key = self._keys[secret]
        return secret, self._narrowed(key) if secret == self._settings.ashby_key else key

    def _narrowed(self, key: Key) -> Key:
        """Return the full key with what an admin took away from it (switches ``key_toggles``, ``key_without``)."""
        state = self._current()
        toggles = frozenset(state.switch("key_toggles").split(","))
        without = frozenset(state.switch("key_without").split(","))
        if toggles == key.toggles and not without & key.permissions:
            return key
        return replace(key, toggles=toggles, permissions=key.permissions - without)

    def _window(self, secret: str) -> FixedWindow | None:
        """Return the window a request counts in: its key's, or everybody's (switch ``limit_scope``)."""
        scale = self._settings.limit_scale
        if scale is None:
            return None
        self._counted.add(secret)
        if len(self._counted) > 1:
            self._current().decides("limit_scope")
        scope = secret if self._current().switch("limit_scope") == "key" else ""
        if scope not in self._windows:
            self._windows[scope] = FixedWindow(max(1, round(REQUESTS_PER_MINUTE * scale)), 60)
        return self._windows[scope]

    def count(self, secret: str, headers: dict[str, str]) -> None:
        """Count a request in its window, tell the counters in the headers, or refuse with 429."""
        window = self._window(secret)
        if window is None:
            taken, limit, remaining, reset_in = True, NO_LIMIT, NO_LIMIT, 60
        else:
            taken = window.take()
            limit, remaining, reset_in = window.limit, window.remaining, window.reset_in
        state = self._current()
        reset_at = int(time.time()) + reset_in
        headers["x-ratelimit-limit"] = str(limit)
        headers["x-ratelimit-remaining"] = str(remaining)
        headers["x-ratelimit-reset"] = str(reset_at if state.decides("reset_unit") == "s" else reset_at * 1000)
        if not taken:
            if state.decides("retry_after") == "present":
                headers["Retry-After"] = str(max(1, reset_in))
            raise RefusedError("rate_limit_exceeded", "Rate limit exceeded. Please try again later.", status=429)


def _secret(header: str) -> str:
    """Return the user name of a Basic header."""
    if not header.lower().startswith("basic "):
        raise RefusedError("unauthorized", "no API key was sent", status=401)
    try:
        secret = base64.b64decode(header[6:], validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        raise RefusedError("unauthorized", "the Authorization header cannot be read", status=401) from None
    if not secret:
        raise RefusedError("unauthorized", "no API key was sent", status=401)
    return secret

"""Settings of one running sandbox, shared by the Lever side, the Ashby side and the control URLs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.company.shape import Shape


class Switches(dict[str, str]):
    """The switches that are set, and which of them made an answer another one since they were cleared."""

    def __init__(self, chosen: Mapping[str, str] = {}) -> None:
        super().__init__(chosen)
        self.decided: set[str] = set()

    def clear(self) -> None:
        """Back to the defaults."""
        super().clear()
        self.decided.clear()


def decides(switches: Mapping[str, str], name: str, default: str) -> str:
    """Return a switch, and note that it decided something unless it stands at its default.

    To be asked where its values part, not before: a switch that is merely read makes no answer another one.
    """
    value = switches.get(name, default)
    if value != default and isinstance(switches, Switches):
        switches.decided.add(name)
    return value


@dataclass
class Settings:
    """Everything that can be chosen for a boot; addresses are filled in once the port is known.

    ``limit_scale`` is None when rate limits are off, 1.0 for the vendors' limits, k for k times as much.
    ``switches`` holds the answers to questions the vendors leave open (see README, "Switches").
    ``lag_ms`` is added to every answer of the two APIs. ``opportunities`` above 0 asks for a large company of about so
    many instead of one of ``people``. ``shape`` makes that one's people different from ordinary ones.
    """

    seed: int = 7
    people: int = 320
    opportunities: int = 0
    limits: str = "real"
    limit_scale: float | None = 1.0
    lag_ms: int = 0
    scenario: str = "calm"
    storage_url: str = ""
    lever_url: str = ""
    ashby_url: str = ""
    lever_key: str = ""
    lever_key_plain: str = ""
    ashby_key: str = ""
    ashby_key_limited: str = ""
    switches: Switches = field(default_factory=Switches)
    shape: Shape = field(default_factory=Shape)
    instance: str = ""
    lever_oauth: dict[str, str] = field(default_factory=dict)


def parse_limits(text: str) -> float | None:
    """Read ``real`` (1.0), ``off`` (None) or ``x20`` (20.0); anything else is a ValueError."""
    if text == "real":
        return 1.0
    if text == "off":
        return None
    if text.startswith("x"):
        scale = float(text[1:])
        if scale > 0:
            return scale
    raise ValueError(f"limits must be real, off or x<number>, not {text!r}")


def _hex(seed: int, topic: str, length: int) -> str:
    """Return a reproducible hex string for one topic of a seed."""
    return f"{random.Random(f'{seed}:{topic}').getrandbits(length * 4):0{length}x}"


def make(
    *,
    seed: int,
    people: int,
    opportunities: int = 0,
    limits: str = "real",
    lag_ms: int = 0,
    scenario: str = "calm",
    instance: str = "",
    switches: dict[str, str] | None = None,
    shape: Shape | None = None,
) -> Settings:
    """Build the settings of a boot with keys that follow from the seed; addresses stay empty (see ``bind``)."""
    settings = Settings(
        seed=seed,
        people=people,
        opportunities=opportunities,
        limits=limits,
        limit_scale=parse_limits(limits),
        lag_ms=lag_ms,
        scenario=scenario,
        switches=Switches(switches or {}),
        shape=shape or Shape(),
        instance=instance or f"{random.SystemRandom().getrandbits(64):016x}",
    )
    _set_keys(settings)
    return settings


def _set_keys(settings: Settings) -> None:
    """Derive the keys and the OAuth client of both sides from the seed."""
    seed = settings.seed
    settings.lever_key = f"sandbox-lever-full-{_hex(seed, 'key:lever', 24)}"
    settings.lever_key_plain = f"sandbox-lever-plain-{_hex(seed, 'key:lever-plain', 24)}"
    settings.ashby_key = f"sandbox-ashby-full-{_hex(seed, 'key:ashby', 24)}"
    settings.ashby_key_limited = f"sandbox-ashby-limited-{_hex(seed, 'key:ashby-limited', 24)}"
    settings.lever_oauth = {
        "client_id": f"sandbox-client-{_hex(seed, 'oauth:id', 12)}",
        "client_secret": f"sandbox-secret-{_hex(seed, 'oauth:secret', 24)}",
        "refresh_token": f"sandbox-refresh-{_hex(seed, 'oauth:refresh', 24)}",
        "authorize_url": "",
        "token_url": "",
    }


def bind(settings: Settings, base: str, storage: str = "") -> Settings:
    """Fill in the addresses below ``base`` (``http://127.0.0.1:PORT``) and return the same settings.

    ``storage`` is the base of the storage host: another port, so that clients take it for the other host it is at the
    vendors, and leave their key behind when they follow a redirect to it.
    """
    settings.lever_url = f"{base}/lever/v1"
    settings.ashby_url = f"{base}/ashby"
    settings.storage_url = f"{storage or base}/storage"
    settings.lever_oauth["authorize_url"] = f"{base}/lever/oauth/authorize"
    settings.lever_oauth["token_url"] = f"{base}/lever/oauth/token"
    return settings

"""Which endpoints and kinds of edits there are: a fault row that names another one could never strike."""

from __future__ import annotations

import re
from functools import lru_cache

from sandbox.ashby import bodies, bodies_more, others
from sandbox.company import edits
from sandbox.lever import app as lever

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:\w+)?")
_NAMED = ("/stages/*", "/requisition_fields/*", "/ashby/file/*")
"""Paths whose last segment may be any word: a slug (recorded), or a token of the storage."""


@lru_cache
def endpoints() -> dict[str, tuple[str, ...]]:
    """Every endpoint of each api, as a fault row sees it: names of Ashby, paths of the others with ``*`` for ids."""
    return {
        "lever": lever.paths(),
        "ashby": (*bodies.endpoints(), *bodies_more.NOT_IMITATED),
        "storage": ("/ashby/upload", "/ashby/file/*", "/lever/*"),
        "oauth": ("/token", "/authorize"),
    }


def kinds(side: str) -> tuple[str, ...]:
    """The kinds of edits that other people can make on one side."""
    return tuple(edits.WEIGHTS if side == "lever" else others.KINDS)


def can_strike(pattern: str, *, api: str | None, writes: bool) -> bool:
    """Whether a pattern fits any endpoint of an api (of any api when None is named)."""
    known = {api: endpoints()[api]} if api else endpoints()
    return any(
        matches(pattern, name, writes=writes) if side == "ashby" else not writes and _meets(pattern, name)
        for side, names in known.items()
        for name in names
    )


def _meets(pattern: str, path: str) -> bool:
    """Whether a pattern fits some call of a path: ``*`` on either side, or the same word; an id only where ids are."""
    wanted, given = pattern.strip("/").split("/"), path.strip("/").split("/")
    return len(wanted) == len(given) and all(
        a in ("*", b) or (b == "*" and (path in _NAMED or _ID.fullmatch(a) is not None))
        for a, b in zip(wanted, given, strict=True)
    )


def matches(pattern: str | None, endpoint: str, *, writes: bool = False) -> bool:
    """Whether an endpoint fits: ``candidate.create``, ``candidate.*``, or a Lever path with ``*`` for one segment."""
    if writes and not is_write(endpoint):
        return False
    if pattern is None or pattern == endpoint:
        return True
    if endpoint.startswith("/"):
        wanted, given = pattern.strip("/").split("/"), endpoint.strip("/").split("/")
        return len(wanted) == len(given) and all(a in ("*", b) for a, b in zip(wanted, given, strict=True))
    return pattern.endswith("*") and endpoint.startswith(pattern[:-1])


def is_write(endpoint: str) -> bool:
    """Whether an Ashby endpoint writes, by its verb."""
    verb = endpoint.rpartition(".")[2]
    return "." in endpoint and not verb.startswith(("list", "info", "search"))

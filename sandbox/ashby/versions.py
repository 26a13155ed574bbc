"""What objects were before their last change: a read may still show that (switch ``stale_after_ms``)."""

from __future__ import annotations

import copy
import time
from dataclasses import fields
from typing import Any

from sandbox.ashby.records import Application, Candidate, Field, Job

Versioned = Candidate | Application | Job | Field
Version = tuple[int, int, Versioned]
"""When it came to be in epoch milliseconds, the number of the change that made it, and the object as it was then."""


class Versions:
    """The versions of every object that a read may still need, oldest first; empty while the switch is off."""

    def __init__(self) -> None:
        """Nothing is kept until ``begin``."""
        self._of: dict[str, list[Version]] = {}

    def __bool__(self) -> bool:
        """Say whether versions are kept."""
        return bool(self._of)

    def begin(self, items: list[Versioned]) -> None:
        """Keep all objects as they stand."""
        self._of = {item.id: [(0, 0, _copied(item))] for item in items}

    def clear(self) -> None:
        """Keep nothing any more."""
        self._of = {}

    def keep(self, item: Versioned, change: int, late: int) -> None:
        """Keep an object that was just changed; versions that no read can need any more go."""
        now = int(time.time() * 1000)
        rows = self._of.setdefault(item.id, [])
        rows.append((now, change, _copied(item)))
        while len(rows) > 1 and rows[1][0] <= now - late:
            del rows[0]

    def forget(self, object_id: str) -> None:
        """An object is gone."""
        self._of.pop(object_id, None)

    def before(self, object_id: str, moment: int) -> Any:
        """Return an object as it was at a moment; None when it has not changed since, its first version before that."""
        rows = self._of.get(object_id)
        if not rows or len(rows) < 2 or rows[-1][0] <= moment:
            return None
        return next((item for at, _, item in reversed(rows) if at <= moment), rows[0][2])

    def unseen(self, moment: int) -> list[int]:
        """Return the number of the first change of each object that a read does not show yet."""
        return [
            next(change for at, change, _ in rows[1:] if at > moment)
            for rows in self._of.values()
            if len(rows) > 1 and rows[-1][0] > moment
        ]


def _copied(item: Versioned) -> Versioned:
    """Copy an object with its lists and tables, which are changed in place."""
    made = copy.copy(item)
    for one in fields(made):
        value = getattr(made, one.name)
        if isinstance(value, list):
            setattr(made, one.name, [dict(part) if isinstance(part, dict) else part for part in value])
        elif isinstance(value, dict):
            setattr(made, one.name, dict(value))
    return made

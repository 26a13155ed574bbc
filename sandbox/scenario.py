"""What a named set of fault rows is, and the sentences that end most of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.mixed import Row

SAME = "The end state in Ashby is the same as in the calm scenario."
AFTERWARDS = "Once the fault is gone, the next run ends in the state of the calm scenario."


@dataclass(frozen=True)
class Scenario:
    """Fault rows and what they must not change; ``switches`` are set with them."""

    promise: str
    rows: list[Row] = field(default_factory=list)
    switches: dict[str, str] = field(default_factory=dict)
    oauth: bool = False
    """It strikes clients that come with OAuth; whoever has a key notices nothing."""


def every(n: int, rows: list[Row], **when: Any) -> list[Row]:
    """The rows one after the other: each strikes at another count, at most every ``n`` requests."""
    return [{**when, "every": n + 2 * place, **row} for place, row in enumerate(rows)]

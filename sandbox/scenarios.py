"""Named sets of fault rows, each with the sentence that must stay true."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Scenario:
    """Fault rows and what they must not change."""

    promise: str
    rows: list[dict[str, Any]] = field(default_factory=list)


def scenarios() -> dict[str, Scenario]:
    """Every scenario that ``--scenario`` knows."""
    same = "The end state in Ashby is the same as in the calm scenario."
    return {
        "calm": Scenario("Everything arrives once."),
        "lost-answers": Scenario(same, [{"api": "ashby", "writes": True, "every": 17, "effect": "reset_after"}]),
        "flaky": Scenario(same, _flaky()),
        "odd-envelopes": Scenario("Nothing that was not confirmed counts as done. " + same, _odd()),
        "slow": Scenario(same, [{"api": "lever", "share": 0.02, "effect": "delay", "ms": 1500},
                                {"api": "ashby", "share": 0.02, "effect": "delay", "ms": 1500}]),
    }  # fmt: skip


def _flaky() -> list[dict[str, Any]]:
    """Five in a hundred requests fail on both sides, in four ways."""
    rows: list[dict[str, Any]] = []
    for api in ("lever", "ashby"):
        rows += [
            {"api": api, "share": 0.0125, "effect": "status", "status": 500},
            {"api": api, "share": 0.0125, "effect": "status", "status": 503},
            {"api": api, "share": 0.0125, "effect": "throttle"},
            {"api": api, "share": 0.0125, "effect": "reset_before"},
        ]
    return rows


def _odd() -> list[dict[str, Any]]:
    """Answers that are no answers: HTML, cut in half, without ``success``."""
    return [
        {"api": "ashby", "writes": True, "every": 29, "effect": "no_success"},
        {"api": "ashby", "writes": True, "every": 37, "effect": "html", "apply": True},
        {"api": "ashby", "every": 41, "effect": "truncate"},
        {"api": "lever", "every": 43, "effect": "truncate"},
        {"api": "lever", "every": 59, "effect": "html", "apply": True},
    ]

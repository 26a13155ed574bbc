"""What the move will cost, before it starts: requests, minutes, disk; from counts and a small probe of child lists."""

from __future__ import annotations

import math
from typing import Any

Row = dict[str, Any]
CHILD_LISTS = 8
SHORT_LISTS = 13
PAGE = 100
LATENCY = 0.12  # seconds per request of one worker where the allowance is not what limits (a guess, scored later)


def forecast(
    counts: dict[str, int],
    per_opportunity: dict[str, float],
    *,
    n_probed: int,
    lever_per_second: float,
    ashby_per_second: float,
    sample_share: float = 0.05,
) -> list[Row]:
    """Rows {step, what, n_requests, plus_minus, minutes, megabytes}.

    `counts` holds opportunities, contacts, postings; `per_opportunity` the mean number of notes, feedback, forms,
    downloads, offers, interviews and bytes, seen in `n_probed` opportunities.
    """
    n_opp, n_people = counts["opportunities"], counts["contacts"]
    downloads = per_opportunity.get("downloads", 0.0) * n_opp
    spread = 1 / math.sqrt(n_probed) if n_probed else 1.0
    extract = SHORT_LISTS + 2 * math.ceil(n_opp / PAGE) + CHILD_LISTS * n_opp + downloads
    load = _load_rows(counts, per_opportunity)
    n_sample = max(50, sample_share * n_people)
    validate = 2 * math.ceil(n_people / PAGE) + math.ceil(n_opp / PAGE) + n_sample * (2 + 2 * n_opp / max(n_people, 1))
    megabytes = per_opportunity.get("bytes", 0.0) * n_opp / 1e6
    return [
        _row("extract", extract, downloads * spread, lever_per_second, megabytes),
        _row("load", sum(load.values()), sum(load.values()) * spread / 2, ashby_per_second, 0.0),
        _row("validate", validate, validate * 0.2, ashby_per_second, 0.0),
    ]


def _load_rows(counts: dict[str, int], mean: dict[str, float]) -> dict[str, float]:
    n_opp, n_people = counts["opportunities"], counts["contacts"]
    one = {name: mean.get(name, 0.0) * n_opp for name in ("notes", "feedback", "forms")}
    summaries = n_opp * (1.4 + min(mean.get("offers", 0.0), 1.0) + min(mean.get("interviews", 0.0), 1.0))
    return {
        "jobs": 3.5 * counts.get("postings", 0),
        "candidates": 4.4 * n_people,  # the candidate, its fields, and two or three tags
        "applications": 2.0 * n_opp,  # the application and its fields
        "notes": one["notes"] + one["forms"] + summaries,  # and history, and answers of the application form
        "feedback": one["feedback"],
        "files": 3.0 * mean.get("downloads", 0.0) * n_opp,  # handle, bytes, attachment
    }


def _row(step: str, n_requests: float, plus_minus: float, per_second: float, megabytes: float) -> Row:
    return {
        "step": step,
        "n_requests": round(n_requests),
        "plus_minus": round(plus_minus),
        "minutes": round(n_requests / per_second / 60, 1),
        "megabytes": round(megabytes, 1),
    }


def route(n_people: int, *, history: bool, has_keys: bool, n_lacking: int = 0) -> Row:
    """The recommended route {route, why}, by size, wish for history, and whether there are keys."""
    if not has_keys:
        why = "without an API key for Lever only the vendor's file import is open"
        return {"route": "Ashby's file import from Lever's own export", "why": why}
    if n_people < 500 and not history:
        why = f"{n_people} people and no history to keep: Ashby's self-serve CSV import is done in a day"
        return {"route": "CSV import", "why": why}
    rights = f"keys that still lack {n_lacking} rights" if n_lacking else "keys with the needed rights"
    why = f"{n_people} people with notes, feedback, files and stage history, and {rights}"
    return {"route": "this workbook", "why": why}

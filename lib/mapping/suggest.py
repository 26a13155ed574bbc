"""One proposal: the best label, why, and how sure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib.mapping.shown import masked
from lib.mapping.target import Option
from lib.normalize import best_matches

Rows = list[dict[str, Any]]

_SURE, _LIKELY, _CLEAR = 0.95, 0.72, 0.06
"""Scores (0..1) from which a name counts as the same or as likely; and the margin to the runner-up that is clear."""


def row(
    row_id: str, label: str, proposal: str, reason: str, confidence: str, n_records: int, **more: Any
) -> dict[str, Any]:
    """One row of a decision table, with an empty verdict."""
    head = {"id": row_id, "label": label, **more}
    tail = {"proposal": proposal, "reason": reason, "confidence": confidence, "n_records": n_records, "verdict": ""}
    return head | tail


def suggest(text: str, options: Sequence[Option], *, fallback: str) -> tuple[str, str, str]:
    """(proposal, reason, confidence): the living option whose label is most like `text`; `fallback` when none is."""
    labels = {one.ashby_id: one.label for one in options if not one.archived and one.label}
    found = best_matches(text, labels, n=2) if labels and text else []
    if not found or found[0][2] < _LIKELY:
        nearest = f"; nearest is {masked(found[0][1])!r} ({found[0][2]:.2f})" if found else ""
        return fallback, f"no label in Ashby is like it{nearest}", "low"
    ashby_id, label, score, margin = found[0]
    plain = masked(label) == label and sum(other == label for other in labels.values()) == 1
    proposal = label if plain else ashby_id
    if score >= _SURE and margin >= _CLEAR:
        return proposal, "the same label", "high"
    clear = "" if margin >= _CLEAR else f"; {masked(found[1][1])!r} is as near"
    return proposal, f"likely by name ({score:.2f}){clear}", "medium" if not clear else "low"

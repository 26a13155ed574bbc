"""Which lists are read whole, how windows are cut, and what was deleted since the first reading began."""

from __future__ import annotations

from typing import Any

from lib.lever import Lever, Query

DAY = 86_400_000
WINDOW_ROWS = 2_000  # a window is sized to hold about this many opportunities: what a dead token costs at most
FIRST = {"until": None, "from": 0, "width": 30 * DAY, "empty": 0, "done": False}  # how the windows begin
MONTH = 30 * DAY  # as far apart as the bounds of two of the deleted lists may be (reported by two clients)


def account_lists(confidentiality: str) -> list[tuple[str, str, Query]]:
    """(stream, path, query) of the lists that are read whole; each in the form that hides nothing."""
    hidden: Query = [("confidentiality", confidentiality)] if confidentiality else []
    channels: Query = [("distributionChannel", "public"), ("distributionChannel", "internal")]
    return [
        ("users", "/users", [("includeDeactivated", "true")]),
        ("stages", "/stages", []),
        ("archive_reasons", "/archive_reasons", []),
        ("sources", "/sources", []),
        ("tags", "/tags", []),
        ("postings", "/postings", hidden),
        ("postings", "/postings", hidden + channels),  # published on the internal site only (its reference, a note)
        ("requisitions", "/requisitions", hidden),
        ("requisition_fields", "/requisition_fields", []),
        ("feedback_templates", "/feedback_templates", []),
        ("form_templates", "/form_templates", []),
    ]


def next_window(state: dict[str, Any], start: int | None, n_rows: int) -> dict[str, Any]:
    """The window before this one: wider when it was nearly empty, narrower when it was full."""
    if start is None:
        return state | {"done": True}
    factor = min(4.0, max(0.25, WINDOW_ROWS / n_rows)) if n_rows else 2.0
    width = min(int(state["width"] * factor), 3650 * DAY)
    return state | {"until": start, "from": start, "width": width, "empty": 0 if n_rows else state["empty"] + 1}


def window(name: str, start: int | None, end: int | None) -> Query:
    """Both ends are inclusive, so windows may touch; ids are unique in the store."""
    ends = [(f"{name}_start", start), (f"{name}_end", end)]
    return [(key, str(value)) for key, value in ends if value is not None]


def deleted_since(lever: Lever, path: str, since: int, until: int) -> list[dict[str, Any]]:
    """What the deleted list at `path` holds between two moments, in as many calls as its rule on bounds takes."""
    found: list[dict[str, Any]] = []
    while since <= until:
        end = min(since + MONTH, until)
        found += lever.items(path, window("deleted_at", since, end))
        since = end + 1
    return found

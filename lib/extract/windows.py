"""All opportunities in windows by creation time, in portions: never more of them in memory than one portion holds.

A window that holds far more than it should is given up and asked for again in narrower ones, so that a refused page
token costs little. After empty windows all that is older is asked for at once; where that is too much, windows go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from lib.errors import UnavailableError
from lib.lever import Lever, OffsetExpiredError, Page, Query

DAY = 86_400_000
WINDOW_ROWS = 2_000  # a window is sized to hold about this many opportunities: what a dead token costs at most
MOST_ROWS = 2 * WINDOW_ROWS  # one that holds more is given up
OLD = 1_199_145_600_000  # 2008-01-01: older than Lever; what is said to be created before is asked for at once
LEAST = 1_000  # milliseconds: an import may have stamped everything alike, so a window is cut no further
OVERLAP = 600_000  # updatedAt was seen 90 s behind (observed): passes overlap by ten minutes
PORTION = 1_000  # rows that are in memory at once, and a page more
FIRST = {"until": None, "from": 0, "width": 30 * DAY, "empty": 0, "done": False}  # how the windows begin
Item = dict[str, Any]
State = dict[str, Any]


class Portion(NamedTuple):
    """Some opportunities; the state to go on from once they are kept; what the window is called once it is whole."""

    items: list[Item]
    state: State
    whole: str = ""
    n_rows: int = 0


def earliest(*told: int) -> int:
    """The earliest moment (ms) that answers told, 0 when none did.

    A reading begins at the server's clock; one answer with a wrong date, ahead of all others, must not hide what was
    changed before it.
    """
    return min(filter(None, told), default=0)


def whole(lever: Lever, path: str, query: Query) -> tuple[list[Item], int]:
    """A whole list and the server's clock at its first page (or earlier); a refused page token starts it again."""
    for _ in range(3):
        items: list[Item] = []
        server_ms = 0
        try:
            for page in lever.pages(path, query):
                items += page.items
                server_ms = earliest(server_ms, page.server_ms)
        except OffsetExpiredError:
            continue
        return items, server_ms
    raise UnavailableError(f"Lever: {path} refused its own page tokens three times.")


def portions(lever: Lever, path: str, query: Query) -> Iterator[Page]:
    """A list in portions, the last one perhaps empty; a refused page token starts it again.

    Each is in the order in which it is to be kept, and lacks what has come with a newer body before.
    """
    newest: dict[str, int] = {}
    for _ in range(3):
        held: list[Item] = []
        server_ms = 0
        try:
            for page in lever.pages(path, query):
                server_ms = earliest(server_ms, page.server_ms)
                held += page.items
                if len(held) >= PORTION:
                    yield Page(_not_older(held, newest), server_ms)
                    held = []
        except OffsetExpiredError:
            continue
        yield Page(_not_older(held, newest), server_ms)
        return
    raise UnavailableError(f"Lever: {path} refused its own page tokens three times.")


def _not_older(items: list[Item], newest: dict[str, int]) -> list[Item]:
    kept = []
    for item in oldest_first(items):
        key, at = str(item.get("id")), _changed(item)
        if at >= newest.get(key, 0):
            newest[key] = at
            kept.append(item)
    return kept


def oldest_first(items: list[Item]) -> list[Item]:
    """In the order in which they are to be kept: when one id comes with two bodies, the newest one stays."""
    return sorted(items, key=_changed)


def _changed(item: Item) -> int:
    at = item.get("updatedAt")
    return at if isinstance(at, int) else 0


def in_windows(listing: Callable[[Query], Iterator[Page]], state: State) -> Iterator[Portion]:
    """Everything that `listing` finds, newest window first, from `state` on until the beginning of the account."""
    while not state["done"]:
        start, n_rows = beginning(state), 0
        least = _is_least(state, start)
        for page in listing(window("created_at", start, state["until"])):
            n_rows += len(page.items)
            yield Portion(page.items, state)
            if n_rows > MOST_ROWS and len(page.items) >= PORTION and not least:  # a full portion is not the last one
                state = narrower(state, start)
                break
        else:
            key = f"created {start or 'begin'}..{state['until'] or 'now'}"
            state = next_window(state, start, n_rows)
            yield Portion([], state, key, n_rows)


def _is_least(state: State, start: int | None) -> bool:
    """Whether a window is to be read however much it holds: still in portions, but a dead token costs all of it."""
    return state["from"] <= OLD + 365 * DAY if start is None else state["from"] - start <= LEAST


def beginning(state: State) -> int | None:
    """Where the next window begins; None: it holds all that is older."""
    start = int(state["from"] - state["width"])
    return None if state["empty"] >= 3 or start <= OLD else start


def next_window(state: State, start: int | None, n_rows: int) -> State:
    """The window before this one: wider when it was nearly empty, narrower when it was full."""
    if start is None:
        return state | {"done": True}
    factor = min(4.0, max(0.25, WINDOW_ROWS / n_rows)) if n_rows else 2.0
    width = max(LEAST, min(int(state["width"] * factor), 3650 * DAY))
    return state | {"until": start, "from": start, "width": width, "empty": 0 if n_rows else state["empty"] + 1}


def narrower(state: State, start: int | None) -> State:
    """The same window once more, cut to a quarter; where it had no beginning, windows go on as wide as they were."""
    width = state["width"] // 4 if start is not None else min(state["width"], (state["from"] - OLD) // 4)
    return state | {"width": max(LEAST, width), "empty": 0}


def window(name: str, start: int | None, end: int | None) -> Query:
    """Both ends are inclusive, so windows may touch; ids are unique in the store."""
    ends = [(f"{name}_start", start), (f"{name}_end", end)]
    return [(key, str(value)) for key, value in ends if value is not None]

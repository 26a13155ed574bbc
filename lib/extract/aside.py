"""Child lists that Lever cannot give: set aside one by one, so that one broken record does not hold up all others.

A list is set aside when all patience with it has ended in an answer about it, and Lever answers otherwise. A key that
is refused, a network that is away, maintenance (503) and 429 are no such answers: they stop the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from lib.errors import ApiError, NotFoundError, RejectedError, UnavailableError
from lib.lever import Lever
from lib.store import Connection, Store

FEW, SHARE = 20, 0.01  # so many opportunities, or so large a share of all, may be set aside in one run
TRIES = 2  # readings of one opportunity in one run: the second one, after all others, finds what has healed meanwhile
MAINTENANCE = 503  # of all of Lever (its reference), never of one list
WINDOW = "unread"
Found = TypeVar("Found")
Tried = dict[str, tuple[int, int]]  # {stream: (status, how often it was tried)}


def each(
    streams: Iterable[str], read: Callable[[str], Found], *, lever: Lever
) -> tuple[dict[str, Found], dict[str, ApiError]]:
    """({stream: what `read` gives}, {stream: why it cannot be read}); every other error is raised."""
    found: dict[str, Found] = {}
    unread: dict[str, ApiError] = {}
    for stream in streams:
        try:
            found[stream] = read(stream)
        except (RejectedError, UnavailableError) as error:
            if not _is_of_one_list(error):
                raise
            lever.get("/stages", [("limit", "1")])  # raises when it is all of Lever that does not answer
            unread[stream] = error
    return found, unread


def _is_of_one_list(error: ApiError) -> bool:
    if isinstance(error, NotFoundError) or error.status is None or error.status == MAINTENANCE:
        return False
    return isinstance(error, RejectedError) or error.status >= 500


def check_few(n_aside: int, n_all: int, unread: Mapping[str, ApiError]) -> None:
    """UnavailableError when the lists of far too many opportunities cannot be read: then it is not about them."""
    if n_aside > max(FEW, SHARE * n_all):
        last = next(iter(unread.values()))
        raise UnavailableError(
            f"Lever does not give the child lists of {n_aside:,} opportunities. The last one: {last.message}",
            hint="Nothing was taken as empty. Run 02_extract again later; if it stays so, ask Lever's support.",
            status=last.status,
        )


def known(store: Store) -> dict[str, Tried]:
    """{opportunity: its lists that could not be read at the last try}."""
    return {lever_id: _tried(basis) for lever_id, basis in store.windows(WINDOW).items() if basis}


def _tried(basis: str) -> Tried:
    words = (word.split(":") for word in basis.split())
    return {stream: (int(status), int(n_tries)) for stream, status, n_tries in words}


def keep(store: Store, tx: Connection, lever_id: str, unread: Mapping[str, ApiError], before: Tried) -> None:
    """Remember which lists of an opportunity could not be read now, and how often each was tried; none: all is here."""
    words = [f"{name}:{one.status}:{before.get(name, (0, 0))[1] + 1}" for name, one in sorted(unread.items())]
    store.put_window(tx, WINDOW, lever_id, n_rows=0, basis=" ".join(words))


def rows(store: Store) -> list[dict[str, Any]]:
    """{stream, lever_id, status, n_tries} of each child list that is not here, of opportunities that are."""
    return [
        {"stream": stream, "lever_id": lever_id, "status": status, "n_tries": n_tries}
        for lever_id, tried in sorted(known(store).items())
        if store.get("opportunities", lever_id) is not None
        for stream, (status, n_tries) in sorted(tried.items())
    ]

"""What Lever cannot give, child lists and single objects: set aside one by one, so that one holds up no other.

Something is set aside when all patience with it has ended in an answer about it, and Lever answers otherwise. A key
that is refused, a network that is away, maintenance (503) and 429 are no such answers: they stop the run.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, TypeVar

from lib.errors import ApiError, NotFoundError, RejectedError, UnavailableError
from lib.lever import Lever
from lib.store import Connection, Store

FEW, SHARE = 20, 0.01  # so many opportunities, or so large a share of all, may be set aside in one run
TRIES = 2  # readings of one opportunity in one run: the second one, after all others, finds what has healed meanwhile
MAINTENANCE = 503  # of all of Lever (its reference), never of one list
BASIS = "unread basis"  # the body of the opportunity that all its other lists were read for
WINDOW, POSTINGS, OPPORTUNITIES = "unread", "unread postings", "unread opportunities"
Found = TypeVar("Found")
Tried = dict[str, tuple[int, int]]  # {stream: (status, how often it was tried)}


def each(
    streams: Iterable[str], read: Callable[[str], Found], *, lever: Lever
) -> tuple[dict[str, Found], dict[str, ApiError]]:
    """({stream or id: what `read` gives}, {it: why it cannot be read}); every other error is raised."""
    found: dict[str, Found] = {}
    unread: dict[str, ApiError] = {}
    for stream in streams:
        try:
            found[stream] = read(stream)
        except (RejectedError, UnavailableError) as error:
            if not _is_of_one_list(error):
                raise
            _check_answers(lever)
            unread[stream] = error
    return found, unread


def _check_answers(lever: Lever) -> None:
    """Raises when it is all of Lever that does not answer."""
    try:
        lever.get("/stages", [("limit", "1")])
    except NotFoundError as error:  # not to be taken for one about what was asked for
        raise UnavailableError(f"Lever does not answer. {error.message}", status=error.status) from None


def _is_of_one_list(error: ApiError) -> bool:
    if isinstance(error, NotFoundError) or error.status is None or error.status == MAINTENANCE:
        return False
    return isinstance(error, RejectedError) or error.status >= 500


def check_few(n_aside: int, n_all: int, unread: Mapping[str, ApiError], *, what: str) -> None:
    """UnavailableError when Lever does not give far too many (`what`): then it is not about them."""
    if n_aside > max(FEW, SHARE * n_all):
        last = next(iter(unread.values()))
        raise UnavailableError(
            f"Lever does not give {what}. The last one: {last.message}",
            hint="Nothing was taken as empty. Run 02_extract again later; if it stays so, ask Lever's support.",
            status=last.status,
        )


def known(store: Store, window: str = WINDOW) -> dict[str, Tried]:
    """{opportunity: its lists that could not be read at the last try}; of other windows {id: the same of itself}."""
    return {lever_id: _tried(basis) for lever_id, basis in store.windows(window).items() if basis}


def _tried(basis: str) -> Tried:
    words = (word.split(":") for word in basis.split())
    return {stream: (int(status), int(n_tries)) for stream, status, n_tries in words}


def keep(
    store: Store, tx: Connection, lever_id: str, unread: Mapping[str, ApiError], before: Tried, window: str = WINDOW
) -> None:
    """Remember which lists of an opportunity could not be read now, and how often each was tried; none: all is here."""
    words = [f"{name}:{one.status}:{before.get(name, (0, 0))[1] + 1}" for name, one in sorted(unread.items())]
    store.put_window(tx, window, lever_id, n_rows=0, basis=" ".join(words))


def keep_ids(
    store: Store, tx: Connection, window: str, stream: str, unread: Mapping[str, ApiError],
    *, asked: Container[str] | None = None,
) -> None:  # fmt: skip
    """Remember what could not be read by its id now; what earlier runs remembered and is not among it can.

    With `asked`, that is said of these only.
    """
    before = known(store, window)
    for one in sorted({*(one for one in before if asked is None or one in asked), *unread}):
        now = {stream: unread[one]} if one in unread else {}
        keep(store, tx, one, now, before.get(one, {}), window)


def rows(store: Store) -> list[dict[str, Any]]:
    """{stream, lever_id, status, n_tries} of what could not be read: child lists, opportunities and postings by id.

    The `lever_id` of a list is its opportunity's; what has hung on an opportunity that is gone is not told.
    """
    of_people = [*sorted(known(store).items()), *sorted(known(store, OPPORTUNITIES).items())]
    here = [one for one in of_people if store.get("opportunities", one[0]) is not None]
    return [
        {"stream": stream, "lever_id": lever_id, "status": status, "n_tries": n_tries}
        for lever_id, tried in [*here, *sorted(known(store, POSTINGS).items())]
        for stream, (status, n_tries) in sorted(tried.items())
    ]

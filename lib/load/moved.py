"""A candidate that Ashby does not find any more although we made or linked it: merged into another one, or deleted.

Recruiters can merge and delete while a load runs; no endpoint tells of it (only the webhook candidateMerge). What
outlives a merge is the application, which keeps its id and names the candidate it now belongs to (facts of the API:
"application ids are the steadier key").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lib.errors import NotFoundError
from lib.store.ledger import Planned

if TYPE_CHECKING:
    from lib.load import Load

GONE = "candidate_gone"
"""Code of a row that was refused because its candidate is not in Ashby any more; what follows it waits."""


class MovedError(Exception):
    """The candidate of a row was merged into another one; its link is mended, so the row can be filled in again."""


def candidate_of(row: Planned) -> str | None:
    """The link of the candidate that a row of a person hangs on; None for rows that make it or need none."""
    link = f"candidate:{row.person}"
    return link if row.person and row.link != link else None


def look_after(load: Load, row: Planned, rows: Iterable[Planned]) -> str:
    """After a "not found" for `row`: what to tell of it, or "" when its candidate is where it was.

    Raises MovedError when the candidate was merged into one that is nobody else's: the link then leads there. `rows`
    are those of the same person.
    """
    link = candidate_of(row)
    old = load.links.get(link or "")
    if link is None or old is None or _is_there(load, old):
        return ""
    homes = {home for one in rows if (home := _home(load, one))}
    if len(homes) != 1:
        return "its candidate was deleted in Ashby, or merged into another one; who is it now? (a person must decide)"
    (new,) = homes
    holder = load.ledger.is_linked(new)
    if holder not in (None, link):
        return f"its candidate was merged in Ashby into that of {holder}; a person must decide"
    if new != old:
        load.ledger.move_link(link, new)
        load.links[link] = new
        raise MovedError(link)
    return ""


def _is_there(load: Load, candidate_id: str) -> bool:
    try:
        load.ashby.call("candidate.info", {"id": candidate_id})
    except NotFoundError:
        return False
    return True


def _home(load: Load, row: Planned) -> str | None:
    """The candidate to whom an application of ours belongs now; None when the row makes none, or it is gone too."""
    application = load.links.get(row.link or "") if row.kind == "application.create" else None
    if application is None:
        return None
    try:
        found: Any = load.ashby.call("application.info", {"applicationId": application}).results
    except NotFoundError:
        return None
    return (found.get("candidate") or {}).get("id")

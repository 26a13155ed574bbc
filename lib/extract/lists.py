"""Which lists are read whole, and what was deleted since the first reading began."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lib.errors import RejectedError, UnauthorizedError
from lib.extract.windows import DAY, window
from lib.lever import Lever, Query

Found = TypeVar("Found")
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


def confidential_too(ask: Callable[[Query], Found], confidentiality: str) -> Found:
    """What `ask` finds in a deleted list when confidential objects are asked for, too; without that if it is refused.

    Lever's reference says of the lists themselves that they hide such objects unless asked; of the deleted ones it
    names neither the parameter nor what they hide (not documented, not observed).
    """
    if confidentiality:
        try:
            return ask([("confidentiality", confidentiality)])
        except (RejectedError, UnauthorizedError) as error:
            if error.status == 401:
                raise
    return ask([])


def deleted_since(lever: Lever, path: str, since: int, until: int, hidden: Query) -> list[dict[str, Any]]:
    """What the deleted list at `path` holds between two moments, in as many calls as its rule on bounds takes."""
    found: list[dict[str, Any]] = []
    while since <= until:
        end = min(since + MONTH, until)
        found += lever.items(path, hidden + window("deleted_at", since, end))
        since = end + 1
    return found

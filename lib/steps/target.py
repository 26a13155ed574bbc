"""Reading Ashby before anything is written: its reference data, and the people who are there already."""

from __future__ import annotations

from typing import Any

from lib.ashby import SYNC_CODES
from lib.errors import RejectedError
from lib.workbook import Workbook

LISTS = {
    "users": ("user.list", {"includeDeactivated": True}),
    "archive_reasons": ("archiveReason.list", {"includeArchived": True}),
    "sources": ("source.list", {"includeArchived": True}),
    "departments": ("department.list", {}),
    "locations": ("location.list", {}),
    "jobs": ("job.list", {"status": ["Draft", "Open", "Closed", "Archived"]}),
    "interview_plans": ("interviewPlan.list", {"includeArchived": True}),
    "feedback_forms": ("feedbackFormDefinition.list", {"includeArchived": True}),
    "custom_fields": ("customField.list", {"includeArchived": True}),
    "tags": ("candidateTag.list", {"includeArchived": True}),
}
UNPAGED = ("archive_reasons", "sources")


def read_target(book: Workbook) -> None:
    """Read Ashby's reference data; refuse to go on when it is another organization than before."""
    for kind, (endpoint, body) in LISTS.items():
        read = book.ashby.all_of if kind in UNPAGED else book.ashby.items
        items = read(endpoint, body)
        if kind == "users":
            book.pin("Ashby", [one["id"] for one in items])
        if kind == "interview_plans":
            for item in items:
                item["stages"] = book.ashby.all_of("interviewStage.list", {"interviewPlanId": item["id"]})
        with book.store.begin() as tx:
            book.store.put_ashby(tx, kind, ((one["id"], one) for one in items), whole=True)


def read_candidates(book: Workbook) -> None:
    """Bring the list of people in Ashby up to date: one whole walk, later only what has changed since."""
    token = book.store.meta("ashby.candidates")
    items, new = None, ""
    if token:
        items, new = _changed_candidates(book, token)
    whole = items is None
    if items is None:
        items, new = book.ashby.synced("candidate.list")
    with book.store.begin() as tx:
        book.store.put_ashby(tx, "candidates", ((one["id"], one) for one in items), whole=whole)
        book.store.put_meta("ashby.candidates", new, connection=tx)


def _changed_candidates(book: Workbook, token: str) -> tuple[list[dict[str, Any]] | None, str]:
    """What changed since the token; (None, "") when Ashby does not take the token any more."""
    try:
        return book.ashby.synced("candidate.list", {"syncToken": token})
    except RejectedError as error:
        if error.code in SYNC_CODES:
            return None, ""
        raise

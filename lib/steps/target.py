"""Reading Ashby before anything is written: its reference data, and the people who are there already."""

from __future__ import annotations

from typing import Any

from lib.ashby import KNOWN_VERSION, SYNC_CODES
from lib.dedupe import DedupePolicy
from lib.errors import GateError, RejectedError
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
ENDPOINTS = (*(endpoint for endpoint, _ in LISTS.values()), "interviewStage.list")  # what `read_target` asks
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


def version_finding(book: Workbook) -> list[dict[str, Any]]:
    """What the audit says of the API version that Ashby has answered in: nothing when it is the known one, and active.

    Every answer tells version and status (its changelog, October 2026); a key's default moves on with the vendor.
    """
    told, status = book.ashby.version, book.ashby.version_status
    if told and told != KNOWN_VERSION:
        text = f"Ashby answers in API version {told}, which this workbook does not know (it knows {KNOWN_VERSION})"
        return [_finding(f"api-version:{told}", "critical", text, _DO_VERSION)]
    if status and status.lower() != "active":
        text = f"Ashby calls its API version {told or '(untold)'} {status}: it will be taken away"
        return [_finding("api-version", "warning", text, "finish the move soon, or look for a newer workbook")]
    return []


_DO_VERSION = (
    f"set ashby.api_version to {KNOWN_VERSION} in the params file; if Ashby refuses that, a newer workbook is needed"
)


def _finding(name: str, severity: str, text: str, do: str) -> dict[str, Any]:
    return {"id": name, "severity": severity, "finding": text, "n_records": None, "do": do}


def version_gate(book: Workbook, *, accepted: set[str]) -> None:
    """GateError when Ashby answers in a version that we do not know, and nobody has accepted that one."""
    for row in version_finding(book):
        if row["severity"] == "critical" and row["id"] not in accepted:
            raise GateError(f"{row['finding']}.", hint=f"{row['do'].capitalize()}.")


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


def dedupe_policy(book: Workbook) -> DedupePolicy:
    """What the params file says of who is the same person."""
    given = book.params.policy
    return DedupePolicy(
        region=given.phone_region, review_from=given.review_from, survives=given.survives.model_dump()
    )  # fmt: skip

"""Reading Ashby before anything is written: its reference data, and the people who are there already."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lib.ashby import KNOWN_VERSION, SYNC_CODES
from lib.decisions import DecisionTable
from lib.dedupe import DedupePolicy
from lib.errors import GateError, RejectedError
from lib.store import dumps
from lib.store.nameless import nameless
from lib.workbook import Workbook

Item = dict[str, Any]

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
    read_synced(book, "candidates", "candidate.list")


def read_synced(book: Workbook, kind: str, endpoint: str, *, cut: Callable[[Item], Item] = dict) -> None:
    """Bring a list of Ashby up to date, of each object what `cut` leaves: all of it, later what has changed since.

    The pages wait on disk until the last one is here: nothing of a pass that was cut off counts.
    """
    token = book.store.meta(f"ashby.{kind}")
    with nameless(book.store.folder, "CREATE TABLE items (id TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID") as kept:

        def keep(items: list[Item]) -> None:
            rows = [(str(one["id"]), dumps(cut(one))) for one in items]
            kept.executemany("INSERT OR REPLACE INTO items VALUES (?, ?)", rows)

        def walked(body: Item | None) -> str:
            return book.ashby.walked(endpoint, body, keep=keep, anew=lambda: kept.execute("DELETE FROM items"))

        try:
            new = walked({"syncToken": token} if token else None)
        except RejectedError as error:
            if not token or error.code not in SYNC_CODES:
                raise
            token, new = None, walked(None)
        rows = ((key, json.loads(text)) for key, text in kept.execute("SELECT id, body FROM items ORDER BY id"))
        with book.store.begin() as tx:
            book.store.put_ashby(tx, kind, rows, whole=not token)
            book.store.put_meta(f"ashby.{kind}", new, connection=tx)


def dedupe_policy(book: Workbook) -> DedupePolicy:
    """What the params file says of who is the same person."""
    given = book.params.policy
    return DedupePolicy(
        region=given.phone_region, review_from=given.review_from, survives=given.survives.model_dump()
    )  # fmt: skip


def pair_verdicts(table: DecisionTable) -> dict[tuple[str, str], str]:
    """{(a, b): same or different} of people.csv."""
    rows = (row for row in table.rows if "|" in row["id"] and row["verdict"])
    return {(a, b): row["verdict"].lower() for row in rows for a, _, b in [row["id"].partition("|")]}

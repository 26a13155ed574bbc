"""What needs a right of its own: EEO answers, webhooks, diversity surveys. All rows are made up, and few."""

from __future__ import annotations

from typing import Any

from sandbox.company.model import NOW_MS
from sandbox.lever.answers import Answer, dumped
from sandbox.lever.context import Context
from sandbox.lever.deleted import DAY_MS
from sandbox.lever.lists import hidden, paged, single
from sandbox.lever.params import keep

Record = dict[str, Any]

WEEK_MS = 7 * DAY_MS
"""EEO lists hold the last week unless a window is given (documented)."""
ORIGINS = ("applied", "sourced", "referred", "university", "internal", "agency")
EVENTS = ("candidateHired", "candidateStageChange")
ANONYMOUS = (
    "applicationArchivedAt", "applicationArchivedBy", "applicationArchiveReason", "applicationTitle", "appliedAt",
    "currentStage",
)  # fmt: skip
"""What the list without personal data tells (recorded); answers about gender, race and so on are never made up."""


def webhooks(ctx: Context) -> Answer:
    """Two webhooks of the account; the list has no ``hasNext`` (recorded)."""
    rows = [
        {
            "id": ctx.company.uuid(f"webhook:{event}"),
            "event": event,
            "url": f"https://hooks.fernhill.example/{event}",
            "configuration": {"conditions": {"origins": list(ORIGINS)}},
            "createdAt": NOW_MS - 400 * DAY_MS,
            "updatedAt": NOW_MS - 400 * DAY_MS,
        }
        for event in EVENTS
    ]
    return dumped({"data": rows})


def surveys(ctx: Context, posting_id: str) -> Answer:
    """The diversity surveys of a posting: none was set up (the envelope is documented, none was recorded)."""
    single(ctx, ctx.state.postings, posting_id, what="postings")
    for name in ("country_code", "location"):
        ctx.params.get(name)
    return dumped({"data": []})


def eeo_responses(ctx: Context) -> Answer:
    """EEO answers without personal data, newest first (recorded)."""
    rows = _responses(ctx, "fromDate", "toDate")
    return _listed(ctx, [{name: row[name] for name in ANONYMOUS} for row in rows])


def eeo_responses_pii(ctx: Context) -> Answer:
    """EEO answers with whom they are of, newest first (recorded)."""
    ctx.kind = "eeo_responses_pii"
    return _listed(ctx, _responses(ctx, "created_at_start", "created_at_end"))


def _listed(ctx: Context, rows: list[Record]) -> Answer:
    """The recorded envelope, or the one of the reference."""
    if ctx.decides("envelopes") == "documented":
        shaper = ctx.shaper()
        return dumped({"data": {"eeoResponses": [shaper(row) for row in rows]}})
    return paged(ctx, rows)


def _responses(ctx: Context, first: str, last: str) -> list[Record]:
    """Everybody who applied by themselves has answered; the account's newest activity stands for today."""
    start, end = ctx.params.epoch(first), ctx.params.epoch(last)
    items = [item for item in ctx.state.opportunities if not item["isAnonymized"] and not hidden(ctx, item)]
    if start is None:
        start = max((item["lastInteractionAt"] for item in items), default=0) - WEEK_MS
    rows = [_response(ctx, item, name) for item in items for name in item["applications"]]
    told = [row for row in rows if row is not None and row["appliedAt"] >= start]
    inside = keep(told, [None if end is None else lambda row: row["appliedAt"] <= end])
    return sorted(inside, key=lambda row: (-row["appliedAt"], row["id"]))


def _response(ctx: Context, item: Record, application_id: str) -> Record | None:
    """The answer that belongs to an application, in the recorded shape; None where somebody else added it."""
    application = ctx.company.applications[application_id]
    posting = ctx.state.postings.get(application["posting"])
    if application["type"] != "posting" or posting is None:
        return None
    archived = application["archived"] or {"reason": None, "archivedAt": None}
    reason = next((row for row in ctx.company.archive_reasons if row["id"] == archived["reason"]), None)
    return {
        "id": application_id,
        "applicationArchivedAt": archived["archivedAt"],
        "applicationArchivedBy": None,
        "applicationArchiveReason": reason and reason["text"],
        "applicationId": application_id,
        "applicationTitle": posting["text"],
        "appliedAt": application["createdAt"],
        "currentStage": item["stage"],
        "contact": item["contact"],
        "eeoResponseSource": "api",
        "eeoSurveyRespondedAt": application["createdAt"] + 59,
        "hiredDate": archived["archivedAt"] if reason and reason["type"] == "hired" else None,
        "hiringManager": application["postingHiringManager"],
        "opportunityId": item["id"],
        "opportunityOwner": item["owner"],
        "origin": item["origin"],
        "posting": posting["id"],
        "sources": item["sources"],
    }

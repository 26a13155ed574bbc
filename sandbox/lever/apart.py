"""What needs a right of its own: EEO answers, audit events, diversity surveys. All rows are made up, and few."""

from __future__ import annotations

from typing import Any

from sandbox.company.model import NOW_MS
from sandbox.lever.answers import Answer, bad_request, dumped
from sandbox.lever.context import Context
from sandbox.lever.deleted import DAY_MS
from sandbox.lever.lists import hidden, newest_first, paged, refused, single
from sandbox.lever.params import any_of, keep, within

Record = dict[str, Any]

WEEK_MS = 7 * DAY_MS
"""EEO lists hold the last week unless a window is given (documented)."""
ANONYMOUS = (
    "applicationArchivedAt", "applicationArchivedBy", "applicationArchiveReason", "applicationTitle", "appliedAt",
    "currentStage",
)  # fmt: skip
"""What the list without personal data tells (recorded); answers about gender, race and so on are never made up."""

AUDITED = (
    ("user:login", "user"), ("user:created", "user"), ("user:role-changed", "user"), ("user:deactivated", "user"),
    ("report:exported", "report"), ("api-key:created", "api-key"),
)  # fmt: skip
"""What is audited: sign-ins, users, exports, keys (documented); how the words are spelled is a guess."""
N_AUDITED = 12


def surveys(ctx: Context, posting_id: str) -> Answer:
    """The diversity surveys of a posting: none was set up (the envelope is documented, none was recorded)."""
    single(ctx, ctx.state.postings, posting_id, what="postings")
    for name in ("country_code", "location"):
        ctx.params.get(name)
    return dumped({"data": []})


def audit_events(ctx: Context) -> Answer:
    """A dozen audit events, newest first; 403 without the paid add-on (all documented but the words: a switch)."""
    params = ctx.params
    if ctx.decides("audit_addon") == "off":
        return refused(ctx)
    if params.get("target_id") is not None and params.get("target_type") is None:
        raise bad_request("target_id needs target_type")
    tests = [
        any_of(params, "type", lambda row: [row["type"]]),
        any_of(params, "user_id", lambda row: [row["user"]["id"] if row["user"] else "null"]),
        any_of(params, "target_type", lambda row: [row["target"]["type"]]),
        any_of(params, "target_id", lambda row: [row["target"]["id"]]),
        within(params, "created_at", lambda row: row["createdAt"]),
    ]
    rows = sorted((_audited(ctx, number) for number in range(N_AUDITED)), key=newest_first)
    return paged(ctx, keep(rows, tests), newest_first)


def _audited(ctx: Context, number: int) -> Record:
    """One audit event, of a day of its own; every fourth was made by nobody, and reports have no id."""
    users = ctx.company.users
    (kind, target), user, about = AUDITED[number % len(AUDITED)], users[number % 3], users[(number + 1) % len(users)]
    key = {"user": about["id"], "api-key": ctx.company.uuid(f"api-key:{number}")}.get(target)
    by = {"id": user["id"], "email": user["email"], "name": user["name"], "role": user["accessRole"]}
    return {
        "id": ctx.company.uuid(f"audit:{number}"),
        "createdAt": NOW_MS - (number + 1) * DAY_MS,
        "type": kind,
        "user": None if number % 4 == 3 else by,
        "target": {"id": key, "type": target, "label": about["name"] if target == "user" else f"{target} {number}"},
        "meta": {},
    }


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

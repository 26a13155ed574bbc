"""The lists of what was deleted: opportunities, applications, postings."""

from __future__ import annotations

from typing import Any

from sandbox.lever.answers import Answer, bad_request
from sandbox.lever.context import Context
from sandbox.lever.lists import CONFIDENTIALITY, no_access, paged
from sandbox.lever.paging import Key
from sandbox.lever.params import keep, within

Record = dict[str, Any]

DAY_MS = 86_400_000
MONTH_MS = 30 * DAY_MS
BARE = ("id", "deletedAt", "deletedBy")
"""What an item holds for sure: the lists were only ever recorded empty (July 2026)."""


def by_deletion(row: Record) -> Key:
    """The order of the deleted lists (guess)."""
    return (row["deletedAt"], row["id"])


def deleted(ctx: Context, rows: list[Record], *, bounds_needed: bool, month: bool) -> Answer:
    """A list of deleted objects; some want both bounds, at most 30 days apart (third-party reports)."""
    start, end = ctx.params.epoch("deleted_at_start"), ctx.params.epoch("deleted_at_end")
    if bounds_needed and (start is None or end is None) and ctx.decides("deleted_windows") == "checked":
        raise bad_request("deleted_at_start and deleted_at_end are required")
    too_long = month and start is not None and end is not None and end - start > MONTH_MS
    if too_long and ctx.decides("deleted_windows") == "checked":
        raise bad_request("deleted_at_start and deleted_at_end may be at most 30 days apart")
    reach = ctx.says("deleted_reach_days")
    oldest = max((row["deletedAt"] for row in rows), default=0) - int(reach) * DAY_MS if reach else 0
    test = within(ctx.params, "deleted_at", lambda row: row["deletedAt"])
    every = keep(sorted(visible(ctx, rows), key=by_deletion), [test])
    found = keep(every, [lambda row: row["deletedAt"] >= oldest])
    if len(found) < len(every):
        ctx.decides("deleted_reach_days")
    places = {row["id"]: by_deletion(row) for row in found}
    return paged(ctx, [_item(ctx, row) for row in found], lambda row: places[row["id"]])


def visible(ctx: Context, rows: list[Record]) -> list[Record]:
    """The rows this request may see; whether confidential ones are among them is not known (a switch).

    A key without confidential access never sees any, and is refused when it asks for them, as in the other lists
    (documented). That ``confidentiality`` is read here at all is a guess.
    """
    wanted = ctx.params.choice("confidentiality", CONFIDENTIALITY, "")
    asked = wanted in ("confidential", "all")
    if asked and not ctx.access.confidential and ctx.decides("confidential_refusal") != "trimmed":
        raise no_access(ctx)
    by_default = ctx.says("deleted_confidential") == "listed" and wanted != "non-confidential"
    by_asking = ctx.says("deleted_confidential") == "asked" and asked
    shown = ctx.access.confidential and (by_default or by_asking)
    secret = _secret(ctx, rows)
    if secret and shown != (ctx.access.confidential and wanted != "non-confidential"):
        ctx.decides("deleted_confidential")
    if wanted == "confidential":
        return [row for row in rows if shown and row["id"] in secret]
    return rows if shown else [row for row in rows if row["id"] not in secret]


def _secret(ctx: Context, rows: list[Record]) -> set[str]:
    """The ids of confidential rows; an application is as confidential as its posting (inference)."""
    postings = {row["id"]: row["confidentiality"] for row in (*ctx.company.postings, *ctx.company.deleted_postings)}
    return {
        row["id"]
        for row in rows
        if row.get("confidentiality", postings.get(row.get("postingId", ""))) == "confidential"
    }


def _item(ctx: Context, row: Record) -> Record:
    """One item: of a posting the reference shows the posting alone; the shape of the others is not known (a switch)."""
    if ctx.kind == "postings":
        return {name: value for name, value in row.items() if name not in BARE[1:]}
    if ctx.decides("deleted_items") == "bare":
        return {name: value for name, value in row.items() if name in BARE}
    return row

"""The account-wide lists and single objects of the Lever side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.lever.answers import Answer, LeverError, bad_request, dumped, forbidden, not_found, one
from sandbox.lever.context import Context
from sandbox.lever.paging import page
from sandbox.lever.params import any_of, keep, within
from sandbox.lever.switches import switch

Record = dict[str, Any]

CONFIDENTIALITY = ("confidential", "non-confidential", "all")
MONTH_MS = 30 * 86_400_000


def paged(
    ctx: Context,
    rows: list[Record],
    keys: list[tuple[Any, ...]] | None = None,
    *,
    show: Callable[[Record], list[Any]] | None = None,
) -> Answer:
    """A page of rows in the list envelope; without keys the place in the list is the seek key."""
    where = ctx.endpoint + ctx.opportunity_id
    if keys is None:
        keys = [(place,) for place in range(len(rows))]
    place_of = {id(row): place for place, row in enumerate(rows)} if show is None else {}
    shown = show or (lambda row: [place_of[id(row)], row.get("id", row.get("text"))])
    limit, offset = ctx.params.limit(), ctx.params.get("offset")
    items, token = page(ctx.tokens, where, rows, keys, limit=limit, offset=offset, show=shown)
    shaper = ctx.shaper()
    payload: dict[str, Any] = {"data": [shaper(item) for item in items]}
    if token is not None:
        payload["next"] = token
    payload["hasNext"] = token is not None
    return dumped(payload)


def visible(ctx: Context, rows: list[Record]) -> list[Record]:
    """Apply ``confidentiality`` (default non-confidential).

    A key without access that asks for confidential data gets an access error (documented).
    """
    wanted = ctx.params.choice("confidentiality", CONFIDENTIALITY, "non-confidential")
    if wanted != "non-confidential" and not ctx.access.confidential:
        raise forbidden("This API key does not have access to confidential data")
    if wanted == "all":
        return rows
    return [row for row in rows if row["confidentiality"] == wanted]


def single(ctx: Context, rows: dict[str, Record], object_id: str, *, what: str) -> Answer:
    """One object by id; a confidential one is refused to a key without access (documented as an access error)."""
    item = rows.get(object_id)
    if item is None:
        raise not_found(f"{what} {object_id}")
    if item.get("confidentiality") == "confidential" and not ctx.access.confidential:
        raise forbidden("This API key does not have access to confidential data")
    return one(ctx.shaper()(item))


def users(ctx: Context) -> Answer:
    """Active users unless ``includeDeactivated=true``; newest first (observed)."""
    rows = sorted(ctx.state.users.values(), key=lambda user: (-user["createdAt"], user["id"]))
    if not ctx.params.flag("includeDeactivated"):
        rows = [user for user in rows if user["deactivatedAt"] is None]
    tests = [
        any_of(ctx.params, "email", lambda user: [user["email"]]),
        any_of(ctx.params, "accessRole", lambda user: [user["accessRole"]]),
        any_of(ctx.params, "external_directory_id", lambda user: [user["externalDirectoryId"]]),
    ]
    return paged(ctx, keep(rows, tests))


def postings(ctx: Context) -> Answer:
    """Postings, newest first (observed); ``updated_at_*`` goes with ``confidentiality`` only (documented)."""
    params = ctx.params
    rows = sorted(visible(ctx, list(ctx.state.postings.values())), key=lambda row: (-row["createdAt"], row["id"]))
    tests = [
        any_of(params, "state", lambda row: [row["state"]]),
        any_of(params, "distributionChannel", lambda row: row["distributionChannels"] or ()),
        any_of(params, "tag", lambda row: row["tags"]),
        *(any_of(params, name, lambda row, name=name: [row["categories"].get(name)])  # type: ignore[misc]
          for name in ("team", "department", "location", "commitment", "level")),
    ]  # fmt: skip
    window = within(params, "updated_at", lambda row: row["updatedAt"])
    if window is not None and any(test is not None for test in tests):
        raise bad_request("updated_at_start and updated_at_end can only be combined with confidentiality")
    if switch(ctx.settings.switches, "internal_postings") == "hidden" and not params.all("distributionChannel"):
        rows = [row for row in rows if row["distributionChannels"] != ["internal"]]
    return paged(ctx, keep(rows, [*tests, window]))


def deleted(ctx: Context, rows: list[Record], *, bounds_needed: bool, month: bool) -> Answer:
    """A list of deleted objects; some want both bounds, at most 30 days apart (third-party reports)."""
    start, end = ctx.params.epoch("deleted_at_start"), ctx.params.epoch("deleted_at_end")
    if bounds_needed and (start is None or end is None):
        raise bad_request("deleted_at_start and deleted_at_end are required")
    if month and start is not None and end is not None and end - start > MONTH_MS:
        raise bad_request("deleted_at_start and deleted_at_end may be at most 30 days apart")
    test = within(ctx.params, "deleted_at", lambda row: row["deletedAt"])
    return paged(ctx, keep(sorted(rows, key=lambda row: (row["deletedAt"], row["id"])), [test]))


def archive_reasons(ctx: Context) -> Answer:
    """Active and inactive archive reasons."""
    wanted = any_of(ctx.params, "type", lambda row: [row["type"]])
    return paged(ctx, keep(ctx.company.archive_reasons, [wanted]))


def requisitions(ctx: Context) -> Answer:
    """Requisitions; there is no window on ``updatedAt`` (documented)."""
    params = ctx.params
    tests = [
        within(params, "created_at", lambda row: row["createdAt"]),
        any_of(params, "requisition_code", lambda row: [row["requisitionCode"]]),
        any_of(params, "status", lambda row: [row["status"]]),
    ]
    return paged(ctx, keep(visible(ctx, ctx.company.requisitions), tests))


def requisition_fields(ctx: Context) -> Answer:
    """Definitions of requisition fields; this short list has no ``hasNext`` (recorded)."""
    tests = [any_of(ctx.params, "type", lambda row: [row["type"]])]
    return dumped({"data": keep(ctx.company.requisition_fields, tests)})


def opportunities(ctx: Context) -> Answer:
    """Opportunities in pipeline order (observed), with every documented filter."""
    cache_key = (ctx.access.confidential, ctx.params.key())
    found = ctx.state.cached(cache_key)
    tests = _opportunity_tests(ctx)
    rows = visible(ctx, ctx.state.opportunities) if found is None else found[0]
    if found is None:
        rows = keep(rows, tests)
        found = (rows, [ctx.state.order(row) for row in rows])
        ctx.state.remember(cache_key, *found)
    else:
        ctx.params.get("confidentiality")
    rank = ctx.state.rank
    return paged(
        ctx, found[0], found[1], show=lambda row: [rank.get(row["stage"], 999), row["lastAdvancedAt"], row["id"]]
    )


def _opportunity_tests(ctx: Context) -> list[Callable[[Record], bool] | None]:
    """The filters of ``GET /opportunities``; a window on a date that is null matches nothing."""
    params, applications = ctx.params, ctx.company.applications
    archived, snoozed = params.flag("archived"), params.flag("snoozed")

    def posting(item: Record) -> list[str]:
        return [applications[name]["posting"] for name in item["applications"]]

    def archived_posting(item: Record) -> list[str]:
        return [applications[name]["posting"] for name in item["applications"] if applications[name]["archived"]]

    return [
        (lambda item: (item["archived"] is not None) is archived) if archived is not None else None,
        (lambda item: (item["snoozedUntil"] is not None) is snoozed) if snoozed is not None else None,
        any_of(params, "stage_id", lambda item: [item["stage"]]),
        any_of(params, "posting_id", posting),
        any_of(params, "archived_posting_id", archived_posting),
        any_of(params, "contact_id", lambda item: [item["contact"]]),
        any_of(params, "archive_reason_id", lambda item: [item["archived"]["reason"]] if item["archived"] else []),
        any_of(params, "tag", lambda item: item["tags"]),
        any_of(params, "source", lambda item: item["sources"]),
        any_of(params, "origin", lambda item: [item["origin"]]),
        any_of(params, "email", lambda item: [email.strip().lower() for email in item["emails"]]),
        any_of(params, "location", lambda item: [item.get("opportunityLocation", "unspecified")]),
        within(params, "created_at", lambda item: item["createdAt"]),
        within(params, "updated_at", lambda item: item["updatedAt"]),
        within(params, "advanced_at", lambda item: item["lastAdvancedAt"]),
        within(params, "archived_at", lambda item: (item["archived"] or {}).get("archivedAt")),
    ]


def refused(ctx: Context) -> Answer:
    """Endpoints the key was not given: special-category data and paid add-ons."""
    raise LeverError(403, "ForbiddenError", "This API key is not permitted to use this endpoint")

"""The account-wide lists and single objects of the Lever side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.lever.answers import Answer, LeverError, bad_request, dumped, forbidden, listed, not_found, one
from sandbox.lever.context import Context
from sandbox.lever.paging import Key, page
from sandbox.lever.params import any_of, keep, within

Record = dict[str, Any]

CONFIDENTIALITY = ("confidential", "non-confidential", "all")
DISTRIBUTION = ("external", "internal")
WITHOUT_HAS_NEXT = ("users", "stages", "resumes")
"""Lists whose documented examples end without ``hasNext``."""

GROUPS = ("location", "team", "department", "commitment")


def newest_first(row: Record) -> Key:
    """The order of postings and users (observed)."""
    return (-row["createdAt"], row["id"])


def by_text(row: Record) -> Key:
    """The order of tags and sources (observed)."""
    return (row["text"].lower(), row["text"])


def paged(
    ctx: Context,
    rows: list[Record],
    key: Callable[[Record], Key] | None = None,
    *,
    show: Callable[[Record], list[Any]] | None = None,
) -> Answer:
    """A page of rows in the list envelope; ``key`` is what they are sorted by, else their place in the list."""
    if key is None:
        place = {id(row): number for number, row in enumerate(rows)}
        key = lambda row: (place[id(row)],)  # noqa: E731
    free = ctx.endpoint == "/applications/deleted" and ctx.params.get("limit") is None
    default = int(ctx.decides("deleted_page")) if free else 100
    limit, offset = ctx.params.limit(default), ctx.params.get("offset")
    items, token = page(ctx.tokens, ctx.place, rows, key, limit=limit, offset=offset, show=show or _shown(key))
    says_more = token is not None or ctx.kind not in WITHOUT_HAS_NEXT or ctx.decides("envelopes") == "recorded"
    return listed(_texts(ctx, items), token=token, has_next=token is not None if says_more else None)


def _texts(ctx: Context, items: list[Record]) -> list[bytes]:
    """Rows as JSON; those of the list of opportunities are kept, because making them is most of a page's work."""
    shaper = ctx.shaper()
    if ctx.opportunity_id or ctx.kind != "opportunities":
        return [dumped(shaper(item)).body for item in items]
    known = ctx.state.texts(ctx.shape)
    for item in items:
        if item["id"] not in known:
            known[item["id"]] = dumped(shaper(item)).body
    return [known[item["id"]] for item in items]


def _shown(key: Callable[[Record], Key]) -> Callable[[Record], list[Any]]:
    """What a token shows of a row: its sort key and its id, or its text where it has none."""
    return lambda row: [*(abs(part) if isinstance(part, int) else part for part in key(row)), row.get("id", "")]


def visible(ctx: Context, rows: list[Record]) -> list[Record]:
    """Apply ``confidentiality`` (default non-confidential).

    A key without access that asks for confidential data gets an access error (documented).
    """
    wanted = ctx.params.choice("confidentiality", CONFIDENTIALITY, "non-confidential")
    if wanted != "non-confidential" and not ctx.access.confidential:
        if ctx.decides("confidential_refusal") != "trimmed":
            raise no_access(ctx)
        return [] if wanted == "confidential" else [row for row in rows if row["confidentiality"] != "confidential"]
    if wanted == "all":
        return rows
    return [row for row in rows if row["confidentiality"] == wanted]


def no_access(ctx: Context) -> LeverError:
    """The access error for confidential data (its status is not documented: a switch)."""
    status = {"400": 400, "401": 401}.get(ctx.decides("confidential_refusal"), 403)
    refusal = forbidden("This API key does not have access to confidential data")
    return LeverError(status, refusal.code, refusal.message)


def hidden(ctx: Context, item: Record) -> bool:
    """Whether an object is confidential and the key may not see such."""
    return item.get("confidentiality") == "confidential" and not ctx.access.confidential


def single(ctx: Context, rows: dict[str, Record], object_id: str, *, what: str) -> Answer:
    """One object by id; a confidential one is refused to a key without access (documented as an access error)."""
    item = rows.get(object_id)
    if item is None or (hidden(ctx, item) and ctx.decides("confidential_refusal") == "trimmed"):
        raise not_found(f"{what} {object_id}")
    if hidden(ctx, item):
        raise no_access(ctx)
    return one(ctx.shaper()(item))


def contact(ctx: Context, contact_id: str) -> Answer:
    """One contact; a merged one, and one without any opportunity left, is gone (unverified: a switch)."""
    if contact_id not in ctx.state.contacts_in_use and ctx.decides("orphan_contacts") == "404":
        raise not_found(f"contacts {contact_id}")
    return single(ctx, ctx.company.contacts, contact_id, what="contacts")


def template(ctx: Context, template_id: str) -> Answer:
    """One active template; the reference shows it without ``data``, recordings with it."""
    rows = {row["id"]: row for row in getattr(ctx.company, ctx.kind)}
    answer = single(ctx, rows, template_id, what=ctx.kind)
    return answer if ctx.decides("envelopes") == "recorded" else dumped(ctx.shaper()(rows[template_id]))


def users(ctx: Context) -> Answer:
    """Active users unless ``includeDeactivated=true``; newest first (observed)."""
    rows = sorted(ctx.state.users.values(), key=newest_first)
    if not ctx.params.flag("includeDeactivated"):
        rows = [user for user in rows if user["deactivatedAt"] is None]
    tests = [
        any_of(ctx.params, "email", lambda user: [user["email"]]),
        any_of(ctx.params, "accessRole", lambda user: [user["accessRole"]]),
        any_of(ctx.params, "external_directory_id", lambda user: [user["externalDirectoryId"]]),
    ]
    return paged(ctx, keep(rows, tests), newest_first)


def postings(ctx: Context) -> Answer:
    """Postings, newest first (observed); ``updated_at_*`` goes with ``confidentiality`` only (documented)."""
    params = ctx.params
    rows = sorted(visible(ctx, list(ctx.state.postings.values())), key=newest_first)
    tests = [
        any_of(params, "state", lambda row: [row["state"]]),
        any_of(params, "distributionChannel", lambda row: row["distributionChannels"] or ()),
        any_of(params, "tag", lambda row: row["tags"]),
        *(any_of(params, name, lambda row, name=name: [row["categories"].get(name)])  # type: ignore[misc]
          for name in ("team", "department", "location", "commitment", "level")),
    ]  # fmt: skip
    window = within(params, "updated_at", lambda row: row["updatedAt"])
    group = params.choice("group", ("", *GROUPS), "")
    if window is not None and (group or any(test is not None for test in tests)):
        raise bad_request("updated_at_start and updated_at_end can only be combined with confidentiality")
    shown = [row for row in rows if row["distributionChannels"] != ["internal"]]
    asked = params.all("distributionChannel")
    if len(shown) < len(rows) and not asked and ctx.decides("internal_postings") == "hidden":
        rows = shown
    rows = keep(rows, [*tests, window])
    return _grouped(ctx, rows, group) if group else paged(ctx, rows, newest_first)


def posting(ctx: Context, posting_id: str) -> Answer:
    """One posting; what ``distribution`` (documented) changes was never recorded: here nothing."""
    ctx.params.choice("distribution", DISTRIBUTION, "external")
    return single(ctx, ctx.state.postings, posting_id, what="postings")


def application_form(ctx: Context, posting_id: str) -> Answer:
    """The application form of a posting, the same for every ``location`` and ``distribution`` (both documented)."""
    posting(ctx, posting_id)
    ctx.params.get("location")
    return one(ctx.company.posting_apply[posting_id])


def _grouped(ctx: Context, rows: list[Record], group: str) -> Answer:
    """Postings by one of their categories, as the public Postings API groups them (a guess for this one)."""
    shaper = ctx.shaper()
    groups: dict[str, list[Record]] = {}
    for row in rows:
        groups.setdefault(row["categories"].get(group) or "", []).append(shaper(row))
    return dumped({"data": [{"title": title, "postings": groups[title]} for title in sorted(groups)]})


def posting_users(ctx: Context, posting_id: str) -> Answer:
    """Who has access to a posting: an answer without ``data`` (recorded with an empty list of users)."""
    single(ctx, ctx.state.postings, posting_id, what="postings")
    posting = ctx.state.postings[posting_id]
    roles = [("admin", "Admin"), ("limited", "Limited Team Member"), ("owner", "Super Admin"), ("team", "Team Member")]
    return dumped(
        {
            "posting": {"id": posting_id, "text": posting["text"]},
            "users": [],
            "roles": [
                {"id": name, "name": text, "isReadOnly": True} | ({"conditions": {}} if name == "limited" else {})
                for name, text in roles
            ],
        }
    )


def archive_reasons(ctx: Context) -> Answer:
    """Active and inactive archive reasons."""
    wanted = any_of(ctx.params, "type", lambda row: [row["type"]])
    rows = keep(ctx.company.archive_reasons, [wanted])
    if wanted is not None and ctx.decides("envelopes") == "documented":  # the example shows one object, not a list
        return dumped({"data": rows[0] if len(rows) == 1 else rows, "hasNext": False})
    return paged(ctx, rows)


def requisitions(ctx: Context) -> Answer:
    """Requisitions; there is no window on ``updatedAt`` (documented)."""
    params = ctx.params
    tests = [
        within(params, "created_at", lambda row: row["createdAt"]),
        any_of(params, "requisition_code", lambda row: [row["requisitionCode"]]),
        any_of(params, "status", lambda row: [row["status"]]),
    ]
    return paged(ctx, keep(visible(ctx, _requisitions(ctx)), tests))


def requisition(ctx: Context, requisition_id: str) -> Answer:
    """One requisition."""
    return single(ctx, {row["id"]: row for row in _requisitions(ctx)}, requisition_id, what="requisitions")


def _requisitions(ctx: Context) -> list[Record]:
    """All requisitions; the first may be linked to a posting of each kind as well, seen by all or not (a switch)."""
    rows = ctx.company.requisitions
    secret = [row for row in ctx.company.postings if row["confidentiality"] == "confidential"]
    if not secret or ctx.decides("shared_requisition") == "none":
        return rows
    seen = {"open": "non-confidential"}.get(ctx.says("shared_requisition"), "confidential")
    both = [*rows[0]["postings"], secret[0]["id"]]
    return [rows[0] | {"postings": both, "confidentiality": seen}, *rows[1:]]


def requisition_fields(ctx: Context) -> Answer:
    """Definitions of requisition fields; this short list has no ``hasNext`` (recorded)."""
    required = ctx.params.flag("isRequired")
    tests = [
        any_of(ctx.params, "type", lambda row: [row["type"]]),
        None if required is None else (lambda row: row["isRequired"] is required),
    ]
    return dumped({"data": keep(ctx.company.requisition_fields, tests)})


def opportunities(ctx: Context) -> Answer:
    """Opportunities in pipeline order (observed), with every documented filter."""
    switches = tuple(ctx.says(name) for name in ("filtered_order", "null_dates", "confidential_refusal"))
    cache_key = (ctx.access.confidential, *switches, ctx.params.key())
    tests = opportunity_tests(ctx)
    filtered = any(test is not None for test in tests)
    created = filtered and ctx.says("filtered_order") == "created"
    rows = ctx.state.cached(cache_key)
    if rows is None:
        rows = keep(visible(ctx, ctx.state.opportunities), tests)
        if any(row["updatedAt"] is None for row in rows) and within(ctx.params, "updated_at", _updated(ctx)):
            ctx.decides("null_dates")
        if created and (newest := sorted(rows, key=newest_first)) != rows:
            ctx.decides("filtered_order")
            rows = newest
        ctx.state.remember(cache_key, rows)
    else:
        ctx.params.get("confidentiality")
    if created:
        return paged(ctx, rows, newest_first)
    rank = ctx.state.rank
    return paged(
        ctx, rows, ctx.state.order, show=lambda row: [rank.get(row["stage"], 999), row["lastAdvancedAt"], row["id"]]
    )


def opportunity_tests(ctx: Context) -> list[Callable[[Record], bool] | None]:
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
        within(params, "updated_at", _updated(ctx)),
        within(params, "advanced_at", lambda item: item["lastAdvancedAt"]),
        within(params, "archived_at", lambda item: (item["archived"] or {}).get("archivedAt")),
    ]


def _updated(ctx: Context) -> Callable[[Record], Any]:
    """``updatedAt`` as its filter sees it: whether null counts as the beginning of time is not known (a switch)."""
    if ctx.says("null_dates") == "match":
        return lambda item: item["updatedAt"] or 0
    return lambda item: item["updatedAt"]


def refused(ctx: Context) -> Answer:
    """A paid add-on that this account does not have (403 also says what its settings do not allow: documented)."""
    raise forbidden("The settings of this account do not allow this endpoint")

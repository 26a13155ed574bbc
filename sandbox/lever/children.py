"""What hangs below one opportunity: child lists, single children, downloads."""

from __future__ import annotations

from typing import Any

from sandbox.company.papers import uploaded
from sandbox.lever.answers import Answer, LeverError, bad_request, dumped, not_found, one
from sandbox.lever.context import Context
from sandbox.lever.lists import hidden, no_access, paged
from sandbox.lever.params import keep, within

Record = dict[str, Any]

UNKNOWN = b"application/octet-stream"
TYPES = {"pdf": b"application/pdf", "txt": b"text/plain; charset=utf-8", "png": b"image/png", "empty": UNKNOWN}
"""Content types of downloads: the vendor's are not documented, so a switch tells whether they say anything."""

LEVER_SITE = b"https://hire.lever.co"
WITH_ADDRESSES = ("resumes", "files", "offers")
"""Children that tell a ``downloadUrl`` on the host of Lever's user interface (documented)."""

WINDOWS = {"resumes": "uploaded_at", "files": "uploaded_at", "file_actions": "occurred_at"}


def opportunity(ctx: Context) -> Record:
    """The opportunity of the path; children of a confidential one need access too (inference)."""
    item = ctx.state.by_id.get(ctx.opportunity_id)
    if item is None or (hidden(ctx, item) and ctx.decides("confidential_refusal") == "trimmed"):
        raise not_found(f"opportunities {ctx.opportunity_id}")
    if hidden(ctx, item):
        raise no_access(ctx)
    return item


def child_list(ctx: Context) -> Answer:
    """One child list, oldest first."""
    item = opportunity(ctx)
    if ctx.kind == "applications":
        return paged(ctx, [ctx.company.applications[name] for name in item["applications"]])
    rows = _listed(ctx)
    if ctx.kind in WINDOWS:
        rows = keep(rows, [within(ctx.params, WINDOWS[ctx.kind], _at)])
    if ctx.kind == "resumes" and not rows and ctx.decides("empty_resumes") == "404":
        raise not_found(f"resumes of {ctx.opportunity_id}")
    shaper = ctx.shaper()
    if ctx.kind == "files" and ctx.decides("files_envelope") == "bare":
        return _reachable(ctx, dumped([shaper(row) for row in rows]))
    if ctx.kind == "forms" and len(rows) == 1 and ctx.decides("envelopes") == "documented":
        return dumped(shaper(rows[0]))  # the example of the reference is a bare object
    return _reachable(ctx, paged(ctx, rows))


def _reachable(ctx: Context, answer: Answer) -> Answer:
    """Let a ``downloadUrl`` point to what stands here for the host of Lever's user interface."""
    told = ctx.kind in WITH_ADDRESSES and LEVER_SITE in answer.body
    if told and ctx.decides("download_urls") == "sandbox":
        answer.body = answer.body.replace(LEVER_SITE, ctx.site.encode())
    return answer


def _rows(ctx: Context) -> list[Record]:
    """The children of a kind; whether files that are answers of forms are among the files is not known (a switch)."""
    rows = ctx.state.children(ctx.kind, ctx.opportunity_id)
    if ctx.kind != "files" or ctx.says("uploaded_answers") == "absent":
        return rows
    answers = uploaded(ctx.company, ctx.state.by_id[ctx.opportunity_id])
    if answers:
        ctx.decides("uploaded_answers")
    return [*rows, *answers]


def _listed(ctx: Context) -> list[Record]:
    """The rows of a child list; whether deleted and secret ones are among them is not known (switches)."""
    rows = _rows(ctx)
    for mark, name in (("deletedAt", "deleted_children"), ("secret", "secret_children")):
        if any(row.get(mark) for row in rows) and ctx.decides(name) == "hidden":
            rows = [row for row in rows if not row.get(mark)]
    return rows


def _at(row: Record) -> int | None:
    """When a file arrived; the reference shows the number as a string now and then."""
    value = row.get("occurredAt") or row.get("uploadedAt") or (row.get("file") or {}).get("uploadedAt")
    return None if value is None else int(value)


def child(ctx: Context, child_id: str) -> Answer:
    """One child; deleted ones are still returned by id (recorded for feedback)."""
    item = opportunity(ctx)
    if ctx.kind == "applications":
        if child_id in item["applications"]:
            return one(ctx.shaper()(ctx.company.applications[child_id]))
        raise not_found(f"applications {child_id}")
    for row in _rows(ctx):
        if row["id"] == child_id:
            return _reachable(ctx, one(ctx.shaper()(row)))
    raise not_found(f"{ctx.kind} {child_id}")


def download(ctx: Context, child_id: str) -> Answer:
    """The bytes, or a redirect to the storage host for about half of the files (redirects are a guess)."""
    opportunity(ctx)
    key = _download_key(ctx, child_id)
    if child_id in ctx.company.lost_files:
        raise LeverError(422, "UnprocessableEntity", f"{ctx.kind} {child_id} could not be processed")
    spec = ctx.company.file_spec(key)
    if spec is None:
        raise not_found(f"{ctx.kind} {child_id} has no file")
    if _redirected(ctx, child_id):
        place = f"{ctx.settings.storage_url}/lever/{key}".encode()
        return Answer(302, headers=[(b"location", place)])
    named = TYPES[spec.kind]
    kind = named if named != UNKNOWN and ctx.decides("download_types") == "named" else UNKNOWN
    return Answer(200, ctx.company.file_bytes(key), content_type=kind)


def _download_key(ctx: Context, child_id: str) -> str:
    """The name of the bytes: offers have a sent and a signed document (default: signed if present)."""
    rows = [row for row in _rows(ctx) if row["id"] == child_id]
    if not rows:
        raise not_found(f"{ctx.kind} {child_id}")
    if ctx.kind != "offers":
        return child_id
    which = ctx.params.get("status") or ("signed" if rows[0]["signedDocument"] else "sent")
    if which not in ("sent", "signed"):
        raise bad_request("status must be sent or signed")
    return f"{child_id}:{which}"


def _redirected(ctx: Context, child_id: str) -> bool:
    """Which downloads go through storage: by id, unless a switch says all or none."""
    wanted = ctx.says("download_redirects")
    is_half = int(child_id[0], 16) % 2 == 0
    if is_half != (wanted == "all"):
        ctx.decides("download_redirects")
    return wanted == "all" or (wanted == "half" and is_half)

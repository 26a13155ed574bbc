"""What a key or token may read: endpoints ticked one by one, OAuth scopes, confidential access."""

from __future__ import annotations

CONFIDENTIAL = "confidential:access:admin"
OFFLINE = "offline_access"

_NAMES = {
    "contacts": "contact",
    "disposition_stages": "stages",
    "file_actions": "files",
    "responses": "eeo_responses",
    "pii": "eeo_responses_pii",
    "diversity": "diversity_surveys",
}
"""Resources whose scope is not called after them (`disposition_stages`, `file_actions`: inferred)."""

RESOURCES = (
    "applications", "archive_reasons", "contact", "feedback", "feedback_templates", "files", "forms",
    "form_templates", "interviews", "notes", "offers", "opportunities", "panels", "postings", "referrals",
    "requisitions", "requisition_fields", "resumes", "sources", "stages", "tags", "users",
)  # fmt: skip
EVERYTHING = frozenset({OFFLINE, CONFIDENTIAL, *(f"{name}:read:admin" for name in RESOURCES)})
"""All that a full read needs (documented); special-category data and paid add-ons are not among it."""

APART = frozenset(
    {
        *(f"{name}:read:admin" for name in ("audit_events", "diversity_surveys", "eeo_responses", "eeo_responses_pii")),
        *(f"webhooks:{right}" for right in ("read:admin", "write:admin", "*")),
    }
)
"""Scopes on top of that (documented): the sandbox's keys hold none of these rights, a token those it was given."""


def scope_of(endpoint: str) -> str:
    """The scope an endpoint needs: that of the child where there is one, else that of the resource."""
    parts = [part for part in endpoint.split("/") if part not in ("", "*", "deleted", "download", "apply", "users")]
    name = parts[-1] if parts else "users"
    return f"{_NAMES.get(name, name)}:read:admin"


def allowed(endpoint: str, *, scopes: frozenset[str] | None, without: str, writes: bool = False) -> bool:
    """Whether an endpoint may be used: ``without`` are the boxes that were not ticked, with ``*`` for ids.

    Lists and single objects are boxes of their own (documented): ``/users`` does not take ``/users/*`` away.
    """
    name = endpoint.replace("/candidates", "/opportunities", 1)
    if name in [pattern.strip() for pattern in without.split(",")]:
        return False
    needed = scope_of(name)
    if writes:
        needed = f"{needed.partition(':')[0]}:write:admin"
    if scopes is None:
        return needed not in APART
    return needed in scopes or f"{needed.partition(':')[0]}:*" in scopes

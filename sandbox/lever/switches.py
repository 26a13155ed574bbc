"""Answers of the Lever side to questions the vendor leaves open."""

from __future__ import annotations

from sandbox import settings

SWITCHES: dict[str, str] = {
    "offset_seconds": "3600",
    "oauth_seconds": "3600",
    "oauth_old_refresh": "refuse",
    "oauth_redirects": "no",
    "refresh_unused_days": "90",
    "refresh_days": "365",
    "lever_retry_after": "",
    "internal_postings": "shown",
    "empty_resumes": "list",
    "files_envelope": "data",
    "download_redirects": "half",
    "lever_clock": "account",
    "updated_lag_ms": "0",
    "quiet_children": "yes",
    "quiet_deletes": "yes",
    "new_updated_at": "set",
    "lever_key_without": "",
    "lever_buckets": "key",
    "lever_region": "global",
    "confidential_refusal": "403",
    "filtered_order": "pipeline",
    "null_dates": "skipped",
    "expand_comma": "ignored",
    "expand_unknown": "ignored",
    "expanded_applications": "full",
    "envelopes": "recorded",
    "deleted_children": "listed",
    "secret_children": "listed",
    "deleted_reach_days": "",
    "deleted_windows": "checked",
    "deleted_page": "100",
    "deleted_confidential": "listed",
    "deleted_items": "full",
    "downloads_limited": "yes",
    "download_types": "octet-stream",
    "orphan_contacts": "404",
    "download_urls": "sandbox",
    "download_url_key": "accepted",
    "odd_values": "off",
    "shared_requisition": "none",
    "uploaded_answers": "absent",
    "audit_addon": "off",
    "lever_hook_answers": "2xx",
}
"""Names and defaults; what each means stands in the README, "Switches"."""

VALUES: dict[str, str] = {
    "oauth_old_refresh": "refuse|accept",
    "oauth_redirects": "no|path|host",
    "lever_retry_after": "text",
    "internal_postings": "shown|hidden",
    "empty_resumes": "list|404",
    "files_envelope": "data|bare",
    "download_redirects": "half|all|none",
    "lever_clock": "account|machine",
    "quiet_children": "yes|no",
    "quiet_deletes": "yes|no",
    "new_updated_at": "set|null",
    "lever_key_without": "text",
    "lever_buckets": "key|account",
    "lever_region": "global|eu",
    "confidential_refusal": "403|401|400|trimmed",
    "filtered_order": "pipeline|created",
    "null_dates": "skipped|match",
    "expand_comma": "ignored|split",
    "expand_unknown": "ignored|400",
    "expanded_applications": "full|without_questions",
    "envelopes": "recorded|documented",
    "deleted_children": "listed|hidden",
    "secret_children": "listed|hidden",
    "deleted_reach_days": "#?",
    "deleted_windows": "checked|free",
    "deleted_page": "100|50",
    "deleted_confidential": "listed|hidden|asked",
    "deleted_items": "full|bare",
    "downloads_limited": "yes|no",
    "download_types": "octet-stream|named",
    "orphan_contacts": "404|answer",
    "download_urls": "sandbox|lever",
    "download_url_key": "accepted|refused",
    "odd_values": "off|on",
    "shared_requisition": "none|open|confidential",
    "uploaded_answers": "absent|listed",
    "audit_addon": "off|on",
    "lever_hook_answers": "2xx|3xx|never",
}
"""What each may be set to, in the notation of ``sandbox.choices``; one that is not here holds a number."""


def switch(switches: dict[str, str], name: str) -> str:
    """Return a switch, its default when it is not set."""
    return switches.get(name, SWITCHES[name])


def decides(switches: dict[str, str], name: str) -> str:
    """Return a switch where its values part: it counts as one that decided something, see ``settings.decides``."""
    return settings.decides(switches, name, SWITCHES[name])

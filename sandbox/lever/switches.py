"""Answers of the Lever side to questions the vendor leaves open."""

from __future__ import annotations

SWITCHES: dict[str, str] = {
    "offset_seconds": "3600",
    "oauth_seconds": "3600",
    "oauth_old_refresh": "refuse",
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
    "downloads_limited": "yes",
    "download_types": "octet-stream",
    "orphan_contacts": "404",
    "download_urls": "sandbox",
}
"""Names and defaults; what each means stands in the README, "Switches"."""


def switch(switches: dict[str, str], name: str) -> str:
    """Return a switch, its default when it is not set."""
    return switches.get(name, SWITCHES[name])

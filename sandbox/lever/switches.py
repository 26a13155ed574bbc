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
}
"""Names and defaults; what each means stands in the README, "Switches"."""


def switch(switches: dict[str, str], name: str) -> str:
    """Return a switch, its default when it is not set."""
    return switches.get(name, SWITCHES[name])

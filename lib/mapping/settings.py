"""The policies that the mapping obeys, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lib.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    """Policies of one customer (see `lib.params`); times in epoch milliseconds, both ends inclusive."""

    without_posting: str = "candidate_only"
    talent_pool_job: str = ""
    repeat_candidacy: str = "note"
    placeholder_user: str = ""
    secret_notes: str = "private"
    confidential_as_new: bool = False
    existing_candidates: str = "link"
    consent_denied: str = "never"
    consent_expired: str = "never"
    note_limit: int = 20_000
    file_limit: int = 0
    run_tag: str = "Migrated from Lever"
    created_from_ms: int | None = None
    created_to_ms: int | None = None
    states: tuple[str, ...] = ()
    postings: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    include_confidential: bool = True

    @property
    def by_posting(self) -> bool:
        """Whether the scope chooses among postings: those that nobody is moved with need no job."""
        return bool(self.postings or self.departments or self.locations)


_LISTS = ("states", "postings", "departments", "locations", "tags")


def settings(policy: Any) -> Settings:
    """Settings from `params.policy` (anything with its attributes); missing attributes take the defaults."""
    default = Settings()
    names = (
        "without_posting", "talent_pool_job", "repeat_candidacy", "placeholder_user", "secret_notes",
        "confidential_as_new", "existing_candidates", "consent_denied", "consent_expired", "note_limit",
        "file_limit", "run_tag",
    )  # fmt: skip
    plain = {name: getattr(policy, name, getattr(default, name)) for name in names}
    scope = getattr(policy, "scope", None)
    return Settings(
        **plain,
        created_from_ms=_moment(getattr(scope, "created_from", ""), end=False),
        created_to_ms=_moment(getattr(scope, "created_to", ""), end=True),
        **{name: tuple(getattr(scope, name, ())) for name in _LISTS},
        include_confidential=getattr(scope, "include_confidential", True),
    )


def _moment(text: str, *, end: bool) -> int | None:
    """Epoch milliseconds of an ISO date or time (UTC); a bare date stands for its first or its last millisecond."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise ConfigError(f"policy.scope: {text!r} is not an ISO date.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if end and len(text) == 10:
        moment += timedelta(days=1) - timedelta(milliseconds=1)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (moment - epoch) // timedelta(milliseconds=1)

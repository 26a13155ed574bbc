"""All state of one imitated Ashby organization, its clock, its ids and its change counter."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.records import (
    Application,
    Call,
    Candidate,
    Feedback,
    Field,
    Job,
    Json,
    Opening,
    StoredFile,
    Upload,
)

COMPANY_NOW_MS = 1_774_958_400_000
"""2026-03-31T12:00:00Z, the end of the generated history; the run-time clock never stands before it."""

SWITCHES: dict[str, str] = {
    "unknown_members": "refuse",
    "write_answers": "recorded",
    "retry_after": "present",
    "search_name": "equal",
    "search_delay_ms": "0",
    "duplicate_applications": "allowed",
    "application_job_states": "Open,Closed",
    "history_before_creation": "refuse",
    "repeat_tag": "ignore",
    "feedback_author": "enabled",
    "null_field_values": "refuse",
    "field_titles": "repeat",
    "email_format": "any",
    "on_behalf_of": "on",
    "cursor_seconds": "3600",
    "sync_token_seconds": "604800",
    "incremental_max_pages": "0",
    "upload_seconds": "600",
    "download_seconds": "600",
    "note_max_chars": "0",
    "file_max_bytes": "0",
    "key_toggles": "confidential,private,history,behalf",
    "key_without": "",
}
"""Answers to questions the vendor leaves open, and the rights of the full key, with the defaults.

What each value does stands in this folder's README.
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(ms: int) -> str:
    """Write epoch milliseconds as the API does: ISO 8601, milliseconds, Z."""
    return (_EPOCH + timedelta(milliseconds=ms)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def new_id() -> str:
    """Return a new object id."""
    return str(uuid.uuid4())


@dataclass
class State:
    """One organization. ``changed`` holds for each object id the number of its last change (sync tokens)."""

    switches: dict[str, str]
    storage_url: Callable[[], str]
    org_id: str = ""
    key_user: str = ""
    users: dict[str, Json] = field(default_factory=dict)
    sources: dict[str, Json] = field(default_factory=dict)
    archive_reasons: dict[str, Json] = field(default_factory=dict)
    close_reasons: dict[str, Json] = field(default_factory=dict)
    departments: dict[str, Json] = field(default_factory=dict)
    locations: dict[str, Json] = field(default_factory=dict)
    plans: dict[str, Json] = field(default_factory=dict)
    stages: dict[str, Json] = field(default_factory=dict)
    stage_groups: dict[str, Json] = field(default_factory=dict)
    interviews: dict[str, Json] = field(default_factory=dict)
    forms: dict[str, Json] = field(default_factory=dict)
    templates: dict[str, Json] = field(default_factory=dict)
    roles: dict[str, Json] = field(default_factory=dict)
    projects: dict[str, Json] = field(default_factory=dict)
    tags: dict[str, Json] = field(default_factory=dict)
    fields: dict[str, Field] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    openings: dict[str, Opening] = field(default_factory=dict)
    candidates: dict[str, Candidate] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    feedback: dict[str, Feedback] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    by_email: dict[str, dict[str, None]] = field(default_factory=dict)
    by_name: dict[str, dict[str, None]] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    downloads: dict[str, tuple[str, float]] = field(default_factory=dict)
    preexisting: dict[str, list[str]] = field(default_factory=dict)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    seq: int = 0
    writes: int = 0
    notified: int = 0

    def switch(self, name: str) -> str:
        """Return a switch, its default when it is not set."""
        return self.switches.get(name, SWITCHES[name])

    def number(self, name: str) -> int:
        """Return a switch that holds a number."""
        return int(float(self.switch(name)))

    def now(self) -> int:
        """Return the current time in epoch milliseconds."""
        return max(int(time.time() * 1000), COMPANY_NOW_MS)

    def touch(self, *ids: str) -> None:
        """Record that objects changed, for incremental synchronization."""
        for object_id in ids:
            self.seq += 1
            self.changed[object_id] = self.seq

    def past(self, ms: int | None, member: str) -> int:
        """Return a given time, or now; a time in the future is refused (guess: facts §9, question 5)."""
        now = self.now()
        if ms is not None and ms > now:
            raise invalid(f"{member}: must not be in the future")
        return now if ms is None else ms

    def index(self, candidate: Candidate) -> None:
        """Make a candidate findable by its addresses and its name; call again after they changed."""
        for address in (candidate.email, *candidate.alternates):
            if address:
                self.by_email.setdefault(address.strip().lower(), {})[candidate.id] = None
        self.by_name.setdefault(candidate.name.strip().lower(), {})[candidate.id] = None

    def unindex(self, candidate: Candidate) -> None:
        """Take a candidate out of the search indexes, before its addresses or name change."""
        for address in (candidate.email, *candidate.alternates):
            if address:
                self.by_email.get(address.strip().lower(), {}).pop(candidate.id, None)
        self.by_name.get(candidate.name.strip().lower(), {}).pop(candidate.id, None)

    def save_candidate(self, candidate: Candidate) -> None:
        """Stamp a changed candidate."""
        candidate.updated_ms = self.now()
        self.touch(candidate.id)

    def save_application(self, application: Application) -> None:
        """Stamp a changed application."""
        application.updated_ms = self.now()
        self.touch(application.id)


def find(collection: dict[str, Any], object_id: str, code: str) -> Any:
    """Return an object by id or refuse with the endpoint's "not found" code."""
    try:
        return collection[object_id]
    except KeyError:
        raise RefusedError(code, f"{code.replace('_', ' ')} or not visible to this key") from None


def find_job(state: State, job_id: str, call: Call) -> Job:
    """Return a job this key may see."""
    job: Job = find(state.jobs, job_id, "job_not_found")
    if job.confidential and not call.may("confidential"):
        raise RefusedError("job_not_found", "job not found or not visible to this key")
    return job


def sees_application(state: State, application: Application, call: Call) -> bool:
    """Say whether the key may see an application (confidential jobs need a toggle)."""
    return call.may("confidential") or not state.jobs[application.job].confidential


def find_application(state: State, application_id: str, call: Call) -> Application:
    """Return an application this key may see."""
    application: Application = find(state.applications, application_id, "application_not_found")
    if not sees_application(state, application, call):
        raise RefusedError("application_not_found", "application not found or not visible to this key")
    return application


def check_references(state: State, body: Json) -> None:
    """Refuse a source or a credited user that does not exist (codes are guesses)."""
    if body.get("sourceId") is not None:
        find(state.sources, body["sourceId"], "source_not_found")
    if body.get("creditedToUserId") is not None:
        find(state.users, body["creditedToUserId"], "user_not_found")


def plan_stages(state: State, plan_id: str) -> list[Json]:
    """Return the stages of a plan in order."""
    stages: Iterable[Json] = (stage for stage in state.stages.values() if stage["interviewPlanId"] == plan_id)
    return sorted(stages, key=lambda stage: stage["orderInInterviewPlan"])

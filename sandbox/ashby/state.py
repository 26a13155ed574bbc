"""All state of one imitated Ashby organization, its clock, its ids and its change counter."""

from __future__ import annotations

import secrets
import time
import uuid
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox import settings
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
from sandbox.ashby.switches import SWITCHES
from sandbox.ashby.versions import Versioned, Versions

COMPANY_NOW_MS = 1_774_958_400_000
"""2026-03-31T12:00:00Z, the end of the generated history; the run-time clock never stands before it."""

MOST_SHOWN = 20_000
"""So many rendered items of lists are kept at most."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(ms: int) -> str:
    """Write epoch milliseconds as the API does: ISO 8601, milliseconds, Z."""
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")[:-6] + "Z"


def new_id() -> str:
    """Return a new object id."""
    return str(uuid.uuid4())


@dataclass
class State:
    """One organization.

    ``changed`` holds for each object id the number of its last change (sync tokens), ``log`` the id of each change
    in order. ``shown`` keeps what lists showed last; ``kept`` says when it is good. ``removals`` tells open
    cursors by how much positions moved: (list, owner, position). ``born``, ``horizon`` and ``spread`` serve the
    switches ``visible_after_ms`` and ``visible_spread_ms``: while a read is answered, objects born after the horizon,
    each with its own wait added, are not there yet. ``versions`` and ``moment`` serve ``stale_after_ms``: a read shows
    candidates, applications, jobs and custom fields as they were at that moment.
    """

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
    log: list[str] = field(default_factory=list)
    shown: dict[Any, Any] = field(default_factory=dict)
    shown_at: tuple[Any, ...] = ()
    downloads: dict[str, tuple[str, float]] = field(default_factory=dict)
    brands: dict[str, Json] = field(default_factory=dict)
    boards: dict[str, Json] = field(default_factory=dict)
    postings: dict[str, Json] = field(default_factory=dict)
    application_forms: dict[str, Json] = field(default_factory=dict)
    submissions: dict[str, Json] = field(default_factory=dict)
    referrals: dict[str, Json] = field(default_factory=dict)
    referral_form: Json = field(default_factory=dict)
    tracking_links: dict[str, Json] = field(default_factory=dict)
    offers: dict[str, Json] = field(default_factory=dict)
    schedules: dict[str, Json] = field(default_factory=dict)
    interview_events: dict[str, Json] = field(default_factory=dict)
    survey_forms: dict[str, Json] = field(default_factory=dict)
    survey_requests: dict[str, Json] = field(default_factory=dict)
    survey_submissions: dict[str, Json] = field(default_factory=dict)
    pools: dict[str, Json] = field(default_factory=dict)
    pauses: dict[str, Json] = field(default_factory=dict)
    interviewer_limits: dict[str, Json] = field(default_factory=dict)
    user_values: dict[str, Json] = field(default_factory=dict)
    emails: dict[str, Json] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    reports: dict[str, str] = field(default_factory=dict)
    report_runs: dict[str, tuple[str, float | None]] = field(default_factory=dict)
    report_starts: list[float] = field(default_factory=list)
    webhooks: dict[str, Json] = field(default_factory=dict)
    outbox: list[Json] = field(default_factory=list)
    others: list[Json] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)
    removals: list[tuple[str, str | None, int]] = field(default_factory=list)
    born: dict[str, int] = field(default_factory=dict)
    horizon: int = 0
    spread: int = 0
    versions: Versions = field(default_factory=Versions)
    moment: int = 0
    preexisting: dict[str, list[str]] = field(default_factory=dict)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    seq: int = 0
    writes: int = 0
    notified: int = 0

    def switch(self, name: str) -> str:
        """Return a switch, its default when it is not set."""
        return self.switches.get(name, SWITCHES[name])

    def decides(self, name: str) -> str:
        """Return a switch where its values part: it counts as one that decided something (``settings.decides``)."""
        return settings.decides(self.switches, name, SWITCHES[name])

    def number(self, name: str) -> int:
        """Return a switch that holds a number."""
        return int(float(self.switch(name)))

    def now(self) -> int:
        """Return the current time in epoch milliseconds."""
        return max(int(time.time() * 1000), COMPANY_NOW_MS)

    def touch(self, *ids: str) -> None:
        """Record that objects changed, for incremental synchronization."""
        late = self.number("visible_after_ms") + self.number("visible_spread_ms")
        stale = self.number("stale_after_ms")
        for object_id in ids:
            if late and object_id not in self.changed:
                self.born[object_id] = int(time.time() * 1000)
            self.seq += 1
            self.changed[object_id] = self.seq
            self.log.append(object_id)
            if stale and (item := self._versioned(object_id)) is not None:
                self.versions.keep(item, self.seq, stale)

    def _versioned(self, object_id: str) -> Versioned | None:
        """Return the object of an id, if it is one whose former versions a read may show."""
        for table in (self.candidates, self.applications, self.jobs, self.fields):
            if object_id in table:
                return table[object_id]  # type: ignore[attr-defined,no-any-return]
        return None

    def forget(self, object_id: str) -> None:
        """Record that an object is gone."""
        self.seq += 1
        self.log.append(object_id)
        self.changed.pop(object_id, None)
        self.born.pop(object_id, None)
        self.versions.forget(object_id)

    def kept(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what was made for a key, made anew after any write or switch; for what is asked for often."""
        now = (self.seq, self.writes, *self.switches.items())
        if self.shown_at != now or len(self.shown) > MOST_SHOWN:
            self.shown, self.shown_at = {}, now
        if key not in self.shown:
            self.shown[key] = make()
        return self.shown[key]

    def look(self, *, reads: bool) -> None:
        """Begin a call: a read sees nothing younger than ``visible_after_ms`` or ``stale_after_ms``, a write all."""
        late, self.spread = self.number("visible_after_ms"), self.number("visible_spread_ms")
        self.horizon = int(time.time() * 1000) - late if reads and late + self.spread else 0
        stale = self.number("stale_after_ms")
        self.moment = int(time.time() * 1000) - stale if reads and stale else 0
        if stale and not self.versions:
            tables = (self.candidates, self.applications, self.jobs, self.fields)
            self.versions.begin([item for table in tables for item in table.values()])  # type: ignore[attr-defined]
        elif not stale and self.versions:
            self.versions.clear()

    def seen(self, item: Any) -> Any:
        """Return an object as the call being answered sees it: the version before its last change, or as it is."""
        before = self.versions.before(item.id, self.moment) if self.moment else None
        if before is None:
            return item
        self.decides("stale_after_ms")
        return before

    def hides(self, object_id: str) -> bool:
        """Say whether an object is too young to be seen by the call being answered."""
        born = self.born.get(object_id, 0) if self.horizon > 0 else 0
        if not born or self._shown_from(object_id, born) <= self.horizon:
            return False
        self.decides("visible_after_ms" if born > self.horizon else "visible_spread_ms")
        return True

    def _shown_from(self, object_id: str, born: int) -> int:
        """When an object is old enough, by its own share of ``visible_spread_ms``: a later one may be seen earlier."""
        return born + zlib.crc32(object_id.encode()) % (self.spread + 1) if born else 0

    def settled(self) -> int:
        """Return the change number up to which the call being answered sees every object as it is."""
        if not self.horizon and not self.moment:
            return self.seq
        unseen = self.versions.unseen(self.moment) if self.moment else []
        born = self.born.items() if self.horizon else ()
        young = [key for key, at in born if self._shown_from(key, at) > self.horizon]
        hidden = [self.changed[key] for key in young if key in self.changed]
        return min([*hidden, *unseen], default=self.seq + 1) - 1

    def past(self, ms: int | None, member: str) -> int:
        """Return a given time, or now (switches ``future_times`` and ``time_precision``)."""
        now = self.now()
        if ms is None:
            return now
        if ms > now and self.decides("future_times") == "refuse":
            raise invalid(f"{member}: must not be in the future")
        return ms if ms % 1000 == 0 or self.decides("time_precision") == "ms" else ms // 1000 * 1000

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


def find(state: State, collection: str, object_id: str, code: str) -> Any:
    """Return an object by id or refuse with the endpoint's "not found" code."""
    found = getattr(state, collection).get(object_id)
    if found is None or state.hides(object_id):
        raise RefusedError(code, f"{code.replace('_', ' ')} or not visible to this key")
    return found


def find_job(state: State, job_id: str, call: Call) -> Job:
    """Return a job this key may see."""
    job: Job = find(state, "jobs", job_id, "job_not_found")
    if job.confidential and not call.may("confidential"):
        raise RefusedError("job_not_found", "job not found or not visible to this key")
    return job


def sees_application(state: State, application: Application, call: Call) -> bool:
    """Say whether the key may see an application (confidential jobs need a toggle)."""
    return call.may("confidential") or not state.jobs[application.job].confidential


def find_application(state: State, application_id: str, call: Call) -> Application:
    """Return an application this key may see."""
    application: Application = find(state, "applications", application_id, "application_not_found")
    if not sees_application(state, application, call):
        raise RefusedError("application_not_found", "application not found or not visible to this key")
    return application


def check_references(state: State, body: Json) -> None:
    """Refuse a source or a credited user that does not exist (codes are guesses)."""
    if body.get("sourceId") is not None:
        check_in_use(state, find(state, "sources", body["sourceId"], "source_not_found"), "sourceId")
    if body.get("creditedToUserId") is not None:
        find(state, "users", body["creditedToUserId"], "user_not_found")


def check_in_use(state: State, item: Json, member: str) -> None:
    """Refuse an archived tag, source or reason when switch ``archived_references`` = ``refuse`` (undocumented)."""
    if item["isArchived"] and state.decides("archived_references") == "refuse":
        raise invalid(f"{member}: archived")


def plan_stages(state: State, plan_id: str) -> list[Json]:
    """Return the stages of a plan in order."""
    stages: Iterable[Json] = (stage for stage in state.stages.values() if stage["interviewPlanId"] == plan_id)
    return sorted(stages, key=lambda stage: stage["orderInInterviewPlan"])

"""The objects an Ashby organization is made of, as the server keeps them (answers are made in ``views``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Event:
    """One entry of an application's history."""

    id: str
    stage_id: str
    entered_ms: int
    archive_reason: str | None = None
    actor: str | None = None


@dataclass(slots=True)
class Candidate:
    """A person; ``added_ms`` is when the record was made, whatever ``created_ms`` was set to."""

    id: str
    name: str
    created_ms: int
    updated_ms: int
    added_ms: int
    email: str | None = None
    alternates: list[str] = field(default_factory=list)
    phone: str | None = None
    links: list[Json] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    position: str | None = None
    company: str | None = None
    school: str | None = None
    applications: list[str] = field(default_factory=list)
    resume: str | None = None
    files: list[str] = field(default_factory=list)
    notes: dict[str, Note] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    source: str | None = None
    credited: str | None = None
    timezone: str | None = None
    location: Json | None = None
    fraud: str | None = None


@dataclass(slots=True)
class Note:
    """A note on a candidate; ``added_ms`` is when it was written, whatever ``created_ms`` says."""

    id: str
    created_ms: int
    added_ms: int
    is_private: bool
    content: str
    kind: str
    author: str


@dataclass(slots=True)
class Application:
    """One candidacy; stage, status, archive reason and archive time follow from ``events``."""

    id: str
    candidate: str
    job: str
    plan: str
    created_ms: int
    updated_ms: int
    added_ms: int
    events: list[Event] = field(default_factory=list)
    custom: dict[str, Any] = field(default_factory=dict)
    source: str | None = None
    credited: str | None = None
    team: list[Json] = field(default_factory=list)
    feedback: list[str] = field(default_factory=list)
    posting: str | None = None


@dataclass(slots=True)
class Job:
    """A job; ``department`` may be a department or a team; ``more_plans`` are its plans besides the default one."""

    id: str
    title: str
    department: str
    location: str
    created_ms: int
    updated_ms: int
    status: str = "Draft"
    confidential: bool = False
    employment: str = "FullTime"
    plan: str | None = None
    custom: dict[str, Any] = field(default_factory=dict)
    tiers: list[Json] = field(default_factory=list)
    postings: list[str] = field(default_factory=list)
    requisition: str | None = None
    brand: str | None = None
    author: str | None = None
    team: list[Json] = field(default_factory=list)
    opened_ms: int | None = None
    closed_ms: int | None = None
    more_plans: list[str] = field(default_factory=list)

    @property
    def plans(self) -> list[str]:
        """All interview plans of the job, its default one first."""
        return list(dict.fromkeys([*filter(None, [self.plan]), *self.more_plans]))


@dataclass(slots=True)
class Field:
    """A custom-field definition; ``kind`` is the field type, ``object`` as ``customField.list`` names it."""

    id: str
    title: str
    object: str
    kind: str
    is_archived: bool = False
    is_required: bool = False
    is_private: bool = False
    date_only: bool = False
    options: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Feedback:
    """One submitted feedback form."""

    id: str
    application: str
    form: str
    values: Json
    author: str
    submitted_ms: int
    event: str | None = None
    interview_event: str | None = None


@dataclass(slots=True)
class Upload:
    """A reserved upload: what was promised, and the bytes once storage has them."""

    id: str
    handle: str
    context: str
    name: str
    content_type: str
    length: int
    expires: float
    data: bytes | None = None
    used: bool = False
    reserved: float = 0.0


@dataclass(slots=True)
class StoredFile:
    """A file attached to a candidate."""

    id: str
    handle: str
    name: str
    content_type: str
    data: bytes
    sha256: str
    is_resume: bool
    candidate: str


@dataclass(slots=True)
class Opening:
    """A headcount with its newest version."""

    id: str
    state: str
    created_ms: int
    version_id: str
    details: Json
    custom: dict[str, Any] = field(default_factory=dict)
    team: list[Json] = field(default_factory=list)
    archived_ms: int | None = None
    close_reason: str | None = None
    opened_ms: int | None = None
    closed_ms: int | None = None


@dataclass(frozen=True)
class Key:
    """An API key: its permissions and the toggles ``confidential``, ``private``, ``history``, ``behalf``."""

    title: str
    permissions: frozenset[str]
    toggles: frozenset[str]
    created_ms: int


@dataclass(slots=True)
class Call:
    """One request on its way through a handler: who asks, and what the answer has to carry besides results."""

    endpoint: str
    key: Key
    actor: str
    notified: bool = False
    warnings: list[str] = field(default_factory=list)

    def may(self, toggle: str) -> bool:
        """Say whether the key has a toggle."""
        return toggle in self.key.toggles


SEES_ALL = Key("everything", frozenset(), frozenset(("confidential", "private", "history", "behalf")), 0)
"""A key for what the sandbox shows of itself: the dump, webhooks."""

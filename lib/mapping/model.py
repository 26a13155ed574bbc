"""The decisions, resolved: what the tables say, as ids of the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HIRED = "hired"
"""The verdict of an archive reason that ends in the plan's Hired stage."""

MARKERS = {
    "Candidate": "Lever contact ID",
    "Application": "Lever opportunity ID",
    "Job": "Lever posting ID",
}
EXTRAS = {
    "Lever headline": "String",
    "Lever other phones": "String",
    "Lever location": "String",
    "Lever other links": "LongText",
    "Lever consent": "String",
    "Lever other details": "LongText",
}
"""Custom fields of the candidate for what has no place of its own: {title: type}."""
ORIGIN = "Lever origin"
"""Custom field of the application: how the candidacy came about, which Ashby's one source cannot say."""


@dataclass(frozen=True)
class Stage:
    """One stage of an interview plan; `type` is Lead, PreInterviewScreen, Active, Offer, Hired or Archived."""

    ashby_id: str
    title: str
    type: str


@dataclass(frozen=True)
class Plan:
    """One interview plan with its stages in order."""

    ashby_id: str
    title: str
    archived: bool
    stages: tuple[Stage, ...]

    def first(self, *types: str) -> Stage | None:
        """The first stage of one of these types, in this order of preference."""
        return next((stage for kind in types for stage in self.stages if stage.type == kind), None)


@dataclass(frozen=True)
class Job:
    """The job that stands for a posting: an existing one (`ashby_id`), or a new one with team, location and plan."""

    posting: str
    plan_id: str
    ashby_id: str = ""
    team_id: str = ""
    location_id: str = ""

    @property
    def key(self) -> str:
        """Equal for two postings that end in one job."""
        return self.ashby_id or self.posting


@dataclass(frozen=True)
class Tag:
    """What becomes of a tag: `title` "" drops it; `manual_only` drops it where Lever set it by itself."""

    title: str
    manual_only: bool = False


@dataclass(frozen=True)
class CustomField:
    """A custom field of the target; `ashby_id` "" means that the plan creates it.

    `options` is {case-folded label: option value}; `create` and `update` are complete lists for the API.
    """

    object_type: str
    title: str
    ashby_type: str
    ashby_id: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    create: tuple[Mapping[str, Any], ...] = ()
    update: tuple[Mapping[str, Any], ...] = ()

    @property
    def key(self) -> str:
        """`Candidate:<title>`: the name in custom_fields.csv, and in links."""
        return f"{self.object_type}:{self.title}"


@dataclass(frozen=True)
class FormField:
    """One field of an Ashby feedback form; `options` is {label, case-folded: value}, `labels` {the same: label}."""

    path: str
    title: str
    type: str
    required: bool
    options: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FeedbackForm:
    """An Ashby feedback form that takes Lever feedback."""

    ashby_id: str
    title: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True)
class Place:
    """The field of an Ashby form that takes a question; `values` is {Lever value, case-folded: what Ashby stores}."""

    field: FormField
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Lessons:
    """What the verdicts of refusals.csv say; nothing when all is empty.

    `phone_shapes`: numbers written like this are refused; `shared_addresses`: an address is refused for a second
    candidate; `bare`: people who are made with their name alone; `note_chars`, `file_bytes`: longer notes, and files of
    so many bytes, are refused; `open_jobs`: only open jobs take applications.
    """

    phone_shapes: tuple[str, ...] = ()
    shared_addresses: bool = False
    bare: tuple[str, ...] = ()
    note_chars: int = 0
    file_bytes: int = 0
    open_jobs: bool = False


@dataclass(frozen=True)
class Decisions:
    """Everything people decided, by Lever id or text; "" stands for "nothing" (history note, no source, no user)."""

    plans: Mapping[str, Plan]
    stages: Mapping[tuple[str, str], str]
    """By interview plan or posting, and stage of Lever."""
    archive_reasons: Mapping[str, str]
    sources: Mapping[str, str]
    users: Mapping[str, str]
    enabled_users: frozenset[str]
    jobs: Mapping[str, Job | None]
    tags: Mapping[str, Tag]
    questions: Mapping[str, str]
    custom_fields: Mapping[str, CustomField]
    feedback_forms: Mapping[str, FeedbackForm | None]
    used_postings: frozenset[str]
    placeholder_user: str = ""
    """Who stands in Ashby for authors of feedback without an account there; "": their feedback is told in notes."""
    talent_pool: Job | None = None
    confirmed: frozenset[str] = frozenset()
    """Ids that a verdict "same" of people.csv names: matches with existing candidates that a person confirmed."""
    lessons: Lessons = field(default_factory=Lessons)
    feedback_fields: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    """Where a question of a feedback form goes, by template and text (case-folded); the others stay in the text."""

    def stage(self, plan_id: str, posting: str, stage: str) -> str:
        """The Ashby stage of a Lever stage: what is said for this posting, else for the whole interview plan."""
        own = self.stages.get((posting, stage)) if posting else None
        return self.stages.get((plan_id, stage), "") if own is None else own

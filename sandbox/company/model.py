"""The shape of the invented company: Lever's objects as plain dicts, plus who is who."""

from __future__ import annotations

import random
import uuid as uuids
from dataclasses import dataclass, field
from typing import Any

from sandbox.company import filebytes
from sandbox.company.shape import Shape

NOW_MS = 1_774_958_400_000
"""2026-03-31T12:00:00Z: the company's "now"; generated history never reads a clock."""

Record = dict[str, Any]
ByOpportunity = dict[str, list[Record]]


@dataclass
class Person:
    """One human being: the truth that the migration has to find.

    ``contacts`` are all Lever contacts of this person, ``silent`` the groups of them that the rules join
    without asking, ``review`` the pairs only a person can join. ``ashby`` says how an existing Ashby
    candidate of this person looks: ``""`` none, ``"email"`` same address, ``"email-other-name"`` same
    address under another name, ``"namesake"`` another human of the same name.
    """

    key: str
    name: str
    emails: list[str]
    contacts: list[str] = field(default_factory=list)
    traps: list[str] = field(default_factory=list)
    silent: list[list[str]] = field(default_factory=list)
    review: list[tuple[str, str]] = field(default_factory=list)
    ashby: str = ""
    expected: str = "load"


@dataclass
class Company:
    """A Lever account, unexpanded, with exactly the attribute names of Lever's API.

    ``file_kinds`` says how the bytes of a file are made, ``uploads`` those of a file that was uploaded as an answer.
    ``merged`` says for each contact that was merged into another one, into which; ``former_names`` how users by their
    ids were called before.
    """

    seed: int
    users: list[Record] = field(default_factory=list)
    postings: list[Record] = field(default_factory=list)
    posting_apply: dict[str, Record] = field(default_factory=dict)
    stages: list[Record] = field(default_factory=list)
    disposition: dict[str, Any] = field(default_factory=dict)
    archive_reasons: list[Record] = field(default_factory=list)
    tags: list[Record] = field(default_factory=list)
    sources: list[Record] = field(default_factory=list)
    requisitions: list[Record] = field(default_factory=list)
    requisition_fields: list[Record] = field(default_factory=list)
    feedback_templates: list[Record] = field(default_factory=list)
    form_templates: list[Record] = field(default_factory=list)
    opportunities: list[Record] = field(default_factory=list)
    applications: dict[str, Record] = field(default_factory=dict)
    contacts: dict[str, Record] = field(default_factory=dict)
    notes: ByOpportunity = field(default_factory=dict)
    feedback: ByOpportunity = field(default_factory=dict)
    forms: ByOpportunity = field(default_factory=dict)
    resumes: ByOpportunity = field(default_factory=dict)
    files: ByOpportunity = field(default_factory=dict)
    file_actions: ByOpportunity = field(default_factory=dict)
    offers: ByOpportunity = field(default_factory=dict)
    interviews: ByOpportunity = field(default_factory=dict)
    panels: ByOpportunity = field(default_factory=dict)
    referrals: ByOpportunity = field(default_factory=dict)
    deleted_opportunities: list[Record] = field(default_factory=list)
    deleted_applications: list[Record] = field(default_factory=list)
    deleted_postings: list[Record] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    not_same: list[tuple[str, str]] = field(default_factory=list)
    file_kinds: dict[str, filebytes.Spec] = field(default_factory=dict)
    uploads: dict[str, filebytes.Spec] = field(default_factory=dict)
    lost_files: set[str] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)
    former_names: dict[str, list[str]] = field(default_factory=dict)
    shape: Shape = field(default_factory=Shape)

    def rng(self, topic: str) -> random.Random:
        """Return a random source of its own for one topic, the same on every run."""
        return random.Random(f"{self.seed}:{topic}")

    def uuid(self, topic: str) -> str:
        """Return the UUID string that belongs to one topic of this company."""
        return str(uuids.UUID(int=self.rng(f"uuid:{topic}").getrandbits(128), version=4))

    def file_spec(self, file_id: str) -> filebytes.Spec | None:
        """Return how the bytes of a resume, file, signed offer or uploaded answer are made; None when it has none."""
        return self.file_kinds.get(file_id) or self.uploads.get(file_id)

    def file_bytes(self, file_id: str) -> bytes:
        """Return the bytes of a file; KeyError when it has none."""
        spec = self.file_spec(file_id)
        if spec is None:
            raise KeyError(file_id)
        return filebytes.make(spec)

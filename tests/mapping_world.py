"""A small Lever account and a small Ashby organization as plain dicts, for tests of the mapping."""

import copy
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd

from lib.decisions import DecisionTable
from lib.mapping import Losses, compile_plan, decide, propose
from lib.params import Policy

NOW = 1_750_000_000_000
T0 = 1_700_000_000_000
DAY = 86_400_000


def uid(number: int) -> str:
    """A UUID that is easy to read."""
    return f"00000000-0000-4000-8000-{number:012d}"


LEAD, REVIEW, SCREEN, ONSITE, OFFER, HIRED, ARCHIVED, PLAN = (uid(number) for number in range(1, 9))
TEAM, PLACE, REASON, SOURCE, INES, GONE, FORM = (uid(number) for number in range(11, 18))
STAGES = [
    {"id": LEAD, "title": "New Lead", "type": "Lead"},
    {"id": REVIEW, "title": "Application Review", "type": "PreInterviewScreen"},
    {"id": SCREEN, "title": "Phone Interview", "type": "Active"},
    {"id": ONSITE, "title": "Onsite", "type": "Active"},
    {"id": OFFER, "title": "Offer", "type": "Offer"},
    {"id": HIRED, "title": "Hired", "type": "Hired"},
    {"id": ARCHIVED, "title": "Archived", "type": "Archived"},
]


def form_field(title: str, kind: str, *, required: bool = False, options: tuple[str, ...] = ()) -> dict[str, Any]:
    """One field of an Ashby feedback form; its path is its title."""
    values = [{"label": text, "value": f"v-{text}"} for text in options]
    inner = {"id": title, "type": kind, "path": title, "title": title, "selectableValues": values}
    return {"isRequired": required, "field": inner}


def ashby() -> dict[str, list[dict[str, Any]]]:
    """The target as its lists answer."""
    fields = [
        form_field("Lever feedback ID", "String"),
        form_field("Original author", "String"),
        form_field("Original date", "String"),
        form_field("Feedback", "LongText", required=True),
        form_field("Overall rating", "Score"),
        form_field("Seniority", "ValueSelect", options=("Junior", "Senior")),
        form_field("Again?", "Boolean"),
    ]
    sections = {"sections": [{"title": "", "fields": fields}]}
    return {
        "users": [
            {"id": INES, "firstName": "Ines", "lastName": "Okafor", "email": "ines@example.com", "isEnabled": True},
            {"id": GONE, "firstName": "Old", "lastName": "Colleague", "email": "old@example.com", "isEnabled": False},
        ],
        "archive_reasons": [{"id": REASON, "text": "Position Filled", "reasonType": "Other", "isArchived": False}],
        "sources": [{"id": SOURCE, "title": "Job site", "isArchived": False}],
        "departments": [{"id": TEAM, "name": "Platform", "isArchived": False}],
        "locations": [{"id": PLACE, "name": "Oslo", "isArchived": False}],
        "jobs": [],
        "interview_plans": [{"id": PLAN, "title": "Standard", "isArchived": False, "stages": STAGES}],
        "feedback_forms": [{"id": FORM, "title": "Migrated feedback", "isArchived": False, "formDefinition": sections}],
        "custom_fields": [],
        "tags": [],
        "candidates": [],
    }


def lever() -> dict[str, Any]:
    """An account with two users, three stages, two reasons and one published posting."""
    return {
        "users": [
            {"id": "u-ines", "name": "Ines Okafor", "email": "ines@example.com", "accessRole": "admin"},
            {"id": "u-old", "name": "Old Colleague", "email": "old@example.com", "deactivatedAt": T0},
            {"id": "u-none", "name": "Nobody There", "email": "nobody@example.com", "accessRole": "interviewer"},
        ],
        "stages": [
            {"id": "lead-new", "text": "New lead"},
            {"id": "applicant-new", "text": "New applicant"},
            {"id": "s-phone", "text": "Phone interview"},
            {"id": "s-onsite", "text": "On-site interview"},
            {"id": "offer", "text": "Offer"},
        ],
        "disposition_stages": [
            {
                "stages": [
                    {"id": "lead-new", "pipeline": "lead"},
                    {"id": "applicant-new", "pipeline": "applicant"},
                    {"id": "s-phone", "pipeline": "screen"},
                    {"id": "s-onsite", "pipeline": "onsite"},
                    {"id": "offer", "pipeline": "offer"},
                ]
            }
        ],
        "archive_reasons": [
            {"id": "r-hired", "text": "Hired", "status": "active", "type": "hired"},
            {"id": "r-filled", "text": "Position filled", "status": "active", "type": "non-hired"},
        ],
        "sources": [{"text": "Job site", "count": 1}],
        "tags": [],
        "requisitions": [],
        "requisition_fields": [],
        "feedback_templates": [],
        "form_templates": [],
        "opportunities_deleted": [],
        "applications_deleted": [],
        "postings_deleted": [],
        "users_former": [],
        "postings": [posting("p-1")],
    }


def posting(lever_id: str, **more: Any) -> dict[str, Any]:
    """A posting of the Platform team in Oslo."""
    categories = {"team": "Platform", "department": "R&D", "location": "Oslo", "commitment": "Full-time"}
    return {"id": lever_id, "text": "Engineer", "state": "published", "categories": categories, **more}


def opportunity(lever_id: str, *, contact: str = "c-1", posting: str | None = "p-1", **more: Any) -> dict[str, Any]:
    """An active candidacy in the stage "New applicant", created at T0."""
    application = {"id": f"a-{lever_id}", "type": "posting", "posting": posting, "createdAt": T0}
    return {
        "id": lever_id,
        "contact": {"id": contact, "name": "Mara Lindqvist", "isAnonymized": False},
        "name": "Mara Lindqvist",
        "emails": ["mara@example.org"],
        "createdAt": T0,
        "stage": "applicant-new",
        "stageChanges": [{"toStageId": "applicant-new", "toStageIndex": 1, "updatedAt": T0}],
        "archived": None,
        "owner": "u-ines",
        "sources": ["Job site"],
        "origin": "applied",
        "sourcedBy": None,
        "tags": [],
        "applications": [application] if posting else [],
        "isAnonymized": False,
        "confidentiality": "non-confidential",
        **more,
    }


class World:
    """A reader over plain dicts, with everything needed to compile a plan from it."""

    def __init__(self, *opportunities: dict[str, Any], policy: Policy | None = None) -> None:
        self.lever, self.target = lever(), ashby()
        self.opportunities = {item["id"]: item for item in opportunities}
        self.lists: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.files: dict[str, Any] = {}
        self.more_tables: dict[str, DecisionTable] = {}
        self.verdicts: dict[str, dict[str, str]] = {}
        self.policy = policy or Policy()
        self.losses = Losses()
        self.people_cells: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, list[str]] = {}
        self.loaded: set[str] = set()

    # ---- the reader
    def all(self, stream: str) -> Iterator[dict[str, Any]]:
        """Newest bodies by id."""
        if stream == "opportunities":
            yield from (copy.deepcopy(self.opportunities[key]) for key in sorted(self.opportunities))
        else:
            yield from copy.deepcopy(self.lever[stream])

    def of(self, stream: str, parent_id: str) -> list[dict[str, Any]]:
        """Children of one parent."""
        if stream == "opportunities":
            return [item for item in self.all(stream) if item["contact"]["id"] == parent_id]
        return copy.deepcopy(self.lists.get((stream, parent_id), []))

    def get(self, stream: str, lever_id: str) -> dict[str, Any] | None:
        """One opportunity."""
        return self.opportunities.get(lever_id) if stream == "opportunities" else None

    def file(self, lever_id: str) -> Any:
        """A stored file."""
        return self.files.get(lever_id)

    def made(self, kind: str) -> set[str]:
        """Opportunities whose application an earlier load has made."""
        return self.loaded if kind == "application" else set()

    def ashby(self, kind: str) -> list[dict[str, Any]]:
        """Objects of the target."""
        return copy.deepcopy(self.target[kind])

    # ---- filling it
    def give(self, stream: str, parent_id: str, *items: dict[str, Any]) -> "World":
        """Put children under an opportunity."""
        self.lists.setdefault((stream, parent_id), []).extend(items)
        return self

    def store(self, lever_id: str, *, state: str = "stored", reason: str = "", is_final: bool = True) -> None:
        """A file with bytes."""
        self.files[lever_id] = SimpleNamespace(
            lever_id=lever_id, sha256="ab" * 32, size=10, media_type="application/pdf", state=state, reason=reason,
            name="", is_final=is_final,
        )  # fmt: skip

    # ---- the step
    def propose(self, tables: dict[str, DecisionTable] | None = None) -> dict[str, list[dict[str, Any]]]:
        """Proposals for all tables."""
        return propose(self, policy=self.policy, tables=tables, now_ms=NOW)

    def tables(self) -> dict[str, DecisionTable]:
        """Tables whose verdicts follow the proposals, but for what `verdicts` says: {table: {id: verdict}}."""
        made = {}
        for name, rows in self.propose().items():
            table = DecisionTable(name, Path(f"params/test/{name}.csv")).merge(rows)
            for row in table.rows:
                row["verdict"] = self.verdicts.get(name, {}).get(row["id"], row["proposal"])
                if name == "postings" and row["verdict"] == "new":
                    row |= {"team_verdict": "Platform", "location_verdict": "Oslo", "plan_verdict": "Standard"}
            made[name] = table
        return made | self.more_tables

    def people(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """One person per contact, or as `groups` says: {person: contacts}."""
        contacts = sorted({item["contact"]["id"] for item in self.opportunities.values()})
        groups = self.groups or {contact: [contact] for contact in contacts}
        people = [self._person(person, contacts) for person, contacts in groups.items()]
        members = [{"person": p, "contact": c, "why": ""} for p, group in groups.items() for c in group]
        return pd.DataFrame(people), pd.DataFrame(members)

    def _person(self, person: str, contacts: list[str]) -> dict[str, Any]:
        own = [item for item in self.opportunities.values() if item["contact"]["id"] in contacts]
        cells = {
            "person": person, "name": own[0]["name"], "email": next(iter(own[0]["emails"]), None),
            "alternate_emails": [], "phone": None, "other_phones": [], "linkedin": None, "github": None,
            "website": None, "social": [], "other_links": [], "headline": None, "location": None, "city": None,
            "region": None, "country": None, "created_ms": min(item["createdAt"] for item in own),
            "n_contacts": len(contacts), "n_opportunities": len(own), "ashby_id": None, "match": "new",
        }  # fmt: skip
        return cells | self.people_cells.get(person, {})

    def plan(self, **more: Any) -> list[Any]:
        """All rows; the losses stand in `losses` afterwards."""
        self.losses = Losses()
        decisions = decide(self.tables(), self, policy=self.policy, now_ms=NOW)
        people, members = self.people()
        return list(
            compile_plan(
                self, people=people, members=members, decisions=decisions, policy=self.policy, losses=self.losses,
                now_ms=NOW, **more,
            )
        )  # fmt: skip

    def lost(self, lever_type: str, field: str) -> list[tuple[int, str, str]]:
        """(count, treatment, reason) of the losses of one field."""
        return [
            (row["n_records"], row["treatment"], row["reason"])
            for row in self.losses.rows()
            if (row["lever_type"], row["field"]) == (lever_type, field)
        ]


def bodies(rows: list[Any], kind: str) -> list[dict[str, Any]]:
    """Bodies of one endpoint, in order."""
    return [row.body for row in rows if row.kind == kind]


def notes(rows: list[Any], marker: str) -> list[str]:
    """Texts of notes whose marker begins so."""
    return [text for body in bodies(rows, "candidate.createNote") if f"[{marker}" in (text := body["note"]["value"])]

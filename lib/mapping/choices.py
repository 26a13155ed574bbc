"""What may be written into a cell of a decision table: the names that `decide` takes, for a person to choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lib.mapping import target
from lib.mapping.feedback_fields import SCORES, TEXT, fitting
from lib.mapping.model import FeedbackForm, Plan
from lib.mapping.source import Item, Reader, clean

Choice = tuple[str, str]
"""(what is shown, what is written)"""
Choices = Callable[[str, Mapping[str, str], str], list[Choice]]
WORDS = {
    "people": ["same", "different"],
    "postings": ["new", "skip"],
    "stages": ["history note"],
    "archive_reasons": ["hired"],
    "sources": ["none"],
    "users": ["none"],
    "tags": ["keep", "drop", "keep manual"],
    "custom_fields": ["note", "drop"],
    "feedback_forms": ["note"],
    "feedback_fields": ["text"],
    "losses": ["any"],
    "refusals": ["yes", "no"],
}
"""Verdicts of a table that name nothing in Ashby (docs/decisions.md)."""
_LISTS = {
    ("archive_reasons", "verdict"): ("archive_reasons", "text"),
    ("sources", "verdict"): ("sources", "title"),
    ("feedback_forms", "verdict"): ("feedback_forms", "title"),
    ("postings", "verdict"): ("jobs", "title"),
    ("postings", "team_verdict"): ("departments", "name"),
    ("postings", "location_verdict"): ("locations", "name"),
    ("postings", "plan_verdict"): ("interview_plans", "title"),
}


def choices(reader: Reader) -> Choices:
    """Return the choices for (table, row, column of verdicts); what is archived in Ashby is none of them.

    Names that several objects share are written as ids. Where a table has no list, other texts may be written, too.
    """
    known = {key: _named(reader.ashby(kind), label) for key, (kind, label) in _LISTS.items()}
    known["users", "verdict"] = [
        (_user(item), str(item["id"])) for item in reader.ashby("users") if item.get("isEnabled")
    ]
    known["custom_fields", "verdict"] = [_both(text) for text in _fields(reader.ashby("custom_fields"))]
    stages = {key: _stages(plan) for key, plan in target.plans(reader).items()}

    forms = {item["id"]: target.feedback_form(item) for item in reader.ashby("feedback_forms")}

    def of(table: str, row: Mapping[str, str], column: str) -> list[Choice]:
        words = [_both(word) for word in WORDS.get(table, ())] if column == "verdict" else []
        if table == "stages":
            return words + stages.get(row["id"].partition("/")[0], [])
        if table == "feedback_fields":
            return words + _of_form(forms.get(row["id"].partition("/")[0]), row)
        if table == "losses":
            return [*words, _both(row["n_records"])]
        return words + known.get((table, column), [])

    return of


def _stages(plan: Plan) -> list[Choice]:
    """The stages of a plan in their order, each with its type."""
    known = {written: written for _, written in _unique([(one.title, one.ashby_id) for one in plan.stages])}
    living = [one for one in plan.stages if one.type != "Archived"]
    return [(f"{one.title} ({one.type})", known.get(one.title, one.ashby_id)) for one in living]


def _of_form(form: FeedbackForm | None, row: Mapping[str, str]) -> list[Choice]:
    """For a question the fields of a form that can take it; for a value what its field takes."""
    fields, title = form.fields if form else (), row.get("ashby_field", "")
    if form and not title:
        there = _unique([(one.title, one.path) for one in fitting(form, row.get("type", "").split("/"))])
        paths = {one.title: one.path for one in fields}
        return [(shown, written if written.casefold() != TEXT else paths[shown]) for shown, written in there]
    picked = next((one for one in fields if one.title == title), None)
    if picked is None:
        return []
    return [
        _both(text) for text in ([str(one) for one in SCORES] if picked.type == "Score" else picked.labels.values())
    ]


def _both(text: str) -> Choice:
    return text, text


def _named(items: Iterable[Item], label: str) -> list[Choice]:
    return _unique([(clean(item.get(label)), str(item["id"])) for item in items if not item.get("isArchived")])


def _unique(found: list[Choice]) -> list[Choice]:
    """Written by name where only one has it, else by id; sorted as shown."""
    names = [name.casefold() for name, _ in found]
    told = [
        (name, name) if names.count(name.casefold()) == 1 else (f"{name} ({ashby_id})", ashby_id)
        for name, ashby_id in found
        if name
    ]
    return sorted(told, key=lambda choice: (choice[0].casefold(), choice[1]))


def _user(item: Item) -> str:
    name = " ".join(part for part in (clean(item.get("firstName")), clean(item.get("lastName"))) if part)
    return f"{name} <{clean(item.get('email'))}>"


def _fields(items: Iterable[Item]) -> list[str]:
    kinds = ("Candidate", "Application")
    found = [item for item in items if not item.get("isArchived") and item.get("objectType") in kinds]
    return sorted(f"{item['objectType']}:{clean(item.get('title'))}" for item in found)

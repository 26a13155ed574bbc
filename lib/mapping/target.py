"""What the mapping knows of the Ashby organization: plans, forms, names, as answered by its lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lib.mapping.model import FeedbackForm, FormField, Plan, Stage
from lib.mapping.source import Item, Reader, clean


@dataclass(frozen=True)
class Option:
    """Something a verdict may name, by id or by label."""

    ashby_id: str
    label: str
    archived: bool = False


def plans(reader: Reader) -> dict[str, Plan]:
    """Interview plans by id."""
    return {
        item["id"]: Plan(
            item["id"],
            clean(item.get("title")),
            bool(item.get("isArchived")),
            tuple(Stage(s["id"], clean(s.get("title")), clean(s.get("type"))) for s in item.get("stages") or []),
        )
        for item in reader.ashby("interview_plans")
    }


def options(items: Iterable[Item], *, label: str, archived: str = "isArchived") -> list[Option]:
    """Options from objects of a list; `label` is the member that people know them by."""
    return [Option(item["id"], clean(item.get(label)), bool(item.get(archived))) for item in items]


def plan_options(found: dict[str, Plan]) -> list[Option]:
    """Interview plans as options."""
    return [Option(plan.ashby_id, plan.title, plan.archived) for plan in found.values()]


def stage_options(plan: Plan) -> list[Option]:
    """Stages of one plan as options."""
    return [Option(stage.ashby_id, stage.title) for stage in plan.stages]


def users_called(users: Iterable[Item], wanted: str) -> list[Item]:
    """The users of this id or e-mail, in any case; none for an empty text."""
    folded = wanted.strip().casefold()
    known = ((user, {user["id"].casefold(), clean(user.get("email")).casefold()}) for user in users)
    return [user for user, names in known if folded and folded in names]


def feedback_form(item: Item) -> FeedbackForm:
    """An Ashby feedback form with its fields in order."""
    fields = []
    for section in (item.get("formDefinition") or {}).get("sections") or []:
        for entry in section.get("fields") or []:
            inner: dict[str, Any] = entry.get("field") or {}
            options = [(clean(one.get("label")), one.get("value")) for one in inner.get("selectableValues") or []]
            fields.append(
                FormField(
                    clean(inner.get("path")),
                    clean(inner.get("title")),
                    clean(inner.get("type")),
                    bool(entry.get("isRequired")),
                    {label.casefold(): value for label, value in options},
                    {label.casefold(): label for label, _ in options},
                )
            )
    return FeedbackForm(item["id"], clean(item.get("title")), tuple(fields))


def text_field(form: FeedbackForm) -> FormField | None:
    """The field that takes the whole feedback as text: titled Feedback, else the last long text, else the last text."""
    texts = [one for kind in ("LongText", "RichText", "String") for one in form.fields if one.type == kind]
    named = [one for one in texts if one.title.casefold() in ("feedback", "migrated feedback", "lever feedback")]
    long = [one for one in texts if one.type in ("LongText", "RichText")]
    plain = [one for one in texts if one.title.casefold() not in SPECIAL]
    return next(iter([*named, *long[-1:], *plain[-1:]]), None)


SPECIAL = ("lever feedback id", "original author", "original date", "form")
"""Titles of text fields of a form for migrated feedback that the workbook fills by itself."""

"""Feedback forms: submitted on the application through an Ashby form, or told in a note where there is none."""

from __future__ import annotations

import re
from typing import Any

from lib.mapping.candidacy import Candidacy, Note
from lib.mapping.context import Context
from lib.mapping.fields import MismatchError, convert
from lib.mapping.later import same_feedback, versions
from lib.mapping.model import FeedbackForm, FormField
from lib.mapping.plan import Body, Chain, link
from lib.mapping.render import field_lines, field_value
from lib.mapping.scan import NO_TEMPLATE
from lib.mapping.source import Item, clean, ident, stamp
from lib.mapping.target import text_field
from lib.normalize import ms_to_iso

_FITTING = {
    "String": ("text", "dropdown", "multiple-choice", "score-system", "university", "yes-no"),
    "LongText": ("text", "textarea", "code", "scorecard", "multiple-select"),
    "Boolean": ("yes-no",),
    "Number": ("score",),
    "Score": ("score", "score-system"),
    "Date": ("date",),
    "Currency": ("currency",),
    "ValueSelect": ("dropdown", "multiple-choice", "score-system", "yes-no"),
    "MultiValueSelect": ("multiple-select", "dropdown", "multiple-choice"),
}


def feedback_rows(chain: Chain, context: Context, one: Candidacy) -> list[Note]:
    """applicationFeedback.submit for each completed feedback; returns those that become notes."""
    notes = []
    for feedback in context.source.children("feedback", one.opportunity):
        if one.role == "skip" or not _moves(context, feedback):
            continue
        context.account("feedback", feedback, lever_id=feedback["id"])
        form = context.decisions.feedback_forms.get(ident(feedback.get("baseTemplateId")) or NO_TEMPLATE)
        body = _body(context, one, feedback, form) if form and one.target else None
        if _stands_as_form(chain, feedback) and body is None:
            _lose_home(context, feedback)
        elif body is not None and not versions(chain, "feedback", feedback["id"], ""):
            body = _as_loaded(chain, feedback, body)
            chain.add("applicationFeedback.submit", "feedback", feedback["id"], body=body)
            _count(context, feedback, body)
        else:
            notes += [] if one.withheld else [_note(context, one, feedback)]
            context.lose(
                "feedback", "(feedback)", lever_id=feedback["id"], reason=_why_note(one, form),
                **one.told("candidate note"),
            )  # fmt: skip
    return notes


def _row_id(feedback: Item) -> str:
    return f"applicationFeedback.submit/feedback/{feedback['id']}"


def _stands_as_form(chain: Chain, feedback: Item) -> bool:
    return chain.stands(_row_id(feedback))


def _as_loaded(chain: Chain, feedback: Item, body: Body) -> Body:
    """The submission as it was loaded, where it still tells the same."""
    earlier = chain.earlier.get(_row_id(feedback))
    return earlier if earlier is not None and same_feedback(earlier, body) else body


def _lose_home(context: Context, feedback: Item) -> None:
    """It was submitted on an application that has no place in the plan any more: a note would tell it twice."""
    context.lose(
        "feedback", "(home)", lever_id=feedback["id"], treatment="archived only",
        where="the application that was loaded", reason="Lever no longer has the application that carries it",
    )  # fmt: skip


def _moves(context: Context, feedback: Item) -> bool:
    reason = "deleted in Lever" if feedback.get("deletedAt") else "" if feedback.get("completedAt") else "a draft"
    if reason:
        context.lose(
            "feedback", "(feedback)", lever_id=feedback["id"], treatment="never", where="raw archive", reason=reason
        )
    return not reason


def _why_note(one: Candidacy, form: FeedbackForm | None) -> str:
    if not one.target:
        return "no application carries it"
    return "verdict note" if form is None else "a required field of the Ashby form cannot be filled"


def _text(context: Context, one: Candidacy, feedback: Item) -> str:
    """The whole feedback as text, marker line last."""
    title, kind = clean(feedback.get("text")) or "untitled form", clean(feedback.get("type")) or "no type"
    head = [
        f"Lever feedback: {title} ({kind})",
        f"By {context.source.who(feedback.get('user'))}, {stamp(feedback.get('completedAt'))}, {one.posting}",
    ]
    if one.role == "repeat":
        which = "a later" if one.later else "an earlier"
        head.append(f"Given on {which} candidacy (Lever opportunity {one.lever_id}).")
    lines = field_lines(feedback.get("fields") or []) or ["(no answers)"]
    return "\n".join([*head, "", *lines])


def _note(context: Context, one: Candidacy, feedback: Item) -> Note:
    head, _, text = _text(context, one, feedback).partition("\n")
    marker = f"Lever feedback {feedback['id']}"
    return one.note(int(feedback["completedAt"]), marker, of=("feedback", feedback["id"]), head=head, text=text)


def _body(context: Context, one: Candidacy, feedback: Item, form: FeedbackForm) -> Body | None:
    """The submission; None when a required field of the form stays empty."""
    target = text_field(form)
    assert target is not None
    filled: dict[str, Any] = {}
    for field in form.fields:
        value = _special(context, field, feedback)
        if value is None and field.path != target.path:
            value = _same_title(field, feedback)
        if value is not None:
            filled[field.path] = value
    text = f"{_text(context, one, feedback)}\n[Lever feedback {feedback['id']}]"
    filled[target.path] = {"type": "PlainText", "value": text} if target.type == "RichText" else text
    if any(field.required and field.path not in filled for field in form.fields):
        return None
    body: Body = {
        "applicationId": link(f"application:{one.target}"),
        "formDefinitionId": form.ashby_id,
        "feedbackForm": {
            "fieldSubmissions": [
                {"path": field.path, "value": filled[field.path]} for field in form.fields if field.path in filled
            ]
        },
    }
    user = context.decisions.users.get(ident(feedback.get("user")), "")
    if user and user in context.decisions.enabled_users:
        body["userId"] = user
    return body


def _special(context: Context, field: FormField, feedback: Item) -> Any:
    """Fields that a form for migrated feedback has by agreement, found by title."""
    if field.type not in ("String", "LongText", "Score"):
        return None
    title = field.title.casefold()
    if title == "overall rating" and field.type == "Score":
        rating = next((one for one in feedback.get("fields") or [] if one.get("type") == "score-system"), None)
        return _score(rating) if rating else None
    known = {
        "lever feedback id": feedback["id"],
        "original author": context.source.who(feedback.get("user")),
        "original date": ms_to_iso(int(feedback["completedAt"])),
        "form": clean(feedback.get("text")) or "untitled form",
    }
    return known.get(title) if field.type != "Score" else None


def _same_title(field: FormField, feedback: Item) -> Any:
    """The answer of the Lever field of the same title, when its type fits; None otherwise."""
    for item in feedback.get("fields") or []:
        same = clean(item.get("text")).casefold() == field.title.casefold()
        if not same or not field_value(item) or item.get("type") not in _FITTING.get(field.type, ()):
            continue
        try:
            return _converted(field, item)
        except MismatchError:
            return None
    return None


def _converted(field: FormField, item: Item) -> Any:
    if field.type == "Score":
        return _score(item)
    value = convert(item, field.type, options=field.options)
    if field.type == "Number" and not isinstance(value, int):
        raise MismatchError("Number")
    return value[:10] if field.type == "Date" else value


def _score(item: Item) -> dict[str, int] | None:
    """{"score": 1..4} when Lever's value is on that scale as it stands; None otherwise: nothing is rescaled."""
    value = item.get("value")
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 4:
        return {"score": value}
    found = re.match(r"([1-4])\b(?![.,/]\d)", clean(value)) if isinstance(value, str) else None
    labels = [clean(option.get("text")) for option in item.get("options") or []]
    usual = sorted(label[:1] for label in labels) == ["1", "2", "3", "4"] or not labels
    return {"score": int(found[1])} if found and usual else None


def _count(context: Context, feedback: Item, body: Body) -> None:
    context.lose(
        "feedback", "completedAt", lever_id=feedback["id"], treatment="moved changed", where="text of the feedback",
        reason="the date of a submission is not writable",
    )  # fmt: skip
    if "userId" not in body:
        context.lose(
            "feedback", "user", lever_id=feedback["id"], treatment="moved changed", where="text of the feedback",
            reason="no active Ashby user; the author is named in the text",
        )  # fmt: skip

"""Feedback forms: submitted on the application through an Ashby form, or told in a note where there is none."""

from __future__ import annotations

from typing import Any

from lib.mapping.candidacy import Candidacy, Note
from lib.mapping.catalog import answered
from lib.mapping.context import Context
from lib.mapping.feedback_fields import asked, converted
from lib.mapping.later import versions
from lib.mapping.model import FeedbackForm, FormField
from lib.mapping.plan import Body, Chain, link
from lib.mapping.render import field_lines
from lib.mapping.scan import NO_TEMPLATE
from lib.mapping.source import Item, clean, ident, stamp
from lib.mapping.target import text_field
from lib.normalize import ms_to_iso


def feedback_rows(chain: Chain, context: Context, one: Candidacy) -> list[Note]:
    """applicationFeedback.submit for each completed feedback; returns those that become notes."""
    notes = []
    for feedback in context.source.children("feedback", one.opportunity):
        if one.role == "skip" or not _moves(context, feedback):
            continue
        context.account("feedback", feedback, lever_id=feedback["id"])
        form = context.decisions.feedback_forms.get(ident(feedback.get("baseTemplateId")) or NO_TEMPLATE)
        body = _body(context, one, feedback, form) if form and one.target else None
        if body is not None and not _credits(chain, context, feedback, body):
            body = None
        if body is not None or not one.withheld:
            context.lose_layout("feedback", feedback["id"], feedback.get("fields") or [])
        if _stands_as_form(chain, feedback) and body is None:
            _lose_home(context, feedback)
        elif body is not None and not versions(chain, "feedback", feedback["id"], ""):
            body = _as_loaded(chain, feedback, body)
            chain.add("applicationFeedback.submit", "feedback", feedback["id"], body=body)
            _count(context, feedback, body)
        else:
            notes += [] if one.withheld else [_note(context, one, feedback)]
            why = _why_note(context, one, feedback, form) if body is None else "told in a note by an earlier load"
            context.lose(
                "feedback", "(feedback)", lever_id=feedback["id"], reason=why,
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
    return earlier if earlier is not None and _tells_the_same(earlier, body) else body


def _tells_the_same(earlier: Body, body: Body) -> bool:
    """True when two submissions on one application tell the same: their text holds all answers.

    It may name author and posting as they are called now. Fields of their own, and the credit, follow verdicts and
    accounts; a submission cannot be changed in Ashby.
    """
    return earlier.get("applicationId") == body.get("applicationId") and _told(earlier) == _told(body)


def _told(body: Body) -> Any:
    """The text of a submission without the line of its author; all of it where it has no text."""
    for one in (body.get("feedbackForm") or {}).get("fieldSubmissions") or []:
        value = one.get("value")
        text = value.get("value") if isinstance(value, dict) else value
        if isinstance(text, str) and text.startswith("Lever feedback: "):
            first, _, rest = text.partition("\n")
            return first + rest.partition("\n")[2]
    return body


def _lose_home(context: Context, feedback: Item) -> None:
    """It was submitted, and has no place as a submission in the plan any more: a note would tell it twice."""
    context.lose(
        "feedback", "(home)", lever_id=feedback["id"], treatment="archived only",
        where="the application that was loaded", reason="Lever or a verdict gives it no place any more",
    )  # fmt: skip


def _moves(context: Context, feedback: Item) -> bool:
    reason = "deleted in Lever" if feedback.get("deletedAt") else "" if feedback.get("completedAt") else "a draft"
    if reason:
        context.lose(
            "feedback", "(feedback)", lever_id=feedback["id"], treatment="never", where="raw archive", reason=reason
        )
    return not reason


def _why_note(context: Context, one: Candidacy, feedback: Item, form: FeedbackForm | None) -> str:
    if not one.target:
        return "no application carries it"
    if form is None:
        return "verdict note"
    if _author(context, feedback) or context.decisions.placeholder_user:
        return "a required field of the Ashby form cannot be filled"
    return "its author has no active Ashby user; a submission would name the owner of the key (policy.placeholder_user)"


def _author(context: Context, feedback: Item) -> str:
    """The active Ashby user of the author; "" without one."""
    user = context.decisions.users.get(ident(feedback.get("user")), "")
    return user if user in context.decisions.enabled_users else ""


def _credits(chain: Chain, context: Context, feedback: Item, body: Body) -> bool:
    """Name the author, or who stands for authors without account; False where it would name the owner of the key.

    Ashby's reference, "applicationFeedback.submit": without `userId` the user of the key is the author. What an earlier
    load has submitted stays as it is.
    """
    if user := _author(context, feedback) or context.decisions.placeholder_user:
        body["userId"] = user
    if _stands_as_form(chain, feedback) and not _author(context, feedback):
        body.pop("userId", None)
        body |= {name: value for name, value in chain.earlier.get(_row_id(feedback), {}).items() if name == "userId"}
        return True
    return "userId" in body


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
    filled = _answers(context, feedback)
    for field in form.fields:
        value = _special(context, field, feedback)
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
    return body


def _special(context: Context, field: FormField, feedback: Item) -> str | None:
    """Text fields that a form for migrated feedback has by agreement, found by title."""
    known = {
        "lever feedback id": feedback["id"],
        "original author": context.source.who(feedback.get("user")),
        "original date": ms_to_iso(int(feedback["completedAt"])),
        "form": clean(feedback.get("text")) or "untitled form",
    }
    return known.get(field.title.casefold()) if field.type in ("String", "LongText") else None


def _answers(context: Context, feedback: Item) -> dict[str, Any]:
    """{path: value} of the answers that a verdict puts into fields of their own."""
    filled: dict[str, Any] = {}
    template = ident(feedback.get("baseTemplateId")) or NO_TEMPLATE
    for item in asked(feedback):
        place = context.decisions.feedback_fields.get((template, clean(item.get("text")).casefold()))
        if place is None or not answered(item):
            continue
        value = converted(place, item)
        if value is not None and filled.setdefault(place.field.path, value) == value:
            continue
        why = "the field does not take its answer" if value is None else "another answer stands in the field"
        context.lose(
            "feedback", f"fields: {clean(item.get('text'))}", lever_id=feedback["id"], treatment="moved changed",
            where="text of the feedback", reason=why,
        )  # fmt: skip
    return filled


def _count(context: Context, feedback: Item, body: Body) -> None:
    context.lose(
        "feedback", "completedAt", lever_id=feedback["id"], treatment="moved changed", where="text of the feedback",
        reason="the date of a submission is not writable",
    )  # fmt: skip
    if not _author(context, feedback):
        context.lose(
            "feedback", "user", lever_id=feedback["id"], treatment="moved changed", where="text of the feedback",
            reason="no active Ashby user; the author is named in the text",
        )  # fmt: skip

"""Answers of profile forms, application questions and referral forms: custom fields by decision, else notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lib.mapping.candidacy import Candidacy, Note
from lib.mapping.catalog import answered, forms_of, question_key
from lib.mapping.context import Context
from lib.mapping.fields import MismatchError, convert
from lib.mapping.plan import Body, link
from lib.mapping.render import field_lines, field_value, readable
from lib.mapping.source import Item, clean, ident, stamp

_SAME_MS = 60_000
"""An application that was made within a minute of its opportunity was made with it; Lever writes the two in turn."""
_TYPES = {"form": "form", "referral": "referral", "question": "application"}


@dataclass
class Answers:
    """Values of custom fields of the candidate and of each application, and the notes for the rest."""

    candidate: dict[str, Any] = field(default_factory=dict)
    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def values(self, found: dict[str, Any]) -> list[Body]:
        """`values` of customField.setValues, in the order of field titles."""
        return [{"fieldId": link(f"custom_field:{key}"), "fieldValue": found[key]} for key in sorted(found)]


@dataclass(frozen=True)
class _Form:
    kind: str
    form: Item
    one: Candidacy
    moment: int
    secret: bool


def answers(context: Context, candidacies: list[Candidacy]) -> Answers:
    """All answers of a person. Where two answers claim one field, the newest stays and the others go to notes."""
    made = Answers()
    forms = sorted(_forms(context, candidacies), key=lambda one: (-one.moment, one.one.lever_id, ident(one.form)))
    for found in forms:
        _place(made, context, found)
    for one in candidacies:
        if one.role != "skip":
            made.notes += _application_note(context, one)
    return made


def _forms(context: Context, candidacies: list[Candidacy]) -> Iterator[_Form]:
    for one in candidacies:
        if one.role == "skip":
            continue
        for form in context.source.children("forms", one.opportunity):
            if form.get("deletedAt"):
                context.lose(
                    "form", "(form)", lever_id=form["id"], treatment="never", where="raw archive",
                    reason="deleted in Lever",
                )  # fmt: skip
        for kind, form in forms_of(context.source, one.opportunity):
            moment = form.get("completedAt") or form.get("createdAt") or one.opportunity["createdAt"]
            if kind != "question":
                context.account(_TYPES[kind], form, lever_id=ident(form) or one.lever_id)
            yield _Form(kind, form, one, int(moment), bool(form.get("secret")))


def _place(made: Answers, context: Context, found: _Form) -> None:
    """Send each answer of one form to its custom field or to the form's note."""
    withheld = found.secret and context.settings.secret_notes == "withhold"
    rest, shown = [], []
    for item in found.form.get("fields") or []:
        if not answered(item) or not field_value(item):
            continue
        key = question_key(found.kind, found.form, item)
        verdict = context.decisions.questions.get(key, "note")
        name = "left out"
        if withheld:
            _lose(context, found, item, "never", "secret in Lever; withheld by policy")
        elif verdict == "drop":
            _lose(context, found, item, "never", "verdict drop")
        elif found.one.withheld:
            _lose(context, found, item, "never", "answer of a confidential candidacy; withheld by policy")
        elif verdict != "note" and _set(made, context, found, item, verdict):
            name = "kept in a custom field"
        else:
            name = "kept in a note"
            rest.append(item)
        shown += [item] * (name != "left out")
        _lose_bytes(context, found, item, name=name)
    context.lose_layout(_TYPES[found.kind], ident(found.form) or found.one.lever_id, shown)
    if rest:
        made.notes.append(_form_note(context, found, rest))


def _lose_bytes(context: Context, found: _Form, item: Item, *, name: str) -> None:
    """Count a file that was uploaded as an answer, unless it is among the files of the opportunity as well."""
    if item.get("type") != "file-upload":
        return
    own = {file["id"] for file in context.source.children("files", found.one.opportunity)}
    value = item["value"]
    if any(ident(one) not in own for one in (value if isinstance(value, list) else [value])):
        context.lose(
            _TYPES[found.kind], f"fields: {clean(item.get('text'))} (bytes)", treatment="archived only",
            lever_id=ident(found.form) or found.one.lever_id, where="raw archive",
            reason=f"the download of a file answer is not documented; the name is {name}",
        )  # fmt: skip


def _set(made: Answers, context: Context, found: _Form, item: Item, key: str) -> bool:
    """Put one answer into its custom field; False when it must go to the note."""
    target = context.decisions.custom_fields[key]
    values = made.candidate
    if target.object_type == "Application":
        values = made.applications.setdefault(found.one.lever_id, {})
        if found.one.role != "application":
            return _refuse(context, found, item, "no application carries it")
    if found.secret:
        return _refuse(context, found, item, "secret in Lever: not put into a field everybody sees")
    try:
        value = convert(item, target.ashby_type, options=target.options)
    except MismatchError:
        return _refuse(context, found, item, f"the answer does not fit the type {target.ashby_type}")
    if values.setdefault(key, value) != value:
        return _refuse(context, found, item, "a newer answer stands in the field")
    return True


def _refuse(context: Context, found: _Form, item: Item, reason: str) -> bool:
    _lose(context, found, item, "note", reason)
    return False


def _lose(context: Context, found: _Form, item: Item, treatment: Any, reason: str) -> None:
    context.lose(
        _TYPES[found.kind], f"fields: {clean(item.get('text'))}", lever_id=ident(found.form) or found.one.lever_id,
        treatment=treatment, where='"Lever form" note' if treatment == "note" else "raw archive", reason=reason,
    )  # fmt: skip


def _form_note(context: Context, found: _Form, items: list[Item]) -> Note:
    form = found.form
    form_id = ident(form) or f"{found.one.lever_id} {ident(form.get('baseTemplateId')) or clean(form.get('text'))}"
    author = form.get("referrer") or form.get("user")
    by = f" by {context.source.who(author)}" if ident(author) and found.kind != "question" else ""
    kind = {"form": "profile form", "referral": "referral form", "question": "application form"}[found.kind]
    title = clean(form.get("text")) or "untitled"
    head = f"Lever {kind} {title!r}{by}, {stamp(found.moment)}, {found.one.posting}"
    return found.one.note(
        found.moment, f"Lever form {form_id}", of=(_TYPES[found.kind], form_id), head=head,
        text="\n".join(field_lines(items)), private=found.secret,
    )  # fmt: skip


def _application_note(context: Context, one: Candidacy) -> list[Note]:
    """What the candidate typed when applying and the candidate's own record does not say."""
    application = context.source.application(one.opportunity)
    if not application:
        return []
    context.account("application", application, lever_id=application["id"])
    opportunity = one.opportunity
    _lose_end(context, application, opportunity)
    phones = {clean(phone.get("value")) for phone in opportunity.get("phones") or []}
    mails = {clean(mail).casefold() for mail in opportunity.get("emails") or []}
    links = {clean(url) for url in opportunity.get("links") or []}
    mail, phone = clean(application.get("email")), clean((application.get("phone") or {}).get("value"))
    name, moment = clean(application.get("name")), int(application.get("createdAt") or opportunity["createdAt"])
    new_links = [clean(url) for url in application.get("links") or [] if clean(url) and clean(url) not in links]
    facts = [
        ("Name given", name, name == clean(opportunity.get("name"))),
        ("E-mail given", mail, mail.casefold() in mails),
        ("Phone given", phone, phone in phones),
        ("Company", clean(application.get("company")), False),
        ("Links given", "; ".join(dict.fromkeys(new_links)), False),
        ("Comments", readable(application.get("comments")), False),
    ]
    lines = [f"{title}: {text}" for title, text, known in facts if text and not known]
    if not lines and abs(moment - opportunity["createdAt"]) >= _SAME_MS:
        lines = [f"Applied: {stamp(moment)}"]  # otherwise the first line of the note says when
    if lines and one.withheld:
        context.lose(
            "application", "(note)", lever_id=application["id"], treatment="never", where="raw archive",
            reason="of a confidential candidacy; withheld by policy",
        )  # fmt: skip
    if not lines and clean(application.get("type")):
        context.lose(
            "application", "type", lever_id=application["id"], treatment="archived only", where="raw archive",
            reason="nothing else is to be told of the application",
        )  # fmt: skip
    if not lines or one.withheld:
        return []
    context.lose_layout("application", application["id"], [{"value": application.get("comments")}])
    kind = clean(application.get("type")) or "type not recorded"
    head = f"Lever application ({kind}), {stamp(moment)}, {one.posting}"
    marker = f"Lever form {application['id']}"
    return [one.note(moment, marker, of=("application", application["id"]), head=head, text="\n".join(lines))]


def _lose_end(context: Context, application: Item, opportunity: Item) -> None:
    """An application may have been archived otherwise than its opportunity, whose end is the one that is written."""
    own, used = application.get("archived") or {}, opportunity.get("archived") or {}
    if own and (ident(own.get("reason")), own.get("archivedAt")) != (ident(used.get("reason")), used.get("archivedAt")):
        context.lose(
            "application", "archived", lever_id=application["id"], treatment="archived only", where="raw archive",
            reason="reason or date differ from the opportunity's, which are used",
        )  # fmt: skip

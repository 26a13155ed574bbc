"""Proposals for the decision tables: what fits best, why, how sure, and how many records hang on it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from lib.mapping import feedback_fields, propose_jobs, target
from lib.mapping.catalog import Question
from lib.mapping.fields import ASHBY_TYPE
from lib.mapping.model import HIRED, FeedbackForm
from lib.mapping.scan import NO_TEMPLATE, Scan, scan
from lib.mapping.settings import settings
from lib.mapping.shown import masked, row_id
from lib.mapping.source import NO_REASON, Item, Reader, Source, clean
from lib.mapping.suggest import Rows, row, suggest
from lib.normalize import email_canonical, name_key


def propose(
    reader: Reader,
    *,
    policy: Any,
    tables: Mapping[str, Any] | None = None,
    now_ms: int | None = None,
    found: Scan | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """{table: rows} of all tables that say what becomes what.

    Given the `tables` as they stand, stages are proposed for the interview plans, and fields for the feedback forms,
    that verdicts already name. `found` is what `scanned` has found, where that is known already.
    """
    given = settings(policy)
    source = Source(reader, given, now_ms if now_ms is not None else time.time_ns() // 1_000_000)
    found = found or scan(source)
    postings, used = propose_jobs.postings(source, found, tables=tables or {})
    return {
        "postings": postings,
        "stages": propose_jobs.stages(source, found, used=used, tables=tables or {}),
        "archive_reasons": _reasons(source, found),
        "sources": _sources(source, found),
        "users": _users(source, found),
        "tags": _tags(source, found),
        "custom_fields": _custom_fields(source, found),
        "feedback_forms": (forms := _feedback_forms(source, found)),
        "feedback_fields": _feedback_fields(source, found, forms, tables=tables or {}),
    }


def _reasons(source: Source, found: Scan) -> Rows:
    options = target.options(source.reader.ashby("archive_reasons"), label="text")
    made = []
    for reason_id in sorted(set(source.reasons) | set(found.reasons)):
        reason = source.reasons.get(reason_id, {})
        n_records = found.reasons[reason_id]
        if reason.get("type") == "hired":
            made.append(row(reason_id, clean(reason.get("text")), HIRED, "Lever's type is hired", "high", n_records))
            continue
        default = "(archived without a reason)" if reason_id == NO_REASON else "(no longer in Lever)"
        label = clean(reason.get("text")) or default
        made.append(row(reason_id, label, *suggest(label, options, fallback=""), n_records))
    return made


def _sources(source: Source, found: Scan) -> Rows:
    options = target.options(source.reader.ashby("sources"), label="title")
    names = {clean(item.get("text")) for item in source.reader.all("sources")} | set(found.sources)
    made = []
    for name in sorted((name for name in names if name), key=row_id):
        is_origin = name.startswith("origin:")
        wanted = _ORIGINS.get(name.removeprefix("origin:"), name) if is_origin else name
        label = f"(no source, origin {name.removeprefix('origin:')})" if is_origin else name
        guess = suggest(wanted, options, fallback="none")
        made.append(row(row_id(name), masked(label), *guess, found.sources[name]))
    return made


_ORIGINS = {"applied": "Applied", "referred": "Referral", "sourced": "Sourced", "internal": "Internal Transfer"}


def _users(source: Source, found: Scan) -> Rows:
    """Users by e-mail, else by equal name. The file holds roles and ids only."""
    users = source.reader.ashby("users")
    by_mail = {email_canonical(clean(user.get("email"))): user["id"] for user in users if user.get("email")}
    by_name: dict[str, list[str]] = {}
    for user in users:
        name = name_key(f"{clean(user.get('firstName'))} {clean(user.get('lastName'))}")
        by_name.setdefault(name, []).append(user["id"])
    made = []
    for lever_id in sorted(set(source.users) | set(found.users)):
        user = source.users.get(lever_id, {})
        state = "deactivated" if user.get("deactivatedAt") else "active"
        label = f"{_role(user)}, {state}" if user else "(no longer in Lever)"
        mail, names = email_canonical(clean(user.get("email"))), by_name.get(name_key(clean(user.get("name"))), [])
        if mail and mail in by_mail:
            guess = (by_mail[mail], "same e-mail", "high")
        elif user and len(names) == 1:
            guess = (names[0], "same name, another e-mail", "medium")
        elif user and names:
            guess = ("none", f"{len(names)} users in Ashby have this name, none this e-mail: say which, by id", "low")
        else:
            guess = ("none", "nobody in Ashby has this e-mail or name", "high")
        made.append(row(lever_id, label, *guess, found.users[lever_id]))
    return made


def _role(user: Item) -> str:
    """What a user may do in Lever; of a role that the account has made itself Lever tells only the id."""
    role = clean(user.get("accessRole")) or "no role"
    return "custom role" if len(role) == 36 and role.count("-") == 4 else role


def _tags(source: Source, found: Scan) -> Rows:
    archived = {clean(tag.get("title")).casefold() for tag in source.reader.ashby("tags") if tag.get("isArchived")}
    living = {
        clean(tag.get("title")).casefold(): clean(tag.get("title"))
        for tag in source.reader.ashby("tags") if not tag.get("isArchived")
    }  # fmt: skip
    first: dict[str, str] = {}
    made = []
    for tag in sorted((tag for tag in found.tags if tag), key=row_id):
        n_records, automatic = found.tags[tag], found.automatic[tag]
        known = living.get(tag.casefold()) or first.setdefault(tag.casefold(), tag)
        if automatic == n_records:
            guess = ("drop", "Lever set it by itself each time: it repeats title, team, place or commitment", "high")
        elif known != tag and row_id(known) == known:
            guess = (known, "the same tag but for capital letters", "high")
        elif tag.casefold() in archived and tag.casefold() not in living:
            other = f"{tag} (Lever)" if row_id(tag) == tag else "drop"
            guess = (other, "a tag of this title is archived in Ashby", "medium")
        elif automatic:
            guess = ("keep manual", f"set by Lever itself {automatic} times of {n_records}", "medium")
        else:
            guess = ("keep", "set by people", "high")
        made.append(row(row_id(tag), masked(tag), *guess, n_records, automatic=automatic))
    return made


def _custom_fields(source: Source, found: Scan) -> Rows:
    there: dict[str, list[Item]] = {}
    for item in source.reader.ashby("custom_fields"):
        if not item.get("isArchived") and item.get("objectType") in ("Candidate", "Application"):
            there.setdefault(clean(item.get("title")).casefold(), []).append(item)
    made = []
    for key, question in found.questions.items():
        kind = "/".join(sorted(question.types))
        guess = _field_for(question, there.get(question.text.casefold(), []))
        made.append(
            row(
                key, f"{question.form}: {question.text}", *guess, question.n_records,
                type=kind, ashby_type=ASHBY_TYPE.get(question.type, "LongText"),
                options="; ".join(question.options.values()),
            )
        )  # fmt: skip
    return made


def _field_for(question: Question, there: list[Item]) -> tuple[str, str, str]:
    """The one custom field of the same title that takes the answers; else a note. Never sure: all see a field."""
    note = "answers stay readable together; name a field instead to report on it"
    if len(there) != 1:
        return "note", note, "medium"
    kind, title = clean(there[0].get("fieldType")), clean(there[0].get("title"))
    wanted = {ASHBY_TYPE.get(one, "LongText") for one in question.types}
    if kind not in ("String", "LongText") and wanted - {kind, "MultiValueSelect" if kind == "ValueSelect" else kind}:
        return "note", f"the field {title!r} is of type {kind}: not all answers would fit", "medium"
    reason = f"a field of the same title, of type {kind}, seen by whoever sees the {there[0]['objectType'].lower()}"
    if kind == "ValueSelect" and question.n_several:
        n = question.n_several
        reason += f"; {n} of {question.n_records} answers name several values and would be told in a note"
    return f"{there[0]['objectType']}:{title}", reason, "medium"


def _feedback_forms(source: Source, found: Scan) -> Rows:
    """The form whose field titles match best; else a form made for migrated feedback; else a note."""
    usable = _usable_forms(source)
    general = next((form for form in usable if "migrated" in form.title.casefold()), None)
    templates = {item["id"]: item for item in source.reader.all("feedback_templates")}
    made = []
    for template_id in sorted(set(templates) | set(found.templates)):
        template = templates.get(template_id, {})
        titles = {clean(item.get("text")).casefold() for item in template.get("fields") or []}
        titles |= {text for known, text in found.feedback if known == template_id}
        shared = {form.title: len(titles & {one.title.casefold() for one in form.fields}) for form in usable}
        best = max(sorted(shared), key=shared.__getitem__, default="")
        label = clean(template.get("text")) or found.template_titles.get(template_id, "")
        label = label or ("(no template)" if template_id == NO_TEMPLATE else template_id)
        if best and shared[best] >= 2:
            guess = (best, f"{shared[best]} fields of the same title", "high")
        elif general:
            guess = (general.title, "takes any feedback as text", "high")
        else:
            guess = ("note", "Ashby has no form for migrated feedback; an administrator can make one", "medium")
        made.append(row(template_id, label, *guess, found.templates[template_id]))
    return made


def _usable_forms(source: Source) -> list[FeedbackForm]:
    forms = [target.feedback_form(item) for item in source.reader.ashby("feedback_forms") if not item.get("isArchived")]
    return [form for form in forms if target.text_field(form)]


def _feedback_fields(source: Source, found: Scan, proposed: Rows, *, tables: Mapping[str, Any]) -> Rows:
    """Rows for the forms that verdicts name, else for those that are proposed."""
    given = {
        name: {one["id"]: one.get("verdict", "") for one in tables[name].rows} if name in tables else {}
        for name in ("feedback_forms", "feedback_fields")
    }
    usable = _usable_forms(source)
    chosen = {}
    for one in proposed:
        word = (given["feedback_forms"].get(one["id"], "") or one["proposal"]).casefold()
        named = [form for form in usable if word in (form.ashby_id.casefold(), form.title.casefold())]
        if len(named) == 1:
            chosen[one["id"]] = named[0]
    return feedback_fields.rows(found.feedback, chosen, given["feedback_fields"])

"""Notes, feedback and profile forms."""

from __future__ import annotations

import random

from sandbox.company import catalog, templates, words
from sandbox.company.model import NOW_MS, Company, Record
from sandbox.company.shape import times

DAY = 86_400_000
HOUR = 3_600_000

ODD_NOTES = (
    "<script>alert('note')</script> <b>bold</b> <a href=\"javascript:alert(1)\">here</a> & <i>so on",
    "=HYPERLINK(\"http://evil.example\",\"click\")",
    "Emoji 🚀👩🏽‍💻 and 漢字, mixed \u202eright to left\u202c text",
    "Control characters:\x07 bell,\x0b tab,\u2028 line separator",
    "{{ candidate.name }} ${7*7} <%= 7*7 %>",
    "  \n\n  ",
)  # fmt: skip


def fill(company: Company) -> None:
    """Write what people wrote about each candidacy."""
    for place, opportunity in enumerate(company.opportunities):
        if opportunity["isAnonymized"]:
            continue
        rng = company.rng(f"children:{opportunity['id']}")
        n_notes = rng.choices((0, 1, 2, 3), (38, 34, 19, 9))[0]
        for number in range(times(n_notes, company.shape.notes)):
            add_note(company, opportunity, rng, number)
        _feedback(company, opportunity, rng)
        if rng.random() < 0.14:
            add_form(company, opportunity, rng, place)
    _plant(company)


def _inside(opportunity: Record, rng: random.Random) -> int:
    """A time between the creation of a candidacy and its last step."""
    start, end = opportunity["createdAt"], max(opportunity["lastAdvancedAt"], opportunity["createdAt"] + HOUR)
    return min(start + int((end - start) * rng.random()), NOW_MS - HOUR)


def _author(company: Company, rng: random.Random) -> str | None:
    """A user, sometimes one who left, sometimes nobody (notes made through the API)."""
    if rng.random() < 0.04:
        return None
    return str(rng.choice(company.users)["id"])


def add_note(company: Company, opportunity: Record, rng: random.Random, number: int) -> Record:
    """A thread of one to four comments."""
    at = _inside(opportunity, rng)
    texts = [rng.choice(words.NOTE_TEXTS)]
    texts += [rng.choice(words.COMMENTS) for _ in range(rng.choices((0, 1, 2, 3), (60, 24, 11, 5))[0])]
    fields = []
    for place, text in enumerate(texts):
        fields.append(
            {
                "createdAt": min(at + place * rng.randrange(HOUR, 3 * DAY), NOW_MS - 1000 + place),
                "score": rng.choice((None, None, None, 1, 2, 3, 4)),
                "stage": opportunity["stageChanges"][0]["toStageId"],
                "text": "Comment",
                "type": "note",
                "user": _author(company, rng),
                "value": text,
            }
        )
    note: Record = {
        "id": company.uuid(f"note:{opportunity['id']}:{number}"),
        "text": "Note",
        "fields": fields,
        "user": fields[0]["user"],
        "secret": rng.random() < 0.09,
        "completedAt": fields[0]["createdAt"],
        "deletedAt": None,
        "createdAt": fields[0]["createdAt"],
    }
    company.notes.setdefault(opportunity["id"], []).append(note)
    return note


def _feedback(company: Company, opportunity: Record, rng: random.Random) -> None:
    """Feedback on most interviews, plus some added by hand, from assignments and shares."""
    share = company.shape.feedback
    for interview in company.interviews.get(opportunity["id"], ()):
        for person in interview["interviewers"]:
            none = interview["canceledAt"] or person["feedbackTemplate"] == "no-feedback"
            if none or rng.random() < 1 - 0.75 * share:
                continue
            text = "On-site interview" if interview["stage"] == company.stages[7]["id"] else "Structured interview"
            if interview["date"] < NOW_MS - 2500 * DAY:
                text = templates.GONE
            form = add_feedback(company, opportunity, rng, text, at=min(interview["date"] + HOUR, NOW_MS - HOUR))
            form |= {"interview": interview["id"], "panel": interview["panel"], "user": person["id"]}
            interview["feedbackForms"].append(form["id"])
    if rng.random() < 0.05 * share:
        kind = rng.choice(("assignment", "share", "interview"))
        text = "Take-home assignment" if kind == "assignment" else "Structured interview"
        form = add_feedback(company, opportunity, rng, text, at=_inside(opportunity, rng))
        form |= {"type": kind, "user": _author(company, rng)}


def add_feedback(company: Company, opportunity: Record, rng: random.Random, text: str, *, at: int) -> Record:
    """One feedback form; a few are drafts."""
    number = len(company.feedback.get(opportunity["id"], ()))
    topic = f"feedback:{opportunity['id']}:{number}"
    draft = rng.random() < 0.05
    form: Record = {
        "id": company.uuid(topic),
        "type": "interview",
        "text": text,
        "instructions": "",
        "fields": templates.answered(company, topic, templates.FEEDBACK_FORMS[text], rng, at=at, draft=draft),
        "baseTemplateId": templates.template_id(company, text),
        "interview": None,
        "panel": None,
        "user": None,
        "createdAt": at,
        "completedAt": None if draft else at + HOUR // 4,
        "updatedAt": at + HOUR // 4 + 2,
        "deletedAt": None,
    }
    company.feedback.setdefault(opportunity["id"], []).append(form)
    return form


def add_form(
    company: Company, opportunity: Record, rng: random.Random, place: int, *, topic: str | None = None
) -> Record:
    """One profile form."""
    text = list(templates.PROFILE_FORMS)[place % 3]
    at = _inside(opportunity, rng)
    topic = topic or f"form:{opportunity['id']}"
    form: Record = {
        "id": company.uuid(topic),
        "type": "form",
        "text": text,
        "instructions": "",
        "baseTemplateId": templates.template_id(company, text),
        "fields": templates.answered(company, topic, templates.PROFILE_FORMS[text], rng, at=at),
        "user": _author(company, rng),
        "stage": opportunity["stage"],
        "secret": text == "Compensation",
        "createdAt": at,
        "completedAt": at,
        "deletedAt": None,
    }
    company.forms.setdefault(opportunity["id"], []).append(form)
    return form


def _plant(company: Company) -> None:
    """The odd ones: hostile and very long notes, a deleted note, a deleted feedback, an unknown field type."""
    rng = company.rng("odd-children")
    alive = [item for item in company.opportunities if not item["isAnonymized"]]
    spread = [alive[(place * 37) % len(alive)] for place in range(len(ODD_NOTES) + 2)]
    for place, text in enumerate(ODD_NOTES):
        add_note(company, spread[place], rng, 90 + place)["fields"][0]["value"] = text
    sentence = "He told us about the bridge project in great detail, and we listened. "
    add_note(company, spread[-2], rng, 97)["fields"][0]["value"] = (sentence * 400)[:25_000]
    deleted = add_note(company, spread[-1], rng, 98)
    deleted["deletedAt"] = deleted["createdAt"] + DAY
    forms = [form for item in alive for form in company.feedback.get(item["id"], ()) if form["completedAt"]]
    if forms:
        forms[len(forms) // 2]["deletedAt"] = forms[len(forms) // 2]["updatedAt"] + 1000
        forms[0]["user"] = None
        forms[-1]["user"] = catalog.user_id(company, "Derek")
    profile = [form for item in alive for form in company.forms.get(item["id"], ())]
    if profile:
        unknown = {
            "type": "rating-matrix",
            "text": "Matrix",
            "description": "",
            "required": False,
            "value": {"rows": [["a", 1], ["b", 2]]},
        }
        profile[len(profile) // 2]["fields"].append(unknown | {"id": company.uuid("field:rating-matrix")})
        profile[-1]["deletedAt"] = profile[-1]["createdAt"] + DAY

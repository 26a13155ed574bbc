"""Rows of tables of notes, feedback and interviews as children of opportunities, as the API has them."""

from __future__ import annotations

import re
from typing import Any

from lib.export_files.lists import Lists
from lib.export_files.values import made_id, yes

Item = dict[str, Any]


def own_id(row: Item, kind: str, *key: object, shared: bool = False) -> str:
    """The id that a row gives, else (or where it is `shared`) one made from what tells it from others."""
    told = str(row.get("id") or "").strip()
    return told if re.fullmatch(r"[\w-]{1,80}", told) and not shared else made_id(kind, told, *key)


def note(opportunity: str, row: Item, lists: Lists) -> Item:
    """A note: a thread of one comment.

    Where no cell says whether it is secret, it is an open one, and that waits for somebody's word
    (`file-in:<file>:secret`); an odd word on it counts as secret.
    """
    user = lists.user(row, "author")
    created, text = _ms(row.get("created")), str(row.get("text") or "")
    secret = yes(str(row["secret"])) is not False if "secret" in row else False
    field = {
        "type": "note",
        "text": "Comment",
        "value": text,
        "createdAt": created,
        "user": user,
        "score": None,
        "stage": None,
    }
    return {
        "id": own_id(row, "note", opportunity, created, user, text), "text": "Note", "fields": [field], "user": user,
        "secret": secret, "createdAt": created, "completedAt": created, "deletedAt": None,
    }  # fmt: skip


def feedback(opportunity: str, rows: list[Item], lists: Lists, *, shared: bool) -> Item | str:
    """One form from the rows of one submission; a reason when no date says that it was submitted.

    `shared`: its id stands on other submissions, too, so it is one of a form and of no submission.
    """
    first = rows[0]
    user = lists.user(first, "author")
    created, completed = _ms(first.get("created")), _ms(first.get("completed"))
    if created is None and completed is None:
        return "no column says when it was submitted"
    title = str(first.get("title") or "Feedback")
    key = [opportunity, title, user, completed, created, *filter(None, [first.get("form")])]
    fields = [_rating(first["rating"])] if first.get("rating") else []
    for row in rows:
        if row.get("rating", first.get("rating")) != first.get("rating"):
            fields.append(_answer(f"Rating: {row.get('question') or title}", row["rating"]))
        if row.get("question"):
            fields.append(_answer(str(row["question"]), row.get("answer")))
        fields += [_answer(question, answer) for question, answer in row.get("answers") or []]
    return {
        "id": own_id(first, "feedback", *key, shared=shared), "type": "interview",
        "text": title, "instructions": "", "fields": fields,
        "baseTemplateId": lists.template(str(first.get("form") or ""), title),
        "interview": first.get("interview"), "panel": first.get("panel"), "user": user,
        "createdAt": created if created is not None else completed,
        "completedAt": completed if completed is not None else created, "updatedAt": None, "deletedAt": None,
    }  # fmt: skip


def _rating(text: object) -> Item:
    return {"type": "score-system", "text": "Rating", "description": "", "required": False, "value": str(text)}


def _answer(question: str, answer: object) -> Item:
    value = None if answer is None else str(answer)
    return {"type": "textarea", "text": question, "description": "", "required": False, "value": value}


def interview(opportunity: str, row: Item, lists: Lists) -> Item:
    """One interview; whoever the table calls its interviewer is its only one."""
    user, date = lists.user(row, "author"), _ms(row.get("date"))
    digits = re.match(r"\d+", str(row.get("duration") or ""))
    people = []
    if user:
        email = str(row.get("author_email") or "")
        people = [{"id": user, "name": row.get("author_name"), "email": email or None, "feedbackTemplate": None}]
    return {
        "id": own_id(row, "interview", opportunity, date, row.get("subject"), user), "subject": row.get("subject"),
        "note": row.get("note"), "interviewers": people, "timezone": row.get("zone"),
        "createdAt": _ms(row.get("created")) or date,
        "date": date, "duration": int(digits.group()) if digits else None, "location": row.get("where"), "user": None,
        "stage": None, "panel": row.get("panel"), "canceledAt": _ms(row.get("canceled")), "postings": [],
        "feedbackForms": [], "feedbackTemplate": None,
    }  # fmt: skip


def _ms(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None

"""Edits below an opportunity: notes, feedback, forms, papers, meetings."""

from __future__ import annotations

import random

from sandbox.company import children, meetings, papers, templates, words
from sandbox.company.editing import Edit, EditError, Editor
from sandbox.company.model import Record

WORDED = ("text", "textarea")
"""Types of form fields whose answer an edit can reword."""
HALF_HOUR_MS = 1_800_000


def note_new(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Somebody writes a note; ``text`` and ``secret`` say what."""
    item = editor.opportunity(rng, wanted)
    note = children.add_note(editor.company, item, rng, 1_000 + editor.serial)
    field = note["fields"][0]
    field |= {"createdAt": editor.at, "stage": item["stage"], "value": _text(editor, rng, wanted)}
    note |= {"fields": [field], "createdAt": editor.at, "completedAt": editor.at}
    note["secret"] = bool(wanted.get("secret", note["secret"]))
    editor.touch(item, "note_new")
    return {"opportunity": item["id"], "id": note["id"]}


def _text(editor: Editor, rng: random.Random, wanted: Record) -> str:
    """A text of its own for each edit, so that it can be found again."""
    return str(wanted.get("text") or f"{rng.choice(words.NOTE_TEXTS)} (edit {editor.serial})")


def note_comment(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Somebody answers in the thread of a note."""
    item, note = editor.child(rng, wanted, "notes")
    field = note["fields"][0] | {"createdAt": editor.at, "score": None, "stage": item["stage"]}
    field |= {"user": editor.user(rng), "value": _text(editor, rng, wanted)}
    note["fields"] = [*note["fields"], field]
    editor.touch(item, "note_comment")
    return {"opportunity": item["id"], "id": note["id"]}


def note_edit(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """The text of a note is changed; a note has no date that tells."""
    item, note = editor.child(rng, wanted, "notes")
    note["fields"] = [note["fields"][0] | {"value": _text(editor, rng, wanted)}, *note["fields"][1:]]
    editor.touch(item, "note_edit")
    return {"opportunity": item["id"], "id": note["id"]}


def _deleting(kind: str, name: str) -> Edit:
    """The edit that deletes a child which keeps its place in the list, with a date."""

    def edit(editor: Editor, rng: random.Random, wanted: Record) -> Record:
        item, child = editor.child(rng, wanted, kind)
        child["deletedAt"] = editor.at
        editor.touch(item, name)
        return {"opportunity": item["id"], "id": child["id"]}

    return edit


note_delete = _deleting("notes", "note_delete")
feedback_delete = _deleting("feedback", "feedback_delete")
form_delete = _deleting("forms", "form_delete")


def feedback_new(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Somebody files feedback by hand."""
    item = editor.opportunity(rng, wanted)
    form = children.add_feedback(editor.company, item, rng, "Structured interview", at=editor.at)
    form |= {"user": editor.user(rng), "completedAt": editor.at, "updatedAt": editor.at}
    _reworded(editor, rng, form, wanted)
    editor.touch(item, "feedback_new")
    return {"opportunity": item["id"], "id": form["id"]}


def feedback_edit(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Filed feedback is changed: the form's date moves, the opportunity's does not (observed)."""
    item, form = editor.child(rng, wanted, "feedback", lambda one: one["completedAt"] and _worded(one))
    _reworded(editor, rng, form, wanted)
    form["updatedAt"] = editor.at
    editor.touch(item, "feedback_edit")
    return {"opportunity": item["id"], "id": form["id"]}


def feedback_submit(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A draft is filled in and filed."""
    item, form = editor.child(rng, wanted, "feedback", lambda one: not one["completedAt"] and _worded(one))
    form |= {"completedAt": editor.at, "updatedAt": editor.at}
    _reworded(editor, rng, form, wanted)
    editor.touch(item, "feedback_submit")
    return {"opportunity": item["id"], "id": form["id"]}


def _worded(form: Record) -> list[Record]:
    return [field for field in form["fields"] if field["type"] in WORDED]


def _reworded(editor: Editor, rng: random.Random, form: Record, wanted: Record) -> None:
    """Give the last worded answer of a form a text of its own."""
    chosen = _worded(form)[-1]
    text = _text(editor, rng, wanted)
    form["fields"] = [field | {"value": text} if field is chosen else field for field in form["fields"]]


def form_new(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A profile form is filled in."""
    item = editor.opportunity(rng, wanted)
    topic = f"form:{item['id']}:{editor.serial}"
    form = children.add_form(editor.company, item, rng, rng.randrange(len(templates.PROFILE_FORMS)), topic=topic)
    form |= {"createdAt": editor.at, "completedAt": editor.at, "user": editor.user(rng)}
    editor.touch(item, "form_new")
    return {"opportunity": item["id"], "id": form["id"]}


def file_new(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A file is added."""
    item = editor.opportunity(rng, wanted)
    file = _file(editor, rng, item)
    editor.touch(item, "file_new")
    return {"opportunity": item["id"], "id": file["id"]}


def _file(editor: Editor, rng: random.Random, item: Record) -> Record:
    file = papers.add_file(editor.company, item, rng, 1_000 + editor.serial)
    file["uploadedAt"] = editor.at
    editor.company.file_actions[item["id"]][-1] |= {"occurredAt": editor.at, "createdAt": editor.at}
    return file


def file_delete(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A file is taken away; only its absence tells, and the list of file actions."""
    item, file = editor.child(rng, wanted, "files")
    _remove(editor, rng, item, file)
    editor.touch(item, "file_delete")
    return {"opportunity": item["id"], "id": file["id"]}


def _remove(editor: Editor, rng: random.Random, item: Record, file: Record) -> None:
    company = editor.company
    company.files[item["id"]] = [one for one in company.files[item["id"]] if one is not file]
    company.file_kinds.pop(file["id"], None)
    company.lost_files.discard(file["id"])
    action: Record = {"id": editor.new_id("file-remove"), "opportunityId": item["id"], "type": "file-remove"}
    action |= {"occurredAt": editor.at, "createdAt": editor.at, "user": {"id": editor.user(rng)}}
    action["meta"] = {"fileName": file["name"]}
    company.file_actions.setdefault(item["id"], []).append(action)


def file_replace(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A file is taken away and another one of the same name put in its place."""
    item, old = editor.child(rng, wanted, "files")
    _remove(editor, rng, item, old)
    new = _file(editor, rng, item)
    new["name"] = old["name"]
    editor.touch(item, "file_replace")
    return {"opportunity": item["id"], "id": new["id"], "gone": old["id"]}


def resume_new(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A newer resume is added."""
    item = editor.opportunity(rng, wanted)
    resume = papers.resume_with_file(editor.company, item, rng, 1_000 + editor.serial)
    resume["createdAt"] = editor.at
    resume["file"]["uploadedAt"] = editor.at
    editor.touch(item, "resume_new")
    return {"opportunity": item["id"], "id": resume["id"]}


def interview_new(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A panel is planned for an active candidacy."""
    item = editor.opportunity(rng, wanted, lambda row: row["archived"] is None)
    stage = {"toStageId": item["stage"], "toStageIndex": 1_000 + editor.serial, "updatedAt": editor.at}
    panel = meetings.add_panel(editor.company, item, stage, rng)
    for row in (panel, *editor.company.interviews[item["id"]][-len(panel["interviews"]) :]):
        row |= {"createdAt": editor.at, "canceledAt": None}
    editor.touch(item, "interview_new")
    return {"opportunity": item["id"], "id": panel["interviews"][0]["id"], "panel": panel["id"]}


def interview_cancel(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """An interview is called off, and its whole panel."""
    item, interview = editor.child(rng, wanted, "interviews", lambda one: one["canceledAt"] is None)
    rows = [row for row in editor.company.panels[item["id"]] if row["id"] == interview["panel"]]
    rows += [row for row in editor.company.interviews[item["id"]] if row["panel"] == interview["panel"]]
    for row in rows:
        row["canceledAt"] = editor.at
    editor.touch(item, "interview_cancel")
    return {"opportunity": item["id"], "id": interview["id"], "panel": interview["panel"]}


def offer_new(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """An offer is made to somebody who had none for this candidacy."""
    item = editor.opportunity(rng, wanted, lambda row: row["applications"] and not editor.company.offers.get(row["id"]))
    offer = meetings.add_offer(editor.company, item, rng, rng.randrange(7), at=editor.at)
    editor.touch(item, "offer_new")
    return {"opportunity": item["id"], "id": offer["id"]}


NEXT = {
    "draft": ("approval-sent",),
    "approval-sent": ("approved",),
    "approved": ("sent", "sent-manually"),
    "sent": ("opened", "signed", "denied"),
    "opened": ("signed", "denied"),
    "sent-manually": ("signed", "denied"),
}
"""What may become of an offer (its states are documented, their order is inferred)."""


def offer_status(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """An offer goes a step further: approved, sent, opened, declined, or signed, and then with the signed document."""
    item, offer = editor.child(rng, wanted, "offers", lambda one: one["status"] in NEXT)
    status = wanted.get("status") or rng.choice(NEXT[offer["status"]])
    if status not in NEXT[offer["status"]]:
        raise EditError(f"an offer that is {offer['status']} becomes one of {', '.join(NEXT[offer['status']])}")
    meetings.change_offer(editor.company, item, offer, status, at=editor.at)
    editor.touch(item, "offer_status")
    return {"opportunity": item["id"], "id": offer["id"], "status": status}


def interview_edit(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """An interview is put off, or somebody else is to lead it; ``attribute`` (date, interviewer) says which."""
    item, interview = editor.child(rng, wanted, "interviews", lambda one: one["canceledAt"] is None)
    attribute = wanted.get("attribute") or rng.choice(("date", "interviewer"))
    if attribute == "date":
        meetings.put_off(editor.company, item, interview, by_ms=rng.randrange(1, 9 * 48) * HALF_HOUR_MS)
    elif attribute == "interviewer":
        here = {one["id"] for one in interview["interviewers"]}
        active = (user for user in editor.company.users if user["deactivatedAt"] is None)
        user = editor.pick(rng, active, lambda one: one["id"] not in here, "interviewer")
        meetings.hand_over(editor.company, item, interview, user)
    else:
        raise EditError("attribute must be date or interviewer")
    editor.touch(item, "interview_edit")
    return {"opportunity": item["id"], "id": interview["id"], "attribute": attribute}

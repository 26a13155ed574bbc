"""Edits of the account itself: postings, and the people who work here."""

from __future__ import annotations

import random

from sandbox.company import catalog, templates, words
from sandbox.company.cast import slug
from sandbox.company.editing import EditError, Editor
from sandbox.company.model import Record

TITLES = ("Controls Engineer", "Field Technician", "Product Manager", "Technical Writer", "Payroll Specialist")
ROLES = ("super admin", "admin", "team member", "limited team member", "interviewer")
"""Access roles that every account has (documented)."""
CONFIDENTIALITY = ("confidential", "non-confidential")
USER = ("name", "email", "role")
"""What a ``user_edit`` may change."""


# ---- postings ------------------------------------------------------------------------------------------------------
def posting_new(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A posting is published that nobody has seen before; whoever comes from now on may apply for it."""
    title = str(wanted.get("text") or f"{rng.choice(TITLES)} {editor.serial}")
    posting = catalog.new_posting(editor.company, 1_000 + editor.serial, title, at=editor.at)
    editor.company.postings.append(posting)
    editor.company.posting_apply[posting["id"]] = templates.application_form(editor.company, posting)
    return {"posting": posting["id"], "text": title}


def posting_edit(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """The text of a posting's advertisement is changed (its title stays: tags repeat it)."""
    posting = _posting(editor, rng, wanted, ("published", "internal", "closed"))
    sentence = str(wanted.get("text") or f"We look for someone new (edit {editor.serial}).")
    words_of_it = {"description": f"{sentence}\n", "descriptionHtml": f"<div>{sentence}</div>"}
    posting["content"] = posting["content"] | words_of_it
    posting["updatedAt"] = editor.at
    return {"posting": posting["id"]}


def posting_close(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A posting is closed."""
    posting = _posting(editor, rng, wanted, ("published", "internal"))
    posting |= {"state": "closed", "distributionChannels": None, "updatedAt": editor.at}
    return {"posting": posting["id"]}


def posting_delete(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A posting is deleted: only the deleted list knows it; applications go on naming it."""
    posting = _posting(editor, rng, wanted, ("published", "internal", "closed", "draft"))
    if len(editor.company.postings) < 4:
        raise EditError("there would be no postings")
    editor.company.postings.remove(posting)
    editor.company.deleted_postings.append(posting | {"deletedAt": editor.at, "deletedBy": editor.user(rng)})
    return {"posting": posting["id"]}


def confidentiality(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A posting becomes confidential, or open again, and with it its requisitions and all candidacies on it.

    A candidacy is confidential only through its posting, and a change moves its ``updatedAt`` (both documented). No
    API changes it (documented); that people can, and what it does to requisitions, is a guess.
    """
    posting = _posting(editor, rng, wanted, ("published", "internal", "closed"))
    value = wanted.get("value") or CONFIDENTIALITY[posting["confidentiality"] == "confidential"]
    if value not in CONFIDENTIALITY or value == posting["confidentiality"]:
        raise EditError(f"value must be the other one of {', '.join(CONFIDENTIALITY)}")
    posting |= {"confidentiality": value, "updatedAt": editor.at}
    for requisition in editor.company.requisitions:
        if posting["id"] in requisition["postings"]:
            requisition["confidentiality"] = value
    rows = [item for item in editor.company.opportunities if editor.posting_of(item) == posting["id"]]
    for item in rows:
        item["confidentiality"] = value
        editor.touch(item, "confidentiality")
    return {"posting": posting["id"], "value": value, "opportunities": [item["id"] for item in rows]}


def _posting(editor: Editor, rng: random.Random, wanted: Record, states: tuple[str, ...]) -> Record:
    rows = [row for row in editor.company.postings if wanted.get("posting", row["id"]) == row["id"]]
    posting: Record = editor.pick(rng, rows, lambda row: row["state"] in states, "posting")
    return posting


# ---- users ---------------------------------------------------------------------------------------------------------
def user_new(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Somebody joins the company, and may be the author of whatever is written from now on."""
    name = str(wanted.get("name") or f"{rng.choice(words.FIRST)} {_surname(editor, rng)}")
    username = f"{slug(name)}.{editor.serial}"
    user = catalog.new_user(editor.new_id("user"), name, username, rng.choice(ROLES), at=editor.at)
    editor.company.users.append(user)
    return {"user": user["id"], "name": name}


def _surname(editor: Editor, rng: random.Random) -> str:
    """A surname that nobody who works here has."""
    taken = {user["name"].split(" ")[-1] for user in editor.company.users}
    free = [name for name in words.LAST if name not in taken]
    return rng.choice(free or [f"{name}-{editor.serial}" for name in words.LAST])


def user_edit(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Surname, address or role of a user change; ``attribute`` and ``value`` name them.

    No date tells. Interviews go on naming interviewers as they were when it was planned (a guess).
    """
    user = editor.pick(rng, editor.company.users, lambda one: wanted.get("user", one["id"]) == one["id"], "user")
    attribute = wanted.get("attribute") or rng.choice(USER)
    if attribute not in USER:
        raise EditError(f"attribute must be one of {', '.join(USER)}")
    value = wanted.get("value")
    if attribute == "name":
        value = str(value or f"{user['name'].split(' ')[0]} {_surname(editor, rng)}")
        editor.company.former_names.setdefault(user["id"], []).append(user["name"])
        user["name"] = value
    elif attribute == "email":
        value = str(value or f"{slug(user['name'])}.{editor.serial}@{catalog.DOMAIN}")
        user |= {"email": value, "username": value.partition("@")[0]}
    else:
        value = str(value or rng.choice([role for role in ROLES if role != user["accessRole"]]))
        user["accessRole"] = value
    return {"user": user["id"], "attribute": attribute, "value": value}


def user_deactivate(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Somebody leaves the company; three stay in any case."""
    active = [user for user in editor.company.users if user["deactivatedAt"] is None]
    if len(active) < 4:
        raise EditError("too few people would be left")
    user = editor.pick(rng, active, lambda one: wanted.get("user", one["id"]) == one["id"], "user")
    user["deactivatedAt"] = editor.at
    return {"user": user["id"]}


def user_reactivate(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Somebody who had left comes back."""
    gone = [user for user in editor.company.users if user["deactivatedAt"] is not None]
    user = editor.pick(rng, gone, lambda one: wanted.get("user", one["id"]) == one["id"], "user")
    user["deactivatedAt"] = None
    return {"user": user["id"]}

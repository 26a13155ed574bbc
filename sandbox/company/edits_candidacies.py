"""Edits of opportunities: moving on, closing, hiring, tags, new ones, deleted ones."""

from __future__ import annotations

import random

from sandbox.company import catalog, words
from sandbox.company.cast import Draft
from sandbox.company.contents import manual_tags
from sandbox.company.editing import EditError, Editor
from sandbox.company.history import Plan, own_tags, requisition_for, write_opportunity
from sandbox.company.model import Person, Record

DAY_MS = 86_400_000
TYPED = ("name", "company", "email", "phone", "link", "comments")
APPLICATION = (*TYPED, "answer", "manager", "owner")
"""What an ``application_edit`` may change: each moves the opportunity's ``updatedAt`` (documented)."""
CHILD_LISTS = (
    "notes", "feedback", "forms", "resumes", "files", "file_actions", "offers", "interviews", "panels", "referrals",
)  # fmt: skip


def stage(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """An active candidacy moves on, now and then back; ``stage`` names the stage.

    A named one that is closed moves as well, and stays closed (recorded: eight seconds after it was archived).
    """
    item = editor.opportunity(rng, wanted, lambda row: row["archived"] is None or "opportunity" in wanted)
    ids = [row["id"] for row in editor.company.stages]
    here = ids.index(item["stage"]) if item["stage"] in ids else 0
    back = here > 0 and (here == len(ids) - 1 or rng.random() < 0.15)
    there = wanted.get("stage", ids[here - 1 if back else min(here + 1, len(ids) - 1)])
    if there not in ids or there == item["stage"]:
        raise EditError(f"{there} is not another stage")
    change = {"toStageId": there, "toStageIndex": ids.index(there), "updatedAt": editor.at, "userId": editor.user(rng)}
    item["stageChanges"] = [*item["stageChanges"], change]
    item["stage"] = there
    editor.touch(item, "stage")
    return {"opportunity": item["id"], "stage": there}


def archive(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """An active candidacy is closed; a named one that is closed gets another reason."""
    item = editor.opportunity(rng, wanted, lambda row: row["archived"] is None or "opportunity" in wanted)
    reasons = [row["id"] for row in editor.company.archive_reasons if row["type"] != "hired"]
    return _close(editor, item, rng.choice(reasons), "rearchive" if item["archived"] else "archive")


def hire(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """An active candidacy with a posting is closed as hired."""
    item = editor.opportunity(rng, wanted, lambda row: row["archived"] is None and row["applications"])
    return _close(editor, item, catalog.reason_id(editor.company, "Hired"), "hire")


def _close(editor: Editor, item: Record, reason: str, kind: str) -> Record:
    closed = {"reason": reason, "archivedAt": editor.at}
    item["archived"] = closed
    postings = {row["id"]: row for row in editor.company.postings}
    for application in (editor.company.applications[name] for name in item["applications"]):
        posting = postings.get(application["posting"], {})
        application["requisitionForHire"] = requisition_for(editor.company, posting, closed)
        application["archived"] = dict(closed)
    editor.touch(item, kind)
    return {"opportunity": item["id"], "reason": reason}


def reopen(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A closed candidacy is opened again."""
    item = editor.opportunity(rng, wanted, lambda row: row["archived"] is not None)
    item["archived"] = None
    for application in item["applications"]:
        editor.company.applications[application] |= {"archived": None, "requisitionForHire": None}
    editor.touch(item, "reopen")
    return {"opportunity": item["id"]}


def tag(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A tag is added, or one that a person had set is taken away; ``text`` names one to add."""
    item = editor.opportunity(rng, wanted)
    own = [text for text in item["tags"] if text in words.REAL_TAGS]
    missing = [text for text in words.REAL_TAGS if text not in item["tags"]]
    text = wanted.get("text") or rng.choice(own if own and (not missing or rng.random() < 0.3) else missing)
    added = text not in item["tags"]
    item["tags"] = [*item["tags"], text] if added else [one for one in item["tags"] if one != text]
    editor.touch(item, "tag")
    return {"opportunity": item["id"], "text": text, "added": added}


def source(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A source is added."""
    known = sorted({text for row in catalog.SOURCES.values() for text in row})
    item = editor.opportunity(rng, wanted, lambda row: not set(known) <= set(row["sources"]))
    text = rng.choice([one for one in known if one not in item["sources"]])
    item["sources"] = [*item["sources"], text]
    editor.touch(item, "source")
    return {"opportunity": item["id"], "text": text}


def owner(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Somebody else takes the candidacy over."""
    item = editor.opportunity(rng, wanted)
    item["owner"] = editor.user(rng, other_than=item["owner"])
    editor.touch(item, "owner")
    return {"opportunity": item["id"], "owner": item["owner"]}


def opportunity_new(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A known contact becomes a candidate for a posting they were never considered for (``posting`` names any)."""
    contact, person = _contact_with_person(editor, rng, wanted)
    return new_candidacy(editor, rng, _draft(editor, person, contact), _free_posting(editor, rng, wanted, person))


def _free_posting(editor: Editor, rng: random.Random, wanted: Record, person: Person) -> Record:
    """The named posting, or any open one that a person was never considered for."""
    taken = {editor.posting_of(item) for one in person.contacts for item in editor.of_contact(one)}
    rows = [row for row in editor.company.postings if row["state"] in ("published", "internal")]
    if "posting" in wanted:
        rows = [row for row in editor.company.postings if row["id"] == wanted["posting"]]
        taken = set()
    posting: Record = editor.pick(rng, rows, lambda row: row["id"] not in taken, "posting")
    return posting


def reapply(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A contact applies again for a posting they had applied for: the latest candidacy is the one that counts."""
    item = editor.opportunity(rng, wanted, lambda row: editor.posting_of(row) in {p["id"] for p in _postings(editor)})
    person = _owner_of(editor, item["contact"])
    posting = next(row for row in _postings(editor) if row["id"] == editor.posting_of(item))
    return new_candidacy(editor, rng, _draft(editor, person, item["contact"]), posting)


def _postings(editor: Editor) -> list[Record]:
    return editor.company.postings


def _contact_with_person(editor: Editor, rng: random.Random, wanted: Record) -> tuple[str, Person]:
    """A living contact that has candidacies, and whose it is."""
    held = sorted({item["contact"] for item in editor.company.opportunities if not item["isAnonymized"]})
    contact = editor.pick(rng, held, lambda one: wanted.get("contact", one) == one, "contact")
    return contact, _owner_of(editor, contact)


def _owner_of(editor: Editor, contact: str) -> Person:
    return next(person for person in editor.company.people if contact in person.contacts)


def _draft(editor: Editor, person: Person, contact: str) -> Draft:
    """A contact as the generator wants it: with the links and the consent that stand on its candidacies."""
    last = editor.of_contact(contact)[-1]
    return Draft(person, editor.company.contacts[contact], last["links"], last["dataProtection"])


def new_candidacy(editor: Editor, rng: random.Random, draft: Draft, posting: Record) -> Record:
    """Write an opportunity that begins at this moment."""
    origin = rng.choice(("applied", "applied", "sourced", "referred", "agency"))
    plan = Plan(10_000_000 + editor.serial, posting, editor.at, origin, fresh=True)
    item = write_opportunity(editor.company, draft, plan)
    for application in item["applications"]:
        editor.company.applications[application]["createdAt"] = editor.at
    item["snoozedUntil"] = None
    item["updatedAt"] = editor.at if editor.says("new_updated_at") == "set" else None
    return {"opportunity": item["id"], "contact": item["contact"], "posting": posting["id"]}


def repost(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """The application moves to another posting; ``posting`` names any, else it is one nobody considered them for.

    Owner, manager, place and confidentiality are those of the new posting (the latter documented), and so are the tags
    that Lever sets by itself (a guess). Interviews and offers go on naming the old one (a guess).
    """
    item = editor.opportunity(rng, wanted, lambda row: row["applications"])
    application = editor.company.applications[item["applications"][0]]
    here, posting = application["posting"], _free_posting(editor, rng, wanted, _owner_of(editor, item["contact"]))
    if posting["id"] == here:
        raise EditError("it stands on this posting already")
    before = next((row for row in _postings(editor) if row["id"] == here), None)
    kept = manual_tags(item, before)
    item["tags"] = [*kept, *(tag for tag in own_tags(posting) if tag not in kept)]
    item["opportunityLocation"] = posting["categories"]["location"] or "unspecified"
    item["confidentiality"] = posting["confidentiality"]
    application |= {
        "posting": posting["id"],
        "postingOwner": posting["owner"],
        "postingHiringManager": posting["hiringManager"],
        "requisitionForHire": requisition_for(editor.company, posting, item["archived"]),
    }
    editor.touch(item, "repost")
    return {"opportunity": item["id"], "posting": posting["id"], "from": here}


def application_edit(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Something on an application is changed; ``attribute`` and ``value`` name it.

    What candidates typed only where somebody applied by themselves: it is null elsewhere (documented).
    """
    attribute = wanted.get("attribute") or rng.choice(APPLICATION)
    if attribute not in APPLICATION:
        raise EditError(f"attribute must be one of {', '.join(APPLICATION)}")

    def fits(row: Record) -> bool:
        return any(_may_change(editor.company.applications[name], attribute) for name in row["applications"])

    item = editor.opportunity(rng, wanted, fits)
    application = editor.company.applications[item["applications"][0]]
    value = wanted.get("value") or _invented(editor, rng, attribute)
    if attribute == "answer":
        form, chosen = _worded(application)[-1]
        form["fields"] = [field | {"value": value} if field is chosen else field for field in form["fields"]]
    elif attribute == "link":
        application["links"] = [*application["links"], value]
    else:
        name = {"manager": "postingHiringManager", "owner": "postingOwner"}.get(attribute, attribute)
        application[name] = {"type": None, "value": value} if attribute == "phone" else value
    editor.touch(item, "application_edit")
    return {"opportunity": item["id"], "id": application["id"], "attribute": attribute, "value": value}


def _may_change(application: Record, attribute: str) -> bool:
    if attribute in TYPED:
        return bool(application["type"] == "posting")
    return attribute != "answer" or bool(_worded(application))


def _worded(application: Record) -> list[tuple[Record, Record]]:
    """(form, field) of all answers in words to the questions of an application."""
    forms = application["customQuestions"]
    return [(form, field) for form in forms for field in form["fields"] if field["type"] in ("text", "textarea")]


def _invented(editor: Editor, rng: random.Random, attribute: str) -> str:
    """A value that no other application has."""
    serial = editor.serial
    made = {
        "name": f"{rng.choice(words.FIRST)} {rng.choice(words.LAST)} {serial}",
        "company": f"{rng.choice(words.FIRMS)}, since edit {serial}",
        "email": f"as-typed.{serial}@{rng.choice(words.MAIL_DOMAINS)}",
        "phone": f"+44 20 7946 0{serial % 1000:03d}",
        "link": f"https://typed-{serial}.example/me",
        "comments": f"I would like to add something (edit {serial}).",
        "answer": f"Corrected in edit {serial}",
    }
    return made.get(attribute) or editor.user(rng)


def snooze(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """An active candidacy sleeps for a while; one that sleeps wakes."""
    item = editor.opportunity(rng, wanted, lambda row: row["archived"] is None)
    item["snoozedUntil"] = None if item["snoozedUntil"] else editor.at + rng.randrange(7, 90) * DAY_MS
    editor.touch(item, "snooze")
    return {"opportunity": item["id"], "until": item["snoozedUntil"]}


def follow(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Somebody follows a candidacy, or does not any more."""
    item, user = editor.opportunity(rng, wanted), wanted.get("user") or editor.user(rng)
    rest = [one for one in item["followers"] if one != user]
    item["followers"] = rest if user in item["followers"] else [*rest, user]
    editor.touch(item, "follow")
    return {"opportunity": item["id"], "user": user}


def sourced_by(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A sourced candidacy is credited to another user."""
    item = editor.opportunity(rng, wanted, lambda row: row["origin"] == "sourced")
    users = [
        row["id"] for row in editor.company.users if row["deactivatedAt"] is None and row["id"] != item["sourcedBy"]
    ]
    item["sourcedBy"] = wanted.get("user") or rng.choice(users)
    editor.touch(item, "sourced_by")
    return {"opportunity": item["id"], "user": item["sourcedBy"]}


def opportunity_delete(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A candidacy is deleted: only the deleted lists know it, and its application, from now on."""
    if len(editor.company.opportunities) < 4:
        raise EditError("the company would be empty")
    item = editor.opportunity(rng, wanted)
    for application in item["applications"]:
        _forget_application(editor, item, application)
    editor.company.opportunities.remove(item)
    forget_children(editor, item["id"])
    gone = item | {"deletedAt": editor.at, "deletedBy": editor.user(rng)}
    editor.company.deleted_opportunities.append(gone)
    return {"opportunity": item["id"], "contact": item["contact"]}


def application_delete(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """The application is deleted; the opportunity stays, without a posting."""
    item = editor.opportunity(rng, wanted, lambda row: row["applications"])
    application = item["applications"][0]
    posting = editor.posting_of(item)
    _forget_application(editor, item, application)
    item["applications"] = []
    item.pop("opportunityLocation", None)
    editor.touch(item, "application_delete")
    return {"opportunity": item["id"], "id": application, "posting": posting}


def _forget_application(editor: Editor, item: Record, application: str) -> None:
    row = {
        "id": application,
        "deletedAt": editor.at,
        "opportunityId": item["id"],
        "postingId": editor.company.applications.pop(application)["posting"],
    }
    editor.company.deleted_applications.append(row)


def forget_children(editor: Editor, opportunity: str) -> None:
    """All that hung below an opportunity is gone, the bytes of its files too."""
    for kind in CHILD_LISTS:
        for child in getattr(editor.company, kind).pop(opportunity, ()):
            for key in (child["id"], f"{child['id']}:sent", f"{child['id']}:signed"):
                editor.company.file_kinds.pop(key, None)

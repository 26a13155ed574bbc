"""Edits of contacts: corrected, new, merged, erased, consent withdrawn."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sandbox.company import words
from sandbox.company.cast import Cast, slug
from sandbox.company.editing import EditError, Editor
from sandbox.company.edits_candidacies import forget_children, new_candidacy
from sandbox.company.model import Person, Record

ATTRIBUTES = ("name", "phone", "email", "location", "headline", "link")
"""What a ``contact_edit`` may change."""


def contact_edit(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """One attribute of an ordinary contact is corrected; ``attribute`` and ``value`` name it.

    Only of people with one contact and no trap: an address or name more or less would change who is who.
    """
    person = _person(editor, rng, wanted, lambda one: len(one.contacts) == 1 and not one.traps)
    contact = editor.company.contacts[person.contacts[0]]
    attribute = wanted.get("attribute") or rng.choice(ATTRIBUTES)
    if attribute not in ATTRIBUTES:
        raise EditError(f"attribute must be one of {', '.join(ATTRIBUTES)}")
    value = wanted.get("value") or _invented(editor, rng, attribute, contact)
    rows = editor.of_contact(contact["id"])
    changed: Record = {}
    if attribute == "link":
        changed = {"links": [*rows[0]["links"], value]}
    elif attribute == "phone":
        changed = {"phones": [{"type": "mobile", "value": value}]}
    elif attribute == "email":
        changed = {"emails": [value, *contact["emails"][1:]]}
        person.emails = changed["emails"]
    else:
        changed = {attribute: value}
    if attribute == "name":
        person.name = value
    _spread(editor, contact, changed, "contact_edit")
    return {"contact": contact["id"], "attribute": attribute, "value": value}


def _invented(editor: Editor, rng: random.Random, attribute: str, contact: Record) -> str:
    """A new value that nobody else has, as far as it tells people apart."""
    if attribute == "name":
        known = {one["name"] for one in editor.company.contacts.values()}
        given = contact["name"].split(" ")[0]
        return next(
            name
            for n in range(9_999)
            if (name := f"{given} {rng.choice(words.LAST)}{f' {n}' * (n > 200)}") not in known
        )
    made = {
        "phone": f"+44 20 7946 0{editor.serial % 1000:03d}",
        "email": f"{slug(contact['name'])}.{editor.serial}@{rng.choice(words.MAIL_DOMAINS)}",
        "location": rng.choice([city for city in words.CITIES if city and city != contact["location"]["name"]]),
        "headline": f"{rng.choice(words.FIRMS)}, since edit {editor.serial}",
        "link": f"https://folio-{editor.serial}.example/{slug(contact['name'])}",
    }
    return made[attribute]


def _spread(editor: Editor, contact: Record, changed: Record, kind: str) -> None:
    """Change a contact, and what Lever repeats of it on each of its opportunities."""
    for name, value in changed.items():
        if name == "location":
            contact["location"] = {"name": value}
        elif name not in ("links", "dataProtection"):
            contact[name] = value
    for item in editor.of_contact(contact["id"]):
        item.update(changed)
        editor.touch(item, kind)


def _person(editor: Editor, rng: random.Random, wanted: Record, fits: Callable[[Person], object]) -> Person:
    """The person of the named contact, or any one with candidacies that fits; erased ones never."""
    held = {item["contact"] for item in editor.company.opportunities if not item["isAnonymized"]}
    people = [one for one in editor.company.people if held.issuperset(one.contacts) and one.contacts]
    if "contact" in wanted:
        people = [one for one in people if wanted["contact"] in one.contacts]
    return editor.pick(rng, people, fits, "person")


def person_new(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Somebody nobody knew becomes a candidate; ``name`` and ``posting`` name who, and for what."""
    company = editor.company
    cast = Cast(company, first=1_000_000 + editor.serial)
    known = {one["name"] for one in company.contacts.values()}
    name = wanted.get("name") or next(name for _ in range(10_000) if (name := cast.name()) not in known)
    person = cast.person(name)
    email = f"{slug(name)}.{editor.serial}@{rng.choice(words.MAIL_DOMAINS)}"
    draft = cast.contact(person, emails=[email])
    draft.contact["phones"] = [{"type": "mobile", "value": f"+44 20 7946 0{editor.serial % 1000:03d}"}]
    named = "posting" in wanted
    posting = editor.pick(
        rng,
        company.postings,
        lambda row: row["id"] == wanted["posting"] if named else row["state"] == "published",
        "posting",
    )
    return new_candidacy(editor, rng, draft, posting)


def merge(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """Two contacts of one person become one; the candidacies of ``gone`` go to ``keep``.

    Name, headline, location and consent of the kept contact stay, addresses, phones and links are united (a guess).
    """
    living = {item["contact"] for item in editor.company.opportunities if not item["isAnonymized"]}
    named = {wanted[name] for name in ("keep", "gone") if name in wanted}
    person = editor.pick(
        rng,
        editor.company.people,
        lambda one: len(living & set(one.contacts)) > 1 and named <= set(one.contacts),
        "person with two contacts",
    )
    pair = [one for one in person.contacts if one in living]
    keep = wanted.get("keep") or next(one for one in pair if one not in named)
    gone = wanted.get("gone") or next(one for one in pair if one != keep)
    if keep == gone or not {keep, gone} <= set(pair):
        raise EditError("keep and gone must be two contacts of one person")
    _unite(editor, keep, gone)
    _forget_contact(editor, person, keep, gone)
    return {"contact": keep, "gone": gone}


def _unite(editor: Editor, keep: str, gone: str) -> None:
    winner, loser = editor.company.contacts[keep], editor.company.contacts[gone]
    mine, theirs = editor.of_contact(keep), editor.of_contact(gone)
    links = _both(mine[0]["links"], theirs[0]["links"])
    changed: dict[str, Any] = {
        "name": winner["name"],
        "headline": winner["headline"],
        "emails": _both(winner["emails"], loser["emails"]),
        "phones": _both(winner["phones"], loser["phones"]),
        "links": links,
        "dataProtection": mine[0]["dataProtection"],
    }
    for item in theirs:
        item["contact"] = keep
        item["location"] = winner["location"]["name"]
    _spread(editor, winner, changed, "merge")


def _both(one: list[Any], two: list[Any]) -> list[Any]:
    return [*one, *(item for item in two if item not in one)]


def _forget_contact(editor: Editor, person: Person, keep: str, gone: str) -> None:
    """What the truth said about the lost contact holds for the kept one."""
    person.contacts.remove(gone)
    merged = {one: keep if into == gone else into for one, into in editor.company.merged.items()}
    editor.company.merged = merged | {gone: keep}
    groups = [list(dict.fromkeys(keep if one == gone else one for one in group)) for group in person.silent]
    person.silent = [group for group in groups if len(group) > 1]
    pairs = [tuple(keep if one == gone else one for one in pair) for pair in person.review]
    person.review = [(one, two) for one, two in pairs if one != two]
    known = [tuple(keep if one == gone else one for one in pair) for pair in editor.company.not_same]
    editor.company.not_same = [(one, two) for one, two in known]
    for user in editor.company.users:
        if user["linkedContactIds"]:
            user["linkedContactIds"] = [keep if one == gone else one for one in user["linkedContactIds"]]


def consent(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A candidate withdraws the consent to store their data."""
    person = _person(editor, rng, wanted, lambda one: len(one.contacts) == 1 and one.expected == "load")
    contact = editor.company.contacts[person.contacts[0]]
    refused = {"allowed": False, "expiresAt": None}
    _spread(editor, contact, {"dataProtection": {"store": refused, "contact": dict(refused)}}, "consent")
    person.expected = "never:consent"
    return {"contact": contact["id"]}


def anonymise(editor: Editor, rng: random.Random, wanted: Record) -> Record:
    """A contact is erased: the person is gone, the metadata stays. Of themselves only people with one contact."""
    person = _person(editor, rng, wanted, lambda one: len(one.contacts) == 1 or "contact" in wanted)
    contact = editor.company.contacts[wanted.get("contact", person.contacts[0])]
    empty: Record = {"name": "", "headline": "", "location": "", "emails": [], "phones": [], "links": []}
    empty |= {"isAnonymized": True, "dataProtection": None}
    rows = editor.of_contact(contact["id"])
    _spread(editor, contact, empty, "anonymise")
    contact.pop("dataProtection", None)
    for item in rows:
        forget_children(editor, item["id"])
        for name in item["applications"]:
            editor.company.applications[name] |= {
                "name": None, "company": None, "phone": None, "email": None, "links": [], "comments": None,
                "customQuestions": [], "ipAddress": None,
            }  # fmt: skip
    for item in editor.company.deleted_opportunities:
        if item["contact"] == contact["id"]:
            item.update(empty)
    if all(editor.company.contacts[one]["isAnonymized"] for one in person.contacts):
        person.expected = "never:anonymised"
    return {"contact": contact["id"], "opportunities": [item["id"] for item in rows]}

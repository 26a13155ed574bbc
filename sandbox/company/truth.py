"""What a faultless migration has to find: who is who, and what must arrive."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import combinations
from typing import Any

from sandbox.company import contents, filebytes, papers
from sandbox.company.model import Company, Person, Record

Pair = tuple[str, str]

MOVED_AFTER_CLOSING = "moved-after-closing"
"""The trap of people with a candidacy that was moved to another stage after it was closed, and stayed closed."""


def truth(company: Company, *, uploads: bool = False) -> Record:
    """Return the whole truth about a company as JSON-able data; with ``uploads`` answers that are files are files."""
    owner = {contact: person for person in company.people for contact in person.contacts}
    names = contents.Names(company)
    reached = {item["contact"] for item in company.opportunities}
    moved = {item["contact"] for item in company.opportunities if moved_after_closing(item)}
    opportunities = _opportunities(company, owner, names)
    loads = {row["id"] for row in opportunities if not row["expected"].startswith("never")}
    answer: Record = {
        "people": [row for person in company.people for row in _person(company, person, reached, moved)],
        "must_not_merge": [list(pair) for pair in must_not_merge(company, owner)],
        "same_person_review": [
            list(pair) for person in company.people for pair in person.review if _kept(company, reached, pair)
        ],
        "user_addresses": {user["name"]: user["email"] for user in company.users},
        "former_names": {
            user["name"]: company.former_names[user["id"]]
            for user in company.users
            if user["id"] in company.former_names
        },
        "contacts": contents.contacts(company),
        "opportunities": opportunities,
        "notes": [_note(names, item, note, loads) for item, note in _each(company, "notes")],
        "feedback": [_form(names, item, form, loads) for item, form in _each(company, "feedback")],
        "forms": [_form(names, item, form, loads) for item, form in _each(company, "forms")],
        "questions": _questions(company, names, loads),
        "interviews": _meetings(company, names, loads, "interviews"),
        "offers": _meetings(company, names, loads, "offers"),
        "files": _files(company, loads, uploads=uploads),
        "deleted_opportunities": [item["id"] for item in company.deleted_opportunities],
        "merged_contacts": dict(company.merged),
    }
    answer["counts"] = _counts(company, answer)
    return answer


def canonical(email: str) -> str:
    """An address without wrapping, spaces and capitals; tags and dots stay."""
    inner = re.search(r"<([^>]*)>", email)
    return (inner.group(1) if inner else email).strip().removeprefix("mailto:").strip().lower()


def must_not_merge(company: Company, owner: dict[str, Person]) -> list[Pair]:
    """Pairs of contacts of different people that share an address, a name or (planted) a phone."""
    shared: dict[Pair, set[str]] = defaultdict(set)
    for contact in company.contacts.values():
        if contact["id"] not in owner:
            continue
        for email in contact["emails"]:
            shared["email", canonical(email)].add(contact["id"])
        if contact["name"].strip():
            shared["name", contact["name"].strip().casefold()].add(contact["id"])
    pairs = {tuple(sorted(pair)) for pair in company.not_same}
    for group in shared.values():
        for one, two in combinations(sorted(group), 2):
            if owner[one] is not owner[two]:
                pairs.add((one, two))
    return sorted(pairs)  # type: ignore[arg-type]


def moved_after_closing(item: Record) -> bool:
    """Whether a stage change is later than the archiving (recorded)."""
    closed = item["archived"]
    return closed is not None and any(change["updatedAt"] > closed["archivedAt"] for change in item["stageChanges"])


def _person(company: Company, person: Person, reached: set[str], moved: set[str]) -> list[Record]:
    """A person, and apart from them those of their contacts that were erased or lost their last opportunity."""
    lost = {
        "never:anonymised": [
            one for one in person.contacts if one in reached and company.contacts[one]["isAnonymized"]
        ],
        "never:deleted": [one for one in person.contacts if one not in reached],
    }
    kept = [one for one in person.contacts if _kept(company, reached, (one,))]
    groups = [[one for one in group if one in kept] for group in person.silent]
    row = {
        "key": person.key,
        "name": person.name,
        "contacts": kept,
        "traps": [*person.traps, *[MOVED_AFTER_CLOSING] * any(one in moved for one in kept)],
        "expected": person.expected,
        "silent_groups": [group for group in groups if len(group) > 1],
        "ashby": person.ashby,
    }
    apart = [
        row | {"key": f"{person.key}:{expected[6:]}", "contacts": contacts, "expected": expected, "silent_groups": []}
        for expected, contacts in lost.items()
        if contacts
    ]
    return [row, *apart] if kept else [{**apart[0], "key": person.key}, *apart[1:]]


def _kept(company: Company, reached: set[str], contacts: tuple[str, ...]) -> bool:
    """Whether all of some contacts still have opportunities and were not erased."""
    return all(one in reached and not company.contacts[one]["isAnonymized"] for one in contacts)


def _each(company: Company, kind: str) -> list[tuple[Record, Record]]:
    """Every child of a kind with its opportunity."""
    lists: dict[str, list[Record]] = getattr(company, kind)
    return [(item, child) for item in company.opportunities for child in lists.get(item["id"], ())]


def _opportunities(company: Company, owner: dict[str, Person], names: contents.Names) -> list[Record]:
    """One row per opportunity.

    Of several candidacies of one (silently joined) person on one posting one is the application (see `_mark_repeats`).
    """
    known = {posting["id"] for posting in company.postings}
    rows: list[Record] = []
    groups: dict[Pair, list[Record]] = defaultdict(list)
    for item in company.opportunities:
        person = owner[item["contact"]]
        posting = company.applications[item["applications"][0]]["posting"] if item["applications"] else None
        row: Record = {
            "id": item["id"],
            "contact": item["contact"],
            "person": person.key,
            "posting": posting,
            "confidential": item["confidentiality"] == "confidential",
            "created": item["createdAt"],
            "archived": item["archived"]["reason"] if item["archived"] else None,
            "archived_at": item["archived"]["archivedAt"] if item["archived"] else None,
            "expected": "application",
            "repeats": [],
            "history": [[change["toStageId"], change["updatedAt"]] for change in item["stageChanges"]],
            **contents.opportunity(company, names, item),
        }
        rows.append(row)
        if item["isAnonymized"]:
            row["expected"] = "never:anonymised"
        elif person.expected != "load":
            row["expected"] = person.expected
        elif posting is None or posting not in known:
            row["expected"] = "no posting"
        else:
            groups[_silent_key(person, item["contact"]), posting].append(row)
    for group in groups.values():
        _mark_repeats(group, {reason["id"] for reason in company.archive_reasons if reason["type"] == "hired"})
    return rows


def _silent_key(person: Person, contact: str) -> str:
    """The contact, or the first contact of the group that is joined without asking."""
    return next((group[0] for group in person.silent if contact in group), contact)


def _mark_repeats(group: list[Record], hired: set[str]) -> None:
    """Name the others of a repeated candidacy: all but one become a note.

    The active one stays, else the one that ended in a hire; of equals the latest.
    """
    if len(group) < 2:
        return
    best = max(group, key=lambda row: (row["archived"] is None, row["archived"] in hired, row["created"], row["id"]))
    for row in group:
        row["repeats"] = [other["id"] for other in group if other is not row]
        row["expected"] = "application" if row is best else "note (repeat)"


def _note(names: contents.Names, item: Record, note: Record, loads: set[str]) -> Record:
    expected = "never:deleted" if note["deletedAt"] else "load" if item["id"] in loads else "never:person"
    return {
        "id": note["id"],
        "opportunity": item["id"],
        "secret": note["secret"],
        "n_comments": len(note["fields"]),
        "comments": contents.comments(names, note),
        "expected": expected,
    }


def _form(names: contents.Names, item: Record, form: Record, loads: set[str]) -> Record:
    """Feedback and forms: deleted ones never, drafts are named so that a policy can leave them out."""
    if form["deletedAt"]:
        expected = "never:deleted"
    elif item["id"] not in loads:
        expected = "never:person"
    else:
        expected = "load" if form["completedAt"] else "draft"
    return {
        "id": form["id"],
        "opportunity": item["id"],
        "form": form["text"],
        "user": form["user"],
        **contents.filled(names, form),
        "expected": expected,
    }


def _questions(company: Company, names: contents.Names, loads: set[str]) -> list[Record]:
    """Filled-in application and referral forms; only referrals have an id of their own."""
    return [
        {
            "id": form.get("id"),
            "kind": kind,
            "opportunity": item["id"],
            "form": form["text"],
            **contents.filled(names, form),
            "expected": "load" if item["id"] in loads else "never:person",
        }
        for item in company.opportunities
        for kind, form in contents.questions(company, item)
    ]


def _meetings(company: Company, names: contents.Names, loads: set[str], kind: str) -> list[Record]:
    """Interviews or offers: no endpoint takes them, so their facts have to stand somewhere as text."""
    facts = contents.interview if kind == "interviews" else contents.offer
    return [
        {
            "id": child["id"],
            "opportunity": item["id"],
            **facts(names, child),
            "expected": "load" if item["id"] in loads else "never:person",
        }
        for item, child in _each(company, kind)
    ]


def _files(company: Company, loads: set[str], *, uploads: bool) -> list[Record]:
    """Every resume, file and signed offer with the hash of its bytes; those that were uploaded as answers last."""
    rows = []
    for kind, name in (("resume", "resumes"), ("file", "files"), ("offer", "offers")):
        for item, child in _each(company, name):
            key = f"{child['id']}:signed" if kind == "offer" else child["id"]
            if kind == "offer" and key not in company.file_kinds:
                continue
            rows.append(_file(company, item, child, kind, key, loads))
    for item in company.opportunities if uploads else ():
        rows += [_file(company, item, one, "file", one["id"], loads) for one in papers.uploaded(company, item)]
    return rows


def _file(company: Company, item: Record, child: Record, kind: str, key: str, loads: set[str]) -> Record:
    spec = company.file_spec(key)
    expected = "load"
    if spec is None:
        expected = "no file"
    elif child["id"] in company.lost_files:
        expected, spec = "unavailable", None
    elif item["id"] not in loads:
        expected = "never:person"
    digest, size = filebytes.about(spec) if spec else (None, None)
    return {
        "id": child["id"],
        "opportunity": item["id"],
        "kind": kind,
        "sha256": digest,
        "size": size,
        "says": dict(line.split(": ", 1) for line in spec.lines) if spec else {},
        "expected": expected,
    }


def _counts(company: Company, answer: Record) -> Record:
    """Totals, so that a reader can check a count without counting."""
    counts: dict[str, Any] = {
        name: len(answer[name]) for name in ("people", "opportunities", "notes", "feedback", "forms", "files")
    }
    counts["contacts"] = len(company.contacts)
    counts["postings"] = len(company.postings)
    for name in ("interviews", "panels", "offers", "referrals"):
        counts[name] = len(_each(company, name))
    for name in ("people", "opportunities", "notes", "feedback", "forms", "files"):
        counts[f"{name}_by_expected"] = dict(sorted(Counter(row["expected"] for row in answer[name]).items()))
    known = {row["key"].partition(":")[0]: row["traps"] for row in reversed(answer["people"])}
    counts["traps"] = dict(sorted(Counter(trap for traps in known.values() for trap in traps).items()))
    return counts

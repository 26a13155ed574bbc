"""Rows of a table of candidates as opportunities of the API: with their contact, application, stages, archiving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.export_files.lists import Lists, confidentiality
from lib.export_files.rows import lever_id, person_key
from lib.export_files.values import listed, made_id, uuids, yes

Item = dict[str, Any]
Row = tuple[str, int, Item]
LATEST = ("updated", "interacted", "advanced", "archived", "applied", "created")


@dataclass(frozen=True)
class Candidacy:
    """One candidacy of a table: its opportunity id, the row that stands for it, and its other rows."""

    key: str
    row: Row
    others: list[Row]

    def lost(self) -> list[Row]:
        """Other rows that say something which the row does not say."""
        return [one for one in self.others if any(self.row[2].get(name) != value for name, value in one[2].items())]


def candidacies(group: list[Row], *, shared: bool) -> list[Candidacy]:
    """The candidacies of the rows of one profile.

    A table of before 2020 has a row per application of a profile: the earliest keeps the profile's id, the others get
    ids made from profile and posting, for an opportunity of the API has one application. `shared`: another profile has
    the same name and dates, and neither has an id or an address.
    """
    by_posting: dict[str, list[Row]] = {}
    for one in group:
        by_posting.setdefault(_posting_key(one[2]), []).append(one)
    chosen = {key: max(rows, key=lambda one: _latest(one[2])) for key, rows in by_posting.items()}
    order = sorted(chosen, key=lambda key: (_began(chosen[key][2]) or 0, key))
    first = chosen[order[0]][2]
    base = lever_id(first) or _own_id(first, shared=shared)
    return [
        Candidacy(
            base if place == 0 else made_id("opportunity", base, key), chosen[key],
            [one for one in by_posting[key] if one is not chosen[key]],
        ) for place, key in enumerate(order)
    ]  # fmt: skip


def _posting_key(row: Item) -> str:
    told = uuids(str(row.get("posting") or "")) or uuids(str(row.get("posting_url") or ""))
    words = [str(row.get(name) or "") for name in ("posting", "posting_title", "posting_team", "posting_location")]
    return told[0] if told else "|".join(words).strip("|").casefold()


def _own_id(row: Item, *, shared: bool) -> str:
    """An id for a candidacy that the table gives none: from what tells it from others, and never changes if it can."""
    return made_id("opportunity", *person_key(row), *([row["cells"]] if shared else []))


def _latest(row: Item) -> tuple[int, ...]:
    return tuple(int(row[name]) if isinstance(row.get(name), int) else 0 for name in LATEST)


def _began(row: Item) -> int | None:
    """When a candidacy began: created, else applied, else the first stage; None when no column says it."""
    dates = [at for _, at in row.get("stages") or [] if isinstance(at, int)]
    found = [row.get("created"), row.get("applied"), min(dates, default=None)]
    return next((at for at in found if isinstance(at, int)), None)


def opportunity(key: str, row: Item, lists: Lists, *, profile: str) -> Item | str:
    """The object, or why the row cannot be one. `profile`: what the contact's id is made from where none is told."""
    began = _began(row)
    if began is None:
        return "no column says when it was created"
    contact = uuids(str(row.get("contact") or ""))
    told = str(row.get("contact") or "").strip()
    contact_id = contact[0] if contact else made_id("contact", told) if told else made_id("contact", "of", profile)
    person = _person(row)
    archived = _archived(row, lists)
    stage = str(row.get("stage") or "")
    made = {
        "id": key,
        "contact": {
            "id": contact_id, **{name: person[name] for name in ("name", "headline", "isAnonymized")},
            "location": {"name": person["location"]} if person["location"] else None, "emails": person["emails"],
            "phones": person["phones"],
        },
        **person,
        "stage": lists.stage(stage) if stage else None,
        "stageChanges": _changes(row, lists),
        "archived": archived,
        "owner": lists.user(row, "owner"),
        "sourcedBy": lists.user(row, "sourcer"),
        "origin": str(row.get("origin") or "").strip().lower() or None,
        "createdAt": began,
        **{name: row.get(field) for name, field in (
            ("updatedAt", "updated"), ("lastInteractionAt", "interacted"), ("lastAdvancedAt", "advanced"),
            ("snoozedUntil", "snoozed"),
        )},
        **confidentiality(row),
    }  # fmt: skip
    made["applications"] = _applications(key, row, lists, archived=archived)
    return made


def _person(row: Item) -> Item:
    name = row.get("name") or " ".join(filter(None, [row.get("first"), row.get("last")]))
    return {
        "name": str(name or ""), "headline": str(row.get("headline") or ""), "location": str(row.get("location") or ""),
        "emails": listed(str(row.get("emails") or ""), "emails"),
        "phones": [{"type": None, "value": one} for one in listed(str(row.get("phones") or ""), "phones")],
        "links": listed(str(row.get("links") or ""), "links"), "tags": listed(str(row.get("tags") or ""), "words"),
        "sources": listed(str(row.get("sources") or ""), "words"),
        "isAnonymized": bool(yes(str(row.get("anonymized") or ""))),
    }  # fmt: skip


def _changes(row: Item, lists: Lists) -> list[Item]:
    """One change per stage that has a date. Whether it was entered more than once, and by whom, no table says."""
    dated = [(at, place, name) for place, (name, at) in enumerate(row.get("stages") or []) if isinstance(at, int)]
    return [{"toStageId": lists.stage(name), "updatedAt": at} for at, _, name in sorted(dated)]


def _archived(row: Item, lists: Lists) -> Item | None:
    states = [yes(one) for one in str(row.get("status") or "").split("\n")] if row.get("status") else []
    hired = row.get("hired")
    was_hired = isinstance(hired, int) or yes(str(hired or "")) is True
    reason = str(row.get("reason") or row.get("posting_reason") or ("Hired" if was_hired else ""))
    at = row.get("archived") if isinstance(row.get("archived"), int) else (hired if isinstance(hired, int) else None)
    if not (reason or at or True in states) or (False in states and True not in states and not was_hired):
        return None
    return {"reason": lists.reason(reason, hired=was_hired) if reason else None, "archivedAt": at}


def _applications(key: str, row: Item, lists: Lists, *, archived: Item | None) -> list[Item]:
    posting = lists.posting(row)
    told = uuids(str(row.get("application") or ""))
    if not posting and not told:
        return []
    return [{
        "id": told[0] if told else made_id("application", key, posting), "opportunityId": key, "candidateId": key,
        "type": None, "posting": posting or None, "postingOwner": lists.user(row, "posting_owner"),
        "postingHiringManager": None, "user": None, "name": None, "email": None, "phone": None, "company": None,
        "links": [], "comments": None, "customQuestions": [], "archived": archived, "requisitionForHire": None,
        "createdAt": row.get("applied") or _began(row),
    }]  # fmt: skip

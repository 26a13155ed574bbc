"""What happened in the account between two moments, as Lever's webhooks tell it.

Two looks at the company are compared, so that no edit has to know of webhooks. The events and the keys of their data
are documented; there is none for notes, feedback, files, forms, offers, postings, requisitions, users and tags. Which
events one edit raises is a guess: each that its words fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.company.model import Company, Record

EVENTS = (
    "applicationCreated", "candidateHired", "candidateStageChange", "candidateArchiveChange", "candidateDeleted",
    "interviewCreated", "interviewUpdated", "interviewDeleted", "contactCreated", "contactUpdated",
)  # fmt: skip
FILTERED = EVENTS[:4]
"""Events that can be limited to candidacies of some origins (documented)."""


@dataclass(frozen=True)
class Happening:
    """One event and its data; ``origin`` is that of the candidacy it is about, empty where it is about none."""

    event: str
    data: Record
    origin: str = ""


@dataclass(frozen=True)
class Seen:
    """The account as it stood at one moment: candidacies, contacts, and interviews with their candidacy."""

    candidacies: dict[str, Record]
    contacts: dict[str, Record]
    interviews: dict[str, Record]


def seen(company: Company) -> Seen:
    """Look at the account; edits give a record new values and never change one in place, so that shallow copies do."""
    return Seen(
        {item["id"]: dict(item) for item in company.opportunities},
        {contact["id"]: dict(contact) for contact in company.contacts.values()},
        {
            interview["id"]: interview | {"opportunityId": opportunity}
            for opportunity, interviews in company.interviews.items()
            for interview in interviews
        },
    )


def happened(company: Company, before: Seen, at: int) -> Iterator[Happening]:
    """All that differs since ``before``; ``at`` is when it was changed."""
    now = seen(company)
    hired = {reason["id"] for reason in company.archive_reasons if reason["type"] == "hired"}
    for key, item in now.candidacies.items():
        yield from _candidacy(before.candidacies.get(key), item, hired)
    gone = {item["id"]: item for item in company.deleted_opportunities if item["id"] in before.candidacies}
    for key, item in gone.items():
        data = {"opportunityId": key, "contactId": item["contact"], "deletedBy": item["deletedBy"]}
        yield Happening("candidateDeleted", data)
    yield from _interviews(before, now, at)
    yield from _contacts(company, before, now, at)


def _candidacy(old: Record | None, item: Record, hired: set[str]) -> Iterator[Happening]:
    """A new application; a new stage; closed, opened again, or closed with another reason; hired."""
    about, origin = {"opportunityId": item["id"], "contactId": item["contact"]}, item["origin"]
    for application in item["applications"]:
        if old is None or application not in old["applications"]:
            yield Happening("applicationCreated", {"applicationId": application} | about, origin)
    if old is None:
        return
    if item["archived"] != old["archived"]:
        reasons = [(one["archived"] or {}).get("reason") for one in (old, item)]
        if reasons[1] in hired and reasons[0] not in hired:
            yield Happening("candidateHired", about, origin)
        closed = {"fromArchived": old["archived"], "toArchived": item["archived"]}
        yield Happening("candidateArchiveChange", about | closed, origin)
    if item["stage"] != old["stage"]:
        moved = {"fromStageId": old["stage"], "toStageId": item["stage"]}
        yield Happening("candidateStageChange", about | moved, origin)


def _interviews(before: Seen, now: Seen, at: int) -> Iterator[Happening]:
    """A called-off interview stays listed, and so was updated; one that is not there any more was deleted (guess)."""
    for key in {**before.interviews, **now.interviews}:
        old, new = before.interviews.get(key), now.interviews.get(key)
        if old == new:
            continue
        event, date = ("interviewUpdated", "updatedAt") if old and new else ("interviewCreated", "createdAt")
        if new is None:
            event, date = "interviewDeleted", "deletedAt"
        one = new or old or {}
        yield Happening(
            event, {"interviewId": key, "panelId": one["panel"], "opportunityId": one["opportunityId"], date: at}
        )


def _contacts(company: Company, before: Seen, now: Seen, at: int) -> Iterator[Happening]:
    """New and changed contacts, whose links and consent stand on their candidacies; a merge has no event of its own."""
    said = {
        item["contact"]
        for key, item in now.candidacies.items()
        if (old := before.candidacies.get(key)) is not None
        and item["contact"] == old["contact"]
        and any(item[name] != old[name] for name in ("links", "dataProtection"))
    }
    for key, contact in now.contacts.items():
        about = {"contactId": key, "accountId": company.uuid("account")}
        if key not in before.contacts:
            yield Happening("contactCreated", about | {"createdAt": at})
        elif key in said or contact != before.contacts[key]:
            yield Happening("contactUpdated", about | {"updatedAt": at})

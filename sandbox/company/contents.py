"""What the texts, names and dates of the company say, in Lever's terms: whatever must be found again after a move.

Values stay as Lever gives them (milliseconds, numbers, option texts). Users, stages, reasons and postings are named
by their text, because that is what a reader has to find; a text is null when Lever no longer lists the object.
"""

from __future__ import annotations

from typing import Any

from sandbox.company import words
from sandbox.company.model import Company, Record


class Names:
    """The texts behind the ids of one company."""

    def __init__(self, company: Company) -> None:
        """Read the short lists once."""
        self.users = {user["id"]: user["name"] for user in company.users}
        self.stages = {stage["id"]: stage["text"] for stage in company.stages}
        self.reasons = {reason["id"]: reason for reason in company.archive_reasons}
        self.postings = {posting["id"]: posting for posting in company.postings}


def contacts(company: Company) -> list[Record]:
    """What is known about each contact; its links and its consent stand on its opportunities."""
    links: dict[str, list[str]] = {}
    consent: dict[str, Record | None] = {}
    for item in company.opportunities:
        consent[item["contact"]] = item["dataProtection"]
        known = links.setdefault(item["contact"], [])
        known += [link for link in item["links"] if link not in known]
    return [
        {
            "id": contact["id"],
            "name": contact["name"],
            "emails": contact["emails"],
            "phones": [phone["value"] for phone in contact["phones"]],
            "links": links.get(contact["id"], []),
            "headline": contact["headline"],
            "location": contact["location"]["name"],
            "consent": consent.get(contact["id"]),
        }
        for contact in company.contacts.values()
        if contact["id"] in consent
    ]


def opportunity(company: Company, names: Names, item: Record) -> Record:
    """What one opportunity says besides its row of the truth: path, close, people, tags, and the application."""
    application = company.applications[item["applications"][0]] if item["applications"] else None
    posting = names.postings.get(application["posting"]) if application else None
    archived = item["archived"]
    reason = names.reasons[archived["reason"]] if archived else None
    return {
        "title": posting["text"] if posting else None,
        "reason": {"text": reason["text"], "type": reason["type"]} if reason else None,
        "path": [
            {
                "stage": names.stages.get(change["toStageId"]),
                "at": change["updatedAt"],
                "by": names.users.get(change.get("userId")),
            }
            for change in item["stageChanges"]
        ],
        "tags": manual_tags(item, posting),
        "all_tags": item["tags"],
        "sources": item["sources"],
        "origin": item["origin"],
        "owner": names.users.get(item["owner"]),
        "sourced_by": names.users.get(item["sourcedBy"]),
        "application": application["id"] if application else None,
        "company": application["company"] if application else None,
        "comments": application["comments"] if application else None,
    }


def manual_tags(item: Record, posting: Record | None) -> list[str]:
    """The tags people set: those that do not repeat the posting's title, department, team, location, commitment.

    Lever sets none without a posting; where the posting was deleted, only the words tell them apart.
    """
    if posting is None:
        return [tag for tag in item["tags"] if not item["applications"] or tag in words.REAL_TAGS]
    categories = posting["categories"]
    own = {posting["text"], *(categories.get(name) for name in ("department", "team", "location", "commitment"))}
    return [tag for tag in item["tags"] if tag not in own]


def comments(names: Names, note: Record) -> list[Record]:
    """The comments of a note: text, author, time, score."""
    return [
        {
            "text": field["value"],
            "author": names.users.get(field["user"]),
            "at": field["createdAt"],
            "score": field["score"],
        }
        for field in note["fields"]
    ]


def filled(names: Names, form: Record) -> Record:
    """Who filled in a form and when, and every answer in it."""
    author = form.get("referrer") or form["user"]
    return {
        "author": names.users.get(author),
        "at": form["completedAt"],
        "secret": bool(form.get("secret")),
        "answers": [answer(field) for field in form["fields"] if field.get("value") not in (None, "", [], {})],
    }


def answer(field: Record) -> Record:
    """One answer as Lever gives it; what a scorecard's rows are called stands beside it."""
    made: Record = {"question": field["text"], "type": field["type"], "value": field["value"]}
    if field.get("scores"):
        made["scores"] = [score["text"] for score in field["scores"]]
    return made


def interview(names: Names, item: Record) -> Record:
    """The facts of one interview."""
    return {
        "subject": item["subject"],
        "date": item["date"],
        "duration": item["duration"],
        "canceled": item["canceledAt"],
        "interviewers": [person["name"] for person in item["interviewers"]],
        "organiser": names.users.get(item["user"]),
        "stage": names.stages.get(item["stage"]),
        "location": item["location"],
        "note": item["note"],
    }


def offer(names: Names, item: Record) -> Record:
    """The facts of one offer: state, dates, every field, every signature."""
    return {
        "status": item["status"],
        "created": item["createdAt"],
        "creator": names.users.get(item["creator"]),
        "approved": item["approvedAt"],
        "sent": item["sentAt"],
        "fields": [
            {"text": field["text"], "date": field["identifier"].endswith("_date"), "value": field["value"]}
            for field in item["fields"]
            if field["value"] is not None
        ],
        "signatures": [
            {"name": one["name"], "at": one["signedAt"]} for one in (item["signatures"] or {}).values() if one["signed"]
        ],
    }


def questions(company: Company, item: Record) -> list[tuple[str, Record]]:
    """(kind, form) of all that was asked when somebody applied or was referred."""
    found: list[tuple[str, Record]] = [("referral", form) for form in company.referrals.get(item["id"], ())]
    for application_id in item["applications"]:
        asked: list[dict[str, Any]] = company.applications[application_id]["customQuestions"]
        found += [("question", form) for form in asked]
    return found

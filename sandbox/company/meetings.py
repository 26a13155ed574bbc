"""Interviews, panels, offers and referrals."""

from __future__ import annotations

import random
from typing import Any

from sandbox.company import catalog, filebytes, templates
from sandbox.company.model import NOW_MS, Company, Record

DAY = 86_400_000
HOUR = 3_600_000
OFFER_STATES = ("signed", "denied", "sent", "draft", "approved", "sent-manually", "opened", "approval-sent")


def fill(company: Company) -> None:
    """Give candidacies that got far enough their interviews and offers, and referrals to the referred ones."""
    offers = 0
    for opportunity in company.opportunities:
        if opportunity["isAnonymized"]:
            continue
        rng = company.rng(f"meetings:{opportunity['id']}")
        for change in opportunity["stageChanges"]:
            if 5 <= change["toStageIndex"] <= 7 and rng.random() < 0.7:
                add_panel(company, opportunity, change, rng)
        if any(change["toStageIndex"] >= 8 for change in opportunity["stageChanges"]):
            add_offer(company, opportunity, rng, offers)
            offers += 1
        if opportunity["origin"] == "referred":
            _referral(company, opportunity, rng)


def add_panel(company: Company, opportunity: Record, change: Record, rng: random.Random) -> Record:
    """One panel of one to three interviews; some were called off."""
    number_of_panel = len(company.panels.get(opportunity["id"], ()))
    topic = f"panel:{opportunity['id']}:{change['toStageIndex']}:{number_of_panel}"
    start = change["updatedAt"] + rng.randrange(1, 9) * DAY
    start -= start % (HOUR // 2)
    user = opportunity["owner"] or catalog.user_id(company, "Priya")
    canceled = change["updatedAt"] + HOUR if rng.random() < 0.1 else None
    form = "On-site interview" if change["toStageIndex"] == 7 else "Structured interview"
    interviews = []
    for number in range(rng.choice((1, 1, 2, 3)) if change["toStageIndex"] == 7 else 1):
        interviews.append(_interview(company, f"{topic}:{number}", start + number * HOUR, form, rng))
    panel: Record = {
        "id": company.uuid(topic),
        "applications": opportunity["applications"],
        "canceledAt": canceled,
        "createdAt": change["updatedAt"] + HOUR // 2,
        "start": interviews[0]["date"],
        "end": interviews[-1]["date"] + interviews[-1]["duration"] * 60_000,
        "timezone": rng.choice(("Europe/Oslo", "Europe/London", "America/New_York")),
        "feedbackReminder": "daily",
        "user": user,
        "stage": change["toStageId"],
        "note": rng.choice((None, "Candidate prefers the morning.")),
        "externallyManaged": rng.random() < 0.3,
        "externalUrl": None,
        "interviews": interviews,
    }
    company.panels.setdefault(opportunity["id"], []).append(panel)
    for interview in interviews:
        company.interviews.setdefault(opportunity["id"], []).append(_full(company, opportunity, panel, interview))
    return panel


def _interview(company: Company, topic: str, date: int, form: str, rng: random.Random) -> Record:
    """The reduced interview a panel shows."""
    names = rng.sample(("Mateo", "Aiko", "Samuel", "Lucia", "Oliver", "Nadia"), rng.choice((1, 1, 2)))
    template = templates.template_id(company, form)
    interviewers = []
    for name in names:
        user = next(user for user in company.users if user["name"].startswith(name))
        interviewers.append(
            {
                "id": user["id"],
                "email": user["email"],
                "name": user["name"],
                "responseStatus": rng.choice(("accepted", "needsAction")),
                "feedbackTemplate": rng.choice((template, template, "no-feedback")),
            }
        )
    return {
        "id": company.uuid(f"interview:{topic}"),
        "date": date,
        "duration": rng.choice((30, 45, 60)),
        "feedbackReminder": "daily",
        "feedbackTemplate": rng.choice((template, template, "no-feedback", None)),
        "interviewers": interviewers,
        "location": rng.choice((None, "Room Fjord", "https://meet.example/fernhill")),
        "note": rng.choice((None, "Talk about the take-home.")),
        "subject": rng.choice((None, "Technical conversation", "Getting to know each other")),
    }


def _full(company: Company, opportunity: Record, panel: Record, interview: Record) -> Record:
    """The full interview of the interviews list."""
    people = [
        {key: value for key, value in row.items() if key != "responseStatus"} for row in interview["interviewers"]
    ]
    postings = [company.applications[item]["posting"] for item in opportunity["applications"]]
    return interview | {
        "interviewers": people,
        "panel": panel["id"],
        "timezone": panel["timezone"],
        "createdAt": panel["createdAt"],
        "feedbackForms": [],
        "user": panel["user"],
        "stage": panel["stage"],
        "canceledAt": panel["canceledAt"],
        "postings": postings,
        "gcalEventUrl": None,
        "opportunityId": opportunity["id"],
    }


def put_off(company: Company, opportunity: Record, interview: Record, *, by_ms: int) -> None:
    """Let an interview begin later, in the list of interviews and in its panel, which ends later, too."""
    panel, rows = _both(company, opportunity, interview)
    for row in rows:
        row["date"] += by_ms
    panel["start"] = min(row["date"] for row in panel["interviews"])
    panel["end"] = max(row["date"] + row["duration"] * 60_000 for row in panel["interviews"])


def hand_over(company: Company, opportunity: Record, interview: Record, user: Record) -> None:
    """Let a user take the place of the first interviewer, in the list of interviews and in the panel."""
    for row in _both(company, opportunity, interview)[1]:
        first, *others = row["interviewers"]
        row["interviewers"] = [first | {"id": user["id"], "email": user["email"], "name": user["name"]}, *others]


def _both(company: Company, opportunity: Record, interview: Record) -> tuple[Record, list[Record]]:
    """(panel, the interview as the list of interviews and as the panel show it)."""
    panel = next(row for row in company.panels[opportunity["id"]] if row["id"] == interview["panel"])
    return panel, [interview, next(row for row in panel["interviews"] if row["id"] == interview["id"])]


def add_offer(
    company: Company, opportunity: Record, rng: random.Random, number: int, *, at: int | None = None
) -> Record:
    """An offer; hired people signed theirs, and the signed document can be downloaded."""
    offer_id = company.uuid(f"offer:{opportunity['id']}")
    reasons = {reason["id"]: reason["type"] for reason in company.archive_reasons}
    hired = bool(opportunity["archived"]) and reasons[opportunity["archived"]["reason"]] == "hired"
    status = "signed" if hired else OFFER_STATES[1:][number % (len(OFFER_STATES) - 1)]
    at = at or opportunity["stageChanges"][-1]["updatedAt"] + HOUR
    out = status in ("signed", "denied", "sent", "opened", "sent-manually")
    posting = company.applications[opportunity["applications"][0]]["posting"] if opportunity["applications"] else None
    offer: Record = {
        "id": offer_id,
        "createdAt": at,
        "creator": opportunity["owner"],
        "status": status,
        "posting": posting,
        "fields": _offer_fields(company, opportunity, rng, at),
        "signatures": _signatures(company, opportunity, at) if status == "signed" else None,
        "approved": None if status in ("draft", "approval-sent") else True,
        "approvedAt": None if status in ("draft", "approval-sent") else at + HOUR,
        "sentAt": at + 2 * HOUR if out else None,
        "sentDocument": _document(company, opportunity, offer_id, "sent", at)
        if out and status != "sent-manually"
        else None,
        "signedDocument": _document(company, opportunity, offer_id, "signed", at) if status == "signed" else None,
    }
    company.offers.setdefault(opportunity["id"], []).append(offer)
    return offer


def change_offer(company: Company, opportunity: Record, offer: Record, status: str, *, at: int) -> None:
    """Let an offer have another status at a moment, with what comes with it: dates, documents, signatures."""
    offer["status"] = status
    if status == "approved":
        offer |= {"approved": True, "approvedAt": at}
    if status in ("sent", "sent-manually"):
        offer["sentAt"] = at
    if status in ("sent", "signed"):
        offer[f"{status}Document"] = _document(company, opportunity, offer["id"], status, at) | {"uploadedAt": at}
    if status == "signed":
        when = dict.fromkeys(("firstOpenedAt", "lastOpenedAt", "signedAt"), at)
        offer["signatures"] = {role: one | when for role, one in _signatures(company, opportunity, at).items()}


def _offer_fields(company: Company, opportunity: Record, rng: random.Random, at: int) -> list[Record]:
    values: tuple[tuple[str, str, Any], ...] = (
        ("Candidate name", "candidate_name", opportunity["name"]),
        ("Job title", "job_title", next(iter(opportunity["tags"]), "Engineer")),
        ("Compensation amount", "salary_amount", rng.choice((62_000, 81_500, 97_250.5))),
        ("Compensation currency", "compensation_currency", "EUR"),
        ("Salary interval", "salary_interval", "per-year-salary"),
        ("Anticipated start date", "anticipated_start_date", at + 60 * DAY),
        ("Signing bonus", "custom_signing_bonus", rng.choice((None, 5000))),
        ("Work council informed", "custom_work_council", rng.choice(("yes", "no", None))),
    )
    return [{"text": text, "identifier": identifier, "value": value} for text, identifier, value in values]


def _signatures(company: Company, opportunity: Record, at: int) -> Record:
    def one(role: str, name: str, email: str, hours: int) -> Record:
        when = at + hours * HOUR
        return {"role": role, "name": name, "email": email, "firstOpenedAt": when - HOUR, "lastOpenedAt": when,
                "signedAt": when, "signed": True}  # fmt: skip

    email = opportunity["emails"][0] if opportunity["emails"] else "unknown@inbox.example"
    ines = company.users[0]
    return {
        "candidate": one("candidate", opportunity["name"], email, 30),
        "signatory1": one("signatory", ines["name"], ines["email"], 50),
    }


def _document(company: Company, opportunity: Record, offer_id: str, which: str, at: int) -> Record:
    key = f"{offer_id}:{which}"
    company.file_kinds[key] = filebytes.Spec("pdf", 9_000, key, f"Offer letter, {which}")
    url = f"https://hire.lever.co/candidates/{opportunity['id']}/offers/{offer_id}/download?status={which}"
    return {"fileName": f"offer-{which}.pdf", "uploadedAt": at + 3 * HOUR, "downloadUrl": url}


def _referral(company: Company, opportunity: Record, rng: random.Random) -> None:
    """A referral form; one in four was entered by hand and has no referrer."""
    by_hand = rng.random() < 0.25
    at = min(opportunity["createdAt"] + 60_000, NOW_MS - HOUR)
    user = catalog.user_id(company, rng.choice(("Mateo", "Lucia", "Oliver")))
    company.referrals.setdefault(opportunity["id"], []).append(
        {
            "id": company.uuid(f"referral:{opportunity['id']}"),
            "type": "referral",
            "text": "Referral form",
            "instructions": "",
            "fields": templates.answered(company, f"referral:{opportunity['id']}", templates.REFERRAL, rng, at=at),
            "baseTemplateId": templates.template_id(company, "questions:referral"),
            "referrer": None if by_hand else user,
            "user": None if by_hand else user,
            "stage": opportunity["stageChanges"][0]["toStageId"],
            "createdAt": at,
            "completedAt": at,
        }
    )

"""Users, stages, archive reasons, sources, postings and requisitions of the invented company."""

from __future__ import annotations

from typing import Any

from sandbox.company.model import NOW_MS, Company, Record

DAY = 86_400_000
DOMAIN = "fernhill.example"

# name, access role, created (days before now), deactivated (days before now or None), job title
_USERS: tuple[tuple[str, str, int, int | None, str | None], ...] = (
    ("Ines Okafor", "super admin", 3900, None, "Head of Talent"),
    ("Tomasz Wilk", "admin", 3700, None, "Recruiting Operations"),
    ("Priya Raman", "admin", 2600, None, "Senior Recruiter"),
    ("Jonas Lindqvist", "team member", 2100, None, "Recruiter"),
    ("Clara Beaumont", "team member", 1500, None, "Sourcer"),
    ("Mateo Ferrari", "team member", 3000, None, "Director of Platform"),
    ("Aiko Tanaka", "limited team member", 1800, None, "Head of Design"),
    ("Samuel Adeyemi", "limited team member", 900, None, "VP Sales"),
    ("Lucia Romero-Kent", "interviewer", 1200, None, None),
    ("Derek Shaw", "admin", 3950, 1700, "Recruiter"),
    ("Nadia Petrova", "team member", 3600, 1100, None),
    ("Oliver Grant", "interviewer", 2900, 400, "Engineer"),
)

# id ("" = uuid made from the seed), text, pipeline, rank, has interview
_STAGES: tuple[tuple[str, str, str, float, bool], ...] = (
    ("lead-new", "New lead", "lead", 1, False),
    ("lead-reached-out", "Reached out", "lead", 3, False),
    ("lead-responded", "Responded", "lead", 5, False),
    ("applicant-new", "New applicant", "applicant", 101, False),
    ("", "HM review", "applicant", 105.5, False),
    ("", "Recruiter screen", "screen", 201, True),
    ("", "Phone interview", "onsite", 230.5, True),
    ("", "On-site interview", "onsite", 231, True),
    ("offer", "Offer", "offer", 261, False),
    ("", "Background check", "offer", 265.5, False),
)

_REASONS: tuple[tuple[str, str, str], ...] = (
    ("Position filled", "active", "non-hired"),
    ("Compensation", "active", "non-hired"),
    ("Better for another role", "active", "non-hired"),
    ("Underqualified", "active", "non-hired"),
    ("No response - OLD", "inactive", "non-hired"),
    ("No response", "active", "non-hired"),
    ("Timing", "active", "non-hired"),
    ("Withdrew", "active", "non-hired"),
    ("Offer declined", "active", "non-hired"),
    ("Position closed", "active", "non-hired"),
    ("Hired", "active", "hired"),
    ("Hired elsewhere in the group", "active", "hired"),
)

SOURCES: dict[str, tuple[str, ...]] = {
    "applied": ("Job site", "Job site", "LinkedIn", "Indeed", "https://jobs.board.example/robots"),
    "sourced": ("LinkedIn", "GitHub", "Added manually", "Conference 🎤"),
    "referred": ("Referral", "Social referral"),
    "agency": ("Agency",),
    "internal": ("Internal",),
    "university": ("Career fair",),
}

# text, state, channels, confidential, department (None = no key), team, location, commitment, country, weight, age
_POSTINGS: tuple[tuple[Any, ...], ...] = (
    ("Platform Engineer", "published", "public internal", False, "R&D", "Platform", "Oslo", "Full-time", "NO", 9, 800),
    ("Senior Platform Engineer", "published", "public", False, "R&D", "Platform", "Berlin", "Full-time", "DE", 8, 700),
    ("Data Engineer", "published", "public internal", False, "R&D", "Data", "Remote", "Full-Time", "NO", 7, 600),
    ("Product Designer", "published", "public", False, "Product", "Design", "Oslo", "Full-time", "NO", 6, 500),
    ("Perception Engineer", "published", "public", False, "R&D", "Perception", "Zurich", "Full-time", "CH", 6, 900),
    ("Account Executive", "published", "public", False, "Sales", "New Business", "London", "Full-time", "GB", 7, 650),
    ("Account Executive", "closed", None, False, "Sales", "Enterprise", "New York", "Full-time", "US", 5, 1900),
    ("Support Specialist", "closed", None, False, "Operations", "Support", "Lisbon", "Part-time", "PT", 5, 2300),
    ("Software Engineer", "closed", None, False, "R&D", "Platform", "Oslo", "Full-time", "NO", 12, 3960),
    ("Software Engineer Intern", "closed", None, False, None, "Platform", "Oslo", "Internship", "NO", 4, 2800),
    ("People Partner", "internal", None, False, "People", "People Ops", "Oslo", "Full-time", "NO", 2, 400),
    ("Team Lead, Platform", "published", "internal", False, "R&D", "Platform", "Oslo", "Full-time", "NO", 2, 300),
    ("Finance Manager", "draft", None, False, "G&A", "Finance", "London", "Full-time", "GB", 0, 60),
    ("Site Reliability Engineer", "pending", None, False, "R&D", "Platform", "Dublin", "Full-time", "IE", 0, 20),
    ("Marketing Lead", "rejected", None, False, "Marketing", None, None, "Full-time", None, 0, 210),
    ("Chief Financial Officer", "closed", None, True, "G&A", "Executive", "London", "Full-time", "GB", 0, 1300),
    ("Head of Research", "internal", None, True, "R&D", "Executive", "Zurich", "Full-time", "CH", 0, 500),
    ("Backend Developer", "closed", None, False, "R&D", "Platform", "Berlin", "Full-time", "DE", 9, 3960),
    ("QA Engineer", "closed", None, False, "R&D", "Perception", "Zurich", "Full-time", "CH", 5, 3400),
    ("Sales Developer", "closed", None, False, "Sales", "New Business", "London", "Full-time", "GB", 5, 3300),
    ("UX Researcher", "closed", None, False, "Product", "Design", "Oslo", "Part-time", "NO", 4, 2700),
    ("Data Analyst", "closed", None, False, "R&D", "Data", "Remote", "Full-time", "NO", 4, 2500),
    ("Office Manager", "closed", None, False, "Operations", "Support", "Lisbon", "Full-time", "PT", 3, 2100),
    ("Machine Learning Engineer", "closed", None, False, "R&D", "Data", "Zurich", "Full-time", "CH", 5, 1600),
    ("Firmware Engineer", "closed", None, False, "R&D", "Perception", "Zurich", "Full-time", "CH", 4, 1200),
)  # fmt: skip


def fill(company: Company) -> None:
    """Give the company its users, stages, archive reasons, postings and requisitions."""
    company.users = [_user(company, *row) for row in _USERS]
    _give_custom_role(company)
    _fill_stages(company)
    company.postings = [_posting(company, number, *row) for number, row in enumerate(_POSTINGS)]
    _fill_deleted_postings(company)
    _fill_requisitions(company)


def posting_weights(company: Company) -> list[int]:
    """Return how likely each ordinary posting is for a new candidacy (0 = never; confidential ones are planted)."""
    return [row[9] for row in _POSTINGS][: len(company.postings)]


def new_posting(company: Company, number: int, text: str, *, at: int) -> Record:
    """Return a posting that is published at a moment, with its application form still to be made."""
    row = (text, "published", "public", False, "R&D", "Platform", "Oslo", "Full-time", "NO", 0, 0)
    return _posting(company, number, *row) | {"createdAt": at, "updatedAt": at}


def new_user(user_id: str, name: str, username: str, role: str, *, at: int) -> Record:
    """Return somebody who joins at a moment; the user name is the local part of the address (documented)."""
    return {
        "id": user_id,
        "name": name,
        "username": username,
        "email": f"{username}@{DOMAIN}",
        "accessRole": role,
        "photo": None,
        "createdAt": at,
        "deactivatedAt": None,
        "externalDirectoryId": None,
        "linkedContactIds": None,
        "jobTitle": None,
        "managerId": None,
    }


def _give_custom_role(company: Company) -> None:
    """One user has a role that the account made itself: its id stands where the others have a word (documented)."""
    next(user for user in company.users if user["name"].startswith("Lucia"))["accessRole"] = company.uuid("role:panel")


def user_id(company: Company, name: str) -> str:
    """Return the id of the user whose name starts with ``name``."""
    return next(user["id"] for user in company.users if user["name"].startswith(name))


def reason_id(company: Company, text: str) -> str:
    """Return the id of an archive reason by its text."""
    return next(reason["id"] for reason in company.archive_reasons if reason["text"] == text)


def _user(company: Company, name: str, role: str, created: int, gone: int | None, title: str | None) -> Record:
    username = name.split(maxsplit=1)[0].lower()
    user = new_user(company.uuid(f"user:{username}"), name, username, role, at=NOW_MS - created * DAY)
    return user | {"deactivatedAt": None if gone is None else NOW_MS - gone * DAY, "jobTitle": title}


def _fill_stages(company: Company) -> None:
    """Stages, the disposition list (whose reasons have type null unless hired: recorded 2026) and the reasons."""
    rows = []
    for slug, text, pipeline, rank, interview in _STAGES:
        stage = slug or company.uuid(f"stage:{text}")
        company.stages.append({"id": stage, "text": text})
        rows.append({"id": stage, "text": text, "pipeline": pipeline, "rank": rank, "hasInterview": interview})
    company.archive_reasons = [
        {"id": company.uuid(f"reason:{text}"), "text": text, "status": status, "type": kind}
        for text, status, kind in _REASONS
    ]
    reasons = [
        {
            key: (None if key == "type" and reason["type"] != "hired" else reason[key])
            for key in ("id", "text", "type", "status")
        }
        for reason in company.archive_reasons
    ]
    company.disposition = {"stages": rows, "archiveReasons": reasons}


def _posting(company: Company, number: int, *row: Any) -> Record:
    text, state, channels, confidential, department, team, location, commitment, country, _, created = row
    rng = company.rng(f"posting:{number}")
    posting_id = company.uuid(f"posting:{number}")
    recruiter = user_id(company, rng.choice(("Priya", "Jonas", "Derek") if state == "closed" else ("Priya", "Jonas")))
    created_at = NOW_MS - created * DAY
    hidden = state in ("draft", "pending", "rejected")
    posting: Record = {
        "id": posting_id,
        "text": text,
        "state": state,
        "distributionChannels": channels.split() if channels else None,
        "user": None if number == 9 else user_id(company, "Ines"),
        "owner": None if number in (9, 14) else recruiter,
        "hiringManager": user_id(company, _manager(department)) if number % 3 else None,
        "categories": _categories(department, team, location, commitment),
        "tags": ["evergreen"] if number in (0, 5) else [],
        "content": _content(text, location),
        "country": country,
        "followers": [recruiter] if number % 2 else [],
        "reqCode": None,
        "requisitionCodes": [],
        "urls": None if hidden else _urls(posting_id),
        "confidentiality": "confidential" if confidential else "non-confidential",
        "createdAt": created_at,
        "updatedAt": min(NOW_MS - DAY, created_at + rng.randrange(20, 400) * DAY),
        "workplaceType": ("hybrid", "onsite", "remote", "unspecified")[number % 4]
        if location != "Remote"
        else "remote",
        "transcribeInterviews": False,
        "screening": {"enabled": False},
    }
    return posting | (_salary(number) if number in (0, 1, 5) else {})


def _categories(department: str | None, team: str | None, location: str | None, commitment: str) -> Record:
    """The categories of a posting; the key ``department`` is absent where there is none (recorded)."""
    categories: Record = {"commitment": commitment, "level": None, "location": location, "team": team}
    categories["allLocations"] = [location] if location else []
    return categories if department is None else categories | {"department": department}


def _urls(posting_id: str) -> Record:
    site = f"https://jobs.lever.co/fernhill/{posting_id}"
    return {"list": "https://jobs.lever.co/fernhill", "show": site, "apply": f"{site}/apply"}


def _salary(number: int) -> Record:
    """Pay, on the few postings that say it; the keys are absent elsewhere (recorded)."""
    band = {"min": 60_000 + 5_000 * number, "max": 95_000, "currency": "EUR", "interval": "per-year-salary"}
    return {
        "salaryRange": band,
        "salaryDescription": "Plus equity.",
        "salaryDescriptionHtml": "<div>Plus equity.</div>",
    }


def _manager(department: str | None) -> str:
    """The hiring manager of a department."""
    return {"Sales": "Samuel", "Product": "Aiko"}.get(department or "", "Mateo")


def _content(text: str, location: str | None) -> Record:
    sentence = f"We are looking for a {text} in {location or 'one of our offices'}."
    return {
        "description": f"{sentence}\n",
        "descriptionHtml": f"<div>{sentence}</div>",
        "lists": [
            {"text": "You bring", "content": "<li>Curiosity</li><li>Three years of practice &amp; patience</li>"},
            {"text": "We offer", "content": "<li>Robots</li><li>Time to think</li>"},
        ],
        "closing": "Fernhill Robotics hires for what people can do.\n",
        "closingHtml": "<div>Fernhill Robotics hires for what people can do.</div>",
    }


def _fill_deleted_postings(company: Company) -> None:
    """Two postings that were deleted: they appear in ``/postings/deleted`` only."""
    for number, (text, days) in enumerate((("Hardware Technician", 500), ("Test posting, ignore", 12))):
        posting = _posting(
            company, 100 + number, text, "closed", None, False, "R&D", "Hardware", "Oslo", "Full-time", "NO", 0, 900
        )
        posting["deletedAt"] = NOW_MS - days * DAY
        posting["deletedBy"] = user_id(company, "Tomasz")
        company.deleted_postings.append(posting)


def _fill_requisitions(company: Company) -> None:
    """Requisitions with their oddities: unlimited headcount, free-text employment status, nested custom fields."""
    centres = [{"id": company.uuid(f"rfo:{code}"), "text": code} for code in ("1000 R&D", "2000 Sales", "3000 G&A")]
    shares = [{"id": "shares", "text": "Shares", "type": "number"}, {"id": "plan", "text": "Plan", "type": "text"}]
    company.requisition_fields = [
        {"id": "rec_start_date", "text": "Recruiting start date", "type": "date", "isRequired": False},
        {"id": "cost_centre", "text": "Cost centre", "type": "dropdown", "isRequired": True, "options": centres},
        {"id": "equity", "text": "Equity", "type": "object", "isRequired": False, "subfields": shares},
        {"id": "approver_note", "text": "Approver's note", "type": "text", "isRequired": False},
    ]
    rows = (
        (0, "ENG-9", "open", 2),
        (5, "SAL-4", "onHold", "unlimited"),
        (8, "ENG-1", "closed", 12),
        (15, "EXE-1", "closed", 1),
        (12, "FIN-2", "pending", 1),
        (14, "MKT-3", "rejected", 1),
    )
    for number, (posting_number, code, status, headcount) in enumerate(rows):
        posting = company.postings[posting_number]
        posting["requisitionCodes"] = [code]
        posting["reqCode"] = code
        company.requisitions.append(_requisition(company, number, posting, code, status, headcount))


def _requisition(company: Company, number: int, posting: Record, code: str, status: str, headcount: Any) -> Record:
    created = posting["createdAt"] - 10 * DAY
    closed = created + 200 * DAY if status == "closed" else None
    return {
        "id": company.uuid(f"requisition:{code}"),
        "createdAt": created,
        "confidentiality": posting["confidentiality"],
        "status": status,
        "name": posting["text"],
        "requisitionCode": code,
        "headcountTotal": headcount,
        "headcountHired": 1 if number % 2 else 0,
        "headcountInfinite": headcount == "unlimited",
        "backfill": number == 2,
        "creator": user_id(company, "Ines"),
        "owner": user_id(company, "Priya"),
        "hiringManager": posting["hiringManager"],
        "internalNotes": "Approved in the spring round." if number == 0 else "",
        "compensationBand": {"currency": "EUR", "interval": "per-year-salary", "min": 60_000, "max": 95_000}
        if number < 2
        else None,
        "approval": {"steps": []},
        "employmentStatus": "Part-Time" if number == 4 else "full-time",
        "location": posting["categories"]["location"],
        "team": posting["categories"]["team"],
        "department": posting["categories"].get("department"),
        "postings": [posting["id"]],
        "offerIds": [],
        "timeToFillStartAt": created,
        "timeToFillEndAt": closed,
        "updatedAt": created + 5 * DAY,
        "customFields": {
            "rec_start_date": created,
            "cost_centre": "1000 R&D",
            "equity": {"shares": 400, "plan": "2021"},
        },
        "closedAt": closed,
    }

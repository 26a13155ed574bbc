"""Form definitions of the company and the answers people gave: every field type of Lever's forms."""

from __future__ import annotations

import random
from typing import Any

from sandbox.company import filebytes, words
from sandbox.company.model import NOW_MS, Company, Record

DAY = 86_400_000
RATING = ("4 - Strong Hire", "3 - Hire", "2 - No Hire", "1 - Strong No Hire")
UPLOAD_BYTES, UPLOAD_SPEC = 20_480, 20_518  # the length of a file that is an answer, and what makes it so long

Row = tuple[str, str, bool, dict[str, Any]]

_STRUCTURED: tuple[Row, ...] = (
    ("score-system", "Overall rating", True, {"options": RATING}),
    ("text", "Role discussed", False, {}),
    ("textarea", "Notes", True, {}),
    ("dropdown", "Seniority", False, {"options": ("Junior", "Mid", "Senior", "Staff")}),
    ("yes-no", "Would work with again", False, {}),
)

_ONSITE: tuple[Row, ...] = (
    ("score-system", "Rating", True, {"options": RATING}),
    ("scorecard", "Skills", False, {"scores": ("Adaptability", "Ownership", "System design")}),
    ("multiple-select", "Languages seen", False, {"options": ("Python", "Go", "Rust", "C++")}),
    ("multiple-choice", "Level shown", False, {"options": ("Below", "At", "Above")}),
    ("code", "Snippet", False, {"language": "python"}),
    ("date", "Available from", False, {}),
    ("score", "Communication", False, {}),
    ("textarea", "Summary", True, {}),
)

_ASSIGNMENT: tuple[Row, ...] = (
    ("score-system", "Overall", True, {"options": RATING}),
    ("score", "Quality", False, {"options": RATING}),
    ("textarea", "Comments", False, {}),
)

_LEGACY: tuple[Row, ...] = (
    ("score-system", "Phone screen", False, {"options": ("4 - Yes!", "3 - Yes", "2 - No", "1 - No!")}),
    ("textarea", "What did you learn?", False, {}),
)

_RELOCATION: tuple[Row, ...] = (
    ("yes-no", "Willing to relocate", False, {}),
    ("dropdown", "Visa status", False, {"options": ("Citizen", "EU", "Needs sponsorship", "Unknown")}),
    ("date", "Earliest start", False, {}),
    ("textarea", "Remarks", False, {}),
)

_COMPENSATION: tuple[Row, ...] = (
    ("currency", "Expected salary", False, {"currency": "EUR"}),
    ("text", "Notice period", False, {}),
    ("multiple-select", "Benefits that matter", False, {"options": ("Equity", "Pension", "Time off", "Training")}),
)

_PROFILE: tuple[Row, ...] = (
    ("text", "Preferred name", False, {}),
    ("textarea", "Background", False, {}),
    ("multiple-choice", "Work mode", False, {"options": ("On site", "Hybrid", "Remote")}),
    ("score", "Fit with values", False, {}),
    ("scorecard", "Panel view", False, {"scores": ("Drive", "Care")}),
    ("university", "University", False, {}),
    ("file-upload", "Portfolio", False, {}),
)

QUESTIONS: tuple[Row, ...] = (
    ("multiple-select", "Languages", False, {"options": ("Python", "Go", "Rust", "C++", "TypeScript")}),
    ("text", "Why Fernhill?", True, {}),
    ("university", "University", False, {}),
    ("file-upload", "Work sample", False, {}),
    ("multiple-choice", "Notice period", False, {"options": ("None", "1 month", "3 months")}),
)

REFERRAL: tuple[Row, ...] = (
    ("text", "Referrer's name", False, {}),
    ("textarea", "How do you know this person?", True, {}),
    ("score", "How strongly do you recommend?", False, {}),
    ("yes-no", "Have you worked together?", False, {}),
)

FEEDBACK_FORMS: dict[str, tuple[Row, ...]] = {
    "Structured interview": _STRUCTURED,
    "On-site interview": _ONSITE,
    "Take-home assignment": _ASSIGNMENT,
    "Legacy phone screen": _LEGACY,
}
PROFILE_FORMS: dict[str, tuple[Row, ...]] = {
    "Relocation and visa": _RELOCATION,
    "Compensation": _COMPENSATION,
    "Candidate details": _PROFILE,
}
GONE = "Legacy phone screen"
"""The feedback form whose template was retired: forms filled in with it exist, the template does not."""


def fill(company: Company) -> None:
    """Give the company its active templates; the retired one is left out, as Lever does."""
    for number, (text, rows) in enumerate(FEEDBACK_FORMS.items()):
        if text == GONE:
            continue
        company.feedback_templates.append(
            {
                "id": template_id(company, text),
                "text": text,
                "group": {"id": company.uuid("group:eng"), "name": "Engineering"} if number == 1 else None,
                "instructions": "Please fill in within a day." if number == 0 else "",
                "fields": fields(company, text, rows),
                "createdAt": NOW_MS - 2000 * DAY,
                "stage": {"id": company.stages[7]["id"], "text": company.stages[7]["text"]} if number == 1 else None,
                "updatedAt": NOW_MS - 300 * DAY if number else None,
            }
        )
    for text, rows in PROFILE_FORMS.items():
        company.form_templates.append(
            {
                "id": template_id(company, text),
                "text": text,
                "group": None,
                "instructions": "",
                "secretByDefault": text == "Compensation",
                "fields": fields(company, text, rows),
                "createdAt": NOW_MS - 1900 * DAY,
                "updatedAt": NOW_MS - 200 * DAY,
            }
        )
    for posting in company.postings:
        company.posting_apply[posting["id"]] = application_form(company, posting)


def template_id(company: Company, text: str) -> str:
    """Return the id of a template, retired or not."""
    return company.uuid(f"template:{text}")


def fields(company: Company, topic: str, rows: tuple[Row, ...], *, ids: bool = True) -> list[Record]:
    """Return the field definitions of a form, without answers (some old forms have no field ids)."""
    made = []
    for number, (kind, text, required, extra) in enumerate(rows):
        field: Record = {"type": kind, "text": text, "description": "", "required": required}
        if ids:
            field["id"] = company.uuid(f"field:{topic}:{number}")
        if "options" in extra:
            field["options"] = [{"text": option} for option in extra["options"]]
            field["prompt"] = "Select one"
        if "scores" in extra:
            field["scores"] = [{"text": score, "description": ""} for score in extra["scores"]]
        for key in ("currency", "language"):
            if key in extra:
                field[key] = extra[key]
        made.append(field)
    return made


def answered(
    company: Company, topic: str, rows: tuple[Row, ...], rng: random.Random, *, at: int, draft: bool = False
) -> list[Record]:
    """Return the fields of one filled-in form; a draft has no answers, and optional fields are often empty."""
    made = fields(company, f"{topic}:answered", rows, ids=rng.random() > 0.06)
    for field in made:
        if draft or (not field["required"] and rng.random() < 0.15):
            field["value"] = None
            if rng.random() < 0.3:
                del field["value"]
            continue
        field["value"] = _answer(company, field, rng, at)
    return made


def _answer(company: Company, field: Record, rng: random.Random, at: int) -> Any:
    """One answer in the shape Lever gives for the type of the field."""
    kind = field["type"]
    options = [option["text"] for option in field.get("options", ())]
    simple = {
        "text": lambda: rng.choice(("Platform", "Three months", "Ada", "=SUM(A1:A9)", "None")),
        "textarea": lambda: rng.choice(words.FEEDBACK_TEXTS),
        "yes-no": lambda: rng.choice(("yes", "no")),
        "date": lambda: at + rng.randrange(10, 120) * DAY,
        "currency": lambda: rng.choice((52_000, 78_500, 91_000.5)),
        "code": lambda: "def f(x):\n    return x if x < 2 else f(x - 1) + f(x - 2)",
        "university": lambda: rng.choice(words.SCHOOLS),
    }
    if kind in simple:
        return simple[kind]()
    if kind == "multiple-select":
        return [option for option in options if rng.random() < 0.5] or options[:1]
    if kind == "scorecard":
        return [{"score": rng.choice((1, 2, 3, 4, None)), "comment": rng.choice(("", "Fast learner", "<b>thin</b>"))}
                for _ in field["scores"]]  # fmt: skip
    if kind == "score":
        return rng.choice(options) if options else rng.randint(1, 4)
    if kind == "file-upload":
        upload = company.uuid(f"upload:{rng.random()}")
        company.uploads[upload] = filebytes.Spec("pdf", UPLOAD_SPEC, f"{company.seed}:{upload}", "Sample")
        return {"id": upload, "name": "sample.pdf", "ext": "pdf", "size": UPLOAD_BYTES, "uploadedAt": at}
    return rng.choice(options)


def application_form(company: Company, posting: Record) -> Record:
    """The application form of a posting (shape as recorded 2026)."""
    return {
        "id": posting["id"],
        "text": posting["text"],
        "customQuestions": [
            {
                "id": company.uuid(f"questions:{posting['id']}"),
                "text": "About your work",
                "fields": [
                    field | {"value": None} for field in fields(company, f"questions:{posting['id']}", QUESTIONS)
                ],
            }
        ],
        "personalInformation": [
            {"text": text, "name": name, "type": kind, "required": required, "value": None}
            for text, name, kind, required in (
                ("Full name", "fullName", "text", True),
                ("Email", "email", "text", True),
                ("Phone", "phone", "text", False),
                ("Resume/CV", "resume", "file-upload", False),
            )
        ],
        "urls": [{"text": "LinkedIn URL", "name": "urls[LinkedIn]", "type": "text", "required": False, "value": None}],
        "consentDisclosures": None,
    }

"""Which column of a table is what, by its header: spellings that were seen, and spellings that are likely.

Seen (docs/export-files.md names the sources): `candidates.presence` and posting tables as Lever hands them out
("Profile ID", "Created At (GMT)", "Stage - Offer", ...), the template of Lever's own import ("Full-Name", ...), and
the attribute names of the API. All others are guesses; a header that is none of them is named and kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lib import contract
from lib.export_files import eeo

CANDIDATES = {
    "opportunity": "profile id|opportunity id|candidate id|lever id|lever opportunity id|opportunity uid",
    "contact": "contact id|person id|lever contact id",
    "url": "profile url|profile link|candidate url|opportunity url|lever url|candidate link|opportunity link",
    "name": "candidate name|full name|name|candidate",
    "first": "first name|given name|candidate first name",
    "last": "last name|surname|family name|candidate last name",
    "emails": "candidate email|candidate emails|email|emails|email address|email addresses|candidate email address",
    "phones": "phone|phones|phone number|phone numbers|candidate phone|candidate phone number",
    "links": "links|link|urls|profile links|candidate links",
    "location": "location|candidate location",
    "headline": "headline|candidate headline|company|current company",
    "tags": "tags|tag|candidate tags|opportunity tags",
    "sources": "sources|source|candidate source|candidate sources|opportunity source",
    "origin": "origin|candidate origin|opportunity origin",
    "stage": "current stage|stage|stage name|pipeline stage|current stage name",
    "owner_name": "candidate owner name|candidate owner|opportunity owner|owner name|owner|opportunity owner name",
    "owner_email": "candidate owner email|owner email|opportunity owner email|candidate owner email address",
    "sourcer_name": "sourced by|sourced by name|sourcer|sourcer name",
    "sourcer_email": "sourced by email|sourcer email",
    "created": "created at|date added|created|date created|created date|opportunity created at|candidate created at|"
    "opportunity created|creation date|added at|profile created at",
    "applied": "applied at|applied date|date applied|application date|application created at|applied",
    "interacted": "last story at|last interaction at|last interaction|last activity|last activity at",
    "advanced": "last advanced at|last advanced",
    "updated": "updated at|last updated|last updated at|modified at",
    "snoozed": "snoozed until",
    "archived": "archived at|archive date|date archived|posting archived at|profile archived at|archived date|"
    "opportunity archived at",
    "status": "profile archive status|posting archive status|archived|is archived|archive status",
    "reason": "profile archive reason|archive reason|archived reason|opportunity archive reason",
    "posting_reason": "posting archive reason|application archive reason",
    "hired": "hired|hired at|hire date|date hired",
    "application": "application id",
    "posting": "posting id|job id|lever posting id",
    "posting_url": "lever posting url|posting url|job url",
    "posting_title": "posting title|posting name|posting|job|job title|job posting|applied posting",
    "posting_team": "posting team|team",
    "posting_department": "posting department|department",
    "posting_location": "posting location|job location",
    "posting_owner_name": "posting owner name|posting owner|actual posting owner name",
    "posting_owner_email": "posting owner email",
    "confidential": "confidential|is confidential|confidentiality",
    "anonymized": "anonymized|is anonymized|anonymised",
    "resume": "resume filename|resume file name|resume file|resume|cv file name|cv filename|cv|resumes",
    "files": "files|file names|filenames|attachments|attachment|file name|filename",
}
POSTINGS = {
    "id": "posting id|job id|id|lever posting id",
    "text": "posting title|posting name|title|job title|name|text",
    "state": "state|status|posting status|posting state",
    "team": "posting team|team|job category team",
    "department": "posting department|department",
    "location": "posting location|location|work location",
    "commitment": "commitment|work type|posting commitment",
    "owner_name": "posting owner|posting owner name|owner|owner name",
    "owner_email": "posting owner email|owner email",
    "manager_name": "hiring manager|hiring manager name",
    "manager_email": "hiring manager email",
    "created": "date created|created at|created",
    "updated": "last updated|updated at|date updated",
    "requisitions": "requisition code|requisition codes|req code",
    "confidential": "confidential|is confidential|confidentiality",
    "country": "country",
}
USERS = {
    "id": "user id|id",
    "name": "name|full name|user name|user",
    "email": "email|email address|user email",
    "role": "access role|role|access level",
    "created": "created at|created|date created|date added",
    "deactivated": "deactivated at|deactivated|date deactivated",
    "title": "job title|title",
    "active": "active|status|is active",
}
STAGES = {"id": "stage id|id", "text": "stage|stage name|text|name"}
REASONS = {
    "id": "archive reason id|reason id|id",
    "text": "archive reason|reason|text|name",
    "type": "type|reason type",
    "status": "status|active",
}
_CHILD = {
    "opportunity": CANDIDATES["opportunity"],
    "url": CANDIDATES["url"],
    "author_name": "author|author name|user|user name|created by|interviewer|interviewer name|submitted by|added by",
    "author_email": "author email|user email|created by email|interviewer email|submitted by email|added by email",
    "created": "created at|created|date|date created|note date|timestamp|created date",
    "candidate": "candidate name|candidate|full name|name",
    "candidate_email": "candidate email|email",
    "posting_title": "posting title|posting|job|job title",
}
NOTES = _CHILD | {
    "id": "note id",
    "text": "note|note text|notes|comment|comments|text|body|content|note body",
    "secret": "secret|is secret|issecretnote|is secret note|private",
}
FEEDBACK = _CHILD | {
    "id": "feedback id|feedback form id",
    "form": "form id|template id|feedback template id|form template id",
    "title": "form|form name|form title|feedback form|feedback form name|feedback template|template name|scorecard",
    "completed": "completed at|submitted at|completed|submitted|date completed|feedback submitted at|date submitted",
    "rating": "rating|score|overall rating|overall score|recommendation|feedback score|feedback rating",
    "question": "question|field|field name|question text|field text",
    "answer": "answer|value|response|field value|answer text",
    "interview": "interview id",
    "panel": "panel id",
}
INTERVIEWS = _CHILD | {
    "id": "interview id|interview event id",
    "subject": "subject|interview subject|interview name|title|interview type",
    "date": "interview date|interview at|scheduled at|start|start time|interview time|scheduled for|starts at",
    "duration": "duration|duration minutes|length",
    "where": "location|interview location",
    "note": "note|notes",
    "canceled": "canceled at|cancelled at",
    "zone": "timezone|time zone",
    "panel": "panel id",
}
MANIFEST = {
    "opportunity": CANDIDATES["opportunity"],
    "file": "file|file name|filename|path|file path|relative path|resume filename|resume file name|cv file name",
    "id": "file id|resume id|attachment id",
    "kind": "type|kind|file type|category",
    "created": "created at|uploaded at|date|uploaded",
}
TABLES = {
    "candidates": CANDIDATES, "postings": POSTINGS, "users": USERS, "stages": STAGES, "archive_reasons": REASONS,
    "notes": NOTES, "feedback": FEEDBACK, "interviews": INTERVIEWS, "manifest": MANIFEST,
}  # fmt: skip
_WHOSE = ("opportunity", "url", "candidate", "candidate_email")
NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "notes": (("text",), _WHOSE, ("created", "author_name", "author_email", "secret", "id")),
    "feedback": (
        _WHOSE, ("title", "rating", "question"), ("completed", "author_name", "author_email", "id", "answer"),
    ),
    "interviews": (_WHOSE, ("date",), ("subject", "duration", "id", "author_name", "author_email")),
    "manifest": (("file",), ("opportunity",), ("kind", "id", "created")),
    "candidates": (
        ("name", "first", "emails"),
        ("stage", "opportunity", "url", "posting", "posting_title", "origin", "sources", "created"),
    ),
    "postings": (
        ("text",), ("id",),
        ("state", "team", "department", "location", "owner_name", "owner_email", "created"),
    ),
    "users": (("email",), ("name",), ("role", "id", "active", "deactivated")),
    "archive_reasons": (("text",), ("id", "type", "status")),
    "stages": (("text",), ("id",)),
}  # fmt: skip
"""What a table must have to be that kind: one header of each group. The order is the order of trying."""
HINTS = (
    ("notes", r"notes?\b"), ("feedback", r"feedback|scorecard|calibration"), ("interviews", r"interview"),
    ("manifest", r"manifest|file_?list"), ("postings", r"postings?|jobs?\b"), ("users", r"users?\b|team_?members"),
    ("archive_reasons", r"reasons?\b"), ("stages", r"stages?\b"),
    ("candidates", r"candidate|opportunit|profile|presence|applica"),
)  # fmt: skip
STAGE_COLUMN = re.compile(r"stage\s*[-:]\s*(.+)", re.IGNORECASE)


@dataclass
class Header:
    """What the columns of one table are: {field: positions}, those of stages, and what is not used."""

    kind: str
    fields: dict[str, list[int]] = field(default_factory=dict)
    utc: set[int] = field(default_factory=set)
    stages: dict[int, str] = field(default_factory=dict)
    unused: dict[int, str] = field(default_factory=dict)
    never: dict[int, str] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)
    api: str = ""

    def used(self, titles: list[str]) -> list[str]:
        """The titles of all columns that are read."""
        places = sorted({place for found in self.fields.values() for place in found} | {*self.stages, *self.answers})
        return [titles[place] for place in places]


def plain(title: str) -> tuple[str, bool]:
    """(title as it is compared, whether it says that its times are UTC)."""
    text = re.sub(r"([a-z])([A-Z])", r"\1 \2", title.strip("\ufeff \t\0'\""))
    words = re.sub(r"[^0-9a-z]+", " ", text.casefold()).strip()
    bare = re.sub(r" (?:gmt|utc)$", "", words)
    return bare, bare != words


def recognise(titles: list[str], name: str) -> Header | None:
    """What a table is, by its headers; its file name decides between two kinds that fit. None when it is none."""
    api = _api(titles, name)
    if api:
        return Header(api, api=api)
    lowered = name.casefold()
    hinted = [kind for kind, pattern in HINTS if re.search(pattern, lowered)]
    for kind in [*(one for one in NEEDED if one in hinted), *(one for one in NEEDED if one not in hinted)]:
        found = _header(kind, titles, closed=eeo.named(name))
        if all(any(one in found.fields for one in group) for group in NEEDED[kind]):
            return found
    return None


def _header(kind: str, titles: list[str], *, closed: bool) -> Header:
    """`closed`: the table says that it is one on equal opportunity, so what is not known in it is left out."""
    known = {word: name for name, words in TABLES[kind].items() for word in words.split("|")}
    made = Header(kind)
    by_form = kind == "feedback" and not any(known.get(plain(title)[0]) == "question" for title in titles)
    for place, title in enumerate(titles):
        word, utc = plain(title)
        stage = STAGE_COLUMN.fullmatch(title.strip())
        if utc:
            made.utc.add(place)
        if word in known:
            made.fields.setdefault(known[word], []).append(place)
        elif kind == "candidates" and stage:
            made.stages[place] = re.sub(r"\s*\((?:GMT|UTC)\)$", "", stage.group(1), flags=re.IGNORECASE).strip()
        elif closed or (eeo.bare(title) if by_form else eeo.speaks(title)):
            made.never[place] = title
        else:
            made.unused[place] = title.strip() or f"column {place + 1}"
    if made.utc:  # Lever's tables say it of some columns, and write all of them alike (seen)
        made.utc = set(range(len(titles)))
    if by_form:  # a form per row: each other column is a question
        made.answers, made.unused = made.unused, {}
    return made


def _api(titles: list[str], name: str) -> str:
    """The stream whose attributes these columns are, where a program wrote API objects as a table; else empty."""
    bare = [title.strip() for title in titles]
    if "_airbyte_data" in bare:
        return "json"
    if "id" not in bare:
        return ""
    own = {title for title in bare if not title.startswith("_")}
    share = {
        stream: len(own & set(about["attributes"])) / max(1, len(own))
        for stream, about in contract.lever_objects().items()
        if not stream.endswith("_deleted") and set(about["required"]) <= own
    }
    camel = any(re.search(r"[a-z][A-Z]", title) for title in own)
    best = max(share, key=lambda one: (share[one], re.search(one.rstrip("s"), name.casefold()) is not None), default="")
    return best if best and camel and share[best] >= 0.6 else ""

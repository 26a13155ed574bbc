"""Find out whether a write whose answer was lost has happened: look-ups by fingerprint, per endpoint.

Ashby has no idempotency key and no search by custom field, so each kind of object is recognised by what we sent:
the exact back-dated `createdAt` with the name, a marker line, a unique file name, a title. A hit counts only when the
whole fingerprint agrees, it carries no other Lever id, and no other row of the ledger already holds it. What agrees
only in part (somebody has renamed the candidate meanwhile, or Ashby keeps times less exactly than we send them) is
neither adopted nor made a second time: a person must decide.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from lib.ashby import Ashby, CursorExpiredError
from lib.errors import NotFoundError, RejectedError
from lib.store.ledger import Ledger, Planned

HOUR = 3_600_000
DAY = 86_400_000
SECOND = 1_000
MOST_PAGES = 3  # of people who were added within two seconds
SEARCH_LIMIT = 100  # candidate.search answers at most 100 people and does not say whether there are more
MARKER = re.compile(r"\[Lever [a-z]+ [^\]\n]+\]")
JOB_STATES = ["Draft", "Open", "Closed", "Archived"]
NOTE = "candidate.createNote"
Hits = list[str]
Notes = Callable[[str], list[dict[str, Any]]]


@dataclass(slots=True)
class Found:
    """Ashby ids of what a look-up came upon: the whole fingerprint agrees (`hits`), or only a part of it (`near`).

    `public` are those hits that were to be private and are not.
    """

    hits: Hits = field(default_factory=list)
    near: Hits = field(default_factory=list)
    public: Hits = field(default_factory=list)


Lookup = Callable[["Seeker", Planned, dict[str, Any]], Found]


class Seeker:
    """What look-ups need: the client, the ledger, when the row was first tried, and who was in Ashby before us."""

    def __init__(
        self, ashby: Ashby, ledger: Ledger, *, first_ms: int, before: Iterable[str] = (), people: Iterable[str] = ()
    ) -> None:
        """`before`: fields, tags and jobs from before the plan; `people`: candidates that are not ours."""
        self.ashby = ashby
        self.ledger = ledger
        self.first_ms = first_ms
        self.before = before
        self.people = people

    def find(self, row: Planned, body: dict[str, Any]) -> Hits:
        """Ashby ids of objects that are what this row wanted to make; `body` has its references filled in."""
        return self.look(row, body).hits

    def look(self, row: Planned, body: dict[str, Any], *, notes: Notes | None = None) -> Found:
        """What agrees with this row wholly, or in part; nothing when what it hangs on is not there (yet).

        `notes` gives those of a candidate where they were read already.
        """
        try:
            found = _note(self, row, body, notes) if notes and row.kind == NOTE else LOOKUPS[row.kind](self, row, body)
        except NotFoundError:
            return Found()
        hits, near = self.free(row, dict.fromkeys(found.hits)), self.free(row, dict.fromkeys(found.near))
        return Found(hits, near, found.public)

    def free(self, row: Planned, ids: Iterable[str]) -> Hits:
        """Those ids that no other row holds."""
        return [one for one in ids if self.ledger.is_linked(one) in (None, row.link)]


def can_look_up(kind: str) -> bool:
    """True for calls that must be looked up; all others may simply be repeated."""
    return kind in LOOKUPS


def same_moment(left: Any, right: Any) -> bool:
    """True when two ISO texts mean the same millisecond."""
    if not left or not right:
        return False
    return _moment(str(left)) == _moment(str(right))


def apart(left: Any, right: Any) -> float:
    """Milliseconds between two ISO texts; infinite when one is missing."""
    return abs(_moment(str(left)) - _moment(str(right))) if left and right else float("inf")


def _moment(text: str) -> int:
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def marker_of(body: Any) -> str:
    """The last marker line in any text of a body, e.g. `[Lever note <id> 2/3]`; empty when there is none."""
    found = ""
    if isinstance(body, str):
        hits = MARKER.findall(body)
        found = hits[-1] if hits else ""
    elif isinstance(body, dict | list):
        for child in body.values() if isinstance(body, dict) else body:
            found = marker_of(child) or found
    return found


def markers_in(body: Any) -> set[str]:
    """The last marker line of each text of a body: answers may come in another order than they were sent."""
    if isinstance(body, dict | list):
        return {mark for child in (body.values() if isinstance(body, dict) else body) for mark in markers_in(child)}
    return {marker_of(body)} - {""}


def _candidate(seek: Seeker, row: Planned, body: dict[str, Any]) -> Found:
    """By e-mail (or name), by walking what was added since, and by its own moment: an index may lag.

    Whether a back-dated `createdAt` is also the moment at which a candidate counts as added is not known (facts,
    "added-at"): the walk finds it where it is not, its own moment where it is.
    """
    query = {"email": body["email"]} if body.get("email") else {"name": body["name"]}
    found = seek.ashby.search("candidate.search", query)
    hits = [one["id"] for one in found if _is_person(one, row, body)]
    if hits and len(found) < SEARCH_LIMIT:
        return Found(hits)
    try:
        found += seek.ashby.items("candidate.list", {"createdAfter": seek.first_ms - HOUR})
    except RejectedError:  # our clock is so wrong that the bound lies in Ashby's future
        found += seek.ashby.items("candidate.list")
    found += _added_then(seek, body)
    near = [one["id"] for one in found if one["id"] not in seek.people and _may_be_person(one, body)]
    return Found([one["id"] for one in found if _is_person(one, row, body)], near)


def _added_then(seek: Seeker, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Candidates that count as added at the moment `body` gives; `createdBefore` is in the changelog of July 2026.

    An Ashby that does not know it would list everybody since then: after a few pages that is given up.
    """
    if not body.get("createdAt"):
        return []
    at = _moment(str(body["createdAt"]))
    bounds = {"createdAfter": at - SECOND, "createdBefore": at + SECOND}
    try:
        return [one for page in islice(seek.ashby.pages("candidate.list", bounds), MOST_PAGES) for one in page.results]
    except (RejectedError, CursorExpiredError):
        return []


def _is_person(found: dict[str, Any], row: Planned, body: dict[str, Any]) -> bool:
    same = _same_name(found, body) and _same_mail(found, body)
    marked = _marks(found)
    ours = not marked or any(row.lever_id in one for one in marked)
    return same and ours and same_moment(found.get("createdAt"), body.get("createdAt"))


def _may_be_person(found: dict[str, Any], body: dict[str, Any]) -> bool:
    """True when it carries no Lever id and the moment alone agrees, or all but the exact moment."""
    if _marks(found):
        return False
    if same_moment(found.get("createdAt"), body.get("createdAt")):
        return True
    same = _same_name(found, body) and _same_mail(found, body)
    return same and apart(found.get("createdAt"), body.get("createdAt")) <= DAY


def _same_name(found: dict[str, Any], body: dict[str, Any]) -> bool:
    return _folded(found.get("name")) == _folded(body["name"])


def _same_mail(found: dict[str, Any], body: dict[str, Any]) -> bool:
    mails = {_folded(one.get("value")) for one in found.get("emailAddresses") or []}
    return not body.get("email") or _folded(body["email"]) in mails


def _folded(text: Any) -> str:
    """A text as a server may give it back: other capitals, spaces, or composed letters."""
    return " ".join(unicodedata.normalize("NFKC", str(text or "")).casefold().split())


def _marks(found: dict[str, Any]) -> list[str]:
    return [str(one.get("value")) for one in found.get("customFields") or [] if _is_marker(one)]


def _is_marker(field: dict[str, Any]) -> bool:
    return str(field.get("title", "")).startswith("Lever ") and str(field.get("title", "")).endswith(" ID")


def _application(seek: Seeker, row: Planned, body: dict[str, Any]) -> Found:
    person = seek.ashby.call("candidate.info", {"id": body["candidateId"]}).results
    found = Found()
    for application_id in seek.free(row, person.get("applicationIds") or []):
        one = seek.ashby.call("application.info", {"applicationId": application_id}).results
        marked = _marks(one)
        if marked and row.lever_id not in marked:
            continue
        same_job = (one.get("job") or {}).get("id") == body["jobId"]
        same_time = same_moment(one.get("createdAt"), body.get("createdAt"))
        if same_job and same_time:
            found.hits.append(application_id)
        elif same_time or (same_job and apart(one.get("createdAt"), body.get("createdAt")) < SECOND):
            found.near.append(application_id)
    return found


def notes_of(ashby: Ashby, candidate_id: str) -> list[dict[str, Any]]:
    """All notes of a candidate, as they stand now."""
    return ashby.items("candidate.listNotes", {"candidateId": candidate_id})


def _note(seek: Seeker, row: Planned, body: dict[str, Any], read: Notes | None = None) -> Found:
    marker = marker_of(body)
    notes = read(body["candidateId"]) if read else notes_of(seek.ashby, body["candidateId"])
    found = [one for one in notes if marker and marker_of(one.get("content")) == marker]
    public = [one["id"] for one in found if body.get("isPrivate") and one.get("isPrivate") is not True]
    return Found([one["id"] for one in found], public=public)


def note_of(ashby: Ashby, body: dict[str, Any], note_id: str | None) -> dict[str, Any] | None:
    """The note of this id, as it stands at the candidate of `body`; None when it is not there (any more)."""
    return next((one for one in notes_of(ashby, body["candidateId"]) if one["id"] == note_id), None)


def _feedback(seek: Seeker, row: Planned, body: dict[str, Any]) -> Found:
    markers = markers_in(body)
    forms = seek.ashby.items("applicationFeedback.list", {"applicationId": body["applicationId"]})
    return Found([one["id"] for one in forms if markers and markers_in(one.get("submittedValues")) == markers])


def _file(seek: Seeker, row: Planned, body: dict[str, Any]) -> Found:
    person = seek.ashby.call("candidate.info", {"id": body["candidateId"]}).results
    return Found(file_ids(person, body["$name"]))


def file_ids(person: dict[str, Any], name: str) -> Hits:
    """Ids of a candidate's files (the résumé too) with this name."""
    handles = [*(person.get("fileHandles") or []), person.get("resumeFileHandle") or {}]
    return list(dict.fromkeys(str(one["id"]) for one in handles if one.get("name") == name))


def _job(seek: Seeker, row: Planned, body: dict[str, Any]) -> Found:
    hits = []
    for one in seek.ashby.items("job.list", {"status": JOB_STATES}):
        alike = one.get("title") == body["title"] and one.get("locationId") == body["locationId"]
        same_team = one.get("departmentId") in (None, body["teamId"])
        created = _moment(one["createdAt"]) if one.get("createdAt") else seek.first_ms
        if alike and same_team and created >= seek.first_ms - HOUR and one["id"] not in seek.before:
            hits.append(one["id"])
    return Found(hits)


def _custom_field(seek: Seeker, row: Planned, body: dict[str, Any]) -> Found:
    fields = seek.ashby.items("customField.list", {"includeArchived": False})
    wanted = (body["title"], body["objectType"], body["fieldType"])
    hits = [one["id"] for one in fields if (one["title"], one["objectType"], one["fieldType"]) == wanted]
    return Found([one for one in hits if one not in seek.before])


LOOKUPS: dict[str, Lookup] = {
    "candidate.create": _candidate,
    "application.create": _application,
    NOTE: _note,
    "applicationFeedback.submit": _feedback,
    "candidate.uploadFile": _file,
    "candidate.uploadResume": _file,
    "job.create": _job,
    "customField.create": _custom_field,
}

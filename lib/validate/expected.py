"""What must stand in Ashby, by the rows of the plan that are done: the bodies with their references filled in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

from lib.store.ledger import Entry, Ledger, Planned
from lib.validate.values import last_marker

Row = tuple[Planned, Entry | None]
_BATCH = 500
_LINKS = {"linkedInUrl": "LinkedIn", "githubUrl": "GitHub", "website": "Website", "websiteUrl": "Website"}
_TARGETS = ("applicationId", "sendNotifications")
_PLAIN = ("name", "email", "phoneNumber", "location", "createdAt", "sourceId", "creditedToUserId")
FILES = {"candidate.uploadFile": "fileHandle", "candidate.uploadResume": "resumeHandle"}
OWN_TITLES = (
    "Lever contact ID", "Lever opportunity ID", "Lever posting ID", "Lever headline", "Lever other phones",
    "Lever location", "Lever other links", "Lever consent", "Lever other details", "Lever origin",
)  # fmt: skip


_OBJECTS = {
    "candidate.create": "candidate",
    "application.create": "application",
    "applicationFeedback.submit": "feedback",
    "job.create": "job",
    "customField.create": "custom field",
    "candidateTag.create": "tag",
    "candidate.addTag": "tag on a candidate",
    "customField.setValues": "custom-field value",
    **dict.fromkeys(FILES, "file"),
}
_LINKED = {"candidate": "candidate", "job": "job", "custom_field": "custom field", "tag": "tag"}
OBJECTS = ("candidate", "application", "note", "summary note", *dict.fromkeys([*_OBJECTS.values()][2:]))


def object_of(row: Planned) -> str:
    """What kind of thing a row makes, in words; a call that only changes something is named by its endpoint."""
    if row.kind == "candidate.createNote":
        return note_object(row.lever_type)
    if row.kind == "link":
        return _LINKED.get((row.link or "").partition(":")[0], row.kind)
    return _OBJECTS.get(row.kind, row.kind)


def lever_id_of(row: Planned) -> str:
    """The id of the Lever object that a row tells of, without the number of a further note."""
    return row.lever_id.partition(" ")[0]


def note_object(lever_type: str) -> str:
    """A note of Lever, or a note in which the workbook tells what has no place of its own."""
    return "note" if lever_type == "note" else "summary note"


@dataclass
class Thing:
    """One candidate, application or job: `sent` is {member: value}, `by` the row that set it last."""

    lever_id: str
    ashby_id: str
    adopted: bool = False
    sent: dict[str, Any] = field(default_factory=dict)
    by: dict[str, str] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def put(self, values: Mapping[str, Any], row_id: str) -> None:
        """Set members."""
        self.sent |= values
        self.by |= dict.fromkeys(values, row_id)


@dataclass(frozen=True)
class Piece:
    """One note, feedback or file: the row, its body with references filled in, its Ashby id, its marker."""

    row_id: str
    kind: str
    lever_type: str
    lever_id: str
    ashby_id: str
    body: dict[str, Any]

    @property
    def marker(self) -> str:
        """The marker line that the text ends with; "" for files."""
        return "" if self.kind in FILES else last_marker(self.body)

    @property
    def file(self) -> dict[str, Any]:
        """What the plan knows of a file: filename, sha256, contentLength …"""
        return self.body[FILES[self.kind]]["$file"]


@dataclass
class Person:
    """Everything of one person that is done, the rows that are not, and the marker lines of both."""

    person: str
    candidate: Thing | None = None
    applications: dict[str, Thing] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    lacking: list[Row] = field(default_factory=list)
    markers: set[str] = field(default_factory=set)

    def of(self, *kinds: str) -> list[Piece]:
        """Pieces made by these endpoints."""
        return [one for one in self.pieces if one.kind in kinds]


@dataclass
class SetUp:
    """Jobs, custom fields and tags of the plan: {Ashby id: thing}, and the rows that are not done."""

    jobs: dict[str, Thing] = field(default_factory=dict)
    fields: dict[str, Thing] = field(default_factory=dict)
    tags: dict[str, Thing] = field(default_factory=dict)
    lacking: list[Row] = field(default_factory=list)


def with_outcomes(ledger: Ledger, rows: Iterable[Planned]) -> Iterator[Row]:
    """Each row of the plan with its entry in the ledger, or None."""
    source = iter(rows)
    while batch := list(islice(source, _BATCH)):
        entries = ledger.of(batch)
        yield from ((row, entries.get(row.row_id)) for row in batch)


def chains(ledger: Ledger) -> Iterator[tuple[str, list[Row]]]:
    """(person, rows) in plan order; the set-up rows come as person ""."""
    for person, rows in groupby(with_outcomes(ledger, ledger.rows()), key=lambda one: one[0].person):
        yield person, list(rows)


def is_done(row: Planned, entry: Entry | None) -> bool:
    """True when the row was carried out with exactly this body."""
    return entry is not None and entry.state == "done" and entry.body_hash == row.body_hash


def filled(value: Any, links: Mapping[str, str]) -> Any:
    """A body with every `$link` replaced by its Ashby id ("" when there is none); files stay as they are."""
    if isinstance(value, dict):
        if "$link" in value:
            return links.get(value["$link"], "")
        return {key: filled(child, links) for key, child in value.items()}
    return [filled(child, links) for child in value] if isinstance(value, list) else value


def person_of(name: str, rows: Iterable[Row], links: Mapping[str, str]) -> Person:
    """What one chain of the plan has made."""
    made = Person(name)
    for row, entry in rows:
        if row.kind in ("candidate.createNote", "applicationFeedback.submit"):
            made.markers.add(last_marker(row.body))
        if not is_done(row, entry):
            made.lacking.append((row, entry))
            continue
        assert entry is not None
        _apply(made, row, entry, filled(row.body, links), links)
    return made


def _apply(made: Person, row: Planned, entry: Entry, body: dict[str, Any], links: Mapping[str, str]) -> None:
    ashby_id = links.get(row.link or "", "") or entry.ashby_id or ""
    if row.kind in ("link", "candidate.create"):
        made.candidate = Thing(row.person or row.lever_id, ashby_id, adopted=row.kind == "link")
        if row.kind == "candidate.create":
            made.candidate.put(candidate_members(body), row.row_id)
    elif row.kind == "application.create":
        thing = Thing(row.lever_id, ashby_id)
        thing.put(body, row.row_id)
        made.applications[ashby_id] = thing
    elif row.kind in ("application.update", "application.updateHistory"):
        if (changed := made.applications.get(body["applicationId"])) is not None:
            changed.put({key: body[key] for key in body if key not in _TARGETS}, row.row_id)
    elif row.kind in ("candidate.createNote", "applicationFeedback.submit", *FILES):
        made.pieces.append(Piece(row.row_id, row.kind, row.lever_type, row.lever_id, entry.ashby_id or "", body))
    elif made.candidate is not None and row.kind == "candidate.update":
        made.candidate.put(_updated(made.candidate, body), row.row_id)
    elif made.candidate is not None and row.kind == "candidate.addTag":
        made.candidate.tags[body["tagId"]] = row.row_id
    elif row.kind == "customField.setValues":
        target = made.candidate if body["objectType"] == "Candidate" else made.applications.get(body["objectId"])
        _set_values(target, body, row.row_id)


def _set_values(target: Thing | None, body: Mapping[str, Any], row_id: str) -> None:
    if target is not None:
        for one in body["values"]:
            target.custom[one["fieldId"]] = one["fieldValue"]
            target.by[one["fieldId"]] = row_id


def candidate_members(body: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a candidate.create or candidate.update body under one name each; links as {type: url}."""
    made = {name: body[name] for name in _PLAIN if name in body}
    if "alternateEmailAddresses" in body:
        made["alternates"] = list(body["alternateEmailAddresses"])
    links = {kind: body[name] for name, kind in _LINKS.items() if name in body}
    if "socialLinks" in body:
        links = {one["type"]: one["url"] for one in body["socialLinks"]}
    return made | ({"links": links} if links else {})


def _updated(candidate: Thing, body: Mapping[str, Any]) -> dict[str, Any]:
    made = candidate_members(body)
    if "links" in made and "socialLinks" not in body:
        made["links"] = candidate.sent.get("links", {}) | made["links"]
    if "alternateEmail" in body:
        made["alternates"] = [*candidate.sent.get("alternates", []), body["alternateEmail"]]
    return made


def set_up_of(rows: Iterable[Row], links: Mapping[str, str]) -> SetUp:
    """What the set-up rows have made."""
    made = SetUp()
    for row, entry in rows:
        if not is_done(row, entry):
            made.lacking.append((row, entry))
            continue
        assert entry is not None
        _set_up_row(made, row, filled(row.body, links), links.get(row.link or "", "") or entry.ashby_id or "")
    return made


def _set_up_row(made: SetUp, row: Planned, body: dict[str, Any], ashby_id: str) -> None:
    kinds = {"job": made.jobs, "custom_field": made.fields, "tag": made.tags}
    home = kinds.get((row.link or "").partition(":")[0])
    if row.kind in ("link", "job.create", "customField.create", "candidateTag.create") and home is not None:
        thing = home.setdefault(ashby_id, Thing(row.lever_id, ashby_id, adopted=row.kind == "link"))
        if row.kind != "link":
            thing.put(body | ({"status": "Draft"} if row.kind == "job.create" else {}), row.row_id)
    elif row.kind == "job.setStatus" and body["jobId"] in made.jobs:
        made.jobs[body["jobId"]].put({"status": body["status"]}, row.row_id)
    elif row.kind == "customField.updateSelectableValues" and body["customFieldId"] in made.fields:
        made.fields[body["customFieldId"]].put({"selectableValues": body["selectableValues"]}, row.row_id)
    elif row.kind == "customField.setValues":
        _set_values(made.jobs.get(body["objectId"]), body, row.row_id)

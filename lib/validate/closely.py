"""What no list shows, read person by person for the sample: notes, histories, and the bytes of files."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lib.ashby import Ashby
from lib.errors import ApiError, FatalError, RejectedError
from lib.validate import values
from lib.validate.candidacies import HISTORY, compare_history
from lib.validate.edits import Edits
from lib.validate.expected import FILES, OWN_TITLES, Person, Piece, Row, lever_id_of, note_object
from lib.validate.findings import Findings, Subject
from lib.validate.shelf import Scratch, Shelf
from lib.validate.surplus import find_strange_notes
from lib.validate.target import Item, Target, files_of

NOTE, FEEDBACK = "candidate.createNote", "applicationFeedback.submit"
BOUNDARY = 5
"""So many of the first and of the last people by creation date are always read closely."""


@dataclass(frozen=True)
class Features:
    """What makes a person worth a closer look."""

    person: str
    created_at: str
    edges: frozenset[str]


def features(person: Person, rows: Iterable[Row], confidential: Container[str]) -> Features:
    """The features of one person of the plan."""
    edges = set()
    if len(person.applications) >= 3:
        edges.add("3 or more applications")
    for row, _ in rows:
        edges |= _edges_of(row.kind, row.lever_type, row.body)
        if row.lever_type == "opportunity" and lever_id_of(row) in confidential:
            edges.add("confidential")  # as an application, or told in a note
    jobs = [one.sent.get("jobId") for one in person.applications.values()]
    if len(set(jobs)) < len(jobs):
        edges.add("repeat candidacy")
    created = person.candidate.sent.get("createdAt", "") if person.candidate else ""
    return Features(person.person, created, frozenset(edges))


def _edges_of(kind: str, lever_type: str, body: dict[str, Any]) -> set[str]:
    if kind == NOTE:
        told = {"repeat candidacy"} if lever_type == "opportunity" and "[Lever opportunity" in str(body) else set()
        return told | ({"private note"} if body.get("isPrivate") else set())
    if kind == "customField.setValues":
        titles = [str(one["fieldId"].get("$link", "")).split(":", 2)[-1] for one in body["values"]]
        return {"custom fields"} if any(title not in OWN_TITLES for title in titles) else set()
    return set()


class People:
    """The features of everybody, on disk, in order of the persons."""

    def __init__(self, scratch: Scratch) -> None:
        self._shelf = Shelf(scratch)

    def add(self, one: Features) -> None:
        """Keep those of one person."""
        self._shelf.put([(one.person, [one.created_at, sorted(one.edges)])])

    def __len__(self) -> int:
        return len(self._shelf)

    def __contains__(self, one: object) -> bool:
        return isinstance(one, Features) and one.person in self._shelf

    def __iter__(self) -> Iterator[Features]:
        for person, (created_at, edges) in self._shelf.by_key():
            yield Features(person, created_at, frozenset(edges))


def choose(found: Collection[Features], *, seed: str, share: float, least: int) -> dict[str, str]:
    """{person: why}: a random share (at least `least`), up to `least` of each kind of edge case, and the boundary.

    `found` is in order of the persons; it is walked, not kept.
    """
    chance = random.Random(f"validate:{seed}")  # not secret, and the same again for the same plan
    wanted: dict[str, set[int]] = {"": _drawn(chance, len(found), max(least, round(share * len(found))))}
    n_edges = Counter(edge for one in found for edge in one.edges)
    for edge, n_people in sorted(n_edges.items()):
        wanted[edge] = _drawn(chance, n_people, least)
    seen: Counter[str] = Counter()
    chosen: dict[str, str] = {}
    for one in found:
        for edge in ["", *sorted(one.edges)]:
            if seen[edge] in wanted[edge]:
                chosen.setdefault(one.person, edge or "random")
            seen[edge] += 1
    dated = ((one.created_at, one.person) for one in found if one.created_at)
    first = heapq.nsmallest(BOUNDARY, dated)
    last = heapq.nlargest(BOUNDARY, ((one.created_at, one.person) for one in found if one.created_at))
    for _, person in [*first, *last]:
        chosen.setdefault(person, "first or last by date")
    return chosen


def _drawn(chance: random.Random, n_people: int, n_wanted: int) -> set[int]:
    """So many numbers of people, or all of them."""
    return set(chance.sample(range(n_people), min(n_people, n_wanted)))


def look_closely(person: Person, why: str, *, ashby: Ashby, target: Target, findings: Findings, edits: Edits) -> None:
    """Read one person of the sample: all notes, each history, each file's bytes."""
    if person.candidate is None or person.candidate.ashby_id not in target.candidates:
        return
    _notes(person, why, ashby, findings)
    for thing in person.applications.values():
        if thing.ashby_id not in target.applications:
            continue
        about = Subject("application", thing.lever_id, thing.ashby_id, why)
        shown = _read(about, findings, lambda key=thing.ashby_id: _info(ashby, key))
        if shown is not None:
            left = edits.left_alone(thing.by.get(HISTORY, ""), HISTORY)
            compare_history(about, thing, shown, findings=findings, left_alone=left)
    handles = {str(one.get("name")): one for one in files_of(target.candidates[person.candidate.ashby_id])}
    for piece in person.of(*FILES):
        _bytes(piece, handles.get(piece.file["filename"]), why, ashby=ashby, findings=findings)


def _info(ashby: Ashby, application_id: str) -> Item:
    return ashby.call("application.info", {"applicationId": application_id}).results


def _read(about: Subject, findings: Findings, read: Any) -> Any:
    """What `read()` gives; None after naming the object as unreadable. What stops everything is raised."""
    try:
        return read()
    except FatalError:
        raise
    except ApiError as error:
        code = error.code or (str(error.status) if error.status else type(error).__name__)
        kind = "refused" if isinstance(error, RejectedError) else "no usable answer"
        findings.differ(about, "(read)", kind="unreadable", detail=f"{kind} ({code})")
        return None


def _notes(person: Person, why: str, ashby: Ashby, findings: Findings) -> None:
    assert person.candidate is not None
    candidate = person.candidate
    about = Subject("note", candidate.lever_id, candidate.ashby_id, why)
    found = _read(about, findings, lambda: ashby.items("candidate.listNotes", {"candidateId": candidate.ashby_id}))
    if found is None:
        return
    by_id = {str(one["id"]): one for one in found}
    marks = {key: mark for key, one in by_id.items() if (mark := values.last_marker(one.get("content")))}
    by_marker = {mark: by_id[key] for key, mark in marks.items()}
    for piece in person.of(NOTE):
        _note(piece, by_id.get(piece.ashby_id) or by_marker.get(piece.marker), why, findings)
    find_strange_notes(marks, person.markers, findings=findings, lever_id=candidate.lever_id)


def _note(piece: Piece, found: Item | None, why: str, findings: Findings) -> None:
    about = Subject(note_object(piece.lever_type), piece.lever_id, piece.ashby_id, why)
    findings.check(about, "(exists)", same=found is not None, kind="missing", detail=f"{piece.marker} is not there")
    if found is None:
        return
    sent = piece.body["note"]
    text = sent["value"] if isinstance(sent, dict) else sent
    content = found.get("content")
    findings.check(about, "text", same=values.same_text(text, content), detail=findings.told(text, content))
    if "createdAt" in piece.body:
        at, there = piece.body["createdAt"], found.get("createdAt")
        findings.check(about, "createdAt", same=findings.same_moment(at, there), detail=f"sent {at}, found {there}")
    private = bool(piece.body.get("isPrivate"))
    told = "sent as private, visible to everybody" if private else "sent as visible, private there"
    findings.check(about, "isPrivate", same=private == bool(found.get("isPrivate")), detail=told)


def _bytes(piece: Piece, handle: Item | None, why: str, *, ashby: Ashby, findings: Findings) -> None:
    """SHA-256 of a stored file against what Lever gave. A missing file was named with its candidate."""
    if handle is None:
        return
    about = Subject("file", piece.lever_id, str(handle["id"]), why)
    found = _read(about, findings, lambda: ashby.file_sha256(str(handle.get("handle"))))
    if found is not None:
        told = f"sent {piece.file['sha256'][:12]}, found {found[:12]}"
        findings.check(about, "bytes", same=found == piece.file["sha256"], detail=told)

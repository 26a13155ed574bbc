"""Rows of one person: the candidate, and all that hangs on it, found in Ashby."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lib.load.lookup import file_ids, marker_of, markers_in, same_moment
from lib.normalize import iso_to_ms
from lib.recover.finding import Finding, parked, read_back, several
from lib.recover.renewed import as_carried_out
from lib.recover.world import Item, files_of, job_of, mails_of, owner
from lib.store.ledger import Planned
from lib.store.marks import Outcome

MAKES_PERSON = ("candidate.create", "link")
NOTE, FEEDBACK, APPLICATION = "candidate.createNote", "applicationFeedback.submit", "application.create"
FILES = {"candidate.uploadFile": "fileHandle", "candidate.uploadResume": "resumeHandle"}
Notes = Callable[[str], list[Item]]
Strange = Mapping[str, set[str]]


class PersonFinder:
    """Finds the rows of one person at a time. `notes_of` reads the notes of a candidate from Ashby.

    `taken` is {candidate: person} of those that are somebody's by mark or link; `addresses` are every person's own.
    """

    def __init__(
        self, finding: Finding, notes_of: Notes, *, taken: Mapping[str, str], addresses: Mapping[str, set[str]]
    ) -> None:
        self.finding = finding
        self.world = finding.world
        self.notes_of = notes_of
        self.taken = taken
        self.addresses = addresses

    def is_plain(self, rows: list[Planned]) -> bool:
        """True when the candidate is known by link, mark or looks: then nothing that others carry is needed."""
        first = rows[0]
        if first.kind == "link" or first.link in self.finding.links:
            return True
        return bool(self._marked(first) or self._by_looks(first))

    def find(self, rows: list[Planned], closed: set[str], strange: Strange) -> tuple[list[Outcome], list[Item]]:
        """(what became of each row that is not `closed`, marked notes at the candidate that are no row of it).

        `strange` is {marker: candidates} of marked notes that hang on other people.
        """
        made = []
        first = rows[0]
        left = [row for row in rows[1:] if row.row_id not in closed]
        if first.row_id not in closed:
            made.append(self._candidate(first, rows, strange))
        candidate_id = self.finding.links.get(first.link or "")
        if candidate_id is None:
            return made + [Outcome(row, "absent") for row in left], []
        notes = self.notes_of(candidate_id) if any(row.kind == NOTE for row in left) else []
        made += [self._row(row, candidate_id, notes) for row in left]
        planned = {marker_of(row.body) for row in rows if row.kind == NOTE}
        others = [
            {"marker": mark, "candidate": candidate_id, "note": str(note["id"])}
            for note in notes
            if (mark := marker_of(note.get("content"))) and mark not in planned
        ]
        return _with_versions(made, as_carried_out(rows, notes)), others

    # ---- the candidate -------------------------------------------------------------------------------------------
    def _candidate(self, row: Planned, rows: list[Planned], strange: Strange) -> Outcome:
        if row.kind == "link":
            return self._link(row)
        for how, hits in (("marker", self._marked(row)), ("fingerprint", self._by_looks(row))):
            if len(hits) == 1 and (how == "fingerprint" or self._is_whole(hits[0], row)):
                return self._is(row, how, hits[0])
            if hits:
                return parked(row, several(hits) if len(hits) > 1 else f"candidate {hits[0]} also carries the id of "
                              "somebody who is another person by now")  # fmt: skip
        hits = sorted(self._by_records(rows, strange))
        if len(hits) == 1:
            return self._is(row, "records", hits[0])
        return self.finding.gone_or(row, self._loose(), several(hits) if hits else self._suspicion(row))

    def _is(self, row: Planned, how: str, ashby_id: str) -> Outcome:
        mark = self.finding.marks.get(ashby_id)
        origin, snapshot = (mark.origin, mark.snapshot) if mark else ("created", None)
        other = self.taken.get(ashby_id, row.person)
        note = "" if other == row.person else f"what hangs on it stands at the candidate of {other}: merged in Ashby?"
        return self.finding.done(
            row, how, ashby_id, origin=origin, snapshot=snapshot, note=note, request=self._sent(row)
        )

    def _link(self, row: Planned) -> Outcome:
        ashby_id = row.body["ashbyId"]
        marked = self._marked(row)
        if marked and marked != [ashby_id]:
            return parked(row, f"the plan links {ashby_id}, and the mark stands on {', '.join(marked)}")
        mark = self.finding.marks.get(ashby_id)
        snapshot = mark.snapshot if mark else self.world.candidates.get(ashby_id)
        return self.finding.done(row, "link", ashby_id, origin="existing", snapshot=snapshot)

    def _marked(self, row: Planned) -> list[str]:
        contacts = self.finding.members.get(row.person, [row.person])
        found = [key for contact in contacts for key in self.world.by_contact.get(contact, ())]
        return list(dict.fromkeys(found))

    def _is_whole(self, ashby_id: str, row: Planned) -> bool:
        """True when no mark of the candidate belongs to a contact who is another person now."""
        mine = set(self.finding.members.get(row.person, [row.person]))
        marks = self.world.marks("Candidate", self.world.candidates[ashby_id])
        return all(mark in mine for mark in marks if mark in self.finding.contacts)

    def _by_looks(self, row: Planned) -> list[str]:
        """Candidates without a known mark that have exactly the name, the moment and the address of the row."""
        body = row.body
        if not body.get("createdAt"):
            return []
        hits = self.world.by_print.get((body["name"], iso_to_ms(body["createdAt"])), [])
        mail = str(body.get("email") or "").lower()
        return [
            key for key in hits
            if self._is_free(key, row) and (not mail or mail in mails_of(self.world.candidates[key]))
        ]  # fmt: skip

    def _is_free(self, ashby_id: str, row: Planned) -> bool:
        marks = self.world.marks("Candidate", self.world.candidates[ashby_id])
        unknown = not any(mark in self.finding.contacts for mark in marks)
        return unknown and self.taken.get(ashby_id, row.person) == row.person

    def _by_records(self, rows: Iterable[Planned], strange: Strange) -> set[str]:
        """The candidates at whom marked applications, notes and files of this person stand."""
        found: set[str] = set()
        for row in rows:
            if row.kind == APPLICATION:
                found |= {
                    owner(self.world.applications[key]) for key in self.world.by_opportunity.get(row.lever_id, ())
                }
            elif row.kind == NOTE:
                found |= strange.get(marker_of(row.body), set())
            elif row.kind in FILES:
                found |= set(self.world.by_file.get(_name(row), ()))
        return found & self.world.candidates.keys()

    def _loose(self) -> set[str]:
        """Candidates that are nobody's by a link or by a mark."""
        return self.world.candidates.keys() - self.taken.keys()

    def _suspicion(self, row: Planned) -> str:
        """Why somebody who was not found may be there all the same."""
        contacts = self.finding.members.get(row.person, [row.person])
        alike = {key for contact in contacts for key in self.finding.alike.get(contact, ()) if key not in self.taken}
        if alike:
            return f"candidate {', '.join(sorted(alike))} is nearly the same (moment, and name or address)"
        claimed = self.world.by_print.get((row.body.get("name", ""), iso_to_ms(row.body["createdAt"])), [])
        if claimed:
            return f"candidate {', '.join(claimed)} has this name and moment, and the mark of somebody else"
        merged = self._with_its_address(row)
        return f"candidate {', '.join(merged)} has this address besides its own: merged in Ashby?" if merged else ""

    def _with_its_address(self, row: Planned) -> list[str]:
        """Marked candidates of other people that carry this person's address, which is none of theirs in Lever."""
        mail = str(row.body.get("email") or "").lower()
        return [
            key for key in self.world.by_mail.get(mail, ())
            if key in self.taken
            and mail not in self.addresses.get(self.taken[key], {mail})
            and self._origin(key) == "created"
        ]  # fmt: skip

    def _origin(self, ashby_id: str) -> str:
        mark = self.finding.marks.get(ashby_id)
        return mark.origin if mark else "created"

    # ---- what hangs on it ------------------------------------------------------------------------------------------
    def _row(self, row: Planned, candidate_id: str, notes: list[Item]) -> Outcome:
        if row.kind == APPLICATION:
            return self._application(row, candidate_id)
        if row.kind == NOTE:
            return self._note(row, notes)
        if row.kind in FILES:
            return self._file(row, candidate_id)
        try:
            body = self.finding.filled(row.body)
        except KeyError:
            return Outcome(row, "absent")
        if row.kind == FEEDBACK:
            return self._feedback(row, body)
        return read_back(row, body, self._thing(body, candidate_id))

    def _thing(self, body: Mapping[str, Any], candidate_id: str) -> Item:
        key = str(body.get("applicationId") or (body["objectId"] if body.get("objectType") == "Application" else ""))
        return self.world.applications.get(key, {}) if key else self.world.candidates.get(candidate_id, {})

    def _application(self, row: Planned, candidate_id: str) -> Outcome:
        hits = self.world.by_opportunity.get(row.lever_id, [])
        how = "marker" if hits else "fingerprint"
        if not hits:
            job = self.finding.links.get(row.body["jobId"]["$link"])
            hits = [key for key in self.world.of_candidate.get(candidate_id, ()) if self._is_application(key, row, job)]
        if len(hits) == 1:
            return self.finding.done(row, how, hits[0], request=self._sent(row))
        return parked(row, several(hits)) if hits else self.finding.gone_or(row, self.world.applications.keys())

    def _is_application(self, key: str, row: Planned, job: str | None) -> bool:
        one = self.world.applications[key]
        free = not self.world.marks("Application", one) and key not in self.finding.held
        return free and job_of(one) == job and same_moment(one.get("createdAt"), row.body.get("createdAt"))

    def _note(self, row: Planned, notes: list[Item]) -> Outcome:
        mark = marker_of(row.body)
        hits = [str(one["id"]) for one in notes if marker_of(one.get("content")) == mark]
        if len(hits) == 1:
            return self.finding.done(row, "marker", hits[0], request=self._sent(row))
        if hits:
            return parked(row, several(hits))
        bare = [
            str(one["id"]) for one in notes
            if not marker_of(one.get("content")) and same_moment(one.get("createdAt"), row.body.get("createdAt"))
        ]  # fmt: skip
        why = f"note {bare[0]} has its moment, and no marker line" if bare else ""
        return self.finding.gone_or(row, [str(one["id"]) for one in notes], why)

    def _feedback(self, row: Planned, body: Mapping[str, Any]) -> Outcome:
        marks = frozenset(markers_in(row.body))
        forms = self.world.feedback.get(body["applicationId"], ())
        hits = [one.ashby_id for one in forms if one.markers == marks]
        if len(hits) == 1:
            return self.finding.done(row, "marker", hits[0], request=dict(body))
        there = [one.ashby_id for one in forms]
        return parked(row, several(hits)) if hits else self.finding.gone_or(row, there)

    def _file(self, row: Planned, candidate_id: str) -> Outcome:
        hits = file_ids(self.world.candidates[candidate_id], _name(row))
        if len(hits) == 1:
            return self.finding.done(row, "name", hits[0], request=self._sent(row))
        there = [str(one.get("id")) for one in files_of(self.world.candidates[candidate_id])]
        return parked(row, several(hits)) if hits else self.finding.gone_or(row, there)

    def _sent(self, row: Planned) -> dict[str, Any] | None:
        """The body as it must have been sent; None when something it refers to is not known."""
        try:
            return self.finding.filled(row.body) | ({"$name": _name(row)} if row.kind in FILES else {})
        except KeyError:
            return None


def _with_versions(made: list[Outcome], versions: list[Outcome]) -> list[Outcome]:
    """Outcomes in which notes that were written anew stand as they were carried out."""
    ids = {one.row.row_id for one in versions}
    return [one for one in made if one.row.row_id not in ids] + versions


def _name(row: Planned) -> str:
    return str(row.body[FILES[row.kind]]["$file"]["filename"])

"""Counts per object: in Lever, left out by a rule, planned, done, looked for in Ashby, found there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.store import Store
from lib.validate.expected import FILES, OBJECTS, Row, is_done, lever_id_of, object_of
from lib.validate.findings import REFUSED, Findings, Subject
from lib.validate.shelf import Pairs, Scratch, Shelf
from lib.validate.values import last_marker

SHOWN = 200
"""So many ids of one kind are named; a further row says how many more there are."""
_LABELS = {"opportunity": "application", "posting": "job", "resume": "file", "offer": "file", "contact": "candidate"}
"""Which object a Lever type becomes, where the names differ."""
_BY_RULE = ("deleted in Lever", "anonymised in Lever", "a draft", "the file is")
"""Beginnings of reasons in the loss list that can be told from Lever's own data: these are not taken on trust."""
_IN_PART = ("(bytes)", "(text)", "(offer)")
"""Losses of what is not the whole object: bytes are looked up in the store, and "(offer)" tells of the note alone."""
_LOOKED = {
    "tag on a candidate": [("candidate", "tags")],
    "custom-field value": [(name, "customFields") for name in ("candidate", "application", "job")],
}


class Tally:
    """Rows of the plan by object, and the Lever ids that have a row; ids are on disk."""

    def __init__(self, scratch: Scratch) -> None:
        self.planned: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self._scratch = scratch
        self._ids: dict[str, Pairs] = {}
        self.applications, self.people, self.links, self.told, self.files = (Pairs(scratch) for _ in range(5))

    def ids(self, lever_type: str) -> Pairs:
        """The Lever ids of this type that have a row."""
        if lever_type not in self._ids:
            self._ids[lever_type] = Pairs(self._scratch)
        return self._ids[lever_type]

    def more(self) -> Pairs:
        """Room for further ids."""
        return Pairs(self._scratch)

    def add(self, rows: Iterable[Row]) -> None:
        """Count rows."""
        for row, entry in rows:
            name, done = object_of(row), is_done(row, entry)
            weight = len(row.body["values"]) if row.kind == "customField.setValues" else 1
            self.states[state_of((row, entry))] += 1
            self.ids(row.lever_type).add(lever_id_of(row))
            if row.kind == "application.create":
                self.applications.add(row.lever_id)
            if row.lever_type == "opportunity" and last_marker(row.body).startswith("[Lever opportunity "):
                self.told.add(lever_id_of(row))
            if row.kind in FILES:
                self.files.add(row.lever_id)
            if row.person:
                self.people.add(row.person)
            if row.link:
                self.links.add(row.link)
            self.planned[name] += weight
            self.done[name] += weight * done


def state_of(row: Row) -> str:
    """planned, intended, again, done, changed, refused, unknown or parked."""
    planned, entry = row
    if entry is None:
        return "planned"
    return "changed" if entry.state == "done" and entry.body_hash != planned.body_hash else entry.state


class Lacking:
    """Rows that are not done: counted by kind and state, and the facts of those that will be named, on disk.

    What Ashby refused, and what waits for it, was set aside in the open: it forbids a certificate, not the next step.
    """

    def __init__(self, scratch: Scratch, links: Mapping[str, str]) -> None:
        self.n_waiting = 0
        self._scratch, self._links = scratch, links
        self._never, self._none_refused = Pairs(scratch), True  # links that no row will make
        self._counts: Counter[tuple[str, str]] = Counter()
        self._named: dict[tuple[str, str], Shelf] = {}

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows, in plan order: what is referred to comes first."""
        for row in rows:
            planned, entry = row
            state = "waiting" if self._waits(row) else state_of(row)
            self.n_waiting += state == "waiting"
            if state in ("refused", "waiting") and planned.link and planned.link not in self._links:
                self._never.add(planned.link)
            self._none_refused &= state != "refused"
            group = (planned.kind, state)
            self._counts[group] += 1
            if self._counts[group] <= SHOWN or _severity(state) == REFUSED:
                shelf = self._named.setdefault(group, Shelf(self._scratch))
                code = entry.code if entry is not None else ""
                shelf.put([(planned.row_id, (object_of(planned), planned.lever_id, code))])

    def _waits(self, row: Row) -> bool:
        """Whether a row cannot be sent: it refers to what a refused row, or such a row, was to make."""
        if self._none_refused or state_of(row) != "planned":
            return False
        return any(link in self._never for link in references(row[0].body))

    def name(self, findings: Findings) -> None:
        """Every such row by name, or a number of one kind: it is not in Ashby, or nobody knows whether it is."""
        for group, shelf in sorted(self._named.items(), key=lambda one: one[0]):
            state = group[1]
            for row_id, (kind, lever_id, code) in shelf.pairs():
                what = "waits for a row that was refused" if state == "waiting" else f"is {state}"
                told = f"row {row_id} {what}{f' ({code})' if code and state != 'waiting' else ''}: not loaded"
                about = Subject(kind, lever_id)
                findings.differ(about, "(row)", kind="missing", detail=told, severity=_severity(state))
            if self._counts[group] > len(shelf):
                told = f"{self._counts[group] - len(shelf)} more rows are {state}"
                first = next(shelf.all())[0]
                findings.differ(Subject(first, ""), "(row)", kind="missing", detail=told)


def _severity(state: str) -> str:
    return REFUSED if state in ("refused", "waiting") else "critical"


def references(value: Any) -> Iterator[str]:
    """All links that a body refers to."""
    if isinstance(value, dict):
        if isinstance(value.get("$link"), str):
            yield value["$link"]
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            yield from references(child)


@dataclass
class Source:
    """What Lever has, per object: ids, and why an id may be left out."""

    n_lever: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    open_ids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    confidential: set[str] = field(default_factory=set)


def count_lever(store: Store, tally: Tally, *, losses: list[dict[str, Any]], by_posting: bool = False) -> Source:
    """Account for every opportunity, contact, note, feedback, file and posting that Lever gave.

    Where the scope chooses among postings (`by_posting`), one on which no candidacy that moves hangs needs no job.
    """
    made = Source()
    stays = _opportunities(store, tally, made)
    outside = {"note": "notes", "feedback": "feedback", "file": "files", "resume": "resumes", "offer": "offers"}
    silent = _silent(losses)
    kept_back = {
        (name, item["id"]) for opportunity in stays if opportunity not in silent
        for name, stream in outside.items()
        for item in store.of(stream, opportunity)
    }  # fmt: skip
    for name, stream in outside.items():
        _children(store, stream, name, tally=tally, kept_back=kept_back, made=made)
    used = _used_postings(store, tally) if by_posting else set()
    for item in store.all("postings"):
        made.n_lever["job"] = made.n_lever.get("job", 0) + 1
        if f"job:{item['id']}" in tally.links:
            continue
        if by_posting and item["id"] not in used:
            made.reasons["job"]["outside policy.scope: no candidacy that moves hangs on it"] += 1
        else:
            made.open_ids["posting"].append(item["id"])
    _by_losses(made, losses)
    return made


def _silent(losses: list[dict[str, Any]]) -> set[str]:
    """Candidacies that are withheld themselves (confidential notes, by policy) while their files and forms move."""
    return {
        one for loss in losses if loss.get("field") in ("(no job)", "(repeat candidacy)")
        for one in loss.get("ids") or () if loss.get("treatment") == "never"
    }  # fmt: skip


def _used_postings(store: Store, tally: Tally) -> set[str]:
    """Postings of the candidacies that move."""
    found = set()
    for item in store.all("opportunities"):
        if item["id"] in tally.applications or item["id"] in tally.told:
            for application in item.get("applications") or []:
                posting = application.get("posting") if isinstance(application, dict) else None
                found.add(str(posting.get("id") if isinstance(posting, dict) else posting))
    return found


def _opportunities(store: Store, tally: Tally, made: Source) -> list[str]:
    """Count opportunities and contacts; returns the opportunities of which nothing is planned."""
    deleted = {item["id"] for item in store.all("opportunities_deleted")}
    moving, contacts, stays = tally.more(), tally.more(), []
    for item in store.all("opportunities"):
        lever_id, contact = item["id"], item.get("contact")
        key = str(contact.get("id")) if isinstance(contact, dict) else str(contact)
        gone = isinstance(contact, dict) and contact.get("isAnonymized")
        made.n_lever["application"] = made.n_lever.get("application", 0) + 1
        contacts.add(key)
        if item.get("confidentiality") == "confidential":
            made.confidential.add(lever_id)
        if lever_id in tally.applications:
            moving.add(key)
        elif lever_id in tally.told:
            moving.add(key)
            made.reasons["application"]["told in a note"] += 1
        else:
            stays.append(lever_id)
            if lever_id in deleted or item.get("deletedAt"):
                made.reasons["application"]["deleted in Lever"] += 1
            elif item.get("isAnonymized") or gone:
                made.reasons["application"]["anonymised in Lever"] += 1
            else:
                made.open_ids["opportunity"].append(lever_id)
    _people(store, tally, made, contacts=contacts, moving=moving)
    return stays


def _people(store: Store, tally: Tally, made: Source, *, contacts: Pairs, moving: Pairs) -> None:
    everybody, still = tally.more(), tally.more()
    person = tally.more()
    for row in store.members():
        person.add(row["contact"], row["person"])
    for contact in contacts:
        one = next(iter(person.of(contact)), None)
        everybody.add(one or contact)
        if contact in moving:
            if one is None or one not in tally.people:
                made.open_ids["contact"].append(contact)
        elif (one or contact) not in tally.people:
            still.add(one or contact)
    made.n_lever["candidate"] = len(everybody)
    if still:
        made.reasons["candidate"]["none of their candidacies moves"] = len(still)


def _children(
    store: Store, stream: str, name: str, *, tally: Tally, kept_back: set[tuple[str, str]], made: Source
) -> None:
    label = "file" if name in ("resume", "offer") else name
    for item in store.all(stream):
        lever_id = item["id"]
        if (name == "offer" and not item.get("signedDocument")) or (name == "resume" and not item.get("file")):
            continue  # holds no bytes
        made.n_lever[label] = made.n_lever.get(label, 0) + 1
        if lever_id in tally.ids(name):
            continue
        file = store.file(f"{lever_id}:signed" if name == "offer" else lever_id) if label == "file" else None
        if item.get("deletedAt"):
            made.reasons[label]["deleted in Lever"] += 1
        elif (name, lever_id) in kept_back:
            made.reasons[label]["its candidacy does not move"] += 1
        elif name == "feedback" and not item.get("completedAt"):
            made.reasons[label]["a draft"] += 1
        elif file is not None and file.state != "stored":
            made.reasons[label][f"{file.state} at the source"] += 1
        else:
            made.open_ids[name].append(lever_id)


def _by_losses(made: Source, losses: list[dict[str, Any]]) -> None:
    """Set aside what the loss list names, id by id, as left out as a whole. A count alone accounts for nothing."""
    for lever_type, ids in made.open_ids.items():
        label = _LABELS.get(lever_type, lever_type)
        for loss in losses:
            whole = str(loss.get("field", "")).startswith("(") and loss.get("lever_type") == lever_type
            out = loss.get("treatment") in ("never", "archived only") and loss.get("field") not in _IN_PART
            reason = str(loss.get("reason", ""))
            if whole and out and not reason.startswith(_BY_RULE):
                named = set(loss.get("ids") or loss.get("examples") or ())
                left = [one for one in ids if one not in named]
                if len(left) < len(ids):
                    made.reasons[label][f"by the loss list: {reason}"] += len(ids) - len(left)
                    ids[:] = left


def name_unexplained(made: Source, *, findings: Findings) -> None:
    """Every Lever object that neither the plan nor a rule accounts for."""
    for lever_type, ids in sorted(made.open_ids.items()):
        for lever_id in ids[:SHOWN]:
            about = Subject(lever_type, lever_id)
            findings.differ(about, "(plan)", kind="missing", detail="neither planned nor left out by a rule")
        if len(ids) > SHOWN:
            about = Subject(lever_type, "")
            findings.differ(about, "(plan)", kind="missing", detail=f"{len(ids) - SHOWN} more are not accounted for")


def _n_moves(made: Source, name: str, n_other: int) -> int | None:
    """How many of Lever's objects the plan moves; a long note becomes several, so that more may be planned."""
    return made.n_lever[name] - n_other if name in made.n_lever else None


def count_rows(tally: Tally, made: Source, findings: Findings) -> list[dict[str, Any]]:
    """The table of counts. Notes are looked for by sample, all else as a whole."""
    open_of: Counter[str] = Counter()
    for lever_type, ids in made.open_ids.items():
        open_of[_LABELS.get(lever_type, lever_type)] += len(ids)
    rows = []
    for name in OBJECTS:
        looked = _LOOKED.get(name, [(name, "(exists)")])
        reasons = made.reasons.get(name, Counter())
        rows.append(
            {
                "object": name,
                "n_lever": made.n_lever.get(name),
                "n_left_out": sum(reasons.values()) if name in made.n_lever else None,
                "n_unexplained": open_of[name] if name in made.n_lever else None,
                "n_moves": _n_moves(made, name, sum(reasons.values()) + open_of[name]),
                "n_planned": tally.planned[name],
                "n_done": tally.done[name],
                "n_checked": sum(findings.expected[key] for key in looked),
                "n_found": sum(findings.equal[key] for key in looked),
                "left_out_because": "; ".join(f"{reason} {n}" for reason, n in sorted(reasons.items())),
            }
        )
    return rows

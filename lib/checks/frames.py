"""The tables that the suites look at: ids, times, and facts about records as true or false; no names, no texts."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice, pairwise
from typing import Any, Protocol

from pandas import DataFrame, Series

from lib.checks.seen import Seen

Item = dict[str, Any]
Part = dict[str, DataFrame]
PART = 50_000
"""Rows of a table that are in memory at once."""
CHILDREN = ("notes", "feedback", "resumes", "files", "forms", "offers", "interviews", "referrals")
QUIET = ("candidate.update", "application.update", "candidate.createNote")
"""Endpoints that can tell people, and have `sendNotifications` (Ashby's reference)."""
LOUD = ("archiveEmail", "startAutomaticActivities")
_FILES = {"candidate.uploadFile": "fileHandle", "candidate.uploadResume": "resumeHandle"}
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
_MARKED = re.compile(r"\[Lever [a-z]+ [^\]\n]+\]\s*\Z")
_PLACEHOLDER = re.compile(
    r"(?:no|not|none|null|na|nil|unknown|missing|noreply|no-reply|donotreply|nobody|noemail|no-?e?mail|test|fake|dummy|"
    r"example|placeholder)\d*@|.*@(?:no-?e?mail\..+|none\.com|fake\.com|dummy\.com|(?:.+\.)?invalid)\Z"
)


class Reader(Protocol):
    """The part of the store that is read."""

    def all(self, stream: str) -> Iterator[Item]:
        """Newest body of each object of a stream."""

    def placed(self, stream: str) -> Iterator[tuple[str, Item]]:
        """The same, with the id of the parent before each body."""

    def files(self) -> Iterator[Any]:
        """All binary files."""

    def people(self) -> Iterator[Item]:
        """People of the last dedupe."""

    def members(self) -> Iterator[Item]:
        """{contact, person, why} of the last dedupe."""


def extracted_frames(reader: Reader) -> Iterator[Part]:
    """Tables of what was extracted, in parts: opportunities, children, files, postings.

    The first part holds `known`, too: the ids that others refer to.
    """
    postings = _frame([_posting(one) for one in reader.all("postings")], ("lever_id", "has_title", "state"))
    yield {"known": _frame(list(_known(reader)), ("lever_id", "kind")), "postings": postings}
    ids = Seen()
    for part in _parts("opportunities", map(_opportunity, reader.all("opportunities")), _OPPORTUNITY):
        ids.add(part["opportunities"]["lever_id"])
        yield part
    for part in _parts("children", _children(reader), ("lever_id", "stream", "parent", "created_ms")):
        parents = part["children"]["parent"]
        yield {"children": part["children"].assign(parent=parents.where(ids.holds(parents), None))}
    yield from _parts("files", map(_file, reader.files()), ("lever_id", "state", "sha256", "size"))


def _parts(table: str, rows: Iterable[Item], columns: Iterable[str]) -> Iterator[Part]:
    """A table in parts; an empty one where it has no rows."""
    rest, names = iter(rows), list(columns)
    batch = list(islice(rest, PART))
    yield {table: _frame(batch, names)}
    while batch := list(islice(rest, PART)):
        yield {table: _frame(batch, names)}


_OPPORTUNITY = (
    "lever_id", "contact", "created_ms", "updated_ms", "stage", "archive_reason", "archived_ms", "owner", "posting",
    "n_stage_changes", "changes_dated",
)  # fmt: skip


def _frame(rows: list[Item], columns: Iterable[str]) -> DataFrame:
    return DataFrame(rows, columns=list(columns))


def _ident(value: Any) -> str | None:
    value = value.get("id") if isinstance(value, dict) else value
    return value if isinstance(value, str) and value else None


def _ms(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _opportunity(item: Item) -> Item:
    archived, changes = item.get("archived") or {}, item.get("stageChanges") or []
    first = next(iter(item.get("applications") or []), None)
    return {
        "lever_id": item["id"],
        "contact": _ident(item.get("contact")),
        "created_ms": _ms(item.get("createdAt")),
        "updated_ms": _ms(item.get("updatedAt")),
        "stage": _ident(item.get("stage")),
        "archive_reason": _ident(archived.get("reason")),
        "archived_ms": _ms(archived.get("archivedAt")),
        "owner": _ident(item.get("owner")),
        "posting": _ident(first.get("posting")) if isinstance(first, dict) else None,
        "n_stage_changes": len(changes),
        "changes_dated": all(change.get("updatedAt") and _ident(change.get("toStageId")) for change in changes),
    }


def _children(reader: Reader) -> Iterator[Item]:
    """Every child of every list, with its parent."""
    for stream in CHILDREN:
        for parent, item in reader.placed(stream):
            created = item.get("createdAt") or item.get("uploadedAt")
            yield {"lever_id": item["id"], "stream": stream, "parent": parent, "created_ms": _ms(created)}


def _file(row: Any) -> Item:
    size = math.nan if row.size is None else float(row.size)
    return {"lever_id": row.lever_id, "state": row.state, "sha256": row.sha256, "size": size}


def _posting(item: Item) -> Item:
    return {"lever_id": item["id"], "has_title": bool(str(item.get("text") or "").strip()), "state": item.get("state")}


def _known(reader: Reader) -> Iterator[Item]:
    """Ids that opportunities may refer to, by kind."""
    kinds = {
        "stages": "stage", "archive_reasons": "archive_reason", "users": "owner", "postings": "posting",
        "postings_deleted": "posting",
    }  # fmt: skip
    for stream, kind in kinds.items():
        yield from ({"lever_id": item["id"], "kind": kind} for item in reader.all(stream))


def people_frames(reader: Reader) -> Iterator[Part]:
    """Tables of the dedupe, in parts: people, members, contacts (each contact that has an opportunity)."""
    surnames = _surnames(reader)
    persons, contacts, named = Seen(), Seen(), Seen()
    for part in _parts("people", (_person(row, surnames) for row in reader.people()), _PERSON):
        persons.add(part["people"]["lever_id"])
        yield part
    members = ({"lever_id": row["contact"], "person": row["person"], "why": row.get("why")} for row in reader.members())
    for part in _parts("members", members, ("lever_id", "person", "why")):
        contacts.add(part["members"]["lever_id"])
        yield {"members": part["members"].assign(is_there=persons.holds(part["members"]["person"]))}
    found = ({"lever_id": _ident(item.get("contact"))} for item in reader.all("opportunities"))
    for part in _parts("contacts", found, ("lever_id",)):
        frame = part["contacts"].dropna().drop_duplicates()
        frame = frame[~named.add(frame["lever_id"])]
        yield {"contacts": frame.assign(is_somebody=contacts.holds(frame["lever_id"]))}


_PERSON = (
    "lever_id", "has_name", "email_well_formed", "email_names_somebody", "best_email_first", "email", "ashby_id",
    "match", "created_ms", "n_contacts", "n_surnames",
)  # fmt: skip


def _person(row: Item, surnames: dict[str, set[str]]) -> Item:
    email = str(row.get("email") or "").strip()
    others = [str(one) for one in row.get("alternate_emails") or []]
    placeholder = _PLACEHOLDER.match(email.casefold()) is not None
    return {
        "lever_id": str(row["person"]),
        "has_name": bool(str(row.get("name") or "").strip()),
        "email_well_formed": not email or re.fullmatch(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+", email) is not None,
        "email_names_somebody": not placeholder,
        "best_email_first": not placeholder or all(_PLACEHOLDER.match(one.casefold()) for one in others),
        "email": email.casefold() or None,
        "ashby_id": row.get("ashby_id") or None,
        "match": row.get("match"),
        "created_ms": _ms(row.get("created_ms")),
        "n_contacts": int(row.get("n_contacts") or 0),
        "n_surnames": len(surnames.get(str(row["person"]), ())),
    }


def _surnames(reader: Reader) -> dict[str, set[str]]:
    """{person: last words of their names, case-folded} of those who were joined without asking."""
    silent = {row["contact"]: row["person"] for row in reader.members() if row.get("why") == "same e-mail address"}
    found: dict[str, set[str]] = defaultdict(set)
    for item in reader.all("opportunities") if silent else ():
        person = silent.get(_ident(item.get("contact")) or "")
        if person is not None:
            found[person] |= set(_plain(str(item.get("name") or "")).split()[-1:])
    return found


def _plain(name: str) -> str:
    """A name without accents and capitals, so that two spellings of one surname are one."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    return "".join(letter for letter in plain if letter.isalpha() or letter.isspace())


def plan_frames(rows: Iterable[Any]) -> Iterator[Part]:
    """Tables of a plan, from its rows in order, in parts: rows, and people with what they may have once only."""
    plan, made, people = _Plan(), list[Item](), list[Item]()
    n_parts = 0
    for row in rows:
        made.append(plan.row(row))
        people += plan.ended()
        if len(made) >= PART:
            yield {"rows": _frame(made, _ROW), "people": _frame(people, _PERSON_OF_PLAN)}
            made, people, n_parts = [], [], n_parts + 1
    people += plan.ended(last=True)
    if made or people or not n_parts:
        yield {"rows": _frame(made, _ROW), "people": _frame(people, _PERSON_OF_PLAN)}


class _Plan:
    """What came before in a plan, of which a person's rows stand together, after those of the set-up."""

    def __init__(self) -> None:
        self._set_up, self._own = set[str](), set[str]()  # row ids: a row may need these and no others
        self._last_seq = {"": -1}
        self._person = ""
        self._counts, self._names = Counter[str](), Counter[str]()
        self._over = set[int]()  # hashes of the people whose rows have ended
        self._ended: list[Item] = []

    def row(self, row: Any) -> Item:
        """Facts of one row."""
        if row.person and row.person != self._person:
            self._end()
            self._person = row.person
        facts = _plan_row(row)
        facts["needs_met"] = all(one in self._own or one in self._set_up for one in row.needs)
        facts["in_order"] = row.seq > self._last_seq.get(row.person, -1) and hash(row.person) not in self._over
        self._last_seq[row.person] = row.seq
        (self._own if row.person else self._set_up).add(row.row_id)
        if row.person:
            _count_person(self._counts, row)
            if row.kind in _FILES:
                self._names[str(_file_of(row).get("filename")).casefold()] += 1
        return facts

    def ended(self, *, last: bool = False) -> list[Item]:
        """The people whose rows have ended since the last question; with `last` the one in hand, too."""
        if last:
            self._end()
        found, self._ended = self._ended, []
        return found

    def _end(self) -> None:
        if not self._person:
            return
        counts = self._counts
        self._ended.append(
            {
                "lever_id": self._person, "n_candidates": counts["candidate"], "n_resumes": counts["resume"],
                "n_markers": counts["marker"], "n_same_file_names": sum(n - 1 for n in self._names.values()),
            }
        )  # fmt: skip
        self._over.add(hash(self._person))
        self._last_seq = {"": self._last_seq[""]}
        self._own, self._counts, self._names, self._person = set(), Counter(), Counter(), ""


_PERSON_OF_PLAN = ("lever_id", "n_candidates", "n_resumes", "n_markers", "n_same_file_names")
_ROW = (
    "lever_id", "kind", "lever_type", "body_hash", "needs_met", "in_order", "created_at", "history_in_order", "quiet",
    "marked", "has_name", "file_described", "fingerprint", "has_owner",
)  # fmt: skip


def _plan_row(row: Any) -> Item:
    """Facts of one row; `lever_id` is its row id, which names it better than the id alone."""
    body, kind = row.body, row.kind
    created = kind == "candidate.create"
    return {
        "lever_id": row.row_id,
        "kind": kind,
        "lever_type": row.lever_type,
        "body_hash": row.body_hash,
        "created_at": body.get("createdAt"),
        "history_in_order": _history_in_order(body),
        "quiet": not any(_names(body, LOUD)) and (kind not in QUIET or body.get("sendNotifications") is False),
        "marked": _is_marked(kind, body),
        "has_name": not created or bool(str(body.get("name") or "").strip()),
        "file_described": kind not in _FILES or _is_described(_file_of(row)),
        "fingerprint": _fingerprint(body) if created else None,
        "has_owner": bool(row.person) or kind.startswith(("customField.", "candidateTag.", "job.")) or kind == "link",
    }


def _names(value: Any, wanted: tuple[str, ...]) -> Iterator[str]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict):
        yield from (name for name in value if name in wanted)
    for child in children:
        yield from _names(child, wanted)


def _history_in_order(body: Item) -> bool:
    history = body.get("applicationHistory")
    if history is None:
        return True
    times = [_moment(one.get("enteredStageAt")) for one in history]
    if None in times or (body.get("createdAt") and times and _moment(body["createdAt"]) > times[0]):
        return False
    numbered = [one.get("stageNumber") for one in history] == list(range(len(history)))
    return numbered and all(one < other for one, other in pairwise(times))


def _moment(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def _is_marked(kind: str, body: Item) -> bool:
    if kind == "candidate.createNote":
        note = body.get("note")
        return _MARKED.search(str(note.get("value") if isinstance(note, dict) else note)) is not None
    if kind == "applicationFeedback.submit":
        values = [one.get("value") for one in (body.get("feedbackForm") or {}).get("fieldSubmissions") or []]
        texts = [one.get("value") if isinstance(one, dict) else one for one in values]
        return any(_MARKED.search(text) for text in texts if isinstance(text, str))
    return True


def _file_of(row: Any) -> Item:
    return (row.body.get(_FILES[row.kind]) or {}).get("$file") or {}


def _is_described(file: Item) -> bool:
    size = file.get("contentLength")
    return (
        re.fullmatch(r"[0-9a-f]{64}", str(file.get("sha256"))) is not None
        and isinstance(size, int)
        and size >= 0
        and bool(file.get("filename"))
        and bool(file.get("contentType"))
    )


def _fingerprint(body: Item) -> int:
    parts = (body.get("name"), body.get("email"), body.get("createdAt"))
    return hash(tuple(str(part or "").casefold() for part in parts))


def _count_person(counts: Counter[str], row: Any) -> None:
    is_candidate = str(row.link or "").startswith("candidate:")
    counts["candidate"] += row.kind == "candidate.create" or (row.kind == "link" and is_candidate)
    counts["resume"] += row.kind == "candidate.uploadResume"
    if row.kind == "customField.setValues" and row.body.get("objectType") == "Candidate":
        ids = [one["fieldId"] for one in row.body["values"]]
        links = [str(one.get("$link", "")) for one in ids if isinstance(one, dict)]
        counts["marker"] += sum(one.endswith(":Lever contact ID") for one in links)


def sample_frames(sample: DataFrame) -> dict[str, DataFrame]:
    """The sample of a validation, one table per object and weight: `<object>` and `<object>: minor`."""
    frames = {"all": sample}
    for (kind, severity), part in sample.groupby(["object", "severity"], sort=True) if len(sample) else ():
        frames[kind if severity == "critical" else f"{kind}: minor"] = part.reset_index(drop=True)
    return frames


def values(frame: DataFrame, kind: str) -> list[str]:
    """Ids of one kind in the table `known`."""
    chosen: Series = frame.loc[frame["kind"] == kind, "lever_id"]
    return sorted(set(chosen))

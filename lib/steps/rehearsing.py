"""The plan before there is one: people and decisions as proposed, compiled from what has been read so far.

The same code makes the plan in 04_map. What is not decided yet is taken as proposed, and where nothing is proposed as
something that costs as much; nothing of it is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from lib import mapping
from lib.decisions import DecisionTable
from lib.load.cost import adopted_in, calls_of
from lib.steps.rehearsing_people import Cast
from lib.store import Store, dumps
from lib.store.reading import Reading
from lib.validate.cost import Sketch, sketch
from lib.workbook import Workbook

CHILDREN = ("notes", "feedback", "resumes", "files", "forms", "offers", "interviews", "referrals")
FALLBACK = {"sources": "none", "users": "none", "stages": "history note", "custom_fields": "note"}
FALLBACK |= {"feedback_forms": "note", "feedback_fields": "text", "tags": "keep", "postings": "new"}
Item = dict[str, Any]
Keys = tuple[str, ...]


class Glimpse:
    """The store as the mapping reads it, with the child lists of some opportunities only, and some people only."""

    def __init__(self, store: Store, *, shown: Container[str], contacts: Collection[str] | None = None) -> None:
        self._store, self._shown, self._contacts = store, shown, contacts

    def all(self, stream: str) -> Iterator[Item]:
        """Newest body of each object of a stream; opportunities of the chosen people only."""
        if stream != "opportunities" or self._contacts is None:
            return self._store.all(stream)
        return (item for contact in sorted(self._contacts) for item in self._store.of(stream, contact))

    def of(self, stream: str, parent_id: str) -> list[Item]:
        """Children of one parent; none where they are not shown."""
        hidden = stream in CHILDREN and parent_id not in self._shown
        return [] if hidden else self._store.of(stream, parent_id)

    def get(self, stream: str, lever_id: str) -> Item | None:
        """One object."""
        return self._store.get(stream, lever_id)

    def file(self, lever_id: str) -> Any:
        """The stored file of a Lever id, or None."""
        return self._store.file(lever_id)

    def ashby(self, kind: str) -> list[Item]:
        """Objects of the target that were there before us."""
        return self._store.ashby(kind)

    def standing(self, kind: str) -> Iterator[Item]:
        """The same, one after the other."""
        return Reading(self._store).standing(kind)

    def stood(self, kind: str, ashby_id: str) -> Item | None:
        """One of them."""
        return Reading(self._store).stood(kind, ashby_id)


@dataclass(frozen=True)
class Role:
    """What one person costs: calls of the load by endpoint, what a validation would look at, bytes of all bodies."""

    calls: Counter[str]
    sketch: Sketch | None
    n_bytes: int


class Rehearsal:
    """Compiles people of a cast; the decisions are made once, from all opportunities and the child lists shown."""

    def __init__(self, book: Workbook, who: Cast, *, shown: Container[str], now_ms: int) -> None:
        """GateError when Ashby lacks what the plan cannot do without (a plan, an archive reason …)."""
        self._store, self._who, self._now_ms = book.store, who, now_ms
        policy = book.params.policy
        gentle = {"confidential_as_new": True}
        gentle |= {"existing_candidates": "link"} if policy.existing_candidates == "review" else {}
        self._policy = policy.model_copy(update=gentle)
        reader = Glimpse(book.store, shown=shown)
        tables = {file.stem: book.table(file.stem) for file in book.params_folder.glob("*.csv")}
        made = mapping.propose(reader, policy=self._policy, tables=tables, now_ms=now_ms)
        tables |= {name: _filled(self._store, book.table(name).merge(rows)) for name, rows in made.items()}
        self._decisions = mapping.decide(tables, reader, policy=self._policy, now_ms=now_ms)
        items = book.store.all("opportunities")
        self._confidential = {one["id"] for one in items if one.get("confidentiality") == "confidential"}
        self.set_up = list(self._rows([], shown=()))
        self._adopted = adopted_in(self.set_up)
        self._links = {row.link: str(row.body["ashbyId"]) for row in self.set_up if row.kind == "link" and row.link}

    def set_up_calls(self) -> Counter[str]:
        """Calls for fields, tags and jobs."""
        return calls_of(self.set_up, adopted=self._adopted)

    def roles(self, people: Collection[str], *, shown: Container[str]) -> dict[str, Role]:
        """{person: role} of those who move, with the child lists of the opportunities `shown`."""
        rows = (row for row in self._rows(people, shown=shown) if row.person)
        return {name: self._role(name, list(group)) for name, group in groupby(rows, key=lambda row: row.person)}

    def _role(self, name: str, rows: list[Any]) -> Role:
        calls = calls_of(rows, adopted=self._adopted | adopted_in(rows))
        seen = sketch(name, rows, confidential=self._confidential, links=self._links)
        return Role(calls, seen, sum(len(dumps(row.body)) for row in rows))

    def _rows(self, people: Collection[str], *, shown: Container[str]) -> Iterator[Any]:
        chosen = set(people)
        contacts = {contact for one in chosen for contact in self._who.contacts.get(one, [])}
        frame, members = self._who.people, self._who.members
        return mapping.compile_plan(
            Glimpse(self._store, shown=shown, contacts=contacts),
            people=frame[frame["person"].isin(chosen)],
            members=members[members["person"].isin(chosen)],
            decisions=self._decisions,
            policy=self._policy,
            now_ms=self._now_ms,
        )


def _filled(store: Store, table: DecisionTable) -> DecisionTable:
    """Every open verdict as proposed; where nothing is proposed, what any account has."""
    rows = []
    for one in table.rows:
        row = dict(one)
        row["verdict"] = row["verdict"] or row.get("proposal", "") or _fallback(store, table.name)
        if table.name == "postings" and row["verdict"] == "new":
            row["team_verdict"] = row.get("team_verdict") or row.get("team_proposal") or _first(store, "departments")
            row["location_verdict"] = (
                row.get("location_verdict") or row.get("location_proposal") or _first(store, "locations")
            )
            row["plan_verdict"] = row.get("plan_verdict") or row.get("plan") or _first(store, "interview_plans")
        rows.append(row)
    columns = list(dict.fromkeys([*table.columns, *(key for row in rows for key in row)]))
    return DecisionTable(table.name, table.path, rows, columns)


def _fallback(store: Store, name: str) -> str:
    return FALLBACK.get(name) or (_first(store, "archive_reasons") if name == "archive_reasons" else "")


def _first(store: Store, kind: str) -> str:
    """The id of a living object of the target; "" when there is none."""
    return next((str(one["id"]) for one in store.ashby(kind) if not one.get("isArchived")), "")


def sizes(strata: Mapping[str, Keys], people: Mapping[str, list[str]]) -> dict[str, tuple[Keys, int]]:
    """{person: (strata from fine to coarse, number of opportunities)}, from the opportunities of each."""
    found = {}
    for person, ids in people.items():
        if ids:
            n = min(len(ids), 4)
            furthest = max((strata[one] for one in ids), key=lambda keys: keys[0])  # by which the probe chooses
            found[person] = ((f"{n} opportunities, {furthest[0]}", *furthest), len(ids))
    return found

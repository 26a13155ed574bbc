"""Walk the plan, find what of it stands in Ashby, and write that into the ledger. Sends nothing; may be killed."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from lib.ashby import Ashby
from lib.errors import NotFoundError
from lib.pool import run_all
from lib.recover.finding import Finding
from lib.recover.ours import Known, alike
from lib.recover.person import PersonFinder
from lib.recover.set_up import SetUp
from lib.recover.world import Item, World
from lib.store import Store, marks
from lib.store.ledger import AMBIGUOUS, Entry, Ledger, Planned
from lib.store.marks import WINDOW, Outcome

Progress = Callable[[int, int | None, str], None]


@dataclass
class Attach:
    """One recovery on its way. `people` are the rows of dedupe; `sent_anyway` and `since_ms` as in `Finding`."""

    store: Store
    ashby: Ashby
    world: World
    known: Known
    sent_anyway: frozenset[str] = frozenset()
    since_ms: int | None = None
    workers: int = 8
    progress: Progress = lambda done, total, note: None
    ledger: Ledger = field(init=False)
    basis: str = field(init=False)
    finding: Finding = field(init=False)
    finder: PersonFinder = field(init=False)
    _done: int = field(init=False, default=0)
    _total: int = field(init=False, default=0)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Gather what rows are looked up in."""
        self.ledger = Ledger(self.store)
        self.basis = self.ledger.plan_hash()
        members: dict[str, list[str]] = defaultdict(list)
        for row in self.store.members():
            members[row["person"]].append(row["contact"])
        links = {link: key for link, key in self.ledger.links().items() if not link.startswith(marks.PREFIX)}
        self.finding = Finding(
            self.world, links, members, self.known.contacts, marks.marks(self.store),
            self.known.crosswalk, self.sent_anyway, self.since_ms, alike(self.world, self.known.contacts),
        )  # fmt: skip
        self.finder = PersonFinder(self.finding, self._notes, taken=self._taken(), addresses=self._addresses())

    def run(self) -> None:
        """Look at every chain that was not looked at yet: set-up, people known by themselves, then the others."""
        people = [row.person for row in self.ledger.rows() if row.kind in ("link", "candidate.create") and row.person]
        seen = {key for key, basis in self.store.windows(WINDOW).items() if basis == self.basis}
        self._done, self._total = len(seen & set(people)), len(people)
        self.progress(self._done, self._total, "looking for what stands in Ashby")
        if "" not in seen:
            self._set_up()
        left = [person for person in people if person not in seen]
        others = [person for person in run_all(left, self._plain, workers=self.workers) if person]
        strange: dict[str, set[str]] = defaultdict(set)
        for one in self.store.ashby("marked_notes"):
            strange[one["marker"]].add(one["candidate"])
        for _ in run_all(others, lambda person: self._person(person, strange), workers=self.workers):
            pass

    def _set_up(self) -> None:
        opportunities: dict[str, list[str]] = defaultdict(list)
        for row in self.ledger.rows_of_kind("application.create"):
            opportunities[row.body["jobId"]["$link"].partition(":")[2]].append(row.lever_id)
        rows = list(self.ledger.rows(""))
        outcomes = SetUp(self.finding, dict(opportunities)).find(rows, self._closed(rows))
        self._keep("", outcomes, [])

    def _plain(self, person: str) -> str:
        """Look for one person; returns the person when that takes what is known of others."""
        rows = list(self.ledger.rows(person))
        if not self.finder.is_plain(rows):
            return person
        self._find(rows, {})
        return ""

    def _person(self, person: str, strange: dict[str, set[str]]) -> None:
        self._find(list(self.ledger.rows(person)), strange)

    def _find(self, rows: list[Planned], strange: dict[str, set[str]]) -> None:
        outcomes, notes = self.finder.find(rows, self._closed(rows), strange)
        self._keep(rows[0].person, outcomes, notes)
        with self._lock:
            self._done += 1
            done = self._done
        self.progress(done, self._total, self.ashby.transport.pacer.waiting_for)

    def _keep(self, chain: str, outcomes: Iterable[Outcome], notes: Iterable[Item]) -> None:
        kept = {f"{one['candidate']} {one['marker']} {one['note']}": one for one in notes}
        marks.record(self.store, outcomes, chain=chain, basis=self.basis, notes=kept)

    def _closed(self, rows: list[Planned]) -> set[str]:
        return {key for key, entry in self.ledger.of(rows).items() if not is_open(entry)}

    def _notes(self, candidate_id: str) -> list[Item]:
        try:
            return self.ashby.items("candidate.listNotes", {"candidateId": candidate_id})
        except NotFoundError:  # removed since the list was read
            return []

    def _taken(self) -> dict[str, str]:
        """{candidate: person} of all who are somebody's by a link or by a mark."""
        person_of = {contact: person for person, group in self.finding.members.items() for contact in group}
        taken = {
            key: person_of.get(contact, contact) for contact, keys in self.world.by_contact.items() for key in keys
        }
        links = self.finding.links.items()
        return taken | {key: link.partition(":")[2] for link, key in links if link.startswith("candidate:")}

    def _addresses(self) -> dict[str, set[str]]:
        return {
            row["person"]: {str(mail).lower() for mail in [row.get("email"), *(row.get("alternate_emails") or [])]}
            for row in self.store.people()
        }


def is_open(entry: Entry) -> bool:
    """True when a row may be looked at again: it has no sure outcome that a load or a look-up has found."""
    return entry.state == "again" or (entry.state == "parked" and entry.code == AMBIGUOUS)

"""The company after its "now": recruiters go on working, one edit after another, on a clock that follows from a seed.

An edit changes the company in place, as a write to Lever would, and moves the dates of the opportunity as the facts
say. The same edits on the same company give the same records, ids and times. `rebuild` makes all of it undone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.company.build import build, counted
from sandbox.company.model import NOW_MS, Company, Record

Switch = Callable[[str], str]
Edit = Callable[["Editor", random.Random, Record], Record]
Around = Callable[[], Callable[[int], None]]
"""Looks at the company before an edit; what it returns is told of the time of the edit, once that is made."""

MOVES: dict[str, str] = {
    "stage": "updated interaction advanced",
    "archive": "updated interaction advanced",
    "rearchive": "updated interaction",
    "hire": "updated interaction advanced",
    "reopen": "updated interaction",
    "note_new": "updated interaction",
    "note_comment": "updated interaction",
    "note_edit": "updated",
    "feedback_new": "updated interaction",
    "feedback_submit": "updated interaction",
    "feedback_edit": "",
    "tag": "updated",
    "source": "updated",
    "owner": "updated",
    "snooze": "updated",
    "follow": "updated",
    "sourced_by": "updated",
    "contact_edit": "updated",
    "consent": "updated",
    "anonymise": "updated",
    "merge": "updated",
    "application_delete": "updated",
    "application_edit": "updated",
    "repost": "updated",
    "confidentiality": "updated",
}
"""Which dates an edit moves: observed or documented; `reopen`, `note_comment`, `feedback_submit` are inferred.

For all other edits the vendor says nothing: those that make or change a child follow the switch `quiet_children`,
those that delete one `quiet_deletes`.
"""

RECOUNTED = ("tag", "source", "repost", "person_new", "opportunity_new", "reapply", "opportunity_delete")
"""Edits after which tags and sources have to be counted again."""


class EditError(ValueError):
    """An edit that cannot be made: nothing fits it, or its words make no sense."""


class Editor:
    """Makes edits on one company and keeps the account's clock."""

    def __init__(self, company: Company, *, switch: Switch, kinds: Mapping[str, Edit]) -> None:
        """Start at the company's "now"; ``kinds`` are the edits by name."""
        self.company = company
        self._switch = switch
        self._kinds = kinds
        self.around: Around = lambda: lambda at: None
        self._size = len(company.people)
        self.clear()

    def clear(self) -> None:
        """Forget the log and set the clock back; the records stay as they are (see ``rebuild``)."""
        self.log: list[Record] = []
        self._clock_ms = NOW_MS
        self.waited_ms = 0
        self._serial = 0

    def rebuild(self) -> None:
        """Undo every edit: the company is made again from its seed, in the same object."""
        if self._serial or self.log:
            vars(self.company).update(vars(build(seed=self.company.seed, people=self._size, shape=self.company.shape)))
        self.clear()

    # ---- time ------------------------------------------------------------------------------------------------------
    @property
    def now_ms(self) -> int:
        """The account's clock: nothing in the account is later. It stands still between edits (or is the machine's)."""
        if self._switch("lever_clock") == "machine":
            return max(self._clock_ms, time.time_ns() // 1_000_000)
        return self._clock_ms

    def wait(self, ms: int) -> None:
        """Let time pass without an edit."""
        self.waited_ms += ms
        self._clock_ms += ms

    # ---- edits -----------------------------------------------------------------------------------------------------
    def seeded(self, n: int, rng: random.Random, weights: Mapping[str, float]) -> list[Record]:
        """Make ``n`` edits of the weighted kinds; EditError when none of the kinds is possible any more."""
        return [self.one(rng, weights) for _ in range(n)]

    def one(self, rng: random.Random, weights: Mapping[str, float]) -> Record:
        """Make one edit; a kind for which nothing fits gives way to another."""
        left = dict(weights)
        while left:
            kind = rng.choices(list(left), list(left.values()))[0]
            try:
                return self.apply({"kind": kind}, rng)
            except EditError:
                del left[kind]
        raise EditError(f"nothing is left that {', '.join(weights)} could be done to")

    def apply(self, wanted: Record, rng: random.Random | None = None) -> Record:
        """Make the edit ``{"kind", ...}``, on the named objects or on some that fit; answers what was edited."""
        kind = wanted.get("kind")
        if kind not in self._kinds:
            raise EditError(f"unknown kind of edit: {kind}")
        serial, clock = self._serial, self._clock_ms
        self._serial += 1
        rng = rng or self.company.rng(f"edit:{self._serial}")
        step = rng.randrange(200, 2_000)
        tell = self.around()
        machine = self._switch("lever_clock") == "machine"
        self._clock_ms = max(clock + 1, self.now_ms) if machine else clock + step
        try:
            done = {"kind": kind, "at": self._clock_ms} | self._kinds[kind](self, rng, wanted)
        except EditError:
            self._serial, self._clock_ms = serial, clock
            raise
        self.log.append(done)
        if kind in RECOUNTED:
            self._recount()
        tell(self._clock_ms)
        return done

    def new_id(self, what: str) -> str:
        """A new id, the same for the same edit of the same company."""
        return self.company.uuid(f"edit:{self._serial}:{what}")

    @property
    def serial(self) -> int:
        """The number of the edit that is being made."""
        return self._serial

    @property
    def at(self) -> int:
        """The time of the edit that is being made."""
        return self._clock_ms

    def says(self, name: str) -> str:
        """The value of a switch."""
        return self._switch(name)

    # ---- what edits need -------------------------------------------------------------------------------------------
    def touch(self, item: Record, kind: str) -> None:
        """Move the dates of an opportunity as an edit of this kind does."""
        moves = MOVES.get(kind)
        if moves is None:
            quiet = self._switch("quiet_deletes" if kind.endswith("_delete") else "quiet_children") == "yes"
            moves = "" if quiet else "updated interaction"
        if "interaction" in moves:
            item["lastInteractionAt"] = self.at
        if "advanced" in moves:
            item["lastAdvancedAt"] = self.at
        if "updated" in moves:
            item["updatedAt"] = max(self.at - int(self._switch("updated_lag_ms")), item["createdAt"])

    def opportunity(
        self, rng: random.Random, wanted: Record, fits: Callable[[Record], object] = lambda item: True
    ) -> Record:
        """The named opportunity, or any one of a living person that fits."""
        rows = [item for item in self.company.opportunities if not item["isAnonymized"]]
        if "opportunity" in wanted:
            rows = [item for item in rows if item["id"] == wanted["opportunity"]]
        return self.pick(rng, rows, fits, "opportunity")

    def child(
        self, rng: random.Random, wanted: Record, kind: str, fits: Callable[[Record], object] = lambda item: True
    ) -> tuple[Record, Record]:
        """(opportunity, child) of the named child, or any one that fits and is not deleted."""
        lists: dict[str, list[Record]] = getattr(self.company, kind)
        pairs = [
            (item, child)
            for item in self.company.opportunities
            if not item["isAnonymized"] and wanted.get("opportunity", item["id"]) == item["id"]
            for child in lists.get(item["id"], ())
            if not child.get("deletedAt") and wanted.get("id", child["id"]) == child["id"]
        ]
        return self.pick(rng, pairs, lambda pair: fits(pair[1]), kind)

    @staticmethod
    def pick(rng: random.Random, rows: Iterable[Any], fits: Callable[[Any], object], what: str) -> Any:
        """Any row that fits; EditError when there is none."""
        fitting = [row for row in rows if fits(row)]
        if not fitting:
            raise EditError(f"there is no {what} that fits")
        return rng.choice(fitting)

    def user(self, rng: random.Random, *, other_than: str | None = None) -> str:
        """The id of somebody who still works here."""
        active = [user["id"] for user in self.company.users if user["deactivatedAt"] is None]
        return rng.choice([one for one in active if one != other_than] or active)

    def of_contact(self, contact: str) -> list[Record]:
        """The opportunities of a contact."""
        return [item for item in self.company.opportunities if item["contact"] == contact]

    def posting_of(self, item: Record) -> str | None:
        """The posting of an opportunity's application."""
        return self.company.applications[item["applications"][0]]["posting"] if item["applications"] else None

    def _recount(self) -> None:
        """Keep the lists of tags and sources in line."""
        self.company.tags = counted(item["tags"] for item in self.company.opportunities)
        self.company.sources = counted(item["sources"] for item in self.company.opportunities)

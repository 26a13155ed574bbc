"""The account as the Lever side serves it: indexes over the company, sorted as observed."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from sandbox.company import Company

Record = dict[str, Any]
Key = tuple[Any, ...]

CHILDREN = (
    "notes",
    "feedback",
    "forms",
    "resumes",
    "files",
    "file_actions",
    "offers",
    "interviews",
    "panels",
    "referrals",
)
CACHED_LISTS = 24
CACHED_SHAPES = 8


class State:
    """Indexes of one company; requests change nothing, edits of recruiters end in ``refresh``.

    What handlers may rely on: the tables below by id, ``opportunities`` in the order of the list, ``children``, and
    a list that was remembered stays good until the next ``refresh``.
    """

    def __init__(self, company: Company) -> None:
        """Index the company and sort its opportunities."""
        self.company = company
        self.refresh()

    def refresh(self) -> None:
        """Read the company again after it was edited; tokens that were handed out stay good."""
        company = self.company
        self.users = {user["id"]: user for user in company.users}
        self.stages = {stage["id"]: stage for stage in company.stages}
        self.postings = {posting["id"]: posting for posting in company.postings}
        self.rank = {stage["id"]: stage["rank"] for stage in company.disposition["stages"]}
        self.opportunities = sorted(company.opportunities, key=self.order)
        self.by_id = {item["id"]: item for item in self.opportunities}
        self.contacts_in_use = {item["contact"] for item in self.opportunities}
        self.forms = {form["id"]: form for forms in company.feedback.values() for form in forms}
        self._lists: OrderedDict[Key, list[Record]] = OrderedDict()
        self._texts: OrderedDict[Key, dict[str, Any]] = OrderedDict()

    def order(self, item: Record) -> Key:
        """Rank of the current stage ascending, last advanced descending, id ascending (observed on two crawls)."""
        return (self.rank.get(item["stage"], 999), -(item["lastAdvancedAt"] or 0), item["id"])

    def children(self, kind: str, opportunity_id: str) -> list[Record]:
        """One of the lists below an opportunity, oldest first."""
        lists: dict[str, list[Record]] = getattr(self.company, kind)
        return lists.get(opportunity_id, [])

    def cached(self, key: Key) -> list[Record] | None:
        """A list that was filtered and sorted before."""
        found = self._lists.get(key)
        if found is not None:
            self._lists.move_to_end(key)
        return found

    def remember(self, key: Key, rows: list[Record]) -> None:
        """Keep a filtered and sorted list for the next page."""
        self._lists[key] = rows
        if len(self._lists) > CACHED_LISTS:
            self._lists.popitem(last=False)

    def texts(self, shape: Key) -> dict[str, Any]:
        """The opportunities that were written out in one shape before, by id; good until the next ``refresh``."""
        texts = self._texts.setdefault(shape, {})
        self._texts.move_to_end(shape)
        if len(self._texts) > CACHED_SHAPES:
            self._texts.popitem(last=False)
        return texts

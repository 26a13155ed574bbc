"""Counts of candidacies for the pictures, one pass over each side, whatever its size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

PLACES: Final = ("Without posting", "Lead", "Active", "Hired", "Archived")
Item = Mapping[str, Any]


@dataclass
class Tally:
    """How many candidacies stand where, and in which month (`YYYY-MM`) they began."""

    places: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)

    @property
    def standing(self) -> dict[str, int]:
        """{place: number} in the order of the pipeline, without places where nobody is."""
        return {place: self.places[place] for place in PLACES if self.places[place]}


def tally_lever(opportunities: Iterable[Item], reasons: Iterable[Item]) -> Tally:
    """Opportunities by place and month; `reasons` are the archive reasons, of which some mean "hired"."""
    hired = {one["id"] for one in reasons if one.get("type") == "hired"}
    found = Tally()
    for item in opportunities:
        place = _place(item, hired)
        found.places[place] += 1
        if place != PLACES[0]:
            found.months[_month(item.get("createdAt"))] += 1
    return found


def tally_ashby(pages: Iterable[Any], *, marker: str = "Lever opportunity ID") -> Tally:
    """Applications by status and month, from pages of `application.list`; only those that carry the marker field."""
    found = Tally()
    for item in _items(pages):
        titles = {one.get("title") for one in item.get("customFields") or () if one.get("value")}
        if marker in titles:
            found.places[str(item.get("status") or "unknown")] += 1
            found.months[_month(item.get("createdAt"))] += 1
    return found


def _items(pages: Iterable[Any]) -> Iterator[Item]:
    for page in pages:
        yield from page.results


def _place(item: Item, hired: set[str]) -> str:
    if not item.get("applications"):
        return PLACES[0]
    archived = item.get("archived")
    if archived:
        return "Hired" if archived.get("reason") in hired else "Archived"
    stage = item.get("stage")
    name = str(stage.get("id") if isinstance(stage, dict) else stage)
    return "Lead" if name.startswith("lead-") else "Active"


def _month(moment: Any) -> str:
    if isinstance(moment, int | float):
        return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m")
    return str(moment or "")[:7]

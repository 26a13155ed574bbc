"""What moves, by `policy.scope`: who is outside of it and why; and words of it that mean nothing in this account."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from lib.errors import ConfigError
from lib.mapping.settings import Settings
from lib.normalize import best_matches

Item = Mapping[str, Any]


def outside(given: Settings, opportunity: Item, *, state: str, posting: Item, confidential: bool) -> str:
    """The setting by which an opportunity stays behind; "" when it moves. `posting` is its own, {} without one.

    Departments and teams, places and tags count in any case; a posting at several places is at each of them.
    """
    created, categories = opportunity["createdAt"], posting.get("categories") or {}
    chosen = {
        "created_from": given.created_from_ms is None or created >= given.created_from_ms,
        "created_to": given.created_to_ms is None or created <= given.created_to_ms,
        "states": _meets(given.states, [state]),
        "postings": _meets(given.postings, [posting.get("id")]),
        "departments": _meets(given.departments, [categories.get("department"), categories.get("team")]),
        "locations": _meets(given.locations, _places(categories)),
        "tags": _meets(given.tags, opportunity.get("tags") or []),
        "confidential": given.include_confidential or not confidential,
    }
    return next((f"out of scope: {name}" for name, moves in chosen.items() if not moves), "")


class Named:
    """The words that the account has for what a scope may name; those of the scope that it has not are slips."""

    def __init__(self, given: Settings, postings: Mapping[str, Item]) -> None:
        self._given = given
        found = [one.get("categories") or {} for one in postings.values()]
        teams = [one.get(name) for one in found for name in ("department", "team")]
        self._known: dict[str, tuple[str, set[str]]] = {
            "postings": ("posting", set(postings)),
            "departments": ("department or team of a posting", set(_words(teams))),
            "locations": ("location of a posting", set(_words(place for one in found for place in _places(one)))),
            "tags": ("tag of a candidacy", set()),
        }

    def count(self, posting: str, tags: Iterable[Any]) -> None:
        """Note what an opportunity names: Lever does not list every posting that candidacies hang on."""
        if self._given.postings:
            self._known["postings"][1].add(posting)
        if self._given.tags:
            self._known["tags"][1].update(_words(tags))

    def check(self) -> None:
        """ConfigError names each word of the scope that does not occur: by a slip, records would stay behind."""
        wrong = []
        for name, (what, there) in self._known.items():
            folded = {one.casefold() for one in there}
            for word in getattr(self._given, name):
                if word.strip().casefold() not in folded:
                    near = best_matches(word, {one: one for one in there if one}, n=3)
                    told = ", ".join(repr(one[1]) for one in near) or "(there are none)"
                    wrong.append(f"policy.scope.{name}: {word!r} is no {what} in Lever; nearest: {told}.")
        if wrong:
            raise ConfigError("\n".join(wrong), hint="Mend the params file, and run the step again.")


def _words(values: Iterable[Any]) -> Iterable[str]:
    return (str(one).strip() for one in values if one)


def _places(categories: Item) -> list[Any]:
    return [categories.get("location"), *(categories.get("allLocations") or [])]


def _meets(wanted: Collection[str], values: Iterable[Any]) -> bool:
    """Whether one of the values is wanted; nothing wanted means all of them."""
    return not wanted or bool({one.strip().casefold() for one in wanted} & {one.casefold() for one in _words(values)})

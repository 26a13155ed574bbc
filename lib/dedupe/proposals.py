"""Proposals for pairs that wait for a verdict, as they can be true at once: the surest first."""

from collections.abc import Iterable, Mapping
from typing import Any

from lib.dedupe.policy import SAME_FROM

Words = dict[tuple[str, str], str]  # {ids of a pair: same or different}


def proposed(pairs: Iterable[Mapping[str, Any]], verdicts: Words, person_of: Mapping[str, str]) -> Words:
    """Return each pair as the same or different, as its score proposes, but for what contradicts a surer one.

    `pairs` are rows of `Result.pairs`, `verdicts` those that have an effect, `person_of` maps each contact → its
    person. People who are called different are not joined through others either, nor are two candidates of Ashby.
    """
    groups = _Groups(person_of)
    for word, call in (("same", groups.join), ("different", groups.part)):
        for pair, verdict in verdicts.items():
            if verdict == word:
                call(*pair)
    surest = sorted(pairs, key=lambda one: (-abs(one["score"] - SAME_FROM), one["a"], one["b"]))
    for one in surest:
        call = groups.join if one["score"] >= SAME_FROM else groups.part
        call(one["a"], one["b"])
    return {(one["a"], one["b"]): "same" if groups.are_one(one["a"], one["b"]) else "different" for one in surest}


class _Groups:
    """Who is one person, and who is not: of contacts, and of Ashby's candidates, who are all that is no contact."""

    def __init__(self, person_of: Mapping[str, str]) -> None:
        self._person_of = person_of
        self._head: dict[str, str] = {}
        self._candidate: dict[str, str] = {}
        self._apart: dict[str, set[str]] = {}

    def _group(self, one: str) -> str:
        one = self._person_of.get(one, one)
        while one in self._head:
            one = self._head[one]
        return one

    def _candidate_in(self, group: str) -> str:
        return self._candidate.get(group, "" if group in self._person_of else group)

    def are_one(self, a: str, b: str) -> bool:
        """Whether two are one person by now."""
        return self._group(a) == self._group(b)

    def part(self, a: str, b: str) -> None:
        """Two are different people, unless they are one already."""
        one, other = self._group(a), self._group(b)
        if one != other:
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)

    def join(self, a: str, b: str) -> None:
        """Make two one person, if nothing speaks against it."""
        one, other = self._group(a), self._group(b)
        candidates = {self._candidate_in(one), self._candidate_in(other)} - {""}
        is_against = len(candidates) > 1 or any(self._group(it) == other for it in self._apart.get(one, ()))
        if one == other or is_against:
            return
        self._head[one] = other
        self._candidate[other] = next(iter(candidates), "")
        self._apart.setdefault(other, set()).update(self._apart.pop(one, ()))

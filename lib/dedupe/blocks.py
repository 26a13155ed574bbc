"""People and candidates of Ashby beside each other: who has a value in common is found before anybody is compared."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from lib.dedupe.cards import Card, Cards, folded_of, joined_card
from lib.dedupe.columns import Numbers
from lib.dedupe.facts import Facts, facts_of, runs, together
from lib.dedupe.groups import Groups

NAME_AND_PLACE: Final = "name and place"
MOST_PAIRS: Final = 10_000  # of a person and a candidate with one value in common
_KEPT: Final = 1 << 13  # cards kept for the next comparison: pairs come in order, so few are made twice


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """`n` people, numbered from 0, and the candidates of Ashby numbered on from there; what each has, by kind.

    Only values that two have matter, so names and places are kept for those alone.
    """

    n: int
    facts: dict[str, Facts]

    def blocks(self) -> Iterator[tuple[str, str, list[int]]]:
        """Yield (kind, value, people in order) of each value that several people have."""
        for kind, facts in self.facts.items():
            here = facts.owner < self.n
            codes, starts, owners = Facts(owner=facts.owner[here], code=facts.code[here], values=facts.values).shared()
            for place, code in enumerate(codes.tolist()):
                yield kind, facts.values[code], owners[starts[place] : starts[place + 1]].tolist()

    def near(
        self, *, nobodys: Callable[[str], bool], made: Collection[int], names: Callable[[int], frozenset[str]]
    ) -> dict[int, set[int]]:
        """Return {person: candidates that have a value in common with it}, candidates numbered from 0.

        Of values that are `nobodys`, and of those that more pairs than `MOST_PAIRS` have in common, only pairs with one
        of their `names` (of an owner) in common; people who are `made` already are left out.
        """
        found: dict[int, set[int]] = {}
        for facts in self.facts.values():
            holders: dict[int, list[int]] = {}
            there = facts.owner >= self.n
            for candidate, code in zip(facts.owner[there].tolist(), facts.code[there].tolist(), strict=True):
                holders.setdefault(code, []).append(candidate - self.n)
            some = ~there & np.isin(facts.code, np.fromiter(holders, np.int64, len(holders)))
            if made:
                some &= ~np.isin(facts.owner, np.fromiter(made, np.int64, len(made)))
            counts = np.bincount(facts.code[some], minlength=len(facts.values))
            common = {
                code: self._by_name(several, names)
                for code, several in holders.items()
                if counts[code] * len(several) > MOST_PAIRS or nobodys(facts.values[code])
            }
            for person, code in zip(facts.owner[some].tolist(), facts.code[some].tolist(), strict=True):
                if code not in common:
                    found.setdefault(person, set()).update(holders[code])
                elif alike := [one for name in names(person) for one in common[code].get(name, ())]:
                    found.setdefault(person, set()).update(alike)
        return found

    def _by_name(self, candidates: list[int], names: Callable[[int], frozenset[str]]) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for candidate in candidates:
            for name in names(self.n + candidate):
                found.setdefault(name, []).append(candidate)
        return found


@dataclass(frozen=True, kw_only=True)
class People:
    """People to compare, numbered as in `groups`, and `candidates`, the ids of Ashby's, numbered for themselves.

    `card` and `candidate_card` answer the card of a number, `cards` that of a contact; `node` is the verdict group of
    each contact.
    """

    groups: Groups
    node: Numbers
    cards: Cards
    candidates: list[str]
    card: Callable[[int], Card]
    candidate_card: Callable[[int], Card]
    beside: Beside

    @property
    def ids(self) -> list[str]:
        """The ids of the people."""
        return self.groups.ids

    @property
    def n_contacts(self) -> int:
        """How many contacts they have together."""
        return len(self.node)

    def names(self, owner: int) -> frozenset[str]:
        """Return the names, as they are compared, of a person, or of a candidate numbered on from the people."""
        n = len(self.ids)
        return (self.card(owner) if owner < n else self.candidate_card(owner - n)).name_keys

    def record(self, candidate: int) -> int:
        """Return the number of a candidate as verdicts count: after all contacts."""
        return self.n_contacts + candidate

    def record_card(self, record: int) -> Card:
        """Return the card of a contact, or of a candidate, by its number as verdicts count."""
        return self.cards.card(record) if record < self.n_contacts else self.candidate_card(record - self.n_contacts)

    def nodes(self, person: int) -> set[int]:
        """Return the verdict groups of a person's contacts."""
        return {int(self.node[contact]) for contact in self.groups.of(person)}

    def person_of(self, contact: int) -> int:
        """Return the person of a contact."""
        return int(self.groups.person[contact])


def people_of(groups: Groups, node: Numbers, cards: Cards, existing: Cards, candidates: list[str]) -> People:
    """Return the people of contacts with `cards`, beside the candidates of Ashby with theirs."""
    theirs = {"email": _with_folded(existing.emails), "phone": existing.phones, "linkedin": existing.linkedin}
    ours = {"email": _with_folded(cards.emails), "phone": cards.phones, "linkedin": cards.linkedin}
    theirs["github"], ours["github"] = existing.github, cards.github
    n = len(groups.ids)
    facts = {kind: together(mine.by(groups.person), theirs[kind], n) for kind, mine in ours.items()}
    facts[NAME_AND_PLACE] = _names_and_places(groups, cards, existing)
    return People(
        groups=groups,
        node=node,
        cards=cards,
        candidates=candidates,
        card=lru_cache(maxsize=_KEPT)(lambda person: joined_card(map(cards.card, groups.of(person)))),
        candidate_card=lru_cache(maxsize=_KEPT)(existing.card),
        beside=Beside(n=n, facts=facts),
    )


def _with_folded(emails: Facts) -> Facts:
    owner, texts = folded_of(emails)
    return together(emails, facts_of(owner, texts), 0)


def _names_and_places(groups: Groups, cards: Cards, existing: Cards) -> Facts:
    """Names in places that two or more have."""
    names = _mapped(cards.name_keys, existing.name_keys)
    places = _mapped(cards.place_keys, existing.place_keys)
    mine = _own(groups, cards.name, cards.place)
    theirs = np.flatnonzero((existing.name >= 0) & (existing.place >= 0))
    owner = np.concatenate([mine[0], theirs + len(groups.ids)])
    name = np.concatenate([mine[1], names[0][existing.name[theirs]]])
    place = np.concatenate([mine[2], places[0][existing.place[theirs]]])
    both = name * max(1, len(places[1])) + place
    order = np.lexsort((owner, both))
    found, starts = runs(both[order])
    lengths = np.diff(starts)
    kept = order[np.repeat(lengths > 1, lengths)]
    pairs = [divmod(one, len(places[1])) for one in found[lengths > 1].tolist()]
    code = np.repeat(np.arange(len(pairs)), lengths[lengths > 1])
    return Facts(owner=owner[kept], code=code, values=[f"{names[1][a]}, {places[1][b]}" for a, b in pairs])


def _mapped(mine: list[str], theirs: list[str]) -> tuple[Numbers, list[str]]:
    """(the number of each of `theirs` in the joint list, the joint list)."""
    wanted = set(theirs)
    index = {value: number for number, value in enumerate(mine) if value in wanted}
    more = [value for value in theirs if value not in index]
    index |= {value: len(mine) + number for number, value in enumerate(more)}
    return np.array([index[value] for value in theirs], dtype=np.int64), [*mine, *more]


def _own(groups: Groups, name: Numbers, place: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """(person, name, place): each name of a person with each place of it."""
    alone = groups.sizes()[groups.person] == 1
    some = np.flatnonzero(alone & (name >= 0) & (place >= 0))
    more = [
        (person, a, b)
        for person in np.flatnonzero(groups.sizes() > 1).tolist()
        for a in {int(name[contact]) for contact in groups.of(person)} - {-1}
        for b in {int(place[contact]) for contact in groups.of(person)} - {-1}
    ]
    rest = np.array(more, dtype=np.int64).reshape(-1, 3)
    columns = (groups.person[some], name[some], place[some])
    return tuple(np.concatenate([column, rest[:, n]]) for n, column in enumerate(columns))

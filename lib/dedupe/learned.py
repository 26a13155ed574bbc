"""The review tier's model at work: learned from the contacts, asked about every pair that has something in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

import numpy as np

from lib.dedupe.blocks import People
from lib.dedupe.cards import Card
from lib.dedupe.columns import Numbers
from lib.dedupe.likeness import LEAST, Likeness, learn
from lib.dedupe.policy import DedupePolicy
from lib.dedupe.records import Crowds, crowds_of, sample_of, table_of
from lib.dedupe.review import Beyond
from lib.dedupe.verdicts import Verdicts, ordered

SILENT_SHARE: Final = 0.8  # of all pairs of contacts of one person those that the silent tier joins
LEFT: Final = 0.005  # of all people those who are there twice after it, at least
OTHERS: Final = 200  # contacts with other names: of two, both of one name, that name is not everybody's
BY_CHANCE, OF_PAIRS = 0.005, 5_000  # experience: so many pairs of strangers, of so many, have a value of their own both
ROUNDS: Final = 50
BATCH: Final = 50_000  # pairs that are in memory at once, with the cards of their people
COUNTED: Final = {
    "email": "same e-mail address", "phone": "same phone number", "linkedin": "same LinkedIn profile",
    "github": "same GitHub profile",
}  # fmt: skip
Ids = tuple[str, str]
Place = tuple[str, int]  # whose card: ("person", its number), ("candidate", its number), ("record", as verdicts count)
Chance = dict[Ids, float]
Asked = list[tuple[Ids, tuple[Place, Place]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Opinion:
    """What the model says: its weights, and the probability of each pair of ids it was asked about."""

    likeness: Likeness
    chance: Chance


def opinion_of(
    people: People,
    pairs: Iterable[tuple[int, int]],
    near: Mapping[int, Collection[int]],
    *,
    own: Set[Ids],
    verdicts: Verdicts,
    beyond: Beyond,
    policy: DedupePolicy,
) -> Opinion:
    """Learn from the contacts, and judge `pairs` of people, people and candidates who are `near`, and decided pairs.

    `own` are verdicts that stand for what an earlier load has done.
    """
    crowds = crowds_of(people, beyond=beyond, policy=policy)
    likeness = _learned(people, crowds)
    cards = _Cards(people, likeness, crowds)
    n, n_candidates, known = len(people.ids), len(people.candidates), set(people.candidates)
    decided = cards.asked(_decided(people, verdicts, own=own))
    beside = cards.asked(_beside(people, near))
    fixed = set(_holders(people, verdicts))
    free = [one for pair, one in beside.items() if pair[0] not in fixed]
    wanted = _chance_of_two(LEFT * min(n, n_candidates), n * n_candidates)
    beside = {pair: one for pair, one in decided.items() if pair[1] in known} | beside
    chance = _raised(beside, free, likeness.prior, wanted, n_pairs=n * n_candidates)
    within = cards.asked(_within(people, pairs))
    free = list(within.values())
    within = {pair: one for pair, one in decided.items() if pair[1] not in known} | within
    chance |= _raised(within, free, likeness.prior, likeness.prior, n_pairs=n * (n - 1) / 2)
    return Opinion(likeness=likeness, chance={pair: round(one, 4) for pair, one in chance.items()})


def _holders(people: People, verdicts: Verdicts) -> Iterator[str]:
    """People who have a candidate already, by a verdict or an earlier load: nobody asks whether they are there."""
    for group in verdicts.candidate_of:
        if group < people.n_contacts:
            yield people.ids[people.person_of(group)]


def _within(people: People, pairs: Iterable[tuple[int, int]]) -> Asked:
    sides = (sorted(pair, key=people.ids.__getitem__) for pair in pairs)
    return [((people.ids[a], people.ids[b]), (("person", a), ("person", b))) for a, b in sides]


def _beside(people: People, near: Mapping[int, Collection[int]]) -> Asked:
    return [
        ((people.ids[person], people.candidates[one]), (("person", person), ("candidate", one)))
        for person, candidates in near.items()
        for one in sorted(candidates)
    ]


def _decided(people: People, verdicts: Verdicts, *, own: Set[Ids]) -> Asked:
    """Pairs with a verdict of a person, as the records that it was given for."""
    known, ours = set(people.candidates), {ordered(*pair) for pair in own}
    given = (pair for pair in verdicts.pairs if pair not in ours)
    pairs = [sorted(pair, key=lambda record: (record in known, record)) for pair in given]
    return [((a, b), (("record", verdicts.places[a]), ("record", verdicts.places[b]))) for a, b in pairs]


class _Cards:
    """Asks the model about pairs, so many at once that their cards fit into memory."""

    def __init__(self, people: People, likeness: Likeness, crowds: Crowds) -> None:
        self._people, self._likeness, self._crowds = people, likeness, crowds
        self._common = _common(people)

    def asked(self, asked: Asked) -> Chance:
        """The probability of each pair of ids, by the model alone."""
        found: Chance = {}
        for start in range(0, len(asked), BATCH):
            some = asked[start : start + BATCH]
            places = {place: f"{kind}:{number}" for _, pair in some for place in pair for kind, number in [place]}
            rows = table_of(((key, self._card(place)) for place, key in sorted(places.items())), self._crowds)
            pairs = [(places[a], places[b]) for _, (a, b) in some]
            chances = self._likeness.of_pairs(rows, pairs, common=self._common)
            found |= dict(zip((ids for ids, _ in some), chances, strict=True))
        return found

    def _card(self, place: Place) -> Card:
        kind, number = place
        if kind == "person":
            return self._people.card(number)
        return self._people.candidate_card(number) if kind == "candidate" else self._people.record_card(number)


def _raised(chance: Chance, free: Sequence[float], prior: float, wanted: float, *, n_pairs: float) -> Chance:
    """Probabilities by the prior `wanted` of their own kind of pair, or a higher one on which the answers agree."""
    if not chance:
        return {}
    odds = wanted / (1 - wanted) * (1 - prior) / prior
    odds *= odds_to_add(_shifted(np.array(free), odds), wanted, n_pairs=n_pairs)
    return dict(zip(chance, _shifted(np.array(list(chance.values())), odds).tolist(), strict=True))


def odds_to_add(chances: Numbers, prior: float, *, n_pairs: float) -> float:
    """How many times as likely a pair is as the prior says, by how many of those that were asked about are one person.

    The prior counts who is left over at least. Where the answers add up to more people, it was too low: it is raised
    until both agree, as expectation maximisation does.
    """
    odds = 1.0
    for _ in range(ROUNDS):
        expected = float(_shifted(chances, odds).sum()) / max(1.0, n_pairs)
        wanted = min(max(expected, prior), 0.5)
        before, odds = odds, wanted / (1 - wanted) * (1 - prior) / prior
        if abs(odds - before) < 1e-3 * before:
            break
    return odds


def _shifted(chances: Numbers, odds: float) -> Numbers:
    """The probabilities whose odds are so many times those of `chances`."""
    return odds * chances / (1 - chances + odds * chances)


def _learned(people: People, crowds: Crowds) -> Likeness:
    cards, n = people.cards, people.n_contacts
    sample = sample_of(cards, n)
    rows = table_of(((f"{one:09d}", cards.card(one)) for one in sample.tolist()), crowds)
    n_people = len(people.ids)
    n_left = max(_n_pairs(people.groups.sizes()) * (1 / SILENT_SHARE - 1), n_people * LEFT)
    _, of_sample = np.unique(people.groups.person[sample], return_counts=True)
    n_pairs = len(sample) * (len(sample) - 1) / 2
    return learn(
        rows,
        prior=_chance_of_two(n_left, n_people * (n_people - 1) / 2),
        prior_of_contacts=_chance_of_two(_n_pairs(of_sample) / SILENT_SHARE, n_pairs),
        counted=_counted(people, crowds, n_left=n_left),
    )


def _counted(people: People, crowds: Crowds, *, n_left: float) -> dict[str, float]:
    """u of levels that random pairs are too few to show: how many pairs of all people share a value that is their own.

    Most of those who do are one person; of the rest at least half a pair is by chance.
    """
    n_people = len(people.ids)
    n_pairs = max(1.0, n_people * (n_people - 1) / 2)
    shared, several = dict.fromkeys(COUNTED, 0), crowds.homes | crowds.crowds | crowds.nobodys
    for kind, value, group in people.beside.blocks():
        if kind in shared and value not in several:
            shared[kind] += len(group) * (len(group) - 1) // 2
    return {
        COUNTED[kind]: max((max(found - n_left, 0.5) + BY_CHANCE) / (n_pairs + OF_PAIRS), LEAST)
        for kind, found in shared.items()
    }


def _chance_of_two(n_alike: float, n_pairs: float) -> float:
    return min(0.5, max(n_alike, 1.0) / max(2.0, n_pairs))


def _n_pairs(sizes: Numbers) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _common(people: People) -> dict[str, float]:
    """The share of all contacts that have each name; of few contacts, as if there were more with other names."""
    names = people.cards.name[people.cards.name >= 0]
    counts = np.bincount(names, minlength=len(people.cards.name_keys))
    return dict(zip(people.cards.name_keys, (counts / (len(names) + OTHERS)).tolist(), strict=True))

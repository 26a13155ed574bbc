"""The review tier's model at work: learned from the contacts, asked about every pair that has something in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from lib.dedupe.blocks import People
from lib.dedupe.cards import Card
from lib.dedupe.columns import Numbers
from lib.dedupe.likeness import Likeness, learn
from lib.dedupe.policy import DedupePolicy
from lib.dedupe.records import Crowds, crowds_of, sample_of, table_of
from lib.dedupe.review import Beyond
from lib.dedupe.verdicts import Verdicts

SILENT_SHARE: Final = 0.8  # of all pairs of contacts of one person those that the silent tier joins
LEFT: Final = 0.005  # of all people those who are there twice after it, at least
OTHERS: Final = 200  # contacts with other names: of two, both of one name, that name is not everybody's
ROUNDS: Final = 50
STEPS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 0.95)
Chance = dict[tuple[str, str], float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Opinion:
    """What the model says: its weights, and the probability of each pair of ids it was asked about."""

    likeness: Likeness
    chance: Chance

    def queue(self) -> pd.DataFrame:
        """Return review_from, n_pairs (to review from there on), n_same (of them one person, as far as is known)."""
        chances = np.array(list(self.chance.values()))
        rows = [(step, int((chances >= step).sum()), round(float(chances[chances >= step].sum()), 1)) for step in STEPS]
        return pd.DataFrame(rows, columns=["review_from", "n_pairs", "n_same"])


def opinion_of(
    people: People,
    pairs: Iterable[tuple[int, int]],
    near: Mapping[int, Collection[int]],
    *,
    verdicts: Verdicts,
    beyond: Beyond,
    policy: DedupePolicy,
) -> Opinion:
    """Learn from the contacts, and judge `pairs` of people, people and candidates who are `near`, and decided pairs."""
    crowds = crowds_of(people, beyond=beyond, policy=policy)
    likeness = _learned(people, crowds)
    cards: dict[str, Card] = {}
    asked = []
    for a, b in pairs:
        ids = (people.ids[a], people.ids[b])
        cards |= {ids[0]: people.card(a), ids[1]: people.card(b)}
        asked.append((min(ids), max(ids)))
    for person, candidates in near.items():
        cards[people.ids[person]] = people.card(person)
        for candidate in candidates:
            cards[people.candidates[candidate]] = people.candidate_card(candidate)
            asked.append((people.ids[person], people.candidates[candidate]))
    chance = likeness.of_pairs(table_of(sorted(cards.items()), crowds), asked, common=_common(people))
    decided = _decided(people, verdicts, likeness, crowds)
    odds = _odds_to_add(list(chance.values()), likeness.prior, n=len(people.ids) + len(people.candidates))
    return Opinion(likeness=likeness, chance={pair: _shifted(p, odds) for pair, p in (decided | chance).items()})


def _odds_to_add(chances: list[float], prior: float, *, n: int) -> float:
    """How many times as likely a pair is as the prior says, by how many of those that were asked about are one person.

    The prior counts who is left over at least. Where the answers add up to more people, it was too low: it is raised
    until both agree, as expectation maximisation does.
    """
    n_pairs, odds = max(1.0, n * (n - 1) / 2), 1.0
    for _ in range(ROUNDS):
        expected = sum(_shifted(chance, odds) for chance in chances) / n_pairs
        wanted = min(max(expected, prior), 0.5)
        before, odds = odds, wanted / (1 - wanted) * (1 - prior) / prior
        if abs(odds - before) < 1e-3 * before:
            break
    return odds


def _shifted(chance: float, odds: float) -> float:
    """The probability whose odds are so many times those of `chance`; four digits."""
    return round(odds * chance / (1 - chance + odds * chance), 4)


def _decided(people: People, verdicts: Verdicts, likeness: Likeness, crowds: Crowds) -> Chance:
    """Pairs with a verdict, as the records that it was given for."""
    known = set(people.candidates)
    pairs = [tuple(sorted(pair, key=lambda record: (record in known, record))) for pair in verdicts.pairs]
    cards = {record: people.record_card(verdicts.places[record]) for pair in pairs for record in pair}
    return likeness.of_pairs(table_of(sorted(cards.items()), crowds), pairs, common=_common(people))


def _learned(people: People, crowds: Crowds) -> Likeness:
    cards, n = people.cards, people.n_contacts
    sample = sample_of(cards, n)
    rows = table_of(((f"{one:09d}", cards.card(one)) for one in sample.tolist()), crowds)
    n_people = len(people.ids) + len(people.candidates)
    left = max(_n_pairs(people.groups.sizes()) * (1 / SILENT_SHARE - 1), n_people * LEFT, 1.0)
    prior = min(0.5, left / max(1.0, n_people * (n_people - 1) / 2))
    _, of_sample = np.unique(people.groups.person[sample], return_counts=True)
    together = max(_n_pairs(of_sample) / SILENT_SHARE, 1.0) / max(2.0, len(sample) * (len(sample) - 1) / 2)
    return learn(rows, prior=prior, prior_of_contacts=min(0.5, together))


def _n_pairs(sizes: Numbers) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _common(people: People) -> dict[str, float]:
    """The share of all contacts that have each name; of few contacts, as if there were more with other names."""
    names = people.cards.name[people.cards.name >= 0]
    counts = np.bincount(names, minlength=len(people.cards.name_keys))
    return dict(zip(people.cards.name_keys, (counts / (len(names) + OTHERS)).tolist(), strict=True))

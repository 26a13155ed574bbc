"""People as rows of the model: what each has, and apart from it what strangers have in common with them."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from rapidfuzz.distance import JaroWinkler

from lib.dedupe.blocks import People
from lib.dedupe.cards import Card, Cards
from lib.dedupe.columns import Numbers
from lib.dedupe.facts import Facts
from lib.dedupe.policy import DedupePolicy
from lib.dedupe.review import Beyond
from lib.dedupe.silent import PLACEHOLDER, objection
from lib.normalize import email_folded, given_forms

HOUSEHOLD: Final = 5  # up to so many people who share an address or a number are a family
SLIP: Final = 0.88  # how alike two long given names are that may be one
LONG: Final = 5  # letters of a given name in which one letter may be a slip: "Tom" and "Tim" are two names
MOST_CONTACTS: Final = 40_000  # contacts to learn from; more are sampled
_LETTERS: Final = 4  # words of a family name with fewer are particles, unless there is no other


class Crowds(NamedTuple):
    """Addresses and telephone numbers that strangers use: of a household (few people), of a crowd; and nobody's."""

    homes: frozenset[str] = frozenset()
    crowds: frozenset[str] = frozenset()
    nobodys: frozenset[str] = frozenset()


def crowds_of(people: People, *, beyond: Beyond, policy: DedupePolicy) -> Crowds:
    """Return what people use whose given names have nothing to do with each other, and what is known to be shared."""
    homes: set[str] = set()
    crowds = set(policy.shared_mailboxes)
    for kind, value, group in people.beside.blocks():
        if kind not in ("email", "phone"):
            continue
        if len(group) > policy.block_limit:
            crowds.add(value)
        elif _has_strangers(map(people.card, group)):
            (homes if len(group) <= HOUSEHOLD else crowds).add(value)
    nobodys = frozenset(one for one in people.cards.emails.values if beyond.reason(one) == PLACEHOLDER)
    return Crowds(frozenset(homes), frozenset(crowds), nobodys)


def _has_strangers(cards: Iterable[Card]) -> bool:
    return any(strangers(a, b) for a, b in combinations(cards, 2))


def strangers(a: Card, b: Card) -> bool:
    """Tell whether two people surely have different given names: no forms, initials, or slips; or generations."""
    if a.generations and b.generations and not a.generations & b.generations:
        return True
    if not a.givens or not b.givens or not objection(a.names, b.names):
        return False
    return not any(_may_be_one(x, y) for x in a.givens for y in b.givens)


def _may_be_one(a: str, b: str) -> bool:
    if len(a) == 1 or len(b) == 1:
        return a[0] == b[0]
    return bool(given_forms(a) & given_forms(b)) or (
        min(len(a), len(b)) >= LONG and JaroWinkler.similarity(a, b) >= SLIP
    )


def table_of(cards: Iterable[tuple[str, Card]], crowds: Crowds) -> pd.DataFrame:
    """Return one row for each (id, card), with the columns that the model of `likeness` compares."""
    return pd.DataFrame([_row(key, card, crowds) for key, card in cards])


def _row(key: str, card: Card, crowds: Crowds) -> dict[str, Any]:
    """Lists are sorted; the text beside each is its first, by which pairs to learn from are found."""
    givens = sorted(card.givens)
    known, ways = card.emails - crowds.nobodys, {way for name in card.name_keys for way in _ways(name)}
    emails, phones = (_plain(some - crowds.homes - crowds.crowds) for some in (known, card.phones))
    names, profiles, places = sorted(card.name_keys), _plain(card.linkedin), sorted(card.places)
    return {
        "unique_id": key,
        "name": _first(names), "names": sorted(ways), "given": _first(givens) or "", "families": _families(card),
        "forms": sorted({form for given in givens for form in given_forms(given)}),
        "initials": [given for given in givens if len(given) == 1],
        "starts": sorted({given[0] for given in givens}),
        "middles": sorted(card.middles), "middle_starts": sorted({middle[0] for middle in card.middles}),
        "generations": sorted(card.generations),
        "email": _first(emails), "emails": emails, "folded": sorted(set(map(email_folded, emails))),
        "home_emails": _plain(known & crowds.homes), "crowd_emails": _plain(known & crowds.crowds),
        "phone": _first(phones), "phones": phones,
        "home_phones": _plain(card.phones & crowds.homes), "crowd_phones": _plain(card.phones & crowds.crowds),
        "profile": _first(profiles), "profiles": profiles, "github": _plain(card.github),
        "place": _first(places), "places": places,
    }  # fmt: skip


def _plain(values: Iterable[str]) -> list[str]:
    """In order, and as Unicode knows it: half an emoji is none."""
    return sorted(value.encode("utf-8", "replace").decode("utf-8") for value in values)


def _first(values: Sequence[str]) -> str | None:
    return values[0] if values else None


def _ways(name: str) -> set[str]:
    """A name, its words in one order whoever wrote them, and all of it run together."""
    words = " ".join(sorted(name.split()))
    return {name, words, words.replace(" ", "")}


def _families(card: Card) -> list[str]:
    words = {word for family in card.families for word in family.split()}
    return sorted({word for word in words if len(word) >= _LETTERS} or words)


def sample_of(cards: Cards, n: int) -> Numbers:
    """Return the contacts to learn from, of `n`: all, or those with a value out of a share that is the same each time.

    Whoever has such a value is taken with all who have it too, so that the sample holds pairs.
    """
    if n <= MOST_CONTACTS:
        return np.arange(n)
    one_in = math.ceil(4 * n / MOST_CONTACTS)
    picked = np.zeros(n, dtype=bool)
    names = np.flatnonzero(cards.name >= 0)
    for facts in (
        cards.emails,
        cards.phones,
        cards.linkedin,
        Facts(owner=names, code=cards.name[names], values=cards.name_keys),
    ):
        lucky = np.array([zlib.crc32(value.encode()) % one_in == 0 for value in facts.values], dtype=bool)
        picked[facts.owner[lucky[facts.code]]] = True
    return np.flatnonzero(picked)

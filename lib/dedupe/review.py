"""The review tier: pairs of people that have something in common, with a score and the reasons in words."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from lib.dedupe.blocks import NAME_AND_PLACE, People
from lib.dedupe.cards import Card
from lib.dedupe.facts import distinct
from lib.dedupe.policy import DedupePolicy
from lib.dedupe.silent import PLACEHOLDER, objection
from lib.normalize import given_forms

# Weights of the rule: what two people have in common adds, what differs takes away; the sum is cut to 0..1.
SAME_LINKEDIN: Final = 0.75
SAME_GITHUB: Final = 0.70
SAME_EMAIL: Final = 0.45
SAME_MAILBOX: Final = 0.40
SAME_PHONE: Final = 0.35
SAME_NAME: Final = 0.30
LIKE_NAME: Final = 0.20
NEAR_NAME: Final = 0.10
SAME_PLACE: Final = 0.10
SAME_PLACEHOLDER: Final = 0.05
OTHER_PLACE: Final = -0.05
OTHER_SURNAME: Final = -0.05
OTHER_GIVEN: Final = -0.30
OTHER_NAME: Final = -0.40
NEAR: Final = 88.0  # names at least so alike (0..100) may be two spellings; "Tom" and "Tim" before one surname are not
COMMON_NAME: Final = 4  # more people than this with one name in one place: the name is common and says nothing
FEW: Final = 3  # up to so many people with one refused address are all listed


@dataclass(frozen=True, kw_only=True, slots=True)
class Beyond:
    """What two cards do not tell: why an address joins nobody ("" for others), and how many people use one.

    `chance` is the probability of each pair of ids that a model has judged; without one, rules give the score.
    """

    reason: Callable[[str], str]
    n_people: Mapping[str, int]
    chance: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def is_nobodys(self, address: str) -> bool:
        """Tell whether an address was typed because a field demanded one."""
        return self.reason(address) == PLACEHOLDER


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Two people who may be one. `tier` is "review", or "silent-refused" when they share an address.

    `always`: to be reviewed whatever the score, by an address that speaks for one person. `shares`: they have an
    address, a number or a profile in common.
    """

    a: str
    b: str
    tier: str
    score: float
    reasons: str
    verdict: str = ""
    kind: str = "lever"
    always: bool = field(default=False, compare=False)
    shares: bool = field(default=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """One value that several people have in common, and how many of their pairs were compared."""

    kind: str
    value: str
    n_people: int
    n_pairs: int
    n_compared: int
    reason: str


def compare(a: Card, b: Card, *, beyond: Beyond, ids: tuple[str, str]) -> tuple[str, float, str]:
    """Return (tier, score 0..1, reasons in words) of two people."""
    evidence = [*_addresses(a, b, beyond), *_accounts(a, b), *_names(a, b), *_places(a, b)]
    score = beyond.chance.get(ids, round(min(1.0, max(0.0, sum(weight for weight, _ in evidence))), 2))
    tier = "silent-refused" if a.emails & b.emails else "review"
    return tier, score, "; ".join(words for _, words in evidence)


def worth_a_look(a: Card, b: Card, score: float, *, beyond: Beyond, policy: DedupePolicy) -> bool:
    """Tell whether the pair is listed: enough score, or an address in common that few use or under like names."""
    if score >= policy.review_from:
        return True
    real = [address for address in a.emails & b.emails if beyond.reason(address) != PLACEHOLDER]
    if not real or beyond.chance:  # a model has weighed it; an address that speaks for one person needs no weight
        return speaks_for_one(a, b, beyond=beyond)
    alike = a.families & b.families or a.givens & b.givens
    return (
        bool(alike)
        or not objection(a.names, b.names)
        or any(beyond.n_people.get(address, 0) <= FEW for address in real)
    )


def speaks_for_one(a: Card, b: Card, *, beyond: Beyond) -> bool:
    """Tell whether they share an address that joins people without a question."""
    return any(not beyond.reason(address) for address in a.emails & b.emails)


def pair_of(a: Card, b: Card, *, beyond: Beyond, ids: tuple[str, str], kind: str = "lever") -> Pair:
    """Return two people with what speaks for their being one."""
    tier, score, reasons = compare(a, b, beyond=beyond, ids=ids)
    real = any(beyond.reason(address) != PLACEHOLDER for address in a.emails & b.emails)
    shares = bool(real or a.phones & b.phones or a.linkedin & b.linkedin or a.github & b.github)
    always = speaks_for_one(a, b, beyond=beyond)
    return Pair(
        a=ids[0], b=ids[1], tier=tier, score=score, reasons=reasons, kind=kind, always=always, shares=shares
    )  # fmt: skip


def found_within(people: People, *, beyond: Beyond, policy: DedupePolicy) -> tuple[list[tuple[int, int]], list[Block]]:
    """Return the pairs of people that have something in common, in order, and the blocks they were found in."""
    found = array("q")  # pairs as numbers: many blocks have the same ones
    n, blocks = len(people.ids), []
    for kind, value, group in people.beside.blocks():
        reason = beyond.reason(value) if kind == "email" else ""
        keys: set[int] = set()
        if kind == NAME_AND_PLACE and len(group) > COMMON_NAME:
            reason = "common name"
        else:
            pairs = _candidates(group, people, policy, narrow=reason == PLACEHOLDER)
            keys = {min(a, b) * n + max(a, b) for a, b in pairs}
        found.extend(keys)
        n_pairs = len(group) * (len(group) - 1) // 2
        counts = {"n_people": len(group), "n_pairs": n_pairs, "n_compared": len(keys)}
        blocks.append(Block(kind=kind, value=value, reason=reason, **counts))
    return [divmod(number, n) for number in distinct(np.array(found, dtype=np.int64)).tolist()], blocks


def pairs_of(
    people: People, found: Iterable[tuple[int, int]], *, beyond: Beyond, policy: DedupePolicy
) -> tuple[list[Pair], list[Pair]]:
    """Return (the pairs to review, those that are too unlike to be reviewed)."""
    listed, apart = [], []
    for numbers in found:
        a, b = sorted(numbers, key=people.ids.__getitem__)
        one, other, ids = people.card(a), people.card(b), (people.ids[a], people.ids[b])
        pair = pair_of(one, other, beyond=beyond, ids=ids)
        is_listed = worth_a_look(one, other, pair.score, beyond=beyond, policy=policy)
        (listed if is_listed else apart).append(pair)
    return tuple(sorted(some, key=lambda pair: (pair.a, pair.b)) for some in (listed, apart))


def _candidates(group: list[int], people: People, policy: DedupePolicy, *, narrow: bool) -> Iterator[tuple[int, int]]:
    """Yield the pairs of a block; of a large or meaningless one only those with like names, in linear number."""
    if len(group) <= policy.block_limit and not narrow:
        yield from combinations(group, 2)
        return
    alike: dict[tuple[str, str], list[int]] = {}
    for person in group:
        card = people.card(person)
        for family in card.families or {""}:
            for given in card.givens or {""}:
                alike.setdefault((family, given[:1]), []).append(person)
    for (family, given), some in alike.items():
        if not family and not given:
            continue
        if len(some) <= policy.block_limit:
            yield from combinations(some, 2)
        else:
            yield from ((some[0], other) for other in some[1:])


def _addresses(a: Card, b: Card, beyond: Beyond) -> Iterator[tuple[float, str]]:
    reasons = {beyond.reason(address) for address in a.emails & b.emails}
    if reasons - {PLACEHOLDER}:
        why = ", ".join(sorted(reason for reason in reasons - {PLACEHOLDER} if reason))
        yield SAME_EMAIL, f"same e-mail address ({why})" if why else "same e-mail address"
    elif reasons:
        yield SAME_PLACEHOLDER, "same placeholder address"
    elif a.folded & b.folded:
        yield SAME_MAILBOX, "same mailbox but for a tag or dots"


def _accounts(a: Card, b: Card) -> Iterator[tuple[float, str]]:
    if a.linkedin & b.linkedin:
        yield SAME_LINKEDIN, "same LinkedIn profile"
    if a.github & b.github:
        yield SAME_GITHUB, "same GitHub profile"
    if a.phones & b.phones:
        yield SAME_PHONE, "same phone number"


def _names(a: Card, b: Card) -> Iterator[tuple[float, str]]:
    if not a.names or not b.names:
        yield 0.0, "a name is missing"
    elif a.generations and b.generations and not a.generations & b.generations:
        yield OTHER_GIVEN, "same name, junior and senior"
    elif a.name_keys & b.name_keys:
        yield SAME_NAME, "same name"
    elif not objection(a.names, b.names):
        yield LIKE_NAME, "one name is a form of the other"
    elif a.families & b.families and a.givens & b.givens:
        yield LIKE_NAME, "same given name and surname, other middle names"
    elif a.families & b.families and any(given_forms(x) & given_forms(y) for x in a.givens for y in b.givens):
        yield LIKE_NAME, "one given name is short for the other"
    elif any(fuzz.token_sort_ratio(x, y) >= NEAR for x in a.name_keys for y in b.name_keys):
        yield NEAR_NAME, _spelling(a, b)
    elif a.givens & b.givens:
        yield OTHER_SURNAME, "same given name, other surname"
    elif a.families & b.families:
        yield OTHER_GIVEN, "same surname, other given name"
    else:
        yield OTHER_NAME, "different names"


def _spelling(a: Card, b: Card) -> str:
    """Which name differs, and by how many letters."""
    for what, same, left, right in (
        ("surname", a.givens & b.givens, a.families, b.families),
        ("given name", a.families & b.families, a.givens, b.givens),
    ):
        if same and left and right:
            n = min(OSA.distance(x, y) for x in left for y in right)
            return f"{what} differs by {'one letter' if n == 1 else f'{n} letters'}"
    return "names are spelt alike"


def _places(a: Card, b: Card) -> Iterator[tuple[float, str]]:
    if a.places & b.places:
        yield SAME_PLACE, "same place"
    elif a.places and b.places:
        yield OTHER_PLACE, "other place"

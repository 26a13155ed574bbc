"""The whole of dedupe: tables in, people, members, pairs, matches, conflicts and blocks out."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import pandas as pd

from lib.dedupe.blocks import People, people_of
from lib.dedupe.cards import cards_of
from lib.dedupe.columns import Contacts, Flags, contacts_of
from lib.dedupe.existing import Match, match_existing
from lib.dedupe.facts import Facts, addresses_of
from lib.dedupe.groups import WHYS, Groups, groups_of, whys
from lib.dedupe.learned import Opinion, opinion_of
from lib.dedupe.people import PEOPLE_COLUMNS, survivor
from lib.dedupe.policy import DedupePolicy
from lib.dedupe.review import Beyond, Block, Pair, compare, found_within, pairs_of
from lib.dedupe.silent import Names, SilentTier, silent_tier
from lib.dedupe.standing import Standing, adoptions
from lib.dedupe.verdicts import Verdicts, ordered, read_verdicts
from lib.normalize import location_parts

_DEFAULT: Final = DedupePolicy()
_NOBODY: Final = Standing()
_NOTHING: Final = pd.DataFrame({"id": [], "name": []})
_PLACES_KEPT: Final = 1 << 14
STEPS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 0.95)
_NUMBERS: Final = {
    Pair: {"score": "float64"},
    Block: {"n_people": "int64", "n_pairs": "int64", "n_compared": "int64"},
}
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What dedupe found, as tables.

    people: one row per person; `person` is the id of its oldest contact.  members: person, contact, why.
    pairs: a, b, tier, score, reasons, verdict, kind ("lever": two people; "ashby": a person and a candidate).
    matches: person, ashby_id, match, why.  conflicts: person, field, kept, others.
    blocks: kind, value, n_people, n_pairs, n_compared, reason: what was in common, and how far it was followed.
    apart: as pairs, likeliest first: they share an address, a number or a profile and are too unlike to be reviewed.
    queue: review_from, n_pairs, n_same: how many pairs would wait from which probability on, and how many of them are
    one person as far as is known.  opinion: what the model says; None when it was not asked.

    `survivors` gives each row of `people` with its rows of `conflicts`, one after the other: for more people than
    should be in memory at once.
    """

    members: pd.DataFrame
    pairs: pd.DataFrame
    matches: pd.DataFrame
    blocks: pd.DataFrame
    apart: pd.DataFrame
    queue: pd.DataFrame
    opinion: Opinion | None
    survivors: Callable[[], Iterator[tuple[Row, list[Row]]]]

    @property
    def people(self) -> pd.DataFrame:
        """One row per person."""
        return self._tables[0]

    @property
    def conflicts(self) -> pd.DataFrame:
        """What was not kept in its own place."""
        return self._tables[1]

    @cached_property
    def _tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        people, conflicts = [], []
        for person, lost in self.survivors():
            people.append(person)
            conflicts += lost
        return people_table(people), pd.DataFrame(conflicts, columns=["person", "field", "kept", "others"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Silent:
    """What the silent tier has found: contacts by age, those that are hidden, their addresses, people, verdicts.

    `numbers` has the number of each address in `addresses`.
    """

    contacts: Contacts
    hidden: Flags
    addresses: Facts
    numbers: dict[str, int]
    tier: SilentTier
    groups: Groups
    verdicts: Verdicts

    def members(self) -> pd.DataFrame:
        """Return person, contact and why of every contact, people in order of their oldest contact."""
        groups, ids = self.groups, self.contacts.ids
        if not ids:
            return pd.DataFrame(columns=["person", "contact", "why"])
        number = whys(groups, self.addresses, self.tier, self.verdicts)[groups.contacts]
        people = [groups.ids[person] for person in groups.person[groups.contacts].tolist()]
        contacts = [ids[contact] for contact in groups.contacts.tolist()]
        why = pd.array(list(WHYS), dtype="str").take(number)
        return pd.DataFrame({"person": people, "contact": contacts, "why": why})


def dedupe(
    contacts: pd.DataFrame,
    *,
    existing: pd.DataFrame | None = None,
    verdicts: Mapping[tuple[str, str], str] | None = None,
    policy: DedupePolicy = _DEFAULT,
    standing: Standing = _NOBODY,
    learns: bool = False,
) -> Result:
    """Decide who is the same person.

    `contacts` and `existing` are shaped as `contacts_table`; only id and name are required. `verdicts` maps a pair of
    ids, in any order, to "same" or "different" ("" is open). `standing` is what earlier loads have written: those
    people keep their ids and their candidates. With `learns` the score of a pair is its probability, by a model that
    is learned from these contacts; else by rules. The result is the same for every order of rows.
    GateError when verdicts contradict each other.
    """
    given, known = verdicts or {}, contacts_of(_NOTHING if existing is None else existing)
    ours = contacts_of(contacts)
    adopted = adoptions(ours.ids, known.ids, given, standing=standing)
    found = silent(ours, existing=known.ids, verdicts=adopted | dict(given), policy=policy, standing=standing)
    people = people_beside(found, known, policy=policy)
    beyond = Beyond(reason=found.tier.reason, n_people=_n_people(found))
    common, blocks = found_within(people, beyond=beyond, policy=policy)
    about: dict[str, Any] = {"verdicts": found.verdicts, "policy": policy}
    made = [number for number, person in enumerate(people.ids) if standing.candidate_of.get(person) == ""]
    near = people.beside.near(nobodys=beyond.is_nobodys, made=made, names=people.names)
    own, opinion = adopted.keys() - given.keys(), None
    if learns:
        opinion = opinion_of(people, common, near, own=own, beyond=beyond, **about)
        beyond = replace(beyond, chance=opinion.chance)
    pairs, apart = pairs_of(people, common, beyond=beyond, policy=policy)
    matches, more, others = match_existing(people, near, made=made, beyond=beyond, **about)
    judged = _judged(found.verdicts, people, beyond, own=own)
    pairs = [*_without_decided(pairs, people, found.verdicts), *more]
    apart = _named_by_contacts([*_without_decided(apart, people, found.verdicts), *others], found)
    queue = _queue(pairs, apart) if learns else _queue([], [])
    pairs = [*judged, *_named_by_contacts(pairs, found)]
    pairs.sort(key=lambda pair: (pair.kind, *_likeliest(pair)))
    blocks.sort(key=lambda block: (-block.n_people, block.kind, block.value))
    told = _matches_table(people.ids, matches)
    return Result(
        members=found.members(),
        pairs=_table(pairs, Pair),
        matches=told,
        blocks=_table(blocks, Block),
        apart=_table(sorted((pair for pair in apart if pair.shares), key=_likeliest), Pair),
        queue=queue,
        opinion=opinion,
        survivors=lambda: _survivors(found, told, policy),
    )


def silent(
    contacts: Contacts,
    *,
    existing: list[str],
    verdicts: Mapping[tuple[str, str], str],
    policy: DedupePolicy,
    standing: Standing,
) -> Silent:
    """Join the contacts that need nobody's judgement; `existing` are the ids of Ashby's candidates."""
    hidden = contacts.anonymous()
    with _uncollected():
        addresses, numbers = addresses_of(contacts, hidden)
        decided = read_verdicts(verdicts, contacts.ids, existing)
        names = Names(contacts=contacts, hidden=hidden)
        tier = silent_tier(addresses, numbers, names, verdicts=decided, policy=policy)
        groups = groups_of(contacts.ids, tier, standing)
    return Silent(
        contacts=contacts,
        hidden=hidden,
        addresses=addresses,
        numbers=numbers,
        tier=tier,
        groups=groups,
        verdicts=decided,
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for circular garbage, of which none is made: it walks through millions of lists each time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def people_beside(found: Silent, existing: Contacts, *, policy: DedupePolicy) -> People:
    """Return the people that were found, ready to be compared with each other and with the candidates of Ashby."""
    hidden = existing.anonymous()
    theirs = cards_of(existing, addresses_of(existing, hidden)[0], hidden, region=policy.region)
    ours = cards_of(found.contacts, found.addresses, found.hidden, region=policy.region)
    return people_of(found.groups, found.tier.node, ours, theirs, existing.ids)


def _survivors(found: Silent, matches: pd.DataFrame, policy: DedupePolicy) -> Iterator[tuple[Row, list[Row]]]:
    parts = lru_cache(maxsize=_PLACES_KEPT)(location_parts)
    ashby, match = matches["ashby_id"].tolist(), matches["match"].tolist()
    for number, person in enumerate(found.groups.ids):
        rows = [found.contacts.row(contact) for contact in found.groups.of(number)]
        row, lost = survivor(person, rows, policy=policy, place=parts)
        yield row | {"ashby_id": ashby[number], "match": match[number]}, lost


def _matches_table(people: list[str], matches: Mapping[int, Match]) -> pd.DataFrame:
    new = Match(person="", ashby_id=None, match="new", why="nobody like this in Ashby")
    found = [matches.get(number, new) for number in range(len(people))]
    rest = {column: [getattr(match, column) for match in found] for column in ("ashby_id", "match", "why")}
    return pd.DataFrame({"person": people} | rest, dtype=object)


def _likeliest(pair: Pair) -> tuple[float, str, str]:
    return -pair.score, pair.a, pair.b


def _queue(pairs: list[Pair], apart: list[Pair]) -> pd.DataFrame:
    """How many pairs would wait for a verdict, by the probability from which on they do."""
    rows = []
    for step in STEPS:
        waiting = [pair.score for pair in pairs if pair.always or pair.score >= step]
        waiting += [pair.score for pair in apart if pair.score >= step]
        rows.append((step, len(waiting), round(sum(waiting), 1)))
    return pd.DataFrame(rows, columns=["review_from", "n_pairs", "n_same"])


def _table(rows: Iterable[Any], kind: type) -> pd.DataFrame:
    columns = [field.name for field in fields(kind) if field.compare]
    values = {column: [getattr(row, column) for row in rows] for column in columns}
    return pd.DataFrame(values, columns=columns, dtype=object).astype(_NUMBERS.get(kind, {}))


def people_table(people: list[Row]) -> pd.DataFrame:
    """Keep None as None (text columns of pandas would make it NaN), and numbers as numbers."""
    table = pd.DataFrame(people, columns=list(PEOPLE_COLUMNS), dtype=object)
    numbers = dict.fromkeys(("created_ms", "n_contacts", "n_opportunities"), "int64")
    return table.astype(numbers | {"is_anonymized": "bool"})


def _n_people(found: Silent) -> dict[str, int]:
    codes = {address: found.numbers[address] for address in found.tier.refused}
    counts = np.bincount(found.addresses.by(found.groups.person).code, minlength=len(found.addresses.values))
    return {address: int(counts[code]) for address, code in codes.items()}


def _named_by_contacts(pairs: list[Pair], found: Silent) -> list[Pair]:
    """Pairs whose people are named by contacts that are there: a verdict on any other id would not be understood."""
    ids, groups = found.contacts.ids, found.groups
    firsts = groups.contacts[groups.starts[:-1]].tolist()
    kept = {number: name for number, name in enumerate(groups.ids) if name != ids[firsts[number]]}
    gone = {name: ids[firsts[n]] for n, name in kept.items() if name not in {ids[one] for one in groups.of(n)}}
    if not gone:
        return pairs
    return [replace(pair, a=gone.get(pair.a, pair.a), b=gone.get(pair.b, pair.b)) for pair in pairs]


def _without_decided(pairs: list[Pair], people: People, verdicts: Verdicts) -> list[Pair]:
    """Leave out pairs of people that a verdict already tells apart."""
    different = [pair for pair, word in verdicts.pairs.items() if word == "different"]
    places = [(verdicts.places[a], verdicts.places[b]) for a, b in different]
    apart = {
        ordered(*(people.ids[people.person_of(place)] for place in pair))
        for pair in places
        if max(pair) < people.n_contacts
    }
    return [pair for pair in pairs if ordered(pair.a, pair.b) not in apart]


def _judged(verdicts: Verdicts, people: People, beyond: Beyond, *, own: Set[tuple[str, str]]) -> list[Pair]:
    """Return the pairs that have a verdict of a person, under the ids it was given for; a candidate is always `b`.

    `own` are the pairs that stand for what an earlier load has done.
    """
    known, ours = set(people.candidates), {ordered(*pair) for pair in own}
    pairs = []
    for pair, verdict in verdicts.pairs.items():
        if pair in ours:
            continue
        a, b = sorted(pair, key=lambda record: (record in known, record))
        one, other = (people.record_card(verdicts.places[record]) for record in (a, b))
        tier, score, reasons = compare(one, other, beyond=beyond, ids=(a, b))
        kind = "ashby" if b in known else "lever"
        pairs.append(Pair(a=a, b=b, tier=tier, score=score, reasons=reasons, verdict=verdict, kind=kind))
    return pairs

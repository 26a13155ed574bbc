"""The whole of dedupe: tables in, people, members, pairs, matches, conflicts and blocks out."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import pandas as pd

from lib.dedupe.cards import Card, card_of, joined_card
from lib.dedupe.existing import Match, match_existing
from lib.dedupe.people import PEOPLE_COLUMNS, survivor
from lib.dedupe.policy import DedupePolicy
from lib.dedupe.review import Block, Pair, Refused, compare, pairs_within
from lib.dedupe.silent import SilentTier, silent_tier
from lib.dedupe.standing import Standing, adoptions, keep_ids, standing_matches
from lib.dedupe.tables import unique_contacts
from lib.dedupe.verdicts import Verdicts, ordered, read_verdicts

_DEFAULT: Final = DedupePolicy()
_NOBODY: Final = Standing()
_NUMBERS: Final = {
    Pair: {"score": "float64"},
    Block: {"n_people": "int64", "n_pairs": "int64", "n_compared": "int64"},
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """What dedupe found, as tables.

    people: one row per person; `person` is the id of its oldest contact.  members: person, contact, why.
    pairs: a, b, tier, score, reasons, verdict, kind ("lever": two people; "ashby": a person and a candidate).
    matches: person, ashby_id, match, why.  conflicts: person, field, kept, others.
    blocks: kind, value, n_people, n_pairs, n_compared, reason: what was in common, and how far it was followed.
    """

    people: pd.DataFrame
    members: pd.DataFrame
    pairs: pd.DataFrame
    matches: pd.DataFrame
    conflicts: pd.DataFrame
    blocks: pd.DataFrame


def dedupe(
    contacts: pd.DataFrame,
    *,
    existing: pd.DataFrame | None = None,
    verdicts: Mapping[tuple[str, str], str] | None = None,
    policy: DedupePolicy = _DEFAULT,
    standing: Standing = _NOBODY,
) -> Result:
    """Decide who is the same person.

    `contacts` and `existing` are shaped as `contacts_table`; only id and name are required. `verdicts` maps a pair of
    ids, in any order, to "same" or "different" ("" is open). `standing` is what earlier loads have written: those
    people keep their ids and their candidates. The result is the same for every order of rows.
    GateError when verdicts contradict each other.
    """
    rows = {row["id"]: row for row in unique_contacts(contacts)}
    known = {row["id"]: row for row in unique_contacts(existing)} if existing is not None else {}
    cards = {contact: card_of(row, region=policy.region) for contact, row in rows.items()}
    known_cards = {candidate: card_of(row, region=policy.region) for candidate, row in known.items()}
    given = verdicts or {}
    adopted = adoptions(rows, known, given, standing=standing)
    decided = read_verdicts(adopted | dict(given), list(rows), list(known))
    tier = silent_tier(list(rows), cards, verdicts=decided, policy=policy)
    tier = replace(tier, person_of=keep_ids(tier.person_of, standing))
    members: dict[str, list[str]] = {}
    for contact in rows:
        members.setdefault(tier.person_of[contact], []).append(contact)
    people = {person: joined_card(cards[contact] for contact in group) for person, group in members.items()}
    refused = Refused(reasons=tier.refused, n_people=_n_people(people, tier.refused))
    pairs, blocks = pairs_within(people, refused=refused, policy=policy)
    pairs = _without_decided(pairs, tier, decided)
    made = standing_matches(people, standing)
    others = {person: card for person, card in people.items() if standing.candidate_of.get(person) != ""}
    matches, more = match_existing(
        others, known_cards, person_of=tier.person_of, verdicts=decided, refused=refused, policy=policy
    )
    judged = _judged(decided, cards | known_cards, known_cards.keys(), refused, own=adopted.keys() - given.keys())
    pairs = [*judged, *(_of_contacts(pair, members) for pair in [*pairs, *more])]
    order = {person: place for place, person in enumerate(people)}
    matches = sorted([*made, *matches], key=lambda match: order[match.person])
    return _result(rows, members, matches, pairs, blocks, _whys(cards, members, tier, decided), policy)


def _of_contacts(pair: Pair, members: Mapping[str, list[str]]) -> Pair:
    """A pair whose people are named by contacts that are there: a verdict on any other id would not be understood."""

    def named(record: str) -> str:
        group = members.get(record, [record])
        return record if record in group else group[0]

    return replace(pair, a=named(pair.a), b=named(pair.b))


def _result(
    rows: Mapping[str, Mapping[str, Any]],
    members: Mapping[str, list[str]],
    matches: list[Match],
    pairs: list[Pair],
    blocks: list[Block],
    whys: Mapping[str, str],
    policy: DedupePolicy,
) -> Result:
    people, conflicts = [], []
    for match in matches:
        person, lost = survivor(match.person, [rows[c] for c in members[match.person]], region=policy.region)
        people.append(person | {"ashby_id": match.ashby_id, "match": match.match})
        conflicts += lost
    links = [{"person": p, "contact": c, "why": whys[c]} for p, group in members.items() for c in group]
    pairs = sorted(pairs, key=lambda pair: (pair.kind, -pair.score, pair.a, pair.b))
    return Result(
        people=_people_table(people),
        members=pd.DataFrame(links, columns=["person", "contact", "why"]),
        pairs=_table(pairs, Pair),
        matches=_table(matches, Match),
        conflicts=pd.DataFrame(conflicts, columns=["person", "field", "kept", "others"]),
        blocks=_table(sorted(blocks, key=lambda block: (-block.n_people, block.kind, block.value)), Block),
    )


def _table(rows: Iterable[Any], kind: type) -> pd.DataFrame:
    columns = [field.name for field in fields(kind)]
    values = [[getattr(row, column) for column in columns] for row in rows]
    return pd.DataFrame(values, columns=columns, dtype=object).astype(_NUMBERS.get(kind, {}))


def _people_table(people: list[dict[str, Any]]) -> pd.DataFrame:
    """Keep None as None (text columns of pandas would make it NaN), and numbers as numbers."""
    table = pd.DataFrame(people, columns=list(PEOPLE_COLUMNS), dtype=object)
    numbers = dict.fromkeys(("created_ms", "n_contacts", "n_opportunities"), "int64")
    return table.astype(numbers | {"is_anonymized": "bool"})


def _n_people(people: Mapping[str, Card], addresses: Mapping[str, str]) -> dict[str, int]:
    count: dict[str, int] = {}
    for card in people.values():
        for address in card.emails & addresses.keys():
            count[address] = count.get(address, 0) + 1
    return count


def _without_decided(pairs: list[Pair], tier: SilentTier, verdicts: Verdicts) -> list[Pair]:
    """Leave out pairs of people that a verdict already tells apart."""
    apart = {
        ordered(tier.person_of[a], tier.person_of[b])
        for (a, b), word in verdicts.pairs.items()
        if word == "different" and a in tier.person_of and b in tier.person_of
    }
    return [pair for pair in pairs if ordered(pair.a, pair.b) not in apart]


def _judged(
    verdicts: Verdicts,
    cards: Mapping[str, Card],
    existing: Iterable[str],
    refused: Refused,
    *,
    own: Set[tuple[str, str]],
) -> list[Pair]:
    """Return the pairs that have a verdict of a person, under the ids it was given for; a candidate is always `b`.

    `own` are the pairs that stand for what an earlier load has done.
    """
    known, ours = set(existing), {ordered(*pair) for pair in own}
    pairs = []
    for pair, verdict in verdicts.pairs.items():
        if pair in ours:
            continue
        a, b = sorted(pair, key=lambda record: (record in known, record))
        tier, score, reasons = compare(cards[a], cards[b], refused=refused)
        kind = "ashby" if b in known else "lever"
        pairs.append(Pair(a=a, b=b, tier=tier, score=score, reasons=reasons, verdict=verdict, kind=kind))
    return pairs


def _whys(
    cards: Mapping[str, Card], members: Mapping[str, list[str]], tier: SilentTier, verdicts: Verdicts
) -> dict[str, str]:
    """Return for each contact why it is in its person."""
    whys = {}
    for group in members.values():
        for contact in group:
            others = [other for other in group if other != contact]
            shared = any((cards[contact].emails & cards[other].emails) - tier.refused.keys() for other in others)
            whys[contact] = "only contact" if not others else "same e-mail address" if shared else "verdict of a person"
    return whys

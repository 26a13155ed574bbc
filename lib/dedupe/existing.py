"""People that Ashby has already: the same rules, and one candidate for one person at most."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lib.dedupe.cards import Card
from lib.dedupe.policy import DedupePolicy
from lib.dedupe.review import Pair, Refused, compare, keys_of, worth_a_look
from lib.dedupe.silent import objection
from lib.dedupe.verdicts import Verdicts, ordered


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """How a person stands to Ashby: "new", "exists" (with the candidate's id), or "review" (open pairs)."""

    person: str
    ashby_id: str | None
    match: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Search:
    """What is known of one person: the candidate of a verdict, candidates that nothing speaks against, open pairs."""

    decided: str | None
    sure: tuple[str, ...]
    pairs: tuple[Pair, ...]


def match_existing(
    people: Mapping[str, Card],
    existing: Mapping[str, Card],
    *,
    person_of: Mapping[str, str],
    verdicts: Verdicts,
    refused: Refused,
    policy: DedupePolicy,
) -> tuple[list[Match], list[Pair]]:
    """Return one match per person, and the open pairs of a person (a) and a candidate of Ashby (b)."""
    holders: dict[tuple[str, str], list[str]] = {}
    for candidate, card in existing.items():
        for key in keys_of(card):
            holders.setdefault(key, []).append(candidate)
    groups: dict[str, set[int]] = {}
    for contact, person in person_of.items():
        groups.setdefault(person, set()).add(verdicts.group_of[contact])
    searches = {}
    for person, card in people.items():
        near = {candidate for key in keys_of(card) for candidate in holders.get(key, ())}
        near = {candidate for candidate in near if not _apart(groups[person], verdicts.group_of[candidate], verdicts)}
        pairs = {candidate: _pair(person, candidate, card, existing[candidate], refused) for candidate in sorted(near)}
        kept = {
            c: p for c, p in pairs.items() if worth_a_look(card, existing[c], p.score, refused=refused, policy=policy)
        }
        searches[person] = _Search(
            decided=_decided(groups[person], verdicts),
            sure=tuple(candidate for candidate in kept if _is_sure(card, existing[candidate], refused)),
            pairs=tuple(kept.values()),
        )
    return _matches(searches)


def _matches(searches: Mapping[str, _Search]) -> tuple[list[Match], list[Pair]]:
    takers: dict[str, int] = {}
    for search in searches.values():
        for candidate in [search.decided] if search.decided else search.sure:
            takers[candidate] = takers.get(candidate, 0) + 1
    matches, pairs = [], []
    for person, search in searches.items():
        match = _match(person, search, takers)
        matches.append(match)
        for pair in search.pairs:
            if match.ashby_id != pair.b:
                pairs.append(_explained(pair, search, takers))
    return matches, pairs


def _match(person: str, search: _Search, takers: Mapping[str, int]) -> Match:
    if search.decided:
        return Match(person=person, ashby_id=search.decided, match="exists", why="verdict of a person")
    if len(search.sure) == 1 and takers[search.sure[0]] == 1:
        return Match(person=person, ashby_id=search.sure[0], match="exists", why="same e-mail address")
    if search.pairs:
        return Match(person=person, ashby_id=None, match="review", why=f"{len(search.pairs)} open pairs")
    return Match(person=person, ashby_id=None, match="new", why="nobody like this in Ashby")


def _explained(pair: Pair, search: _Search, takers: Mapping[str, int]) -> Pair:
    if pair.b not in search.sure:
        return pair
    if len(search.sure) > 1 or search.decided:
        return replace(pair, reasons=f"{pair.reasons}; several candidates of Ashby fit")
    return replace(pair, reasons=f"{pair.reasons}; {takers[pair.b]} people of Lever fit")


def _pair(person: str, candidate: str, card: Card, other: Card, refused: Refused) -> Pair:
    tier, score, reasons = compare(card, other, refused=refused)
    return Pair(a=person, b=candidate, tier=tier, score=score, reasons=reasons, kind="ashby")


def _is_sure(a: Card, b: Card, refused: Refused) -> bool:
    return not objection(a, b) and any(address not in refused.reasons for address in a.emails & b.emails)


def _apart(groups: set[int], candidate_group: int, verdicts: Verdicts) -> bool:
    return any(ordered(group, candidate_group) in verdicts.apart for group in groups)


def _decided(groups: set[int], verdicts: Verdicts) -> str | None:
    return next((verdicts.candidate_of[group] for group in sorted(groups) if group in verdicts.candidate_of), None)

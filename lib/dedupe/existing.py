"""People that Ashby has already: the same rules, and one candidate for one person at most."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from lib.dedupe.blocks import People
from lib.dedupe.cards import Card
from lib.dedupe.policy import DedupePolicy
from lib.dedupe.review import Beyond, Pair, pair_of, speaks_for_one, worth_a_look
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
    """What is known of one person: the candidate of a verdict, candidates that nothing speaks against, pairs."""

    decided: str | None
    sure: tuple[str, ...]
    pairs: tuple[Pair, ...]
    apart: tuple[Pair, ...]


def match_existing(
    people: People,
    near: Mapping[int, Collection[int]],
    *,
    made: Collection[int],
    verdicts: Verdicts,
    beyond: Beyond,
    policy: DedupePolicy,
) -> tuple[dict[int, Match], list[Pair], list[Pair]]:
    """Return {person: match} of those who are not simply new, and pairs of a person (a) and a candidate (b).

    The first ones are open; the others have something in common, and are too unlike to be asked about.

    `near` has the candidates that have something in common with a person. People in `made` have a candidate that an
    earlier load made: they are not looked for.
    """
    decided = _decided(people, verdicts)
    searches = {}
    for person in sorted((near.keys() | decided.keys()) - set(made)):
        card, pairs, apart = people.card(person), {}, []
        groups = people.nodes(person)
        for candidate in sorted(near.get(person, ()), key=people.candidates.__getitem__):
            if not any(ordered(group, verdicts.group(people.record(candidate))) in verdicts.apart for group in groups):
                other, ids = people.candidate_card(candidate), (people.ids[person], people.candidates[candidate])
                pair = pair_of(card, other, beyond=beyond, ids=ids, kind="ashby")
                if worth_a_look(card, other, pair.score, beyond=beyond, policy=policy):
                    pairs[candidate] = pair
                else:
                    apart.append(pair)
        sure = (one for one in pairs if _is_sure(card, people.candidate_card(one), beyond))
        names = tuple(people.candidates[one] for one in sure)
        found = {"pairs": tuple(pairs.values()), "apart": tuple(apart)}
        searches[person] = _Search(decided=decided.get(person), sure=names, **found)
    matches, listed = _matches(people, searches)
    why = "made by an earlier load"
    matches |= {one: Match(person=people.ids[one], ashby_id=None, match="new", why=why) for one in made}
    return matches, listed, [pair for search in searches.values() for pair in search.apart]


def _matches(people: People, searches: Mapping[int, _Search]) -> tuple[dict[int, Match], list[Pair]]:
    takers: dict[str, int] = {}
    for search in searches.values():
        for candidate in [search.decided] if search.decided else search.sure:
            takers[candidate] = takers.get(candidate, 0) + 1
    matches = {person: _match(people.ids[person], search, takers) for person, search in searches.items()}
    pairs = [
        _explained(pair, search, takers)
        for person, search in searches.items()
        for pair in search.pairs
        if matches[person].ashby_id != pair.b
    ]
    return matches, pairs


def _match(person: str, search: _Search, takers: Mapping[str, int]) -> Match:
    if search.decided:
        return Match(person=person, ashby_id=search.decided, match="exists", why="verdict of a person")
    if len(search.sure) == 1 and takers[search.sure[0]] == 1:
        return Match(person=person, ashby_id=search.sure[0], match="exists", why="same e-mail address")
    if search.pairs:
        return Match(person=person, ashby_id=None, match="review", why=f"{len(search.pairs)} open pairs")
    if search.apart:
        why = f"{len(search.apart)} in Ashby have something in common, and are too unlike"
        return Match(person=person, ashby_id=None, match="new", why=why)
    return Match(person=person, ashby_id=None, match="new", why="nobody like this in Ashby")


def _explained(pair: Pair, search: _Search, takers: Mapping[str, int]) -> Pair:
    if pair.b not in search.sure:
        return pair
    if len(search.sure) > 1 or search.decided:
        return replace(pair, reasons=f"{pair.reasons}; several candidates of Ashby fit")
    return replace(pair, reasons=f"{pair.reasons}; {takers[pair.b]} people of Lever fit")


def _is_sure(a: Card, b: Card, beyond: Beyond) -> bool:
    return not objection(a.names, b.names) and speaks_for_one(a, b, beyond=beyond)


def _decided(people: People, verdicts: Verdicts) -> dict[int, str]:
    """{person: the candidate that verdicts give it}."""
    found: dict[int, str] = {}
    for group, candidate in sorted(verdicts.candidate_of.items()):
        if group < people.n_contacts:
            found.setdefault(people.person_of(group), candidate)
    return found

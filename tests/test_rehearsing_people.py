"""Of a large account the forecast looks at some people by chance: they must be the ones it would find among all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from statistics import fmean
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import new_store

from bench.contacts import Company
from lib.dedupe import kin
from lib.dedupe.proposals import proposed
from lib.params import Policy
from lib.steps import rehearsing_people
from lib.steps.rehearsing_people import Account
from lib.store import Store

NOW = 1_700_000_000_000
N_CONTACTS = 3_000


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A labelled company in a store: a fifth of its contacts are somebody who is there already; some are in Ashby."""
    store = new_store(tmp_path_factory.mktemp("company") / "acme")
    people = Company(N_CONTACTS)
    rows = list(people)
    of_human = {people.human_of[one["contact"]]: one for one in reversed(rows)}
    with store.begin() as tx:
        store.put_raw(tx, "opportunities", ((one["id"], one["contact"], one) for one in rows))
        candidates = [candidate(one) for human, one in sorted(of_human.items()) if human % 7 == 0]
        store.put_ashby(tx, "candidates", ((one["id"], one) for one in candidates), whole=True)
    yield store
    store.close()


def candidate(opportunity: dict[str, Any]) -> dict[str, Any]:
    """Somebody of the same company who is in Ashby, too."""
    emails = [{"value": one} for one in opportunity["emails"]]
    return {"id": f"a-{opportunity['contact']}", "name": opportunity["name"], "emailAddresses": emails}


def seen(store: Store, monkeypatch: pytest.MonkeyPatch, *, rows: Any = (), **limits: int) -> Account:
    """The account of a customer who has decided nothing."""
    for name, value in limits.items():
        monkeypatch.setattr(rehearsing_people, name, value)
    table = SimpleNamespace(rows=list(rows))
    book: Any = SimpleNamespace(store=store, params=SimpleNamespace(policy=Policy()), table=lambda name: table)
    return rehearsing_people.account(book, now_ms=NOW)


def test_people_by_chance_are_the_first_of_all_people(company: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has the contacts, the candidate and the opportunities that it has among all; of very few a question differs.

    The model learns from fewer, and a question about a third person may be open where it is decided among all.
    """
    whole = seen(company, monkeypatch, LARGE=10**9)
    some = seen(company, monkeypatch, LARGE=0, DRAWN=600)
    assert len(some.order) > 400
    assert (some.n_drawn, some.n_all) == (600, N_CONTACTS)
    assert some.sums == whole.sums
    candidates = [dict(zip(one.who.people["person"], one.who.people["ashby_id"], strict=True)) for one in (whole, some)]
    same = [
        one for one in some.order
        if sorted(whole.who.contacts.get(one, [])) == sorted(some.who.contacts[one])
        and whole.ids[one] == some.ids[one] and candidates[0][one] == candidates[1][one]
    ]  # fmt: skip
    assert len(same) >= 0.99 * len(some.order)
    assert sum(len(some.who.contacts[one]) > 1 for one in same) > 50
    assert sum(candidates[1][one] is not None for one in same) > 40


def test_who_draws_everybody_sees_what_there_is(company: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """No doubt but that of the questions, which are the same."""
    whole = seen(company, monkeypatch, LARGE=10**9)
    drawn = seen(company, monkeypatch, LARGE=0, DRAWN=10**6)
    assert (drawn.order, drawn.ids, drawn.fair) == (whole.order, whole.ids, whole.fair)
    assert drawn.who.contacts == whole.who.contacts
    assert drawn.factor == whole.factor == 1
    assert drawn.who.doubt == pytest.approx(whole.who.doubt)
    assert whole.who.doubt > 0


def test_proposals_are_joined_among_all(company: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tests here compare is not only what the silent tier has joined."""
    whole = seen(company, monkeypatch, LARGE=10**9)
    monkeypatch.setattr(rehearsing_people, "proposed", lambda *_: {})
    assert len(whole.order) < len(seen(company, monkeypatch, LARGE=10**9).order) - 20


def test_each_counts_alike_over_many_draws(company: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of people is right on average: whoever is drawn."""
    whole, n_people = seen(company, monkeypatch, LARGE=10**9), list[float]()
    for number in range(12):
        monkeypatch.setattr(rehearsing_people, "lot", lambda one, number=number: lot_of(number, one))
        some = seen(company, monkeypatch, LARGE=0, DRAWN=600)
        n_people.append(len(some.fair) * some.factor)
    assert fmean(n_people) == pytest.approx(len(whole.order), rel=0.01)
    assert max(n_people) > min(n_people)


def test_each_question_of_the_account_counts_alike_over_all_draws() -> None:
    """Of four people two are drawn: each pair of Lever counts by half of its sides, one with a candidate by its one."""
    draws = [set(one) for one in combinations("abcd", 2)]
    for pair in ({"a": "a", "b": "b", "kind": "lever"}, {"a": "c", "b": "X", "kind": "ashby"}):
        shares = [rehearsing_people.share_of(pair, fair) for fair in draws]
        assert fmean(shares) * 4 / 2 == 1


def lot_of(number: int, one: str) -> tuple[bytes, str]:
    """Another order of the same people."""
    return kin.number_of("lot", f"{number} {one}").to_bytes(8, "big"), one


def test_kin_is_found_through_all_who_use_an_address() -> None:
    """Through addresses as far as they go; from all of these one step through what makes a question; no crowd's."""
    values = {
        "a": {1: True, 7: False, 5: True}, "b": {1: True, 2: True}, "c": {2: True, 8: False}, "d": {8: False, 9: True},
        "e": {7: False, 3: True, 6: False}, "f": {3: True, 4: False}, "g": {6: False}, "h": {9: True}, "i": {4: False},
    }  # fmt: skip
    values |= {f"crowd {n}": {5: True} for n in range(kin.CROWD)}
    found = kin.spread(["a"], values.__getitem__, lambda value: [one for one in values if value in values[one]])
    assert found == {"a", "b", "c", "d", "e", "f", "h"}
    assert kin.spread(["c"], values.__getitem__, lambda value: [one for one in values if value in values[one]]) == found


PEOPLE = {one: one for one in "abcdef"} | {"a2": "a"}


@pytest.mark.parametrize(
    ("pairs", "verdicts", "joined"),
    [
        ("a-b 0.9, b-c 0.8", {}, "a-b, b-c"),
        ("a-b 0.4", {}, ""),
        ("a-X 0.9, a-Y 0.8", {}, "a-X"),
        ("a-X 0.9, b-Y 0.8, a-b 0.7", {}, "a-X, b-Y"),
        ("a-X 0.9, b-X 0.8, a-b 0.7", {}, "a-X, b-X, a-b"),
        ("a-b 0.9, b-c 0.8, c-d 0.6", {("a", "c"): "different"}, "a-b, c-d"),
        ("b-c 0.9, a-b 0.8", {("a2", "c"): "different"}, "b-c"),
        ("a-b 0.9, b-Y 0.8", {("a2", "X"): "same"}, "a-b"),
        ("a-b 0.9", {("a", "X"): "same", ("b", "Y"): "same"}, ""),
        ("a-b 0.9, b-X 0.8, c-d 0.9", {("a", "c"): "different", ("c", "X"): "same"}, "a-b, c-d"),
        ("a-b 0.9, c-d 0.8, b-d 0.7", {("a", "c"): "different"}, "a-b, c-d"),
        ("a-b 0.9, b-c 0.6, a-c 0.1", {}, "a-b"),
        ("a-X 0.9, b-X 0.8, a-b 0.1", {}, "a-X"),
        ("a-b 0.9, b-c 0.8, a-c 0.4", {}, "a-b, b-c, a-c"),
    ],
)
def test_proposals_are_taken_that_can_be_true_together(pairs: str, verdicts: dict[Any, str], joined: str) -> None:
    """The surest first; one that contradicts costs nobody else a proposal."""
    rows = [
        {"a": a, "b": b, "score": float(score), "kind": "ashby" if b in "XY" else "lever"}
        for a, _, b, score in ((*pair.partition("-"), score) for pair, score in map(str.split, pairs.split(", ")))
    ]
    found = proposed(rows, verdicts, PEOPLE)
    wanted = {tuple(one.split("-")) for one in joined.split(", ") if one}
    assert found == {(row["a"], row["b"]): "same" if (row["a"], row["b"]) in wanted else "different" for row in rows}


def test_verdicts_on_those_who_are_gone_stand_in_nobodys_way(company: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have no effect on dedupe, and none on what is proposed."""
    whole = seen(company, monkeypatch, LARGE=10**9)
    some = sorted(whole.who.contacts)[:500]
    rows = [{"id": f"{one}|gone-{n}", "verdict": "same"} for n, one in enumerate(some)]
    again = seen(company, monkeypatch, rows=rows, LARGE=10**9)
    assert again.who.contacts == whole.who.contacts

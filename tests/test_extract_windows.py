"""All opportunities arrive, whenever they were created, and never more than a few of them are in memory at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Sandbox

from lib import steps
from lib.errors import UnavailableError
from lib.extract import windows
from lib.lever import OffsetExpiredError, Page, Query
from lib.workbook import Workbook

NOW = 1_760_000_000_000
DAY = 86_400_000
Item = dict[str, Any]


class Account:
    """Opportunities by creation time, listed as Lever lists them: pages of ten, bounds inclusive."""

    def __init__(self, moments: list[int]) -> None:
        self.items = [{"id": str(number), "createdAt": at, "updatedAt": None} for number, at in enumerate(moments)]
        self.n_pages = 0
        self.refuse: list[int] = []  # pages of the whole account that are refused

    def pages(self, path: str, query: Query) -> Iterator[Page]:
        """The pages of one listing."""
        assert path == "/opportunities"
        told = dict(query)
        start, end = int(told.get("created_at_start", -(10**15))), int(told.get("created_at_end", 10**15))
        assert start <= end
        found = [item for item in self.items if start <= item["createdAt"] <= end]
        for first in range(0, max(len(found), 1), 10):
            self.n_pages += 1
            if self.n_pages in self.refuse:
                raise OffsetExpiredError("refused")
            yield Page(found[first : first + 10], NOW)

    def listing(self, query: Query) -> Iterator[Page]:
        return windows.portions(self, "/opportunities", query)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of about 100 rows that are given up at 200, and portions of 50."""
    for name, value in {"WINDOW_ROWS": 100, "MOST_ROWS": 200, "PORTION": 50}.items():
        monkeypatch.setattr(windows, name, value)


def walked(account: Account) -> list[windows.Portion]:
    """All portions of a walk from now on."""
    return list(windows.in_windows(account.listing, windows.FIRST | {"from": NOW}))


def ages(chance: random.Random, kind: str) -> list[int]:
    """When the opportunities of an account were created."""
    old = {
        "even": [NOW - chance.randrange(6 * 365 * DAY) for _ in range(3_000)],
        "one import": [NOW - 900 * DAY - chance.randrange(DAY // 24) for _ in range(3_000)],
        "one millisecond": [NOW - 900 * DAY] * 1_500,
        "before 2008 after a long gap": [chance.randrange(1_000 * DAY) for _ in range(2_000)],
        "before 1970": [-chance.randrange(1_000 * DAY) for _ in range(500)],
        "the first second of 2008": [windows.OLD + number % 1_000 for number in range(600)],
        "nothing": [],
    }[kind]
    new = [NOW - chance.randrange(40 * DAY) for _ in range(150)] if old else []
    return new + old


@pytest.mark.parametrize(
    ("kind", "n_lost"),
    [
        ("even", 400),
        ("one import", 500),
        ("one millisecond", 600),
        ("before 2008 after a long gap", 200),
        ("before 1970", 200),
        ("the first second of 2008", 200),
        ("nothing", 10),
    ],
)
def test_everything_arrives_whenever_it_was_created(kind: str, n_lost: int) -> None:
    """In portions that memory can hold, each window about as large as it should be, with few pages read in vain."""
    account = Account(ages(random.Random(kind), kind))
    parts = walked(account)
    found = {item["id"] for part in parts for item in part.items}
    assert found == {item["id"] for item in account.items}
    assert parts[-1].state["done"]
    assert max(len(part.items) for part in parts) <= 60
    wide = [part for part in parts if part.n_rows > 250 and "begin" not in part.whole]
    assert all(_width(part.whole) <= windows.LEAST for part in wide)
    assert account.n_pages - len(account.items) // 10 <= n_lost


def _width(name: str) -> int:
    start, _, end = name.removeprefix("created ").partition("..")
    return int(end) - int(start)


def test_a_walk_goes_on_from_any_state_that_was_kept() -> None:
    """Whatever was kept, and the state with it: nothing is lost when the rest is read later."""
    account = Account(ages(random.Random(1), "one import"))
    parts = walked(account)
    for cut in range(0, len(parts), 7):
        kept = {item["id"] for part in parts[: cut + 1] for item in part.items}
        rest = windows.in_windows(account.listing, parts[cut].state)
        assert kept | {item["id"] for part in rest for item in part.items} == {one["id"] for one in account.items}


def test_a_refused_token_begins_the_window_again_and_three_times_stop() -> None:
    """Nothing of it is lost."""
    account = Account([NOW - number for number in range(150)])
    account.refuse = [7, 12]
    found = [item["id"] for page in account.listing([]) for item in page.items]
    assert set(found) == {item["id"] for item in account.items}
    account.refuse = [account.n_pages + 2, account.n_pages + 4, account.n_pages + 6]
    with pytest.raises(UnavailableError, match="three times"):
        list(account.listing([]))


def test_of_an_id_that_comes_twice_the_newest_body_is_kept_even_portions_apart() -> None:
    """Lever lists a candidate twice who moves on meanwhile; the older body may come last."""
    account = Account([NOW] * 200)
    account.items[3] |= {"updatedAt": 5, "id": "twice"}
    account.items[190] |= {"updatedAt": 4, "id": "twice"}
    account.items[195] |= {"updatedAt": 6, "id": "twice"}
    found = [item["updatedAt"] for page in account.listing([]) for item in page.items if item["id"] == "twice"]
    assert found == [5, 6]


def test_an_extraction_in_tiny_windows_reads_the_same(
    book: Workbook, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of the company through windows that are given up again and again."""
    for name, value in {"WINDOW_ROWS": 2, "MOST_ROWS": 4, "PORTION": 1}.items():
        monkeypatch.setattr(windows, name, value)
    monkeypatch.setitem(type(book.lever).pages.__kwdefaults__, "limit", 2)
    steps.audit(book)
    assert set(book.store.head_shas("opportunities")) == {one["id"] for one in sandbox.truth["opportunities"]}
    assert book.store.meta("extract.windows")["done"]


def test_one_wrong_date_does_not_move_the_beginning_of_a_reading() -> None:
    """Ahead of all others it is no beginning; where no answer tells a date there is none."""

    class Dated:
        def __init__(self, *told: int) -> None:
            self.told = told

        def pages(self, path: str, query: Query) -> Iterator[Page]:
            yield from (Page([{"id": str(number)}], at) for number, at in enumerate(self.told))

    for told, begun in (((NOW, NOW + 1), NOW), ((NOW + DAY, NOW, NOW + 1), NOW), ((0, NOW), NOW), ((0, 0), 0)):
        lever: Any = Dated(*told)
        assert windows.whole(lever, "/users", [])[1] == begun
        assert [page.server_ms for page in windows.portions(lever, "/users", [])] == [begun]

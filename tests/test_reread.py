"""Child lists that are read again although nothing has changed; a reread that is cut off goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Sandbox, copied_home, environment, write_customer
from sqlalchemy import update

from lib import steps
from lib.errors import UnauthorizedError
from lib.extract.reread import MARK
from lib.store import now_ms
from lib.store import tables as t
from lib.store.heads import with_ages
from lib.workbook import Workbook

NOTES = "opportunities/:id/notes"
HOUR = 3_600_000


@pytest.fixture
def held(mapped_home: Path, tmp_path: Path, sandbox: Sandbox, opened: Callable[[], Workbook]) -> Iterator[Workbook]:
    """A customer of whom everything was read; one worker, so that lists are read in the order of their ids."""
    folder = copied_home(mapped_home, tmp_path / "home")
    write_customer(folder, sandbox, lever={"workers": 1})
    with environment(folder, sandbox):
        yield opened()


def read_again(book: Workbook, reread: bool | str) -> set[str]:
    """Opportunities whose notes an extraction has asked for."""
    with book.lever.tally.apart() as asked:
        steps.extract(book, reread=reread)
    return {lever_id for lever_id, counts in asked.items() if counts[NOTES]}


def cut_off(book: Workbook, sandbox: Sandbox, at: str, reread: bool | str) -> set[str]:
    """The same of one that is cut off when it asks for the notes of `at`; those that it has read."""
    sandbox.faults({"api": "lever", "endpoint": f"/opportunities/{at}/notes", "effect": "status", "status": 401})
    with book.lever.tally.apart() as asked, pytest.raises(UnauthorizedError):
        steps.extract(book, reread=reread)
    sandbox.faults()
    return {lever_id for lever_id, counts in asked.items() if counts[NOTES]} - {at}


@pytest.fixture
def lively(held: Workbook) -> list[str]:
    """What a reread reads when nothing disturbs it; it is over, and a later one begins anew."""
    return sorted(read_again(held, True))


@pytest.mark.parametrize("reread", [True, "all"])
def test_a_reread_that_is_cut_off_goes_on_and_the_next_one_begins_anew(
    held: Workbook, sandbox: Sandbox, lively: list[str], reread: bool | str
) -> None:
    wanted = lively if reread is True else sorted(held.store.head_shas("opportunities"))
    assert 20 < len(lively) < len(held.store.head_shas("opportunities"))
    done = cut_off(held, sandbox, wanted[len(wanted) // 2], reread)
    assert done == set(wanted[: len(wanted) // 2])
    began_ms = held.store.meta(MARK)["began_ms"]
    assert read_again(held, reread) == set(wanted) - done
    at = {item["id"]: at_ms for item, at_ms in with_ages(held.store, "opportunities", "children")}
    assert {one for one in wanted if at[one] < began_ms} == set()
    assert held.store.meta(MARK) is None
    assert read_again(held, reread) == set(wanted)


def test_two_cuts_leave_nothing_out_also_with_an_ordinary_reading_in_between(
    held: Workbook, sandbox: Sandbox, lively: list[str]
) -> None:
    first = cut_off(held, sandbox, lively[5], True)
    assert read_again(held, False) == set()
    second = cut_off(held, sandbox, lively[9], True)
    assert (first, second) == (set(lively[:5]), set(lively[5:9]))
    assert read_again(held, True) == set(lively[9:])


def test_a_reread_of_all_that_was_cut_off_is_no_part_of_another_one(
    held: Workbook, sandbox: Sandbox, lively: list[str]
) -> None:
    cut_off(held, sandbox, lively[9], True)
    assert read_again(held, "all") == set(held.store.head_shas("opportunities"))


def test_one_that_began_too_long_ago_begins_anew(held: Workbook, sandbox: Sandbox, lively: list[str]) -> None:
    """What it has read would stop a load (lever.reread_hours): somebody has stopped working in Lever only since."""
    cut_off(held, sandbox, lively[9], True)
    mark = held.store.meta(MARK)
    held.store.put_meta(MARK, mark | {"began_ms": mark["began_ms"] - 25 * HOUR})
    assert read_again(held, True) == set(lively)


def test_no_clock_makes_an_earlier_reading_count(held: Workbook, sandbox: Sandbox, lively: list[str]) -> None:
    """The lists were read by a machine whose clock is an hour ahead; the reread is made by another one."""
    with held.store.begin() as tx:
        tx.execute(update(t.windows).values(at_ms=now_ms() + HOUR).where(t.windows.c.stream == "children"))
    cut_off(held, sandbox, lively[9], True)
    assert read_again(held, True) >= set(lively[9:])
    with held.store.begin() as tx:
        tx.execute(update(t.windows).values(at_ms=now_ms() + HOUR).where(t.windows.c.key == lively[20]))
    cut_off(held, sandbox, lively[9], True)
    assert lively[20] in read_again(held, True)


def test_resume_lists_that_are_all_404_are_told_also_when_the_reading_was_cut_off(
    held: Workbook, sandbox: Sandbox
) -> None:
    """Those before the cut count: the rest alone would be too few to tell chance from a right that the key lacks."""
    ids = sorted(held.store.head_shas("opportunities"))
    absent = {"api": "lever", "endpoint": "/opportunities/*/resumes", "effect": "status", "status": 404}
    stop = {"api": "lever", "endpoint": f"/opportunities/{ids[-9]}/notes", "effect": "status", "status": 401}
    sandbox.faults(stop, absent)
    with pytest.raises(UnauthorizedError):
        steps.extract(held, reread="all")
    sandbox.faults(absent)
    drift = steps.extract(held, reread="all").drift
    assert "(list)" in set(drift["attribute"])

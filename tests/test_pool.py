"""Many things at once: bounded, and stopped by the first error."""

import threading
from collections.abc import Iterator

import pytest

from lib.pool import run_all


def test_every_item_is_worked_on_once() -> None:
    assert sorted(run_all(range(100), lambda item: item * 2, workers=7)) == [item * 2 for item in range(100)]


def test_no_more_than_so_many_at_once() -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def work(_: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.001)
        with lock:
            now[0] -= 1

    list(run_all(range(60), work, workers=4))
    assert most[0] <= 4


def test_after_an_error_nothing_new_is_begun() -> None:
    begun = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 3:
            raise ValueError("three")
        return item

    with pytest.raises(ValueError, match="three"):
        list(run_all(iter(range(10_000)), work, workers=2))
    assert len(begun) < 100


def test_good_results_that_come_together_with_an_error_are_given_first_and_nothing_is_begun_beside_it() -> None:
    """What was done is not lost; and while an error waits to be raised, no new item is taken from the source."""
    go_on, taken = threading.Event(), []

    def source() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    def work(item: int) -> int:
        if item:
            go_on.wait(5)
        if item == 1:
            raise ValueError("one")
        return item

    results = run_all(source(), work, workers=3)
    came = [next(results)]  # the generator stands still from here on; three others run, or have ended
    go_on.set()
    threading.Event().wait(0.3)
    with pytest.raises(ValueError, match="one"):
        came.extend(results)
    assert sorted(came) == [0, 2, 3]
    assert taken == [0, 1, 2, 3]


def test_items_are_taken_from_their_source_only_when_there_is_a_place() -> None:
    taken = []

    def source():
        for item in range(50):
            taken.append(item)
            yield item

    results = run_all(source(), lambda item: item, workers=3)
    next(results)
    assert len(taken) <= 8
    results.close()


def test_nothing_to_do_is_done_at_once() -> None:
    assert list(run_all([], lambda item: item, workers=3)) == []

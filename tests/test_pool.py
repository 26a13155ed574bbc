"""Many things at once: bounded, and stopped by the first error."""

import threading

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

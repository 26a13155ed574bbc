"""Places among the workers of a load: bounded, none lost, and who comes back goes first."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from lib.load.places import Places


def test_no_more_than_so_many_and_every_place_is_given_back() -> None:
    """Hundreds of chains of many waits each; in the end all places are free, and everybody has had one."""
    places, lock, now, most, ended = Places(3), threading.Lock(), [0], [0], []

    def at_work(step: int) -> None:
        with lock:
            now[0] += step
            most[0] = max(most[0], now[0])
        time.sleep(0.0005)

    def chain(number: int) -> None:
        chance = random.Random(number)
        with places:
            at_work(1)
            for _ in range(chance.randint(0, 5)):
                at_work(-1)
                with places.left():
                    time.sleep(chance.random() * 0.003)
                at_work(1)
            at_work(-1)
        with lock:
            ended.append(number)

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(chain, range(400)))
    assert sorted(ended) == list(range(400))
    assert most[0] == 3
    with places, places, places:
        assert now[0] == 0


def test_who_comes_back_goes_before_those_who_have_not_begun() -> None:
    """Else half-done chains pile up until the end of a load."""
    places, order, back = Places(1), [], threading.Event()

    def waits() -> None:
        with places:
            with places.left():
                back.wait(5)
            order.append("back")

    def new(number: int) -> None:
        with places:
            order.append(number)

    first = threading.Thread(target=waits)
    first.start()
    time.sleep(0.1)
    with places:  # it has left its place, and this is it
        others = [threading.Thread(target=new, args=(number,)) for number in range(5)]
        for one in others:
            one.start()
        time.sleep(0.1)
        back.set()
        time.sleep(0.1)
    for one in (first, *others):
        one.join(5)
    assert order[0] == "back"
    assert sorted(order[1:]) == list(range(5))


def test_a_wait_that_breaks_off_leaves_the_place_in_order() -> None:
    """An error while waiting: the place is taken again before it goes on up, and given back with the chain."""
    places = Places(1)
    try:
        with places, places.left():
            raise ValueError("stopped")
    except ValueError:
        pass
    with places:
        assert places._n_free == 0
    assert places._n_free == 1

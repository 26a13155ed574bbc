"""Do many independent things at once, a bounded number at a time, and stop at the first thing that goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_all(items: Iterable[Item], work: Callable[[Item], Result], *, workers: int) -> Iterator[Result]:
    """Results of `work(item)` as they come; after an error no new item is begun, and the first error is raised."""
    todo = iter(items)
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="work") as pool:
        running: set[Future[Result]] = {pool.submit(work, item) for item in islice(todo, workers)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for one in sorted(done, key=lambda one: one.exception() is not None):
                    result = one.result()
                    if not any(other.done() and other.exception() is not None for other in {*done, *running}):
                        running |= {pool.submit(work, item) for item in islice(todo, 1)}
                    yield result
        finally:
            for one in running:
                one.cancel()

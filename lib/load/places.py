"""Places among the workers: who comes back from a wait goes before who has not begun."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """So many at once. A chain that waits for a look-up leaves its place, and has the next free one when it is back.

    Were they all alike, it would stand behind every chain that has not begun: half-done chains would pile up until the
    end of the load, where too few are left to use the allowance.
    """

    def __init__(self, n_places: int) -> None:
        self._n_free, self._n_back = n_places, 0
        lock = threading.Lock()
        self._new, self._back = threading.Condition(lock), threading.Condition(lock)

    def __enter__(self) -> None:
        with self._new:
            self._new.wait_for(lambda: self._n_free and not self._n_back)
            self._taken()

    def __exit__(self, *_: object) -> None:
        self._give()

    @contextmanager
    def left(self) -> Iterator[None]:
        """The place is somebody else's meanwhile."""
        self._give()
        try:
            yield
        finally:
            with self._back:
                self._n_back += 1
                self._back.wait_for(lambda: self._n_free)
                self._n_back -= 1
                self._taken()

    def _taken(self) -> None:
        self._n_free -= 1
        self._wake()

    def _give(self) -> None:
        with self._new:
            self._n_free += 1
            self._wake()

    def _wake(self) -> None:
        if self._n_free:
            (self._back if self._n_back else self._new).notify()

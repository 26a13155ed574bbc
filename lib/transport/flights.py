"""How many calls are under way at once: as many as the pace needs at the latency that is measured, and no more."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from lib.transport.pacer import Pacer

FIRST = 8  # calls at once before anything was measured
LEAST = 2
HEADROOM, SPARE = 1.25, 2  # beyond rate x latency: answers do not come evenly, and one waits for its place in the pace
SHARE = 1 / 32  # of a new measurement in the running mean
PATIENT = 500  # answers in a row after which one more call at once is tried, once there were too many


class Flights:
    """A limit on calls under way that follows the latency: rate x latency (Little's law), and some headroom.

    At Lever's 10 per second an answer after 0.3 s needs 6 calls at once, one after 1 s needs 15; a fixed number would
    leave the allowance unused, or press a server that is slow already. `most` is the limit of the limit: the number of
    connections. When a vendor says that so many at once are too many (`crowded`), the limit falls below that, and
    rises again by one after 500 answers.
    """

    def __init__(self, pacer: Pacer, *, most: int) -> None:
        self._pacer, self._most = pacer, max(1, most)
        self._free = threading.Condition()
        self._n_flying = self._n_sent = self._n_calm = 0
        self._ceiling = self._most
        self._crowded_until = 0.0
        self._latency: float | None = None

    @property
    def latency(self) -> float | None:
        """The running mean of how long a call took, in seconds; None before the first."""
        return self._latency

    @property
    def limit(self) -> int:
        """How many calls may be under way now."""
        latency = self._latency
        wanted = FIRST if latency is None else math.ceil(self._pacer.rate * latency * HEADROOM) + SPARE
        return min(max(wanted, LEAST), self._ceiling)

    @property
    def under_way(self) -> int:
        """How many calls were sent and are not answered yet."""
        return self._n_sent

    def begin(self) -> None:
        """Wait until one more call may be under way."""
        with self._free:
            self._free.wait_for(lambda: self._n_flying < self.limit)
            self._n_flying += 1

    def leave(self) -> None:
        """A call that has begun is sent now; those before it may still have waited for their place in the pace."""
        with self._free:
            self._n_sent += 1

    def end(self, seconds: float | None) -> None:
        """A call is over, after so many seconds; None when that says nothing (it was never sent)."""
        with self._free:
            self._n_flying -= 1
            if seconds is not None:
                self._n_sent -= 1
                self._latency = seconds if self._latency is None else self._latency + (seconds - self._latency) * SHARE
                self._n_calm += 1
            if self._n_calm >= PATIENT and self._ceiling < self._most:
                self._ceiling, self._n_calm = self._ceiling + 1, 0
            self._free.notify_all()

    def crowded(self, *, calm_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """The vendor says: too many at once. Those that were under way together count as one such answer (`calm_s`)."""
        with self._free:
            self._n_calm = 0
            if clock() >= self._crowded_until:
                at_once = min(self._n_flying + 1, self._ceiling)  # with the one that was told so, which is over
                self._ceiling = max(1, min(at_once - 1, math.ceil(at_once * 2 / 3)))
                self._crowded_until = clock() + calm_s

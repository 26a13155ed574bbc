"""The two ways the vendors count requests, on the monotonic clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class TokenBucket:
    """A steady rate with a burst on top, as Lever's documentation describes its limit."""

    def __init__(self, rate: float, burst: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start full: ``burst`` requests at once, then ``rate`` a second."""
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._tokens = burst
        self._at = clock()

    def take(self) -> bool:
        """Take one token; False when none is left."""
        now = self._clock()
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class FixedWindow:
    """So many requests per window, the window starting with its first request."""

    def __init__(self, limit: int, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow ``limit`` requests in each window of ``seconds``."""
        self.limit = limit
        self.seconds = seconds
        self._clock = clock
        self._start = clock()
        self._used = 0

    def take(self) -> bool:
        """Count one request; False when the window is used up (refused requests are not counted)."""
        now = self._clock()
        if now - self._start >= self.seconds:
            self._start = now
            self._used = 0
        if self._used >= self.limit:
            return False
        self._used += 1
        return True

    @property
    def remaining(self) -> int:
        """Requests left in this window."""
        return max(0, self.limit - self._used)

    @property
    def reset_in(self) -> int:
        """Whole seconds until the window ends."""
        return max(0, math.ceil(self._start + self.seconds - self._clock()))

"""The pace of one key: an allowance that all workers share, and what a 429 makes of it."""

from __future__ import annotations

import threading
import time

from lib.transport.headers import LONGEST_WAIT

LEAST = 1 / 16  # of the full pace: slower would look like standing still
WAVE = 0.5  # of the first wait: the 429s of calls that were under way together are one storm, not eight
GROWTH, CAREFUL = 1 / 20, 1 / 200  # of the full pace per answer: up to where the 429 came, and from there on
CALM = 20  # answers in a row after which a storm is over
SAVED = 1  # first waits: so much of what a hold has cost may be made up for afterwards,
MOST_SAVED = 1.0  # and never more than what comes in so many seconds: longer waits would make more than a minute holds
HASTE = 1.25  # of the full pace, while it is


class Pacer:
    """A token bucket shared by all workers of one key: `rate` per second, at most `burst` at once.

    pyrate-limiter keeps a pace just as well (measured: 10.0 of 10 per second with eight threads). What it does not have
    is what a 429 asks of us: hold back every worker at once, halve the pace, recover it step by step. Where the 429
    names no time, the hold is `first` seconds, and doubles with each further one up to `longest`; so does one that
    names a time and was followed by two more.

    What a single 429 has cost is made up for once the full pace is reached again: a quarter faster, and never more than
    a first wait's worth of calls, nor than a second's (16 of Ashby's 1,000 per minute, 10 of Lever's 600), so that both
    allowances hold in every minute at the default pace, which is 97.5 % of them. After a third 429 in a row nothing is:
    then the pace itself was too fast.
    """

    def __init__(self, rate: float, *, burst: int = 1, first: float = 1.0, longest: float = 60.0) -> None:
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._full_rate = self._rate = self._knee = float(rate)
        self._burst = max(1, burst)
        self._first, self._longest = first, longest
        self._tokens, self._at = float(self._burst), 0.0  # what the bucket held then; below 0: a place given in advance
        self._held_until = self._wave_until = 0.0
        self._n_calm = self._n_storms = 0
        self._saved = 0.0  # calls that holds have cost and that may be made up for
        self._why = ""

    @property
    def waiting_for(self) -> str:
        """Why all workers are held back just now; empty when they are not."""
        return self._why if time.monotonic() < self._held_until else ""

    @property
    def rate(self) -> float:
        """The pace in force now, in calls per second."""
        return self._rate

    def acquire(self) -> None:
        """Wait for a place in the allowance. A place given before a hold is void: ask for another one.

        One after the other: of places given long in advance at a slow pace, and of those given later at a faster one,
        many would come at the same time (simulated: up to 1,007 of 1,000 in a minute, after two 429s).
        """
        with self._turn:
            while not self._came():
                pass

    def _came(self) -> bool:
        with self._lock:
            held = self._held_until
            self._fill(time.monotonic())
            pace = self._pace()
            if pace > self._full_rate:
                self._saved -= 1 - 1 / HASTE
            self._tokens -= 1
            slot = self._at + max(0.0, -self._tokens) / pace
        while (pause := slot - time.monotonic()) > 0:
            time.sleep(pause)
        with self._lock:
            return self._held_until == held

    def _pace(self) -> float:
        return self._rate * HASTE if self._saved > 0 and self._rate >= self._full_rate else self._rate

    def _fill(self, now: float) -> None:
        """What has come into the bucket since; nothing before the end of a hold."""
        if now > self._at:
            self._save((now - self._at) * (self._full_rate - self._rate))
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._pace())
            self._at = now

    def _save(self, n_calls: float) -> None:
        self._saved = min(self._saved + n_calls, min(SAVED * self._first, MOST_SAVED) * self._full_rate)

    def hold(self, seconds: float | None, *, why: str) -> None:
        """A 429: hold back all workers for `seconds` (None: for as long as we think right) and halve the pace, once."""
        with self._lock:
            now = time.monotonic()
            self._n_calm = 0
            if now >= self._wave_until:
                self._fill(now)
                self._n_storms += 1
                least = self._full_rate * LEAST
                self._knee, self._rate = max(self._rate * 0.9, least), max(self._rate / 2, least)
            before = max(now, self._held_until)
            self._hold(self._curve(1) if seconds is None else max(seconds, self._curve(3)), why)
            self._save((self._held_until - before) * self._full_rate - 1)  # one place is given at its end
            if self._n_storms > 2:
                self._saved = 0.0
            self._wave_until = max(self._held_until, now + WAVE * self._first)

    def _curve(self, begin: int) -> float:
        """Our own wait, which doubles from the storm number `begin` on; 0 before it."""
        n_doubled = min(self._n_storms - begin, 16)
        return min(self._first * 2**n_doubled, self._longest) if n_doubled >= 0 else 0.0

    def pause(self, seconds: float, *, why: str) -> None:
        """Hold back all workers for `seconds` at an unchanged pace (the allowance of this minute is used up)."""
        with self._lock:
            self._saved = 0.0
            self._hold(seconds, why)

    def _hold(self, seconds: float, why: str) -> None:
        end = time.monotonic() + min(seconds, LONGEST_WAIT)
        if end > self._held_until:
            self._why, self._held_until = why, end
            self._tokens, self._at = 1.0, end  # no crowd afterwards: one place, then the pace

    def calm(self) -> None:
        """Report an answer that was not a 429: each raises the pace a little, the last tenth more carefully."""
        with self._lock:
            if self._rate < self._full_rate:
                self._fill(time.monotonic())  # at the pace of then
                step = GROWTH if self._rate < self._knee else CAREFUL
                self._rate = min(self._full_rate, self._rate + self._full_rate * step)
            self._n_calm += 1
            if self._n_calm >= CALM:
                self._n_storms = 0

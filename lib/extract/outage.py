"""Storage that is down: Lever itself answers, and the bytes of its files do not come, one file after the other.

Each is waited for with all patience, about two minutes: a run that went on would crawl for hours and bring no file.
A file that was in vain in an earlier run, too, counts for nothing: files that never come must not stop every run, and
have a gate of their own. Nor does anything count where each file is asked for once only (`lever.retry.attempts: 1`):
nobody waits there.
"""

from __future__ import annotations

import threading

from lib.errors import UnavailableError

MOST = 20  # files in a row, of all workers together: what is about one file, or one candidacy, is never so many


class Storage:
    """How downloads have ended in this run, whichever worker made them."""

    def __init__(self) -> None:
        self._lock, self._n_in_vain = threading.Lock(), 0
        self._last: UnavailableError | None = None  # of the row of failures that ended the run

    def check(self) -> None:
        """Raise UnavailableError when it is known to be down: then no worker waits for one more file."""
        if self._last is not None:
            raise UnavailableError(
                f"Lever answers, and the bytes of its files do not come: {MOST} in a row were asked for in vain, and "
                f"none came in between. The last one: {self._last.message}",
                hint="Nothing is lost, and what came stays. Run this step again later: it goes on where it stopped. If "
                "it stays so, ask Lever's support with this message.",
                status=self._last.status,
            )

    def came(self) -> None:
        """A file has come: what was in vain before it was about those files alone."""
        with self._lock:
            self._n_in_vain = 0

    def in_vain(self, error: UnavailableError) -> None:
        """One more file has not come, for all patience; UnavailableError when it is the twentieth in a row."""
        with self._lock:
            self._n_in_vain += 1
            if self._n_in_vain >= MOST and self._last is None:
                self._last = error
        self.check()

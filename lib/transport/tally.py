"""How often each endpoint was asked: every try counts, as it does against a vendor's allowance."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator


class Tally:
    """Counts of requests by endpoint; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._listening: list[dict[str, Counter[str]]] = []

    def count(self, endpoint: str, *, of: str = "") -> None:
        """One more request to `endpoint`, about the object `of`."""
        with self._lock:
            self._counts[endpoint] += 1
            for found in self._listening:
                found[of][endpoint] += 1

    def total(self) -> Counter[str]:
        """{endpoint: requests} so far, as a copy: the difference of two of them is what came between."""
        with self._lock:
            return Counter(self._counts)

    @contextlib.contextmanager
    def apart(self) -> Iterator[dict[str, Counter[str]]]:
        """{object: {endpoint: requests}} of the requests of the block; complete when the block has ended."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        with self._lock:
            self._listening.append(found)
        try:
            yield found
        finally:
            with self._lock:
                self._listening = [one for one in self._listening if one is not found]

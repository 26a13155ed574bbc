"""Ashby ids by link: those of jobs, fields and tags are at hand, those of people are asked for while their rows go."""

from __future__ import annotations

import threading
from typing import overload

from lib.store.ledger import Ledger

KEPT = 20_000  # links of people that are kept: more than all chains under way have


class Links:
    """What is done, by link; safe to share between threads.

    However many people are loaded, only links that were used lately are kept: the others are in the store.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._set_up = ledger.links(but=("candidate", "application"))
        self._recent: dict[str, str] = {}
        self._lock = threading.Lock()

    def __getitem__(self, link: str) -> str:
        """KeyError names a link that nothing has yielded yet."""
        found = self.get(link)
        if found is None:
            raise KeyError(link)
        return found

    def __setitem__(self, link: str, ashby_id: str) -> None:
        """What a row has just yielded, or where it has moved."""
        if not link.startswith(("candidate:", "application:")):
            self._set_up[link] = ashby_id
            return
        with self._lock:
            self._recent[link] = ashby_id
            if len(self._recent) > KEPT:
                for old in list(self._recent)[: KEPT // 2]:
                    del self._recent[old]

    def __contains__(self, link: str) -> bool:
        return self.get(link) is not None

    @overload
    def get(self, link: str) -> str | None: ...
    @overload
    def get(self, link: str, default: str) -> str: ...
    def get(self, link: str, default: str | None = None) -> str | None:
        """The Ashby id, or `default` when nothing has yielded it yet."""
        found = self._set_up.get(link) or self._recent.get(link)
        if found is None and link.startswith(("candidate:", "application:")):
            found = self._ledger.link(link)
            if found is not None:
                self[link] = found
        return default if found is None else found

"""Who and what stands in Ashby before this plan, asked for one by one; fingerprints in little room."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from lib.mapping.source import Item

Key = tuple[str, str, int]


class Existing:
    """Candidates who were in Ashby before us, by id.

    A reader with `standing` and `stood` is asked when it is needed; of any other one the whole list is kept.
    """

    def __init__(self, reader: Any) -> None:
        self._reader = reader if hasattr(reader, "stood") else None
        self._all = {} if self._reader else {item["id"]: item for item in reader.ashby("candidates")}

    def get(self, ashby_id: str) -> Item:
        """One candidate; empty when there is none of this id."""
        found = self._reader.stood("candidates", ashby_id) if self._reader and ashby_id else self._all.get(ashby_id)
        return found or {}

    def __iter__(self) -> Iterator[Item]:
        """All of them, by id as far as the reader sorts them."""
        return iter(self._reader.standing("candidates") if self._reader else self._all.values())


class Made:
    """Lever ids that have an object of one kind in Ashby, made or adopted by an earlier load."""

    def __init__(self, reader: Any, kind: str) -> None:
        self._ask = getattr(reader, "is_made", None)
        self._kind = kind
        made = getattr(reader, "made", None)
        self._all = made(kind) if made and not self._ask else frozenset()

    def __contains__(self, lever_id: str) -> bool:
        return self._ask(self._kind, lever_id) if self._ask else lever_id in self._all


class Fingerprints:
    """Names, addresses and moments in use; of each only eight bytes of its hash are kept."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def __contains__(self, key: Key) -> bool:
        return _hashed(key) in self._seen

    def add(self, key: Key) -> None:
        """This one is taken."""
        self._seen.add(_hashed(key))


def _hashed(key: Key) -> int:
    return int.from_bytes(blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=8).digest())

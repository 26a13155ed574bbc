"""Values that came before, eight bytes of a hash for each: a million ids need eight megabytes."""

from __future__ import annotations

import numpy as np
import pandas as pd

Mask = np.ndarray
"""One truth value for each row."""


class Seen:
    """A set of values that only grows. Two of a hundred million values have one hash once in three thousand sets."""

    def __init__(self) -> None:
        self._sorted: list[np.ndarray] = []  # each at least twice as long as the next

    def add(self, values: pd.Series) -> Mask:
        """Add the values; True for those that an earlier call has added. Missing values are nothing."""
        before = self.holds(values)
        self._sorted.append(np.unique(_hashes(values.dropna())))
        while len(self._sorted) > 1 and len(self._sorted[-1]) * 2 > len(self._sorted[-2]):
            self._sorted[-2:] = [np.union1d(*self._sorted[-2:])]
        return before

    def holds(self, values: pd.Series) -> Mask:
        """True for each value that was added."""
        there = values.notna().to_numpy()
        hashes = _hashes(values[there])
        found = np.zeros(len(hashes), dtype=bool)
        for one in self._sorted:
            place = np.searchsorted(one, hashes)
            inside = place < len(one)
            found[inside] |= one[place[inside]] == hashes[inside]
        mask = np.zeros(len(values), dtype=bool)
        mask[there] = found
        return mask


def _hashes(values: pd.Series) -> np.ndarray:
    return pd.util.hash_array(values.astype(str).to_numpy(dtype=object))

"""From a part to the whole: what hangs on the records that were not read, by those that were, with its uncertainty.

Post-stratified ratio prediction: records of one stratum are taken to bear alike per unit of size; what is left over is
spread. Strata with few read records borrow from the next coarser one. A part that was read to its end is exact.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

LEAST = 4  # read records from which a stratum speaks for itself
Z = 1.959964  # the 97.5 % point of the normal distribution: intervals hold 95 %
ALL = "(all)"
Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """One record that was read: its strata from fine to coarse, its size, and {name: count} of what hangs on it."""

    keys: Keys
    counts: Mapping[str, float]
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class Guess:
    """A number with its variance, and the degrees of freedom from which that was computed (0: it is exact)."""

    value: float
    variance: float = 0.0
    df: float = 0.0

    @property
    def error(self) -> float:
        """The standard error."""
        return math.sqrt(self.variance)

    @property
    def margin(self) -> float:
        """Half the width of the 95 % interval, by Student's t (Cornish and Fisher's expansion)."""
        return self.error * (Z + (Z**3 + Z) / (4 * self.df) if self.df else Z)

    @property
    def low(self) -> float:
        """Where the interval begins; nothing is counted below zero."""
        return max(0.0, self.value - self.margin)

    @property
    def high(self) -> float:
        """Where it ends."""
        return self.value + self.margin

    def __add__(self, other: Guess) -> Guess:
        """The sum of two numbers that vary independently."""
        known = [one.df for one in (self, other) if one.df]
        return Guess(self.value + other.value, self.variance + other.variance, min(known, default=0.0))

    def times(self, factor: float) -> Guess:
        """The same number in another unit."""
        return Guess(self.value * factor, self.variance * factor**2, self.df)


@dataclass
class _Group:
    """Sums over the read records of one stratum."""

    n: int = 0
    size: float = 0.0
    units: list[Unit] = field(default_factory=list)

    def add(self, unit: Unit) -> None:
        self.n += 1
        self.size += unit.size
        self.units.append(unit)

    def predicted(self, name: str, left: float, *, rare: bool) -> tuple[float, float]:
        """(sum over records of total size `left` that were not read, its variance).

        Of what may hang on records at all (`rare`), none seen in so many means that there may be about one in as many.
        """
        rate = sum(one.counts.get(name, 0.0) for one in self.units) / self.size
        spread = sum((one.counts.get(name, 0.0) - rate * one.size) ** 2 / one.size for one in self.units)
        spread = spread / (self.n - 1) if self.n > 1 else rate**2
        spread = max(spread, 1 / self.size) if rare else spread
        return rate * left, spread * (left**2 / self.size + left)


def predict(read: Iterable[Unit], left: Mapping[Keys, float], *, names: Sequence[str] = ()) -> dict[str, Guess]:
    """{name: what hangs on the records that are left}; `left` is their total size by stratum.

    `(all)` is the sum over all names; `names` are those that may be there even when nothing was read of them. Empty
    when nothing was read and something is left.
    """
    groups: dict[str, _Group] = defaultdict(_Group)
    found = set(names) | {ALL}
    for unit in read:
        whole = Unit(unit.keys, {**unit.counts, ALL: sum(unit.counts.values())}, unit.size)
        found |= unit.counts.keys()
        for key in dict.fromkeys([*unit.keys, ""]):
            groups[key].add(whole)
    shares: Counter[str] = Counter()
    for keys, size in left.items():
        key = next((one for one in keys if one in groups and groups[one].n >= LEAST), "")
        shares[key] += size
    if any(size for size in shares.values()) and not groups:
        return {}
    units = groups[""].units if "" in groups else []
    rare = {name for name in found if name in names or any(one.counts.get(name) for one in units)}
    return {name: _summed(name, groups, shares, rare=name in rare) for name in sorted(found)}


def _summed(name: str, groups: Mapping[str, _Group], shares: Mapping[str, float], *, rare: bool) -> Guess:
    value = variance = 0.0
    df = 0
    for key, size in shares.items():
        if size:
            part, spread = groups[key].predicted(name, size, rare=rare)
            value, variance, df = value + part, variance + spread, df + groups[key].n - 1
    return Guess(value, variance, max(df, 1) if variance else 0)


def expand(drawn: Sequence[Unit], *, n_drawn: int, n_all: int, size_all: float) -> dict[str, Guess]:
    """{name: what hangs on all `n_all` records, of total size `size_all`}, with `(all)`, from those drawn by chance.

    `n_drawn` were drawn; those that are not among `drawn` have no size and bear nothing. Regression on the size (W. G.
    Cochran, Sampling Techniques, chapter 7): that larger records bear more is no matter of chance. All drawn: exact.
    """
    whole = [{**one.counts, ALL: sum(one.counts.values())} for one in drawn]
    sums: Counter[str] = Counter()
    for counts in whole:
        sums.update(counts)
    if n_drawn >= n_all:
        return {name: Guess(float(n)) for name, n in sums.items()}
    mean = sum(one.size for one in drawn) / n_drawn
    spread = sum(one.size**2 for one in drawn) - n_drawn * mean**2
    found = {}
    for name, n in sums.items():
        together = sum(unit.size * own.get(name, 0) for unit, own in zip(drawn, whole, strict=True)) - mean * n
        slope = together / spread if spread > 0 and n_drawn > 2 else 0.0
        rest = max(0.0, sum(own.get(name, 0) ** 2 for own in whole) - n**2 / n_drawn - slope * together)
        value = n / n_drawn * n_all + slope * (size_all - mean * n_all)
        variance = n_all**2 / n_drawn * (1 - n_drawn / n_all) * rest / max(1, n_drawn - 2)
        found[name] = Guess(max(0.0, value), variance, max(1, n_drawn - 2))
    return found

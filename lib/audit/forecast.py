"""What the move will cost, before it starts: requests by endpoint, minutes and disk of each step, with their intervals.

Plain numbers come in (what is counted exactly, what is predicted from a sample: see `estimate`), rows go out. Requests
to a storage host ("(storage) …") are not in a vendor's allowance and take no time of their own: they go on beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.audit.estimate import ALL, Guess

Row = dict[str, Any]
STORAGE = "(storage)"
NOTHING = Guess(0.0)


@dataclass(frozen=True)
class Cost:
    """What one step asks: {endpoint: requests} that are known, and those that are predicted, with their sum `(all)`."""

    exact: Mapping[str, float]
    sampled: Mapping[str, Guess]

    @property
    def total(self) -> Guess:
        """All requests."""
        return Guess(float(sum(self.exact.values()))) + self.sampled.get(ALL, NOTHING)

    def of(self, endpoint: str) -> Guess:
        """The requests to one endpoint."""
        return Guess(float(self.exact.get(endpoint, 0.0))) + self.sampled.get(endpoint, NOTHING)

    @property
    def endpoints(self) -> list[str]:
        """All endpoints that are asked, or may be."""
        return sorted({*self.exact, *self.sampled} - {ALL})

    @property
    def paced(self) -> Guess:
        """The requests that count against the allowance of the vendor."""
        total, aside = self.total, sum(self.of(one).value for one in self.endpoints if one.startswith(STORAGE))
        share = 1 - aside / total.value if total.value else 1.0
        return total.times(share)


@dataclass(frozen=True)
class Pace:
    """How fast requests can follow each other.

    `per_second` is the allowance, `latency_s` how long an answer takes, `workers` how many are under way at most, and
    `own_s` what our own disk takes for each, one at a time. `measured` is {requests per second} of work of the same
    kind, where there was some: it holds all of these.
    """

    per_second: float
    latency_s: float = 0.0
    workers: int = 1
    own_s: float = 0.0
    measured: Sequence[tuple[int, float]] = ()

    @property
    def bound(self) -> float:
        """Requests per second by the narrowest of the four."""
        bounds = [self.per_second]
        bounds += [self.workers / self.latency_s] if self.latency_s else []
        bounds += [1 / self.own_s] if self.own_s else []
        return min(bounds)

    def seconds(self, requests: Guess) -> Guess:
        """How long so many requests take."""
        n, spent = sum(one for one, _ in self.measured), sum(seconds for _, seconds in self.measured)
        if not n or not spent:
            return requests.times(1 / self.bound)
        rate = min(n / spent, self.per_second)
        spread = self._spread(rate)
        found = requests.times(1 / rate)
        return Guess(found.value, found.variance + (found.value * spread) ** 2, found.df)

    def _spread(self, rate: float) -> float:
        """The relative error of the measured rate, from how its parts differ; none where the allowance binds."""
        if rate >= 0.97 * self.per_second or len(self.measured) < 2:
            return 0.0
        total = sum(seconds for _, seconds in self.measured)
        parts = [(n / seconds / rate - 1) ** 2 * seconds / total for n, seconds in self.measured if seconds]
        return float(sum(parts) / (len(self.measured) - 1)) ** 0.5


def endpoint_rows(step: str, cost: Cost) -> list[Row]:
    """One row per endpoint {step, endpoint, n_requests, low, high}; low and high hold it in 95 of 100 cases."""
    rows = []
    for endpoint in cost.endpoints:
        found = cost.of(endpoint)
        if found.value or found.variance:
            rows.append({"step": step, "endpoint": endpoint, **_told("n_requests", "", found, 0)})
    return rows


def step_row(step: str, cost: Cost, *, seconds: Guess, size: Guess | None, basis: str) -> Row:
    """The row of a whole step; `size` in bytes, None where the step keeps nothing; `basis` says for what it is made."""
    megabytes = (size or NOTHING).times(1e-6)
    return {
        "step": step,
        **_told("n_requests", "", cost.total, 0),
        **_told("minutes", "minutes_", seconds.times(1 / 60), 3),
        **_told("megabytes", "megabytes_", megabytes, 3),
        "basis": basis,
    }


def _told(name: str, prefix: str, found: Guess, digits: int) -> Row:
    value, low, high = (round(one, digits) for one in (found.value, found.low, found.high))
    if not digits:
        value, low, high = int(value), int(low), int(high)
    return {name: value, f"{prefix}low": low, f"{prefix}high": high}


def scored(rows: Sequence[Row], actual: Mapping[str, float], *, by: str, what: str) -> list[Row]:
    """Forecast against actual: {forecast_by, scored, measure, forecast, low, high, actual, off_percent, inside}.

    `rows` hold {measure, forecast, low, high}; what was asked and not foreseen comes as a row of its own, too.
    """
    known = [str(row["measure"]) for row in rows]
    more = [{"measure": one, "forecast": 0, "low": 0, "high": 0} for one in sorted(set(actual) - set(known))]
    return [
        {"forecast_by": by, "scored": what} | _score(row, float(actual.get(row["measure"], 0)))
        for row in [*rows, *more]
    ]


def _score(row: Row, actual: float) -> Row:
    off = (actual / row["forecast"] - 1) * 100 if row["forecast"] else None
    return {
        **{name: row[name] for name in ("measure", "forecast", "low", "high")},
        "actual": round(actual, 3),
        "off_percent": None if off is None else round(off, 2),
        "inside": row["low"] <= actual <= row["high"],
    }


def measures(step: Row, endpoints: Sequence[Row]) -> list[Row]:
    """A step's row and the rows of its endpoints as {measure, forecast, low, high}, totals first."""
    found = [
        {"measure": "requests", "forecast": step["n_requests"], "low": step["low"], "high": step["high"]},
        {
            "measure": "minutes", "forecast": step["minutes"], "low": step["minutes_low"],
            "high": step["minutes_high"],
        },
    ]  # fmt: skip
    if step["megabytes_high"]:
        found.append(
            {
                "measure": "megabytes", "forecast": step["megabytes"], "low": step["megabytes_low"],
                "high": step["megabytes_high"],
            }
        )  # fmt: skip
    return found + [
        {"measure": row["endpoint"], "forecast": row["n_requests"], "low": row["low"], "high": row["high"]}
        for row in endpoints
    ]


def stratum(opportunity: Row) -> tuple[str, ...]:
    """How far an opportunity came, from fine to coarse: of all that the list tells, most hangs on that."""
    if opportunity.get("isAnonymized"):
        return ("anonymised",)
    changes = opportunity.get("stageChanges") or []
    places = [one["toStageIndex"] for one in changes if isinstance(one.get("toStageIndex"), int)]
    reach = min(max(places, default=len(changes)), 20)
    return (f"stage {reach:02d}", f"stages from {reach // 2 * 2:02d}", f"stages from {reach // 4 * 4:02d} on")


def route(n_people: int, *, history: bool, has_keys: bool, n_lacking: int = 0) -> Row:
    """The recommended route {route, why}, by size, wish for history, and whether Lever comes by its API or as files."""
    if n_people < 500 and not history:
        why = f"{n_people} people and no history to keep: Ashby's self-serve CSV import is done in a day"
        return {"route": "CSV import", "why": why}
    if not has_keys and not history:
        why = f"{n_people} people, no history to keep and no API key for Lever: the vendor reads Lever's own export"
        return {"route": "Ashby's file import from Lever's own export", "why": why}
    if not has_keys:
        why = (
            "there is no API key for Lever; what an export does not hold cannot arrive (docs/export-files.md); with "
            "nobody to run it, Ashby's file import reads the same export, in two to three weeks and without this proof"
        )
        return {"route": "this workbook, from export files", "why": why}
    rights = f"keys that still lack {n_lacking} rights" if n_lacking else "keys with the needed rights"
    why = f"{n_people} people with notes, feedback, files and stage history, and {rights}"
    return {"route": "this workbook", "why": why}

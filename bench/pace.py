"""``python -m bench.pace``: whether the allowance is used, and never exceeded, at 300 ms and at 1 s of latency.

The sandbox keeps the vendors' limits (10 requests per second with bursts of 20; 1,000 per minute), and counts by its
own clock. An extraction and a load run against it with the product's own settings. Looked at is the steady part: from
the first tenth of the requests to the last but one tenth. Time runs `--times` faster for both sides: limits and pace
are so many times higher, latency and waits so many times shorter; the table tells real time. `--times 1` is real time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import CUSTOMER, Sandbox, decide, environment, most_in, running_sandbox, write_customer  # noqa: E402

from bench.table import Aim, keep, word  # noqa: E402
from lib import steps, workbook  # noqa: E402
from lib.params import AshbySettings, LeverSettings  # noqa: E402

ALLOWED = {"lever": 10.0, "ashby": 1000 / 60}
AIM = 97  # % of the allowance, and no call too many (P6)
HEADINGS = (
    "step", "latency", "requests", "per second, steady", "of the allowance", "most in 1 s", "most in 60 s",
    "answered 429", "calls at once, at the end", "reached",
)  # fmt: skip


def moments(sandbox: Sandbox, api: str) -> tuple[list[float], int]:
    """(when each call of `api` came, how many were answered 429), by the server's clock; forgets them."""
    found = sandbox.ask("GET", "/calls?full=1")
    sandbox.ask("DELETE", "/calls")
    records = [one for one in found["records"] if one["api"] == api]
    return sorted(one["at"] for one in records), sum(one["status"] == 429 for one in records)


def steady(at: Sequence[float]) -> float:
    """Calls per second between the first and the last tenth."""
    begin, end = len(at) // 10, len(at) * 9 // 10
    return (end - begin) / (at[end] - at[begin])


def product(home: Path, sandbox: Sandbox, times: float) -> None:
    """A customer with the product's own pace, bursts, workers and patience, so many times faster."""
    lever, ashby = LeverSettings(), AshbySettings()
    retry = {"attempts": lever.retry.attempts, "first_s": lever.retry.first_s / times,
             "longest_s": lever.retry.longest_s / times}  # fmt: skip
    write_customer(
        home, sandbox,
        lever={"per_second": lever.per_second * times, "burst": lever.burst, "workers": lever.workers, "retry": retry},
        ashby={"per_minute": ashby.per_minute * times, "workers": ashby.workers, "settle_s": ashby.settle_s / times,
               "retry": retry},
    )  # fmt: skip


@dataclass(frozen=True)
class Walk:
    """One row of the table; `share` is in % of the allowance, `refused` are the calls that came too early."""

    cells: tuple[object, ...]
    share: float
    refused: int

    @property
    def reached(self) -> bool:
        """Whether the allowance was used, and never exceeded."""
        return self.share >= AIM and not self.refused


def measured(people: int, lag_ms: int, times: float) -> list[Walk]:
    """An extraction and a load."""
    rows = []
    speed = {"people": people, "seed": 11, "limits": f"x{times:g}"}
    with tempfile.TemporaryDirectory() as folder, running_sandbox(**speed) as sandbox:
        home = Path(folder)
        product(home, sandbox, times)
        with environment(home, sandbox):
            for step in ("extract", "load"):
                book = workbook.open_customer(CUSTOMER)
                if step == "extract":
                    steps.audit(book)
                else:
                    decide(book, sandbox)
                    steps.map(book)
                time.sleep(60 / times)  # no call of before in any window
                sandbox.faults(*({"api": one, "effect": "delay", "ms": lag_ms / times} for one in ALLOWED))
                moments(sandbox, "lever")
                api = "lever" if step == "extract" else "ashby"
                transport = getattr(book, api).transport
                _ = steps.extract(book) if step == "extract" else steps.load(book, execute=True)
                at, refused = moments(sandbox, api)
                sandbox.faults()
                pace = steady(at) / times
                share = 100 * pace / ALLOWED[api]
                cells = (
                    step, f"{lag_ms} ms", f"{len(at):,}", f"{pace:.2f}", f"{share:.1f} %", most_in(at, 1 / times),
                    f"{most_in(at, 60 / times):,}", refused, transport.flights.limit,
                )  # fmt: skip
                rows.append(Walk(cells, share, refused))
                book.close()
    return rows


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--times", type=float, default=5.0)
    parser.add_argument("--lag", type=int, nargs="+", default=[300, 1000])
    args = parser.parse_args()
    rows = [row for lag in args.lag for row in measured(args.people, lag, args.times)]
    least, refused = min(one.share for one in rows), sum(one.refused for one in rows)
    aims = [
        Aim("pace: allowance used", f"at least {AIM} %", f"at least {least:.1f} %", least >= AIM),
        Aim("pace: calls answered 429", "none", str(refused or "none"), not refused),
    ]
    notes = (
        f"Aim: at least {AIM} % of the allowance, and nothing answered 429. "
        f"Time ran {args.times:g} times faster on both sides; the figures are real time."
    )
    table = [(*one.cells, word(one.reached)) for one in rows]
    keep("Pace at the vendors' limits", HEADINGS, table, notes=notes, aims=aims)


if __name__ == "__main__":
    main()

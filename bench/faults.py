"""How much slower a load is when five of a hundred requests go wrong, at a paced allowance (P7).

    python -m bench.faults [--people 640] [--times 10] [--share 0.05] [--seeds 3]

Everything that has to do with time is scaled by `--times`: the sandbox allows so many times the vendors' limits, and
waits and the settling delay are so much shorter. The ratio is that of a real run; it needs a machine that can keep the
faster pace. Printed and kept in bench/README.md; what counts for the aim is the slowest run with faults.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import CUSTOMER, Sandbox, environment, prepare, running_sandbox, write_customer  # noqa: E402

from bench.table import Aim, keep, word  # noqa: E402
from lib import steps, workbook  # noqa: E402
from lib.errors import RetryableError  # noqa: E402
from sandbox.scenarios import mix  # noqa: E402

AIM = 0.85  # of the throughput without faults
MOST_CALLS = 1.10  # of those without faults
HEADINGS = ("run", "seconds", "calls", "of the calm run's", "throughput", "faults that struck", "runs", "reached")


def settings(home: Path, sandbox: Sandbox, times: float) -> None:
    """A customer with the product's own settings, so many times faster."""
    retry = {"attempts": 8, "first_s": 1 / times, "longest_s": 60 / times}
    ashby = {"per_minute": 975 * times, "workers": 24, "settle_s": 20 / times, "retry": retry}
    lever = {"per_second": 9.75 * times, "burst": 5, "workers": 16, "retry": retry}
    write_customer(home, sandbox, lever=lever, ashby=ashby)


def loaded(home: Path, sandbox: Sandbox) -> tuple[float, int, int]:
    """(seconds, calls, runs) of a load, run again after each stop."""
    with environment(home, sandbox):
        book = workbook.open_customer(CUSTOMER)
        began, before, runs = time.monotonic(), book.ashby.transport.n_calls, 0
        while True:
            runs += 1
            try:
                steps.load(book, execute=True)
                break
            except RetryableError:
                continue
        found = (time.monotonic() - began, book.ashby.transport.n_calls - before, runs)
        book.close()
    return found


@dataclass(frozen=True)
class Measured:
    """A load under a seed's faults (or under none), beside the calm one."""

    seed: int | None
    seconds: float
    calls: int
    runs: int
    struck: int
    throughput: float
    """Of the calm one: how much of a second of this load the calm one needs."""
    more_calls: float
    """Calls of this load for each call of the calm one."""


def measured(*, people: int, times: float, share: float, seeds: Iterable[int]) -> Iterator[Measured]:
    """A calm load, then one for each seed, each in a new minute of the allowance."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox(people=people, seed=11, limits=f"x{times}") as sandbox,
    ):
        home = Path(folder) / "mapped"
        settings(home, sandbox, times)
        with environment(home, sandbox):
            book = workbook.open_customer(CUSTOMER)
            prepare(book, sandbox)
            steps.map(book)
            book.close()
        calm = None
        for seed in [None, *seeds]:
            sandbox.reset()
            time.sleep(60 / times)  # a new minute of the allowance
            if seed is not None:
                sandbox.faults(*mix(seed, share))
            copy = Path(folder) / f"run-{seed}"
            shutil.copytree(home, copy)
            seconds, calls, runs = loaded(copy, sandbox)
            shutil.rmtree(copy)
            calm = calm or (seconds, calls)
            n_struck = sandbox.struck() if seed is not None else 0
            yield Measured(seed, seconds, calls, runs, n_struck, calm[0] / seconds, calls / calm[1])


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--people", 640), ("--times", 10.0), ("--share", 0.05), ("--seeds", 3)):
        parser.add_argument(name, type=type(default), default=default)
    args = parser.parse_args()
    rows, shares, more = [], [], []
    for one in measured(people=args.people, times=args.times, share=args.share, seeds=range(args.seeds)):
        name, reached = ("calm", None) if one.seed is None else (f"seed {one.seed}", one.throughput >= AIM)
        if one.seed is not None:
            shares.append(one.throughput)
            more.append(one.more_calls)
        rows.append(
            (name, f"{one.seconds:.1f}", f"{one.calls:,}", f"{one.more_calls:.3f}", f"{one.throughput:.1%}", one.struck,
             one.runs, word(reached))
        )  # fmt: skip
        print(*rows[-1], flush=True)
    notes = (
        f"Aim: throughput of at least {AIM:.0%} of that of the calm run, with {args.share:.0%} of all requests struck, "
        f"and at most {MOST_CALLS:.2f} times its calls. "
        f"All that has to do with time ran {args.times:g} times faster, on both sides."
    )
    slowest = min(shares, default=0.0)
    told = f"{slowest:.1%}, the slowest of {len(shares)}"
    aims = [Aim(f"throughput at {args.share:.0%} faults", f"at least {AIM:.0%}", told, slowest >= AIM)]
    most = max(more, default=0.0)
    what = f"calls at {args.share:.0%} faults, of those without"
    aims.append(Aim(what, f"at most {MOST_CALLS:.2f}", f"{most:.3f}, the most of {len(more)}", most <= MOST_CALLS))
    keep("Load under faults", HEADINGS, rows, notes=notes, aims=aims if shares else [])


if __name__ == "__main__":
    main()

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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import CUSTOMER, Sandbox, environment, prepare, running_sandbox, write_customer  # noqa: E402

from bench.table import Aim, keep, word  # noqa: E402
from lib import steps, workbook  # noqa: E402
from lib.errors import RetryableError  # noqa: E402
from sandbox.scenarios import mix  # noqa: E402

AIM = 0.85  # of the throughput without faults
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


def measured(args: argparse.Namespace, folder: Path) -> list[tuple[str, float, int, int, int]]:
    """(name, seconds, calls, faults that struck, runs) of a load without faults, and of one with each seed."""
    found = []
    with running_sandbox(people=args.people, seed=11, limits=f"x{args.times}") as sandbox:
        home = folder / "mapped"
        settings(home, sandbox, args.times)
        with environment(home, sandbox):
            book = workbook.open_customer(CUSTOMER)
            prepare(book, sandbox)
            steps.map(book)
            book.close()
        for seed in [None, *range(args.seeds)]:
            sandbox.reset()
            time.sleep(60 / args.times)  # a new minute of the allowance
            if seed is not None:
                sandbox.faults(*mix(seed, args.share))
            copy = folder / f"run-{seed}"
            shutil.copytree(home, copy)
            seconds, calls, runs = loaded(copy, sandbox)
            name = "calm" if seed is None else f"seed {seed}"
            found.append((name, seconds, calls, 0 if seed is None else sandbox.struck(), runs))
            print(*found[-1], flush=True)
    return found


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--people", 640), ("--times", 10.0), ("--share", 0.05), ("--seeds", 3)):
        parser.add_argument(name, type=type(default), default=default)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (_, calm_s, calm_calls, *_), *struck = found = measured(args, Path(folder))
    rows = []
    for name, seconds, calls, n_struck, runs in found:
        share = calm_s / seconds
        reached = None if name == "calm" else share >= AIM
        of_calm = f"{calls / calm_calls:.3f}"
        rows.append((name, f"{seconds:.1f}", f"{calls:,}", of_calm, f"{share:.1%}", n_struck, runs, word(reached)))
    notes = (
        f"Aim: throughput of at least {AIM:.0%} of that of the calm run, with {args.share:.0%} of all requests struck. "
        f"All that has to do with time ran {args.times:g} times faster, on both sides."
    )
    slowest = min((calm_s / seconds for _, seconds, *_ in struck), default=0.0)
    told = f"{slowest:.1%}, the slowest of {len(struck)}"
    aim = Aim(f"throughput at {args.share:.0%} faults", f"at least {AIM:.0%}", told, slowest >= AIM)
    keep("Load under faults", HEADINGS, rows, notes=notes, aims=[aim] if struck else [])


if __name__ == "__main__":
    main()

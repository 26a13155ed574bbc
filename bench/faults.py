"""How much slower a load is when five of a hundred requests go wrong, at a paced allowance (P7).

    python bench/faults.py [--people 640] [--times 10] [--share 0.05] [--seeds 3]

Everything that has to do with time is scaled by `--times`: the sandbox allows so many times the vendors' limits, and
waits and the settling delay are so much shorter. The ratio is that of a real run; it needs a machine that can keep the
faster pace.
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

from lib import steps, workbook  # noqa: E402
from lib.errors import RetryableError  # noqa: E402
from sandbox.scenarios import mix  # noqa: E402


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


def main() -> None:
    """Measure and print one line per run."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("--people", 640), ("--times", 10.0), ("--share", 0.05), ("--seeds", 3)):
        parser.add_argument(name, type=type(default), default=default)
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox(people=args.people, seed=11, limits=f"x{args.times}") as sandbox,
    ):
        home = Path(folder) / "mapped"
        settings(home, sandbox, args.times)
        with environment(home, sandbox):
            book = workbook.open_customer(CUSTOMER)
            prepare(book, sandbox)
            steps.map(book)
            book.close()
        calm = None
        for seed in [None, *range(args.seeds)]:
            sandbox.reset()
            time.sleep(60 / args.times)  # a new minute of the allowance
            if seed is not None:
                sandbox.faults(*mix(seed, args.share))
            copy = Path(folder) / f"run-{seed}"
            shutil.copytree(home, copy)
            seconds, calls, runs = loaded(copy, sandbox)
            calm = calm or (seconds, calls)
            name = "calm" if seed is None else f"seed {seed}"
            n_struck = sandbox.struck() if seed is not None else 0
            print(
                f"{name:8} {seconds:6.1f} s  {calls:5} calls ({calls / calm[1]:.3f} x calm)  "
                f"throughput {calm[0] / seconds:6.1%}  struck {n_struck}  runs {runs}",
                flush=True,
            )


if __name__ == "__main__":
    main()

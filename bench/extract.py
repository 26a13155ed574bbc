"""``python -m bench.extract``: how fast Lever is read when nothing but this machine limits it.

Limits off, the server on the same cores. Three walks: the one that established extract tools were measured with (all
opportunities, and the lists of notes, feedback and résumés of each: 16.6 s for 2,000 without lag, 8.6 s for 400 with
50 ms), the same with the bytes of the résumés, which those tools do not fetch, and ours in full (eight child lists, and
the bytes of all files). The best of `--times` runs counts, as it did for those tools. Beside the clock stands the
processor time of this process, which other work on the machine does not change. Where our company is a little larger or
smaller, their time is taken by opportunity.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import CUSTOMER, Sandbox, environment, running_sandbox, write_customer  # noqa: E402

from bench.table import Aim, keep, word  # noqa: E402
from lib import extract as extraction  # noqa: E402
from lib import workbook  # noqa: E402

FEW = ("notes", "feedback", "resumes")
TO_BEAT = {0: 16.6 / 2000, 50: 8.6 / 400}  # {lag in ms: seconds per opportunity}, of the best established tool
HEADINGS = (
    "opportunities", "lag", "read", "seconds", "processor s", "requests", "records", "records/s", "requests/record",
    "of the best to beat", "reached",
)  # fmt: skip


LISTS, BYTES, ALL = "notes, feedback, résumés", "the same, with the bytes of résumés", "everything, with bytes"
LEAST = 0.5  # of the time of the best established tool


def walked(folder: Path, sandbox: Sandbox, what: str, *, workers: int) -> tuple[float, float, int, int]:
    """(seconds, processor seconds, requests, records) of one extraction into a new store."""
    few = what != ALL
    write_customer(folder, sandbox, lever={"workers": workers, "per_second": 1e6, "burst": 1000})
    with environment(folder, sandbox):
        book = workbook.open_customer(CUSTOMER)
        walk = extraction.Extract(
            book.store, book.lever, workers=workers, child_lists=FEW if few else extraction.CHILDREN
        )
        wall, busy, before = time.monotonic(), time.process_time(), book.lever.transport.n_calls
        wanted = (lambda *_: iter(())) if what == LISTS else extraction.wanted_files
        with book.writing("extract"), mock.patch.object(extraction, "wanted_files", wanted):
            if few:
                book.store.put_meta("extract.since", extraction.short_lists(walk))
                extraction.opportunities(walk)
                extraction.children(walk)
            else:
                extraction.run(walk)
        found = (time.monotonic() - wall, time.process_time() - busy, book.lever.transport.n_calls - before)
        names = ("opportunities", *(FEW if few else extraction.CHILDREN))
        n_records = sum(book.store.count(name) for name in names)
        book.close()
    return *found, n_records


def in_new_store(sandbox: Sandbox, what: str, *, workers: int) -> tuple[float, float, int, int]:
    """What `walked` gives, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        return walked(Path(folder), sandbox, what, workers=workers)


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs=2, default=(4, 32), help="without lag, with lag")
    parser.add_argument("--people", type=int, nargs=2, default=(880, 176), help="about 2,000 and 400 opportunities")
    parser.add_argument("--times", type=int, default=3, help="the best of so many counts, as it did for the others")
    args = parser.parse_args()
    rows, aims = [], []
    for people, lag, workers in zip(args.people, (0, 50), args.workers, strict=True):
        with running_sandbox(people=people, seed=7, lag_ms=lag) as sandbox:
            n = len(sandbox.truth["opportunities"])
            for what in (LISTS, BYTES, ALL):
                runs = [in_new_store(sandbox, what, workers=workers) for _ in range(args.times)]
                seconds, busy, calls, records = min(runs)
                share = seconds / (TO_BEAT[lag] * n)
                rows.append(
                    (
                        n, f"{lag} ms", what, f"{seconds:.1f}", f"{busy:.1f}", calls, f"{records:,}",
                        f"{records / seconds:.0f}", f"{calls / records:.2f}", "-" if what == ALL else f"{share:.2f}",
                        word(share < LEAST if what == LISTS else None),
                    )
                )  # fmt: skip
                if what == LISTS:
                    figure = f"extraction, {lag} ms of lag, of the time of the best established tool"
                    aims.append(Aim(figure, f"less than {LEAST:.2f}", f"{share:.2f}", share < LEAST))
    notes = (
        "Aim: less than half of the time of the best established tool, by opportunity (16.6 s for 2,000; 8.6 s for 400 "
        f"with 50 ms). Those tools fetch no bytes. The best of {args.times} runs of each, as it was for them."
    )
    keep("Extraction, limits off", HEADINGS, rows, notes=notes, aims=aims)


if __name__ == "__main__":
    main()

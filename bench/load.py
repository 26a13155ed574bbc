"""How fast a load is when nothing limits it: the ledger alone, and the whole load against the sandbox.

    python bench/load.py [--rows 20000] [--people 300] [--workers 8] [--profile]

`ledger`: intention and outcome of each row with their commits, by the functions that a load uses, the lease held and
asked for before each send, from several threads at once, without a network. `load`: a whole load of a company in the
sandbox, limits off; both share the machine. Rows per second of the clock, and processor seconds of this process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import CUSTOMER, environment, prepare, running_sandbox, write_customer  # noqa: E402

from lib import steps, workbook  # noqa: E402
from lib.pool import run_all  # noqa: E402
from lib.store import Store, open_store  # noqa: E402
from lib.store.ledger import Ledger, Planned  # noqa: E402

A_CHAIN = 10  # rows of one person


def row(person: int, seq: int) -> Planned:
    """One note of a person."""
    body = {
        "candidateId": {"$link": f"candidate:{person}"},
        "note": {"type": "text/html", "value": f"<p>{'A word about somebody. ' * 20}</p>[Lever note {person}-{seq}]"},
        "createdAt": "2024-01-31T10:20:30.000Z",
    }
    key = f"{person:06d}-{seq}"
    about = ("candidate.createNote", "note", key, f"{person:06d}", seq, (), body, f"{person:032d}{seq:032d}")
    return Planned(f"candidate.createNote/note/{key}", *about, f"note:{key}" if seq < 2 else "")


def ledger_alone(folder: Path, *, n_rows: int, workers: int) -> int:
    """Intend and settle so many rows; returns how many."""
    store = open_store(folder)
    ledger = Ledger(store)
    rows = [row(person, seq) for person in range(n_rows // A_CHAIN) for seq in range(A_CHAIN)]
    ledger.put_plan(rows, plan_hash="bench")
    chains = [rows[start : start + A_CHAIN] for start in range(0, len(rows), A_CHAIN)]
    with store.lease("load"):
        began, used = time.monotonic(), time.process_time()
        n_done = sum(run_all(chains, lambda chain: _carry_out(store, ledger, chain), workers=workers))
        told("ledger", n_done, time.monotonic() - began, time.process_time() - used)
    store.close()
    return n_done


def _carry_out(store: Store, ledger: Ledger, chain: list[Planned]) -> int:
    rows = list(ledger.rows(chain[0].person))
    ledger.of(rows)
    for one in rows:
        ledger.intend(one)
        store.check_lease()
        answer = {"id": one.body_hash[:36], "content": one.body["note"]["value"]}
        ledger.settle(one, "done", ashby_id=answer["id"], request_id="r", call={"request": one.body, "answer": answer})
    ledger.finish([])
    return len(rows)


def whole_load(folder: Path, *, people: int, workers: int) -> None:
    """A load against the sandbox."""
    with running_sandbox(people=people, seed=11) as sandbox:
        write_customer(folder, sandbox, ashby={"workers": workers})
        with environment(folder, sandbox):
            book = workbook.open_customer(CUSTOMER)
            prepare(book, sandbox)
            steps.map(book)
            began, used = time.monotonic(), time.process_time()
            result = steps.load(book, execute=True)
            told("load", result.n_writes, time.monotonic() - began, time.process_time() - used)
            book.close()


def told(what: str, n_rows: int, seconds: float, cpu: float) -> None:
    """One line of the table."""
    print(
        f"{what:8} {n_rows:8,} rows {seconds:7.1f} s {n_rows / seconds:9,.0f} rows/s   "
        f"{cpu:6.1f} s of the processor, {n_rows / cpu:7,.0f} rows per second of it",
        flush=True,
    )


def profiled(work: Callable[[], object]) -> None:
    """`work()` under cProfile, with what costs most; only its own thread is seen: use one worker."""
    import cProfile  # noqa: PLC0415
    import pstats  # noqa: PLC0415

    with cProfile.Profile() as profile:
        work()
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--rows", 20_000), ("--people", 300), ("--workers", 8)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--only", choices=("ledger", "load"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.only != "load":
            ledger_alone(Path(folder) / "alone", n_rows=args.rows, workers=args.workers)
        if args.only != "ledger":
            whole_load(Path(folder) / "home", people=args.people, workers=args.workers)


if __name__ == "__main__":
    main()

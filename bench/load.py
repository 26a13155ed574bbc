"""How fast a load is when nothing limits it: the ledger alone, and the whole load against the sandbox.

    python -m bench.load [--rows 20000] [--people 300] [--workers 8] [--only ledger]

`ledger`: intention and outcome of each row with their commits, by the functions that a load uses, the lease held and
asked for before each send, from several threads at once, without a network. `load`: a whole load of a company in the
sandbox, limits off; both share the machine. Rows per second of the clock, and processor seconds of this process.
Printed and kept in bench/README.md; the aim is that of the ledger.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import CUSTOMER, environment, prepare, running_sandbox, write_customer  # noqa: E402

from bench.table import Aim, keep, word  # noqa: E402
from lib import steps, workbook  # noqa: E402
from lib.pool import run_all  # noqa: E402
from lib.store import Store, open_store  # noqa: E402
from lib.store.ledger import Ledger, Planned  # noqa: E402

A_CHAIN = 10  # rows of one person
AIM = 1_000  # rows per second into the ledger
HEADINGS = ("what", "rows", "seconds", "rows/s", "processor s", "rows/s of the processor", "aim", "reached")


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


@dataclass(frozen=True)
class Took:
    """So many rows, in seconds by the clock and of the processor."""

    what: str
    n_rows: int
    seconds: float
    cpu: float
    aim: int | None = None

    @property
    def pace(self) -> float:
        """Rows per second of the clock."""
        return self.n_rows / self.seconds

    @property
    def reached(self) -> bool | None:
        """Whether it is fast enough, where there is an aim."""
        return None if self.aim is None else self.pace >= self.aim

    def cells(self) -> tuple[object, ...]:
        """One row of the table."""
        aim = f"{self.aim:,} rows/s" if self.aim else "-"
        return (
            self.what, f"{self.n_rows:,}", f"{self.seconds:.1f}", f"{self.pace:,.0f}", f"{self.cpu:.1f}",
            f"{self.n_rows / self.cpu:,.0f}", aim, word(self.reached),
        )  # fmt: skip


def ledger_alone(folder: Path, *, n_rows: int, workers: int) -> Took:
    """Intend and settle so many rows."""
    store = open_store(folder)
    ledger = Ledger(store)
    rows = [row(person, seq) for person in range(n_rows // A_CHAIN) for seq in range(A_CHAIN)]
    ledger.put_plan(rows, plan_hash="bench")
    chains = [rows[start : start + A_CHAIN] for start in range(0, len(rows), A_CHAIN)]
    with store.lease("load"):
        began, used = time.monotonic(), time.process_time()
        n_done = sum(run_all(chains, lambda chain: _carry_out(store, ledger, chain), workers=workers))
        found = Took("ledger", n_done, time.monotonic() - began, time.process_time() - used, AIM)
    store.close()
    return found


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


def whole_load(folder: Path, *, people: int, workers: int) -> Took:
    """A load against the sandbox."""
    with running_sandbox(people=people, seed=11) as sandbox:
        write_customer(folder, sandbox, ashby={"workers": workers})
        with environment(folder, sandbox):
            book = workbook.open_customer(CUSTOMER)
            prepare(book, sandbox)
            steps.map(book)
            began, used = time.monotonic(), time.process_time()
            result = steps.load(book, execute=True)
            found = Took("load", result.n_writes, time.monotonic() - began, time.process_time() - used)
            book.close()
    return found


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--rows", 20_000), ("--people", 300), ("--workers", 8)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--only", choices=("ledger", "load"))
    args = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        if args.only != "load":
            found.append(ledger_alone(Path(folder) / "alone", n_rows=args.rows, workers=args.workers))
        if args.only != "ledger":
            found.append(whole_load(Path(folder) / "home", people=args.people, workers=args.workers))
    aims = [
        Aim("plan rows into the ledger, limits off", f"at least {AIM:,} rows/s", f"{one.pace:,.0f} rows/s", one.reached)
        for one in found
        if one.aim
    ]
    keep("Load, limits off", HEADINGS, [one.cells() for one in found], aims=aims)


if __name__ == "__main__":
    main()

"""One step of a customer in $WORKBOOK_HOME, measured: the process that `bench.growth` starts for each of them.

    python -m bench.growth_steps STEP --template DIR [--blocks 1] [--rows 2000]

Printed is one line of JSON: seconds by the clock from the opening of the customer on; processor seconds of the step,
without what it takes to tell Lever's and Ashby's answers; megabytes at the peak, and before.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import CUSTOMER  # noqa: E402

from bench.again import Template  # noqa: E402
from bench.told_ashby import ToldAshby  # noqa: E402
from bench.told_lever import told_lever  # noqa: E402
from lib import steps, validate, workbook  # noqa: E402
from lib.store import open_store  # noqa: E402

Json = dict[str, Any]


class FirstSendError(Exception):
    """The moment at which a resumed run would ask or send for the first time, or has sent enough."""


def audit(book: workbook.Workbook, options: argparse.Namespace) -> Json:
    """The whole of it, from an empty store; Ashby is the sandbox."""
    told = _tell(book, options)
    result = steps.audit(book)
    counts = {(row["object"], row["group"]): row["n_objects"] for row in result.inventory.to_dict("records")}
    return {"n_rows": counts["opportunities", "all"], "told_s": told.told_s}


def extract(book: workbook.Workbook, options: argparse.Namespace) -> Json:
    """What the audit has left: child lists and bytes of files, the passes, the reports."""
    told = _tell(book, options)
    result = steps.extract(book)
    n_aside = len(result.unread) + len(result.gone) + result.unsettled
    return {"n_rows": int(result.counts["n_objects"].sum()), "told_s": told.told_s, "differences": n_aside}


def extract_resume(book: workbook.Workbook, options: argparse.Namespace) -> Json:
    """An extraction that goes on, until it asks for its first child list."""

    def before(words: list[str]) -> None:
        if words[0] == "opportunities" and len(words) == 3:
            raise FirstSendError

    told = _tell(book, options, before=before)
    with contextlib.suppress(FirstSendError):
        steps.extract(book)
    return {"n_rows": 0, "told_s": told.told_s}


def _tell(book: workbook.Workbook, options: argparse.Namespace, **how: Any) -> Any:
    """Put the Lever that is told in place of the sandbox's; its transport."""
    store = open_store(options.template)
    book.lever.close()
    book.lever = told_lever(Template(store), options.blocks, **how)
    store.close()
    return book.lever.transport


def dedupe(book: workbook.Workbook, _options: argparse.Namespace) -> Json:
    """The whole of it; Ashby is the sandbox."""
    result = steps.dedupe(book)
    return {"n_rows": len(result.contacts), "pairs": len(result.pairs)}


def map_(book: workbook.Workbook, _options: argparse.Namespace) -> Json:
    """The whole of it; Ashby is the sandbox."""
    result = steps.map(book)
    return {"n_rows": int(result.plan["n_rows"].sum()), "hash": result.plan_hash[:12]}


def load(book: workbook.Workbook, options: argparse.Namespace) -> Json:
    """So many rows to the sandbox."""
    sent: list[float] = []

    def moment(name: str, _row: Any) -> None:
        if name == "before intend":
            if len(sent) >= options.rows:
                raise FirstSendError
            sent.append(time.monotonic())

    with contextlib.suppress(FirstSendError):
        steps.load(book, execute=True, fail_at=moment)
    return {"n_rows": len(sent), "per_second": len(sent) / (sent[-1] - sent[0]) if len(sent) > 1 else None}


def load_resume(book: workbook.Workbook, options: argparse.Namespace) -> Json:
    """A load that goes on, until it would send its first row."""
    options.rows = 0
    return load(book, options)


def validate_(book: workbook.Workbook, _options: argparse.Namespace) -> Json:
    """The comparison with an Ashby that is told from the plan; nothing is asked closely."""
    ashby: Any = ToldAshby(book.store)
    result = validate.run(book.store, ashby, seed="growth", workers=1, sample_share=0.0, sample_min=1)
    n_rows = int(result.fidelity["n_expected"].sum())
    return {"n_rows": n_rows, "told_s": ashby.told_s, "differences": len(result.differences)}


STEPS: dict[str, Callable[[workbook.Workbook, argparse.Namespace], Json]] = {
    "audit": audit, "extract": extract, "extract-resume": extract_resume, "dedupe": dedupe, "map": map_,
    "load": load, "load-resume": load_resume, "validate": validate_,
}  # fmt: skip


def _mb(name: str) -> float:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    """Measure one step, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--template", type=Path, required=True, help="the store's folder of the small company")
    parser.add_argument("--blocks", type=int, default=1)
    parser.add_argument("--rows", type=int, default=2000)
    options = parser.parse_args()
    before = _mb("VmRSS")
    begun, used = time.monotonic(), time.process_time()
    book = workbook.open_customer(CUSTOMER)
    about = STEPS[options.step](book, options)
    spent, cpu = time.monotonic() - begun, time.process_time() - used - about.get("told_s", 0.0)
    book.close()
    print(json.dumps(about | {"seconds": spent, "cpu": cpu, "mb": _mb("VmHWM"), "mb_before": before}))


if __name__ == "__main__":
    main()

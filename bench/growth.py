"""How time and memory of every step grow with the number of opportunities (P26).

    python -m bench.growth [--sizes 1000,10000,100000,1000000] [--template 300] [--steps audit,extract,…] [--rows 2000]
                           [--stores DIR]

A small company is read from the sandbox and decided as tests do; its lives are then told again, under other ids, names,
addresses, numbers and dates (`bench/again.py`). `audit` and `extract` read them from a Lever in process, without a
network, into an empty store (without these two, the store is filled at once); `dedupe` says who is who, after which the
small company's verdicts are put in place, told again; `map` makes the plan; `load` sends `--rows` rows, without limits,
to the sandbox; `validate` compares with an Ashby that is told from the plan, in process. `extract-resume` is what
happens before the first child list is asked for when half of them are here, `load-resume` what happens before the first
send when half of the plan is done. Ashby is the sandbox, but for `validate`.

Each step runs in a process of its own. A ratio is the growth of processor time from the size before, divided by that of
n log n: 1.0 is n log n, less is better. The table is kept after each size.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import CUSTOMER, Sandbox, environment, prepare, running_sandbox, write_customer  # noqa: E402
from sqlalchemy import text  # noqa: E402

from bench.again import Template, decide, fill  # noqa: E402
from bench.growth_steps import STEPS  # noqa: E402
from bench.table import Aim, keep, word  # noqa: E402
from bench.told_ashby import finish  # noqa: E402
from lib import workbook  # noqa: E402
from lib.store import open_store  # noqa: E402

MOST_MB, MOST_SECONDS = 512, 10
EXEMPT = "dedupe"  # from the bound on memory
RESUMES = ("extract-resume", "load-resume")
HEADINGS = ("step", "opportunities", "rows", "seconds", "processor s", "of n log n", "peak MB", "of it the step",
            "rows/s", "differences", "reached")  # fmt: skip
NOTES = (
    "Seconds are by the clock, from the opening of the customer on, with what it takes to tell Lever's and Ashby's "
    "answers; processor seconds are the step's own. Rows: opportunities (audit), objects (extract), contacts (dedupe), "
    "rows of the plan (map, load), compared objects (validate).\n"
    f"Aims: at most {MOST_MB} MB but for {EXEMPT}; processor time no worse than n log n from one size to the next; "
    f"at most {MOST_SECONDS} s until a run that goes on (`-resume`) asks or sends for the first time."
)
ASIDE = (
    "UPDATE windows SET stream = 'aside' WHERE stream = 'children' AND key > "
    "(SELECT key FROM windows WHERE stream = 'children' ORDER BY key LIMIT 1 OFFSET "
    "(SELECT count(*) / 2 FROM windows WHERE stream = 'children'))"
)
BACK = "UPDATE windows SET stream = 'children' WHERE stream = 'aside'"
Json = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """What one step took at one size; `ratio` is its growth from the size before, as a share of that of n log n."""

    step: str
    n: int
    found: Json
    ratio: float | None

    @property
    def failed(self) -> bool:
        """Whether it came to no end."""
        return "failed" in self.found

    @property
    def reached(self) -> bool:
        """Whether all aims are reached that a step has."""
        return not self.failed and (self.ratio or 0) <= 1 and self.light and self.soon

    @property
    def light(self) -> bool:
        """Whether it needs no more memory than it may."""
        return self.step == EXEMPT or self.found["mb"] <= MOST_MB

    @property
    def soon(self) -> bool:
        """Whether a run that goes on begins soon enough."""
        return self.step not in RESUMES or self.found["seconds"] <= MOST_SECONDS

    def cells(self) -> tuple[object, ...]:
        """One row of the table."""
        if self.failed:
            return (self.step, f"{self.n:,}", f"failed ({self.found['failed']})", *["-"] * 7, word(False))
        one = self.found
        own, pace = one["mb"] - one["mb_before"], one.get("per_second")
        return (
            self.step, f"{self.n:,}", f"{one['n_rows']:,}", f"{one['seconds']:.1f}", f"{one['cpu']:.1f}",
            "-" if self.ratio is None else f"{self.ratio:.2f}", f"{one['mb']:,.0f}", f"{own:,.0f}",
            f"{pace:,.0f}" if pace else "-", one.get("differences", "-"), word(self.reached),
        )  # fmt: skip


def measured(step: str, home: Path, template: Path, sandbox: Sandbox, *, n_blocks: int, n_rows: int) -> Json:
    """One step in a process of its own."""
    words = ["--template", str(template), "--blocks", str(n_blocks), "--rows", str(n_rows)]
    with environment(home, sandbox):
        command = [sys.executable, "-m", "bench.growth_steps", step, *words]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=ROOT)  # noqa: S603
    if done.returncode:
        return {"failed": done.returncode}
    found: Json = json.loads(done.stdout.splitlines()[-1])
    return found


def growth(before: Figure | None, n: int, found: Json) -> float | None:
    """How processor time grew from the figure before, divided by how n log n did; a load sends what it is told to."""
    if before is None or before.failed or "failed" in found or before.n == n or before.step == "load":
        return None
    return (found["cpu"] / max(before.found["cpu"], 1e-9)) / (n * math.log(n) / (before.n * math.log(before.n)))


def measure(home: Path, template_home: Path, sandbox: Sandbox, size: int, args: argparse.Namespace) -> Iterator[Figure]:
    """All steps at one size; figures without a ratio."""
    folder, template_folder = home / "runs" / CUSTOMER, template_home / "runs" / CUSTOMER
    store = open_store(template_folder)
    template = Template(store)
    store.close()
    n_blocks = template.blocks(size)
    n, reads = n_blocks * len(template.lives), {"audit", "extract"} & set(args.steps)
    write_customer(home, sandbox, ashby={"workers": 8}, lever={"workers": 2})
    if not folder.exists() and not reads:
        begun = time.monotonic()
        fill(folder, template_folder, n_blocks)
        print(f"{n:,} filled in {time.monotonic() - begun:.0f} s", flush=True)
    for step in [one for one in STEPS if one in args.steps or (reads and one in ("audit", "extract"))]:
        with environment(home, sandbox):
            _make_ready(step, home, template_home, n_blocks)
        found = measured(step, home, template_folder, sandbox, n_blocks=n_blocks, n_rows=args.rows)
        if step == "extract-resume":
            _run(folder, BACK)
        yield Figure(step, n, found, None)


def _make_ready(step: str, home: Path, template_home: Path, n_blocks: int) -> None:
    """What stands in the store before a step that is measured alone."""
    folder = home / "runs" / CUSTOMER
    if step == "extract-resume":
        _run(folder, ASIDE)
    elif step == "map":
        decide(home, template_home, CUSTOMER, n_blocks)
    elif step in ("load-resume", "validate"):
        store = open_store(folder)
        finish(store, 1.0 if step == "validate" else 0.5)
        store.close()


def _run(folder: Path, statement: str) -> None:
    store = open_store(folder)
    with store.begin() as tx:
        tx.execute(text(statement))
    store.close()


def aims(figures: list[Figure]) -> Iterator[Aim]:
    """The worst of all figures, by aim."""
    whole = [one for one in figures if not one.failed]
    if grown := [one for one in whole if one.ratio is not None]:
        worst = max(grown, key=lambda one: one.ratio or 0)
        told = f"at most {worst.ratio:.2f} of it ({_place(worst)})"
        yield Aim("growth of every step", "no worse than n log n", told, (worst.ratio or 0) <= 1)
    if light := [one for one in whole if one.step != EXEMPT]:
        worst = max(light, key=lambda one: one.found["mb"])
        told = f"at most {worst.found['mb']:,.0f} MB ({_place(worst)})"
        yield Aim("memory of every step but dedupe", f"at most {MOST_MB} MB", told, worst.light)
    if resumes := [one for one in whole if one.step in RESUMES]:
        worst = max(resumes, key=lambda one: one.found["seconds"])
        told = f"at most {worst.found['seconds']:.1f} s ({_place(worst)})"
        yield Aim("start of a run that goes on", f"at most {MOST_SECONDS} s", told, worst.soon)
    for step, name in (("map", "plan"), ("dedupe", "whole step of dedupe")):
        if own := [one for one in whole if one.step == step]:
            told = f"{own[-1].found['seconds']:,.1f} s, {own[-1].found['mb']:,.0f} MB"
            yield Aim(f"{name} of {own[-1].n:,} opportunities", "told", told, None)
    if failed := [one for one in figures if one.failed]:
        yield Aim("every step comes to its end", "all", ", ".join(map(_place, failed)), False)


def _place(one: Figure) -> str:
    return f"{one.step}, {one.n:,}"


def kept(figures: list[Figure]) -> None:
    """The table so far: by step, and by size within each."""
    order = list(STEPS)
    rows = sorted(figures, key=lambda one: (order.index(one.step), one.n))
    keep("Growth", HEADINGS, [one.cells() for one in rows], notes=NOTES, aims=aims(rows))


def run(args: argparse.Namespace, folder: Path) -> None:
    """Measure all sizes; the table is kept after each."""
    figures: list[Figure] = []
    last: dict[str, Figure] = {}
    with running_sandbox(people=args.template, seed=11) as sandbox:
        template = folder / "template"
        write_customer(template, sandbox, ashby={"workers": 8}, lever={"workers": 2})
        if not (template / "runs").exists():
            with environment(template, sandbox):
                book = workbook.open_customer(CUSTOMER)
                prepare(book, sandbox)
                book.close()
        for size in args.sizes:
            sandbox.reset()
            home = folder / f"n{size}"
            for one in measure(home, template, sandbox, size, args):
                last[one.step] = Figure(one.step, one.n, one.found, growth(last.get(one.step), one.n, one.found))
                figures.append(last[one.step])
                print("  ".join(map(str, last[one.step].cells())), flush=True)
            kept(figures)
            if not args.stores:
                shutil.rmtree(home)


def main() -> None:
    """Measure, print, and keep the table."""

    def words(given: str) -> list[str]:
        return given.split(",")

    def sizes(given: str) -> list[int]:
        return sorted(map(int, words(given)))

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=sizes, default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--steps", type=words, default=list(STEPS), help=",".join(STEPS))
    parser.add_argument("--template", type=int, default=300, help="people of the company that is told again")
    parser.add_argument("--rows", type=int, default=2000, help="rows that `load` sends")
    parser.add_argument("--stores", type=Path, help="keep the stores in this folder, and use them again")
    args = parser.parse_args()
    if unknown := set(args.steps) - set(STEPS):
        parser.error(f"no such steps: {', '.join(sorted(unknown))}")
    if args.stores:
        args.stores.mkdir(parents=True, exist_ok=True)
        run(args, args.stores)
        return
    with tempfile.TemporaryDirectory() as folder:
        run(args, Path(folder))


if __name__ == "__main__":
    main()

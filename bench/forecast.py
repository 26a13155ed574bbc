"""Is the forecast honest? Ten differently shaped companies, from the audit to the validation (P8).

    python -m bench.forecast [--times 5] [--people 160] [--only 3]

Paced as against the vendors, with all that has to do with time scaled by `--times`: so many times the allowance, waits
and settling so much shorter. It needs a machine that keeps that pace. Printed and kept in bench/README.md is each step
of each company by whom it was forecast: requests and minutes, forecast and actual, whether the actual lies in the
interval; then what missed the aims (requests 2 %, minutes 10 %), by name.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import CUSTOMER, decide, environment, running_sandbox  # noqa: E402

from bench.pace import product  # noqa: E402
from bench.table import Aim, keep, word  # noqa: E402
from lib import steps, workbook  # noqa: E402

Row = dict[str, Any]
AIMS = {"requests": 2.0, "minutes": 10.0}
HEADINGS = ("company", "step", "forecast by", "measure", "forecast", "interval", "actual", "off %", "inside",
            "within the aim")  # fmt: skip


@dataclass(frozen=True)
class Company:
    """A name, how many times the usual number of people, a seed, and what is more or less than usual."""

    name: str
    size: float
    seed: int
    shape: str = ""


COMPANIES = (
    Company("ordinary", 1.0, 11),
    Company("small", 0.4, 12),
    Company("large", 2.5, 13),
    Company("many notes", 1.0, 14, "notes=4"),
    Company("many files", 0.8, 15, "files=3"),
    Company("no feedback", 1.0, 16, "feedback=0"),
    Company("nearly all archived", 1.0, 17, "archived=3"),
    Company("many people are in Ashby already", 1.0, 18, "existing=6"),
    Company("one candidacy for each person", 1.6, 19, "candidacies=0.1"),
    Company("many leads without posting, many candidacies each", 0.5, 20, "leads=8 candidacies=2.5"),
)


def moved(company: Company, *, people: int, times: float) -> list[Row]:
    """The scores of all steps of one company, totals only."""
    n_people = max(20, round(people * company.size))
    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox(people=n_people, seed=company.seed, limits=f"x{times:g}", shape=company.shape) as sandbox,
    ):
        home = Path(folder) / "home"
        product(home, sandbox, times)
        with environment(home, sandbox):
            book = workbook.open_customer(CUSTOMER)
            steps.audit(book)
            steps.extract(book)
            decide(book, sandbox)
            steps.map(book)
            steps.load(book, execute=True)
            steps.validate(book)
            scores = {step: book.store.results(step, "score") for step in ("extract", "load", "validate")}
            book.close()
    return [
        {"company": company.name, "step": step} | row
        for step, rows in scores.items()
        for row in rows
        if row["measure"] in AIMS
    ]


def cells(row: Row) -> tuple[object, ...]:
    """One line of the table."""
    off = "-" if row["off_percent"] is None else f"{row['off_percent']:+.1f}"
    interval = f"{row['low']:g} to {row['high']:g}"
    inside = "yes" if row["inside"] else "no"
    return (
        row["company"], row["step"], row["forecast_by"], row["measure"], row["forecast"], interval, row["actual"], off,
        inside, word(near(row)),
    )  # fmt: skip


def near(row: Row) -> bool:
    """Whether the actual figure is as near to the forecast as it is to be."""
    return row["off_percent"] is not None and abs(row["off_percent"]) <= AIMS[row["measure"]]


def aims(rows: list[Row]) -> Iterator[Aim]:
    """Per measure: how many of all scores are as near as they are to be, and the one that is furthest off."""
    for measure, aim in AIMS.items():
        own = [row for row in rows if row["measure"] == measure]
        worst = max(own, key=lambda row: abs(row["off_percent"] or 0.0), default=None)
        if worst is not None:
            off = f"furthest off: {worst['off_percent'] or 0.0:+.1f} % ({worst['step']}, {worst['company']})"
            n_companies, n_near = len({row["company"] for row in own}), sum(map(near, own))
            told = f"{n_near} of {len(own)} scores in {n_companies} companies; {off}"
            yield Aim(f"forecast of {measure}", f"within {aim:g} %", told, n_near == len(own))


def summary(rows: list[Row]) -> Iterator[str]:
    """Per forecaster and measure: how many reached the aim, how many lie inside; then every miss by name."""
    for by in sorted({row["forecast_by"] for row in rows}):
        for measure, aim in AIMS.items():
            for step in ("extract", "load", "validate"):
                own = [row for row in rows if (row["forecast_by"], row["measure"], row["step"]) == (by, measure, step)]
                close = [row for row in own if near(row)]
                inside = sum(row["inside"] for row in own)
                if own:
                    yield f"{step}, {measure} by {by}: {len(close)} of {len(own)} within {aim:g} %, {inside} inside"
                missed = [f"{row['company']} ({row['off_percent']:+.1f} %)" for row in own if row not in close]
                if missed:
                    yield f"  missed: {', '.join(missed)}"


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=float, default=5.0)
    parser.add_argument("--people", type=int, default=160)
    parser.add_argument("--only", type=int, default=len(COMPANIES), help="so many of the companies")
    options = parser.parse_args()
    rows: list[Row] = []
    for company in COMPANIES[: options.only]:
        found = moved(company, people=options.people, times=options.times)
        for row in found:
            print("  ".join(map(str, cells(row))), flush=True)
        rows += found
    notes = "\n".join(f"- {one.strip()}" for one in summary(rows))
    keep("Forecast", HEADINGS, [cells(row) for row in rows], notes=notes, aims=aims(rows))


if __name__ == "__main__":
    main()

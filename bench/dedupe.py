"""How long and how much memory dedupe takes, by phase and size, and how right it is on a labelled company.

    python -m bench.dedupe [--sizes 1000 10000 100000 1000000] [--times 3] [--seed 7]

Every size is measured in processes of its own: seconds of processor time (other work on the machine counts less
against it) and by the clock, the best of so many times, and the peak of memory with the input of the phase. "growth"
is seconds per n·log n against the smallest size, "step" against the one before: 1.0 is n·log n. Printed and kept in
bench/README.md.

silent: a table of contacts (id, name, emails, created_ms, is_anonymized) → who is one person, without asking anybody.
table: opportunities as Lever lists them → the table of contacts with all columns.
decide: that table → people, the model, pairs to review, blocks (everything but the rows of people).
keep: one row per person, written to a store with members and pairs.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

import pandas as pd  # noqa: E402

from bench.contacts import Company  # noqa: E402
from bench.table import Aim, keep, word  # noqa: E402
from lib.dedupe import DedupePolicy, Standing, contacts_table, dedupe  # noqa: E402
from lib.dedupe.columns import contacts_of  # noqa: E402
from lib.dedupe.engine import silent  # noqa: E402
from lib.store import open_store  # noqa: E402

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
PHASES: Final = ("silent", "table", "decide", "keep")
SLIM: Final = ("id", "name", "emails", "created_ms", "is_anonymized")
AIMED, AIM_S, AIM_MB = ("silent", 1_000_000), 5.0, 1024  # phase, contacts; processor seconds, memory
HEADINGS: Final = ("phase", "contacts", "processor s", "seconds", "peak MB", "growth", "step", "aim", "reached")
NOW_MS: Final = 1_700_000_000_000
Json = dict[str, Any]


class Lap:
    """Processor and clock seconds, and the peak of memory, of one thing done."""

    def __init__(self) -> None:
        self.figures: dict[str, Json] = {}

    def __call__(self, name: str, do: Callable[[], Any]) -> Any:
        """Do it, and remember what it took."""
        Path("/proc/self/clear_refs").write_text("5", "ascii")  # forget the peak so far
        clock, busy = time.perf_counter(), time.process_time()
        found = do()
        busy, clock = time.process_time() - busy, time.perf_counter() - clock
        self.figures[name] = {"cpu_s": busy, "clock_s": clock, "peak_mb": peak_mb()}
        return found


def peak_mb() -> int:
    """The peak of this process's memory, in MB."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) // 1024


def slim_table(company: Company) -> pd.DataFrame:
    """What the silent tier reads of contacts."""
    columns: dict[str, list[Any]] = {name: [] for name in SLIM}
    before = ""
    for one in company:  # a contact's opportunities follow one another
        if one["contact"] != before:
            before = one["contact"]
            values = (before, one["name"], one["emails"], one["createdAt"], one["isAnonymized"])
            for name, value in zip(SLIM, values, strict=True):
                columns[name].append(value)
    return pd.DataFrame(columns)


def measure_silent(n: int, seed: int) -> Json:
    """The silent tier alone, and how right it is."""
    company, lap = Company(n, seed), Lap()
    contacts = slim_table(company)
    standing, policy = Standing(), DedupePolicy()

    def decide() -> pd.DataFrame:
        found = silent(contacts_of(contacts), existing=[], verdicts={}, policy=policy, standing=standing)
        return found.members()

    members = lap("silent", decide)
    return lap.figures | {"right": {"silent": joined_rightly(members, company.human_of)}}


def measure_whole(n: int, seed: int) -> Json:
    """From opportunities to rows in a store; the making of opportunities is not counted."""
    company, lap = Company(n, seed), Lap()
    made = [0.0]

    def counted() -> Iterator[Json]:
        rows = iter(company)
        while True:
            began = time.process_time()
            row = next(rows, None)
            made[0] += time.process_time() - began
            if row is None:
                return
            yield row

    contacts = lap("table", lambda: contacts_table(counted(), now_ms=NOW_MS))
    lap.figures["table"] = {name: value - made[0] * name.endswith("_s") for name, value in lap.figures["table"].items()}
    found = lap("decide", lambda: dedupe(contacts, learns=True))
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "customer")
        rows = (person for person, _ in found.survivors())
        columns = [found.members[name].tolist() for name in ("contact", "person", "why")]
        members = ({"contact": c, "person": p, "why": w} for c, p, w in zip(*columns, strict=True))
        lap("keep", lambda: store.put_people(rows, members, found.pairs.to_dict("records")))
        store.close()
    queue = [(pair.a, pair.b) for pair in found.pairs.itertuples()]
    return lap.figures | {"right": {"queue": queued_rightly(found.members, queue, company.human_of)}}


def joined_rightly(members: pd.DataFrame, human_of: dict[str, int]) -> Json:
    """Pairs of contacts joined without asking, and those of them that are one human being."""
    groups = members.groupby("person", sort=False)["contact"].apply(list)
    n_pairs = n_right = 0
    for group in groups[groups.map(len) > 1]:
        n_pairs += math.comb(len(group), 2)
        n_right += sum(math.comb(count, 2) for count in Counter(human_of[one] for one in group).values())
    n_true = sum(math.comb(count, 2) for count in Counter(human_of.values()).values())
    return {"n_joined": n_pairs, "n_wrong": n_pairs - n_right, "n_true": n_true}


def queued_rightly(members: pd.DataFrame, queue: Iterable[tuple[str, str]], human_of: dict[str, int]) -> Json:
    """Pairs of people to review, those that are one human being, and how many pairs of contacts those would join."""
    sizes = members.groupby("person", sort=False).size().to_dict()
    pairs = list(queue)
    right = [(a, b) for a, b in pairs if human_of[a] == human_of[b]]
    return {"n_queue": len(pairs), "n_right": len(right), "n_found": sum(sizes[a] * sizes[b] for a, b in right)}


def child(kind: str, n: int, args: argparse.Namespace) -> Json:
    """The figures of one process."""
    command = [sys.executable, "-m", "bench.dedupe", "--child", kind, "--sizes", str(n), "--seed", str(args.seed)]
    found: Json = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout)  # noqa: S603
    return found


def best(n: int, args: argparse.Namespace) -> Json:
    """The best of several runs of each phase, and the worst peak of memory."""
    runs = [child(kind, n, args) for _ in range(args.times) for kind in ("silent", "whole")]
    found: Json = {"right": {key: value for run in runs for key, value in run["right"].items()}}
    for phase in PHASES:
        took = [run[phase] for run in runs if phase in run]
        found[phase] = {name: (max if name == "peak_mb" else min)(one[name] for one in took) for name in took[0]}
    return found


def rows_of(figures: dict[int, Json]) -> Iterator[tuple[object, ...]]:
    """A row of the table per phase and size."""
    for phase in PHASES:
        first: float | None = None
        before: float | None = None
        for n, found in figures.items():
            one = found[phase]
            rate = one["cpu_s"] / (n * math.log(n))
            first, before = first or rate, before or rate
            aim, reached = "-", None
            if (phase, n) == AIMED:
                aim, reached = f"{AIM_S:g} s, {AIM_MB:,} MB", one["cpu_s"] <= AIM_S and one["peak_mb"] <= AIM_MB
            yield (
                phase, f"{n:,}", f"{one['cpu_s']:.2f}", f"{one['clock_s']:.2f}", f"{one['peak_mb']:,.0f}",
                f"{rate / first:.2f}", f"{rate / before:.2f}", aim, word(reached),
            )  # fmt: skip
            before = rate


def rightness(figures: dict[int, Json]) -> Iterator[str]:
    """A line per size on how right the result is."""
    for n, found in figures.items():
        joined, queue = found["right"]["silent"], found["right"]["queue"]
        recall = (joined["n_joined"] - joined["n_wrong"] + queue["n_found"]) / max(1, joined["n_true"])
        precision = 1 - joined["n_wrong"] / max(1, joined["n_joined"])
        share = queue["n_right"] / max(1, queue["n_queue"])
        yield (
            f"- {n:,} contacts: {joined['n_joined']:,} pairs joined silently, precision {precision:.4f}; "
            f"{queue['n_queue']:,} pairs to review, precision {share:.3f}; recall of both {recall:.3f}."
        )


def aims(figures: dict[int, Json]) -> Iterator[Aim]:
    """Time and memory of the silent tier, where the size was measured that the aim names."""
    phase, n = AIMED
    if n in figures:
        one, what = figures[n][phase], f"dedupe of {n:,} contacts, {phase} tier"
        yield Aim(f"{what}: time", f"at most {AIM_S:g} s", f"{one['cpu_s']:.2f} processor s", one["cpu_s"] <= AIM_S)
        yield Aim(f"{what}: memory", f"at most {AIM_MB:,} MB", f"{one['peak_mb']:,.0f} MB", one["peak_mb"] <= AIM_MB)


def main() -> None:
    """Measure every size, print, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--child", choices=("silent", "whole"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        measure = measure_silent if args.child == "silent" else measure_whole
        print(json.dumps(measure(args.sizes[0], args.seed)))
        return
    figures = {n: best(n, args) for n in sorted(args.sizes)}
    keep("Dedupe", HEADINGS, list(rows_of(figures)), notes="\n".join(rightness(figures)), aims=aims(figures))


if __name__ == "__main__":
    main()

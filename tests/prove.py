"""`make prove`: runs the whole of every proof, file by file, and writes what came of it to docs/proof.md.

    python tests/prove.py             all proofs
    python tests/prove.py P1 P23      the proofs of these promises
    python tests/prove.py kill_9      proofs whose name holds this (pytest's -k)
    WORKBOOK_SEEDS=10000 python tests/prove.py P3   so many mixes of faults, in parts of 500; or 500:1000, one such part
    python tests/prove.py P1 with=1a2b3c4d5e6f   files that were proved on that commit are not run again, and said to be

It says first what will run, what stands, and how long each took the last time; the report is written after each file.
Promises that were not asked for stay in it, each with the commit it was proved on. What was proved on a commit without
changes is kept in `.proof`, so that a run that was stopped goes on with the files that lack; `rm -r .proof` forgets it.
Ends with 1 when a proof has failed, or when one that was asked for has told nothing; the report says which.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

from proof_report import PROMISES, Outcome, missing, outcome_of, report_of
from proofs import seeds

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "proof.md"
KEPT = ROOT / ".proof"
INTERRUPTED, NO_TESTS = 2, 5  # pytest's exit codes
SEEDED, MIXES, OF_THE_FILE = "faults", "a_mix_of_all_faults", range(500)  # seeds that are the whole of its proof
ALONE = ("speed",)  # one test after another: what they measure is time
PER_CORE = 4  # a proof waits for its sandbox, its children and its pauses: 4 on 2 cores used 1.3 of them (measured)
ORDER = (
    "life", "load", "live", "envelopes", "operators", "postgres", "disk", "recover", "mutants", "speed", "crashes",
    "faults", "switches",
)  # fmt: skip
"""Files in the order in which they are run: what finds most first, then the quick ones, the longest one last."""


def commit() -> str:
    """The commit that was proved, and whether files were changed since; "unknown" outside a git clone."""
    said = [
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
        for words in (["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain", "--", "lib", "sandbox", "tests"])
    ]
    return (said[0] or "unknown") + (" and changes that are not committed" if said[1] else "")


def about(words: list[str], seconds: float) -> dict[str, str]:
    """When, by which command and on what kind of machine; neither names nor paths of it."""
    return {
        "commit": commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": f"`make prove{' PROOFS=' + repr(' '.join(words)) if words else ''}`",
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "duration": f"{seconds / 60:.0f} minutes",
    }


@dataclass(frozen=True)
class Part:
    """What pytest runs at once: the proofs of tests/test_<name>.py, or of more seeds of its one long proof."""

    name: str
    folder: Path
    """What came of it: `code` once it has run to its end, `seconds`, what was told."""
    seeds: range | None = None

    @property
    def is_more(self) -> bool:
        """Whether it plays seeds beyond (or a piece of) those that belong to the file."""
        return self.seeds is not None and self.folder.name != self.name

    @property
    def is_proved(self) -> bool:
        """Whether all its proofs have been run, with whatever result."""
        return (self.folder / "code").is_file()

    def last(self, kept: Path) -> float | None:
        """Seconds it took the last time it ran to its end, here or on any commit in `kept`; None when it never did."""
        ended = [self.folder / "code"] if self.is_proved else list(kept.glob(f"*/{self.folder.name}/code"))
        found = sorted(ended, key=lambda one: one.stat().st_mtime)
        return float(found[-1].with_name("seconds").read_text()) if found else None


def overview(parts: Sequence[Part], kept: Path) -> list[str]:
    """What stands and from which commit, what is still to run, and how long each took the last time."""
    lines, lacking = [], [part.last(kept) for part in parts if not part.is_proved]
    for part in parts:
        state = f"stands, of {part.folder.parent.name}" if part.is_proved else "to run"
        lines.append(f"  {part.folder.name:24} {state:24} {_span(part.last(kept))}")
    more = f", and {lacking.count(None)} that were never timed" if None in lacking else ""
    left = f"about {_span(sum(one or 0 for one in lacking))}{more}" if lacking else "nothing"
    return [*lines, f"{len(lacking)} of {len(parts)} to run: {left}."]


def _span(seconds: float | None) -> str:
    """`1 h 5 min`, of seconds."""
    if seconds is None:
        return "never timed"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min" if minutes else "1 min"


def prove(part: Part, names: list[str]) -> int:
    """Run the proofs of one part, unless its folder holds all of them already; pytest's exit code."""
    folder = part.folder
    if part.is_proved:
        return int((folder / "code").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    told, junit = folder / "told.jsonl", folder / "junit.xml"
    told.unlink(missing_ok=True)
    run = [sys.executable, "-m", "pytest", "-m", "proof", f"--junitxml={junit}", f"tests/test_{part.name}.py"]
    chosen = [MIXES] if part.is_more else names
    run += ["-k", " or ".join(chosen)] if chosen else []
    workers = os.environ.get("WORKBOOK_WORKERS") or str(PER_CORE * (os.cpu_count() or 1))
    run += ["-n", workers, "--dist", "worksteal"] if find_spec("xdist") and part.name not in ALONE else []
    environment = os.environ | {"WORKBOOK_PROVE": "1", "WORKBOOK_PROOF": str(told)}
    environment |= {"WORKBOOK_SEEDS": f"{part.seeds.start}:{part.seeds.stop}"} if part.seeds else {}
    began = time.monotonic()
    code = subprocess.run(run, cwd=ROOT, env=environment, check=False).returncode
    (folder / "seconds").write_text(str(time.monotonic() - began))
    if code != INTERRUPTED:
        (folder / "code").write_text(str(code))
    return code


def gathered(parts: Iterable[Part]) -> tuple[list[dict[str, Any]], Outcome, float]:
    """(what was told, what became of the tests, seconds) of all parts that were run so far."""
    lines: list[dict[str, Any]] = []
    whole, seconds = Outcome(), 0.0
    for part in parts:
        folder = part.folder
        if (folder / "junit.xml").is_file():
            one = outcome_of(folder / "junit.xml")
            for name in ("seconds", "failed", "skipped"):
                getattr(whole, name).update(getattr(one, name))
        if (folder / "told.jsonl").is_file():
            lines += [json.loads(line) for line in (folder / "told.jsonl").read_text("utf-8").splitlines()]
        if (folder / "seconds").is_file():
            seconds += float((folder / "seconds").read_text())
        whole.unfinished |= set() if part.is_proved else {part.name}
    return lines, whole, seconds


def parts_of(modules: Iterable[str], kept: Path, others: Iterable[str], *, kept_all: Path = KEPT) -> list[Part]:
    """The parts to prove; one that was proved on one of the `others` commits, and not here, stands as it does there.

    Of the seeds of WORKBOOK_SEEDS each 500 are a part; those that were played before stand beside what is asked for.
    """
    found = []
    for name in modules:
        pieces = (
            pieces_of(seeds(os.environ.get("WORKBOOK_SEEDS") or str(OF_THE_FILE.stop))) if name == SEEDED else [None]
        )
        for piece in pieces:
            part = _part(name, kept, piece)
            elsewhere = [_part(name, kept_all / other, piece) for other in others]
            stands = [one for one in elsewhere if one.is_proved and not part.is_proved]
            found.append(stands[-1] if stands else part)
        if name == SEEDED:
            more = [seeds(one.name.partition("-")[2].replace("-", ":")) for one in kept.glob(f"{name}-*")]
            there = [_part(name, kept, one) for one in sorted([OF_THE_FILE, *more], key=lambda one: one.start)]
            found += [one for one in there if one.is_proved and one not in found]
    return found


def pieces_of(wanted: range) -> list[range]:
    """The seeds that are asked for in pieces of 500, each of which is kept once it has been played."""
    ends = [wanted.start, *(one for one in range(0, wanted.stop, len(OF_THE_FILE)) if one > wanted.start), wanted.stop]
    return [range(first, end) for first, end in pairwise(ends)]


def _part(name: str, kept: Path, piece: range | None) -> Part:
    more = "" if piece in (None, OF_THE_FILE) else f"-{piece.start}-{piece.stop}"
    return Part(name, kept / f"{name}{more}", piece)


def main(words: list[str]) -> int:
    """Run the proofs and write the report, after each part."""
    asked = [word for word in words if re.fullmatch(r"P\d+", word)]
    others = [word.removeprefix("with=") for word in words if word.startswith("with=")]
    names = [word for word in words if word not in asked and not word.startswith("with=")]
    wanted = asked or (list(PROMISES) if not names else [])
    modules = sorted({name for promise in wanted or PROMISES for name in PROMISES[promise][1]}, key=ORDER.index)
    state, codes = commit(), []
    earlier = REPORT.read_text("utf-8") if REPORT.is_file() else ""
    with tempfile.TemporaryDirectory() as throw_away:
        kept = Path(throw_away) if names or " " in state or state == "unknown" else KEPT / state
        parts = parts_of(modules, kept, others)
        older = {part.name: part.folder.parent.name for part in parts if part.folder.parent != kept}
        print(*overview(parts, KEPT), sep="\n", flush=True)
        for part in parts:
            stood = part.is_proved
            codes.append(prove(part, names))
            lines, outcome, seconds = gathered(parts)
            shown = wanted or sorted({line["promise"] for line in lines} & set(PROMISES), key=list(PROMISES).index)
            text = report_of(lines, outcome, wanted=shown, about=about(words, seconds), earlier=earlier, older=older)
            REPORT.write_text(text, "utf-8")
            if codes[-1] == INTERRUPTED:
                break
            if not stood:
                print(f"{part.folder.name} took {_span(part.last(KEPT))};", overview(parts, KEPT)[-1], flush=True)
        print(*overview(parts, KEPT), sep="\n")
    lacking = missing(lines, shown)
    print(f"{REPORT.relative_to(ROOT)}: {len(outcome.failed)} failed, missing: {', '.join(lacking) or 'none'}")
    return 1 if any(code not in (0, NO_TESTS) for code in codes) or lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`make prove`: runs the whole of every proof, file by file, and writes what came of it to docs/proof.md.

    python tests/prove.py             all proofs
    python tests/prove.py P1 P23      the proofs of these promises
    python tests/prove.py kill_9      proofs whose name holds this (pytest's -k)
    python tests/prove.py P1 with=1a2b3c4d5e6f   files that were proved on that commit are not run again, and said to be

The report is written after each file; promises that were not asked for stay in it, each with the commit it was proved
on. What was proved on a commit without changes is kept in `.proof`, so that a run
that was stopped goes on with the files that lack; `rm -r .proof` begins anew.
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
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "proof.md"
PROMISES = {
    "P1": ("Nothing lost, nothing doubled, whatever moment we die", ["crashes", "life"]),
    "P2": ("The same under kill -9", ["crashes", "postgres"]),
    "P3": ("The same under mixes of all faults", ["faults"]),
    "P4": ("A lost answer never makes a second object", ["faults", "life", "load"]),
    "P5": ("Odd envelopes are never taken for success", ["envelopes"]),
    "P7": ("Few calls more than the plan under faults", ["faults"]),
    "P10": ("A second run does nothing", ["load"]),
    "P11": ("What is read in steps equals what is read at once", ["life"]),
    "P23": ("Two operators cannot collide", ["operators"]),
    "P25": ("A full disk, a lost database server", ["disk", "postgres"]),
    "P29": ("The tests can fail", ["mutants"]),
    "P30": ("Right by every unknown of the vendors, both ways", ["switches"]),
    "P38": ("A lost store is rebuilt from Ashby", ["recover"]),
}
"""Promises of which a proof with figures is here: in words, and test_<name>.py that hold it."""
INSTEAD = "make prove plays"  # how the ordinary suite's portion says that the whole is played in its place
INTERRUPTED, NO_TESTS = 2, 5  # pytest's exit codes
ORDER = (
    "life", "load", "envelopes", "operators", "postgres", "disk", "recover", "mutants", "crashes", "faults", "switches",
)  # fmt: skip
"""Files in the order in which they are run: what finds most first, then the quick ones, the longest one last."""
FEWER = 5  # bars of a row that does not say its commit
APART = ("seed", "share")  # figures that tell rounds apart: counted, not added up


@dataclass
class Outcome:
    """What became of the tests: seconds of each, and why those that failed did so."""

    seconds: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)  # files that have not run to their end


def outcome_of(report: Path) -> Outcome:
    """Read pytest's JUnit report; tests are named as `tests/test_x.py::test_y[z]`.

    The portion of the ordinary suite that leaves its place to the whole is neither run nor skipped.
    """
    found = Outcome()
    for case in ET.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        if any((one.get("message") or "").startswith(INSTEAD) for one in case.iter("skipped")):
            continue
        found.seconds[name] = float(case.get("time") or 0)
        for kind, where in (("failure", found.failed), ("error", found.failed), ("skipped", found.skipped)):
            one = case.find(kind)
            if one is not None:
                where[name] = " ".join((one.get("message") or kind).split())[:200]
    return found


def summed(figures: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The figures of several tests as one: numbers added up, ratios as a range, what tells rounds apart as a count."""
    values: dict[str, list[Any]] = defaultdict(list)
    for one in figures:
        for name, value in one.items():
            values[name].append(value)
    return {f"{name}s" if name in APART else name: _together(name, found) for name, found in values.items()}


def _together(name: str, found: list[Any]) -> str:
    if name in APART:
        return f"{len(set(map(str, found)))}"
    if all(isinstance(one, dict) for one in found):
        whole = sum(sum(one.values()) for one in found)
        return f"{whole:,} of {len({key for one in found for key in one})} kinds"
    if all(isinstance(one, int) and not isinstance(one, bool) for one in found):
        return f"{sum(found):,}"
    if all(isinstance(one, int | float) for one in found):
        low, high = min(found), max(found)
        return f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return ", ".join(sorted({str(one) for one in found}))[:200]


def report_of(
    lines: list[dict[str, Any]], outcome: Outcome, *, wanted: list[str], about: dict[str, str], earlier: str = "",
    older: Mapping[str, str] = MappingProxyType({}),
) -> str:  # fmt: skip
    """The report as Markdown; of promises that were not asked for, or not begun, it says what an `earlier` one said.

    `older` names the commit of files that were proved on another one.
    """
    parts = ["# Proofs", "", "Written by the command below; never edited by hand.", ""]
    parts += [f"- {name}: {value}" for name, value in about.items()]
    parts += ["", "| promise | result | tests | seconds | commit |", "| --- | --- | --- | --- | --- |"]
    rows, sections = earlier_of(earlier)
    for promise in wanted:
        if promise in rows and set(PROMISES[promise][1]) <= outcome.unfinished:
            continue  # none of its files has run yet: what was proved before stands
        before = _older(sections.get(promise, ""), rows.get(promise, ""), lines) if promise in rows else ""
        others = "".join(f"; {name}: {older[name]}" for name in PROMISES[promise][1] if name in older)
        result = f"{_result(promise, lines, outcome)} | {about.get('commit', '')}{others}"
        rows[promise] = f"| {promise} {PROMISES[promise][0]} | {result} |"
        sections[promise] = _section(promise, lines)
        if set(PROMISES[promise][1]) & outcome.unfinished:
            sections[promise] += before
    shown = [promise for promise in PROMISES if promise in rows]
    parts += [rows[promise] for promise in shown] + [sections.get(promise, "").rstrip() for promise in shown]
    for title, some in (("Failed", outcome.failed), ("Skipped", outcome.skipped)):
        if some:
            parts += ["", f"## {title}", "", *(f"- `{test}`: {why}" for test, why in sorted(some.items()))]
    return "\n".join(parts) + "\n"


def _older(section: str, row: str, lines: list[dict[str, Any]]) -> str:
    """What an earlier report told of a promise and this unfinished run has not told yet, with the commit it is of."""
    now, commit = tuple(f"- {line['what']}: " for line in lines), row.rstrip(" |").rpartition("|")[2].strip()
    told = [line for line in section.splitlines() if line.startswith("- ") and not line.startswith(now)]
    return "".join(f"\n{line}{'' if line.endswith(']') else f' [{commit}]'}" for line in told)


def _section(promise: str, lines: list[dict[str, Any]]) -> str:
    told = defaultdict(list)
    for line in lines:
        if line["promise"] == promise:
            told[line["what"]].append(line["figures"])
    found = ["", f"## {promise} {PROMISES[promise][0]}", ""] if told else []
    for what, figures in told.items():
        numbers = "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in summed(figures).items())
        found.append(f"- {what}: {numbers}")
    return "\n".join(found)


def earlier_of(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """(rows of the table, sections) of a report, by promise; rows without a commit get the one it is of."""
    rows = {}
    of = re.search(r"^- commit: (.*)$", text, re.MULTILINE)
    for promise, rest in re.findall(r"^\| (P\d+) (.*) \|$", text, re.MULTILINE):
        row = f"| {promise} {rest} |"
        rows[promise] = row if row.count("|") > FEWER else f"{row} {of[1] if of else ''} |"
    found = re.findall(r"^## (P\d+) .*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    whole = re.findall(r"^## P\d+ .*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return rows, {promise: "\n" + section.rstrip() for promise, section in zip(found, whole, strict=True)}


def _result(promise: str, lines: list[dict[str, Any]], outcome: Outcome) -> str:
    """`held | 12 | 34`, for the table: whether it holds, how many tests, how long they took.

    `partly` when a file with proofs of it has told nothing or has not run to its end, or when a test was skipped.
    """
    told = {line["test"] for line in lines if line["promise"] == promise}
    others = {_bare(line["test"]) for line in lines} - {_bare(test) for test in told}
    here = [
        test for test in outcome.seconds
        if (_file(test) in PROMISES[promise][1] and _bare(test) not in others) or _bare(test) in {*map(_bare, told)}
    ]  # fmt: skip
    own = [test for test in here if test in told] or here
    silent = [name for name in PROMISES[promise][1] if name not in {_file(test) for test in told}]
    skipped = [test for test in outcome.skipped if test in here]
    if any(test in outcome.failed for test in here):
        state = "**FAILED**"
    elif not told:
        state = "**missing**: nothing was told"
    elif silent or skipped or outcome.unfinished & set(PROMISES[promise][1]):
        lacking = ["the run has not come to its end"] * bool(outcome.unfinished & set(PROMISES[promise][1]))
        lacking += [f"test_{name} told nothing" for name in silent] + [f"{len(skipped)} skipped"] * bool(skipped)
        state = f"**partly**: {', '.join(lacking)}"
    else:
        state = "held"
    return f"{state} | {len(own)} | {sum(outcome.seconds[test] for test in own):.0f}"


def _bare(test: str) -> str:
    """A test without its parameters: those of one function tell of the same promise."""
    return test.partition("[")[0]


def _file(test: str) -> str:
    """`crashes` of `tests/test_crashes.py::test_a[0]`."""
    return Path(test.partition("::")[0]).stem.removeprefix("test_")


def missing(lines: list[dict[str, Any]], wanted: list[str]) -> list[str]:
    """Promises that were asked for and of which nothing was told."""
    return [promise for promise in wanted if promise not in {line["promise"] for line in lines}]


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


def prove(file: str, folder: Path, names: list[str]) -> int:
    """Run the proofs of one file, unless `folder` holds all of them already; pytest's exit code."""
    if _is_proved(folder):
        return int((folder / "code").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    told, junit = folder / "told.jsonl", folder / "junit.xml"
    told.unlink(missing_ok=True)
    run = [sys.executable, "-m", "pytest", "-m", "proof", f"--junitxml={junit}", file]
    run += ["-k", " or ".join(names)] if names else []
    workers = os.environ.get("WORKBOOK_WORKERS") or str(2 * (os.cpu_count() or 1))  # half of their time they wait
    run += ["-n", workers, "--dist", "worksteal"] if find_spec("xdist") else []
    environment = os.environ | {"WORKBOOK_PROVE": "1", "WORKBOOK_PROOF": str(told)}
    began = time.monotonic()
    code = subprocess.run(run, cwd=ROOT, env=environment, check=False).returncode
    (folder / "seconds").write_text(str(time.monotonic() - began))
    if code != INTERRUPTED:
        (folder / "code").write_text(str(code))
    return code


def _is_proved(folder: Path) -> bool:
    """Whether all proofs of a file have been run, with whatever result."""
    return (folder / "code").is_file()


def gathered(folders: Iterable[Path]) -> tuple[list[dict[str, Any]], Outcome, float]:
    """(what was told, what became of the tests, seconds) of all files that were run so far."""
    lines: list[dict[str, Any]] = []
    whole, seconds = Outcome(), 0.0
    for folder in folders:
        if (folder / "junit.xml").is_file():
            one = outcome_of(folder / "junit.xml")
            for name in ("seconds", "failed", "skipped"):
                getattr(whole, name).update(getattr(one, name))
        if (folder / "told.jsonl").is_file():
            lines += [json.loads(line) for line in (folder / "told.jsonl").read_text("utf-8").splitlines()]
        if (folder / "seconds").is_file():
            seconds += float((folder / "seconds").read_text())
        whole.unfinished |= set() if (folder / "code").is_file() else {folder.name}
    return lines, whole, seconds


def main(words: list[str]) -> int:
    """Run the proofs and write the report, after each file."""
    asked = [word for word in words if re.fullmatch(r"P\d+", word)]
    others = [word.removeprefix("with=") for word in words if word.startswith("with=")]
    names = [word for word in words if word not in asked and not word.startswith("with=")]
    wanted = asked or (list(PROMISES) if not names else [])
    modules = sorted({name for promise in wanted or PROMISES for name in PROMISES[promise][1]}, key=ORDER.index)
    state, codes = commit(), []
    earlier = REPORT.read_text("utf-8") if REPORT.is_file() else ""
    with tempfile.TemporaryDirectory() as throw_away:
        kept = Path(throw_away) if names or " " in state or state == "unknown" else ROOT / ".proof" / state
        older = {name: one for name in modules for one in others if _is_proved(ROOT / ".proof" / one / name)}
        older = {name: one for name, one in older.items() if not _is_proved(kept / name)}
        folders = [ROOT / ".proof" / older[name] / name if name in older else kept / name for name in modules]
        for name, folder in zip(modules, folders, strict=True):
            codes.append(prove(f"tests/test_{name}.py", folder, names))
            lines, outcome, seconds = gathered(folders)
            shown = wanted or sorted({line["promise"] for line in lines} & set(PROMISES), key=list(PROMISES).index)
            text = report_of(lines, outcome, wanted=shown, about=about(words, seconds), earlier=earlier, older=older)
            REPORT.write_text(text, "utf-8")
            if codes[-1] == INTERRUPTED:
                break
    lacking = missing(lines, shown)
    print(f"{REPORT.relative_to(ROOT)}: {len(outcome.failed)} failed, missing: {', '.join(lacking) or 'none'}")
    return 1 if any(code not in (0, NO_TESTS) for code in codes) or lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What `make prove` writes: the promises, what their tests told and what became of them, as the page docs/proof.md."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PROMISES = {
    "P1": ("Nothing lost, nothing doubled, whatever moment we die", ["crashes", "life"]),
    "P2": ("The same under kill -9", ["crashes", "postgres"]),
    "P3": ("The same under mixes of all faults", ["faults"]),
    "P4": ("A lost answer never makes a second object", ["faults", "life", "load"]),
    "P5": ("Odd envelopes are never taken for success", ["envelopes"]),
    "P7": (
        "Speed holds under 5 % of faults: >= 85 % of throughput, calls <= 1.10 x plan (<= 1.02 without faults)",
        ["faults", "speed"],
    ),
    "P10": ("A second run does nothing", ["load"]),
    "P11": ("What is read in steps equals what is read at once", ["life", "live"]),
    "P23": ("Two operators cannot collide", ["operators"]),
    "P25": ("A full disk, a lost database server", ["disk", "postgres"]),
    "P29": ("The tests can fail", ["mutants"]),
    "P30": ("Right by every unknown of the vendors, both ways", ["switches"]),
    "P38": ("A lost store is rebuilt from Ashby", ["recover"]),
    "P39": (
        "The sandbox is fast enough to prove on: >= 1,500 requests/s of one core; 1,000,000 opportunities start in "
        "< 60 s and < 3 GB",
        ["speed"],
    ),
}
"""Promises of which a proof with figures is here: in words, and test_<name>.py that hold it."""
INSTEAD = "make prove plays"  # how the ordinary suite's portion says that the whole is played in its place
FAILED, SKIPPED = "**failed**", "skipped"  # how the reason of a test begins
SINCE = "; **a test of its files has failed since**, see the end"
OF_NONE = "## Of no promise above"
DATED = re.compile(r" \[[0-9a-f]{3,40}\b[^][`]*\]$")  # a line that already says its commit
FEWER = 5  # bars of a row that does not say its commit
PREFACE = (
    "Written by the command below; never edited by hand.",
    "`make prove` plays 500 seeds of P3, about 25 minutes on two quiet cores.",
    "`WORKBOOK_SEEDS=10000 make prove PROOFS=P3` plays 10,000 in twenty parts of 500, eight to nine hours in all.",
    "Each part is kept in `.proof` by commit and seeds: stopped at any time, the same command goes on with the next.",
    "`WORKBOOK_SEEDS=500:1000` plays one part; the row of P3 counts the distinct seeds of all parts that are kept.",
)
APART = ("seed",)  # a figure that tells rounds apart: counted, not added up
STATES = ("plan", "calls", "calls_first", "calls_again", "died_at_effect", "objects", "objects_there", "found", "rows")
"""Figures that are of one round and mean nothing added up: a position, a size, what was there; told as a range."""


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
                where[name] = " ".join((one.get("message") or kind).replace(f"{ROOT}/", "").split())[:200]
    return found


def summed(figures: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The figures of several tests as one.

    What happened (kills, faults, rounds) is added up. Ratios and STATES are told as a range, what tells rounds apart
    as a count; lists name things (crash points, switches), of which each counts once.
    """
    values: dict[str, list[Any]] = defaultdict(list)
    for one in figures:
        for name, value in one.items():
            values[name].append(value)
    return {f"{name}s" if name in APART else name: _together(name, found) for name, found in values.items()}


def _together(name: str, found: list[Any]) -> str:
    if name in APART or all(isinstance(one, list) for one in found):
        return f"{len({str(thing) for one in found for thing in (one if isinstance(one, list) else [one])}):,}"
    if all(isinstance(one, dict) for one in found):
        return _by_kind(found)
    if all(isinstance(one, bool) for one in found):
        return "yes" if all(found) else f"in {sum(found)} of {len(found)}"
    if all(isinstance(one, int) for one in found) and name not in STATES:
        return f"{sum(found):,}"
    if all(isinstance(one, int | float) for one in found):
        return " to ".join(dict.fromkeys(f"{one:,}" if isinstance(one, int) else f"{one:g}" for one in _ends(found)))
    names = sorted({str(one) for one in found})
    return names[0] if len(names) == 1 else f"{len(names)} ({', '.join(names)})"


def _ends(found: list[Any]) -> tuple[Any, Any]:
    return min(found), max(found)


def _by_kind(found: list[dict[str, int]]) -> str:
    """`1,300 of 13 kinds, at least 100 of each`."""
    kinds = Counter[str]()
    for one in found:
        kinds.update(one)
    return f"{kinds.total():,} of {len(kinds)} kinds, at least {min(kinds.values(), default=0):,} of each"


def report_of(
    lines: list[dict[str, Any]], outcome: Outcome, *, wanted: list[str], about: dict[str, str], earlier: str = "",
    older: Mapping[str, str] = MappingProxyType({}),
) -> str:  # fmt: skip
    """The report as Markdown; of promises that were not asked for, or not begun, it says what an `earlier` one said.

    `older` names the commit of files that were proved on another one. Why a test has failed or was skipped stands in
    the section of its promise, and goes when the row goes; of no promise, it goes when its file has run again.
    """
    parts = ["# Proofs", "", *PREFACE, ""]
    parts += [f"- {name}: {value}" for name, value in about.items()]
    parts += ["", "| promise | result | tests | seconds | commit |", "| --- | --- | --- | --- | --- |"]
    rows, sections = earlier_of(earlier)
    for promise in wanted:
        if promise in rows and set(PROMISES[promise][1]) <= outcome.unfinished:
            continue  # none of its files has run yet: what was proved before stands
        before = _older(sections.get(promise, ""), rows.get(promise, ""), lines, outcome) if promise in rows else ""
        others = "".join(f"; {name}: {older[name]}" for name in PROMISES[promise][1] if name in older)
        result = f"{_result(promise, lines, outcome)} | {about.get('commit', '')}{others}"
        rows[promise] = f"| {promise} {PROMISES[promise][0]} | {result} |"
        found = _section(promise, lines, outcome) + before * bool(set(PROMISES[promise][1]) & outcome.unfinished)
        sections[promise] = f"\n## {promise} {PROMISES[promise][0]}\n{found}" if found else ""
    shown = [promise for promise in PROMISES if promise in rows]
    of_none = set(outcome.seconds).difference(*(_tests_of(promise, lines, outcome) for promise in wanted))
    reasons = _reasons(of_none, outcome) + _of_none_before(earlier, outcome)
    parts += [_marked(rows[promise], PROMISES[promise][1], reasons) for promise in shown]
    parts += [sections.get(promise, "").rstrip() for promise in shown]
    return "\n".join([*parts, *(["", OF_NONE, "", *reasons] if reasons else [])]) + "\n"


def _marked(row: str, files: Iterable[str], reasons: list[str]) -> str:
    """A row that says "held" says so of its commit: was a test of its files failing since, it points to it."""
    plain = row.replace(SINCE, "")
    failed = {_file(_named(line)) for line in reasons if line.startswith(f"- {FAILED}")}
    return plain.replace("| held |", f"| held{SINCE} |") if failed.intersection(files) else plain


def _reasons(tests: Iterable[str], outcome: Outcome) -> list[str]:
    """Why those of these tests that failed or were skipped did so."""
    kinds = ((FAILED, outcome.failed), (SKIPPED, outcome.skipped))
    return [f"- {kind} `{test}`: {some[test]}" for kind, some in kinds for test in sorted(set(tests) & set(some))]


def _older(section: str, row: str, lines: list[dict[str, Any]], outcome: Outcome) -> str:
    """What an earlier report told of a promise and this unfinished run has not told yet, with the commit it is of.

    The reasons of a file that has run now to its end are not of today.
    """
    now, commit = tuple(f"- {line['what']}: " for line in lines), row.rstrip(" |").rpartition("|")[2].strip()
    told = [line for line in section.splitlines() if line.startswith("- ") and not line.startswith(now)]
    told = [line for line in told if not (of := _named(line)) or _file(of) in outcome.unfinished]
    told = [line for line in told if _named(line) not in outcome.seconds]
    return "".join(f"\n{line}{'' if DATED.search(line) else f' [{commit}]'}" for line in told)


def _of_none_before(earlier: str, outcome: Outcome) -> list[str]:
    """What an earlier report told of no promise, and of files that have not run to their end since, with its commit."""
    ran = {_file(test) for test in outcome.seconds} - outcome.unfinished
    of = re.search(r"^- commit: (.*)$", earlier, re.MULTILINE)
    told = [line for line in earlier.partition(OF_NONE)[2].splitlines() if _file(_named(line) or ".") not in {"", *ran}]
    told = [line for line in told if _named(line) not in outcome.seconds]
    return [line if DATED.search(line) or not of else f"{line} [{of[1]}]" for line in told]


def _named(line: str) -> str:
    """The test whose reason a line of a section tells; empty when it tells figures."""
    found = re.match(rf"- (?:{re.escape(FAILED)}|{re.escape(SKIPPED)}) `([^`]+)`: ", line)
    return found[1] if found else ""


def _section(promise: str, lines: list[dict[str, Any]], outcome: Outcome) -> str:
    told = defaultdict(list)
    for line in lines:
        if line["promise"] == promise:
            told[line["what"]].append(line["figures"])
    found = []
    for what, figures in told.items():
        numbers = "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in summed(figures).items())
        found.append(f"- {what}: {numbers}")
    return "".join(f"\n{line}" for line in found + _reasons(_tests_of(promise, lines, outcome), outcome))


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
    here = _tests_of(promise, lines, outcome)
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


def _tests_of(promise: str, lines: list[dict[str, Any]], outcome: Outcome) -> list[str]:
    """The tests that tell of a promise, and those of its files that tell of no other one."""
    told = {_bare(line["test"]) for line in lines if line["promise"] == promise}
    others = {_bare(line["test"]) for line in lines} - told
    return [
        test for test in outcome.seconds
        if (_file(test) in PROMISES[promise][1] and _bare(test) not in others) or _bare(test) in told
    ]  # fmt: skip


def _bare(test: str) -> str:
    """A test without its parameters: those of one function tell of the same promise."""
    return test.partition("[")[0]


def _file(test: str) -> str:
    """`crashes` of `tests/test_crashes.py::test_a[0]`."""
    return Path(test.partition("::")[0]).stem.removeprefix("test_")


def missing(lines: list[dict[str, Any]], wanted: list[str]) -> list[str]:
    """Promises that were asked for and of which nothing was told."""
    return [promise for promise in wanted if promise not in {line["promise"] for line in lines}]

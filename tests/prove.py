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
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from proof_report import PROMISES, Outcome, missing, outcome_of, report_of

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "proof.md"
INTERRUPTED, NO_TESTS = 2, 5  # pytest's exit codes
ORDER = (
    "life", "load", "envelopes", "operators", "postgres", "disk", "recover", "mutants", "crashes", "faults", "switches",
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

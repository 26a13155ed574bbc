"""Keeps bench/README.md: each benchmark replaces its own section, with the command, the commit and the machine."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = Path(__file__).with_name("README.md")


def keep(name: str, command: str, headings: Sequence[str], rows: Sequence[Sequence[object]], *, notes: str = "") -> str:
    """Print a section `name` and put it into bench/README.md in place of the one before; returns it."""
    lines = [f"| {' | '.join(map(str, one))} |" for one in (headings, ["---"] * len(headings), *rows)]
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    about = f"`{command}`, {when}, commit {_commit()}, {machine()}"
    text = "\n".join([f"## {name}", "", about, "", *lines, *(["", notes.strip()] if notes else []), ""])
    print(text)
    known = README.read_text("utf-8")
    place = re.compile(rf"^## {re.escape(name)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    found = place.search(known)
    fresh = known[: found.start()] + text + "\n" + known[found.end() :] if found else known.rstrip() + "\n\n" + text
    README.write_text(fresh.rstrip() + "\n", "utf-8")
    return text


def machine() -> str:
    """Cores, processor architecture, Python and load; no names of machines or paths."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"load {load:.1f} at the end"
    )


def _commit() -> str:
    def git(*words: str) -> str:
        run = ["git", *words]
        return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603

    changed = " and changes" if git("status", "--porcelain", "--", "lib", "sandbox", "bench/*.py") else ""
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + changed

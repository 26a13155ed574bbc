"""Keeps bench/README.md: each benchmark replaces its own section and its own aims, with command, commit and machine."""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
README = Path(__file__).with_name("README.md")
AIMS, MISSED = "Aims", "Missed, and why"  # the second one is written by hand, and stays as it is
SECTIONS = (
    "Fixed cost of a notebook", "Extraction, limits off", "Load, limits off", "Dedupe", "Growth", "Forecast",
    "Load under faults", "Pace at the vendors' limits", "Sandbox",
)  # fmt: skip
"""Titles of the sections, in the order in which they and their aims stand in the file."""
HEADINGS = ("figure", "aim", "measured", "reached", "by")


class Aim(NamedTuple):
    """One figure to reach; `reached` is None where a figure is only told."""

    figure: str
    aim: str
    measured: str
    reached: bool | None


def keep(
    name: str, headings: Sequence[str], rows: Sequence[Sequence[object]], *, notes: str = "", aims: Iterable[Aim] = (),
    file: Path = README,
) -> str:  # fmt: skip
    """Print a section `name` and put it, with its aims, into the file in place of those before; returns it."""
    known = _sections(file.read_text("utf-8"))
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    about = f"`{command()}`, {when}, commit {_commit()}, {machine()}, load {_load():.1f} at the end"
    text = "\n\n".join([f"## {name}", about, _table(headings, rows), *([notes.strip()] if notes else [])])
    print(f"{text}\n", flush=True)
    others = [row for row in _rows(known.get(AIMS, "")) if not row[-1].endswith(f"{_link(name)}")]
    own = [(*one[:3], word(one.reached), f"`{command()}`, {_link(name)}") for one in aims]
    order = {_link(title): place for place, title in enumerate(SECTIONS)}
    found = sorted([*others, *own], key=lambda row: order.get(row[-1].rpartition(", ")[2], len(order)))
    told = f"The machine of the last run: {machine()}."
    known |= {name: text, AIMS: "\n\n".join([f"## {AIMS}", told, _table(HEADINGS, found)])}
    places = {title: place for place, title in enumerate(("", AIMS, MISSED, *SECTIONS))}
    titles = sorted(known, key=lambda title: places.get(title, len(places)))
    file.write_text("\n\n".join(known[title] for title in titles) + "\n", "utf-8")
    return text


def word(reached: bool | None) -> str:
    """How a table says whether an aim was reached."""
    return "-" if reached is None else "yes" if reached else "**missed**"


def command() -> str:
    """The command line of this process as somebody types it: the module, and the options given; no folders."""
    words = [re.sub(r"^.*/", "", one) for one in sys.argv[1:]]
    return shlex.join(["python", "-m", f"bench.{Path(sys.argv[0]).stem}", *words])


def machine() -> str:
    """Cores, processor, memory, Python; no names of machines or paths."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", told.read_text("utf-8"), re.MULTILINE) if told.exists() else None
    return found[1].strip() if found else platform.processor() or "processor not told"


def _load() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _link(title: str) -> str:
    """A link to a section, as GitHub names it."""
    return f"[{title.partition(',')[0].lower()}](#{re.sub(r'[^a-z0-9 -]', '', title.lower()).replace(' ', '-')})"


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    return "\n".join(f"| {' | '.join(map(str, one))} |" for one in (headings, ["---"] * len(headings), *rows))


def _rows(section: str) -> list[tuple[str, ...]]:
    """The rows of the table in a section."""
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [tuple(line.removeprefix("| ").removesuffix(" |").split(" | ")) for line in lines[2:]]


def _sections(text: str) -> dict[str, str]:
    """{title: text} of a file, in its order; "" is what stands above the first one."""
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    return {(part.split("\n", 1)[0].removeprefix("## ") if place else ""): part.strip()
            for place, part in enumerate(parts)}  # fmt: skip


def _commit() -> str:
    def git(*words: str) -> str:
        run = ["git", *words]
        return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603

    changed = " and changes" if git("status", "--porcelain", "--", "lib", "sandbox", "bench/*.py") else ""
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + changed

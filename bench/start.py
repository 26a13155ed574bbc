"""``python -m bench.start``: what a notebook costs before it has done anything: interpreter, kernel, imports.

Processor seconds of a process of its own, the least of several runs; ratios are to pandas alone, which no notebook can
do without.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from bench.table import Aim, keep

ROOT = Path(__file__).resolve().parents[1]


def imports_of(notebook: Path) -> str:
    """The import lines of a notebook's cells, in order."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    lines = [line.strip() for one in cells if one["cell_type"] == "code" for line in one["source"]]
    return "\n".join(line for line in lines if line.startswith(("import ", "from ")))


def seconds(code: str, times: int) -> float:
    """Processor seconds of `python -c code`, the least of so many runs."""
    least = float("inf")
    for _ in range(times):
        before = os.times()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
        after = os.times()
        used = after.children_user - before.children_user + after.children_system - before.children_system
        least = min(least, used)
    return least


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    args = parser.parse_args()
    kernel = "import ipykernel.kernelapp, IPython"
    codes = {"Python": "pass", "pandas": "import pandas", "a kernel": kernel}
    codes |= {path.stem: f"{kernel}\n{imports_of(path)}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    codes |= {
        "with Great Expectations (where a suite runs)": f"{kernel}\nfrom lib import checks, report, steps\n"
        "import great_expectations",
        "`workbook --help`": "import sys; sys.argv = ['workbook', '--help']; from lib.cli import main; main()",
    }
    found = {name: seconds(code, args.times) for name, code in codes.items()}
    rows = [(name, f"{used:.2f}", f"{used / found['pandas']:.1f}") for name, used in found.items()]
    six = [used for name, used in found.items() if name[:2].isdigit()]
    told = f"{min(six):.2f} to {max(six):.2f} processor s"
    aim = Aim(f"fixed cost of each of the {len(six)} notebooks", "told", told, None)
    keep("Fixed cost of a notebook", ("what", "processor s", "of pandas alone"), rows, aims=[aim])


if __name__ == "__main__":
    main()

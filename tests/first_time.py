"""Somebody who has never seen the project: from `workbook new --sandbox` to a dry run, in JupyterLab alone.

    python tests/first_time.py [FOLDER] [PEOPLE]     in a real browser; keeps pictures in FOLDER, prints what it took

The browser does what that person would do: sets the customer's name in the first cell of each notebook, runs all cells,
reads what is open, accepts in the grid what is sure, decides the other rows one by one, and runs again. Each action is
counted. The minutes are those of a person by the figures below, which are assumptions, and those of the machine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from browser import chromium
from in_lab import KERNEL, ROOT, WIDGET, errors, opened, run_all, running_lab, show

from lib import decisions, service
from lib.steps.signing import unsigned

CUSTOMER = "new"
STEPS = ("01_audit", "02_extract", "03_dedupe", "04_map", "05_load")
ROUNDS = 4  # of one notebook: run, decide, run again
SECONDS = {"read a notebook": 120.0, "click": 3.0, "type": 8.0, "glance at a row": 4.0, "decide a row": 15.0}
"""Of a person, for each kind of action. A row is glanced at where its proposal is taken together with others."""
SURE = {"people": 0.95, "losses": 0.0}
"""From which confidence on that person takes the proposals of a table without looking at each row; else: medium."""
MEDIUM = 0.7
WRITE = re.compile(
    r"ashby\..*\.(create|update|set|add|submit|upload|change|transfer|remove|delete|archive|anonymize)\w*"
)


@dataclass
class Found:
    """What came of it: the headline of the dry run, what failed, and what a person had to do."""

    actions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SECONDS, 0))
    rounds: dict[str, int] = field(default_factory=dict)
    stops: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    headline: str = ""
    n_writes: int = -1
    n_open: int = -1
    machine_s: float = 0.0

    @property
    def minutes_of_a_person(self) -> float:
        """By the assumed seconds of each kind of action; the time in which the machine worked comes on top."""
        return sum(n * SECONDS[name] for name, n in self.actions.items()) / 60


def drive(folder: Path, *, n_people: int = 0, pictures: Path | None = None) -> Found:
    """Do all of it; the customer's home is `folder`, its company of so many people (0: as the command makes it)."""
    _new_customer(folder, n_people)
    try:
        with running_lab(folder) as (url, token), chromium() as browser:
            found = Found()
            for step in STEPS:
                name = f"{step}.ipynb"
                address = f"{url}/workspaces/{step}/tree/notebooks/{name}?token={token}"
                with opened(browser, address, name) as page:
                    _Notebook(page, step, folder, found, pictures).work()
                if found.errors:
                    break
        _look(folder, found)
        return found
    finally:
        service.stop(folder / "runs" / CUSTOMER)


def _new_customer(folder: Path, n_people: int) -> None:
    command = [sys.executable, "-m", "lib.cli", "new", CUSTOMER, "--sandbox"]
    environment = os.environ | {"WORKBOOK_HOME": str(folder), "PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
    params = folder / "params" / f"{CUSTOMER}.yaml"
    if n_people:
        text, n = re.subn(r'"--people", "\d+"', f'"--people", "{n_people}"', params.read_text("utf-8"))
        assert n == 1
        params.write_text(text, "utf-8")


def _look(folder: Path, found: Found) -> None:
    """What stands in the files and in the sandbox afterwards."""
    tables = decisions.read_all(folder / "params" / CUSTOMER).values()
    found.n_open = sum(
        len(list(unsigned(one))) if one.name == "losses" else len(one.open_rows())
        for one in tables
        if one.name != "overrides"
    )
    running = service.running(folder / "runs" / CUSTOMER)
    assert running is not None
    with urllib.request.urlopen(f"{running.url('control_url')}/calls", timeout=60) as answer:
        calls = json.load(answer)["by_endpoint"]
    found.n_writes = sum(n for name, n in calls.items() if WRITE.fullmatch(name))


@dataclass
class _Notebook:
    """One notebook in the hands of that person."""

    page: Any
    step: str
    folder: Path
    found: Found
    pictures: Path | None

    def work(self) -> None:
        """Name the customer; run; where it stops at a decision, decide and run again."""
        self._name_the_customer()
        self._did("read a notebook")
        for number in range(1, ROUNDS + 1):
            began = time.monotonic()
            self._did("click", 2)
            shown = run_all(self.page)
            self.found.machine_s += time.monotonic() - began
            self.found.rounds[self.step] = number
            wrong = errors(shown)
            self._picture(f"{number}-{'stopped' if wrong else 'done'}")
            if not wrong:
                self._headline(shown)
                return
            self.found.stops += [f"{self.step} {number}: {one}" for one in wrong if "not run" not in one]
            if not any("GateError" in one for one in wrong) or not self._decide(shown):
                break
        self.found.errors = wrong

    def _name_the_customer(self) -> None:
        """Into the first cell of code, by hand."""
        cell = self.page.locator(".jp-CodeCell .cm-content").first
        cell.click()
        text = cell.inner_text()
        assert 'customer: str = "demo"' in text
        self.page.evaluate(
            f"""() => {{
                const cells = {WIDGET}.content.model.sharedModel.cells;
                const cell = cells.find(one => one.getSource().includes('customer: str = "demo"'));
                cell.setSource(cell.getSource().replace('"demo"', '"{CUSTOMER}"'));
            }}"""
        )
        self._did("type")

    def _headline(self, shown: dict[str, Any]) -> None:
        for cell in shown["cells"]:
            if cell.get("id") == "load-headline":
                self.found.headline = json.dumps(cell["outputs"])

    # ---- the grid ----------------------------------------------------------------------------------------------------
    def _decide(self, shown: dict[str, Any]) -> bool:
        """All open rows of all tables that the grids of this notebook show; whether anything was decided."""
        before = sum(self.found.actions.values())
        for source in ("steps.edit(book, tables", "steps.edit(book, {"):
            if any(source in one["source"] and one["outputs"] for one in shown["cells"] if "outputs" in one):
                show(self.page, source, shown)
                grid = self.page.locator(".jp-Cell.jp-mod-active .jp-OutputArea-output .widget-vbox").first
                grid.wait_for(timeout=30_000)
                self._grid(grid)
        return sum(self.found.actions.values()) > before

    def _grid(self, grid: Any) -> None:
        chosen = grid.locator("select").first
        for label in chosen.locator("option").all_text_contents():
            name, n_open = label.partition(":")[0], int(label.partition(":")[2].split()[0])
            if not n_open:
                continue
            chosen.select_option(index=self._place(chosen, name))
            self._did("click", 2)
            for sure in sorted({0.95, SURE.get(name, MEDIUM)}, reverse=True):
                self._accept(grid, sure, n_open=self._n_open(chosen, name))
            self._picture(f"grid-{name}")
            self._one_by_one(grid, chosen, name)

    def _place(self, chosen: Any, name: str) -> int:
        labels = chosen.locator("option").all_text_contents()
        return next(n for n, one in enumerate(labels) if one.startswith(f"{name}:"))

    def _n_open(self, chosen: Any, name: str) -> int:
        label = chosen.locator("option").all_text_contents()[self._place(chosen, name)]
        return int(label.partition(":")[2].split()[0])

    def _accept(self, grid: Any, sure: float, *, n_open: int) -> None:
        """What is less sure than the grid asks for by itself is looked at row by row before."""
        if not n_open:
            return
        self._did("glance at a row", n_open if sure != 0.95 else 0)
        box = grid.locator("input[type=number]").first
        box.fill(str(sure))
        box.press("Tab")
        self._did("type", 1 if sure != 0.95 else 0)
        before = self._told(grid)
        grid.get_by_role("button", name="accept open proposals").click()
        self._did("click")
        for _ in range(20):  # on a slow machine the kernel's word comes late
            if self._told(grid) != before:
                break

    def _told(self, grid: Any) -> str:
        """What the grid says of what it wrote, once the kernel has answered."""
        for _ in range(2):  # what a message sets off may be a message again
            self.page.wait_for_timeout(400)
            self.page.wait_for_function(f"{KERNEL} === 'idle'", timeout=60_000)
        return grid.locator(".widget-html-content").first.inner_text()

    def _one_by_one(self, grid: Any, chosen: Any, name: str) -> None:
        """Rows that are left: what is proposed, where something is, else the first value that Ashby has."""
        for _ in range(20):
            if not self._n_open(chosen, name):
                return
            for state in (False, True):  # the list begins anew with what is still open
                grid.locator("input[type=checkbox]").first.set_checked(state)
                self._told(grid)
            for cell in grid.locator(".widget-gridbox").first.locator("input, select").element_handles():
                self._cell(cell)
            self._told(grid)

    def _cell(self, cell: Any) -> None:
        if cell.evaluate("one => one.tagName") == "SELECT":
            if cell.input_value() == "":
                cell.select_option(index=1)
                self._did("decide a row")
            return
        if cell.input_value():
            return
        value = cell.get_attribute("placeholder") or ""
        if not value:
            value = cell.evaluate("one => one.list && one.list.options.length ? one.list.options[0].value : ''")
        if value:
            cell.fill(value)
            cell.press("Tab")
            self._did("decide a row")

    # ---- what it took ------------------------------------------------------------------------------------------------
    def _did(self, what: str, n: int = 1) -> None:
        self.found.actions[what] += n

    def _picture(self, name: str) -> None:
        if self.pictures is not None:
            self.page.screenshot(path=str(self.pictures / f"{self.step}-{name}.png"))


def main(words: list[str]) -> int:
    """Print what it took; 1 when it did not come to a dry run, when anything was written, or is still open."""
    pictures = Path(words[0] if words else tempfile.mkdtemp(prefix="first-time-"))
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        found = drive(Path(home), n_people=int(words[1]) if len(words) > 1 else 0, pictures=pictures)
    for name, n in found.actions.items():
        print(f"{name:<20}{n:>6}  at {SECONDS[name]:g} s")
    print(f"machine             {found.machine_s:>6.0f}  s")
    print(f"rounds: {', '.join(f'{name} {n}' for name, n in found.rounds.items())}")
    print(f"{found.minutes_of_a_person:.0f} minutes of a person")
    print(f"writes to Ashby: {found.n_writes}; open decisions: {found.n_open}")
    print(f"pictures: {pictures}")
    for one in [*found.stops, *found.errors]:
        print(one)
    return 1 if found.errors or not found.headline or found.n_writes or found.n_open else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

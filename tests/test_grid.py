"""The grid in which an analyst decides: what is chosen stands in the file at once, and what others wrote stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest
from conftest import Sandbox

from lib import decisions, steps
from lib.decisions import DecisionTable
from lib.grid import PAGE, Grid
from lib.mapping.choices import WORDS, choices
from lib.steps.editing import HEADLESS
from lib.steps.signing import unsigned
from lib.store.reading import Reading
from lib.workbook import Workbook

COLUMNS = [*decisions.FIRST, *decisions.LAST]


def row(number: int, **more: Any) -> dict[str, str]:
    known = {"id": f"r-{number}", "label": f"Row {number}", "proposal": "Phone", "confidence": "0.50", "n_records": "3"}
    return dict.fromkeys(COLUMNS, "") | known | {key: str(value) for key, value in more.items()}


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, DecisionTable]:
    """A long table with three sure proposals, and a short one that is decided."""
    rows = [row(n, confidence="0.97" if n in (2, 4, 30) else f"0.{n + 10}", n_records=n) for n in range(1, 46)]
    rows[3] |= {"verdict": "Onsite"}
    made = {
        "stages": DecisionTable("stages", tmp_path / "acme" / "stages.csv", rows, COLUMNS),
        "tags": DecisionTable("tags", tmp_path / "acme" / "tags.csv", [row(1, verdict="keep")], COLUMNS),
    }
    for one in made.values():
        one.write()
    return made


@pytest.fixture
def grid(tables: dict[str, DecisionTable]) -> Grid:
    return Grid(tables, choices=lambda table, row, column: [("Phone", "Phone"), ("Onsite", "Onsite")])


def cells(grid: Grid) -> list[Any]:
    """The cells of the page that take a verdict."""
    found = [one for box in grid.rows.children for one in getattr(box, "children", ())]
    return [one for one in found if isinstance(one, widgets.Combobox | widgets.Dropdown)]


def texts(grid: Grid) -> str:
    return " ".join(one.value for box in grid.rows.children for one in getattr(box, "children", (box,)))


def verdicts(table: DecisionTable) -> dict[str, str]:
    return {one["id"]: one["verdict"] for one in decisions.read(table.path).rows if one["verdict"]}


# ---- what is shown ---------------------------------------------------------------------------------------------------
def test_open_rows_come_first_the_least_sure_at_the_top_in_pages(grid: Grid) -> None:
    assert [shown for shown, _ in grid.table.options] == ["stages: 44 open of 45", "tags: 0 open of 1"]
    assert [one["id"] for one in grid.shown()[:2]] == ["r-1", "r-3"]
    assert len(cells(grid)) == PAGE
    assert grid.place.value == f"1-{PAGE} of 44"
    grid.on.click()
    grid.on.click()
    grid.on.click()
    assert (len(cells(grid)), grid.place.value) == (4, "41-44 of 44")
    grid.back.click()
    assert grid.place.value == "21-40 of 44"
    grid.search.value = "PHONE r-30"
    assert [one["id"] for one in grid.shown()] == ["r-30"]
    grid.search.value = ""
    grid.only_open.value = False
    assert "45" in grid.place.value
    grid.table.value = "tags"
    assert [cell.value for cell in cells(grid)] == ["keep"]
    grid.only_open.value = True
    assert "Nothing to show." in texts(grid)


def test_text_of_a_row_is_text_and_no_markup(tmp_path: Path) -> None:
    hostile = '<img src=x onerror="alert(1)">'
    table = DecisionTable("tags", tmp_path / "tags.csv", [row(1, label=hostile, reason=hostile)], COLUMNS)
    table.write()
    shown = Grid({"tags": table}, choices=lambda *_: [], about={"r-1": hostile})
    assert "<img" not in texts(shown)
    assert texts(shown).count("&lt;img") == 2


def test_what_else_the_file_says_of_a_row_stands_below_its_label(tmp_path: Path) -> None:
    """Two stages of one name are told apart by their plan; verdicts and proposals have columns of their own."""
    more = {
        "plan": "Standard <b>",
        "pipeline": "",
        "team_verdict": "x",
        "team_proposal": "Platform",
        "options": "a" * 200,
    }
    table = DecisionTable("stages", tmp_path / "stages.csv", [row(1) | more], [*COLUMNS, *more])
    table.write()
    shown = texts(Grid({"stages": table}, choices=lambda *_: []))
    assert "Row 1<br><small>plan: Standard &lt;b&gt;, options: aaa" in shown
    assert "a…</small>" in shown
    assert "Platform" not in shown


def test_the_table_with_most_work_comes_first_and_words_are_numbers(tmp_path: Path) -> None:
    few = DecisionTable("tags", tmp_path / "tags.csv", [row(1)], COLUMNS)
    words = ("high", "low", "medium", "0.94", "", "odd")
    many = DecisionTable("users", tmp_path / "users.csv", [row(n, confidence=w) for n, w in enumerate(words)], COLUMNS)
    few.write()
    many.write()
    shown = Grid({"tags": few, "users": many}, choices=lambda *_: [])
    assert shown.table.value == "users"
    assert [one["confidence"] for one in shown.shown()] == ["", "odd", "low", "medium", "0.94", "high"]
    shown.accept.click()
    assert verdicts(many) == {"r-0": "Phone"}


def test_a_loss_that_is_signed_for_fewer_records_is_open(tmp_path: Path) -> None:
    rows = [row(1, verdict="2", proposal=3), row(2, verdict="3"), row(3, verdict="any")]
    table = DecisionTable("losses", tmp_path / "losses.csv", rows, COLUMNS)
    table.write()
    shown = Grid({"losses": table}, choices=lambda *_: [], opened={"losses": unsigned})
    assert [one["id"] for one in shown.shown()] == ["r-1"]
    shown.sure.value = 0
    shown.accept.click()
    assert verdicts(table) == {"r-1": "3", "r-2": "3", "r-3": "any"}
    assert "0 rows of this table are open" in shown.told.value


# ---- what is written -------------------------------------------------------------------------------------------------
def test_what_is_chosen_stands_in_the_file_at_once(grid: Grid, tables: dict[str, DecisionTable]) -> None:
    cells(grid)[0].value = "Onsite"
    assert verdicts(tables["stages"])["r-1"] == "Onsite"
    assert "params/acme/stages.csv:2. 43 rows of this table are open." in grid.told.value
    assert dict(grid.table.options)["stages: 43 open of 45"] == "stages"
    assert grid.place.value == f"1-{PAGE} of 44"  # the page stays as it is: the next row is where it was
    cells(grid)[1].value = " Something of my own "
    assert verdicts(tables["stages"])["r-3"] == "Something of my own"


def test_what_somebody_else_writes_meanwhile_is_kept(grid: Grid, tables: dict[str, DecisionTable]) -> None:
    path = tables["stages"].path
    path.write_text("\ufeff" + path.read_text().replace("r-9,Row 9,Phone,,0.19,9,", "r-9,Row 9,Phone,,0.19,9,Phone"))
    cells(grid)[0].value = "Onsite"
    assert verdicts(tables["stages"]) == {"r-1": "Onsite", "r-4": "Onsite", "r-9": "Phone"}


def test_all_that_is_sure_is_accepted_on_all_pages_and_nothing_else(
    grid: Grid, tables: dict[str, DecisionTable]
) -> None:
    """A verdict that is given stays, though a sure proposal says otherwise."""
    grid.accept.click()
    assert verdicts(tables["stages"]) == {"r-2": "Phone", "r-4": "Onsite", "r-30": "Phone"}
    assert "stages.csv, 2 rows" in grid.told.value
    grid.search.value = "r-44"
    grid.sure.value = 0.0
    grid.accept.click()
    assert verdicts(tables["stages"]).keys() == {"r-2", "r-4", "r-30", "r-44"}


def test_a_file_that_cannot_be_read_or_lacks_the_row_is_told(grid: Grid, tables: dict[str, DecisionTable]) -> None:
    path = tables["stages"].path
    whole = path.read_text()
    path.write_text(whole + "r-1,again,,,,1,\n")
    cells(grid)[0].value = "Onsite"
    assert "stages.csv:47: the id of line 2 stands here again." in grid.told.value
    assert path.read_text().endswith("r-1,again,,,,1,\n")
    path.write_text("\n".join(line for line in whole.splitlines() if not line.startswith("r-1,")) + "\n")
    cells(grid)[0].value = "Phone"
    assert "1 row is not in the file any more: run this cell again." in grid.told.value


# ---- what may be chosen ----------------------------------------------------------------------------------------------
def test_every_choice_of_every_table_is_taken_by_the_next_step(mapped: Workbook, sandbox: Sandbox) -> None:
    """Whatever the lists offer is a verdict that the mapping knows: each row of each table in turn gets another one."""
    offered, tables = choices(Reading(mapped.store)), steps.propose(mapped)
    assert set(tables) | {"people", "losses", "refusals"} == set(WORDS)
    n_choices = 0
    for turn in (0, -1):
        for name, table in tables.items():
            rows = []
            for one in table.rows:
                found = [written for _, written in offered(name, one, "verdict")]
                n_choices += len(found)
                assert found, name
                changed = one | {"verdict": found[turn]} if found[turn] not in ("new", "hired") else dict(one)
                for column in [column for column in one if column.endswith("_verdict")]:
                    more = offered(name, one, column)
                    changed |= {column: more[turn][1]} if more and name != "postings" else {}
                rows.append(changed)
            DecisionTable(name, table.path, rows, table.columns).write()
        steps.propose(mapped)  # a posting on another plan has other stages
        for _ in range(2):  # another feedback form has other fields, and another field other values
            for one in steps.propose(mapped).values():
                filled = [
                    row | {"verdict": row["verdict"] or offered(one.name, row, "verdict")[turn][1]} for row in one.rows
                ]
                DecisionTable(one.name, one.path, filled, one.columns).write()
        assert steps.map(mapped).plan_hash
    assert n_choices > 200


def test_names_that_two_have_are_written_as_ids(mapped: Workbook) -> None:
    class Twins:
        def ashby(self, kind: str) -> Iterator[dict[str, Any]]:
            both = [{"id": "s-1", "title": "Fair"}, {"id": "s-2", "title": "fair"}, {"id": "s-3", "title": "Web"},
                    {"id": "s-4", "title": "Old", "isArchived": True}]  # fmt: skip
            return iter(both if kind == "sources" else [])

    found = choices(Twins())("sources", row(1), "verdict")  # type: ignore[arg-type]
    assert found == [("none", "none"), ("Fair (s-1)", "s-1"), ("fair (s-2)", "s-2"), ("Web", "Web")]


def test_users_are_chosen_by_name_and_written_as_ids(mapped: Workbook) -> None:
    tables = {"users": mapped.table("users")}
    shown = Grid(tables, choices=choices(Reading(mapped.store)))
    shown.only_open.value = False
    cell = cells(shown)[0]
    assert isinstance(cell, widgets.Dropdown)
    label, written = next(one for one in cell.options if "@" in one[0] and one[1] != cell.value)
    cell.value = written
    assert (
        written in decisions.read(tables["users"].path).rows[0]["verdict"]
        or written in verdicts(tables["users"]).values()
    )
    assert "@" not in tables["users"].path.read_text()
    assert label.count("<") == 1


# ---- where it is shown -----------------------------------------------------------------------------------------------
def test_without_anybody_who_looks_there_is_no_grid(mapped: Workbook, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {"tags": mapped.table("tags")}
    assert steps.edit(mapped, tables) is not None
    assert steps.edit(mapped, {}) is None
    assert steps.edit(mapped, {"losses": mapped.table("losses")}) is None  # not written yet
    monkeypatch.setenv(HEADLESS, "1")
    assert steps.edit(mapped, tables) is None


def test_who_a_pair_is_about_is_told_of_both_sides(mapped: Workbook) -> None:
    result = steps.dedupe(mapped)
    told = steps.who(mapped, result.contacts, result.table)
    assert told.keys() == {row["id"] for row in result.table.rows}
    assert all(" / " in text for text in told.values())
    names = set(result.contacts["name"])
    assert all(text.partition(",")[0] in names for text in told.values())
    ashby = [row["id"] for row in result.table.rows if row["label"] == "ashby"]
    assert ashby
    assert all("(in Ashby)" in told[one] for one in ashby)


def test_accepting_leaves_alone_what_was_decided_in_the_file_meanwhile(
    grid: Grid, tables: dict[str, DecisionTable]
) -> None:
    """Somebody wrote a verdict into the spreadsheet after the grid was opened: a click must not turn it round."""
    table = decisions.read(tables["stages"].path)
    changed = [one | {"verdict": "Onsite"} if one["id"] == "r-2" else one for one in table.rows]
    DecisionTable("stages", table.path, changed, table.columns).write()
    grid.accept.click()
    assert verdicts(tables["stages"]) == {"r-2": "Onsite", "r-4": "Onsite", "r-30": "Phone"}
    assert "1 rows were decided, or proposed otherwise, meanwhile" in grid.told.value


def test_accepting_leaves_alone_what_is_proposed_otherwise_by_now(grid: Grid, tables: dict[str, DecisionTable]) -> None:
    """04_map ran again meanwhile: nobody has seen the new proposal."""
    table = decisions.read(tables["stages"].path)
    changed = [one | {"proposal": "Hired"} if one["id"] == "r-2" else one for one in table.rows]
    DecisionTable("stages", table.path, changed, table.columns).write()
    grid.accept.click()
    assert verdicts(tables["stages"]) == {"r-4": "Onsite", "r-30": "Phone"}


def test_an_accepted_new_job_takes_its_team_location_and_plan(tmp_path: Path) -> None:
    """As `=` in the file does: without them 04_map would stop."""
    columns = [*decisions.FIRST, "team", "team_verdict", *decisions.LAST]
    posting = row(1, proposal="new", confidence="0.99", team="Engineering") | {"team_verdict": ""}
    postings = DecisionTable("postings", tmp_path / "acme" / "postings.csv", [posting], columns)
    postings.write()
    Grid({"postings": postings}, choices=lambda *_: []).accept.click()
    written = decisions.read(postings.path).rows[0]
    assert (written["verdict"], written["team_verdict"]) == ("new", "Engineering")

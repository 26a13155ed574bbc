"""The frame of the six notebooks, and that what they show can be shared."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from lib.workbook import STEPS

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NAMES = [f"{number:02d}_{step}" for number, step in enumerate(STEPS, 1)]
FRAME = ("parameters", "open", "compute", "headline", "gate", "save")
ALLOWED = {"lib", "lib.workbook", "lib.store.ledger", "pandas"}
OUR_STEPS = {
    "audit",
    "audit_gate",
    "extract",
    "dedupe",
    "edit",
    "losses_gate",
    "people_gate",
    "who",
    "files_gate",
    "gone_gate",
    "groups",
    "sides",
    "quiet_gate",
    "unread_gate",
    "propose",
    "map",
    "load",
    "validate",
    "users",
    "plan_rows",
}


def notebook(name: str) -> nbformat.NotebookNode:
    """One notebook as it stands in the repository."""
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_cells(name: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook(name).cells if cell.cell_type == "code"]


def words(name: str) -> list[str]:
    """The words of the code cells' ids, without the step."""
    return [cell.id.partition("-")[2] for cell in code_cells(name)]


def test_there_is_one_notebook_per_step_and_no_other() -> None:
    """Their names tell the order."""
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_frame_is_the_same_in_all(name: str) -> None:
    """Title, parameters, open, compute, headline, evidence, decisions, gate, save, next: in this order."""
    cells, found = notebook(name).cells, words(name)
    assert cells[0].source.startswith("# ")
    assert [word for word in found if word in FRAME] == list(FRAME)
    assert found[:2] == ["parameters", "open"]
    assert found[-2:] == ["gate", "save"]
    assert "decisions" in found
    assert cells[-1].cell_type == "markdown"
    assert cells[-1].id.endswith("-next")
    following = NAMES[NAMES.index(name) + 1] if name != NAMES[-1] else "workbook report"
    assert f"`{following}`" in cells[-1].source


@pytest.mark.parametrize("name", NAMES)
def test_the_first_screen_says_what_a_run_means(name: str) -> None:
    """What it reads, what it writes, whether it may be run again, how long it takes."""
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", notebook(name).cells[0].source, re.M)
    assert [label for label, _ in rows] == ["Reads", "Writes", "Run again", "Takes"]
    assert rows[2][1].startswith("safe at any time")


@pytest.mark.parametrize("name", NAMES)
def test_a_question_stands_before_each_code_cell(name: str) -> None:
    """In Markdown, with a question mark in its heading."""
    cells = notebook(name).cells
    for before, cell in itertools.pairwise(cells):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown", cell.id
            assert re.match(r"## .+\?$", before.source.split("\n")[0]), cell.id


@pytest.mark.parametrize("name", NAMES)
def test_words_never_state_a_number(name: str) -> None:
    """Numbers differ per customer; only names of files in code marks may hold digits."""
    for cell in notebook(name).cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"\d", re.sub(r"`[^`]*`", "", cell.source)), cell.id


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_few_and_short(name: str) -> None:
    """Eight to fourteen code cells, at most eight lines each."""
    cells = code_cells(name)
    assert 8 <= len(cells) <= 14
    assert [cell.id for cell in cells if len(cell.source.splitlines()) > 8] == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_programmed_in_a_notebook(name: str) -> None:
    """No def, class, loop or try; imports stand in the open cell, and only of what a notebook may use."""
    forbidden = (
        ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.For | ast.While | ast.Try | ast.TryStar | ast.With
        | ast.comprehension
    )  # fmt: skip
    for cell in code_cells(name):
        nodes = list(ast.walk(ast.parse(cell.source)))
        assert [node for node in nodes if isinstance(node, forbidden)] == [], cell.id
        imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        modules = {one.name for node in imports if isinstance(node, ast.Import) for one in node.names}
        modules |= {str(node.module) for node in imports if isinstance(node, ast.ImportFrom)}
        assert not modules or cell.id.endswith("-open"), cell.id
        assert modules <= ALLOWED, cell.id


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_calls_its_own_step_only(name: str) -> None:
    """Its compute cell calls the step that it is named after; no cell calls the step of another notebook."""
    own = name[3:]
    compute = next(cell for cell in code_cells(name) if cell.id == f"{own}-compute")
    assert re.match(rf"result = steps\.{own}\(book\b", compute.source)
    called = {found for cell in code_cells(name) for found in re.findall(r"\bsteps\.(\w+)", cell.source)}
    own_too = {
        "audit": {"audit_gate"}, "extract": {"files_gate", "gone_gate", "quiet_gate", "unread_gate"},
        "dedupe": {"people_gate", "edit", "groups", "sides", "who"}, "map": {"propose", "losses_gate", "edit", "users"},
        "load": {"plan_rows"},
    }  # fmt: skip
    assert called == {own} | own_too.get(own, set())
    assert called <= OUR_STEPS


@pytest.mark.parametrize("name", NAMES)
def test_each_table_and_picture_of_a_cell_is_shown(name: str) -> None:
    """Jupyter shows the last value of a cell: what comes before it must be displayed by name."""
    for cell in code_cells(name):
        for statement in ast.parse(cell.source).body[:-1]:
            text = ast.unparse(statement)
            assert not re.match(r"report\.(table|bars|figure|forecast|funnel|lines)", text), (cell.id, text)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_plain_annotated_and_explained(name: str) -> None:
    """papermill keeps every parameter in clear: so there is the customer's name, and for the load a few switches."""
    (cell,) = [cell for cell in code_cells(name) if "parameters" in cell.metadata.get("tags", [])]
    lines = cell.source.splitlines()
    assert lines[0] == 'customer: str = "demo"  # whose params file'
    rest = [
        "execute: bool = None  # True writes to Ashby, False does not, None: as the params file says",
        "sample: int = 0  # load only so many people; zero means all",
        "retry_refused: bool = False  # send again what Ashby has refused",
    ]
    told = "list all opportunities once more, read the child lists of active and lately archived ones"
    every = "reread_all: bool = False  # the same, and read the child lists of every candidacy"
    reread = [f"reread: bool = False  # {told}", every]
    assert lines[1:] == {"05_load": rest, "02_extract": reread}.get(name, [])


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_are_stored_without_outputs_and_with_readable_ids(name: str) -> None:
    """So that a change of one cell is a change of one cell."""
    found = notebook(name)
    nbformat.validate(found)
    step = name[3:]
    ids = [cell.id for cell in found.cells]
    assert len(ids) == len(set(ids))
    assert [one for one in ids if not re.fullmatch(rf"{step}-[a-z]+(-question)?", one)] == []
    assert [cell.id for cell in code_cells(name) if cell.outputs or cell.execution_count is not None] == []
    assert found.metadata.kernelspec.name == "python3"
    assert set(found.metadata) == {"kernelspec", "language_info"}


@pytest.mark.parametrize("name", NAMES)
def test_only_private_cells_show_tables_without_mask(name: str) -> None:
    """Names and addresses are for the operator; the report leaves the cell out."""
    for cell in code_cells(name):
        assert ("mask=False" in cell.source) == ("private" in cell.metadata.get("tags", [])), cell.id


@pytest.mark.parametrize("name", NAMES)
def test_the_gate_shows_its_result_and_then_raises(name: str) -> None:
    """Every gate goes through report.gate."""
    (cell,) = [cell for cell in code_cells(name) if cell.id.endswith("-gate")]
    assert cell.source.splitlines()[-1].startswith("report.gate(")


@pytest.mark.parametrize("name", NAMES)
def test_the_store_is_closed_at_the_end(name: str) -> None:
    """Kernels of JupyterLab live long; connections need not."""
    assert code_cells(name)[-1].source.startswith("book.close()\n")


def test_a_kernel_imports_only_what_every_notebook_needs() -> None:
    """Great Expectations, nbconvert and papermill cost seconds each: they come where they are used, or not at all."""
    code = "import sys; from lib import checks, report, steps; print(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=FOLDER.parent, capture_output=True, text=True, check=True)
    slow = {"great_expectations", "nbconvert", "papermill", "nbclient", "jsonschema", "typer", "uvicorn"}
    assert slow & set(run.stdout.split()) == set()

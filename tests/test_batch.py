"""Headless runs: what is run, with which parameters, and how a failing cell comes out."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lib import batch, errors
from lib.errors import ConfigError, GateError, StoreError, WorkbookError


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one tiny notebook in the place of 01_audit."""
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path))
    monkeypatch.setattr(batch, "notebook_of", lambda step: tmp_path / "01_audit.ipynb")
    return tmp_path


def notebook(stage: Path, code: str) -> None:
    parameters = new_code_cell('customer: str = "demo"\nexecute: bool = False', metadata={"tags": ["parameters"]})
    book = new_notebook(cells=[new_markdown_cell("# a"), parameters, new_code_cell(code)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, stage / "01_audit.ipynb")


def test_steps_are_taken_in_order_and_both_ends_count() -> None:
    assert batch.between("extract", "map") == ["extract", "dedupe", "map"]
    assert batch.between("load", "load") == ["load"]
    with pytest.raises(ConfigError, match="comes after"):
        batch.between("load", "map")
    with pytest.raises(ConfigError, match="not a step"):
        batch.between("audit", "lode")


def test_a_notebook_runs_with_its_parameters_and_leaves_a_private_record(stage: Path) -> None:
    notebook(stage, "print(customer, execute)")
    before = (stage / "01_audit.ipynb").read_bytes()
    done = batch.run_step("acme", "audit", parameters={"customer": "acme", "execute": True})
    out = json.loads(done.path.read_text("utf-8"))
    assert any("acme True" in str(cell.get("outputs")) for cell in out["cells"])
    assert done.path.stat().st_mode & 0o077 == 0
    assert (stage / "01_audit.ipynb").read_bytes() == before


def test_each_kernel_is_reached_over_sockets_of_its_own(stage: Path) -> None:
    notebook(stage, "from ipykernel.connect import get_connection_info\nprint(get_connection_info())")
    seen = set()
    for customer in ("acme", "other"):
        done = batch.run_step(customer, "audit", parameters={"customer": customer})
        cells = json.loads(done.path.read_text("utf-8"))["cells"]
        text = "".join(line for cell in cells for out in cell.get("outputs", []) for line in out["text"])
        told = json.loads(text)
        assert told["transport"] == "ipc"
        assert Path(told["ip"]).is_absolute(), "a name without a folder is shared by all kernels started there"
        assert not Path(told["ip"]).parent.exists(), "the folder ends with its kernel"
        seen.add(told["ip"])
    assert len(seen) == 2


def test_sockets_lie_where_their_names_fit(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = stage / ("d" * 120)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    notebook(stage, "print(customer)")
    assert batch.run_step("acme", "audit", parameters={"customer": "acme"}).path.exists()


def test_a_mistyped_parameter_is_an_error_and_not_a_warning(stage: Path) -> None:
    notebook(stage, "1")
    with pytest.raises(ConfigError, match="executed"):
        batch.run_step("acme", "audit", parameters={"customer": "acme", "executed": True})


def test_a_red_gate_comes_out_as_a_gate_error_with_its_message(stage: Path) -> None:
    notebook(stage, "from lib.errors import GateError\nraise GateError('three reds', hint='look')")
    with pytest.raises(GateError, match="three reds look") as caught:
        batch.run_step("acme", "audit", parameters={"customer": "acme"})
    assert caught.value.exit_code == 3
    assert "01_audit.ipynb" in str(caught.value)
    cells = json.loads((stage / "runs" / "acme" / "notebooks" / "01_audit.ipynb").read_text("utf-8"))["cells"]
    shown = [one["traceback"] for cell in cells for one in cell.get("outputs", []) if one["output_type"] == "error"]
    assert shown == [["GateError: three reds look"]]


def test_any_other_error_is_a_bug_of_ours_and_its_text_is_not_repeated(stage: Path) -> None:
    notebook(stage, "raise KeyError('jane@example.org')")
    with pytest.raises(WorkbookError, match="KeyError") as caught:
        batch.run_step("acme", "audit", parameters={"customer": "acme"})
    assert caught.value.exit_code == 1
    assert "jane" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["StoreError", "ConfigError", "UnauthorizedError", "RateLimitedError", "UnknownOutcomeError"]
)
def test_every_error_of_ours_keeps_its_exit_code(name: str) -> None:
    class Failed:
        ename, evalue, exec_count = name, "what happened", 3

    kind = getattr(errors, name)
    assert batch._as_ours(Failed(), Path("x.ipynb")).exit_code == kind.exit_code
    assert isinstance(batch._as_ours(Failed(), Path("x.ipynb")), kind)
    assert StoreError.exit_code == 4

"""The six notebooks in JupyterLab, opened in a real browser and run from top to bottom with their defaults."""

import json
import urllib.request
from pathlib import Path

import first_time
import pytest
from browser import chromium
from in_lab import WIDGET, errors, opened, run_all, running_lab, show
from reconcile import problems

from lib import service

pytestmark = [pytest.mark.browser, pytest.mark.demo]
ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory):
    """JupyterLab on a copy of the notebooks, with its settings in a temporary place and the demo's home in another."""
    folder = tmp_path_factory.mktemp("lab")
    try:
        with running_lab(folder) as (url, token):
            yield folder, url, token
    finally:
        service.stop(folder / "runs" / "demo")


@pytest.fixture(scope="module")
def ran(lab) -> dict[str, dict]:
    """What each notebook shows after a run from top to bottom."""
    _, url, token = lab
    with chromium() as browser:
        return {
            name: _run_all(browser, f"{url}/workspaces/{name[:2]}/tree/notebooks/{name}?token={token}", name)
            for name in NOTEBOOKS
        }


def test_every_notebook_runs_from_top_to_bottom_in_jupyterlab(lab, ran) -> None:
    folder, _, _ = lab
    for name, shown in ran.items():
        assert errors(shown) == [], name
        assert (folder / "notebooks" / name).read_text("utf-8").count('"output_type"') == 0, "outputs were saved"
    found = service.running(folder / "runs" / "demo")
    truth, state = (_ask(found, what) for what in ("truth", "state"))
    assert {kind: wrong for kind, wrong in problems(truth, state).items() if wrong} == {}


@pytest.mark.usefixtures("ran")
def test_an_analyst_decides_in_the_grid_and_the_file_has_it(lab) -> None:
    """An open decision stops the plan; chosen in the browser, it stands in the file, and the plan is made."""
    folder, url, token = lab
    file = folder / "params" / "demo" / "tags.csv"
    good, name = file.read_text("utf-8"), "04_map.ipynb"
    line = next(line for line in good.splitlines() if line.endswith(",keep"))
    file.write_text(good.replace(line, line.removesuffix("keep")), "utf-8")
    address = f"{url}/workspaces/grid/tree/notebooks/{name}?token={token}"
    with chromium() as browser, opened(browser, address, name) as page:
        shown = run_all(page)
        assert [one for one in errors(shown) if "GateError" in one]
        show(page, "steps.edit(book, tables", shown)
        cell = page.locator(".widget-gridbox input").first
        cell.scroll_into_view_if_needed()
        cell.fill("keep")
        cell.press("Tab")
        page.locator("text=0 rows of this table are open").first.wait_for(timeout=60_000)
        assert file.read_text("utf-8") == good
        assert errors(run_all(page)) == []


def test_somebody_who_has_never_seen_it_gets_from_audit_to_a_dry_run(tmp_path: Path) -> None:
    """A customer without any verdict, in the notebooks alone; nothing is written to Ashby, and it takes few actions."""
    found = first_time.drive(tmp_path)
    assert found.errors == []
    assert "Dry run: " in found.headline
    assert found.n_writes == 0
    assert found.n_open == 0
    assert found.minutes_of_a_person < 30


def _run_all(browser, address: str, name: str) -> dict:
    """Open a notebook in a fresh context, run all of its cells as the menu does, save; returns what is shown then."""
    with opened(browser, address, name) as page:
        shown = run_all(page)
        page.evaluate(f"{WIDGET}.context.save()")
        return shown


def _ask(found, what: str) -> dict:
    with urllib.request.urlopen(f"{found.url('control_url')}/{what}", timeout=60) as answer:
        return json.load(answer)

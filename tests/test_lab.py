"""The six notebooks in JupyterLab, opened in a real browser and run from top to bottom with their defaults."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from browser import chromium
from reconcile import problems

from lib import service

pytestmark = [pytest.mark.browser, pytest.mark.demo]
ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
WIDGET = "jupyterapp.shell.currentWidget"
KERNEL = f"{WIDGET}?.sessionContext?.session?.kernel?.status"
RUN_ALL = "jupyterapp.commands.execute('notebook:run-all-cells')"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory):
    """JupyterLab on a copy of the notebooks, with its settings in a temporary place and the demo's home in another."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copytree(ROOT / "params", folder / "params")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    places = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    env = os.environ | places | {
        "WORKBOOK_HOME": str(folder), "JUPYTER_PREFER_ENV_PATH": "1", "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_TOKEN": token, "JUPYTER_CONFIG_PATH": str(ROOT / "jupyter"), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    with (folder / "lab.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_up(f"http://127.0.0.1:{port}/api/status?token={token}", process)
        yield folder, f"http://127.0.0.1:{port}/lab", token
    finally:
        process.terminate()
        process.wait(30)
        service.stop(folder / "runs" / "demo")


def _wait_until_up(url: str, process: subprocess.Popen) -> None:
    for _ in range(300):
        assert process.poll() is None
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail("JupyterLab did not start")


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
        assert _errors(shown) == [], name
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
    with chromium() as browser, _notebook(browser, address, name) as page:
        shown = _ran(page)
        assert [one for one in _errors(shown) if "GateError" in one]
        place = next(n for n, one in enumerate(shown["cells"]) if "steps.edit(book, tables" in one["source"])
        page.evaluate(f"{WIDGET}.content.activeCellIndex = {place}; {WIDGET}.content.scrollToItem({place})")
        cell = page.locator(".widget-gridbox input").first
        cell.scroll_into_view_if_needed()
        cell.fill("keep")
        cell.press("Tab")
        page.locator("text=0 rows of this table are open").first.wait_for(timeout=60_000)
        assert file.read_text("utf-8") == good
        assert _errors(_ran(page)) == []


def _run_all(browser, address: str, name: str) -> dict:
    """Open a notebook in a fresh context, run all of its cells as the menu does, save; returns what is shown then."""
    with _notebook(browser, address, name) as page:
        shown = _ran(page)
        page.evaluate(f"{WIDGET}.context.save()")
        return shown


@contextlib.contextmanager
def _notebook(browser, address: str, name: str):
    """A page on which the notebook is open and its kernel ready."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    try:
        page = context.new_page()
        page.goto(address, wait_until="domcontentloaded")
        page.wait_for_function(f"window.jupyterapp && {WIDGET}?.context?.path?.endsWith('{name}')", timeout=120_000)
        page.evaluate(f"Promise.all([{WIDGET}.context.ready, {WIDGET}.revealed, {WIDGET}.sessionContext.ready])")
        page.wait_for_function(f"{KERNEL} === 'idle'", timeout=120_000)
        yield page
    finally:
        context.close()


def _ran(page) -> dict:
    """Run all cells as the menu does; what is shown then."""
    page.evaluate("window.done = false")
    page.evaluate(f"{RUN_ALL}.then(() => {{ window.done = true }}); null")
    page.wait_for_function("window.done === true", timeout=300_000)
    page.wait_for_function(f"{KERNEL} === 'idle'", timeout=60_000)
    return page.evaluate(f"{WIDGET}.content.model.toJSON()")


def _errors(shown: dict) -> list[str]:
    """Cells that failed, or were not run at all."""
    wrong = []
    for cell in shown["cells"]:
        if cell["cell_type"] == "code":
            wrong += [f"{cell['id']}: not run"] if not cell["execution_count"] else []
            wrong += [
                f"{cell['id']}: {one['ename']} {one['evalue']}"
                for one in cell["outputs"]
                if one["output_type"] == "error"
            ]
    return wrong


def _ask(found, what: str) -> dict:
    with urllib.request.urlopen(f"{found.url('control_url')}/{what}", timeout=60) as answer:
        return json.load(answer)

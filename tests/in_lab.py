"""JupyterLab in a real browser: a server on copies of the notebooks, pages on which a notebook is open, its cells."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WIDGET = "jupyterapp.shell.currentWidget"
KERNEL = f"{WIDGET}?.sessionContext?.session?.kernel?.status"
RUN_ALL = "jupyterapp.commands.execute('notebook:run-all-cells')"


@contextlib.contextmanager
def running_lab(folder: Path) -> Iterator[tuple[str, str]]:
    """(address, token) of a server whose home is `folder`, with copies of notebooks and params."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copytree(ROOT / "params", folder / "params", dirs_exist_ok=True)
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
        yield f"http://127.0.0.1:{port}/lab", token
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("JupyterLab did not start")


@contextlib.contextmanager
def opened(browser: Any, address: str, name: str) -> Iterator[Any]:
    """A page in a fresh context on which the notebook is open and its kernel ready."""
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


def run_all(page: Any) -> dict[str, Any]:
    """Run all cells as the menu does; what is shown then."""
    page.evaluate("window.done = false")
    page.evaluate(f"{RUN_ALL}.then(() => {{ window.done = true }}); null")
    page.wait_for_function("window.done === true", timeout=300_000)
    page.wait_for_function(f"{KERNEL} === 'idle'", timeout=60_000)
    return page.evaluate(f"{WIDGET}.content.model.toJSON()")


def show(page: Any, text: str, shown: dict[str, Any]) -> None:
    """Bring the cell that holds a text into sight."""
    place = next(n for n, one in enumerate(shown["cells"]) if text in one["source"])
    page.evaluate(f"{WIDGET}.content.activeCellIndex = {place}; {WIDGET}.content.scrollToItem({place})")


def errors(shown: dict[str, Any]) -> list[str]:
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

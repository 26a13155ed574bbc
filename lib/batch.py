"""Runs the notebooks headlessly through papermill: one customer, one step after the other, or many customers."""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib import errors
from lib.disk import disk_errors
from lib.errors import ConfigError, WorkbookError
from lib.workbook import STEPS, folder_of, home_of_code, line

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One executed notebook: where it is, and how many seconds it took."""

    step: str
    path: Path
    seconds: float


def notebook_of(step: str) -> Path:
    """The notebook of a step, by its name."""
    return home_of_code() / "notebooks" / f"{STEPS.index(step) + 1:02d}_{step}.ipynb"


def between(first: str, last: str) -> list[str]:
    """The steps from `first` to `last`, both included; ConfigError for a name that is none."""
    for name in (first, last):
        if name not in STEPS:
            raise ConfigError(f"{name!r} is not a step.", hint=f"The steps are: {', '.join(STEPS)}.")
    chosen = list(STEPS[STEPS.index(first) : STEPS.index(last) + 1])
    if not chosen:
        raise ConfigError(f"{first} comes after {last}.")
    return chosen


def run_step(customer: str, step: str, *, parameters: dict[str, Any]) -> Outcome:
    """Execute one notebook; its error comes out as the error that it was, with the path of the executed notebook."""
    import papermill  # noqa: PLC0415 - takes a second to import, and only batch runs need it

    source, target = notebook_of(step), folder_of(customer) / "notebooks" / notebook_of(step).name
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _check_parameters(papermill, source, parameters)
    began = time.monotonic()
    with _private_kernel() as wires, warnings.catch_warnings(), _umask(), _kept(target) as part:
        warnings.simplefilter("ignore")
        logging.getLogger("papermill").setLevel(logging.ERROR)
        for attempt in range(2):
            try:
                papermill.execute_notebook(
                    str(source),
                    str(part),
                    parameters=parameters,
                    progress_bar=False,
                    cwd=str(home_of_code()),
                    extra_arguments=["--IPKernelApp.log_level=50"],  # its own chatter; errors come as exceptions
                    config=wires,
                )
                break
            except papermill.PapermillExecutionError as error:
                raise _as_ours(error, target) from None
            except RuntimeError as error:  # a kernel that died before its first cell: nothing has happened yet
                if attempt or "died" not in str(error) or _any_cell_ran(part):
                    raise WorkbookError(
                        f"The kernel of {step} died.", hint=f"See {target}; run the step again."
                    ) from None
    return Outcome(step, target, time.monotonic() - began)


def _check_parameters(papermill: Any, source: Path, parameters: dict[str, Any]) -> None:
    """papermill only warns of a mistyped parameter; we stop."""
    known = set(papermill.inspect_notebook(str(source)))
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise ConfigError(f"{source.name} has no parameter {', '.join(unknown)} (it has: {', '.join(sorted(known))}).")


@contextmanager
def _kept(target: Path) -> Iterator[Path]:
    """Where a notebook is executed: papermill saves after each cell, and a save that fails leaves half a file.

    What is whole in the end takes the place of the one before; StoreError when the disk is full.
    """
    part = target.with_name(f".part-{target.name}")
    with disk_errors(target):
        try:
            yield part
        finally:
            if _is_whole(part):
                part.replace(target)
            part.unlink(missing_ok=True)


def _is_whole(path: Path) -> bool:
    try:
        return "cells" in json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False


@contextmanager
def _private_kernel() -> Iterator[Any]:
    """Yields how to reach the kernel: a folder of its own for each, and this environment's kernel before any other.

    Sockets in that folder, no port that others could listen on. Their name is said outright: jupyter_client asks for
    it before it knows the connection file, and then all kernels of one working folder would share ``kernel-ipc-1``.
    """
    from traitlets.config import Config  # noqa: PLC0415 - comes with papermill

    with _short_folder() as folder:
        ours = {"JUPYTER_RUNTIME_DIR": folder, "JUPYTER_PREFER_ENV_PATH": "1", "WORKBOOK_HEADLESS": "1"}
        old = {name: os.environ.get(name) for name in ours}
        os.environ.update(ours)
        try:
            yield Config({"KernelManager": {"transport": "ipc", "ip": str(Path(folder) / "kernel")}})
        finally:
            for name, value in old.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _short_folder() -> tempfile.TemporaryDirectory[str]:
    """A private folder for sockets, whose paths may have some 100 characters (``sun_path``): else below /tmp."""
    folder = tempfile.TemporaryDirectory(prefix="workbook-")
    if len(os.fsencode(folder.name)) <= 80:
        return folder
    folder.cleanup()
    return tempfile.TemporaryDirectory(prefix="workbook-", dir="/tmp")


@contextmanager
def _umask() -> Iterator[None]:
    """Executed notebooks show personal data: private from the first byte."""
    old = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(old)


def _any_cell_ran(path: Path) -> bool:
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return False
    return any(cell.get("execution_count") for cell in cells)


def _as_ours(error: Any, path: Path) -> WorkbookError:
    """The error of a failing cell, as the class it was raised as; all others are a bug of ours (exit 1)."""
    kind = getattr(errors, str(error.ename), None)
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error.evalue))
    where = f"(executed notebook: {path})"
    if isinstance(kind, type) and issubclass(kind, WorkbookError):
        return kind(text, hint=where)
    return WorkbookError(f"{error.ename} in cell {error.exec_count} of {path.name}: a bug of the workbook.", hint=where)


def watch(customer: str, tell: Told, *, stop: Callable[[], bool]) -> None:
    """Tell the progress of a running step, once a second, until `stop` says so."""
    file, last = folder_of(customer) / "progress.json", ""
    began = time.time() * 1000
    while not stop():
        time.sleep(0.5)
        try:
            about = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if about.get("at_ms", 0) < began:
            continue
        text = _told(about)
        if text != last:
            tell(text)
            last = text


def _told(about: dict[str, Any]) -> str:
    return line(about, about.get("seconds_left"))

"""The report on paper: a PDF by a Chromium, where one is found."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from lib.disk import replaced

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MAC: Final = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
EXPECTED: Final = "The whole report is in report.pdf, beside this page."
ABSENT: Final = "No Chromium was found on this computer, so there is no PDF; each page prints well from any browser."
FAILED: Final = "The PDF could not be made this time; each page prints well from any browser."
QUIET: Final = (
    "--headless", "--disable-gpu", "--disable-background-networking", "--disable-extensions", "--disable-sync",
    "--disable-component-update", "--disable-default-apps", "--no-first-run", "--no-pdf-header-footer",
    "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


def browser() -> str:
    """The path of a Chromium, or an empty text."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), "")
    return found or (str(MAC) if MAC.is_file() else "")


def print_pdf(markup: str, path: Path, *, seconds: float = 60.0) -> str:
    """Print one page of HTML to `path`; returns the sentence that tells a reader whether there is a PDF."""
    program = browser()
    if not program:
        path.unlink(missing_ok=True)
        return ABSENT
    with tempfile.TemporaryDirectory(prefix="workbook-pdf-") as folder:
        source, target = Path(folder) / "report.html", Path(folder) / "report.pdf"
        source.write_text(markup, "utf-8")
        # a sandboxed browser refuses to run as root; the page has no script and the browser no network
        alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        where = [f"--user-data-dir={folder}/profile", f"--print-to-pdf={target}", source.as_uri()]
        try:
            subprocess.run([program, *QUIET, *alone, *where], capture_output=True, timeout=seconds, check=True)  # noqa: S603 - our own arguments
        except (subprocess.SubprocessError, OSError):
            path.unlink(missing_ok=True)
            return FAILED
        if not target.is_file():
            path.unlink(missing_ok=True)
            return FAILED
        with replaced(path) as out:
            out.buffer.write(target.read_bytes())  # type: ignore[attr-defined]
    return EXPECTED

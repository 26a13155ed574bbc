"""Debian's Chromium through playwright; tests that need it say plainly that they skip without it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def chromium() -> Iterator:
    """A headless browser; skips without Chromium, fails without it where WORKBOOK_REQUIRE_BROWSER is set."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        reason = "needs Debian's chromium, which is not installed"
        pytest.fail(reason) if os.environ.get("WORKBOOK_REQUIRE_BROWSER") else pytest.skip(reason)
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()

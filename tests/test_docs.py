"""What the docs say is true: links lead somewhere, every command and every error is told."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from lib import errors
from lib.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


def test_every_command_and_option_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for name, command in get_command(app).commands.items():
        for verb in getattr(command, "commands", {"": command}):
            assert f"`workbook {name} {verb}".rstrip() in text


def test_every_error_is_explained() -> None:
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.WorkbookError) and name != "ApiError":
            row = next((line for line in page.splitlines() if re.search(rf"\b{name}\b", line) and "|" in line), "")
            assert f"| {kind.exit_code} |" in row, name


def test_the_readme_begins_with_one_sentence_and_two_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert text.index("make demo") < text.index("make test") < 400

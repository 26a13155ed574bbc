"""From one executed notebook to the blocks of a page: what is shown, what is masked, what stays out."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import nbformat
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from lib import errors
from lib.report.masking import mask_text, safe_html
from lib.report.values import NOTHING, duration

Level = Literal["masked", "internal"]
OUT_OF_SIGHT: Final = {"parameters", "injected-parameters"}
PRIVATE: Final = "private"
PAPERMILL: Final = "papermill-error-cell-tag"  # cells that papermill adds around a failure; we say it ourselves
OUR_ERRORS: Final = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
"""Errors whose messages carry ids and counts only; of all others the masked report shows the name alone."""


@dataclass(frozen=True)
class Page:
    """One executed notebook, read."""

    path: Path
    notebook: Any

    @property
    def step(self) -> str:
        """`01_audit` of 01_audit.ipynb."""
        return self.path.stem

    @property
    def title(self) -> str:
        """The first heading of the notebook, else its name."""
        for cell in self.notebook.cells:
            first = cell.source.lstrip().split("\n", 1)[0]
            if cell.cell_type == "markdown" and first.startswith("# ") and PAPERMILL not in _tags(cell):
                return mask_text(first[2:].strip())
        return self.step

    @property
    def status(self) -> tuple[str, str]:
        """(word, shade) of how the run ended."""
        if any(output.output_type == "error" for _, output in self.outputs()):
            return "stopped", "bad"
        code = [cell for cell in self.notebook.cells if cell.cell_type == "code" and cell.source.strip()]
        if self._run.get("exception") or not all(cell.get("execution_count") for cell in code):
            return "not finished", "warn"
        return "done", "good"

    @property
    def sentence(self) -> str:
        """The headline, or the first line of what stopped the run; masked."""
        said = [str(about.get("text", "")) for about, _ in self.shown("headline")]
        errors = [output for _, output in self.outputs() if output.output_type == "error"]
        if errors and errors[0].get("ename") in OUR_ERRORS:
            said.insert(0, str(errors[0].get("evalue", "")).split("\n", 1)[0].rstrip(" :"))
        return mask_text(said[0]) if said else ""

    @property
    def began(self) -> datetime | None:
        """When papermill began to run it (UTC)."""
        try:
            found = datetime.fromisoformat(str(self._run.get("start_time")))
        except ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    @property
    def when(self) -> str:
        """`began`, to the minute."""
        return self.began.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if self.began else NOTHING

    @property
    def took(self) -> str:
        """How long the run took."""
        seconds = self._run.get("duration")
        return duration(float(seconds)) if isinstance(seconds, int | float) else NOTHING

    @property
    def _run(self) -> dict[str, Any]:
        return self.notebook.metadata.get("papermill") or {}

    def outputs(self) -> Iterator[tuple[Any, Any]]:
        """(cell, output) of all code cells."""
        for cell in self.notebook.cells:
            if cell.cell_type == "code":
                for output in cell.get("outputs", []):
                    yield cell, output

    def shown(self, kind: str) -> list[tuple[dict[str, Any], str]]:
        """(what we noted about it, inert masked markup) of all shareable outputs of one kind."""
        found = []
        for cell, output in self.outputs():
            about = _about(output)
            if about.get("kind") == kind and about.get("shared") and PRIVATE not in _tags(cell):
                found.append((about, safe_html(_text(output, "text/html"), masked=True)))
        return found


def read(path: Path) -> Page:
    """One executed notebook; ConfigError when the file is none (half written by another program, say)."""
    try:
        return Page(path, nbformat.read(path, as_version=4))
    except ValueError:
        raise errors.ConfigError(f"{path.name} is not a notebook.", hint="Run that step again.") from None


def blocks(page: Page, level: Level) -> list[str]:
    """The page's content in order, as inert HTML; a question without any answer is left out with it."""
    found: list[str] = []
    question = ""
    for cell in page.notebook.cells:
        if PAPERMILL in _tags(cell):
            continue
        if cell.cell_type == "markdown":
            if question:
                found.append(question)
            question = f'<div class="words">{_words(cell, level)}</div>'
            continue
        if cell.cell_type != "code":
            continue
        tags = _tags(cell)
        answers = [] if tags & OUT_OF_SIGHT else list(_answers(cell, level))
        if PRIVATE in tags and level == "masked":
            answers = ['<p class="withheld">Shown in the private notebook only: this part names people.</p>']
        if answers:
            found += [question] if question else []
            found += answers
        question = ""
    return found


def _words(cell: Any, level: Level) -> str:
    renderer = IPythonRenderer(escape=True, exclude_anchor_links=True)
    words = mask_text(cell.source) if level == "masked" else cell.source
    return safe_html(MarkdownWithMath(renderer=renderer).render(words), masked=level == "masked")


def _answers(cell: Any, level: Level) -> Iterator[str]:
    gated = any(_about(output).get("kind") == "gate" for output in cell.get("outputs", []))
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            if not gated:  # the banner says it already
                yield _problem(output, level)
        elif output.output_type in ("display_data", "execute_result"):
            yield from _answer(output, level)


def _answer(output: Any, level: Level) -> Iterator[str]:
    about = _about(output)
    if level == "masked" and not about.get("shared"):
        return
    markup = _text(output, "text/html")
    if markup:
        yield safe_html(markup, masked=level == "masked")
    elif text := _text(output, "text/plain"):
        yield f'<pre class="plain">{html.escape(mask_text(text) if level == "masked" else text)}</pre>'


def _problem(output: Any, level: Level) -> str:
    name = str(output.get("ename", "Error"))
    words = str(output.get("evalue", "")) if name in OUR_ERRORS or level == "internal" else ""
    words = mask_text(words) if level == "masked" else words
    text = f"<strong>This step stopped here ({html.escape(name)}).</strong> {html.escape(words)}"
    return f'<div class="problem"><p>{text}</p></div>'


def _about(output: Any) -> dict[str, Any]:
    about = (output.get("metadata") or {}).get("workbook")
    return about if isinstance(about, dict) else {}


def _tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _text(output: Any, kind: str) -> str:
    content = (output.get("data") or {}).get(kind, "")
    return "".join(content) if isinstance(content, list) else str(content)

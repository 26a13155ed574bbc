"""The report: one self-contained page per notebook, an overview, and a PDF where a Chromium is found.

No code, no parameters, no script, no request: what a page shows is inside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import pandas as pd
from jinja2 import Environment, FileSystemLoader
from nbconvert.exporters import TemplateExporter

from lib.disk import disk_errors, replaced
from lib.errors import ConfigError
from lib.report import pages, paper
from lib.report.masking import mask_text, safe_html
from lib.report.shown import stylesheet, table
from lib.report.values import NOTHING, heading, plain

STEPS: Final = ("01_audit", "02_extract", "03_dedupe", "04_map", "05_load", "06_validate")
PICTURES: Final = (
    "pipeline_funnel", "records_by_month", "forecast_against_actual", "differences_by_field", "call_mix",
)  # fmt: skip
COUNTS: Final = (
    "object", "n_lever", "n_left_out", "n_unexplained", "n_moves", "n_planned", "n_done", "n_checked", "n_found",
)  # fmt: skip
Page = dict[str, str]


def export(notebooks_folder: Path, reports_folder: Path, *, customer: str, level: str = "masked") -> Path:
    """Write the report of the executed notebooks and return its overview page.

    `masked` may be shared: only outputs made for sharing, masked once more. `internal` shows all outputs and goes
    into a folder of its own.
    """
    if level not in ("masked", "internal"):
        raise ConfigError(f"There is no report level {level!r}.", hint="Use masked or internal.")
    folder = reports_folder if level == "masked" else reports_folder / "internal"
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    read = [pages.read(path) for path in sorted(notebooks_folder.glob("[0-9][0-9]_*.ipynb"))]
    about = {"customer": customer, "level": level, "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")}
    with as_file(files("lib.report") / "templates") as templates:
        written = [_notebook(page, folder, about=about, templates=templates) for page in read]
        for gone in set(folder.glob("[0-9][0-9]_*.html")) - set(written):
            gone.unlink()
        certificate = _certificate(reports_folder)
        index = folder / "index.html"
        content = _overview(read, certificate, about) | {"styles": _styles()}
        template = Environment(loader=FileSystemLoader(templates / "workbook"), autoescape=True).get_template
        overview = template("overview.html.j2")
        _write(index, overview.render(content, paper=paper.EXPECTED))
        whole = [_body(path.read_text("utf-8")) for path in [index, *written]]
        bound = template("paper.html.j2").render(content, parts=whole)
        said = paper.print_pdf(bound, folder / "report.pdf")
        _write(index, overview.render(content, paper=said))
    return index


def _notebook(page: pages.Page, folder: Path, *, about: Page, templates: Path) -> Path:
    exporter = TemplateExporter(
        template_name="workbook", extra_template_basedirs=[str(templates)], file_extension=".html", preprocessors=[],
    )  # fmt: skip
    when = f"{page.status[0]}, {page.when} UTC, took {page.took}" if page.began else page.status[0]
    shown = about | {"title": page.title, "when": when}
    level: pages.Level = "internal" if about["level"] == "internal" else "masked"
    resources = {"page": shown, "styles": _styles(), "blocks": pages.blocks(page, level)}
    markup, _ = exporter.from_notebook_node(page.notebook, resources=resources)
    path = folder / f"{page.step}.html"
    _write(path, markup)
    return path


def _overview(read: list[pages.Page], certificate: dict[str, Any], about: Page) -> dict[str, Any]:
    pictures: dict[tuple[str, str], str] = {}
    numbers: dict[str, str] = {}
    old = _stale(read)
    for page in read:
        if page in old:
            continue
        pictures |= {(note["name"], page.step): markup for note, markup in page.shown("figure")}
        for note, _ in page.shown("headline"):
            numbers = dict(note.get("numbers") or []) or numbers
    return {
        "page": about | {"title": "From Lever to Ashby: the migration report", "when": about["written"]},
        "verdict": _verdict(certificate, read),
        "earlier": any(page.step == STEPS[-1] for page in old),
        "numbers": numbers,
        "steps": _steps(read),
        "pictures": [pictures[key] for name in PICTURES for key in sorted(pictures) if key[0] == name],
        "facts": _facts(certificate),
        "counts": [safe_html(one, masked=True) for one in _tables(certificate)],
    }


def _steps(read: list[pages.Page]) -> list[dict[str, str]]:
    by_name = {page.step: page for page in read}
    stale = {page.step for page in _stale(read)}
    rows = []
    for name in sorted({*STEPS, *by_name}):
        page = by_name.get(name)
        if page is None:
            blank = {"status": "not run", "shade": "calm", "began": NOTHING, "took": NOTHING, "headline": ""}
            rows.append({"title": name, "file": "", **blank})
            continue
        status, shade = ("from an earlier run", "warn") if name in stale else page.status
        row = {"title": name, "file": f"{name}.html", "status": status, "shade": shade, "began": page.when}
        rows.append(row | {"took": page.took, "headline": page.sentence})
    return rows


def _stale(read: list[pages.Page]) -> list[pages.Page]:
    """The pages that are older than the run of a step before them."""
    timed = [page for page in read if page.began]
    return [page for n, page in enumerate(timed) if any(page.began < other.began for other in timed[:n])]


def _verdict(certificate: Mapping[str, Any], read: list[pages.Page]) -> dict[str, str]:
    stopped = [page.title for page in read if page.status[0] == "stopped"]
    if stopped:
        words = f"It stopped in “{stopped[0]}”. That page says why."
        return {"shade": "bad", "title": "The migration is not finished.", "words": words}
    if not certificate or any(page.step == STEPS[-1] for page in _stale(read)):
        words = "Validation has not run to its end since the last step before it."
        return {"shade": "calm", "title": "The migration is not certified yet.", "words": words}
    n_critical = _severities(certificate).get("critical", 0)
    aside = _set_aside(certificate)
    compared = "Validation read Ashby back, compared it with Lever in both directions, and found nothing critical"
    if certificate.get("ok") is True and not n_critical and not aside:
        return {"shade": "good", "title": "Everything that should arrive has arrived.", "words": f"{compared}."}
    if aside and not n_critical:
        words = f"{compared} in what was loaded. What was refused is named in 05_load and 06_validate."
        return {"shade": "bad", "title": f"{aside}.", "words": words}
    words = f"Validation found {n_critical:,} critical differences. Each is named in 06_validate."
    return {"shade": "bad", "title": "Validation is red.", "words": f"{words} {aside}.".removesuffix(" .")}


def _set_aside(certificate: Mapping[str, Any]) -> str:
    """How many records were refused, and how many wait for them; "" when there are none."""
    n_refused, n_waiting = (int(certificate.get(name) or 0) for name in ("n_refused", "n_waiting"))
    records = "1 record was" if n_refused == 1 else f"{n_refused:,} records were"
    wait = "1 more waits" if n_waiting == 1 else f"{n_waiting:,} more wait"
    more = f"; {wait} for them" if n_waiting else ""
    return f"{records} refused by Ashby and set aside{more}" if n_refused or n_waiting else ""


def _severities(certificate: Mapping[str, Any]) -> dict[str, int]:
    found = certificate.get("n_differences")
    return found if isinstance(found, dict) else {"critical": int(found or 0)}


def _facts(certificate: Mapping[str, Any]) -> dict[str, str]:
    """The certificate as label and value; tables inside it are told in a sentence."""
    facts = {}
    for name, value in certificate.items():
        if not _is_table(value):
            facts[re.sub("sha256", "SHA-256", heading(name), flags=re.I)] = mask_text(_fact(value))
    return facts


def _tables(certificate: Mapping[str, Any]) -> list[str]:
    """The lists of rows in the certificate."""
    found = {name: pd.DataFrame(value) for name, value in certificate.items() if _is_table(value)}
    ordered = {name: frame[sorted(frame.columns, key=_rank)] for name, frame in found.items()}
    return [table(frame, title=heading(name), limit=40).markup for name, frame in ordered.items()]


def _rank(column: str) -> int:
    """Where a column of the certificate stands: it is written with sorted keys, and read from left to right."""
    return COUNTS.index(column) if column in COUNTS else len(COUNTS)


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{heading(str(key)).lower()} {plain(one)}" for key, one in value.items()) or NOTHING
    return plain(value)


def _certificate(folder: Path) -> dict[str, Any]:
    path = folder / "certificate.json"
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise ConfigError(f"{path.name} is not JSON any more.", hint="Run 06_validate again.") from None
    return found if isinstance(found, dict) else {}


def _styles() -> str:
    return stylesheet("page.css") + stylesheet("parts.css")


def _body(markup: str) -> str:
    return markup.split("<body>", 1)[1].rsplit("</body>", 1)[0]


def _write(path: Path, text: str) -> None:
    with replaced(path) as file:
        file.write(text)

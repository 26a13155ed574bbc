"""Steps 1 and 2 for a customer whose Lever comes as files: what the audit and the extraction say of an export."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from lib.contract import lever_objects
from lib.errors import ConfigError, GateError
from lib.export_files import Export, Found, Moments, open_needs, read
from lib.extract.reports import report_absent, report_drift
from lib.normalize import csv_safe
from lib.steps.forecasting import Forecast
from lib.store import now_ms
from lib.workbook import Workbook

Row = dict[str, Any]
PLACES = "export-files.csv"
FILES = (
    "files", "taken_as", "n_files", "n_rows", "n_used", "n_refused", "read_as", "columns_used", "columns_not_used",
    "remarks", "file",
)  # fmt: skip
TITLE = re.compile(r"[A-Za-z0-9 ()_:/.#'-]{1,60}")


def folder_of_export(book: Workbook) -> Path:
    """Where the export lies. ConfigError when people's data would stand where git looks."""
    root = book.params_folder.parent.parent
    folder = root / book.params.lever.export_folder
    inside = folder.resolve().is_relative_to(root.resolve())
    if inside and not folder.resolve().is_relative_to((root / "runs").resolve()) and (root / ".git").exists():
        raise ConfigError(
            "lever.export_folder lies in this repository, where git would see people's data.",
            hint=f"Put the export outside of it, or into runs/{book.customer}/export.",
        )
    return folder


def import_files(book: Workbook, step: str, *, accepted: set[str], bytes_too: bool) -> Found:
    """Read the export into the store, and keep what was said of it; see `lib.export_files.read`."""
    given = book.params.lever
    export = Export(
        book.store, folder_of_export(book), Moments(given.export_dates, given.export_time_zone),
        encoding=given.export_encoding, accepted=frozenset(accepted),
        check_account=lambda ids: book.pin("Lever", ids), progress=book.progress(step),
    )  # fmt: skip
    found = read(export, bytes_too=bytes_too)
    store, told = book.store, found.told
    tables = {
        "export_files": [{name: row[name] for name in FILES} for row in told.rows()],
        "export_refused": told.refused,
        "export_needs": told.needs + _questions(found),
        "export_made": [{"what": name, "n_records": n} for name, n in sorted(told.made.items()) if n],
        "gone": [{"lever_id": one} for one in found.gone],
        "dangling_postings": _dangling(book),
        "unlisted": [],
        "ages": [],
    }
    for name, rows in tables.items():
        store.put_results("extract", name, rows)
    store.put_meta("confidentiality", "all")
    store.put_meta("extract.since", now_ms())
    _keep_places(book, found)
    report_absent(store)
    report_drift(store)
    unread = [
        {"stream": "export_rows", "attribute": name if TITLE.fullmatch(name) else "(odd name)"}
        | {"what": "a column that nobody reads", "n_records": n, "ids": ""}
        for name, n in sorted(found.unread.items())
    ]
    store.put_results("extract", "drift", store.results("extract", "drift") + unread)
    return found


def _questions(found: Found) -> list[Row]:
    """What only a setting can answer, as things that wait for a word."""
    return [
        {
            "id": f"export:{row['setting']}:{_word(str(row['column']))}", "files": "",
            "finding": f"{row['n_values']:,} values of the column {row['column']} can be read in two ways: set "
            f"{row['setting']} in the params file; until then their rows are left out",
        }
        for row in found.told.questions.values()
    ]  # fmt: skip


def _word(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40]


def _dangling(book: Workbook) -> list[Row]:
    """Postings that applications name and the export does not hold."""
    named: Counter[str] = Counter()
    for item in book.store.all("opportunities"):
        named.update(one["posting"] for one in item.get("applications") or [] if isinstance(one.get("posting"), str))
    known = book.store.head_shas("postings")
    why = "not in the export"
    return [{"lever_id": one, "n_records": n, "why": why} for one, n in sorted(named.items()) if one not in known]


def _keep_places(book: Workbook, found: Found) -> None:
    """The places of what somebody has to look at, by the ids of the tables: private, for names stand in paths."""
    with book.private_file(PLACES) as file:
        writer = csv.writer(file)
        writer.writerow(["file", "place", "taken_as"])
        for row in found.told.places:
            writer.writerow([csv_safe(cell.encode("utf-8", "backslashreplace").decode()) for cell in row])


def confidential(found: Found, setting: str) -> Row:
    """{verdict, detail}: whether the export says which records are confidential."""
    counts = found.confidentiality
    if counts["not told"]:
        detail = (
            f"{counts['not told']:,} opportunities of the export do not say whether they are confidential: they would "
            "move as open ones. Get an export that says it, or accept it (overrides.csv, id confidential)"
        )
        return {"verdict": "unknown", "detail": detail}
    if counts["confidential"]:
        return {"verdict": "proven", "detail": "confidential records are in the export"}
    verdict = {"granted": "granted", "accept_gap": "gap accepted"}.get(setting, "undecided")
    detail = (
        "no record of the export is confidential: were they left out? Ask whoever made it (lever.confidential_access)"
    )
    return {"verdict": verdict, "detail": detail}


def findings(book: Workbook, found: Found) -> list[Row]:
    """What the audit says of an export, beside its usual findings: {id, severity, finding, n_records, do}."""
    rows = [
        _finding(
            str(row["id"]),
            "critical",
            _of(row),
            f"mend the export, or accept it in overrides.csv; places: runs/{book.customer}/{PLACES}",
        )
        for row in book.store.results("extract", "export_needs")
    ]
    if not book.store.count("opportunities"):
        rows.append(
            _finding(
                "export:empty",
                "critical",
                "the export holds no opportunity that can be read",
                "see the table of its files",
            )
        )
    do = "nothing, where this is as expected; docs/export-files.md says what is made of what"
    for name, n in sorted(found.told.made.items()):
        if n:
            text = f"{n:,} {name}" + (" have an id made from what the export says of them" if " " not in name else "")
            severity = "warning" if "consent" in name else "info"
            rows.append(_finding(f"export-made:{_word(name)}", severity, text, do) | {"n_records": n})
    return rows


def _of(row: Row) -> str:
    return f"{row['finding']}" + (f" ({row['files']})" if row.get("files") else "")


def _finding(key: str, severity: str, text: str, do: str) -> Row:
    return {"id": key, "severity": severity, "finding": text, "n_records": None, "do": do}


def export_gate(book: Workbook, *, accepted: set[str]) -> None:
    """GateError that names what of the export was not recognised, not read or refused, until somebody accepts it."""
    red = open_needs(book.store.results("extract", "export_needs"), accepted)
    if red:
        told = "; ".join(f"{_of(row)} [{row['id']}]" for row in red[:10])
        more = f"; and {len(red) - 10} more" if len(red) > 10 else ""
        raise GateError(
            f"{len(red)} things of the export would be left out: {told}{more}.",
            hint=f"Mend the export and read it again, or accept each in overrides.csv (id, who, when, why). The places "
            f"of the files stand in runs/{book.customer}/{PLACES}.",
        )


def extract_files(book: Workbook, *, accepted: set[str]) -> dict[str, int]:
    """The extraction of an export, bytes of files included: {stream: objects now}, and no calls."""
    import_files(book, "extract", accepted=accepted, bytes_too=True)
    store = book.store
    store.put_results("extract", "score", [])
    store.put_meta("extract.scored", "nothing: Lever comes as files, and no call is made")
    store.put_meta("extract.unsettled", 0)
    store.put_meta("extract.finished_ms", now_ms())
    return {stream: store.count(stream) for stream in sorted(lever_objects())} | {"calls": 0}


def without_reading(made: Forecast) -> Forecast:
    """The forecast without the extraction: reading files asks nobody."""
    steps = [row for row in made.steps if row["step"] != "extract"]
    return replace(made, steps=steps, endpoints=[row for row in made.endpoints if row["step"] != "extract"])


def came(book: Workbook) -> pd.DataFrame:
    """What each pattern of files is taken for; empty where Lever is read through its API."""
    return pd.DataFrame(book.store.results("extract", "export_files"), columns=list(FILES))


def refused(book: Workbook) -> pd.DataFrame:
    """The rows of an export that could not be used: file, line, reason."""
    return pd.DataFrame(book.store.results("extract", "export_refused"), columns=["file", "files", "line", "reason"])

"""The bytes of files: fetched whole, kept under their hash, never under a name that a candidate chose."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib.errors import ApiError, NotFoundError, RejectedError, UnavailableError
from lib.lever import Download, Lever
from lib.store import FileRow, Store

ALIKE = 3  # times that the same bytes have to come where no size that was told agrees
ANSWERS = {"text/html": ("html", "htm", "xhtml"), "application/json": ("json",)}  # what error pages come as

Wanted = tuple[str, str, str, str, dict[str, Any], str]


def wanted_files(lever_id: str, found: dict[str, list[dict[str, Any]]]) -> Iterator[Wanted]:
    """(file id, stream, opportunity, download path, metadata, name) of every binary file of one opportunity."""
    base = f"/opportunities/{lever_id}"
    for item in found.get("resumes", []):
        if item.get("file"):  # a résumé made from a web profile has no file
            meta = item["file"]
            yield item["id"], "resumes", lever_id, f"{base}/resumes/{item['id']}/download", meta, _name(meta)
    for item in found.get("files", []):
        yield item["id"], "files", lever_id, f"{base}/files/{item['id']}/download", item, _name(item)
    for item in found.get("offers", []):
        for state in ("signed", "sent"):
            meta = item.get(f"{state}Document")
            if meta:
                path = f"{base}/offers/{item['id']}/download?status={state}"
                name = storable(str(meta.get("fileName") or ""))
                yield f"{item['id']}:{state}", "offers", lever_id, path, meta, name


def _name(meta: dict[str, Any]) -> str:
    name, ext = str(meta.get("name") or ""), str(meta.get("ext") or "").lstrip(".")
    return storable(name if not ext or name.lower().endswith(f".{ext.lower()}") else f"{name}.{ext}")


def fetch(
    store: Store, lever: Lever, file_id: str, stream: str, lever_id: str, path: str, meta: dict[str, Any], name: str
) -> FileRow | None:
    """The file's new state; None when its bytes are here already or are known to be unavailable."""
    known = store.file(file_id)
    if known and (known.state == "unavailable" or _is_here(store, known)):
        return None
    attempts = known.attempts + 1 if known else 1
    row = FileRow(file_id, stream, lever_id, name, "", None, None, "failed", "", attempts)
    try:
        got, other, page = _surely(store, lever, path, str(meta.get("size") or ""), name)
    except (RejectedError, UnavailableError) as error:
        return _without(row, error)
    if page:
        got.path.unlink()
        return replace(row, reason=f"{got.media_type} came instead of the file")
    _settle(got.path, store.file_path(got.sha256))
    return replace(row, state="stored", sha256=got.sha256, size=got.size, media_type=got.media_type, reason=other)


def _surely(store: Store, lever: Lever, path: str, told: str, name: str) -> tuple[Download, str, bool]:
    """(file, what is odd about its size, whether it is a page of words that came instead of it).

    What looks odd, or has no size to compare with, is fetched until the same bytes have come often enough: a cut that
    no header betrays may come twice alike (seen in the fault mixes), hardly three times in a row.
    """
    before: Download | None = None
    n_alike = 1
    while True:
        got = lever.download(path, store.folder / "files")
        other = f"Lever told of {told} bytes" if told.isdigit() and int(told) != got.size else ""
        expected = ANSWERS.get(got.media_type)  # a login or error page that came with status 200
        page = expected is not None and bool(other or name.rpartition(".")[2].lower() not in expected)
        if before is not None:
            before.path.unlink(missing_ok=True)
            n_alike = n_alike + 1 if before.sha256 == got.sha256 else 1
        if (told.isdigit() and not (other or page)) or n_alike >= ALIKE:
            return got, other, page
        before = got


def _without(row: FileRow, error: ApiError) -> FileRow:
    """A file whose bytes did not come: final where Lever says that there are none, to be tried again otherwise."""
    if isinstance(error, NotFoundError):
        return replace(row, state="unavailable", reason=f"not there ({error.status})")
    if error.status == 422:
        return replace(row, state="unavailable", reason="Lever could not process it (422)")
    return replace(row, reason=f"no answer ({error.status or 'cut off'})")


def _is_here(store: Store, known: FileRow) -> bool:
    return known.state == "stored" and known.sha256 is not None and store.file_path(known.sha256).is_file()


def _settle(part: Path, target: Path) -> None:
    """Give a whole file its final name, durably."""
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def without_bytes(store: Store) -> set[str]:
    """Opportunities with a file that could not be fetched, or whose bytes are not there any more."""
    here = {path.name for path in (store.folder / "files").iterdir()}
    lacking = (
        row for row in store.files() if row.state == "failed" or (row.state == "stored" and row.sha256 not in here)
    )
    return {row.opportunity_id for row in lacking}


def storable(text: str) -> str:
    """Text that any database takes: NUL and halves of surrogate pairs are written out. Bodies need no such care."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")

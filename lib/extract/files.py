"""The bytes of files: fetched whole, kept under their hash, never under a name that a candidate chose."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from lib.errors import ApiError, NotFoundError, RejectedError, UnavailableError
from lib.extract.outage import Storage
from lib.lever import Download, Lever
from lib.store import BATCH, OCCASIONS, Connection, FileRow, Store, now_ms
from lib.store.heads import known
from lib.store.ids import ids_on_disk

ALIKE = 3  # times that the same bytes have to come where no size that was told agrees
TRIES = 6  # downloads at most, where no three alike come: a document may be stamped anew for each of them
ANSWERS = {"text/html": ("html", "htm", "xhtml"), "application/json": ("json",)}  # what error pages come as

UNDELIVERED = (410, 413, 415, 422)  # and 404: Lever, or its storage, has no bytes to give
Meta = dict[str, Any]
Wanted = tuple[str, str, str, str, Meta, str]


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
    store: Store, lever: Lever, file_id: str, stream: str, lever_id: str, path: str, meta: Meta, name: str,
    *, again_ms: int, storage: Storage | None = None,
) -> FileRow | None:  # fmt: skip
    """The file's new state; None when its bytes are here already, or were asked for too lately or often enough.

    What Lever cannot deliver is asked for on three occasions, `again_ms` apart. Where Lever tells another size or
    another date than before, the file was replaced under its id: it is fetched anew. UnavailableError when it is not
    the file: Lever answers nothing else either, or `storage` is down: so many files in a row did not come.
    """
    known = store.file(file_id)
    other = known is not None and _replaced(store, known, meta)
    if known and not other and not _is_due(store, known, again_ms):
        return None
    if storage:
        storage.check()
    attempts = known.attempts + 1 if known and not other else 1
    row = FileRow(file_id, stream, lever_id, name, "", None, None, "failed", "", attempts)
    began = time.monotonic()
    try:
        got, odd, page = _surely(store, lever, path, _told(meta, "size"), name)
    except (RejectedError, UnavailableError) as error:
        late = (began + time.monotonic()) / 2  # what was answered before, Lever may have given before it went away
        if isinstance(error, UnavailableError) and error.status not in UNDELIVERED and lever.is_away(since=late):
            hint = error.hint or "Nothing is lost. Run 02_extract again when Lever answers."
            raise UnavailableError(f"Lever does not answer. {error.message}", hint=hint, status=error.status) from None
        lacking = _without(row, error)
        if storage and isinstance(error, UnavailableError) and lever.asks_again and _fails_anew(known, lacking):
            store.write(partial(keep_file, store, row=lacking))  # though the run may end here: it counts only once
            storage.in_vain(error)
        return lacking
    if page:
        got.path.unlink()
        return replace(row, reason=f"{got.media_type} came instead of the file")
    _settle(got.path, store.file_path(got.sha256))
    if storage:
        storage.came()
    return replace(row, state="stored", sha256=got.sha256, size=got.size, media_type=got.media_type, reason=odd)


def keep_file(store: Store, tx: Connection, row: FileRow) -> None:
    """Record a file's new state; of bytes that another version takes the place of, the hash stays known.

    They stand in the stream `file_versions`, under the file's opportunity, and the bytes stay where they are.
    """
    before = store.file(row.lever_id)
    if before and before.sha256 and before.sha256 != row.sha256:
        body = {"id": row.lever_id, "sha256": before.sha256, "size": before.size, "stream": before.stream}
        store.put_raw(tx, "file_versions", [(f"{row.lever_id}@{before.sha256}", row.opportunity_id, body)])
    store.put_file(tx, row)


def _replaced(store: Store, known: FileRow, meta: Meta) -> bool:
    """Whether Lever tells something else about the file than when it was read last; it says no more than that."""
    lever_id, _, state = known.lever_id.partition(":")
    item = store.get(known.stream, lever_id) or {}
    before = {"resumes": item.get("file"), "offers": item.get(f"{state}Document")}.get(known.stream, item)
    names = ("size", "uploadedAt", "status") if known.state == "unavailable" else ("size", "uploadedAt")
    return any(_told(before or {}, name) != _told(meta, name) for name in names)


def _told(meta: Meta, name: str) -> str:
    """One value as text: the same number comes as a number and as text (its reference)."""
    value = meta.get(name)
    return "" if value is None else str(value)


def _is_due(store: Store, known: FileRow, again_ms: int) -> bool:
    if known.state == "unavailable":
        return known.attempts < OCCASIONS and now_ms() - known.at_ms >= again_ms
    return not _is_here(store, known)


def _surely(store: Store, lever: Lever, path: str, told: str, name: str) -> tuple[Download, str, bool]:
    """(file, what is odd about it, whether it is a page of words that came instead of it).

    What looks odd, or has no size to compare with, is fetched until the same bytes have come often enough: a cut that
    no header betrays may come twice alike (seen in the fault mixes), hardly three times in a row. Where no three alike
    come, the longest that is no page counts, of these the newest: a cut makes it shorter.
    """
    kept: tuple[tuple[bool, int], Download, str] | None = None  # the best so far: (rank, file, what is odd)
    last, n_alike = "", 1
    for _ in range(TRIES):
        got = lever.download(path, store.folder / "files")
        n_alike = n_alike + 1 if got.sha256 == last else 1
        last = got.sha256
        odd = f"Lever told of {told} bytes" if told.isdigit() and int(told) != got.size else ""
        page = _is_page(got, name, odd)
        sure = (told.isdigit() and not (odd or page)) or n_alike >= ALIKE
        if kept is not None and not sure and kept[0] > (not page, got.size):
            got.path.unlink()
            continue
        if kept is not None:
            kept[1].path.unlink(missing_ok=True)
        if sure:
            return got, odd, page
        kept = ((not page, got.size), got, odd)
    assert kept is not None
    (is_file, _), got, odd = kept
    return got, f"{odd}{'; ' * bool(odd)}it differs from download to download ({TRIES} tries)", not is_file


def _is_page(got: Download, name: str, odd: str) -> bool:
    """Whether it is a login or error page that came with status 200 in place of the file."""
    expected = ANSWERS.get(got.media_type)
    return expected is not None and bool(odd or name.rpartition(".")[2].lower() not in expected)


def _without(row: FileRow, error: ApiError) -> FileRow:
    """A file whose bytes did not come: unavailable where Lever has none to give, failed where it did not answer."""
    if isinstance(error, NotFoundError):
        return replace(row, state="unavailable", reason=f"not there ({error.status})")
    if error.status in UNDELIVERED:
        why = "could not process it" if error.status == 422 else "cannot deliver it"
        return replace(row, state="unavailable", reason=f"Lever {why} ({error.status})")
    return replace(row, reason=f"no answer ({error.status or 'cut off'})")


def _fails_anew(known: FileRow | None, row: FileRow) -> bool:
    return row.state == "failed" and (known is None or known.state != "failed")


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


def without_bytes(store: Store, again_ms: int) -> Iterator[str]:
    """Opportunities with a file whose bytes are not here and that is to be asked for (again) now, once for each file.

    One that Lever has deleted meanwhile is not to be had: reading its opportunity's lists for it would bring nothing.
    """
    with os.scandir(store.folder / "files") as entries:
        names = (entry.name for entry in entries if entry.name.isascii())
        with ids_on_disk(store.folder, names) as here:
            lacking = (
                row
                for row in store.files()
                if (row.sha256 not in here if row.state == "stored" else _is_due(store, row, again_ms))
            )
            yield from (row.opportunity_id for row in still_there(store, lacking))


def still_there(store: Store, rows: Iterable[FileRow]) -> Iterator[FileRow]:
    """Those of the files that Lever has not deleted, a batch at a time."""
    source = iter(rows)
    while some := list(islice(source, BATCH)):
        ids = {row: row.lever_id.partition(":")[0] for row in some}
        there = {
            stream: known(store, stream, [ids[row] for row in some if row.stream == stream])
            for stream in {row.stream for row in some}
        }
        yield from (row for row in some if ids[row] in there[row.stream])


def storable(text: str) -> str:
    """Text that any database takes: NUL and halves of surrogate pairs are written out. Bodies need no such care."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def key_of(item: dict[str, Any]) -> str:
    """The key under which the store keeps an object: its id, or its text where it has none."""
    return storable(str(item.get("id") or item.get("text")))

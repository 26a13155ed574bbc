"""Résumés and other files of an export: whose each one is, and its bytes into the store, by their hash.

Nothing is opened but to copy it, nothing is unpacked, and a name is only ever compared, never a path to write to.
A file belongs to somebody by an id in its place, by the name that Lever's own record of it has, or by a column of a
table that names it. What belongs to nobody by these is named; a likeness of names is no proof.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.errors import StoreError
from lib.export_files.scratch import TABLE, Scratch
from lib.export_files.told import Told
from lib.export_files.tree import label, opened, place_id
from lib.export_files.values import made_id
from lib.extract.files import storable, wanted_files
from lib.store import NO_BYTES, FileRow, Store

Item = dict[str, Any]
RESUME = re.compile(r"(?<![a-z])(?:resumes?|résumés?|re_?sume|cvs?|lebenslauf)(?![a-z])", re.IGNORECASE)
TYPES = {
    "pdf": "application/pdf", "doc": "application/msword", "txt": "text/plain", "png": "image/png", "jpg": "image/jpeg",
    "jpeg": "image/jpeg", "rtf": "application/rtf", "html": "text/html", "htm": "text/html", "js": "text/javascript",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "json": "application/json",
}  # fmt: skip
MAGIC = ((b"%PDF", "pdf"), (b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpg"), (b"{\\rtf", "rtf"))
NOBODY = "a file of nobody"


@dataclass
class Papers:
    """Matches files to what they belong to; `owner` holds {file id: place} in the scratch stream `paper`."""

    scratch: Scratch
    told: Told
    nobody: Counter[str] = field(default_factory=Counter)
    twice: int = 0
    matched: Counter[str] = field(default_factory=Counter)

    def match_all(self) -> None:
        """Decide for each file whose it is; what is nobody's is counted by the pattern of its place."""
        for name, relative, size, ids in self.scratch.papers():
            found = self._file_id(name, relative, size, ids.split())
            if found is None:
                self.nobody[label(relative)] += 1
                self.told.places.append((place_id(relative), relative, NOBODY))
                continue
            known = self.scratch.get("paper", found)
            if known and known["relative"] != relative:
                self.twice += 1
                self.told.places.append((place_id(relative), relative, "another file stands for the same record"))
                continue
            self.scratch.put("paper", found, "", {"relative": relative, "size": size})

    def _file_id(self, name: str, relative: str, size: int, ids: list[str]) -> str | None:
        """The id under which the store keeps the bytes of a file; None when it is nobody's."""
        own = [(stream, one) for one in ids for stream in ("resumes", "files") if self.scratch.has(stream, one)]
        if len(own) == 1:
            self.matched["id of the file in its place"] += 1
            return own[0][1]
        offers = [one for one in ids if self.scratch.has("offers", one)]
        part = next(
            (word for word in ("signed", "sent") if re.search(rf"(?<![a-z]){word}(?![a-z])", relative.lower())), ""
        )
        if len(offers) == 1 and part:
            self.matched["id of the offer in its place"] += 1
            return f"{offers[0]}:{part}"
        opportunity, why, kind = self._opportunity(name, relative, ids)
        if not opportunity:
            return None
        self.matched[why] += 1
        return self._of_opportunity(opportunity, kind, name, relative, size)

    def _opportunity(self, name: str, relative: str, ids: list[str]) -> tuple[str, str, str]:
        """(opportunity, how it was found, kind when a table says it); empty when none or several fit."""
        found = list(dict.fromkeys(one for one in ids if self.scratch.has("opportunities", one)))
        if len(found) == 1:
            return found[0], "id of the opportunity in its place", ""
        of_person = {one for person in ids for one in self.scratch.children("opportunities", person)}
        if not found and len(of_person) == 1:
            return of_person.pop(), "id of the person in its place", ""
        named = self.scratch.named("paper", relative)
        if not named and len(self.scratch.papers_named(name)) == 1:
            named = self.scratch.named("paper", name)
        owners = {one.partition(" ")[0] for one in named}
        if not found and len(owners) == 1:
            return owners.pop(), "its name in a table", named[0].partition(" ")[2]
        return "", "", ""

    def _of_opportunity(self, opportunity: str, kind: str, name: str, relative: str, size: int) -> str:
        """The record that stands for this file: Lever's own by its name, else one of ours."""
        stream = kind or ("resumes" if RESUME.search(relative) else "files")
        for one in dict.fromkeys((stream, "resumes", "files")):
            fits = [key for key in self.scratch.children(one, opportunity) if self._is_called(one, key, name, size)]
            if len(fits) == 1:
                return fits[0]
        return self._record(opportunity, stream, name, relative, size)

    def _is_called(self, stream: str, key: str, name: str, size: int) -> bool:
        """Whether a record has this name (as a shell script of a public export writes it, without backticks)."""
        body = self.scratch.get(stream, key) or {}
        meta = body.get("file") if stream == "resumes" else body
        if not isinstance(meta, dict) or (self.scratch.get("paper", key) is not None):
            return False
        told, ext = str(meta.get("name") or ""), str(meta.get("ext") or "").lstrip(".")
        names = {told, told.replace("`", ""), f"{told}.{ext}"}
        known = str(meta.get("size") if meta.get("size") is not None else "")
        return name in names and (not known.isdigit() or int(known) == size)

    def _record(self, opportunity: str, stream: str, name: str, relative: str, size: int) -> str:
        key = made_id("paper", opportunity, stream, name)
        if self.scratch.get("paper", key) is not None:
            key = made_id("paper", opportunity, stream, os.fsencode(relative).hex())
        meta = {"name": storable(name), "ext": name.rpartition(".")[2] if "." in name else "", "size": size}
        meta |= {"downloadUrl": None, "uploadedAt": None, "status": None}
        body: Item = {"id": key, "createdAt": None, "file": meta} if stream == "resumes" else {"id": key, **meta}
        self.scratch.put(stream, key, opportunity, body, rank=TABLE)
        self.told.made[stream] += 1
        return key


def name_of(scratch: Scratch, text: str, opportunity: str, kind: str = "") -> None:
    """Remember that a table names a file of somebody; several may stand in one cell, one per line or by commas."""
    parts = [text] if len(scratch.papers_named(text)) == 1 else re.split(r"[\n;|]|,\s*", text)
    for part in (one.strip().removeprefix("./") for one in parts):
        scratch.name("paper", part, f"{opportunity} {kind}".strip())


def file_rows(
    scratch: Scratch, store: Store, folder: Path, one: tuple[str, dict[str, list[Item]]]
) -> Iterator[FileRow]:
    """The new state of each file of one (opportunity, its lists): copied, or said to be absent."""
    opportunity, found = one
    for key, stream, owner, _, _, name in wanted_files(opportunity, found):
        known = store.file(key)
        here = (
            known is not None and known.state == "stored" and known.sha256 and store.file_path(known.sha256).is_file()
        )
        paper = scratch.get("paper", key)
        if paper is None:
            if not here:
                yield FileRow(
                    key,
                    stream,
                    owner,
                    name,
                    "",
                    None,
                    None,
                    "unavailable",
                    NO_BYTES,
                    (known.attempts + 1) if known else 1,
                )
            continue
        try:
            sha, size, kind = copied(folder / paper["relative"], store.folder / "files", name)
        except (OSError, UnicodeError) as error:
            why = f"cannot be read ({getattr(error, 'strerror', None) or 'an odd name'})"
            yield FileRow(key, stream, owner, name, "", None, None, "failed", why, (known.attempts + 1) if known else 1)
            continue
        if not (here and known and known.sha256 == sha):
            yield FileRow(key, stream, owner, name, kind, size, sha, "stored", "", 1)


def copied(path: Path, folder: Path, name: str) -> tuple[str, int, str]:
    """(sha256, size, type) of a file whose bytes are now in `folder` under their hash. OSError: it cannot be read.

    StoreError: the copy cannot be written.
    """
    with opened(path) as source:
        handle, part = tempfile.mkstemp(dir=folder, prefix=".part-")
        digest, size, head = hashlib.sha256(), 0, b""
        try:
            with os.fdopen(handle, "wb") as sink:
                while chunk := source.read(2**20):
                    head = head or chunk[:8]
                    digest.update(chunk)
                    size += len(chunk)
                    _write(sink, chunk, folder)
                sink.flush()
                os.fsync(sink.fileno())
            Path(part).replace(folder / digest.hexdigest())
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    return digest.hexdigest(), size, _type(name, head)


def _write(sink: Any, chunk: bytes, folder: Path) -> None:
    try:
        sink.write(chunk)
    except OSError as error:
        raise StoreError(f"{folder.name} cannot be written ({error.strerror}).", hint="Is the disk full?") from None


def _type(name: str, head: bytes) -> str:
    """The type of a file by its first bytes, else by its ending: exports say nothing of it."""
    if not head:
        return "application/octet-stream"
    told = next((kind for mark, kind in MAGIC if head.startswith(mark)), name.rpartition(".")[2].lower())
    return TYPES.get(told, "application/octet-stream")

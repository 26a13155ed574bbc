"""What lies in the folder of an export: plain files only, never through a link, in an order that is always the same."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lib.errors import ConfigError

UUID = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-fA-F])")
ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar")
DEEPEST = 32  # folders within folders; an export has three or four
SPOKEN = frozenset({
    "all", "api", "applications", "application", "archive", "archived", "assets", "assetsbyopportunityid",
    "attachments", "calibration", "candidate", "candidates", "consideration", "contacts", "csv", "cv", "cvs",
    "data", "deleted", "disposition", "documents", "events", "export", "exports", "feedback", "fields", "files",
    "file", "form", "forms", "interview", "interviewcalibration", "interviewevents", "interviews", "json",
    "latest", "lever", "list", "lists", "manifest", "non", "note", "notes", "offers", "offer", "opportunities",
    "opportunity", "page", "pages", "panels", "part", "postings", "posting", "presence", "profile", "profiles",
    "cards", "raw", "reasons", "referrals", "report", "requisition", "requisitions", "resume", "resumes",
    "signed", "sent", "sources", "stages", "support", "tags", "templates", "txt", "users", "pdf", "docx", "doc",
    "png", "jpg", "jpeg", "jsonl", "ndjson", "tsv", "zip",
})  # fmt: skip
"""Words of a path that say nothing about a person: all others are left out where a path is shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the folder. `why` says why it cannot be read; empty for a plain file."""

    path: Path
    relative: str
    size: int
    why: str = ""

    @property
    def file_id(self) -> str:
        """A short name that holds nothing of a person, made from its place in the folder."""
        return place_id(self.relative)

    @property
    def suffix(self) -> str:
        """The ending of its name in lower case, with its dot."""
        return os.path.splitext(self.relative)[1].lower()


def place_id(relative: str) -> str:
    """f and 12 hex digits of the hash of a place: nothing of a person, and no number that looks like a phone."""
    return "f" + hashlib.sha256(os.fsencode(relative)).hexdigest()[:12]


def label(relative: str) -> str:
    """A place in the folder as it may be shown: ids become {id}, numbers #, words that may be a name become *."""
    text = UUID.sub("\0", relative)
    words = re.split(r"(\0|[^\x000-9A-Za-z\u0080-\U0010ffff]+)", text)
    return re.sub(r"\*(?:[ _.,'-]*\*)+", "*", "".join(map(_spoken, words)))


def _spoken(word: str) -> str:
    if word == "\0":
        return "{id}"
    if not word or not word[0].isalnum():
        return "".join(char if char in "/._- " else "_" for char in word)
    if word.isdigit():
        return "#"
    return word if word.casefold() in SPOKEN else "*"


def walk(folder: Path) -> Iterator[Entry]:
    """Everything below `folder`, by name; ConfigError when it is no folder that can be read.

    Links are named and never followed, so that nothing outside is read and no loop is walked.
    """
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise NotADirectoryError
        os.listdir(folder)
    except OSError as error:
        why = error.strerror or "it is no folder"
        hint = "Put the unpacked export there, or mend lever.export_folder in the params file."
        raise ConfigError(f"The folder of the export cannot be read ({why}).", hint=hint) from None
    yield from _below(folder, "", 0)


def _below(folder: Path, before: str, depth: int) -> Iterator[Entry]:
    try:
        names = sorted(os.listdir(folder), key=os.fsencode)
    except OSError as error:
        yield Entry(folder, before.rstrip("/"), 0, f"a folder that cannot be read ({error.strerror})")
        return
    for name in names:
        path, relative = folder / name, f"{before}{name}"
        try:
            about = path.lstat()
        except OSError as error:
            yield Entry(path, relative, 0, f"cannot be read ({error.strerror})")
            continue
        if stat.S_ISDIR(about.st_mode) and depth < DEEPEST:
            yield from _below(path, f"{relative}/", depth + 1)
        else:
            yield Entry(path, relative, about.st_size, _why(path, about.st_mode))


def _why(path: Path, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a link: links are never followed"
    if stat.S_ISDIR(mode):
        return f"more than {DEEPEST} folders deep"
    if not stat.S_ISREG(mode):
        return "no plain file"
    if path.name.lower().endswith(ARCHIVES):
        return "an archive: nothing is unpacked here; unpack it yourself and put the folder in its place"
    return "" if os.access(path, os.R_OK) else "may not be read"


def opened(path: Path) -> IO[bytes]:
    """The bytes of a plain file; OSError for a link or a device that has taken its place."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("no plain file")
    return os.fdopen(handle, "rb")

"""A file goes to Ashby in three calls: a handle, the bytes to its storage, the handle to the candidate.

What lies in the storage is kept for the next try of the last call: after a 429 or a lost answer neither a handle nor
the bytes, which may be many megabytes, are sent again. How long a handle may be used, and whether twice, Ashby does not
say (facts: the address lives ten minutes); one that is refused at its second use is replaced, not believed.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

from lib.errors import RejectedError, UnavailableError, UnknownOutcomeError

if TYPE_CHECKING:
    from pathlib import Path

    from lib.load import Load
    from lib.store.ledger import Planned

FILES = {"candidate.uploadFile": "fileHandle", "candidate.uploadResume": "resumeHandle"}
DENIED = 403
AT_ONE_ADDRESS = 3  # tries to put a file at one upload address while the storage cannot be reached
STORAGE_TRIES = 2  # fresh upload addresses that the storage may refuse before the file counts as refused
STORAGE_TRIES_DENIED = 8  # the same for 403, which is also how the storage says that an address has expired
KEPT_S = 300.0  # a handle older than this is not used again


class Uploads:
    """The files of one chain on their way, one after the other."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self._row_id = self._handle = ""
        self._since = 0.0
        self._is_second_use = False

    def body_of(self, row: Planned, body: dict[str, Any]) -> dict[str, Any]:
        """What is sent: `body`, or for a file the candidate and the handle of its bytes, which are stored by now.

        UnavailableError when the storage cannot be reached, RejectedError when it refuses the file.
        """
        self._is_second_use = False
        if row.kind not in FILES:
            return body
        self._is_second_use = self._row_id == row.row_id and time.monotonic() - self._since < KEPT_S
        if not self._is_second_use:
            self._handle = self._put(row.body[FILES[row.kind]]["$file"])
            self._row_id, self._since = row.row_id, time.monotonic()
        return {"candidateId": body["candidateId"], FILES[row.kind]: self._handle}

    def forget(self) -> bool:
        """A call with a handle was refused: True when it was not its first use, so that it may be to blame."""
        was_second_use, self._is_second_use, self._row_id = self._is_second_use, False, ""
        return was_second_use

    def _put(self, wanted: dict[str, Any]) -> str:
        """Put the file's bytes into Ashby's storage; its handle. Repeatable, as nothing is attached yet."""
        ask = {
            "fileUploadContext": wanted["context"],
            "filename": wanted["filename"],
            "contentType": wanted["contentType"],
            "contentLength": wanted["contentLength"],
        }
        path = self.load.store.file_path(wanted["sha256"])
        for n_refused in itertools.count(1):
            try:
                handle: dict[str, Any] = self.load.ashby.call("file.createFileUploadHandle", ask).results
            except UnknownOutcomeError as error:  # a handle that nobody uses does no harm: ask for another one
                raise UnavailableError(error.message) from None
            try:
                self._store(handle, path, wanted)
                return str(handle["handle"])
            except RejectedError as error:
                if n_refused >= (STORAGE_TRIES_DENIED if error.status == DENIED else STORAGE_TRIES):
                    raise
            self.load.rest(self.load.first_wait)
            if self.load.stopping:
                raise UnavailableError("Ashby: a file was refused by the storage, and the run stops.")
        raise AssertionError("a loop without an end has ended")

    def _store(self, handle: dict[str, Any], path: Path, wanted: dict[str, Any]) -> None:
        """Put the bytes at a presigned address; it lives for ten minutes (facts): tries go there before a new one."""
        for attempt in itertools.count():
            try:
                self.load.ashby.upload(handle, path, name=wanted["filename"], media_type=wanted["contentType"])
                break
            except UnavailableError as error:
                if attempt + 1 >= AT_ONE_ADDRESS or self.load.stopping:
                    raise
                self.load.back_off(attempt, told=error.wait)

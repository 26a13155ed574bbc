"""Files that are written whole or not at all, and a full or read-only disk told in words.

The old file stays until the new one is on disk under another name; then it takes the old one's place.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from lib.errors import StoreError

REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO, errno.EACCES, errno.EPERM)
HINT = "What was there before is unchanged. Free some disk space or make it writable, then run again."


def refused(error: OSError, path: Path) -> StoreError:
    """What to raise where the disk does not take a file."""
    return StoreError(f"{path.name} cannot be written: {error.strerror or type(error).__name__}.", hint=HINT)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """A disk that refuses becomes a StoreError that names `path`; every other error stays as it is."""
    try:
        yield
    except OSError as error:
        if error.errno in REFUSALS:
            raise refused(error, path) from None
        raise


@contextlib.contextmanager
def replaced(path: Path, *, mode: int = 0o600, durable: bool = True) -> Iterator[IO[str]]:
    """A text file that takes the place of `path` when the block ends well; StoreError when the disk is full."""
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")  # progress: many threads
    with disk_errors(path):
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                yield file
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):  # on a disk that became read-only it stays
                part.unlink(missing_ok=True)
            raise


def append(path: Path, line: str) -> None:
    """One line at the end of a private file: the whole line, or nothing of it. StoreError when the disk is full."""
    data = (line + "\n").encode()
    with disk_errors(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            before = os.fstat(handle).st_size
            written = os.write(handle, data)
            if written != len(data):
                os.ftruncate(handle, before)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(handle)

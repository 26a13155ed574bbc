"""A database for the length of one step, beside the store: what is sorted or compared may be larger than memory."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lib.errors import StoreError
from lib.store.engine import reason

SETTINGS = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32000;"


@contextlib.contextmanager
def nameless(folder: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """A new SQLite database whose name is taken away at once: nothing of it is left when the process dies.

    Nothing has to be committed. StoreError when the disk does not take what is written, anywhere in the block.
    """
    try:
        with contextlib.closing(_opened(folder)) as connection:
            connection.executescript(SETTINGS + schema)
            yield connection
    except sqlite3.Error as error:
        raise StoreError(
            f"What this step sorts and compares cannot be kept beside the store: {reason(error)}.",
            hint="Nothing that was there before has changed. Free some disk space and run the step again.",
        ) from None


def _opened(folder: Path) -> sqlite3.Connection:
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".scratch-", delete=False) as made:
        path = Path(made.name)
    try:
        connection = sqlite3.connect(path, check_same_thread=False)
        connection.execute("CREATE TABLE begun (at)")  # opens the file for good
    finally:
        path.unlink()
    return connection

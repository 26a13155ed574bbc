"""The tokens of one consent on disk: private, whole or not at all, one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lib.disk import disk_errors, replaced
from lib.errors import ConfigError, StoreError

NAME = "lever-oauth.json"
ROOM = 16 * 1024  # bytes: far more than the tokens of any vendor need


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """What one consent has given so far, to the OAuth client `client`.

    `refresh` is the refresh token in force, `previous` the one before it until `access` has worked once.
    `access` lives `life` seconds, by our own clock until `expires_at` (epoch seconds).
    """

    client: str
    refresh: str
    previous: str = ""
    access: str = ""
    life: float = 0.0
    expires_at: float = 0.0


class TokenFile:
    """`lever-oauth.json` in the folder of a customer (mode 0600), and the lock in which alone it may be changed."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._lock, self._room = folder / ".lever-oauth.lock", folder / ".lever-oauth.room"

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """No other process and no other instance reads or writes while the block runs; StoreError without a lock."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self._lock, os.O_RDONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(
                f"{self._lock.name} cannot be opened: {error.strerror}.", hint="Is the disk full?"
            ) from None
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
            except OSError as error:
                raise StoreError(f"{self._lock.name} cannot be locked: {error.strerror}.") from None
            yield
        finally:
            os.close(lock)

    def read(self) -> Tokens | None:
        """What is kept; None without a file. StoreError for a damaged one, ConfigError for one that others may read."""
        try:
            with self.path.open(encoding="utf-8") as file:
                loose = os.fstat(file.fileno()).st_mode & 0o077
                found = _tokens(json.load(file))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise StoreError(
                f"{NAME} is damaged.", hint=f"Ask for consent anew: `workbook connect {self.path.parent.name}`."
            ) from None
        except OSError as error:
            raise StoreError(f"{NAME} cannot be read: {error.strerror}.") from None
        if loose:
            raise ConfigError(f"{NAME} may be read by other users.", hint=f"Run: chmod 600 {self.path}")
        return found

    def write(self, tokens: Tokens) -> None:
        """Keep `tokens` durably: when this returns, a power failure does not lose them. StoreError leaves the old."""
        with disk_errors(self.path):
            self._room.unlink(missing_ok=True)
        with replaced(self.path) as file:
            json.dump(asdict(tokens), file)
        with disk_errors(self.path):
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)  # the new name, too
            finally:
                os.close(folder)

    @contextlib.contextmanager
    def room(self) -> Iterator[None]:
        """Hold so much of the disk free for `write` while the block runs; StoreError where there is not so much.

        Lever ends a refresh token when it gives the next one: what could not be written would be lost.
        """
        try:
            with disk_errors(self.path), self._opened_room() as file:
                file.write(os.urandom(ROOM))  # no disk can store it in less
                file.flush()
                os.fsync(file.fileno())
            yield
        finally:
            with contextlib.suppress(OSError):  # on a disk that became read-only it stays
                self._room.unlink(missing_ok=True)

    def _opened_room(self) -> Any:
        return os.fdopen(os.open(self._room, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _tokens(about: dict[str, Any]) -> Tokens:
    """The content of the file; ValueError or TypeError for any other content."""
    found = Tokens(**about)
    texts = (found.client, found.refresh, found.previous, found.access)
    if not all(isinstance(one, str) for one in texts) or not found.refresh:
        raise ValueError("not tokens")
    return Tokens(*texts, life=float(found.life), expires_at=float(found.expires_at))

"""Writes of several threads in one commit: the disk takes many rows as fast as one, and it is what a load waits for.

A write returns when it is on disk, and not before; those that come while a commit is under way share the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from lib.errors import StoreError

Work = Callable[[Connection], None]


class _Write:
    """What one thread wants to have written, and what became of it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.is_over = False
        self.error: BaseException | None = None


class Together:
    """Write transactions that are shared; `begin` opens one."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin
        self._change = threading.Condition()
        self._waiting: list[_Write] = []
        self._is_busy = False

    def write(self, work: Work) -> None:
        """Have `work` write into a transaction, alone or beside others; return when it is on disk.

        StoreError when it cannot be written: then nothing of it is. What the database refuses takes no other with it.
        """
        mine, batch = _Write(work), list[_Write]()
        with self._change:
            self._waiting.append(mine)
            self._change.wait_for(lambda: mine.is_over or not self._is_busy)
            if not mine.is_over:
                batch, self._waiting, self._is_busy = self._waiting, [], True
        if batch:
            try:
                self._commit(batch)
            finally:
                with self._change:
                    self._is_busy = False
                    for one in batch:
                        one.is_over = True
                    self._change.notify_all()
        if mine.error is not None:
            raise mine.error

    def _commit(self, batch: list[_Write]) -> None:
        """All of them at once; where the database refuses that, one by one: each has an outcome of its own."""
        try:
            with self._begin() as connection:
                for one in batch:
                    one.work(connection)
        except StoreError as error:
            if len(batch) == 1:
                batch[0].error = error
            else:
                for one in batch:
                    self._commit([one])
        except BaseException as error:
            for one in batch:
                one.error = error
            raise

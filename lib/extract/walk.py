"""What one extraction works with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from lib.extract.outage import Storage
from lib.lever import Lever
from lib.store import Store

Progress = Callable[[int, int | None, str], None]
CHILDREN = ("notes", "feedback", "resumes", "files", "forms", "offers", "interviews", "referrals")


@dataclass(frozen=True, slots=True)
class Extract:
    """What the walk needs: the store, the client, how confidential data is asked for, how many workers."""

    store: Store
    lever: Lever
    confidentiality: str = "all"
    proven: bool = False  # confidential records were answered to this key
    workers: int = 8
    reread: bool | str = False  # child lists that are read again: not every change moves updatedAt
    reread_ms: int = 24 * 3_600_000  # a reread that was cut off and began longer ago begins anew; 0: it always goes on
    may_shrink: bool = False  # somebody has said that so many opportunities were really deleted
    progress: Progress = lambda done, total, note: None
    child_lists: tuple[str, ...] = CHILDREN
    file_ms: int = 20 * 3_600_000  # what Lever cannot deliver is asked for again after so long: another occasion
    unread: Counter[str] = field(default_factory=Counter)  # how often an opportunity's lists were set aside in this run
    storage: Storage = field(default_factory=Storage)  # whether the bytes of files come at all, in this run

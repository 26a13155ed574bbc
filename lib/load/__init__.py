"""Step 5: the plan goes to Ashby, each row exactly once, whatever dies when.

planned ─▶ intended ─▶ done          the answer says success
                   ├─▶ refused       it says success:false: set aside; what hangs on it waits; the run goes on
                   ├─▶ again         surely not applied (never reached, 429): sent again, later
                   └─▶ unknown       the answer was lost or odd, or we died here
unknown ─▶ look up by fingerprint ─▶ one hit: adopted, done · none after the settling delay: sent again · more: parked

The intention is committed before the first byte leaves; the outcome is committed before anything else of that row.
People are independent chains, worked on by a pool; fields, tags and jobs come before them. A chain whose needs are
still under way (a field of which it must first be found out whether it was made) waits, and only such a chain does.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.ashby import Ashby
from lib.errors import FatalError, RejectedError, StoreError
from lib.load.chain import UNSURE, Chain
from lib.load.cost import left
from lib.load.links import Links
from lib.load.places import Places
from lib.load.privacy import settle_exposed
from lib.load.sampling import sample
from lib.pool import run_all
from lib.store import Store, dumps, now_ms, unfinished
from lib.store.ledger import HELD, Entry, Ledger, Planned

Progress = Callable[[int, int | None, str], None]
FINISHED = 100  # people who leave the unfinished in one commit
SPARE = 3  # chains per worker that may wait for a look-up while the worker goes on with another one
SET_UP = ("link", "customField.create", "customField.updateSelectableValues", "candidateTag.create")


@dataclass
class Load:
    """What a load needs. `settle_s` is how long a write may take to become visible, in seconds."""

    store: Store
    ashby: Ashby
    workers: int = 8
    settle_s: float = 20.0
    refusal_budget: int = 25
    progress: Progress = lambda done, total, note: None
    people: set[str] | None = None  # only these; None for all
    retry_refused: bool = False  # send again what Ashby has refused
    verdicts: Mapping[str, str] = field(default_factory=dict)  # {row id: an Ashby id, or "again"} of parked rows
    first_wait: float = 1.0  # seconds before a call that was not applied is sent again; doubles
    fail_at: Callable[[str, Planned], None] = lambda moment, row: None  # a seam for the proofs: die at any effect
    ledger: Ledger = field(init=False)
    links: Links = field(init=False)
    preexisting: set[str] = field(init=False, default_factory=set)  # candidates that are not ours
    before: set[str] = field(init=False, default_factory=set)  # fields, tags and jobs from before the plan
    stopping: bool = field(init=False, default=False)  # something went wrong: nothing is sent any more
    began_ms: int = field(init=False, default_factory=now_ms)
    refusals: Counter[tuple[str, str]] = field(init=False, default_factory=Counter)
    done: int = field(init=False, default=0)
    total: int = field(init=False, default=0)
    _shown: dict[str, int] = field(init=False, default_factory=dict)  # by kind: up to which moment look-ups show it
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)
    _finished: list[str] = field(init=False, default_factory=list)  # people whose chain has ended
    _under_way: set[str] = field(init=False, default_factory=set)  # set-up rows whose chain has not ended
    _ended: threading.Condition = field(init=False, default_factory=threading.Condition)
    _places: Places = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.store)
        self.links = Links(self.ledger)
        self.preexisting = self.ledger.strangers("candidates")
        self.before = self.ledger.before_us()
        self._places = Places(self.workers)

    def filled(self, value: Any) -> Any:
        """A body with the Ashby ids of what it refers to; KeyError names a link that nothing has yielded yet."""
        if isinstance(value, dict):
            if "$link" in value:
                return self.links[value["$link"]]
            return {key: self.filled(child) for key, child in value.items()}
        return [self.filled(child) for child in value] if isinstance(value, list) else value

    def work(self, chains: Iterable[Any], do: Callable[[Any], int]) -> Iterator[int]:
        """Results of `do(chain)`, `workers` at a time; those that wait for a look-up leave their place to others."""

        def one(rows: Any) -> int:
            with self._places:
                if self.stopping:
                    return 0
                try:
                    return do(rows)
                except BaseException:
                    self._stop()
                    raise

        threads = self.workers * (1 + SPARE) if self.workers > 1 else 1
        return run_all(chains, one, workers=threads)

    def rest(self, seconds: float) -> None:
        """Wait, at most until the run stops; the place among the workers is somebody else's meanwhile."""
        if seconds <= 0:
            return
        with self._places.left():
            self.pause(seconds)

    def pause(self, seconds: float) -> None:
        """Wait, at most until the run stops, and keep the place."""
        with self._ended:
            self._ended.wait_for(lambda: self.stopping, timeout=seconds)

    def back_off(self, attempt: int, *, told: float | None = None) -> None:
        """Wait as the vendor has told (seconds), or ever longer, with jitter, before the next try."""
        seconds = told if told is not None else min(self.first_wait * 2**attempt, 60.0)
        self.pause(seconds + random.random() * min(seconds, 1.0))

    def shown(self, kind: str) -> int:
        """When (ms) the latest of this kind that a look-up has shown was first sent; 0 for none."""
        return self._shown.get(kind, 0)

    def show(self, kind: str, first_ms: int) -> None:
        """A look-up has shown something of this kind that was first sent at `first_ms`."""
        with self._lock:
            self._shown[kind] = max(first_ms, self.shown(kind))

    def begin(self, rows: Iterable[Planned]) -> None:
        """Set-up rows that others may need: until their chain has ended, those others wait."""
        self._under_way |= {row.row_id for row in rows}

    def end(self, rows: Iterable[Planned]) -> None:
        """A chain of set-up rows has ended, well or not."""
        with self._ended:
            self._under_way -= {row.row_id for row in rows}
            self._ended.notify_all()

    def wait_for(self, needs: set[str]) -> None:
        """Wait until none of the rows `needs` is under way in another chain; the place goes to somebody else meanwhile.

        Chains are begun in the order of the plan, so whatever is waited for has a thread of its own.
        """
        if not needs & self._under_way:
            return
        with self._places.left(), self._ended:
            self._ended.wait_for(lambda: self.stopping or not needs & self._under_way)

    def _stop(self) -> None:
        with self._ended:
            self.stopping = True
            self._ended.notify_all()

    def refused(self, row: Planned, error: RejectedError) -> None:
        """Count a refusal of one class; past the budget the whole run stops."""
        with self._lock:
            self.refusals[row.kind, error.code] += 1
            is_over = self.refusals[row.kind, error.code] > self.refusal_budget
        if is_over:
            n_same = self.refusal_budget + 1  # and perhaps those that were under way
            raise FatalError(
                f"Ashby has refused {n_same} calls of {row.kind} with the same code ({error.code or 'none'}).",
                hint="That is more than chance. If it lies in what was sent (too long, too large, a closed job), run "
                "04_map: it proposes in refusals.csv what to do without. If it is mended in Ashby, run 05_load with "
                "--retry-refused (in the notebook: retry_refused = True). ashby.refusal_budget is how many are borne.",
                code=error.code,
                request_id=error.request_id,
            )

    def settled(self, n_rows: int = 1) -> None:
        """Report rows that have an outcome."""
        with self._lock:
            self.done = done = min(self.done + n_rows, self.total or self.done + n_rows)
        self.progress(done, self.total, self.ashby.transport.pacer.waiting_for)

    def finished(self, person: str) -> None:
        """A chain has ended. Many at a time leave the unfinished; if we die before, they are looked at once more."""
        with self._lock:
            self._finished.append(person)
            ended = [] if len(self._finished) < FINISHED else self._finished
            self._finished = self._finished if not ended else []
        self.ledger.finish(ended)


def dry_run(store: Store, *, retry_refused: bool = False) -> Counter[str]:
    """{endpoint: calls} of the rows that a run with `execute` would send, without sending them."""
    return left(Ledger(store), people=None, retry_refused=retry_refused).calls


def run(load: Load) -> dict[str, Any]:
    """Send what is not yet done; returns counts by kind and state, and how many writes were made."""
    unfinished.ensure(load.store)
    load.total = load.ledger.n_rows()
    load.done = max(0, load.total - unfinished.n_rows(load.store))  # what else is done, each chain tells when it begins
    load.progress(load.done, load.total, "")
    settle_exposed(load)
    writes = _send_all(load)
    load.store.put_results("load", "conflicts", load.ledger.conflicts())
    counts = load.ledger.counts()
    return {"counts": counts, "n_writes": writes}


def settle_open(load: Load) -> list[Planned]:
    """Find out what became of every write without an outcome; returns the rows that only a person can clear up.

    Must come before people are compared with Ashby and before a plan is replaced: what an earlier run wrote and did not
    live to record would look like a stranger's.
    """
    settle_exposed(load)
    groups: dict[str, list[tuple[Planned, Entry]]] = {}
    for row, entry in load.ledger.entries(*UNSURE):
        if entry.code not in HELD:
            groups.setdefault(row.person or row.row_id, []).append((row, entry))
    for _ in load.work(list(groups.values()), lambda rows: Chain(load).clear_up(rows)):
        load.progress(load.done, load.total, "looking up writes without an outcome")
    return [row for row, entry in load.ledger.entries("parked") if entry.code not in HELD]


def _send_all(load: Load) -> int:
    """Set-up rows, then people, in one go; returns how many writes were sent."""
    rows = list(load.ledger.rows(""))
    load.begin(rows)
    pending = (one for one in unfinished.people(load.store, refused=load.retry_refused) if one and _wanted(load, one))

    def carry_out(one: list[Planned] | str) -> int:
        if isinstance(one, str):
            n_writes = Chain(load).run(list(load.ledger.rows(one)))
            load.finished(one)
            return n_writes
        try:
            return Chain(load).run(one)
        finally:
            load.end(one)

    writes = sum(load.work(itertools.chain(_chains(rows), pending), carry_out))
    load.ledger.finish([*load._finished, ""])
    return writes


def _wanted(load: Load, person: str) -> bool:
    return load.people is None or person in load.people


def _chains(rows: list[Planned]) -> list[list[Planned]]:
    """Set-up rows as chains: first fields and tags, then jobs with their values and states.

    Rows of one object make one chain; jobs that look alike share one, so that a look-up cannot take a sibling's.
    """
    rows = sorted(rows, key=lambda row: row.kind not in SET_UP)  # keeps the order of the plan otherwise
    alike = {row.lever_id: dumps(row.body) for row in rows if row.kind == "job.create"}
    chains: dict[tuple[str, str], list[Planned]] = {}
    for row in rows:
        chains.setdefault((row.lever_type, alike.get(row.lever_id, row.lever_id)), []).append(row)
    return list(chains.values())


__all__ = ["Load", "StoreError", "dry_run", "run", "sample", "settle_open"]

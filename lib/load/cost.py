"""What rows of a plan cost in calls by endpoint, when nothing goes wrong: each row one, files three, some a look first.

Not foreseen: what already stands on people who were in Ashby before us is found out when they are read, and is then
not written; answers that are lost or refused cost look-ups and tries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from functools import cache
from typing import Any, NamedTuple

from lib import contract
from lib.load.guard import AMENDMENTS, READS
from lib.load.uploads import FILES
from lib.store import unfinished
from lib.store.ledger import Ledger

OPTIONS = "customField.list"  # which options a field has, before some are added
UPLOAD = "(storage) upload"  # to another host: not in Ashby's allowance
LOOKED_AT = {"candidate.addTag": "candidate.info", "job.setStatus": "job.info"}


class Left(NamedTuple):
    """What a run would send now: {endpoint: calls}, and how many of its rows are of people, and of nobody."""

    calls: Counter[str]
    of_people: int
    of_nobody: int


def calls_of(rows: Iterable[Any], *, adopted: Set[str]) -> Counter[str]:
    """{endpoint: calls} of rows of a plan; `adopted` as `adopted_in` gives it."""
    calls: Counter[str] = Counter()
    for row in rows:
        calls.update(_calls_of_kind(row.kind, 1))
        if row.kind in _looks() and (row.person in adopted or row.lever_id in adopted):
            calls.update(_look(row))
    return calls


def _calls_of_kind(kind: str, n_rows: int) -> dict[str, int]:
    """What rows of a kind ask, whatever they say."""
    if kind == "link":
        return {}
    if kind in FILES:
        return {kind: n_rows, "file.createFileUploadHandle": n_rows, UPLOAD: n_rows}
    return {kind: n_rows} | ({OPTIONS: n_rows} if kind == "customField.updateSelectableValues" else {})


@cache
def _looks() -> frozenset[str]:
    """Kinds of which some rows are preceded by a look at what stands there."""
    sets = {kind for kind in contract.ashby_endpoints() if contract.effect(kind) == "set"}
    return frozenset(sets - FILES.keys() - {"customField.updateSelectableValues"})


def _look(row: Any) -> list[str]:
    """The endpoint that is asked how an object stands, before a value is set on one that was there before us."""
    if row.kind == "customField.setValues":
        return [READS[row.body["objectType"]][0]]
    if row.kind in AMENDMENTS:
        return ["candidate.info" if row.kind == "candidate.update" else "application.info"]
    return [LOOKED_AT[row.kind]] if row.kind in LOOKED_AT else []


def adopted_in(rows: Iterable[Any]) -> set[str]:
    """Whom and what the rows only link: people and objects that are in Ashby already."""
    return {row.person or row.lever_id for row in rows if row.kind == "link"}


def before_the_first(*, user_pages: int) -> Counter[str]:
    """Calls of a first load besides its rows: which organization is it, and is the store older than what stands there?

    The second question costs a look for what has changed since, and one for the first person (by search, by what was
    added lately, by the moment).
    """
    return Counter({"user.list": user_pages, "candidate.list": 3, "candidate.search": 1})


def left(ledger: Ledger, *, people: Set[str] | None, retry_refused: bool) -> Left:
    """What a run would send now, of these people only (None: of all, which is counted in the database)."""
    calls, seen = Counter[str](), Counter[bool]()
    if people is not None:
        adopted = adopted_in(ledger.rows_of_kind("link"))
        for row in _pending(ledger, people, retry_refused=retry_refused):
            calls.update(calls_of([row], adopted=adopted))
            seen[bool(row.person)] += 1
        return Left(calls, seen[True], seen[False])
    for kind, is_of_people, n_rows in unfinished.kinds(ledger.store, refused=retry_refused):
        calls.update(_calls_of_kind(kind, n_rows))
        seen[is_of_people] += n_rows
    for row in unfinished.of_linked(ledger.store, _looks(), refused=retry_refused):
        calls.update(_look(row))
    return Left(calls, seen[True], seen[False])


def _pending(ledger: Ledger, people: Set[str], *, retry_refused: bool) -> Iterator[Any]:
    """The open rows of these people, and of nobody."""
    states = ("done",) if retry_refused else ("done", "refused")
    batch: list[Any] = []
    for row in ledger.rows():
        batch.append(row)
        if len(batch) == 500:
            yield from _open(ledger, batch, states, people)
            batch = []
    yield from _open(ledger, batch, states, people)


def _open(ledger: Ledger, rows: list[Any], states: tuple[str, ...], people: Set[str]) -> Iterator[Any]:
    entries = ledger.of(rows)
    for row in rows:
        entry = entries.get(row.row_id)
        closed = entry is not None and entry.state in states and entry.body_hash == row.body_hash
        if not closed and (not row.person or row.person in people):
            yield row

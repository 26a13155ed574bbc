"""What rows of a plan cost in calls by endpoint, when nothing goes wrong: each row one, files three, some a look first.

Not foreseen: what already stands on people who were in Ashby before us is found out when they are read, and is then
not written; answers that are lost or refused cost look-ups and tries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from typing import Any

from lib import contract
from lib.load.guard import AMENDMENTS, READS
from lib.load.uploads import FILES
from lib.store.ledger import Ledger

UPLOAD = "(storage) upload"  # to another host: not in Ashby's allowance
LOOKED_AT = {"candidate.addTag": "candidate.info", "job.setStatus": "job.info"}


def calls_of(rows: Iterable[Any], *, adopted: Set[str]) -> Counter[str]:
    """{endpoint: calls} of rows of a plan; `adopted` as `adopted_in` gives it."""
    calls: Counter[str] = Counter()
    for row in rows:
        if row.kind == "link":
            continue
        calls[row.kind] += 1
        if row.kind in FILES:
            calls["file.createFileUploadHandle"] += 1
            calls[UPLOAD] += 1
        elif row.kind == "customField.updateSelectableValues":
            calls["customField.list"] += 1
        elif contract.effect(row.kind) == "set" and (row.person in adopted or row.lever_id in adopted):
            calls.update(_look(row))
    return calls


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


def pending(ledger: Ledger, *, people: Set[str] | None, retry_refused: bool) -> Iterator[Any]:
    """The rows that a run would send now, of these people only (None: of all)."""
    states = ("done",) if retry_refused else ("done", "refused")
    batch: list[Any] = []
    for row in ledger.rows():
        batch.append(row)
        if len(batch) == 500:
            yield from _open(ledger, batch, states, people)
            batch = []
    yield from _open(ledger, batch, states, people)


def _open(ledger: Ledger, rows: list[Any], states: tuple[str, ...], people: Set[str] | None) -> Iterator[Any]:
    entries = ledger.of(rows)
    for row in rows:
        entry = entries.get(row.row_id)
        closed = entry is not None and entry.state in states and entry.body_hash == row.body_hash
        if not closed and (people is None or not row.person or row.person in people):
            yield row

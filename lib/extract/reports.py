"""What an extraction says of Lever's answers: what nobody expected, what lists have hidden, what may be out of date."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from lib import contract
from lib.extract import aside
from lib.extract.drift import Drift
from lib.extract.files import still_there
from lib.store import NO_BYTES, Store
from lib.store.heads import known, with_ages

LISTS_404 = "extract.resume_lists"  # what was answered where résumés were asked for, since all were read last
MANY = 50  # so many résumé lists in a row are not 404 by chance, and so many files not without bytes
SHARE = 0.5  # of all files of a stream
UNSEEN = "edited feedback; new, changed or deleted files, forms, offers, interviews"


def lively(opportunity: dict[str, Any], since: int) -> bool:
    """Whether an opportunity is active, or was archived or changed after `since`: its child lists may still change.

    Lever's own advice for a cut-over; all others change so rarely that only a reading of all lists finds it.
    """
    archived = opportunity.get("archived")
    ended = not archived or (archived.get("archivedAt") or since) >= since
    return ended or (opportunity.get("updatedAt") or 0) >= since


def report_ages(store: Store, since: int) -> None:
    """How old the child lists are that change without a word: {lists, lively, n_opportunities, oldest_ms, oldest}.

    An ordinary run reads those of new and changed opportunities; what does not move updatedAt it cannot see. Those
    of which a list is set aside have no age: they are told by themselves.
    """
    unread, n_read = aside.known(store), Counter[bool]()
    oldest: dict[bool, int] = {}
    for item, at_ms in with_ages(store, "opportunities", "children"):
        if item["id"] in unread:
            continue
        key = lively(item, since)
        n_read[key] += 1
        oldest[key] = min(at_ms, oldest.get(key, at_ms))
    names = {True: "of candidacies that are active or changed lately", False: "of all others"}
    rows = [
        {
            "lists": names[key], "lively": key, "n_opportunities": n_read[key], "may_lack": UNSEEN,
            "oldest_ms": oldest[key], "oldest": _minute(oldest[key]),
        }
        for key in names
        if key in oldest
    ]  # fmt: skip
    store.put_results("extract", "ages", rows)


def _minute(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def report_absent(store: Store) -> None:
    """Name the files whose bytes are not here, each with its reason, and how often it was asked for.

    Those that are here and were kept with a doubt are named by themselves: another size than Lever tells, or other
    bytes at each download. A person looks at each.
    """
    absent = (row for row in store.files() if row.state != "stored")
    rows = [
        {
            "stream": row.stream, "lever_id": row.lever_id, "opportunity": row.opportunity_id, "state": row.state,
            "reason": row.reason, "attempts": row.attempts, "last_try": _minute(row.at_ms),
            "final": row.is_final,
        }
        for row in still_there(store, absent)
    ]  # fmt: skip
    store.put_results("extract", "absent", rows)
    doubtful = (row for row in store.files() if row.state == "stored" and row.reason)
    rows = [
        {"stream": row.stream, "lever_id": row.lever_id, "opportunity": row.opportunity_id, "bytes": row.size}
        | {"reason": row.reason}
        for row in still_there(store, doubtful)
    ]
    store.put_results("extract", "doubtful", rows)


def undelivered(store: Store) -> list[tuple[str, int, int]]:
    """(stream, files that Lever has no bytes of, all files) where that is no matter of single files any more.

    Half of a stream, and more than fifty files: what Lever cannot process, or has lost, is a few in a hundred. A key
    that lacks a right, or a storage that is broken, answers 404 for all of them, or for all of some years.
    """
    lacking, n_all = Counter[str](), Counter[str]()
    for row in still_there(store, store.files()):
        n_all[row.stream] += 1
        lacking[row.stream] += row.state == "unavailable" and row.reason != NO_BYTES
    found = [(stream, n, n_all[stream]) for stream, n in sorted(lacking.items())]
    return [(stream, n, n_files) for stream, n, n_files in found if n > MANY and n >= SHARE * n_files]


def report_drift(store: Store) -> None:
    """Count what Lever sent and our contract does not know (attributes, values, types): kept raw, and said."""
    rows = []
    for stream in contract.lever_objects():
        drift = Drift(stream)
        for item in store.all(stream):
            drift.look(item)
        rows += drift.rows()
    n_absent = (store.meta(LISTS_404) or {}).get("told", 0)
    if n_absent:
        what = "404 for every opportunity: may the key read résumés? If it is mended, read with reread = 'all'"
        rows.append({"stream": "resumes", "attribute": "(list)", "what": what, "n_records": n_absent, "ids": ""})
    store.put_results("extract", "drift", rows)


def count_resume_lists(store: Store, absent: list[bool]) -> None:
    """Remember how many more résumé lists were read, and how many answered 404 (True), which is read as "no résumé".

    Where all of very many do, it may be the key's lack of a right: that stays told until all lists are read again.
    """
    if absent:
        known = store.meta(LISTS_404) or {"read": 0, "absent": 0, "told": 0}
        n_read, n_absent = known["read"] + len(absent), known["absent"] + sum(absent)
        told = n_absent if n_absent == n_read and n_read > MANY else known["told"]
        store.put_meta(LISTS_404, {"read": n_read, "absent": n_absent, "told": told})
        absent.clear()


def report_unlisted(store: Store) -> None:
    """Name what the last reading of a list did not show, and was kept.

    Of candidates Lever still gives it by its id; of the account's short lists that is not asked.
    """
    rows = store.results("extract", "unlisted_lists")
    for parent, names in store.windows("unlisted").items():
        for stream, _, lever_id in (name.partition("/") for name in names.split()):
            rows.append({"stream": stream, "lever_id": lever_id, "opportunity": parent or lever_id})
    store.put_results("extract", "unlisted", rows)


def report_gone(store: Store) -> None:
    """Name the opportunities that Lever does not give any more, and does not name as deleted either."""
    ids = sorted(store.windows("gone"))
    explained = known(store, "opportunities", ids) | known(store, "opportunities_deleted", ids)
    store.put_results("extract", "gone", [{"lever_id": one} for one in ids if one not in explained])

"""What an extraction says of Lever's answers: what nobody expected, and what lists have hidden."""

from __future__ import annotations

from collections import Counter

from lib import contract
from lib.store import Store


def report_drift(store: Store) -> None:
    """Count the attributes that Lever sent and our contract does not know: kept raw, and said."""
    rows = []
    for stream in contract.lever_objects():
        counts: Counter[str] = Counter()
        for item in store.all(stream):
            counts.update(contract.unknown_attributes(stream, item))
        rows += [{"stream": stream, "attribute": name, "n_records": n} for name, n in sorted(counts.items())]
    store.put_results("extract", "drift", rows)


def report_unlisted(store: Store) -> None:
    """Name what the last reading of a list did not show although Lever still gives it by its id: it was kept."""
    rows = []
    for parent, names in store.windows("unlisted").items():
        for stream, _, lever_id in (name.partition("/") for name in names.split()):
            rows.append({"stream": stream, "lever_id": lever_id, "opportunity": parent or lever_id})
    store.put_results("extract", "unlisted", rows)


def report_gone(store: Store) -> None:
    """Name the opportunities that Lever does not give any more, and does not name as deleted either."""
    explained = {*store.head_shas("opportunities"), *store.head_shas("opportunities_deleted")}
    ids = sorted(set(store.windows("gone")) - explained)
    store.put_results("extract", "gone", [{"lever_id": one} for one in ids])

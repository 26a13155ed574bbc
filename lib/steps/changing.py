"""What has changed between a plan and the one before it, and why: told whenever a new plan takes an old one's place."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lib import __version__
from lib.decisions import DecisionTable
from lib.normalize import csv_safe
from lib.steps.target import LISTS
from lib.store import Store
from lib.store.compared import EXAMPLES, Change, Row, changes, newer_than, summed
from lib.store.ledger import Ledger
from lib.store.looks import hash_of, newest_raw
from lib.workbook import Workbook

FILE = "reports/plan-changes.csv"


def compare(book: Workbook, rows: Iterable[Row], *, plan_hash: str, inputs: Mapping[str, Any]) -> None:
    """Keep what distinguishes `rows`, the plan that is about to take effect, from the one in force, and why.

    Nothing when there is none yet, or when it is the same. Each row stands in `reports/plan-changes.csv`.
    """
    before = Ledger(book.store).plan_hash()
    if not before or before == plan_hash:
        return
    with book.private_file(FILE) as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["change", "kind", "lever_type", "lever_id", "person", "members", "row_id"])
        found = summed(_written(changes(book.store, rows), writer))
    book.store.put_results("map", "plan_changes", found)
    known = book.store.meta("map.inputs") or {}
    why = causes(book.store, known, inputs) if known.get("hash") == before else []
    book.store.put_results("map", "plan_causes", why)
    book.store.put_meta("map.compared", {"before": before, "now": plan_hash})


def _written(found: Iterable[Change], writer: Any) -> Iterator[Change]:
    for one in found:
        cells = (one.what, one.kind, one.lever_type, one.lever_id, one.person, " ".join(one.members), one.row_id)
        writer.writerow([csv_safe(cell) for cell in cells])
        yield one


def inputs_of(book: Workbook, tables: Mapping[str, DecisionTable]) -> dict[str, Any]:
    """What a plan is made of: verdicts, policy, and up to which answer of Lever. Ids and labels, no personal data."""
    return {
        "verdicts": {name: _verdicts(table) for name, table in {**tables, "people": book.table("people")}.items()},
        "policy": book.params.policy.model_dump(mode="json"),
        "raw_id": newest_raw(book.store),
        "ashby": {kind: hash_of(book.store.ashby(kind)) for kind in LISTS},
        "loaded_ms": Ledger(book.store).last_ms(),
        "version": __version__,
    }


def remember(book: Workbook, inputs: Mapping[str, Any], *, plan_hash: str) -> None:
    """Keep what the plan that has just taken effect is made of."""
    book.store.put_meta("map.inputs", {"hash": plan_hash, **inputs})


def _verdicts(table: DecisionTable) -> dict[str, list[str]]:
    names = [name for name in table.columns if name.endswith("verdict")]
    return {row["id"]: [row.get(name, "") for name in names] for row in table.rows if any(map(row.get, names))}


def causes(store: Store, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of {where, what, n, examples}: what differs between the inputs of two plans of one customer."""
    found = []
    for name in sorted(before["verdicts"].keys() | now["verdicts"].keys()):
        old, new = before["verdicts"].get(name, {}), now["verdicts"].get(name, {})
        ids = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        found += [_cause(f"{name}.csv", "verdicts", len(ids), ids)] if ids else []
    for name in sorted(before["policy"].keys() | now["policy"].keys()):
        if before["policy"].get(name) != now["policy"].get(name):
            found.append(_cause(f"policy.{name}", "settings", 1, []))
    for stream, n in newer_than(store, before["raw_id"]).items():
        found.append(_cause(f"Lever, {stream}", "records that came, changed or went", n, []))
    for kind, content in now["ashby"].items():
        if before["ashby"].get(kind) != content:
            found.append(_cause(f"Ashby, {kind}", "lists that others have changed", 1, []))
    if before["loaded_ms"] != now["loaded_ms"]:
        found.append(_cause("05_load", "loads since: what was carried out stays as it was sent", 1, []))
    if before["version"] != now["version"]:
        found.append(_cause("this workbook", f"versions: {before['version']}, now {now['version']}", 1, []))
    return found


def _cause(where: str, what: str, n: int, ids: list[str]) -> dict[str, Any]:
    return {"where": where, "what": what, "n": n, "examples": ids[:EXAMPLES]}

"""What a recovery found: counts by kind, what a person must clear up, what nobody planned, marks that were changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lib.recover.world import World
from lib.store import Store, marks
from lib.store.ledger import AMBIGUOUS, Ledger

Row = dict[str, Any]
COLUMNS = {
    "marker": "by mark", "title": "by mark", "name": "by mark", "fingerprint": "by looks", "records": "by records",
    "crosswalk": "by records", "state": "as it stands", "link": "before us",
}  # fmt: skip
SHOWN = ("by mark", "by looks", "by records", "as it stands", "before us", "not there", "for a person")


@dataclass(frozen=True)
class Report:
    """`counts`: one row per kind; `ambiguous`: {row_id, note}; `surplus` and `changed`: {object, lever_id, ashby_id}.

    `merged`: {row_id, note} of people who were found at somebody else's candidate.
    """

    counts: list[Row]
    ambiguous: list[Row]
    surplus: list[Row]
    changed: list[Row]
    merged: list[Row]


def lines(found: Report, *, limit: int = 20) -> Iterator[str]:
    """A report as lines of text: ids and counts only."""
    for row in found.counts:
        told = ", ".join(f"{row[name]:,} {name}" for name in SHOWN if row[name])
        yield f"  {row['kind']:<34} {told}"
    for title, rows in (
        ("For a person (docs/what-if.md says what to do)", found.ambiguous),
        ("In Ashby with a Lever id, and not in the plan", found.surplus),
        ("Carries another Lever id than it should", found.changed),
        ("Found at the candidate of somebody else", found.merged),
    ):
        if rows:
            yield f"{title}: {len(rows):,}"
            yield from ("  " + "  ".join(map(str, row.values())) for row in rows[:limit])
            if len(rows) > limit:
                yield f"  … and {len(rows) - limit:,} more"


def report(store: Store, world: World) -> Report:
    """The report of the recovery of this store, whatever run has found which part of it."""
    ledger = Ledger(store)
    planned: dict[str, set[str]] = defaultdict(set)
    for row in ledger.rows():
        planned[row.lever_type].add(row.lever_id)
        if row.person:
            planned["person"].add(row.person)
    found = marks.found(store)
    ambiguous = [
        {"row_id": row.row_id, "note": entry.note} for row, entry in ledger.entries("parked") if entry.code == AMBIGUOUS
    ]
    merged = [{"row_id": row_id, "note": note} for row_id, note in marks.merged(store)]
    return Report(
        _counts(ledger, found, len(ambiguous)), ambiguous, list(_surplus(store, world, planned)),
        list(_changed(store, world, ledger)), merged,
    )  # fmt: skip


def _counts(ledger: Ledger, found: list[tuple[str, str, int]], n_ambiguous: int) -> list[Row]:
    rows: dict[str, Row] = {}
    for kind, state, n_rows in ledger.counts():
        row = rows.setdefault(kind, {"kind": kind, **dict.fromkeys(SHOWN, 0)})
        name = {"planned": "not there", "parked": "for a person"}.get(state)
        if name:
            row[name] += n_rows
    for kind, how, n_rows in found:
        rows[kind][COLUMNS[how]] += n_rows
    return [rows[kind] for kind in sorted(rows)]


def _surplus(store: Store, world: World, planned: dict[str, set[str]]) -> Iterator[Row]:
    """Objects with a mark of ours that no row of the plan stands for."""
    person_of = {row["contact"]: row["person"] for row in store.members()}
    held = set(Ledger(store).links().values()) - marks.marks(store).keys()
    for name, index, known in (
        (
            "candidate",
            world.by_contact,
            planned["person"] | {c for c, p in person_of.items() if p in planned["person"]},
        ),
        ("application", world.by_opportunity, planned["opportunity"]),
        ("job", world.by_posting, planned["posting"]),
    ):
        for lever_id, keys in sorted(index.items()):
            if lever_id not in known:
                yield from ({"object": name, "lever_id": lever_id, "ashby_id": key} for key in keys if key not in held)
    forms = {one.ashby_id: sorted(one.markers) for group in world.feedback.values() for one in group if one.markers}
    yield from _texts(store, "feedback", forms.items())
    yield from _texts(store, "note", ((one["note"], [one["marker"]]) for one in store.ashby("marked_notes")))


def _texts(store: Store, name: str, found: Iterable[tuple[str, list[str]]]) -> Iterator[Row]:
    texts = dict(found)
    for key in sorted(texts.keys() - marks.known_ids(store, texts)):
        yield {"object": name, "lever_id": " ".join(texts[key]), "ashby_id": key}


def _changed(store: Store, world: World, ledger: Ledger) -> Iterator[Row]:
    """Objects that are ours, and whose mark names something else than it should."""
    members: dict[str, set[str]] = defaultdict(set)
    for row in store.members():
        members[row["person"]].add(row["contact"])
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for link, key in ledger.links().items():
        kind, _, lever_id = link.partition(":")
        wanted[kind, key] |= members.get(lever_id, {lever_id}) if kind == "candidate" else {lever_id}
    for (kind, key), ids in sorted(wanted.items()):
        home = {"candidate": world.candidates, "application": world.applications, "job": world.jobs}.get(kind, {})
        now = world.marks(kind.capitalize(), home[key]) if key in home else []
        if now and not set(now) <= ids:
            yield {"object": kind, "lever_id": ", ".join(sorted(ids)), "ashby_id": key}

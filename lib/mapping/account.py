"""Where every attribute of every Lever object goes: the table behind docs/mapping.md and the loss list.

{object: {attribute: (treatment, where, reason)}}; treatments: moved, moved changed, archived only, never.
"""

from __future__ import annotations

from collections.abc import Iterator

from lib.mapping import account_tables

Fate = tuple[str, str, str]

_SHORT = {"M": "moved", "C": "moved changed", "A": "archived only", "T": "archived only", "N": "never"}


def _read(table: str) -> dict[str, Fate]:
    """Lines `attribute | M, C, A, T or N | where | reason`."""
    return {name: (_SHORT[short], where, reason) for name, short, where, reason in _lines(table)}


def _lines(table: str) -> Iterator[list[str]]:
    for line in table.strip().splitlines():
        yield [cell.strip() for cell in line.split("|")]


ACCOUNT: dict[str, dict[str, Fate]] = {name: _read(table) for name, table in account_tables.TABLES.items()}
TECHNICAL = {
    (kind, name) for kind, table in account_tables.TABLES.items() for name, short, *_ in _lines(table) if short == "T"
}
"""(object, attribute) that are only archived, and that nobody will miss."""
WHOLE = {"requisition": "openings are not moved", "requisition_field": "openings are not moved"}
"""Objects of which nothing moves, and why: they count as records, and not attribute by attribute."""

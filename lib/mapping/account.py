"""Where every attribute of every Lever object goes: the table behind docs/mapping.md and the loss list.

{object: {attribute: (treatment, where, reason)}}; treatments: moved, moved changed, archived only, never.
"""

from __future__ import annotations

from lib.mapping import account_tables

Fate = tuple[str, str, str]

_SHORT = {"M": "moved", "C": "moved changed", "A": "archived only", "N": "never"}


def _read(table: str) -> dict[str, Fate]:
    """Lines `attribute | M, C, A or N | where | reason`."""
    made = {}
    for line in table.strip().splitlines():
        name, short, where, reason = (cell.strip() for cell in line.split("|"))
        made[name] = (_SHORT[short], where, reason)
    return made


ACCOUNT: dict[str, dict[str, Fate]] = {name: _read(table) for name, table in account_tables.TABLES.items()}

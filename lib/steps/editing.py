"""The grid in which an analyst decides, with the names that Ashby has; nothing where nobody looks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lib.decisions import DecisionTable
from lib.grid import Grid
from lib.mapping.choices import choices
from lib.steps.signing import unsigned
from lib.store.ledger import Ledger
from lib.store.reading import Reading
from lib.workbook import Workbook

HEADLESS = "WORKBOOK_HEADLESS"
"""Set for kernels that run without a person: a grid in their notebooks would be dead."""


def edit(book: Workbook, tables: Mapping[str, DecisionTable], *, about: Mapping[str, str] | None = None) -> Any:
    """Show the decision tables as a grid that writes their files; None in a headless run.

    `about` says who a row is about (people.csv holds ids only); it is shown, and never written.
    """
    there = {name: table for name, table in tables.items() if table.path.is_file()}
    if os.environ.get(HEADLESS) or not there:
        return None
    return Grid(there, choices=choices(Reading(book.store)), about=about, opened={"losses": unsigned}).widget


def who(book: Workbook, contacts: Any, pairs: DecisionTable) -> dict[str, str]:
    """{id of a pair: names, addresses and places of both}, for `about`; `contacts` is the table of dedupe's result."""
    sides = {row["id"]: row["id"].split("|") for row in pairs.rows}
    wanted = {one for ids in sides.values() for one in ids}
    rows = contacts.loc[contacts["id"].isin(wanted), ["id", "name", "emails", "location"]].to_dict("records")
    known = {row["id"]: _told(row["name"], row["emails"], row["location"]) for row in rows}
    ledger = Ledger(book.store)
    for one in sorted(wanted - known.keys()):
        there = ledger.target("candidates", one)
        if there:
            email = (there.get("primaryEmailAddress") or {}).get("value")
            known[one] = f"{_told(there.get('name'), [email], None)} (in Ashby)"
    return {pair: " / ".join(known.get(one, one) for one in ids) for pair, ids in sides.items()}


def users(book: Workbook) -> dict[str, str]:
    """{id of a Lever user: name and address}, for `about`: users.csv holds roles and ids only."""
    return {item["id"]: _told(item.get("name"), [item.get("email") or ""], None) for item in book.store.all("users")}


def _told(name: Any, emails: Any, place: Any) -> str:
    addresses = emails if isinstance(emails, list | tuple) else []
    return ", ".join(str(part) for part in (name, *addresses, place) if part)

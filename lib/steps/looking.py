"""A plan as a table to look at: the rows of one person, or of one endpoint, member by member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import pandas as pd

from lib.store.ledger import Ledger, Planned
from lib.store.reading import Reading
from lib.workbook import Workbook

COLUMNS = ("person", "endpoint", "record", "state", "member", "value")
PEOPLE = 5  # whose rows are shown, of those whom a name or an address fits
MOST = 200  # rows that are shown; a person seldom has as many


def plan_rows(book: Workbook, *, who: str = "", endpoint: str = "", limit: int = MOST) -> pd.DataFrame:
    """A line for each member of at most `limit` rows of the plan: personal data, for the private notebook only.

    Where there are more rows, the last line says so.

    `who` is an id of Lever (contact or opportunity), or a part of a name or of an address; without it, and without an
    `endpoint` (`candidate.create`), the person with the most rows is shown.
    """
    ledger = Ledger(book.store)
    found = iter(_chosen(book, ledger, who.strip(), endpoint.strip()))
    rows = list(islice(found, limit))
    entries = ledger.of(rows)
    lines = []
    for row in rows:
        entry = entries.get(row.row_id)
        head = {"person": row.person or "(set-up)", "endpoint": row.kind, "record": f"{row.lever_type} {row.lever_id}"}
        head["state"] = entry.state if entry else "planned"
        lines += [head | {"member": name, "value": value} for name, value in _members(row.body)]
    if next(found, None) is not None:
        told = f"(only the first {limit:,} calls are shown: steps.plan_rows(book, ..., limit=...))"
        lines.append(dict.fromkeys(COLUMNS, "") | {"member": told})
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _chosen(book: Workbook, ledger: Ledger, who: str, endpoint: str) -> Iterable[Planned]:
    if who:
        people: Iterable[str] = islice(_people(book, who), PEOPLE)
    elif endpoint:
        return ledger.rows_of_kind(endpoint)
    else:
        people = ledger.fullest()
    return (row for person in people for row in ledger.rows(person) if endpoint in ("", row.kind))


def _people(book: Workbook, who: str) -> Iterator[str]:
    """The people whom a text means: by an id of Lever, else by a part of their name or of an address."""
    opportunity = book.store.get("opportunities", who) or {}
    contact = opportunity.get("contact")
    ids = {who, str(contact.get("id") if isinstance(contact, dict) else contact)}
    text = who.casefold()
    for person, contacts in Reading(book.store).people():
        known = {person["person"], *contacts}
        words = [person.get("name"), person.get("email"), *(person.get("alternate_emails") or [])]
        if known & ids or any(text in str(word).casefold() for word in words if word):
            yield person["person"]


def _members(body: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, value) of each member of a body; a reference to an id that is still to come reads as what it is of."""
    if isinstance(body, dict) and isinstance(body.get("$link"), str):
        yield path, f"(id of {body['$link']})"
    elif isinstance(body, dict):
        for name, value in body.items():
            yield from _members(value, f"{path}.{name}" if path else name)
    elif isinstance(body, list):
        for number, value in enumerate(body):
            yield from _members(value, f"{path}[{number}]")
    else:
        yield path, str(body)

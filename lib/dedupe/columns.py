"""Contacts as columns, one entry per contact in order of age: a million rows as dicts would not fit into memory."""

from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from lib.dedupe.tables import COLUMNS, complete, contact_of, listed, whole

Numbers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Contacts:
    """Contacts, one per id, numbered in order of (created_ms, id).

    `ids` are in that order; `places` says where each stands in `columns`, the columns as they were given. Contacts
    that were given more than once have their joined row in `twice`, by number.
    """

    ids: list[str]
    places: Numbers
    columns: dict[str, Any]
    twice: dict[int, dict[str, Any]]

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, contact: int) -> dict[str, Any]:
        """Return every column of `COLUMNS` of one contact, in plain Python types."""
        if contact in self.twice:
            return self.twice[contact]
        place = int(self.places[contact])
        return complete({name: column.item(place) for name, column in self.columns.items()})

    def texts(self, name: str, contacts: Numbers | None = None) -> list[str]:
        """Return a column of single texts, trimmed; of some contacts, or of all."""
        values = self._values(name, np.arange(len(self)) if contacts is None else contacts)
        return [value.strip() if isinstance(value, str) else "" for value in values]

    def lists(self, name: str) -> tuple[Numbers, list[str]]:
        """Return (the contact of each text, the texts, trimmed) of a column of lists, in the order of the table."""
        order = np.argsort(self.places)  # a walk through memory as it lies: much faster than one by age
        values = self._values(name, order)
        if set(map(type, values)) != {list}:
            values = [value if type(value) is list else listed(value) for value in values]
        found = list(chain.from_iterable(values))
        owners = np.repeat(order, np.fromiter(map(len, values), np.int64, len(values)))
        if set(map(type, found)) - {str}:
            kept = [place for place, text in enumerate(found) if isinstance(text, str)]
            owners, found = owners[kept], [found[place] for place in kept]
        return owners, list(map(str.strip, found))

    def anonymous(self) -> Flags:
        """Return which contacts are anonymised."""
        column = self.columns.get("is_anonymized")
        if column is None:
            flags = np.zeros(len(self), dtype=bool)
        elif column.dtype == bool:
            flags = column[self.places]
        else:
            flags = np.fromiter(map(bool_of, column[self.places].tolist()), bool, len(self))
        for contact, row in self.twice.items():
            flags[contact] = row["is_anonymized"]
        return flags

    def _values(self, name: str, contacts: Numbers) -> list[Any]:
        column = self.columns.get(name)
        values = [None] * len(contacts) if column is None else column[self.places[contacts]].tolist()
        if self.twice:
            several = np.fromiter(self.twice, np.int64, len(self.twice))
            for place in np.flatnonzero(np.isin(contacts, several)).tolist():
                values[place] = self.twice[int(contacts[place])][name]
        return values


def contacts_of(table: pd.DataFrame) -> Contacts:
    """Return the contacts of a table that is shaped as `contacts_table`; rows with one id are one contact."""
    ids = list(map(str, table["id"].tolist()))
    columns = {name: table[name].to_numpy() for name in COLUMNS if name in table.columns}
    places, created = np.arange(len(ids)), _created(columns.get("created_ms"), len(ids))
    again: dict[str, dict[str, Any]] = {}
    if len(set(ids)) < len(ids):
        places, again = _once(ids, columns)
        joined = {place: again[ids[place]]["created_ms"] for place in places.tolist() if ids[place] in again}
        created[list(joined)] = list(joined.values())
    order = _by_age(places, created, ids)
    named = [ids[place] for place in order.tolist()]
    twice = {number: again[contact] for number, contact in enumerate(named) if contact in again} if again else {}
    return Contacts(ids=named, places=order, columns=columns, twice=twice)


def bool_of(value: Any) -> bool:
    """Return whether a cell says yes."""
    return value in (True, 1, "true", "True", "1")


def _once(ids: list[str], columns: dict[str, Any]) -> tuple[Numbers, dict[str, dict[str, Any]]]:
    """The first place of each id, and the joined row of each id that stands in several places."""
    places: dict[str, list[int]] = {}
    for place, contact in enumerate(ids):
        places.setdefault(contact, []).append(place)
    several = {contact: found for contact, found in places.items() if len(found) > 1}
    rows = {
        contact: contact_of(
            [complete({name: column.item(place) for name, column in columns.items()}) for place in found]
        )
        for contact, found in several.items()
    }
    return np.array([found[0] for found in places.values()]), rows


def _created(column: Any, n: int) -> Numbers:
    if column is None:
        return np.zeros(n, dtype=np.int64)
    if column.dtype.kind == "i":
        return column.astype(np.int64)
    return np.fromiter(map(whole, column.tolist()), np.int64, n)


def _by_age(places: Numbers, created: Numbers, ids: list[str]) -> Numbers:
    """The places in order of (created, id): ids are only looked at where moments are equal."""
    order = places[np.argsort(created[places], kind="stable")]
    moments = created[order]
    starts = np.flatnonzero(np.concatenate([[True], moments[1:] != moments[:-1]])) if len(order) else order
    lengths = np.diff(np.append(starts, len(order)))
    for start, length in zip(starts[lengths > 1].tolist(), lengths[lengths > 1].tolist(), strict=True):
        tied = order[start : start + length].tolist()
        order[start : start + length] = sorted(tied, key=ids.__getitem__)
    return order

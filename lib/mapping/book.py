"""Reads verdicts out of the decision tables, and collects every problem with its file and line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from lib.mapping.source import clean
from lib.mapping.target import Option
from lib.normalize import best_matches

Row = dict[str, str]
NEW = "new:"
"""What a verdict begins with that names something which is to be made, however much it is like what is there."""
SLIP = 0.8  # how like (0..1) a known name a new one may be before somebody is asked whether it is meant
SHOWN = 50  # problems of one file that an error names
_NO_NAMES = ("no", "yes", "none", "skip", "remove", "delete", "note", "same", "different", "new", "?", "x", "-")


@dataclass
class Book:
    """All decision tables of one customer: anything with `.rows` (and `.where(line)`), by name."""

    tables: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)

    def rows(self, name: str) -> Iterator[tuple[int, Row]]:
        """(line, row) of each row of a table; the header is line 1."""
        table = self.tables.get(name)
        if hasattr(table, "numbered"):
            yield from table.numbered()
        else:
            yield from enumerate(table.rows if table is not None else [], 2)

    def problem(self, name: str, line: int, text: str) -> None:
        """Note a problem of one row."""
        table = self.tables.get(name)
        where = table.where(line) if hasattr(table, "where") else f"{name}.csv:{line}"
        self.problems.append(f"{where}: {text}")

    def shown(self) -> Iterator[str]:
        """The problems as an error tells them: of each file the first ones, and how many more there are."""
        for file, some in groupby(sorted(self.problems, key=_file_of), key=_file_of):
            of_file = list(some)
            yield from of_file[:SHOWN]
            if len(of_file) > SHOWN:
                yield f"{file}: and {len(of_file) - SHOWN:,} more."

    def decided(self, name: str) -> Iterator[tuple[int, Row, str]]:
        """(line, row, verdict) of each row with a verdict; rows that need one and lack it become problems."""
        for line, row in self.rows(name):
            verdict = clean(row.get("verdict"))
            if verdict:
                yield line, row, verdict
            elif clean(row.get("n_records")) not in ("0", ""):
                hint = f"(proposed: {row.get('proposal') or 'nothing'})"
                self.problem(name, line, f"no verdict, and {row['n_records']} records depend on it {hint}.")

    def missing(self, name: str, row_id: str, *, n_records: int) -> None:
        """Note that records depend on a row that has no verdict, or is not in the table at all."""
        line = next((line for line, row in self.rows(name) if row["id"] == row_id), 0)
        if line:
            self.problem(name, line, f"no verdict, and {n_records} records depend on it.")
        else:
            table = self.tables.get(name)
            where = table.where(1) if hasattr(table, "where") else f"{name}.csv"
            self.problems.append(
                f"{where}: no row {row_id!r}, and {n_records} records depend on it; run the map step to add it."
            )

    def pick(
        self, name: str, line: int, verdict: str, *, options: Sequence[Option], what: str, allow_archived: bool = False,
        column: str = "verdict",
    ) -> str:  # fmt: skip
        """The id that a verdict names, by id or exact label (any case); "" after noting the problem."""
        told = f"{verdict!r} in the column {column}"
        found = [one for one in options if verdict.casefold() in (one.ashby_id.casefold(), one.label.casefold())]
        living = [one for one in found if not one.archived]
        if len(living) == 1 or (allow_archived and len(found) == 1):
            return (living or found)[0].ashby_id
        if len(living) > 1:
            ids = ", ".join(one.ashby_id for one in living)
            self.problem(name, line, f"{told} names {len(living)} {what}s; give the id of one: {ids}.")
        elif found:
            self.problem(name, line, f"{told} is a {what} that is archived in Ashby.")
        else:
            self.problem(name, line, f"{told} is no {what} in Ashby; nearest: {self.nearest(verdict, options)}.")
        return ""

    def is_meant(
        self, name: str, line: int, verdict: str, *, known: Iterable[str], what: str, written: str = ""
    ) -> bool:
        """Whether a name that is not there yet is meant to be made; a slip of a known one becomes a problem.

        `written` is the whole verdict, where `verdict` is a part of it.
        """
        labels = {label: label for label in known}
        near = [match[1] for match in best_matches(verdict, labels, n=1) if match[2] >= SLIP] if labels else []
        if near or verdict.casefold() in _NO_NAMES:
            told = f"{verdict!r} is no {what} yet"
            told += f", and much like {near[0]!r}" if near else ""
            self.problem(name, line, f"{told}. If it is to be made, write 'new:{written or verdict}'.")
        return not near and verdict.casefold() not in _NO_NAMES

    def nearest(self, text: str, options: Sequence[Option]) -> str:
        """The nearest valid values, as a reader of an error needs them."""
        labels = {one.ashby_id: one.label for one in options if not one.archived and one.label}
        found = best_matches(text, labels, n=3) if labels else []
        return ", ".join(repr(match[1]) for match in found) or "(there are none)"


def _file_of(problem: str) -> str:
    """`params/acme/tags.csv` of a problem that begins with it; what no file is said of stands together."""
    file, _, rest = problem.partition(".csv:")
    return f"{file}.csv" if rest else "params"

"""The decision tables `params/<customer>/<name>.csv`: proposals by the workbook, verdicts by a person.

The file is the source of truth and can be edited in a spreadsheet: a byte-order mark, semicolons and Excel's quoting
are read as they come. A cell that a spreadsheet would run as a formula is written with a leading apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lib.disk import disk_errors, replaced
from lib.errors import ConfigError
from lib.normalize import csv_plain, csv_safe

Row = dict[str, str]
AS_PROPOSED = ("=", "ok")
SHOWN = 20  # lines that an error names
MARK = "\ufeff"  # by it a spreadsheet knows UTF-8; where all is ASCII there is nothing to be known
FIRST, LAST = ["id", "label"], ["proposal", "reason", "confidence", "n_records", "verdict"]


@dataclass(frozen=True)
class DecisionTable:
    """One table: `rows` in file order, each {column: text}; `numbered()` tells the line of each."""

    name: str
    path: Path
    rows: list[Row] = field(default_factory=list)
    columns: list[str] = field(default_factory=lambda: FIRST + LAST)

    def merge(self, proposals: list[dict[str, object]]) -> DecisionTable:
        """New proposals with the verdicts of this table; rows that are no longer proposed stay if they hold one."""
        extra = list(dict.fromkeys(key for row in proposals for key in row if key not in FIRST + LAST))
        columns = FIRST + extra + LAST
        decided = {row["id"]: row for row in self.rows}
        merged = []
        for proposal in proposals:
            old = decided.pop(str(proposal["id"]), {})
            row = {name: str(proposal.get(name, "")) for name in columns}
            kept = {name: value for name, value in old.items() if name.endswith("verdict") and value}
            merged.append(_taken(row | {name: value for name, value in kept.items() if name in columns}))
        for row in decided.values():
            if row.get("verdict"):
                merged.append({name: row.get(name, "") for name in columns} | {"n_records": "0"})
        return DecisionTable(self.name, self.path, merged, columns)

    def numbered(self) -> Iterator[tuple[int, Row]]:
        """(line, row) as `write` lays them out: a cell may hold line breaks."""
        line = 2
        for row in self.rows:
            yield line, row
            line += 1 + sum(_n_breaks(row.get(name, "")) for name in self.columns)

    def open_rows(self) -> list[tuple[int, Row]]:
        """(line, row) of each row on which records depend and which has no verdict."""
        return [(line, row) for line, row in self.numbered() if not row["verdict"] and row["n_records"] != "0"]

    def where(self, line: int) -> str:
        """File and line, as a person would look for them."""
        return f"params/{self.path.parent.name}/{self.path.name}:{line}"

    def write(self) -> bool:
        """Write the file if its content changes; True when it did."""
        lines = [self.columns, *([csv_safe(row.get(name, "")) for name in self.columns] for row in self.rows)]
        text = "".join(",".join(map(_quoted, cells)) + "\n" for cells in lines)
        text = text if text.isascii() else MARK + text
        if self.path.is_file() and self.path.read_bytes() == text.encode("utf-8"):
            return False
        with disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(self.path, mode=0o666) as file:  # under version control, so the umask decides
            file.write(text)
        return True


def read(path: Path) -> DecisionTable:
    """The table at `path`; empty when there is no file; ConfigError with file and line when it cannot be read."""
    table = DecisionTable(path.stem, path)
    if not path.is_file():
        return table
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{table.where(line)}: not UTF-8.", hint="Save it as 'CSV UTF-8'.") from None
    lines = list(_records(table, text))
    columns = [name.strip() for name in lines[0][1]] if lines else []
    needed = ("id", "who", "why") if table.name == "overrides" else ("id", "verdict")
    lacking = [name for name in needed if name not in columns]
    if lacking:
        raise ConfigError(f"{table.where(1)}: the column {', '.join(lacking)} is missing.")
    rows, wrong = _checked(table, columns, lines[1:])
    if wrong:
        more = f" And {len(wrong) - SHOWN:,} more lines." if len(wrong) > SHOWN else ""
        raise ConfigError(" ".join(wrong[:SHOWN]) + more)
    return DecisionTable(path.stem, path, rows, columns)


def read_all(folder: Path) -> dict[str, DecisionTable]:
    """{name: table} of all files of a folder; one ConfigError names what cannot be read in any of them."""
    tables, wrong, hints = {}, [], list[str]()
    for path in sorted(folder.glob("*.csv")):
        try:
            tables[path.stem] = read(path)
        except ConfigError as error:
            wrong.append(error.message)
            hints.append(error.hint)
    if wrong:
        raise ConfigError("\n".join(wrong), hint=" ".join(dict.fromkeys(filter(None, hints))))
    return tables


def _checked(
    table: DecisionTable, columns: list[str], lines: list[tuple[int, list[str]]]
) -> tuple[list[Row], list[str]]:
    """(rows, what is wrong with each line that cannot be read): all at once, for whoever has to mend them."""
    rows: list[Row] = []
    wrong: list[str] = []
    seen: dict[str, int] = {}
    for number, cells in lines:
        if len(cells) > len(columns) and any(cells[len(columns) :]):
            wrong.append(f"{table.where(number)}: {len(cells)} cells where the header names {len(columns)}.")
            continue
        row = _row(columns, cells)
        if row["id"] in seen:
            wrong.append(f"{table.where(number)}: the id of line {seen[row['id']]} stands here again.")
        seen.setdefault(row["id"], number)
        rows.append(row)
    return rows, wrong


def _records(table: DecisionTable, text: str) -> Iterator[tuple[int, list[str]]]:
    """(first line, cells) of each record that is not empty."""
    head = text.split("\n", 1)[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError(f"{table.where(line)}: not a CSV record ({error}).") from None


def _quoted(cell: str) -> str:
    """A cell as CSV; Python 3.11's writer leaves a lone carriage return bare, and a reader then sees two records."""
    return '"' + cell.replace('"', '""') + '"' if any(char in '",\r\n' for char in cell) else cell


def _n_breaks(cell: str) -> int:
    return cell.count("\n") + cell.count("\r") - cell.count("\r\n")


def _row(columns: list[str], cells: list[str]) -> Row:
    cells = cells + [""] * (len(columns) - len(cells))
    row = {name: csv_plain(cell) for name, cell in zip(columns, cells, strict=False)}
    row.setdefault("n_records", "")
    return _taken(row | {name: value.strip() for name, value in row.items() if name.endswith("verdict")})


def as_proposed(row: Row) -> Row:
    """The row with its proposal as its verdict, and those of its other verdicts that are empty."""
    return _taken(row | {"verdict": "="})


def _taken(row: Row) -> Row:
    """A verdict of `=` or `ok` takes the proposal, and with it the proposals of the row's other verdicts."""
    if row.get("verdict", "").lower() not in AS_PROPOSED or not row.get("proposal"):
        return row
    more = {
        name: row.get(name.replace("verdict", "proposal")) or row.get(name.removesuffix("_verdict"), "") for name in row
    }
    others = {name: more[name] for name, value in row.items() if name.endswith("_verdict") and not value}
    return row | others | {"verdict": row["proposal"]}

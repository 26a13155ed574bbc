"""The decision tables as a grid in JupyterLab: choose, search, accept what is sure. Each change is in the file at once.

The file stays the source of truth: before a cell is written it is read again, so that what somebody does in a
spreadsheet meanwhile is kept.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lib import decisions
from lib.decisions import DecisionTable, Row
from lib.errors import WorkbookError

if TYPE_CHECKING:
    import ipywidgets as widgets

PAGE = 20
SURE = 0.95
WORDS = {"high": 0.95, "medium": 0.7, "low": 0.3}
"""How sure a proposal is that says so in a word; other tables have numbers."""
Opened = Callable[[DecisionTable], Iterable[tuple[int, Row]]]
Choices = Callable[[str, Mapping[str, str], str], list[tuple[str, str]]]


class Grid:
    """Tables of one customer, of which one is shown; `choices` gives (shown, written) for (table, row, column).

    `opened` says which rows of a table are open, where an empty verdict does not settle that. `about` says more of a
    row than its file may hold (names of people): shown here, never written.
    """

    def __init__(
        self, tables: Mapping[str, DecisionTable], *, choices: Choices, about: Mapping[str, str] | None = None,
        opened: Mapping[str, Opened] | None = None,
    ) -> None:  # fmt: skip
        import ipywidgets as widgets  # noqa: PLC0415 - only where somebody looks

        self._opened = opened or {}
        by_work = sorted(tables.items(), key=lambda one: -len(self._open(*one)))
        self._tables = dict(by_work)  # what needs most work first
        self._choices, self._about = choices, about or {}
        self._page = 0
        wide = widgets.Layout(width="18em")
        self.table = widgets.Dropdown(options=self._titles(), description="table", layout=widgets.Layout(width="24em"))
        self.search = widgets.Text(placeholder="search in all columns", continuous_update=False, layout=wide)
        self.only_open = widgets.Checkbox(value=True, description="only open rows", indent=False)
        self.sure = widgets.BoundedFloatText(value=SURE, min=0, max=1, step=0.05, layout=widgets.Layout(width="6em"))
        self.accept = widgets.Button(
            description="accept open proposals that are at least so sure", layout=widgets.Layout(width="26em")
        )
        self.back, self.on = widgets.Button(description="back"), widgets.Button(description="on")
        self.told, self.place = widgets.HTML(), widgets.HTML()
        self.rows = widgets.VBox()
        for one in (self.table, self.search, self.only_open):
            one.observe(self._begin, "value")
        self.accept.on_click(self._accept)
        self.back.on_click(lambda _button: self._turn(-1))
        self.on.on_click(lambda _button: self._turn(1))
        bar = [self.table, self.search, self.only_open]
        self.widget = widgets.VBox(
            [widgets.HBox(bar), widgets.HBox([self.sure, self.accept]), self.told, self.rows,
             widgets.HBox([self.back, self.place, self.on])]
        )  # fmt: skip
        self._show()

    # ---- what is shown -----------------------------------------------------------------------------------------------
    def shown(self) -> list[Row]:
        """All rows that the search and the box let through, unsure ones first, then those on which most hangs."""
        table, words = self._tables[self.table.value], self.search.value.casefold().split()
        rows = self._open(self.table.value, table) if self.only_open.value else table.rows
        found = [row for row in rows if all(word in self._text(row) for word in words)]
        return sorted(found, key=lambda row: (_sure(row.get("confidence")), -_number(row["n_records"]), row["id"]))

    def _text(self, row: Row) -> str:
        return " ".join([*row.values(), self._about.get(row["id"], "")]).casefold()

    def _titles(self) -> list[tuple[str, str]]:
        return [(f"{name}: {len(self._open(name, one))} open of {len(one.rows)}", name)
                for name, one in self._tables.items()]  # fmt: skip

    def _open(self, name: str, table: DecisionTable) -> list[Row]:
        return [row for _, row in self._opened.get(name, DecisionTable.open_rows)(table)]

    def _begin(self, _change: Any = None) -> None:
        self._page = 0
        self._show()

    def _turn(self, pages: int) -> None:
        last = max(0, (len(self.shown()) - 1) // PAGE)
        self._page = min(last, max(0, self._page + pages))
        self._show()

    def _show(self) -> None:
        import ipywidgets as widgets  # noqa: PLC0415

        rows, first = self.shown(), self._page * PAGE
        columns = [name for name in self._tables[self.table.value].columns if name.endswith("verdict")]
        heads = ["what", "proposal", "why", "sure", "records", *columns]
        cells: list[widgets.Widget] = [widgets.HTML(f"<b>{html.escape(head)}</b>") for head in heads]
        for row in rows[first : first + PAGE]:
            why = row.get("reason", "")
            texts = [row.get("proposal", ""), why, row.get("confidence", ""), row["n_records"]]
            what = html.escape(self._label(row)) + (
                f"<br><small>{html.escape(more)}</small>" if (more := _more(row)) else ""
            )
            cells += [widgets.HTML(_CLOSE.format(text)) for text in (what, *map(html.escape, texts))]
            cells += [self._cell(row, column) for column in columns]
        widths = f"minmax(10em, 2fr) 1fr 2fr 4em 5em {'15em ' * len(columns)}"
        layout = widgets.Layout(grid_template_columns=widths, grid_gap="2px 12px")
        self.rows.children = [widgets.GridBox(cells, layout=layout)] if rows else [widgets.HTML("Nothing to show.")]
        last = min(first + PAGE, len(rows))
        self.place.value = f"{first + 1}-{last} of {len(rows)}" if rows else ""

    def _label(self, row: Row) -> str:
        return self._about.get(row["id"]) or row.get("label") or row["id"]

    def _cell(self, row: Row, column: str) -> widgets.Widget:
        """A list to choose from where names stand for ids, else a text with suggestions."""
        import ipywidgets as widgets  # noqa: PLC0415

        name, value = self.table.value, row.get(column, "")
        found = self._choices(name, row, column)
        layout = widgets.Layout(width="14em")
        if any(shown != written for shown, written in found):
            known = {written for _, written in found}
            more = [("", "")] + ([(value, value)] if value not in known | {""} else [])
            cell = widgets.Dropdown(options=[*more, *found], value=value, layout=layout)
        else:
            hint = row.get(column.replace("verdict", "proposal")) or row.get(column.removesuffix("_verdict"), "")
            options = [written for _, written in found]
            cell = widgets.Combobox(
                value=value, options=options, placeholder=hint, continuous_update=False, layout=layout
            )
        cell.observe(lambda change: self._set({row["id"]: change["new"]}, column), "value")
        return cell

    # ---- what is written ---------------------------------------------------------------------------------------------
    def _accept(self, _button: Any = None) -> None:
        """The proposals of the rows that are shown, on all pages, are sure enough, and are open in the file, too."""
        sure = {row["id"]: row["proposal"] for row in self.shown() if _sure(row.get("confidence")) >= self.sure.value}

        def accepted(table: DecisionTable) -> dict[str, Row]:
            still = (row for row in self._open(self.table.value, table) if row.get("proposal"))
            return {row["id"]: decisions.as_proposed(row) for row in still if sure.get(row["id"]) == row["proposal"]}

        self._write(accepted, wanted={one for one, proposal in sure.items() if proposal})
        self._show()

    def _set(self, verdicts: Mapping[str, str], column: str) -> None:
        def given(table: DecisionTable) -> dict[str, Row]:
            rows = (row for row in table.rows if row["id"] in verdicts)
            return {row["id"]: row | {column: verdicts[row["id"]].strip()} for row in rows}

        self._write(given, wanted=verdicts.keys())

    def _write(self, changed: Callable[[DecisionTable], dict[str, Row]], *, wanted: Collection[str]) -> None:
        """Write the changed rows into the file as it stands now, and say where."""
        name = self.table.value
        try:
            table = decisions.read(self._tables[name].path)
            new = changed(table)
            table = DecisionTable(name, table.path, [new.get(row["id"], row) for row in table.rows], table.columns)
            table.write()
        except WorkbookError as error:
            self._say(str(error))
            return
        self._tables[name] = table
        known = {row["id"] for row in table.rows}
        lacking, settled = (
            sum(one not in known for one in wanted),
            sum(one in known and one not in new for one in wanted),
        )
        lines = [line for line, row in table.numbered() if row["id"] in new]
        where = table.where(lines[0]) if len(lines) == 1 else f"{table.where(1).rpartition(':')[0]}, {len(lines)} rows"
        more = f" {_rows(lacking)}not in the file any more: run this cell again." if lacking else ""
        more += f" {settled} rows were decided, or proposed otherwise, meanwhile, and stay so." if settled else ""
        self._say(f"Written: {where}. {_rows(len(self._open(name, table)), 'of this table ')}open.{more}")
        self._retitle()

    def _retitle(self) -> None:
        """Count anew, without beginning at the first page again."""
        value = self.table.value
        self.table.unobserve(self._begin, "value")
        self.table.options = self._titles()
        self.table.value = value
        self.table.observe(self._begin, "value")

    def _say(self, text: str) -> None:
        self.told.value = html.escape(text)


_CLOSE = '<div style="line-height: 1.4">{}</div>'
"""Lines of a cell as near as in a table."""
_MORE = 120  # characters of what is said below a row's label


def _more(row: Row) -> str:
    """What else the file says of a row: its plan, team, place, type, scale."""
    known = {*decisions.FIRST, *decisions.LAST}
    told = [
        f"{name.replace('_', ' ')}: {text}" for name, text in row.items()
        if text and name not in known and not name.endswith(("verdict", "proposal"))
    ]  # fmt: skip
    whole = ", ".join(told)
    return whole if len(whole) <= _MORE else f"{whole[:_MORE].rstrip()}…"


def _sure(text: str | None) -> float:
    return WORDS.get((text or "").casefold(), _number(text))


def _rows(n: int, of: str = "") -> str:
    return f"1 row {of}is " if n == 1 else f"{n:,} rows {of}are "


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0

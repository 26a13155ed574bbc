"""The figures: each answers one question, names its units, and can be told apart without colours."""

from __future__ import annotations

import base64
import html
import io
import logging
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lib.report.masking import mask_text
from lib.report.shown import stylesheet
from lib.report.values import duration, plain

Data = Mapping[Any, Any] | pd.Series | pd.DataFrame
LEVER: Final = "#B9C4CF"  # light, for "before": the two differ in lightness too, for eyes and printers without colour
ASHBY: Final = "#0B5A8F"
WARN: Final = "#C2571A"
INK: Final = "#1C2733"
SOFT: Final = "#5B6875"
FONTS: Final = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
STYLE: Final = {
    "axes.edgecolor": "#C9D1D9", "axes.labelcolor": SOFT, "axes.labelsize": 9, "axes.spines.left": False,
    "axes.spines.right": False, "axes.spines.top": False, "axes.titlecolor": INK, "axes.titlelocation": "left",
    "axes.titlepad": 14, "axes.titlesize": 11.5, "axes.titleweight": "bold", "axes.axisbelow": True,
    "figure.facecolor": "white", "font.family": ["DejaVu Sans"], "font.size": 9, "grid.color": "#E6EAEE",
    "legend.fontsize": 9, "legend.frameon": False, "svg.fonttype": "none", "svg.hashsalt": "workbook",
    "text.color": INK, "text.parse_math": False, "xtick.color": SOFT, "ytick.color": INK, "xtick.labelsize": 8.5,
    "ytick.labelsize": 9, "ytick.major.size": 0, "xtick.major.size": 0,
}  # fmt: skip
LEGEND: Final = {
    "loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "ncols": 2, "handlelength": 1.2, "borderaxespad": 0.2,
}  # fmt: skip
WIDTH: Final = 7.4
MOST: Final = 18  # bars in one figure; the rest is added up as "others"


@dataclass(frozen=True)
class Picture:
    """A matplotlib figure and what it shows in words, for those who do not see it."""

    figure: Figure
    alt: str
    name: str
    shared: bool = field(default=True)

    def svg(self) -> bytes:
        """The figure as SVG with real text; equal figures give equal bytes."""
        out = io.BytesIO()
        with mpl.rc_context(STYLE), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a letter that our font lacks is drawn by the reader's font
            logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
            FigureCanvasSVG(self.figure).print_svg(out, metadata={"Date": None})
        return out.getvalue().replace(b"'DejaVu Sans'", FONTS.replace("'", "&apos;").encode())

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.svg()).decode()
        picture = f'<img alt="{html.escape(self.alt)}" src="data:image/svg+xml;base64,{data}">'
        style = f"<style>{stylesheet('parts.css')}</style>"
        return f'{style}<figure class="wb wb-picture">{picture}</figure>'

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        about = {"shared": self.shared, "kind": "figure", "name": self.name, "text": self.alt}
        return {"text/html": self._repr_html_(), "text/plain": self.alt}, {"workbook": about}


def pipeline_funnel(before: Data, after: Data) -> Picture:
    """Is everyone where they were? Opportunities per place in Lever, applications per place in Ashby."""
    return _pair(
        "Where candidacies stand, before and after", "opportunities (Lever), applications (Ashby)",
        (before, "Lever"), (after, "Ashby"), name="pipeline_funnel",
    )  # fmt: skip


def records_by_month(before: Data, after: Data) -> Picture:
    """Did the dates survive? Records by the month of their creation (`YYYY-MM`), in Lever and in Ashby."""
    old, new = _items(before), _items(after)
    months = [str(month) for month in pd.period_range(min(old | new), max(old | new), freq="M")] if old or new else []
    figure, axes = _axes(2.9)
    with mpl.rc_context(STYLE):
        places = range(len(months))
        axes.bar(places, [old.get(one, 0) for one in months], width=0.86, color=LEVER, label="Lever")
        heights = [new.get(one, 0) for one in months]
        axes.plot(places, heights, color=ASHBY, lw=1.6, marker="o", ms=2.6, label="Ashby")
        step = max(1, -(-len(months) // 10))
        axes.set_xticks(list(places)[::step], months[::step])
        axes.grid(axis="y")
        axes.set_ylabel("records created")
        _title(axes, "Records by month of creation", legend=True)
    n_off = sum(old.get(one, 0) != new.get(one, 0) for one in months)
    alt = f"Records by month of creation: {len(months)} months, {n_off} of them differ between Lever and Ashby."
    return Picture(figure, alt, "records_by_month")


def forecast_against_actual(measures: pd.DataFrame) -> Picture:
    """Was the forecast honest? One row per measure with columns `measure`, `forecast`, `actual` and, maybe, `unit`."""
    rows = measures.to_dict("records")
    figure, axes = _axes(_height(len(rows)))
    shares = [row["actual"] / row["forecast"] * 100 if row["forecast"] else 0.0 for row in rows]
    with mpl.rc_context(STYLE):
        places = range(len(rows))
        axes.barh(places, shares, height=0.5, color=ASHBY)
        axes.axvline(100, color=WARN, lw=1.4, ls=(0, (4, 3)))
        for place, (row, share) in enumerate(zip(rows, shares, strict=True)):
            words = f"{_measure(row, 'actual')} (forecast {_measure(row, 'forecast')})"
            axes.annotate(
                words, (max(share, 100), place), (7, 0), textcoords="offset points", va="center", color=SOFT, size=8.5
            )
        axes.set_yticks(list(places), [_label(row["measure"]) for row in rows])
        axes.set_xlim(0, max([100.0, *shares]) * 1.5)
        axes.set_xlabel("actual, in % of the forecast (dashed line: as forecast)")
        _bars_down(axes)
        _title(axes, "Forecast and actual")
    said = "; ".join(f"{row['measure']}: {share:.0f} %" for row, share in zip(rows, shares, strict=True))
    return Picture(figure, f"Actual in percent of the forecast. {said}.", "forecast_against_actual")


def differences_by_field(fidelity: pd.DataFrame) -> Picture:
    """Which fields did not arrive equal? Rows with columns `field`, `n_expected`, `n_equal`; the worst come first."""
    rows = [row for row in fidelity.to_dict("records") if row["n_expected"]]
    n_fields = len(rows)
    rows = sorted(rows, key=lambda row: (row["n_equal"] / row["n_expected"], -row["n_expected"], _field(row)))[:MOST]
    figure, axes = _axes(_height(len(rows)))
    shares = [row["n_equal"] / row["n_expected"] * 100 for row in rows]
    with mpl.rc_context(STYLE):
        places = range(len(rows))
        axes.barh(places, [100.0] * len(rows), height=0.5, color="#EEF1F4")
        colours = [ASHBY if share == 100 else WARN for share in shares]
        axes.barh(places, shares, height=0.5, color=colours)
        for place, row in enumerate(rows):
            n_off = row["n_expected"] - row["n_equal"]
            words = f"all {row['n_expected']:,}" if not n_off else f"{n_off:,} of {row['n_expected']:,} differ"
            axes.annotate(words, (101.5, place), va="center", color=WARN if n_off else SOFT, size=8.5)
        axes.set_yticks(list(places), [_label(_field(row)) for row in rows])
        axes.set_xlim(0, 128)
        axes.set_xticks([0, 25, 50, 75, 100])
        axes.set_xlabel(f"values that arrived equal, in % ({len(rows)} of {n_fields} fields)")
        _bars_down(axes)
        _title(axes, "Fidelity by field, the least equal first")
    n_off = sum(share < 100 for share in shares)
    alt = f"Fidelity by field: {n_off} of the {len(rows)} fields shown have a difference."
    return Picture(figure, alt, "differences_by_field")


def call_mix(calls: Data) -> Picture:
    """What are the calls spent on? Calls per endpoint."""
    return bars(calls, title="Calls by endpoint", unit="calls", name="call_mix")


def people_match(counts: Data) -> Picture:
    """How do contacts become people? Counts under their names, in the order given."""
    return bars(counts, title="From contacts to people", unit="contacts, people", name="people_match", ordered=True)


def match_weights(rows: pd.DataFrame) -> Picture:
    """What speaks for one person (to the right) and against it, in bits: rows of level and weight, in their order."""
    items = [(str(row["level"]), float(row["weight"])) for row in rows.to_dict("records")]
    figure, axes = _axes(_height(len(items)))
    with mpl.rc_context(STYLE):
        values = [value for _, value in items]
        axes.barh(range(len(items)), values, height=0.56, color=[ASHBY if one > 0 else WARN for one in values])
        axes.set_yticks(range(len(items)), [_label(label) for label, _ in items])
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_xlim(min([-1.0, *values]) * 1.12, max([1.0, *values]) * 1.12)
        axes.set_xlabel("bits: each doubles how likely it is; below zero each halves it")
        _bars_down(axes)
        _title(axes, "What speaks for one person")
    said = "; ".join(f"{label}: {value:+.1f}" for label, value in items)
    return Picture(figure, f"What speaks for one person, and what against it, in bits. {mask_text(said)}.", "weights")


def bars(data: Data, *, title: str, unit: str, name: str = "bars", ordered: bool = False) -> Picture:
    """One bar per entry, the largest first (with `ordered`, as given); `unit` names the axis."""
    items = list(_items(data).items())
    if not ordered:
        items = _largest(sorted(items, key=lambda item: (-item[1], item[0])))
    figure, axes = _axes(_height(len(items)))
    with mpl.rc_context(STYLE):
        places = range(len(items))
        axes.barh(places, [value for _, value in items], height=0.56, color=ASHBY)
        _values(axes, [value for _, value in items], 0.0)
        axes.set_yticks(list(places), [_label(label) for label, _ in items])
        _finish(axes, [value for _, value in items], unit)
        _title(axes, title)
    said = "; ".join(f"{label}: {plain(value)}" for label, value in items)
    return Picture(figure, f"{title} ({unit}). {mask_text(said)}.", name)


def _pair(title: str, unit: str, before: tuple[Data, str], after: tuple[Data, str], *, name: str) -> Picture:
    old, new = _items(before[0]), _items(after[0])
    labels = list(dict.fromkeys([*old, *new]))[:MOST]
    olds, news = [old.get(one, 0) for one in labels], [new.get(one, 0) for one in labels]
    figure, axes = _axes(_height(len(labels), each=0.52))
    with mpl.rc_context(STYLE):
        axes.barh([place - 0.19 for place in range(len(labels))], olds, height=0.34, color=LEVER, label=before[1])
        axes.barh([place + 0.19 for place in range(len(labels))], news, height=0.34, color=ASHBY, label=after[1])
        _values(axes, olds, -0.19)
        _values(axes, news, 0.19)
        axes.set_yticks(range(len(labels)), [_label(label) for label in labels])
        _finish(axes, olds + news, unit)
        _title(axes, title, legend=True)
    pairs = zip(labels, olds, news, strict=True)
    said = "; ".join(f"{label}: {plain(a)} and {plain(b)}" for label, a, b in pairs)
    return Picture(figure, f"{title}, {before[1]} and {after[1]}. {mask_text(said)}.", name)


def _items(data: Data) -> dict[str, Any]:
    """{label: value} of a mapping, a series, or the first two columns of a table."""
    if isinstance(data, pd.DataFrame):
        if data.shape[1] < 2:
            return {}
        return dict(zip(map(str, data.iloc[:, 0]), data.iloc[:, 1].tolist(), strict=True))
    return {str(label): value for label, value in (data.to_dict() if isinstance(data, pd.Series) else data).items()}


def _largest(items: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    if len(items) <= MOST:
        return items
    rest = items[MOST - 1 :]
    return [*items[: MOST - 1], (f"{len(rest)} others", sum(value for _, value in rest))]


def _axes(height: float) -> tuple[Figure, Axes]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        return figure, figure.add_subplot()


def _height(n_bars: int, *, each: float = 0.32) -> float:
    return max(1.35, 1.05 + each * n_bars)


def _label(text: Any) -> str:
    words = mask_text(str(text)).replace("\n", " ").strip() or "(none)"
    return words if len(words) <= 34 else f"{words[:33]}…"


def _field(row: Mapping[str, Any]) -> str:
    return f"{row['object']}: {row['field']}" if row.get("object") else str(row["field"])


def _measure(row: Mapping[str, Any], side: str) -> str:
    unit = row["unit"] if isinstance(row.get("unit"), str) else ""
    return duration(row[side]) if unit in ("s", "seconds") else f"{plain(row[side])} {unit}".strip()


def _values(axes: Axes, values: Iterable[float], shift: float) -> None:
    for place, value in enumerate(values):
        at = (value, place + shift)
        axes.annotate(plain(value), at, (4, 0), textcoords="offset points", va="center", color=SOFT, size=8.5)


def _finish(axes: Axes, values: list[float], unit: str) -> None:
    axes.set_xlim(0, max([1.0, *values]) * 1.12)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel(unit)
    _bars_down(axes)


def _bars_down(axes: Axes) -> None:
    low, high = sorted(axes.get_ylim())
    axes.set_ylim(max(high, low + 0.9), min(low, high - 0.9))
    axes.grid(axis="x")


def _title(axes: Axes, title: str, *, legend: bool = False) -> None:
    axes.set_title(title)
    if legend:
        handles, labels = axes.get_legend_handles_labels()
        order = sorted(range(len(labels)), key=lambda n: labels[n] != "Lever")
        axes.legend([handles[n] for n in order], [labels[n] for n in order], **LEGEND)

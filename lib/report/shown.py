"""What a cell shows as text: tables, headlines, gates. Static, escaped, and aware of whether it may be shared."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
from IPython.display import display

from lib.errors import GateError
from lib.report.masking import HIDDEN, PERSONAL, mask_text
from lib.report.values import cell, evened, heading, is_number, plain


@dataclass(frozen=True)
class Shown:
    """Something to look at: `markup` for notebooks and reports, `text` for terminals.

    Without `shared` it never gets into a masked report.
    """

    markup: str
    text: str
    kind: str
    name: str = ""
    shared: bool = True
    about: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<style>{stylesheet('parts.css')}</style>{self.markup}"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        """HTML and text, with the word about sharing in the output's metadata, where `export` looks for it."""
        bundle = {"text/html": self._repr_html_(), "text/plain": self.text}
        about = {"shared": self.shared, "kind": self.kind, "name": self.name, "text": self.text, **self.about}
        return bundle, {"workbook": about}


@cache
def stylesheet(name: str) -> str:
    """One of our style sheets, as text."""
    return (files("lib.report") / "templates" / name).read_text("utf-8")


def headline(sentence: str, numbers: Mapping[str, Any] | None = None) -> Shown:
    """The answer of a step: one sentence, and a few numbers under their names."""
    sentence = mask_text(sentence)
    tiles = "".join(
        f'<div class="wb-tile"><span class="wb-number">{html.escape(plain(value))}</span>'
        f'<span class="wb-label">{html.escape(mask_text(label))}</span></div>'
        for label, value in (numbers or {}).items()
    )
    row = f'<div class="wb-tiles">{tiles}</div>' if tiles else ""
    markup = f'<section class="wb wb-headline"><p class="wb-answer">{html.escape(sentence)}</p>{row}</section>'
    about = {"numbers": [[mask_text(label), plain(value)] for label, value in (numbers or {}).items()]}
    return Shown(markup, sentence, "headline", about=about)


def note(sentence: str) -> Shown:
    """One quiet sentence: what was found, what is about to happen."""
    sentence = mask_text(sentence)
    return Shown(f'<p class="wb wb-note">{html.escape(sentence)}</p>', sentence, "note")


def gate_banner(ok: bool, reasons: Iterable[str] = (), *, title: str = "", hint: str = "", limit: int = 12) -> Shown:
    """Whether the next step may begin and, when not, why: reasons in words, at most `limit`, and what to do."""
    words = [mask_text(str(reason)) for reason in reasons]
    title = mask_text(title) or ("Gate open. The next step may begin." if ok else "Gate closed.")
    more = [f"… and at least {len(words) - limit:,} more, in the tables of this step"]
    shown = [*words[:limit], *(more if len(words) > limit else [])]
    items = "".join(f"<li>{html.escape(word)}</li>" for word in shown)
    shade = "wb-open" if ok else "wb-closed"
    listed = f"<ul>{items}</ul>" if items else ""
    todo = f"<p>{html.escape(mask_text(hint))}</p>" if hint else ""
    markup = f'<section class="wb wb-gate {shade}"><p><strong>{html.escape(title)}</strong></p>{listed}{todo}</section>'
    return Shown(markup, "\n".join([title, *shown, *([hint] if hint else [])]), "gate", about={"ok": bool(ok)})


def gate(check: Callable[..., None], *found: Any) -> Shown:
    """Call a check that raises a GateError when something is red; show the result either way, then raise."""
    try:
        check(*found)
    except GateError as error:
        title, _, rest = error.message.rstrip(".").partition(": ")
        reasons = rest.split("; ") if rest else []
        display(gate_banner(False, reasons, title=f"Gate closed: {title}.", hint=error.hint))
        raise
    return gate_banner(True)


def table(
    frame: pd.DataFrame | list[dict[str, Any]],
    *,
    title: str,
    limit: int = 12,
    mask: bool = True,
    columns: list[str] | None = None,
) -> Shown:
    """The first `limit` rows of `frame`, and how many there are.

    With `mask`, columns that belong to a person are hidden and every other value is searched for addresses and
    numbers. Without it, the table never gets into a masked report.
    """
    whole = frame if isinstance(frame, pd.DataFrame) else pd.DataFrame(frame)
    shown = whole[[name for name in columns if name in whole.columns]] if columns else whole
    names = [str(name) for name in shown.columns]
    right = {str(name) for name in shown.columns if is_number(shown[name])}
    rows = [
        {str(key): value for key, value in row.items()}
        for row in evened(shown.head(limit)).astype(object).to_dict("records")
    ]
    body = "".join(_row(row, names, right, mask=mask) for row in rows)
    caption = title if not mask else mask_text(title)
    count = _count(len(whole), len(rows))
    head = "".join(f'<th scope="col"{_aligned(name in right)}>{html.escape(heading(name))}</th>' for name in names)
    content = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>" if rows else ""
    markup = (
        f'<figure class="wb wb-block"><figcaption>{html.escape(caption)} '
        f'<span class="wb-count">{count}</span></figcaption><table class="wb-table">{content}</table></figure>'
    )
    return Shown(markup, f"{caption} ({count})", "table", shared=mask, about={"n_rows": len(whole)})


def _row(row: dict[str, Any], names: list[str], right: set[str], *, mask: bool) -> str:
    cells = []
    for name in names:
        content = HIDDEN if mask and name.lower() in PERSONAL and plain(row[name]) != "–" else None
        quiet = name == "severity" and row.get("ok") is True  # a green check is no alarm, however grave it would be
        markup = html.escape(content) if content else cell(name, row[name], mask=mask, quiet=quiet)
        cells.append(f"<td{_aligned(name in right)}>{markup}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _aligned(right: bool) -> str:
    return ' class="wb-right"' if right else ""


def _count(n_rows: int, n_shown: int) -> str:
    if not n_rows:
        return "no rows"
    rows = "row" if n_rows == 1 else "rows"
    return f"{n_rows:,} {rows}" if n_rows == n_shown else f"first {n_shown:,} of {n_rows:,} rows"

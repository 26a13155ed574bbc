"""How single values look: numbers, times, ids, states."""

from __future__ import annotations

import html
import json
import math
import re
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd

from lib.report.masking import UUID, mask_text

pd.set_option("mode.string_storage", "python")  # half an emoji of Lever's is a str, and no Arrow string (dedupe.tables)
NOTHING: Final = "–"
_LONG = 180
_ID = re.compile(rf"\b(?:{UUID}|[0-9a-f]{{40,64}})\b")
_SHADES = {
    "critical": "bad", "refused": "bad", "failed": "bad", "missing": "bad", "doubled": "bad", "blocker": "bad",
    "parked": "bad", "unknown": "warn", "warning": "warn", "different": "warn", "surplus": "warn", "never": "warn",
    "unavailable": "warn", "review": "warn", "planned": "calm", "info": "calm", "new": "calm", "stored": "good",
    "done": "good", "ok": "good", "granted": "good",
}  # fmt: skip
_STATE_COLUMNS = {"severity", "state", "status", "kind", "ok", "match", "treatment", "could_run"}


def heading(name: str) -> str:
    """A column's name in words: `n_records` is shown as "records"."""
    words = name.removeprefix("n_").removesuffix("_ms").replace("_", " ")
    return words[:1].upper() + words[1:]


def is_number(column: pd.Series) -> bool:
    """Whether a column is read as numbers (and so stands to the right)."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def evened(frame: pd.DataFrame) -> pd.DataFrame:
    """The same values, with whole numbers as such: a column with gaps holds floats, and 7.0 people are seven."""
    whole = {
        name: frame[name].astype("Int64")
        for name in frame.columns
        if pd.api.types.is_float_dtype(frame[name]) and "share" not in str(name)
        if (frame[name].dropna() % 1 == 0).all()
    }
    return frame.assign(**{str(name): column for name, column in whole.items()}) if whole else frame


def plain(value: Any, *, name: str = "") -> str:
    """One value as text, with the unit that its column's name tells."""
    missing = value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))
    if missing or (isinstance(value, str) and not value):
        return NOTHING
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "yes" if value else "no"
    value = value.item() if hasattr(value, "dtype") else value
    if isinstance(value, int | float):
        return _number(value, name)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return _several(value)


def _several(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(plain(one) for one in value) or NOTHING
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(value)


def _number(value: Any, name: str) -> str:
    if name.endswith("_ms") and value > 10**11:
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    if name == "share" or name.endswith("_share"):
        return _percent(value)
    if name in ("bytes", "size") or name.endswith("_bytes"):
        return size(value)
    if name in ("seconds", "duration_s") or name.endswith("_seconds"):
        return duration(value)
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
    return text if name or isinstance(value, int) else text.rstrip("0").rstrip(".")


def _percent(share: float) -> str:
    """A share as percent; never rounded up to 100 or down to 0."""
    if 0 < share < 0.001 or 0.999 < share < 1:
        return f"{math.floor(share * 100_000) / 1000:.3f} %"
    return f"{share:.0%}".replace("%", " %") if share in (0, 1) else f"{share * 100:.1f} %"


def size(n_bytes: float) -> str:
    """A number of bytes in a unit that people read."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:,.0f} {unit}" if unit == "B" or n_bytes >= 100 else f"{n_bytes:,.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:,.1f} TB"


def duration(seconds: float) -> str:
    """A length of time in the two largest units that matter."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else (f"{minutes} min {rest} s" if minutes else f"{rest} s")


def cell(name: str, value: Any, *, mask: bool, quiet: bool = False) -> str:
    """One table cell as HTML: escaped, ids shortened (the whole id on hover), states coloured unless `quiet`."""
    text = plain(value, name=name)
    if quiet:
        return html.escape(text)
    if name in _STATE_COLUMNS and (shade := _shade(name, text)):
        return f'<span class="wb-chip wb-{shade}">{html.escape(text)}</span>'
    if mask:
        text = mask_text(text[: _LONG * 5])
    return _short_ids(_shortened(text))


def _shade(name: str, text: str) -> str:
    if name in ("ok", "could_run"):
        return {"yes": "good", "no": "bad"}.get(text, "")
    return _SHADES.get(text.lower(), "")


def _shortened(text: str) -> str:
    """At most so many letters, ids counted as they are shown, and never cut in two."""
    room = _LONG
    for match in _ID.finditer(text):
        if match.start() > room:
            break
        room += len(match.group()) - 9
    return text if len(text) <= room else f"{text[:room].rstrip()}…"


def _short_ids(text: str) -> str:
    out, after = [], 0
    for match in _ID.finditer(text):
        full = match.group()
        out.append(html.escape(text[after : match.start()]))
        out.append(f'<code title="{full}">{full[:8]}…</code>')
        after = match.end()
    return "".join([*out, html.escape(text[after:])])

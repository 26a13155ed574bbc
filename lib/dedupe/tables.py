"""The tables of people before they are compared: from Lever's opportunities, Ashby's candidates, or a CSV file."""

import csv
import json
import marshal
import math
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from lib.errors import ConfigError
from lib.normalize import iso_to_ms

COLUMNS: Final = (
    "id", "name", "headline", "location", "emails", "phones", "links", "names", "headlines", "locations",
    "created_ms", "last_ms", "n_opportunities", "is_anonymized", "consent",
)  # fmt: skip
pd.set_option("mode.string_storage", "python")  # half an emoji of Lever's is a str, and no Arrow string (report.values)
_REQUIRED: Final = ("id", "name")
_STRICTNESS: Final = ("unknown", "allowed", "expired", "denied")


def contacts_table(opportunities: Iterable[Mapping[str, Any]], *, now_ms: int | None = None) -> pd.DataFrame:
    """Return one row per Lever contact, from opportunity bodies as Lever sends them, expanded or not.

    The newest opportunity's values win; every distinct e-mail, phone and link, and every other name, headline and
    location, is kept in the lists, newest first. `consent` (allowed, denied, expired, unknown) is judged at `now_ms`,
    by default now. Times are milliseconds since 1970. Opportunities without a contact are left out.
    """
    now_ms = int(time.time() * 1000) if now_ms is None else now_ms
    views: dict[str, list[bytes]] = {}  # packed: a million as dicts of lists take 1 GB more
    for opportunity in opportunities:
        view = view_of(opportunity, now_ms)
        if view["id"]:
            views.setdefault(view["id"], []).append(marshal.dumps(view))
    return _frame(contact_of(list(map(marshal.loads, views.pop(contact)))) for contact in list(views))


def existing_table(candidates: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per candidate of Ashby (bodies of candidate.list), shaped as `contacts_table`."""
    return _frame(row_of(candidate) for candidate in candidates)


def read_contacts_csv(path: str | Path) -> pd.DataFrame:
    """Read a CSV of people with columns id, name, and optionally headline, location, emails, phones, links, created_ms.

    Lists are JSON or separated by ``;``. Rows with the same id are one person. ConfigError when a column is missing
    or a row has no id.
    """
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in _REQUIRED if name not in (reader.fieldnames or ())]
        if missing:
            raise ConfigError(f"{path}: column missing: {', '.join(missing)}", hint="see the header of the example")
        views: dict[str, list[dict[str, Any]]] = {}
        for row in reader:
            view = _csv_view(row)
            if not view["id"]:
                raise ConfigError(f"{path}:{reader.line_num}: a row has no id", hint="give every row its id")
            views.setdefault(view["id"], []).append(view)
    return _frame(contact_of(views[person]) for person in views)


def _frame(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for row in rows:
        for name, column in columns.items():
            column.append(row[name])
    ages = list(zip(columns["created_ms"], columns["id"], strict=True))
    order = sorted(range(len(ages)), key=ages.__getitem__)
    for name, column in columns.items():
        columns[name] = [column[place] for place in order]
    return pd.DataFrame(columns)


def view_of(opportunity: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """One opportunity's sight of its contact; the expanded contact wins over the repeated attributes."""
    contact = opportunity.get("contact")
    expanded: Mapping[str, Any] = contact if isinstance(contact, Mapping) else {}
    created = whole(opportunity.get("createdAt"))

    def both(key: str) -> list[Any]:
        return [*(expanded.get(key) or ()), *(opportunity.get(key) or ())]

    row = {
        "id": str(expanded.get("id") or "") if expanded else str(contact or ""),
        "names": [expanded.get("name"), opportunity.get("name")],
        "headlines": [expanded.get("headline"), opportunity.get("headline")],
        "locations": [_place(expanded.get("location")), _place(opportunity.get("location"))],
        "emails": both("emails"),
        "phones": [phone.get("value") if isinstance(phone, Mapping) else phone for phone in both("phones")],
        "links": both("links"),
        "created_ms": created,
        "last_ms": max(created, whole(opportunity.get("updatedAt"))),
        "n_opportunities": 1,
        "is_anonymized": bool(expanded.get("isAnonymized") or opportunity.get("isAnonymized")),
        "consent": _consent(opportunity.get("dataProtection") or expanded.get("dataProtection"), now_ms),
        "order": str(opportunity.get("id") or ""),
    }
    return row | {key: texts(row[key]) for key in ("names", "headlines", "locations", "emails", "phones", "links")}


def contact_of(views: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one row of several sights of one contact; the newest sight's values win, for every order of them."""
    if len(views) > 1:
        views = sorted(views, key=lambda view: json.dumps(view, sort_keys=True, default=str))
        views.sort(key=lambda view: (-view["last_ms"], view.get("order", "")))
    row: dict[str, Any] = {"id": views[0]["id"]}
    for key in ("emails", "phones", "links", "names", "headlines", "locations"):
        row[key] = texts(value for view in views for value in view[key]) if len(views) > 1 else views[0][key]
    for single, several in (("name", "names"), ("headline", "headlines"), ("location", "locations")):
        row[single] = row[several][0] if row[several] else ""
    known = [view for view in views if view["consent"] != "unknown"]
    newest = [view["consent"] for view in known if view["last_ms"] == known[0]["last_ms"]]
    return row | {
        "created_ms": min((view["created_ms"] for view in views if view["created_ms"]), default=0),
        "last_ms": views[0]["last_ms"],
        "n_opportunities": sum(view["n_opportunities"] for view in views),
        "is_anonymized": any(view["is_anonymized"] for view in views),
        "consent": strictest(newest),
    }


def strictest(consents: Iterable[str]) -> str:
    """Return the consent that forbids most: denied, expired, allowed, unknown."""
    return max(consents, key=_STRICTNESS.index, default="unknown")


def row_of(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """A candidate of Ashby as a row of `existing_table`."""

    def values(primary: str, several: str) -> list[Any]:
        found = [candidate.get(primary), *(candidate.get(several) or ())]
        return [entry.get("value") for entry in found if isinstance(entry, Mapping)]

    work = [candidate.get("position"), candidate.get("company")]
    return complete({
        "id": str(candidate["id"]),
        "name": candidate.get("name"),
        "headline": ", ".join(part for part in work if part),
        "location": _place(candidate.get("location")),
        "emails": texts(values("primaryEmailAddress", "emailAddresses")),
        "phones": texts(values("primaryPhoneNumber", "phoneNumbers")),
        "links": texts(link.get("url") for link in candidate.get("socialLinks") or ()),
        "created_ms": iso_to_ms(candidate["createdAt"]) if candidate.get("createdAt") else 0,
    })  # fmt: skip


def complete(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row from anywhere with every column of `COLUMNS`, in plain Python types."""
    created = whole(row.get("created_ms"))
    full: dict[str, Any] = {"id": str(row["id"])}
    for single, several in (("name", "names"), ("headline", "headlines"), ("location", "locations")):
        text = row.get(single)
        full[single] = text.strip() if isinstance(text, str) else ""
        full[several] = texts((full[single], *listed(row.get(several))))
    for key in ("emails", "phones", "links"):
        full[key] = texts(listed(row.get(key)))
    consent = row.get("consent")
    return full | {
        "created_ms": created,
        "last_ms": max(whole(row.get("last_ms")), created),
        "n_opportunities": whole(row.get("n_opportunities")),
        "is_anonymized": row.get("is_anonymized") in (True, 1, "true", "True", "1"),
        "consent": consent if consent in _STRICTNESS else "unknown",
    }


def _csv_view(row: Mapping[str, Any]) -> dict[str, Any]:
    lists = {key: _csv_list(row.get(key) or "") for key in ("emails", "phones", "links")}
    return complete(dict(row) | {"id": (row.get("id") or "").strip()} | lists)


def _csv_list(text: str) -> list[str]:
    if text.lstrip().startswith("["):
        try:
            return texts(json.loads(text))
        except json.JSONDecodeError:
            pass  # a text that only looks like JSON is separated as any other
    return texts(text.split(";"))


def listed(value: Any) -> list[Any]:
    """Return the values of a cell that holds a list, a single text, or nothing."""
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        return [value]
    return list(value) if isinstance(value, Iterable) else []


def texts(values: Iterable[Any]) -> list[str]:
    """Return the distinct non-empty texts, trimmed, in their first order; what is no text is left out."""
    found = [text for value in values if isinstance(value, str) and (text := value.strip())]
    return found if len(found) < 2 else list(dict.fromkeys(found))


def _place(location: Any) -> str:
    """Lever's contact has an object, its opportunity a text, Ashby's candidate a summary and components."""
    if isinstance(location, Mapping):
        summary = location.get("name") or location.get("locationSummary")
        parts = [part.get("name") for part in location.get("locationComponents") or ()]
        return summary or ", ".join(part for part in parts if part)
    return location if isinstance(location, str) else ""


def whole(value: Any) -> int:
    """Return a whole number, also written as text; 0 where there is none."""
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"\s*-?\d+\s*", value) else 0
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else 0


def _consent(protection: Any, now_ms: int) -> str:
    store = protection.get("store") if isinstance(protection, Mapping) else None
    if not isinstance(store, Mapping) or store.get("allowed") is None:
        return "unknown"
    if not store["allowed"]:
        return "denied"
    expires = store.get("expiresAt")
    return "expired" if expires is not None and whole(expires) <= now_ms else "allowed"

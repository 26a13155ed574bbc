"""Finding Lever's words, times and numbers again in what stands in Ashby: reading only, no belief about the client."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

Json = dict[str, Any]
CLOSE_MS = 50  # equal times may be told apart by a millisecond each
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(?=\d\d:\d\d)")


def squash(value: object) -> str:
    """The text without any space and without control characters; moments without their T."""
    text = _MOMENT.sub(r"\1 ", str(value))
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cs"))


def in_order(text: str, wanted: list[str]) -> list[str]:
    """The wanted texts that do not stand in `text`, one after the other."""
    at, missing = 0, []
    for one in wanted:
        found = text.find(squash(one), at)
        if found < 0:
            missing.append(one)
        else:
            at = found + len(squash(one))
    return missing


def near(text: str, start: str, wanted: list[str], *, within: int) -> bool:
    """Whether all wanted texts stand shortly behind some place where `start` stands."""
    key, at = squash(start), -1
    while (at := text.find(key, at + 1)) >= 0:
        window = text[at : at + len(key) + within]
        if all(squash(one) in window for one in wanted):
            return True
    return False


def moment(ms: int) -> str:
    """A time as a reader finds it, to the second."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def day(ms: int) -> str:
    """The day of a time."""
    return moment(ms)[:10]


def milliseconds(text: str) -> int:
    """An ISO time as milliseconds."""
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def close(left: int, right: int) -> bool:
    """Whether two times are the same but for what tells equal ones apart."""
    return abs(left - right) <= CLOSE_MS


def address(text: str) -> str:
    """An e-mail address without display name, `mailto:`, spaces and capitals."""
    inner = re.search(r"<([^>]*)>", text)
    return (inner.group(1) if inner else text).strip().removeprefix("mailto:").strip().lower()


def digits(text: str) -> str:
    """The digits of a phone number."""
    return re.sub(r"\D", "", text)


def slug(url: str) -> tuple[str, str]:
    """(domain, path) of a link, however it is written."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    host = ".".join((parts.hostname or "").split(".")[-2:])
    path = parts.path.strip("/").casefold()
    return host, path or unquote(parts.query)


def leaves(value: Any) -> list[Any]:
    """All single values in a value, in order."""
    if isinstance(value, dict):
        return [leaf for child in value.values() for leaf in leaves(child)]
    if isinstance(value, list):
        return [leaf for child in value for leaf in leaves(child)]
    return [] if value is None or value == "" else [value]


def words_of(answer: Json) -> list[str]:
    """What a reader must find of one answer: its question, then its value part by part."""
    kind, value = answer["type"], answer["value"]
    if kind == "date":
        return [answer["question"], day(value)]
    if kind == "file-upload":
        return [answer["question"], value["name"]]
    if kind == "scorecard":
        rows = [
            [name, *leaves([row["score"], row["comment"]])]
            for name, row in zip(answer["scores"], value, strict=True)
            if leaves([row["score"], row["comment"]])
        ]
        return [answer["question"], *(str(one) for row in rows for one in row)]
    return [answer["question"], *(str(leaf) for leaf in leaves(value))]


def is_value(answer: Json, stands: Any) -> bool:
    """Whether the value of a custom field says the same as an answer."""
    kind, value = answer["type"], answer["value"]
    if stands is None or stands == "":
        return False
    if isinstance(stands, bool):
        return kind == "yes-no" and stands is (value == "yes")
    if kind == "date":
        return str(stands)[:10] == day(value)
    if isinstance(value, list):
        return isinstance(stands, list) and sorted(map(str, stands)) == sorted(map(str, value))
    if isinstance(value, int | float):
        numbers = [one for one in leaves(stands) if isinstance(one, int | float)]
        return numbers == [value] or squash(stands) == squash(value)
    return not isinstance(value, dict) and squash(stands) == squash(value)

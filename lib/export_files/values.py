"""Cells of an export as the values that Lever's API has: moments, lists, ids, yes and no. Nothing is guessed."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo

from lib.export_files.tree import UUID

DayOrder = Literal["", "dmy", "mdy"]
SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://hire.lever.co/export-files")
"""Name space of the ids that we make where an export has none: equal keys give equal ids, in every run."""
_MONTHS = (
    "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
    "september sep sept", "october oct", "november nov", "december dec",
)  # fmt: skip
MONTHS = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
CLOCK = r"(?:[ T,]+(?:at )?(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?\s*([AaPp]\.?[Mm]\.?)?)?"
ZONE = r"\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?"
ISO = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){CLOCK}{ZONE}", re.IGNORECASE)
NUMBERS = re.compile(rf"(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}|\d\d){CLOCK}{ZONE}", re.IGNORECASE)
DAY_FIRST = re.compile(
    rf"(?:[A-Za-z]{{3,9}},?\s+)?(\d{{1,2}})(?:st|nd|rd|th)?[ -]([A-Za-z]{{3,9}})\.?[, -]+(\d{{4}}){CLOCK}{ZONE}"
)
MONTH_FIRST = re.compile(
    rf"(?:[A-Za-z]{{3,9}},?\s+)?([A-Za-z]{{3,9}})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}}){CLOCK}{ZONE}"
)
BETWEEN = {
    "emails": r"[;,\s|]+",
    "phones": r"[;|\n]|,(?!\s*ext)",
    "links": r"[;|\n]|,\s+|,(?=https?:|www\.)|\s+(?=https?:|www\.)",
    "words": r"[;|\n]|,",
}
"""Between the values of one cell."""
YES = ("yes", "true", "y", "1", "t", "x", "confidential", "secret", "private")
NO = ("no", "false", "n", "0", "f", "", "non-confidential", "public", "none")


class UntoldError(ValueError):
    """A value that can be read in two ways, and nobody has said which; `question` names the setting that says it."""

    def __init__(self, question: str) -> None:
        super().__init__(question)
        self.question = question


@dataclass(frozen=True, slots=True)
class Moments:
    """How dates of this customer's export are read: the order of day and month, the zone of times without one."""

    order: DayOrder = ""
    zone: str = ""

    def ms(self, text: str, *, utc: bool = False) -> int | None:
        """Epoch milliseconds of a cell; None when it is empty.

        `utc`: the column says so. ValueError when it is no moment, UntoldError when it may be one of two.
        """
        text = text.strip()
        if not text:
            return None
        if re.fullmatch(r"\d{13}", text):
            return int(text)
        if re.fullmatch(r"\d{10}", text):
            return int(text) * 1000
        day, clock, zone = self._parts(text)
        return round(_moment(day, clock, self._zone(zone, utc)).timestamp() * 1000)

    def _parts(self, text: str) -> tuple[tuple[int, int, int], tuple[str | None, ...], str]:
        if match := ISO.fullmatch(text):
            year, month, day, *clock, zone = match.groups()
            return (int(year), int(month), int(day)), tuple(clock), zone or ""
        if match := NUMBERS.fullmatch(text):
            first, second, year, *clock, zone = match.groups()
            return self._ordered(int(first), int(second), year), tuple(clock), zone or ""
        if match := DAY_FIRST.fullmatch(text):
            day, name, year, *clock, zone = match.groups()
        elif match := MONTH_FIRST.fullmatch(text):
            name, day, year, *clock, zone = match.groups()
        else:
            raise ValueError("no date")
        month = MONTHS.get(name.lower())
        if month is None:
            raise ValueError("no date")
        return (int(year), month, int(day)), tuple(clock), zone or ""

    def _ordered(self, first: int, second: int, year: str) -> tuple[int, int, int]:
        if len(year) == 2 and not self.order:
            raise UntoldError("lever.export_dates")
        whole = int(year) + (2000 if len(year) == 2 else 0)
        if self.order == "dmy" or (not self.order and first > 12 >= second) or (first == second):
            return whole, second, first
        if self.order == "mdy" or (not self.order and second > 12 >= first):
            return whole, first, second
        raise UntoldError("lever.export_dates")

    def _zone(self, told: str, utc: bool) -> tzinfo:
        if told and told[0] in "+-":
            hours, minutes = int(told[1:3]), int(told[-2:])
            return datetime.strptime(f"{told[0]}{hours:02}{minutes:02}", "%z").tzinfo or UTC
        if told or utc:
            return UTC
        if not self.zone:
            raise UntoldError("lever.export_time_zone")
        return ZoneInfo(self.zone)


def _moment(day: tuple[int, int, int], clock: tuple[str | None, ...], zone: tzinfo) -> datetime:
    hour, minute, second, fraction, half = clock
    if hour is None:
        return datetime(*day, tzinfo=zone)
    whole = int(hour)
    if half:
        if not 1 <= whole <= 12:
            raise ValueError("no time")
        whole = whole % 12 + (12 if half[0] in "pP" else 0)
    micro = int((fraction or "").ljust(6, "0"))
    extra = timedelta(days=1) if whole == 24 else timedelta()
    return datetime(*day, whole % 24, int(minute or 0), int(second or 0), micro, tzinfo=zone) + extra


def listed(text: str, kind: str) -> list[str]:
    """The values of one cell: a JSON list, or parts between the signs that such cells are joined with, each once.

    `kind`: emails, phones, links, or words (tags, sources), which Lever joins with commas (its import template).
    """
    text = text.strip()
    if text.startswith("["):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, list) and all(isinstance(one, str | int | float) for one in found):
            return _once(map(str, found))
    return _once(re.split(BETWEEN[kind], text))


def _once(parts: Any) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def yes(text: str) -> bool | None:
    """True, False, or None for a word that is neither."""
    word = text.strip().casefold()
    return True if word in YES else (False if word in NO else None)


def uuids(text: str) -> list[str]:
    """All ids in a text, in lower case and in order: a cell, a path, or an address such as .../candidates/<id>."""
    return [found.lower() for found in UUID.findall(text)]


def made_id(kind: str, *key: object) -> str:
    """The id of something that the export names without one; equal keys give equal ids, on every machine."""
    return str(uuid.uuid5(SPACE, json.dumps([kind, *map(str, key)], ensure_ascii=True)))

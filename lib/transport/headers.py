"""What a vendor's headers and codes say: waits, clocks, numbers. Odd ones say nothing, and never raise."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 120.0  # seconds: a longer Retry-After is capped, so that one odd header cannot park a run for hours


def whole_number(text: str) -> int | None:
    """A header's value as a whole number; None when it is anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks for (number or date form), capped; None without a usable one."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = http_date(value) - (time.time() if now is None else now)
        except ValueError:
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT) if not math.isnan(seconds) else None


def plain_code(value: object) -> str:
    """A vendor's error code, or "" when it is a sentence or anything else that could name a person."""
    return value if isinstance(value, str) and re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,79}", value) else ""


def plain_word(value: object) -> str:
    """A version or a status as a header tells it; "" when it is anything else than one short word."""
    return value if isinstance(value, str) and re.fullmatch("[A-Za-z0-9._-]{1,40}", value) else ""


def http_date(text: str) -> float:
    """An HTTP date (always UTC) in epoch seconds; ValueError when it is none."""
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (TypeError, OverflowError, IndexError):
        raise ValueError("not a date") from None


def server_time(headers: Mapping[str, str]) -> int:
    """The server's clock in epoch milliseconds, 0 when it was not told."""
    try:
        return int(http_date(headers.get("Date", "")) * 1000)
    except ValueError:
        return 0

"""Times: Lever's integer milliseconds and Ashby's ISO 8601 text, without rounding."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def ms_to_iso(ms: int) -> str:
    """Return milliseconds since 1970 as ``2024-01-31T10:20:30.123Z``. ValueError outside the years 1 to 9999."""
    try:
        moment = _EPOCH + timedelta(milliseconds=int(ms))
    except OverflowError as error:
        raise ValueError("time outside the years 1 to 9999") from error
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f".{moment.microsecond // 1000:03d}Z"


def iso_to_ms(text: str) -> int:
    """Return an ISO 8601 time as milliseconds since 1970; without a zone it is UTC. ValueError when it is no time."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)

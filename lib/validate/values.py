"""When two values are the same, knowing what Ashby does to values on its way.

Sources: Ashby's reference (formats), recorded answers (shapes), and where it says "guess", neither.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

MARKER = re.compile(r"\[Lever [a-z]+ [^\]\n]+\]")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}(T|$)")
_MIN_DIGITS = 7
"""A phone number that was shortened keeps at least so many digits (guess)."""


def moment(text: Any) -> int | None:
    """Epoch milliseconds of an ISO text with a zone; None when it is none."""
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return round(found.timestamp() * 1000) if found.tzinfo else None


def same_moment(sent: Any, found: Any, *, unit_ms: int = 1) -> bool:
    """True when two ISO texts mean the same millisecond; in an Ashby that keeps whole units, the unit it was in."""
    one, other = moment(sent), moment(found)
    return one is not None and other is not None and other in (one, one - one % unit_ms)


def in_units(text: Any, unit_ms: int) -> str:
    """An ISO text as an Ashby that keeps whole units shows it; as it is where there is nothing to cut off."""
    at = moment(text)
    if at is None or not at % unit_ms:
        return str(text)
    return datetime.fromtimestamp((at - at % unit_ms) / 1000, UTC).isoformat()


def same_words(left: Any, right: Any) -> bool:
    """True when two names differ at most in white space."""
    return str(left or "").split() == str(right or "").split()


def same_mail(left: Any, right: Any) -> bool:
    """True when two addresses differ at most in case."""
    return str(left or "").strip().casefold() == str(right or "").strip().casefold()


def same_phone(left: Any, right: Any) -> bool:
    """True when two numbers have the same digits; a country prefix may lack on one side (guess)."""
    short, long = sorted((_digits(left), _digits(right)), key=len)
    return short == long or (len(short) >= _MIN_DIGITS and long.endswith(short))


def _digits(value: Any) -> str:
    digits = "".join(filter(str.isdigit, str(value or "")))
    return digits.removeprefix("00") or str(value or "")


def url_key(url: Any) -> str:
    """An address in a form that does not depend on the case of the host or on a trailing slash."""
    parts = urlsplit(str(url or "").strip())
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}?{parts.query}#{parts.fragment}"


def same_text(sent: Any, found: Any) -> bool:
    """True when two long texts agree but for line ends, outer white space, or HTML's way to write characters."""
    one, two = _lines(sent), _lines(found)
    return one == two or one == _lines(html.unescape(re.sub(r"</?(p|br|div)\s*/?>", "\n", str(found or ""))))


def _lines(text: Any) -> str:
    """Without white space at the ends of lines and around the whole; every kind of line end is one (Unicode's too)."""
    return "\n".join(line.rstrip() for line in str(text or "").splitlines()).strip()


def same_value(sent: Any, found: Any) -> bool:
    """True when a custom-field value or a form answer came back as it was sent; formats: Ashby's reference."""
    sent, found = unwrapped(sent), unwrapped(found)
    if isinstance(sent, bool) or isinstance(found, bool):
        return sent is found
    if isinstance(sent, int | float):
        return _number(found) == float(sent)
    if isinstance(sent, list):
        return isinstance(found, list) and sorted(map(str, sent)) == sorted(map(str, found))
    if isinstance(sent, dict):
        return isinstance(found, dict) and all(same_value(sent[name], found.get(name)) for name in sent)
    if isinstance(sent, str) and isinstance(found, str) and _DATE.match(sent) and _DATE.match(found):
        return same_moment(sent, found) or (10 in (len(sent), len(found)) and sent[:10] == found[:10])
    return same_text(sent, found)


def unwrapped(value: Any) -> Any:
    """The text of `{"type": "PlainText", "value": …}` and the number of `{"score": …}`; all else as it is."""
    if isinstance(value, dict):
        if isinstance(value.get("value"), str):
            return value["value"]
        if set(value) == {"score"}:
            return value["score"]
    return value


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def markers(value: Any) -> list[str]:
    """All marker lines in any text of a value, in order, e.g. `[Lever note <id> 2/3]`."""
    if isinstance(value, str):
        return MARKER.findall(value)
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for child in children for one in markers(child)]


def last_marker(value: Any) -> str:
    """The last marker line; "" when there is none. A quoted one in the text before it does not count."""
    found = markers(value)
    return found[-1] if found else ""

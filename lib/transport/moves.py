"""A path that has moved for good (301, 308): where it stands now, and whether our key may be sent there."""

from __future__ import annotations

from urllib.parse import parse_qsl, urljoin, urlsplit

from lib.transport import Reply, host_allowed

MOVED = (301, 308)
MOST = 3
Query = list[tuple[str, str]]


def place_of(url: str, reply: Reply) -> str:
    """Where what was asked for at `url` stands now; "" for any other answer, and where that is not told."""
    told = reply.headers.get("Location", "").strip() if reply.status in MOVED else ""
    try:
        return urljoin(url, told) if told else ""
    except ValueError:
        return ""


def is_at_home(url: str, base_url: str) -> bool:
    """Whether an address is on the very host (scheme and port included) that the key is for."""
    home = urlsplit(base_url)
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    same = (parts.scheme, parts.netloc.lower()) == (home.scheme, home.netloc.lower())
    return same and host_allowed(url, [home.netloc.lower()])  # which also refuses what parsers read differently


def asked_there(place: str, url: str, query: Query) -> tuple[str, Query]:
    """Address and parameters at the new place: all that was asked is asked there, or a filter would be lost unseen."""
    parts = urlsplit(place)
    told = parse_qsl(parts.query, keep_blank_values=True)
    ours = parse_qsl(urlsplit(url).query, keep_blank_values=True) + query
    return parts._replace(query="", fragment="").geturl(), told + [one for one in ours if one not in told]

"""Links of people: which site they belong to, and a form that is safe to write and to click."""

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

# Kinds are the social link types of Ashby's candidate (reference page candidate.update), "Other" is ours.
_SITES: Final = {
    "linkedin.com": "LinkedIn",
    "github.com": "GitHub",
    "twitter.com": "Twitter",
    "x.com": "Twitter",
    "medium.com": "Medium",
    "stackoverflow.com": "StackOverflow",
    "youtube.com": "YouTube",
    "youtu.be": "YouTube",
    "codepen.io": "CodePen",
}
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d+(?:[/?#]|$))", re.IGNORECASE)
_LABEL: Final = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST: Final = re.compile(rf"(?=.{{4,253}}\Z)(?:{_LABEL}\.)+(?=[a-z0-9-]*[a-z]){_LABEL}")
_DROPPED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# What most people paste: cleaned by lower case of scheme and host alone.
_PLAIN: Final = re.compile(
    r"(?:(https?)://)?((?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z]{2,})((?:/[a-z0-9_.~-]+)*/?)", re.IGNORECASE | re.ASCII
)
_PLAIN_HOST: Final = 63
_WRAPPED: Final = {("<", ">"), ('"', '"'), ("'", "'")}
_PATH: Final = "/%:@!$&'()*+,;=~-._?#[]"
_NOBODY: Final = re.compile("me|none|na|n-a|unknown|unavailable|profile|null|undefined")


def link_kind(url: str | None) -> tuple[str, str | None]:
    """Return (kind, cleaned URL). Kinds: LinkedIn GitHub Twitter Medium StackOverflow YouTube CodePen Website Other.

    A missing scheme becomes ``https://``; scheme and host are lower case and ASCII. Everything that is not a plain
    http(s) address of a host (scripts, data, mail, credentials before the host, free text) answers ("Other", None).
    """
    plain = _PLAIN.fullmatch(url or "")
    if plain and len(plain[2]) <= _PLAIN_HOST:
        host = plain[2].lower()
        return _kind(host), f"{(plain[1] or 'https').lower()}://{host}{plain[3]}"
    cleaned = _cleaned(url or "")
    if cleaned is None:
        return "Other", None
    return _kind(urlsplit(cleaned).hostname or ""), cleaned


def _kind(host: str) -> str:
    """The site of a host: every site's domain has two labels."""
    return _SITES.get(".".join(host.rsplit(".", 2)[-2:]), "Website")


def linkedin_slug(url: str | None) -> str | None:
    """Return the personal part of a LinkedIn profile address in lower case, or None when it names no person."""
    kind, cleaned = link_kind(url)
    if kind != "LinkedIn" or cleaned is None:
        return None
    words = [unquote(part).strip().lower() for part in urlsplit(cleaned).path.split("/") if part.strip()]
    if len(words) < 2 or words[0] not in ("in", "pub") or _NOBODY.fullmatch(words[1]):
        return None
    return words[1] if words[0] == "in" else "/".join(words[:5])


def _cleaned(url: str) -> str | None:
    url = _DROPPED.sub("", url).strip()
    while len(url) > 1 and (url[0], url[-1]) in _WRAPPED:  # only in pairs: what ends a query belongs to it
        url = url[1:-1].strip()
    if url.startswith("//"):
        url = url[2:]
    scheme = _SCHEME.match(url)
    if scheme is None:
        url = "https://" + url
    elif scheme.group().lower() not in ("http:", "https:"):
        return None
    try:
        parts = urlsplit(url)
        host, port = _ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if not _HOST.fullmatch(host) or "@" in parts.netloc or "\\" in url:
        return None
    place = host if port is None else f"{host}:{port}"
    rest = (quote(part, safe=_PATH, errors="replace") for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme.lower(), place, *rest))


def _ascii_host(host: str) -> str:
    host = host.rstrip(".").lower()
    return host if host.isascii() else host.encode("idna").decode("ascii")

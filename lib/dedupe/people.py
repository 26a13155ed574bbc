"""Survivorship: one row per person out of the rows of its contacts, and what was not kept in its own place."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final
from urllib.parse import urlsplit

from lib.dedupe.facts import canonical_emails
from lib.dedupe.policy import DedupePolicy
from lib.dedupe.tables import strictest
from lib.normalize import is_placeholder_email, link_kind, name_key, phone_e164, text_safe

PEOPLE_COLUMNS: Final = (
    "person", "name", "email", "alternate_emails", "phone", "other_phones", "linkedin", "github", "website", "social",
    "other_links", "headline", "location", "city", "region", "country", "created_ms", "n_contacts", "n_opportunities",
    "is_anonymized", "consent", "ashby_id", "match",
)  # fmt: skip
_RUNNABLE: Final = re.compile(r"\s*(?:javascript|data|vbscript|file|blob|about)\s*:", re.IGNORECASE)
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060-\u2064\ufeff]")


def survivor(
    person: str, rows: Sequence[Mapping[str, Any]], *, policy: DedupePolicy, place: Callable[[str], dict[str, str]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the row of a person and its conflicts (person, field, kept, others); `place` is `location_parts`.

    Rules: `policy.survives` says whose name, headline, location, first e-mail (placeholders last), first phone and
    first link of a site are kept (of equally full names the newest); created = the earliest; consent = the strictest.
    Further e-mails, phones and links are kept in lists; what has no place is listed as a conflict.
    """
    rows = sorted(rows, key=lambda row: (-row["last_ms"], row["id"]))

    def of(field: str, column: str) -> Iterator[str]:
        """All values, those that are to be kept first."""
        some = rows[::-1] if policy.survives.get(field) == "oldest" else rows
        return chain.from_iterable(row[column] for row in some)

    names = _distinct(of("name", "names"))
    fullest = policy.survives.get("name", "fullest") == "fullest"
    kept: dict[str, Any] = {"person": person, "name": _fullest(names) if fullest else next(iter(names), "")}
    emails, odd_emails = canonical_emails(of("email", "emails"))
    if len(emails) > 1:
        emails.sort(key=is_placeholder_email)
    phones = _phones(of("phone", "phones"), region=policy.region)
    links, odd_links = _links(of("links", "links"))
    headlines, locations = _distinct(of("headline", "headlines")), _distinct(of("location", "locations"))
    kept |= {"email": emails[0] if emails else None, "alternate_emails": emails[1:]}
    kept |= {"phone": phones[0] if phones else None, "other_phones": phones[1:]} | links
    kept |= {"headline": headlines[0] if headlines else "", "location": locations[0] if locations else ""}
    parts = place(kept["location"])
    kept |= {part: parts.get(part) for part in ("city", "region", "country")}
    consents = [row["consent"] for row in rows]
    kept |= {
        "created_ms": min((row["created_ms"] for row in rows if row["created_ms"]), default=0),
        "n_contacts": len(rows),
        "n_opportunities": sum(row["n_opportunities"] for row in rows),
        "is_anonymized": any(row["is_anonymized"] for row in rows),
        "consent": strictest(consents),
    }
    values = {"name": names, "headline": headlines, "location": locations, "consent": sorted(set(consents))}
    told = [(key, kept[key], found) for key, found in values.items()]
    told += [("email", kept["email"], odd_emails), ("link", None, odd_links)]
    lost = ((field, value, [other for other in found if other != value]) for field, value, found in told)
    return kept, [
        {"person": person, "field": field, "kept": value or "", "others": others}
        for field, value, others in lost
        if others
    ]


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def _fullest(names: Sequence[str]) -> str:
    """The name with most words that are not initials; of equals the first, which is the newest."""
    if len(names) < 2:
        return names[0] if names else ""
    return max(names, key=lambda name: ("@" not in name, sum(len(word) > 1 for word in name_key(name).split())))


def _phones(texts: Iterable[str], *, region: str | None) -> list[str]:
    """Distinct numbers as typed; a text with letters (an extension, a remark) is equal only to itself."""
    several = list(dict.fromkeys(texts))
    if len(several) < 2:
        return several
    distinct: dict[str, str] = {}
    for text in several:
        plain = not re.search(r"[^\W\d_]|[#;,]", text)
        number = phone_e164(text, region=region) if plain else None
        distinct.setdefault(number or (re.sub(r"\D", "", text) if plain else "") or text.casefold(), text)
    return list(distinct.values())


def _links(texts: Iterable[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the links sorted into their places, and those that must not be written anywhere."""
    first: dict[str, str] = {}
    other: list[str] = []
    odd: list[str] = []
    seen: set[str] = set()
    several = list(dict.fromkeys(texts))
    for text in several:
        kind, cleaned = link_kind(text)
        key = _link_key(cleaned or text) if len(several) > 1 else text
        if key in seen:
            continue
        seen.add(key)
        if cleaned is None:
            (odd if _RUNNABLE.match(_CONTROL.sub("", text)) else other).append(text_safe(text))
        elif first.setdefault(kind, cleaned) != cleaned:
            other.append(cleaned)
    single = {key: first.pop(kind, None) for key, kind in _SINGLE.items()}
    social = [{"type": kind, "url": url} for kind, url in first.items()]
    return single | {"social": social, "other_links": other}, odd


_SINGLE: Final = {"linkedin": "LinkedIn", "github": "GitHub", "website": "Website"}


def _link_key(url: str) -> str:
    parts = urlsplit(url)
    if not parts.netloc:
        return url
    query = f"?{parts.query}" if parts.query else ""
    return parts.netloc.removeprefix("www.") + parts.path.rstrip("/") + query + parts.fragment

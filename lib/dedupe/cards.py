"""What of a person is compared: a card with normal forms, and the card of several contacts together."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final
from urllib.parse import urlsplit

from lib.normalize import email_canonical, email_folded, link_kind, linkedin_slug, name_key, name_parts, phone_e164

_SHORTEST_PHONE: Final = 7  # digits; shorter ones are extensions


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One or several contacts in the forms that are compared; everything is empty for anonymised people."""

    names: frozenset[str] = frozenset()
    name_keys: frozenset[str] = frozenset()
    givens: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    folded: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    linkedin: frozenset[str] = frozenset()
    github: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()


def card_of(row: Mapping[str, Any], *, region: str | None) -> Card:
    """Return the card of one row of a contacts table."""
    if row["is_anonymized"]:
        return Card()
    name = row["name"] if "@" not in row["name"] else ""
    given, family = name_parts(name)
    emails = frozenset(canonical_emails(row["emails"])[0])
    return Card(
        names=_present([name]),
        name_keys=_present([name_key(name)]),
        givens=_present(name_key(given).split()[:1]),
        families=_present([name_key(family)]),
        emails=emails,
        folded=frozenset(map(email_folded, emails)),
        phones=_present(_phone_key(phone, region=region) for phone in row["phones"]),
        linkedin=_present(map(linkedin_slug, row["links"])),
        github=_present(map(_github_user, row["links"])),
        places=_present([name_key(row["location"])]),
    )


def joined_card(cards: Iterable[Card]) -> Card:
    """Return the card of a person with several contacts."""
    first, *others = cards
    if not others:
        return first
    values = {field.name: getattr(first, field.name) for field in fields(Card)}
    return Card(**{key: value.union(*(getattr(card, key) for card in others)) for key, value in values.items()})


def canonical_emails(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return (distinct canonical addresses in order, texts that hold no address). One text may hold several."""
    found: dict[str, None] = {}
    odd: list[str] = []
    for text in texts:
        whole = email_canonical(text)
        parts = [whole] if whole else [email_canonical(part) for part in re.split(r"[;,\s/|]+", text) if "@" in part]
        if parts and all(parts):
            found |= dict.fromkeys(part for part in parts if part)
        else:
            odd.append(text)
            found |= dict.fromkeys(part for part in parts if part)
    return list(found), odd


def _present(values: Iterable[str | None]) -> frozenset[str]:
    return frozenset(value for value in values if value)


def _phone_key(text: str, *, region: str | None) -> str | None:
    """E.164; a number of unknown country is equal only to the same digits of unknown country."""
    digits = re.sub(r"\D", "", text)
    return phone_e164(text, region=region) or (f"?{digits}" if len(digits) >= _SHORTEST_PHONE else None)


def _github_user(url: str) -> str | None:
    if "github" not in url.lower():
        return None
    kind, cleaned = link_kind(url)
    words = urlsplit(cleaned or "").path.strip("/").lower().split("/")
    return words[0] if kind == "GitHub" and words[0] not in ("", "orgs", "topics", "search") else None

"""What of a person is compared: a card with normal forms, and the card of several contacts together."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lib.normalize import email_canonical, email_folded, link_kind, linkedin_slug, name_key, name_parts, phone_e164


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One or several contacts in the forms that are compared. Keys are empty for anonymised people."""

    names: tuple[str, ...]
    emails: frozenset[str]
    folded: frozenset[str]
    phones: frozenset[str]
    linkedin: frozenset[str]
    github: frozenset[str]
    places: frozenset[str]

    @property
    def name_keys(self) -> frozenset[str]:
        """The plain keys of the names."""
        return frozenset(key for key in map(name_key, self.names) if key)


def card_of(row: Mapping[str, Any], *, region: str | None) -> Card:
    """Return the card of one row of a contacts table."""
    if row["is_anonymized"]:
        empty: frozenset[str] = frozenset()
        return Card(
            names=(), emails=empty, folded=empty, phones=empty, linkedin=empty, github=empty, places=empty
        )  # fmt: skip
    emails = frozenset(canonical_emails(row["emails"])[0])
    return Card(
        names=tuple(row["names"][:1]),
        emails=emails,
        folded=frozenset(map(email_folded, emails)),
        phones=_present(phone_e164(phone, region=region) for phone in row["phones"]),
        linkedin=_present(map(linkedin_slug, row["links"])),
        github=_present(map(_github_user, row["links"])),
        places=_present([name_key(row["location"])]),
    )


def joined_card(cards: Iterable[Card]) -> Card:
    """Return the card of a person with several contacts."""
    cards = list(cards)
    if len(cards) == 1:
        return cards[0]
    return Card(
        names=tuple(dict.fromkeys(name for card in cards for name in card.names)),
        emails=frozenset().union(*(card.emails for card in cards)),
        folded=frozenset().union(*(card.folded for card in cards)),
        phones=frozenset().union(*(card.phones for card in cards)),
        linkedin=frozenset().union(*(card.linkedin for card in cards)),
        github=frozenset().union(*(card.github for card in cards)),
        places=frozenset().union(*(card.places for card in cards)),
    )


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


def family_keys(names: Iterable[str]) -> set[str]:
    """Return the surnames of the names as keys, without the empty one."""
    return {key for key in (name_key(name_parts(name)[1]) for name in names) if key}


def given_keys(names: Iterable[str]) -> set[str]:
    """Return the first given names as keys, without the empty one."""
    return {words[0] for words in (name_key(name_parts(name)[0]).split() for name in names) if words}


def _present(values: Iterable[str | None]) -> frozenset[str]:
    return frozenset(value for value in values if value)


def _github_user(url: str) -> str | None:
    if "github" not in url.lower():
        return None
    kind, cleaned = link_kind(url)
    words = urlsplit(cleaned or "").path.strip("/").lower().split("/")
    return words[0] if kind == "GitHub" and words[0] not in ("", "orgs", "topics", "search") else None

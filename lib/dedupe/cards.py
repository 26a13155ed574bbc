"""What of a person is compared: a card with normal forms, and the card of several contacts together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import numpy as np

from lib.dedupe.columns import Contacts, Flags, Numbers
from lib.dedupe.facts import Facts, each_once, facts_of, numbered, shown
from lib.dedupe.silent import Names
from lib.normalize import email_folded, link_kind, linkedin_slug, name_generation, name_key, name_parts, phone_e164

_SHORTEST_PHONE: Final = 7  # digits; shorter ones are extensions


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One or several contacts in the forms that are compared; everything is empty for anonymised people."""

    names: frozenset[str] = frozenset()
    name_keys: frozenset[str] = frozenset()
    givens: frozenset[str] = frozenset()
    middles: frozenset[str] = frozenset()
    generations: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    folded: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    linkedin: frozenset[str] = frozenset()
    github: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cards:
    """Everything that is compared of contacts, as columns; a card is made only of those that have something in common.

    `name` and `place` are the numbers of each contact's name and place in `name_keys` and `place_keys`, -1 for none.
    """

    names: Names
    emails: Facts
    phones: Facts
    linkedin: Facts
    github: Facts
    name: Numbers
    name_keys: list[str]
    place: Numbers
    place_keys: list[str]

    def card(self, contact: int) -> Card:
        """Return the card of one contact."""
        name = self.names[contact]
        given, family = name_parts(name)
        emails, place = self.emails.of(contact), int(self.place[contact])
        return Card(
            names=_present([name]),
            name_keys=_present([name_key(name)]),
            givens=_present(name_key(given).split()[:1]),
            middles=_present(name_key(given).split()[1:]),
            generations=_present([name_generation(name)]),
            families=_present([name_key(family)]),
            emails=emails,
            folded=frozenset(map(email_folded, emails)),
            phones=self.phones.of(contact),
            linkedin=self.linkedin.of(contact),
            github=self.github.of(contact),
            places=_present([self.place_keys[place] if place >= 0 else ""]),
        )


def cards_of(contacts: Contacts, emails: Facts, hidden: Flags, *, region: str | None) -> Cards:
    """Return what is compared of contacts; `emails` are their addresses, of hidden ones nothing is compared."""
    owner, texts = shown(contacts, "phones", hidden)
    phones = facts_of(owner, each_once(partial(phone_key, region=region), texts))
    owner, texts = shown(contacts, "links", hidden)
    linkedin = facts_of(owner, each_once(linkedin_of, texts))
    github = facts_of(owner, each_once(github_user, texts))
    names, places = contacts.texts("name"), contacts.texts("location")
    name, name_keys = numbered(each_once(lambda text: "" if "@" in text else name_key(text), names))
    place, place_keys = numbered(each_once(name_key, places))
    name[hidden], place[hidden] = -1, -1
    return Cards(
        names=Names(contacts=contacts, hidden=hidden), emails=emails, phones=phones, linkedin=linkedin, github=github,
        name=name, name_keys=name_keys, place=place, place_keys=place_keys,
    )  # fmt: skip


def joined_card(cards: Iterable[Card]) -> Card:
    """Return the card of a person with several contacts."""
    first, *others = cards
    if not others:
        return first
    values = {field.name: getattr(first, field.name) for field in fields(Card)}
    return Card(**{key: value.union(*(getattr(card, key) for card in others)) for key, value in values.items()})


def folded_of(emails: Facts) -> tuple[Numbers, list[str]]:
    """Return (owners, folded addresses) where folding an address changes it."""
    used = np.flatnonzero(np.bincount(emails.code, minlength=len(emails.values)))
    found = {code: email_folded(emails.values[code]) for code in used.tolist() if _folds(emails.values[code])}
    some = np.isin(emails.code, np.fromiter(found, np.int64, len(found)))
    return emails.owner[some], [found[code] for code in emails.code[some].tolist()]


def _folds(address: str) -> bool:
    return "+" in address or address.endswith(("@gmail.com", "@googlemail.com"))


def _present(values: Iterable[str | None]) -> frozenset[str]:
    return frozenset(value for value in values if value)


def phone_key(text: str, *, region: str | None) -> str | None:
    """E.164; a number of unknown country is equal only to the same digits of unknown country."""
    digits = re.sub(r"\D", "", text)
    return phone_e164(text, region=region) or (f"?{digits}" if len(digits) >= _SHORTEST_PHONE else None)


def linkedin_of(url: str) -> str | None:
    """The profile; ASCII without the word in it, and without characters that are dropped from a URL, has none."""
    return None if url.isascii() and url.isprintable() and "linkedin" not in url.lower() else linkedin_slug(url)


def github_user(url: str) -> str | None:
    """The user of a GitHub profile; None for any other link."""
    if "github" not in url.lower():
        return None
    kind, cleaned = link_kind(url)
    words = urlsplit(cleaned or "").path.strip("/").lower().split("/")
    return words[0] if kind == "GitHub" and words[0] not in ("", "orgs", "topics", "search") else None

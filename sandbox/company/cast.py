"""Inventing people: names, addresses, phones and the Lever contacts that stand for them."""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass, field

from sandbox.company import words
from sandbox.company.model import Company, Person, Record


@dataclass
class Draft:
    """One Lever contact before its opportunities exist.

    ``links`` and ``consent`` belong to the contact but are repeated on each opportunity, as Lever does.
    ``n_opportunities`` 0 means "as many as chance gives"; ``hint`` steers what the history does with it.
    """

    person: Person
    contact: Record
    links: list[str] = field(default_factory=list)
    consent: Record | None = None
    n_opportunities: int = 0
    hint: dict[str, object] = field(default_factory=dict)


class Cast:
    """Hands out people with names, phones and addresses that nobody else has, unless a trap asks for it."""

    def __init__(self, company: Company, *, first: int = 0) -> None:
        """Start with an empty cast; its contacts are numbered from ``first``."""
        self.company = company
        self._first = first
        self.drafts: list[Draft] = []
        self._rng = company.rng("cast")
        self._names: set[str] = set()
        self._phones = 0
        self._addresses = 0

    def person(self, name: str | None = None, *, traps: tuple[str, ...] = ()) -> Person:
        """Add one human being."""
        number = len(self.company.people)
        name = name or self.name()
        self._names.add(name)
        person = Person(key=f"person-{number:05d}", name=name, emails=[], traps=list(traps))
        self.company.people.append(person)
        return person

    def name(self) -> str:
        """A name nobody has yet; with many people a middle initial keeps it so."""
        for attempt in range(1000):
            middle = f" {self._rng.choice('ABCDEFGHIKLMNOPRSTVW')}." if attempt > 5 else ""
            name = f"{self._rng.choice(words.FIRST)}{middle} {self._rng.choice(words.LAST)}"
            if name not in self._names:
                return name
        return f"{self._rng.choice(words.FIRST)} {self._rng.choice(words.LAST)}-{len(self._names)}"

    def address(self, name: str, *, suffix: str = "") -> str:
        """An address made from a name; a running number keeps it unique."""
        self._addresses += 1
        local = re.sub(r"[^a-z]+", ".", plain(name).lower()).strip(".") or "someone"
        return f"{local}{suffix or self._addresses}@{self._rng.choice(words.MAIL_DOMAINS)}"

    def phone(self) -> str:
        """A number from the ranges that are kept free for fiction, written in one of several ways; unique."""
        number = self._phones
        self._phones += 1
        if number % 3 == 0 and number < 3000:
            digits = f"{number // 3:03d}"
            return self._rng.choice((f"+44 7700 900{digits}", f"+447700900{digits}"))
        area, last = words.AREA_CODES[(number // 100) % len(words.AREA_CODES)], f"{number % 100:02d}"
        forms = (f"+1 {area}-555-01{last}", f"({area}) 555-01{last}", f"{area}.555.01{last}", f"+1{area}55501{last}")
        return self._rng.choice(forms)

    def contact(
        self,
        person: Person,
        *,
        emails: list[str] | None = None,
        name: str | None = None,
        phone: str | None = None,
        location: str | None = None,
        links: list[str] | None = None,
        n_opportunities: int = 0,
        **hint: object,
    ) -> Draft:
        """Add a Lever contact of a person; what is not given is made up plausibly."""
        number = self._first + len(self.drafts)
        rng = self.company.rng(f"contact:{number}")
        contact_id = self.company.uuid(f"contact:{number}")
        shown = person.name if name is None else name
        if emails is None:
            emails = [self.address(person.name)]
        place = rng.choice(words.CITIES) if location is None else location
        phones = [phone] if phone is not None else ([self.phone()] if rng.random() < 0.7 else [])
        contact: Record = {
            "id": contact_id,
            "name": shown,
            "headline": _headline(rng),
            "isAnonymized": False,
            "location": {"name": place},
            "emails": emails,
            "phones": _phone_records(rng, phones, self),
        }
        talk = self.company.rng(f"interview intelligence:{contact_id}")
        if talk.random() < 0.3:
            contact["dataProtection"] = {"interviewIntelligence": {"allowed": talk.random() < 0.5, "expiresAt": None}}
        draft = Draft(person, contact, _links(rng, person.name) if links is None else links, _consent(rng))
        draft.n_opportunities = n_opportunities
        draft.hint = hint
        person.contacts.append(contact_id)
        person.emails.extend(email for email in emails if email not in person.emails)
        self.company.contacts[contact_id] = contact
        self.drafts.append(draft)
        return draft


def plain(text: str) -> str:
    """Drop accents and everything that is not ASCII."""
    special = str.maketrans({"Ł": "L", "ł": "l", "Ø": "O", "ø": "o", "ß": "ss", "ı": "i"})
    folded = unicodedata.normalize("NFKD", text.translate(special))
    return folded.encode("ascii", "ignore").decode()


def slug(name: str) -> str:
    """A profile name for links."""
    return re.sub(r"[^a-z0-9]+", "-", plain(name).lower()).strip("-") or "profile"


def _headline(rng: random.Random) -> str:
    """Previous employers or schools, as Lever shows them; sometimes nothing."""
    if rng.random() < 0.15:
        return ""
    return ", ".join(rng.sample(words.FIRMS, rng.choice((1, 1, 2))) + rng.sample(words.SCHOOLS, rng.choice((0, 0, 1))))


def _phone_records(rng: random.Random, phones: list[str], cast: Cast) -> list[Record]:
    """Phones with a type, a null type or none at all; a few people have two."""
    if phones and rng.random() < 0.06:
        phones = [*phones, cast.phone()]
    records: list[Record] = []
    for phone in phones:
        kind = rng.choice(("mobile", "mobile", "work", "home", "other", None, "absent"))
        records.append({"value": phone} if kind == "absent" else {"type": kind, "value": phone})
    return records


def _links(rng: random.Random, name: str) -> list[str]:
    """Profile links in the forms found in the wild: with and without scheme, with queries, plain sites."""
    made = []
    tail = f"{slug(name)}-{rng.randrange(16**4):04x}"
    if rng.random() < 0.55:
        made.append(
            rng.choice(
                ("linkedin.com/in/{}", "https://www.linkedin.com/in/{}/", "http://no.linkedin.com/in/{}?trk=x")
            ).format(tail)
        )
    if rng.random() < 0.2:
        made.append(rng.choice(("github.com/{}", "https://github.com/{}")).format(tail))
    if rng.random() < 0.12:
        made.append(f"https://{tail}.example/portfolio")
    if rng.random() < 0.05:
        made.append(f"https://x.com/{tail}")
    return made


def _consent(rng: random.Random) -> Record | None:
    """Consent of an ordinary person: none recorded, or allowed with or without an end far away."""
    if rng.random() < 0.5:
        return None
    expires = rng.choice((None, 2_000_000_000_000 + rng.randrange(10_000) * 86_400))
    return {
        "store": {"allowed": True, "expiresAt": expires},
        "contact": {"allowed": rng.random() < 0.7, "expiresAt": None},
    }

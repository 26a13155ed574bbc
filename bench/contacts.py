"""A labelled company of any size: opportunities as Lever lists them, with every shape in which people come twice.

Each opportunity belongs to one contact, each contact to one human being, and that is known: `Company.human_of`. The
same size and seed give the same company. Every name, number and address is made up (RFC 2606 domains, 555 numbers).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final


def _words(text: str, separator: str | None = None) -> tuple[str, ...]:
    return tuple(text.split(separator))


GIVEN: Final = _words(
    "Anna Tom Ines Olaf Rita Carl Mara Juan Wei Aiko Omar Lena Piotr Nadia Ravi Chloé Søren Björn Zoë Luca Emma Noah "
    "Olivia Liam Sofia Hugo Freya Ivan Yuki Fatima Ahmed Priya Diego Maria José Ana Pedro Hannah Jonas Greta Felix "
    "Clara Oscar Ida Emil Alma Nils Karin Sven Astrid Юлия Олег 偉 Marek Jana Petr Eva Adam Katja Max Laura Paul Nina "
    "Tim Sara Ben Julia Jan Lisa Erik Marta David Elena Marco Giulia Luis Carmen Pablo Ines Robert Jane John Grace"
)
STARTS: Final = _words("B Br D F G H K Kr L M N P R S Sch St T Tr V W Z Å Ø Mc Ch")
MIDDLES: Final = _words("a e i o u ar er or en an el il au ei ü ie")
ENDS: Final = _words(
    "berg dahl ek falk gren lund mann ner son sen ström ski wicz ova ez ini etti kar dez wood ley ton ford"
)
PLACES: Final = _words(
    "Oslo, Norway|Bergen, Norway|Austin, TX|Berlin|Paris, France|London, United Kingdom|New York, NY|Remote|Lagos|"
    "São Paulo, Brazil|Tokyo, Japan|Sydney, Australia|Toronto, Canada|Munich, Germany|Madrid, Spain|Warsaw, Poland|"
    "Stockholm, Sweden|Copenhagen|Helsinki, Finland|Vienna, Austria|Zurich|Dublin, Ireland|Lisbon, Portugal|Rome|"
    "Chicago, IL|Seattle, WA|Denver, CO|Boston, MA|Greater Boston Area|Bangalore, India|Pune|Nairobi, Kenya||",
    "|",
)
PLACEHOLDERS: Final = ("noemail@example.com", "none@none.com", "test@test.com", "na@na.com", "unknown@unknown.com")
NUMBERS: Final = ("+47 {0:08d}", "+1 415 {0:07d}", "+4420{0:08d}", "+49 (30) {0:08d}", "0047{0:08d}", "({0:07d})", "")
FIRST_MS: Final = 1_500_000_000_000
TRAP_SHARE: Final = 0.12  # of all humans: those of a hostile shape
TRAPS: Final = (
    "mailbox", "placeholder", "couple", "namesake", "surname", "addresses", "tag", "initial", "anonymous",
    "nickname", "slip", "script", "household", "pasted", "neighbour", "married", "number", "moved",
)  # fmt: skip
AGAIN: Final = 0.15  # of all plain humans: those with a second contact under one of their addresses
Json = dict[str, Any]


@dataclass
class Company:
    """`n` contacts, a few more opportunities; iterate once for the opportunities, then ask for the labels."""

    n: int
    seed: int = 7
    human_of: dict[str, int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Json]:
        """Opportunities as `GET /opportunities` gives them, without expansion."""
        chance = random.Random(self.seed)
        made = human = 0
        while made < self.n:
            human += 1
            for contact in self._contacts(chance, human):
                if made == self.n:
                    return
                made += 1
                key = f"{chance.getrandbits(64):016x}-{made:07d}"
                self.human_of[key] = contact.pop("human")
                yield from _opportunities(chance, key, contact)

    def _contacts(self, chance: random.Random, human: int) -> list[Json]:
        """The contacts of one or two human beings."""
        one = _human(chance, human)
        if chance.random() < TRAP_SHARE:
            return _TRAPS[TRAPS[human % len(TRAPS)]](chance, one, self.n)
        if chance.random() < AGAIN:
            other = _human(chance, human) | {key: one[key] for key in ("names", "name", "place", "phones")}
            return [one, other | {"emails": [*other["emails"], chance.choice(one["emails"]).title()]}]
        return [one]


def _human(chance: random.Random, human: int) -> Json:
    given = chance.choice(GIVEN)
    family = (chance.choice(STARTS) + chance.choice(MIDDLES) + chance.choice(MIDDLES) + chance.choice(ENDS)).title()
    local = f"u{human:x}.{chance.getrandbits(20):x}"
    emails = [f"{local}@mail.example"] + ([f"{local}@work{human % 997}.example"] if chance.random() < 0.2 else [])
    phone = chance.choice(NUMBERS).format(chance.getrandbits(23))
    links = [f"https://www.linkedin.com/in/{local.replace('.', '-')}/"] if chance.random() < 0.6 else []
    links += [f"github.com/{local.replace('.', '-')}"] if chance.random() < 0.2 else []
    return {
        "human": human, "names": (given, family), "name": f"{given} {family}", "emails": emails,
        "phones": [phone] if phone else [], "links": links, "place": chance.choice(PLACES),
        "headline": f"Engineer, {family} {human % 997}", "anonymous": False,
    }  # fmt: skip


def _other(one: Json, **changes: Any) -> Json:
    return one | changes


def _mailbox(chance: random.Random, one: Json, n: int) -> list[Json]:
    """Somebody of an agency: the agency's mailbox is on everybody whom it proposed."""
    return [_other(one, emails=[f"jobs@agency{chance.randrange(max(1, n // 1000))}.example", *one["emails"][:1]])]


def _placeholder(chance: random.Random, one: Json, n: int) -> list[Json]:
    return [_other(one, emails=[chance.choice(PLACEHOLDERS)])]


def _couple(chance: random.Random, one: Json, n: int) -> list[Json]:
    """Two human beings, one surname, one address, one telephone."""
    given = chance.choice([name for name in GIVEN if name[0] != one["names"][0][0]])
    return [one, _other(one, human=-one["human"], name=f"{given} {one['names'][1]}", links=[])]


def _namesake(chance: random.Random, one: Json, n: int) -> list[Json]:
    """Two human beings of one name, in two places."""
    two = _human(chance, -one["human"])
    return [one, two | {"name": one["name"], "emails": [f"n{one['human']}@other.example"], "links": []}]


def _surname(chance: random.Random, one: Json, n: int) -> list[Json]:
    """One human being who took another name and another address; the profile and the telephone stayed."""
    link = [f"https://linkedin.com/in/s{one['human']}"]
    name = f"{one['names'][0]} {chance.choice(STARTS)}olm"
    return [_other(one, links=link), _other(one, name=name, emails=[f"s{one['human']}@new.example"], links=link)]


def _addresses(chance: random.Random, one: Json, n: int) -> list[Json]:
    """Three contacts of one human being, joined only through the middle one."""
    first, last = f"f{one['human']}@mail.example", f"l{one['human']}@work.example"
    return [
        _other(one, emails=[first]),
        _other(one, emails=[f"mailto:{first}", last], name=one["name"].upper()),
        _other(one, emails=[f'"{one["name"]}" <{last}>'], links=[]),
    ]


def _tag(chance: random.Random, one: Json, n: int) -> list[Json]:
    """One human being with a tagged address, and the same telephone."""
    phone = [f"+47 9{one['human'] % 10_000_000:07d}"]
    local = f"t{one['human']}"
    return [
        _other(one, emails=[f"{local}@gmail.com"], phones=phone),
        _other(one, emails=[f"{local}+jobs@gmail.com"], phones=phone, links=[]),
    ]


def _initial(chance: random.Random, one: Json, n: int) -> list[Json]:
    """One human being, once with an initial."""
    return [one, _other(one, name=f"{one['names'][0][0]}. {one['names'][1]}", phones=[])]


def _nickname(chance: random.Random, one: Json, n: int) -> list[Json]:
    """One human being, once by the short form of the given name, with a new address and the old telephone."""
    long, short = chance.choice((("Robert", "Bob"), ("William", "Bill"), ("Margaret", "Peggy"), ("Elizabeth", "Liz")))
    phone = [f"+1 415 6{one['human'] % 1_000_000:06d}"]
    other = {"emails": [f"k{one['human']}@new.example"], "phones": phone, "links": []}
    return [_other(one, name=f"{long} {one['names'][1]}", phones=phone), _other(one, **_named(one, short), **other)]


def _named(one: Json, given: str) -> Json:
    return {"name": f"{given} {one['names'][1]}"}


def _slip(chance: random.Random, one: Json, n: int) -> list[Json]:
    """One human being, whose surname was typed with another letter by a recruiter; the profile is the same."""
    given, family = one["names"]
    at = chance.randrange(1, len(family))
    link = [f"https://linkedin.com/in/p{one['human']}"]
    name = f"{given} {family[:at]}{chance.choice('aeinrst')}{family[at + 1 :]}"
    return [_other(one, links=link), _other(one, name=name, emails=[f"p{one['human']}@new.example"], links=link)]


def _script(chance: random.Random, one: Json, n: int) -> list[Json]:
    """One human being, once in Cyrillic and once in Latin letters."""
    phone = [f"+380 44 {one['human'] % 10_000_000:07d}"]
    other = {"emails": [f"c{one['human']}@new.example"], "phones": phone, "links": []}
    return [_other(one, name="Олег Коваль", phones=phone), _other(one, name="Oleg Koval", **other)]


def _household(chance: random.Random, one: Json, n: int) -> list[Json]:
    """Two human beings of one family: one telephone at home, one place, each with an address."""
    given = chance.choice([name for name in GIVEN if name[0] != one["names"][0][0]])
    phone = [f"+49 30 8{one['human'] % 1_000_000:06d}"]
    two = {"human": -one["human"], "emails": [f"h{one['human']}@mail.example"], "phones": phone, "links": []}
    return [_other(one, phones=phone), _other(one, **_named(one, given), **two)]


def _pasted(chance: random.Random, one: Json, n: int) -> list[Json]:
    """Two human beings who have nothing in common but a profile that a recruiter pasted twice."""
    two = _human(chance, -one["human"])
    link = [f"https://linkedin.com/in/w{one['human']}"]
    return [_other(one, links=link), two | {"emails": [f"w{one['human']}@other.example"], "links": link}]


def _neighbour(chance: random.Random, one: Json, n: int) -> list[Json]:
    """Two human beings of one name in one place, with telephones of their own."""
    two = _human(chance, -one["human"])
    place = one["place"] or "Oslo, Norway"
    numbers = [[f"+47 4{m}{one['human'] % 1_000_000:06d}"] for m in (1, 2)]
    two |= {"name": one["name"], "place": place, "phones": numbers[1], "emails": [f"m{one['human']}@other.example"]}
    return [_other(one, place=place, phones=numbers[0]), two]


def _married(chance: random.Random, one: Json, n: int) -> list[Json]:
    """One human being under two surnames, with one address."""
    return [one, _other(one, name=f"{one['names'][0]} {chance.choice(STARTS)}olm", links=[])]


def _number(chance: random.Random, one: Json, n: int) -> list[Json]:
    """One human being who changed address and profile; the telephone is written in another way."""
    digits = f"{one['human'] % 10_000_000:07d}"
    other = {"emails": [f"r{one['human']}@new.example"], "phones": [f"0047 9{digits[:3]} {digits[3:]}"], "links": []}
    return [_other(one, phones=[f"+47 9{digits}"]), _other(one, **other)]


def _moved(chance: random.Random, one: Json, n: int) -> list[Json]:
    """One human being who moved: another place, address and telephone; the profile stayed."""
    link = [f"linkedin.com/in/v{one['human']}"]
    other = {"emails": [f"v{one['human']}@new.example"], "phones": [], "place": "Nairobi, Kenya", "links": link}
    return [_other(one, links=link), _other(one, **other)]


def _anonymous(chance: random.Random, one: Json, n: int) -> list[Json]:
    """A human being who was anonymised: whatever is left says nothing, though somebody else has the same address."""
    return [_other(one, anonymous=True, human=-one["human"]), one]


_TRAPS: Final = {
    "mailbox": _mailbox, "placeholder": _placeholder, "couple": _couple, "namesake": _namesake, "surname": _surname,
    "addresses": _addresses, "tag": _tag, "initial": _initial, "anonymous": _anonymous, "nickname": _nickname,
    "slip": _slip, "script": _script, "household": _household, "pasted": _pasted, "neighbour": _neighbour,
    "married": _married, "number": _number, "moved": _moved,
}  # fmt: skip


def _opportunities(chance: random.Random, key: str, contact: Json) -> Iterator[Json]:
    """One opportunity, and for some contacts a second one."""
    for n in range(1 + (chance.random() < 0.1)):
        created = FIRST_MS + chance.getrandbits(37)
        yield {
            "id": f"{key}-{n}", "contact": key, "name": contact["name"], "headline": contact["headline"],
            "location": contact["place"], "emails": contact["emails"], "links": contact["links"],
            "phones": [{"type": None, "value": phone} for phone in contact["phones"]], "createdAt": created,
            "updatedAt": created + chance.getrandbits(30), "isAnonymized": contact["anonymous"],
            "dataProtection": {"store": {"allowed": True, "expiresAt": None}} if key[0] < "8" else None,
        }  # fmt: skip

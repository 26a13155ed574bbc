"""The people of the company: mostly ordinary ones, and a fixed set of traps per 400 people.

Every trap is a small function that adds its people; each says what the truth about it is.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox.company.cast import Cast, Draft, slug
from sandbox.company.model import Company
from sandbox.company.shape import times

EXPIRED_MS = 1_710_000_000_000
"""March 2024: a consent that ended before the company's "now"."""

_BUSY_MS = 1_490_000_000_000
"""March 2017: the first date of people with very many candidacies."""


def fill(company: Company, people: int) -> list[Draft]:
    """Add ``people`` persons with their contacts and return the contacts in order."""
    cast = Cast(company)
    for number in range(max(1, round(people / 400))):
        for trap in TRAPS:
            before = len(company.people)
            if people - before < 7:
                break
            trap(cast, _letters(number))
    _busy(cast, people)
    while len(company.people) < people:
        cast.contact(cast.person())
    _link_employee(company, cast)
    return cast.drafts


def _letters(number: int) -> str:
    """What tells the traps of one round from those of another: nothing, b, c, and so on."""
    return "".join(chr(97 + int(digit)) for digit in str(number)) if number else ""


def _busy(cast: Cast, people: int) -> None:
    """One contact with 20 opportunities, one with 12: they follow whatever the traps left of the room."""
    for n_opportunities in (20, 12):
        if len(cast.company.people) < people:
            cast.contact(cast.person(traps=("busy",)), n_opportunities=n_opportunities, created_at=_BUSY_MS)


def _same_email(cast: Cast, tag: str) -> None:
    """Plain duplicates: the silent tier must join them."""
    first = cast.person(traps=("same-email",))
    email = cast.address(first.name)
    group = [cast.contact(first, emails=[email]) for _ in range(3)]
    first.silent.append([draft.contact["id"] for draft in group])
    for form in ("initial", "second address", "order"):
        person = cast.person(traps=("same-email",))
        email, other = cast.address(person.name), cast.address(person.name, suffix=f".{form[0]}{tag}2")
        given, family = person.name.split(" ", 1)
        names = {"initial": f"{given[0]}. {family}", "second address": person.name, "order": person.name.upper()}
        one = cast.contact(person, emails=[email])
        two = cast.contact(person, emails=[other, email] if form == "second address" else [email], name=names[form])
        person.silent.append([one.contact["id"], two.contact["id"]])


def _case_variant(cast: Cast, tag: str) -> None:
    """The same address, written differently: the silent tier must join them."""
    for form in ("upper", "mailto", "display", "spaces"):
        person = cast.person(traps=("case-variant",))
        email = cast.address(person.name)
        local, domain = email.split("@")
        written = {
            "upper": f"{local.title()}@{domain.capitalize()}",
            "mailto": f"mailto:{email}",
            "display": f"{person.name} <{email}>",
            "spaces": f" {email} ",
        }[form]
        pair = [cast.contact(person, emails=[email]), cast.contact(person, emails=[written])]
        person.emails = [email]
        person.silent.append([draft.contact["id"] for draft in pair])


def _agency(cast: Cast, tag: str) -> None:
    """One mailbox of an agency on six different people: must never join them."""
    shared = f"jobs{tag}@talentbridge.example"
    for number in range(6):
        person = cast.person(traps=("agency-mailbox",))
        own = [cast.address(person.name)] if number >= 4 else []
        cast.contact(person, emails=[shared, *own], origin="agency")


def _placeholder(cast: Cast, tag: str) -> None:
    """Addresses that were typed because the form wanted one."""
    for email, count in (("noemail@example.com", 3), ("none@none.com", 2), ("test@test.com", 2)):
        for _ in range(count):
            cast.contact(cast.person(traps=("placeholder",)), emails=[email])


def _plus_address(cast: Cast, tag: str) -> None:
    """The same person under a tagged address: phone and profile agree, only a person may join them."""
    for _ in range(2):
        person = cast.person(traps=("plus-address",))
        email = cast.address(person.name)
        local, domain = email.split("@")
        phone, link = cast.phone(), f"https://www.linkedin.com/in/{slug(person.name)}-p{tag}"
        one = cast.contact(person, emails=[email], phone=phone, links=[link])
        two = cast.contact(person, emails=[f"{local}+jobs@{domain}"], phone=phone, links=[link])
        person.review.append((one.contact["id"], two.contact["id"]))


def _namesakes(cast: Cast, tag: str) -> None:
    """Different people of the same name, with nothing else in common."""
    for cities in (
        ("Oslo, Norway", "Austin, TX"),
        ("Berlin, Germany", "Madrid, Spain"),
        ("Dublin, Ireland", "Oslo, Norway"),
    ):
        first = cast.person(traps=("namesake",))
        second = cast.person(first.name, traps=("namesake",))
        for person, city in zip((first, second), cities, strict=True):
            cast.contact(person, location=city, phone=cast.phone())


def _family(cast: Cast, tag: str) -> None:
    """Two relatives with one address: same surname, different first names; must not join silently."""
    for number in range(2):
        first = cast.person(traps=("family",))
        surname = first.name.split()[-1]
        given = ("Torvald", "Annelise")[number]
        second = cast.person(f"{given} {surname}{'' if not tag else ' ' + tag}", traps=("family",))
        email = f"familie.{slug(surname)}{tag}{number or ''}@postfach.example"
        for person in (first, second):
            cast.contact(person, emails=[email], location="Bergen, Norway")


def _changed_surname(cast: Cast, tag: str) -> None:
    """The same person before and after a change of name: other address, same profile; only a person may join them."""
    for _ in range(2):
        person = cast.person(traps=("changed-surname",))
        given, old = person.name.split(" ", 1)
        link = f"linkedin.com/in/{slug(person.name)}-c{tag}"
        new = f"{given} {old}-Winther"
        one = cast.contact(person, links=[link])
        two = cast.contact(person, emails=[cast.address(new)], name=new, links=[f"https://{link}/"])
        person.review.append((one.contact["id"], two.contact["id"]))


def _no_email(cast: Cast, tag: str) -> None:
    """People without any address; two of them have the same name and the same first date."""
    for _ in range(3):
        cast.contact(cast.person(traps=("no-email",)), emails=[], origin="sourced")
    first = cast.person(traps=("no-email",))
    second = cast.person(first.name, traps=("no-email", "namesake"))
    for person, city in ((first, "Lisbon, Portugal"), (second, "Stockholm, Sweden")):
        cast.contact(
            person, emails=[], location=city, n_opportunities=1, origin="sourced", created_at=1_583_020_800_000
        )


def _hostile(cast: Cast, tag: str) -> None:
    """Text that wants to be code."""
    names = ("<script>alert(1)</script> Bob", "=cmd|' /C calc'!A0", "{{7*7}} ${jndi:ldap://x} Eve")
    for number, name in enumerate(names):
        person = cast.person(f"{name}{tag}", traps=("hostile",))
        draft = cast.contact(
            person,
            emails=[f"hostile{number}{tag}@inbox.example"],
            links=[
                "javascript:alert(document.cookie)",
                "https://ok.example/?q=<svg/onload=alert(1)>",
                "not a url at all",
            ],
        )
        draft.contact["headline"] = ("<img src=x onerror=alert(1)>", "@SUM(1+1)*cmd", "-2+3+cmd|' /C calc'!A0")[number]
        draft.hint["hostile"] = True


def _transliterated(cast: Cast, tag: str) -> None:
    """One person with and without accents at one address (silent), one in two scripts at two addresses (review)."""
    one = cast.person(f"Łukasz Żółtowski{tag}", traps=("transliterated",))
    email = f"lukasz.z{tag}@fjordpost.example"
    pair = [cast.contact(one, emails=[email]), cast.contact(one, emails=[email], name=f"Lukasz Zoltowski{tag}")]
    one.silent.append([draft.contact["id"] for draft in pair])
    two = cast.person(f"Юлия Соколова{tag}", traps=("transliterated",))
    phone = cast.phone()
    first = cast.contact(two, emails=[f"ysokolova{tag}@correo.example"], phone=phone, location="Berlin, Germany")
    second = cast.contact(
        two,
        emails=[f"julia.sokolowa{tag}@mailhub.example"],
        name=f"Yulia Sokolova{tag}",
        phone=phone,
        location="Berlin, Germany",
    )
    two.review.append((first.contact["id"], second.contact["id"]))


def _couple(cast: Cast, tag: str) -> None:
    """Two people who share a phone and a home, and nothing else."""
    phone = cast.phone()
    pair = [
        cast.contact(cast.person(traps=("couple-one-phone",)), phone=phone, location="Zurich, Switzerland")
        for _ in range(2)
    ]
    cast.company.not_same.append((pair[0].contact["id"], pair[1].contact["id"]))


def _anonymised(cast: Cast, tag: str) -> None:
    """People Lever erased: the records stay, the person is gone; must never be loaded."""
    for _ in range(3):
        person = cast.person(traps=("anonymised",))
        draft = cast.contact(person, emails=[], name="", location="", links=[])
        draft.contact |= {"headline": "", "phones": [], "isAnonymized": True}
        draft.consent = None
        person.expected = "never:anonymised"


def _consent(cast: Cast, tag: str) -> None:
    """Two people who do not allow storage, two whose permission has ended; must never be loaded."""
    for number in range(4):
        refused = number < 2
        person = cast.person(traps=("consent-none" if refused else "consent-expired",))
        draft = cast.contact(person)
        store = {"allowed": not refused, "expiresAt": None if refused else EXPIRED_MS + number}
        draft.consent = {"store": store, "contact": {"allowed": False, "expiresAt": None}}
        person.expected = "never:consent"


def _existing(cast: Cast, tag: str) -> None:
    """People who are in Ashby already: three by address, one address under another name, one mere namesake."""
    kinds = ("email", "email", "email", "email-other-name", "namesake")
    for kind in kinds * times(1, cast.company.shape.existing):
        person = cast.person(traps=("exists-in-ashby",))
        cast.contact(person, location="Oslo, Norway")
        person.ashby = kind


TRAPS: tuple[Callable[[Cast, str], None], ...] = (
    _same_email,
    _agency,
    _case_variant,
    _anonymised,
    _consent,
    _existing,
    _hostile,
    _no_email,
    _plus_address,
    _namesakes,
    _family,
    _placeholder,
    _changed_surname,
    _transliterated,
    _couple,
)


def _link_employee(company: Company, cast: Cast) -> None:
    """Link one employee to a contact record of their own, as Lever does for internal applicants."""
    internal = [draft.contact["id"] for draft in cast.drafts if not draft.contact["isAnonymized"]]
    if internal:
        company.users[3]["linkedContactIds"] = [internal[-1]]

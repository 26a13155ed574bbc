"""A person without the values that this Ashby refuses: they stand in a custom field, and in the loss list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lib.mapping.context import Context
from lib.mapping.lessons import addresses, phone_shape
from lib.mapping.people import Person
from lib.mapping.plan import Carried

_DETAILS = 'candidate field "Lever other details"'
_WHOLE = ("linkedin", "github", "website", "social", "city", "region", "country")


def owners(context: Context, persons: Iterable[Person], carried: Carried) -> dict[str, str]:
    """{address: the person who gets it}, where Ashby takes it once: who has it there already, else who comes first.

    `persons` are gone through twice.

    "" stands for a candidate who was in Ashby before us. Empty while Ashby is not known to refuse addresses.
    """
    if not context.lessons.shared_addresses:
        return {}
    found: dict[str, str] = {}
    for item in context.existing:
        for one in item.get("emailAddresses") or []:
            found.setdefault(str(one.get("value") or "").casefold(), f"ashby:{item['id']}")
    for person in persons:
        row = carried.of(person.person).get(f"candidate.create/person/{person.person}", {})
        for address in sorted(addresses(row)):
            found.setdefault(address, person.person)
    for person in persons:
        for address in _addresses(person):
            found.setdefault(address.casefold(), f"ashby:{person.ashby_id}" if person.ashby_id else person.person)
    return found


def fitted(context: Context, person: Person) -> tuple[Person, list[str]]:
    """The person as Ashby takes them, and lines that tell what it would refuse."""
    lines: list[str] = []
    row = dict(person.row)
    if person.person in context.lessons.bare:
        reason = "this Ashby refused the candidate with all values; it is made with the name alone"
        lines += [f"E-mail: {one}" for one in _addresses(person)]
        lines += [f"{name.capitalize()}: {person.text(name)}" for name in ("linkedin", "github", "website")
                  if person.text(name)]  # fmt: skip
        lines += [f"Link: {one.get('url')}" for one in row.get("social") or []]
        row |= dict.fromkeys(_WHOLE, "") | {"social": [], "email": "", "alternate_emails": []}
        _lose(context, person, "values", len(lines), reason)
    own = f"ashby:{person.ashby_id}" if person.ashby_id else person.person
    mails = [one for one in _addresses(replace(person, row=row)) if context.owners.get(one.casefold(), own) == own]
    others = [one for one in _addresses(replace(person, row=row)) if one not in mails]
    lines += [f"E-mail: {one} (another candidate has it, too)" for one in others]
    _lose(context, person, "email", len(others), "this Ashby takes an address once; another candidate has it")
    if others:
        row |= {"email": mails[0] if mails else "", "alternate_emails": mails[1:]}
    phone = person.text("phone")
    if phone and (person.person in context.lessons.bare or phone_shape(phone) in context.lessons.phone_shapes):
        row |= {"phone": "", "other_phones": [phone, *person.texts("other_phones")]}
        reason = "this Ashby refuses numbers that are written like this"
        _lose(context, person, "phone", 1, reason, where='candidate field "Lever other phones"')
    return replace(person, row=row), lines


def _addresses(person: Person) -> list[str]:
    return [one for one in dict.fromkeys([person.text("email"), *person.texts("alternate_emails")]) if one]


def _lose(context: Context, person: Person, name: str, n_values: int, reason: str, *, where: str = _DETAILS) -> None:
    for _ in range(n_values):
        context.lose(
            "contact", name, lever_id=person.person, treatment="moved changed", where=where, reason=reason,
        )  # fmt: skip

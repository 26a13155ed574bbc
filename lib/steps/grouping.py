"""People of several contacts, field by field: what is kept, what the others had, and where that goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from lib.normalize import email_canonical, linkedin_slug
from lib.store.reading import Reading

if TYPE_CHECKING:
    from lib.steps.deciding import DedupeResult
    from lib.workbook import Workbook

MOST: Final = 20
FIELDS: Final = {
    "name": ("name", "names", "name", "Lever other details"),
    "headline": ("headline", "headlines", "Lever headline", "Lever other details"),
    "location": ("location", "locations", "location, Lever location", "Lever other details"),
    "email": ("email", "emails", "primary address", "further addresses"),
    "phone": ("phone", "phones", "phone number", "Lever other phones"),
    "linkedin": ("linkedin", "links", "LinkedIn", "further links, Lever other links"),
    "consent": ("consent", "consent", "Lever consent", "nowhere: the strictest holds"),
}
"""{field: (of the person, of each contact, where the kept value is written, where the others go)}.

What begins with "Lever" is a custom field. Links of all kinds stand in one list of a contact.
"""
ALREADY: Final = {
    "link": "nowhere: in Ashby already ({})",
    "link_and_fill": "only where it is empty in Ashby ({})",
    "review": "nowhere: in Ashby already ({})",
}
"""What is written of somebody who is there already, by policy.existing_candidates."""
COLUMNS: Final = ("person", "contacts", "why", "field", "kept", "kept from", "written to", "others", "others go to")


def groups(book: Workbook, result: DedupeResult, *, most: int = MOST) -> pd.DataFrame:
    """Rows for the `most` people whose contacts differ most: names and addresses, for the private notebook only."""
    sizes = result.members.groupby("person").size()
    differing = result.conflicts["person"].value_counts().reindex(sizes.index, fill_value=0)
    order = pd.DataFrame({"conflicts": differing, "n": sizes})[sizes > 1].reset_index(names="person")
    order = order.sort_values(["conflicts", "n", "person"], ascending=[False, False, True])
    wanted = order["person"].head(most).tolist()
    people, contacts = Reading(book.store).persons(wanted), result.contacts.set_index("id", drop=False)
    whys = result.members.set_index("contact")["why"]
    already, rows = ALREADY[book.params.policy.existing_candidates], []
    for person in wanted:
        members = result.members.loc[result.members["person"] == person, "contact"].tolist()
        why = ", ".join(dict.fromkeys(whys[members]))
        head = {"person": person, "contacts": len(members), "why": why}
        rows += [
            head | row for row in _fields(people[person], contacts.loc[members].to_dict("records"), already=already)
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def sides(result: DedupeResult, pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs with the name, addresses and place of both: for the private notebook only."""
    about = result.contacts.set_index("id")[["name", "emails", "location"]]
    return pairs.join(about.add_suffix(" of a"), on="a").join(about.add_suffix(" of b"), on="b")


def _fields(
    person: Mapping[str, Any], contacts: Sequence[Mapping[str, Any]], *, already: str
) -> Iterator[dict[str, Any]]:
    there = already.format(person["ashby_id"]) if person.get("ashby_id") else ""
    for field, (single, several, place, elsewhere) in FIELDS.items():
        kept = str(person.get(single) or "")
        had = {contact["id"]: _texts(contact.get(several), field) for contact in contacts}
        others = [text for text in dict.fromkeys(chain(*had.values())) if _key(text, field) != _key(kept, field)]
        holders = [one for one, texts in had.items() if _key(kept, field) in [_key(text, field) for text in texts]]
        if kept or others:
            yield {
                "field": field, "kept": kept, "kept from": ", ".join(holders) if kept else "",
                "written to": (there or place) if kept else "", "others": "; ".join(others),
                "others go to": (there or elsewhere) if others else "",
            }  # fmt: skip


def _texts(value: Any, field: str) -> list[str]:
    several = [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []
    return [text for text in several if field != "linkedin" or "linkedin" in text.casefold()]


def _key(text: str, field: str) -> str:
    """What two ways to write one value have in common."""
    known = {"email": email_canonical, "linkedin": linkedin_slug}.get(field)
    return (known(text) if known else None) or text.strip().casefold()

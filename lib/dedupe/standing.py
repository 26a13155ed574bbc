"""People whom an earlier load has written: they keep their id, and are not compared with Ashby again.

A person is named after the oldest contact. That contact may go (merged or deleted in Lever), or another one may become
the oldest: under another id the same human being would be written a second time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lib.dedupe.columns import Numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What stands in Ashby. `person_of`: contact id → id of its person when that was last decided.

    `candidate_of`: id of a loaded person → the candidate that was adopted for it, or "" where the load made one.
    """

    person_of: Mapping[str, str] = field(default_factory=dict)
    candidate_of: Mapping[str, str] = field(default_factory=dict)


def kept_ids(ids: Sequence[str], person: Numbers, standing: Standing) -> dict[int, str]:
    """{person: id} of people who were loaded and keep their id; `person` is the person of each contact, oldest first.

    The person that holds the contact after which it was named keeps that id; where the contact is gone, the person of
    the oldest remaining contact does.
    """
    loaded = standing.candidate_of
    if not loaded:
        return {}
    groups: dict[int, list[str]] = {}
    for number, contact in zip(person.tolist(), ids, strict=True):
        if contact in loaded or standing.person_of.get(contact) in loaded:
            groups.setdefault(number, []).append(contact)
    here, taken, names = set(ids), set(), {}
    for number, group in sorted(groups.items()):
        known = [one for one in group if one in loaded]
        known += [one for one in _before(group, standing) if one not in here and one not in taken]
        if known:
            names[number] = known[0]
            taken.add(known[0])
    return names


def _before(group: Iterable[str], standing: Standing) -> list[str]:
    """The loaded people to whom these contacts belonged."""
    people = (standing.person_of.get(contact, "") for contact in group)
    return [person for person in dict.fromkeys(people) if person in standing.candidate_of]


def adoptions(
    contacts: Iterable[str], existing: Iterable[str], verdicts: Mapping[tuple[str, str], str], *, standing: Standing
) -> dict[tuple[str, str], str]:
    """Verdicts "same" of each adopted candidate with a contact of its person, unless somebody has called it different.

    What an earlier load has done counts like a verdict, so that nobody else takes the candidate, and a contradiction
    is named.
    """
    here = set(existing)
    adopted = {person for person, candidate in standing.candidate_of.items() if candidate in here}
    if not adopted:
        return {}
    members: dict[str, list[str]] = {}
    for contact in contacts:
        person = standing.person_of.get(contact, contact)
        if person in adopted:
            members.setdefault(person, []).append(contact)
    different = {frozenset(pair) for pair, word in verdicts.items() if word.strip().lower() == "different"}
    found = {}
    for person, candidate in standing.candidate_of.items():
        group = members.get(person, [])
        if person in adopted and group and not any(frozenset((one, candidate)) in different for one in group):
            found[person if person in group else group[0], candidate] = "same"
    return found

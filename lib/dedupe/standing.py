"""People whom an earlier load has written: they keep their id, and are not compared with Ashby again.

A person is named after the oldest contact. That contact may go (merged or deleted in Lever), or another one may become
the oldest: under another id the same human being would be written a second time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lib.dedupe.existing import Match


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What stands in Ashby. `person_of`: contact id → id of its person when that was last decided.

    `candidate_of`: id of a loaded person → the candidate that was adopted for it, or "" where the load made one.
    """

    person_of: Mapping[str, str] = field(default_factory=dict)
    candidate_of: Mapping[str, str] = field(default_factory=dict)


def keep_ids(person_of: Mapping[str, str], standing: Standing) -> dict[str, str]:
    """Contact id → id of its person, where each loaded person keeps its id; contacts are in order of age.

    The group that holds the contact after which a person was named keeps that id; where the contact is gone, the group
    of the person's oldest remaining contact does.
    """
    groups: dict[str, list[str]] = {}
    for contact, person in person_of.items():
        groups.setdefault(person, []).append(contact)
    taken: set[str] = set()
    names: dict[str, str] = {}
    for person, group in groups.items():
        known = [one for one in group if one in standing.candidate_of]
        known += [one for one in _before(group, standing) if one not in person_of and one not in taken]
        names[person] = next(iter(known), person)
        taken.add(names[person])
    return {contact: names[person] for contact, person in person_of.items()}


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
    members: dict[str, list[str]] = {}
    for contact in contacts:
        members.setdefault(standing.person_of.get(contact, contact), []).append(contact)
    different = {frozenset(pair) for pair, word in verdicts.items() if word.strip().lower() == "different"}
    found = {}
    for person, candidate in standing.candidate_of.items():
        group = members.get(person, [])
        if candidate in here and group and not any(frozenset((one, candidate)) in different for one in group):
            found[person if person in group else group[0], candidate] = "same"
    return found


def standing_matches(people: Iterable[str], standing: Standing) -> list[Match]:
    """People whose candidate an earlier load made: nobody else's candidate is theirs."""
    return [
        Match(person=person, ashby_id=None, match="new", why="made by an earlier load")
        for person in people
        if standing.candidate_of.get(person) == ""
    ]

"""Contacts put together as people, by number: who belongs to whom, under which id, and why."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lib.dedupe.columns import Numbers
from lib.dedupe.facts import Facts, distinct, runs
from lib.dedupe.silent import SilentTier
from lib.dedupe.standing import Standing, kept_ids
from lib.dedupe.verdicts import Verdicts

WHYS: Final = ("only contact", "verdict of a person", "same e-mail address")


@dataclass(frozen=True, kw_only=True, slots=True)
class Groups:
    """People in order of their oldest contact: `ids` of people, and `person[contact]`, the number of each one's person.

    The contacts of person p are `contacts[starts[p]:starts[p + 1]]`, in order of age.
    """

    ids: list[str]
    person: Numbers
    contacts: Numbers
    starts: Numbers

    def of(self, person: int) -> list[int]:
        """Return the contacts of one person, oldest first."""
        return self.contacts[self.starts[person] : self.starts[person + 1]].tolist()

    def sizes(self) -> Numbers:
        """Return how many contacts each person has."""
        return np.diff(self.starts)


def groups_of(ids: list[str], tier: SilentTier, standing: Standing) -> Groups:
    """Return the people whom the silent tier has found; `ids` are those of contacts. Loaded people keep their ids."""
    is_first = tier.person == np.arange(len(ids))
    firsts, person = np.flatnonzero(is_first), (np.cumsum(is_first) - 1)[tier.person]
    contacts = np.argsort(person, kind="stable")
    starts = np.append(0, np.cumsum(np.bincount(person, minlength=len(firsts))))
    names = [ids[first] for first in firsts.tolist()]
    for number, name in kept_ids(ids, person, standing).items():
        names[number] = name
    return Groups(ids=names, person=person, contacts=contacts, starts=starts)


def whys(groups: Groups, addresses: Facts, tier: SilentTier, verdicts: Verdicts) -> Numbers:
    """Return for each contact why it is in its person, as a place in `WHYS`."""
    several = groups.sizes()[groups.person] > 1
    shared = np.zeros(len(several), dtype=bool)
    some = several[addresses.owner]
    owner, code = addresses.owner[some], addresses.code[some]
    both = groups.person[owner] * max(1, len(addresses.values)) + code
    order = np.argsort(both, kind="stable")
    _, starts = runs(both[order])
    joint = np.repeat(np.diff(starts) > 1, np.diff(starts))
    owner, code = owner[order][joint], code[order][joint]
    refused = [tier.known[address] for address in tier.refused]
    if verdicts.groups:  # contacts that a verdict joins may share an address that nobody else has
        refused += [number for number in distinct(code).tolist() if tier.reason(addresses.values[number])]
    shared[owner[~np.isin(code, np.array(refused, dtype=np.int64))]] = True
    return several.astype(np.int64) + (several & shared)

"""The silent tier: contacts that share an e-mail address are one person, unless something speaks against it.

All of it is columns of numbers but for the few contacts whose names differ at one address: a million contacts take
seconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from lib.dedupe.columns import Contacts, Flags, Numbers
from lib.dedupe.facts import Facts, distinct, runs
from lib.dedupe.policy import DedupePolicy
from lib.dedupe.verdicts import Verdicts, components
from lib.normalize import is_placeholder_email, name_key, name_parts, names_conflict

PLACEHOLDER, SHARED, NAMES, VERDICT = "placeholder address", "shared mailbox", "names conflict", "verdict different"


@dataclass(frozen=True, kw_only=True, slots=True)
class SilentTier:
    """`person`: the contact after which each contact's person is named: the oldest in it. `node`: its verdict group.

    `refused`: address → why it joins nobody, of addresses that several have; for others ask `reason`. `known` has the
    number of every address that a contact has.
    """

    person: Numbers
    node: Numbers
    refused: dict[str, str]
    known: Mapping[str, int]
    shared_mailboxes: frozenset[str]

    def reason(self, address: str) -> str:
        """Return why an address of a contact joins nobody; "" when it does, or is nobody's."""
        if address in self.refused or address not in self.known:
            return self.refused.get(address, "")
        return own_reason(address, self.shared_mailboxes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """The names of contacts as they are compared: none where a contact is hidden, or an address stands in its place."""

    contacts: Contacts
    hidden: Flags

    def __len__(self) -> int:
        return len(self.contacts)

    def __getitem__(self, contact: int) -> str:
        return self.of(np.array([contact]))[0]

    def of(self, contacts: Numbers) -> list[str]:
        """Return the names of some contacts."""
        found = zip(self.contacts.texts("name", contacts), self.hidden[contacts].tolist(), strict=True)
        return ["" if hidden or "@" in name else name for name, hidden in found]


def silent_tier(
    addresses: Facts, known: Mapping[str, int], names: Names, *, verdicts: Verdicts, policy: DedupePolicy
) -> SilentTier:
    """Join contacts by verdicts and by addresses that speak for one person; contacts are numbered in order of age.

    `known` has the number of every address. An address is refused when it is a placeholder, a shared mailbox, or used
    under names that conflict; and so are all addresses of a group in which names conflict, or a verdict separates two.
    """
    node = verdicts.nodes(len(names))
    codes, starts, users = (addresses.by(node) if verdicts.groups else addresses).shared()
    nodes = _Nodes.of(distinct(users), names, node, verdicts)
    refused: dict[int, str] = {}
    for place, doubtful in enumerate(nodes.doubtful(users, starts)):
        reason = own_reason(addresses.values[codes[place]], policy.shared_mailboxes)
        if not reason and doubtful:
            reason = nodes.objection_in(users[starts[place] : starts[place + 1]])
        if reason:
            refused[place] = reason
    person, red = _joined(users, starts, refused, nodes)
    named = {addresses.values[codes[place]]: reason for place, reason in (refused | red).items()}
    mailboxes = policy.shared_mailboxes
    return SilentTier(person=person[node], node=node, refused=named, known=known, shared_mailboxes=mailboxes)


def own_reason(address: str, shared_mailboxes: frozenset[str]) -> str:
    """Return why an address joins nobody whoever has it, or ""."""
    return PLACEHOLDER if is_placeholder_email(address) else SHARED if address in shared_mailboxes else ""


def objection(a: Iterable[str], b: Iterable[str]) -> bool:
    """Tell whether every name of the one conflicts with every name of the other; a missing name objects to nothing."""
    pairs = list(product(a, b))
    return bool(pairs) and all(names_conflict(x, y) for x, y in pairs)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Nodes:
    """Contacts, or groups of them that verdicts join, with what may speak against their being one person.

    `code[node]` is the place of a node's names in `names`; `apart` maps a node → the nodes it is called different from.
    """

    code: Numbers
    names: list[tuple[str, ...]]
    apart: dict[int, set[int]]

    @classmethod
    def of(cls, nodes: Numbers, names: Names, node: Numbers, verdicts: Verdicts) -> "_Nodes":
        """The nodes that share something; one of several contacts has all their names."""
        n = len(names)
        merged: dict[int, set[str]] = {}
        for contact in (record for record in verdicts.groups if record < n):
            merged.setdefault(int(node[contact]), set()).update(filter(None, [names[contact]]))
        index: dict[tuple[str, ...], int] = {}
        code = np.zeros(n, dtype=np.int64)
        each = zip(nodes.tolist(), names.of(nodes), strict=True)
        several = (tuple(sorted(merged[one])) if one in merged else (name,) if name else () for one, name in each)
        code[nodes] = [index.setdefault(one, len(index)) for one in several]
        apart: dict[int, set[int]] = {}
        for a, b in verdicts.apart:
            apart.setdefault(a, set()).add(b)
            apart.setdefault(b, set()).add(a)
        return cls(code=code, names=list(index), apart=apart)

    def doubtful(self, nodes: Numbers, starts: Numbers) -> list[bool]:
        """Return for each run of nodes, beginning at `starts`, whether `objection_in` may find something."""
        if len(starts) < 2:
            return []
        codes, begins = self.code[nodes], starts[:-1]
        found = np.minimum.reduceat(codes, begins) != np.maximum.reduceat(codes, begins)
        if self.apart:
            parted = np.isin(nodes, np.fromiter(self.apart, np.int64, len(self.apart)))
            found |= np.add.reduceat(parted.astype(np.int64), begins) > 1
        return found.tolist()

    def objection_in(self, nodes: Numbers) -> str:
        """Return what speaks against some nodes being one person, or ""."""
        here = set(nodes.tolist()) & self.apart.keys()
        if any(here & self.apart[one] for one in here):
            return VERDICT
        several = [self.names[code] for code in sorted(set(self.code[nodes].tolist()))]
        if not any(objection(a, b) for a, b in combinations(several, 2)):
            return ""
        families = {name_key(name_parts(name)[1]) for names in several for name in names} - {""}
        return SHARED if len(families) > 1 else NAMES


def _joined(
    users: Numbers, starts: Numbers, refused: Mapping[int, str], nodes: _Nodes
) -> tuple[Numbers, dict[int, str]]:
    """Return (the first node of each node's group, why runs of users are refused that are fine one at a time)."""
    n, lengths, firsts = len(nodes.code), np.diff(starts), users[starts[:-1]]
    allowed = np.ones(len(lengths), dtype=bool)
    allowed[list(refused)] = False
    edges = np.repeat(allowed, lengths)
    group = components(n, np.repeat(firsts, lengths)[edges], users[edges])
    some = distinct(users[edges])
    some = some[np.argsort(group[some], kind="stable")]
    heads, ends = runs(group[some])
    of = np.searchsorted(heads, group[firsts[allowed]])
    whole = of[lengths[allowed] == np.diff(ends)[of]]  # all of the group use one address: that was looked at already
    fine = np.isin(np.arange(len(heads)), whole).tolist()
    red = {}
    for place, doubtful in enumerate(nodes.doubtful(some, ends)):
        if doubtful and not fine[place] and (reason := nodes.objection_in(some[ends[place] : ends[place + 1]])):
            red[int(heads[place])] = reason
    if not red:
        return group, {}
    parted = np.isin(group, np.fromiter(red, np.int64, len(red)))
    reasons = {place: red[int(group[firsts[place]])] for place in np.flatnonzero(allowed & parted[firsts]).tolist()}
    return np.where(parted, np.arange(n), group), reasons

"""The silent tier: contacts that share an e-mail address are one person, unless something speaks against it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from lib.dedupe.cards import Card, joined_card
from lib.dedupe.policy import DedupePolicy
from lib.dedupe.verdicts import Verdicts, components, ordered
from lib.normalize import is_placeholder_email, names_conflict

PLACEHOLDER, SHARED, NAMES, VERDICT = "placeholder address", "shared mailbox", "names conflict", "verdict different"


@dataclass(frozen=True, kw_only=True, slots=True)
class SilentTier:
    """`person_of`: contact id → id of its person. `refused`: address → why it joins nobody."""

    person_of: dict[str, str]
    refused: dict[str, str]


def silent_tier(
    ids: Sequence[str], cards: Mapping[str, Card], *, verdicts: Verdicts, policy: DedupePolicy
) -> SilentTier:
    """Join contacts by verdicts and by addresses that speak for one person. `ids` are in order of age.

    An address is refused when it is a placeholder, a known shared mailbox, or used under names that conflict; and
    so are all addresses of a group in which names conflict, or a verdict separates two.
    """
    nodes: dict[int, list[str]] = {}
    for contact in ids:
        nodes.setdefault(verdicts.group_of[contact], []).append(contact)
    merged = {node: joined_card(cards[contact] for contact in members) for node, members in nodes.items()}
    users: dict[str, list[int]] = {}
    for node, card in merged.items():
        for address in card.emails:
            users.setdefault(address, []).append(node)
    refused = {}
    for address in sorted(users):
        if reason := _address_reason(address, users[address], merged, verdicts, policy):
            refused[address] = reason
    refused |= _group_reasons(users, refused, merged, verdicts)
    edges = [(group[0], node) for address, group in users.items() if address not in refused for node in group[1:]]
    return SilentTier(person_of=_persons(ids, verdicts, edges), refused=refused)


def objection(a: Card, b: Card) -> bool:
    """Tell whether every name of the one conflicts with every name of the other; a missing name objects to nothing."""
    if not a.names or not b.names:
        return False
    return all(names_conflict(x, y) for x in a.names for y in b.names)


def _address_reason(
    address: str, group: list[int], merged: Mapping[int, Card], verdicts: Verdicts, policy: DedupePolicy
) -> str:
    if is_placeholder_email(address):
        return PLACEHOLDER
    if address in policy.shared_mailboxes:
        return SHARED
    return _objection_in(group, merged, verdicts)


def _group_reasons(
    users: Mapping[str, list[int]], refused: Mapping[str, str], merged: Mapping[int, Card], verdicts: Verdicts
) -> dict[str, str]:
    """Return the addresses of groups that are fine one address at a time, and conflict as a whole."""
    allowed = {address: group for address, group in users.items() if address not in refused and len(group) > 1}
    index = {node: place for place, node in enumerate(sorted({node for group in allowed.values() for node in group}))}
    labels = components(len(index), [(index[g[0]], index[node]) for g in allowed.values() for node in g[1:]])
    members: dict[int, list[int]] = {}
    for node, place in index.items():
        members.setdefault(labels[place], []).append(node)
    red = {label: reason for label, group in members.items() if (reason := _objection_in(group, merged, verdicts))}
    found = ((address, labels[index[group[0]]]) for address, group in allowed.items())
    return {address: red[label] for address, label in found if label in red}


def _objection_in(group: list[int], merged: Mapping[int, Card], verdicts: Verdicts) -> str:
    if verdicts.apart and any(ordered(a, b) in verdicts.apart for a, b in combinations(group, 2)):
        return VERDICT
    distinct = list({tuple(sorted(merged[node].names)): merged[node] for node in group}.values())
    if not any(objection(a, b) for a, b in combinations(distinct, 2)):
        return ""
    families = set().union(*(card.families for card in distinct))
    return SHARED if len(families) > 1 else NAMES


def _persons(ids: Sequence[str], verdicts: Verdicts, edges: list[tuple[int, int]]) -> dict[str, str]:
    nodes = sorted({verdicts.group_of[contact] for contact in ids})
    index = {node: place for place, node in enumerate(nodes)}
    labels = components(len(nodes), [(index[a], index[b]) for a, b in edges])
    first: dict[int, str] = {}
    person_of = {}
    for contact in ids:
        person_of[contact] = first.setdefault(labels[index[verdicts.group_of[contact]]], contact)
    return person_of

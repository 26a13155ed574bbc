"""Recorded verdicts: which records a person has called the same, and which different."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lib.dedupe.columns import Numbers
from lib.errors import GateError


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdicts:
    """Recorded verdicts over records that are numbered: contacts first, candidates of Ashby after them.

    `places` numbers the records that verdicts name. A group of "same" verdicts has the number of its first record:
    `groups` maps a record's number → that of its group where they differ. `apart` holds pairs of groups, `candidate_of`
    maps a group → the candidate of Ashby in it. `pairs` are the verdicts on two known records, by their ids in order.
    """

    places: dict[str, int]
    groups: dict[int, int]
    apart: frozenset[tuple[int, int]]
    candidate_of: dict[int, str]
    pairs: dict[tuple[str, str], str]

    def group(self, record: int) -> int:
        """Return the group of the record with this number; a record that no verdict names is alone."""
        return self.groups.get(record, record)

    def nodes(self, n: int) -> Numbers:
        """Return the groups of the records numbered 0 to `n` - 1."""
        found = np.arange(n)
        for record, group in self.groups.items():
            if record < n:
                found[record] = group
        return found


def read_verdicts(verdicts: Mapping[tuple[str, str], str], records: list[str], existing: list[str]) -> Verdicts:
    """Return the verdicts over Lever contacts and Ashby candidates; those of records that are gone have no effect.

    GateError naming the pair when verdicts contradict each other, also through others, or would make two
    candidates of Ashby one.
    """
    named = {record for pair in verdicts for record in pair}
    places = (
        {record: place for place, record in enumerate(chain(records, existing)) if record in named} if named else {}
    )
    pairs = _pairs(verdicts, places)
    groups = _groups([(places[a], places[b]) for (a, b), word in pairs.items() if word == "same"])
    group_of = {record: groups.get(place, place) for record, place in places.items()}
    apart = set()
    for (a, b), word in pairs.items():
        if word == "different":
            if group_of[a] == group_of[b]:
                raise GateError(
                    f"people.csv: {a}|{b} is called different, but other verdicts make both the same person.",
                    hint="Change one of these verdicts.",
                )
            apart.add(ordered(group_of[a], group_of[b]))
    candidate_of = _candidate_of(group_of, [candidate for candidate in existing if candidate in places])
    return Verdicts(places=places, groups=groups, apart=frozenset(apart), candidate_of=candidate_of, pairs=pairs)


def components(n_nodes: int, left: Numbers, right: Numbers) -> Numbers:
    """Return for each node the smallest node that edges (left[i], right[i]) connect it with."""
    nodes = np.arange(n_nodes)
    if not len(left):
        return nodes
    graph = coo_array((np.ones(len(left)), (left, right)), shape=(n_nodes, n_nodes))
    n_parts, labels = connected_components(graph, directed=False)
    smallest = np.empty(n_parts, dtype=np.int64)
    smallest[labels[::-1]] = nodes[::-1]  # of several nodes with one label the last one counts: the smallest
    return smallest[labels]


def _groups(edges: list[tuple[int, int]]) -> dict[int, int]:
    """{record: the first one of its group} of records that edges connect."""
    records = np.unique(np.array(edges, dtype=np.int64))
    left, right = (np.searchsorted(records, side) for side in np.array(edges, dtype=np.int64).reshape(-1, 2).T)
    first = records[components(len(records), left, right)]
    return dict(zip(records.tolist(), first.tolist(), strict=True))


def ordered(a: Any, b: Any) -> tuple[Any, Any]:
    """Return the two in ascending order."""
    return (a, b) if a <= b else (b, a)


def _pairs(verdicts: Mapping[tuple[str, str], str], known: Mapping[str, int]) -> dict[tuple[str, str], str]:
    pairs: dict[tuple[str, str], str] = {}
    for (a, b), text in sorted(verdicts.items()):
        word = text.strip().lower()
        if word not in ("same", "different", ""):
            raise GateError(f"people.csv: {a}|{b} has a verdict that is not known.", hint="Write same or different.")
        if not word or a not in known or b not in known:
            continue
        pair = ordered(a, b)
        if pairs.setdefault(pair, word) != word:
            raise GateError(
                f"people.csv: {pair[0]}|{pair[1]} is called both same and different.", hint="Keep one verdict."
            )
    return pairs


def _candidate_of(group_of: Mapping[str, int], existing: list[str]) -> dict[int, str]:
    taken: dict[int, str] = {}
    for candidate in existing:
        other = taken.setdefault(group_of[candidate], candidate)
        if other != candidate:
            pair = "|".join(sorted((other, candidate)))
            raise GateError(
                f"people.csv: verdicts make {pair} one person, but both are candidates of Ashby.",
                hint="Merge them in Ashby, or keep the verdict same for one of them only.",
            )
    return taken

"""Recorded verdicts: which records a person has called the same, and which different."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lib.errors import GateError


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdicts:
    """`group_of` maps record id → number of its group of "same" verdicts; `apart` holds pairs of such numbers.

    `candidate_of` maps such a number → the candidate of Ashby in it. `pairs` are the verdicts on two known records,
    by their ids in order.
    """

    group_of: dict[str, int]
    apart: frozenset[tuple[int, int]]
    candidate_of: dict[int, str]
    pairs: dict[tuple[str, str], str]


def read_verdicts(verdicts: Mapping[tuple[str, str], str], records: list[str], existing: list[str]) -> Verdicts:
    """Return the verdicts over Lever contacts and Ashby candidates; those of records that are gone have no effect.

    GateError naming the pair when verdicts contradict each other, also through others, or would make two
    candidates of Ashby one.
    """
    known = {record: place for place, record in enumerate([*records, *existing])}
    pairs = _pairs(verdicts, known)
    groups = components(len(known), [(known[a], known[b]) for (a, b), word in pairs.items() if word == "same"])
    group_of = {record: groups[place] for record, place in known.items()}
    apart = set()
    for (a, b), word in pairs.items():
        if word == "different":
            if group_of[a] == group_of[b]:
                raise GateError(
                    f"people.csv: {a}|{b} is called different, but other verdicts make both the same person.",
                    hint="Change one of these verdicts.",
                )
            apart.add(ordered(group_of[a], group_of[b]))
    candidate_of = _candidate_of(group_of, existing)
    return Verdicts(group_of=group_of, apart=frozenset(apart), candidate_of=candidate_of, pairs=pairs)


def components(n_nodes: int, edges: list[tuple[int, int]]) -> list[int]:
    """Return for each node the smallest node that edges connect it with."""
    if not edges:
        return list(range(n_nodes))
    left, right = zip(*edges, strict=True)
    graph = coo_array(([1] * len(edges), (left, right)), shape=(n_nodes, n_nodes))
    labels = connected_components(graph, directed=False)[1].tolist()
    smallest: dict[int, int] = {}
    for node, label in enumerate(labels):
        smallest.setdefault(label, node)
    return [smallest[label] for label in labels]


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

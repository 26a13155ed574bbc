"""Who is loaded first: a few people of the plan who have between them every kind of record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby, islice
from operator import attrgetter

from lib.store import Store
from lib.store.ledger import Ledger, Planned

Kinds = frozenset[str]


def sample(store: Store, n_people: int) -> set[str]:
    """`n_people` people of the plan: first those with the rarest kinds of records, then evenly spread.

    Of all people only how many have the same kinds of records is kept, and who of them comes first.
    """
    weight: Counter[str] = Counter()
    first: dict[Kinds, str] = {}
    n_all = 0
    for person, kinds in _people(Ledger(store)):
        n_all += 1
        weight.update(kinds)
        first[kinds] = min(person, first.get(kinds, person))
    chosen = _rarest(weight, first, n_people)
    lacking, n_rest = n_people - len(chosen), n_all - len(chosen)
    step = max(1, n_rest // lacking) if lacking > 0 else 1
    rest = (person for person in Ledger(store).people() if person and person not in chosen)
    return chosen | set(islice(rest, 0, max(lacking, 0) * step, step))


def _people(ledger: Ledger) -> Iterator[tuple[str, Kinds]]:
    """Everybody of the plan, with the kinds of their records."""
    for person, rows in groupby(ledger.rows(), key=attrgetter("person")):
        if person:
            yield person, frozenset(name for row in rows for name in _features(row))


def _rarest(weight: Counter[str], first: dict[Kinds, str], n_people: int) -> set[str]:
    """For each kind of record, the rarest first, one who has it and as many others as possible that lack so far."""
    chosen: set[str] = set()
    covered: Kinds = frozenset()
    for name, _ in sorted(weight.items(), key=lambda item: (item[1], item[0])):
        if name not in covered and len(chosen) < n_people:
            person, kinds = min(
                ((person, kinds) for kinds, person in first.items() if name in kinds),
                key=lambda one: (-len(one[1] - covered), one[0]),
            )
            chosen.add(person)
            covered |= kinds
    return chosen


def _features(row: Planned) -> set[str]:
    body, found = row.body, {row.kind}
    if row.kind == "application.create":
        history = body.get("applicationHistory") or [{}]
        found.add(f"history of {min(len(history), 5)}")
        found.add("archived" if "archiveReasonId" in history[-1] else "not archived")
    if body.get("isPrivate"):
        found.add("private note")
    if row.kind == "candidate.create" and "email" not in body:
        found.add("no e-mail")
    return found

"""The sample of a validation before its plan is known: drawn many times, people not read yet borrow from like ones."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from statistics import fmean, variance

from lib.audit.estimate import ALL, Guess
from lib.steps.rehearsing import Keys, Role
from lib.validate.cost import Sketch, sample_calls

DRAWS = 30
SHARE = 0.05  # of all people that a validation reads closely


def looked_at(
    bare: Mapping[str, Role],
    full: Mapping[str, Role],
    about: Mapping[str, tuple[Keys, int]],
    *,
    fair: Collection[str],
    factor: float,
) -> dict[str, Guess]:
    """{endpoint: calls} of reading the sample closely, with their sum `(all)`.

    `bare` are the roles by the lists alone, `full` those with their child lists; `about` has strata and number of
    opportunities of each; `factor` is how many people each of the `fair` ones stands for. Each draw takes other people
    of those read closely to borrow from (with replacement), so that what they happen to be like is part of the
    uncertainty.
    """
    share, times = min(1.0, SHARE * factor), max(1.0, SHARE * factor)  # of all people more than one of each fair one
    draws = [_draw(bare, full, about, number, fair=fair, share=share) for number in range(DRAWS)]
    if not any(draws):
        return {}
    names = sorted({name for one in draws for name in one})
    found = {name: _over([float(one[name]) for one in draws]) for name in names}
    found |= {ALL: _over([float(one.total()) for one in draws])}
    return {name: one.times(times) for name, one in found.items()}


def _over(values: list[float]) -> Guess:
    return Guess(fmean(values), variance(values), len(values) - 1)


def _draw(
    bare: Mapping[str, Role],
    full: Mapping[str, Role],
    about: Mapping[str, tuple[Keys, int]],
    number: int,
    *,
    fair: Collection[str],
    share: float,
) -> Counter[str]:
    chance = random.Random(f"forecast:{number}")
    donors: dict[str, list[str]] = defaultdict(list)
    known = sorted(set(full) & set(bare))
    for name in chance.choices(known, k=len(known)) if known else []:
        for key in [*about[name][0], ""]:
            donors[key].append(name)
    people: dict[str, Sketch] = {}
    for name, role in sorted(one for one in bare.items() if one[0] in fair):
        own = (full.get(name) or role).sketch
        if own is not None and name not in full and donors:
            keys, n = about[name]
            donor = chance.choice(next(donors[key] for key in [*keys, ""] if donors.get(key)))
            own = _borrowed(own, bare[donor], full[donor], times=n / about[donor][1])
        if own is not None:
            people[name] = own
    return sample_calls(people, seed=f"forecast:{number}", share=share)


def _borrowed(own: Sketch, bare: Role, full: Role, *, times: float) -> Sketch:
    """The sketch of somebody not read yet, with so many times what another one's child lists have added."""
    if bare.sketch is None or full.sketch is None:
        return own
    edges = own.about.edges | (full.sketch.about.edges - bare.sketch.about.edges)
    return replace(
        own,
        about=replace(own.about, edges=edges),
        n_notes=own.n_notes + round((full.sketch.n_notes - bare.sketch.n_notes) * times),
        n_files=own.n_files + round((full.sketch.n_files - bare.sketch.n_files) * times),
    )

"""What a validation will ask of Ashby, by endpoint: the pages of its lists, and the sample that is read closely."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from lib.ashby import PAGE
from lib.validate.closely import NOTE, Features, choose, features
from lib.validate.expected import FILES

DOWNLOAD = "(storage) download"


@dataclass
class Sketch:
    """What the sample needs to know of a person, from rows of a plan of which nothing has to be done yet."""

    about: Features
    n_applications: int = 0
    n_notes: int = 0
    n_files: int = 0


@dataclass
class _Sent:
    """An object as the plan would make it."""

    sent: Mapping[str, Any]


@dataclass
class _Person:
    """As much of a person as `features` looks at."""

    person: str
    candidate: _Sent | None
    applications: dict[str, _Sent]


def sketch(person: str, rows: Iterable[Any], *, confidential: set[str], links: Mapping[str, str]) -> Sketch | None:
    """The sketch of one person; None when the plan neither makes nor links a candidate.

    `links` are {link: Ashby id} of jobs that are there already: several postings may share one.
    """
    rows = list(rows)
    made = next((row for row in rows if row.kind in ("link", "candidate.create")), None)
    if made is None:
        return None
    applications = {
        row.lever_id: _Sent(_told_apart(row.body, links)) for row in rows if row.kind == "application.create"
    }
    candidate = _Sent(made.body if made.kind != "link" else {})
    seen = _Person(person, candidate, applications)
    about = features(seen, [(row, None) for row in rows], confidential)  # type: ignore[arg-type]
    kinds = Counter(row.kind for row in rows)
    return Sketch(about, len(applications), kinds[NOTE], sum(kinds[kind] for kind in FILES))


def _told_apart(body: Mapping[str, Any], links: Mapping[str, str]) -> dict[str, Any]:
    """A body whose job can be compared with another's: by its id, or by the link that stands for it."""
    key = str(body["jobId"]["$link"])
    return {**body, "jobId": links.get(key, key)}


def sample_calls(people: Mapping[str, Sketch], *, seed: str, share: float = 0.05, least: int = 50) -> Counter[str]:
    """{endpoint: calls} of reading the sample closely; with the seed of the validation, exactly its sample."""
    found = sorted((one.about for one in people.values()), key=lambda one: one.person)
    chosen = choose(found, seed=seed, share=share, least=least)
    calls: Counter[str] = Counter()
    for one in map(people.__getitem__, chosen):
        calls["candidate.listNotes"] += pages(one.n_notes)
        calls["application.info"] += one.n_applications
        calls["file.info"] += one.n_files
        calls[DOWNLOAD] += one.n_files
    return calls


def list_calls(n_objects: Mapping[str, int]) -> Counter[str]:
    """{endpoint: pages} of the whole walks, from how many objects each list will hold."""
    return Counter({endpoint: pages(n) for endpoint, n in n_objects.items()})


def pages(n_objects: int) -> int:
    """Pages of a list of so many; an empty one has a page, too."""
    return max(1, ceil(n_objects / PAGE))

"""What earlier loads have taught about this Ashby: what it refuses, and what is planned instead.

None of it is documented (facts: "duplicate e-mail", "max lengths", "application.create on Closed jobs", formats), so it
is planned as if it were taken, and a refusal is evidence. A lesson is drawn only where nothing that was taken speaks
against it, and it is never forgotten: a plan made later is the same again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

NOT_ABOUT_VALUES = ("not_found", "limit_exceeded", "endpoint_permission")
"""Endings of codes that tell of something else than what was sent."""
SHORTEST = 500  # characters of a note: the least that policy.note_limit may be
_FILES = {"candidate.uploadFile": "fileHandle", "candidate.uploadResume": "resumeHandle"}


@dataclass(frozen=True)
class Lessons:
    """Nothing was learned yet when all is empty.

    `phone_shapes`: numbers written like this are refused; `shared_addresses`: an address is refused for a second
    candidate; `bare`: people who were refused with all else they have; `note_chars`, `file_bytes`: longer notes and
    files of so many bytes are refused; `open_jobs`: only open jobs take applications.
    """

    phone_shapes: tuple[str, ...] = ()
    shared_addresses: bool = False
    bare: tuple[str, ...] = ()
    note_chars: int = 0
    file_bytes: int = 0
    open_jobs: bool = False

    @classmethod
    def stored(cls, known: Mapping[str, Any] | None) -> Lessons:
        """From what `as_stored` gave."""
        lists = {name: tuple(value) if isinstance(value, list) else value for name, value in (known or {}).items()}
        return cls(**lists)

    def as_stored(self) -> dict[str, Any]:
        """As plain values."""
        return {name: list(one) if isinstance(one, tuple) else one for name, one in asdict(self).items()}


class Outcome(NamedTuple):
    """One row of a plan that was carried out or refused: its call, its body, whose it is, and what became of it."""

    kind: str
    person: str
    body: Mapping[str, Any]
    state: str
    code: str = ""


@dataclass
class _Seen:
    """What was taken and what was refused, by what it could have been about."""

    refused: list[Outcome] = field(default_factory=list)
    addresses: Counter[str] = field(default_factory=Counter)
    taken_addresses: Counter[str] = field(default_factory=Counter)
    taken_shapes: set[str] = field(default_factory=set)
    notes: dict[str, list[int]] = field(default_factory=lambda: {"done": [], "refused": []})
    files: dict[str, list[int]] = field(default_factory=lambda: {"done": [], "refused": []})
    applications: dict[str, list[str]] = field(default_factory=lambda: {"done": [], "refused": []})
    closed: set[str] = field(default_factory=set)


def phone_shape(text: str) -> str:
    """How a number is written: each digit as 9, so that `(201) 555-0102` and `(310) 555-7788` are alike."""
    return re.sub(r"\d", "9", text.strip())


def learn(known: Lessons, outcomes: Iterable[Outcome], *, standing: Iterable[str] = ()) -> Lessons:
    """What is known after these rows; `standing` are the addresses of candidates who were in Ashby before us."""
    seen = _Seen()
    for address in standing:
        seen.addresses[address.casefold()] += 1
        seen.taken_addresses[address.casefold()] += 1
    for one in outcomes:
        _look(seen, one)
    found = _of_people(known, seen)
    note, file = _longest(seen.notes), _smallest_refused(seen.files)
    jobs, taken = set(seen.applications["refused"]), set(seen.applications["done"]) & seen.closed
    return replace(
        found,
        note_chars=min(filter(None, (note, known.note_chars)), default=0),
        file_bytes=min(filter(None, (file, known.file_bytes)), default=0),
        open_jobs=known.open_jobs or (bool(jobs) and jobs <= seen.closed and not taken),
    )


def _look(seen: _Seen, one: Outcome) -> None:
    if one.kind == "job.setStatus" and one.body.get("status") == "Closed":
        seen.closed.add(one.body["jobId"]["$link"])
    if one.kind == "candidate.create":
        seen.addresses.update(addresses(one.body))
    if one.state not in ("done", "refused") or one.code.endswith(NOT_ABOUT_VALUES):
        return
    if one.kind == "candidate.createNote":
        seen.notes[one.state].append(len(one.body["note"]["value"]))
    elif one.kind in _FILES:
        seen.files[one.state].append(one.body[_FILES[one.kind]]["$file"]["contentLength"])
    elif one.kind == "application.create":
        seen.applications[one.state].append(one.body["jobId"]["$link"])
    elif one.kind == "candidate.create" and one.state == "refused":
        seen.refused.append(one)
    elif one.kind == "candidate.create":
        seen.taken_addresses.update(addresses(one.body))
        seen.taken_shapes.add(phone_shape(one.body.get("phoneNumber", "")))


def addresses(body: Mapping[str, Any]) -> set[str]:
    """All e-mail addresses of a body, case-folded."""
    return {one.casefold() for one in (body.get("email", ""), *body.get("alternateEmailAddresses", ())) if one}


def _of_people(known: Lessons, seen: _Seen) -> Lessons:
    """Why candidates were refused: an address of somebody else's, a number no such one was taken of, or unknown."""
    twice_taken = any(n > 1 for n in seen.taken_addresses.values())
    shapes, bare, shared = set(known.phone_shapes), set(known.bare), known.shared_addresses
    for one in seen.refused:
        shape = phone_shape(one.body.get("phoneNumber", ""))
        if not twice_taken and any(seen.addresses[address] > 1 for address in addresses(one.body)):
            shared = True
        elif shape and shape not in seen.taken_shapes:
            shapes.add(shape)
        else:
            bare.add(one.person)
    return replace(known, phone_shapes=tuple(sorted(shapes)), bare=tuple(sorted(bare)), shared_addresses=shared)


def _longest(lengths: Mapping[str, list[int]]) -> int:
    """The longest note that was taken, where all that were refused are longer; 0 when refusals have other reasons."""
    refused, taken = min(lengths["refused"], default=0), max(lengths["done"], default=0)
    return max(taken, SHORTEST) if refused > max(taken, SHORTEST) else 0


def _smallest_refused(sizes: Mapping[str, list[int]]) -> int:
    refused, taken = min(sizes["refused"], default=0), max(sizes["done"], default=0)
    return refused if refused > taken else 0

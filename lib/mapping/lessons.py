"""What this Ashby does not take: proposed by what it has refused, decided in refusals.csv, obeyed by the next plan.

None of it is documented (facts of the vendor: "duplicate e-mail", "max lengths", "application.create on Closed jobs",
formats are open questions), so all is planned as if it were taken, and a refusal is evidence: never of more than what
was taken speaks against, and never without a person's verdict. The verdicts stand in the params folder, so a plan that
is made anew elsewhere is the same plan.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lib.mapping.book import Book
from lib.mapping.model import Lessons
from lib.mapping.suggest import Rows, row

NOT_ABOUT_VALUES = ("not_found", "candidate_gone", "limit_exceeded", "endpoint_permission")
"""Endings of codes that tell of something else than what was sent."""
STORAGE, TOO_LARGE = "storage_", "storage_too_large"  # of refusals by the storage, only that one is about the size
SHORTEST = 500  # characters of a note: the least that policy.note_limit may be
MANY = 3  # refusals that are more than chance
YES, NO = "yes", "no"
TABLE = "refusals"
FILES = {"candidate.uploadFile": "fileHandle", "candidate.uploadResume": "resumeHandle"}
PHONE, PERSON = "phone:", "person:"


class Outcome(NamedTuple):
    """One row of a plan that was carried out or refused: its call, its body, whose it is, and what became of it."""

    kind: str
    person: str
    body: Mapping[str, Any]
    state: str
    code: str = ""


def phone_shape(text: str) -> str:
    """How a number is written: each digit as 9, so that `(201) 555-0102` and `(310) 555-7788` are alike."""
    return re.sub(r"\d", "9", text.strip())


def addresses(body: Mapping[str, Any]) -> set[str]:
    """All e-mail addresses of a body, case-folded."""
    return {one.casefold() for one in (body.get("email", ""), *body.get("alternateEmailAddresses", ())) if one}


# ---- verdicts ------------------------------------------------------------------------------------------------------
def decided(book: Book) -> Lessons:
    """The verdicts of refusals.csv; what cannot be used becomes a problem of the book."""
    numbers, agreed = {"note_chars": 0, "file_bytes": 0}, set()
    for line, one, verdict in book.decided(TABLE):
        name, word = one["id"], verdict.casefold()
        if word == NO:
            continue
        if name == "note_chars" and word.isdecimal() and int(word) < SHORTEST:
            book.problem(TABLE, line, f"{word} characters are too few for a note; at least {SHORTEST}.")
        elif name in numbers and word.isdecimal() and int(word) > 0:
            numbers[name] = int(word)
        elif name not in numbers and word == YES:
            agreed.add(name)
        else:
            wanted = "a number or 'no'" if name in numbers else "'yes' or 'no'"
            book.problem(TABLE, line, f"{verdict!r} is not {wanted}.")
    return Lessons(
        phone_shapes=tuple(sorted(one.removeprefix(PHONE) for one in agreed if one.startswith(PHONE))),
        shared_addresses="shared_addresses" in agreed,
        bare=tuple(sorted(one.removeprefix(PERSON) for one in agreed if one.startswith(PERSON))),
        open_jobs="open_jobs" in agreed,
        **numbers,
    )


# ---- proposals -----------------------------------------------------------------------------------------------------
@dataclass
class _Seen:
    """What was taken and what was refused, by what it could have been about."""

    refused_people: list[Outcome] = field(default_factory=list)
    owners: dict[str, set[str]] = field(default_factory=dict)  # {address: who has it in Ashby}
    shapes: Counter[str] = field(default_factory=Counter)  # of phone numbers that were taken
    sizes: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    codes: dict[str, Counter[str]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    jobs: dict[str, list[str]] = field(default_factory=lambda: {"done": [], "refused": []})

    def measure(self, name: str, one: Outcome, size: int) -> None:
        self.sizes.setdefault(name, {"done": [], "refused": []})[one.state].append(size)
        if one.state == "refused":
            self.codes.setdefault(name, Counter())[one.code] += 1


def refusals(outcomes: Iterable[Outcome], *, standing: Iterable[str] = ()) -> Rows:
    """Rows of refusals.csv: what the refusals among `outcomes` speak for, and nothing that was taken speaks against.

    `standing` are the addresses of candidates who were in Ashby before us.
    """
    seen = _Seen()
    for address in standing:
        seen.owners.setdefault(address.casefold(), set()).add("")
    for one in outcomes:
        _look(seen, one)
    made = [*_longest_note(seen), *_largest_file(seen), *_open_jobs(seen)]
    return made + _people(seen)


def _look(seen: _Seen, one: Outcome) -> None:
    if one.kind == "job.setStatus" and one.body.get("status") == "Closed":
        seen.closed.add(one.body["jobId"]["$link"])
    if one.state not in ("done", "refused") or one.code.endswith(NOT_ABOUT_VALUES):
        return
    if one.code.startswith(STORAGE) and one.code != TOO_LARGE:
        return
    if one.kind == "candidate.createNote":
        seen.measure("note_chars", one, len(one.body["note"]["value"]))
    elif one.kind in FILES:
        seen.measure("file_bytes", one, one.body[FILES[one.kind]]["$file"]["contentLength"])
    elif one.kind == "application.create":
        seen.jobs[one.state].append(one.body["jobId"]["$link"])
    elif one.kind == "candidate.create" and one.state == "refused":
        seen.refused_people.append(one)
    elif one.kind == "candidate.create":
        seen.shapes[phone_shape(one.body.get("phoneNumber", ""))] += 1
        for address in addresses(one.body):
            seen.owners.setdefault(address, set()).add(one.person)


def _sure(seen: _Seen, name: str) -> str:
    return "high" if seen.codes[name].most_common(1)[0][1] >= MANY else "low"


def _longest_note(seen: _Seen) -> Rows:
    """The longest note that was taken, where all that were refused are longer."""
    lengths = seen.sizes.get("note_chars", {"done": [], "refused": []})
    refused, taken = min(lengths["refused"], default=0), max(lengths["done"], default=0)
    if refused <= max(taken, SHORTEST):
        return []
    why = f"the shortest note refused has {refused:,} characters, the longest taken {taken:,}"
    n_refused = len(lengths["refused"])
    proposal = str(max(taken, SHORTEST))
    return [row("note_chars", "longest note, in characters", proposal, why, _sure(seen, "note_chars"), n_refused)]


def _largest_file(seen: _Seen) -> Rows:
    """The smallest file that was refused, where all that were taken are smaller."""
    sizes = seen.sizes.get("file_bytes", {"done": [], "refused": []})
    refused, taken = min(sizes["refused"], default=0), max(sizes["done"], default=0)
    if refused <= taken:
        return []
    why = f"the largest file taken has {taken:,} bytes; files from this size on are left out, and named as losses"
    n_refused = len(sizes["refused"])
    return [row("file_bytes", "too large a file, in bytes", str(refused), why, _sure(seen, "file_bytes"), n_refused)]


def _open_jobs(seen: _Seen) -> Rows:
    """Applications were refused on jobs that the plan closes, and none was taken on such a one."""
    refused = [job for job in seen.jobs["refused"] if job in seen.closed]
    if not refused or set(seen.jobs["done"]) & seen.closed:
        return []
    why = "each application on a job that is closed was refused; such jobs stay open until somebody closes them"
    sure = "high" if len(refused) >= MANY else "low"
    return [row("open_jobs", "only open jobs take applications", YES, why, sure, len(refused))]


def _people(seen: _Seen) -> Rows:
    """Why candidates were refused: an address of somebody else's, a number as none was taken of, or unknown."""
    twice = any(len(owners) > 1 for owners in seen.owners.values())
    shared, shapes, rest, bare = 0, Counter[str](), [], []
    for one in seen.refused_people:
        shape = phone_shape(one.body.get("phoneNumber", ""))
        if not twice and any(seen.owners.get(address, set()) - {one.person} for address in addresses(one.body)):
            shared += 1
        elif set(one.body) <= {"name", "createdAt"}:
            bare.append(one)
        elif shape and not seen.shapes[shape]:
            shapes[shape] += 1
        else:
            rest.append(one)
    made = []
    if shared:
        why = "a candidate whose address another one has was refused; the second one's goes into a custom field"
        label = "an address belongs to one candidate only"
        made.append(row("shared_addresses", label, YES, why, "high" if shared >= MANY else "low", shared))
    for shape, n_refused in sorted(shapes.items()):
        why = "a candidate with a number like this was refused, and none was taken; it goes into a custom field"
        sure = "high" if n_refused >= MANY else "low"
        made.append(row(f"{PHONE}{shape}", "phone numbers written like this", YES, why, sure, n_refused))
    alone = "refused, and nothing tells why; made with name and date alone, all else goes into a custom field"
    nothing = "refused with name and date alone: stays set aside, and somebody has to make this candidate by hand"
    found = [(one, YES, alone) for one in rest] + [(one, NO, nothing) for one in bare]
    return made + [
        row(f"{PERSON}{one.person}", f"a person ({one.code or 'no code'})", proposal, why, "low", 1)
        for one, proposal, why in sorted(found, key=lambda item: item[0].person)
    ]


def contradicted(proposal: Mapping[str, Any], verdict: str) -> bool:
    """True when refusals speak against a verdict: less is taken than it says, or not even the name alone."""
    word, wanted = verdict.strip().casefold(), str(proposal["proposal"])
    if word.isdecimal() and wanted.isdecimal():
        return int(word) > int(wanted)
    return word == YES and wanted == NO

"""What changed in Lever after it was loaded: rows that bring the object in Ashby up to date, where a call exists.

The row that made an object stays in the plan as it was carried out. What differs now becomes rows of its own: values
are set again (`candidate.update`, `application.update`), a history is replaced as a whole
(`application.updateHistory`), and a note of ours that tells of a candidacy is written anew, because no call changes a
note (Ashby's reference). Notes and feedback of Lever itself are left as they are: their rows have another body than the
one that was carried out, and the load sets them aside by name.

A note of which only some parts stand is continued: the missing parts keep their row ids, and those that are too long
for this Ashby are cut again under a version of their own, whose first lines say in place of which parts they stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import NamedTuple

from lib.mapping.context import Context
from lib.mapping.plan import Body, Chain, PlanRow, link
from lib.mapping.render import as_named

_MADE_OF = ("candidateId", "jobId", "interviewPlanId")
"""What makes an application this one: no call but `application.transfer`, which starts activities, changes it."""
_SET = {
    "application": ("createdAt", "sourceId", "creditedToUserId"),
    "candidate": (
        "name", "email", "phoneNumber", "linkedInUrl", "githubUrl", "website", "location", "createdAt", "sourceId",
        "creditedToUserId",
    ),
}  # fmt: skip
_LINKS = ("linkedInUrl", "githubUrl", "website")
_OTHER_NAME = {"website": "websiteUrl"}
"""Members that candidate.update knows under another name than candidate.create (Ashby's reference)."""
NEWER = "changed"
_OURS = ("opportunity", "interviews", "offers", "application")
"""Lever types whose notes are our own account of a candidacy, and not something that somebody wrote in Lever."""
RENEWED = (*_OURS, "note", "feedback")
"""Lever types whose notes may have more than one version: the others have one where parts were too long for Ashby."""
_FILLS = re.compile(r" \(in place of parts? (\d+)/\d+(?: to (\d+)/\d+)?(?: of v(\d+))?\)(?: \(part \d+/\d+\))?$")
_END = re.compile(r"(?:/v(\d+))?(?:/(\d+)-(\d+))?$")
"""What a row id ends with: the version and the part, where there are several."""
_WHOLE = 10**9
"""No limit: of a note that stands and was edited in Lever, which is set aside and never sent."""
Write = Callable[[Chain, str, int, str, str, str], int]
"""`write(chain, text, limit, part, mark, said)` appends a note that says `text` in parts no longer than `limit`; `part`
ends its row ids, `mark` its marker, and `said` its first line. Returns the number of parts."""


def made_as(chain: Chain, row_id: str, body: Body) -> Body:
    """The body of a row that makes an object: as it was carried out where it was, `body` otherwise.

    An application of another candidate, job or plan is not the one that was made: its body says so.
    """
    earlier = chain.earlier.get(row_id)
    if earlier is None or any(earlier.get(name) != body.get(name) for name in _MADE_OF):
        return body
    return earlier


def application_changes(chain: Chain, context: Context, lever_id: str, body: Body) -> None:
    """Source, credit, date and history of an application, where they are not those it was made with."""
    made = chain.earlier.get(f"application.create/opportunity/{lever_id}")
    if made is None or any(made.get(name) != body.get(name) for name in _MADE_OF):
        return
    target = {"applicationId": link(f"application:{lever_id}")}
    values = _differing(chain, f"application.update/opportunity/{lever_id}", made, body, names=_SET["application"])
    _lose_emptied(context, "opportunity", lever_id, made, body, names=_SET["application"])
    if values:
        chain.add("application.update", "opportunity", lever_id, body={**target, **values, "sendNotifications": False})
    history = body.get("applicationHistory")
    again = f"application.updateHistory/opportunity/{lever_id}" in chain.earlier
    if history and (again or history != made.get("applicationHistory")):
        chain.add("application.updateHistory", "opportunity", lever_id, body={**target, "applicationHistory": history})


def candidate_changes(chain: Chain, context: Context, body: Body, *, social: bool) -> None:
    """Name, address, phone … of a candidate, where they are not those it was made with.

    With `social` the links are set as a whole by another row.
    """
    made = chain.earlier.get(f"candidate.create/person/{chain.person}")
    if made is None:
        return
    target = {"candidateId": link(f"candidate:{chain.person}"), "sendNotifications": False}
    _lose_emptied(context, "contact", chain.person, made, body, names=_SET["candidate"])
    names = [name for name in _SET["candidate"] if not (social and name in _LINKS)]
    row_id = f"candidate.update/person/{chain.person}/{NEWER}"
    values = _differing(chain, row_id, made, body, names=tuple(names))
    if "email" in values and (kept := _kept_address(chain.earlier.get(row_id, {}), made, body)):
        values["alternateEmail"] = kept
    if values:
        chain.add("candidate.update", "person", chain.person, body={**target, **values}, part=NEWER)
    for number, address in enumerate(_new_addresses(chain, made, body, there=values.get("alternateEmail")), 1):
        new = {**target, "alternateEmail": address}
        chain.add("candidate.update", "person", chain.person, body=new, part=f"address {number}")


def _differing(chain: Chain, row_id: str, made: Body, body: Body, *, names: tuple[str, ...]) -> Body:
    """Members that differ from what was made, or that such a row has set before: it may have to set them back."""
    before = chain.earlier.get(row_id, {})
    found = {}
    for name in names:
        shown = _OTHER_NAME.get(name, name)
        if name in body and (body[name] != made.get(name) or shown in before):
            found[shown] = body[name]
    return found


def _lose_emptied(
    context: Context, lever_type: str, lever_id: str, made: Body, body: Body, *, names: tuple[str, ...]
) -> None:
    """Count what Lever no longer has: what was loaded of it stays."""
    for name in names:
        if name in made and name not in body:
            context.lose(
                lever_type, name, lever_id=lever_id, treatment="moved changed", where="as it was loaded",
                reason="Lever, a verdict or a rule gives no value any more; nothing is emptied in Ashby",
            )  # fmt: skip


def _kept_address(earlier: Body, made: Body, body: Body) -> str | None:
    """The first address until now, where Lever still has it: the new one takes its place, and two may change often.

    `earlier` is the call that changed the first address before: done once more, it adds what it added.
    """
    again = earlier.get("email") == body["email"]
    until_now = earlier.get("alternateEmail") if again else earlier.get("email") or made.get("email")
    return until_now if until_now in body.get("alternateEmailAddresses", []) else None


def _new_addresses(chain: Chain, made: Body, body: Body, *, there: str | None) -> list[str]:
    """Further addresses that neither making the candidate nor `there`, another call, gives; added ones first."""
    known = [*made.get("alternateEmailAddresses", []), *([there] if there else [])]
    known += [made["email"]] if made.get("email") == body.get("email") and "email" in made else []
    added = []
    while (row := chain.earlier.get(f"candidate.update/person/{chain.person}/address {len(added) + 1}")) is not None:
        added.append(row["alternateEmail"])
    wanted = [one for one in body.get("alternateEmailAddresses", []) if one not in known]
    return added + [one for one in wanted if one not in added]


def renewed(
    chain: Chain, lever_type: str, lever_id: str, *, part: str, text: str, limits: tuple[int, int], write: Write,
    former: Mapping[str, Sequence[str]] = {},
) -> int:  # fmt: skip
    """Write a note; returns the number of its parts. What stands of it stays, and what is missing is added to it.

    A note of ours that tells something else now is written once more; one that stands open and is to be private by now
    is set aside by name, as Lever's own are when they were edited. One that names users as they were called before, as
    `former` tells, is the same note. `limits` are the greatest length that is known to be taken, and the one that was
    planned before that was known; `part` ends the row ids.
    """
    found = versions(chain, lever_type, lever_id, part)
    loaded = {number: _Version(chain, number, ids) for number, ids in found.items()}
    note = _Note(chain, part, limits, write, loaded)
    if not loaded:
        return write(chain, text, note.first_limit(text), part, "", "")
    base = max((number for number, one in loaded.items() if one.fills is None), default=0)
    there = "\n".join(piece_of(chain.earlier[row_id]) for one in loaded.values() for row_id in one.row_ids)
    rows = note.missing(base, as_named(text, there, former)) if base else None
    if rows is None and (lever_type not in _OURS or note.is_open(base, text)):
        rows = note.edited(text)
    elif rows is None:
        base = max(loaded) + 1
        rows = note.whole(base, text, limits[0], _said(base))
    told = {row_id: chain.earlier[row_id] for one in loaded.values() for row_id in one.ids.values()}
    told |= {row.row_id: row.body for row in rows}
    shape = _shape(lever_type, lever_id, part)
    numbers = {row_id: _numbers(shape, row_id) for row_id in told}
    for row_id in sorted(told, key=lambda row_id: numbers[row_id]):
        end = "/".join(row_id.split("/", 3)[3:])
        chain.add("candidate.createNote", lever_type, lever_id, body=told[row_id], part=end)
    tree = note.tree(base) | {numbers[row.row_id][0] for row in rows}
    return sum(number[0] in tree for number in numbers.values())


@dataclass
class _Version:
    """What stands of one version of a note: its row ids by number of the part, and how many parts it was to have.

    A version that `fills` a gap says the text of such parts of an earlier one (version, first part, last part) as were
    too long for Ashby.
    """

    chain: Chain
    number: int
    row_ids: list[str]

    def __post_init__(self) -> None:
        """The parts by number; a version whose parts count differently (`total` 0) is not one text."""
        ends = [_END.search(row_id) for row_id in self.row_ids]
        keys = [(int(end[2] or 1), int(end[3] or 1)) for end in ends if end]
        self.ids = dict(zip(keys, self.row_ids, strict=True))
        totals = {total for _, total in keys}
        self.total = totals.pop() if len(totals) == 1 else 0
        first = self.chain.earlier[self.row_ids[0]]["note"]["value"].partition("\n")[0]
        found = _FILLS.search(first) if self.number > 1 else None
        self.fills = (int(found[3] or 1), int(found[1]), int(found[2] or found[1])) if found else None

    def row_id(self, number: int) -> str:
        """The row id of a part, whether or not it stands."""
        return re.sub(r"/\d+-\d+$", f"/{number}-{self.total}", self.row_ids[0])

    def body(self, number: int) -> Body | None:
        """The body of a part as it was carried out."""
        return self.chain.earlier.get(self.row_id(number))

    def gaps(self, text: str) -> list[Gap] | None:
        """The parts of `text` that do not stand; None when something else than parts of it stands there."""
        at, number, found = 0, 1, []
        for first, last, run in self._runs():
            if last == self.total:
                place = len(text) - len(run) if text.endswith(run) else -1
            else:
                place = text.find(run, at + 1) if first > number else at if text.startswith(run, at) else -1
            if place < at or (place == at) != (first == number):
                return None
            if place > at:
                found.append(Gap(number, first - 1, text[at:place]))
            at, number = place + len(run), last + 1
        if number <= self.total:
            found.append(Gap(number, self.total, text[at:]))
        return found if self.total and all(gap.text for gap in found) else None

    def _runs(self) -> list[tuple[int, int, str]]:
        """(first part, last part, text) of parts that follow each other."""
        runs: list[tuple[int, int, str]] = []
        for (number, _), row_id in sorted(self.ids.items()):
            piece = piece_of(self.chain.earlier[row_id])
            if runs and runs[-1][1] == number - 1:
                piece, first = runs[-1][2] + piece, runs.pop()[0]
                runs.append((first, number, piece))
            else:
                runs.append((number, number, piece))
        return runs


class Gap(NamedTuple):
    """Text that does not stand in Ashby yet, and the parts of a version that were to say it."""

    first: int
    last: int
    text: str


@dataclass
class _Note:
    """A note of which something stands: what is still to be written of it."""

    chain: Chain
    part: str
    limits: tuple[int, int]
    write: Write
    loaded: dict[int, _Version]

    def __post_init__(self) -> None:
        self.used = set(self.loaded)

    def first_limit(self, text: str) -> int:
        """The length of the parts of a note that does not stand as it was planned; rows that were parked are kept."""
        if len(text) > self.limits[0] // 2:
            for limit in (*self.limits, _WHOLE):
                if any(self.chain.stands(row.row_id) for row in self.whole(1, text, limit, "")):
                    return limit
        return self.limits[0]

    def is_open(self, number: int, text: str) -> bool:
        """Whether a version stands open that is to be private by now: no call hides it, so a person must be told."""
        ids = self.loaded[number].row_ids if number else []
        now = self.whole(1, text, self.limits[1], "")[0].body
        return bool(now.get("isPrivate")) and not all(self.chain.earlier[row_id].get("isPrivate") for row_id in ids)

    def missing(self, number: int, text: str, said: str | None = None) -> list[PlanRow] | None:
        """Rows that complete a version which says `text`; None when it says something else."""
        one, said = self.loaded[number], _said(number) if said is None else said
        gaps = one.gaps(text)
        frame = _frame(self.whole(number, text, self.limits[1], said)[0].body)
        if gaps is None or any(_frame(self.chain.earlier[row_id]) != frame for row_id in one.row_ids):
            return None
        rows: list[PlanRow] = []
        for gap in gaps:
            fills = (number, gap.first, gap.last)
            by = next((key for key, other in self.loaded.items() if other.fills == fills), 0)
            told = _instead(number, gap, one.total)
            if by:
                more = self.missing(by, gap.text, told)
            elif any(self.chain.stands(one.row_id(place)) for place in range(gap.first, gap.last + 1)):
                return None  # it stands with another text
            else:
                more = self._as_planned(number, text, gap, said) or self._cut_again(number, gap, told)
            if more is None:
                return None
            rows += more
        return rows

    def whole(self, number: int, text: str, limit: int, said: str) -> list[PlanRow]:
        """The rows of a version that says `text`."""
        trial = Chain(self.chain.person, known=dict(self.chain.known))
        part = "/".join(one for one in (self.part, f"v{number}" if number > 1 else "") if one)
        self.write(trial, text, limit, part, f" v{number}" if number > 1 else "", said)
        return trial.rows

    def _as_planned(self, number: int, text: str, gap: Gap, said: str) -> list[PlanRow]:
        """The missing parts as they were planned; none when that is not known, or when one is too long for Ashby."""
        for limit in self.limits:
            rows = self.whole(number, text, limit, said)
            bodies = [self.loaded[number].body(place) for place in range(1, len(rows) + 1)]
            if len(rows) == self.loaded[number].total and all(
                body is None or same_note(body, row.body) for body, row in zip(bodies, rows, strict=True)
            ):
                wanted = rows[gap.first - 1 : gap.last]
                return wanted if all(len(row.body["note"]["value"]) <= self.limits[0] for row in wanted) else []
        return []

    def _cut_again(self, number: int, gap: Gap, said: str) -> list[PlanRow]:
        """The text of missing parts under a number of its own, cut to the length that is taken."""
        new = next(one for one in count(number + 1) if one not in self.used)
        self.used.add(new)
        return self.whole(new, gap.text, self.limits[0], said)

    def edited(self, text: str) -> list[PlanRow]:
        """A note that somebody has edited in Lever: its rows with the new text, so that the load sets them aside."""
        one = self.loaded[min(self.loaded)]
        for limit in (*self.limits, _WHOLE):
            rows = self.whole(1, text, limit, "")
            if len(rows) == one.total and len(self.loaded) == one.number == 1:
                return rows
        keys = [one.row_id(place) for one in self.loaded.values() for place in range(1, one.total + 1)]
        aside = [key for key in keys if key not in self.chain.earlier and self.chain.stands(key)]
        row_id = (aside or self.loaded[max(self.loaded)].row_ids)[0]
        body, end = rows[0].body, _END.search(row_id)
        told = (f" v{end[1]}" * bool(end[1]) + f" {end[2]}/{end[3]}" * bool(end[2])) if end else ""
        value = f"{body['note']['value'].removesuffix(']')}{told}]"
        return [replace(rows[0], row_id=row_id, body=body | {"note": body["note"] | {"value": value}})]

    def tree(self, number: int) -> set[int]:
        """A version with all that fill its gaps."""
        below = [key for key, one in self.loaded.items() if one.fills and one.fills[0] == number]
        return {number}.union(*map(self.tree, below))


def _said(number: int) -> str:
    return " (renewed; replaces the earlier one)" if number > 1 else ""


def _instead(number: int, gap: Gap, total: int) -> str:
    several, to = ("s", f" to {gap.last}/{total}") if gap.last > gap.first else ("", "")
    of = f" of v{number}" if number > 1 else ""
    return f" (in place of part{several} {gap.first}/{total}{to}{of})"


def same_note(earlier: Body, body: Body) -> bool:
    """True when two notes differ at most in the first line, which names author and posting as they are called now."""
    return _below(earlier) == _below(body)


def _below(body: Body) -> Body:
    text = body["note"]["value"]
    return body | {"note": body["note"] | {"value": text.partition("\n")[2]}}


def piece_of(body: Body) -> str:
    """What a note says between its first line and its marker line."""
    return body["note"]["value"].partition("\n")[2].rpartition("\n")[0]


def _frame(body: Body) -> Body:
    """All of a note but its text."""
    return body | {"note": body["note"] | {"value": ""}}


def versions(chain: Chain, lever_type: str, lever_id: str, part: str) -> dict[int, list[str]]:
    """{number: row ids} of the versions of one note that are loaded, by number of the part."""
    shape = _shape(lever_type, lever_id, part)
    found: dict[int, list[str]] = {}
    for row_id in chain.earlier:
        if shape.fullmatch(row_id):
            found.setdefault(_numbers(shape, row_id)[0], []).append(row_id)
    return {number: sorted(ids, key=lambda row_id: _numbers(shape, row_id)) for number, ids in found.items()}


def _shape(lever_type: str, lever_id: str, part: str) -> re.Pattern[str]:
    base = "/".join(text for text in ("candidate.createNote", lever_type, lever_id, part) if text)
    return re.compile(rf"{re.escape(base)}(?:/v(\d+))?(?:/(\d+)-(\d+))?")


def _numbers(shape: re.Pattern[str], row_id: str) -> tuple[int, int, int]:
    """(version, part, of how many) of a row id."""
    found = shape.fullmatch(row_id)
    assert found is not None
    return int(found[1] or 1), int(found[2] or 1), int(found[3] or 1)

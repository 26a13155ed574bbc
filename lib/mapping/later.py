"""What changed in Lever after it was loaded: rows that bring the object in Ashby up to date, where a call exists.

The row that made an object stays in the plan as it was carried out. What differs now becomes rows of its own: values
are set again (`candidate.update`, `application.update`), a history is replaced as a whole
(`application.updateHistory`), and a note of ours that tells of a candidacy is written anew, because no call changes a
note (Ashby's reference). Notes and feedback of Lever itself are left as they are: their rows have another body than the
one that was carried out, and the load sets them aside by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lib.mapping.context import Context
from lib.mapping.plan import Body, Chain, link

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
RENEWED = ("opportunity", "interviews", "offers", "application")
"""Lever types whose notes are our own account of a candidacy, and not something that somebody wrote in Lever."""


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
    if values:
        chain.add("candidate.update", "person", chain.person, body={**target, **values}, part=NEWER)
    for number, address in enumerate(_new_addresses(chain, made, body), 1):
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
                reason="no longer in Lever; nothing is emptied in Ashby",
            )  # fmt: skip


def _new_addresses(chain: Chain, made: Body, body: Body) -> list[str]:
    """Further addresses that the candidate was not made with, those that were added before first (a call adds one)."""
    there = list(made.get("alternateEmailAddresses", []))
    there += [made["email"]] if made.get("email") == body.get("email") and "email" in made else []
    added = []
    while (row := chain.earlier.get(f"candidate.update/person/{chain.person}/address {len(added) + 1}")) is not None:
        added.append(row["alternateEmail"])
    wanted = [one for one in body.get("alternateEmailAddresses", []) if one not in there]
    return added + [one for one in wanted if one not in added]


def renewed(
    chain: Chain, lever_type: str, lever_id: str, *, part: str, write: Callable[[Chain, str, str, str], int]
) -> int:
    """Write a note; returns the number of parts. What it was loaded as stays, where it still tells the same.

    A note of ours that tells something else now is written once more. `write(chain, part, mark, said)` appends the note
    as it is now: `part` ends its row ids, `mark` its marker, and `said` its first line.
    """
    loaded = versions(chain, lever_type, lever_id, part)
    if not loaded:
        return write(chain, part, "", "")
    newest = max(loaded)
    trial = Chain(chain.person, known=dict(chain.known))
    n_parts = write(trial, *_named(part, newest))
    now = {row.row_id: row.body for row in trial.rows}
    same = now.keys() == set(loaded[newest]) and all(
        same_note(chain.earlier[row_id], body) for row_id, body in now.items()
    )
    if not same and lever_type not in RENEWED:
        return write(chain, part, "", "")
    for row_id in (row_id for number in sorted(loaded) for row_id in loaded[number]):
        rest = row_id.split("/", 3)[3:]
        body = chain.earlier[row_id]
        chain.add("candidate.createNote", lever_type, lever_id, body=body, part=rest[0] if rest else "")
    return n_parts if same else write(chain, *_named(part, newest + 1))


def same_note(earlier: Body, body: Body) -> bool:
    """True when two notes differ at most in the first line, which names author and posting as they are called now."""
    return _below(earlier) == _below(body)


def _below(body: Body) -> Body:
    text = body["note"]["value"]
    return body | {"note": body["note"] | {"value": text.partition("\n")[2]}}


def same_feedback(earlier: Body, body: Body) -> bool:
    """True when two submissions differ at most in the line that names author and posting as they are called now."""
    return _without_author(earlier) == _without_author(body)


def _without_author(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_author(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_without_author(child) for child in value]
    if isinstance(value, str) and value.startswith("Lever feedback: "):
        first, _, rest = value.partition("\n")
        return first + rest.partition("\n")[2]
    return value


def _named(part: str, number: int) -> tuple[str, str, str]:
    if number == 1:
        return part, "", ""
    return (
        "/".join(text for text in (part, f"v{number}") if text),
        f" v{number}",
        " (renewed; replaces the earlier one)",
    )


def versions(chain: Chain, lever_type: str, lever_id: str, part: str) -> dict[int, list[str]]:
    """{number: row ids} of the versions of one note that are loaded, in the order of the plan."""
    base = "/".join(text for text in ("candidate.createNote", lever_type, lever_id, part) if text)
    shape = re.compile(rf"{re.escape(base)}(?:/v(\d+))?(?:/\d+-\d+)?")
    found: dict[int, list[str]] = {}
    for row_id in chain.earlier:
        if match := shape.fullmatch(row_id):
            found.setdefault(int(match[1] or 1), []).append(row_id)
    return found

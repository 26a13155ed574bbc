"""The compilation: set-up rows, then person by person, every row checked against the contract."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from pandas import DataFrame

from lib.errors import GateError
from lib.mapping.answers import answers
from lib.mapping.candidacy import (
    Candidacy,
    Note,
    application_rows,
    candidacies,
    opportunity_note,
    source_and_credit,
)
from lib.mapping.context import Context
from lib.mapping.feedback import feedback_rows
from lib.mapping.files import file_rows
from lib.mapping.fitted import fitted, owners
from lib.mapping.jobs import set_up
from lib.mapping.later import renewed
from lib.mapping.losses import Losses
from lib.mapping.model import Decisions
from lib.mapping.people import Person, candidate_rows, other_details, tag_rows, value_row
from lib.mapping.plan import Body, Carried, Chain, Nothing, PlanRow
from lib.mapping.render import add_note, thread
from lib.mapping.settings import settings
from lib.mapping.source import Item, Reader, Source, age, anonymised, clean, ident, stamp
from lib.mapping.standing import Made
from lib.mapping.summaries import interview_note, offer_note
from lib.normalize import iso_to_ms

_NOTHING = Nothing()
_SHORT_LISTS = {
    "users": "user",
    "stages": "stage",
    "archive_reasons": "archive_reason",
    "sources": "source",
    "tags": "tag",
    "feedback_templates": "feedback_template",
    "form_templates": "form_template",
    "requisitions": "requisition",
    "requisition_fields": "requisition_field",
}


def compile_plan(
    reader: Reader,
    *,
    people: DataFrame | None = None,
    members: DataFrame | None = None,
    decisions: Decisions,
    policy: Any,
    losses: Losses | None = None,
    now_ms: int | None = None,
    carried: Carried = _NOTHING,
) -> Iterator[PlanRow]:
    """Yield the rows of the plan: set-up first, then each person's chain, in order of person id.

    `losses` fills while the rows are taken; it is complete when the iterator is exhausted. `now_ms` is the moment
    against which consent expires (default: the clock). `carried` tells what earlier loads have carried out: what has
    changed since becomes rows of its own, where a call for it exists. Without `people` and `members` the reader gives
    them one by one (its `people` and `strays`).
    GateError when people are still open to review.
    """
    given = settings(policy)
    source = Source(reader, given, now_ms if now_ms is not None else time.time_ns() // 1_000_000)
    context = Context(reader, source, given, decisions, losses if losses is not None else Losses())
    context.made = Made(reader, "application")
    for item in context.existing:
        if item.get("createdAt"):
            context.fingerprints.add(_fingerprint(item))
    persons = _Stored(reader) if people is None or members is None else _persons(people, members)
    _check_reviewed(persons, decisions, review=given.existing_candidates == "review")
    _check_complete(context, persons)
    _account_lists(context)
    context.owners = owners(context, persons, carried)
    yield from set_up(context, stands=carried.stands).rows
    for person in persons:
        known, earlier = dict(context.known), carried.of(person.person)
        yield from _fill_chain(Chain(person.person, known, earlier=earlier, stands=carried.stands), context, person)
    _account_deleted(context)


def _fingerprint(candidate: Item) -> tuple[str, str, int]:
    mail = clean((candidate.get("primaryEmailAddress") or {}).get("value")).casefold()
    return clean(candidate.get("name")).casefold(), mail, iso_to_ms(candidate["createdAt"])


def _persons(people: DataFrame, members: DataFrame) -> list[Person]:
    """All people by id."""
    contacts: dict[str, list[str]] = defaultdict(list)
    for member in members.to_dict("records"):
        contacts[str(member["person"])].append(str(member["contact"]))
    made = []
    for row in people.to_dict("records"):
        made.append(_person(row, contacts[str(row["person"])]))
    return sorted(made, key=lambda one: one.person)


@dataclass(frozen=True)
class _Stored:
    """All people by id, as often as they are asked for."""

    reader: Any

    def __iter__(self) -> Iterator[Person]:
        yield from (_person(row, contacts) for row, contacts in self.reader.people())


def _person(row: Item, contacts: list[str]) -> Person:
    person = str(row["person"])
    own = contacts or [person]
    ordered = [one for one in own if one == person] + sorted(one for one in own if one != person)
    ashby_id = clean(row.get("ashby_id")) if clean(row.get("match")) == "exists" else ""
    return Person(person, tuple(dict.fromkeys(ordered)), row, ashby_id)


def _check_reviewed(persons: Iterable[Person], decisions: Decisions, *, review: bool) -> None:
    """GateError names people whose match with an existing candidate still waits for a verdict."""
    undecided = [
        f"{one.person}|{one.ashby_id}" if one.ashby_id else one.person
        for one in persons
        if one.text("match") == "review" or (review and one.ashby_id and one.ashby_id not in decisions.confirmed)
    ]
    if undecided:
        raise GateError(
            f"{len(undecided)} people may already be candidates in Ashby: {', '.join(undecided[:10])}.",
            hint="Give each pair a verdict (same or different) in people.csv, and run the dedupe step again.",
        )


def _check_complete(context: Context, persons: Iterable[Person]) -> None:
    """GateError when Lever has contacts that no person stands for: nobody may be left out silently."""
    missing = context.reader.strays() if isinstance(persons, _Stored) else _strays(context, persons)
    if missing:
        raise GateError(
            f"{len(missing)} contacts of Lever belong to no person: {', '.join(missing[:10])}.",
            hint="The people are older than the extract: run the dedupe step again.",
        )


def _strays(context: Context, persons: Iterable[Person]) -> list[str]:
    known = {contact for one in persons for contact in one.contacts}
    return sorted({ident(one.get("contact")) for one in context.reader.all("opportunities")} - known)


def _fill_chain(chain: Chain, context: Context, person: Person) -> list[PlanRow]:
    """All rows of one person; none when nothing of them may move."""
    person, refused = fitted(context, person)
    moving = _moving(context, person)
    fates = candidacies(context, moving) if moving else []
    if not any(one.role != "skip" for one in fates):
        return []
    active = [one for one in fates if one.role != "skip"]
    found = answers(context, active)
    bare = not any(one.role == "application" for one in active)
    credit: Body = source_and_credit(context, active[-1].opportunity) if bare else {}
    stray = candidate_rows(chain, context, person, credit=credit)
    consent = _consent_text(active)
    details = other_details(person, [one.opportunity for one in active])
    others = "\n".join([*filter(None, [details]), *refused])
    value_row(chain, person, stray=stray, consent=consent, others=others, values=found.values(found.candidate))
    tag_rows(chain, context, person, [one.opportunity for one in active])
    notes = [*found.notes]
    moments: set[tuple[str, int]] = set()
    for one in active:
        if one.role == "application":
            values = found.values(found.applications.get(one.lever_id, {}))
            notes += application_rows(chain, context, one, values=values, moments=moments)
        elif not one.withheld:
            notes.append(opportunity_note(context, one))
    for one in active:
        notes += feedback_rows(chain, context, one)
        notes += _other_notes(context, one)
        _account_opportunity(context, one)
    _note_rows(chain, context, notes)
    file_rows(chain, context, active)
    return chain.rows


def _moving(context: Context, person: Person) -> list[Item]:
    """Opportunities of a person that may move, oldest first. One refusal of consent keeps the whole person out."""
    own = {contact: context.source.opportunities(contact) for contact in person.contacts}
    refusals = {
        rule for found in own.values() if not all(map(anonymised, found)) if (rule := context.source.refusal(found))
    }
    moving = []
    for opportunity in (one for found in own.values() for one in found):
        rule = context.source.never(opportunity) or (sorted(refusals)[0] if refusals else "")
        if opportunity["id"] in context.source.deleted:
            continue
        if rule:
            context.lose(
                "opportunity", "(opportunity)", lever_id=opportunity["id"], treatment="never", where="raw archive",
                reason=rule,
            )  # fmt: skip
        else:
            moving.append(opportunity)
    if not moving:
        rule = sorted(refusals)[0] if refusals else "nothing of the person may move"
        context.lose("contact", "(person)", lever_id=person.person, treatment="never", where="raw archive", reason=rule)
    return sorted(moving, key=age)


def _consent_text(active: list[Candidacy]) -> str:
    """The newest consent of each kind, in words; "" when Lever says nothing.

    A contact may tell kinds that no opportunity repeats (`interviewIntelligence`: recorded 2026).
    """
    said: dict[str, str] = {}
    for one in reversed(active):
        contact = one.opportunity.get("contact")
        for holder in (one.opportunity, contact if isinstance(contact, dict) else {}):
            for name, given in (holder.get("dataProtection") or {}).items():
                if isinstance(given, dict) and given.get("allowed") is not None:
                    until = f" until {stamp(given['expiresAt'])[:10]}" if given.get("expiresAt") else ""
                    said.setdefault(name, f"{name}: {'yes' if given['allowed'] else 'no'}{until}")
    kinds = [one for one in ("store", "contact") if one in said]
    return "; ".join(said[one] for one in [*kinds, *sorted(said.keys() - kinds)])


def _other_notes(context: Context, one: Candidacy) -> list[Note]:
    made = []
    for note in context.source.children("notes", one.opportunity):
        secret = bool(note.get("secret"))
        withheld = "secret in Lever" if secret and context.settings.secret_notes == "withhold" else ""
        withheld = withheld or ("of a confidential candidacy" if one.withheld else "")
        if note.get("deletedAt") or withheld:
            context.lose(
                "note", "(note)", lever_id=note["id"], treatment="never", where="raw archive",
                reason=f"{withheld}; withheld by policy" if withheld else "deleted in Lever",
            )  # fmt: skip
            continue
        head, text = thread(note, source=context.source, posting=one.posting)
        marker, of = f"Lever note {note['id']}", ("note", note["id"])
        made.append(one.note(int(note["createdAt"]), marker, of=of, head=head, text=text, private=secret))
        context.lose_layout("note", note["id"], note.get("fields") or [])
        context.lose(
            "note", "user", lever_id=note["id"], treatment="moved changed", where="first line of the note",
            reason="the author of a note is not writable",
        )  # fmt: skip
    return [*made, *interview_note(context, one), *offer_note(context, one)]


def _note_rows(chain: Chain, context: Context, notes: list[Note]) -> None:
    """All notes of a person by time; one that is too long is split and counted."""
    seen: dict[str, int] = defaultdict(int)
    limit = context.settings.note_limit
    taken = min(limit, context.lessons.note_chars or limit)
    for note in sorted(notes, key=lambda note: (note.created_ms, note.marker)):
        seen[note.marker] += 1
        again = f" ({seen[note.marker]})" if seen[note.marker] > 1 else ""
        lever_id = f"{note.lever_id}{again}"
        write = partial(_write_note, note, lever_id, again)
        parts = renewed(
            chain, note.lever_type, lever_id, part=note.part, text=note.text, limits=(taken, limit), write=write,
            former=context.source.former,
        )  # fmt: skip
        if parts > 1:
            context.lose(
                note.lever_type, "(text)", lever_id=note.lever_id, treatment="moved changed",
                where="several notes, numbered", reason="longer than the limit of one note",
            )  # fmt: skip


def _write_note(
    note: Note, lever_id: str, again: str, chain: Chain, text: str, limit: int, part: str, mark: str, said: str
) -> int:
    return add_note(
        chain, note.lever_type, lever_id, marker=f"{note.marker}{again}{mark}", head=note.head + said, text=text,
        created_ms=note.created_ms, private=note.private, limit=limit, part=part,
    )  # fmt: skip


def _account_opportunity(context: Context, one: Candidacy) -> None:
    opportunity = one.opportunity
    posting = context.source.postings.get(context.source.posting(opportunity), {})
    place = clean((posting.get("categories") or {}).get("location"))
    own = {"opportunityLocation": ""} if clean(opportunity.get("opportunityLocation")) == place else {}
    context.account("opportunity", {**opportunity, **own}, lever_id=opportunity["id"])
    if one.confidential:
        context.lose(
            "opportunity", "confidentiality", lever_id=one.lever_id, treatment="moved changed",
            where="its notes are withheld" if one.withheld else "its notes are private",
            reason="only a job can be confidential in Ashby, and no endpoint sets it",
        )  # fmt: skip
    if any(clean(phone.get("type")) for phone in opportunity.get("phones") or []):
        context.lose(
            "opportunity", "phones (type)", lever_id=one.lever_id, treatment="archived only", where="raw archive",
            reason="Ashby takes a number without saying whose line it is",
        )  # fmt: skip
    contact = opportunity.get("contact")
    if isinstance(contact, dict):
        context.account("contact", contact, lever_id=contact["id"])


def _account_lists(context: Context) -> None:
    for stream, lever_type in _SHORT_LISTS.items():
        for item in context.reader.all(stream):
            context.account(lever_type, item, lever_id=str(item.get("id") or clean(item.get("text"))))


def _account_deleted(context: Context) -> None:
    for lever_id in sorted(context.source.deleted):
        context.lose(
            "opportunity", "(opportunity)", lever_id=lever_id, treatment="never", where="raw archive",
            reason="deleted in Lever",
        )  # fmt: skip

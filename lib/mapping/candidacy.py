"""What becomes of each opportunity of a person: an application, a note, or nothing; and the rows of applications."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lib.mapping.context import Context
from lib.mapping.history import History, history, path_lines
from lib.mapping.jobs import POOL
from lib.mapping.later import application_changes, made_as
from lib.mapping.model import MARKERS, ORIGIN, Job
from lib.mapping.plan import Body, Chain, link
from lib.mapping.scan import credited
from lib.mapping.source import Item, age, clean, ident, stamp
from lib.normalize import ms_to_iso

MOVED = ("equal times", "createdAt moved", "stage changes were", "the current stage has no stage", "no stage changes")
"""Beginnings of changes that arrive in the history itself; the others are told in the note."""


@dataclass
class Candidacy:
    """One opportunity and its fate. `target` is the opportunity whose application takes its feedback, or "".

    `confidential`: its notes are private. `withheld`: they are not even written. `later`: it is a repeat that came
    after the candidacy that is the application.
    """

    opportunity: Item
    role: str
    job: Job | None
    target: str
    posting: str
    confidential: bool = False
    withheld: bool = False
    later: bool = False

    @property
    def lever_id(self) -> str:
        """The opportunity id."""
        return self.opportunity["id"]

    def told(self, where: str) -> dict[str, Any]:
        """Treatment and place of what a note tells; when notes of this candidacy are withheld, it stays behind."""
        if self.withheld:
            return {"treatment": "never", "where": "raw archive: confidential notes are withheld (policy)"}
        return {"treatment": "note", "where": where}

    def note(
        self, created_ms: int, marker: str, *, of: tuple[str, str], head: str, text: str, private: bool = False,
        part: str = "",
    ) -> Note:  # fmt: skip
        """A note about this candidacy, `of` (Lever type, id): private when the candidacy is confidential."""
        return Note(created_ms, marker, *of, head, text, private or self.confidential, part)


@dataclass(frozen=True)
class Note:
    """A candidate note that is still to be written; notes are ordered by time when all are known."""

    created_ms: int
    marker: str
    lever_type: str
    lever_id: str
    head: str
    text: str
    private: bool = False
    part: str = ""
    """What the row id ends with, where one object may have notes of several kinds."""


def candidacies(context: Context, opportunities: list[Item]) -> list[Candidacy]:
    """The fate of each opportunity, oldest first. Of several on one job the active one is the application.

    If none is active, the one that ended in a hire is; of equals the newest. Once a load has made an application, its
    opportunity keeps it, whatever comes later.
    """
    made = [_candidacy(context, opportunity) for opportunity in opportunities]
    if context.settings.repeat_candidacy == "application":
        return made
    groups: dict[str, list[Candidacy]] = {}
    for one in made:
        if one.job:
            groups.setdefault(one.job.key, []).append(one)
    for group in (group for group in groups.values() if len(group) > 1):
        best = max(group, key=lambda one: (_RANK[context.source.state(one.opportunity)], age(one.opportunity)))
        stands = [one for one in group if one.lever_id in context.made] or [best]
        for place, one in enumerate(group):
            if one not in stands:
                one.role, one.target, one.later = "repeat", stands[-1].lever_id, place > group.index(stands[-1])
                _lose_repeat(context, one, by=context.source.state(best.opportunity) if best in stands else "loaded")
    return made


_RANK = {"active": 2, "hired": 1, "archived": 0}
_WHY = {
    "active": "another candidacy of the same person on the same job is active: that is the application (policy)",
    "hired": "another candidacy of the same person on the same job ended in a hire: that is the application (policy)",
    "archived": "a newer candidacy of the same person on the same job is the application (policy)",
    "loaded": "an earlier candidacy of the same person on the same job has the application already (policy)",
}
"""Why a candidacy is no application, by the state of the one that is."""


def _lose_repeat(context: Context, one: Candidacy, *, by: str) -> None:
    context.lose(
        "opportunity", "(repeat candidacy)", lever_id=one.lever_id, reason=_WHY[by],
        **one.told('"Lever opportunity" note; feedback on the one application'),
    )  # fmt: skip


def _candidacy(context: Context, opportunity: Item) -> Candidacy:
    source = context.source
    posting = source.posting(opportunity)
    job = context.decisions.jobs.get(posting) if posting else None
    policy = context.settings.without_posting
    confidential = source.confidential(opportunity)
    withheld = confidential and context.settings.secret_notes == "withhold"
    if job is None and policy == "talent_pool":
        job = context.decisions.talent_pool
    role = "application" if job else "skip" if policy == "archive_only" else "note"
    target = opportunity["id"] if job else ""
    one = Candidacy(opportunity, role, job, target, source.title(posting), confidential, withheld)
    if job is None:
        archived = {"treatment": "archived only", "where": "raw archive"}
        context.lose(
            "opportunity", "(no job)", lever_id=one.lever_id,
            reason="without posting in Lever (policy)" if not posting else "its posting was skipped (verdict)",
            **(archived if role == "skip" else one.told('"Lever opportunity" note')),
        )  # fmt: skip
    return one


def application_rows(
    chain: Chain, context: Context, one: Candidacy, *, values: list[Body], moments: set[tuple[str, int]]
) -> list[Note]:
    """application.create with its history, then its marker and answers; returns the history note if one is needed."""
    assert one.job is not None
    plan = context.decisions.plans[one.job.plan_id]
    past = history(one.opportunity, plan, decisions=context.decisions, source=context.source)
    created = past.created_ms
    while (one.job.key, created) in moments:
        created -= 1
    if created != past.created_ms:
        context.lose(
            "opportunity", "createdAt", lever_id=one.lever_id, treatment="moved changed",
            where="application.createdAt", reason="same job and moment as another candidacy: moved by a millisecond",
        )  # fmt: skip
    moments.add((one.job.key, created))
    gives = f"application:{one.lever_id}"
    body = {
        "candidateId": link(f"candidate:{chain.person}"),
        "jobId": link(f"job:{one.job.posting or POOL}"),
        "interviewPlanId": plan.ashby_id,
        **source_and_credit(context, one.opportunity),
        "createdAt": ms_to_iso(created),
        "applicationHistory": past.body(),
    }
    if not past.events:
        del body["applicationHistory"]
    made = made_as(chain, f"application.create/opportunity/{one.lever_id}", body)
    chain.add("application.create", "opportunity", one.lever_id, body=made, gives=gives)
    application_changes(chain, context, one.lever_id, body)
    marker = {"fieldId": link(f"custom_field:Application:{MARKERS['Application']}"), "fieldValue": one.lever_id}
    chain.add(
        "customField.setValues", "opportunity", one.lever_id,
        body={"objectId": link(gives), "objectType": "Application", "values": [marker, *values, *_origin(one)]},
    )  # fmt: skip
    _count_changes(context, one, past)
    return _history_note(context, one, past)


def _origin(one: Candidacy) -> list[Body]:
    text = clean(one.opportunity.get("origin"))
    return [{"fieldId": link(f"custom_field:Application:{ORIGIN}"), "fieldValue": text}] if text else []


def source_and_credit(context: Context, opportunity: Item) -> Body:
    """sourceId and creditedToUserId, where Ashby has a counterpart. Credit is never given to somebody else."""
    body: Body = {}
    source_id = next((found for _, found in _sources(context, opportunity) if found), "")
    if source_id:
        body["sourceId"] = source_id
    user = context.decisions.users.get(ident(credited(context.source, opportunity)[1]), "")
    if user:
        body["creditedToUserId"] = user
    return body


def _sources(context: Context, opportunity: Item) -> list[tuple[str, str]]:
    """(text, Ashby id or "") of each source; the origin stands in when there is none."""
    names = [clean(name) for name in opportunity.get("sources") or [] if clean(name)]
    names = names or [f"origin:{opportunity.get('origin') or 'none'}"]
    return [(name, context.decisions.sources.get(name, "")) for name in names]


def fact_lines(context: Context, opportunity: Item) -> list[str]:
    """Who and where from, as lines of a note."""
    source = context.source
    role, user = credited(source, opportunity)
    lines = [f"Origin: {clean(opportunity.get('origin')) or 'not recorded'}"]
    names = [clean(name) for name in opportunity.get("sources") or [] if clean(name)]
    if names:
        lines.append("Sources: " + "; ".join(names))
    if ident(user) and role != "owner":
        lines.append(f"{role.capitalize()}: {source.who(user)}")
    if ident(opportunity.get("owner")):
        lines.append(f"Owner: {source.who(opportunity['owner'])}")
    return lines


def _count_changes(context: Context, one: Candidacy, past: History) -> None:
    for change in sorted(set(past.changes)):
        moved = change.startswith(MOVED)
        arrives = {"treatment": "moved changed", "where": "applicationHistory"}
        fate = arrives if moved else one.told('"Lever history" note')
        context.lose("opportunity", "stageChanges", lever_id=one.lever_id, reason=change, **fate)


def _history_note(context: Context, one: Candidacy, past: History) -> list[Note]:
    missing = list(_unsaid(context, one.opportunity))
    for name, reason in missing:
        context.lose("opportunity", name, lever_id=one.lever_id, reason=reason, **one.told('"Lever history" note'))
    if one.withheld or (not missing and not past.changes):
        return []
    return [_note_of(context, one, kind="history")]


def _unsaid(context: Context, opportunity: Item) -> Iterable[tuple[str, str]]:
    """(attribute, reason) of what neither source nor credit of the application can say."""
    sources = _sources(context, opportunity)
    if not any(found for _, found in sources):
        if opportunity.get("sources"):
            yield "sources", "no counterpart in Ashby (verdict none)"
    elif len(sources) > 1:
        yield "sources", "an application has one source"
    role, user = credited(context.source, opportunity)
    mapped = context.decisions.users.get(ident(user), "")
    if ident(user) and not mapped:
        name = {"sourced by": "sourcedBy", "referred by": "applications"}.get(role, "owner")
        yield name, "the user has no Ashby user; nobody else gets the credit"
    if role != "owner" and ident(opportunity.get("owner")) and ident(opportunity["owner"]) != ident(user):
        yield "owner", "an application has no owner; the credit goes to who brought the candidate"


def opportunity_note(context: Context, one: Candidacy) -> Note:
    """The whole opportunity as a note, where it becomes no application."""
    return _note_of(context, one, kind="opportunity")


def _note_of(context: Context, one: Candidacy, *, kind: str) -> Note:
    opportunity = one.opportunity
    path = path_lines(opportunity, context.source)
    created = stamp(opportunity["createdAt"])
    head = f"Lever {kind}, {one.posting}, candidacy of {created}"
    lines = ["Stages:", *path, *fact_lines(context, opportunity)]
    if kind == "opportunity":
        tags = [clean(tag) for tag in opportunity.get("tags") or [] if clean(tag)]
        lines += ["Tags: " + "; ".join(tags)] * bool(tags)
    return one.note(
        _last_moment(opportunity), f"Lever {kind} {one.lever_id}", of=("opportunity", one.lever_id), head=head,
        text="\n".join(lines), part=kind,
    )  # fmt: skip


def _last_moment(opportunity: Item) -> int:
    changes = [change.get("updatedAt") or 0 for change in opportunity.get("stageChanges") or []]
    archived = (opportunity.get("archived") or {}).get("archivedAt") or 0
    return int(max([opportunity["createdAt"], archived, *changes]))

"""Stage history of an opportunity, as Ashby's `applicationHistory` can say it, and what it cannot say.

Nothing is invented: each event is a stage change of Lever, its current stage, or its archiving.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lib.errors import ContractError
from lib.mapping.model import HIRED, Decisions, Plan
from lib.mapping.source import Item, Source, ident, stamp
from lib.normalize import ms_to_iso


@dataclass(frozen=True)
class Move:
    """One stage change in Lever."""

    stage: str
    at_ms: int
    user: str = ""


@dataclass
class Event:
    """One entry of `applicationHistory`."""

    stage_id: str
    at_ms: int
    reason_id: str = ""


@dataclass
class History:
    """The events Ashby takes; the whole path as text lines; and the changes: (what, where it goes instead)."""

    events: list[Event] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    created_ms: int = 0

    def body(self) -> list[dict[str, object]]:
        """`applicationHistory` of `application.create`."""
        made = []
        for number, event in enumerate(self.events):
            entry: dict[str, object] = {
                "stageId": event.stage_id, "stageNumber": number, "enteredStageAt": ms_to_iso(event.at_ms),
            }  # fmt: skip
            made.append(entry | ({"archiveReasonId": event.reason_id} if event.reason_id else {}))
        return made


def moves(opportunity: Item) -> tuple[list[Move], list[str]]:
    """(stage changes by time, what was unusual); the current stage is added when no change leads to it."""
    found = [
        Move(ident(change.get("toStageId")), int(change["updatedAt"]), ident(change.get("userId")))
        for change in opportunity.get("stageChanges") or []
        if change.get("updatedAt") is not None
    ]
    ordered = sorted(found, key=lambda move: move.at_ms)
    unusual = ["stage changes were not in order of time"] if ordered != found else []
    current = ident(opportunity.get("stage"))
    if current and (not ordered or ordered[-1].stage != current):
        last = ordered[-1].at_ms if ordered else opportunity["createdAt"]
        at = opportunity.get("lastAdvancedAt") if ordered else opportunity["createdAt"]
        ordered.append(Move(current, max(int(at or last), last)))
        unusual.append("the current stage has no stage change; its time is lastAdvancedAt" if found else
                       "no stage changes; the current stage stands at createdAt")  # fmt: skip
    return ordered, unusual


def history(opportunity: Item, plan: Plan, *, decisions: Decisions, source: Source) -> History:
    """The history of one opportunity in one interview plan."""
    ordered, unusual = moves(opportunity)
    made = History(changes=list(unusual), created_ms=opportunity["createdAt"])
    if _timeless(opportunity):
        made.changes.append("a stage change without a time")
    archived_ms, posting = archived_at(opportunity), source.posting(opportunity)
    for move in ordered:
        stage_id = decisions.stage(plan.ashby_id, posting, move.stage)
        _place(made, move, stage_id=stage_id, source=source, archived_ms=archived_ms)
    if opportunity.get("archived"):
        _archive(made, opportunity, plan=plan, reasons=decisions.archive_reasons, source=source)
    elif ordered and not decisions.stage(plan.ashby_id, posting, ordered[-1].stage):
        made.changes.append("the current stage has no counterpart; the application stays in the stage before")
    if not made.events:
        _start(made, plan)
    _strictly_later(made)
    if made.events and made.events[0].at_ms < made.created_ms:
        made.created_ms = made.events[0].at_ms
        made.changes.append("createdAt moved to the first stage change, which is earlier")
    return made


def archived_at(opportunity: Item) -> int | None:
    """When the opportunity was archived; its last known activity when Lever keeps no date; None when it is active."""
    archived = opportunity.get("archived")
    if not archived:
        return None
    at = archived.get("archivedAt") or opportunity.get("lastInteractionAt") or opportunity.get("updatedAt")
    return int(at or opportunity["createdAt"])


def path_lines(opportunity: Item, source: Source) -> list[str]:
    """The whole path of an opportunity in Lever, one line per event, movers named."""
    lines = []
    for move in moves(opportunity)[0]:
        by = f", by {source.who(move.user)}" if move.user else ""
        lines.append(f"{stamp(move.at_ms)}: {source.stage(move.stage)}{by}")
    lines += [f"{stamp(None)}: {source.stage(change.get('toStageId'))}" for change in _timeless(opportunity)]
    if opportunity.get("archived"):
        reason = source.reasons.get(source.reason(opportunity), {})
        text = reason.get("text") or f"reason {source.reason(opportunity)}"
        lines.append(f"{stamp(archived_at(opportunity))}: archived ({text})")
    return lines


def _timeless(opportunity: Item) -> list[Item]:
    """Stage changes that Lever gives without a time: they have no place in a history."""
    return [one for one in opportunity.get("stageChanges") or [] if one.get("updatedAt") is None]


def _place(made: History, move: Move, *, stage_id: str, source: Source, archived_ms: int | None) -> None:
    if move.user:
        made.changes.append("who moved the candidate cannot be written")
    if not stage_id:
        made.changes.append(
            "a stage without counterpart" if move.stage in source.stages else "a stage that Lever no longer has"
        )
    elif archived_ms is not None and move.at_ms > archived_ms:
        made.changes.append("a stage change after the archiving")
    elif made.events and made.events[-1].stage_id == stage_id:
        made.changes.append("two Lever stages in a row are one stage in Ashby; the first time stands")
    else:
        made.events.append(Event(stage_id, move.at_ms))


def _archive(made: History, opportunity: Item, *, plan: Plan, reasons: Mapping[str, str], source: Source) -> None:
    reason_id = reasons.get(source.reason(opportunity), "")
    hired = reason_id == HIRED
    stage = plan.first("Hired" if hired else "Archived")
    at = archived_at(opportunity)
    if not opportunity["archived"].get("archivedAt"):
        made.changes.append("archived without a date; the last activity stands for it")
    if not reason_id:
        raise ContractError(
            f"Opportunity {opportunity['id']} is archived for the reason {source.reason(opportunity)!r}, and "
            "archive_reasons.csv has no verdict for it: it would arrive as active.",
            hint="Run 04_map again; if it says so again, this is a fault of the workbook.",
        )
    if stage is None or at is None:
        made.changes.append("the archiving has no counterpart")
        return
    if hired and made.events and made.events[-1].stage_id == stage.ashby_id:
        made.changes.append("the stage before the hire already is the Hired stage; its time stands")
        return
    made.events.append(Event(stage.ashby_id, at, "" if hired else reason_id))


def _start(made: History, plan: Plan) -> None:
    first = plan.first("Lead", "PreInterviewScreen", "Active")
    if first:
        made.events.append(Event(first.ashby_id, made.created_ms))
        made.changes.append("no stage of Lever has a counterpart; the application starts in the first stage")


def _strictly_later(made: History) -> None:
    """Make times strictly increasing: Ashby's order of equal times is not documented."""
    for before, event in zip(made.events, made.events[1:], strict=False):
        if event.at_ms <= before.at_ms:
            event.at_ms = before.at_ms + 1
            made.changes.append("equal times: moved by a millisecond each")

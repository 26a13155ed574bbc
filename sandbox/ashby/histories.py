"""Application histories: what a list of stage events must look like before it is taken."""

from __future__ import annotations

from itertools import pairwise

from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.records import Application, Event, Json
from sandbox.ashby.state import State, check_in_use, find, new_id, plan_stages

FIRST_SCREEN = "FirstPreInterviewScreen"
"""Literal accepted as ``interviewStageId`` of ``application.create`` (vendor contract)."""


def find_stage(state: State, plan_id: str, stage_id: str) -> Json:
    """Return a stage of a plan or refuse."""
    stage: Json = find(state, "stages", stage_id, "interview_stage_not_found")
    if stage["interviewPlanId"] != plan_id:
        raise RefusedError("interview_stage_not_found", "the stage belongs to another interview plan")
    return stage


def check_reason(state: State, stage: Json, reason_id: str | None, member: str) -> None:
    """Demand an archive reason on an Archived stage, and only there (vendor contract)."""
    if stage["type"] == "Archived":
        if reason_id is None:
            raise invalid(f"{member}: required with a stage of type Archived")
        check_in_use(state, find(state, "archive_reasons", reason_id, "archive_reason_not_found"), member)
    elif reason_id is not None:
        raise invalid(f"{member}: only with a stage of type Archived")


def first_stage(state: State, plan_id: str, kind: str) -> Json:
    """Return the first stage of a type in a plan."""
    for stage in plan_stages(state, plan_id):
        if stage["type"] == kind:
            return stage
    raise RefusedError("interview_stage_not_found", f"the plan has no stage of type {kind}")


def start_stage(state: State, plan_id: str, wanted: str | None) -> Json:
    """Return the stage a new application starts in: the first Lead stage unless another is named."""
    if wanted is None:
        return first_stage(state, plan_id, "Lead")
    if wanted == FIRST_SCREEN:
        return first_stage(state, plan_id, "PreInterviewScreen")
    stage = find_stage(state, plan_id, wanted.lower())
    check_reason(state, stage, None, "archiveReasonId")
    return stage


def read_events(
    state: State, plan_id: str, given: list[Json], *, created_ms: int, actor: str, known: dict[str, Event] | None = None
) -> list[Event]:
    """Return the events of a submitted history in order, or refuse it.

    Vendor contract: stages of the application's plan, ``stageNumber`` from 0, archive reason rules.
    Guesses: numbers without gaps, nothing in the future; and by the switches ``history_order``,
    ``equal_history_times`` and ``history_before_creation`` times never decreasing, equal ones taken, nothing
    before the application. Whether the last event may be left out, although its ``allowedActions`` lack ``delete``,
    says ``history_deletes``.
    """
    ordered = sorted(given, key=lambda item: item["stageNumber"])
    if [item["stageNumber"] for item in ordered] != list(range(len(ordered))):
        raise invalid("applicationHistory: stageNumber must run from 0 without gaps")
    for item in ordered:
        stage = find_stage(state, plan_id, item["stageId"])
        check_reason(state, stage, item.get("archiveReasonId"), "applicationHistory.archiveReasonId")
        item["enteredStageAt"] = state.past(item["enteredStageAt"], "applicationHistory.enteredStageAt")
    steps = [later["enteredStageAt"] - earlier["enteredStageAt"] for earlier, later in pairwise(ordered)]
    if min(steps, default=1) < 0 and state.decides("history_order") == "refuse":
        raise invalid("applicationHistory: enteredStageAt must not decrease")
    if 0 in steps and state.decides("equal_history_times") == "refuse":
        raise invalid("applicationHistory: enteredStageAt must increase")
    if ordered[0]["enteredStageAt"] < created_ms and state.decides("history_before_creation") == "refuse":
        raise invalid("applicationHistory: enteredStageAt must not be before createdAt")
    events = [_event(item, actor=actor, known=known) for item in ordered]
    last = next(reversed(known), None) if known else None
    lacks_last = last not in (None, *(event.id for event in events))
    if lacks_last and state.decides("history_deletes") == "allowed":
        raise invalid("applicationHistory: the last event must not be deleted")
    return events


def _event(item: Json, *, actor: str, known: dict[str, Event] | None) -> Event:
    """Make an event, keeping id and actor of an existing one that is named."""
    event_id = item.get("applicationHistoryId")
    if event_id is None:
        return Event(new_id(), item["stageId"], item["enteredStageAt"], item.get("archiveReasonId"), actor)
    if known is None or event_id not in known:
        raise RefusedError("application_history_not_found", "applicationHistoryId: no such event of this application")
    return Event(event_id, item["stageId"], item["enteredStageAt"], item.get("archiveReasonId"), known[event_id].actor)


def enter(state: State, application: Application, stage: Json, *, reason_id: str | None, actor: str) -> None:
    """Append an event: now, in a stage."""
    application.events.append(Event(new_id(), stage["id"], state.now(), reason_id, actor))

"""Interview schedules, their events, briefings, and requests for feedback without a schedule."""

from __future__ import annotations

from typing import Any

from sandbox.ashby import views, webhooks
from sandbox.ashby.candidates import time_window
from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Json
from sandbox.ashby.state import State, find, find_application, iso, new_id, sees_application


def _events(state: State, schedule: Json) -> list[Json]:
    """Return the events of a schedule that were not cancelled."""
    return [event for event in state.interview_events.values() if event["scheduleId"] == schedule["id"]]


def show_event(state: State, event: Json, *, expand: bool = False) -> Json:
    """Show an interview event."""
    interviewers = [
        {
            **state.users[entry["userId"]],
            "isFeedbackRequired": entry["feedbackRequired"],
            "trainingRole": None,
            "interviewerPool": None,
        }
        for entry in event["interviewers"]
    ]
    shown = {
        "id": event["id"],
        "interviewId": event["interviewId"],
        "interviewScheduleId": event["scheduleId"],
        "interviewerUserIds": [entry["userId"] for entry in event["interviewers"]],
        "interviewers": interviewers,
        **{name: iso(event[name]) for name in ("createdAt", "updatedAt", "startTime", "endTime")},
        "feedbackLink": f"https://app.ashbyhq.com/interview-briefings/{event['id']}/feedback",
        "location": None,
        "meetingLink": None,
        "hasSubmittedFeedback": bool(event["submitted"]),
        "extraData": event["extraData"],
    }
    if expand:
        shown["interview"] = state.interviews[event["interviewId"]]
    return shown


def _status(state: State, schedule: Json) -> str:
    """Return the status of a schedule by the time of its events and the feedback that is there (guess)."""
    if schedule["cancelled"]:
        return "Cancelled"
    events = _events(state, schedule)
    if not events:
        return "NeedsScheduling"
    if max(event["endTime"] for event in events) > state.now():
        return "Scheduled"
    missing = [
        entry
        for event in events
        for entry in event["interviewers"]
        if entry["feedbackRequired"] and entry["userId"] not in event["submitted"]
    ]
    return "WaitingOnFeedback" if missing else "Complete"


def show_schedule(state: State, schedule: Json) -> Json:
    """Show an interview schedule with its events."""
    return {
        "id": schedule["id"],
        "status": _status(state, schedule),
        "applicationId": schedule["applicationId"],
        "interviewStageId": schedule["interviewStageId"],
        "scheduledBy": state.users[schedule["userId"]],
        "createdAt": iso(schedule["createdAt"]),
        "updatedAt": iso(schedule["updatedAt"]),
        "interviewEvents": [show_event(state, event) for event in _events(state, schedule)],
    }


def find_schedule(state: State, schedule_id: str, call: Call) -> Json:
    """Return a schedule of an application this key may see."""
    schedule: Json = find(state, "schedules", schedule_id, "interview_schedule_not_found")
    if not sees_application(state, state.applications[schedule["applicationId"]], call):
        raise RefusedError("interview_schedule_not_found", "schedule not found or not visible to this key")
    return schedule


def list_schedules(state: State, body: Json, call: Call) -> Page:
    """List schedules, of one application or stage or of all."""
    after, before = time_window(state, body)

    def keep(item: Json) -> bool:
        return (
            after <= item["createdAt"] <= before
            and body.get("applicationId") in (None, item["applicationId"])
            and body.get("interviewStageId") in (None, item["interviewStageId"])
            and sees_application(state, state.applications[item["applicationId"]], call)
        )

    return paginate(
        state,
        "interviewSchedule.list",
        body=body,
        items=state.schedules.values(),
        render=lambda item: show_schedule(state, item),
        keep=keep,
        key=lambda item: item["id"],
    )


def list_events(state: State, body: Json, call: Call) -> Page:
    """List the events of a schedule."""
    after, before = time_window(state, body)
    schedule = find_schedule(state, body["interviewScheduleId"], call)
    return paginate(
        state,
        "interviewEvent.list",
        body=body,
        items=_events(state, schedule),
        render=lambda item: show_event(state, item, expand="interview" in body.get("expand", [])),
        keep=lambda item: after <= item["createdAt"] <= before,
        key=lambda item: item["id"],
    )


def _interviewers(state: State, given: list[Json]) -> list[Json]:
    """Return the interviewers of a body; each is named by the address of an enabled user (code is a guess)."""
    known = {user.get("email", "").lower(): user["id"] for user in state.users.values() if user["isEnabled"]}
    entries = []
    for entry in given:
        user_id = known.get(entry["email"].strip().lower())
        if user_id is None:
            raise RefusedError("user_not_found", "interviewers: no enabled user has this address")
        entries.append({"userId": user_id, "feedbackRequired": entry.get("feedbackRequired", False)})
    return entries


def make_event(state: State, schedule: Json, given: Json, known: Json | None = None) -> Json:
    """Make an event of a schedule, or the new form of a known one."""
    if given["endTime"] <= given["startTime"]:
        raise invalid("interviewEvent.endTime: not after startTime")
    interview_id = given.get("interviewId") or (known or {}).get("interviewId") or next(iter(state.interviews))
    find(state, "interviews", interview_id, "interview_not_found")
    now = state.now()
    base = known or {"id": new_id(), "createdAt": now, "submitted": [], "extraData": None}
    return {
        **base,
        "scheduleId": schedule["id"],
        "interviewId": interview_id,
        "interviewers": _interviewers(state, given["interviewers"]),
        "startTime": given["startTime"],
        "endTime": given["endTime"],
        "extraData": given.get("extraData", base["extraData"]),
        "updatedAt": now,
    }


def _save(state: State, schedule: Json, call: Call, *, action: str) -> Json:
    schedule["updatedAt"] = state.now()
    state.touch(schedule["id"], *(event["id"] for event in _events(state, schedule)))
    call.notified = True
    for kind in dict.fromkeys((action, "interviewScheduleUpdate")):
        webhooks.publish(state, kind, lambda: {"interviewSchedule": show_schedule(state, schedule)})
    return show_schedule(state, schedule)


def _new_schedule(state: State, application_id: str, call: Call) -> Json:
    item, now = find_application(state, application_id, call), state.now()
    return {
        "id": new_id(),
        "applicationId": item.id,
        "interviewStageId": item.events[-1].stage_id,
        "userId": call.actor,
        "key": call.key.title,
        "cancelled": False,
        "createdAt": now,
        "updatedAt": now,
    }


def create(state: State, body: Json, call: Call) -> Any:
    """Schedule interviews in the stage the application is in; it may invite people (guess)."""
    schedule = _new_schedule(state, body["applicationId"], call)
    events = [make_event(state, schedule, given) for given in body["interviewEvents"]]
    state.schedules[schedule["id"]] = schedule
    state.interview_events.update({event["id"]: event for event in events})
    return _save(state, schedule, call, action="interviewScheduleCreate")


def update(state: State, body: Json, call: Call) -> Any:
    """Add, change or cancel events of a schedule that the same key made (vendor contract)."""
    schedule = find_schedule(state, body["interviewScheduleId"], call)
    if schedule["key"] != call.key.title:
        raise RefusedError("interview_schedule_not_found", "the schedule was not made with this API key")
    if "interviewEvent" in body:
        events = [make_event(state, schedule, slot, _known(state, schedule, slot)) for slot in body["interviewEvent"]]
        state.interview_events.update({event["id"]: event for event in events})
    else:
        for event_id in body["interviewEventIdToCancel"]:
            _cancel(state, schedule, event_id, forget=body.get("allowFeedbackDeletion", False))
    return _save(state, schedule, call, action="interviewScheduleUpdate")


def _known(state: State, schedule: Json, slot: Json) -> Json | None:
    """Return the event that a slot changes."""
    if "interviewEventId" not in slot:
        return None
    event: Json = find(state, "interview_events", slot["interviewEventId"], "interview_event_not_found")
    if event["scheduleId"] != schedule["id"]:
        raise RefusedError("interview_event_not_found", "the event belongs to another schedule")
    return event


def _cancel(state: State, schedule: Json, event_id: str, *, forget: bool) -> None:
    """Cancel an event; its feedback goes with it, and only when that is allowed (vendor contract)."""
    event = _known(state, schedule, {"interviewEventId": event_id})
    assert event is not None
    lost = [entry for entry in state.feedback.values() if entry.interview_event == event_id]
    if lost and not forget:
        raise invalid("allowFeedbackDeletion: the event has feedback")
    for entry in lost:
        state.applications[entry.application].feedback.remove(entry.id)
        del state.feedback[entry.id]
    del state.interview_events[event_id]


def cancel(state: State, body: Json, call: Call) -> Any:
    """Cancel a whole schedule."""
    schedule = find_schedule(state, body["id"], call)
    schedule["cancelled"] = True
    return _save(state, schedule, call, action="interviewScheduleUpdate")


def request_feedback(state: State, body: Json, call: Call) -> Any:
    """Ask a user for feedback without scheduling; the interview must be one that asks for it (vendor contract)."""
    interview = find(state, "interviews", body["interviewId"], "interview_not_found")
    user = find(state, "users", body["interviewerUserId"], "user_not_found")
    if not interview["isFeedbackRequested"]:
        raise invalid("interviewId: the interview does not ask for feedback")
    schedule = _new_schedule(state, body["applicationId"], call)
    now = schedule["createdAt"]
    slot = {"startTime": now, "endTime": now + 1, "interviewId": interview["id"], "interviewers": []}
    event = make_event(state, schedule, slot)
    event["interviewers"] = [{"userId": user["id"], "feedbackRequired": True}]
    state.schedules[schedule["id"]], state.interview_events[event["id"]] = schedule, event
    state.touch(schedule["id"], event["id"])
    call.notified = True
    return {
        "interviewEventId": event["id"],
        "interviewerUserId": user["id"],
        "applicationId": schedule["applicationId"],
    }


def briefing(state: State, body: Json, call: Call) -> Any:
    """Return what an interviewer of an event has to know."""
    event = find(state, "interview_events", body["interviewEventId"], "interview_event_not_found")
    schedule = find_schedule(state, event["scheduleId"], call)
    item = state.applications[schedule["applicationId"]]
    interview = state.interviews[event["interviewId"]]
    form = state.forms[interview["feedbackFormDefinitionId"]]
    expand = body.get("expand", [])
    everything = {
        "feedbackFormDefinition": lambda: form,
        "application": lambda: views.application(state, item, call),
        "candidate": lambda: views.candidate(state, state.candidates[item.candidate], call),
        "job": lambda: views.job(state, state.jobs[item.job], call),
        "interview": lambda: interview,
    }
    return {
        "id": event["id"],
        "applicationId": item.id,
        "interviewId": interview["id"],
        "interviewStageId": schedule["interviewStageId"],
        "interviewers": [
            _interviewer(state, event, entry, full="interviewers" in expand) for entry in event["interviewers"]
        ],
        "hasSubmittedFeedback": bool(event["submitted"]),
        "feedbackFormDefinitionId": form["id"],
        **{name: make() for name, make in everything.items() if name in expand},
    }


def _interviewer(state: State, event: Json, entry: Json, *, full: bool) -> Json:
    shown = {
        "userId": entry["userId"],
        "isFeedbackRequired": entry["feedbackRequired"],
        "hasSubmittedFeedback": entry["userId"] in event["submitted"],
        "trainingRole": None,
    }
    return {**shown, "user": state.users[entry["userId"]]} if full else shown


HANDLERS = {
    "interviewSchedule.list": list_schedules,
    "interviewSchedule.create": create,
    "interviewSchedule.update": update,
    "interviewSchedule.cancel": cancel,
    "interviewEvent.list": list_events,
    "interviewBriefing.info": briefing,
    "applicationFeedbackRequest.create": request_feedback,
}

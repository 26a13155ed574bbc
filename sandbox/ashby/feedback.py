"""``applicationFeedback.*``."""

from __future__ import annotations

from typing import Any

from sandbox.ashby import views
from sandbox.ashby.candidates import time_window
from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Feedback, Json
from sandbox.ashby.state import State, find, find_application, new_id, sees_application
from sandbox.ashby.values import check_answer


def form_fields(definition: Json) -> dict[str, Json]:
    """Return the fields of a form definition by path, each with ``isRequired``."""
    return {
        entry["field"]["path"]: {**entry["field"], "isRequired": entry["isRequired"]}
        for section in definition["sections"]
        for entry in section["fields"]
    }


def read_answers(definition: Json, submissions: list[Json], *, where: str) -> Json:
    """Return the answers by path, or refuse unknown paths, wrong types and missing required fields."""
    fields = form_fields(definition)
    values: Json = {}
    for item in submissions:
        field = fields.get(item["path"])
        if field is None:
            raise invalid(f"{where}: the form has no field {item['path']}")
        if item["path"] in values:
            raise invalid(f"{where}: {item['path']} twice")
        options = [option["value"] for option in field.get("selectableValues", [])]
        check_answer(field["type"], item["value"], options, where=f"{where}.{item['path']}")
        values[item["path"]] = item["value"]
    for path, field in fields.items():
        if field["isRequired"] and values.get(path) in (None, ""):
            raise invalid(f"{where}: {path} is required")
    return values


def _author(state: State, body: Json, call: Call) -> str:
    """Return whom the feedback is credited to; deactivated users are refused (switch ``feedback_author``)."""
    if "userId" not in body:
        return call.actor
    user = find(state, "users", body["userId"], "user_not_found")
    if not user["isEnabled"] and state.decides("feedback_author") == "enabled":
        raise invalid("userId: the user is deactivated")
    return str(user["id"])


def _event(state: State, body: Json, application_id: str) -> str | None:
    """Return the interview event of a body: of this application, with the named user interviewing (vendor contract)."""
    event_id = body.get("interviewEventId")
    if event_id is None:
        return None
    event = find(state, "interview_events", event_id, "interview_event_not_found")
    if state.schedules[event["scheduleId"]]["applicationId"] != application_id:
        raise RefusedError("interview_event_not_found", "the interview event belongs to another application")
    if body.get("userId") not in [entry["userId"] for entry in event["interviewers"]]:
        raise invalid("userId: must be an interviewer of the event")
    return str(event_id)


def submit(state: State, body: Json, call: Call) -> Any:
    """Add feedback to an application, submitted now."""
    item = find_application(state, body["applicationId"], call)
    form = find(state, "forms", body["formDefinitionId"], "feedback_form_definition_not_found")
    if form["isArchived"]:
        raise invalid("formDefinitionId: archived")
    event_id = _event(state, body, item.id)
    author = _author(state, body, call)
    values = read_answers(form["formDefinition"], body["feedbackForm"]["fieldSubmissions"], where="feedbackForm")
    entry = Feedback(new_id(), item.id, form["id"], values, author, state.now(), item.events[-1].id, event_id)
    if event_id is not None:
        state.interview_events[event_id]["submitted"].append(author)
    state.feedback[entry.id] = entry
    item.feedback.append(entry.id)
    state.touch(entry.id)
    state.save_application(item)
    return {
        "submittedFormInstance": {
            "id": entry.id,
            "formDefinition": form["formDefinition"],
            "submittedValues": values,
        }
    }


def list_feedback(state: State, body: Json, call: Call) -> Page:
    """List submitted feedback, of one application or of all."""
    after, _before = time_window(state, body)
    if "applicationId" in body:
        wanted = find_application(state, body["applicationId"], call)
        items: list[Feedback] = [state.feedback[key] for key in wanted.feedback]
    else:
        items = list(state.feedback.values())
    return paginate(
        state,
        "applicationFeedback.list",
        body=body,
        items=items,
        render=lambda item: views.feedback(state, item),
        keep=lambda item: (
            item.submitted_ms >= after and sees_application(state, state.applications[item.application], call)
        ),
    )


HANDLERS = {"applicationFeedback.submit": submit, "applicationFeedback.list": list_feedback}

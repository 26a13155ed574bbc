"""Surveys: their forms, who was asked, and what they answered."""

from __future__ import annotations

from typing import Any

from sandbox.ashby import webhooks
from sandbox.ashby.candidates import find_candidate, time_window
from sandbox.ashby.checks import invalid, parse_iso
from sandbox.ashby.feedback import read_answers
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Json
from sandbox.ashby.state import State, find, find_application, iso, new_id


def list_forms(state: State, body: Json, call: Call) -> Page:
    """List survey forms."""
    items = list(state.survey_forms.values())
    return paginate(state, call.endpoint, body=body, items=items, render=lambda item: item, key=lambda item: item["id"])


def form_info(state: State, body: Json, call: Call) -> Any:
    """Return one survey form."""
    return find(state, "survey_forms", body["surveyFormDefinitionId"], "survey_form_definition_not_found")


def _about(state: State, body: Json, call: Call) -> Json:
    """Return candidate, application and form of a body, which must belong together."""
    candidate = find_candidate(state, body["candidateId"])
    item = find_application(state, body["applicationId"], call)
    form = form_info(state, body, call)
    if item.candidate != candidate.id:
        raise invalid("applicationId: of another candidate")
    return {"candidateId": candidate.id, "applicationId": item.id, "surveyFormDefinitionId": form["id"]}


def ask(state: State, body: Json, call: Call) -> Any:
    """Make the address of a survey; whether the candidate is told is not documented (counted as told)."""
    made = {"id": new_id(), **_about(state, body, call)}
    made["surveyUrl"] = f"https://you.ashbyhq.com/fernhill/survey/{made['id']}"
    state.survey_requests[made["id"]] = {**made, "createdAt": iso(state.now())}
    state.touch(made["id"])
    call.notified = True
    return made


def _kind(state: State, item: Json) -> str:
    return str(state.survey_forms[item["surveyFormDefinitionId"]]["surveyType"])


def list_requests(state: State, body: Json, call: Call) -> Page:
    """List who was asked, of one kind of survey."""
    after, before = time_window(state, body)

    def keep(item: Json) -> bool:
        return (
            _kind(state, item) == body["surveyType"]
            and after <= parse_iso(item["createdAt"]) <= before
            and all(body.get(name) in (None, item[name]) for name in ("applicationId", "candidateId"))
        )

    return paginate(
        state,
        call.endpoint,
        body=body,
        items=state.survey_requests.values(),
        render=lambda item: {name: value for name, value in item.items() if name != "createdAt"},
        keep=keep,
        key=lambda item: item["id"],
    )


def submit(state: State, body: Json, call: Call) -> Any:
    """Take the answers to a survey."""
    about, form = _about(state, body, call), form_info(state, body, call)
    given = body["submittedValues"]
    if not isinstance(given, dict):
        raise invalid("submittedValues: must be an object")
    answers = [{"path": path, "value": value} for path, value in given.items()]
    values = read_answers(form["formDefinition"], answers, where="submittedValues")
    made = {
        "id": new_id(),
        **about,
        "submittedAt": iso(state.now()),
        "surveyType": form["surveyType"],
        "formDefinition": form["formDefinition"],
        "submittedValues": values,
    }
    state.survey_submissions[made["id"]] = made
    state.touch(made["id"])
    webhooks.publish(state, "surveySubmit", lambda: {"surveySubmission": made})
    return made


def list_submissions(state: State, body: Json, call: Call) -> Page:
    """List answers to one kind of survey."""
    after, before = time_window(state, body)
    return paginate(
        state,
        call.endpoint,
        body=body,
        items=state.survey_submissions.values(),
        render=lambda item: item,
        keep=lambda item: (
            item["surveyType"] == body["surveyType"] and after <= parse_iso(item["submittedAt"]) <= before
        ),
        key=lambda item: item["id"],
    )


HANDLERS = {
    "surveyFormDefinition.list": list_forms,
    "surveyFormDefinition.info": form_info,
    "surveyRequest.create": ask,
    "surveyRequest.list": list_requests,
    "surveySubmission.create": submit,
    "surveySubmission.list": list_submissions,
}

"""``application.*``; hiring teams are in ``hiring``."""

from __future__ import annotations

from typing import Any

from sandbox.ashby import views, webhooks
from sandbox.ashby.candidates import find_candidate, time_window, within
from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.histories import check_reason, enter, find_stage, read_events, start_stage
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Application, Call, Event, Job, Json
from sandbox.ashby.state import (
    State,
    check_references,
    find,
    find_application,
    find_job,
    new_id,
    sees_application,
)
from sandbox.ashby.switches import SWITCHES


def _written(state: State, item: Application, call: Call, *, body: Json) -> Json:
    """Show an application after a write, as thin as recorded (a source only when this call set it)."""
    if state.decides("write_answers") != "recorded":
        return views.application(state, item, call)
    shown = views.application(state, item, call, thin=True)
    if body.get("sourceId") is None:
        shown["source"] = None
    else:
        shown["source"] = {name: shown["source"][name] for name in ("id", "title")}
    return shown


def _plan_of(state: State, job: Job, wanted: str | None) -> str:
    """Return the interview plan of an application: a named one of the job's, or its default (code: a guess)."""
    plan_id = wanted or job.plan
    if plan_id is None or plan_id not in state.plans or plan_id not in job.plans:
        raise RefusedError("interview_plan_not_found", "the job has no such interview plan")
    return plan_id


def create(state: State, body: Json, call: Call) -> Any:
    """Add an application, with a whole history when one is given."""
    candidate = find_candidate(state, body["candidateId"])
    job = find_job(state, body["jobId"], call)
    _check_job_takes_applications(state, candidate.applications, job)
    check_references(state, body)
    plan_id = _plan_of(state, job, body.get("interviewPlanId"))
    created = state.past(body.get("createdAt"), "createdAt")
    now = state.now()
    item = Application(new_id(), candidate.id, job.id, plan_id, created, now, now)
    if body.get("applicationHistory"):
        if "interviewStageId" in body and state.decides("stage_and_history") == "refuse":
            raise invalid("interviewStageId: contradicts applicationHistory")
        item.events = read_events(state, plan_id, body["applicationHistory"], created_ms=created, actor=call.actor)
    else:
        stage = start_stage(state, plan_id, body.get("interviewStageId"))
        item.events = [Event(new_id(), stage["id"], created, None, call.actor)]
    item.source, item.credited = body.get("sourceId"), body.get("creditedToUserId")
    state.applications[item.id] = item
    candidate.applications.append(item.id)
    state.touch(item.id)
    state.save_candidate(candidate)
    call.notified = state.decides("automations") == "on"
    if state.webhooks and state.decides("webhook_submit") == "sent":
        webhooks.application(state, "applicationSubmit", item)
    shown = _written(state, item, call, body=body)
    if state.switch("write_answers") == "recorded":
        shown["currentInterviewStage"] = {"id": item.events[-1].stage_id}
    shown["applicationHistory"] = views.history(state, item)
    return shown


def _check_job_takes_applications(state: State, others: list[str], job: Job) -> None:
    """Refuse by job status and repeat candidacy, both undocumented (switches)."""
    takes = job.status in state.switch("application_job_states").split(",")
    if takes != (job.status in SWITCHES["application_job_states"].split(",")):
        state.decides("application_job_states")
    if not takes:
        raise invalid(f"jobId: a job in status {job.status} takes no applications")
    repeated = any(state.applications[key].job == job.id for key in others)
    if repeated and state.decides("duplicate_applications") == "refused":
        raise RefusedError("application_already_exists", "the candidate already has an application for this job")


def update(state: State, body: Json, call: Call) -> Any:
    """Change source, credit or creation time; subscribers are told unless ``sendNotifications`` is false."""
    item = find_application(state, body["applicationId"], call)
    check_references(state, body)
    if "createdAt" in body:
        item.created_ms = state.past(body["createdAt"], "createdAt")
    item.source = body.get("sourceId", item.source)
    item.credited = body.get("creditedToUserId", item.credited)
    state.save_application(item)
    call.notified = body.get("sendNotifications", True)
    webhooks.application(state, "applicationUpdate", item)
    return _written(state, item, call, body=body)


def info(state: State, body: Json, call: Call) -> Any:
    """Return one application with its history, by its id or by a form that came with it."""
    form_id = body.get("submittedFormInstanceId")
    wanted = body.get("applicationId") if form_id is None else state.submissions.get(form_id, {}).get("applicationId")
    item = find_application(state, wanted or "", call)
    shown = views.application(state, item, call)
    resume = state.candidates[item.candidate].resume
    if resume:
        shown["resumeFileHandle"] = views.file_handle(state, resume)
    shown["applicationHistory"] = views.history(state, item)
    for name in body.get("expand", []):
        shown[name] = _expanded(state, item, name)
    return shown


def _expanded(state: State, item: Application, name: str) -> list[Json]:
    """Return what ``expand`` adds: forms sent in, who referred; openings are tied to no application here."""
    if name == "applicationFormSubmissions":
        return [form["instance"] for form in state.submissions.values() if form["applicationId"] == item.id]
    if name == "referrals":
        found = [referral for referral in state.referrals.values() if referral["applicationId"] == item.id]
        return [{"user": state.users[one["userId"]], "referredAt": one["referredAt"]} for one in found]
    return []


def list_applications(state: State, body: Json, call: Call) -> Page:
    """List applications; ``createdAfter`` compares the back-dated time (switch ``application_created_after``)."""
    inside = within(state, "application_created_after", time_window(state, body), now="added")
    wanted, job_id = body.get("status"), body.get("jobId")

    def keep(item: Application) -> bool:
        return (
            inside(item)
            and (job_id is None or item.job == job_id)
            and (wanted is None or views.status(state, item) == wanted)
            and sees_application(state, item, call)
        )

    def render(item: Application) -> Json:
        shown = views.application(state, item, call)
        return {**shown, "openings": []} if "openings" in body.get("expand", []) else shown

    return paginate(
        state,
        "application.list",
        body=body,
        items=state.applications.values(),
        render=render,
        keep=keep,
        by_id=state.applications,
        kept=(call.key.toggles, *body.get("expand", [])),
    )


def change_stage(state: State, body: Json, call: Call) -> Any:
    """Enter a stage now; ``archiveEmail`` mails the candidate, automations may start (switch ``automations``).

    The stage it is in already makes another event, or nothing (switch ``repeat_stage`` = ``event``, ``ignore``).
    """
    item = find_application(state, body["applicationId"], call)
    stage = find_stage(state, item.plan, body["interviewStageId"])
    check_reason(state, stage, body.get("archiveReasonId"), "archiveReasonId")
    if "archiveEmail" in body:
        if stage["type"] != "Archived":
            raise invalid("archiveEmail: only with a stage of type Archived")
        find(state, "templates", body["archiveEmail"]["communicationTemplateId"], "communication_template_not_found")
        call.notified = True
    if item.events[-1].stage_id == stage["id"] and state.decides("repeat_stage") == "ignore":
        return views.application(state, item, call)
    enter(state, item, stage, reason_id=body.get("archiveReasonId"), actor=call.actor)
    call.notified = call.notified or state.decides("automations") == "on"
    state.save_application(item)
    webhooks.stage_changed(state, item)
    return views.application(state, item, call)


def change_source(state: State, body: Json, call: Call) -> Any:
    """Set or unset the source."""
    item = find_application(state, body["applicationId"], call)
    check_references(state, body)
    item.source = body["sourceId"]
    state.save_application(item)
    webhooks.application(state, "applicationUpdate", item)
    return _written(state, item, call, body=body)


def transfer(state: State, body: Json, call: Call) -> Any:
    """Move an application to another job; automatic activities start unless told not to."""
    item = find_application(state, body["applicationId"], call)
    job = find_job(state, body["jobId"], call)
    plan_id = _plan_of(state, job, body["interviewPlanId"])
    stage = find_stage(state, plan_id, body["interviewStageId"])
    check_reason(state, stage, None, "archiveReasonId")
    item.job, item.plan = job.id, plan_id
    enter(state, item, stage, reason_id=None, actor=call.actor)
    state.save_application(item)
    call.notified = body.get("startAutomaticActivities", True)
    webhooks.application(state, "applicationUpdate", item)
    return views.application(state, item, call)


def list_history(state: State, body: Json, call: Call) -> Page:
    """List the history of an application in order."""
    item = find_application(state, body["applicationId"], call)
    return paginate(
        state,
        "application.listHistory",
        body=body,
        items=views.history(state, item),
        render=lambda event: event,
        key=lambda event: event["id"],
        sync=False,
    )


def update_history(state: State, body: Json, call: Call) -> Any:
    """Replace the whole history; events left out are deleted. Needs a toggle of the key."""
    item = find_application(state, body["applicationId"], call)
    if not call.may("history"):
        raise RefusedError("missing_endpoint_permission", "the key may not update application history")
    item.events = read_events(
        state,
        item.plan,
        body["applicationHistory"],
        created_ms=item.created_ms,
        actor=call.actor,
        known={event.id: event for event in item.events},
    )
    state.save_application(item)
    return views.application(state, item, call)


HANDLERS = {
    "application.create": create,
    "application.update": update,
    "application.info": info,
    "application.list": list_applications,
    "application.changeStage": change_stage,
    "application.change_stage": change_stage,
    "application.changeSource": change_source,
    "application.change_source": change_source,
    "application.transfer": transfer,
    "application.listHistory": list_history,
    "application.updateHistory": update_history,
}

"""``job.*``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.ashby import views
from sandbox.ashby.candidates import time_window
from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Job, Json
from sandbox.ashby.state import State, find, find_job, new_id
from sandbox.ashby.values import INTERVALS

TRANSITIONS: dict[str, tuple[str, ...]] = {
    "Draft": ("Open", "Archived"),
    "Open": ("Closed",),
    "Closed": ("Draft", "Archived"),
    "Archived": ("Draft",),
}
"""Allowed changes of status (vendor contract, ``job.setStatus``)."""

DEFAULT_STATES = ("Open", "Closed", "Archived")
"""``job.list`` shows drafts only when they are named (vendor contract)."""


def _check_place(state: State, body: Json) -> None:
    """Refuse a department, location or plan that does not exist or is archived (codes are guesses)."""
    if "teamId" in body and find(state, "departments", body["teamId"], "department_not_found")["isArchived"]:
        raise invalid("teamId: archived")
    if "locationId" in body:
        location = find(state, "locations", body["locationId"], "location_not_found")
        if location["isArchived"] or location["type"] != "Location":
            raise invalid("locationId: archived or a level of the hierarchy")
    plan_id = body.get("defaultInterviewPlanId")
    if plan_id is not None and find(state, "plans", plan_id, "interview_plan_not_found")["isArchived"]:
        raise invalid("defaultInterviewPlanId: archived")


def create(state: State, body: Json, call: Call) -> Any:
    """Add a job, always a draft."""
    _check_place(state, body)
    if "jobTemplateId" in body:
        raise RefusedError("job_template_not_found", "this organization has no job templates")
    if "brandId" in body:
        find(state, "brands", body["brandId"], "brand_not_found")
    now = state.now()
    job = Job(new_id(), body["title"].strip(), body["teamId"], body["locationId"], now, now)
    job.plan, job.author, job.brand = body.get("defaultInterviewPlanId"), call.actor, body.get("brandId")
    state.jobs[job.id] = job
    state.touch(job.id)
    return views.job(state, job, call)


def update(state: State, body: Json, call: Call) -> Any:
    """Change a job; its former default plan stays one of its plans, as applications may stand in it (guess)."""
    job = find_job(state, body["jobId"], call)
    _check_place(state, body)
    job.title = body.get("title", job.title).strip()
    job.department = body.get("teamId", job.department)
    job.location = body.get("locationId", job.location)
    job.more_plans, job.plan = job.plans, body.get("defaultInterviewPlanId", job.plan)
    job.requisition = body.get("customRequisitionId", job.requisition)
    _save(state, job)
    return views.job(state, job, call)


def _save(state: State, job: Job) -> None:
    job.updated_ms = state.now()
    state.touch(job.id)


def set_status(state: State, body: Json, call: Call) -> Any:
    """Move a job along the allowed transitions; opening needs an interview plan.

    The status it has already is refused, or taken without effect (switch ``repeat_status``); opening may publish
    and notify (switch ``automations``).
    """
    job = find_job(state, body["jobId"], call)
    wanted = body["status"]
    if wanted == job.status and state.decides("repeat_status") == "accept":
        return views.job(state, job, call)
    if wanted not in TRANSITIONS[job.status]:
        raise invalid(f"status: a job cannot go from {job.status} to {wanted}")
    if wanted == "Open" and job.plan is None:
        raise invalid("status: a job without a default interview plan cannot be opened")
    job.status = wanted
    if wanted == "Open":
        job.opened_ms, job.closed_ms = state.now(), None
        call.notified = state.decides("automations") == "on"
    elif wanted == "Closed":
        job.closed_ms = state.now()
    _save(state, job)
    return views.job(state, job, call)


def make_tier(given: Json, make_id: Callable[[], str]) -> Json:
    """Make a compensation tier with ids and summaries (their words are a guess)."""
    components = []
    for component in given["components"]:
        if component["interval"] not in INTERVALS:
            raise invalid("compensationTiers.components.interval: unknown")
        low, high = component.get("minValue"), component.get("maxValue")
        summary = f"{component['compensationType']} {low or ''} – {high or ''}".strip()
        components.append(
            {"id": make_id(), "summary": summary, "currencyCode": None, "minValue": None, "maxValue": None, **component}
        )
    texts = {name: given.get(name) for name in ("title", "additionalInformation")}
    summary = " • ".join(component["summary"] for component in components)
    return {"id": make_id(), **texts, "components": components, "tierSummary": summary}


def update_compensation(state: State, body: Json, call: Call) -> Any:
    """Replace the compensation tiers of a job."""
    job = find_job(state, body["jobId"], call)
    tiers = [make_tier(tier, new_id) for tier in body["compensationTiers"]]
    job.tiers = tiers
    _save(state, job)
    return {**views.job(state, job, call), "compensationTiers": tiers}


def _expanded(state: State, job: Job, call: Call, *, body: Json) -> Json:
    shown = views.job(state, job, call, unpublished=body.get("includeUnpublishedJobPostingsIds", False))
    for name in body.get("expand", []):
        if name == "location":
            shown["location"] = state.locations.get(job.location)
        else:
            shown["openings"] = [
                views.opening(state, item, call) for item in state.openings.values() if job.id in item.details["jobIds"]
            ]
    return shown


def info(state: State, body: Json, call: Call) -> Any:
    """Return one job."""
    return _expanded(state, find_job(state, body["id"], call), call, body=body)


def list_jobs(state: State, body: Json, call: Call) -> Page:
    """List jobs by status and times."""
    after, before = time_window(state, body)
    states = body.get("status") or DEFAULT_STATES

    def within(value: int | None, name: str) -> bool:
        low, high = body.get(f"{name}After"), body.get(f"{name}Before")
        if low is None and high is None:
            return True
        return value is not None and (low is None or value >= low) and (high is None or value <= high)

    def keep(job: Job) -> bool:
        return (
            job.status in states
            and after <= job.created_ms <= before
            and within(job.opened_ms, "opened")
            and within(job.closed_ms, "closed")
            and (not job.confidential or call.may("confidential"))
        )

    return paginate(
        state,
        "job.list",
        body=body,
        items=state.jobs.values(),
        render=lambda job: _expanded(state, job, call, body=body),
        keep=keep,
    )


def search(state: State, body: Json, call: Call) -> Any:
    """Find jobs by title (equal but for case: guess) or requisition id, drafts included (guess)."""
    title, requisition = body.get("title"), body.get("requisitionId")
    return [
        views.job(state, job, call)
        for job in state.jobs.values()
        if (title is None or job.title.lower() == title.strip().lower())
        and (requisition is None or job.requisition == requisition)
        and (not job.confidential or call.may("confidential"))
    ]


HANDLERS = {
    "job.create": create,
    "job.update": update,
    "job.setStatus": set_status,
    "job.updateCompensation": update_compensation,
    "job.info": info,
    "job.list": list_jobs,
    "job.search": search,
}

"""Reference data: users, departments, locations, sources, reasons, plans, stages, interviews, and empty lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Json
from sandbox.ashby.state import State, find, find_job, iso, new_id, plan_stages

API_VERSION = "2026-01-01"
"""The one active version (vendor guide on versioning)."""

Handler = Callable[[State, Json, Call], Any]


def _listing(name: str, *, paged: bool = True, sync: bool = True) -> Handler:
    """Make a list endpoint over one collection; archived items on demand."""

    def handler(state: State, body: Json, call: Call) -> Any:
        items: list[Json] = list(getattr(state, name).values())

        def keep(item: Json) -> bool:
            return body.get("includeArchived", False) or not item.get("isArchived", False)

        if not paged:
            return [item for item in items if keep(item)]
        return paginate(
            state,
            call.endpoint,
            body=body,
            items=items,
            render=lambda item: item,
            keep=keep,
            key=lambda item: item["id"],
            sync=sync,
        )

    return handler


def _single(name: str, member: str, code: str) -> Handler:
    """Make an info endpoint over one collection."""
    return lambda state, body, call: find(getattr(state, name), body[member], code)


def _empty(state: State, body: Json, call: Call) -> Page:
    """Answer a list of what this organization has none of."""
    return paginate(state, call.endpoint, body=body, items=[], render=lambda item: item)


def key_info(state: State, body: Json, call: Call) -> Any:
    """Describe the key; scopes as in the contract's example (``candidates:read``)."""
    scopes = []
    for permission in sorted(call.key.permissions):
        verb = "write" if permission.endswith("Write") else "read"
        scopes.append(f"{permission.removesuffix('Write').removesuffix('Read')}:{verb}")
    return {"title": call.key.title, "createdAt": iso(call.key.created_ms), "scopes": scopes}


def list_versions(state: State, body: Json, call: Call) -> Any:
    """List API versions (members are a guess: the endpoint is in the guide, not in the contract)."""
    return [{"version": API_VERSION, "status": "active"}]


def list_sources(state: State, body: Json, call: Call) -> Page:
    """List sources on one page (recorded: ``moreDataAvailable`` but no token)."""
    archived = body.get("includeArchived", False)
    return Page([item for item in state.sources.values() if archived or not item["isArchived"]], None)


def list_users(state: State, body: Json, call: Call) -> Page:
    """List users; deactivated ones on demand."""
    return paginate(
        state,
        "user.list",
        body=body,
        items=state.users.values(),
        render=lambda item: item,
        keep=lambda item: body.get("includeDeactivated", False) or item["isEnabled"],
        key=lambda item: item["id"],
    )


def search_users(state: State, body: Json, call: Call) -> Any:
    """Find users by address, deactivated ones included (guess)."""
    wanted = body["email"].strip().lower()
    return [item for item in state.users.values() if item.get("email", "").lower() == wanted]


def create_department(state: State, body: Json, call: Call) -> Any:
    """Add a department or team; the name may repeat (guess)."""
    if "parentId" in body:
        find(state.departments, body["parentId"], "department_not_found")
    now = iso(state.now())
    item: Json = {
        "id": new_id(),
        "name": body["name"].strip(),
        "externalName": body.get("externalName"),
        "isArchived": False,
        "parentId": body.get("parentId"),
        "createdAt": now,
        "updatedAt": now,
        "extraData": body.get("extraData"),
    }
    state.departments[item["id"]] = item
    state.touch(item["id"])
    return item


def list_locations(state: State, body: Json, call: Call) -> Page:
    """List locations; levels of the hierarchy and archived ones on demand."""
    return paginate(
        state,
        "location.list",
        body=body,
        items=state.locations.values(),
        render=lambda item: item,
        keep=lambda item: (
            (body.get("includeArchived", False) or not item["isArchived"])
            and (body.get("includeLocationHierarchy", False) or item["type"] == "Location")
        ),
        key=lambda item: item["id"],
    )


def create_location(state: State, body: Json, call: Call) -> Any:
    """Add a location; ``isRemote`` must agree with ``workplaceType`` (vendor changelog)."""
    if "parentLocationId" in body:
        find(state.locations, body["parentLocationId"], "location_not_found")
    kind = body.get("workplaceType")
    if "isRemote" in body and kind is not None and body["isRemote"] != (kind == "Remote"):
        raise invalid("isRemote: contradicts workplaceType")
    item: Json = {
        "id": new_id(),
        "name": body["name"].strip(),
        "externalName": body.get("externalName"),
        "isArchived": False,
        "address": body.get("address"),
        "isRemote": body.get("isRemote", kind == "Remote"),
        "workplaceType": kind,
        "parentLocationId": body.get("parentLocationId"),
        "type": body["type"],
        "extraData": body.get("extraData"),
    }
    state.locations[item["id"]] = item
    state.touch(item["id"])
    return item


def list_stages(state: State, body: Json, call: Call) -> Page:
    """List the stages of a plan in order, on one page."""
    find(state.plans, body["interviewPlanId"], "interview_plan_not_found")
    return Page(plan_stages(state, body["interviewPlanId"]), None)


def job_plan(state: State, body: Json, call: Call) -> Any:
    """Return the plan of a job with its stages; activities are not imitated."""
    job = find_job(state, body["jobId"], call)
    if job.plan is None:
        raise RefusedError("interview_plan_not_found", "the job has no interview plan")
    stages = [
        {name: value for name, value in stage.items() if name != "interviewPlanId"} | {"activities": []}
        for stage in plan_stages(state, job.plan)
    ]
    return {"jobId": job.id, "interviewPlanId": job.plan, "stages": stages}


HANDLERS: dict[str, Handler] = {
    "apiKey.info": key_info,
    "version.list": list_versions,
    "archiveReason.list": _listing("archive_reasons", paged=False),
    "closeReason.list": _listing("close_reasons"),
    "source.list": list_sources,
    "communicationTemplate.list": _listing("templates", paged=False),
    "department.list": _listing("departments"),
    "department.info": _single("departments", "departmentId", "department_not_found"),
    "department.create": create_department,
    "location.list": list_locations,
    "location.info": _single("locations", "locationId", "location_not_found"),
    "location.create": create_location,
    "user.list": list_users,
    "user.info": _single("users", "userId", "user_not_found"),
    "user.search": search_users,
    "interviewPlan.list": _listing("plans"),
    "interviewStage.list": list_stages,
    "interviewStage.info": _single("stages", "interviewStageId", "interview_stage_not_found"),
    "interviewStageGroup.list": _listing("stage_groups", paged=False),
    "jobInterviewPlan.info": job_plan,
    "interview.list": _listing("interviews"),
    "interview.info": _single("interviews", "id", "interview_not_found"),
    "feedbackFormDefinition.list": _listing("forms"),
    "feedbackFormDefinition.info": _single("forms", "feedbackFormDefinitionId", "feedback_form_definition_not_found"),
    "interviewSchedule.list": _empty,
    "jobTemplate.list": _empty,
    "offer.list": _empty,
    "jobPosting.list": lambda state, body, call: [],
}

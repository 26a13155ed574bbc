"""Reference data: the key, sources, reasons, plans, stages, interviews, forms, and empty lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.ashby.checks import RefusedError
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Json
from sandbox.ashby.state import State, find, find_job, iso, plan_stages

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
    return lambda state, body, call: find(state, name, body[member], code)


def _empty(state: State, body: Json, call: Call) -> Page:
    """Answer a list of what this organization has none of."""
    return paginate(state, call.endpoint, body=body, items=[], render=lambda item: item)


def key_info(state: State, body: Json, call: Call) -> Any:
    """Describe the key; scopes as in the contract's example (``candidates:read``; switch ``scope_format``)."""
    if state.decides("scope_format") == "permission":
        return {"title": call.key.title, "createdAt": iso(call.key.created_ms), "scopes": sorted(call.key.permissions)}
    scopes = []
    for permission in sorted(call.key.permissions):
        verb = "write" if permission.endswith("Write") else "read"
        scopes.append(f"{permission.removesuffix('Write').removesuffix('Read')}:{verb}")
    return {"title": call.key.title, "createdAt": iso(call.key.created_ms), "scopes": scopes}


def version_headers(state: State) -> dict[str, str]:
    """Return what each answer says of the one active version (vendor changelog, October 2026; switches)."""
    return {
        "Ashby-Version": state.decides("api_version"),
        "Ashby-Version-Status": state.decides("api_version_status"),
    }


def list_versions(state: State, body: Json, call: Call) -> Any:
    """List API versions (members are a guess: the endpoint is in the guide, not in the contract)."""
    return [{"version": state.switch("api_version"), "status": state.switch("api_version_status")}]


def list_sources(state: State, body: Json, call: Call) -> Page:
    """List sources on one page (recorded: ``moreDataAvailable`` but no token)."""
    archived = body.get("includeArchived", False)
    return Page([item for item in state.sources.values() if archived or not item["isArchived"]], None)


def list_tracking_links(state: State, body: Json, call: Call) -> Page:
    """List tracking links on one page, disabled ones on demand."""
    disabled = body.get("includeDisabled", False)
    return Page([item for item in state.tracking_links.values() if disabled or item["enabled"]], None)


def transcript(state: State, body: Json, call: Call) -> Any:
    """Refuse: this organization takes no notes by machine (the code is the contract's)."""
    raise RefusedError("notetaker_transcript_not_enabled", "transcripts are not enabled in this organization")


def list_groups(state: State, body: Json, call: Call) -> Any:
    """List the groups of stages in order: those of one plan when it is named, else all.

    The contract's text speaks of one plan; its request has no member for it. That one may be named is a guess.
    """
    groups = sorted(state.stage_groups.values(), key=lambda group: group["order"])
    plan_id = body.get("interviewPlanId")
    if plan_id is None:
        return groups
    find(state, "plans", plan_id, "interview_plan_not_found")
    used = {stage["interviewStageGroupId"] for stage in plan_stages(state, plan_id)}
    return [group for group in groups if group["id"] in used]


def list_stages(state: State, body: Json, call: Call) -> Page:
    """List the stages of a plan in order, on one page."""
    find(state, "plans", body["interviewPlanId"], "interview_plan_not_found")
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
    "interviewPlan.list": _listing("plans"),
    "interviewStage.list": list_stages,
    "interviewStage.info": _single("stages", "interviewStageId", "interview_stage_not_found"),
    "interviewStageGroup.list": list_groups,
    "jobInterviewPlan.info": job_plan,
    "interview.list": _listing("interviews"),
    "interview.info": _single("interviews", "id", "interview_not_found"),
    "feedbackFormDefinition.list": _listing("forms"),
    "feedbackFormDefinition.info": _single("forms", "feedbackFormDefinitionId", "feedback_form_definition_not_found"),
    "jobTemplate.list": _empty,
    "approval.list": _empty,
    "brand.list": _listing("brands", sync=False),
    "sourceTrackingLink.list": list_tracking_links,
    "notetakerTranscript.info": transcript,
}

"""``opening.*``."""

from __future__ import annotations

from typing import Any

from sandbox.ashby import views
from sandbox.ashby.candidates import time_window
from sandbox.ashby.checks import invalid
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Json, Opening
from sandbox.ashby.state import State, find, find_job, new_id


def list_openings(state: State, body: Json, call: Call) -> Page:
    """List openings."""
    after, before = time_window(state, body)
    return paginate(
        state,
        "opening.list",
        body=body,
        items=state.openings.values(),
        render=lambda item: views.opening(state, item, call),
        keep=lambda item: after <= item.created_ms <= before,
    )


def search_openings(state: State, body: Json, call: Call) -> Any:
    """Find openings by their own identifier (equal)."""
    return [
        views.opening(state, item, call)
        for item in state.openings.values()
        if item.details["identifier"] == body["identifier"]
    ]


def create_opening(state: State, body: Json, call: Call) -> Any:
    """Add an opening; everything is optional."""
    if "teamId" in body:
        find(state, "departments", body["teamId"], "department_not_found")
    for location_id in body.get("locationIds", []):
        find(state, "locations", location_id, "location_not_found")
    for job_id in body.get("jobIds", []):
        find_job(state, job_id, call)
    now = state.now()
    details: Json = {
        "identifier": body.get("identifier", ""),
        "description": body.get("description", ""),
        "authorId": call.actor,
        "teamId": body.get("teamId"),
        "jobIds": body.get("jobIds", []),
        "targetHireDate": body.get("targetHireDate"),
        "targetStartDate": body.get("targetStartDate"),
        "isBackfill": body.get("isBackfill", False),
        "employmentType": body.get("employmentType", "FullTime"),
        "locationIds": body.get("locationIds", []),
    }
    item = Opening(new_id(), body.get("openingState", "Draft"), now, new_id(), details)
    item.opened_ms = now if item.state == "Open" else None
    item.closed_ms = now if item.state == "Closed" else None
    state.openings[item.id] = item
    state.touch(item.id)
    return views.opening(state, item, call)


def _opening(state: State, body: Json) -> Opening:
    """Return the opening of a body; the contract calls its id optional, without one nothing can be done (guess)."""
    if "openingId" not in body:
        raise invalid("openingId: required")
    found: Opening = find(state, "openings", body["openingId"], "opening_not_found")
    return found


def _saved(state: State, item: Opening, call: Call) -> Json:
    state.touch(item.id)
    return views.opening(state, item, call)


def opening_info(state: State, body: Json, call: Call) -> Any:
    """Return one opening."""
    return views.opening(state, _opening(state, body), call)


def update_opening(state: State, body: Json, call: Call) -> Any:
    """Change an opening: a new version of it."""
    item = _opening(state, body)
    if "teamId" in body:
        find(state, "departments", body["teamId"], "department_not_found")
    item.details = item.details | {name: value for name, value in body.items() if name != "openingId"}
    item.version_id = new_id()
    return _saved(state, item, call)


def _change_list(state: State, body: Json, call: Call, *, name: str, value: str, there: bool) -> Any:
    item = _opening(state, body)
    kept = [other for other in item.details[name] if other != value]
    item.details = item.details | {name: [*kept, value] if there else kept}
    return _saved(state, item, call)


def add_job(state: State, body: Json, call: Call) -> Any:
    """Tie an opening to a job; a repeat changes nothing (guess)."""
    job = find_job(state, body["jobId"], call)
    return _change_list(state, body, call, name="jobIds", value=job.id, there=True)


def remove_job(state: State, body: Json, call: Call) -> Any:
    """Untie an opening from a job."""
    return _change_list(state, body, call, name="jobIds", value=body["jobId"], there=False)


def add_location(state: State, body: Json, call: Call) -> Any:
    """Add a location to an opening; a repeat changes nothing (guess)."""
    place = find(state, "locations", body["locationId"], "location_not_found")
    return _change_list(state, body, call, name="locationIds", value=place["id"], there=True)


def remove_location(state: State, body: Json, call: Call) -> Any:
    """Take a location off an opening."""
    return _change_list(state, body, call, name="locationIds", value=body["locationId"], there=False)


def set_opening_state(state: State, body: Json, call: Call) -> Any:
    """Set the state of an opening, a close reason with Closed only (guess)."""
    item = _opening(state, body)
    if "openingState" not in body:
        raise invalid("openingState: required")
    reason = body.get("closeReasonId")
    if reason is not None:
        find(state, "close_reasons", reason, "close_reason_not_found")
        if body["openingState"] != "Closed":
            raise invalid("closeReasonId: only with Closed")
    item.state, item.close_reason = body["openingState"], reason
    if item.state == "Open":
        item.opened_ms, item.closed_ms = state.now(), None
    elif item.state == "Closed":
        item.closed_ms = state.now()
    return _saved(state, item, call)


def set_archived(state: State, body: Json, call: Call) -> Any:
    """Archive an opening, or take it out of the archive."""
    item = _opening(state, body)
    if "archive" not in body:
        raise invalid("archive: required")
    item.archived_ms = state.now() if body["archive"] else None
    return _saved(state, item, call)


HANDLERS = {
    "opening.list": list_openings,
    "opening.search": search_openings,
    "opening.create": create_opening,
    "opening.info": opening_info,
    "opening.update": update_opening,
    "opening.addJob": add_job,
    "opening.removeJob": remove_job,
    "opening.addLocation": add_location,
    "opening.removeLocation": remove_location,
    "opening.setOpeningState": set_opening_state,
    "opening.setArchived": set_archived,
}

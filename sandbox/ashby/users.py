"""``user.*`` and interviewer pools."""

from __future__ import annotations

from typing import Any

from sandbox.ashby import views
from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.customfields import write_values
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Json
from sandbox.ashby.state import State, find, iso, new_id


def _user(state: State, body: Json) -> Json:
    found: Json = find(state, "users", body["userId"], "user_not_found")
    return found


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


def info(state: State, body: Json, call: Call) -> Any:
    """Return one user, deactivated or not."""
    return _user(state, body)


def search(state: State, body: Json, call: Call) -> Any:
    """Find users by address, deactivated ones included (guess)."""
    wanted = body["email"].strip().lower()
    return [item for item in state.users.values() if item.get("email", "").lower() == wanted]


def settings(state: State, body: Json, call: Call) -> Any:
    """Return how many interviews a user takes; null: no limit."""
    user = _user(state, body)
    return {"id": user["id"], "dailyLimit": None, "weeklyLimit": None, **state.interviewer_limits.get(user["id"], {})}


def update_settings(state: State, body: Json, call: Call) -> Any:
    """Change how many interviews a user takes."""
    user = _user(state, body)
    limits = state.interviewer_limits.setdefault(user["id"], {})
    limits.update({name: body[name] for name in ("dailyLimit", "weeklyLimit") if name in body})
    return settings(state, body, call)


def list_pauses(state: State, body: Json, call: Call) -> Any:
    """List the pauses of an interviewer."""
    user = _user(state, body)
    return [item for item in state.pauses.values() if item["userId"] == user["id"]]


def create_pause(state: State, body: Json, call: Call) -> Any:
    """Add a pause; a user has at most one (vendor contract; the code is a guess)."""
    user = _user(state, body)
    if list_pauses(state, body, call):
        raise RefusedError("interviewer_pause_already_exists", "the user has a pause")
    starts, ends = body.get("startsAt", state.now()), body.get("endsAt")
    if ends is not None and ends <= starts:
        raise invalid("endsAt: not after startsAt")
    item = {
        "id": new_id(),
        "userId": user["id"],
        "startsAt": iso(starts),
        "endsAt": None if ends is None else iso(ends),
        "comment": body.get("comment"),
        "createdAt": iso(state.now()),
    }
    state.pauses[item["id"]] = item
    return item


def delete_pause(state: State, body: Json, call: Call) -> Any:
    """Remove a pause."""
    item = find(state, "pauses", body["interviewerPauseId"], "interviewer_pause_not_found")
    del state.pauses[item["id"]]
    return {"id": item["id"]}


def _set(state: State, body: Json, call: Call, *, items: list[Json], prefix: str) -> list[Json]:
    user = _user(state, body)
    custom = state.user_values.setdefault(user["id"], {})
    shown = write_values(state, call, custom=custom, owner="Employee", items=items, prefix=prefix)
    user["customFields"] = views.custom_fields(state, custom, call)
    user["updatedAt"] = iso(state.now())
    state.touch(user["id"])
    return shown


def set_value(state: State, body: Json, call: Call) -> Any:
    """Set one value of an Employee field."""
    items = [{"fieldId": body["fieldId"], "fieldValue": body["fieldValue"]}]
    shown = _set(state, body, call, items=items, prefix="")
    return shown[0] if shown else None


def set_values(state: State, body: Json, call: Call) -> Any:
    """Set several values of Employee fields."""
    return _set(state, body, call, items=body["values"], prefix="values")


def list_pools(state: State, body: Json, call: Call) -> Page:
    """List interviewer pools, archived ones on demand."""
    return paginate(
        state,
        "interviewerPool.list",
        body=body,
        items=state.pools.values(),
        render=lambda item: {
            name: value for name, value in item.items() if name not in ("qualifiedMembers", "trainees")
        },
        keep=lambda item: body.get("includeArchivedPools", False) or not item["isArchived"],
        key=lambda item: item["id"],
    )


def pool_info(state: State, body: Json, call: Call) -> Any:
    """Return one interviewer pool with its members."""
    return find(state, "pools", body["interviewerPoolId"], "interviewer_pool_not_found")


HANDLERS = {
    "user.list": list_users,
    "user.info": info,
    "user.search": search,
    "user.interviewerSettings": settings,
    "user.updateInterviewerSettings": update_settings,
    "user.listInterviewerPauses": list_pauses,
    "user.createInterviewerPause": create_pause,
    "user.deleteInterviewerPause": delete_pause,
    "user.setCustomFieldValue": set_value,
    "user.setCustomFieldValues": set_values,
    "interviewerPool.list": list_pools,
    "interviewerPool.info": pool_info,
}

"""Hiring teams of applications, jobs and openings, and the roles on them."""

from __future__ import annotations

from typing import Any

from sandbox.ashby.records import Call, Json
from sandbox.ashby.state import State, find, find_application, find_job


def _member(state: State, body: Json) -> Json:
    """Return the hiring-team entry that a body names."""
    user = find(state, "users", body["teamMemberId"], "user_not_found")
    role = find(state, "roles", body["roleId"], "hiring_team_role_not_found")
    return {
        "userId": user["id"],
        "firstName": user["firstName"],
        "lastName": user["lastName"],
        "email": user.get("email", ""),
        "role": role["title"],
    }


def _owner(state: State, body: Json, call: Call) -> Any:
    """Return the application, job or opening whose team a body names."""
    if "applicationId" in body:
        return find_application(state, body["applicationId"], call)
    if "jobId" in body:
        return find_job(state, body["jobId"], call)
    return find(state, "openings", body["openingId"], "opening_not_found")


def add_member(state: State, body: Json, call: Call) -> Any:
    """Put a user on a hiring team; a repeat changes nothing (guess)."""
    owner, member = _owner(state, body, call), _member(state, body)
    if member not in owner.team:
        owner.team = [*owner.team, member]
        _save(state, owner)
    return member


def remove_member(state: State, body: Json, call: Call) -> Any:
    """Take a user off a hiring team."""
    owner, member = _owner(state, body, call), _member(state, body)
    owner.team = [other for other in owner.team if other != member]
    _save(state, owner)
    return member


def _save(state: State, owner: Any) -> None:
    if hasattr(owner, "updated_ms"):
        owner.updated_ms = state.now()
    state.touch(owner.id)


def list_application_roles(state: State, body: Json, call: Call) -> Any:
    """List the roles on an application's hiring team."""
    return list(state.roles.values())


def list_roles(state: State, body: Json, call: Call) -> Any:
    """List role names, or with ``namesOnly:false`` ids and titles (default: names)."""
    if body.get("namesOnly", True):
        return [role["title"] for role in state.roles.values()]
    return list(state.roles.values())


HANDLERS = {
    "application.addHiringTeamMember": add_member,
    "application.removeHiringTeamMember": remove_member,
    "hiringTeam.addMember": add_member,
    "hiringTeam.removeMember": remove_member,
    "applicationHiringTeamRole.list": list_application_roles,
    "hiringTeamRole.list": list_roles,
}

"""``project.*`` and who is in a project; making projects has no published body and is not imitated."""

from __future__ import annotations

from typing import Any

from sandbox.ashby import views
from sandbox.ashby.candidates import find_candidate, time_window
from sandbox.ashby.checks import RefusedError, parse_iso
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Json
from sandbox.ashby.state import State, find


def _sees(project: Json, call: Call) -> bool:
    return not project["confidential"] or call.may("confidential")


def find_project(state: State, project_id: str, call: Call) -> Json:
    """Return a project this key may see (confidential ones need a toggle)."""
    project: Json = find(state, "projects", project_id, "project_not_found")
    if not _sees(project, call):
        raise RefusedError("project_not_found", "project not found or not visible to this key")
    return project


def list_projects(state: State, body: Json, call: Call) -> Page:
    """List all projects, or those of a candidate."""
    after, before = time_window(state, body)
    items = list(state.projects.values())
    if "candidateId" in body:
        candidate = find_candidate(state, body["candidateId"])
        items = [item for item in items if candidate.id in state.members.get(item["id"], ())]
    return paginate(
        state,
        call.endpoint,
        body=body,
        items=items,
        render=lambda item: item,
        keep=lambda item: _sees(item, call) and after <= parse_iso(item["createdAt"]) <= before,
        key=lambda item: item["id"],
    )


def info(state: State, body: Json, call: Call) -> Any:
    """Return one project."""
    return find_project(state, body["projectId"], call)


def search(state: State, body: Json, call: Call) -> Any:
    """Find projects by title, equal but for case (guess); at most a hundred."""
    wanted = body.get("title", "").strip().lower()
    return [item for item in state.projects.values() if item["title"].lower() == wanted and _sees(item, call)][:100]


def _member(state: State, body: Json, call: Call, *, there: bool) -> Any:
    candidate = find_candidate(state, body["candidateId"])
    project = find_project(state, body["projectId"], call)
    members = state.members.setdefault(project["id"], [])
    if there and candidate.id not in members:
        members.append(candidate.id)
    elif not there and candidate.id in members:
        members.remove(candidate.id)
    state.save_candidate(candidate)
    return views.candidate(state, candidate, call)


def add(state: State, body: Json, call: Call) -> Any:
    """Put a candidate into a project; a repeat changes nothing (guess)."""
    return _member(state, body, call, there=True)


def remove(state: State, body: Json, call: Call) -> Any:
    """Take a candidate out of a project; nothing happens to one who is not in it (guess)."""
    return _member(state, body, call, there=False)


HANDLERS = {
    "project.list": list_projects,
    "project.info": info,
    "project.search": search,
    "candidate.listProjects": list_projects,
    "candidate.addProject": add,
    "candidate.removeProject": remove,
}

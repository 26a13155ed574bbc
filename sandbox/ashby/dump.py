"""The whole state as plain data, for comparing what arrived with what should have."""

from __future__ import annotations

from sandbox.ashby import views
from sandbox.ashby.others import shown
from sandbox.ashby.records import SEES_ALL, Application, Call, Candidate, Job, Json
from sandbox.ashby.schedules import show_schedule
from sandbox.ashby.state import State, iso


def dump(state: State) -> Json:
    """Return candidates, applications, jobs, fields, tags and counters; ``preexisting`` was there at the start."""
    state.look(reads=False)
    call = Call("dump", SEES_ALL, state.key_user)
    return {
        "candidates": [_candidate(state, item, call) for item in state.candidates.values()],
        "applications": [_application(state, item, call) for item in state.applications.values()],
        "jobs": [_job(state, item, call) for item in state.jobs.values()],
        "custom_fields": [views.field(item) for item in state.fields.values()],
        "tags": list(state.tags.values()),
        "departments": list(state.departments.values()),
        "locations": list(state.locations.values()),
        "openings": [views.opening(state, item, call) for item in state.openings.values()],
        "offers": list(state.offers.values()),
        "schedules": [show_schedule(state, item) for item in state.schedules.values()],
        "emails": list(state.emails.values()),
        "webhooks": [{**hook, "secretToken": None} for hook in state.webhooks.values()],
        "projects": [{**item, "candidateIds": state.members.get(key, [])} for key, item in state.projects.items()],
        "others": shown(state),
        "merged": dict(state.merged),
        "resume_parsing": state.switch("resume_parsing"),
        "notified": state.notified,
        "writes": state.writes,
        "preexisting": state.preexisting,
    }


def _by_title(shown: Json) -> Json:
    return {entry["title"]: entry["value"] for entry in shown["customFields"]}


def _candidate(state: State, item: Candidate, call: Call) -> Json:
    shown = views.candidate(state, item, call)
    notes = [
        {**views.note(state, note), "type": note.kind, "addedAt": iso(note.added_ms)} for note in item.notes.values()
    ]
    files = []
    for file_id in item.files:
        stored = state.files[file_id]
        files.append(
            {
                "id": stored.id,
                "name": stored.name,
                "sha256": stored.sha256,
                "size": len(stored.data),
                "contentType": stored.content_type,
                "resume": stored.is_resume,
            }
        )
    return {
        **shown,
        "customFields": _by_title(shown),
        "tags": [tag["title"] for tag in shown["tags"]],
        "applications": list(item.applications),
        "notes": notes,
        "files": files,
        "addedAt": iso(item.added_ms),
    }


def _application(state: State, item: Application, call: Call) -> Json:
    shown = views.application(state, item, call)
    entries = [views.feedback(state, state.feedback[key]) for key in item.feedback]
    for entry in entries:
        form = state.forms[entry["feedbackFormDefinitionId"]]
        titles = {
            field["field"]["path"]: field["field"]["title"]
            for section in form["formDefinition"]["sections"]
            for field in section["fields"]
        }
        entry["form"] = form["title"]
        entry["answers"] = {titles[path]: value for path, value in entry["submittedValues"].items()}
        del entry["formDefinition"]
    events = [
        {**shown_event, "archiveReason": event.archive_reason and state.archive_reasons[event.archive_reason]["text"]}
        for shown_event, event in zip(views.history(state, item), item.events, strict=True)
    ]
    return {
        **shown,
        "candidateId": item.candidate,
        "jobId": item.job,
        "customFields": _by_title(shown),
        "history": events,
        "feedback": entries,
        "addedAt": iso(item.added_ms),
    }


def _job(state: State, item: Job, call: Call) -> Json:
    shown = views.job(state, item, call, unpublished=True)
    return {**shown, "customFields": _by_title(shown)}

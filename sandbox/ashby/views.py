"""How objects look in answers: members, their order, and which are null or absent.

Null and absence follow recorded answers of the real API: ``source``, ``creditedToUser``, ``timezone`` and
``fraudStatus`` are null when unset; addresses, position, location and résumé are absent. Answers of
``application.create/update/changeSource`` and ``candidate.update`` are recorded thinner than those of the
read endpoints; switch ``write_answers`` = ``full`` gives them the full shape of the contract.
"""

from __future__ import annotations

from typing import Any

from sandbox.ashby.records import Application, Call, Candidate, Event, Feedback, Field, Job, Json, Note, Opening
from sandbox.ashby.state import State, iso

PROFILE_URL = "https://app.ashbyhq.com/candidate-searches/new/right-side/candidates/"


def contact(value: str, *, primary: bool) -> Json:
    """Show an address or a phone number."""
    return {"value": value, "type": "Personal", "isPrimary": primary}


def source(state: State, source_id: str | None) -> Json | None:
    """Show a source, null when unset."""
    return None if source_id is None else state.sources[source_id]


def user(state: State, user_id: str | None) -> Json | None:
    """Show a user, null when unset."""
    return None if user_id is None else state.users[user_id]


def custom_fields(state: State, values: dict[str, Any], call: Call) -> list[Json]:
    """Show the custom-field values of an object; private ones need the key's toggle."""
    shown = []
    for field_id, value in values.items():
        definition = state.fields[field_id]
        if definition.is_private and not call.may("private"):
            continue
        shown.append(custom_value(definition, value))
    return shown


def custom_value(definition: Field, value: Any) -> Json:
    """Show one custom-field value; only selects have a label."""
    shown: Json = {"id": definition.id, "title": definition.title, "isPrivate": definition.is_private}
    labels = {option["value"]: option["label"] for option in definition.options}
    if definition.kind == "ValueSelect":
        shown["valueLabel"] = labels.get(value, value)
    elif definition.kind == "MultiValueSelect":
        shown["valueLabel"] = [labels.get(item, item) for item in value]
    shown["value"] = value
    return shown


def file_handle(state: State, file_id: str) -> Json:
    """Show a file of a candidate."""
    stored = state.files[file_id]
    return {"id": stored.id, "name": stored.name, "handle": stored.handle}


def candidate(state: State, item: Candidate, call: Call) -> Json:
    """Show a candidate in full."""
    item = state.seen(item)
    shown: Json = {
        "id": item.id,
        "createdAt": iso(item.created_ms),
        "updatedAt": iso(item.updated_ms),
        "name": item.name,
    }
    if item.email:
        shown["primaryEmailAddress"] = contact(item.email, primary=True)
    shown["emailAddresses"] = [contact(item.email, primary=True)] if item.email else []
    shown["emailAddresses"] += [contact(value, primary=False) for value in item.alternates]
    if item.phone:
        shown["primaryPhoneNumber"] = contact(item.phone, primary=True)
    shown["phoneNumbers"] = [contact(item.phone, primary=True)] if item.phone else []
    shown["socialLinks"] = item.links
    shown["tags"] = [state.tags[tag_id] for tag_id in item.tags]
    shown.update({name: getattr(item, name) for name in ("position", "company", "school") if getattr(item, name)})
    shown["applicationIds"] = _visible_applications(state, item, call)
    if item.resume and not state.hides(item.resume):
        shown["resumeFileHandle"] = file_handle(state, item.resume)
    shown["fileHandles"] = [file_handle(state, file_id) for file_id in item.files if not state.hides(file_id)]
    shown["customFields"] = custom_fields(state, item.custom, call)
    shown["profileUrl"] = PROFILE_URL + item.id
    shown["source"] = source(state, item.source)
    shown["creditedToUser"] = user(state, item.credited)
    shown["timezone"] = item.timezone
    if item.location:
        shown["location"] = item.location
    shown["fraudStatus"] = item.fraud
    return shown


def _visible_applications(state: State, item: Candidate, call: Call) -> list[str]:
    if call.may("confidential") and not state.horizon:
        return item.applications
    seen = [key for key in item.applications if not state.hides(key)]
    return [key for key in seen if call.may("confidential") or not state.jobs[state.applications[key].job].confidential]


def note(state: State, item: Note) -> Json:
    """Show a note with its author."""
    author = state.users[item.author]
    return {
        "id": item.id,
        "createdAt": iso(item.created_ms),
        "isPrivate": item.is_private,
        "content": item.content,
        "author": {name: author[name] for name in ("id", "firstName", "lastName", "email") if name in author},
    }


STATUS_OF_TYPE = {"Lead": "Lead", "Hired": "Hired", "Archived": "Archived"}
"""Status by stage type; all other types are Active."""


def status(state: State, item: Application) -> str:
    """Derive the status of an application from its last stage."""
    return STATUS_OF_TYPE.get(state.stages[item.events[-1].stage_id]["type"], "Active")


def history(state: State, item: Application) -> list[Json]:
    """Show the history in order; the last event has no ``leftStageAt`` and cannot be deleted (recorded)."""
    events = state.seen(item).events
    return [_event(state, events, index) for index in range(len(events))]


def _event(state: State, events: list[Event], index: int) -> Json:
    item = events[index]
    shown: Json = {
        "id": item.id,
        "stageId": item.stage_id,
        "title": state.stages[item.stage_id]["title"],
        "stageNumber": index,
        "enteredStageAt": iso(item.entered_ms),
    }
    if index + 1 < len(events) and state.decides("left_stage_at") == "present":
        shown["leftStageAt"] = iso(events[index + 1].entered_ms)
    shown["allowedActions"] = ["set_entered_at"] if index + 1 == len(events) else ["set_entered_at", "delete"]
    shown["actorId"] = item.actor
    return shown


def _person(state: State, candidate_id: str, *, thin: bool) -> Json:
    item = state.candidates[candidate_id]
    shown: Json = {"id": item.id, "name": item.name}
    if not thin and item.email:
        shown["primaryEmailAddress"] = contact(item.email, primary=True)
    if not thin and item.phone:
        shown["primaryPhoneNumber"] = contact(item.phone, primary=True)
    return shown


def _job_brief(item: Job, *, thin: bool) -> Json:
    shown: Json = {"id": item.id, "title": item.title}
    if not thin:
        shown["locationId"] = item.location
        shown["departmentId"] = item.department
        if item.brand:
            shown["brandId"] = item.brand
    return shown


def archive_reason(state: State, item: Application) -> Json | None:
    """Show why an application is archived, null when it is not."""
    reason_id = item.events[-1].archive_reason
    if status(state, item) != "Archived" or reason_id is None:
        return None
    return {**state.archive_reasons[reason_id], "customFields": []}


def application(state: State, item: Application, call: Call, *, thin: bool = False) -> Json:
    """Show an application; ``thin`` as write answers were recorded (see the module's text)."""
    item = state.seen(item)
    last = item.events[-1]
    now_status = status(state, item)
    shown: Json = {"id": item.id, "createdAt": iso(item.created_ms), "updatedAt": iso(item.updated_ms)}
    if now_status == "Archived":
        late = item.added_ms > last.entered_ms and state.decides("archived_at") == "now"
        shown["archivedAt"] = iso(item.added_ms if late else last.entered_ms)
    shown["candidate"] = _person(state, item.candidate, thin=thin)
    shown["status"] = now_status
    shown["customFields"] = custom_fields(state, item.custom, call)
    stage = state.stages[last.stage_id]
    shown["currentInterviewStage"] = {"id": stage["id"], "title": stage["title"]} if thin else stage
    shown["source"] = source(state, item.source)
    shown["creditedToUser"] = user(state, item.credited)
    shown["archiveReason"] = archive_reason(state, item)
    shown["job"] = _job_brief(state.jobs[item.job], thin=thin)
    shown["hiringTeam"] = item.team
    shown["appliedViaJobPostingId"] = item.posting
    shown["submitterClientIp"] = None
    shown["submitterUserAgent"] = None
    return shown


def is_published(state: State, posting: Json) -> bool:
    """Say whether a posting is published: it was, and its job is open (guess)."""
    return posting["published"] is not None and state.jobs[posting["jobId"]].status == "Open"


def job(state: State, item: Job, call: Call, *, unpublished: bool = False) -> Json:
    """Show a job; ids of unpublished postings only on demand (vendor contract; recorded closed jobs show none)."""
    item = state.seen(item)
    return {
        "id": item.id,
        "title": item.title,
        "confidential": item.confidential,
        "status": item.status,
        "employmentType": item.employment,
        "locationId": item.location,
        "departmentId": item.department,
        "defaultInterviewPlanId": item.plan,
        "interviewPlanIds": item.plans,
        "jobPostingIds": [key for key in item.postings if unpublished or is_published(state, state.postings[key])],
        "customFields": custom_fields(state, item.custom, call),
        "hiringTeam": item.team,
        "customRequisitionId": item.requisition,
        "brandId": item.brand,
        "author": user(state, item.author),
        "createdAt": iso(item.created_ms),
        "updatedAt": iso(item.updated_ms),
        "openedAt": None if item.opened_ms is None else iso(item.opened_ms),
        "closedAt": None if item.closed_ms is None else iso(item.closed_ms),
    }


def field(item: Field) -> Json:
    """Show a custom-field definition; only selects have values."""
    shown: Json = {
        "id": item.id,
        "isPrivate": item.is_private,
        "title": item.title,
        "objectType": item.object,
        "isArchived": item.is_archived,
        "fieldType": item.kind,
        "isRequired": item.is_required,
    }
    if item.kind in ("ValueSelect", "MultiValueSelect"):
        shown["selectableValues"] = item.options
    return shown


def feedback(state: State, item: Feedback) -> Json:
    """Show a submitted feedback form as ``applicationFeedback.list`` does."""
    event = state.interview_events.get(item.interview_event or "", {})
    return {
        "id": item.id,
        "formDefinition": state.forms[item.form]["formDefinition"],
        "submittedValues": item.values,
        "submittedByUser": state.users[item.author],
        "interviewId": event.get("interviewId"),
        "interviewEventId": item.interview_event,
        "feedbackFormDefinitionId": item.form,
        "applicationHistoryId": item.event,
        "applicationId": item.application,
        "submittedAt": iso(item.submitted_ms),
    }


def opening(state: State, item: Opening, call: Call) -> Json:
    """Show an opening with its newest version."""
    return {
        "id": item.id,
        "openedAt": None if item.opened_ms is None else iso(item.opened_ms),
        "closedAt": None if item.closed_ms is None else iso(item.closed_ms),
        "isArchived": item.archived_ms is not None,
        "archivedAt": None if item.archived_ms is None else iso(item.archived_ms),
        "closeReasonId": item.close_reason,
        "openingState": item.state,
        "latestVersion": {
            "id": item.version_id,
            **item.details,
            "createdAt": iso(item.created_ms),
            "hiringTeam": item.team,
            "customFields": custom_fields(state, item.custom, call),
        },
    }

"""Before a value is set on something that people may have edited: compare, and let theirs win.

Only needed where the object was in Ashby before us, or where a row is sent a second time with a new body. What was
created a moment ago is not read again.
"""

from __future__ import annotations

from typing import Any

from lib.ashby import Ashby

READS = {
    "Candidate": ("candidate.info", "id"),
    "Application": ("application.info", "applicationId"),
    "Job": ("job.info", "id"),
}


def is_there(ashby: Ashby, kind: str, body: dict[str, Any]) -> bool:
    """True when the target already stands as a state-setting call would leave it (tag on, status reached)."""
    if kind == "candidate.addTag":
        person = ashby.call("candidate.info", {"id": body["candidateId"]}).results
        return any(tag.get("id") == body["tagId"] for tag in person.get("tags") or [])
    if kind == "job.setStatus":
        return ashby.call("job.info", {"id": body["jobId"]}).results.get("status") == body["status"]
    return False


def with_current_options(ashby: Ashby, body: dict[str, Any]) -> dict[str, Any]:
    """The options of a select field together with those that stand there now: Ashby archives what is left out."""
    wanted = {one["value"] for one in body["selectableValues"]}
    fields = ashby.items("customField.list", {"includeArchived": True})
    found = next((one for one in fields if one["id"] == body["customFieldId"]), {})
    others = [
        {"label": one["label"], "value": one["value"], "isArchived": bool(one.get("isArchived"))}
        for one in found.get("selectableValues") or []
        if one["value"] not in wanted
    ]
    return {**body, "selectableValues": [*body["selectableValues"], *others]}


def without_conflicts(
    ashby: Ashby, kind: str, body: dict[str, Any], *, written: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, list[str]]:
    """The part of `body` that may be set, and the names of what somebody else has set to another value since.

    `written` is what this row set before, if it did. None instead of a body: nothing is left to set.
    """
    if kind == "customField.setValues":
        return _fields(ashby, body, written)
    if kind == "candidate.update":
        return _candidate(ashby, body, written)
    return body, []


def _fields(
    ashby: Ashby, body: dict[str, Any], written: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, list[str]]:
    endpoint, key = READS[body["objectType"]]
    found = ashby.call(endpoint, {key: body["objectId"]}).results
    now = {field["id"]: field.get("value") for field in found.get("customFields") or []}
    ours = {one["fieldId"]: one["fieldValue"] for one in (written or {}).get("values", [])}
    free, conflicts = [], []
    for one in body["values"]:
        current = now.get(one["fieldId"])
        if current == one["fieldValue"]:
            continue
        if current in (None, "", []) or current == ours.get(one["fieldId"]):
            free.append(one)
        else:
            conflicts.append(one["fieldId"])
    return ({**body, "values": free} if free else None), conflicts


def _candidate(
    ashby: Ashby, body: dict[str, Any], written: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, list[str]]:
    found = ashby.call("candidate.info", {"id": body["candidateId"]}).results
    left, conflicts = dict(body), []
    for name, value in body.items():
        current = _current(found, name)
        if name in ("candidateId", "sendNotifications") or current is None or current == (written or {}).get(name):
            continue
        if name == "socialLinks" and all(link in value for link in current):
            continue  # only adds to what stands there, which may be what creating the candidate has set
        if current != value:
            conflicts.append(name)
        del left[name]
    return (left if len(left) > 2 else None), conflicts


def _current(found: dict[str, Any], name: str) -> Any:
    """The value of a candidate that corresponds to a member of `candidate.update`; None when it is empty."""
    links = [{"type": one.get("type"), "url": one.get("url")} for one in found.get("socialLinks") or []]
    by_type = {str(one["type"]): one["url"] for one in links}
    mails = [str(one.get("value")) for one in found.get("emailAddresses") or []]
    known: dict[str, Any] = {
        "name": found.get("name"),
        "email": (found.get("primaryEmailAddress") or {}).get("value"),
        "phoneNumber": (found.get("primaryPhoneNumber") or {}).get("value"),
        "linkedInUrl": by_type.get("LinkedIn"),
        "githubUrl": by_type.get("GitHub"),
        "websiteUrl": by_type.get("Website"),
        "socialLinks": links or None,
        "alternateEmail": mails[1] if len(mails) > 1 else None,
        "location": (found.get("location") or {}).get("locationSummary"),
        "sourceId": (found.get("source") or {}).get("id"),
        "creditedToUserId": (found.get("creditedToUser") or {}).get("id"),
        "createdAt": found.get("createdAt"),
    }
    return known.get(name)

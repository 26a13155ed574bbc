"""Before a value is set on something that people may have edited: compare, and let theirs win.

Only needed where the object was in Ashby before us, or where a row is sent a second time with a new body. What was
created a moment ago is not read again.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from lib.ashby import Ashby
from lib.errors import NotFoundError
from lib.load.doubt import settle, when_sent

if TYPE_CHECKING:
    from lib.load import Load
    from lib.store.ledger import Planned

AMENDMENTS = ("candidate.update", "application.update", "application.updateHistory")
"""Calls that change what another row has made: what stands there is compared with what both have set."""
NOT_TWICE = ("candidate.addTag", "job.setStatus")
"""Repeats that may do harm: a tag may stand twice, and Ashby's reference names no transition of a job to itself."""
SECOND = 1000
READS = {
    "Candidate": ("candidate.info", "id"),
    "Application": ("application.info", "applicationId"),
    "Job": ("job.info", "id"),
}


def is_there(ashby: Ashby, kind: str, body: dict[str, Any]) -> bool:
    """True when the target already stands as a state-setting call would leave it (tag on, status reached)."""
    if kind not in NOT_TWICE:
        return False
    try:
        return _stands(ashby, kind, body)
    except NotFoundError:  # not to be seen yet, or gone
        return False


def was_done(load: Load, row: Planned, body: dict[str, Any]) -> bool:
    """The same of a row whose answer was lost: looked at once its settling delay is over, and not before.

    A change may be shown as late as a new object. When the run stops before, nothing is looked at: see `load.stopping`.
    """
    return row.kind in NOT_TWICE and settle(load, when_sent(load, row)) and is_there(load.ashby, row.kind, body)


def _stands(ashby: Ashby, kind: str, body: dict[str, Any]) -> bool:
    if kind == "candidate.addTag":
        person = ashby.call("candidate.info", {"id": body["candidateId"]}).results
        return any(tag.get("id") == body["tagId"] for tag in person.get("tags") or [])
    return ashby.call("job.info", {"id": body["jobId"]}).results.get("status") == body["status"]


def standing(load: Load, row: Planned, body: dict[str, Any]) -> tuple[str, str | None, str]:
    """(done, absent or open, id of a tag, note) of a repeatable call whose outcome is not known; reads only.

    open: the run stops before the settling delay is over, so nothing is known.
    """
    ashby, before, kind, ashby_id = load.ashby, load.before, row.kind, None
    try:
        if kind == "candidateTag.create":
            tags = ashby.items("candidateTag.list", {"includeArchived": True})
            ids = [one["id"] for one in tags if one["title"] == body["title"] and one["id"] not in before]
            ashby_id, stands = next(iter(ids), None), bool(ids)
        elif kind == "customField.updateSelectableValues":
            stands = {one["value"] for one in body["selectableValues"]} <= {
                one["value"] for one in _options(ashby, body)
            }
        elif kind == "customField.setValues" or kind in AMENDMENTS:
            stands = without_conflicts(ashby, kind, body, written=None) == (None, [])
        else:
            stands = was_done(load, row, body)
    except NotFoundError:
        stands = False
    if load.stopping and not stands:
        return "open", None, ""
    return ("done", ashby_id, "found done after its answer was lost") if stands else ("absent", None, "")


def merged(requests: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What several calls of one row have set together, oldest first: a later one may set less than the first."""
    if not requests:
        return None
    whole: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for request in requests:
        whole |= request
        values |= {one["fieldId"]: one for one in request.get("values") or []}
    return whole | ({"values": list(values.values())} if values else {})


def without(body: dict[str, Any], members: list[str]) -> dict[str, Any]:
    """A body without the members (or the fields) that were left as somebody else has set them."""
    left = {name: value for name, value in body.items() if name not in members}
    if "values" in body:
        left["values"] = [one for one in body["values"] if one["fieldId"] not in members]
    return left


def with_current_options(ashby: Ashby, body: dict[str, Any]) -> dict[str, Any]:
    """The options of a select field as they stand now, and those of ours that lack: Ashby archives what is left out."""
    stands = [
        {"label": one["label"], "value": one["value"], "isArchived": bool(one.get("isArchived"))}
        for one in _options(ashby, body)
    ]
    known = {one["value"] for one in stands}
    return {
        **body,
        "selectableValues": [*stands, *(one for one in body["selectableValues"] if one["value"] not in known)],
    }


def _options(ashby: Ashby, body: dict[str, Any]) -> list[dict[str, Any]]:
    fields = ashby.items("customField.list", {"includeArchived": True})
    found = next((one for one in fields if one["id"] == body["customFieldId"]), {})
    return found.get("selectableValues") or []


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
    if kind == "application.update":
        return _application(ashby, body, written)
    if kind == "application.updateHistory":
        return _history(ashby, body, written)
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
        if name in ("candidateId", "sendNotifications"):
            continue
        if name == "alternateEmail":
            stands = {str(one.get("value")).casefold() for one in found.get("emailAddresses") or []}
            replaced = "email" in left and str(_current(found, "email")).casefold() == value.casefold()
            if value.casefold() in stands and not replaced:
                del left[name]  # another address is only added, nobody's is replaced
            continue
        current = _current(found, name)
        if current is not None and _same(current, value):
            del left[name]
            continue
        if current is None or _same(current, (written or {}).get(name)):
            continue
        if name == "socialLinks" and all(link in value for link in current):
            continue  # only adds to what stands there, which may be what creating the candidate has set
        conflicts.append(name)
        del left[name]
    return (left if len(left) > 2 else None), conflicts


def _same(current: Any, value: Any) -> bool:
    """True when a candidate's value is what we set: a place comes back in Ashby's wording, a time in its format."""
    if isinstance(value, dict):
        return all(str(part).casefold() in str(current).casefold() for part in value.values())
    return current == value or same_moment(current, value)


def _application(
    ashby: Ashby, body: dict[str, Any], written: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, list[str]]:
    found = ashby.call("application.info", {"applicationId": body["applicationId"]}).results
    current = {
        "sourceId": (found.get("source") or {}).get("id"),
        "creditedToUserId": (found.get("creditedToUser") or {}).get("id"),
        "createdAt": found.get("createdAt"),
    }
    left, conflicts = dict(body), []
    for name, now in current.items():
        if name not in body or now is None or _same(now, (written or {}).get(name)):
            continue
        if not _same(now, body[name]):
            conflicts.append(name)
        del left[name]
    return (left if left.keys() & current.keys() else None), conflicts


def _history(
    ashby: Ashby, body: dict[str, Any], written: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, list[str]]:
    """The whole history, events that stand there named by their id; nothing when somebody has moved the candidate."""
    found = ashby.call("application.info", {"applicationId": body["applicationId"]}).results
    now = sorted(found.get("applicationHistory") or [], key=lambda one: one.get("stageNumber", 0))
    wanted = body["applicationHistory"]
    if _same_events(now, wanted, found):
        return None, []
    if not _same_events(now, (written or {}).get("applicationHistory") or [], found):
        return None, ["applicationHistory"]
    ids = {(one["stageId"], _moment(one["enteredStageAt"])): one["id"] for one in now}
    named = []
    for event in wanted:
        at = _moment(event["enteredStageAt"])
        known = ids.pop((event["stageId"], at), None) or ids.pop((event["stageId"], at - at % SECOND), None)
        named.append(event | ({"applicationHistoryId": known} if known else {}))
    return {**body, "applicationHistory": named}, []


def _same_events(now: list[dict[str, Any]], ours: list[dict[str, Any]], found: dict[str, Any]) -> bool:
    """True when a history enters the same stages at the same times, and ends with the same archive reason."""
    reason = (found.get("archiveReason") or {}).get("id")
    return (
        len(now) == len(ours) > 0
        and all(
            one["stageId"] == other["stageId"] and same_moment(one["enteredStageAt"], other["enteredStageAt"])
            for one, other in zip(now, ours, strict=True)
        )
        and ours[-1].get("archiveReasonId") in (None, reason)
    )


def _moment(text: Any) -> int:
    return round(datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp() * 1000)


def same_moment(current: Any, sent: Any) -> bool:
    """True when a time that stands in Ashby is the one that was sent, or the second it was in.

    Whether Ashby keeps milliseconds is not known; nobody edits a time by less than a second.
    """
    try:
        now, at = _moment(current), _moment(sent)
    except ValueError:
        return False
    return now in (at, at - at % SECOND)


def _current(found: dict[str, Any], name: str) -> Any:
    """The value of a candidate that corresponds to a member of `candidate.update`; None when it is empty."""
    links = [{"type": one.get("type"), "url": one.get("url")} for one in found.get("socialLinks") or []]
    by_type = {str(one["type"]): one["url"] for one in links}
    known: dict[str, Any] = {
        "name": found.get("name"),
        "email": (found.get("primaryEmailAddress") or {}).get("value"),
        "phoneNumber": (found.get("primaryPhoneNumber") or {}).get("value"),
        "linkedInUrl": by_type.get("LinkedIn"),
        "githubUrl": by_type.get("GitHub"),
        "websiteUrl": by_type.get("Website"),
        "socialLinks": links or None,
        "location": (found.get("location") or {}).get("locationSummary"),
        "sourceId": (found.get("source") or {}).get("id"),
        "creditedToUserId": (found.get("creditedToUser") or {}).get("id"),
        "createdAt": found.get("createdAt"),
    }
    return known.get(name)

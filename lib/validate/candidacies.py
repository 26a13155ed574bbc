"""An application of the plan against the application in Ashby, field by field; with its history where it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.ashby import Ashby
from lib.errors import RejectedError
from lib.validate import values
from lib.validate.edits import LEFT_ALONE, Edits
from lib.validate.expected import Thing
from lib.validate.findings import Findings, Subject
from lib.validate.people import compare_custom
from lib.validate.target import Item, Target, ident

_MOVED_ON = "moved on in Ashby since it was loaded"
HISTORY = "applicationHistory"
_STATUS = {"Lead": "Lead", "Hired": "Hired", "Archived": "Archived"}
"""Status of an application by the type of its stage; all other types are Active (Ashby's reference, Application)."""


def compare_application(
    thing: Thing,
    target: Target,
    *,
    findings: Findings,
    edits: Edits,
    stage_types: Mapping[str, str],
    ashby: Ashby,
    archived_from_ms: int = 0,
) -> Item | None:
    """Compare one application with what `application.list` shows of it; None after naming it as missing.

    With `archived_from_ms` an archivedAt since then is when the application was written, and is not compared.
    """
    about = Subject("application", thing.lever_id, thing.ashby_id)
    found = target.applications.get(thing.ashby_id)
    findings.check(about, "(exists)", same=found is not None, kind="missing", detail="not in application.list")
    if found is None:
        return None
    sent = thing.sent
    same_person = ident(found.get("candidate")) == sent["candidateId"]
    merged = "" if same_person else f"now of candidate {ident(found.get('candidate'))}: merged in Ashby?"
    findings.check(about, "candidate", same=same_person, detail=merged)
    job = ident(found.get("job"))
    findings.check(about, "job", same=job == sent["jobId"], detail=_ids(sent["jobId"], found, "job"))
    for name, shown in (("sourceId", "source"), ("creditedToUserId", "creditedToUser")):
        if name in sent:
            same = ident(found.get(shown)) == sent[name]
            told, severity = _ids(sent[name], found, shown), "critical"
            if not same and edits.left_alone(thing.by.get(name, ""), name):
                told, severity = LEFT_ALONE, "warning"
            findings.check(about, shown, same=same, detail=told, severity=severity)
        elif ident(found.get(shown)):
            findings.differ(about, shown, kind="surplus", detail=_ids("none", found, shown), severity="warning")
    if "createdAt" in sent:
        same = findings.same_moment(sent["createdAt"], found.get("createdAt"))
        told = f"sent {sent['createdAt']}, found {found.get('createdAt')}"
        findings.check(about, "createdAt", same=same, detail=told)
    left = edits.left_alone(thing.by.get(HISTORY, ""), HISTORY)
    _position(
        about, thing, found, findings=findings, stage_types=stage_types, ashby=None if left else ashby,
        archived_from_ms=archived_from_ms,
    )  # fmt: skip
    compare_custom(about, thing, found, findings=findings, edits=edits)
    return found


def _ids(sent: str, found: Item, name: str) -> str:
    return f"sent {sent}, found {ident(found.get(name)) or 'none'}"


def _position(
    about: Subject,
    thing: Thing,
    found: Item,
    *,
    findings: Findings,
    stage_types: Mapping[str, str],
    ashby: Ashby | None,
    archived_from_ms: int,
) -> None:
    """Stage, status, archive reason and its time: all follow from the last event of the history.

    Without `ashby` it is known that a history of somebody else's making was left as it is.
    """
    history = thing.sent.get("applicationHistory") or []
    if not history:
        return
    last = history[-1]
    stage, kind = found.get("currentInterviewStage") or {}, stage_types.get(last["stageId"], "")
    wanted: dict[str, tuple[Any, Any, bool]] = {}
    wanted["stage"] = (last["stageId"], ident(stage), last["stageId"] == ident(stage))
    if kind:
        status = _STATUS.get(kind, "Active")
        wanted["status"] = (status, found.get("status"), status == found.get("status"))
    if "archiveReasonId" in last:
        reason, at = ident(found.get("archiveReason")), found.get("archivedAt")
        wanted["archiveReason"] = (last["archiveReasonId"], reason, last["archiveReasonId"] == reason)
        if not (archived_from_ms and (values.moment(at) or 0) >= archived_from_ms):
            wanted["archivedAt"] = (last["enteredStageAt"], at, findings.same_moment(last["enteredStageAt"], at))
    moved = ashby is None or (
        not all(same for _, _, same in wanted.values()) and _moved_on(ashby, thing, history, unit_ms=findings.unit_ms)
    )
    why = LEFT_ALONE if ashby is None else _MOVED_ON
    for name, (sent, value, same) in wanted.items():
        told = why if moved else f"sent {sent}, found {value or 'none'}"
        findings.check(about, name, same=same, detail=told, severity="warning" if moved else "critical")


def _moved_on(ashby: Ashby, thing: Thing, history: list[Item], *, unit_ms: int) -> bool:
    """True when our whole history stands there, and events came after it."""
    try:
        found = events(ashby.call("application.info", {"applicationId": thing.ashby_id}).results)
    except RejectedError:
        return False
    return len(found) > len(history) and same_events(history, found[: len(history)], unit_ms=unit_ms)


def events(application: Item) -> list[Item]:
    """The history of an application in order."""
    return sorted(application.get("applicationHistory") or [], key=lambda one: one.get("stageNumber", 0))


def same_events(sent: list[Item], found: list[Item], *, unit_ms: int = 1) -> bool:
    """True when both histories enter the same stages at the same times."""
    return len(sent) == len(found) and all(
        one["stageId"] == other.get("stageId")
        and values.same_moment(one["enteredStageAt"], other.get("enteredStageAt"), unit_ms=unit_ms)
        for one, other in zip(sent, found, strict=True)
    )


def compare_history(about: Subject, thing: Thing, shown: Item, *, findings: Findings, left_alone: bool = False) -> None:
    """Stages and times of the whole history, event by event; not where somebody else's was left as it is."""
    sent, found = thing.sent.get(HISTORY) or [], events(shown)
    if not sent or left_alone:
        return
    moved = len(found) > len(sent) and same_events(sent, found[: len(sent)], unit_ms=findings.unit_ms)
    told = _MOVED_ON if moved else f"sent {len(sent)} events, found {len(found)}"
    severity = "warning" if moved else "critical"
    findings.check(about, "history: events", same=len(sent) == len(found), detail=told, severity=severity)
    for number, (one, other) in enumerate(zip(sent, found, strict=False)):
        told = f"event {number}: sent {one['stageId']}, found {other.get('stageId')}"
        findings.check(about, "history: stages", same=one["stageId"] == other.get("stageId"), detail=told)
        at, there = one["enteredStageAt"], other.get("enteredStageAt")
        told = f"event {number}: sent {at}, found {there}"
        findings.check(about, "history: times", same=findings.same_moment(at, there), detail=told)

"""An Ashby as a finished load leaves it, told from plan and ledger: in process, without a network, nothing gathered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select, text

from lib.ashby import Answer
from lib.store import Store, unfinished
from lib.store import tables as t
from lib.store.ledger import Ledger
from lib.validate.expected import chains, person_of, set_up_of, with_outcomes

Json = dict[str, Any]
_DONE = """
INSERT INTO ledger (row_id, state, body_hash, attempts, ashby_id, code, note, request_id, first_ms, at_ms)
SELECT row_id, 'done', body_hash, 1,
       CASE WHEN kind = 'link' THEN json_extract(body, '$.ashbyId')
            ELSE substr(lower(hex(randomblob(4))), 1, 8) || '-0000-4000-8000-' ||
                 substr('000000000000' || position, -12) END,
       '', '', '', 1, 1
FROM plan WHERE position <= :last AND row_id NOT IN (SELECT row_id FROM ledger)
"""
_LINKED = """
INSERT OR IGNORE INTO links (link, ashby_type, ashby_id, origin, row_id)
SELECT p.link, substr(p.link, 1, instr(p.link, ':') - 1), l.ashby_id,
       CASE WHEN p.kind = 'link' THEN 'existing' ELSE 'created' END, p.row_id
FROM plan p JOIN ledger l ON l.row_id = p.row_id WHERE p.link <> ''
"""
_LAST = "SELECT max(position) FROM plan WHERE person = (SELECT person FROM plan WHERE position = :place)"


def finish(store: Store, share: float) -> None:
    """Call the first `share` of the plan done, whole people, as a load would have recorded it, in one transaction."""
    plan = store.meta("plan")
    with store.begin() as tx:
        place = max(0, int(plan["n_rows"] * share) - 1)
        tx.execute(text(_DONE), {"last": tx.execute(text(_LAST), {"place": place}).scalar()})
        tx.execute(text(_LINKED))
        unfinished.refill(store, tx, unfinished.stamp_of(plan))


class ToldAshby:
    """What a finished load leaves in Ashby, told from plan and ledger row by row; nothing is gathered."""

    def __init__(self, store: Store) -> None:
        """Of one customer's store."""
        self.store, self.ledger = store, Ledger(store)
        self.skew_ms, self.told_s = 0, 0.0  # processor seconds that it took to tell
        plans = store.ashby("interview_plans", own=True)
        self.types = {one["id"]: one.get("type") for plan in plans for one in plan.get("stages") or []}

    def items(self, endpoint: str, body: Json | None = None) -> list[Json]:
        """A whole list."""
        return [one for page in self.pages(endpoint, body) for one in page.results]

    def pages(self, endpoint: str, body: Json | None = None) -> Iterator[Any]:
        """A list in pages of 100."""
        page: list[Json] = []
        began = time.thread_time()
        for one in self._told(endpoint, body or {}):
            page.append(one)
            if len(page) == 100:
                self.told_s += time.thread_time() - began
                yield Answer(page)
                began, page = time.thread_time(), []
        self.told_s += time.thread_time() - began
        yield Answer(page)

    def call(self, endpoint: str, body: Json | None = None) -> Any:
        """Only what the sample asks for: an application with its history."""
        wanted = (body or {}).get("applicationId", "")
        lever_id = (self.ledger.is_linked(wanted) or ":").partition(":")[2]
        row = self.ledger.row(f"application.create/opportunity/{lever_id}")
        rows = self.ledger.rows(row.person) if row else ()
        person = person_of("", with_outcomes(self.ledger, rows), Links(self.store))
        return Answer(_application(person.applications[wanted], self.types))

    def file_sha256(self, handle: str) -> str:
        """The hash of a file, which its handle is here."""
        return handle

    def _told(self, endpoint: str, body: Json) -> Iterator[Json]:
        links = Links(self.store)
        if endpoint == "candidate.listNotes":
            yield from self._notes(body["candidateId"], links)
            return
        for name, rows in chains(self.ledger):
            if not name:
                yield from _set_up_items(endpoint, set_up_of(rows, links))
                if not endpoint.startswith(("candidate.", "application")):
                    return
                continue
            yield from _person_items(endpoint, person_of(name, rows, links), self.types)

    def _notes(self, candidate_id: str, links: Any) -> Iterator[Json]:
        person = (self.ledger.is_linked(candidate_id) or ":").partition(":")[2]
        found = person_of(person, with_outcomes(self.ledger, self.ledger.rows(person)), links)
        for piece in found.of("candidate.createNote"):
            sent = piece.body["note"]
            yield {"id": piece.ashby_id, "content": sent["value"], "createdAt": piece.body.get("createdAt"),
                   "isPrivate": bool(piece.body.get("isPrivate"))}  # fmt: skip


class Links(dict):  # type: ignore[type-arg]
    """Ashby ids by link, asked for one by one."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store

    def get(self, key: str, default: Any = None) -> Any:
        """One id."""
        if key in self:
            return self[key]
        rows = self.store._rows(select(t.links.c.ashby_id).where(t.links.c.link == key))
        found = rows[0].ashby_id if rows else default
        if not key.startswith(("candidate:", "application:")):
            self[key] = found
        return found


def _set_up_items(endpoint: str, made: Any) -> Iterator[Json]:
    if endpoint == "job.list":
        for thing in made.jobs.values():
            sent = thing.sent
            yield {"id": thing.ashby_id, "title": sent.get("title"), "departmentId": sent.get("teamId"),
                   "locationId": sent.get("locationId"), "status": sent.get("status"),
                   "defaultInterviewPlanId": sent.get("defaultInterviewPlanId"),
                   "customFields": _fields(thing)}  # fmt: skip
    elif endpoint == "customField.list":
        for thing in made.fields.values():
            yield {"id": thing.ashby_id, **{k: thing.sent.get(k) for k in ("title", "objectType", "fieldType")},
                   "selectableValues": thing.sent.get("selectableValues") or []}  # fmt: skip
    elif endpoint == "candidateTag.list":
        for thing in made.tags.values():
            yield {"id": thing.ashby_id, "title": thing.sent.get("title", "")}


def _fields(thing: Any) -> list[Json]:
    return [{"id": key, "value": value} for key, value in thing.custom.items()]


def _person_items(endpoint: str, person: Any, types: Json) -> Iterator[Json]:
    if endpoint == "candidate.list" and person.candidate is not None:
        yield _candidate(person)
    elif endpoint == "application.list":
        yield from (_application(thing, types) for thing in person.applications.values())
    elif endpoint == "applicationFeedback.list":
        for piece in person.of("applicationFeedback.submit"):
            yield {"id": piece.ashby_id, "applicationId": piece.body["applicationId"],
                   "feedbackFormDefinitionId": piece.body["formDefinitionId"],
                   "submittedByUser": {"id": piece.body["userId"]} if "userId" in piece.body else None,
                   "submittedValues": {one["path"]: one["value"]
                                       for one in piece.body["feedbackForm"]["fieldSubmissions"]}}  # fmt: skip


def _candidate(person: Any) -> Json:
    thing, sent = person.candidate, person.candidate.sent
    mails = [one for one in (sent.get("email"), *sent.get("alternates", [])) if one]
    files = [{"id": one.ashby_id, "name": one.file["filename"], "handle": one.file["sha256"]}
             for one in person.of("candidate.uploadFile", "candidate.uploadResume")]  # fmt: skip
    resumes = person.of("candidate.uploadResume")
    resume = next((one for one in files if resumes and one["id"] == resumes[-1].ashby_id), None)
    phone = [{"value": sent["phoneNumber"]}] if sent.get("phoneNumber") else []
    return {
        "id": thing.ashby_id, "name": sent.get("name"), "createdAt": sent.get("createdAt"),
        "primaryEmailAddress": {"value": mails[0]} if mails else None, "emailAddresses": [{"value": m} for m in mails],
        "primaryPhoneNumber": phone[0] if phone else None, "phoneNumbers": phone,
        "socialLinks": [{"type": kind, "url": url} for kind, url in sent.get("links", {}).items()],
        "tags": [{"id": key, "title": row.partition("/")[2]} for key, row in thing.tags.items()],
        "applicationIds": list(person.applications), "resumeFileHandle": resume, "fileHandles": files,
        "customFields": _fields(thing), "source": {"id": sent["sourceId"]} if "sourceId" in sent else None,
        "creditedToUser": {"id": sent["creditedToUserId"]} if "creditedToUserId" in sent else None,
        "location": {"locationSummary": ", ".join(sent["location"].values()), "locationComponents": [
            {"type": key.capitalize(), "name": text} for key, text in sent["location"].items()]}
        if sent.get("location") else None,
    }  # fmt: skip


def _application(thing: Any, types: Json) -> Json:
    sent = thing.sent
    last = (sent.get("applicationHistory") or [{}])[-1]
    kind = types.get(last.get("stageId"), "")
    status = kind if kind in ("Lead", "Hired", "Archived") else "Active"
    history = [one | {"id": str(n), "stageNumber": n} for n, one in enumerate(sent.get("applicationHistory") or [])]
    return {
        "id": thing.ashby_id, "createdAt": sent.get("createdAt"), "candidate": {"id": sent["candidateId"]},
        "archivedAt": last.get("enteredStageAt") if "archiveReasonId" in last else None, "status": status,
        "job": {"id": sent["jobId"]}, "currentInterviewStage": {"id": last.get("stageId", "")},
        "source": {"id": sent["sourceId"]} if "sourceId" in sent else None,
        "creditedToUser": {"id": sent["creditedToUserId"]} if "creditedToUserId" in sent else None,
        "archiveReason": {"id": last["archiveReasonId"]} if "archiveReasonId" in last else None,
        "customFields": _fields(thing), "applicationHistory": history,
    }  # fmt: skip

"""A small migration, planned by hand and really loaded into a sandbox: the ground on which validation is tested."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib import load
from lib.ashby import Ashby
from lib.mapping.plan import Chain, link, plan_hash
from lib.normalize import ms_to_iso
from lib.store import FileRow, Store, open_store
from lib.store.ledger import Ledger, Planned
from lib.transport import Pacer, Patience, Transport

MS = 1_700_000_000_000
FIELDS = {"Candidate": "Lever contact ID", "Application": "Lever opportunity ID", "Job": "Lever posting ID"}
RUN_TAG = "Migrated from Lever"
FILE = b"%PDF-1.4 signed by both sides"
RESUME = b"Company: Fjordworks\nPosition: Sailor\n"


def iso(ms: int) -> str:
    """Epoch milliseconds as Ashby writes them."""
    return ms_to_iso(ms)


@contextmanager
def sandbox() -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own, on a free port."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--people", "12", "--limits", "off", "--json"]
    root = Path(__file__).resolve().parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(10)


@dataclass
class World:
    """One loaded migration: store, client, and what the target offered."""

    facts: dict[str, Any]
    store: Store
    ashby: Ashby
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        """The ledger of this world."""
        return Ledger(self.store)

    def id_of(self, key: str) -> str:
        """The Ashby id behind a link."""
        return self.ledger.links()[key]

    def row(self, row_id: str) -> Planned:
        """One row of the plan."""
        found = self.ledger.row(row_id)
        assert found is not None, row_id
        return found

    def lose(self, row_id: str, ashby_id: str = "00000000-0000-4000-8000-00000000dead") -> None:
        """Let the ledger believe that a row was done, though Ashby has nothing of it."""
        self.ledger.settle(self.row(row_id), "done", ashby_id=ashby_id)

    def rpc(self, endpoint: str, body: dict[str, Any]) -> Any:
        """Call Ashby as somebody else would: past the contract and the ledger. Returns the results."""
        token = base64.b64encode(f"{self.facts['ashby_key']}:".encode()).decode()
        request = urllib.request.Request(
            f"{self.facts['ashby_url']}/{endpoint}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            found = json.load(answer)
        assert found["success"] is True, found
        return found["results"]

    def load(self) -> None:
        """Carry out the plan."""
        load.run(load.Load(self.store, self.ashby, workers=2, settle_s=0.0))


def connect(facts: dict[str, Any], key: str = "ashby_key") -> Ashby:
    """A client of the sandbox's Ashby side."""
    transport = Transport("Ashby", pacer=Pacer(5000, burst=500))
    host = facts["storage_url"].split("/")[2]
    return Ashby(facts["ashby_url"], facts[key], transport=transport, patience=Patience(2, 0.01, 0.1), hosts=[host])


def build(facts: dict[str, Any], folder: Path, *, run: bool = True, damaged: bool = False) -> World:
    """Reset the sandbox, make the store, the raw answers and the plan, and load it unless told not to."""
    request = urllib.request.Request(f"{facts['control_url']}/reset", data=b"{}", method="POST")
    urllib.request.urlopen(request, timeout=10).close()
    world = World(facts, open_store(folder / "demo"), connect(facts))
    _read_target(world)
    _put_raw(world.store, damaged=damaged)
    rows = _plan(world)
    world.ledger.put_plan(rows, plan_hash=plan_hash(rows))
    if run:
        world.load()
    return world


def _read_target(world: World) -> None:
    ashby, store = world.ashby, world.store
    plans = [one for one in ashby.items("interviewPlan.list") if one["title"] == "Standard hiring"]
    for plan in plans:
        plan["stages"] = ashby.all_of("interviewStage.list", {"interviewPlanId": plan["id"]})
    forms = [one for one in ashby.items("feedbackFormDefinition.list") if one["title"] == "Migrated feedback"]
    kinds = {
        "interview_plans": plans,
        "feedback_forms": forms,
        "jobs": ashby.items("job.list", {"status": ["Draft", "Open", "Closed", "Archived"]}),
        "candidates": ashby.items("candidate.list"),
        "tags": ashby.items("candidateTag.list"),
        "custom_fields": ashby.items("customField.list"),
    }
    with store.begin() as tx:
        for kind, items in kinds.items():
            store.put_ashby(tx, kind, [(one["id"], one) for one in items], whole=True)
    reasons = ashby.all_of("archiveReason.list", {"includeArchived": False})
    sources = ashby.all_of("source.list", {"includeArchived": False})
    world.meta = {
        "plan": plans[0]["id"],
        "stages": {one["title"]: one["id"] for one in plans[0]["stages"]},
        "reason": reasons[0]["id"],
        "other_reason": reasons[1]["id"],
        "source": sources[0]["id"],
        "other_source": sources[1]["id"],
        "user": next(one["id"] for one in ashby.items("user.list") if one["isEnabled"]),
        "team": ashby.items("department.list")[0]["id"],
        "location": ashby.items("location.list")[0]["id"],
        "form": forms[0]["id"],
        "paths": {
            entry["field"]["title"]: entry["field"]["path"]
            for section in forms[0]["formDefinition"]["sections"] for entry in section["fields"]
        },
        "existing": kinds["candidates"][0]["id"],
    }  # fmt: skip


PEOPLE = {"c1": ["o1", "o2", "o3"], "c2": ["o4"], "c3": ["o5"]}


def _put_raw(store: Store, *, damaged: bool) -> None:
    """Three contacts who move (c3 is in Ashby already), and one who was anonymised."""
    opportunities = {key: contact for contact, keys in PEOPLE.items() for key in keys} | {"o9": "c9"}
    with store.begin() as tx:
        for number, (key, contact) in enumerate(opportunities.items()):
            body = {
                "id": key, "contact": {"id": contact, "isAnonymized": contact == "c9"}, "createdAt": MS + number,
                "confidentiality": "confidential" if key == "o4" else "non-confidential",
            }  # fmt: skip
            store.put_raw(tx, "opportunities", [(key, contact, body)])
        note = {"id": "n1", "createdAt": MS + 5, "fields": []}
        store.put_raw(tx, "notes", [("n1", "o1", note), ("n2", "o1", note | {"id": "n2", "secret": True})])
        store.put_raw(tx, "notes", [("n9", "o9", note | {"id": "n9"})])
        store.put_raw(tx, "notes", [("n8", "o1", note | {"id": "n8", "deletedAt": MS})])
        store.put_raw(tx, "feedback", [("f1", "o1", {"id": "f1", "completedAt": MS})])
        store.put_raw(tx, "files", [("x1", "o1", {"id": "x1"}), ("x2", "o1", {"id": "x2"})])
        store.put_raw(tx, "resumes", [("r1", "o1", {"id": "r1", "file": {"name": "cv"}})])
        store.put_raw(tx, "postings", [("p1", "", {"id": "p1", "text": "Baker"})])
        for key, stream, data in (("x1", "files", FILE), ("r1", "resumes", RESUME)):
            digest = hashlib.sha256(data).hexdigest()
            path = store.file_path(digest)
            path.write_bytes(data[:-1] + b"?" if damaged and key == "x1" else data)
            store.put_file(tx, FileRow(key, stream, "o1", key, "application/pdf", len(data), digest, "stored", "", 1))
        store.put_file(tx, FileRow("x2", "files", "o1", "x2", "", None, None, "unavailable", "422", 3))
    members = [{"contact": contact, "person": contact, "why": "only contact"} for contact in [*PEOPLE, "c9"]]
    store.put_people([{"person": contact} for contact in [*PEOPLE, "c9"]], members, [])


def _plan(world: World) -> list[Any]:
    first = Chain("")
    for kind, title in FIELDS.items():
        body = {"fieldType": "String", "objectType": kind, "title": title}
        key = f"{kind}:{title}"
        first.add("customField.create", "custom_field", key, body=body, gives=f"custom_field:{key}")
    body = {
        "fieldType": "ValueSelect", "objectType": "Candidate", "title": "Shift",
        "selectableValues": [{"label": "Day", "value": "d"}, {"label": "Night", "value": "n"}],
    }  # fmt: skip
    first.add("customField.create", "custom_field", "Candidate:Shift", body=body, gives="custom_field:Candidate:Shift")
    first.add("candidateTag.create", "tag", RUN_TAG, body={"title": RUN_TAG}, gives=f"tag:{RUN_TAG}")
    meta = world.meta
    job = {
        "title": "Baker", "teamId": meta["team"], "locationId": meta["location"],
        "defaultInterviewPlanId": meta["plan"],
    }  # fmt: skip
    first.add("job.create", "posting", "p1", body=job, gives="job:p1")
    status = {"jobId": link("job:p1"), "status": "Open"}
    opened = first.add("job.setStatus", "posting", "p1", body=status, part="Open")
    _marker(first, "Job", "job:p1", "posting", "p1")
    first.known["job:p1"] = ("job.create/posting/p1", opened.row_id)
    return [*first.rows, *_baker(world, first), *_plain(world, first), *_known(world, first)]


def _marker(chain: Chain, kind: str, target: str, lever_type: str, lever_id: str, **more: Any) -> None:
    values = [{"fieldId": link(f"custom_field:{kind}:{FIELDS[kind]}"), "fieldValue": lever_id}]
    values += [{"fieldId": link(f"custom_field:{kind}:{title}"), "fieldValue": value} for title, value in more.items()]
    body = {"objectId": link(target), "objectType": kind, "values": values}
    chain.add("customField.setValues", lever_type, lever_id, body=body)


def _note(chain: Chain, lever_id: str, lever_type: str = "note", *, private: bool = False) -> None:
    value = f"Lever note by somebody\nGood bread & <b>crust</b>.\n[Lever {lever_type} {lever_id}]"
    body = {
        "candidateId": link(f"candidate:{chain.person}"), "note": {"type": "text/plain", "value": value},
        "sendNotifications": False, "createdAt": iso(MS + 77),
    }  # fmt: skip
    chain.add("candidate.createNote", lever_type, lever_id, body=body | ({"isPrivate": True} if private else {}))


def _application(chain: Chain, world: World, lever_id: str, stages: list[str], at: int) -> None:
    meta = world.meta
    history = [
        {"stageId": meta["stages"][title], "stageNumber": number, "enteredStageAt": iso(at + number * 1000)}
        for number, title in enumerate(stages)
    ]
    if stages[-1] == "Archived":
        history[-1]["archiveReasonId"] = meta["reason"]
    body = {
        "candidateId": link(f"candidate:{chain.person}"), "jobId": link("job:p1"), "interviewPlanId": meta["plan"],
        "sourceId": meta["source"], "creditedToUserId": meta["user"], "createdAt": iso(at),
        "applicationHistory": history,
    }  # fmt: skip
    chain.add("application.create", "opportunity", lever_id, body=body, gives=f"application:{lever_id}")
    _marker(chain, "Application", f"application:{lever_id}", "opportunity", lever_id)


def _file(chain: Chain, lever_id: str, data: bytes, *, resume: bool) -> None:
    file = {
        "lever_id": lever_id, "sha256": hashlib.sha256(data).hexdigest(), "filename": f"{lever_id}.pdf",
        "contentType": "application/pdf", "contentLength": len(data),
        "context": "CandidateResume" if resume else "CandidateFiles",
    }  # fmt: skip
    name = "resumeHandle" if resume else "fileHandle"
    body = {"candidateId": link(f"candidate:{chain.person}"), name: {"$file": file}}
    kind = "candidate.uploadResume" if resume else "candidate.uploadFile"
    chain.add(kind, "resume" if resume else "file", lever_id, body=body)


def _baker(world: World, first: Chain) -> list[Any]:
    """A person with everything."""
    chain = Chain("c1", known=dict(first.known))
    body = {
        "name": "Ada Baker", "email": "Ada.Baker@bread.example", "alternateEmailAddresses": ["ada@oven.example"],
        "phoneNumber": "+4791234567", "linkedInUrl": "https://www.linkedin.com/in/ada/",
        "location": {"city": "Bergen", "country": "Norway"}, "createdAt": iso(MS),
    }  # fmt: skip
    chain.add("candidate.create", "person", "c1", body=body, gives="candidate:c1")
    links = [
        {"type": "LinkedIn", "url": "https://www.linkedin.com/in/ada"}, {"type": "Twitter", "url": "https://x.example/a"}
    ]  # fmt: skip
    update = {"candidateId": link("candidate:c1"), "socialLinks": links, "sendNotifications": False}
    chain.add("candidate.update", "person", "c1", body=update)
    _marker(chain, "Candidate", "candidate:c1", "person", "c1", Shift="n")
    tag = {"candidateId": link("candidate:c1"), "tagId": link(f"tag:{RUN_TAG}")}
    chain.add("candidate.addTag", "person", "c1", body=tag, part=RUN_TAG)
    _application(chain, world, "o1", ["New Lead", "Phone Interview", "Archived"], MS)
    _application(chain, world, "o2", ["New Lead", "Hired"], MS + 10_000)
    _application(chain, world, "o3", ["Application Review"], MS + 20_000)
    paths = world.meta["paths"]
    answers = [
        {"path": paths["Lever feedback ID"], "value": "f1"},
        {"path": paths["Overall rating"], "value": {"score": 3}},
        {"path": paths["Feedback"], "value": "A calm hand.\n[Lever feedback f1]"},
    ]
    body = {
        "applicationId": link("application:o1"), "formDefinitionId": world.meta["form"], "userId": world.meta["user"],
        "feedbackForm": {"fieldSubmissions": answers},
    }  # fmt: skip
    chain.add("applicationFeedback.submit", "feedback", "f1", body=body)
    _note(chain, "n1")
    _note(chain, "n2", private=True)
    _note(chain, "o1", "history")
    _file(chain, "x1", FILE, resume=False)
    _file(chain, "r1", RESUME, resume=True)
    return chain.rows


def _plain(world: World, first: Chain) -> list[Any]:
    """A person with little: one confidential candidacy, no e-mail."""
    chain = Chain("c2", known=dict(first.known))
    body = {"name": "Bo Miller", "createdAt": iso(MS + 3)}
    chain.add("candidate.create", "person", "c2", body=body, gives="candidate:c2")
    _marker(chain, "Candidate", "candidate:c2", "person", "c2")
    _application(chain, world, "o4", ["New Lead", "Recruiter Screen"], MS + 3)
    return chain.rows


def _known(world: World, first: Chain) -> list[Any]:
    """A person who was in Ashby before."""
    chain = Chain("c3", known=dict(first.known))
    body = {"ashbyType": "candidate", "ashbyId": world.meta["existing"]}
    chain.add("link", "person", "c3", body=body, gives="candidate:c3")
    _marker(chain, "Candidate", "candidate:c3", "person", "c3")
    _note(chain, "o5", "opportunity")
    return chain.rows

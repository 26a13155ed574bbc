"""The answers of the Ashby side against the vendor's own documents, where those are at hand.

Looked for in the folder that ``ASHBY_DOCUMENTS`` names, else in a folder ``shared`` beside the repository:
``contracts/ashby-openapi.yml`` (the published contract) and ``recordings/ashby`` (recorded answers).
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ashby_kit import Desk

from sandbox.ashby.bodies import endpoints

JAN, FEB = "2021-01-04T09:00:00.123Z", "2021-02-01T10:30:00.000Z"


def documents() -> Path | None:
    """Return the folder of vendor documents."""
    named = os.environ.get("ASHBY_DOCUMENTS")
    places = [Path(named)] if named else [parent / "shared" for parent in Path(__file__).resolve().parents]
    return next((place for place in places if (place / "contracts" / "ashby-openapi.yml").is_file()), None)


FOLDER = documents()
needs_documents = pytest.mark.skipif(FOLDER is None, reason="the vendor's documents are not at hand")


def _relaxed(node: Any) -> Any:
    """Make schemas usable: alternatives overlap there (anyOf), answers may have more members, nulls are pruned."""
    if isinstance(node, list):
        return [_relaxed(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {}
    for name, value in node.items():
        if name == "additionalProperties" or (name == "format" and value == "currency"):
            continue
        made["anyOf" if name == "oneOf" else name] = _relaxed(value)
    return made


@cache
def contract() -> dict[str, Any]:
    """Read the contract."""
    assert FOLDER is not None
    text = (FOLDER / "contracts" / "ashby-openapi.yml").read_text()
    # The contract's own pointers lead through "oneOf": they are renamed with the members.
    document = yaml.load(text.replace("/oneOf/", "/anyOf/"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return _relaxed(document)


def _pruned(value: Any) -> Any:
    """Leave out members that are null: recorded answers have nulls that the contract does not allow."""
    if isinstance(value, dict):
        return {name: _pruned(item) for name, item in value.items() if item is not None}
    return [_pruned(item) for item in value] if isinstance(value, list) else value


def _validate(endpoint: str, answer: dict[str, Any]) -> None:
    document = contract()
    schema = document["paths"][f"/{endpoint}"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    branches = schema.get("anyOf", [schema])
    wanted = branches[:1] if answer.get("success", True) else branches[1:]
    parts = {name: document[name] for name in ("paths", "components", "webhooks")}
    validator = jsonschema.Draft202012Validator({"anyOf": wanted, **parts}, format_checker=jsonschema.FormatChecker())
    error = jsonschema.exceptions.best_match(validator.iter_errors(_pruned(answer)))
    assert error is None, f"{endpoint}: {error.json_path}: {error.message[:300]}"


class _Tour:
    """Calls every endpoint once with success, keeping the answers."""

    def __init__(self) -> None:
        self.desk = Desk(write_answers="full")
        self.answers: dict[str, dict[str, Any]] = {}

    def go(self, endpoint: str, **body: Any) -> Any:
        answer = self.desk.ask(endpoint, body).json
        assert answer.get("success", True) is True, (endpoint, answer)
        self.answers[endpoint] = answer
        return answer["results"]

    def candidates(self) -> str:
        go = self.go
        person = go(
            "candidate.create", name="A", email="a@x.example", phoneNumber="1", createdAt=JAN,
            linkedInUrl="https://linkedin.com/in/a", location={"city": "Oslo", "country": "Norway"},
            sourceId=go("source.list")[0]["id"], creditedToUserId=go("user.list")[0]["id"],
        )["id"]  # fmt: skip
        tag = go("candidateTag.create", title="T")["id"]
        go("candidate.addTag", candidateId=person, tagId=tag)
        go("candidate.createNote", candidateId=person, note="n", isPrivate=True, createdAt=FEB)
        go("candidate.listNotes", candidateId=person)
        for context, endpoint, member in (
            ("CandidateResume", "candidate.uploadResume", "resumeHandle"),
            ("CandidateFiles", "candidate.uploadFile", "fileHandle"),
        ):
            handle = self.desk.upload(context, "cv.pdf", b"Company: X\nPosition: Y\nSchool: Z\n")
            go(endpoint, candidateId=person, **{member: handle})
        go(
            "file.createFileUploadHandle", fileUploadContext="CandidateFiles", filename="a", contentType="b",
            contentLength=1,
        )  # fmt: skip
        fields = [
            ("String", "x"), ("Boolean", True), ("Number", 2.5), ("Date", "2024-01-01T00:00:00.000Z"),
            ("Currency", {"value": 1, "currencyCode": "EUR"}), ("MultiValueSelect", ["1"]), ("ValueSelect", "1"),
        ]  # fmt: skip
        values = []
        for kind, value in fields:
            options = {"selectableValues": [{"label": "One", "value": "1"}]} if kind.endswith("Select") else {}
            field = go("customField.create", fieldType=kind, objectType="Candidate", title=kind, **options)["id"]
            values.append({"fieldId": field, "fieldValue": value})
        go("customField.updateSelectableValues", customFieldId=field, selectableValues=[{"label": "1", "value": "1"}])
        go("customField.info", customFieldId=field)
        go("customField.setValues", objectId=person, objectType="Candidate", values=values)
        go("customField.setValue", objectId=person, objectType="Candidate", **values[-1])
        go("candidate.update", candidateId=person, name="B", sendNotifications=False)
        shown = go("candidate.info", id=person)
        go("file.info", fileHandle=shown["resumeFileHandle"]["handle"])
        go("candidate.search", email="a@x.example")
        go("candidate.listProjects", candidateId=person)
        go("candidateTag.archive", tagId=tag)
        go("candidate.removeTag", candidateId=person, tagId=tag)
        return person

    def jobs(self) -> dict[str, Any]:
        go = self.go
        place = go("location.create", name="L", type="Location", workplaceType="Remote", extraData={"k": "v"})
        team = go("department.create", name="D", externalName="E")
        go("department.info", departmentId=team["id"])
        go("location.info", locationId=place["id"])
        plan = go("interviewPlan.list")[0]["id"]
        job = go("job.create", title="J", teamId=team["id"], locationId=place["id"], defaultInterviewPlanId=plan)
        go("job.update", jobId=job["id"], title="K")
        go("job.setStatus", jobId=job["id"], status="Open")
        go("opening.create", identifier="1", jobIds=[job["id"]], openingState="Open", targetHireDate="2026-01-01")
        go("opening.search", identifier="1")
        go("job.search", title="K")
        go("jobInterviewPlan.info", jobId=job["id"])
        stages = go("interviewStage.list", interviewPlanId=plan)
        go("interviewStage.info", interviewStageId=stages[0]["id"])
        return go("job.info", id=job["id"], expand=["location", "openings"])

    def applications(self, person: str, job: dict[str, Any]) -> str:
        go = self.go
        stages = {stage["type"]: stage for stage in self.answers["interviewStage.list"]["results"]}
        reason = go("archiveReason.list")[0]["id"]
        events = [
            {"stageId": stages["Lead"]["id"], "stageNumber": 0, "enteredStageAt": JAN},
            {"stageId": stages["Archived"]["id"], "stageNumber": 1, "enteredStageAt": FEB, "archiveReasonId": reason},
        ]
        item = go("application.create", candidateId=person, jobId=job["id"], createdAt=JAN, applicationHistory=events)[
            "id"
        ]
        go("application.updateHistory", applicationId=item, applicationHistory=events)
        go("application.listHistory", applicationId=item)
        go("application.changeSource", applicationId=item, sourceId=go("source.list")[0]["id"])
        go("application.update", applicationId=item, createdAt=JAN, sendNotifications=False)
        role, user = go("applicationHiringTeamRole.list")[0]["id"], go("user.list")[0]["id"]
        member = {"applicationId": item, "teamMemberId": user, "roleId": role}
        go("application.addHiringTeamMember", **member)
        go("application.info", applicationId=item, expand=["openings", "referrals"])
        go("application.list")
        go("application.removeHiringTeamMember", **member)
        active = stages["Active"]["id"]
        go("application.changeStage", applicationId=item, interviewStageId=active)
        go(
            "application.transfer", applicationId=item, jobId=job["id"], startAutomaticActivities=False,
            interviewPlanId=job["defaultInterviewPlanId"], interviewStageId=active,
        )  # fmt: skip
        return item

    def feedback(self, item: str) -> None:
        form = self.go("feedbackFormDefinition.list")[0]
        self.go("feedbackFormDefinition.info", feedbackFormDefinitionId=form["id"])
        answers = [
            {"path": entry["field"]["path"], "value": "x"}
            for entry in form["formDefinition"]["sections"][0]["fields"]
            if entry["field"]["type"] == "LongText"
        ]
        self.go(
            "applicationFeedback.submit", applicationId=item, formDefinitionId=form["id"],
            feedbackForm={"fieldSubmissions": answers},
        )  # fmt: skip
        self.go("applicationFeedback.list", applicationId=item)
        person = self.answers["application.info"]["results"]["candidate"]["id"]
        self.go("candidate.update", candidateId=person, name="C", sendNotifications=False)
        self.go("candidate.info", id=person)

    def rest(self) -> None:
        user = self.go("user.list", includeDeactivated=True)[0]
        self.go("user.info", userId=user["id"])
        self.go("user.search", email=user["email"])
        self.go("interview.info", id=self.go("interview.list")[0]["id"])
        self.go("customField.list", includeArchived=True)
        for endpoint in endpoints():
            if endpoint not in self.answers:
                self.go(endpoint)


@cache
def tour() -> dict[str, dict[str, Any]]:
    """Return one successful answer of every endpoint."""
    made = _Tour()
    made.feedback(made.applications(made.candidates(), made.jobs()))
    made.rest()
    return made.answers


@needs_documents
@pytest.mark.parametrize("endpoint", sorted(endpoints()))
def test_a_successful_answer_has_the_shape_of_the_contract(endpoint: str) -> None:
    """Every endpoint, called with success; version.list is in the vendor's guide only."""
    answer = tour()[endpoint]
    if endpoint != "version.list":
        _validate(endpoint, answer)


@needs_documents
def test_a_failure_has_the_shape_of_the_contract() -> None:
    """The envelope of a refused body and of a missing object."""
    desk = Desk()
    for endpoint, body in (
        ("candidate.create", {}),
        ("candidate.info", {"id": "00000000-0000-4000-8000-000000000000"}),
    ):
        _validate(endpoint, desk.ask(endpoint, body).json)


@needs_documents
def test_every_request_member_of_the_contract_is_known_here() -> None:
    """No endpoint refuses a member that the vendor publishes, and none knows one that is not published."""
    later = {
        ("candidate.list", "createdBefore"), ("application.list", "createdBefore"), ("job.list", "createdBefore"),
        ("jobPosting.list", "limit"), ("interviewStageGroup.list", "interviewPlanId"),
        ("candidate.update", "location"),
    }  # fmt: skip
    document = contract()
    for name, endpoint in endpoints().items():
        if name == "version.list":
            continue
        content = document["paths"][f"/{name}"]["post"].get("requestBody", {}).get("content", {})
        published = _members(document, content.get("application/json", {}).get("schema", {}))
        known = {member for member in endpoint.shape.members if (name, member) not in later}
        assert published - {"location" if name == "candidate.update" else ""} == known, name


def _members(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """Return the member names of a request schema, following references and alternatives."""
    found = set(schema.get("properties", {}))
    if "$ref" in schema:
        target: Any = document
        for step in schema["$ref"].lstrip("#/").split("/"):
            key = step.replace("~1", "/").replace("~0", "~")
            target = target[int(key)] if isinstance(target, list) else target[key]
        found |= _members(document, target)
    for name in ("allOf", "anyOf"):
        for part in schema.get(name, []):
            found |= _members(document, part)
    return found


def _kinds(value: Any, path: str = "") -> dict[str, set[str]]:
    """Return the kinds of value at each path of an answer; lists share one path."""
    kinds = {path: {type(value).__name__}}
    children = (
        value.items()
        if isinstance(value, dict)
        else [("[]", item) for item in value]
        if isinstance(value, list)
        else []
    )
    for name, item in children:
        for key, found in _kinds(item, f"{path}.{name}").items():
            kinds.setdefault(key, set()).update(found)
    return kinds


RECORDED = [
    "application.changeSource", "application.changeStage", "application.create", "application.info",
    "application.list", "application.update", "candidate.create", "candidate.createNote", "candidate.info",
    "candidate.list", "candidate.update", "department.list", "interview.list", "job.info", "job.list",
    "source.list", "user.info", "user.list",
]  # fmt: skip


@needs_documents
@pytest.mark.parametrize("endpoint", RECORDED)
def test_members_and_kinds_of_recorded_answers_are_ours_too(endpoint: str) -> None:
    """What a recorded answer carries is carried here, somewhere, with a kind that was recorded."""
    assert FOLDER is not None
    file = FOLDER / "recordings" / "ashby" / f"post_{endpoint}.json"
    recorded = _kinds(json.loads(file.read_text()))
    ours = _kinds(tour()[endpoint])
    unused = {
        ".results.appliedViaJobPostingId",
        ".results.job.brandId",
        ".results.[].job.brandId",
        ".results.[].jobPostingIds.[]",
    }
    paging = {".nextCursor", ".syncToken"}
    assert [] == sorted(path for path in recorded if path not in ours and path not in unused | paging)
    nothing = {"NoneType"}
    wrong = [
        path for path in recorded if recorded[path] != nothing and not ours.get(path, set()) <= recorded[path] | nothing
    ]
    assert [] == wrong


@needs_documents
def test_the_answer_of_a_create_is_as_thin_as_recorded() -> None:
    """By default write answers have exactly the recorded members."""
    assert FOLDER is not None
    desk = Desk()
    file = FOLDER / "recordings" / "ashby" / "post_application.create.json"
    assert set(_kinds(json.loads(file.read_text()))) - {".results.applicationHistory.[].leftStageAt"} == set(
        _kinds({"success": True, "results": desk.application()})
    )
    updated = desk.ok("candidate.update", candidateId=desk.candidate(email="a@x.example")["id"], name="C")
    assert None is updated["source"]

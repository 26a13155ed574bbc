"""The answers of the Ashby side against the vendor's own documents, where those are at hand.

Looked for in the folder that ``ASHBY_DOCUMENTS`` names, else in a folder ``shared`` beside the repository:
``contracts/ashby-openapi.yml`` (the published contract) and ``recordings/ashby`` (recorded answers).
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ashby_kit import Desk
from ashby_tour import REFUSING, Tour, eventful

from sandbox.ashby.bodies import endpoints
from sandbox.ashby.bodies_more import NOT_IMITATED

NOBODY = "00000000-0000-4000-8000-000000000000"
MORE_THAN_PUBLISHED = ("application.change_source", "application.change_stage", "version.list")
"""In the vendor's guides and index, not in the contract."""

REALLY_NULL = ("interviewerPool", "trainingRole")
"""Required, and null by the contract's own words."""

TWO_FORMS = ("hiringTeamRole.list",)
"""Two forms of success and none of failure in the contract."""

FAILURE = "#/paths/~1report.generate/post/responses/429/content/application~1json/schema"
"""Where the contract has its failure envelope."""

ALWAYS_EMPTY = (
    "application.listCriteriaEvaluations", "approval.list", "candidate.listClientInfo", "candidate.listFraudChecks",
    "jobTemplate.list",
)  # fmt: skip


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
    if "enum" in made and "null" in made.get("type", ()):
        made["enum"] = [*made["enum"], None]
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
        return {name: _pruned(item) for name, item in value.items() if item is not None or name in REALLY_NULL}
    return [_pruned(item) for item in value] if isinstance(value, list) else value


def _validate(endpoint: str, answer: dict[str, Any]) -> None:
    document = contract()
    schema = document["paths"][f"/{endpoint}"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    branches = schema.get("anyOf", [schema])
    if endpoint in TWO_FORMS:
        branches = [{"anyOf": branches}, {"$ref": FAILURE}]
    wanted = branches[:1] if answer.get("success", True) else branches[1:]
    _check({"anyOf": wanted}, answer, endpoint)


def _check(schema: dict[str, Any], answer: Any, where: str) -> None:
    document = contract()
    parts = {name: document[name] for name in ("paths", "components", "webhooks")}
    validator = jsonschema.Draft202012Validator({**schema, **parts}, format_checker=jsonschema.FormatChecker())
    error = jsonschema.exceptions.best_match(validator.iter_errors(_pruned(answer)))
    assert error is None, f"{where}: {error.json_path}: {error.message[:300]}"


@cache
def tour() -> dict[str, dict[str, Any]]:
    """Return one successful answer of every endpoint."""
    made = Tour()
    person, job = made.candidates(), made.jobs()
    item = made.applications(person, job)
    form = next(one for one in made.desk.ok("feedbackFormDefinition.list") if one["title"] == "Migrated feedback")["id"]
    made.feedback(item)
    made.surveys(person, item)
    made.interviews(item, form)
    made.around(person, item)
    made.places()
    made.users()
    made.pages()
    made.openings()
    made.office()
    made.rest()
    return made.answers


PUBLISHED = sorted(set(endpoints()) - set(MORE_THAN_PUBLISHED))


@needs_documents
def test_every_endpoint_of_the_contract_is_imitated_or_left_out_with_a_reason() -> None:
    """164 in the contract; and nothing is imitated that is neither there nor listed here."""
    published = {path.lstrip("/") for path in contract()["paths"]}
    assert 164 == len(published)
    assert set() == published - set(endpoints()) - set(NOT_IMITATED)
    assert set(MORE_THAN_PUBLISHED) == set(endpoints()) - published
    assert set() == set(endpoints()) & set(NOT_IMITATED)
    assert 145 == len(published & set(endpoints()))
    assert [] == [name for name, reason in NOT_IMITATED.items() if not reason]


@needs_documents
@pytest.mark.parametrize("endpoint", sorted(set(PUBLISHED) - REFUSING))
def test_a_successful_answer_has_the_shape_of_the_contract(endpoint: str) -> None:
    """Every endpoint, called with success, and no list empty but those that are always empty here."""
    answer = tour()[endpoint]
    _validate(endpoint, answer)
    assert answer["results"] or endpoint in ALWAYS_EMPTY


@needs_documents
@pytest.mark.parametrize("endpoint", PUBLISHED)
def test_a_failure_has_the_shape_of_the_contract(endpoint: str) -> None:
    """Every endpoint refuses an unknown member, and what it cannot find, with the envelope of the contract."""
    desk = Desk()
    _validate(endpoint, desk.ask(endpoint, {"no such member": 1}).json)
    shape = endpoints()[endpoint].shape
    if "uuid" in str(shape.members) or shape.required:
        answer = desk.ask(endpoint, dict.fromkeys(shape.required, NOBODY)).json
        if answer.get("success") is False:
            _validate(endpoint, answer)


@needs_documents
@pytest.mark.parametrize("kind", ["applicationSubmit", "applicationUpdate", "candidateStageChange", "candidateHire",
    "candidateMerge", "candidateDelete", "interviewScheduleCreate", "interviewScheduleUpdate", "surveySubmit",
    "jobPostingUpdate"])  # fmt: skip
def test_a_message_of_a_webhook_has_the_shape_of_the_contract(kind: str) -> None:
    """What lies in the outbox after something of that kind happened; and the ping of its registration."""
    desk = Desk()
    desk.ok("webhook.create", webhookType=kind, requestUrl="https://h.example/x", secretToken="t")
    eventful(desk)
    messages = [json.loads(message["body"]) for message in desk.side.state.outbox]
    assert {"ping", kind} == {message["action"] for message in messages}
    for message in messages:
        schema = contract()["webhooks"][message["action"]]["post"]["requestBody"]["content"]["application/json"][
            "schema"
        ]
        _check(schema, message, message["action"])


@needs_documents
def test_every_request_member_of_the_contract_is_known_here() -> None:
    """No endpoint refuses a member that the vendor publishes, and none knows one that is not published."""
    later = {
        ("candidate.list", "createdBefore"), ("application.list", "createdBefore"), ("jobPosting.list", "limit"),
        ("interviewStageGroup.list", "interviewPlanId"), ("candidate.update", "location"),
    }  # fmt: skip
    document = contract()
    for name, endpoint in endpoints().items():
        if name in MORE_THAN_PUBLISHED:
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


RECORDED = sorted(
    path.stem.removeprefix("post_") for path in (FOLDER.glob("recordings/ashby/post_*.json") if FOLDER else ())
) or ["none"]
"""Every recorded answer: the endpoint, and a number where there are several."""

NEVER_HERE = frozenset(
    (
        ".nextCursor", ".syncToken", ".results.appliedViaJobPostingId", ".results.[].appliedViaJobPostingId",
        ".results.job.brandId", ".results.[].job.brandId", ".results.[].jobPostingIds.[]",
        # A salary in the words of schema.org; an empty address where ours has none.
        ".results.linkedData.baseSalary", ".results.linkedData.jobLocation.address.addressLocality",
        ".results.linkedData.jobLocation.address.addressCountry",
    )
)  # fmt: skip
"""Recorded paths that no answer of this organization has at that place."""


@needs_documents
@pytest.mark.parametrize("name", RECORDED)
def test_members_and_kinds_of_recorded_answers_are_ours_too(name: str) -> None:
    """What a recorded answer carries is carried here, somewhere, with a kind that was recorded."""
    assert FOLDER is not None
    recorded = _kinds(json.loads((FOLDER / "recordings" / "ashby" / f"post_{name}.json").read_text()))
    ours = _kinds(tour()[re.sub(r"_\d+$", "", name)])
    unknown = [path for path in recorded if path not in ours and not path.startswith(tuple(NEVER_HERE))]
    assert [] == sorted(unknown)
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

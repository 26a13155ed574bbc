"""What Lever sends and nobody expects: kept raw, counted and named; what we cannot do without stops by its name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import Sandbox
from test_contract import lever_map
from test_recordings import LEVER, stream_of

from lib import contract, lever, steps
from lib.errors import ContractError
from lib.extract.drift import Drift, broken, shapes_of
from lib.workbook import Workbook

STREAMS = sorted(contract.lever_objects())
EXPANDED = {("opportunities", "contact"), ("opportunities", "applications")}
"""What our requests have expanded, so that the object stands where the reference shows an id."""


def odd(stream: str, *items: dict[str, Any]) -> dict[tuple[str, str], tuple[int, str]]:
    """{(attribute, what): (number of records, ids)}."""
    drift = Drift(stream)
    for item in items:
        drift.look(item)
    return {(row["attribute"], row["what"]): (row["n_records"], row["ids"]) for row in drift.rows()}


# ---- what is told ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("stream", "item", "attribute", "what"),
    [
        ("users", {"karma": 1}, "karma", "unknown attribute"),
        ("users", {"jane doe@roe.example": 1}, "(odd name)", "unknown attribute"),
        ("users", {"createdAt": "2024-01-01"}, "createdAt", "text instead of whole number"),
        ("users", {"createdAt": 1.5}, "createdAt", "number instead of whole number"),
        ("users", {"createdAt": True}, "createdAt", "yes or no instead of whole number"),
        ("users", {"name": {"first": "x"}}, "name", "object instead of text"),
        ("users", {"linkedContactIds": "c1"}, "linkedContactIds", "text instead of list or null"),
        ("users", {"linkedContactIds": [1]}, "linkedContactIds[]", "number instead of text"),
        ("archive_reasons", {"status": "asleep"}, "status", "unknown value asleep"),
        ("archive_reasons", {"status": "jane@roe.example"}, "status", "unknown value (not a plain word)"),
        ("archive_reasons", {"type": 5}, "type", "number instead of text"),
        ("postings", {"state": "paused"}, "state", "unknown value paused"),
        ("postings", {"distributionChannels": ["public", "tv"]}, "distributionChannels[]", "unknown value tv"),
        ("postings", {"categories": {"team": 1}}, "categories.team", "number instead of text or null"),
        ("postings", {"categories": {"guild": "x"}}, "categories.guild", "unknown attribute"),
        ("opportunities", {"contact": {"karma": 1}}, "contact.karma", "unknown attribute"),
        ("opportunities", {"applications": [{"type": "robot"}]}, "applications[].type", "unknown value robot"),
        ("opportunities", {"origin": "dreamt"}, "origin", "unknown value dreamt"),
        ("opportunities", {"phones": [{"value": 5}]}, "phones[].value", "number instead of text"),
        ("feedback", {"fields": [{"type": "hologram"}]}, "fields[].type", "unknown value hologram"),
        ("offers", {"status": "lost"}, "status", "unknown value lost"),
        ("requisitions", {"headcountTotal": []}, "headcountTotal", "list instead of whole number or text"),
        ("interviews", {"duration": "30"}, "duration", "text instead of whole number"),
    ],
)
def test_each_kind_of_drift_is_named(stream: str, item: dict[str, Any], attribute: str, what: str) -> None:
    """The attribute with its path, what is odd about it, and ids; of values only plain words."""
    assert {(attribute, what): (2, "a b")} == odd(stream, {"id": "a"} | item, {"id": "b"} | item, {"id": "c"})


@pytest.mark.parametrize(
    ("stream", "item"),
    [
        ("requisitions", {"headcountTotal": "unlimited", "customFields": {"what ever": {"we": "like"}}}),
        ("requisitions", {"headcountTotal": 3, "employmentStatus": "Part-Time"}),
        ("files", {"size": "5", "uploadedAt": "1700000000000"}),
        ("files", {"size": 5, "uploadedAt": 1700000000000, "status": None}),
        ("offers", {"signatures": {"any role": {"role": "x"}}, "fields": [{"value": 5}, {"value": "x"}]}),
        ("feedback", {"fields": [{"type": "scorecard", "value": [{"score": 3}]}, {"type": "date", "value": 5}]}),
        ("opportunities", {"contact": "c1", "applications": ["a1"], "updatedAt": None}),
        ("feedback_templates", {"group": {"id": "g", "name": "x"}, "stage": ""}),
        ("users", {"accessRole": "a role of our own"}),
    ],
)
def test_what_the_reference_allows_is_no_drift(stream: str, item: dict[str, Any]) -> None:
    """Numbers as text, maps under names of the customer's own, null anywhere."""
    assert {} == odd(stream, item)


def test_examples_are_few_and_hold_nothing_that_a_person_wrote() -> None:
    """Three ids at most; one that is no plain word is not shown."""
    items = [{"id": one, "karma": 1} for one in ("a", "jane@roe.example", "b", "c")]
    assert {("karma", "unknown attribute"): (4, "a ? b")} == odd("users", *items)


@pytest.mark.parametrize("stream", STREAMS)
def test_types_are_the_published_ones(stream: str) -> None:
    """Word by word as the reference has them, but for what our requests expand."""
    ours = contract.lever_objects()[stream]
    theirs = next(one["item"] for one in lever_map().values() if one.get("path") == ours["path"])
    same = {name.rstrip("?"): kind for name, kind in theirs.items() if (stream, name) not in EXPANDED}
    assert same == {name: kind for name, kind in ours["attributes"].items() if (stream, name) not in EXPANDED}
    assert all(shapes for shapes in shapes_of(stream).values())


def test_recorded_answers_hold_no_drift() -> None:
    """Thousands of objects of a real account."""
    if not LEVER:
        pytest.skip("no recordings at hand")
    n_objects = 0
    for _, entry, body in LEVER:
        path = entry["endpoint"].removeprefix("/v1")
        stream, _ = stream_of(path)
        if stream:
            items = lever.unwrap(json.loads(body), path)
            assert {} == odd(stream, *items)
            n_objects += len(items)
    assert n_objects > 1_000


# ---- in a run --------------------------------------------------------------------------------------------------------
def test_drift_is_kept_raw_counted_and_reported(book: Workbook, sandbox: Sandbox) -> None:
    """An unknown value, an unknown attribute, and a number that became text, planted in every list of files."""
    planted = [("status", "unknown_enum"), ("notInTheReference", "object"), ("size", "list")]
    rows = [
        {
            "api": "lever",
            "endpoint": f"/opportunities/*/{name}",
            "effect": "odd_value",
            "member": member,
            "value": value,
        }
        for name, (member, value) in zip(("files", "notes", "resumes"), planted, strict=True)
    ]
    rows[2] |= {"member": "createdAt", "value": "string"}
    sandbox.faults(*rows)
    steps.audit(book)
    drift = steps.extract(book).drift
    found = {(row["stream"], row["attribute"]): row for row in drift.to_dict("records")}
    assert {("files", "status"), ("notes", "notInTheReference"), ("resumes", "createdAt")} <= set(found)
    assert found["files", "status"]["what"].startswith("unknown value ")
    assert found["notes", "notInTheReference"]["what"] == "unknown attribute"
    assert found["resumes", "createdAt"]["what"] == "text instead of whole number"
    for (stream, attribute), row in found.items():
        ids = row["ids"].split()
        kept = [book.store.get(stream, one) for one in ids]
        assert 1 <= len(ids) <= 3, (stream, attribute)
        assert None not in kept
    texts = [one["createdAt"] for one in book.store.all("resumes") if isinstance(one["createdAt"], str)]
    assert len(texts) == found["resumes", "createdAt"]["n_records"]


def test_a_calm_company_drifts_only_where_it_is_planted(book: Workbook, sandbox: Sandbox) -> None:
    """One unknown type of field; nothing else is odd in any answer of the sandbox."""
    steps.audit(book)
    drift = steps.extract(book).drift
    assert {("forms", "fields[].type", "unknown value rating-matrix")} >= {
        (row["stream"], row["attribute"], row["what"]) for row in drift.to_dict("records")
    }


# ---- what stops ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("stream", "item", "wrong"),
    [
        ("users", {"id": 5}, ["id (number instead of text)"]),
        ("users", {}, ["id"]),
        ("stages", {"id": "a", "text": ["x"]}, ["text (list instead of text)"]),
        ("opportunities", {"id": "a", "contact": {"id": "c"}, "createdAt": 1}, []),
        ("opportunities", {"id": "a", "contact": "c", "createdAt": 1}, []),
        ("opportunities", {"id": "a", "contact": {}, "createdAt": 1}, ["contact.id"]),
        ("opportunities", {"id": "a", "contact": {"id": 5}, "createdAt": 1}, ["contact.id"]),
        ("opportunities", {"id": "a", "contact": {"id": "c"}, "createdAt": "1"},
         ["createdAt (text instead of whole number)"]),
        ("disposition_stages", {"stages": {"a": 1}}, ["stages (object instead of list)"]),
        ("notes", [], ["(an object)"]),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(stream: str, item: Any, wrong: list[str]) -> None:
    """Absent, null, or of another kind."""
    assert wrong == broken(stream, item)


@pytest.mark.parametrize(
    ("endpoint", "member", "named"),
    [
        ("/users", "id", "id (list instead of text)"),
        ("/opportunities", "createdAt", "createdAt (list instead of whole number)"),
        ("/opportunities", "contact", "contact (list instead of text or object)"),
        ("/stages", "text", "text (list instead of text)"),
    ],
)
def test_a_contract_break_stops_with_attribute_and_id(
    book: Workbook, sandbox: Sandbox, endpoint: str, member: str, named: str
) -> None:
    """A kind of value that nothing can be done with is not guessed at."""
    sandbox.faults({"api": "lever", "endpoint": endpoint, "effect": "odd_value", "member": member, "value": "list"})
    with pytest.raises(ContractError) as caught:
        steps.audit(book)
    stream = endpoint.removeprefix("/")
    assert f"an object of {stream} (id " in caught.value.message
    assert f"has no usable {named}." in caught.value.message
    assert ("(id ?)" in caught.value.message) is (member == "id")

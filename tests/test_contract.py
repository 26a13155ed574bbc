"""Our own contract: closed, harmless, and in agreement with the vendors' published ones where those are at hand."""

import json
import os
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from lib import contract
from lib.errors import ContractError

SHARED = Path(os.environ.get("WORKBOOK_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "contracts"
ENDPOINTS = sorted(contract.ashby_endpoints())
NOT_PUBLISHED = {"version.list"}  # in the vendor's guide on versions, not in its published contract
LATER = {("candidate.list", "createdBefore")}  # in the vendor's changelog of July 2026, not in its published contract
ONE = "11111111-1111-4111-8111-111111111111"
NIL = {"$link": "candidate:1"}


def published(name):
    path = SHARED / name
    if not path.is_file():
        pytest.skip("the vendor's published contract is not at hand")
    return path


@cache
def ashby_paths():
    return yaml.load(published("ashby-openapi.yml").read_text("utf-8"), Loader=yaml.CSafeLoader)


@cache
def ashby_map():
    return json.loads(published("ashby-endpoints.json").read_text("utf-8"))


@cache
def lever_map():
    return json.loads(published("lever-contract.json").read_text("utf-8"))


# ---- the vendor's schemas, flattened ---------------------------------------------------------------------------------
def target_of(reference):
    """What a `$ref` of the published contract points to."""
    target = ashby_paths()
    for step in reference.removeprefix("#/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        target = target[int(key)] if isinstance(target, list) else target[key]
    return target


def followed(schema):
    """The schema itself, with its references and its allOf parts merged."""
    own = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
    if isinstance(own.get("properties", {}).get("$ref"), str):
        own["properties"] = target_of(own["properties"]["$ref"])
    parts = schema.get("allOf", []) + ([target_of(schema["$ref"])] if "$ref" in schema else [])
    merged = {}
    for part in (own, *map(followed, parts)):
        both = {}
        if "properties" in part or "properties" in merged:
            both["properties"] = merged.get("properties", {}) | part.get("properties", {})
        if "required" in part or "required" in merged:
            both["required"] = [*merged.get("required", []), *part.get("required", [])]
        merged = part | merged | both
    return merged


def forms(schema):
    """All alternatives of a schema, flattened."""
    whole = followed(schema)
    for word in ("oneOf", "anyOf"):
        if word in whole:
            rest = {key: value for key, value in whole.items() if key != word}
            return [form for part in whole[word] for form in forms({"allOf": [rest, part]})]
    return [whole]


def kinds(schema):
    """The JSON types a schema lets through."""
    if "type" in schema:
        return set(schema["type"]) if isinstance(schema["type"], list) else {schema["type"]}
    values = [schema["const"]] if "const" in schema else schema.get("enum", [])
    names = {bool: "boolean", str: "string", int: "integer", float: "number", type(None): "null"}
    if values:
        return {names[type(value)] for value in values}
    return {"object"} if "properties" in schema else set()


def objections(ours, theirs, where):
    """Why a value that our schema lets through might not be one that theirs does."""
    if ours is True:
        return []
    if "anyOf" in ours:
        return [text for part in ours["anyOf"] for text in objections(part, theirs, where)]
    found = [_objections(ours, form, where) for form in forms(theirs)]
    return min(found, key=len, default=[])


def _objections(ours, form, where):
    mine, other = kinds(ours), kinds(form)
    if other and not mine <= other | ({"integer"} if "number" in other else set()):
        return [f"{where}: {sorted(mine)} where {sorted(other)} is expected"]
    told = [ours["const"]] if "const" in ours else ours.get("enum", [])
    texts = [f"{where}: {value!r} is none of {form['enum']}" for value in told if value not in form.get("enum", told)]
    if form.get("format") == "uuid" and ours.get("format") != "uuid" and "string" in mine and not told:
        texts.append(f"{where}: any text where a uuid is expected")
    if "object" in mine and "properties" in form:
        texts += _members(ours, form, where)
    if "array" in mine and "items" in form:
        texts += objections(ours.get("items", True), form["items"], f"{where}[]")
    return texts


def _members(ours, form, where):
    texts = []
    for name, schema in ours.get("properties", {}).items():
        if (where, name) in LATER:
            continue
        if name not in form["properties"]:
            texts.append(f"{where}/{name}: no such member")
        else:
            texts += objections(schema, form["properties"][name], f"{where}/{name}")
    lacking = set(form.get("required", [])) - set(ours.get("required", []))
    return texts + [f"{where}/{name}: required" for name in sorted(lacking)]


@pytest.mark.parametrize("endpoint", [name for name in ENDPOINTS if name not in NOT_PUBLISHED])
def test_every_body_we_may_send_is_one_the_vendor_describes(endpoint):
    """Each member exists there with a type that takes ours; what is required there is required here."""
    operation = ashby_paths()["paths"][f"/{endpoint}"]["post"]
    body = operation.get("requestBody", {"content": {"application/json": {"schema": {"type": "object"}}}})
    theirs = body["content"]["application/json"]["schema"]
    texts = objections(contract.ashby_endpoints()[endpoint]["request"], theirs, endpoint)
    assert [] == texts


@pytest.mark.parametrize("endpoint", [name for name in ENDPOINTS if name not in NOT_PUBLISHED])
def test_permissions_and_required_members_agree_with_the_published_ones(endpoint):
    """The permission by its exact name; of alternative sets of required members we fulfil at least one."""
    ours, theirs = contract.ashby_endpoints()[endpoint], ashby_map()[endpoint]
    assert theirs["permission"] == ours["permission"]
    sets = theirs.get("one_of_required") or [theirs["required"]]
    required = set(ours["request"].get("required", []))
    assert any(set(one) <= required for one in sets), sets
    lacking = {name for name in ours["request"]["properties"] if name not in theirs["properties"]}
    assert lacking == {name for place, name in LATER if place == endpoint}


def test_nothing_is_left_out_of_the_comparison_without_a_reason():
    """Every endpoint is published, or named here with its source."""
    known = set(ashby_map())
    assert {name for name in ENDPOINTS if name not in known} == NOT_PUBLISHED


def test_reads_read_and_writes_write():
    """The permission says which: an endpoint that reads needs no right to write, and the other way round."""
    wrong = [
        name
        for name, entry in contract.ashby_endpoints().items()
        if (entry["effect"] == "read") is not entry["permission"].endswith("Read")
    ]
    assert [] == wrong
    assert {"read", "append", "set", "get_or_create"} == {one["effect"] for one in contract.ashby_endpoints().values()}


@pytest.mark.parametrize("stream", sorted(contract.lever_objects()))
def test_levers_lists_and_attributes_are_the_published_ones(stream):
    """Same path, same attributes; what we cannot do without is never one that may be absent."""
    ours = contract.lever_objects()[stream]
    found = [one for one in lever_map().values() if isinstance(one, dict) and one.get("path") == ours["path"]]
    assert 1 == len(found)
    item = found[0]["item"]
    assert sorted(name.rstrip("?") for name in item) == sorted(ours["attributes"])
    assert set(ours["required"]) <= {name for name, kind in item.items() if not str(kind).endswith("?")}


# ---- what our own contract promises ----------------------------------------------------------------------------------
def schemas(node):
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from schemas(child)
    elif isinstance(node, list):
        for child in node:
            yield from schemas(child)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_object_in_a_body_is_closed(endpoint):
    """A misspelt member is never sent: Ashby may ignore it without a word."""
    for one in schemas(contract.ashby_endpoints()[endpoint]["request"]):
        if one.get("type") == "object":
            assert one.get("additionalProperties") is False
            assert set(one.get("required", [])) <= set(one["properties"])


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_nobody_can_be_notified_through_a_body(endpoint):
    """A switch for messages must be sent, and must be off; nothing that mails or invites exists."""
    ours = contract.ashby_endpoints()[endpoint]["request"]
    for name in ours["properties"]:
        assert not re.search("mail(Message|Template)|archiveEmail|invite|communication", name)
        if re.search("notif|startAutomatic", name, re.IGNORECASE):
            assert {"const": False} == ours["properties"][name]
            assert name in ours["required"]


@pytest.mark.parametrize("endpoint", [name for name in ENDPOINTS if name not in NOT_PUBLISHED])
def test_every_published_switch_for_messages_is_ours_too(endpoint):
    """Ashby's default is to notify: an endpoint with a switch that we did not know would do so."""
    switches = {name for name in ashby_map()[endpoint]["properties"] if re.search("notif|startAutomatic", name, re.I)}
    assert switches <= set(contract.ashby_endpoints()[endpoint]["request"]["required"])


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("candidate.create", {"name": "x", "createdAt": "2026-01-31T10:20:30.123Z"}),
        ("candidate.createNote", {"candidateId": NIL, "note": "x", "sendNotifications": False}),
        (
            "candidate.createNote",
            {"candidateId": ONE, "note": {"type": "text/html", "value": "x"}, "sendNotifications": False},
        ),
        ("candidate.uploadFile", {"candidateId": NIL, "fileHandle": {"$file": {"lever_id": "f"}}}),
        (
            "customField.setValues",
            {"objectId": NIL, "objectType": "Candidate", "values": [{"fieldId": NIL, "fieldValue": "x"}]},
        ),
        ("apiKey.info", {}),
    ],
)
def test_a_legal_body_passes(endpoint, body):
    """References stand where ids and handles will be."""
    assert contract.check_body(endpoint, body) is None


@pytest.mark.parametrize(
    ("endpoint", "body", "where"),
    [
        ("candidate.create", {"name": ""}, "name"),
        ("candidate.create", {"name": "Jane", "Email": "jane@roe.example"}, "unknown member"),
        ("candidate.create", {"name": "Jane", "createdAt": "31.01.2026"}, "createdAt"),
        ("candidate.create", {"name": "Jane", "createdAt": "2026-01-31T10:20:30"}, "createdAt"),
        ("candidate.create", {"name": "Jane", "website": "javascript:alert('Jane')"}, "website"),
        ("candidate.create", {"name": "Jane", "website": "https://jane"}, "website"),
        ("candidate.create", {"name": "Jane", "website": "https://[jane"}, "website"),
        ("candidate.create", {"name": "Jane", "website": "https://jane.example/a b"}, "website"),
        ("candidate.create", {"name": "Jane", "sourceId": f"{ONE}\n"}, "sourceId"),
        ("candidate.create", {"name": "Jane", "sourceId": "Jane"}, "sourceId"),
        ("candidate.create", {"name": "Jane", "email": None}, "email"),
        ("candidate.create", {"name": "Jane", "$unknown": 1}, "unknown member"),
        ("candidate.addTag", {"candidateId": NIL}, "required"),
    ],
)
def test_an_illegal_body_is_refused_by_place_and_not_by_value(endpoint, body, where):
    """The message names the member, never what stands in it."""
    with pytest.raises(ContractError, match=where) as caught:
        contract.check_body(endpoint, body)
    assert "jane" not in str(caught.value).lower().replace("unknown", "")


def test_an_unknown_endpoint_has_neither_body_nor_effect():
    """What is not in the contract cannot be called at all."""
    for ask in (lambda: contract.effect("candidate.anonymize"), lambda: contract.check_body("candidate.anonymize", {})):
        with pytest.raises(ContractError, match=r"candidate\.anonymize"):
            ask()


@pytest.mark.parametrize(
    ("item", "missing"),
    [
        ({"id": "a", "contact": {"id": "c"}, "createdAt": 1}, []),
        ({"id": "a", "contact": "c"}, ["createdAt"]),
        ({"id": None, "contact": "c", "createdAt": 1}, ["id"]),
        ({}, ["id", "contact", "createdAt"]),
        (None, ["(an object)"]),
        ([], ["(an object)"]),
    ],
)
def test_what_an_object_lacks_is_named(item, missing):
    """Absent and null are the same: neither can be used."""
    assert missing == contract.missing_attributes("opportunities", item)


def test_drift_is_what_we_do_not_know():
    """Unknown attributes are named, known ones are not."""
    assert ["karma"] == contract.unknown_attributes("stages", {"id": "a", "text": "b", "karma": 1})

"""The suites are green on sound data, red on each planted fault, and tell ids and counts but never values."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas import DataFrame, Series

from lib import checks
from lib.checks import frames
from lib.checks.engine import Expect, check
from lib.checks.seen import Seen
from lib.errors import GateError
from lib.mapping.plan import PlanRow
from lib.store import FileRow

MS = 1_700_000_000_000
NOW = MS + 1_000_000
SHA = "a" * 64


class Reader:
    """Streams as the store gives them, from plain lists."""

    def __init__(self) -> None:
        self.streams: dict[str, list[dict[str, Any]]] = {
            "opportunities": [_opportunity("o1", "c1", "Ada Baker"), _opportunity("o2", "c2", "Ada Backer")],
            "stages": [{"id": "s1", "text": "Lead"}],
            "archive_reasons": [{"id": "a1", "text": "No"}],
            "users": [{"id": "u1", "name": "Canary User"}],
            "postings": [{"id": "p1", "text": "Canary post", "state": "published"}],
            "notes": [{"id": "n1", "createdAt": MS, "fields": [{"value": "Canary text"}]}],
            "files": [{"id": "x1", "uploadedAt": MS}],
        }
        self.parent = {"n1": "o1", "x1": "o2"}
        self.stored = [FileRow("x1", "files", "o2", "canary.pdf", "application/pdf", 3, SHA, "stored", "", 1)]
        self.persons = [_person("c1", "ada@bread.example"), _person("c2", "bo@mill.example")]
        self.links = [{"contact": one, "person": one, "why": "only contact"} for one in ("c1", "c2")]

    def all(self, stream: str) -> Iterator[dict[str, Any]]:
        yield from self.streams.get(stream, [])

    def placed(self, stream: str) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from ((self.parent.get(one["id"], ""), one) for one in self.streams.get(stream, []))

    def files(self) -> Iterator[FileRow]:
        yield from self.stored

    def people(self) -> Iterator[dict[str, Any]]:
        yield from self.persons

    def members(self) -> Iterator[dict[str, Any]]:
        yield from self.links


def _opportunity(lever_id: str, contact: str, name: str) -> dict[str, Any]:
    return {
        "id": lever_id, "contact": {"id": contact}, "name": name, "createdAt": MS, "updatedAt": MS + 5, "stage": "s1",
        "owner": "u1", "archived": {"reason": "a1", "archivedAt": MS + 3}, "applications": [{"posting": "p1"}],
        "stageChanges": [{"toStageId": "s1", "updatedAt": MS}],
    }  # fmt: skip


def _person(person: str, email: str) -> dict[str, Any]:
    return {
        "person": person, "name": "Canary Person", "email": email, "alternate_emails": [], "match": "new",
        "ashby_id": None, "created_ms": MS, "n_contacts": 1,
    }  # fmt: skip


@pytest.fixture(autouse=True, params=[100_000, 1], ids=["whole", "rows one by one"])
def part(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Whatever is found in tables that come whole is found in parts of one row as well."""
    monkeypatch.setattr(frames, "PART", request.param)
    return request.param


def extracted(reader: Reader) -> checks.SuiteResult:
    """The suite for what was extracted."""
    return checks.extracted(checks.extracted_frames(reader), now_ms=NOW)


def people(reader: Reader) -> checks.SuiteResult:
    """The suite for who is who."""
    return checks.people(checks.people_frames(reader))


def fallen(result: checks.SuiteResult) -> set[str]:
    """What is not so, in the words of the suite."""
    return {row["expectation"] for row in result.rows if not row["ok"]}


@pytest.mark.parametrize("suite", [extracted, people])
def test_sound_data_is_green(suite: Callable[[Reader], checks.SuiteResult]) -> None:
    """Nothing is red, and every expectation really ran."""
    result = suite(Reader())
    assert set() == fallen(result)
    assert result.ok
    assert all(row["could_run"] for row in result.rows)


def _first(reader: Reader, **values: Any) -> None:
    reader.streams["opportunities"][0] |= values


EXTRACTED: dict[str, Callable[[Reader], Any]] = {
    "there are opportunities": lambda r: r.streams["opportunities"].clear(),
    "no opportunity is there twice": lambda r: _first(r, id="o2"),
    "every opportunity belongs to a contact": lambda r: _first(r, contact=None),
    "every opportunity says when it was created": lambda r: _first(r, createdAt=None),
    "creation lies between 2008 and today": lambda r: _first(r, createdAt=MS // 1000),
    "no opportunity was updated before it was created": lambda r: _first(r, updatedAt=MS - 1),
    "no opportunity was archived before it was created": lambda r: _first(r, archived={"archivedAt": MS - 9}),
    "every stage change has a stage and a time": lambda r: _first(r, stageChanges=[{"toStageId": "s1"}]),
    "every stage is one that Lever lists": lambda r: _first(r, stage="s9"),
    "every archive reason is listed": lambda r: _first(r, archived={"reason": "a9"}),
    "every owner is a known user": lambda r: _first(r, owner={"id": "u9"}),
    "every posting is a known one": lambda r: _first(r, applications=[{"posting": "p9"}]),
    "no note, form or file is there twice": lambda r: r.streams["notes"].append(r.streams["notes"][0]),
    "every note, form and file hangs on a known opportunity": lambda r: r.parent.pop("n1"),
    "every file is stored, or gone at the source for good": lambda r: _file(r, state="failed"),
    "every stored file has its hash": lambda r: _file(r, sha256="no hash"),
    "every stored file has a size": lambda r: _file(r, size=-1),
    "there are postings": lambda r: r.streams["postings"].clear(),
    "every posting has a title": lambda r: r.streams["postings"][0].update(text=" "),
}


def _file(reader: Reader, **values: Any) -> None:
    old = {name: getattr(reader.stored[0], name) for name in FileRow.__slots__}
    reader.stored = [FileRow(**old | values)]


PEOPLE: dict[str, Callable[[Reader], Any]] = {
    "there are people": lambda r: r.persons.clear(),
    "no person is there twice": lambda r: r.persons.append(r.persons[0]),
    "every contact is in one person only": lambda r: r.links.append({"contact": "c1", "person": "c2", "why": ""}),
    "every contact is in a person that exists": lambda r: r.links[0].update(person="c7"),
    "every contact of Lever is in a person": lambda r: r.links.pop(),
    "nobody is made of nothing": lambda r: r.persons[0].update(n_contacts=0),
    "everybody has a name": lambda r: r.persons[0].update(name=" "),
    "every first address has the shape of an address": lambda r: r.persons[0].update(email="ada at bread"),
    "no first address is a placeholder": lambda r: r.persons[0].update(email="noemail@example.com"),
    "no first address is a placeholder where a real one stands beside it": lambda r: r.persons[0].update(
        email="none@none.com", alternate_emails=["ada@bread.example"]
    ),
    "nobody was joined without asking under two surnames": lambda r: r.links.__setitem__(
        slice(None), [{"contact": one, "person": "c1", "why": "same e-mail address"} for one in ("c1", "c2")]
    ),
    "no two people have the same first address": lambda r: r.persons[0].update(email="bo@mill.example"),
    "no candidate of Ashby is two people": lambda r: [one.update(ashby_id="k1") for one in r.persons],
    "nobody's match with Ashby is still open": lambda r: r.persons[0].update(match="review"),
}


@pytest.mark.parametrize(
    ("suite", "says", "plant"),
    [(extracted, says, plant) for says, plant in EXTRACTED.items()]
    + [(people, says, plant) for says, plant in PEOPLE.items()],
)
def test_a_planted_fault_turns_its_expectation(
    suite: Callable[[Reader], checks.SuiteResult], says: str, plant: Callable[[Reader], Any]
) -> None:
    """The fault is found by the expectation that is meant for it."""
    reader = Reader()
    plant(reader)
    assert says in fallen(suite(reader))


def _row(kind: str, lever_id: str, seq: int, body: dict[str, Any], **more: Any) -> PlanRow:
    values = {"lever_type": "note", "person": "c1", "needs": (), "link": ""} | more
    return PlanRow(row_id=f"{kind}/{lever_id}", kind=kind, lever_id=lever_id, seq=seq, body=body, **values)


def plan_rows() -> list[PlanRow]:
    """A sound plan of one person."""
    marker = {"fieldId": {"$link": "custom_field:Candidate:Lever contact ID"}, "fieldValue": "c1"}
    file = {"sha256": SHA, "contentLength": 3, "filename": "canary.pdf", "contentType": "application/pdf"}
    history = [
        {"stageId": "s", "stageNumber": 0, "enteredStageAt": "2024-01-01T00:00:00.000Z"},
        {"stageId": "s", "stageNumber": 1, "enteredStageAt": "2024-01-02T00:00:00.000Z"},
    ]
    note = {"note": {"type": "text/plain", "value": "Canary\n[Lever note n1]"}, "sendNotifications": False}
    candidate = {"name": "Canary Baker", "email": "canary@bread.example", "createdAt": "2024-01-01T00:00:00.000Z"}
    application = {"createdAt": "2024-01-01T00:00:00.000Z", "applicationHistory": history}
    made = ("candidate.create/c1",)
    return [
        _row("customField.create", "f1", 0, {"title": "Lever contact ID"}, person=""),
        _row("candidate.create", "c1", 0, candidate, link="candidate:c1"),
        _row("customField.setValues", "c1", 1, {"objectType": "Candidate", "values": [marker]}, needs=made),
        _row("application.create", "o1", 2, application, needs=made),
        _row("candidate.createNote", "n1", 3, note, needs=made),
        _row("candidate.uploadFile", "x1", 4, {"fileHandle": {"$file": file}}, needs=made),
        _row("candidate.uploadResume", "r1", 5, {"resumeHandle": {"$file": file | {"filename": "cv"}}}, needs=made),
    ]


def plan(rows: list[Any]) -> checks.SuiteResult:
    """The suite for the plan."""
    return checks.plan(checks.plan_frames(rows))


def test_a_sound_plan_is_green() -> None:
    """Nothing is red, and every expectation really ran."""
    result = plan(plan_rows())
    assert set() == fallen(result)
    assert all(row["could_run"] for row in result.rows)


def _changed(row: PlanRow, **values: Any) -> PlanRow:
    return PlanRow(**{name: getattr(row, name) for name in PlanRow.__slots__} | values)


def _body(number: int, **values: Any) -> Callable[[list[PlanRow]], list[PlanRow]]:
    def change(rows: list[PlanRow]) -> list[PlanRow]:
        rows[number] = _changed(rows[number], body=copy.deepcopy(rows[number].body) | values)
        return rows

    return change


LATE = [
    {"stageId": "s", "stageNumber": 0, "enteredStageAt": "2024-01-02T00:00:00.000Z"},
    {"stageId": "s", "stageNumber": 1, "enteredStageAt": "2024-01-01T00:00:00.000Z"},
]
PLAN: dict[str, list[Callable[[list[PlanRow]], list[PlanRow]]]] = {
    "the plan has rows": [lambda rows: []],
    "no row id is there twice": [lambda rows: [*rows, rows[-1]]],
    "no row calls an endpoint that invites or mails people": [
        lambda rows: [*rows, _row("interviewSchedule.create", "i1", 9, {})]
    ],
    "notifications are off wherever Ashby would send some": [
        _body(4, sendNotifications=True),
        _body(3, archiveEmail={"communicationTemplateId": "t"}),
        lambda rows: [*rows, _row("candidate.update", "c1", 9, {"name": "x"})],
    ],
    "whatever a row needs comes before it": [lambda rows: [rows[0], *reversed(rows[1:])]],
    "the rows of a person are in order": [lambda rows: [*rows, _row("candidate.addTag", "t", 1, {})]],
    "every row belongs to a person, or to the set-up": [lambda rows: [*rows, _changed(rows[4], person="", seq=99)]],
    "every date is ISO 8601 in UTC, with milliseconds": [_body(1, createdAt="2024-01-01T00:00:00Z")],
    "every history is numbered from 0, later each time, not before its creation": [
        _body(3, applicationHistory=LATE),
        _body(3, createdAt="2025-01-01T00:00:00.000Z"),
        lambda rows: _body(3, applicationHistory=[rows[3].body["applicationHistory"][1]])(rows),
    ],
    "every note and every feedback ends with its marker line": [
        _body(4, note={"type": "text/plain", "value": "[Lever note n1]\nand more"}),
        lambda rows: [
            *rows, _row("applicationFeedback.submit", "f", 9, {"feedbackForm": {"fieldSubmissions": [{"value": "x"}]}})
        ],
    ],
    "every new candidate has a name": [_body(1, name=" ")],
    "every file has its hash, its size, a name and a type": [_body(5, fileHandle={"$file": {"sha256": "x"}})],
    "no two new candidates have the same name, address and moment": [
        lambda rows: [*rows, _changed(rows[1], row_id="again", person="c2", link="candidate:c2")]
    ],
    "every person becomes one candidate, or is one already": [lambda rows: [rows[0], *rows[2:]]],
    "every candidate gets its Lever id once": [lambda rows: [*rows[:2], *rows[3:]]],
    "nobody gets two current résumés": [lambda rows: [*rows, _changed(rows[-1], row_id="again", seq=9)]],
    "no two files of a person have one name": [lambda rows: [*rows, _changed(rows[5], row_id="again", seq=9)]],
}  # fmt: skip


@pytest.mark.parametrize(("says", "number"), [(says, n) for says, plants in PLAN.items() for n in range(len(plants))])
def test_a_planted_fault_in_the_plan_turns_its_expectation(says: str, number: int) -> None:
    """The fault is found by the expectation that is meant for it, and it is critical."""
    result = plan(PLAN[says][number](plan_rows()))
    assert says in fallen(result)
    assert not result.ok


def test_a_body_hash_that_is_none_is_red() -> None:
    """A row whose hash is not one is named by its row id."""
    parts = list(checks.plan_frames(plan_rows()))
    rows = [part["rows"] for part in parts]
    number = next(n for n, one in enumerate(rows) if "customField.setValues/c1" in set(one["lever_id"]))
    rows[number].loc[rows[number]["lever_id"] == "customField.setValues/c1", "body_hash"] = "short"
    red = checks.plan(parts).reds
    assert [["customField.setValues/c1"]] == [row["ids"] for row in red]


def test_no_more_rows_are_in_memory_than_a_part_holds(part: int) -> None:
    """A plan of eight million rows is checked a part at a time."""
    taken = 0

    def rows() -> Iterator[PlanRow]:
        nonlocal taken
        for number in range(3 * min(part, 1000)):
            taken += 1
            yield _row("candidate.addTag", f"t{number}", number, {})

    size = min(part, 1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "PART", size)
        parts = checks.plan_frames(rows())
        assert (len(next(parts)["rows"]), taken) == (size, size)
        assert [len(one["rows"]) for one in parts] == [size, size, 0]


def test_what_stands_twice_far_apart_is_named_once() -> None:
    """Two rows of one id in different parts, and three in one: each repetition counts."""
    unique = Expect("rows", "each once", "ExpectColumnValuesToBeUnique", {"column": "key"})
    parts = [
        {"rows": DataFrame({"lever_id": ["a", "b", "c"], "key": ["x", "y", None]})},
        {"rows": DataFrame({"lever_id": ["d", "e"], "key": ["z", "x"]})},
        {"rows": DataFrame({"lever_id": ["f", "g", "h"], "key": ["q", "q", None]})},
    ]
    [row] = check("odd", iter(parts), [unique]).rows
    assert (row["ok"], row["n_tested"], row["n_unexpected"], sorted(row["ids"])) == (False, 8, 3, ["e", "f", "g"])
    [row] = check("odd", [{"rows": part["rows"].head(1)} for part in parts], [unique]).rows
    assert (row["ok"], row["n_unexpected"], row["ids"]) == (True, 0, [])


@given(st.lists(st.lists(st.none() | st.text(max_size=2), max_size=6), max_size=8))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_value_is_seen_again_exactly_if_an_earlier_part_had_it(parts: list[list[str | None]]) -> None:
    seen, before = Seen(), set[str]()
    for values in parts:
        expected = [one in before for one in values]
        column = Series(values, dtype=object)
        assert seen.holds(column).tolist() == expected
        assert seen.add(column).tolist() == expected
        before |= {one for one in values if one is not None}


def _sample(**values: Any) -> DataFrame:
    row = {
        "object": "note", "lever_id": "n1", "field": "text", "why": "random", "n_expected": 1, "n_equal": 1,
        "share": 1.0, "severity": "critical",
    }  # fmt: skip
    return DataFrame([row, row | {"object": "file", "lever_id": "x1", "field": "bytes"} | values])


def test_the_sample_is_green_only_when_every_field_is_equal() -> None:
    """A critical field that differs is red, a minor one is not; an empty sample proves nothing."""
    assert checks.sample(_sample()).ok
    red = checks.sample(_sample(share=0.5))
    assert {"every field of every file is as it was sent"} == fallen(red)
    assert [["x1"]] == [row["ids"] for row in red.reds]
    minor = checks.sample(_sample(share=0.5, severity="warning"))
    assert minor.ok
    assert {"every field of every file is as it was sent"} == fallen(minor)
    assert {"something was read closely"} == fallen(checks.sample(_sample().iloc[:0]))


def test_no_value_of_the_data_is_in_a_result() -> None:
    """Only ids, counts and our own words, whatever is wrong with the data."""
    reader = Reader()
    for says in ("every stage is one that Lever lists", "every posting has a title", "every owner is a known user"):
        EXTRACTED[says](reader)
    _first(reader, stage="canary stage", createdAt=12345, contact=None)
    reader.persons[0] |= {"email": "canary at bread", "name": "", "match": "canary", "created_ms": 67890}
    reader.stored = [FileRow("x1", "files", "o2", "canary.pdf", "", -3, "canary", "canary", "", 1)]
    rows = plan_rows()
    rows[1] = _changed(rows[1], body=rows[1].body | {"createdAt": "canary"})
    rows.append(_row("canary.create", "x9", 9, {}))
    results = [extracted(reader), people(reader), plan(rows), checks.sample(_sample(share=0.123))]
    assert all(fallen(result) for result in results)
    told = json.dumps([result.rows for result in results]).replace("canary.create/x9", "")
    for value in ("anary", "bread", "12345", "67890", "0.123"):
        assert value not in told


def test_what_could_not_run_is_shown_and_red() -> None:
    """A missing column or table is no success."""
    expectations = [
        Expect("there", "a column is filled", "ExpectColumnValuesToNotBeNull", {"column": "lacks"}),
        Expect("nowhere", "a table has rows", "ExpectTableRowCountToBeBetween", {"min_value": 1}),
    ]
    result = check("odd", {"there": DataFrame({"lever_id": ["a"]})}, expectations)
    assert [(False, False), (False, False)] == [(row["ok"], row["could_run"]) for row in result.rows]
    with pytest.raises(GateError, match="could not run: a column is filled"):
        checks.gate([result])


def test_the_gate_says_what_is_red_in_words_and_takes_overrides() -> None:
    """Counts and ids in the message; an acceptance needs somebody and a reason."""
    reader = Reader()
    reader.streams["opportunities"][0]["contact"] = None
    result = extracted(reader)
    with pytest.raises(GateError) as caught:
        checks.gate([result])
    assert "not so: every opportunity belongs to a contact (1 of 2: o1)" in str(caught.value)
    assert caught.value.exit_code == 3
    accepted = result.reds[0]["id"]
    checks.gate([result], [accepted])
    checks.gate([result], [{"id": accepted, "who": "lead", "why": "known", "when": "today"}])
    with pytest.raises(GateError):
        checks.gate([result], [{"id": accepted, "who": "lead", "why": ""}])


def test_the_gate_takes_differences_as_they_are() -> None:
    """A table of differences is red by its critical rows; warnings pass."""
    columns = {"object": "note", "lever_id": "n1", "field": "text", "kind": "different"}
    differences = DataFrame([{"id": "note/n1/text/different", "severity": "critical", **columns}])
    with pytest.raises(GateError, match="note n1 text different"):
        checks.gate([differences])
    checks.gate([differences.assign(severity="warning")])
    checks.gate([differences], ["note/n1/text/different"])


def test_great_expectations_is_imported_only_where_it_is_used() -> None:
    """It takes seconds, and every notebook imports the checks."""
    code = "import sys, lib.checks; sys.exit('great_expectations' in sys.modules)"
    root = Path(__file__).resolve().parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0

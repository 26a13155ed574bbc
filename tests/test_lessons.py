"""What a refusal speaks for, what speaks against it, and that nothing of it is obeyed without a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from lib.decisions import DecisionTable, read
from lib.mapping.book import Book
from lib.mapping.lessons import Outcome, contradicted, decided, phone_shape, refusals
from lib.mapping.model import Lessons
from lib.steps.learning import reopen

NUMBER, OTHER = "(201) 555-0102", "+1 310 555 7788"


def person(name: str, state: str = "refused", code: str = "invalid_input", **body: Any) -> Outcome:
    return Outcome("candidate.create", name, {"name": name, **body}, state, code if state == "refused" else "")


def note(length: int, state: str = "refused", code: str = "invalid_input") -> Outcome:
    return Outcome("candidate.createNote", "p", {"note": {"value": "x" * length}}, state, code)


def file(size: int, state: str = "refused", code: str = "invalid_input") -> Outcome:
    body = {"fileHandle": {"$file": {"contentLength": size}}}
    return Outcome("candidate.uploadFile", "p", body, state, code)


def closes(job: str) -> Outcome:
    return Outcome("job.setStatus", "", {"jobId": {"$link": job}, "status": "Closed"}, "done")


def application(job: str, state: str = "refused", code: str = "invalid_input") -> Outcome:
    return Outcome("application.create", "p", {"jobId": {"$link": job}}, state, code)


def proposals(outcomes: Iterable[Outcome], **more: Any) -> dict[str, tuple[str, str, int]]:
    """{id: (proposal, how sure, how many refusals)}."""
    rows = refusals(outcomes, **more)
    return {row["id"]: (row["proposal"], row["confidence"], row["n_records"]) for row in rows}


# ---- notes and files ---------------------------------------------------------------------------------------------
def test_where_nothing_was_refused_nothing_is_proposed() -> None:
    assert proposals([note(90, "done"), file(5, "done"), application("j", "done"), closes("j"), note(9, "")]) == {}


def test_the_longest_note_that_was_taken_is_the_limit() -> None:
    found = proposals([note(900, "done"), note(700, "done"), note(2000), note(1500), note(1501)])
    assert found == {"note_chars": ("900", "high", 3)}


def test_one_refused_note_is_not_sure_and_a_longer_one_that_was_taken_speaks_against_it() -> None:
    assert proposals([note(900, "done"), note(2000)]) == {"note_chars": ("900", "low", 1)}
    assert proposals([note(2001, "done"), note(2000)]) == {}
    assert proposals([note(2000, "done"), note(2000)]) == {}


def test_a_note_may_always_have_the_least_that_the_policy_allows() -> None:
    assert proposals([note(501)]) == {"note_chars": ("500", "low", 1)}
    assert proposals([note(500)]) == {}


def test_refusals_with_different_codes_are_not_sure() -> None:
    outcomes = [note(2000), note(2000, code="too_long"), note(2000, code="odd")]
    assert proposals(outcomes) == {"note_chars": ("500", "low", 3)}


def test_files_from_the_smallest_refused_one_on_are_too_large() -> None:
    assert proposals([file(10, "done"), file(30), file(20)]) == {"file_bytes": ("20", "low", 2)}
    assert proposals([file(20, "done"), file(30), file(20)]) == {}


@pytest.mark.parametrize(
    "code", ["candidate_gone", "candidate_not_found", "rate_limit_exceeded", "missing_endpoint_permission"]
)
def test_a_refusal_that_is_not_about_values_teaches_nothing(code: str) -> None:
    """Somebody has deleted the candidate, or a right lacks: its files and notes are like all others."""
    about = [note(2000, code=code), file(30, code=code), closes("j"), application("j", code=code)]
    assert proposals([*about, person("a", code=code, phoneNumber=NUMBER, email="a@b.example")]) == {}


def test_a_storage_that_refuses_everything_says_nothing_of_sizes() -> None:
    assert proposals([file(30, code="storage_403"), file(20, code="storage_400")]) == {}
    assert proposals([file(30, code="storage_too_large")]) == {"file_bytes": ("30", "low", 1)}


# ---- jobs ----------------------------------------------------------------------------------------------------------
def test_refused_on_closed_jobs_only_means_that_jobs_must_be_open() -> None:
    outcomes = [closes("j"), application("j"), application("j"), application("j"), application("open", "done")]
    assert proposals(outcomes) == {"open_jobs": ("yes", "high", 3)}
    assert proposals([*outcomes, application("open")]) == {"open_jobs": ("yes", "high", 3)}


def test_one_that_was_taken_on_a_closed_job_speaks_against_it() -> None:
    assert proposals([closes("j"), closes("k"), application("j"), application("k", "done")]) == {}
    assert proposals([application("open")]) == {}


# ---- people ----------------------------------------------------------------------------------------------------------
def test_an_address_counts_as_taken_only_where_somebody_has_it() -> None:
    """Another person of the plan who was never sent proves nothing."""
    shared = {"email": "Info@Agency.example"}
    assert proposals([person("a", **shared), person("b", state="", **shared)]) == {"person:a": ("yes", "low", 1)}
    assert proposals([person("a", **shared), person("b", "done", **shared)]) == {"shared_addresses": ("yes", "low", 1)}
    stands = proposals([person("a", alternateEmailAddresses=["info@agency.example"])], standing=["info@AGENCY.example"])
    assert stands == {"shared_addresses": ("yes", "low", 1)}


def test_an_address_that_two_have_speaks_against_it() -> None:
    both = {"email": "x@y.example"}
    outcomes = [person("a", "done", **both), person("b", "done", **both), person("c", **both)]
    assert proposals(outcomes) == {"person:c": ("yes", "low", 1)}


def test_a_way_of_writing_numbers_of_which_one_was_taken_is_not_refused() -> None:
    outcomes = [person("a", phoneNumber=NUMBER), person("b", "done", phoneNumber=OTHER)]
    assert proposals(outcomes) == {f"phone:{phone_shape(NUMBER)}": ("yes", "low", 1)}
    outcomes.append(person("c", "done", phoneNumber=NUMBER.replace("2", "3")))
    assert proposals(outcomes) == {"person:a": ("yes", "low", 1)}


def test_whoever_is_refused_with_the_name_alone_is_not_proposed_again() -> None:
    """Nothing is left to do without: somebody has to make that candidate by hand."""
    assert proposals([person("a", createdAt="2020-01-01T00:00:00Z")]) == {"person:a": ("no", "low", 1)}


@pytest.mark.parametrize(
    ("proposal", "verdict", "contradicts"),
    [
        ("5000", "8000", True),
        ("5000", "5000", False),
        ("5000", "no", False),
        ("yes", "yes", False),
        ("no", "Yes", True),
        ("no", "no", False),
        ("no", "", False),
    ],
)
def test_refusals_may_speak_against_a_verdict(proposal: str, verdict: str, contradicts: bool) -> None:
    assert contradicted({"proposal": proposal}, verdict) is contradicts


def test_a_verdict_that_proved_wrong_is_asked_for_again(tmp_path: Path) -> None:
    columns = ["id", "label", "proposal", "reason", "confidence", "n_records", "verdict"]
    rows = [dict.fromkeys(columns, "") | {"id": "note_chars", "proposal": "900", "verdict": "8000"},
            dict.fromkeys(columns, "") | {"id": "open_jobs", "proposal": "yes", "verdict": "yes"}]  # fmt: skip
    DecisionTable("refusals", tmp_path / "acme" / "refusals.csv", rows, columns).write()
    table = read(tmp_path / "acme" / "refusals.csv")
    reopen(table, [{"id": "note_chars", "proposal": "5000"}, {"id": "open_jobs", "proposal": "yes"}])
    assert [row["verdict"] for row in read(table.path).rows] == ["", "yes"]


# ---- verdicts -------------------------------------------------------------------------------------------------------
def book(tmp_path: Path, **verdicts: str) -> Book:
    rows = [
        {"id": name.replace("__", ":"), "label": "", "proposal": "", "n_records": "1", "verdict": verdict}
        for name, verdict in verdicts.items()
    ]
    return Book({"refusals": DecisionTable("refusals", tmp_path / "acme" / "refusals.csv", rows)})


def test_verdicts_become_lessons(tmp_path: Path) -> None:
    one = book(
        tmp_path, note_chars="900", file_bytes="NO", open_jobs="Yes", shared_addresses="no", phone__99="yes",
        person__p1="yes", person__p2="no",
    )  # fmt: skip
    assert decided(one) == Lessons(phone_shapes=("99",), bare=("p1",), note_chars=900, open_jobs=True)
    assert one.problems == []


def test_what_cannot_be_used_is_named_with_file_and_line(tmp_path: Path) -> None:
    one = book(tmp_path, note_chars="yes", file_bytes="-5", open_jobs="12", person__p1="")
    assert decided(one) == Lessons()
    assert one.problems == [
        "params/acme/refusals.csv:2: 'yes' is not a number or 'no'.",
        "params/acme/refusals.csv:3: '-5' is not a number or 'no'.",
        "params/acme/refusals.csv:4: '12' is not 'yes' or 'no'.",
        "params/acme/refusals.csv:5: no verdict, and 1 records depend on it (proposed: nothing).",
    ]


def test_a_note_limit_below_the_least_is_refused(tmp_path: Path) -> None:
    one = book(tmp_path, note_chars="10")
    decided(one)
    assert one.problems == ["params/acme/refusals.csv:2: 10 characters are too few for a note; at least 500."]

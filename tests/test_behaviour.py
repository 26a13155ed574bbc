"""What both accounts answer to questions that their references leave open: asked harmlessly, and told as it was."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from conftest import Sandbox

from lib import audit, report, steps, workbook
from lib.errors import ContractError, UnauthorizedError


def answers(rows: list[dict[str, Any]]) -> dict[str, str]:
    """{question: answer}."""
    assert all(set(row) == {"side", "question", "asked", "told"} for row in rows)
    return {row["question"]: row["told"] for row in rows}


def asked_lever(book: workbook.Workbook) -> dict[str, str]:
    return answers(audit.lever_behaviour(book.lever, book.lever.items("/opportunities")))


def asked_ashby(book: workbook.Workbook) -> dict[str, str]:
    return answers(audit.ashby_behaviour(book.ashby, book.ashby.items("candidate.list")))


UNKNOWN_EXPAND = "Is an unknown name in expand ignored?"
COMMAS = "Does expand take several names with commas?"
UNCHANGED = "Does updated_at_start answer with records whose updatedAt is empty?"
DELETED = "Do the deleted applications want both bounds?"
MEMBERS = "Are unknown members of a body ignored?"
CAPITALS = "Does candidate.search mind capitals in an address?"
MILLISECONDS = "Are times kept to the millisecond?"
ONE_WORD = "Does candidate.search find a name by one word of it?"


@pytest.mark.parametrize(
    ("switch", "value", "question", "start"),
    [
        ("expand_unknown", "ignored", UNKNOWN_EXPAND, "taken"),
        ("expand_unknown", "400", UNKNOWN_EXPAND, "refused (400"),
        ("expand_comma", "ignored", COMMAS, "ignored"),
        ("expand_comma", "split", COMMAS, "expanded: contact, applications"),
        ("null_dates", "skipped", UNCHANGED, "no"),
        ("null_dates", "match", UNCHANGED, "yes"),
        ("deleted_windows", "checked", DELETED, "refused (400"),
        ("deleted_windows", "free", DELETED, "no: "),
    ],
)
def test_lever_is_asked_and_its_answer_is_told(
    book: workbook.Workbook, sandbox: Sandbox, switch: str, value: str, question: str, start: str
) -> None:
    """By either behaviour; the question stands beside it."""
    sandbox.switch(**{switch: value})
    assert asked_lever(book)[question].startswith(start)


@pytest.mark.parametrize(
    ("switch", "value", "question", "start"),
    [
        ("unknown_members", "refuse", MEMBERS, "refused (200"),
        ("unknown_members", "ignore", MEMBERS, "yes"),
        ("search_email", "any", CAPITALS, "no"),
        ("search_email", "exact", CAPITALS, "yes"),
        ("search_name", "equal", ONE_WORD, "no"),
        ("search_name", "words", ONE_WORD, "yes"),
    ],
)
def test_ashby_is_asked_and_its_answer_is_told(
    book: workbook.Workbook, sandbox: Sandbox, switch: str, value: str, question: str, start: str
) -> None:
    """The candidate who is looked for is one of those who are there."""
    sandbox.switch(**{switch: value})
    assert asked_ashby(book)[question].startswith(start)


@pytest.mark.parametrize(
    ("times", "answer"),
    [
        (["2024-01-31T10:00:05.123Z"] * 3 + ["2024-01-31T10:00:05.000Z"] * 9, "3 have milliseconds"),
        (["2024-01-31T10:00:05.100Z"] * 12, "12 have milliseconds"),
        (["2024-01-31T10:00:05.000Z", "2024-01-31T10:00:05Z"] * 6, "none has milliseconds"),
        (["2024-01-31T10:00:05.123Z"] * 9, None),
    ],
)
def test_milliseconds_are_told_of_enough_times(book: workbook.Workbook, times: list[str], answer: str | None) -> None:
    """A hundred of them count too, no fraction is none, and of a few times nothing is told."""
    candidates = [{"id": f"c{n}", "createdAt": time} for n, time in enumerate(times)]
    assert answers(audit.ashby_behaviour(book.ashby, candidates)).get(MILLISECONDS) == answer


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        ({"effect": "status", "status": 503}, "no usable answer"),
        ({"effect": "html"}, "no usable answer"),
        ({"effect": "refuse", "code": "invalid_input", "message": "no"}, "refused (200 invalid_input)"),
    ],
)
def test_what_is_no_answer_is_not_called_a_refusal(
    book: workbook.Workbook, sandbox: Sandbox, row: dict[str, Any], answer: str
) -> None:
    """A vendor that is down has refused nothing; the audit goes on."""
    sandbox.faults({"api": "ashby", "endpoint": "candidate.search", "every": 1, **row})
    assert answers(audit.ashby_behaviour(book.ashby, []))[MEMBERS] == answer


def test_the_bounds_of_candidate_list_and_the_allowance_are_told(book: workbook.Workbook, sandbox: Sandbox) -> None:
    """createdBefore is honoured by this sandbox; one that ignored it would answer with somebody."""
    told = asked_ashby(book)
    assert told["Is createdBefore known to candidate.list?"] == "yes, or there is nobody"
    assert told["Does Ashby tell how many calls are left?"] == "yes, in x-ratelimit-remaining"
    somebody = '{"success": true, "results": [{"id": "x"}], "moreDataAvailable": false}'
    sandbox.faults(
        {"api": "ashby", "endpoint": "candidate.list", "every": 1, "effect": "status", "status": 200, "body": somebody}
    )
    ignoring = answers(audit.ashby_behaviour(book.ashby, []))
    assert ignoring["Is createdBefore known to candidate.list?"].startswith("no, it is ignored")


@pytest.mark.parametrize("other_job", [True, False])
def test_two_applications_on_one_job_are_seen_where_somebody_has_them(
    book: workbook.Workbook, sandbox: Sandbox, other_job: bool
) -> None:
    """That nobody has proves nothing, and is not told as a no."""
    row = {"candidate": {"id": "c"}, "job": {"id": "j"}}
    rows = [
        row,
        row | ({"job": {"id": "k"}} if other_job else {}),
        {"candidate": {"id": "c"}},
        {"candidate": {"id": "c"}},
    ]
    body = json.dumps({"success": True, "results": rows, "moreDataAvailable": False})
    sandbox.faults(
        {"api": "ashby", "endpoint": "application.list", "every": 1, "effect": "status", "status": 200, "body": body}
    )
    told = answers(audit.ashby_behaviour(book.ashby, []))["May one person have two applications on one job?"]
    assert told == ("not seen in 4 applications" if other_job else "yes: 1 in 4 applications")


def test_the_audit_keeps_the_answers_writes_nothing_and_names_nobody(book: workbook.Workbook, sandbox: Sandbox) -> None:
    """They are in the store and in the result; Ashby is as it was; no name or address is in them."""
    before = sandbox.state
    result = steps.audit(book)
    assert sandbox.state == before
    rows = book.store.results("audit", "behaviour")
    assert rows == result.behaviour.to_dict("records")
    assert {row["side"] for row in rows} == {"Lever", "Ashby"}
    page = report.table(result.behaviour, title="How both accounts behave", limit=len(rows)).markup
    for row in rows:
        assert html.escape(row["told"]) in page, row["question"]  # the masked report shows it
    told = " ".join(str(value) for row in rows for value in row.values()).lower()
    for candidate in book.ashby.items("candidate.list"):
        assert candidate["name"].lower() not in told
        assert str((candidate.get("primaryEmailAddress") or {}).get("value", "@@")).lower() not in told


def test_an_account_without_records_is_asked_what_needs_none(book: workbook.Workbook) -> None:
    """No opportunity, no candidate: fewer questions, and no error."""
    assert {UNKNOWN_EXPAND, DELETED} <= set(answers(audit.lever_behaviour(book.lever, [])))
    assert MEMBERS in answers(audit.ashby_behaviour(book.ashby, []))


def test_a_key_that_may_not_ask_says_so_and_a_wrong_key_stops(book: workbook.Workbook, sandbox: Sandbox) -> None:
    """A lacking right is an answer; a key that is not known is none."""
    sandbox.switch(key_without="candidatesRead")
    assert answers(audit.ashby_behaviour(book.ashby, []))[MEMBERS] == "the key may not ask"
    sandbox.switch(key_without="")
    sandbox.faults({"api": "ashby", "endpoint": "candidate.search", "effect": "status", "status": 401})
    with pytest.raises(UnauthorizedError):
        audit.ashby_behaviour(book.ashby, [])


def test_a_call_that_writes_is_never_made_with_an_unchecked_body(book: workbook.Workbook, sandbox: Sandbox) -> None:
    """Asking is for reading calls alone."""
    before = sandbox.state
    with pytest.raises(ContractError):
        book.ashby.ask("candidate.create", {"name": "Nobody"})
    assert sandbox.state == before

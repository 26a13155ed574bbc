"""What this Ashby does to every record alike is told once; what it does to one record stays a difference."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lib.store.ledger import Entry, Planned
from lib.validate.findings import Findings
from lib.validate.habits import HOUR, Habits, measure, tell
from lib.validate.shelf import Scratch
from lib.validate.target import Target

LOADED_MS = 1_790_000_000_000
CREATED_MS = 1_600_000_000_123
ARCHIVED_MS = 1_610_000_000_456


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def row(number: int, at_ms: int = CREATED_MS) -> tuple[Planned, Entry]:
    event = {"stageId": "s", "stageNumber": 0, "enteredStageAt": iso(ARCHIVED_MS), "archiveReasonId": "r"}
    body = {"createdAt": iso(at_ms), "applicationHistory": [event]}
    link = f"application:{number}"
    planned = Planned(
        row_id=f"application.create/opportunity/{number}", seq=number, kind="application.create",
        lever_type="opportunity", lever_id=str(number), person="p", needs=(), body=body, body_hash="h", link=link,
    )  # fmt: skip
    entry = Entry(
        row_id=planned.row_id, state="done", body_hash="h", attempts=1, first_ms=LOADED_MS, ashby_id=f"a{number}",
        code="", note="", request_id="",
    )  # fmt: skip
    return planned, entry


def measured(*shown: dict[str, Any]) -> Habits:
    """The habits by applications that are shown so, each sent as `row` says."""
    rows = [row(number) for number in range(len(shown))]
    target = Target(Scratch())
    target.applications.put((f"a{number}", one) for number, one in enumerate(shown))
    links = {planned.link: f"a{number}" for number, (planned, _) in enumerate(rows)}
    return measure(rows, links, target)


EXACT = {"createdAt": iso(CREATED_MS), "archivedAt": iso(ARCHIVED_MS)}
CUT = EXACT | {"createdAt": iso(CREATED_MS - 123)}
WRITTEN = EXACT | {"archivedAt": iso(LOADED_MS + 5000)}


def test_an_ashby_that_keeps_what_was_sent_has_no_habits() -> None:
    assert measured(EXACT, EXACT, EXACT) == Habits()


def test_all_times_without_their_milliseconds_are_a_habit() -> None:
    assert measured(CUT, CUT, CUT) == Habits(unit_ms=1000)


@pytest.mark.parametrize(
    "shown", [(CUT, CUT), (CUT, CUT, EXACT), (CUT, CUT, CUT | {"createdAt": iso(CREATED_MS - 1123)})]
)
def test_too_few_one_that_is_exact_or_one_that_is_another_second_are_no_habit(shown: tuple[Any, ...]) -> None:
    assert measured(*shown).unit_ms == 1


def test_all_archived_when_they_were_written_is_a_habit() -> None:
    assert measured(WRITTEN, WRITTEN, WRITTEN) == Habits(archived_from_ms=LOADED_MS - HOUR)


@pytest.mark.parametrize(
    "shown", [(WRITTEN, WRITTEN), (WRITTEN, WRITTEN, EXACT), (WRITTEN, WRITTEN, EXACT | {"archivedAt": iso(1)})]
)
def test_one_that_is_archived_at_its_own_time_is_no_habit(shown: tuple[Any, ...]) -> None:
    assert measured(*shown).archived_from_ms == 0


def test_each_habit_is_told_once_as_a_warning() -> None:
    findings = Findings()
    tell(Habits(unit_ms=1000, archived_from_ms=1), findings)
    assert [(one["field"], one["severity"]) for one in findings.differences] == [
        ("(times)", "warning"),
        ("archivedAt", "warning"),
    ]
    tell(Habits(), findings)
    assert len(findings.differences) == 2

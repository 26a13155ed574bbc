"""Recruiters merge and delete candidates while a load runs: what follows goes where the person is now, or waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Sandbox, environment
from crash_world import Company

from lib import steps
from lib.load.moved import GONE
from lib.store.ledger import Ledger, Planned
from lib.workbook import Workbook

Seam = Callable[[str, Planned], None]


@pytest.fixture
def mapped(company: Company, memory: Path, sandbox: Sandbox, opened: Callable[..., Workbook]) -> Iterator[Workbook]:
    """The small company, mapped and not loaded; one worker, so that "between two rows" is a moment."""
    with environment(company.copy(memory / "mapped", sandbox, workers=1), sandbox):
        yield opened()


def chain_with(book: Workbook, kind: str) -> list[Planned]:
    """The rows of somebody new in Ashby who has an application and, after it, at least two rows of this kind."""
    ledger = Ledger(book.store)
    for person in reversed(ledger.pending_people()):
        rows = list(ledger.rows(person))
        kinds = [row.kind for row in rows]
        if (
            kinds[0] == "candidate.create"
            and "application.create" in kinds
            and kinds[kinds.index("application.create") :].count(kind) >= 2
        ):
            return rows
    raise AssertionError(f"nobody has two of {kind}")


def at(row: Planned, moment: str, do: Callable[[], None]) -> Seam:
    """A seam that does something once, at that moment of that row."""
    left = [do]

    def seam(now: str, one: Planned) -> None:
        if now == moment and one.row_id == row.row_id and left:
            left.pop()()

    return seam


def merged(sandbox: Sandbox, book: Workbook, person: str, *, into: str | None = None) -> str:
    """A recruiter merges the person's candidate into another one (by default somebody new); returns the one kept."""
    gone = Ledger(book.store).links()[f"candidate:{person}"]
    kept = into or sandbox.ashby("candidate.create", {"name": "Somebody Else"})["id"]
    sandbox.ask("POST", "/ashby/merge", {"keep": kept, "gone": gone})
    return kept


def contents(sandbox: Sandbox, candidate_id: str) -> tuple[int, int]:
    """(applications, notes) of a candidate."""
    notes = sandbox.ashby("candidate.listNotes", {"candidateId": candidate_id})
    return len(sandbox.ashby("candidate.info", {"id": candidate_id})["applicationIds"]), len(notes)


def planned(rows: list[Planned], kind: str) -> int:
    return sum(row.kind == kind for row in rows)


def states(book: Workbook, rows: list[Planned]) -> dict[str, str]:
    found = Ledger(book.store).of(rows)
    return {row.row_id: found[row.row_id].state if row.row_id in found else "planned" for row in rows}


def test_what_follows_a_merge_goes_to_the_candidate_that_was_kept(mapped: Workbook, sandbox: Sandbox) -> None:
    """Its application tells where the person is; nothing is lost, nothing is made twice, the crosswalk follows."""
    rows = chain_with(mapped, "candidate.createNote")
    row = next(one for one in rows if one.kind == "application.create")
    kept: list[str] = []
    seam = at(row, "settled", lambda: kept.append(merged(sandbox, mapped, row.person)))
    steps.load(mapped, execute=True, fail_at=seam)
    assert set(states(mapped, rows).values()) == {"done"}
    assert contents(sandbox, kept[0]) == (planned(rows, "application.create"), planned(rows, "candidate.createNote"))
    assert Ledger(mapped.store).links()[f"candidate:{row.person}"] == kept[0]
    crosswalk = (mapped.folder / "crosswalk.csv").read_text()
    assert kept[0] in crosswalk
    assert steps.load(mapped, execute=True).n_writes == 0


@pytest.mark.parametrize("applied", [True, False])
def test_an_answer_lost_before_a_merge_makes_no_second_note(mapped: Workbook, sandbox: Sandbox, applied: bool) -> None:
    """The note went over with the merge, or never came to be: it is looked for where the person is now."""
    rows = chain_with(mapped, "candidate.createNote")
    note = [one for one in rows if one.kind == "candidate.createNote"][-1]
    effect = "reset_after" if applied else "reset_before"
    kept: list[str] = []
    send = mapped.ashby.transport.send

    def then_merge(*given: Any, **more: Any) -> Any:
        mapped.ashby.transport.send = send  # type: ignore[method-assign]
        try:
            return send(*given, **more)
        finally:
            kept.append(merged(sandbox, mapped, note.person))

    def before() -> None:
        sandbox.faults({"api": "ashby", "endpoint": "candidate.createNote", "nth": 1, "effect": effect})
        mapped.ashby.transport.send = then_merge  # type: ignore[method-assign]

    steps.load(mapped, execute=True, fail_at=at(note, "intended", before))
    assert sandbox.struck() == 1
    assert set(states(mapped, rows).values()) == {"done"}
    assert contents(sandbox, kept[0])[1] == planned(rows, "candidate.createNote")


def test_a_deleted_candidate_is_told_once_and_what_follows_waits(mapped: Workbook, sandbox: Sandbox) -> None:
    """One refusal, not one for each note; nobody is made a second time; the others arrive."""
    rows = chain_with(mapped, "candidate.createNote")
    row = next(one for one in rows if one.kind == "application.create")

    def deleted() -> None:
        sandbox.ask("POST", "/ashby/delete", {"candidate": Ledger(mapped.store).links()[f"candidate:{row.person}"]})

    result = steps.load(mapped, execute=True, fail_at=at(row, "settled", deleted))
    refused = result.refused.to_dict("records")
    assert [one["code"] for one in refused] == [GONE]
    assert "deleted in Ashby, or merged" in refused[0]["note"]
    after = states(mapped, rows)
    place = [one.row_id for one in rows].index(refused[0]["row_id"])
    assert {after[one.row_id] for one in rows[place + 1 :]} <= {"planned"}
    others = [state for key, state in states(mapped, list(Ledger(mapped.store).rows())).items() if key not in after]
    assert set(others) == {"done"}
    again = steps.load(mapped, execute=True)
    assert (again.n_writes, len(again.refused)) == (0, 1)


def test_two_of_ours_that_were_merged_are_for_a_person(mapped: Workbook, sandbox: Sandbox) -> None:
    """Two people of Lever, one candidate in Ashby: nothing is guessed, and no record goes to the wrong one."""
    rows = chain_with(mapped, "candidate.createNote")
    row = next(one for one in rows if one.kind == "application.create")
    ledger = Ledger(mapped.store)
    first = next(one for one in ledger.pending_people() if one not in ("", row.person))
    seam = at(
        row, "settled", lambda: merged(sandbox, mapped, row.person, into=ledger.links()[f"candidate:{first}"]) and None
    )
    result = steps.load(mapped, execute=True, fail_at=seam)
    assert [one["code"] for one in result.refused.to_dict("records")] == [GONE]
    assert f"candidate:{first}" in result.refused.to_dict("records")[0]["note"]

"""What Ashby has refused, and what it made public: set aside, told, and brought home once somebody has mended it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CUSTOMER, ROOT, Sandbox, environment, write_customer
from crash_world import FAST, POLICY, Company, problems
from picture import picture

from lib import contract, steps
from lib.errors import FatalError
from lib.load import dry_run
from lib.load.lookup import marker_of
from lib.load.moved import GONE
from lib.store.ledger import PUBLIC, Ledger, Planned
from lib.workbook import Workbook

ALL_TOGGLES, NOT_PRIVATE = "confidential,private,history,behalf", "confidential,history,behalf"
WRITES = {name for name, about in contract.ashby_endpoints().items() if about["effect"] != "read"} - {
    "file.createFileUploadHandle"  # part of an upload, no row of its own
}
UPLOADS = ("candidate.uploadFile", "candidate.uploadResume")
REFUSE: dict[str, Any] = {"api": "ashby", "effect": "refuse", "code": "invalid_input"}
STORAGE: dict[str, Any] = {"api": "storage", "endpoint": "/ashby/upload", "effect": "refuse"}


@pytest.fixture
def mapped(company: Company, memory: Path, sandbox: Sandbox, opened: Callable[..., Workbook]) -> Iterator[Workbook]:
    """The small company, mapped and not loaded; one worker, so that the first refusal is the first row."""
    with environment(company.copy(memory / "refused", sandbox, workers=1), sandbox):
        yield opened()


def states(book: Workbook) -> set[str]:
    return {state for _, state, _ in Ledger(book.store).counts()}


def codes(book: Workbook, state: str) -> dict[str, str]:
    """{row id: code} of the rows in a state."""
    return {row.row_id: entry.code for row, entry in Ledger(book.store).entries(state)}


def finished(book: Workbook, sandbox: Sandbox, company: Company) -> None:
    """Everything is done, once, and stands as after a quiet run."""
    assert states(book) == {"done"}
    assert problems(company.truth, sandbox.state) == {}
    assert picture(sandbox.state) == company.quiet


# ---- refused rows are sent again when somebody says so -------------------------------------------------------------
def test_refused_rows_and_what_hangs_on_them_arrive_when_somebody_says_so(
    mapped: Workbook, sandbox: Sandbox, company: Company
) -> None:
    sandbox.faults(*(REFUSE | {"endpoint": name, "nth": 1} for name in ("candidate.create", "candidateTag.create")))
    assert len(steps.load(mapped, execute=True).refused) == 2
    assert steps.load(mapped, execute=True).n_writes == 0
    left = dry_run(mapped.store, retry_refused=True)
    assert left.total() == dry_run(mapped.store).total() + 2
    again = steps.load(mapped, execute=True, retry_refused=True)
    planned = sum(n for name, n in left.items() if name in WRITES)
    assert (again.n_writes, len(again.refused)) == (planned, 0)
    finished(mapped, sandbox, company)


def test_the_budget_counts_anew(mapped: Workbook, sandbox: Sandbox, opened: Callable, company: Company) -> None:
    """Each run may meet as many refusals as the params say, and its message names the switch."""
    write_customer(Path(os.environ["WORKBOOK_HOME"]), sandbox, ashby=FAST | {"refusal_budget": 2}, policy=POLICY)
    mapped.close()
    book = opened()
    sandbox.faults(REFUSE | {"endpoint": "candidate.createNote"})
    for _ in range(2):
        with pytest.raises(FatalError, match=r"refused 3 calls of candidate\.createNote.*--retry-refused"):
            steps.load(book, execute=True, retry_refused=True)
    sandbox.faults()
    steps.load(book, execute=True, retry_refused=True)
    finished(book, sandbox, company)


def test_what_waits_for_a_candidate_that_is_gone_is_asked_for_once_more(mapped: Workbook, sandbox: Sandbox) -> None:
    """Nobody is made a second time: it is refused again under the same code."""
    ledger = Ledger(mapped.store)
    note = next(row for row in ledger.rows() if row.kind == "candidate.createNote")

    def deleted(moment: str, row: Planned) -> None:
        if (moment, row.row_id) == ("before intend", note.row_id):
            sandbox.ask("POST", "/ashby/delete", {"candidate": ledger.links()[f"candidate:{row.person}"]})

    steps.load(mapped, execute=True, fail_at=deleted)
    refused = codes(mapped, "refused")
    assert set(refused.values()) == {GONE}
    n_people = len(sandbox.state["candidates"])
    steps.load(mapped, execute=True, retry_refused=True)
    assert codes(mapped, "refused") == refused
    assert len(sandbox.state["candidates"]) == n_people


def test_the_command_sends_refused_rows_again(mapped: Workbook, sandbox: Sandbox, company: Company) -> None:
    """Its first run ends with 5 and says the command, the second with 0."""
    mapped.close()
    sandbox.faults(REFUSE | {"endpoint": "candidate.createNote", "nth": 1})
    first = command("run", CUSTOMER, "--from", "load", "--to", "load", "--execute")
    assert first.returncode == 5, first.stderr
    assert f"workbook run {CUSTOMER} --from load --execute --retry-refused" in first.stdout
    second = command("run", CUSTOMER, "--from", "load", "--to", "load", "--execute", "--retry-refused")
    assert second.returncode == 0, second.stderr
    assert problems(company.truth, sandbox.state) == {}


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lib.cli", *words],
        cwd=ROOT, env=os.environ | {"COLUMNS": "200"}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


# ---- a file that the storage does not want -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"status": 403, "code": "AccessDenied"}, "storage_403"),
        ({"status": 400, "code": "EntityTooLarge"}, "storage_too_large"),
        ({"status": 413, "code": "No"}, "storage_too_large"),
        ({"status": 400, "code": "MalformedPOSTRequest"}, "storage_400"),
    ],
)
def test_files_that_the_storage_refuses_are_set_aside_and_the_rest_arrives(
    mapped: Workbook, sandbox: Sandbox, company: Company, answer: dict[str, Any], code: str
) -> None:
    sandbox.faults(STORAGE | answer)
    steps.load(mapped, execute=True)
    planned = [row for row in Ledger(mapped.store).rows() if row.kind in UPLOADS]
    assert codes(mapped, "refused") == {row.row_id: code for row in planned}
    assert states(mapped) == {"done", "refused"}
    assert not any(one["files"] for one in sandbox.state["candidates"] if one["id"] in made(mapped))
    sandbox.faults()
    steps.load(mapped, execute=True, retry_refused=True)
    finished(mapped, sandbox, company)


def made(book: Workbook) -> set[str]:
    return {row["ashby_id"] for row in Ledger(book.store).link_rows() if row["ashby_type"] == "candidate"}


def test_a_single_file_is_asked_about_with_fresh_addresses_only_so_often(mapped: Workbook, sandbox: Sandbox) -> None:
    sandbox.faults(STORAGE | {"status": 400, "code": "EntityTooLarge", "times": 2})
    steps.load(mapped, execute=True)
    assert list(codes(mapped, "refused").values()) == ["storage_too_large"]
    handles = sandbox.ask("GET", "/calls")["by_endpoint"]["ashby.file.createFileUploadHandle"]
    assert handles == 1 + sum(row.kind in UPLOADS for row in Ledger(mapped.store).rows())


def test_an_address_that_has_expired_is_asked_for_anew(mapped: Workbook, sandbox: Sandbox, company: Company) -> None:
    sandbox.faults(STORAGE | {"code": "AccessDenied", "times": 7})
    steps.load(mapped, execute=True)
    assert sandbox.struck() == 7
    finished(mapped, sandbox, company)


# ---- private notes that came back public ---------------------------------------------------------------------------
def private_rows(book: Workbook) -> dict[str, Planned]:
    """{marker line: row} of the notes that are to be private."""
    return {marker_of(row.body): row for row in Ledger(book.store).rows() if row.body.get("isPrivate")}


def exposed(book: Workbook, sandbox: Sandbox) -> dict[str, str]:
    """{row id: id in Ashby} of the notes that were to be private and are not."""
    wanted = private_rows(book)
    notes = [one for candidate in sandbox.state["candidates"] for one in candidate["notes"]]
    found = [(one["id"], wanted.get(marker_of(one["content"]))) for one in notes if not one["isPrivate"]]
    return {row.row_id: ashby_id for ashby_id, row in found if row is not None}


def public_rows(book: Workbook) -> dict[str, str | None]:
    """{row id: Ashby id} of the rows that the ledger calls public."""
    return {row.row_id: entry.ashby_id for row, entry in Ledger(book.store).entries("parked") if entry.code == PUBLIC}


def load_in_public(book: Workbook, sandbox: Sandbox) -> str:
    """The id of the one note that a load has made public before it stopped."""
    sandbox.switch(key_toggles=NOT_PRIVATE, private_without_toggle="public")
    with pytest.raises(FatalError, match="did not make the note of"):
        steps.load(book, execute=True)
    found = exposed(book, sandbox)
    assert len(found) == 1
    assert public_rows(book) == found
    return next(iter(found.values()))


@pytest.mark.parametrize("fault", ["", "reset_after"], ids=["answered", "lost"])
def test_a_public_note_is_never_done_and_is_sent_again_when_it_was_deleted(
    mapped: Workbook, sandbox: Sandbox, company: Company, fault: str
) -> None:
    """The same whether its answer came or it was found by a look-up."""
    if fault:
        sandbox.faults({"api": "ashby", "endpoint": "candidate.createNote", "effect": fault})
    note = load_in_public(mapped, sandbox)
    sandbox.faults()
    sandbox.switch(key_toggles=ALL_TOGGLES)
    n_writes = sandbox.state["writes"]
    for step in (lambda: steps.load(mapped, execute=True), lambda: steps.map(mapped), lambda: steps.dedupe(mapped)):
        with pytest.raises(FatalError, match=f"did not make the note of .*{note}.*delete that note"):
            step()
    assert sandbox.state["writes"] == n_writes
    sandbox.ask("POST", "/ashby/delete", {"note": note})
    steps.load(mapped, execute=True)
    finished(mapped, sandbox, company)


def test_a_note_that_somebody_made_private_is_done(mapped: Workbook, sandbox: Sandbox) -> None:
    """Recruiters may hide it in Ashby instead: then it stands as it should."""
    load_in_public(mapped, sandbox)
    sandbox.switch(key_toggles=ALL_TOGGLES)
    said = {"api": "ashby", "endpoint": "candidate.listNotes", "effect": "envelope"}
    (row_id,) = public_rows(mapped)
    row = Ledger(mapped.store).row(row_id)
    assert row is not None
    candidate = Ledger(mapped.store).links()[f"candidate:{row.person}"]
    notes = sandbox.ashby("candidate.listNotes", {"candidateId": candidate})
    sandbox.faults(said | {"set": {"results": [one | {"isPrivate": True} for one in notes]}})
    steps.load(mapped, execute=True)
    assert states(mapped) == {"done"}


def test_nobody_can_decide_that_a_public_note_is_done(mapped: Workbook, sandbox: Sandbox) -> None:
    note = load_in_public(mapped, sandbox)
    (row_id,) = public_rows(mapped)
    path = mapped.params_folder / "overrides.csv"
    path.write_text(f"id,verdict,who,when,why\nrow:{row_id},{note},me,today,I looked\n")
    for _ in range(2):
        with pytest.raises(FatalError, match=note):
            steps.load(mapped, execute=True)
        with mapped.writing("load"):  # as a row that is parked for another reason: two notes with one mark, say
            row = Ledger(mapped.store).row(row_id)
            assert row is not None
            Ledger(mapped.store).settle(row, "parked", note="several")
    assert states(mapped) & {"parked"}


def test_validation_is_red_while_a_note_is_public(mapped: Workbook, sandbox: Sandbox) -> None:
    """Even when all the rest is there."""
    load_in_public(mapped, sandbox)
    (row_id,) = public_rows(mapped)
    sandbox.switch(key_toggles=ALL_TOGGLES)
    result = steps.validate(mapped)
    assert not result.ok
    told = result.differences[result.differences["detail"].str.contains(row_id, regex=False)]
    assert set(told["severity"]) == {"critical"}
    assert "(public)" in told["detail"].iloc[0]

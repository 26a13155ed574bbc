"""The loss list is signed before anything is written: row by row, for a number of records, never in silence."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CUSTOMER, ROOT, Sandbox, environment

from lib import decisions, steps
from lib.errors import GateError
from lib.steps import signing
from lib.workbook import Workbook

LOSS = {
    "lever_type": "opportunity", "field": "followers", "treatment": "archived only", "where": "raw archive",
    "reason": "no counterpart", "n_records": 7,
}  # fmt: skip


@pytest.fixture
def strict(mapped: Workbook) -> Workbook:
    """A customer whose loss list must be signed, as is usual; nothing is signed yet."""
    mapped.params = mapped.params.model_copy(
        update={"policy": mapped.params.policy.model_copy(update={"losses": "signed"})}
    )
    steps.map(mapped)
    return mapped


def losses(book: Workbook) -> decisions.DecisionTable:
    return book.table("losses")


def decided(book: Workbook, **verdicts: str) -> None:
    """Verdicts by label, `all` for everybody else."""
    table = losses(book)
    rows = [row | {"verdict": verdicts.get(row["label"], verdicts["all"])} for row in table.rows]
    decisions.DecisionTable("losses", table.path, rows, table.columns).write()


def test_every_loss_of_the_plan_is_a_row_that_somebody_may_miss_first(strict: Workbook) -> None:
    table, found = losses(strict), strict.store.results("map", "losses")
    assert len(table.rows) == len(found) > 40
    assert len({row["id"] for row in table.rows}) == len(found)
    assert sum(int(row["n_records"]) for row in table.rows) == sum(row["n_records"] for row in found)
    confidence = [float(row["confidence"]) for row in table.rows]
    assert confidence == sorted(confidence)
    assert all(row["where"] or row["treatment"] == "never" for row in table.rows)
    assert {row["label"].partition(": ")[2][0] for row in table.rows if row["confidence"] == "0.50"} == {"("}
    sure = {row["label"]: row["confidence"] for row in table.rows}
    assert (sure["interview: id"], sure["posting: content"]) == ("0.97", "0.90")


def test_nothing_is_written_before_the_list_is_signed(strict: Workbook, sandbox: Sandbox) -> None:
    n_writes = sandbox.state["writes"]
    with pytest.raises(GateError, match=r"wait for a signature: params/acme/losses\.csv:2: .*workbook sign acme"):
        steps.load(strict, execute=True)
    with pytest.raises(GateError, match=r"wait for a signature"):
        steps.load(strict, execute=True, sample=1)
    assert steps.load(strict).n_writes == 0  # a dry run needs no signature
    assert sandbox.state["writes"] == n_writes
    decided(strict, all="=")
    steps.losses_gate(strict)
    assert steps.load(strict, execute=True).n_writes > 0


def test_a_file_that_is_gone_or_emptied_is_no_signature(strict: Workbook) -> None:
    decided(strict, all="any")
    steps.losses_gate(strict)
    losses(strict).path.unlink()
    with pytest.raises(GateError, match="wait for a signature"):
        steps.load(strict, execute=True)


def test_each_line_that_is_not_signed_is_named_at_once(strict: Workbook) -> None:
    decided(strict, all="any", **{"opportunity: followers": "", "posting: content": "yes", "user: jobTitle": "0"})
    lines = {row["label"]: line for line, row in losses(strict).numbered()}
    with pytest.raises(GateError) as told:
        steps.losses_gate(strict)
    text = str(told.value)
    assert text.startswith("3 kinds of loss")
    for label, words in {
        "opportunity: followers": r"\d+ records",
        "posting: content": r"the verdict 'yes' is neither a number nor 'any'",
        "user: jobTitle": r"\d+ records now, signed for 0",
    }.items():  # fmt: skip
        assert re.search(rf"losses\.csv:{lines[label]}: {re.escape(label)} .*?{words}", text)


@pytest.mark.parametrize(
    ("verdict", "is_open"), [("", True), ("6", True), ("7", False), ("8", False), ("any", False), ("ANY", False),
                             ("-8", True), ("٨", True), ("8.0", True), ("=", False)],
)  # fmt: skip
def test_a_signature_holds_for_so_many_records(tmp_path: Path, verdict: str, is_open: bool) -> None:
    table = decisions.DecisionTable("losses", tmp_path / "acme" / "losses.csv").merge(signing.proposals([LOSS]))
    rows = [row | {"verdict": verdict} for row in table.rows]
    decisions.DecisionTable("losses", table.path, rows, table.columns).write()
    again = decisions.read(table.path).merge(signing.proposals([LOSS]))
    assert bool(list(signing.unsigned(again))) == is_open


def test_what_is_signed_for_as_many_as_now_waits_again_when_it_is_more(tmp_path: Path) -> None:
    """`=` takes the count of today, and not that of tomorrow."""
    table = decisions.DecisionTable("losses", tmp_path / "acme" / "losses.csv").merge(signing.proposals([LOSS]))
    decisions.DecisionTable("losses", table.path, [table.rows[0] | {"verdict": "="}], table.columns).write()
    more = decisions.read(table.path).merge(signing.proposals([LOSS | {"n_records": 9}]))
    assert [row["verdict"] for _, row in signing.unsigned(more)] == ["7"]
    gone = decisions.read(table.path).merge([])
    assert list(signing.unsigned(gone)) == []
    assert [row["verdict"] for row in gone.rows] == ["7"]  # it is kept for the day on which the loss is there again


def test_two_places_of_one_field_are_two_rows() -> None:
    rows = signing.proposals([LOSS, LOSS | {"reason": "another one"}, LOSS | {"treatment": "note"}])
    assert len({row["id"] for row in rows}) == 3


# ---- workbook sign ---------------------------------------------------------------------------------------------------
def sign(home: Path, sandbox: Sandbox, *words: str) -> subprocess.CompletedProcess[str]:
    with environment(home, sandbox):
        return subprocess.run(
            [sys.executable, "-m", "lib.cli", "sign", CUSTOMER, *words], cwd=ROOT, env=os.environ | {"COLUMNS": "200"},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip


def test_the_command_signs_what_it_shows(strict: Workbook, sandbox: Sandbox) -> None:
    home, n_all = strict.folder.parents[1], len(losses(strict).rows)
    some = sum(float(row["confidence"]) >= 0.95 for row in losses(strict).rows)
    done = sign(home, sandbox, "--above", "0.95")
    assert done.returncode == 0, done.stderr
    assert f"Signed {some} losses in params/acme/losses.csv; {n_all - some} are left." in done.stdout
    with pytest.raises(GateError, match=rf"^{n_all - some} kinds of loss"):
        steps.losses_gate(strict)
    done = sign(home, sandbox, "--any")
    assert f"Signed {n_all - some} losses" in done.stdout
    assert all(row["label"] in done.stdout for row in losses(strict).rows[:1])
    steps.losses_gate(strict)
    verdicts = [(row["confidence"], row["verdict"]) for row in losses(strict).rows]
    assert all(verdict == "any" if float(confidence) < 0.95 else verdict.isdigit() for confidence, verdict in verdicts)
    assert "Signed 0 losses" in sign(home, sandbox).stdout


def test_without_a_plan_there_is_nothing_to_sign(home: Path, sandbox: Sandbox) -> None:
    done = sign(home, sandbox)
    assert (done.returncode, "no plan yet" in done.stderr) == (3, True)


def test_a_customer_whose_ashby_is_thrown_away_need_not_sign(mapped: Workbook) -> None:
    assert mapped.params.policy.losses == "unsigned"
    assert not losses(mapped).path.exists()
    steps.losses_gate(mapped)


def test_a_plan_is_not_loaded_by_the_loss_list_of_another_one(
    strict: Workbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """04_map dies between the plan and the end: the list is that plan's already; a list of another one stops."""
    decided(strict, all="any")
    signing.gate(strict)
    monkeypatch.setattr("lib.steps.deciding.changing.remember", lambda *_args, **_more: 1 / 0)
    table = strict.table("tags")
    rows = [row | {"verdict": "drop"} for row in table.rows]
    decisions.DecisionTable("tags", table.path, rows, table.columns).write()
    with pytest.raises(ZeroDivisionError):
        steps.map(strict)
    assert any(row["field"] == "tags" or "tag" in row["reason"] for row in strict.store.results("map", "losses"))
    with pytest.raises(GateError, match="wait for a signature"):
        signing.gate(strict)
    signing.keep(strict.store, [], plan_hash="another")
    with pytest.raises(GateError, match="not that of the plan in force"):
        signing.gate(strict)

"""Files that did not come as told, or not at all: each is named, and very many of them stop until somebody looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Sandbox, decide, new_store
from mapping_world import T0, World, opportunity
from test_extract import sign

from lib import steps
from lib.errors import GateError
from lib.extract.reports import MANY, report_absent, undelivered
from lib.store import NO_BYTES, OCCASIONS, FileRow, Store
from lib.workbook import Workbook


# ---- here, and in doubt ----------------------------------------------------------------------------------------------
def test_a_file_of_another_size_than_told_is_named_by_its_id_and_in_the_loss_list(
    book: Workbook, sandbox: Sandbox
) -> None:
    """Three times alike and too short: it is kept and moves, and an analyst can look at each."""
    steps.audit(book)
    sandbox.switch(download_redirects="none")
    files = "/opportunities/*/files/*/download"
    sandbox.faults({"api": "lever", "endpoint": files, "effect": "wrong_length", "by": -3})
    told = steps.extract(book).doubtful
    kept = [row for row in book.store.files() if row.state == "stored" and row.reason]
    assert len(kept) > 3
    expected = [("files", row.lever_id, row.opportunity_id, row.size, row.reason) for row in kept]
    assert sorted(expected) == sorted(told.itertuples(index=False, name=None))
    assert all(row.reason.startswith("Lever told of ") for row in kept)
    sandbox.faults()
    decide(book, sandbox)
    losses = steps.map(book).losses
    (loss,) = losses[losses["field"] == "(bytes in doubt)"].to_dict("records")
    assert ("file", "moved changed", len(loss["ids"])) == (loss["lever_type"], loss["treatment"], loss["n_records"])
    assert 0 < loss["n_records"] <= len(kept)
    assert set(loss["ids"]) == set(loss["examples"]) <= {row.lever_id for row in kept}


def test_what_lever_has_deleted_is_in_no_list_of_doubts(tmp_path: Path) -> None:
    """Nobody has to look at it, and it does not move."""
    store = new_store(tmp_path / "acme")
    with store.begin() as tx:
        for lever_id, reason in (("f1", "it differs"), ("f2", "it differs"), ("f3", "")):
            store.put_file(tx, FileRow(lever_id, "files", "o1", "Ada's cv.pdf", "x/y", 4, "ab", "stored", reason, 1))
        store.put_raw(tx, "files", [(lever_id, "o1", {"id": lever_id}) for lever_id in ("f1", "f3")])
    report_absent(store)
    row = {"stream": "files", "lever_id": "f1", "opportunity": "o1", "bytes": 4, "reason": "it differs"}
    assert [row] == store.results("extract", "doubtful")
    store.close()


def test_a_file_in_doubt_moves_and_is_counted() -> None:
    """The loss list names it though its bytes arrive: they may not be those that Lever has."""
    world = World(opportunity("o-1"))
    for lever_id, reason in (("f-1", "Lever told of 9 bytes"), ("f-2", "")):
        world.give("files", "o-1", {"id": lever_id, "name": f"{lever_id}.pdf", "ext": ".pdf", "uploadedAt": T0})
        world.store(lever_id, reason=reason)
    assert 2 == sum(row.kind == "candidate.uploadFile" for row in world.plan())
    (loss,) = [row for row in world.losses.rows() if row["field"] == "(bytes in doubt)"]
    assert (1, "moved changed", ["f-1"], ["f-1"]) == (
        loss["n_records"], loss["treatment"], loss["ids"], loss["examples"],
    )  # fmt: skip
    assert "02_extract says which" in loss["reason"]


# ---- not to be had ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("reason", "attempts", "final"),
    [("(404)", 1, False), ("(404)", OCCASIONS - 1, False), ("(404)", OCCASIONS, True), (NO_BYTES, 1, True)],
)
def test_a_file_is_given_up_after_three_occasions(reason: str, attempts: int, final: bool) -> None:
    """An export that lacks it is not asked again."""
    row = FileRow("f1", "files", "o1", "", "", None, None, "unavailable", reason, attempts)
    assert final == row.is_final


def test_the_loss_list_says_which_files_are_still_asked_for() -> None:
    """One that was asked for on fewer than three occasions may come yet: nobody should sign for it unknowing."""
    world = World(opportunity("o-1"))
    for lever_id, final in (("f-1", True), ("f-2", False), ("f-3", False)):
        world.give("files", "o-1", {"id": lever_id, "name": "lost.pdf", "ext": ".pdf", "uploadedAt": T0})
        world.store(lever_id, state="unavailable", is_final=final)
    world.plan()
    gone = "the file is unavailable at the source"
    so_far = f"{gone}, so far: asked for on fewer than three occasions, 02_extract asks again"
    assert [(1, "never", gone), (2, "never", so_far)] == sorted(world.lost("file", "(bytes)"), key=lambda row: row[2])


def lack(store: Store, n_lacking: int, n_here: int, *, reason: str = "not there (404)", raw: bool = True) -> None:
    """So many files of which Lever has no bytes, and so many that are here, beside those that there are."""
    rows = [FileRow(f"made-{n}", "files", "o1", "", "", None, None, "unavailable", reason, 1) for n in range(n_lacking)]
    rows += [FileRow(f"here-{n}", "files", "o1", "", "x/y", 1, "ab", "stored", "", 1) for n in range(n_here)]
    with store.begin() as tx:
        for row in rows:
            store.put_file(tx, row)
        if raw:
            store.put_raw(tx, "files", [(row.lever_id, "o1", {"id": row.lever_id}) for row in rows])


@pytest.mark.parametrize(
    ("n_lacking", "n_here", "red"),
    [
        (MANY, 0, False),
        (MANY + 1, 0, True),
        (MANY + 1, MANY + 1, True),
        (MANY + 1, MANY + 2, False),
        (3 * MANY, MANY, True),
    ],
)
def test_half_of_very_many_files_without_bytes_is_no_chance(
    tmp_path: Path, n_lacking: int, n_here: int, red: bool
) -> None:
    """A few, or a small share of many, are a matter of single files; résumés are told apart from files."""
    store = new_store(tmp_path / "acme")
    lack(store, n_lacking, n_here)
    with store.begin() as tx:
        store.put_raw(tx, "resumes", [("r1", "o1", {"id": "r1"})])
        store.put_file(tx, FileRow("r1", "resumes", "o1", "", "", None, None, "unavailable", "not there (404)", 1))
    assert ([("files", n_lacking, n_lacking + n_here)] if red else []) == undelivered(store)
    store.close()


@pytest.mark.parametrize("how", [{"reason": NO_BYTES}, {"raw": False}], ids=["not in the export", "deleted in Lever"])
def test_what_the_export_lacks_or_lever_has_deleted_has_its_own_words(tmp_path: Path, how: dict[str, object]) -> None:
    """Neither says anything about the key or the storage."""
    store = new_store(tmp_path / "acme")
    lack(store, 3 * MANY, 0, **how)  # type: ignore[arg-type]
    assert [] == undelivered(store)
    store.close()


def test_far_too_many_files_without_bytes_stop_the_plan_until_somebody_accepts_it(mapped: Workbook) -> None:
    """A key that may not read files is answered 404 for each: that must not pass for files that nobody has."""
    n_known = sum(row.stream == "files" for row in mapped.store.files())
    lack(mapped.store, max(n_known, MANY) + 1, 0)
    for step in (steps.files_gate, steps.map):
        with pytest.raises(GateError, match=r"far too many files.*id unavailable:files") as caught:
            step(mapped)
        assert "made-" not in str(caught.value)
    sign(mapped, "unavailable:resumes")
    with pytest.raises(GateError, match="unavailable:files"):
        steps.files_gate(mapped)
    sign(mapped, "unavailable:files")
    steps.files_gate(mapped)

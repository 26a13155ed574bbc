"""Files that were uploaded as an answer: whether Lever lists them is not known, and the move is right either way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reconcile
from conftest import CUSTOMER, Sandbox, environment, prepare, running_sandbox, write_customer

from lib import steps, workbook
from lib.workbook import Workbook

BYTES = "the download of a file answer is not documented"


@pytest.fixture(scope="module")
def small() -> Iterator[Sandbox]:
    with running_sandbox(people=6, seed=3) as one:
        yield one


def bodies(book: Workbook, stream: str) -> list[dict[str, Any]]:
    found = (book.store.get(stream, lever_id) for lever_id in book.store.head_shas(stream))
    return [body for body in found if body is not None]


def uploads(book: Workbook) -> dict[str, dict[str, Any]]:
    """{id: file} of all answers that are files, of the forms that are not deleted."""
    forms = [form for form in bodies(book, "forms") if not form.get("deletedAt")]
    for item in bodies(book, "opportunities"):
        forms += [form for one in item["applications"] for form in one["customQuestions"] or []]
    values = [one.get("value") for form in forms for one in form["fields"] if one["type"] == "file-upload"]
    return {one["id"]: one for one in values if one}


@pytest.mark.parametrize("how", ["absent", "listed"])
def test_a_file_that_is_an_answer_is_moved_or_named_as_lost(small: Sandbox, tmp_path: Path, how: str) -> None:
    """Its bytes stand at the candidate once, or the loss list names them; the answer says its name in any case."""
    small.reset()
    small.switch(uploaded_answers=how)
    write_customer(tmp_path, small)
    with environment(tmp_path, small):
        book = workbook.open_customer(CUSTOMER)
        prepare(book, small)
        steps.map(book)
        wanted = uploads(book)
        assert len(wanted) > 1
        stored = {row.lever_id: row for row in book.store.files() if row.lever_id in wanted}
        lost = [row for row in book.store.results("map", "losses") if row["reason"].startswith(BYTES)]
        if how == "listed":
            assert {key: one["size"] for key, one in wanted.items()} == {key: row.size for key, row in stored.items()}
            assert {"stored"} == {row.state for row in stored.values()}
            assert [] == lost
        else:
            assert {} == stored
            assert sum(row["n_records"] for row in lost) > 0
        steps.load(book, execute=True)
        assert steps.validate(book).ok
        found = {kind: texts for kind, texts in reconcile.problems(small.truth, small.state).items() if texts}
        assert {} == found
        assert steps.load(book, execute=True).n_writes == 0
        book.close()
    small.reset()

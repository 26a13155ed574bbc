"""A page of an export after which more follow is half a list: what is not here is a question, never a silent loss."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import CUSTOMER, Sandbox
from test_export_files import (
    ONE,
    TWO,
    accept_all,
    came,
    dumped,
    from_files,
    keyless,
    needs,
    opportunity,
    reasons,
    store,
)

from lib import steps
from lib.errors import GateError
from lib.store import Store
from lib.workbook import Workbook

__all__ = ["keyless", "store"]  # fixtures
Json = dict[str, Any]


def note(number: int, **more: Any) -> Json:
    """A note as the API gives it."""
    made = {"id": f"1000000{number}-0000-4000-8000-000000000000", "text": "Note", "fields": [], "secret": False}
    return made | {"createdAt": 1_600_000_000_000} | more


def page(*items: Json, more: Any = False, indent: int | None = None, name: str = "data", **others: Any) -> str:
    """A page as the API gives it; `others` stand before its objects."""
    told = {"next": "a token"} if more else {}
    return json.dumps(others | {name: list(items)} | told | {"hasNext": more}, indent=indent)


def without(text: str, name: str) -> str:
    """A page without one of its members."""
    return json.dumps({key: value for key, value in json.loads(text).items() if key != name})


def export(folder: Path, files: dict[str, str]) -> Path:
    """Two opportunities, and what else a test gives."""
    for name, text in files.items():
        dumped(folder, name, text)
    return dumped(folder, "opportunities.json", json.dumps([opportunity(ONE), opportunity(TWO)]))


OF_ONE, OF_TWO = {"opportunityId": ONE}, {"opportunityId": TWO}
WHOLE = {
    "one page": {f"opportunities/{ONE}/notes.json": page(note(1), note(2))},
    "two files": {
        f"opportunities/{ONE}/notes-1.json": page(note(1), more=True),
        f"opportunities/{ONE}/notes-2.json": page(note(2)),
    },
    "the last one comes first": {f"notes/{ONE}.jsonl": page(note(1)) + "\n" + page(note(2), more=True)},
    "lines": {f"notes/{ONE}.jsonl": page(note(1), more=True) + "\n" + page(note(2))},
    "pages one behind the other": {
        f"notes/{ONE}.json": page(note(1), more=True, indent=1) + "\n" + page(note(2), indent=1)
    },
    "the last one says nothing": {
        f"notes/{ONE}_1.json": page(note(1), more=True),
        f"notes/{ONE}_2.json": without(page(note(2)), "hasNext"),
    },
    "an empty one is the last": {
        f"notes/{ONE}_1.json": page(note(1), note(2), more=True),
        f"notes/{ONE}_2.json": page(),
    },
    "by its name": {"bundle.json": page(note(1, **OF_ONE), note(2, **OF_ONE), name="notes")},
    "of several opportunities": {
        "notes/page-1.json": page(note(1, **OF_ONE), note(2, **OF_TWO), more=True),
        "notes/page-2.json": page(note(3, **OF_TWO)),
    },
    "no pages": {f"notes/{ONE}.json": json.dumps([note(1), note(2)])},
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_list_whose_last_page_is_here_asks_nothing(tmp_path: Path, store: Store, name: str) -> None:
    """In files, lines or one behind the other: every object is read, and nobody is asked."""
    found = came(store, export(tmp_path / "export", WHOLE[name]))
    assert ([], []) == (needs(found), reasons(found))
    assert store.count("notes") == sum(text.count('"text": "Note"') for text in WHOLE[name].values())


CUT = {
    "one page": {f"opportunities/{ONE}/notes.json": page(note(1), note(2), more=True)},
    "indented": {f"opportunities/{ONE}/notes.json": page(note(1), note(2), more=True, indent=2)},
    "said first": {f"notes/{ONE}.json": without(page(note(1), more=True, hasNext=True, indent=2), "next")},
    "as text": {f"notes/{ONE}.json": page(note(1), more="true")},
    "by a token alone": {f"notes/{ONE}.json": without(page(note(1), more=True), "hasNext")},
    "lines": {f"notes/{ONE}.jsonl": page(note(1), more=True) + "\n" + page(note(2), more=True)},
    "one behind the other": {
        f"notes/{ONE}.json": page(note(1), more=True, indent=1) + page(note(2), more=True, indent=1)
    },
    "without objects": {f"notes/{ONE}.json": page(more=True)},
    "by its name": {"bundle.json": page(note(1, **OF_ONE), name="notes", more=True)},
    "of one of two folders": {
        f"opportunities/{ONE}/notes.json": page(note(1), more=True),
        f"opportunities/{TWO}/notes.json": page(note(2)),
    },
    "of one of two files": {f"notes/{ONE}.json": page(note(1), more=True), f"notes/{TWO}.json": page(note(2))},
    "of one of two, as the notes say": {
        "notes/page-1.json": page(note(1, **OF_ONE), more=True),
        "notes/page-2.json": page(note(2, **OF_TWO)),
    },
    "of several opportunities": {"notes.json": page(note(1, **OF_ONE), note(2, **OF_TWO), more=True)},
    "beside another list": {
        f"opportunities/{ONE}/notes.json": page(note(1), more=True),
        f"opportunities/{ONE}/files.json": page(),
    },
}


@pytest.mark.parametrize("name", CUT)
def test_a_list_whose_last_page_is_not_here_waits_for_a_word(tmp_path: Path, store: Store, name: str) -> None:
    """What came is kept, and one question tells of all lists of a kind."""
    found = came(store, export(tmp_path / "export", CUT[name]))
    assert (["file-in:cut-notes-#"], []) == (needs(found), reasons(found))
    (row,) = found.told.needs
    assert str(row["finding"]).startswith("1 lists of notes say that more follow (hasNext)")
    assert store.count("notes") == sum(text.count('"text": "Note"') for text in CUT[name].values())


def test_short_lists_and_opportunities_that_are_cut_wait_too(tmp_path: Path, store: Store) -> None:
    """Each kind by itself, and a word for one set of lists is none for another."""
    files = {
        "postings/page_1.json": page({"id": "p", "text": "Engineer"}, more=True),
        "opportunities/page_0001.json": page(opportunity(ONE), more=True),
    }
    folder = export(tmp_path / "export", files)
    found = came(store, folder)
    assert ["file-in:cut-opportunities-#", "file-in:cut-postings-#"] == needs(found)
    before = {row["id"] for row in found.told.needs}
    dumped(folder, f"opportunities/more/{ONE}/page_0001.json", page(opportunity(TWO), more=True))
    after = {row["id"] for row in came(store, folder).told.needs}
    assert (1, 1, 1) == (len(before & after), len(before - after), len(after - before))


def test_lists_one_behind_the_other_are_all_read(tmp_path: Path, store: Store) -> None:
    """Two dumps written into one file; what stands behind them and is none is named."""
    text = json.dumps([note(1)], indent=1) + "\n" + json.dumps([note(2)], indent=1)
    folder = export(tmp_path / "export", {f"notes/{ONE}.json": text})
    assert ([], 2) == (reasons(came(store, folder)), store.count("notes"))
    dumped(folder, f"notes/{ONE}.json", f"{text}\nand so on")
    assert "no JSON object" in {reason for _, reason in reasons(came(store, folder))}


def test_a_cut_list_stops_the_plan_until_somebody_accepts_it(
    tmp_path: Path, keyless: Path, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    """Audit and extraction name it; its place, which may hold a name, stands in the private list only."""
    folder = export(tmp_path / "export", {f"opportunities/Ada Byron {ONE}/notes.json": page(note(1), more=True)})
    from_files(keyless, sandbox, folder)
    book = opened()
    result = steps.audit(book)
    (finding,) = [row for row in result.findings.to_dict("records") if row["id"].startswith("file-in:cut-notes-")]
    assert ("critical", True) == (finding["severity"], "more follow" in finding["finding"])
    assert "Ada" not in str(result.findings.to_numpy())
    with pytest.raises(GateError, match="say that more follow"):
        steps.extract(book)
    assert "Ada Byron" in (keyless / "runs" / CUSTOMER / "export-files.csv").read_text("utf-8")
    accept_all(book, result)
    steps.extract(book)
    steps.files_gate(book)
    assert 1 == book.store.count("notes")

"""Confidential access is decided by what Lever answers, by a named posting, or by somebody's word; never assumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CUSTOMER, Sandbox, write_customer
from test_live import Source

from lib import steps
from lib.audit import confidential_access
from lib.errors import GateError
from lib.workbook import Workbook

REFUSALS = ["403", "401", "400", "trimmed"]
NO_ONE = "00000000-0000-4000-8000-000000000000"


def postings(sandbox: Sandbox) -> dict[str, list[str]]:
    """{confidentiality: ids} of all postings."""
    found: dict[str, list[str]] = {}
    for one in Source(sandbox).list("/postings", {"confidentiality": "all"}):
        found.setdefault(one["confidentiality"], []).append(one["id"])
    return found


def no_confidential_rows(sandbox: Sandbox) -> None:
    """All lists of confidential records are empty, as in an account that has none, or for a key that sees none."""
    lists = [f"/{name}" for name in ("opportunities", "postings", "requisitions")]
    rows = [
        {"api": "lever", "endpoint": one, "having": "confidentiality", "effect": "shrink", "keep": 0} for one in lists
    ]
    sandbox.faults(*[row | {"times": 2} for row in rows])


def finding(book: Workbook) -> dict[str, str]:
    """What the audit says of confidential access."""
    found = steps.audit(book).findings
    row = found[found["id"] == "confidential"].iloc[0]
    return {"severity": row["severity"], "text": f"{row['finding']}; {row['do']}"}


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_key_without_access_is_found_out_whatever_lever_answers(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook], monkeypatch: pytest.MonkeyPatch, refusal: str,
    named: bool,
) -> None:  # fmt: skip
    """An error says it; where lists are trimmed without a word, only a named posting does, or nobody."""
    secret = postings(sandbox)["confidential"][0]
    monkeypatch.setenv("TEST_LEVER_KEY", sandbox.about["lever_key_plain"])
    sandbox.switch(confidential_refusal=refusal)
    write_customer(home, sandbox, lever={"confidential_posting": [secret] if named else []})
    book = opened()
    found = finding(book)
    assert found["severity"] == "critical"
    decided = named or refusal != "trimmed"
    assert ("no access" if decided else "undecided") in found["text"]
    assert ("Name one confidential posting" in found["text"]) is not decided
    with pytest.raises(GateError, match=r"\[confidential\]"):
        steps.extract(book)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_key_with_access_proves_itself(sandbox: Sandbox, book: Workbook, refusal: str) -> None:
    """Rows are enough; nothing has to be named or signed."""
    sandbox.switch(confidential_refusal=refusal)
    found = finding(book)
    assert (found["severity"], "proven" in found["text"]) == ("info", True)
    steps.audit_gate(book)


def test_where_there_is_no_confidential_record_somebody_has_to_sign(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    """Undecided stops; the word of somebody goes on once it is recorded who, and why."""
    no_confidential_rows(sandbox)
    book = opened()
    found = finding(book)
    assert found["severity"] == "critical"
    assert "cannot be decided. Name one confidential posting" in found["text"]
    with pytest.raises(GateError, match="cannot be decided"):
        steps.audit_gate(book)
    book.close()
    write_customer(home, sandbox, lever={"confidential_access": "granted"})
    no_confidential_rows(sandbox)
    book = opened()
    found = finding(book)
    assert found["severity"] == "critical"
    with pytest.raises(GateError, match="is not recorded"):
        steps.audit_gate(book)
    folder = home / "params" / CUSTOMER
    folder.mkdir(exist_ok=True)
    (folder / "overrides.csv").write_text("id,who,when,why\nconfidential,kim,2026-04-01,looked at the key\n", "utf-8")
    no_confidential_rows(sandbox)
    found = finding(book)
    assert found["severity"] == "info"
    assert "signed in overrides.csv (2026-04-01)" in found["text"]
    steps.audit_gate(book)


@pytest.mark.parametrize("closed", ["requisitions", "opportunities"])
def test_a_list_that_is_closed_to_the_key_says_nothing_of_confidential_records(
    sandbox: Sandbox, book: Workbook, closed: str
) -> None:
    """One is refused with and without the question; the others show confidential records."""
    sandbox.faults({"api": "lever", "endpoint": f"/{closed}", "effect": "status", "status": 403, "every": 1})
    found = confidential_access(book.lever, "prove")
    assert (found["verdict"], found["confidentiality"]) == ("proven", "all")


def test_a_line_in_overrides_alone_is_a_signature_too(sandbox: Sandbox, book: Workbook) -> None:
    """Who, when and why: the finding stays, and the gate lets it pass."""
    no_confidential_rows(sandbox)
    steps.audit(book)
    book.params_folder.mkdir(exist_ok=True)
    path = book.params_folder / "overrides.csv"
    path.write_text("id,who,when,why\nconfidential,,2026-04-01,\n", "utf-8")
    with pytest.raises(GateError, match=r"\[confidential\]"):
        steps.audit_gate(book)
    path.write_text("id,who,when,why\nconfidential,kim,2026-04-01,there is none\n", "utf-8")
    steps.audit_gate(book)


@pytest.mark.parametrize("which", ["confidential", "non-confidential", "nowhere"])
def test_a_named_posting_is_asked_for_when_no_list_shows_any(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook], which: str
) -> None:
    """Given by its id and hidden in lists: the lists cannot be trusted. Not confidential: proves nothing."""
    named = {"nowhere": [NO_ONE]} | {name: ids[:1] for name, ids in postings(sandbox).items()}
    write_customer(home, sandbox, lever={"confidential_posting": named[which]})
    no_confidential_rows(sandbox)
    found = finding(opened())
    said = {
        "confidential": ("no access", "hidden in the lists"),
        "non-confidential": ("undecided", "is not confidential"),
        "nowhere": ("no access", "is not there for this key"),
    }
    assert found["severity"] == "critical"
    assert [word for word in said[which] if word not in found["text"]] == []
    assert named[which][0] in found["text"]


def test_a_gap_may_be_accepted_for_a_key_that_is_trimmed_without_a_word(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the key sees is moved, and the verdict says on whose word."""
    monkeypatch.setenv("TEST_LEVER_KEY", sandbox.about["lever_key_plain"])
    sandbox.switch(confidential_refusal="trimmed")
    write_customer(home, sandbox, lever={"confidential_access": "accept_gap"})
    book = opened()
    found = finding(book)
    assert (found["severity"], "gap accepted" in found["text"]) == ("critical", True)
    book.params_folder.mkdir(exist_ok=True)
    (book.params_folder / "overrides.csv").write_text("id,who,when,why\nconfidential,kim,2026-04-01,agreed\n", "utf-8")
    steps.extract(book)
    open_ones = {one["id"] for one in sandbox.truth["opportunities"] if not one["confidential"]}
    assert open_ones == set(book.store.head_shas("opportunities"))


@pytest.mark.parametrize("refused", [None, 400, 403])
def test_confidential_candidacies_that_were_deleted_are_known(
    mapped: Workbook, sandbox: Sandbox, refused: int | None
) -> None:
    """Deleted lists may hide them unless asked, or may not take the question: either way nobody deleted is loaded."""
    sandbox.switch(deleted_confidential="listed" if refused else "asked")
    hidden = Source(sandbox).list("/opportunities", {"confidentiality": "confidential"})
    people = {one["key"] for one in sandbox.truth["people"] if one["expected"] == "load" and len(one["contacts"]) == 1}
    own = {one["id"] for one in sandbox.truth["opportunities"] if one["person"] in people}
    one = min(item["id"] for item in hidden if item["id"] in own)
    sandbox.ask("POST", "/edits", {"edits": [{"kind": "opportunity_delete", "opportunity": one}]})
    if refused:
        lists = {"api": "lever", "having": "confidentiality", "effect": "status", "status": refused}
        streams = ("opportunities", "applications", "postings")
        sandbox.faults(*[lists | {"endpoint": f"/{name}/deleted"} for name in streams])
    held = steps.load(mapped, execute=True).held
    assert [(one, "deleted in Lever")] == list(held[["lever_id", "why"]].itertuples(index=False, name=None))
    result = steps.extract(mapped)
    assert mapped.store.get("opportunities", one) is None
    assert mapped.store.get("opportunities_deleted", one) is not None
    assert result.gone.empty
    application = next(item for item in hidden if item["id"] == one)["applications"][0]
    assert application in mapped.store.head_shas("applications_deleted")
    assert sandbox.unknown_params == []

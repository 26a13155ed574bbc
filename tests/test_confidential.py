"""Confidential access is decided by what Lever answers, by a named posting, or by somebody's word; never assumed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import CUSTOMER, Sandbox, environment, running_sandbox, write_customer
from test_live import Source

from lib import steps
from lib.audit import confidential_access
from lib.errors import GateError, UnauthorizedError
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


# ---- postings that turn confidential between two passes --------------------------------------------------------------
@pytest.fixture(scope="module")
def small_process() -> Iterator[Sandbox]:
    with running_sandbox(people=8, seed=3) as one:
        yield one


@pytest.fixture
def small(small_process: Sandbox) -> Sandbox:
    """A small company: what is asked here is asked of every candidacy, again and again."""
    small_process.reset()
    return small_process


@pytest.fixture
def gap(tmp_path: Path, small: Sandbox, opened: Callable[[], Workbook]) -> Iterator[Callable[[str], Workbook]]:
    """A customer whose key sees nothing confidential, by a word that is signed."""

    def begin(refusal: str) -> Workbook:
        os.environ["TEST_LEVER_KEY"] = small.about["lever_key_plain"]
        small.switch(confidential_refusal=refusal)
        write_customer(home, small, lever={"confidential_access": "accept_gap"})
        book = opened()
        book.params_folder.mkdir(exist_ok=True)
        word = book.params_folder / "overrides.csv"
        word.write_text("id,who,when,why\nconfidential,kim,2026-04-01,agreed\n", "utf-8")
        steps.audit(book)
        return book

    home = tmp_path / "home"
    with environment(home, small):
        yield begin


@pytest.fixture
def sees_all(tmp_path: Path, small: Sandbox, opened: Callable[[], Workbook]) -> Iterator[Workbook]:
    """A customer of the same company whose key sees everything."""
    write_customer(tmp_path / "home", small)
    with environment(tmp_path / "home", small):
        yield opened()


def most_wanted(company: Sandbox, *, most: int = 20) -> str:
    """An open posting that as many people as possible stand on, and not too many to be gone without a word."""
    counts = Counter(one["posting"] for one in company.truth["opportunities"] if not one["confidential"])
    del counts[None]
    open_ones = set(postings(company)["non-confidential"])
    return max((n, one) for one, n in counts.items() if one in open_ones and n <= most)[1]


def seen(company: Sandbox) -> set[str]:
    """The candidacies that a key without access may see."""
    return {one["id"] for one in company.truth["opportunities"] if not one["confidential"]}


@pytest.mark.parametrize("reread", [False, "all"])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_turns_confidential_is_gone_for_a_key_that_sees_nothing_confidential(
    small: Sandbox, gap: Callable[[str], Workbook], refusal: str, reread: bool | str
) -> None:
    """It is named, stops the next step until somebody has looked, and stops no reading; open again, it is back."""
    book = gap(refusal)
    steps.extract(book)
    assert set(book.store.head_shas("opportunities")) == seen(small)
    posting = most_wanted(small)
    (edit,) = small.ask("POST", "/edits", {"edits": [{"kind": "confidentiality", "posting": posting}]})
    result = steps.extract(book, reread=reread)
    if refusal == "trimmed" and not reread:  # what is not there looks deleted: only the reading of all asks
        result = steps.extract(book, reread="all")
    assert set(result.gone["lever_id"]) == set(edit["opportunities"]) != set()
    assert set(book.store.head_shas("opportunities")) == seen(small)
    assert result.unread.empty
    with pytest.raises(GateError, match="confidential by now"):
        steps.gone_gate(book)
    small.ask("POST", "/edits", {"edits": [{"kind": "confidentiality", "posting": posting}]})
    result = steps.extract(book)
    assert set(book.store.head_shas("opportunities")) == seen(small) >= set(edit["opportunities"])
    assert result.gone.empty
    steps.gone_gate(book)


def test_a_posting_that_is_refused_is_followed_up_once(small: Sandbox, gap: Callable[[str], Workbook]) -> None:
    """The candidacies on it are there: they stand in the lists, are not named, and are not asked for in each run."""
    book = gap("403")
    steps.extract(book)
    posting = most_wanted(small)
    small.faults(
        {"api": "lever", "endpoint": "/postings", "effect": "shrink", "keep": 0},
        {"api": "lever", "endpoint": f"/postings/{posting}", "effect": "status", "status": 403},
    )
    asked = []
    for _ in range(2):
        before = small.ask("GET", "/calls")["by_endpoint"].get("lever./opportunities/*", 0)
        result = steps.extract(book)
        asked.append(small.ask("GET", "/calls")["by_endpoint"].get("lever./opportunities/*", 0) - before)
        assert "opportunities" not in set(result.unlisted["stream"])
        assert result.gone.empty
    on_it = [one for one in small.truth["opportunities"] if one["posting"] == posting]
    assert asked == [len(on_it), 0]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_turns_confidential_while_it_is_read_stops_no_reading(
    small: Sandbox, gap: Callable[[str], Workbook], refusal: str
) -> None:
    """Listed, and refused when its child lists are asked for: gone like the others."""
    book = gap(refusal)
    edit = {"effect": "others", "side": "lever", "n": 2, "kinds": ["confidentiality"]}
    notes = {"api": "lever", "endpoint": "/opportunities/*/notes", "nth": 3}
    steps.extract(book)
    small.faults(notes | edit)
    steps.extract(book, reread="all")
    assert small.struck() == 1
    small.faults()
    steps.extract(book, reread="all")
    assert set(book.store.head_shas("opportunities")) == seen(small)


@pytest.mark.parametrize("closed", ["/opportunities/*", "/opportunities/*/notes"])
def test_a_right_that_lacks_is_not_taken_for_what_is_confidential(
    small: Sandbox, gap: Callable[[str], Workbook], closed: str
) -> None:
    """Every opportunity, or one list of every one, is refused by its id: the run stops, and nothing is gone."""
    book = gap("403")
    steps.extract(book)
    before = set(book.store.head_shas("opportunities"))
    posting = most_wanted(small)
    small.ask("POST", "/edits", {"edits": [{"kind": "confidentiality", "posting": posting}]})
    small.switch(lever_key_without=closed)
    with pytest.raises(UnauthorizedError, match="403"):
        steps.extract(book, reread="all")
    assert set(book.store.head_shas("opportunities")) == before


def test_what_turns_confidential_is_read_as_such_by_a_key_that_sees_it(small: Sandbox, sees_all: Workbook) -> None:
    """The next ordinary reading knows: the change moves updatedAt."""
    book = sees_all
    steps.audit(book)
    steps.extract(book)
    posting = most_wanted(small, most=1_000)
    (edit,) = small.ask("POST", "/edits", {"edits": [{"kind": "confidentiality", "posting": posting}]})
    result = steps.extract(book)
    held = {one["id"]: one["confidentiality"] for one in book.store.all("opportunities")}
    assert {held[one] for one in edit["opportunities"]} == {"confidential"}
    assert result.gone.empty


@pytest.mark.parametrize("wanted", ["open", "confidential"])
def test_a_requisition_of_both_kinds_of_postings_is_read_either_way(
    small: Sandbox, gap: Callable[[str], Workbook], wanted: str
) -> None:
    """A key without access sees it or not: it names a posting that this key never sees, and nothing stops for it."""
    small.switch(shared_requisition=wanted)
    book = gap("403")
    result = steps.extract(book)
    secret = set(postings(small)["confidential"])
    named = {one for item in book.store.all("requisitions") for one in item["postings"]}
    assert bool(named & secret) is (wanted == "open")
    assert not secret & set(result.dangling["lever_id"])
    assert result.unread.empty
    assert set(book.store.head_shas("opportunities")) == seen(small)

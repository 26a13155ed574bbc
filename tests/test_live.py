"""People at work in Lever while it is read: after the last pass the store holds what Lever holds, and nothing else.

The other side of each comparison is read here by plain requests, and by the sandbox's truth: no code of ours.
"""

from __future__ import annotations

import base64
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CUSTOMER, Json, Sandbox, environment, running_sandbox, write_customer
from proofs import amount, tell

from lib import extract as extraction
from lib import steps, workbook
from lib.errors import GateError
from lib.workbook import Workbook

PER_SECOND = 5
PEOPLE = amount(40, 320)
EDITS = amount(50, 600)
CHILDREN = ("notes", "feedback", "resumes", "files", "forms", "offers", "interviews", "referrals")
ACCOUNT = {
    "users": {"includeDeactivated": "true"}, "postings": {"confidentiality": "all"}, "stages": {}, "tags": {},
    "requisitions": {"confidentiality": "all"}, "archive_reasons": {}, "sources": {}, "requisition_fields": {},
    "feedback_templates": {}, "form_templates": {},
}  # fmt: skip
QUIET = {
    "feedback_edit", "form_new", "file_new", "file_replace", "file_delete", "resume_new", "interview_new",
    "interview_cancel", "offer_new", "note_delete", "feedback_delete", "form_delete", "interview_edit", "offer_status",
}  # fmt: skip
"""Edits that do not move the candidacy's updatedAt (observed, or not documented to move it)."""
RARER = [
    "application_edit", "repost", "confidentiality", "offer_status", "interview_edit", "posting_new", "user_new",
    "user_edit", "user_reactivate", "user_deactivate", "person_new", "opportunity_new", "reapply", "note_new",
    "offer_new", "interview_new", "snooze", "follow", "sourced_by",
]  # fmt: skip
"""Edits that happen only when they are named, and those that make use of what they bring: new postings and users."""
NEWS = ("repost", "posting_new", "user_new")
WORK: list[tuple[dict[str, str], list[str] | None]] = [
    ({}, None),
    ({"updated_lag_ms": "90000", "new_updated_at": "null"}, None),
    ({}, RARER),
]

Held = dict[str, dict[str, Any]]


# ---- both sides ----------------------------------------------------------------------------------------------------
class Source:
    """Lever as it stands now, read by plain requests."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._url = sandbox.about["lever_url"]
        self._key = "Basic " + base64.b64encode(f"{sandbox.about['lever_key']}:".encode()).decode()

    def list(self, path: str, query: Json) -> list[Json]:
        """All pages of a list."""
        found, token = [], ""
        for _ in range(1_000):
            words = urllib.parse.urlencode(query | ({"offset": token} if token else {}), doseq=True)
            request = urllib.request.Request(f"{self._url}{path}?{words}", headers={"Authorization": self._key})
            with urllib.request.urlopen(request, timeout=30) as answer:
                body = json.load(answer)
            found += body["data"]
            token = body.get("next", "") if body.get("hasNext") else ""
            if not token:
                return found
        raise AssertionError(f"{path} does not end")

    def all(self) -> Held:
        """{stream: {id: body}} of everything a key may read; children also as {stream: {id: opportunity}}."""
        found: Held = {name: {_id(one): one for one in self.list(f"/{name}", q)} for name, q in ACCOUNT.items()}
        internal = {"confidentiality": "all", "distributionChannel": ["public", "internal"]}
        found["postings"] |= {one["id"]: one for one in self.list("/postings", internal)}
        query = {"confidentiality": "all", "expand": ["applications", "contact"]}
        found["opportunities"] = {one["id"]: one for one in self.list("/opportunities", query)}
        for stream in CHILDREN:
            lists = {one: self.list(f"/opportunities/{one}/{stream}", {}) for one in found["opportunities"]}
            found[stream] = {item["id"]: item for items in lists.values() for item in items}
            found[f"parent of {stream}"] = {item["id"]: one for one, items in lists.items() for item in items}
        return found


def _id(item: Json) -> str:
    return str(item.get("id") or item["text"])


def held(book: Workbook) -> Held:
    """The same of the store."""
    streams = (*ACCOUNT, "opportunities", *CHILDREN)
    found: Held = {stream: {_id(one): one for one in book.store.all(stream)} for stream in streams}
    return found | {f"parent of {stream}": book.store.parents(stream) for stream in CHILDREN}


def differences(there: Held, here: Held) -> dict[str, set[tuple[str, str]]]:
    """{missing, stale, resurrected: {(stream, id)}}."""
    found: dict[str, set[tuple[str, str]]] = {"missing": set(), "stale": set(), "resurrected": set()}
    for stream in there:
        one, other = there[stream], here[stream]
        found["missing"] |= {(stream, key) for key in one.keys() - other.keys()}
        found["resurrected"] |= {(stream, key) for key in other.keys() - one.keys()}
        found["stale"] |= {(stream, key) for key in one.keys() & other.keys() if one[key] != other[key]}
    return found


def nothing() -> dict[str, set[tuple[str, str]]]:
    return {"missing": set(), "stale": set(), "resurrected": set()}


def wrong_by_truth(sandbox: Sandbox, book: Workbook) -> list[str]:
    """What the truth says otherwise: who is there, whose they are, and the bytes of their files."""
    truth, store = sandbox.truth, book.store
    texts = []
    for stream in ("opportunities", "notes", "feedback", "forms"):
        ids = set(store.head_shas(stream))
        wanted = {one["id"] for one in truth[stream]}
        texts += [f"{stream} {one}" for one in ids ^ wanted]
    contacts = set(store.parents("opportunities").values())
    texts += [f"merged contact {one}" for one in truth["merged_contacts"] if one in contacts]
    files = {row.lever_id: (row.state, row.sha256) for row in store.files()}
    for one in truth["files"]:
        key = f"{one['id']}:signed" if one["kind"] == "offer" else one["id"]
        if one["expected"] in ("load", "never:person") and files.get(key) != ("stored", one["sha256"]):
            texts.append(f"{one['kind']} {key}")
    return texts


# ---- the world -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def company() -> Iterator[Sandbox]:
    """A company of its own: other tests do not edit it."""
    with running_sandbox(people=PEOPLE, seed=5) as one:
        yield one


@pytest.fixture
def book(company: Sandbox, tmp_path: Path) -> Iterator[Workbook]:
    """A customer at the very beginning."""
    company.reset()
    write_customer(tmp_path / "home", company)
    with environment(tmp_path / "home", company):
        one = workbook.open_customer(CUSTOMER)
        yield one
        one.close()


def read_while_they_work(company: Sandbox, book: Workbook, *, seed: int, kinds: list[str] | None) -> list[Json]:
    """Audit and extract, again and again, until so many changes were made; then the work stops."""
    named = {"kinds": kinds} if kinds else {}
    company.ask("POST", "/live", named | {"per_second": PER_SECOND, "seed": seed, "most": EDITS})
    steps.audit(book)
    for _ in range(10 * EDITS):
        steps.extract(book)
        if not company.ask("GET", "/live")["running"]:
            break
    done = company.ask("DELETE", "/live")
    assert done["n"] == EDITS, done["stopped_by"]
    return done["log"]


def quietly_changed(log: list[Json]) -> set[str]:
    """Candidacies on which something was changed that does not show on them."""
    return {one["opportunity"] for one in log if one["kind"] in QUIET}


# ---- the promise ---------------------------------------------------------------------------------------------------
@pytest.mark.proof
@pytest.mark.parametrize(("switches", "kinds"), WORK, ids=["plain", "lag", "rarer"])
@pytest.mark.parametrize("seed", range(amount(1, 5)))
def test_what_changes_while_it_is_read_is_here_after_the_last_pass(
    company: Sandbox, book: Workbook, seed: int, switches: dict[str, str], kinds: list[str] | None
) -> None:
    """An ordinary run brings all but what Lever does not show; a reading of the lively ones, then of all, the rest."""
    company.switch(**switches)
    log = read_while_they_work(company, book, seed=seed, kinds=kinds)
    assert kinds is None or {one["kind"] for one in log} >= set(NEWS), "not enough work"
    company.ask("POST", "/edits", {"edits": [{"kind": "opportunity_delete"}]})  # of one that is held, in any case
    source = Source(company)
    there = source.all()
    quiet = quietly_changed(log)
    result = steps.extract(book)
    left = differences(there, held(book))
    parents = {stream: there[f"parent of {stream}"] | held(book)[f"parent of {stream}"] for stream in CHILDREN}
    beyond = {pair for found in left.values() for pair in found if _parent(pair, parents) not in quiet}
    assert beyond == set()
    assert set(result.ages["may_lack"]) == {"edited feedback; new, changed or deleted files, forms, offers, interviews"}

    steps.extract(book, reread=True)
    since = book.store.meta("extract.since") - extraction.RECENT
    lively = {one["id"] for one in there["opportunities"].values() if _lively(one, since)}
    left = differences(there, held(book))
    assert {pair for found in left.values() for pair in found if _parent(pair, parents) in lively} == set()

    steps.extract(book, reread="all")
    left = differences(there, held(book))
    assert left == nothing()
    assert wrong_by_truth(company, book) == []
    assert source.all() == there, "nobody works any more"
    tell("P11", "5 changes a second while it is read, against Lever after the last pass", edits=len(log),
         objects=sum(map(len, there.values())), **{name: len(found) for name, found in left.items()})  # fmt: skip


def _parent(pair: tuple[str, str], parents: dict[str, dict[str, str]]) -> str:
    stream = pair[0].removeprefix("parent of ")
    return parents.get(stream, {}).get(pair[1], "")


def _lively(item: Json, since: int) -> bool:
    """Active, or archived or changed in the last 90 days."""
    ended = (item["archived"] or {}).get("archivedAt") or since
    return not item["archived"] or ended >= since or (item["updatedAt"] or 0) >= since


def test_without_the_last_pass_something_is_missing_stale_and_resurrected(company: Sandbox, book: Workbook) -> None:
    """The comparison can fail: one plain walk, as the article that this replaces makes it, is wrong in each way."""
    steps.audit(book)
    with book.writing("extract"):
        walk = steps.reading._walk(book, "extract")
        company.ask("POST", "/edits", {"n": EDITS, "seed": 1})
        extraction.short_lists(walk)
        extraction.opportunities(walk)
        extraction.children(walk)
    left = differences(Source(company).all(), held(book))
    assert [name for name, found in left.items() if not found] == []
    assert wrong_by_truth(company, book) != []
    steps.extract(book, reread="all")
    assert differences(Source(company).all(), held(book)) == nothing()
    assert wrong_by_truth(company, book) == []


def test_where_nobody_stops_working_the_run_ends_and_says_so(
    company: Sandbox, book: Workbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No pass is quiet: what was read is kept, the number is told, and the next run goes on from there."""
    steps.audit(book)
    monkeypatch.setattr(extraction, "MAX_PASSES", 3)
    others = {"api": "lever", "endpoint": "/opportunities", "having": "updated_at_start", "effect": "others"}
    company.faults(others | {"side": "lever", "n": 2, "kinds": ["tag"]})
    assert steps.extract(book).unsettled > 0
    with pytest.raises(GateError, match="still changed during the last pass"):
        steps.map(book)
    book.params_folder.mkdir(exist_ok=True)
    word = book.params_folder / "overrides.csv"
    word.write_text("id,who,when,why\nstale:unsettled,kim,today,they only set tags\n", "utf-8")
    steps.quiet_gate(book)
    word.unlink()
    company.faults()
    assert steps.extract(book).unsettled == 0
    steps.quiet_gate(book)
    assert differences(Source(company).all(), held(book)) == nothing()


def test_what_changes_in_the_short_lists_while_child_lists_are_read_is_here_after_the_run(
    company: Sandbox, book: Workbook
) -> None:
    """Users, postings and tags are read after the last pass, as often as before."""
    steps.audit(book)
    before = company.ask("GET", "/calls")["by_endpoint"]["lever./users"]
    kinds = [
        "posting_new",
        "posting_edit",
        "posting_close",
        "user_new",
        "user_edit",
        "user_deactivate",
        "user_reactivate",
    ]
    kinds += ["confidentiality", "tag", "source"]
    notes = {"api": "lever", "endpoint": "/opportunities/*/notes", "nth": 5}
    company.faults(notes | {"effect": "others", "side": "lever", "n": 30, "kinds": kinds})
    steps.extract(book)
    assert company.struck() == 1
    assert differences(Source(company).all(), held(book)) == nothing()
    assert company.ask("GET", "/calls")["by_endpoint"]["lever./users"] == before + 3  # the account, the list; `Source`


def test_what_names_a_posting_or_a_user_of_this_very_moment_is_here_with_it(company: Sandbox, book: Workbook) -> None:
    """Somebody joins and a posting opens while child lists are read; what comes then names both."""
    steps.audit(book)
    at = {"api": "lever", "endpoint": "/opportunities/*/notes", "effect": "others", "side": "lever"}
    company.faults(
        at | {"nth": 3, "n": 16, "kinds": ["user_new", "posting_new"]},
        at | {"nth": 5, "n": 40, "kinds": ["note_new", "note_comment", "person_new", "opportunity_new", "repost"]},
    )
    steps.extract(book)
    assert company.struck() == 2
    log = company.ask("GET", "/edits")["log"]
    joined = {one["user"] for one in log if one["kind"] == "user_new"}
    opened = {one["posting"] for one in log if one["kind"] == "posting_new"}
    authors = {field["user"] for one in book.store.all("notes") for field in one["fields"]}
    named = {one["posting"] for item in book.store.all("opportunities") for one in item["applications"]}
    assert joined & authors, "no new user has written anything"
    assert opened & named, "nobody stands on a new posting"
    assert joined <= set(book.store.head_shas("users"))
    assert opened <= set(book.store.head_shas("postings"))
    assert differences(Source(company).all(), held(book)) == nothing()


def test_users_are_kept_as_they_were_called_before(company: Sandbox, book: Workbook) -> None:
    """A note that was loaded names them so."""
    steps.audit(book)
    user = next(book.store.all("users"))
    edits = [{"kind": "user_edit", "user": user["id"], "attribute": one} for one in ("role", "name", "email")]
    for edit in edits:
        company.ask("POST", "/edits", {"edits": [edit]})
        steps.extract(book)
    former = book.store.of("users_former", user["id"])
    (now,) = [one for one in book.store.all("users") if one["id"] == user["id"]]
    assert {(one["name"], one["email"]) for one in former} == {
        (user["name"], user["email"]), (now["name"], user["email"]),
    }  # fmt: skip
    assert len(list(book.store.all("users_former"))) == 2


def test_what_a_short_list_does_not_show_any_more_is_kept_and_named(company: Sandbox, book: Workbook) -> None:
    """A user who is not listed may have written notes."""
    steps.audit(book)
    users = set(book.store.head_shas("users"))
    company.faults({"api": "lever", "endpoint": "/users", "effect": "shrink", "keep": 0.5})
    result = steps.extract(book)
    assert set(book.store.head_shas("users")) == users
    named = set(result.unlisted.loc[result.unlisted["stream"] == "users", "lever_id"])
    assert named < users
    assert len(named) in (len(users) // 2, len(users) - len(users) // 2)
    company.faults()
    assert steps.extract(book).unlisted.empty


def test_a_posting_that_is_deleted_and_an_application_are_known_as_such(company: Sandbox, book: Workbook) -> None:
    """Both deleted lists are read from the first reading on, in windows of a month at most."""
    steps.audit(book)
    steps.extract(book)
    company.ask("POST", "/edits", {"wait_ms": 70 * 86_400_000, "edits": [{"kind": "application_delete"}]})
    gone = Source(company).list("/applications/deleted", _month(book, 2))
    steps.extract(book)
    assert gone
    assert {one["id"] for one in gone} <= set(book.store.head_shas("applications_deleted"))
    posting = sorted(book.store.head_shas("postings"))[0]
    body = json.dumps({"data": [{"id": posting, "deletedAt": 1}], "hasNext": False})
    company.faults({"api": "lever", "endpoint": "/postings/deleted", "effect": "status", "status": 200, "body": body})
    steps.extract(book)
    assert posting not in book.store.head_shas("postings")
    assert posting in book.store.head_shas("postings_deleted")


def _month(book: Workbook, number: int) -> Json:
    start = book.store.meta("extract.began") + number * 30 * 86_400_000
    return {"deleted_at_start": start, "deleted_at_end": start + 30 * 86_400_000}

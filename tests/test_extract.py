"""Everything of Lever arrives in the store, whatever happens on the way."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import CUSTOMER, Json, Sandbox, decide, killed, store_at, write_customer
from proofs import amount
from sqlalchemy import update

from lib import contract, steps, workbook
from lib import extract as extraction
from lib.errors import ContractError, GateError, RateLimitedError, UnauthorizedError, UnavailableError
from lib.extract import gone
from lib.extract.aside import FEW
from lib.lever import Lever
from lib.store import tables as t
from lib.workbook import Workbook

STREAMS = sorted(contract.lever_objects())
CHILDREN = ("notes", "feedback", "forms")


def heads(book: Workbook) -> dict[str, dict[str, str]]:
    """All that is in the store, by hash."""
    return {stream: book.store.head_shas(stream) for stream in STREAMS}


def files(book: Workbook) -> dict[str, tuple[str, str | None]]:
    return {row.lever_id: (row.state, row.sha256) for row in book.store.files()}


def read(book: Workbook) -> steps.ExtractResult:
    steps.audit(book)
    return steps.extract(book)


@pytest.fixture(scope="session")
def mapped_heads(mapped_home: Path) -> tuple[Any, Any]:
    """What an undisturbed extraction holds: (heads, files)."""
    store = store_at(mapped_home)
    found = {stream: store.head_shas(stream) for stream in STREAMS}
    stored = {row.lever_id: (row.state, row.sha256) for row in store.files()}
    store.close()
    return found, stored


def same(book: Workbook, undisturbed: tuple[Any, Any]) -> None:
    """The store holds exactly what an undisturbed extraction holds, and the bytes are there."""
    assert heads(book) == undisturbed[0]
    assert files(book) == undisturbed[1]
    here = {path.name for path in (book.folder / "files").iterdir()}
    assert here == {sha for state, sha in undisturbed[1].values() if state == "stored"}


# ---- completeness ------------------------------------------------------------------------------------------------
def test_all_streams_arrive(book: Workbook, sandbox: Sandbox) -> None:
    result = read(book)
    truth = sandbox.truth
    ids = {stream: set(book.store.head_shas(stream)) for stream in STREAMS}
    assert ids["opportunities"] == {one["id"] for one in truth["opportunities"]}
    for stream in CHILDREN:
        assert ids[stream] == {one["id"] for one in truth[stream]}, stream
    for stream in ("postings", "interviews", "offers", "referrals"):
        assert len(ids[stream]) == truth["counts"][stream], stream
    resumes = {one["id"] for one in truth["files"] if one["kind"] == "resume"}
    assert ids["resumes"] == resumes
    assert ids["files"] == {one["id"] for one in truth["files"] if one["kind"] == "file"}
    assert set(truth["deleted_opportunities"]) <= ids["opportunities_deleted"]
    counts = dict(zip(result.counts["stream"], result.counts["n_objects"], strict=True))
    assert counts["opportunities"] == len(truth["opportunities"])
    assert sandbox.unknown_params == []


def test_bytes_of_all_files_arrive(mapped_heads: tuple[Any, Any], sandbox: Sandbox) -> None:
    stored = mapped_heads[1]
    for one in sandbox.truth["files"]:
        key = f"{one['id']}:signed" if one["kind"] == "offer" else one["id"]
        state, sha = stored.get(key, ("no file", None))
        if one["expected"] in ("load", "never:person"):
            assert (state, sha) == ("stored", one["sha256"]), one
        elif one["expected"] == "unavailable":
            assert (state, sha) == ("unavailable", None)
        else:
            assert state == "no file"


def test_a_second_extraction_changes_nothing(book: Workbook, mapped_heads: tuple[Any, Any]) -> None:
    first = read(book)
    same(book, mapped_heads)
    raw = book.store._rows(t.raw.select().with_only_columns(t.raw.c.raw_id))
    second = steps.extract(book)
    same(book, mapped_heads)
    assert book.store._rows(t.raw.select().with_only_columns(t.raw.c.raw_id)) == raw
    assert second.calls < first.calls / 5


def test_new_opportunities_that_nothing_has_changed_are_asked_for(
    book: Workbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their updatedAt is null, so that no `updated_at` window holds them."""
    read(book)
    asked: list[dict[str, str]] = []
    listing = extraction._listing
    monkeypatch.setattr(extraction, "_listing", lambda walk, query: asked.append(dict(query)) or listing(walk, query))
    since = book.store.meta("extract.since") - extraction.OVERLAP
    steps.extract(book)
    assert {"created_at_start": str(since)} in asked
    assert {"updated_at_start": str(since)} in asked


# ---- interruptions -----------------------------------------------------------------------------------------------
def read_all() -> None:
    read(workbook.open_customer(CUSTOMER))


@pytest.mark.parametrize("seed", range(amount(1, 15)))
def test_kill_9_again_and_again(
    home: Path, opened: Callable[[], Workbook], mapped_heads: tuple[Any, Any], seed: int
) -> None:
    chance = random.Random(f"kill {seed}")
    kills = sum(killed(read_all, seconds=chance.uniform(0.1, 0.5)) for _ in range(6))
    assert kills >= 3
    book = opened()
    read(book)
    same(book, mapped_heads)


def test_bad_weather(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook], mapped_heads: tuple[Any, Any]
) -> None:
    """With the product's own number of tries: five, as other tests have, are all struck once in thirty runs."""
    write_customer(home, sandbox, lever={"retry": {"attempts": 8, "first_s": 0.02, "longest_s": 0.1}})
    book = opened()
    sandbox.faults(
        {"api": "lever", "every": 23, "effect": "status", "status": 503},
        {"api": "lever", "every": 29, "effect": "truncate"},
        {"api": "lever", "every": 31, "effect": "reset_before"},
        {"api": "lever", "every": 53, "effect": "throttle", "retry_after": "0.01"},
        {"api": "storage", "every": 7, "effect": "truncate"},
    )
    read(book)
    assert sandbox.struck() > 50
    sandbox.faults()
    steps.extract(book)  # a file whose patience ran out is fetched now
    same(book, mapped_heads)


def test_a_refused_page_token_restarts_its_window_only(
    book: Workbook, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, mapped_heads: tuple[Any, Any]
) -> None:
    monkeypatch.setitem(Lever.pages.__kwdefaults__, "limit", 10)
    body = '{"code": "BadRequestError", "message": "Invalid offset token"}'
    refuse = {"api": "lever", "endpoint": "/opportunities", "effect": "status", "status": 400, "body": body}
    sandbox.faults(refuse | {"nth": 9}, refuse | {"nth": 15})
    asked: list[str] = []
    listing = extraction._listing
    monkeypatch.setattr(extraction, "_listing", lambda walk, query: asked.append("window") or listing(walk, query))
    read(book)
    assert sandbox.struck() == 2
    same(book, mapped_heads)
    made = sandbox.ask("GET", "/calls")["by_endpoint"]["lever./opportunities"]
    windows = len(asked)
    pages = sum(len(ids) for name, ids in heads(book).items() if name == "opportunities") // 10
    assert made <= 2 * (pages + windows)


def test_tokens_that_are_always_refused_stop_with_nothing_lost(book: Workbook, sandbox: Sandbox) -> None:
    body = '{"code": "BadRequestError", "message": "Invalid offset token"}'
    fault = {"api": "lever", "endpoint": "/tags", "effect": "status", "status": 400, "body": body}
    sandbox.faults(fault)
    with pytest.raises(UnavailableError, match="three times"):
        steps.audit(book)
    assert book.store.holder() == ""


def test_a_key_that_is_taken_away_stops_the_walk(
    book: Workbook, sandbox: Sandbox, mapped_heads: tuple[Any, Any]
) -> None:
    steps.audit(book)
    sandbox.faults({"api": "lever", "endpoint": "/opportunities/*/feedback", "effect": "status", "status": 403})
    with pytest.raises(UnauthorizedError):
        steps.extract(book)
    assert book.store.meta("extract.finished_ms") is None
    with pytest.raises(GateError, match="not extracted"):
        steps.map(book)
    sandbox.faults()
    steps.extract(book)
    same(book, mapped_heads)


def test_rights_that_a_key_lacks_are_named_all_at_once(book: Workbook, sandbox: Sandbox) -> None:
    """Whoever must ask an admin for rights wants to ask once: of lists and child lists, before anything is read."""
    closed = ("/tags", "/sources", "/opportunities/*/notes")
    sandbox.faults(*({"api": "lever", "endpoint": path, "effect": "status", "status": 403} for path in closed))
    with pytest.raises(UnauthorizedError) as told:
        steps.audit(book)
    text = str(told.value)
    assert "The keys lack 3 rights" in text
    assert all(f"Lever: read {name}" in text for name in ("tags", "sources", "notes"))
    assert "run 01_audit again" in text
    assert book.store.count("users") == 0
    sandbox.faults()
    steps.audit(book)
    assert book.store.count("tags")


def test_rights_that_ashbys_key_lacks_are_named_with_levers(book: Workbook, sandbox: Sandbox) -> None:
    sandbox.switch(key_without="jobsRead,interviewsRead", lever_key_without="/opportunities/*/notes")
    with pytest.raises(UnauthorizedError) as told:
        steps.audit(book)
    text = str(told.value)
    assert all(f"Ashby: {name}" in text for name in ("jobsRead", "interviewsRead"))
    assert "Lever: read notes" in text
    assert "Admin, API keys. Then run 01_audit again." in text


def test_an_account_without_disposition_stages_is_moved_all_the_same(book: Workbook, sandbox: Sandbox) -> None:
    sandbox.faults({"api": "lever", "endpoint": "/disposition_stages", "effect": "status", "status": 404})
    result = steps.audit(book)
    told = [row["severity"] for row in result.findings.to_dict("records") if "disposition" in row["finding"]]
    assert told == ["info"]
    steps.extract(book)
    assert (book.store.count("disposition_stages"), book.store.count("stages") > 0) == (0, True)
    decide(book, sandbox)
    assert steps.map(book).plan_hash


# ---- what Lever may answer ---------------------------------------------------------------------------------------
def test_an_ignored_expand_stops(book: Workbook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "EXPAND", [("expand", "applications,contact")])
    with pytest.raises(ContractError, match="did not expand"):
        steps.audit(book)


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/users", {"data": [{"name": "x"}], "hasNext": False}, "id"),
        ("/postings", {"data": [{"id": "p1"}], "hasNext": False}, "text"),
        ("/stages", {"data": [{"text": "a stage"}]}, "id"),
    ],
)
def test_a_missing_attribute_is_named(book: Workbook, sandbox: Sandbox, path: str, body: Json, named: str) -> None:
    sandbox.faults({"api": "lever", "endpoint": path, "effect": "status", "status": 200, "body": json.dumps(body)})
    with pytest.raises(ContractError, match=rf"{path[1:]} .*has no .*{named}"):
        steps.audit(book)


def test_a_list_that_may_not_be_read_is_not_empty(book: Workbook, sandbox: Sandbox) -> None:
    steps.audit(book)
    sandbox.faults({"api": "lever", "endpoint": "/opportunities/*/notes", "effect": "status", "status": 404})
    with pytest.raises(ContractError, match="although the opportunity is"):
        steps.extract(book)


def test_an_opportunity_that_vanishes_meanwhile_is_gone(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    write_customer(home, sandbox, lever={"workers": 1})
    book = opened()
    steps.audit(book)
    sandbox.faults(
        {"api": "lever", "endpoint": "/opportunities/*/notes", "nth": 4, "effect": "status", "status": 404},
        {"api": "lever", "endpoint": "/opportunities/*", "nth": 1, "effect": "status", "status": 404},
    )
    before = set(book.store.head_shas("opportunities"))
    with book.writing("extract"):
        extraction.children(steps.reading._walk(book, "extract"))
    gone = before - set(book.store.head_shas("opportunities"))
    assert len(gone) == 1
    assert [{"lever_id": one} for one in gone] == book.store.results("extract", "gone"), "told at once"
    assert set(steps.extract(book).gone["lever_id"]) == gone
    with pytest.raises(GateError, match=gone.pop()):
        steps.gone_gate(book)
    assert steps.extract(book, reread=True).gone.empty, "it is there again"
    assert set(book.store.head_shas("opportunities")) == before


def test_one_that_vanishes_and_is_named_as_deleted_needs_no_word(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    """However many they are."""
    write_customer(home, sandbox, lever={"workers": 1})
    book = opened()
    steps.audit(book)
    left = sorted(set(book.store.head_shas("opportunities")) - set(book.store.windows("children")))
    sandbox.ask("POST", "/edits", {"edits": [{"kind": "opportunity_delete", "opportunity": one} for one in left[:25]]})
    with book.writing("extract"):
        extraction.children(steps.reading._walk(book, "extract"))
    assert set(book.store.head_shas("opportunities")) & set(left) == set(left[25:])
    assert book.store.results("extract", "gone") == []


def test_far_too_many_that_vanish_while_their_lists_are_read_stop_before_anything_is_marked(
    book: Workbook, sandbox: Sandbox, mapped_heads: tuple[Any, Any]
) -> None:
    """404 for each of them, and nobody has deleted them: a key that sees less, or a broken Lever."""
    steps.audit(book)
    before = book.store.head_shas("opportunities")
    sandbox.faults(
        {"api": "lever", "endpoint": "/opportunities/*/*", "effect": "status", "status": 404},
        {"api": "lever", "endpoint": "/opportunities/deleted", "effect": "shrink", "keep": 1},
        {"api": "lever", "endpoint": "/opportunities/*", "effect": "status", "status": 404},
    )
    with pytest.raises(GateError, match="not in Lever's lists any more"):
        steps.extract(book)
    assert book.store.head_shas("opportunities") == before
    sandbox.faults()
    steps.extract(book)
    same(book, mapped_heads)


def test_another_object_than_the_one_that_was_asked_for_stops(book: Workbook, sandbox: Sandbox) -> None:
    """A child that a list does not show is asked for by its id: what comes must be it, and whole."""
    read(book)
    note = next(book.store.all("notes"))
    single = {"api": "lever", "endpoint": "/opportunities/*/notes/*", "effect": "status", "status": 200}
    cut = {"api": "lever", "endpoint": "/opportunities/*/notes", "effect": "shrink", "keep": 0}
    for body, words in ((note | {"id": "another"}, "another object"), ({"text": "Note"}, "no usable id")):
        sandbox.faults(cut, single | {"body": json.dumps({"data": body})})
        with pytest.raises(ContractError, match=words):
            steps.extract(book, reread="all")


def test_resume_lists_that_are_all_404_are_told_until_all_are_read_again(book: Workbook, sandbox: Sandbox) -> None:
    """A key without that right may look like a company without résumés."""
    sandbox.faults({"api": "lever", "endpoint": "/opportunities/*/resumes", "effect": "status", "status": 404})
    told = read(book).drift
    n_read = book.store.count("opportunities")
    rows = told.loc[told["attribute"] == "(list)", ["stream", "n_records"]]
    assert [["resumes", n_read]] == rows.to_numpy().tolist()
    sandbox.faults()
    again = steps.extract(book).drift
    assert list(again.loc[again["attribute"] == "(list)", "n_records"]) == [n_read]
    assert book.store.count("resumes") == 0
    done = steps.extract(book, reread="all").drift
    assert "(list)" not in set(done["attribute"])
    assert book.store.count("resumes") > 20


def test_empty_resumes_as_404_and_bare_lists(book: Workbook, sandbox: Sandbox, mapped_heads: tuple[Any, Any]) -> None:
    sandbox.switch(empty_resumes="404", files_envelope="bare")
    read(book)
    same(book, mapped_heads)


def test_lists_that_are_cut_short_take_nothing_away(
    book: Workbook, sandbox: Sandbox, mapped_heads: tuple[Any, Any]
) -> None:
    """What a list does not show any more is asked for by its id, kept, and named."""
    read(book)
    held = {stream: set(book.store.head_shas(stream)) for stream in (*extraction.CHILDREN, "opportunities")}
    cut = [f"/opportunities/*/{stream}" for stream in extraction.CHILDREN if stream != "offers"]
    for path in (*cut, "/opportunities"):
        sandbox.ask("POST", "/faults", {"api": "lever", "endpoint": path, "effect": "shrink", "keep": 0})
    result = steps.extract(book, reread="all")
    same(book, mapped_heads)
    named = set(map(tuple, result.unlisted[["stream", "lever_id"]].to_numpy()))
    lists = [stream for stream in held if stream != "offers"]
    erased = {item["id"] for stream in lists for item in book.store.all(stream) if item.get("deletedAt")}
    assert erased
    assert named == {(stream, one) for stream in lists for one in held[stream] if one not in erased}
    sandbox.faults()
    assert steps.extract(book, reread="all").unlisted.empty
    same(book, mapped_heads)


def test_a_list_without_single_objects_is_read_twice_before_something_is_gone(
    book: Workbook, sandbox: Sandbox, mapped_heads: tuple[Any, Any]
) -> None:
    """Lever has no call for one offer."""
    read(book)
    sandbox.faults({"api": "lever", "endpoint": "/opportunities/*/offers", "every": 2, "effect": "shrink", "keep": 0})
    with book.writing("extract"):
        walk = steps.reading._walk(book, "extract", reread="all")
        for lever_id in sorted(book.store.head_shas("opportunities")):
            extraction.children(walk, only=[lever_id], again={lever_id})
    assert sandbox.struck() > 10
    same(book, mapped_heads)


def test_far_too_many_that_are_gone_at_once_are_for_a_person(
    book: Workbook, sandbox: Sandbox, mapped_heads: tuple[Any, Any]
) -> None:
    """A key that sees less than before looks like many deletions: nothing is marked until somebody says so."""
    read(book)
    sandbox.faults(
        {"api": "lever", "endpoint": "/opportunities", "effect": "shrink", "keep": 0},
        {"api": "lever", "endpoint": "/opportunities/deleted", "effect": "shrink", "keep": 1},
        {"api": "lever", "endpoint": "/opportunities/*", "effect": "status", "status": 404},
    )
    sandbox.ask("DELETE", "/calls")
    with pytest.raises(GateError, match="not in Lever's lists any more"):
        steps.extract(book, reread=True)
    assert FEW < asked_by_id(sandbox) <= FEW + 1 + 2 * book.params.lever.workers, "the others need not be asked for"
    same(book, mapped_heads)
    book.params_folder.mkdir(exist_ok=True)
    (book.params_folder / "overrides.csv").write_text(
        "id,who,when,why\nshrunk:opportunities,kim,2026-01-01,really deleted\n", "utf-8"
    )
    steps.extract(book, reread=True)
    assert book.store.count("opportunities") == 0


def test_what_is_deleted_between_the_deleted_list_and_the_listing_again_needs_no_word(
    book: Workbook, sandbox: Sandbox
) -> None:
    """However many they are: what the list of deleted ones names by then is explained."""
    read(book)
    before = set(book.store.head_shas("opportunities"))
    chosen = [item["id"] for item in book.store.all("opportunities") if not item["isAnonymized"]][:25]
    with book.writing("extract"):
        walk = steps.reading._walk(book, "extract", reread=True)
        gone.deleted(walk)
        edits = [{"kind": "opportunity_delete", "opportunity": one} for one in chosen]
        sandbox.ask("POST", "/edits", {"edits": edits})
        extraction.listed_again(walk)
    assert set(book.store.head_shas("opportunities")) == before - set(chosen)
    assert book.store.results("extract", "gone") == []
    steps.gone_gate(book)


def test_what_changes_while_all_are_listed_once_more_is_read(
    book: Workbook, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listing a large account takes minutes, and it is the cut-over: somebody still works."""
    read(book)
    listed, done = extraction.listed_again, list[Json]()

    def while_somebody_works(walk: extraction.Extract) -> None:
        listed(walk)
        done.extend(sandbox.ask("POST", "/edits", {"edits": [{"kind": "note_new"}, {"kind": "person_new"}]}))

    monkeypatch.setattr(extraction, "listed_again", while_somebody_works)
    steps.extract(book, reread=True)
    note, person = done
    assert note["id"] in book.store.head_shas("notes")
    assert person["opportunity"] in book.store.head_shas("opportunities")
    steps.quiet_gate(book)


def test_no_plan_is_made_of_a_second_reading_that_was_cut_off(book: Workbook, sandbox: Sandbox) -> None:
    """Those who are new are here, and their notes are not: they would arrive without them, and nobody would know."""
    read(book)
    sandbox.ask("POST", "/edits", {"edits": [{"kind": "person_new"}, {"kind": "person_new"}]})
    lists = {"api": "lever", "endpoint": "/opportunities/*/*", "effect": "refuse", "status": 401}
    sandbox.faults(lists | {"code": "Unauthorized"})
    with pytest.raises(UnauthorizedError):
        steps.extract(book)
    with pytest.raises(GateError, match="2 opportunities are new or have changed"):
        steps.map(book)
    book.params_folder.mkdir(exist_ok=True)
    word = book.params_folder / "overrides.csv"
    word.write_text("id,who,when,why\nstale:cut-off,kim,today,Lever is closed\n", "utf-8")
    steps.lists_gate(book)
    word.unlink()
    sandbox.faults()
    steps.extract(book)
    steps.lists_gate(book)


def test_a_list_that_is_set_aside_hides_no_change_that_was_not_read(book: Workbook, sandbox: Sandbox) -> None:
    """Its loss is accepted; notes and files that came since are another matter."""
    one = min(row["opportunity"] for row in sandbox.truth["notes"])
    sandbox.faults(never(one, "notes", 500))
    read(book)
    sign(book, f"unread:notes:{one}")
    steps.unread_gate(book)
    steps.lists_gate(book)
    sandbox.ask("POST", "/edits", {"edits": [{"kind": "tag", "opportunity": one}]})
    steps.audit(book)
    steps.unread_gate(book)
    with pytest.raises(GateError, match=one):
        steps.lists_gate(book)
    steps.extract(book)
    steps.lists_gate(book)


def test_an_audit_that_is_made_again_shows_what_is_new(book: Workbook, sandbox: Sandbox) -> None:
    """And whoever is new there is no part of a plan before the next reading."""
    first = steps.audit(book).inventory.set_index(["group", "object"])["n_objects"]
    steps.extract(book)
    sandbox.ask("POST", "/edits", {"edits": [{"kind": "person_new"}]})
    again = steps.audit(book).inventory.set_index(["group", "object"])["n_objects"]
    assert [first["all", name] + 1 for name in ("opportunities", "contacts")] == [
        again["all", name] for name in ("opportunities", "contacts")
    ]
    with pytest.raises(GateError, match="1 opportunities are new"):
        steps.lists_gate(book)
    steps.extract(book)
    steps.lists_gate(book)


def test_a_reread_does_not_ask_for_what_lever_names_as_deleted(book: Workbook, sandbox: Sandbox) -> None:
    """Many may have been deleted since the last reading; the list of them is a call or two."""
    read(book)
    chosen = [item["id"] for item in book.store.all("opportunities") if not item["isAnonymized"]][:25]
    edits = [{"kind": "opportunity_delete", "opportunity": one} for one in chosen]
    sandbox.ask("POST", "/edits", {"edits": edits})
    sandbox.ask("DELETE", "/calls")
    walk = steps.reading._walk(book, "extract", reread=True)
    with book.writing("extract"):
        extraction.listed_again(walk)
    assert asked_by_id(sandbox) == 0
    assert not set(book.store.head_shas("opportunities")) & set(chosen)
    assert book.store.results("extract", "gone") == []


def asked_by_id(sandbox: Sandbox) -> int:
    """How many single opportunities were asked for; a call that a fault has answered is told with its id."""
    made = sandbox.ask("GET", "/calls")["by_endpoint"]
    return sum(n for name, n in made.items() if re.fullmatch(r"lever\./opportunities/(\*|[0-9a-f-]{36})", name))


def test_one_that_is_gone_and_not_named_as_deleted_waits_for_somebodys_word(book: Workbook, sandbox: Sandbox) -> None:
    """A key that sees a little less than before: nobody leaves the plan without a word."""
    read(book)
    one = sorted(book.store.head_shas("opportunities"))[0]
    single = {"api": "lever", "endpoint": f"/opportunities/{one}", "effect": "status", "status": 404}
    sandbox.faults({"api": "lever", "endpoint": "/opportunities", "effect": "shrink", "keep": 0}, single)
    assert list(steps.extract(book, reread=True).gone["lever_id"]) == [one]
    with pytest.raises(GateError, match=one):
        steps.gone_gate(book)
    with pytest.raises(GateError, match="list of deleted ones"):
        steps.map(book)
    book.params_folder.mkdir(exist_ok=True)
    (book.params_folder / "overrides.csv").write_text(f"id,who,when,why\ngone:{one},kim,today,I looked\n", "utf-8")
    steps.gone_gate(book)
    sandbox.faults()
    assert steps.extract(book, reread=True).gone.empty  # it is there again


# ---- postings that no list shows ---------------------------------------------------------------------------------
HIDDEN: Json = {"api": "lever", "endpoint": "/postings", "effect": "shrink", "keep": 0}


def named_postings(book: Workbook) -> list[str]:
    """Postings that applications name."""
    applications = [one for item in book.store.all("opportunities") for one in item["applications"]]
    return sorted({one["posting"] for one in applications if one["posting"]})


def test_postings_that_no_list_shows_are_asked_for_again_in_each_reading(book: Workbook, sandbox: Sandbox) -> None:
    """They change like others; when they are not to be had any more, what is here stays, and is named."""
    sandbox.faults(HIDDEN)
    first = read(book)
    known = book.store.head_shas("postings")
    one = named_postings(book)[0]
    assert one in known
    assert one not in set(first.dangling["lever_id"])
    sandbox.ask("POST", "/edits", {"edits": [{"kind": "posting_edit", "posting": one}]})
    steps.extract(book)
    assert {one} == {key for key, sha in book.store.head_shas("postings").items() if sha != known[key]}
    sandbox.faults(HIDDEN, {"api": "lever", "endpoint": f"/postings/{one}", "effect": "status", "status": 404})
    result = steps.extract(book)
    assert one in book.store.head_shas("postings")
    assert ("postings", one) in set(map(tuple, result.unlisted[["stream", "lever_id"]].to_numpy()))


@pytest.mark.parametrize("status", [403, 404])
def test_postings_that_are_nowhere_are_named(book: Workbook, sandbox: Sandbox, status: int) -> None:
    sandbox.faults(HIDDEN, {"api": "lever", "endpoint": "/postings/*", "effect": "status", "status": status})
    steps.audit(book)
    told = book.store.results("extract", "dangling_postings")
    assert [row["lever_id"] for row in told] == named_postings(book)
    assert {row["why"] for row in told} == {str(status)}
    assert book.store.count("postings") == 0


def never_given(posting: str, status: int = 500) -> Json:
    """A posting that is not to be had by its id."""
    return {"api": "lever", "endpoint": f"/postings/{posting}", "effect": "status", "status": status}


@pytest.mark.parametrize("status", [500, 422])
def test_one_posting_that_lever_cannot_give_holds_up_nobody_else(
    book: Workbook, sandbox: Sandbox, mapped_heads: tuple[Any, Any], status: int
) -> None:
    """It is set aside, named in audit, gate and loss list, asked for in every run, and waits for somebody's word."""
    sandbox.faults(HIDDEN)
    steps.audit(book)
    one, other = named_postings(book)[:2]
    with book.store.begin() as tx:
        book.store.put_gone(tx, "postings", one)
    sandbox.faults(HIDDEN, never_given(one, status), never_given(other, status))
    told = steps.audit(book).findings
    assert f"Lever answered {status}" in told.loc[told["id"] == f"dangling:{one}", "finding"].item()
    result = steps.extract(book)
    assert set(book.store.head_shas("opportunities")) == set(mapped_heads[0]["opportunities"])
    assert [["postings", one, status], ["postings", other, status]] == result.unread[
        ["stream", "lever_id", "status"]
    ].to_numpy().tolist()
    with pytest.raises(GateError, match=rf"posting {one} \(status {status}, 2 readings\)"):
        steps.unread_gate(book)
    sign(book, f"unread:postings:{one}")
    with pytest.raises(GateError, match=rf"^1 child lists, postings or .*posting {other}"):
        steps.map(book)
    sign(book, f"unread:postings:{one}", f"unread:postings:{other}")
    decide(book, sandbox)
    losses = steps.map(book).losses
    rows = losses[(losses["lever_type"] == "posting") & (losses["field"] == "(not read)")].to_dict("records")
    assert {("never", 1, one), ("moved changed", 1, other)} == {
        (row["treatment"], row["n_records"], *row["examples"]) for row in rows
    }
    sandbox.faults()
    assert steps.extract(book).unread.empty
    assert set(book.store.head_shas("postings")) == set(mapped_heads[0]["postings"])


def test_postings_by_id_that_lever_cannot_give_at_all_stop(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    """An endpoint that is broken is not a matter of single postings; nor is maintenance."""
    write_customer(home, sandbox, lever={"retry": {"attempts": 1}})
    book = opened()
    steps.audit(book)
    with book.store.begin() as tx:
        for posting in book.store.head_shas("postings"):
            book.store.put_gone(tx, "postings", posting)
    first = next(book.store.all("opportunities"))
    names = [{**first["applications"][0], "posting": f"{n:08}-0000-4000-8000-000000000000"} for n in range(FEW + 5)]
    with book.store.begin() as tx:
        changed = (first["id"], first["contact"]["id"], first | {"applications": names})
        book.store.put_raw(tx, "opportunities", [changed])
    walk = steps.reading._walk(book, "extract")
    with book.writing("extract"):
        sandbox.faults({"api": "lever", "endpoint": "/postings/*", "effect": "status", "status": 500})
        with pytest.raises(UnavailableError, match=f"{FEW + 1} postings by their ids"):
            extraction.dangling_postings(walk)
        sandbox.faults({"api": "lever", "endpoint": "/postings/*", "effect": "status", "status": 503})
        with pytest.raises(UnavailableError):
            extraction.dangling_postings(walk)
    assert book.store.windows("unread postings") == {}


def test_another_posting_than_the_one_that_was_asked_for_is_not_taken_for_it(book: Workbook, sandbox: Sandbox) -> None:
    """It is kept under no id, and the run stops: who would be moved to which job?"""
    steps.audit(book)
    other = next(book.store.all("postings")) | {"id": "another"}
    body = json.dumps({"data": other})
    wrong = {"api": "lever", "endpoint": "/postings/*", "effect": "status", "status": 200, "body": body}
    sandbox.faults(HIDDEN, wrong)
    with pytest.raises(ContractError, match="another object"):
        steps.extract(book)
    assert book.store.get("postings", "another") is None


# ---- lists that Lever cannot give ---------------------------------------------------------------------------------
def never(one: str, stream: str, status: int) -> Json:
    """A child list of one opportunity that is not to be had."""
    return {"api": "lever", "endpoint": f"/opportunities/{one}/{stream}", "effect": "status", "status": status}


@pytest.mark.parametrize("status", [500, 504, 422, 400])
def test_one_list_that_lever_cannot_give_holds_up_nobody_else(
    book: Workbook, sandbox: Sandbox, mapped_heads: tuple[Any, Any], status: int
) -> None:
    """It is set aside, named with how often it was tried, asked for in every run, and waits for somebody's word."""
    one = min(row["opportunity"] for row in sandbox.truth["notes"])
    sandbox.faults(never(one, "notes", status))
    result = read(book)
    for stream in STREAMS:
        lacking = set(mapped_heads[0][stream]) - set(book.store.head_shas(stream))
        assert bool(lacking) == (stream == "notes"), stream
    assert [["notes", one, status]] == result.unread[["stream", "lever_id", "status"]].to_numpy().tolist()
    assert one not in book.store.windows("children")
    assert "1970" not in str(result.ages)
    with pytest.raises(GateError, match=rf"notes of opportunity {one} \(status {status}, \d+ readings\)"):
        steps.unread_gate(book)
    with pytest.raises(GateError, match="unread:<stream>:<id>"):
        steps.map(book)
    sign(book, f"unread:notes:{one}")
    steps.unread_gate(book)
    decide(book, sandbox)
    losses = steps.map(book).losses
    told = losses[losses["lever_type"] == "list of notes"].to_dict("records")
    assert [([one], "never", 1)] == [(row["ids"], row["treatment"], row["n_records"]) for row in told]
    n_tries = result.unread["n_tries"].item()
    assert steps.extract(book).unread["n_tries"].item() > n_tries
    sandbox.faults()
    assert steps.extract(book).unread.empty
    same(book, mapped_heads)


def test_a_list_that_fails_when_it_is_read_again_keeps_what_is_here(
    book: Workbook, sandbox: Sandbox, mapped_heads: tuple[Any, Any]
) -> None:
    """Known children stay, also where one that the list does not show cannot be asked for; the next run asks again."""
    read(book)
    one, other = sorted({row["opportunity"] for row in sandbox.truth["notes"]})[:2]
    sandbox.faults(
        never(one, "notes", 500),
        {"api": "lever", "endpoint": f"/opportunities/{other}/notes", "effect": "shrink", "keep": 0},
        {"api": "lever", "endpoint": f"/opportunities/{other}/notes/*", "effect": "status", "status": 500},
    )
    told = steps.extract(book, reread="all").unread
    assert [["notes", one], ["notes", other]] == told[["stream", "lever_id"]].to_numpy().tolist()
    same(book, mapped_heads)
    sandbox.faults()
    assert steps.extract(book).unread.empty
    same(book, mapped_heads)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"effect": "status", "status": 503}, UnavailableError),
        ({"effect": "throttle", "retry_after": "0.01"}, RateLimitedError),
        ({"effect": "reset_before"}, UnavailableError),
        ({"effect": "status", "status": 401}, UnauthorizedError),
        ({"effect": "status", "status": 403}, UnauthorizedError),
    ],
    ids=["maintenance", "429", "network", "401", "403"],
)
def test_what_is_not_about_one_list_stops_at_once(
    book: Workbook, sandbox: Sandbox, fault: Json, error: type[Exception]
) -> None:
    steps.audit(book)
    one = sorted(set(book.store.head_shas("opportunities")) - set(book.store.windows("children")))[0]
    sandbox.faults({"api": "lever", "endpoint": f"/opportunities/{one}/notes", **fault})
    with pytest.raises(error):
        steps.extract(book)
    assert book.store.meta("extract.finished_ms") is None
    assert book.store.windows("unread") == {}


@pytest.mark.parametrize("everything", [True, False])
def test_lists_of_many_that_lever_cannot_give_stop(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook], everything: bool
) -> None:
    """All of Lever is down, or one endpoint: not a matter of single records, and nobody waits for all of them."""
    write_customer(home, sandbox, lever={"workers": 1, "retry": {"attempts": 2, "first_s": 0.02, "longest_s": 0.1}})
    book = opened()
    steps.audit(book)
    assert len(set(book.store.head_shas("opportunities")) - set(book.store.windows("children"))) > FEW
    failing = {"api": "lever", "effect": "status", "status": 500}
    rest = {} if everything else {"endpoint": "/opportunities/*/notes"}
    with book.writing("extract"):
        sandbox.faults(failing | rest)
        with pytest.raises(UnavailableError, match="/stages" if everything else f"of {FEW + 1} opportunities"):
            extraction.children(steps.reading._walk(book, "extract"))
    assert len(book.store.windows("unread")) == (0 if everything else FEW)


# ---- opportunities that Lever cannot give ---------------------------------------------------------------------------
UNLISTED: Json = {"api": "lever", "endpoint": "/opportunities", "effect": "shrink", "keep": 0}


def not_given(one: str, status: int = 500) -> Json:
    """An opportunity that is not to be had by its id."""
    return {"api": "lever", "endpoint": f"/opportunities/{one}", "effect": "status", "status": status}


@pytest.mark.parametrize("status", [500, 422])
def test_one_opportunity_that_lever_cannot_give_by_its_id_holds_up_nobody_else(
    book: Workbook, sandbox: Sandbox, mapped_heads: tuple[Any, Any], status: int
) -> None:
    """It is set aside and named, stays as it was read before, is asked for in every run, and waits for a word."""
    read(book)
    one = sorted(book.store.head_shas("opportunities"))[3]
    sandbox.faults(UNLISTED, not_given(one, status))
    told = steps.extract(book, reread=True)
    assert [["opportunities", one, status, 1]] == told.unread.to_numpy().tolist()
    assert one not in set(told.unlisted["lever_id"])
    same(book, mapped_heads)
    sandbox.faults(not_given(one, status))
    assert [["opportunities", one, status, 2]] == steps.extract(book).unread.to_numpy().tolist()
    with pytest.raises(GateError, match=rf"opportunity {one} \(status {status}, 2 readings\)"):
        steps.unread_gate(book)
    sign(book, f"unread:opportunities:{one}")
    steps.unread_gate(book)
    decide(book, sandbox)
    losses = steps.map(book).losses
    rows = losses[(losses["lever_type"] == "opportunity") & (losses["field"] == "(not read)")].to_dict("records")
    assert [("moved changed", 1, [one])] == [(row["treatment"], row["n_records"], row["examples"]) for row in rows]
    sandbox.faults()
    told = steps.extract(book)
    assert told.unread.empty
    assert ("opportunities", one) in set(map(tuple, told.unlisted[["stream", "lever_id"]].to_numpy()))
    same(book, mapped_heads)


def test_one_that_is_gone_when_it_is_asked_for_again_is_told_as_gone(book: Workbook, sandbox: Sandbox) -> None:
    read(book)
    one = sorted(book.store.head_shas("opportunities"))[3]
    sandbox.faults(UNLISTED, not_given(one))
    steps.extract(book, reread=True)
    sandbox.faults(not_given(one, 404))
    told = steps.extract(book)
    assert ([], [one]) == (told.unread["lever_id"].tolist(), told.gone["lever_id"].tolist())


def test_one_that_the_list_shows_again_is_here(book: Workbook, sandbox: Sandbox) -> None:
    """Though Lever still cannot give it by its id."""
    read(book)
    one = sorted(book.store.head_shas("opportunities"))[3]
    sandbox.faults(UNLISTED, not_given(one))
    steps.extract(book, reread=True)
    sandbox.faults(not_given(one))
    assert steps.extract(book, reread=True).unread.empty


def test_a_list_that_is_not_there_while_its_opportunity_cannot_be_asked_for_is_set_aside(
    book: Workbook, sandbox: Sandbox, mapped_heads: tuple[Any, Any]
) -> None:
    """Nothing is taken as empty or gone, the other lists of the same opportunity are kept, the next run asks again."""
    one = min(row["opportunity"] for row in sandbox.truth["notes"])
    sandbox.faults(never(one, "notes", 404), not_given(one))
    told = read(book)
    assert [["notes", one, 500]] == told.unread[["stream", "lever_id", "status"]].to_numpy().tolist()
    for stream in STREAMS:
        lacking = set(mapped_heads[0][stream]) - set(book.store.head_shas(stream))
        assert bool(lacking) == (stream == "notes"), stream
    assert told.gone.empty
    with pytest.raises(GateError, match=f"notes of opportunity {one}"):
        steps.unread_gate(book)
    sandbox.faults()
    assert steps.extract(book).unread.empty
    same(book, mapped_heads)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"status": 500}, f"{FEW + 1} opportunities by their ids"),
        ({"status": 503}, "503"),
        ({"status": 500, "endpoint": None}, "/stages"),
    ],
    ids=["one endpoint", "maintenance", "all of Lever"],
)
def test_opportunities_by_id_that_lever_cannot_give_at_all_stop(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook], more: Json, words: str
) -> None:
    """Not a matter of single records: nothing is set aside, and nothing counts as gone."""
    write_customer(home, sandbox, lever={"retry": {"attempts": 1}})
    book = opened()
    read(book)
    before = book.store.head_shas("opportunities")
    assert len(before) > FEW
    single = {"api": "lever", "endpoint": "/opportunities/*", "effect": "status"}
    sandbox.faults({key: value for key, value in (single | more).items() if value})
    with book.writing("extract"), pytest.raises(UnavailableError, match=words):
        extraction.by_id(steps.reading._walk(book, "extract", reread=True), sorted(before))
    assert book.store.head_shas("opportunities") == before
    assert book.store.windows("unread opportunities") == {}


# ---- files -------------------------------------------------------------------------------------------------------
def test_redirected_downloads_never_carry_the_key(
    book: Workbook, sandbox: Sandbox, mapped_heads: tuple[Any, Any]
) -> None:
    """The storage host refuses every request with our Authorization."""
    sandbox.switch(download_redirects="all")
    read(book)
    same(book, mapped_heads)
    by_status = sandbox.ask("GET", "/calls")["by_status"]
    assert by_status["storage.200"] > 50
    assert "storage.400" not in by_status


def test_a_file_that_is_cut_twice_alike_under_a_matching_length_still_arrives_whole(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook], mapped_heads: tuple[Any, Any]
) -> None:
    """Lever tells no size of an offer's documents: nothing but the bytes themselves betrays the cut."""
    write_customer(home, sandbox, lever={"workers": 1})
    sandbox.switch(download_redirects="none")
    document = "/opportunities/*/offers/*/download"
    sandbox.faults({"api": "lever", "endpoint": document, "effect": "wrong_length", "by": -3, "times": 2})
    book = opened()
    read(book)
    assert sandbox.struck() == 2
    same(book, mapped_heads)


def test_files_that_failed_are_fetched_by_the_next_run(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook], mapped_heads: tuple[Any, Any]
) -> None:
    """An error page with status 200, no answer, and bytes that somebody has deleted since."""
    write_customer(home, sandbox, lever={"retry": {"attempts": 1}})
    book = opened()
    steps.audit(book)
    known = {row.lever_id for row in book.store.files()}  # the audit's probe has read these already
    sandbox.faults(
        {"api": "lever", "endpoint": "/opportunities/*/resumes/*/download", "effect": "status", "status": 500},
        {"api": "lever", "endpoint": "/opportunities/*/files/*/download", "effect": "html"},
    )
    result = steps.extract(book)
    n_failed = (result.files.loc[result.files["state"] == "failed", "n_files"]).sum()
    asked = [row for row in book.store.files() if row.stream in ("resumes", "files")]
    assert len(asked) > 50
    assert n_failed == len([row for row in asked if row.lever_id not in known])
    sandbox.faults()
    (book.folder / "files" / ".part-left-over").touch()
    steps.extract(book)
    same(book, mapped_heads)
    stored = sorted(sha for state, sha in files(book).values() if state == "stored" and sha)
    book.store.file_path(stored[0]).unlink()
    steps.extract(book)
    same(book, mapped_heads)


# ---- confidential records ----------------------------------------------------------------------------------------
def sign(book: Workbook, *names: str) -> None:
    """Somebody's word in overrides.csv."""
    book.params_folder.mkdir(exist_ok=True)
    lines = "".join(f"{name},kim,2026-01-01,I looked\n" for name in names)
    (book.params_folder / "overrides.csv").write_text(f"id,who,when,why\n{lines}", "utf-8")


def test_a_confidential_gap_is_a_decision(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_LEVER_KEY", sandbox.about["lever_key_plain"])
    book = opened()
    steps.audit(book)
    with pytest.raises(GateError, match=r"confidential.*\[confidential\]"):
        steps.extract(book)
    book.close()
    write_customer(home, sandbox, lever={"confidential_access": "accept_gap"})
    book = opened()
    sign(book, "confidential")
    read(book)
    open_ones = {one["id"] for one in sandbox.truth["opportunities"] if not one["confidential"]}
    assert set(book.store.head_shas("opportunities")) == open_ones
    assert len(open_ones) < len(sandbox.truth["opportunities"])


@pytest.mark.parametrize("refusal", ["403", "trimmed"])
def test_a_new_key_with_confidential_access_brings_the_old_confidential_ones(
    home: Path, sandbox: Sandbox, opened: Callable[[], Workbook], monkeypatch: pytest.MonkeyPatch,
    mapped_heads: tuple[Any, Any], refusal: str,
) -> None:  # fmt: skip
    """The windows that the other key has read begin anew: no later reading asks for what was created long ago."""
    sandbox.switch(confidential_refusal=refusal)
    write_customer(home, sandbox, lever={"confidential_access": "accept_gap"})
    with monkeypatch.context() as other:
        other.setenv("TEST_LEVER_KEY", sandbox.about["lever_key_plain"])
        book = opened()
        sign(book, "confidential")
        read(book)
        hidden = {one["id"] for one in sandbox.truth["opportunities"] if one["confidential"]}
        assert hidden
        assert not hidden & set(book.store.head_shas("opportunities"))
        book.close()
    book = opened()
    read(book)
    same(book, mapped_heads)


def test_windows_are_not_read_twice(book: Workbook, sandbox: Sandbox) -> None:
    """The extraction goes on where the audit stopped listing."""
    steps.audit(book)
    before = sandbox.ask("GET", "/calls")["by_endpoint"]["lever./opportunities"]
    steps.extract(book)
    assert sandbox.ask("GET", "/calls")["by_endpoint"]["lever./opportunities"] - before <= 6
    with book.store.begin() as tx:  # and a list that was not finished is finished
        tx.execute(update(t.meta).where(t.meta.c.key == "extract.windows").values(value="null"))
    steps.extract(book)
    assert book.store.meta("extract.windows")["done"]

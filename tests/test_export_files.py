"""Lever's own export files as a second way in: the same raw tables as the API, and nothing dropped without a word."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import random
import re
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import export_writer
import pytest
import reconcile
from conftest import CUSTOMER, Sandbox, decide, environment, new_store, write_customer
from export_writer import Account, table

from lib import params, steps, workbook
from lib.errors import ConfigError, GateError, UnauthorizedError
from lib.export_files import Export, Found, Moments, json_read, read
from lib.export_files.columns import recognise
from lib.export_files.csv_read import Broken
from lib.export_files.objects import stream_of
from lib.export_files.tree import label
from lib.export_files.values import UntoldError, listed, made_id
from lib.store import Store
from lib.workbook import Workbook

Json = dict[str, Any]
STREAMS = (
    "users", "stages", "archive_reasons", "sources", "tags", "postings", "requisitions", "requisition_fields",
    "feedback_templates", "form_templates", "disposition_stages", "opportunities", "opportunities_deleted", "notes",
    "feedback", "resumes", "files", "forms", "offers", "interviews", "referrals",
)  # fmt: skip
ONE, TWO, THREE = (f"0000000{n}-0000-4000-8000-000000000000" for n in (1, 2, 3))
HEADS = ["Profile ID", "Candidate Name", "Candidate Email", "Current Stage", "Posting Title", "Created At (GMT)"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store of a customer."""
    one = new_store(tmp_path / "runs" / CUSTOMER)
    yield one
    one.close()


def came(store: Store, folder: Path, **more: Any) -> Found:
    """Read a folder into the store, bytes of files too."""
    return read(Export(store, folder, **more), bytes_too=True)


def person(key: str = ONE, **more: Any) -> Json:
    """A row of a table of candidates that is complete."""
    row = {"Profile ID": key, "Candidate Name": "Ada Byron", "Candidate Email": "ada@example.org",
           "Current Stage": "Offer", "Posting Title": "Engineer"}  # fmt: skip
    row["Created At (GMT)"] = "2021-03-04 05:06:07"
    return row | more


def opportunity(key: str = ONE, **more: Any) -> Json:
    """An opportunity as the API gives it, as small as it may be."""
    contact = {"id": key.replace("0000-4000", "0000-4001"), "name": "Ada Byron", "emails": [], "phones": []}
    made = {"id": key, "contact": contact, "createdAt": 1_600_000_000_000, "applications": [], "stage": "offer"}
    return made | {"stageChanges": [], "confidentiality": "non-confidential"} | more


def needs(found: Found) -> list[str]:
    """What waits for somebody's word, without the hashes in its ids."""
    return sorted(re.sub(r"f?[0-9a-f]{8,12}", "#", str(row["id"])) for row in found.told.needs)


def reasons(found: Found) -> list[tuple[int, str]]:
    """(line, reason) of all refused rows."""
    return [(int(str(row["line"])), str(row["reason"])) for row in found.told.refused]


# ---- the whole way -----------------------------------------------------------------------------------------------
def from_files(home: Path, sandbox: Sandbox, folder: Path, **lever: Any) -> None:
    """A customer whose Lever is a folder."""
    write_customer(home, sandbox, lever={"source": "files", "export_folder": str(folder), **lever})


def raw(book: Workbook) -> dict[str, dict[str, tuple[str, str]]]:
    """{stream: {id: (hash of the body, parent)}} of all raw tables."""
    parents = {stream: book.store.parents(stream) for stream in STREAMS}
    return {
        stream: {key: (sha, parents[stream][key]) for key, sha in book.store.head_shas(stream).items()}
        for stream in STREAMS
    }


def lever_calls(sandbox: Sandbox) -> Json:
    """How often each endpoint of Lever was asked."""
    records = sandbox.ask("GET", "/calls?full=1")["records"]
    return dict(Counter(one["endpoint"] for one in records if one["api"] == "lever"))


def accept_all(book: Workbook, result: steps.AuditResult) -> None:
    """Somebody accepts each critical finding by its id."""
    rows = [{"id": one, "who": "kim", "when": "today", "why": "looked at it"}
            for one in result.findings[result.findings["severity"] == "critical"]["id"]]  # fmt: skip
    rows += [
        {"id": str(row["id"]), "who": "kim", "when": "today", "why": "looked at it"}
        for row in book.store.results("extract", "export_needs")
        if row["id"] not in {one["id"] for one in rows}
    ]
    table(book.params_folder / "overrides.csv", ["id", "who", "when", "why"], rows)


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    """The sandbox's account, as its API tells it; files come with their types, as they would by their first bytes."""
    sandbox.switch(download_types="named", download_redirects="none")
    return export_writer.crawled(sandbox.about)


@pytest.fixture
def keyless(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home without any key of Lever."""
    home = tmp_path / "keyless"
    with environment(home, sandbox):
        monkeypatch.delenv("TEST_LEVER_KEY")
        yield home


def by_api(tmp_path: Path, sandbox: Sandbox) -> tuple[dict[str, Any], dict[str, Any], str]:
    """(raw tables, files, hash of the plan) of the same account, read through its API."""
    home = tmp_path / "by_api"
    write_customer(home, sandbox)
    with environment(home, sandbox):
        book = workbook.open_customer(CUSTOMER)
        steps.audit(book)
        steps.extract(book)
        found = raw(book), {row.lever_id: dataclasses.replace(row, at_ms=0) for row in book.store.files()}
        decide(book, sandbox)
        plan = steps.map(book).plan_hash
        book.close()
    return *found, plan


def test_a_dump_of_the_api_gives_the_same_tables_the_same_plan_and_the_same_move(
    tmp_path: Path, keyless: Path, sandbox: Sandbox, account: Account, opened: Callable[[], Workbook]
) -> None:
    """Every raw object, every file and the hash of the plan are those of the API way, and no key is needed."""
    tables, files, plan = by_api(tmp_path, sandbox)
    from_files(keyless, sandbox, export_writer.dump(account, tmp_path / "export"))
    asked = lever_calls(sandbox)
    book = opened()
    result = steps.audit(book)
    assert list(result.findings[result.findings["severity"] == "critical"]["id"]) == []
    assert result.route["route"] == "this workbook, from export files"
    steps.extract(book)
    assert raw(book) == tables
    here = {row.lever_id: dataclasses.replace(row, at_ms=0) for row in book.store.files()}
    assert {key: row for key, row in here.items() if row.state == "stored"} == {
        key: row for key, row in files.items() if row.state == "stored"
    }
    accept_all(book, result)  # the files that Lever cannot deliver have no bytes in the dump either
    decide(book, sandbox)
    assert steps.map(book).plan_hash == plan
    steps.load(book, execute=True)
    assert {kind: found for kind, found in reconcile.problems(sandbox.truth, sandbox.state).items() if found} == {}
    assert steps.validate(book).ok
    assert lever_calls(sandbox) == asked


def test_a_public_export_script_gives_the_same_people_and_talk(
    tmp_path: Path, sandbox: Sandbox, account: Account, store: Store
) -> None:
    """Opportunities with everything folded in and expanded: children and bytes are here; lists as far as seen."""
    found = came(store, export_writer.folded(account, tmp_path / "export"))
    assert reasons(found) == []
    assert set(store.head_shas("opportunities")) == {one["id"] for one in account.opportunities}
    for stream in export_writer.CHILDREN:
        wanted = {one["id"]: one for lists in account.children.values() for one in lists[stream]}
        assert {one["id"]: one for one in store.all(stream)} == wanted, stream
    known = {one["id"]: one for one in account.lists["postings"]}
    assert all(known[one["id"]] == one for one in store.all("postings"))
    assert {one["id"]: one for one in store.all("stages")}.items() <= {
        one["id"]: one for one in account.lists["stages"]
    }.items()
    named = [key for lists in account.children.values() for key, stream, name in export_writer._names(lists)
             if stream != "offers" and key in account.bytes and "/" not in name]  # fmt: skip
    stored = {row.lever_id for row in store.files() if row.state == "stored"}
    assert len(stored & set(named)) / len(named) > 0.9  # names that repeat within a folder overwrite each other there


def test_tables_carry_what_they_have_and_say_what_they_lack(
    tmp_path: Path, keyless: Path, sandbox: Sandbox, account: Account, opened: Callable[[], Workbook]
) -> None:
    """Names, addresses, stages with their dates, archiving, postings, notes, feedback, résumés arrive to the second."""
    from_files(keyless, sandbox, export_writer.tables(account, tmp_path / "export"))
    book = opened()
    result = steps.audit(book)
    accept_all(book, result)
    steps.extract(book)
    book.store.put_meta("probe", 1)
    accept_all(book, result)
    _same_people(book, account)
    _same_talk(book, account)
    decide(book, sandbox)
    steps.map(book)
    steps.load(book, execute=True)
    truth = sandbox.truth
    found = reconcile.problems(truth, sandbox.state)
    assert found["merged"] == []
    assert found["notified"] == []
    lost = [one for one in found["opportunities"] if "is lost" in one or "doubled" in one or "must never" in one]
    anonymised = {one["id"] for one in account.opportunities if one["isAnonymized"]}
    consent = [one for one in truth["opportunities"] if one["expected"].startswith("never")]
    unknown = {one["id"] for one in consent} | anonymised  # a table says nothing of either: the audit warns
    assert [one for one in lost if not any(key in one for key in unknown)] == []
    assert "export-made:opportunities-without-a-word-on-consent" in set(result.findings["id"])


def _same_people(book: Workbook, account: Account) -> None:
    stages = {one["id"]: one["text"] for one in account.lists["stages"]}
    reasons_of = {one["id"]: one["text"] for one in account.lists["archive_reasons"]}
    own_stages = {one["id"]: one["text"] for one in book.store.all("stages")}
    own_reasons = {one["id"]: one for one in book.store.all("archive_reasons")}
    own_users = {one["id"]: one for one in book.store.all("users")}
    assert {one["id"] for one in account.lists["users"]} <= set(own_users)
    for one in account.opportunities:
        got = book.store.get("opportunities", one["id"])
        assert got is not None
        names = ("name", "location", "headline", "origin", "confidentiality", "owner")
        assert {name: got[name] for name in names} == {name: one[name] for name in names}
        assert got["contact"]["id"] == one["contact"]["id"]
        assert got["createdAt"] == one["createdAt"] // 1000 * 1000
        assert own_stages.get(got["stage"]) == stages.get(one["stage"])
        changes = [change for change in one["stageChanges"] if change["toStageId"] in stages]
        last = {stages[change["toStageId"]]: change["updatedAt"] // 1000 for change in changes}
        assert {own_stages[change["toStageId"]]: change["updatedAt"] // 1000 for change in got["stageChanges"]} == last
        archived = one["archived"]
        assert (got["archived"] is None) == (archived is None)
        if archived and archived["reason"] in reasons_of:
            assert own_reasons[got["archived"]["reason"]]["text"] == reasons_of[archived["reason"]]
        posting = [app.get("posting") for app in one["applications"]]
        assert [app["posting"] for app in got["applications"]] == posting
    hired = {one["text"] for one in own_reasons.values() if one["type"] == "hired"}
    assert "Hired" in hired


def _same_talk(book: Workbook, account: Account) -> None:
    for lists in account.children.values():
        for note in lists["notes"]:
            got = book.store.get("notes", note["id"])
            if len(note["fields"]) == 1 and not note["deletedAt"] and note["fields"][0]["value"].strip():
                assert got is not None
                assert (got["secret"], got["user"]) == (note["secret"], note["user"])
                assert got["fields"][0]["value"].split() == note["fields"][0]["value"].split()
        for form in lists["feedback"]:
            got = book.store.get("feedback", form["id"])
            if form["completedAt"] and not form["deletedAt"] and form["fields"]:
                assert got is not None
                assert got["user"] == form["user"]
                assert [one["text"] for one in got["fields"]] == [one["text"] for one in form["fields"]]
    resumes = [row for row in book.store.files() if row.stream == "resumes" and row.state == "stored"]
    wanted = [
        one["id"] for lists in account.children.values() for one in lists["resumes"] if one["id"] in account.bytes
    ]
    assert len(resumes) == len(wanted)
    assert {row.opportunity_id for row in resumes} == {
        key for key, lists in account.children.items() if any(one["id"] in account.bytes for one in lists["resumes"])
    }


# ---- gates -------------------------------------------------------------------------------------------------------
def test_what_is_not_recognised_stops_until_somebody_accepts_just_that(
    tmp_path: Path, keyless: Path, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    """Files, columns and rows each have an id; another set of columns needs another word."""
    folder = tmp_path / "export"
    folder.mkdir()
    table(folder / "candidates.csv", [*HEADS, "Shoe size", "Confidential"], [person(**{"Shoe size": "44"})])
    table(folder / "weather.csv", ["Day", "Rain"], [{"Day": "Monday", "Rain": "much"}])
    from_files(keyless, sandbox, folder)
    book = opened()
    result = steps.audit(book)
    red = result.findings[result.findings["severity"] == "critical"]
    ids = [re.sub(r"f?[0-9a-f]{8,12}", "#", one) for one in red["id"]]
    assert sorted(ids) == ["confidential", "file-in:#", "file-in:#:columns-#"]
    with pytest.raises(GateError, match=r"3 critical findings.*2 columns that is none") as caught:
        steps.extract(book)
    assert [word for word in ("Monday", "Rain", "weather") if word in str(caught.value)] == []
    accept_all(book, result)
    assert list(steps.extract(book).came["taken_as"]) == ["not recognised", "table of candidates"]
    steps.files_gate(book)
    table(
        folder / "candidates.csv", [*HEADS, "Shoe size", "Hat size"], [person(**{"Shoe size": "44", "Hat size": "9"})]
    )
    steps.audit(book)
    with pytest.raises(GateError, match=r"1 critical findings: 2 columns are not read"):
        steps.extract(book)
    kept = [row["cells"] for row in book.store.all("export_rows")]
    assert kept == [{"Shoe size": "44", "Hat size": "9"}]


def test_a_newer_export_takes_nothing_away_without_a_word(
    tmp_path: Path, keyless: Path, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    """Changed ones are changed; lacking ones are named, and gone once that is accepted."""
    folder = tmp_path / "export"
    folder.mkdir()
    heads = [*HEADS, "Confidential"]
    rows = [person(f"{n:08}-0000-4000-8000-000000000000", Confidential="no") for n in range(1, 61)]
    table(folder / "candidates.csv", heads, rows)
    from_files(keyless, sandbox, folder, confidential_access="granted")
    book, signed = opened(), {"id": "confidential", "who": "kim", "when": "now", "why": "asked whoever made it"}
    book.params_folder.mkdir(exist_ok=True)
    table(book.params_folder / "overrides.csv", ["id", "who", "when", "why"], [signed])
    steps.audit(book)
    steps.extract(book)
    assert book.store.count("opportunities") == 60
    rows[0]["Candidate Name"] = "Ada King"
    table(folder / "candidates.csv", heads, rows[:-1])
    steps.extract(book)
    assert book.store.get("opportunities", ONE)["name"] == "Ada King"  # type: ignore[index]
    lacking = rows[-1]["Profile ID"]
    assert book.store.count("opportunities") == 60
    with pytest.raises(GateError, match=f"1 opportunities were read before.*{lacking}"):
        steps.gone_gate(book)
    table(book.params_folder / "overrides.csv", ["id", "who", "when", "why"],
          [signed, {"id": f"gone:{lacking}", "who": "kim", "when": "now", "why": "deleted in Lever"}])  # fmt: skip
    steps.extract(book)
    assert book.store.get("opportunities", lacking) is None
    steps.gone_gate(book)
    table(folder / "candidates.csv", heads, rows[:20])
    with pytest.raises(GateError, match="39 of 59 opportunities that were here before are not in this export"):
        steps.extract(book)
    assert book.store.count("opportunities") == 59


def test_another_account_is_refused_before_anything_is_stored(
    tmp_path: Path, keyless: Path, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    """The users of an export say whose it is."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "opportunities.json").write_text(json.dumps([opportunity()]))
    (folder / "users.json").write_text(json.dumps([{"id": TWO, "name": "Kim", "email": "kim@acme.example"}]))
    from_files(keyless, sandbox, folder, confidential_access="granted")
    book = opened()
    steps.audit(book)
    (folder / "users.json").write_text(json.dumps([{"id": THREE, "name": "Lu", "email": "lu@other.example"}]))
    (folder / "opportunities.json").write_text(json.dumps([opportunity(), opportunity(TWO)]))
    with pytest.raises(GateError, match="The Lever account that answers is not the one"):
        steps.audit(book)
    assert book.store.count("opportunities") == 1


def test_rights_that_ashbys_key_lacks_are_named_before_an_export_is_read(
    tmp_path: Path, keyless: Path, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    """All at once, and before anything of Ashby is asked for: an admin is asked once."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "opportunities.json").write_text(json.dumps([opportunity()]))
    from_files(keyless, sandbox, folder, confidential_access="granted")
    sandbox.switch(key_without="jobsRead,interviewsRead")
    sandbox.ask("DELETE", "/calls")
    book = opened()
    with pytest.raises(UnauthorizedError) as told:
        steps.audit(book)
    assert all(f"Ashby: {name}" in str(told.value) for name in ("jobsRead", "interviewsRead"))
    assert "Admin, API keys. Then run 01_audit again." in str(told.value)
    asked = {one["endpoint"] for one in sandbox.ask("GET", "/calls?full=1")["records"] if one["api"] == "ashby"}
    assert asked <= {"apiKey.info"}
    assert book.store.count("opportunities") == 0
    sandbox.switch(key_without="")
    steps.audit(book)
    assert book.store.count("opportunities") == 1


def test_settings_of_an_export_are_checked(tmp_path: Path, keyless: Path, sandbox: Sandbox) -> None:
    """A folder is needed, a zone and an encoding must exist, and a folder that is not there is said."""
    for given, told in (
        ({"source": "files"}, "needs export_folder"),
        ({"source": "files", "export_folder": "x", "export_time_zone": "Mars/Olympus"}, "no time zone of that name"),
        ({"source": "files", "export_folder": "x", "export_encoding": "klingon"}, "no encoding of that name"),
    ):
        write_customer(keyless, sandbox, lever=given)
        with pytest.raises(ConfigError, match=told):
            params.load(CUSTOMER)
    from_files(keyless, sandbox, tmp_path / "nowhere")
    assert params.load(CUSTOMER).lever.closed
    book = workbook.open_customer(CUSTOMER)
    with pytest.raises(ConfigError, match="The folder of the export cannot be read"):
        steps.audit(book)
    book.close()


def test_an_export_inside_the_repository_is_refused(
    keyless: Path, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    """People's data must not stand where git looks; below runs/ it does not look."""
    (keyless / ".git").mkdir(parents=True)
    (keyless / "data").mkdir()
    from_files(keyless, sandbox, Path("data"))
    with pytest.raises(ConfigError, match="lies in this repository"):
        steps.audit(opened())
    (keyless / "runs" / CUSTOMER / "export").mkdir(parents=True, exist_ok=True)
    from_files(keyless, sandbox, Path("runs") / CUSTOMER / "export")
    result = steps.audit(opened())
    assert "export:empty" in set(result.findings["id"])


# ---- JSON --------------------------------------------------------------------------------------------------------
def dumped(folder: Path, name: str, text: str) -> Path:
    """A file in the folder of an export."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return folder


LAYOUTS = {
    "opportunities.json": json.dumps,
    "candidates.jsonl": lambda items: "\n".join(map(json.dumps, items)),
    "opportunities/page-0001.json": lambda items: json.dumps({"data": items, "next": "x", "hasNext": True}),
    "opportunities-2024-05-06.json": lambda items: json.dumps({"hasNext": False, "data": items}, indent=4),
    "pages.json": lambda items: "\n".join(json.dumps({"data": [one]}) for one in items),
    "tap.jsonl": lambda items: "\n".join(
        [json.dumps({"type": "SCHEMA", "stream": "opportunities", "schema": {}, "key_properties": ["id"]})]
        + [json.dumps({"type": "RECORD", "stream": "opportunities", "record": one}) for one in items]
        + [json.dumps({"type": "STATE", "value": {}})]
    ),
    "airbyte.jsonl": lambda items: "\n".join(
        json.dumps({"type": "RECORD", "record": {"stream": "opportunities", "data": one, "emitted_at": 1}})
        for one in items
    ),
    "_airbyte_raw_opportunities.jsonl": lambda items: "\n".join(
        json.dumps({"_airbyte_ab_id": "x", "_airbyte_emitted_at": 1, "_airbyte_data": one}) for one in items
    ),
    "all.json": lambda items: json.dumps({"opportunities": items, "stages": [{"id": "offer", "text": "Offer"}]}),
    "whatever.json": lambda items: "\ufeff" + json.dumps(items),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_objects_are_found_in_any_layout_of_a_dump(tmp_path: Path, store: Store, name: str) -> None:
    """Pages, arrays, lines, envelopes, records of loading tools: the objects are the same; a cut list is a question."""
    items = [opportunity(ONE), opportunity(TWO, name='a "quoted" {brace} \\ [bracket')]
    text = LAYOUTS[name](items)
    found = came(store, dumped(tmp_path / "export", name, text))
    assert list(store.all("opportunities")) == items
    cut = ["file-in:cut-opportunities-#"] if '"hasNext": true' in text else []
    assert (needs(found), reasons(found)) == (cut, [])


CHILD_LAYOUTS = {
    f"opportunities/{ONE}/notes.json": {},
    f"{ONE}/notes/page_1.json": {},
    f"notes/{ONE}.json": {},
    "notes.json": {"opportunityId": ONE},
    "opportunity_notes.jsonl": {"opportunity_id": ONE},
    "candidate_notes.json": {"candidateId": ONE},
    "data/raw/notes.json": {"opportunity": {"id": ONE}},
}


@pytest.mark.parametrize("name", CHILD_LAYOUTS)
def test_children_find_their_opportunity(tmp_path: Path, store: Store, name: str) -> None:
    """By their place, or by what a tool has added to them; what it has added is not kept."""
    note = {"id": TWO, "text": "Note", "fields": [], "createdAt": 1_600_000_000_000, "secret": False}
    folder = dumped(tmp_path / "export", name, json.dumps([note | CHILD_LAYOUTS[name]]))
    found = came(store, dumped(folder, "opportunities.json", json.dumps([opportunity()])))
    assert (list(store.all("notes")), store.parents("notes")) == ([note], {TWO: ONE})
    assert needs(found) == []


def test_a_child_of_nobody_is_named(tmp_path: Path, store: Store) -> None:
    """It cannot be moved, so it waits for somebody's word."""
    folder = dumped(tmp_path / "export", "notes.json", json.dumps([{"id": TWO, "fields": [], "createdAt": 1}]))
    found = came(store, dumped(folder, "opportunities.json", json.dumps([opportunity()])))
    assert (store.count("notes"), needs(found)) == (0, ["file-in:orphans-notes-1"])


def test_contacts_and_applications_apart_are_put_back(tmp_path: Path, store: Store) -> None:
    """The API gives them inside of opportunities; what is not there is told."""
    contact = {"id": THREE, "name": "Ada Byron", "emails": ["ada@example.org"], "phones": [], "headline": ""}
    plain = opportunity(contact=THREE, applications=[TWO])
    other = opportunity(TWO, contact=ONE, applications=[THREE], name="Bob", location="Oslo", emails=["b@example.org"])
    folder = dumped(tmp_path / "export", "opportunities.json", json.dumps([plain, other]))
    dumped(folder, "contacts.json", json.dumps([contact]))
    dumped(folder, "applications.json", json.dumps([{"id": TWO, "opportunityId": ONE, "posting": "p", "type": "user"}]))
    found = came(store, folder)
    first, second = store.all("opportunities")
    assert first["contact"] == contact
    assert first["applications"] == [{"id": TWO, "opportunityId": ONE, "posting": "p", "type": "user"}]
    assert (second["contact"]["name"], second["contact"]["location"]) == ("Bob", {"name": "Oslo"})
    assert second["applications"] == [{"id": THREE, "opportunityId": TWO}]
    assert found.told.made["applications of which only the id is known"] == 1


def test_broken_json_costs_only_what_is_broken(tmp_path: Path, store: Store) -> None:
    """A broken line is named; of a cut array all is here that stands before the cut."""
    good, other = json.dumps(opportunity(ONE)), json.dumps(opportunity(TWO))
    folder = dumped(tmp_path / "export", "opportunities.jsonl", f"{good}\n{{broken\n\n{other}\n")
    found = came(store, folder)
    assert (store.count("opportunities"), reasons(found)) == (2, [(2, "broken JSON")])
    cut = dumped(tmp_path / "cut", "opportunities.json", f"[\n{json.dumps(opportunity(THREE))},\n{good[:40]}")
    found = came(store, cut, accepted=frozenset({"shrunk:opportunities"}))
    assert store.count("opportunities") == 1
    assert reasons(found) == [(3, "a JSON value that does not end; the rest of the file is not read")]


def test_odd_objects_are_refused_with_their_line(tmp_path: Path, store: Store) -> None:
    """What later steps rely on is looked at; a value is never quoted."""
    odd = [
        opportunity(ONE), {"id": TWO}, opportunity(TWO, emails="ada@example.org"), opportunity(THREE, createdAt="2021"),
        [1, 2], opportunity() | {"id": 7}, opportunity(TWO, contact={"name": "nobody"}),
    ]  # fmt: skip
    found = came(store, dumped(tmp_path / "export", "opportunities.jsonl", "\n".join(map(json.dumps, odd))))
    assert store.count("opportunities") == 1
    assert [line for line, _ in reasons(found)] == [2, 3, 4, 5, 5, 6, 7]
    assert not any("ada@" in reason for _, reason in reasons(found))


def test_one_id_with_two_bodies_keeps_the_newer_one_and_says_so(tmp_path: Path, store: Store) -> None:
    """As the API way does."""
    old, new = opportunity(name="Old", updatedAt=1), opportunity(name="New", updatedAt=2)
    found = came(store, dumped(tmp_path / "export", "opportunities.json", json.dumps([new, old, new])))
    assert store.get("opportunities", ONE) == new
    (row,) = found.told.rows()
    assert "came before with another body" in str(row["remarks"])


def test_hostile_json_does_no_harm(tmp_path: Path, store: Store) -> None:
    """Depth, lone surrogates, NUL, huge numbers, NaN: kept or refused, never a crash."""
    deep = "[" * 20_000 + "]" * 20_000
    lines = [
        json.dumps(opportunity(ONE, name="a\x00b\ud800")), f'{{"id": "{TWO}", "contact": {deep}}}',
        json.dumps(opportunity(THREE, odd=float("nan"))), '{"id": "x", "createdAt": ' + "9" * 5000 + "}",
    ]  # fmt: skip
    found = came(store, dumped(tmp_path / "export", "opportunities.jsonl", "\n".join(lines)))
    assert store.get("opportunities", ONE)["name"] == "a\x00b\ud800"  # type: ignore[index]
    assert store.count("opportunities") == 2
    assert [line for line, _ in reasons(found)] == [2, 4]


def test_a_large_array_is_never_held_whole(tmp_path: Path) -> None:
    """Value by value: six megabytes are read with less than two in memory."""
    path = tmp_path / "opportunities.json"
    item = json.dumps(opportunity(filler="x" * 1000), indent=1)
    with path.open("w") as file:
        file.write("[" + ",\n".join([item] * 4_000) + "]")
    assert path.stat().st_size > 5_000_000
    tracemalloc.start()
    n = sum(not isinstance(value, Broken) for _, _, value in json_read.values(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (n, peak < 2_000_000) == (4_000, True)


# ---- tables ------------------------------------------------------------------------------------------------------
DIALECTS = [
    ("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", ","), ("utf-16-le", "\t"), ("utf-16-be", ";"), ("utf-32", ","),
    ("cp1252", ","), ("cp1252", ";"), ("utf-8", "\t"), ("utf-8", "|"), ("utf-16", "\t"),
]  # fmt: skip


@pytest.mark.parametrize(("encoding", "delimiter"), DIALECTS)
def test_encodings_and_delimiters_are_recognised(tmp_path: Path, store: Store, encoding: str, delimiter: str) -> None:
    """With marks and without; what is not UTF is a guess that waits for a word, or is told in the settings."""
    (tmp_path / "export").mkdir()
    row = person(**{"Candidate Name": 'Zoë "Z" Müller; née O’Neil, Dr.', "Confidential": "no"})
    table(tmp_path / "export" / "people.csv", [*HEADS, "Confidential"], [row], delimiter=delimiter, encoding=encoding)
    found = came(store, tmp_path / "export")
    assert store.get("opportunities", ONE)["name"] == row["Candidate Name"]  # type: ignore[index]
    assert needs(found) == (["file-in:#:encoding"] if encoding == "cp1252" else [])
    told = came(store, tmp_path / "export", encoding="cp1252")
    assert needs(told) == []


def test_excel_s_own_ways_are_read(tmp_path: Path, store: Store) -> None:
    """The line `sep=`, cells left out at the end of a line, line breaks in cells, lines that end in CR only."""
    (tmp_path / "export").mkdir()
    text = "sep=;\r\nProfile ID;Candidate Name;Current Stage;Created At (GMT);Tags\r\n"
    text += f'{ONE};"Ada\r\nByron";Offer;2021-01-02\r\n'
    (tmp_path / "export" / "a.csv").write_bytes(text.encode())
    old = f"Profile ID,Candidate Name,Current Stage,Created At (UTC)\r{TWO},Bob,Offer,2021-01-02 03:04\r"
    (tmp_path / "export" / "b.csv").write_bytes(old.encode())
    found = came(store, tmp_path / "export")
    first, second = store.all("opportunities")
    assert (first["name"], second["name"]) == ("Ada\r\nByron", "Bob")
    assert second["createdAt"] == 1_609_556_640_000
    assert reasons(found) == []


def test_rows_that_cannot_be_read_are_named_and_the_others_are_read(tmp_path: Path, store: Store) -> None:
    """Ragged rows, broken quotes, odd dates, no date: each with its line and a reason that quotes nothing."""
    (tmp_path / "export").mkdir()
    lines = [
        ",".join(HEADS), f"{ONE},Ada,a@example.org,Offer,Engineer,2021-01-02 03:04:05",
        f"{TWO},Bob,b,Offer,Engineer,2021,too,many",
        f'{TWO},"Bob"by,b@example.org,Offer,Engineer,2021-01-02', f"{TWO},Bob,b@example.org,Offer,Engineer,soon",
        f"{TWO},Bob,b@example.org,Offer,Engineer,", f"{THREE},C\x00y,c@example.org,Offer,Engineer,1600000000000",
        f'{TWO},"never closed,',
    ]  # fmt: skip
    (tmp_path / "export" / "candidates.csv").write_text("\n".join(lines))
    found = came(store, tmp_path / "export")
    assert {one["id"]: one["name"] for one in store.all("opportunities")} == {ONE: "Ada", THREE: "C\x00y"}
    assert reasons(found) == [
        (3, "8 cells where the header names 6"),
        (4, "no CSV record (text after a closing quote)"),
        (5, "Created At (GMT): no date that can be read"),
        (8, "no CSV record (a quote that never ends)"),
        (6, "no column says when it was created"),
    ]


def test_huge_cells_and_formulas_are_text(tmp_path: Path, store: Store) -> None:
    """Nothing is run, nothing is cut."""
    (tmp_path / "export").mkdir()
    hostile = ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "<script>alert(1)</script>", "x" * 2_000_000]
    rows = [person(f"{n:08}-0000-4000-8000-000000000000", **{"Candidate Name": text}) for n, text in enumerate(hostile)]
    table(tmp_path / "export" / "candidates.csv", HEADS, rows)
    came(store, tmp_path / "export")
    assert [one["name"] for one in store.all("opportunities")] == [text.strip("\t") for text in hostile]


def test_dates_that_can_be_read_in_two_ways_are_a_question(tmp_path: Path, store: Store) -> None:
    """Day or month first, and the zone of a time without one, are told in the settings and never guessed."""
    (tmp_path / "export").mkdir()
    heads = ["Profile ID", "Candidate Name", "Current Stage", "Created At", "Applied At"]
    rows = [
        {"Profile ID": ONE, "Candidate Name": "A", "Current Stage": "Offer", "Created At": "02/03/2021 04:05"},
        {"Profile ID": TWO, "Candidate Name": "B", "Current Stage": "Offer", "Created At": "2021-02-03T04:05:06Z"},
    ]
    table(tmp_path / "export" / "candidates.csv", heads, rows)
    found = came(store, tmp_path / "export")
    assert [row["setting"] for row in found.told.questions.values()] == ["lever.export_dates"]
    assert list(store.head_shas("opportunities")) == [TWO]
    found = came(store, tmp_path / "export", moments=Moments("dmy"))
    assert [row["setting"] for row in found.told.questions.values()] == ["lever.export_time_zone"]
    found = came(store, tmp_path / "export", moments=Moments("dmy", "Europe/Berlin"))
    assert found.told.questions == {}
    assert store.get("opportunities", ONE)["createdAt"] == 1_614_654_300_000  # type: ignore[index]


MOMENTS = {
    "1614654300000": 1_614_654_300_000, "1614654300": 1_614_654_300_000, "2021-03-02T03:05:00Z": 1_614_654_300_000,
    "2021-03-02T04:05:00+01:00": 1_614_654_300_000, "2021-03-02 03:05:00.250": 1_614_654_300_250,
    "2021/3/2 03:05": 1_614_654_300_000, "2 March 2021, 3:05 AM": 1_614_654_300_000,
    "Mar 2, 2021 03:05": 1_614_654_300_000,
    "Tue, 02 Mar 2021 03:05:00 GMT": 1_614_654_300_000, "13/02/2021 12:00": 1_613_217_600_000,
    "02/13/2021 12:00 PM": 1_613_217_600_000, "05/05/2021": 1_620_172_800_000, "2021-03-02": 1_614_643_200_000,
}  # fmt: skip


@pytest.mark.parametrize("text", MOMENTS)
def test_unambiguous_dates_are_read_in_many_forms(text: str) -> None:
    """In a column that says it is GMT."""
    assert Moments().ms(text, utc=True) == MOMENTS[text]


@pytest.mark.parametrize("text", ["02/03/2021", "2/3/21", "12-11-2020 10:00"])
def test_ambiguous_dates_raise_their_question(text: str) -> None:
    """The name of the setting is the question."""
    with pytest.raises(UntoldError, match=r"lever\.export_dates"):
        Moments().ms(text, utc=True)
    assert Moments("dmy").ms(text, utc=True) != Moments("mdy").ms(text, utc=True)


@pytest.mark.parametrize("text", ["31/02/2021", "soon", "2021-13-01", "25:00", "99/99/2021", "0000-01-01", "1" * 40])
def test_what_is_no_date_is_refused(text: str) -> None:
    """ValueError, not a wrong date."""
    with pytest.raises((ValueError, OverflowError)):
        Moments("dmy", "UTC").ms(text)


def test_cells_with_several_values_are_taken_apart() -> None:
    """As Lever's own template joins them, and as others do."""
    assert listed("a@x.org, b@y.org;c@z.org a@x.org", "emails") == ["a@x.org", "b@y.org", "c@z.org"]
    assert listed("Full-time,Remote , Full-time", "words") == ["Full-time", "Remote"]
    assert listed('["C, C++", "Go"]', "words") == ["C, C++", "Go"]
    assert listed("https://x.org/a,b, www.y.org\nlinkedin.com/in/z", "links") == [
        "https://x.org/a,b", "www.y.org", "linkedin.com/in/z",
    ]  # fmt: skip
    assert listed("+1 555 0100 ext 7; (020) 7946 0000", "phones") == ["+1 555 0100 ext 7", "(020) 7946 0000"]


HEADERS = {
    "candidates": [
        "Profile ID,Candidate Name,Candidate Owner Email,Current Stage,Posting ID,Created At (GMT),Stage - Offer",
        "full_name;EMAIL;Stage;Date Added".replace(";", ","), "Full-Name,Email,Date-Added,Stage,Archive-Reason,Origin",
        "Opportunity ID,First Name,Last Name,Candidate Email Address",
    ],
    "postings": ["Posting ID,Posting Title,Applications,Date Created (GMT),Status,Posting Team,Posting Owner"],
    "users": ["Name,Email,Access Role"],
    "notes": ["Profile ID,Note,Author,Created At (GMT)", "Candidate ID,Comment,IsSecretNote"],
    "feedback": ["Profile ID,Form,Interviewer,Completed At (GMT),Technical skills", "Candidate,Rating,Interviewer"],
    "archive_reasons": ["Archive Reason ID,Archive Reason,Type"],
}  # fmt: skip


@pytest.mark.parametrize("kind", HEADERS)
def test_tables_are_known_by_their_headers(kind: str) -> None:
    """In the spellings that were seen, and in likely ones."""
    for line in HEADERS[kind]:
        found = recognise(line.split(","), "export.csv")
        assert found is not None, line
        assert found.kind == kind, line
    assert recognise(["Ada Byron", "ada@example.org", "Offer"], "candidates.csv") is None


def test_a_table_of_api_objects_is_read_as_objects(tmp_path: Path, store: Store) -> None:
    """Columns named as the API's attributes, cells with JSON: as loading tools write them."""
    item = opportunity(emails=["ada@example.org"], updatedAt=5, isAnonymized=False, tags=["a,b"])
    cells = {name: value if isinstance(value, str) else json.dumps(value) for name, value in item.items()}
    (tmp_path / "export").mkdir()
    table(tmp_path / "export" / "opportunities.csv", list(cells), [cells, cells | {"createdAt": "soon", "id": TWO}])
    body = json.dumps(opportunity(THREE))
    table(tmp_path / "export" / "raw_opportunities.csv", ["_airbyte_ab_id", "_airbyte_data"], [{"_airbyte_data": body}])
    found = came(store, tmp_path / "export")
    assert list(store.all("opportunities")) == [item, opportunity(THREE)]
    assert [line for line, _ in reasons(found)] == [3]


def test_a_profile_with_several_applications_becomes_several_opportunities(tmp_path: Path, store: Store) -> None:
    """The earliest keeps the id, all have one contact, and the order of rows does not matter."""
    rows = [
        person(**{"Posting Title": "Second", "Created At (GMT)": "2022-01-01"}), person(**{"Posting Title": "First"}),
        person(**{"Posting Title": "Second", "Created At (GMT)": "2022-01-01", "Current Stage": "Screen"}),
    ]  # fmt: skip
    found: list[Any] = []
    for name, order in (("one", rows), ("two", rows[::-1])):
        (tmp_path / name).mkdir()
        table(tmp_path / name / "candidates.csv", HEADS, order)
        came(store, tmp_path / name)
        found.append(
            {one["id"]: (one["applications"][0]["posting"], one["contact"]["id"]) for one in store.all("opportunities")}
        )
    assert found[0] == found[1]
    assert len(found[0]) == 2
    assert len({contact for _, contact in found[0].values()}) == 1
    titles = {one["id"]: one["text"] for one in store.all("postings")}
    assert titles[found[0][ONE][0]] == "First"


def test_names_become_objects_with_ids_that_are_always_the_same(tmp_path: Path, store: Store) -> None:
    """A stage, a reason, a user, a posting that an export only names; a list with ids goes before the name."""
    (tmp_path / "export").mkdir()
    more = {"Candidate Owner Name": "Kim Lee", "Candidate Owner Email": "kim@acme.example", "Archive Reason": "Hired",
            "Archived At (GMT)": "2021-05-05"}  # fmt: skip
    table(tmp_path / "export" / "candidates.csv", [*HEADS, *more], [person(**more), person(TWO, **more)])
    table(tmp_path / "export" / "stages.csv", ["Stage ID", "Stage"], [{"Stage ID": "offer", "Stage": "Offer"}])
    found = came(store, tmp_path / "export")
    one = store.get("opportunities", ONE)
    assert one is not None
    assert one["stage"] == "offer"
    assert store.get("archive_reasons", one["archived"]["reason"])["type"] == "hired"  # type: ignore[index]
    assert store.get("users", one["owner"])["email"] == "kim@acme.example"  # type: ignore[index]
    assert one["owner"] == made_id("user", "email", "kim@acme.example")
    assert {name: n for name, n in found.told.made.items() if " " not in name} == {
        "archive_reasons": 1, "users": 1, "contacts": 2, "postings": 1, "opportunities": 0,
    }  # fmt: skip
    assert [store.count(name) for name in ("users", "archive_reasons", "postings", "stages")] == [1, 1, 1, 1]


def test_a_hire_date_tells_which_reason_is_one_of_hires(tmp_path: Path, store: Store) -> None:
    """In whatever order the rows come; a reason without such a date and by another name is none."""
    heads = [*HEADS, "Archive Reason", "Hired"]
    rows = [
        person(ONE, **{"Archive Reason": "Signed!", "Hired": ""}),
        person(TWO, **{"Archive Reason": "Signed!", "Hired": "2021-05-06 07:08:09"}),
        person(THREE, **{"Archive Reason": "Withdrew", "Hired": ""}),
    ]
    for name, order in (("one", rows), ("two", rows[::-1])):
        table(tmp_path / name / "candidates.csv", heads, order)
        came(store, tmp_path / name)
        kinds = {one["text"]: one["type"] for one in store.all("archive_reasons")}
        assert kinds == {"Signed!": "hired", "Withdrew": "non-hired"}
    assert store.get("opportunities", TWO)["archived"]["archivedAt"] == 1_620_284_889_000  # type: ignore[index]


def test_a_title_that_two_postings_bear_is_not_guessed(tmp_path: Path, store: Store) -> None:
    """Without a word on team or place, the candidacy's posting is one of its own, for a person to map."""
    (tmp_path / "export").mkdir()
    postings = [{"Posting ID": ONE, "Posting Title": "Engineer", "Posting Location": "Oslo"},
                {"Posting ID": TWO, "Posting Title": "Engineer", "Posting Location": "Rome"}]  # fmt: skip
    table(tmp_path / "export" / "postings.csv", ["Posting ID", "Posting Title", "Posting Location"], postings)
    heads = [*HEADS, "Posting Location"]
    table(tmp_path / "export" / "candidates.csv", heads, [person(ONE), person(TWO, **{"Posting Location": "Rome"})])
    came(store, tmp_path / "export")
    first, second = (one["applications"][0]["posting"] for one in store.all("opportunities"))
    assert (first in (ONE, TWO), second) == (False, TWO)


def test_notes_and_feedback_of_nobody_and_without_a_date_are_refused(tmp_path: Path, store: Store) -> None:
    """A name is no proof; secrecy that nobody tells waits for a word."""
    (tmp_path / "export").mkdir()
    table(tmp_path / "export" / "candidates.csv", HEADS, [person()])
    notes = [
        {"Profile ID": ONE, "Note": "fine", "Created At (GMT)": "2021-04-01"}, {"Profile ID": TWO, "Note": "of nobody"},
        {"Profile ID": "", "Candidate": "Ada Byron", "Note": "by name"}, {"Profile ID": ONE, "Note": "undated"},
    ]  # fmt: skip
    table(tmp_path / "export" / "notes.csv", ["Profile ID", "Candidate", "Note", "Created At (GMT)"], notes)
    forms = [{"Profile ID": ONE, "Form": "Screen", "Rating": "4 - Strong Hire", "Depth": "deep"}]
    table(tmp_path / "export" / "feedback.csv", ["Profile ID", "Form", "Rating", "Interviewer", "Depth"], forms)
    found = came(store, tmp_path / "export")
    assert [one["fields"][0]["value"] for one in store.all("notes")] == ["fine"]
    assert store.count("feedback") == 0
    assert sorted(reasons(found)) == [
        (2, "no column says when it was submitted"), (3, "no opportunity of this export has the id that it names"),
        (4, "names its candidate by name or address only, which proves nothing"),
        (5, "no column says when it was written"),
    ]  # fmt: skip
    assert "file-in:#:secret" in needs(found)


# ---- what is never read ------------------------------------------------------------------------------------------
def test_answers_on_equal_opportunity_are_never_stored(tmp_path: Path, store: Store) -> None:
    """A table of them is not read at all; a column of them in another table is left out; a list of them neither."""
    (tmp_path / "export").mkdir()
    table(tmp_path / "export" / "eeo.csv", ["Candidate", "Gender", "Race"], [{"Gender": "Canary1", "Race": "Canary2"}])
    table(tmp_path / "export" / "candidates.csv", [*HEADS, "Gender"], [person(Gender="Canary3")])
    dumped(tmp_path / "export", "eeo_responses.json", json.dumps([{"id": ONE, "gender": "Canary4"}]))
    found = came(store, tmp_path / "export")
    assert store.count("opportunities") == 1
    assert needs(found) == ["file-in:eeo-#", "file-in:eeo-#", "file-in:eeo-#"]
    assert [row["taken_as"] for row in found.told.rows()].count("EEO or diversity: never read") == 2
    bodies = json.dumps([list(store.all(stream)) for stream in (*STREAMS, "export_rows")])
    assert re.findall(r"Canary\d", bodies) == []


def test_archives_links_and_devices_are_named_and_left_alone(tmp_path: Path, store: Store) -> None:
    """Nothing is unpacked, nothing outside of the folder is read, no loop is walked."""
    folder = dumped(tmp_path / "export", "opportunities.json", json.dumps([opportunity()]))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "users.json").write_text(json.dumps([{"id": THREE, "name": "Outside"}]))
    (folder / "sub").mkdir()
    (folder / "sub" / "more.zip").write_bytes(b"PK\x03\x04rest")
    (folder / "loop").symlink_to(folder)
    (folder / "users.json").symlink_to(tmp_path / "outside" / "users.json")
    (folder / "away").symlink_to(tmp_path / "outside")
    os.mkfifo(folder / "pipe.json")
    found = came(store, folder)
    assert (store.count("opportunities"), store.count("users")) == (1, 0)
    told = sorted(str(row["finding"]) for row in found.told.needs)
    assert [one.partition(":")[0] for one in told] == ["a link", "a link", "a link", "an archive", "no plain file"]


def test_an_empty_folder_and_empty_files_are_said(tmp_path: Path, store: Store) -> None:
    """Nothing to read is no error, and no success either."""
    (tmp_path / "export" / "deep" / "deeper").mkdir(parents=True)
    for name in ("a.csv", "b.json", "c.jsonl", "deep/.DS_Store"):
        (tmp_path / "export" / name).write_bytes(b"")
    found = came(store, tmp_path / "export")
    assert store.count("opportunities") == 0
    assert {str(row["taken_as"]) for row in found.told.rows()} == {"empty", "left behind by an operating system"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, store: Store) -> None:
    """It waits for somebody's word like any other."""
    folder = dumped(tmp_path / "export", "notes.json", "[]")
    (folder / "notes.json").chmod(0)
    assert needs(came(store, folder)) == ["file-in:#"]


def test_binary_rubbish_under_a_known_name_is_said(tmp_path: Path, store: Store) -> None:
    """Neither text nor JSON: named, not guessed."""
    (tmp_path / "export").mkdir()
    for name in ("candidates.csv", "opportunities.json"):
        (tmp_path / "export" / name).write_bytes(random.Random(3).randbytes(5000) + b"\x81\x8d")
    found = came(store, tmp_path / "export")
    assert store.count("opportunities") == 0
    assert len(found.told.needs) >= 2


# ---- papers ------------------------------------------------------------------------------------------------------
def test_papers_find_their_owner_by_proof_only(tmp_path: Path, store: Store) -> None:
    """By an id in the place, by a column, by Lever's own record; a name that looks right is no proof."""
    folder = tmp_path / "export"
    folder.mkdir()
    rows = [person(ONE, **{"Resume Filename": "Ada_CV.pdf"}), person(TWO), person(THREE)]
    table(folder / "candidates.csv", [*HEADS, "Resume Filename"], rows)
    places = [
        f"resumes/{TWO}/cv.pdf", f"files/{TWO.upper()} - letter.txt", "cvs/Ada_CV.pdf", "cvs/Ada Byron.pdf",
        "readme.txt", f"{ONE}/{TWO}.pdf", f"resumes/{THREE}.pdf", f"resumes/{THREE}/empty.pdf",
    ]  # fmt: skip
    for place in places:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(b"" if "empty" in place else b"%PDF-1.4 " + place.encode())
    found = came(store, folder)
    stored = sorted((row.stream, row.opportunity_id, row.name, row.media_type) for row in store.files())
    pdf, none = "application/pdf", "application/octet-stream"
    assert stored == [
        ("files", TWO, f"{TWO.upper()} - letter.txt", pdf), ("resumes", ONE, "Ada_CV.pdf", pdf),
        ("resumes", TWO, "cv.pdf", pdf), ("resumes", THREE, f"{THREE}.pdf", pdf), ("resumes", THREE, "empty.pdf", none),
    ]  # fmt: skip
    assert needs(found) == ["file-in:nobody-#-1"] * 3
    assert {str(row["files"]) for row in found.told.needs} == {"cvs/*.pdf", "*.txt", "{id}/{id}.pdf"}
    assert sorted(place for _, place, taken in found.told.places if taken == "a file of nobody") == [
        f"{ONE}/{TWO}.pdf", "cvs/Ada Byron.pdf", "readme.txt",
    ]  # fmt: skip


def test_hostile_names_never_leave_the_store(tmp_path: Path, store: Store) -> None:
    """Bytes are kept by their hash; the name is data. Names that differ by case only are two files."""
    folder = dumped(tmp_path / "export", "opportunities.json", json.dumps([opportunity()]))
    names = ["..%2f..%2fetc%2fpasswd", "CON", "a\nb.pdf", "=cmd.pdf", "\u202egnp.exe", "CV.pdf", "cv.pdf", "x" * 240]
    own = folder / "resumes" / ONE
    own.mkdir(parents=True)
    for number, name in enumerate(names):
        (own / name).write_bytes(f"bytes {number}".encode())
    (own / os.fsdecode(b"\xff\xfe.pdf")).write_bytes(b"no text")
    found = came(store, folder)
    rows = list(store.files())
    assert {row.state for row in rows} == {"stored"}
    assert len({row.sha256 for row in rows}) == len(names) + 1
    kept = {path.name for path in (store.folder / "files").iterdir()}
    assert kept == {row.sha256 for row in rows}
    assert all(path.stat().st_mode & 0o077 == 0 for path in (store.folder / "files").iterdir())
    assert needs(found) == []


def test_a_large_file_is_copied_whole(tmp_path: Path, store: Store) -> None:
    """Thirty megabytes, and a second run copies nothing anew."""
    folder = dumped(tmp_path / "export", "opportunities.json", json.dumps([opportunity()]))
    own = folder / "files" / ONE
    own.mkdir(parents=True)
    (own / "portfolio.pdf").write_bytes(random.Random(5).randbytes(30_000_000))
    assert came(store, folder).files == {"stored": 1}
    assert came(store, folder).files == {}
    (row,) = store.files()
    assert (row.size, store.file_path(str(row.sha256)).stat().st_size) == (30_000_000, 30_000_000)


def test_records_without_bytes_are_said_once_and_looked_for_again(tmp_path: Path, store: Store) -> None:
    """A record of a file whose bytes are not in the export is a loss that is named, until a later export has them."""
    record = {"id": TWO, "createdAt": 1, "file": {"name": "cv.pdf", "ext": "pdf", "size": 4}}
    folder = dumped(tmp_path / "export", "opportunities.json", json.dumps([opportunity(resumes=[record])]))
    assert needs(came(store, folder)) == ["file-in:no-bytes-1"]
    dumped(folder, f"assets/{ONE}/resumes/cv.pdf", "four")
    found = came(store, folder)
    assert (needs(found), found.files) == ([], {"stored": 1})
    (row,) = store.files()
    assert (row.lever_id, row.state, row.size) == (TWO, "stored", 4)


# ---- privacy and leftovers ---------------------------------------------------------------------------------------
def test_nothing_of_a_person_stands_in_what_is_told(
    tmp_path: Path, keyless: Path, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    """Tables, findings, gates and logs name files by ids and patterns; places stand in one private file."""
    folder = tmp_path / "export"
    folder.mkdir()
    heads = ["Profile ID", "Candidate Name", "Current Stage", "Created At (GMT)"]
    row = {"Profile ID": ONE, "Candidate Name": "Canary Name", "Current Stage": "Offer"}
    rows = [row | {"Created At (GMT)": "Canary date"}, row | {"Profile ID": TWO, "Created At (GMT)": "2021-01-01"}]
    table(folder / "Canary Byron export.csv", heads, rows)
    table(folder / "headless.csv", ["Canary Byron", "canary@example.org"], [])
    (folder / "Canary Byron.pdf").write_bytes(b"%PDF")
    from_files(keyless, sandbox, folder)
    book = opened()
    result = steps.audit(book)
    with pytest.raises(GateError) as caught:
        steps.extract(book)
    told = [result.findings.to_csv(), result.came.to_csv(), str(caught.value), (book.folder / "log.jsonl").read_text()]
    told += [
        json.dumps(book.store.results("extract", name)) for name in ("export_needs", "export_refused", "export_made")
    ]
    assert [one for one in told if "anary" in one] == []
    private = book.folder / "export-files.csv"
    assert "Canary Byron.pdf" in private.read_text()
    assert private.stat().st_mode & 0o777 == 0o600


def test_the_scratch_is_gone_afterwards_and_a_dead_one_is_cleared(tmp_path: Path, store: Store) -> None:
    """It holds people's data, so it must not outlive the reading, whatever ends it."""
    (store.folder / ".export-99999.db").write_bytes(b"left by a run that was killed")
    folder = dumped(tmp_path / "export", "opportunities.json", json.dumps([opportunity()]))
    with pytest.raises(RuntimeError):
        came(store, folder, check_account=_fail)
    assert list(store.folder.glob(".export-*")) == []
    assert store.count("opportunities") == 0


def _fail(ids: list[str]) -> None:
    raise RuntimeError("another account")


def test_places_are_shown_without_names() -> None:
    """Ids, numbers and known words stay; everything that may be a name does not."""
    assert label(f"opportunities/{ONE}/notes.json") == "opportunities/{id}/notes.json"
    assert label("Ada Byron/resume.pdf") == "*/resume.pdf"
    assert label("candidates.presence.latest (2).csv") == "candidates.presence.latest _#_.csv"
    assert label("résumés/Zoë_Müller-CV.docx") == "*/*-CV.docx"


def test_streams_are_known_by_file_and_folder_names() -> None:
    """In the spellings of crawlers and loading tools."""
    known = {
        "opportunities.json": "opportunities", "lever-export.json": "opportunities",
        "archiveReasons.json": "archive_reasons",
        f"opportunities/{ONE}/feedback.json": "feedback", f"{ONE}/notes/{TWO}.json": "notes",
        "users-page-12.json": "users",
        "raw/postings/0001.jsonl": "postings", "misc/data.json": "", "eeo_responses.json": "never",
        "2024-01-02_form_templates.json": "form_templates",
    }  # fmt: skip
    assert {name: stream_of(name) for name in known} == known


def test_the_pages_name_every_kind_of_table() -> None:
    """docs/export-files.md tells each kind, and the settings."""
    page = (Path(__file__).parents[1] / "docs" / "export-files.md").read_text()
    for kind in (*HEADERS, "stages", "interviews", "manifest"):
        assert f"`{kind}`" in page
    for name in ("export_folder", "export_dates", "export_time_zone", "export_encoding"):
        assert f"`lever.{name}`" in page


def test_the_table_of_places_can_be_opened_in_a_spreadsheet(
    tmp_path: Path, keyless: Path, sandbox: Sandbox, opened: Callable[[], Workbook]
) -> None:
    """A file named like a formula is text there."""
    folder = dumped(tmp_path / "export", "opportunities.json", json.dumps([opportunity()]))
    (folder / "=HYPERLINK(1).pdf").write_bytes(b"%PDF")
    from_files(keyless, sandbox, folder)
    book = opened()
    steps.audit(book)
    with (book.folder / "export-files.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@"))] == []
    assert "'=HYPERLINK(1).pdf" in cells

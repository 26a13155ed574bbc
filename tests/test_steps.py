"""The steps as a whole: the move ends right, and every gate stops what must not go on."""

from __future__ import annotations

import contextlib
import csv
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import reconcile
from conftest import Sandbox, decide, environment, move, prepare, running_sandbox, write_customer

from lib import steps
from lib.decisions import DecisionTable
from lib.errors import ConfigError, GateError
from lib.store.ledger import Ledger
from lib.workbook import Workbook


def put(book: Workbook, table: str, **cells: str) -> None:
    """Append one row to a decision table."""
    path = book.params_folder / f"{table}.csv"
    is_new = not path.is_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(cells))
        if is_new:
            writer.writeheader()
        writer.writerow(cells)


def rewrite(book: Workbook, table: str, verdicts: dict[str, str]) -> None:
    """Other verdicts by row id."""
    path = book.params_folder / f"{table}.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["verdict"] = verdicts.get(row["id"], row["verdict"])
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def first_ids(book: Workbook, table: str, n: int) -> list[str]:
    return [row["id"] for row in book.table(table).rows if row["n_records"] != "0"][:n]


# ---- the whole move ----------------------------------------------------------------------------------------------
def test_the_whole_move_is_exact_and_validates(book: Workbook, sandbox: Sandbox) -> None:
    result = move(book, sandbox)
    assert (len(result.refused), len(result.parked), len(result.conflicts)) == (0, 0, 0)
    assert {kind: found for kind, found in reconcile.problems(sandbox.truth, sandbox.state).items() if found} == {}
    calls = sandbox.ask("GET", "/calls")
    assert (calls["notified"], sandbox.rejected_bodies, calls["unknown_paths"]) == (0, [], [])
    proof = steps.validate(book)
    assert proof.ok, proof.differences
    crosswalk = (book.folder / "crosswalk.csv").read_text().splitlines()
    rows = {tuple(line.split(",")[:2]) for line in crosswalk[1:]}
    loaded = [one for one in sandbox.truth["people"] if one["expected"] == "load"]
    assert {("contact", contact) for one in loaded for contact in one["contacts"]} <= rows


def test_a_new_plan_after_the_load_is_the_same_plan(mapped: Workbook, sandbox: Sandbox) -> None:
    """What was loaded does not come back as something that existed before."""
    before = Ledger(mapped.store).plan_hash()
    steps.load(mapped, execute=True)
    steps.extract(mapped)
    decide(mapped, sandbox)
    assert steps.map(mapped).plan_hash == before
    assert steps.load(mapped, execute=True).n_writes == 0


def test_a_move_may_stop_between_any_two_steps(home: Path, sandbox: Sandbox, opened: Callable[[], Workbook]) -> None:
    """Each step in a book of its own, some of them twice."""
    plan = (steps.audit, steps.audit, steps.extract, lambda book: decide(book, sandbox), steps.map, steps.map, load_all)
    for step in plan:
        book = opened()
        step(book)
        book.close()
    assert not any(reconcile.problems(sandbox.truth, sandbox.state).values())


def load_all(book: Workbook) -> None:
    steps.load(book, execute=True)


# ---- gates -------------------------------------------------------------------------------------------------------
def test_steps_in_the_wrong_order_say_which_one_lacks(book: Workbook) -> None:
    for step, lacking in (
        (steps.extract, "01_audit"),
        (steps.map, "02_extract"),
        (steps.load, "04_map"),
        (steps.validate, "04_map"),
    ):
        with pytest.raises(GateError, match=lacking):
            step(book)


def test_a_critical_finding_stops_until_somebody_accepts_it(book: Workbook, sandbox: Sandbox) -> None:
    sandbox.switch(key_without="jobsWrite,candidatesWrite")
    steps.audit(book)
    with pytest.raises(GateError, match=r"2 critical findings.*permission:ashby:candidatesWrite") as caught:
        steps.extract(book)
    assert caught.value.exit_code == 3
    put(book, "overrides", id="permission:ashby:candidatesWrite", verdict="accepted", who="kim", when="", why="")
    with pytest.raises(GateError, match="2 critical findings"):  # nobody says why
        steps.extract(book)
    put(book, "overrides", id="permission:ashby:jobsWrite", verdict="accepted", who="kim", when="now", why="later")
    with pytest.raises(GateError, match=r"1 critical findings.*candidatesWrite"):
        steps.extract(book)
    sandbox.switch(key_without="")
    steps.audit(book)
    assert steps.extract(book).calls > 0


def test_an_api_version_that_nobody_knows_stops_until_somebody_accepts_it(mapped: Workbook, sandbox: Sandbox) -> None:
    """The audit names it, and a load that meets it for the first time writes nothing."""
    sandbox.switch(api_version="2031-01-01")
    with pytest.raises(GateError, match=r"2031-01-01.*knows 2026-01-01"):
        steps.load(mapped, execute=True)
    assert sandbox.ask("GET", "/calls")["writes"] == 0
    steps.audit(mapped)
    with pytest.raises(GateError, match=r"1 critical findings.*api-version:2031-01-01"):
        steps.extract(mapped)
    put(mapped, "overrides", id="api-version:2031-01-01", who="kim", when="now", why="read its changelog")
    assert steps.load(mapped, execute=True).n_writes > 0


def test_an_api_version_that_will_be_taken_away_is_told(book: Workbook, sandbox: Sandbox) -> None:
    sandbox.switch(api_version_status="deprecated")
    found = steps.audit(book).findings.set_index("id")
    assert found.loc["api-version", "severity"] == "warning"
    assert "2026-01-01 deprecated" in found.loc["api-version", "finding"]


def test_pairs_without_or_with_wrong_verdicts_stop_the_plan(book: Workbook, sandbox: Sandbox) -> None:
    prepare(book, sandbox)
    put(book, "people", **(book.table("people").rows[0] | {"id": "one|another", "verdict": ""}))
    pair = first_ids(book, "people", 1)[0]
    rewrite(book, "people", {pair: "perhaps"})
    with pytest.raises(GateError) as caught:
        steps.map(book)
    assert "people.csv:2: 'perhaps'" in str(caught.value)
    assert "people.csv:3: no verdict" in str(caught.value)


def test_a_pair_that_somebody_wrote_the_other_way_round_is_that_pair(book: Workbook, sandbox: Sandbox) -> None:
    """`b|a` holds the verdict of `a|b`: the row stays one, and nobody is asked again."""
    prepare(book, sandbox)
    table = book.table("people")
    pair = next(row for row in table.rows if row["verdict"] and row["n_records"] != "0")
    turned = "|".join(reversed(pair["id"].split("|")))
    rows = [row | {"id": turned} if row["id"] == pair["id"] else row for row in table.rows]
    DecisionTable("people", table.path, rows, table.columns).write()
    steps.dedupe(book)
    found = {row["id"]: row["verdict"] for row in book.table("people").rows}
    assert found[pair["id"]] == pair["verdict"]
    assert turned not in found
    steps.people_gate(book)


def test_who_was_told_apart_from_somebody_in_ashby_stays_so_after_the_load(book: Workbook, sandbox: Sandbox) -> None:
    """An agency's mailbox in Ashby: 03_dedupe runs again after the load, and the validation asks no question."""
    somebody = {"name": "Xaver Quillfeather", "email": "jobs@talentbridge.example"}
    sandbox.ashby("candidate.create", somebody)
    move(book, sandbox)
    for _ in range(2):
        told = {(row["a"], row["b"]) for row in book.store.results("dedupe", "apart") if row["kind"] == "ashby"}
        assert len(told) == 6
        assert "the same person twice" not in steps.validate(book).differences.to_csv()
        steps.dedupe(book)


def test_a_decided_pair_says_after_the_load_what_it_said_when_it_was_decided(book: Workbook, sandbox: Sandbox) -> None:
    """The load's own candidates are no new evidence; a confidence that somebody typed over is judged anew."""
    move(book, sandbox)
    before = [row for row in book.table("people").rows if (row["label"], row["verdict"]) == ("ashby", "different")]
    assert before
    steps.dedupe(book)
    after = {row["id"]: row for row in book.table("people").rows}
    assert [after[row["id"]] for row in before] == before
    file = book.table("people").path
    file.write_text(file.read_text("utf-8").replace(f",{before[0]['confidence']},", ",surely,"), "utf-8")
    steps.dedupe(book)
    assert "surely" not in file.read_text("utf-8")


@pytest.mark.parametrize("stand_in", ["", "former.colleague@ashby.example"])
def test_what_nobody_is_credited_for_is_listed_after_the_load(book: Workbook, sandbox: Sandbox, stand_in: str) -> None:
    """By ids alone; no feedback ever names the owner of the key as its author."""
    policy = book.params.policy.model_copy(update={"placeholder_user": stand_in})
    book = replace(book, params=book.params.model_copy(update={"policy": policy}))
    move(book, sandbox)
    authors = Counter(one["submittedByUser"]["email"] for a in sandbox.state["applications"] for one in a["feedback"])
    assert authors.total() > authors["former.colleague@ashby.example"] >= bool(stand_in)
    assert authors["integration@ashby.example"] == 0
    with (book.folder / "reports" / "reassign.csv").open() as file:
        rows = list(csv.DictReader(file))
    what = Counter(row["what"] for row in rows)
    assert what["credit of the application"] > 0
    assert bool(what["author of the feedback"]) == bool(stand_in)
    known = {user["id"] for user in book.store.all("users")}
    assert all(row["lever_user"] in known and row["ashby_id"] for row in rows)
    alone = {row["lever_id"] for row in rows if not row["ashby_application"]}
    assert alone == {row["lever_id"] for row in rows if row["what"] == "credit of the candidate"}
    plan = list(Ledger(book.store).rows())
    with_application = {row.person for row in plan if row.kind == "application.create"}
    credited = {row.person for row in plan if row.kind == "candidate.create" and "creditedToUserId" in row.body}
    made = {row.person for row in plan if row.kind == "candidate.create"}
    assert alone <= made - with_application - credited


def test_somebody_without_an_application_is_credited_by_hand_too(book: Workbook, sandbox: Sandbox) -> None:
    """The candidate itself would carry the credit; with nobody mapped to a user, each such person is listed once."""
    prepare(book, sandbox)
    rewrite(book, "users", {row["id"]: "none" for row in book.table("users").rows})
    steps.map(book)
    steps.load(book, execute=True)
    with (book.folder / "reports" / "reassign.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["what"] == "credit of the candidate"]
    plan = list(Ledger(book.store).rows())
    bare = {row.person for row in plan if row.kind == "candidate.create"}
    bare -= {row.person for row in plan if row.kind == "application.create"}
    assert 0 < len(rows) == len({row["lever_id"] for row in rows})
    assert {row["lever_id"] for row in rows} <= bare
    people = {one["id"] for one in sandbox.state["candidates"]}
    assert all(row["ashby_id"] in people and not row["ashby_application"] for row in rows)
    file = book.folder / "reports" / "reassign.csv"
    before, text = file.stat().st_mtime_ns, file.read_text()
    steps.load(book, execute=True)
    assert file.stat().st_mtime_ns == before  # nothing was written: it is as it was
    file.unlink()
    steps.load(book, execute=True)
    assert file.read_text() == text


def _left_by_another_rule(book: Workbook) -> set[str]:
    """Opportunities that stay for another reason than the scope."""
    rules = [row for row in book.store.results("map", "losses") if row["field"] == "(opportunity)"]
    others = [row for row in rules if row["reason"] != "out of scope: departments"]
    return {one for row in others for one in row["ids"]}


def test_one_department_moves_alone_and_everything_else_is_accounted_for(book: Workbook, sandbox: Sandbox) -> None:
    """Postings outside need no job and no verdict; the validation accounts for all of Lever."""
    steps.audit(book)
    steps.extract(book)
    categories = {one["id"]: one.get("categories") or {} for one in book.store.all("postings")}
    used = Counter(
        categories.get(posting, {}).get("department")
        for one in book.store.all("opportunities")
        for posting in [((one.get("applications") or [{}])[0] or {}).get("posting")]
    )
    [department] = [name for name, _ in used.most_common() if name][:1]
    scope = book.params.policy.scope.model_copy(update={"departments": [department.upper()]})
    book.params = book.params.model_copy(update={"policy": book.params.policy.model_copy(update={"scope": scope})})
    inside = {one["id"] for one in book.store.all("postings") if department in (one["categories"] or {}).values()}
    decide(book, sandbox)
    table = book.table("postings")
    needed = {row["id"] for row in table.rows if row["n_records"] != "0"}
    assert 0 < len(needed) < len(table.rows)
    assert needed <= inside
    replace(table, rows=[row if row["id"] in needed else row | {"verdict": ""} for row in table.rows]).write()
    steps.map(book)
    assert steps.load(book, execute=True).refused.empty
    result = steps.validate(book)
    assert result.ok, result.differences
    kinds = Counter(row.kind for row in Ledger(book.store).rows())
    assert kinds["job.create"] <= len(needed)
    outside = {
        one["id"]
        for one in book.store.all("opportunities")
        if ((one.get("applications") or [{}])[0] or {}).get("posting") not in inside
    }
    [loss] = [row for row in book.store.results("map", "losses") if row["reason"] == "out of scope: departments"]
    gone = {one["id"] for one in book.store.all("opportunities_deleted")}
    erased = _left_by_another_rule(book)
    assert set(loss["ids"]) == outside - gone - erased
    moved = {row.lever_id for row in Ledger(book.store).rows() if row.lever_type == "opportunity"}
    assert not moved & outside
    assert 0 < kinds["application.create"] < book.store.count("opportunities")


def test_the_plan_is_looked_at_by_person_and_by_endpoint(book: Workbook, sandbox: Sandbox) -> None:
    prepare(book, sandbox)
    steps.map(book)
    ledger = Ledger(book.store)
    most = steps.plan_rows(book, limit=10_000)
    sizes = Counter(row.person for row in ledger.rows() if row.person)
    assert set(most["person"]) == {min(sizes, key=lambda one: (-sizes[one], one))}
    assert set(most["state"]) == {"planned"}
    person = next(one for one in book.store.people() if one.get("email"))
    row = next(row for row in ledger.rows(person["person"]) if row.kind == "candidate.create")
    opportunity = next(row.lever_id for row in ledger.rows(person["person"]) if row.kind == "application.create")
    for who in (person["email"].upper(), person["person"], opportunity):
        found = steps.plan_rows(book, who=who, endpoint="candidate.create")
        assert set(found["person"]) == {person["person"]}
        values = dict(zip(found["member"], found["value"], strict=True))
        assert values["email"] == row.body["email"]
    cut = steps.plan_rows(book, endpoint="candidateTag.create", limit=2)
    tags, last = cut[:-1], cut.iloc[-1]
    assert (set(tags["person"]), len(set(tags["record"]))) == ({"(set-up)"}, 2)
    assert "only the first 2 calls are shown" in last["member"]
    assert any(value.startswith("(id of candidate:") for value in most["value"])
    assert steps.plan_rows(book, who="nobody is called so").empty


def test_people_csv_changed_after_dedupe(book: Workbook, sandbox: Sandbox) -> None:
    prepare(book, sandbox)
    pair = next(row for row in book.table("people").rows if row["verdict"] == "different")
    rewrite(book, "people", {pair["id"]: "same"})
    with pytest.raises(GateError, match=r"people\.csv:1: its verdicts have changed since 03_dedupe"):
        steps.map(book)


def test_pairs_that_wait_are_told_with_all_other_open_decisions(book: Workbook, sandbox: Sandbox) -> None:
    """One round for the analyst, and not one for the people and another one for the rest."""
    prepare(book, sandbox)
    pair = next(row for row in book.table("people").rows if row["verdict"])
    rewrite(book, "people", {pair["id"]: ""})
    [source] = first_ids(book, "sources", 1)
    rewrite(book, "sources", {source: ""})
    with pytest.raises(GateError) as caught:
        steps.map(book)
    told = str(caught.value)
    assert re.search(r"people\.csv:\d+: no verdict", told)
    assert re.search(r"sources\.csv:\d+: no verdict, and \d+ records depend on it", told)
    assert "workbook run acme --from dedupe --to map" in told


def test_files_that_cannot_be_read_are_told_all_at_once(book: Workbook, sandbox: Sandbox) -> None:
    prepare(book, sandbox)
    (book.params_folder / "tags.csv").write_bytes("id,verdict\na\xff".encode("latin-1"))
    (book.params_folder / "sources.csv").write_text("id,label\na,b\n")
    (book.params_folder / "stages.csv").write_text("id,verdict\na,b\na,b\n")
    with pytest.raises(ConfigError) as caught:
        steps.map(book)
    told = str(caught.value)
    assert all(where in told for where in ("sources.csv:1: ", "stages.csv:3: ", "tags.csv:2: ")), told
    assert "CSV UTF-8" in told


def test_wrong_verdicts_are_told_all_at_once(book: Workbook, sandbox: Sandbox) -> None:
    prepare(book, sandbox)
    wrong = {
        table: first_ids(book, table, 2) for table in ("stages", "sources", "archive_reasons", "users", "postings")
    }
    for table, ids in wrong.items():
        rewrite(book, table, {ids[0]: "no such thing", ids[1]: ""})
    with pytest.raises(GateError) as caught:
        steps.map(book)
    told = str(caught.value)
    for table, ids in wrong.items():
        lines = {row["id"]: line for line, row in enumerate(book.table(table).rows, 2)}
        for lever_id in ids:
            assert f"params/acme/{table}.csv:{lines[lever_id]}" in told
    assert told.count("no such thing") == len(wrong)
    assert not Ledger(book.store).plan_hash()


def test_another_organization_is_refused(mapped: Workbook, sandbox: Sandbox, opened: Callable[[], Workbook]) -> None:
    """The keys of somebody else: neither is read from nor written to."""
    home = mapped.folder.parents[1]
    mapped.close()
    with running_sandbox(people=5, seed=12) as other:
        write_customer(home, other)
        with environment(home, other):
            book = opened()
            for step, side in (
                (steps.audit, "Lever"),
                (steps.extract, "Lever"),
                (steps.map, "Ashby"),
                (load_all, "Ashby"),
            ):
                with pytest.raises(GateError, match=f"The {side} account that answers is not the one"):
                    step(book)
            assert other.ask("GET", "/calls")["writes"] == 0


def test_a_plan_of_nobody_loads_nothing(book: Workbook) -> None:
    with pytest.raises(GateError, match="no plan"):
        steps.load(book, execute=True)


def test_a_file_that_could_not_be_fetched_stops_the_plan_until_it_is_there_or_accepted(mapped) -> None:
    store = mapped.store
    row = next(one for one in store.files() if one.state == "stored")
    with store.begin() as tx:
        store.put_file(tx, replace(row, state="failed", reason="no answer (503)"))
    with pytest.raises(GateError, match=row.lever_id):
        steps.map(mapped)
    (mapped.params_folder / "overrides.csv").write_text(
        f"id,who,when,why\nfile:{row.lever_id},Ada,2026-01-01,not needed\n", "utf-8"
    )
    steps.files_gate(mapped)


def test_a_write_that_an_earlier_run_did_not_live_to_record_is_not_taken_for_a_stranger(
    mapped, sandbox: Sandbox
) -> None:
    """Killed between Ashby's answer and our record, then begun again from dedupe: found, and the plan stays."""
    before = Ledger(mapped.store).plan_hash()
    left = iter([row.row_id for row in Ledger(mapped.store).rows() if row.kind == "candidate.create"][3:9])
    dies_at = set(left)

    def die(moment: str, row) -> None:
        if moment == "answered" and row.row_id in dies_at:
            raise DeathError(row.row_id)

    for _ in range(8):
        with contextlib.suppress(DeathError):
            steps.load(mapped, execute=True, fail_at=die)
        open_rows = [row.row_id for row, _ in Ledger(mapped.store).entries("intended", "unknown")]
        if open_rows:
            break
    assert open_rows
    steps.dedupe(mapped)
    assert list(Ledger(mapped.store).entries("intended", "unknown")) == []
    assert steps.map(mapped).plan_hash == before
    steps.load(mapped, execute=True)
    assert {kind: found for kind, found in reconcile.problems(sandbox.truth, sandbox.state).items() if found} == {}


def test_a_plan_cannot_drop_a_write_whose_outcome_is_not_known(mapped) -> None:
    ledger = Ledger(mapped.store)
    rows = list(ledger.rows())
    victim = next(row for row in rows if row.kind == "candidate.create")
    ledger.intend(victim)
    with pytest.raises(GateError, match=re.escape(victim.row_id)):
        ledger.put_plan([row for row in rows if row.row_id != victim.row_id], plan_hash="other")
    assert ledger.plan_hash() != "other"
    assert len(list(ledger.rows())) == len(rows)


HOSTILE = {
    "duplicate_applications": "refused", "repeat_tag": "double", "search_delay_ms": "400", "retry_after": "absent",
    "note_max_chars": "25000", "field_titles": "unique", "search_name": "words", "null_field_values": "refuse",
}  # fmt: skip


def test_the_move_is_exact_when_every_open_question_has_the_unkind_answer(book, sandbox: Sandbox) -> None:
    sandbox.switch(**HOSTILE)
    move(book, sandbox)
    assert {kind: found for kind, found in reconcile.problems(sandbox.truth, sandbox.state).items() if found} == {}


class DeathError(Exception):
    """The process ends here."""

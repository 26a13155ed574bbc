"""Exactly once: whatever is lost, refused, doubled or killed, the end state is that of a quiet run."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import reconcile
from conftest import CUSTOMER, Sandbox, environment, killed, write_customer
from picture import picture

from lib import contract, steps, workbook
from lib.errors import FatalError, StoreError, UnauthorizedError
from lib.load import chain as chains
from lib.store.ledger import Ledger, Planned
from lib.workbook import Workbook

THOROUGH = bool(os.environ.get("WORKBOOK_THOROUGH"))
WRITES = {name: about["effect"] for name, about in contract.ashby_endpoints().items() if about["effect"] != "read"}
APPEND = sorted(name for name, effect in WRITES.items() if effect == "append")
SETTING = sorted(name for name, effect in WRITES.items() if effect != "append")
MOMENTS = ("before intend", "intended", "answered", "settled")
REFUSED = (
    '{"success": false, "errors": ["no"], "errorInfo": {"code": "invalid_input", "message": "no", "requestId": "R"}}'
)


class DiedError(Exception):
    """The end of the process, as the seams play it."""


@pytest.fixture(scope="session")
def quiet(mapped_home: Path, sandbox_process: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a quiet run leaves in Ashby."""
    folder = tmp_path_factory.mktemp("quiet") / "home"
    shutil.copytree(mapped_home, folder)
    sandbox_process.reset()
    with environment(folder, sandbox_process):
        book = workbook.open_customer(CUSTOMER)
        steps.load(book, execute=True)
        book.close()
    state = sandbox_process.state
    assert not any(reconcile.problems(sandbox_process.truth, state).values())
    return picture(state)


def states(book: Workbook) -> set[str]:
    return {state for _, state, _ in Ledger(book.store).counts()}


def in_state(book: Workbook, *names: str) -> list[Planned]:
    return [row for row, _ in Ledger(book.store).entries(*names)]


def finished(book: Workbook, sandbox: Sandbox, quiet: list[str], *, rejected: int = 0) -> None:
    """Everything is done, once, and stands as after a quiet run; `rejected`: bodies that Ashby may have refused."""
    assert states(book) == {"done"}
    state = sandbox.state
    assert {kind: found for kind, found in reconcile.problems(sandbox.truth, state).items() if found} == {}
    assert picture(state) == quiet
    assert len(sandbox.ask("GET", "/calls")["rejected_bodies"]) <= rejected


def change(book: Workbook, edit: Callable[[Planned], dict[str, Any] | None]) -> list[str]:
    """The plan with other bodies, as a later mapping would make it; returns the row ids that `edit` changed."""
    ledger, rows, changed = Ledger(book.store), [], []
    for row in ledger.rows():
        body = edit(row)
        if body is not None:
            changed.append(row.row_id)
        other = {} if body is None else {"body": body, "body_hash": f"{random.getrandbits(256):064x}"}
        rows.append(dataclasses.replace(row, **other))
    with book.writing("map"):
        ledger.put_plan(rows, plan_hash="changed")
    return changed


def die_at(moment: str, kind: str, *, skip: int = 0) -> Callable[[str, Planned], None]:
    """A seam that dies at the first such moment (after `skip`)."""
    left = [skip]

    def seam(at: str, row: Planned) -> None:
        if at == moment and row.kind == kind:
            if not left[0]:
                raise DiedError(moment)
            left[0] -= 1

    return seam


def alone(book: Workbook, sandbox: Sandbox, opened: Callable[[], Workbook], **ashby: Any) -> Workbook:
    """The same customer with other settings (one worker unless told)."""
    write_customer(Path(os.environ["WORKBOOK_HOME"]), sandbox, ashby={"workers": 1, **ashby})
    book.close()
    return opened()


# ---- quiet runs ------------------------------------------------------------------------------------------------
def test_second_load_writes_nothing(mapped: Workbook, sandbox: Sandbox, quiet: list[str]) -> None:
    steps.load(mapped, execute=True)
    finished(mapped, sandbox, quiet)
    before = sandbox.state["writes"]
    again = steps.load(mapped, execute=True)
    assert (again.n_writes, sandbox.state["writes"]) == (0, before)
    assert again.n_calls == 0


def test_dry_run_makes_no_call(mapped: Workbook, sandbox: Sandbox) -> None:
    result = steps.load(mapped)
    assert not result.executed
    assert result.n_writes == 0
    assert result.n_calls > 0
    assert sandbox.ask("GET", "/calls")["total"] == 0


def test_sample_is_adopted_by_the_full_run(mapped: Workbook, sandbox: Sandbox, quiet: list[str]) -> None:
    first = steps.load(mapped, execute=True, sample=5)
    made = len(sandbox.state["candidates"]) - len(sandbox.state["preexisting"]["candidates"])
    assert 1 <= made <= 5
    second = steps.load(mapped, execute=True)
    finished(mapped, sandbox, quiet)
    rows = [row for row in Ledger(mapped.store).rows() if row.kind != "link"]
    assert first.n_writes + second.n_writes == len(rows)


# ---- lost answers ----------------------------------------------------------------------------------------------
def test_every_answer_lost_makes_no_double(mapped: Workbook, sandbox: Sandbox, quiet: list[str]) -> None:
    """Each append is applied and its answer never arrives, in one of four ways; so are some other writes."""
    ways = [("html", 4), ("no_success", 3), ("reset_after", 2), ("truncate", 1)]
    rows = [{"api": "ashby", "endpoint": name, "effect": effect, "every": n} for name in APPEND for effect, n in ways]
    rows += [{"api": "ashby", "endpoint": name, "effect": ways[n][0], "every": 5} for n, name in enumerate(SETTING[:4])]
    rows += [{"api": "ashby", "endpoint": name, "effect": ways[n][0], "every": 5} for n, name in enumerate(SETTING[4:])]
    sandbox.faults(*(row | ({"apply": True} if row["effect"] == "html" else {}) for row in rows))
    steps.load(mapped, execute=True)
    planned = {row.kind for row in Ledger(mapped.store).rows()}
    struck = {(one["endpoint"], one["effect"]) for one in sandbox.ask("GET", "/faults") if one["struck"]}
    assert {(name, effect) for name in APPEND if name in planned for effect, _ in ways} <= struck
    finished(mapped, sandbox, quiet)


def test_what_never_happened_is_sent_again(mapped: Workbook, sandbox: Sandbox, quiet: list[str]) -> None:
    effects = ("reset_before", "html", "status")
    sandbox.faults(
        *({"api": "ashby", "endpoint": name, "times": 1, "effect": effect} for name in WRITES for effect in effects),
        {"api": "storage", "every": 5, "effect": "status", "status": 503},
        {"api": "storage", "every": 7, "effect": "reset_after"},
        {"api": "ashby", "endpoint": "file.createFileUploadHandle", "every": 4, "effect": "reset_after"},
    )
    steps.load(mapped, execute=True)
    assert sandbox.struck() >= 60
    finished(mapped, sandbox, quiet)


def test_success_without_an_id_is_no_success(mapped: Workbook, sandbox: Sandbox, quiet: list[str]) -> None:
    body = '{"success": true, "results": {}}'
    kinds = ("candidate.create", "application.create", "job.create", "candidateTag.create", "customField.create")
    sandbox.faults(
        *(
            {"api": "ashby", "endpoint": name, "nth": 1, "effect": "status", "status": 200, "body": body}
            for name in kinds
        )
    )
    steps.load(mapped, execute=True)
    assert sandbox.struck() == len(kinds)
    finished(mapped, sandbox, quiet)


def test_look_up_finds_what_the_search_does_not_show_yet(
    mapped: Workbook, sandbox: Sandbox, quiet: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index lags, and this machine's clock is a day ahead: the list of all candidates still tells."""
    sandbox.switch(search_delay_ms="3600000")
    sandbox.faults({"api": "ashby", "endpoint": "candidate.create", "every": 4, "effect": "reset_after"})
    now_ms = chains.now_ms
    monkeypatch.setattr(chains, "now_ms", lambda: now_ms() + 86_400_000)
    monkeypatch.setattr("lib.store.ledger.now_ms", lambda: now_ms() + 86_400_000)
    steps.load(mapped, execute=True)
    finished(mapped, sandbox, quiet, rejected=sandbox.struck())


def test_jobs_that_look_alike_stay_two(mapped: Workbook, sandbox: Sandbox) -> None:
    jobs = [row for row in Ledger(mapped.store).rows() if row.kind == "job.create"][:6]
    ids = {row.row_id for row in jobs}
    change(mapped, lambda row: jobs[0].body if row.row_id in ids else None)
    sandbox.faults({"api": "ashby", "endpoint": "job.create", "every": 1, "effect": "reset_after"})
    steps.load(mapped, execute=True)
    assert states(mapped) == {"done"}
    links = Ledger(mapped.store).links()
    assert len({links[row.link] for row in jobs}) == 6
    found = reconcile.problems(sandbox.truth, sandbox.state)
    assert found.pop("jobs")  # this test gave six jobs one title on purpose
    assert not any(found.values())


def test_two_hits_are_for_a_person(mapped: Workbook, sandbox: Sandbox) -> None:
    with pytest.raises(DiedError):
        steps.load(mapped, execute=True, fail_at=die_at("intended", "candidate.create"))
    row = next(row for row in in_state(mapped, "intended") if row.kind == "candidate.create")
    link = f"{row.link}"
    body = {name: value for name, value in row.body.items() if name not in ("sourceId", "creditedToUserId")}
    for _ in range(2):
        sandbox.ashby("candidate.create", body)
    result = steps.load(mapped, execute=True)
    assert list(result.parked["row_id"]) == [row.row_id]
    assert "2 objects" in result.parked["note"].iloc[0]
    assert link not in Ledger(mapped.store).links()
    again = steps.load(mapped, execute=True)
    assert again.n_writes == 0
    own = {one.row_id for one in Ledger(mapped.store).rows(row.person)}
    waiting = {one.row_id for one in Ledger(mapped.store).rows()} - {one.row_id for one in in_state(mapped, "done")}
    assert waiting == own


# ---- refusals, keys, limits --------------------------------------------------------------------------------------
def test_a_refusal_is_set_aside_and_its_children_wait(mapped: Workbook, sandbox: Sandbox, quiet: list[str]) -> None:
    refuse = {"api": "ashby", "effect": "status", "status": 200, "body": REFUSED}
    kinds = ("candidate.create", "application.create", "candidate.createNote", "candidate.uploadFile")
    sandbox.faults(*(refuse | {"endpoint": name, "nth": 2} for name in kinds))
    result = steps.load(mapped, execute=True)
    assert sorted(result.refused["kind"]) == sorted(kinds)
    assert set(result.refused["code"]) == {"invalid_input"}
    assert states(mapped) == {"done", "refused", "planned"}
    again = steps.load(mapped, execute=True)
    assert (again.n_writes, len(again.refused)) == (0, len(kinds))
    steps.load(mapped, execute=True, retry_refused=True)
    assert states(mapped) == {"done"}
    assert not any(reconcile.problems(sandbox.truth, sandbox.state).values())
    assert picture(sandbox.state) == quiet


def test_the_refusal_budget_stops_the_run(
    mapped: Workbook, sandbox: Sandbox, opened: Callable[[], Workbook], quiet: list[str]
) -> None:
    book = alone(mapped, sandbox, opened, refusal_budget=5)
    refuse = {"api": "ashby", "effect": "status", "status": 200, "body": REFUSED}
    sandbox.faults(refuse | {"endpoint": "candidate.createNote"})
    with pytest.raises(FatalError, match=r"refused 6 calls of candidate\.createNote"):
        steps.load(book, execute=True)
    assert len(in_state(book, "refused")) == 6
    sandbox.faults()
    steps.load(book, execute=True, retry_refused=True)
    finished(book, sandbox, quiet)


@pytest.mark.parametrize(("status", "code"), [(401, "unauthorized"), (403, "missing_endpoint_permission")])
def test_a_key_that_is_taken_away_stops_the_run(
    mapped: Workbook, sandbox: Sandbox, quiet: list[str], status: int, code: str
) -> None:
    body = f'{{"success": false, "errors": ["{code}"], "errorInfo": {{"code": "{code}"}}}}'
    sandbox.faults(
        {"api": "ashby", "endpoint": "application.create", "effect": "status", "status": status, "body": body}
    )
    with pytest.raises(UnauthorizedError):
        steps.load(mapped, execute=True)
    calls = sandbox.ask("GET", "/calls")["by_status"][f"ashby.{status}"]
    assert calls <= mapped.params.ashby.workers
    assert in_state(mapped, "intended", "unknown", "refused", "parked") == []
    sandbox.faults()
    steps.load(mapped, execute=True)
    finished(mapped, sandbox, quiet)


def test_storms_of_429(mapped: Workbook, sandbox: Sandbox, quiet: list[str]) -> None:
    sandbox.faults({"api": "ashby", "every": 25, "effect": "throttle", "retry_after": "0.01"})
    steps.load(mapped, execute=True)
    assert sandbox.struck() > 20
    finished(mapped, sandbox, quiet)


# ---- death -------------------------------------------------------------------------------------------------------
def test_death_at_every_moment_of_every_kind(
    mapped: Workbook, sandbox: Sandbox, opened: Callable[[], Workbook], quiet: list[str]
) -> None:
    """One load dies at each of the four moments of each kind of row, one after the other, and still ends right."""
    book = alone(mapped, sandbox, opened)
    kinds = Counter(row.kind for row in Ledger(book.store).rows() if row.kind != "link")
    left = Counter({(kind, at): (5 if THOROUGH and kinds[kind] > 20 else 1) for kind in kinds for at in MOMENTS})

    def seam(at: str, row: Planned) -> None:
        if left[row.kind, at] > 0:
            left[row.kind, at] -= 1
            raise DiedError(at)

    n_deaths, wanted = 0, left.total()
    for _ in range(wanted + 1):
        try:
            steps.load(book, execute=True, fail_at=seam)
        except DiedError:
            n_deaths += 1
    assert (n_deaths, +left) == (wanted, Counter())
    finished(book, sandbox, quiet)


def load_all() -> None:
    """A load as a process of its own makes it."""
    steps.load(workbook.open_customer(CUSTOMER), execute=True)


@pytest.mark.parametrize("seed", range(20 if THOROUGH else 1))
def test_kill_9_again_and_again(
    mapped: Workbook, sandbox: Sandbox, opened: Callable[[], Workbook], quiet: list[str], seed: int
) -> None:
    """Killed up to ten times in one load, while answers get lost as well."""
    sandbox.faults(
        {"api": "ashby", "writes": True, "every": 17, "effect": "reset_after"},
        {"api": "ashby", "share": 0.02, "effect": "status", "status": 503},
    )
    mapped.close()
    chance = random.Random(f"kill {seed}")
    kills = sum(killed(load_all, seconds=chance.uniform(0.1, 0.5)) for _ in range(10))
    assert kills >= 5
    book = opened()
    steps.load(book, execute=True)
    finished(book, sandbox, quiet)


def test_disk_error_before_the_intention_sends_nothing(
    mapped: Workbook, sandbox: Sandbox, quiet: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the intention nor the outcome can be written: the run stops, and the next one ends right."""
    for name in ("intend", "settle"):
        left, real = [40], getattr(Ledger, name)

        def failing(self: Ledger, *given: Any, _left: list[int] = left, _real: Any = real, **more: Any) -> None:
            _left[0] -= 1
            if _left[0] < 0:
                raise StoreError("The store could not be written (OperationalError).")
            _real(self, *given, **more)

        with monkeypatch.context() as patch:
            patch.setattr(Ledger, name, failing)
            with pytest.raises(StoreError):
                steps.load(mapped, execute=True)
    steps.load(mapped, execute=True)
    finished(mapped, sandbox, quiet)


def test_bytes_that_are_missing_stop_the_run_before_anything_is_sent(
    mapped: Workbook, sandbox: Sandbox, quiet: list[str]
) -> None:
    row = next(row for row in Ledger(mapped.store).rows() if row.kind == "candidate.uploadFile")
    path = mapped.store.file_path(row.body["fileHandle"]["$file"]["sha256"])
    path.unlink()
    with pytest.raises(StoreError, match=row.lever_id):
        steps.load(mapped, execute=True)
    assert row.row_id not in {one.row_id for one in in_state(mapped, "intended", "again", "done", "unknown")}
    steps.extract(mapped)
    assert path.is_file()
    steps.load(mapped, execute=True)
    finished(mapped, sandbox, quiet)


# ---- changes after the load --------------------------------------------------------------------------------------
def test_what_changed_later_is_set_or_parked_and_never_doubled(mapped: Workbook, sandbox: Sandbox) -> None:
    steps.load(mapped, execute=True)
    original = {row.row_id: row for row in Ledger(mapped.store).rows()}

    def edit(row: Planned) -> dict[str, Any] | None:
        if row.kind == "candidate.create":
            return row.body | {"name": row.body["name"] + " Changed", "createdAt": "2020-01-01T00:00:00.000Z"}
        if row.kind == "candidate.createNote":
            note = row.body["note"]
            return row.body | {"note": note | {"value": "Another text.\n" + note["value"]}}
        return None

    changed = change(mapped, edit)
    before = picture(sandbox.state)
    for _ in range(3):
        result = steps.load(mapped, execute=True)
        assert result.n_writes == 0
        assert set(result.parked["row_id"]) == set(changed)
        assert picture(sandbox.state) == before
    back = change(mapped, lambda row: original[row.row_id].body if row.row_id in changed else None)
    assert set(back) == set(changed)
    assert steps.load(mapped, execute=True).n_writes == 0
    assert states(mapped) == {"done"}


def _headlines(book: Workbook) -> dict[str, Planned]:
    """{Ashby id of the person: row} of the values set on candidates."""
    links = Ledger(book.store).links()
    rows = [row for row in Ledger(book.store).rows_of_kind("customField.setValues") if row.person]
    return {links[f"candidate:{row.person}"]: row for row in rows if row.body["objectType"] == "Candidate"}


def _other_headline(row: Planned, field: dict[str, str], text: str) -> dict[str, Any] | None:
    values = [one | {"fieldValue": text} if one["fieldId"] == field else one for one in row.body["values"]]
    return row.body | {"values": values} if values != row.body["values"] else None


def test_a_recruiters_edit_wins_and_stays_on_the_list(mapped: Workbook, sandbox: Sandbox) -> None:
    steps.load(mapped, execute=True)
    links = Ledger(mapped.store).links()
    field = {"$link": next(name for name in links if name.startswith("custom_field:Candidate:Lever headline"))}
    people = {
        ashby_id: row
        for ashby_id, row in _headlines(mapped).items()
        if any(one["fieldId"] == field for one in row.body["values"])
    }
    edited = sorted(people)[0]
    sandbox.ashby(
        "customField.setValue",
        {"objectId": edited, "objectType": "Candidate", "fieldId": links[field["$link"]], "fieldValue": "by hand"},
    )
    rows = {row.row_id for row in people.values()}
    change(mapped, lambda row: _other_headline(row, field, "from Lever") if row.row_id in rows else None)
    first = steps.load(mapped, execute=True)
    assert first.n_writes == len(people) - 1
    for result in (first, steps.load(mapped, execute=True)):
        assert list(result.conflicts["row_id"]) == [people[edited].row_id]
        assert result.conflicts["members"].iloc[0] == [links[field["$link"]]]
    values = {one["id"]: one["customFields"].get("Lever headline") for one in sandbox.state["candidates"]}
    assert values[edited] == "by hand"
    assert {values[one] for one in people if one != edited} == {"from Lever"}

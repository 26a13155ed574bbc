"""The checklist before a move: computed from the store and the tables, so that it changes as the work goes on."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from conftest import CUSTOMER, Sandbox, decide

from lib import steps
from lib.steps import planning, signing
from lib.workbook import Workbook

ITEMS = (
    "data audit", "scope", "keys and their permissions", "custom fields", "users", "postings and stages", "sources",
    "archive reasons", "tags and feedback forms", "people", "losses", "strategy: at once", "strategy: in phases",
    "strategy: step by step", "timeline", "parallel run",
)  # fmt: skip


def states(book: Workbook) -> dict[str, str]:
    return {row["item"]: row["state"] for row in planning.checklist(book)}


def told(book: Workbook, item: str) -> str:
    return next(f"{row['figures']} {row['do']}" for row in planning.checklist(book) if row["item"] == item)


def test_the_checklist_follows_the_work(book: Workbook, sandbox: Sandbox) -> None:
    policy = book.params.policy.model_copy(update={"losses": "signed"})
    book.params = book.params.model_copy(update={"policy": policy})
    result = steps.audit(book)
    pd.testing.assert_frame_equal(result.checklist, pd.DataFrame(planning.checklist(book)))
    first = states(book)
    assert tuple(first) == ITEMS
    decided = {"scope", "strategy: at once", "strategy: in phases", "strategy: step by step", "parallel run"}
    assert {item for item, state in first.items() if state == "decide"} == decided
    assert {item for item, state in first.items() if state == "done"} == {"keys and their permissions"}
    assert "04_map proposes it" in told(book, "users")
    assert "03_dedupe proposes it" in told(book, "people")
    steps.extract(book)
    assert states(book)["data audit"] == "done"
    assert f"{book.store.count('notes'):,} notes" in told(book, "data audit")
    decide(book, sandbox)
    steps.map(book)
    later = states(book)
    assert {item for item, state in later.items() if state == "open"} == {"losses", "timeline"}
    assert "workbook sign acme" in told(book, "losses")
    signing.sign(CUSTOMER, book.store)
    assert states(book)["losses"] == "done"
    table = book.table("users")
    somebody = next(row["verdict"] for row in table.rows if row["verdict"] != "none")
    replace(table, rows=[row | {"verdict": somebody} for row in table.rows]).write()
    assert "without an account in Ashby" not in told(book, "users")
    nobody = [row | {"verdict": "none"} for row in table.rows]
    replace(table, rows=nobody).write()
    n_records = sum(int(row["n_records"]) for row in nobody)
    nobody.append(dict.fromkeys(table.columns, "") | {"id": "by hand", "verdict": "none"})
    replace(table, rows=nobody).write()
    assert states(book)["users"] == "decide"
    assert f"without an account in Ashby are named in {n_records:,} records" in told(book, "users")
    assert "policy.placeholder_user names somebody" in told(book, "users")
    stand_in = book.params.policy.model_copy(update={"placeholder_user": "somebody@ashby.example"})
    book.params = book.params.model_copy(update={"policy": stand_in})
    assert states(book)["users"] == "done"
    table.write()
    table.path.write_text(table.path.read_text().replace(f",{table.rows[0]['verdict']}\n", ",\n"))
    assert states(book)["users"] == "open"
    assert "users.csv" in told(book, "users")


def test_what_a_key_lacks_and_a_narrower_scope_are_told(mapped: Workbook, sandbox: Sandbox) -> None:
    sandbox.switch(lever_key_without="/opportunities/*/notes")
    scope = mapped.params.policy.scope.model_copy(update={"states": ["active"]})
    policy = mapped.params.policy.model_copy(update={"scope": scope})
    mapped.params = mapped.params.model_copy(update={"policy": policy})
    steps.audit(mapped)
    assert states(mapped)["keys and their permissions"] == "open"
    assert "Lever: read notes" in told(mapped, "keys and their permissions")
    assert states(mapped)["scope"] == "done"
    assert "states = ['active']" in told(mapped, "scope")
    n_active = sum(not one.get("archived") for one in mapped.store.all("opportunities"))
    assert f"{n_active:,} of {mapped.store.count('opportunities'):,} opportunities move" in told(mapped, "scope")


def test_lengths_of_time_are_told_as_people_say_them(mapped: Workbook) -> None:
    assert [planning._told(minutes) for minutes in (0, 1.4, 89, 90, 2000, 3000)] == [
        "1 minutes", "1 minutes", "89 minutes", "1.5 hours", "33.3 hours", "2.1 days",
    ]  # fmt: skip
    assert "Lever is closed for" in told(mapped, "strategy: at once")

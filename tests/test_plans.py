"""Plans beside each other: what the next one changes, and why; and how a plan is looked at."""

from __future__ import annotations

import csv
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import CUSTOMER, Sandbox, copied_home, new_store, store_url_of

from lib import decisions, plans, steps
from lib.errors import GateError
from lib.store import Store
from lib.store.compared import Change, changes, newer_than, rows_of, summed, told
from lib.store.ledger import Ledger, columns_of
from lib.workbook import Workbook

Told = pytest.CaptureFixture[str]


@dataclass(frozen=True)
class Row:
    """One row of a plan, as little as the ledger needs."""

    row_id: str
    body: dict[str, Any]
    kind: str = "candidate.createNote"
    lever_type: str = "note"
    lever_id: str = "n-1"
    person: str = "c-1"
    seq: int = 0
    needs: tuple[str, ...] = ()
    link: str = ""

    @property
    def body_hash(self) -> str:
        return repr(sorted(self.body.items()))[-64:]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = new_store(tmp_path / "runs" / CUSTOMER)
    yield one
    one.close()


@pytest.fixture
def home_of(mapped: Workbook) -> Path:
    """The home in which the mapped customer is."""
    return mapped.folder.parents[1]


def verdict(book: Workbook, name: str, old: str, new: str) -> str:
    """Another verdict for one row of a table that has the old one; the id of that row."""
    table = book.table(name)
    row = next(row for row in table.rows if row["verdict"] == old and row["n_records"] != "0")
    rows = [one | {"verdict": new} if one is row else one for one in table.rows]
    decisions.DecisionTable(name, table.path, rows, table.columns).write()
    return row["id"]


# ---- rows against rows -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(6))
def test_changes_are_those_of_a_plain_comparison(store: Store, seed: int) -> None:
    """Random plans, larger than one page: whatever is dropped, added, edited or moved."""
    chance = random.Random(seed)
    old = {f"row-{n}": Row(f"row-{n}", {"a": n, "b": chance.randrange(3)}) for n in range(chance.randrange(1300))}
    new = {key: row for key, row in old.items() if chance.random() > 0.1}
    for key in list(new):
        if chance.random() < 0.1:
            new[key] = replace(
                new[key], body={"a": new[key].body["a"], "c": 1} if seed % 2 else new[key].body | {"b": 9}
            )
    new |= {f"more-{n}": Row(f"more-{n}", {}) for n in range(chance.randrange(700))}
    Ledger(store).put_plan(old.values(), plan_hash="old")
    rows = list(new.values())
    chance.shuffle(rows)
    found = list(changes(store, map(columns_of, rows)))
    kinds: dict[str, list[str]] = {"new": [], "changed": [], "gone": []}
    for one in found:
        kinds[one.what].append(one.row_id)
    assert sorted(kinds["new"]) == sorted(new.keys() - old.keys())
    assert sorted(kinds["gone"]) == sorted(old.keys() - new.keys())
    edited = sorted(key for key in new.keys() & old.keys() if new[key].body != old[key].body)
    assert sorted(kinds["changed"]) == edited
    members = {one.members for one in found if one.what == "changed"}
    assert members <= ({("b", "c")} if seed % 2 else {("b",)})
    assert list(changes(store, map(columns_of, old.values()))) == []
    assert [row["row_id"] for row in rows_of(store)] == list(old)


def test_changes_are_counted_by_endpoint_and_by_the_members_that_differ() -> None:
    one = Change("changed", "r", "application.create", "opportunity", "o-1", "c-1", ("source",))
    found = summed(
        [one, *(replace(one, lever_id=f"o-{n}") for n in range(2, 6)), replace(one, what="gone", members=())]
    )
    assert [(row["change"], row["members"], row["n_rows"], len(row["examples"])) for row in found] == [
        ("changed", "source", 5, 3), ("gone", "", 1, 1),
    ]  # fmt: skip


# ---- one customer, planned again -------------------------------------------------------------------------------------
def test_the_first_plan_and_the_same_plan_have_nothing_before_them(mapped: Workbook, capsys: Told) -> None:
    assert told(mapped.store) == ("", [], [])
    result = steps.map(mapped)
    assert (len(result.changes), len(result.causes)) == (0, 0)
    plans.diff(CUSTOMER, "", limit=5)
    assert "there was no other plan before this one" in capsys.readouterr().out


def test_another_verdict_is_named_with_the_rows_that_it_changes(mapped: Workbook, capsys: Told) -> None:
    before, old = Ledger(mapped.store).plan_hash(), {row["row_id"]: row["body"] for row in rows_of(mapped.store)}
    key = verdict(mapped, "tags", "keep", "drop")
    result = steps.map(mapped)
    now = {row["row_id"]: row["body"] for row in rows_of(mapped.store)}
    assert result.plan_hash != before
    assert told(mapped.store)[0] == before
    causes = {row["where"]: (row["n"], row["examples"]) for row in result.causes.to_dict("records")}
    assert causes == {"tags.csv": (1, [key])}
    with (mapped.folder / "reports" / "plan-changes.csv").open() as file:
        rows = list(csv.DictReader(file))
    by_change = {what: {row["row_id"] for row in rows if row["change"] == what} for what in ("new", "changed", "gone")}
    assert by_change["gone"] == old.keys() - now.keys() != set()
    assert by_change["new"] == now.keys() - old.keys()
    assert by_change["changed"] == {one for one in old.keys() & now.keys() if old[one] != now[one]}
    assert int(result.changes["n_rows"].sum()) == len(rows)
    plans.diff(CUSTOMER, "", limit=5)
    shown = capsys.readouterr().out
    for word in (before, result.plan_hash, "tags.csv", "gone", "plan-changes.csv"):
        assert word in shown
    steps.map(mapped)  # nothing new: what the last change was is still told
    assert told(mapped.store)[0] == before


def test_another_policy_and_a_change_in_lever_are_named(mapped: Workbook, sandbox: Sandbox, home_of: Path) -> None:
    path = home_of / "params" / f"{CUSTOMER}.yaml"
    known = yaml.safe_load(path.read_text())
    policy = known.get("policy", {}) | {"without_posting": "archive_only"}
    path.write_text(yaml.safe_dump(known | {"policy": policy}))
    assert sandbox.ask("POST", "/edits", {"n": 1, "seed": 1, "kinds": ["note_new"]})
    mapped.params = type(mapped.params).model_validate(mapped.params.model_dump() | {"policy": policy})
    steps.extract(mapped)
    steps.dedupe(mapped)
    result = steps.map(mapped)
    causes = dict(zip(result.causes["where"], result.causes["n"], strict=True))
    assert causes["policy.without_posting"] == 1
    assert causes["Lever, notes"] >= 1
    assert "new" in set(result.changes["change"])


def test_a_comparison_whose_plan_never_took_effect_is_not_told(
    mapped: Workbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between the comparison and the new plan: the plan in force has no earlier one, as before."""
    key = verdict(mapped, "tags", "keep", "drop")

    def die(*_words: object, **_more: object) -> None:
        raise OSError("died")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "put_plan", die)
        with pytest.raises(OSError, match="died"):
            steps.map(mapped)
    assert told(mapped.store) == ("", [], [])
    result = steps.map(mapped)
    assert [row["examples"] for row in result.causes.to_dict("records")] == [[key]]


def test_what_is_newer_than_an_answer_is_counted_by_stream(store: Store) -> None:
    with store.begin() as tx:
        store.put_raw(tx, "notes", [("a", "o", 1), ("b", "o", 1)])
    assert newer_than(store, 0) == {"notes": 2}
    assert newer_than(store, 2) == {}


# ---- two customers ---------------------------------------------------------------------------------------------------
def test_the_plans_of_two_customers_are_compared(
    mapped: Workbook, home_of: Path, opened: Callable[..., Workbook], capsys: Told
) -> None:
    """A second rehearsal of the same company, with another verdict."""
    mapped.close()
    second = copied_home(home_of, home_of.parent / "second")
    shutil.copytree(second / "runs" / CUSTOMER, home_of / "runs" / "later")
    shutil.copytree(second / "params" / CUSTOMER, home_of / "params" / "later")
    known = yaml.safe_load((second / "params" / f"{CUSTOMER}.yaml").read_text()) | {"customer": "later"}
    if store_url_of(second):
        pytest.skip("a schema of PostgreSQL bears its customer's name")
    (home_of / "params" / "later.yaml").write_text(yaml.safe_dump(known))
    plans.diff(CUSTOMER, "later", limit=5)
    assert "The plans are alike." in capsys.readouterr().out
    later = opened("later")
    verdict(later, "tags", "keep", "drop")
    steps.map(later)
    plans.diff(CUSTOMER, "later", limit=2)
    shown = capsys.readouterr().out
    assert "acme -> later" in shown
    assert "gone" in shown
    assert "2 of " in shown
    write_nobody(home_of)
    with pytest.raises(GateError, match="has no plan yet"):
        plans.diff(CUSTOMER, "nobody", limit=2)


def write_nobody(home: Path) -> None:
    known = yaml.safe_load((home / "params" / f"{CUSTOMER}.yaml").read_text()) | {"customer": "nobody"}
    (home / "params" / "nobody.yaml").write_text(yaml.safe_dump(known))


# ---- one plan --------------------------------------------------------------------------------------------------------
def test_a_plan_is_shown_by_endpoint_and_by_person(mapped: Workbook, capsys: Told) -> None:
    rows = list(Ledger(mapped.store).rows())
    plans.show(CUSTOMER, person=None, kind="", bodies=False, limit=5)
    shown = capsys.readouterr().out
    counts = Counter(row.kind for row in rows)
    assert all(
        any(line.split() == [kind, "planned", f"{n:,}"] for line in shown.splitlines()) for kind, n in counts.items()
    )
    plans.show(CUSTOMER, person=None, kind="application.create", bodies=False, limit=2)
    assert "2 rows (there are more: --limit)" in capsys.readouterr().out
    plans.show(CUSTOMER, person="", kind="", bodies=False, limit=1000)
    shown = capsys.readouterr().out
    assert f"{sum(not row.person for row in rows)} rows" in shown
    one = next(row for row in rows if row.kind == "candidate.create")
    plans.show(CUSTOMER, person=one.person, kind="candidate.create", bodies=True, limit=5)
    shown = capsys.readouterr().out
    assert one.row_id in shown
    assert '"name"' in shown

"""People of several contacts: whose value is kept, by the customer's rule, and what is told of it field by field."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from conftest import Sandbox, prepare

from lib import steps
from lib.dedupe import DedupePolicy, dedupe
from lib.dedupe.policy import SURVIVES
from lib.params import Policy
from lib.steps import grouping
from lib.workbook import Workbook

OLD = {
    "id": "old", "name": "Mara Sofie Lind", "emails": ["mara@old.example"], "phones": ["+47 21 11 11 11"], "last_ms": 1,
    "links": ["https://linkedin.com/in/mara-old"], "headline": "Trainee", "location": "Bergen, Norway", "created_ms": 1,
    "n_opportunities": 1,
}  # fmt: skip
NEW = {
    "id": "new", "name": "Mara Lind", "emails": ["mara@new.example", "mara@old.example"], "phones": ["+47 22 22 22 22"],
    "links": ["https://linkedin.com/in/mara-new"], "headline": "Head of X", "location": "Oslo, Norway", "created_ms": 2,
    "last_ms": 2, "n_opportunities": 1,
}  # fmt: skip
VALUES = {
    "name": ("Mara Sofie Lind", "Mara Lind"), "headline": ("Trainee", "Head of X"),
    "location": ("Bergen, Norway", "Oslo, Norway"), "email": ("mara@old.example", "mara@new.example"),
    "phone": ("+47 21 11 11 11", "+47 22 22 22 22"),
    "links": ("https://linkedin.com/in/mara-old", "https://linkedin.com/in/mara-new"),
}  # fmt: skip


def kept(**survives: str) -> dict[str, Any]:
    found = dedupe(pd.DataFrame([OLD, NEW]), policy=DedupePolicy(survives=SURVIVES | survives))
    assert len(found.people) == 1
    return next(found.survivors())[0]


@pytest.mark.parametrize("field", sorted(VALUES))
@pytest.mark.parametrize("rule", ["oldest", "newest"])
def test_each_field_keeps_the_value_that_the_customer_wants(field: str, rule: str) -> None:
    """And no other field changes by it; nothing is lost: what is not kept stands in its list or conflict."""
    column = "linkedin" if field == "links" else field
    person, usual = kept(**{field: rule}), kept()
    assert person[column] == VALUES[field][rule == "newest"]
    beside = {"name", "headline", "location", "email", "phone", "linkedin"} - {column}
    assert {name: person[name] for name in beside} == {name: usual[name] for name in beside}
    assert {person["email"], *person["alternate_emails"]} == {"mara@old.example", "mara@new.example"}
    assert {person["phone"], *person["other_phones"]} == set(VALUES["phone"])


def test_without_a_word_the_fullest_name_and_the_newest_of_all_else_is_kept() -> None:
    assert kept()["name"] == "Mara Sofie Lind"
    assert [kept()[name] for name in ("headline", "location", "email")] == [
        VALUES[name][1] for name in ("headline", "location", "email")
    ]


def test_the_params_file_has_the_same_rules_and_refuses_others() -> None:
    assert Policy().survives.model_dump() == SURVIVES
    with pytest.raises(ValueError, match="survives"):
        Policy.model_validate({"survives": {"email": "fullest"}})


def test_each_person_of_several_contacts_is_told_field_by_field(book: Workbook, sandbox: Sandbox) -> None:
    """Whose value won, where it is written, what the others had, and where that goes; the most differing first."""
    prepare(book, sandbox)
    result = steps.dedupe(book)
    found = steps.groups(book, result)
    sizes = result.members["person"].value_counts()
    assert set(found["person"]) == set(sizes[sizes > 1].head(20).index)
    contacts = result.contacts.set_index("id")
    for row in found[found["field"] == "email"].itertuples():
        holders = row._6.split(", ") if row.kept else []
        assert all(row.kept in " ".join(contacts.loc[one, "emails"]).lower() for one in holders)
    assert {"name", "email"} <= set(found["field"])
    assert (found.loc[found["others"] != "", "others go to"] != "").all()
    already = found["written to"].str.startswith("nowhere: in Ashby already")
    there = set(result.people.loc[result.people["ashby_id"].notna(), "person"])
    assert set(found.loc[already, "person"]) <= there
    assert steps.groups(book, result, most=1)["person"].nunique() <= 1


@pytest.mark.parametrize(
    ("there", "written", "elsewhere"),
    [(None, "primary address", "further addresses"), ("ashby-1", "nowhere: in Ashby already (ashby-1)", "")],
)
def test_one_value_written_in_two_ways_is_no_other_value(there: str | None, written: str, elsewhere: str) -> None:
    """mailto:, another case, an address of LinkedIn with and without its site; "Ann" is not "Anna"."""
    person = {"name": "Ann", "email": "ann@x.example", "linkedin": "https://www.linkedin.com/in/ann", "ashby_id": there}
    contacts = [
        {"id": "one", "names": ["Ann"], "emails": ["mailto:Ann@X.example"], "links": ["linkedin.com/in/Ann/"]},
        {"id": "two", "names": ["Anna"], "emails": ["anna@y.example"], "links": []},
    ]
    rows = {row["field"]: row for row in grouping._fields(person, contacts, already=grouping.ALREADY["link"])}
    assert {field: row["kept from"] for field, row in rows.items()} == dict.fromkeys(
        ("name", "email", "linkedin"), "one"
    )
    assert [rows[field]["others"] for field in ("name", "email", "linkedin")] == ["Anna", "anna@y.example", ""]
    assert rows["email"]["written to"] == written
    assert rows["email"]["others go to"] == (elsewhere or written)

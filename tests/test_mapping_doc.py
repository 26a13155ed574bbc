"""docs/mapping.md, the table in the code, and Lever's attributes say the same."""

import json
import re
from pathlib import Path

import pytest

from lib.mapping.account import ACCOUNT

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = ROOT.parent / "shared" / "contracts" / "lever-contract.json"
ITEMS = {
    "opportunity": ("get_opportunity", "list_opportunities_deleted"),
    "contact": ("get_contact",),
    "application": ("get_application",),
    "note": ("get_note",),
    "feedback": ("get_feedback",),
    "form": ("get_form",),
    "referral": ("get_referral",),
    "interview": ("get_interview",),
    "offer": ("list_offers",),
    "resume": ("get_resume",),
    "file": ("get_file",),
    "posting": ("get_posting",),
    "user": ("get_user",),
    "stage": ("get_stage",),
    "disposition_stages": ("get_disposition_stages",),
    "archive_reason": ("get_archive_reason",),
    "source": ("list_sources",),
    "tag": ("list_tags",),
    "feedback_template": ("get_feedback_template",),
    "form_template": ("get_form_template",),
    "requisition": ("get_requisition",),
    "requisition_field": ("get_requisition_field",),
}


def documented() -> dict[str, dict[str, tuple[str, str, str]]]:
    text = (ROOT / "docs" / "mapping.md").read_text("utf-8").split("## Objects", 1)[1]
    tables = {}
    for part in text.split("\n### ")[1:]:
        name, _, body = part.partition("\n")
        lines = [re.split(r"\s*\|\s*", line.strip().strip("|").strip()) for line in body.splitlines() if "|" in line]
        rows = [(*line, "", "", "")[:4] for line in lines[2:]]
        tables[name.strip()] = {row[0]: row[1:] for row in rows}
    return tables


def test_the_page_says_what_the_code_does():
    """Object by object, attribute by attribute, the page shows the table that the loss list uses."""
    assert documented() == {name: dict(table.items()) for name, table in ACCOUNT.items()}


def test_every_treatment_other_than_moved_has_a_reason():
    """Nothing is left behind or changed without saying why."""
    silent = [
        f"{name}.{attribute}"
        for name, table in ACCOUNT.items()
        for attribute, (treatment, _, reason) in table.items()
        if treatment != "moved" and not reason
    ]
    assert silent == []


def test_treatments_are_the_four_that_the_page_explains():
    """The page explains each treatment that occurs."""
    found = {treatment for table in ACCOUNT.values() for treatment, _, _ in table.values()}
    assert found == {"moved", "moved changed", "archived only", "never"}


@pytest.mark.skipif(not CONTRACT.is_file(), reason="the list of Lever's attributes is not at hand")
@pytest.mark.parametrize("name", sorted(ITEMS))
def test_every_attribute_of_lever_is_accounted_for(name: str):
    """The page names exactly the attributes that Lever's objects have."""
    contract = json.loads(CONTRACT.read_text("utf-8"))
    expected = {attribute for item in ITEMS[name] for attribute in contract[item]["item"]}
    assert set(ACCOUNT[name]) == expected


def test_each_object_is_compared():
    """No table escapes the comparison with Lever's attributes."""
    assert set(ITEMS) == set(ACCOUNT)

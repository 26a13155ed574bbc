"""The report of the proofs says what was done, what failed and what is missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import ROOT
from proofs import tell
from prove import PROMISES, Outcome, missing, outcome_of, report_of, summed

JUNIT = """<testsuites><testsuite>
<testcase classname="tests.test_crashes" name="test_a[0]" time="2.5"/>
<testcase classname="tests.test_crashes" name="test_b" time="1">
<failure message="assert 1 ==\n 2">long</failure></testcase>
<testcase classname="tests.test_disk" name="test_c" time="0"><skipped message="not root"/></testcase>
</testsuite></testsuites>"""


def test_tests_and_their_failures_are_read_from_pytests_report(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(JUNIT)
    found = outcome_of(tmp_path / "junit.xml")
    assert found.seconds == {
        "tests/test_crashes.py::test_a[0]": 2.5,
        "tests/test_crashes.py::test_b": 1.0,
        "tests/test_disk.py::test_c": 0.0,
    }
    assert found.failed == {"tests/test_crashes.py::test_b": "assert 1 == 2"}
    assert found.skipped == {"tests/test_disk.py::test_c": "not root"}


def test_figures_of_several_tests_are_added_up_and_ratios_are_not() -> None:
    told = [
        {"kills": 900, "seed": 1, "ratio": 1.5, "drops": {"a": 1}},
        {"kills": 200, "seed": 2, "ratio": 3.0, "drops": {"b": 4}},
    ]
    assert summed(told) == {"kills": "1,100", "seeds": "2", "ratio": "1.5 to 3", "drops": "5 of 2 kinds"}


def test_the_report_tells_what_holds_what_failed_and_what_is_missing() -> None:
    lines = [
        {"promise": "P2", "what": "killed", "figures": {"kills": 20}, "test": "tests/test_crashes.py::test_a"},
        {"promise": "P10", "what": "again", "figures": {"writes": 0}, "test": "tests/test_load.py::test_d"},
    ]
    outcome = Outcome(
        {"tests/test_crashes.py::test_a": 2.0, "tests/test_load.py::test_d": 1.0},
        {"tests/test_crashes.py::test_a": "no"},
    )
    text = report_of(lines, outcome, wanted=["P2", "P10", "P23"], about={"date": "today"})
    assert "| P2 The same under kill -9 | **FAILED** | 1 | 2 |" in text
    assert "| P10 A second run does nothing | held | 1 | 1 |" in text
    assert "| P23 Two operators cannot collide | **missing**: nothing was told | 0 | 0 |" in text
    assert "- killed: kills 20" in text
    assert "- `tests/test_crashes.py::test_a`: no" in text
    assert missing(lines, ["P2", "P10", "P23"]) == ["P23"]


def test_what_is_told_names_its_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_PROOF", str(tmp_path / "told"))
    tell("P1", "something", lost=0)
    (line,) = map(json.loads, (tmp_path / "told").read_text().splitlines())
    assert (line["promise"], line["what"], line["figures"]) == ("P1", "something", {"lost": 0})
    assert line["test"] == "tests/test_proofs.py::test_what_is_told_names_its_test"


@pytest.mark.parametrize("promise", PROMISES)
def test_the_files_of_a_promise_hold_proofs_of_it(promise: str) -> None:
    texts = [(ROOT / "tests" / f"test_{name}.py").read_text("utf-8") for name in PROMISES[promise][1]]
    assert all("proof" in text for text in texts)
    assert any(re.search(rf'tell\(\s*"{promise}"', text) for text in texts)

"""The report of the proofs says what was done, what failed and what is missing."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from conftest import ROOT
from proof_report import PROMISES, Outcome, missing, outcome_of, report_of, summed
from proofs import seeds, tell
from prove import ORDER, Part, gathered, overview, parts_of, prove

TESTS = sorted((ROOT / "tests").glob("test_*.py"))
JUNIT = """<testsuites><testsuite>
<testcase classname="tests.test_crashes" name="test_a[0]" time="2.5"/>
<testcase classname="tests.test_crashes" name="test_b" time="1">
<failure message="assert 1 ==\n 2">long</failure></testcase>
<testcase classname="tests.test_disk" name="test_c" time="0"><skipped message="not root"/></testcase>
<testcase classname="tests.test_disk" name="test_d" time="0"><skipped message="make prove plays them all"/></testcase>
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


def test_what_happened_is_added_up_and_what_is_of_one_round_is_not() -> None:
    told = [
        {"kills": 900, "seed": 1, "ratio": 1.5, "drops": {"a": 1, "b": 2}, "died_at_effect": 1066, "same": True},
        {"kills": 200, "seed": 2, "ratio": 3.0, "drops": {"b": 4}, "died_at_effect": 12, "same": True},
    ]
    assert summed(told) == {
        "kills": "1,100", "seeds": "2", "ratio": "1.5 to 3", "drops": "7 of 2 kinds, at least 1 of each",
        "died_at_effect": "12 to 1,066", "same": "yes",
    }  # fmt: skip
    names = [
        {"points": [1, 2, 3], "files": "audit", "plan": 1322, "share": 0.3, "same": True},
        {"points": [3, 4], "files": "store", "plan": 1322, "share": 0.01, "same": False},
    ]
    assert summed(names) == {
        "points": "4", "files": "2 (audit, store)", "plan": "1,322", "share": "0.01 to 0.3", "same": "in 1 of 2",
    }  # fmt: skip
    assert summed(names[:1])["files"] == "audit"


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
    assert "- killed: kills 20\n- **failed** `tests/test_crashes.py::test_a`: no\n" in text
    assert missing(lines, ["P2", "P10", "P23"]) == ["P23"]


def test_what_is_told_names_its_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_PROOF", str(tmp_path / "told"))
    tell("P1", "something", lost=0)
    (line,) = map(json.loads, (tmp_path / "told").read_text().splitlines())
    assert (line["promise"], line["what"], line["figures"]) == ("P1", "something", {"lost": 0})
    assert line["test"] == "tests/test_proofs.py::test_what_is_told_names_its_test"


def test_a_promise_of_which_a_part_did_not_run_is_held_partly() -> None:
    """P2 has proofs in two files: one that told nothing, or a test that was skipped, is said."""
    line = {"promise": "P2", "what": "killed", "figures": {"kills": 20}, "test": "tests/test_crashes.py::test_a"}
    text = report_of([line], Outcome({line["test"]: 2.0}), wanted=["P2"], about={})
    assert "| **partly**: test_postgres told nothing | 1 | 2 |" in text
    other = line | {"test": "tests/test_postgres.py::test_p"}
    outcome = Outcome({line["test"]: 2.0, other["test"]: 1.0, "tests/test_postgres.py::test_q": 0.0})
    assert "| held | 2 | 3 |" in report_of([line, other], outcome, wanted=["P2"], about={})
    outcome.unfinished = {"faults"}
    assert "| held | 2 | 3 |" in report_of([line, other], outcome, wanted=["P2"], about={})
    outcome.unfinished = {"faults", "postgres"}
    assert "| **partly**: the run has not come to its end | 2 | 3 |" in report_of(
        [line, other], outcome, wanted=["P2"], about={}
    )
    outcome.unfinished = set()
    outcome.skipped["tests/test_postgres.py::test_q"] = "no server"
    assert "| **partly**: 1 skipped | 2 | 3 |" in report_of([line, other], outcome, wanted=["P2"], about={})


def test_why_a_test_has_failed_or_was_skipped_stays_with_its_row_and_goes_with_it() -> None:
    """Two rows were proved at different times: each keeps its reasons until its own files have run again."""
    killed = {"promise": "P2", "what": "killed", "figures": {"kills": 20}, "test": "tests/test_crashes.py::test_a[0]"}
    server = killed | {"what": "on a server", "test": "tests/test_postgres.py::test_p"}
    again = {"promise": "P10", "what": "again", "figures": {"writes": 0}, "test": "tests/test_load.py::test_d"}
    odd = killed["test"]
    first = Outcome({odd: 1.0, server["test"]: 1.0}, {odd: "assert [1] == [2]"}, {server["test"]: "no server"})
    text = report_of([killed, server], first, wanted=["P2"], about={"commit": "aaa"})
    reasons = f"- **failed** `{odd}`: assert [1] == [2]\n- skipped `{server['test']}`: no server\n"
    assert text.endswith(f"- on a server: kills 20\n{reasons}")
    other = Outcome({again["test"]: 1.0})
    text = report_of([again], other, wanted=["P10"], about={"commit": "bbb"}, earlier=text)
    assert f"{reasons}\n## P10 " in text
    half = Outcome({odd: 1.0}, unfinished={"postgres"})
    begun = report_of([killed], half, wanted=["P2"], about={"commit": "ccc"}, earlier=text)
    assert "**failed**" not in begun
    assert f"- skipped `{server['test']}`: no server [aaa]\n" in begun
    good = Outcome({odd: 1.0, server["test"]: 1.0})
    text = report_of([killed, server], good, wanted=["P2"], about={"commit": "ddd"}, earlier=begun)
    assert "no server" not in text
    assert "| P2 The same under kill -9 | held | 2 | 2 | ddd |" in text


def test_a_failure_of_a_test_that_no_promise_names_is_told_apart() -> None:
    """`make prove PROOFS=name`, and what has that name told nothing."""
    outcome = Outcome({"tests/test_load.py::test_d": 1.0}, {"tests/test_load.py::test_d": "no"})
    text = report_of([], outcome, wanted=[], about={})
    assert text.endswith("## Of no promise above\n\n- **failed** `tests/test_load.py::test_d`: no\n")


def test_such_a_failure_stays_until_its_file_has_run_again() -> None:
    """Another promise that is proved afterwards does not make it forgotten."""
    first = Outcome({"tests/test_load.py::test_d": 1.0}, {"tests/test_load.py::test_d": "no"})
    text = report_of([], first, wanted=[], about={"commit": "aaa"})
    other, half = Outcome({"tests/test_recover.py::test_r": 1.0}), Outcome(unfinished={"load"})
    for commit, outcome in (("bbb", other), ("ccc", half), ("ddd", other)):
        text = report_of([], outcome, wanted=[], about={"commit": commit}, earlier=text)
        assert text.endswith("## Of no promise above\n\n- **failed** `tests/test_load.py::test_d`: no [aaa]\n")
    again = Outcome({"tests/test_load.py::test_d": 1.0})
    assert "test_d" not in report_of([], again, wanted=[], about={"commit": "eee"}, earlier=text)


def test_a_row_that_was_held_points_to_what_has_failed_in_its_files_since() -> None:
    """P7 was held, and then its speed test failed in a run for another promise: "held" alone would not be true."""
    line = {"promise": "P7", "what": "calls", "figures": {}, "test": "tests/test_faults.py::test_mix[1]"}
    held = report_of([line], Outcome({line["test"]: 1.0}), wanted=["P7"], about={"commit": "aaa"}).replace(
        "partly", "held"
    )
    assert "| **held**: test_speed told nothing |" in held
    held = held.replace("| **held**: test_speed told nothing |", "| held |")
    failed = Outcome({"tests/test_speed.py::test_a": 1.0}, {"tests/test_speed.py::test_a": "slow"})
    text = report_of([], failed, wanted=[], about={"commit": "bbb"}, earlier=held)
    assert "| held; **a test of its files has failed since**, see the end |" in text
    again = report_of(
        [], Outcome({"tests/test_speed.py::test_a": 1.0}), wanted=[], about={"commit": "ccc"}, earlier=text
    )
    assert "| held |" in again
    assert "has failed since" not in again


def test_a_failure_counts_for_the_promise_its_siblings_tell_of() -> None:
    """Of tests with parameters, one that fails tells nothing: the others of its function say what it is about."""
    mix, drop = "tests/test_faults.py::test_mix", "tests/test_faults.py::test_drop"
    lines = [
        {"promise": "P3", "what": "mixed", "figures": {}, "test": f"{mix}[1]"},
        {"promise": "P7", "what": "dropped", "figures": {}, "test": f"{drop}[1]"},
    ]
    outcome = Outcome({f"{mix}[1]": 1.0, f"{mix}[2]": 1.0, f"{drop}[1]": 1.0}, {f"{mix}[2]": "no"})
    text = report_of(lines, outcome, wanted=["P3", "P7"], about={})
    assert "| P3 The same under mixes of all faults | **FAILED** | 1 | 1 |" in text
    few = "Speed holds under 5 % of faults: >= 85 % of throughput, calls <= 1.10 x plan (<= 1.02 without faults)"
    assert f"| P7 {few} | **partly**: test_speed told nothing | 1 | 1 |" in text
    elsewhere = "tests/test_postgres.py::test_files"  # P1 has no proofs of its own in that file
    outcome = Outcome({f"{elsewhere}[a]": 1.0, f"{elsewhere}[b]": 1.0}, {f"{elsewhere}[b]": "no"})
    line = {"promise": "P1", "what": "tests", "figures": {}, "test": f"{elsewhere}[a]"}
    text = report_of([line], outcome, wanted=["P1"], about={})
    assert "| P1 Nothing lost, nothing doubled, whatever moment we die | **FAILED** | 1 | 1 |" in text


def test_what_was_proved_on_an_earlier_commit_stays_in_the_report() -> None:
    """Asked for one promise: the others stand as they stood, each with its commit."""
    first, second = (
        {"promise": promise, "what": "done", "figures": {"n": 1}, "test": f"tests/test_{name}.py::test_a"}
        for promise, name in (("P10", "load"), ("P38", "recover"))
    )
    both = Outcome({first["test"]: 1.0, second["test"]: 1.0})
    earlier = report_of([first, second], both, wanted=["P10", "P38"], about={"commit": "aaa"})
    text = report_of(
        [first | {"figures": {"n": 2}}], Outcome({first["test"]: 2.0}), wanted=["P10"], about={"commit": "bbb"},
        earlier=earlier,
    )  # fmt: skip
    assert "| P10 A second run does nothing | held | 1 | 2 | bbb |" in text
    assert "| P38 A lost store is rebuilt from Ashby | held | 1 | 1 | aaa |" in text
    assert text.count("## P10") == text.count("## P38") == 1
    assert "- done: n 2" in text
    begun = report_of(
        [first], Outcome({first["test"]: 1.0}, unfinished={"recover"}), wanted=["P10", "P38"], about={"commit": "ccc"},
        earlier=earlier,
    )  # fmt: skip
    assert "| P10 A second run does nothing | held | 1 | 1 | ccc |" in begun
    assert "| P38 A lost store is rebuilt from Ashby | held | 1 | 1 | aaa |" in begun
    half = {"promise": "P38", "what": "half", "figures": {"n": 3}, "test": "tests/test_recover.py::test_b"}
    begun = report_of(
        [half], Outcome({half["test"]: 1.0}, unfinished={"recover", "load"}), wanted=["P38"], about={"commit": "ddd"},
        earlier=earlier,
    )  # fmt: skip
    assert "**missing**" not in begun
    both = Outcome({half["test"]: 1.0, "tests/test_load.py::test_c": 1.0}, unfinished={"faults"})
    about = {"commit": "ddd"}
    told = [half | {"promise": "P4"}, half | {"promise": "P4", "what": "drops", "test": "tests/test_load.py::test_c"}]
    first_p4 = report_of(told, both, wanted=["P4"], about=about)
    later = report_of(told[:1], both, wanted=["P4"], about={"commit": "eee"}, earlier=first_p4)
    assert "- half: n 3\n- drops: n 3 [ddd]" in later
    lived = [half | {"promise": "P4", "what": "a life: read, load"}]
    once = report_of(lived, both, wanted=["P4"], about={"commit": "eee"}, earlier=first_p4)
    again = report_of(lived, both, wanted=["P4"], about={"commit": "fff"}, earlier=once)
    assert again.count("a life: read, load") == 1
    old = earlier.replace(" | aaa |", " |").replace(" | commit |", " |")
    assert "| P38 A lost store is rebuilt from Ashby | held | 1 | 1 | aaa |" in report_of(
        [], Outcome(), wanted=["P10"], about={"commit": "bbb"}, earlier=old
    )


def test_what_was_proved_before_a_stop_is_kept(tmp_path: Path) -> None:
    """A file that has run is not run again; one that was stopped in its middle leaves the report open."""
    done, stopped, never = (Part(name, tmp_path / name) for name in ("a", "b", "never"))
    for folder in (done.folder, stopped.folder):
        folder.mkdir()
        (folder / "junit.xml").write_text(JUNIT)
        (folder / "told.jsonl").write_text('{"promise": "P1", "what": "x", "figures": {}, "test": "t"}\n')
        (folder / "seconds").write_text("2.5")
    (done.folder / "code").write_text("1")
    assert prove(done, []) == 1
    lines, outcome, seconds = gathered([done, stopped, never])
    assert (len(lines), outcome.unfinished, seconds) == (2, {"b", "never"}, 5.0)
    assert gathered([done])[1].unfinished == set()


def test_what_will_run_and_what_stands_is_told_with_the_time_each_took(tmp_path: Path) -> None:
    """Times are those of the last run that came to its end, also of another commit."""
    for commit, name, seconds in (("aaa", "load", 600), ("aaa", "life", 3700), ("bbb", "load", 90)):
        folder = tmp_path / commit / name
        folder.mkdir(parents=True)
        (folder / "seconds").write_text(str(seconds))
        if name != "life":
            (folder / "code").write_text("0")
    (tmp_path / "aaa" / "life" / "code").write_text("1")
    now = [Part(name, tmp_path / "bbb" / name) for name in ("life", "load", "disk")]
    assert overview(now, tmp_path) == [
        "  life                     to run                   1 h 2 min",
        "  load                     stands, of bbb           2 min",
        "  disk                     to run                   never timed",
        "2 of 3 to run: about 1 h 2 min, and 1 that were never timed.",
    ]
    found = parts_of(["life", "load", "disk"], tmp_path / "bbb", ["aaa"], kept_all=tmp_path)
    assert [part.folder.parent.name for part in found] == ["aaa", "bbb", "bbb"]
    assert overview(found[:2], tmp_path)[-1] == "0 of 2 to run: nothing."


def test_ten_thousand_seeds_are_played_in_parts_that_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night's run that is stopped goes on with the next 500; what was played on the same commit stands beside it."""
    monkeypatch.setenv("WORKBOOK_SEEDS", "1700")
    first = parts_of(["faults"], tmp_path / "aaa", [])
    assert [(part.folder.name, part.seeds, part.is_more) for part in first] == [
        ("faults", range(500), False),
        ("faults-500-1000", range(500, 1000), True),
        ("faults-1000-1500", range(1000, 1500), True),
        ("faults-1500-1700", range(1500, 1700), True),
    ]
    for part in first[:2]:
        part.folder.mkdir(parents=True)
        (part.folder / "code").write_text("0")
    monkeypatch.setenv("WORKBOOK_SEEDS", "1000:1300")
    more = parts_of(["life", "faults"], tmp_path / "aaa", [])
    assert [part.folder.name for part in more] == ["life", "faults-1000-1300", "faults", "faults-500-1000"]
    assert [part.is_proved for part in more] == [False, False, True, True]
    monkeypatch.delenv("WORKBOOK_SEEDS")
    assert [part.folder.name for part in parts_of(["faults"], tmp_path / "bbb", [])] == ["faults"]
    assert [(seeds("500"), seeds("500:1000"))] == [(range(500), range(500, 1000))]
    told = [{"seed": seed} for part in (range(3), range(2, 5)) for seed in part]
    assert summed(told) == {"seeds": "5"}


def _telling(text: str) -> dict[str, set[str]]:
    """{test that is marked as a proof: the promises it tells of}, also through a helper of the same file."""
    tree = ast.parse(text)
    functions = {one.name: one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
    told = {
        name: set(re.findall(r'tell\(\s*"(P\d+)"', ast.unparse(one).replace("'", '"')))
        for name, one in functions.items()
    }
    found = {}
    whole = any("mark.proof" in ast.unparse(one) for one in tree.body if isinstance(one, ast.Assign))  # pytestmark
    for name, one in functions.items():
        if whole or any("mark.proof" in ast.unparse(mark) for mark in one.decorator_list):
            called = {
                call.func.id for call in ast.walk(one) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
            }
            found[name] = told[name].union(*(told.get(helper, set()) for helper in called))
    return found


def test_a_file_that_was_proved_on_another_commit_is_said_to_be() -> None:
    """One long proof is mended without running all others again; the row names both commits."""
    line = {"promise": "P1", "what": "lives", "figures": {"lives": 3}, "test": "tests/test_life.py::test_a"}
    other = {"promise": "P1", "what": "deaths", "figures": {"deaths": 3}, "test": "tests/test_crashes.py::test_b"}
    outcome = Outcome({line["test"]: 1.0, other["test"]: 2.0})
    about = {"commit": "bbbb"}
    text = report_of([line, other], outcome, wanted=["P1"], about=about, older={"life": "aaaa", "disk": "cccc"})
    assert "| held | 2 | 3 | bbbb; life: aaaa |" in text
    again = report_of([], Outcome(), wanted=[], about={"commit": "dddd"}, earlier=text)
    assert "| held | 2 | 3 | bbbb; life: aaaa |" in again


def test_each_file_with_proofs_has_its_place_in_the_order() -> None:
    assert sorted(ORDER) == sorted({name for _, names in PROMISES.values() for name in names})
    telling = {path.stem.removeprefix("test_"): _telling(path.read_text("utf-8")) for path in TESTS}
    assert {name for name, told in telling.items() if any(told.values())} <= set(ORDER)


@pytest.mark.parametrize("promise", PROMISES)
def test_each_file_of_a_promise_has_a_marked_test_that_tells_of_it(promise: str) -> None:
    """`make prove` runs marked tests only: one without the mark would leave its promise without a proof."""
    for name in PROMISES[promise][1]:
        telling = _telling((ROOT / "tests" / f"test_{name}.py").read_text("utf-8"))
        assert [test for test, promises in telling.items() if promise in promises] != [], (promise, name)

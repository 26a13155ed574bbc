"""P29, for "exactly once": each deliberate damage of the ledger, the load and the look-ups makes tests fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from crash_world import EXTRACTED
from mutants import MUTANTS, Mutant
from proofs import PROVE, tell

COPIED = ("lib", "sandbox", "tests", "pyproject.toml")
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".hypothesis", "runs")
FAILED = 1  # pytest's exit code for "some tests failed"; a test that could not be collected or found has another
THESE = [one for one in MUTANTS if one.ordinary or PROVE]


def _copy(folder: Path) -> Path:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=IGNORED)
        else:
            shutil.copy2(source, folder / name)
    return folder


def _run(folder: Path, tests: tuple[str, ...], extracted: Path) -> subprocess.CompletedProcess[str]:
    """The named tests in a copy of the repository, by this very Python; the ordinary portion of each is enough."""
    unset = {"WORKBOOK_PROVE", "WORKBOOK_PROOF", "WORKBOOK_HOME", "PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    more = {"PYTHONPATH": str(folder), EXTRACTED: str(extracted), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    words = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return subprocess.run(
        words, cwd=folder, env=environment | more, capture_output=True, text=True, check=False, timeout=600
    )  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_the_place_of_each_damage_is_still_there_once(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text("utf-8")
    assert text.count(mutant.old) == 1
    assert mutant.old != mutant.new
    for test in mutant.tests:
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text("utf-8") if name else (ROOT / path).is_file()


def test_there_are_damages_enough_and_no_name_twice() -> None:
    assert len({one.name for one in MUTANTS}) == len(MUTANTS) >= 20


@pytest.mark.proof
@pytest.mark.parametrize("mutant", THESE, ids=lambda one: one.name)
def test_a_damaged_program_fails_its_tests(mutant: Mutant, tmp_path: Path, extracted: Path) -> None:
    folder = _copy(tmp_path)
    path = folder / mutant.file
    path.write_text(path.read_text("utf-8").replace(mutant.old, mutant.new), "utf-8")
    compile(path.read_text("utf-8"), mutant.file, "exec")  # a damage that does not compile proves nothing
    done = _run(folder, mutant.tests, extracted)
    survived = int(done.returncode != FAILED)
    assert not survived, done.stdout[-3000:] + done.stderr[-1000:]
    assert "AttributeError: module" not in done.stdout
    assert "NameError" not in done.stdout
    tell("P29", "damages of ledger, load and look-ups that tests notice", mutants=1, survived=survived)


@pytest.mark.proof
@pytest.mark.skipif(not PROVE, reason="`make prove`: the same tests run undamaged in this very suite")
def test_the_undamaged_copy_passes(tmp_path: Path, extracted: Path) -> None:
    """Otherwise every damage would seem to be noticed."""
    folder = _copy(tmp_path)
    tests = {test for one in THESE for test in one.tests}
    done = _run(folder, tuple(sorted(tests)), extracted)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]

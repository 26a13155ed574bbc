"""Measurements: each keeps its section and aims in bench/README.md; what stands in for Lever tells all there is."""

from __future__ import annotations

import ast
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import new_store, store_at

from bench.again import STEP_MS, Template
from bench.table import AIMS, MISSED, SECTIONS, Aim, keep
from bench.told_lever import told_lever
from lib import extract as extraction
from lib.store import Store

ROOT = Path(__file__).resolve().parents[1]
BENCHES = re.search(r"^BENCHES \?= (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)[1].split()


# ---- the file --------------------------------------------------------------------------------------------------------
def kept_by(name: str) -> list[str]:
    """The titles of the sections that a benchmark keeps."""
    tree = ast.parse((ROOT / "bench" / f"{name}.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [one.args[0].value for one in calls if getattr(one.func, "id", "") == "keep"]


def test_every_benchmark_keeps_a_section_of_its_own() -> None:
    assert sorted(SECTIONS) == sorted(title for name in BENCHES for title in kept_by(name))


@pytest.mark.parametrize("name", BENCHES)
def test_every_benchmark_says_how_it_is_run(name: str) -> None:
    text = ast.get_docstring(ast.parse((ROOT / "bench" / f"{name}.py").read_text("utf-8")))
    assert f"python -m bench.{name}" in text


@pytest.fixture
def readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file as bench/README.md is, and a command line of somebody."""
    path = tmp_path / "README.md"
    path.write_text(f"# Measurements\n\nWords.\n\n## {MISSED}\n\nBy hand.\n", "utf-8")
    monkeypatch.setattr(sys, "argv", ["/somewhere/bench/load.py", "--rows", "20", "--stores", "/a/folder"])
    return path


def titles(path: Path) -> list[str]:
    return re.findall(r"^## (.+)$", path.read_text("utf-8"), re.MULTILINE)


def aims_of(path: Path) -> list[str]:
    section = path.read_text("utf-8").partition(f"## {AIMS}\n")[2].partition("\n## ")[0]
    return [line.rpartition(" | ")[0] for line in section.splitlines() if line.startswith("| ")][2:]


def test_a_run_replaces_its_own_section_and_aims_and_nothing_else(readme: Path) -> None:
    keep("Sandbox", ("what", "n"), [("a", 1)], aims=[Aim("requests", "9/s", "10/s", True)], file=readme)
    early = [Aim("rows", "1/s", "2/s", True), Aim("told", "told", "3", None)]
    keep("Load, limits off", ("what", "n"), [("old", 1)], notes="old notes", aims=early, file=readme)
    keep("Load, limits off", ("what", "n"), [("new", 2)], aims=[Aim("rows", "1/s", "0/s", False)], file=readme)
    text = readme.read_text("utf-8")
    assert [AIMS, MISSED, "Load, limits off", "Sandbox"] == titles(readme)
    assert ["| rows | 1/s | 0/s | **missed**", "| requests | 9/s | 10/s | yes"] == aims_of(readme)
    assert text.startswith("# Measurements\n\nWords.\n\n## ")
    assert f"## {MISSED}\n\nBy hand.\n\n## " in text
    assert "| a | 1 |\n" in text
    assert "| new | 2 |\n" in text
    assert "old notes" not in text


def test_a_section_is_labelled_by_its_command_without_folders(readme: Path) -> None:
    text = keep("Load, limits off", ("what",), [("a",)], file=readme)
    assert text.startswith("## Load, limits off\n\n`python -m bench.load --rows 20 --stores folder`, ")


# ---- a company that is told again ------------------------------------------------------------------------------------
@pytest.fixture
def source(mapped_home: Path) -> Store:
    """The store of a small company."""
    one = store_at(mapped_home)
    yield one
    one.close()


def test_the_first_block_is_the_company_itself_and_others_share_no_person_with_it(source: Store) -> None:
    template = Template(source)
    assert list(source.all("opportunities")) == [life.item.value(0) for life in template.lives]
    seen: set[str] = set()
    for block in (0, 1, 30):
        items = [life.item.value(block) for life in template.lives]
        own = {one["id"] for one in items} | {mail for one in items for mail in one["emails"]}
        own |= {phone["value"] for one in items for phone in one["phones"]} | {one["name"] for one in items}
        own |= {link for one in items for link in one["links"] if "linkedin.com/in/" in link}
        assert not seen & (own - {""})
        seen |= own


def test_windows_of_the_told_lever_hold_every_opportunity_once(source: Store) -> None:
    template = Template(source)
    lever = told_lever(template, 3)
    ends = [0, 1_500_000_000_000, 1_700_000_000_000, template.now_ms - 40 * STEP_MS, template.now_ms + 1]
    found = []
    for start, end in pairwise(ends):
        query = [("confidentiality", "all"), ("created_at_start", str(start)), ("created_at_end", str(end - 1))]
        found += [(one["id"], start <= one["createdAt"] < end) for one in lever.items("/opportunities", query)]
    wanted = {(life.item.value(block)["id"], True) for life in template.lives for block in range(3)}
    assert len(found) == len(wanted)
    assert set(found) == wanted


def test_an_extraction_brings_all_that_the_told_lever_has(source: Store, tmp_path: Path) -> None:
    template = Template(source)
    store = new_store(tmp_path / "runs" / "acme")
    extraction.run(extraction.Extract(store, told_lever(template, 2), workers=1))
    for stream in ("opportunities", *extraction.CHILDREN):
        assert store.count(stream) == 2 * source.count(stream), stream
    assert [row.state for row in store.files()].count("stored") == 2 * [one.state for one in source.files()].count(
        "stored"
    )
    assert store.meta("extract.unsettled") == 0
    store.close()

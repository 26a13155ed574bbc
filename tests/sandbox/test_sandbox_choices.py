"""Switches at the boot and while the sandbox runs: every one says what it may be, and nothing else is taken."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from lever_kit import Server

import sandbox
from sandbox import choices, settings
from sandbox.app import create_app
from sandbox.ashby import switches as ashby
from sandbox.lever import switches as lever


def test_every_default_is_among_the_values_of_its_switch():
    """And no values are told of a switch that is not there."""
    assert choices.checked(choices.defaults()) == choices.defaults()
    for side in (lever, ashby):
        assert set(side.VALUES) <= set(side.SWITCHES)


def test_every_value_of_a_switch_stands_in_a_readme():
    """Beside its name, in the table of the side it belongs to."""
    folder = Path(sandbox.__file__).parent
    rows = (folder / "README.md").read_text() + (folder / "ashby" / "README.md").read_text()
    untold = [
        (name, value)
        for name, rule in {**lever.VALUES, **ashby.VALUES}.items()
        if "|" in rule
        for value in rule.split("|")
        if not any(f"`{value}`" in row for row in re.findall(rf"^\| (?:`\w+`, )*`{name}`.*$", rows, re.MULTILINE))
    ]
    assert untold == []


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("unknown_members", "a switch is name=value"),
        ("unknown_member=ignore", "unknown switch: unknown_member; there are api_version, "),
        ("unknown_members=ignored", "unknown_members must be one of refuse, ignore, not 'ignored'"),
        ("cursor_seconds=soon", "cursor_seconds must be a number from 0, not 'soon'"),
        ("deleted_reach_days=-1", "deleted_reach_days must be a number from 0, or nothing, not '-1'"),
        ("key_toggles=private,everything", "key_toggles must be some of confidential, private, history, behalf"),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused_with_what_there_is(word: str, said: str):
    """On the command line."""
    with pytest.raises(ValueError, match=re.escape(said)):
        choices.read(["note_order=newest", word])


def test_the_command_line_refuses_before_anything_starts():
    """Exit code 2 and no traceback."""
    words = [sys.executable, "-m", "sandbox", "--switch", "lever_region=mars"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "lever_region must be one of global, eu, not 'mars'" in done.stderr


def test_switches_of_the_boot_hold_from_the_first_call_and_after_a_reset():
    """Both sides; DELETE goes to the defaults, reset back to the boot; a value may hold equals signs."""
    server = Server("--switch", "lever_region=eu", "--switch", "warnings=*:a=b", people=10)
    try:
        assert server.facts["switches"] == {"lever_region": "eu", "warnings": "*:a=b"}
        assert server.get("/stages").headers["x-lever-region"] == "eu"
        assert server.ashby("apiKey.info", {}).json()["warnings"] == ["a=b"]
        assert server.control("switches", "DELETE")["lever_region"] == "global"
        server.control("reset", "POST")
        assert server.control("switches")["lever_region"] == "eu"
        refused = server.control("switches", "POST", {"lever_region": "mars"})
        assert refused == {"ok": False, "message": "lever_region must be one of global, eu, not 'mars'"}
        assert server.get("/stages").headers["x-lever-region"] == "eu"
    finally:
        assert server.end() == 0


def test_a_switch_that_was_asked_for_wins_over_the_one_of_a_scenario():
    """The other switches of the scenario stay."""
    for given, found in (({}, "400"), ({"search_delay_ms": "7"}, "7")):
        one = settings.make(seed=7, people=5, scenario="visible-late", switches=given)
        create_app(settings.bind(one, "http://127.0.0.1:9"))
        others = {"visible_after_ms": "100", "visible_spread_ms": "40", "stale_after_ms": "100"}
        assert one.switches == {"search_delay_ms": found} | others

"""The whole move through the command line, as a user runs it: once calmly, once killed twice, once more for nothing."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import PROBE
from picture import picture
from reconcile import problems

from lib import service

pytestmark = pytest.mark.demo
ROOT = Path(__file__).resolve().parents[1]
LIMIT = 600  # seconds: far above what a run takes; only there so that nothing hangs for ever


class Home:
    """A home of its own with the demo customer's params, and the command line in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "params", folder / "params")
        self.runs = folder / "runs" / "demo"
        self.env = os.environ | {"WORKBOOK_HOME": str(folder)}

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "lib.cli", "run", "demo", *words]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip

    def run(self, *words: str) -> tuple[int, str]:
        process = self.start(*words)
        text, _ = process.communicate(timeout=LIMIT)
        return process.returncode, text

    def kill_during(self, step: str, share: float, *words: str) -> None:
        """Start a run and end the command line with -9 when `step` has come so far; its kernel is left to itself."""
        process = self.start(*words)
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and process.poll() is None:
            about = self.progress()
            if about.get("step") == step and about.get("total") and about["done"] >= share * about["total"]:
                break
            time.sleep(0.05)
        assert process.poll() is None, process.communicate()[0]
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()

    def progress(self) -> dict:
        try:
            return json.loads((self.runs / "progress.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}

    def ask(self, what: str) -> dict:
        found = service.running(self.runs)
        assert found is not None
        with urllib.request.urlopen(f"{found.url('control_url')}/{what}", timeout=60) as answer:
            return json.load(answer)

    def writes(self) -> int:
        return self.ask("calls")["writes"]

    def stop(self) -> None:
        service.stop(self.runs)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory):
    home = Home(tmp_path_factory.mktemp("calm"))
    home.outcome = home.run("--fresh", "--execute")
    yield home
    home.stop()


def test_the_demo_ends_well_and_says_where_the_report_is(calm: Home) -> None:
    code, text = calm.outcome
    assert code == 0, text
    index = Path(re.search(r"report: (\S+)", text).group(1))
    assert index.is_file()
    assert len(list(index.parent.glob("*.html"))) == 7
    counts = calm.ask("truth")["counts"]
    assert counts["people"] >= 300
    assert counts["opportunities"] >= 500


def test_nothing_is_lost_doubled_invented_or_announced(calm: Home) -> None:
    truth, state = calm.ask("truth"), calm.ask("state")
    assert {kind: found for kind, found in problems(truth, state).items() if found} == {}
    kinds = {name for person in truth["people"] for name in person["traps"]}
    assert {"agency-mailbox", "placeholder", "case-variant", "namesake", "family", "anonymised", "hostile"} <= kinds
    assert [one for one in calm.ask("calls")["rejected_bodies"] if one != PROBE] == []


def test_the_report_shows_nobody(calm: Home) -> None:
    truth = calm.ask("truth")
    pages = "".join(path.read_text("utf-8") for path in (calm.runs / "reports").glob("*.html"))
    names = {person["name"] for person in truth["people"] if len(person["name"]) > 8}
    assert [name for name in names if name in pages] == []
    assert "@inbox.example" not in pages
    about = service.running(calm.runs).about
    assert [key for key in about["env"].values() if key in pages] == []


def test_no_key_stands_in_anything_that_is_kept(calm: Home) -> None:
    about = service.running(calm.runs).about
    keys = [key.encode() for key in about["env"].values()]
    files = [path for path in calm.runs.rglob("*") if path.is_file() and path.name != "service.json"]
    assert [path.name for path in files for key in keys if key in path.read_bytes()] == []
    loose = [path for path in calm.runs.rglob("*") if path.stat().st_mode & 0o077]
    assert loose == []


def test_a_second_run_writes_nothing(calm: Home) -> None:
    before, state = calm.writes(), picture(calm.ask("state"))
    code, text = calm.run("--execute")
    assert code == 0, text
    assert calm.writes() == before
    assert picture(calm.ask("state")) == state


def test_killed_in_extract_and_in_load_it_ends_in_the_same_state(
    calm: Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = Home(tmp_path_factory.mktemp("killed"))
    try:
        home.kill_during("extract", 0.4, "--fresh", "--execute")
        home.kill_during("load", 0.5, "--execute")
        code, text = home.run("--execute")  # the very same command again: people are compared with Ashby once more
        assert code == 0, text
        state = home.ask("state")
        assert {kind: found for kind, found in problems(home.ask("truth"), state).items() if found} == {}
        assert picture(state) == picture(calm.ask("state"))
    finally:
        home.stop()


def test_the_decisions_that_ship_with_the_demo_are_left_as_they_are(calm: Home) -> None:
    for path in sorted((ROOT / "params" / "demo").glob("*.csv")):
        assert (calm.folder / "params" / "demo" / path.name).read_bytes() == path.read_bytes(), path.name


def test_an_unknown_verdict_stops_the_plan_with_file_and_line(calm: Home, tmp_path: Path) -> None:
    file = calm.folder / "params" / "demo" / "archive_reasons.csv"
    good = file.read_text("utf-8")
    file.write_text(good.replace(",Timing\n", ",Tiiming\n"), "utf-8")
    try:
        code, text = calm.run("--from", "map", "--to", "map")
    finally:
        file.write_text(good, "utf-8")
    assert code == 3, text
    assert re.search(r"params/demo/archive_reasons\.csv:\d+", text)
    assert "Timing" in text
    assert "Traceback" not in text


def test_a_loss_in_ashby_makes_validation_red(calm: Home) -> None:
    """The proof can fail: an object that vanishes from Ashby behind our back is named, and the exit code is 3."""
    state = calm.ask("state")
    found = service.running(calm.runs)
    victim = next(
        one for one in state["candidates"] if one["id"] not in state["preexisting"]["candidates"] and one["tags"]
    )
    tag = next(one for one in state["tags"] if one["title"] == victim["tags"][0])
    request = urllib.request.Request(
        f"{found.url('ashby_url')}/candidate.removeTag",
        data=json.dumps({"candidateId": victim["id"], "tagId": tag["id"]}).encode(),
        headers={"Content-Type": "application/json", "Authorization": _basic(found.env["ASHBY_API_KEY"])},
        method="POST",
    )
    urllib.request.urlopen(request, timeout=30).close()
    code, text = calm.run("--from", "validate", "--execute")
    assert code == 3, text
    assert "GateError" in text
    assert "tag" in text


def _basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()

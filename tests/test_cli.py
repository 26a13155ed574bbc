"""The command line: each mistake gives one clear message and its exit code, and never a traceback."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lib import cli

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "params").mkdir()
    return tmp_path


def workbook(home: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    return subprocess.run(
        [sys.executable, "-m", "lib.cli", *words],
        cwd=ROOT, env=plain | {"WORKBOOK_HOME": str(home), "COLUMNS": "200"} | env,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def params(home: Path, text: str, *, customer: str = "acme") -> None:
    (home / "params" / f"{customer}.yaml").write_text(f"customer: {customer}\n{text}", "utf-8")


def failed(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in done.stderr


def test_a_customer_that_does_not_exist_is_named_with_the_remedy(home: Path) -> None:
    params(home, "")
    failed(workbook(home, "run", "nobody"), 2, "nobody", "acme", "workbook new nobody")


@pytest.mark.parametrize("name", ["../x", "A", "", "a b", "x" * 41, ".."])
def test_a_name_that_could_leave_the_folder_is_refused(home: Path, name: str) -> None:
    failed(workbook(home, "run", name), 2, "not a customer name")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("levr: {}\n", ["levr", "acme.yaml"]),
        ("lever: {per_second: fast}\n", ["lever.per_second"]),
        ("lever: {base_url: 'http://api.lever.co/v1'}\n", ["lever.base_url", "https"]),
        ("policy: {phone_region: usa}\n", ["policy.phone_region"]),
        ("policy: [\n", ["YAML", "line"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(home: Path, text: str, words: list[str]) -> None:
    params(home, text)
    failed(workbook(home, "run", "acme"), 2, *words)


def test_a_params_file_without_its_customer_is_refused(home: Path) -> None:
    (home / "params" / "acme.yaml").write_text("lever: {}\n", "utf-8")
    failed(workbook(home, "run", "acme"), 2, "customer")


def test_a_missing_key_is_named_and_never_shown(home: Path) -> None:
    params(home, "")
    failed(workbook(home, "run", "acme", LEVER_API_KEY="s3cret"), 2, "ASHBY_API_KEY", ".env.acme")
    assert "s3cret" not in workbook(home, "run", "acme", LEVER_API_KEY="s3cret").stderr


def test_an_env_file_that_others_may_read_is_refused(home: Path) -> None:
    params(home, "")
    env = home / ".env.acme"
    env.write_text("LEVER_API_KEY=a\nASHBY_API_KEY=b\n", "utf-8")
    env.chmod(0o644)
    failed(workbook(home, "run", "acme"), 2, "chmod 600")


def test_a_host_that_is_down_is_named_at_once(home: Path) -> None:
    params(home, "lever: {base_url: 'http://127.0.0.1:9'}\nashby: {base_url: 'http://127.0.0.1:9'}\n")
    done = workbook(home, "run", "acme", LEVER_API_KEY="a", ASHBY_API_KEY="b")
    failed(done, 4, "Lever", "127.0.0.1:9", "cannot be reached")


def test_a_service_that_does_not_start_is_said(home: Path) -> None:
    params(home, "service: {command: ['{python}', '-c', 'print(1/0)']}\n")
    failed(workbook(home, "run", "acme"), 4, "did not say that it is ready", "service.log")
    params(home, "service: {command: ['/no/such/program']}\n")
    failed(workbook(home, "run", "acme"), 2, "cannot be started")


def test_steps_are_checked_before_anything_begins(home: Path) -> None:
    params(home, "")
    failed(workbook(home, "run", "acme", "--from", "lode"), 2, "lode", "extract")
    failed(workbook(home, "run", "acme", "--from", "load", "--to", "audit"), 2, "comes after")


def test_every_flag_of_a_run_reaches_a_parameter_of_its_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """papermill takes a parameter that the notebook does not have without an error."""
    told: dict[str, dict[str, Any]] = {}
    monkeypatch.setattr(cli.params, "load", lambda customer: None)
    monkeypatch.setattr(cli, "_open_once", lambda customer, take_over: None)
    monkeypatch.setattr(cli, "_tell_step", lambda customer, step, given: told.update({step: given}))
    monkeypatch.setattr(cli, "_report", lambda customer, level: None)
    monkeypatch.setattr(cli, "_summary", lambda *about, **more: None)
    cli.run("acme", execute=True, reread_all=True, retry_refused=True)
    assert (told["extract"]["reread_all"], told["load"]["retry_refused"]) == (True, True)
    for step, given in told.items():
        (file,) = ROOT.glob(f"notebooks/*_{step}.ipynb")
        cells = json.loads(file.read_text("utf-8"))["cells"]
        (cell,) = (cell for cell in cells if "parameters" in cell["metadata"].get("tags", []))
        assert given.keys() <= {line.partition(":")[0] for line in cell["source"]}, step


def test_a_real_target_is_never_begun_anew(home: Path) -> None:
    params(home, "")
    failed(workbook(home, "run", "acme", "--fresh"), 2, "throw-away", "ledger")


def test_new_writes_both_files_with_comments_and_private_keys(home: Path) -> None:
    done = workbook(home, "new", "acme")
    assert done.returncode == 0, done.stderr
    env = home / ".env.acme"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert "LEVER_API_KEY=\n" in env.read_text()
    text = (home / "params" / "acme.yaml").read_text()
    assert (home / "params" / "acme" / "overrides.csv").read_text() == "id,who,when,why\n"
    assert "customer: acme" in text
    assert text.count("#") > 15
    failed(workbook(home, "new", "acme"), 2, "nothing was changed")
    failed(workbook(home, "run", "acme"), 2, "LEVER_API_KEY")


def test_new_writes_a_practice_customer_that_needs_no_keys(home: Path) -> None:
    done = workbook(home, "new", "new", "--sandbox")
    assert done.returncode == 0, done.stderr
    assert 'customer = "new"' in done.stdout
    assert not (home / ".env.new").exists()
    text = (home / "params" / "new.yaml").read_text()
    assert "execute_by_default" not in text
    done = workbook(home, "run", "new", "--to", "audit")
    try:
        assert done.returncode == 0, done.stderr
    finally:
        assert workbook(home, "sandbox", "--stop", "new").returncode == 0


def test_status_plan_and_report_say_when_there_is_nothing_yet(home: Path) -> None:
    params(home, "")
    done = workbook(home, "status")
    assert (done.returncode, "not begun" in done.stdout) == (0, True)
    failed(workbook(home, "report", "acme"), 2, "no executed notebook")
    failed(workbook(home, "plan", "show", "acme"), 3, "no plan", "workbook run acme --to map")
    failed(workbook(home, "report", "acme", "--level", "open"), 2, "not a level")


def test_a_mistyped_command_or_option_is_two(home: Path) -> None:
    failed(workbook(home, "runn"), 2, "runn")
    failed(workbook(home, "run", "acme", "--exec"), 2, "--exec")


def test_stopping_a_sandbox_that_does_not_run_is_no_error(home: Path) -> None:
    done = workbook(home, "sandbox", "--stop")
    assert (done.returncode, done.stdout.strip()) == (0, "No sandbox was running.")


def test_a_damaged_store_is_told_beside_the_other_customers(home: Path) -> None:
    """`status` shows every customer, names the remedy for the damaged one, and ends with its code."""
    for name in ("acme", "burt"):
        params(home, "", customer=name)
    folder = home / "runs" / "acme"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "store.db").write_bytes(b"this is no database" * 1000)
    done = workbook(home, "status")
    failed(done, 4, "acme", "damaged", "workbook recover acme")
    assert "burt" in done.stdout
    assert "not begun" in done.stdout
    failed(workbook(home, "plan", "show", "acme"), 4, "damaged", "workbook recover acme")


def test_recover_names_what_it_lacks(home: Path) -> None:
    params(home, "")
    failed(workbook(home, "recover", "acme"), 2, "LEVER_API_KEY", ".env.acme")
    failed(workbook(home, "recover", "nobody"), 2, "workbook new nobody")
    params(home, "store_url: 'postgresql://somebody@localhost/workbook'\n")
    failed(workbook(home, "recover", "acme", "--anew"), 2, "not set aside by us")

"""Opening a customer: settings, keys, folders, progress, and the account that was pinned."""

import json
import stat
from pathlib import Path

import pytest

from lib import workbook
from lib.errors import ConfigError, GateError
from lib.workbook import ProgressLine, line, open_customer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path))
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "acme.yaml").write_text("customer: acme\n", "utf-8")
    monkeypatch.setenv("LEVER_API_KEY", "lever-key-1")
    monkeypatch.setenv("ASHBY_API_KEY", "ashby-key-1")
    return tmp_path


def test_a_customer_opens_with_private_folders_and_the_vendors_addresses(home: Path) -> None:
    book = open_customer("acme")
    try:
        assert book.lever.base_url == "https://api.lever.co/v1"
        assert book.ashby.base_url == "https://api.ashbyhq.com"
        assert stat.S_IMODE(book.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((book.folder / "store.db").stat().st_mode) == 0o600
    finally:
        book.close()


def test_the_env_file_of_the_customer_wins_over_the_environment(home: Path) -> None:
    env = home / ".env.acme"
    env.write_text("# keys\nLEVER_API_KEY='from-file'\nASHBY_API_KEY=other\n", "utf-8")
    env.chmod(0o600)
    book = open_customer("acme")
    try:
        assert book.masker.mask("x from-file y other") == "x *** y ***"
    finally:
        book.close()


def test_a_line_of_the_env_file_that_is_none_is_named(home: Path) -> None:
    env = home / ".env.acme"
    env.write_text("LEVER_API_KEY\n", "utf-8")
    env.chmod(0o600)
    with pytest.raises(ConfigError, match="line 1"):
        open_customer("acme")


def test_another_account_under_the_same_name_is_refused(home: Path) -> None:
    book = open_customer("acme")
    try:
        book.pin("Ashby", ["u1", "u2"])
        book.pin("Ashby", ["u2", "u3"])
        with pytest.raises(GateError, match="not the one of the first audit"):
            book.pin("Ashby", ["x1", "x2"])
    finally:
        book.close()


def test_the_log_holds_no_key(home: Path) -> None:
    book = open_customer("acme")
    try:
        book.log("odd", text="lever-key-1 came up")
        text = (book.folder / "log.jsonl").read_text("utf-8")
    finally:
        book.close()
    assert json.loads(text)["text"] == "*** came up"
    assert stat.S_IMODE((book.folder / "log.jsonl").stat().st_mode) == 0o600


def test_progress_tells_done_total_pace_and_why_it_waits(home: Path) -> None:
    file = home / "progress.json"
    tell = ProgressLine(file, "load")
    tell(0, 100, "")
    tell(100, 100, "held back")
    about = json.loads(file.read_text("utf-8"))
    assert (about["step"], about["done"], about["total"], about["note"]) == ("load", 100, 100, "held back")
    text = line({"step": "load", "done": 5, "total": 1000, "per_second": 2.0, "note": "429"}, 3700.0)
    assert text == "load: 5 of 1,000, 2.0 per second, about 1 h 1 min left (429)"


def test_when_a_throw_away_target_was_started_anew_the_run_begins_anew_and_the_old_one_is_kept(home: Path) -> None:
    folder = workbook.folder_of("acme")
    book = open_customer("acme")
    book.store.put_meta("service.instance", "first")
    book.close()
    assert workbook._set_aside("acme", book.params, "first") == ""
    assert "begins anew" in workbook._set_aside("acme", book.params, "second")
    assert (home / "runs" / "acme.previous" / "store.db").is_file()
    assert not (folder / "store.db").exists()

"""The files of a new customer: for a real one with comments and a place for keys, for practice without any."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from lib import newcomer, params
from lib.errors import ConfigError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path))
    return tmp_path


def test_a_real_customer_gets_all_settings_with_comments_and_a_private_file_for_keys(home: Path) -> None:
    told = " ".join(newcomer.make("acme", sandbox=False))
    assert "put both keys into .env.acme" in told
    assert stat.S_IMODE((home / ".env.acme").stat().st_mode) == 0o600
    made = params.load("acme")
    assert (made.customer, made.service, made.execute_by_default) == ("acme", None, False)


def test_a_practice_customer_is_the_sandbox_and_nothing_is_written_by_default(home: Path) -> None:
    told = " ".join(newcomer.make("new", sandbox=True))
    assert 'customer = "new"' in told
    assert not (home / ".env.new").exists()
    made = params.load("new")
    assert made.service is not None
    assert made.service.command[:3] == ["{python}", "-m", "sandbox"]
    assert made.execute_by_default is False
    assert made.policy.losses == "signed"
    demo = yaml.safe_load((Path(params.__file__).parents[1] / "params" / "demo.yaml").read_text("utf-8"))
    mine = yaml.safe_load((home / "params" / "new.yaml").read_text("utf-8"))
    assert {name: mine[name] for name in ("lever", "ashby")} == {name: demo[name] for name in ("lever", "ashby")}
    assert [path.name for path in (home / "params" / "new").iterdir()] == ["overrides.csv"]


@pytest.mark.parametrize("there", ["params/acme.yaml", ".env.acme"])
@pytest.mark.parametrize("sandbox", [True, False])
def test_what_is_there_already_is_never_written_over(home: Path, there: str, sandbox: bool) -> None:
    (home / "params").mkdir()
    (home / there).write_text("mine")
    with pytest.raises(ConfigError, match="nothing was changed"):
        newcomer.make("acme", sandbox=sandbox)
    assert (home / there).read_text() == "mine"
    assert [path.name for path in home.rglob("*") if path.is_file()] == [Path(there).name]

"""Shared by all tests that need both APIs: one sandbox process per session, and customers in temporary homes.

A customer here points at the sandbox as it would at the vendors: by addresses and keys from the environment.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import postgres as servers
import pytest
import yaml
from hypothesis import HealthCheck, settings

from lib import decisions, steps, workbook
from lib.store import Store, open_store

pytest_plugins = ["crash_world", "disk_world"]  # the small company of the crash proofs; a small disk
# How fast examples are made says something of the machine, not of the product.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
ROOT = Path(__file__).resolve().parents[1]
CUSTOMER = "acme"
PROBE = {"api": "ashby", "endpoint": "candidate.search", "reason": "workbookProbe: unknown member"}
"""The body by which the audit asks what Ashby does with a member that nobody knows."""
PROBED = ("expand=workbook_probe", "expand=contact,applications")
"""Parameters by which it asks the same of Lever."""
LONGEST = ("demo", "lab", "life", "crashes", "disk", "postgres", "cli", "switches", "steps", "recover", "mutants")
"""tests/test_<name>.py that take minutes: begun first, so that no process is left alone with one of them at the end."""
LAST_RESORT = {"archive_reasons": "Unresponsive", "sources": "none", "users": "none", "custom_fields": "note"}
Json = dict[str, Any]


# What the parent's other threads own (DuckDB's, pyarrow's) is not a forked child's to collect: it would end by SIGSEGV.
os.register_at_fork(after_in_child=gc.freeze)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first; the order within a file stays."""
    order = {f"test_{name}": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@dataclass(frozen=True)
class Sandbox:
    """The sandbox process, seen from outside."""

    about: Json

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the control addresses."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.about['control_url']}{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def reset(self) -> None:
        """Everything as at the boot."""
        self.ask("POST", "/reset")

    def faults(self, *rows: Json) -> None:
        """These faults and no others."""
        self.ask("PUT", "/faults", list(rows))

    def struck(self) -> int:
        """How often a fault has struck."""
        return sum(row["struck"] for row in self.ask("GET", "/faults"))

    def switch(self, **values: str) -> None:
        """Answers to open questions."""
        self.ask("POST", "/switches", values)

    @property
    def truth(self) -> Json:
        """Who is who, and what must arrive."""
        return self.ask("GET", "/truth")

    @property
    def state(self) -> Json:
        """The whole Ashby side."""
        return self.ask("GET", "/state")

    @property
    def rejected_bodies(self) -> list[Json]:
        """Bodies that do not fit the reference, but for the one by which the audit asks what becomes of such."""
        found = self.ask("GET", "/calls")["rejected_bodies"]
        return [one for one in found if one != PROBE]

    @property
    def unknown_params(self) -> list[Json]:
        """Query parameters that no reference knows, but for those by which the audit asks what becomes of such."""
        found = self.ask("GET", "/calls")["unknown_params"]
        return [one for one in found if one["name"] not in PROBED]

    def ashby(self, endpoint: str, body: Json) -> Json:
        """One call by somebody else: a recruiter at work in Ashby."""
        request = urllib.request.Request(f"{self.about['ashby_url']}/{endpoint}", data=json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        words = f"{self.about['ashby_key']}:".encode()
        request.add_header("Authorization", "Basic " + base64.b64encode(words).decode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = json.load(answer)
        assert body["success"] is True, body
        return body["results"]


def most_in(moments: Sequence[float], seconds: float) -> int:
    """The most calls in any window of that length; `moments` are in order."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


@contextlib.contextmanager
def running_sandbox(
    *, people: int, seed: int, limits: str = "off", lag_ms: int = 0, shape: str = ""
) -> Iterator[Sandbox]:
    """A sandbox process for the length of the block; `shape` is words `name=number` about its company."""
    words = [sys.executable, "-m", "sandbox", "--port", "0", "--people", str(people), "--seed", str(seed)]
    words += [f"--shape={word}" for word in shape.split()]
    words += ["--limits", limits, "--lag", str(lag_ms)]
    process = subprocess.Popen([*words, "--json"], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 60)
        line = process.stdout.readline() if ready else b""
        assert line, "the sandbox did not say that it is ready"
        yield Sandbox(json.loads(line))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()  # type: ignore[union-attr]


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    """The one sandbox of the session, as the last test left it: use `sandbox`."""
    with running_sandbox(people=40, seed=11) as one:
        yield one


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The sandbox, as at its boot."""
    sandbox_process.reset()
    return sandbox_process


def settings(sandbox: Sandbox, **more: Any) -> Json:
    """The params of a customer who lives in the sandbox, with the patience of a test."""
    host = sandbox.about["storage_url"].split("/")[2]
    retry = {"attempts": 5, "first_s": 0.02, "longest_s": 0.1}
    lever = {
        "base_url": sandbox.about["lever_url"], "key_env": "TEST_LEVER_KEY", "per_second": 5000, "burst": 500,
        "workers": 6, "download_hosts": [host], "retry": retry,
    }  # fmt: skip
    ashby = {
        "base_url": sandbox.about["ashby_url"], "key_env": "TEST_ASHBY_KEY", "per_minute": 300_000, "workers": 6,
        "upload_hosts": [host], "settle_s": 0.2, "retry": retry,
    }  # fmt: skip
    lever |= more.pop("lever", {})
    ashby |= more.pop("ashby", {})
    policy = {"confidential_as_new": True, "losses": "unsigned"} | more.pop("policy", {})
    return {"customer": CUSTOMER, "lever": lever, "ashby": ashby, "policy": policy, **more}


# ---- where the store is: SQLite, or with WORKBOOK_TEST_STORE=postgresql a database of its own for each home -------
ON_POSTGRES = os.environ.get("WORKBOOK_TEST_STORE") == "postgresql"
_server: list[servers.Server] = []  # the one of the session: settings are written by functions, not by fixtures


@pytest.fixture(scope="session", autouse=ON_POSTGRES)
def postgres() -> Iterator[servers.Server]:
    """A PostgreSQL server for the session, with its password in the environment."""
    servers.needed()
    with servers.running() as one, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORE_PASSWORD", servers.PASSWORD)
        if ON_POSTGRES:
            _server.append(one)
        yield one
        _server.clear()


def store_url(*, like: str = "") -> str:
    """The address of a new database (or of a copy of another one); empty while stores are SQLite."""
    return _server[0].fresh(template=like or "template1") if _server else ""


def new_store(folder: Path, *, url: str | None = None) -> Store:
    """An empty store of a customer, wherever stores are."""
    return open_store(folder, url=store_url() if url is None else url, password=servers.PASSWORD)


def store_at(home: Path) -> Store:
    """The store of the customer of a home, wherever it is."""
    return new_store(home / "runs" / CUSTOMER, url=store_url_of(home))


def store_url_of(home: Path) -> str:
    """Where the store of the customer of a home is; empty for SQLite."""
    return yaml.safe_load((home / "params" / f"{CUSTOMER}.yaml").read_text()).get("store_url", "")


def point(home: Path, url: str) -> None:
    """The store of the customer of a home is at `url` from now on."""
    path = home / "params" / f"{CUSTOMER}.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"store_url": url}))


def copied_home(source: Path, target: Path, *, url: str | None = None) -> Path:
    """A home of its own like `source`, with a copy of its store (or with the store at `url`)."""
    shutil.copytree(source, target)
    there = store_url_of(target)
    other = url if url is not None else (there and store_url(like=there))
    if other:
        point(target, other)
    return target


def write_customer(home: Path, sandbox: Sandbox, **more: Any) -> None:
    """params/acme.yaml in `home`; its store stays where it is."""
    path = home / "params" / f"{CUSTOMER}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = yaml.safe_load(path.read_text()).get("store_url", "") if path.is_file() else store_url()
    path.write_text(yaml.safe_dump(settings(sandbox, **({"store_url": known} | more))))


def oauth_customer(home: Path, sandbox: Sandbox, *, lever: Json | None = None, **more: Any) -> None:
    """The customer of the sandbox, with OAuth in place of the key, and secrets in .env.acme."""
    told = sandbox.about["lever_oauth"]
    urls = {name: told[name] for name in ("token_url", "authorize_url")}
    with_tokens = {"auth": "oauth", "key_env": "NO_SUCH_KEY", "oauth": urls}
    write_customer(home, sandbox, lever=with_tokens | (lever or {}), **more)
    env = home / f".env.{CUSTOMER}"
    words = {
        "LEVER_CLIENT_ID": "client_id",
        "LEVER_CLIENT_SECRET": "client_secret",
        "LEVER_REFRESH_TOKEN": "refresh_token",
    }
    env.write_text("".join(f"{name}={told[word]}\n" for name, word in words.items()), "utf-8")
    env.chmod(0o600)


@contextlib.contextmanager
def environment(home: Path, sandbox: Sandbox) -> Iterator[None]:
    """WORKBOOK_HOME and the keys, for the length of the block."""
    wanted = {
        "WORKBOOK_HOME": str(home),
        "TEST_LEVER_KEY": sandbox.about["lever_key"],
        "TEST_ASHBY_KEY": sandbox.about["ashby_key"],
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@pytest.fixture
def home(tmp_path: Path, sandbox: Sandbox) -> Iterator[Path]:
    """A WORKBOOK_HOME of its own, with the customer's params and the keys in the environment."""
    folder = tmp_path / "home"
    write_customer(folder, sandbox)
    with environment(folder, sandbox):
        yield folder


@pytest.fixture
def opened() -> Iterator[Callable[..., workbook.Workbook]]:
    """Opens customers and closes them when the test ends."""
    books: list[workbook.Workbook] = []

    def open_one(customer: str = CUSTOMER) -> workbook.Workbook:
        books.append(workbook.open_customer(customer))
        return books[-1]

    yield open_one
    for one in books:
        one.close()


@pytest.fixture
def book(home: Path, opened: Callable[..., workbook.Workbook]) -> workbook.Workbook:
    """A customer at the very beginning."""
    return opened()


@pytest.fixture(scope="session")
def mapped_home(tmp_path_factory: pytest.TempPathFactory, sandbox_process: Sandbox) -> Path:
    """A home whose customer is extracted, decided and mapped, and has loaded nothing: to be copied."""
    folder = tmp_path_factory.mktemp("mapped") / "home"
    sandbox_process.reset()
    write_customer(folder, sandbox_process)
    with environment(folder, sandbox_process):
        one = workbook.open_customer(CUSTOMER)
        prepare(one, sandbox_process)
        steps.map(one)
        one.close()
    return folder


@pytest.fixture
def mapped(
    mapped_home: Path, tmp_path: Path, sandbox: Sandbox, opened: Callable[..., workbook.Workbook]
) -> Iterator[workbook.Workbook]:
    """A customer whose plan is made and not loaded."""
    folder = copied_home(mapped_home, tmp_path / "home")
    with environment(folder, sandbox):
        yield opened()


def fill_people(book: workbook.Workbook, truth: Json) -> None:
    """Verdicts of people.csv from the sandbox's truth; pairs with people in Ashby: different unless they match."""
    owner = {contact: person for person in truth["people"] for contact in person["contacts"]}
    table = book.table("people")
    rows = []
    for row in table.rows:
        left, _, right = row["id"].partition("|")
        same = left in owner and right in owner and owner[left] is owner[right]
        rows.append(row | {"verdict": "same" if same else "different"})
    decisions.DecisionTable("people", table.path, rows, table.columns).write()


def fill(table: decisions.DecisionTable) -> decisions.DecisionTable:
    """Every open verdict as proposed; where nothing is proposed, something that is legal."""
    rows = []
    for one in table.rows:
        row = dict(one)
        row["verdict"] = row["verdict"] or row["proposal"] or LAST_RESORT.get(table.name, "")
        for name in [name for name in row if name.endswith("_verdict")]:
            row[name] = row[name] or row.get(name.replace("_verdict", "_proposal"), "")
        if table.name == "postings" and row["verdict"] == "new":
            row["plan_verdict"] = row["plan_verdict"] or row["plan"]
            row["location_verdict"] = row["location_verdict"] or "London"
        rows.append(row)
    return decisions.DecisionTable(table.name, table.path, rows, table.columns)


def prepare(book: workbook.Workbook, sandbox: Sandbox) -> None:
    """Audit, extract, dedupe and decide everything: all that comes before the plan."""
    steps.audit(book)
    steps.extract(book)
    decide(book, sandbox)


def decide(book: workbook.Workbook, sandbox: Sandbox) -> None:
    """Dedupe, with verdicts for all pairs, and fill all decision tables."""
    steps.dedupe(book)
    fill_people(book, sandbox.truth)
    steps.dedupe(book)
    with book.writing("map"):
        steps.read_target(book)
    for _ in range(2):  # choosing a plan for a posting makes new rows in stages.csv
        for table in steps.propose(book).values():
            fill(table).write()


def move(book: workbook.Workbook, sandbox: Sandbox, *, validate: bool = False) -> steps.LoadResult:
    """The whole move, as the six notebooks make it."""
    prepare(book, sandbox)
    steps.map(book)
    result = steps.load(book, execute=True)
    if validate:
        steps.validate(book)
    return result


def killed(work: Callable[[], object], *, seconds: float) -> bool:
    """Do `work` in a process of its own and kill it with -9 after `seconds`; False when it had ended before.

    Forked, so that a kill costs milliseconds: close every customer first, and open them anew inside `work`.
    """
    return killed_once_begun(lambda _begin: work(), seconds=seconds, begins_at_once=True)


def at_the_first(begin: Callable[[], object]) -> Callable[[str, object], None]:
    """A seam of a load that calls `begin` at its first effect."""
    told: list[object] = []

    def fail_at(_moment: str, _row: object) -> None:
        if not told:
            told.append(begin())

    return fail_at


def killed_once_begun(
    work: Callable[[Callable[[], object]], object], *, seconds: float, begins_at_once: bool = False
) -> bool:
    """The same, `seconds` after the process has called what it was given: however slow the machine is to begin."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work(lambda: os.write(writes, b"."))
            code = 0
        finally:
            os._exit(code)
    os.close(writes)
    if not begins_at_once:
        os.read(reads, 1)  # empty when the process has ended before
    os.close(reads)  # what is told further on goes nowhere: SIGPIPE is ignored by Python
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            assert not os.WIFSIGNALED(status), f"ended by signal {os.WTERMSIG(status)}, and nobody has sent it"
            return False
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1] == signal.SIGKILL

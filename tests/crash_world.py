"""Death at any effect: every commit of the store, every request that leaves, every answer that arrives.

Effects are found by counting at the borders (the database driver's commit, the transport's send), not by seams in the
code under test: an effect that somebody adds tomorrow is an effect here, too.
"""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import reconcile
from conftest import (
    CUSTOMER,
    Sandbox,
    copied_home,
    decide,
    environment,
    prepare,
    running_sandbox,
    write_customer,
)
from picture import picture

from lib import contract, steps, workbook
from lib.store.ledger import Ledger, Planned
from lib.workbook import Workbook

Json = dict[str, Any]
CHILD_DIED = 9
EXTRACTED = "WORKBOOK_TEST_EXTRACTED"  # an `extracted` home of another process: the sandbox is the same for one seed
LATER = {"application.update", "application.updateHistory"}  # only a plan that follows a load has these
EDITED = (
    "stage", "archive", "reopen", "hire", "source", "opportunity_new", "person_new", "note_new",
    "feedback_new", "form_new", "file_new", "resume_new", "interview_new", "offer_new",
)  # fmt: skip
"""What happens in Lever between the two loads: all that a call can follow, and corrected contacts besides."""
CORRECTED = ("name", "phone", "email", "location", "headline", "link")
HELPERS = {"file.createFileUploadHandle"}  # part of an upload, no row of its own
MEMORY = Path("/dev/shm")
FAST = {"settle_s": 0.05}
POLICY = {"existing_candidates": "link_and_fill"}


class DiedError(BaseException):
    """The end of the process: no `except Exception` may survive it."""


@dataclass
class Effects:
    """Counts the effects of one process and ends it at some of them; after that nothing has an effect any more."""

    deadly: frozenset[int] = frozenset()
    really: bool = False  # end this very process (a forked child), without unwinding anything
    seen: list[str] = field(default_factory=list)
    _dead: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def strike(self, name: str) -> None:
        """One more effect; DiedError when the process ends here, or has ended already."""
        with self._lock:
            if not self._dead:
                self.seen.append(name)
                self._dead = len(self.seen) in self.deadly
            if self._dead and self.really:
                os._exit(CHILD_DIED)
            if self._dead:
                raise DiedError(f"effect {len(self.seen)}: {self.seen[-1]}")


def watch(book: Workbook, effects: Effects) -> None:
    """Count what this customer commits, sends and receives; each of them is two effects: before and after."""
    dialect = book.store.engine.dialect
    dialect.do_commit = _both_sides(dialect.do_commit, effects, lambda *given, **more: "commit")
    for api in (book.lever, book.ashby):
        api.transport.send = _both_sides(api.transport.send, effects, _path)


def _path(method: str, url: str, **more: Any) -> str:
    return f"{method} {url.split('?', maxsplit=1)[0].split('/', 3)[-1]}"


def _both_sides(real: Callable[..., Any], effects: Effects, name: Callable[..., str]) -> Callable[..., Any]:
    def wrapped(*given: Any, **more: Any) -> Any:
        effects.strike(f"before {name(*given, **more)}")
        result = real(*given, **more)
        effects.strike(f"after {name(*given, **more)}")
        return result

    return wrapped


def doing(home: Path, sandbox: Sandbox, work: Callable[[Workbook], Any], *, effects: Effects | None = None) -> bool:
    """Open the customer of `home` and do `work`; False when it died of its effects."""
    with environment(home, sandbox):
        book = workbook.open_customer(CUSTOMER)
        try:
            if effects is not None:
                watch(book, effects)
            work(book)
        except DiedError:
            return False
        finally:
            book.close()
    return True


def doing_in_a_child(home: Path, sandbox: Sandbox, work: Callable[[Workbook], Any], *, effects: Effects) -> bool:
    """The same in a process of its own, which really ends; False when it did."""
    effects.really = True
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            doing(home, sandbox, work, effects=effects)
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, CHILD_DIED), code
    return code == 0


def folder_in_memory(fallback: Path) -> Path:
    """A new folder for a home: in memory where there is such a place, for a crash here is never one of the machine."""
    if not MEMORY.is_dir():
        return fallback
    folder = MEMORY / f"workbook-{os.getpid()}-{random.getrandbits(48):012x}"
    folder.mkdir(mode=0o700)
    return folder


# ---- a small company in which every kind of row occurs -----------------------------------------------------------
@dataclass(frozen=True)
class Company:
    """A home whose plan is made and not loaded, what must be true after its load, and what its load does."""

    home: Path
    truth: Json
    quiet: list[str]
    effects: list[str]
    begins: str = ""  # how Ashby stands before the load, by the name under which the sandbox has kept it

    def copy(self, folder: Path, sandbox: Sandbox, *, workers: int) -> Path:
        """A home like it, and a sandbox in which nothing has happened (or what was kept)."""
        home = folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        copied_home(self.home, home)
        back(sandbox, self.begins) if self.begins else sandbox.reset()
        configure(home, sandbox, workers=workers)
        return home


def configure(home: Path, sandbox: Sandbox, *, workers: int) -> None:
    """The params of the small company."""
    write_customer(home, sandbox, ashby=FAST | {"workers": workers}, policy=POLICY)


def another_option(book: Workbook) -> None:
    """Decide that the answers to one question go to a select field that Ashby has and that lacks its options."""
    table = book.table("custom_fields")
    row = next(row for row in table.rows if row["type"] == "multiple-choice" and row["id"].startswith("question:"))
    row["verdict"] = "Application:Visa status"
    table.write()


def cut(book: Workbook, *, times: int) -> set[str]:
    """Reduce the plan to people who have every kind of row between them (so many times, where there are as many)."""
    ledger = Ledger(book.store)
    rows = list(ledger.rows())
    features: dict[str, set[str]] = {}
    size: dict[str, int] = {}
    for row in rows:
        if row.person:
            features.setdefault(row.person, set()).update(features_of(row))
            size[row.person] = size.get(row.person, 0) + 1
    lacking = Counter({name: min(n, times) for name, n in Counter(chain(*features.values())).items()})
    chosen: set[str] = set()
    while +lacking:
        rest = sorted(set(features) - chosen)
        best = max(rest, key=lambda one: len(features[one] & set(+lacking)) / (8 + size[one]))
        chosen.add(best)
        lacking.subtract(features[best])
    kept = {row.row_id for row in rows if row.person in chosen or "custom_field" in row.lever_type}
    by_id = {row.row_id: row for row in rows}
    for row in reversed(rows):
        if row.row_id in kept:
            kept.update(row.needs)
    jobs = {by_id[key].lever_id for key in kept if by_id[key].lever_type == "posting"}
    kept |= {row.row_id for row in rows if row.lever_type == "posting" and row.lever_id in jobs}
    with book.writing("map"):
        ledger.put_plan([row for row in rows if row.row_id in kept], plan_hash="cut")
    return chosen


def features_of(row: Planned) -> set[str]:
    """What is special about a row of a person: its kind, and how it may be looked up."""
    found = {f"{row.kind} {row.lever_type}"}
    if row.kind == "candidate.create":
        found.add("with e-mail" if "email" in row.body else "without e-mail")
    if row.body.get("isPrivate"):
        found.add("private note")
    if row.kind == "customField.setValues":
        found.add(f"values of {row.body['objectType']}")
    return found


def only(truth: Json, people: Iterable[str]) -> Json:
    """The sandbox's truth about some people (each named by one of their contacts), as if there were no others."""
    wanted = set(people)
    persons = [one for one in truth["people"] if wanted & set(one["contacts"])]
    contacts = {contact for one in persons for contact in one["contacts"]}
    opportunities = [one for one in truth["opportunities"] if one["contact"] in contacts]
    ids = {one["id"] for one in opportunities}
    cut = {"people": persons, "opportunities": opportunities}
    cut["contacts"] = [one for one in truth["contacts"] if one["id"] in contacts]
    cut["must_not_merge"] = [pair for pair in truth["must_not_merge"] if set(pair) <= contacts]
    for kind in ("notes", "feedback", "forms", "questions", "interviews", "offers", "files"):
        cut[kind] = [one for one in truth[kind] if one["opportunity"] in ids]
    return truth | cut


def problems(truth: Json, state: Json) -> dict[str, list[str]]:
    """What is lost, doubled or wrong, by kind; empty when the move is exact."""
    return {kind: found for kind, found in reconcile.problems(truth, state).items() if found}


def load(book: Workbook) -> None:
    """Step 5 as a whole."""
    steps.load(book, execute=True)


def wrong_with(home: Path, sandbox: Sandbox, company: Company) -> dict[str, Any]:
    """What differs from the end state of a load that nothing disturbed; empty when nothing does."""
    with environment(home, sandbox):
        book = workbook.open_customer(CUSTOMER)
        states = {state for _, state, _ in Ledger(book.store).counts()}
        book.close()
    found: dict[str, Any] = {} if states == {"done"} else {"states": sorted(states)}
    state = sandbox.state
    found |= problems(company.truth, state)
    here = picture(state)
    if here != company.quiet:
        found["picture"] = [line[:300] for line in sorted(set(here) ^ set(company.quiet))[:6]] or ["counts differ"]
    return found


# ---- a second load: what has changed in Lever since the first one --------------------------------------------------
def back(sandbox: Sandbox, name: str) -> None:
    """Ashby stands as it was kept under this name."""
    sandbox.ask("POST", "/back", {"name": name})


def read_again(book: Workbook, sandbox: Sandbox) -> None:
    """Everything from Lever that has changed, decided and planned."""
    steps.extract(book, reread=True)
    decide(book, sandbox)
    steps.map(book)


def edited(sandbox: Sandbox) -> None:
    """People at work in Lever after the first load."""
    for kind in EDITED:
        sandbox.ask("POST", "/edits", {"n": 1, "seed": 1, "kinds": [kind]})
    edits: list[Json] = [{"kind": "contact_edit", "attribute": name} for name in CORRECTED]
    applications = [one["id"] for one in sandbox.truth["opportunities"] if one["expected"] == "application"]
    edits += [{"kind": "owner", "opportunity": one} for one in applications[:8]]  # shows where nobody else is credited
    sandbox.ask("POST", "/edits", {"edits": edits, "seed": 1})


def to_send(book: Workbook) -> Counter[str]:
    """How many rows of each kind a load would send."""
    return Counter({kind: n for kind, state, n in Ledger(book.store).counts() if state in ("planned", "changed")})


# ---- fixtures: conftest.py makes them known to all tests ------------------------------------------------------------
@pytest.fixture(scope="session")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory, gone afterwards."""
    folder = folder_in_memory(tmp_path_factory.mktemp("homes"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def extracted(memory: Path, sandbox_process: Sandbox) -> Path:
    """A home whose customer is extracted and decided; its plan is not made."""
    home = memory / "extracted"
    sandbox_process.reset()
    ready = os.environ.get(EXTRACTED)
    if ready:
        copied_home(Path(ready), home)
    configure(home, sandbox_process, workers=6)
    if ready:
        return home
    with environment(home, sandbox_process):
        book = workbook.open_customer(CUSTOMER)
        prepare(book, sandbox_process)
        another_option(book)
        book.close()
    return home


@pytest.fixture(scope="session")
def company(extracted: Path, memory: Path, sandbox_process: Sandbox) -> Company:
    """The small company: its plan is made, and a quiet load of it with one worker has been watched."""
    sandbox_process.reset()  # the plan is made for an Ashby in which nobody has been at work
    home = copied_home(extracted, memory / "company")
    with environment(home, sandbox_process):
        book = workbook.open_customer(CUSTOMER)
        steps.map(book)
        people = cut(book, times=2)
        kinds = {row.kind for row in Ledger(book.store).rows()}
        book.close()
    writes = {name for name, about in contract.ashby_endpoints().items() if about["effect"] != "read"}
    assert kinds == writes - HELPERS - LATER | {"link"}
    found = Company(home, only(sandbox_process.truth, people), [], [])
    copy, effects = found.copy(memory / "quiet", sandbox_process, workers=1), Effects()
    assert doing(copy, sandbox_process, load, effects=effects)
    state = sandbox_process.state
    assert problems(found.truth, state) == {}
    return dataclasses.replace(found, quiet=picture(state), effects=effects.seen)


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Sandbox]:
    """A sandbox of its own that is never reset: its Lever is edited, and its Ashby stands as it was kept."""
    with running_sandbox(people=6, seed=3) as one:
        yield one


@pytest.fixture(scope="session")
def second(elsewhere: Sandbox, memory: Path) -> Company:
    """A company that is loaded, and edited in Lever since: what has changed is planned, and a quiet load was watched.

    How Ashby stands before and after that quiet load is kept as "loaded" and "loaded again"; its home is beside.
    """
    home = memory / "second"
    configure(home, elsewhere, workers=6)
    with environment(home, elsewhere):
        book = workbook.open_customer(CUSTOMER)
        prepare(book, elsewhere)
        steps.map(book)
        load(book)
        edited(elsewhere)
        read_again(book, elsewhere)
        kinds = set(to_send(book))
        book.close()
    elsewhere.ask("POST", "/keep", {"name": "loaded"})
    lacking = LATER | {"candidate.update", "customField.setValues", "candidate.uploadFile"}
    lacking |= {"candidate.create", "application.create", "candidate.createNote", "applicationFeedback.submit"}
    assert lacking - kinds == set()
    found = Company(home, elsewhere.truth | {"edited_since": True}, [], [], begins="loaded")
    copy, effects = found.copy(memory / "second-quiet", elsewhere, workers=1), Effects()
    assert doing(copy, elsewhere, load, effects=effects)
    state = elsewhere.state
    elsewhere.ask("POST", "/keep", {"name": "loaded again"})
    found = dataclasses.replace(found, quiet=picture(state), effects=effects.seen)
    assert wrong_with(copy, elsewhere, found) == {}
    return found

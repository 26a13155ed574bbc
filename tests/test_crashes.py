"""P1 and P2: whatever moment we die, nothing is lost, nothing is doubled, and the end state is that of a quiet run."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import crash_world as world
import pytest
from conftest import (
    CUSTOMER,
    ROOT,
    Sandbox,
    at_the_first,
    copied_home,
    decide,
    environment,
    killed_once_begun,
    running_sandbox,
    write_customer,
)
from proofs import amount, tell
from reconcile import tally

from lib import contract, steps, workbook
from lib.load.guard import AMENDMENTS
from lib.store.ledger import Ledger
from lib.workbook import Workbook

pytestmark = [
    pytest.mark.proof,
    # the thread that gives signs of life dies with its process, too; pytest would report that as an error of its own
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]
PARTS = amount(1, 8)  # so that several processes can share the work
FAULTS = (
    {"api": "ashby", "writes": True, "every": 17, "effect": "reset_after"},
    {"api": "ashby", "share": 0.02, "effect": "status", "status": 503},
)


def spread(whole: int, wanted: int) -> list[int]:
    """`wanted` numbers of 1..`whole`, evenly spread; all of them when there are not so many."""
    step = max(1.0, whole / wanted)
    return sorted({1 + int(n * step) for n in range(min(wanted, whole))})


# ---- the load ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("part", range(PARTS))
def test_a_load_that_dies_at_any_effect_ends_as_if_it_had_not(
    company: world.Company, memory: Path, sandbox: Sandbox, part: int
) -> None:
    """One death each, at every commit, send and receive; then the ordinary number of workers goes on."""
    numbers = spread(len(company.effects), amount(24, len(company.effects)))[part::PARTS]
    figures = _one_death_each(company, memory / f"load{part}", sandbox, numbers)
    tell("P1", "one death at every effect of a load, then a resume", crash_points=numbers, **figures)


def _one_death_each(company: world.Company, folder: Path, sandbox: Sandbox, numbers: list[int]) -> Counter[str]:
    """A load that dies at one of these effects and is resumed, each from the beginning; what died where, and harm."""
    found: Counter[str] = Counter()
    for number in numbers:
        home = company.copy(folder, sandbox, workers=1)
        effects = world.Effects(deadly=frozenset({number}))
        if world.doing(home, sandbox, world.load, effects=effects):
            assert len(effects.seen) <= number  # the lease is renewed by the clock: this run had a few effects less
            found["ended before"] += 1
        else:
            found[" ".join(effects.seen[-1].split()[:2])] += 1
        world.configure(home, sandbox, workers=6)
        assert world.doing(home, sandbox, world.load)
        wrong = world.wrong_with(home, sandbox, company)
        assert (number, effects.seen[-1], wrong) == (number, effects.seen[-1], {})
        found.update(tally(wrong))
    assert found["ended before"] <= 2
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_a_second_load_that_dies_at_any_effect_ends_as_if_it_had_not(
    second: world.Company, elsewhere: Sandbox, memory: Path, part: int
) -> None:
    """What has changed in Lever since the first load: moves, ends, owners, contacts, and new records of every kind."""
    after = [f"after POST ashby/{kind}" for kind in AMENDMENTS]  # answered, and no outcome yet: the worst moment
    few = sorted({len(second.effects) // 3, *(1 + second.effects.index(name) for name in after)})
    numbers = amount(few, spread(len(second.effects), len(second.effects)))[part::PARTS]
    figures = _one_death_each(second, memory / f"second{part}", elsewhere, numbers)
    what = "one death at every effect of a second load, of what has changed since the first; then a resume"
    tell("P1", what, crash_points=numbers, **figures)


def _validate(book: Workbook) -> None:
    steps.validate(book)


def _shown(home: Path, sandbox: Sandbox) -> tuple[dict[str, Any], int]:
    """(what the last validation has said of each thing, how often Ashby was written to)."""
    with environment(home, sandbox):
        book = workbook.open_customer(CUSTOMER)
        found = {name: book.store.results("validate", name) for name in ("counts", "differences", "fidelity")}
        book.close()
    return found, sandbox.state["writes"]


def test_a_validation_that_dies_at_a_commit_says_the_same_when_it_is_run_again(
    second: world.Company, elsewhere: Sandbox, memory: Path
) -> None:
    """It writes nothing into Ashby, and what it keeps beside the store is made anew."""
    loaded, effects, differing = memory / "second-quiet" / "home", world.Effects(), 0
    world.back(elsewhere, "loaded again")
    quiet = copied_home(loaded, memory / "validated")
    assert world.doing(quiet, elsewhere, _validate, effects=effects)
    wanted = _shown(quiet, elsewhere)
    commits = [number for number, name in enumerate(effects.seen, 1) if name.endswith("commit")]
    numbers = [commits[one - 1] for one in spread(len(commits), amount(1, len(commits)))]
    for number in numbers:
        home = memory / "validating"
        shutil.rmtree(home, ignore_errors=True)
        copied_home(loaded, home)
        assert not world.doing(home, elsewhere, _validate, effects=world.Effects(deadly=frozenset({number})))
        assert world.doing(home, elsewhere, _validate)
        found = _shown(home, elsewhere)
        assert (number, found) == (number, wanted)
        differing += found != wanted
    tell("P1", "a death at a commit of a validation", crash_points=numbers, said_otherwise=differing)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_process_that_really_ends_at_an_effect_leaves_nothing_half_done(
    company: world.Company, memory: Path, sandbox: Sandbox, part: int
) -> None:
    """A forked process that ends without unwinding anything, at random effects."""
    chance = random.Random(f"exit {part}")
    numbers, harm = chance.sample(range(1, len(company.effects) + 1), amount(4, 8)), Counter[str]()
    for number in numbers:
        home = company.copy(memory / f"exit{part}", sandbox, workers=1)
        effects = world.Effects(deadly=frozenset({number}))
        assert not world.doing_in_a_child(home, sandbox, world.load, effects=effects)
        assert world.doing(home, sandbox, world.load)
        found = world.wrong_with(home, sandbox, company)
        assert (number, found) == (number, {})
        harm.update(tally(found))
    tell("P1", "the process really ends (fork, os._exit) at an effect", crash_points=numbers, **harm)


@pytest.mark.parametrize("part", range(PARTS))
def test_dying_again_while_resuming_changes_nothing(
    company: world.Company, memory: Path, sandbox: Sandbox, part: int
) -> None:
    """Two to four deaths in a row, with one worker or with many, and answers lost besides."""
    chance = random.Random(f"again {part}")
    rounds, deaths, harm = amount(4, 12), 0, Counter[str]()
    for number in range(rounds):
        home = company.copy(memory / f"again{part}", sandbox, workers=chance.choice((1, 2, 6)))
        sandbox.faults(*(FAULTS if number % 2 else ()))
        for _ in range(chance.randint(2, 4)):
            # half of them early: what a resume does first is to look for what it cannot know
            last = chance.choice((40, len(company.effects)))
            effects = world.Effects(deadly=frozenset({chance.randint(1, last)}))
            deaths += not world.doing(home, sandbox, world.load, effects=effects)
        sandbox.faults()
        assert world.doing(home, sandbox, world.load)
        found = world.wrong_with(home, sandbox, company)
        assert (number, found) == (number, {})
        harm.update(tally(found))
    assert deaths >= rounds
    tell("P1", "several deaths in one load, also with many workers", rounds=rounds, deaths=deaths, **harm)


def test_one_load_may_die_at_every_effect_it_has(company: world.Company, memory: Path, sandbox: Sandbox) -> None:
    """Every run gets a little further than the one before it and dies: it still comes to the same end."""
    home = company.copy(memory / "step", sandbox, workers=1)
    last, deaths, n_writes = 14 + amount(150, 11), 0, -1
    while not world.doing(home, sandbox, world.load, effects=world.Effects(deadly=frozenset({last}))):
        deaths, before, n_writes = deaths + 1, n_writes, sandbox.state["writes"]
        last += 2 * (before == n_writes)  # what a start reads came to more effects than this run had
    assert deaths >= len(company.effects) / last / 2
    found = world.wrong_with(home, sandbox, company)
    assert found == {}
    tell(
        "P1",
        "one load that dies again and again, never far apart",
        crash_points=deaths,
        effects_apart=last,
        **tally(found),
    )


# ---- the steps before it -----------------------------------------------------------------------------------------
def _raw(home: Path, sandbox: Sandbox) -> dict[str, Any]:
    """What an extraction leaves: the newest body of every object, and what is known of every file."""
    with environment(home, sandbox):
        book = workbook.open_customer(CUSTOMER)
        store = book.store
        streams = {**contract.lever_objects(), "disposition_stages": {}}
        found: dict[str, Any] = {name: (store.head_shas(name), store.parents(name)) for name in streams}
        found["files"] = [(row.lever_id, row.sha256, row.size, row.state, row.name) for row in store.files()]
        stored = {row.sha256 for row in store.files() if row.sha256}
        found["bytes"] = stored <= {path.name for path in (store.folder / "files").iterdir()}
        found["half files"] = [path.name for path in (store.folder / "files").glob(".part-*")]
        book.close()
    return found


def _extract(book: Workbook) -> None:
    steps.audit(book)
    steps.extract(book)


@pytest.mark.parametrize("part", range(PARTS))
def test_an_extraction_that_dies_at_any_effect_reads_the_same(memory: Path, part: int) -> None:
    """Audit and extraction together: each commit, each request, each answer."""
    differing = 0
    with running_sandbox(people=4, seed=5) as sandbox:
        quiet, effects = memory / f"read{part}", world.Effects()
        world.configure(quiet, sandbox, workers=1)
        assert world.doing(quiet, sandbox, _extract, effects=effects)
        wanted = _raw(quiet, sandbox)
        chance = random.Random(f"extract {part}")
        numbers = chance.sample(range(1, len(effects.seen) + 1), amount(6, 20))
        for number in numbers:
            home = memory / f"extract{part}"
            shutil.rmtree(home, ignore_errors=True)
            world.configure(home, sandbox, workers=1)
            assert not world.doing(home, sandbox, _extract, effects=world.Effects(deadly=frozenset({number})))
            assert world.doing(home, sandbox, _extract)
            found = _raw(home, sandbox)
            assert (number, found) == (number, wanted)
            differing += found != wanted
    tell("P1", "a death at an effect of audit and extraction", crash_points=numbers, read_otherwise=differing)


def _plan(book: Workbook) -> list[Any]:
    return [(row.row_id, row.body_hash, row.needs, row.seq) for row in Ledger(book.store).rows()]


def _decide(sandbox: Sandbox) -> Callable[[Workbook], None]:
    def work(book: Workbook) -> None:
        decide(book, sandbox)
        world.another_option(book)
        steps.map(book)

    return work


def test_dedupe_and_mapping_that_die_at_a_commit_make_the_same_plan(
    extracted: Path, memory: Path, sandbox: Sandbox
) -> None:
    """Who is who, decisions and plan, from the beginning: the plan's hash is the same after a death."""
    quiet, effects = copied_home(extracted, memory / "plan"), world.Effects()
    assert world.doing(quiet, sandbox, _decide(sandbox), effects=effects)
    commits = [number for number, name in enumerate(effects.seen, 1) if name.endswith("commit")]
    with environment(quiet, sandbox):
        book = workbook.open_customer(CUSTOMER)
        wanted, wanted_hash = _plan(book), Ledger(book.store).plan_hash()
        book.close()
    chosen, differing = [commits[one - 1] for one in spread(len(commits), amount(3, 12))], 0
    for number in chosen:
        home = memory / "planned"
        shutil.rmtree(home, ignore_errors=True)
        copied_home(extracted, home)
        assert not world.doing(home, sandbox, _decide(sandbox), effects=world.Effects(deadly=frozenset({number})))
        assert world.doing(home, sandbox, _decide(sandbox))
        with environment(home, sandbox):
            book = workbook.open_customer(CUSTOMER)
            found = (Ledger(book.store).plan_hash(), _plan(book))
            assert (number, *found) == (number, wanted_hash, wanted)
            differing += found != (wanted_hash, wanted)
            book.close()
    tell("P1", "a death at a commit of dedupe and mapping", crash_points=len(chosen), planned_otherwise=differing)


# ---- kill -9 -----------------------------------------------------------------------------------------------------
def _load_all(begin: Callable[[], object]) -> None:
    steps.load(workbook.open_customer(CUSTOMER), execute=True, fail_at=at_the_first(begin))


@pytest.mark.parametrize("part", range(amount(1, 12)))
def test_kill_9_at_random_moments_while_answers_get_lost(
    mapped_home: Path, memory: Path, sandbox: Sandbox, part: int
) -> None:
    """P2: the process of a whole company's load is killed up to twenty times in one load, each while it writes."""
    home = copied_home(mapped_home, memory / f"kill{part}")
    sandbox.faults(*FAULTS)
    chance = random.Random(f"kill {part}")
    kills, writes = 0, {sandbox.state["writes"]}
    with environment(home, sandbox):
        for _ in range(amount(6, 20)):
            kills += killed_once_begun(_load_all, seconds=chance.uniform(0.0, 0.35))
            writes.add(sandbox.state["writes"])
        sandbox.faults()
        book = workbook.open_customer(CUSTOMER)
        steps.load(book, execute=True)
        assert {state for _, state, _ in Ledger(book.store).counts()} == {"done"}
        book.close()
    assert kills >= amount(3, 14)
    assert len(writes) > amount(2, 5), "the process died again and again before it wrote anything"
    found = world.problems(sandbox.truth, sandbox.state)
    assert found == {}
    what = "kill -9 of a forked process that calls steps.load, with lost answers and 503 besides"
    tell("P2", what, kills=kills, after_which_there_was_more=len(writes) - 1, **tally(found))


LOADING = ("run", CUSTOMER, "--from", "load", "--to", "load", "--execute")
STARTING, ENDING = 300, 300  # seconds: far above what it takes, only there so that nothing hangs for ever
BOTH, COMMAND, KERNEL = "the command and its kernel", "the command", "the kernel"
VICTIMS = (BOTH, KERNEL, BOTH, KERNEL, BOTH, COMMAND)  # seldom: a kernel without its command writes on for a second


def _command_line() -> subprocess.Popen[str]:
    """The real `workbook run acme --from load --to load --execute`: its load is in a kernel, a process of its own."""
    words = [sys.executable, "-m", "lib.cli", *LOADING]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _kernels(pid: int) -> list[int]:
    """The processes that a process has started, by their numbers."""
    found = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(one) for some in found for one in some]


def _lives(pid: int) -> bool:
    """Whether a process is there and has not ended; one that nobody has asked for its exit code has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _killed_when(command: subprocess.Popen[str], sandbox: Sandbox, writes: int, victim: str) -> bool:
    """Send SIGKILL once the load has written so much, and wait until both are gone; False when it ended before."""
    end = time.monotonic() + STARTING
    while command.poll() is None and sandbox.ask("GET", "/calls")["writes"] < writes:
        assert time.monotonic() < end, "nothing is written"
        time.sleep(0.005)
    if command.poll() is not None:
        return False
    kernels = _kernels(command.pid)
    assert kernels
    chosen = {COMMAND: [command.pid], KERNEL: kernels, BOTH: [command.pid, *kernels]}[victim]
    for pid in chosen:
        os.kill(pid, signal.SIGKILL)
    command.communicate(timeout=ENDING)  # also a command whose kernel was killed ends by itself
    while any(map(_lives, kernels)):  # and so does a kernel without its command
        assert time.monotonic() < end + ENDING, "a kernel lives on"
        time.sleep(0.01)
    return command.returncode != 0


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children of a process are looked up in /proc")
def test_kill_9_of_the_real_command_at_random_moments(mapped_home: Path, memory: Path, sandbox: Sandbox) -> None:
    """P2, as a user has it: `workbook run` is killed again and again, alone, with its kernel, or only the kernel."""
    home, wanted = copied_home(mapped_home, memory / "command"), amount(1, 20)
    chance, kills, written = random.Random("the real command"), Counter[str](), 0
    sandbox.faults(*FAULTS)
    write_customer(home, sandbox, ashby={"per_minute": amount(300_000, 1500)})  # slow: so that all kills find a load
    with environment(home, sandbox):
        for number in range(wanted):
            written = sandbox.ask("GET", "/calls")["writes"]
            victim = VICTIMS[number % len(VICTIMS)]
            kills[victim] += _killed_when(_command_line(), sandbox, written + chance.randint(1, 12), victim)
        sandbox.faults()
        write_customer(home, sandbox)
        command = _command_line()
        told, _ = command.communicate(timeout=STARTING)
        assert command.returncode == 0, told
        book = workbook.open_customer(CUSTOMER)
        assert {state for _, state, _ in Ledger(book.store).counts()} == {"done"}
        book.close()
    assert kills.total() >= 0.7 * wanted
    assert sandbox.state["writes"] > written
    wrong = world.problems(sandbox.truth, sandbox.state)
    what = "kill -9 of the real `workbook run acme --from load --execute`, of its kernel, or of both"
    tell("P2", what, kills=dict(kills), lost_or_doubled=sum(map(len, wrong.values())))
    assert wrong == {}


def test_the_folder_for_homes_is_in_memory_where_there_is_one(tmp_path: Path) -> None:
    folder = world.folder_in_memory(tmp_path)
    try:
        assert (folder == tmp_path) is not world.MEMORY.is_dir()
        assert os.access(folder, os.W_OK)
    finally:
        if folder != tmp_path:
            folder.rmdir()

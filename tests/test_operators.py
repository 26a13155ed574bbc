"""P23: of any number of operators one writes; the others are told who; the dead are taken over, the overtaken stop.

Real processes, forked. What they do is witnessed from outside the store: a file lock that only one process can hold,
and a journal into which each send and each commit writes the number of the lease it was made under.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import postgres as servers
import pytest
import reconcile
from conftest import CUSTOMER, Sandbox, copied_home, environment, new_store, store_at, write_customer
from operators_world import (
    APART,
    MACHINES,
    QUICK,
    TOLD,
    Witness,
    disorder,
    ended,
    forked,
    killed_at_random,
    load_until_done,
    on,
    opened_at_once,
)
from proofs import amount, tell
from reconcile import tally
from sqlalchemy import update

from lib import steps
from lib.errors import StoreError
from lib.store import Lease, Store, open_store
from lib.store import tables as t
from lib.store.lease import HeldError
from lib.store.ledger import Ledger, Planned
from lib.workbook import Workbook

DAY_MS = 86_400_000


def write(store: Store, lease: Lease, witness: Witness, *, at: Callable[[str], None] = lambda point: None) -> None:
    """What a load does for one row: intention, check, send, outcome; each effect is witnessed."""
    at("before intend")
    with store.begin() as tx:
        store.put_raw(tx, "intended", [(f"{time.monotonic_ns()}", "", lease.fence)])
        at("in the transaction")
    witness.note(f"committed {lease.fence}")
    at("intended")
    store.check_lease()
    at("checked")
    witness.note(f"sent {lease.fence}")
    at("sent")
    with store.begin() as tx:
        store.put_raw(tx, "settled", [(f"{time.monotonic_ns()}", "", lease.fence)])
    witness.note(f"committed {lease.fence}")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Store]:
    """Opens the store of a name, of which there is none yet, on either database."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres").fresh()
    return lambda name: open_store(tmp_path / name, url=url, password=servers.PASSWORD)


# ---- many at once ------------------------------------------------------------------------------------------------
@pytest.mark.proof
@pytest.mark.parametrize("part", range(amount(1, 4)))  # so that several processes can share the work
def test_of_operators_who_start_at_once_one_writes_and_the_dead_are_taken_over(
    place: Callable[[str], Store], tmp_path: Path, request: pytest.FixtureRequest, part: int
) -> None:
    on = request.node.callspec.params["place"]
    figures: Counter[str] = Counter()
    for number in range(amount(12, 125)):
        witness = Witness(tmp_path / f"witness{number}")
        killed = _round(place, f"round{number}", witness, random.Random(f"{on} {part} {number}"))
        figures.update(_judged(witness), rounds=1, killed=killed)
        taken = [line for line in witness.lines("began") if " over p" in line]
        assert len(taken) == killed or (killed and len(taken) == killed - 1)  # the last one to die is found below
        with place(f"round{number}").lease("load", patience=0, pace=QUICK) as lease:
            assert bool(lease.took_over) == (len(taken) < killed)
            figures["taken_over"] += len(taken) + bool(lease.took_over)
    assert figures["told"]
    assert figures["taken_over"] == figures["killed"] > 0
    tell("P23", f"2 to 8 operators start at once on one store ({on}), some are killed while they write", **figures)


def _judged(witness: Witness) -> Counter[str]:
    """How many were told, and overtaken alive; and two writers, of which there must be none."""
    fences = [int(line.split()[1]) for line in witness.lines("began")]
    assert fences == sorted(set(fences)), fences  # each number once, and they only grow
    assert fences
    for told in witness.lines("told"):
        assert TOLD.match(told), told
    overtaken = len(witness.lines("overtaken"))  # has the lease no more, and is still on its way to notice
    two_writers = disorder(witness) + max(0, len(witness.lines("two writers")) - overtaken)
    assert two_writers == 0
    return Counter(told=len(witness.lines("told")), overtaken_alive=overtaken, two_writers=two_writers)


@pytest.mark.proof
@pytest.mark.parametrize("part", range(amount(1, 4)))
def test_of_operators_on_two_machines_one_writes_and_the_dead_are_taken_over_for_their_silence(
    postgres: servers.Server, tmp_path: Path, part: int
) -> None:
    """Half of them on another machine, where no process number says who is dead: only the signs of life do."""
    url, figures = {}, Counter[str]()

    def place(name: str) -> Store:
        url[name] = url.get(name) or postgres.fresh()
        return open_store(tmp_path / name, url=url[name], password=servers.PASSWORD)

    for number in range(amount(3, 63)):
        witness, name = Witness(tmp_path / f"witness{number}"), f"round{number + 1}"
        place(name).close()
        killed = _round(place, name, witness, random.Random(f"machines {part} {number}"), machines=MACHINES)
        figures.update(_judged(witness), rounds=1, killed=killed)
        taken = [line for line in witness.lines("began") if " over p" in line]
        with place(name).lease("load", patience=10.0, pace=APART, me=on("earth")) as lease:
            last = bool(lease.took_over)
        assert len(taken) + last == killed + len(witness.lines("overtaken"))
        across = [line for line in taken if len({one for one in MACHINES if one in line}) > 1]
        figures.update(taken_over=len(taken) + last, from_another_machine=len(across) + last)
    assert figures["from_another_machine"] > 0
    tell("P23", "2 to 8 operators on two machines start at once on one store (postgresql), some are killed", **figures)


def _round(
    place: Callable[[str], Store], name: str, witness: Witness, chance: random.Random, machines: Sequence[str] = ()
) -> int:
    """2 to 8 processes begin at one moment; returns how many of them died holding the lease.

    In three rounds of ten nobody dies, and whoever writes does so until another one has asked: one must be told.
    With `machines` they are on these by turns, and those who wait do so until a dead one's silence counts.
    """
    works, all_live = [], name.endswith(("0", "4", "8"))
    for one in range(chance.randint(2, 8)):
        dies_at = chance.randrange(6) if chance.random() < (0.5 if machines else 0.3) and not all_live else -1
        patience, clock = chance.choice((0, 0, 5.0 if machines else 0.3)), chance.choice((0, 0, -DAY_MS, 3_600_000))
        how = {"dies_at": dies_at, "patience": 0 if all_live else patience, "clock_ms": clock, "until_told": all_live}
        host = machines[one % len(machines)] if machines else ""

        def work(one: int = one, how: dict[str, Any] = how, host: str = host) -> None:
            try:
                _operate(place(name), witness, owner=f"p{one}", host=host, **how)
            except HeldError as error:
                witness.note(f"told {error}")
            except StoreError as error:
                witness.note(f"overtaken {error}" if host and "has taken over" in error.message else f"told {error}")

        works.append(work)
    codes = [ended(pid) for pid in opened_at_once(works)]
    assert set(codes) <= {0, -signal.SIGKILL}, codes
    assert witness.lines("told") or not all_live
    return codes.count(-signal.SIGKILL)


def _operate(
    store: Store, witness: Witness, *, owner: str, dies_at: int, patience: float, clock_ms: int, until_told: bool,
    host: str = "",
) -> None:  # fmt: skip
    """One operator, whose clock is off by so much; killed at an effect when `dies_at` says so."""
    where = {"me": on(host, owner), "pace": APART} if host else {"owner": owner, "pace": QUICK}

    def clock() -> int:
        return time.time_ns() // 1_000_000 + clock_ms

    with store.lease("load", patience=patience, clock=clock, **where) as lease, witness.alone():
        witness.note(f"began {lease.fence} {host}" + (f" over {lease.took_over}" if lease.took_over else ""))
        seen = [0]

        def die(_point: str) -> None:
            if seen[0] == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            seen[0] += 1

        write(store, lease, witness, at=die)
        ends = time.monotonic() + 30.0
        while until_told and not witness.lines("told") and time.monotonic() < ends:
            time.sleep(0.01)
        write(store, lease, witness, at=die)


# ---- frozen, and woken up after a take-over ------------------------------------------------------------------------
POINTS = ("before intend", "intended", "sent")


@pytest.mark.proof
@pytest.mark.parametrize("point", POINTS)
def test_a_frozen_writer_that_wakes_up_after_a_take_over_neither_writes_nor_sends(
    place: Callable[[str], Store], tmp_path: Path, point: str
) -> None:
    """SIGSTOP for longer than DEAD_AFTER; another machine takes over and writes; SIGCONT."""
    rounds, n_in_a_write, n_late = amount(1, 40), 0, 0
    for number in range(rounds):
        witness = Witness(tmp_path / f"witness{number}")
        code = _frozen(place, f"round{number}", witness, point)
        if code == -signal.SIGKILL:
            n_in_a_write += 1
            continue
        assert code == 4
        n_late += disorder(witness)
        assert not n_late
        assert len(witness.lines("sent 1")) == (1 if point == "sent" else 0)
        assert witness.lines("began 2 over first on mars")
    tell("P23", f"a writer is frozen at the point '{point}', taken over, and woken up", rounds=rounds, late=n_late,
         frozen_in_a_write_and_killed=n_in_a_write)  # fmt: skip
    assert n_in_a_write <= max(1, rounds // 2)


def test_what_is_left_is_a_process_that_is_frozen_between_the_check_and_the_send(
    place: Callable[[str], Store], tmp_path: Path
) -> None:
    """The window that docs/postgresql.md tells of: no client can close it, and the outcome is refused at least."""
    witness = Witness(tmp_path / "witness")
    assert _frozen(place, "round", witness, "checked") == 4
    assert disorder(witness) == 1
    assert witness.lines("sent") == ["sent 2", "sent 1"]
    assert witness.lines("committed")[-1] == "committed 2"


def _frozen(place: Callable[[str], Store], name: str, witness: Witness, point: str) -> int:
    """The first writer freezes at `point`; how it ended after it was taken over and woken up.

    -SIGKILL when it froze while its heartbeat was in the middle of a write: then the database is locked, the other
    operator is told so and told to end the process, and comes in once it is ended.
    """
    place(name).close()
    first = forked(lambda: _freeze(place(name), witness, point))
    os.waitpid(first, os.WUNTRACED)  # it has stopped itself
    try:
        second = place(name)
        with second.lease("load", patience=5.0, pace=QUICK, me=on("venus")) as lease:  # waits for its silence
            witness.note(f"began {lease.fence} over {lease.took_over}")
            write(second, lease, witness)
            os.kill(first, signal.SIGCONT)
            return ended(first)
    except StoreError as error:
        os.kill(first, signal.SIGKILL)
        if "in the middle of a write" not in str(error):
            raise
        code = ended(first)
        with second.lease("load", patience=5.0, pace=QUICK, me=on("venus")) as lease:
            write(second, lease, witness)
        assert disorder(witness) == 0
        return code
    except BaseException:
        os.kill(first, signal.SIGKILL)
        raise
    finally:
        second.close()


def _freeze(store: Store, witness: Witness, point: str) -> None:
    def stop(at: str) -> None:
        if at == point:
            os.kill(os.getpid(), signal.SIGSTOP)

    with store.lease("load", pace=QUICK, me=on("mars", "first")) as lease:
        write(store, lease, witness, at=stop)


def test_on_one_machine_a_frozen_writer_is_named_and_not_taken_over(tmp_path: Path) -> None:
    """Its process runs: only a person can tell whether it may be ended. Then it is taken over at once."""
    witness = Witness(tmp_path / "witness")
    new_store(tmp_path / CUSTOMER, url="").close()
    first = forked(lambda: _freeze_here(tmp_path, witness))
    os.waitpid(first, os.WUNTRACED)
    store = new_store(tmp_path / CUSTOMER, url="")
    with pytest.raises(StoreError, match=f"Wait for it, or end process {first}"):
        Lease.take(store.engine, step="load", patience=2 * QUICK.dead_after, pace=QUICK)
    os.kill(first, signal.SIGKILL)
    ended(first)
    assert f"(process {first})" in Lease.take(store.engine, step="load", patience=0, pace=QUICK).took_over
    store.close()


def _freeze_here(folder: Path, witness: Witness) -> None:
    store = new_store(folder / CUSTOMER, url="")
    with store.lease("load", owner="kim", pace=QUICK) as lease:
        write(store, lease, witness, at=lambda at: os.kill(os.getpid(), signal.SIGSTOP) if at == "intended" else None)


def _given_again(number: int, stamp: Path) -> int | None:
    """A sleeping process with this number; None when somebody else has it."""
    for _ in range(20):
        try:
            stamp.write_text(str(number - 1))
        except OSError:
            pytest.skip("the kernel does not let us choose process numbers")
        again = forked(lambda: time.sleep(30))
        if again == number:
            return again
        os.kill(again, signal.SIGKILL)
        ended(again)
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: the kernel is told which process number to give next")
def test_a_process_number_that_is_given_again_does_not_keep_a_dead_lease_alive(tmp_path: Path) -> None:
    store, stamp = new_store(tmp_path / CUSTOMER, url=""), Path("/proc/sys/kernel/ns_last_pid")
    store.close()

    def hold() -> None:
        with new_store(tmp_path / CUSTOMER, url="").lease("load", owner="kim"):
            os.kill(os.getpid(), signal.SIGKILL)

    again = None
    for _ in range(10):  # another process may have got the number, and keep it: then with another dead one
        first = forked(hold)
        assert ended(first) == -signal.SIGKILL
        if (again := _given_again(first, stamp)) is not None:
            break
    assert again is not None
    try:
        assert "kim" in Lease.take(store.engine, step="load", patience=0).took_over
    finally:
        os.kill(again, signal.SIGKILL)
        ended(again)
        store.close()


# ---- the load itself ---------------------------------------------------------------------------------------------
@pytest.mark.proof
@pytest.mark.parametrize("part", range(amount(1, 4)))
def test_of_loads_that_start_at_once_one_writes_at_a_time_and_together_they_load_once(
    mapped_home: Path, memory: Path, sandbox: Sandbox, tmp_path: Path, part: int
) -> None:
    """2 to 4 operators run the real load of one customer; writers die by SIGKILL until one comes to the end."""
    figures: Counter[str] = Counter()
    for number in range(amount(2, 52))[part :: amount(1, 4)]:
        sandbox.reset()
        chance, witness = random.Random(f"loads {number}"), Witness(tmp_path / f"witness{number}")
        home = copied_home(mapped_home, memory / f"operators{part}")
        with environment(home, sandbox):
            pids = opened_at_once([lambda witness=witness: load_until_done(witness)] * chance.randint(2, 4))
            killed_at_random(pids, witness, chance)
            codes = [ended(pid) for pid in pids]
            assert set(codes) <= {0, -signal.SIGKILL}, codes
            assert 0 in codes
            for told in witness.lines("told"):
                assert TOLD.match(told), told
            store = store_at(home)
            assert {state for _, state, _ in Ledger(store).counts()} == {"done"}
            store.close()
        found, log = reconcile.problems(sandbox.truth, sandbox.state), home / "runs" / CUSTOMER / "log.jsonl"
        assert not any(found.values())
        assert disorder(witness) == 0
        n_taken = sum(json.loads(line)["event"] == "took over" for line in log.read_text().splitlines())
        figures.update(rounds=1, operators=len(codes), killed=codes.count(-signal.SIGKILL), taken_over=n_taken)
        figures.update(tally(found), told=len(witness.lines("told")), two_writers=disorder(witness))
        shutil.rmtree(home)
    assert figures["killed"] >= figures["taken_over"] > 0
    tell("P23", "2 to 4 real loads of one customer start at once, writers are killed until one ends", **figures)


def test_a_load_that_is_taken_over_sends_nothing_more_and_the_next_one_ends_right(
    mapped: Workbook, sandbox: Sandbox, opened: Callable[..., Workbook]
) -> None:
    """It is overtaken after an intention is on disk, before the call leaves: the call never leaves."""
    mapped.close()
    write_customer(Path(os.environ["WORKBOOK_HOME"]), sandbox, ashby={"workers": 1})
    book, seen = opened(), []

    def overtake(moment: str, row: Planned) -> None:
        if moment == "intended" and row.kind == "application.create" and not seen:
            seen.append((row.row_id, sandbox.state["writes"]))
            _overtaken(book.store)

    with pytest.raises(StoreError, match="taken over"):
        steps.load(book, execute=True, fail_at=overtake)
    row_id, n_writes = seen[0]
    assert sandbox.state["writes"] == n_writes
    assert [row.row_id for row, _ in Ledger(book.store).entries("intended")] == [row_id]
    book.close()
    steps.load(opened(), execute=True)
    assert not any(reconcile.problems(sandbox.truth, sandbox.state).values())


def test_a_call_that_is_overtaken_while_it_waits_for_its_turn_does_not_leave(book: Workbook, sandbox: Sandbox) -> None:
    """The number is compared after all waiting, not before."""
    with book.store.lease("load"):
        book.ashby.transport.pacer.pause(1.0, why="a test")
        other = threading.Timer(0.2, _overtaken, (book.store,))
        other.start()
        with pytest.raises(StoreError, match="taken over"):
            book.ashby.call("candidateTag.create", {"title": "late"})
        other.join()
    assert sandbox.ask("GET", "/calls")["total"] == 0


def _overtaken(store: Store) -> None:
    """What another machine does when it takes over."""
    with store.engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(update(t.lease).values(owner="", fence=t.lease.c.fence + 1))

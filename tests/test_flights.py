"""Calls under way at once: enough for the pace at any latency, fewer when the vendor says so, never stuck."""

import contextlib
import threading
import time
from pathlib import Path

import pytest
import reconcile
from conftest import CUSTOMER, environment, most_in, move, prepare, running_sandbox, write_customer

from lib import steps, workbook
from lib.ashby import Ashby
from lib.params import AshbySettings, LeverSettings
from lib.transport import Pacer, Patience, Transport
from lib.transport.flights import FIRST, LEAST, PATIENT, Flights


def after(flights: Flights, *, seconds: float, n_calls: int = 400) -> Flights:
    """The same after so many calls that each took so long."""
    for _ in range(n_calls):
        flights.begin()
        flights.end(seconds)
    return flights


@pytest.mark.parametrize("rate", [9.75, 975 / 60])
@pytest.mark.parametrize("seconds", [0.02, 0.3, 1.0, 1.2])
def test_as_many_at_once_as_the_pace_needs_at_this_latency(rate: float, seconds: float) -> None:
    """Little's law: below rate x latency the allowance is not used; far above it a slow server would be pressed."""
    limit = after(Flights(Pacer(rate), most=64), seconds=seconds).limit
    assert rate * seconds + 1 <= limit <= 1.25 * rate * seconds + 4


def test_the_limit_has_limits_of_its_own() -> None:
    """A few before anything was measured, never less than two, never more than there are connections."""
    assert FIRST == Flights(Pacer(10), most=64).limit
    assert 3 == Flights(Pacer(10), most=3).limit
    assert LEAST <= after(Flights(Pacer(0.1), most=64), seconds=0.001).limit <= LEAST + 1
    assert 24 == after(Flights(Pacer(10_000), most=24), seconds=5.0).limit


def test_a_call_that_was_never_sent_measures_nothing() -> None:
    """A place that was given back (the lease was lost meanwhile) does not count as an answer in no time."""
    flights = Flights(Pacer(10), most=64)
    flights.begin()
    flights.end(None)
    assert flights.latency is None


def test_too_many_at_once_lowers_the_limit_below_what_was_too_many() -> None:
    """A wave of such answers counts once; the limit falls with each wave, never below one, and rises again slowly."""
    flights, now = Flights(Pacer(1000), most=8), [100.0]
    for _ in range(6):
        flights.begin()
    for _ in range(3):
        flights.end(1.0)
        flights.crowded(calm_s=1.0, clock=lambda: now[0])
    assert 4 == flights.limit
    for wave in range(5):
        now[0] += 10 + wave
        flights.crowded(calm_s=1.0, clock=lambda: now[0])
    assert 1 <= flights.limit <= 3
    for _ in range(3):
        flights.end(1.0)
    before = flights.limit
    after(flights, seconds=1.0, n_calls=PATIENT)
    assert before + 1 == flights.limit


def test_never_more_under_way_than_the_limit_and_nobody_waits_for_ever() -> None:
    """Sixteen workers, a limit that falls while they work: all of them come to their end."""
    flights, lock = Flights(Pacer(1_000_000), most=16), threading.Lock()
    flying, most = 0, 0

    def work() -> None:
        nonlocal flying, most
        for number in range(50):
            flights.begin()
            with lock:
                flying += 1
                most = max(most, flying)
            time.sleep(0.0002)
            with lock:
                flying -= 1
            flights.end(0.0002)
            if number == 10:
                flights.crowded(calm_s=0.0)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert not any(one.is_alive() for one in threads)
    assert most <= 16
    assert 0 == flying


@pytest.mark.parametrize("at_once", ["1", "2"])
def test_a_load_comes_to_its_end_where_very_few_calls_at_once_are_allowed(tmp_path: Path, at_once: str) -> None:
    """Ashby may limit calls at the same time (reported, the number is not known): the load finds out and goes on."""
    with running_sandbox(people=8, seed=5) as sandbox:
        write_customer(tmp_path, sandbox, ashby={"workers": 6})
        with environment(tmp_path, sandbox):
            book = workbook.open_customer(CUSTOMER)
            prepare(book, sandbox)
            steps.map(book)
            sandbox.switch(concurrent_limit=at_once)
            steps.load(book, execute=True)
            found = steps.validate(book)
            assert int(at_once) >= book.ashby.transport.flights.limit - 1
            book.close()
        assert not any(reconcile.problems(sandbox.truth, sandbox.state).values())
    assert not (found.differences["severity"] == "critical").any()


@pytest.mark.parametrize("lag_ms", [0, 60])
def test_no_window_holds_more_calls_than_the_vendors_allow(tmp_path: Path, lag_ms: int) -> None:
    """The whole move at ten times the real limits and the product's own settings: nothing is answered 429.

    By the server's clock: Lever at most 20 in any second and 10 per second in any longer stretch, Ashby at most 1,000
    in any minute, all times ten.
    """
    times = 10
    lever, ashby = LeverSettings(), AshbySettings()
    with running_sandbox(people=20, seed=5, limits=f"x{times}", lag_ms=lag_ms) as sandbox:
        write_customer(
            tmp_path, sandbox,
            lever={"per_second": lever.per_second * times, "burst": lever.burst * times, "workers": lever.workers},
            ashby={"per_minute": ashby.per_minute * times, "workers": ashby.workers},
        )  # fmt: skip
        with environment(tmp_path, sandbox):
            book = workbook.open_customer(CUSTOMER)
            move(book, sandbox, validate=True)
            book.close()
        records = sandbox.ask("GET", "/calls?full=1")["records"]
    at = {api: sorted(one["at"] for one in records if one["api"] == api) for api in ("lever", "ashby")}
    assert 0 == sum(one["status"] == 429 for one in records)
    assert min(map(len, at.values())) > 500
    assert most_in(at["lever"], 1.0) <= 20 * times
    assert most_in(at["lever"], 5.0) <= (10 * 5 + lever.burst) * times
    assert most_in(at["ashby"], 60.0 / times) <= 1000


def test_calls_under_way_are_no_surprise_when_the_minute_is_nearly_used_up() -> None:
    """Somebody else uses the key, too, and the pace alone does not keep within what is left: all wait before a 429.

    Ashby at a fifth of its limit, 24 at work, no pace to speak of: with a pause only at the last two calls, those that
    were under way then were answered 429. Who waits here waits for the next minute; the test does not.
    """
    n_workers, allowed = 24, 200
    with running_sandbox(people=1, seed=5, limits="x0.2", lag_ms=30) as sandbox:
        pacer = Pacer(5000, burst=500)
        transport = Transport("Ashby", pacer=pacer, workers=n_workers)
        ashby = Ashby(sandbox.about["ashby_url"], sandbox.about["ashby_key"], transport=transport, patience=Patience(1))

        def work() -> None:
            with contextlib.suppress(Exception):  # of one that waits until the sandbox is gone
                while not pacer.waiting_for:
                    ashby.call("apiKey.info")

        for _ in range(n_workers):
            threading.Thread(target=work, daemon=True).start()
        end = time.monotonic() + 20
        while time.monotonic() < end and not (pacer.waiting_for and transport.flights.under_way == 0):
            time.sleep(0.01)
        assert "allowance" in pacer.waiting_for
        by_status = sandbox.ask("GET", "/calls")["by_status"]
    assert allowed - 2 * n_workers <= by_status.pop("ashby.200") <= allowed
    assert by_status == {}

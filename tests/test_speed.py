"""How fast the load is under faults, and how fast the sandbox is: clocks are asked, so `make prove` runs them alone.

The ordinary suite asserts no times: a machine that is busy with something else would fail it.
"""

from __future__ import annotations

import pytest
from proofs import PROVE, tell

from bench import faults, sandbox

pytestmark = [pytest.mark.proof, pytest.mark.skipif(not PROVE, reason="`make prove`: clocks, on a quiet machine")]
N_SEEDS, TIMES, PEOPLE = 3, 10.0, 640
LEAST = 0.85  # of the calm throughput (P7)
PACE = 975 * TIMES / 60  # calls per second that a paced load may make


def test_five_percent_of_faults_cost_no_more_than_fifteen_percent_of_throughput() -> None:
    """Everything that has to do with time is ten times faster; the calm load shows that the machine keeps that pace."""
    calm, *struck = faults.measured(people=PEOPLE, times=TIMES, share=0.05, seeds=range(N_SEEDS))
    what = "a paced load under 5 % of faults, against the calm one"
    for one in struck:
        ratios = {"throughput": round(one.throughput, 3), "calls_of_the_calm_one": round(one.more_calls, 3)}
        tell("P7", what, seed=one.seed, **ratios, struck=one.struck, runs=one.runs)
    of_the_pace = round(calm.calls / calm.seconds / PACE, 3)
    tell("P7", "the calm load that it is compared with", people=PEOPLE, calls=calm.calls, of_the_pace=of_the_pace)
    assert of_the_pace >= 0.9, "this machine is too slow, or too busy, to compare loads at ten times the pace"
    assert all(one.struck for one in struck)
    assert [one for one in struck if one.throughput < LEAST] == []


def test_the_sandbox_answers_1500_requests_a_second_on_one_core() -> None:
    """Of the server's own processor time, by kind of request: Lever's lists, Ashby's reads and writes."""
    table = sandbox.Table()
    with sandbox.apart() as core:
        with sandbox.serving(core, "--people", "1200") as server:
            sandbox.measure_lever(server, table, 3.0)
            sandbox.measure_ashby(server, table, 3.0, 100)
        with sandbox.serving(core, "--people", "40") as server:
            sandbox.measure_ashby(server, table, 3.0, 100_000)
    rates = [round(rate) for rate in table.of_core.values()]
    tell("P39", "requests of one core", kinds=len(rates), slowest_per_s=min(rates), fastest_per_s=max(rates))
    assert {what: rate for what, rate in table.of_core.items() if rate < sandbox.AIM} == {}


def test_a_company_of_a_million_opportunities_starts_within_a_minute_and_three_gigabytes() -> None:
    """Its lists are served meanwhile: memory is measured at its peak."""
    table, n_opportunities = sandbox.Table(), 1_000_000
    with sandbox.apart() as core, sandbox.serving(core, "--opportunities", str(n_opportunities)) as server:
        sandbox.measure_lever(server, table, 3.0)
        peak, counts = server.kb("VmHWM"), server.counts()
    figures = {"seconds_to_start": round(server.seconds, 1), "peak_in_mb": round(peak / 1000)}
    slowest = round(min(table.of_core.values()))
    tell("P39", "a large company", opportunities=counts["opportunities"], **figures, slowest_per_s=slowest)
    assert counts["opportunities"] >= n_opportunities
    assert server.seconds < sandbox.START_SECONDS
    assert peak < sandbox.MOST_KB
    assert {what: rate for what, rate in table.of_core.items() if rate < sandbox.AIM} == {}

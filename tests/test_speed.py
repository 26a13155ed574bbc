"""How fast the load is under faults: clocks are asked, so `make prove` runs them alone.

The ordinary suite asserts no times: a machine that is busy with something else would fail it.
"""

from __future__ import annotations

import pytest
from proofs import PROVE, tell

from bench import faults

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

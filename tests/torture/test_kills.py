"""A short form of `make torture`: a worker that is killed at every named point loses nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.torture import kills
from tests.torture.plan import BLIND, MOMENTS, OTHERS, POINTS, kills_in, planned

SEED = 7
# Each of the eight points once, and three blind ones.
KILLS = 11


@pytest.mark.kafka
@pytest.mark.slow
def test_a_worker_that_is_killed_everywhere_loses_and_doubles_nothing(
    local_broker_possible: None, tmp_path: Path
) -> None:
    outcome = kills.run(SEED, KILLS, tmp_path, lambda line: print(line, file=sys.stderr))
    assert outcome.findings.wrong == []
    assert outcome.kills == KILLS
    assert outcome.findings.figures["events lost"] == 0
    assert outcome.findings.figures["events doubled"] == 0
    # A named point that was not reached counts as a blind kill; most are reached.
    assert len({what.split(",")[0] for what in outcome.done} & set(POINTS)) > len(POINTS) // 2


def test_a_plan_is_the_same_for_the_same_seed_and_leaves_nothing_out() -> None:
    plan = planned(1)
    assert plan == planned(1)
    assert plan != planned(2)
    assert kills_in(plan) == 200
    assert {(fault.kind, fault.moment) for fault in plan if fault.kind in POINTS} == {
        (point, moment) for point in POINTS for moment in MOMENTS
    }
    assert {fault.kind for fault in plan} >= set(OTHERS)


def test_a_short_plan_has_every_point() -> None:
    assert {fault.kind for fault in planned(SEED, KILLS)} >= {*POINTS, BLIND}

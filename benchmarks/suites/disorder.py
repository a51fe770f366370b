"""Measures batches that are not in the order of time, upon a history."""

from __future__ import annotations

import json

from benchmarks.environment import Environment
from benchmarks.figures import Figure, Outcome
from benchmarks.measurement.process import program
from benchmarks.sizes import Sizes

__all__ = ["measure"]

_EVENTS_MIN = 100_000


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Give events, arrivals and seconds of each case, own mix."""
    log = here.log(sizes.disorder, "own", "avro")
    here.say(f"applying {log.events:,} events, the last of them in disorder")
    command = program("scripts.disorder", log.folder, "--batch", sizes.batch)
    found = json.loads(here.run(command).stdout)
    figures = [
        figure
        for case, told in found.items()
        for figure in (
            Figure("events", case, told["events"]),
            Figure("arrivals", case, told["arrivals"]),
            Figure("time, s", case, told["seconds"]),
            *_throughput(case, told),
        )
    ]
    return Outcome(figures, sizes={"disorder": sizes.disorder, "batch": sizes.batch})


def _throughput(case: str, told: dict[str, float]) -> list[Figure]:
    """Return events a second, where there are enough to say so."""
    if told["events"] < _EVENTS_MIN:
        return []
    return [Figure("events/s", case, told["events"] / told["seconds"])]

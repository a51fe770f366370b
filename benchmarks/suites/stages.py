"""Measures where the time goes: each stage of recording a log by itself, in one thread."""

from __future__ import annotations

import json

from benchmarks.environment import Environment, Mix
from benchmarks.figures import Figure, Outcome
from benchmarks.measurement.process import program
from benchmarks.sizes import Sizes

__all__ = ["measure"]

_MIXES: tuple[Mix, ...] = ("own", "worst")
_BATCH_EVENTS = 200_000


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Give microseconds an event, by stage."""
    figures: list[Figure] = []
    for mix in _MIXES:
        log = here.log(sizes.replay, mix, "avro")
        here.say(f"recording {log.events:,} events, a stage after the other")
        command = program("scripts.stages", log.folder, "--batch", _BATCH_EVENTS)
        found = json.loads(here.run(command).stdout)
        figures += [Figure(f"{mix} mix", stage, time, "µs/event") for stage, time in found.items()]
    return Outcome(figures, sizes={"replay": sizes.replay})

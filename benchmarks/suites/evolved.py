"""Measures how fast values are decoded that were written with another schema than the present."""

from __future__ import annotations

import json

from benchmarks.environment import Environment
from benchmarks.figures import Figure, Outcome
from benchmarks.measurement.process import program
from benchmarks.sizes import Sizes

__all__ = ["measure"]


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Give events a second, by the schema of the writer."""
    log = here.log(sizes.replay, "own", "avro")
    here.say("decoding values of other schemas")
    found = json.loads(here.run(program("scripts.evolved", log.folder)).stdout)
    figures = [Figure("MessageSent", name, rate, "events/s") for name, rate in found.items()]
    return Outcome(figures, sizes={"replay": sizes.replay})

"""Measures questions to a database: of the views, as an analyst joins them, and the saved ones."""

from __future__ import annotations

import json

from benchmarks.environment import Environment
from benchmarks.figures import Figure, Outcome
from benchmarks.measurement.process import program
from benchmarks.sizes import Sizes

__all__ = ["measure", "measure_views"]


def measure_views(here: Environment, sizes: Sizes) -> Outcome:
    """Give the milliseconds of conditions on views, and of joins of them."""
    figures = _asked(here, sizes.views, "scripts.ask_views")
    return Outcome(figures, sizes={"views": sizes.views})


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Give the milliseconds of each saved question."""
    figures = _asked(here, sizes.questions, "scripts.ask_saved")
    return Outcome(figures, sizes={"questions": sizes.questions})


def _asked(here: Environment, messages: int, script: str) -> list[Figure]:
    log = here.log(messages, "own", "avro")
    here.say(f"replaying {log.events:,} events")
    database = here.folder / "asked.duckdb"
    here.lineage("replay", log.folder, "--db", database)
    here.say("asking")
    asked = json.loads(here.run(program(script, database)).stdout)
    database.unlink()
    case = "own mix"
    times = [Figure(case, name, milliseconds, "ms") for name, milliseconds in asked.items()]
    return [Figure(case, "arrivals", log.arrivals), *times]

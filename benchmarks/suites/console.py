"""Measures the pages of the console, as a browser asks for them."""

from __future__ import annotations

import json

from benchmarks.environment import Environment
from benchmarks.figures import Figure, Outcome
from benchmarks.measurement.process import program
from benchmarks.sizes import Sizes

__all__ = ["measure"]


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Give the 95th percentile of each page, in milliseconds."""
    log = here.log(sizes.console, "own", "avro")
    here.say(f"replaying {log.events:,} events")
    database = here.folder / "shown.duckdb"
    here.lineage("replay", log.folder, "--db", database)
    here.say("asking for pages")
    asked = json.loads(here.run(program("scripts.ask_console", database)).stdout)
    database.unlink()
    case = "own mix"
    times = [
        Figure(case, f"{page}, p95", milliseconds, "ms") for page, milliseconds in asked.items()
    ]
    return Outcome(
        [Figure(case, "arrivals", log.arrivals), *times], sizes={"console": sizes.console}
    )

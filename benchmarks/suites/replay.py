"""Measures the replay of a log on disk: own mix and worst mix, Avro and lines of JSON."""

from __future__ import annotations

import json
from itertools import product

from benchmarks.environment import MIB, Environment, Format, Log, Mix, database_bytes
from benchmarks.figures import Figure, Outcome
from benchmarks.measurement.process import Finished, program
from benchmarks.sizes import Sizes

__all__ = ["measure", "measure_long"]

_MIXES: tuple[Mix, ...] = ("own", "worst")
_FORMATS: tuple[Format, ...] = ("avro", "jsonl")


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Give the figures of `lineage replay`; its flags are held against the planted leaks."""
    figures: list[Figure] = []
    for mix, file_format in product(_MIXES, _FORMATS):
        figures += _measured(here, sizes.replay, mix, file_format)
    return Outcome(figures, sizes={"replay": sizes.replay})


def measure_long(here: Environment, sizes: Sizes) -> Outcome:
    """Give the same of one log of many events, in the mix that makes the most work of each."""
    return Outcome(_measured(here, sizes.long, "worst", "avro"), sizes={"long": sizes.long})


def _measured(here: Environment, messages: int, mix: Mix, file_format: Format) -> list[Figure]:
    log = here.log(messages, mix, file_format)
    here.say(f"replaying {log.events:,} events")
    database = here.folder / "replayed.duckdb"
    done = here.lineage("replay", log.folder, "--db", database, "--json")
    # It fails, and so does the part, unless every flag is as it was planted.
    here.lineage("check", log.folder, "--db", database)
    here.say("writing the same events as Parquet")
    parquet = int(here.run(program("scripts.parquet", log.folder)).stdout)
    figures = _figures(f"{mix} .{file_format}", log, done, database_bytes(database), parquet)
    database.unlink()
    return figures


def _figures(case: str, log: Log, done: Finished, database: int, parquet: int) -> list[Figure]:
    summary = json.loads(done.stdout)
    steady = summary["seconds"]
    return [
        Figure(case, "events", log.events),
        Figure(case, "arrivals", summary["arrivals"]),
        Figure(case, "whole process", done.seconds, "s"),
        Figure(case, "decode to commit", steady, "s"),
        Figure(case, "throughput", log.events / steady, "events/s"),
        Figure(case, "throughput", summary["arrivals"] / steady, "arrivals/s"),
        Figure(case, "throughput", log.bytes / steady / 1e6, "MB/s"),
        Figure(case, "peak memory", done.peak_bytes / MIB, "MiB"),
        Figure(case, "database", database / MIB, "MiB"),
        Figure(case, "database", database / summary["arrivals"], "bytes/arrival"),
        Figure(case, "same events as zstd Parquet", parquet / summary["arrivals"], "bytes/arrival"),
        Figure(case, "database to Parquet", database / parquet),
    ]

"""Measures the cost of a batch as history grows, from nothing to millions of messages."""

from __future__ import annotations

import json

from benchmarks.environment import MIB, Environment, Log, database_bytes
from benchmarks.errors import MissingError, WrongResultError
from benchmarks.figures import Figure, Outcome, Point
from benchmarks.measurement.process import program
from benchmarks.measurement.quantiles import median_near, quantile
from benchmarks.sizes import Sizes
from benchmarks.suites.late_worker import measure_late

__all__ = ["measure"]

_BATCHES_A_POINT = 10


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Apply the own mix in the order of its log, batch after batch, and time each."""
    points = (sizes.history // 100, sizes.history)
    # As many batches after the last point as before it.
    log = here.log(sizes.history + sizes.batch * _BATCHES_A_POINT // 2, "own", "avro")
    database = here.folder / "history.duckdb"
    here.say(f"applying {log.events:,} events, {sizes.batch:,} a batch")
    command = program("scripts.apply", log.folder, database, "--batch", sizes.batch)
    done = here.run_watched(command, _progress)
    *rows, end = [json.loads(line) for line in done.stdout.splitlines()]
    if end["stored"] != log.arrivals:
        raise WrongResultError("the arrivals found are not those that were simulated")
    # The last batch is what was left over.
    batches: list[Point] = [(row["history"], row["seconds"]) for row in rows[:-1]]
    if len(batches) < 2 * _BATCHES_A_POINT:
        raise WrongResultError(
            f"{len(batches)} batches are too few to compare; use a longer --history or a "
            "smaller --batch"
        )
    small, large = (median_near(batches, point, _BATCHES_A_POINT) for point in points)
    case = "own mix"
    here.say("writing the same events as Parquet")
    parquet = int(here.run(program("scripts.parquet", log.folder)).stdout)
    size = database_bytes(database)
    here.say("asking")
    asked = json.loads(here.run(program("scripts.ask", database)).stdout)
    figures = [
        Figure(case, "events a batch", sizes.batch),
        Figure(case, f"batch at {points[0]:,} messages", small, "s"),
        Figure(case, f"batch at {points[1]:,} messages", large, "s"),
        Figure(case, "ratio of the two", large / small),
        Figure(case, "slowest batch of all", quantile([y for _, y in batches], 1), "s"),
        Figure(case, "arrivals", log.arrivals),
        Figure(case, "applying, mean", log.events / sum(r["seconds"] for r in rows), "events/s"),
        Figure(case, "whole process", done.seconds, "s"),
        Figure(case, "peak memory", done.peak_bytes / MIB, "MiB"),
        Figure(case, "database", size / MIB, "MiB"),
        Figure(case, "database", size / log.arrivals, "bytes/arrival"),
        Figure(case, "database to zstd Parquet of the events", size / parquet),
        *_replayed(here, sizes, log, parquet),
        *(Figure(case, name, milliseconds, "ms") for name, milliseconds in asked.items()),
    ]
    return Outcome(
        figures,
        points=batches,
        sizes={
            "history": sizes.history,
            "batch": sizes.batch,
            "partitions": sizes.partitions,
        },
    )


def _replayed(here: Environment, sizes: Sizes, log: Log, parquet: int) -> list[Figure]:
    """Replay the same log with `lineage`, whose flags are held against the planted leaks; and run a
    worker upon it, where there is a Kafka.

    parquet: the bytes of the same events as Parquet.
    """
    here.say(f"replaying {log.events:,} events")
    database = here.folder / "replayed.duckdb"
    done = here.lineage("replay", log.folder, "--db", database, "--json")
    here.lineage("check", log.folder, "--db", database)
    size = database_bytes(database)
    case = "own mix"
    try:
        late = measure_late(here, sizes, database, case)
    except MissingError as error:
        here.say(f"without a worker upon it: {error}")
        late = []
    database.unlink()
    seconds = json.loads(done.stdout)["seconds"]
    return [
        Figure(case, "replay of all of it", log.events / seconds, "events/s"),
        Figure(case, "replay of all of it", log.arrivals / seconds, "arrivals/s"),
        Figure(case, "replay of all of it", log.bytes / seconds / 1e6, "MB/s"),
        Figure(case, "replay of all of it, peak memory", done.peak_bytes / MIB, "MiB"),
        Figure(case, "replay of all of it, database", size / log.arrivals, "bytes/arrival"),
        Figure(case, "replay of all of it, database to zstd Parquet", size / parquet),
        *late,
    ]


def _progress(line: str) -> str:
    row = json.loads(line)
    return f"more than {row['history']:,} messages recorded" if "history" in row else "recorded"

"""Measures `lineage worker --once`, until all that lies in Kafka is recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.environment import MIB, Environment, Log, Mix, database_bytes, need_packages
from benchmarks.errors import WrongResultError
from benchmarks.figures import Figure, Outcome
from benchmarks.measurement.process import LINEAGE, Finished, program
from benchmarks.sizes import Sizes

__all__ = ["beyond_one_event", "measure", "worker_command"]

_MIXES: tuple[Mix, ...] = ("own", "worst")
Command = Callable[[str, Path, int], list[str]]
"""The command that records (HOST:PORT, database, number of records)."""


def worker_command(bootstrap: str, database: Path, records: int) -> list[str]:
    """Record everything that is in the topics, as anybody would."""
    return [*LINEAGE, "worker", "--once", "--bootstrap", bootstrap, "--db", str(database)]


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Give the figures of the worker; its digest is held against that of a replay of the log."""
    need_packages("confluent_kafka")
    figures: list[Figure] = []
    start = None
    for mix in _MIXES:
        log = here.log(sizes.live, mix, "avro")
        if start is None:
            here.say("recording one event, for what starting and stopping takes")
            start = beyond_one_event(here, log, sizes.partitions, worker_command)
        with here.kafka() as bootstrap:
            here.say(f"loading {log.events:,} events into Kafka")
            records = here.load(log, bootstrap, sizes.partitions)
            here.say(f"recording {records:,} events")
            database = here.folder / f"live-{mix}.duckdb"
            done = here.run(worker_command(bootstrap, database, records))
            raw = json.loads(here.run(program("scripts.raw_read", bootstrap, records)).stdout)
        _check_digest(here, log, database)
        case = f"{mix} mix"
        figures += _figures(case, log, done, start, database_bytes(database))
        reading = raw["records"] / raw["seconds"]
        figures.append(Figure(case, "librdkafka alone, reading only", reading, "events/s"))
    return Outcome(figures, sizes={"live": sizes.live, "partitions": sizes.partitions})


def beyond_one_event(
    here: Environment, log: Log, partitions: int, command: Command, *options: str
) -> Finished:
    """Record the first event of a log alone, in a Kafka of its own.

    The same program with all events takes so much longer by the events alone: interpreter,
    group, first fetch, commit and shutdown are in both.
    """
    database = here.folder / "one.duckdb"
    with here.kafka() as bootstrap:
        here.load(log, bootstrap, partitions, "--first", "1", *options)
        done = here.run(command(bootstrap, database, 1))
    database.unlink(missing_ok=True)
    return done


def _check_digest(here: Environment, log: Log, database: Path) -> None:
    here.say("holding the digest against that of a replay")
    replayed = here.folder / "replayed.duckdb"
    here.lineage("replay", log.folder, "--db", replayed)
    live, again = (here.lineage("digest", "--db", path).stdout for path in (database, replayed))
    replayed.unlink()
    if live != again:
        raise WrongResultError("what was recorded live differs from what a replay records")


def _figures(case: str, log: Log, done: Finished, start: Finished, database: int) -> list[Figure]:
    seconds = done.seconds - start.seconds
    return [
        Figure(case, "events", log.events),
        Figure(case, "arrivals", log.arrivals),
        Figure(case, "whole process", done.seconds, "s"),
        Figure(case, "with one event alone", start.seconds, "s"),
        Figure(case, "throughput", (log.events - 1) / seconds, "events/s"),
        Figure(case, "throughput", log.arrivals / seconds, "arrivals/s"),
        Figure(case, "throughput", log.bytes / seconds / 1e6, "MB/s"),
        Figure(case, "throughput of the whole process", log.events / done.seconds, "events/s"),
        Figure(case, "peak memory", done.peak_bytes / MIB, "MiB"),
        Figure(case, "database", database / MIB, "MiB"),
    ]

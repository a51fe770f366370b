"""Measures a worker upon a large history, to which Kafka brings what is as old as the history."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.environment import MIB, Environment, need_packages
from benchmarks.errors import WrongResultError
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.suites.live import worker_command

__all__ = ["measure_late"]

# Of the messages of history, so many come once more as others.
_SHARE = 125
_SEED = 2
_RECORDED = "SELECT CAST(coalesce(sum(next_offset), 0) AS BIGINT) AS records FROM ingest_position"


def measure_late(here: Environment, sizes: Sizes, database: Path, case: str) -> list[Figure]:
    """Let `lineage worker --once` record a second log upon `database`, which holds the first.

    The second log begins when the first does, so that most of it is late, consents among it.
    Raises MissingError where there is no Kafka.
    """
    need_packages("confluent_kafka")
    log = here.log(max(1, sizes.history // _SHARE), "own", "avro", seed=_SEED)
    with here.kafka() as bootstrap:
        here.say(f"loading {log.events:,} late events into Kafka")
        records = here.load(log, bootstrap, sizes.partitions)
        here.say(f"recording {records:,} late events upon all of it")
        done = here.run(worker_command(bootstrap, database, records))
    told = json.loads(here.lineage("sql", _RECORDED, "--db", database, "--json").stdout)
    if told["records"] != records:
        raise WrongResultError("the worker has not recorded all that was in Kafka")
    return [
        Figure(case, "late events by way of Kafka", log.events),
        Figure(case, "late events by way of Kafka, whole process", done.seconds, "s"),
        Figure(case, "late events by way of Kafka, peak memory", done.peak_bytes / MIB, "MiB"),
    ]

"""Measures the same job, written the usual way with other libraries, on the same Kafka."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from benchmarks.environment import MIB, Environment, Log, need_packages
from benchmarks.errors import WrongResultError
from benchmarks.figures import Figure, Outcome
from benchmarks.measurement.process import program
from benchmarks.sizes import Sizes
from benchmarks.suites.live import Command, beyond_one_event, worker_command

__all__ = ["measure"]

_OURS = "message-lineage"
_PEERS = {
    "plain Faust": "peers.plain_faust",
    "quixstreams": "peers.quix",
    "bytewax": "peers.bytewax_flow",
}
# The peers judge by the built-in policy, so no other is published.
_WITHOUT = ("--without", "PolicyPublished")


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Give the figures of each, worst mix; all must come to the same flags and arrivals."""
    need_packages("confluent_kafka", "quixstreams", "bytewax")
    log = here.log(sizes.peers, "worst", "avro")
    commands: dict[str, Command] = {_OURS: worker_command}
    commands |= {name: partial(_peer_command, module) for name, module in _PEERS.items()}
    found: dict[str, str] = {}
    rates: dict[str, float] = {}
    figures: list[Figure] = []
    with here.kafka() as bootstrap:
        records = here.load(log, bootstrap, sizes.partitions, *_WITHOUT)
        for name, command in commands.items():
            here.say(f"{name}: one event, for what starting and stopping takes")
            start = beyond_one_event(here, log, sizes.partitions, command, *_WITHOUT)
            here.say(f"{name}: {records:,} events")
            database = here.folder / f"{name.replace(' ', '-')}.duckdb"
            done = here.run(command(bootstrap, database, records))
            seconds = done.seconds - start.seconds
            rates[name] = (records - 1) / seconds
            figures += [
                Figure(name, "events", records),
                Figure(name, "whole process", done.seconds, "s"),
                Figure(name, "with one event alone", start.seconds, "s"),
                Figure(name, "throughput", rates[name], "events/s"),
                Figure(name, "throughput", log.arrivals / seconds, "arrivals/s"),
                Figure(name, "throughput", log.bytes / seconds / 1e6, "MB/s"),
                Figure(name, "ours to theirs", rates[_OURS] / rates[name]),
                Figure(name, "peak memory", done.peak_bytes / MIB, "MiB"),
            ]
            found[name] = _found(here, name, database)
    _compare(log, found)
    return Outcome(figures, sizes={"peers": sizes.peers, "partitions": sizes.partitions})


def _peer_command(module: str, bootstrap: str, database: Path, records: int) -> list[str]:
    return program(module, bootstrap, database, records)


def _found(here: Environment, name: str, database: Path) -> str:
    """Give what one came to as text: arrivals, and its flags in order."""
    return here.run(program("scripts.flags", database)).stdout


def _compare(log: Log, found: dict[str, str]) -> None:
    ours = json.loads(found[_OURS])
    if not ours["flags"]:
        raise WrongResultError("the log has no leak to a third party, so there is nothing to find")
    for name, text in found.items():
        theirs = json.loads(text)
        if theirs != ours:
            raise WrongResultError(
                f"{name} found {theirs['arrivals']:,} arrivals and {len(theirs['flags']):,} flags, "
                f"we {ours['arrivals']:,} and {len(ours['flags']):,}"
            )

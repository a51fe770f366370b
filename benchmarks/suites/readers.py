"""Measures what ten readers and a hostile one cost a worker, upon ten million arrivals."""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.environment import Environment, need_packages
from benchmarks.errors import WrongResultError
from benchmarks.figures import Figure, Outcome
from benchmarks.measurement.process import LINEAGE, Program, program
from benchmarks.measurement.quantiles import quantile
from benchmarks.sizes import Sizes

__all__ = ["measure"]

_TURNS = 3
_LIVE_SEED, _LATENCY_SEED = 2, 3
_LIVE_TIMES = 4
_EVENTS_A_MESSAGE = 4
_WARM_UP_SECONDS = 5
_ALONE, _READ = "nobody reads", "ten read, one harms"
Answered = dict[str, float]


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Give the throughput of a worker, and the latency of its flags, without and with readers."""
    need_packages("confluent_kafka")
    log = here.log(sizes.console, "own", "avro")
    here.say(f"replaying {log.events:,} events")
    history = here.folder / "history.duckdb"
    here.lineage("replay", log.folder, "--db", history)
    figures = [Figure(_ALONE, "arrivals before", log.arrivals)]
    figures += _throughput(here, sizes, history)
    figures += _latency(here, sizes, history)
    return Outcome(
        figures, sizes={"console": sizes.console, "live": sizes.live, "rate": sizes.rate}
    )


def _throughput(here: Environment, sizes: Sizes, history: Path) -> list[Figure]:
    """Record a log that lies in Kafka, without and with readers in turn."""
    live = here.log(_LIVE_TIMES * sizes.live, "own", "avro", _LIVE_SEED)
    seconds: dict[str, list[float]] = {_ALONE: [], _READ: []}
    answered: Answered = {}
    with here.kafka() as bootstrap:
        here.load(live, bootstrap, sizes.partitions)
        for turn in range(_TURNS):
            for case, of in seconds.items():
                here.say(f"recording {live.events:,} events, {case}")
                database = _copy(here, history)
                group = f"readers-{turn}-{len(of)}-{case == _READ}"
                command = [
                    *(*LINEAGE, "worker", "--once", "--console", "--bootstrap", bootstrap),
                    *("--db", str(database), "--group", group),
                ]
                with Program(command, here.folder) as worker, _read(here, database, case) as told:
                    of.append(worker.wait(3600).seconds)
                answered |= told
    figures = [
        Figure(case, "throughput, whole process", live.events / statistics.median(of), "events/s")
        for case, of in seconds.items()
    ]
    if not answered.get("answers"):
        raise WrongResultError("the readers were answered nothing")
    figures += [
        Figure(_READ, "pages answered in the last turn", answered["answers"]),
        Figure(_READ, "refused, as all places were taken", answered["refusals"]),
        Figure(_READ, "slowest page", answered["slowest_ms"], "ms"),
    ]
    return figures


def _latency(here: Environment, sizes: Sizes, history: Path) -> list[Figure]:
    """Send events at a steady rate, and wait for the flags of leaks."""
    seconds = sizes.seconds + _WARM_UP_SECONDS
    messages = sizes.rate * seconds * 4 // 3 // _EVENTS_A_MESSAGE + 2_000
    log = here.log(messages, "worst", "avro", _LATENCY_SEED)
    figures: list[Figure] = []
    for case in (_ALONE, _READ):
        here.say(f"sending {sizes.rate:,} events/s for {seconds} s, {case}")
        database = _copy(here, history)
        with here.kafka() as bootstrap:
            command = [
                *(*LINEAGE, "worker", "--console", "--bootstrap", bootstrap, "--db", str(database)),
            ]
            leaks = program(
                *("scripts.leaks", log.folder, bootstrap, "--partitions", sizes.partitions),
                *("--rate", sizes.rate, "--seconds", sizes.seconds),
                *("--warm-up", _WARM_UP_SECONDS, "--idle", 1),
            )
            with Program(command, here.folder) as worker, _read(here, database, case):
                told = json.loads(here.run(leaks).stdout)["loaded"]
                worker.check()
        figures += [
            Figure(case, "flag latency, p50", quantile(told, 0.5), "ms"),
            Figure(case, "flag latency, p99", quantile(told, 0.99), "ms"),
        ]
    return figures


@contextmanager
def _read(here: Environment, database: Path, case: str) -> Iterator[Answered]:
    """Read meanwhile, if the case says so; gives at the end what was answered."""
    told: Answered = {}
    if case == _ALONE:
        yield told
        return
    with Program(program("scripts.readers", database), here.folder) as readers:
        yield told
        if line := readers.last_line():
            told |= json.loads(line)


def _copy(here: Environment, history: Path) -> Path:
    """Return a new copy of the database: each case begins with the same."""
    return Path(shutil.copy(history, here.folder / "read.duckdb"))

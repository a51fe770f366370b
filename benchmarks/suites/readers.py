"""Measures what ten readers and a hostile one cost a worker, upon ten million arrivals."""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.environment import Environment, Mix, need_packages
from benchmarks.errors import WrongResultError
from benchmarks.figures import Figure, Outcome
from benchmarks.measurement.process import LINEAGE, Program, program
from benchmarks.measurement.quantiles import quantile
from benchmarks.sizes import Sizes

__all__ = ["measure"]

_TURNS = 3
_LIVE_TIMES = 4
_EVENTS_A_MESSAGE = 4
_WARM_UP_SECONDS = 5
_ALONE, _READ = "nobody reads", "ten read, one harms"
Answered = dict[str, float]


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Give the throughput of a worker, and the latency of its flags, without and with readers."""
    need_packages("confluent_kafka")
    figures = _throughput(here, sizes, _History(here, sizes, "own", _LIVE_TIMES * sizes.live))
    seconds = sizes.seconds + _WARM_UP_SECONDS
    messages = sizes.rate * seconds * 4 // 3 // _EVENTS_A_MESSAGE + 2_000
    figures += _latency(here, sizes, _History(here, sizes, "worst", messages))
    return Outcome(
        figures, sizes={"console": sizes.console, "live": sizes.live, "rate": sizes.rate}
    )


class _History:
    """A database of what came first of a log, and the log of what comes after it.

    messages: how many come after it, about.
    """

    def __init__(self, here: Environment, sizes: Sizes, mix: Mix, messages: int) -> None:
        whole = here.log(sizes.console + messages, mix, "avro")
        self.events = whole.events * messages // whole.messages
        here.say(f"splitting {whole.events:,} events, the last {self.events:,} from the rest")
        earlier, self.live = here.folder / f"{mix}-earlier", here.folder / f"{mix}-later"
        split = program("scripts.split", whole.folder, earlier, self.live, "--events", self.events)
        here.run(split)
        self.database = here.folder / f"{mix}-history.duckdb"
        here.say(f"replaying {whole.events - self.events:,} events")
        done = here.lineage("replay", earlier, "--db", self.database, "--json")
        self.arrivals = int(json.loads(done.stdout)["arrivals"])


def _throughput(here: Environment, sizes: Sizes, history: _History) -> list[Figure]:
    """Record a log that lies in Kafka, without and with readers in turn."""
    seconds: dict[str, list[float]] = {_ALONE: [], _READ: []}
    answered: Answered = {}
    with here.kafka() as bootstrap:
        sent = here.load(history.live, bootstrap, sizes.partitions)
        for turn in range(_TURNS):
            for case, of in seconds.items():
                here.say(f"recording {sent:,} events, {case}")
                database = _copy(here, history.database)
                group = f"readers-{turn}-{len(of)}-{case == _READ}"
                command = [
                    *(*LINEAGE, "worker", "--once", "--console", "--bootstrap", bootstrap),
                    *("--db", str(database), "--group", group),
                ]
                with Program(command, here.folder) as worker, _read(here, database, case) as told:
                    of.append(worker.wait(3600).seconds)
                answered |= told
    figures = [Figure(_ALONE, "arrivals before, throughput", history.arrivals)]
    figures += [
        Figure(case, "throughput, whole process", sent / statistics.median(of), "events/s")
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


def _latency(here: Environment, sizes: Sizes, history: _History) -> list[Figure]:
    """Send events at a steady rate, and wait for the flags of leaks."""
    seconds = sizes.seconds + _WARM_UP_SECONDS
    figures = [Figure(_ALONE, "arrivals before, latency", history.arrivals)]
    for case in (_ALONE, _READ):
        here.say(f"sending {sizes.rate:,} events/s for {seconds} s, {case}")
        database = _copy(here, history.database)
        with here.kafka() as bootstrap:
            command = [
                *(*LINEAGE, "worker", "--console", "--bootstrap", bootstrap, "--db", str(database)),
            ]
            leaks = program(
                *("scripts.leaks", history.live, bootstrap, "--partitions", sizes.partitions),
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

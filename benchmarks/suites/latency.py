"""Measures the latency from a leak's last hop to its flag on the topic, under load and idle."""

from __future__ import annotations

import json

from benchmarks.environment import Environment, need_packages
from benchmarks.errors import WrongResultError
from benchmarks.figures import Figure, Outcome
from benchmarks.measurement.process import LINEAGE, Program, program
from benchmarks.measurement.quantiles import quantile
from benchmarks.sizes import Sizes

__all__ = ["measure"]

_EVENTS_A_MESSAGE = 4
_WARM_UP_SECONDS = 5
_IDLE_LEAKS = 50
_LATE_MS_MAX = 100.0


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Run a worker, send it the worst mix at a steady rate, and wait for the flags of leaks."""
    need_packages("confluent_kafka")
    seconds = sizes.seconds + _WARM_UP_SECONDS
    # A third more than is sent: some messages are kept for the idle part.
    messages = sizes.rate * seconds * 4 // 3 // _EVENTS_A_MESSAGE + 2_000
    log = here.log(messages, "worst", "avro")
    with here.kafka() as bootstrap:
        database = here.folder / "latency.duckdb"
        worker = [*LINEAGE, "worker", "--bootstrap", bootstrap, "--db", str(database)]
        with Program(worker, here.folder) as running:
            here.say(f"sending {sizes.rate:,} events/s for {seconds} s, then leaks alone")
            done = here.run(
                program(
                    *("scripts.leaks", log.folder, bootstrap, "--partitions", sizes.partitions),
                    *("--rate", sizes.rate, "--seconds", sizes.seconds),
                    *("--warm-up", _WARM_UP_SECONDS, "--idle", _IDLE_LEAKS),
                )
            )
            running.check()
    told = json.loads(done.stdout)
    if told["late_ms_max"] > _LATE_MS_MAX:
        here.say(f"note: the sender was up to {told['late_ms_max']:.0f} ms behind its rate")
    figures: list[Figure] = []
    cases = {f"at {sizes.rate:,} events/s": told["loaded"], "idle": told["idle"]}
    for case, latencies in cases.items():
        if not latencies:
            raise WrongResultError(f"no leak was sent {case}; use a larger --rate or --seconds")
        figures += [
            Figure(case, "leaks", len(latencies)),
            Figure(case, "p50", quantile(latencies, 0.5), "ms"),
            Figure(case, "p99", quantile(latencies, 0.99), "ms"),
            Figure(case, "worst", max(latencies), "ms"),
        ]
        if case != "idle":
            figures += [
                Figure(case, "sent", told["rate"], "events/s"),
                Figure(case, "sender behind its rate, at most", told["late_ms_max"], "ms"),
            ]
    return Outcome(
        figures,
        sizes={"rate": sizes.rate, "seconds": sizes.seconds, "partitions": sizes.partitions},
    )

"""Sends the events of a simulated log to Kafka at a rate, in the order of time.

`python -m tests.torture.load LOG BOOTSTRAP RATE MOST`; RATE 0 is as fast as it can, MOST 0 all.
Prints how many.
"""

from __future__ import annotations

import sys
import time
from itertools import islice
from pathlib import Path

from benchmarks.scripts.datums import datums, produce, wire_header
from lineage.codec import INPUTS

_PACED_EVERY = 200


def load(log: Path, bootstrap: str, rate: float, most: int) -> int:
    """Send so many events of it (0: all), and return how many that were."""
    from confluent_kafka import Producer  # installed for benchmarks, not for the tests

    failures: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "partitioner": "murmur2_random",
            "linger.ms": 20,
            "delivery.report.only.error": True,
            "on_delivery": lambda error, record: failures.append(str(error)),
        }
    )
    headers = {kind.name: wire_header(kind) for kind in INPUTS}
    began, count = time.monotonic(), 0
    for one in islice(datums(log), most or None):
        produce(producer, one.kind.topic, one.key, headers[one.kind.name] + one.datum)
        count += 1
        if count % _PACED_EVERY == 0:
            producer.poll(0)
            if rate:
                time.sleep(max(0.0, began + count / rate - time.monotonic()))
    left = producer.flush(120)
    if left or failures:
        raise RuntimeError(f"{left} records are not in Kafka; {failures[:1]}")
    return count


if __name__ == "__main__":
    print(load(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])))

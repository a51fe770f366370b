"""Puts a log of .avro files into Kafka's topics, and prints {"records": how many}.

The bytes of the events stay as they are in the files; keys and partitions are those of
`lineage publish`, which does the same and checks every event, only slower.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from confluent_kafka import Producer

from benchmarks.scripts.datums import Datum, datums, produce, wire_header
from lineage.codec import INPUTS
from streams.kafka.topics.topics import MESSAGE_BYTES_MAX, create_topics

__all__ = ["load"]


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("bootstrap")
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--without", action="append", default=[], help="an event type to leave out")
    parser.add_argument("--first", type=int, help="only so many")
    asked = parser.parse_args()
    create_topics(asked.bootstrap, asked.partitions)
    events = (one for one in datums(asked.log) if one.kind.name not in asked.without)
    print(json.dumps({"records": load(islice(events, asked.first), asked.bootstrap)}))


def load(events: Iterable[Datum], bootstrap: str) -> int:
    """Send events to their topics; how many. Raises RuntimeError if one did not get there."""
    failures: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            # The partitioner of Kafka's own clients.
            "partitioner": "murmur2_random",
            "linger.ms": 50,
            "batch.size": 1_000_000,
            "message.max.bytes": MESSAGE_BYTES_MAX,
            "queue.buffering.max.messages": 500_000,
            "delivery.report.only.error": True,
            "error_cb": lambda error: failures.append(str(error)),
            "on_delivery": lambda error, record: failures.append(str(error)),
        }
    )
    headers = {kind.name: wire_header(kind) for kind in INPUTS}
    count = 0
    for one in events:
        produce(producer, one.kind.topic, one.key, headers[one.kind.name] + one.datum)
        count += 1
        if count % 10_000 == 0:
            producer.poll(0)
    left = producer.flush(60)
    if left or failures:
        raise RuntimeError(f"{left} records are not in Kafka; {failures[:1]}")
    return count


if __name__ == "__main__":
    main()

"""Reads the topics with librdkafka and does nothing with it; prints {"records", "seconds"}.

The seconds are from the first record on: connecting is not in them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from confluent_kafka import Consumer, TopicPartition

from streams.topics import INPUT_TOPICS, topic_partitions

_AT_ONCE = 10_000
_WAIT_SECONDS = 20.0


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bootstrap")
    parser.add_argument("records", type=int)
    asked = parser.parse_args()
    consumer = Consumer(
        {
            "bootstrap.servers": asked.bootstrap,
            "group.id": "raw-read",
            "enable.auto.commit": False,
            "queued.min.messages": 1_000_000,
        }
    )
    found = topic_partitions(asked.bootstrap, INPUT_TOPICS)
    consumer.assign(
        [TopicPartition(topic, n, 0) for topic, count in found.items() for n in range(count)]
    )
    read, began = 0, 0.0
    while read < asked.records:
        some = consumer.consume(_AT_ONCE, _WAIT_SECONDS)
        if not some:
            sys.exit(f"only {read} of {asked.records} records came")
        began = began or time.perf_counter()
        read += sum(1 for one in some if not one.error())
    print(json.dumps({"records": read, "seconds": time.perf_counter() - began}))
    consumer.close()


if __name__ == "__main__":
    main()

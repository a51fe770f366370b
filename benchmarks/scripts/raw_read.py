"""Reads the topics with librdkafka and does nothing with it; prints {"records", "seconds"}.

The seconds begin before it connects: what it fetches ahead would be left out otherwise.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from confluent_kafka import Consumer, TopicPartition

from streams.kafka.topics.topics import INPUT_TOPICS, topic_partitions

# It waits so long for so many, at the end too.
_AT_ONCE = 10_000
_WAIT_SECONDS = 0.02
_SECONDS_MAX = 60.0


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
    began = time.perf_counter()
    found = topic_partitions(asked.bootstrap, INPUT_TOPICS)
    consumer.assign(
        [TopicPartition(topic, n, 0) for topic, count in found.items() for n in range(count)]
    )
    read = 0
    while read < asked.records:
        if time.perf_counter() > began + _SECONDS_MAX:
            sys.exit(f"only {read} of {asked.records} records came")
        some = consumer.consume(_AT_ONCE, _WAIT_SECONDS)
        read += sum(1 for one in some if not one.error())
    print(json.dumps({"records": read, "seconds": time.perf_counter() - began}))
    consumer.close()


if __name__ == "__main__":
    main()

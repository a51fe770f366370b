"""What tests on a real Kafka share."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from streams.client import admin_client
from streams.topics import TOPICS, end_offsets, topic_partitions

PARTITIONS = 4


def delete_topics(bootstrap: str) -> None:
    """Delete all our topics, and wait until they are gone."""
    deadline = time.monotonic() + 30
    while there := list(topic_partitions(bootstrap, TOPICS)):
        assert time.monotonic() < deadline, f"still there: {there}"
        with admin_client(bootstrap) as admin:
            # Deleted is not gone: the broker goes on naming them for a moment.
            admin.delete_topics(there, raise_errors=False)
        time.sleep(0.1)


def read_all(bootstrap: str, topic: str) -> list[Any]:
    """Every record that is in a topic now, partition after partition."""
    ends = {at: end for at, end in end_offsets(bootstrap, [topic]).items() if end}
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    found: list[Any] = []
    try:
        for (name, partition), end in sorted(ends.items()):
            at = TopicPartition(name, partition)
            consumer.assign([at])
            consumer.seek_to_beginning(at)
            while consumer.position(at) < end:
                for records in consumer.poll(1000).values():
                    found.extend(records)
    finally:
        consumer.close()
    return found


def jvm_of(pid: int) -> bool:
    """True while the process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"

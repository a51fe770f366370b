"""Helps tests on a real Kafka."""

from __future__ import annotations

import io
import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import fastavro
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import RetriableError

from lineage.codec import FLAG_RAISED
from streams.kafka.admin import admin_client
from streams.kafka.topics.topics import FLAG_TOPIC, TOPICS, end_offsets, topic_partitions

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


def committed_offsets(bootstrap: str, group: str) -> dict[tuple[str, int], int]:
    """Return the offsets that a consumer group has committed to Kafka."""
    try:
        with admin_client(bootstrap) as admin:
            found = admin.list_group_offsets(group)
    except RetriableError:  # no group has ever been there, or its coordinator is starting
        return {}
    found = found.get(group, found)
    return {(tp.topic, tp.partition): at.offset for tp, at in found.items() if at.offset >= 0}


def flags_on_topic(bootstrap: str) -> list[tuple[Any, ...]]:
    """The flags that stand, going by the flag topic alone: the last record of each key.

    They are in the columns of `flag`, then job, run_id, source and recipient.
    """
    schema = fastavro.parse_schema(json.loads(FLAG_RAISED.schema))
    standing: dict[bytes, tuple[Any, ...]] = {}
    seqs: dict[bytes, int] = {}
    for record in read_all(bootstrap, FLAG_TOPIC):
        event: Any = fastavro.schemaless_reader(io.BytesIO(record.value[5:]), schema, None)
        key = record.key
        assert json.loads(key) == [event["rule"], event["message_id"], event["dataset"]]
        seq, updated, status = event.pop("seq"), event.pop("updated"), event.pop("status")
        if seq > seqs.get(key, 0):  # else it is published again
            assert updated == (status == "RAISED" and key in standing)
            seqs[key] = seq
        if status == "RAISED":
            standing[key] = tuple(
                value.replace(tzinfo=None) if isinstance(value, datetime) else value
                for value in event.values()
            )
        else:
            standing.pop(key, None)
    return list(standing.values())


def jvm_of(pid: int) -> bool:
    """True while the process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"

"""Starts a peer: its arguments, and all that it reads beforehand."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from benchmarks.peers.decode import TOPICS, Event, decode
from benchmarks.peers.warehouse import Job, Warehouse

__all__ = ["Asked", "asked"]

DATASET_DECLARED = TOPICS[3]


@dataclass(frozen=True)
class Asked:
    """bootstrap: HOST:PORT. database: to be made. records: when so many were read, it ends."""

    bootstrap: str
    database: Path
    records: int

    def job(self) -> Job:
        """Give the job, with the declarations: reference data, read whole before the start."""
        return Job(_whole_topic(self.bootstrap, DATASET_DECLARED))

    def warehouse(self) -> Warehouse:
        """Give the database, new."""
        return Warehouse(self.database)


def asked(arguments: Sequence[str] | None = None) -> Asked:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("database", type=Path)
    parser.add_argument("records", type=int)
    options = parser.parse_args(arguments)
    return Asked(options.bootstrap, options.database, options.records)


def _whole_topic(bootstrap: str, topic: str) -> list[Event]:
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "declarations", "enable.auto.commit": False}
    )
    found: list[Event] = []
    try:
        for number in consumer.list_topics(topic, 10).topics[topic].partitions:
            at = TopicPartition(topic, number, OFFSET_BEGINNING)
            _, end = consumer.get_watermark_offsets(at, 10)
            consumer.assign([at])
            missing = end
            while missing:
                records = consumer.consume(missing, 1)
                found += [decode(record.value()) for record in records]
                missing -= len(records)
    finally:
        consumer.close()
    return found

"""Compares the last records that were recorded with what Kafka has at the same offset now.

A broker that lost its tail, and was written to beyond the recorded position since, has the same
topic ids, and ends behind the position: only the records themselves are others.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.errors import BrokerUnavailableError, LostEvidenceError
from streams.kafka.admin import connecting
from streams.kafka.connection import KafkaConnection
from streams.kafka.fetch.consumer import sampling_consumer
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits
from streams.kafka.records import Records

__all__ = ["Mark", "Marks", "check_marks", "mark_of"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mark:
    """The last record recorded of a partition: its offset, and the SHA-256 of its value, hex."""

    offset: int
    sha256: str


Marks = Mapping[tuple[str, int], Mark]


def mark_of(records: Records) -> Mark:
    """Return the mark of the last of these records."""
    return Mark(records.offsets[-1], _sha256(records.values[-1]))


def check_marks(
    connection: KafkaConnection, db: str, marks: Marks, limits: KafkaLimits = KAFKA_LIMITS
) -> None:
    """Check that the marked records are in Kafka as they were recorded in the database `db`.

    One that is not there, since retention took it, says nothing, and one that is not read within
    `marks_seconds_max` is logged. Raises LostEvidenceError, and BrokerUnavailableError where no
    broker answers.
    """
    wanted = {TopicPartition(*at): mark for at, mark in marks.items()}
    if not wanted:
        return
    with connecting(connection):
        # One record of each partition is wanted.
        consumer = sampling_consumer(connection, "lineage-marks", 1, limits)
    try:
        with closing(consumer):
            found = _read(consumer, wanted, limits.marks_seconds_max)
    except (KafkaError, OSError) as error:
        raise BrokerUnavailableError(connection.bootstrap, "it gives no records") from error
    for at, sha256 in sorted(found.items()):
        if sha256 != wanted[at].sha256:
            raise LostEvidenceError(
                f"{db} has recorded {at.topic} partition {at.partition} up to offset "
                f"{wanted[at].offset}, where Kafka has another record now: the broker lost what "
                "came last, and others were written in its place; read the topics into a new "
                "database"
            )


def _read(
    consumer: KafkaConsumer, wanted: Mapping[TopicPartition, Mark], seconds_max: float
) -> dict[TopicPartition, str]:
    """Return the SHA-256 of what is at the marks now, as far as something is, and in time."""
    ends = consumer.end_offsets(list(wanted), int(seconds_max * 1000))
    left = {at for at, mark in wanted.items() if mark.offset < ends[at]}
    consumer.assign(list(left))
    for at in left:
        consumer.seek(at, wanted[at].offset)
    found: dict[TopicPartition, str] = {}
    deadline = time.monotonic() + seconds_max
    while left and time.monotonic() < deadline:
        polled = consumer.poll(100)
        for at, records in polled.items():
            if at in left and records[0].offset == wanted[at].offset:
                found[at] = _sha256(records[0].value)
        if left & polled.keys():
            left -= polled.keys()
            consumer.assign(list(left))
    for at in left:
        logger.warning(
            "whether %s partition %d has what was recorded is not known: nothing was read at "
            "offset %d", at.topic, at.partition, wanted[at].offset,
        )  # fmt: skip
    return found


def _sha256(value: bytes | None) -> str:
    return hashlib.sha256(value or b"").hexdigest()

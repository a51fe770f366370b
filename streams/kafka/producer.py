"""Sends the worker's records: dead letters before a commit, flags after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from lineage.codec.batch import DeadLetter
from streams.kafka.dead_letters.records import record, smaller
from streams.kafka.records import OriginalRecord, OutgoingRecord, Place
from streams.kafka.topics.topics import DEAD_LETTER_TOPIC, FLAG_TOPIC

__all__ = ["Produce", "send_dead_letters", "send_flags"]


class Produce(Protocol):
    """Send records to a topic, those with one key in their order."""

    async def __call__(self, topic: str, records: Sequence[OutgoingRecord]) -> Sequence[int]:
        """Send records; return the places of those that are larger than the topic takes.

        All others are acknowledged by the broker then. Raises the errors of the producer.
        """


async def send_dead_letters(
    produce: Produce,
    letters: Sequence[DeadLetter],
    originals: Mapping[Place, OriginalRecord],
) -> None:
    """Send each one with its original record, if it has one; return when all are acknowledged."""
    records = [
        record(one, originals.get((one.source, one.partition, one.position))) for one in letters
    ]
    # Fallback: a topic that takes no record of that size gets less of it, at least the cause.
    for _ in range(3):
        too_large = await produce(DEAD_LETTER_TOPIC, records)
        records = [smaller(records[place]) for place in too_large]
        if not records:
            return


async def send_flags(produce: Produce, flags: Sequence[tuple[bytes, bytes]]) -> None:
    """Send (key, encoded FlagRaised) pairs in order; return when all are acknowledged."""
    await produce(FLAG_TOPIC, [OutgoingRecord(key, value) for key, value in flags])

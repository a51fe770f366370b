"""Sends the worker's records: dead letters before a commit, flags after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lineage.codec.batch import DeadLetter
from streams.kafka.dead_letters import headers, key
from streams.kafka.records import OutgoingRecord
from streams.kafka.topics import DEAD_LETTER_TOPIC, FLAG_TOPIC

__all__ = ["Produce", "send_dead_letters", "send_flags"]


class Produce(Protocol):
    """Send records to a topic, those with one key in their order."""

    async def __call__(self, topic: str, records: Sequence[OutgoingRecord]) -> Sequence[int]:
        """Send records; return the places of those that are larger than the topic takes.

        All others are acknowledged by the broker then. Raises the errors of the producer.
        """


async def send_dead_letters(produce: Produce, letters: Sequence[DeadLetter]) -> None:
    """Send each one with its original bytes; return when all are acknowledged."""
    records = [OutgoingRecord(key(letter), letter.value, headers(letter)) for letter in letters]
    too_large = await produce(DEAD_LETTER_TOPIC, records)
    # Fallback: a topic that takes no record of that size gets the cause alone.
    without = [_without_value(records[place]) for place in too_large]
    if without:
        await produce(DEAD_LETTER_TOPIC, without)


def _without_value(record: OutgoingRecord) -> OutgoingRecord:
    size = str(len(record.value or b"")).encode()
    return OutgoingRecord(record.key, None, [*record.headers, ("omitted-bytes", size)])


async def send_flags(produce: Produce, flags: Sequence[tuple[bytes, bytes]]) -> None:
    """Send (key, encoded FlagRaised) pairs in order; return when all are acknowledged."""
    await produce(FLAG_TOPIC, [OutgoingRecord(key, value) for key, value in flags])

"""Notices records that compaction took from a topic before they were read."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Iterable, Mapping

from faust.types import TP

from lineage.codec import DeadLetter
from streams.kafka.records import Records

__all__ = ["CompactionGaps", "log_lost"]

logger = logging.getLogger(__name__)


class CompactionGaps:
    """Compares the offsets that come with those that there were.

    topics: those that Kafka compacts. In others a gap is nothing but the mark of a transaction, and
    what retention takes is gone from the beginning of a partition.
    """

    def __init__(self, topics: Iterable[str] = ()) -> None:
        self._topics = frozenset(topics)
        self._next: dict[tuple[str, int], int] = {}

    def start(self, offsets: Mapping[TP, int]) -> None:
        """Note where partitions are read from."""
        self._next |= {(tp.topic, tp.partition): offset for tp, offset in offsets.items()}

    def letter(self, records: Records) -> DeadLetter | None:
        """Return a dead letter about the offsets missing before and among these records."""
        if records.topic not in self._topics:
            return None
        partition = records.topic, records.partition
        first = self._next.get(partition, records.offsets[0])
        self._next[partition] = records.next_offset
        there = records.offsets[bisect_left(records.offsets, first) :]
        missing = records.next_offset - first - len(there)
        if missing <= 0:
            return None
        gap = next(at for at, found in enumerate([*there, -1], first) if at != found)
        reason = (
            f"{missing} of the offsets {gap} to {records.next_offset - 1} are not in the topic: "
            "compaction took them before they were read, or they were marks of transactions; set "
            "cleanup.policy=delete on it"
        )
        return DeadLetter.of(records.topic, records.partition, gap, reason, None)


def log_lost(letter: DeadLetter) -> None:
    """Say loudly that records are gone that were never read."""
    logger.error(
        "EVIDENCE LOST: %s partition %d: %s", letter.source, letter.partition, letter.reason
    )

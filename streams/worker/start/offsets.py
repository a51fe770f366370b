"""Finds where to read on, and says which records were deleted before they were read."""

from __future__ import annotations

from collections.abc import Collection

from faust.types import TP
from faust.types.transports import ConsumerT

from lineage.codec import DeadLetter
from streams.worker.pipeline.gaps import log_lost
from streams.worker.pipeline.group_commit import GroupCommitter

__all__ = ["start_offsets"]


async def start_offsets(
    consumer: ConsumerT, committer: GroupCommitter, partitions: Collection[TP]
) -> dict[TP, int]:
    """Return by partition the store's position, else the first offset there is.

    Records that Kafka deleted in between are logged, and noted as lost. Raises KafkaError.
    """
    earliest = await consumer.earliest_offsets(*partitions)
    starts: dict[TP, int] = {}
    for tp in partitions:
        stored = committer.positions.get((tp.topic, tp.partition))
        starts[tp] = earliest[tp] if stored is None else max(stored, earliest[tp])
        if earliest[tp] > (stored or 0):
            _report_lost(committer, tp, stored or 0, earliest[tp])
    return starts


def _report_lost(committer: GroupCommitter, tp: TP, first: int, earliest: int) -> None:
    """Say loudly, and record where auditors look, that records were never read."""
    reason = (
        f"offsets {first} to {earliest - 1} were deleted from the topic before they were "
        "read; set retention.ms=-1 on it"
    )
    letter = DeadLetter.of(tp.topic, tp.partition, first, reason, None)
    log_lost(letter)
    committer.note_lost((tp.topic, tp.partition), letter, earliest)

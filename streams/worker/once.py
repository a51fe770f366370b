"""Waits until a worker with --once has recorded all that was there when it began."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from faust.types import TP

from streams.errors import WorkerError
from streams.kafka.fetch.transport import Consumer

if TYPE_CHECKING:
    from streams.worker.app import LineageApp

__all__ = ["until_recorded"]

Ends = Mapping[tuple[str, int], int]


async def until_recorded(app: LineageApp, ends: Ends) -> None:
    """Return when all records before `ends`, the offset after the last by partition, are recorded.

    Raises WorkerError where nothing comes any more though there is more to read.
    """
    clock = asyncio.get_running_loop().time
    committer, limits = app.committer, app.settings.limits
    before, quiet_since = dict(committer.positions), clock()
    while lagging := _lagging(committer.positions, ends):
        await asyncio.sleep(0.1)
        if committer.positions != before or not committer.idle:
            before, quiet_since = dict(committer.positions), clock()
        quiet = clock() - quiet_since
        if quiet > limits.quiet_seconds_min and await _only_marks_left(app, lagging, ends):
            break
        if quiet > limits.stalled_seconds_max:
            raise WorkerError(
                f"nothing came from {app.settings.bootstrap} for {quiet:.0f} s though there "
                "is more to read; what was recorded is safe, so start the worker again when "
                "the broker is well"
            )
    while not committer.idle:  # flags may be on their way
        await asyncio.sleep(0.05)


def _lagging(positions: Ends, ends: Ends) -> list[TP]:
    return [TP(*at) for at, end in ends.items() if positions.get(at, 0) < end]


async def _only_marks_left(app: LineageApp, lagging: list[TP], ends: Ends) -> bool:
    """Say if the rest are no records: a transaction's last offset is only a mark."""
    consumer = cast(Consumer, app.consumer)
    if not consumer.assignment().issuperset(lagging):
        return False  # the group is still forming
    if consumer.positioned_generation != app.consumer_generation_id:
        return False  # asked before that, the consumer would never get a position
    try:
        positions = await asyncio.wait_for(
            asyncio.gather(*(consumer.position(tp) for tp in lagging)),
            app.settings.limits.position_seconds_max,
        )
    except TimeoutError:
        return False
    last = [ends[tp.topic, tp.partition] for tp in lagging]
    return all(at is not None and at >= end for at, end in zip(positions, last, strict=True))

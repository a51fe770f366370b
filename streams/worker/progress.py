"""Looks how far a worker is behind its topics."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, cast

from faust.types import TP

from streams.kafka.fetch.transport import Consumer
from streams.metrics.progress import Lag, Progress

if TYPE_CHECKING:
    from streams.worker.app import LineageApp

__all__ = ["progress_of"]


async def progress_of(app: LineageApp) -> Progress:
    """Return how far an app is behind, as far as its consumer knows.

    Raises what the consumer raises, where it has not started.
    """
    consumer, committer = cast(Consumer, app.consumer), app.committer
    assigned: set[TP] = consumer.assignment()
    positioned = consumer.positioned_generation == app.consumer_generation_id
    ends = {tp: consumer.highwater(tp) for tp in assigned}
    left = {
        tp: max(0, end - committer.positions.get((tp.topic, tp.partition), 0))
        for tp, end in ends.items()
        if end is not None
    }
    if positioned and committer.idle:
        await _without_marks(app, consumer, left)
    return Progress(
        rebalancing=bool(app.rebalancing) or not positioned or not assigned,
        partitions=len(assigned),
        lags={
            (tp.topic, tp.partition): Lag(count, _age(app, tp) if count else 0.0)
            for tp, count in left.items()
        },
        away_seconds=app.away_seconds,
        queued_records=committer.queued,
    )


async def _without_marks(app: LineageApp, consumer: Consumer, left: dict[TP, int]) -> None:
    """Take out what is no record: with nothing in hand, all before the consumer's place is done."""
    lagging = [tp for tp, count in left.items() if count]
    try:
        places = await asyncio.wait_for(
            asyncio.gather(*(consumer.position(tp) for tp in lagging)),
            app.settings.limits.position_seconds_max,
        )
    except TimeoutError:
        return
    for tp, place in zip(lagging, places, strict=True):
        if place is not None and app.committer.idle:
            left[tp] = max(0, consumer.highwater(tp) - place)


def _age(app: LineageApp, tp: TP) -> float | None:
    latest = app.committer.latest.get((tp.topic, tp.partition))
    return None if latest is None else max(0.0, time.time() - latest / 1000)

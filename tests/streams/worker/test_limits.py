"""The limits of a worker's settings reach what they bound."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from streams.worker.app import LineageApp
from streams.worker.configuration.settings import Settings
from streams.worker.limits import WORKER_LIMITS

CLOSED = "127.0.0.1:1"
LIMITS = replace(
    WORKER_LIMITS,
    fetch_bytes_max=70_000,
    metadata_seconds_max=3,
    kafka=replace(WORKER_LIMITS.kafka, fetch_bytes_min=7, fetch_wait_milliseconds_max=8),
)


def test_fetches_are_bounded_as_the_settings_say() -> None:
    async def consumer_of(settings: Settings) -> object:
        app: Any = LineageApp(settings, lambda error: None)
        return app.consumer._thread._create_worker_consumer(app.transport)

    made = asyncio.run(consumer_of(Settings("db", CLOSED, limits=LIMITS)))
    assert vars(made)["_fetch_min_bytes"] == 7
    assert vars(made)["_fetch_max_wait_ms"] == 8
    assert vars(made)["_max_partition_fetch_bytes"] == 70_000

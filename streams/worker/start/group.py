"""Keeps a worker alone in its group: two would get a part of the events each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress

from faust.types import TP

from streams.errors import StreamsError, WorkerError
from streams.kafka.admin import admin_client
from streams.kafka.topics.topics import group_members
from streams.worker.configuration.settings import Settings

__all__ = ["report_other_members", "wait_for_empty_group"]

logger = logging.getLogger(__name__)


async def wait_for_empty_group(settings: Settings) -> None:
    """Wait until the group has given up a worker that was killed. Raises WorkerError.

    Beside one that lives, this one would publish flags by its part of the events, and nobody
    would take them back when it ends.
    """
    clock, limits = asyncio.get_running_loop().time, settings.limits
    deadline = clock() + 1.5 * limits.session_seconds_max
    while await asyncio.to_thread(_members, settings):
        if clock() > deadline:
            raise WorkerError(
                f"another worker of the group {settings.group} reads these topics, and "
                "two would get a part of the events each; end it, or give one of the two "
                "another group"
            )
        await asyncio.sleep(limits.retry_seconds)


async def report_other_members(
    settings: Settings, assigned: Collection[TP], partitions: Collection[tuple[str, int]]
) -> None:
    """Say that another worker has a part of the partitions. Raises WorkerError with --once."""
    missing = set(partitions) - {(tp.topic, tp.partition) for tp in assigned}
    # Partitions of a topic that was deleted are missing, too, and nobody else reads them.
    if not missing or await asyncio.to_thread(_members, settings) < 2:
        return
    message = (
        f"another worker of the group {settings.group} reads {len(missing)} of "
        f"{len(partitions)} partitions, so {settings.db} would get only a part of "
        "the events; end it, or give one of the two another group"
    )
    if settings.once:
        raise WorkerError(message)
    logger.error("%s", message)


def _members(settings: Settings) -> int:
    """Return how many workers the group has; 0 where that cannot be told now."""
    with suppress(StreamsError), admin_client(settings.connection, settings.limits.kafka) as admin:
        return group_members(admin, settings.group)
    return 0

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

__all__ = ["Alone", "wait_for_empty_group"]

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


class Alone:
    """Sees to it that of several workers that join a group in one moment one is left.

    Each of them found the group empty. Whose partitions are not all of them at its first assignment
    has recorded nothing yet, and ends; or waits, if its id is the smallest, for the others to end.
    One that has had all partitions stays, whoever comes.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._settled = False

    async def check(
        self, own_id: str, assigned: Collection[TP], partitions: Collection[tuple[str, int]]
    ) -> None:
        """Look, before anything of an assignment is read, for others who have a part.

        own_id: of this member of the group. Raises WorkerError where this one is to end, and with
        --once wherever another worker has a part.
        """
        missing = set(partitions) - {(tp.topic, tp.partition) for tp in assigned}
        # Partitions of a topic that was deleted are missing, too, and nobody else reads them.
        members = await self._members() if missing else frozenset()
        if not self._settled and own_id == min(members, default=None):
            members = await self._until_alone(members)
        if len(members) < 2:
            self._settled = True
            return
        settings = self._settings
        message = (
            f"another worker of the group {settings.group} reads {len(missing)} of "
            f"{len(partitions)} partitions, so {settings.db} would get only a part of "
            "the events; end it, or give one of the two another group"
        )
        if settings.once or not self._settled:
            raise WorkerError(message)
        logger.error("%s", message)

    async def _until_alone(self, members: frozenset[str]) -> frozenset[str]:
        """Wait for others who came in the same moment to end; return who is left."""
        clock, limits = asyncio.get_running_loop().time, self._settings.limits
        deadline = clock() + 1.5 * limits.session_seconds_max
        while len(members) > 1 and clock() < deadline:
            await asyncio.sleep(limits.retry_seconds)
            members = await self._members()
        return members

    async def _members(self) -> frozenset[str]:
        return await asyncio.to_thread(_members, self._settings)


def _members(settings: Settings) -> frozenset[str]:
    """Return the ids of the group's members; none where that cannot be told now."""
    with suppress(StreamsError), admin_client(settings.connection, settings.limits.kafka) as admin:
        return group_members(admin, settings.group)
    return frozenset()

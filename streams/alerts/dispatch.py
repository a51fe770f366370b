"""Dispatches the changes of flags to all receivers, to each at its own pace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import aiohttp

from lineage import StoreError
from lineage.store.alert_outbox import AlertOutbox
from streams.alerts.delivery import Delivery
from streams.alerts.follower import Ask, Follower
from streams.alerts.settings import AlertSettings, Receiver

__all__ = ["Dispatcher"]


class Dispatcher:
    """Tells receivers of flags, once they are committed; runs on one event loop.

    What a receiver has is noted in the database only once it has said so; what was sent before a
    kill and not noted comes again, and is known by its fingerprint. A receiver that hangs holds up
    neither recording nor the others. fail: told of what ends it.
    """

    def __init__(
        self, settings: AlertSettings, ask: Ask, fail: Callable[[BaseException], None]
    ) -> None:
        self._settings = settings
        self._limits = settings.limits
        self._ask = ask
        self._fail = fail
        self._tasks: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None
        self._followers: list[Follower] = []

    async def start(self) -> None:
        """Begin to tell all receivers. Raises StoreError."""
        self._session = aiohttp.ClientSession(trust_env=True)
        told, latest = await self._ask(AlertOutbox.told), await self._ask(AlertOutbox.latest)
        for receiver in self._settings.receivers:
            first = told.get(receiver.name)
            if first is None:
                first = await self._introduce(receiver, latest)
            delivery = Delivery(receiver, self._session, self._limits)
            follower = Follower(
                receiver, delivery, self._ask, first, self._settings.console, self._limits
            )
            self._followers.append(follower)
            self._begin(follower.follow())
            if receiver.kind == "alertmanager":
                self._begin(follower.stand())

    async def stop(self) -> None:
        """Send what is recorded, as far as the receivers take it soon, and end."""
        with suppress(TimeoutError, StoreError):  # which is told by what it ended
            async with asyncio.timeout(self._limits.finish_seconds_max):
                latest = await self._ask(AlertOutbox.latest)
                while any(one.told < latest and not one.failing for one in self._followers):
                    await asyncio.sleep(self._limits.look_seconds / 5)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _introduce(self, receiver: Receiver, latest: int) -> int:
        """Note from where on a new receiver is told, and return it."""
        first = 0 if receiver.from_beginning else latest
        await self._ask(partial(AlertOutbox.note, name=receiver.name, seq=first))
        return first

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(self._guarded(work)))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self._fail(error)

"""Follows the changes of flags for one receiver, and notes what it has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from lineage.store.alert_outbox import AlertOutbox
from streams.alerts.delivery import Delivery
from streams.alerts.limits import AlertLimits
from streams.alerts.payloads import alerts_of, cloud_event, standing_alert
from streams.alerts.settings import Receiver

__all__ = ["Ask", "Follower"]

T = TypeVar("T")
_Flag = dict[str, Any]


class Ask(Protocol):
    """Does work on the outbox between two transactions; raises what the work raises."""

    def __call__(self, work: Callable[[AlertOutbox], T]) -> Awaitable[T]:
        """Return the result of the work."""


class Follower:
    """Tells one receiver of flags: what is committed, in order, at least once.

    told: the seq of the last change that the receiver is known to have.
    """

    def __init__(
        self,
        receiver: Receiver,
        delivery: Delivery,
        ask: Ask,
        told: int,
        console: str | None,
        limits: AlertLimits,
    ) -> None:
        self.told = told
        self._receiver = receiver
        self._delivery = delivery
        self._ask = ask
        self._console = console
        self._limits = limits
        # From reading to sending: else a flag that was read while it stood would be sent after the
        # change that cleared it.
        self._in_turn = asyncio.Lock()

    @property
    def failing(self) -> bool:
        """Say whether the receiver takes nothing at the moment."""
        return self._delivery.failing

    async def follow(self) -> None:
        """Tell of the changes as they are committed, without end. Raises StoreError."""
        while True:
            async with self._in_turn:
                more = await self._tell_changes()
            if not more:
                await asyncio.sleep(self._limits.look_seconds)

    async def stand(self) -> None:
        """Tell of all standing flags, round after round. Raises StoreError.

        Alertmanager keeps alerts in memory alone.
        """
        limits, first = self._limits, 0
        while True:
            async with self._in_turn:
                count = await self._tell_standing(first)
            if count == limits.standing_together:
                first += count
                await asyncio.sleep(limits.standing_pause_seconds)
            else:
                first = 0
                await asyncio.sleep(limits.resend_seconds)

    async def _tell_changes(self) -> bool:
        together = self._limits.changes_together
        after = self.told
        changes = await self._ask(lambda outbox: outbox.changes_after(after, together))
        if not changes:
            return False
        if self._receiver.kind == "alertmanager":
            await self._send_alerts(changes)
        else:
            await self._send_events(changes)
        self.told = changes[-1]["seq"]
        await self._ask(partial(AlertOutbox.note, name=self._receiver.name, seq=self.told))
        return True

    async def _tell_standing(self, first: int) -> int:
        severities, together = self._receiver.severities, self._limits.standing_together
        flags = await self._ask(lambda outbox: outbox.standing(severities, first, together))
        now = datetime.now(UTC)
        if flags:
            await self._delivery.send(
                [
                    standing_alert(one, now, self._limits.hold_seconds, self._console)
                    for one in flags
                ]
            )
        return len(flags)

    async def _send_alerts(self, changes: list[_Flag]) -> None:
        now, hold = datetime.now(UTC), self._limits.hold_seconds
        alerts = {
            tuple(alert["labels"].items()): alert  # of two for one alert the later counts
            for change in changes
            for alert in alerts_of(change, self._receiver.severities, now, hold, self._console)
        }
        if alerts:
            await self._delivery.send(list(alerts.values()))

    async def _send_events(self, changes: list[_Flag]) -> None:
        for change in changes:
            # A flag that has changed may have had another severity before.
            if change["severity"] in self._receiver.severities or change["updated"]:
                await self._delivery.send(cloud_event(change, self._console))

"""Tells receivers of alerts what the worker's store commits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from lineage.store.alert_outbox import AlertOutbox
from streams.alerts.dispatch import Dispatcher
from streams.worker.configuration.settings import Settings
from streams.worker.pipeline.group_commit import GroupCommitter
from streams.worker.pipeline.sink import StoreSink

__all__ = ["start_alerts"]

T = TypeVar("T")


async def start_alerts(
    sink: StoreSink,
    committer: GroupCommitter,
    settings: Settings,
    fail: Callable[[BaseException], None],
) -> Dispatcher | None:
    """Begin to tell of flags, if the settings say whom. Raises StoreError."""
    if settings.alerts is None:
        return None

    async def ask(work: Callable[[AlertOutbox], T]) -> T:
        return await committer.ask(lambda: sink.with_alerts(work))

    dispatcher = Dispatcher(settings.alerts, ask, fail)
    await dispatcher.start()
    return dispatcher

"""Runs a local broker in the foreground, as a command runs it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

from streams.broker.local import LocalBroker

__all__ = ["run_broker"]


def run_broker(
    folder: str | os.PathLike[str],
    port: int = 0,
    on_ready: Callable[[str], None] = lambda bootstrap: None,
) -> None:
    """Run a local broker until SIGINT or SIGTERM; call from the main thread.

    `on_ready` gets HOST:PORT once the broker answers. Returns when it has ended. Raises what
    `LocalBroker.start` raises, and BrokerDiedError if the broker ends by itself.
    """
    broker = LocalBroker(folder, port)
    with _signals() as stopped:
        try:
            broker.start(stopped.is_set)
            if not stopped.is_set():
                on_ready(broker.bootstrap)
            while not stopped.wait(0.5):
                broker.check()
        finally:
            broker.stop()


@contextmanager
def _signals() -> Iterator[Event]:
    """Give an event that SIGINT and SIGTERM set, instead of what they did before."""
    stopped = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

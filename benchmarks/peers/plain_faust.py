"""Runs plain Faust: an agent a topic, an event at a time."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import faust

from benchmarks.peers.decode import TOPICS, decode
from benchmarks.peers.start import Asked, asked

__all__ = ["main"]


def main() -> None:
    """Run."""
    told = asked()
    # Faust's worker has a command line of its own.
    sys.argv = [sys.argv[0]]
    worker = faust.Worker(_app(told), loglevel=logging.WARNING)
    worker.execute_from_commandline()


def _app(told: Asked) -> faust.App:
    app = faust.App(
        "peer-faust",
        broker=f"kafka://{told.bootstrap}",
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
    )
    job, warehouse = told.job(), told.warehouse()
    read = 0

    def agent_of(topic: str) -> None:
        @app.agent(app.topic(topic), name=topic)
        async def agent(stream: Any) -> None:  # noqa: ANN401 - a stream of bytes
            nonlocal read
            async for value in stream:
                warehouse.add(job.rows(topic, decode(value)))
                read += 1
                if read == told.records:
                    warehouse.close()
                    # Its own shutdown takes seconds, and is no part of the work.
                    os._exit(0)

    for topic in TOPICS:
        agent_of(topic)
    return app


if __name__ == "__main__":
    main()

"""Serves the worker's database while it is recorded into."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from streams.console.console import pages_of
from streams.errors import ServeError
from streams.metrics.endpoints import metrics_routes
from streams.metrics.meter import Meter
from streams.metrics.progress import Progress
from streams.metrics.scraped import Watched
from streams.quack.endpoint import quack_of
from streams.serve.server import QuestionServer
from streams.worker.configuration.settings import Settings
from streams.worker.pipeline.sink import StoreSink

__all__ = ["start_server"]

logger = logging.getLogger(__name__)


def start_server(
    sink: StoreSink, settings: Settings, meter: Meter, progress: Callable[[], Progress]
) -> QuestionServer | None:
    """Serve the store of a sink, if the settings say so; a failure is told, and ends nothing.

    meter, progress: what its metrics tell.
    """
    if settings.serve is None:
        return None
    db = None if settings.db == ":memory:" else Path(settings.db)
    watched = Watched(
        sink.readers, db, progress, lambda: sink.retried, settings.limits.ready_lag_seconds_max
    )
    more = metrics_routes(meter, watched)
    pages = pages_of(settings.serve)
    quack = quack_of(settings.serve)
    server = QuestionServer(sink.readers, settings.serve, db, sink.backup, more, pages, quack)
    try:
        server.start()
    except ServeError as error:
        logger.error("recording goes on, but answers no questions: %s", error)  # noqa: TRY400 -- the sentence says it all
        return None
    shown = ", and showing the console" if pages is not None else ""
    shown += ", and DuckDB's quack" if quack is not None else ""
    logger.info("answering questions%s at %s", shown, server.url)
    return server

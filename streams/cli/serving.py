"""Serves a database that no worker writes, until a signal ends it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streams.serve.settings import ServeSettings

__all__ = ["serve_file"]

_LOOK_SECONDS = 0.5


def serve_file(db: Path, settings: ServeSettings) -> None:
    """Open a database to be read, and serve it until SIGINT or SIGTERM; writes the address.

    Raises what `lineage.open` raises, and ServeError.
    """
    import signal
    import threading

    import lineage
    from streams.console.console import pages_of
    from streams.metrics.endpoints import metrics_routes
    from streams.metrics.meter import Meter
    from streams.metrics.scraped import Watched
    from streams.quack.endpoint import quack_of
    from streams.serve.readers import Readers
    from streams.serve.server import QuestionServer

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with lineage.open(db, read_only=True) as store:
        readers = Readers(store, settings.limits)
        more = metrics_routes(Meter(), Watched(readers, db))
        # Without a token file nothing but the file beside the database can tell the token.
        told = db if settings.quack else None
        server = QuestionServer(
            readers, settings, told, store.backup, more, pages_of(settings), quack_of(settings)
        )
        server.start()
        click.echo(server.url)
        # The system may give a signal to any thread, and only the main one handles it: a wait
        # without an end would sleep through it.
        while not stopped.wait(_LOOK_SECONDS):
            pass
        server.stop()

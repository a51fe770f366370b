"""`serve`: answers questions to a database over HTTP, where no worker does."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options
from streams.serve.settings import ANY_PORT

_LOOK_SECONDS = 0.5


@click.command()
@options.database
@click.option(
    "--listen", default=ANY_PORT, show_default=True, metavar="HOST:PORT",
    help="Where to listen; port 0 is any free one. Other machines need a token file.",
)  # fmt: skip
@options.token_file
def serve(db: Path, listen: str, token_file: Path | None) -> None:
    """Answer questions to a database over HTTP, until SIGINT or SIGTERM.

    The database is open to be read: no worker can write it meanwhile. A worker serves its own
    database by itself. Writes the address to stdout once it answers.
    """
    import signal
    import threading

    import lineage
    from streams.metrics.endpoints import metrics_routes
    from streams.metrics.meter import Meter
    from streams.metrics.scraped import Watched
    from streams.serve.readers import Readers
    from streams.serve.server import QuestionServer
    from streams.serve.settings import ServeSettings

    settings = ServeSettings.of(listen, token_file)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with lineage.open(db, read_only=True) as store:
        readers = Readers(store, settings.limits)
        more = metrics_routes(Meter(), Watched(readers, db))
        server = QuestionServer(readers, settings, None, store.backup, more)
        server.start()
        click.echo(server.url)
        # The system may give a signal to any thread, and only the main one handles it: a wait
        # without an end would sleep through it.
        while not stopped.wait(_LOOK_SECONDS):
            pass
        server.stop()

"""`serve`: answers questions to a database over HTTP, where no worker does."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options


@click.command()
@options.database
@options.listen
@options.token_file
@options.quack
def serve(db: Path, listen: str, token_file: Path | None, quack: bool) -> None:
    """Answer questions to a database over HTTP, until SIGINT or SIGTERM.

    The database is open to be read: no worker can write it meanwhile. A worker serves its own
    database by itself. Writes the address to stdout once it answers.
    """
    from streams.cli.serving import serve_file
    from streams.serve.settings import ServeSettings

    serve_file(db, ServeSettings.of(listen, token_file, quack=quack))

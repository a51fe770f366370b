"""`console`: shows a database in a browser."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options
from streams.cli.errors import NOT_AVAILABLE, Failure


@click.command()
@options.database
@options.listen
@options.token_file
def console(db: Path, listen: str, token_file: Path | None) -> None:
    """Show a database in a browser: writes the address of the console to stdout.

    Where a worker writes the database and was started with --console, that is its address, and the
    command ends. Else the database is open to be read, and shown until SIGINT or SIGTERM; no worker
    can write it meanwhile.
    """
    import lineage
    from streams.cli.serving import serve_file
    from streams.serve.settings import ServeSettings

    try:
        serve_file(db, ServeSettings.of(listen, token_file, console=True))
    except lineage.StoreBusyError:
        url = _worker_console(db)
        if url is None:
            raise
        click.echo(url)


def _worker_console(db: Path) -> str | None:
    """Return the address of the console of the worker that holds a database, if that is served."""
    from streams.cli.reader import served_store
    from streams.serve.address_file import announced

    served = served_store(db)
    where = announced(db)
    if served is None or where is None:
        return None
    if not served.health().get("console"):
        raise Failure(
            f"the worker that writes {db} shows no console; start it with --console", NOT_AVAILABLE
        )
    return where.url

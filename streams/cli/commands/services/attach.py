"""`attach`: tells DuckDB's own clients how to attach a database that is served."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options
from streams.cli.errors import NOT_AVAILABLE, Failure


@click.command()
@options.database
@click.option(
    "--name", default="lineage", show_default=True, metavar="NAME",
    help="The name that the database has for the client.",
)  # fmt: skip
def attach(db: Path, name: str) -> None:
    """Write the statements by which DuckDB's own clients attach a database that is served.

    It has to be served with --quack, by a worker or by `lineage serve`. The statements hold the
    token: a file of them is for its owner alone. DuckDB's shell reads it by `duckdb -init`.
    """
    from lineage.remote.attach import attach_statements
    from streams.cli.reader import served_store
    from streams.serve.address_file import announced

    served, where = served_store(db), announced(db)
    if served is None or where is None:
        raise Failure(
            f"no process serves {db}; start `lineage worker` or `lineage serve` with --quack",
            NOT_AVAILABLE,
        )
    if not served.health().get("quack"):
        raise Failure(
            f"what serves {db} does not answer DuckDB's clients; start it with --quack",
            NOT_AVAILABLE,
        )
    for statement in attach_statements(where.url, where.token, name):
        click.echo(statement)

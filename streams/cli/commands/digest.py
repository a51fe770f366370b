"""`digest`: one hash over the evidence of a database."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options
from streams.cli.output import write_json
from streams.cli.reader import reader_of


@click.command()
@options.database
@options.as_json
def digest(db: Path, as_json: bool) -> None:
    """Write the SHA-256 over events, arrivals and flags: the same for the same evidence."""
    with reader_of(db) as store:
        found = store.digest()
    if as_json:
        write_json({"digest": found})
    else:
        click.echo(found)

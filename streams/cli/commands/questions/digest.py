"""`digest`: one hash over the evidence of a database."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options
from streams.cli.output.stdout import write_json
from streams.cli.reader import reader_of


@click.command()
@options.database
@click.option(
    "--note", is_flag=True,
    help="Also note it in the database, for `lineage doctor --db` to compare with.",
)  # fmt: skip
@options.as_json
def digest(db: Path, note: bool, as_json: bool) -> None:
    """Write the SHA-256 over events, arrivals and flags: the same for the same evidence.

    A digest that is noted is compared by `lineage doctor --db` until anything else is recorded.
    """
    import lineage

    if note:
        with lineage.open(db) as writer:
            found = writer.note_digest(options.instant_now())
    else:
        with reader_of(db) as reader:
            found = reader.digest()
    if as_json:
        write_json({"digest": found})
    else:
        click.echo(found)

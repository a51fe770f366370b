"""`backup`: makes a copy of a database that is whole."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options
from streams.cli.errors import NOT_AVAILABLE, Failure
from streams.cli.output.stdout import write_json
from streams.cli.reader import reader_of


@click.command()
@options.database
@click.option(
    "--to", required=True, type=click.Path(path_type=Path), metavar="COPY",
    help="The file to make. One that is there is never overwritten.",
)  # fmt: skip
@click.option(
    "--verify", is_flag=True, help="Read the copy, and compare its digest with the database's."
)
@options.as_json
def backup(db: Path, to: Path, verify: bool, as_json: bool) -> None:
    """Make a copy of a database: under its name only once it is all there.

    Of a database that a worker writes, the worker makes the copy, and goes on recording: then there
    is no digest to compare with.
    """
    import lineage

    with reader_of(db) as store:
        if verify and not isinstance(store, lineage.Store):
            raise Failure(
                f"{db} is being written, so there is no digest to compare a copy's with; without"
                " --verify a copy is made, and `lineage doctor --db COPY --all` checks it"
            )
        made = store.backup(to.absolute())
        expected = store.digest() if verify else None
    found = None
    if verify:
        with lineage.open(to, read_only=True) as copy:
            found = copy.digest()
        if found != expected:
            raise Failure(
                f"{to} has the digest {found}, and {db} has {expected}: a disk is at fault; do not"
                " use the copy, and run `lineage doctor --db` on both",
                NOT_AVAILABLE,
            )
    summary = {"copy": str(to), "bytes": made.bytes}
    if as_json:
        write_json({**summary, "digest": found})
    else:
        same = f", digest {found} as the database's" if found else ""
        click.echo(f"{to}: {made.bytes:,} bytes{same}")

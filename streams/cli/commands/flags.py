"""`flags`: lists the flags of a database."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options
from streams.cli.output import style_of, write_relation
from streams.cli.reader import reader_of


@click.command()
@options.database
@click.option("--rule", metavar="ID", help="Only flags of this rule.")
@click.option("--dataset", metavar="NAME", help="Only flags in this dataset.")
@click.option("--message-id", metavar="ID", help="Only flags of this message.")
@options.fail_on_flag
@options.limit
@options.as_csv
@options.as_json
def flags(
    db: Path,
    rule: str | None,
    dataset: str | None,
    message_id: str | None,
    fail_on_flag: bool,
    limit: int,
    as_csv: bool,
    as_json: bool,
) -> None:
    """List the flags: which rule which message broke in which dataset.

    Ordered by rule, message and dataset. --fail-on-flag looks at the flags that are listed.
    """
    style = style_of(as_json, as_csv)
    with reader_of(db) as store:
        found = write_relation(store.flags(rule, dataset, message_id), style, limit)
    if fail_on_flag and found:
        raise click.exceptions.Exit(1)

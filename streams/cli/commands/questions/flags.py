"""`flags`: lists the flags of a database."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options
from streams.cli.output.stdout import Shape, write_relation
from streams.cli.reader import reader_of


@click.command()
@options.database
@click.option("--rule", metavar="ID", help="Only flags of this rule.")
@click.option("--dataset", metavar="NAME", help="Only flags in this dataset.")
@click.option("--message-id", metavar="ID", help="Only flags of this message.")
@click.option(
    "--severity", metavar="NAME", help="Only flags that are LOW, MEDIUM, HIGH or CRITICAL."
)
@options.fail_on_flag
@options.rows
def flags(
    db: Path,
    rule: str | None,
    dataset: str | None,
    message_id: str | None,
    severity: str | None,
    fail_on_flag: bool,
    shape: Shape,
) -> None:
    """List the flags: which rule which message broke in which dataset.

    Ordered by rule, message and dataset, with the job that first broke the rule and the recipient.
    --fail-on-flag looks at the flags that are listed.
    """
    with reader_of(db) as store:
        found = write_relation(store.flags(rule, dataset, message_id, severity), shape)
    if fail_on_flag and found:
        raise click.exceptions.Exit(1)

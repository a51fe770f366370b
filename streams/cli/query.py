"""`flags`, `sql` and `digest`: questions to a database."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli import options
from streams.cli.bounding import bounded_memory, end_now
from streams.cli.output import style_of, write_json, write_relation, write_rows

if TYPE_CHECKING:
    from pyarrow import RecordBatch

    from lineage.audit.query import Question


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
    import lineage

    style = style_of(as_json, as_csv)
    with lineage.open(db, read_only=True) as store:
        found = write_relation(store.flags(rule, dataset, message_id), style, limit)
    if fail_on_flag and found:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("query")
@options.database
@options.timeout
@options.limit
@options.as_csv
@options.as_json
def sql(query: str, db: Path, timeout: float, limit: int, as_csv: bool, as_json: bool) -> None:
    """Answer one SELECT. `-` as QUERY reads it from stdin.

    It can change nothing and read nothing but the database. What there is to ask about:
    `lineage sql "SHOW TABLES"`; the table macros are route(message_id),
    upstream(dataset, record_id) and downstream(dataset, record_id).
    """
    import lineage

    style = style_of(as_json, as_csv)
    if query == "-":
        query = click.get_text_stream("stdin", errors="replace").read()
    with lineage.open(db, read_only=True) as store, bounded_memory():
        try:
            with store.sql_batches(query, timeout_seconds=timeout or None) as question:
                write_rows(question.schema.names, _rows(question), style, limit)
        except lineage.QueryStuckError as error:
            end_now(error)
        except (ValueError, OverflowError) as error:
            raise lineage.QueryError(
                "the answer holds a value that has no spelling here (an instant outside of the"
                " years 1 to 9999, say); cast it to VARCHAR"
            ) from error


def _rows(question: Question) -> Iterator[tuple[object, ...]]:
    """Give the rows as they come; the first ones now, so that an error comes before any output."""
    import duckdb
    from pyarrow import Table

    def rows_of(batch: RecordBatch) -> list[tuple[object, ...]]:
        return connection.from_arrow(Table.from_batches([batch])).fetchall()

    connection = duckdb.connect()
    batches = map(rows_of, question.batches())
    first = next(batches, [])
    return chain(first, chain.from_iterable(batches))


@click.command()
@options.database
@options.as_json
def digest(db: Path, as_json: bool) -> None:
    """Write the SHA-256 over events, arrivals and flags: the same for the same evidence."""
    import lineage

    with lineage.open(db, read_only=True) as store:
        found = store.digest()
    if as_json:
        write_json({"digest": found})
    else:
        click.echo(found)

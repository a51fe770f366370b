"""`sql`: answers one SELECT on a database, within bounds of time and memory."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options
from streams.cli.output import batch_rows, style_of, write_rows
from streams.cli.process_limits import bounded_memory, end_now
from streams.cli.reader import reader_of


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
    with reader_of(db) as store, bounded_memory():
        try:
            with store.sql_batches(query, timeout_seconds=timeout or None) as question:
                write_rows(question.schema.names, batch_rows(question.batches()), style, limit)
        except lineage.QueryStuckError as error:
            end_now(error)
        except (ValueError, OverflowError) as error:
            raise lineage.QueryError(
                "the answer holds a value that has no spelling here (an instant outside of the"
                " years 1 to 9999, say); cast it to VARCHAR"
            ) from error

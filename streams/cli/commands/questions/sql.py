"""`sql`: answers one SELECT on a database, within bounds of time and memory."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options
from streams.cli.answer_rows import write_answer
from streams.cli.output.stdout import Shape


@click.command()
@click.argument("query")
@options.database
@options.params
@options.timeout
@options.rows
def sql(query: str, db: Path, params: tuple[str, ...], timeout: float, shape: Shape) -> None:
    """Answer one SELECT. `-` as QUERY reads it from stdin.

    It can change nothing and read nothing but the database. What there is to ask about:
    `lineage sql "SHOW TABLES"`; the table macros are route(message_id),
    upstream(dataset, record_id) and downstream(dataset, record_id). A value of --param is a text;
    CAST($since AS TIMESTAMP) makes it another.
    """
    values = options.values_of(params)
    if query == "-":
        query = click.get_text_stream("stdin", errors="replace").read()
    write_answer(db, query, values, timeout, shape)

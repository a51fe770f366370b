"""Writes rows and values to stdout: for people on a terminal, plain in a pipe, JSON or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Literal

import click

from streams.cli.errors import printable
from streams.json_values import csv_value, jsonable

if TYPE_CHECKING:
    import duckdb
    from pyarrow import RecordBatch
    from rich.console import Console

Style = Literal["text", "json", "csv"]
Row = Sequence[object]

_ROWS_AT_ONCE = 2048


def style_of(as_json: bool, as_csv: bool = False) -> Style:
    """Return the style that the options ask for. Raises UsageError for both."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    return "json" if as_json else "csv" if as_csv else "text"


def text(value: object) -> str:
    """Convert a value to text in one line."""
    value = jsonable(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return printable(value).replace("\n", "\\n")
    return json.dumps(value, ensure_ascii=False)


def write_json(row: Mapping[str, object]) -> None:
    """Write one object as one line."""
    line = json.dumps({k: jsonable(v) for k, v in row.items()}, ensure_ascii=False)
    sys.stdout.write(line + "\n")


def write_relation(relation: duckdb.DuckDBPyRelation, style: Style, limit: int = 0) -> int:
    """Write the rows of a relation and return how many there are.

    limit: how many a terminal gets (0: all); it is told on stderr when there are more.
    """
    return write_rows(relation.columns, _rows(relation), style, limit)


def _rows(relation: duckdb.DuckDBPyRelation) -> Iterator[Row]:
    while rows := relation.fetchmany(_ROWS_AT_ONCE):
        yield from rows


def batch_rows(batches: Iterable[RecordBatch]) -> Iterator[Row]:
    """Return the rows of batches as they come.

    The first are fetched now: an error comes before any output.
    """
    import duckdb
    from pyarrow import Table

    def rows_of(batch: RecordBatch) -> list[tuple[object, ...]]:
        return connection.from_arrow(Table.from_batches([batch])).fetchall()

    connection = duckdb.connect()
    several = map(rows_of, batches)
    first = next(several, [])
    return chain(first, chain.from_iterable(several))


def write_rows(columns: Sequence[str], rows: Iterable[Row], style: Style, limit: int = 0) -> int:
    """Write rows and return how many there are; see `write_relation`."""
    if style == "json":
        count = 0
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the answer
            write_json(dict(zip(columns, row, strict=True)))
        return count
    if style == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        return sum(
            bool(writer.writerow(["" if v is None else csv_value(v) for v in row])) for row in rows
        )
    if sys.stdout.isatty():
        return _write_table(columns, iter(rows), limit)
    return _write_aligned(columns, iter(rows))


def _write_table(columns: Sequence[str], rows: Iterator[Row], limit: int) -> int:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for column in columns:
        table.add_column(Text(printable(column)), overflow="fold")
    shown = 0
    for row in islice(rows, limit) if limit else rows:
        table.add_row(*(Text(text(value)) for value in row))
        shown += 1
    console().print(table)
    total = shown + sum(1 for _ in rows)
    if total > shown:
        click.echo(f"{shown:,} of {total:,} rows; --limit 0 shows all", err=True)
    return total


def _write_aligned(columns: Sequence[str], rows: Iterator[Row]) -> int:
    """Write columns as wide as their first rows need; later rows may stick out."""
    head = list(islice(rows, _ROWS_AT_ONCE))
    cells = [[text(value) for value in row] for row in head]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    later = ([text(value) for value in row] for row in rows)
    count = -1  # the header
    for line in chain([list(columns)], cells, later):
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")
        count += 1
    return count


def console() -> Console:
    """Return a console on stdout: as wide as the terminal, and in a pipe as wide as the text."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 10_000)

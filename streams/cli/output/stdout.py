"""Writes rows and values to stdout: for people on a terminal, plain in a pipe, JSON or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Shape:
    """The way in which rows are written.

    style: see `style_of`. limit: how many rows a terminal gets (0: all); it is told on stderr when
    there are more. columns: those to write, in this order; none: all. vertical: a line a value, as
    a terminal that is narrower than the rows gets it anyway.
    """

    style: Style = "text"
    limit: int = 0
    columns: tuple[str, ...] = ()
    vertical: bool = False


_ROWS_AT_ONCE = 2048
# More than any row of a terminal needs.
_WIDTH_MAX = 100_000
_RULE = 20


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


def write_relation(relation: duckdb.DuckDBPyRelation, shape: Shape) -> int:
    """Write the rows of a relation and return how many there are."""
    return write_shaped(relation.columns, _rows(relation), shape)


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
    """Write rows in all their columns, and return how many there are; see `Shape`."""
    return write_shaped(columns, rows, Shape(style, limit))


def write_shaped(columns: Sequence[str], rows: Iterable[Row], shape: Shape) -> int:
    """Write rows and return how many there are.

    Raises UsageError where a chosen column is not there.
    """
    if shape.columns:
        places = _places(columns, shape.columns)
        columns, rows = shape.columns, ([row[place] for place in places] for row in rows)
    if shape.style == "json":
        count = 0
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the answer
            write_json(dict(zip(columns, row, strict=True)))
        return count
    if shape.style == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        return sum(
            bool(writer.writerow(["" if v is None else csv_value(v) for v in row])) for row in rows
        )
    if sys.stdout.isatty():
        return _write_table(columns, iter(rows), shape)
    if shape.vertical:
        return _write_vertical(columns, rows)
    return _write_aligned(columns, iter(rows))


def _places(columns: Sequence[str], chosen: Sequence[str]) -> list[int]:
    unknown = [name for name in chosen if name not in columns]
    if unknown:
        raise click.UsageError(
            f"the answer has no column {', '.join(unknown)}; it has {', '.join(columns)}"
        )
    return [list(columns).index(name) for name in chosen]


def _write_table(columns: Sequence[str], rows: Iterator[Row], shape: Shape) -> int:
    from rich import box
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for column in columns:
        table.add_column(Text(printable(column)), overflow="fold")
    shown = list(islice(rows, shape.limit) if shape.limit else rows)
    for row in shown:
        table.add_row(*(Text(text(value)) for value in row))
    screen = console()
    wide = Measurement.get(screen, screen.options.update(max_width=_WIDTH_MAX), table).maximum
    if shape.vertical or (shown and wide > screen.width):
        _write_vertical(columns, shown)
    else:
        screen.print(table)
    total = len(shown) + sum(1 for _ in rows)
    if total > len(shown):
        click.echo(f"{len(shown):,} of {total:,} rows; --limit 0 shows all", err=True)
    return total


def _write_vertical(columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write a line a value: an id stays whole, however narrow the terminal is."""
    names = [printable(column) for column in columns]
    width = max(map(len, names), default=0)
    number = 0
    for number, row in enumerate(rows, start=1):
        sys.stdout.write(f"-- {number:,} {'-' * _RULE}\n")
        for name, value in zip(names, row, strict=True):
            sys.stdout.write(f"{name.ljust(width)}  {text(value)}".rstrip() + "\n")
    return number


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

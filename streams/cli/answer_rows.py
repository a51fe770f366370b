"""Writes the rows of a question as they come, from a database or the worker that serves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from streams.cli.output import Shape, write_shaped
from streams.cli.process_limits import bounded_memory, end_now
from streams.cli.reader import reader_of

if TYPE_CHECKING:
    from pyarrow import RecordBatch

    from lineage.audit.query import Question
    from lineage.remote.client import RemoteQuestion


def write_answer(
    db: Path, query: str, values: Mapping[str, object], seconds: float, shape: Shape
) -> None:
    """Ask a database one SELECT and write its answer.

    values: by the names of the query's parameters. seconds: 0 for no limit of time.
    """
    import lineage

    with reader_of(db) as store, bounded_memory():
        try:
            asked = store.sql_batches(query, values or None, timeout_seconds=seconds or None)
            with asked as question:
                write_shaped(question.schema.names, _rows(question), shape)
        except lineage.QueryStuckError as error:
            end_now(error)
        except (ValueError, OverflowError) as error:
            raise lineage.QueryError(
                "the answer holds a value that has no spelling here (an instant outside of the"
                " years 1 to 9999, say); cast it to VARCHAR"
            ) from error


def _rows(question: Question | RemoteQuestion) -> Iterator[tuple[object, ...]]:
    """Return the rows as they come; the first are fetched now: an error comes before any output."""
    import duckdb
    from pyarrow import Table

    def rows_of(batch: RecordBatch) -> list[tuple[object, ...]]:
        return connection.from_arrow(Table.from_batches([batch])).fetchall()

    connection = duckdb.connect()
    batches = map(rows_of, question.batches())
    first = next(batches, [])
    return chain(first, chain.from_iterable(batches))

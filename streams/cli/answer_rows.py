"""Writes the rows of a question as they come, from a database or the worker that serves it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from streams.cli.output.stdout import Shape, batch_rows, write_shaped
from streams.cli.process_limits import bounded_memory, end_now
from streams.cli.reader import reader_of


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
                write_shaped(question.schema.names, batch_rows(question.batches()), shape)
        except lineage.QueryStuckError as error:
            end_now(error)
        except (ValueError, OverflowError) as error:
            raise lineage.QueryError(
                "the answer holds a value that has no spelling here (an instant outside of the"
                " years 1 to 9999, say); cast it to VARCHAR"
            ) from error

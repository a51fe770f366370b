"""Lets several queries see one state of a database that is being written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb


@contextmanager
def snapshot(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let the queries of a cursor see the database as it is now, whatever is written meanwhile."""
    cursor.execute("BEGIN TRANSACTION READ ONLY")
    try:
        yield
    finally:
        # An error has ended the transaction already.
        with suppress(duckdb.TransactionException):
            cursor.execute("ROLLBACK")

"""DuckDB's own clients, with a served database attached as `r`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

import lineage

TOKEN = "a-token-of-some-length"  # noqa: S105 -- only these tests'
DATABASE = "r"


@contextmanager
def attached(url: str, token: str = TOKEN) -> Iterator[duckdb.DuckDBPyConnection]:
    """Attach a served database to a new connection."""
    with duckdb.connect() as connection:
        lineage.attach(connection, url, token, DATABASE)
        yield connection


def remotely(query: str) -> str:
    """Return the question that has a query answered by the server, whatever its form."""
    quoted = query.replace("'", "''")
    return f"FROM {DATABASE}.query('{quoted}')"

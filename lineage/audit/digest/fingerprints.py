"""Fingerprints of tables: their rows, and the sum of their hashes, in any order.

A fingerprint tells which table was changed, and finds damage; it is no cryptographic hash, as the
digest is one. To make it every block of the table is read, and so its checksum is verified.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from lineage.database.digest_notes import NOTES, Fingerprints


def tables_of(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of all tables of core, in order."""
    query = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'core' ORDER BY table_name"
    return [name for (name,) in connection.execute(query).fetchall()]


def fingerprint(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[int, int]:
    """Return the number of rows of a table, and the sum of their hashes."""
    query = f"SELECT count(*), coalesce(sum(hash(t)), 0) FROM core.{table} t"  # noqa: S608 -- a name of the catalogue
    ((rows, total),) = connection.execute(query).fetchall()
    return int(rows), int(total)


def fingerprints(connection: duckdb.DuckDBPyConnection) -> Fingerprints:
    """Return the fingerprints of all tables but that of the notes."""
    return dict(_each(connection))


def _each(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, tuple[int, int]]]:
    for table in tables_of(connection):
        if table != NOTES:
            yield table, fingerprint(connection, table)

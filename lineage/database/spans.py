"""The spans in which policies, and declarations of datasets, are in force."""

from __future__ import annotations

from typing import Final

import duckdb

from lineage.database.statements import sql

POLICIES: Final = "policy_span"
DECLARATIONS: Final = "declaration_span"


def derive_spans(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Derive all rows of a table of spans again."""
    connection.execute(f"DELETE FROM core.{table}")  # noqa: S608 -- a name of ours
    connection.execute(f"INSERT INTO core.{table} {sql(f'database/{table}')}")

"""Statements about what this program has in hand: tables, called `given` in SQL, and numbers."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import polars as pl
import pyarrow as pa

from lineage.arrays import IntArray
from lineage.database.pruning import rows_near

# So many numbers are told faster in the text of a statement than in a table.
_IN_TEXT_MAX = 50


def run_with(
    connection: duckdb.DuckDBPyConnection,
    table: pl.DataFrame | pa.Table,
    statement: str,
    parameters: Mapping[str, object] | None = None,
) -> duckdb.DuckDBPyConnection:
    """Execute a statement that reads `table` by the name `given`; fetch from what is returned.

    By name and never by replacement scan: a table of the catalogue would shadow the variable, and
    who may not reach files may not reach variables either. The table is held until the next one
    takes its name, since unregistering costs a tenth of a millisecond more.
    """
    connection.register("given", _shown(table) if isinstance(table, pl.DataFrame) else table)
    return connection.execute(statement, parameters)


def run_on(
    connection: duckdb.DuckDBPyConnection,
    numbers: IntArray,
    statement: str,
    parameters: Mapping[str, object] | None = None,
    **rows: tuple[str, str],
) -> duckdb.DuckDBPyConnection:
    """Execute a statement about the rows of tables that have one of some distinct numbers.

    rows: for each name in braces of the statement, where these rows are to be: table and column.
    """
    few = len(numbers) <= _IN_TEXT_MAX
    relation = _rows_in_text if few else _rows_given
    text = statement.format(**{name: relation(*of, numbers) for name, of in rows.items()})
    if few:
        return connection.execute(text, parameters)
    return run_with(connection, pl.DataFrame({"n": numbers}), text, parameters)


def _rows_in_text(table: str, column: str, numbers: IntArray) -> str:
    wanted = ", ".join(map(str, numbers.tolist())) or "NULL"
    return f"(SELECT * FROM {table} WHERE {column} IN ({wanted}))"  # noqa: S608 -- names and numbers of ours


def _rows_given(table: str, column: str, numbers: IntArray) -> str:
    near = rows_near(table, column, numbers)
    # The condition holds for all, and makes DuckDB ask a Bloom filter of them as it scans.
    given = "(FROM given WHERE n >= 0)"
    return f"(SELECT r.* FROM {near} r SEMI JOIN {given} g ON r.{column} = g.n)"  # noqa: S608 -- names of ours


def _shown(table: pl.DataFrame) -> object:
    """A table in the form that DuckDB begins to read fastest: Arrow takes it half a millisecond."""
    columns = table.get_columns()
    if any(column.null_count() or not _plain(column.dtype) for column in columns):
        return table.to_arrow()
    return {column.name: column.to_numpy() for column in columns}


def _plain(dtype: pl.DataType) -> bool:
    return dtype.is_numeric() or dtype in (pl.Boolean, pl.Datetime)

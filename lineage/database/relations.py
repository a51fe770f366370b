"""Runs SQL on in-memory frames: registered as relations, or as integers in the text."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import polars as pl
import pyarrow as pa

from lineage.arrays import IntArray
from lineage.database.storage.pruning import rows_near

Frame = pl.DataFrame | pa.Table
# So many integers are faster in the text of a statement than in a registered table.
IN_TEXT_MAX = 50
RELEASED_ROWS_MIN = 10_000


def execute_with(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    parameters: Mapping[str, object] | None = None,
    **frames: Frame,
) -> duckdb.DuckDBPyConnection:
    """Execute a statement that reads each frame by its name; fetch from the result.

    Frames are registered, and never found by a replacement scan: a table of the catalogue would
    shadow the variable, and a connection that may not reach files may not reach variables either. A
    frame is held until the next one takes its name, since unregistering costs a tenth of a
    millisecond more.
    """
    for name, frame in frames.items():
        connection.register(name, _readable(frame) if isinstance(frame, pl.DataFrame) else frame)
    return connection.execute(statement, parameters)


def write_with(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    parameters: Mapping[str, object] | None = None,
    **frames: Frame,
) -> None:
    """Execute a statement without an answer, and let go of the frames that it read."""
    execute_with(connection, statement, parameters, **frames)
    for name, frame in frames.items():
        if len(frame) >= RELEASED_ROWS_MIN:  # of a small one that would take longer than it saves
            connection.unregister(name)


def release_frames(connection: duckdb.DuckDBPyConnection) -> None:
    """Let go of all frames that statements have read."""
    names = "SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal"
    for (name,) in connection.execute(names).fetchall():
        connection.unregister(name)


def execute_on(
    connection: duckdb.DuckDBPyConnection,
    keys: IntArray,
    statement: str,
    parameters: Mapping[str, object] | None = None,
    *,
    in_text_max: int = IN_TEXT_MAX,
    **rows: tuple[str, str],
) -> duckdb.DuckDBPyConnection:
    """Execute a statement on the rows of tables that have one of some distinct keys.

    rows: for each name in braces of the statement, the table and the column with the keys.
    """
    few = len(keys) <= in_text_max
    relation = _rows_in_text if few else _rows_registered
    text = statement.format(**{name: relation(*of, keys) for name, of in rows.items()})
    if few:
        return connection.execute(text, parameters)
    return execute_with(connection, text, parameters, wanted_key=pl.DataFrame({"key": keys}))


def _rows_in_text(table: str, column: str, keys: IntArray) -> str:
    wanted = ", ".join(map(str, keys.tolist())) or "NULL"
    return f"(SELECT * FROM {table} WHERE {column} IN ({wanted}))"  # noqa: S608 -- names and integers of ours


def _rows_registered(table: str, column: str, keys: IntArray) -> str:
    near = rows_near(table, column, keys)
    # The condition holds for all keys, and makes DuckDB ask a Bloom filter of them as it scans.
    wanted = "(FROM wanted_key WHERE key >= 0)"
    return f"(SELECT r.* FROM {near} r SEMI JOIN {wanted} w ON r.{column} = w.key)"  # noqa: S608 -- names of ours


def _readable(table: pl.DataFrame) -> object:
    """Return a frame in the form that DuckDB registers fastest: Arrow takes half a millisecond."""
    columns = table.get_columns()
    if any(column.null_count() or not _is_plain(column.dtype) for column in columns):
        return table.to_arrow()
    return {column.name: column.to_numpy() for column in columns}


def _is_plain(dtype: pl.DataType) -> bool:
    return dtype.is_numeric() or dtype in (pl.Boolean, pl.Datetime)

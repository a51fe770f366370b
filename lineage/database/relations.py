"""Runs SQL on in-memory frames: registered as relations, or as integers in the text.

What is registered within a transaction is kept by DuckDB until it ends, since a roll-back would
need it, also where another frame has taken the name by then. So a large frame is put into a slot,
which is registered once in a transaction, and asked for its frame by each statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import duckdb
import polars as pl
import pyarrow as pa

from lineage.arrays import IntArray
from lineage.database.storage.pruning import rows_near

Frame = pl.DataFrame | pa.Table
# So many integers are faster in the text of a statement than in a registered table.
IN_TEXT_MAX = 50
RELEASED_ROWS_MIN = 10_000


class _Slot:
    """A relation whose rows change: DuckDB reads a stream of Arrow by this method."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.schema = frame.schema

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        frame: Any = self.frame
        return frame.__arrow_c_stream__(requested_schema)

    def release(self) -> None:
        """Let go of the rows."""
        if isinstance(self.frame, pl.DataFrame):
            self.frame = self.frame.clear()
        else:
            self.frame = self.frame.schema.empty_table()


# By connection its present transaction, and the slots that are registered in it.
_SLOTS: WeakKeyDictionary[duckdb.DuckDBPyConnection, tuple[int, dict[str, _Slot]]] = (
    WeakKeyDictionary()
)


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
    large = {name for name, frame in frames.items() if len(frame) >= RELEASED_ROWS_MIN}
    slots = _slots(connection) if large else _SLOTS.get(connection, (0, {}))[1]
    for name, frame in frames.items():
        if name not in large:
            slots.pop(name, None)  # the name is this frame's from now on
            readable = _readable(frame) if isinstance(frame, pl.DataFrame) else frame
            connection.register(name, readable)
        elif name in slots and slots[name].schema == frame.schema:
            slots[name].frame = frame
        else:
            slots[name] = _Slot(frame)
            connection.register(name, slots[name])
    return connection.execute(statement, parameters)


def write_with(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    parameters: Mapping[str, object] | None = None,
    **frames: Frame,
) -> None:
    """Execute a statement without an answer, and let go of the frames that it read."""
    execute_with(connection, statement, parameters, **frames)
    _, slots = _SLOTS.get(connection, (0, {}))
    for name in frames.keys() & slots.keys():
        slots[name].release()


def release_frames(connection: duckdb.DuckDBPyConnection) -> None:
    """Let go of all frames that statements have read."""
    _SLOTS.pop(connection, None)
    names = "SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal"
    for (name,) in connection.execute(names).fetchall():
        connection.unregister(name)


def _slots(connection: duckdb.DuckDBPyConnection) -> dict[str, _Slot]:
    """Return the slots that are registered in the present transaction."""
    ((found,),) = connection.execute("SELECT txid_current()").fetchall()
    transaction, none = int(found), dict[str, _Slot]()
    begun, slots = _SLOTS.get(connection, (transaction, none))
    if begun != transaction:  # it may have been rolled back
        slots = none
    _SLOTS[connection] = transaction, slots
    return slots


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

"""Every id becomes a number once, in the order of first appearance.

Tables of numbers are small, join fast, and, since ids come nearly in the order of time, their
row groups can be skipped by minimum and maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from lineage.arrays import Numbers
from lineage.ranges import rows_near_uuids
from lineage.sql import sql

# Tables with no more texts than this are held in memory.
_CACHED_MAX = 100_000
_CANONICAL_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


@dataclass(frozen=True)
class Interned:
    """Numbers for columns of texts.

    Attributes:
        columns: One array for each column given, the number of each text, in order; 0 for null.
        first_new: Numbers from here on did not exist before.
    """

    columns: tuple[Numbers, ...]
    first_new: int


class Interner:
    """Gives numbers to texts from one table of the store, new ones as they come.

    A roll-back of the transaction takes new numbers back; call `reload` then.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str, insert: str) -> None:
        """Number texts of `table`, which keeps new ones by the statement `insert`.sql."""
        self._connection = connection
        self._table = table
        self._insert = sql(insert)
        self.reload()

    def reload(self) -> None:
        """Read the next free number from the store."""
        row = self._connection.execute(f"SELECT coalesce(max(n), 0) FROM {self._table}").fetchone()  # noqa: S608 -- a table name of ours
        self._next = 1 + (row[0] if row else 0)
        self._cached: pl.DataFrame | None = None

    def intern(self, columns: Sequence[pl.Series]) -> Interned:
        """Numbers for `columns`, inserting the texts that are new.

        Earlier columns get the lower numbers, so give the ids that later rows refer to first.
        """
        first_new = self._next
        texts, codes = _encode(columns)
        asked = self._frame(texts)
        numbers = self._known(asked)
        new = numbers == 0
        if new.any():
            numbers[new] = np.arange(first_new, first_new + new.sum())
            fresh = asked.filter(pl.Series(new)).with_columns(n=pl.Series(numbers[new]))
            with registered(self._connection, interning_batch=fresh):
                self._connection.execute(self._insert)
            self._next = first_new + len(fresh)
        by_code = np.append(numbers, 0)  # code -1, which numpy reads as the last one: null
        ends = np.cumsum([len(column) for column in columns])[:-1]
        return Interned(tuple(np.split(by_code[codes], ends)), first_new)

    def _frame(self, texts: pl.Series) -> pl.DataFrame:
        return pl.DataFrame({"code": np.arange(len(texts)), "text": texts})

    def _known(self, asked: pl.DataFrame) -> Numbers:
        """The number of each text, 0 for a new one."""
        if self._next <= _CACHED_MAX:
            return self._known_of_few(asked)
        numbers = np.zeros(len(asked), dtype=np.int64)
        self._look_up(asked, "text", self._table, numbers)
        return numbers

    def _known_of_few(self, asked: pl.DataFrame) -> Numbers:
        if self._cached is None or len(self._cached) != self._next - 1:
            query = f"SELECT text, n FROM {self._table}"  # noqa: S608 -- a table name of ours
            self._cached = self._connection.execute(query).pl()
        known = asked.join(self._cached, on="text", how="left", maintain_order="left")
        return known["n"].fill_null(0).to_numpy(writable=True)

    def _look_up(self, asked: pl.DataFrame, column: str, rows: str, numbers: Numbers) -> None:
        """Fill in the `numbers` of those texts that `rows`, a relation, has in `column`."""
        if not len(asked):
            return
        query = sql("intern_known").format(
            column=column, rows=rows, type="UUID" if column == "uuid" else "VARCHAR"
        )
        with registered(self._connection, interning_batch=asked):
            found = self._connection.execute(query).fetchnumpy()
        numbers[found["code"]] = found["n"]


class IdentifierInterner(Interner):
    """The same for ids of events, records and runs: canonical UUIDs are kept in 16 bytes."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        super().__init__(connection, "core.identifier", "intern_identifiers")

    def _frame(self, texts: pl.Series) -> pl.DataFrame:
        is_uuid = texts.str.contains(_CANONICAL_UUID)
        return super()._frame(texts).with_columns(is_uuid=is_uuid)

    def _known(self, asked: pl.DataFrame) -> Numbers:
        numbers = np.zeros(len(asked), dtype=np.int64)
        uuids = asked.filter("is_uuid")
        near = rows_near_uuids(self._table, "uuid", uuids["text"])
        self._look_up(uuids, "uuid", near, numbers)
        others = asked.filter(~pl.col("is_uuid"))
        self._look_up(others, "text", f"(FROM {self._table} WHERE text IS NOT NULL)", numbers)
        return numbers


class registered:  # noqa: N801 -- reads as a word in `with registered(...)`
    """Show frames to SQL under the given names for the time of a `with` block.

    By name and never by replacement scan: a table of the catalogue would shadow the variable.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, **frames: pl.DataFrame) -> None:
        self._connection = connection
        self._frames = frames

    def __enter__(self) -> None:
        for name, frame in self._frames.items():
            self._connection.register(name, frame.to_arrow())

    def __exit__(self, *_: object) -> None:
        for name in self._frames:
            self._connection.unregister(name)


def _encode(columns: Sequence[pl.Series]) -> tuple[pl.Series, Numbers]:
    """The distinct texts in the order of first appearance, and the index of each; null: -1."""
    chunks = [column.cast(pl.String).to_arrow().cast(pa.string()) for column in columns]
    encoded: Any = pa.chunked_array(chunks, type=pa.string()).combine_chunks().dictionary_encode()
    codes: Numbers = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return pl.Series(encoded.dictionary, dtype=pl.String), codes

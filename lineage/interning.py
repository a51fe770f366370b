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
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from lineage.sql import sql

Numbers = npt.NDArray[np.int64]

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
        self._insert_sql = sql(insert)
        self._uuids = table == "core.identifier"
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
        numbers = self._known(texts)
        new = numbers == 0
        if new.any():
            numbers[new] = np.arange(first_new, first_new + new.sum())
            self._insert(texts.filter(pl.Series(new)), first_new)
            self._next = first_new + int(new.sum())
        by_code = np.append(numbers, 0)  # code -1, which numpy reads as the last one: null
        ends = np.cumsum([len(column) for column in columns])[:-1]
        return Interned(tuple(np.split(by_code[codes], ends)), first_new)

    def _known(self, texts: pl.Series) -> Numbers:
        """The number of each text, 0 for a new one."""
        if not self._uuids and self._next <= _CACHED_MAX:
            return self._known_of_few(texts)
        numbers = np.zeros(len(texts), dtype=np.int64)
        if not len(texts) or self._next == 1:
            return numbers
        frame = pl.DataFrame({"code": np.arange(len(texts)), "text": texts})
        is_uuid = texts.str.contains(_CANONICAL_UUID) if self._uuids else None
        parts = (
            [("text", frame, [("", "")])]
            if is_uuid is None
            else [
                ("text", frame.filter(~is_uuid), [("", "")]),
                ("uuid", frame.filter(is_uuid), uuid_spans(texts.filter(is_uuid))),
            ]
        )
        for column, part, spans in parts:
            if len(part):
                self._look_up(column, part, spans, numbers)
        return numbers

    def _known_of_few(self, texts: pl.Series) -> Numbers:
        if self._cached is None or len(self._cached) != self._next - 1:
            query = f"SELECT text, n FROM {self._table}"  # noqa: S608 -- a table name of ours
            self._cached = self._connection.execute(query).pl()
        asked = texts.to_frame("text")
        known = asked.join(self._cached, on="text", how="left", maintain_order="left")
        return known["n"].fill_null(0).to_numpy(writable=True)

    def _look_up(
        self, column: str, part: pl.DataFrame, spans: list[tuple[str, str]], numbers: Numbers
    ) -> None:
        condition = "true" if column == "text" else "uuid BETWEEN '{}' AND '{}'"
        kept = " UNION ALL ".join(
            f"SELECT n, {column} AS id FROM {self._table} WHERE {condition.format(*span)}"  # noqa: S608 -- names and UUIDs of ours
            for span in spans
        )
        with registered(self._connection, interning_batch=part):
            kind = "UUID" if column == "uuid" else "VARCHAR"
            found = self._connection.execute(
                sql("intern_known").format(kept=kept, type=kind)
            ).fetchnumpy()
        numbers[found["code"]] = found["n"]

    def _insert(self, texts: pl.Series, first: int) -> None:
        frame = pl.DataFrame({"n": np.arange(first, first + len(texts)), "text": texts})
        if self._uuids:
            frame = frame.with_columns(is_uuid=texts.str.contains(_CANONICAL_UUID))
        with registered(self._connection, interning_batch=frame):
            self._connection.execute(self._insert_sql)


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


def spans(values: npt.NDArray[np.uint64] | Numbers, most: int = 4) -> list[tuple[int, int]]:
    """At most `most` ranges, both ends included, that hold all `values`, cut at the widest gaps.

    One old id among new ones would make a single range that covers all of history.
    """
    ordered = np.unique(values)
    gaps = ordered[1:] - ordered[:-1]
    cuts = np.sort(np.argsort(gaps)[::-1][: most - 1]) + 1
    parts = np.split(ordered, cuts)
    return [(int(part[0]), int(part[-1])) for part in parts if len(part)]


def uuid_spans(texts: pl.Series) -> list[tuple[str, str]]:
    """The `spans` of canonical UUIDs by their first 32 bits (65 s of a UUIDv7), as whole UUIDs."""
    heads = texts.str.slice(0, 8).str.to_integer(base=16, dtype=pl.UInt64).to_numpy()
    low, high = "-0000-0000-0000-000000000000", "-ffff-ffff-ffff-ffffffffffff"
    return [(f"{first:08x}{low}", f"{last:08x}{high}") for first, last in spans(heads)]


def _encode(columns: Sequence[pl.Series]) -> tuple[pl.Series, Numbers]:
    """The distinct texts in the order of first appearance, and the index of each; null: -1."""
    chunks = [column.cast(pl.String).to_arrow().cast(pa.string()) for column in columns]
    encoded: Any = pa.chunked_array(chunks, type=pa.string()).combine_chunks().dictionary_encode()
    codes: Numbers = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return pl.Series(encoded.dictionary, dtype=pl.String), codes

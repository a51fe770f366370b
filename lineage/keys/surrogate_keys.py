"""Surrogate keys: every id becomes an integer once, in the order of first appearance.

Tables of integers are small, join fast, and, since ids come nearly in the order of time, their
row groups can be skipped by minimum and maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineage.arrays import IntArray
from lineage.database.relations import execute_with, write_with
from lineage.database.statements import sql
from lineage.database.storage.pruning import rows_near_uuids
from lineage.ingest.encode import EncodedIds, EncodedTexts
from lineage.keys.uuid_cache import UuidCache
from lineage.limits import Limits
from lineage.uuids import UUID_BYTES, Uuids, as_bytes, is_v7


@dataclass(frozen=True)
class Interned:
    """Keys for columns of texts.

    Attributes:
        columns: One array for each column of texts, the key of each text, in order; 0 for null.
        first_new: Keys from this one on did not exist before.
    """

    columns: tuple[IntArray, ...]
    first_new: int


class _Sequence:
    """The sequence of keys of one table of the store."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str) -> None:
        self._connection = connection
        self._table = table
        row = self._connection.execute(f"SELECT coalesce(max(id), 0) FROM {self._table}").fetchone()  # noqa: S608 -- a table name of ours
        self._next = 1 + (row[0] if row else 0)

    def _take(self, known: IntArray) -> IntArray:
        """Give the next keys to texts without one (0); return the places of these texts."""
        new = np.flatnonzero(known == 0)
        known[new] = np.arange(self._next, self._next + len(new))
        self._next += len(new)
        return new

    def _interned(
        self, encoded: EncodedTexts | EncodedIds, known: IntArray, first_new: int
    ) -> Interned:
        by_code = np.append(known, 0)  # code -1, which numpy reads as the last one: null
        return Interned(tuple(by_code[codes] for codes in encoded.codes), first_new)

    def _look_up(self, known: IntArray, asked: pa.Table, column: str, rows: str) -> None:
        """Fill in the keys of those texts of `asked` that the relation `rows` has in `column`."""
        query = sql("keys/intern_known").format(column=column, rows=rows)
        found = execute_with(self._connection, query, batch_text=asked).fetchnumpy()
        known[found["code"]] = found["id"]


class TextKeys(_Sequence):
    """Gives keys to the texts of a table that is not large, most of which is cached."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, insert: str, limits: Limits
    ) -> None:
        """Give keys to texts of `table`, which keeps new ones by the statement `insert`.sql."""
        self._insert = sql(insert)
        self._cached_max = limits.cached_texts
        super().__init__(connection, table)
        self._cached: dict[str, int] | None = None

    def intern(self, encoded: EncodedTexts) -> Interned:
        """Return keys for texts, inserting those that are new."""
        first_new = self._next
        texts: list[Any] = encoded.texts.to_pylist()
        cached = self._cache()
        known = np.fromiter(map(cached.get, texts, repeat(0)), np.int64, len(texts))
        if len(cached) < first_new - 1:
            self._look_up_rest(known, encoded.texts)
        new = self._take(known)
        if len(new):
            rows = _table(id=known[new], text=encoded.texts.take(new))
            write_with(self._connection, self._insert, new_text=rows)
        # The cache has all of the table, or its first texts: members who write often are in it.
        if len(cached) == first_new - 1 and self._next <= self._cached_max:
            cached.update((texts[place], int(known[place])) for place in new)
        return self._interned(encoded, known, first_new)

    def _cache(self) -> dict[str, int]:
        if self._cached is None:
            query = f"SELECT text, id FROM {self._table} ORDER BY id LIMIT {self._cached_max}"  # noqa: S608 -- a table name of ours
            self._cached = dict(self._connection.execute(query).fetchall())
        return self._cached

    def _look_up_rest(self, known: IntArray, texts: pa.StringArray) -> None:
        rest = np.flatnonzero(known == 0)
        if len(rest):
            asked = _table(code=rest, text=texts.take(rest))
            self._look_up(known, asked, "text", self._table)


class IdKeys(_Sequence):
    """Gives keys to ids of events, records and runs; canonical UUIDs are kept in 16 bytes."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, limits: Limits) -> None:
        super().__init__(connection, "core.identifier")
        ((self._latest,),) = self._connection.execute("FROM core.latest_uuid").fetchall()
        self._cache = UuidCache(self._latest, limits)

    def intern(self, asked: EncodedIds) -> Interned:
        """Return keys for ids, inserting those that are new."""
        first_new = self._next
        known = np.zeros(len(asked.uuids) + len(asked.others), dtype=np.int64)
        uuids, others = known[: len(asked.uuids)], known[len(asked.uuids) :]
        if first_new > 1:
            self._look_up_uuids(uuids, asked.uuids)
        if len(others) and first_new > 1:
            rows = f"(FROM {self._table} WHERE text IS NOT NULL)"
            texts = _table(code=np.arange(len(others)), text=asked.others)
            self._look_up(others, texts, "text", rows)
        self._take(known)
        self._keep_uuids(uuids, first_new, asked.uuids)
        self._keep_texts(others, first_new, asked.others)
        return self._interned(asked, known, first_new)

    def _look_up_uuids(self, known: IntArray, uuids: Uuids) -> None:
        # A UUIDv7 above the watermark is new, as most are: it need not be looked for.
        old = np.flatnonzero(~(is_v7(uuids) & (uuids[:, 0] > self._latest)))
        held = self._cache.covers(uuids[old])
        known[old[held]] = self._cache.keys(uuids[old[held]])
        old = old[~held]
        if len(old):
            near = rows_near_uuids(self._table, "uuid", uuids[old])
            self._look_up(known, _uuid_table("text", uuids[old], code=old), "uuid", near)

    def _keep_uuids(self, given: IntArray, first_new: int, uuids: Uuids) -> None:
        new = np.flatnonzero(given >= first_new)
        if len(new):
            keys, uuids = given[new], uuids[new]
            write_with(
                self._connection,
                sql("keys/intern_uuids"),
                new_uuid=_uuid_table("uuid", uuids, id=keys),
            )
            self._note_latest(int(uuids[is_v7(uuids), 0].max(initial=0)))
            self._cache.add(uuids, keys)

    def _keep_texts(self, given: IntArray, first_new: int, texts: pa.StringArray) -> None:
        new = np.flatnonzero(given >= first_new)
        if len(new):
            table = _table(id=given[new], text=texts.take(new))
            write_with(self._connection, sql("keys/intern_texts"), new_text=table)

    def _note_latest(self, head: int) -> None:
        if head > self._latest:
            self._latest = head
            self._connection.execute(f"UPDATE core.latest_uuid SET head = {head}")  # noqa: S608 -- a number


def _uuid_table(name: str, uuids: Uuids, **columns: IntArray) -> pa.Table:
    """Return a table of UUIDs, as the column `name`, after other columns."""
    data = pa.py_buffer(as_bytes(uuids).data)
    storage = pa.Array.from_buffers(pa.binary(UUID_BYTES), len(uuids), [None, data])
    return _table(**columns, **{name: pa.ExtensionArray.from_storage(pa.uuid(), storage)})


def _table(**columns: npt.ArrayLike) -> pa.Table:
    table: pa.Table = pa.table(columns)
    return table

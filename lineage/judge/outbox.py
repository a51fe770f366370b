"""Outbox: the flags that a batch raised and cleared, as auditors and the flag topic get them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from lineage.arrays import distinct, int_array
from lineage.database.model import Reference
from lineage.database.relations import execute_on
from lineage.database.statements import sql
from lineage.database.tables import table

_TYPES = {"BIGINT": pa.int64(), "TIMESTAMP": pa.timestamp("us")}
_FIELDS: list[pa.Field[Any]] = [
    pa.field(
        column.shown, pa.string() if column.reference else _TYPES.get(column.type, pa.string())
    )
    for column in table("flag_history").columns
    if column.shown
]
_SCHEMA = pa.schema(_FIELDS)
NO_CHANGES = _SCHEMA.empty_table()


class Outbox:
    """Converts changes of flags to texts, with a cache of the names of datasets and policies."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._datasets = _NameCache(connection, Reference.DATASET)
        self._policies = _NameCache(connection, Reference.POLICY)

    def rows(self, parts: Sequence[pl.DataFrame], at: datetime | None) -> pa.Table:
        """Return the rows of `flag_history` for parts of core.flag_history.

        parts: the columns of core.flag with `seq` and `status`. at: naive UTC, for `recorded_at`.
        """
        if not parts:
            return NO_CHANGES
        changes = pl.concat(parts)
        told = changes.with_columns(
            dataset=self._datasets.of(changes["dataset"]),
            policy_id=self._policies.of(changes["policy"]),
            first_hop=pl.col("first_hop").replace("", None),
            recorded_at=pl.lit(at, pl.Datetime("us")),
        )
        return told.select(_SCHEMA.names).to_arrow().cast(_SCHEMA)


def unpublished(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the rows of `flag_history` not known to have been published, in the order of seq."""
    return connection.execute(sql("judge/flags/unpublished")).to_arrow_table().cast(_SCHEMA)


class _NameCache:
    """Cache of the texts of keys, which never change."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, reference: Reference) -> None:
        self._connection = connection
        self._rows = (reference.relation, "id")
        self._query = f"SELECT id, {reference.text} FROM {{rows}}"  # noqa: S608 -- a name of ours
        self._names: dict[int, str] = {}

    def of(self, keys: pl.Series) -> pl.Series:
        """Return the texts of keys, all of which are in the relation."""
        wanted = distinct(int_array(keys)).tolist()
        unknown = np.array([key for key in wanted if key not in self._names], dtype=np.int64)
        if len(unknown):
            found = execute_on(self._connection, unknown, self._query, rows=self._rows)
            self._names.update(found.fetchall())
        names = {key: self._names[key] for key in wanted}
        return keys.cast(pl.Int64).replace_strict(names, return_dtype=pl.String)

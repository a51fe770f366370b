"""What a batch raised and cleared, in the words of `flag_history`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from lineage.arrays import distinct, int_array
from lineage.database.relations import run_on
from lineage.database.statements import sql

_TEXT, _INSTANT = pa.string(), pa.timestamp("us")
_FIELDS: list[pa.Field[Any]] = [
    pa.field("seq", pa.int64()),
    pa.field("status", _TEXT),
    pa.field("rule", _TEXT),
    pa.field("severity", _TEXT),
    pa.field("message_id", _TEXT),
    pa.field("dataset", _TEXT),
    pa.field("policy_id", _TEXT),
    pa.field("first_at", _INSTANT),
    pa.field("last_at", _INSTANT),
    pa.field("arrivals", pa.int64()),
    pa.field("first_hop", _TEXT),
    pa.field("recorded_at", _INSTANT),
]
_SCHEMA = pa.schema(_FIELDS)
NO_CHANGES = _SCHEMA.empty_table()


class Outbox:
    """Puts changes of flags into words; it keeps the names of datasets and policies."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._datasets = _Kept(connection, "core.dataset_name", "text")
        self._policies = _Kept(connection, "core.policy", "policy_id")

    def table(self, changes: pl.DataFrame, at: datetime | None) -> pa.Table:
        """The rows of `flag_history` for those of core.flag_history (`seq` and `status` beside the
        columns of core.flag); at: when, naive UTC.
        """
        worded = changes.with_columns(
            dataset=self._datasets.of(changes["ds"]),
            policy_id=self._policies.of(changes["policy"]),
            first_hop=pl.col("first_hop").replace("", None),
            recorded_at=pl.lit(at, pl.Datetime("us")),
        )
        return worded.select(_SCHEMA.names).to_arrow().cast(_SCHEMA)


def unpublished(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The rows of `flag_history` that are not known to have been published, in the order of seq."""
    return connection.execute(sql("judge/unpublished")).to_arrow_table().cast(_SCHEMA)


class _Kept:
    """The names of the numbers of a table, in which a number never gets another name."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str, column: str) -> None:
        self._connection = connection
        self._rows = (table, "n")
        self._query = f"SELECT n, {column} FROM {{rows}}"  # noqa: S608 -- a name of ours
        self._names: dict[int, str] = {}

    def of(self, wanted: pl.Series) -> pl.Series:
        """The names of some numbers, which are in the table."""
        names = self._learnt(distinct(int_array(wanted)).tolist())
        return wanted.cast(pl.Int64).replace_strict(names, return_dtype=pl.String)

    def _learnt(self, wanted: list[int]) -> Mapping[int, str]:
        unknown = np.array([n for n in wanted if n not in self._names], dtype=np.int64)
        if len(unknown):
            found = run_on(self._connection, unknown, self._query, rows=self._rows)
            self._names.update(found.fetchall())
        return {n: self._names[n] for n in wanted}

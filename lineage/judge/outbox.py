"""Outbox: the changes of flags, as auditors and the flag topic get them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from lineage.arrays import distinct, int_array
from lineage.database.ddl import select
from lineage.database.model import Reference
from lineage.database.relations import execute_on
from lineage.database.statements import sql
from lineage.database.tables import table
from lineage.keys.texts import IdTexts

_TYPES = {"BIGINT": pa.int64(), "TIMESTAMP": pa.timestamp("us")}
# The columns of the view, and two keys of the first breach, 0 for none.
_KEYS = ("hop", "declaration")
_COLUMNS = [one for one in table("flag_history").columns if one.shown or one.name in _KEYS]
_FIELDS: list[pa.Field[Any]] = [
    pa.field(
        column.shown or column.name,
        pa.string() if column.reference else _TYPES.get(column.type, pa.string()),
    )
    for column in _COLUMNS
]
_SCHEMA = pa.schema(_FIELDS)
NO_CHANGES = _SCHEMA.empty_table()


class Outbox:
    """Converts changes of flags to texts, with a cache of the names of datasets and policies."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._datasets = _NameCache(connection, Reference.DATASET)
        self._policies = _NameCache(connection, Reference.POLICY)

    def rows(self, parts: Sequence[pl.DataFrame], at: datetime | None) -> pa.Table:
        """Return parts of core.flag_history as texts: the view's columns, `hop`, `declaration`.

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
    """Return the changes not known to have been published, as `Outbox.rows`, in order of seq."""
    query = sql("judge/flags/unpublished").format(changes=select(table("flag_history"), _COLUMNS))
    return connection.execute(query).to_arrow_table().cast(_SCHEMA)


def flag_records(connection: duckdb.DuckDBPyConnection, changes: pa.Table) -> list[dict[str, Any]]:
    """Return changes (of `Outbox.rows`) as the flag topic has them: the fields of FlagRaised.

    Of the first breach they tell its job, run and source, all null for the origin; of the dataset
    the recipient as it was declared then. Instants are naive UTC.
    """
    rows = pl.DataFrame(changes)
    keys = int_array(rows["hop"])
    found = execute_on(
        connection,
        distinct(keys[keys > 0]),
        sql("judge/flags/first_hop"),
        rows=("core.hop", "id"),
    ).pl()
    runs = int_array(found["run"])
    found = found.with_columns(run_id=IdTexts(connection, runs).of(runs)).drop("run")
    recipients = connection.execute("SELECT id AS declaration, recipient FROM core.declaration")
    told = (
        rows.join(found, on="hop", how="left")
        .join(recipients.pl(), on="declaration", how="left")
        .with_columns(
            updated=pl.col("status") == "UPDATED",
            status=pl.col("status").replace("UPDATED", "RAISED"),
        )
    )
    return told.sort("seq").drop(*_KEYS, "recorded_at").to_dicts()


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

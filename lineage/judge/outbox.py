"""Outbox: the changes of flags, as auditors and the flag topic get them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from lineage.arrays import IntArray, distinct, int_array
from lineage.database.relations import execute_on
from lineage.database.schema.ddl import select
from lineage.database.schema.model import Reference
from lineage.database.schema.tables import table
from lineage.database.statements import sql
from lineage.ingest.encode import EncodedBatch
from lineage.keys.keyed_batch import KeyedBatch
from lineage.keys.texts import IdTexts

_TYPES = {"BIGINT": pa.int64(), "TIMESTAMP": pa.timestamp("us")}
# The columns of the view, and two keys of the first breach, 0 for none; and of its hop, as far as
# the batch has it, what moved the message.
_KEYS = ("hop", "declaration")
_COLUMNS = [one for one in table("flag_history").columns if one.shown or one.name in _KEYS]
_FIELDS: list[pa.Field[Any]] = [
    pa.field(
        column.shown or column.name,
        pa.string() if column.reference else _TYPES.get(column.type.split()[0], pa.string()),
    )
    for column in _COLUMNS
]
_MOVED = ("job", "run_id", "source")
_SCHEMA = pa.schema([*_FIELDS, *(pa.field(name, pa.string()) for name in _MOVED)])
_Moved = dict[int, tuple[str | None, ...]]  # by the key of the hop: the values of _MOVED
_NOT_MOVED = (None,) * len(_MOVED)
NO_CHANGES = _SCHEMA.empty_table()


class Outbox:
    """Converts changes of flags to texts, with a cache of the names of datasets and policies."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._datasets = _NameCache(connection, Reference.DATASET)
        self._policies = _NameCache(connection, Reference.POLICY)

    def rows(
        self,
        parts: Sequence[pl.DataFrame],
        at: datetime | None,
        batch: EncodedBatch,
        events: KeyedBatch,
    ) -> pa.Table:
        """Return parts of core.flag_history as texts: the columns of the view, and for publishing.

        parts: the columns of core.flag with `seq` and `status`. at: naive UTC, for `recorded_at`.
        batch, events: the events that the flags follow from, in texts and in keys.
        """
        if not parts:
            return NO_CHANGES
        changes = pl.concat(parts)
        moved = _moved(batch, events["hop"], int_array(changes["hop"]))
        columns = zip(*(moved.get(hop, _NOT_MOVED) for hop in changes["hop"]), strict=True)
        told = changes.with_columns(
            dataset=self._datasets.of(changes["dataset"]),
            policy_id=self._policies.of(changes["policy"]),
            first_hop=pl.col("first_hop").replace("", None),
            recorded_at=pl.lit(at, pl.Datetime("us")),
            **{
                name: pl.Series(values, dtype=pl.String)
                for name, values in zip(_MOVED, columns, strict=True)
            },
        )
        return told.select(_SCHEMA.names).to_arrow().cast(_SCHEMA)


def unpublished(connection: duckdb.DuckDBPyConnection, count: int | None = None) -> pa.Table:
    """Return the changes not known to have been published, as `Outbox.rows`, in order of seq.

    count: so many of them, the first; None for all.
    """
    ((seq,),) = connection.execute("SELECT published FROM core.outbox").fetchall()
    return stored_changes(connection, seq, _last_of(connection, seq, count))


def changes_after(
    connection: duckdb.DuckDBPyConnection, seq: int, count: int
) -> list[dict[str, Any]]:
    """Return so many changes after a seq, as `flag_records`, each with its `recorded_at`."""
    changes = stored_changes(connection, seq, _last_of(connection, seq, count))
    if not changes.num_rows:
        return []
    told = changes["recorded_at"].to_pylist()
    rows = flag_records(connection, changes)
    return [row | {"recorded_at": at} for row, at in zip(rows, told, strict=True)]


def change_counts(
    connection: duckdb.DuckDBPyConnection, seq: int
) -> dict[tuple[str, str, str], int]:
    """Count the changes after a seq by rule, severity and status."""
    found = connection.execute(sql("judge/flags/change_counts"), {"seq": seq}).fetchall()
    return {(rule, severity, status): count for rule, severity, status, count in found}


def standing_flags(
    connection: duckdb.DuckDBPyConnection, severities: Sequence[str], first: int, count: int
) -> list[dict[str, Any]]:
    """Return so many of the standing flags from a place on, in the order of their keys.

    They have the columns of the view `flag`, then the job of the first breach and the recipient.
    """
    parameters = {"severities": list(severities), "first": first, "count": count}
    query = sql("judge/flags/standing_page")
    return connection.execute(query, parameters).to_arrow_table().to_pylist()


def stored_changes(
    connection: duckdb.DuckDBPyConnection, seq: int, last: int | None = None
) -> pa.Table:
    """Return the changes after a seq, until the last if one is given, as `Outbox.rows`."""
    moved = ", ".join(f"NULL AS {name}" for name in _MOVED)
    changes = select(table("flag_history"), _COLUMNS)
    until = "" if last is None else f"AND t.seq <= {last}"
    query = sql("judge/flags/changes_after").format(
        changes=changes, moved=moved, seq=seq, until=until
    )
    return connection.execute(query).to_arrow_table().cast(_SCHEMA)


def _last_of(connection: duckdb.DuckDBPyConnection, seq: int, count: int | None) -> int | None:
    """Return the seq of the last of so many changes after one; None for all that there are."""
    if count is None:
        return None
    wanted = {"seq": seq, "count": count}
    ((last,),) = connection.execute(sql("judge/flags/last_of_portion"), wanted).fetchall()
    return None if last is None else int(last)


def flag_records(connection: duckdb.DuckDBPyConnection, changes: pa.Table) -> list[dict[str, Any]]:
    """Return changes (of `Outbox.rows`) as the flag topic has them: the fields of FlagRaised.

    Of the first breach they tell its job, run and source, all null for the origin; of the dataset
    the recipient as it was declared then. Instants are naive UTC.
    """
    rows = changes.drop_columns(["recorded_at"]).to_pylist()
    unknown = {row["hop"] for row in rows if row["job"] is None} - {0}
    moved = _stored_moved(connection, np.array(sorted(unknown), dtype=np.int64))
    query = "SELECT id, recipient FROM core.declaration"
    recipients = dict(connection.execute(query).fetchall())
    for row in rows:
        hop = row.pop("hop")
        if hop in moved:
            row |= zip(_MOVED, moved[hop], strict=True)
        row["recipient"] = recipients.get(row.pop("declaration"))
        row["updated"] = row["status"] == "UPDATED"
        row["status"] = "RAISED" if row["updated"] else row["status"]
    return rows


def _moved(batch: EncodedBatch, hops: pl.DataFrame, wanted: IntArray) -> _Moved:
    """Return the job, run and source of those wanted hops that are in the batch."""
    ids = int_array(hops["id"])
    places = np.flatnonzero(np.isin(ids, wanted))
    if not len(places):
        return {}
    rows = hops["row"][places]
    texts = batch.rows("hop", rows, _MOVED)[["row", *_MOVED]]
    by_row = {row: tuple(moved) for row, *moved in texts.iter_rows()}
    return {key: by_row[row] for key, row in zip(ids[places].tolist(), rows.to_list(), strict=True)}


def _stored_moved(connection: duckdb.DuckDBPyConnection, hops: IntArray) -> _Moved:
    """Return the job, run and source of stored hops."""
    if not len(hops):
        return {}
    query = sql("judge/flags/first_hop")
    found = execute_on(connection, hops, query, rows=("core.hop", "id")).fetchall()
    runs = np.array([run for _, _, run, _ in found], dtype=np.int64)
    run_ids = IdTexts(connection, runs).of(runs).to_list()
    return {
        hop: (job, run_id, source)
        for (hop, job, _, source), run_id in zip(found, run_ids, strict=True)
    }


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

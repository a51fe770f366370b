"""Unmatched inputs: what hops read and no message was in, so that nothing went on from it.

A hop carries what its inputs held at its instant or before. Where that is nothing, a leak could be
missed without a word: the record is known only later (a clock that is behind, a late event), or it
is spelled otherwise. So these inputs are kept, in the same transaction as what the others carried.
An input is matched by an arrival, and is unmatched again only where arrivals are taken back.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

from lineage.arrays import IntArray, distinct, int_array
from lineage.database.relations import execute_on, execute_with
from lineage.database.schema.ddl import insert
from lineage.database.schema.tables import table
from lineage.database.statements import sql
from lineage.limits import Limits
from lineage.reach.stored_hops import reads


@dataclass(frozen=True)
class Inputs:
    """Inputs of hops: the hop, and the record that it read."""

    hop: IntArray
    record: IntArray

    def __len__(self) -> int:
        return len(self.hop)

    def frame(self) -> pl.DataFrame:
        """Return them in the columns of core.unmatched_input."""
        return pl.DataFrame({"hop": self.hop, "record": self.record})


def count_unmatched(connection: duckdb.DuckDBPyConnection) -> int:
    """Count the inputs that hold nothing."""
    ((count,),) = connection.execute("SELECT count(*) FROM core.unmatched_input").fetchall()
    return int(count)


def store_unmatched(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Insert the inputs of new hops that hold nothing."""
    if len(inputs):
        statement = insert(table("unmatched_input"), "unmatched")
        execute_with(connection, statement, unmatched=inputs.frame())


def delete_matched(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Delete the inputs of stored hops that hold something by now, as far as they are there."""
    if len(inputs):
        execute_with(connection, sql("reach/delete_matched"), matched=inputs.frame())


def restore_unmatched(
    connection: duckdb.DuckDBPyConnection, vacated: pl.DataFrame, limits: Limits
) -> None:
    """Insert the inputs of stored hops that hold nothing any more.

    vacated: the records (dataset, record) that messages may not be in any more.
    """
    records = distinct(int_array(vacated["record"]))
    for first in range(0, len(records), limits.restored_records):
        _restore(connection, records[first : first + limits.restored_records], vacated)


def _restore(
    connection: duckdb.DuckDBPyConnection, records: IntArray, vacated: pl.DataFrame
) -> None:
    """Insert the inputs of stored hops that read some of the vacated records and hold nothing."""
    inputs = reads(connection, records, since=0)
    names = {"hop": "hop", "record": "record", "source": "dataset", "moved_at": "moved_at"}
    read = pl.DataFrame({name: inputs[column] for column, name in names.items()}).join(
        vacated.cast(pl.Int64), on=["dataset", "record"], how="semi"
    )
    query, rows = sql("reach/first_arrivals"), ("core.arrival", "record")
    held = execute_on(connection, records, query, rows=rows).pl()
    found = read.join(held, on=["dataset", "record"], how="left")
    empty = found.filter(pl.col("since").is_null() | (pl.col("since") > pl.col("moved_at")))
    if len(empty):
        statement = sql("reach/restore_unmatched")
        execute_with(connection, statement, emptied=empty.select("hop", "record"))

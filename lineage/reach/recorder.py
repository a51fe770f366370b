"""Recorder: writes arrivals, each with the instant at which the tracker first recorded it."""

from __future__ import annotations

from datetime import datetime

import duckdb
import polars as pl

from lineage.arrays import IntArray
from lineage.database.relations import execute_with, write_with
from lineage.database.schema.ddl import insert
from lineage.database.schema.tables import table
from lineage.database.statements import sql
from lineage.reach.arrivals import Arrivals
from lineage.reach.hops import dataset_order

# A temporary table of this module alone: a late policy can retract much of history, and the
# database may spill it to the disk.
_RETRACTED = "retracted_arrival"


class Recorder:
    """Records the arrivals of one transaction. at: naive UTC, for `recorded_at`.

    All that the transaction inserts has that instant: it is the connection's variable
    `recorded_at`, for the statements of others, too.

    An arrival that is retracted and comes again is no news: it keeps its first instant.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, at: datetime | None) -> None:
        self._connection = connection
        self.at = at
        self._retracted = 0
        instant = "NULL" if at is None else f"TIMESTAMP '{at}'"
        connection.execute(f"SET VARIABLE recorded_at = {instant}")

    def retract(self, messages: IntArray) -> int:
        """Delete all arrivals of messages, once in a transaction; return their number."""
        stale = pl.DataFrame({"message": messages})
        query = sql("reach/retracted_arrival").format(retracted=_RETRACTED)
        execute_with(self._connection, query, stale_message=stale)
        statement = "DELETE FROM core.arrival WHERE message IN (SELECT message FROM stale_message)"
        ((self._retracted,),) = self._connection.execute(statement).fetchall()
        return self._retracted

    def insert(self, arrivals: Arrivals) -> None:
        """Insert new arrivals."""
        if not len(arrivals):
            return
        # In this order neighbours are alike, and take less of the disk.
        ordered = arrivals.only(dataset_order(arrivals.dataset, arrivals.message))
        if self._retracted:
            statement = sql("reach/insert_arrival_again").format(retracted=_RETRACTED)
        else:
            statement = insert(table("arrival"), "new_arrival")
        write_with(self._connection, statement, new_arrival=ordered.frame())

    def close(self) -> None:
        """Forget what was retracted."""
        if self._retracted:
            self._connection.execute(f"DROP TABLE {_RETRACTED}")

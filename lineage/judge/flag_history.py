"""Flag history: records what one transaction raised, cleared and updated, each with its seq.

Within a part of the breaches the order is that of status, rule, message and dataset, however many
changes there are. A part that comes in portions goes through a table for that, which the database
may spill to the disk, since a late policy can flag all of history.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import duckdb
import polars as pl

from lineage.database.relations import write_with
from lineage.database.statements import sql
from lineage.limits import Limits

_ORDER = ("status", "rule", "message", "dataset")
# A temporary table of this module alone.
_PORTIONS = "changed_flag_portion"


class FlagHistory:
    """The changes of flags of one transaction.

    Attributes:
        first: The last seq before them.
        count: How many there are.
        frames: All of them, with the columns of core.flag, `seq` and `status`; None where they are
            more than a batch has in memory.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, seq: int, limits: Limits) -> None:
        self._connection = connection
        self._told_max = limits.told_changes
        self.first = seq
        self.count = 0
        self.frames: list[pl.DataFrame] | None = []

    def record(self, portions: Iterator[pl.DataFrame]) -> None:
        """Record the changes of one part, which come some at a time."""
        first, second = next(portions, None), next(portions, None)
        if first is None:
            return
        if second is None:
            self._insert(first)
        else:
            self._insert_ordered(chain((first, second), portions))

    def _insert(self, changes: pl.DataFrame) -> None:
        if not len(changes):
            return
        seq = self.first + self.count
        changes = changes.sort(*_ORDER).with_row_index("seq", seq + 1)
        statement = sql("judge/flags/insert_flag_history")
        write_with(self._connection, statement, flag_change=changes)
        self._count(len(changes))
        if self.frames is not None:
            self.frames.append(changes)

    def _insert_ordered(self, portions: Iterator[pl.DataFrame]) -> None:
        made = False
        for changes in portions:
            into = "INSERT INTO {}" if made else "CREATE OR REPLACE TEMP TABLE {} AS"
            statement = f"{into.format(_PORTIONS)} FROM flag_change"
            write_with(self._connection, statement, flag_change=changes)
            made = True
        statement = sql("judge/flags/insert_ordered_history").format(changes=_PORTIONS)
        seq = {"seq": self.first + self.count}
        ((count,),) = self._connection.execute(statement, seq).fetchall()
        self._connection.execute(f"DROP TABLE {_PORTIONS}")
        self.frames = None
        self._count(count)

    def _count(self, count: int) -> None:
        self.count += count
        if self.count > self._told_max:
            self.frames = None

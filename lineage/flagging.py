"""The flags: brought up to date with what a batch made arrive, and with what it touched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import numbers
from lineage.interning import registered
from lineage.judging import Judge
from lineage.naming import Names
from lineage.reach import Arrivals, stored_arrivals
from lineage.sql import sql
from lineage.staging import Staged

# So many arrivals are judged at a time, which bounds the memory that it takes.
_ARRIVALS_MAX = 1_000_000


class Flagging:
    """Judges one batch. Arrivals are recorded before they come here.

    touched: the temporary table `touched` has (m, ds) to be judged anew from all their arrivals.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, judge: Judge, *, touched: bool
    ) -> None:
        self._connection = connection
        self._judge = judge
        self._touched = touched
        self._begun = False

    def add(self, arrived: Arrivals, fresh: Staged | None = None) -> None:
        """Judge new arrivals, apart from those in `touched`; `fresh`: the batch's events."""
        if self._touched and len(arrived):
            frame = pl.DataFrame(
                {"place": np.arange(len(arrived)), "m": arrived.m, "ds": arrived.ds}
            )
            with registered(self._connection, arrived=frame):
                query = "SELECT place FROM arrived ANTI JOIN touched USING (m, ds)"
                left = self._connection.execute(query).fetchnumpy()["place"]
            arrived = arrived.only(left)
        for first in range(0, len(arrived), _ARRIVALS_MAX):
            self._judge_some(arrived.slice(first, _ARRIVALS_MAX), fresh)

    def finish(self, history_before: int, at: datetime | None) -> int:
        """Judge what is touched, and turn the flags to what is broken now; how many changed.

        `history_before`: the last seq of core.flag_history; `at`, naive UTC: when.
        """
        if self._touched:
            for part in self._stored():
                self._judge_some(part, None)
            self._begin()
        if not self._begun:
            return 0
        for name in ("standing_flag", "verdict", "delete_standing_flag", "insert_flag"):
            self._connection.execute(self._with_touched(sql(name)))
        parameters = {"seq": history_before, "at": at}
        changed = self._connection.execute(sql("insert_flag_history"), parameters)
        ((count,),) = changed.fetchall()
        return int(count)

    def _judge_some(self, arrivals: Arrivals, fresh: Staged | None) -> None:
        facts = self._judge.facts(arrivals, fresh)
        breaches = self._judge.breaches(facts)
        if len(breaches.arrival):
            self._begin()
            found = self._judge.frame(facts, breaches)
            m, h = numbers(found["m"]), numbers(found["h"])
            names = Names(self._connection, np.concatenate([m, h]))
            found = found.with_columns(message_id=names.of(m), hop_id=names.of(h)).drop("h")
            with registered(self._connection, found=found):
                self._connection.execute("INSERT INTO breach BY NAME FROM found")

    def _begin(self) -> None:
        if not self._begun:
            self._connection.execute(sql("breach"))
        self._begun = True

    def _stored(self) -> Iterator[Arrivals]:
        """All arrivals of what is touched, in parts."""
        self._connection.execute(sql("to_judge"))
        ((count,),) = self._connection.execute("SELECT count(*) FROM to_judge").fetchall()
        for first in range(0, count, _ARRIVALS_MAX):
            last = first + _ARRIVALS_MAX - 1
            part = f"(FROM to_judge WHERE place BETWEEN {first} AND {last})"
            yield stored_arrivals(self._connection, part)

    def _with_touched(self, query: str) -> str:
        touched = "touched" if self._touched else "(SELECT m, ds FROM breach WHERE false)"
        return query.format(touched=touched)

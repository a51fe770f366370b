"""The flags: brought up to date with what a batch made arrive, and with what it touched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import int_array, run_starts
from lineage.database.relations import run_with
from lineage.database.statements import sql
from lineage.judge.flag_changes import turn_anew, turn_more
from lineage.judge.rules import Judge
from lineage.keys.names import Names
from lineage.keys.stage import KeyedBatch
from lineage.reach.fixpoint import Arrivals, stored_arrivals

# So many arrivals of a batch are judged at a time, and so many stored ones, of so much of what is
# touched. It bounds the memory that it takes: a late policy can touch all of history.
_ARRIVALS_MAX = 1_000_000
_STORED_MAX = 250_000
_TOUCHED_MAX = 500_000
_BUCKETS = 4096
Part = dict[str, int]
_NONE = pl.DataFrame(
    schema={
        **{"rule": pl.String, "severity": pl.String, "m": pl.Int64, "ds": pl.Int64},
        **{"policy": pl.Int64, "arrived_at": pl.Datetime("us")},
        **{"message_id": pl.String, "hop_id": pl.String},
    }
)


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
        self._breaches: list[pl.DataFrame] = []

    def add(self, arrived: Arrivals, fresh: KeyedBatch | None = None) -> None:
        """Judge new arrivals, apart from those in `touched`; `fresh`: the batch's events."""
        if self._touched and len(arrived):
            frame = pl.DataFrame(
                {"place": np.arange(len(arrived)), "m": arrived.m, "ds": arrived.ds}
            )
            left = run_with(self._connection, frame, sql("judge/untouched")).fetchnumpy()["place"]
            arrived = arrived.only(left)
        for first in range(0, len(arrived), _ARRIVALS_MAX):
            self._judge_some(arrived.slice(first, _ARRIVALS_MAX), fresh)

    def finish(self, history_before: int, at: datetime | None) -> list[pl.DataFrame]:
        """Judge what is touched, and turn the flags to what is broken now.

        `history_before`: the last seq of core.flag_history; `at`, naive UTC: when. Returns what
        changed, in parts: rows of core.flag with `seq` and `status`.
        """
        changes: list[pl.DataFrame] = []
        if self._breaches:
            changes.append(turn_more(self._connection, self._taken(), history_before, at))
        for part in self._parts() if self._touched else ():
            self._connection.execute(sql("judge/touched_part"), part)
            self._breaches = [_NONE]
            for arrivals in self._stored(part):
                self._judge_some(arrivals, None)
            before = history_before + sum(map(len, changes))
            changes.append(turn_anew(self._connection, self._taken(), before, at))
        return [some for some in changes if len(some)]

    def _judge_some(self, arrivals: Arrivals, fresh: KeyedBatch | None) -> None:
        facts = self._judge.facts(arrivals, fresh)
        breaches = self._judge.breaches(facts)
        if len(breaches.arrival):
            found = self._judge.frame(facts, breaches)
            m, h = int_array(found["m"]), int_array(found["h"])
            names = Names(self._connection, np.concatenate([m, h]))
            found = found.with_columns(message_id=names.of(m), hop_id=names.of(h)).drop("h")
            self._breaches.append(found)

    def _taken(self) -> pl.DataFrame:
        """The breaches so far, which are then none."""
        breaches, self._breaches = self._breaches, []
        return pl.concat(breaches)

    def _parts(self) -> list[Part]:
        """Ranges of messages that have all that is touched, and not too much each."""
        query = "SELECT min(m), max(m), count(*) FROM touched"
        ((first, last, count),) = self._connection.execute(query).fetchall()
        if count <= _TOUCHED_MAX:
            return [{"first": first, "last": last}]
        width = (last - first) // _BUCKETS + 1
        query = "SELECT (m - $first) // $width, count(*) FROM touched GROUP BY ALL ORDER BY ALL"
        counted = self._connection.execute(query, {"first": first, "width": width}).fetchnumpy()
        bucket, counts = counted.values()
        # A new part begins where what is touched so far passes another multiple of the maximum.
        begin = run_starts((np.cumsum(counts) - counts) // _TOUCHED_MAX)
        firsts = first + bucket[begin] * width
        lasts = np.append(firsts[1:] - 1, last)
        return [{"first": int(f), "last": int(t)} for f, t in zip(firsts, lasts, strict=True)]

    def _stored(self, part: Part) -> Iterator[Arrivals]:
        """All arrivals of what is touched of these messages, some at a time."""
        self._connection.execute(sql("judge/to_judge"), part)
        ((count,),) = self._connection.execute("SELECT count(*) FROM to_judge").fetchall()
        for first in range(0, count, _STORED_MAX):
            last = first + _STORED_MAX - 1
            some = f"(FROM to_judge WHERE place BETWEEN {first} AND {last})"
            yield stored_arrivals(self._connection, some)

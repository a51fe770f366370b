"""Rejudge: the messages in datasets whose flags are derived anew, from all their arrivals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import run_starts
from lineage.database.relations import Frame, execute_with
from lineage.database.statements import sql
from lineage.limits import Limits
from lineage.reach.arrivals import Arrivals, stored_arrivals

# Temporary tables of this module alone. They are in the database, which may spill them to the disk,
# since a late policy can touch all of history.
_PAIRS = "rejudge_pair"
_ARRIVALS = "rejudge_arrival"


@dataclass(frozen=True)
class RejudgePart:
    """Some of the pairs to judge anew.

    Attributes:
        pairs: (message, dataset), once each.
        arrivals: All arrivals of these pairs, some at a time; in their order, if not all at once.
    """

    pairs: pl.DataFrame
    arrivals: Iterator[Arrivals]


class Rejudge:
    """A multiset of (message, dataset) that belongs to one transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits
        self._made = False
        self._count = 0

    def add(
        self, query: str, parameters: Mapping[str, object] | None = None, **frames: Frame
    ) -> None:
        """Add the pairs that a SELECT of (message, dataset), which may read `frames`, finds."""
        if not self._made:
            statement = f"CREATE OR REPLACE TEMP TABLE {_PAIRS} (message BIGINT, dataset INTEGER)"
            self._connection.execute(statement)
            self._made = True
        statement = f"INSERT INTO {_PAIRS} {query}"
        ((count,),) = execute_with(self._connection, statement, parameters, **frames).fetchall()
        self._count += count

    def add_arrivals(self, arrivals: Arrivals) -> None:
        """Add the messages and datasets of arrivals."""
        if len(arrivals):
            self.add("SELECT message, dataset FROM stale_arrival", stale_arrival=arrivals.frame())

    def without(self, arrivals: Arrivals) -> Arrivals:
        """Return the arrivals that are not judged anew anyway."""
        if not self._count or not len(arrivals):
            return arrivals
        places = {"place": np.arange(len(arrivals))}
        frame = pl.DataFrame({**places, "message": arrivals.message, "dataset": arrivals.dataset})
        query = sql("judge/not_rejudged").format(rejudged=_PAIRS)
        left = execute_with(self._connection, query, arrived=frame).fetchnumpy()["place"]
        return arrivals.only(left)

    def parts(self) -> Iterator[RejudgePart]:
        """Yield all pairs, in parts of bounded size. Use up each part before the next."""
        for first, last in self._ranges() if self._count else ():
            of = {"first": first, "last": last}
            pairs = self._connection.execute(
                f"SELECT DISTINCT message, dataset FROM {_PAIRS} "  # noqa: S608 -- a name of ours
                "WHERE message BETWEEN $first AND $last",
                of,
            ).pl()
            yield RejudgePart(pairs, self._arrivals(pairs, of))

    def _ranges(self) -> Iterator[tuple[int, int]]:
        """Yield ranges of messages that together have all pairs, and not too many each."""
        most, buckets = self._limits.rejudged_pairs, self._limits.rejudged_buckets
        query = f"SELECT min(message), max(message) FROM {_PAIRS}"  # noqa: S608 -- a name of ours
        ((first, last),) = self._connection.execute(query).fetchall()
        if self._count <= most:
            yield first, last
            return
        width = (last - first) // buckets + 1
        query = (
            f"SELECT (message - $first) // $width, count(*) FROM {_PAIRS} "  # noqa: S608 -- a name of ours
            "GROUP BY ALL ORDER BY ALL"
        )
        counted = self._connection.execute(query, {"first": first, "width": width}).fetchnumpy()
        bucket, counts = counted.values()
        # A new part begins where the pairs so far pass another multiple of the maximum.
        begin = run_starts((np.cumsum(counts) - counts) // most)
        firsts = first + bucket[begin] * width
        lasts = np.append(firsts[1:] - 1, last)
        yield from zip(firsts.tolist(), lasts.tolist(), strict=True)

    def _arrivals(self, pairs: pl.DataFrame, of: Mapping[str, int]) -> Iterator[Arrivals]:
        query = f"CREATE OR REPLACE TEMP TABLE {_ARRIVALS} AS {sql('judge/rejudged_arrival')}"
        execute_with(self._connection, query, of, stale_pair=pairs)
        ((count,),) = self._connection.execute(f"SELECT count(*) FROM {_ARRIVALS}").fetchall()  # noqa: S608 -- a name of ours
        together = self._limits.rejudged_arrivals
        if count > together:
            place = "row_number() OVER (ORDER BY message, dataset) - 1 AS place"
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {_ARRIVALS} AS SELECT * REPLACE ({place}) "  # noqa: S608 -- names of ours
                f"FROM {_ARRIVALS}"
            )
        for first in range(0, count, together):
            last = first + together - 1
            some = f"(FROM {_ARRIVALS} WHERE place BETWEEN {first} AND {last})"
            yield stored_arrivals(self._connection, some)

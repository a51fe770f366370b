"""Breaches: judges the arrivals of a batch, and again those that the batch made stale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import int_array
from lineage.judge.invalidate import Stale
from lineage.judge.rules import Judge
from lineage.keys.keyed_batch import KeyedBatch
from lineage.keys.texts import IdTexts
from lineage.limits import Limits
from lineage.reach.arrivals import Arrivals
from lineage.reach.fixpoint import Derived

_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "rule": pl.String,
    "severity": pl.String,
    "message": pl.Int64,
    "dataset": pl.Int64,
    "policy": pl.Int64,
    "arrived_at": pl.Datetime("us"),
    "message_id": pl.String,
    "hop_id": pl.String,
    "hop": pl.Int64,
    "declaration": pl.Int64,
}


@dataclass(frozen=True)
class BreachPart:
    """Some breaches.

    Attributes:
        rows: One for each arrival and rule that it breaks: rule, severity, message, dataset,
            policy, arrived_at, message_id, hop_id ('' for the origin), hop (its key, or 0),
            declaration (of the dataset; 0 for none).
        pairs: The (message, dataset) of which these are all breaches; None where the breaches add
            to standing flags.
    """

    rows: pl.DataFrame
    pairs: pl.DataFrame | None = None


def breaches(
    connection: duckdb.DuckDBPyConnection,
    judge: Judge,
    derived: Derived,
    stale: Stale,
    limits: Limits,
) -> Iterator[BreachPart]:
    """Yield the breaches of new arrivals, then of those judged anew, some at a time.

    Taking the next part derives, and stores, further arrivals; arrivals are judged anew when all
    new ones are stored.
    """
    new = _slices(derived.new, limits.judged_arrivals)
    for arrivals, of_batch in chain(
        ((some, stale.events) for some in new), ((some, None) for some in derived.rederived())
    ):
        rows = _broken(connection, judge, stale.rejudge.without(arrivals), of_batch)
        if len(rows):
            yield BreachPart(rows)
    for part in stale.rejudge.parts():
        found = [_broken(connection, judge, arrivals, None) for arrivals in part.arrivals]
        yield BreachPart(pl.concat([pl.DataFrame(schema=_COLUMNS), *found]), part.pairs)


def breaches_of(
    connection: duckdb.DuckDBPyConnection, judge: Judge, arrivals: Arrivals
) -> pl.DataFrame:
    """Return the breaches of stored messages' arrivals, as the rows of a BreachPart."""
    return _broken(connection, judge, arrivals, None)


def _slices(arrivals: Arrivals, together: int) -> Iterator[Arrivals]:
    for first in range(0, len(arrivals), together):
        yield arrivals.slice(first, together)


def _broken(
    connection: duckdb.DuckDBPyConnection,
    judge: Judge,
    arrivals: Arrivals,
    events: KeyedBatch | None,
) -> pl.DataFrame:
    """Return the breaches of arrivals, as the rows of a BreachPart."""
    facts = judge.facts(arrivals, events)
    found = judge.breaches(facts)
    if not len(found.arrival):
        return pl.DataFrame(schema=_COLUMNS)
    return with_ids(connection, judge.frame(facts, found))


def with_ids(connection: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> pl.DataFrame:
    """Return breaches (`Judge.frame`) with the texts of their ids, as the rows of a BreachPart."""
    message, hop = int_array(rows["message"]), int_array(rows["hop"])
    texts = IdTexts(connection, np.concatenate([message, hop]))
    told = rows.with_columns(message_id=texts.of(message), hop_id=texts.of(hop))
    return told.select(*_COLUMNS)

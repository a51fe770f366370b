"""Breaches: judges the arrivals of a batch, and again those that the batch made stale.

An arrival can break every rule of a policy, and a few kilobytes of hops can bring millions of
arrivals. So breaches are made some at a time, in the order of the flags that they belong to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import IntArray, int_array
from lineage.judge.invalidate import Stale
from lineage.judge.rules import Breaches, Judge
from lineage.keys.keyed_batch import KeyedBatch
from lineage.keys.texts import IdTexts
from lineage.limits import Limits
from lineage.reach.arrivals import Arrivals
from lineage.reach.fixpoint import Derived
from lineage.reach.hops import record_keys

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
NO_BREACHES = pl.DataFrame(schema=_COLUMNS)


@dataclass(frozen=True)
class BreachPart:
    """Breaches that are judged together.

    Attributes:
        frames: Their rows, some at a time. Those of a frame that has others after it are of no
            (message, dataset) that is after one of the next frame.
            One row for each arrival and rule that it breaks: rule, severity, message, dataset,
            policy, arrived_at, message_id, hop_id ('' for the origin), hop (its key, or 0),
            declaration (of the dataset; 0 for none).
        pairs: The (message, dataset) of which these are all breaches; None where the breaches add
            to standing flags.
    """

    frames: Iterator[pl.DataFrame]
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
    new ones are stored. Use up each part before the next.
    """
    new = _slices(derived.new, limits.judged_arrivals)
    for arrivals, of_batch in chain(
        ((some, stale.events) for some in new), ((some, None) for some in derived.rederived())
    ):
        left = stale.rejudge.without(arrivals)
        yield BreachPart(_frames(connection, judge, [left], of_batch, limits))
    for part in stale.rejudge.parts():
        yield BreachPart(_frames(connection, judge, part.arrivals, None, limits), part.pairs)


def breaches_of(
    connection: duckdb.DuckDBPyConnection, judge: Judge, arrivals: Arrivals
) -> pl.DataFrame:
    """Return the breaches of stored messages' arrivals, as the rows of a BreachPart."""
    facts = judge.facts(arrivals)
    found = judge.breaches(facts)
    if not len(found.arrival):
        return NO_BREACHES
    return with_ids(connection, judge.frame(facts, found))


def _slices(arrivals: Arrivals, together: int) -> Iterator[Arrivals]:
    for first in range(0, len(arrivals), together):
        yield arrivals.slice(first, together)


def _frames(
    connection: duckdb.DuckDBPyConnection,
    judge: Judge,
    parts: Iterable[Arrivals],
    events: KeyedBatch | None,
    limits: Limits,
) -> Iterator[pl.DataFrame]:
    """Yield the breaches of arrivals, as the frames of a BreachPart.

    parts: if there are several, in the order of message and dataset.
    """
    together = max(1, limits.judged_breaches // _rules_of_a_policy(judge))
    for arrivals in parts:
        if len(arrivals) <= together:
            yield from _in_frames(connection, judge, arrivals, events, limits)
            continue
        ordered = arrivals.only(_flag_order(arrivals))
        for some in _slices(ordered, together):
            yield from _in_frames(connection, judge, some, events, limits)


def _in_frames(
    connection: duckdb.DuckDBPyConnection,
    judge: Judge,
    arrivals: Arrivals,
    events: KeyedBatch | None,
    limits: Limits,
) -> Iterator[pl.DataFrame]:
    """Yield the breaches of arrivals that are judged at once; in order, if not in one frame."""
    facts = judge.facts(arrivals, events)
    found = judge.breaches(facts)
    count, together = len(found.arrival), limits.changed_flags
    if count > together:
        order = _flag_order(arrivals, found.arrival)
        found = Breaches(found.arrival[order], found.rule[order])
    for first in range(0, count, together):
        some = slice(first, first + together)
        rows = judge.frame(facts, Breaches(found.arrival[some], found.rule[some]))
        yield with_ids(connection, rows)


def _flag_order(arrivals: Arrivals, rows: IntArray | slice = slice(None)) -> IntArray:
    """Return the order of rows of arrivals by message and dataset."""
    return np.argsort(record_keys(arrivals.message[rows], arrivals.dataset[rows]), kind="stable")


def _rules_of_a_policy(judge: Judge) -> int:
    """Return how many rules an arrival can break at the most."""
    counts = Counter(rule.policy for rule in judge.timeline.rules)
    return max(counts.values(), default=1)


def with_ids(connection: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> pl.DataFrame:
    """Return breaches (`Judge.frame`) with the texts of their ids, as the rows of a BreachPart."""
    message, hop = int_array(rows["message"]), int_array(rows["hop"])
    texts = IdTexts(connection, np.concatenate([message, hop]))
    told = rows.with_columns(message_id=texts.of(message), hop_id=texts.of(hop))
    return told.select(*_COLUMNS)

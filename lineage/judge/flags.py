"""Flags: updates the standing flags with breaches, and returns the changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb
import polars as pl

from lineage.arrays import BoolArray, IntArray, int_array
from lineage.database.relations import execute_with, write_with
from lineage.database.statements import sql
from lineage.judge.breaches import NO_BREACHES, BreachPart
from lineage.judge.flag_history import FlagHistory
from lineage.limits import Limits
from lineage.reach.hops import record_keys

_FLAG = ["rule", "message", "dataset"]
_PAIR = ["message", "dataset"]
# The columns that a flag takes from its first breach.
_OF_FIRST = ("severity", "message_id", "policy", "first_at", "first_hop", "hop", "declaration")
# The columns that a standing flag can change.
_VALUES = [name for name in (*_OF_FIRST, "last_at", "arrivals") if name != "message_id"]


@dataclass(frozen=True)
class _Portion:
    """Some (message, dataset), and what flags them, in pieces with the columns of core.flag."""

    pieces: pl.DataFrame
    pairs: pl.DataFrame


def update(
    connection: duckdb.DuckDBPyConnection, parts: Iterable[BreachPart], seq: int, limits: Limits
) -> FlagHistory:
    """Update the flags with breaches; return what was raised, cleared and updated.

    seq: the last seq of core.flag_history. The hop, policy and severity of a flag are those of its
    first breach (ties: the smaller hop id, the origin first).
    """
    history = FlagHistory(connection, seq, limits)
    for part in parts:
        history.record(_changes_by(connection, part, limits))
    return history


def _changes_by(
    connection: duckdb.DuckDBPyConnection, part: BreachPart, limits: Limits
) -> Iterator[pl.DataFrame]:
    """Replace the flags that a part of the breaches concerns; yield the changes, some at a time."""
    for portion in _portions(part, limits.changed_flags):
        pieces, pairs = portion.pieces, portion.pairs
        if not len(pairs):
            continue
        query = sql("judge/flags/standing_flag")
        standing = execute_with(connection, query, judged_pair=pairs).pl()
        if part.pairs is None:
            pieces = pl.concat([pieces, standing])
        yield _replace(connection, standing, _merged(pieces))


def _portions(part: BreachPart, flags_max: int) -> Iterator[_Portion]:
    """Divide the breaches of a part, if they are many, by message and dataset."""
    pairs, pieces = part.pairs, None
    for frame in part.frames:
        if pieces is None:
            pieces = _single(frame)
            continue
        pieces = _merged(pl.concat([pieces, _single(frame)]))
        if len(pieces) < flags_max:
            continue
        # The next frame can have more breaches of the last pair, and of no other.
        last = int(_keys(pieces).max())
        whole = _keys(pieces) < last
        told = pieces.filter(pl.Series(whole))
        if pairs is None:
            yield _Portion(told, told.select(_PAIR).unique())
        else:
            before: BoolArray = _keys(pairs) < last
            yield _Portion(told, pairs.filter(pl.Series(before)))
            pairs = pairs.filter(pl.Series(~before))
        pieces = pieces.filter(pl.Series(~whole))
    if pieces is not None:
        yield _Portion(pieces, pieces.select(_PAIR).unique() if pairs is None else pairs)
    elif pairs is not None:
        yield _Portion(_single(NO_BREACHES), pairs)


def _keys(rows: pl.DataFrame) -> IntArray:
    """Return an integer for the message and dataset of each row, in their order."""
    return record_keys(int_array(rows["message"]), int_array(rows["dataset"]))


def flags_of(breaches: pl.DataFrame) -> pl.DataFrame:
    """Return the flags that breaches come to, in the columns of core.flag."""
    return _merged(_single(breaches))


def _single(breaches: pl.DataFrame) -> pl.DataFrame:
    """Return each breach as a flag of its own, in the columns of core.flag."""
    return breaches.select(
        *("rule", "severity", "message", "message_id", "dataset", "policy"),
        first_at="arrived_at",
        last_at="arrived_at",
        arrivals=pl.lit(1, pl.Int64),
        first_hop="hop_id",
        hop="hop",
        declaration="declaration",
    )


def _merged(pieces: pl.DataFrame) -> pl.DataFrame:
    """Merge the pieces of each flag."""
    flags = (
        pieces.sort("first_at", "first_hop")
        .group_by(_FLAG, maintain_order=True)
        .agg(pl.col(_OF_FIRST).first(), pl.col("last_at").max(), pl.col("arrivals").sum())
    )
    return flags.select(pieces.columns)


def _replace(
    connection: duckdb.DuckDBPyConnection, standing: pl.DataFrame, flags: pl.DataFrame
) -> pl.DataFrame:
    """Replace the standing flags; return the changes, in the columns of core.flag and `status`."""
    if len(standing):
        write_with(connection, sql("judge/flags/delete_flag"), standing_flag=standing.select(_FLAG))
    if len(flags):
        write_with(connection, sql("judge/flags/insert_flag"), changed_flag=flags)
    return _changes(standing, flags)


def _changes(standing: pl.DataFrame, flags: pl.DataFrame) -> pl.DataFrame:
    """Return how flags differ from those that stood."""
    if standing.is_empty():  # as nearly always
        return _with_status(flags, "RAISED")
    kept = flags.join(standing, on=_FLAG, how="semi")
    parts = {
        "RAISED": flags.join(standing, on=_FLAG, how="anti"),
        "CLEARED": standing.join(flags, on=_FLAG, how="anti"),
        "UPDATED": kept.join(standing, on=[*_FLAG, *_VALUES], how="anti"),
    }
    return pl.concat([_with_status(part, status) for status, part in parts.items()])


def _with_status(flags: pl.DataFrame, status: str) -> pl.DataFrame:
    return flags.hstack([pl.Series("status", [status]).new_from_index(0, len(flags))])
